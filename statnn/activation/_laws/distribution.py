"""Laws on whole numbers of any size: arguments are checked, sums smooth, quantiles bisected."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from statnn._arguments import LARGEST_COUNT, array_of, real_numbers, refuse_several
from statnn.activation._laws.sum import smooth_sum


def _checked(name: str) -> Callable[..., Any]:
    def method(self: Any, where: Any, *shapes: Any, **options: Any) -> Any:
        what = "q, a probability," if name in ("ppf", "isf") else "k, a count,"
        return getattr(super(Checked, self), name)(real_numbers(where, what), *shapes, **options)

    return method


class Checked:
    """Checks before a scipy law: they refuse masked entries, whose mask scipy forgets, and NaN, which it returns."""

    pmf, logpmf, cdf, logcdf = map(_checked, ("pmf", "logpmf", "cdf", "logcdf"))
    sf, logsf, ppf, isf = map(_checked, ("sf", "logsf", "ppf", "isf"))

    def moment(self: Any, order: int, *shapes: Any, loc: Any = 0, **scale: Any) -> Any:
        """Return E k^order in floats: in scipy, integers overflow 64 bits, and an infinite skewness times 0 is NaN."""
        mean, variance, *_ = self._stats(*shapes)
        if not np.any(variance):
            return np.float_power(mean + loc, order)
        of_scipy: Any = super()
        return of_scipy.moment(order, *shapes, loc=np.asarray(loc, dtype=float), **scale)

    def _logcdf(self: Any, k: Any, *shapes: Any) -> NDArray[np.float64]:
        log = _log_of_share(self._cdf(k, *shapes), self._sf(k, *shapes))
        return _with_far_tails(self, log, self._get_support(*shapes)[0], k, *shapes)

    def _logsf(self: Any, k: Any, *shapes: Any) -> NDArray[np.float64]:
        log = _log_of_share(self._sf(k, *shapes), self._cdf(k, *shapes))
        return _with_far_tails(self, log, np.add(k, 1), self._get_support(*shapes)[1], *shapes)


_FAR = -600.0
"""Logarithm below which a probability is too small for a float, or has lost digits as one."""


def _log_of_share(share: Any, rest: Any) -> NDArray[np.float64]:
    """Return the logarithm of a probability, from its complement where that has the digits."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(np.less(rest, 0.5), np.log1p(-np.asarray(rest)), np.log(share)))


def _with_far_tails(law: Any, log: NDArray[np.float64], first: Any, last: Any, *shapes: Any) -> NDArray[np.float64]:
    """Return logarithms of P(first <= count <= last); those far below zero are summed from logarithms of weights."""

    def tail(log: float, first: float, last: float, *shapes: Any) -> float:
        begin, end = int(first), int(min(last, LARGEST_COUNT))
        if log > _FAR or begin > end:
            return log
        most = max(law._logpmf(np.array([begin, end]), *shapes))  # the weights fall from the end next to other counts
        if not math.isfinite(most):
            return log
        return float(most + math.log(smooth_sum(lambda k: np.exp(law._logpmf(k, *shapes) - most), begin, end)))

    return np.asarray(np.vectorize(tail, otypes=[float])(log, first, last, *shapes))


_LEAST = 1e-300
"""Infinite sums end where larger counts have this probability."""
_NO_REST = 1e-12
"""Largest share of a sum that may be left out there."""

_Any: Any = stats.rv_discrete
_Sample: Any = type(stats.rv_discrete(values=((0,), (1,))))


