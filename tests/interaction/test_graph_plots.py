"""Pictures of interaction graphs: everything is there, and nothing covers anything."""

from itertools import combinations

import matplotlib as mpl
import networkx as nx
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.figure import Figure
from models import ALL
from scipy.spatial.distance import pdist

from statnn import plot
from statnn.interaction import (
    BinaryNeurons,
    DynamicNeurons,
    square_lattice,
)
from statnn.interaction._views.graph import network_size
from statnn.interaction._views.picture import _spread, _springs
from statnn.network import Network


@pytest.fixture(autouse=True)
def no_figure_is_left():
    before = set(plt.get_fignums())
    yield
    open_figures = set(plt.get_fignums()) - before
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
    assert len(other.get_children()) == untouched
    assert figure.axes == [ax, other]
    (colour_bar,) = ax.child_axes
    assert colour_bar.get_ylabel()
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


def test_lattices_are_drawn_as_lattices_whose_bonds_around_the_torus_have_two_ends():
    ax = square_lattice(3, 5).plot(Figure().add_subplot())
    assert ax.get_xlabel() == "torus of 3 × 5 spins"
    assert (spotted(ax), lines(ax)) == (15, 30 + 3 + 5)
    spots = next(c.get_offsets() for c in ax.collections if isinstance(c, PathCollection))
    assert {tuple(spot) for spot in spots.tolist()} == {(i, -j) for i in range(5) for j in range(3)}


@pytest.mark.parametrize("name", [lambda i, j: (i, j), lambda i, j: f"{j}{i}", lambda i, j: 7 * (5 * i + j) % 15])
def test_lattices_of_any_names_are_drawn_as_lattices(name):
    sites = [(i, j) for i in range(3) for j in range(5)]
    graph = nx.relabel_nodes(nx.grid_2d_graph(3, 5, periodic=True), {site: name(*site) for site in sites})
    ax = BinaryNeurons(graph).plot(Figure().add_subplot())
    assert ax.get_xlabel() == "torus of 3 × 5 spins"
    spots = next(c.get_offsets() for c in ax.collections if isinstance(c, PathCollection))
    assert spots.tolist() == [[j, -i] for i, j in sites]
    (bundle,) = [c for c in ax.collections if isinstance(c, LineCollection)]
    assert max(np.abs(np.diff(path, axis=0)).sum() for path in bundle.get_segments()) == 1


def test_components_of_a_graph_stand_apart():
    graph = nx.disjoint_union_all([nx.complete_graph(6), nx.path_graph(2), nx.path_graph(2), nx.empty_graph(3)])
    ax = BinaryNeurons(graph).plot(Figure().add_subplot())
    spots = np.array(next(c.get_offsets() for c in ax.collections if isinstance(c, PathCollection)))
    boxes = [(spots[list(part)].min(axis=0), spots[list(part)].max(axis=0)) for part in nx.connected_components(graph)]
    for (low, high), (other_low, other_high) in combinations(boxes, 2):
        assert (high < other_low).any() or (other_high < low).any()


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
    assert (np.diff(np.abs(bundle.get_array())) >= 0).all()  # the strongest on top
    spots = next(c.get_offsets() for c in ax.collections if isinstance(c, PathCollection))
    assert all(
        (np.diff(spots[layer, 1]) < 0).all() for layer in model.layers
    )  # the first spin of a layer stands highest
    assert ax.child_axes[0].get_ylabel() == "coupling $J_{ij}$, field $h_i$"
    without = BinaryNeurons(list(NET.weights)).plot(Figure().add_subplot())
    assert without.child_axes[0].get_ylabel() == "coupling $J_{ij}$"


def test_of_many_layers_some_are_numbered():
    ax = BinaryNeurons([np.eye(2)] * 29).plot(Figure().add_subplot())
    assert [tick.get_text() for tick in ax.get_xticklabels()] == [str(m) for m in range(0, 30, 3)]


def test_names_are_no_formulas():
    ax = BinaryNeurons(nx.Graph([("$a", "b$")])).plot(Figure().add_subplot())
    assert [(text.get_text(), text.get_parse_math()) for text in ax.texts] == [("$a", False), ("b$", False)]


