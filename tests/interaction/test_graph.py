"""Interaction graphs: who interacts with whom."""

from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from models import ALL, coupled
from scipy import linalg
from strategies import examples

from statnn.interaction import (
    BinaryNeurons,
    DynamicNeurons,
)
from statnn.measure.graph import layer_fluctuation, node_strength
from statnn.network import Activation, Network
from statnn.testing.strategies import graphs, networks

# -- binary neurons --------------------------------------------------------------------------------------


@given(graphs())
def test_a_graph_survives_the_way_there_and_back(graph):
    model = BinaryNeurons(graph, fields=np.arange(len(graph)))
    again = model.graph()
    assert (BinaryNeurons(again).couplings != model.couplings).nnz == 0
    assert list(again) == list(range(len(graph)))
    assert [field for _, field in again.nodes(data="field")] == model.fields.tolist()
    for m, layer in enumerate(model.layers):
        assert [again.nodes[spin]["index"] for spin in layer.tolist()] == list(range(layer.size))
        assert {again.nodes[spin]["layer"] for spin in layer.tolist()} == {m}
    assert {kind for _, kind in again.nodes(data="kind")} == {"neuron"}


@given(networks())
def test_the_energy_can_be_read_from_the_graph(net):
    model = BinaryNeurons.from_network(net)
    graph = model.graph()
    spins = 1 - 2 * (np.arange(model.size) % 3 % 2)
    energy = -sum(c * spins[i] * spins[j] for i, j, c in graph.edges(data="coupling"))
    energy -= sum(field * spins[i] for i, field in graph.nodes(data="field"))
    assert np.isclose(energy, model.energy(spins))


@given(networks(), st.randoms(use_true_random=False))
@examples(0.5)
def test_the_order_of_hidden_units_is_a_matter_of_names(net, random):
    orders = [np.array(random.sample(range(n), n)) for n in net.widths]
    weights = [w[orders[m + 1]][:, orders[m]] for m, w in enumerate(net.weights)]
    other = Network(weights, [b[orders[m + 1]] for m, b in enumerate(net.biases)], net.activations)
    starts = np.cumsum([0, *net.widths])
    names = {int(starts[m] + i): int(starts[m] + k) for m, order in enumerate(orders) for i, k in enumerate(order)}
    first, second = (
        BinaryNeurons.from_network(net).graph(),
        nx.relabel_nodes(BinaryNeurons.from_network(other).graph(), names),
    )
    assert coupled(first) == coupled(second)
    assert all(first.edges[edge]["coupling"] == second.edges[edge]["coupling"] for edge in first.edges)
    assert all(first.nodes[node]["field"] == second.nodes[node]["field"] for node in first)
    for s, t in zip(node_strength(net), node_strength(other), strict=True):
        assert np.allclose(np.sort(s), np.sort(t), atol=1e-12)
    assert np.allclose(layer_fluctuation(net), layer_fluctuation(other), atol=1e-12)


def test_the_graph_of_layers():
    blocks = [np.full((3, 2), 2.0), np.zeros((1, 3)), np.array([[3.0], [-4.0]])]
    chain = BinaryNeurons(blocks).graph(layers=True)
    assert [width for _, width in chain.nodes(data="width")] == [2, 3, 1, 2]
    assert dict(chain.edges) == {
        (0, 1): {"coupling": 2.0, "weight": 2.0},
        (2, 3): {"coupling": np.sqrt(12.5), "weight": np.sqrt(12.5)},
    }
    same = BinaryNeurons(
        linalg.block_diag(nx.to_numpy_array(nx.path_graph(3)), 2 * nx.to_numpy_array(nx.complete_graph(4)))
    )
    chain = same.graph(layers=True)
    assert [width for _, width in chain.nodes(data="width")] == [1, 1, 1, 1, 3]
    assert [within for _, within in chain.nodes(data="within")] == [0, 0, 0, 0, 2]
    assert {edge: c for *edge, c in chain.edges(data="coupling") for edge in [tuple(edge)]} == {
        (0, 1): 1, (1, 2): 1, (3, 4): 2
    }  # fmt: skip


# -- dynamic neurons: the pattern of second derivatives --------------------------------------------------


