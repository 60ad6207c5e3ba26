"""Growth and laws of counts by layer, and node strengths beside those of random weights."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from scipy import stats

from statnn import Network, testing
from statnn.activation import BetaBernoulli, compare, rarefaction
from statnn.activation._inference.estimate import NoFiniteFitError
from statnn.measure import graph, growth

# -- growth ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "draw",
    [
        lambda at, ax: growth.from_active_samples(20 * [0, 3, 10, 7, 0, 1, 5, 2, 9, 4], 10, at=at).plot(ax),
        lambda at, ax: rarefaction([0, 1, 2, 10], 10, at).plot(ax),
        lambda at, ax: BetaBernoulli(100, 0.3, 5.0).plot(ax, D=at),
    ],
    ids=["growth", "rarefaction", "process"],
)
def test_curves_are_drawn_along_their_axis(draw):
    """Sizes in any order draw the same curve and the same band, without chords."""
    mixed, plain = (draw(at, Figure().add_subplot()) for at in ([10, 1, 4, 2], [1, 2, 4, 10]))
    for ours, theirs in zip(mixed.lines, plain.lines, strict=True):
        assert np.array_equal(ours.get_xydata(), theirs.get_xydata())
    for ours, theirs in zip(mixed.collections, plain.collections, strict=True):
        assert np.array_equal(ours.get_paths()[0].vertices, theirs.get_paths()[0].vertices)


@pytest.mark.parametrize(
    "draw",
    [
        lambda at, ax: rarefaction([0, 1, 2, 10], 10, at).plot(ax),
        lambda at, ax: BetaBernoulli(100, 0.3, 5.0).plot(ax, D=at),
        lambda at, ax: BetaBernoulli(100, 0.3, 5.0).simulate(at, replicas=9, rng=1).plot(ax),
    ],
    ids=["rarefaction", "process", "paths"],
)
def test_single_points_are_seen(draw):
    """A line of one point and a band of no width would leave an empty picture; nothing at 0 is on the axis."""
    ax = draw([4], Figure().add_subplot())
    assert ax.lines[0].get_marker() == "."
    ((low, high),) = ax.collections[0].get_segments()
    assert low[1] < ax.lines[0].get_ydata()[0] < high[1]
    with pytest.raises(ValueError, match=r"= \[0.*\]: none is above 0, and so on a logarithmic axis"):
        draw([0], Figure().add_subplot())


def test_layers_are_counted_as_recorded(rng):
    net = Network.random([12, 90, 80, 5], "relu", sigma_w=1.4, sigma_b=0.5, rng=1)
    x = rng.normal(size=(300, 12))
    measured = growth.layers(net, x, rng=0)
    trace = net.trace(x)
    assert len(measured) == 2
    for layer, h in zip(measured, trace.activations[1:-1], strict=True):
        np.testing.assert_array_equal(layer.counts, (h > 0).sum(axis=0))
        assert layer.samples == 300
        again = growth.layer(h, rng=0)
        np.testing.assert_array_equal(again.counts, layer.counts)
        assert again.p_values == layer.p_values
    level = growth.layers(net, x, 0.3, rng=0)[0]
    np.testing.assert_array_equal(level.counts, (trace.activations[1] > 0.3).sum(axis=0))


def test_batches_add_up(rng, monkeypatch):
    """Layers and recorded activations are counted piece by piece: the sum, not the last piece."""

    def unfitted(*_, **__):
        raise NoFiniteFitError("counts alone are asked for")

    def counted(h, threshold):
        pieces.append(h.size)
        return counts(h, threshold)

    pieces, counts = [], growth._counts
    monkeypatch.setattr(growth, "_counts", counted)
    monkeypatch.setattr(growth, "compare", unfitted)
    net = Network.random([5, 8, 6, 2], "relu", 1.4, 0.5, rng=rng)
    x = rng.normal(size=(50, 5))
    trace = net.trace(x).activations
    for at_once in (7, 8 * 7, 10**6):
        monkeypatch.setattr(growth, "AT_ONCE", at_once)
        pieces.clear()
        measured = growth.layers(net, x)
        assert max(pieces) <= max(8, at_once)  # one sample, or what is looked at together
        for layer, h in zip(measured, trace[1:-1], strict=True):
            np.testing.assert_array_equal(layer.counts, (h > 0).sum(axis=0))
        np.testing.assert_array_equal(growth.layer(trace[1]).counts, (trace[1] > 0).sum(axis=0))


def test_it_is_rarefaction_and_comparison_side_by_side():
    process = BetaBernoulli(neurons=400, b=0.5, c=80.0)
    counts = process.simulate([200], 1, rng=3, counts=True).counts[0, 0]
    at = [1, 10, 200]
    measured = growth.from_active_samples(counts, 200, at=at)
    np.testing.assert_array_equal(measured.rarefaction.working, rarefaction(counts, 200, at).working)
    assert measured.p_values == dict(
        zip(
            (type(fitted.process).__name__ for fitted in compare(counts, 200).fits),
            compare(counts, 200).p_values,
            strict=True,
        )
    )
    assert measured.comparison.best.process.neurons == measured.units == 400
    assert (measured.working, measured.silent) == (np.count_nonzero(counts), np.sum(counts == 0))
    assert measured.active_share == pytest.approx(counts.mean() / 200)
    assert "BetaBernoulli" in str(measured)
    silent, share = int(np.sum(counts == 0)), counts.mean() / 200
    assert str(measured).startswith(f"400 units, {silent} silent in 200 samples; c/N = {share:.4g}\n")
    whole = growth.from_active_samples(counts, 200)
    assert whole.rarefaction.at[0] == 1
    assert whole.rarefaction.working[-1] == measured.working
    np.testing.assert_array_equal(whole.rarefaction.at, sorted({round(200 ** (k / 39)) for k in range(40)}))


def test_without_a_fit_it_says_why():
    measured = growth.from_active_samples([7, 7, 7, 7], 7)
    assert measured.comparison is None
    assert measured.p_values == {}
    assert measured.reason
    assert measured.reason in str(measured)
    assert measured.rarefaction.working[-1] == 4
    assert measured.plot(Figure().add_subplot()).get_ylabel()


@pytest.mark.filterwarnings("error")
def test_what_fits_warn_of_is_kept():
    measured = growth.from_active_samples([0] * 100 + [1, 40], 40, rng=0)
    assert measured.remarks, "two working units hardly determine b"
    assert any("hardly determined" in remark for remark in measured.remarks)
    with pytest.warns(RuntimeWarning) as raised:
        compare([0] * 100 + [1, 40], 40, rng=0)
    assert measured.remarks == tuple(str(warning.message) for warning in raised)
    assert len(measured.remarks) > 1


def test_error_bars_of_a_growth_are_those_of_its_shares():
    measured = growth.from_active_samples([7, 0, 1, 3, 2, 0], 7, at=[1, 2, 4, 6])
    (bars,) = measured.plot(Figure().add_subplot()).containers[0][2]
    lengths = [(high - low) / 2 for low, high in (bar[:, 1] for bar in bars.get_segments())]
    assert lengths == pytest.approx(measured.rarefaction.std / 6, rel=1e-12)


def test_growth_draws_itself():
    counts = BetaBernoulli(neurons=300, b=0.5, c=60.0).simulate([100], 1, rng=3, counts=True).counts[0, 0]
    axes = Figure().add_subplot()
    assert growth.from_active_samples(counts, 100).plot(axes) is axes
    assert axes.get_xscale() == "log"
    assert len(axes.get_legend().get_texts()) == 4


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: growth.layers(np.ones((3, 2)), np.ones((3, 2))), TypeError, "ndarray; pass a statnn.Network"),
        (lambda: growth.layers(Network([[[1.0]]]), [[1.0]]), ValueError, "no hidden layer"),
        (lambda: growth.layers(Network.random([2, 3, 1], rng=0), [1.0, 2.0]), ValueError, r"shape \(2,\)"),
        (lambda: growth.layer([1, 2]), ValueError, "neither of them 0"),
        (lambda: growth.layer([[1.0, np.nan]]), ValueError, "not finite"),
        (lambda: growth.from_active_samples([1], 2), ValueError, "two units"),
        (lambda: growth.from_active_samples([1, 3], 2), ValueError, r"counts\[1\] = 3"),
        (lambda: growth.from_active_samples([1, 2], 0), ValueError, "samples = 0"),
        (lambda: growth.from_active_samples([1, 2], 4, at=[5]), ValueError, r"at\[0\] = 5"),
        (lambda: growth.from_active_samples([1, 2], 4, goodness="none"), ValueError, "goodness"),
    ],
)
def test_bad_input_is_refused(call, error, match):
    with pytest.raises(error, match=match):
        call()


# -- node strength -----------------------------------------------------------------------------------------


def rearranged(matrix):
    entries = np.ravel(matrix)
    return [np.reshape(order, np.shape(matrix)) for order in set(itertools.permutations(entries))]


def test_null_is_the_mean_over_all_arrangements():
    first, second, bias = [[1.0, -2.0], [0.5, 0.0]], [[2.0, 3.0]], [0.5, -1.0]
    squares = [
        graph.strength(Network([w, v], [b, [0.0]])).fluctuation ** 2
        for w, v, b in itertools.product(rearranged(first), rearranged(second), rearranged(bias))
    ]
    strength = graph.strength(Network([first, second], [bias, [0.0]]))
    np.testing.assert_allclose(strength.null_fluctuation**2, np.mean(squares, axis=0), rtol=1e-12, atol=1e-15)


def test_weights_that_cannot_fluctuate_but_do_are_impossible():
    net = Network([[[1.0, -2.0], [0.5, 0.0]], [[1.0, 1.0]]])
    assert graph.strength(net, sigma_w=0.0, sigma_b=0.0).p_value.tolist() == [0, 0, 1]
    same = Network([np.ones((2, 2)), np.ones((1, 2))])
    assert graph.strength(same, sigma_w=0.0, sigma_b=0.0).p_value.tolist() == [1, 1, 1]


@pytest.mark.parametrize("inputs", [10, 40, 200])
def test_p_values_of_weights_of_two_values_are_those_of_counting(inputs):
    """If the weights ±1 of two units are shuffled, the number of positive ones in the first is hypergeometric."""
    positive = np.arange(inputs + 1)
    law = stats.hypergeom(2 * inputs, inputs, inputs).pmf(positive)
    apart = np.abs(2 * positive - inputs)
    exact = [min(1.0, 2 * min(law[apart <= d].sum(), law[apart >= d].sum())) for d in apart]
    rows = [np.where(np.arange(inputs) < k, 1.0, -1.0) for k in positive]
    p_values = [graph.strength(Network([[row, -row]])).p_value[1] for row in rows]
    after = Network([[rows[0], -rows[0]], [[2.0, 2.0]]], [[0.5, 0.5], [7.0]])  # equal and single ones change nothing
    assert graph.strength(after).p_value[1] == p_values[0]
    assert p_values[inputs // 2] == pytest.approx(exact[inputs // 2], rel=0.3 / inputs)
    near = apart < 1.5 * np.sqrt(inputs)  # about two standard deviations
    np.testing.assert_allclose(np.array(p_values)[near], np.array(exact)[near], rtol=3 / inputs)
    assert all(law[p_values <= p].sum() <= p * (1 + 1e-12) for p in p_values)


def test_strengths_that_are_equal_in_most_arrangements_are_no_surprise():
    """Four of the six arrangements of 1, 1, -1 and -1 give two units of equal strength; none fluctuates less."""
    assert graph.strength(Network([[[1.0, -1.0], [-1.0, 1.0]]])).p_value.tolist() == [1, 1]


def test_gaussian_weights_fluctuate_by_the_law(rng):
    nets = [Network.random([30, 20, 20, 60], "relu", 1.3, 0.4, rng=rng) for _ in range(300)]
    strengths = [graph.strength(net, sigma_w=1.3, sigma_b=0.4) for net in nets]
    square = np.array([strength.fluctuation[2] ** 2 for strength in strengths])
    theory = 19 / 20 * ((1 + 60 / 20) * 1.3**2 + 0.4**2)
    assert strengths[0].null_fluctuation[2] ** 2 == pytest.approx(theory, rel=1e-14)
    testing.assert_mean(square, theory, what="fluctuation below a wider layer")
    testing.assert_uniform([strength.p_value[1] for strength in strengths], what="p of the fluctuation")
    wrong = [graph.strength(net, sigma_w=1.3, sigma_b=2.4).p_value[1] for net in nets]
    with testing.rejects():
        testing.assert_mean(square, 19 / 20 * (1.3**2 + 0.4**2), what="incoming weights alone")
    with testing.rejects():
        testing.assert_uniform(wrong, what="p at another sigma_b")


@settings(max_examples=30)
@given(st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_strengths_follow_a_permutation_of_hidden_units(seed, random):
    net = Network.random([4, 6, 3], rng=seed)
    order = random.sample(range(6), 6)
    moved = Network(
        [net.weights[0][order], net.weights[1][:, order]], [net.biases[0][order], net.biases[1]], net.activations
    )
    before, after = graph.strength(net), graph.strength(moved)
    np.testing.assert_allclose(before.node_strength[1][order], after.node_strength[1], rtol=1e-12, atol=1e-12)
    for name in ("fluctuation", "null_fluctuation", "p_value"):
        np.testing.assert_allclose(getattr(before, name), getattr(after, name), rtol=1e-9)


def test_weights_that_agree_are_seen(rng):
    matrix = rng.normal(size=(40, 50))
    aligned = matrix + np.repeat(rng.normal(size=(40, 1)), 50, axis=1)
    strength = graph.strength(Network([aligned, rng.normal(size=(40, 40))]))
    assert strength.p_value[1] < 1e-6
    assert strength.fluctuation[1] > 2 * strength.null_fluctuation[1]
    axes = Figure().add_subplot()
    assert strength.plot(axes) is axes
    assert "shuffled" in str(strength)


def test_layers_that_cannot_fluctuate_have_no_surprise():
    strength = graph.strength(Network([[[1.0]], [[1.0], [1.0]]]))
    np.testing.assert_array_equal(strength.p_value, 1)
    np.testing.assert_array_equal(strength.fluctuation, 0)
    quiet = graph.strength(Network([np.ones((3, 2))]), sigma_w=0, sigma_b=0)
    np.testing.assert_array_equal(quiet.null_fluctuation, 0)
    single = Network.random([1, 3, 1], rng=0)
    for sigma in ({}, {"sigma_w": 1.0, "sigma_b": 0.5}):
        np.testing.assert_array_equal(graph.strength(single, **sigma).p_value[[0, 2]], 1)


@pytest.mark.parametrize("power", [-1000, -600, 500, 1015])
def test_strengths_know_no_scale(power):
    """Squares of 1e-170 are 0 and those of 1e160 are infinite; the chance of a fluctuation is that of weights of 1."""
    drawn = Network.random([6, 5, 4], sigma_w=1.0, sigma_b=0.5, rng=1)
    coarse = [[np.round(64 * v) / 64 for v in kind] for kind in (drawn.weights, drawn.biases)]
    scale = 2.0**power
    net, large = Network(*coarse), Network(*([scale * v for v in kind] for kind in coarse))
    for sigma in ({}, {"sigma_w": 1.0, "sigma_b": 0.5}):
        expected = graph.strength(net, **sigma)
        scaled = graph.strength(large, **{name: value * scale for name, value in sigma.items()})
        np.testing.assert_array_equal(scaled.p_value, expected.p_value)
        np.testing.assert_array_equal(scaled.fluctuation / scale, expected.fluctuation)
        np.testing.assert_allclose(scaled.null_fluctuation / scale, expected.null_fluctuation, rtol=1e-14)
    with pytest.raises(ValueError, match="exceed the range of float64"):
        graph.strength(Network(np.full((1, 2, 2), 1.5e308)))


@pytest.mark.parametrize(
    ("arguments", "options", "error", "match"),
    [
        (([1, 2],), {}, TypeError, "pass a statnn.Network"),
        ((Network([[[1.0]]]),), {"sigma_w": 1.0}, ValueError, "sigma_b is missing"),
        ((Network([[[1.0]]]),), {"sigma_b": 1.0}, ValueError, "sigma_w is missing"),
        ((Network([[[1.0]]]),), {"sigma_w": -1.0, "sigma_b": 0}, ValueError, "standard deviation"),
        ((Network([[[1.0]]]),), {"sigma_w": [1.0], "sigma_b": 0}, TypeError, "not one number"),
    ],
)
def test_bad_networks_are_refused(arguments, options, error, match):
    with pytest.raises(error, match=match):
        graph.strength(*arguments, **options)


def test_what_is_asked_of_fits_reaches_them(monkeypatch):
    """Every way to growth passes on the test of fit, the stream and the sizes that were asked for."""
    asked = []

    def unfitted(*_, **options):
        asked.append(options)
        raise NoFiniteFitError("options alone are asked for")

    monkeypatch.setattr(growth, "compare", unfitted)
    options = {"goodness": "bootstrap", "rng": 7, "at": [1, 3]}
    net = Network.random([3, 5, 4, 2], "relu", rng=1)
    measured = [
        growth.from_active_samples([1, 2, 0], 6, **options),
        growth.layer(np.eye(6), **options),
        *growth.layers(net, np.eye(6)[:, :3] + 1, **options),
    ]
    assert [layer.rarefaction.at.tolist() for layer in measured] == [[1, 3]] * 4
    assert asked == [{"goodness": "bootstrap", "rng": 7}] * 4


def test_p_values_of_strengths_are_those_of_a_variance():
    """(n-1) s²/σ² of n normal numbers is chi-square of n-1 degrees of freedom."""
    strength = graph.strength(Network.random([4, 6, 3], rng=2), sigma_w=1.0, sigma_b=0.0)
    dof = np.array([3, 5, 2])
    square = dof * (strength.fluctuation / strength.null_fluctuation) ** 2
    tails = np.minimum(stats.chi2.cdf(square, dof), stats.chi2.sf(square, dof))
    assert strength.p_value == pytest.approx(2 * tails, rel=1e-9)


@pytest.mark.parametrize(
    ("unit", "biases"),
    [
        *((1.0, small) for small in [(1e-3, -2e-3), (1.0, -1.0), (0.3, 0.0), (1e-3, -2e-3, 0.0), (0.2, 0.0, -0.1)]),
        *[(1.0, (1.0, 3.0001, 7.0002)), (0.1, (0.1, 0.3, 0.7)), (1.0, (0.0, 1 / 3, 2 / 3)), (1.0, (0.9, -0.6, 0.1))],
    ],
)
def test_p_values_of_weights_of_two_values_beside_biases_of_any_are_those_of_counting(unit, biases):
    """Of all arrangements of as many weights 1 as -1, at most a share p has a p-value up to p."""
    size = 4 * len(biases)
    nets = []
    for places in itertools.combinations(range(size), size // 2):
        weight = np.full(size, -unit)
        weight[[*places]] = unit
        nets.append(Network([weight.reshape(len(biases), 4)], [biases]))
    p_values = np.array([graph.strength(net).p_value[1] for net in nets])
    assert all(np.mean(p_values <= p) <= p * (1 + 1e-12) for p in p_values)


def test_strengths_of_networks_in_single_precision_are_summed_in_double():
    inputs, outputs = graph.node_strength(Network([np.array([[1.0, 2.0**-30], [2.0**-30, 1.0]], np.float32)]))
    assert inputs.tolist() == outputs.tolist() == [1 + 2.0**-30] * 2


def test_the_range_of_random_weights_in_a_picture_holds_95_in_100():
    strength = graph.strength(Network.random([4, 6, 3], rng=2), sigma_w=1.0, sigma_b=0.0)
    (bars,) = strength.plot(Figure().add_subplot()).containers[0][2]
    low, high = np.array([bar[:, 1] for bar in bars.get_segments()]).T
    dof = np.array([3, 5, 2])
    below, above = (stats.chi2.cdf(dof * (end / strength.null_fluctuation) ** 2, dof) for end in (low, high))
    np.testing.assert_allclose([below, above], [[0.025] * 3, [0.975] * 3], rtol=1e-9)


def test_p_of_a_strength_below_the_reach_of_floats_has_a_bound():
    """σ_w = 1 is stated, and weights are a thousand times as large."""
    large = Network([1e3 * np.random.default_rng(1).standard_normal((300, 300))])
    _, *rows = str(graph.strength(large, sigma_w=1.0, sigma_b=0.1)).splitlines()
    assert len(rows) == 2
    assert all(row.endswith(" < 10⁻³⁰⁰") for row in rows)
