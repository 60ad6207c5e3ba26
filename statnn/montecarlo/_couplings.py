"""Couplings as kernels take them, made once for a model."""

from collections.abc import Callable
from typing import TypeVar
from weakref import WeakKeyDictionary

from statnn._arrays import read_only
from statnn.interaction import BinaryNeurons
from statnn.montecarlo._method import Values


def graph(model: BinaryNeurons) -> tuple[Values, Values, Values]:
    """Return row pointers, neighbours and couplings, without a copy and read-only.

    A kernel is compiled once for arrays that may be written to and once for others; pickle forgets which is which.
    """
    couplings = model.couplings
    return read_only(couplings.indptr.view()), read_only(couplings.indices.view()), read_only(couplings.data.view())


T = TypeVar("T")


def once(function: Callable[[BinaryNeurons], T]) -> Callable[[BinaryNeurons], T]:
    """Return a function of a model that is evaluated once; the model keeps what it gave for as long as it lives."""
    known: WeakKeyDictionary[BinaryNeurons, T] = WeakKeyDictionary()

    def remembered(model: BinaryNeurons) -> T:
        if model not in known:
            known[model] = function(model)
        return known[model]

    return remembered
