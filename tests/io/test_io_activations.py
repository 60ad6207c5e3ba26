"""Activations in files and of other libraries: by name, as several operators, and functions of one's own."""

import json

import numpy as np
import pytest
from onnx_graph import Graph

from statnn.io import load_network, save_network
from statnn.io._load import load
from statnn.network import ACTIVATIONS, Activation, Network

SUFFIXES = [".npz", ".safetensors"]
FIELDS = np.concatenate([np.linspace(-12, 12, 97), [0.0, -30.0, 30.0]])[:, None]
CUBE = Activation("cube", lambda h: h**3)


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


@pytest.fixture(scope="module")
def onnx():
    return pytest.importorskip("onnx")


# -- torch -----------------------------------------------------------------------------------------------


def torch_modules(nn):
    return {
        "gelu": nn.GELU(), "gelu tanh": nn.GELU(approximate="tanh"), "silu": nn.SiLU(inplace=True),
        "softplus": nn.Softplus(), "tanh": nn.Tanh(), "relu": nn.ReLU(), "sigmoid": nn.Sigmoid(),
    }  # fmt: skip


@pytest.mark.parametrize("double", [False, True], ids=["float32", "float64"])
@pytest.mark.parametrize("name", ["gelu", "gelu tanh", "silu", "softplus", "tanh", "relu", "sigmoid"])
def test_activations_of_torch(torch, name, double):
    dtype, up_to = (torch.float64, 1e-14) if double else (torch.float32, 1e-6)
    module = torch.nn.Sequential(torch.nn.Linear(1, 1), torch_modules(torch.nn)[name]).to(dtype)
    with torch.no_grad():
        module[0].weight.fill_(1.0)
        module[0].bias.fill_(0.0)
        theirs = module(torch.as_tensor(FIELDS).to(dtype)).numpy()
    loaded = load(module)
    net = loaded.net
    assert net.activations == (ACTIVATIONS[name],)
    assert any("softplus" in note for note in loaded.notes) == (name == "softplus")
    limit = 2.1e-9 if name == "softplus" else 0.0  # torch leaves the tail out above 20
    assert np.abs(net(FIELDS) - theirs).max() < up_to * 12 + limit


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (
            lambda nn: nn.Softplus(beta=2.0),
            r"Softplus.*beta = 2\.0, threshold = 20\.?0? is not supported; .*beta = 1\.0",
        ),
        (
            lambda nn: nn.Softplus(threshold=5.0),
            r"threshold = 5\.0 is .* threshold = 20\.0; .*activations={'Softplus': ...}",
        ),
        (lambda nn: nn.ELU(), "torch module ELU is not supported"),
    ],
)
def test_other_activations_of_torch(torch, make, match):
    with pytest.raises(ValueError, match=match):
        load_network(torch.nn.Sequential(torch.nn.Linear(2, 2), make(torch.nn)))


# -- ONNX ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize(
    ("name", "kind", "attributes", "version"),
    [
        ("gelu", "Gelu", {}, 20), ("gelu", "Gelu", {"approximate": "none"}, 20),
        ("gelu tanh", "Gelu", {"approximate": "tanh"}, 20), ("softplus", "Softplus", {}, 17), ("sin", "Sin", {}, 17),
        ("silu", "Swish", {}, 24), ("erf", "Erf", {}, 17),
    ],
)  # fmt: skip
def test_activations_of_onnx(onnx, name, kind, attributes, version, dtype):
    from onnx.reference import ReferenceEvaluator

    model = Graph(onnx, 1, dtype).then("MatMul", np.eye(1)).then(kind, **attributes).model(version=version)
    net = load_network(model)
    assert net.activations == (ACTIVATIONS[name],)
    theirs = ReferenceEvaluator(model).run(None, {"x": FIELDS.astype(dtype)})[0]
    up_to = 2e-6 if dtype == np.float32 or name in {"gelu", "gelu tanh", "erf"} else 2e-14  # digits of onnx itself
    assert np.abs(net(FIELDS) - theirs).max() < up_to


