"""Straight lines through points with known errors, also in logarithms."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from statnn._notebook import Shown
from statnn.testing.statistics._comparison import Comparison, Floats, Refusal, array_of, numbers_of, unit, z_score

WIDER = 10.0
"""Second order of the relative errors by which errors of a power law are widened."""
MOST_STEPS, SETTLED = 50, 1e-9
"""Steps of a fit in values, and the last one in logarithms."""
NEAR, FAR = 0.01, 1e6
"""Errors within and beyond which a slope is compared by its error: likelihoods differ by rounding, or infinitely."""
ROUNDED = 1e-12
"""Relative error of a value whose logarithm is rounded."""


@dataclass(frozen=True, eq=False)
class _Likelihood:
    """How likely slopes of a power law are, with errors that are shares of its values or known apart from them."""

    slope: float
    log_x: Floats
    log_y: Floats
    weight: Floats
    """(y / error)², rounding included."""
    shares: bool

    def ratio(self, order: float) -> float:
        """Return twice the logarithm of the likelihood of the fitted slope over that of another."""
        return self._deviance(order) - self._deviance(self.slope)

    def _deviance(self, slope: float) -> float:
        """Return -2 ln of the likelihood of a slope, with the likeliest amplitude, up to a constant.

        With t = y over the fit, an error known apart from y has (y - fit)² / error² = w (1 - 1/t)², and a share of the
        fit w (t - 1)² - 2 ln t, as it is the wider the larger the fit.
        """
        off = self.log_y - slope * self.log_x
        if not self.shares:
            u = np.exp(off.min() - off)
            return float(self.weight @ (u * (self.weight @ u) / (self.weight @ u**2) - 1) ** 2)
        u = np.exp(off - off.max())
        first, second = float(self.weight @ u), float(self.weight @ u**2)
        scale = (first + math.sqrt(first**2 + 4 * u.size * second)) / (2 * second)
        log_t = off - off.max() + math.log(scale)
        return float(self.weight @ (u * scale - 1) ** 2 - 2 * log_t.sum())


@dataclass(frozen=True)
class Line(Shown):
    """A weighted straight line ``intercept + slope x``; `p` is small if the points do not lie on a line.

    `bias` bounds what errors of unknown origin shift the slope by: it is 0 for `line`, see `power_law`, whose slopes
    are compared by likelihoods.

    See Also
    --------
    line, power_law : fit it.

    Examples
    --------
    >>> from statnn.testing.statistics import line
    >>> round(line([0.0, 1.0, 2.0], [1.0, 3.1, 4.9], [0.1] * 3).against(2.0).p, 3)
    0.48
    """

    slope: float
    error: float
    intercept: float
    chi_square: float
    dof: int
    p: float
    bias: float = 0.0
    _likelihoods: tuple[_Likelihood, ...] = field(default=(), repr=False, compare=False)

    def against(self, order: float, *, bias: float = 0.0) -> Comparison:
        """Compare the slope with the order that theory gives; only what exceeds both biases counts.

        Of a power law, z² is the smaller of twice the logarithms of the ratios of likelihoods, that of the fitted slope
        over that of the order, for both kinds of errors. The error is the one that this z gives the difference.
        """
        order, bias = numbers_of(order=order, bias=bias)
        if bias < 0:
            raise Refusal(f"bias = {bias} must be >= 0")
        known = z_score(self.slope, self.error, order, bias=self.bias + bias)
        off = abs(known.z or 0.0)
        if not (self._likelihoods and NEAR <= off < FAR):
            return known
        nearest = order + min(max(self.slope - order, -bias), bias)
        z = math.sqrt(max(NEAR**2, min(errors.ratio(nearest) for errors in self._likelihoods)))
        return z_score(self.slope, self.error * (off / z), order, bias=known.bias)


def line(x: ArrayLike, y: ArrayLike, error: ArrayLike) -> Line:
    """Fit a straight line to points, shape ``(points,)``, with known and independent standard errors.

    Raises
    ------
    Refusal
        If shapes differ, x has fewer than three distinct values, errors are not positive, or the fit is outside the
        range of float64.

    See Also
    --------
    power_law : the same in logarithms.

    Examples
    --------
    >>> fitted = line([0.0, 1.0, 2.0], [1.0, 3.1, 4.9], [0.1, 0.1, 0.1])
    >>> round(fitted.slope, 3), round(fitted.error, 3), fitted.p > 0.05
    (1.95, 0.071, True)
    """
    x, y, error = (array_of(v, n, 1) for v, n in ((x, "x"), (y, "y"), (error, "error")))
    if not x.shape == y.shape == error.shape:
        raise Refusal(f"x, y and error differ in shape: {x.shape}, {y.shape}, {error.shape}")
    if np.unique(x).size < 3:
        raise Refusal(f"{np.unique(x).size} distinct x are too few for a line and its residual; take at least 3")
    if not (error > 0).all():
        raise Refusal("every point of a weighted fit needs a positive standard error")
    across, up = unit(x), max(unit(y), unit(error))
    share = (float(error.min()) / error) ** 2  # weights, scaled so that the largest is one
    share /= share.sum()
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        error, x, y = error / up, x / across, y / up
        # the heaviest point is subtracted first: a mean that it dominates has no digits left for the other points
        means = [float(values[share.argmax()]) for values in (x, y)]
        x, y = x - means[0], y - means[1]
        more = [float(share @ x), float(share @ y)]
        x, y, means = x - more[0], y - more[1], [means[0] + more[0], means[1] + more[1]]
        leverage = float(np.linalg.norm(x / error))
        slope = float(((x / error) / leverage) @ ((y / error) / leverage))
        chi_square = float((((y - slope * x) / error) ** 2).sum())
        scale = up / across
        fit = slope * scale, scale / leverage, (means[1] - slope * means[0]) * up, chi_square
    if not np.isfinite(fit).all() or fit[1] == 0:
        raise Refusal(
            f"slope {fit[0]:.3g} ± {fit[1]:.3g}, intercept {fit[2]:.3g} and chi-square {chi_square:.3g} are not "
            "all within float64: measure x, y and error in units close to their size"
        )
    dof = x.size - 2
    return Line(*fit, dof, float(stats.chi2.sf(chi_square, dof)))


def power_law(x: ArrayLike, y: ArrayLike, error: ArrayLike) -> Line:
    """Fit ``y = exp(intercept) x**slope`` as a line in logarithms, for positive values with relative errors below 0.3.

    Where the noise is larger the logarithm is neither unbiased nor near normal: measure better or leave the
    point out. An error r y may be a known share r of the value, or known apart from it; a fit for the one is wrong for
    the other by 2 r² z² at a point z errors off. Both are made: the slope is half-way, its bias half the difference,
    and p that of the straighter line. Errors are widened by the factor 1 + 10 r²: the fitted line is itself uncertain,
    and divides the values. Other slopes are told from the fitted one by their likelihoods, so that p is right or too
    large down to 1e-9.

    Raises
    ------
    Refusal
        If values are not positive, a relative error is 0.3 or more, or `line` refuses their logarithms.

    See Also
    --------
    line : without logarithms.
    statnn.testing.assert_slope : fails if the difference is beyond chance.

    Examples
    --------
    >>> fitted = power_law([1.0, 2.0, 4.0], [1.0, 4.1, 15.9], [0.01, 0.04, 0.16])
    >>> round(fitted.slope, 2)
    2.0
    """
    x, y, error = (array_of(v, n, 1) for v, n in ((x, "x"), (y, "y"), (error, "error")))
    if not ((x > 0).all() and (y > 0).all()):
        raise Refusal("a power law needs positive x and y: logarithms are fitted")
    if not (error < 0.3 * y).all():
        raise Refusal(f"a relative error of {float((error / y).max()):.2g} is too large; logarithms need it below 0.3")
    log_x = np.log(x)
    wide = error * (1 + WIDER * (error / y) ** 2)
    shares, apart = (_in_values(log_x, y, wide, power) for power in (1.0, 0.0))
    parts = log_x, np.log(y), np.maximum(error / y, ROUNDED) ** -2
    likelier = max(shares, apart, key=lambda line: line.p)
    return replace(
        likelier,
        slope=(shares.slope + apart.slope) / 2,
        error=max(shares.error, apart.error),
        intercept=(shares.intercept + apart.intercept) / 2,
        bias=abs(shares.slope - apart.slope) / 2,
        _likelihoods=(_Likelihood(shares.slope, *parts, shares=True), _Likelihood(apart.slope, *parts, shares=False)),
    )


def _in_values(log_x: Floats, y: Floats, error: Floats, power: float) -> Line:
    """Fit by least squares of values, whose errors go with their `power`: they are near normal, logarithms less so."""
    fit = line(log_x, np.log(y), error / y)
    at = fit.intercept + fit.slope * log_x
    for _ in range(MOST_STEPS):
        fitted = np.exp(at)
        fit = line(log_x, at + y / fitted - 1, error / fitted * (fitted / y) ** power)
        step = fit.intercept + fit.slope * log_x - at
        if np.abs(step).max() < SETTLED:
            break
        at = at + step / max(1.0, float(np.abs(step).max()))  # Gauss and Newton go too far from points far below
    return fit
