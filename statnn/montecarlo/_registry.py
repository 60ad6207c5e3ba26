"""The samplers that have a name, one import each; everything else listed about them is read off the classes."""

# ruff: noqa: PLC0414 - an alias says that the import is an export

from __future__ import annotations

from typing import Any

from statnn.interaction import BinaryNeurons
from statnn.montecarlo._blocks.method import Blocks as Blocks
from statnn.montecarlo._dynamic.ancestral import Ancestral as Ancestral
from statnn.montecarlo._dynamic.hamiltonian import Hamiltonian as Hamiltonian
from statnn.montecarlo._method import Method, Model
from statnn.montecarlo._multispin.method import MultiSpin as MultiSpin
from statnn.montecarlo._multispin.method import in_strips
from statnn.montecarlo._single_spin.method import HeatBath as HeatBath
from statnn.montecarlo._single_spin.method import Metropolis as Metropolis
from statnn.montecarlo._tempering.method import Tempering as Tempering
from statnn.montecarlo._wolff.method import Wolff as Wolff

METHODS: dict[str, type[Method[Any]]] = {
    method.name: method
    for method in tuple(globals().values())
    if isinstance(method, type) and issubclass(method, Method) and method is not Method
}
"""Methods by name."""


def suited(model: Model) -> Method[Any]:
    """Return the default method of a model."""
    if isinstance(model, BinaryNeurons):
        if model.blocks is not None:
            return Blocks()
        return MultiSpin() if in_strips(model) else HeatBath()
    return Hamiltonian() if model.targets is not None else Ancestral()


def names(model_type: type[Any]) -> tuple[str, ...]:
    """Return the names of the methods that sample such models."""
    return tuple(sorted(name for name, method in METHODS.items() if issubclass(model_type, method.model_type)))


def overview() -> str:
    """Return a list of the methods: class, name, model type, and the first line of its docstring."""
    rows = []
    for name, method in sorted(METHODS.items()):
        first = (method.__doc__ or "").strip().split("\n")[0]
        rows.append(f'`{method.__name__}` ("{name}"), of `{method.model_type.__name__}`\n    {first}')
    return "\n".join(rows)
