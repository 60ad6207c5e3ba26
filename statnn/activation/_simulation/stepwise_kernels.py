"""Kernels that follow the rule as it is written: one sample, or one activation event, after the other.

The urn copies an earlier event or, with its share of b, takes any neuron. Copying from a full history costs
O(D) memory and a cache miss per event. Here the old events are summed up in an alias table over neurons, the
recent ones kept in a short list that stays in cache; when the list is full the table is made anew.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from statnn._compile import helper, kernel
from statnn._xoshiro import uniform

EVENTS_AT_ONCE = 10**7
"""Kernels return to Python after this many events, so that an interrupt gets through."""


class UrnState(NamedTuple):
    """Everything that the next event needs; O(N) memory."""

    counts: NDArray[np.int64]
    """(N,) activations, old and recent."""
    keep: NDArray[np.float64]
    """(N,) alias table of the old events: chance to keep the slot's own neuron."""
    alias: NDArray[np.int32]
    """(N,) alias table: the other neuron of the slot."""
    recent: NDArray[np.int32]
    """Neurons of the events since the table was made."""
    size: NDArray[np.int64]
    """(2,): number of old and of recent events."""


def urn_state(counts: NDArray[np.int64]) -> UrnState:
    """Return the state of an urn with these activations."""
    neurons = counts.size
    state = UrnState(
        counts.copy(),
        np.ones(neurons),
        np.arange(neurons, dtype=np.int32),
        np.empty(max(256, 8 * neurons), dtype=np.int32),  # a table of N slots is made once in 8 N events
        np.zeros(2, dtype=np.int64),
    )
    if counts.any():
        tabulate(state)
    return state


@kernel
def tabulate(state: Any) -> None:
    """Make the alias table of all events so far (Vose 1991) and forget the list."""
    counts, keep, alias = state.counts, state.keep, state.alias
    neurons = counts.size
    total = 0
    for i in range(neurons):
        total += counts[i]
    scale = neurons / total
    poor = np.empty(neurons, dtype=np.int32)
    rich = np.empty(neurons, dtype=np.int32)
    n_poor, n_rich = 0, 0
    for i in range(neurons):
        alias[i] = i
        keep[i] = counts[i] * scale
        if keep[i] < 1.0:
            poor[n_poor] = i
            n_poor += 1
        else:
            rich[n_rich] = i
            n_rich += 1
    while n_poor > 0 and n_rich > 0:
        n_poor -= 1
        low, high = poor[n_poor], rich[n_rich - 1]
        alias[low] = high
        keep[high] -= 1.0 - keep[low]
        if keep[high] < 1.0:
            n_rich -= 1
            poor[n_poor] = high
            n_poor += 1
    # slots that are left over miss 1 by rounding alone
    for j in range(n_poor):
        keep[poor[j]] = 1.0
    for j in range(n_rich):
        keep[rich[j]] = 1.0
    state.size[0] = total
    state.size[1] = 0


@helper
def _pick(u: float, old: int, new: int, state: Any, b: float) -> int:
    """Neuron of the event at 0 <= u < n + bN; unsigned subscripts spare numba a test for negative ones."""
    neurons: int = state.counts.size
    if u < old:
        place = u * (neurons / old)
        slot = min(int(place), neurons - 1)  # u * (N / n) can be rounded up to N
        other = int(state.alias[np.uint64(slot)])
        # the fractional part of the uniform number is uniform again: one draw picks slot and neuron
        return slot if place - slot < state.keep[np.uint64(slot)] else other
    u -= old
    if u < new:
        return int(state.recent[np.uint64(int(u))])
    return min(int((u - new) / b), neurons - 1)


@kernel
def urn_events(bits: Any, state: Any, b: float, events: int) -> None:
    """Advance the urn by a number of events, P(i) = (D_i + b) / (n + bN)."""
    old, new = state.size[0], state.size[1]
    prior = b * state.counts.size
    for _ in range(events):
        if new == state.recent.size:
            tabulate(state)
            old, new = state.size[0], 0
        i = _pick(uniform(bits) * (old + new + prior), old, new, state, b)
        state.counts[np.uint64(i)] += 1
        state.recent[np.uint64(new)] = i
        new += 1
    state.size[1] = new


@kernel
def clocked_events(bits: Any, state: Any, b: float, scale: float, now: float, until: float, most: int) -> float:
    """Advance the gamma-Poisson process from ``now``, by at most ``most`` events; return the time reached.

    Given n activations after D samples the total rate is (n + bN)/(D + bN/c): the same urn, whose events
    come at random times. ``now`` counts from the start, and ``scale`` is D + bN/c there.
    """
    for _ in range(most):
        weight = state.size[0] + state.size[1] + b * state.counts.size
        now += (scale + now) * math.expm1(-math.log1p(-uniform(bits)) / weight)
        if now > until:
            return until
        urn_events(bits, state, b, 1)
    return now


@kernel
def sample_steps(bits: Any, counts: Any, b: float, scale: float, first: int, samples: int) -> None:
    """Advance the beta-Bernoulli process: every neuron decides by itself with chance (D_i+b)/(D+bN/c)."""
    for D in range(first, first + samples):
        weight = D + scale
        for i in range(counts.size):
            if uniform(bits) * weight < counts[i] + b:
                counts[i] += 1
