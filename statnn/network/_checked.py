"""Checks that a function can serve as an activation, and that a stated derivative is its derivative.

Everything is tried once, when an `Activation` is made, at fields from -1000 to 1000.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from statnn._arguments import Floats
from statnn.network._differences import TRUSTED, AsArray, Numerical, Values, evaluate, precision, reals, slopes

TOLERANCE = 1e-6
"""How far a stated derivative may be off, relative to the larger of |σ'(h)| and the largest slope for |h| <= 1."""
_NEAR = 8.0
"""|h| up to which fields are of order one."""
_FINITE = 100.0
"""|h| up to which a derivative must be finite."""
_FAINT = 1e-9
"""Largest error of a numerical derivative, relative to |σ| and |σ'|, that counts as good."""
_JUMP = 1e-7
"""Share of the mean size of values below which a jump is rounding."""
_ADVICE = "numpy.vectorize(f, otypes=[float]) makes one of a function of single numbers"


def _fields() -> Floats:
    """Return fields, dense where they are of order one; the two signs interleave."""
    inner = _NEAR * (np.arange(-128, 128) + 0.3771) / 128.31
    outer = 1e-3 * 1.4142 ** np.arange(40) * 1.0317
    return np.sort(np.concatenate([inner, outer, -0.9731 * outer]))


FIELDS = _fields()
BETWEEN = np.linspace(-_NEAR, _NEAR, 4097)
BESIDE = np.array([side * 4.0**-j for side in (-1, 1) for j in range(3, 11)])
"""Distances from zero and from a stated kink, relative to it where it is larger than 1."""
CLOSE = 4.0**-7
"""Distance within which a function may cancel: differences over much less than the distance have no digits there."""
_STEP = 2.0**-20
_DOUBTFUL = 512
"""Most doubtful fields at which the slope is computed accurately."""


@dataclass(frozen=True)
class _Scale:
    """What slopes are compared with: the largest for |h| <= 1, and the precision of the values they come from."""

    unit: float
    eps: float

    def of(self, slope: Floats) -> Floats:
        return np.maximum(np.abs(slope), self.unit)


def _trusted(fields: Floats, differences: tuple[Floats, Floats, Floats], eps: float) -> NDArray[np.bool_]:
    """Return which differences have enough digits to decide; far out, in single precision, they may miss a wave."""
    slope, error, size = differences
    most = np.where(np.abs(fields) <= _NEAR, max(TOLERANCE, 256 * eps), TOLERANCE)
    return np.asarray(error <= most * np.maximum(np.abs(slope), size))


def check(
    name: str, function: Callable[[Values], Values], derivative: Callable[[Values], Values], kinks: tuple[float, ...]
) -> None:
    """Raise unless both are elementwise functions of arrays and one is the derivative of the other.

    Raises
    ------
    TypeError, ValueError
        Names the field and the two values where the derivative is wrong.
    """
    what = f"activation {name!r}"
    values = elementwise(function, what)
    numerical = isinstance(derivative, Numerical)
    if numerical:
        inside = np.isfinite(values) & (np.abs(FIELDS) <= _NEAR)
        smooth(function, what, kinks, float(np.mean(np.abs(values[inside], dtype=float))) if inside.any() else 0.0)
    slope, error, size = slopes(function, FIELDS, kinks, what)
    if numerical:
        reach = np.maximum(np.abs(slope), size)
        poor = np.isfinite(values) & (np.abs(FIELDS) < _NEAR) & ~(error <= _FAINT * reach)
        if np.mean(poor[np.abs(FIELDS) < _NEAR]) > 0.05:
            at = int(np.argmax(poor))
            raise ValueError(
                f"{what} cannot be differentiated from its values: at the field {FIELDS[at]:.6g} the error is "
                f"{error[at]:.1g} of a slope of {slope[at]:.6g}; return float64, in a form that does not cancel "
                "(1/cosh(h)**2, not 1 - tanh(h)**2), or pass derivative="
            )
        return
    derived = elementwise(derivative, f"derivative of {what}")
    differences, eps = (slope, error, size), precision(values)
    near = _trusted(FIELDS, differences, eps) & (np.abs(FIELDS) <= 1)
    scale = _Scale(float(np.max(np.abs(slope), initial=0.0, where=near)), eps)
    _compare(what, FIELDS, derived, differences, scale)
    _between(what, function, derivative, kinks, scale)
    _beside(what, function, derivative, kinks, scale)
    _finite_at_kinks(what, function, derivative, kinks)


