"""Batch normalisation in networks: an exact affine map, kept in its raw form and read in its effective one."""

import copy
import pickle

import hypothesis.extra.numpy as arrays_of
import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from statnn.interaction import DynamicNeurons
from statnn.measure.graph import node_strength
from statnn.network import BatchNorm, Network
from statnn.testing.strategies import batch_norms, networks

each_precision = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])


def travelled(thing):
    return pickle.loads(pickle.dumps(thing))  # noqa: S301 - our own bytes


def stepwise(net, x):
    """Raw fields, then the normalisation, then the activation."""
    h = np.asarray(x, dtype=float)
    layers = zip(net.raw_weights, net.raw_biases, net.normalisations, net.activations, strict=True)
    for weight, bias, norm, sigma in layers:
        fields = h @ weight.T + bias
        if norm is not None:
            fields = norm.gamma * (fields - norm.mean) / np.sqrt(norm.variance + norm.epsilon) + norm.beta
        h = sigma(fields)
    return h


# -- one normalisation -----------------------------------------------------------------------------------


@given(batch_norms(3), st.lists(st.floats(-5, 5), min_size=3, max_size=3))
@examples(1)
def test_a_normalisation_is_what_it_says(norm, fields):
    with mpmath.workdps(50):
        for i, h in enumerate(fields):
            mean, variance, gamma, beta = (mpmath.mpf(float(a[i])) for a in norm._arrays)
            slope = gamma / mpmath.sqrt(variance + mpmath.mpf(norm.epsilon))
            size = float(abs(slope) * (abs(h) + abs(mean)) + abs(beta))
            assert abs(norm(fields)[i] - float(slope * (h - mean) + beta)) <= 8e-16 * size
            assert abs(norm.scale[i] - float(slope)) <= 8e-16 * abs(float(slope))
            assert abs(norm.shift[i] - float(beta - slope * mean)) <= 8e-16 * size


@given(arrays_of.arrays(np.float64, (50, 2), elements=st.floats(-1, 1), unique=True))
@examples(0.3)
def test_statistics_of_a_batch_make_it_standard(fields):
    norm = BatchNorm(fields.mean(axis=0), fields.var(axis=0), epsilon=0.0)
    assert np.allclose(norm(fields).mean(axis=0), 0, atol=1e-7)
    assert np.allclose(norm(fields).std(axis=0), 1, atol=1e-7)


@each_precision
def test_parameters_keep_their_precision_and_cannot_be_written(dtype):
    mean = np.ones(2, dtype)
    norm = BatchNorm(mean, np.ones(2, dtype))
    mean[0] = 7
    assert {a.dtype for a in norm._arrays} == {norm.dtype} == {np.dtype(dtype)}
    assert norm.scale.dtype == norm.shift.dtype == np.float64
    for array in norm._arrays:
        assert not (array == 7).any()
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(AttributeError):
        norm.epsilon = 1.0
    assert norm.astype(np.float64).astype(dtype) == norm
    assert repr(norm) == "BatchNorm(2 units, epsilon=1e-05)"


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        (([1.0], [1.0, 2.0]), ValueError, r"variance has shape \(2,\) but mean has \(1,\)"),
        (([1.0], [-1e-9]), ValueError, "variance = -1e-09 is not a finite number >= 0"),
        (([1.0], [0.0], None, None, 0.0), ValueError, r"variance\[0\] \+ epsilon = 0"),
        (([np.nan], [1.0]), ValueError, r"mean\[0\] = nan is not finite"),
        (([[1.0]], [1.0]), ValueError, "mean has shape .* a vector is needed"),
        ((["a"], [1.0]), TypeError, "mean must hold real numbers"),
        (([1.0], [1.0], None, None, -1.0), ValueError, "epsilon = -1"),
        (([1.0], [1.0], None, None, [1.0]), TypeError, "epsilon = .* is not one number"),
    ],
)
def test_bad_normalisations(arguments, error, match):
    with pytest.raises(error, match=match):
        BatchNorm(*arguments)


def test_precisions_there_are():
    with pytest.raises(ValueError, match=r"dtype = .* is not supported"):
        BatchNorm([1.0], [1.0]).astype(np.float16)


# -- networks with them ----------------------------------------------------------------------------------


@given(networks(normalised=True, activations=("identity", "tanh", "relu", "sigmoid")))
@examples(1)
def test_a_network_normalises_its_fields(net):
    x = np.linspace(-1, 1, 3 * net.widths[0]).reshape(3, -1)
    assert np.allclose(net(x), stepwise(net, x), rtol=1e-9, atol=1e-9 * (1 + np.abs(net(x)).max()))
    plain = Network(net.weights, net.biases, net.activations)
    assert np.array_equal(plain(x), net(x))
    for m, norm in enumerate(net.normalisations):
        if norm is None:
            assert net.weights[m] is net.raw_weights[m]
            assert net.biases[m] is net.raw_biases[m]
        else:
            assert np.array_equal(net.weights[m], norm.scale[:, None] * net.raw_weights[m])
            assert np.array_equal(net.biases[m], norm(net.raw_biases[m]))


