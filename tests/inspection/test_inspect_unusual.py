"""What stands out is said with the numbers of its section, and nothing else is; the most wrong samples are listed."""

import math
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from clouds import subject
from matplotlib.figure import Figure
from scipy import linalg, stats

from statnn.inspection import Data, Measured, inspect
from statnn.inspection._activity import _unusual_activity, _unusual_spikes
from statnn.inspection._classification import _draw_order, _draw_slopes, _unusual_basins, _unusual_order
from statnn.inspection._confusion import _unusual
from statnn.inspection._layers import _unusual_strength
from statnn.inspection._meanfield import _unusual_signals, _unusual_spread
from statnn.inspection._section import PValue, share, shown
from statnn.inspection._subject import few
from statnn.inspection._worst import margins
from statnn.measure import graph
from statnn.network import Network

X = np.random.default_rng(0).normal(size=(200, 6))


def said(net, key, x=X, labels=None, **options):
    section = inspect(net, x, labels, only=[key], rng=0, **{"basins": 20, "draws": 4} | options)[key]
    assert not section.reason
    return section.unusual


def without_figures(page):
    return replace(page, sections=tuple(replace(section, pictures=()) for section in page.sections))


def test_a_random_network_of_the_usual_kind_has_nothing_unusual():
    net = Network.random([6, 80, 80, 4], "tanh", rng=1)
    labels = np.argmax(net.trace(X).fields[-1], axis=1)
    for key in ("layers", "activity", "spikes", "classes", "order", "strength", "correlation", "phase"):
        assert said(net, key, labels=labels) == "", key


def test_weights_that_are_zero_or_of_low_rank():
    net = Network.random([6, 40, 3], rng=0)
    first = net.weights[0].copy()
    first.ravel()[:60] = 0
    assert said(Network([first, net.weights[1]], None, net.activations), "layers") == (
        "25% of the weights into hidden 1 are exactly zero."
    )
    low = np.outer(np.arange(1.0, 41.0), np.arange(1.0, 7.0))
    words = said(Network([low, net.weights[1]], None, net.activations), "layers")
    assert words.startswith("The weights into hidden 1 have rank 1, counted by their singular values; independent")


@pytest.mark.parametrize(
    ("zeros", "says"),
    [
        (3, "1% of the weights into outputs are exactly zero."),
        (2, ""),
        (299, "99.7% of the weights into outputs are exactly zero."),
    ],
)
def test_zeros_are_unusual_from_a_hundredth_of_the_weights_on(zeros, says):
    weight = Network.random([6, 50], rng=0).weights[0].copy()
    weight.ravel()[:zeros] = 0
    assert said(Network([weight], activation="identity"), "layers") == says


@pytest.mark.parametrize(("rank", "says"), [(14, True), (15, False)])
def test_a_rank_is_low_below_half_of_that_by_chance(rank, says, rng):
    """By chance the rank of a square matrix is (8/3π)² of its width: 28.8 of 40."""
    turned, other = (np.linalg.qr(rng.standard_normal((40, 40)))[0][:, :rank] for _ in range(2))
    assert rank / (40 * (8 / (3 * np.pi)) ** 2) == pytest.approx(0.5, abs=0.03)
    net = Network([Network.random([6, 40], rng=0).weights[0], turned @ other.T])
    assert ("have rank" in said(net, "layers")) == says


@pytest.mark.parametrize(("bias", "how"), [(-50.0, "never"), (50.0, "always")])
def test_units_that_are_idle(bias, how):
    biases = np.where(np.arange(40) < 9, bias, 0.0)
    net = Network(
        [Network.random([6, 40], rng=0).weights[0], np.ones((2, 40))], [biases, np.zeros(2)], ["relu", "identity"]
    )
    assert said(net, "activity") == f"9 of the 40 units of hidden 1 are {how} active in these samples."
    few = np.where(np.arange(40) < 3, bias, 0.0)
    assert said(Network(net.weights, [few, np.zeros(2)], net.activations), "activity") == ""


