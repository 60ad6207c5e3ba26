"""ONNX graphs: constants as the specification has them, and what the evaluator of onnx computes."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx_graph import Graph
from strategies import examples

from statnn.io import load_network
from statnn.io._load import load
from statnn.network import Network

onnx = pytest.importorskip("onnx")
helper, of_array = onnx.helper, onnx.numpy_helper.from_array
W = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 10.0]], np.float32)
X = np.random.default_rng(1).normal(size=(5, 3)).astype(np.float32)


def with_weight(nodes, constants=(), name="w"):
    """Return a graph x -> x W whose weight is made by nodes and constants."""
    graph = Graph(onnx, 3)
    graph.nodes = [*nodes, helper.make_node("MatMul", ["x", name], ["y"])]
    graph.constants, graph.now = list(constants), "y"
    return graph


def same(graph, x=X, up_to=1e-5):
    net = load_network(graph.model())
    theirs = graph.run(x)
    assert np.allclose(net(x), theirs, rtol=up_to, atol=up_to)
    return net


# -- constants -------------------------------------------------------------------------------------------


def node(kind, inputs, output, **attributes):
    return helper.make_node(kind, inputs, [output], **attributes)


RAW = of_array(W, "r")
CHAINS = {
    "transpose": ([node("Transpose", ["r"], "w")], W.T),
    "no turn": ([node("Transpose", ["r"], "w", perm=[0, 1])], W),
    "a turn": ([node("Transpose", ["r"], "w", perm=[1, 0])], W.T),
    "two turns": ([node("Transpose", ["r"], "a"), node("Transpose", ["a"], "w")], W),
    "three turns": (
        [node("Transpose", ["r"], "a"), node("Transpose", ["a"], "b", perm=[0, 1]), node("Transpose", ["b"], "w")],
        W,
    ),
    "of an identity": ([node("Identity", ["r"], "a"), node("Transpose", ["a"], "w")], W.T),
    "identity of a turn": ([node("Transpose", ["r"], "a"), node("Identity", ["a"], "w")], W.T),
    "of a constant": ([node("Constant", [], "a", value=RAW), node("Transpose", ["a"], "w")], W.T),
}


@pytest.mark.parametrize("name", CHAINS)
def test_constants_that_are_turned_and_passed_on(name):
    nodes, expected = CHAINS[name]
    used = {source for single in nodes for source in single.input}
    net = same(with_weight(nodes, [RAW] if "r" in used else []))
    assert np.array_equal(net.weights[0], expected.T)


FLAT, HALF, TRIPLE = (
    of_array(W.reshape(-1), "r"),
    of_array(W.astype(np.float16), "r"),
    of_array(W[None, :, :, None], "r"),
)
SIZES = {
    name: of_array(np.array(sizes), "s") for name, sizes in {"3 3": [3, 3], "0 -1": [0, -1], "0 3": [0, 3]}.items()
}
SHAPES = {
    "cast": ([node("Cast", ["r"], "w", to=1)], [HALF], W.astype(np.float16)),
    "cast twice": ([node("Cast", ["r"], "a", to=11), node("Cast", ["a"], "w", to=1)], [HALF], W.astype(np.float16)),
    "reshape": ([node("Reshape", ["r", "s"], "w")], [FLAT, SIZES["3 3"]], W),
    "as it is": ([node("Reshape", ["r", "s"], "w")], [RAW, SIZES["0 -1"]], W),
    "squeeze all": ([node("Squeeze", ["r"], "w")], [TRIPLE], W),
    "squeeze": ([node("Squeeze", ["r"], "a", axes=[0]), node("Squeeze", ["a"], "w", axes=[-1])], [TRIPLE], W),
    "squeeze by": ([node("Squeeze", ["r", "s"], "w")], [TRIPLE, of_array(np.array([0, 3]), "s")], W),
    "unsqueeze": (
        [node("Unsqueeze", ["r", "s"], "a"), node("Squeeze", ["a"], "w")],
        [RAW, of_array(np.array([0, 3]), "s")],
        W,
    ),
    "flatten": ([node("Flatten", ["r"], "w", axis=2)], [TRIPLE], W),
}


@pytest.mark.parametrize("name", SHAPES)
def test_constants_in_another_shape_or_type(name):
    nodes, tensors, expected = SHAPES[name]
    assert np.array_equal(same(with_weight(nodes, tensors)).weights[0], expected.T)


@pytest.mark.parametrize(("nodes", "tensors"), [
    ([node("Reshape", ["r", "s"], "w")], [RAW, of_array(np.array([2, -1]), "s")]),
    ([node("Reshape", ["r", "s"], "w", allowzero=1)], [RAW, SIZES["0 3"]]),
    ([node("Squeeze", ["r"], "w", axes=[1])], [RAW]),
    ([node("Unsqueeze", ["r"], "w", axes=[7])], [RAW]),
])  # fmt: skip
def test_shapes_that_constants_cannot_have(nodes, tensors):
    with pytest.raises(ValueError, match=rf"MatMul: a {nodes[0].op_type} of shape \(3, 3\) is impossible: "):
        load_network(with_weight(nodes, tensors).model())


def test_constants_of_more_axes_are_turned_before_they_are_refused():
    cube = of_array(np.ones((1, 3, 3), np.float32), "r")
    with pytest.raises(ValueError, match=r"weights have shape \(3, 3, 1\), a matrix is needed"):
        load_network(with_weight([node("Transpose", ["r"], "w", perm=[1, 2, 0])], [cube]).model())
    turns = [node("Transpose", ["r"], "a", perm=[1, 0, 2]), node("Transpose", ["a"], "w", perm=[0, 2, 1])]
    with pytest.raises(ValueError, match=r"weights have shape \(3, 4, 2\), a matrix is needed"):
        load_network(with_weight(turns, [of_array(np.ones((2, 3, 4), np.float32), "r")]).model())
    with pytest.raises(ValueError, match=r"a Transpose of shape \(3, 3\) is impossible: "):
        load_network(with_weight([node("Transpose", ["r"], "w", perm=[0, 0])], [RAW]).model())


def test_constants_by_every_attribute():
    graph = Graph(onnx, 3).then("MatMul", W)
    for name, kind, attribute in (
        ("a", "Add", {"value_floats": [0.5, -1.0, 2.0]}),
        ("b", "Mul", {"value_float": 0.25}),
        ("c", "Sub", {"value": of_array(np.float32(3.0))}),
    ):
        graph.nodes += [node("Constant", [], name, **attribute), node(kind, [graph.now, name], name * 2)]
        graph.now = name * 2
    net = same(graph)
    assert np.allclose(net.biases[0], [0.125 - 3, -0.25 - 3, 0.5 - 3])
    start = Graph(onnx, 3)
    start.nodes = [node("Constant", [], "s", value_ints=[-1, 3]), node("Reshape", ["x", "s"], "v")]
    start.now = "v"
    assert same(start.then("MatMul", W)).widths == (3, 3)
    for attribute in ({"value_string": "1"}, {"value_strings": ["1", "2", "3"]}):
        with pytest.raises(ValueError, match="Constant 'w' has value_string"):
            load_network(with_weight([node("Constant", [], "w", **attribute)]).model())
    with pytest.raises(ValueError, match="holds int64, real numbers are needed"):
        load_network(with_weight([node("Constant", [], "w", value_int=3)]).model())


HALVES = np.array([[1.5, -0.25, 6e-8], [65504.0, -0.0, 2.0**-14], [0.1, 1.0, 3.0]])


@pytest.mark.parametrize("raw", [True, False], ids=["raw", "listed"])
@pytest.mark.parametrize("kind", ["FLOAT16", "BFLOAT16"])
def test_numbers_of_sixteen_bits(kind, raw):
    """The specification lists them by their bits, in the lower halves of int32_data."""
    if kind == "FLOAT16":
        bits = HALVES.astype(np.float16).view(np.uint16)
        values = HALVES.astype(np.float16).astype(np.float32)
    else:
        bits = (HALVES.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
        values = (bits.astype(np.uint32) << 16).view(np.float32)
    tensor = onnx.TensorProto(name="w", data_type=getattr(onnx.TensorProto, kind), dims=[3, 3])
    if raw:
        tensor.raw_data = bits.astype("<u2").tobytes()
    else:
        tensor.int32_data.extend(int(number) for number in bits.ravel())
    assert np.array_equal(onnx.numpy_helper.to_array(tensor).astype(np.float32), values)  # so onnx decodes it
    net = load_network(with_weight([], [tensor]).model())
    assert net.dtype == np.float32
    assert np.array_equal(net.weights[0], values.T)
    if not raw:
        tensor.int32_data[0] = 2**16
        with pytest.raises(ValueError, match="lists numbers beyond the 16 bits of its type"):
            load_network(with_weight([], [tensor]).model())


@pytest.mark.parametrize("kind", ["FLOAT8E4M3FN", "INT4", "STRING", "UINT8"])
def test_types_that_are_not_read(kind):
    tensor = onnx.TensorProto(name="w", data_type=getattr(onnx.TensorProto, kind), dims=[3, 3], raw_data=bytes(9))
    with pytest.raises(
        ValueError, match=rf"'w' has the data type [0-9]+, {kind}; supported are float16, bfloat16, float"
    ):
        load_network(with_weight([], [tensor]).model())


@pytest.mark.parametrize(
    ("shape", "match"),
    [((0, 3), r"the weights? .*|\(3, 0\)"), ((), "a matrix is needed"), ((3,), "a matrix is needed")],
)
def test_weights_without_a_matrix(shape, match):
    with pytest.raises(ValueError, match=match):
        load_network(with_weight([], [of_array(np.zeros(shape, np.float32), "w")]).model())


def test_values_that_are_defined_twice():
    for nodes, constants in (
        ([node("Transpose", ["r"], "r")], [RAW]),
        ([node("Constant", [], "w", value=RAW), node("Transpose", ["w"], "w")], []),
        ([], [of_array(W, "w"), of_array(W, "w")]),
    ):
        with pytest.raises(ValueError, match="is defined twice"):
            load_network(with_weight(nodes, constants).model())
    later = [node("Transpose", ["b"], "w"), node("Transpose", ["r"], "b")]  # not in the order of computation
    with pytest.raises(ValueError, match="'w' is computed by Transpose"):
        load_network(with_weight(later, [RAW]).model())
    foreign = node("Transpose", ["r"], "w")
    foreign.domain = "com.example"
    with pytest.raises(ValueError, match="'w' is computed by Transpose"):
        load_network(with_weight([foreign], [RAW]).model())


def test_constants_that_are_also_inputs():
    model = Graph(onnx, 3).then("MatMul", W).then("Add", W[0]).model()
    for tensor in model.graph.initializer:  # as files of the first versions have it
        model.graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    assert load_network(model) == Network([W.T], [W[0]], "identity")
    model.graph.output.append(helper.make_tensor_value_info("v0", 1, None))
    with pytest.raises(ValueError, match="the graph has 1 inputs and 2 outputs"):
        load_network(model)


# -- operators -------------------------------------------------------------------------------------------


def scaled(draw, graph, rng, units):
    """Add some scalings and normalisations."""
    for kind in draw(st.lists(st.sampled_from(["Add", "Sub", "Mul", "Div", "from", "BatchNormalization"]), max_size=2)):
        values = rng.uniform(0.5, 2.0, draw(st.sampled_from([(units,), (1, units), (1,), (1, 1), ()])))
        if kind == "BatchNormalization":
            graph.then(kind, *rng.uniform(0.5, 2.0, (4, units)), epsilon=draw(st.sampled_from([1e-5, 0.5])))
        elif kind == "from":
            graph.then("Sub", before=[values])
        else:
            first = kind in {"Add", "Mul"} and draw(st.booleans())
            graph.then(kind, *([] if first else [values]), before=[values] if first else ())


def dense(draw, graph, rng, below, above):
    """Add a dense layer."""
    if draw(st.booleans()):
        graph.then("MatMul", rng.normal(size=(below, above)))
        return
    turned = draw(st.integers(0, 1))
    bias = draw(st.sampled_from([None, (above,), (1, above), (1,), ()]))
    graph.then(
        "Gemm", rng.normal(size=(above, below) if turned else (below, above)),
        *([] if bias is None else [rng.normal(size=bias)]), transB=turned,
        alpha=draw(st.sampled_from([1.0, 0.5])), beta=draw(st.sampled_from([1.0, -2.0, 0.0])),
    )  # fmt: skip


@st.composite
def chains(draw):
    """Return any chain that is read, in float64, and inputs; without Erf, which onnx evaluates to 7 digits."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    widths = draw(st.lists(st.integers(1, 4), min_size=2, max_size=5))
    graph = Graph(onnx, widths[0], np.float64)
    start = draw(st.sampled_from(["", "Flatten", "Reshape", "Identity", "Dropout"]))
    if start:
        graph.then(start, *([np.array([-1, widths[0]])] if start == "Reshape" else []))
    scaled(draw, graph, rng, widths[0])
    for below, above in pairwise(widths):
        dense(draw, graph, rng, below, above)
        scaled(draw, graph, rng, above)
        kind = draw(st.sampled_from(["", "Tanh", "Relu", "Sigmoid", "LeakyRelu", "slope", "Dropout"]))
        if kind:
            graph.then("LeakyRelu" if kind == "slope" else kind, **({"alpha": 0.25} if kind == "slope" else {}))
        if kind not in {"", "Dropout"}:
            scaled(draw, graph, rng, above)
    return graph, rng.normal(size=(6, widths[0]))


