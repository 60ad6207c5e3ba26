"""Attraction basins: closed forms, directions by hand, and laws that hold for every network."""

import math
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from scipy import integrate, optimize, stats
from strategies import examples

from statnn import testing
from statnn._random import root, stream
from statnn.measure.basins import _measure as basins
from statnn.measure.basins import sample_basin, weight_basin
from statnn.measure.basins._rays import SampleRays, WeightRays
from statnn.measure.basins._search import BEYOND, _share_error, grid, search
from statnn.network import Activation, Network
from statnn.theory.measure.basin_oracle import band_kept, classes_kept, mean_log_radius

SPAN = (1e-3, 1e3)
RESOLUTION = 10 ** (0.5 / 2**12)


def band(width, direction=(0.6, 0.8)):
    """Class 0 where |w.x| < width, w a unit vector."""
    w = np.array(direction)
    return Network([np.stack((w, -w)), [[0.0, 0.0], [1.0, 1.0]]], [[0.0, 0.0], [width, 0.0]], ["relu", "identity"])


def band_radius(width, distance, threshold=0.5):
    """σ at which |a + σz| < width has the chance `threshold`."""

    def chance(log_sigma):
        sigma = math.exp(log_sigma)
        upper, lower = (width - distance) / sigma, (-width - distance) / sigma
        return stats.norm.cdf(upper) - stats.norm.cdf(lower) - threshold

    return math.exp(optimize.brentq(chance, -20, 20, xtol=1e-14))


def lead(classes, threshold=0.5):
    """t at which the first of several Gaussians, t ahead, is the largest with the chance `threshold`."""

    def chance(t):
        return integrate.quad(lambda z: stats.norm.pdf(z) * stats.norm.cdf(z + t) ** (classes - 1), -12, 12)[0]

    return optimize.brentq(lambda t: chance(t) - threshold, 0, 20, xtol=1e-12)


# -- closed forms ----------------------------------------------------------------------------------------


def test_the_band_from_its_centre_by_its_exact_law(rng):
    """Pairs leave together at m/|z|, so the radius of 17 pairs is that of their median |z|: Beta(9, 9)."""
    basin = sample_basin(band(0.7), np.zeros((1000, 2)), draws=34, rng=rng)
    share = 2 * stats.norm.cdf(0.7 / basin.radius) - 1
    testing.assert_uniform(stats.beta(9, 9).cdf(share), what="radius of the band")
    with testing.rejects():
        testing.assert_uniform(stats.beta(8, 10).cdf(share), what="the draw after")
    assert (basin.crossings == 1).all()
    assert (basin.classes == 0).all()


@pytest.mark.parametrize(("distance", "threshold"), [(0.0, 0.5), (0.4, 0.5), (0.9, 0.5), (0.3, 0.9)])
def test_the_band_from_anywhere(distance, threshold, rng):
    draws = 2000
    x = np.tile(distance * np.array([0.6, 0.8]), (150, 1))
    basin = sample_basin(band(1.0), x, draws=draws, threshold=threshold, rng=rng)
    radius = band_radius(1.0, distance, threshold)
    if distance == 0:
        assert math.isclose(radius, 1 / stats.norm.ppf((1 + threshold) / 2), rel_tol=1e-9)
    theory = mean_log_radius(*band_kept(1.0, distance), radius, draws, threshold)
    testing.assert_mean(np.log(basin.radius), theory, what="ln radius")
    with testing.rejects():
        testing.assert_mean(np.log(basin.radius), theory + 0.08, what="ln radius, 8 % more")


