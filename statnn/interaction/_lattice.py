"""The square lattice on a torus as binary neurons."""

import math
import numbers
from typing import Any

import numpy as np
from scipy import sparse

from statnn._arguments import whole
from statnn._memory import refuse_beyond_memory
from statnn.interaction._binary import BinaryNeurons

_BYTES = 300
"""Most bytes a spin, while the couplings are put together."""


def finite_coupling(value: Any) -> float:
    """Return J as float, or raise if it is not a finite real number."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
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
        Lengths >= 2.
    coupling : float
        J, ferromagnetic if positive.
    temperature : float
        T > 0.

    Raises
    ------
    MemoryError
        If the couplings do not fit into memory.

    Examples
    --------
    >>> square_lattice(3, 3).energy([1] * 9)
    -18.0
    """
    heights = whole(rows, "rows", minimum=2)
    lengths = whole(columns, "columns", minimum=2, maximum=(2**31 - 1) // heights)
    needed = float(_BYTES) * heights * lengths
    refuse_beyond_memory(needed, f"a lattice of {heights} x {lengths} spins", "take fewer rows or columns")
    number = np.arange(heights * lengths).reshape(heights, lengths)
    one = np.concatenate([number.ravel(), number.ravel()])
    other = np.concatenate([np.roll(number, -1, axis=0).ravel(), np.roll(number, -1, axis=1).ravel()])
    bonds = sparse.coo_array(
        (np.full(one.size, finite_coupling(coupling)), (one, other)), shape=(number.size, number.size)
    )
    return BinaryNeurons(bonds + bonds.T, temperature=temperature)
