"""The negative binomial law at any mean: scipy's object with weights that keep their digits.

scipy's own takes the chance of success p, near 1 where activations are rare; then 1 - p, which is all that
matters, has no digits left. Here the law is given by its shape and its odds m = (1-p)/p = mean/shape.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from statnn._arguments import LARGEST_COUNT
from statnn.activation._laws.distribution import Discrete, between, quantiles, two_floats
from statnn.activation._laws.weight_kernels import log_negative_binomial

_SUMMED = 1e6
"""Shape above which the incomplete beta function loses digits to the rounding of 1/(1+m)."""


def _whole(k: Any) -> Any:
    """Round down; integers make no detour through floats, which are exact up to 2**53 alone."""
    k = np.asarray(k)
    return k if k.dtype.kind in "iu" else np.floor(k).astype(float)


def log_weight(k: Any, n: Any, m: Any, n_low: Any = 0.0, m_low: Any = 0.0) -> NDArray[np.float64]:
    r"""Return :math:`\ln P(k)` of shape n + n_low and odds m + m_low for whole k >= 0, broadcast."""
    k = np.asarray(k)
    out = np.empty(np.broadcast(k, n, n_low, m, m_low).shape)
    table = np.empty((3, 2, *out.shape))
    two_floats(k, table[0])
    table[1, 0], table[1, 1], table[2, 0], table[2, 1] = n, n_low, m, m_low
    counts, shape, odds = table.reshape(3, 2, -1)
    log_negative_binomial(counts, shape, odds, out.ravel())
    out[np.isinf(table[0, 0])] = -np.inf
    return out


class _NegativeBinomial(Discrete):
    """scipy.stats.nbinom of shape n, with :math:`P(k) = m^k (1+m)^{-n-k} (n)_k/k!`."""

    def _argcheck(self, n: Any, m: Any, n_low: Any, m_low: Any) -> Any:  # noqa: ARG002 - low parts have any sign
        return (n > 0) & (m >= 0)

    def _logpmf(self, k: Any, n: Any, m: Any, n_low: Any, m_low: Any) -> Any:
        return log_weight(k, n, m, n_low, m_low)

    def _pmf(self, k: Any, *law: Any) -> Any:
        return np.exp(self._logpmf(k, *law))

    def _cdf(self, k: Any, n: Any, m: Any, *low: Any) -> Any:
        k, mean = _whole(k), n * m
        if np.max(n) > _SUMMED and np.max(k) < LARGEST_COUNT:
            return between(self, 0, k, np.minimum(mean, LARGEST_COUNT), n, m, *low)
        # above the mean betainc has errors up to 3e-8 for means of 1e8, its complement of 1e-10 at most
        rare, below = np.asarray(m <= 1), k < mean
        result = np.empty(np.broadcast(k, n, m).shape)
        special.betaincc(k + 1, n, m / (1 + m), where=rare, out=result)
        special.betainc(n, k + 1, 1 / (1 + m), where=~rare & below, out=result)
        special.betaincc(n, k + 1, 1 / (1 + m), where=~rare & ~below, out=result)
        np.subtract(1, result, where=~rare & ~below, out=result)
        return result

    def _sf(self, k: Any, n: Any, m: Any, *low: Any) -> Any:
        k, mean = _whole(k), n * m
        end = np.maximum(k, mean) + 50 * (np.sqrt(mean * (1 + m)) + 1)  # the rest is below the smallest float
        if np.max(n) > _SUMMED and np.max(end) < LARGEST_COUNT:
            return between(self, k + 1, end, mean, n, m, *low)
        many = special.betaincc(n, k + 1, 1 / (1 + m))
        return np.where(m > 1, many, special.betainc(k + 1, n, m / (1 + m)))

    def _ppf(self, q: Any, *law: Any) -> Any:
        return quantiles(self, q, np.inf, *law)

    def _isf(self, q: Any, *law: Any) -> Any:
        return quantiles(self, q, np.inf, *law, upper=True)

    def _stats(self, n: Any, m: Any, *_: Any) -> Any:
        spread = np.sqrt(n * m * (1 + m))
        with np.errstate(divide="ignore", over="ignore"):
            return n * m, spread**2, (1 + 2 * m) / spread, 6 / n + 1 / spread**2

    def _rvs(self, n: Any, m: Any, *_: Any, size: Any = None, random_state: Any = None) -> Any:
        rates = random_state.gamma(n, m, size)  # from rates, because 1/(1 + m) has no digits of small odds
        if np.max(rates, initial=0.0) > LARGEST_COUNT:
            raise ValueError(f"a count of about {np.max(rates):.1e} exceeds {LARGEST_COUNT:.1e}; ask for fewer samples")
        return random_state.poisson(rates)


negative_binomial = _NegativeBinomial(name="negative_binomial", shapes="n, m, n_low, m_low")
"""Law of shape n + n_low and odds m + m_low; low parts hold the digits beyond the floats n, m."""
