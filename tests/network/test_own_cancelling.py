"""Activations of one's own whose terms cancel: rounding is no kink, and the loss of too many digits is refused."""

import mpmath
import numpy as np
import pytest
from scipy import special

from statnn.network import Activation
from statnn.network._differences import AsArray, _stencils, precision, slopes


def bump(h, scale=1.0):
    return special.expit(scale * h) * (1 - special.expit(scale * h))


CANCELLING = {
    "difference of squares": (
        lambda h: np.tanh(h) ** 2 - np.tanh(h) ** 4,
        lambda h: 2 * np.tanh(h) / np.cosh(h) ** 2 * (1 - 2 * np.tanh(h) ** 2),
    ),
    "difference quotient": (
        lambda h: 100 * (special.expit(h + 0.01) - special.expit(h - 0.01)),
        lambda h: 100 * (bump(h + 0.01) - bump(h - 0.01)),
    ),
    "around an offset": (lambda h: (np.tanh(h) + 1e3) - 1e3, lambda h: 1 / np.cosh(h) ** 2),
}


@pytest.mark.parametrize("name", CANCELLING)
def test_rounding_of_terms_that_cancel_is_no_kink(name):
    function, derivative = CANCELLING[name]
    fields = np.linspace(-4, 4, 41)
    assert Activation(name, function).derivative(fields) == pytest.approx(derivative(fields), abs=1e-9)


@pytest.mark.parametrize(("k", "n"), [(5, 6), (6, 10), (7, 9), (10, 9)])
def test_rounding_of_fields_is_no_kink_where_waves_turn(k, n):
    """Fields are rounded, and steep slopes beside a turning point make that large beside the slope there."""
    fields = np.linspace(-8, 8, 41)
    wave = Activation("waves", lambda h: np.sin(k * h) + np.sin(n * h))
    assert wave.derivative(fields) == pytest.approx(k * np.cos(k * fields) + n * np.cos(n * fields), abs=1e-9)


@pytest.mark.parametrize("step", [3.0, 30.0])
def test_kinks_among_waves_are_still_seen(step):
    """The slope changes by this much at the turning point of the wave."""
    at = np.pi / 20
    with pytest.raises(ValueError, match=r"has a kink or a jump near the field 0\.15708"):
        Activation("kinked", lambda h: np.sin(10 * h) + step * np.maximum(h - at, 0))


@pytest.mark.parametrize("factor", [1.0, 3.7, 100.0])
def test_tails_without_digits_are_told_as_such(factor):
    """Where E is near 1, E(1 - E) is rounding, which is no kink: advice to state one would lead nowhere."""
    with pytest.raises(
        ValueError, match=r"cannot be differentiated from its values: .* in a form that does not cancel"
    ):
        Activation("bump", lambda h: factor * bump(h, 4.0))


@pytest.mark.parametrize("step", [1e-4, 1e-1])
def test_small_jumps_are_still_seen(step):
    with pytest.raises(ValueError, match=r"has a kink or a jump near the field 0\.3"):
        Activation("step", lambda h: np.tanh(h) + step * (h > 0.3))


def test_functions_that_cancel_far_from_zero_are_smooth():
    """Squareplus [Barron 2021]: its value of 0.01 at h = -93 is left of the difference of two numbers near 93."""
    sigma = Activation("squareplus", lambda h: (h + np.sqrt(h * h + 4)) / 2)
    h = np.array([-93.0, -3.0, 0.0, 1e-9, 5.0])
    exact = (1 + h / np.sqrt(h * h + 4)) / 2
    assert np.allclose(sigma.derivative(h), exact, rtol=0, atol=1e-10)


@pytest.mark.parametrize("field", [-3e8, 1e9, 1e12])
def test_waves_narrower_than_every_step_are_not_taken_for_level(field):
    """Steps grow with the field, and differences over wide ones are small whatever lies between."""
    with pytest.raises(ValueError, match=r"no derivative that could be found from its values at the field"):
        Activation("wave", np.sin).derivative([field])


@pytest.mark.parametrize(
    ("function", "slope"),
    [
        (lambda h: np.log(np.cosh(h)), np.tanh),
        (lambda h: np.sqrt(1 + h * h) - 1, lambda h: h / np.sqrt(1 + h * h)),
        (lambda h: np.log(1 + h * h), lambda h: 2 * h / (1 + h * h)),
        (lambda h: 1 - 1 / np.cosh(h), lambda h: np.tanh(h) / np.cosh(h)),
        (lambda h: np.log1p(np.exp(h)) - np.log(2) - h / 2, lambda h: np.tanh(h / 2) / 2),
    ],
    ids=["ln cosh", "root", "log", "1 - sech", "softplus"],
)
def test_minima_are_not_level_where_values_beside_them_round_to_one(function, slope):
    """1 + h² is 1 in floats for h up to 1e-8, and exp(h) up to 1e-16: values there tell no slope, those farther do."""
    h = np.append(0, np.geomspace(1e-12, 1, 49))
    np.testing.assert_allclose(Activation("well", function).derivative(h), slope(h), rtol=0, atol=1e-12)


QUOTIENTS = {
    "(1 - cos h)/h": lambda h, m: (1 - m.cos(h)) / h,
    "(h - sin h)/h²": lambda h, m: (h - m.sin(h)) / h**2,
    "(h - tanh h)/h²": lambda h, m: (h - m.tanh(h)) / h**2,
    "ln(1 + h²)/h": lambda h, m: m.log(1 + h * h) / h,
    "(cosh h - 1)/sinh h": lambda h, m: (m.cosh(h) - 1) / m.sinh(h),
    "(1 - exp(-h²))/h": lambda h, m: (1 - m.exp(-h * h)) / h,
    "(exp h - 1)/h": lambda h, m: (m.exp(h) - 1) / h,
    "h/(1 - exp(-h))": lambda h, m: h / (1 - m.exp(-h)),
    "Langevin": lambda h, m: 1 / m.tanh(h) - 1 / h,
}


