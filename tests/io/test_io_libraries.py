"""Networks of torch, scikit-learn and ONNX: what statnn computes is what they compute."""

import numpy as np
import pytest
from damage import CLEAR, mutations
from hypothesis import given
from hypothesis import strategies as st
from onnx_graph import Graph
from strategies import examples

from statnn.io import load_network
from statnn.io._load import load
from statnn.network import Activation, BatchNorm, Network

# -- torch -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def torch():
    library = pytest.importorskip("torch")
    library.set_num_threads(1)
    library.manual_seed(3)
    return library


def trained_statistics(torch, module):
    """Give every normalisation statistics and parameters that are not those it starts with."""
    for norm in module.modules():
        if isinstance(norm, torch.nn.BatchNorm1d):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.2, 3.0)
            if norm.affine:
                torch.nn.init.normal_(norm.weight)
                torch.nn.init.normal_(norm.bias)
    return module.eval()


def same_outputs(torch, module, x, *, up_to=1e-5):
    net = load_network(module)
    with torch.no_grad():
        theirs = module(torch.as_tensor(x)).numpy()
    ours = net(x.reshape(len(x), -1))
    assert ours.dtype == theirs.dtype
    assert np.allclose(ours, theirs, rtol=up_to, atol=up_to * (1 + np.abs(theirs).max()))
    return net


def test_torch_chains(torch):
    nn = torch.nn
    x = np.random.default_rng(0).normal(size=(20, 2, 3)).astype(np.float32)
    inner = nn.Sequential(nn.Linear(5, 4, bias=False), nn.LeakyReLU(0.2), nn.Dropout(0.9), nn.Identity())
    module = nn.Sequential(nn.Flatten(), nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Tanh(), inner, nn.Linear(4, 3))
    net = same_outputs(torch, trained_statistics(torch, module), x)
    assert net.widths == (6, 5, 4, 3)
    assert [sigma.name for sigma in net.activations] == ["tanh", "leaky relu", "identity"]
    assert net.activations[1].slope == 0.2
    norm, theirs = net.normalisations[0], module[2]
    expected = BatchNorm(theirs.running_mean, theirs.running_var, theirs.weight.detach(), theirs.bias.detach(), 1e-5)
    assert norm == expected
    assert net.normalisations[1:] == (None, None)
    assert np.array_equal(net.raw_weights[0], module[1].weight.detach().numpy())
    assert load(module).notes == ()


@pytest.mark.parametrize("double", [False, True], ids=["float32", "float64"])
def test_normalisation_anywhere_in_a_torch_chain(torch, double):
    nn = torch.nn
    x = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float64 if double else np.float32)
    module = nn.Sequential(
        nn.BatchNorm1d(4), nn.Linear(4, 5), nn.ReLU(), nn.BatchNorm1d(5, affine=False), nn.Linear(5, 3),
        nn.BatchNorm1d(3), nn.BatchNorm1d(3), nn.Sigmoid(), nn.BatchNorm1d(3),
    )  # fmt: skip
    trained_statistics(torch, module.double() if double else module)
    net = same_outputs(torch, module, x, up_to=1e-13 if double else 1e-5)
    assert net.widths == (4, 5, 3, 3)
    assert [norm is not None for norm in net.normalisations] == [False, True, False]
    notes = load(module).notes
    assert sum("without its statistics" in note for note in notes) == 3
    assert sum("folded into the normalisation before it" in note for note in notes) == 1
    assert sum("a further layer with diagonal weights" in note for note in notes) == 1


def test_a_last_softmax_and_training_mode_are_told(torch):
    nn = torch.nn
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 2), nn.LogSoftmax(dim=1)).train()
    loaded = load(module)
    assert any("read as after .eval()" in note for note in loaded.notes)
    assert any("before the log-softmax" in note for note in loaded.notes)
    x = np.random.default_rng(0).normal(size=(9, 3)).astype(np.float32)
    with torch.no_grad():
        theirs = module.eval()(torch.as_tensor(x)).numpy()
    ours = loaded.net(x)
    assert np.allclose(ours - np.logaddexp(*ours.T)[:, None], theirs, atol=1e-6)


def test_tied_layers_and_state_dicts_of_torch(torch):
    nn = torch.nn
    layer = nn.Linear(4, 4)
    net = load_network(nn.Sequential(layer, nn.Tanh(), layer, nn.Tanh()))
    assert net.weights[0] is net.weights[1]
    assert net.biases[0] is net.biases[1]
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 2))
    trained_statistics(torch, module)
    assert load_network(module.state_dict(), activation=["tanh", "identity"]) == load_network(module)
    half = nn.Sequential(nn.Linear(3, 4)).to(torch.bfloat16)
    assert load_network(half).dtype == np.float32
    assert np.array_equal(load_network(half).weights[0], half[0].weight.detach().float().numpy())


