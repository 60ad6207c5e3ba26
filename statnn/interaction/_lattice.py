"""The square lattice on a torus as binary neurons."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import sparse

from statnn._arguments import is_number, whole
from statnn._memory import refuse_beyond_memory
from statnn.interaction._binary import BinaryNeurons, of_symmetric

_BYTES = 90
"""Most bytes per spin while the couplings are built."""
_AT_ONCE = 2**13
"""Spins whose neighbours are found at a time."""
_SIDES = ((0, 1), (0, -1), (1, 0), (-1, 0))


def finite_coupling(value: Any) -> float:
    """Return J as float, or raise if it is not a finite real number."""
    if not is_number(value):
        raise TypeError(f"coupling = {value!r} is a {type(value).__name__}; one real number is needed")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"coupling = {value!r} must be finite")
    return number


def square_lattice(rows: int, columns: int, coupling: float = 1.0, temperature: float = 1.0) -> BinaryNeurons:
    """Return spins on a rows × columns torus, each coupled to its four neighbours.

    Spin (row, column) has number row · columns + column. Around a circle of length 2 the two neighbours of a spin are
    the same spin: the two bonds add up to a coupling of 2J, as in `kaufman`.

    Parameters
    ----------
    rows, columns : int
        Lengths >= 2, rows · columns < 2^31.
    coupling : float
        J, ferromagnetic if positive.
    temperature : float
        T > 0.

    Raises
    ------
    TypeError, ValueError, MemoryError
        If a parameter is outside its range, or the couplings do not fit into memory.

    See Also
    --------
    kaufman, onsager : its exact averages.
    statnn.rg.sample_flow : its renormalisation.

    Examples
    --------
    >>> square_lattice(3, 3).energy([1] * 9)
    -18.0
    """
    heights = whole(rows, "rows", minimum=2)
    lengths = whole(columns, "columns", minimum=2, maximum=(2**31 - 1) // heights)
    needed = float(_BYTES) * heights * lengths
    what, fix = f"a lattice of {heights} x {lengths} spins", "take fewer rows or columns"
    refuse_beyond_memory(needed, what, fix, of=(heights * lengths, "spins"))
    matrix = _matrix(heights, lengths, finite_coupling(coupling))
    return of_symmetric(matrix, temperature)


def _matrix(rows: int, columns: int, coupling: float) -> sparse.csr_array[Any]:
    """Return the couplings, written in place without further memory."""
    size = rows * columns
    bonds = [(k, step) for k, length in enumerate((rows, columns)) for step in ((1,) if length == 2 else (-1, 1))]
    if coupling == 0:
        bonds = []
    strength = np.array([coupling * (2 if (rows, columns)[k] == 2 else 1) for k, _ in bonds])
    kind = np.int32 if size * len(bonds) < 2**31 else np.int64
    indices = np.empty((size, len(bonds)), dtype=kind)
    data = np.empty((size, len(bonds)))
    for begin in range(0, size if bonds else 0, _AT_ONCE):
        place = np.divmod(np.arange(begin, min(begin + _AT_ONCE, size)), columns)
        near = [
            ((place[0] + (step if k == 0 else 0)) % rows) * columns + (place[1] + (step if k == 1 else 0)) % columns
            for k, step in bonds
        ]
        order = np.argsort(near, axis=0)
        indices[begin : begin + _AT_ONCE] = np.take_along_axis(np.array(near), order, axis=0).T
        data[begin : begin + _AT_ONCE] = strength[order].T
    pointers = np.arange(0, indices.size + 1, len(bonds), dtype=kind) if bonds else np.zeros(size + 1, dtype=kind)
    return sparse.csr_array((data.ravel(), indices.ravel(), pointers), shape=(size, size))


def torus(model: BinaryNeurons) -> tuple[int, int] | None:
    """Return rows and columns of a square lattice on a torus, its spins row by row; None for all other models."""
    if model.size < 9 or (np.diff(model.couplings.indptr) != 4).any():
        return None
    columns = int(np.sort(model.couplings.indices[:4])[2])  # beside spin 0: 1, columns - 1, columns, and the last row
    rows = model.size // columns
    known = columns > 2 and model.size == rows * columns and _is_torus(model.couplings.indices.reshape(-1, 4), columns)
    return (rows, columns) if known else None


def _is_torus(near: np.ndarray[Any, Any], columns: int) -> bool:
    """Return whether the neighbours of every spin are those on a torus; some spins at a time, to save memory."""
    rows = len(near) // columns
    for begin in range(0, len(near), _AT_ONCE):
        neighbours = near[begin : begin + _AT_ONCE]
        row, column = np.divmod(np.arange(begin, begin + len(neighbours)), columns)
        beside = [((row + up) % rows) * columns + (column + along) % columns for up, along in _SIDES]
        if not np.array_equal(np.sort(neighbours, axis=1), np.sort(np.stack(beside, axis=1), axis=1)):
            return False
    return True
