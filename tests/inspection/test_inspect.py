"""The page on a user's network shows what the rooms say, says why where it cannot, and appears whole or not at all."""

import base64
import errno
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from clouds import UNITS, column, subject, written

from statnn.__main__ import BAD_INPUT, DONE, main
from statnn._typeset import typeset
from statnn.inspection import QUESTIONS, Data, Measured, Section, Table, inspect
from statnn.inspection._files import put
from statnn.inspection._inspect import Inspection
from statnn.inspection._section import Picture, share, shown
from statnn.io import _safetensors
from statnn.network import BatchNorm, Network

PICTURES = {"activity", "basins", "classes", "layers", "order", "phase", "spikes", "strength"}


@pytest.fixture(scope="module")
def whole():
    net, x, labels = subject()
    return inspect(net, x, labels, rng=1, basins=20, draws=8, name="clouds")


# -- the numbers are those of the rooms ------------------------------------------------------------------


def test_every_question_is_answered(whole):
    assert [section.name for section in whole.sections] == list(QUESTIONS)
    for section in whole.sections:
        assert not section.reason
        assert section.about
        assert section.tables or section.facts
        assert section.results or section.name == "layers"
        assert {picture.name for picture in section.pictures} <= {section.name}
    pictures = [picture for section in whole.sections for picture in section.pictures]
    assert {picture.name for picture in pictures} == PICTURES
    for picture in pictures:
        assert all(ax.get_xlabel() for ax in picture.figure().axes)
        assert picture.caption
        assert picture.data


def test_a_seed_gives_the_page_again(whole):
    net, x, labels = subject()
    again = inspect(net, x, labels, rng=1, basins=20, draws=8, only=["basins", "spikes"])
    assert [section.name for section in again.sections] == ["spikes", "basins"]
    for section in again.sections:
        assert section.plain() | {"seconds": 0} == whole[section.name].plain() | {"seconds": 0}
    other = inspect(net, x, labels, rng=2, basins=20, draws=8, only=["basins"])
    assert other["basins"].tables[0].rows != whole["basins"].tables[0].rows
    with pytest.raises(KeyError, match="there is no section 'order'; choose from basins"):
        other["order"]


def test_the_order_of_hidden_units_does_not_matter(whole):
    net, x, labels = subject()
    at = np.random.default_rng(0).permutation(UNITS)
    old = net.normalisations[0]
    norm = BatchNorm(old.mean[at], old.variance[at], epsilon=old.epsilon)
    weights = [net.raw_weights[0][at], net.raw_weights[1][:, at], net.raw_weights[2]]
    turned = Network(weights, None, net.activations, normalisations=[norm, None, None])
    again = inspect(turned, x, labels, rng=1, only=["activity", "order", "strength"])
    for name in ("activity", "order", "strength"):
        pairs = zip(whole[name].tables[0].rows, again[name].tables[0].rows, strict=True)
        assert all(flat(row) == pytest.approx(flat(other), rel=1e-6, nan_ok=True) for row, other in pairs)


def flat(row):
    values = [cell.value if isinstance(cell, Measured) else cell for cell in row]
    return [float(value) for value in values if isinstance(value, int | float)]


def test_more_samples_than_wanted_are_a_random_subset():
    net, x, labels = subject()
    some = inspect(net, x, labels, samples=100, rng=3, only=["layers"])
    assert len(some.data.x) == 100
    assert "a random 100 of them" in some.data.source
    assert {tuple(row) for row in some.data.x} < {tuple(row) for row in x}
    reports = []
    inspect(net, x, labels, samples=50, only=["activity"], progress=lambda *what: reports.append(what))
    assert reports[0] == ("activity", 0, 1)
    assert reports[-1] == ("activity", 1, 1)
    assert ("activity", 1, 2) in reports


# -- what cannot be asked --------------------------------------------------------------------------------


