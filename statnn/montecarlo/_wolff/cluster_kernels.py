"""Clusters of spins that flip together (Wolff 1989), grown breadth-first from a random spin."""

from __future__ import annotations

from typing import Any

import numpy as np

from statnn._compile import kernel
from statnn._xoshiro import uniform

FLIPPED = 15 / 16
"""Share of the clusters that flip."""


@kernel
def clusters(indptr: Any, indices: Any, chances: Any, spins: Any, state: Any, members: Any, count: Any) -> int:
    """Grow `count` clusters and flip them, one after the other; return the sum of their sizes.

    `chances` holds 1 - exp(-2 J_ij/T) of every coupling, `spins` (N,) are changed in place, `members` (N,) is scratch.
    A spin flips when it joins, so that a neighbour with the old sign is one that has not joined yet. One cluster in
    sixteen is then turned back: were flips certain, spins that never join others would change sign in step.
    """
    total = 0
    for _ in range(count):
        first = int(uniform(state) * spins.size)
        old = spins[first]
        spins[first] = np.int8(-old)
        members[0] = first
        size, done = 1, 0  # `members` is the queue of the search: those before `done` have asked their neighbours
        while done < size:
            i = np.uint64(members[done])
            done += 1
            for k in range(np.uint64(indptr[i]), np.uint64(indptr[i + np.uint64(1)])):
                j = np.uint64(indices[k])
                if spins[j] == old and uniform(state) < chances[k]:
                    spins[j] = np.int8(-old)
                    members[size] = j
                    size += 1
        if uniform(state) >= FLIPPED:
            for k in range(size):
                spins[members[k]] = old
        total += size
    return total


@kernel
def energy(indptr: Any, indices: Any, couplings: Any, spins: Any) -> float:
    """Return -Σ_{i<j} J_ij s_i s_j."""
    total = 0.0
    for i in range(spins.size):
        for k in range(indptr[i], indptr[i + 1]):
            if indices[k] < i:
                total -= couplings[k] * spins[i] * spins[indices[k]]
    return total
