"""Derivatives of functions that are known by their values alone.

Differences over twelve steps h, r h, r² h, ... are extrapolated to step zero (Richardson), and the entry of the
table whose neighbours agree best is taken, with its rounding errors counted in; where none is good enough the steps
are made smaller. The same table extrapolates the mean of both sides, which must meet the value in between, so that
features narrower than all steps, jumps and kinks are not taken for smooth. Steps never reach beyond a stated kink:
near one, and at one, differences are one-sided.

Values that have lost their digits, as those of (1 - cos h)/h below 1e-6, are smooth between the jumps of rounding, with
another slope. Where small steps contradict wide ones and there is such a jump in between, the wide ones are right.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from statnn._arguments import Floats

Values: TypeAlias = NDArray[Any]

STEPS, ROUNDS = 12, 8
RATIO = math.exp(-0.5)
"""A fraction such as 3/5 would let a wave fall into step with three or four steps, and pass for smooth."""
LARGEST_STEP = 0.4
ENOUGH = 1e-11
"""Error, relative to |σ| and |σ'|, at which steps are not made smaller any more."""
TRUSTED, AT_KINK = 1e-7, 1e-4
"""Largest trusted error of a slope; at a kink itself, which no average feels, it allows a root such as |h|^1.5."""
APART = 10.0
"""In how many errors slopes over wide and over small steps must agree."""
_HALVINGS = 60
"""Of a step, in the search for a jump: first from the whole step down, then around the place."""
_BLOCK = 2**14
"""Fields that are differentiated at a time."""
_USUAL = np.linspace(-8.013, 8.0, 34)
"""Fields that tell the usual size of |σ|."""
_ROUNDING = np.array([4.0, 24.0])
"""How far rounding grows in the table of central and of one-sided differences: the product of (1+w)/(1-w)."""