def pattern(onnx, kind, dtype=np.float32, **changed):
    """Return a layer of two units and the operators that exporters write for an activation, with numbers changed."""
    graph = Graph(onnx, 2, dtype).then("MatMul", np.eye(2, dtype=np.float32))
    node, x = onnx.helper.make_node, graph.now
    numbers = {"root": np.sqrt(2), "one": 1.0, "half": 0.5, "bend": 0.044715, "steep": np.sqrt(2 / np.pi), "cube": 3.0}
    numbers |= {"threshold": 20.0, "minus": -1.0}
    c = {key: graph.constant(np.float32(value)) for key, value in (numbers | changed).items()}
    graph.nodes += {
        "silu": [node("Sigmoid", [x], ["s"]), node("Mul", ["s", x], ["y"])],
        "gelu": [
            node("Div", [x, c["root"]], ["d"]), node("Erf", ["d"], ["e"]), node("Add", ["e", c["one"]], ["a"]),
            node("Mul", [x, "a"], ["m"]), node("Mul", ["m", c["half"]], ["y"]),
        ],
        "gelu, by a difference": [
            node("Div", [x, c["root"]], ["d"]), node("Erf", ["d"], ["e"]), node("Sub", ["e", c["minus"]], ["a"]),
            node("Mul", [x, "a"], ["m"]), node("Mul", ["m", c["half"]], ["y"]),
        ],
        "gelu, of the other side": [
            node("Div", [x, c["root"]], ["d"]), node("Erf", ["d"], ["e"]), node("Sub", [c["one"], "e"], ["a"]),
            node("Mul", [x, "a"], ["m"]), node("Mul", ["m", c["half"]], ["y"]),
        ],
        "gelu, of two functions": [
            node("Div", [x, c["root"]], ["d"]), node("Erf", ["d"], ["e"]), node("Tanh", ["d"], ["t"]),
            node("Add", ["e", "t"], ["b"]), node("Mul", ["b", c["half"]], ["n"]), node("Add", ["n", c["one"]], ["a"]),
            node("Mul", [x, "a"], ["m"]), node("Mul", ["m", c["half"]], ["y"]),
        ],
        "gelu, half first": [
            node("Div", [x, c["root"]], ["d"]), node("Erf", ["d"], ["e"]), node("Add", ["e", c["one"]], ["a"]),
            node("Mul", [c["half"], "a"], ["m"]), node("Mul", [x, "m"], ["y"]),
        ],
        "gelu, half of x": [
            node("Mul", [x, c["half"]], ["m"]), node("Div", [x, c["root"]], ["d"]), node("Erf", ["d"], ["e"]),
            node("Mul", ["m", "e"], ["p"]), node("Add", ["p", "m"], ["y"]),
        ],
        "gelu tanh": [
            node("Mul", [x, x], ["q"]), node("Mul", [x, "q"], ["k"]), node("Mul", [c["bend"], "k"], ["b"]),
            node("Add", [x, "b"], ["i"]), node("Mul", [c["steep"], "i"], ["f"]), node("Tanh", ["f"], ["t"]),
            node("Add", [c["one"], "t"], ["a"]), node("Mul", [x, "a"], ["m"]), node("Mul", [c["half"], "m"], ["y"]),
        ],
        "gelu tanh, by a power": [
            node("Pow", [x, c["cube"]], ["k"]), node("Mul", [c["bend"], "k"], ["b"]), node("Add", [x, "b"], ["i"]),
            node("Mul", [c["steep"], "i"], ["f"]), node("Tanh", ["f"], ["t"]), node("Add", ["t", c["one"]], ["a"]),
            node("Mul", [c["half"], "a"], ["m"]), node("Mul", [x, "m"], ["y"]),
        ],
        "softplus": [
            node("Softplus", [x], ["s"]), node("Greater", [x, c["threshold"]], ["g"]),
            node("Where", ["g", x, "s"], ["y"]),
        ],
        "softplus, scaled": [
            node("Mul", [x, c["one"]], ["b"]), node("Softplus", ["b"], ["s"]), node("Div", ["s", c["one"]], ["d"]),
            node("Greater", ["b", c["threshold"]], ["g"]), node("Where", ["g", x, "d"], ["y"]),
        ],
        "softplus, sides exchanged": [
            node("Softplus", [x], ["s"]), node("Greater", [x, c["threshold"]], ["g"]),
            node("Where", ["g", "s", x], ["y"]),
        ],
        "softplus, half the line": [
            node("Softplus", [x], ["s"]), node("Greater", [x, c["threshold"]], ["g"]),
            node("Mul", [x, c["half"]], ["h"]), node("Where", ["g", "h", "s"], ["y"]),
        ],
        "softplus, half of x": [
            node("Softplus", [x], ["s"]), node("Mul", [x, c["half"]], ["h"]),
            node("Greater", ["h", c["threshold"]], ["g"]), node("Where", ["g", "h", "s"], ["y"]),
        ],
    }[kind]  # fmt: skip
    graph.now = "y"
    return graph


