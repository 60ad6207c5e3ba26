"""Arrays that carry names, as of pandas and xarray: those that belong together name their entries in one order."""

import numpy as np
import pytest

from statnn import Network, rg
from statnn.inspection import inspect
from statnn.interaction import BinaryNeurons, DynamicNeurons
from statnn.measure import basins, growth, order, spikes
from statnn.network import BatchNorm

pandas = pytest.importorskip("pandas")
SAMPLES = 40
X = pandas.DataFrame(np.random.default_rng(1).normal(size=(SAMPLES, 3)), columns=[*"abc"])
LABELS = pandas.Series(np.arange(SAMPLES) % 2)
THRESHOLD = pandas.Series([0.1, 0.2, 0.3], [*"abc"])
RATES = pandas.Series([0.1, 0.2, 0.3])
NET = Network.random([3, 5, 2], rng=1)
BELOW = pandas.DataFrame(np.arange(12.0).reshape(4, 3), [*"wxyz"], [*"abc"])
ABOVE = pandas.DataFrame(np.arange(8.0).reshape(2, 4), columns=[*"wxyz"])
SQUARE = pandas.DataFrame([[0.1, 0.2], [0.3, 0.4]], [*"xy"], [*"xy"])
STACK = rg.RandomLayer("relu", 1.0).power(2)
DEPTHS = pandas.Series(np.repeat([100.0, 200.0, 400.0], 9))
CONTROLS = pandas.Series(np.tile(np.linspace(-2, 2, 9), 3)) / DEPTHS
VALUES = rg.FixedFunction(3, 1 / 3).finite_depth((CONTROLS * DEPTHS).to_numpy()) / DEPTHS


def in_two_batches(batch):
    activity = spikes.Accumulator(3, window=5)
    activity.update(X)
    activity.update(batch)
    return activity.result()


def with_threshold(threshold):
    activity = spikes.Accumulator(3, threshold=threshold, window=5)
    activity.update(X)
    return activity.result()


def collapsed(controls=CONTROLS, values=VALUES, errors=1e-3 * VALUES):
    return rg.collapse(controls, DEPTHS, values, errors, rng=1)


CALLS = {
    "batches": (in_two_batches, X, 1),
    "thresholds-of-batches": (with_threshold, THRESHOLD, 0),
    "thresholds": (lambda part: spikes.statistics(X, part, 5), THRESHOLD, 0),
    "thresholds-of-growth": (lambda part: growth.layer(X, part, rng=1), THRESHOLD, 0),
    "labels": (lambda part: spikes.statistics(X, 0.0, 5, order="blocked", labels=part), LABELS, 0),
    "labels-of-ranks": (lambda part: order.rank_probability(NET, X, part), LABELS, 0),
    "labels-of-fields": (lambda part: order.pooled_ranks(X, np.ones((2, 3)), part), LABELS, 0),
    "labels-of-maps": (lambda part: order.l_map_accuracy(NET, X, part), LABELS, 0),
    "labels-of-basins": (lambda part: basins.sample_basin(NET, X, part, draws=4, rng=1), LABELS, 0),
    "labels-of-a-page": (lambda part: inspect(NET, X, part, only=["layers"], rng=1), LABELS, 0),
    "targets": (lambda part: DynamicNeurons(NET, X, part), pandas.DataFrame(np.eye(2)[LABELS]), 0),
    "weights-of-a-network": (lambda part: Network([BELOW, part]), ABOVE, 1),
    "biases": (lambda part: Network([BELOW, ABOVE], [part, [0.0, 0.0]]), BELOW["a"], 0),
    "variances": (lambda part: BatchNorm(THRESHOLD, part), THRESHOLD, 0),
    "scales": (lambda part: BatchNorm(THRESHOLD, [1, 2, 3], part), THRESHOLD, 0),
    "offsets": (lambda part: BatchNorm(THRESHOLD, [1, 2, 3], beta=part), THRESHOLD, 0),
    "biases-of-a-layer": (lambda part: rg.LinearLayer(BELOW, part), BELOW["a"], 0),
    "fields-of-a-layer": (lambda part: rg.BinaryLayer(BELOW, part), BELOW["a"], 0),
    "inputs-of-a-layer": (lambda part: rg.BinaryLayer(BELOW, inputs=part), BELOW.loc["x"], 0),
    "weights-of-a-layer": (rg.LinearLayer, SQUARE, 1),
    "couplings-of-a-layer": (rg.BinaryLayer, SQUARE, 0),
    "weights-of-ranks": (lambda part: order.pooled_ranks(X, part, LABELS), X[:2], 1),
    "weights-of-a-group": (lambda part: order.group_order("tanh", X, part), THRESHOLD, 0),
    "weights-of-groups": (lambda part: order.group_order("tanh", X, part), X[:2], 1),
    "reference": (lambda part: order.group_order("tanh", X, [1, 1, 1], reference=part), X["a"], 0),
    "weights-of-classes": (lambda part: spikes.blocked_fano_factor(RATES, 10, weights=part), RATES, 0),
    "controls": (lambda part: collapsed(controls=part), CONTROLS, 0),
    "values": (lambda part: collapsed(values=part), VALUES, 0),
    "errors": (lambda part: collapsed(errors=part), 1e-3 * VALUES, 0),
    "distances": (lambda part: rg.FixedFunction(3, 1 / 3).finite_depth(part, THRESHOLD), THRESHOLD, 0),
    "correlations": (lambda part: rg.RandomLayer("relu", 1.0).correlation_map(part, THRESHOLD), THRESHOLD, 0),
    "correlations-of-a-stack": (lambda part: STACK.correlation_map(part, THRESHOLD), THRESHOLD, 0),
}


