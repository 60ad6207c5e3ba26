"""Signals of repeated layers at any depth, on and off criticality, against mpmath; and what is refused."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import examples

from statnn.network import Activation
from statnn.rg import FixedFunction, LeadingFormKind, RandomLayer, RepeatedLayer, renormalise
from statnn.rg.repeated import _rest as _repeated_rest
from statnn.rg.repeated._analysis import analysed
from statnn.testing.strategies import log_uniform
from statnn.theory.rg import repeated_oracle

SIGN = st.sampled_from([-1.0, 1.0])
STARTS = st.tuples(SIGN, log_uniform(1e-320, 1e308)).map(math.prod)
TANH, ERF, SIGMOID = (RepeatedLayer.critical(name) for name in ("tanh", "erf", "sigmoid"))
OWN_TANH = Activation("own tanh", np.tanh, lambda h: 1 - np.tanh(h) ** 2)
SOFT = Activation("1 - exp(-h)", lambda h: -np.expm1(-h), lambda h: np.exp(-h))


def function(layer, name):
    """Return the layer for mpmath; its weight and bias are the floats that they are."""
    of = {"tanh": mpmath.tanh, "erf": mpmath.erf, "sigmoid": lambda h: (1 + mpmath.tanh(h / 2)) / 2}[name]
    return lambda h: of(layer.w * h + layer.b)


# -- critical --------------------------------------------------------------------------------------------


@given(STARTS, st.integers(1, 10**18))
@example(1e-9, 10**8)
@examples(0.5)
def test_small_signals_of_critical_layers_sink_by_their_leading_term(start, layers):
    """y_m = y (1 + 2 y² m/3)^(-1/2) up to a relative y², and a signal that no layer changes stays."""
    signal = TANH.signal(start, layers)
    assert math.copysign(1.0, signal) == math.copysign(1.0, start)
    assert abs(signal) <= abs(start)
    if abs(start) < 1e-8:
        with mpmath.workdps(60):
            y = mpmath.mpf(start)
            exact = y / mpmath.sqrt(1 + 2 * y * y * layers / 3)
            assert abs(signal - exact) <= 1e-12 * abs(exact) + 5e-324


@given(st.floats(1e-3, 1.5), st.integers(1, 10**9), st.integers(1, 10**9))
@examples(0.3)
def test_layers_of_critical_signals_add_up(start, first, second):
    for layer in (TANH, ERF):
        assert layer.signal(layer.signal(start, first), second) == pytest.approx(
            layer.signal(start, first + second), rel=1e-12
        )


def test_signals_that_no_layer_moves():
    assert TANH.signal(1e-160, 10) == 1e-160
    assert TANH.signal(-5e-324, 9 * 10**18) == -5e-324
    assert SIGMOID.signal(0.5, 10**18) == 0.5
    assert TANH.signal(1e308, 10**18) == pytest.approx(math.sqrt(1.5e-18), rel=1e-9)
    for question in (lambda: TANH.depth(1e-160), lambda: TANH.layers(1e-100, -0.0 + 1e-160)):
        with pytest.raises(ValueError, match="deeper than 1e308 layers"):
            question()


def test_a_signal_that_a_layer_takes_to_the_other_side_is_drawn_in_there():
    """sin 4 < 0: from there on it sinks as the signal sin 4 does."""
    layer = RepeatedLayer("sin")
    assert layer.signal(4.0, 10**12) == pytest.approx(-math.sqrt(3e-12), rel=1e-10)
    assert layer.depth(4.0) == pytest.approx(layer.depth(math.sin(4.0)) - 1, rel=1e-12)
    count = layer.layers(4.0, -0.1)
    assert layer.iterate(4.0, math.floor(count)) < -0.1 < layer.iterate(4.0, math.ceil(count))
    for start, value in ((4.0, 0.1), (1.0, -0.1), (1.0, 0.0)):
        with pytest.raises(ValueError, match=r"do not lie on the same side of the fixed point 0: no number of layers"):
            layer.layers(start, value)
    fold = RepeatedLayer.critical("sin", 0.5)  # draws in from above alone, and takes this signal below
    start = (math.pi - math.asin(fold.leading_form().fixed_point - 1e-3) - fold.b) / fold.w
    with pytest.raises(ValueError, match="is not drawn in by the fixed point"):
        fold.depth(start)


def test_layers_of_ones_own_that_are_critical_but_for_rounding_sink_at_any_depth():
    """The slope is 49 times the float nearest to 1/49, and the coefficient 1/(3·49²)."""
    wide = Activation("wide tanh", lambda h: 49 * np.tanh(h), lambda h: 49 / np.cosh(h) ** 2)
    layer = RepeatedLayer(wide, 1 / 49)
    assert layer.w * 49 != 1
    assert layer.signal(1.0, 10**18) == pytest.approx(49 * math.sqrt(1.5e-18), rel=1e-8)


def test_fixed_points_where_a_layer_is_steep_keep_their_digits():
    """A rounding of the field moves x* by that rounding over w, and not times the slope."""
    w = -300.0
    points = RepeatedLayer("sin", w, 0.5).rest_points()
    assert len(points) > 100
    with mpmath.workdps(40):
        for x, slope in points[::5]:
            exact = mpmath.findroot(lambda at: mpmath.sin(w * at + 0.5) - at, x)
            assert abs(x - exact) < 3e-16
            assert slope == pytest.approx(float(w * mpmath.cos(w * exact + 0.5)), abs=1e-9)


def test_a_fold_draws_in_from_one_side_alone():
    """From the other signals go to the other fixed point, or grow without bound."""
    layer = RepeatedLayer.critical("tanh", 0.5)
    x = layer.leading_form().fixed_point
    h = mpmath.mpf(x - 0.01)
    for _ in range(200):
        h = function(layer, "tanh")(h)
    assert layer.signal(x - 0.01, 200) == pytest.approx(float(h), rel=1e-11)
    assert layer.signal(x - 0.01, 10**12) == pytest.approx(layer.rest_points()[0][0], rel=1e-14)
    for near in (1e-9, 1e-7):
        with pytest.raises(ValueError, match=r"on the side from which it drives signals away, .* start farther away"):
            layer.signal(x - near, 10**12)
    with pytest.raises(ValueError, match="is not drawn in by the fixed point"):
        layer.depth(x - 0.01)
    with pytest.raises(ValueError, match="exceed the range of float64"):
        RepeatedLayer(SOFT).signal(-0.5, 100)


# -- off criticality -------------------------------------------------------------------------------------


@given(
    st.sampled_from(["tanh", "erf", "sigmoid"]), st.floats(-3, 4), st.sampled_from([0.0, 0.1, -2.0]),
    st.floats(-3, 3), st.integers(0, 60),
)  # fmt: skip
@examples(0.5)
def test_few_layers_are_those_of_mpmath(name, w, b, start, layers):
    layer = RepeatedLayer(name, w, b)
    exact = repeated_oracle.iterated(function(layer, name), start, layers, digits=30)
    assert layer.signal(start, layers) == pytest.approx(float(exact), rel=1e-13, abs=1e-13)


@pytest.mark.parametrize(
    ("name", "w", "b"),
    [("tanh", 2.0, 0.0), ("tanh", 1.001, 0.0), ("tanh", 1.0, 1e-3), ("erf", 1.0, 0.0), ("sigmoid", 6.0, -3.2)],
)
def test_deep_signals_rest_at_a_fixed_point_to_the_last_digit(name, w, b):
    layer = RepeatedLayer(name, w, b)
    rest = layer.signal(0.9, 10**18)
    with mpmath.workdps(40):
        exact = mpmath.findroot(lambda h: function(layer, name)(h) - h, rest)
    assert rest == pytest.approx(float(exact), rel=3e-16)


def test_near_criticality_is_not_criticality(monkeypatch):
    """1e-11 from it tanh has fixed points at 5e-6, and signals stay there; a bias of 1e-20 holds them at 3e-7."""
    monkeypatch.setattr(_repeated_rest, "MOST_LAYERS", {True: 10**5})
    for layer in (
        RepeatedLayer("tanh", 1 + 1e-11),
        RepeatedLayer("tanh", 1.0, 1e-20),
        RepeatedLayer("tanh", 1 + 3e-10),
    ):
        assert layer.leading_form().outcome is LeadingFormKind.NOT_CRITICAL
        assert layer.signal(1.0, 1000) == pytest.approx(TANH.signal(1.0, 1000), rel=1e-6)
        with pytest.raises(ValueError, match=r"has not come to rest\. Only critical layers"):
            layer.signal(1.0, 10**15)
    near, far = RepeatedLayer("tanh", 1 + 3e-10).rest_points(), math.sqrt(3 * (1 + 3e-10 - 1))
    assert [x for x, _ in near] == pytest.approx([-far, 0.0, far], rel=1e-8, abs=0)
    assert RepeatedLayer("tanh", 1.0, 1e-20).rest_points()[0][0] == pytest.approx(3e-20 ** (1 / 3), rel=1e-12, abs=0)


def test_signals_of_lines_and_steps():
    assert RepeatedLayer("identity", 0.9).signal(1.0, 60) == pytest.approx(0.9**60, rel=1e-14)
    assert RepeatedLayer("identity", 0.9).signal(1.0, 10**15) == 0.0
    assert RepeatedLayer("relu", 0.5, 1.0).signal(-7.0, 10**15) == 2.0
    assert RepeatedLayer("relu").signal(3.0, 10**15) == 3.0
    assert RepeatedLayer("identity", -1.0, 1.0).signal(3.0, 10**15 + 1) == -2.0
    assert RepeatedLayer("sign", -1.0).signal(0.5, 10**15) == RepeatedLayer("sign", -1.0).signal(0.5, 2)
    assert RepeatedLayer(OWN_TANH, 2.0).signal(0.1, 10**15) == pytest.approx(0.9575040240772687, rel=1e-14)
    assert RepeatedLayer(OWN_TANH, 1.0, 0.5).signal(0.1, 50) == pytest.approx(
        RepeatedLayer("tanh", 1.0, 0.5).signal(0.1, 50), rel=1e-14
    )
    with pytest.raises(ValueError, match="w = 2 amplifies 1 without bound"):
        RepeatedLayer("relu", 2.0).signal(1.0, 10**4)


def test_where_rounding_holds_a_signal_it_is_said():
    """The unstable fixed points of tanh(2h) at 0 and of sigmoid(6h - 3) at 1/2 are floats; others are not."""
    assert RepeatedLayer("tanh", 2.0).signal(0.0, 10**18) == 0.0
    assert RepeatedLayer("sigmoid", 6.0, -3.0).signal(0.5, 10**18) == 0.5
    held = 0
    for bias in np.linspace(-3.1, -3.01, 20).tolist():
        layer = RepeatedLayer("sigmoid", 6.0, bias)
        stable, (middle, slope), _ = layer.rest_points()
        assert slope > 1
        try:
            assert layer.signal(middle, 10**12) == pytest.approx(stable[0]) or layer(middle) > middle
        except ValueError as error:
            assert "rounding decides where it goes" in str(error)  # noqa: PT017 - some of them
            held += 1
    assert held > 5


@pytest.mark.parametrize(
    ("start", "layers", "error", "words"),
    [
        (math.nan, 5, ValueError, "start = nan is not a finite number: signals are finite real numbers"),
        (math.inf, 5, ValueError, "start = inf is not a finite number"),
        ([1.0, 2.0], 5, TypeError, "is not one number: call again for other signals"),
        ("1", 5, TypeError, "start must hold real numbers"),
        (1.0, -1, ValueError, "layers = -1 is outside"),
        (1.0, 2.0, TypeError, "layers = 2.0 is a float"),
    ],
)
def test_what_is_no_signal_is_refused(start, layers, error, words):
    for layer in (TANH, RepeatedLayer("tanh", 0.5)):
        with pytest.raises(error, match=words):
            layer.signal(start, layers)


@pytest.mark.parametrize("field", [1e-2, -1e-3, 1e-5])
@pytest.mark.parametrize(
    ("name", "function"), [("sigmoid", lambda h: (1 + mpmath.tanh(h / 2)) / 2), ("erf", mpmath.erf)]
)
def test_signals_close_to_a_cusp(name, function, field):
    """There the cubic term is far larger than the leading, quadratic one, until signals are very small."""
    layer = RepeatedLayer.critical(name, field)
    form = layer.leading_form()
    start = form.fixed_point + 0.4 * form.side
    with mpmath.workdps(40):
        signals = [mpmath.mpf(start)]
        for _ in range(300):
            signals.append(function(layer.w * signals[-1] + layer.b))
    for layers in (1, 5, 300):
        assert layer.signal(start, layers) == pytest.approx(float(signals[layers]), rel=1e-12)
    assert layer.layers(start, float(signals[300])) == pytest.approx(300.0, rel=1e-9 + 1e-17 * field**-2)
    deep = layer.signal(start, 10**9)
    assert layer.signal(layer.signal(start, 10**6), 10**9 - 10**6) == pytest.approx(deep, rel=1e-12)
    assert 0 < form.side * (deep - form.fixed_point) < 1.01 * form.signal(1e9)


@pytest.mark.parametrize("field", [1e-2, 1e-4])
def test_renormalised_layers_close_to_a_cusp(field):
    layer = RepeatedLayer.critical("tanh", field)
    form, scale = layer.leading_form(), 8.0  # α = 2 for z = 2, thrice
    step = renormalise(layer, 3, extent=4.0)[-1]
    for x in (0.1, 1.0, 4.0):
        eight = layer.iterate(form.fixed_point + form.side * x / scale, 8)
        assert step(x) == pytest.approx(form.side * (eight - form.fixed_point) * scale, rel=1e-12)


def test_a_renormalised_layer_says_how_far_it_is_off():
    """It is nowhere farther from f* than its distance, and the truncation of one step is not undone by the next."""
    steps = renormalise(RepeatedLayer.critical("sigmoid", -1.0), 6, extent=0.2, nodes=12)
    x = np.linspace(0, 0.2, 101)
    for step in steps:
        assert np.abs(step(x) - step.fixed(x)).max() <= step.distance() * (1 + 1e-12)
    assert steps[0].truncation > 0
    assert (np.diff([step.truncation for step in steps]) >= 0).all()


@pytest.mark.parametrize(("layer", "power"), [("tanh", 5), ("fold", 3), ("quartic", 4)])
def test_the_term_after_the_leading_one(layer, power):
    """tanh h = h - h³/3 + 2h⁵/15; a fold of tanh has all powers; and a function with x⁴ and x⁵ after x³."""
    quartic = Activation("quartic", lambda h: h - h**3 / 3 - h**4 - h**5)
    layers = {"tanh": "tanh", "quartic": quartic}
    repeated = RepeatedLayer(layers[layer]) if layer in layers else RepeatedLayer.critical("tanh", 0.5)
    assert repeated.leading_form().next_order == power


def test_directions_are_named_for_what_they_do():
    """Powers k <= z - 2 unfold, for a fold the bias alone; a shift of x makes x^(z-1), a change of unit x^z."""
    fold, quartic = ([field.meaning.split(",")[0] for field in FixedFunction(z, 0.5).scaling_fields()]
                     for z in (2, 4))  # fmt: skip
    assert fold == ["bias", "shift of x", "unit of x", "residue"]
    assert "fold being its bias" in FixedFunction(2, 0.5).scaling_fields()[1].meaning
    assert quartic == [
        "bias", "distance to criticality", "unfolding", "shift of x", "unit of x", *["curvature of x"] * 2, "residue",
    ]  # fmt: skip


def test_a_radius_in_which_a_function_is_no_polynomial_is_said():
    steep = RepeatedLayer(Activation("steep", lambda h: np.tanh(1e3 * h) / 1e3, lambda h: np.cosh(1e3 * h) ** -2.0))
    with pytest.raises(ValueError, match=r"slope 1 at the field 0, .* within radius = 0\.5 .* pass a smaller radius"):
        steep.leading_form()
    form = steep.leading_form(radius=5e-4)
    assert (form.outcome, form.order, form.coefficient) == (
        LeadingFormKind.CRITICAL,
        3,
        pytest.approx(1e6 / 3, rel=1e-9),
    )
    assert steep.signal(1e-3, 10**4) == pytest.approx(1e-3 * RepeatedLayer("tanh").signal(1.0, 10**4), rel=1e-9)


def elu(h):
    return np.where(h > 0, h, np.expm1(np.minimum(h, 0)))


def uneven(h):
    return np.where(h > 0, np.tanh(h), np.arctan(h))


ROUGH = {
    "kink of the slope": (Activation("elu", elu), -2.0),
    "on both sides": (Activation("softsign", lambda h: h / (1 + np.abs(h))), 0.5),
    "jump of the fifth derivative": (Activation("uneven", uneven), 0.5),
}


@pytest.mark.parametrize("name", ROUGH)
def test_functions_that_are_no_polynomials_sink_layer_by_layer(name):
    """A polynomial through both sides of a kink has half the coefficient of elu, and signals 40 % too large."""
    sigma, start = ROUGH[name]
    layer, signal = RepeatedLayer(sigma), np.float64(start)
    for _ in range(3000):
        signal = sigma.function(signal)
    assert layer.signal(start, 3000) == pytest.approx(float(signal), rel=1e-12)
    with pytest.raises(
        ValueError, match=r"a polynomial within radius = 0\.5 .* kink|is not a polynomial near the fixed"
    ):
        layer.depth(start)


CUBES = {
    "of one sign": lambda h: h - 0.3 * np.abs(h) ** 3 / (1 + np.abs(h) ** 3),
    "one larger than the other": lambda h: np.tanh(h) - 0.1 * np.abs(h) ** 3 * np.exp(-h * h),
}


@pytest.mark.parametrize("name", CUBES)
def test_coefficients_of_two_sides_are_no_coefficient(name):
    """A polynomial through both sides has the mean of the two, with an error of 3e-11."""
    layer = RepeatedLayer(Activation(name, CUBES[name]))
    with pytest.raises(ValueError, match=r"bends otherwise close to the field 0 .* coefficients= of the side"):
        layer.leading_form()
    assert layer.signal(0.5, 30_000) == pytest.approx(iterated(layer.sigma.function, 30_000), rel=1e-10)


def shifted(place, cube):
    """Return tanh h - cube |h|³ exp(-h²) with its origin at a fixed point far from zero."""

    def function(h):
        y = np.clip(h - place, -20, 20)
        return place + np.tanh(y) - cube * np.abs(y) ** 3 * np.exp(-y * y)

    def slope(h):
        y = np.clip(h - place, -20, 20)
        return np.cosh(y) ** -2.0 - cube * y * np.abs(y) * (3 - 2 * y * y) * np.exp(-y * y)

    return RepeatedLayer(Activation("shifted", function, slope))


@pytest.mark.parametrize(("place", "cube"), [(0.0, 0.01), (1e7, 0.03)])
def test_sides_whose_coefficients_differ_by_hundredths_are_two(place, cube):
    """Weak kinks show nearest to the fixed point, and where values are rounded coarsely farther from it."""
    with pytest.raises(ValueError, match="bends otherwise close to the field"):
        shifted(place, cube).leading_form(at=place)


@pytest.mark.parametrize("place", [1e5, 1e7])
def test_a_slope_is_one_to_the_rounding_of_values(place):
    """Float64 has steps of 1e-16 of the place: slopes over lengths of order one are no better known."""
    form = shifted(place, 0.0).leading_form(at=place)
    assert (form.outcome, form.order) == (LeadingFormKind.CRITICAL, 3)
    assert form.coefficient == pytest.approx(1 / 3, abs=4 * form.coefficient_error)


def test_the_doubt_about_a_change_does_not_depend_on_the_unit_of_signals():
    """With powers of two as units every value is the same but for its exponent."""
    doubts = []
    for s in (2.0**-6, 2.0**-10):
        layer = RepeatedLayer(Activation("scaled", lambda h, s=s: np.tanh(s * h) / s))
        doubts.append(analysed(layer, None, None, 0.5 / s).doubt)
    assert doubts[0] == pytest.approx(doubts[1], rel=1e-12, abs=0)
    assert doubts[0] > 0


@pytest.mark.parametrize(("start", "layers"), [(3.0, 1), (1.0, 4), (-2.0, 30)])
def test_layers_between_signals_far_from_the_fixed_point_are_counted(start, layers):
    assert TANH.layers(start, TANH.iterate(start, layers)) == pytest.approx(layers, rel=1e-11)


@pytest.mark.parametrize("name", ["gelu", "silu"])
def test_zero_is_a_fixed_point_without_bias(name):
    """σ(h) = h/2 + O(h²): with w = 2 the slope there is one."""
    assert (0.0, 1.0) in RepeatedLayer(name, 2.0).rest_points()


def test_signals_of_functions_with_a_kink_in_a_high_derivative_sink_layer_by_layer():
    """The leading coefficient is right, but there are no terms after it; with such terms signals are off by 1e-4."""
    layer = RepeatedLayer(Activation("fifth", lambda h: np.tanh(h) + 0.3 * np.abs(h) ** 5 * np.exp(-h * h)))
    assert layer.leading_form().coefficient == pytest.approx(1 / 3, rel=1e-9)
    assert layer.signal(0.5, 30_000) == pytest.approx(iterated(layer.sigma.function, 30_000), rel=1e-10)


@pytest.mark.parametrize("function", [np.square, lambda h: h**3, lambda h: 1 - np.cos(h)])
def test_functions_that_are_flat_at_the_fixed_point_are_not_critical(function):
    """A slope of zero has an absolute error of rounding, and no relative one."""
    form = RepeatedLayer(Activation("flat", function)).leading_form()
    assert form.outcome is LeadingFormKind.NOT_CRITICAL
    assert form.slope == pytest.approx(0, abs=1e-12)


def test_functions_that_are_steep_at_the_fixed_point_are_not_critical():
    """A slope has a relative error, whatever its size."""
    form = RepeatedLayer(Activation("own", np.tanh), w=1e9).leading_form()
    assert form.outcome is LeadingFormKind.NOT_CRITICAL
    assert form.slope == pytest.approx(1e9, rel=1e-9)


def iterated(function, layers):
    signal = np.float64(0.5)
    for _ in range(layers):
        signal = function(signal)
    return float(signal)


def test_layers_at_their_fixed_point_are_passed_at_once():
    asked = []

    class Counted(RandomLayer):
        def variance_map(self, q):
            asked.append(q)
            return super().variance_map(q)

    layers = Counted("tanh", 1.5).power(10**5)
    assert (layers.variance_map(0.0), len(asked)) == (0.0, 1)


def test_a_start_is_felt_at_any_distance_beside_noise_that_is_small_enough():
    """A/(e^2A - 1) of the start beside e²/2A of the noise, at A = 31.5."""
    mean_square = FixedFunction(3, 1.0).finite_depth(-31.5, 31.5e-12)
    assert mean_square == pytest.approx(31.5 / math.expm1(63) + 31.5e-24 / 2, rel=1e-5, abs=0)
