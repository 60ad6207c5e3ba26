"""How order ends in wide random layers: edges, folds, basins and growth against mpmath and closed forms."""

import math
import pickle
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from scipy import special

from statnn import rg
from statnn.network import ACTIVATIONS, Activation, leaky_relu
from statnn.rg import TransitionKind as Kind
from statnn.rg.wide._averages import _Own, averages
from statnn.rg.wide._phase_transition import _passed
from statnn.rg.wide._solve import _reached

GELU = Activation(
    "gelu",
    lambda h: h * special.ndtr(h),
    lambda h: special.ndtr(h) + h * np.exp(-h * h / 2) / math.sqrt(2 * math.pi),
)
X_SIN = Activation("x sin x", lambda h: h * np.sin(h), lambda h: np.sin(h) + h * np.cos(h))
COS = Activation("cos", np.cos, lambda h: -np.sin(h))
BUMP = Activation("bump", lambda h: np.exp(-h * h), lambda h: -2 * h * np.exp(-h * h))
CUBE = Activation("cube", lambda h: h**3, lambda h: 3 * h * h)
CONSTANT = Activation("constant", np.ones_like, np.zeros_like)
SOFTPLUS = Activation("softplus", lambda h: np.logaddexp(0, h), special.expit)
OWN_RELU = Activation("own relu", lambda h: np.maximum(h, 0), lambda h: (h > 0) * 1.0)


def seen(transition):
    names = "sigma_w", "chi_below", "chi_above", "variance_below", "variance_above"
    return [getattr(transition, name) for name in names]


# -- points ----------------------------------------------------------------------------------------------

GELU_POINTS = [  # from averages, turning points and roots by mpmath at 25 digits
    (0.1, 1e-3, Kind.FOLD, 1.759111594338709, 0.9313701264808227, 1.5472368006684364, 0.09542491498437767, math.inf),
    (0.1, 1.0, Kind.BASIN, 1.525843523410130, 0.6181402179078534, 1.1640992289663196, 0.02559767708895521, math.inf),
    (
        0.4,
        1.0,
        Kind.FOLD,
        1.412698199356098,
        0.9696421219176269,
        1.0123776431873263,
        1.813379432410294,
        50.78636123309866,
    ),
    (0.42, 1.0, Kind.EDGE, 1.407511541027190, 1.0, 1.0, 3.672380857033189, 3.672380857033189),
    (0.5, 1.0, Kind.EDGE, 1.399868216405820, 1.0, 1.0, 6.434102486686253, 6.434102486686253),
]


@pytest.mark.parametrize("point", GELU_POINTS, ids=str)
def test_gelu_ends_as_mpmath_says(point):
    sigma_b, start, kind, *expected = point
    transition = rg.transition(GELU, sigma_b, start=start)
    assert transition.kind is kind
    np.testing.assert_allclose(seen(transition), expected, rtol=1e-9)


HALF_STABLE = [  # σ_b², σ_w², q* where dq'/dq = χ = 1 (Roberts, Yaida & Hanin 2022), and the fold beside, by mpmath
    ("gelu", 0.17292239, 1.98305826, 0.17292239, 1.9830627352704776, 0.9960794258487618, 3.1955868715371236),
    ("silu", 0.55514317, 1.98800468, 0.5551, 1.9880109774548984, 0.9995871413193614, 14.085115743307588),
]


@pytest.mark.parametrize("point", HALF_STABLE, ids=str)
def test_folds_are_seen_where_the_curve_dips_by_a_millionth(point):
    """Beside a half-stable critical point w(q) turns twice within a tenth of a decade."""
    name, published_b, published_w, b, w, chi, q = point
    transition = rg.transition(name, math.sqrt(b))
    assert (transition.kind, transition.sigma_w**2) == (Kind.FOLD, pytest.approx(w, rel=1e-13))
    assert (transition.variance_below, transition.chi_below) == pytest.approx((q, chi), rel=1e-9)
    edge = rg.critical_line(name, math.sqrt(published_b) * 1.001)
    assert edge**2 == pytest.approx(published_w, rel=2e-4)


