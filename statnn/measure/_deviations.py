"""Deviations from a mean that lose no digits to a large offset or an extreme scale.

Every column is brought to the size of one by a power of two, which changes no digit, and centred on one of its own
values first: the difference of two nearby floats is exact. What is left is centred and scaled once more.
"""

from __future__ import annotations

import numpy as np

from statnn._arguments import Floats, Ints


def deviations(values: Floats) -> tuple[Floats, Ints]:
    """Return d and e, the deviations d 2^e of each column from its mean, shapes (samples, units) and (units,).

    The largest of a column is between 1/2 and 1, or all are exactly zero where it is constant.
    """
    first = _exponent(values)
    centred = np.ldexp(values, -first, order="C")  # sums do not depend on the layout
    centred -= centred[0]
    second = _exponent(centred)
    centred = np.ldexp(centred, -second)
    centred -= centred.mean(axis=0)
    third = _exponent(centred)
    return np.ldexp(centred, -third), (first + second + third).astype(np.int64)


def standard_deviation(values: Floats, *, ddof: int = 0) -> float:
    """Return the standard deviation over all entries of an array."""
    centred, exponent = deviations(np.asarray(values, dtype=np.float64).reshape(-1, 1))
    root = np.sqrt(np.sum(centred**2) / (centred.size - ddof))
    return float(np.ldexp(root, exponent[0]))


def _exponent(values: Floats) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    """Return the power of two above the largest entry of each column; 0 for zeros."""
    return np.asarray(np.frexp(np.abs(values).max(axis=0))[1])