def test_torch_modules_that_are_refused(torch):
    nn = torch.nn

    class Mine(nn.Module):
        def forward(self, x):
            return 2 * x

    class Loud(nn.Linear):
        def forward(self, x):
            return 2 * super().forward(x)

    normed = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    cases = [
        (Mine(), r"the module \(Mine\): its class is not one of torch's own"),
        (nn.Sequential(Loud(2, 2)), r"module '0' \(Loud\): its class is not one of torch's own"),
        (nn.Sequential(normed), "its class is not one of torch's own"),
        (nn.Sequential(nn.Conv1d(1, 1, 1)), "torch module Conv1d is not supported; supported are Sequential, Linear"),
        (nn.Sequential(nn.Linear(2, 2), nn.Mish()), "torch module Mish is not supported"),
        (nn.Sequential(nn.Linear(2, 2), nn.Softmax(dim=1), nn.Linear(2, 2)), "as the last step only"),
        (nn.Sequential(nn.Linear(2, 2), nn.Softmax(dim=0)), "supported over classes"),
        (nn.Sequential(nn.Linear(2, 2), nn.Flatten()), "as the first step"),
        (nn.Sequential(nn.Linear(2, 3), nn.Linear(2, 2)), "takes 2 inputs, but the layer before has 3 outputs"),
        (nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.ReLU()), "this one follows another activation"),
        (nn.Sequential(nn.Tanh(), nn.Linear(2, 2)), "this one follows the input"),
        (nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.BatchNorm1d(2), nn.Tanh()), "does not follow a dense layer"),
        (nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2, track_running_stats=False)), "keeps no running statistics"),
        (nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(3)), "has 3 entries for 2 units"),
        (nn.Sequential(), "there is no dense layer"),
        (nn.Sequential(nn.BatchNorm1d(2)), "there is no dense layer"),
    ]
    for module, match in cases:
        with pytest.raises(ValueError, match=match):
            load_network(module)


# -- torch: activations of others ------------------------------------------------------------------------


def sine(frequency):
    return Activation(f"sine {frequency}", lambda h: np.sin(frequency * h), lambda h: frequency * np.cos(frequency * h))


@pytest.fixture
def waves(torch):
    """A class of activations, each with a parameter of its own."""

    class Sine(torch.nn.Module):
        def __init__(self, frequency):
            super().__init__()
            self.frequency = torch.nn.Parameter(torch.tensor(frequency))

        def forward(self, x):
            return torch.sin(self.frequency * x)

    return Sine


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_torch_modules_with_activations_that_the_caller_names(torch, waves, dtype):
    nn = torch.nn
    inner = nn.Sequential(nn.Linear(5, 5), waves(2.0), nn.Linear(5, 2), nn.Softsign())
    module = nn.Sequential(nn.Linear(3, 5), waves(30.0), inner).to(getattr(torch, dtype))
    softsign = Activation("softsign", lambda h: h / (1 + np.abs(h)), lambda h: (1 + np.abs(h)) ** -2.0)
    named = {"Sine": sine(30.0), "2.1": sine(2.0), "Softsign": softsign}
    net = load_network(module, activations=named)
    assert [sigma.name for sigma in net.activations] == ["sine 30.0", "sine 2.0", "softsign"]
    x = np.random.default_rng(0).normal(size=(9, 3))
    theirs = module(torch.as_tensor(x).to(getattr(torch, dtype))).detach().double().numpy()
    error = {"float32": 1e-5, "float64": 1e-12, "bfloat16": 0.3}[dtype]
    assert np.allclose(net(x.astype(net.dtype)), theirs, atol=error)


def test_activations_that_modules_do_not_compute_are_refused(torch, waves):
    nn = torch.nn
    module = nn.Sequential(nn.Linear(3, 4), waves(2.0), nn.Linear(4, 4), waves(3.0))
    for named, match in (
        ({"Sine": sine(2.0)}, r"module '3' \(Sine\): computes something else than `activations` says"),
        ({"Sine": sine(2.0), "3": sine(3.0001)}, r"module '3' \(Sine\): computes something else"),
        ({"Sine": sine(2.0), "3": sine(3.0), "5": sine(1.0)}, r"activations has '5', .* are module '0' \(Linear\)"),
        ({"Sine": sine(2.0), "1": sine(2.0), "3": sine(3.0)}, "activations has 'Sine', .* of one without its own path"),
        ({"3": sine(3.0)}, r"module '1' \(Sine\): its class is .*of an activation, say which: activations="),
        ({"Sine": sine(2.0), "3": sine(3.0), "0": sine(1.0)}, "this one follows the input"),
    ):
        with pytest.raises(ValueError, match=match):
            load_network(module, activations=named)