@pytest.mark.parametrize(
    ("weight", "points"),
    [
        (1.98306, [3.065769252157490, 3.397869133191910, 3.696058625200441]),
        (1.9830627, [3.178778220066743, 3.213133284871576, 3.770280886433495]),
    ],
)
def test_three_fixed_points_close_together_are_told_apart(weight, points):
    """GELU at the σ_b of its half-stable point, by mpmath: a start ends at the first that it meets."""
    layer = rg.RandomLayer("gelu", math.sqrt(weight), math.sqrt(0.17292239))
    branches = [point.variance for point in layer.branches()]
    ends = [layer.fixed_point(start).variance for start in (1.0, 100.0)]
    assert (branches, ends) == (pytest.approx(points, rel=1e-9), pytest.approx(points[::2], rel=1e-9))


@pytest.mark.parametrize(("name", "slope"), [("tanh", 1.0), ("gelu", 0.5), ("silu", 0.5)])
def test_the_smallest_of_starts_sees_the_edge_at_zero(name, slope):
    """χ = (σ_w φ'(0))² = 1 at q = 0: w(q) is flat to rounding up to there, and has no dips that part it from zero."""
    transition = rg.transition(name, 0.0, start=1e-12)
    assert (transition.kind, transition.sigma_w, transition.variance_below) == (
        Kind.EDGE,
        pytest.approx(1 / slope, rel=1e-15),
        0.0,
    )


def test_gelu_is_critical_at_no_point_that_repels():
    """At σ_b = 0.1, σ_w = 1.727 the repelling point has χ = 1; there is no edge up to σ_b = 0.40."""
    unstable = rg.RandomLayer(GELU, 1.727078275308699, 0.1).branches()[-1]
    assert unstable.outcome.name == "REPELLING"
    assert unstable.chi == pytest.approx(1, abs=1e-9)
    transition = rg.transition(GELU, [0.0, 0.1, 0.2, 0.3, 0.4])
    assert not (transition.kind == Kind.EDGE).any()
    assert transition.sigma_w[3] != pytest.approx(1.4505, abs=1e-2)
    with pytest.raises(rg.NoCriticalLineError, match=r"gelu has no edge of chaos at sigma_b = 0\.1 .* end of a basin"):
        rg.critical_line(GELU, [0.5, 0.1])


def test_x_sin_x_in_closed_form():
    """M = (q - (q - 4q²) e^{-2q})/2: without bias w(q) turns at q = 3/4, where a pair is born below the start."""
    transition = rg.transition(X_SIN, 0.0)
    q, w = 0.75, 2 / (1 + 2 * math.exp(-1.5))
    square = (1 - math.exp(-1.5)) / 2 + 2 * q * math.exp(-1.5) + q / 2 + (q - 4 * q * q) * math.exp(-1.5) / 2
    assert transition.kind is Kind.BASIN
    np.testing.assert_allclose(seen(transition), [math.sqrt(w), 0, w * square, 0, q], rtol=1e-7, atol=1e-300)
    small = rg.transition(X_SIN, 0.0, start=1e-3)  # leaves q = 0 once the point that repels passes it, for ever
    assert (small.kind, small.variance_above, small.chi_above) == (Kind.BASIN, math.inf, math.inf)
    passed = 1e-3 / ((1e-3 - (1e-3 - 4e-6) * math.exp(-2e-3)) / 2)
    assert small.sigma_w == pytest.approx(math.sqrt(passed), rel=1e-9)


def test_order_goes_on_where_a_fold_leads_to_order():
    """x sin x at σ_b = 0.335: w(q) turns, yet χ < 1 where the jump lands; the edge comes later."""
    q, b = np.linspace(0.12, 0.7, 4000), 0.335**2
    tail = np.exp(-2 * q)
    mean = (q - (q - 4 * q * q) * tail) / 2
    square = (1 - tail) / 2 + 2 * q * tail + q / 2 + (q - 4 * q * q) * tail / 2
    w = (q - b) / mean
    top = int(np.argmax(np.diff(w) < 0))
    landed = top + 1 + int(np.argmax(w[top + 1 :] > w[top]))
    assert landed - top > 50
    assert (w * square)[landed] < 1
    edge = landed + int(np.argmax((w * square)[landed:] > 1))
    transition = rg.transition(X_SIN, 0.335, start=1e-3)
    assert transition.kind is Kind.EDGE
    assert transition.variance_below == pytest.approx(q[edge], abs=2e-4)
    assert transition.sigma_w > math.sqrt(w[top])


