"""Networks: what they compute, that they never change, and how activations keep their digits."""

import copy
import pickle
import warnings

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

import statnn
from statnn.network import ACTIVATIONS, Activation, BatchNorm, Network, leaky_relu
from statnn.testing.strategies import networks

each_activation = pytest.mark.parametrize("name", ACTIVATIONS)
each_precision = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
FIELDS = np.array(
    [-60, -33.3, -20, -12.345678, -9.5, -5, -2.2, -1, -0.3, -1e-3, -1e-9, 0, 1e-9, 1e-3, 0.3, 1, 2.2, 5, 9.5, 20, 60]
)


def _cubic(h):
    return mpmath.sqrt(2 / mpmath.pi) * (h + mpmath.mpf("0.044715") * h**3)


def _cubic_slope(h):
    return mpmath.sqrt(2 / mpmath.pi) * (1 + 3 * mpmath.mpf("0.044715") * h**2)


EXACT = {
    "identity": lambda h: h,
    "tanh": mpmath.tanh,
    "erf": mpmath.erf,
    "relu": lambda h: max(h, mpmath.mpf(0)),
    "leaky relu": lambda h: h if h > 0 else mpmath.mpf(0.01) * h,
    "sigmoid": lambda h: 1 / (1 + mpmath.exp(-h)),
    "sign": lambda h: mpmath.mpf(1 if h >= 0 else -1),
    "gelu": lambda h: h * mpmath.ncdf(h),
    "gelu tanh": lambda h: h * (1 + mpmath.tanh(_cubic(h))) / 2,
    "silu": lambda h: h / (1 + mpmath.exp(-h)),
    "softplus": lambda h: mpmath.log1p(mpmath.exp(h)),
    "sin": mpmath.sin,
}
SLOPES = {
    "identity": lambda _: mpmath.mpf(1),
    "tanh": lambda h: mpmath.sech(h) ** 2,
    "erf": lambda h: 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-(h**2)),
    "relu": lambda h: mpmath.mpf(1 if h > 0 else 0),
    "leaky relu": lambda h: mpmath.mpf(1 if h > 0 else 0.01),
    "sigmoid": lambda h: mpmath.exp(-h) / (1 + mpmath.exp(-h)) ** 2,
    "sign": lambda _: mpmath.mpf(0),
    "gelu": lambda h: mpmath.ncdf(h) + h * mpmath.npdf(h),
    "gelu tanh": lambda h: (1 + mpmath.tanh(_cubic(h)) + h * mpmath.sech(_cubic(h)) ** 2 * _cubic_slope(h)) / 2,
    "silu": lambda h: (1 + h / (1 + mpmath.exp(h))) / (1 + mpmath.exp(-h)),
    "softplus": lambda h: 1 / (1 + mpmath.exp(-h)),
    "sin": mpmath.cos,
}


def travelled(thing):
    return pickle.loads(pickle.dumps(thing))  # noqa: S301 - our own bytes


def square(h):
    return h * h


def double(h):
    return 2 * h


def ulps(values, exact):
    """Return errors in units of the last place of the type; below its range, in units of its smallest number."""
    errors = []
    for value, truth in zip(values, exact, strict=True):
        spacing = float(np.spacing(values.dtype.type(abs(truth)))) if truth else float(np.spacing(values.dtype.type(0)))
        errors.append(float(abs(mpmath.mpf(float(value)) - truth) / spacing))
    return np.array(errors)


# -- activations -----------------------------------------------------------------------------------------


@each_activation
@each_precision
def test_activations_keep_their_digits(name, dtype):
    fields = FIELDS.astype(dtype)
    with mpmath.workdps(700):  # 1 + tanh is tiny in the tails
        points = [mpmath.mpf(float(h)) for h in fields]
        values, slopes = ACTIVATIONS[name](fields), ACTIVATIONS[name].derivative(fields)
        assert values.dtype == slopes.dtype == dtype
        assert ulps(values, [EXACT[name](h) for h in points]).max() < 6
        allowed = 12 + 2 * fields**2 if name == "erf" else 12
        assert (ulps(slopes, [SLOPES[name](h) for h in points]) < allowed).all()


@each_activation
@each_precision
def test_activations_take_any_field(name, dtype):
    """They do so without a warning, which is an error here; fields may be lists."""
    sigma, largest = ACTIVATIONS[name], float(np.finfo(dtype).max)
    for function in (sigma, sigma.derivative):
        assert np.isfinite(function(np.array([largest, -largest, largest**0.51], dtype))).all()
    assert np.array_equal(sigma([-1.5, 2]), sigma(np.array([-1.5, 2])))


