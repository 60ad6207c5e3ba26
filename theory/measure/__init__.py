"""Derivations behind the measures of trained networks, by name."""

from collections.abc import Callable

from statnn.theory.derivation import Derivation
from statnn.theory.measure.dispersion import dispersion
from statnn.theory.measure.fano import fano_nulls
from statnn.theory.measure.gradients import tangent_kernel
from statnn.theory.measure.intervals import spike_intervals
from statnn.theory.measure.permutations import permutation_null
from statnn.theory.measure.radii import attraction_basins
from statnn.theory.measure.ranks import rank_probability
from statnn.theory.measure.strength import node_strength

DERIVATIONS: dict[str, Callable[[], Derivation]] = {
    "fano-nulls": fano_nulls,
    "dispersion": dispersion,
    "spike-intervals": spike_intervals,
    "node-strength": node_strength,
    "rank-probability": rank_probability,
    "attraction-basins": attraction_basins,
    "permutation-null": permutation_null,
    "tangent-kernel": tangent_kernel,
}

__all__ = ["DERIVATIONS"]