# -- scikit-learn ----------------------------------------------------------------------------------------


def fitted(kind, **options):
    neural = pytest.importorskip("sklearn.neural_network")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 4))
    y = rng.integers(0, options.pop("classes", 3), 60) if kind == "MLPClassifier" else rng.normal(size=(60, 2))
    model = getattr(neural, kind)(hidden_layer_sizes=(6, 5), solver="lbfgs", max_iter=15, random_state=0, **options)
    return model, x, y


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_perceptrons_of_scikit_learn(activation):
    model, x, y = fitted("MLPRegressor", activation=activation)
    net = load_network(model.fit(x, y))
    assert net.widths == (4, 6, 5, 2)
    assert np.allclose(net(x), model.predict(x), atol=1e-12)
    model, x, y = fitted("MLPClassifier", activation=activation)
    loaded = load(model.fit(x, y))
    odds = np.exp(loaded.net(x))
    assert np.allclose(odds / odds.sum(axis=1, keepdims=True), model.predict_proba(x), atol=1e-12)
    assert loaded.notes == (
        "outputs are those before the softmax: classes are in the same order, probabilities are not computed",
    )
    model, x, y = fitted("MLPClassifier", activation=activation, classes=2)
    loaded = load(model.fit(x, y + 5))
    assert np.allclose(loaded.net(x)[:, 0], model.predict_proba(x)[:, 1], atol=1e-12)
    assert loaded.net.activations[-1].name == "sigmoid"
    assert loaded.notes == ("outputs stand for the labels 5, 6, in this order",)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_pipelines_of_scikit_learn():
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    from sklearn.pipeline import make_pipeline

    model, x, y = fitted("MLPRegressor")
    x = 3 * x + 1
    scalers = [
        preprocessing.StandardScaler(),
        preprocessing.MinMaxScaler((-1, 2)),
        preprocessing.StandardScaler(with_mean=False),
        preprocessing.StandardScaler(with_std=False),
        "passthrough",
    ]
    pipeline = make_pipeline(*scalers, model).fit(x, y)
    assert np.allclose(load_network(pipeline)(x), pipeline.predict(x), atol=1e-9)
    with pytest.raises(
        ValueError, match="MinMaxScaler is not supported; StandardScaler and MinMaxScaler without clip are"
    ):
        load_network(make_pipeline(preprocessing.MinMaxScaler(clip=True), model).fit(x, y))
    with pytest.raises(ValueError, match="the MLPRegressor is not fitted: call fit first"):
        load_network(fitted("MLPRegressor")[0])
    with pytest.raises(ValueError, match="is a StandardScaler, an MLPClassifier is needed there"):
        load_network(make_pipeline(preprocessing.StandardScaler()))
    for name, own, said in (
        ("activation", "sine", "activation 'sine' of the MLPRegressor is not supported; supported are identity"),
        (
            "out_activation_",
            "exp",
            "output activation 'exp' of the MLPRegressor is not supported; supported are softmax",
        ),
    ):
        model, x, y = fitted("MLPRegressor")
        setattr(model.fit(x, y), name, own)
        with pytest.raises(ValueError, match=said):
            load_network(model)


# -- ONNX ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def onnx():
    return pytest.importorskip("onnx")


