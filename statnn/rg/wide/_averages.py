r"""Gaussian averages of an activation, the integrals of mean-field theory.

With Gaussian fields x, y of variance q and correlation c = 1-e:

.. math:: M = E\,φ(x)^2, \quad M' = dM/dq, \quad M'' = d^2M/dq^2, \quad \mathrm{Var}\,φ(x)^2, \quad D = E\,φ'(x)^2,
          \quad G = \tfrac12 E[φ(x)-φ(y)]^2 = M - E\,φ(x)φ(y), \quad S = E\,φ'(x)φ'(y) = -\frac1q\frac{∂G}{∂e}.

G rather than E φ(x)φ(y) is computed, in forms that keep their digits as e → 0. Activations use closed forms if they
have them (`statnn.network._gaussian`); tanh and the sigmoid, (1 + tanh(h/2))/2, the trapezoidal rule; others and
functions of your own adaptive quadrature. Derivatives in q do not need those of φ: by the heat equation they are
averages of φ² with Hermite polynomials.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from statnn._arguments import Floats
from statnn.network._activation import Activation
from statnn.network._differences import Numerical
from statnn.network._functions import Values
from statnn.network._gaussian import ClosedForms, Moments, OfLines
from statnn.network._tabulated import Tabulated
from statnn.rg._common import LARGEST as LARGEST_SCALE
from statnn.rg.wide._average_kernels import FULL, tanh_averages, tanh_pairs
from statnn.rg.wide._quadrature import END, MOST_PANELS, gaussian_edges, integrals, with_edges

LARGEST_DIFFERENCE = 1e8
"""Variance of half the difference of two fields up to which tanh is summed; beyond, tanh and sigmoid act as steps."""
LARGEST = 1e12
"""Largest value of `reach`."""
AT_ONCE = 2**12
"""Variances whose averages are computed together: each takes some 50 KB meanwhile."""


class Averages(Protocol):
    """Gaussian averages of an activation; q and e are vectors of equal length."""

    @property
    def homogeneous(self) -> bool:
        """Whether φ(sh) = s φ(h) for s > 0."""

    @property
    def bounded(self) -> bool:
        """Whether φ is known to lie in [-1, 1]."""

    @property
    def reach(self) -> float:
        """Largest variance, up to 1e12, whose averages of one field can be computed."""

    def moments(self, q: Floats) -> Moments:
        """Return M, M' and D."""

    def higher_moments(self, q: Floats) -> tuple[Floats, Floats]:
        """Return M'' and Var φ²."""

    def pair_moments(self, e: Floats, q: Floats) -> tuple[Floats, Floats]:
        """Return G and S."""


@dataclass(frozen=True)
class _Closed:
    """Averages in closed form."""

    activation: Activation
    forms: ClosedForms
    homogeneous: bool
    reach: float = LARGEST

    @property
    def bounded(self) -> bool:
        return self.activation.bounds is not None

    def moments(self, q: Floats) -> Moments:
        return self.forms.moments(q)

    def higher_moments(self, q: Floats) -> tuple[Floats, Floats]:
        mean, fourth = self.forms.moments(q).square, self.forms.fourth(q)
        spread = _spread(self.activation.function, q, mean) if fourth is None else fourth - mean**2
        return self.forms.bend(q), spread

    def pair_moments(self, e: Floats, q: Floats) -> tuple[Floats, Floats]:
        return self.forms.pair_moments(e, q)


@dataclass(frozen=True)
class _Tanh:
    """Averages of φ = a + b tanh(c h); `digits` is the L of the sums."""

    a: float
    b: float
    c: float
    name: str
    digits: float = FULL
    homogeneous: bool = False
    bounded: bool = True
    reach: float = LARGEST

    def _sums(self, q: Floats) -> Floats:
        out = np.empty((5, q.size))
        tanh_averages(self.c**2 * q, self.digits, out)
        return out

    def moments(self, q: Floats) -> Moments:
        mean, curve, _, _, slope = self._sums(q)
        b, c = self.b**2, self.c**2
        return Moments(self.a**2 + b * mean, b * c * curve, b * c * slope)

    def higher_moments(self, q: Floats) -> tuple[Floats, Floats]:
        mean, _, bend, spread, _ = self._sums(q)
        a, b, c = self.a**2, self.b**2, self.c**2
        return b * c**2 * bend, 4 * a * b * mean + b**2 * spread

    def pair_moments(self, e: Floats, q: Floats) -> tuple[Floats, Floats]:
        b, c = self.b**2, self.c**2
        scaled = c * q
        _refuse_huge(scaled * e / 2, self.name)
        out = np.empty((2, q.size))
        tanh_pairs(e, scaled, self.digits, out)
        return b * out[0], b * c * out[1]


