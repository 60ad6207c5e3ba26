"""The order in which layers act: a source that states it is read, and one that does not is refused."""

import itertools
import json
import re

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import examples

from statnn.io import _order, _safetensors, load_network, save_network
from statnn.network import Network

SQUARE = (3, 3)


def matrices(names, shapes=SQUARE):
    rng = np.random.default_rng(0)
    shapes = [shapes] * len(names) if isinstance(shapes, tuple) else shapes
    return {f"{name}.weight": rng.normal(size=shape) for name, shape in zip(names, shapes, strict=True)}


def written(path, arrays, metadata=()):
    with path.open("wb") as file:
        _safetensors.write(file, dict(sorted(arrays.items())), dict(metadata))
    return path


def order_of(net, arrays):
    return [next(name[: -len(".weight")] for name, w in arrays.items() if np.array_equal(w, v)) for v in net.weights]


NUMBERED = [
    ["layers.0", "layers.2", "layers.10"],
    ["l1", "l2", "l10"],
    ["0", "1", "11"],
    ["block1.fc", "block2.fc", "block10.fc"],
    ["layers.0.fc", "layers.1.linear", "layers.10.out"],  # what stands inside has a place already
    ["net.0.0", "net.0.2", "net.1.0", "net.10.0"],
    ["0", "1.0", "1.2", "2"],  # a Sequential in a Sequential
    ["fc01", "fc02", "fc10"],
    ["h1_to_h2", "h2_to_h3", "h10_to_h11"],
    ["stage1_block1", "stage1_block2", "stage2_block1"],
    ["fc1_128", "fc2_64", "fc10_3"],  # the second number is a size
]
NOT_NUMBERED = [
    ["encoder", "decoder"],
    ["input", "hidden", "output"],
    ["fc1", "fc2", "classifier"],
    ["net.0", "head.0"],
    ["features.0", "features.2", "classifier.0", "classifier.2"],
    ["encoder1", "encoder2", "decoder1", "decoder2"],
    ["net.0", "net.2", "out"],
    ["dense", "dense_1", "dense_2"],
    ["l1", "l01"],  # one number
    ["fc3_1", "fc3_01"],
    ["a64_1", "a32_2"],  # one number says this, the other that
    ["fc", "fc.lora"],  # a layer inside of a layer
    ["block1.a", "block1.b"],
    ["1.fc", "fc.1"],
    [".".join(["a"] * 200 + ["1"]), ".".join(["a"] * 200 + ["2"])],
]


@pytest.mark.parametrize("names", NUMBERED, ids=" ".join)
def test_numbers_order_layers_wherever_they_come_from(names, tmp_path):
    shapes = [SQUARE] * len(names)
    if names == ["fc1_128", "fc2_64", "fc10_3"]:
        shapes = [(128, 3), (64, 128), (3, 64)]
    arrays = matrices(names, shapes)
    turned = dict(reversed(arrays.items()))
    np.savez(tmp_path / "net.npz", **turned)
    written(tmp_path / "net.safetensors", arrays)
    for source in (arrays, turned, tmp_path / "net.npz", tmp_path / "net.safetensors"):
        assert order_of(load_network(source, activation="tanh"), arrays) == names


@pytest.mark.parametrize("names", NOT_NUMBERED, ids=" ".join)
def test_what_numbers_do_not_order_is_refused(names, tmp_path):
    arrays = matrices(names)
    path = written(tmp_path / "net.safetensors", arrays)
    sorted_ones = dict(sorted(arrays.items()))
    np.savez(tmp_path / "net.npz", **sorted_ones)
    for source in (path, tmp_path / "net.npz", sorted_ones):
        with pytest.raises(ValueError, match=r"in which order do .* act\?.*say it with layers=\[\.\.\.\]"):
            load_network(source, activation="tanh")
    for order in (names, names[::-1]):
        for source in (path, tmp_path / "net.npz", sorted_ones):
            assert order_of(load_network(source, activation="tanh", layers=order), arrays) == order


def test_numbers_that_are_sizes_are_no_order(tmp_path):
    """dense64 before dense128 by number: an autoencoder from its code to its code."""
    arrays = matrices(["dense64", "dense128"], [(64, 128), (128, 64)])
    for names, shapes in (
        (["dense64", "dense128"], [(64, 128), (128, 64)]),  # outputs
        (["fc128", "fc64"], [(64, 128), (128, 64)]),  # inputs
        (["fc64_128", "fc128_64"], [(128, 64), (64, 128)]),
    ):
        arrays = matrices(names, shapes)
        with pytest.raises(ValueError, match="in which order"):
            load_network(written(tmp_path / "net.safetensors", arrays), activation="tanh")