def test_samples_of_a_class_that_are_not_in_random_order():
    net = Network([np.eye(6), np.ones((2, 6))], None, ["relu", "identity"])
    labels = np.repeat([0, 1], 500)
    x = np.random.default_rng(1).normal(size=(1000, 6))
    assert said(net, "spikes", x, labels) == ""
    apart = x + 3 * labels[:, None]  # units tell classes apart, not samples of one class
    (table,) = inspect(net, apart, labels, only=["spikes"], rng=0)["spikes"].tables
    mixed, blocked = (row[-1].split(" of ") for row in table.rows)
    assert (int(mixed[0]) < 3, int(blocked[0]) < 3, blocked[1]) == (True, True, "6")
    words = said(net, "spikes", np.sort(x.reshape(2, 500, 6), axis=1).reshape(1000, 6), labels)
    assert words.startswith("By the counts of 6 of 6 units of hidden 1 the samples of a class are not in random order")


def test_a_class_that_is_recognised_less_than_the_others():
    net = Network([np.eye(3)])
    labels = np.repeat([0, 1, 2], 100)
    x = np.eye(3)[np.where((labels == 2) & (np.arange(300) % 3 == 0), 0, labels)]
    words, p = said(net, "classes", x, labels).split(" (p = ")
    own, whole = shown(share(0.67, 100)), shown(share(267 / 300, 300))
    assert words == f"Class 2 is recognised in {own} of its samples, all together in {whole}"
    assert p == f"{shown(PValue(3 * stats.binom.cdf(67, 100, 267 / 300)))})."
    guessing = said(net, "classes", np.eye(3)[np.random.default_rng(0).permutation(labels)], labels)
    assert guessing.startswith("It recognises 0.3")
    assert "no more than one that always says 0 (0.3333)" in guessing


def test_activations_that_could_be_the_identity():
    net, x, labels = subject()
    section = inspect(net, x, labels, only=["order"], rng=0)["order"]
    accuracy = [row[3] for row in section.tables[0].rows]
    close = [
        m for m, measured in enumerate(accuracy) if abs(measured.value - accuracy[-1].value) <= 2 * accuracy[-1].error
    ]
    assert close[0] == 0
    assert section.unusual == (
        f"All activations could be the identity: accuracy is {shown(accuracy[0])} then and {shown(accuracy[-1])} with "
        "them."
    )


@pytest.mark.parametrize("bias", [0.0, -0.5])
def test_the_activations_above_a_layer_could_be_the_identity(bias):
    """|x| > 1 needs the first layer; the second does nothing without a bias that cuts."""
    folded, passed = np.array([[1.0], [-1.0]]), np.eye(2)
    net = Network(
        [folded, passed, [[-1.0, -1.0], [1.0, 1.0]]],
        [[0, 0], [bias, bias], [1 + bias, -1 - bias]],
        ["relu", "relu", "identity"],
    )
    x = np.linspace(-3, 3, 120)[:, None]
    words = said(net, "order", x, (np.abs(x[:, 0]) > 1).astype(int))
    assert words.startswith("All activations above hidden 1 could be the identity: accuracy is 1.000 ") == (bias == 0)


def test_basins_without_end_and_a_weak_class():
    free = Network([np.zeros((2, 6))], [np.array([1.0, 0.0])])
    assert said(free, "basins", labels=np.zeros(200, int)) == (
        "100% of the samples keep their class in most draws of noise on the inputs, however strong."
    )
    angles = 2 * np.pi * np.arange(3) / 3
    corners = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    x = np.repeat(corners * [[5.0], [5.0], [0.5]], 20, axis=0)
    words = said(Network([corners]), "basins", x, np.repeat([0, 1, 2], 20), basins=60, draws=32)
    assert words.startswith("Half of the samples of class 2 bear noise of no more than σ* = 1.")