def everything_varies(net, free, *, stiffness, beta, targets):
    """βH as a function of all nodes, clamped ones included, and the nodes in the order of its argument."""
    nodes = [("h", m, i) for m, n in enumerate(net.widths) for i in range(n)]
    nodes += [("y", i) for i in range(net.widths[-1] if targets else 0)]
    for m, weight in enumerate(net.weights):
        nodes += [("W", m, *index) for index in np.ndindex(weight.shape)] if "weights" in free else []
        nodes += [("b", m, i) for i in range(len(weight))] if "biases" in free else []

    def energy(values):
        at = dict(zip(nodes, values, strict=True))
        h = [np.array([at["h", m, i] for i in range(n)]) for m, n in enumerate(net.widths)]
        weights, biases = [w.copy() for w in net.weights], [b.copy() for b in net.biases]
        for node in nodes:
            if node[0] == "W":
                weights[node[1]][node[2:]] = at[node]
            if node[0] == "b":
                biases[node[1]][node[2]] = at[node]
        total = 0.0
        for m, sigma in enumerate(net.activations):
            total += stiffness * np.sum((h[m + 1] - sigma(weights[m] @ h[m] + biases[m])) ** 2)
        if targets:
            total += beta * np.sum((np.array([at["y", i] for i in range(net.widths[-1])]) - h[-1]) ** 2)
        return total

    return nodes, energy


def interacting(nodes, energy, start, step):
    """Pairs whose mixed second difference is not zero to rounding."""
    pairs = set()
    moves = step * np.eye(len(nodes))
    for a, b in combinations(range(len(nodes)), 2):
        parts = [energy(start + moves[a] + moves[b]), energy(start + moves[a]), energy(start + moves[b]), energy(start)]
        if abs(parts[0] - parts[1] - parts[2] + parts[3]) > 1e-11 * max(map(abs, parts)):
            pairs.add(frozenset((nodes[a], nodes[b])))
    return pairs


def sparse_network(rng, activation, widths=(2, 3, 3, 2)):
    net = Network.random(widths, activation, sigma_w=1.5, sigma_b=0.5, rng=rng)
    return Network([w * (rng.random(w.shape) < 0.6) for w in net.weights], net.biases, activation)


MODELS = {
    "identity": ("identity", ("neurons",), True),
    "tanh": ("tanh", ("neurons",), True),
    "tanh without targets": ("tanh", ("neurons",), False),
    "one of one's own": (Activation("square", np.square, lambda h: 2 * h), ("neurons",), True),
    "free biases": ("sigmoid", ("neurons", "biases"), True),
    "free weights": ("tanh", ("neurons", "weights"), True),
    "all free": ("erf", ALL, False),
    "all free, linear": ("identity", ALL, True),
}


@pytest.mark.parametrize("name", MODELS)
def test_edges_are_the_pattern_of_second_derivatives(name, rng):
    activation, free, targets = MODELS[name]
    net = sparse_network(rng, activation)
    y = np.zeros(net.widths[-1]) if targets else None
    model = DynamicNeurons(net, np.ones(net.widths[0]), y, beta=1.5, stiffness=2.5, free=free)
    graph = model.graph(parameters=len(free) > 1)
    nodes, energy = everything_varies(net, free, stiffness=2.5, beta=1.5, targets=targets)
    assert set(nodes) == set(graph)
    start = 0.3 * rng.normal(size=len(nodes))  # where no erf is one to all digits
    expected = interacting(nodes, energy, start, step=0.7)
    clamped = {node for node in graph if graph.nodes[node]["clamped"]}
    assert coupled(graph) == {pair for pair in expected if not pair <= clamped}
    assert clamped == {node for node in nodes if node[0] == "y" or node[:2] == ("h", 0)}
    # this energy is the model's own
    values = np.array([1.0 if n[:2] == ("h", 0) else 0.0 if n[0] == "y" else rng.normal() for n in nodes])
    at = dict(zip(nodes, values, strict=True))
    state = [at[n] for kind in "hWb" for n in nodes if n[0] == kind and n not in clamped]
    prior = DynamicNeurons(net, np.ones(net.widths[0]), y, beta=1.5, stiffness=2.5, free=free)._priors(
        *model.unpack(np.array(state))[1:]
    )
    assert np.isclose(model.energy(state), energy(values) + sum(p / 2 * np.sum(v**2) for p, v in prior))


def test_couplings_are_second_derivatives_of_a_linear_network(rng):
    net = sparse_network(rng, "identity")
    model = DynamicNeurons(net, np.ones(2), np.zeros(2), beta=1.5, stiffness=2.5)
    nodes, energy = everything_varies(net, ("neurons",), stiffness=2.5, beta=1.5, targets=True)
    graph, start, unit = model.graph(), np.zeros(len(nodes)), np.eye(len(nodes))
    for a, b, coupling in graph.edges(data="coupling"):
        i, j = nodes.index(a), nodes.index(b)
        mixed = energy(unit[i] + unit[j]) - energy(unit[i]) - energy(unit[j]) + energy(start)
        assert np.isclose(coupling, -mixed, rtol=1e-9)


