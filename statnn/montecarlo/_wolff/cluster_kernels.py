"""Clusters of spins that flip together (Wolff 1989), grown breadth-first from a random spin."""

from __future__ import annotations

from typing import Any

import numpy as np

from statnn._compile import helper, kernel
from statnn._xoshiro import uniform

FLIPPED = 15 / 16
"""Probability that a cluster flips."""


@kernel
def clusters(
    indptr: Any, indices: Any, chances: Any, spins: Any, states: Any, members: Any, counts: Any, sizes: Any
) -> None:
    """Grow `counts` (chains,) clusters and flip them, one after the other; write the sums of their sizes.

    `chances` holds 1 - exp(-2 J_ij/T) of every coupling; `spins` (chains, N) and the random states `states` (chains, 4)
    are changed in place; `members` (N,) is scratch.
    """
    for chain in range(len(spins)):
        sizes[chain] = 0
        for _ in range(counts[chain]):
            sizes[chain] += _flipped(indptr, indices, chances, spins[chain], states[chain], members)


@kernel
def sweeps(indptr: Any, indices: Any, chances: Any, spins: Any, states: Any, members: Any, tally: Any) -> None:
    """Flip clusters of every chain until they hold N spins in all; write the numbers of clusters and of spins."""
    for chain in range(len(spins)):
        number, size = 0, 0
        # for the burn-in alone: a stop that depends on sizes prefers the states that large clusters leave behind
        while size < spins.shape[1]:
            size += _flipped(indptr, indices, chances, spins[chain], states[chain], members)
            number += 1
        tally[chain, 0], tally[chain, 1] = number, size


@helper
def _flipped(indptr: Any, indices: Any, chances: Any, spins: Any, state: Any, members: Any) -> int:
    """Grow a cluster and flip it; return its size.

    A spin flips when it joins, so that a neighbour with the old sign has not joined yet. One cluster in sixteen is then
    flipped back: if flips were certain, spins that never join others would change sign in step.
    """
    first = int(uniform(state) * spins.size)
    old = spins[first]
    spins[first] = np.int8(-old)
    members[0] = first
    size, done = 1, 0  # `members` is the queue of the search: entries before `done` have visited their neighbours
    while done < size:
        i = np.uint64(members[done])  # unsigned: a signed index costs a test for counting from the end
        done += 1
        for k in range(np.uint64(indptr[i]), np.uint64(indptr[i + np.uint64(1)])):
            j = np.uint64(indices[k])
            # members have the new sign already, so a coupling is tried once at most, as detailed balance needs
            if spins[j] == old and uniform(state) < chances[k]:
                spins[j] = np.int8(-old)
                members[size] = j
                size += 1
    if uniform(state) >= FLIPPED:
        for k in range(size):
            spins[members[k]] = old
    return size


@kernel
def energies(indptr: Any, indices: Any, couplings: Any, spins: Any, out: Any) -> None:
    """Write -Σ_{i<j} J_ij s_i s_j of every chain."""
    for chain in range(len(spins)):
        out[chain] = 0.0
        for i in range(spins.shape[1]):
            for k in range(indptr[i], indptr[i + 1]):
                if indices[k] < i:  # each coupling is stored in both rows
                    out[chain] -= couplings[k] * spins[chain, i] * spins[chain, indices[k]]