def example(onnx, dtype=np.float32):
    """Return a graph with every operator that is read, once at least."""
    rng = np.random.default_rng(7)
    graph = Graph(onnx, 6, dtype).then("Flatten").then("Sub", rng.normal(size=6)).then("Div", np.full(1, 2.0))
    graph.then("Gemm", rng.normal(size=(5, 6)), rng.normal(size=(1, 5)), alpha=0.5, beta=2.0, transB=1)
    graph.then("BatchNormalization", *rng.uniform(0.5, 2.0, size=(4, 5)), epsilon=0.25).then("Relu").then("Dropout")
    graph.then("MatMul", rng.normal(size=(5, 5))).then("Add", rng.normal(size=5)).then("LeakyRelu", alpha=0.1)
    graph.then("Gemm", rng.normal(size=(5, 4))).then("Tanh")
    graph.then("BatchNormalization", *rng.uniform(0.5, 2.0, size=(4, 4)))
    graph.then("MatMul", rng.normal(size=(4, 4))).then("Mul", rng.normal(size=4)).then("Sigmoid").then("Identity")
    graph.then("Gemm", rng.normal(size=(4, 4)), rng.normal(size=4)).then("Sub", before=[rng.normal(size=(1, 4))])
    return graph.then("Gemm", rng.normal(size=(4, 3)), np.ones(1))


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
def test_onnx_chains(onnx, dtype, tmp_path):
    graph = example(onnx, dtype)
    x = np.random.default_rng(0).normal(size=(9, 6))
    net = load_network(graph.model())
    up_to = 1e-5 if dtype == np.float32 else 1e-13
    assert net.dtype == dtype
    assert np.allclose(net(x), graph.run(x), rtol=up_to, atol=up_to)
    assert net.normalisations[0].epsilon == 0.25
    assert net.activations[1].slope == np.float32(0.1)
    assert [norm is None for norm in net.normalisations] == [False, True, True, True, True, True]
    onnx.save(graph.model(), tmp_path / "net.onnx")
    assert load_network(tmp_path / "net.onnx") == net
    assert any("folded into the next layer" in note for note in load(graph.model()).notes)


def test_erf_and_softmax_of_onnx(onnx):
    graph = Graph(onnx, 2).then("Reshape", np.array([-1, 2])).then("MatMul", np.ones((2, 2))).then("Erf")
    loaded = load(graph.then("MatMul", np.eye(2)).then("Softmax", axis=-1).model())
    assert [sigma.name for sigma in loaded.net.activations] == ["erf", "identity"]
    assert loaded.notes == (
        "outputs are those before the softmax: classes are in the same order, probabilities are not computed",
    )


def test_constants_of_onnx_wherever_they_stand(onnx):
    helper = onnx.helper
    graph = Graph(onnx, 2)
    values = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], np.float32)
    constant = helper.make_node("Constant", [], ["w"], value=onnx.numpy_helper.from_array(values))
    turned = helper.make_node("Transpose", ["w"], ["t"])
    typed = helper.make_tensor("b", onnx.TensorProto.FLOAT, [3], [1.0, 2.0, 3.0])  # not as raw bytes
    graph.nodes += [constant, turned, helper.make_node("Gemm", ["x", "t", "b"], ["y"])]
    graph.constants.append(typed)
    graph.now = "y"
    net = load_network(graph.model())
    assert np.array_equal(net.weights[0], values)
    assert np.array_equal(net.biases[0], [1.0, 2.0, 3.0])


