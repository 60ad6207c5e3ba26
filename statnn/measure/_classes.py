"""What class a network gives, and which labels fit it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statnn._arguments import Ints, array_of, whole_array
from statnn.network import Activation, Network
from statnn.network._checked import FIELDS
from statnn.network._differences import evaluate


def number_of_classes(net: Network) -> int:
    """Return how many classes a network tells apart: one an output, two for a single output."""
    return max(2, net.widths[-1])


def classes_of(net: Network, fields: NDArray[Any]) -> Ints:
    """Return the class of every row of fields of the last layer, shape (samples, n_M).

    It is the largest output, the first of equal ones; of a single output, whether it is above zero, or, where it has
    values on one side of zero only, as that of a sigmoid, above what it is at a field of zero.
    """
    values = deciding(net, fields)
    if values.shape[-1] == 1:
        return (values[..., 0] > 0).astype(np.int64)
    return np.asarray(values.argmax(axis=-1), dtype=np.int64)


def deciding(net: Network, fields: NDArray[Any]) -> NDArray[Any]:
    """Return what tells the class, the largest or the sign of a single one, for fields of the last layer.

    A strictly increasing activation keeps the order of fields, and they keep it also where outputs round to the same
    number.
    """
    last = net.activations[-1]
    if last.increasing:
        return fields
    values = np.asarray(last(fields))
    return values if values.shape[-1] > 1 else values - _level(last)


def _level(sigma: Activation) -> float:
    """Return above what value a single output says class 1."""
    reached = evaluate(sigma.function, FIELDS, f"activation {sigma.name!r}")
    if np.nanmin(reached) < 0 < np.nanmax(reached):
        return 0.0
    beside = np.finfo(float).tiny * np.array([-1.0, 1.0])
    return float(sigma(beside).mean())  # of a step, half of it


def checked_labels(labels: ArrayLike, samples: int, classes: int) -> Ints:
    """Return labels, one per sample, each below `classes`, or raise."""
    array = array_of(labels, "labels")
    if array.ndim == 2:
        raise ValueError(
            f"labels has shape {array.shape}; one whole number a sample is needed: pass onehot.argmax(axis=1)"
        )
    if array.dtype.kind == "b":
        array = array.astype(np.int64)
    numbers = whole_array(array, "labels")
    if numbers.size != samples:
        raise ValueError(f"there are {numbers.size} labels for {samples} samples; pass one a sample")
    if numbers.max() >= classes:
        raise ValueError(
            f"labels reach {numbers.max()}, but the network tells {classes} classes apart: number them from 0 to "
            f"{classes - 1}, in the order of the outputs"
        )
    return numbers


def inputs_of(net: Any, x: ArrayLike) -> NDArray[Any]:
    """Return inputs of shape (samples, n_0) in the precision of the network, or raise."""
    if not isinstance(net, Network):
        raise TypeError(
            f"net is a {type(net).__name__}; pass a statnn.Network, or load one with statnn.io.load_network"
        )
    inputs: NDArray[Any] = np.atleast_2d(net.inputs(x))
    return inputs
