"""Layers that are lattices: blocks of sites become one, and exponents come from samples before and after."""

from statnn.rg.lattice._blocking import block_mean, block_spin, decimate
from statnn.rg.lattice._linearised import LinearisedFlow
from statnn.rg.lattice._matching import CriticalCoupling, critical_coupling
from statnn.rg.lattice._monte_carlo import linearised, monte_carlo
from statnn.rg.lattice._operators import Operator, operators

__all__ = [
    "CriticalCoupling",
    "LinearisedFlow",
    "Operator",
    "block_mean",
    "block_spin",
    "critical_coupling",
    "decimate",
    "linearised",
    "monte_carlo",
    "operators",
]
