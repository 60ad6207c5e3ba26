"""Couplings, fields, names and layers of binary neurons, read from a `networkx.Graph`."""

from __future__ import annotations

import math
import numbers
from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from statnn._arguments import Floats, Ints, is_number
from statnn._labelled import labels_of, names_along

FIELD = "field"
"""Attribute of a node that holds its field, where no other is named."""
OTHER_FIELDS = {
    FIELD, "fields", "h", "b", "bias", "local_field", "external_field", "magnetic_field", "theta", "threshold",
    "weight", "linear",
}  # fmt: skip
"""Names of the field in other programs, in lower case."""
OTHER_TEMPERATURES = {"temperature", "temp", "t", "beta", "kt", "kbt", "inverse_temperature"}
"""Names of the temperature, or of 1/T, in graphs of other programs."""
OTHER_SIGN = (
    "E = +Σ J s s + Σ h s is minimised there and spins may be 0 and 1: take the signs of bqm.change_vartype('SPIN', "
    "inplace=False), edges (i, j, weight=-J) in a networkx.Graph and fields={i: -h}"
)
"""What to do with a binary quadratic model, as of dimod."""
LAYERED = "layered"
"""Attribute of a graph whose couplings are blocks between neighbouring layers."""
MOST_DENSE = 10**7
"""Most entries of blocks that are rebuilt from a graph."""
_NO_SPINS = {
    "layer": "it stands for a whole layer: take graph(layers=False)",
    "factor": "it is a term of the energy: take graph(factors=False)",
    "input": "it is clamped: turn it into fields of its neighbours",
    "target": "it is clamped: turn it into fields of its neighbours",
    "weight": "it is a real number: take graph(parameters=False)",
    "bias": "it is a real number: take graph(parameters=False)",
}
"""Kinds of nodes in other graphs of this package, and what to do with them."""


class FromGraph(NamedTuple):
    """What a graph says of its spins, in the order of its nodes."""

    nodes: tuple[Hashable, ...]
    couplings: sparse.coo_array[Any]
    layers: tuple[Ints, ...] | None
    blocks: list[Floats] | None


def is_graph(value: Any) -> bool:
    """Whether a value is a graph of networkx, or behaves like one."""
    return hasattr(value, "adjacency") and hasattr(value, "nodes")


def from_graph(graph: Any) -> FromGraph:
    """Return names and couplings of a graph, and its layers if nodes carry them."""
    if graph.is_directed():
        raise TypeError(
            "the graph is directed; an energy needs J_ij = J_ji, a plain networkx.Graph: pass graph.to_undirected() "
            "where both directions say the same"
        )
    if graph.is_multigraph():
        pair = next(((a, b) for a, b in graph.edges() if graph.number_of_edges(a, b) > 1), None)
        if pair is None:
            raise TypeError(
                f"the graph is a {type(graph).__name__}, which may have parallel edges and has none; couplings need a "
                "plain networkx.Graph: pass networkx.Graph(graph)"
            )
        raise TypeError(
            "the graph has parallel edges; couplings need a plain networkx.Graph: add up the weights of parallel edges "
            f"as of {pair[0]!r} and {pair[1]!r}, of which networkx.Graph(graph) keeps the last"
        )
    if not len(graph):
        raise ValueError("the graph has no nodes")
    if "vartype" in graph.graph:
        raise ValueError(f"the graph is a binary quadratic model, vartype = {graph.graph['vartype']}: {OTHER_SIGN}")
    nodes = tuple(graph)
    for node, attributes in _with_defaults(graph, "node"):
        kind = attributes.get("kind")
        if isinstance(kind, str) and kind in _NO_SPINS:
            raise ValueError(f"node {node!r} is not a spin, its kind is {kind!r}: {_NO_SPINS[kind]}")
    place = {node: spin for spin, node in enumerate(nodes)}
    tails, heads, values = [], [], []
    for a, b, attributes in _with_defaults(graph, "edge"):
        value = _weight(a, b, attributes)
        if place[a] == place[b] and value:  # names themselves may be compared entry by entry, as numpy does
            raise ValueError(
                f"the edge ({a!r}, {b!r}) has weight = {value:g}: a spin is not coupled to itself, as s² = 1 is a "
                "constant; pass the graph without networkx.selfloop_edges(graph)"
            )
        tails.append(place[a])
        heads.append(place[b])
        values.append(value)
    ends = np.array([tails + heads, heads + tails], dtype=np.int64).reshape(2, -1)
    couplings = sparse.coo_array((np.array(values * 2, dtype=float), (ends[0], ends[1])), shape=(len(nodes),) * 2)
    return FromGraph(nodes, couplings, *_layers(graph, couplings))


