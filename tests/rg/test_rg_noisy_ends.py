"""Noisy layers at the ends of their nodes and between them: laws by another quadrature on another interval."""

import math
import pickle

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from scipy import stats
from strategies import examples

from statnn import rg
from statnn.io import load, save
from statnn.network import Activation
from statnn.rg._layers.quadrature import interval

exponential = Activation("exp", np.exp, np.exp)
STEPS = 12
"""Steps of the trapezoidal rule in one standard deviation of the noise."""
squared = Activation("squared relu", lambda h: np.maximum(h, 0) ** 2, lambda h: 2 * np.maximum(h, 0))


def by_trapezoids(layer, low, high):
    """Return mean, variance and the second eigenvalue by equal steps; probability that leaves the interval is lost."""
    x = np.arange(low, high, layer.noise_std / STEPS)
    P = np.exp(-(((x[:, None] - layer.mean(x)) / layer.noise_std) ** 2) / 2) / (STEPS * math.sqrt(2 * math.pi))
    law = np.full(x.size, 1 / x.size)
    for _ in range(200):
        law = P @ law
        law /= law.sum()
    values = np.sort(np.abs(np.linalg.eigvals(P)))
    return law @ x, law @ (x - law @ x) ** 2, values[-2]


@pytest.mark.parametrize(
    ("layer", "low", "high"),
    [
        (rg.NoisyLayer("gelu", -10.0, 0.0, 0.3), -2.0, 21.0),
        (rg.NoisyLayer("softplus", -3.0, 0.0, 0.3), -2.5, 10.0),
        (rg.NoisyLayer(exponential, -1.0, 0.0, 0.3), -2.4, 11.5),
        (rg.NoisyLayer(squared, -1.0, 0.5, 0.3), -2.5, 11.5),
    ],
    ids=["gelu", "softplus", "exp", "squared relu"],
)
def test_layers_that_lead_far_from_their_margins_have_laws(layer, low, high):
    """Eight deviations of the noise below the law, where no signals are, these layers lead beyond all nodes."""
    law = layer.stationary()
    mean, variance, second = by_trapezoids(layer, low, high)
    assert (law.mean, law.variance) == pytest.approx((mean, variance), rel=1e-6)
    assert layer.correlation_length() == pytest.approx(-1 / math.log(second), rel=1e-6)


@pytest.mark.parametrize("noise", [0.6, 0.7, 0.8, 1.0])
def test_where_signals_go_on_for_ever_is_no_well(noise):
    """Beyond h = 11.46 exp(0.3 h - 1) grows without bound: signals there never return, and set no length."""
    layer = rg.NoisyLayer(exponential, 0.3, -1.0, noise)
    second = by_trapezoids(layer, -7 * noise, 0.5 + 7 * noise)[2]
    assert layer.correlation_length() == pytest.approx(-1 / math.log(second), rel=1e-4)


@given(
    st.sampled_from(["tanh", "relu", "gelu", "sign", "sin"]), st.floats(0.2, 0.9), st.floats(-2, 2), st.floats(-1, 1)
)
@examples(0.3)
def test_moments_between_nodes_are_those_of_the_layer(name, w, b, place):
    layer = rg.NoisyLayer(name, w, b, 0.2)
    law = layer.stationary()
    start = law.mean + place * 5 * math.sqrt(law.variance)
    assert layer.operator().moments(start) == pytest.approx((float(layer.mean(start)), 0.04), abs=1e-12)


def below_a_relu(start, below, slope, noise):
    """Return mean and variance of relu(slope h) + noise ξ for h = below(start) + ξ', a rectified Gaussian."""
    mean, spread = slope * float(below.mean(start)), slope * below.noise_std
    share, density = stats.norm.cdf(mean / spread), stats.norm.pdf(mean / spread)
    first = mean * share + spread * density
    return first, (mean**2 + spread**2) * share + mean * spread * density - first**2 + noise**2


