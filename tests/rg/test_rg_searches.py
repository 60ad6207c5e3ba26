"""Searches for fixed points, and what is read off the derivative there."""

from contextlib import suppress

import numpy as np
import pytest

from statnn import rg
from statnn.rg._common import eigenvalue_errors
from statnn.rg._derivative import STEP, derivative
from statnn.rg._fixed_points import _exponents
from statnn.rg.wide._roots import roots


@pytest.mark.parametrize(("rates", "nu"), [([4.0, 0.5], 0.5), ([4.0, 2.0], None), ([0.5, 0.25], None)])
def test_one_relevant_direction_alone_tells_nu(rates, nu):
    """1/y of an eigenvalue 4 at b = 2."""
    point = rg.FixedPoint("own", ("x", "y"), np.zeros(2), lambda k, _: k, lambda _: np.diag(rates))
    assert rg.exponents(point).nu == nu


@pytest.mark.parametrize(("at", "count"), [(1e7, 1), (10.0, 2)])
def test_a_stretch_of_fixed_points_is_one_where_it_is_short(at, count):
    """All couplings within one of K* stay where they are, and searches end at the nearest of them."""

    def still(k, b):
        return k + (b - 1) * (k - at - np.clip(k - at, -1, 1))

    points = rg.fixed_points(still, [[at - 5], [at + 5]])
    assert [point.couplings[0] for point in points] == [at - 1, at + 1][:count]


def moebius(first, second):
    """(K - K₁)/(K - K₂) grows by b: two fixed points, with y = 1 and -1."""

    def flow(k, b):
        return (first * (k - second) - second * b * (k - first)) / (k - second - b * (k - first))

    return flow


def multiple(at, scale, order):
    """(K - K*)^(1-order) grows by (ln b)/scale^(order-1): a fixed point of that multiplicity, y = 0."""

    def flow(k, b):
        x = (k - at) / scale
        return at + (k - at) * (1 + np.log(b) * x ** (order - 1)) ** (-1 / (order - 1))

    return flow


@pytest.mark.parametrize("scale", 10.0 ** np.arange(-12, 13, 3))
def test_fixed_points_are_told_apart_in_any_unit_of_couplings(scale):
    """Roots of known maps, each once: close pairs, three in a row, double and triple ones, beside zero and at it."""
    near = np.array([0.8, 0.95, 1.1, 1.25])[:, None]
    both = np.array([-1.2, -0.9, -0.1, 0.05, 0.9, 1.1])[:, None]
    cases = [
        (moebius(scale, 3 * scale), near * [1.0] + near * [[0.0], [2.0], [0.0], [2.0]], [1, 3]),
        (moebius(scale, 1.00006 * scale), 1 + 6e-5 * np.array([[-0.1], [0.1], [0.9], [1.1]]), [1, 1.00006]),
        (lambda u, b: b**2 * u / np.sqrt(1 + (b**4 - 1) * (u / scale) ** 2), both, [-1, 0, 1]),
        *((multiple(scale, scale, order), near, [1]) for order in (2, 3)),
        *((multiple(0.0, scale, order), near - 1, [0]) for order in (2, 3)),
    ]
    for flow, starts, roots_of_map in cases:
        ends = sorted(point.couplings[0] / scale for point in rg.fixed_points(flow, starts * scale))
        np.testing.assert_allclose(ends, roots_of_map, atol=1e-5)


def test_fixed_points_of_a_map_with_rounding_are_one():
    """Searches end anywhere within the rounding of the map, which is less than the tolerance."""
    starts = np.linspace(0.6, 1.4, 9)[:, None]
    (point,) = rg.fixed_points(lambda k, b: k**b + 1e-11 * np.sin(1e13 * k), starts)
    assert point.couplings[0] == pytest.approx(1, abs=1e-10)


def test_of_failed_searches_the_best_is_told():
    def away(k, b):
        return k + np.where(k > 0, 1.0, 3.0) * b

    starts = [[-0.5], [0.5], [-0.7]]
    ends = rg.fixed_points(away, starts, throw=False)
    assert [end.residual for end in ends] == [6.0, 2.0, 6.0]
    with pytest.raises(rg.NoFixedPointError, match=r"ended at \[0.5\].*residual 2,") as refused:
        rg.fixed_points(away, starts)
    assert refused.value.best.residual == 2