def _with_defaults(graph: Any, what: str) -> Iterator[tuple[Any, ...]]:
    """Yield the nodes or edges of a graph; attributes that they lack come from the defaults of the file.

    GraphML and GEXF declare such defaults; readers attach them to the graph.
    """
    default = graph.graph.get(f"{what}_default")
    default = default if isinstance(default, Mapping) else {}
    for *ends, attributes in (graph.nodes if what == "node" else graph.edges)(data=True):
        yield (*ends, {**default, **attributes})


def _weight(a: Any, b: Any, attributes: Mapping[Any, Any]) -> float:
    """Return J of an edge: its weight or coupling, 1 where it has no number."""
    named = {name: attributes[name] for name in ("weight", "coupling") if name in attributes}
    numbers_of = [finite(value, f"the edge ({a!r}, {b!r}) has {name}") for name, value in named.items()]
    if len({*numbers_of}) > 1:
        raise ValueError(
            f"the edge ({a!r}, {b!r}) has weight = {named['weight']!r} and coupling = {named['coupling']!r}: delete one"
        )
    if numbers_of:
        return numbers_of[0]
    others = [key for key, value in attributes.items() if _reads_as_number(value) and not _is_name(key, value)]
    if others:
        raise ValueError(
            f"the edge ({a!r}, {b!r}) has {others[0]} = {attributes[others[0]]!r}, and no weight: couplings are read "
            f"from 'weight', 1 where an edge has no number at all; give it that name, or delete {others[0]!r}"
        )
    return 1.0


def _reads_as_number(value: Any) -> bool:
    """Return whether a value is a number or could be meant as one: text, a decimal, a tensor of one entry."""
    if isinstance(value, bool | np.bool_):
        return False
    try:
        complex(value)
    except OverflowError:  # an integer beyond all floats
        return True
    except (TypeError, ValueError):
        return False
    return True


def _is_name(key: Any, value: Any) -> bool:
    """Return whether an attribute is the running number that files, or igraph, give to an edge."""
    return key in {"id", "_igraph_index"} and isinstance(value, str | numbers.Integral)


def finite(value: Any, what: str) -> float:
    """Return a value as float, or raise if it is not a finite real number."""
    if not (isinstance(value, bool | np.bool_) or is_number(value)):
        fix = ": make one of it with float()" if isinstance(value, str) and _reads_as_number(value) else ""
        raise TypeError(f"{what} = {value!r}; one real number is needed{fix}")
    try:
        number = float(value)
    except OverflowError:
        raise ValueError(f"{what}, an integer beyond float64; divide couplings, fields and temperature by it") from None
    if not math.isfinite(number):
        raise ValueError(f"{what} = {value!r}, which is not finite; leave out what is not coupled, or give it a number")
    return number


def fields_of_graph(graph: Any, name: str | None) -> dict[Any, Any] | None:
    """Return the fields of the nodes that have the attribute; None if no name is given and no node has it."""
    nodes = list(_with_defaults(graph, "node"))
    fields = {node: attributes[name or FIELD] for node, attributes in nodes if (name or FIELD) in attributes}
    if name is not None and not fields:
        raise ValueError(f"fields = {name!r}, but no node has this attribute; pass {{node: field}} or an array")
    for node, attributes in nodes if name is None and not fields else ():
        for other in (key for key in attributes if _plain(key) in OTHER_FIELDS):
            raise ValueError(
                f"node {node!r} has {other} = {attributes[other]!r}; fields are read from {FIELD!r} where no other "
                f"name is given: pass fields={other!r}, or fields=0.0 for none"
            )
    return fields or None


def temperature_of_graph(graph: Any) -> Any:
    """Return the temperature that a graph carries, 1 if it has none; raise if it has one under another name."""
    if "temperature" in graph.graph:
        return graph.graph["temperature"]
    for other in (key for key in graph.graph if _plain(key) in OTHER_TEMPERATURES):
        raise ValueError(
            f"the graph has {other} = {graph.graph[other]!r}; its temperature is read from 'temperature': pass "
            "temperature=, a number"
        )
    return 1.0