@pytest.mark.parametrize("name", ["sign", "relu", "wave"])
def test_moments_of_a_relu_above_another_layer_between_nodes(name):
    wave = Activation("wave", lambda h: np.sin(h) + np.cos(2 * h) / 2, lambda h: np.cos(h) - np.sin(2 * h))
    below, above = rg.NoisyLayer(wave if name == "wave" else name, 0.9, 0.1, 0.4), rg.NoisyLayer("relu", 0.9, 0.0, 0.5)
    both = below.compose(above)
    for start in np.linspace(-1.1, 1.0, 43):
        assert both.moments(start) == pytest.approx(below_a_relu(start, below, 0.9, 0.5), rel=1e-9)
        assert both.power(3).moments(start) == pytest.approx(both.compose(both).compose(both).moments(start), rel=1e-9)
    assert both.power(2).power(3).moments(0.3) == pytest.approx(both.power(6).moments(0.3), rel=1e-9)
    law = both.stationary()  # of more layers than there can be in one power
    assert both.power(10**18).power(10**18).moments(0.3) == pytest.approx((law.mean, law.variance), rel=1e-9)


@pytest.mark.parametrize(("slope", "noise"), [(0.05, 0.7), (0.6, 0.5), (0.3, 0.2)])
def test_kinks_between_nodes_are_in_the_error(slope, noise):
    """The nodes of tanh have none where a ReLU bends: sums over them lack digits, and the error says how many."""
    below, above = rg.NoisyLayer("tanh", -0.5, 0.05, 0.4), rg.NoisyLayer("relu", slope, 0.0, noise)
    both = below.operator().compose(above)
    gaps = [
        np.array(both.moments(start)) - below_a_relu(start, below, slope, noise) for start in np.linspace(-0.9, 0.9, 19)
    ]
    worst = np.abs(gaps / np.array([math.sqrt(both.stationary().variance), both.stationary().variance])).max()
    assert worst > 1e-7
    assert worst / 3 < both.error < 5 * worst


def test_jumps_between_nodes_are_refused():
    below, above = rg.NoisyLayer("tanh", -0.4, -0.1, 1.0), rg.NoisyLayer("sign", -1.0, 0.05, 1.5)
    with pytest.raises(ValueError, match="moments err by"):
        below.operator().compose(above)
    chance = stats.norm.sf((float(below.mean(0.3)) - 0.05) / 1.0)  # that the signal is below 0.05
    mean = 2 * chance - 1
    assert below.compose(above).moments(0.3) == pytest.approx((mean, 1 - mean**2 + 1.5**2), rel=1e-9)


def test_starts_whose_law_is_cut_are_refused():
    layer = rg.NoisyLayer("softplus", -3.0, 0.0, 0.3)
    with pytest.raises(ValueError, match="moments err by"):
        layer.operator().moments(-3.2)
    assert layer.operator().moments(-2.3) == pytest.approx((float(layer.mean(-2.3)), 0.09), rel=1e-6)


def test_nodes_that_lose_a_law_are_refused_and_errors_say_what_is_lost():
    narrow = rg.NoisyLayer("tanh", 1.0, 0.0, 0.1)
    operator, beyond, beside = (
        narrow.operator(),
        rg.NoisyLayer("identity", 0.5, 1.0, 0.3),
        rg.NoisyLayer("tanh", 1.0, 0.0, 0.3),
    )
    for act in (
        lambda: beyond.operator(like=operator),
        lambda: operator.compose(beyond),
        lambda: beyond.compose(operator),
    ):
        with pytest.raises(ValueError, match="of the law of NoisyLayer\\('identity'"):
            act()
    borrowed, wanted = beside.operator(like=operator), beside.stationary().variance
    lost = abs(borrowed.stationary().variance / wanted - 1)
    assert lost > 1e-7
    assert borrowed.error == pytest.approx(lost, rel=0.5)
    assert operator.compose(beside).error > operator.error
    with pytest.raises(ValueError, match="moments err by"):  # of noise that hardly reaches from node to node
        rg.NoisyLayer("tanh", 0.9, 0.0, 0.014).operator(like=operator)
    for noise in (0.008, 1e-4):  # nodes that see nothing of a law at all
        with pytest.raises(ValueError, match="do not resolve a noise"):
            rg.NoisyLayer("tanh", 0.9, 0.0, noise).operator(like=operator)
    assert narrow.operator(64).error > narrow.operator().error