def test_without_labels():
    net, x, _ = subject()
    page = inspect(net, x, rng=0, basins=5, draws=4, only=iter(["layers", "spikes", "order", "basins"]))
    assert page["order"].reason == "no labels were given"
    assert "accuracy" not in page["layers"].facts
    assert column(page["spikes"], "order") == ["shuffled", "shuffled"]
    assert any("not presented class by class" in remark for remark in page["spikes"].remarks)
    assert any("taken as a classifier" in remark for remark in page["basins"].remarks)
    assert not page["basins"].reason
    assert len(page["basins"].tables) == 1


def test_networks_of_one_layer_and_of_one_unit():
    x = np.random.default_rng(0).normal(size=(50, 2))
    page = inspect(Network([np.eye(2)]), x, rng=0, basins=5, draws=4)
    for name in ("activity", "spikes", "correlation"):
        assert page[name].reason == "the network has one layer of weights and so no hidden units"
    assert "one layer" in page["phase"].reason
    assert not page["strength"].reason
    narrow = inspect(Network([[[1.0, 1.0]], [[1.0]], [[1.0]]], activation="relu"), x, rng=0, basins=5, draws=4)
    assert "at least two units" in narrow["activity"].reason
    assert not narrow["spikes"].reason
    assert any("a correlation needs two" in remark for remark in narrow["correlation"].remarks)
    dead = Network([np.zeros((8, 2)), np.zeros((2, 8))], None, "relu")
    silent = inspect(dead, x, rng=0, basins=5, draws=4)
    assert column(silent["spikes"], "silent") == [8]
    assert column(silent["spikes"], "MFF") == [None]
    assert any("no law has a finite fit" in remark for remark in silent["activity"].remarks)
    assert column(silent["activity"], "law") == [None]
    assert all(
        shown(cell) for section in silent.sections for table in section.tables for row in table.rows for cell in row
    )


def test_sigmoid_units_are_active_above_one_half():
    x = np.random.default_rng(0).normal(size=(60, 3))
    net = Network([np.ones((UNITS, 3)), np.ones((2, UNITS))], None, ["sigmoid", "identity"])
    assert column(inspect(net, x, only=["activity"])["activity"], "threshold") == [0.5]
    assert column(inspect(net, x, only=["activity"], threshold=0.3)["activity"], "threshold") == [0.3]


def test_arguments_that_do_not_fit():
    net, x, labels = subject()
    cases = [
        ({"data": x[:, :5]}, ValueError, "the data have 5 numbers per sample .* the network takes 6"),
        ({"data": x[:1]}, ValueError, "there is one sample"),
        ({"labels": labels[:5]}, ValueError, r"labels have shape \(5,\) for 240 samples"),
        ({"only": "order"}, TypeError, "pass a list of names"),
        ({"only": ["colour"]}, ValueError, "only = 'colour' is not a question; choose from layers, activity"),
        ({"threshold": "0.5"}, TypeError, "threshold must hold real numbers"),
        ({"threshold": np.nan}, ValueError, "threshold = nan is not a finite number"),
        ({"data": Data(x, None, "mine")}, TypeError, "the Data hold them already"),
        ({"data": np.where(x == x[7, 4], np.nan, x)}, ValueError, "first nan at input 4 of sample 7: leave out such"),
        ({"data": (x, labels)}, TypeError, r"the data are a pair; .* inspect\(network, x, y\)"),
        ({"data": "x.csv"}, FileNotFoundError, r"data: there is no file .x\.csv."),
        ({"basins": 0}, ValueError, "basins = 0 is outside"),
        ({"samples": 10**6, "data": np.broadcast_to(x[0], (10, 6)), "window": 0}, ValueError, "window = 0 is outside"),
    ]
    for changes, error, match in cases:
        arguments = {
            "data": x,
            "labels": None if "data" in changes and "mine" not in str(changes) else labels,
        } | changes
        with pytest.raises(error, match=match):
            inspect(net, arguments.pop("data"), arguments.pop("labels"), **arguments)


