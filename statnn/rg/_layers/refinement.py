"""Extent and number of the nodes of a noisy layer."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from statnn.network import Activation
from statnn.rg._layers import quadrature as _nodes
from statnn.rg._layers.operator import TransferOperator, spectrum_on

FIRST = 0.8
"""Distance of the nodes at first, in deviations of the noise."""
FINER = 1.5
CLOSE = 0.7
"""Distance of nodes, in deviations of the noise, up to which sums give its moments to 1e-12 wherever it is centred."""
TOLERANCE = 1e-10
ROUNDING = 1e-14
"""Rounding error of the weights of wells in a stationary law: this over the gap of the spectrum."""
PLACE = 4e-16
"""Rounding error of its position: this times the distance from zero, in deviations of the noise, over the gap."""
FELT = 1e3
"""Factor over the expected rounding error: larger changes mean that there are still too few nodes."""
PARTED = 1e-11
"""Gap of the spectrum below which rounding decides the stationary law."""
WORST = 1e-3
"""Error above which the operator is refused."""


@dataclass(frozen=True)
class Extent:
    """Interval of the nodes of a layer, from low to high; and the wider one where signals linger, if it is too wide."""

    low: float
    high: float
    hidden: tuple[float, float] | None = None

    def refuse_hidden(self) -> None:
        """Raise if signals linger beyond the nodes."""
        if self.hidden:
            raise ValueError(
                f"signals linger on [{self.hidden[0]:.4g}, {self.hidden[1]:.4g}] longer than where the stationary law "
                f"is, and {_nodes.MOST_POINTS} nodes do not reach as far: the slowest mode is not known; take more "
                "noise, or a layer that contracts more"
            )


def extent(
    sigma: Activation, w: float, b: float, noise: float, within: Callable[[float, float], TransferOperator]
) -> Extent:
    """Return the interval of nodes: it holds the stationary law, and places where signals relax no faster than there.

    Far from the law a layer may contract so little that signals stay longer: their rate is then the slowest, λ_1,
    however rare they are. The interval first includes places that last as long as the slowest rate known so far, then
    doubles this reach, since a slow mode extends beyond the place that holds it. ``within(low, high)`` is the operator
    on a few nodes.
    """
    low, high = _nodes.interval(sigma, w, b, noise)
    if sigma.linear:
        return Extent(low, high)
    for reach in (1.0, 2.0, 2.0, 2.0):
        rate = float(np.abs(spectrum_on(within(low, high), 2).ratios[1]))
        slow = reach * math.sqrt(-2 * math.log(min(max(rate, 1e-300), 1.0)))
        wider = _nodes.lingering(sigma, w, b, noise, low, high, slow)
        if (wider[1] - wider[0]) / (FIRST * noise) > _nodes.MOST_POINTS:
            return Extent(low, high, wider)
        settled, (low, high) = wider == (low, high) and reach > 1, wider
        if settled:
            break
    return Extent(low, high)


def refined(
    layer: str, low: float, high: float, noise: float, on: Callable[[int], TransferOperator]
) -> TransferOperator:
    """Return the operator of a layer on nodes refined until spectrum and moments converge; ``on(n)`` has n nodes."""
    count = max(_nodes.PANEL, math.ceil((high - low) / (FIRST * noise)))
    operator, error, stuck = on(min(count, _nodes.MOST_POINTS)), math.inf, 0
    seen = signature(operator)
    if 1 - seen[0] < PARTED:
        raise ValueError(
            f"{layer} has wells, or states between which it alternates, that its noise joins once in "
            f"{1 / PARTED:.0e} layers: in float64 it has no single stationary law; take more noise, or "
            "layer.operator(points=...) for p(h'|h) alone"
        )
    known = ROUNDING + PLACE * max(-low, high) / noise
    while operator.nodes.size < _nodes.MOST_POINTS and (
        error > max(TOLERANCE, known / (1 - seen[0])) or np.diff(operator.nodes).max() > CLOSE * noise
    ):
        count = min(_nodes.MOST_POINTS, math.ceil(FINER * count))
        finer = on(count)
        now = signature(finer)
        before, error, operator, seen = error, change(now, seen), finer, now
        stuck = stuck + 1 if error > before / 2 else 0
        if stuck == 2 and error < min(WORST, FELT * known / (1 - seen[0])):
            break  # limited by rounding, which a small gap to the second eigenvalue amplifies
    if not error < WORST:
        raise ValueError(
            f"{operator.nodes.size} nodes on [{low:.4g}, {high:.4g}] do not give the law of {layer}: the last step "
            f"still changed it by {error:.2g}; take more noise, or layer.operator(points=...) for p(h'|h) alone"
        )
    return replace(operator, error=error)


def signature(operator: TransferOperator) -> tuple[float, float, float]:
    """Return the modulus of the second eigenvalue, mean and variance, which must converge."""
    law = operator.stationary()
    return float(np.abs(spectrum_on(operator, 2).ratios[1])), law.mean, law.variance


def change(now: tuple[float, float, float], before: tuple[float, float, float]) -> float:
    """Return the largest change, of moments in units of the deviation."""
    spread = now[2]
    return max(abs(now[0] - before[0]), abs(now[1] - before[1]) / math.sqrt(spread), abs(now[2] - before[2]) / spread)
