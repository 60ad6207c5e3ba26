r"""GELU, its tanh form, SiLU, softplus and sine inside kernels: σ(h) and σ'(h) of one field, in float64.

e^x = 2^k (1 + p) with x = k ln 2 + r, |r| <= ln(2)/2, p = e^r - 1 by its Taylor series, and 2^k written into the
exponent bits: sums, products and selections only, which the compiler turns into vector instructions. Arguments whose
rounding would show in the tails, h²/2 and √(8/π) (h + 0.044715 h³), come in two parts. Where e^x would exceed the range
of float64 it is cut, which leaves absolute errors below 1e-290; otherwise errors are a few units in the last place, but
for σ' near its zeros, where they are of that size relative to 1. The sine is that of the C library, good for any
argument.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from statnn._compile import inlined, vector_helper
from statnn.network._codes import GELU, GELU_TANH, SILU, SIN, SOFTPLUS
from statnn.network._functions import BEND, BEND_LOW, STEEP, STEEP_LOW

_INVERSE_LN2 = 1 / np.log(2.0)
# ln 2 in two parts, the first with so few bits that k times it is exact
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
# adding 1.5 * 2^(bits of the mantissa) leaves the nearest whole number in the lowest bits
_MAGIC, _SHIFT, _ONE_BITS = 1.5 * 2.0**52, np.int64(52), np.int64(1023 << 52)
_T2, _T3, _T4, _T5, _T6, _T7, _T8, _T9, _T10, _T11, _T12, _T13 = (
    1 / float(np.prod(np.arange(1.0, n + 1))) for n in range(2, 14)
)
_EIGHTEEN_BITS, _SPLIT = 1.5 * 2.0**34, 2.0**27 + 1.0
_ROOT_HALF, _DENSITY = math.sqrt(0.5), 1 / math.sqrt(2 * math.pi)
# (1+2x) e^{x²} erfc(x) for x >= 0 in powers of (x - 3.75)/(x + 3.75) [Shepherd & Laframboise 1981], fitted at
# Chebyshev nodes: relative error below 2e-16
_M = (
    1.2375126308378275, -0.14024059858554522, 0.0035854154854663067, 0.08227673848999159, -0.10880393014193915,
    0.09230432116435616, -0.058693398584491845, 0.028362277371370044, -0.00974657962081509, 0.0017556261692276722,
    0.00029371408777227685, -0.0002901553656394713, 5.164737123871838e-05, 2.238759272534769e-05,
    -1.143961526007595e-05, -9.79297529099823e-07, 1.7438577411359181e-06, -5.0816911811698186e-08,
    -2.4996538037405243e-07, 1.8778501156468795e-08, 3.256499083798513e-08, -1.952790162974837e-09,
    -2.7293941332533855e-09,
)  # fmt: skip
_ODD = tuple(1 / (2 * n + 1) for n in range(17))


@vector_helper
def exponential_parts_64(x: Any) -> Any:
    """Return 2^k and p with e^x = 2^k (1 + p), for |x| < 700."""
    shifted = x * _INVERSE_LN2 + _MAGIC
    k = shifted - _MAGIC
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    p = _T8 + r * (_T9 + r * (_T10 + r * (_T11 + r * (_T12 + r * _T13))))
    p = r + r * r * (_T2 + r * (_T3 + r * (_T4 + r * (_T5 + r * (_T6 + r * (_T7 + r * p))))))
    bits = (np.float64(shifted).view(np.int64) << _SHIFT) + _ONE_BITS
    return np.int64(bits).view(np.float64), p


@vector_helper
def _exponential(x: Any, low: Any) -> Any:
    """Return e^(x + low) for |x| < 700 and |low| < 1e-4."""
    scale, p = exponential_parts_64(x)
    return (scale * p + scale) * (1.0 + low * (1.0 + low / 2.0 * (1.0 + low / 3.0 * (1.0 + low / 4.0))))


@inlined
def gelu(h: Any) -> Any:
    """Return σ(h) and σ'(h) of GELU."""
    a = min(abs(h), 37.0)
    high = (a + _EIGHTEEN_BITS) - _EIGHTEEN_BITS  # so few bits that its square is exact
    gauss = _exponential(-high * high / 2.0, -(a - high) * (a + high) / 2.0)
    x = a * _ROOT_HALF
    t = (x - 3.75) / (x + 3.75)
    mills = _M[17] + t * (_M[18] + t * (_M[19] + t * (_M[20] + t * (_M[21] + t * _M[22]))))
    mills = _M[12] + t * (_M[13] + t * (_M[14] + t * (_M[15] + t * (_M[16] + t * mills))))
    mills = _M[7] + t * (_M[8] + t * (_M[9] + t * (_M[10] + t * (_M[11] + t * mills))))
    mills = _M[2] + t * (_M[3] + t * (_M[4] + t * (_M[5] + t * (_M[6] + t * mills))))
    below = 0.5 * (_M[0] + t * (_M[1] + t * mills)) / (1.0 + 2.0 * x) * gauss  # Φ(-|h|)
    bent = a * _DENSITY * gauss
    return (h * (1.0 - below), 1.0 - below + bent) if h > 0.0 else (-a * below, below - bent)