@given(chains())
@examples(1)
def test_any_chain_is_what_the_evaluator_computes(case):
    graph, x = case
    assert load_network(graph.model()).dtype == np.float64
    same(graph, x, up_to=1e-9)


def test_what_files_leave_out():
    assert load_network(Graph(onnx, 3).then("MatMul", W).then("LeakyRelu").model()).activations[0].slope == np.float32(
        0.01
    )
    norm = load_network(Graph(onnx, 3).then("MatMul", W).then("BatchNormalization", *np.ones((4, 3))).model())
    assert norm.normalisations[0].epsilon == np.float32(1e-5)
    plain = load(Graph(onnx, 3).then("Gemm", W).then("LogSoftmax").model())
    assert any("before the log-softmax" in note for note in plain.notes)


def in_training(kind, *constants, **attributes):
    return Graph(onnx, 3).then("MatMul", W).then(kind, *constants, **attributes)


def test_operators_in_training():
    random = in_training("Dropout", np.float32(0.5), np.ones((), bool))
    with pytest.raises(ValueError, match="is in training mode, and its outputs are random"):
        load_network(random.model())
    assert same(in_training("Dropout", np.float32(0.5), np.zeros((), bool))).depth == 1
    with pytest.raises(ValueError, match="no training mode"):
        load_network(in_training("BatchNormalization", *np.ones((4, 3)), training_mode=1).model())
    model = in_training("BatchNormalization", *np.ones((4, 3))).model(version=13)
    model.graph.node[-1].output.extend(["mean", "var"])  # the sign of training before version 14
    with pytest.raises(ValueError, match="has 3 outputs, as in training"):
        load_network(model)