def test_edges_in_closed_form():
    q = 1.1996786402577338  # q tanh q = 1
    transition = rg.transition(COS, 0.0)
    assert transition.kind is Kind.EDGE
    assert transition.variance_below == pytest.approx(q, rel=1e-10)
    assert transition.sigma_w == pytest.approx(math.sqrt(2 / (1 - math.exp(-2 * q))), rel=1e-10)
    q = (1 + math.sqrt(2)) / 2  # of exp(-h²): 4q²/(1+4q) = 1
    assert rg.critical_line(BUMP, 0.0) == pytest.approx(math.sqrt(q * math.sqrt(1 + 4 * q)), rel=1e-10)
    cube = rg.transition(CUBE, [1.0, 3.0, 2.0])  # (q - b)/(15 q³) turns at q = 3b/2, χ = 9/5 (1 - b/q)
    assert (cube.kind == Kind.FOLD).all()
    np.testing.assert_allclose(cube.variance_below, [1.5, 13.5, 6.0], rtol=1e-9)
    np.testing.assert_allclose(
        cube.sigma_w**2, [0.5 / (15 * 1.5**3), 4.5 / (15 * 13.5**3), 2 / (15 * 6**3)], rtol=1e-10
    )
    np.testing.assert_allclose(cube.chi_below, 0.6, rtol=1e-9)
    assert (cube.chi_above == math.inf).all()


@pytest.mark.parametrize("activation", ["relu", OWN_RELU], ids=str)
def test_relu_is_critical_without_bias_only(activation):
    """With biases its variance has no bound at σ_w² = 2, though χ → 1 from both sides."""
    assert rg.critical_line(activation, 0.0) == pytest.approx(math.sqrt(2), rel=1e-14)
    transition = rg.transition(activation, [0.0, 0.5, 2.0])
    assert transition.kind.tolist() == [Kind.EDGE, Kind.UNBOUNDED, Kind.UNBOUNDED]
    np.testing.assert_allclose(transition.sigma_w, math.sqrt(2), rtol=1e-10)
    np.testing.assert_allclose([transition.chi_below, transition.chi_above], 1, rtol=1e-10)
    assert transition.variance_below.tolist() == [0.0, math.inf, math.inf]
    assert np.isinf(transition.variance_above).all()


@given(st.floats(-2, 2), st.floats(0.1, 2), st.floats(1e-6, 1e6), st.floats(0.0, 1.0))
def test_law_own_functions_of_two_lines_keep_all_scales(below, above, start, e):
    """Every variance is kept at σ_w² (a² + b²)/2 = 1, whatever the start; and pairs are as in closed form."""
    own = Activation("lines", lambda h: np.where(h > 0, above * h, below * h), lambda h: np.where(h > 0, above, below))
    share = (above**2 + below**2) / 2
    assert rg.transition(own, 0.0, start=start).sigma_w == pytest.approx(share**-0.5, rel=1e-15)
    kept = rg.RandomLayer(own, (1 / share) ** 0.5, 0.0).fixed_point(start)
    assert abs(kept.chi - 1) < 1e-15
    assert (kept.outcome.name, kept.variance) in {("INVARIANT", start), ("UNBOUNDED", math.inf), ("CONVERGED", 0.0)}
    biased = rg.RandomLayer(own, (0.5 / share) ** 0.5, 0.3).fixed_point(start)
    assert biased.variance == pytest.approx(0.18, rel=1e-14)
    scaled, known = averages(own), averages(leaky_relu(below / above))
    at = np.array([e]), np.array([2.0])
    np.testing.assert_allclose(
        scaled.pair_moments(*at), above**2 * np.array(known.pair_moments(*at)), rtol=1e-12, atol=1e-322
    )


