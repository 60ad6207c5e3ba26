"""Results in files: equal when they come back, and refused when anything in the file is not as it was written."""

import csv
import io
import json
import math
import zipfile
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import special

from statnn import Network, plot, rg, sweep
from statnn._archive import file, values
from statnn._archive.file import digest_of
from statnn._archive.names import name_of, thing_of
from statnn._archive.values import Packer, Unpacker
from statnn.activation import PolyaUrn
from statnn.inspection import read_data
from statnn.interaction import BinaryNeurons
from statnn.io import describe, load, load_network, save, save_network, table
from statnn.montecarlo import Hamiltonian, Run, Tempering, sample
from statnn.network import Activation
from statnn.rg import LinearLayer, flow


def cube(h):
    return h**3


@dataclass(frozen=True)
class Kept:
    """A result with a private part."""

    shown: float
    _for_itself: float = 1.0


def cubed(name="cube"):
    return Network([np.eye(2)], activation=Activation(name, cube, lambda h: 3 * h**2))


PLAIN = [
    None, True, 3, 10**40, 0.1, -0.0, math.nan, math.inf, -math.inf, "ψ", "", (), [], {}, (1, [2.0, ("a",)]),
    {"a": {"b": 1}}, {1: "one", (2, 3): "pair"}, {1, 2}, frozenset({"x"}), range(3, 9, 2), 1 + 2j, np.float32(0.1),
    np.int8(-3), np.bool_(1), range(0, -(10**15), -(10**14)),
    np.zeros((0, 3)), np.arange(6.0).reshape(2, 3).T, np.array(["a", "bc"]), np.array([1 + 2j, -3j]), np.array(2.5),
    np.array([complex(0.0, math.inf), complex(-0.0, 1.0), complex(2.0, math.nan)]),
    np.complex64(complex(1.0, math.inf)),
    np.ma.array([1.0, 2.0], mask=[False, True]), np.sin, np.dtype(np.float32), special.erf,
]  # fmt: skip


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_plain_values_come_back(value, tmp_path):
    save(value, tmp_path / "value.npz")
    other = load(tmp_path / "value.npz")
    assert type(other) is type(value)
    assert repr(other) == repr(value)


def test_arrays_stand_in_files_under_the_end_of_where_they_are(tmp_path):
    save({"a" * 200: {"weights": np.ones(2), "biases": np.ones(1)}}, tmp_path / "value.npz")
    with np.load(tmp_path / "value.npz") as file:
        assert sorted(name.rpartition(".")[2] for name in file.files if name != "statnn") == ["biases", "weights"]


DOORS = {
    "save": lambda path: save(3, path),
    "load": load,
    "save_network": lambda path: save_network(Network([np.eye(2)]), path),
    "describe": describe,
    "store": lambda path: sample(BinaryNeurons([[0, 1], [1, 0]]), 10, rng=1, store=path),
    "figure": lambda path: plot.save(plot.figure()[0], path, y=[1]),
    "data": read_data,
    "labels": lambda path: read_data("x.npz", path),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("path", "error", "match"),
    [
        (3.5, TypeError, "is a float; give the name of a file or folder, a text or a Path"),
        (b"x.npz", TypeError, "is a bytes; give the name"),
        ("", ValueError, "= '' is an empty name"),
        ("x\0.npz", ValueError, r"= 'x\\x00.npz' has a zero byte"),
    ],
)
def test_what_names_no_file_is_refused_by_every_door(door, path, error, match):
    with pytest.raises(error, match=match):
        DOORS[door](path)


@pytest.mark.parametrize("path", ["", "x\0.npz"])
def test_a_network_is_in_no_file_without_a_name(path):
    with pytest.raises(ValueError, match=r"^source = '.*' (is an empty name|has a zero byte)"):
        load_network(path)


def test_suffixes_may_be_in_capitals(tmp_path):
    save(3, tmp_path / "VALUE.NPZ")
    assert load(tmp_path / "VALUE.NPZ") == 3


