"""ONNX graphs of public writers: of one sample, with operators that change nothing, and advice on all others."""

import numpy as np
import pytest
from onnx_graph import Graph

from statnn import Network
from statnn.io import load_network
from statnn.io._load import load
from statnn.network import Activation

onnx = pytest.importorskip("onnx")
helper = onnx.helper
RNG = np.random.default_rng(5)
FIRST, SECOND, BIAS = RNG.normal(size=(4, 3)), RNG.normal(size=(2, 4)), RNG.normal(size=4)
X = RNG.normal(size=(5, 3))


def by_hand(x, below=FIRST, above=SECOND):
    """Return W2 relu(W1 x + b) of every row."""
    return np.array([above @ np.maximum(below @ row + BIAS, 0) for row in x])


def graph():
    return Graph(onnx, 3, np.float64)


def single(shape=(3,), bias=BIAS):
    """Return W2 relu(W1 x + b), as converters of .nnet files write it."""
    chain = graph().then("MatMul", before=[FIRST]).then("Add", bias).then("Relu").then("MatMul", before=[SECOND])
    return chain.model(shape)


def test_one_sample_without_rows():
    """Networks of aircraft collision avoidance are such files: x has shape (5,), layers are W x + b."""
    net = load_network(single())
    assert net.widths == (3, 4, 2)
    assert np.allclose(net(X), by_hand(X), rtol=1e-12)
    from onnx.reference import ReferenceEvaluator

    theirs = [ReferenceEvaluator(single()).run(None, {"x": row})[0] for row in X]
    assert np.allclose(net(X), theirs, rtol=1e-12)


def test_an_output_that_no_operator_makes_is_named():
    model = graph().then("MatMul", FIRST.T).then("Relu").model()
    model.graph.output[0].name = "lost"
    with pytest.raises(ValueError, match="no operator makes the output 'lost' of the graph"):
        load_network(model)


def test_one_sample_from_the_left():
    chain = graph().then("MatMul", FIRST.T).then("Add", BIAS).then("Relu").then("MatMul", SECOND.T)
    assert np.allclose(load_network(chain.model((3,)))(X), by_hand(X), rtol=1e-12)


@pytest.mark.parametrize(
    ("model", "match"),
    [
        (single(None), r"it is W x of inputs that are one sample, of shape \(n,\)\): export x W\^T"),
        (single((3, 1)), r"it is W x of inputs that are one sample"),  # columns
        (single((7,)), "takes 3 inputs, but a row of inputs has 7 numbers"),
        (
            single(bias=BIAS[None]),
            r"its constant of shape \(1, 4\) is not one number per unit",
        ),  # it makes four samples
        (graph().then("Gemm", FIRST.T).model((3,)), "the samples must be its first input, one in each row"),
        (graph().then("MatMul", FIRST.T).then("BatchNormalization", *np.ones((4, 4))).model((3,)), "samples in rows"),
        (graph().then("MatMul", FIRST.T).then("Flatten").model((3,)), "as the first step only"),
    ],
)
def test_one_sample_where_rows_are_needed(model, match):
    with pytest.raises(ValueError, match=match):
        load_network(model)


@pytest.mark.parametrize(
    ("kind", "constants", "options"),
    [
        ("Cast", (), {"to": onnx.TensorProto.DOUBLE}),  # scikit-learn's exporter begins with it
        ("Concat", (), {"axis": 1}),  # of a policy's only kind of observations
        ("Flatten", (), {}),
        ("Flatten", (), {"axis": -1}),
        ("Reshape", ([-1, 4],), {}),
        ("Reshape", ([0, -1],), {}),
    ],
)
def test_operators_that_change_nothing(kind, constants, options):
    chain = graph().then("MatMul", FIRST.T).then("Add", BIAS)
    chain = chain.then(kind, *map(np.array, constants), **options).then("Relu").then("MatMul", SECOND.T)
    assert np.allclose(load_network(chain.model(("n", 3)))(X), by_hand(X), rtol=1e-12)
    assert np.allclose(chain.run(X), by_hand(X), rtol=1e-12)


def test_rows_that_the_file_counts_are_as_many_after_they_are_flattened():
    chain = graph().then("Flatten").then("MatMul", FIRST.T).then("Add", BIAS)
    chain = chain.then("Reshape", np.array([len(X), -1])).then("Relu").then("MatMul", SECOND.T)
    assert np.allclose(load_network(chain.model((len(X), 3)))(X), by_hand(X), rtol=1e-12)


