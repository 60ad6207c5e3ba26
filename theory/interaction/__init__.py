"""Derivations for interacting neurons and their Monte Carlo, by name."""

from collections.abc import Callable

from statnn.theory.derivation import Derivation
from statnn.theory.interaction.autocorrelation import autocorrelation
from statnn.theory.interaction.balance import heat_bath, metropolis
from statnn.theory.interaction.chain import transfer_matrix
from statnn.theory.interaction.hamiltonian import hamiltonian
from statnn.theory.interaction.leapfrog import leapfrog
from statnn.theory.interaction.noise import noise_coordinates
from statnn.theory.interaction.stiffness import stiffness
from statnn.theory.interaction.tempering import swap
from statnn.theory.interaction.torus import torus
from statnn.theory.interaction.weights import gaussian_weights
from statnn.theory.interaction.wolff import wolff

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