def test_error_bars_are_those_of_repetition(rng):
    x = np.tile(0.3 * np.array([0.6, 0.8]), (600, 1))
    basin = sample_basin(band(1.0), x, draws=256, rng=rng)
    theory = math.log(band_radius(1.0, 0.3))
    error = np.log(basin.high / basin.low) / 2
    square = (np.log(basin.radius) - theory) ** 2 / np.mean(error**2)
    square = np.minimum(square, 8.0)  # a single one far off would carry the mean of few
    testing.assert_mean(square, 1.0, bias=0.15, what="squared deviations")
    covered = (basin.low < math.exp(theory)) & (math.exp(theory) < basin.high)
    testing.assert_mean(covered, 0.683, bias=0.04, what="coverage of the interval")
    with testing.rejects():
        testing.assert_mean(4 * square, 1.0, bias=0.15, what="squared deviations, half the error")


def test_the_median_is_that_of_basins_in_order(rng):
    """The median of four is between the second and the third in order, whatever the order in which they were drawn."""
    basin = sample_basin(band(0.7), np.outer([0.0, 0.1, 0.2, 0.69], (0.6, 0.8)), draws=34, rng=rng)
    assert basin.median == np.sort(basin.radius)[1:3].mean()


@given(st.integers(1, 4), st.integers(1, 2), st.integers(0, 2**32))
@examples(0.2)
def test_two_linear_classes_never_end(inputs, outputs, seed):
    net = Network.random([inputs + 1, outputs], "identity", 1.0, 0.5, rng=seed)
    x = np.random.default_rng(seed).standard_normal((5, inputs + 1))
    for basin in (sample_basin, weight_basin):
        measured = basin(net, x, draws=8, rng=seed)
        assert measured.infinite.all()
        assert math.isinf(measured.median)
        assert (measured.kept >= 0.5).all()
        assert (measured.crossings == 0).all()
        assert (measured.high == np.inf).all()


def test_three_linear_classes_end(rng):
    """One class leads two others with orthonormal weights by Δ, under noise on the inputs or on the weights."""
    draws, ahead = 2000, 0.8
    net = Network([np.eye(3)], [[ahead, 0.0, 0.0]], "identity")
    basin = sample_basin(net, np.zeros((150, 3)), draws=draws, rng=rng)
    theory = mean_log_radius(*classes_kept(3, ahead), ahead / lead(3), draws)
    testing.assert_mean(np.log(basin.radius), theory, what="ln radius of three classes")
    with testing.rejects():
        testing.assert_mean(np.log(basin.radius), math.log(ahead / lead(4)), what="of four classes")
    x = np.array([[0.5, 0.5, 0.5]])
    draws = 200
    radii = [weight_basin(net, x, draws=draws, rng=int(rng.integers(2**63))).radius[0] for _ in range(250)]
    size = math.log(math.sqrt(0.75) * np.eye(3).std())
    theory = mean_log_radius(*classes_kept(3, ahead), ahead / lead(3), draws) - size
    testing.assert_mean(np.log(radii), theory, what="ln radius in weight space")
    with testing.rejects():
        testing.assert_mean(np.log(radii), theory + math.log(np.eye(3).std()), what="without std(W)")


def bands():
    """One output above zero where |x| < 1 or 10 < |x| < 1000."""
    return Network(
        [[[1.0], [-1.0]], [[1.0, 1.0]] * 3, [[-1.0, 2.0, -2.0]]],
        [[0.0, 0.0], [0.0, -5.5, -505.0], [1.0]],
        ["relu", "relu", "identity"],
    )


def test_a_share_that_falls_twice_is_said_and_the_first_fall_taken():
    basin = sample_basin(bands(), [[0.0]], draws=4000, rng=1)
    assert basin.classes[0] == 1
    assert basin.crossings[0] == 2
    assert abs(math.log(basin.radius[0] * stats.norm.ppf(0.75))) < 0.1
    assert basin.kept[0].min() < 0.5 < basin.kept[0, grid(SPAN) > 100][0]
    lower = sample_basin(bands(), [[0.0]], draws=4000, threshold=0.15, rng=1)
    assert lower.radius[0] > 1000 / stats.norm.ppf(0.6), "a lower threshold is passed in the second fall alone"
    assert lower.crossings[0] == 1