@pytest.mark.parametrize(
    "given", [np.uint8, np.int64, np.float32, np.float16, np.bool_], ids=lambda kind: kind.__name__
)
def test_inputs_of_another_type_that_are_cast_first(given):
    """Images go in as bytes; a network converts its inputs itself."""
    x = RNG.integers(0, 2 if given == np.bool_ else 200, size=(5, 3)).astype(given)
    chain = graph().then("Cast", to=onnx.TensorProto.DOUBLE).then("Div", np.float64(255)).then("MatMul", FIRST.T)
    model = chain.then("Add", BIAS).then("Relu").then("MatMul", SECOND.T).model(("n", 3))
    model.graph.input[0].type.tensor_type.elem_type = helper.np_dtype_to_tensor_dtype(np.dtype(given))
    from onnx.reference import ReferenceEvaluator

    theirs = ReferenceEvaluator(model).run(None, {"x": x})[0]
    assert np.allclose(load_network(model)(x), theirs, rtol=1e-12)
    assert np.allclose(theirs, by_hand(x.astype(float) / 255), rtol=1e-12)


def test_numbers_that_lose_digits_on_their_way_to_the_first_layer():
    """A network rounds its inputs once, to its own precision; casts that round them otherwise are refused."""
    types = onnx.TensorProto
    chain = graph().then("Cast", to=types.FLOAT).then("Cast", to=types.DOUBLE).then("MatMul", FIRST.T)
    with pytest.raises(ValueError, match="Cast 'Cast1': it changes the type of numbers"):
        load_network(chain.model(("n", 3)))
    for to in (types.FLOAT16, types.BFLOAT16):  # beside weights of 64 bits
        with pytest.raises(ValueError, match="Cast 'Cast0': it changes the type of numbers"):
            load_network(graph().then("Cast", to=to).then("Gemm", FIRST.T).model(("n", 3)))
    text = graph().then("Cast", to=types.DOUBLE).then("MatMul", FIRST.T).model(("n", 3))
    text.graph.input[0].type.tensor_type.elem_type = types.STRING
    with pytest.raises(ValueError, match="Cast 'Cast0': it changes the type of numbers"):
        load_network(text)


def test_models_of_half_precision_that_keep_the_types_of_inputs_and_outputs():
    """Converters write a Cast at either end."""
    types = onnx.TensorProto
    chain = Graph(onnx, 3, np.float16).then("Cast", to=types.FLOAT16).then("MatMul", FIRST.T).then("Add", BIAS)
    model = chain.then("Relu").then("MatMul", SECOND.T).then("Cast", to=types.FLOAT).model(("n", 3))
    model.graph.input[0].type.tensor_type.elem_type = types.FLOAT
    net = load_network(model)
    assert net.dtype == np.float32
    assert np.array_equal(net.weights[0], FIRST.astype(np.float16))
    assert np.allclose(net(X), by_hand(X), rtol=0.02, atol=0.02)


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        (b"Tanh", b"Tan\xff", r"2 operators \(Relu, b'Tan\\xff'\)"),
        (b"more", b"mor\xff", r"2 outputs \(x, end, b'mor\\xff'\)"),
    ],
)
def test_names_that_are_no_text(old, new, match):
    """They come as bytes, and messages show them."""
    chain = graph().then("MatMul", FIRST.T).then("Relu")
    chain.nodes += [helper.make_node("Tanh", ["v0"], ["t"]), helper.make_node("Add", ["t", "v1"], ["end"])]
    chain.now = "end"
    model = chain.model()
    if old == b"more":
        model.graph.output.append(helper.make_tensor_value_info("more", 1, None))
    with pytest.raises(ValueError, match=match):
        load_network(onnx.ModelProto.FromString(model.SerializeToString().replace(old, new)))


def test_operators_of_which_nobody_uses_the_result():
    """They do not make the graph branch."""
    chain = graph().then("MatMul", FIRST.T).then("Add", BIAS).then("Relu").then("MatMul", SECOND.T)
    chain.nodes[2:2] = [helper.make_node(kind, ["v1"], [kind]) for kind in ("Shape", "Sign")]
    chain.nodes.append(helper.make_node("Tanh", ["v3"], ["more"]))
    model = chain.model(("n", 3))
    assert np.allclose(load_network(model)(X), by_hand(X), rtol=1e-12)