def test_arrays_keep_their_locks_and_are_stored_once(tmp_path):
    free, locked = np.arange(3.0), np.arange(4.0)
    locked.flags.writeable = False
    save([free, locked, locked], tmp_path / "arrays.npz")
    first, second, third = load(tmp_path / "arrays.npz")
    assert (first.flags.writeable, second.flags.writeable, third.flags.writeable) == (True, False, False)
    with np.load(tmp_path / "arrays.npz", allow_pickle=False) as plain:  # numpy and json alone read it
        assert sorted(plain.files) == ["statnn", "value.0", "value.1"]
        assert json.loads(plain["statnn"].item())["format"] == "statnn.value"


@pytest.mark.parametrize("values_alone", [False, True])
def test_numbers_one_after_the_other_are_not_taken_for_each_other(values_alone):
    """Each becomes a new array, which would take the place in memory of the one before if nothing held that."""
    packer, numbers = Packer(values_alone=values_alone), [np.complex128(k % 4) for k in range(8)]
    tree = packer.tree(numbers)
    assert Unpacker(packer.arrays, {}).value(tree) == numbers


def test_generators_go_on_where_they_were(rng, tmp_path):
    rng.random(3)
    save(rng, tmp_path / "rng.npz")
    assert np.array_equal(load(tmp_path / "rng.npz").random(5), rng.random(5))


@pytest.mark.parametrize("name", ["SFC64", "Philox", "MT19937", "PCG64", "PCG64DXSM"])
def test_states_that_a_generator_would_round_are_refused(name):
    packer = Packer()
    tree = packer.tree(np.random.Generator(getattr(np.random, name)(3)))
    assert Unpacker(packer.arrays, {}).value(tree).bit_generator.state["bit_generator"] == name
    for wrong in (1.5, np.nan, np.inf, -1e300):
        forged = {key: np.full(array.shape, wrong) for key, array in packer.arrays.items()}
        if forged:
            with pytest.raises(ValueError, match="the state of a generator is not"):
                Unpacker(forged, {}).value(tree)


@pytest.mark.parametrize("kind", ["f8", "c16", "i4", "U2"])
def test_arrays_of_other_machines_have_one_digest_and_come_back_as_those_of_this_one(kind, tmp_path):
    ours = np.ones(3, kind)
    theirs = ours.astype(ours.dtype.newbyteorder(">"))
    assert digest_of(theirs) == digest_of(ours)
    save(theirs, tmp_path / "theirs.npz")
    back = load(tmp_path / "theirs.npz")
    assert back.dtype == ours.dtype
    np.testing.assert_array_equal(back, ours)


def test_equal_values_have_one_digest_in_any_order():
    a, b = np.arange(3), np.ones(2)
    assert file.digest_of({"a": a, "b": b}) == file.digest_of({"b": b.copy(), "a": a.copy()})
    locked = a.copy()
    locked.flags.writeable = False
    assert file.digest_of([a, a]) == file.digest_of([a, a.copy()]) == file.digest_of([a, locked])
    others = [{"a": a, "b": -b}, {"a": a, "b": b.astype(np.float32)}, {"a": a}, {"a": a, "c": b}]
    assert len({file.digest_of(value) for value in [*others, {"a": a, "b": b}]}) == 5
    for other in (np.zeros(4, int), np.zeros((2, 2))):  # of the same bytes
        assert file.digest_of(other) != file.digest_of(np.zeros(4))
        assert file.digest_of([np.zeros(4), other]) != file.digest_of([np.zeros(4), np.zeros(4)])