def test_functions_that_keep_some_scales_are_no_lines():
    """Periodic in the logarithm of the field, cut far out, and curved at zero."""
    for function in (
        lambda h: h * (2 + np.sin(2 * math.pi * np.log2(np.abs(h) + 1e-300))),
        lambda h: np.clip(h, -1e12, 1e12),
        lambda h: h * np.abs(h) / (np.abs(h) + 1e-9),
    ):
        assert _Own(SimpleNamespace(name="bent", function=function), np.empty(0)).lines() is None


def test_softplus_grows_without_bound_and_constants_and_sign_have_no_end():
    transition = rg.transition(SOFTPLUS, [0.0, 1.0])
    assert (transition.kind == Kind.UNBOUNDED).all()
    np.testing.assert_allclose(transition.sigma_w, math.sqrt(2), rtol=1e-9)
    ordered, chaotic = rg.transition(CONSTANT, 0.3), rg.transition("sign", 0.3)
    assert ordered.kind is chaotic.kind is Kind.NONE
    assert (ordered.sigma_w, ordered.chi_above) == (math.inf, 0.0)
    assert seen(chaotic) == [0.0, 0.0, math.inf, 0.09, 0.09]
    nothing = Activation("nothing", np.zeros_like, np.zeros_like)
    assert seen(rg.transition(nothing, 0.3)) == [math.inf, 0.0, 0.0, 0.09, 0.09]


@given(
    st.sampled_from(
        [GELU, BUMP, CUBE, SOFTPLUS, OWN_RELU, *(ACTIVATIONS[name] for name in ("tanh", "erf", "sigmoid", "relu"))]
    ),
    st.sampled_from([0.0, 0.05, 0.2, 0.35, 0.4, 0.45, 0.8, 2.0]),
    st.floats(1e-4, 10),
)
@example(GELU, 0.0, math.nextafter(10.0, 0.0))  # beside a point of the grid, w seemed flat between the two
@settings(max_examples=40)
def test_law_order_ends_where_the_solver_says(activation, sigma_b, start):
    """Below, every start runs into χ < 1; on either side signals end where the transition says."""
    transition, of = rg.transition(activation, sigma_b, start=start), averages(activation)
    weights = transition.sigma_w**2 * np.append(np.linspace(0.05, 0.999, 12), [1 - 1e-7, 1 + 1e-7])
    q = _reached(of, weights, np.full(weights.size, sigma_b**2), start, 1e-15)
    assert (weights[:-1] * of.moments(q[:-1]).square_of_slope < 1).all()
    for end, expected in ((q[-2], transition.variance_below), (q[-1], transition.variance_above)):
        if math.isinf(expected):
            assert end > 1e3
        else:
            assert end == pytest.approx(expected, rel=1e-2, abs=1e-6)  # near a fold as the root of the distance


def test_functions_that_lose_digits_near_zero_are_taken_as_they_are():
    """exp(h) - 1 for expm1, ln(1+exp h) - ln 2, ln cosh: near zero they know φ to 1e-16, not to 16 digits."""
    elu = {
        name: Activation(
            name, lambda h, f=f: np.where(h > 0, h, f(np.minimum(h, 0))), lambda h: np.exp(np.minimum(h, 0))
        )
        for name, f in (("expm1", np.expm1), ("exp - 1", lambda h: np.exp(h) - 1))
    }
    sigma_b = [0.0, 1e-3, 0.1, 1.0]
    rough, fine = (rg.critical_line(elu[name], sigma_b) for name in ("exp - 1", "expm1"))
    np.testing.assert_allclose(rough, fine, rtol=1e-8)
    shifted = Activation("shifted softplus", lambda h: np.logaddexp(0, h) - math.log(2), special.expit)
    assert rg.transition(shifted, 0.0).kind is Kind.BASIN
    assert rg.RandomLayer(shifted, 1.0).fixed_point().variance == 0.0
    cosh = Activation("ln cosh", lambda h: np.logaddexp(h, -h) - math.log(2), np.tanh)
    assert rg.RandomLayer(cosh, 1.0).fixed_point().variance == 0.0


