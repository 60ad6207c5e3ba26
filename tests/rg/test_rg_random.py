"""Wide random layers: averages against mpmath, fixed points, critical line, class, composition, finite width."""

import math
import pickle
from concurrent.futures import ThreadPoolExecutor

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statnn import Network, rg
from statnn.network import ACTIVATIONS, Activation, leaky_relu
from statnn.rg.wide._average_kernels import FULL, tanh_averages, tanh_pairs
from statnn.rg.wide._averages import _Own, averages
from statnn.testing import assert_mean, rejects
from statnn.theory.rg import meanfield_oracle as oracle

SMOOTH = ("tanh", "erf", "sigmoid")
CLOSED = ("identity", "relu", "leaky relu", "erf", "tanh", "sigmoid")
variances = st.floats(1e-6, 1e3)
correlations = st.floats(-1, 1)
scales = st.floats(0.05, 4)


def bump(h):
    return np.exp(-h * h)


def bump_slope(h):
    return -2 * h * np.exp(-h * h)


BUMP = Activation("bump", bump, bump_slope)
HARD = Activation("hard tanh", lambda h: np.clip(h, -1, 1), lambda h: (np.abs(h) < 1) * 1.0)


# -- averages --------------------------------------------------------------------------------------------


def test_kernels_are_their_readable_twins():
    q, e = np.array([0.0, 1e-3, 0.5, 0.7]), np.array([0.1, 1e-9, 1.0, 2.0])
    for kernel, arguments, rows in ((tanh_averages, (q,), 5), (tanh_pairs, (e, q), 2)):
        compiled, plain = np.empty((rows, q.size)), np.empty((rows, q.size))
        kernel(*arguments, FULL, compiled)
        kernel.py_func(*arguments, FULL, plain)
        np.testing.assert_array_max_ulp(compiled, plain, maxulp=8)  # compiled code may fuse products


@pytest.mark.parametrize("name", [*SMOOTH, "relu"])
@pytest.mark.parametrize("q", [0.01, 1.0, 16.0])
def test_averages_of_one_field_are_those_of_mpmath(name, q):
    of = averages(ACTIVATIONS[name])
    mean, _, square = (float(value[0]) for value in of.moments(np.array([q])))
    assert mean == pytest.approx(float(oracle.square(name, q, digits=15)), rel=1e-13)
    assert square == pytest.approx(float(oracle.square_slope(name, q, digits=15)), rel=5e-12)


@pytest.mark.parametrize("name", SMOOTH)
def test_averages_of_two_fields_are_those_of_mpmath(name):
    c, q = 0.375, 2.0
    of = averages(ACTIVATIONS[name])
    gap, slope = (float(value[0]) for value in of.pair_moments(np.array([1 - c]), np.array([q])))
    mean = float(of.moments(np.array([q])).square[0])
    assert mean - gap == pytest.approx(float(oracle.product(name, c, q, digits=12)), rel=1e-12)
    assert slope == pytest.approx(float(oracle.product(name, c, q, slopes=True, digits=12)), rel=1e-11)


