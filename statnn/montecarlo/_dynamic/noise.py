"""Neurons written as the noise that their layers received, ξ^(m+1) = √(2λ) (h^(m+1) - σ(W^(m) h^(m) + b^(m)))."""

from __future__ import annotations

import numpy as np

from statnn.interaction import DynamicNeurons, State
from statnn.montecarlo._dynamic.hamiltonian_kernels import Array, multiply


def to_noise(model: DynamicNeurons, states: Array) -> Array:
    """Return states of shape (chains, dimension) with ξ in the place of h."""
    state = model.unpack(states)
    stretch = model.net.dtype.type((2 * model.stiffness) ** 0.5)
    below: Array = model.inputs
    noise = []
    for m, h in enumerate(state.neurons):
        noise.append(stretch * (h - _computed(model, m, below, state)))
        below = h
    return model.pack(State(tuple(noise), state.weights, state.biases))


def from_noise(model: DynamicNeurons, states: Array) -> Array:
    """Return states of shape (chains, dimension) with h in the place of ξ."""
    state = model.unpack(states)
    spread = model.net.dtype.type((2 * model.stiffness) ** -0.5)
    below: Array = model.inputs
    neurons = []
    for m, noise in enumerate(state.neurons):
        below = _computed(model, m, below, state) + spread * noise
        neurons.append(below)
    return model.pack(State(tuple(neurons), state.weights, state.biases))


def _computed(model: DynamicNeurons, m: int, below: Array, state: State) -> Array:
    weight, bias = state.weights[m], state.biases[m]
    with np.errstate(over="ignore", invalid="ignore"):  # saturating functions stay finite, others get no energy
        if weight.ndim == 2:  # the same for all: one matrix product
            fields = multiply(below.reshape(-1, below.shape[-1]), weight.T).reshape(*below.shape[:-1], -1)
        else:
            fields = multiply(below, np.swapaxes(weight, -1, -2))
    return model.net.activations[m](fields + bias[..., None, :])