def test_versions_and_meanings_of_operators():
    graph = Graph(onnx, 3).then("MatMul", W).then("Relu")
    assert load_network(graph.model(version=7)) == load_network(graph.model())
    with pytest.raises(ValueError, match="uses version 6 of the operators, and those from 7 on are supported"):
        load_network(graph.model(version=6))
    model = graph.model()
    model.functions.append(helper.make_function("", "Relu", ["x"], ["y"], [node("Tanh", ["x"], "y")], []))
    with pytest.raises(ValueError, match="redefines operators of ONNX"):
        load_network(model)


ATTRIBUTE = "is not one that it has, is given twice, or is not a number or text"


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("Gemm", [{"name": "transB", "i": 1}]),  # no type: read as left out, it would put W for its transpose
        ("Gemm", [{"name": "transB", "ints": [1], "type": 7}]),
        ("Gemm", [{"name": "transA", "i": 1}]),
        ("Gemm", [{"name": "alpha", "f": 2.0}]),
        ("Gemm", [{"name": "beta", "f": 2.0, "type": 1}, {"name": "beta", "f": 3.0, "type": 1}]),
        ("Gemm", [{"name": "broadcast", "i": 1, "type": 2}]),
        ("LeakyRelu", [{"name": "alpha", "f": 0.3}]),
        ("LeakyRelu", [{"name": "Alpha", "f": 0.3, "type": 1}]),
        ("LeakyRelu", [{"name": "alpha", "type": 1, "ref_attr_name": "slope"}]),
        ("Gelu", [{"name": "approximate", "s": b"tanh"}]),
        ("Softmax", [{"name": "axis", "i": 0}]),
        ("BatchNormalization", [{"name": "training_mode", "i": 1}]),
    ],
)
def test_attributes_that_would_be_left_out(kind, given):
    constants = {"Gemm": (W, W[0]), "BatchNormalization": np.ones((4, 3))}
    model = in_training(kind, *constants.get(kind, ())).model(version=20)
    model.graph.node[-1].attribute.extend(onnx.AttributeProto(**attribute) for attribute in given)
    with pytest.raises(ValueError, match=rf"attribute '{given[0]['name']}' {ATTRIBUTE}"):
        load_network(model)


