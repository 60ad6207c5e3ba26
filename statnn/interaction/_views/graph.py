r"""Interaction graphs as `networkx` objects: who shares a term of the energy with whom.

In :math:`βH = λ \sum_{m,i} |h_i^{(m+1)} - σ(\sum_j W_{ij} h_j^{(m)} + b_i)|^2 + β|y - h^{(M)}|^2` every unit (m+1, i)
is one term. It holds the unit itself, all neurons below that it listens to (W_ij ≠ 0), and, where they are free, its
weights and its bias. Two drawings of the same thing:

* *pairs*: an edge between any two variables of one term. Neurons of one layer that feed a common unit interact as well,
  by -2λ Σ_i W_ij W_ik h_j h_k. For the identity such couplings may cancel, and then there is no edge: the graph is the
  pattern of the second derivatives of βH, with entries zero to rounding left out;
* *factors*: a node for every term, joined to the variables in it (the bipartite factor graph, one hyper-edge per term).

Samples meet only in weights and biases, all alike: the graph is that of one sample. What is clamped (inputs, targets)
does not interact with what is clamped. Priors are terms of one variable each and make no edge.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from statnn._arguments import switch
from statnn.interaction._from_graph import LAYERED
from statnn.interaction._protocols import Neurons, Spins

MOST_NODES = 5_000
MOST_EDGES = 500_000

Node = tuple[Any, ...]
LAYERS = "layers=True gives one node per layer"


def binary_graph(model: Spins, *, layers: bool) -> Any:
    """Return the graph of `BinaryNeurons.graph`."""
    import networkx as nx

    graph = nx.Graph(name="BinaryNeurons", temperature=model.temperature)
    if switch(layers, "layers"):
        return _chain(graph, [layer.size for layer in model.layers], *_binary_strengths(model))
    refuse_large(model.size, _bonds(model), LAYERS)
    graph.graph[LAYERED] = model.blocks is not None
    places = {spin: (m, i) for m, layer in enumerate(model.layers) for i, spin in enumerate(layer.tolist())}
    for spin, (node, field) in enumerate(zip(model.nodes, model.fields.tolist(), strict=True)):
        m, i = places[spin]
        graph.add_node(node, kind="neuron", layer=m, index=i, clamped=False, field=field)
    upper = model.couplings.tocoo()
    for i, j, coupling in zip(*(axis.tolist() for axis in upper.coords), upper.data.tolist(), strict=True):
        if i < j:
            graph.add_edge(model.nodes[i], model.nodes[j], coupling=coupling, weight=coupling)
    return graph


def dynamic_graph(model: Neurons, *, parameters: bool, factors: bool, layers: bool) -> Any:
    """Return the graph of `DynamicNeurons.graph`."""
    import networkx as nx

    for name, value in {"parameters": parameters, "factors": factors, "layers": layers}.items():
        switch(value, name)
    graph = nx.Graph(name="DynamicNeurons", beta=model.beta, stiffness=model.stiffness)
    if layers and (parameters or factors):
        raise ValueError("layers=True has one node per layer; leave out parameters and factors")
    if parameters and len(model.free) == 1:
        raise ValueError("parameters=True but neither weights nor biases are free: name them in free=")
    if layers:
        blocks = model.net.weights
        return _chain(
            graph, list(model.net.widths), [_root_mean_square(w) for w in blocks], [0.0] * len(model.net.widths)
        )
    _refuse_large_network(model, parameters=parameters, factors=factors)
    for node, attributes in _variables(model, parameters=parameters):
        graph.add_node(node, **attributes)
    if factors:
        _add_factors(graph, model, parameters=parameters)
        return graph
    with np.errstate(over="ignore", invalid="ignore"):  # refused below
        _add_pairs(graph, model, parameters=parameters)
    for a, b, coupling in graph.edges(data="coupling", default=0.0):
        if not math.isfinite(coupling):
            raise ValueError(
                f"the coupling of {a} and {b} exceeds the range of float64: stiffness = {model.stiffness:g} or weights "
                "are too large; graph(factors=True) has the weights themselves"
            )
    return graph


def _variables(model: Neurons, *, parameters: bool) -> Iterator[tuple[Node, dict[str, Any]]]:
    net = model.net
    for m, width in enumerate(net.widths):
        for i in range(width):
            yield ("h", m, i), {"kind": "neuron" if m else "input", "layer": m, "index": i, "clamped": m == 0}
    if model.targets is not None:
        for i in range(net.widths[-1]):
            yield ("y", i), {"kind": "target", "layer": net.depth + 1, "index": i, "clamped": True}
    for m, weight in enumerate(net.weights if parameters else ()):
        if "weights" in model.free:
            for i, j in np.ndindex(weight.shape):
                yield ("W", m, i, j), {"kind": "weight", "layer": m, "index": (i, j), "clamped": False}
        if "biases" in model.free:
            for i in range(len(weight)):
                yield ("b", m, i), {"kind": "bias", "layer": m, "index": i, "clamped": False}


def _units(model: Neurons, *, parameters: bool) -> Iterator[tuple[int, int, list[int], list[Node]]]:
    """Yield m, i, the units below that unit i of layer m+1 listens to, and its free parameters."""
    weights_free = parameters and "weights" in model.free
    biases_free = parameters and "biases" in model.free
    for m, weight in enumerate(model.net.weights):
        for i in range(len(weight)):
            below = range(weight.shape[1]) if weights_free else np.flatnonzero(weight[i]).tolist()
            own: list[Node] = [("W", m, i, j) for j in below] if weights_free else []
            yield m, i, list(below), [*own, ("b", m, i)] if biases_free else own


def _add_factors(graph: Any, model: Neurons, *, parameters: bool) -> None:
    depth = model.net.depth
    for m, i, below, own in _units(model, parameters=parameters):
        factor = ("f", m + 1, i)
        graph.add_node(factor, kind="factor", layer=m + 1, index=i, clamped=False)
        graph.add_edge(factor, ("h", m + 1, i), coupling=1.0)
        for j in below:
            graph.add_edge(factor, ("h", m, j), coupling=float(model.net.weights[m][i, j]))
        graph.add_edges_from((factor, node) for node in own)
    for i in range(model.net.widths[-1] if model.targets is not None else 0):
        factor = ("f", depth + 1, i)
        graph.add_node(factor, kind="factor", layer=depth + 1, index=i, clamped=False)
        graph.add_edge(factor, ("h", depth, i), coupling=1.0)
        graph.add_edge(factor, ("y", i), coupling=1.0)


def _add_pairs(graph: Any, model: Neurons, *, parameters: bool) -> None:
    net, stiffness = model.net, model.stiffness
    for m, i, below, own in _units(model, parameters=parameters):
        weight = net.weights[m]
        for j in below:
            graph.add_edge(("h", m, j), ("h", m + 1, i), coupling=2 * stiffness * float(weight[i, j]))
        others = [("h", m + 1, i), *(("h", m, j) for j in below)]
        graph.add_edges_from((node, other) for node in own for other in others)
        graph.add_edges_from(combinations(own, 2))
    for m in range(1, net.depth):
        _add_within(graph, model, m, generic=parameters and "weights" in model.free)
    for i in range(net.widths[-1] if model.targets is not None else 0):
        graph.add_edge(("h", net.depth, i), ("y", i), coupling=2 * model.beta)


def _add_within(graph: Any, model: Neurons, m: int, *, generic: bool) -> None:
    """Join neurons of layer m that feed a common unit: all of them where the weights may take any value."""
    weight = model.net.weights[m].astype(np.float64)
    product = weight.T @ weight
    shared = np.abs(weight).T @ np.abs(weight)
    listens = (weight != 0).astype(np.float64)
    joined = np.full(product.shape, fill_value=True) if generic else listens.T @ listens > 0
    if not generic and model.net.activations[m].linear:
        # terms of opposite sign cancel, to within the rounding of the weights themselves
        joined &= np.abs(product) > 4 * len(weight) * np.finfo(model.net.dtype).eps * shared
    for j, k in zip(*(axis.tolist() for axis in np.nonzero(np.triu(joined, 1))), strict=True):
        graph.add_edge(("h", m, j), ("h", m, k), coupling=-2 * model.stiffness * float(product[j, k]))


def refuse_large(
    nodes: int, edges: int, instead: str, most_nodes: int = MOST_NODES, most_edges: int = MOST_EDGES
) -> None:
    """Raise if a graph is too large, and say what to do instead."""
    for number, what, most in ((nodes, "nodes", most_nodes), (edges, "edges", most_edges)):
        if number > most:
            raise ValueError(f"{number} {what} are too many to show one by one (at most {most}): {instead}")


def _refuse_large_network(model: Neurons, *, parameters: bool, factors: bool) -> None:
    nodes, edges = network_size(model, parameters=parameters, factors=factors)
    refuse_large(nodes, edges, LAYERS)


def network_size(model: Neurons, *, parameters: bool, factors: bool) -> tuple[int, int]:
    """Return upper bounds of the numbers of nodes and edges."""
    widths = model.net.widths
    targets = widths[-1] if model.targets is not None else 0
    nodes, edges = sum(widths) + targets, targets
    for m, (n, units) in enumerate(pairwise(widths)):
        own = (n if parameters and "weights" in model.free else 0) + (parameters and "biases" in model.free)
        nodes += units * own + (units if factors else 0)
        listening = n if "weights" in model.free and parameters else 0
        bonds = units * n if listening else int(np.count_nonzero(model.net.weights[m]))
        if factors:
            edges += bonds + units * (own + 1)
        else:
            edges += bonds + units * own * (n + 1) + units * own * (own - 1) // 2 + (n * (n - 1) // 2 if m else 0)
    return nodes + (targets if factors else 0), edges + (targets if factors else 0)


def _bonds(model: Spins) -> int:
    if model.blocks is not None:
        return sum(int(np.count_nonzero(block)) for block in model.blocks)
    return int(model.couplings.nnz) // 2


# -- layer by layer --------------------------------------------------------------------------------------


def _chain(graph: Any, widths: list[int], between: list[float], within: list[float]) -> Any:
    for m, (width, inside) in enumerate(zip(widths, within, strict=True)):
        graph.add_node(m, kind="layer", layer=m, index=0, clamped=False, width=width, within=inside)
    for m, coupling in enumerate(between):
        if coupling:
            graph.add_edge(m, m + 1, coupling=coupling, weight=coupling)
    return graph


def _binary_strengths(model: Spins) -> tuple[list[float], list[float]]:
    """Return root mean squares of the couplings between neighbouring layers, and inside layers."""
    layers = model.layers
    if model.blocks is not None:
        return [_root_mean_square(block) for block in model.blocks], [0.0] * len(layers)
    layer_of = np.empty(model.size, dtype=np.int64)
    for m, layer in enumerate(layers):
        layer_of[layer] = m
    pairs = model.couplings.tocoo()
    i, j = (layer_of[axis] for axis in pairs.coords)
    unit = _unit(pairs.data)
    squares = np.square(pairs.data / unit)
    up = np.bincount(i[j == i + 1], squares[j == i + 1], len(layers))[:-1]
    inside = np.bincount(i[i == j], squares[i == j], len(layers))
    sizes = np.array([layer.size for layer in layers], dtype=float)
    between = unit * np.sqrt(up / (sizes[:-1] * sizes[1:]))
    return between.tolist(), (unit * np.sqrt(inside / np.maximum(sizes * (sizes - 1), 1))).tolist()


def _root_mean_square(values: Any) -> float:
    numbers = np.asarray(values, dtype=np.float64)
    unit = _unit(numbers)
    return unit * float(np.sqrt(np.mean(np.square(numbers / unit))))


def _unit(values: Any) -> float:
    """Return the power of two near the largest value: squares in this unit neither overflow nor vanish together."""
    return math.ldexp(1.0, min(max(int(np.frexp(np.abs(values).max(initial=0.0))[1]), -1022), 1023))