def test_what_cancels_does_not_interact():
    """Orthogonal columns of a linear layer: neurons below share terms, and their couplings cancel."""
    crossing = np.array([[1.0, 1.0], [1.0, -1.0]])
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))[0]
    for weight in (crossing, turn, turn.astype(np.float32)):
        n = len(weight)
        same_layer = {frozenset([("h", 1, j), ("h", 1, k)]) for j, k in combinations(range(n), 2)}
        for activation, expected in (("identity", set()), ("tanh", same_layer)):
            first = np.eye(n, dtype=weight.dtype)
            model = DynamicNeurons(Network([first, weight], activation=activation), np.ones(n))
            assert coupled(model.graph()) & same_layer == expected


@given(networks(), st.booleans(), st.sampled_from([ALL, ("neurons", "weights"), ("neurons", "biases"), ("neurons",)]))
@examples(0.5)
def test_pairs_are_the_variables_that_share_a_factor(net, targets, free):
    curved = Network(net.weights, net.biases, "tanh")
    y = np.zeros(net.widths[-1]) if targets else None
    model = DynamicNeurons(curved, np.ones(net.widths[0]), y, free=free)
    parameters = len(free) > 1
    bipartite = model.graph(parameters=parameters, factors=True)
    terms = [node for node, kind in bipartite.nodes(data="kind") if kind == "factor"]
    assert len(terms) == sum(net.widths[1:]) + (net.widths[-1] if targets else 0)
    assert all((a in terms) != (b in terms) for a, b in bipartite.edges)
    clamped = {node for node in bipartite if bipartite.nodes[node]["clamped"]}
    shared = {
        frozenset(pair) for term in terms for pair in combinations(bipartite[term], 2) if not set(pair) <= clamped
    }
    pairs = model.graph(parameters=parameters)
    assert coupled(pairs) == shared
    assert set(pairs) == set(bipartite) - set(terms)
    free_nodes = [node for node in pairs if not pairs.nodes[node]["clamped"]]
    if parameters or len(free) == 1:
        assert len(free_nodes) == model.dimension


def test_nodes_say_what_they_are():
    model = DynamicNeurons(Network.random([2, 3, 1], rng=0), [1.0, 2.0], [0.0], free=ALL)
    nodes = model.graph(parameters=True, factors=True).nodes
    assert nodes["h", 0, 1] == {"kind": "input", "layer": 0, "index": 1, "clamped": True}
    assert nodes["h", 1, 2] == {"kind": "neuron", "layer": 1, "index": 2, "clamped": False}
    assert nodes["W", 0, 2, 1] == {"kind": "weight", "layer": 0, "index": (2, 1), "clamped": False}
    assert nodes["b", 1, 0] == {"kind": "bias", "layer": 1, "index": 0, "clamped": False}
    assert nodes["f", 2, 0] == {"kind": "factor", "layer": 2, "index": 0, "clamped": False}
    assert nodes["y", 0] == {"kind": "target", "layer": 3, "index": 0, "clamped": True}
    assert set(model.graph()) == {node for node in nodes if node[0] in "hy"}


def test_factors_carry_the_numbers_by_which_their_neurons_come_into_them():
    """Of λ |h_m - σ(Σ W h)|² and β |h - y|²: one for a unit itself and its target, W_ij for each that it listens to."""
    net = Network.random([2, 3, 1], rng=0)
    graph = DynamicNeurons(net, [1.0, 2.0], [0.0]).graph(factors=True)
    couplings = {("f", depth, i): {} for depth, width in ((1, 3), (2, 1), (3, 1)) for i in range(width)}
    for factor, expected in couplings.items():
        _, depth, i = factor
        if depth == 3:
            expected.update({("h", 2, i): 1.0, ("y", i): 1.0})
        else:
            expected.update({("h", depth - 1, j): w for j, w in enumerate(net.weights[depth - 1][i])})
            expected["h", depth, i] = 1.0
        assert {node: edge["coupling"] for node, edge in graph[factor].items()} == expected


def test_the_number_of_samples_does_not_change_the_graph():
    net = Network.random([2, 3, 1], rng=0)
    single, many = (DynamicNeurons(net, np.ones((n, 2)), free=ALL).graph(parameters=True) for n in (1, 7))
    assert nx.utils.graphs_equal(single, many)
