"""Couplings of a layered model in the order of the kernels: even layers first, then odd layers, as whole numbers.

The layers below and above layer m have the same parity and lie side by side in this order. So one matrix [J_{m-1},
J_mᵀ] of shape (n_m, n_{m-1} + n_{m+1}) times one contiguous piece of the state gives all fields of layer m, and a flip
changes fields by one row of such a matrix. Couplings and fields are counted in spacings of the grid of `on_grid`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statnn._arguments import Ints
from statnn._by_value import ByValue
from statnn.interaction import BinaryNeurons
from statnn.montecarlo._couplings import once
from statnn.montecarlo._grid import multiples, on_grid
from statnn.montecarlo._lanes import aligned

_STEEPEST = 1e38
"""Largest 2/T in spacings: it fits into float32, and there any field other than 0 fixes the spin."""


@dataclass(frozen=True, eq=False, repr=False)
class Layered(ByValue):
    """A layered model in the order of the state.

    Parameters
    ----------
    plan : ndarray, shape (layers, 5)
        In the order of updates: first spin, spins, first neighbour, neighbours, first weight.
    weights : ndarray, shape (2 couplings,)
        The matrices one after the other; every coupling appears twice, in the matrices of both its layers.
    fields : ndarray, shape (N,)
    scale : float32
        -2/T in spacings.
    order : ndarray, shape (N,)
        The spin of the model at each position of the state.
    rows : ndarray, shape (layers,)
        The row of the plan of layer 0, 1, ...
    shifts : tuple of float
        One number per block: adding and subtracting it rounds to multiples of 2^-51 of the power of two above the row
        sums.
    """

    plan: Ints
    weights: NDArray[Any]
    fields: NDArray[Any]
    scale: np.float32
    order: Ints
    rows: Ints
    shifts: tuple[float, ...]

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in (self.plan, self.weights, self.fields, self.order))

    def matrix(self, layer: int) -> NDArray[Any]:
        """Return the couplings of a row of the plan, shape (spins, neighbours)."""
        _, width, _, count, offset = self.plan[layer]
        return self.weights[offset : offset + width * count].reshape(width, count)

    def local_fields(self, spins: NDArray[Any]) -> NDArray[Any]:
        """Return the fields of all spins computed from scratch, for a state of shape (N,)."""
        fields = self.fields.copy()
        for layer, (start, width, first, count, _) in enumerate(self.plan):
            fields[start : start + width] += self.matrix(layer) @ spins[first : first + count]
        return fields


@once
def layered(model: BinaryNeurons) -> Layered:
    """Return the couplings of a layered model, which all blocks of chains share."""
    blocks = model.blocks
    assert blocks is not None  # noqa: S101 - methods check the model first
    widths = [layer.size for layer in model.layers]
    depth = len(widths)
    turn = [*range(0, depth, 2), *range(1, depth, 2)]
    first = np.zeros(depth, dtype=np.int64)
    first[turn] = np.cumsum([0, *(widths[m] for m in turn[:-1])])
    bound, most = 0.0, 0
    for m, layer in enumerate(model.layers):
        total = np.abs(model.fields[layer])
        for part in _around(blocks, m):
            total = total + np.abs(part).sum(axis=1)
        bound = max(bound, float(total.max()))
        most = max(most, 1 + sum(part.shape[1] for part in _around(blocks, m)))
    dtype, spacing = on_grid(bound, most, model.temperature)
    weights = aligned((2 * sum(block.size for block in blocks),), dtype)
    plan = np.empty((depth, 5), dtype=np.int64)
    offset = 0
    for row, m in enumerate(turn):
        parts = _around(blocks, m)
        count = sum(part.shape[1] for part in parts)
        plan[row] = first[m], widths[m], first[m - 1 if m else 1], count, offset
        matrix, column = weights[offset : offset + widths[m] * count].reshape(widths[m], count), 0
        for part in parts:
            matrix[:, column : column + part.shape[1]] = multiples(part, spacing)
            column += part.shape[1]
        offset += widths[m] * count
    order = np.concatenate([model.layers[m] for m in turn])
    fields = multiples(model.fields[order], spacing).astype(dtype)
    slope = min(2 * (spacing / model.temperature), _STEEPEST)
    shifts = tuple(_shift(block) for block in blocks)
    return Layered(plan, weights, fields, np.float32(-slope), order, np.argsort(turn), shifts)


def _around(blocks: tuple[NDArray[Any], ...], m: int) -> list[NDArray[Any]]:
    """Return the couplings of layer m to the layers below and above, a row for each of its spins."""
    below = [blocks[m - 1]] if m else []
    return below + ([blocks[m].T] if m < len(blocks) else [])


def _shift(block: NDArray[Any]) -> float:
    """Return 3 2^k with 2^k at least the largest row sum: float64 is spaced by 2^(k-51) there."""
    bound = float(np.abs(block).sum(axis=1).max())
    return 3 * 2.0 ** max(np.ceil(np.log2(bound)), -1000) if bound else 0.0
