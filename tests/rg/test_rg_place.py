"""Networks placed on the phase diagram: scales with honest errors, signals beside their prediction."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import special

from statnn import Network, rg
from statnn.network import ACTIVATIONS, Activation, BatchNorm
from statnn.rg.wide._decay import DecayEnd, decay
from statnn.testing import assert_mean, rejects

mpl.use("Agg")


def images(rng, samples=400, width=200):
    """Inputs whose pairs have correlation about 0.4."""
    return rng.normal(size=(samples, width)) + 0.8 * rng.normal(size=width)


def test_scales_are_found_with_their_errors(rng):
    """Over many networks (found - true) / error has mean 0 and variance 1."""
    layers = [rg.place(Network.random([40, 60, 50], "tanh", 0.8, 0.2, rng=rng)).layers[0] for _ in range(250)]
    z = np.array([[(p.sigma_w - 0.8) / p.sigma_w_error, (p.sigma_b - 0.2) / p.sigma_b_error] for p in layers])
    assert_mean(z, 0.0, bias=[0.05, 0.4], what="z")  # errors and roots of few squares are a little skewed
    square = np.minimum(z[:, 0] ** 2, 8.0)  # a single one far off would carry the mean of few
    assert_mean(square, 1.0, bias=0.05, what="z²")
    with rejects("twice"):
        assert_mean(square / 4, 1.0, bias=0.05, what="errors twice as large")


def test_the_variance_is_that_of_both_inputs_of_all_pairs(rng):
    net = Network.random([30] * 4, "tanh", 1.2, 0.1, rng=rng)
    x = rng.normal(size=(8, 30)) * np.arange(1, 9)[:, None]
    squares = [float(np.square(fields).mean()) for fields in net.trace(x).fields]
    np.testing.assert_allclose(rg.place(net, x, pairs=4).variance, squares, rtol=1e-13)


def test_the_error_of_a_correlation_is_that_of_its_pairs(rng):
    """Four inputs make two pairs: the error is half the difference of the two, whichever they are."""
    net, x = Network.random([30] * 3, "tanh", 1.2, 0.1, rng=rng), rng.normal(size=(4, 30))
    placed = rg.place(net, x)
    for m, fields in enumerate(net.trace(x).fields):
        cosine = np.corrcoef(np.concatenate([fields, -fields], axis=1))  # about zero
        pairs = np.array([[cosine[0, k], cosine[(k + 1) % 3 or 3, (k + 2) % 3 or 3]] for k in (1, 2, 3)])
        known = np.column_stack([pairs.mean(axis=1), np.abs(np.diff(pairs, axis=1)) / 2])
        gap = known - [placed.correlation[m], placed.correlation_error[m]]
        assert np.abs(gap).max(axis=1).min() < 1e-13


@pytest.mark.parametrize("quantity", ["variance", "correlation"])
def test_simulated_signals_are_drawn_between_their_quantiles_and_beside_infinite_width(quantity):
    layer = rg.RandomLayer("tanh", 1.5, 0.3)
    run = layer.simulate(8, 3, replicas=40, q=2.0, c=0.3, rng=0)
    ax = run.plot(Figure().subplots(), quantity=quantity, level=0.8)
    values = run.correlation if quantity == "correlation" else run.variance[..., 0]
    x, y = ax.collections[0].get_paths()[0].vertices.T
    band = [[pick(y[x == m]) for m in range(4)] for pick in (np.min, np.max)]
    np.testing.assert_allclose(band, np.quantile(values, [0.1, 0.9], axis=0), rtol=1e-12)
    wide = layer.propagate(2.0, 0.3, 3)[quantity == "correlation"]
    np.testing.assert_allclose(ax.lines[1].get_ydata(), wide, rtol=1e-12)


def test_what_finite_width_draws_of_a_relu_that_dies():
    """n Var K/q² = 5m, since E φ⁴/(E φ²)² = 6, and no shift; layers whose q² is no normal float are left out."""
    finite = rg.RandomLayer("relu", 0.1).finite_width(1.0, 90)
    spread, shift = finite.plot(Figure().subplots()).lines
    kept = np.flatnonzero(finite.variance >= 2.0**-511)
    assert kept.size < 90
    np.testing.assert_array_equal(spread.get_xdata(), kept)
    np.testing.assert_allclose(spread.get_ydata(), 5 * kept, rtol=1e-9)
    np.testing.assert_allclose(shift.get_ydata(), 0, atol=1e-9)


@pytest.mark.parametrize("q", [0.2, 7.0])
def test_shifts_are_drawn_over_what_infinite_width_has(q):
    """φ = x² has E K' = 3 w E K², so that the second layer is off by n Var K/q² = E φ⁴/(E φ²)² - 1 = 32/3 of itself."""
    square = Activation("square", np.square, lambda h: 2 * h)
    _, shift = rg.RandomLayer(square, 0.4).finite_width(q, 2).plot(Figure().subplots()).lines
    np.testing.assert_allclose(shift.get_ydata(), [0, 0, 32 / 3], rtol=1e-8, atol=1e-8)