def test_functions_of_ones_own_are_stored_by_name(tmp_path):
    net = cubed()
    save(net, tmp_path / "net.npz")
    assert load(tmp_path / "net.npz", own={"cube": net.activations[0]}) == net
    for own in (None, {"cube": cube}):  # the function alone is no activation
        with pytest.raises(ValueError, match=r"activation 'cube' is a function of your own.*own={'cube'"):
            load(tmp_path / "net.npz", own=own)
    with pytest.raises(TypeError, match=r"value\.1 is a builtins\.function.*nor of this package"):
        save([1, cube], tmp_path / "function.npz")
    assert not (tmp_path / "function.npz").exists()


def test_a_file_of_save_network_is_read_too(tmp_path):
    net = Network.random([2, 3], rng=0)
    save_network(net, tmp_path / "net.npz")
    assert load(tmp_path / "net.npz") == net


def test_graphs_come_back_with_their_nodes(tmp_path):
    model = BinaryNeurons([[[0.5, -0.2]], [[0.3]]], fields=0.1)
    again = BinaryNeurons(model.graph())
    for neurons in (model, again):
        save(neurons, tmp_path / "model.npz")
        assert load(tmp_path / "model.npz") == neurons


def changed(path, **members):
    """Write a file again, with other members; the digest is left as it was."""
    with np.load(path, allow_pickle=False) as archive:
        arrays = dict(archive)
    np.savez(path, **{**arrays, **members})


def with_text(path, **parts):
    with np.load(path, allow_pickle=False) as archive:
        text = json.loads(archive["statnn"].item()) | parts
    text["digest"] = parts.get("digest", file._digest(text["value"], {}))
    np.savez(path, statnn=np.bytes_(json.dumps(text).encode()))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"name": "os:system"}, "'os:system' is not of this package"),
        ({"name": "statnn.plot:np.load"}, "neither a class nor a function of this package"),
        ({"name": "statnn:missing"}, "unknown to this version"),
        ({"object": "statnn.plot:save", "parts": {}}, "not an object of this package"),
        ({"object": "statnn.rg:LinearLayer", "parts": {"slope": 3}}, "cannot be made"),
        ({"enum": "statnn.rg:Phase", "value": "gas"}, "not a valid Phase"),
        ({"exception": "statnn.rg:Phase", "arguments": []}, "not an exception of this package"),
        ({"ufunc": "load"}, "no function 'load'"),
        ({"generator": {"dict": {"bit_generator": "Generator"}}}, "generator 'Generator'"),
        ({"array": "gone"}, "array 'gone' is missing"),
        ({"unheard": 1}, "'unheard' is not a kind of value"),
        ({"float": "1e999"}, "lacks a part"),
        ({"masked": [{"array": "x"}, False]}, "array 'x' is missing"),
        ({"masked": [1, [True]]}, r"a mask of shape \(1,\) is none of an array of shape \(\)"),
        ({"partial": [{"ufunc": "add"}, [1], {"dict": {}}]}, r"are not a tuple: \[1\]"),
        (
            {"exception": "statnn.montecarlo:UntrustedEstimate", "arguments": {"range": [0, 9, 1]}},
            r"are not a tuple: range\(0, 9\)",
        ),
        ({"csr": [[1.0], [0.5], [0, 1], [1, 1]]}, "not whole numbers"),
        ({"csr": [[1.0, 1.0], [1, 0], [0, 1, -4], [2, 2]]}, "broken sparse matrix: its indptr"),
        ({}, "a value is described by {}"),
    ],
)
def test_what_a_hostile_text_asks_for_is_refused(value, message, tmp_path):
    path = tmp_path / "value.npz"
    save(1, path)
    with_text(path, value=value)
    with pytest.raises(ValueError, match=message):
        load(path)


