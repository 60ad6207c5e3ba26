r"""Activation functions and their derivatives inside kernels, in vector registers.

numba calls the scalar tanh of the C library, 20 ns per number. Here everything rests on e^x = 2^k (1 + p) with
x = k ln 2 + r, |r| <= ln(2)/2, p = e^r - 1 by its Taylor series, and 2^k written into the exponent bits. These are
sums, products and selections only, which the compiler turns into vector instructions, and which give the same bits in
Python.

- tanh x = E/(E + 2), E = e^{2x} - 1 for x > 0, odd: relative error below 3e-7 (float32), 1e-15 (float64).
- logistic: e^{-|x|} is cut at e^-87, absolute error 1e-38 beyond; otherwise the same relative errors.
- erf: Taylor series below 1/2, 1 - e^{-x²} P(3/(3+x)) above, P fitted to erfcx at Chebyshev nodes; relative error
  below 4e-7 (float32), 2e-15 (float64).
- all further functions as in `statnn.network._smooth_kernels`, in float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from statnn._compile import vector_helper, vector_kernel
from statnn.network._codes import ERF, GELU, GELU_TANH, LEAKY_RELU, RELU, SIGMOID, SILU, SIN, SOFTPLUS, TANH
from statnn.network._smooth_kernels import exponential_parts_64, gelu, gelu_tanh, silu, sine, softplus

_F = np.float32
_INVERSE_LN2_32 = _F(1 / np.log(2.0))
# ln 2 in two parts, the first with so few bits that k times it is exact
_LN2_HIGH_32, _LN2_LOW_32 = _F(0.693359375), _F(-2.12194440e-4)
# adding 1.5 * 2^(bits of the mantissa) leaves the nearest whole number in the lowest bits
_MAGIC_32, _SHIFT_32, _ONE_BITS_32 = _F(1.5 * 2.0**23), np.int32(23), np.int32(127 << 23)
_S2, _S3, _S4, _S5, _S6, _S7 = (_F(1 / float(np.prod(np.arange(1.0, n + 1)))) for n in range(2, 8))


@vector_helper
def exponential_parts_32(x: Any) -> Any:
    """Return 2^k and p with e^x = 2^k (1 + p), for |x| < 87."""
    shifted = x * _INVERSE_LN2_32 + _MAGIC_32
    k = shifted - _MAGIC_32
    r = (x - k * _LN2_HIGH_32) - k * _LN2_LOW_32
    p = r + r * r * (_S2 + r * (_S3 + r * (_S4 + r * (_S5 + r * (_S6 + r * _S7)))))
    bits = np.int32(np.int32(np.float32(shifted).view(np.int32) << _SHIFT_32) + _ONE_BITS_32)
    return np.int32(bits).view(np.float32), p


# erf(x) = x Σ a_n x^(2n) for |x| < 1/2, and erfcx(x) = Σ c_n t^n, t = 3/(3+x), on [1/2, 6] or [1/2, 4]
_A = tuple(2 / np.sqrt(np.pi) * (-1) ** n / (float(np.prod(np.arange(1.0, n + 1))) * (2 * n + 1)) for n in range(13))
_A_32 = tuple(_F(a) for a in _A[:7])
_C = (
    -9.973633117947479e-08, 0.1880666704117678, 0.1880063906174033, 0.1781933083849917, 0.15261738344034606,
    0.14864622929894505, 0.005804192442053185, 0.3282598630072143, -0.6451208582922754, 1.317995871632951,
    -2.0302803546393404, 2.402120632396964, -2.166021463173575, 1.3715171602509446, -0.5357627581726973,
    0.08363589675468219, 0.024174971794514652, -0.013843605594110943, 0.0019905691908923616,
)  # fmt: skip
_C_32 = tuple(
    _F(c)
    for c in (
        0.0004729608724, 0.1818827621, 0.2218678272, 0.08024120805, 0.3013168814, 0.07237403818, -0.070113539,
        0.323400705, -0.1114460698,
    )
)  # fmt: skip


@vector_helper
def erf_parts_64(a: Any, square: Any) -> Any:
    """Return erf(a)/a, good for 0 <= a < 1/2, and e^{a²} erfc(a), good for 1/2 <= a <= 6."""
    near = _A[6] + square * (_A[7] + square * (_A[8] + square * (_A[9] + square * (_A[10] + square * _A[11]))))
    near = _A[2] + square * (_A[3] + square * (_A[4] + square * (_A[5] + square * near)))
    near = _A[0] + square * (_A[1] + square * near)
    t = 3.0 / (3.0 + a)
    far = _C[13] + t * (_C[14] + t * (_C[15] + t * (_C[16] + t * (_C[17] + t * _C[18]))))
    far = _C[8] + t * (_C[9] + t * (_C[10] + t * (_C[11] + t * (_C[12] + t * far))))
    far = _C[4] + t * (_C[5] + t * (_C[6] + t * (_C[7] + t * far)))
    return near, _C[0] + t * (_C[1] + t * (_C[2] + t * (_C[3] + t * far)))


@vector_helper
def erf_parts_32(a: Any, square: Any) -> Any:
    """Return erf(a)/a, good for 0 <= a < 1/2, and e^{a²} erfc(a), good for 1/2 <= a <= 4."""
    near = _A_32[3] + square * (_A_32[4] + square * (_A_32[5] + square * _A_32[6]))
    near = _A_32[0] + square * (_A_32[1] + square * (_A_32[2] + square * near))
    t = _F(3) / (_F(3) + a)
    far = _C_32[4] + t * (_C_32[5] + t * (_C_32[6] + t * (_C_32[7] + t * _C_32[8])))
    return near, _C_32[0] + t * (_C_32[1] + t * (_C_32[2] + t * (_C_32[3] + t * far)))


def exponential_parts(x: Any) -> Any:
    """Choose by precision."""
    return _as_python(exponential_parts_32 if isinstance(x, np.float32) else exponential_parts_64)(x)


def erf_parts(a: Any, square: Any) -> Any:
    """Choose by precision."""
    return _as_python(erf_parts_32 if isinstance(a, np.float32) else erf_parts_64)(a, square)


def _as_python(helper: Any) -> Any:
    """Return the Python version of a helper: the compiled one would return float32 as float64."""
    return getattr(helper, "py_func", helper)


def _by_precision(single: Any, double: Any) -> Any:
    return lambda x, *_: (single if x == types.float32 else double).py_func


overload(exponential_parts, strict=False)(_by_precision(exponential_parts_32, exponential_parts_64))
overload(erf_parts, strict=False)(_by_precision(erf_parts_32, erf_parts_64))


@vector_helper
def _activate_later(code: Any, z: Any, bias: Any, derivative: Any) -> None:
    """Do as `activate` for `GELU` and all functions after it; one loop per function, so that it vectorises."""
    rows, columns = z.shape
    if code == GELU:
        for i in range(rows):
            for j in range(columns):
                z[i, j], derivative[i, j] = gelu(np.float64(z[i, j] + bias[i]))
    elif code == GELU_TANH:
        for i in range(rows):
            for j in range(columns):
                z[i, j], derivative[i, j] = gelu_tanh(np.float64(z[i, j] + bias[i]))
    elif code == SILU:
        for i in range(rows):
            for j in range(columns):
                z[i, j], derivative[i, j] = silu(np.float64(z[i, j] + bias[i]))
    elif code == SOFTPLUS:
        for i in range(rows):
            for j in range(columns):
                z[i, j], derivative[i, j] = softplus(np.float64(z[i, j] + bias[i]))
    elif code == SIN:
        for i in range(rows):
            for j in range(columns):
                z[i, j], derivative[i, j] = sine(np.float64(z[i, j] + bias[i]))
    else:  # a number that has no branch here
        z[:], derivative[:] = np.nan, np.nan


@vector_kernel
def activate(code: Any, slope: Any, z: Any, bias: Any, derivative: Any) -> None:
    """Replace fields z, shape (units, columns), by σ(z + bias), and write σ'(z + bias) into `derivative`."""
    rows, columns = z.shape
    zero, one = z.dtype.type(0), z.dtype.type(1)
    two, half = one + one, one / (one + one)
    if code == TANH:
        limit = z.dtype.type(20)  # tanh 20 is 1 in float64
        for i in range(rows):
            b = bias[i]
            for j in range(columns):
                x = z[i, j] + b
                scale, p = exponential_parts(two * min(abs(x), limit))
                e = scale * p + (scale - one)  # 1 + p is never formed: a small x would lose its digits
                t = e / (e + two)
                t = t if x >= zero else -t
                z[i, j] = t
                derivative[i, j] = one - t * t
    elif code == SIGMOID:
        limit = z.dtype.type(87)  # beyond this e^-x is not a normal float32
        for i in range(rows):
            b = bias[i]
            for j in range(columns):
                x = z[i, j] + b
                scale, p = exponential_parts(-min(abs(x), limit))
                e = scale * p + scale
                s = one / (one + e)
                z[i, j] = s if x >= zero else e * s
                derivative[i, j] = e * s * s
    elif code == ERF:
        # erf 6 is 1 in float64, erf 4 in float32
        limit, slope_at_zero = z.dtype.type(6), z.dtype.type(2 / np.sqrt(np.pi))
        for i in range(rows):
            b = bias[i]
            for j in range(columns):
                x = z[i, j] + b
                a = min(abs(x), limit)
                scale, p = exponential_parts(-a * a)
                gauss = scale * p + scale
                near, far = erf_parts(a, a * a)
                t = a * near if a < half else one - gauss * far
                z[i, j] = t if x >= zero else -t
                derivative[i, j] = slope_at_zero * gauss
    elif code in {RELU, LEAKY_RELU}:
        below = slope if code == LEAKY_RELU else zero
        for i in range(rows):
            b = bias[i]
            for j in range(columns):
                x = z[i, j] + b
                s = one if x > zero else below
                z[i, j] = s * x
                derivative[i, j] = s
    elif code >= GELU:
        _activate_later(code, z, bias, derivative)
    else:  # identity
        for i in range(rows):
            b = bias[i]
            for j in range(columns):
                z[i, j] += b
                derivative[i, j] = one