PATTERNS = [
    "silu", "gelu", "gelu, half first", "gelu, half of x", "gelu tanh", "gelu tanh, by a power", "softplus",
    "softplus, scaled", "gelu, by a difference",
]  # fmt: skip


@pytest.mark.parametrize("kind", PATTERNS)
def test_activations_that_exporters_write_as_several_operators(onnx, kind):
    graph = pattern(onnx, kind)
    graph.then("Gemm", np.array([[1.0], [-0.5]]), np.ones(1)).then("Relu")
    net = load_network(graph.model())
    assert [sigma.name for sigma in net.activations] == [kind.partition(",")[0], "relu"]
    x = np.linspace(-6, 30 if kind.startswith("softplus") else 6, 50).reshape(-1, 2)
    assert np.allclose(net(x), graph.run(x), rtol=1e-5, atol=1e-6)
    assert any("softplus" in note for note in load(graph.model()).notes) == kind.startswith("softplus")


@pytest.mark.parametrize("kind", PATTERNS)
def test_activations_whose_constants_have_16_bits(onnx, kind):
    """Constants are known to the rounding of their type: the root of 2 in GELU is 1.4141 in float16."""
    graph = pattern(onnx, kind, np.float16)
    net = load_network(graph.model())
    assert net.activations[0].name == kind.partition(",")[0]
    x = np.linspace(-6, 6, 50).reshape(-1, 2)
    assert np.allclose(net(x), graph.run(x), rtol=0.01, atol=0.01)


@pytest.mark.parametrize("changed", [{"root": 1.4}, {"half": 0.51}, {"one": 1.01}], ids=str)
def test_constants_of_16_bits_that_make_another_function(onnx, changed):
    with pytest.raises(ValueError, match="the graph is not a chain"):
        load_network(pattern(onnx, "gelu", np.float16, **changed).model())


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        ("gelu", {"root": 1.41}), ("gelu", {"one": 1.001}), ("gelu", {"half": 1.0}), ("gelu tanh", {"bend": 0.0447}),
        ("gelu tanh", {"steep": 0.8}), ("gelu tanh, by a power", {"cube": 2.0}), ("gelu, half of x", {"half": 0.25}),
        ("gelu", {"root": [[[np.sqrt(2)]]]}), ("gelu", {"one": [1.0, 1.0]}), ("softplus", {"threshold": 10.0}),
        ("softplus, scaled", {"one": 2.0}), ("softplus, sides exchanged", {}), ("softplus, half the line", {}),
        ("softplus, half of x", {}), ("gelu, of the other side", {}), ("gelu, of two functions", {}),
    ],
)  # fmt: skip
def test_what_looks_like_an_activation_and_is_another(onnx, kind, changed):
    with pytest.raises(ValueError, match="the graph is not a chain from input to output"):
        load_network(pattern(onnx, kind, **changed).model())


@pytest.mark.parametrize("inner", ["s", "x"])
def test_an_activation_whose_parts_are_used_elsewhere(onnx, inner):
    graph = pattern(onnx, "silu")
    graph.nodes.append(onnx.helper.make_node("Add", ["y", inner if inner == "s" else "v0"], ["z"]))
    graph.now = "z"
    with pytest.raises(ValueError, match="the graph is not a chain"):
        load_network(graph.model())


@pytest.mark.parametrize(
    ("kind", "attributes", "match"),
    [
        (
            "Gelu",
            {"approximate": "fast"},
            "approximate = 'fast' is not supported; supported is approximate = 'none' or .*'tanh'",
        ),
        ("Swish", {"alpha": 1.702}, r"alpha = 1\.70.* is not supported; supported is alpha = 1\.0"),
        ("Elu", {}, "this operator is not supported; supported are .*Gelu, Swish, Softplus, Sin"),
    ],
)
def test_other_activations_of_onnx(onnx, kind, attributes, match):
    graph = Graph(onnx, 1).then("MatMul", np.eye(1)).then(kind, **attributes)
    with pytest.raises(ValueError, match=match):
        load_network(graph.model(version=24))


