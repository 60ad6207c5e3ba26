"""Numbers at the ends of float64: results of solvable layers are finite and right, or refused with the reason."""

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest

from statnn import rg
from statnn.network import ACTIVATIONS, Activation, leaky_relu
from statnn.network._activation import activation
from statnn.rg.repeated._finite_depth import _with_last
from statnn.rg.wide._averages import averages
from statnn.rg.wide._solve import limits

FUNCTIONS = [(2, 0.5), (3, 1 / 3), (5, 1e-140), (3, 1e140), (1000, 2.0)]


def exact_change(z, u, k, x, moment):
    """The eigenfunctions by their definition, at 400 digits."""
    with mpmath.workdps(400):
        z, k, x = (mpmath.mpf(v) for v in (z, k, x))
        X = (z - 1) * mpmath.mpf(u) * x ** (z - 1)
        q = 1 + (moment * z - k) / (z - 1)
        mean = mpmath.log1p(X) / X if q == 0 else ((1 + X) ** q - 1) / (q * X)
        return x**k * (1 + X) ** (-moment * z / (z - 1)) * mean


@pytest.mark.parametrize(("z", "u"), FUNCTIONS)
@pytest.mark.parametrize("k", [0, 1, 2, 3, 5, 9])
def test_eigenfunctions_far_out(z, u, k):
    """Powers of signals overflow long before their product with other factors does."""
    f = rg.FixedFunction(z, u)
    scale = 1 / ((z - 1) * u) ** (1 / (z - 1))
    for x in scale * np.array([1e-3, 0.999, 1.001, 30.0, 1e40] if z < 10 else [0.9, 1.0, 1.5]):
        for moment, value in ((1, f.eigenfunction), (2, lambda k, x: f.noise_eigenfunction(x, k))):
            exact = exact_change(z, u, k, x, moment)
            if 1e-290 < exact < 1e290:
                assert value(k, x) == pytest.approx(float(exact), rel=1e-12)


def test_fixed_functions_refuse_what_leaves_the_range():
    f = rg.FixedFunction(3, 1 / 3)
    for call in (
        lambda: rg.FixedFunction(5, 1.0).layers([0.0, 1.0], 1.7e308),
        lambda: rg.FixedFunction(3, 1e200),
        lambda: f.noise_eigenvalue(1e300),
        lambda: rg.FixedFunction(2, 1.0).eigenvalue(0, 1e300),
        lambda: f.scaling_fields()[0].eigenvalue(1e300),
        lambda: f.eigenfunction(9, 1e140),
        lambda: rg.FixedFunction(2, 1e-150).finite_depth(1e100),
    ):
        with pytest.raises(ValueError, match=r"range of float64"):
            call()
    assert f.layers([0.0, 1e308], 1e300).tolist() == pytest.approx([0.0, (1.5e-300) ** 0.5], abs=0)
    assert f.finite_depth(5e-324, 0.01) == pytest.approx(f.finite_depth(0.0, 0.01), rel=1e-12)


@pytest.mark.parametrize("z", [2, 3, 4, 101])
@pytest.mark.parametrize("u", [1e-150, 1 / 3, 1e150])
def test_few_layers_of_far_signals_are_finite(z, u):
    """x^(1-z) and m u may both vanish in float64, though the signal that is left does not."""
    f = rg.FixedFunction(z, u)
    for m in (0.0, 5e-324, 1e-200, 1e-20, 1.0, 1e150):
        for x in (0.0, 1e-200, 1.0, 1e100, 1e200, 1.7e308):
            with mpmath.workdps(50):
                left = mpmath.mpf(x) * (1 + mpmath.mpf(m) * (z - 1) * u * mpmath.mpf(x) ** (z - 1)) ** (
                    -mpmath.mpf(1) / (z - 1)
                )
            assert f.layers(x, m) == pytest.approx(float(left), rel=1e-13, abs=1e-300)
            assert f.layers([x], m)[0] == f.layers(x, m)


