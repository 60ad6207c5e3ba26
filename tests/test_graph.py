"""Interaction graphs: who interacts with whom, how they look, what repeats, how strong nodes are."""

from itertools import combinations

import matplotlib as mpl
import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.figure import Figure
from scipy import sparse
from strategies import examples
from test_network import networks

from statnn import plot
from statnn.interaction import (
    BinaryNeurons,
    DynamicNeurons,
    _structure,
    layer_fluctuation,
    node_strength,
    translation_symmetry,
)
from statnn.network import Activation, Network

ALL = ("neurons", "weights", "biases")


@st.composite
def graphs(draw, most=12):
    size = draw(st.integers(1, most))
    pairs = list(combinations(range(size), 2))
    kept = draw(st.lists(st.booleans(), min_size=len(pairs), max_size=len(pairs)))
    graph = nx.empty_graph(size)
    graph.add_weighted_edges_from((i, j, 1.0 + i) for (i, j), keep in zip(pairs, kept, strict=True) if keep)
    return graph


def matrix(graph):
    return sparse.csr_array(nx.to_scipy_sparse_array(graph, dtype=float))


def coupled(graph, *, clamped=True):
    """Pairs of nodes with an edge."""
    return {frozenset(edge) for edge in graph.edges if clamped or not any(graph.nodes[n]["clamped"] for n in edge)}


