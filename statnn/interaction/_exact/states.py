"""All 2^n states of n spins, and functions linear or quadratic in the spins on all of them.

State k has spin i = +1 where bit i of k is set, else -1. Adding a spin doubles the states, and with them every
function: each value is a sum of at most n² / 2 terms, computed afresh, so that no error builds up along the states.
"""

from __future__ import annotations

import numpy as np

from statnn._arguments import Floats


def linear(coefficients: Floats, constant: float) -> Floats:
    """Return constant + Σ c_i s_i on all states, shape (2^n,)."""
    values = np.array([constant])
    for coefficient in coefficients:
        values = np.concatenate([values - coefficient, values + coefficient])
    return values


def energies(couplings: Floats, fields: Floats) -> Floats:
    """Return E = -Σ_{i<j} J_ij s_i s_j - Σ h_i s_i on all states, shape (2^n,)."""
    values = np.zeros(1)
    for i, field in enumerate(fields):
        local = linear(couplings[i, :i], field)
        values = np.concatenate([values + local, values - local])
    return values


def spins(count: int) -> Floats:
    """Return all states, shape (2^n, n)."""
    bits = np.arange(2**count)[:, None] >> np.arange(count) & 1
    return (2 * bits - 1).astype(np.float64)


def second_moments(law: Floats, values: Floats) -> Floats:
    """Return Σ_k p_k v_ki v_kj for v of shape (states, n): symmetric to the last bit, as a product of one root."""
    root = np.sqrt(law)[:, None] * values
    return root.T @ root