def test_strengths_directions_and_variances_far_from_chance():
    net = Network.random([6, 40, 40, 3], rng=0)
    loud = net.weights[1] + 3.0 * np.linspace(-1, 1, 40)[:, None] / math.sqrt(40)
    uneven = Network([net.weights[0], loud, net.weights[2]], None, net.activations)
    assert said(uneven, "strength").startswith("Node strengths of hidden 2 fluctuate ")
    assert "instead" not in said(uneven, "strength")
    single = Network([np.outer(np.ones(40), np.eye(6)[0]), np.ones((3, 40))], None, ["tanh", "identity"])
    words = said(single, "correlation")
    assert words.startswith("The activity of hidden 1 spreads over 1 directions, the inputs over 5.")
    words = said(single, "phase")
    assert words.startswith("Fields of outputs have the variance ")


def test_a_layer_of_strengths_far_from_chance_is_said_whatever_another_does():
    """Hidden 1 differs from chance surely, but not by much: a factor of 1.5 is below 2."""
    values = np.array([1.0, 1.5, 3.0]), np.ones(3), np.array([0.5, 1e-9, 1e-5])
    strength = graph.Strength((np.zeros(2),) * 3, *values, "shuffled")
    words = _unusual_strength(strength, Network.random([2, 2, 2, 2], rng=1))
    assert words.startswith("Node strengths of hidden 2 fluctuate 3 times as much")


