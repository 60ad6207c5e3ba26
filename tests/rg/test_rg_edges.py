"""Edges of the renormalisation room: signs, scales far from one, objects that travel, and messages."""

import math
import pickle
import re
from contextlib import nullcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from scipy import special

from statnn import rg
from statnn.io import load, save
from statnn.network import ACTIVATIONS, Activation
from statnn.rg._collapse import _Problem


@given(
    st.sampled_from(["tanh", "erf", "identity", "sign"]),
    st.floats(0.3, 3.0),
    st.floats(0.01, 10.0),
    st.integers(1, 20),
)
def test_opposite_inputs_stay_opposite(name, sigma_w, q, depth):
    """φ is odd and there is no bias; in chaos rounding grows with depth, but correlations stay in [-1, 1]."""
    layer = rg.RandomLayer(name, sigma_w)
    correlations = layer.propagate(q, -1.0, depth)[1]
    assert correlations[1] == pytest.approx(-1, abs=1e-14)
    assert (np.abs(correlations) <= 1).all()
    assert -1 <= layer.power(depth).correlation_map(-1.0, q) <= 1


@pytest.mark.parametrize(
    ("name", "sigma_w", "variance"),
    [
        ("sign", 1e7, 1e14),
        ("sign", 1e-10, 1e-20),
        ("sigmoid", 1e-10, 2.5e-21),  # φ(0)² = 1/4
        ("sigmoid", 1e-19, 2.5e-39),
        ("erf", 1e8, 1e16 * (1 - 2 / np.pi * 1e-8)),
        ("tanh", 0.5, 0.0),
    ],
)
def test_fixed_points_far_from_one(name, sigma_w, variance):
    point = rg.RandomLayer(name, sigma_w).fixed_point()
    assert point.variance == pytest.approx(variance, rel=1e-14, abs=0)
    assert point.outcome.name == "CONVERGED"


def test_signals_rest_at_any_depth(monkeypatch):
    layer, calls = rg.RandomLayer("tanh", 0.9, 0.3), []
    maps = rg.RandomLayer.correlation_map
    monkeypatch.setattr(rg.RandomLayer, "correlation_map", lambda *given: calls.append(1) or maps(*given))
    variance, correlation = layer.propagate(1.0, 0.3, 10**6)
    assert variance.shape == correlation.shape == (10**6 + 1,)
    assert len(calls) < 1000
    point = layer.fixed_point()
    assert [variance[-1], correlation[-1]] == pytest.approx([point.variance, point.correlation], rel=1e-14)
    assert np.array_equal(variance[:31], layer.propagate(1.0, 0.3, 30)[0])


def test_a_variance_that_underflows_says_where():
    for layer, depth in ((rg.RandomLayer("relu", 1.0), 1200), (rg.RandomLayer("tanh", 0.5), 600)):
        with pytest.raises(ValueError, match="the variance is 0") as raised:
            layer.propagate(1.0, 0.3, depth)
        last = int(re.search(r"after (\d+) layers", str(raised.value)).group(1))
        assert layer.propagate(1.0, 0.3, last - 1)[0][-1] > 0
    with pytest.raises(ValueError, match="sigma_w = sigma_b = 0: the next layer has no variance"):
        rg.RandomLayer("tanh", 0.0).correlation_map(0.5, 1.0)


@pytest.mark.parametrize("sigma_b", [[0.1, 0.3], [0.1, 2000.0], [0.0, 0.1], [0.2]])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_diagrams_of_all_activations_are_drawn_with_the_rows_that_have_a_line(name, sigma_b):
    ax = rg.phase_diagram(name, [0.5, 1.5], sigma_b).plot(Figure().add_subplot())
    ax.figure.draw_without_rendering()
    rows = {at for line in ax.lines for at in line.get_ydata()[np.isfinite(line.get_xdata())]}
    assert rows >= set(sigma_b) if name != "sign" else not rows


