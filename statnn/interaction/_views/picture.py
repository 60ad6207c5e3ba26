"""Pictures of interaction graphs: layers as columns, couplings as coloured lines, or one bar per layer."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from statnn._arguments import Floats, switch
from statnn._axes import COLOURS, axes, colour_bar, settled
from statnn.interaction._protocols import Neurons, Spins
from statnn.interaction._views.graph import binary_graph, dynamic_graph, network_size, refuse_large

MOST_NODES = 400
MOST_LINES = 20_000
MOST_COLUMNS = 40
MOST_NAMES = 60
"""Most spins whose names, if they have any, are written."""
_LABELLED = 13
_APART = 1.2
"""Least distance of spins placed by springs, where n coupled ones fill a circle of radius √(n-1)."""
_SEED = 1
_PARTS = np.linspace(0.25, 0.8, 12)
"""Positions on its line where the square of a weight may stand."""

_NODES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "neuron": ("neuron", "o", {"facecolor": COLOURS[0], "edgecolor": "white"}),
    "input": ("input", "o", {"facecolor": "white", "edgecolor": COLOURS[0]}),
    "target": ("target", "o", {"facecolor": "white", "edgecolor": COLOURS[1]}),
    "factor": ("energy term", "D", {"facecolor": "#444444", "edgecolor": "white"}),
    "weight": ("weight", "s", {"facecolor": "white", "edgecolor": "black"}),
    "bias": ("bias", "s", {"facecolor": "white", "edgecolor": COLOURS[2]}),
}
"""Label, marker and colours of every kind of node."""

Places = dict[Any, tuple[float, float]]


def draw_binary(model: Spins, ax: Any, layers: bool | None) -> Any:
    """Draw `BinaryNeurons`."""
    bonds = model.couplings.nnz // 2 if model.size <= MOST_NODES else 0
    if _by_layers(layers, model.size, bonds):
        return _draw_layers(ax, binary_graph(model, layers=True), model.size, "spins", "J", automatic=layers is None)
    graph = binary_graph(model, layers=False)
    lattice = _torus(graph) if model.blocks is None else None
    columns = lattice is None and (model.blocks is not None or _is_layered(graph, len(model.layers)))
    if columns:
        places = _columns(graph, [layer.size for layer in model.layers])
    else:
        places = _springs(graph) if lattice is None else _sites(graph, lattice[1])
    ax = axes(ax)
    largest = max([0.0, *(abs(c) for *_, c in graph.edges(data="coupling")), *np.abs(model.fields).tolist()])
    norm = _symmetric(largest)
    _lines(ax, graph, places, norm, "coupling", lattice=lattice is not None)
    spots = np.array([places[node] for node in graph])
    sizes = _size(len(graph))
    ax.scatter(
        *spots.T, s=sizes, c=model.fields, cmap=_diverging(), norm=norm, edgecolors="black", linewidths=0.7, zorder=3
    )
    _colour_bar(ax, norm, "coupling $J_{ij}$" + (", field $h_i$" if model.fields.any() else ""))
    if not isinstance(model.nodes, range) and model.size <= MOST_NAMES:
        _name_spins(ax, [str(node) for node in model.nodes], spots)
    if columns:
        _name_columns(ax, {m: str(m) for m in range(len(model.layers))}, "layer $m$")
    else:
        _no_axes(ax)
        ax.set_xlabel(
            f"{model.size} spins, close where they are coupled" if lattice is None
            else f"torus of {lattice[0]} × {lattice[1]} spins"
        )  # fmt: skip
        shared = [group.get_siblings(ax) for group in (ax.get_shared_x_axes(), ax.get_shared_y_axes())]
        ax.set_aspect("equal", adjustable="box" if min(map(len, shared)) > 1 else "datalim")  # shared limits stay
    return settled(ax)


def draw_dynamic(model: Neurons, ax: Any, parameters: bool, layers: bool | None) -> Any:
    """Draw `DynamicNeurons`: pairs of neurons, or the factor graph with weights and biases."""
    if switch(parameters, "parameters") and layers:
        raise ValueError("layers=True has one bar per layer; leave out parameters")
    nodes, edges = network_size(model, parameters=parameters, factors=parameters)
    if _by_layers(False if parameters and layers is None else layers, nodes, edges):
        graph = dynamic_graph(model, parameters=False, factors=False, layers=True)
        return _draw_layers(ax, graph, sum(model.net.widths), "neurons", "W", automatic=layers is None)
    graph = dynamic_graph(model, parameters=parameters, factors=parameters, layers=False)
    widths = [*model.net.widths, *([model.net.widths[-1]] if model.targets is not None else [])]
    places = _columns(graph, widths)
    if parameters:
        _place_parameters(places, widths, model.net.depth)
    ax = axes(ax)
    key, label = (
        ("weight", "$W_{ij}$, $b_i$ of the network") if parameters else ("coupling", "coupling $J$ at unit slope")
    )
    if parameters:
        _colour_by_weights(graph, model.net.depth)
    values = _parameters(model) if parameters else {}
    norm = _symmetric(max([0.0, *map(abs, values.values()), *(abs(c or 0.0) for *_, c in graph.edges(data=key))]))
    _lines(ax, graph, places, norm, key)
    _dots(ax, graph, places, {node: _diverging()(norm(value)) for node, value in values.items()})
    _colour_bar(ax, norm, label)
    names = {0: "$x$", **{m: f"$h^{{({m})}}$" for m in range(1, model.net.depth + 1)}}
    _name_columns(ax, names if model.targets is None else {**names, model.net.depth + 1: "$y$"}, "layer")
    _legend_above(ax)
    return settled(ax)


def _name_spins(ax: Any, names: list[str], spots: Floats) -> None:
    """Write names into spins if all are short, so that they meet nothing else, and above spins otherwise."""
    inside = max(map(len, names)) <= 2
    look = {"va": "center_baseline", "fontsize": 6, "color": "black"} if inside else {"fontsize": 8}
    for name, spot in zip(names, spots, strict=True):
        text = ax.annotate(name, spot, xytext=(0, 0 if inside else 9), textcoords="offset points", ha="center", **look)
        text.set_parse_math(False)  # a name may hold dollars


def _parameters(model: Neurons) -> dict[Any, float]:
    """Return the value in the network of every free weight and bias."""
    values: dict[Any, float] = {}
    for m, (weight, bias) in enumerate(zip(model.net.weights, model.net.biases, strict=True)):
        if "weights" in model.free:
            values |= {("W", m, *index): float(weight[index]) for index in np.ndindex(weight.shape)}
        if "biases" in model.free:
            values |= {("b", m, i): float(b) for i, b in enumerate(bias)}
    return values


def _colour_by_weights(graph: Any, depth: int) -> None:
    """Give lines from neurons up to a term their weight; squares of weights stand on these lines and lose their own."""
    graph.remove_edges_from([(a, b) for a, b in graph.edges if "W" in {a[0], b[0]}])
    for a, b, attributes in graph.edges(data=True):
        factor, node = (a, b) if a[0] == "f" else (b, a)
        if node[0] == "h" and node[1] == factor[1] - 1 < depth:
            attributes["weight"] = attributes["coupling"]


def _by_layers(layers: bool | None, nodes: int, lines: int) -> bool:
    """Whether to draw bars; refuse to draw too many neurons one by one."""
    if layers is None:
        return nodes > MOST_NODES or lines > MOST_LINES
    if not switch(layers, "layers"):
        refuse_large(nodes, lines, "plot(layers=True) draws one bar per layer", MOST_NODES, MOST_LINES)
    return layers


# -- where nodes stand -----------------------------------------------------------------------------------


def _columns(graph: Any, widths: list[int]) -> Places:
    """Neurons in columns, the first on top; wider layers stand closer."""
    return {
        node: (float(attributes["layer"]), _height(attributes["index"], widths[attributes["layer"]], max(widths)))
        for node, attributes in graph.nodes(data=True)
        if attributes["kind"] in {"neuron", "input", "target"}
    }


def _height(index: int, width: int, widest: int) -> float:
    return ((width - 1) / 2 - index) * float(np.sqrt(widest / width))


def _place_parameters(places: Places, widths: list[int], depth: int) -> None:
    """Terms before their unit, biases above them, weights on the lines from the neurons below."""
    for m, (below, above) in enumerate(pairwise(widths)):
        gap = float(np.sqrt(max(widths) / above))
        taken: list[tuple[float, float]] = []
        for i in range(above):
            y = _height(i, above, max(widths))
            places["f", m + 1, i] = x, _ = (m + (0.75 if m < depth else 0.5), y)
            if m == depth:
                continue
            places["b", m, i] = (x, y + 0.42 * gap)
            for j in range(below):
                line = _height(j, below, max(widths)) * (1 - _PARTS) + y * _PARTS
                spots = np.column_stack([m + _PARTS * (x - m), line])
                places["W", m, i, j] = _roomiest(spots, taken, (1.4 / len(widths), 1 / max(widths)))
                taken.append(places["W", m, i, j])


def _roomiest(spots: Floats, taken: list[tuple[float, float]], scale: tuple[float, float]) -> tuple[float, float]:
    """Return the spot farthest from all that are taken, in units of the picture."""
    best = len(spots) // 2
    if taken:
        apart = (spots[:, None] - np.array(taken)) * scale
        best = int(np.argmax(np.square(apart).sum(axis=2).min(axis=1)))
    return float(spots[best, 0]), float(spots[best, 1])


def _is_layered(graph: Any, count: int) -> bool:
    """Whether columns show a graph well: no couplings inside a layer, and neither one layer nor very many."""
    layer = graph.nodes(data="layer")
    return 1 < count <= MOST_COLUMNS and all(layer[a] != layer[b] for a, b in graph.edges)


def _torus(graph: Any) -> tuple[int, int] | None:
    """Return rows and columns of a square lattice on a torus, numbered row by row, or None if it is not one."""
    nodes, bonds = list(graph), {frozenset(edge) for edge in graph.edges}
    for columns in range(2, len(nodes) // 2 + 1):
        if len(nodes) % columns or len(bonds) > 2 * len(nodes):
            continue
        number = np.arange(len(nodes)).reshape(-1, columns)
        pairs = ((number, np.roll(number, -1, axis)) for axis in (0, 1))
        wanted = {frozenset((nodes[i], nodes[j])) for a, b in pairs for i, j in zip(a.flat, b.flat, strict=True)}
        if bonds == wanted:
            return len(nodes) // columns, columns
    return None


def _sites(graph: Any, columns: int) -> Places:
    return {node: (float(k % columns), -float(k // columns)) for k, node in enumerate(graph)}


def _springs(graph: Any) -> Places:
    """Place coupled spins close together, the components of a graph side by side, large ones first."""
    import networkx as nx

    number = {node: i for i, node in enumerate(graph)}
    parts = sorted(nx.connected_components(graph), key=lambda part: (-len(part), min(map(number.__getitem__, part))))
    placed = [_sprung(graph.subgraph(sorted(part, key=number.__getitem__))) for part in parts]
    widths = [2 * max(np.abs(spot).max() for spot in spots.values()) + 1.5 for spots in placed]
    most = 1.2 * np.sqrt(np.square(widths).sum())
    places: Places = {}
    left, top, height = 0.0, 0.0, 0.0
    for spots, width in zip(placed, widths, strict=True):
        if left and left + width > most:
            left, top, height = 0.0, top - height, 0.0
        centre = np.array([left + width / 2, top - width / 2])
        places |= {node: tuple((centre + spot).tolist()) for node, spot in spots.items()}
        left, height = left + width, max(height, width)
    return places


def _sprung(graph: Any) -> dict[Any, Floats]:
    """Place the spins of one component, about zero."""
    import networkx as nx

    scale = np.sqrt(len(graph) - 1) or None
    if len(graph) > MOST_NAMES:
        spots: dict[Any, Floats] = nx.spring_layout(graph, weight=None, seed=_SEED, iterations=200, scale=scale)
        return spots
    # distances as along the graph, so that no two spins coincide and names have room
    return _spread(nx.kamada_kawai_layout(graph, weight=None, scale=scale))


def _spread(spots: dict[Any, Floats]) -> dict[Any, Floats]:
    """Push apart spins nearer than `_APART`, and all spins a little, so that none hides another."""
    turn = 2 * np.pi * np.arange(len(spots)) / len(spots)
    # spins on one spot have no direction in which to be pushed
    at = np.array([*spots.values()], dtype=float) + 1e-3 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    while True:
        away = at[:, None] - at
        far = np.hypot(away[..., 0], away[..., 1]) + np.diag(np.full(len(at), np.inf))
        if far.min() >= _APART:
            return dict(zip(spots, at, strict=True))
        push = np.maximum(1.01 * _APART / far - 1, 0) / 2
        at = 1.005 * (at + (push[..., None] * away).sum(axis=1))


# -- what is drawn ---------------------------------------------------------------------------------------


def _lines(ax: Any, graph: Any, places: Places, norm: Any, key: str, *, lattice: bool = False) -> None:
    """Draw edges with a number in its colour, the strongest on top, and edges without one in grey."""
    from matplotlib.collections import LineCollection

    shown = [(a, b, value) for a, b, value in graph.edges(data=key) if a in places and b in places]
    if not shown:
        return
    shown.sort(key=lambda edge: abs(edge[2] or 0.0))
    thin = min(1.0, 15.0 / np.sqrt(len(shown)))
    plain = [[places[a], places[b]] for a, b, value in shown if value is None]
    if plain:
        ax.add_collection(LineCollection(plain, colors="#999999", linewidths=0.8, zorder=1))
    values = np.array([value for *_, value in shown if value is not None])
    if values.size:
        drawn = [_bond(places[a], places[b]) if lattice else [_path(places[a], places[b])]
                 for a, b, value in shown if value is not None]  # fmt: skip
        values = np.repeat(values, [len(bond) for bond in drawn])
        paths = [path for bond in drawn for path in bond]
        widths = thin * (0.6 + 1.8 * np.abs(norm(values) - 0.5) * 2)
        ax.add_collection(
            LineCollection(paths, array=values, cmap=_diverging(), norm=norm, linewidths=widths, zorder=2)
        )
    ax.autoscale_view()


def _bond(a: tuple[float, float], b: tuple[float, float]) -> list[Floats]:
    """Return the line of a bond of a lattice, or its two ends where it goes around the torus."""
    start, end = np.array(a), np.array(b)
    step = end - start
    if np.abs(step).max() <= 1:
        return [np.array([a, b])]
    outwards = -np.sign(step) / 2
    return [np.array([start, start + outwards]), np.array([end, end - outwards])]


def _path(start: tuple[float, float], end: tuple[float, float]) -> Floats:
    """Return a straight line, or an arc where both ends stand in one column of layers."""
    (x, y), (u, v) = start, end
    if x != u:
        return np.array([start, end])
    t = np.linspace(0, 1, 17)
    bulge = 0.32 * (1 - np.exp(-abs(v - y) / 4))
    return np.column_stack([x + bulge * 4 * t * (1 - t), y + t * (v - y)])


def _dots(ax: Any, graph: Any, places: Places, colours: dict[Any, Any]) -> None:
    for kind, (label, marker, look) in _NODES.items():
        nodes = [node for node, of_node in graph.nodes(data="kind") if of_node == kind]
        if not nodes:
            continue
        spots = np.array([places[node] for node in nodes])
        faces = [colours.get(node, look["facecolor"]) for node in nodes]
        size = _size(len(graph)) * (1.0 if marker == "o" else 0.5)
        ax.scatter(*spots.T, s=size, marker=marker, c=faces, edgecolors=look["edgecolor"], linewidths=1.0, zorder=3)
        ax.scatter([], [], s=size, marker=marker, **look, linewidths=1.0, label=label)


def _size(nodes: int) -> float:
    return float(np.clip(4000 / nodes, 10, 90))


def _draw_layers(ax: Any, graph: Any, nodes: int, what: str, symbol: str, *, automatic: bool) -> Any:
    """One bar per layer, as high as the layer is wide; bands between them in the colour of the couplings."""
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import Normalize

    ax = axes(ax)
    widths = np.array([width for _, width in graph.nodes(data="width")], dtype=float)
    within = np.array([strength for _, strength in graph.nodes(data="within")])
    between = [(m, coupling) for m, _, coupling in graph.edges(data="coupling")]
    half = 0.08
    bands = [
        [(m + half, 0), (m + half, widths[m]), (m + 1 - half, widths[m + 1]), (m + 1 - half, 0)] for m, _ in between
    ]
    strengths = np.array([coupling for _, coupling in between])
    norm = Normalize(0, max([1e-300, *strengths.tolist(), *within.tolist()]))
    ax.add_collection(PolyCollection(bands, array=strengths, cmap=_sequential(), norm=norm, zorder=1))
    bars = [[(m - half, 0), (m - half, n), (m + half, n), (m + half, 0)] for m, n in enumerate(widths)]
    inside = {"array": within, "cmap": _sequential(), "norm": norm} if within.any() else {"facecolors": "#333333"}
    ax.add_collection(PolyCollection(bars, edgecolors="black", linewidths=0.8, zorder=2, **inside))
    ax.set(xlim=(-0.5, len(widths) - 0.5), ylim=(0, 1.05 * widths.max()), ylabel=f"{what} in the layer")
    ax.grid(visible=False)
    _ticks(ax, {m: str(m) for m in range(len(widths))}, "layer $m$")
    _bar(ax, norm, _sequential(), f"root mean square of ${symbol}$")
    if automatic:
        ax.set_title(f"by layers: {nodes} {what} are too many to draw one by one")
    return settled(ax)


# -- colours and labels ----------------------------------------------------------------------------------


def _diverging() -> Any:
    """Negative blue, positive vermilion, told apart with any colour vision; weak couplings fade to grey."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("couplings", [COLOURS[0], "#E8E8E8", COLOURS[1]])