def test_powers_beyond_float64_are_refused_alike_of_one_number_and_of_several():
    f = rg.FixedFunction(3, 1e-100)
    for x in (1e55, [1e55]):
        for call in (lambda x=x: f.eigenfunction(9, x), lambda x=x: f.noise_eigenfunction(x, 9)):
            with pytest.raises(ValueError, match=r"x = 1e\+55: x\^9 exceeds the range of float64"):
                call()


@pytest.mark.parametrize(("z", "u"), [(2, 1e-150), (3, 1e-150), (3, 1e150), (4, 1e-20), (10, 0.3), (1000, 1e-150)])
@pytest.mark.parametrize("distance", [-1.7e308, -1e4, -400.0, -370.0, -1e-310, 5e-324, 340.0, 1e300])
def test_the_scaling_function_keeps_its_digits_where_its_factors_do_not(z, u, distance):
    """e^2A is subnormal or zero, A/u infinite, and their root or product is not."""
    with mpmath.workdps(50):
        a, n = mpmath.mpf(distance), z - 1
        size = 2 / mpmath.mpf(n) * mpmath.log(a / (u * -mpmath.expm1(-n * a))) if a > -1e5 else -mpmath.inf
        exact = mpmath.exp(size)
    f = rg.FixedFunction(z, u)
    if size > 709:
        with pytest.raises(ValueError, match="exceeds the range of float64"):
            f.finite_depth(distance)
    else:
        assert f.finite_depth(distance) == pytest.approx(float(exact), rel=1e-12, abs=1e-300)


@pytest.mark.parametrize("u", [1e-150, 1 / 3, 1e100])
def test_noise_at_the_ends_of_float64(u):
    """Tiny noise is none; far below criticality it is that of a line, ε²/2|A|; far above it is lost in the signal."""
    f = rg.FixedFunction(3, u)
    for a in (-2.0, 0.0, 1.5):
        assert f.finite_depth(a, 1e-310) == pytest.approx(f.finite_depth(a), rel=1e-5, abs=0)
    for a, e in ((-1e308, 1.0), (-1e200, 1e-50), (-1e100, 1e-8)):
        assert f.finite_depth(a, e) == pytest.approx(0.5 * e * (e / -a), rel=1e-8, abs=1e-309)
    assert f.finite_depth(1e100, 1e-200) == f.finite_depth(1e100)
    law = math.sqrt(6) * math.gamma(0.75) / math.gamma(0.25) / math.sqrt(3 * u)  # where noise alone counts
    assert f.finite_depth(0.0, 1e200) == pytest.approx(1e200 * law, rel=1e-12)
    if u < 0.1:
        with pytest.raises(ValueError, match=r"noise_std = 1\.7e\+308: the signal exceeds"):
            f.finite_depth(1.0, 1.7e308)


@pytest.mark.parametrize(("z", "u"), [(3, 1 / 3), (5, 2.0), (9, 0.1)])
def test_laws_of_weak_noise_at_the_ends_of_float64(z, u):
    """The stationary variance, and the depth where noise takes over, are powers of the noise."""
    form = rg.LeadingForm(rg.LeadingFormKind.CRITICAL, 0.0, 1.0, z, u)
    for noise in (5e-324, 1e-308, 1e-200, 1e-100, 1.0, 1e100, 1e200, 1.7e308):
        with mpmath.workdps(30):
            p = mpmath.mpf(z + 1)
            variance = (p * mpmath.mpf(noise) ** 2 / (2 * u)) ** (2 / p) * mpmath.gamma(3 / p) / mpmath.gamma(1 / p)
            depth = (((z - 1) * u) ** (-mpmath.mpf(2) / (z - 1)) / variance) ** (mpmath.mpf(z - 1) / 2)
        for exact, law in ((variance, form.stationary_variance), (depth, form.noise_cutoff)):
            size = mpmath.log10(exact)
            if abs(size) < 300:
                assert law(noise) == pytest.approx(float(exact), rel=1e-12, abs=0)
            elif not -330 < size < 309:
                with pytest.raises(ValueError, match=r"noise_std = .* is outside the range of float64"):
                    law(noise)