def test_a_decay_without_scatter_is_read_off():
    fitted = decay(np.tile(0.3 + 0.5 * np.exp(-np.arange(12) / 3), (20, 1)))
    assert fitted.outcome is DecayEnd.FITTED
    assert (fitted.length, fitted.limit, fitted.amplitude) == pytest.approx((3, 0.3, 0.5), rel=1e-6)
    assert fitted.error < 1e-6
    assert decay(np.full((20, 12), 0.4)).outcome is DecayEnd.FLAT


def test_the_table_and_the_numbers_of_the_way(rng):
    """One row for each layer, with its own χ and ξ_c; numbers stand beyond the ends of the path, which falls here."""
    weights, biases = rng.normal(size=(3, 60, 60)) / np.sqrt(60), rng.normal(size=(3, 60))
    scales = zip(weights, biases, (2.0, 2.0, 1.2), strict=True)
    placed = rg.place(Network(*zip(*((scale * w, scale * b) for w, b, scale in scales), strict=True), "tanh"))
    rows = placed._table().rows
    assert [row[0] for row in rows] == [1, 2]
    assert [row[3:5] for row in rows] == [(p.point.chi, p.point.xi_correlation) for p in placed.layers]
    ax = placed.plot(Figure().subplots(), critical=False, first=1)
    assert [(text.get_text(), text.xyann) for text in ax.texts] == [("2", (8, 8)), ("3", (-8, -8))]


def test_one_bias_does_not_know_its_scale_without_error():
    """The output of a binary classifier has one bias: σ_b² is a chi-square of one degree, with variance 2σ_b⁴."""
    layer = rg.place(Network([np.ones((3, 2)), [[0.3, -0.4, 1.2]]], [np.zeros(3), [0.5]], "tanh")).layers[0]
    assert (layer.sigma_b, layer.sigma_b_error) == (0.5, pytest.approx(0.5 / np.sqrt(2)))
    without = rg.place(Network([np.ones((3, 2)), [[0.3, -0.4, 1.2]]], activation="tanh")).layers[0]
    assert (without.sigma_b, without.sigma_b_error) == (0.0, 0.0)


def test_signals_follow_the_prediction_more_closely_in_wider_networks(rng):
    x, squares = images(rng, 100), []
    for width in (25, 400):
        square = 0.0
        for _ in range(10):
            net = Network.random([200, *[width] * 8], "tanh", 1.6, 0.2, rng=rng)
            placed = rg.place(net, x)
            assert placed.predicted_correlation[0] == pytest.approx(placed.correlation[0])
            assert placed.correlation.shape == placed.predicted_variance.shape == (8,)
            assert len(placed.layers) == placed.xi_predicted.size == 7
            square += np.mean((placed.correlation - placed.predicted_correlation) ** 2) / 10
        squares.append(square)
    assert squares[1] < 0.06**2
    assert squares[1] < squares[0]  # a sixteenth, give or take a factor of 1.6
    wrong = rg.RandomLayer("tanh", 0.8, 0.2).propagate(placed.variance[0], placed.correlation[0], 7)[1]
    assert np.abs(placed.correlation - wrong).max() > 0.3  # another place predicts something else


def test_the_measured_length_is_the_predicted_one_in_the_ordered_phase(rng):
    net = Network.random([200, *[600] * 15], "tanh", 0.9, 0.3, rng=rng)
    placed = rg.place(net, images(rng))
    assert placed.decay.outcome is DecayEnd.FITTED
    # longer than at the fixed point by 15 %: correlations of the first layers are not near it yet
    assert 1 < placed.decay.length / np.mean(placed.xi_predicted) < 1.3
    assert placed.decay.limit == pytest.approx(1, abs=0.01)


