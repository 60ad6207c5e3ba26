"""Local fields without rounding: couplings on a grid so coarse that every sum of them is exact.

A local field h_i + Σ_j J_ij s_j is a sum of multiples of the spacing g = 2^k. Where none of its partial sums exceeds
2^24 g (float32) or 2^53 g (float64), every addition is exact: the result depends neither on the order of the sum, nor
on the width of vectors, nor on the number of threads, and fields that are updated never drift away from fields that
are computed anew. The price is couplings off by up to g/2, a random error of the field of at most √count g/2, which is
kept below `LARGEST_ERROR` temperatures: where float32 would exceed that, float64 is used.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from statnn._arguments import Floats
from statnn.montecarlo._couplings import once

if TYPE_CHECKING:
    from statnn.interaction import BinaryNeurons

LARGEST_ERROR = 1e-4
"""Error of a local field, in temperatures, above which float64 is used."""
SMALLEST_SHARE = 1e-10
"""Error of a local field, relative to the sum of its terms, that is accepted at any temperature, however low."""
LARGEST_SINGLE = 1e36
"""Largest local field and temperature for which float32 is considered."""
LARGEST = 1e300
"""Largest local field and inverse temperature for float64."""
_AT_ONCE = 2**15
"""Spins, or couplings, processed at a time, which limits the memory needed."""
_DIGITS: dict[np.dtype[Any], int] = {np.dtype(np.float32): 24, np.dtype(np.float64): 53}


def on_grid(bound: float, count: int, temperature: float) -> tuple[np.dtype[Any], float]:
    """Return the type of couplings and fields, and the spacing g of the grid they are rounded to.

    Parameters
    ----------
    bound : float
        Largest Σ_j |J_ij| + |h_i|.
    count : int
        Largest number of terms in one local field.
    temperature : float
        Lowest temperature that is sampled.

    Returns
    -------
    dtype, float
        The caller uses ``nearest(J, g).astype(dtype)``, and h likewise.

    Examples
    --------
    >>> on_grid(6.0, 7, 2.0)
    (dtype('float32'), 4.76837158203125e-07)
    >>> on_grid(6.0, 7, 0.001)[0]
    dtype('float64')
    """
    spacing = 1.0
    for dtype, digits in _DIGITS.items():
        if digits == 24 and max(bound, temperature) > LARGEST_SINGLE:
            continue
        spacing = _spacing(bound, count, digits)
        if np.sqrt(count) * spacing / 2 <= LARGEST_ERROR * temperature:
            return dtype, spacing
    return dtype, spacing


def multiples(values: Floats, spacing: float) -> Floats:
    """Return the nearest points of the grid, in units of its spacing."""
    whole: Floats = np.rint(values / spacing)
    return whole


def nearest(values: Floats, spacing: float) -> Floats:
    """Return the nearest points of the grid."""
    return multiples(values, spacing) * spacing


def _spacing(bound: float, count: int, digits: int) -> float:
    """Return the finest 2^k whose multiples add up to less than 2^digits g, rounding of each term included."""
    smallest = -120 if digits == 24 else -1000  # stays among the normal numbers of either type
    if bound == 0:
        return 2.0**smallest
    largest = 2.0**digits - count
    exponent = max(int(np.ceil(np.log2(bound) - np.log2(largest))), smallest)  # the ratio itself could overflow
    while bound > largest * 2.0**exponent:  # the logarithm is itself rounded
        exponent += 1
    return float(2.0**exponent)


@once
def refuse_lost(model: BinaryNeurons, temperature: float) -> None:
    """Raise ValueError where rounding to the grid would change the law of a spin at this temperature."""
    if temperature * LARGEST < 1:
        raise ValueError(f"temperature = {temperature:g} is below {1 / LARGEST:g}: 1/T exceeds the range of float64")
    with np.errstate(over="ignore"):
        bounds = _row_sums(model, np.abs) + np.abs(model.fields)
    i = int(np.argmax(bounds))
    if bounds[i] > LARGEST:
        raise ValueError(f"the local field of spin {i} reaches {bounds[i]:g}, more than {LARGEST:g}: use another unit")
    count = _most_terms(model)
    spacing = on_grid(float(bounds[i]), count, temperature)[1]
    if np.sqrt(count) * spacing / 2 <= LARGEST_ERROR * temperature:
        return

    def lost(values: Floats) -> Floats:
        return np.abs(nearest(values, spacing) - values)

    error = _row_sums(model, lost) + lost(model.fields)
    changed = (error > LARGEST_ERROR * temperature) & (error > SMALLEST_SHARE * bounds)
    if changed.any():
        worst = int(np.argmax(np.where(changed, error, 0)))
        raise ValueError(
            f"the local field of spin {worst} would be off by {error[worst] / temperature:.2g} T, because that of spin "
            f"{i} reaches {bounds[i]:g} and sums have 53 bits: bring that down. A spin is held as firmly by a field of "
            "100 T beyond all its couplings"
        )


def _row_sums(model: BinaryNeurons, function: Callable[[Floats], Floats]) -> Floats:
    """Return Σ_j f(J_ij) over the couplings of every spin, shape (N,)."""
    total = np.zeros(model.size)
    if model.blocks is None:
        data, start = model.couplings.data, model.couplings.indptr
        for begin in range(0, model.size, _AT_ONCE):
            pointers = start[begin : begin + _AT_ONCE + 1]
            spin = np.repeat(np.arange(pointers.size - 1), np.diff(pointers))
            values = function(data[pointers[0] : pointers[-1]])
            total[begin : begin + _AT_ONCE] = np.bincount(spin, values, pointers.size - 1)
        return total
    for block, (below, above) in zip(model.blocks, pairwise(model.layers), strict=True):
        values = function(block)
        total[above] += values.sum(axis=1)
        total[below] += values.sum(axis=0)
    return total


def _most_terms(model: BinaryNeurons) -> int:
    """Return the largest number of terms in one local field, the spin's own field included."""
    if model.blocks is None:
        return int(np.diff(model.couplings.indptr).max()) + 1
    widths = [0, *(layer.size for layer in model.layers), 0]
    return max(below + above for below, above in zip(widths, widths[2:], strict=False)) + 1


def rounded(model: BinaryNeurons) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the entries of the sparse matrix J and the fields h on their grid, in the type `on_grid` gives."""
    bound = _row_sums(model, np.abs) + np.abs(model.fields)
    dtype, spacing = on_grid(float(bound.max()), _most_terms(model), model.temperature)
    values = np.empty(model.couplings.nnz, dtype)
    for begin in range(0, values.size, _AT_ONCE):
        part = slice(begin, begin + _AT_ONCE)
        values[part] = nearest(model.couplings.data[part], spacing)
    return values, nearest(model.fields, spacing).astype(dtype)