@pytest.mark.parametrize(
    ("w", "b", "s", "m"),
    [
        (2.4e205, 1e22, 0.0, 1),
        (-2.4e205, 1e22, 1e-300, 1),
        (1e140, -3.0, 1e-10, 2),
        (-1e100, 7.0, 1e-200, 3),
        (1e60, 0.0, 1e-300, 5),
    ],
)
def test_powers_of_steep_layers_stay_within_floats(w, b, s, m):
    """No number larger than the last term of a sum is formed on the way."""
    block = rg.LinearLayer(w, b, s).power(m)
    W, total, spread = Fraction(w), Fraction(0), Fraction(0)
    for k in range(m):
        total, spread = total + W**k * Fraction(b), spread + W ** (2 * k) * Fraction(s)
    assert block.weight[0, 0] == pytest.approx(float(W**m), rel=4e-16)
    assert block.bias[0] == pytest.approx(float(total), rel=4e-16)
    assert block.noise_covariance[0, 0] == pytest.approx(float(spread), rel=4e-16, abs=0)


def test_linear_and_binary_layers_next_to_the_largest_float():
    for call in (
        lambda: rg.LinearLayer(0.5, 0.0, 1.7e308),
        lambda: rg.LinearLayer([[2.0, -1.0], [0.0, 1.0]], 0.0, [[1.0, 1.7e308], [-1.7e308, 1.0]]),
        lambda: rg.LinearLayer(1.0).propagate(0.0, 1.7e308),
        lambda: rg.BinaryLayer([[1e307, 0.0], [0.0, 1e307]]).transfer(),
        lambda: rg.TransferMatrix([[1e305, 0.0], [0.0, 0.0]]),
        lambda: rg.TransferMatrix([[0.0, 0.0], [0.0, -1e305]]),
    ):
        with pytest.raises(ValueError, match=r"exceeds? the range of float64|not symmetric"):
            call()
    far = rg.TransferMatrix([[1e299, 0.0], [0.0, -1e299]])
    assert far.spectrum().log_leading == 1e299


def test_collapse_refuses_numbers_whose_squares_leave_the_range():
    m, t = np.repeat([10.0, 20.0, 40.0], 4), np.tile(np.linspace(-1, 1, 4), 3)
    for controls, values, errors in (
        (t * 1e200, 1 / m, 1 / m),
        (t, 1 / m, np.full(12, 1e-200)),
        (t, 1e-200 / m, 1 / m),
    ):
        with pytest.raises(ValueError, match=r"between 1e-150 and 1e150 are needed"):
            rg.collapse(controls, m, values, errors, rng=1)
    with pytest.raises(ValueError, match="scales controls beyond float64"):
        rg.collapse(t, m, 1 / m, 1 / m, guess=[1.0, 1e4], rng=1)


def test_fixed_points_of_layers_of_any_size():
    """Rounding leaves no root between fields of 1e150, and no slope where the activation is flat at fifty digits."""
    for name, w, b in (("tanh", -1e300, 1.7e308), ("silu", 0.9999999999999999, 1.7e308), ("sigmoid", -1.7e308, -710.0)):
        with pytest.raises(ValueError, match="take smaller w and b"):
            rg.RepeatedLayer(name, w, b).rest_points()
    for name, w, b in (("silu", 0.5, -1e140), ("softplus", -3.7, 8e140)):
        for x, slope in rg.RepeatedLayer(name, w, b).rest_points():
            layer = rg.RepeatedLayer(name, w, b)
            assert layer(x) == pytest.approx(x, rel=1e-12, abs=1e-12)
            assert math.isfinite(slope)
    with pytest.raises(ValueError, match="all but flat there"):
        rg.RepeatedLayer.critical("sigmoid", 36.3).leading_form()
    assert rg.RepeatedLayer.critical("sigmoid", 36.3).signal(0.1, 1000) == 0.0


