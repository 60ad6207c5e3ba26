"""Labels of every kind: those of a classifier, of one class, of a rare one, and what is no class."""

import re
from dataclasses import replace

import numpy as np
import pytest
from clouds import column, subject

from statnn.inspection import Data, Measured, inspect, read_data
from statnn.measure import order


def test_one_class_has_basins_and_an_accuracy():
    net, x, labels = subject()
    own = labels == 1
    page = inspect(net, x[own], labels[own], rng=0, only=["layers", "order", "basins"])
    assert page["layers"].facts["accuracy"].value == np.mean(net(x[own]).argmax(axis=1) == 1)
    assert column(page["basins"], "class", table=1) == [1]
    assert page["order"].remarks[0].startswith("no slope in any layer: all samples are of class 1")
    assert len(page["order"].pictures[0].figure().axes) == 1


def test_a_rare_class_does_not_spoil_the_page():
    net, x, _ = subject()
    labels = np.arange(240) % 2
    labels[0] = 2
    page = inspect(net, x, labels, rng=0, only=["spikes", "order"])
    assert page["spikes"].facts["window T"] == min(24, 119 // 5)
    alone = order.rank_probability(net, x[1:], labels[1:], 1)
    assert column(page["order"], "slope s")[2] == Measured(alone.layer_slope, alone.layer_slope_error)
    assert "classes of one sample are left out of the slopes: 2" in page["order"].remarks


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize("names", [np.array([0, 2, 3]), np.array(["ant", "bee", "cat"])], ids=["numbers", "words"])
def test_labels_are_those_of_the_classifier(names, tmp_path):
    neural = pytest.importorskip("sklearn.neural_network")
    _, x, labels = subject()
    model = neural.MLPClassifier((10,), max_iter=40, random_state=0).fit(x, names[labels])
    some = labels < 2
    page = inspect(model, x[some], names[labels[some]], only=["layers"])
    assert page["layers"].facts["accuracy"].value == pytest.approx(model.score(x[some], names[labels[some]]))
    assert np.array_equal(page.data.labels, labels[some])
    in_a_column = inspect(model, x[some], names[labels[some]][:, None], only=["layers"])
    assert in_a_column["layers"].facts == page["layers"].facts
    if names.dtype.kind == "i":
        np.savez(tmp_path / "some.npz", x=x, y=names[labels])
        again = inspect(model, tmp_path / "some.npz", only=["layers"])
        assert again["layers"].facts["accuracy"].value == pytest.approx(model.score(x, names[labels]))
    stranger = inspect(model, x, np.full(240, 7 if names.dtype.kind == "i" else "dog"), only=["order"])
    assert re.search("the label (7|'dog') is none of the classes", stranger["order"].reason)


def test_whole_numbers_in_a_column_of_objects_are_classes():
    """Tables that once held words have such columns."""
    net, x, labels = subject()
    page = inspect(net, x, labels.astype(object), rng=0, only=["layers"])
    assert page["layers"].facts["accuracy"].value == np.mean(net(x).argmax(axis=1) == labels)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize(
    "names", [np.array([-1, 0, 1]), np.array([1, 2, 3]), np.array(["ant", "bee", "cat"])], ids=lambda some: str(some[0])
)
@pytest.mark.parametrize("rows", [False, True], ids=["names", "rows"])
def test_labels_in_files_are_those_of_the_classifier(names, rows, tmp_path):
    """They are read as in arrays: -1 and words are names of classes, and a single 1 in a row stands at its output."""
    neural = pytest.importorskip("sklearn.neural_network")
    _, x, labels = subject()
    model = neural.MLPClassifier((10,), max_iter=40, random_state=0).fit(x, names[labels])
    some = labels >= rows
    x, labels = x[some], labels[some]
    y = np.eye(3)[labels] if rows else names[labels]
    np.savez(tmp_path / "data.npz", x=x, y=y)
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "labels.npy", y)
    for data, given in (
        (x, y),
        (tmp_path / "data.npz", None),
        (tmp_path / "x.npy", tmp_path / "labels.npy"),
        (read_data(tmp_path / "data.npz"), None),
    ):
        page = inspect(model, data, given, samples=50, only=["layers"], rng=0)
        assert page.data.labels is not None, page.data.no_labels
        assert np.array_equal(page.data.labels, labels[page.data.numbers])


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("list", list), ("float", lambda y: y.astype(float)), ("rows", lambda y: np.eye(3)[y]),
        ("column", lambda y: y[:, None]), ("half", lambda y: y.astype(np.float16)),
    ],
)  # fmt: skip
def test_data_made_by_hand_are_taken_as_arrays_are(kind, change):
    """Lists and floats are labels, too; labels that do not fit are refused, and -1 is no class."""
    net, x, labels = subject()
    expected = inspect(net, x, labels, only=["layers"])["layers"].facts["accuracy"]
    for samples in (x, x[:, :, None], x.tolist()):
        page = inspect(net, Data(samples, change(labels), kind), only=["layers"])
        assert page["layers"].facts["accuracy"] == expected
    for wrong, match in (
        (labels - 1, "the labels reach -1"),
        (np.array(["a", "b", "c"])[labels], "the labels are <U1"),
    ):
        page = inspect(net, Data(x, wrong, kind), only=["layers", "order"])
        assert re.search(match, page["order"].reason)
        assert "accuracy" not in page["layers"].facts
    with pytest.raises(ValueError, match=r"labels have shape \(5,.*\) for 240 samples; one per sample is needed"):
        inspect(net, Data(x, change(labels[:5]), kind), only=["layers"])