def test_a_sample_on_a_boundary_has_no_radius():
    net = Network([np.eye(3)], activation="identity")
    basin = sample_basin(net, np.zeros((4, 3)), rng=0)
    assert (basin.radius == 0).all()
    assert (basin.low == 0).all()
    beside = sample_basin(net, [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]], rng=0)
    axes = beside.plot(Figure().add_subplot())
    assert axes.get_xlim()[0] == pytest.approx(beside.radius[1] / 2, rel=1e-12)
    x, y = axes.lines[0].get_data()
    np.testing.assert_allclose(x / beside.radius[1], [0.5, 0.5, 1, 2], err_msg="none at zero, which has no logarithm")
    np.testing.assert_array_equal(y, [0, 0.5, 1, 1])


# -- the search --------------------------------------------------------------------------------------------


class Given:
    """Rays that leave, and may come back, at given amplitudes, shape (samples, draws, 2)."""

    def __init__(self, turns):
        self.turns = np.sort(np.asarray(turns), axis=-1)
        self.samples, self.draws = self.turns.shape[:2]

    def unchanged(self, sample, draw, sigma):
        return (sigma[:, None] > self.turns[sample, draw]).sum(axis=-1) % 2 == 0

    def unchanged_at(self, sigma):
        return (sigma > self.turns).sum(axis=-1) % 2 == 0


amplitudes = st.floats(-3, 2.99).map(lambda x: 10**x)  # beyond the last of the grid, steps are coarser


@examples(0.5)
@given(st.lists(amplitudes, min_size=8, max_size=8), st.sampled_from([0.01, 0.1, 0.5, 0.6, 0.95]))
def test_rays_that_leave_once_end_between_two_of_them(ends, threshold):
    """The radius is half-way through the step on which four rays are left; a point of the grid may begin a step too.

    Before the first ray leaves, and after the last, there is no step: shares end half a ray from 0 and from 1.
    """
    rays = Given([[[end, np.inf] for end in ends]])
    basin = search(rays, grid(SPAN), threshold, 12)
    least = min(max(round(8 * threshold, 9), 0.5), 7.5)
    left = math.floor(least + 0.5)  # of which one leaves there
    earlier, last = sorted(ends)[: 8 - left], sorted(ends)[8 - left]
    begin = max(SPAN[0] / BEYOND, *earlier, *grid(SPAN)[grid(SPAN) <= last])
    expected = begin ** (least - left + 0.5) * last ** (left + 0.5 - least)
    assert expected / RESOLUTION <= basin.radius[0] <= expected * RESOLUTION
    assert basin.low[0] <= basin.radius[0] <= basin.high[0]
    assert basin.crossings[0] == 1
    np.testing.assert_array_equal(basin.kept[0], [(np.array(ends) >= s).mean() for s in grid(SPAN)])


@examples(0.5)
@given(st.lists(st.tuples(amplitudes, amplitudes), min_size=4, max_size=4))
def test_rays_that_come_back_are_counted_as_they_are(turns):
    """The radius is not before the exact share first is 1/2, nor beyond where the grid sees less."""
    rays = Given([[list(pair) for pair in turns]])
    basin = search(rays, grid(SPAN), 0.5, 12)
    seen = rays.turns[0]
    events = np.sort(np.concatenate((seen.ravel(), grid(SPAN))))
    # turns nearer than the resolution may come in either order: those that leave first, those that come back last
    left, back = seen.T
    after = np.array([1 - ((left <= s * RESOLUTION) & (back >= s / RESOLUTION)).mean() for s in events])
    on_grid = (basin.kept[0] < 0.5).any()
    assert np.isfinite(basin.radius[0]) == on_grid
    if on_grid:
        assert basin.radius[0] >= events[after <= 0.5][0] / RESOLUTION
        end = grid(SPAN)[(basin.kept[0] < 0.5).argmax()]
        assert basin.radius[0] <= end
        assert basin.crossings[0] >= 1