@pytest.mark.parametrize("kind", ["Identity", "Relu", "LeakyRelu", "Softmax"])
def test_inputs_that_would_be_left_out(kind):
    with pytest.raises(ValueError, match=f"{kind} '{kind}1': has 2 inputs, and the samples alone are needed"):
        load_network(in_training(kind, W[0]).model())


def test_what_stands_in_the_place_of_a_constant():
    values = helper.make_tensor("w", 1, [2], [1.5, -2.0])
    model = with_weight([], []).model()
    model.graph.sparse_initializer.append(
        helper.make_sparse_tensor(values, helper.make_tensor("at", 7, [2], [1, 5]), [3, 3])
    )
    with pytest.raises(ValueError, match="MatMul: 'w' is sparse, and a constant array"):
        load_network(model)
    with pytest.raises(ValueError, match="MatMul: 'w' is computed by Cast, and a constant array"):
        load_network(with_weight([node("Cast", ["r"], "w", to=10)], [RAW]).model())
    with pytest.raises(ValueError, match="MatMul: 'w' is missing, and a constant array"):
        load_network(with_weight([], []).model())


def test_graphs_inside_of_operators_take_values_of_those_around_them():
    """If and Loop list no inputs for them: 'h' goes to an operator all the same."""
    end = helper.make_tensor_value_info("e", 1, None)
    sides = [helper.make_graph([node(kind, ["h"], "e")], kind, [], [end]) for kind in ("Tanh", "Relu")]
    graph = Graph(onnx, 3)
    graph.nodes = [
        node("MatMul", ["x", graph.constant(W)], "h"),
        node("If", [graph.constant(np.ones((), bool))], "y", then_branch=sides[0], else_branch=sides[1]),
    ]
    graph.now = "y"
    with pytest.raises(ValueError, match=r"^If: this operator is not supported.*Likely fix: the model branches"):
        load_network(graph.model())


