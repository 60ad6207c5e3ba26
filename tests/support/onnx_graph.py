"""ONNX models written operator by operator, and run by the evaluator of onnx."""

import numpy as np


class Graph:
    """A chain of ONNX operators with their constants, written in the order in which they act."""

    def __init__(self, onnx, inputs, dtype=np.float32):
        self.onnx, self.dtype, self.inputs = onnx, dtype, inputs
        self.nodes, self.constants, self.now = [], [], "x"

    def constant(self, values):
        name = f"c{len(self.constants)}"
        array = np.asarray(values)
        array = array.astype(self.dtype) if array.dtype.kind == "f" else array
        self.constants.append(self.onnx.numpy_helper.from_array(array, name))
        return name

    def then(self, kind, *constants, before=(), **attributes):
        names = [self.constant(c) for c in constants]
        inputs = [*(self.constant(c) for c in before), self.now, *names]
        self.now, name = f"v{len(self.nodes)}", f"{kind}{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, [self.now], name=name, **attributes))
        return self

    def model(self, shape=None, version=17):
        helper = self.onnx.helper
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(self.dtype))
        ends = [helper.make_tensor_value_info(name, kind, of) for name, of in (("x", shape), (self.now, None))]
        graph = helper.make_graph(self.nodes, "net", ends[:1], ends[1:], self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)])

    def run(self, x):
        from onnx.reference import ReferenceEvaluator

        return ReferenceEvaluator(self.model()).run(None, {"x": x.astype(self.dtype)})[0]
