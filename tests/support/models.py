"""What hypothesis draws of models: small networks and small graphs."""

from itertools import combinations, pairwise

import hypothesis.extra.numpy as arrays_of
import networkx as nx
import numpy as np
from hypothesis import strategies as st

from statnn.network import ACTIVATIONS, Network

ALL = ("neurons", "weights", "biases")


@st.composite
def networks(draw, dtype=np.float64, names=tuple(ACTIVATIONS)):
    widths = draw(st.lists(st.integers(1, 5), min_size=2, max_size=5))
    numbers = st.floats(-2, 2, width=32)
    weights = [draw(arrays_of.arrays(dtype, (n, m), elements=numbers)) for m, n in pairwise(widths)]
    biases = [draw(arrays_of.arrays(dtype, n, elements=numbers)) for n in widths[1:]]
    return Network(weights, biases, [draw(st.sampled_from(names)) for _ in weights])


@st.composite
def graphs(draw, most=12):
    size = draw(st.integers(1, most))
    pairs = list(combinations(range(size), 2))
    kept = draw(st.lists(st.booleans(), min_size=len(pairs), max_size=len(pairs)))
    graph = nx.empty_graph(size)
    graph.add_weighted_edges_from((i, j, 1.0 + i) for (i, j), keep in zip(pairs, kept, strict=True) if keep)
    return graph


def coupled(graph):
    """Pairs of nodes with an edge."""
    return {frozenset(edge) for edge in graph.edges}
