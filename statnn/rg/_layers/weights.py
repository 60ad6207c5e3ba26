"""Weights of all pairs of states of two layers of spins, in logarithms."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from statnn._arguments import Floats
from statnn.interaction._exact.states import spins

MOST_WIDE = 12
MOST_PROJECTED = 20
LARGEST = 1e300
"""Largest logarithm of a weight: sums over states stay in float64."""
UNDERFLOW = 1e-200
"""Sums of weights below this, relative to the largest of their row and column, are recomputed in logarithms."""
BALANCED = 0.5
"""Rows and columns whose sums differ by a factor of at most e^(4 · 0.5) count as balanced."""
ROUNDS = 100


def log_weights(couplings: Floats, fields: Floats, inputs: Floats) -> tuple[Floats, Floats]:
    """Return ln T - c as a sum of two parts, the first without rounding: small terms survive beside large ones."""
    parts = couplings, fields, inputs
    size = math.fsum(float(np.abs(part / 4).sum()) for part in parts)  # quarters do not overflow
    if size > LARGEST / 4:
        raise ValueError(
            f"weights of states reach exp(4 · {size:.3g}), whose logarithm exceeds the range of float64: scale "
            "couplings and fields down"
        )
    unit = math.ldexp(1.0, max(math.frexp(size)[1] - 49, -1074))  # sums of multiples of the unit fit in 53 bits
    high = [np.round(part / unit) * unit for part in parts]
    low = [part - rounded for part, rounded in zip(parts, high, strict=True)]
    above, below = (spins(n) for n in couplings.shape)
    main, rest = (above @ J @ below.T + (above @ f)[:, None] + below @ g for J, f, g in (high, low))
    return main, rest


def refuse_wide(upper: int, lower: int) -> None:
    """Raise if two layers have too many spins for a projection."""
    if upper + lower > MOST_PROJECTED:
        raise ValueError(
            f"{upper} + {lower} spins are too many to project: {MOST_PROJECTED} in the two layers of a block at most; "
            "keep the transfer matrix"
        )


def balanced(logs: Floats) -> Floats:
    """Return ln(D M D^-1) of M = exp(logs), D diagonal, such that row sums are about column sums (Osborne).

    Examples
    --------
    >>> balanced(np.array([[0.0, 800.0], [-800.0, 0.0]])).round(1)
    array([[ 0. ,  1.6],
           [-1.6,  0. ]])
    """
    for _ in range(ROUNDS):
        step = (special.logsumexp(logs, axis=0) - special.logsumexp(logs, axis=1)) / 4
        if np.abs(step).max() < BALANCED:
            break
        logs = logs + step[:, None] - step
    return logs


def log_product(upper: Floats, lower: Floats) -> Floats:
    """Return ln(exp(upper) exp(lower)) elementwise, without overflow.

    Examples
    --------
    >>> far = np.array([[0.0, -1000.0], [-1000.0, 0.0]])
    >>> log_product(far, far).round(3)
    array([[   0.   , -999.307],
           [-999.307,    0.   ]])
    """
    high, right = upper.max(axis=1, keepdims=True), lower.max(axis=0, keepdims=True)
    product = np.exp(upper - high) @ np.exp(lower - right)
    lost = product < UNDERFLOW
    with np.errstate(divide="ignore"):
        result: Floats = np.log(product) + high + right
    for row in np.flatnonzero(lost.any(axis=1)):
        columns = lost[row]
        result[row, columns] = special.logsumexp(upper[row][:, None] + lower[:, columns], axis=0)
    return result
