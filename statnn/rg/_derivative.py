"""The derivative of a map of which only values are known, and how far it is off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from statnn._arguments import Floats

STEP = 1e-3
"""Step of the numerical derivative, in units of max(1, |K|); Richardson's extrapolation leaves an error of STEP⁴."""
SHORTER, SHORTEST = 8.0 ** -np.arange(22), 5e-12
"""Factors of the steps that are tried, and the shortest one in units of |K|: rounding hides the map below it."""
SETTLED, SMALL = 1e-5, 1e-7
"""Error, relative to a slope or to SMALL of the largest, up to which no shorter steps are taken: a map may bend at
couplings far below one."""
KINK, SEEN = 0.75, 1e-6
"""At a kink, the fraction of the difference of one-sided slopes that remains at half the step; and its least size."""
REMAINS, RISES = 0.3, 0.05
"""Relative change of that difference over an eighth of the step up to which a kink is seen; and of what it becomes at a
cusp, where it rises as over half the step: noise comes as close in one case of a hundred."""
SLOWEST = 0.99
"""Largest factor by which half the step shortens differences of slopes that are taken to vanish with it."""


class _Step(NamedTuple):
    """What is seen of a map over one step; each entry of shape (images, couplings)."""

    slope: Floats
    change: Floats
    """Of central slopes over half the step."""
    bend: Floats
    """Difference of the one-sided slopes, over half the step."""
    kinks: Floats
    """Where that difference hardly fell, or rose, over half the step, or 0."""
    rise: Floats
    """By what factor it rose over half the step there, or 1."""
    lost: Floats
    """Error of the slope from rounding of the map's values."""


def derivative(function: Callable[[Floats], Floats], at: Floats) -> tuple[Floats, Floats]:
    """Return the matrix ∂f_i/∂x_j by central differences, extrapolated once, and its errors.

    Slopes over a step and its half differ by δ ∝ hᵖ. If the map is smooth, p = 2, and the correction δ/3 is more than
    the error; the next step, an eighth, tells p.
    """
    smooth: list[tuple[Floats, Floats]] = []
    kink = np.inf
    steps = _steps(function, at)
    before = here = next(steps)
    for later in steps:
        if smooth and ((later.slope == 0) & (here.slope != 0)).any():
            break  # the step is rounded off
        cusp = here.kinks * here.rise**3  # where it rises as before; noise does not
        if (np.abs(later.kinks - here.kinks) < REMAINS * np.abs(here.kinks)).any() or (
            np.abs(later.kinks - cusp) < RISES * np.abs(cusp)
        ).any():
            kink = min(kink, float(np.abs(here.kinks).max()))
        if np.abs(here.bend).max(initial=0.0) < kink / 2:  # too coarse otherwise to tell that there is none
            error, off = _error(before.change, here.change, later.change), np.abs(here.slope - before.slope)
            noise = np.where(later.change > here.change, later.change / 4, 0.0) + here.lost
            enough = SETTLED * np.maximum(np.abs(here.slope), SMALL * np.abs(here.slope).max(initial=1.0))
            if (error <= enough).all() and (off <= 100 * enough).all():
                return here.slope, error + noise
            smooth.append((here.slope, np.maximum(error, off) + noise))
        before, here = here, later
    if not smooth:
        raise ValueError(
            f"the map has a kink at the couplings {at.tolist()}: slopes on either side differ by {kink:.3g}, and "
            "hardly less over shorter steps, so no derivative is seen there"
        )
    return min(smooth, key=lambda seen: float(seen[1].max()))


def _steps(function: Callable[[Floats], Floats], at: Floats) -> Iterator[_Step]:
    """Yield what is seen over shorter and shorter steps, or raise where no two of them are finite."""
    first = np.asarray(function(at))
    yielded, middle = 0, first.astype(np.float64)
    rounding = 2 * max(np.finfo(np.float64).eps, np.finfo(first.dtype).eps if first.dtype.kind == "f" else 0.0)

    def differences(step: float) -> tuple[Floats, Floats, Floats]:
        """Return central slopes, the differences of the one-sided slopes, and the rounding of slopes."""
        slopes, bends, lost = [], [], []
        for j, x in enumerate(at):
            shift = np.zeros_like(at)
            shift[j] = step * max(1.0, abs(float(x)))
            upper, lower = (np.asarray(function(at + sign * shift), dtype=np.float64) for sign in (1, -1))
            slopes.append((upper - lower) / (2 * shift[j]))
            bends.append((upper - middle - (middle - lower)) / shift[j])
            lost.append(rounding * np.max(np.abs([upper, middle, lower]), axis=0) / shift[j])
        return np.stack(slopes, axis=1), np.stack(bends, axis=1), np.stack(lost, axis=1)

    for step in STEP * SHORTER[SHORTEST * np.minimum(1, np.abs(at)).max() <= STEP * SHORTER]:
        with np.errstate(all="ignore"):
            (coarse, bent, _), (fine, still, lost) = differences(step), differences(step / 2)
            slope = (4 * fine - coarse) / 3
        if not (np.isfinite(slope).all() and np.isfinite(middle).all()):
            continue  # beyond the map's range: couplings may be far below one
        kinks = (np.abs(still) > KINK * np.abs(bent)) & (np.abs(still) > SEEN + lost)
        rise = np.divide(still, bent, out=np.ones_like(still), where=(np.abs(still) > np.abs(bent)) & (bent != 0))
        yielded += 1
        yield _Step(slope, np.abs(fine - coarse), still, np.where(kinks, still, 0.0), rise, lost)
    if yielded < 2:
        raise ValueError(f"the map is not finite within {step:g} of the couplings {at.tolist()}: it has no derivative")


def _error(*changes: Floats) -> Floats:
    """Return the errors of extrapolated slopes from their changes over half a step, eight times that, and an eighth.

    They are doubled where the error falls more slowly than with the square of the step: with its logarithm at worst.
    """
    change = changes[1]
    falls = [np.divide(b, a, out=np.zeros_like(a), where=b < a) for a, b in pairwise(changes)]  # else noise
    share = np.minimum(np.cbrt(np.max(falls, axis=0)), SLOWEST)
    return np.asarray(change / 3 * np.maximum(1, 2 * (4 * share - 1) / (1 - share)))