@pytest.mark.parametrize("name", ["relu", "erf", "sin", "sign"])
def test_wide_layers_of_any_scale(name):
    """At the ends of their range the maps are finite and in bounds, or refused."""
    for w in (1e-150, 1e80, 1e149):
        for b in (0.0, 1e149):
            layer = rg.RandomLayer(name, w, b)
            for q in (1e-300, 1e300):
                for call in (
                    lambda layer=layer, q=q: layer.fixed_point(q).chi,
                    lambda layer=layer, q=q: layer.correlation_map(0.3, q),
                    lambda layer=layer, q=q: layer.finite_width(q, 2).spread,
                ):
                    try:
                        assert not np.isnan(call()).any()
                    except ValueError as error:
                        assert len(str(error)) > 40  # noqa: PT017 - refused with a reason, or a value
    with pytest.raises(ValueError, match="averages exceed the range of float64"):
        rg.RandomLayer(name, 1.0).variance_map(1.7e308)


def test_limits_of_a_step_and_of_a_line():
    """M of a step is 1 at every variance, and D of a jump infinite; two lines of slope 0 and 1 have M/q = D = 1/2."""
    assert limits(averages(activation("sign"))) == (0.0, math.inf, math.inf)
    assert limits(averages(activation("relu"))) == pytest.approx((0.5, 0.5, 1.0))


def test_erf_is_the_sign_for_wide_fields():
    wide, step = rg.RandomLayer("erf", 1.0), rg.RandomLayer("sign", 1.0)
    for q in (1e40, 1e120, 1e299):
        for c in (-0.9, 0.0, 0.3, 0.99):
            assert wide.correlation_map(c, q) == pytest.approx(step.correlation_map(c, q), rel=1e-13)
    assert rg.RandomLayer("erf", 1e80).fixed_point().chi > 1
    assert rg.RandomLayer("tanh", 1e-150, 1e80).fixed_point().variance == pytest.approx(1e160, rel=1e-15)


def test_collapse_of_noisy_measurements_is_found_or_refused_in_words():
    """Resampled measurements send some searches to exponents that scale controls beyond floats, and back."""
    depth, first, second = (grid.ravel() for grid in np.meshgrid([8.0, 16, 32, 64, 128], [0.1, 0.5, 2], [0.1, 0.5, 2]))
    controls, values = np.array([first, second]) / depth, 1 / depth / (1 + 0.3 * first + 0.3 * second)
    exponents, refused = [], []
    for seed in range(8):
        noisy = values * np.exp(0.1 * np.random.default_rng(seed).normal(size=values.size))
        try:
            collapsed = rg.collapse(controls, depth, noisy, 0.1 * values, guess=[0.8, 0.8, 0.8], degree=4, rng=seed)
        except ValueError as problem:
            refused.append(str(problem))
        else:
            exponents.append((collapsed.value_exponent - 1) / collapsed.value_error)
    assert all("no collapse was found from the guess" in problem for problem in refused)
    assert len(exponents) >= 4
    assert np.abs(exponents).max() < 6


@pytest.mark.parametrize("size", [1e-3, 3e-3, 2.0])
def test_projections_have_the_moments_of_the_block_to_rounding(size):
    """Weak couplings equal their moments: an error of 1e-11 from a search would be felt in moments of many layers."""
    states = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    first, second = size * np.array([[0.9, -1.4], [0.3, 1.1]]), size * np.array([[1.3, 0.4], [-0.8, 0.6]])
    inner = np.exp(states @ second @ states.T) @ np.exp(states @ first @ states.T)
    projected = rg.BinaryLayer(first).compose(rg.BinaryLayer(second), project=True)
    outer = np.exp(states @ projected.couplings @ states.T)
    moments = [states.T @ law @ states / law.sum() for law in (inner, outer)]
    np.testing.assert_allclose(*moments, rtol=0, atol=4e-15)


# -- fields that hardly vary, or saturate ----------------------------------------------------------------

