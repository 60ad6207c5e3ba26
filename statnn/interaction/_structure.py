"""Layers and colours of any graph, found from its couplings alone.

*Layers* are sets L_0, L_1, ... with couplings only inside a layer or between neighbours: the levels of a
breadth-first search, one connected component after the other. Narrow layers are better (their transfer matrices are
small), so the search begins at a far end, found by going there and back (George & Liu 1979). *Colours* are sets
without couplings inside, which can be updated at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from statnn._arguments import Ints
from statnn._arrays import read_only
from statnn._compile import kernel

if TYPE_CHECKING:
    from scipy import sparse


def levels(couplings: sparse.csr_array[Any]) -> tuple[Ints, ...]:
    """Return the spins of every layer, component by component; spins without couplings are one layer, the last."""
    size = couplings.shape[0]
    indptr, indices = _pattern(couplings)
    level = np.full(size, -1, dtype=np.int64)
    order, queue = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    reached = _all_levels(indptr, indices, level, order, queue)
    return tuple(_groups(order[:reached], level)) + ((np.flatnonzero(level < 0),) if reached < size else ())


def _levels_from(couplings: sparse.csr_array[Any], first: int) -> list[Ints]:
    """Return the levels of the component of one spin, by their distance from it."""
    size = couplings.shape[0]
    level, order = np.full(size, -1, dtype=np.int64), np.empty(size, dtype=np.int64)
    reached = _search(*_pattern(couplings), first, level, order)
    return _groups(order[:reached], level)


def _pattern(couplings: sparse.csr_array[Any]) -> tuple[Ints, Ints]:
    """Return row pointers and neighbours, read-only, so that kernels are compiled once."""
    pattern = couplings.indptr, couplings.indices
    indptr, indices = (read_only(part.astype(np.int64, copy=False).view()) for part in pattern)
    return indptr, indices


def _groups(order: Ints, level: Ints) -> list[Ints]:
    """Cut an order into runs of equal level."""
    if not order.size:
        return []
    return [np.sort(group) for group in np.split(order, np.flatnonzero(np.diff(level[order])) + 1)]


@kernel
def _all_levels(indptr: Any, indices: Any, level: Any, order: Any, queue: Any) -> int:
    """Write levels and the order of spins; levels of different components differ. Return how many have neighbours."""
    placed, next_level = 0, 0
    for start in range(level.size):
        if level[start] >= 0 or indptr[start] == indptr[start + 1]:
            continue
        first, depth = start, -1
        while True:
            count = _search(indptr, indices, first, level, queue)
            far = level[queue[count - 1]]
            if far <= depth:  # no deeper than the search before, which stands in `order`
                break
            depth = far
            order[placed : placed + count] = queue[:count]
            other = queue[count - 1]
            for step in range(count - 1, -1, -1):  # the next start: the spin of fewest couplings in the last level
                spin = queue[step]
                if level[spin] < depth:
                    break
                if indptr[spin + 1] - indptr[spin] < indptr[other + 1] - indptr[other]:
                    other = spin
            first = other
            level[queue[:count]] = -1
        level[queue[:count]] = -1
        _search(indptr, indices, order[placed], level, queue)
        level[queue[:count]] += next_level
        next_level += depth + 1
        placed += count
    return placed


@kernel
def _search(indptr: Any, indices: Any, first: int, level: Any, order: Any) -> int:
    """Breadth-first search among spins of level -1: write levels 0, 1, ... and the order, return the number found."""
    level[first] = 0
    order[0] = first
    step, count = 0, 1
    while step < count:
        spin = order[step]
        step += 1
        for k in range(indptr[spin], indptr[spin + 1]):
            other = indices[k]
            if level[other] < 0:
                level[other] = level[spin] + 1
                order[count] = other
                count += 1
    return count


def colours(couplings: sparse.csr_array[Any]) -> Ints:
    """Return the colour of every spin: two where the graph has no odd loop, few otherwise (greedy)."""
    size = couplings.shape[0]
    order = np.concatenate(levels(couplings))
    colour = np.full(size, -1, dtype=np.int64)
    _greedy(*_pattern(couplings), order, colour, np.zeros(size + 1, dtype=np.int64))
    return colour


@kernel
def _greedy(indptr: Any, indices: Any, order: Any, colour: Any, seen: Any) -> None:
    """In breadth-first order the greedy rule needs two colours wherever two are enough."""
    for step in range(order.size):
        spin = order[step]
        for k in range(indptr[spin], indptr[spin + 1]):
            other = colour[indices[k]]
            if other >= 0:
                seen[other] = step + 1
        free = 0
        while seen[free] == step + 1:
            free += 1
        colour[spin] = free
