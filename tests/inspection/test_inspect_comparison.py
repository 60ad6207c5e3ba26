"""Several networks on one page: each number is that of a network's own page, and who is right where is counted."""

import json
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from clouds import subject
from scipy import stats

from statnn.__main__ import BAD_INPUT, DONE, main
from statnn.inspection import Comparison, Measured, inspect
from statnn.inspection._comparison import _classes, _pictures, _points, _section
from statnn.inspection._section import Section, Table, share, shown
from statnn.io import save_network
from statnn.network import Network

OPTIONS = {"rng": 1, "basins": 8, "draws": 4}


def networks():
    net, x, labels = subject()
    rng = np.random.default_rng(7)
    noisy = Network(
        [w + 0.3 * rng.normal(size=w.shape) for w in net.raw_weights], None, net.activations,
        normalisations=net.normalisations,
    )  # fmt: skip
    flat = Network([net.weights[0], net.weights[2]], None, ["relu", "identity"])
    return {"first": net, "noisy": noisy, "flat": flat}, x, labels


@pytest.fixture(scope="module")
def compared():
    nets, x, labels = networks()
    return inspect(nets, x, labels, **OPTIONS)


def test_every_number_is_that_of_the_network_alone(compared):
    nets, x, labels = networks()
    assert list(compared.inspections) == list(nets)
    alone = inspect(nets["noisy"], x, labels, name="noisy", **OPTIONS)
    for section, other in zip(compared.inspections["noisy"].sections, alone.sections, strict=True):
        assert section.plain() | {"seconds": 0} == other.plain() | {"seconds": 0}
    for section in compared.sections:
        parts = [inspection[section.name].seconds for inspection in compared.inspections.values()]
        assert section.seconds == pytest.approx(math.fsum(parts))
        table = section.tables[0]
        at = list(table.columns).index("noisy")
        own = alone[section.name].tables[0]
        cells = {
            (*map(str, row[: own.keys]), name): cell
            for row in own.rows
            for name, cell in zip(own.columns[own.keys :], row[own.keys :], strict=True)
        }
        rows = {tuple(row[: table.keys]): row[at] for row in table.rows if row[0] != "network"}
        assert rows
        assert all(cells.get(key) == cell or cell is None for key, cell in rows.items())
        same = next((remark for remark in section.remarks if remark.startswith("the same in all: ")), ": ")
        folded = set(same.split(": ")[1].split(", "))
        assert {key[-1] for key in cells} <= {key[-1] for key in rows} | folded


def test_layers_that_one_network_lacks_have_no_number(compared):
    table = compared["activity"].tables[0]
    rows = {tuple(row[:2]): row[2:] for row in table.rows}
    assert rows["hidden 2", "c/N"][2] is None
    assert rows["hidden 2", "c/N"][0] is not None
    assert "difference" not in table.columns


def test_layers_stand_in_the_order_of_the_deepest_network():
    nets, x, _ = networks()
    section = inspect({name: nets[name] for name in ("flat", "first")}, x, only=["layers"], rng=0)["layers"]
    layers = list(dict.fromkeys(row[0] for row in section.tables[0].rows))
    assert layers == ["network", "hidden 1", "hidden 2", "outputs"]


def test_what_is_read_alike_is_the_same_and_few_unusual_sentences_are_told():
    parts = {f"n{k}": Section("s", "S", "", {"a": 0.12345 + k / 10**6, "b": k}, unusual=f"U{k}.") for k in range(4)}
    sections = [_section({name: parts[name] for name in list(parts)[:count]}) for count in (3, 4)]
    assert [[row[1] for row in section.tables[0].rows] for section in sections] == [["b"]] * 2
    assert sections[0].remarks == ["the same in all: a"]
    assert sections[0].unusual == "“n0”: U0. “n1”: U1. “n2”: U2."
    assert sections[1].unusual == "What is unusual of “n0”, “n1”, “n2”, “n3” stands on their pages."


