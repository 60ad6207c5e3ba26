"""Limits of signals in wide random layers: variance, correlation and the lengths of their approach."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from statnn._notebook import Shown
from statnn.rg.wide._maps import Maps
from statnn.rg.wide._solve import OUTCOMES, PHASES, Phase, Solution, VarianceEnd


def length(slope: float) -> float:
    """Return 1/abs(ln abs(slope)), the layers in which a deviation shrinks (or grows) by e."""
    size = abs(slope)
    if size == 1:
        return math.inf
    if size == 0:
        return 0.0
    return 1 / abs(math.log(size))


@dataclass(frozen=True)
class MeanField(Shown):
    r"""A fixed point (q*, c*) of the maps of a `RandomLayer`.

    Parameters
    ----------
    layer : RandomLayer
        The layer.
    variance : float
        q*, of the fields; inf if the variance grows without bound, and the variance of the start if every variance is a
        fixed point.
    chi : float
        :math:`χ = σ_w^2 E\,φ'(\sqrt{q^*} z)^2`, the factor by which squared small distances change in a layer, and the
        slope of the correlation map at c = 1. inf for sign.
    correlation, distance : float
        c*, the correlation of any two inputs that are not opposite, and 1 - c*, which keeps its digits near 0. If all
        correlations are fixed points (identity, or q* = 0), or the variance has no bound, c* = 1 is given.
    variance_slope, correlation_slope : float
        dq'/dq and dc'/dc there; for an unbounded variance their limits as it grows, the latter at c = 1.
    outcome : VarianceEnd
        How the variance ends.
    phase : Phase
        "ordered" for χ < 1, "chaotic" for χ > 1, "unbounded", or "critical" for |χ - 1| up to 1e-10: there c* = 1 is
        given, and ξ_c = 1/|ln χ|, half of what it is at the c* < 1 of a χ that is truly above 1.
    residual : float
        |V(q*) - q*|/q*; inf without a fixed point.

    See Also
    --------
    RandomLayer.fixed_point : makes it.

    References
    ----------
    Poole et al. 2016; Schoenholz et al. 2017.
    """

    layer: Maps = field(repr=False)
    variance: float
    chi: float
    correlation: float
    distance: float
    variance_slope: float
    correlation_slope: float
    outcome: VarianceEnd
    phase: Phase
    residual: float

    @property
    def xi_variance(self) -> float:
        """ξ_q = 1/|ln dq'/dq| in layers, the length over which variances are forgotten (or grow, if unbounded)."""
        return length(self.variance_slope)

    @property
    def xi_correlation(self) -> float:
        """ξ_c = 1/|ln dc'/dc| in layers, the length over which correlations are forgotten; 1/|ln χ| if ordered."""
        return length(self.correlation_slope)


def points(layers: Sequence[Maps], solution: Solution) -> tuple[MeanField, ...]:
    """Return solutions of layers as objects."""
    return tuple(
        MeanField(
            layers[i],
            variance=float(solution.variance[i]),
            chi=float(solution.chi[i]),
            correlation=1.0 - float(solution.gap[i]),
            distance=float(solution.gap[i]),
            variance_slope=float(solution.slope[i]),
            correlation_slope=float(solution.correlation_slope[i]),
            outcome=OUTCOMES[solution.outcome[i]],
            phase=PHASES[solution.phase[i]],
            residual=float(solution.residual[i]),
        )
        for i in range(solution.variance.size)
    )