def _refuse_huge(v: Floats, name: str) -> None:
    if v.size and v.max() > LARGEST_DIFFERENCE:
        raise ValueError(
            f"two fields whose half difference has a variance of {v.max():.3g}, beyond {LARGEST_DIFFERENCE:g}, see "
            f"{name} as a step: use activation='sign', its limit, or smaller sigma_w and sigma_b"
        )


@dataclass(frozen=True)
class _Own:
    """Averages of any activation, by adaptive quadrature; panels end at kinks and narrow features.

    A jump adds a δ function to φ', which makes D infinite.
    """

    activation: Activation
    breaks: Floats
    homogeneous: bool = False
    bounded: bool = False

    @classmethod
    def of(cls, activation: Activation) -> _Own:
        return cls(activation, np.array(activation.breaks))

    @cached_property
    def _derivative(self) -> Callable[[Values], Values]:
        derivative = self.activation.derivative
        return Tabulated(derivative) if isinstance(derivative, Numerical) else derivative

    def lines(self) -> OfLines | None:
        """Return averages of a homogeneous function, φ(sh) = s φ(h), a line on either side; None for others.

        The scales tried are powers of two, by which float64 multiplies exactly.
        """
        fields, scales = np.array([-1.7, -1.0, -0.3, 0.3, 1.0, 1.7]), 2.0 ** np.array(SCALES)[:, None]
        at_one, values = (self._values(h, finite=False) for h in (fields, np.outer(scales, fields)))
        below, above = -at_one[1], at_one[4]
        lines = fields * np.where(fields < 0, below, above)
        far = np.append(self.breaks, (self.breaks[1:] + self.breaks[:-1]) / 2)
        if not np.allclose(self._values(far, finite=False), far * np.where(far < 0, below, above), atol=1e-12):
            return None
        with np.errstate(over="ignore", invalid="ignore"):  # very steep lines overflow on both sides
            kept = np.allclose(values, scales * at_one, rtol=0, atol=1e-200)  # except for underflow
        if not (kept and np.allclose(at_one, lines, rtol=1e-15, atol=1e-200)):
            return None
        return OfLines(float(below), float(above))

    @cached_property
    def reach(self) -> float:
        """Largest variance, in half decades up to 1e12; where none from 1e-12 can be computed, the error says why."""

        def computed(half_decades: int) -> bool:
            with suppress(ValueError):
                return bool(self.moments(np.array([10 ** (half_decades / 2)]), most=MOST_PROBED))
            return False

        begin = next((down for down in range(0, -24, -1) if computed(down)), -24)
        if begin == -24:
            self.moments(np.array([1e-12]))
        return float(10 ** (next((up for up in range(begin, 24) if not computed(up + 1)), 24) / 2))

    def _edges(self, deviation: Floats, *more: float) -> Floats:
        places = np.append(self.breaks, more)
        return with_edges(gaussian_edges(deviation), places / np.maximum(deviation, 1e-12)[:, None])

    def _values(self, fields: Values, *, slope: bool = False, finite: bool = True) -> Floats:
        function = self._derivative if slope else self.activation.function
        with np.errstate(all="ignore"):
            values = np.asarray(function(fields))
        what = f"{'derivative' if slope else 'function'} of activation {self.activation.name!r}"
        if values.shape != fields.shape or values.dtype.kind not in "biuf":
            raise ValueError(
                f"{what} turns fields of shape {fields.shape} into {values.dtype} of shape {values.shape}; keep the "
                "shape and return real numbers"
            )
        if finite and not np.isfinite(values).all():
            at = fields[~np.isfinite(values)].flat[0]
            raise ValueError(f"{what} is not finite at the field {at:.6g}, which its Gaussian average needs")
        return values.astype(float)

    def _averages(self, q: Floats, integrand: Any, what: str, *more: float, **options: Any) -> Floats:
        deviation = np.sqrt(q)

        def weighed(z: Floats, owner: Any) -> Floats:
            density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
            with np.errstate(over="ignore", invalid="ignore"):
                weight: Floats = integrand(z, deviation[owner][:, None]) * density
            return weight

        what = f"{what} of activation {self.activation.name!r}"
        return integrals(weighed, self._edges(deviation, *more), what=what, **options)

    def moments(self, q: Floats, *, most: int = MOST_PANELS) -> Moments:
        if q.size > AT_ONCE:
            parts = (self.moments(q[first : first + AT_ONCE], most=most) for first in range(0, q.size, AT_ONCE))
            return Moments(*map(np.concatenate, zip(*parts, strict=True)))
        mean, _, slope = direct = self._moments(q, most)
        curve = self._extended(lambda q: self._moments(q, most)[1], q, NARROW) if (q < NARROW**2).any() else direct[1]
        density, size = self._jumps(np.sqrt(np.maximum(q, np.finfo(float).tiny)))
        slope = np.where((q == 0) & (slope < 1e-290), 0.0, slope)  # φ'(0) = 0: the slope is that of `tiny`, not 0
        return Moments(mean, curve, np.where((density * size**2).sum(axis=1) > 0, np.inf, slope))

    def _moments(self, q: Floats, most: int = MOST_PANELS) -> Moments:
        """Return M and M', and D without the contribution of jumps."""
        tiny = np.maximum(q, np.finfo(float).tiny)
        deviation = np.sqrt(tiny)
        density, size = self._jumps(deviation)
        jumping = size.size > 0

        def integrand(z: Floats, deviation: Floats) -> Floats:
            value, slope = self._values(deviation * z), self._values(deviation * z, slope=True)
            square = value**2
            by_hermite = square * (z * z - 1) / (2 * deviation)  # this cancels for narrow fields, φφ'z for wide ones
            wide = (deviation > WIDE) | jumping
            parts = value * z - deviation * slope  # integrates by parts to zero except for jumps
            return np.stack([square, np.where(wide, by_hermite, value * slope * z), slope**2, parts])

        options: Any = {"most": most, "roots": (0, 2, 2, 0), "least": np.array([0.0, 0.0, 0.0, np.inf])}
        mean, curve, slope, parts = self._averages(tiny, integrand, "the variance map", **options)
        off = np.abs(parts - deviation * (density * size).sum(axis=1))
        seen = math.sqrt(np.finfo(float).tiny) + np.sqrt(mean) + deviation * np.sqrt(slope)  # squares are normal floats
        wrong = (off > BY_PARTS * seen) & (deviation > 1e-4)  # beyond rounding
        if wrong.any():
            at = int(np.argmax(wrong))
            raise ValueError(
                f"derivative of activation {self.activation.name!r} is not that of its function: for fields of "
                f"variance q = {q[at]:.3g} E φ' and E hφ/q differ by {off[at] / deviation[at]:.3g}; the function has "
                "jumps that were not found, state kinks=, or the derivative is wrong"
            )
        return Moments(mean, curve / deviation, slope)

    def _jumps(self, deviation: Floats) -> tuple[Floats, Floats]:
        """Return the densities of fields at the jumps, shape (n, jumps), and the heights of these, shape (jumps,)."""
        places, size = np.array(self.activation.jumps).reshape(-1, 2).T
        z = places / deviation[:, None]
        return np.exp(-z * z / 2) / (math.sqrt(2 * math.pi) * deviation[:, None]), size

    def higher_moments(self, q: Floats) -> tuple[Floats, Floats]:
        what, jumping = "the second derivative of the variance map", bool(self.activation.jumps)
        smooth = self.activation.above_relu is not None

        def integrand(z: Floats, deviation: Floats) -> Floats:
            value, slope = self._values(deviation * z), self._values(deviation * z, slope=True)
            square = value**2 - (np.maximum(deviation * z, 0) ** 2 if smooth else 0.0)  # a line does not bend
            by_hermite = square * (z**4 - 6 * z**2 + 3) / (2 * deviation)
            return np.where((deviation > WIDE) | jumping, by_hermite, value * slope * (z**3 - 3 * z))[None]

        def bend(q: Floats) -> Floats:
            return np.asarray(self._averages(q, integrand, what, *(LINES if smooth else ()))[0] / (2 * q**1.5))

        def share(q: Floats) -> Floats:
            return _spread(self._values, q, self._moments(q)[0]) / q

        return self._extended(bend, q, NARROW_BEND, always=True), q * self._extended(share, q, NARROW)

    def _extended(
        self, average: Callable[[Floats], Floats], q: Floats, narrow: float, *, always: bool = False
    ) -> Floats:
        """Return averages that cancel for narrow fields, continued there along a parabola in q that is nearly a line.

        `narrow` is a deviation in units of |φ(0)/φ'(0)|, at most one. If either is zero, they cancel only if `always`.
        If φ or a derivative has a kink within reach a parabola would be wrong, but nothing cancels.
        """
        value, slope = (abs(float(self._values(np.zeros(1), slope=which)[0])) for which in (False, True))
        deviation = narrow * (min(1.0, value / slope) if value and slope else always)
        edge = deviation**2
        if not edge or (q >= edge).all() or (np.abs(self.breaks) < END * deviation).any():
            return average(q)
        direct, (at, twice, fourfold) = average(np.maximum(q, edge)), average(edge * np.array([1.0, 2.0, 4.0]))
        bend, x = fourfold - 3 * twice + 2 * at, q / edge
        if abs(bend) > STRAIGHT * abs(at):
            return average(q)
        return np.where(q < edge, at + (x - 1) * (twice - at + (x - 2) * bend / 6), direct)

    def pair_moments(self, e: Floats, q: Floats) -> tuple[Floats, Floats]:
        moments = np.array([self._pair(distance, variance) for distance, variance in zip(e, q, strict=True)]).reshape(
            -1, 2
        )
        return moments[:, 0], moments[:, 1]

    def _pair(self, e: float, q: float) -> tuple[float, float]:
        """Return G and S of one pair by integrating over the second field inside the average over the first."""
        deviation, across = math.sqrt(q), math.sqrt(e * (2 - e))
        width = max(across, 1e-8)
        breaks = self.breaks[np.abs(self.breaks) < 2 * OUTER_END * deviation] / deviation
        what = f"the correlation map of activation {self.activation.name!r}"
        mean, _, square = (float(value[0]) for value in self._moments(np.array([q])))
        close = square * q * e
        rounding = np.finfo(float).eps * math.sqrt(mean * close)  # of φ(x) - φ(y); neither integral can resolve less

        def outer(z: Floats, _: Any) -> Floats:
            first = z.ravel()
            weight = np.exp(-first * first / 2) / (2 * math.pi)
            here, slope = self._values(deviation * first), self._values(deviation * first, slope=True)

            def inner(other: Floats, owner: Any) -> Floats:
                there = deviation * ((1 - e) * first[owner][:, None] + across * other)
                gap = (self._values(there) - here[owner][:, None]) ** 2 / 2
                product = self._values(there, slope=True) * slope[owner][:, None]
                density = np.exp(-other * other / 2) * weight[owner][:, None]
                return np.asarray(np.stack([gap, product]) * density)

            middle = -(1 - e) * first / width
            edges = gaussian_edges(np.full(first.size, deviation * width), middle)
            edges = with_edges(edges, middle[:, None] + breaks / width)
            options: Any = {"tolerance": INNER, "least": np.array([rounding / INNER, 0.0]), "together": True}
            averages = integrals(inner, edges, what=what, most=MOST_INNER, **options)
            return np.asarray(averages.reshape(2, *z.shape))

        near = np.add.outer(breaks, across * np.array([-6.0, -2.0, 2.0, 6.0])).ravel()
        edges = with_edges(self._edges(np.array([deviation])), near[None])
        edges = edges[:, np.abs(edges[0]) <= OUTER_END]
        least = np.array([close + rounding / OUTER, square])
        gap, slope = integrals(outer, edges, what=what, tolerance=OUTER, least=least)[:, 0]
        return float(gap), float(slope) + self._pairs_of_jumps(e, q)

    def _pairs_of_jumps(self, e: float, q: float) -> float:
        """Return the contribution of jumps to S: one field at a jump, the other on a slope, twice; both at jumps."""
        density, size = self._jumps(np.array([math.sqrt(q)]))
        if not size.size:
            return 0.0
        across = e * (2 - e)
        if across == 0:
            return math.inf
        places = np.array(self.activation.jumps)[:, 0]
        deviation = np.full(size.size, math.sqrt(q * across))

        def slopes(z: Floats, owner: Any) -> Floats:
            fields = (1 - e) * places[owner][:, None] + deviation[0] * z
            weight = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
            return np.asarray((self._values(fields, slope=True) * weight)[None])

        edges = with_edges(gaussian_edges(deviation), (self.breaks - (1 - e) * places[:, None]) / deviation[0])
        given = integrals(slopes, edges, what="the correlation map")[0]
        apart = np.subtract.outer(places, places) ** 2 + 2 * e * np.outer(places, places)
        both = np.exp(-apart / (2 * q * across)) / (2 * math.pi * q * math.sqrt(across))
        return float(2 * (density[0] * size) @ given + size @ both @ size)