@pytest.mark.parametrize("commit", ["0" * 40, None])
def test_a_result_whose_parts_are_those_of_another_version_says_which(commit, tmp_path):
    path = tmp_path / "value.npz"
    save(1, path)
    odd = {"object": "statnn.rg:LinearLayer", "parts": {"slope": 3}}
    with_text(path, value=odd)
    with pytest.raises(ValueError, match=r"unexpected keyword argument 'slope'$"):
        load(path)
    with_text(path, value=odd, provenance={"versions": {"statnn": "0.0.7"}, "commit": commit})
    words = r"written by statnn 0\.0\.7" + (" of commit 0{40}" if commit else "")
    with pytest.raises(ValueError, match=f"unexpected .*; it was {words}, whose results have other parts: read it"):
        load(path)
    for damaged in (None, [], {"versions": "0.0.7"}):
        with_text(path, value=odd, provenance=damaged)
        with pytest.raises(ValueError, match=r"unexpected keyword argument 'slope'$"):
            load(path)


def test_a_mask_of_as_many_entries_in_another_shape_is_refused():
    """numpy would give it the shape of the data, in silence."""
    arrays = {"data": np.zeros((2, 2)), "mask": np.array([False, True, False, False])}
    with pytest.raises(ValueError, match=r"a mask of shape \(4,\) is none of an array of shape \(2, 2\)"):
        Unpacker(arrays, {}).value({"masked": [{"array": "data"}, {"array": "mask"}]})


@pytest.mark.parametrize(("thin", "burn_in", "message"), [(0, 9, "thin = 0"), (-1, 9, "thin"), (1, -2, "burn_in")])
def test_runs_with_another_schedule_are_refused(thin, burn_in, message, tmp_path):
    run = sample(BinaryNeurons([[0, 1], [1, 0]]), 4, rng=1)
    save(replace(run, thin=thin, burn_in=burn_in), tmp_path / "run.npz")
    with pytest.raises(ValueError, match=message):
        Run.load(tmp_path / "run.npz")


def test_runs_of_a_method_that_never_ran_are_refused(tmp_path):
    ladder = Tempering(temperatures=(1.0, 2.0))
    run = sample(BinaryNeurons([[0, 1], [1, 0]]), 4, rng=1, method=ladder)
    for method, message in (
        (Tempering(), "all its options settled"),
        (Hamiltonian(), "hamiltonian samples DynamicNeurons"),
    ):
        save(replace(run, method=method), tmp_path / "run.npz")
        with pytest.raises((ValueError, TypeError), match=message):
            Run.load(tmp_path / "run.npz")


def test_damage_other_formats_and_later_versions_are_refused(tmp_path):
    path = tmp_path / "flow.npz"
    result = flow(LinearLayer(0.5, 0.0, 0.75), 3)
    save(result, path)
    whole = path.read_bytes()
    for cut in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(ValueError, match=r"flow\.npz"):
            load(path)
    path.write_bytes(whole)
    with zipfile.ZipFile(path) as archive:
        name = next(info.filename for info in archive.infolist() if info.filename != "statnn.npy")
    with np.load(path, allow_pickle=False) as archive:
        other = archive[name.removesuffix(".npy")] + 1
    changed(path, **{name.removesuffix(".npy"): other})
    with pytest.raises(ValueError, match="digest is not that of its contents"):
        load(path)
    save(1, path)
    for parts, message in (
        ({"version": 9}, "has version 9"),
        ({"format": "x"}, "holds 'x'"),
        ({"digest": "0"}, "digest"),
    ):
        save(1, path)
        with_text(path, **parts)
        with pytest.raises(ValueError, match=message):
            load(path)
    np.savez(path, x=np.zeros(2))
    with pytest.raises(ValueError, match=r"not a file of statnn\.io\.save"):
        load(path)


def test_a_deep_text_is_refused(monkeypatch, tmp_path):
    value = 1
    for _ in range(240):
        value = [value]
    with monkeypatch.context() as loose:
        loose.setattr(values, "_DEEPEST", 1000)
        save(value, tmp_path / "deep.npz")
    with pytest.raises(ValueError, match="more than 200 deep"):
        load(tmp_path / "deep.npz")