TAYLOR = {"softplus": (math.log(2), 1 / 2, 1 / 4, 0, -1 / 8), "sigmoid": (1 / 2, 1 / 4, 0, -1 / 8, 0)}
"""Derivatives at zero."""


@pytest.mark.parametrize("name", TAYLOR)
@pytest.mark.parametrize("q", [1e-30, 1e-20, 1e-12, 1e-9])
def test_averages_of_narrow_fields_around_a_value(name, q):
    """By Taylor series: E φ² = φ² + (φ²)'' q/2 + (φ²)'''' q²/8 + ..., and Var φ² = 4 φ² φ'² q + ..."""
    f, f1, f2, f3, f4 = TAYLOR[name]
    of, at = averages(ACTIVATIONS[name]), np.array([q])
    computed = np.ravel([*of.moments(at), *of.higher_moments(at)])
    bend = (2 * f * f4 + 8 * f1 * f3 + 6 * f2**2) / 4
    expected = np.array([f**2, f1**2 + f * f2, f1**2, bend, 4 * f**2 * f1**2 * q])
    np.testing.assert_allclose(computed, expected, rtol=2e-8)
    known = [0, 1, 2, 4]
    np.testing.assert_allclose(computed[known], expected[known], rtol=1e-11 + 4 * q)


@pytest.mark.parametrize("name", TAYLOR)
@pytest.mark.parametrize("sigma_w", [1e-30, 1e-10])
def test_small_weights_lead_to_small_variances_not_to_none(name, sigma_w):
    point = rg.RandomLayer(name, sigma_w).fixed_point()
    assert point.variance == pytest.approx((TAYLOR[name][0] * sigma_w) ** 2, rel=1e-12, abs=0)


@pytest.mark.parametrize(("name", "bend"), [("silu", 3 / 8), ("gelu tanh", 3 / math.pi)])
@pytest.mark.parametrize("q", [1e-16, 1e-10])
def test_shift_of_narrow_fields_around_zero(name, bend, q):
    """By Taylor series: the shift is half the spread of one layer times d²M/dq² at zero."""
    finite = rg.RandomLayer(name, 1.0).finite_width(q, 2)
    assert finite.shift[2] == pytest.approx(bend / 2 * finite.spread[1], rel=1e-11 + 10 * q, abs=0)


@pytest.mark.parametrize("q", [1e-14, 1e-10])
def test_narrow_fields_about_an_unstated_kink_of_the_slope(q):
    def raised(h):
        return np.where(h > 0, h, np.expm1(np.minimum(h, 0))) + 0.3

    layer = rg.RandomLayer(Activation("raised elu", raised, lambda h: np.exp(np.minimum(h, 0))), 1.0)
    with mpmath.workdps(40):
        s, height = mpmath.sqrt(mpmath.mpf(q)), mpmath.mpf(0.3)

        def below(z):
            return (mpmath.expm1(s * z) + height) * mpmath.exp(s * z) * z * mpmath.npdf(z)

        def above(z):
            return (s * z + height) * z * mpmath.npdf(z)

        slope = float((mpmath.quad(below, [-16, -4, 0]) + mpmath.quad(above, [0, 4, 16])) / s)
    assert layer.variance_slope(q) == pytest.approx(slope, rel=1e-8)


@pytest.mark.parametrize("q", [0.035, 0.045, 0.07, 0.53])
def test_every_average_of_tanh_has_its_digits(q):
    def average(function):
        return mpmath.quad(lambda z: function(mpmath.tanh(mpmath.sqrt(q) * z)) * mpmath.npdf(z), [-16, -4, 0, 4, 16])

    def fourth(t):  # derivative of tanh²
        s = 1 - t * t
        return 8 * s * (s - 2 * t * t) - 24 * s * s * (s - 4 * t * t)

    with mpmath.workdps(30):
        square = average(lambda t: t * t)
        slope, sloped = average(lambda t: (1 - t * t) * (1 - 3 * t * t)), average(lambda t: (1 - t * t) ** 2)
        expected = [float(v) for v in (slope, sloped, average(lambda t: (t * t - square) ** 2), average(fourth) / 4)]
    layer = rg.RandomLayer("tanh", 1.0)
    bend = averages(ACTIVATIONS["tanh"]).higher_moments(np.array([q]))[0][0]
    computed = [layer.variance_slope(q), layer.chi(q), layer.finite_width(q, 1).spread[1], bend]
    np.testing.assert_allclose(computed, expected, rtol=1e-13)


