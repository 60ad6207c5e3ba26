"""Own activations that jump, bend or are narrow at places nobody stated, against closed forms and mpmath."""

import math
import pickle

import mpmath
import numpy as np
import pytest

from statnn import rg
from statnn.network import ACTIVATIONS, Activation
from statnn.rg._layers.quadrature import rule
from statnn.rg.wide._averages import averages
from statnn.rg.wide._phase_transition import _Curve, _End, _first


def signs(h):
    return np.where(h >= 0, 1.0, -1.0)


def step(h):
    return (h > 0.777) + 0.1 * h


def tenth(h):
    return np.full_like(h, 0.1)


def soft_shrink(h):
    return np.sign(h) * np.maximum(np.abs(h) - 0.5, 0)


def hard_shrink(h):
    return np.where(np.abs(h) < 0.5, 0, h)


def outside(h):
    return (np.abs(h) > 0.5) * 1.0


def beyond(a, b, c):
    """Return P(x > a, y > b) of normal numbers of correlation c."""
    other = lambda x: mpmath.npdf(x) * mpmath.ncdf((c * x - b) / mpmath.sqrt(1 - c * c))  # noqa: E731
    return mpmath.quad(other, [a, a + 0.5, a + 1, a + 2, a + 4, a + 9])


def test_a_sign_of_ones_own_is_the_sign():
    mine, known = averages(Activation("mine", signs, np.zeros_like)), averages(ACTIVATIONS["sign"])
    q, e = np.array([1e-4, 0.3, 40.0]), np.array([1e-6, 0.5, 1.9])
    np.testing.assert_allclose(np.array(mine.moments(q)), np.array(known.moments(q)), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(mine.pair_moments(e, q), known.pair_moments(e, q), rtol=1e-10)
    layer = rg.RandomLayer(Activation("mine", signs, np.zeros_like), 1.3, 0.3)
    place, other = layer.fixed_point(), rg.RandomLayer("sign", 1.3, 0.3).fixed_point()
    assert (place.phase, place.chi) == (rg.Phase.CHAOTIC, math.inf)
    assert place.correlation == pytest.approx(other.correlation, rel=1e-9)
    assert place.correlation_slope == pytest.approx(other.correlation_slope, rel=1e-9)
    assert rg.transition(layer.activation, 0.1).sigma_w == 0


@pytest.mark.parametrize(("q", "e"), [(1.0, 0.5), (0.05, 1.6), (6.0, 0.01)])
def test_a_jump_away_from_zero_is_a_delta_function_in_the_slope(q, e):
    """M = P(x > a) + 0.2 s φ(a/s) + 0.01 q; M' is its derivative, S that of G by e."""
    c, place = 1 - mpmath.mpf(e), mpmath.mpf("0.777")

    def square(v):
        s = mpmath.sqrt(v)
        return mpmath.ncdf(-place / s) + 0.2 * s * mpmath.npdf(place / s) + 0.01 * v

    def product(c):
        s = mpmath.sqrt(q)
        return beyond(place / s, place / s, c) + 0.2 * s * c * mpmath.npdf(place / s) + 0.01 * q * c

    of = averages(Activation("step", step, tenth))
    mean, curve, slope = (float(value[0]) for value in of.moments(np.array([q])))
    gap, both = (float(value[0]) for value in of.pair_moments(np.array([e]), np.array([q])))
    assert slope == math.inf
    assert mean == pytest.approx(float(square(q)), rel=1e-11)
    assert curve == pytest.approx(float(mpmath.diff(square, q)), rel=1e-9)
    assert gap == pytest.approx(float(square(q) - product(c)), rel=1e-9)
    assert both == pytest.approx(float(mpmath.diff(product, c) / q), rel=1e-9)


@pytest.mark.parametrize("kinks", [(), (-0.5, 0.5)])
@pytest.mark.parametrize(("q", "e"), [(1.0, 0.5), (6.0, 0.5)])
def test_a_kink_in_the_middle_of_a_panel_is_seen(kinks, q, e):
    of = averages(Activation("soft shrink", soft_shrink, outside, kinks=kinks))
    a = 0.5 / mpmath.sqrt(q)
    both = 2 * (beyond(a, a, 1 - mpmath.mpf(e)) + beyond(a, a, mpmath.mpf(e) - 1))
    assert of.pair_moments(np.array([e]), np.array([q]))[1][0] == pytest.approx(float(both), rel=1e-10)


@pytest.mark.parametrize("q", [0.3, 1.0, 7.0, 100.0])
def test_what_is_narrow_is_not_overlooked(q):
    """A bump of width 0.005, and a box of width 0.001 whose ends are stated."""
    low, high, width = 0.4501, 0.4511, 5e-3
    box = Activation("box", lambda h: ((h > low) & (h < high)) * 1.0, np.zeros_like, kinks=[low, high])
    inside = mpmath.ncdf(high / mpmath.sqrt(q)) - mpmath.ncdf(low / mpmath.sqrt(q))
    assert averages(box).moments(np.array([q])).square[0] == pytest.approx(float(inside), rel=1e-9)
    bump = Activation(
        "bump",
        lambda h: np.exp(-(((h - 0.37) / width) ** 2)),
        lambda h: -2 * (h - 0.37) / width**2 * np.exp(-(((h - 0.37) / width) ** 2)),
    )
    whole = q + width**2 / 4
    square = width / 2 / math.sqrt(whole) * math.exp(-(0.37**2) / (2 * whole))
    assert averages(bump).moments(np.array([q])).square[0] == pytest.approx(square, rel=1e-9)


def test_jumps_that_nobody_found_are_refused():
    """E hφ = q E φ' holds only for a function and its own derivative."""
    stairs = Activation("stairs", lambda h: np.floor(200 * h) / 200, np.zeros_like)
    with pytest.raises(ValueError, match=r"derivative of activation 'stairs' is not that of its function: .* kinks="):
        rg.RandomLayer(stairs, 1.3).fixed_point()
    late = Activation("late", np.arctan, lambda h: 1 / (1 + h * h) * np.where(np.abs(h - 9.4) < 0.2, 3, 1))
    assert rg.RandomLayer(late, 0.5).chi(0.1) == pytest.approx(rg.RandomLayer(Activation("a", np.arctan), 0.5).chi(0.1))
    with pytest.raises(ValueError, match="'late' is not that of its function"):
        rg.RandomLayer(late, 0.5).chi(100.0)


def test_places_travel():
    mine = Activation("hard shrink", hard_shrink, outside)
    assert [place for place, _ in mine.jumps] == pytest.approx([-0.5, 0.5], abs=1e-9)
    assert [by for _, by in mine.jumps] == pytest.approx([0.5, 0.5], abs=1e-9)
    again = pickle.loads(pickle.dumps(mine))  # noqa: S301 - our own bytes
    assert (again, again.breaks, again.jumps) == (mine, mine.breaks, mine.jumps)


@pytest.mark.parametrize(("function", "derivative"), [(hard_shrink, outside), (step, tenth)])
@pytest.mark.parametrize("w", [0.8, -0.8])
def test_noisy_layers_need_no_kinks_stated(function, derivative, w):
    kinks = [0.777] if function is step else [-0.5, 0.5]
    stated, left_out = Activation("a", function, derivative, kinks=kinks), Activation("a", function, derivative)
    with_kinks, without = (rg.NoisyLayer(sigma, w, 0.1, 0.3) for sigma in (stated, left_out))
    assert without.correlation_length() == pytest.approx(with_kinks.correlation_length(), rel=1e-8)
    assert without.stationary().mean == pytest.approx(with_kinks.stationary().mean, rel=1e-8)
    h = np.random.default_rng(0).normal(size=20_000)
    for _ in range(40):
        h = function(w * h + 0.1) + 0.3 * np.random.default_rng(_).normal(size=h.size)
    assert without.stationary().mean == pytest.approx(h.mean(), abs=6 * h.std() / math.sqrt(h.size))


def test_finer_rules_are_finer_on_every_panel():
    """If narrow panels kept their nodes, two rules would agree and both be wrong."""
    breaks = tuple(np.arange(-30, 31) * math.pi / 30)
    nodes = [rule(-4.0, 4.0, breaks, points)[0] for points in (32, 64, 128)]
    each = [np.diff(np.searchsorted(grid, breaks)) for grid in nodes]
    assert (each[1] > each[0]).all()
    assert (each[2] > each[1]).all()


def test_no_series_is_fitted_where_there_is_none():
    """M/q of the hard tanh is 1 - exp(-1/2q) at small q: no power of q is next."""
    hard = Activation("hard tanh", lambda h: np.clip(h, -1, 1), lambda h: (np.abs(h) < 1) * 1.0)
    with pytest.raises(ValueError, match=r"not a series of powers .* critical sigma_w = 1 there is no amplitude"):
        rg.criticality(hard)


def test_stairs_need_no_derivative_and_no_panels_for_the_rounding_of_their_plateaus():
    places = np.arange(-2.0, 4.0)
    stairs = Activation("stairs", lambda h: np.clip(np.floor(h), -3, 3), kinks=places)
    a, c = places / math.sqrt(10), 0.9
    above = [mpmath.ncdf(-place) for place in a]
    both = [9 - 6 * sum(above) + sum(beyond(x, y, c) for x in a for y in a)]
    both.append(9 - 6 * sum(above) + sum(mpmath.ncdf(-max(x, y)) for x in a for y in a))
    expected = [1.69 * mean + 0.04 for mean in both]
    layer = rg.RandomLayer(stairs, 1.3, 0.2)
    assert layer.variance_map(10.0) == pytest.approx(float(expected[1]), rel=1e-12)
    assert layer.correlation_map(c, 10.0) == pytest.approx(float(expected[0] / expected[1]), rel=1e-11)


def test_jumps_count_also_where_the_variance_has_no_bound():
    point = rg.RandomLayer(Activation("hard shrink", hard_shrink, outside, kinks=[-0.5, 0.5]), 1.3, 0.2).fixed_point()
    assert (point.phase, point.chi, point.correlation_slope) == (rg.Phase.UNBOUNDED, math.inf, math.inf)
    assert point.variance_slope == pytest.approx(1.69)


def test_a_bump_whose_square_is_below_all_floats_at_narrow_fields_is_no_wrong_derivative():
    bump = Activation("bump", lambda h: np.exp(-((h - 3) ** 2) / 0.02))
    assert rg.RandomLayer(bump, 1.3).variance_map([1e-4, 1e-3]) == pytest.approx([0, 0], abs=1e-300)
    assert rg.RandomLayer(bump, 1.3).fixed_point().variance == 0


@pytest.mark.parametrize(("sigma_b", "start"), [(0.0, 10.0), (0.1, 1e6)])
def test_how_order_ends_far_below_a_start_does_not_depend_on_the_units_of_fields(sigma_b, start):
    """x³/(1 + x⁴) of x = s h, over s: w(q) turns between σ_b² and the start, whatever the start."""

    def transition(s):
        return rg.transition(
            Activation(
                "peak",
                lambda h: (s * h) ** 3 / (1 + (s * h) ** 4) / s,
                lambda h: (3 * (s * h) ** 2 - (s * h) ** 6) / (1 + (s * h) ** 4) ** 2,
            ),
            sigma_b / s,
            start=start / s**2,
        )

    here, there = transition(1.0), transition(1e6)
    assert (there.kind, there.sigma_w) == (here.kind, pytest.approx(here.sigma_w, rel=1e-12))
    assert there.variance_above * 1e12 == pytest.approx(here.variance_above, rel=1e-9)
    assert rg.transition(there.activation, [there.sigma_b, 1.0], start=there.start).sigma_w[0] == there.sigma_w


def test_how_order_ends_at_one_bias_does_not_depend_on_others():
    x_sin = Activation("x sin x", lambda h: h * np.sin(h), lambda h: np.sin(h) + h * np.cos(h))
    sigma_b = np.array([0.335, 0.05, 0.2])
    together = rg.transition(x_sin, sigma_b, start=0.6)
    for i, b in enumerate(sigma_b):
        alone = rg.transition(x_sin, b, start=0.6)
        assert (together.kind[i], together.sigma_w[i]) == (alone.kind, pytest.approx(alone.sigma_w, rel=1e-12))
        ends = [(of.variance_below, of.variance_above, of.chi_below, of.chi_above) for of in (together, alone)]
        np.testing.assert_allclose([end[i] for end in ends[0]], ends[1], rtol=1e-9)


def test_an_edge_may_lie_between_the_last_point_and_the_jump():
    """χ is 0.9 at the last point of the curve that the start tends to, and 1.2 where the start leaves it."""
    curve = _Curve(0.0, np.array([0.1, 0.4, 9.0]), np.array([1.0, 2.0, 2.1]), np.array([0.3, 0.9, 5.0]), 2, -1.0)
    jump = _End(rg.TransitionKind.BASIN, 2.1, (1.2, 5.0), (0.5, 9.0))
    assert _first(averages(ACTIVATIONS["tanh"]), curve, [[0, 1], [2]], [jump]) == (0.4, 0.5)