def test_functions_of_numpy_are_found_again_and_others_of_their_kind_are_not_taken_for_them(tmp_path):
    save([special.log1p, np.log1p], tmp_path / "functions.npz")
    first, second = load(tmp_path / "functions.npz")
    assert first is special.log1p
    assert second is np.log1p
    assert digest_of(first) != digest_of(second)
    made = np.frompyfunc(cube, 1, 1)
    for call in (lambda: save(made, tmp_path / "made.npz"), lambda: sweep(cubed, {"name": [made]})):
        with pytest.raises(TypeError, match=r"numpy\.ufunc, which is neither a plain|, a ufunc: points are known by"):
            call()
    assert not (tmp_path / "made.npz").exists()


def test_values_that_are_nested_too_deeply_to_be_read_are_not_saved(tmp_path):
    deep = np.float32(1.0)
    for _ in range(198):
        deep = [deep]
    save(deep, tmp_path / "deep.npz")
    assert load(tmp_path / "deep.npz") == deep
    with pytest.raises(ValueError, match="nested more than 199 deep, and files of such are not read again"):
        save([[deep]], tmp_path / "deeper.npz")
    assert not (tmp_path / "deeper.npz").exists()


@pytest.mark.skipif(np.finfo(np.longdouble).nmant == 52, reason="no numbers here are wider than float64")
@pytest.mark.parametrize("kind", [np.longdouble, np.clongdouble])
def test_numbers_that_load_does_not_read_are_not_saved(kind, tmp_path):
    with pytest.raises(TypeError, match=r"value\.x holds .*: convert it with \.astype\((float|complex)\)"):
        save({"x": np.ones(2, kind)}, tmp_path / "wide.npz")
    assert not list(tmp_path.iterdir())
    assert digest_of(np.ones(2, kind)) != digest_of(np.ones(2))


@pytest.mark.parametrize("kind", [[("x", "f8")], "V8", (np.float64, 3), np.dtypes.StringDType()], ids=str)
def test_types_of_which_a_text_says_the_size_alone_are_not_saved(kind, tmp_path):
    with pytest.raises(TypeError, match="which is neither a plain value nor of this package"):
        save([np.dtype(kind)], tmp_path / "type.npz")
    save([np.dtype(">f4"), np.dtype("U7"), np.dtype("M8[s]")], tmp_path / "type.npz")
    assert load(tmp_path / "type.npz") == [np.dtype(">f4"), np.dtype("U7"), np.dtype("M8[s]")]


def test_where_save_cannot_write_nothing_is_left(tmp_path):
    with pytest.raises(ValueError, match=r"suffix '\.txt'"):
        save(1, tmp_path / "value.txt")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        save(1, tmp_path / "gone" / "value.npz")
    with pytest.raises(TypeError, match="without pickles"):
        save(np.array([object()]), tmp_path / "value.npz")
    assert not list(tmp_path.iterdir())


def test_names_are_those_of_the_highest_room():
    assert name_of(LinearLayer) == "statnn.rg:LinearLayer"
    assert thing_of(name_of(LinearLayer)) is LinearLayer