def test_an_executor_changes_no_number(whole):
    net, x, labels = subject()
    names = ["order", "basins", "correlation"]
    with ThreadPoolExecutor(2) as pool:
        again = inspect(net, x, labels, rng=1, basins=20, draws=8, only=names, executor=pool)
    for name in names:
        assert again[name].plain() | {"seconds": 0} == whole[name].plain() | {"seconds": 0}
    with pytest.raises(TypeError, match="executor = 2 is an int; pass an executor"):
        inspect(net, x, labels, executor=2)


def test_draws_come_in_pairs():
    net, x, labels = subject()
    with pytest.raises(ValueError, match=r"draws = 33 is odd.*pass 34"):
        inspect(net, x, labels, draws=33)


def test_titles_do_not_depend_on_the_answer(whole):
    alone = inspect(Network.random([6, 3], rng=0), np.zeros((1, 6)).repeat(2, axis=0), rng=0)
    assert [section.title for section in alone.sections] == [section.title for section in whole.sections]
    assert any(section.reason for section in alone.sections)


def test_a_window_that_is_too_long_is_a_reason():
    net, x, labels = subject()
    page = inspect(net, x, labels, window=200, only=["spikes"])
    assert "window" in page["spikes"].reason


# -- the page --------------------------------------------------------------------------------------------


class Tags(HTMLParser):
    """Checks that tags close each other, and collects links and images."""

    empty = frozenset({"meta", "img", "br", "source"})

    def __init__(self):
        super().__init__()
        self.open, self.links, self.images, self.ids = [], [], [], []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.links += [given["href"]] if "href" in given else []
        self.images += [given[name] for name in ("src", "srcset") if name in given]
        self.ids += [given["id"]] if "id" in given else []
        if tag not in self.empty:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def part(page, *names):
    return Inspection(page.net, page.name, page.data, tuple(page[name] for name in names), page.seed)