def test_the_order_given_is_taken_where_nobody_sorted_it(tmp_path):
    for names in (["first", "a"], ["features.0", "features.2", "classifier.0"], ["fc1", "fc10", "bottom"]):
        arrays = matrices(names)
        np.savez(tmp_path / "net.npz", **arrays)
        for source in (arrays, tmp_path / "net.npz"):
            assert order_of(load_network(source, activation="tanh"), arrays) == names
    for names in (
        ["a", "first"], ["A", "b"], ["a", "B"], ["fc2", "fc1", "bottom"], ["a.b", "a-b"], ["a-b", "a.b"], ["a-b", "a"],
        ["fc", "fc.adapter"], ["z.adapter", "z", "y"],
    ):  # fmt: skip
        with pytest.raises(ValueError, match="the order in which they stand need not be that in which they act"):
            load_network(matrices(names), activation="tanh")


@pytest.mark.parametrize(
    "names",
    [
        ["f", "e", "ema.f", "ema.e"],
        ["net.0", "net.2", "ema.module.net.0", "ema.module.net.2"],
        ["online.f", "online.e", "target.f", "target.e"],
        ["f.x", "e.x", "f.y", "e.y", "f.z", "e.z"],
        ["f", "e", "f_ema", "e_ema"],
    ],
)
def test_a_network_that_stands_there_twice_is_no_chain(names, tmp_path):
    """A copy of equal widths fits behind the network, in a chain of twice its layers."""
    np.savez(tmp_path / "net.npz", **matrices(names))
    with pytest.raises(ValueError, match=r"are repeated by .*: a copy"):
        load_network(tmp_path / "net.npz", activation="tanh")
    assert load_network(tmp_path / "net.npz", activation="tanh", layers=names).depth == len(names)
    with np.load(tmp_path / "net.npz") as file:
        alone = {f"{name}.weight": file[f"{name}.weight"] for name in names[:2]}
    assert load_network(alone, activation="tanh").depth == 2
    other = [(6, 5), (4, 6), (5, 4), (5, 5)]  # of other widths it is the next part of the chain
    assert load_network(matrices(["z.f", "z.e", "y.f", "y.e"], other), activation="tanh").depth == 4


@pytest.mark.parametrize(
    ("names", "shapes"),
    [
        (["0.lora_A", "0.lora_B"], [(2, 4), (5, 2)]),  # a chain by its widths, and a file of an adapter alone
        (["model.0.lora_down", "model.0.lora_up"], [(2, 4), (5, 2)]),
        (["0.base_layer", "0.lora_A.default", "0.lora_B.default"], [(3, 3)] * 3),
        (["0", "2", "2.lora_A"], [(3, 3)] * 3),
    ],
)
def test_adapters_are_no_layers(names, shapes, tmp_path):
    arrays = matrices(names, shapes)
    np.savez(tmp_path / "net.npz", **arrays)
    for source in (arrays, tmp_path / "net.npz", written(tmp_path / "net.safetensors", arrays)):
        for layers in (None, names):
            with pytest.raises(ValueError, match=r"are adapters \(LoRA\).*merge them first"):
                load_network(source, activation="tanh", layers=layers)
    with pytest.raises(ValueError, match="are adapters"):
        load_network({"0.weight": np.eye(3), "0.lora_A": np.eye(3)}, activation="tanh")


def test_shapes_confirm_the_order_given_or_refuse_it(tmp_path):
    names, shapes = ["input", "middle", "output"], [(5, 4), (5, 5), (2, 5)]
    arrays = matrices(names, shapes)
    assert order_of(load_network(arrays, activation="tanh"), arrays) == names
    with pytest.raises(ValueError, match="takes 5 inputs, but the layer before has 2 outputs; layers are taken"):
        load_network(dict(reversed(arrays.items())), activation="tanh")
    with pytest.raises(ValueError, match="the file keeps none: say it"):  # (in, out) would fit from end to start
        load_network(written(tmp_path / "net.safetensors", arrays), activation="tanh")
    with pytest.raises(ValueError, match=r"these arrays: c: takes 5 inputs"):  # matrices of shape (in, out)
        load_network(matrices(["b", "c"], [(7, 5), (2, 5)]), activation="tanh")


def test_six_names_are_listed_and_more_begun():
    names = [*"abcdef"]
    assert _order.listed(names) == "'a', 'b', 'c', 'd', 'e', 'f'"
    assert _order.listed([*names, "g"]) == "'a', 'b', 'c', 'd', 'e', 'f', ..."