@pytest.mark.parametrize("c", [-1 + 2.0**-52, -1 + 2.0**-40, -0.99999])
def test_nearly_opposite_fields(c):
    with mpmath.workdps(40):
        angle = mpmath.acos(mpmath.mpf(c))
        sign, relu = 1 - 2 * angle / mpmath.pi, (mpmath.pi - angle) / (2 * mpmath.pi)
    assert rg.RandomLayer("sign", 1.0).correlation_map(c, 1.0) == pytest.approx(float(sign), rel=4e-16)
    slope = averages(ACTIVATIONS["relu"]).pair_moments(np.array([1 - c]), np.ones(1))[1][0]
    assert slope == pytest.approx(float(relu), rel=1e-8)


@pytest.mark.parametrize("c", [-1 + 2.0**-53, -1 + 2.0**-40, -0.6])
@pytest.mark.parametrize("q", [1e-3, 1e6])
def test_odd_activations_see_opposite_fields_as_they_see_alike_ones(c, q):
    """E φ(x)φ(y) changes its sign with y; 1 - c has no digits of 1 + c. With q = 1e6, erf and tanh are nearly steps."""
    for name in ("erf", "tanh", "sin", "sign", "identity"):
        layer, biased = rg.RandomLayer(name, 1.3), rg.RandomLayer(name, 1.3, 0.4)
        assert layer.correlation_map(c, q) == -layer.correlation_map(-c, q)
        total = biased.variance_map(q)
        both = biased.correlation_map(c, q) + biased.correlation_map(-c, q)
        assert both == pytest.approx(2 * 0.4**2 / total, rel=1e-12, abs=2e-15)
    with mpmath.workdps(40):
        slanted = 2 / mpmath.pi * mpmath.asin(mpmath.mpf(c) * 2 * q / (1 + 2 * q))
        expected = float(slanted / (2 / mpmath.pi * mpmath.asin(mpmath.mpf(2) * q / (1 + 2 * q))))
    assert rg.RandomLayer("erf", 1.3).correlation_map(c, q) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("name", ["silu", "softplus", "gelu tanh"])
@pytest.mark.parametrize("q", [1e5, 1e11])
def test_bend_of_wide_fields_is_that_of_what_is_no_line(name, q):
    """For a line E φ² is proportional to q; φ² differs from max(h, 0)² for fields of order one only."""
    sigma = ACTIVATIONS[name]
    with mpmath.workdps(40):
        s = mpmath.sqrt(mpmath.mpf(q))

        def bent(h):
            z = h / s
            weight = (z**4 - 6 * z**2 + 3) * mpmath.exp(-z * z / 2) / (s * mpmath.sqrt(2 * mpmath.pi))
            return (sigma.exactly(h) ** 2 - max(h, 0) ** 2) * weight

        expected = mpmath.quad(bent, [-90, -20, -5, 0, 5, 20, 90]) / (4 * mpmath.mpf(q) ** 2)
    computed = averages(sigma).higher_moments(np.array([q]))[0][0]
    assert computed == pytest.approx(float(expected), rel=1e-9, abs=0)


@pytest.mark.parametrize(("c", "q"), [(5e-191, 7e-251), (5.6e-282, 4e161)])
def test_tiny_correlations_are_not_lost_beside_variances(c, q):
    assert rg.RandomLayer("identity", 0.1).correlation_map(c, q) == pytest.approx(c, rel=1e-15, abs=0)
    limit = 2 / math.pi if q > 1 else 1.0  # that of the step, and of the line
    assert rg.RandomLayer("erf", 0.1).correlation_map(c, q) == pytest.approx(limit * c, rel=1e-14, abs=0)