def test_branches_are_told_with_their_operators():
    graph = Graph(onnx, 3).then("MatMul", W).then("Relu")
    graph.nodes, graph.now = [*graph.nodes, node("Shape", ["v0"], "s"), node("Reshape", ["v1", "s"], "y")], "y"
    with pytest.raises(ValueError, match=r"value 'v0' goes to 2 operators \(Relu, Shape\).*Likely fix: the number of"):
        load_network(graph.model())
    several = Graph(onnx, 3).then("MatMul", W).then("Split").model()
    several.graph.node[-1].output.append("rest")  # which is no sign of training here
    with pytest.raises(ValueError, match="Split 'Split1': this operator is not supported"):
        load_network(several)


@pytest.mark.parametrize(
    ("kind", "constants", "options", "match"),
    [
        ("Elu", (), {}, "this operator is not supported"),
        ("Selu", (), {}, "this operator is not supported"),
        ("Mish", (), {}, "this operator is not supported"),
        ("Transpose", (), {}, "this operator is not supported; .*Likely fix: samples are rows all along"),
        ("Cast", (), {"to": 11}, r"changes the type of numbers.*Likely fix: .* in one precision, model"),
        ("Shape", (), {}, r"Likely fix: the number of samples is computed .* torch\.flatten"),
        ("Reshape", (np.array([-1, 3]),), {}, "as the first step only.*or export the layers after it alone"),
        ("Softmax", (), {"axis": 0}, "supported over classes"),
        ("Add", (np.ones((1, 1, 3)),), {}, r"its constant of shape \(1, 1, 3\) is not one number per unit"),
        ("Add", (np.ones((3, 1)),), {}, r"its constant of shape \(3, 1\) is not one number per unit"),
        ("Add", (np.ones(2),), {}, "has 2 entries for 3 units"),
        ("Mul", (np.zeros((0,)),), {}, "has 0 entries for 3 units"),
        ("Add", (np.ones(3, int),), {}, "holds int64, real numbers are needed"),
        ("Gemm", (W, np.ones((5, 1))), {}, r"biases have shape \(5, 1\)"),
        ("Gemm", (W, np.ones((5, 3))), {}, r"biases have shape \(5, 3\)"),
        ("Gemm", (W, W[0]), {"transA": 1}, "not transposed"),
        ("MatMul", (), {"before": [W]}, "the samples must be its first input"),
    ],
)
def test_operators_that_compute_something_else(kind, constants, options, match):
    with pytest.raises(ValueError, match=match):
        load_network(in_training(kind, *constants, **options).model())