@pytest.mark.parametrize("options", [{"axis": 0}, {"axis": -1}], ids=str)
def test_one_sample_that_becomes_a_row(options):
    model = (
        graph().then("Flatten", **options).then("Gemm", FIRST.T, BIAS).then("Relu").then("Gemm", SECOND.T).model((3,))
    )
    from onnx.reference import ReferenceEvaluator

    theirs = [ReferenceEvaluator(model).run(None, {"x": row})[0][0] for row in X]
    assert np.allclose(load_network(model)(X), theirs, rtol=1e-12)


@pytest.mark.parametrize(("axis", "good"), [(0, True), (-1, True), (1, False)])
def test_softmax_of_one_sample(axis, good):
    """It has one axis, of number 0."""
    model = graph().then("MatMul", FIRST.T).then("Softmax", axis=axis).model((3,))
    if good:
        assert np.allclose(load_network(model)(X), X @ FIRST.T, rtol=1e-12)
    else:
        with pytest.raises(ValueError, match="supported over classes, axis -1"):
            load_network(model)


@pytest.mark.parametrize(
    ("kind", "constants", "options", "match"),
    [
        ("Cast", (), {"to": onnx.TensorProto.FLOAT}, "changes the type of numbers, and one type is needed. Likely fix"),
        ("Reshape", ([-1, 1],), {}, "as the first step only"),  # four rows of every sample
        ("Reshape", ([-1, 2, 2],), {}, "as the first step only.*export the layers after it alone"),
        ("Flatten", (), {"axis": 0}, "as the first step only"),
        ("Concat", (np.ones((1, 4)),), {"axis": 0}, r"not supported.*cut it out, from or up to the value 'v0', with"),
        ("Slice", ([0], [2], [1]), {}, r"not supported.*cut it out, from or up to the value 'v0', with"),
        ("Unsqueeze", ([1],), {}, "not supported.*Likely fix: samples are rows all along"),
        ("Elu", (), {}, r"not supported.*Likely fix: take its arrays.*Network\(weights, biases, activations\)"),
    ],
)
def test_what_changes_something_is_refused_with_a_fix(kind, constants, options, match):
    chain = graph().then("MatMul", FIRST.T).then(kind, *map(np.array, constants), **options)
    with pytest.raises(ValueError, match=match) as caught:
        load_network(chain.model(("n", 3)))
    assert "number of samples is computed" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "constants", "match"),
    [
        ("Neg", (), "not supported.*Likely fix: take its arrays.* an Activation of your own"),
        ("LayerNormalization", (FIRST[:, 0],), "not supported.*Likely fix: only a chain of whole layers is read: cut"),
        ("Relu", (), "this one follows another activation: build statnn.Network.* one Activation of your own"),
        ("Gemm", (SECOND.T, np.ones((1, 1, 2))), r"biases have shape \(1, 1, 2\), 2 numbers are needed"),  # no matrix
    ],
)
def test_operators_without_advice_of_their_own(kind, constants, match):
    with pytest.raises(ValueError, match=match):
        load_network(graph().then("MatMul", FIRST.T).then(kind, *constants).then("Relu").model())


def test_functions_of_inputs_and_squares():
    with pytest.raises(ValueError, match="follows the input: apply it to the inputs themselves, and leave it out here"):
        load_network(graph().then("Tanh").then("MatMul", FIRST.T).model())
    chain = graph().then("MatMul", FIRST.T)
    chain.nodes.append(helper.make_node("Mul", ["v0", "v0"], ["y"]))
    chain.now = "y"
    with pytest.raises(ValueError, match=r"on the other\. Likely fix: if these make one function of every unit, take"):
        load_network(chain.model())


@pytest.mark.parametrize(
    ("kind", "fix"),
    [
        ("FusedGemm", r"load the file as it was before onnxruntime optimised it, or .* ORT_ENABLE_BASIC alone$"),
        ("Gelu", "load the file as it was before onnxruntime"),
        ("MatMulNBits", "export the model before it is quantised"),
    ],
)
def test_operators_of_onnxruntime(kind, fix):
    """No part of the model is without them, so the advice is not to cut one out."""
    chain = graph().then("MatMul", FIRST.T).then(kind, domain="com.microsoft")
    with pytest.raises(ValueError, match=rf"^{kind} .*operators of the domain 'com\.microsoft'.*Likely fix: {fix}"):
        load_network(chain.model())