@pytest.mark.parametrize("q", [1.0, 1e200])
def test_scales_of_weights_leave_correlations_alone_without_biases(q):
    layer, huge = (rg.RandomLayer("erf", sigma_w) for sigma_w in (1.0, 1e149))
    assert huge.correlation_map(0.05, q) == pytest.approx(layer.correlation_map(0.05, q), rel=1e-14, abs=0)


def test_branches_are_found_above_any_variance_of_biases():
    expected = rg.RandomLayer("tanh", 1.3).branches()[-1].variance
    assert [point.variance for point in rg.RandomLayer("tanh", 1.3, 1e-160).branches()] == pytest.approx([expected])


STEEP = Activation("steep", lambda h: 1e200 * h, lambda h: np.full(h.shape, 1e200))


@pytest.mark.parametrize("sigma", [leaky_relu(-1e160), STEEP])
def test_lines_whose_squares_leave_floats_are_refused_in_words(sigma):
    for ask in (lambda: rg.RandomLayer(sigma, 1.0).chi(1.0), lambda: rg.criticality(sigma)):
        with pytest.raises(ValueError, match="squares overflow"):
            ask()
    with pytest.raises(ValueError, match="exceed the range"):
        rg.RandomLayer(leaky_relu(1e100), 1.0).finite_width(1.0, 1)


@pytest.mark.parametrize(("name", "function"), [("tanh", mpmath.tanh), ("erf", mpmath.erf)])
def test_spread_of_saturated_layers(name, function):
    """φ² differs from 1 near zero alone: Var φ² comes to ∫ (1 - φ²)² dh / √(2πq)."""
    q = 1e24
    spread = rg.RandomLayer(name, 1.0).finite_width(q, 1).spread[1]
    area = mpmath.quad(lambda h: (1 - function(h) ** 2) ** 2, [-40, -4, 0, 4, 40])
    assert spread == pytest.approx(float(area / mpmath.sqrt(2 * mpmath.pi * q)), rel=1e-9, abs=0)


@pytest.mark.parametrize("q", [1e-300, 1e-170, 1e160, 1e290])
def test_correlations_of_simulated_signals_of_any_size(q):
    """relu keeps all scales: the product of two variances leaves float64, their correlation does not."""
    layer = rg.RandomLayer("relu", 2**0.5)
    usual, scaled = (layer.simulate(50, 2, replicas=3, q=size, c=0.5, rng=0).correlation for size in (1.0, q))
    np.testing.assert_allclose(scaled, usual, rtol=1e-12)


@pytest.mark.parametrize("scale", [1e30, 1e60, 1e140])
def test_functions_that_bend_far_out_alone_are_no_lines(scale):
    """s tanh(h/s) is tanh in other units, however far out it bends."""
    far = Activation("far", lambda h: scale * np.tanh(h / scale), lambda h: ACTIVATIONS["tanh"].derivative(h / scale))
    layer, usual = rg.RandomLayer(far, 1.5, 0.1 * scale), rg.RandomLayer("tanh", 1.5, 0.1)
    assert layer.variance_map(2 * scale**2) / scale**2 == pytest.approx(usual.variance_map(2.0), rel=1e-12)
    noisy, flow = rg.NoisyLayer(far, 1.5, 0.2 * scale, 0.3 * scale), rg.NoisyLayer("tanh", 1.5, 0.2, 0.3).flow(2)
    np.testing.assert_allclose(noisy.flow(2).couplings / [1, scale, scale], flow.couplings, rtol=1e-6)


def test_taylor_coefficients_whose_powers_overflow_are_refused():
    far = Activation("far", lambda h: 1e60 * np.tanh(h / 1e60), lambda h: ACTIVATIONS["tanh"].derivative(h / 1e60))
    with pytest.raises(ValueError, match=r"radius = 1\.1e\+30: above 1e\+30 powers overflow"):
        rg.RepeatedLayer(far).leading_form(radius=1.1e30)