@pytest.mark.parametrize(("call", "part", "axis"), CALLS.values(), ids=CALLS)
def test_names_in_another_order_are_refused(call, part, axis):
    """As counted values come, the most frequent class first, or as columns of another table."""
    turned = part.iloc[::-1] if axis == 0 else part.iloc[:, ::-1]
    with pytest.raises(ValueError, match=r"have the same names in another order, at 0 .*to_numpy\(\)"):
        call(turned)


@pytest.mark.parametrize(("call", "part", "axis"), CALLS.values(), ids=CALLS)
def test_names_in_one_order_and_other_names_are_taken_by_their_places(call, part, axis):
    """A part of a table keeps numbers of its rows, and belongs to arrays beside it all the same."""
    named = part.set_axis([f"name {k}" for k in range(part.shape[axis])], axis=axis)
    results = [repr(call(given)) for given in (part, named, part.to_numpy())]
    assert results[0] == results[1] == results[2]


def test_a_covariance_names_its_units_as_the_weights_do():
    noise = pandas.DataFrame(np.diag([1.0, 2.0]), SQUARE.index, SQUARE.columns)
    assert rg.LinearLayer(SQUARE, 0.0, noise).noise_covariance[1, 1] == 2
    with pytest.raises(ValueError, match=r"noise_covariance and weight .* at 0 'y' and 'x'"):
        rg.LinearLayer(SQUARE, 0.0, noise.iloc[::-1, ::-1])
    mean = SQUARE["x"]
    assert rg.LinearLayer(np.eye(2)).propagate(mean, noise).covariance[1, 1] == 2
    with pytest.raises(ValueError, match="covariance and mean have the same names in another order"):
        rg.LinearLayer(np.eye(2)).propagate(mean, noise.iloc[::-1, ::-1])


def test_states_of_axes_without_names_are_taken_by_their_places():
    """Names of dask would be computed, and a single number of xarray has no axis."""
    model = BinaryNeurons([[0, 1], [1, 0]])
    states = pytest.importorskip("dask.array").from_array(np.array([[1, 1], [1, -1]]))
    assert model.energy(states).tolist() == [-1, 1]
    with pytest.raises(ValueError, match=r"state has shape \(\)"):
        model.energy(pytest.importorskip("xarray").DataArray(1))


def test_names_may_be_those_of_attributes_of_tables():
    """pandas shows an entry of a row, or a column of a table, under its name as an attribute, too."""
    names = ["columns", "dims", "index", "indexes"]
    x, threshold = pandas.DataFrame(np.eye(4), columns=names), pandas.Series(np.linspace(0.0, 0.9, 4), names)
    assert spikes.statistics(x, threshold, 2).rate.tolist() == [0.25] * 4
    with pytest.raises(ValueError, match=r"threshold and activations .* at 0 'indexes' and 'columns'"):
        spikes.statistics(x, threshold[::-1], 2)


def test_coordinates_are_names():
    xarray = pytest.importorskip("xarray")
    x = xarray.DataArray(X.to_numpy(), dims=["sample", "unit"], coords={"unit": [*"abc"]})
    threshold = xarray.DataArray([0.1, 0.2, 0.3], dims="unit", coords={"unit": [*"cba"]})
    with pytest.raises(ValueError, match=r"threshold and activations .* at 0 'c' and 'a'"):
        spikes.statistics(x, threshold, 5)
    assert spikes.statistics(x, threshold[::-1], 5).units == 3
