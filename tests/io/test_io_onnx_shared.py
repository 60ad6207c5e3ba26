"""ONNX graphs of which several operators take the same constants, each in its own way."""

import numpy as np
import pytest
from onnx_graph import Graph

from statnn.io import load_network

onnx = pytest.importorskip("onnx")


def test_a_matrix_and_a_vector_are_turned_and_scaled_for_each_operator_by_itself():
    graph = Graph(onnx, 3)
    w = np.array([[0.5, -0.3, 0.2], [0.1, 0.4, -0.6], [-0.2, 0.7, 0.3]], np.float32)
    graph.constants += [onnx.numpy_helper.from_array(one, name) for one, name in ((w, "w"), (w[0], "b"))]
    for m, (turn, alpha, beta) in enumerate([(0, 1.0, 1.0), (1, 1.0, 1.0), (0, 0.5, 1.0), (0, 1.0, 2.0)]):
        given = {"transB": turn, "alpha": alpha, "beta": beta}
        graph.nodes.append(onnx.helper.make_node("Gemm", [graph.now, "w", "b"], [f"h{m}"], **given))
        graph.nodes.append(onnx.helper.make_node("Tanh", [f"h{m}"], [f"a{m}"]))
        graph.now = f"a{m}"
    x = np.random.default_rng(1).normal(size=(5, 3)).astype(np.float32)
    np.testing.assert_allclose(load_network(graph.model())(x), graph.run(x), rtol=1e-5, atol=1e-6)