@pytest.mark.parametrize("bounds", [([2.0, 0.0], [4.0, 2.0]), ([0.0, 0.0], [2.0, 0.5]), ([0.0, -1.0], [0.5, 0.5])])
def test_a_point_beyond_any_bound_is_outside(bounds):
    """K* = (1, 1), which lies below, above, and on both sides of bounds of either coupling."""
    with pytest.raises(rg.NoFixedPointError) as refused:
        rg.fixed_points(lambda k, b: 1 + (k - 1) * b, [0.7, 0.7], bounds=bounds)
    assert refused.value.best.ending is rg.FixedPointEnd.OUTSIDE
    (inside,) = rg.fixed_points(lambda k, b: 1 + (k - 1) * b, [0.7, 0.7], bounds=([1.0, 0.0], [2.0, 1.0]))
    np.testing.assert_allclose(inside.couplings, 1)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_slope_of_one_is_marginal_though_differences_err_by_twice_their_last_correction(sign):
    """Differences of x + a x³ + c x⁵ err by c h⁴/4, and their last correction is a h²/4 + 5c h⁴/16: half of that."""
    h, c = STEP, 4e6
    a = -0.75 * c * h**2
    point = rg.FixedPoint("own", ("x",), np.zeros(1), lambda k, _: sign * (k + a * k**3 + c * k**5))
    flow = rg.exponents(point)
    assert flow.kinds == ("marginal",)
    assert sign * flow.eigenvalues[0] == pytest.approx(1 - c * h**4 / 4, abs=1e-9)
    assert flow.error[0] == pytest.approx(c * h**4 / 8 / np.log(2), rel=1e-3)


def test_errors_of_eigenvalues_are_at_most_those_of_elsner():
    """(‖A‖ + ‖A + E‖)^(1-1/n) ‖E‖^(1/n) with ‖A + E‖ up to ‖A‖ + ‖E‖, which a defective matrix needs."""
    np.testing.assert_allclose(eigenvalue_errors(1.0, [1.0, 0.5, 0.0], 3.0, 2.0, 2), [1, 2, 4], rtol=1e-15)


def test_steps_do_not_stay_at_an_end_of_their_bracket():
    """x⁵ = 1e-20 in (0, 1): halving alone takes 66 values, and steps shorter than the digits asked for as many."""
    values = []

    def function(x, which):  # noqa: ARG001 - one function
        values.append(x)
        return x**5 - 1e-20

    assert roots(function, np.zeros(1), np.ones(1))[0] == pytest.approx(1e-4, rel=1e-14)
    assert len(values) < 40


@pytest.mark.parametrize("scale", [10.0, 1.0, 1e-2, 1e-3, 1e-5, 1e-7, 1e-9, 1e-12])
def test_exponents_do_not_depend_on_the_unit_of_couplings(scale):
    """u → b²u/√(1 + (b⁴-1)u²/s²) is a semigroup, with y = 2 at 0 and y = -4 at s."""

    def flow(u, b):
        return b**2 * u / np.sqrt(1 + (b**4 - 1) * (u / scale) ** 2)

    for at, y in ((0.0, 2.0), (scale, -4.0)):
        exponents = rg.exponents(rg.FixedPoint("own", ("u",), np.array([at]), flow))
        assert exponents.y[0] == pytest.approx(y, abs=3 * exponents.error[0] + 1e-9)
        assert exponents.error[0] < 1e-4


@pytest.mark.parametrize("at", [0.0, 1.0])
@pytest.mark.parametrize("power", [0.02, 0.1, 0.3, 0.5, 0.8, 1.0, 1.1, 1.5, "logarithm"])
def test_errors_of_exponents_cover_maps_that_are_not_smooth(power, at):
    """2x + x|x|^p and 2x + x/ln(1/|x|) have the slope 2 at zero, to which differences tend as slowly as they like."""

    def flow(k, _):
        x = k - at
        size = np.maximum(np.abs(x), 1e-300)
        return at + 2 * x + x * (1 / np.log(1 / size) if power == "logarithm" else size**power)

    exponents = rg.exponents(rg.FixedPoint("own", ("x",), np.array([at]), flow))
    error = 2 * np.log(2) * exponents.error[0]  # of the eigenvalue
    assert abs(exponents.eigenvalues[0] - 2) <= 2 * error  # rounding near one adds its share
    assert error < (2.0 if power == 0.02 else 0.3)


@pytest.mark.parametrize("at", [0.0, 1.0])
def test_errors_of_exponents_cover_noise(at):
    """Of noise σ, slopes over the step h have errors of some 2σ/h; it seldom looks like a kink."""
    rng = np.random.default_rng(1)
    off = []
    for _ in range(200):
        point = rg.FixedPoint("own", ("x",), np.array([at]), lambda k, _: at + 2 * (k - at) + rng.normal(0, 1e-9, 1))
        with suppress(ValueError):
            exponents = rg.exponents(point)
            off.append(abs(exponents.y[0] - 1) / exponents.error[0])
    assert len(off) >= 190
    assert np.quantile(off, 0.9) < 2


