"""Memory of ONNX graphs: it is summed before constants are copied, multiplied or repeated."""

import tracemalloc

import numpy as np
import pytest
from onnx_graph import Graph

from statnn import _memory
from statnn.io import _onnx, load_network

onnx = pytest.importorskip("onnx")


def node(kind, inputs, output, **attributes):
    return onnx.helper.make_node(kind, inputs, [output], **attributes)


def many(units, layers, *kinds, first="Gemm", casts=0):
    """Return a graph with one shared matrix in many layers, in turn by one of its casts, and operators after each."""
    graph = Graph(onnx, units)
    weight, ones = graph.constant(np.eye(units)), graph.constant(np.ones(units))
    graph.nodes += [node("Cast", [weight], f"w{k}", to=onnx.TensorProto.DOUBLE) for k in range(casts)]
    constants = {
        "Gemm": [weight, ones],
        "MatMul": [weight],
        "Mul": [ones],
        "BatchNormalization": [ones] * 4,
        "Tanh": [],
    }
    for k, kind in enumerate((first, *kinds) * layers):
        taken = [f"w{k % casts}"] if casts and kind == "MatMul" else constants.get(kind, [])
        graph.nodes.append(node(kind, [graph.now, *taken], f"v{len(graph.nodes)}"))
        graph.now = f"v{len(graph.nodes) - 1}"
    return graph.model()


def test_a_shared_matrix_stays_one():
    net = load_network(many(50, 400, "Tanh"))
    assert net.depth == 400
    assert len({id(w) for w in net.weights}) == len({id(b) for b in net.biases}) == 1


def test_a_shared_matrix_is_cast_once(monkeypatch):
    single = 50 * 50 * 8
    monkeypatch.setattr(_memory, "available", lambda: 40 * single)
    net = load_network(many(50, 400, first="MatMul", casts=1))
    assert net.depth == 400
    assert len({id(w) for w in net.weights}) == 1
    several = many(50, 400, first="MatMul", casts=100)
    tracemalloc.start()
    try:
        with pytest.raises(MemoryError, match="the network would need"):
            load_network(several)
        assert tracemalloc.get_traced_memory()[1] < 60 * single
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kinds", [("Mul", "Tanh"), ("Tanh", "Mul"), ("BatchNormalization", "Tanh")], ids=" ".join)
def test_a_network_that_would_not_fit_is_refused_before_it_is_built(kinds, monkeypatch):
    for first in ("Gemm", "MatMul"):
        model = many(50, 40, *kinds, first=first)
        assert len({id(w) for w in load_network(model).weights}) >= 39
        with monkeypatch.context() as patch:
            patch.setattr(_memory, "available", lambda: 40 * 50 * 50 * 4 * 2.5)
            with pytest.raises(MemoryError, match="the network would need"):
                load_network(model)
            assert load_network(many(50, 40, "Tanh", first=first)).depth == 40


@pytest.mark.parametrize("factor", ["alpha", "beta"])
def test_multiples_of_one_constant_are_not_made_beyond_memory(factor, monkeypatch):
    """A file of one matrix says in every layer by what to multiply it."""
    units, layers = (200, 60) if factor == "alpha" else (1, 60)
    graph = Graph(onnx, 1)
    into, out = graph.constant(np.ones((1, 20_000))), graph.constant(np.ones((20_000, 1)))
    square, bias = graph.constant(np.ones((units, units))), graph.constant(np.ones(20_000))
    for m in range(layers):
        if factor == "alpha":
            graph.nodes.append(node("Gemm", [graph.now, square], f"b{m}", alpha=1.5 + m))
        else:
            graph.nodes.append(node("Gemm", [graph.now, into, bias], f"a{m}", beta=1.5 + m))
            graph.nodes.append(node("Gemm", [f"a{m}", out], f"b{m}"))
        graph.now = f"b{m}"
    single = 4 * (units**2 if factor == "alpha" else 20_000)
    model, most = graph.model(), 30 * single
    monkeypatch.setattr(_memory, "available", lambda: most)
    tracemalloc.start()
    try:
        with pytest.raises(MemoryError, match="the network would need"):
            load_network(model)
        assert tracemalloc.get_traced_memory()[1] < 0.75 * most  # all of them have twice that
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("axis", [20_000, 10**9])
@pytest.mark.parametrize("kind", ["Mul", "BatchNormalization"])
def test_constants_are_not_repeated_along_rows_that_a_file_only_declares(kind, axis):
    """A file of some hundred bytes would fill gigabytes."""
    graph = Graph(onnx, 3)
    number = graph.constant(np.ones(1))
    graph.nodes = [node(kind, ["x", *[number] * (1 if kind == "Mul" else 4)], "a"), node("Flatten", ["a"], "b")]
    graph.now = "b"
    model = graph.then("MatMul", np.eye(3)).model(("N", 1, axis, axis))
    with pytest.raises(ValueError, match=rf"{kind}: .* has {axis**2:.3g} numbers, and no".replace("+", r"\+")):
        load_network(model)


def test_rows_that_a_matrix_takes_are_scaled_however_long(monkeypatch):
    """And rows that none takes are left to what the graph does with them."""
    monkeypatch.setattr(_onnx, "_LONG", 0)
    graph = Graph(onnx, 6).then("Mul", np.full(1, 2.0)).then("Flatten").then("MatMul", np.eye(6))
    assert np.array_equal(load_network(graph.model(("N", 2, 3))).weights[0], 2 * np.eye(6))
    monkeypatch.undo()
    graph = Graph(onnx, 6).then("Mul", np.full(1, 2.0)).then("Conv", np.ones((1, 1, 2, 2)))
    with pytest.raises(ValueError, match="this operator is not supported"):
        load_network(graph.model(("N", 1, 9, 9)))


def test_biases_that_would_not_fit(monkeypatch):
    graph = Graph(onnx, 1)
    wide, narrow = graph.constant(np.ones((1, 1000))), graph.constant(np.ones((1000, 1)))
    for m in range(50):
        graph.nodes.append(node("Gemm", [graph.now, wide, graph.constant(np.array([1.0 + m]))], f"a{m}"))
        graph.nodes.append(node("Gemm", [f"a{m}", narrow], f"b{m}"))
        graph.now = f"b{m}"
    monkeypatch.setattr(_memory, "available", lambda: 50 * 1000 * 4 * 2.5)
    with pytest.raises(MemoryError, match="the network would need"):
        load_network(graph.model())


def test_a_last_scaling_of_very_many_units(monkeypatch):
    graph = Graph(onnx, 1).then("MatMul", np.ones((1, 3000))).then("Tanh").then("Mul", np.ones(3000))
    monkeypatch.setattr(_memory, "available", lambda: 1e8)
    with pytest.raises(MemoryError, match="a further layer of 3000 units would need"):
        load_network(graph.model())