def _sequential() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("strengths", ["#F2F2F2", COLOURS[0]])


def _symmetric(largest: float) -> Any:
    from matplotlib.colors import Normalize

    return Normalize(-(largest or 1.0), largest or 1.0)


def _colour_bar(ax: Any, norm: Any, label: str) -> None:
    _bar(ax, norm, _diverging(), label)


def _bar(ax: Any, norm: Any, colours: Any, label: str) -> None:
    """Draw a colour bar that takes its room from these axes, so that it stays inside any figure."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.ticker import MaxNLocator

    bar = colour_bar(ax, ScalarMappable(norm, colours), label)
    bar.locator = MaxNLocator(5)
    bar.update_ticks()


def _legend_above(ax: Any) -> None:
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False, fontsize="small",
              handletextpad=0.2, columnspacing=0.8, borderpad=0.1)  # fmt: skip


def _name_columns(ax: Any, names: dict[int, str], label: str) -> None:
    _no_axes(ax)
    ax.margins(0.04, 0.06)
    _ticks(ax, names, label)


def _ticks(ax: Any, names: dict[int, str], label: str) -> None:
    step = -(-len(names) // _LABELLED)
    ax.set_xticks([*names][::step], [*names.values()][::step])
    ax.set_xlabel(label)


def _no_axes(ax: Any) -> None:
    ax.grid(visible=False)
    ax.set_xticks([])
    ax.set_yticks([])
    for side in ("left", "right", "top", "bottom"):
        ax.spines[side].set_visible(False)
    ax.tick_params(length=0)
