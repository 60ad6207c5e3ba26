"""What both layouts of single-spin updates begin with."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from statnn._random import Root, stream
from statnn.interaction import BinaryNeurons
from statnn.montecarlo._walkers import Values

_UPDATES_AT_ONCE = 10**8
"""Kernels return to Python after so many updates, or work that takes as long, so that an interrupt gets through."""


def start(model: BinaryNeurons, seed: Root, chains: Sequence[int], initial: Values | None) -> NDArray[np.int8]:
    """Return the first states, shape (chains, N): given, or random from ``stream(seed, chain, 1)``."""
    if initial is not None:
        return np.asarray(initial, dtype=np.int8)
    bits = [stream(seed, chain, 1).integers(0, 2, size=model.size, dtype=np.int8) for chain in chains]
    return np.stack([2 * one - 1 for one in bits])


def pieces(sweeps: int, updates: int) -> Iterator[int]:
    """Cut sweeps of so many updates each into calls of a kernel."""
    most = max(1, _UPDATES_AT_ONCE // updates)
    while sweeps > 0:
        yield min(most, sweeps)
        sweeps -= most