class Discrete(Checked, _Any):  # type: ignore[misc]
    """Base of the laws; its methods take the shape parameters of a law. Means are smooth sums: scipy's end too soon."""

    def expect(
        self,
        func: Callable[[Any], ArrayLike] | None = None,
        args: tuple[Any, ...] = (),
        loc: int = 0,
        lb: float | None = None,
        ub: float | None = None,
        conditional: bool = False,
    ) -> float:
        """Return E func(k), of k itself if None, over lb <= k <= ub; given that k lies there if ``conditional``.

        As in scipy, func takes floats: powers of integers would wrap around.
        """
        low, high = self._get_support(*args)
        first = low if lb is None else max(low, _end(lb, "lb") - loc)
        first = math.ceil(min(first, LARGEST_COUNT))
        last = high if ub is None else max(low - 1, min(high, _end(ub, "ub") - loc))
        last = math.floor(min(last, LARGEST_COUNT, self._isf(_LEAST, *args) if math.isinf(high) else high))

        def values(k: NDArray[np.int64]) -> NDArray[Any]:
            at = np.add(k, loc, dtype=np.float64)
            result = array_of(at if func is None else func(at), "the result of the function of k")
            if result.shape != k.shape or result.dtype.kind not in "biuf" or not np.isfinite(result).all():
                raise ValueError(
                    f"the function of k returned {result.dtype} of shape {result.shape} for counts k of shape "
                    f"{k.shape}; it must return one finite number for each k"
                )
            return result

        total = self._total(lambda k: self._pmf(k, *args) * values(k), first, last, *args)
        if math.isinf(high) and (ub is None or ub - loc > last):
            rest = float(self._sf(last, *args)) * abs(float(values(np.array([last]))[0]))
            if rest > _NO_REST * abs(total):
                raise ValueError(f"counts reach beyond {float(last):.1e}, where sums end; ask for fewer samples")
        share = self._total(lambda k: self._pmf(k, *args), first, last, *args) if conditional else 1.0
        if share == 0:
            raise ValueError(f"no count between lb = {lb} and ub = {ub} has a probability: take wider bounds")
        return total / share

    def _total(self, term: Callable[[Any], Any], first: int, last: int, *shapes: Any) -> float:
        return smooth_sum(term, first, last, peak=int(min(self._stats(*shapes)[0], LARGEST_COUNT)))

    def _munp(self, n: int, *shapes: Any) -> NDArray[np.float64]:
        def moment(*shapes: Any) -> float:
            return self.expect(lambda k: np.float_power(k, n), shapes)

        return np.asarray(np.vectorize(moment, otypes=[float])(*shapes))

    def _entropy(self, *shapes: Any) -> float:
        low, high = self._get_support(*shapes)
        last = min(high, LARGEST_COUNT, self._isf(_LEAST, *shapes) if math.isinf(high) else high)
        # the logarithm of a probability near one has digits that the probability lacks
        return self._total(lambda k: _surprise(self._logpmf(k, *shapes)), int(low), int(last), *shapes)