def _compare(
    what: str, fields: Floats, derived: Values, differences: tuple[Floats, Floats, Floats], scale: _Scale
) -> None:
    """Raise, naming the field at which a derivative is most wrong, among fields of order one if it is wrong there."""
    slope, error, _ = differences
    with np.errstate(all="ignore"):
        off = np.abs(derived.astype(float) - slope)
        subnormal = np.finfo(float).tiny  # values below are steps
        allowed = (TOLERANCE + 4 * precision(derived)) * scale.of(slope) + 10 * error + subnormal
        wrong = _trusted(fields, differences, scale.eps) & ~(off <= allowed)
        wrong &= np.isfinite(derived) | (np.abs(fields) <= _FINITE)
        by = np.where(wrong, np.nan_to_num(off / (scale.of(slope) + error), nan=np.inf), 0.0)
    if not wrong.any():
        return
    near = np.where(np.abs(fields) <= _NEAR, by, 0.0)
    at = int(np.argmax(near if near.any() else by))
    raise ValueError(
        f"derivative of {what} is wrong at the field {fields[at]:.6g}: it returns {float(derived[at]):.9g}, while "
        f"central differences of the function give {slope[at]:.9g}; pass the derivative of this very function, or "
        "derivative=None to have it found numerically"
    )


def _between(
    what: str,
    function: Callable[[Values], Values],
    derivative: Callable[[Values], Values],
    kinks: tuple[float, ...],
    scale: _Scale,
) -> None:
    """Raise where the derivative is wrong between the other fields, or at a round number.

    A single difference shows where it may be wrong; only there is the slope computed accurately.
    """
    derived = evaluate(derivative, BETWEEN, f"derivative of {what}")
    step = _STEP * (scale.eps * 2.0**52) ** (1 / 3)
    above, below = BETWEEN + step, BETWEEN - step
    with np.errstate(all="ignore"):
        over, under = evaluate(function, np.stack([above, below]), what).astype(float)
        slope = (over - under) / (above - below)
        off = np.abs(derived.astype(float) - slope)
        doubtful = np.isfinite(slope) & ~(off <= TOLERANCE * scale.of(slope)) & ~np.isin(BETWEEN, kinks)
        off = np.where(doubtful, np.nan_to_num(off / scale.of(slope), nan=np.inf), -1.0)
    worst = np.sort(np.argsort(off)[-min(_DOUBTFUL, int(doubtful.sum())) :]) if doubtful.any() else np.empty(0, int)
    if worst.size:
        fields = BETWEEN[worst]
        _compare(what, fields, derived[worst], slopes(function, fields, kinks, what), scale)


def _beside(
    what: str,
    function: Callable[[Values], Values],
    derivative: Callable[[Values], Values],
    kinks: tuple[float, ...],
    scale: _Scale,
) -> None:
    """Raise where the derivative is wrong beside zero or a kink; close to these, if by more than a hundredth."""
    places = np.unique([0.0, *kinks])[:, None]
    reach = np.maximum(1.0, np.abs(places)) * BESIDE
    fields, steps = (places + reach).ravel(), np.abs(reach).ravel() / 8
    close, apart = np.tile(np.abs(BESIDE) < CLOSE, len(places)), ~np.isin(fields, kinks)
    far = fields[apart & ~close]
    _compare(what, far, evaluate(derivative, far, what), slopes(function, far, kinks, what), scale)

    def secant(h: Floats, step: Floats) -> tuple[Floats, Floats]:
        """Return the slope of the secant, and how far rounding moves it."""
        values = evaluate(function, np.stack([h + step, h - step]), what)
        over, under = values.astype(float)
        size = np.maximum(np.abs(over), np.abs(under))
        return np.asarray((over - under) / ((h + step) - (h - step))), 4 * precision(values) * size / step

    with np.errstate(all="ignore"):
        (slope, rounding), *finer = (secant(fields, part) for part in (steps, steps / 2, steps / 4))
        change = np.abs([other - slope for other, _ in finer]).max(axis=0)
    decisive = apart & close & (change <= 0.01 * np.abs(slope))  # no wave is finer
    fields, slope = fields[decisive], slope[decisive]
    error = 1e-3 * scale.of(slope) + rounding[decisive]
    size = np.full(slope.shape, np.inf)
    _compare(what, fields, evaluate(derivative, fields, what), (slope, error, size), scale)


