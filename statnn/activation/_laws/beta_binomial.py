"""The beta-binomial law at any size: scipy's object with weights that keep their digits.

scipy's own weights are differences of four or more large logarithms: at n = 1e12 they are wrong in the
third digit, and its distribution function sums up to k terms one by one.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from statnn.activation._laws.distribution import Discrete, between, binomial_draws, integers, quantiles, two_floats
from statnn.activation._laws.weight_kernels import log_beta_binomial


def parts(value: Fraction) -> tuple[float, float]:
    """Return a number as the sum of two floats, the first of them the nearest."""
    high = float(value)
    return high, float(value - Fraction(high))


def log_weight(k: Any, n: Any, a: Any, b: Any, a_low: Any = 0.0, b_low: Any = 0.0) -> NDArray[np.float64]:
    r"""Return :math:`\ln P(k)` of BetaBinomial(n; a + a_low, b + b_low) for whole 0 <= k <= n, broadcast.

    Integer arrays keep the digits of k and n - k beyond 2**53, the low parts those of a and b beyond a float.
    """
    black = np.asarray(k)
    white = n - black
    out = np.empty(np.broadcast(white, a, a_low, b, b_low).shape)
    table = np.empty((4, 2, *out.shape))  # filled in place, because a fit asks thousands of times
    two_floats(black, table[0])
    two_floats(white, table[1])
    table[2, 0], table[2, 1], table[3, 0], table[3, 1] = a, a_low, b, b_low
    seen, unseen, own, others = table.reshape(4, 2, -1)
    log_beta_binomial(seen, unseen, own, others, out.ravel())
    return out


def _log_gammas(shape: Any, size: Any, random_state: Any) -> Any:
    """Return logarithms of gamma variates: those of small shapes are far below the smallest float."""
    small = np.less(shape, 1.0)
    logs = np.log(random_state.standard_gamma(shape + small, size))
    return logs - small * random_state.standard_exponential(size) / shape


class _BetaBinomial(Discrete):
    """scipy.stats.betabinom with the weights of :func:`log_weight` and smooth sums."""

    def _argcheck(self, n: Any, a: Any, b: Any, a_low: Any, b_low: Any) -> Any:  # noqa: ARG002 - they have any sign
        return (n >= 0) & (a > 0) & (b > 0)

    def _get_support(self, n: Any, *_: Any) -> Any:
        return 0, n

    def _rvs(self, n: Any, a: Any, b: Any, *_: Any, size: Any = None, random_state: Any = None) -> Any:
        black, white = (_log_gammas(shape, size, random_state) for shape in (a, b))
        p, q = special.expit(black - white), special.expit(white - black)  # 1 - p would lose digits
        rarer = binomial_draws(random_state, n, np.minimum(p, q), size)
        return np.where(p < q, rarer, n - rarer)

    def _logpmf(self, k: Any, n: Any, a: Any, b: Any, a_low: Any, b_low: Any) -> Any:
        return log_weight(integers(k), integers(n), a, b, a_low, b_low)

    def _pmf(self, k: Any, *law: Any) -> Any:
        return np.exp(self._logpmf(k, *law))

    def _cdf(self, k: Any, n: Any, a: Any, b: Any, *low: Any) -> Any:
        return between(self, 0, integers(k), n * (a / (a + b)), integers(n), a, b, *low)

    def _sf(self, k: Any, n: Any, a: Any, b: Any, *low: Any) -> Any:
        return between(self, integers(k) + 1, integers(n), n * (a / (a + b)), integers(n), a, b, *low)

    def _ppf(self, q: Any, n: Any, *balls: Any) -> Any:
        return quantiles(self, q, integers(n), n, *balls)

    def _isf(self, q: Any, n: Any, *balls: Any) -> Any:
        return quantiles(self, q, integers(n), n, *balls, upper=True)

    def _stats(self, n: Any, a: Any, b: Any, *_: Any) -> Any:
        n, t = np.asarray(n, dtype=float), a + b
        p, q, share = a / t, b / t, n / t  # ratios, because t^4 may be outside the range of floats
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            variance = n * p * q * ((t + n) / (t + 1))
            skewness = (q - p) * ((t + 2 * n) / (t + 2)) * np.sqrt((1 + t) / (n + t) / (n * p * q))
            fourth = 1 - 1 / t + 6 * share + 6 * share**2 + 3 * p * q * (n - 2 + share * (n - 6) - 6 * share**2)
            kurtosis = (1 + t) / (t + 2) * (t / (t + 3)) * (t / (t + n)) * fourth / (n * p * q) - 3
        return n * p, variance, skewness, kurtosis


beta_binomial = _BetaBinomial(name="beta_binomial", shapes="n, a, b, a_low, b_low")
"""Law of n draws from a + a_low black and b + b_low white balls; low parts hold the digits beyond the floats a, b."""