def test_who_is_right_where_the_other_is_wrong(compared):
    nets, x, labels = networks()
    right = {name: net.trace(x).fields[-1].argmax(axis=1) == labels for name, net in nets.items()}
    answers = {name: net.trace(x).fields[-1].argmax(axis=1) for name, net in nets.items()}
    first, *others = compared["classes"].tables[1].rows
    assert first[:3] == ["first", Measured(float(right["first"].mean()), first[1].error), None]
    for row in others:
        name = row[0]
        gained, lost = np.sum(right[name] & ~right["first"]), np.sum(~right[name] & right["first"])
        assert row[2:4] == [gained, lost]
        smaller = min(gained, lost)
        p = min(1.0, 2 * stats.binom.cdf(smaller, gained + lost, 0.5))
        assert float(row[4]) == pytest.approx(p, rel=1e-9)
        assert row[5].value == np.mean(answers[name] == answers["first"])
    assert min(float(row[4]) for row in others) < 0.01 / 2
    assert "“noisy” is right on " in compared["classes"].unusual


@pytest.mark.parametrize("others", [1, 2])
def test_the_more_networks_are_compared_the_less_chance_says(others):
    """To be right on eight samples more and on none less has a probability of 2/2^8, doubled if two are compared."""
    labels = np.ones(20, dtype=int)
    right = {f"net {n}": (np.arange(20) < (20 if n else 12)).astype(int) for n in range(others + 1)}
    part = Section("classes", "", "", results={name: {"answers": answers} for name, answers in right.items()})
    section = _classes(part, dict.fromkeys(right, SimpleNamespace(data=SimpleNamespace(labels=labels))))
    assert [row[4] for row in section.tables[-1].rows[1:]] == [pytest.approx(2 / 2**8)] * others
    assert bool(section.unusual) == (others == 1)


def test_points_of_a_figure_have_their_errors():
    rows = [["hidden 1", Measured(2.0, 0.5)], ["hidden 2", 3.0], ["outputs", None]]
    section = Section("spikes", "", "", tables=(Table(["layer", "MFR"], rows),))
    assert _points(section, "MFR").tolist() == [[1.0, 2.0], [2.0, 3.0], [0.5, 0.0], [0.5, 0.0]]


@pytest.mark.parametrize(("right", "samples"), [(0, 1), (0, 9), (1, 1), (9, 9), (1, 9), (500, 1000)])
def test_bars_of_shares_are_their_intervals(right, samples):
    """They are those of (k+2)/(n+4), by hand, and reach k/n where that is beyond; all lie between 0 and 1."""
    middle = (right + 2) / (samples + 4)
    error = math.sqrt(middle * (1 - middle) / (samples + 4))
    rows = [[k, share(right / samples, samples)] for k in range(2)]
    section = Section("classes", "", "", tables=(Table(["class", "recognised"], rows),))
    (picture,) = _pictures("classes", {"one": section})
    figure = picture.figure()
    _, _, (bars,) = figure.axes[0].containers[0]
    for segment in bars.get_segments():
        low, high = segment[:, 1]
        assert low == pytest.approx(min(middle - error, right / samples), abs=1e-15)
        assert high == pytest.approx(max(middle + error, right / samples), abs=1e-15)
        assert -1e-15 <= low < high <= 1 + 1e-15


def test_two_networks_have_differences():
    nets, x, labels = networks()
    two = inspect({name: nets[name] for name in ("first", "noisy")}, x, labels, only=["order", "activity"], rng=1)
    table = two["order"].tables[0]
    assert list(table.columns) == ["layer", "quantity", "first", "noisy", "difference"]
    measured = [row for row in table.rows if isinstance(row[2], Measured) and isinstance(row[3], Measured)]
    assert measured
    for _, _, first, second, difference in measured:
        assert difference == Measured(second.value - first.value, math.hypot(first.error, second.error))
    plain = {tuple(row[:2]): row[2:] for row in two["activity"].tables[0].rows}
    first, second, difference = plain["hidden 1", "c/N"]
    assert difference == second - first
    assert plain["hidden 1", "p of fit"][2] is None


def test_a_network_and_itself_differ_in_nothing():
    nets, x, labels = networks()
    twins = inspect({"one": nets["first"], "two": nets["first"]}, x, labels, only=["layers", "classes"], rng=1)
    assert not twins["layers"].tables
    assert "σ_w" in twins["layers"].remarks[-1]
    row = twins["classes"].tables[-1].rows[1]
    assert row[2:5] == [0, 0, 1.0]
    assert row[5].value == 1.0
    assert "” is right on " not in twins["classes"].unusual


