"""Families of layers that compose: linear, of spins, noisy; what projections lose; flows drawn."""
