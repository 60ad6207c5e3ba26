"""The negative binomial law at any mean: scipy's object with weights that keep their digits.

scipy's own takes the chance of success p, near 1 where activations are rare; then 1 - p, which is all that
matters, has no digits left. Here the law is given by its shape and its odds m = (1-p)/p = mean/shape.
"""

from typing import Any

import numpy as np
from scipy import special, stats

from statnn.activation._beta_binomial import log_rising


class _NegativeBinomial(type(stats.nbinom)):  # type: ignore[misc]
    """scipy.stats.nbinom of shape n, with :math:`P(k) = m^k (1+m)^{-n-k} (n)_k/k!`."""

    def _argcheck(self, n: Any, m: Any) -> Any:
        return (n > 0) & (m >= 0)

    def _logpmf(self, k: Any, n: Any, m: Any) -> Any:
        k, n, m = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (k, n, m)))
        with np.errstate(divide="ignore"):
            return log_rising(n, k) - special.xlog1py(k, 1 / m) - n * np.log1p(m)

    def _pmf(self, k: Any, n: Any, m: Any) -> Any:
        return np.exp(self._logpmf(k, n, m))

    def _cdf(self, k: Any, n: Any, m: Any) -> Any:
        k = np.floor(k)
        many = special.betainc(n, k + 1, 1 / (1 + m))
        return np.where(m > 1, many, special.betaincc(k + 1, n, m / (1 + m)))

    def _sf(self, k: Any, n: Any, m: Any) -> Any:
        k = np.floor(k)
        many = special.betaincc(n, k + 1, 1 / (1 + m))
        return np.where(m > 1, many, special.betainc(k + 1, n, m / (1 + m)))

    def _logcdf(self, k: Any, n: Any, m: Any) -> Any:
        return np.log(self._cdf(k, n, m))

    def _ppf(self, q: Any, n: Any, m: Any) -> Any:
        return super()._ppf(q, n, 1 / (1 + m))

    def _isf(self, q: Any, n: Any, m: Any) -> Any:
        return super()._isf(q, n, 1 / (1 + m))

    def _stats(self, n: Any, m: Any) -> Any:
        spread = np.sqrt(n * m * (1 + m))
        with np.errstate(divide="ignore"):
            return n * m, spread**2, (1 + 2 * m) / spread, 6 / n + 1 / spread**2

    def _rvs(self, n: Any, m: Any, size: Any = None, random_state: Any = None) -> Any:
        return super()._rvs(n, 1 / (1 + m), size=size, random_state=random_state)


negative_binomial = _NegativeBinomial(name="negative_binomial", shapes="n, m")