def test_what_cannot_be_asked_of_one_is_said_and_of_all_is_the_reason():
    nets, x, labels = networks()
    mixed = {"deep": nets["first"], "shallow": Network([nets["first"].weights[2] @ nets["first"].weights[0]])}
    page = inspect(mixed, x, labels, only=["activity", "strength"], rng=0)
    assert page["activity"].remarks[0] == (
        "shallow: not possible: the network has one layer of weights and so no hidden units"
    )
    assert not page["activity"].reason
    both = inspect({"a": mixed["shallow"], "b": mixed["shallow"]}, x, only=["activity", "classes"], rng=0)
    assert both["activity"].reason == "the network has one layer of weights and so no hidden units"
    assert both["classes"].reason == "no labels were given"


def test_figures_have_a_line_for_every_network(compared):
    assert {section.name for section in compared.sections if not section.pictures} == {"basins"}
    for section in compared.sections:
        for picture in section.pictures:
            assert all(ax.get_xlabel() and ax.get_ylabel() for ax in picture.figure().axes)
    left, right = compared["order"].pictures[0].figure().axes
    rows = compared.inspections["noisy"]["order"].tables[0].rows
    line = right.containers[1][0]
    assert line.get_xdata().tolist() == [0, 1, 2, 3]
    assert line.get_ydata().tolist() == [row[3].value for row in rows]
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["first", "noisy", "flat"]


def test_many_checkpoints_are_shaded_from_the_first_to_the_last():
    nets, x, _ = networks()
    checkpoints = {
        f"step {k}": Network([w * (1 + k / 9) for w in nets["flat"].weights], None, nets["flat"].activations)
        for k in range(9)
    }
    page = inspect(checkpoints, x, only=["layers"], rng=0)
    axes = page["layers"].pictures[0].figure().axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["step 0", "step 8"]
    assert len(axes.containers) == 9
    assert page["layers"].tables[0].columns == ["layer", "quantity", *checkpoints]


def test_names_with_dollars_are_drawn():
    """Dollars around what is no mathematics are drawn as they are."""
    nets, x, _ = networks()
    page = inspect({"$x_$": nets["first"], r"$\xi$": nets["flat"]}, x, only=["layers"], rng=0)
    figure = page["layers"].pictures[0].figure()
    figure.draw_without_rendering()
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == [r"\$x_\$", r"$\xi$"]


def test_names_with_an_underscore_stand_in_the_legend():
    nets = {"_best": Network.random([4, 20, 3], rng=0), "last": Network.random([4, 20, 3], rng=1)}
    page = inspect(nets, np.random.default_rng(0).normal(size=(60, 4)), only=["strength"], rng=0)
    legend = page["strength"].pictures[0].figure().axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["“_best”", "last"]


def test_arrays_by_name_are_one_network():
    nets, x, _ = networks()
    arrays = {"0.weight": nets["flat"].weights[0], "1.weight": nets["flat"].weights[1]}
    page = inspect(arrays, x, activation="tanh", only=["layers"], rng=0)
    assert page.net.depth == 2


@pytest.mark.parametrize(
    ("network", "options", "error", "match"),
    [
        (lambda nets: [nets["first"], nets["flat"]], {}, TypeError, "is a list; pass several networks by name"),
        (lambda nets: {"one": nets["first"]}, {}, ValueError, "there is one network, 'one', to compare"),
        (lambda nets: {"one": nets["first"], 2: nets["flat"]}, {}, TypeError, "one is named 2"),
        (lambda nets: {"one": nets["first"], " ": nets["flat"]}, {}, TypeError, "named by texts"),
        (
            lambda nets: {"one": nets["first"], "w": np.eye(6)},
            {},
            TypeError,
            "network.'w'. is a ndarray among networks",
        ),
        (lambda nets: nets, {"name": "mine"}, TypeError, "name = 'mine' is for one network"),
        (
            lambda nets: nets | {"narrow": Network([np.eye(3)])},
            {},
            ValueError,
            "^network 'narrow': the data have 6 numbers per sample .*, the network takes 3",
        ),
        (lambda nets: {"one": nets["first"], "file": "none.npz"}, {}, OSError, "none.npz"),
    ],
)
def test_what_is_not_several_networks_is_refused(network, options, error, match):
    nets, x, labels = networks()
    asked = []
    with pytest.raises(error, match=match):
        inspect(network(nets), x, labels, only=["layers"], progress=lambda *report: asked.append(report), **options)
    assert not asked  # before any work


