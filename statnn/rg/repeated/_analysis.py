"""From a scalar layer to its Taylor series at a fixed point of slope one, and to its behaviour at large depth."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from statnn._arguments import Floats
from statnn._digits import with_digits
from statnn.network import Activation
from statnn.rg.repeated._leading_form import LeadingForm, LeadingFormKind
from statnn.rg.repeated._rest_points import tangent_fields
from statnn.rg.repeated._series import DIGITS, TERMS, depth_series, numerical_series

REACH = {True: 0.15, False: 0.02}
"""Fraction of the distance at which a later term equals the leading one, for sums of TERMS terms and of ten."""
ROUGH = 1e-6
"""Error of the slope of a layer, relative if the slope exceeds one, above which a polynomial does not describe it."""
SHARE_MISSED = 0.01
"""Share of the bend of a function within a small distance that a polynomial may miss if it is to describe it."""
SLOPE_ONE = 1e-10
"""Largest deviation of a slope from one at which a layer still counts as having a leading nonlinearity."""


class ScalarLayer(Protocol):
    """A layer h' = σ(w h + b): `statnn.rg.RepeatedLayer`."""

    @property
    def w(self) -> float:
        """Weight."""

    @property
    def b(self) -> float:
        """Bias."""

    @property
    def sigma(self) -> Activation:
        """The activation as an object for kernels and series."""

    def __call__(self, x: ArrayLike) -> Any:
        """Return σ(w x + b)."""

    def rest_points(self) -> tuple[tuple[float, float], ...]:
        """Return fixed points and the slopes there."""


_POINTS, _SHARES = np.polynomial.legendre.leggauss(16)
_POINTS, _SHARES = (_POINTS + 1) / 2, _SHARES / 2
"""Gauss's rule on (0, 1), for an interval of y of ratio e."""


@dataclass(frozen=True)
class Analysis:
    """The form and, if critical, the depth coordinate A, by the vector field v = dy/dA whose flow is the layer.

    Where the leading term of v dominates, A is a series in powers y^(j-z+1) and ln|y|. Close to a cusp, where the next
    term is far larger, this holds only for tiny y, and beyond them A is an integral of 1/v.
    """

    form: LeadingForm
    local: tuple[float, ...] = ()
    """Taylor coefficients of y -> y - u y^z + ..., from y^0 on."""
    field: tuple[float, ...] = ()
    """Taylor coefficients of v."""
    powers: tuple[float, ...] = ()
    """Coefficients of the powers of y/`summed`, where `summed` is the largest y at which the series of A is summed."""
    summed: float = 0.0
    doubt: float = 0.0
    """Relative error of the change of a signal in a layer, up to `near`: so far out the series may not hold."""

    @cached_property
    def bend(self) -> float:
        """Inverse of the distance at which some term of the layer beyond y is as large as y."""
        z = self.form.order or 2
        return max(float(abs(c) ** (1 / (k - 1))) for k, c in enumerate(self.local) if k >= z)

    @property
    def near(self) -> float:
        """Distance up to which v is its series."""
        return REACH[len(self.local) == TERMS] / self.bend

    def drop(self, y: Any) -> Any:
        """Return v/y, the relative change of y in a layer."""
        return np.polynomial.polynomial.polyval(y, self.field[1:])

    def coordinate(self, y: float) -> float:
        """Return A(y), y no farther than `near`."""
        inner = math.copysign(min(abs(y), self.summed), y)
        return self._series(inner) - self._between(y, inner)

    def apart(self, y: float, end: float) -> float:
        """Return the number of layers from y to `end`, on the same side, no farther than `near`."""
        if abs(end) > abs(y):
            return -self.apart(end, y)
        inner = math.copysign(min(abs(y), max(abs(end), self.summed)), y)
        beyond = self._series(end) - self._series(inner) if end != inner else 0.0
        return self._between(y, inner) + beyond

    def after(self, y: float, layers: float) -> float:
        """Return the value of y after `layers` layers, by Newton's method in ln|y|."""
        end = y
        for _ in range(100):
            step = (self.apart(y, end) - layers) * -float(self.drop(end))
            end *= math.exp(min(1.0, max(-1.0, step)))
            if abs(step) < 1e-15:
                break
        return end

    def _between(self, y: float, end: float) -> float:
        """Return the number of layers from y to a smaller `end`, neither below `summed`."""
        factor = math.log(y / end)
        if not factor:
            return 0.0
        panels = math.ceil(factor)
        width = factor / panels
        places = width * (np.arange(panels)[:, None] + _POINTS)
        return float(np.sum(-width * _SHARES / self.drop(y * np.exp(-places))))

    def _series(self, y: float) -> float:
        z, share = self.form.order or 2, y / self.summed
        try:
            terms = math.fsum(c * share ** (j - z + 1) for j, c in enumerate(self.powers))
        except (OverflowError, ZeroDivisionError):
            raise ValueError(
                f"a signal {y:g} from the fixed point is deeper than 1e308 layers: it stays where it is"
            ) from None
        return float(terms + (self.form.residue or 0.0) * math.log(abs(y)))


