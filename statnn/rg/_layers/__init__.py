"""Families of layers that compose: linear, binary, noisy; the loss of projections; drawings of flows."""