def test_what_is_wrong_with_the_data_is_said_of_no_network():
    nets, x, labels = networks()
    with pytest.raises(ValueError, match=r"^labels have shape \(5,\)"):
        inspect(nets, x, labels[:5], only=["layers"])
    with pytest.raises(ValueError, match=r"^there is one sample"):
        inspect(nets, x[:1], only=["layers"])


def test_names_of_columns_are_not_those_of_networks():
    nets, x, _ = networks()
    page = inspect({"quantity": nets["first"], "difference": nets["noisy"]}, x, only=["layers"], rng=0)
    assert list(page["layers"].tables[0].columns) == [
        "layer", "quantity", "network quantity", "network difference", "difference",
    ]  # fmt: skip


def test_the_page_and_those_of_the_networks_appear_together(compared, tmp_path):
    alone = {
        f"{name} <b>": type(inspection)(
            inspection.net, name, inspection.data, (inspection["correlation"],), inspection.seed
        )
        for name, inspection in compared.inspections.items()
    }
    some = Comparison(alone, (compared["basins"], replace(compared["order"], pictures=())))
    for _ in range(2):  # into a folder that is there too
        some.write(tmp_path / "page")
        folders = sorted(path.name for path in (tmp_path / "page").iterdir() if path.is_dir())
        assert folders == ["1-first-b-", "2-noisy-b-", "3-flat-b-"]
        page = (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
        assert "3 networks side by side" in page
        assert '<a href="2-noisy-b-/index.html">noisy &lt;b&gt;</a>' in page
        assert all((tmp_path / "page" / name / "index.html").exists() for name in folders)
        assert not list(tmp_path.glob(".*"))
        assert not list((tmp_path / "page").glob(".*"))
    numbers = json.loads((tmp_path / "page" / "numbers.json").read_text(encoding="utf-8"))
    assert list(numbers["networks"]) == ["first <b>", "noisy <b>", "flat <b>"]
    assert list(numbers["sections"]) == ["basins", "order"]


def test_the_command_compares(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    nets, x, labels = networks()
    (tmp_path / "late").mkdir()
    for path, name in (("a.npz", "first"), ("b.npz", "flat"), ("late/a.npz", "noisy")):
        save_network(nets[name], path)
    np.savez("data.npz", x=x, y=labels)
    rest = ["--data", "data.npz", "--only", "correlation"]
    assert main(["inspect", "a.npz", "b.npz", *rest]) == DONE
    out, error = capsys.readouterr()
    assert error.split("\n")[:2] == ["a, correlation ...", "b, correlation ..."]
    assert "comparison/index.html" in out
    page = (tmp_path / "comparison" / "index.html").read_text(encoding="utf-8")
    assert '<th scope="col">a</th><th scope="col">b</th>' in page  # names, and no symbols
    assert {path.name for path in (tmp_path / "comparison").iterdir()} >= {"1-a", "2-b", "index.html"}
    assert main(["inspect", "a.npz", "late/a.npz", *rest, "--quiet", "--out", "two"]) == DONE
    assert {path.name for path in (tmp_path / "two").iterdir() if path.is_dir()} == {"1-a.npz", "2-late-a.npz"}
    assert main(["inspect", "a.npz", "a.npz", *rest]) == BAD_INPUT
    assert "'a.npz' is given twice" in capsys.readouterr().err
    save_network(Network([np.eye(3)]), "c.npz")
    assert main(["inspect", "a.npz", "c.npz", *rest, "--out", "three"]) == BAD_INPUT
    assert capsys.readouterr().err.startswith("error: network 'c': the data have 6 numbers per sample")


def test_text_has_all_networks(compared):
    text = str(compared)
    assert all(f"{name}: Network(" in text for name in compared.inspections)
    assert shown(compared["classes"].tables[1].rows[1][4]) in text