def _surprise(log_p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return -p ln p, 0 at p = 0."""
    return np.asarray(np.exp(log_p) * -np.maximum(log_p, -sys.float_info.max))


class Tabulated(Checked, _Sample):  # type: ignore[misc]
    """scipy's law of given values and their probabilities, with the digits of both tails and of central moments."""

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """Keep this class, instead of the other one that ``rv_discrete`` returns."""
        return object.__new__(cls)

    def _shares(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return P(count <= k) and P(count > k) before the first value, and at each value, from the nearer end."""
        below, above = np.append(0.0, np.cumsum(self.pk)), np.append(np.cumsum(self.pk[::-1])[::-1], 0.0)
        lower = below < above
        return np.where(lower, below, 1 - above), np.where(lower, 1 - below, above)

    def _cdf(self, k: Any) -> Any:
        return self._shares()[0][np.searchsorted(self.xk, k, side="right")]

    def _sf(self, k: Any) -> Any:
        return self._shares()[1][np.searchsorted(self.xk, k, side="right")]

    def _ppf(self, q: Any) -> Any:
        return self.xk[np.minimum(np.searchsorted(self._shares()[0][1:], q), self.xk.size - 1)]

    def _isf(self, q: Any) -> Any:
        return self.xk[np.searchsorted(-self._shares()[1][1:], -np.asarray(q))]

    def _logs(self) -> NDArray[np.float64]:
        """Return the logarithms of all probabilities, that of the largest from the sum of the others."""
        first, log_p = np.argmax(self.pk), np.log(self.pk)
        log_p[first] = np.log1p(-np.delete(self.pk, first).sum())
        return np.asarray(log_p)

    def _at(self, k: Any, table: NDArray[np.float64], without: float) -> Any:
        """Return the entries of a table at values k, and `without` where k is not a value of the law."""
        at = np.minimum(np.searchsorted(self.xk, k), self.xk.size - 1)
        return np.where(self.xk[at] == k, table[at], without)

    def _pmf(self, k: Any) -> Any:
        return self._at(k, self.pk, 0.0)

    def _logpmf(self, k: Any) -> Any:
        return self._at(k, self._logs(), -np.inf)

    def _stats(self) -> Any:
        beside = (self.xk - self.xk[np.argmax(self.pk)]).astype(float)
        gap = beside - beside @ self.pk
        variance, third, fourth = (gap**n @ self.pk for n in (2, 3, 4))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return self.xk @ self.pk, variance, third / variance**1.5, fourth / variance**2 - 3

    def _munp(self, n: int) -> float:
        return float(np.float_power(self.xk, n) @ self.pk)

    def _expect(self, fun: Callable[[Any], Any], lb: float, ub: float, *_: Any, **__: Any) -> float:
        inside = (lb <= self.xk) & (self.xk <= ub)
        return float(np.sum(fun(self.xk[inside].astype(np.float64))))  # powers of integers would wrap around

    def _entropy(self) -> float:
        return float(_surprise(self._logs()).sum())


RARE = 1e-8
"""Chance below which binomial draws are those of Poisson's law, whose distance from the binomial law is at most this
chance (Le Cam): for smaller chances p, old random states and old versions of numpy take 1 - p and lose digits."""


def binomial_draws(random_state: Any, n: Any, p: Any, size: Any) -> Any:
    """Return binomial draws for chances p of at most one half, to the digits of p."""
    few = random_state.poisson(n * np.where(p < RARE, p, 0.0), size)
    return np.minimum(few + random_state.binomial(n, np.where(p < RARE, 0.0, p), size), n)


_LARGEST = 2**1023


def integers(k: Any) -> Any:
    """Round down; integers make no detour through floats, which are exact up to 2**53 alone."""
    k = np.asarray(k)
    return k if k.dtype.kind in "iu" else np.floor(k).astype(np.int64)


def two_floats(count: NDArray[Any], parts: NDArray[np.float64]) -> None:
    """Write numbers as sums of two floats into parts, shape (2, ...); the second is 0 for floats."""
    high, low = parts[0, ...], parts[1, ...]  # arrays, for single numbers too
    high[...], low[...] = count, 0.0
    if count.dtype.kind in "iu":
        np.minimum(high, 2.0**63 - 1024, out=high)  # the next float is no 64-bit integer
        low[...] = count - high.astype(np.int64)


def between(law: Any, first: Any, last: Any, mean: Any, *shapes: Any) -> NDArray[np.float64]:
    """Return P(first <= count <= last) of a scipy law with these shapes, broadcast."""

    def probability(first: int, last: int, mean: float, *shapes: Any) -> float:
        total = smooth_sum(lambda k: law._pmf(k, *shapes), int(first), int(last), peak=int(mean))
        return min(1.0, total)

    return np.asarray(np.vectorize(probability, otypes=[float])(first, last, mean, *shapes))


def _whole_below(number: float, most: int) -> int:
    """Return a number rounded down, kept between 0 and `most`."""
    return most if not number < most else max(0, int(number))


def quantiles(law: Any, q: Any, last: Any, *shapes: Any, upper: bool = False) -> NDArray[np.float64]:
    """Return the smallest k with P(count <= k) >= q, or with P(count > k) <= q if ``upper``, broadcast.

    scipy's own search halves sums of floats, which stall beyond 2**53, and takes the upper tail from 1 - q.
    """

    def quantile(q: float, last: float, *shapes: Any) -> float:
        def reached(k: int) -> bool:
            at = k if k < 2**63 else float(k)
            return bool(law._sf(at, *shapes) <= q) if upper else bool(law._cdf(at, *shapes) >= q)

        low, high = -1, int(last) if math.isfinite(last) else _LARGEST
        with np.errstate(all="ignore"):
            mean, variance, *_ = law._stats(*shapes)
        # from the mean outwards, in steps that double: most quantiles lie within a few standard deviations
        place, reach = _whole_below(mean, high), _whole_below(variance**0.5, high) + 1
        if reached(place):
            high = place
            while (place := high - reach) > low and reached(place):
                high, reach = place, 2 * reach
            low = max(low, place)
        else:
            low = place
            while (place := low + reach) < high and not reached(place):
                low, reach = place, 2 * reach
            high = min(high, place)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if reached(middle) else (middle, high)
        return float(high)

    return np.asarray(np.vectorize(quantile, otypes=[float])(q, last, *shapes))


def _end(value: Any, name: str) -> float:
    """Return an end of a range, which may be infinite, as float, or raise."""
    refuse_several(value, name, fix="one range is summed")
    return float(real_numbers(value, name))
