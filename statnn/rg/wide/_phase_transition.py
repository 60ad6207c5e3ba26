r"""How order ends in wide random layers as σ_w grows: at the edge of chaos, or in another way.

All fixed points of the variance at one σ_b lie on one curve, w(q) = (q - σ_b²)/M(q) for w = σ_w², with M = E φ². They
attract where w(q) rises, which is equivalent to w M' < 1, and have χ = w D with D = E φ'². A start q_0 tends to the
rising points of the curve that are not hidden from it: below q_0 the points lower than all between them and q_0, above
it those higher than all between [exact]. This path is followed upwards from w = 0; at a jump, a fixed point is left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from statnn._arguments import Floats, Ints, at_least, positive, shaped
from statnn._by_value import ByValue
from statnn.network._activation import Activation
from statnn.network._activation import activation as known
from statnn.rg._common import LARGEST
from statnn.rg.wide._averages import Averages, averages
from statnn.rg.wide._roots import FLAT, roots
from statnn.rg.wide._solve import CRITICAL, limits, refined

GRID = np.geomspace(1e-10, 1e12, 22 * 16 + 1)
"""Variances along which fixed points are followed."""
NARROW, FEWEST = 1e-4, 1e-280
"""The smallest of these variances, relative to the smallest of σ_b² and the start; and its lower limit."""
APART = 1e-5
"""Least relative distance of the start from its neighbours: w would be flat to rounding between closer ones."""


class TransitionKind(StrEnum):
    """How order ends as σ_w grows."""

    EDGE = "edge of chaos: the fixed point that attracts has chi = 1"
    FOLD = "fold: the fixed point meets one that repels, and both are gone"
    BASIN = "end of a basin: the fixed point is still there, but the start no longer runs into it"
    UNBOUNDED = "growth without bound: the fixed point goes to infinity"
    NONE = "none: ordered, or chaotic, for every sigma_w > 0"


@dataclass(frozen=True, eq=False, repr=False)
class Transition(ByValue):
    """Where and how order ends, for one σ_b or an array; every field has the shape of `sigma_b`.

    Parameters
    ----------
    activation : Activation
        φ.
    start : float
        Variance of the fields in the first layer.
    sigma_b : float or ndarray
        σ_b.
    sigma_w : float or ndarray
        The smallest σ_w at which order ends. For kind NONE: inf if every σ_w is ordered, 0 if none is.
    kind : TransitionKind or ndarray of str
        How it ends.
    chi_below, chi_above : float or ndarray
        χ at the fixed point reached just below and just above; both 1 at an edge. For growing variances its limit.
    variance_below, variance_above : float or ndarray
        q* on both sides; inf where the variance grows without bound. Equal at an edge, except for homogeneous
        activations such as relu: without biases 0 and inf.

    See Also
    --------
    transition : makes it.
    """

    activation: Activation
    start: float
    sigma_b: Any
    sigma_w: Any
    kind: Any
    chi_below: Any
    chi_above: Any
    variance_below: Any
    variance_above: Any


class NoCriticalLineError(ValueError):
    """There is no edge of chaos at some σ_b; ``error.transition`` tells how order ends instead."""

    def __init__(self, message: str, transition: Transition) -> None:
        super().__init__(message)
        self.transition = transition

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.args[0], self.transition)


class _End(NamedTuple):
    """A row of a `Transition`."""

    kind: TransitionKind
    weight: float
    chi: tuple[float, float]
    variance: tuple[float, float]


def transition(activation: str | Activation, sigma_b: ArrayLike, *, start: float = 1.0) -> Transition:
    r"""Return where and how order ends as σ_w grows, for each σ_b.

    .. math:: σ_w^2 = \frac{q^* - σ_b^2}{E\,φ^2}, \qquad χ = σ_w^2\,E\,φ'^2;

    order means χ < 1 at the q* that signals of variance q_0 tend to.

    Only an edge of chaos has a diverging correlation length: there χ passes 1 at an attracting fixed point. At a fold,
    and at the end of a basin, χ jumps. If it jumps to another value below 1, order goes on.

    Parameters
    ----------
    activation : str or Activation
        φ, as in `RandomLayer`.
    sigma_b : array_like
        σ_b >= 0, any shape.
    start : float
        Variance q_0 of the fields in the first layer, above 0.

    Returns
    -------
    Transition
        σ_w to 1e-9, while E φ² > 1e-30; χ and q* on both sides of a fold or of the end of a basin to 1e-6.

    Raises
    ------
    TypeError, ValueError
        If σ_b is not a number >= 0, or is too large for averages to be computed, or the activation is unknown.

    See Also
    --------
    critical_line : only the edge of chaos.
    phase_diagram : the whole plane.

    Notes
    -----
    χ = 1 and the turning points of the curve are solved by Chandrupatla's method. Dips of its σ_w² by less than 1e-10
    are ignored; those narrower than a sixteenth of a decade are found if cubics through neighbouring points of the
    curve show them. [asymptotic: n → ∞]

    Examples
    --------
    >>> edge = transition("tanh", 0.1)
    >>> edge.kind.name, round(edge.sigma_w, 6), round(edge.variance_below, 6)
    ('EDGE', 1.193401, 0.273301)
    """
    function = known(activation)
    given = at_least(sigma_b, "sigma_b", minimum=0, why="it is a standard deviation")
    begin = positive(start, "start", why="it is the variance of the fields of the first layer")
    if given.size and max(given.max(), begin) > LARGEST:
        raise ValueError(f"sigma_b = {given.max():g} and start = {begin:g}: above {LARGEST:g} squares overflow")
    biases = given.ravel() ** 2
    rows = _rows(function, biases, begin) if biases.size else []
    chi, variance = (np.array([getattr(row, name) for row in rows]).reshape(-1, 2) for name in ("chi", "variance"))

    def whole(values: Any) -> Any:
        return shaped(np.asarray(values).reshape(given.shape), sigma_b)

    kinds = whole(np.array([row.kind.value for row in rows], dtype=str))
    return Transition(
        function,
        begin,
        whole(given),
        whole([row.weight**0.5 for row in rows]),
        TransitionKind(kinds) if isinstance(kinds, str) else kinds,
        *(whole(side) for side in (*chi.T, *variance.T)),
    )


def critical_line(activation: str | Activation, sigma_b: ArrayLike, *, start: float = 1.0) -> Any:
    r"""Return σ_w at the edge of chaos, where the attracting fixed point has χ = 1, for each σ_b.

    .. math:: σ_w^2 = \frac{1}{E\,φ'^2}, \qquad σ_b^2 = q^* - \frac{E\,φ^2}{E\,φ'^2}

    Parameters
    ----------
    activation : str or Activation
        φ.
    sigma_b : array_like
        σ_b >= 0, any shape.
    start : float
        Variance of the fields in the first layer, above 0, which decides between several fixed points.

    Returns
    -------
    float or ndarray
        σ_w, to 1e-9: the smallest at which order ends.

    Raises
    ------
    NoCriticalLineError
        If order ends in another way at some σ_b, as for relu with biases, whose variance then has no bound: the error
        names it, and carries the `transition`.

    See Also
    --------
    transition : the end of order of any kind.
    phase_diagram : the whole plane.

    References
    ----------
    Poole et al. 2016; Schoenholz et al. 2017.

    Examples
    --------
    >>> critical_line("tanh", [0.0, 0.1]).round(9)
    array([1.        , 1.19340073])
    """
    edge = transition(activation, sigma_b, start=start)
    other = np.flatnonzero(np.ravel(edge.kind) != TransitionKind.EDGE)
    if other.size:
        b, w, kind, below, above = (
            np.ravel(values)[other[0]]
            for values in (edge.sigma_b, edge.sigma_w, edge.kind, edge.chi_below, edge.chi_above)
        )
        raise NoCriticalLineError(
            f"{edge.activation.name} has no edge of chaos at sigma_b = {b:g} from a start of {edge.start:g}: "
            f"at sigma_w = {w:.6g} there is {kind} (chi {below:.4g} below, {above:.4g} above). "
            "rg.transition says for each sigma_b where order ends, and how",
            edge,
        )
    return edge.sigma_w


# -- from the curve to a row -----------------------------------------------------------------------------


def _rows(function: Activation, biases: Floats, start: float) -> list[_End]:
    of, kind = averages(function), TransitionKind
    if function.jumps:  # chi is infinite
        return [_End(kind.NONE, 0.0, (0.0, np.inf), (b, b)) for b in biases]
    if of.homogeneous:
        share = float(of.moments(np.ones(1)).square_of_slope[0])
        if share == 0:
            return [_End(kind.NONE, np.inf, (0.0, 0.0), (b, b)) for b in biases]
        ends = [(kind.UNBOUNDED, np.inf) if b else (kind.EDGE, 0.0) for b in biases]
        return [_End(how, 1 / share, (1.0, 1.0), (below, np.inf)) for how, below in ends]
    largest = max(biases.max(), start)
    if largest > of.reach / 2:
        raise ValueError(
            f"sigma_b² or start = {largest:g} is too large: averages of fields of variances beyond are needed, and can "
            f"be computed up to {of.reach:g}"
        )
    return _ends(of, _curves(of, biases, start))


class _Curve(NamedTuple):
    """The curve w(q) at one σ_b, with its turning points and the start among the points."""

    bias: float
    q: Floats
    w: Floats
    chi: Floats
    start: int
    at_zero: float
    """χ/w of the fixed point q = 0, and -1 if it is not a fixed point."""


def _curves(of: Averages, biases: Floats, start: float) -> list[_Curve]:
    grid = _grid(of, min([start, *biases[biases > 0]]))
    grid = np.unique(np.append(grid[np.abs(grid - start) > APART * start], start))

    def curve(q: Floats, values: Floats) -> tuple[Floats, Floats, Floats]:
        room = np.where(q > biases[:, None], q - biases[:, None], np.nan)
        w = room / values[0]
        return w, (1 - w * values[1]) / values[0], w

    grid, values = refined(of, grid, curve)
    zero = np.array(of.moments(np.array([1e-300])))[:, 0]
    rows, cells = [], []
    for b in biases:
        steep = values[0] - (grid - b) * values[1]  # has the sign of dw/dq
        away = np.abs(steep) > FLAT * values[0]
        clear = away[:-1] | away[1:]
        at = np.flatnonzero((steep[:-1] * steep[1:] < 0) & clear & (grid[:-1] > b))
        rows.append(np.full(at.size, b))
        cells.append(at)
    row, cell = np.concatenate(rows), np.concatenate(cells)

    def turn(x: Floats, which: Ints) -> Floats:
        mean, curve, _ = of.moments(x)
        return np.asarray(mean - (x - row[which]) * curve)

    turns = roots(turn, grid[cell], grid[cell + 1]) if row.size else np.empty(0)
    more = np.array(of.moments(turns)) if row.size else np.empty((3, 0))
    curves, first = [], 0
    for b, of_row in zip(biases, rows, strict=True):
        own = slice(first, first + of_row.size)
        first += of_row.size
        here = np.append(grid[grid > b], turns[own])
        mean, _, square = np.append(values[:, grid > b], more[:, own], axis=1)
        order = np.argsort(here)
        dead = b == 0 and zero[0] < 1e-200  # φ(0) = 0: q = 0 is a fixed point for every w
        curves.append(_curve(b, here[order], mean[order], square[order], start, float(zero[2]) if dead else -1.0))
    return curves


def _grid(of: Averages, smallest: float) -> Floats:
    """Return variances from far below the smallest one given to the largest that can be computed."""
    decades = max(0, math.ceil(math.log10(GRID[0] / max(NARROW * smallest, FEWEST))))
    below = GRID[0] * 10.0 ** (np.arange(-16 * decades, 0) / 16)
    return np.append(below, GRID[of.reach >= GRID])


def _curve(b: float, q: Floats, mean: Floats, square: Floats, start: float, at_zero: float) -> _Curve:
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        w = (q - b) / mean
        chi = w * square
    if at_zero < 0:
        q, w, chi = (np.append(first, rest) for first, rest in ((b, q), (0.0, w), (0.0, chi)))
    return _Curve(b, q, w, chi, int(np.searchsorted(q, start)), at_zero)


class _Jump(NamedTuple):
    """A jump of a path at the level w: brackets of the q left behind and landed on, inf for infinity."""

    level: float
    fold: bool
    left: tuple[float, float]
    landed: tuple[float, float]


def _path(curve: _Curve) -> tuple[list[list[int]], list[_Jump]]:
    """Return the points that the start tends to as w grows: stretches of them, -1 for q = 0, and the jumps after."""
    q, w, i = curve.q, curve.w, curve.start
    left = np.flatnonzero(w[:i] <= np.minimum.accumulate(w[: i + 1][::-1])[::-1][1:] * (1 + FLAT)).tolist()
    right = (np.flatnonzero(w[i + 1 :] >= np.maximum.accumulate(w[i:])[:-1] * (1 - FLAT)) + i + 1).tolist()
    repels = i + 1 < w.size and i + 1 not in right and (not left or left[-1] != i - 1)
    points = [-1] * (curve.at_zero >= 0) + left + [i] * (not repels) + right
    stretches, jumps = [[points[0]]], []
    for here, there in pairwise([*points, w.size]):
        if there == here + 1:
            stretches[-1] += [there] * (there < w.size)
            continue
        if here >= i:
            level, behind = w[here], (q[here], q[here])
        else:
            level = w[min(there, i)]
            behind = (q[here], q[here + 1]) if here >= 0 else (0.0, 0.0)
        if there == w.size:
            landed = (np.inf, np.inf)
        else:
            landed = (q[there], q[there]) if there <= i else (q[there - 1], q[there])
        jumps.append(_Jump(float(level), here >= i, behind, landed))
        stretches.append([there] if there < w.size else [])
    return stretches, jumps


def _ends(of: Averages, curves: list[_Curve]) -> list[_End]:
    """Return the first end of order on each path; roots of all rows are found together."""
    paths = [_path(curve) for curve in curves]
    sides = iter(_sides(of, [(curve, jump) for curve, (_, jumps) in zip(curves, paths, strict=True) for jump in jumps]))
    ends: list[_End | tuple[float, float]] = []
    for curve, (stretches, jumps) in zip(curves, paths, strict=True):
        ends.append(_first(of, curve, stretches, [next(sides) for _ in jumps]))
    rows = [i for i, end in enumerate(ends) if not isinstance(end, _End)]
    biases = np.array([curves[i].bias for i in rows])
    low, high = np.array([ends[i] for i in rows]).reshape(-1, 2).T

    def height(x: Floats, which: Ints) -> Floats:
        mean, _, square = of.moments(x)
        return np.asarray((x - biases[which]) * square - mean)

    q = roots(height, low, high) if rows else low
    weights = 1 / of.moments(q).square_of_slope if rows else q
    for i, at, weight in zip(rows, q.tolist(), weights.tolist(), strict=True):
        ends[i] = _End(TransitionKind.EDGE, weight, (1.0, 1.0), (at, at))
    return [end for end in ends if isinstance(end, _End)]


def _sides(of: Averages, jumps: list[tuple[_Curve, _Jump]]) -> list[_End]:
    """Return each jump with q and χ on both sides of it."""
    if not jumps:
        return []
    level = np.repeat([jump.level for _, jump in jumps], 2)
    biases = np.repeat([curve.bias for curve, _ in jumps], 2)
    low, high = np.array([side for _, jump in jumps for side in (jump.left, jump.landed)]).T
    q, at = low.copy(), np.flatnonzero(low < high)

    def beside(x: Floats, which: Ints) -> Floats:
        return np.asarray(x - biases[at[which]] - level[at[which]] * of.moments(x).square)

    if at.size:
        q[at] = roots(beside, low[at], high[at])
    far = np.isinf(q)
    with np.errstate(invalid="ignore"):  # levels that overflow are not ends
        chi = level * of.moments(np.where(far, 1.0, q)).square_of_slope
        chi[far] = level[far] * limits(of)[1] if far.any() else chi[far]
    kinds = [TransitionKind.FOLD if jump.fold else TransitionKind.BASIN for _, jump in jumps]
    pairs = zip(kinds, level[::2].tolist(), chi.reshape(-1, 2).tolist(), q.reshape(-1, 2).tolist(), strict=True)
    return [_End(kind, weight, (x, y), (u, v)) for kind, weight, (x, y), (u, v) in pairs]


def _first(of: Averages, curve: _Curve, stretches: list[list[int]], jumps: list[_End]) -> _End | tuple[float, float]:
    """Return the first end of order on a path, or a bracket of q at an edge of chaos."""
    q, chi = 0.0, 0.0  # where the last jump landed
    for k, points in enumerate(stretches):
        # E φ² of the start or of a landing point underflows: it vanishes at every σ_w
        dead = k < len(jumps) and np.isinf(jumps[k].weight)
        if dead:
            break
        if points[:2] == [-1, 0]:
            return _End(TransitionKind.EDGE, 1 / curve.at_zero, (1.0, 1.0), (0.0, 0.0))
        rest = [i for i in points if i >= 0]
        along, values = (np.append(landed, array[rest]) for landed, array in ((q, curve.q), (chi, curve.chi)))
        if k < len(jumps):
            along, values = np.append(along, jumps[k].variance[0]), np.append(values, jumps[k].chi[0])
        bracket = _passed(along, values)
        if bracket:
            return bracket
        if k < len(jumps):
            if jumps[k].chi[1] >= 1 or np.isinf(jumps[k].variance[1]):
                return jumps[k]
            q, chi = jumps[k].variance[1], jumps[k].chi[1]
    growth, _, ratio = limits(of)
    if dead or growth == 0:
        chi, q = (0.0, curve.bias) if dead else (float(curve.chi[-1]), np.inf)
        return _End(TransitionKind.NONE, np.inf, (chi, chi), (q, q))
    return _End(TransitionKind.UNBOUNDED, 1 / growth, (ratio, ratio), (np.inf, np.inf))


def _passed(q: Floats, chi: Floats) -> tuple[float, float] | None:
    """Return a bracket of the q where χ passes 1 for good, beyond rounding, along points."""
    above = np.flatnonzero(chi > 1 + CRITICAL)
    if not above.size:
        return None
    below = np.flatnonzero(chi[: above[0]] < 1 - CRITICAL)
    first = below[-1] + 1 if below.size else 0
    first += int(np.argmax(chi[first:] >= 1))
    return float(q[first - 1]), float(q[first])
