r"""Fixed points of the mean-field maps of many random layers at once.

The variance goes from `start` up or down to the next fixed point: V(q) - q is followed along a grid until it changes
sign. The correlation c* = 1-e solves ψ(e) = σ_w² G(e)/(q* e) = 1. E φ(x)φ(y) is a power series in c with coefficients
>= 0, so the map of c is convex on [0, 1]: c* = 1 is the only fixed point there for χ = ψ(0) <= 1, and for χ > 1 there
is exactly one more, which attracts [exact].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from enum import StrEnum

import numpy as np

from statnn._arguments import Floats, Ints
from statnn.rg.wide._averages import LARGEST, Averages
from statnn.rg.wide._roots import flattest, roots

PER_DECADE = 8
LOWEST = 1e-18
"""A smaller variance without bias counts as zero."""
JUMP = 1e-6
"""Relative distance beyond a fixed point from which on a layer has jumped over it."""
CRITICAL = 1e-10
"""Distance of χ from 1 up to which it counts as critical."""
ROUNDING = 4e-16
CLOSER = 4
"""How often points are put where a function nearly turns between its neighbours."""
UNCLEAR = 1e-15
"""Least relative change of a variance in a layer whose sign is beyond rounding."""
FARTHER = 1e16, 1e20, 1e24
"""Larger variances at which limits are sought that are not reached at the largest of the usual ones."""


class VarianceEnd(StrEnum):
    """How the variance ends."""

    CONVERGED = "fixed point that attracts"
    REPELLING = "fixed point that repels: the variance leaves it"
    INVARIANT = "every variance is a fixed point: the map keeps all scales"
    UNBOUNDED = "no fixed point: the variance grows without bound"


class Phase(StrEnum):
    """Fate of two inputs."""

    ORDERED = "ordered"
    CRITICAL = "critical"
    CHAOTIC = "chaotic"
    UNBOUNDED = "unbounded"


OUTCOMES = tuple(VarianceEnd)
PHASES = tuple(Phase)


@dataclass(frozen=True)
class Solution:
    """Results of `solve` for n layers, shape (n,) each; `outcome` and `phase` index the tuples OUTCOMES and PHASES."""

    variance: Floats
    slope: Floats
    chi: Floats
    gap: Floats
    correlation_slope: Floats
    residual: Floats
    outcome: Ints
    phase: Ints


def joined(parts: Sequence[Solution]) -> Solution:
    """Return the solutions of several groups of layers as one."""
    names = [field.name for field in fields(Solution)]
    return Solution(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def solve(of: Averages, weights: Floats, biases: Floats, start: float, *, relative: float = 1e-15) -> Solution:
    """Return fixed points for σ_w² in `weights` and σ_b² in `biases`, reached by the variance from `start`."""
    if of.homogeneous:
        return _homogeneous(of, weights, biases, start)
    return described(of, weights, biases, _reached(of, weights, biases, start, relative), relative=relative)


def _reached(of: Averages, weights: Floats, biases: Floats, start: float, relative: float) -> Floats:
    """Return the variances reached; inf if they grow without bound."""
    low, high, bounded = _walk(of, weights, biases, start)
    q = np.full(weights.size, np.inf)
    at = np.flatnonzero(bounded)

    def gap(x: Floats, which: Ints) -> Floats:
        return weights[at[which]] * of.moments(x).square + biases[at[which]] - x

    if at.size:
        q[at] = roots(gap, low[at], high[at], relative=relative)
    for i, landed in zip(*_jumped(of, weights, biases, start, q), strict=True):
        q[i] = _reached(of, weights[i : i + 1], biases[i : i + 1], landed, relative)[0]
    return q


def _jumped(of: Averages, weights: Floats, biases: Floats, start: float, q: Floats) -> tuple[Ints, Floats]:
    """Return which variances jump in one layer over the next fixed point q and another one, and where they land.

    M √q never falls, so a jump over a fixed point at most halves the distance in ln q: without another fixed point in
    between, it is reached all the same [exact].
    """
    landed = weights * of.moments(np.array([start])).square + biases
    with np.errstate(invalid="ignore"):
        over = np.isfinite(q) & (q > 0) & ((landed / np.where(q > 0, q, 1) - 1) * np.sign(q - start) > JUMP)
    at = np.flatnonzero(over)
    if not at.size:
        return at, landed[at]
    grid = q[at, None] * (landed[at] / q[at])[:, None] ** (np.arange(1, 9) / 8)
    left = weights[at, None] * of.moments(grid.ravel()).square.reshape(grid.shape) + biases[at, None] - grid
    lost = (left * np.sign(landed[at] - q[at])[:, None] > 0).any(axis=1)
    return at[lost], landed[at[lost]]


def described(of: Averages, weights: Floats, biases: Floats, q: Floats, *, relative: float = 1e-15) -> Solution:
    """Return the solutions at fixed points q of the variance; inf where it has no bound."""
    bounded = np.isfinite(q)
    mean, curve, squared = of.moments(np.where(bounded, q, 1.0))
    with np.errstate(invalid="ignore"):
        slope, chi = weights * curve, np.where(weights > 0, weights * squared, 0.0)
    some = bounded & (q > 0)
    residual = np.where(bounded, 0.0, np.inf)
    residual[some] = np.abs((weights * mean + biases - q)[some]) / q[some]
    outcome = np.where(bounded, np.where(slope > 1 + CRITICAL, 1, 0), 3)
    e, steep = _correlations(of, weights, q, chi, some, relative)
    if not bounded.all():
        growth, square, steep[~bounded] = limits(of)
        slope[~bounded], chi[~bounded] = weights[~bounded] * growth, weights[~bounded] * square
    phase = np.select(
        [~bounded, np.abs(chi - 1) <= CRITICAL, chi < 1],
        [PHASES.index(p) for p in (Phase.UNBOUNDED, Phase.CRITICAL, Phase.ORDERED)],
        PHASES.index(Phase.CHAOTIC),
    )
    return Solution(q, slope, chi, e, steep, residual, outcome, phase)


def refined(
    of: Averages, grid: Floats, curve: Callable[[Floats, Floats], tuple[Floats, Floats, Floats]]
) -> tuple[Floats, Floats]:
    """Return variances with more of them where functions nearly turn between neighbours, and the averages there.

    Parameters
    ----------
    of : Averages
        Of the activation.
    grid : ndarray, shape (points,)
        Variances in ascending or descending order, which is kept.
    curve : callable
        ``curve(q, values)``: functions, slopes and sizes for `flattest`, at variances q with these averages.
    """
    values = np.array(of.moments(grid))
    for _ in range(CLOSER):
        with np.errstate(all="ignore"):  # where functions are not finite, there is no cubic
            more = np.unique(flattest(grid, *curve(grid, values)))
        if not more.size:
            break
        order = np.argsort(np.append(grid, more) * np.sign(grid[-1] - grid[0]))
        grid, values = np.append(grid, more)[order], np.append(values, np.array(of.moments(more)), axis=1)[:, order]
    return grid, values


def variances(of: Averages, weight: float, bias: float, grid: Floats) -> Floats:
    """Return all q > 0 of one layer where V(q) - q changes sign along a grid, or within a cell of it."""

    def turn(x: Floats, which: Ints) -> Floats:  # noqa: ARG001 - one function in many brackets
        return np.asarray(weight * of.moments(x).slope - 1)

    def gap(x: Floats, which: Ints) -> Floats:  # noqa: ARG001
        return np.asarray(weight * of.moments(x).square + bias - x)

    def curve(q: Floats, values: Floats) -> tuple[Floats, Floats, Floats]:
        return weight * values[0] + bias - q, weight * values[1] - 1, q

    grid, values = refined(of, grid, curve)
    every = np.arange(grid.size)
    steep = np.sign(weight * values[1] - 1)
    cell = np.flatnonzero(steep[:-1] * steep[1:] < 0)
    if cell.size:
        grid = np.unique(np.append(grid, roots(turn, grid[cell], grid[cell + 1])))
    left = gap(grid, every)
    clear = np.abs(left) > UNCLEAR * grid
    grid, left = grid[clear], left[clear]
    at = np.flatnonzero(np.sign(left[:-1]) * np.sign(left[1:]) < 0)
    crossings = roots(gap, grid[at], grid[at + 1]) if at.size else np.empty(0)
    return np.sort(crossings)


def _homogeneous(of: Averages, weights: Floats, biases: Floats, start: float) -> Solution:
    """Return the fixed points of φ(sh) = sφ(h), for which V(q) = r q + σ_b²."""
    r = weights * of.moments(np.ones(1)).slope
    even = np.abs(r - 1) <= ROUNDING
    kept = even & (biases == 0)
    bounded = (r < 1) & ~even
    with np.errstate(divide="ignore"):
        q = np.where(kept, start, np.where(bounded, biases / np.where(bounded, 1 - r, 1.0), np.inf))
    r = np.where(even, 1.0, r)
    outcome = np.select([kept, bounded], [OUTCOMES.index(o) for o in (VarianceEnd.INVARIANT, VarianceEnd.CONVERGED)], 3)
    phase = np.select([kept, bounded], [PHASES.index(p) for p in (Phase.CRITICAL, Phase.ORDERED)], 3)
    with np.errstate(invalid="ignore", divide="ignore"):
        residual = np.where(bounded & (q > 0), np.abs(r * q + biases - q) / q, np.where(bounded | kept, 0.0, np.inf))
    return Solution(q, r, r.copy(), np.zeros(r.size), np.where(bounded, r, 1.0), residual, outcome, phase)


def _walk(of: Averages, weights: Floats, biases: Floats, start: float) -> tuple[Floats, Floats, np.ndarray]:
    """Return brackets of the variance and whether it is bounded; both ends are zero if it vanishes."""
    low, high = np.full(weights.size, start), np.full(weights.size, start)
    bounded = np.ones(weights.size, dtype=bool)
    with np.errstate(over="ignore"):  # only the sign of an infinite value counts
        first = weights * of.moments(np.array([start])).square + biases - start
    least = of.moments(np.array([1e-300])).square[0]  # not zero for sign and sigmoid
    for up in (True, False):
        going, q = np.flatnonzero(first > 0 if up else first < 0), start
        while going.size:
            grid = np.asarray(q * 10.0 ** ((1 if up else -1) / PER_DECADE * np.arange(PER_DECADE + 1)), dtype=float)
            if not of.bounded:
                grid = np.minimum(grid, max(of.reach, start))
            near, far = crossing(of, weights[going], biases[going], grid, 1 if up else -1)
            done = far > 0
            low[going[done]], high[going[done]] = np.minimum(near, far)[done], np.maximum(near, far)[done]
            going, q = going[~done], float(grid[-1])
            if going.size and up and not of.bounded and q >= of.reach:
                _refuse_unknown(of, weights[going], biases[going], q)
                bounded[going] = False
                break
            if not up and q < LOWEST:
                dead = (biases[going] == 0) & (weights[going] * least < LOWEST * q) & (least < LOWEST**2)
                low[going[dead]] = high[going[dead]] = 0.0
                going = going[~dead]
                if q < 1e-300:
                    low[going], high[going] = 0.0, q
                    break
    return low, high, bounded


def crossing(of: Averages, weights: Floats, biases: Floats, grid: Floats, sign: int) -> tuple[Floats, Floats]:
    """Return the cells (near, far) of a grid in which V(q) - q, of given sign at first, first reaches zero; or zeros.

    Cells in which it turns around before it reaches zero are searched, so that a pair of fixed points within one cell
    is not missed.
    """

    def curve(q: Floats, values: Floats) -> tuple[Floats, Floats, Floats]:
        with np.errstate(over="ignore"):  # only the sign of an infinite value counts
            return weights[:, None] * values[0] + biases[:, None] - q, weights[:, None] * values[1] - 1, q

    grid, values = refined(of, grid, curve)
    left, steep, _ = curve(grid, values)
    crossed = sign * left[:, 1:] <= -UNCLEAR * grid[1:]
    row, cell = np.nonzero(~crossed & (steep[:, :-1] < 0) & (steep[:, 1:] > 0))
    far = np.broadcast_to(grid[1:], crossed.shape).copy()
    if row.size:

        def turn(x: Floats, which: Ints) -> Floats:
            return weights[row[which]] * of.moments(x).slope - 1

        at = roots(turn, grid[cell], grid[cell + 1])
        beyond = sign * (weights[row] * of.moments(at).square + biases[row] - at) <= -UNCLEAR * at
        crossed[row[beyond], cell[beyond]], far[row[beyond], cell[beyond]] = True, at[beyond]
    every, first = np.arange(len(weights)), crossed.argmax(axis=1)
    reached = crossed[every, first]
    there = sign * left[every, first] <= 0  # to rounding, on the grid
    near = np.where(reached, grid[first], 0.0)
    return near, np.where(reached & ~there, far[every, first], near)


def _refuse_unknown(of: Averages, weights: Floats, biases: Floats, q: float) -> None:
    """Refuse layers whose variance still grows at q, but by the limit of M/q does not grow for ever."""
    ends = weights * limits(of)[0] < 1 - CRITICAL
    if ends.any():
        raise ValueError(
            f"the variance ends above {q:g} (for sigma_w = {weights[ends][0] ** 0.5:g}, sigma_b = "
            f"{biases[ends][0] ** 0.5:g}), where averages of this activation cannot be computed: take smaller scales"
        )


def limits(of: Averages) -> tuple[float, float, float]:
    """Return the limits of M/q, D and qD/M as q → ∞: growth of the variance, χ and the slope at c = 1, each over σ_w².

    Read off at the largest variances that can be computed, with corrections in powers of q^(-1/2) removed; if values do
    not settle there, variances far beyond are tried, and if they still grow or fall the limit is inf or zero. Where no
    variance beyond can be computed, that is known only of M that has ended, or is huge.
    """
    readings = _read_off(of, of.reach)
    if of.reach < LARGEST and readings[0][0] is None:
        last, before = of.moments(of.reach / np.array([1.0, 4.0])).square
        if last < LARGEST and abs(last - before) > 1e-6 * last:
            raise ValueError(
                f"averages of this activation can be computed up to the variance {of.reach:g}, where E φ²/q has not "
                "settled: what signals of larger variance do is unknown; take smaller scales"
            )
    for far in FARTHER if of.reach == LARGEST else ():
        if all(limit is not None for limit, _ in readings):
            break
        with suppress(ValueError):
            readings = [new if old[0] is None else old for old, new in zip(readings, _read_off(of, far), strict=True)]
    growth, chi, slope = (fallback if limit is None else limit for limit, fallback in readings)
    return growth, chi, 1.0 if abs(slope - 1) <= CRITICAL else slope  # of functions that end as lines


def _read_off(of: Averages, far: float) -> list[tuple[float | None, float]]:
    """Return each limit, None if it is not reached yet, and its value if it is never reached."""
    q = far / np.array([1.0, 4.0, 16.0, 64.0])
    mean, _, square = of.moments(q)
    return [_limit(mean / q), _limit(square), _limit(q * square / mean) if mean.all() else (0.0, 0.0)]


def _limit(values: Floats) -> tuple[float | None, float]:
    with np.errstate(over="ignore", invalid="ignore"):
        first = 2 * values[:-1] - values[1:]
        second = (4 * first[:-1] - first[1:]) / 3
        third = (8 * second[0] - second[1]) / 7
    if np.isfinite(third) and abs(second[0] - second[1]) <= 1e-6 * abs(second[0]):
        return float(third), 0.0
    return None, np.inf if values[0] > values[1] or values[0] == np.inf else 0.0


def _correlations(
    of: Averages, weights: Floats, q: Floats, chi: Floats, some: np.ndarray, relative: float
) -> tuple[Floats, Floats]:
    """Return e = 1 - c* and the slope of the map there."""
    e, steep = np.zeros(q.size), chi.copy()
    at = np.flatnonzero(some & (chi > 1 + CRITICAL))
    if not at.size:
        return e, steep

    def surplus(x: Floats, which: Ints) -> Floats:
        here = np.exp(x)
        gap = of.pair_moments(here, q[at[which]])[0]
        return np.asarray(weights[at[which]] * gap / (q[at[which]] * here) - 1)

    everything = np.arange(at.size)
    at_one = surplus(np.zeros(at.size), everything) >= -1e-14
    e[at[at_one]] = 1.0
    at = at[~at_one]
    everything = np.arange(at.size)
    with np.errstate(invalid="ignore"):
        scale = np.where(np.isinf(chi[at]), 1.0, (chi[at] - 1) / chi[at])
    low = np.log(0.1 * np.minimum(scale, 1.0) / (1 + q[at]))
    todo = everything
    while todo.size:
        failing = surplus(low[todo], todo) < 0
        todo = todo[failing]
        low[todo] -= np.log(100.0)
        todo = todo[low[todo] > -690.0]
    e[at] = np.exp(roots(surplus, low, np.zeros(at.size), relative=relative))
    chaotic = some & (chi > 1 + CRITICAL)
    steep[chaotic] = weights[chaotic] * of.pair_moments(e[chaotic], q[chaotic])[1]
    return e, steep