def elementwise(function: Callable[[Values], Values], what: str) -> Values:
    """Return values at all fields; raise unless each depends on its own field alone."""
    failure: Exception | None = None
    for fields in (FIELDS, FIELDS.reshape(4, -1), FIELDS[0]):
        given = np.array(fields)
        try:
            with np.errstate(all="ignore"):
                result = function(given)
        except (ArithmeticError, ValueError) as error:  # perhaps at some fields only
            failure = error
        except Exception as error:
            raise TypeError(
                f"{what} fails on fields of shape {given.shape}{_cause(error)}: pass a function of arrays of any "
                f"shape; {_ADVICE}"
            ) from error
        else:
            reals(result, given.shape, what)
        if not np.array_equal(given, fields):
            raise ValueError(f"{what} changes the fields that it is given: return a new array")
    values = evaluate(function, FIELDS, what)
    kept = values.copy()
    evaluate(function, -FIELDS, what)
    if not np.array_equal(values, kept, equal_nan=values.dtype.kind == "f"):
        raise ValueError(f"{what} returns memory that its next call overwrites: return a new array")
    if not np.isfinite(values).any():
        raise ValueError(
            f"{what} has a finite value at none of {FIELDS.size} fields from -1000 to 1000{_cause(failure)}: pass a "
            f"function of arrays; {_ADVICE}"
        ) from failure
    some = evaluate(function, FIELDS[-2::-3].reshape(2, -1), what).ravel()
    size = float(np.median(np.abs(values[np.isfinite(values)], dtype=float)))
    with np.errstate(all="ignore"):
        alike = np.isclose(some, values[-2::-3], rtol=1e-6, atol=1e-6 * size, equal_nan=True)
    if not alike.all():
        at = int(np.argmin(alike))
        raise ValueError(
            f"{what} is not elementwise: at the field {FIELDS[-2::-3][at]:.6g} it gives {values[-2::-3][at]} or "
            f"{some[at]}, by what other fields stand beside it; each value must depend on its own field alone "
            "(numpy.vectorize needs otypes=[float])"
        )
    return values


def of_arrays(function: Callable[[Values], Values]) -> Callable[[Values], Values]:
    """Return a function that was checked as one that returns arrays of floats, even for no fields."""
    try:
        with np.errstate(all="ignore"):
            function(np.empty(0))
    except Exception:  # noqa: BLE001 - numpy.vectorize without otypes, a maximum of nothing
        return AsArray(function)
    for field in FIELDS[::16]:
        with contextlib.suppress(ArithmeticError, ValueError), np.errstate(all="ignore"):
            result = function(np.full((2, 2), field))
            return function if type(result) is np.ndarray and result.dtype == np.float64 else AsArray(function)
    return function


def _cause(error: Exception | None) -> str:
    return "" if error is None else f" ({type(error).__name__}: {str(error).partition(chr(10))[0]})"


