"""Numbers by which kernels know activations, which they cannot call by name."""

from __future__ import annotations

OWN = -1
"""A function that kernels do not know."""
IDENTITY, TANH, ERF, RELU, LEAKY_RELU, SIGMOID, SIGN, GELU, GELU_TANH, SILU, SOFTPLUS, SIN = range(12)