@pytest.mark.parametrize(
    ("kinds", "fix"),
    [
        (("Softplus", "Tanh"), r"if these make one function of every unit, take.*; if not, .*'v0'"),
        (("Abs", "Tanh"), "take"),
    ],
)
def test_operators_that_are_one_function_together(kinds, fix):
    """Mish, for one, is made of several operators."""
    chain = graph().then("MatMul", FIRST.T).then(kinds[0]).then(kinds[1])
    chain.nodes.append(helper.make_node("Mul", ["v0", "v2"], ["y"]))
    chain.now = "y"
    with pytest.raises(ValueError, match=rf"2 operators \({kinds[0]}, Mul\).*Likely fix: {fix}"):
        load_network(chain.model())


@pytest.mark.parametrize("kind", ["Neg", "Expand"])
def test_weights_that_the_graph_computes(kind):
    """Whoever wrote them, onnxruntime computes them once and for all."""
    chain = graph().then("MatMul", FIRST.T)
    chain.nodes.insert(0, helper.make_node(kind, [chain.constant(FIRST.T)], ["w"]))
    chain.nodes[1].input[1] = "w"
    with pytest.raises(
        ValueError, match=rf"by {kind}, .*Likely fix: have it computed, .*onnxruntime\.InferenceSession\(f"
    ):
        load_network(chain.model())


def test_scalings_after_an_activation_that_do_not_fit_each_other():
    """The message is in the words of the network, not in those of numpy."""
    chain = graph().then("MatMul", FIRST.T).then("Relu").then("Mul", np.ones(4))
    with pytest.raises(ValueError, match="Add 'Add3': has 2 entries for 4 units"):
        load_network(chain.then("Add", np.ones(2)).model())


def test_the_fix_for_parts_works(tmp_path):
    """A policy of which one half of the outputs is left."""
    chain = graph().then("MatMul", FIRST.T).then("Add", BIAS).then("Relu").then("MatMul", SECOND.T)
    chain.nodes.append(helper.make_node("Split", ["v3"], ["a", "b"], axis=1, num_outputs=2))
    chain.now = "a"
    onnx.save(chain.model(("n", 3), version=18), tmp_path / "whole.onnx")
    with pytest.raises(ValueError, match=r"from or up to the value 'v3', with onnx\.utils\.extract_model"):
        load_network(tmp_path / "whole.onnx")
    onnx.utils.extract_model(tmp_path / "whole.onnx", tmp_path / "part.onnx", ["x"], ["v3"], check_model=False)
    assert np.allclose(load_network(tmp_path / "part.onnx")(X), by_hand(X), rtol=1e-12)


def test_the_fix_for_functions_works():
    model = graph().then("MatMul", FIRST.T).then("Elu").then("MatMul", SECOND.T).model(("n", 3))
    arrays = [onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer]
    elu = Activation("elu", lambda h: np.where(h > 0, h, np.expm1(np.minimum(h, 0))), kinks=[0.0], derivative=None)
    net = Network([array.T for array in arrays], [np.zeros(4), np.zeros(2)], [elu, "identity"])
    fields = X @ FIRST.T
    assert np.allclose(net(X), np.where(fields > 0, fields, np.expm1(fields)) @ SECOND.T, rtol=1e-12)


def test_graphs_without_operators_of_onnx_itself_have_no_version():
    """The advice is not to convert their version, which the converter refuses."""
    tree = helper.make_node("TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml")
    ends = [helper.make_tensor_value_info(name, 1, None) for name in "xy"]
    model = helper.make_model(
        helper.make_graph([tree], "tree", ends[:1], ends[1:]), opset_imports=[helper.make_opsetid("ai.onnx.ml", 1)]
    )
    with pytest.raises(
        ValueError, match=r"TreeEnsembleRegressor: operators of the domain 'ai\.onnx\.ml'.*Tanh or Where$"
    ):
        load_network(model)


def test_functions_of_a_file_are_to_be_written_out():
    """Exporters make one of every module, in a domain of theirs."""
    inliner = pytest.importorskip("onnx.inliner")
    model = graph().then("MatMul", FIRST.T).then("Add", BIAS).then("Act", domain="own").then("MatMul", SECOND.T).model()
    model.opset_import.append(helper.make_opsetid("own", 1))
    nodes = [helper.make_node("Relu", ["x"], ["y"])]
    model.functions.append(helper.make_function("own", "Act", ["x"], ["y"], nodes, [helper.make_opsetid("", 17)]))
    with pytest.raises(ValueError, match=r"calls 'Act', a function of its file: .*inliner\.inline_local_functions"):
        load_network(model)
    assert np.allclose(load_network(inliner.inline_local_functions(model))(X), by_hand(X), rtol=1e-12)


