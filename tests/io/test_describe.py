"""Files say where they come from, whatever wrote them."""

import json
import logging
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure

import statnn
from statnn import Network, inspection, plot
from statnn.__main__ import main
from statnn._archive.store import opened
from statnn.io import describe, save, save_network
from statnn.io._safetensors import write
from statnn.montecarlo._progress import Lines, reporter

EVERYWHERE = {"versions", "commit", "system", "processor", "blas"}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A file of every kind, read only."""
    tmp_path = tmp_path_factory.mktemp("files")
    save({"x": np.zeros(3)}, tmp_path / "result.npz")
    with opened(tmp_path / "store", {"sweeps": 3}) as store:
        for name in ("two", "one"):
            store.put(name, 1)
    (tmp_path / "store" / ".one.npz").write_bytes(b"")  # what a killed process left of a write
    with plot.style():
        figure = Figure()
        figure.add_subplot().plot([1, 4])
        plot.save(figure, tmp_path / "figure", y=[1, 4])
    net = Network.random([3, 2], rng=0)
    for name in ("net.npz", "net.safetensors", "same.npz"):
        save_network(net, tmp_path / name)
    inspection.inspect(net, np.ones((9, 3)), only=["layers"], rng=0).write(tmp_path / "page")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("result.npz", "statnn.value"),
        ("store", "statnn.store"),
        ("figure.svg", "statnn.figure"),
        ("figure.png", "statnn.figure"),
        ("figure.pdf", "statnn.figure"),
        ("figure.npz", "statnn.figure"),
        ("net.npz", "statnn.Network"),
        ("net.safetensors", "statnn.Network"),
        ("page", None),
        ("page/index.html", "statnn.inspection"),
    ],
)
def test_every_kind_of_file_says_where_it_comes_from(name, kind, files):
    description = describe(files / name)
    assert description.keys() >= EVERYWHERE
    assert description.get("format") == kind
    assert description["versions"]["statnn"] == statnn.__version__
    assert ("command" in description and "time" in description) == name.startswith(("result", "store", "page"))
    if kind in ("statnn.value", "statnn.figure", None):
        assert re.fullmatch("[0-9a-f]{64}", description["digest"])


def test_networks_say_their_arrays_and_equal_ones_are_equal_files(files):
    for name in ("net.npz", "net.safetensors"):
        assert describe(files / name)["arrays"] == {"0.weight": "float64 (2, 3)", "0.bias": "float64 (2,)"}
    assert (files / "net.npz").read_bytes() == (files / "same.npz").read_bytes()


def test_details_of_a_store_and_of_a_result(files):
    assert describe(files / "store")["key"] == {"sweeps": 3, "statnn": statnn.__version__}
    assert describe(files / "store")["entries"] == ["one.npz", "two.npz"]
    assert describe(files / "result.npz")["arrays"] == {"value.x": "float64 (3,)"}


def test_suffixes_may_be_in_capitals(files, tmp_path):
    (tmp_path / "FIGURE.SVG").write_bytes((files / "figure.svg").read_bytes())
    assert describe(tmp_path / "FIGURE.SVG") == describe(files / "figure.svg")


def test_records_and_claims_are_counted(tmp_path):
    (tmp_path / "records.jsonl").write_text('{"format": "some"}\n{}\n{}\n')
    assert describe(tmp_path / "records.jsonl") == {"format": "some", "records": 2}
    (tmp_path / "verdicts.json").write_text(json.dumps({"run": {"commit": "some"}, "claims": [{}, {}, {}]}))
    assert describe(tmp_path) == {"format": "statnn.validation", "commit": "some", "claims": 3}


def test_figures_of_equal_data_have_equal_digests(files):
    digests = {describe(files / f"figure.{suffix}")["digest"] for suffix in ("svg", "pdf", "png", "npz")}
    assert len(digests) == 1
    with np.load(files / "figure.npz") as data:
        assert data.files == ["y"]


def test_what_says_nothing_is_refused(tmp_path):
    save_network(Network.random([2, 2], rng=0), tmp_path / "net.npz")
    assert describe(tmp_path / "net.npz")["format"] == "statnn.Network"
    np.savez(tmp_path / "bare.npz", x=1)
    (tmp_path / "bare.svg").write_text("<svg/>")
    (tmp_path / "bare.png").write_bytes(b"\x89PNG")
    (tmp_path / "bare.json").write_text("{}")
    (tmp_path / "bare.pdf").write_bytes(b"%PDF-1.4")
    for name in ("bare.npz", "bare.svg", "bare.png", "bare.json", "bare.pdf"):
        with pytest.raises(ValueError, match="says nothing of where it comes from"):
            describe(tmp_path / name)
    with pytest.raises(ValueError, match=r"holds none of store\.json"):
        describe(tmp_path)
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(ValueError, match=r"suffix '\.txt'"):
        describe(tmp_path / "notes.txt")
    with pytest.raises(FileNotFoundError, match=r"there is no '.*long\.run'"):
        describe(tmp_path / "long.run")


OTHERS = {
    "list.json": "[1]", "other.json": "{}", "no.json": "no", "words.json": '{"provenance": "my desk"}',
    "run.json": '{"run": 3, "claims": []}', "empty.jsonl": "", "line.jsonl": "\n",
}  # fmt: skip


@pytest.mark.parametrize("name", ["plain.npz", "plain.safetensors", *OTHERS])
def test_files_of_others_are_told_in_words(name, tmp_path):
    np.savez(tmp_path / "plain.npz", x=np.ones(3))
    with (tmp_path / "plain.safetensors").open("wb") as file:  # with metadata, and none of statnn
        write(file, {"0.weight": np.ones((2, 2))}, {"format": "pt"})
    for other, text in OTHERS.items():
        (tmp_path / other).write_text(text)
    with pytest.raises(ValueError, match=r"says nothing of where it comes from: it holds no description$"):
        describe(tmp_path / name)


def test_the_command_prints_it(files, capsys):
    assert main(["describe", str(files / "store")]) == 0
    said = capsys.readouterr().out
    assert re.search(r"^  sweeps +3$", said, re.MULTILINE)
    assert re.search(r"^  numpy +\d", said, re.MULTILINE)
    assert main(["describe", str(files / "nothing.npz")]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_a_line_a_minute_is_logged(caplog):
    times = iter([0.0, *range(0, 181, 20)])
    lines = Lines(1000, lambda: next(times))
    with caplog.at_level(logging.INFO, "statnn"):
        for _ in range(10):
            lines.update(100)
    assert [record.getMessage() for record in caplog.records] == [
        "400 of 1000 sweeps (40 %), 6.67 a second, 1.5 minutes left",
        "700 of 1000 sweeps (70 %), 5.83 a second, 0.857 minutes left",
        "1000 of 1000 sweeps (100 %), 5.56 a second, 0 minutes left",
    ]


def test_nothing_is_said_by_itself_where_there_is_no_terminal(capsys, caplog):
    with caplog.at_level(logging.INFO), reporter(None, 10) as silent, reporter(True, 10) as logged:  # noqa: FBT003
        silent.advance(10)
        logged.advance(10)
    assert not caplog.records
    assert capsys.readouterr().err == ""


def test_there_is_a_bar_on_a_terminal(monkeypatch):
    """Unasked, too, where tqdm is installed."""
    bars = []

    class Bar:
        def __init__(self, total, **_):
            self.left = total
            bars.append(self)

        def update(self, amount):
            self.left -= amount

        def close(self):
            self.left = "closed"

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setitem(sys.modules, "tqdm", SimpleNamespace(tqdm=Bar))
    for asked in (None, True):
        with reporter(asked, 10) as shown:
            shown.advance(4)
            assert bars[-1].left == 6
        assert bars[-1].left == "closed"
    with reporter(False, 10):  # noqa: FBT003
        assert len(bars) == 2
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with reporter(None, 10) as silent:
        silent.advance(4)
    with pytest.raises(ValueError, match="progress=True needs tqdm"):
        reporter(True, 10)  # noqa: FBT003


def test_the_text_of_a_result_is_plain_json(files):
    with np.load(files / "result.npz", allow_pickle=False) as plain:
        assert json.loads(plain["statnn"].item())["provenance"]["time"]


def test_an_empty_name_is_not_the_folder_one_is_in(files, monkeypatch):
    with opened(files / "empty", {"sweeps": 10}):
        monkeypatch.chdir(files / "empty")
    with pytest.raises(ValueError, match="path = '' is an empty name"):
        describe("")


def test_a_store_says_how_far_every_block_of_a_run_has_come(tmp_path):
    """It does so whatever the order of the names: that of the last draws is not the last of them."""
    with opened(tmp_path / "run", {"draws": 30}) as store:
        for name in ("block-0.draws-0-8", "block-0.draws-8-16", "block-0.draws-16-24", "block-1.done", "block-2.state"):
            store.put(name, 1)
    assert describe(tmp_path / "run")["progress"] == {
        "block-0": "24 of 30 draws", "block-1": "30 of 30 draws", "block-2": "0 of 30 draws",
    }  # fmt: skip
