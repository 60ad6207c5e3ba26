"""Monte Carlo of interaction graphs: one verb, `sample`, and the methods behind it."""

from statnn.montecarlo._ancestral import Ancestral
from statnn.montecarlo._blocks import Blocks
from statnn.montecarlo._estimate import Estimate, UntrustedEstimate, estimate
from statnn.montecarlo._hamiltonian import Hamiltonian
from statnn.montecarlo._methods import METHODS
from statnn.montecarlo._multispin import MultiSpin
from statnn.montecarlo._run import Run
from statnn.montecarlo._sample import sample
from statnn.montecarlo._spins import HeatBath, Metropolis
from statnn.montecarlo._tempering import Tempering
from statnn.montecarlo._walkers import Method
from statnn.montecarlo._wolff import Wolff

__all__ = [
    "METHODS",
    "Ancestral",
    "Blocks",
    "Estimate",
    "Hamiltonian",
    "HeatBath",
    "Method",
    "Metropolis",
    "MultiSpin",
    "Run",
    "Tempering",
    "UntrustedEstimate",
    "Wolff",
    "estimate",
    "sample",
]
