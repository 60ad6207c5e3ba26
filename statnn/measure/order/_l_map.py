"""The linear substitution map: the upper part of a network with every activation replaced by the identity."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from statnn._arguments import Floats, whole
from statnn.measure._classes import checked_labels, classes_of, inputs_of, number_of_classes
from statnn.network import Network


def l_map(net: Network, layer: int = 0) -> Floats:
    r"""Return the linear substitution map from the units of a layer to the outputs.

    .. math:: W = W^{(M-1)} W^{(M-2)} \cdots W^{(l+1)},

    the activations above layer l replaced by the identity. With batch normalisation the weights are the effective
    ones, diag(γ/√(v+ε)) W, as `Network.weights` are.

    Parameters
    ----------
    net : Network
        M layers of weights.
    layer : int
        l, from 0 (units of the first layer of weights) to M-1 (the outputs themselves: the identity matrix).

    Returns
    -------
    ndarray of float64, shape (outputs, units)
        W_ki is what unit i contributes to output k.

    Raises
    ------
    ValueError
        If there is no such layer, or products exceed the range of float64.

    See Also
    --------
    l_map_accuracy : how well it stands for the network.
    rank_probability : ranks by its signs.

    Notes
    -----
    [paper], arXiv 2501.02436. Exact for networks that are linear above layer l.

    References
    ----------
    Lin et al. 2025.

    Examples
    --------
    >>> from statnn import Network
    >>> net = Network([[[1.0], [2.0]], [[3.0, -1.0]]], activation="relu")
    >>> l_map(net, 0)
    array([[ 3., -1.]])
    """
    if not isinstance(net, Network):
        raise TypeError(f"net is a {type(net).__name__}; pass a statnn.Network")
    start = whole(layer, "layer", minimum=0, maximum=net.depth - 1)
    return _affine(net, start + 1)[0][0]


def l_map_accuracy(net: Network, x: ArrayLike, labels: ArrayLike) -> Floats:
    r"""Return the accuracy through the linear substitution map, for every layer in which it may start.

    Entry m keeps the activations of the first m layers and replaces those above by the identity, biases kept:

    .. math:: y = W^{(M-1)}(\cdots(W^{(m)} h^{(m)} + b^{(m)})\cdots) + b^{(M-1)}.

    Parameters
    ----------
    net : Network
        A classifier, whose classes are decided as in `statnn.measure.basins.sample_basin`.
    x : array_like, shape (samples, n_0)
        Inputs.
    labels : array_like of int, shape (samples,)
        Classes, numbered as the outputs; 0 and 1 for a single output.

    Returns
    -------
    ndarray, shape (M+1,), float64
        Entry 0 is the network without any activation, entry l+1 uses ``l_map(net, l)``, entry M is the network
        itself. Over samples the standard error of an entry p is √(p(1-p)/samples); differences between entries are
        known better, because the samples are the same.

    Raises
    ------
    TypeError, ValueError
        If inputs or labels do not fit, or numbers exceed the range of the precision.

    See Also
    --------
    l_map : the map.

    Notes
    -----
    [paper], arXiv 2501.02436: from the layer on where the entries equal the last one, the network is functionally
    linear. Replacing σ by the identity does not keep its slope: a sigmoid layer, of slope 1/4, is replaced as well.

    References
    ----------
    Lin et al. 2025.

    Examples
    --------
    >>> from statnn import Network
    >>> net = Network([[[1.0], [-1.0]], [[1.0, 1.0]]], [[0.0, 0.0], [-1.0]], ["relu", "identity"])  # |x| > 1
    >>> l_map_accuracy(net, [[-2.0], [0.5], [2.0]], [1, 0, 1])
    array([0.33333333, 1.        , 1.        ])
    """
    inputs = inputs_of(net, x)
    known = checked_labels(labels, x, len(inputs), number_of_classes(net))
    trace = net.trace(inputs)
    linear = Network([[[1.0]]], activation="identity")  # classes follow from values, however many there are
    accuracies = []
    for m, (h, (matrix, shift)) in enumerate(zip(trace.activations[:-1], _affine(net)[:-1], strict=True)):
        with np.errstate(over="ignore", invalid="ignore"):
            outputs = h @ matrix.T + shift
        if not np.isfinite(outputs).all():
            raise ValueError(
                f"outputs of the linear map from layer {m} exceed the range of float64: scale inputs or weights down"
            )
        accuracies.append(np.mean(classes_of(linear, outputs) == known))
    accuracies.append(np.mean(classes_of(net, trace.fields[-1]) == known))
    return np.array(accuracies)


def _affine(net: Network, first: int = 0) -> list[tuple[Floats, Floats]]:
    """Return matrix and shift that map h^(m) to the outputs, every activation the identity, for m = first ... M."""
    matrix, shift = np.eye(net.widths[-1]), np.zeros(net.widths[-1])
    maps = [(matrix, shift)]
    for m in reversed(range(first, net.depth)):
        with np.errstate(over="ignore", invalid="ignore"):
            shift = matrix @ net.biases[m] + shift
            matrix = matrix @ net.weights[m]
        if not np.isfinite(matrix).all():
            raise ValueError(
                f"the linear map from layer {m} exceeds the range of float64: scale the weights above it down"
            )
        maps.append((matrix, shift))
    return maps[::-1]
