"""Arrays of a model for kernels, made once per model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar
from weakref import finalize

from statnn._arrays import read_only
from statnn.interaction import BinaryNeurons, DynamicNeurons
from statnn.montecarlo._method import Values

M = TypeVar("M", BinaryNeurons, DynamicNeurons)
P = ParamSpec("P")
T = TypeVar("T")


def once(function: Callable[Concatenate[M, P], T]) -> Callable[Concatenate[M, P], T]:
    """Return a function of a model, and of numbers, with a cache that lives as long as the model.

    Models are told apart by identity: comparing them by value would read every coupling.
    """
    known: dict[int, dict[Any, T]] = {}

    def remembered(model: M, /, *args: P.args, **kwargs: P.kwargs) -> T:
        if id(model) not in known:
            known[id(model)] = {}
            finalize(model, known.pop, id(model), None)
        of_model, key = known[id(model)], (args, *kwargs.items())
        if key not in of_model:
            of_model[key] = function(model, *args, **kwargs)
        return of_model[key]

    return remembered


@once
def graph(model: BinaryNeurons) -> tuple[Values, Values, Values]:
    """Return row pointers, neighbours and couplings, without a copy and read-only.

    Always read-only, since a kernel is compiled anew for writable arrays, and pickle does not keep the difference.
    """
    couplings = model.couplings
    return read_only(couplings.indptr.view()), read_only(couplings.indices.view()), read_only(couplings.data.view())