def names_of(couplings: Any) -> tuple[Hashable, ...] | None:
    """Return the names of rows and columns of a labelled matrix, as of pandas or xarray; None without names."""
    if sparse.issparse(couplings):  # one of its formats is a mapping
        return None
    if hasattr(couplings, "quadratic") or isinstance(couplings, Mapping):
        kind = type(couplings).__name__
        raise TypeError(
            f"couplings are a {kind}: pass a networkx.Graph, with J_ij as the weight of its edges; if they are of a "
            f"binary quadratic model, {OTHER_SIGN}"
        )
    if hasattr(couplings, "to_networkx"):
        raise TypeError(f"couplings are a {type(couplings).__name__}: pass couplings.to_networkx()")
    if hasattr(couplings, "index") and hasattr(couplings, "columns"):
        rows, columns = tuple(couplings.index), tuple(couplings.columns)
    else:
        labels = labels_of(couplings)
        if len(labels) != 2 or not any(labels):
            return None
        rows, columns = labels[0] or labels[1], labels[1] or labels[0]
    if rows != columns:
        raise ValueError(
            f"couplings have rows {_some(rows)} and columns {_some(columns)}: J needs the same names in one order, "
            "couplings.loc[names, names]; or pass couplings.to_numpy() if names mean nothing"
        )
    if len({*rows}) < len(rows):
        raise ValueError(f"couplings name a row twice, {_some(rows)}: pass couplings.to_numpy() if names mean nothing")
    return None if rows == (*range(len(rows)),) else rows


def in_order(state: Any, nodes: Sequence[Hashable]) -> Any:
    """Return a state, or raise if it is labelled, as of pandas or xarray, with names of spins in other places."""
    names = names_along(state, -1)
    # where no names are given, pandas numbers from 0, and so does a model
    numbered = isinstance(nodes, range) or names == tuple(range(len(names)))
    if names and names != tuple(nodes) and ({*names} == {*nodes} if numbered else {*names} & {*nodes}):
        raise ValueError(
            f"state has spins {_some(names)}, and the model has them in the order {_some(tuple(nodes))}: pass "
            "state[list(model.nodes)]"
        )
    return state


def by_name(fields: Any) -> Any:
    """Return {name: field} of a labelled row of numbers, as of xarray, and everything else as it is."""
    labels = labels_of(fields)
    return dict(zip(labels[0], np.asarray(fields), strict=True)) if len(labels) == 1 and labels[0] else fields


def _plain(key: Any) -> Any:
    """Return a name in lower case, with underscores between words."""
    return key.lower().replace(" ", "_").replace("-", "_") if isinstance(key, str) else None


def fields_of_mapping(fields: Any, nodes: Any) -> Floats:
    """Return the fields of {node: field} in the order of the nodes, 0 for those that are not named."""
    result = np.zeros(len(nodes))
    place = {node: spin for spin, node in enumerate(nodes)}
    for node, value in fields.items():
        if node not in place:
            raise ValueError(f"fields name {node!r}, which is not a node; nodes are {_some(nodes)}")
        result[place[node]] = finite(value, f"node {node!r} has field")
    return result


def _some(nodes: Any) -> str:
    shown = ", ".join(repr(node) for node in nodes[:3])
    return shown if len(nodes) <= 3 else f"{shown}, ... ({len(nodes)} in all)"


def _layers(graph: Any, couplings: Any) -> tuple[tuple[Ints, ...] | None, list[Floats] | None]:
    """Return the layers that nodes carry, if no coupling skips one; and blocks, if none is inside a layer."""
    named = [attributes.get("layer") for _, attributes in _with_defaults(graph, "node")]
    if not all(isinstance(layer, numbers.Integral) for layer in named):
        return None, None
    layer_of = np.array([min(max(int(layer), -1), len(named)) for layer in named])
    count = int(layer_of.max()) + 1
    steps = layer_of[couplings.row] - layer_of[couplings.col]
    if np.unique(layer_of).tolist() != list(range(count)) or (np.abs(steps[couplings.data != 0]) > 1).any():
        return None, None
    layers = tuple(np.flatnonzero(layer_of == m) for m in range(count))
    sizes = [layer.size for layer in layers]
    dense = sum(below * above for below, above in pairwise(sizes))
    in_order, inside = (np.diff(layer_of) >= 0).all(), (couplings.data[steps == 0] != 0).any()
    if not graph.graph.get(LAYERED) or count == 1 or inside or not in_order or dense > MOST_DENSE:
        return layers, None
    matrix = sparse.csr_array(couplings)
    return layers, [matrix[above][:, below].toarray() for below, above in pairwise(layers)]