def slopes_of(name, fields):
    """Derivatives of a quotient with 60 digits, as floats."""
    with mpmath.workdps(60):
        return [float(mpmath.diff(lambda h: QUOTIENTS[name](h, mpmath), h, h=mpmath.mpf(10) ** -25)) for h in fields]


@pytest.mark.parametrize("name", QUOTIENTS)
def test_quotients_whose_values_have_lost_their_digits_have_a_right_slope_or_none(name):
    """cos h is 1 less a multiple of 2⁻⁵³: between its jumps (1 - cos h)/h falls as c/h, where in truth it rises."""
    function = QUOTIENTS[name]
    fields = np.geomspace(1e-12, 3, 401) * np.resize([1, -1], 401)
    slope, error, size = slopes(lambda h: function(h, np), fields, (), name)
    known = error <= 1e-7 * np.maximum(np.abs(slope), size)
    assert np.mean(known) > 0.6
    assert known[np.abs(fields) > 1e-4].all()
    np.testing.assert_allclose(slope[known], np.array(slopes_of(name, fields))[known], rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", QUOTIENTS)
def test_rounding_beside_a_removable_singularity_is_no_jump(name):
    """1/h is 1e4 at h = 1e-4, and what coth h - 1/h leaves of it is off by 1e-12."""
    limit = 1.0 if "exp h" in name or "exp(-h)" in name else 0.0
    sigma = Activation(name, lambda h: np.where(h == 0, limit, QUOTIENTS[name](np.where(h == 0, 1, h), np)))
    fields = np.array([-3.0, -0.2, 0.01, 0.5, 4.0])
    np.testing.assert_allclose(sigma.derivative(fields), slopes_of(name, fields), rtol=0, atol=1e-9)
    assert sigma.jumps == ()


def test_a_step_as_small_as_rounding_but_smooth_keeps_its_slope():
    fields = np.append(0, np.geomspace(1e-10, 1e-7, 31))
    slope, *_ = slopes(lambda h: np.tanh(h) + 1e-8 * np.tanh(1e8 * h), fields, (), "step")
    assert slope == pytest.approx(1 / np.cosh(fields) ** 2 + 1 / np.cosh(1e8 * fields) ** 2, abs=1e-9)


def test_of_many_jumps_the_nearest_to_zero_are_kept():
    stairs = Activation("stairs", lambda h: np.floor(8 * h), np.zeros_like)
    places, by = np.transpose(stairs.jumps)
    assert np.sort(np.abs(places)) == pytest.approx(np.sort(np.abs(np.arange(-63, 65) / 8)), abs=1e-9)
    assert by == pytest.approx(np.ones(128))


@pytest.mark.parametrize("function", [lambda h: np.exp(3 * h), lambda h: np.where(h > 0, 1e6, 1.0) * np.tanh(h)])
def test_mirrored_functions_have_mirrored_derivatives(function):
    """σ(-h) at -h: the same differences in the other order, known as well to the last bit."""
    fields = np.linspace(-3.1, 2.9, 25)
    slope, error, _ = slopes(function, fields, (0.0,), "it")
    other, as_well, _ = slopes(lambda h: function(-h), -fields, (0.0,), "its mirror")
    np.testing.assert_array_equal(slope, -other)
    np.testing.assert_array_equal(error, as_well)


def test_functions_may_write_into_their_argument():
    def doubled(h):
        h *= 2
        return np.tanh(h)

    fields = np.array([-0.5, 0.0, 1.0])
    slope, error, _ = slopes(doubled, fields, (), "doubled")
    assert fields.tolist() == [-0.5, 0.0, 1.0]
    assert slope == pytest.approx(2 / np.cosh(2 * fields) ** 2, rel=1e-9)
    assert (error < 1e-9).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_lists_become_floats_as_wide_as_the_fields(dtype):
    values = AsArray(lambda h: [float(x) ** 2 for x in h])(np.ones(3, dtype))
    assert (values.dtype, values.tolist()) == (dtype, [1.0] * 3)


@pytest.mark.parametrize(
    ("dtype", "bits"), [(np.float32, 23), (np.float64, 52), (np.longdouble, 52), (np.int64, 52), (np.bool_, 52)]
)
def test_values_are_no_more_precise_than_float64(dtype, bits):
    """Differences are taken in float64, into which wider numbers are rounded."""
    assert precision(np.ones(2, dtype)) == 2.0**-bits


def test_differences_are_one_sided_only_where_a_kink_leaves_less_than_a_quarter_of_the_step():
    """Rounding grows six times more in one-sided ones."""
    _, side, step = _stencils(np.array([0.2, -0.2, 0.1, -0.1, 0.9]), np.zeros(1))
    assert side.tolist() == [0, 0, 1, -1, 0]
    assert step == pytest.approx([0.19, 0.19, 0.4, 0.4, 0.4])


def test_the_size_of_a_function_is_that_around_the_field():
    """It vanishes up to its kink, and with its slope at 50."""
    sigma = Activation("far", lambda h: np.where(h > 20, (h - 50) ** 2, 0.0), kinks=[20.0])
    assert sigma.derivative(np.array([50.0, 51.0])) == pytest.approx([0.0, 2.0], abs=1e-9)
