"""Interaction graphs: networks as Hamiltonians whose variables are the neurons (arXiv 2410.00396)."""

from statnn.interaction._binary import BinaryNeurons
from statnn.interaction._dynamic import DynamicNeurons
from statnn.interaction._exact.gaussian import ExactGaussian
from statnn.interaction._exact.solve import Exact
from statnn.interaction._lattice import square_lattice
from statnn.interaction._state import Prior, State
from statnn.interaction._symmetry import TranslationSymmetry, translation_symmetry
from statnn.interaction._torus import SquareLattice, kaufman, onsager

__all__ = [
    "BinaryNeurons",
    "DynamicNeurons",
    "Exact",
    "ExactGaussian",
    "Prior",
    "SquareLattice",
    "State",
    "TranslationSymmetry",
    "kaufman",
    "onsager",
    "square_lattice",
    "translation_symmetry",
]