def test_a_start_whose_average_underflows_dies_out():
    far = Activation("far relu", lambda h: np.maximum(h - 1, 0), lambda h: (h > 1) * 1.0)
    transition = rg.transition(far, 0.0, start=1e-4)
    assert (transition.kind, transition.sigma_w, transition.chi_below) == (Kind.NONE, math.inf, 0.0)


def test_the_error_carries_what_there_is_and_travels():
    with pytest.raises(rg.NoCriticalLineError) as raised:
        rg.critical_line("relu", 1.0)
    again = pickle.loads(pickle.dumps(raised.value))  # noqa: S301 - our own
    assert str(again) == str(raised.value)
    assert again.transition.kind is Kind.UNBOUNDED
    assert isinstance(rg.critical_line("tanh", 0.1), float)
    assert rg.critical_line("tanh", np.zeros((2, 0))).shape == (2, 0)
    assert rg.critical_line("tanh", 2000.0) > 60  # fields of variance 4e6
    with pytest.raises(ValueError, match="is too large: averages of fields"):
        rg.transition("tanh", 8e5)
    with pytest.raises(ValueError, match="start"):
        rg.transition("tanh", 0.1, start=0.0)
    with pytest.raises(ValueError, match="squares overflow"):
        rg.phase_diagram("tanh", [1.0], [0.1, 1e200])
    for activation in ("relu", "tanh"):
        with pytest.raises(ValueError, match="squares overflow"):
            rg.transition(activation, 1e200)
    for activation, start, match in (("relu", 1e200, "squares overflow"), ("tanh", 6e11, "averages of fields")):
        with pytest.raises(ValueError, match=match):
            rg.transition(activation, 0.1, start=start)
    with pytest.raises(ValueError, match="not a finite number"):
        rg.transition("tanh", np.longdouble("1e400"))


# -- the solver ------------------------------------------------------------------------------------------


def test_variances_that_grow_for_ever_are_told_by_their_limit():
    """x sin x: M/q → 1/2, so that V/q → 1.42²/2; χ grows with q."""
    grows = rg.RandomLayer(X_SIN, 1.42).fixed_point()
    assert (grows.outcome.name, grows.variance, grows.residual, grows.chi) == ("UNBOUNDED", *[math.inf] * 3)
    assert grows.variance_slope == pytest.approx(1.42**2 / 2, rel=1e-9)
    gelu = rg.RandomLayer(GELU, 1.53, 0.1).fixed_point()
    assert gelu.chi == pytest.approx(1.53**2 / 2, rel=1e-9)
    assert gelu.correlation_slope == pytest.approx(1, rel=1e-9)  # far out a relu
    ends = rg.RandomLayer(X_SIN, 1.41)
    q = _reached(averages(X_SIN), np.array([1.41**2]), np.zeros(1), 1.0, 1e-15)[0]
    assert (4 * q - 1) * math.exp(-2 * q) == pytest.approx(2 / 1.41**2 - 1, rel=1e-10)
    assert ends.variance_slope(q) < 1
    wave = Activation("h + 3 sin h", lambda h: h + 3 * np.sin(h), lambda h: 1 + 3 * np.cos(h))  # M/q = 1 + 9/(2q) + ...
    assert rg.RandomLayer(wave, 1.1).fixed_point().variance_slope == pytest.approx(1.21, rel=1e-9)


def test_pairs_of_fixed_points_within_a_cell_are_not_missed():
    """Just beyond a fold they are closer than the grid."""
    w = 2 / (1 + 2 * math.exp(-1.5))
    q = _reached(averages(X_SIN), np.array([w * (1 + 1e-8), w * (1 - 1e-8)]), np.zeros(2), 1.0, 1e-15)
    np.testing.assert_allclose(q, [0.75, 0.0], atol=1e-3)
    between = _reached(averages(X_SIN), np.array([w * (1 + 1e-8)]), np.zeros(1), 0.87, 1e-15)  # a cell of 0.65 to 0.87
    assert between[0] == pytest.approx(0.75, abs=1e-3)
    points = rg.RandomLayer(GELU, 1.7591, 0.1).branches()
    assert [point.outcome.name for point in points] == ["CONVERGED", "REPELLING"]
    assert points[1].variance / points[0].variance < 1.03