def test_labels_that_are_replaced_in_the_data_that_were_read(tmp_path):
    net, x, labels = subject()
    np.savez(tmp_path / "data.npz", x=x, y=np.array(["a", "b", "c"])[labels])
    np.savez(tmp_path / "other.npz", x=x, y=labels[::-1])
    for name in ("data.npz", "other.npz"):
        page = inspect(net, replace(read_data(tmp_path / name), labels=labels), only=["layers"])
        assert np.array_equal(page.data.labels, labels)


@pytest.mark.parametrize(
    ("labels", "match"),
    [
        (np.linspace(0, 1, 240), "the labels are float64, not whole numbers"),
        (np.full(240, 7), "labels reach 7, but the network tells 3 classes apart"),
        (np.arange(240) % 4, "labels reach 3, but the network tells 3 classes apart"),
        (np.arange(240) - 1, "the labels reach -1"),
        (np.array(["a"] * 240), "the labels are <U1"),
        (np.ones((240, 2)), r"the labels have shape \(240, 2\), so they are not classes"),
    ],
)
def test_labels_that_are_no_classes(labels, match):
    net, x, _ = subject()
    page = inspect(net, x, labels, rng=0, only=["layers", "order", "basins"])
    assert "accuracy" not in page["layers"].facts
    for name in ("order", "basins"):
        assert re.search(match, page[name].reason)
        assert not page[name].tables


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_columns_are_those_that_the_classifier_was_fitted_on():
    """scikit-learn keeps their names and refuses other ones; by their places alone, columns would be mistaken."""
    neural, pandas = pytest.importorskip("sklearn.neural_network"), pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    table = pandas.DataFrame(rng.normal(size=(60, 3)), columns=["a", "b", "c"])
    labels = (table["a"] > 0).to_numpy(dtype=int)
    model = neural.MLPClassifier((4,), max_iter=5, random_state=0).fit(table, labels)
    for same in (table, table.to_numpy()):
        assert inspect(model, same, labels, only=["layers"], rng=0)["layers"].facts
    for other in (table[["b", "a", "c"]], table.rename(columns={"a": "A"})):
        with pytest.raises(ValueError, match="was fitted on a, b, c, in this order"):
            inspect(model, other, labels, only=["layers"], rng=0)
