"""Layers and colours of graphs, found from couplings alone."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from scipy import sparse
from strategies import examples

from statnn.interaction import (
    BinaryNeurons,
    _structure,
)
from statnn.interaction._exact import transfer
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


def test_narrower_layers_are_looked_for_before_states_are_many():
    """Layers of eight cost 2^16 states a pair; the same lattice has some of at most four."""
    graph = matrix(nx.convert_node_labels_to_integers(nx.grid_2d_graph(8, 4)))
    wide = np.tile([0, 1, 2, 3], 8)
    assert [level.size for level in transfer._split(np.arange(32), wide)] == [8] * 4
    assert max(level.size for level in transfer._narrowest(graph, wide)) == 4
    assert transfer._cost([np.empty(6)] * 4) < transfer._cost([np.empty(8)] * 3)


@pytest.mark.parametrize(
    ("sizes", "joined"), [([1] * 9, [4, 4, 1]), ([3, 2, 1, 1, 5, 1], [3, 4, 5, 1]), ([2, 2, 2], [4, 2])]
)
def test_levels_of_up_to_four_spins_are_one(sizes, joined):
    levels = np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:-1])
    merged = transfer._merged(levels)
    assert [level.size for level in merged] == joined
    assert np.concatenate(merged).tolist() == list(range(sum(sizes)))


@pytest.mark.parametrize(
    ("sizes", "correlated", "words"),
    [
        ([19], 0, r"the widest layer has 19 spins .* neighbouring layers have 19 "),
        ([19, 5], 0, r"the widest layer has 19 spins \(at most 18\), .* have 24 \(at most 24\)"),
        ([13, 12], 0, r"the widest layer has 13 spins .* have 25 \(at most 24\)"),
        ([18], 1000, r"1 layers of up to 18 spins need 4\.2 GB; .*: pass correlations=False"),
        ([12] * 130_000, 0, r"130000 layers of up to 12 spins need 4\.26 GB; .*: solve fewer layers"),
    ],
)
def test_layers_that_are_too_many_or_too_wide_are_refused(sizes, correlated, words):
    """A state takes eight bytes of its layer's law, and with every spin above it twice as many while layers change."""
    with pytest.raises(ValueError, match=words):
        transfer._refuse_wide([np.empty(size) for size in sizes], correlated)


def test_layers_that_just_fit_are_solved():
    for sizes, correlated in (([18], 950), ([12] * 120_000, 0), ([12, 12], 0), ([6, 18, 6], 0)):
        transfer._refuse_wide([np.empty(size) for size in sizes], correlated)


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
