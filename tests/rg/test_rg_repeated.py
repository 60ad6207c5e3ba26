"""Deterministic repeated layers: semigroup, spectrum, depth coordinate, finite-depth scaling, noise, collapse."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from statnn import rg
from statnn.network import ACTIVATIONS, Activation, leaky_relu
from statnn.rg import FixedFunction, LeadingFormKind, RepeatedLayer, collapse, renormalise
from statnn.rg._collapse import _Problem
from statnn.rg.repeated._simulation import passed
from statnn.testing import assert_mean, assert_slope, rejects

ATAN = Activation("atan", np.arctan, lambda h: 1 / (1 + h * h))
OWN_TANH = Activation("own tanh", np.tanh, lambda h: 1 - np.tanh(h) ** 2)
SOFT = Activation("1 - exp(-h)", lambda h: -np.expm1(-h), lambda h: np.exp(-h))

orders, odd_orders = st.integers(2, 9), st.sampled_from([3, 5, 7])
units, signals = st.floats(1e-3, 1e3), st.floats(1e-6, 1e6)
depths = st.floats(0.0, 1e9)
few = settings(max_examples=40)


# -- the fixed-point function ----------------------------------------------------------------------------


@given(orders, units, signals, depths, depths)
@few
def test_layers_add_up(z, u, x, s, t):
    f = FixedFunction(z, u)
    assert f.layers(f.layers(x, s), t) == pytest.approx(f.layers(x, s + t), rel=1e-13)
    assert f.layers(x, 0.0) == x
    assert f(x) == f.layers(x, 1.0) < x or u * x ** (z - 1) < 1e-14


@given(orders, units, signals, st.floats(1.1, 1e3), st.floats(1.1, 1e3))
@few
def test_rescaling_is_a_semigroup_and_leaves_the_function(z, u, x, b, c):
    f = FixedFunction(z, u)
    assert f.alpha(b) * f.alpha(c) == pytest.approx(f.alpha(b * c), rel=1e-13)
    assert f.alpha(b) * f.layers(x / f.alpha(b), b) == pytest.approx(f(x), rel=1e-12)
    for power in (0, 1, z, 2 * z - 1):
        assert f.eigenvalue(power, b) * f.eigenvalue(power, c) == pytest.approx(f.eigenvalue(power, b * c), rel=1e-12)


@given(odd_orders, units, signals, st.floats(1.0, 2.0), depths)
@few
def test_the_function_is_odd_and_monotone(z, u, x, factor, m):
    f = FixedFunction(z, u)
    assert f.layers(-x, m) == -f.layers(x, m)
    assert 0 < f.layers(x, m) <= f.layers(factor * x, m) * (1 + 1e-14)
    assert f.layers(x, 2 * m + 1) <= f.layers(x, m) * (1 + 1e-14)


@given(orders, st.integers(0, 11), st.floats(0.05, 3.0))
@few
def test_eigenfunctions_are_eigenfunctions(z, power, x):
    """The linearised transformation by complex step: exact to rounding."""
    f = FixedFunction(z, 0.5)
    n, alpha, step = z - 1, f.alpha(), 1e-30

    def function(at):
        return at * (1 + n * 0.5 * at**n) ** (-1 / n)

    inner = function(x / alpha) + 1j * step * f.eigenfunction(power, x / alpha)
    moved = alpha * (function(inner) + 1j * step * f.eigenfunction(power, function(x / alpha)))
    eigenvalue = moved.imag / step / f.eigenfunction(power, x)
    assert eigenvalue == pytest.approx(f.eigenvalue(power), rel=1e-12)
    assert eigenvalue != pytest.approx(f.eigenvalue(power + 1), rel=1e-3)
    slope = (function(x / alpha + 1j * step).imag, function(function(x / alpha) + 1j * step).imag)
    for k, growth in ((0, f.noise_eigenvalue()), (power, 2 ** f.noise_exponent(power))):
        first, second = f.noise_eigenfunction(x / alpha, k), f.noise_eigenfunction(function(x / alpha), k)
        noise = second + (slope[1] / step) ** 2 * first
        assert alpha**2 * noise == pytest.approx(growth * f.noise_eigenfunction(x, k), rel=1e-12)


def test_exponents_through_the_shared_verbs():
    for b in (2, 5):
        exponents = rg.exponents(rg.fixed_points(FixedFunction(3, 1 / 3))[0], b)
        assert dict(zip(exponents.fields, exponents.y, strict=True)) == pytest.approx(
            {"bias": 1.5, "distance": 1.0, "noise variance": 2.0}
        )
        assert exponents.nu == pytest.approx(1.0)
    kinds = {field.power: field.kind for field in FixedFunction(4, 1.0).scaling_fields()}
    assert [power for power, kind in kinds.items() if kind == "relevant"] == [0, 1, 2]
    assert [power for power, kind in kinds.items() if kind == "irrelevant"] == [7]
    assert FixedFunction(4, 1.0).scaling_fields()[0].eigenvalue(8) == pytest.approx(8 ** (4 / 3))


# -- the renormalisation carried out ---------------------------------------------------------------------

LAYERS = {
    "tanh": (RepeatedLayer("tanh"), 2.0),
    "erf": (RepeatedLayer.critical("erf"), 2.0),
    "sigmoid": (RepeatedLayer.critical("sigmoid"), 0.4),
    "fold": (RepeatedLayer.critical("tanh", 0.5), 0.5),
    "fold from below": (RepeatedLayer.critical("sigmoid", -1.0), 0.2),
    "atan": (RepeatedLayer(ATAN), 1.0),
}
each_layer = pytest.mark.parametrize("name", LAYERS)


@each_layer
def test_composition_is_that_of_the_layers(name):
    layer, extent = LAYERS[name]
    form = layer.leading_form()
    steps = renormalise(layer, 25, extent=extent)
    x = np.linspace(0, extent, 7)
    alpha = steps[0].fixed.alpha()
    for times in (0, 1, 7):
        inside = form.fixed_point + form.side * x / alpha**times
        direct = alpha**times * form.side * (layer.iterate(inside, 2**times) - form.fixed_point)
        np.testing.assert_allclose(steps[times](x), direct, atol=3e-12 if layer.sigma is not ATAN else 1e-9)
    assert steps[0].truncation < 1e-9
    ratios = np.array([steps[k].distance() / steps[k + 1].distance() for k in range(12, 16)])
    np.testing.assert_allclose(ratios, 2.0, rtol=2e-3)  # eigenvalue 1/2 of x^(2z-1), and nothing slower


def test_a_wrong_lens_does_not_come_to_the_fixed_point():
    """The twin: rescaled by the α of z = 4, or by that of a fold, tanh tends to no function at all."""
    layer, f, x = RepeatedLayer("tanh"), FixedFunction(3, 1 / 3), 0.8
    gaps = {}
    for alpha in (2 ** (1 / 2), 2 ** (1 / 3), 2.0):
        gaps[alpha] = [abs(alpha**k * layer.iterate(x / alpha**k, 2**k) - f(x)) for k in (6, 12)]
    assert gaps[2 ** (1 / 2)][1] < gaps[2 ** (1 / 2)][0] / 50
    for alpha in (2 ** (1 / 3), 2.0):
        assert gaps[alpha][1] > max(gaps[alpha][0] / 1.5, 0.05)


def test_distance_and_bias_grow_as_the_spectrum_says():
    f, x = FixedFunction(3, 1 / 3), 0.7
    for power, change in ((1, lambda d: RepeatedLayer("tanh", 1 + d)), (0, lambda d: RepeatedLayer("tanh", 1.0, d))):
        gaps = []
        for times in (6, 7, 8, 9):
            pair = [f.alpha() ** times * change(s * 1e-7).iterate(x / f.alpha() ** times, 2**times) for s in (1, -1)]
            gaps.append((pair[0] - pair[1]) / 2e-7)
        ratios = np.divide(gaps[1:], gaps[:-1])
        assert ratios[-1] == pytest.approx(f.eigenvalue(power), rel=5e-3)
        assert abs(ratios[2] - f.eigenvalue(power)) < abs(ratios[0] - f.eigenvalue(power))


# -- depth -----------------------------------------------------------------------------------------------


@given(st.sampled_from(sorted(set(LAYERS) - {"atan"})), st.floats(0.05, 1.0))
@few
def test_a_layer_adds_one_to_the_depth(name, share):
    layer, extent = LAYERS[name]
    form = layer.leading_form()
    x = form.fixed_point + form.side * share * extent
    assert layer.depth(layer(x)) - layer.depth(x) == pytest.approx(1.0, abs=1e-9)
    assert layer.layers(x, layer.iterate(x, 40)) == pytest.approx(40.0, abs=1e-8)
    for layers in (0, 3, 200):
        assert layer.signal(x, layers) == pytest.approx(layer.iterate(x, layers), rel=1e-11)


def test_functions_of_ones_own_have_a_depth():
    layer = RepeatedLayer(OWN_TANH)
    assert layer.leading_form().coefficient == pytest.approx(1 / 3, abs=4 * layer.leading_form().coefficient_error)
    assert layer.leading_form().residue == pytest.approx(0.3, abs=1e-5)
    assert layer.depth(0.7) == pytest.approx(RepeatedLayer("tanh").depth(0.7), abs=1e-4)
    assert layer.signal(1.0, 10**5) == pytest.approx(RepeatedLayer("tanh").signal(1.0, 10**5), rel=1e-8)
    assert RepeatedLayer(SOFT).leading_form().order == 2


def test_signals_approach_their_law_with_its_correction():
    """h/law = 1 - r ln m/(n² m) + O(1/m): the coefficient of the logarithm from distant depths."""
    for layer, start in ((LAYERS["tanh"][0], 1.0), (LAYERS["erf"][0], 0.5), (LAYERS["fold"][0], 0.9)):
        form = layer.leading_form()
        m = np.array([10**4, 10**5, 10**6])
        y = np.array([abs(layer.signal(start, int(depth)) - form.fixed_point) for depth in m])
        gap = (y / form.signal(m) - 1) * m
        assert np.diff(gap) / np.diff(np.log(m)) == pytest.approx(-form.residue / (form.order - 1) ** 2, rel=1e-2)


# -- forms and fixed points ------------------------------------------------------------------------------

OUTCOMES = {
    LeadingFormKind.CRITICAL: [RepeatedLayer("tanh"), RepeatedLayer(SOFT), RepeatedLayer.critical("sigmoid")],
    LeadingFormKind.SCALE_INVARIANT: [RepeatedLayer("relu"), RepeatedLayer("identity"), RepeatedLayer("leaky relu")],
    LeadingFormKind.NOT_CRITICAL: [RepeatedLayer("sigmoid"), RepeatedLayer("erf"), RepeatedLayer("relu", 2.0),
                        RepeatedLayer(ATAN, 0.5), RepeatedLayer("tanh", -1.0), RepeatedLayer("relu", 0.5, 1.0)],
    LeadingFormKind.NOT_SMOOTH: [RepeatedLayer("sign"), RepeatedLayer(leaky_relu(0.5), 2.0)],
    LeadingFormKind.REPELLING: [RepeatedLayer(Activation("sinh", np.sinh, np.cosh))],
    LeadingFormKind.FLAT: [RepeatedLayer(Activation("line", lambda h: h, np.ones_like))],
}  # fmt: skip


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda kind: kind.name)
def test_every_search_has_a_named_end(outcome):
    for layer in OUTCOMES[outcome]:
        form = layer.leading_form()
        assert form.outcome is outcome, layer
        if outcome is not LeadingFormKind.CRITICAL:
            for question in (form.fixed_function, lambda form=form: form.signal(1.0), lambda form=form: form.amplitude):
                with pytest.raises(ValueError, match=r"RepeatedLayer.critical"):
                    question()


def test_taylor_coefficients_can_be_given():
    form = RepeatedLayer(ATAN).leading_form(coefficients=[1, 0, -1 / 3, 0, 1 / 5])
    assert (form.order, form.residue) == (3, pytest.approx(3 / 2 - 9 / 5))
    assert RepeatedLayer(ATAN).leading_form().residue == pytest.approx(form.residue, abs=1e-6)
    assert RepeatedLayer(ATAN).leading_form(coefficients=[1, 0, -1 / 3]).residue is None


@given(st.sampled_from(["tanh", "erf", "sigmoid"]), st.floats(-6, 6), st.floats(-3, 3))
@settings(max_examples=100)
def test_all_fixed_points_are_found(name, w, b):
    layer = RepeatedLayer(name, w, b)
    points = layer.rest_points()
    assert points
    for x, slope in points:
        assert layer(x) == pytest.approx(x, abs=1e-13 * (1 + abs(w)))
        assert slope == pytest.approx(w * float(layer.sigma.derivative(np.asarray(w * x + b))), abs=1e-9 * (1 + abs(w)))
    gap = layer(np.linspace(-1.5, 1.5, 4001)) - np.linspace(-1.5, 1.5, 4001)
    crossings = np.count_nonzero(np.diff(np.sign(gap[gap != 0])))
    assert len(points) >= crossings
    assume(all(abs(slope - 1) > 0.05 for _, slope in points))
    assert len(points) == max(crossings, 1)


@given(st.sampled_from(["relu", "leaky relu", "identity"]), st.floats(-3, 3), st.floats(-3, 3))
@few
def test_fixed_points_of_lines(name, w, b):
    layer = RepeatedLayer(name, w, b)
    for x, _ in layer.rest_points():
        assert layer(x) == pytest.approx(x, rel=1e-9, abs=1e-9)


@given(st.sampled_from(["tanh", "erf", "sigmoid"]), st.floats(-2, 2))
@settings(max_examples=12)
def test_the_critical_line_is_critical(name, field):
    form = RepeatedLayer.critical(name, field).leading_form()
    assume(abs(field) > 1e-3)
    assert form.outcome is LeadingFormKind.CRITICAL
    assert form.order == 2
    assert form.side == (1 if field > 0 else -1)


# -- noise -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_kernel_is_its_twin_and_the_activation(name, rng):
    layer, xi = RepeatedLayer(name, 0.9, -0.1), rng.standard_normal(50)
    arguments = (0.3, xi, layer.w, layer.b, 0.2, *layer.sigma.kernel)
    assert passed(*arguments) == passed.py_func(*arguments)
    own = Activation("own", layer.sigma.function, layer.sigma.derivative)
    known = layer.simulate([3, 20], noise_std=0.2, start=0.3, replicas=4, rng=5)
    np.testing.assert_allclose(
        known, RepeatedLayer(own, 0.9, -0.1).simulate([3, 20], noise_std=0.2, start=0.3, replicas=4, rng=5), rtol=1e-12
    )
    np.testing.assert_array_equal(known[:2], layer.simulate([3, 20], noise_std=0.2, start=0.3, replicas=2, rng=5))
    np.testing.assert_array_equal(known[:, 1:], layer.simulate([20], noise_std=0.2, start=0.3, replicas=4, rng=5))
    quiet = layer.simulate([20], noise_std=0.0, start=0.3, replicas=1, rng=5)
    assert quiet[0, 0] == pytest.approx(layer.iterate(0.3, 20), rel=1e-12)


NOISE = np.array([0.01, 0.02, 0.04])


@pytest.fixture(scope="module")
def stationary(root_seed):
    """Squares of stationary signals, shape (noise, replicas)."""
    layer = RepeatedLayer("tanh")
    ends = [
        layer.simulate([round(12 / e)], noise_std=e, start=math.sqrt(e), replicas=3000, rng=root_seed + i)
        for i, e in enumerate(NOISE)
    ]
    return np.concatenate(ends, axis=1).T ** 2


def test_stationary_noise_is_linear_in_its_strength(stationary):
    form = RepeatedLayer("tanh").leading_form()
    law = np.array([form.stationary_variance(e) * (1 + form.stationary_correction * e) for e in NOISE])
    assert_mean(stationary.T / law, 1.0, bias=0.003, what="stationary <h²> with its correction, relative")
    mean, error = stationary.mean(axis=1), stationary.std(axis=1) / math.sqrt(stationary.shape[1])
    corrected = 1 + form.stationary_correction * NOISE
    assert_slope(NOISE, mean / corrected, error / corrected, 1.0, bias=0.002, what="<h²> against ε")
    with rejects("slope"):  # order 5: ε^(4/6)
        assert_slope(NOISE, mean / corrected, error / corrected, 2 / 3, bias=0.002, what="<h²> against ε")
    with rejects():
        wrong = FixedFunction(5, 1 / 3)
        assert wrong.order == 5
        assert_mean(
            stationary[0], (6 * NOISE[0] ** 2 / (2 / 3)) ** (1 / 3) * math.gamma(0.5) / math.gamma(1 / 6), what="z = 5"
        )


def transfer(layer, noise, reach):
    """Return points and transition probabilities of a noisy layer; the trapezoid is exact to rounding."""
    x = noise / 3 * np.arange(-math.ceil(3 * reach / noise), math.ceil(3 * reach / noise) + 1)
    kernel = np.exp(-((x[:, None] - layer(x)[None, :]) ** 2) / (2 * noise**2))
    return x, kernel / kernel.sum(axis=0)


@pytest.mark.parametrize("name", ["tanh", "erf"])
def test_the_next_order_of_the_stationary_law_by_quadrature(name):
    layer = RepeatedLayer.critical(name)
    form = layer.leading_form()
    orders = []
    for noise in (0.04, 0.02, 0.01):
        law = form.stationary_variance(noise)
        x, kernel = transfer(layer, noise, 7 * math.sqrt(law))
        density = np.linalg.matrix_power(kernel, 2 ** math.ceil(math.log2(20 / noise)))[:, x.size // 2]
        orders.append((x**2 @ density / density.sum() / law - 1) / noise)
    gaps = np.array(orders) - form.stationary_correction
    assert gaps[2] == pytest.approx(0.0, abs=5e-3)
    np.testing.assert_allclose(gaps[:2] / gaps[1:], 2.0, atol=0.06)  # what is left is of the next order


@pytest.mark.parametrize(("distance", "noise"), [(0.0, 1.0), (2.0, 1.5)])
def test_the_scaling_function_is_the_limit_of_layers(distance, noise):
    gaps = []
    for m in (32, 128):
        layer = RepeatedLayer("tanh", 1 + distance / m)
        x, kernel = transfer(layer, noise / m, 1.2)
        law = np.exp(-((x - layer(1.0)) ** 2) / (2 * (noise / m) ** 2))
        for _ in range(m - 1):
            law = kernel @ law
        gaps.append(m * (x**2 @ law / law.sum()) / FixedFunction(3, 1 / 3).finite_depth(distance, noise) - 1)
    assert abs(gaps[1]) < 0.04
    assert 2.5 < gaps[0] / gaps[1] < 5.5  # as ln m/m


def test_depth_distance_and_noise_meet_in_the_scaling_function(root_seed):
    f, m = FixedFunction(3, 1 / 3), 600
    for i, (distance, noise) in enumerate(((0.0, 1.0), (2.0, 1.5), (-2.0, 0.7))):
        signal = RepeatedLayer("tanh", 1 + distance / m).simulate(
            [m], noise_std=noise / m, replicas=2500, rng=root_seed + i
        )
        values, law = m * signal[:, 0] ** 2, f.finite_depth(distance, noise)
        assert_mean(values, law, bias=0.015 * law, what=f"m<h²> at A = {distance}, e = {noise}")
        with rejects():
            assert_mean(values, f.finite_depth(-distance + 1.5, noise), what="a wrong distance")


def test_the_scaling_function_has_its_limits():
    f = FixedFunction(3, 1 / 3)
    form = RepeatedLayer("tanh").leading_form()
    assert f.finite_depth(0.0, 0.0) == pytest.approx(form.amplitude**2, rel=1e-15)
    assert f.finite_depth(0.0, 30.0) / 30 == pytest.approx(form.stationary_variance(1.0), rel=1e-5)
    gaps = [f.finite_depth(1.0, e) / f.finite_depth(1.0) - 1 for e in (0.1, 0.2)]
    assert math.log2(gaps[1] / gaps[0]) == pytest.approx(2.0, abs=0.05)  # noise enters as a variance
    unit = FixedFunction(3, 1.0)  # u only sets the unit of x
    assert f.finite_depth(0.7, 0.9 * math.sqrt(3)) == pytest.approx(3 * unit.finite_depth(0.7, 0.9), rel=1e-9)
    s = np.linspace(0, 1.5, 1001)  # in order e^-28 is left of the start: the law is the stationary one
    for law, a in ((np.exp(a * s**2 - s**4 / 2), a) for a in (-14.0, -30.0)):
        assert unit.finite_depth(a, 1.0) == pytest.approx(s**2 @ law / (law.sum() - 0.5), rel=1e-5)
    x = np.linspace(-3, 4, 8)
    assert (np.diff(f.finite_depth(x, 0.5)) > 0).all()
    assert f.finite_depth(x[:, None], [0.0, 1.0]).shape == (8, 2)


# -- data collapse ---------------------------------------------------------------------------------------


def scaled_data(z=3):
    f = FixedFunction(z, 1 / 3)
    m = np.repeat([64.0, 256.0, 1024.0], 12)
    distance = np.tile(np.linspace(-2, 3, 12), 3) / m
    return f, m, distance, f.finite_depth(distance * m) * m ** (-2 / (z - 1))


@pytest.mark.parametrize("z", [3, 4, 5])
def test_collapse_of_exact_data_is_exact(z):
    _, m, distance, values = scaled_data(z)
    collapsed = collapse(distance, m, values, 1e-4 * values, degree=9, bootstrap=20, rng=1)
    assert collapsed.value_exponent == pytest.approx(2 / (z - 1), abs=1e-5)
    assert collapsed.control_exponents == pytest.approx(1.0, abs=1e-5)
    assert collapsed.quality < 1.0  # of what a polynomial leaves of F
    assert collapsed.dof == 36 - 10 - 2  # coefficients and exponents
    x, y, error = collapsed.scaled(control_exponents=[1.0])
    assert y.shape == x[0].shape == m.shape
    assert error == pytest.approx(1e-4 * y, rel=1e-12)


def test_errors_of_a_collapse_are_those_of_its_exponents(rng):
    _, m, distance, values = scaled_data()
    fits = [
        collapse(distance, m, values * (1 + 0.01 * rng.standard_normal(m.size)), 0.01 * values, bootstrap=20, rng=rng)
        for _ in range(150)
    ]
    scores = np.array(
        [
            ((fit.value_exponent - 1) / fit.value_error, (fit.control_exponents[0] - 1) / fit.control_errors[0])
            for fit in fits
        ]
    )
    assert_mean([(fit.value_exponent, fit.control_exponents[0]) for fit in fits], 1.0, what="exponents of a collapse")
    assert 0.7 < scores.std() < 1.6  # of 300, by errors of 20 resamples
    assert 0.5 < np.mean([fit.quality for fit in fits]) < 1.6
    with rejects():
        assert_mean([fit.value_exponent for fit in fits], 2 / 3, what="κ of order 4")


@pytest.mark.parametrize("control", [[1.0, 10.0, 100.0], [-3.0, 0.0, 3.0]])
def test_a_control_that_is_positive_throughout_enters_by_its_logarithm(control):
    """Controls enter by Chebyshev polynomials on the interval from the least to the largest."""
    problem = _Problem(np.array([control]), np.zeros(3), np.zeros(3), np.ones(3), ((0,), (1,), (2,)))
    np.testing.assert_allclose(problem.design(np.ones(1)), [[1, -1, 1], [1, 0, -1], [1, 1, 1]], atol=1e-15)


def test_two_controls_collapse_together():
    f = FixedFunction(3, 1 / 3)
    m, distance, noise = (a.ravel() for a in np.meshgrid([100.0, 400.0], np.linspace(-1, 1.5, 5), [0.5, 1.0, 1.6]))
    values = f.finite_depth(distance, noise) / m
    collapsed = collapse([distance / m, noise / m], m, values, 1e-2 * values, degree=3, bootstrap=20, rng=1)
    assert collapsed.value_exponent == pytest.approx(1.0, abs=0.01)
    assert collapsed.control_exponents == pytest.approx([1.0, 1.0], abs=0.03)
    assert collapsed.dof == 30 - 9 - 3  # coefficients and exponents


def test_points_that_fall_on_two_curves_are_told():
    """Values are given against |t|, though the sign of t matters: no exponents bring both branches together."""
    _, m, distance, values = scaled_data()
    with pytest.warns(RuntimeWarning, match="do not fall on one curve") as warned:
        collapsed = collapse(abs(distance), m, values, 1e-3 * values, bootstrap=20, rng=1)
    assert collapsed.quality > 100
    assert f"chi-square is {collapsed.chi_square:.3g} for {collapsed.dof} degrees of freedom" in str(warned[0].message)


def test_polynomials_have_no_more_coefficients_than_values_at_one_depth():
    m, x = np.repeat([1.0, 2.0, 4.0, 8.0], 3)[:-1], np.tile([-1.0, 0.2, 1.0], 4)[:-1]  # at most three
    values = (2 + x + x**2 / 2) / m
    collapsed = collapse(x / m, m, values, 1e-3 * values, degree=6, bootstrap=20, rng=1)
    assert collapsed.dof == 11 - 3 - 2
    assert collapsed.control_exponents == pytest.approx(1.0, abs=1e-6)


def test_collapse_can_be_drawn():
    _, m, distance, values = scaled_data()
    ax = collapse(distance, m, values, 1e-3 * values, bootstrap=20, rng=1).plot()
    assert len(ax.containers) == 3
    assert ax.get_xlabel()


# -- what is refused -------------------------------------------------------------------------------------

TANH, DOUBLING = RepeatedLayer("tanh"), RepeatedLayer("identity", 2.0)
F3, F4 = FixedFunction(3, 1.0), FixedFunction(4, 1.0)
_, M, DISTANCE, VALUES = scaled_data()
FALLEN = collapse(DISTANCE, M, VALUES, 1e-3 * VALUES, bootstrap=20, rng=1)
REFUSED = {
    "order 1": (lambda: FixedFunction(1, 1.0), ValueError, r"outside the allowed range \[2"),
    "no unit": (lambda: FixedFunction(3, -1.0), ValueError, "signals grow"),
    "one layer in a block": (lambda: F3.alpha(1), ValueError, "must be above 1"),
    "layers taken away": (lambda: F3.layers(1.0, -1.0), ValueError, "taken away"),
    "wrong side of a fold": (lambda: F4(-1.0), ValueError, "run away"),
    "power": (lambda: F3.eigenfunction(-1, 1.0), ValueError, "outside the allowed range"),
    "huge": (lambda: F3.eigenfunction(0, 1e200), ValueError, "too large"),
    "noise at z = 4": (lambda: F4.finite_depth(0.0, 1.0), ValueError, "z = 3"),
    "far": (lambda: F3.finite_depth(40.0, 0.05), ValueError, "pass noise_std = 0"),
    "weights": (lambda: RepeatedLayer("tanh", [1.0, 2.0]), TypeError, "scalar"),
    "infinite": (lambda: RepeatedLayer("tanh", math.inf), ValueError, "finite"),
    "unknown": (lambda: RepeatedLayer("swish"), ValueError, "unknown"),
    "flat": (lambda: RepeatedLayer.critical("sign"), ValueError, "rises"),
    "no fixed point": (lambda: TANH.leading_form(0.5), ValueError, "not a fixed point"),
    "own rest points": (lambda: RepeatedLayer(ATAN).rest_points(), ValueError, "leading_form"),
    "wild": (lambda: RepeatedLayer(ATAN).leading_form(-0.9), ValueError, "not a fixed point"),
    "supercritical": (lambda: RepeatedLayer("tanh", 2.0).depth(1.0), ValueError, "not critical"),
    "sides": (lambda: TANH.layers(1.0, -0.1), ValueError, "the same side"),
    "sides far below": (lambda: TANH.layers(1e-170, -1e-170), ValueError, "the same side"),
    "nowhere": (lambda: TANH.depth(0.0), ValueError, "not drawn in"),
    "fold from the wrong side": (lambda: LAYERS["fold"][0].depth(0.1), ValueError, "not drawn in"),
    "stationary fold": (lambda: LAYERS["fold"][0].leading_form().stationary_variance(0.1), ValueError, "no stationary"),
    "no noise": (lambda: TANH.leading_form().stationary_variance(0.0), ValueError, "above 0"),
    "negative noise": (lambda: TANH.simulate([1], noise_std=-1.0), ValueError, "standard deviation"),
    "amplified": (lambda: DOUBLING.simulate([2000], noise_std=1.0, replicas=1), ValueError, "amplifies"),
    "amplified quietly": (lambda: DOUBLING.iterate(1.0, 2000), ValueError, "amplifies"),
    "extent": (lambda: renormalise(LAYERS["sigmoid"][0], 1)[1](2.0), ValueError, "beyond the extent"),
    "renormalise what is not critical": (lambda: renormalise(RepeatedLayer("tanh", 1.1)), ValueError, "critical"),
    "one depth": (lambda: collapse([0.0, 1.0] * 9, [9.0] * 18, [1.0] * 18, [0.1] * 18), ValueError, "one depth"),
    "few points": (lambda: collapse([0.0, 1.0] * 2, [1.0, 1.0, 2.0, 2.0], [1.0] * 4, [1.0] * 4), ValueError, "too few"),
    "shapes": (lambda: collapse([0.0, 1.0], [1.0], [1.0, 1.0], [1.0, 1.0]), ValueError, "have shapes"),
    "one value a depth": (lambda: collapse([1, 0.5, 0.25, 0.125], 2.0 ** np.arange(4), [1.0] * 4, [0.1] * 4, degree=1),
        ValueError, "nothing shows how control 0 scales"),
    "second alone": (lambda: collapse([[0, 1] * 6, [1, 1, 2, 2, 3, 3] * 2], [1, 1, 2, 2, 3, 3] * 2, [1, 2, 1, 3, 1, 4]
        * 2, [0.01] * 12), ValueError, "nothing shows how control 1 scales"),
    "no effect": (lambda: collapse([-2, -1, 0, 1, 2] * 3, np.repeat([1.0, 2.0, 4.0], 5), np.repeat([4.0, 2.0, 1.0], 5),
        [0.01] * 15), ValueError, r"nothing shows how control 0 scales: .* with it, .* without\)"),
    "constant": (lambda: collapse([1.0] * 18, [1.0, 2.0] * 9, [1.0] * 18, [1.0] * 18), ValueError, "leave it out"),
    "scaled by no number": (lambda: FALLEN.scaled(math.nan), ValueError, "not a finite number"),
    "scaled by several": (lambda: FALLEN.scaled([1.0, 1.0]), TypeError, "is not one number: all depths have"),
    "scaled values without end": (lambda: FALLEN.scaled(200.0), ValueError, "out of the range of float64"),
    "scaled values of none": (lambda: FALLEN.scaled(-200.0), ValueError, "out of the range of float64"),
    "scaled controls without end": (lambda: FALLEN.scaled(1.0, [200.0]), ValueError, "out of the range of float64"),
    "negative values": (lambda: collapse([0.0, 1.0], [1.0, 2.0], [-1.0, 1.0], [1.0, 1.0]), ValueError, "squares"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_with_advice(case):
    call, error, words = REFUSED[case]
    with pytest.raises(error, match=words):
        call()