def test_decays_are_fitted_and_doubt_is_said(rng):
    m = np.arange(30)
    exact = 0.3 + 0.5 * np.exp(-m / 4.0) + 1e-6 * rng.normal(size=(100, 30))
    fitted = decay(exact)
    assert fitted.outcome is DecayEnd.FITTED
    assert fitted.length == pytest.approx(4, rel=1e-4)
    assert fitted.limit == pytest.approx(0.3, abs=1e-5)
    assert 0 < fitted.error < 1e-3
    assert fitted.length != pytest.approx(5, rel=0.1)
    assert decay(exact[:, :4]).outcome is DecayEnd.SHALLOW
    assert decay(0.3 + 0.1 * rng.normal(size=(100, 30))).outcome is DecayEnd.FLAT
    slow = decay(1 - m / 1000 + 1e-4 * rng.normal(size=(100, 30)))
    assert slow.outcome is DecayEnd.SLOW
    assert slow.error == np.inf


def test_the_error_of_a_length_is_that_of_its_mean(rng):
    """Each pair decays over a length of its own: the error is that of the mean of ten groups of them."""
    m, own = np.arange(30), 4 + 0.05 * rng.normal(size=(120, 1))
    fitted = decay(0.3 + 0.5 * np.exp(-m / own))
    groups = own.reshape(12, 10).mean(axis=0)  # every tenth pair
    assert fitted.length == pytest.approx(own.mean(), abs=2e-3)
    assert fitted.error == pytest.approx(groups.std(ddof=1) / np.sqrt(10), rel=0.03)


def test_the_error_of_a_length_known_to_many_digits(rng):
    """As before, with lengths that differ by 1e-8 of themselves."""
    m, own = np.arange(30), 4 + 4e-8 * rng.normal(size=(100, 1))
    fitted = decay(0.3 + 0.5 * np.exp(-m / own))
    groups = own.reshape(10, 10).mean(axis=0)
    assert fitted.length == pytest.approx(own.mean(), rel=1e-8)
    assert fitted.error == pytest.approx(groups.std(ddof=1) / np.sqrt(10), rel=1e-4)


def test_correlations_that_end_in_one_layer_do_not_stay_as_they_are(rng):
    """Biases outweigh weights of 0.04: pairs without correlation have one above 0.999 a layer later."""
    scales = [1.0, *[0.04] * 6]
    weights = [scale * rng.normal(size=(300, 300)) / np.sqrt(300) for scale in scales]
    biases = [np.zeros(300), *(rng.normal(size=300) for _ in range(6))]
    placed = rg.place(Network(weights, biases, "tanh"), rng.normal(size=(100, 300)))
    assert abs(placed.correlation[0]) < 0.1
    assert placed.correlation[1] > 0.99
    assert (placed.xi_predicted < 0.15).all()
    assert placed.decay.outcome is DecayEnd.FAST


def test_a_length_is_told_up_to_three_depths(rng):
    """30 layers determine a length of 80 but none of 100; a decay over 1/20 of a layer is seen, but has no length."""
    m, noise = np.arange(30), 1e-7 * rng.normal(size=(100, 30))
    for length, outcome in ((80.0, DecayEnd.FITTED), (100.0, DecayEnd.SLOW), (0.05, DecayEnd.FAST)):
        fitted = decay(0.2 + 0.6 * np.exp(-m / length) + noise)
        assert fitted.outcome is outcome
        assert outcome is not DecayEnd.FITTED or fitted.length == pytest.approx(length, rel=1e-2)
        assert fitted.limit == pytest.approx(
            0.2 if outcome is not DecayEnd.SLOW else 0.2 + 0.6 * np.exp(-0.29), abs=2e-3
        )
    assert decay(0.2 + 0.6 * np.exp(-m[:5] / 2.0) + noise[:, :5]).outcome is DecayEnd.FITTED  # five layers are enough
    few = decay((0.2 + 0.6 * np.exp(-m / 2.0) + noise)[:19]).outcome
    assert few is DecayEnd.SHALLOW
    assert "than twenty pairs" in few
    assert DecayEnd("fewer than five layers: too few for a limit, an amplitude and a length") is few, "of earlier files"


