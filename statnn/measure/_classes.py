"""What class a network gives, and which labels fit it."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statnn._arguments import Ints, array_of, whole_array
from statnn.network import Network


def number_of_classes(net: Network) -> int:
    """Return how many classes a network tells apart: one an output, two for a single output."""
    return max(2, net.widths[-1])


def classes_of(net: Network, fields: NDArray[Any]) -> Ints:
    """Return the class of every row of fields of the last layer, shape (samples, n_M).

    It is the largest output, the first of equal ones; of a single output, whether it is above zero, for the sigmoid
    above one half and for softplus above ln 2, where fields are zero. A strictly increasing activation keeps that
    order, and its fields keep it also where outputs round to the same number.
    """
    last = net.activations[-1]
    values = fields if last.increasing else np.asarray(last(fields))
    if values.shape[-1] == 1:
        return (values[..., 0] > 0).astype(np.int64)
    return np.asarray(values.argmax(axis=-1), dtype=np.int64)


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