# -- layers and colours ----------------------------------------------------------------------------------


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
        found = _structure._levels_from(matrix(graph), first)
        distance = nx.single_source_shortest_path_length(graph, first)
        assert [set(level.tolist()) for level in found] == [
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
    order, found = np.arange(size), []
    for kernel in (_structure._greedy, _structure._greedy.py_func):
        colour = np.full(size, -1)
        kernel(*pattern, order, colour, np.zeros(size + 1, int))
        found.append(colour.tolist())
    assert found[0] == found[1]


# -- binary neurons --------------------------------------------------------------------------------------


@given(graphs())
def test_a_graph_survives_the_way_there_and_back(graph):
    model = BinaryNeurons(graph, fields=np.arange(len(graph)))
    found = model.graph()
    assert (BinaryNeurons(found).couplings != model.couplings).nnz == 0
    assert list(found) == list(range(len(graph)))
    assert [field for _, field in found.nodes(data="field")] == model.fields.tolist()
    for m, layer in enumerate(model.layers):
        assert [found.nodes[spin]["index"] for spin in layer.tolist()] == list(range(layer.size))
        assert {found.nodes[spin]["layer"] for spin in layer.tolist()} == {m}
    assert {kind for _, kind in found.nodes(data="kind")} == {"neuron"}


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
    one, two = (
        BinaryNeurons.from_network(net).graph(),
        nx.relabel_nodes(BinaryNeurons.from_network(other).graph(), names),
    )
    assert coupled(one) == coupled(two)
    assert all(one.edges[edge]["coupling"] == two.edges[edge]["coupling"] for edge in one.edges)
    assert all(one.nodes[node]["field"] == two.nodes[node]["field"] for node in one)
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
        sparse.block_diag([nx.to_numpy_array(nx.path_graph(3)), 2 * nx.to_numpy_array(nx.complete_graph(4))])
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
    found = set()
    moves = step * np.eye(len(nodes))
    for a, b in combinations(range(len(nodes)), 2):
        parts = [energy(start + moves[a] + moves[b]), energy(start + moves[a]), energy(start + moves[b]), energy(start)]
        if abs(parts[0] - parts[1] - parts[2] + parts[3]) > 1e-11 * max(map(abs, parts)):
            found.add(frozenset((nodes[a], nodes[b])))
    return found


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
    expected = interacting(nodes, energy, rng.normal(size=len(nodes)), step=0.7)
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


def test_the_number_of_samples_does_not_change_the_graph():
    net = Network.random([2, 3, 1], rng=0)
    one, many = (DynamicNeurons(net, np.ones((n, 2)), free=ALL).graph(parameters=True) for n in (1, 7))
    assert nx.utils.graphs_equal(one, many)


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
        found = translation_symmetry(model)
        assert (found.period, (found.first, found.stop), found.depth) == (period, run, len(names))
        assert found.layers == range(*run)
        assert len(found.cell) == (period or 0)
        assert found.repeats == ((run[1] - run[0]) / period if period else 0)
        assert (found.deviation == 0) == (period is not None)


def test_ends_differ():
    net = Network.random([7, 3], rng=0), Network.repeated(np.ones((3, 3)), depth=5), Network.random([3, 2], rng=1)
    whole = Network([w for part in net for w in part.weights], activation="relu")
    found = translation_symmetry(whole)
    assert (found.period, found.first, found.stop, found.depth) == (1, 1, 6, 7)
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
    found = translation_symmetry(BinaryNeurons(chain))
    assert (found.period, found.layers, found.repeats) == (2, range(6), 3.0)
    tower = nx.Graph([(0, 1), (0, 2), (1, 2), (3, 4), (5, 6)])  # a tip on pairs, each pair coupled inside
    tower.add_edges_from((i, j) for below, above in (((1, 2), (3, 4)), ((3, 4), (5, 6))) for i in below for j in above)
    assert [layer.tolist() for layer in BinaryNeurons(tower).layers] == [[0], [1, 2], [3, 4], [5, 6]]
    assert translation_symmetry(BinaryNeurons(tower)).layers == range(1, 3)
    tower.edges[5, 6]["weight"] = 1.25
    found = translation_symmetry(BinaryNeurons(tower))
    assert (found.period, found.deviation) == (None, 0.25)


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
        for one in (net, model, DynamicNeurons(net, np.ones(net.widths[0]))):
            assert np.allclose(node_strength(one)[m], np.array(by_edges)[layer], atol=1e-12)
    total = 2 * sum(w.sum() for w in net.weights) + sum(b.sum() for b in net.biases)
    assert np.isclose(sum(s.sum() for s in node_strength(net)), total, atol=1e-10)
    assert np.allclose(layer_fluctuation(net), [np.std(s) for s in node_strength(net)])


def test_fluctuation_of_random_networks():
    """Between layers of n units the variance is σ_w²(1 + 1) + σ_b²; relative error of a variance √(2/n)."""
    net = Network.random([2000] * 3, sigma_w=1.5, sigma_b=0.5, rng=0)
    variance = layer_fluctuation(net, ddof=1) ** 2
    assert np.allclose(variance, [2.25, 4.75, 2.5], rtol=6 * np.sqrt(2 / 2000))
    assert np.allclose(layer_fluctuation(net), layer_fluctuation(net, ddof=1) * np.sqrt(1999 / 2000))


# -- pictures --------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def no_figure_is_left():
    yield
    open_figures = plt.get_fignums()
    plt.close("all")
    assert not open_figures


def spotted(ax):
    """Number of dots and squares."""
    return sum(len(c.get_offsets()) for c in ax.collections if isinstance(c, PathCollection))


def lines(ax):
    return sum(len(c.get_segments()) for c in ax.collections if isinstance(c, LineCollection))


NET = Network.random([3, 4, 4, 2], sigma_b=0.5, rng=0)
PICTURES = {
    "layers": lambda ax: BinaryNeurons.from_network(NET).plot(ax),
    "lattice": lambda ax: BinaryNeurons(nx.grid_2d_graph(4, 4)).plot(ax),
    "springs": lambda ax: BinaryNeurons(nx.complete_graph(5)).plot(ax),
    "one spin": lambda ax: BinaryNeurons([[0.0]]).plot(ax),
    "neurons": lambda ax: DynamicNeurons(NET, np.ones(3), np.ones(2)).plot(ax),
    "parameters": lambda ax: DynamicNeurons(NET, np.ones(3), free=ALL).plot(ax, parameters=True),
    "bars": lambda ax: BinaryNeurons.from_network(NET).plot(ax, layers=True),
    "large": lambda ax: DynamicNeurons(Network.random([300, 200], rng=0), np.ones(300)).plot(ax),
}
each_picture = pytest.mark.parametrize("name", PICTURES)


@each_picture
def test_draws_on_the_axes_given_and_nowhere_else(name):
    figure = Figure()
    ax, other = figure.subplots(1, 2)
    state, untouched = dict(mpl.rcParams), len(other.get_children())
    assert PICTURES[name](ax) is ax
    assert ax.has_data()
    assert ax.get_xlabel()
    assert ax.child_axes[0].get_ylabel()  # the colour bar
    assert len(other.get_children()) == untouched
    assert figure.axes == [ax, other]
    assert dict(mpl.rcParams) == state
    figure.draw_without_rendering()


@each_picture
def test_nothing_leaves_the_picture(name):
    """In the style of the house labels, legend and colour bar lie inside the figure and do not overlap."""
    with plot.style():
        figure = Figure()
        ax = PICTURES[name](figure.add_subplot())
        figure.draw_without_rendering()
    inside = figure.bbox.padded(1)
    boxes = [ax.xaxis.label.get_window_extent(), ax.child_axes[0].get_tightbbox()]
    if ax.get_legend():
        boxes.append(ax.get_legend().get_window_extent())
    for box in boxes:
        assert inside.x0 <= box.x0 < box.x1 <= inside.x1
        assert inside.y0 <= box.y0 < box.y1 <= inside.y1
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
    ticks = [label.get_window_extent() for label in ax.get_xticklabels() if label.get_text()]
    assert not any(a.overlaps(b) for a, b in combinations([*ticks, boxes[0]], 2))


def test_axes_are_made_when_none_are_given():
    ax = BinaryNeurons(nx.path_graph(3)).plot()
    assert plt.get_fignums() == [ax.figure.number]
    plt.close(ax.figure)


def test_every_spin_and_coupling_is_drawn():
    model = BinaryNeurons.from_network(NET)
    ax = model.plot(Figure().add_subplot())
    assert spotted(ax) == model.size
    assert lines(ax) == model.couplings.nnz // 2
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0", "1", "2", "3"]
    (bundle,) = [c for c in ax.collections if isinstance(c, LineCollection)]
    assert sorted(bundle.get_array()) == sorted(c for *_, c in model.graph().edges(data="coupling"))
    assert bundle.norm.vmax == -bundle.norm.vmin == max(abs(model.couplings.data).max(), abs(model.fields).max())
    widths = dict(zip(np.abs(bundle.get_array()), bundle.get_linewidths(), strict=True))
    assert [widths[c] for c in sorted(widths)] == sorted(widths.values())


def test_every_neuron_and_interaction_is_drawn():
    model = DynamicNeurons(NET, np.ones(3), np.ones(2), free=ALL)
    ax = model.plot(Figure().add_subplot())
    graph = model.graph()
    assert (spotted(ax), lines(ax)) == (len(graph), graph.number_of_edges())
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["neuron", "input, clamped", "target, clamped"]
    assert ax.get_xticklabels()[0].get_text() == "$x$"
    ax = model.plot(Figure().add_subplot(), parameters=True)
    graph = model.graph(parameters=True, factors=True)
    assert spotted(ax) == len(graph)
    weights = sum(w.size for w in NET.weights)
    assert lines(ax) == graph.number_of_edges() - weights  # squares of weights stand on the lines
    assert {"weight", "bias", "term of the energy"} <= {text.get_text() for text in ax.get_legend().get_texts()}
    squares = [c.get_offsets() for c in ax.collections if isinstance(c, PathCollection) and len(c.get_offsets())]
    spots = np.concatenate(squares)
    gaps = np.linalg.norm(spots[:, None] - spots, axis=-1) + np.eye(len(spots))
    assert gaps.min() > 1e-3  # nothing lies on top of something else


def test_large_models_are_drawn_by_layers_and_say_so():
    model = BinaryNeurons.from_network(Network.random([300, 200, 10], rng=0))
    ax = model.plot(Figure().add_subplot())
    assert ax.get_title() == "by layers: 510 spins are too many to draw one by one"
    bands, bars = (c for c in ax.collections if isinstance(c, PolyCollection))
    assert (len(bands.get_paths()), len(bars.get_paths())) == (2, 3)
    assert [path.vertices[:, 1].max() for path in bars.get_paths()] == [300, 200, 10]
    assert np.allclose(bands.get_array(), [np.sqrt((b**2).mean()) for b in model.blocks])
    assert not model.plot(Figure().add_subplot(), layers=True).get_title()
    with pytest.raises(ValueError, match=r"510 nodes .* plot\(layers=True\) draws one bar a layer"):
        model.plot(Figure().add_subplot(), layers=False)


@pytest.mark.parametrize("layers", [None, True, False])
def test_pictures_of_parameters_are_small_or_refused(layers):
    big = DynamicNeurons(Network.random([30, 30], rng=0), np.ones(30), free=ALL)
    with pytest.raises(ValueError, match=r"layers=True"):
        big.plot(Figure().add_subplot(), parameters=True, layers=layers)