@pytest.mark.parametrize(("share", "draws"), [(0.55, 100), (0.56, 50), (0.14, 200), (0.5, 4)])
def test_a_share_at_the_threshold_is_not_below_it(share, draws):
    """As floats 100 times 0.55 is above 55, which must not end a basin without end."""
    stay = round(share * draws)
    basin = search(Given([[[np.inf, np.inf]] * stay + [[1.0, np.inf]] * (draws - stay)]), grid(SPAN), share, 12)
    assert math.isinf(basin.radius[0])
    assert basin.crossings[0] == 0
    assert basin.kept[0, -1] == share


def test_the_error_of_a_radius_is_that_of_the_share_where_it_falls_below():
    """At 15 two pairs and a ray have left, a ray and a pair have not; the share passes a step at its middle."""
    basin = search(Given([[[end, np.inf] for end in (11, 12, 13, 14, 15, 20, 25, 30)]]), grid(SPAN), 0.5, 12)
    off = 8 * np.std([0, 0, 0.5, 1], ddof=1) / 2
    expected = 12 * (13 / 12) ** (2.5 - off), math.sqrt(14 * 15), 20 * (25 / 20) ** (off - 1.5)
    for value, right in zip((basin.low[0], basin.radius[0], basin.high[0]), expected, strict=True):
        assert right / RESOLUTION <= value <= right * RESOLUTION
    endless = search(Given([[[end, np.inf] for end in (2.0, 3.0, 5.0, 20.0, *[np.inf] * 4)]]), grid(SPAN), 0.5, 12)
    off = 8 * np.std([0, 0, 1, 1], ddof=1) / 2  # eight are there at 1, six at the next point, two pairs for ever
    assert (endless.low[0], endless.radius[0]) == (pytest.approx(10 ** ((4 - off) / 4), rel=1e-9), np.inf)


def test_infinite_means_never_on_the_grid():
    rays = Given([[[1e8, np.inf]] * 4, [[1e10, np.inf]] * 4, [[1e-8, np.inf]] * 4, [[1e-10, np.inf]] * 4])
    basin = search(rays, grid(SPAN), 0.5, 12)
    assert abs(math.log(basin.radius[0] / 1e8)) < math.log(BEYOND) / 2**12
    assert math.isinf(basin.radius[1])
    assert abs(math.log(basin.radius[2] / 1e-8)) < math.log(BEYOND) / 2**12
    assert basin.radius[3] == 0
    below = 1e-3 / BEYOND  # three bisections there cut six decades into eighths
    near = search(Given([[[below * 10 ** (6 * 1.2 / 8), np.inf]] * 4]), grid(SPAN), 0.5, 3)
    assert near.radius[0] == pytest.approx(below * 10 ** (6 * 1.5 / 8), rel=1e-12)


# -- directions by hand ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tanh", "relu"])
def test_shares_are_those_of_noise_added_by_hand(name):
    net = Network.random([5, 8, 6, 4], name, 1.5, 0.2, rng=3)
    x = np.random.default_rng(0).standard_normal((6, 5))
    basin = sample_basin(net, x, draws=6, rng=5)
    net_class = net.trace(x).fields[-1].argmax(axis=1)
    np.testing.assert_array_equal(basin.classes, net_class if name == "tanh" else net(x).argmax(axis=1))
    for j in range(6):
        xi = stream(root(5), j, 0).standard_normal((3, 5))
        noise = np.stack((xi, -xi), axis=1).reshape(6, 5)
        for s, kept in zip(basin.sigma[:-1], basin.kept[j], strict=False):
            assert kept == np.mean(net(x[j] + s * noise).argmax(axis=1) == basin.classes[j])


def test_directions_are_not_the_weights_of_a_network_of_the_same_seed():
    """Directions that repeated the rows of W would give each class one of its own."""
    net = Network.random([300, 10], "identity", rng=3)
    shifts = SampleRays(net, np.zeros((1, 300)), 0, 20, root(3))._noise
    assert np.abs(shifts).max() < 8 * np.linalg.norm(net.weights[0], axis=1).max()
    rays = WeightRays(net, np.eye(300), (0,), 4, root(3))
    assert abs(np.corrcoef(rays._pairs[0].first.ravel(), rays._base.ravel())[0, 1]) < 0.2