def test_onnx_graphs_that_are_refused(onnx):
    helper, matrix = onnx.helper, np.eye(2)

    def chain():
        return Graph(onnx, 2)

    branching = chain().then("MatMul", matrix)
    branching.nodes.append(helper.make_node("Add", ["v0", "x"], ["y"]))
    branching.now = "y"
    doubled = chain().then("MatMul", matrix)
    doubled.nodes.append(helper.make_node("Add", ["v0", "v0"], ["y"]))
    doubled.now = "y"
    outside = chain().then("MatMul", matrix).model()
    outside.graph.initializer[0].data_location = onnx.TensorProto.EXTERNAL
    negative = chain().then("MatMul", matrix).model()
    negative.graph.initializer[0].dims[0] = -2
    short = chain().then("MatMul", matrix).model()
    short.graph.initializer[0].dims[0] = 10**9
    complexes = chain().then("MatMul", matrix).model()
    complexes.graph.initializer[0].data_type = onnx.TensorProto.COMPLEX64
    circle = chain().then("MatMul", matrix).then("Relu").model()
    circle.graph.node[1].output[0] = "v0"
    missing = chain().then("MatMul", matrix).model()
    del missing.graph.initializer[:]
    foreign = chain().then("MatMul", matrix).model()
    foreign.graph.node[0].domain = "com.example"
    cases = [
        (
            chain().then("MatMul", matrix).then("Elu").model(),
            "Elu 'Elu1': this operator is not supported; supported are Gemm",
        ),
        (chain().then("Conv", np.ones((1, 1, 1))).model(), "Conv 'Conv0': this operator is not supported"),
        (branching.model(), r"value 'x' goes to 2 operators \(MatMul, Add\): the graph is not a chain"),
        (outside, "lies in another file, which is not opened"),
        (negative, r"the impossible shape \(-2, 2\)"),
        (short, r"has shape \(1000000000, 2\) but holds 4 numbers"),
        (complexes, "has the data type 14"),
        (circle, "in a circle|not a chain"),
        (missing, "the graph has 2 inputs|'c0' is missing"),
        (foreign, "operators of the domain 'com.example' are not supported"),
        (chain().then("Gemm", matrix, transA=1).model(), "the samples must be its first input"),
        (chain().then("MatMul", before=[matrix]).model(), "the samples must be its first input"),
        (chain().then("MatMul", np.ones(2)).model(), "a matrix is needed"),
        (chain().then("MatMul", matrix).then("Add", matrix).model(), "is not one number per unit"),
        (chain().then("MatMul", matrix).then("Div", before=[np.ones(2)]).model(), "only division by constants"),
        (chain().then("MatMul", matrix).then("LeakyRelu", alpha=np.inf).model(), "attribute 'alpha' is inf"),
        (doubled.model(), "has the samples on one side and constants on the other"),
        (chain().then("MatMul", matrix).then("Flatten").model(), "as the first step"),
        (chain().then("Flatten", axis=0).then("MatMul", matrix).model(), "makes one row of every sample"),
        (chain().then("MatMul", matrix).then("Softmax").then("Relu").model(), "as the last step only"),
        (chain().then("Gemm", matrix, np.ones(3)).model(), r"biases have shape \(3,\), 2 numbers are needed"),
        (chain().then("MatMul", matrix).then("BatchNormalization", *-np.ones((4, 2))).model(), "variance = -1"),
        (chain().then("MatMul", np.full((2, 2), np.inf)).model(), "has entries that are not finite numbers"),
        (chain().then("Gemm", matrix * 1e38, alpha=1e38).model(), "is not finite: every parameter"),
        (chain().then("MatMul", matrix * 1e38).then("Mul", np.ones(2) * 1e38).model(), "exceeds the range of float32"),
        (chain().model(), "there is no dense layer"),
    ]
    for model, match in cases:
        with pytest.raises(ValueError, match=match):
            load_network(model)


@given(st.data())
@examples(1)
def test_damaged_onnx_files(tmp_path_factory, data):
    onnx = pytest.importorskip("onnx")
    raw = data.draw(mutations(example(onnx).model().SerializeToString()))
    path = tmp_path_factory.getbasetemp() / "damaged.onnx"
    path.write_bytes(raw)
    try:
        net = load_network(path)
    except CLEAR:
        return
    assert isinstance(net, Network)


@pytest.mark.usefixtures("onnx")
def test_what_is_no_onnx_file(tmp_path):
    (tmp_path / "net.onnx").write_bytes(b"\xff" * 100)
    with pytest.raises(ValueError, match="is not an ONNX file, or it is cut off or damaged"):
        load_network(tmp_path / "net.onnx")
    with pytest.raises(TypeError, match="activation is for bare arrays"):
        load_network(tmp_path / "net.onnx", activation="tanh")
    (tmp_path / "net.onnx").write_bytes(b"")
    with pytest.raises(ValueError, match="the graph has 0 inputs and 0 outputs"):
        load_network(tmp_path / "net.onnx")


def test_a_network_is_cut_out_of_a_graph_of_two_outputs_as_the_message_says(onnx, tmp_path):
    whole, small = str(tmp_path / "two.onnx"), str(tmp_path / "one.onnx")
    graph = Graph(onnx, 2).then("MatMul", np.ones((2, 3))).then("Tanh").then("MatMul", np.ones((3, 2)))
    logits = graph.now
    model = graph.then("Softmax").model(["n", 2])
    del model.graph.output[:]
    for name in (graph.now, logits):
        model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", 2]))
    onnx.save(model, whole)
    with pytest.raises(ValueError, match=rf"2 outputs \(x, {graph.now}, {logits}\).*onnx\.utils\.extract_model\("):
        load_network(whole)
    onnx.utils.extract_model(whole, small, ["x"], [logits])
    assert load_network(small).widths == (2, 3, 2)


def test_what_skl2onnx_writes_is_refused_with_what_to_do(onnx):
    graph = Graph(onnx, 2).then("Scaler", domain="ai.onnx.ml").then("MatMul", np.ones((2, 3)))
    model = graph.model()
    model.producer_name = "skl2onnx"
    with pytest.raises(
        ValueError, match=r"not supported.*[^.]\. Likely fix: give the fitted .* itself, load_network\(mlp"
    ):
        load_network(model)