@pytest.mark.parametrize(
    ("distance", "noise"), [(0, 1e8), (-1e5, 1e3), (1e4, 1e3), (1e3, 30), (100, 10), (-60, 0.5), (60, 0.5), (100, 1e-3)]
)
def test_noise_that_has_settled_is_the_stationary_law(distance, noise):
    """F = τ/u ⟨s²⟩ under exp(a s² - s⁴/2), with τ = √u e and a = A/τ, for large noise as for little."""
    computed = rg.FixedFunction(3, 1 / 3).finite_depth(distance, noise)
    with mpmath.workdps(30):
        tau = mpmath.sqrt(mpmath.mpf(1) / 3) * noise
        a = distance / tau
        peak, width = mpmath.sqrt(max(a, 0)), 1 / mpmath.sqrt(max(1, abs(a)))
        ends = [max(mpmath.mpf(0), peak + k * width) for k in (-12, -6, -3, -1, 0, 1, 3, 6, 12)]

        def weight(s):
            return mpmath.exp(a * s**2 - s**4 / 2 - max(a, 0) ** 2 / 2)

        mean = mpmath.quad(lambda s: s**2 * weight(s), sorted({*ends})) / mpmath.quad(weight, sorted({*ends}))
    assert computed == pytest.approx(float(3 * tau * mean), rel=1e-11)


@pytest.mark.parametrize(("distance", "tau"), [(-10.0, 0.3), (-7.0, 0.1), (-5.0, 0.3)])
def test_the_scaling_function_below_criticality_has_six_digits(distance, tau):
    """The reference extrapolates the steps in the last part of the time to zero, on twice the nodes."""
    a, last = distance / tau, 0.1 * tau / -distance
    finer = [_with_last(a, tau, 180, last / part) for part in (16, 32)]
    computed = rg.FixedFunction(3, 1.0).finite_depth(distance, tau) / tau
    assert computed == pytest.approx((4 * finer[1] - finer[0]) / 3, rel=3e-6)


@pytest.mark.parametrize("distance", [-1.2, -1.5, -2.0, -3.0])
@pytest.mark.parametrize("tau", [1e-3, 0.01, 0.03])
def test_the_scaling_function_of_little_noise_below_criticality_is_resolved(distance, tau):
    """It differs from the closed form without noise by about the square of the noise."""
    with_noise, without = (rg.FixedFunction(3, 1.0).finite_depth(distance, noise) for noise in (tau, 0.0))
    assert with_noise == pytest.approx(without, rel=30 * tau**2)


@pytest.mark.parametrize(("order", "distance"), [(4, -300.0), (5, -200.0), (11, -80.0), (1000, -4.0)])
def test_the_scaling_function_far_below_criticality_is_not_zero(order, distance):
    """e^((z-1)|A|) leaves float64 long before its root does."""
    with mpmath.workdps(40):
        exact = (0.3 * -mpmath.expm1((1 - order) * distance) / distance) ** (mpmath.mpf(-2) / (order - 1))
        assert rg.FixedFunction(order, 0.3).finite_depth(distance) == pytest.approx(float(exact), rel=1e-12, abs=0)


@pytest.mark.parametrize(
    ("order", "u", "x", "k", "moment"),
    [(4, 1e145, 1e12, 12, 1), (2, 1e113, 1e75, 6, 1), (3, 1e100, -1e50, 7, 1), (2, 8e60, 7e162, 6, 2)],
)
def test_eigenfunctions_of_high_powers_are_not_zero_far_out(order, u, x, k, moment):
    """f*(x)^k underflows where the power of 1 + X beside it is as large as f*(x)^k is small."""
    f = rg.FixedFunction(order, u)
    computed = f.eigenfunction(k, x) if moment == 1 else f.noise_eigenfunction(x, k)
    assert computed == pytest.approx(float(exact_change(order, u, k, x, moment)), rel=1e-12, abs=0)
