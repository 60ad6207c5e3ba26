"""Simulated paths: kernels that jump between checkpoints, kernels that follow the rule, and what they return."""