def smooth(function: Callable[[Values], Values], what: str, kinks: tuple[float, ...], size: float) -> None:
    """Raise if the function, whose values are of this size, has a kink or a jump that is not stated.

    Every gap between fields is narrowed to where the function bends most. At a kink the slopes on its two sides differ
    by the same amount however narrow the gap; elsewhere the difference is proportional to the gap.
    """
    beside = [k + side * 1e-7 * max(1.0, abs(k)) for k in kinks for side in (-1, 1)]
    edges = np.unique(np.concatenate([FIELDS, beside]))
    free = np.searchsorted(kinks, edges[1:], side="right") == np.searchsorted(kinks, edges[:-1])
    low, high = edges[:-1][free], edges[1:][free]
    least = 1e-7 * np.maximum(1.0, np.abs(low))
    wide = _bend(function, what, *_narrowed(function, what, low, high, least))[0]
    low, high = _narrowed(function, what, low, high, least / 100)
    bend, steep, eps = _bend(function, what, low, high)
    values = np.abs(evaluate(function, low, what).astype(float))
    terms = np.fmax(size * np.maximum(1.0, np.abs(low) / _NEAR), values)  # they may grow as h
    terms = np.fmax(terms, _steepest_nearby(function, what, edges)[free] * np.abs(low))  # fields are rounded
    rounding = 32 * eps * terms / (high - low)
    kink = (bend > 1e-4 * steep + rounding) & (bend > 0.25 * wide)
    # at a jump the slope within the gap grows as the gap narrows; so does that of rounding, where terms cancel
    kink &= (bend < 4 * wide) | (bend * (high - low) > max(_JUMP, 256 * eps) * size)
    if kink.any():
        at = int(np.argmin(np.where(kink, np.abs(low), np.inf)))
        ends = np.array([low[at] - least[at], low[at], high[at], high[at] + least[at]])
        values = evaluate(function, ends, what).astype(float)
        left, right = (np.diff(values) / np.diff(ends))[::2] + 0.0
        place = float(np.round(ends[1:3].mean(), 6)) + 0.0
        raise ValueError(
            f"{what} has a kink or a jump near the field {place:.6g}: value {values[1]:.6g} and slope {left:.6g} on "
            f"the left, {values[2]:.6g} and {right:.6g} on the right; state all of them, kinks=[{place:.6g}, ...]"
        )


def _steepest_nearby(function: Callable[[Values], Values], what: str, edges: Floats) -> Floats:
    """Return for each gap the largest slope over it and its 16 neighbours on either side."""
    with np.errstate(all="ignore"):
        slope = np.abs(np.diff(evaluate(function, edges, what).astype(float)) / np.diff(edges))
    slope[~np.isfinite(slope)] = 0.0
    return np.asarray(sliding_window_view(np.pad(slope, 16), 33).max(axis=1))


def _narrowed(
    function: Callable[[Values], Values], what: str, low: Floats, high: Floats, least: Floats
) -> tuple[Floats, Floats]:
    """Return the ends of gaps no wider than `least`, each in a given gap and around where the function bends most."""
    while (high - low > least).any():
        points = low + (high - low) / 4 * np.arange(5)[:, None]
        values = evaluate(function, points, what).astype(float)
        with np.errstate(all="ignore"):
            bend = np.abs(values[:-2] - 2 * values[1:-1] + values[2:])
        bend[~np.isfinite(bend)] = -1.0
        i = np.argmax(bend, axis=0), np.arange(low.size)
        open_ = high - low > least
        low, high = np.where(open_, points[:-2][i], low), np.where(open_, points[2:][i], high)
    return low, high


def _bend(function: Callable[[Values], Values], what: str, low: Floats, high: Floats) -> tuple[Floats, Floats, float]:
    """Return the difference of the slopes in the two halves of gaps, the larger slope, and the precision of values."""
    points = np.stack([low, (low + high) / 2, high])
    values = evaluate(function, points, what)
    with np.errstate(all="ignore"):
        left, right = np.diff(values.astype(float), axis=0) / np.diff(points, axis=0)
        return np.nan_to_num(np.abs(right - left)), np.fmax(np.abs(left), np.abs(right)), precision(values)


def _finite_at_kinks(
    what: str,
    function: Callable[[Values], Values],
    derivative: Callable[[Values], Values],
    kinks: tuple[float, ...],
) -> None:
    """Raise where the derivative is not finite although the function has a slope on the left: fields can fall there."""
    places = np.unique([0.0, *kinks])
    slope, error, size = slopes(function, places, tuple(places), what)
    derived = evaluate(derivative, places, f"derivative of {what}")
    bad = (error <= TRUSTED * np.maximum(np.abs(slope), size)) & np.isfinite(evaluate(function, places, what))
    bad &= ~np.isfinite(derived)
    if bad.any():
        at = int(np.argmax(bad))
        raise ValueError(
            f"derivative of {what} is {float(derived[at])} at the field {places[at]:.6g}, where fields can be: return "
            f"a finite number there, for example the slope from the left, {slope[at]:.6g}"
        )
