r"""Node strength and layer fluctuation: networks as weighted graphs (arXiv 2110.02628).

The strength of neuron k is the sum over all its links and its bias; the fluctuation of a layer is the spread of the
strengths in it. For independent weights of variance σ_w²/n_in and biases of variance σ_b², a hidden neuron between
layers of n units has a strength of variance 2σ_w² + σ_b²: the reference for what training adds.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from statnn._arguments import Floats, whole
from statnn.interaction import BinaryNeurons, DynamicNeurons
from statnn.measure._deviations import standard_deviation
from statnn.network import Network

Model: TypeAlias = BinaryNeurons | DynamicNeurons | Network


def node_strength(model: Model) -> tuple[Floats, ...]:
    r"""Return s_k = Σ_out W + Σ_in W + b_k of every neuron, layer by layer.

    Parameters
    ----------
    model : Network, DynamicNeurons or BinaryNeurons
        Inputs have no incoming weights and no bias, outputs no outgoing weights. Dynamic neurons stand for their
        network, at its weights. For binary neurons it is s_k = Σ_j J_kj + h_k, and layers are `BinaryNeurons.layers`.

    Returns
    -------
    tuple of ndarray
        Entry m of shape (n_m,), m = 0 ... M, float64.

    Raises
    ------
    TypeError, ValueError
        If the model is none of these, or strengths exceed the range of float64.

    See Also
    --------
    strength : strengths with their null.

    Notes
    -----
    [paper], arXiv 2110.02628, equation for fully connected layers.

    References
    ----------
    La Malfa et al. 2021.

    Examples
    --------
    >>> from statnn import Network
    >>> node_strength(Network([[[1.0, -2.0]], [[3.0]]], [[0.5], [0.0]]))
    (array([ 1., -2.]), array([2.5]), array([3.]))
    """
    if isinstance(model, DynamicNeurons):
        model = model.net
    if isinstance(model, Network):
        strengths: list[Floats] = [np.zeros(n) for n in model.widths]
        with np.errstate(over="ignore", invalid="ignore"):  # refused below
            for m, (weight, bias) in enumerate(zip(model.weights, model.biases, strict=True)):
                strengths[m] += weight.sum(axis=0, dtype=np.float64)
                strengths[m + 1] += weight.sum(axis=1, dtype=np.float64) + bias
        for m, strength in enumerate(strengths):
            if not np.isfinite(strength).all():
                raise ValueError(
                    f"strengths of layer {m} exceed the range of float64: divide weights and biases by one number"
                )
        return tuple(strengths)
    if not isinstance(model, BinaryNeurons):
        raise TypeError(f"model is a {type(model).__name__}; pass a Network, DynamicNeurons or BinaryNeurons")
    strength = np.asarray(model.couplings.sum(axis=1)).ravel() + model.fields
    return tuple(strength[layer] for layer in model.layers)


def layer_fluctuation(model: Model, *, ddof: int = 0) -> Floats:
    r"""Return the standard deviation of the node strengths in every layer.

    Parameters
    ----------
    model : Network, DynamicNeurons or BinaryNeurons
        As in `node_strength`.
    ddof : {0, 1}
        The sum of squares is divided by n_m - ddof: 0 as in the paper, 1 for an estimate without bias of the variance
        of a larger population.

    Returns
    -------
    ndarray, shape (M+1,)

    Raises
    ------
    ValueError
        If a layer has no more than `ddof` neurons.

    See Also
    --------
    strength : strengths with their null.

    Notes
    -----
    [paper], arXiv 2110.02628: Y_m = (Σ_k (s_k - ⟨s⟩)²/n_m)^(1/2).

    References
    ----------
    La Malfa et al. 2021.

    Examples
    --------
    >>> from statnn import Network
    >>> layer_fluctuation(Network([[[1.0, -2.0]], [[3.0]]], [[0.5], [0.0]]))
    array([1.5, 0. , 0. ])
    """
    missing = whole(ddof, "ddof", minimum=0, maximum=1)
    strengths = node_strength(model)
    for m, layer in enumerate(strengths):
        if layer.size <= missing:
            raise ValueError(f"layer {m} has {layer.size} neuron(s); ddof = {missing} needs more: pass ddof=0")
    return np.array([standard_deviation(layer, ddof=missing) for layer in strengths])
