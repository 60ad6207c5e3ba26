"""Distribution functions and quantiles of laws on whole numbers of any size: smooth sums, and bisection."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from statnn.activation._laws.sum import smooth_sum

Discrete: Any = stats.rv_discrete
"""The base of laws; its methods take the shapes that a law has."""

_LARGEST = 2**1023


def between(law: Any, first: Any, last: Any, mean: Any, *shapes: Any) -> NDArray[np.float64]:
    """Return P(first <= count <= last) of a scipy law with these shapes, broadcast."""

    def probability(first: int, last: int, mean: float, *shapes: Any) -> float:
        total = smooth_sum(lambda k: law._pmf(k, *shapes), int(first), int(last), peak=int(mean))
        return min(1.0, total)

    return np.asarray(np.vectorize(probability, otypes=[float])(first, last, mean, *shapes))


def quantiles(law: Any, q: Any, last: Any, *shapes: Any, upper: bool = False) -> NDArray[np.float64]:
    """Return the smallest k with P(count <= k) >= q, or with P(count > k) <= q if ``upper``, broadcast.

    scipy's own search halves sums of floats, which stall beyond 2**53, and takes the upper tail from 1 - q.
    """

    def quantile(q: float, last: float, *shapes: Any) -> float:
        def reached(k: int) -> bool:
            at = k if k < 2**63 else float(k)
            return bool(law._sf(at, *shapes) <= q) if upper else bool(law._cdf(at, *shapes) >= q)

        low, high = -1, int(last) if math.isfinite(last) else 1
        while not math.isfinite(last) and high < _LARGEST and not reached(high):
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if reached(middle) else (middle, high)
        return float(high)

    return np.asarray(np.vectorize(quantile, otypes=[float])(q, last, *shapes))