@pytest.mark.parametrize(
    ("name", "w", "noise", "second"),
    [
        ("gelu", 0.97, 0.1, 0.62820713),
        ("gelu", 0.99, 0.1, 0.92956371),
        ("silu", 0.99, 0.1, 0.74475488),
        ("silu", 0.98, 0.3, 0.88512894),
    ],
)
def test_what_lasts_where_the_law_hardly_is_decides_how_fast_laws_relax(name, w, noise, second):
    """Far out these layers move signals by 1 to 3 % alone; `second` comes from equal steps, up to 20, with 900 bits."""
    layer = rg.NoisyLayer(name, w, 0.0, noise)
    assert math.exp(-1 / layer.correlation_length()) == pytest.approx(second, rel=1e-8)
    assert layer.power(3).spectrum().ratios[1] == pytest.approx(second**3, rel=1e-7)
    assert 3 * layer.power(3).correlation_length() == pytest.approx(layer.correlation_length(), rel=1e-12)


def test_eigenvalues_are_not_lost_where_laws_lead_one_way():
    """Places that signals leave and do not reach have an edge of the spectrum made of rounding alone."""
    layer = rg.NoisyLayer("gelu", 0.98, 0.0, 0.03)
    near = by_trapezoids(layer, -0.5, 0.8)[2]
    assert math.exp(-1 / layer.correlation_length()) == pytest.approx(near, rel=1e-8)
    assert layer.stationary().nodes[-1] > 6


def test_places_out_of_reach_are_told_where_they_may_be_the_slowest():
    layer = rg.NoisyLayer("gelu", 0.9999, 0.0, 0.1)
    law, (mean, variance, _) = layer.stationary(), by_trapezoids(layer, -1.2, 1.2)
    assert (law.mean, law.variance) == pytest.approx((mean, variance), rel=1e-9)
    for ask in (layer.correlation_length, layer.spectrum):
        with pytest.raises(ValueError, match=r"signals linger on \[-.*\] longer .* 3000 nodes do not reach"):
            ask()


