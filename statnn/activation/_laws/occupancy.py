r"""The law of K(n) of the urn as a whole: how many silent neurons have woken after m events.

Two exact routes. The pure birth chain, where j woken neurons become j + 1 with probability
:math:`b(M-j)/(y+t)` at event t, costs m steps. Inclusion and exclusion,

.. math:: P(j) = \binom Mj \Delta^j r_0, \qquad r_i = \frac{(y-bM+bi)_m}{(y)_m},

has no steps but cancels about 2 M bits, so it is computed in integers of as many bits.
Here M neurons are silent at the start and y is the total weight, :math:`n_0 + bN`.
"""

from __future__ import annotations

from math import comb, log10
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statnn._compile import kernel
from statnn._digits import with_digits

_MOST_UPDATES = 2 * 10**9
"""Most updates of weights by the birth chain, events times neurons."""
_MOST_BITWISE = 500
"""Most silent neurons for inclusion and exclusion, whose integers have two bits for each and 1200 more."""
_MOST_STEPS = 10**6
"""Events beyond which inclusion and exclusion is preferred, where feasible: it is faster, and each step of the chain
rounds all weights by some 3e-17."""
_TINY, _LOST = 1e-290, 1e-305
"""Weights below these are not returned, and not followed; between them is room for the error of what is cut off."""


@kernel
def _birth_chain(asleep: int, b: float, history: float, draws: int, p: Any) -> None:
    p[:] = 0.0
    p[0] = 1.0
    low, high = 0, 0
    for t in range(draws):
        past = history + t  # the whole weight less that of sleepers would have no digits of it
        weight = past + b * asleep
        if high < asleep:
            high += 1
        for j in range(high, low, -1):
            p[j] = p[j] * ((past + b * j) / weight) + p[j - 1] * (b * (asleep - j + 1) / weight)
        p[low] *= (past + b * low) / weight
        while p[low] < _LOST and low < high:
            p[low] = 0.0
            low += 1
        while p[high] < _LOST and high > low:
            p[high] = 0.0
            high -= 1


def _differences(asleep: int, b: float, history: float, draws: int) -> NDArray[np.float64]:
    bits = 2 * asleep + 1200
    # the digits of the result, and those of ln Γ before its point
    own = with_digits(int((bits + 64) * log10(2)) + 1 + int(log10(history + b * asleep + draws)))
    weights = [own.mpf(history) + own.mpf(b) * i for i in range(asleep + 1)]
    top = own.loggamma(weights[-1] + draws) - own.loggamma(weights[-1])
    row = np.array(
        [
            int(own.ldexp(own.exp(own.loggamma(w + draws) - own.loggamma(w) - top), bits)) if w > 0 else 0
            for w in weights
        ],
        dtype=object,
    )
    p = np.zeros(asleep + 1)
    for j in range(asleep + 1):
        p[j] = comb(asleep, j) * max(int(row[0]), 0) / (1 << bits)
        row = row[1:] - row[:-1]
    return p


def woken_law(asleep: int, b: float, history: float, draws: int) -> NDArray[np.float64]:
    """Return P(j neurons woken), j = 0 ... min(asleep, draws); relative error below 1e-9, entries below 1e-290 are 0.

    Parameters
    ----------
    asleep : int
        M, silent neurons at the start, each of weight ``b``.
    b : float
        Weight of a silent neuron.
    history : float
        Weight of all the others, :math:`n_0 + b(N-M)`.
    draws : int
        Events m since the start.

    Raises
    ------
    ValueError
        If neither route is feasible.
    """
    if draws == 0 or asleep == 0:
        return np.ones(1)
    if asleep <= _MOST_BITWISE and draws > _MOST_STEPS:
        p = _differences(asleep, b, history, draws)
    elif draws * min(draws, asleep) <= _MOST_UPDATES:
        p = np.empty(min(asleep, draws) + 1)
        _birth_chain(asleep, b, history, draws, p)
    else:
        raise ValueError(
            f"the law of K for {asleep} silent neurons and {draws} events needs more than {_MOST_UPDATES:.0e} steps "
            f"(events times neurons), or at most {_MOST_BITWISE} silent neurons; use working(D) and working_std(D), "
            "or simulate(...)"
        )
    p[p < _TINY] = 0.0
    return p
