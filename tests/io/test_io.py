"""Networks in files: they come back equal, and no file however bad does more than raise a clear error."""

import json
import os
import pickle

import numpy as np
import pytest
from damage import CLEAR, mutations
from hypothesis import given
from hypothesis import strategies as st
from network_files import loaded, stored
from strategies import examples

from statnn import _memory
from statnn.io import _document, _safetensors, load_network, save_network
from statnn.network import ACTIVATIONS, Activation, BatchNorm, Network, leaky_relu
from statnn.testing.strategies import networks

SUFFIXES = (".npz", ".safetensors")
each_format = pytest.mark.parametrize("suffix", SUFFIXES)


def sample_net(dtype=np.float64):
    rng = np.random.default_rng(5)
    norm = BatchNorm(*(rng.random(3).astype(dtype) for _ in range(4)), epsilon=1e-3)
    weights = [rng.normal(size=(3, 2)).astype(dtype), rng.normal(size=(2, 3)).astype(dtype)]
    biases = [rng.normal(size=3).astype(dtype), rng.normal(size=2).astype(dtype)]
    return Network(weights, biases, [leaky_relu(0.3), "tanh"], normalisations=[norm, None])


# -- there and back --------------------------------------------------------------------------------------


@given(
    st.sampled_from([np.float32, np.float64]).flatmap(lambda dtype: networks(normalised=True, dtype=dtype)),
    st.floats(-1, 1),
)
@examples(0.3)
def test_networks_come_back_equal(net, slope):
    sigmas = [leaky_relu(slope) if sigma.name == "leaky relu" else sigma for sigma in net.activations]
    net = Network(net.raw_weights, net.raw_biases, sigmas, normalisations=net.normalisations)
    for suffix in SUFFIXES:
        raw = stored(net, suffix)
        back = loaded(raw, suffix)
        assert back == net
        assert back.dtype == net.dtype
        pairs = zip(back.raw_weights + back.raw_biases, net.raw_weights + net.raw_biases, strict=True)
        assert all(read.tobytes() == written.tobytes() for read, written in pairs)  # zeros keep their sign
        assert stored(back, suffix) == raw


@each_format
def test_shared_arrays_are_stored_once(suffix):
    norm = BatchNorm(np.zeros(40), np.ones(40))
    net = Network([np.eye(40)] * 30, [np.ones(40)] * 30, normalisations=[norm] * 30)
    raw = stored(net, suffix)
    assert len(raw) < 2 * net.weights[0].nbytes
    back = loaded(raw, suffix)
    assert back == net
    apart = BatchNorm(norm.mean, norm.variance, norm.gamma, norm.beta, epsilon=0.5)  # the same arrays
    two = Network([np.eye(40)] * 2, normalisations=[norm, apart])
    assert loaded(stored(two, suffix), suffix) == two
    assert len({id(w) for w in back.raw_weights}) == len({id(n) for n in back.normalisations}) == 1


@each_format
def test_suffixes_may_be_in_capitals(suffix, tmp_path):
    save_network(sample_net(), tmp_path / f"NET{suffix.upper()}")
    assert load_network(tmp_path / f"NET{suffix.upper()}") == sample_net()


def test_files_are_plain_for_others(tmp_path):
    net = sample_net(np.float32)
    save_network(net, tmp_path / "net.npz")
    with np.load(tmp_path / "net.npz", allow_pickle=False) as file:
        assert np.array_equal(file["1.weight"], net.weights[1])
        assert np.array_equal(file["0.norm.mean"], net.normalisations[0].mean)
        assert json.loads(bytes(file["statnn"]))["layers"][0]["slope"] == 0.3