def test_every_neuron_and_interaction_is_drawn():
    model = DynamicNeurons(NET, np.ones(3), np.ones(2), free=ALL)
    ax = model.plot(Figure().add_subplot())
    graph = model.graph()
    assert (spotted(ax), lines(ax)) == (len(graph), graph.number_of_edges())
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["neuron", "input", "target"]
    assert ax.get_xticklabels()[0].get_text() == "$x$"
    ax = model.plot(Figure().add_subplot(), parameters=True)
    graph = model.graph(parameters=True, factors=True)
    assert spotted(ax) == len(graph)
    weights = sum(w.size for w in NET.weights)
    assert lines(ax) == graph.number_of_edges() - weights  # squares of weights stand on the lines
    assert {"weight", "bias", "energy term"} <= {text.get_text() for text in ax.get_legend().get_texts()}
    squares = [c.get_offsets() for c in ax.collections if isinstance(c, PathCollection) and len(c.get_offsets())]
    spots = np.concatenate(squares)
    gaps = np.linalg.norm(spots[:, None] - spots, axis=-1) + np.eye(len(spots))
    assert gaps.min() > 1e-3  # nothing lies on top of something else


@pytest.mark.parametrize("factors", [False, True])
@pytest.mark.parametrize("free", [ALL, ("neurons",)])
def test_the_size_of_a_graph_is_known_before_it_is_made(free, factors):
    model = DynamicNeurons(NET, np.ones(3), np.ones(2), free=free)
    graph = model.graph(parameters=free == ALL, factors=factors)
    size = network_size(model, parameters=free == ALL, factors=factors)
    assert size == (len(graph), graph.number_of_edges())


def test_large_models_are_drawn_by_layers_and_say_so():
    model = BinaryNeurons.from_network(Network.random([300, 200, 10], rng=0))
    ax = model.plot(Figure().add_subplot())
    assert ax.get_title() == "by layers: 510 spins are too many to draw one by one"
    bands, bars = (c for c in ax.collections if isinstance(c, PolyCollection))
    assert (len(bands.get_paths()), len(bars.get_paths())) == (2, 3)
    assert [path.vertices[:, 1].max() for path in bars.get_paths()] == [300, 200, 10]
    assert np.allclose(bands.get_array(), [np.sqrt((b**2).mean()) for b in model.blocks])
    assert not model.plot(Figure().add_subplot(), layers=True).get_title()
    with pytest.raises(ValueError, match=r"^510 nodes are too many to show one by one \(at most 400\)"):
        model.plot(layers=False)
    inside = BinaryNeurons([[0, 1, 1], [1, 0, 5], [1, 5, 0]])
    for shown in inside.plot(Figure().add_subplot(), layers=True).collections:
        assert (shown.norm.vmin, shown.norm.vmax) == (0, 5)  # also where couplings inside a layer are the strongest
    with pytest.raises(ValueError, match=r"510 nodes .* plot\(layers=True\) draws one bar per layer"):
        model.plot(Figure().add_subplot(), layers=False)


@pytest.mark.parametrize("layers", [None, True, False])
def test_pictures_of_parameters_are_small_or_refused(layers):
    big = DynamicNeurons(Network.random([30, 30], rng=0), np.ones(30), free=ALL)
    with pytest.raises(ValueError, match=r"layers=True"):
        big.plot(Figure().add_subplot(), parameters=True, layers=layers)


def test_names_of_spins_are_apart_in_a_panel():
    figure = Figure(figsize=(4.5, 3.5))
    with plot.style():
        ax = BinaryNeurons(nx.gnm_random_graph(40, 36, seed=1)).plot(figure.subplots())
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert len(boxes) == 40
    assert not any(first.overlaps(second) for first, second in combinations(boxes, 2))


@pytest.mark.parametrize(
    "graph",
    [*(nx.gnm_random_graph(n, e, seed=k) for k in range(4) for n, e in ((12, 20), (40, 36), (60, 90))),
     nx.star_graph(40), nx.complete_graph(60), nx.balanced_tree(3, 3), nx.barbell_graph(10, 20)],
)  # fmt: skip
def test_no_spin_hides_another(graph):
    places = np.array([*_springs(graph).values()])
    assert pdist(places).min() > 1.19


def test_spins_on_one_spot_are_parted():
    places = _spread({node: np.zeros(2) for node in "abc"} | {"d": np.ones(2)})
    assert pdist([*places.values()]).min() > 1.19


def test_spins_are_drawn_on_axes_that_share_both_limits():
    """Shared limits cannot give way to an equal scale, and matplotlib would refuse to draw."""
    figure = Figure()
    panels = figure.subplots(2, 2, sharex=True, sharey=True)
    ax = square_lattice(3, 4).plot(panels[0, 0])
    figure.draw_without_rendering()
    assert ax.get_aspect() == 1
