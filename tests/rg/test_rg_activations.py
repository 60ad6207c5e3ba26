"""Layers of every activation: fixed points against a search on a grid, known laws, and averages against quadrature."""

import math
import re

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from strategies import examples

from statnn import rg
from statnn.network import ACTIVATIONS, Activation
from statnn.network._activation import _entry
from statnn.rg import LeadingFormKind, NoisyLayer, RandomLayer, RepeatedLayer
from statnn.rg.repeated._rest_points import fixed_fields
from statnn.rg.wide._averages import _Own, averages

LATER = ["gelu", "gelu tanh", "silu", "softplus", "sin"]
later = pytest.mark.parametrize("name", LATER)
FIELDS = np.linspace(-150, 150, 600_001)


def changes(layer):
    """Fields where w σ + b - h changes sign on a grid."""
    gap = layer.w * layer.sigma(FIELDS) + layer.b - FIELDS
    return FIELDS[:-1][np.sign(gap[:-1]) * np.sign(gap[1:]) < 0]


@pytest.mark.parametrize("name", [name for name, sigma in ACTIVATIONS.items() if sigma.smooth])
@given(w=st.floats(-15, 15), b=st.floats(-3, 3))
@examples(0.2)
def test_all_fixed_points_are_found(name, w, b):
    layer = RepeatedLayer(name, w, b)
    if layer.sigma.above_relu is not None and abs(w - 1) < 0.05:
        w = 0.5
        layer = RepeatedLayer(name, w, b)
    points = layer.rest_points()
    for x, slope in points:
        assert abs(layer(x) - x) <= 1e-14 * (1 + abs(w * x) + abs(b)) * max(1, abs(slope))
    at = sorted(w * x + b for x, _ in points)
    seen = changes(layer)
    assert all(np.abs(np.array(at) - h).min() < 1e-3 for h in seen)
    missed = [h for h in at if not seen.size or np.abs(seen - h).min() > 2e-3]
    for h in missed:  # on a node of the grid, or two within one cell
        assert np.abs(layer.w * layer.sigma(np.array(h)) + b - h) < 1e-12


def test_fixed_points_of_what_is_bounded_by_more_than_one():
    arctan = _entry(
        "arctan", np.arctan, lambda h: 1 / (1 + h * h), 99, bounds=(-math.pi / 2, math.pi / 2), steepest=1.0,
        fields_of_slope=lambda factor: math.sqrt(factor - 1), exact=lambda mp, h: mp.atan(h),
    )  # fmt: skip
    gap = lambda h: 3 * math.atan(h) + 1 - h  # noqa: E731
    expected = [brentq(gap, *ends, xtol=1e-14) for ends in ((-5, -2), (-2, 0), (0, 10))]
    np.testing.assert_allclose(fixed_fields(arctan, 3.0, 1.0), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "w", "b", "fields"),
    [
        ("sign", 2.0, 0.5, [-1.5, 2.5]),
        ("sign", 2.0, 3.0, [5.0]),
        ("relu", 0.5, 1.0, [2.0]),
        ("relu", 2.0, -1.0, [-1.0, 1.0]),
        ("relu", 2.0, 1.0, []),
        ("relu", 0.5, 0.0, [0.0]),
    ],
)
def test_fixed_points_of_lines_on_either_side_of_zero(name, w, b, fields):
    """For the sign h = b + w and b - w, where they have that sign; for the ReLU b and b/(1 - w)."""
    assert fixed_fields(ACTIVATIONS[name], w, b) == fields


@later
def test_rest_points_at_weight_one_are_told_from_fields_where_the_layer_is_a_line(name):
    if name == "sin":
        points = RepeatedLayer(name, 1.0, 2 * math.pi).rest_points()
        assert any(abs(slope - 1) < 1e-12 for _, slope in points)
        return
    expected = {"softplus": 0}.get(name, 1)
    assert len(RepeatedLayer(name).rest_points()) == expected
    (x, _), *rest = RepeatedLayer("softplus", 1.0, -1e-12).rest_points()
    assert (x, rest) == (pytest.approx(27.631021, rel=1e-4), [])


def test_too_many_turns_are_refused():
    with pytest.raises(ValueError, match=r"sin turns some .* times within \|w\| \+ \|b\| \+ 1 = 10001"):
        RepeatedLayer("sin", 1e4).rest_points()
    assert len(RepeatedLayer("sin", 300.0).rest_points()) > 150


