"""Files that are no arrays, and other odd inputs to the command: one line that says what to do, and nothing written."""

import ast
import gzip
import io
import pickle
import re
import zipfile
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import pytest

import statnn
from statnn.__main__ import main
from statnn.inspection import read_data
from statnn.io import save_network
from statnn.network import Network

X = np.random.default_rng(0).normal(size=(12, 3))


def table(mark=",", head=""):
    text = io.StringIO()
    np.savetxt(text, X, delimiter=mark, header=head, comments="")
    return text.getvalue().encode()


def archive(*names):
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as file:
        for name in names:
            file.writestr(name, b"")
    return raw.getvalue()


def array():
    raw = io.BytesIO()
    np.save(raw, X)
    return raw.getvalue()


PICKLE = (
    r"is a pickle, which can run any program when it is opened, and is not opened here: in the program that made it"
)
FOREIGN = {
    "x.joblib": (pickle.dumps(X), rf"{PICKLE}, store .* numpy.savez\('x.npz'"),
    "x.pkl": (pickle.dumps(X), PICKLE),
    "x.npy": (pickle.dumps(X), rf"{PICKLE}.*numpy.savez\('x-array.npz'"),
    "x.npz": (pickle.dumps({"x": X}), PICKLE),
    "x.pt": (archive("x/data.pkl"), PICKLE),
    "x.zip": (archive("x/data.pkl"), PICKLE),
    "README.md": (
        b"# A network\n\nIt has layers.\n",
        r"is text, not an array: store samples and labels with numpy.savez",
    ),
    "x.csv": (
        table(),
        r"is a table in text: numpy.save\('x.npy', numpy.loadtxt\('x.csv', delimiter=',', skiprows=0\)\)",
    ),
    "head.csv": (table(head="a,b,c"), r"delimiter=',', skiprows=1"),
    "2024.csv": (table(head="# of 2024"), r"delimiter=',', skiprows=1"),
    "gap.csv": (table(head="1,,3"), r"is text, not an array"),  # whose first row is none of names
    "semicolon.csv": (table(mark=";"), r"delimiter=';', skiprows=0"),
    "tab.tsv": (table(mark="\t", head="a\tb\tc"), r"delimiter='\\t', skiprows=1"),
    "space.dat": (table(mark="   "), r"is a table in text: .*delimiter=None, skiprows=0"),
    "m.mtx": (
        b"%%MatrixMarket matrix coordinate real general\n2 2 1\n1 2 0.5\n",
        r"is of Matrix Market: numpy.save\('m.npy', scipy.io.mmread\('m.mtx'\).toarray\(\)\);",
    ),
    "dense.mtx": (
        b"%%MatrixMarket matrix array real general\n2 1\n0.5\n1\n",
        r"is of Matrix Market: numpy.save\('dense.npy', scipy.io.mmread\('dense.mtx'\)\);",
    ),
    "text.npy": (table(), r"is a table in text: numpy.save\('text-array.npy'"),
    "empty.npz": (b"", "is empty, 0 bytes; data are read from .npz and .npy"),
    "page.png": (b"\x89PNG\r\n\x1a\n" + bytes(30), "is a picture: stack the pixels"),
    "photo.npy": (b"\xff\xd8\xff\xe0" + bytes(30), "is a picture"),
    "x.h5": (b"\x89HDF\r\n\x1a\n" + bytes(30), r"is HDF5: .*h5py.File\('x.h5'\)"),
    "x.mat": (b"MATLAB 5.0 MAT-file", r"is of MATLAB: .*scipy.io.loadmat\('x.mat'\)"),
    "x.parquet": (b"PAR1" + bytes(30), r"pandas.read_parquet\('x.parquet'\)"),
    "images-ubyte.gz": (gzip.compress(b"abc"), "is compressed: unpack it first"),
    "renamed": (array(), r"is an array file of numpy, but has the suffix '': rename it to .npy"),
    "renamed.npz": (array(), r"but has the suffix '.npz': rename it to .npy"),
    "renamed.npy": (archive("x.npy"), r"but has the suffix '.npy': rename it to .npz"),
    "book.xlsx": (archive("xl/workbook.xml"), "is an archive .zip. that holds no arrays of numpy"),
    "noise.bin": (bytes(range(256)), "is not an array file of numpy"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_file_of_another_kind_is_named_with_a_way_to_arrays(name, tmp_path):
    content, match = FOREIGN[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"^data: '.*{re.escape(name)}' .*{match}"):
        read_data(tmp_path / name)
    np.save(tmp_path / "good.npy", X)
    with pytest.raises(ValueError, match=rf"^labels: '.*{re.escape(name)}' .*{match}"):
        read_data(tmp_path / "good.npy", tmp_path / name)


def test_no_advice_opens_a_pickle(tmp_path):
    for name, (content, _) in FOREIGN.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=r"^data: ") as refused:
            read_data(tmp_path / name)
        for unsafe in ("allow_pickle", "pickle.load", "joblib.load", "torch.load", "weights_only", "read_pickle"):
            assert unsafe not in str(refused.value)


def test_advice_on_tables_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("x.csv", "head.csv", "semicolon.csv", "tab.tsv", "space.dat"):
        (tmp_path / name).write_bytes(FOREIGN[name][0])
        with pytest.raises(ValueError, match="is a table") as refused:
            read_data(name)
        mark, skipped, target = re.search(
            r"save\('(?P<target>[^']*)'.*delimiter=(?P<mark>None|'[^']*'), skiprows=(?P<skipped>\d)", str(refused.value)
        ).group("mark", "skipped", "target")
        np.save(target, np.loadtxt(name, delimiter=ast.literal_eval(mark), skiprows=int(skipped)))
        assert np.allclose(read_data(target).x, X)


# -- the command -----------------------------------------------------------------------------------------

LINES = {
    "directory as data": (["net.npz", "--data", "folder"], "data: 'folder' is a directory"),
    "directory as network": (["folder", "--data", "data.npz"], "network: 'folder' is a directory"),
    "directory as labels": (["net.npz", "--data", "data.npz", "--labels", "folder"], "labels: 'folder' is a directory"),
    "nothing as data": (["net.npz", "--data", "none.npz"], "data: there is no file 'none.npz'"),
    "nothing as network": (["none.npz", "--data", "data.npz"], "No such file or directory: 'none.npz'"),
    "nothing as labels": (["net.npz", "--data", "data.npz", "--labels", "none"], "labels = 'none' is neither"),
    "no name": (["net.npz", "--data", ""], "data is an empty name"),
    "no name of a network": (["", "--data", "data.npz"], "network is an empty name"),
    "no name of a page": (["net.npz", "--data", "data.npz", "--out", ""], "out is an empty name"),
    "text": (["net.npz", "--data", "README.md"], "is text, not an array"),
    "text as network": (["README.md", "--data", "data.npz"], "README.md"),
    "table with a head": (["net.npz", "--data", "head.csv"], "skiprows=1"),
    "pickle": (["net.npz", "--data", "x.joblib"], "is a pickle"),
    "pickle as network": (["x.joblib", "--data", "data.npz"], "is a pickle"),
    "cut off": (["net.npz", "--data", "torn.npz"], "cut off or damaged"),
    "other inputs": (["net.npz", "--data", "wide.npy"], "the data have 5 numbers per sample"),
    "labels of another length": (["net.npz", "--data", "data.npz", "--labels", "few.npy"], "labels have shape (5,)"),
    "unwritable": (["net.npz", "--data", "data.npz", "--out", "/proc/page"], "cannot be written to"),
    "a file as page": (["net.npz", "--data", "data.npz", "--out", "few.npy"], "is a file; give a directory"),
    "no samples": (["net.npz", "--data", "data.npz", "--samples", "0"], "samples = 0 is outside"),
    "negative seed": (["net.npz", "--data", "data.npz", "--seed", "-1"], "--seed = -1 is outside"),
    "odd draws": (["net.npz", "--data", "data.npz", "--draws", "5"], "draws = 5 is odd"),
}


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_network(Network.random([3, 5, 2], rng=0), tmp_path / "net.npz")
    np.savez("data.npz", x=X, y=np.arange(12) % 2)
    np.save("wide.npy", np.ones((12, 5)))
    np.save("few.npy", np.arange(5))
    (tmp_path / "folder").mkdir()
    (tmp_path / "torn.npz").write_bytes((tmp_path / "data.npz").read_bytes()[:200])
    for name in ("README.md", "head.csv", "x.joblib"):
        (tmp_path / name).write_bytes(FOREIGN[name][0])
    return tmp_path


@pytest.mark.parametrize("case", LINES)
def test_odd_input_is_one_line_and_nothing_is_written(case, files, capsys):
    arguments, message = LINES[case]
    before = sorted(files.rglob("*"))
    assert main(["inspect", *arguments]) == 2
    out, error = capsys.readouterr()
    assert not out
    assert re.fullmatch(r"error: [^\n]+\n", error), "no progress of work that leads to nothing, no traceback"
    assert message in error
    assert sorted(files.rglob("*")) == before


def test_the_version(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"statnn {version('statnn')}\n"


def test_a_checkout_that_is_not_installed_runs(monkeypatch):
    def missing(package):
        raise PackageNotFoundError(package)

    monkeypatch.setattr("importlib.metadata.version", missing)
    assert statnn.__version__ == "not installed"
