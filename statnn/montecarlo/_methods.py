"""Methods by name, and the choice where none is named."""

import importlib

from statnn.interaction import BinaryNeurons
from statnn.montecarlo._walkers import Method, Model

METHODS: dict[str, str] = {
    "heat bath": "_spins.HeatBath",
    "metropolis": "_spins.Metropolis",
    "blocks": "_blocks.Blocks",
    "multispin": "_multispin.MultiSpin",
    "wolff": "_wolff.Wolff",
    "tempering": "_tempering.Tempering",
    "hamiltonian": "_hamiltonian.Hamiltonian",
    "ancestral": "_ancestral.Ancestral",
}


def choose(model: Model, method: str | Method | None, chains: int) -> Method:
    """Return the method that was asked for, or the one that suits model and number of chains."""
    if isinstance(method, Method):
        return method
    if method is None:
        if isinstance(model, BinaryNeurons):
            method = "blocks" if model.blocks is not None else "heat bath"
        else:
            method = "hamiltonian"
    if method not in METHODS:
        raise ValueError(f"method = {method!r} is unknown; there are {', '.join(METHODS)}")
    module, name = METHODS[method].split(".")
    found = getattr(importlib.import_module(f"statnn.montecarlo.{module}"), name)()
    assert isinstance(found, Method)
    return found
