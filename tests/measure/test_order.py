"""Order of samples: pairs and ranks against brute force, closed forms, and laws that no data may break."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from scipy import stats
from strategies import examples

from statnn import testing
from statnn.measure.order import group_order, l_map, l_map_accuracy, pooled_ranks, rank_probability, unit_order
from statnn.measure.order._order_kernels import add_up, count_pairs, pool_ranks
from statnn.measure.order._ranks import _fields, _stratified
from statnn.network import Activation, BatchNorm, Network, leaky_relu

numbers = st.integers(-6, 6).map(float)


@st.composite
def recordings(draw):
    """Fields with many ties, signs with zeros, labels with at least two samples of at least two classes."""
    classes = draw(st.integers(2, 4))
    labels = [0, 0, classes - 1, classes - 1, *draw(st.lists(st.integers(0, classes - 1), max_size=8))]
    labels += [k for k in range(classes) if labels.count(k) == 1]
    units = draw(st.integers(1, 4))
    fields = draw(
        st.lists(st.lists(numbers, min_size=units, max_size=units), min_size=len(labels), max_size=len(labels))
    )
    weights = draw(st.lists(st.lists(st.sampled_from([-2.0, 0.0, 1.0]), min_size=units, max_size=units),
                            min_size=classes, max_size=classes))  # fmt: skip
    return (
        np.array(fields),
        np.array([[row[0] or 1.0, *row[1:]] for row in weights]),
        np.array(draw(st.permutations(labels))),
    )


def auc_by_pairs(fields, weights, labels, k):
    """Mean over units of the chance that a sample of class k ranks above another, ties half, by enumeration."""
    chances = []
    for h, w in zip(fields.T, weights[k], strict=True):
        if w:
            gap = np.sign(w) * (h[labels == k][:, None] - h[labels != k][None, :])
            chances.append(np.mean((gap > 0) + 0.5 * (gap == 0)))
    return np.mean(chances)


# -- pairs -----------------------------------------------------------------------------------------------


def pairs_by_enumeration(reference, values):
    i, j = np.nonzero(reference[:, None] < reference[None, :])
    gap = values[j] - values[i]
    return np.array([(gap > 0).sum(), (gap == 0).sum(), (gap < 0).sum()])


@examples(0.4)
@given(st.lists(st.tuples(numbers, numbers), min_size=2, max_size=20))
def test_pairs_are_those_of_enumeration(samples):
    reference, values = np.array(samples).T
    order = group_order("identity", values[:, None], [1.0], reference=reference)
    expected = pairs_by_enumeration(reference, values)
    assert order.pairs[0] == expected.sum()
    if expected.sum():
        np.testing.assert_array_equal([order.kept[0], order.tied[0], order.inverted[0]], expected / expected.sum())
    else:
        assert (order.kept[0], order.tied[0], order.inverted[0]) == (1, 0, 0)
    assert order.tau[0] == order.kept[0] - order.inverted[0]


@examples(0.4)
@given(st.lists(numbers, min_size=2, max_size=20), st.sampled_from(["tanh", "erf", "sigmoid", "identity"]))
def test_increasing_units_keep_all_pairs(fields, name):
    assert unit_order(name, fields).kept[0] == 1


def test_what_each_kind_of_unit_loses():
    h = np.arange(-10.0, 11.0)
    relu = unit_order("relu", h)
    assert relu.inverted[0] == 0
    assert relu.tied[0] == math.comb(11, 2) / math.comb(21, 2), "all pairs that are not above zero"
    bump = unit_order(Activation("bump", lambda x: np.exp(-(x**2) / 50), lambda x: -x / 25 * np.exp(-(x**2) / 50)), h)
    assert bump.kept[0] == bump.inverted[0] == (1 - bump.tied[0]) / 2, "even functions keep what they invert"
    assert bump.tied[0] == 10 / math.comb(21, 2)
    assert unit_order(Activation("minus", np.negative, lambda x: -np.ones_like(x)), h).inverted[0] == 1
    for precision, tied in ((np.float32, 1 / 3), (np.float64, 0)):
        saturated = unit_order("tanh", np.array([10.0, 12.0, -1.0], precision))
        assert saturated.tied[0] == tied, "tanh of such fields is 1 in float32 alone"


def test_monotone_units_invert_only_together():
    h = np.linspace(-3, 3, 201)
    fields = np.stack([2 * h + 1, -h], axis=1)
    together = group_order("tanh", fields, [[1.0, 1.0], [1.0, 0.0]], reference=h)
    assert together.inverted[0] > 0.1
    assert together.inverted[1] == 0
    assert (unit_order("tanh", fields).inverted == 0).all()
    values = np.tanh(fields).sum(axis=1)
    expected = pairs_by_enumeration(h, values)
    np.testing.assert_allclose(together.kept[0], expected[0] / expected.sum(), rtol=0, atol=0)


def test_a_group_of_one_is_that_unit(rng):
    """Also where it saturates: of 1 - k 2⁻⁵³, neighbours in float64, a third is rounded to the same number."""
    for sigma, fields in (("relu", rng.standard_normal((50, 1))), ("tanh", np.linspace(14.0, 19.0, 50)[:, None])):
        alone = unit_order(sigma, fields)
        for weight in (0.5, -2.0, 1 / 3, -7.0, 1e-300):
            assert group_order(sigma, fields, [weight]) == alone
            assert group_order(sigma, np.tile(fields, 2), [0.0, weight]) == alone


@pytest.mark.parametrize(("samples", "units", "groups"), [(37, 300, 1), (10, 64, 3), (1001, 100, 2)])
def test_equal_samples_are_tied_wherever_they_stand(samples, units, groups, rng):
    """BLAS rounds the last rows of a product differently, which must not order equal samples."""
    sample, weights = rng.standard_normal(units), rng.standard_normal((groups, units))
    fields = np.tile(sample, (samples, 1))
    assert not group_order("tanh", fields, weights).pairs.any()
    assert (group_order("tanh", fields, weights, reference=np.arange(samples)).tied == 1).all()
    levels = sample + rng.integers(0, 3, samples)[:, None]
    straight, turned = (group_order("tanh", values, weights) for values in (levels, levels[::-1]))
    assert straight == turned


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize(("samples", "inputs", "width"), [(10, 6, 64), (23, 6, 64), (50, 6, 300), (58, 100, 300)])
def test_equal_inputs_share_their_ranks(layer, samples, inputs, width, rng):
    """Corners of a cube, as in tasks of Boolean functions: a product of matrices may round equal rows differently."""
    net = Network.random([inputs, width, 2], activation="tanh", rng=rng)
    corners, which = rng.integers(0, 2, (4, inputs)).astype(float), rng.integers(0, 4, samples)
    labels = np.arange(samples) % 2
    fields = net.trace(corners).fields[layer][which]
    x = corners[which]
    x[(x == 0) & (rng.random(x.shape) < 0.5)] = -0.0
    ranks, expected = (
        rank_probability(net, x, labels, layer),
        pooled_ranks(fields, l_map(net, layer), labels),
    )
    np.testing.assert_allclose(ranks.auc, expected.auc, rtol=0, atol=1e-12)
    np.testing.assert_allclose(ranks.slope, expected.slope, rtol=0, atol=1e-12)


def test_samples_that_are_alike_below_a_layer_share_its_fields():
    """All that a layer sees counts, from the inputs on; -0.0 is 0.0. A product rounds its rows by where they stand."""
    x, h, fields = np.array([[0.0], [-0.0], [1.0], [0.0]]), np.array([[5.0], [6.0], [5.0], [7.0]]), np.arange(4.0)
    net = SimpleNamespace(trace=lambda _: SimpleNamespace(activations=[x, h], fields=[fields, fields + 10]))
    assert _fields(net, x, 0).tolist() == [0, 0, 2, 0]
    assert _fields(net, x, 1).tolist() == [10, 10, 10, 10]


@pytest.mark.parametrize(("samples", "width"), [(58, 34), (73, 65), (30, 100)])
def test_equal_activations_share_their_ranks(samples, width, rng):
    """Unlike samples that look alike from the second layer on, as where every unit is saturated."""
    net = Network.random([1, width, 3], activation="sign", sigma_b=1.0, rng=rng)
    x, labels = np.linspace(-30, 30, samples)[:, None], np.arange(samples) % 3
    fields = [[math.fsum(w * h) for w in net.weights[1]] for h in net.trace(x).activations[1]] + net.biases[1]
    ranks, expected = (rank_probability(net, x, labels, 1), pooled_ranks(fields, np.eye(3), labels))
    np.testing.assert_allclose(ranks.auc, expected.auc, rtol=0, atol=1e-12)
    np.testing.assert_allclose(ranks.slope, expected.slope, rtol=0, atol=1e-12)


def test_linear_groups_keep_all(rng):
    assert (group_order("identity", rng.standard_normal((40, 3)), rng.standard_normal((5, 3))).kept == 1).all()


# -- kernels ---------------------------------------------------------------------------------------------


def test_kernels_equal_their_twins(rng):
    start, rank = np.array([0, 2, 3, 7, 9]), rng.integers(0, 5, 9)
    assert count_pairs(start, rank, np.zeros(6, np.int64)) == count_pairs.py_func(start, rank, np.zeros(6, np.int64))
    inputs, weights = rng.standard_normal((7, 5)), rng.standard_normal((5, 3))
    sums = np.zeros((2, 7, 3))
    add_up(inputs, weights, sums[0])
    add_up.py_func(inputs, weights, sums[1])
    np.testing.assert_array_equal(*sums)
    np.testing.assert_allclose(sums[0], inputs @ weights, rtol=1e-14, atol=1e-14)
    values, labels = rng.integers(0, 5, 12).astype(float), np.array([0, 1, 2] * 4)
    results = []
    for function in (pool_ranks, pool_ranks.py_func):
        arrays = np.zeros((3, 7)), np.zeros((3, 12)), np.zeros(3)
        function(values, np.argsort(values), labels, np.array([1, -1, 0]), np.array([4, 4, 4]), *arrays)
        results.append(arrays)
    for by_kernel, by_twin in zip(*results, strict=True):
        np.testing.assert_array_equal(by_kernel, by_twin)


# -- ranks -----------------------------------------------------------------------------------------------


@examples(0.4)
@given(recordings())
def test_slope_is_that_of_auc_and_share(recording):
    fields, weights, labels = recording
    ranks = pooled_ranks(fields, weights, labels, bins=5)
    np.testing.assert_allclose(ranks.slope, 12 * (1 - ranks.share) * (ranks.auc - 0.5), rtol=0, atol=1e-13)
    by_pairs = [auc_by_pairs(fields, weights, labels, k) for k in ranks.classes]
    np.testing.assert_allclose(ranks.auc, by_pairs, rtol=0, atol=1e-14)
    np.testing.assert_allclose(ranks.density.mean(axis=1), 1, rtol=1e-13)
    assert (np.abs(ranks.slope) <= 6 * (1 - ranks.share) + 1e-12).all()
    used = ranks.counted.sum(axis=1)
    np.testing.assert_allclose(ranks.unit_slopes.sum(axis=1) / used, ranks.slope, rtol=0, atol=1e-14)


@examples(0.4)
@given(recordings(), st.integers(1, 9))
def test_ranks_of_all_classes_make_the_uniform_law(recording, bins):
    fields, weights, labels = recording
    ranks = pooled_ranks(fields, np.ones_like(weights), labels, bins=bins)
    np.testing.assert_allclose(ranks.share @ ranks.density, 1, rtol=1e-13)
    np.testing.assert_allclose(ranks.share @ ranks.slope, 0, atol=1e-13)


@examples(0.4)
@given(recordings())
def test_turning_all_weights_mirrors_the_law(recording):
    fields, weights, labels = recording
    plain, mirrored = (pooled_ranks(fields, sign * weights, labels, bins=6) for sign in (1, -1))
    np.testing.assert_allclose(plain.density, mirrored.density[:, ::-1], rtol=0, atol=1e-13)
    np.testing.assert_allclose(plain.slope, -mirrored.slope, rtol=0, atol=1e-14)
    np.testing.assert_allclose(plain.slope_error, mirrored.slope_error, rtol=1e-9, atol=1e-12)


@examples(0.4)
@given(recordings(), st.randoms(use_true_random=False))
def test_orders_of_samples_and_units_and_increasing_maps_do_not_matter(recording, random):
    fields, weights, labels = recording
    samples, units = (np.array(random.sample(range(n), n)) for n in fields.shape)
    plain = pooled_ranks(fields, weights, labels)
    moved = pooled_ranks(np.arctan(fields[samples][:, units]), 3 * weights[:, units], labels[samples])
    for name in ("slope", "slope_error", "auc", "density", "layer_slope", "layer_slope_error"):
        np.testing.assert_allclose(getattr(plain, name), getattr(moved, name), rtol=0, atol=1e-12)


@examples(0.3)
@given(st.integers(0, 2**32), st.integers(-3, 3), st.integers(0, 1))
def test_positive_rescaling_of_relu_units_changes_nothing(seed, power, layer):
    net = Network.random([6, 7, 5, 3], "relu", 1.5, 0.3, rng=seed)
    scale = 2.0**power  # a power of two, so that rounding changes nothing either
    weights = [scale * net.weights[0], net.weights[1] / scale, net.weights[2]]
    other = Network(weights, [scale * net.biases[0], *net.biases[1:]], "relu")
    x, labels = np.random.default_rng(seed).standard_normal((30, 6)), np.arange(30) % 3
    plain, scaled = (rank_probability(n, x, labels, layer) for n in (net, other))
    np.testing.assert_array_equal(plain.slope, scaled.slope)
    np.testing.assert_array_equal(plain.density, scaled.density)


def test_a_unit_of_one_class():
    """It ranks that class above all others: s = 6(1-π) and a density 1/π on the last share π."""
    labels = np.repeat(np.arange(10), 20)
    ranks = pooled_ranks((labels == 3)[:, None] + np.linspace(0, 0.5, 200)[:, None], np.ones((10, 1)), labels, bins=10)
    np.testing.assert_allclose(ranks.slope[3], 6 * 0.9, rtol=1e-14)
    np.testing.assert_allclose(ranks.density[3], [0] * 9 + [10], rtol=0, atol=1e-13)
    assert ranks.auc[3] == 1


def test_classes_without_samples_are_left_out():
    ranks = pooled_ranks(np.arange(6.0)[:, None], np.ones((9, 1)), [7, 7, 7, 2, 2, 2])
    np.testing.assert_array_equal(ranks.classes, [2, 7])
    np.testing.assert_array_equal(ranks.auc, [1, 0])


def test_gaussian_classes_and_the_error_of_a_slope(rng):
    """AUC = Φ(d/√2) for unit Gaussians a distance d apart, and errors that are those of repetition."""
    distance, share = 0.8, 0.25
    labels = (np.arange(200) < 200 * share).astype(int)
    slopes, errors = [], []
    for _ in range(700):
        shared = rng.standard_normal((200, 1))  # correlated units, whose average is no better known
        fields = (shared + rng.standard_normal((200, 3))) / math.sqrt(2) + distance * labels[:, None]
        ranks = pooled_ranks(fields, np.ones((2, 3)), labels)
        slopes.append(ranks.slope[1])
        errors.append(ranks.slope_error[1])
    slopes, errors = np.array(slopes), np.array(errors)
    theory = 12 * (1 - share) * (stats.norm.cdf(distance / math.sqrt(2)) - 0.5)
    testing.assert_mean(slopes, theory, what="slope of Gaussian classes")
    square = np.minimum((slopes - theory) ** 2 / np.mean(errors**2), 8.0)  # so that no single one carries the spread
    testing.assert_mean(square, 1.0, bias=0.01, what="error of the slope")
    with testing.rejects():
        testing.assert_mean(slopes, 12 * (stats.norm.cdf(distance / math.sqrt(2)) - 0.5), what="without class share")
    with testing.rejects():
        testing.assert_mean(3 * square, 1.0, bias=0.01, what="units taken as independent")


def test_isotropic_weights_have_no_slope_but_a_law_of_their_own(rng):
    """The mean slope is 0 and the mean law symmetric; a narrow class sits in the middle, so the law is not uniform."""
    labels = np.arange(60) % 2
    x = rng.standard_normal((60, 4)) * np.where(labels, 1.0, 0.05)[:, None]
    drawn = [rank_probability(Network.random([4, 8, 2], rng=int(rng.integers(2**63))), x, labels, bins=4)
             for _ in range(600)]  # fmt: skip
    slopes, laws = (np.array([getattr(ranks, name)[0] for ranks in drawn]) for name in ("slope", "density"))
    testing.assert_mean(slopes, 0.0, what="slope of random weights")
    testing.assert_mean(laws[:, 0] - laws[:, 3], 0.0, what="symmetry of the law")
    with testing.rejects():
        testing.assert_mean(laws[:, 0], 1.0, what="a uniform law")
    aligned = [np.abs(ranks.unit_slopes[0]).mean() for ranks in drawn]
    with testing.rejects():
        testing.assert_mean(aligned, 0.0, what="units turned towards the class")


# -- the map -----------------------------------------------------------------------------------------------


def test_l_map_is_the_product_of_effective_weights(rng):
    raw = [rng.standard_normal(shape) for shape in ((5, 4), (6, 5), (3, 6))]
    norm = BatchNorm(rng.standard_normal(6), rng.uniform(0.5, 2, 6), rng.standard_normal(6), rng.standard_normal(6))
    net = Network(raw, activation="tanh", normalisations=[None, norm, None])
    scale = norm.gamma / np.sqrt(norm.variance + norm.epsilon)
    np.testing.assert_allclose(l_map(net, 0), raw[2] @ np.diag(scale) @ raw[1], rtol=1e-13)
    np.testing.assert_array_equal(l_map(net, 2), np.eye(3))
    assert l_map(Network([[[1e200]], [[1e200]]]), 0) == [[1e200]]  # whatever is below the layer
    biased = Network([[[1.0]], [[1.0]], [[10.0]]], [[0.0], [1e308], [1e308]])
    assert l_map(biased, 0) == [[10.0]]  # or added to it
    with pytest.raises(ValueError, match="linear map from layer 0 exceed the range"):
        l_map_accuracy(biased, [[1.0]], [1])


def test_the_map_of_a_linear_network_is_the_network(rng):
    net = Network.random([4, 6, 5, 3], "identity", 1.0, 0.5, rng=1)
    x = rng.standard_normal((40, 4))
    assert (l_map_accuracy(net, x, net(x).argmax(axis=1)) == 1).all()


@pytest.mark.parametrize("last", ["sigmoid", "relu"])
def test_accuracy_through_the_map_is_that_of_substituted_networks(last, rng):
    """Outputs, too, are those of the identity, which tells classes apart where relu gives zeros to all."""
    net = Network.random([4, 6, 5, 3], ["tanh", "relu", last], 2.0, 0.5, rng=2)
    x = rng.standard_normal((200, 4))
    labels = np.where(rng.random(200) < 0.5, net(x).argmax(axis=1), rng.integers(0, 3, 200))
    expected = []
    for kept in range(4):
        names = [*("tanh", "relu", last)[:kept], *["identity"] * (3 - kept)]
        expected.append(np.mean(Network(net.weights, net.biases, names)(x).argmax(axis=1) == labels))
    np.testing.assert_array_equal(l_map_accuracy(net, x, labels), expected)
    assert expected[3] > expected[0]


@pytest.mark.parametrize("last", ["identity", "tanh", "sigmoid", "relu", leaky_relu(-0.5)], ids=str)
def test_a_single_output_decides_by_its_sign(last, rng):
    net = Network([[[1.0, -1.0]]], activation=last)
    x = rng.standard_normal((50, 2))
    out = net(x)[:, 0]
    labels = out > (0.5 if last == "sigmoid" else 0)
    assert l_map_accuracy(net, x, labels)[1] == 1
    if last != "relu" and isinstance(last, str):
        ranks = rank_probability(net, x, labels)
        np.testing.assert_array_equal(ranks.auc, [1, 1])


def test_outputs_of_the_l_map_beyond_float64_have_no_class():
    """Both outputs are infinite then, and the first of equal ones would be the class."""
    weights = [1e100 * np.array([[1, 1], [1, -1]]), 1e200 * np.array([[1, -1], [1, 1]]), np.eye(2)]
    net = Network(weights, activation="tanh")
    assert l_map_accuracy(net, [[2e7, 1e7], [1e7, 3e7]], [0, 1]).shape == (4,)
    with pytest.raises(ValueError, match="linear map from layer 0 exceed the range of float64"):
        l_map_accuracy(net, [[1e10, 2e10], [3e10, 1e10]], [1, 0])


def test_draws_itself(rng):
    axes = Figure().add_subplot()
    ranks = pooled_ranks(rng.standard_normal((20, 3)), np.ones((2, 3)), np.arange(20) % 2)
    assert ranks.plot(axes) is axes
    assert axes.get_legend() is not None
    assert axes.get_ylabel() == "density"
    assert len(axes.patches) == 2


NET = Network.random([2, 3, 2], rng=0)
TWO = [[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 3.0]]


def test_no_two_of_many_classes_are_drawn_alike(rng):
    ranks = pooled_ranks(rng.standard_normal((60, 3)), np.ones((20, 3)), np.arange(60) % 20)
    drawn = [(patch.get_edgecolor(), patch.get_linestyle()) for patch in ranks.plot(Figure().add_subplot()).patches]
    assert len(set(drawn)) == len(drawn) == 20


@pytest.mark.parametrize(
    ("function", "arguments", "error", "match"),
    [
        (rank_probability, (NET, TWO, [0, 0, 1]), ValueError, "3 labels for 4 samples"),
        (rank_probability, (NET, TWO, [0, 0, 1, 2]), ValueError, "labels reach 2, .* number them from 0 to 1"),
        (rank_probability, (NET, TWO, [0, 0, 0, 0]), ValueError, "all samples are of class 0"),
        (rank_probability, (NET, TWO, [0, 0, 0, 1]), ValueError, "class 1 has one sample only"),
        (rank_probability, (NET, TWO, [0.0, 0.0, 1.0, 1.0]), TypeError, "astype"),
        (rank_probability, (NET, TWO, np.eye(2)[[0, 0, 1, 1]]), ValueError, "argmax"),
        (rank_probability, (NET, TWO, [0, 0, 1, 1], 2), ValueError, r"layer = 2 .* \[0, 1\]"),
        (rank_probability, (NET, TWO, [0, 0, 1, 1], -1), ValueError, "layer = -1"),
        (rank_probability, (NET, [[1.0]] * 4, [0, 0, 1, 1]), ValueError, "flatten images"),
        (rank_probability, ("net", TWO, [0, 0, 1, 1]), TypeError, "load_network"),
        (pooled_ranks, (TWO, [[0.0, 0.0], [1.0, 1.0]], [0, 0, 1, 1]), ValueError, "towards class 0: nothing to rank"),
        (pooled_ranks, (TWO, [[1.0], [1.0]], [0, 0, 1, 1]), ValueError, r"\(classes, units\)"),
        (pooled_ranks, ([[np.nan, 0.0]] * 4, np.ones((2, 2)), [0, 0, 1, 1]), ValueError, "fields = nan"),
        (l_map, (NET, 1.0), TypeError, "whole number"),
        (l_map, (Network.repeated([[1e200]], depth=3), 0), ValueError, "range of float64"),
        (l_map, (np.eye(2), 0), TypeError, "ndarray"),
        (l_map_accuracy, (NET, TWO, [0, 1]), ValueError, "2 labels for 4 samples"),
        (l_map_accuracy, (NET, TWO, np.eye(4)), ValueError, r"shape \(4, 4\); .* pass onehot.argmax\(axis=1\)"),
        (l_map_accuracy, (NET, TWO, [[0], [1], [0], [1]]), ValueError, r"shape \(4, 1\); .* pass labels\[:, 0\]"),
        (unit_order, ("tanh", [1.0]), ValueError, "at least two"),
        (unit_order, ("tan", [1.0, 2.0]), ValueError, "unknown"),
        (unit_order, (Activation("log", lambda h: np.log(np.abs(h)), np.reciprocal), [0.0, 1.0]), ValueError, "finite"),
        (group_order, ("tanh", TWO, [1.0]), ValueError, r"need \(groups, 2\)"),
        (group_order, ("tanh", TWO, [[1.0, np.inf]]), ValueError, "weights = inf"),
        (group_order, ("tanh", [[1e200, 1e200]] * 2, [1e200, 1e200]), ValueError, "exceed the range of float64"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_bad_input_is_refused(function, arguments, error, match):
    with pytest.raises(error, match=match):
        function(*arguments)


def test_bins_and_references_are_checked():
    with pytest.raises(ValueError, match="bins = 0"):
        pooled_ranks(TWO, np.ones((2, 2)), [0, 0, 1, 1], bins=0)
    with pytest.raises(ValueError, match="one number for each of the 4 samples"):
        group_order("tanh", TWO, [1.0, 1.0], reference=[1.0])


def test_slopes_of_classes_that_do_not_meet_have_no_error(rng):
    """Every sample of one class lies above every sample of the other, whichever of them are at hand."""
    x = np.r_[rng.random(50), 2 + rng.random(25)][:, None] * rng.random(7)
    net = Network([rng.random((7, 7)), rng.standard_normal((2, 7))], activation=["tanh", "identity"])
    ranks = rank_probability(net, x, [0] * 50 + [1] * 25)
    assert ranks.slope_error.tolist() == [0, 0]
    assert ranks.layer_slope_error == 0


def test_samples_that_take_turns_in_every_place_have_slopes_without_error(rng):
    """In unit u sample j of a class has place j + u of 17: sums of equal terms, each in an order of its own."""
    places = rng.permutation(34).reshape(2, 17)
    fields = np.concatenate([np.stack([np.roll(own, u) for u in range(17)], axis=1) for own in places])
    ranks = pooled_ranks(fields, np.ones((2, 17)), np.repeat([0, 1], 17))
    assert ranks.slope_error.tolist() == [0, 0]
    assert ranks.layer_slope_error == 0


def test_errors_of_slopes_are_those_of_means_within_classes():
    influence, own = np.array([[1.0, 2.0, 4.0, 3.0, 7.0]]), np.array([0, 0, 0, 1, 1])
    expected = np.sqrt(np.var([1, 2, 4], ddof=1) / 3 + np.var([3, 7], ddof=1) / 2)
    assert _stratified(influence, own, np.array([3, 2]))[0] == pytest.approx(expected, rel=1e-14)


def test_the_error_of_a_layer_knows_that_slopes_of_classes_go_together(rng):
    """Where all units point to both of two classes Σ π_k s_k = 0: one slope is -π_1/π_0 times the other."""
    labels = (np.arange(40) < 10).astype(int)
    ranks = pooled_ranks(rng.standard_normal((40, 3)), np.ones((2, 3)), labels)
    share = (1 - 10 / 30) / 2
    assert ranks.layer_slope == pytest.approx(share * ranks.slope[1], rel=1e-12)
    assert ranks.layer_slope_error == pytest.approx(share * ranks.slope_error[1], rel=1e-12)


def test_the_error_of_a_slope_is_that_of_delong(rng):
    """For one unit s = 12 (1 - π)(AUC - 1/2), with AUC a mean over pairs; in repetitions classes keep their sizes."""
    labels = np.repeat([0, 1, 2], [8, 10, 12])
    for x in (rng.standard_normal(30), rng.integers(0, 5, 30).astype(float)):
        check_error_of_delong(x, labels)


def check_error_of_delong(x, labels):
    """Half of the pairs that tie count as above."""
    ranks = pooled_ranks(x[:, None], np.ones((3, 1)), labels)
    for k, error in enumerate(ranks.slope_error):
        inside = labels == k
        pairs = (np.sign(x[inside][:, None] - x[~inside]) + 1) / 2
        variance = pairs.mean(axis=1).var(ddof=1) / inside.sum()
        for j in {0, 1, 2} - {k}:
            part = pairs.mean(axis=0)[labels[~inside] == j]
            variance += (part.size / (30 - inside.sum())) ** 2 * part.var(ddof=1) / part.size
        assert error == pytest.approx(12 * (1 - inside.mean()) * math.sqrt(variance), rel=1e-12)