def reshaped(shape, declared, **options):
    graph = Graph(onnx, 6).then("Reshape", np.array(shape), **options).then("MatMul", np.ones((6, 2)))
    return load_network(graph.model(declared))


@pytest.mark.parametrize(
    ("shape", "declared"),
    [
        ([-1, 6], None), ([0, -1], ["n", 2, 3]), ([-1, 6], ["n", 2, 3]), ([0, 6], ["n", 6]), ([1, -1], [1, 2, 3]),
        ([4, 6], [4, 1, 6]), ([-1, 6], ["n", 2, "m"]),
    ],
)  # fmt: skip
def test_inputs_that_are_flattened(shape, declared):
    assert reshaped(shape, declared).widths == (6, 2)
    axis = -len(declared[1:]) if declared else 1  # the same, counted from the end
    flat = Graph(onnx, 6).then("Flatten", axis=axis).then("MatMul", np.ones((6, 2)))
    assert load_network(flat.model(declared)).widths == (6, 2)


@pytest.mark.parametrize(
    ("shape", "declared", "options"),
    [
        ([-1, 6], ["n", 12], {}),  # two rows of every sample
        ([1, -1], [4, 6], {}),  # one row of four
        ([1, -1], None, {}),
        ([1, -1], ["n", 6], {}),
        ([-1, 2, 3], None, {}),
        ([6, -1], ["n", 6], {}),
        ([0, -1], ["n", 6], {"allowzero": 1}),
        ([-1, -1], None, {}),
        ([-1, 0], ["n", 6], {}),
    ],
)
def test_inputs_that_are_mixed(shape, declared, options):
    with pytest.raises(ValueError, match="supported only where it makes one row of every sample"):
        reshaped(shape, declared, **options)


def test_inputs_that_are_no_rows():
    graph = Graph(onnx, 3).then("MatMul", W)
    assert load_network(graph.model(["n", 3])).widths == load_network(graph.model([5, "k"])).widths == (3, 3)
    with pytest.raises(ValueError, match=r"takes inputs of shape \(0, 7, 3\), and rows are needed: flatten them first"):
        load_network(graph.model(["n", 7, 3]))
    with pytest.raises(ValueError, match="takes 3 inputs, but a row of inputs has 4 numbers"):
        load_network(graph.model(["n", 4]))
    flat = Graph(onnx, 3).then("Flatten").then("MatMul", W)
    assert load_network(flat.model(["n", 1, 3])).widths == (3, 3)
    with pytest.raises(ValueError, match="takes 3 inputs, but a row of inputs has 21 numbers"):
        load_network(flat.model(["n", 7, 3]))


@pytest.mark.parametrize("shape", [(), (2,), (2, 1), (3, 1, 2), (1, 3, 2, 2), (1, 1, 2)], ids=str)
def test_inputs_that_are_shifted_before_they_are_flattened(shape):
    """Such are the networks of ACAS Xu, and those of pictures whose mean is subtracted."""
    rng = np.random.default_rng(2)
    mean, weight, x = rng.normal(size=shape), rng.normal(size=(12, 4)), rng.normal(size=(5, 3, 2, 2))
    net = load_network(Graph(onnx, 12).then("Sub", mean).then("Flatten").then("MatMul", weight).model(["n", 3, 2, 2]))
    assert np.allclose(net(x.reshape(5, -1)), (x - mean).reshape(5, -1) @ weight, rtol=1e-5, atol=1e-5)
    with pytest.raises(ValueError, match=r"constant of shape \(12,\) does not fit samples of \(3, 2, 2\)"):
        load_network(Graph(onnx, 12).then("Sub", np.ones(12)).then("Flatten").model(["n", 3, 2, 2]))
    refused = "is not one number per unit" if len(shape) > 1 else "supported as the first step only"
    with pytest.raises(ValueError, match=refused):
        load_network(Graph(onnx, 12).then("Sub", mean).then("Flatten").then("MatMul", weight).model(None))


def test_one_constant_in_several_shapes():
    graph = Graph(onnx, 3)
    matrix, number = graph.constant(np.arange(6.0).reshape(3, 2)), graph.constant(np.array([0.5]))
    graph.nodes = [
        node("Gemm", ["x", matrix, number], "a"),
        node("Gemm", ["a", matrix, number], "b", transB=1),
        node("Gemm", ["b", matrix, number], "c", alpha=2.0, beta=3.0),
    ]
    graph.now = "c"
    assert same(graph).widths == (3, 2, 3, 2)