def test_many_rest_points_take_few_derivatives_each(monkeypatch):
    diff, calls = mpmath.diff, []
    monkeypatch.setattr(mpmath, "diff", lambda *given: calls.append(1) or diff(*given))
    points = RepeatedLayer("sin", 100.0).rest_points()
    assert len(calls) < 12 * len(points)
    with mpmath.workdps(30):
        exact = [mpmath.findroot(lambda x: mpmath.sin(100 * x) - x, mpmath.mpf(x)) for x, _ in points]
        off = max(abs(x - true) / (abs(true) or 1) for (x, _), true in zip(points, exact, strict=True))
    assert off < 4e-16


@later
@pytest.mark.parametrize("field", [0.0, -0.4, 1.0])
def test_critical_layers_have_their_series(name, field):
    layer = RepeatedLayer.critical(name, field)
    form = layer.leading_form()
    assert form.outcome is LeadingFormKind.CRITICAL
    with mpmath.workdps(40):
        bend = mpmath.taylor(layer.sigma.exactly, mpmath.mpf(field), 3)
    order = 3 if abs(bend[2]) < 1e-12 else 2
    assert form.order == order
    assert form.coefficient == pytest.approx(abs(float(bend[order])) * layer.w**order, rel=1e-12)
    x = form.fixed_point + form.side * 0.2 / layer.w
    assert layer.depth(layer(x)) - layer.depth(x) == pytest.approx(1.0, abs=1e-9)
    assert layer.signal(x, 3000) == pytest.approx(layer.iterate(x, 3000), rel=1e-12)


def test_the_sine_iterated_comes_down_as_root_of_three_over_depth():
    form = RepeatedLayer("sin").leading_form()
    assert (form.order, form.coefficient, form.amplitude) == (3, pytest.approx(1 / 6), pytest.approx(math.sqrt(3)))
    assert form.residue == pytest.approx(1.2, rel=1e-12)  # de Bruijn, Asymptotic Methods in Analysis, section 8.6
    with mpmath.workdps(30):
        h = mpmath.mpf(1)
        for _ in range(2000):
            h = mpmath.sin(h)
    assert RepeatedLayer("sin").signal(1.0, 2000) == pytest.approx(float(h), rel=1e-13)


@later
def test_noisy_signals_follow_their_twin(name, rng):
    seed = int(rng.integers(2**32))
    known = RepeatedLayer(name, 0.8, 0.1)
    own = RepeatedLayer(Activation("mine", known.sigma.function, known.sigma.derivative), 0.8, 0.1)
    of_known, of_own = (layer.simulate([1, 7, 40], noise_std=0.3, replicas=20, rng=seed) for layer in (known, own))
    assert np.allclose(of_known, of_own, rtol=1e-13, atol=1e-14)


@later
def test_layers_of_a_function_that_is_not_critical_anywhere_near(name):
    assert RepeatedLayer(name, 0.3, 0.1).leading_form().outcome is LeadingFormKind.NOT_CRITICAL
    if name != "softplus":
        with pytest.raises(ValueError, match=f"'{name}' has slope -.*choose a field where the activation rises"):
            RepeatedLayer.critical(name, -3.0)


def test_of_two_fixed_points_of_slope_one_the_form_is_that_of_the_lower_one():
    """w sin h = h and w cos h = 1 where tan h = h, on either side of zero."""
    h = brentq(lambda h: math.tan(h) - h, 4.4, 4.6)
    form = RepeatedLayer("sin", 1 / math.cos(h)).leading_form()
    assert (form.order, form.fixed_point) == (2, pytest.approx(math.sin(h), rel=1e-12))


def test_a_point_that_a_layer_touches_is_there_once():
    """tanh with slope one away from its inflection has one touching point, and one point on the other side of zero."""
    for field in np.linspace(0.1, 2.0, 39):
        points = [x for x, _ in RepeatedLayer.critical("tanh", field).rest_points()]
        assert len(points) == 2
        assert points[0] < 0 < points[1] == pytest.approx(math.tanh(field), rel=1e-12)


# -- noisy layers ----------------------------------------------------------------------------------------