def test_tables_hold_numbers_for_json_and_csv():
    paths = [PolyaUrn(40, b, 5.0).simulate([1, 10], replicas=2, rng=1) for b in (0.3, 0.5)]
    rows = table({"cold": paths[0], "hot": paths[1]})
    assert [(row["name"], row["process.b"]) for row in rows] == [("cold", 0.3), ("hot", 0.5)]
    entries = table(paths, by="working")
    assert len(entries) == 8
    assert json.loads(json.dumps(entries)) == entries
    assert [row["working"] for row in entries[:4]] == paths[0].working.ravel().tolist()
    out = io.StringIO()
    csv.DictWriter(out, entries[0]).writerows(entries)
    assert len(out.getvalue().splitlines()) == 8
    with pytest.raises(ValueError, match=r"by = 'fields' is not an array.*checkpoints, working"):
        table(paths, by="fields")
    assert table([]) == []
    masked = table({"x": {"rate": np.ma.array([1.0, 2.0], mask=[False, True])}}, by="rate")
    assert [row["rate"] for row in masked] == [1.0, None]
    turning = np.array([[0.5, -1.2], [1.2, 0.5]])
    (spiral,) = rg.fixed_points(lambda couplings, _b: turning @ couplings, [0.1, 0.2])
    entries = table(rg.exponents(spiral), by="eigenvalues")
    assert json.loads(json.dumps(entries)) == entries
    assert [row["eigenvalues.real"] for row in entries] == pytest.approx([0.5, 0.5])
    assert sorted(row["eigenvalues.imag"] for row in entries) == pytest.approx([-1.2, 1.2])
    assert table([np.complex64(1 + 2j)]) == table([1 + 2j]) == [{"value.real": 1.0, "value.imag": 2.0}]
    mixed = table([{"x": np.array([1j])}, {"x": np.array([2.0])}], by="x")  # as numpy.linalg.eigvals gives them
    assert mixed == [{"index.0": 0, "x.real": 0.0, "x.imag": 1.0}, {"index.0": 0, "x": 2.0}]
    rows = table({"first": Activation("cube", cube), "second": {"name": "own", "rate": 0.5}})
    assert [row["name"] for row in rows] == ["first", "second"]  # and not those of the results
    assert [row["result.name"] for row in rows] == ["cube", "own"]
    assert [*rows[1]] == ["name", "result.name", "rate"]
    assert table([{"name": "own"}]) == [{"name": "own"}]
    assert table([Kept(0.5)]) == [{"shown": 0.5}]


def test_a_sweep_is_a_row_for_each_of_its_points():
    swept = sweep(lambda a, b: {"ratio": a / b}, {"a": [1, 2], "b": [4, 0]})
    first, failed, *_ = table(swept)
    assert first == {"a": 1, "b": 4, "result.ratio": 0.25}
    assert failed == {"a": 1, "b": 0, "failure": "ZeroDivisionError: division by zero"}
    assert table({"one": swept, "two": swept})[4:] == [{"name": "two"} | row for row in table(swept)]
    rows = table(sweep(lambda a: {"halves": np.array([0.5]) * a if a else 1 / 0}, {"a": [2, 0]}), by="result.halves")
    assert rows == [
        {"a": 2, "index.0": 0, "result.halves": 1.0}, {"a": 0, "failure": "ZeroDivisionError: division by zero"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.longdouble(0.5), 0.5), (np.clongdouble(0.5 + 1j), None), (np.bytes_(b"fit"), "fit"),
        (np.array(np.longdouble(0.5)), 0.5), (np.datetime64("2020-01-01"), None), (np.timedelta64(3, "s"), None),
        (np.array([0.5, 1.0], dtype=np.longdouble), [0.5, 1.0]), (np.array([b"a", b"b"]), ["a", "b"]),
    ],
    ids=repr,
)  # fmt: skip
def test_cells_of_tables_are_numbers_and_texts_of_python(value, plain):
    """numpy gives a longdouble as itself and dates as dates, which json.dumps refuses."""
    by = "x" if np.ndim(value) else None
    rows = json.loads(json.dumps(table([{"x": value, "y": 1}], by=by)))
    if by:
        assert [row["x"] for row in rows] == plain
    elif plain is None:
        assert "x" not in rows[0]
        assert rows[0]["y"] == 1
    else:
        assert rows == [{"x": plain, "y": 1}]


def test_sets_are_written_in_one_order():
    """Python gives the texts of a set another order in every process, and files and digests would differ."""
    assert Packer().tree(set("hgfedcba")) == {"set": list("abcdefgh")}


def test_whole_numbers_of_more_bits_than_are_read_are_refused():
    longest = 2**14_000 - 1
    assert Unpacker({}, {}).value(json.loads(json.dumps(Packer().tree(longest)))) == longest
    with pytest.raises(ValueError, match="value is a whole number of 14001 bits; files hold up to 14000"):
        Packer().tree(longest + 1)