def test_safetensors_are_those_of_its_own_library(tmp_path):
    library = pytest.importorskip("safetensors.numpy")
    net = sample_net(np.float32)
    save_network(net, tmp_path / "net.safetensors")
    tensors = library.load_file(tmp_path / "net.safetensors")
    assert np.array_equal(tensors["0.weight"], net.raw_weights[0])
    library.save_file({"0.weight": net.weights[1], "0.bias": net.biases[1]}, tmp_path / "bare.safetensors")
    bare = load_network(tmp_path / "bare.safetensors", activation="tanh")
    assert bare == Network([net.weights[1]], [net.biases[1]], "tanh")


@each_format
def test_bare_arrays_in_their_order(suffix, tmp_path):
    rng = np.random.default_rng(0)
    arrays = {f"body.{2 * m}.weight": rng.normal(size=(m + 2, m + 1)).astype(np.float32) for m in range(6)}
    arrays |= {f"body.{2 * m}.bias": rng.normal(size=m + 2).astype(np.float32) for m in range(6)}
    path = tmp_path / f"bare{suffix}"
    if suffix == ".npz":
        np.savez_compressed(path, **arrays)
    else:
        with path.open("wb") as file:
            _safetensors.write(file, dict(sorted(arrays.items())), {})  # "10" sorts before "2"
    net = load_network(path, activation=["relu"] * 5 + ["identity"])
    assert net.widths == tuple(range(1, 8))
    assert [sigma.name for sigma in net.activations] == ["relu"] * 5 + ["identity"]
    assert load_network(arrays, activation="relu") == load_network(path, activation="relu")
    with pytest.raises(ValueError, match=r"bare arrays of 6 dense layers.*pass activation="):
        load_network(path)
    with pytest.raises(ValueError, match="activation has 2 entries for 6 layers"):
        load_network(path, activation=["relu", "relu"])


@given(st.permutations(range(12)))
def test_layers_are_taken_in_the_order_of_their_numbers(order):
    """Libraries give the arrays of a file in alphabetical order, 10 before 2."""
    rng = np.random.default_rng(0)
    arrays = {f"body.{m}.weight": rng.normal(size=(3, 3)) for m in range(12)}
    wanted = load_network(arrays, activation="tanh")
    assert load_network({f"body.{m}.weight": arrays[f"body.{m}.weight"] for m in order}, activation="tanh") == wanted
    named = {"first.weight": arrays["body.0.weight"], "a.weight": arrays["body.1.weight"]}
    assert load_network(named, activation="tanh").weights[0].tolist() == arrays["body.0.weight"].tolist()