def test_what_is_unusual_is_said_whatever_another_layer_does(rng):
    """Another layer may be farther from chance by one measure alone, as a narrow one is by its few directions."""
    low = rng.normal(size=(300, 8)) @ rng.normal(size=(8, 60)) / 24
    narrow = Network([low, *Network.random([300, 4, 3], rng=rng).weights], None, ["identity", "tanh", "identity"])
    words = said(narrow, "correlation", rng.normal(size=(2000, 60)))
    directions = float(words.removeprefix("The activity of hidden 1 spreads over ").split()[0])
    assert 4 < directions <= 8  # more than the next layer has units, at most the rank of its weights

    time = np.arange(2000)
    x = np.stack([(-1.0) ** time, np.where(time // 100 % 2, 1.0, -1.0), rng.normal(size=2000)], axis=1)
    turned = np.array([[1.0, 0.1, 0.0], [1.0, 0.2, 0.0], *[[1.0, 0.0, 0.0]] * 3, *[[0.0, 0.0, 1.0]] * 5])
    parted = np.eye(10)[5:]
    parted[0] = np.eye(10)[1] - np.eye(10)[0]
    layers = Network([turned, parted, np.ones((2, 5))], None, ["identity"] * 3)
    words = said(layers, "spikes", x, np.repeat([0, 1], 1000))
    assert words.startswith("By the counts of 1 of 5 units of hidden 2 the samples of a class are not in random order")


def test_a_network_that_guesses_says_nothing_of_its_activations():
    """Always saying one of two equal classes is right in half of the samples; 0.55 ± 0.04 does not differ from that."""
    net, labels = Network.random([2, 3, 2], "relu", rng=1), np.arange(10) % 2
    for accuracy, words in ((0.55, ""), (0.9, "All activations could be the identity")):
        assert _unusual_order([Measured(accuracy, 0.04)] * 2, labels, net)[:37] == words


@pytest.mark.parametrize(("below", "says"), [(0.07, True), (0.09, False)])
def test_accuracies_are_one_within_two_errors(below, says):
    words = _unusual_order(
        [Measured(0.9 - below, 0.04), Measured(0.9, 0.04)], np.arange(10) % 2, Network.random([2, 3, 2])
    )
    assert bool(words) == says


@pytest.mark.parametrize(
    ("right", "of", "words"),
    [
        ((30, 29), 50, "It recognises 0.59"),  # 1/2 and two errors are 0.596
        ((30, 31), 50, ""),
        ((81, 94, 95), 100, ""),  # of one class alone the probability is 0.0046
        ((80, 95, 95), 100, "Class 0 is recognised in 0.8"),  # 0.002
        ((8600, 9200, 9200), 10_000, ""),  # 0.04 less than all
        ((8400, 9300, 9300), 10_000, "Class 0 is recognised in 0.84"),
    ],
)
def test_a_class_is_recognised_less_beyond_chance_and_by_a_twentieth(right, of, words):
    wrong = of - np.array(right)
    counts = np.diag(right) + np.roll(np.diag(wrong), 1, axis=1)
    sentence = _unusual(counts, np.arange(len(right)), share(sum(right) / counts.sum(), int(counts.sum())))
    assert sentence.startswith(words)
    assert bool(sentence) == bool(words)


@pytest.mark.parametrize(
    ("free", "words"),
    [(4, ""), (5, "12% of the samples keep their class in most draws of noise on the inputs, however strong.")],
)
def test_basins_without_end_are_unusual_beyond_a_tenth(free, words):
    radius = np.where(np.arange(40) < free, np.inf, 1.0)
    assert _unusual_basins({"samples": SimpleNamespace(radius=radius, by_class=dict)}, None) == words


@pytest.mark.parametrize(
    ("samples", "radius", "says"), [(10, 0.4, True), (9, 0.4, False), (10, 0.5, False), (10, 0.6, False)]
)
def test_a_class_is_weak_below_half_and_from_ten_samples_on(samples, radius, says):
    radii = {0: np.ones(40), 1: np.full(samples, radius)}
    basin = SimpleNamespace(radius=np.concatenate([*radii.values()]), by_class=lambda: radii)
    words = _unusual_basins({"samples": basin}, np.repeat([0, 1], [40, samples]))
    assert words.startswith("Half of the samples of class 1 bear noise of no more than σ* = 0.4 on the inputs" * says)
    assert bool(words) == says


@pytest.mark.parametrize(
    ("directions", "by_chance", "says"), [(1.9, 8.0, True), (1.9, 7.0, False), (2.1, 10.0, False), (0.5, 2.1, True)]
)
def test_directions_are_few_below_a_quarter_of_chance_and_inputs(directions, by_chance, says):
    """The inputs are columns of a Hadamard matrix: eight directions, all alike."""
    inputs = linalg.hadamard(16)[:, 1:9].astype(float)
    asked = SimpleNamespace(net=Network.random([2, 2, 2], rng=0), x=inputs)
    words = _unusual_spread(asked, {1: SimpleNamespace(ratio=directions, null=by_chance)})
    assert words == f"The activity of hidden 1 spreads over {directions} directions, the inputs over 8." * says


@pytest.mark.parametrize(
    ("never", "always", "words"),
    [
        (3, 3, ""), (4, 0, "4 of the 40 units of hidden 1 are never"), (0, 4, "4 of the 40 units of hidden 1 are alwa"),
        (5, 6, "6 of the 40 units of hidden 1 are always"),
    ],
)  # fmt: skip
def test_units_are_idle_from_a_tenth_on_and_none_that_rests_once(never, always, words):
    counts = np.full(40, 99)
    counts[:never], counts[40 - always :] = 0, 100
    activity = SimpleNamespace(units=40, silent=never, counts=counts, samples=100)
    said_of_it = _unusual_activity({1: activity}, Network.random([2, 2, 2], rng=0))
    assert said_of_it.startswith(words)
    assert bool(said_of_it) == bool(words)


@pytest.mark.parametrize(
    ("fano", "rejected", "says"), [(1.11, 10, True), (1.09, 100, False), (1.11, 9, False), (0.9, 100, False)]
)
def test_order_is_unusual_where_fano_factors_rise_by_a_tenth_in_a_tenth_of_the_units(fano, rejected, says):
    statistics = SimpleNamespace(silent=np.zeros(100, bool), mean_fano_factor=fano, mean_null_fano_factor=1.0)
    key = 1, "shuffled"
    words = _unusual_spikes({key: statistics}, {key: (rejected, 100)}, Network.random([2, 2, 2], rng=0))
    assert words.startswith(f"By the counts of {rejected} of 100 units of hidden 1 the samples are not in" * says)
    assert bool(words) == says


@pytest.mark.parametrize(("p", "says"), [(0.004, False), (0.003, True)])
def test_the_strengths_farthest_from_chance_are_one_of_several(p, says):
    """The smallest of three probabilities is beyond chance below a third of 0.01."""
    values = np.array([3.0, 1.0, 1.0]), np.ones(3), np.array([p, 0.5, 0.5])
    strength = graph.Strength((np.zeros(2),) * 3, *values, "shuffled")
    assert bool(_unusual_strength(strength, Network.random([2, 2, 2, 2], rng=1))) == says


@pytest.mark.parametrize(("ratio", "says"), [(0.4, True), (0.6, False), (1.7, False), (2.5, True)])
def test_strengths_are_far_from_those_by_chance_on_either_side(ratio, says):
    values = np.array([1.0, ratio, 1.0]), np.ones(3), np.array([0.5, 1e-9, 0.5])
    strength = graph.Strength((np.zeros(2),) * 3, *values, "shuffled")
    words = _unusual_strength(strength, Network.random([2, 2, 2], rng=1))
    assert words.startswith(f"Node strengths of hidden 1 fluctuate {ratio:g} times") if says else not words


@pytest.mark.parametrize(("last", "says"), [(0.4, True), (0.6, False), (1.7, False), (2.5, True)])
def test_variances_are_far_from_those_of_random_weights_on_either_side(last, says):
    signals = SimpleNamespace(correlation=np.ones(2), variance=np.array([1.0, last]), predicted_variance=np.ones(2))
    words = _unusual_signals(Network.random([2, 2, 2, 2], rng=1), signals)
    assert words.startswith(f"Fields of hidden 2 have the variance {last};" if says else "")
    assert bool(words) == says


def test_the_page_begins_with_what_is_unusual(tmp_path):
    net = Network([np.zeros((40, 6)), np.ones((2, 40))], [np.full(40, -1.0), np.zeros(2)], ["relu", "identity"])
    unusual = inspect(net, X, only=["activity", "strength"], rng=0)
    assert unusual.unusual == {"activity": "40 of the 40 units of hidden 1 are never active in these samples."}
    assert unusual.unusual["activity"] in str(unusual["activity"])
    assert unusual["activity"].plain()["unusual"] == unusual.unusual["activity"]
    without_figures(unusual).write(tmp_path / "page")
    header = (tmp_path / "page" / "index.html").read_text(encoding="utf-8").partition("<main>")[0]
    assert 'never active in these samples. <a href="#activity">' in header
    usual = inspect(Network.random([6, 40, 2], rng=0), X, only=["activity"], rng=0)
    without_figures(usual).write(tmp_path / "usual")
    page = (tmp_path / "usual" / "index.html").read_text(encoding="utf-8")
    assert "Nothing stands out" in page
    assert " s of computing, files and figures not counted" in page


# -- the samples that are most wrong ---------------------------------------------------------------------


def test_the_samples_that_are_most_wrong():
    net, x, labels = subject()
    numbers = np.arange(0, 240, 2)
    data = Data(x[numbers], labels[numbers], "every second", "", (2, 3), numbers)
    section = inspect(net, data, only=["classes"], rng=0)["classes"]
    fields = net.trace(data.x).fields[-1]
    beaten = {
        int(numbers[i]): fields[i].max() - fields[i, k] for i, k in enumerate(data.labels) if fields[i].argmax() != k
    }
    expected = sorted(beaten, key=beaten.get, reverse=True)[:12]
    rows = section.tables[1].rows
    assert [row[0] for row in rows] == expected
    assert [row[1] for row in rows] == labels[expected].tolist()
    assert [row[3] for row in rows] == pytest.approx([beaten[i] for i in expected], rel=1e-12)
    assert all(row[1] != row[2] for row in rows)
    picture = section.pictures[1]
    images = picture.data["images"]
    assert images.shape == (len(rows), 2, 3)
    assert (images.min(), images.max()) == (0.0, 1.0)
    shades = (x[expected] - x[expected].min()) / np.ptp(x[expected])
    assert images.reshape(len(rows), 6) == pytest.approx(shades)
    assert [ax.get_title() for ax in picture.figure().axes if ax.images] == [
        f"{row[1]}, taken for {row[2]}" for row in rows
    ]


@pytest.mark.parametrize(
    ("shape", "images"),
    [
        ((4, 6), (4, 6)),
        ((4, 2, 3), (4, 2, 3)),
        ((3, 4, 2), (4, 2, 3)),
        ((4, 6, 1), (4, 6)),
        ((1, 4, 6), (4, 6)),
        ((24,), None),
        ((), None),
        ((1, 24), None),
        ((2, 4, 3, 1), None),
        ((4, 3, 2), None),
    ],
)
def test_only_images_are_drawn(shape, images):
    x = np.arange(48.0).reshape(2, 24)
    section = inspect(
        Network([np.ones((2, 24))], [[1.0, 0.0]]), Data(x, np.ones(2, int), "", "", shape), only=["classes"], rng=0
    )
    pictures = section["classes"].pictures[1:]
    assert [picture.data["images"].shape[1:] for picture in pictures] == ([images] if images else [])
    if shape == (3, 4, 2):
        assert pictures[0].data["images"][0] == pytest.approx(x[0].reshape(shape).transpose(1, 2, 0) / 47)


def test_margins_are_of_fields_where_outputs_grow_with_them():
    fields = np.array([[3.0], [-2.0], [3.0], [-2.0]])
    assert margins(Network([[[1.0]]], activation="sigmoid"), fields, np.array([0, 1, 1, 0])).tolist() == [3, 2, 0, 0]
    pairs = np.array([[1.0, -4.0]])
    assert margins(Network([np.eye(2)]), pairs, np.array([1])).tolist() == [5.0]
    assert margins(Network([np.eye(2)], activation="sin"), pairs, np.array([0])) == pytest.approx([0.0])
    assert margins(Network([np.eye(2)], activation="sin"), pairs, np.array([1])) == pytest.approx(
        [np.sin(1.0) - np.sin(-4.0)] if np.sin(1.0) > np.sin(-4.0) else [0.0]
    )


def test_of_samples_that_are_equally_wrong_the_first_are_shown():
    x = np.outer(1.0 + np.arange(300) % 3, [1.0, 0.0])
    page = inspect(Network([np.eye(2)]), x, np.ones(300, int), only=["classes"], rng=0)
    rows = next(table.rows for table in page["classes"].tables if "margin" in table.columns)
    assert [row[0] for row in rows] == list(range(2, 36, 3))


# -- histograms, and figures on a telephone --------------------------------------------------------------


def test_histograms_of_weights_and_fields():
    net, x, labels = subject()
    data = inspect(net, x, labels, only=["layers"], rng=0)["layers"].pictures[0].data
    edges = data["edges"]
    fields = net.trace(x).fields
    for m in range(3):
        for name, values in (("weights", net.weights[m]), ("fields", fields[m])):
            reduced = (values - values.mean()) / values.std()
            expected = [np.mean((reduced >= a) & (reduced < b)) for a, b in pairwise(edges)]
            assert data[f"{name}_{m + 1}"] * np.diff(edges) == pytest.approx(expected, abs=2 / values.size)


def test_panels_stand_below_each_other_on_a_telephone():
    net, x, labels = subject()
    page = inspect(net, x, labels, only=["activity", "strength", "classes"], rng=0)
    for section, rows in (("activity", 4), ("strength", 2), ("classes", 1)):
        picture = page[section].pictures[0]
        wide, narrow = picture.figure(), picture.figure(narrow=True)
        assert len(wide.axes) == len(narrow.axes) == rows
        assert len({round(ax.get_position().x1, 2) for ax in narrow.axes}) == 1
        titles = [ax.get_title() for ax in narrow.axes]
        if section == "activity":
            assert titles == ["hidden 1", "", "hidden 2", ""]
        assert narrow.get_figwidth() < 4
        assert narrow.get_figheight() == pytest.approx(wide.get_figheight() * picture.columns)


def test_the_figure_of_classes_has_rows_of_labels():
    """Of three samples of class 0 two are taken for 2, and the one of class 1 is right."""
    x, labels = np.eye(3)[[0, 2, 2, 1, 2]], [0, 0, 0, 1, 2]
    section = inspect(Network([np.eye(3)]), x, labels, only=["classes"], rng=0)["classes"]
    ax = section.pictures[0].figure().axes[0]
    assert np.asarray(ax.images[0].get_array()) == pytest.approx(np.array([[1 / 3, 0, 2 / 3], [0, 1, 0], [0, 0, 1]]))
    written = {text.get_position(): text.get_text() for text in ax.texts}
    assert written == {(0, 0): "1", (2, 0): "2", (1, 1): "1", (2, 2): "1"}  # column, row
    assert list(section.facts)[1] == "by always saying 0, the most frequent class"  # 2 is said most often
    assert section.tables[0].rows[0][-1] == "2 (2 times)"


def test_of_many_classes_those_recognised_least_are_listed():
    net, x = Network([np.eye(52)]), np.eye(52)[np.roll(np.arange(52), 1)]
    x[:3] = np.eye(52)[:3]
    section = inspect(net, x, np.arange(52), only=["classes"], rng=0)["classes"]
    assert [row[0] for row in section.tables[0].rows] == [*range(3, 52), 0]
    assert [*section.remarks] == ["of 52 classes the 50 that are recognised least are listed"]


def test_accuracy_stands_beside_what_the_most_frequent_class_gives():
    figure, labels = Figure(), np.array([0, 1, 1, 2, 1])
    _draw_order({}, labels, [Measured(0.5, 0.1), share(1.0, 4)], Network([np.eye(3)]), figure)
    bars = [segment[:, 1] for segment in figure.axes[0].containers[0][2][0].get_segments()]
    np.testing.assert_allclose(bars, [[0.4, 0.6], [0.75 - math.sqrt(0.75 * 0.25 / 8), 1.0]], rtol=1e-15)
    measured, by_chance = figure.axes[0].lines[0], figure.axes[0].lines[-1]
    assert measured.get_xydata().tolist() == [[0, 0.5], [1, 1]]
    assert by_chance.get_ydata() == [3 / 5] * 2


def test_slopes_and_densities_are_drawn_where_they_belong():
    """Of three layers the second has no slope; the densities are those of the first, class by class."""
    orders = {
        m: SimpleNamespace(
            layer_slope=s, layer_slope_error=s / 8, classes=[3, 7], density=np.array([[2.0, 0.0], [0.5, 1.5]]),
            edges=np.array([0.0, 0.5, 1.0]),
        )
        for m, s in ((0, 1.0), (2, 2.0))
    }  # fmt: skip
    left, middle = Figure().subplots(1, 2)
    _draw_slopes(left, middle, orders, "hidden 1")
    assert left.lines[0].get_xydata().tolist() == [[1, 1.0], [3, 2.0]]
    drawn = {steps.get_label(): steps.get_data().values.tolist() for steps in middle.patches}
    assert drawn == {"3": [2.0, 0.0], "7": [0.5, 1.5]}


def test_windows_without_classes_are_a_tenth_of_the_samples():
    net, x, _ = subject()
    assert inspect(net, x, only=["spikes"], rng=0)["spikes"].facts["window T"] == 24


def test_few_are_spread_evenly():
    assert [few(6, 4), few(3, 4), few(10, 2)] == [[0, 2, 3, 5], [0, 1, 2], [0, 9]]
