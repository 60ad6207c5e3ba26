"""Interpolated derivatives keep their digits, do not depend on earlier fields, and need far fewer function values."""

from dataclasses import replace

import numpy as np
import pytest

from statnn.network import Activation
from statnn.network._differences import Numerical
from statnn.network._tabulated import NODES, Tabulated
from statnn.rg.wide._averages import averages

SMOOTH = {
    "tanh": (np.tanh, lambda h: 1 - np.tanh(h) ** 2),
    "steep": (lambda h: np.tanh(5 * h), lambda h: 5 * (1 - np.tanh(5 * h) ** 2)),
    "wave": (lambda h: h * np.sin(h), lambda h: np.sin(h) + h * np.cos(h)),
    "cube": (lambda h: h**3, lambda h: 3 * h * h),
    "bump": (lambda h: np.exp(-h * h), lambda h: -2 * h * np.exp(-h * h)),
    "fast": (lambda h: np.sin(40 * h), lambda h: 40 * np.cos(40 * h)),
}


def fields(rng):
    return np.concatenate([rng.normal(size=300) * scale for scale in (1e-9, 1e-4, 0.1, 1, 5, 60, 1e4)])


@pytest.mark.parametrize("name", SMOOTH)
def test_the_digits_are_those_of_the_derivative_itself(name, rng):
    """No more are lost than ten times the most that it loses at fields as large, beside rounding."""
    function, derivative = SMOOTH[name]
    h = fields(rng)
    h = h[np.argsort(np.abs(h))]
    h = h[np.abs(h) < (20 if name == "fast" else 300)]
    exact, itself = derivative(h), Activation(name, function).derivative
    lost, lost_itself = np.abs(Tabulated(itself)(h) - exact), np.maximum.accumulate(np.abs(itself(h) - exact))
    assert np.all(lost <= 10 * lost_itself + 5e-13 * (np.abs(exact) + np.abs(function(h))) + 1e-16)


def test_what_is_found_depends_on_the_field_alone(rng):
    derivative = Activation("own", SMOOTH["wave"][0]).derivative
    h = fields(rng)
    at_once = Tabulated(derivative)(h)
    one_by_one = Tabulated(derivative)
    for i in rng.permutation(h.size)[:40]:
        assert one_by_one(h[i : i + 1]) == at_once[i]
    assert np.array_equal(Tabulated(derivative)(h.reshape(7, -1)[:, ::-1]), at_once.reshape(7, -1)[:, ::-1])
    assert Tabulated(derivative)(h.astype(np.float32)).dtype == np.float32


def test_kinks_and_what_is_rough_are_left_to_the_derivative_itself():
    bent = Activation("bent", lambda h: np.where(h < 0.3, h * h, h), kinks=[0.3]).derivative
    h = np.linspace(-1, 1, 401)
    assert Tabulated(bent)(h) == pytest.approx(np.where(h <= 0.3, 2 * h, 1.0), abs=1e-10)
    own = Tabulated(bent)
    inside = h[(h > 0.25) & (h < 0.5)]
    assert np.array_equal(own(inside), bent(inside))
    at_edge = Activation("at an edge", lambda h: np.where(h < 0.25, h * h, h - 0.1875), kinks=[0.25]).derivative
    assert Tabulated(at_edge)(np.array([0.25])) == pytest.approx([0.5], abs=1e-10)  # from the left
    hidden = Activation("hidden", lambda h: np.tanh(h) + 1e-3 * np.abs(h - 0.4)).derivative
    with pytest.raises(ValueError, match=r"no derivative that could be found from its values at the field 0\.4"):
        Tabulated(hidden)(np.array([0.1, 0.4]))


