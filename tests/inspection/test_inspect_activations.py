"""Every activation goes through the whole page, also with large biases, silent layers and constant outputs."""

import numpy as np
import pytest
from test_inspect import PICTURES

from statnn.inspection import Data, inspect
from statnn.inspection._subject import Options, Subject
from statnn.io import save_network
from statnn.measure._classes import classes_of
from statnn.measure.basins import sample_basin
from statnn.network import ACTIVATIONS, Activation, Network

OWN = {
    "bump": Activation("bump", lambda h: np.exp(-h * h), lambda h: -2 * h * np.exp(-h * h)),
    "square": Activation("square", np.square, lambda h: 2 * h),
    "softplus": Activation("softplus", lambda h: np.logaddexp(0, h)),
    "constant": Activation("constant", np.ones_like, np.zeros_like),
}
ALL = dict(ACTIVATIONS) | OWN
X = np.random.default_rng(0).normal(size=(60, 4))
LABELS = np.arange(60) % 3


def drawn(page):
    """Draw all figures, which is where a page can still fail, and return the names."""
    return [picture.name for section in page.sections for picture in section.pictures if picture.figure().axes]


@pytest.mark.parametrize(("name", "bias"), [("sign", 0.0), *((name, 1e3) for name in ALL if name != "bump")])
def test_the_place_of_every_activation_is_drawn(name, bias):
    net = Network.random([4, 12, 12, 3], [ALL[name], "tanh", "identity"], sigma_b=bias, rng=0)
    page = inspect(net, X, rng=0, only=["phase"])
    assert not page["phase"].reason
    assert drawn(page) == ["phase"]


def test_a_network_of_all_activations_has_its_page(tmp_path):
    depth = len(ALL)
    net = Network.random([4] + [40] * (depth - 1) + [3], list(ALL.values()), sigma_w=1.0, sigma_b=2.0, rng=3)
    page = inspect(net, X, LABELS, rng=0, basins=4, draws=4)
    assert not [section.name for section in page.sections if section.reason]
    page.write(tmp_path / "page")
    names = {file.name for file in (tmp_path / "page").iterdir()}
    assert names >= {f"{picture}.{kind}" for picture in PICTURES for kind in ("svg", "png", "npz")}
    assert "cannot be drawn" not in (tmp_path / "page" / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["silent", "always", "constant outputs"])
def test_layers_that_do_nothing_have_their_page(kind):
    level = {"silent": -50.0, "always": 50.0}.get(kind, 0.0)
    net = Network.random([4, 9, 9, 3], ["relu", "relu", "identity"], rng=1)
    last = 0 * net.weights[2] if kind == "constant outputs" else net.weights[2]
    biases = [np.full(9, level), np.full(9, level), [1.0, 0.0, 0.0]]
    page = inspect(Network([*net.weights[:2], last], biases, net.activations), X, LABELS, rng=0, basins=4, draws=4)
    assert set(drawn(page)) >= {"activity", "spikes", "basins", "strength"}
    assert all(str(section) for section in page.sections)


def test_units_are_active_where_their_field_is_positive():
    for name in ("sigmoid", "softplus", "tanh", "sin", "gelu", "relu", "sign"):
        net = Network([np.eye(1), np.eye(1)], activation=[name, "identity"])
        level = {"sigmoid": 0.5, "softplus": np.log(2.0)}.get(name, 0.0)
        subject = Subject(net, Data(np.array([[0.5]]), None, "made up"), Options(None, None, 1, 1, (0, ())), ())
        assert subject.threshold(1) == level


@pytest.mark.parametrize("name", ["gelu", "gelu tanh", "silu", "softplus", "sin"])
def test_a_file_of_every_later_activation_has_its_page(name, tmp_path):
    net = Network.random([4, 12, 12, 3], [name, name, "identity"], sigma_w=1.2, rng=0)
    save_network(net, tmp_path / "net.npz")
    page = inspect(tmp_path / "net.npz", X, LABELS, rng=0, basins=4, draws=4)
    assert not [section.name for section in page.sections if section.reason]
    assert name in str(page["layers"].tables[0].rows)


def test_the_class_of_one_softplus_output_is_the_sign_of_its_field():
    net = Network([[[1.0]]], activation="softplus")
    assert classes_of(net, np.array([[-1.0], [1.0]])).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("function", "kinks", "known"),
    [
        (lambda h: 1 / (1 + np.exp(-h)), (), "sigmoid"),
        (lambda h: np.clip(h / 6 + 0.5, 0, 1), (-3, 3), "sigmoid"),
        (lambda h: np.heaviside(h, 1.0), (0,), "sigmoid"),
        (lambda h: np.logaddexp(0, h), (), "softplus"),
        (lambda h: -np.logaddexp(0, -h), (), "sigmoid"),
        (np.arctan, (), "tanh"),
        (lambda h: np.tanh(h - 3) / 2, (), None),
    ],
)
def test_a_single_output_of_ones_own_tells_two_classes(function, kinks, known, rng):
    """An output that is never negative does not part them at zero: every sample would be of class 1."""
    x = rng.normal(size=(50, 4))
    net = Network([np.ones((1, 4))], activation=Activation("own", function, kinks=kinks))
    expected = x.sum(axis=1) > (0 if known else 3)
    page = inspect(net, x, expected, rng=0, only=["layers", "classes"], draws=8, basins=8)
    assert page["layers"].facts["accuracy"].value == 1
    again = inspect(net, x, 1 - expected, rng=0, only=["classes"])["classes"].tables[1]
    assert [row[3] for row in again.rows] == sorted((row[3] for row in again.rows), reverse=True)
    if known:
        twin = Network([np.ones((1, 4))], activation=known)
        radii = [sample_basin(network, x[:6], draws=8, rng=1).radius for network in (net, twin)]
        np.testing.assert_allclose(*radii, rtol=1e-6)
