"""The binomial law by -ln of the chance of failure: scipy's object with weights that keep their digits.

scipy's own takes the chance of success, near 1 where nearly all neurons have worked; then the number of those that
have not, all that is uncertain, has no digits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from statnn.activation._laws.distribution import Discrete, binomial_draws, integers, quantiles, two_floats
from statnn.activation._laws.weight_kernels import log_binomial


class _Binomial(Discrete):
    """scipy.stats.binom of n trials, each of which fails with the chance exp(-hazard)."""

    def _argcheck(self, n: Any, hazard: Any) -> Any:
        return (n >= 0) & (np.floor(n) == n) & (hazard >= 0)

    def _get_support(self, n: Any, *_: Any) -> Any:
        return 0, n

    def _logpmf(self, k: Any, n: Any, hazard: Any) -> Any:
        k = integers(k)
        out = np.empty(np.broadcast(k, n, hazard).shape)
        table = np.empty((3, 2, *out.shape))
        two_floats(k, table[0])
        two_floats(integers(n) - k, table[1])
        table[2, 0] = hazard
        successes, failures, hazards = table.reshape(3, 2, -1)
        log_binomial(successes, failures, hazards[0], out.ravel())
        return out

    def _pmf(self, k: Any, *law: Any) -> Any:
        return np.exp(self._logpmf(k, *law))

    def _cdf(self, k: Any, n: Any, hazard: Any) -> Any:
        k, n = integers(k), integers(n)
        return _share(n - k, k + 1, np.exp(-hazard), -np.expm1(-hazard))

    def _sf(self, k: Any, n: Any, hazard: Any) -> Any:
        k, n = integers(k), integers(n)
        return _share(k + 1, n - k, -np.expm1(-hazard), np.exp(-hazard))

    def _ppf(self, q: Any, n: Any, hazard: Any) -> Any:
        return quantiles(self, q, integers(n), n, hazard)

    def _isf(self, q: Any, n: Any, hazard: Any) -> Any:
        return quantiles(self, q, integers(n), n, hazard, upper=True)

    def _stats(self, n: Any, hazard: Any) -> Any:
        p, q = -np.expm1(-hazard), np.exp(-hazard)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            variance = n * p * q
            return n * p, variance, (q - p) / np.sqrt(variance), (1 - 6 * p * q) / variance

    def _rvs(self, n: Any, hazard: Any, size: Any = None, random_state: Any = None) -> Any:
        woken, asleep = -np.expm1(-hazard), np.exp(-hazard)
        chance = np.minimum(woken, asleep)  # 1 less a small chance loses its digits
        rarer = binomial_draws(random_state, n, chance, size)
        return np.where(woken < asleep, rarer, n - rarer)


def _share(a: Any, b: Any, x: Any, rest: Any) -> Any:
    """Return the incomplete beta function I_x(a, b) for x = 1 - rest, from the smaller of the two."""
    return np.where(np.less(x, 0.5), special.betainc(a, b, x), special.betaincc(b, a, rest))


binomial = _Binomial(name="binomial", shapes="n, hazard")