@pytest.mark.parametrize("version", [14, 20])
@pytest.mark.filterwarnings("ignore")
def test_what_torch_exports(torch, onnx, version, tmp_path):
    assert onnx
    nn = torch.nn
    modules = torch_modules(nn)
    module = nn.Sequential(*(part for act in modules.values() for part in (nn.Linear(3, 3), act)))
    torch.onnx.export(module, (torch.zeros(1, 3),), tmp_path / "net.onnx", opset_version=version, dynamo=False)
    net = load_network(tmp_path / "net.onnx")
    assert [sigma.name for sigma in net.activations] == list(modules)
    x = np.random.default_rng(0).normal(size=(9, 3))
    assert np.allclose(net(x), load_network(module)(x), rtol=1e-5, atol=1e-6)


# -- files -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_is_stored(name, suffix, tmp_path):
    net = Network([np.eye(2)], activation=name)
    save_network(net, tmp_path / f"net{suffix}")
    assert load_network(tmp_path / f"net{suffix}") == net


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_functions_of_ones_own_are_stored_by_name(suffix, tmp_path):
    path = tmp_path / f"net{suffix}"
    mine = Activation("tanh", np.sinh, np.cosh)  # also under the name of another
    net = Network([np.eye(2)] * 4, activation=[CUBE, "tanh", mine, CUBE])
    save_network(net, path)
    loaded = load_network(path, activations={"cube": CUBE, "tanh": mine, "unused": mine})
    assert loaded == net
    assert loaded.activations[1] is ACTIVATIONS["tanh"]
    with pytest.raises(ValueError, match=r"'tanh' of layer 2 is a function of its author's own.*activations=\{'tanh'"):
        load_network(path, activations={"cube": CUBE})
    with pytest.raises(ValueError, match="'cube' of layer 0 is a function of its author's own"):
        load_network(path)
    with pytest.raises(TypeError, match="activation is for bare arrays"):
        load_network(path, activation="tanh", activations={"cube": CUBE})


def test_a_name_that_is_neither_known_nor_ones_own(tmp_path):
    path = tmp_path / "net.npz"
    save_network(Network([np.eye(2)], activation="tanh"), path)
    with np.load(path) as file:
        arrays = dict(file)
    for change, match in (
        ({"activation": "tanhh"}, "activation of layer 0 is 'tanhh'; choose from identity, tanh"),
        ({"activation": 3, "own": True}, "activation of layer 0 is 3"),
        ({"activation": "cube", "own": 1}, "activation of layer 0 is 'cube'"),
    ):
        document = json.loads(arrays["statnn"][()])
        document["layers"][0] |= change
        np.savez(path, **arrays | {"statnn": np.bytes_(json.dumps(document).encode())})
        with pytest.raises(ValueError, match=match):
            load_network(path, activations={"tanhh": CUBE, "cube": CUBE})


@pytest.mark.parametrize(
    ("activations", "match"),
    [
        ([CUBE], "activations is a list; pass a dict"),
        ({"cube": np.tanh}, r"activations\['cube'\] is a ufunc; pass an Activation"),
        ({3: CUBE}, r"activations\[3\]"),
    ],
)
def test_what_are_no_activations_by_name(activations, match, tmp_path):
    save_network(Network([np.eye(2)]), tmp_path / "net.npz")
    with pytest.raises(TypeError, match=match):
        load_network(tmp_path / "net.npz", activations=activations)


def test_functions_of_ones_own_are_for_files_alone(tmp_path):
    np.savez(tmp_path / "bare.npz", **{"0.weight": np.eye(2)})
    for source in (Network([np.eye(2)]), {"0.weight": np.eye(2)}, tmp_path / "bare.npz"):
        with pytest.raises(TypeError, match="activations is for files of save_network"):
            load_network(source, activation=None, activations={"cube": CUBE})
    assert load({"0.weight": np.eye(2)}, activation=CUBE).net.activations == (CUBE,)
