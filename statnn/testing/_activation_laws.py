"""Laws of activations: they act elementwise, their derivative is right, and so are all properties they state."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from statnn._arguments import Floats
from statnn._digits import with_digits
from statnn.network._checked import FIELDS, TOLERANCE, check, elementwise, smooth
from statnn.network._differences import Numerical
from statnn.testing._laws import LawReport, NotAsked, ask, called, copies, examine, holds, numbers_for, same, seed_of

__tracebackhide__ = True  # pytest then shows the line of the caller
CORNERS = (0.0, -0.0, 1.0, 5e-324, 1e-300, 1e-8, 20.0, 40.0, 710.0, 1000.0)
DIGITS = 4 * np.finfo(float).eps
NODES = np.linspace(-12, 12, 20_001)


@dataclass(frozen=True)
class _Activation:
    sigma: Any
    fields: Floats

    @property
    def values(self) -> Floats:
        """Return σ at all fields."""
        with np.errstate(all="ignore"):
            return np.asarray(self.sigma(self.fields.copy()), dtype=float)

    def at(self, index: tuple[int, ...]) -> str:
        return f"at h = {self.fields[index[-1]]:.6g}: "

    def fact(self, name: str) -> Any:
        """Return a stated property of the function, or raise `NotAsked`."""
        stated = getattr(self.sigma, name, None)
        if stated is None or stated is False or stated == ():
            raise NotAsked(f"{name} is not stated")
        return stated


def check_activation(activation: Any, *, rng: int | np.random.Generator | None = None) -> LawReport:
    """Check an activation: built-in, an `Activation` of your own, or any object with the same methods.

    Parameters
    ----------
    activation : Activation, or any callable with a method ``derivative``
        Both take arrays of any shape. Further properties are checked if stated in attributes named as those of
        `statnn.network.Activation`: ``odd``, ``increasing``, ``bounds``, ``slopes``, ``homogeneous``, ``steepest``,
        ``above_relu``, ``period``, ``tanh``, ``kinks``, ``inflections``, ``exactly``, ``averages``.
    rng : int, numpy.random.Generator or None
        Seed of the 1000 random fields from -1000 to 1000, most of order one; 336 fixed fields and corners are added.

    Returns
    -------
    LawReport

    Raises
    ------
    BrokenLawError
        An AssertionError with every broken law, the field and both values.

    See Also
    --------
    statnn.testing.strategies.activations : draws activations.

    Examples
    --------
    >>> import numpy as np
    >>> from statnn.network import ACTIVATIONS
    >>> from statnn.testing import check_activation
    >>> check_activation(ACTIVATIONS["tanh"], rng=1).names("held")[:3]
    ('elementwise', 'derivative', 'single precision')
    >>> class Wrong:
    ...     odd = True
    ...     def __call__(self, h):
    ...         return np.maximum(h, 0)
    ...     def derivative(self, h):
    ...         return (h > 0) * 1.0
    >>> try:
    ...     check_activation(Wrong(), rng=1)
    ... except AssertionError as broken:
    ...     print(broken)
    Wrong breaks 1 of 17 laws (rng=1 repeats this)
      odd: σ(-h) with -σ(h): at h = -4.22246: 4.22246146 instead of -0, 0 apart are allowed
    """
    if not callable(activation) or not callable(getattr(activation, "derivative", None)):
        raise TypeError(
            f"activation is a {type(activation).__name__}; pass an Activation, or a callable of arrays with a method "
            "derivative"
        )
    seed = seed_of(rng)
    random = numbers_for(seed, "fields")
    wide = np.exp(random.uniform(math.log(1e-3), math.log(1e3), 300)) * random.choice([-1.0, 1.0], 300)
    fields = np.concatenate([random.normal(0, 2, 700), wide, FIELDS, CORNERS, np.negative(CORNERS)])
    return examine(called(activation), _Activation(activation, fields), LAWS, seed)


def _elementwise(s: _Activation) -> str:
    """Compare values of arrays of any shape with each other; all of finite fields are numbers."""
    elementwise(s.sigma, "the activation")
    elementwise(s.sigma.derivative, "the derivative")
    return holds(~np.isnan(s.values), at=s.at, values=s.values, wanted="a number: does it overflow inside?")


def _derivative(s: _Activation) -> str:
    """Compare the derivative with central differences of values."""
    kinks = tuple(getattr(s.sigma, "kinks", ()))
    check(str(getattr(s.sigma, "name", "of your own")), s.sigma, s.sigma.derivative, kinks)
    if isinstance(s.sigma.derivative, Numerical):
        return "found from values, which are smooth beside the kinks"
    return f"{FIELDS.size} fields, to {TOLERANCE:g} of the largest slope"


def _single_precision(s: _Activation) -> str:
    """Compare values of float32 fields with those of the same fields in float64."""
    fields = s.fields[np.abs(s.fields) <= 8].astype(np.float32)
    with np.errstate(all="ignore"):
        narrow, wide = (np.asarray(s.sigma(fields.astype(kind)), dtype=float) for kind in (np.float32, np.float64))
        slope = np.abs(np.asarray(s.sigma.derivative(fields.astype(float)), dtype=float) * fields)
    known = np.isfinite(wide) & np.isfinite(slope)
    allowed = 16 * float(np.finfo(np.float32).eps) * (np.abs(wide) + slope + np.median(np.abs(wide[known])))
    place = lambda i: f"at h = {fields[known][i]:.6g}: "  # noqa: E731 - the fields differ from the others
    return same(narrow[known], wide[known], abs=allowed[known], at=place)


def _odd(s: _Activation) -> str:
    """Compare σ(-h) with -σ(h)."""
    s.fact("odd")
    return same(np.asarray(s.sigma(-s.fields), dtype=float), -s.values, rel=DIGITS, at=s.at)


def _increasing(s: _Activation) -> str:
    """Compare σ of larger fields with σ of smaller ones."""
    s.fact("increasing")
    fields = np.sort(s.fields)
    steps = np.diff(np.asarray(s.sigma(fields), dtype=float))
    return holds(steps >= 0, at=lambda i: f"above h = {fields[i]:.6g}: a step of ", values=steps, wanted=">= 0")


def _bounds(s: _Activation) -> str:
    """Compare all values with the bounds."""
    low, high = s.fact("bounds")
    inside = (s.values >= low) & (s.values <= high)
    return holds(inside, at=s.at, values=s.values, wanted=f"in [{low:g}, {high:g}]")


def _slopes(s: _Activation) -> str:
    """Compare derivative and values below and above zero with straight lines."""
    below, above = s.fact("slopes")
    slope = np.where(s.fields > 0, above, below)
    off = s.fields != 0
    jump = np.sign(s.fields) if below == above == 0 else 0.0
    place = lambda i: s.at((int(np.flatnonzero(off)[i]),))  # noqa: E731 - without zero
    same(np.asarray(s.sigma.derivative(s.fields[off]), dtype=float), slope[off], rel=DIGITS, at=place)
    return same(s.values, slope * s.fields + np.where(off, jump, s.values), rel=DIGITS, at=s.at)


def _homogeneous(s: _Activation) -> str:
    """Compare σ(s h) with s σ(h) for s of 0.001, 0.3 and 700."""
    s.fact("homogeneous")
    rescaled = [np.asarray(s.sigma(scale * s.fields), dtype=float) / scale for scale in (1e-3, 0.3, 700.0)]
    return same(rescaled, np.array([s.values] * 3), rel=DIGITS, abs=1e-300, at=s.at)


def _steepest(s: _Activation) -> str:
    """Compare |σ'| with the largest slope that is stated."""
    most = float(getattr(s.sigma, "steepest", math.inf))
    if not math.isfinite(most):
        raise NotAsked("steepest is not stated")
    slopes = np.abs(np.asarray(s.sigma.derivative(s.fields), dtype=float))
    return holds(slopes <= most * (1 + DIGITS), at=s.at, values=slopes, wanted=f"<= {most:g}")


