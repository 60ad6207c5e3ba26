"""Layers that are lattices: blocks of sites become single sites, and samples before and after give exponents."""

from statnn.rg.lattice._blocking import block_means, block_spins, decimate
from statnn.rg.lattice._linearised import LinearisedFlow
from statnn.rg.lattice._matching import CriticalCoupling, critical_coupling
from statnn.rg.lattice._monte_carlo import linearise, sample_flow
from statnn.rg.lattice._operators import Operator, operators

__all__ = [
    "CriticalCoupling",
    "LinearisedFlow",
    "Operator",
    "block_means",
    "block_spins",
    "critical_coupling",
    "decimate",
    "linearise",
    "operators",
    "sample_flow",
]
