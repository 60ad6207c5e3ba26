"""What activations compute, in numpy: values and derivatives, both exact to a few units in the last place.

Fields are arrays of any shape, float32 or float64; whole numbers become float64. Tails are where digits are lost: each
function is written so that nothing cancels there, and large arguments of exponentials are sums of two parts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

Values: TypeAlias = NDArray[Any]

_SPLIT = 2.0**27 + 1.0
_FAR = 1e18
"""Field beyond which tanh' and erf' are zero; its square fits into float32."""
# 0.044715 and 2 √(2/π), of h (1 + tanh(√(2/π) (h + 0.044715 h³)))/2: each as a float and the rest that it leaves out
BEND, BEND_LOW = 0.044715, 2.196021142708559638e-18
STEEP, STEEP_LOW = 1.5957691216057308, -9.969308809110920315e-17


def precision(h: Values) -> Any:
    """Return the dtype of a result: whole numbers become float64."""
    return h.dtype if h.dtype.kind == "f" else np.dtype(np.float64)


def identity(h: Values) -> Values:
    """Return h."""
    return h.astype(precision(h))


def one(h: Values) -> Values:
    """Return 1, the slope of the identity."""
    return np.ones(h.shape, precision(h))


def zero(h: Values) -> Values:
    """Return 0, the slope of the sign wherever it has one."""
    return np.zeros(h.shape, precision(h))


def tanh_slope(h: Values) -> Values:
    """Return 4t/(1 + t)², t = exp(-2|h|): 1 - tanh²(h) with its digits in the tails."""
    t = np.exp(-2 * np.minimum(np.abs(h), _FAR))
    result: Values = 4 * t / (1 + t) ** 2
    return result


def erf(h: Values) -> Values:
    """Return 2/√π ∫₀ʰ exp(-u²) du."""
    result: Values = special.erf(h)
    return result


def erf_slope(h: Values) -> Values:
    """Return 2/√π exp(-h²)."""
    result: Values = precision(h).type(2 / np.sqrt(np.pi)) * np.exp(-np.square(np.minimum(np.abs(h), _FAR)))
    return result


def relu(h: Values) -> Values:
    """Return max(h, 0)."""
    return np.maximum(h, 0).astype(precision(h), copy=False)


def step(h: Values) -> Values:
    """Return 1 above zero and 0 elsewhere, the slope of the ReLU; that from the left at zero."""
    return (h > 0).astype(precision(h))


def sigmoid(h: Values) -> Values:
    """Return 1/(1 + e^{-h})."""
    result: Values = special.expit(h)
    return result


def sigmoid_slope(h: Values) -> Values:
    """Return s(h) s(-h), where 1 - s(h) would have no digits left."""
    result: Values = special.expit(h) * special.expit(-h)
    return result


def sign(h: Values) -> Values:
    """Return 1 for h >= 0 and -1 below."""
    return np.where(h >= 0, 1, -1).astype(precision(h))


@dataclass(frozen=True)
class Leaky:
    """The two functions of the leaky ReLU, with their slope; an object, so that networks can be pickled."""

    slope: float
    derivative: bool

    def __call__(self, h: Values) -> Values:
        above, slope = precision(h).type(1), precision(h).type(self.slope)
        return np.where(h > 0, above, slope) if self.derivative else np.where(h > 0, h, slope * h)


# -- smooth forms of the ReLU ----------------------------------------------------------------------------


def _in_doubles(function: Callable[[Values], Values]) -> Callable[[Values], Values]:
    """Compute in float64 and round once to the precision of the fields."""

    @wraps(function)
    def rounded(h: Values) -> Values:
        result: Values = function(h.astype(np.float64)).astype(precision(h))
        return result

    return rounded


def _below(h: Values) -> tuple[Values, Values]:
    """Return Mills's ratio Φ(-|h|)/φ(h) and the Gaussian density φ(h), whose h² is taken in two parts."""
    a = np.minimum(np.abs(h), 40.0)
    high = np.round(a * 2.0**18) / 2.0**18  # so few bits that its square is exact
    density = np.exp(-high * high / 2) * np.exp(-(a - high) * (a + high) / 2) / np.sqrt(2 * np.pi)
    return np.sqrt(np.pi / 2) * special.erfcx(np.abs(h) / np.sqrt(2)), density


