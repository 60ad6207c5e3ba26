"""What repeats in depth, and how strong nodes are."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from models import ALL
from strategies import examples

from statnn.interaction import (
    BinaryNeurons,
    DynamicNeurons,
    translation_symmetry,
)
from statnn.measure.graph import layer_fluctuation, node_strength
from statnn.network import Network
from statnn.testing.strategies import networks

# -- what repeats ----------------------------------------------------------------------------------------


def layers(*names, size=3):
    """A network of layers by name; equal names, equal numbers."""
    drawn = {name: Network.random([size, size], sigma_b=1.0, rng=ord(name)) for name in names}
    return Network([drawn[name].weights[0] for name in names], [drawn[name].biases[0] for name in names])


@pytest.mark.parametrize(
    ("names", "period", "run"),
    [
        ("AAAA", 1, (0, 4)),
        ("ABABAB", 2, (0, 6)),
        ("ABABA", 2, (0, 5)),
        ("XABCABCABY", 3, (1, 9)),
        ("AABAAB", 3, (0, 6)),
        ("XAAAY", 1, (1, 4)),
        ("AABBB", 1, (2, 5)),
        ("ABCA", None, (0, 0)),
        ("AB", None, (0, 0)),
        ("A", None, (0, 0)),
    ],
)
def test_periods(names, period, run):
    net = layers(*names)
    for model in (net, BinaryNeurons.from_network(net), DynamicNeurons(net, np.ones(3))):
        symmetry = translation_symmetry(model)
        assert (symmetry.period, (symmetry.first, symmetry.stop), symmetry.depth) == (period, run, len(names))
        assert symmetry.layers == range(*run)
        assert len(symmetry.cell) == (period or 0)
        assert symmetry.repeats == ((run[1] - run[0]) / period if period else 0)
        assert (symmetry.deviation == 0) == (period is not None)


def test_ends_differ():
    net = Network.random([7, 3], rng=0), Network.repeated(np.ones((3, 3)), depth=5), Network.random([3, 2], rng=1)
    whole = Network([w for part in net for w in part.weights], activation="relu")
    symmetry = translation_symmetry(whole)
    assert (symmetry.period, symmetry.first, symmetry.stop, symmetry.depth) == (1, 1, 6, 7)
    assert translation_symmetry(DynamicNeurons(whole, np.ones(7))).clamped == ("inputs",)
    assert translation_symmetry(DynamicNeurons(whole, np.ones(7), np.ones(2))).clamped == ("inputs", "targets")
    assert translation_symmetry(whole).clamped == ()


@given(st.floats(1e-6, 0.1), st.integers(2, 6))
@examples(0.3)
def test_deviation_is_the_largest_difference(size, depth):
    weights = [np.eye(2) + (size if m == 1 else 0.0) for m in range(depth)]
    net = Network(weights)
    exact, near = translation_symmetry(net), translation_symmetry(net, tolerance=2 * size)
    assert (near.period, near.layers) == (1, range(depth))
    assert np.isclose(near.deviation, size, rtol=1e-9)
    assert exact.period == (None if depth < 4 else 1)
    if exact.period is None:
        assert exact.deviation == near.deviation
        assert translation_symmetry(net, tolerance=exact.deviation).period is not None
        assert translation_symmetry(net, tolerance=np.nextafter(exact.deviation, 0)).period is None


@pytest.mark.parametrize("row", range(3))
def test_layers_that_differ_in_a_single_weight_of_any_row_do_not_repeat(row):
    other = np.eye(3)
    other[row, 2] += 1e-15
    symmetry = translation_symmetry(Network([np.eye(3), other]))
    assert symmetry.period is None
    assert symmetry.deviation == pytest.approx(1e-15, rel=0.2, abs=0)


def test_activations_and_fields_are_part_of_a_layer():
    w = np.eye(2)
    assert translation_symmetry(Network([w, w, w, w], activation=["tanh", "relu"] * 2)).period == 2
    assert translation_symmetry(Network([w, w], activation=["tanh", "relu"])).deviation == np.inf
    blocks = [w, w, w]
    assert translation_symmetry(BinaryNeurons(blocks, np.array([9, 9, 0, 0, 0, 0, 0, 0]))).layers == range(3)
    assert translation_symmetry(BinaryNeurons(blocks, np.array([0, 0, 0, 0, 0, 0, 9, 0]))).layers == range(2)
    assert translation_symmetry(BinaryNeurons(blocks, np.array([0, 0, 9, 0, 0, 0, 9, 0]))).period is None


def test_free_parameters_are_not_compared():
    net = Network.random([3, 3, 3, 3], sigma_b=1.0, rng=0)
    assert translation_symmetry(DynamicNeurons(net, np.ones(3))).period is None
    assert translation_symmetry(DynamicNeurons(net, np.ones(3), free=ALL)).layers == range(3)
    assert translation_symmetry(DynamicNeurons(net, np.ones(3), free=("neurons", "weights"))).period is None


def test_layers_found_from_couplings_alone():
    chain = nx.Graph([(m, m + 1, {"weight": 1.0 + m % 2}) for m in range(6)])
    symmetry = translation_symmetry(BinaryNeurons(chain))
    assert (symmetry.period, symmetry.layers, symmetry.repeats) == (2, range(6), 3.0)
    tower = nx.Graph([(0, 1), (0, 2), (1, 2), (3, 4), (5, 6)])  # a tip on pairs, each pair coupled inside
    tower.add_edges_from((i, j) for below, above in (((1, 2), (3, 4)), ((3, 4), (5, 6))) for i in below for j in above)
    assert [layer.tolist() for layer in BinaryNeurons(tower).layers] == [[0], [1, 2], [3, 4], [5, 6]]
    assert translation_symmetry(BinaryNeurons(tower)).layers == range(1, 3)
    tower.edges[5, 6]["weight"] = 1.25
    symmetry = translation_symmetry(BinaryNeurons(tower))
    assert (symmetry.period, symmetry.deviation) == (None, 0.25)


def test_a_deep_network_is_searched_quickly():
    assert translation_symmetry(Network.repeated(np.eye(2), depth=10**4)).repeats == 10**4
    assert translation_symmetry(Network.random([20] * 101, rng=0)).period is None


# -- strengths -------------------------------------------------------------------------------------------


@given(networks())
def test_strengths_are_sums_over_the_edges_of_the_graph(net):
    model = BinaryNeurons.from_network(net)
    graph = model.graph()
    by_edges = [sum(c for *_, c in graph.edges(k, data="coupling")) + graph.nodes[k]["field"] for k in graph]
    for m, layer in enumerate(model.layers):
        for source in (net, model, DynamicNeurons(net, np.ones(net.widths[0]))):
            assert np.allclose(node_strength(source)[m], np.array(by_edges)[layer], atol=1e-12)
    total = 2 * sum(w.sum() for w in net.weights) + sum(b.sum() for b in net.biases)
    assert np.isclose(sum(s.sum() for s in node_strength(net)), total, atol=1e-10)
    assert np.allclose(layer_fluctuation(net), [np.std(s) for s in node_strength(net)])


def test_fluctuation_of_random_networks():
    """Between layers of n units the variance is σ_w²(1 + 1) + σ_b²; relative error of a variance √(2/n)."""
    net = Network.random([2000] * 3, sigma_w=1.5, sigma_b=0.5, rng=0)
    variance = layer_fluctuation(net, ddof=1) ** 2
    assert np.allclose(variance, [2.25, 4.75, 2.5], rtol=6 * np.sqrt(2 / 2000))
    assert np.allclose(layer_fluctuation(net), layer_fluctuation(net, ddof=1) * np.sqrt(1999 / 2000))


def test_the_least_tolerance_is_one_at_which_something_repeats(rng):
    """At any smaller tolerance nothing repeats: all numbers of two cells in a row count, not the nearest of them."""
    net = Network(list(rng.standard_normal((6, 2, 2))), list(rng.standard_normal((6, 2))), "tanh")
    least = translation_symmetry(net).deviation
    assert translation_symmetry(net, tolerance=least).period is not None
    assert translation_symmetry(net, tolerance=least * (1 - 1e-9)).period is None


@pytest.mark.parametrize(("first", "second"), [(3e38, -3e38), (1.0, 1e-9)])
def test_differences_of_single_precision_have_the_digits_of_double(first, second):
    weights = [np.full((2, 2), value, dtype=np.float32) for value in (first, second)]
    symmetry = translation_symmetry(Network(weights, activation="tanh"))
    assert symmetry.deviation == float(weights[0][0, 0]) - float(weights[1][0, 0])