@lru_cache(maxsize=256)
def analysed(layer: ScalarLayer, at: float | None, known: tuple[float, ...] | None, radius: float) -> Analysis:
    """Return the analysis of a layer at its fixed point, cached."""
    sigma = layer.sigma
    if known is None and sigma.slopes is not None:
        return Analysis(_of_lines(layer, at))
    x = _expansion_point(layer, at)
    if x is None:
        return Analysis(LeadingForm(LeadingFormKind.NOT_CRITICAL))
    if known is not None:
        return _from_series([0.0, *known], [0.0] * (len(known) + 1), x)
    h = layer.w * x + layer.b
    if sigma.smooth:
        if at is None:
            h = min(tangent_fields(sigma, layer.w, layer.b), key=lambda field: abs(field - h))
        own = with_digits(DIGITS)
        w = own.mpf(layer.w)
        series = [w**k * c for k, c in enumerate(sigma.series(h, TERMS))]
        return _from_series(series, [own.mpf(10) ** -12 * (1 + abs(c)) for c in series], x)
    values, errors = numerical_series(sigma, h, radius)
    slope = float(sigma.derivative(np.asarray(h)))
    if abs(layer.w * (values[1] - slope)) > ROUGH * max(1.0, abs(layer.w * slope)):  # a slope may be zero
        raise ValueError(
            f"{sigma.name!r} has the slope {slope:.6g} at the field {h:g}, and a polynomial within radius = {radius:g} "
            f"has {values[1]:.6g}: it bends more than that, or has a kink in a derivative there; pass a smaller "
            "radius, or coefficients= of the side that is meant"
        )
    if _has_sides(sigma, h, radius, values, slope):
        raise ValueError(
            f"{sigma.name!r} bends otherwise close to the field {h:g} than a polynomial within radius = {radius:g}: a "
            "derivative has a kink there, or values are rounded coarsely; pass another radius, or coefficients= of the "
            "side that is meant"
        )
    scale = layer.w ** np.arange(10)
    return _from_series(list(values * scale), list(errors * np.abs(scale)), x)


def _has_sides(sigma: Activation, h: float, radius: float, values: Floats, slope: float) -> bool:
    """Return whether a function bends differently close to a field than its polynomial, as at a kink of a slope."""
    for distance in radius / np.array([16.0, 64.0]):
        steps = np.array([-distance, 0.0, distance])
        image = np.asarray(sigma(h + steps), dtype=float)
        bent = np.abs(image - image[1] - slope * steps).max()
        rounding = 16 * np.finfo(float).eps * max(1.0, float(np.abs(image).max()), abs(h))
        if np.abs(image - np.polynomial.polynomial.polyval(steps, values)).max() > SHARE_MISSED * bent + rounding:
            return True
    return False


