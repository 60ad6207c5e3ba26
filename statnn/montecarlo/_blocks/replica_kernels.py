"""Heat bath of many replicas at once: fields of a whole layer become new spins of that layer.

A spin in the field f is up with probability 1/(1 + exp(-2f/T)). Replicas are innermost, every one on its own lane of
random numbers, so that a vector register holds 8 or 16 of them. Random numbers are odd multiples of 2^-24, so a smaller
probability counts as zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from statnn._compile import kernel
from statnn.montecarlo._lanes import exponential, uniform_lane

_ONE = np.float32(1)


@kernel
def accept(products: Any, fields: Any, scale: Any, spins: Any, state: Any, changes: Any) -> None:
    """Draw new spins of shape (rows, replicas) in the fields `products` + `fields`; `scale` is -2/T in their unit.

    `state` holds the lanes of random numbers, shape (4, replicas); `changes` counts the spins that changed in every
    replica.
    """
    for i in range(spins.shape[0]):
        field = fields[i]
        for r in range(spins.shape[1]):
            # the sum is of whole numbers and exact: rounding begins after it, in the same way for every BLAS
            odds = exponential(np.float32(products[i, r] + field) * scale)
            # u < 1 / (1 + odds) as a product, which is faster than a division
            new = np.float32(1) if uniform_lane(state, r) * (_ONE + odds) < _ONE else np.float32(-1)
            # 32 bits as the lanes of random numbers; the caller empties the counts after every sweep
            changes[r] += np.uint32(new != spins[i, r])
            spins[i, r] = new


@kernel
def bond_energies(products: Any, fields: Any, spins: Any, energies: Any) -> None:
    """Subtract Σ_i (products[i, r] + fields[i]) spins[i, r] from the energy of every replica r, in the order of i."""
    for i in range(spins.shape[0]):
        field = fields[i]
        # terms are summed along i and not along a register: bits do not depend on how many replicas there are
        for r in range(energies.size):
            energies[r] -= (products[i, r] + field) * np.float64(spins[i, r])


@kernel
def layer_sums(plan: Any, spins: Any, sums: Any) -> None:
    """Add the spins of every row of the plan to `sums`, shape (layers, replicas)."""
    for layer in range(plan.shape[0]):
        for i in range(plan[layer, 0], plan[layer, 0] + plan[layer, 1]):
            for r in range(spins.shape[1]):
                sums[layer, r] += spins[i, r]
