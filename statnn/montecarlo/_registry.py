"""Methods by name, and the choice where none is named."""

from statnn.interaction import BinaryNeurons
from statnn.montecarlo._blocks.method import Blocks
from statnn.montecarlo._dynamic.ancestral import Ancestral
from statnn.montecarlo._dynamic.hamiltonian import Hamiltonian
from statnn.montecarlo._method import Method, Model
from statnn.montecarlo._multispin.method import MultiSpin, in_strips
from statnn.montecarlo._single_spin.method import HeatBath, Metropolis
from statnn.montecarlo._tempering.method import Tempering
from statnn.montecarlo._wolff.method import Wolff

METHODS: dict[str, type[Method]] = {
    method.name: method
    for method in (HeatBath, Metropolis, Blocks, MultiSpin, Wolff, Tempering, Hamiltonian, Ancestral)
}


def choose(model: Model, method: str | Method | None) -> Method:
    """Return the method that was asked for, or the one that suits the model."""
    if isinstance(method, Method):
        return method
    if method is None:
        return _suited(model)
    if not isinstance(method, str) or method not in METHODS:
        raise ValueError(f"method = {method!r} is unknown; there are {', '.join(METHODS)}, or a Method()")
    return METHODS[method]()


def _suited(model: Model) -> Method:
    if isinstance(model, BinaryNeurons):
        if model.blocks is not None:
            return Blocks()
        return MultiSpin() if in_strips(model) else HeatBath()
    return Hamiltonian() if model.targets is not None else Ancestral()