def test_the_naive_slope_of_tanh_would_be_seen():
    h = np.array([9.0], dtype=np.float32)
    with mpmath.workdps(50):
        assert ulps(1 - np.tanh(h) ** 2, [mpmath.sech(9) ** 2])[0] > 1000


@each_activation
def test_slopes_are_those_of_finite_differences(name):
    h, step = np.array([-2.3, -0.7, 0.4, 1.9]), 1e-5
    sigma = ACTIVATIONS[name]
    quotient = (sigma(h + step) - sigma(h - step)) / (2 * step)
    assert np.allclose(sigma.derivative(h), quotient, atol=1e-9, rtol=1e-8)


@each_activation
def test_whole_numbers_are_fields_like_others(name):
    sigma, whole = ACTIVATIONS[name], np.array([-3, 0, 2])
    assert np.array_equal(sigma(whole), sigma(whole.astype(float)))
    assert np.array_equal(sigma.derivative(whole), sigma.derivative(whole.astype(float)))


def test_leaky_relu_with_a_slope_of_ones_own():
    sigma = leaky_relu(0.25)
    assert sigma == leaky_relu(0.25) != leaky_relu(0.5)
    assert sigma.slope == 0.25
    assert np.array_equal(sigma(np.array([-4.0, 4.0])), [-1.0, 4.0])
    assert np.array_equal(sigma.derivative(np.array([-4.0, 0.0, 4.0])), [0.25, 0.25, 1.0])


def test_an_activation_of_ones_own():
    net = Network([[[1.0], [-2.0]]], [[1.0, 0.0]], Activation("square", square, double))
    assert np.array_equal(net([3.0]), [16.0, 36.0])
    assert net.activations[0].code == -1
    assert travelled(net) == net
    single = Network([np.ones((1, 1), np.float32)], activation=Activation("wide", np.float64, np.ones_like))
    assert single(np.ones(1)).dtype == np.float32


def test_activations_that_cannot_travel_say_why():
    mine = Activation("mine", lambda h: h * h, double)
    with pytest.raises(pickle.PicklingError, match=r"function of activation 'mine' cannot be sent .* top of a module"):
        pickle.dumps(Network([[[1.0]]], activation=mine))
    with pytest.raises(pickle.PicklingError, match="derivative of activation 'mine' cannot"):
        pickle.dumps(Activation("mine", square, lambda h: 2 * h))
    assert copy.deepcopy(mine) is mine


# -- what a network computes -----------------------------------------------------------------------------


@given(networks(), st.integers(1, 4))
@examples(0.5)
def test_a_trace_has_every_layer(net, samples):
    x = np.linspace(-1, 1, samples * net.widths[0]).reshape(samples, -1)
    trace = net.trace(x)
    assert [a.shape for a in trace.activations] == [(samples, n) for n in net.widths]
    assert [f.shape for f in trace.fields] == [(samples, n) for n in net.widths[1:]]
    for m, sigma in enumerate(net.activations):
        assert np.array_equal(trace.activations[m + 1], sigma(trace.fields[m]))
        by_hand = np.einsum("ij,sj->si", net.weights[m], trace.activations[m]) + net.biases[m]
        assert np.allclose(trace.fields[m], by_hand, atol=1e-12)
    assert np.array_equal(net(x), trace.activations[-1])
    alone = net.trace(x[0])
    assert [a.shape for a in alone.activations] == [(n,) for n in net.widths]


@given(networks(activations=("identity", "tanh", "relu")), st.data())
@examples(0.5)
def test_networks_compose(net, data):
    """The trace of a network is that of its lower part, continued by that of its upper part."""
    cut = data.draw(st.integers(0, net.depth))
    x = np.linspace(-2, 2, 3 * net.widths[0]).reshape(3, -1)
    whole = net.trace(x).activations
    parts = [slice(0, cut), slice(cut, net.depth)]
    layers, h = [x], x
    for part in parts:
        if net.weights[part]:
            h = (trace := Network(net.weights[part], net.biases[part], net.activations[part]).trace(h)).activations[-1]
            layers += trace.activations[1:]
    assert all(np.array_equal(a, b) for a, b in zip(layers, whole, strict=True))


