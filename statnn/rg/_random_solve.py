r"""Fixed points of the mean-field maps of many random layers at once.

The variance goes from `start` up or down to the next fixed point: V(q) - q changes sign there, and is followed along a
grid until it does. The correlation c* = 1-e solves ψ(e) = σ_w² G(e)/(q* e) = 1. E φ(x)φ(y) is a power series in c with
coefficients >= 0, so the map of c is convex on [0, 1]: c* = 1 is the only fixed point there for χ = ψ(0) <= 1, and for
χ > 1 there is exactly one more, which attracts [exact].
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from statnn._edge import Floats, Ints
from statnn.rg._random_averages import Averages
from statnn.rg._random_roots import roots

PER_DECADE = 8
LOWEST, HIGHEST = 1e-18, 1e12
"""Below, a variance without bias is zero; above, it has no bound."""
CRITICAL = 1e-10
"""Distance of χ from 1 that counts as none."""
ROUNDING = 4e-16


class Outcome(StrEnum):
    """How the variance ends."""

    CONVERGED = "fixed point that attracts"
    REPELLING = "fixed point that repels: the variance leaves it"
    INVARIANT = "every variance is a fixed point: the map keeps all scales"
    UNBOUNDED = "no fixed point: the variance grows without bound"


class Phase(StrEnum):
    """What becomes of two inputs."""

    ORDERED = "ordered"
    CRITICAL = "critical"
    CHAOTIC = "chaotic"
    UNBOUNDED = "unbounded"


OUTCOMES = tuple(Outcome)
PHASES = tuple(Phase)


@dataclass(frozen=True)
class Solution:
    """What `solve` found of each of n layers, shape (n,) each; `outcome` and `phase` are positions in the tuples."""

    variance: Floats
    slope: Floats
    chi: Floats
    gap: Floats
    correlation_slope: Floats
    residual: Floats
    outcome: Ints
    phase: Ints


def solve(of: Averages, weights: Floats, biases: Floats, start: float, *, relative: float = 1e-15) -> Solution:
    """Return fixed points for σ_w² in `weights` and σ_b² in `biases`, reached by the variance from `start`."""
    if of.homogeneous:
        return _homogeneous(of, weights, biases, start)
    low, high, bounded = _brackets(of, weights, biases, start)
    q = np.full(weights.size, np.inf)
    at = np.flatnonzero(bounded)

    def gap(x: Floats, which: Ints) -> Floats:
        return weights[at[which]] * of.one(x)[0] + biases[at[which]] - x

    if at.size:
        q[at] = roots(gap, low[at], high[at], relative=relative)
    return described(of, weights, biases, q, relative=relative)


def described(of: Averages, weights: Floats, biases: Floats, q: Floats, *, relative: float = 1e-15) -> Solution:
    """Return all that belongs to fixed points q of the variance; inf where it has no bound."""
    bounded = np.isfinite(q)
    mean, curve, square = of.one(np.where(bounded, q, HIGHEST))
    with np.errstate(invalid="ignore"):
        slope, chi = weights * curve, np.where(weights > 0, weights * square, 0.0)
    some = bounded & (q > 0)
    residual = np.zeros(q.size)
    residual[some] = np.abs((weights * mean + biases - q)[some]) / q[some]
    outcome = np.where(bounded, np.where(np.abs(slope) > 1 + CRITICAL, 1, 0), 3)
    e, steep = _correlations(of, weights, q, chi, some, relative)
    phase = np.select(
        [~bounded, np.abs(chi - 1) <= CRITICAL, chi < 1],
        [PHASES.index(p) for p in (Phase.UNBOUNDED, Phase.CRITICAL, Phase.ORDERED)],
        PHASES.index(Phase.CHAOTIC),
    )
    return Solution(q, slope, chi, e, steep, residual, outcome, phase)


def variances(of: Averages, weight: float, bias: float, grid: Floats) -> Floats:
    """Return all q > 0 of one layer where V(q) - q changes sign along a grid."""
    left = weight * of.one(grid)[0] + bias - grid
    at = np.flatnonzero(np.sign(left[:-1]) * np.sign(left[1:]) < 0)
    exact = grid[left == 0]

    def gap(x: Floats, which: Ints) -> Floats:  # noqa: ARG001 - one function in many brackets
        return np.asarray(weight * of.one(x)[0] + bias - x)

    found = roots(gap, grid[at], grid[at + 1]) if at.size else np.empty(0)
    return np.sort(np.append(found, exact))


def _homogeneous(of: Averages, weights: Floats, biases: Floats, start: float) -> Solution:
    """Return the fixed points of φ(sh) = sφ(h), for which V(q) = r q + σ_b²."""
    r = weights * of.one(np.ones(1))[1]
    even = np.abs(r - 1) <= ROUNDING
    kept = even & (biases == 0)
    bounded = (r < 1) & ~even
    with np.errstate(divide="ignore"):
        q = np.where(kept, start, np.where(bounded, biases / np.where(bounded, 1 - r, 1.0), np.inf))
    r = np.where(even, 1.0, r)
    outcome = np.select([kept, bounded], [OUTCOMES.index(o) for o in (Outcome.INVARIANT, Outcome.CONVERGED)], 3)
    phase = np.select([kept, bounded], [PHASES.index(p) for p in (Phase.CRITICAL, Phase.ORDERED)], 3)
    return Solution(q, r, r.copy(), np.zeros(r.size), np.where(bounded, r, 1.0), np.zeros(r.size), outcome, phase)


def _brackets(of: Averages, weights: Floats, biases: Floats, start: float) -> tuple[Floats, Floats, np.ndarray]:
    """Return brackets of the variance and whether there is one; both ends are zero where it dies out."""
    low, high = np.full(weights.size, start), np.full(weights.size, start)
    bounded = np.ones(weights.size, dtype=bool)
    first = weights * of.one(np.array([start]))[0] + biases - start
    step = 10.0 ** (1 / PER_DECADE)
    least = of.one(np.array([1e-300]))[0][0]  # not zero for sign and sigmoid
    for up in (True, False):
        going, q = np.flatnonzero(first > 0 if up else first < 0), start
        while going.size:
            grid = q * (step if up else 1 / step) ** np.arange(1, PER_DECADE + 1)
            for before, here, mean in zip(np.append(q, grid), grid, of.one(grid)[0], strict=False):
                left = weights[going] * mean + biases[going] - here
                done = left <= 0 if up else left >= 0
                low[going[done]], high[going[done]] = min(before, here), max(before, here)
                going = going[~done]
            q = float(grid[-1])
            if up and q > HIGHEST and not of.bounded:  # a bounded activation ends at σ_w² + σ_b²
                bounded[going] = False
                break
            if not up and q < LOWEST:
                dead = (biases[going] == 0) & (weights[going] * least < LOWEST * q)
                low[going[dead]] = high[going[dead]] = 0.0
                going = going[~dead]
                if q < 1e-300:
                    low[going], high[going] = 0.0, q
                    break
    return low, high, bounded


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
        gap = of.two(here, q[at[which]])[0]
        return np.asarray(weights[at[which]] * gap / (q[at[which]] * here) - 1)

    everything = np.arange(at.size)
    at_one = surplus(np.zeros(at.size), everything) >= -1e-14
    e[at[at_one]] = 1.0
    at = at[~at_one]
    everything = np.arange(at.size)
    with np.errstate(invalid="ignore"):
        scale = np.where(np.isinf(chi[at]), 1.0, (chi[at] - 1) / chi[at])
    high = np.zeros(at.size)
    low = np.log(0.1 * np.minimum(scale, 1.0) / (1 + q[at]))
    todo = everything
    while todo.size:
        failing = surplus(low[todo], todo) < 0
        todo = todo[failing]
        high[todo] = low[todo]
        low[todo] -= np.log(100.0)
        todo = todo[low[todo] > -690.0]
    e[at] = np.exp(roots(surplus, low, high, relative=relative))
    found = some & (chi > 1 + CRITICAL)
    steep[found] = weights[found] * of.two(e[found], q[found])[1]
    return e, steep