def test_the_page_stands_alone(whole, tmp_path):
    names_of_sections = ["layers", "basins", "correlation"]
    part(whole, *names_of_sections).write(tmp_path / "page")
    names = {file.name for file in (tmp_path / "page").iterdir()}
    (tmp_path / "other").mkdir()
    assert len({(tmp_path / name).stat().st_mode for name in ("page", "other")}) == 1  # temporary folders are private
    assert names == {
        "index.html",
        "numbers.json",
        *(f"{name}.{end}" for name in ("layers", "basins") for end in ("svg", "pdf", "png", "npz", "txt", "tex")),
    }
    page = (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(page)
    assert not tags.open
    assert tags.ids == names_of_sections
    for link in tags.links:
        assert link[1:] in tags.ids if link.startswith("#") else link in names
    assert len(tags.images) == 4  # wide and narrow
    for image in tags.images:
        assert base64.b64decode(image.removeprefix("data:image/svg+xml;base64,")).startswith(b"<?xml")
    assert "<script" not in page
    assert "clouds under the microscope" in page
    numbers = json.loads((tmp_path / "page" / "numbers.json").read_text(encoding="utf-8"))
    assert list(numbers["sections"]) == names_of_sections
    accuracy = numbers["sections"]["layers"]["facts"]["accuracy"]
    assert accuracy == {
        "value": whole["layers"].facts["accuracy"].value,
        "error": whole["layers"].facts["accuracy"].error,
    }
    with np.load(tmp_path / "page" / "basins.npz") as arrays:
        assert np.array_equal(arrays["radius_samples"], whole["basins"].results["samples"].radius)


def test_names_cannot_become_markup(tmp_path):
    net, x, _ = subject()
    inspect(net, x, only=["order"], name="<script>alert(1)</script>&").write(tmp_path / "page")
    page = (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "Not possible here: no labels were given" in page


@pytest.mark.parametrize(
    ("words", "html"),
    [
        ("σ_w is that of W", "<var>σ</var><sub><var>w</var></sub> is that of <var>W</var>"),
        ("k^−α, a Pearson's r²", "<var>k</var><sup>−<var>α</var></sup>, a Pearson's <var>r</var>²"),
        ("Σ_out W < 6(1−π)", "Σ<sub>out</sub> <var>W</var> &lt; 6(1−<var>π</var>)"),
        ("σ* & c/N of x-rays", "<var>σ</var>* &amp; <var>c</var>/<var>N</var> of x-rays"),
    ],
)
def test_symbols_are_typeset(words, html):
    assert typeset(words) == html


def test_no_symbol_of_the_page_is_left_as_typed(whole, tmp_path):
    without_figures = [replace(section, pictures=()) for section in whole.sections]
    Inspection(whole.net, "plain", whole.data, tuple(without_figures), whole.seed).write(tmp_path / "page")
    page = (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
    body = re.sub(r"<[^>]*>", "", page.partition("<main>")[2])
    assert not re.findall(r"\w_\w|\^", body)
    assert not re.findall(r"\de[+-]?\d", body)


def broken(_):
    raise RuntimeError("the ink is dry")


def refused(_):
    raise ValueError("no line <has> been found")


def test_layers_have_one_numbering_on_the_page(whole):
    plane, signals = whole["phase"].pictures[0].figure().axes
    assert [text.get_text() for text in plane.texts] == ["2", "3"]
    assert [line.get_xdata().tolist() for line in signals.lines[:1]] == [[1, 2, 3]]
    fluctuation = whole["strength"].pictures[0].figure().axes[0]
    assert fluctuation.lines[-1].get_xdata().tolist() == [0, 1, 2, 3]


def test_a_figure_that_cannot_be_drawn_leaves_the_numbers(whole, tmp_path):
    bad = Section("bad", "Bad", "", facts={"kept": 1}, pictures=(Picture("bad", "", refused, {"a": np.zeros(1)}),))
    Inspection(whole.net, "torn", whole.data, (bad, whole["correlation"]), whole.seed).write(tmp_path / "page")
    assert {file.name for file in (tmp_path / "page").iterdir()} == {"index.html", "numbers.json"}
    page = (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
    assert "figure &#x27;bad&#x27; cannot be drawn: no line &lt;has&gt; been found" in page
    assert "<dt>kept</dt><dd>1</dd>" in page
    numbers = json.loads((tmp_path / "page" / "numbers.json").read_text(encoding="utf-8"))
    assert numbers["sections"]["bad"]["remarks"] == ["figure 'bad' cannot be drawn: no line <has> been found"]


def test_a_page_that_cannot_be_written_is_called_by_its_own_name(tmp_path):
    """The error does not name a temporary folder."""

    def full(aside):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(aside / "layers.svg"))

    for folder in (tmp_path, tmp_path / "page"):
        with pytest.raises(OSError, match=f"No space left on device: {str(folder)!r}$"):
            put(folder, full)
    with pytest.raises(FileNotFoundError, match=r"'font'$"):  # another missing file keeps its name
        put(tmp_path, lambda _: Path("font").read_bytes())
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(NotADirectoryError, match="is a link to nothing; give a directory"):
        put(tmp_path / "link", full)
    assert [path.name for path in tmp_path.iterdir()] == ["link"]


def test_a_page_appears_whole_or_not_at_all(whole, tmp_path):
    bad = Section("bad", "Bad", "", pictures=(Picture("bad", "", broken, {"a": np.zeros(1)}),))
    torn = Inspection(whole.net, "torn", whole.data, (whole["strength"], bad), whole.seed)
    with pytest.raises(RuntimeError, match="the ink is dry"):
        torn.write(tmp_path / "new")
    assert not list(tmp_path.iterdir())
    old = tmp_path / "old"
    old.mkdir()
    (old / "index.html").write_text("before", encoding="utf-8")
    (old / "other.txt").write_text("kept", encoding="utf-8")
    torn = Inspection(whole.net, "torn", whole.data, (whole["layers"], bad), whole.seed)
    with pytest.raises(RuntimeError, match="the ink is dry"):
        torn.write(old)
    assert {file.name for file in old.iterdir()} == {"index.html", "other.txt"}
    assert (old / "index.html").read_text(encoding="utf-8") == "before"
    part(whole, "layers", "correlation").write(old)
    assert "clouds under the microscope" in (old / "index.html").read_text(encoding="utf-8")
    assert (old / "other.txt").exists()
    assert [file.name for file in tmp_path.iterdir()] == ["old"]
    with pytest.raises(NotADirectoryError, match="is a file; give a directory"):
        whole.write(old / "other.txt")
    with pytest.raises(FileNotFoundError, match="make it first"):
        whole.write(tmp_path / "no" / "where")


def test_the_page_is_written_where_nothing_beside_it_can_be(whole, tmp_path, monkeypatch):
    """As where the directory is the root of another file system: no file can be moved into it from outside."""
    target, move, moved = tmp_path / "volume", Path.replace, []
    target.mkdir()

    def inside(self, other):
        assert target in self.parents
        moved.append(self.name)
        return move(self, other)

    monkeypatch.setattr(Path, "replace", inside)
    part(whole, "basins").write(target)
    assert (target / "index.html").is_file()
    assert moved[-1] == "index.html"  # last, beside all that it names
    assert not [file for file in target.iterdir() if file.name.startswith(".")]


def test_numbers_are_shown_with_the_digits_they_have():
    assert str(Measured(1.0, 2.2e-17)) == "1"
    assert [shown(value) for value in (None, 3, 0.5, 1e-12, np.inf, -np.inf, "tanh")] == [
        "–", "3", "0.5", "1 × 10⁻¹²", "∞", "−∞", "tanh",
    ]  # fmt: skip
    assert str(Measured(0.98765, 0.0123)) == "0.988 ± 0.012"
    assert str(Measured(1234.5, 67.0)) == "1234 ± 67"
    assert str(Measured(np.inf, np.nan)) == "∞ ± nan"
    whole = share(1.0, 100)
    assert whole.value == 1
    assert 0.005 < whole.error < 0.03
    with pytest.raises(ValueError, match="a heading stands twice"):
        Table(["a", "a"], [])
    with pytest.raises(ValueError, match="a row has 1 entries for 2 columns"):
        Table(["a", "b"], [[1]])
    assert Section("s", "S", "", facts={"x": np.inf}).plain()["facts"] == {"x": "inf"}


# -- the command line ------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path):
    return written(tmp_path)


def test_the_command_in_a_process_of_its_own(files):
    command = [sys.executable, "-m", "statnn", "inspect", "net.safetensors", "--data", "data.npz"]
    ran = subprocess.run(  # noqa: S603 - our own words
        [*command, "--only", "layers", "strength"], cwd=files, capture_output=True, text=True, check=False
    )
    assert ran.returncode == DONE, ran.stderr
    assert "Node strength" in ran.stdout
    assert "net-inspection/index.html" in ran.stdout
    assert ran.stderr.split("\n")[:2] == ["layers ...", "strength ..."]
    assert (files / "net-inspection" / "index.html").exists()


def test_bad_commands_say_why_and_write_nothing(files, capsys, monkeypatch):
    monkeypatch.chdir(files)
    (files / "torn.npz").write_bytes(b"PK\x03\x04torn")
    (files / "file").write_text("x", encoding="utf-8")
    before = {file.name for file in files.iterdir()}
    cases = [
        (["nothing.npz", "--data", "data.npz"], "No such file or directory: 'nothing.npz'"),
        (["net.pt", "--data", "data.npz"], "is a pickle, which can run any program"),
        (["torn.npz", "--data", "data.npz"], "is not an npz file, or it is cut off or damaged"),
        (["net.safetensors", "--data", "torn.npz"], "is not an npz file, or it is cut off or damaged"),
        (["net.safetensors", "--data", "nothing.npy"], "nothing.npy"),
        (["net.safetensors", "--data", "data.npz", "--out", "file"], "is a file; give a directory"),
        (["net.safetensors", "--data", "data.npz", "--out", "no/where"], "does not exist; make it first"),
        (["net.safetensors", "--data", "data.npz", "--only", "colour"], "is not a question"),
        (["net.safetensors", "--data", "data.npz", "--labels", "y2"], "is neither an array of the data nor"),
        (["net.safetensors", "--data", "data.npz", "--activation", "tanh"], "says its activations itself"),
    ]
    for arguments, message in cases:
        assert main(["inspect", *arguments]) == BAD_INPUT
        out, error = capsys.readouterr()
        assert message in error
        assert error.startswith("error: ")
        assert "Traceback" not in error
        assert not out
    for wrong in ([], ["inspect"], ["inspect", "net.npz"], ["paint"], ["inspect", "net.npz", "--data"]):
        with pytest.raises(SystemExit) as stop:
            main(wrong)
        assert stop.value.code == 2
    assert {file.name for file in files.iterdir()} == before


def test_a_quiet_command_with_choices(files, capsys, monkeypatch):
    monkeypatch.chdir(files)
    np.savez(files / "bare.npz", **{"0.weight": np.eye(3, 6)})
    arguments = ["--data", "data.npz", "--activation", "identity", "--only", "strength", "--out", "page", "--quiet"]
    assert main(["inspect", "bare.npz", *arguments]) == DONE
    out, error = capsys.readouterr()
    assert (out, error) == ("", "")
    assert "bare.npz under the microscope" in Path("page/index.html").read_text(encoding="utf-8")


def test_the_order_of_layers_is_said_where_the_file_keeps_none(files, capsys, monkeypatch):
    monkeypatch.chdir(files)
    decoder, encoder = np.diag([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), np.eye(6)[[1, 2, 3, 4, 5, 0]]
    with Path("auto.safetensors").open("wb") as file:
        _safetensors.write(file, {"decoder.weight": decoder, "encoder.weight": encoder}, {})
    bare = ["inspect", "auto.safetensors", "--data", "data.npz", "--activation", "identity"]
    rest = ["--only", "layers", "--out", "page", "--quiet"]
    assert main([*bare, *rest]) == BAD_INPUT
    assert "in which order do 'decoder', 'encoder' act?" in capsys.readouterr().err
    order = ["encoder", "decoder"]
    assert main([*bare, "--layers", *order, *rest]) == DONE
    x = np.load("data.npz")["x"]
    for first, second, names in ((encoder, decoder, order), (decoder, encoder, order[::-1])):
        page = inspect("auto.safetensors", x, activation="identity", layers=names, only=["layers"], rng=0)
        assert np.allclose(page.net(x), x @ first.T @ second.T, rtol=1e-12)
    assert main(["inspect", "net.safetensors", "--data", "data.npz", "--layers", "a", *rest]) == BAD_INPUT
    assert "says the order of its layers itself" in capsys.readouterr().err


# -- networks of other libraries -------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_network_of_scikit_learn():
    neural = pytest.importorskip("sklearn.neural_network")
    _, x, labels = subject()
    model = neural.MLPClassifier((UNITS,), max_iter=40, random_state=0).fit(x, labels)
    page = inspect(model, x, labels, rng=0, basins=5, draws=4)
    assert page.name == "MLPClassifier"
    assert page["layers"].facts["accuracy"].value == pytest.approx(model.score(x, labels))
    assert any("before the softmax" in remark for remark in page["layers"].remarks)
    assert not any(section.reason for section in page.sections)


def test_a_network_of_torch():
    torch = pytest.importorskip("torch")
    _, x, labels = subject()
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(6, 60), torch.nn.BatchNorm1d(60), torch.nn.ReLU(), torch.nn.Linear(60, 3)
    )
    model(torch.as_tensor(x, dtype=torch.float32))  # moves the running statistics
    page = inspect(model.eval(), x, labels, rng=0, only=["layers", "activity", "order", "phase"])
    assert column(page["layers"], "batch norm") == ["yes", "no"]
    assert not any(section.reason for section in page.sections)