@given(st.lists(st.integers(1, 4), min_size=2, max_size=7))
@examples(3)
def test_one_order_fits_exactly_where_that_is_said(widths):
    """Compare with all orders of up to six layers."""
    shapes = {f"n{m}": (out, into) for m, (into, out) in enumerate(itertools.pairwise(widths))}
    fitting = [
        order
        for order in itertools.permutations(shapes)
        if all(shapes[below][0] == shapes[above][1] for below, above in itertools.pairwise(order))
    ]
    assert tuple(shapes) in fitting
    assert _order._no_other(shapes) == (len(fitting) == 1)


def test_a_state_dict_is_in_the_order_in_which_layers_were_made(tmp_path):
    torch = pytest.importorskip("torch")

    class Odd(torch.nn.Module):
        """Its layers are made in another order than they act."""

        def __init__(self, code=3):
            super().__init__()
            self.out = torch.nn.Linear(code, 3)
            self.hidden = torch.nn.Linear(3, code)

        def forward(self, x):
            return self.out(torch.tanh(self.hidden(x)))

    module, x = Odd(), np.ones((2, 3), np.float32)
    with pytest.raises(ValueError, match="in which order do 'out', 'hidden' act"):
        load_network(module.state_dict(), activation=["tanh", "identity"])
    net = load_network(module.state_dict(), activation=["tanh", "identity"], layers=["hidden", "out"])
    assert np.allclose(net(x), module(torch.as_tensor(x)).detach().numpy(), atol=1e-6)
    fitting = {"in_.weight": torch.ones(5, 3), "out.weight": torch.ones(2, 5)}
    assert load_network(fitting, activation="tanh").widths == (3, 5, 2)
    library = pytest.importorskip("safetensors.torch")
    library.save_file(Odd(7).state_dict(), tmp_path / "net.safetensors")
    with pytest.raises(ValueError, match="in which order do"):
        load_network(library.load_file(tmp_path / "net.safetensors"), activation="tanh")


@pytest.mark.parametrize(
    ("layers", "error", "match"),
    [
        (["a"], ValueError, "layers leaves out 'b'; name every layer once, in the order in which they act"),
        (["a", "b", "a"], ValueError, "layers names 'a' more than once; name every layer once"),
        (["a", "c"], ValueError, "layers names 'c', but there are 'b', 'a' without .weight"),
        (["a.weight", "b.weight"], ValueError, "names 'a.weight', 'b.weight', but there are 'b', 'a'"),
        ([], ValueError, "layers leaves out 'b', 'a'"),
        ("ab", TypeError, "layers = 'ab' must be a list of names of layers, for example"),
        ([0, 1], TypeError, r"layers = \[0, 1\] must be a list of names"),
        ({"a", "b"}, TypeError, "must be a list of names"),
    ],
)
def test_orders_that_teach(layers, error, match):
    with pytest.raises(error, match=match):
        load_network(matrices(["b", "a"]), activation="tanh", layers=layers)


def test_an_order_that_shapes_refuse():
    arrays = matrices(["b", "a"], [(5, 3), (3, 5)])
    assert load_network(arrays, activation="tanh", layers=["a", "b"]).widths == (5, 3, 5)
    with pytest.raises(ValueError, match="a: takes 5 inputs, but the layer before has 2 outputs"):
        load_network(matrices(["b", "a"], [(2, 3), (3, 5)]), activation="tanh", layers=["b", "a"])
    numbered = matrices(["2", "1"])
    assert order_of(load_network(numbered, activation="tanh", layers=["2", "1"]), numbered) == ["2", "1"]


def test_sources_that_say_their_order(tmp_path):
    net = Network([[[1.0]], [[2.0]]])
    save_network(net, tmp_path / "net.npz")
    for source in (net, tmp_path / "net.npz", tmp_path / "net.onnx"):
        with pytest.raises(TypeError, match=r"layers is for bare arrays; .* says the order of its layers itself"):
            load_network(source, layers=["0", "1"])


def test_normalisations_follow_their_layers_in_any_order():
    norm = {"running_mean": np.zeros(3), "running_var": np.full(3, 4.0)}
    arrays = matrices(["code.0", "back.0", "back.3"]) | {f"code.1.{name}": values for name, values in norm.items()}
    for layers in (["back.0", "code.0", "back.3"], ["back.0", "code.0", "code.1", "back.3"]):
        net = load_network(arrays, activation="tanh", layers=layers)
        assert [norm is not None for norm in net.normalisations] == [False, True, False]
    with pytest.raises(ValueError, match=r"layers names 'code\.1', but there are"):
        load_network(arrays, activation="tanh", layers=["code.1", "back.0", "code.0", "back.3"])
    away = matrices(["fc.0"]) | {f"fc.2.{name}": values for name, values in norm.items()}
    with pytest.raises(ValueError, match=r"normalisation 'fc\.2' does not directly follow a dense layer"):
        load_network(away, activation="tanh", layers=["fc.0", "fc.2"])


