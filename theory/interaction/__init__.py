"""Derivations for interacting neurons and their Monte Carlo, by name."""

from collections.abc import Callable

from theory.derivation import Derivation
from theory.interaction.balance import heat_bath, metropolis
from theory.interaction.hamiltonian import hamiltonian
from theory.interaction.noise import noise_coordinates
from theory.interaction.stiffness import stiffness
from theory.interaction.weights import gaussian_weights

DERIVATIONS: dict[str, Callable[[], Derivation]] = {
    "hamiltonian": hamiltonian,
    "noise-coordinates": noise_coordinates,
    "stiffness": stiffness,
    "gaussian-weights": gaussian_weights,
    "heat-bath": heat_bath,
    "metropolis": metropolis,
}

__all__ = ["DERIVATIONS"]