@given(networks(), st.randoms(use_true_random=False))
@examples(0.5)
def test_the_order_of_hidden_units_does_not_matter(net, random):
    orders = [np.array(random.sample(range(n), n)) for n in net.widths]
    orders[0], orders[-1] = np.arange(net.widths[0]), np.arange(net.widths[-1])
    weights = [w[orders[m + 1]][:, orders[m]] for m, w in enumerate(net.weights)]
    biases = [b[orders[m + 1]] for m, b in enumerate(net.biases)]
    x = np.linspace(-1, 1, 2 * net.widths[0]).reshape(2, -1)
    smooth = [sigma if sigma.name != "sign" else "tanh" for sigma in net.activations]
    outputs = Network(net.weights, net.biases, smooth)(x)
    assert np.allclose(Network(weights, biases, smooth)(x), outputs, rtol=1e-9, atol=1e-9)


@each_precision
def test_precision_is_kept(dtype):
    net = Network.random([3, 4, 2], sigma_b=0.5, rng=1, dtype=dtype)
    assert {a.dtype for a in net.weights + net.biases} == {net.dtype} == {np.dtype(dtype)}
    trace = net.trace(np.ones((5, 3)))
    assert {a.dtype for a in trace.fields + trace.activations} == {np.dtype(dtype)}
    assert Network([np.ones((1, 1), dtype)]).dtype == dtype


@pytest.mark.parametrize(
    ("net", "x", "said"),
    [
        (Network([np.ones((1, 1), np.float32)]), [-1e39], r"x reaches 1e\+39, beyond the range of float32"),
        (Network([[[1e308, -1e308]]]), [10.0, 10.0], "fields of layer 0 exceed the range of float64"),  # ∞ - ∞
        (Network([[[1e308, 1e308]]], [[-1e308]]), [[10.0, 10.0]] * 3, "fields of layer 0 exceed the range of float64"),
    ],
)
def test_what_leaves_the_precision_is_refused_without_a_warning(net, x, said):
    with pytest.raises(ValueError, match=said):
        net(x)


def test_mixed_precision_is_double():
    assert Network([np.ones((1, 1), np.float32)], [np.ones(1)]).dtype == np.float64
    assert Network([[[1]]]).dtype == np.float64
    assert Network.repeated(np.ones((1, 1), np.float32), depth=2).dtype == np.float32
    assert Network.repeated(np.ones((1, 1), np.float32), [0.5], depth=2).dtype == np.float64


def test_both_precisions_draw_the_same_numbers():
    doubles, singles = (
        Network.random([5, 4, 3], sigma_b=1.0, rng=3, dtype=dtype) for dtype in (np.float64, np.float32)
    )
    assert all(np.array_equal(a.astype(np.float32), b) for a, b in zip(doubles.weights, singles.weights, strict=True))
    assert all(np.array_equal(a.astype(np.float32), b) for a, b in zip(doubles.biases, singles.biases, strict=True))


def test_random_weights_are_scaled_by_the_fan_in():
    net = Network.random([400, 100, 1600], sigma_w=1.5, sigma_b=0.3, rng=0)
    # relative standard error of a variance of n numbers: sqrt(2/n)
    for w, b, fan_in in zip(net.weights, net.biases, [400, 100], strict=True):
        assert abs(w.var() * fan_in / 1.5**2 - 1) < 6 * np.sqrt(2 / w.size)
        assert abs(b.var() / 0.3**2 - 1) < 6 * np.sqrt(2 / b.size)
    assert not Network.random([3, 2], rng=0).biases[0].any()


def test_seeds():
    assert Network.random([3, 2], rng=1) == Network.random([3, 2], rng=1) != Network.random([3, 2], rng=2)
    deeper = Network.random([3, 2, 5], rng=1)
    assert np.array_equal(deeper.weights[0], Network.random([3, 2], rng=1).weights[0])
    generator = np.random.default_rng(1)
    assert Network.random([3, 2], rng=generator) != Network.random([3, 2], rng=generator)


# -- networks never change -------------------------------------------------------------------------------


def everything(net):
    return (*net.weights, *net.biases)


def test_parameters_cannot_be_written():
    mine, bias = np.ones((2, 2)), np.zeros(2)
    net = Network([mine, mine.T], [bias, bias])
    mine[0, 0] = bias[0] = 7.0
    locked = np.ones((2, 2))
    locked.flags.writeable = False
    other = Network([locked])
    locked.flags.writeable = True
    locked[0, 0] = 7.0
    for array in (*everything(net), *everything(other), *everything(travelled(net))):
        assert not (array == 7).any()
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 1
        for view in (array, array.view(), array.base, np.asarray(array)):
            if isinstance(view, np.ndarray):
                with pytest.raises(ValueError, match="WRITEABLE"):
                    view.flags.writeable = True
    for name in ("weights", "depth", "new"):
        with pytest.raises(AttributeError, match="a Network is immutable"):
            setattr(net, name, ())
    with pytest.raises(AttributeError, match="is immutable"):
        del net.weights