SCALES = -300, -30, -3, 3, 9, 30, 60, 120, 240, 480
"""Exponents of the powers of two by which fields are multiplied to test whether an activation is homogeneous."""
BY_PARTS = 1e-5
"""Largest distance of E φ' from E hφ/q, relative to the roots of D and M/q; derivatives may be off by a tenth of it."""
LINES = -64.0, 64.0
"""Fields beyond which smooth forms of the ReLU are lines to rounding."""
WIDE = 4.0
"""Deviation from which dM/dq is an average of φ² with a Hermite polynomial."""
NARROW, NARROW_BEND = 1e-4, 3e-3
"""Deviations up to which M' and M'' are taken as parabolas in q, with an error as small as the rounding there."""
STRAIGHT = 1e-6
"""Relative deviation of a third value from the line through two others above which no parabola is used."""
MOST_INNER = 20_000
"""Most panels of inner integrals in one round of the outer one."""
MOST_PROBED = 2000
"""Most panels spent on finding `reach`."""
INNER = 1e-12
OUTER = 1e-11
"""Tolerances of nested integrals: the outer one cannot resolve less than the errors of the inner one."""
OUTER_END = 12.0
"""Deviations to which the outer integral extends; for a bounded activation the rest is below 1e-32."""


def _spread(function: Any, q: Floats, mean: Floats) -> Floats:
    """Return Var φ², given E φ²: E φ⁴ minus its square would lose all digits where φ² hardly varies."""
    deviation = np.sqrt(q)

    def integrand(z: Floats, owner: Any) -> Floats:
        off = function(deviation[owner][:, None] * z) ** 2 / unit[owner][:, None] - 1
        return np.asarray(off**2 * np.exp(-z * z / 2) / math.sqrt(2 * math.pi))[None]

    unit = np.maximum(mean, np.finfo(float).tiny)
    spread = integrals(integrand, gaussian_edges(deviation), what="a moment of the activation", roots=(0,))[0]
    return np.asarray(unit**2 * spread)


def averages(activation: Activation, *, digits: float = FULL) -> Averages:
    """Return the Gaussian averages of an activation; `digits` is the L of sums for tanh."""
    if activation.tanh is not None:
        return _Tanh(*activation.tanh, activation.name, digits)
    own = _Own.of(activation)
    forms = activation.averages or own.lines()
    if isinstance(forms, OfLines) and max(abs(forms.below), abs(forms.above)) > LARGEST_SCALE:
        raise ValueError(
            f"activation {activation.name!r} has slopes {forms.below:g} and {forms.above:g}: above {LARGEST_SCALE:g} "
            "squares overflow; measure fields in another unit"
        )
    return own if forms is None else _Closed(activation, forms, isinstance(forms, OfLines))
