"""Arrays of numpy in files: every header that says the truth is read, every other one refused."""

import errno
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from network_files import loaded

from statnn import _memory
from statnn._archive import npz as _npz
from statnn._by_value import same
from statnn.io import load_network, save
from statnn.network import Network


def npz_of(*members, mode=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", mode) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def npy_of(header, data=b""):
    text = header.encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


GOOD = "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1), }\n"
HEADERS = {2: GOOD.replace("(1, 1)", "(2, 2)"), 1: GOOD.replace("(1, 1)", "(2,)")}


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (npy_of(GOOD.replace("(1, 1)", "(100000, 1000000)"), bytes(8)), "claims shape .* it is cut off or damaged"),
        (npy_of(GOOD.replace("(1, 1)", "(-1, 1)"), bytes(8)), "a header that describes no plain array"),
        (npy_of(GOOD.replace("(1, 1)", f"({'1' * 19}, 1)"), bytes(8)), "the impossible shape"),
        (npy_of(GOOD.replace("'<f8'", "[('a', '<f8')]"), bytes(8)), "no plain array: for columns with names, store"),
        (npy_of(GOOD.replace("<f8", "<f16"), bytes(16)), r"and texts are read: store array.astype\(float\)$"),
        (npy_of(GOOD.replace("<f8", "<V2"), bytes(2)), r"and texts are read: store array.astype\(float\)$"),
        (npy_of(GOOD.replace("<f8", "<c8"), bytes(8)), "has type '<c8'; real numbers and texts are read$"),
        (npy_of("__import__('os').mkdir('trap')", bytes(8)), "a header that describes no plain array"),
        (npy_of("{" * 9999, bytes(8)), "a header that describes no plain array"),
        (b"\x93NUMPY\x02\x00" + (2**31).to_bytes(4, "little") + bytes(50), "has a header of 2147483648 bytes"),
        (b"\x93NUMPY\x09\x00" + bytes(50), "the unknown version 9"),
        (npy_of(GOOD, bytes(7)), "8 bytes, but 7 follow"),
        (npy_of(GOOD + " " * 50)[:80], "ends inside its header"),
        (b"text", "is not a numpy array"),
    ],
)
def test_headers_of_numpy_that_lie(content, match, tmp_path):
    with pytest.raises(ValueError, match=match):
        loaded(npz_of(("0.weight.npy", content)), ".npz", activation="tanh")
    (tmp_path / "data.npy").write_bytes(content)
    with pytest.raises(ValueError, match=match):
        _npz.npy(tmp_path / "data.npy")


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2L, 3L), }",  # a long of Python 2
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)}\n",
        "{ 'shape' : (2,3), 'fortran_order':False,'descr':'<f8' }".replace(" :", ":"),  # any order is allowed
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }" + " " * 9000 + "\n",
    ],
)
@pytest.mark.parametrize("version", [1, 2, 3])
def test_headers_of_other_writers(header, version, tmp_path):
    values = np.arange(6.0).reshape(2, 3)
    length = len(header).to_bytes(2 if version == 1 else 4, "little")
    content = b"\x93NUMPY" + bytes([version, 0]) + length + header.encode() + values.tobytes()
    (tmp_path / "data.npy").write_bytes(content)
    assert np.array_equal(_npz.npy(tmp_path / "data.npy"), values)
    net = loaded(npz_of(("0.weight.npy", content)), ".npz", activation="tanh")
    assert np.array_equal(net.weights[0], values)


@pytest.mark.parametrize(
    "header",
    [
        GOOD.replace("(1, 1)", "(L, 1)"), GOOD.replace("(1, 1)", "(1LL, 1)"), GOOD.replace("(1, 1)", "(L1, 1)"),
        GOOD.replace("(1, 1)", "(1 1)"), GOOD.replace("False", "Fals"), GOOD.replace("{", ""),
        GOOD.replace("{", "("), GOOD.replace("}", ")"),
        GOOD.replace("'descr'", "'descr': '<f4', 'descr'"), GOOD.replace("'descr': '<f8', ", ""),
        GOOD.replace("(1, 1), }", "(1, 1), 'more': 1}"), GOOD.replace("{", "{1, "), GOOD.replace(": '<f8'", " '<f8'"),
    ],
)  # fmt: skip
def test_headers_that_describe_no_array(header):
    with pytest.raises(ValueError, match=r"describes no plain array|the impossible shape"):
        loaded(npz_of(("0.weight.npy", npy_of(header, bytes(8)))), ".npz", activation="tanh")


