"""The class that a network gives, and labels that fit its classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statnn._arguments import Ints, array_of, whole_array
from statnn._labelled import refuse_other_order
from statnn.network import Activation, Network
from statnn.network._checked import FIELDS
from statnn.network._differences import evaluate


def number_of_classes(net: Network) -> int:
    """Return how many classes a network tells apart: one per output, two for a single output."""
    return max(2, net.widths[-1])


def classes_of(net: Network, fields: NDArray[Any]) -> Ints:
    """Return the class of every row of fields of the last layer, shape (samples, n_M).

    The class is the number of the largest output, the first of equal ones. A single output gives class 1 if it is
    above zero, or, if it has values on one side of zero only, as a sigmoid has, above its value at a field of zero.
    """
    values = deciding(net, fields)
    if values.shape[-1] == 1:
        return (values[..., 0] > 0).astype(np.int64)
    return np.asarray(values.argmax(axis=-1), dtype=np.int64)


def deciding(net: Network, fields: NDArray[Any]) -> NDArray[Any]:
    """Return the values that decide the class, the largest or the sign of a single one, for fields of the last layer.

    Under a strictly increasing activation these are the fields themselves, which keep their order where outputs round
    to the same number.
    """
    last = net.activations[-1]
    if last.increasing:
        return fields
    values = np.asarray(last(fields))
    return values if values.shape[-1] > 1 else values - _level(last)


def _level(sigma: Activation) -> float:
    """Return the value above which a single output gives class 1."""
    reached = evaluate(sigma.function, FIELDS, f"activation {sigma.name!r}")
    if np.nanmin(reached) < 0 < np.nanmax(reached):
        return 0.0
    beside = np.finfo(float).tiny * np.array([-1.0, 1.0])
    return float(sigma(beside).mean())  # the middle of a step


def checked_labels(labels: ArrayLike, x: ArrayLike, samples: int, classes: int) -> Ints:
    """Return labels, one per sample of x and in their order, each below `classes`, or raise."""
    refuse_other_order(labels, "labels", x, "samples")
    array = array_of(labels, "labels")
    if array.ndim == 2:
        fix = "labels[:, 0]" if array.shape[1] == 1 else "onehot.argmax(axis=1)"
        raise ValueError(f"labels has shape {array.shape}; one whole number per sample is needed: pass {fix}")
    if array.dtype.kind == "b":
        array = array.astype(np.int64)
    numbers = whole_array(array, "labels")
    if numbers.size != samples:
        raise ValueError(f"there are {numbers.size} labels for {samples} samples; pass one per sample")
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
