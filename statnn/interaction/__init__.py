"""Interaction graphs: networks as Hamiltonians whose variables are the neurons (arXiv 2410.00396)."""

from statnn.interaction._binary import BinaryNeurons
from statnn.interaction._dynamic import DynamicNeurons, Prior, State

__all__ = ["BinaryNeurons", "DynamicNeurons", "Prior", "State"]