@inlined
def _logistic(h: Any, low: Any) -> Any:
    """Return s(h + low) = 1/(1 + e^{-h-low}) and s(-h-low)."""
    t = _exponential(-min(abs(h), 700.0), -low if h >= 0.0 else low)
    large = 1.0 / (1.0 + t)
    small = t * large
    return (large, small) if h >= 0.0 else (small, large)


@vector_helper
def _product(a: Any, b: Any) -> Any:
    """Return a product rounded, and what was rounded off [Dekker 1971]."""
    big, other = _SPLIT * a, _SPLIT * b
    a_high, b_high = big - (big - a), other - (other - b)
    a_low, b_low = a - a_high, b - b_high
    rounded = a * b
    return rounded, a_low * b_low - (((rounded - a_high * b_high) - a_low * b_high) - a_high * b_low)


@inlined
def gelu_tanh(h: Any) -> Any:
    """Return σ(h) and σ'(h) of the tanh form of the GELU."""
    a = min(max(h, -21.0), 21.0)
    square, square_low = _product(a, a)
    cubic, cubic_low = _product(square, BEND)
    cubic_low += square * BEND_LOW + square_low * BEND
    bracket = 1.0 + cubic
    cubic_low += cubic - (bracket - 1.0) if cubic < 1.0 else 1.0 - (bracket - cubic)
    line, line_low = _product(a, STEEP)
    field, field_low = _product(line, bracket)
    field_low += line * cubic_low + (line_low + a * STEEP_LOW) * bracket
    s, complement = _logistic(field, field_low)
    return (h if h > 0.0 else a) * s, s * (1.0 + a * complement * STEEP * (1.0 + 3.0 * cubic))


@inlined
def softplus(h: Any) -> Any:
    """Return σ(h) and σ'(h) of softplus."""
    t = _exponential(-min(abs(h), 700.0), 0.0)
    w = t / (2.0 + t)  # ln(1 + t) = 2 artanh w, w <= 1/3
    v = w * w
    series = _ODD[11] + v * (_ODD[12] + v * (_ODD[13] + v * (_ODD[14] + v * (_ODD[15] + v * _ODD[16]))))
    series = _ODD[5] + v * (_ODD[6] + v * (_ODD[7] + v * (_ODD[8] + v * (_ODD[9] + v * (_ODD[10] + v * series)))))
    series = 1.0 + v * (_ODD[1] + v * (_ODD[2] + v * (_ODD[3] + v * (_ODD[4] + v * series))))
    large = 1.0 / (1.0 + t)
    return max(h, 0.0) + 2.0 * w * series, large if h >= 0.0 else t * large


@inlined
def silu(h: Any) -> Any:
    """Return σ(h) and σ'(h) of SiLU."""
    s, complement = _logistic(h, 0.0)
    return h * s, s * (1.0 + min(max(h, -700.0), 700.0) * complement)


@vector_helper
def sine(h: Any) -> Any:
    """Return σ(h) and σ'(h) of the sine."""
    return math.sin(h), math.cos(h)


@vector_helper
def smooth(code: Any, h: Any) -> Any:
    """Return σ(h) and σ'(h) of a field in float64, by the number of σ; NaN of a number that has no branch here."""
    if code == GELU:
        return gelu(h)
    if code == GELU_TANH:
        return gelu_tanh(h)
    if code == SILU:
        return silu(h)
    if code == SOFTPLUS:
        return softplus(h)
    return sine(h) if code == SIN else (math.nan, math.nan)
