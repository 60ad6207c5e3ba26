"""Heat bath of many replicas at once: fields of a whole layer become new spins of that layer.

A spin in the field f is up with probability 1/(1 + exp(-2f/T)). Replicas are innermost, every one on its own lane of
random numbers, so that a vector register holds 8 or 16 of them. The exponential is a polynomial (Cephes, relative
error below 1e-7), as a library call would be made lane by lane; random numbers are multiples of 2**-24, and
probabilities are resolved to that.
"""

from typing import Any

import numpy as np

from statnn._lanes import uniform_lane
from statnn._numba import helper, kernel

_ONE = np.float32(1)
_LARGEST = np.float32(80)
_LOG2_E = np.float32(1.44269504)
_ROUND = np.float32(1.5 * 2**23)
_LN2_HIGH, _LN2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)
_C0, _C1, _C2 = np.float32(1.9875691500e-4), np.float32(1.3981999507e-3), np.float32(8.3334519073e-3)
_C3, _C4, _C5 = np.float32(4.1665795894e-2), np.float32(1.6666665459e-1), np.float32(5.0000001201e-1)


@helper
def exponential(x: Any) -> Any:
    """Return exp(x) in float32; x is held within [-80, 80], as no random number tells what is beyond."""
    x = min(max(x, -_LARGEST), _LARGEST)
    n = np.float32(np.float32(x * _LOG2_E) + _ROUND) - _ROUND
    r = np.float32(np.float32(x - n * _LN2_HIGH) - n * _LN2_LOW)
    p = ((((_C0 * r + _C1) * r + _C2) * r + _C3) * r + _C4) * r + _C5
    mantissa = p * r * r + r + _ONE
    return np.float32(mantissa * np.int32((np.int32(n) + np.int32(127)) << np.int32(23)).view(np.float32))


@kernel
def accept(products: Any, fields: Any, scale: Any, spins: Any, state: Any, changes: Any) -> None:
    """Draw new spins of shape (rows, replicas) in the fields `products` + `fields`; `scale` is -2/T in their unit.

    `state` are lanes of shape (4, replicas); `changes` counts the spins of every replica that are not what they were.
    """
    for i in range(spins.shape[0]):
        field = fields[i]
        for r in range(spins.shape[1]):
            odds = exponential(np.float32(products[i, r] + field) * scale)
            new = np.float32(1) if uniform_lane(state, r) * (_ONE + odds) < _ONE else np.float32(-1)
            changes[r] += np.uint32(new != spins[i, r])
            spins[i, r] = new


@kernel
def bond_energies(products: Any, fields: Any, spins: Any, energies: Any) -> None:
    """Subtract Σ_i (products[i, r] + fields[i]) spins[i, r] from every energy, in the order of i."""
    for i in range(spins.shape[0]):
        field = fields[i]
        for r in range(energies.size):
            energies[r] -= (products[i, r] + field) * np.float64(spins[i, r])


@kernel
def layer_sums(plan: Any, spins: Any, sums: Any) -> None:
    """Add the spins of every row of the plan to `sums`, shape (layers, replicas)."""
    for layer in range(plan.shape[0]):
        for i in range(plan[layer, 0], plan[layer, 0] + plan[layer, 1]):
            for r in range(spins.shape[1]):
                sums[layer, r] += spins[i, r]
