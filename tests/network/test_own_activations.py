"""Activations of one's own: wrong derivatives are refused, right ones never, missing ones computed to ten digits."""

import math
import pickle

import mpmath
import numba
import numpy as np
import pytest
from scipy import special

from statnn import Network, rg
from statnn.interaction import DynamicNeurons
from statnn.network import ACTIVATIONS, Activation
from statnn.network._differences import slopes

C = math.sqrt(2 / math.pi)


def softplus(h):
    return np.logaddexp(0, h)


def gelu(h):
    return h * special.ndtr(h)


def gelu_slope(h):
    return special.ndtr(h) + h * np.exp(-h * h / 2) / math.sqrt(2 * math.pi)


def gelu_by_tanh(h):
    return 0.5 * h * (1 + np.tanh(C * (h + 0.044715 * h**3)))


def gelu_by_tanh_slope(h):
    t = np.tanh(C * (h + 0.044715 * h**3))
    return 0.5 * (1 + t) + 0.5 * h * (1 - t * t) * C * (1 + 3 * 0.044715 * h * h)


def silu(h):
    return h / (1 + np.exp(-h))


def silu_slope(h):
    return 1 / (1 + np.exp(-h)) + h * np.exp(-h) / (1 + np.exp(-h)) ** 2


def elu(h):
    return np.where(h > 0, h, np.expm1(np.minimum(h, 0)))


def elu_slope(h):
    return np.exp(np.minimum(h, 0))


def sech2(h):
    return 1 - np.tanh(h) ** 2


def in_single(function):
    return lambda h: function(h.astype(np.float32))


def scaled(function, factor):
    return lambda h: factor * function(h)


@numba.vectorize(["float64(float64)"])
def compiled(h):
    return np.tanh(h)


RIGHT = {
    "tanh(50h)": (lambda h: np.tanh(50 * h), lambda h: 50 * sech2(50 * h)),
    "tanh(1e4h)": (lambda h: np.tanh(1e4 * h), lambda h: 1e4 * sech2(1e4 * h)),
    "tanh(50(h-1))": (lambda h: np.tanh(50 * (h - 1)), lambda h: 50 * sech2(50 * (h - 1))),
    "sin(20h)": (lambda h: np.sin(20 * h), lambda h: 20 * np.cos(20 * h)),
    "sin(1e7h)": (lambda h: np.sin(1e7 * h), lambda h: 1e7 * np.cos(1e7 * h)),
    "h^3": (lambda h: h**3, lambda h: 3 * h * h),
    "h^9": (lambda h: h**9, lambda h: 9 * h**8),
    "exp": (np.exp, np.exp),
    "1 - exp(-h)": (lambda h: -np.expm1(-h), lambda h: np.exp(-h)),
    "tan": (np.tan, lambda h: 1 / np.cos(h) ** 2),
    "log": (np.log, np.reciprocal),
    "log by pairs": (np.vectorize(math.log), np.reciprocal),
    "exp of numbers": (np.vectorize(math.exp), np.vectorize(math.exp)),
    "sin(h)/h": (lambda h: np.sin(h) / h, lambda h: np.cos(h) / h - np.sin(h) / h**2),
    "h sin h": (lambda h: h * np.sin(h), lambda h: np.sin(h) + h * np.cos(h)),
    "snake": (lambda h: h + np.sin(5 * h) ** 2 / 5, lambda h: 1 + np.sin(10 * h)),
    "abs": (np.abs, np.sign),
    "root": (lambda h: np.sqrt(np.abs(h)), lambda h: np.sign(h) / (2 * np.sqrt(np.abs(h)))),
    "hard tanh": (lambda h: np.clip(h, -1, 1), lambda h: np.abs(h) < 1),
    "hard swish": (
        lambda h: h * np.clip(h + 3, 0, 6) / 6,
        lambda h: np.where(h <= -3, 0, np.where(h >= 3, 1, h / 3 + 0.5)),
    ),
    "step": (lambda h: (h > 0) * 1.0, np.zeros_like),
    "stairs": (lambda h: np.floor(8 * h).astype(int), np.zeros_like),
    "shrink": (lambda h: np.where(np.abs(h) < 1e-3, 0, h), lambda h: (np.abs(h) >= 1e-3) * 1.0),
    "gelu": (gelu, gelu_slope),
    "gelu by tanh": (gelu_by_tanh, gelu_by_tanh_slope),
    "silu, overflowing": (silu, silu_slope),
    "softplus": (softplus, special.expit),
    "elu": (elu, elu_slope),
    "softsign": (lambda h: h / (1 + np.abs(h)), lambda h: 1 / (1 + np.abs(h)) ** 2),
    "single": (in_single(np.tanh), in_single(sech2)),
    "float32 slope": (np.tanh, lambda h: sech2(h).astype(np.float32)),
    "large offset": (lambda h: 1e6 + np.tanh(h), sech2),
    "tiny": (scaled(np.tanh, 1e-200), scaled(sech2, 1e-200)),
    "huge": (scaled(np.tanh, 1e200), scaled(sech2, 1e200)),
    "constant": (np.ones_like, np.zeros_like),
    "compiled": (compiled, sech2),
    "list": (lambda h: np.tanh(h).tolist(), sech2),
    "own differences": (np.tanh, lambda h: (np.tanh(h + 1e-5) - np.tanh(h - 1e-5)) / 2e-5),
} | {f"built-in {name}": (sigma.function, sigma.derivative) for name, sigma in ACTIVATIONS.items()}