def perturbed(net, sigma, layers, draws, seed):
    """Yield the networks whose shares a basin in weight space counts."""
    for pair in range(draws // 2):
        rng = stream(root(seed), pair, 1)
        noise = [
            w.std() * rng.standard_normal(w.shape) if layers is None or m in layers else np.zeros(w.shape)
            for m, w in enumerate(net.weights)
        ]
        for sign in (1, -1):
            weights = [w + sign * sigma * n for w, n in zip(net.weights, noise, strict=True)]
            yield Network(weights, net.biases, net.activations)


@pytest.mark.parametrize("layers", [None, [0], [2, 1]], ids=str)
def test_weight_shares_are_those_of_networks_made_by_hand(layers):
    net = Network.random([5, 8, 6, 4], "tanh", 1.5, 0.2, rng=4)
    x = np.random.default_rng(1).standard_normal((7, 5))
    basin = weight_basin(net, x, draws=4, layers=layers, rng=6)

    def share(sigma, samples):
        return np.mean(
            [n.trace(samples).fields[-1].argmax(axis=-1) == basin.classes[: len(samples)]
             for n in perturbed(net, sigma, layers, 4, 6)], axis=0
        )  # fmt: skip

    for k, sigma in enumerate(basin.sigma[:-1]):
        np.testing.assert_array_equal(basin.kept[:, k], share(sigma, x))
    finite = np.flatnonzero(np.isfinite(basin.radius))
    assert finite.size
    for j in finite:  # inside the first interval at whose end the share is below 1/2
        end = (basin.kept[j] < 0.5).argmax()
        assert (basin.sigma[end - 1] if end else 0) <= basin.radius[j] <= basin.sigma[end]


# -- laws --------------------------------------------------------------------------------------------------


def same(first, second):
    np.testing.assert_allclose(first.radius, second.radius, rtol=1e-12)
    np.testing.assert_allclose(first.low, second.low, rtol=1e-12)
    np.testing.assert_allclose(first.high, second.high, rtol=1e-12)
    np.testing.assert_array_equal(first.kept, second.kept)
    np.testing.assert_array_equal(first.classes, second.classes)


@examples(0.2)
@given(st.integers(0, 2**32), st.integers(-3, 3))
def test_relu_rescaling_and_permutation_of_units_change_nothing(seed, power):
    net = Network.random([4, 6, 5, 3], ["relu", "relu", "identity"], 1.5, rng=seed)
    x = np.random.default_rng(seed).standard_normal((6, 4))
    scale, order = 2.0**power, np.random.default_rng(seed).permutation(6)
    scaled = Network([scale * net.weights[0], net.weights[1] / scale, net.weights[2]], None, net.activations)
    permuted = Network([net.weights[0][order], net.weights[1][:, order], net.weights[2]], None, net.activations)
    plain = sample_basin(net, x, draws=8, rng=seed)
    same(plain, sample_basin(scaled, x, draws=8, rng=seed))
    same(plain, sample_basin(permuted, x, draws=8, rng=seed))
    same(weight_basin(net, x, draws=8, rng=seed), weight_basin(scaled, x, draws=8, rng=seed))


def test_blocks_workers_and_neighbours_do_not_matter(monkeypatch):
    net = Network.random([6, 20, 20, 4], "tanh", 2.0, 0.3, rng=1)
    x, reports = np.random.default_rng(2).standard_normal((23, 6)), []
    for basin in (sample_basin, weight_basin):
        whole = basin(net, x, draws=8, rng=3)
        monkeypatch.setattr(basins, "_MOST_BLOCK", 5)
        reports.clear()
        with ThreadPoolExecutor(2) as pool:
            same(whole, basin(net, x, draws=8, rng=3, executor=pool, progress=lambda *done: reports.append(done)))
        assert len(reports) == 6, "an even number of blocks"
        assert reports[-1] == (23, 23)
        some = basin(net, x[:7], draws=8, rng=3)
        np.testing.assert_allclose(some.radius, whole.radius[:7], rtol=1e-12)
        monkeypatch.undo()
    order = np.random.default_rng(0).permutation(23)
    np.testing.assert_allclose(weight_basin(net, x[order], draws=8, rng=3).radius, whole.radius[order], rtol=1e-12)


def test_a_task_travels_between_processes():
    net = Network.random([3, 4, 3], "tanh", 2.0, rng=1)
    task = basins._Task("weights", net, np.ones((2, 3)), 0, (0, 1), 4, root(1), SPAN, 0.5, 12)
    ours, travelled = (basins._block(t) for t in (task, pickle.loads(pickle.dumps(task))))  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(ours[0].radius, travelled[0].radius)


def test_single_precision_is_enough():
    net = Network.random([20, 50, 50, 5], "relu", 1.5, 0.1, rng=7, dtype=np.float32)
    double = Network([w.astype(float) for w in net.weights], [b.astype(float) for b in net.biases], "relu")
    x = np.random.default_rng(0).standard_normal((200, 20), dtype=np.float32)
    medians = [np.median(np.log(sample_basin(n, x, draws=64, rng=1).radius)) for n in (net, double)]
    assert abs(medians[0] - medians[1]) < 0.15, "other directions, the same law"


def test_a_longer_way_to_the_boundary_is_a_wider_basin():
    distances = np.array([0.05, 0.2, 0.5, 0.9])
    x = (1 - distances)[:, None] * np.array([0.6, 0.8])
    basin = sample_basin(band(1.0), x, draws=2000, rng=0)
    assert (np.diff(basin.radius) > 0).all()
    assert (
        np.diff([sample_basin(band(1.0), x[:1], threshold=t, draws=200, rng=0).radius[0] for t in (0.9, 0.7, 0.5)]) > 0
    ).all()


# -- what is handed back -----------------------------------------------------------------------------------


def test_radii_by_class_and_pictures():
    net = Network([[[2.0, 0.0], [0.0, 1.0], [0.0, -1.0]]], activation="identity")
    x = np.random.default_rng(1).standard_normal((30, 2))
    labels = np.arange(30) % 2
    basin = sample_basin(net, x, labels, draws=8, rng=0)
    assert list(basin.by_class()) == [0, 1]
    np.testing.assert_array_equal(basin.by_class()[1], basin.radius[1::2])
    unlabelled = sample_basin(net, x, draws=8, rng=0)
    assert sum(map(len, unlabelled.by_class().values())) == 30
    np.testing.assert_array_equal(unlabelled.by_class()[1], basin.radius[basin.classes == 1])
    axes = Figure().add_subplot()
    assert basin.plot(axes, by_class=True) is axes
    assert axes.get_legend() is not None
    assert len(axes.lines) == 2
    assert axes.get_xscale() == "log"
    endless = sample_basin(Network([[[1.0]]], activation="identity"), [[1.0]], rng=0).plot(Figure().add_subplot())
    assert endless.lines[0].get_label() == "100% infinite"
    assert endless.get_xlim() == pytest.approx((SPAN[0] / 2, 2 * SPAN[1])), "where radii were looked for"
    assert "std" in weight_basin(net, x, draws=4, rng=0).plot(Figure().add_subplot()).get_xlabel()


NET = Network.random([2, 3, 2], rng=0)
X = [[0.0, 1.0], [1.0, 0.0]]
WILD = Network([[[1e100]], [[1e100]]], activation=Activation("cube", lambda h: h**3, lambda h: 3 * h**2))


def test_noise_is_relative_to_weights_of_any_size():
    """The square of a deviation of 1e-170 is 0, that of 1e160 infinite: neither is the deviation."""
    net = Network.random([3, 4], "identity", sigma_w=1.0, sigma_b=0.0, rng=2)
    x = np.array([[1.0, -0.5, 0.25], [0.0, 1.0, 2.0]])
    expected = weight_basin(net, x, draws=8, rng=1).radius
    for scale in (2.0**-600, 2.0**600):
        scaled = Network([scale * net.weights[0]], activation="identity")
        np.testing.assert_allclose(weight_basin(scaled, x, draws=8, rng=1).radius, expected, rtol=1e-9)
    huge = Network([2.0**1020 * net.weights[0]], activation="identity")
    with pytest.raises(ValueError, match="beyond the range"):
        weight_basin(huge, x, draws=8, rng=1)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"threshold": 0.0}, ValueError, "above 0"),
        ({"threshold": 1.0}, ValueError, "between 0 and 1"),
        ({"threshold": "half"}, TypeError, "one real number"),
        ({"draws": 7}, ValueError, "odd; directions come in pairs ±ξ: pass 8"),
        ({"draws": 2}, ValueError, r"draws = 2 .* \[4,"),
        ({"draws": 8.0}, TypeError, "whole number"),
        ({"steps": 0}, ValueError, "steps = 0"),
        ({"steps": 61}, ValueError, r"steps = 61 .*60"),
        ({"span": (1.0, 0.1)}, ValueError, "must rise"),
        ({"span": 3.0}, TypeError, "two amplitudes"),
        ({"span": (0.0, 1.0)}, ValueError, "above 0"),
        ({"labels": [0]}, ValueError, "1 labels for 2 samples"),
        ({"labels": [0, 5]}, ValueError, "labels reach 5"),
        ({"rng": -1}, ValueError, "rng = -1"),
    ],
)
@pytest.mark.parametrize("basin", [sample_basin, weight_basin])
def test_bad_input_is_refused(basin, arguments, error, match):
    with pytest.raises(error, match=match):
        basin(NET, X, **arguments)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: sample_basin(None, X), TypeError, "load_network"),
        (lambda: weight_basin(None, X), TypeError, "load_network"),
        (lambda: sample_basin(NET, [[1.0]]), ValueError, "flatten images"),
        (lambda: weight_basin(NET, X, layers=[2]), ValueError, r"layers = 2 .* \[0, 1\]"),
        (lambda: weight_basin(NET, X, layers=[]), TypeError, "list of layers"),
        (lambda: weight_basin(NET, X, layers=1), TypeError, "list of layers"),
        (
            lambda: weight_basin(Network.repeated([[1.0]], depth=2), [[1.0]]),
            ValueError,
            "all weights of layer 0 are equal",
        ),
        (lambda: sample_basin(WILD, [[1e-12]], rng=0), ValueError, "beyond the range of float64: lower the upper end"),
        (lambda: sample_basin(NET, X, draws=10**7), MemoryError, "take fewer draws"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_what_cannot_be_done_is_refused(call, error, match, monkeypatch):
    monkeypatch.setattr("statnn._memory.available", lambda: 1e8)
    with pytest.raises(error, match=match):
        call()


@given(st.integers(1, 10**5), st.integers(100, 5000))
def test_blocks_leave_no_worker_of_two_idle(samples, room):
    size = basins._shared_evenly(samples, room)
    sizes = [min(size, samples - i) for i in range(0, samples, size)]
    assert size <= min(room, basins._MOST_BLOCK)
    if 1 < len(sizes) <= size:
        assert abs(sum(sizes[::2]) - sum(sizes[1::2])) <= len(sizes)


def test_the_error_of_a_share_is_that_of_pairs_and_at_least_one_ray():
    pairs = [[[1, 1], [1, 0], [0, 0], [0, 1]], [[1, 0]] * 4]
    errors = _share_error(np.array(pairs, dtype=bool).reshape(2, 8))
    assert errors == pytest.approx([math.sqrt(1 / 24), 1 / 8], rel=1e-15)