def _above_relu(s: _Activation) -> str:
    """Compare |σ(h) - max(h, 0)| with its stated bound."""
    most = s.fact("above_relu")
    apart = np.abs(s.values - np.maximum(s.fields, 0))
    return holds(apart <= most * (1 + DIGITS), at=s.at, values=apart, wanted=f"<= {most:g}")


def _period(s: _Activation) -> str:
    """Compare σ(h + period) with σ(h), of fields up to 40."""
    period, near = s.fact("period"), s.fields[np.abs(s.fields) <= 40]
    place = lambda i: f"at h = {near[i]:.6g}: "  # noqa: E731 - the fields differ from the others
    return same(s.sigma(near + period), s.sigma(near), abs=1e-13 * (1 + abs(period)), at=place)


def _tanh(s: _Activation) -> str:
    """Compare σ(h) with a + b tanh(c h)."""
    a, b, c = s.fact("tanh")
    return same(s.values, a + b * np.tanh(c * s.fields), abs=DIGITS * (abs(a) + abs(b)), at=s.at)


def _kinks(s: _Activation) -> str:
    """Compare slopes on both sides of all fields that are not stated kinks."""
    kinks = tuple(getattr(s.sigma, "kinks", ()))
    if not kinks and not getattr(s.sigma, "smooth", False):
        raise NotAsked("kinks are not stated, nor that there are none")
    smooth(s.sigma, "the activation", kinks, float(np.mean(np.abs(s.values[np.abs(s.fields) <= 8]))))
    return f"{FIELDS.size - 1} gaps between fields, narrowed to where they bend"