@pytest.mark.parametrize(("size", "outcome"), [(0.02, DecayEnd.FLAT), (0.1, DecayEnd.FITTED)])
def test_a_decay_is_seen_by_the_errors_of_its_means(size, outcome):
    """Of 100 pairs that deviate by 0.2 the means are known to 0.02."""
    m, deviation = np.arange(30), 0.2 * (-1.0) ** np.arange(100)[:, None]
    assert decay(0.3 + size * np.exp(-m / 4.0) + deviation).outcome is outcome


def test_law_units_can_be_permuted(rng):
    net = Network.random([20, 30, 30, 10], "relu", 1.4, 0.3, rng=rng)
    order = rng.permutation(30)
    first, second, third = (w.copy() for w in net.weights)
    other = Network(
        [first[order], second[:, order], third], [net.biases[0][order], net.biases[1], net.biases[2]], "relu"
    )
    x = images(rng, 40, 20)
    plain, permuted = rg.place(net, x), rg.place(other, x)
    np.testing.assert_allclose(plain.correlation, permuted.correlation, rtol=1e-12)
    np.testing.assert_allclose(
        [p.sigma_w for p in plain.layers], [p.sigma_w for p in permuted.layers], rtol=1e-12
    )  # fmt: skip


def test_effective_weights_of_normalised_layers_count():
    weights = [np.full((3, 2), 0.5), np.full((2, 3), 0.5)]
    norm = BatchNorm(np.zeros(2), np.full(2, 0.25), epsilon=0.0)
    net = Network(weights, None, "tanh", normalisations=[None, norm])
    assert rg.place(net).layers[0].sigma_w == pytest.approx(np.sqrt(3))


@pytest.mark.parametrize("sigma_b", [1e6, 1e9])
def test_places_beyond_all_averages_are_drawn_beside_the_line_that_can_be_computed(sigma_b):
    placed = rg.place(Network.random([4, 12, 12, 3], ["tanh", "tanh", "identity"], sigma_b=sigma_b, rng=0))
    path, edge = (line.get_ydata() for line in placed.plot().lines)
    assert path.tolist() == [place.sigma_b for place in placed.layers]
    assert edge.max() == pytest.approx(np.sqrt(1e12 / 2))  # averages reach a variance of 1e12
    mpl.pyplot.close("all")


def test_pictures_draw_what_was_found(rng):
    placed = rg.place(Network.random([200, *[50] * 6], "tanh", 1.6, 0.2, rng=rng), images(rng))
    axes = placed.plot(label="net")
    assert [text.get_text() for text in axes.texts] == ["1", "5"]
    np.testing.assert_allclose(axes.lines[0].get_xdata(), [p.sigma_w for p in placed.layers])
    signals = placed.plot_signals()
    np.testing.assert_allclose(signals.lines[-1].get_ydata(), placed.predicted_correlation)
    assert [text.get_text() for text in signals.get_legend().get_texts()] == ["mean-field theory", "measured"]
    assert placed.plot_signals(Figure().add_subplot()).get_legend() is None
    with pytest.raises(ValueError, match="pass inputs"):
        rg.place(Network.random([4, 4, 4], rng=0)).plot_signals()
    mpl.pyplot.close("all")


def _short(kind):
    return str(kind).partition(":")[0]


@pytest.mark.parametrize(
    "scales", [(1.2, 0.1), (1.2, 0.0), (1.0, 3000.0), (30.0, 1e5), (1e-3, 0.0), (0.0, 0.3)], ids=str
)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_is_placed_and_drawn(name, scales, rng):
    """Also where order does not end at an edge, and for biases far beyond those of other critical lines."""
    net = Network.random([20, 30, 30, 10], name, *scales, rng=rng)
    placed = rg.place(net, images(rng, 40, 20))
    assert placed.layers == rg.place(net).layers  # which are drawn
    assert all(np.isfinite(layer.point.chi) or name == "sign" for layer in placed.layers)
    axes = placed.plot(Figure().add_subplot())
    axes.figure.draw_without_rendering()
    labels = [line.get_label() for line in axes.lines if not line.get_label().startswith("_")]
    if name in {"gelu", "gelu tanh", "silu", "softplus"}:  # order may end in another way there, which is named
        kinds = {r"edge of chaos, $\chi = 1$", *map(_short, rg.TransitionKind)}
        assert set(labels) & kinds
    else:
        assert (r"edge of chaos, $\chi = 1$" in labels) == (name != "sign")