def test_what_is_within_rounding_of_the_edge_of_chaos_is_on_neither_side():
    """The edge is sought between the last point below 1 and the first not below; what lies between is rounding."""
    assert _passed(np.arange(5.0), np.array([0.5, 0.9, 1 - 1e-12, 1 + 1e-12, 1.2])) == (2.0, 3.0)
    assert _passed(np.arange(5.0), np.array([0.5, 1.0, 0.9, 1 - 1e-12, 1.2])) == (3.0, 4.0)
    assert _passed(np.arange(3.0), np.array([0.5, 0.9, 1 + 1e-12])) is None


def test_a_jump_over_two_fixed_points_lands_beyond_them():
    """exp(-h²) + h³/100: V = w/√(1+4q) + 15·10⁻⁴ w q³ takes a tiny start over one that attracts and one that repels."""
    both = Activation("both", lambda h: BUMP(h) + 0.01 * h**3, lambda h: BUMP.derivative(h) + 0.03 * h**2)
    q = 1e-6
    for _ in range(8):
        q = 10 / math.sqrt(1 + 4 * q) + 0.015 * q**3
    assert q > 1e6
    of, ten = averages(both), np.array([10.0])
    assert math.isinf(_reached(of, ten, np.zeros(1), 1e-6, 1e-15)[0])
    assert _reached(of, ten, np.zeros(1), 2.0, 1e-15)[0] < 4


def test_what_cannot_be_computed_is_said():
    with pytest.raises(ValueError, match="averages of this activation cannot be computed"):
        rg.RandomLayer(COS, 1e5).fixed_point()
    growth = Activation("exp", np.exp, np.exp)
    assert rg.RandomLayer(growth, 1.0).variance_map(2.0) == pytest.approx(math.exp(4), rel=1e-12)
    with pytest.raises(ValueError, match="exceeds the range of floats"):
        rg.RandomLayer(growth, 1.0).variance_map(200.0)
    assert rg.RandomLayer(growth, 0.5).fixed_point().outcome.name == "UNBOUNDED"


def test_tanh_of_huge_variances_is_nearly_a_step():
    """M = 1 - 2/√(2πq) (1 - π²/(24 q) + ...), and for two fields what sign does, less the same order."""
    layer = rg.RandomLayer("tanh", 1.0)
    q = np.array([1e7, 1e10])
    expected = 2 / np.sqrt(2 * np.pi * q) * (1 - np.pi**2 / (24 * q))
    np.testing.assert_allclose(layer.variance_slope(q) * 2 * q, expected, rtol=1e-6)
    np.testing.assert_allclose(1 - layer.variance_map(q), expected, atol=1e-15)
    step = rg.RandomLayer("sign", 1.0).correlation_map(0.5, 1e7)
    assert layer.correlation_map(0.5, 1e7) == pytest.approx(step, abs=1e-3)


# -- pictures --------------------------------------------------------------------------------------------


def test_only_the_edge_is_drawn_as_critical():
    diagram = rg.phase_diagram(GELU, [0.5, 1.3, 1.6], [0.1, 0.5])
    axes = diagram.plot(Figure().add_subplot())
    lines = {line.get_label(): line for line in axes.lines if not line.get_label().startswith("_")}
    assert {text.get_text() for text in axes.get_legend().get_texts()} == {*lines, "variance without bound"}
    edge = lines[r"edge of chaos, $\chi = 1$"]
    assert np.isnan(edge.get_xdata()[edge.get_ydata() < 0.41]).all()
    assert np.isfinite(edge.get_xdata()[edge.get_ydata() > 0.42]).all()
    basin = lines["end of a basin"]
    assert basin.get_xdata()[0] == pytest.approx(1.525843523410130)
    assert len({line.get_linestyle() for line in lines.values()}) == len(lines)
    other = rg.phase_diagram(GELU, [0.5, 1.8], [0.1, 0.2], start=1e-3).plot(Figure().add_subplot())
    assert {text.get_text() for text in other.get_legend().get_texts()} == {"fold", "variance without bound"}
    calm = rg.phase_diagram("tanh", [0.5, 1.3], [0.1, 0.2]).plot(Figure().add_subplot())
    assert [text.get_text() for text in calm.get_legend().get_texts()] == [r"edge of chaos, $\chi = 1$"]