@given(networks(normalised=True, dtype=np.float32))
@examples(0.5)
def test_effective_parameters_are_rounded_once(net):
    assert {a.dtype for a in net.weights + net.biases + net.raw_weights} == {np.dtype(np.float32)}
    for m, norm in enumerate(net.normalisations):
        if norm is not None:
            exact = norm.scale[:, None] * net.raw_weights[m].astype(np.float64)
            assert np.array_equal(net.weights[m], exact.astype(np.float32))


@given(networks(normalised=True))
@examples(0.5)
def test_copies_are_equal(net):
    for twin in (travelled(net), copy.deepcopy(net)):
        assert twin == net
        assert hash(twin) == hash(net)
        assert twin.normalisations == net.normalisations
    if any(net.normalisations):
        assert Network(net.weights, net.biases, net.activations) != net
        count = sum(norm is not None for norm in net.normalisations)
        assert f"batch norm in {count} of {net.depth} layers" in repr(net)


def test_equality_asks_for_the_statistics():
    def net(epsilon, mean=1.0):
        return Network([[[1.0]]], normalisations=[BatchNorm([mean], [1.0], epsilon=epsilon)])

    assert net(0.5) == net(0.5) != net(0.25)
    assert net(0.5) != net(0.5, mean=2.0)
    assert len({net(0.5), net(0.5), net(0.25)}) == 2
    same = Network([[[1.0]]], normalisations=[BatchNorm([0.0], [1.0], epsilon=0.0)])  # maps every field to itself
    assert same != Network([[[1.0]]])
    assert np.array_equal(same([0.5]), Network([[[1.0]]])([0.5]))
    assert len({BatchNorm([zero], [1.0], beta=[zero]) for zero in (0.0, -0.0)}) == 1  # equal zeros, equal hashes


def test_what_is_shared_stays_shared():
    norm = BatchNorm(np.zeros(30), np.ones(30))
    matrix = np.eye(30)
    net = Network([matrix] * 40, normalisations=[norm, None] * 20)
    for network in (net, travelled(net)):
        assert len({id(w) for w in network.weights}) == 2
        assert len({id(w) for w in network.raw_weights}) == len({id(n) for n in network.normalisations if n}) == 1
    assert len(pickle.dumps(net)) < 2 * matrix.nbytes


def test_one_double_array_makes_all_double():
    single = [np.ones((1, 1), np.float32)]
    norm = BatchNorm(np.zeros(1, np.float32), np.ones(1, np.float32))
    assert Network(single, normalisations=[norm]).dtype == np.float32
    wide = Network(single, normalisations=[norm.astype(np.float64)])
    assert wide.dtype == wide.normalisations[0].dtype == np.float64


def test_what_reads_a_network_reads_effective_parameters():
    norm = BatchNorm([0.5, -0.5], [3.0, 8.0], [2.0, 3.0], [0.1, 0.2], 1.0)
    weights, biases = [np.eye(2), np.ones((1, 2))], [np.zeros(2), np.zeros(1)]
    net = Network(weights, biases, "tanh", normalisations=[norm, None])
    plain = Network(net.weights, net.biases, "tanh")
    x, y = [[0.3, 0.7]], [[0.5]]
    strengths = zip(node_strength(net), node_strength(plain), strict=True)
    assert all(np.array_equal(a, b) for a, b in strengths)
    normalised, effective = (DynamicNeurons(n, inputs=x, targets=y, beta=1.0, stiffness=2.0) for n in (net, plain))
    state = normalised.deterministic() + 0.1
    assert normalised.energy(state) == effective.energy(state) > 0


@pytest.mark.parametrize(
    ("norms_of", "error", "match"),
    [
        ([None, None], ValueError, "there are 2 normalisations for 1 layers"),
        (BatchNorm([0.0], [1.0]), TypeError, "pass a list with a BatchNorm or None per layer"),
        ([1.0], TypeError, r"normalisations\[0\] is a float"),
        ([BatchNorm([0.0, 0.0], [1.0, 1.0])], ValueError, r"normalisations\[0\] has 2 units; layer 0 has 1 outputs"),
        ([BatchNorm([0.0], [1e-300], [1e200], epsilon=0.0)], ValueError, "exceeds the range of float64"),
    ],
)
def test_normalisations_that_do_not_fit(norms_of, error, match):
    with pytest.raises(error, match=match):
        Network([[[1.0]]], normalisations=norms_of)


@pytest.mark.parametrize("fields", [1.0, [1.0], [[1.0], [2.0]], np.ones((3, 3))], ids=["number", "one", "column", "3"])
def test_fields_of_other_units_are_not_spread_over_all(fields):
    """A column of shape (samples, 1) would be broadcast over all units."""
    with pytest.raises(ValueError, match=r"fields have shape .*; \(\.\.\., 2\), the units last, is needed"):
        BatchNorm([1.0, 2.0], [4.0, 1.0])(fields)


def test_statistics_of_two_precisions_are_kept_in_the_finer_one():
    third = np.float64(1) / 3
    norm = BatchNorm(np.float32([1.0]), [third])
    assert (norm.dtype, norm.variance[0]) == (np.float64, third)
    assert BatchNorm(np.float32([1.0]), np.float32([2.0])).dtype == np.float32