def test_arrays_in_a_second_file_are_to_be_made_one(tmp_path):
    """Torch writes two files; the second is not opened here, but by the package onnx, which checks its place."""
    model = graph().then("MatMul", FIRST.T).then("Add", BIAS).then("Relu").then("MatMul", SECOND.T).model()
    kept = {"save_as_external_data": True, "location": "net.onnx.data", "size_threshold": 0}
    onnx.save(model, tmp_path / "net.onnx", **kept)
    fix = r"onnx\.save\(onnx\.load\(file\), new_file\), or .*external_data=False\)"
    with pytest.raises(ValueError, match=rf"lies in another file, which is not opened; make one file of both, {fix}"):
        load_network(tmp_path / "net.onnx")
    onnx.save(onnx.load(tmp_path / "net.onnx"), tmp_path / "one.onnx")
    assert np.allclose(load_network(tmp_path / "one.onnx")(X), by_hand(X), rtol=1e-12)


@pytest.mark.parametrize(
    "shape", [("n", 1, 2, 2), ("n", 2, 1, 2), ("n", 2, 2), ("n", 4, 1, 1), ("n", 1, 4), ("n", 4)], ids=str
)
def test_inputs_that_are_normalised_before_they_are_flattened(shape):
    scale, shift, mean, variance = RNG.uniform(0.5, 2.0, (4, shape[1]))
    weight, x = RNG.normal(size=(4, 3)), RNG.normal(size=(5, *shape[1:]))
    chain = Graph(onnx, 4, np.float64).then("BatchNormalization", scale, shift, mean, variance, epsilon=0.5)
    net = load_network(chain.then("Flatten").then("MatMul", weight).model(shape))
    per_channel = (slice(None), *[None] * (len(shape) - 2))  # of axis 1
    normal = (x - mean[per_channel]) / np.sqrt(variance[per_channel] + 0.5)
    expected = (scale[per_channel] * normal + shift[per_channel]).reshape(5, -1) @ weight
    assert np.allclose(net(x.reshape(5, -1)), expected, rtol=1e-6)  # epsilon is a float32
    if len(shape) > 2:
        with pytest.raises(ValueError, match="acts on inputs whose size is left open"):
            load_network(chain.model((*shape[:-1], "width")))


@pytest.mark.parametrize(("mean", "dtype"), [(1000.0, np.float32), (1e6, np.float64)], ids=str)
@pytest.mark.parametrize("kind", ["Sub", "BatchNormalization"])
def test_means_of_inputs_that_are_much_larger_than_their_spread(kind, mean, dtype):
    """x - mean is exact, and W x - W mean in float32 is not: times of day in seconds, beside a mean of a million."""
    x = (mean + np.arange(15.0).reshape(5, 3) / 4).astype(np.float32)
    chain = Graph(onnx, 3)
    if kind == "Sub":
        chain = chain.then("Sub", np.full(3, mean)).then("Div", np.full(3, 2.0))
    else:
        chain = chain.then(kind, *np.ones(3)[None], np.zeros(3), np.full(3, mean), np.full(3, 4.0), epsilon=0.0)
    model = chain.then("MatMul", FIRST.T).then("Tanh").model(("n", 3))
    loaded = load(model)
    assert loaded.net.dtype == dtype
    assert any("folded in float64" in note for note in loaded.notes) == (dtype == np.float64)
    expected = np.tanh((x.astype(float) - mean) / 2 @ FIRST.T.astype(np.float32))
    assert np.abs(loaded.net(x) - expected).max() < (2e-4 if dtype == np.float32 else 1e-9)


def test_one_large_mean_is_enough_to_fold_in_more_digits():
    x = np.arange(15.0).reshape(5, 3) / 4 + [0.0, 1e6, 0.0]
    model = Graph(onnx, 3).then("Sub", np.array([0.0, 1e6, 0.0])).then("MatMul", FIRST.T).model(("n", 3))
    net = load_network(model)
    assert net.dtype == np.float64
    assert np.allclose(net(x), np.arange(15.0).reshape(5, 3) / 4 @ FIRST.T.astype(np.float32), rtol=0, atol=1e-9)