def test_critical_lines_reach_beyond_the_bars():
    """One bias of four: sigma_b is 1/2, with an error of a quarter."""
    placed = rg.place(Network([np.eye(4), np.eye(4)], [[1.0, 0, 0, 0]] * 2, "tanh"))
    ends = max(layer.sigma_b + layer.sigma_b_error for layer in placed.layers)
    edge = next(line for line in placed.plot(Figure().add_subplot()).lines if "edge" in str(line.get_label()))
    assert edge.get_ydata().max() > ends > 1.25 * placed.layers[0].sigma_b


def test_the_line_of_a_function_of_your_own_is_drawn_as_what_it_is(rng):
    gelu = Activation(
        "gelu",
        lambda h: h * special.ndtr(h),
        lambda h: special.ndtr(h) + h * np.exp(-h * h / 2) / np.sqrt(2 * np.pi),
    )
    axes = rg.place(Network.random([20, 30, 30, 10], gelu, 1.2, 0.1, rng=rng)).plot(Figure().add_subplot())
    labels = [line.get_label() for line in axes.lines if not line.get_label().startswith("_")]
    assert labels == ["end of a basin"]


def test_scales_beyond_the_root_of_float64_keep_their_digits():
    weight = np.array([[3.0, -4.0], [0.0, 5.0]])
    for size in (2.0**-600, 1.0):
        layer = rg.place(Network([weight * size] * 2, [[size, -size]] * 2, "tanh")).layers[0]
        assert layer.sigma_w == pytest.approx(5.0 * size, rel=1e-14, abs=0)
        assert layer.sigma_w_error == pytest.approx(size * np.std([18, 32, 0, 50], ddof=1) / 2 / 10, rel=1e-14, abs=0)
        assert (layer.sigma_b, layer.sigma_b_error) == (size, 0.0)
    with pytest.raises(ValueError, match="squares overflow"):
        rg.place(Network([weight * 1e200] * 2, None, "tanh"))


@pytest.mark.parametrize("gain", [0.01, 100.0])
def test_signals_whose_squares_leave_float64_are_not_called_zero(gain):
    net = Network.repeated(gain * np.eye(3), activation="identity", depth=100)
    with pytest.raises(ValueError, match=r"layer 7\d reach from .* squares are outside the range of float64"):
        rg.place(net, np.arange(1.0, 19.0).reshape(6, 3))


def test_a_mean_square_beyond_float64_is_refused_as_its_parts_are(rng):
    """The sum of a hundred squares of 1e307 leaves float64."""
    net = Network([np.eye(2) * 1e153, np.eye(2) * 1e-153], activation="identity")
    with pytest.raises(ValueError, match=r"layer 0 reach from .* squares are outside the range of float64"):
        rg.place(net, 3.0 * rng.choice([-1.0, 1.0], size=(100, 2)))


def test_a_correlation_is_at_most_one(rng):
    """Equal inputs have a cosine of 1, whatever rounding makes of the root of their squares."""
    net = Network([np.eye(3)] * 30, None, "tanh")
    for x in rng.uniform(size=(20, 3)):
        correlation = rg.place(net, np.tile(x, (4, 1))).correlation
        assert correlation.max() <= 1.0
        assert correlation == pytest.approx(1.0, rel=1e-15)


def test_bad_input_is_answered():
    net = Network.random([4, 4, 4], "relu", rng=0)
    with pytest.raises(TypeError, match=r"pass a statnn\.Network"):
        rg.place([1.0])
    with pytest.raises(ValueError, match="one layer"):
        rg.place(Network.random([4, 4], rng=0))
    with pytest.raises(ValueError, match="at least four"):
        rg.place(net, np.zeros((2, 4)))
    with pytest.raises(ValueError, match="pairs = 1 is outside"):  # of one pair there is no error
        rg.place(net, np.ones((8, 4)), pairs=1)
    with pytest.raises(ValueError, match="all zero for some input"):
        rg.place(net, np.zeros((8, 4)))
    with pytest.raises(ValueError, match="this network takes"):
        rg.place(net, np.zeros((8, 3)))