@pytest.mark.parametrize("name", RIGHT)
def test_right_derivatives_are_never_refused(name):
    function, derivative = RIGHT[name]
    assert repr(Activation(name, function, derivative)) == f"Activation({name!r})"


WRONG = {
    "factor 1.04": (np.tanh, scaled(sech2, 1.04)),
    "factor 1.00001": (np.tanh, scaled(sech2, 1.00001)),
    "offset 1e-5": (np.tanh, lambda h: sech2(h) + 1e-5),
    "chain rule": (lambda h: np.tanh(2 * h), lambda h: sech2(2 * h)),
    "sign": (np.cos, np.sin),
    "gelu by tanh": (gelu, gelu_by_tanh_slope),
    "gelu by sigmoid": (lambda h: h * special.expit(1.702 * h), gelu_slope),
    "product rule": (silu, special.expit),
    "below zero": (lambda h: np.where(h > 0, h, 0.1 * h), lambda h: np.where(h > 0, 1, 0.11)),
    "elu's alpha": (lambda h: np.where(h > 0, h, 1.5 * elu(h)), elu_slope),
    "beyond 50": (lambda h: h**3, lambda h: 3 * h * h * np.where(np.abs(h) > 50, 1.01, 1)),
    "tails": (np.tanh, lambda h: np.where(np.abs(h) > 4, 0, sech2(h))),
    "of the value": (np.tanh, lambda value: 1 - value**2),
    "straight through": (np.sign, lambda h: (np.abs(h) < 1) * 1.0),
    "not a number beyond 50": (np.tanh, lambda h: np.where(np.abs(h) > 50, np.nan, sech2(h))),
    "not a number": (np.tanh, lambda h: np.where(h > 1, np.nan, sech2(h))),
    "single": (in_single(np.tanh), scaled(sech2, 1.001)),
    "fast": (lambda h: np.sin(20 * h), lambda h: 20.01 * np.cos(20 * h)),
    "within 0.01": (np.tanh, lambda h: sech2(h) * np.where(np.abs(h - 0.5) < 5e-3, 1.5, 1)),
    "at zero alone": (np.tanh, lambda h: np.where(h == 0, 0, sech2(h))),
    "at one alone": (np.tanh, lambda h: np.where(h == 1, 0, sech2(h))),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_derivatives_are_refused(name):
    with pytest.raises(ValueError, match=r"wrong at the field [-\d.e]+: it returns [-\d.eni]+a?n?, while central"):
        Activation(name, *WRONG[name])


@pytest.mark.parametrize("kink", [0.0, 3.0, -250.0])
@pytest.mark.parametrize("width", [1e-2, 1e-4, -1e-4, 1e-5])
def test_a_derivative_that_changes_beside_its_kink_is_refused(kink, width):
    place = kink + width * max(1, abs(kink))
    with pytest.raises(ValueError, match="wrong at the field"):
        Activation("ramp", lambda h: np.maximum(h - kink, 0), lambda h: h > place, kinks=[kink])


@pytest.mark.parametrize(
    ("function", "slope"),
    [
        (lambda h: np.logaddexp(h, -h) - math.log(2), np.tanh),
        (lambda h: np.sqrt(1 + h * h) - 1, lambda h: h / np.sqrt(1 + h * h)),
        (lambda h: np.log(1 + np.exp(h)) - math.log(2), special.expit),
        (lambda h: np.sqrt(np.maximum(h, 0)), lambda h: 0.5 / np.sqrt(np.maximum(h, 1e-300))),
        (lambda h: np.maximum(h, 0) ** 1.25, lambda h: 1.25 * np.maximum(h, 0) ** 0.25),
    ],
)
@pytest.mark.parametrize("kink", [0.0, 3.0, -250.0])
def test_functions_that_cancel_or_bend_at_a_kink_are_accepted(function, slope, kink):
    """Close to the kink their small differences are rounding, and no two difference quotients of a power agree."""
    right = Activation(
        "right", lambda h: np.where(h > kink, function(np.maximum(h - kink, 0)), 0.0),
        lambda h: np.where(h > kink, slope(np.maximum(h - kink, 0)), 0.0), kinks=[kink],
    )  # fmt: skip
    assert right.kinks == (kink,)


def test_a_refusal_states_the_place_and_the_two_values():
    with pytest.raises(ValueError, match="derivative of activation 'cube' is wrong") as refused:
        Activation("cube", lambda h: h**3, lambda h: 3.12 * h * h)
    words = str(refused.value).replace(",", "").replace(":", "").replace(";", "").split()
    place, stated, true = (float(words[words.index(word) + 1]) for word in ("field", "returns", "give"))
    assert stated == pytest.approx(3.12 * place**2, rel=1e-5)
    assert true == pytest.approx(3 * place**2, rel=1e-5)
    with pytest.raises(ValueError, match=r"wrong at the field -?[0-7]\.\d+: "):  # beyond 50 it is more wrong
        Activation("cube", lambda h: h**3, lambda h: 3 * h * h * np.where(np.abs(h) > 50, 10, 1.001))


def test_stated_kinks_are_left_out():
    for kinks in (0, [0.0], np.array([0]), (-1, 0, 1)):
        mine = Activation("relu", lambda h: np.maximum(h, 0), lambda h: h > 0, kinks=kinks)
        assert 0.0 in mine.kinks
    with pytest.raises(ValueError, match="wrong at the field"):
        Activation("relu", lambda h: np.maximum(h, 0), lambda h: h > -1, kinks=[0])
    for wrong in ([np.nan], ["0"], [[0.0]], [1j]):
        with pytest.raises(ValueError, match=r"kinks = .* must be finite numbers"):
            Activation("relu", lambda h: np.maximum(h, 0), lambda h: h > 0, kinks=wrong)
    with pytest.raises(ValueError, match=r"is nan at the field 0, where fields can be: .* from the left, -1"):
        Activation("abs", np.abs, lambda h: h / np.abs(h))


def in_place(h):
    return np.tanh(h, out=h)


def into_one_buffer(h, buffers={}):  # noqa: B006 - what is kept between calls is what is tested
    return np.tanh(h, out=buffers.setdefault(h.shape, np.empty(h.shape)))


def shaken(h, generator=np.random.default_rng(0)):  # noqa: B008 - one stream for all calls is what is tested
    return np.tanh(h) + generator.normal(size=h.shape) / 100


NO_ACTIVATIONS = {
    "softmax": (lambda h: np.exp(h - h.max()) / np.exp(h - h.max()).sum(), ValueError, "is not elementwise"),
    "layer norm": (lambda h: (h - h.mean()) / h.std(), ValueError, "is not elementwise"),
    "sorted": (np.sort, ValueError, "is not elementwise"),
    "noise": (shaken, ValueError, "is not elementwise"),
    "whole by its first": (np.vectorize(lambda h: max(h, 0)), ValueError, r"needs otypes=\[float\]"),
    "sums": (np.cumsum, ValueError, r"maps shape \(4, 84\) to \(336,\); keep the shape"),
    "number": (lambda h: 1.0, ValueError, r"maps shape \(336,\) to \(\); keep the shape .* np.full_like"),  # noqa: ARG005
    "of numbers": (math.tanh, TypeError, r"fails on fields of shape \(336,\) \(TypeError: .*numpy.vectorize"),
    "if": (lambda h: h if h > 0 else 0 * h, ValueError, r"\(ValueError: The truth value .*numpy.vectorize"),
    "rows": (lambda h: np.array([math.tanh(x) for x in h]), TypeError, r"fails on fields of shape \(4, 84\)"),
    "two arguments": (lambda h, slope: slope * h, TypeError, r"missing 1 required positional argument"),
    "in place": (in_place, ValueError, "changes the fields that it is given"),
    "one buffer": (into_one_buffer, ValueError, "returns memory that its next call overwrites"),
    "objects": (np.frompyfunc(math.tanh, 1, 1), TypeError, "returns object; real numbers are needed"),
    "complex": (lambda h: np.sqrt(h + 0j), TypeError, "returns complex128"),
    "masked": (lambda h: np.ma.masked_less(h, 0), TypeError, "returns a masked array"),
}


@pytest.mark.parametrize("name", NO_ACTIVATIONS)
def test_what_is_no_activation_says_why(name):
    function, error, match = NO_ACTIVATIONS[name]
    with pytest.raises(error, match=f"^activation {name!r} .*{match}"):
        Activation(name, function, np.ones_like)
    if name != "objects":
        with pytest.raises(error, match=f"^derivative of activation {name!r} .*{match}"):
            Activation(name, np.tanh, function)


# -- derivative=None -------------------------------------------------------------------------------------

KNOWN = {
    "tanh": (np.tanh, mpmath.tanh),
    "tanh(50h)": (lambda h: np.tanh(50 * h), lambda h: mpmath.tanh(50 * h)),
    "erf": (special.erf, mpmath.erf),
    "gelu": (gelu, lambda h: h * mpmath.ncdf(h)),
    "silu": (silu, lambda h: h / (1 + mpmath.exp(-h))),
    "softplus": (softplus, lambda h: mpmath.log(1 + mpmath.exp(h))),
    "sin(20h)": (lambda h: np.sin(20 * h), lambda h: mpmath.sin(20 * h)),
    "sin(4πh)": (lambda h: np.sin(4 * np.pi * h), lambda h: mpmath.sin(4 * mpmath.mpf(np.pi) * h)),
    "exp": (np.exp, mpmath.exp),
    "h^3": (lambda h: h**3, lambda h: h**3),
    "bump": (lambda h: np.exp(-h * h), lambda h: mpmath.exp(-h * h)),
    "narrow bump": (
        lambda h: np.exp(-((1e4 * (h - 0.5)) ** 2)),
        lambda h: mpmath.exp(-((10**4 * (h - mpmath.mpf(0.5))) ** 2)),
    ),
    "arctan": (np.arctan, mpmath.atan),
    "elu": (elu, lambda h: h if h > 0 else mpmath.expm1(h)),
    "softsign": (lambda h: h / (1 + np.abs(h)), lambda h: h / (1 + abs(h))),
    "logarithm": (np.log, mpmath.log),
}
KINKS = {"elu": (0.0,), "softsign": (0.0,)}
PLACES = np.array([-30.3, -6.1, -2.3, -0.71, -1e-3, -1e-9, 0.0, 1e-9, 1e-5, 0.3, 0.5, 0.5001, 1.0, 3.3, 7.7, 25.0])


@pytest.mark.parametrize("name", KNOWN)
def test_numerical_derivatives_have_ten_digits(name):
    function, exact = KNOWN[name]
    kinks = KINKS.get(name, ())
    fields = PLACES[PLACES > 0] if name == "logarithm" else PLACES
    computed, error, size = slopes(function, fields, kinks, name)
    with mpmath.workdps(60):
        sides = [-1 if kinks and h <= 0 else 1 if kinks else 0 for h in fields]
        true = [
            float(mpmath.diff(exact, mpmath.mpf(float(h)), direction=side, h=mpmath.mpf(10) ** -30))
            for h, side in zip(fields, sides, strict=True)
        ]
    off = np.abs(computed - true)
    nearby = 1e4 if name == "narrow bump" else np.abs(true)  # it is as steep on both sides of where it is flat
    assert (off <= 1e-10 * np.maximum(nearby, size)).all()
    assert (off <= error + 1e-15 * np.abs(true)).all(), "the estimate of the error holds"
    assert (error <= 1e-9 * np.maximum(nearby, size)).all()


def test_what_is_not_smooth_has_an_error_that_says_so():
    jump, corner = np.array([-1e-12, 0.0, 1e-12]), np.zeros(1)
    assert (slopes(np.sign, jump, (), "sign")[1] > 1e-3).any()
    assert slopes(np.abs, corner, (), "abs")[1][0] > 0.1, "not half of both slopes"
    for name in ("relu", "leaky relu", "sign"):
        sigma = ACTIVATIONS[name]
        assert np.allclose(Activation(name, sigma.function, kinks=[0]).derivative(jump), sigma.derivative(jump))


def test_a_numerical_derivative_says_so_and_travels():
    mine = Activation("softplus", softplus)
    assert repr(mine) == "Activation('softplus', numerical derivative to 1e-10)"
    assert repr(Activation("softplus", softplus, None)) == repr(mine)
    again = pickle.loads(pickle.dumps(mine))  # noqa: S301 - our own bytes
    assert (again, repr(again)) == (mine, repr(mine))
    fields = np.array([[0.3, -1.0, 4.0]], dtype=np.float32)
    slope = mine.derivative(fields)
    assert slope.dtype == np.float32
    assert np.allclose(slope, special.expit(fields), rtol=1e-6)
    assert mine.derivative(np.array(0.5)).shape == ()
    assert Activation("a", softplus, kinks=[1]) != Activation("a", softplus, kinks=[2])
    many = np.linspace(-9, 9, 2 * 2**14 + 3)
    assert np.abs(mine.derivative(many) - special.expit(many)).max() < 1e-12


UNSTATED = {
    "relu": (lambda h: np.maximum(h, 0), (), r"near the field 0: .* slope 0 on the left, .* and 1 on the right"),
    "abs of h - 0.3": (lambda h: np.abs(h - 0.3), (), r"near the field 0.3: .* slope -1 on .* and 1 on the right"),
    "sign": (np.sign, (), r"near the field 0: value -1 and slope 0 on the left, 1 and 0 on the right"),
    "one of two": (lambda h: np.clip(h, 0, 6), [0], r"near the field 6: .*kinks=\[6, ...\]"),
    "wrong place": (lambda h: np.maximum(h, 0), [1], r"near the field 0: "),
    "far": (lambda h: np.minimum(h, 77.7), (), r"near the field 77.7: "),
    "root": (lambda h: np.sqrt(np.abs(h)), (), "near the field 0"),
    "single": (in_single(np.tanh), (), "cannot be differentiated from its values: .*return float64"),
}


@pytest.mark.parametrize("name", UNSTATED)
def test_an_unstated_kink_is_found_where_it_matters(name):
    function, kinks, match = UNSTATED[name]
    with pytest.raises(ValueError, match=f"^activation {name!r} .*{match}"):
        Activation(name, function, kinks=kinks)


@pytest.mark.parametrize("name", ["gelu by tanh", "tanh(50h)", "h^9", "large offset", "tiny", "exp of numbers", "tanh"])
def test_smooth_functions_need_no_kinks(name):
    function, derivative = RIGHT["built-in tanh" if name == "tanh" else name]
    mine = Activation(name, function)
    fields = np.array([-12.0, -7.9, -1.3, 0.02, 0.7, 3.1])
    true, size = np.asarray(derivative(fields)), np.abs(function(fields))
    assert (np.abs(mine.derivative(fields) - true) <= 1e-10 * np.maximum(np.abs(true), size) + 1e-15).all()


def test_a_field_without_a_derivative_is_named():
    mine = Activation("logarithm", np.log)
    with pytest.raises(ValueError, match=r"activation 'logarithm' has no derivative .* at the field -1"):
        mine.derivative(np.array([2.0, -1.0]))


def test_the_mean_field_of_a_wrong_derivative_cannot_be_asked_for():
    """χ of the right derivative, stated or numerical, agrees with mpmath; a wrong derivative is refused beforehand."""
    right = rg.RandomLayer(Activation("gelu", gelu, gelu_slope), 1.3, 0.3).fixed_point()
    numerical = rg.RandomLayer(Activation("gelu", gelu), 1.3, 0.3).fixed_point()
    assert numerical.chi == pytest.approx(right.chi, rel=1e-9)
    deviation = math.sqrt(right.variance)
    density = lambda z: mpmath.exp(-z * z / 2) / mpmath.sqrt(2 * mpmath.pi)  # noqa: E731
    slope = lambda h: mpmath.ncdf(h) + h * mpmath.npdf(h)  # noqa: E731
    square = mpmath.quad(lambda z: slope(deviation * z) ** 2 * density(z), [-12, -2, 0, 2, 12])
    assert right.chi == pytest.approx(1.69 * float(square), rel=1e-9)
    with pytest.raises(ValueError, match="wrong at the field"):
        Activation("gelu", gelu, scaled(gelu_slope, 0.9788))  # 0.571 instead of 0.596


@pytest.mark.parametrize("dtype", ["?", "i1", "u1", "i8", "u8", "f2", ">f4", ">f8", "g"])
def test_fields_of_other_types_are_floats_first(dtype):
    """NumPy computes the tanh of small integers to three digits, and their squares wrap around."""
    fields = np.array([0, 1, 0, 1] if dtype == "?" else [0, 1, 16, 100]).astype(dtype)
    square = Activation("square", np.square, lambda h: 2 * h)
    bell = Activation("bell", lambda h: 1 / (1 + h * h))
    for sigma in (*ACTIVATIONS.values(), square, bell):
        values = sigma(fields)
        assert values.dtype == np.float64
        assert np.array_equal(values, sigma(fields.astype(float)))
    with pytest.raises(TypeError, match="must be real numbers, not complex128"):
        square([1j])


def test_lists_that_a_function_returns_serve_as_arrays():
    listed = Activation("listed", lambda h: np.tanh(h).tolist(), lambda h: sech2(h).tolist())
    law = rg.NoisyLayer(listed, 0.8, 0.1, 0.3).stationary()
    assert law.mean == pytest.approx(rg.NoisyLayer("tanh", 0.8, 0.1, 0.3).stationary().mean, rel=1e-9)
    assert isinstance(listed.derivative(np.zeros(2)), np.ndarray)


def test_functions_that_fail_on_no_field_serve():
    curve, slope = np.vectorize(math.tanh), np.vectorize(lambda h: 1 - math.tanh(h) ** 2)
    layer = rg.RandomLayer(Activation("tanh", curve, slope), 1.2, 0.3)
    assert layer.chi(1.0) == pytest.approx(rg.RandomLayer("tanh", 1.2, 0.3).chi(1.0), rel=1e-9)
    assert layer.activation(np.empty((0, 3))).shape == layer.activation.derivative(np.empty((0, 3))).shape == (0, 3)


def test_networks_take_them_wherever_they_take_others():
    given, numerical = Activation("softplus", softplus, special.expit), Activation("softplus", softplus)
    weights = np.random.default_rng(0).normal(size=(3, 4, 4)) / 2
    x = np.random.default_rng(1).normal(size=(5, 4))
    net, twin = (Network(list(weights), None, sigma) for sigma in (given, numerical))
    assert np.array_equal(net(x), twin(x))
    from statnn.measure.tangent import tangent_kernel

    assert np.allclose(tangent_kernel(net, x).matrix, tangent_kernel(twin, x).matrix, rtol=1e-11)


# -- few digits ------------------------------------------------------------------------------------------

ROUNDED = {
    "softplus": (softplus, special.expit),
    "bump": (lambda h: np.exp(-h * h), lambda h: -2 * h * np.exp(-h * h)),
    "lorentz": (lambda h: 1 / (1 + h * h), lambda h: -2 * h / (1 + h * h) ** 2),
    "shifted tanh": (lambda h: np.tanh(h - 3), lambda h: np.cosh(h - 3) ** -2),
}


@pytest.mark.parametrize("name", ROUNDED)
def test_right_derivatives_in_single_precision(name):
    """They are not refused beside zero either, where the function changes by less than its rounding."""
    value, slope = map(in_single, ROUNDED[name])
    sigma = Activation("single", value, slope)
    assert value(np.float64([0.3])).dtype == np.float32
    assert sigma(np.float64([0.3])) == value(np.float64([0.3]))
    at = r"derivative of activation 'single' is wrong at the field 0\.50[1-6]"
    with pytest.raises(ValueError, match=at):
        Activation("single", value, lambda h: slope(h) + 0.3 * ((h > 0.501) & (h < 0.506)))
    with pytest.raises(ValueError, match="it returns nan, while"):
        Activation("single", value, lambda h: np.where((h > -2) & (h < -1), np.nan, slope(h)))


@pytest.mark.parametrize(
    ("value", "slope"),
    [
        (lambda h: np.tanh(h - 20), lambda h: np.cosh(h - 20) ** -2),
        (lambda h: np.expm1(np.minimum(h, 20) - 20), lambda h: np.exp(np.minimum(h, 20) - 20) * (h < 20)),
        (lambda h: np.logaddexp(0, 1e-12 * h), lambda h: 1e-12 * special.expit(1e-12 * h)),
        (lambda h: 1e11 + np.tanh(h), lambda h: np.cosh(h) ** -2),
    ],
    ids=["tanh far away", "elu far away", "faint softplus", "offset"],
)
def test_right_derivatives_that_rounding_hides_beside_zero(value, slope):
    Activation("hidden", value, slope)


@pytest.mark.parametrize("width", [0.005, 0.01, 0.02])
def test_a_surrogate_slope_beside_a_jump_is_refused_however_narrow(width):
    """All slopes of a step are zero: an error in units of them would be 0/0."""
    with pytest.raises(ValueError, match=r"wrong at the field 0\.[23].*it returns 50, while .* give 0;"):
        Activation("step", lambda h: (h > 0.3) * 1.0, lambda h: np.where(np.abs(h - 0.3) < width, 50.0, 0.0))


def test_numerical_derivatives_close_to_a_stated_singularity():
    sigma = Activation("power", lambda h: np.abs(h) ** 1.5, kinks=[0.0])
    h = np.array([1e-10, -1e-12, 1e-9, 1e-14])
    assert np.allclose(sigma.derivative(h), 1.5 * np.sign(h) * np.sqrt(np.abs(h)), rtol=0, atol=1e-12)
    assert abs(sigma.derivative(np.zeros(1))[0]) < 1e-8
    q = rg.RandomLayer(sigma, 1.3, 0.4).variance_map(2.0)
    assert math.isclose(q, 1.69 * 2 * math.sqrt(2 / math.pi) * 2**1.5 + 0.16, rel_tol=1e-9)  # E|h|³
    steep = Activation("root", lambda h: np.sign(h) * np.sqrt(np.abs(h)), kinks=[0.0])
    with pytest.raises(
        ValueError, match=r"no derivative that could be found from its values at the field 0: pass derivative=$"
    ):
        steep.derivative(np.zeros(1))


def test_numerical_derivatives_where_a_trajectory_diverges():
    """A diverging trajectory asks for slopes at fields that are not finite or huge: they are nan, not an error."""
    sigma = Activation("power", lambda h: np.abs(h) ** 1.5, kinks=[0.0])
    none = np.array([np.nan, np.inf, -np.inf, 1e250])
    assert np.isnan(sigma.derivative(none)).all()
    assert np.isnan(Activation("squareplus", lambda h: (h + np.sqrt(h * h + 4)) / 2).derivative(none)).all()


class Products(np.ndarray):
    """Arrays whose * is the matrix product, as that of numpy.matrix is."""

    def __mul__(self, other):
        return self @ other

    __rmul__ = __mul__


def test_arrays_of_another_class_serve_as_plain_ones():
    value, slope = (lambda h, f=f: f(h).view(Products) if np.ndim(h) == 2 else f(h) for f in (np.tanh, sech2))
    own = Activation("matrix", value, slope)
    assert type(own(np.eye(2))) is type(own.derivative(np.eye(2))) is np.ndarray
    x = np.arange(9.0).reshape(3, 3) / 9
    nets = [Network([np.eye(3), [[1.0, -1.0, 0.5]]], activation=kind) for kind in (own, "tanh")]
    models = [DynamicNeurons(net, x, np.zeros((3, 1))) for net in nets]
    state = np.linspace(-1, 1, models[0].dimension)
    assert np.allclose(*(model.gradient(state) for model in models), rtol=1e-9)