@pytest.mark.parametrize(
    ("layer", "start", "points"),
    [
        (rg.LinearLayer(-0.9, 0.0, 0.1), -0.9, 7),
        (rg.LinearLayer(1.2, 0.0, 0.1), 1.2, 2),
        (rg.LinearLayer(3.0, 0.0, 0.1), 3.0, 1),
        (rg.BinaryLayer([[-0.7]], 0.1), np.tanh(-0.7), 7),
    ],
)
def test_flows_are_drawn_inside_their_axes(layer, start, points):
    ax = rg.flow(layer, 6).plot(Figure().add_subplot())
    (low, high), (x, y) = ax.get_xlim(), ax.lines[-1].get_data()
    assert (x[0], len(x)) == (pytest.approx(start), points)
    assert low < x.min() <= x.max() < high
    assert ax.get_ylim()[0] < y.min() <= y.max() < ax.get_ylim()[1]


def test_fixed_points_of_random_layers_travel():
    layer = rg.RandomLayer("tanh", 1.5)
    for point in rg.fixed_points(layer):
        again = pickle.loads(pickle.dumps(point))  # noqa: S301 - our own
        assert np.array_equal(again.linear(3), point.linear(3))
        assert np.array_equal(again.couplings, point.couplings)
    assert np.allclose(again.map(again.couplings, 2), again.couplings, atol=1e-12)


def test_the_fixed_point_of_functions_travels(tmp_path):
    (point,) = rg.fixed_points(rg.FixedFunction(4, 0.5))
    save(point, tmp_path / "point.npz")
    for again in (pickle.loads(pickle.dumps(point)), load(tmp_path / "point.npz")):  # noqa: S301 - our own
        assert again == point
        assert rg.exponents(again, 3).y.tolist() == pytest.approx([5 / 3, 4 / 3, 1, 2 / 3])
        assert again.map(np.ones(4), 8).tolist() == pytest.approx([16, 8, 4, 32])


@pytest.mark.parametrize("m", [1, 2, 3, 6, 11])
def test_powers_of_a_stack_are_its_repeats(m):
    first, second = rg.RandomLayer("tanh", 1.2, 0.1), rg.RandomLayer("relu", 1.4)
    both = first.compose(second)
    power, q = both.power(m), 0.7
    for _ in range(m):
        q = second.variance_map(first.variance_map(q))
    assert (power.layers, power.counts) == ((first, second) * m, (1, 1) * m)
    assert power.variance_map(0.7) == pytest.approx(q, rel=1e-13)


def test_equal_layers_in_a_row_are_one_run():
    layer = rg.RandomLayer("tanh", 1.5, 0.1)
    assert layer.power(3).compose(layer.power(4)) == layer.power(7)


def test_linear_layers_keep_correlations_and_change_the_variance():
    """What layers above make of the correlation depends on the variance that comes up to them."""
    line, above = rg.RandomLayer("identity", 1.5), rg.RandomLayer("tanh", 1.2, 0.1)
    stack = line.power(4).compose(above)
    assert stack.correlation_map(0.3, 0.5) == pytest.approx(above.correlation_map(0.3, 0.5 * 1.5**8), rel=1e-12)


POWERS = {
    "h + h⁹": (lambda h: h + h**9, lambda h: 1 + 9 * h**8, 4, 2 * 945),
    "h/(1 + h⁴)": (lambda h: h / (1 + h**4), lambda h: (1 - 3 * h**4) / (1 + h**4) ** 2, 2, -30),
    "arsinh": (np.arcsinh, lambda h: 1 / np.sqrt(1 + h * h), 1, -1),
    "h + sin(h)/1000": (lambda h: h + np.sin(h) / 1000, lambda h: 1 + np.cos(h) / 1000, 1, -1 / 1001),
}
"""Functions whose variance maps have a series, with its first power and coefficient, from E h^{2n} = (2n-1)!! qⁿ."""


@pytest.mark.parametrize("name", POWERS)
def test_the_first_term_is_found_whatever_its_power_and_its_size(name):
    function, derivative, power, coefficient = POWERS[name]
    edge = rg.criticality(Activation(name, function, derivative))
    assert edge.sigma_w == pytest.approx(1 / derivative(0.0), rel=1e-12)
    assert (edge.power, edge.coefficient) == (power, pytest.approx(coefficient, rel=1e-8))


def test_a_series_that_diverges_too_early_is_refused():
    def slope(h):
        return (1 - 7 * h**8) / (1 + h**8) ** 2

    with pytest.raises(ValueError, match="not a series of powers"):
        rg.criticality(Activation("h/(1 + h⁸)", lambda h: h / (1 + h**8), slope))