def _exact(s: _Activation) -> str:
    """Compare values and derivative with those to 400 digits."""
    ask(s.sigma, "exactly", "smooth")
    s.fact("smooth")
    fields = np.concatenate([s.fields[:6], [-30.0, -7.5, -0.2, 0.0, 2.4, 19.0]])
    place = lambda i: f"at h = {fields[i]:.6g}: "  # noqa: E731 - the fields differ from the others
    own = with_digits(400)
    values = [float(s.sigma.exactly(own.mpf(h))) for h in fields]
    slopes = [float(own.diff(s.sigma.exactly, own.mpf(h))) for h in fields]
    same(s.sigma.derivative(fields), slopes, rel=3e-13, abs=1e-320, at=place)
    return same(s.sigma(fields), values, rel=1e-15, abs=1e-320, at=place)


def _inflections(s: _Activation) -> str:
    """Compare σ'' beside each stated inflection on both sides."""
    places = np.asarray(s.fact("inflections"), dtype=float)
    ahead = [s.sigma.derivative(places + step) - s.sigma.derivative(places) for step in (-1e-3, 1e-3)]
    turns = np.sign(ahead[0]) * np.sign(ahead[1])
    return holds(turns > 0, at=lambda i: f"at h = {places[i]:.6g}: ", values=turns, wanted="a turn of the slope")


def _averages(s: _Activation) -> str:
    """Compare Gaussian averages in closed form with sums over 20 000 nodes."""
    forms, z = s.fact("averages"), (NODES[1:] + NODES[:-1]) / 2  # kinks at 0 lie between two nodes
    weight = np.exp(-z * z / 2) * (z[1] - z[0]) / np.sqrt(2 * np.pi)
    q, step = np.array([0.3, 2.0]), 1e-4
    place = lambda i: f"at q = {q[i]:g}: "  # noqa: E731 - of variances
    points = np.sqrt(q)[:, None] * z
    values, slopes = np.asarray(s.sigma(points), dtype=float), np.asarray(s.sigma.derivative(points), dtype=float)
    mean, curve, square = forms.moments(q)
    if np.isfinite(square).all():
        same(square, slopes**2 @ weight, rel=1e-6, at=place)
    fourth = forms.fourth(q)
    if fourth is not None:
        same(fourth, values**4 @ weight, rel=1e-6, at=place)
    up, down = forms.moments(q + step), forms.moments(q - step)
    same(curve, (up[0] - down[0]) / (2 * step), rel=1e-6, abs=1e-9, at=place)
    same(forms.bend(q), (up[1] - down[1]) / (2 * step), rel=1e-6, abs=1e-9, at=place)
    return same(mean, values**2 @ weight, rel=1e-6, at=place)


def _copies(s: _Activation) -> str:
    """Compare pickled and copied activations with the first."""
    return copies(s.sigma)


LAWS = (
    _elementwise, _derivative, _single_precision, _odd, _increasing, _bounds, _slopes, _homogeneous, _steepest,
    _above_relu, _period, _tanh, _kinks, _exact, _inflections, _averages, _copies,
)  # fmt: skip