def _expansion_point(layer: ScalarLayer, at: float | None) -> float | None:
    """Return the fixed point to expand about: the given one, or the one of slope one; None if there is none."""
    sigma = layer.sigma
    if at is None and sigma.smooth:
        marginal = [float(sigma(np.asarray(h))) for h in tangent_fields(sigma, layer.w, layer.b)]
        return min(marginal, key=lambda x: (abs(x), x)) if marginal else None
    x = 0.0 if at is None else at
    image = float(layer(x))
    if abs(image - x) > 1e-9 * (1.0 + abs(x)):
        hint = f"; fixed points are {[point for point, _ in layer.rest_points()]}" if sigma.built_in else ""
        named = f"at = {x:g}"
        if at is None:
            named = "0, where a fixed point is expected unless one is named,"
            hint = (
                ": pass the one that you mean, x* = σ(h), as leading_form(at=x*), or measure signals from it, with the "
                "activation σ(x + h) - σ(h) and b = 0"
            )
        raise ValueError(f"{named} is not a fixed point: the layer maps it to {image:.9g}{hint}")
    return x


def _of_lines(layer: ScalarLayer, at: float | None) -> LeadingForm:
    """Return the form of identity, relu, leaky relu and sign, which have no leading nonlinearity."""
    points = layer.rest_points()
    if at is not None:
        x = _expansion_point(layer, at)
        points = tuple(point for point in points if x is not None and abs(point[0] - x) <= 1e-9 * (1 + abs(x)))
    if layer.sigma.flat:
        return LeadingForm(LeadingFormKind.NOT_SMOOTH, *(points[0] if points else (None, None)))
    if layer.w == 1.0 and layer.b == 0.0:
        return LeadingForm(LeadingFormKind.SCALE_INVARIANT, 0.0 if at is None else at, 1.0)
    if layer.w * layer.sigma.slope == 1.0 and layer.b == 0.0:
        return LeadingForm(LeadingFormKind.NOT_SMOOTH, 0.0)
    return LeadingForm(LeadingFormKind.NOT_CRITICAL)


def _from_series(series: list[Any], errors: list[Any], x: float) -> Analysis:
    """Read the form off the Taylor series about x, lowest power first; a term below its error counts as zero."""
    slope = float(series[1])
    if abs(slope - 1.0) > max(SLOPE_ONE, 4 * float(errors[1])):
        return Analysis(LeadingForm(LeadingFormKind.NOT_CRITICAL, x, slope))
    powers = [k for k in range(2, len(series)) if abs(series[k]) > 4 * errors[k]]
    order = powers[0] if powers else len(series)
    if not powers or (any(errors) and 2 * order > len(series)):
        return Analysis(LeadingForm(LeadingFormKind.FLAT, x, slope))
    leading = float(series[order])
    side = -1 if order % 2 == 0 and leading > 0 else 1
    local = [0 * series[0], 1 + 0 * series[0], *(c * side ** (k + 1) for k, c in enumerate(series[2:], 2))]
    local[2:order] = [0 * c for c in local[2:order]]
    u = -float(local[order])
    later = powers[1] if len(powers) > 1 else None
    if u < 0.0:
        return Analysis(LeadingForm(LeadingFormKind.REPELLING, x, slope, order, u, float(errors[order]), side, later))
    field, powers, residue = depth_series(local, order) if len(local) >= 2 * order else ([], [], None)
    error = float(errors[order]) if isinstance(series[1], float) else 0.0
    form = LeadingForm(
        LeadingFormKind.CRITICAL, x, slope, order, u, error, side, later, None if residue is None else float(residue)
    )
    analysis = Analysis(form, tuple(float(c) for c in local), tuple(float(c) for c in field))
    if error:
        doubt = sum(float(errors[k]) * analysis.near ** (k - order) for k in range(order, len(series)))
        analysis = replace(analysis, doubt=doubt / u)
    if not powers:
        return analysis
    if not np.isfinite(analysis.local).all():
        raise ValueError(
            f"the Taylor coefficients of the layer about its fixed point {x:g} exceed the range of float64: the "
            "activation is all but flat there; choose a field where it rises"
        )
    rest = max(abs(c / u) ** (1 / (k - order)) for k, c in enumerate(analysis.local) if k > order)
    summed = min(analysis.near, REACH[len(series) == TERMS] / rest) if rest else analysis.near
    in_units = tuple(float(c * (0 * c + summed) ** (j - order + 1)) for j, c in enumerate(powers))
    return replace(analysis, powers=in_units, summed=summed)