@_in_doubles
def gelu(h: Values) -> Values:
    """Return h Φ(h), Φ the Gaussian distribution function."""
    mills, density = _below(h)
    return h * np.where(h > 0, 1 - mills * density, mills * density)


@_in_doubles
def gelu_slope(h: Values) -> Values:
    """Return Φ(h) + h φ(h)."""
    mills, density = _below(h)
    result: Values = np.where(h > 0, 1 + density * (h - mills), density * (h + mills))
    return result


def _logistic(h: Values, rest: Values | float = 0.0) -> tuple[Values, Values]:
    """Return s(h + rest) = 1/(1 + e^{-h-rest}) and s(-h - rest), with all digits of both."""
    t = np.exp(-np.abs(h)) * np.exp(-np.sign(h) * rest)
    small, large = t / (1 + t), 1 / (1 + t)
    return np.where(h >= 0, large, small), np.where(h >= 0, small, large)


@_in_doubles
def silu(h: Values) -> Values:
    """Return h s(h), s(h) = 1/(1 + e^{-h})."""
    return h * _logistic(h)[0]


@_in_doubles
def silu_slope(h: Values) -> Values:
    """Return s(h) (1 + h s(-h))."""
    s, complement = _logistic(h)
    result: Values = s * (1 + h * complement)
    return result


def _product(a: Values | float, b: Values | float) -> tuple[Values, Values]:
    """Return a product rounded, and what was rounded off [Dekker 1971]."""
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    rounded = np.asarray(a * b)
    return rounded, a_low * b_low - (((rounded - a_high * b_high) - a_low * b_high) - a_high * b_low)


def _halves(a: Values | float) -> tuple[Values, Values]:
    big = _SPLIT * np.asarray(a)
    high = big - (big - a)
    return high, a - high


def _tanh_field(h: Values) -> tuple[Values, Values]:
    """Return 2 √(2/π) (h + 0.044715 h³) in two parts: with the first alone, e^(...) would lose digits in the tails."""
    a = np.clip(h, -30.0, 30.0)
    square, square_low = _product(a, a)
    cubic, cubic_low = _product(square, BEND)
    cubic_low = cubic_low + square * BEND_LOW + square_low * BEND
    bracket = 1 + cubic
    bracket_low = np.where(cubic < 1, cubic - (bracket - 1), 1 - (bracket - cubic)) + cubic_low
    line, line_low = _product(a, STEEP)
    line_low = line_low + a * STEEP_LOW
    field, field_low = _product(line, bracket)
    return field, field_low + line * bracket_low + line_low * bracket


@_in_doubles
def gelu_tanh(h: Values) -> Values:
    """Return h s(2 √(2/π) (h + 0.044715 h³)), which is h (1 + tanh(√(2/π) (...)))/2."""
    return h * _logistic(*_tanh_field(h))[0]


@_in_doubles
def gelu_tanh_slope(h: Values) -> Values:
    """Return s(u) + h s(u) s(-u) u', u = 2 √(2/π) (h + 0.044715 h³)."""
    a = np.clip(h, -30.0, 30.0)
    s, complement = _logistic(*_tanh_field(h))
    result: Values = s * (1 + a * complement * STEEP * (1 + 3 * BEND * a * a))
    return result


@_in_doubles
def softplus(h: Values) -> Values:
    """Return ln(1 + e^h)."""
    return np.maximum(h, 0) + np.log1p(np.exp(-np.abs(h)))


@_in_doubles
def softplus_slope(h: Values) -> Values:
    """Return 1/(1 + e^{-h})."""
    return _logistic(h)[0]


def sine(h: Values) -> Values:
    """Return sin h; whole numbers in float64."""
    result: Values = np.sin(h.astype(precision(h), copy=False))
    return result


def cosine(h: Values) -> Values:
    """Return cos h; whole numbers in float64."""
    result: Values = np.cos(h.astype(precision(h), copy=False))
    return result
