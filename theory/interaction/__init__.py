"""Derivations for interacting neurons and their Monte Carlo, by name."""

from collections.abc import Callable

from theory.derivation import Derivation
from theory.interaction.autocorrelation import autocorrelation
from theory.interaction.balance import heat_bath, metropolis
from theory.interaction.chain import transfer_matrix
from theory.interaction.hamiltonian import hamiltonian
from theory.interaction.leapfrog import leapfrog
from theory.interaction.noise import noise_coordinates
from theory.interaction.stiffness import stiffness
from theory.interaction.tempering import swap
from theory.interaction.torus import torus
from theory.interaction.weights import gaussian_weights
from theory.interaction.wolff import wolff

DERIVATIONS: dict[str, Callable[[], Derivation]] = {
    "hamiltonian": hamiltonian,
    "noise-coordinates": noise_coordinates,
    "stiffness": stiffness,
    "gaussian-weights": gaussian_weights,
    "heat-bath": heat_bath,
    "metropolis": metropolis,
    "swap": swap,
    "wolff": wolff,
    "leapfrog": leapfrog,
    "transfer-matrix": transfer_matrix,
    "torus": torus,
    "autocorrelation": autocorrelation,
}

__all__ = ["DERIVATIONS"]