def test_inputs_are_not_the_callers_array():
    x = np.ones((1, 2))
    trace = Network([np.eye(2)], activation="identity").trace(x)
    x[0] = 5
    assert np.array_equal(trace.activations[0], [[1, 1]])


def test_repeated_layers_are_one_array():
    net = Network.repeated(np.eye(50), np.zeros(50), depth=200)
    for same in (net, travelled(net), Network([net.weights[0]] * 3, [net.biases[0]] * 3)):
        assert len({id(w) for w in same.weights}) == len({id(b) for b in same.biases}) == 1
    assert len(pickle.dumps(net)) < 2 * net.weights[0].nbytes
    assert net == Network([np.eye(50)] * 200)
    stacked = Network(np.arange(12.0).reshape(3, 2, 2))
    assert [w[0, 0] for w in stacked.weights] == [0, 4, 8]


@given(networks())
@examples(0.5)
def test_copies_are_equal(net):
    for twin in (
        travelled(net),
        copy.deepcopy(net),
        Network(net.weights, net.biases, net.activations),
    ):
        assert twin == net
        assert hash(twin) == hash(net)
    other = [*net.biases[:-1], net.biases[-1] + 1]
    assert Network(net.weights, other, net.activations) != net


def test_equality_asks_for_everything():
    net = Network([[[1.0]]], [[0.0]], "tanh")
    minus = Network([[[1.0]]], [[-0.0]], "tanh")
    assert net == minus
    assert hash(net) == hash(minus)
    assert net != Network([[[1.0]]], [[0.0]], "relu")
    assert net != Network([np.ones((1, 1), np.float32)], [np.zeros(1, np.float32)], "tanh")
    assert net != Network([[[1.0]], [[1.0]]])
    assert net != "net"
    assert len({net, minus, Network([[[2.0]]])}) == 2


def test_a_deep_network_is_made_and_used_quickly():
    net = Network.repeated([[1.0]], [1e-6], activation="identity", depth=10**5)
    assert np.isclose(net([0.0])[0], 0.1)
    assert repr(net) == "Network(1-1-1-...-1-1, identity)"


def test_built_in_activations_do_not_warn_anywhere():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ACTIVATIONS:
            net = Network([[[1e300]], [[1.0]]], activation=[name, "tanh"])
            assert np.isfinite(net([[0.0], [-1.0], [1.0]])).all()
            assert np.isfinite(ACTIVATIONS[name].derivative(np.array([-700.0, 0.0, 700.0]))).all()


def test_the_front_door():
    assert statnn.Network is Network


def test_layers_of_a_random_network_are_drawn_apart():
    first, second = Network.random([5, 5, 5], sigma_b=1.0, rng=1).weights
    assert not np.isin(first, second).any()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Network.random({784, 256, 10}),
        lambda: Network.random([3, 4, 2], activation=frozenset({"tanh", "relu"})),
        lambda: Network([np.ones((2, 2)), np.ones((1, 2))], normalisations={None, BatchNorm([0, 0], [1, 1])}),
    ],
)
def test_layers_are_given_in_an_order(make):
    """The order of a set of names differs between processes, which would make different networks."""
    with pytest.raises(TypeError, match="is a set, which has no order: pass a list"):
        make()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Network.random([2, 2], dtype=np.float16), "float16.* is not supported; use numpy.float32 or"),
        (lambda: Network.random([2, 2], sigma_w=[1.0, 2.0]), r"sigma_w = \[1.0, 2.0\] is not one number"),
        (lambda: Network.repeated(np.ones((2, 3)), depth=2), r"shape \(2, 3\); a layer can be repeated only if it is"),
        (lambda: Network([[[1.0]], [[1.0]]], None, ["tanh"] * 3), "there are 3 activations for 2 layers"),
        (lambda: Activation("none", None, None), "function of activation 'none' is not callable"),
        (lambda: Activation("half", np.tanh, 0.5), "derivative of activation 'half' is not callable"),
        (lambda: leaky_relu([0.1, 0.2]), r"slope = \[0.1, 0.2\] of the leaky ReLU must be one finite number"),
        (lambda: leaky_relu(np.nan), "slope = nan"),
        (lambda: leaky_relu("0.1"), "slope = '0.1'"),
    ],
)
def test_what_is_no_network_is_refused_with_what_was_given(make, said):
    with pytest.raises((TypeError, ValueError), match=said):
        make()