@later
def test_noisy_layers_have_the_moments_of_their_law(name):
    layer = NoisyLayer(name, 0.7, 0.2, 0.4)
    law = layer.stationary()
    image = layer.activation(0.7 * law.nodes + 0.2)
    p = law.weights * law.density
    assert law.mean == pytest.approx(p @ image, rel=1e-10)
    assert law.variance == pytest.approx(p @ image**2 - (p @ image) ** 2 + 0.4**2, rel=1e-9)
    own = NoisyLayer(Activation("mine", layer.activation.function, layer.activation.derivative), 0.7, 0.2, 0.4)
    assert own.stationary().mean == pytest.approx(law.mean, rel=1e-9)


def test_noisy_layers_without_a_law_say_why():
    for name in LATER[:-1]:
        with pytest.raises(ValueError, match=re.escape(f"{name}(2 h + 0.1) is critical or supercritical")):
            NoisyLayer(name, 2.0, 0.1, 0.3).stationary()
        with pytest.raises(ValueError, match=f"'{name}': the critical point is known for tanh, erf and sin"):
            NoisyLayer.fixed_points(name)
    assert NoisyLayer("sin", 4.0, 0.0, 0.5).stationary().mean == pytest.approx(0.0, abs=1e-9)


def test_the_sine_has_the_critical_point_of_tanh():
    (point,) = NoisyLayer.fixed_points("sin")
    assert np.array_equal(point.couplings, [1.0, 0.0, 0.0])
    assert np.allclose(point.map(point.couplings, 2), point.couplings, atol=1e-9)


def test_panels_end_at_kinks_that_are_stated():
    corner = Activation("corner", lambda h: np.where(h > 0.5, 0.5, 0.8 * h), kinks=[0.5 / 0.8, 0.5])
    layer = NoisyLayer(corner, 1.3, 0.2, 0.1)
    from statnn.rg._layers.quadrature import breaks

    assert breaks(corner, 1.3, 0.2) == pytest.approx([(0.5 - 0.2) / 1.3, (0.625 - 0.2) / 1.3])
    assert breaks(corner, 0.0, 0.2) == ()
    assert layer.activation is corner


# -- wide layers -----------------------------------------------------------------------------------------


