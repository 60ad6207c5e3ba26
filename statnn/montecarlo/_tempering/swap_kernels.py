"""Swaps of temperatures between replicas, and the trips of replicas along the ladder."""

from __future__ import annotations

from math import exp
from typing import Any

from statnn._compile import kernel
from statnn._xoshiro import uniform


@kernel
def swap(
    first: int, betas: Any, energies: Any, holders: Any, states: Any, proposed: Any, accepted: Any, ends: Any,
    trips: Any, scale: Any,
) -> None:  # fmt: skip
    """Propose a swap of temperatures to neighbours (first, first + 1), (first + 2, first + 3), ... of every ladder.

    `holders[c, t]` is the replica of chain c at temperature t, with energy `energies[c, holders[c, t]]`. `ends`
    (chains, replicas) is 1 for replicas that were last at the cold end, 2 for those that went from there to the hot
    end, else 0; a replica with 2 that arrives at the cold end has made a round trip. `scale`, flat, gets the new beta
    of every replica.
    """
    chains, count = holders.shape
    for c in range(chains):
        for t in range(first, count - 1, 2):
            cold, hot = holders[c, t], holders[c, t + 1]
            gain = (betas[t] - betas[t + 1]) * (energies[c, cold] - energies[c, hot])
            proposed[c, t] += 1
            if uniform(states[c]) < exp(min(gain, 0.0)):  # drawn even if the swap is certain
                holders[c, t], holders[c, t + 1] = hot, cold
                scale[c * count + hot], scale[c * count + cold] = betas[t], betas[t + 1]
                accepted[c, t] += 1
        cold, hot = holders[c, 0], holders[c, count - 1]
        if ends[c, cold] == 2:
            trips[c] += 1
        ends[c, cold] = 1
        if ends[c, hot] == 1:
            ends[c, hot] = 2