def test_alphabetical_archives_and_halves_of_numpy(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {f"{m}.weight": rng.normal(size=(3, 3)).astype(np.float16) for m in range(0, 24, 2)}
    np.savez(tmp_path / "net.npz", **dict(sorted(arrays.items())))
    net = load_network(tmp_path / "net.npz", activation="tanh")
    assert net == load_network(arrays, activation="tanh")
    assert net.dtype == np.float32
    assert net.weights[5].tolist() == arrays["10.weight"].tolist()


def test_a_network_is_itself():
    net = sample_net()
    assert load_network(net) is net


@pytest.mark.parametrize(
    ("arrays", "match"),
    [
        ({}, "none of its arrays is the weight of a layer: there are none"),
        ({"conv.weight": np.ones((2, 1, 3, 3))}, r"conv: weight of shape \(2, 1, 3, 3\); a dense .* leave out only"),
        ({"W1": np.ones((2, 3)), "b1": np.ones(3)}, r"W1 of shape \(2, 3\), .*: give arrays that are such these names"),
        ({"Dense_0.kernel": np.ones((2, 3))}, r"Dense_0: kernel of shape \(2, 3\); .*Keras and Flax, transposed"),
        ({"net": {"0.weight": np.ones((2, 2))}}, r"'net' is a mapping of its own.*source\['net'\] if that is it"),
        ({"net": [{"0.weight": np.ones((2, 2))}], "epoch": 3}, r"'net' is a list of mappings.*source\['net'\]\[0\] if"),
        ({"a.weight": np.ones((2, 2), int)}, "a: weight holds int64"),
        ({"a.weight": np.ones((2, 2)), "a.bias": np.ones(3)}, r"a: biases have shape \(3,\)"),
        ({"a.weight": np.ones((2, 2)), "b.weight": np.ones((2, 3))}, "takes 3 inputs, but the layer before has 2"),
        (
            {"fc.weight": np.ones((2, 2)), "bn.running_mean": np.ones(2), "bn.running_var": np.ones(2)},
            "normalisation 'bn' does not directly follow a dense layer",
        ),
        ({"0.weight": np.ones((2, 2)), "1.running_mean": np.ones(2), "1.running_var": -np.ones(2)}, "variance = -1"),
        ({"w": np.array(["a"])}, "w holds <U1, not real numbers"),
    ],
)
def test_bare_arrays_that_are_no_chain(arrays, match):
    with pytest.raises(ValueError, match=match):
        load_network(arrays, activation="tanh")


def test_a_normalisation_among_bare_arrays():
    norm = {"running_mean": [1.0, 0.0], "running_var": [4.0, 1.0], "weight": [2.0, 1.0], "bias": [0.0, 0.5]}
    arrays = {"0.weight": np.eye(2)} | {f"1.{name}": np.array(value) for name, value in norm.items()}
    net = load_network(arrays | {"1.num_batches_tracked": np.array(7), "3.weight": np.ones((1, 2))}, activation="tanh")
    assert net.normalisations == (BatchNorm([1.0, 0.0], [4.0, 1.0], [2.0, 1.0], [0.0, 0.5], 1e-5), None)
    wider = arrays | {"1.running_var": np.array([4.0, 1.0]) + 1e-3 - 1e-5}  # of an epsilon of 1e-3, as Keras takes
    x = np.array([[0.3, -2.0]])
    expected = np.tanh((x - [1.0, 0.0]) * [2.0, 1.0] / np.sqrt(np.array([4.0, 1.0]) + 1e-3) + [0.0, 0.5])
    np.testing.assert_allclose(load_network(wider, activation="tanh")(x), expected, rtol=1e-14)
    assert load_network(arrays, activation="tanh", layers=["0", "1"]).normalisations != (None,)
    with pytest.raises(ValueError, match="'1'"):  # it stands behind its layer
        load_network(arrays, activation="tanh", layers=["1", "0"])


# -- writing ---------------------------------------------------------------------------------------------


@each_format
def test_a_file_appears_whole_or_not_at_all(suffix, tmp_path, monkeypatch):
    path = tmp_path / f"net{suffix}"
    save_network(sample_net(), path)
    before = path.read_bytes()

    def broken(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez", broken)
    monkeypatch.setattr(_safetensors, "write", broken)
    with pytest.raises(OSError, match="disk full"):
        save_network(Network([[[1.0]]]), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written(tmp_path, monkeypatch):
    mine = [Activation("mine", np.square), Activation("mine", np.tanh)]
    with pytest.raises(ValueError, match="layer 1 and one before have different activations of the name 'mine'"):
        save_network(Network([[[1.0]], [[1.0]]], activation=mine), tmp_path / "net.npz")
    with pytest.raises(ValueError, match=r"suffix '\.onnx'; write \.npz or \.safetensors"):
        save_network(sample_net(), tmp_path / "net.onnx")
    with pytest.raises(FileNotFoundError, match="does not exist; make it first"):
        save_network(sample_net(), tmp_path / "nowhere" / "net.npz")
    with pytest.raises(TypeError, match="net is a dict; make it a Network first"):
        save_network({}, tmp_path / "net.npz")
    monkeypatch.setattr(_document, "MOST_TEXT", 10_000)
    with pytest.raises(ValueError, match="the network has 1000 layers; files hold up to about 100"):
        save_network(Network.repeated([[1.0]], depth=1000), tmp_path / "net.npz")
    assert not list(tmp_path.iterdir())


def test_what_is_no_source(tmp_path):
    (tmp_path / "net.pt").write_bytes(b"PK")
    with pytest.raises(ValueError, match=r"suffix '\.txt'; networks are read from \.npz, .* arrays by name"):
        load_network(tmp_path / "net.txt")
    with pytest.raises(ValueError, match="is a folder; networks are read from files"):
        load_network(tmp_path)
    with pytest.raises(FileNotFoundError):
        load_network(tmp_path / "net.npz")
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(ValueError, match="is not a regular file"):
        load_network(tmp_path / "folder.npz")
    with pytest.raises(TypeError, match="source is a int; pass the path of a file"):
        load_network(3)
    save_network(sample_net(), tmp_path / "net.npz")
    for source in (sample_net(), tmp_path / "net.npz"):
        with pytest.raises(TypeError, match="activation is for bare arrays"):
            load_network(source, activation="tanh")


@pytest.mark.parametrize(
    ("suffix", "advice"),
    [
        (".pt", r"is a pickle, .*torch\.load\(path, weights_only=True\)"),
        (".pth", r"torch\.load\(path, weights_only=True\)"),
        (".ckpt", r"torch\.load\(path, weights_only=True\)"),
        (".bin", r"torch\.load\(path, weights_only=True\)"),
        (
            ".pkl",
            r"is a pickle, .* trusts it, store the network as data: save_network\(load_network\(model\), 'net\.npz'\)",
        ),
        (".pickle", "trusts it, store the network as data"),
        (".joblib", "trusts it, store the network as data"),
        (".joblib.gz", "is a pickle, which can run any program, .*, store the network as data"),
        (".sav", "is a pickle, which can run any program, .*, store the network as data"),
        (".h5", r"HDF5 or Keras, which is not supported; .*numpy\.savez"),
        (".keras", r"kernels transposed"),
        (".npy", r"holds one array.*numpy\.savez"),
    ],
)
def test_files_that_are_not_read_and_what_to_do(suffix, advice, tmp_path):
    (tmp_path / f"net{suffix}").write_bytes(b"PK")
    with pytest.raises(ValueError, match=advice) as caught:
        load_network(tmp_path / f"net{suffix}")
    for unsafe in ("joblib.load", "pickle.load", "allow_pickle", "weights_only=False", "torch.load(path)"):
        assert unsafe not in str(caught.value)


# -- damage ----------------------------------------------------------------------------------------------


RAW = {suffix: stored(sample_net(), suffix) for suffix in SUFFIXES}


@each_format
@given(st.data())
@examples(1)
def test_a_damaged_file_is_a_network_or_a_clear_error(suffix, data):
    raw = data.draw(mutations(RAW[suffix]))
    try:
        net = loaded(raw, suffix)
    except CLEAR:
        return
    assert isinstance(net, Network)


@each_format
def test_every_file_that_is_cut_off_is_refused(suffix):
    raw = RAW[suffix]
    for size in {*range(0, len(raw), 11), *range(len(raw) - 60, len(raw))}:
        with pytest.raises(ValueError, match=r"net\.(npz|safetensors)"):
            loaded(raw[:size], suffix)


class Trap:
    """A pickle that leaves a trace when it is opened."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_no_pickle_is_opened(tmp_path):
    trace, path = tmp_path / "trace", tmp_path / "net.npz"
    np.savez(path, **{"0.weight": np.array([Trap(trace)], dtype=object)})
    with pytest.raises(ValueError, match="holds Python objects, that is a pickle, and pickles are never opened"):
        load_network(path, activation="tanh")
    assert not trace.exists()
    with np.load(path, allow_pickle=True) as file:
        file["0.weight"]  # the trap works
    assert trace.exists()
    path.write_bytes(pickle.dumps(Trap(tmp_path / "other")))
    with pytest.raises(ValueError, match="is not an npz file"):
        load_network(path, activation="tanh")
    assert not (tmp_path / "other").exists()


def test_masked_arrays_are_no_parameters():
    hidden = np.ma.masked_array(np.eye(2), mask=[[1, 0], [0, 0]])
    for weight in (hidden, list(hidden), [[np.ma.masked, 0.0], [0.0, 1.0]]):
        with pytest.raises(ValueError, match=r"0\.weight has masked entries"):
            load_network({"0.weight": weight}, activation="tanh")


def safetensors_of(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def tensor(shape, begin, end, dtype="F64"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


@pytest.mark.parametrize(
    ("raw", "match"),
    [
        (b"1234", "it has 4 bytes"),
        (safetensors_of({}, length=2**63), "its header claims 9223372036854775808 bytes"),
        (safetensors_of(b"[" * 10**5), "its header is nested too deeply"),
        (safetensors_of(b"{"), "its header is not JSON"),
        (safetensors_of([1]), "its header is not a table of tensors"),
        (safetensors_of(b'{"a":1,"a":2}'), "a name is given twice"),
        (safetensors_of({"a": tensor([1], 0, 8) | {"x": 1}}, bytes(8)), "must say dtype, shape and data_offsets"),
        (safetensors_of({"a": tensor([1, -1], 0, 8)}, bytes(8)), r"the impossible shape \[1, -1\]"),
        (safetensors_of({"a": tensor([True], 0, 8)}, bytes(8)), "the impossible shape"),
        (safetensors_of({"a": tensor([1] * 40, 0, 8)}, bytes(8)), "the impossible shape"),
        (safetensors_of({"a": tensor([10**9, 10**9], 0, 8)}, bytes(8)), "needs 8000000000000000000 bytes"),
        (safetensors_of({"a": tensor([2], 0, 16)}, bytes(8)), r"claims the bytes \[0, 16\] of 8"),
        (safetensors_of({"a": tensor([1], 8, 0)}, bytes(8)), r"claims the bytes \[8, 0\] of 8"),
        (safetensors_of({"a": tensor([1], 0, 8, "C64")}, bytes(8)), "has type 'C64'; .*: store it as float32"),
        (safetensors_of({"a": tensor([1], 0, 8), "b": tensor([1], 0, 8)}, bytes(8)), "'b' overlaps the one before"),
        (safetensors_of({"a": tensor([1], 8, 16)}, bytes(16)), "'a' leaves a gap before it"),
        (safetensors_of({"a": tensor([1], 0, 8)}, bytes(9)), "tensors end at byte 8 of 9"),
        (safetensors_of({"__metadata__": {"a": 1}}), "must hold texts only"),
        (safetensors_of(b'{"a":' + b"9" * 5000 + b"}"), "its header is not JSON"),
    ],
)
def test_safetensors_that_lie(raw, match):
    with pytest.raises(ValueError, match=match):
        loaded(raw, ".safetensors", activation="tanh")


def test_a_long_header_is_not_parsed(tmp_path):
    path = tmp_path / "long.safetensors"
    with path.open("wb") as file:
        file.write((2 * 10**7).to_bytes(8, "little"))
        file.truncate(3 * 10**7)
    with pytest.raises(ValueError, match="its header claims 20000000 bytes, at most 1e"):
        load_network(path)


def test_more_than_memory_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "vast.safetensors"
    with path.open("wb") as file:
        file.truncate(2**42)  # sparse: it takes no room on the disk
    with pytest.raises(MemoryError, match=r"vast\.safetensors: reading it would need"):
        load_network(path)


def described(**changes):
    layer = {"weight": "w", "bias": "b", "activation": "tanh"} | changes.pop("layer", {})
    text = json.dumps({"format": "statnn.Network", "version": 1, "layers": [layer]} | changes)
    header = {"__metadata__": {"statnn": text}, "w": tensor([1, 1], 0, 8), "b": tensor([1], 8, 16)}
    return safetensors_of(header, np.ones(2).tobytes())


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"format": "other"}, "is not that of a statnn.Network"),
        ({"version": 2}, "has version 2, this statnn reads 1"),
        ({"layers": []}, "lists no layers"),
        ({"layers": [1]}, "lists no layers"),
        ({"layer": {"weight": "x"}}, "weight of layer 0 is said to be 'x', which is not in the file"),
        ({"layer": {"weight": "b"}}, "a matrix is needed"),
        ({"layer": {"activation": "os.system"}}, "activation of layer 0 is 'os.system'"),
        ({"layer": {"activation": ["tanh"]}}, "activation of layer 0 is"),
        ({"layer": {"activation": "leaky relu"}}, "slope of layer 0 is None"),
        ({"layer": {"activation": "leaky relu", "slope": float("nan")}}, "slope of layer 0 is nan"),
        ({"layer": {"norm": [1]}}, "normalisation of layer 0 is"),
        ({"layer": {"norm": {"epsilon": True}}}, "epsilon of layer 0 is True"),
        ({"layer": {"norm": {"epsilon": 1.0, "mean": "b"}}}, "variance of layer 0 is said to be None"),
    ],
)
def test_descriptions_that_lie(changes, match):
    assert loaded(described(), ".safetensors") == Network([[[1.0]]], [[1.0]], "tanh")
    with pytest.raises(ValueError, match=match):
        loaded(described(**changes), ".safetensors")


def test_descriptions_of_whole_numbers():
    header = json.loads(described()[8:][: int.from_bytes(described()[:8], "little")])
    header["w"]["dtype"] = "I64"
    with pytest.raises(ValueError, match="weight of layer 0, 'w', holds int64, real numbers are needed"):
        loaded(safetensors_of(header, np.ones(2).tobytes()), ".safetensors")


def test_a_description_of_more_than_memory(monkeypatch):
    """One matrix under many normalisations is many matrices."""
    part = np.ones(30)
    norms = [BatchNorm(part, part, part, part, epsilon=1 + m) for m in range(50)]
    net = Network([np.eye(30)] * 50, [part] * 50, normalisations=norms)
    raw = stored(net, ".safetensors")
    assert len(raw) < 15 * net.weights[0].nbytes
    monkeypatch.setattr(_memory, "available", lambda: 50 * 30 * 30 * 8 * 2.0)
    with pytest.raises(MemoryError, match="the network would need"):
        loaded(raw, ".safetensors")
    shared = Network([np.eye(30)] * 50, [part] * 50, normalisations=norms[:1] * 50)
    assert loaded(stored(shared, ".safetensors"), ".safetensors") == shared


def test_numbers_begin_at_a_multiple_of_their_size():
    for depth in range(1, 10):
        raw = stored(Network([[[1.0]]] * depth), ".safetensors")
        assert int.from_bytes(raw[:8], "little") % 8 == 0


def test_numbers_of_sixteen_bits_and_of_other_machines(tmp_path):
    half = np.array([[1.5, -0.25]], np.float16)
    cut = (np.array([[3.25, -1e30]], np.float32).view(np.uint32) >> 16).astype(np.uint16)
    for dtype, raw, values in (("F16", half, half), ("BF16", cut, (cut.astype(np.uint32) << 16).view(np.float32))):
        file = safetensors_of({"0.weight": tensor([1, 2], 0, 4, dtype)}, raw.tobytes())
        net = loaded(file, ".safetensors", activation="tanh")
        assert net.dtype == np.float32
        assert np.array_equal(net.weights[0], values)
    np.savez(tmp_path / "big.npz", **{"0.weight": np.array([[1.5, 2.5]], ">f4").T})
    net = load_network(tmp_path / "big.npz", activation="identity")
    assert net == Network([np.array([[1.5], [2.5]], np.float32)], activation="identity")


def test_every_activation_can_be_stored():
    for name in ACTIVATIONS:
        assert loaded(stored(Network([[[1.0]]], activation=name), ".npz"), ".npz").activations[0] == ACTIVATIONS[name]
