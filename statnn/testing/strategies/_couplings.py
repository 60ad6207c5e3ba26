"""Couplings between spins, as `statnn.interaction.BinaryNeurons` takes them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import Any

import hypothesis.extra.numpy as arrays_of
import networkx as nx
import numpy as np
from hypothesis import strategies as st

from statnn._arguments import Floats, switch, whole
from statnn.interaction import square_lattice

KINDS = ("graph", "dense", "tree", "ring", "lattice", "layers")
VALUES = st.sampled_from([1.0, -1.0, 0.5, 0.0]) | st.floats(-3, 3, width=32)
SIGNS = st.sampled_from([1.0, -1.0])


@st.composite
def graphs(draw: st.DrawFn, *, most: int = 12) -> Any:
    """Graphs of networkx with 1 to `most` nodes, connected or not, with whole weights of at least 1.

    Parameters
    ----------
    most : int
        The largest number of nodes.
    """
    size = draw(st.integers(1, whole(most, "most", minimum=1)))
    pairs = list(combinations(range(size), 2))
    kept = draw(st.lists(st.booleans(), min_size=len(pairs), max_size=len(pairs)))
    graph = nx.empty_graph(size)
    graph.add_weighted_edges_from((i, j, 1.0 + i) for (i, j), keep in zip(pairs, kept, strict=True) if keep)
    return graph


@st.composite
def couplings(
    draw: st.DrawFn, kinds: Sequence[str] = KINDS, *, most: int = 12, signs: bool | None = None
) -> Floats | list[Floats]:
    """Couplings J_ij in [-3, 3], including zeros and isolated spins.

    Parameters
    ----------
    kinds : sequence of str
        Among "graph" (any pairs, often disconnected), "dense", "tree", "ring", "lattice" (a torus of 2 or 3 rows, with
        bonds of any strength) and "layers" (a list of blocks of at most 4 units per layer); all others are a symmetric
        matrix.
    most : int
        The largest number of spins, at least 3 for a ring, 4 for a lattice, 2 for layers.
    signs : bool or None
        True for couplings of modulus one, ±J; False for any values; None for either.
    """
    if isinstance(kinds, str):
        raise TypeError(f"kinds = {kinds!r} is one text; give a tuple of them, ({kinds!r},)")
    if unknown := set(kinds) - set(KINDS):
        raise ValueError(f"kinds = {tuple(kinds)}: {unknown.pop()!r} is unknown; choose from {', '.join(KINDS)}")
    least = {"ring": 3, "lattice": 4, "layers": 2}
    fitting = [kind for kind in kinds if least.get(kind, 1) <= whole(most, "most", minimum=0)]
    if not fitting:
        raise ValueError(f"most = {most} spins are too few for {', '.join(kinds)}")
    values = SIGNS if (draw(st.booleans()) if signs is None else switch(signs, "signs")) else VALUES
    kind = draw(st.sampled_from(fitting))
    if kind == "layers":
        return draw(_blocks(most, values))
    pairs, size = draw(_bonds(kind, most))
    matrix = np.zeros((size, size))
    strengths = draw(arrays_of.arrays(np.float64, len(pairs), elements=values))
    for (i, j), strength in zip(pairs, strengths, strict=True):
        matrix[i, j] = matrix[j, i] = strength
    return matrix


@st.composite
def _blocks(draw: st.DrawFn, most: int, values: st.SearchStrategy[float]) -> list[Floats]:
    widths = [draw(st.integers(1, min(4, most - 1)))]
    widths.append(draw(st.integers(1, min(4, most - widths[0]))))
    while len(widths) < 5 and sum(widths) < most and draw(st.booleans()):
        widths.append(draw(st.integers(1, min(4, most - sum(widths)))))
    return [draw(arrays_of.arrays(np.float64, (n, m), elements=values)) for m, n in pairwise(widths)]


@st.composite
def _bonds(draw: st.DrawFn, kind: str, most: int) -> tuple[list[tuple[int, int]], int]:
    """Return the coupled pairs, and the number of spins."""
    if kind == "lattice":
        rows = draw(st.integers(2, 3 if most >= 6 else 2))
        upper = square_lattice(rows, draw(st.integers(2, min(4, most // rows)))).couplings.tocoo()
        pairs = {(min(i, j), max(i, j)) for i, j in zip(*map(np.ndarray.tolist, upper.coords), strict=True)}
        return sorted(pairs), upper.shape[0]
    size = draw(st.integers(3 if kind == "ring" else 1, most))
    if kind == "ring":
        return [(i, (i + 1) % size) for i in range(size)], size
    if kind == "tree":
        return [(draw(st.integers(0, i - 1)), i) for i in range(1, size)], size
    every = list(combinations(range(size), 2))
    if kind == "dense":
        return every, size
    kept = draw(st.lists(st.booleans(), min_size=len(every), max_size=len(every)))
    return [pair for pair, keep in zip(every, kept, strict=True) if keep], size