def test_noise_that_bends_as_a_smooth_map_does_is_no_kink():
    """Over some step it bends as much as the map did over the longer one before."""
    refused = 0
    for seed in range(300):
        noise = np.random.default_rng(seed).standard_normal
        try:
            derivative(lambda k, noise=noise: 2 * k + k**2 + 1e-8 * noise(k.shape), np.zeros(1))
        except ValueError:
            refused += 1
    assert refused < 3


@pytest.mark.parametrize("bend", [1e-2, 1e-5])
def test_kinks_of_a_hundred_thousandth_are_seen(bend):
    with pytest.raises(ValueError, match=f"slopes on either side differ by {2 * bend:.3g}"):
        rg.exponents(rg.FixedPoint("own", ("K",), np.ones(1), lambda k, _: k + bend * np.abs(k - 1)))


def test_the_size_of_a_kink_is_that_before_steps_are_lost_to_rounding():
    """Numbers beside 30,000 are 3.6e-12 apart, and the shortest steps 6e-11 long."""
    point = rg.FixedPoint("own", ("K",), np.ones(1), lambda k, _: 3e4 + k + np.abs(k - 1))
    with pytest.raises(ValueError, match="slopes on either side differ by 2,"):
        rg.exponents(point)


@pytest.mark.parametrize("offset", [1e3, 1e6, 1e9, 1e10, 1e12])
def test_what_rounding_takes_from_a_slope_is_known(offset):
    """Values beside 1e9 are 1.2e-7 apart: over the shortest steps they do not move at all."""
    slope, error = derivative(lambda k: offset + 2 * (k - 1), np.ones(1))
    assert abs(slope - 2) <= error <= 2e-12 * offset


def test_a_map_without_a_value_at_its_point_has_no_derivative():
    with pytest.raises(ValueError, match="not finite within"):
        derivative(lambda k: np.where(k == 1, np.nan, k), np.ones(1))


@pytest.mark.parametrize("place", [1.0, 1e-4, 1e-12])
@pytest.mark.parametrize("power", [0.5, -1.5, 3.0])
def test_maps_that_end_close_to_small_couplings_have_their_slope(place, power):
    """K* (K/K*)^p has slope p, and no value at K < 0, which lies within 1e-3 of K*."""
    exponents = rg.exponents(rg.FixedPoint("own", ("K",), np.array([place]), lambda k, _: place * (k / place) ** power))
    assert abs(exponents.y[0] - np.log2(abs(power))) <= exponents.error[0] + 1e-13 < 1e-4


@pytest.mark.parametrize("apart", [0.0, 1e-7, 1e-4])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e5])
@pytest.mark.parametrize("bend", [-3.0, 0.2, 40.0])
def test_exponents_where_two_points_meet_know_how_far_their_point_is_off(bend, scale, apart):
    """k + a (k - 1)(k - 1 - δ) has slopes 1 ± aδ at its points; the double root of δ = 0 is marginal."""

    def step(k, _):
        u = k / scale - 1
        return k + scale * bend * u * (u - apart)

    point = rg.fixed_points(step, [1.2 * scale])[0]
    u = point.couplings[0] / scale - 1
    exponents = rg.exponents(point)
    error = abs(exponents.y[0] - np.log2(abs(1 + (bend if u > apart / 2 else -bend) * apart)))
    assert error <= 3 * exponents.error[0]
    if not apart:
        assert exponents.kinds == ("marginal",)
        assert exponents.nu is None


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_maps_in_fewer_digits_have_errors_of_their_own_rounding(kind):
    point = rg.FixedPoint("own", ("K",), np.ones(1), lambda k, b: (1 + b * (k - 1)).astype(kind))
    exponents = rg.exponents(point)
    assert exponents.error[0] < 6e3 * np.finfo(kind).eps
    assert exponents.y[0] == pytest.approx(1, abs=exponents.error[0])


def test_of_steps_that_all_err_the_best_is_taken():
    """Ripples of 1e-6, finer than all steps: over 1e-3 they are 1e-3 of a slope, and over shorter ones more."""
    slope, error = derivative(lambda k: 2 * k + 1e-6 * np.sin(1e12 * k), np.zeros(1))
    assert abs(slope - 2) < 1e-2
    assert abs(slope - 2) <= error < 0.3


