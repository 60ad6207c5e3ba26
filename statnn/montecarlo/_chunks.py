"""Cut chains into blocks and sweeps into kernel calls; give the first states of chains of spins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from statnn._random import Root, stream
from statnn.interaction import BinaryNeurons
from statnn.montecarlo._method import Values

_UPDATES_AT_ONCE = 10**8
"""Kernels return to Python after this many updates, or work that takes as long, so that an interrupt gets through."""


TASKS = 4
"""Chains are cut into this many blocks where each is still large enough to pay: work for two or four workers."""


def check_layout(layout: str | None, known: Sequence[str]) -> None:
    """Raise unless a layout is None or known."""
    if layout is not None and layout not in known:
        raise ValueError(f"layout = {layout!r} is unknown; choose from {', '.join(known)}, or leave it at None")


def cut(chains: int, fewest: int, most: int) -> int:
    """Return the number of chains of a block: a quarter of all, but at least `fewest` and at most `most`.

    Examples
    --------
    >>> cut(64, 1, 64), cut(64, 32, 64), cut(1000, 32, 64)
    (16, 32, 64)
    """
    return min(max(-(-chains // TASKS), fewest), most)


def starts(model: BinaryNeurons, seed: Root, chains: Sequence[int], initial: Values | None) -> Iterator[Values]:
    """Yield the first state of every chain, shape (N,): given, or random from ``stream(seed, chain, 1)``."""
    for k, chain in enumerate(chains):
        if initial is not None:
            yield initial[k]
        else:
            yield 2 * stream(seed, chain, 1).integers(0, 2, size=model.size, dtype=np.int8) - 1


def pieces(sweeps: int, updates: int) -> Iterator[int]:
    """Yield the sweeps of every kernel call, where a sweep has `updates` updates."""
    most = max(1, _UPDATES_AT_ONCE // updates)
    while sweeps > 0:
        yield min(most, sweeps)
        sweeps -= most