@given(st.lists(st.integers(0, 10**25), min_size=2, max_size=6, unique=True), st.randoms())
def test_any_whole_numbers_order_layers(numbers, random):
    assume(not set(numbers) <= {3})
    shapes = {f"l{n}": SQUARE for n in random.sample(numbers, len(numbers))}
    assert _order.by_numbers(shapes) == [f"l{n}" for n in sorted(numbers)]


# -- tied arrays and parts of networks -------------------------------------------------------------------


def test_tied_arrays_that_a_file_names_and_does_not_repeat(tmp_path):
    torch, library = pytest.importorskip("torch"), pytest.importorskip("safetensors.torch")
    layer = torch.nn.Linear(3, 3)
    module = torch.nn.Sequential(layer, torch.nn.Tanh(), layer)
    library.save_model(module, str(tmp_path / "net.safetensors"))
    net = load_network(tmp_path / "net.safetensors", activation=["tanh", "identity"])
    assert net == load_network(module)
    assert net.depth == 2
    assert net.raw_weights[0] is net.raw_weights[1]


@pytest.mark.parametrize(
    ("metadata", "match"),
    [
        ({"3.weight": "2.weight", "2.weight": "0.weight"}, "'3.weight' is said to be tensor '2.weight', which is not"),
        ({"0.weight": "0.weight"}, "or has another value"),
        ({"3.weight": "9.weight"}, "'3.weight' is said to be tensor '9.weight', which is not one"),
        ({"3.bias": "none"}, "'3.bias' is said to be tensor 'none', which is not one"),
        ({"1.weight": "0.weight"}, "'1.weight' is said to be tensor '0.weight', which is not one or has another value"),
        ({"who": "0.weight"}, r"the arrays: who of shape \(2, 2\)"),
    ],
)
def test_names_of_tied_arrays_that_lie(metadata, match, tmp_path):
    arrays = {"0.weight": np.eye(2), "1.weight": np.ones((2, 2))}
    path = written(tmp_path / "net.safetensors", arrays, {"format": "pt"})
    assert load_network(path, activation="tanh").depth == 2
    written(path, arrays, metadata)
    with pytest.raises(ValueError, match=match):
        load_network(path, activation="tanh")


def test_one_of_several_files(tmp_path):
    arrays = {"0.weight": np.eye(2)}
    for name in ("model-00001-of-00002.safetensors", "model-00002-of-00010.npz"):
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(ValueError, match="is one of several files of a network"):
            load_network(tmp_path / name, activation="tanh")
    assert load_network(written(tmp_path / "model-00001-of-00001.safetensors", arrays), activation="tanh").depth == 1


def test_names_of_arrays_are_texts():
    with pytest.raises(TypeError, match="these arrays are named 0, a int; names are texts"):
        load_network({0: np.eye(2), "0": np.eye(2)}, activation="tanh")


def test_the_message_names_the_layers(tmp_path):
    path = written(tmp_path / "net.safetensors", matrices(["decoder", "encoder"]))
    with pytest.raises(ValueError, match=re.escape("'decoder', 'encoder'")) as caught:
        load_network(path, activation="tanh")
    assert str(path) in str(caught.value)
    assert json.dumps(str(caught.value))


@pytest.mark.parametrize(
    ("source", "activation", "error", "match"),
    [
        ({"epoch": 3, "state_dict": {"0.weight": [[1.0]]}}, "tanh", ValueError, r"pass .* source\['state_dict'\]"),
        ({"0.weight": [[1.0]]}, np.tanh, TypeError, r"activation = <ufunc 'tanh'> is a ufunc; pass a name"),
        ([[[1.0]]], "tanh", TypeError, "source is a list; pass the path of a file"),
        (Network([[[1.0]]]), "tanh", TypeError, "a Network says its activations itself"),
    ],
)
def test_sources_and_activations_of_another_kind_are_named(source, activation, error, match):
    with pytest.raises(error, match=match):
        load_network(source, activation=activation)


def test_a_tensor_that_is_the_negative_of_its_memory():
    torch = pytest.importorskip("torch")
    weight = torch.complex(torch.zeros(2, 3), torch.arange(6.0).reshape(2, 3)).conj().imag
    assert weight.is_neg()
    assert load_network({"0.weight": weight}, activation="tanh").weights[0].tolist() == [[0, -1, -2], [-3, -4, -5]]
