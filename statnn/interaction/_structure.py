"""Layers and colours of any graph, found from its couplings alone.

*Layers* are sets L_0, L_1, ... with couplings only inside a layer or between neighbours: the levels of a
breadth-first search, one connected component after the other. *Colours* are sets without couplings inside,
which can be updated at once.
"""

from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from statnn._edge import Ints
from statnn._numba import kernel


def levels(couplings: "sparse.csr_array[Any]") -> tuple[Ints, ...]:
    """Return the spins of every layer, narrow layers preferred: the search begins at a far end."""
    count, member = csgraph.connected_components(couplings, directed=False)
    order = np.argsort(member, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(member[order])) + 1) if count > 1 else [order]
    found: list[Ints] = []
    for part in parts:
        first = int(part[0])
        best = _levels_from(couplings, first)
        for _ in range(8):  # towards a pseudo-peripheral spin (George & Liu 1979)
            last = best[-1]
            degrees = np.diff(couplings.indptr)[last]
            again = _levels_from(couplings, int(last[np.argmin(degrees)]))
            if len(again) <= len(best):
                break
            best = again
        found += best
    return tuple(found)


def _levels_from(couplings: "sparse.csr_array[Any]", first: int) -> list[Ints]:
    order, before = csgraph.breadth_first_order(couplings, first, directed=False)
    level = np.zeros(couplings.shape[0], dtype=np.int64)
    _depths(order.astype(np.int64), before.astype(np.int64), level)
    depth = level[order]
    return [np.sort(one).astype(np.int64) for one in np.split(order, np.flatnonzero(np.diff(depth)) + 1)]


@kernel
def _depths(order: Any, before: Any, level: Any) -> None:
    for position in range(1, order.size):
        spin = order[position]
        level[spin] = level[before[spin]] + 1


def colours(couplings: "sparse.csr_array[Any]") -> Ints:
    """Return the colour of every spin: two where the graph has no odd loop, few otherwise (greedy)."""
    size = couplings.shape[0]
    indptr, indices = couplings.indptr.astype(np.int64), couplings.indices.astype(np.int64)
    order = np.concatenate(levels(couplings)) if size else np.empty(0, np.int64)
    colour = np.full(size, -1, dtype=np.int64)
    _greedy(indptr, indices, order, colour, np.zeros(size + 1, dtype=np.int64))
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