def test_a_legend_names_no_line_outside_of_the_diagram():
    beyond = rg.phase_diagram("tanh", [2.0, 2.5], [0.0, 0.1]).plot(Figure().add_subplot())
    assert beyond.get_legend() is None


def test_an_edge_that_is_one_point_is_a_point_in_the_legend_too():
    """That of relu: σ_w² = 2 without biases, beside growth without bound for all others."""
    axes = rg.phase_diagram("relu", [0.5, 1.0, 1.5], [0.0, 0.1, 0.2]).plot(Figure().add_subplot())
    edge, growth = axes.get_legend().get_lines()
    assert (edge.get_linestyle(), edge.get_marker(), growth.get_marker()) == ("None", "o", "None")
    (drawn,) = (line for line in axes.lines if line.get_label().startswith("edge"))
    assert (drawn.get_xdata(), drawn.get_ydata()) == (pytest.approx([2**0.5]), [0.0])


def test_small_signals_die_at_once_where_the_slope_at_zero_is_none():
    """φ = h tanh h: φ'(0) = 0, and so χ = 0 of the fixed point q = 0."""
    flat = Activation("h tanh h", lambda h: h * np.tanh(h), lambda h: np.tanh(h) + h / np.cosh(h) ** 2)
    transition = rg.transition(flat, 0.0)
    assert (transition.variance_below, transition.chi_below) == (0.0, 0.0)
    assert rg.RandomLayer(flat, 1.0).fixed_point().chi == 0.0


@pytest.mark.parametrize("scale", [1e-3, 1e5])
def test_how_order_ends_does_not_depend_on_the_units_of_fields(scale):
    """h Φ(s h) is gelu of g = s h over s; the numbers are those of gelu at σ_b = 0.1 from a start of 1."""
    gate = Activation(
        "h Φ(s h)",
        lambda h: h * special.ndtr(scale * h),
        lambda h: special.ndtr(scale * h) + scale * h * np.exp(-((scale * h) ** 2) / 2) / np.sqrt(2 * np.pi),
    )
    transition = rg.transition(gate, 0.1 / scale, start=scale**-2)
    assert transition.kind is rg.TransitionKind.BASIN
    assert transition.sigma_w == pytest.approx(1.52584352, rel=1e-7)
    assert transition.variance_below * scale**2 == pytest.approx(0.02559768, rel=1e-5)
    rest, edge = rg.RandomLayer(gate, 1.5, 0.1 / scale).branches()
    assert rest.variance * scale**2 == pytest.approx(0.02424438, rel=1e-6)
    assert (rest.outcome.name, edge.outcome.name) == ("CONVERGED", "REPELLING")


def test_averages_that_underflow_make_no_end_and_no_warning():
    """Fields of variance 0.0004 pass the threshold of |h| - 1 once in 1e545."""
    shrink = Activation(
        "softshrink", lambda h: np.sign(h) * np.maximum(np.abs(h) - 1, 0), lambda h: (np.abs(h) > 1) * 1.0
    )
    assert rg.transition(shrink, 0.0).kind is rg.TransitionKind.BASIN
    transition = rg.transition(shrink, 0.02, start=1e-6)
    assert transition.kind is rg.TransitionKind.NONE
    assert seen(transition) == [np.inf, 0.0, 0.0, 0.0004, 0.0004]


def test_a_threshold_that_the_start_hardly_passes_is_passed_at_an_enormous_weight():
    """E max(h - 8, 0)² = 65 Φ(-8) - 8 φ(8) at q = 1: σ_w² of its inverse lifts the start over the threshold."""
    end = rg.transition(Activation("late", lambda h: np.maximum(h - 8, 0), kinks=[8.0]), 0.0)
    mean = 65 * special.ndtr(-8) - 8 * math.exp(-32) / math.sqrt(2 * math.pi)
    assert end.sigma_w**2 * mean == pytest.approx(1, rel=1e-9)
    assert (end.kind, end.variance_below, end.variance_above, end.chi_below) == (Kind.BASIN, 0.0, math.inf, 0.0)