@pytest.mark.parametrize(("name", "critical"), [("relu", 2**0.5), ("identity", 1.0)])
def test_lines_are_critical_at_one_weight_alone(name, critical):
    outcomes = [rg.RandomLayer(name, critical * (1 + off)).fixed_point(3.0) for off in (-1e-9, 0.0, 1e-9)]
    assert [(point.outcome.name, point.variance) for point in outcomes] == [
        ("CONVERGED", 0.0), ("INVARIANT", 3.0), ("UNBOUNDED", np.inf),
    ]  # fmt: skip


def test_half_a_layer_has_no_law_of_decay():
    edge = rg.criticality("tanh")
    assert edge.variance(1) == edge.amplitude
    with pytest.raises(ValueError, match=r"m = 0\.5 must be at least 1"):
        edge.variance(0.5)


def test_signals_at_the_fixed_point_stay():
    layer = rg.RepeatedLayer("tanh")
    assert layer.signal(0.0, 10**15) == 0.0
    with pytest.raises(ValueError, match="exceed the range of float64"):
        rg.RepeatedLayer("identity", 1e300)(1e300)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: rg.fixed_points(rg.RandomLayer), TypeError, r"pass a layer, RandomLayer\("),
        (lambda: rg.fixed_points(rg.RepeatedLayer), TypeError, r"signals, layer.rest_points\(\)"),
        (lambda: rg.fixed_points(rg.RepeatedLayer("tanh")), TypeError, r"signals, layer.rest_points\(\)"),
        (lambda: rg.flow(rg.LinearLayer, 3), TypeError, "layer is the class LinearLayer"),
        (lambda: rg.RepeatedLayer("tanh").signal([0.5, 0.6], 3), TypeError, r"start = .* is not one number"),
        (lambda: rg.RepeatedLayer("tanh").layers("a", 1.0), TypeError, "start must hold real numbers"),
        (lambda: rg.RandomLayer("relu", 1e160), ValueError, r"above 1e\+150 squares overflow"),
        (lambda: rg.RandomLayer("tanh", 1.0).correlation_map(1.0000001, 1.0), ValueError, "c = 1.0000001 is above 1"),
    ],
)
def test_messages_name_the_cause(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_axes_may_be_an_array():
    spins = np.ones((1, 4, 6), np.int8)
    assert rg.block_spins(spins, 2, axes=np.array([1, 2])).shape == (1, 2, 3)


@pytest.mark.parametrize(
    ("name", "slope"),
    [("sin", 1.0), ("tanh", 1.0), ("erf", 2 / np.sqrt(np.pi)), (Activation("own sin", np.sin, np.cos), 1.0)],
)
def test_variances_die_out_at_the_edge_without_bias(name, slope):
    """V(q) = q - a q² + ...: q* is 0, signals approach it ever more slowly, and rounding near it is no fixed point."""
    point = rg.RandomLayer(name, 1 / slope).fixed_point()
    assert (point.variance, point.phase.value) == (0.0, "critical")
    assert point.xi_variance > 4e15


@pytest.mark.parametrize("name", ["tanh", "erf", "sin"])
def test_chaos_of_odd_activations_without_bias_forgets_all_correlations(name):
    """φ is odd: without correlation before a layer there is none behind it."""
    for sigma_w in np.linspace(1.1, 9, 20):
        assert rg.RandomLayer(name, sigma_w).fixed_point().correlation == 0.0


@pytest.mark.parametrize("sigma_b", [0.0, 1e-9, 1e-4])
@pytest.mark.parametrize("name", ["gelu", "gelu tanh", "silu"])
def test_rounding_far_out_is_no_fixed_point(name, sigma_b):
    """At σ_w² = 2 large variances shrink ever less, as E φ² - q/2 falls like 1/√q, and soon by less than rounding."""
    branches = rg.RandomLayer(name, np.sqrt(2), sigma_b).branches()
    here = 2 * sigma_b**2  # 2 E φ² = q/2 at small q
    assert [point.variance for point in branches] == pytest.approx([here], rel=1e-6, abs=0)


def test_growth_far_out_that_is_below_rounding_has_no_fixed_point():
    """At σ_w² = 2 large variances of softplus grow by less than rounding."""
    assert rg.RandomLayer("softplus", np.sqrt(2), 1e-3).branches() == ()


@pytest.mark.parametrize("c", [5.0, -2.0, np.nan, None, "a", [0.1, 0.2]], ids=repr)
def test_what_is_no_correlation_starts_no_signals_at_any_depth(c):
    """Refused even where signals pass no layer."""
    layer = rg.RandomLayer("tanh", 1.5, 0.1)
    for call in (
        lambda: layer.propagate(1.0, c, 0),
        lambda: layer.power(2).trajectory(1.0, c, 1),
        lambda: layer.simulate(8, 0, c=c, replicas=2),
    ):
        with pytest.raises((TypeError, ValueError), match=r"^c .*correlation"):
            call()


def test_noise_has_no_kicks_where_rounding_makes_its_covariance_negative():
    layer = rg.LinearLayer(np.zeros((2, 2)), 0.0, [[1.0, 1 + 1e-13], [1 + 1e-13, 1.0]])
    first, second = layer.simulate([0.0, 0.0], 50, rng=1).T
    np.testing.assert_allclose(first, second, rtol=0, atol=1e-12)
    assert np.ptp(first) > 1


@pytest.mark.parametrize("unit", [2.0**-100, 1.0, 2.0**100])
@pytest.mark.parametrize(
    ("more", "other", "words"),
    [(1e-9, 0.0, "not symmetric"), (1e-9, 1e-9, "below zero"), (1e-14, 0.0, None), (1e-14, 1e-14, None)],
)
def test_what_is_a_covariance_does_not_depend_on_the_unit(more, other, words, unit):
    covariance = unit * np.array([[1.0, 1 + more], [1 + other, 1.0]])
    with pytest.raises(ValueError, match=words) if words else nullcontext():
        rg.LinearLayer(np.eye(2), 0.0, covariance)


def test_columns_that_follow_from_others_leave_what_these_leave():
    ones, x, values = np.ones(6), np.arange(6.0), np.array([1.0, 3.0, 2.0, 5.0, 4.0, 7.0])
    problem = _Problem(x[None], x, values, np.full(6, 0.5), ((0,),))
    left = values - np.polynomial.Polynomial.fit(x, values, 1)(x)
    np.testing.assert_allclose(problem.rest(np.stack([ones, x, x, ones + x], axis=1), values), left / 0.5, atol=1e-13)


@pytest.mark.parametrize("q", [0.1, 3.0])
def test_equal_inputs_of_any_variance_stay_equal_in_simulated_networks(q):
    run = rg.RandomLayer("tanh", 1.5, 0.3).simulate(8, 2, replicas=3, q=q, c=1.0, rng=0)
    for other in (run.variance[..., 1], run.covariance):
        np.testing.assert_allclose(run.variance[..., 0], other, rtol=1e-7)


def test_residuals_of_fixed_points_are_in_units_of_couplings():
    """k → c k^(1/3) rests at c^(3/2), where rounding alone moves it by more than 1e-6 in places."""
    points = [rg.fixed_points(lambda k, _, c=c: c * np.cbrt(k), [c**1.5])[0] for c in 1e7 * np.arange(1.1, 9.0)]
    assert all(point.exists and point.residual < 1e-15 for point in points)
    assert any(abs(point.map(point.couplings, 2) - point.couplings) > 1e-6 for point in points)


@pytest.mark.parametrize("extent", [1.0, 10.0, 1e2, 1e4, 1e20, 1e103, 1e150, 1e308])
@pytest.mark.parametrize("nodes", [8, 48, 512])
def test_composition_on_polynomials_is_right_or_refused_however_far(nodes, extent):
    """Within a hundredth of the signal that enters; reference: the layers one after the other."""
    layer = rg.RepeatedLayer("tanh")
    try:
        steps = rg.renormalise(layer, 3, extent=extent, nodes=nodes)
    except ValueError as error:
        assert f"extent = {extent:g} is too far for {nodes} nodes" in str(error)  # noqa: PT017
        assert extent > {8: 1, 48: 10, 512: 100}[nodes]
        return
    x = extent * np.linspace(0, 1, 33)
    for times, step in enumerate(steps):
        scale = 2 ** (times / 2)
        np.testing.assert_array_less(np.abs(step(x) - scale * layer.iterate(x / scale, 2**times)), 0.01 * x + 1e-300)
        assert step.distance() < extent


def test_what_is_no_layer_is_not_renormalised():
    for other in ("tanh", None, rg.FixedFunction(3, 1.0), rg.RandomLayer("tanh", 1.0)):
        with pytest.raises(TypeError, match=r"layer is a .*; pass a RepeatedLayer"):
            rg.renormalise(other)


def of_power(s):
    """Return sign(h) |h|^s, and its E φ'² at variance q as a function of q."""

    def slope(h):
        return s * np.abs(np.where(h == 0, 1e-300, h)) ** (s - 1)

    factor = s**2 * 2 ** (s - 1) * special.gamma(s - 0.5) / math.sqrt(math.pi)
    return Activation("power", lambda h: np.sign(h) * np.abs(h) ** s, slope), lambda q: factor * q ** (s - 1)


@pytest.mark.parametrize("power", [0.75, 0.8, 0.9, 1.2, 1.5])
def test_slopes_that_are_infinite_at_a_field(power):
    """E φ'² = s² 2^(s-1) Γ(s - 1/2)/√π q^(s-1): the panels beside 0 do not meet the tolerance for s = 0.8."""
    activation, square = of_power(power)
    assert rg.RandomLayer(activation, 1.0).chi(0.7) == pytest.approx(square(0.7), rel=1e-8)


@pytest.mark.parametrize("power", [0.6, 0.7])
def test_slopes_too_steep_for_panels_are_refused(power):
    """The panels that are left beside 0 carry 6e-5 of the average for s = 0.6."""
    with pytest.raises(ValueError, match="does not converge"):
        rg.RandomLayer(of_power(power)[0], 1.0).chi(0.7)


def test_what_lies_beyond_computed_averages_is_not_guessed():
    """φ = exp(h²/100): E φ² = (1 - q/25)^(-1/2), whose curve folds at q = 50/3, but overflows on the way there."""
    bell = Activation("bell", lambda h: np.exp(h * h / 100), lambda h: h / 50 * np.exp(h * h / 100))
    for act in (lambda: rg.transition(bell, 0.1), lambda: rg.RandomLayer(bell, 4.0).fixed_point()):
        with pytest.raises(ValueError, match="up to the variance 10, where E φ²/q has not settled"):
            act()
    assert rg.RandomLayer(bell, 1.0).fixed_point().variance == pytest.approx(1.0210690102626498)
    narrow = Activation("narrow", lambda h: np.exp(h * h), lambda h: 2 * h * np.exp(h * h))
    with pytest.raises(ValueError, match=r"can be computed up to 0\.1"):  # E φ² = (1 - 4q)^(-1/2)
        rg.transition(narrow, 0.1)
    logarithm = Activation("logarithm", lambda h: np.log(np.abs(h)), lambda h: 1 / h)
    with pytest.raises(ValueError, match="not finite at the field 0"):
        rg.transition(logarithm, 0.1)


@pytest.mark.parametrize("derivative", [None, lambda h: 2 * h])
def test_a_layer_without_fixed_points_has_no_branches(derivative):
    """φ = h²: q = σ_b² + 3σ_w² q² has none for 12 σ_w² σ_b² > 1."""
    assert rg.RandomLayer(Activation("square", np.square, derivative), 1.0, 1.0).branches() == ()


@pytest.mark.parametrize("c", [0.09, -1e-3, 1e-8, 1e-16, -1e-100])
def test_small_correlations_of_odd_activations_keep_their_digits(c):
    """asin laws of erf and sign, which 1 - G/M would drown in rounding."""
    erf = math.asin(1.4 * c / 2.4) / math.asin(1.4 / 2.4)
    assert rg.RandomLayer("erf", 1.3).correlation_map(c, 0.7) == pytest.approx(erf, rel=1e-13, abs=0)
    sign = 2 / math.pi * math.asin(c)
    assert rg.RandomLayer("sign", 1.3).correlation_map(c, 0.7) == pytest.approx(sign, rel=1e-13, abs=0)