@later
def test_wide_layers_are_those_of_the_same_function_unknown(name):
    sigma = ACTIVATIONS[name]
    known, own = averages(sigma), _Own.of(Activation("mine", sigma.function, sigma.derivative))
    q, e = np.array([1e-4, 0.3, 4.0]), np.array([1e-3, 0.5, 1.2])
    for of_known, of_own in zip(
        [*known.moments(q), *known.higher_moments(q)], [*own.moments(q), *own.higher_moments(q)], strict=True
    ):
        assert np.allclose(of_known, of_own, rtol=1e-9, atol=1e-12)
    for of_known, of_own in zip(known.pair_moments(e, q), own.pair_moments(e, q), strict=True):
        assert np.allclose(of_known, of_own, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("e", [1e-3, 0.1, 0.6, 1.0, 1.7])
@pytest.mark.parametrize("q", [1.0, 1e2, 1e4, 1e5, 1e6])
def test_pairs_of_wide_fields_find_a_bump_wherever_the_second_field_is_zero(q, e):
    """E φ(x)φ(y) of φ = exp(-h²) is det(1 + 2Σ)^(-1/2), with (1+2q)² - 4q²c² = d (1 + x), d = 1 + 4q."""
    own = averages(Activation("bump", lambda h: np.exp(-h * h), lambda h: -2 * h * np.exp(-h * h)))
    gap, slope = (value.item() for value in own.pair_moments(np.array([e]), np.array([q])))
    d = 1 + 4 * q
    x = 4 * q * q * e * (2 - e) / d
    assert gap == pytest.approx(-math.expm1(-math.log1p(x) / 2) / math.sqrt(d), rel=1e-10)
    assert slope == pytest.approx(4 * q * (1 - e) * (d * (1 + x)) ** -1.5, rel=1e-10, abs=1e-10 * 4 * q * d**-1.5)


@pytest.mark.parametrize("place", [-40.0, 27.5, 28.0, 30.0, 40.0, 100.0])
def test_steps_of_subnormal_values_are_neither_jumps_nor_errors(place):
    """The tail of exp(-(h-a)²) ends in multiples of 5e-324, whose differences are not those of the function."""
    bump = Activation(
        "bump", lambda h: np.exp(-((h - place) ** 2)), lambda h: -2 * (h - place) * np.exp(-((h - place) ** 2))
    )
    assert bump.jumps == ()


@pytest.mark.parametrize(
    ("place", "width"),
    [(10, 0.1), (20, 0.1), (26, 0.1), (30, 0.1), (20, 1), (30, 1), (50, 1), (-50, 1), (300, 3), (-300, 3)],
)
@pytest.mark.parametrize("offset", [0.0, 1.0])
def test_averages_see_a_bump_of_any_place(place, width, offset):
    """The average of φ² for φ = offset + exp(-((h-a)/w)²) is a sum of Gaussian integrals in closed form."""
    u = lambda h: (h - place) / width  # noqa: E731
    own = averages(
        Activation("b", lambda h: offset + np.exp(-(u(h) ** 2)), lambda h: -2 / width * u(h) * np.exp(-(u(h) ** 2)))
    )

    def bump(power, q):
        spread = 1 + 2 * power * q / width**2
        return np.exp(-power * (place / width) ** 2 / spread) / np.sqrt(spread)

    q = (place / 3) ** 2 * np.array([1.0, 10.0, 1e3])
    expected = offset**2 + 2 * offset * bump(1, q) + bump(2, q)
    assert own.moments(q).square == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize(("place", "width"), [(0.0, 1e-5), (3.0, 1e-7), (-900.0, 1.0)])
def test_averages_see_a_needle_whose_edges_are_stated(place, width):
    u = lambda h: (h - place) / width  # noqa: E731
    edges = place + 6 * width * np.array([-1, 1])
    own = Activation(
        "n", lambda h: np.exp(-(u(h) ** 2)), lambda h: -2 / width * u(h) * np.exp(-(u(h) ** 2)), kinks=edges
    )
    q = max(1.0, place**2 / 9)
    spread = 1 + 4 * q / width**2
    expected = math.exp(-2 * (place / width) ** 2 / spread) / math.sqrt(spread)
    assert averages(own).moments(np.array([q])).square.item() == pytest.approx(expected, rel=1e-8)


def test_wide_layers_of_the_sine_in_closed_form():
    edge = rg.criticality("sin")
    assert (edge.kind.name, edge.sigma_w) == ("HALF_STABLE", pytest.approx(1.0))
    assert edge.coefficient == pytest.approx(-1.0, rel=1e-6)
    layer = RandomLayer("sin", 1.5, 0.0).fixed_point()
    with mpmath.workdps(30):
        q = mpmath.findroot(lambda q: 2.25 * (1 - mpmath.exp(-2 * q)) / 2 - q, 1.0)
    assert layer.variance == pytest.approx(float(q), rel=1e-12)
    assert layer.chi == pytest.approx(float(2.25 * (1 + mpmath.exp(-2 * q)) / 2), rel=1e-12)


def test_wide_layers_of_gelu_at_large_variance_are_those_of_relu():
    q = np.array([1e6])
    for name in LATER[:-1]:
        mean, _, slope = averages(ACTIVATIONS[name]).moments(q)
        assert mean / q == pytest.approx(0.5, abs=1e-3)
        assert slope == pytest.approx(0.5, abs=2e-3)


def test_terms_that_cancel_at_criticality_leave_the_first_coefficient_of_the_series():
    """M = q + A q² + ... of h + r h² + s h³ + ... has A = 3r² + 6s; the series in q diverges where σ has poles."""
    t = math.tanh(1)
    tanh_exp = Activation("tanh exp", lambda h: h * np.tanh(np.exp(np.minimum(h, 20))))
    r, s = (1 - t**2) / t, (1 - t**2) * (1 - 2 * t) / (2 * t)
    edge = rg.criticality(tanh_exp)
    assert (edge.kind.name, edge.power, edge.sigma_w) == ("REPELLING", 1.0, pytest.approx(1 / t, rel=1e-12))
    assert edge.coefficient == pytest.approx(3 * r**2 + 6 * s, rel=1e-8)
    for b in (0.8, 0.85):
        bent = Activation("bent arctan", lambda h, b=b: np.arctan(h) + b * np.arctan(h) ** 2)
        assert rg.criticality(bent).coefficient == pytest.approx(3 * b**2 - 2, rel=1e-8)