def test_limits_of_functions_that_are_wide_are_those_far_out():
    """h Φ(s h) at s = 1e-5 is half a line yet at q = 1e12; χ of a growing variance is σ_w²/2 all the same."""
    wide = Activation(
        "h Φ(s h)",
        lambda h: h * special.ndtr(1e-5 * h),
        lambda h: special.ndtr(1e-5 * h) + 1e-5 * h * np.exp(-((1e-5 * h) ** 2) / 2) / np.sqrt(2 * np.pi),
    )
    point = rg.RandomLayer(wide, 1.5, 5e4).fixed_point(1e10)
    assert (point.outcome.name, point.chi) == ("UNBOUNDED", pytest.approx(1.125, rel=1e-9))


@pytest.mark.parametrize(
    "activation",
    [
        "gelu",
        "silu",
        Activation("own gelu", lambda h: h * special.ndtr(h)),
        Activation("bend", lambda h: np.hypot(1, h)),
    ],
)
def test_what_ends_as_lines_forgets_by_a_power_where_it_grows(activation):
    """Far out, each of them is homogeneous, M/q = D, so that the slope of the map at c = 1 is one, and no rate."""
    point = rg.RandomLayer(activation, 2.0, 0.2).fixed_point()
    assert (point.outcome.name, point.correlation_slope, point.xi_correlation) == ("UNBOUNDED", 1.0, math.inf)


@pytest.mark.parametrize(("sigma_w", "sigma_b"), [([0.5, 1.0, 2.0], [0.0]), ([1.5], [0.1, 0.3]), ([1.5], [0.2])])
def test_a_single_row_or_column_of_a_diagram_is_seen(sigma_w, sigma_b):
    diagram = rg.phase_diagram("tanh", sigma_w, sigma_b)
    axes = diagram.plot(Figure().add_subplot())
    mesh = axes.collections[0]
    x, y = np.moveaxis(mesh.get_coordinates(), -1, 0)
    assert (np.diff(x, axis=1) > 0).all()
    assert (np.diff(y, axis=0) > 0).all()
    assert ((x[0, :-1] <= sigma_w) & (sigma_w <= x[0, 1:])).all()
    assert mesh.get_array().shape == (len(sigma_b), len(sigma_w))
    for low, high, interval in ((y[0, 0], y[-1, 0], axes.get_ylim()), (x[0, 0], x[0, -1], axes.get_xlim())):
        assert min(high, interval[1]) > max(low, interval[0])


def test_a_diagram_is_good_close_to_criticality_as_well():
    """There errors of averages are multiplied by ξ: E tanh²(√q z) = q - 2q² + 17q³/3 - ... gives the variance."""
    rows = np.array([1e-8, 1e-6, 1e-5])
    diagram = rg.phase_diagram("tanh", [1.0, 1.00001], [0.0, *rows])
    q = rows / np.sqrt(2)
    np.testing.assert_allclose(diagram.variance[0, 1:], q * (1 + 17 / 12 * q), rtol=1e-7)
    t = 1.00001**2 - 1
    assert diagram.variance[1, 0] == pytest.approx(t / 2 * (1 + t * (17 / 12 - 1)), rel=1e-9)
    own = rg.RandomLayer("tanh", 1.00001, 1e-8).fixed_point()
    assert diagram.correlation[1, 1] == pytest.approx(own.correlation, abs=1e-6)


def test_averages_of_many_variances_need_what_each_needs_alone():
    """Panels of quadrature are counted, and held in memory, for some thousand variances at a time."""
    of, q = averages(ACTIVATIONS["silu"]), np.geomspace(30, 60, 2**14)
    together, alone = of.moments(q, most=8000), of.moments(q[-1:])
    np.testing.assert_array_equal([values[-1] for values in together], np.ravel(alone))