def test_high_moments_are_known_or_refused():
    """A normal law of mean 2 and variance 0.12: from some k on, h^k still counts where the nodes end."""
    law = rg.NoisyLayer("identity", 0.5, 1.0, 0.3).stationary()
    with mpmath.workdps(30):
        for k in (3, 30, 100):
            terms = (mpmath.binomial(k, 2 * j) * 2 ** (k - 2 * j) * mpmath.mpf("0.12") ** j * mpmath.fac2(2 * j - 1)
                     for j in range(k // 2 + 1))  # fmt: skip
            assert law.moment(k) == pytest.approx(float(mpmath.fsum(terms)), rel=1e-11)
    for k in (200, 300, 10_000):
        with pytest.raises(ValueError, match=rf"k = {k}: h\^k still counts where nodes on \[-3\.066, 7\.066\] end"):
            law.moment(k)
    narrow = rg.NoisyLayer("identity", 0.5, 1.0, 0.005).stationary()
    assert narrow.moment(1000) == pytest.approx(6.651343879733692e302, rel=1e-11)
    with pytest.raises(ValueError, match="k = 1100: the mean of h\\^k exceeds the range of float64"):
        narrow.moment(1100)
    flips = rg.TransferOperator([-1.0, 1.0], [1.0, 1.0], [[0.7, 0.4], [0.3, 0.6]]).stationary()
    assert [flips.moment(k) for k in (4, 999)] == pytest.approx([1.0, -1 / 7])


def test_high_moments_are_known_where_powers_of_nodes_are_not_and_where_nodes_have_no_mass():
    with mpmath.workdps(30):
        for w in (-0.9, 0.95, -0.95):
            law, variance = rg.NoisyLayer("identity", w, 0.0, 1.0).stationary(), 1 / (1 - mpmath.mpf(w) ** 2)
            for k in (8, 14, 18):
                assert law.moment(k) == pytest.approx(float(variance ** (k // 2) * mpmath.fac2(k - 1)), rel=1e-11)
    absorbed = rg.TransferOperator([0.0, 1.0], [1.0, 1.0], [[1.0, 0.5], [0.0, 0.5]]).stationary()
    assert [absorbed.moment(k) for k in range(5)] == [1.0, 0.0, 0.0, 0.0, 0.0]
    ends = rg.StationaryLaw(np.array([-1.0, 1.0, 2.0]), np.ones(3), np.array([0.25, 0.75, 0.0]))
    assert [ends.moment(k) for k in (2000, 9999)] == [1.0, 0.5]


@pytest.mark.parametrize(("name", "w"), [("identity", 0.8), ("identity", -0.8), ("gelu", -0.8)])
def test_flows_are_drawn_where_stronger_layers_have_no_law(name, w):
    flow = rg.flow(rg.NoisyLayer(name, w, 0.0, 0.1), 1)
    ax = flow.plot(Figure().add_subplot())
    assert len(ax.lines[-1].get_xdata()) == len(flow.couplings)


@pytest.mark.parametrize("layer", [rg.NoisyLayer("tanh", 1.0, 0.0, 0.3), rg.NoisyLayer("identity", 0.5, 0.1, 0.3)])
def test_flows_of_noisy_layers_are_equal_where_all_they_hold_is(layer, tmp_path):
    flow = rg.flow(layer, 1)
    save(flow, tmp_path / "flow.npz")
    for again in (pickle.loads(pickle.dumps(flow)), load(tmp_path / "flow.npz"), rg.flow(layer, 1)):  # noqa: S301
        assert again == flow
        assert hash(again) == hash(flow)
    assert rg.flow(rg.NoisyLayer("sin", 1.0, 0.0, 0.3), 1) != flow


@pytest.mark.parametrize(
    ("name", "w", "b"), [("identity", -0.99, 100.0), ("identity", 0.99, 1e4), ("identity", 0.999, 1.0)]
)
def test_layers_that_contract_slowly_far_from_zero_have_the_law_of_linear_ones(name, w, b):
    layer = rg.NoisyLayer(name, w, b, 0.1)
    law = layer.stationary()
    assert law.nodes.size < 1100
    assert law.mean == pytest.approx(b / (1 - w), rel=1e-9)
    assert law.variance == pytest.approx(0.1**2 / (1 - w**2), rel=1e-8)
    assert layer.correlation_length() == pytest.approx(-1 / math.log(abs(w)), rel=1e-8)


@pytest.mark.parametrize(("w", "b"), [(0.9999, 1.0), (0.99999, -3.0)])
def test_nodes_stand_where_signals_end_however_long_they_take(w, b):
    low, high = interval(rg.NoisyLayer("identity", w, b, 0.1).activation, w, b, 0.1)
    mean, deviation = b / (1 - w), 0.1 / math.sqrt(1 - w**2)
    assert mean - 30 * deviation < low < mean - 7 * deviation
    assert mean + 7 * deviation < high < mean + 30 * deviation


@pytest.mark.parametrize("w", [0.95, 0.99])
def test_nodes_go_no_farther_than_the_noise_where_the_activation_ends(w):
    """No signal of relu is below 0: deviations of the noise bound the nodes there, however far they go above."""
    low, high = interval(rg.NoisyLayer("relu", w, 0.0, 1.0).activation, w, 0.0, 1.0)
    assert -20 < low < -15
    assert high > 7 / math.sqrt(1 - w**2)


def test_of_a_wide_well_the_part_counts_that_holds_a_law():
    """Around h = 1005 a slope of 0.99 makes a Gaussian law of deviation 7; kicks of 4 hold signals up to h = 1405."""

    def function(h):
        return np.where(h > 600, 1005 + 0.99 * (h - 1005), 594.0)

    wells = Activation("two wells", function, lambda h: np.where(h > 600, 0.99, 0.0))
    high = interval(wells, 1.0, 0.0, 1.0)[1]
    assert 1005 + 8 * 7.1 < high < 1005 + 20 * 7.1


@pytest.mark.parametrize("name", ["identity", "relu"])
def test_signals_that_move_on_for_ever_have_no_law(name):
    with pytest.raises(ValueError, match="is critical or supercritical: it grows without bound"):
        rg.NoisyLayer(name, 1.0, 1.0, 0.1).stationary()


def test_nodes_that_agree_by_chance_are_refined_all_the_same():
    """Sums over nodes spaced by the noise may err alike twice, or be right at the mean and wrong from other starts."""
    law = rg.NoisyLayer("sign", 0.00109, 0.2088, 2.3335).stationary()  # a signal of the other sign needs 85 deviations
    assert law.mean == pytest.approx(1.0, rel=1e-13)
    assert law.error < 1e-10
    assert law.variance == pytest.approx(2.3335**2, rel=1e-10)
    w, b, noise, start = 0.6717, 1.116, 2.936, 0.5756
    mean, variance = rg.NoisyLayer("identity", w, b, noise).power(2).moments(start)
    assert mean == pytest.approx(w * w * start + (1 + w) * b, rel=1e-11)
    assert variance == pytest.approx((1 + w * w) * noise**2, rel=1e-11)


@pytest.mark.parametrize("m", [1, 2, 2**53 + 1, 2**53 + 2, 10**17 + 1])
def test_layers_that_change_places_are_back_after_an_even_number_of_them(m):
    """No float64 is 2^53 + 1, which is odd all the same."""
    power = rg.TransferOperator([-1.0, 1.0], [1.0, 1.0], [[0.0, 1.0], [1.0, 0.0]]).power(m)
    assert power.probabilities[0].tolist() == [float(m % 2 == 0), float(m % 2 == 1)]
    assert power.spectrum(2).ratios.tolist() == [1.0, 1.0 if m % 2 == 0 else -1.0]


def test_as_many_nodes_as_a_refusal_advises_are_enough():
    layer = rg.NoisyLayer("tanh", 1.0, 0.0, 0.3)
    with pytest.raises(ValueError, match=r"take \d+, or None to refine") as refusal:
        layer.operator(16)
    advised = int(str(refusal.value).rpartition("take ")[2].partition(",")[0])
    assert layer.operator(advised).error < 1e-6


@pytest.mark.parametrize(
    ("operator", "words"),
    [
        (
            lambda: rg.TransferOperator([0.0, 1.0], [1.0, 1.0], [[0.7, 0.4], [0.3, 0.6001]]),
            "sums are from .* to 1.0001",
        ),
        (lambda: rg.TransferOperator([0.0, 1.0], [1.0, 1.0], np.eye(2), panels=[-1.0, 0.9]), "that hold them all"),
        (lambda: rg.TransferOperator([0.0, 1.0], [1.0, 1.0], np.eye(2), panels=[0.1, 1.0]), "that hold them all"),
        (lambda: rg.TransferOperator([0.0, 1.0], [1.0, 1.0], np.eye(2), lost=[0.0]), "one for each node"),
        (lambda: rg.NoisyLayer("tanh", -1e308), r"w = -1e\+308: beyond 1e\+150 squares overflow"),
    ],
)
def test_what_is_no_operator_and_no_layer_is_refused(operator, words):
    with pytest.raises(ValueError, match=words):
        operator()


def test_two_lines_that_turn_signals_over_are_one_that_does_not():
    """h'' = w (w h + b + ε ξ) + b + ε ξ', and biases of layers that turn over all but cancel."""
    (_, two) = rg.NoisyLayer("identity", -0.9, 1.0, 0.3).flow(1).couplings
    assert two == pytest.approx([0.81, 0.1, 0.3 * math.sqrt(1.81)], rel=1e-12)


@pytest.mark.parametrize(("w", "b", "noise"), [(-1.92, 0.76, 1.02), (-2.0, 0.3, 1.02), (2.0, 0.3, 1.02)])
def test_nodes_are_refined_even_where_the_first_steps_hardly_change_anything(w, b, noise):
    layer = rg.NoisyLayer("erf", w, b, noise)
    law, reach = layer.stationary(), 1 + 10 * noise
    mean, variance, second = by_trapezoids(layer, -reach, reach)
    assert law.error < 1e-10
    assert law.mean == pytest.approx(mean, abs=1e-10)
    assert law.variance == pytest.approx(variance, rel=1e-10)
    assert abs(layer.spectrum(2).ratios[1]) == pytest.approx(abs(second), rel=1e-10)


@pytest.mark.parametrize(("name", "w", "noise"), [("sin", -6.0, 0.2), ("erf", -2.0, 1.02)])
@pytest.mark.parametrize("points", [100, 145])
def test_nodes_that_were_chosen_know_how_wrong_their_moments_are(name, w, noise, points):
    layer = rg.NoisyLayer(name, w, 0.3, noise)
    chosen, refined = layer.operator(points), layer.stationary()
    off = abs(chosen.stationary().variance / refined.variance - 1)
    assert off <= 3 * chosen.error + refined.error


@pytest.mark.parametrize(
    ("layer", "gap"), [(("gelu", 0.99, 0.1, 0.1), 4.379e-8), (("erf", 1.1, 0.02, 0.05), 4.3107e-9)]
)
def test_nodes_are_not_refined_beyond_what_the_weights_of_two_wells_can_tell(layer, gap):
    """A gap of 4e-8 between two wells leaves weights eight digits: more nodes do not give more. By equal steps."""
    operator = rg.NoisyLayer(*layer).operator()
    assert operator.nodes.size < 1000
    assert 1 - operator.spectrum(2).ratios[1] == pytest.approx(gap, rel=1e-3)
    assert operator.error < 5e-13 / gap