@pytest.mark.parametrize("mode", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_every_flipped_bit_of_the_directory_gives_the_same_arrays_or_is_refused(mode, tmp_path):
    """A length there that takes in the next entry hides an array, and a network of fewer layers would be left."""
    parts = {"0.weight": np.eye(2), "0.bias": np.arange(2.0), "1.weight": np.ones((2, 2)), "1.bias": np.ones(2)}
    raw = npz_of(
        *((f"{name}.npy", npy_of(HEADERS[part.ndim], part.tobytes())) for name, part in parts.items()), mode=mode
    )
    refused, start = 0, raw.index(b"PK\1\2")
    for at in range(8 * start, 8 * len(raw)):
        damaged = bytearray(raw)
        damaged[at // 8] ^= 1 << at % 8
        (tmp_path / "net.npz").write_bytes(damaged)
        try:
            with _npz.npz(tmp_path / "net.npz") as archive:
                kept = {name: archive[name] for name in archive.names}
        except ValueError:
            refused += 1
        else:
            assert same(dict(sorted(kept.items())), dict(sorted(parts.items()))), divmod(at, 8)
    assert 0 < refused < 8 * (len(raw) - start)


@pytest.mark.parametrize("said", [0xFFFF, 2])
@pytest.mark.parametrize("comment", [b"", b"of another program"])
def test_directories_of_other_writers(said, comment, tmp_path):
    """The number of members may stand in the part for large archives, and a text may follow."""
    with zipfile.ZipFile(tmp_path / "net.npz", "w") as archive:
        for name in ("a", "b"):
            archive.writestr(f"{name}.npy", npy_of(GOOD, bytes(8)))
        archive.comment = comment
    raw = bytearray((tmp_path / "net.npz").read_bytes())
    end = len(raw) - 22 - len(comment)
    raw[end + 10 : end + 12] = said.to_bytes(2, "little")
    (tmp_path / "net.npz").write_bytes(raw)
    with _npz.npz(tmp_path / "net.npz") as archive:
        assert archive.names == ("a", "b")
    for wrong in (0, 1, 3):
        raw[end + 10 : end + 12] = wrong.to_bytes(2, "little")
        (tmp_path / "net.npz").write_bytes(raw)
        with pytest.raises(ValueError, match=rf"net.npz: its directory lists 2 of {wrong} members: it is damaged"):
            loaded((tmp_path / "net.npz").read_bytes(), ".npz", activation="tanh")


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4", ">f4", "<f2", ">f2"])
def test_orders_of_numbers_in_files(order, dtype, tmp_path):
    values = np.asarray(np.arange(12.0).reshape(3, 4), dtype, order=order)
    bias = np.arange(3.0).astype(dtype)
    np.savez(tmp_path / "net.npz", **{"0.weight": values, "0.bias": bias})
    np.save(tmp_path / "data.npy", values)
    expected = np.float64 if dtype[1:] == "f8" else np.float32
    for source in (tmp_path / "net.npz", {"0.weight": values, "0.bias": bias}):
        net = load_network(source, activation="identity")
        assert net.dtype == expected
        assert net.weights[0].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
        assert net.biases[0].tolist() == [0, 1, 2]
    data = _npz.npy(tmp_path / "data.npy")
    assert data.tolist() == values.tolist()
    assert data.dtype == np.dtype(dtype).newbyteorder("=")


def test_sizes_that_are_said_of_files():
    """Headers have a limit of length, and what follows them must be as long as they say."""
    with pytest.raises(ValueError, match=r"'0\.weight' has a header of 10001 bytes, at most 10000 are read"):
        loaded(npz_of(("0.weight.npy", npy_of(GOOD.ljust(10_001), bytes(8)))), ".npz", activation="tanh")
    at_most = npz_of(("0.weight.npy", npy_of(GOOD.ljust(10_000), bytes(8))))
    assert loaded(at_most, ".npz", activation="tanh") == Network([[[0.0]]])
    with pytest.raises(ValueError, match="8 bytes, but 9 follow"):
        loaded(npz_of(("0.weight.npy", npy_of(GOOD, bytes(9)))), ".npz", activation="tanh")
    for start, match in (
        (b"\x93NUMPY\x02\x00\x10", "ends inside its header"),
        (b"\x93NUMPY\x01", "is not a numpy array"),
    ):
        with pytest.raises(ValueError, match=match):
            loaded(npz_of(("0.weight.npy", start)), ".npz", activation="tanh")


def test_archives_that_are_bombs():
    bomb = npz_of(("0.weight.npy", npy_of(GOOD.replace("(1, 1)", "(3000, 3000)"), bytes(72 * 10**6))))
    assert len(bomb) < 2 * 10**5
    with pytest.raises(ValueError, match=r"claim to unpack into 7\.2e\+07"):
        loaded(bomb, ".npz", activation="tanh")
    small = npz_of(("0.weight.npy", npy_of(GOOD.replace("(1, 1)", "(100, 100)"), bytes(80_000))))
    assert len(small) < 80_000 / _npz.MOST_UNPACKED
    assert loaded(small, ".npz", activation="tanh") == Network([np.zeros((100, 100))])
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = npz_of(("0.weight.npy", npy_of(GOOD, bytes(8))), ("0.weight.npy", npy_of(GOOD, bytes(8))))
    with pytest.raises(ValueError, match="an array is given twice"):
        loaded(twice, ".npz", activation="tanh")
    with pytest.raises(ValueError, match="packed in a way that numpy does not use"):
        loaded(npz_of(("0.weight.npy", npy_of(GOOD, bytes(8))), mode=zipfile.ZIP_BZIP2), ".npz", activation="tanh")


def test_archives_that_are_locked_or_hold_no_text(monkeypatch):
    plain = npz_of(("0.weight.npy", npy_of(GOOD, bytes(8))))
    locked = bytearray(plain)
    locked[plain.index(b"PK\x01\x02") + 8] |= 1  # flags of the member in the list at the end
    with pytest.raises(ValueError, match="packed in a way that numpy does not use"):
        loaded(bytes(locked), ".npz", activation="tanh")
    row = npy_of("{'descr': '|S2', 'fortran_order': False, 'shape': (1,), }", b"{}")
    with pytest.raises(ValueError, match=r"'statnn' is an array of \|S2 and no text"):
        loaded(npz_of(("statnn.npy", row)), ".npz")
    monkeypatch.setattr(_memory, "_ALWAYS_THERE", 0.0)
    monkeypatch.setattr(_memory, "available", lambda: 100.0)
    with pytest.raises(MemoryError, match="unpacking it would need"):
        loaded(plain, ".npz", activation="tanh")


@pytest.mark.parametrize(("number", "kind"), [(errno.EINVAL, ValueError), (errno.EIO, OSError)])
def test_a_place_before_the_begin_of_a_file_is_damage_and_a_broken_disk_is_none(number, kind):
    with pytest.raises(kind), _npz._with_path(Path("a.npz"), "npz"):
        raise OSError(number, "as a seek says")


def test_data_that_end_early():
    """As of a file that is cut off while it is read."""
    with pytest.raises(ValueError, match="'0' ends after 5 of 8 bytes"):
        _npz.read_npy(io.BytesIO(npy_of(GOOD, bytes(5))), len(npy_of(GOOD, bytes(8))), "0")


def test_networks_that_were_saved_among_results_are_networks(tmp_path):
    net = Network.random([4, 3, 2], activation="tanh", rng=0)
    save(net, tmp_path / "net.npz")
    assert load_network(tmp_path / "net.npz") == net
    save({"net": net}, tmp_path / "more.npz")
    with pytest.raises(ValueError, match=r"more\.npz: it holds a dict, no network: statnn\.io\.load reads it"):
        load_network(tmp_path / "more.npz")
