"""The beta-binomial law at any size: scipy's object with weights that keep their digits.

scipy's own weights are differences of four or more large logarithms: at n = 1e12 they are wrong in the
third digit, and its distribution function sums up to k terms one by one.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from statnn._special import mixed_log_gamma
from statnn.activation._sum import smooth_sum


def log_rising(b: NDArray[np.float64], k: NDArray[Any]) -> NDArray[np.float64]:
    r"""Return :math:`\ln[(b)_k/k!] = \ln\Gamma(k+b) - \ln\Gamma(b) - \ln\Gamma(k+1)`, with all its digits."""
    least, span = np.minimum(b, 1.0), np.abs(b - 1.0)
    return np.where(b < 1.0, -1.0, 1.0) * mixed_log_gamma(least, span, k)


def log_weight(k: NDArray[Any], n: NDArray[Any], a: NDArray[np.float64], b: NDArray[np.float64]) -> Any:
    r"""Return :math:`\ln P(k)` of BetaBinomial(n; a, b) for whole 0 <= k <= n, broadcast.

    :math:`\ln P(k) = -L(b; a, n) + \ln[(a)_k/k!] - L(n-k+1; k, b-1)` with L of :mod:`statnn._special`. Integer
    arrays keep the digits of n - k beyond 2**53.
    """
    rest = np.asarray(n - k, dtype=float)
    silent = -mixed_log_gamma(b, a, n)
    thinning = np.where(b < 1.0, 1.0, -1.0) * mixed_log_gamma(rest + np.minimum(b, 1.0), k, np.abs(b - 1.0))
    return silent + log_rising(a, k) + thinning


def _integers(k: Any) -> Any:
    """Round down without a detour over floats, which end at 2**53."""
    k = np.asarray(k)
    return k if k.dtype.kind in "iu" else np.floor(k).astype(np.int64)


class _BetaBinomial(type(stats.betabinom)):  # type: ignore[misc]
    """scipy.stats.betabinom with the weights of :func:`log_weight` and sums of :func:`smooth_sum`."""

    def _logpmf(self, k: Any, n: Any, a: Any, b: Any) -> Any:
        return log_weight(*np.broadcast_arrays(_integers(k), _integers(n), a, b))

    def _pmf(self, k: Any, n: Any, a: Any, b: Any) -> Any:
        return np.exp(self._logpmf(k, n, a, b))

    def _cdf(self, k: Any, n: Any, a: Any, b: Any) -> Any:
        return self._between(0, _integers(k), _integers(n), a, b)

    def _sf(self, k: Any, n: Any, a: Any, b: Any) -> Any:
        return self._between(_integers(k) + 1, _integers(n), _integers(n), a, b)

    def _stats(self, n: Any, a: Any, b: Any, moments: str = "mv") -> Any:
        with np.errstate(divide="ignore", invalid="ignore"):
            return super()._stats(np.asarray(n, dtype=float), a, b, moments)

    def _between(self, first: Any, last: Any, n: Any, a: Any, b: Any) -> Any:
        def one(first: int, last: int, n: int, a: float, b: float) -> float:
            return min(1.0, smooth_sum(lambda k: self._pmf(k, n, a, b), int(first), int(last)))

        return np.vectorize(one, otypes=[float])(first, last, n, a, b)


beta_binomial = _BetaBinomial(name="beta_binomial")