@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms_and_sums_are_what_adaptive_quadrature_finds(name):
    """The same functions are treated as unknown ones; also at correlations close to 1 or -1."""
    known, own = averages(ACTIVATIONS[name]), _Own.of(ACTIVATIONS[name])
    q = np.array([1e-6, 0.3, 4.0, 1e4])
    np.testing.assert_allclose(np.array(known.moments(q)), np.array(own.moments(q)), rtol=3e-12)
    np.testing.assert_allclose(known.higher_moments(q[1:3])[0], own.higher_moments(q[1:3])[0], rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(known.higher_moments(q)[1], own.higher_moments(q)[1], rtol=1e-10)
    e, two = np.array([1e-8, 0.5, 1.9]), np.array([0.7, 0.7, 20.0])
    ours, theirs = np.array(known.pair_moments(e, two)), np.array(own.pair_moments(e, two))
    np.testing.assert_allclose(ours, theirs, rtol=2e-8, atol=1e-13)
    np.testing.assert_allclose(ours[:, 1:], theirs[:, 1:], rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("e", [1e-12, 1e-6, 4.5e-6, 4.4e-4, 4.6e-4, 0.03, 0.4, 1.7, 2.0])
@pytest.mark.parametrize("slope", [0.0, 0.2, -1.0])
def test_leaky_relu_keeps_its_digits_at_any_angle(e, slope):
    """Against the arc-cosine law at 50 digits, on both sides of where a series takes over (an angle of 0.03)."""
    with mpmath.workdps(50):
        c, a = 1 - mpmath.mpf(e), mpmath.mpf(slope)
        angle = mpmath.acos(c)
        product = ((1 - a) ** 2 * (mpmath.sin(angle) + (mpmath.pi - angle) * c) / mpmath.pi + 2 * a * c) / 2
        gap, both = (1 + a**2) / 2 - product, (1 - a) ** 2 * (mpmath.pi - angle) / (2 * mpmath.pi) + a
        expected = float(3 * gap), float(both)
    moments = averages(leaky_relu(slope)).pair_moments(np.array([e]), np.array([3.0]))
    np.testing.assert_allclose([value[0] for value in moments], expected, rtol=1e-14)


def test_kinks_are_found_and_jumps_refused():
    np.testing.assert_allclose([b for b in _Own.of(HARD).breaks if abs(abs(b) - 1) < 1e-3], [-1, 1], atol=1e-9)
    assert _Own.of(BUMP).breaks.size == 0
    wild = Activation("wild", lambda h: np.sin(1e7 * h), lambda h: 1e7 * np.cos(1e7 * h))
    with pytest.raises(ValueError, match="does not converge"):
        rg.RandomLayer(wild, 1.0).variance_map(1.0)


@given(st.sampled_from(CLOSED), correlations, st.floats(0.01, 100.0))
@settings(max_examples=60)
def test_law_price(name, c, q):
    """The derivative of a product with respect to c is q times the product of derivatives."""
    c = 0.98 * c
    of, step = averages(ACTIVATIONS[name]), 1e-3 * (1 - abs(c))
    shifts = step * np.array([-2.0, -1.0, 1.0, 2.0])
    gap = of.pair_moments(1 - c - shifts, np.full(4, q))[0]
    slope = -(gap @ np.array([1, -8, 8, -1])) / (12 * step)
    assert slope == pytest.approx(q * of.pair_moments(np.array([1 - c]), np.array([q]))[1][0], rel=1e-5, abs=1e-9)


# -- maps ------------------------------------------------------------------------------------------------


@given(st.sampled_from(CLOSED), scales, st.floats(0, 2), variances, correlations, correlations)
@settings(max_examples=80)
def test_law_of_the_correlation_map(name, sigma_w, sigma_b, q, c, other):
    """It maps [-1, 1] into itself, keeps 1 and order on [0, 1], and is convex there."""
    layer = rg.RandomLayer(name, sigma_w, sigma_b)
    low, high = sorted((abs(c), abs(other)))
    values = layer.correlation_map([low, (low + high) / 2, high, 1.0, -low], q)
    assert (np.abs(values) <= 1 + 1e-12).all()
    assert values[3] == 1
    assert values[0] <= values[1] + 1e-12 <= values[2] + 2e-12
    assert values[1] <= (values[0] + values[2]) / 2 + 1e-12


@given(st.sampled_from(["relu", "leaky relu", "identity"]), scales, variances, correlations, st.floats(0.1, 10))
def test_law_of_homogeneous_layers(name, sigma_w, q, c, scale):
    layer = rg.RandomLayer(name, sigma_w)
    assert layer.variance_map(scale * q) == pytest.approx(scale * layer.variance_map(q), rel=1e-14, abs=0)
    assert layer.correlation_map(c, scale * q) == pytest.approx(layer.correlation_map(c, q), abs=1e-14)


def test_relu_keeps_every_variance_at_two_and_its_angles_close_as_a_power():
    layer = rg.RandomLayer("relu", math.sqrt(2))
    np.testing.assert_allclose(layer.variance_map([0.1, 1.0, 100.0]), [0.1, 1.0, 100.0], rtol=1e-15)
    depth = np.array([1000, 2000])
    c = layer.power(1).trajectory(1.0, 0.0, 2000)[1]
    left = (1 - c[depth]) * depth**2 / (9 * np.pi**2 / 2) - 1
    assert abs(left[1]) < 0.02
    assert math.log(abs(left[0] / left[1])) / math.log(2) == pytest.approx(1, abs=0.25)  # next order: ln m / m


# -- fixed points ----------------------------------------------------------------------------------------

POINTS = [("tanh", 4.0, 0.0), ("tanh", 4.0, 0.3), ("tanh", 1.5, 0.1), ("erf", 2.0, 0.3), ("sigmoid", 6.0, 0.1)]


@pytest.mark.parametrize(("name", "sigma_w", "sigma_b"), POINTS)
def test_fixed_points_solve_their_equations_in_mpmath(name, sigma_w, sigma_b):
    """The residual over one less the slope is the error: below 1e-12 for q* and c*; χ agrees to 1e-11."""
    point = rg.RandomLayer(name, sigma_w, sigma_b).fixed_point()
    assert point.outcome.name == "CONVERGED"
    assert point.residual < 1e-14
    weight, bias = mpmath.mpf(sigma_w) ** 2, mpmath.mpf(sigma_b) ** 2
    left = weight * oracle.square(name, point.variance, digits=15) + bias - point.variance
    assert abs(left / (1 - point.variance_slope) / point.variance) < 1e-12
    chi = weight * oracle.square_slope(name, point.variance, digits=15)
    assert point.chi == pytest.approx(float(chi), rel=1e-11)
    if point.phase == "chaotic" and point.correlation:
        product = oracle.product(name, point.correlation, point.variance, digits=11)
        left = (weight * product + bias) / point.variance - point.correlation
        assert abs(left / (1 - point.correlation_slope)) < 1e-12


def test_a_rule_of_fixed_degree_is_wrong_where_ours_is_right():
    """Gauss-Hermite quadrature of degree 25 gives χ = 3.99 at σ_w² = 16."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(25)
    weights = weights / np.sqrt(2 * np.pi)
    q = 1.0
    for _ in range(200):
        q = 16 * weights @ np.tanh(np.sqrt(q) * nodes) ** 2
    wrong = 16 * weights @ np.cosh(np.sqrt(q) * nodes) ** -4.0
    assert wrong == pytest.approx(3.99, abs=0.01)
    assert rg.RandomLayer("tanh", 4.0).fixed_point().chi == pytest.approx(2.3768016, abs=1e-7)


@given(st.sampled_from(["tanh", "erf"]), st.floats(0.2, 6), st.floats(0, 2), st.floats(1e-3, 10))
@settings(max_examples=40)
def test_law_of_fixed_points(name, sigma_w, sigma_b, start):
    """The maps keep them, whatever the start; c* < 1 in chaos alone, which is where χ > 1."""
    layer = rg.RandomLayer(name, sigma_w, sigma_b)
    point, other = layer.fixed_point(), layer.fixed_point(start)
    assert point.variance == pytest.approx(other.variance, rel=1e-9)
    assert (point.phase == "chaotic") == (point.distance > 0) == (point.chi > 1 and point.phase != "critical")
    if point.variance > 0:
        assert layer.variance_map(point.variance) == pytest.approx(point.variance, rel=1e-12)
        assert layer.correlation_map(point.correlation, point.variance) == pytest.approx(point.correlation, abs=1e-12)
        assert point.correlation_slope < 1 or point.phase == "critical"


def test_supercritical_laws_that_do_not_exist_say_so():
    grows = rg.RandomLayer("relu", 1.5, 0.1).fixed_point()
    assert (grows.outcome.name, grows.phase, grows.variance) == ("UNBOUNDED", "unbounded", math.inf)
    assert grows.xi_variance == pytest.approx(1 / math.log(1.125))
    assert grows.xi_correlation == math.inf
    assert rg.RandomLayer("relu", 1.5, 0.1).branches() == ()
    kept = rg.RandomLayer("relu", math.sqrt(2)).fixed_point(3.0)
    assert (kept.outcome.name, kept.phase, kept.variance) == ("INVARIANT", "critical", 3.0)
    steep = Activation("cubic", lambda h: h + h**3, lambda h: 1 + 3 * h**2)
    assert rg.RandomLayer(steep, 1.0).fixed_point().outcome.name == "UNBOUNDED"
    assert rg.RandomLayer(steep, 0.5).fixed_point(1e-3).variance == 0.0  # small signals die out, large ones explode
    assert [point.outcome.name for point in rg.RandomLayer(steep, 0.5).branches()] == ["CONVERGED", "REPELLING"]
    sharp = rg.RandomLayer("sign", 1.0, 0.5).fixed_point()
    assert (sharp.chi, sharp.variance) == (math.inf, pytest.approx(1.25))
    assert 2 / np.pi * math.asin(sharp.correlation) + 0.25 == pytest.approx(1.25 * sharp.correlation, abs=1e-12)
    nothing = rg.RandomLayer("tanh", 0.0, 0.0).fixed_point()
    assert (nothing.variance, nothing.chi, nothing.xi_correlation) == (0.0, 0.0, 0.0)


def test_points_attract_up_to_the_edge_and_repel_beyond():
    """At σ_w = 1 small variances of tanh still decay, by a power; a millionth beyond they grow."""
    assert rg.RandomLayer("tanh", 1.0).fixed_point().outcome.name == "CONVERGED"
    beyond = rg.RandomLayer("tanh", math.sqrt(1 + 1e-6)).branches()
    assert [point.outcome.name for point in beyond] == ["REPELLING", "CONVERGED"]
    assert beyond[1].variance == pytest.approx(5e-7, rel=1e-5)
    assert rg.RandomLayer("erf", 1.0).branches()[0].variance_slope == pytest.approx(4 / math.pi)


def test_all_branches_are_found():
    names = [point.outcome.name for point in rg.RandomLayer("tanh", 1.5).branches()]
    assert names == ["REPELLING", "CONVERGED"]
    points = rg.fixed_points(rg.RandomLayer("tanh", 1.5, 0.1))
    exponents = rg.exponents(points[-1])
    here = rg.RandomLayer("tanh", 1.5, 0.1).fixed_point()
    expected = np.log([here.correlation_slope, here.variance_slope]) / np.log(2) * 2
    np.testing.assert_allclose(exponents.y, expected, rtol=1e-9)
    once, twice = (
        points[-1].map(points[-1].couplings + np.array([1e-6, 0.0]), b) - points[-1].couplings for b in (1, 2)
    )
    np.testing.assert_allclose(points[-1].linear(1)[:, 0], once / 1e-6, rtol=1e-4)
    np.testing.assert_allclose(points[-1].linear(2)[:, 0], twice / 1e-6, rtol=1e-4)


@pytest.mark.parametrize("activation", [BUMP, HARD], ids=lambda function: function.name)
def test_a_function_of_your_own(activation):
    layer = rg.RandomLayer(activation, 2.5, 0.1)
    point = layer.fixed_point()
    assert point.phase == "chaotic"
    assert layer.correlation_map(point.correlation, point.variance) == pytest.approx(point.correlation, abs=1e-9)
    nodes, weights = np.polynomial.hermite_e.hermegauss(180)
    weights = weights / np.sqrt(2 * np.pi)
    x = np.sqrt(point.variance) * nodes
    y = np.sqrt(point.variance) * (point.correlation * nodes[:, None] + math.sqrt(1 - point.correlation**2) * nodes)
    product = (weights * activation(x)) @ (activation(y) @ weights)
    rough = (6.25 * product + 0.01) / point.variance
    assert rough == pytest.approx(point.correlation, abs=3e-3)


# -- the critical line and the class ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tanh", "erf"])
@pytest.mark.parametrize("q", [0.05, 1.0, 9.0])
def test_the_edge_of_chaos_is_that_of_mpmath(name, q):
    sigma_w, sigma_b = oracle.edge(name, q, digits=18)
    assert rg.critical_line(name, float(sigma_b)) == pytest.approx(float(sigma_w), abs=1e-10)
    point = rg.RandomLayer(name, float(sigma_w), float(sigma_b)).fixed_point()
    assert point.chi == pytest.approx(1, abs=1e-9)


def test_ends_of_the_critical_line():
    assert rg.critical_line("tanh", 0.0) == 1.0
    assert rg.critical_line("erf", 0.0) == pytest.approx(math.sqrt(math.pi) / 2, rel=1e-15)
    assert rg.critical_line("relu", 0.0) == pytest.approx(math.sqrt(2), rel=1e-15)
    with pytest.raises(rg.NoCriticalLineError, match="sign has no edge of chaos"):
        rg.critical_line("sign", 0.1)
    # no further than q - M/D allows: the cube of q near the end, so σ_b ~ (4/3)^(1/2) q^(3/2)
    small = np.array([1e-4, 1e-5])
    rise = rg.critical_line("tanh", small) - 1
    assert math.log(rise[0] / rise[1]) / math.log(10) == pytest.approx(2 / 3, abs=1e-3)
    assert rg.critical_line("tanh", 1e-8) - 1 == pytest.approx((0.75e-16) ** (1 / 3), rel=1e-3)


@pytest.mark.parametrize("name", ["tanh", "erf"])
def test_amplitudes_at_criticality(name):
    edge = rg.criticality(name)
    assert edge.kind.name == "HALF_STABLE"
    assert (edge.power, edge.coefficient) == (1.0, pytest.approx(-2, abs=1e-8))
    assert edge.chi_series == (pytest.approx(0, abs=1e-8), pytest.approx(1 / 3, abs=1e-6))
    t = np.array([0.02, 0.01])
    points = [rg.RandomLayer(name, edge.sigma_w * math.sqrt(1 + step)).fixed_point() for step in t]
    for values, limit in (
        ([p.variance / (step / 2) for p, step in zip(points, t, strict=True)], 1),
        ([(1 - p.variance_slope) / step for p, step in zip(points, t, strict=True)], 1),
        ([(p.chi - 1) / step**2 for p, step in zip(points, t, strict=True)], 1 / 3),
        ([p.xi_variance * step for p, step in zip(points, t, strict=True)], 1),
        ([1 / math.log(p.chi) * step**2 for p, step in zip(points, t, strict=True)], 3),  # over which near inputs part
        ([p.xi_correlation * step**2 for p, step in zip(points, t, strict=True)], 6),  # over which correlations settle
    ):
        wrong = np.array(values) - limit
        assert abs(wrong[1]) < 0.025 * max(1, limit)
        assert math.log(wrong[0] / wrong[1]) / math.log(2) == pytest.approx(1, abs=0.1)  # the next order is t
    below = rg.RandomLayer(name, edge.sigma_w * math.sqrt(0.9)).fixed_point()
    assert below.chi == pytest.approx(0.9, rel=1e-12)
    layer = rg.RandomLayer(name, edge.sigma_w)
    q = layer.power(1).trajectory(1.0, 0.5, 2000)[0]
    assert q[2000] / edge.variance(2000) == pytest.approx(1, abs=0.01)
    exponent = math.log(q[1000] / q[2000]) / math.log(2)
    assert exponent == pytest.approx(1, abs=5e-3)
    assert exponent != pytest.approx(0.5, abs=0.1)  # the exponent of signals, not of variances


def test_classes_of_activations():
    assert rg.criticality("relu").kind.name == rg.criticality("identity").kind.name == "SCALE_INVARIANT"
    assert rg.criticality("relu").sigma_w == pytest.approx(math.sqrt(2))
    assert rg.criticality("sigmoid").kind.name == rg.criticality("sign").kind.name == "NONE"
    assert rg.criticality(Activation("cubic", lambda h: h + h**3, lambda h: 1 + 3 * h**2)).kind.name == "REPELLING"
    elu = Activation(
        "elu", lambda h: np.where(h > 0, h, np.expm1(np.minimum(h, 0))), lambda h: np.exp(np.minimum(h, 0))
    )
    edge = rg.criticality(elu)
    assert (edge.kind.name, edge.power) == ("HALF_STABLE", 0.5)
    assert edge.coefficient == pytest.approx(-math.sqrt(2 / math.pi), rel=1e-6)  # E h³ over h < 0
    with pytest.raises(ValueError, match="do not decay by a power"):
        rg.criticality("relu").variance(10)


@pytest.mark.parametrize("scale", [1e-5, 1e-3, 30.0, 1e4])
def test_the_class_does_not_depend_on_the_units_of_fields(scale):
    """sin(30 h) is the activation of networks for coordinates; with g = s h it is sin again."""
    sine = Activation("sin(s h)", lambda h: np.sin(scale * h), lambda h: scale * np.cos(scale * h))
    edge = rg.criticality(sine)  # E sin² = (1 - exp(-2q))/2 = q - q² + ...
    assert (edge.kind.name, edge.power) == ("HALF_STABLE", 1.0)
    assert edge.sigma_w == pytest.approx(1 / scale, rel=1e-10)
    assert edge.coefficient == pytest.approx(-(scale**2), rel=1e-8, abs=0)
    assert edge.amplitude == pytest.approx(scale**-2, rel=1e-8, abs=0)
    assert edge.chi_series == pytest.approx((0.0, 1 / 3), abs=1e-6)


def test_the_first_nonlinearity_may_be_of_fifth_order():
    edge = rg.criticality(Activation("fifth", lambda h: h / (1 + h**4), lambda h: (1 - 3 * h**4) / (1 + h**4) ** 2))
    assert (edge.kind.name, edge.power) == ("HALF_STABLE", 2.0)  # E φ² = q - 2 E h⁶ + ... = q - 30 q³ + ...
    assert edge.coefficient == pytest.approx(-30.0, rel=1e-8)
    assert edge.amplitude == pytest.approx(60**-0.5, rel=1e-8)  # dq/dm = -30 q³
    assert edge.sigma_w == pytest.approx(1.0, rel=1e-12)


# -- composition -----------------------------------------------------------------------------------------

LAYERS = [rg.RandomLayer("tanh", 1.5, 0.1), rg.RandomLayer("erf", 0.8, 0.3), rg.RandomLayer("relu", 1.2)]


def test_powers_run_into_the_fixed_point():
    layer = LAYERS[0]
    point, far = layer.fixed_point(), layer.power(10**9)
    assert far.variance_map(2.0) == pytest.approx(point.variance, rel=1e-14)
    assert far.correlation_map(0.9, 2.0) == pytest.approx(point.correlation, abs=1e-12)
    assert pickle.loads(pickle.dumps(layer)) == layer  # noqa: S301 - our own


# -- finite width ----------------------------------------------------------------------------------------


def test_relu_of_finite_width_exactly(rng):
    """At criticality E K² = (1 + 5/n)^m at any width: E r² = 1 + 5/n of each layer is tested, as K² is too skewed."""
    n, depth = 20, 6
    run = rg.RandomLayer("relu", math.sqrt(2)).simulate(n, depth, replicas=20_000, rng=rng)
    K = run.variance[:, :, 0]
    assert_mean(K[:, -1], 1.0, what="mean of K")
    alive = (K > 0).all(axis=1)  # a layer is silent with probability 2^-n
    squares = (K[alive, 1:] / K[alive, :-1]) ** 2
    assert_mean(squares.ravel(), 1 + 5 / n, what="second moment of a layer")
    assert_mean(
        (squares[:, 1:] * squares[:, :-1])[:, ::2].ravel(), (1 + 5 / n) ** 2, what="second moment of two layers"
    )
    with rejects("second moment"):
        assert_mean(squares.ravel(), 1 + 4 / n, what="second moment of a layer")
    np.testing.assert_allclose(rg.RandomLayer("relu", math.sqrt(2)).finite_width(1.0, 3).spread, [0, 5, 10, 15])


def test_leading_order_of_the_square_in_closed_form():
    """φ = h²: V = 3wq² + b, E φ⁴ - (E φ²)² = 96 q⁴. E K after two layers is exactly 3w(q_1² + Var K_1) + b."""
    square = Activation("square", np.square, lambda h: 2 * h)
    w, b, q = 0.09, 0.25, 1.3
    finite = rg.RandomLayer(square, 0.3, 0.5).finite_width(q, 3)
    variance, shift, spread = [q], [0.0], [0.0]
    for _ in range(3):
        slope = 6 * w * variance[-1]
        shift.append(slope * shift[-1] + 3 * w * spread[-1])
        spread.append(slope**2 * spread[-1] + 96 * w**2 * variance[-1] ** 4)
        variance.append(3 * w * variance[-1] ** 2 + b)
    np.testing.assert_allclose(finite, [variance, shift, spread], rtol=1e-10)
    assert shift[2] == pytest.approx(3 * w * 96 * w**2 * q**4)


def test_leading_order_in_width(rng):
    layer, n, depth = rg.RandomLayer("tanh", 1.5, 0.1), 100, 3
    run, theory = layer.simulate(n, depth, replicas=20_000, rng=rng), layer.finite_width(1.0, depth)
    gap = run.variance[:, 1:, 0] - theory.variance[1:]
    assert_mean(n * gap, theory.shift[1:], bias=10 / n, what="shift")
    assert_mean(n * gap[:, -1] ** 2, theory.spread[-1], bias=5 / n, what="spread")
    with rejects("spread"):
        assert_mean(n * gap[:, -1] ** 2, 1.4 * theory.spread[-1], bias=5 / n, what="spread")


def test_weights_that_are_not_drawn_have_the_law_of_those_that_are(rng):
    layer, n, depth = rg.RandomLayer("tanh", 1.5, 0.3), 6, 3
    x = np.array([[1.0, 0.0], [0.6, 0.8]])
    start = 1.5**2 / 2 + 0.3**2, (1.5**2 * 0.3 + 0.3**2) / (1.5**2 / 2 + 0.3**2)
    run = layer.simulate(n, depth, replicas=1000, q=start[0], c=start[1], rng=rng)
    drawn = np.empty((1000, 3))
    for row in drawn:
        net = Network.random([2, *[n] * depth], "tanh", 1.5, 0.3, rng=rng)
        h = net.trace(x).activations[-1]
        row[:] = [*(1.5**2 * np.square(h).mean(axis=1) + 0.09), 1.5**2 * (h[0] * h[1]).mean() + 0.09]
    ours = np.column_stack([run.variance[:, -1], run.covariance[:, -1]])
    assert_mean(ours - drawn, np.zeros(3), what="means")
    assert_mean(ours**2 - drawn**2, np.zeros(3), what="mean squares")


def test_simulation_is_reproducible_whoever_runs_it():
    layer = LAYERS[0]
    alone = layer.simulate(10, 4, replicas=150, rng=3, c=0.2)
    with ThreadPoolExecutor(2) as pool:
        threaded = layer.simulate(10, 4, replicas=150, rng=3, c=0.2, executor=pool)
    np.testing.assert_array_equal(alone.variance, threaded.variance)
    np.testing.assert_array_equal(alone.covariance, threaded.covariance)
    assert (np.abs(alone.correlation) <= 1).all()
    died = rg.RandomLayer("relu", 1.0).simulate(2, 5, replicas=100, rng=0)
    with pytest.raises(ValueError, match="the signal died in"):
        _ = died.correlation


# -- the diagram -----------------------------------------------------------------------------------------


def test_the_diagram_is_made_of_fixed_points():
    import matplotlib as mpl

    mpl.use("Agg")
    diagram = rg.phase_diagram("tanh", np.linspace(0.1, 4, 13), np.linspace(0, 1, 9))
    for i, sigma_w in enumerate(diagram.sigma_w[::3]):
        for j, sigma_b in enumerate(diagram.sigma_b[::2]):
            point = rg.RandomLayer("tanh", sigma_w, sigma_b).fixed_point()
            at = 3 * i, 2 * j
            assert diagram.variance[at] == pytest.approx(point.variance, abs=1e-6)
            assert diagram.chi[at] == pytest.approx(point.chi, abs=1e-6)
            assert diagram.correlation[at] == pytest.approx(point.correlation, abs=1e-6)
            assert diagram.phase[at] == point.phase
            assert diagram.xi_correlation[at] == pytest.approx(point.xi_correlation, rel=1e-4)
    axes = diagram.plot()
    assert axes.get_xlabel() == r"$\sigma_w$"
    assert len(axes.lines) == 2
    assert not rg.phase_diagram("relu", [1.0, 2.0], [0.5]).plot(critical=False).lines
    mpl.pyplot.close("all")


BAD = {
    "negative": (lambda: rg.RandomLayer("tanh", -1.0), ValueError, "standard deviation"),
    "no number": (lambda: rg.RandomLayer("tanh", "1"), TypeError, "sigma_w"),
    "unknown": (lambda: rg.RandomLayer("tan", 1.0), ValueError, "choose from identity"),
    "c above one": (lambda: LAYERS[0].correlation_map(1.1, 1.0), ValueError, "above 1"),
    "no variance": (lambda: LAYERS[0].correlation_map(0.1, 0.0), ValueError, "pass q > 0"),
    "negative q": (lambda: LAYERS[0].variance_map(-1.0), ValueError, "it is a variance"),
    "zero start": (lambda: LAYERS[0].fixed_point(0.0), ValueError, "above 0"),
    "huge": (lambda: LAYERS[0].correlation_map(0.1, 1e9), ValueError, "as a step"),
    "power": (lambda: LAYERS[0].power(0), ValueError, r"outside the allowed range \[1"),
    "compose": (lambda: LAYERS[0].compose("tanh"), TypeError, "compose with RandomLayer"),
    "long": (lambda: LAYERS[0].compose(LAYERS[1]).power(10**7), ValueError, "more than"),
    "decreasing": (lambda: rg.phase_diagram("tanh", [2.0, 1.0], [0.0]), ValueError, "one increasing row"),
    "width": (lambda: LAYERS[0].simulate(0, 1), ValueError, "width"),
    "own not finite": (
        lambda: rg.RandomLayer(Activation("inverse", lambda h: 1 / h, lambda h: -1 / h**2), 1.0).variance_map(1.0),
        ValueError, "is not finite",
    ),
    "own shape": (
        lambda: rg.RandomLayer(Activation("sum", np.sum, np.sum), 1.0).variance_map(1.0), ValueError, "keep the shape",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_answered(case):
    call, error, words = BAD[case]
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize(("name", "sigma_w"), [("gelu", 1.2), ("softplus", 0.8)])
def test_signals_in_order_come_together_to_the_last_digit(name, sigma_w):
    """Their averages are double integrals of differences that shrink to the rounding of their terms."""
    variance, correlation = rg.RandomLayer(name, sigma_w, 0.3).propagate(1.0, 1 - 1e-10, depth=100)
    assert variance[-1] == variance[-2]
    np.testing.assert_allclose(correlation[-1], 1.0, rtol=0, atol=2e-16)
