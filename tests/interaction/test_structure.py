"""Layers and colours of graphs, found from couplings alone."""

import networkx as nx
import numpy as np
from hypothesis import given
from scipy import sparse
from strategies import examples

from statnn.interaction import (
    BinaryNeurons,
    _structure,
)
from statnn.testing.strategies import graphs


def matrix(graph):
    return sparse.csr_array(nx.to_scipy_sparse_array(graph, dtype=float))


@given(graphs())
def test_couplings_stay_in_a_layer_or_go_to_its_neighbour(graph):
    model = BinaryNeurons(graph)
    assert sorted(np.concatenate(model.layers)) == list(graph)
    layer_of = {spin: m for m, layer in enumerate(model.layers) for spin in layer.tolist()}
    assert all(abs(layer_of[i] - layer_of[j]) <= 1 for i, j in graph.edges)
    assert all(layer.size for layer in model.layers)


@given(graphs())
def test_levels_are_distances_from_one_spin(graph):
    for first in graph:
        levels = _structure._levels_from(matrix(graph), first)
        distance = nx.single_source_shortest_path_length(graph, first)
        assert [set(level.tolist()) for level in levels] == [
            {spin for spin, d in distance.items() if d == far} for far in range(max(distance.values()) + 1)
        ]


@given(graphs())
def test_colours_are_proper_and_two_where_two_are_enough(graph):
    colours = BinaryNeurons(graph).colours
    assert all(colours[i] != colours[j] for i, j in graph.edges)
    assert set(colours.tolist()) == set(range(colours.max() + 1))
    assert (colours.max() < 2) == nx.is_bipartite(graph)
    assert colours.max() <= max(dict(graph.degree).values())


def test_layers_are_narrow():
    """A lattice is cut along its diagonals, a path spin by spin, whatever the numbers of its spins."""
    order = np.random.default_rng(1).permutation(30)
    assert [
        layer.size for layer in BinaryNeurons(nx.relabel_nodes(nx.path_graph(30), dict(enumerate(order)))).layers
    ] == [1] * 30
    assert max(layer.size for layer in BinaryNeurons(nx.grid_2d_graph(4, 9)).layers) == 4
    apart = BinaryNeurons(nx.disjoint_union(nx.path_graph(3), nx.empty_graph(4)))
    assert [layer.size for layer in apart.layers] == [1, 1, 1, 4]


def test_structure_of_many_pieces_is_found_quickly():
    pairs = sparse.csr_array(sparse.kron(sparse.eye_array(10**5), [[0, 1], [1, 0]]))
    model = BinaryNeurons(pairs)
    assert len(model.layers) == 2 * 10**5
    assert model.colours.max() == 1


@given(graphs(most=8))
@examples(0.2)
def test_kernels_and_their_python_agree(graph):
    couplings, size = matrix(graph), len(graph)
    pattern = _structure._pattern(couplings)
    results = []
    for kernel in (_structure._all_levels, _structure._all_levels.py_func):
        arrays = np.full(size, -1), np.zeros(size, int), np.zeros(size, int)
        results.append((kernel(*pattern, *arrays), arrays[0].tolist(), arrays[1].tolist()))
    assert results[0] == results[1]
    order, colourings = np.arange(size), []
    for kernel in (_structure._greedy, _structure._greedy.py_func):
        colour = np.full(size, -1)
        kernel(*pattern, order, colour, np.zeros(size + 1, int))
        colourings.append(colour.tolist())
    assert colourings[0] == colourings[1]