@pytest.mark.parametrize("name", ["tanh", "wave"])
def test_an_average_needs_few_more_values_without_a_derivative(name):
    function, derivative = SMOOTH[name]
    spent = {"with": 0, "without": 0}

    def counted(key):
        def own(h):
            spent[key] += np.size(h)
            return function(h)

        return own

    pair = np.array([0.3]), np.array([1.7])
    given = averages(Activation("own", counted("with"), derivative)).pair_moments(*pair)
    none = Activation("own", counted("without"))
    spent["without"] = 0  # values spent on checks and on the search for kinks do not count
    numerical = averages(none).pair_moments(*pair)
    assert np.concatenate(numerical) == pytest.approx(np.concatenate(given), rel=1e-10)
    assert spent["without"] < 8 * spent["with"]


def test_plateaus_far_out_have_no_slope_at_all(rng):
    h = rng.uniform(35, 1e5, 500)
    for function in (lambda h: 2 + np.exp(-h * h), lambda h: np.clip(h, -0.3, 1.7), lambda h: np.round(np.tanh(h) * 3)):
        kinks = np.arctanh(np.arange(-2.5, 3) / 3) if function(1.0) == 2 else (-0.3, 1.7)
        assert not Tabulated(Numerical("flat", function, tuple(kinks)))(np.append(h, -h)).any()


@pytest.mark.parametrize("shape", [(0,), (3, 0)])
def test_no_fields_have_no_slopes(shape):
    assert Tabulated(Activation("own", np.tanh).derivative)(np.empty(shape)).shape == shape


def test_a_panel_is_made_once():
    asked = []

    def own(h):
        asked.append(np.size(h))
        return np.tanh(h)

    derivative = Tabulated(Activation("own", own).derivative)
    derivative(np.linspace(1.0, 1.2, 5))
    asked.clear()
    derivative(np.linspace(1.01, 1.24, 1000))
    assert sum(asked) == 0
    assert NODES == 20


def test_a_wave_far_out_is_tabulated_too(rng):
    """A wide panel holds many periods of such a wave: its fields are not differentiated one by one all the same."""
    wave = Activation("sinc", lambda h: np.sinc(h / np.pi)).derivative
    asked = []
    counted = replace(wave, function=lambda h: asked.append(h.size) or wave.function(h))
    table = Tabulated(counted)
    h = rng.uniform(50, 3000, 2000) * rng.choice([-1, 1], 2000)
    exact = (h * np.cos(h) - np.sin(h)) / h**2
    assert np.abs(table(h) - exact).max() < 1e-10 / 50
    learned = sum(asked)
    assert learned < 100 * h.size
    table(rng.uniform(50, 3000, 2000))
    assert sum(asked) - learned < learned / 2


@pytest.mark.parametrize(("frequency", "farthest"), [(30.0, 3000.0), (100.0, 30.0)])
def test_a_wave_of_many_periods_in_every_panel_is_tabulated(frequency, farthest, rng):
    """All fields of panels that were made cost no value more."""
    wave = Activation("wave", lambda h: np.sin(frequency * h)).derivative
    asked = []
    table = Tabulated(replace(wave, function=lambda h: asked.append(h.size) or wave.function(h)))
    h = np.geomspace(1e-3, farthest, 3000) * rng.choice([-1, 1], 3000)
    rounding = 4 * np.finfo(float).eps * np.abs(frequency * h)
    assert (np.abs(table(h) / frequency - np.cos(frequency * h)) < 1e-10 + 20 * rounding).all()
    asked.clear()
    table(h)
    assert not asked


@pytest.mark.parametrize("side", [1, -1])
def test_a_derivative_that_grows_to_the_end_of_floats_has_its_digits(side):
    """Panels far out are wide: an error that is small beside the slope at one end is large beside that at the other."""
    far = np.array([-20.0, 40.0, 300.0, 690.0, 700.0, 705.0, 709.5])
    numerical = Numerical("growing", lambda h: np.expm1(side * h))
    assert Tabulated(numerical)(side * far) == pytest.approx(side * np.exp(far), rel=1e-9, abs=1e-9)