@dataclass(frozen=True)
class Numerical:
    """The derivative of a function, from its values: to 1e-10 of the larger of |σ| and |σ'| nearby, where σ is smooth.

    At a kink it is the derivative from the left; NaN where σ or the field is infinite, as on trajectories that diverge.
    """

    name: str
    function: Callable[[Values], Values]
    kinks: tuple[float, ...] = ()

    def __call__(self, fields: Values) -> Values:
        given = np.asarray(fields)
        h = given.astype(float).ravel()
        slope, bad = self.attempt(h)
        if bad.any():
            at = float(h[bad][0])
            advice = "" if at in self.kinks else f", or kinks=[{at:.6g}] if it has a kink there"
            raise ValueError(
                f"activation {self.name!r} has no derivative that could be found from its values at the field {at:.6g}"
                f": pass derivative={advice}"
            )
        return slope.reshape(given.shape).astype(given.dtype if given.dtype.kind == "f" else np.float64)

    def attempt(self, fields: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """Return derivatives at fields, shape (n,), and at which of them none could be found."""
        slope, error, size = slopes(self.function, fields, self.kinks, f"activation {self.name!r}")
        trusted = np.where(np.isin(fields, self.kinks), AT_KINK, TRUSTED)
        return slope, ~np.isnan(slope) & ~(error <= trusted * np.maximum(np.abs(slope), size))


@dataclass(frozen=True)
class AsArray:
    """A function of arrays made from one that returns lists, or numbers other than float64, or fails on empty arrays.

    Its values are floats, in which arithmetic neither overflows as in int8 nor rounds as in float16.
    """

    function: Callable[[Values], Any]

    def __call__(self, fields: Values) -> Values:
        given = np.asarray(fields)
        values = np.asarray(self.function(fields)) if given.size else np.empty(given.shape)
        if values.dtype.kind not in "biuf":
            return values
        return values.astype(np.float32 if given.dtype == np.float32 else np.float64)


def evaluate(function: Callable[[Values], Values], fields: Floats, what: str) -> Values:
    """Return values of the same shape, NaN where the function raises an arithmetic or value error.

    Raises
    ------
    TypeError, ValueError
        If the function changes the shape, or does not return real numbers.
    """
    if not fields.size:
        return np.empty(fields.shape)
    try:
        with np.errstate(all="ignore"):
            values = function(fields.copy())
    except (ArithmeticError, ValueError):
        return _one_by_one(function, fields.ravel(), what).reshape(fields.shape)
    return reals(values, fields.shape, what)


def reals(returned: Any, shape: tuple[int, ...], what: str) -> Values:
    """Return the result of a function as an array, or raise unless it holds real numbers of that shape."""
    if isinstance(returned, np.ma.MaskedArray):
        raise TypeError(f"{what} returns a masked array, whose mask would be lost: return an array, NaN where masked")
    values = np.asarray(returned)
    if values.shape != shape:
        raise ValueError(
            f"{what} maps shape {shape} to {values.shape}; keep the shape (a constant is np.full_like(h, 1.0))"
        )
    if values.dtype.kind not in "biuf":
        raise TypeError(f"{what} returns {values.dtype}; real numbers are needed")
    return values


def _one_by_one(function: Callable[[Values], Values], fields: Floats, what: str) -> Values:
    """Return values where there are any, by halving; at last each field as a pair: arrays of one pass for numbers."""
    if fields.size > 3:
        half = fields.size // 2
        return np.concatenate([evaluate(function, part, what) for part in (fields[:half], fields[half:])])
    values = np.full(fields.size, np.nan)
    for i, field in enumerate(fields):
        with contextlib.suppress(ArithmeticError, ValueError), np.errstate(all="ignore"):
            values[i] = np.asarray(function(np.full(2, field)), dtype=float)[0]
    return values


def precision(values: Values) -> float:
    """Return the distance from 1 to the next number of the type, that of float64 for whole numbers."""
    return max(2.0**-52, float(np.finfo(values.dtype).eps)) if values.dtype.kind == "f" else 2.0**-52


def slopes(
    function: Callable[[Values], Values], fields: Floats, kinks: Sequence[float], what: str
) -> tuple[Floats, Floats, Floats]:
    """Return the derivative at fields, shape (n,), an estimate of its error (inf: none found), and |σ| there.

    It is NaN where the field or σ is infinite, or the field NaN.

    The |σ| returned is at least 1e-4 of its average for |h| <= 8: in tails values have no more digits than that.
    """
    usual = np.abs(evaluate(function, _USUAL, what), dtype=float)
    least = 1e-4 * float(np.mean(usual[np.isfinite(usual)])) if np.isfinite(usual).any() else 0.0
    slope, error, size = np.zeros(fields.size), np.full(fields.size, np.inf), np.zeros(fields.size)
    for begin in range(0, fields.size, _BLOCK):
        part = slice(begin, begin + _BLOCK)
        finite = np.isfinite(fields[part])
        at, side, step = _stencils(np.where(finite, fields[part], 0.0), np.asarray(kinks, dtype=float))
        here = np.where(finite, evaluate(function, at, what), np.inf)
        slope[part][np.isinf(here)] = np.nan
        size[part] = np.maximum(np.abs(here, dtype=float), least)
        left = np.flatnonzero(np.isfinite(here))
        stencil = at[left], here[left], side[left], step[left]
        slope[part][left], error[part][left], size[part][left] = _search(
            function, stencil, size[part][left], least, what
        )
    return slope, error, size


def _search(
    function: Callable[[Values], Values],
    stencil: tuple[Floats, Values, Any, Floats],
    size: Floats,
    least: float,
    what: str,
) -> tuple[Floats, Floats, Floats]:
    """Return derivatives, their errors and |σ| nearby, each (n,), over smaller and smaller steps of the stencil.

    Jumps of at most `least` are rounding of values; larger ones are steps of σ.
    """
    at, here, side, step = stencil
    left = np.arange(at.size)
    slope, error = np.zeros((2, at.size)), np.full((2, at.size), np.inf)
    for k in range(ROUNDS):
        part = at[left], here[left], side[left], step[left] * RATIO ** (k * (STEPS - 3))
        estimates, lost, near = _table(function, *part, size[left], what)
        size[left] = np.maximum(size[left], near)
        better = lost < error[:, left]
        # wide steps are not refined by what contradicts them
        better[1] &= np.abs(estimates[1] - slope[1, left]) <= APART * error[1, left]
        slope[:, left] = np.where(better, estimates, slope[:, left])
        error[:, left] = np.where(better, lost, error[:, left])
        left = left[error[0, left] > ENOUGH * np.maximum(np.abs(slope[0, left]), size[left])]
        if not left.size:
            break
    trusted = error[0] <= TRUSTED * np.maximum(np.abs(slope[0]), size)
    agree = trusted & ~(np.abs(slope[1] - slope[0]) > APART * (error[0] + error[1]))
    left = np.flatnonzero(np.isfinite(error[1]) & ~agree)
    if left.size:
        ends = at[left] + step[left] * np.where(side[left] == 0, [[-1], [1]], side[left])
        left = left[_jumps(function, at[left], ends, slope[:, left], least, what)]
        slope[0, left], error[0, left] = slope[1, left], error[1, left]
    return slope[0], error[0], size


def _jumps(
    function: Callable[[Values], Values], at: Floats, ends: Floats, slope: Floats, most: float, what: str
) -> NDArray[np.bool_]:
    """Return whether σ leaves its tangent for the wider slope by a jump of at most `most`, towards one of the ends."""
    values, apart = evaluate(function, at, what), np.abs(slope[1] - slope[0])
    here, digit = values.astype(float), precision(values) * (np.abs(values) + np.abs(slope[1] * at))

    def off(x: Floats) -> Floats:
        return np.asarray(evaluate(function, x, what).astype(float) - here - slope[0] * (x - at))

    def beyond(x: Floats) -> NDArray[np.bool_]:
        return np.asarray(np.abs(off(x)) > apart / 4 * np.abs(x - at))

    with np.errstate(all="ignore"):
        away = (ends - at) * 0.5 ** np.arange(_HALVINGS)[:, None, None]
        nearest = _HALVINGS - 1 - np.argmax(beyond(at + away)[::-1], axis=0)
        high = at + np.take_along_axis(away, nearest[None], axis=0)[0]
        low = at + (high - at) / 2
        for _ in range(_HALVINGS):
            middle = low / 2 + high / 2
            gone = beyond(middle)
            low, high = np.where(gone, low, middle), np.where(gone, middle, high)
        jump = np.abs(off(high) - off(low))
        sudden = jump > apart / 10 * np.abs(high - at) + 4 * digit
        return np.asarray((sudden & (jump <= most)).any(axis=0))


def _stencils(fields: Floats, kinks: Floats) -> tuple[Floats, NDArray[np.int64], Floats]:
    """Return where to differentiate, from which side (0: both), and the largest step, short of the next kink."""
    at = np.where(np.isin(fields, kinks), np.nextafter(fields, -np.inf), fields)
    ends = np.concatenate([[-np.inf], np.sort(kinks), [np.inf]])
    above = np.searchsorted(ends[1:], at)
    most = LARGEST_STEP * np.maximum(1.0, np.abs(at) / 4)
    left, right = np.minimum(0.95 * (at - ends[above]), most), np.minimum(0.95 * (ends[above + 1] - at), most)
    narrow, wide = np.minimum(left, right), np.maximum(left, right)
    both = narrow >= 0.25 * wide
    side = np.where(both, 0, np.where(left > right, -1, 1))
    return at, side, np.where(both, narrow, wide)


def _table(
    function: Callable[[Values], Values], at: Floats, here: Values, side: Any, step: Floats, size: Floats, what: str
) -> tuple[Floats, Floats, Floats]:
    """Return the best entries of the table of extrapolated differences, (2, n), their errors, and |σ| at the last step.

    The second row, of which two columns of the table are enough, is blind to what steps miss between their ends.
    """
    h = step * RATIO ** np.arange(STEPS)[:, None]
    above, below = np.where(side < 0, at, at + h), np.where(side > 0, at, at - h)
    values = evaluate(function, np.stack([above, below]), what)
    eps, middle = precision(values), here.astype(float)
    over, under = values.astype(float)
    best, lost = np.zeros((2, at.size)), np.full((2, at.size), np.inf)
    each = np.arange(at.size)
    with np.errstate(all="ignore"):
        rows = (over - under) / (above - below)
        means = np.where(side == 0, over / 2 + under / 2, middle)
        grown = eps * _ROUNDING[np.abs(side)] * np.fmax(np.abs(over), np.abs(under)) / h
        argument = eps * _ROUNDING[np.abs(side)] * np.abs(at) / h  # fields themselves are rounded
        for j in range(1, STEPS):
            w = np.where(side == 0, RATIO ** (2 * j), RATIO**j)
            finer = rows[1:] + (rows[1:] - rows[:-1]) * w / (1 - w)
            means = means[1:] + (means[1:] - means[:-1]) * w / (1 - w)
            if j > 1:
                apart = np.maximum(np.abs(finer - rows[1:]), np.abs(finer - rows[:-1]))
                error = apart + grown[j:] + argument[j:] * np.abs(finer)
                error[~np.isfinite(error)] = np.inf
                missed = np.abs(means - middle)  # by steps too wide to see it
                certain = np.where(missed <= TRUSTED * size, error + missed / h[j:], np.inf)
                for kind, errors in enumerate([certain, error] if j % 4 == 0 else [certain]):
                    i = np.argmin(errors, axis=0), each
                    better = errors[i] < lost[kind]
                    best[kind] = np.where(better, finer[i], best[kind])
                    lost[kind] = np.where(better, errors[i], lost[kind])
            rows = finer
        near = np.fmax(np.abs(over[-1]), np.abs(under[-1]))
    return best, lost, np.where(np.isfinite(near), near, 0.0)
