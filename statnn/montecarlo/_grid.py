"""Local fields without rounding: couplings on a grid so coarse that every sum of them is a float.

A local field h_i + Σ_j J_ij s_j is a sum of multiples of the spacing g = 2^k. Where none of its partial sums exceeds
2^24 g (float32) or 2^53 g (float64), every addition is exact: the result depends neither on the order of the sum, nor
on the width of vectors, nor on the number of threads, and fields that are updated never drift away from fields that
are computed anew. The price is couplings off by up to g/2, a random error of the field of √count g/2 at most, that is
`LARGEST_ERROR` temperatures; where float32 would cost more, float64 is taken.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from statnn._edge import Floats

if TYPE_CHECKING:
    from scipy import sparse

LARGEST_ERROR = 1e-4
"""Error of a local field, in temperatures, from which on float64 is taken."""
_DIGITS: dict["np.dtype[Any]", int] = {np.dtype(np.float32): 24, np.dtype(np.float64): 53}


def on_grid(bound: float, count: int, temperature: float) -> tuple["np.dtype[Any]", float]:
    """Return the type of couplings and fields, and the spacing g of the grid they are rounded to.

    Parameters
    ----------
    bound : float
        Largest Σ_j |J_ij| + |h_i|.
    count : int
        Largest number of terms in one local field.
    temperature : float
        The lowest of those that are sampled.

    Returns
    -------
    dtype, float
        The caller takes ``(np.round(J / g) * g).astype(dtype)``, and h likewise.

    Examples
    --------
    >>> on_grid(6.0, 7, 2.0)
    (dtype('float32'), 4.76837158203125e-07)
    >>> on_grid(6.0, 7, 0.001)[0]
    dtype('float64')
    """
    spacing = 1.0
    for dtype, digits in _DIGITS.items():
        spacing = _spacing(bound, count, digits)
        if np.sqrt(count) * spacing / 2 <= LARGEST_ERROR * temperature:
            return dtype, spacing
    return dtype, spacing


def _spacing(bound: float, count: int, digits: int) -> float:
    """Return the finest 2^k whose multiples add up to less than 2^digits g, rounding of each term included."""
    smallest = -120 if digits == 24 else -1000  # normal numbers in either type
    if bound == 0:
        return 2.0**smallest
    largest = 2.0**digits - count
    exponent = max(int(np.ceil(np.log2(bound / largest))), smallest)
    while bound > largest * 2.0**exponent:  # the logarithm is itself rounded
        exponent += 1
    return float(2.0**exponent)


def rounded(
    couplings: "sparse.csr_array[Any]", fields: Floats, temperature: float
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the entries of a sparse matrix J and the fields h on their grid, in the type `on_grid` gives."""
    degree = np.diff(couplings.indptr)
    bound = abs(couplings).sum(axis=1) + np.abs(fields)
    dtype, spacing = on_grid(float(bound.max()), int(degree.max()) + 1, temperature)
    values, own = (np.round(part / spacing) * spacing for part in (couplings.data, fields))
    return values.astype(dtype), own.astype(dtype)