@pytest.mark.parametrize("wrong", [np.zeros(1, dtype="m8[s]"), ["0.5"], [0.5j], [None], [np.nan]], ids=repr)
def test_couplings_of_a_fixed_point_are_numbers(wrong):
    with pytest.raises((TypeError, ValueError), match=r"^couplings (must be a real number|is NaN)"):
        rg.FixedPoint("own", ("x",), wrong, lambda k, _: k)


@pytest.mark.parametrize("place", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_errors_of_exponents_are_what_errors_of_a_skew_matrix_change(place):
    matrix, wrong = np.array([[2.0, 5.0], [0.0, 0.5]]), np.zeros((2, 2))
    wrong[place] = 1e-5
    point = rg.FixedPoint("own", ("x", "y"), np.zeros(2), lambda k, _: matrix @ k)
    changed = np.sort(np.abs(np.linalg.eigvals(matrix + wrong)))[::-1]
    shift = np.abs(np.log2(changed) - [1, -1])
    np.testing.assert_allclose(_exponents(point, 2, matrix, wrong).error, shift, rtol=1e-3, atol=1e-8)


def test_a_correction_that_vanishes_by_chance_settles_nothing():
    """Beside the step before, the slope of x + a x³ + c x⁵ has moved by more than 40."""
    h = STEP / 8
    c = 0.04 / h**4
    slope, error = derivative(lambda x: x - 1.25 * c * h**2 * x**3 + c * x**5, np.zeros(1))
    assert abs(slope - 1) < 1e-5
    assert error < 1e-5


def test_what_vanishes_in_one_step_has_no_error():
    point = rg.FixedPoint("own", ("x", "y"), np.zeros(2), lambda k, _: k, lambda _: np.diag([2.0, 0.0]))
    exponents = rg.exponents(point)
    assert (exponents.y.tolist(), exponents.error[1]) == ([1.0, -np.inf], 0.0)


@pytest.mark.parametrize("at", [0.0, 1.0])
@pytest.mark.parametrize("power", [0.2, 1 / 3, 0.5, 2 / 3, 0.85])
def test_a_cusp_has_no_derivative(at, power):
    """Central differences see none of it: both sides are alike."""
    point = rg.FixedPoint("own", ("K",), np.array([at]), lambda k, _: at + 2 * (k - at) + 0.3 * np.abs(k - at) ** power)
    with pytest.raises(ValueError, match="has a kink"):
        rg.exponents(point)


@pytest.mark.parametrize("bend", [1e6, 1e12, 1e15, 1e18])
def test_what_rounding_takes_beside_a_point_is_known(bend):
    """At its fixed point the map itself is zero, and rounds off nothing."""
    slope, error = derivative(lambda k: 2 * k + bend * k**2, np.zeros(1))
    assert abs(slope - 2) <= error <= 1e-2


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("slope", [1.7, 2.0, 3.0])
def test_values_of_low_precision_round_slopes_alike_at_every_step(kind, slope):
    point = rg.FixedPoint("own", ("k",), np.zeros(1), map=lambda k, _: (slope * k + 0.3 * k**2).astype(kind))
    exponents = rg.exponents(point)
    assert abs(exponents.y[0] - np.log2(slope)) <= exponents.error[0] <= 10 * np.finfo(kind).eps


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: rg.NoisyLayer("tanh", 1.0, 0.5).operator(like="x"), TypeError, "like = 'x' is no operator"),
        (
            lambda: rg.fixed_points(lambda k, b: k**b, [1.0], bounds=([1.0], [2.0, 3.0])),
            ValueError,
            "couplings, 1 each",
        ),
        (lambda: rg.fixed_points(lambda k, b: k**b, [1.0], bounds=([1.0],)), ValueError, "lowest and the highest"),
        (lambda: rg.RepeatedLayer("tanh").leading_form(coefficients=[10**400]), ValueError, "coefficients"),
        (lambda: rg.RepeatedLayer("tanh").leading_form(coefficients=["1", "0"]), TypeError, "coefficients"),
    ],
)
def test_what_a_search_cannot_take_is_named(call, error, said):
    with pytest.raises(error, match=said):
        call()


@pytest.mark.parametrize("given", [{"tolerance": 1e-3}, {"throw": False}])
def test_families_that_know_their_points_take_no_options_of_a_search(given):
    for family in (rg.BinaryLayer, rg.RandomLayer("tanh", 1.5)):
        with pytest.raises(TypeError, match="leave out start, names, bounds, tolerance, throw, which are for maps"):
            rg.fixed_points(family, **given)
