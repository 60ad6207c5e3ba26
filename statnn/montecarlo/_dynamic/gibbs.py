r"""Exact block updates of weights and biases given the neurons, where a layer is linear.

With σ the identity, h^(m+1) = W h^(m) + b + noise of variance 1/(2λ) is a linear model, and given the neurons the row
(W_i, b_i) of every unit i is Gaussian: precision A = 2λ X Xᵀ + prior, mean A⁻¹ 2λ X Y_iᵀ, with X the inputs of the
layer over samples (a row of ones for the bias) and Y_i its outputs. With any other σ the noise enters after the
nonlinearity, |h^(m+1) - σ(W h^(m) + b)|² is not quadratic in W, and there is no such update.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from statnn.interaction import DynamicNeurons, State
from statnn.montecarlo._dynamic.hamiltonian_kernels import Array


def linear_layers(model: DynamicNeurons) -> tuple[int, ...]:
    """Return the layers whose weights and biases have Gaussian conditionals; empty if neither is free."""
    if len(model.free) == 1:
        return ()
    return tuple(m for m, sigma in enumerate(model.net.activations) if sigma.linear)


def redraw(
    model: DynamicNeurons, layers: Sequence[int], states: Array, streams: Sequence[np.random.Generator]
) -> Array:
    """Return states of shape (chains, dimension) with the weights and biases of some layers drawn anew."""
    chains = len(states)
    state = model.unpack(states)
    weights = [np.broadcast_to(w, (chains, *w.shape[-2:])) for w in state.weights]
    biases = [np.broadcast_to(b, (chains, b.shape[-1])) for b in state.biases]
    for m in layers:
        below = model.inputs if m == 0 else state.neurons[m - 1]
        below = np.broadcast_to(below, (chains, *below.shape[-2:])).astype(np.float64)
        weights[m], biases[m] = _layer(model, below, state.neurons[m], weights[m], biases[m], streams)
    return model.pack(State(state.neurons, tuple(weights), tuple(biases)))


def _layer(
    model: DynamicNeurons, below: Array, above: Array, weight: Array, bias: Array,
    streams: Sequence[np.random.Generator],
) -> tuple[Array, Array]:  # fmt: skip
    """Return weights (chains, n_out, n_in) and biases (chains, n_out) of one layer given all neurons."""
    prior = model.prior
    if prior is None:
        raise TypeError("a model with free weights or biases has a prior")
    n_in = below.shape[-1]
    designs, precisions, outputs = [], [], above.astype(np.float64)
    if "weights" in model.free:
        designs.append(below)
        precisions += [n_in / prior.sigma_w**2] * n_in
    else:
        outputs = outputs - below @ np.swapaxes(weight, -1, -2)
    if "biases" in model.free:
        designs.append(np.ones((*below.shape[:-1], 1)))
        precisions.append(prior.sigma_b**-2)
    else:
        outputs = outputs - bias[:, None, :]
    design = np.concatenate(designs, axis=-1)
    turned = np.swapaxes(design, -1, -2)
    factor = np.linalg.cholesky(2 * model.stiffness * (turned @ design) + np.diag(precisions))
    mean = np.linalg.solve(factor, 2 * model.stiffness * (turned @ outputs))
    noise = np.stack([generator.standard_normal(mean.shape[1:]) for generator in streams])
    drawn = np.swapaxes(np.linalg.solve(np.swapaxes(factor, -1, -2), mean + noise), -1, -2)
    if "weights" in model.free:
        weight = drawn[:, :, :n_in]
    if "biases" in model.free:
        bias = drawn[:, :, -1]
    return weight, bias
