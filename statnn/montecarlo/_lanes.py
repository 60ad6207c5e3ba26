"""Numbers side by side in vector registers: random bits, uniforms, exponentials and small arrays for kernels.

The generator is xoshiro128++ (Blackman & Vigna 2021), one stream for every lane: its state has shape (4, lanes), so
that the innermost loop of a kernel draws 8 or 16 numbers at once. Every intermediate is cast to uint32: numba would
widen it to 64 bits, which halves the speed and is wrong. Arrays from `scratch` live on the stack of the kernel: the
compiler knows that nothing else points at them, and keeps them in registers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import carray, config  # type: ignore[attr-defined]
from numba.core.types import CPointer
from numba.extending import intrinsic, overload
from numpy.typing import NDArray

from statnn._compile import helper
from statnn._random import Root, stream

_ROTATE_7, _ROTATE_25, _ROTATE_11, _ROTATE_21 = (np.uint32(k) for k in (7, 25, 11, 21))
_SHIFT_9 = np.uint32(9)
_UNIT = np.float32(2.0**-23)
_HALF = np.float32(2.0**-24)

LARGEST_EXPONENT = np.float32(87.0)
"""`exponential` clips its argument to this magnitude, near the limits of float32."""
_LOWEST_EXPONENT = np.float32(-87.0)
_LOG2_E = np.float32(1.4426950408889634)
_TO_INTEGER = np.float32(1.5 * 2**23)
"""Adding this to a number below 2^22 leaves the nearest whole number in the lowest bits of the mantissa."""
_MANTISSA = np.int32(23)
_C0, _C1, _C2, _C3, _C4, _C5 = (
    np.float32(c) for c in (1.0, 0.6931469776, 0.2402224209, 0.05550733743, 0.00967151264, 0.001326472714)
)
"""1 + f (...), the polynomial of degree five with the smallest relative error to 2^f in |f| <= 1/2, 9.1e-8."""


def aligned(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Return zeros whose memory begins at a multiple of 64 bytes, the width of the largest vectors."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    room = np.zeros(size + 64, dtype=np.uint8)
    start = -room.ctypes.data % 64
    result: NDArray[Any] = room[start : start + size].view(dtype).reshape(shape)
    return result


def realigned(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array itself if its memory is aligned and writable, or else a copy that is both.

    Copying and pickling lose alignment, and arrays in shared memory are read-only.
    """
    if array.ctypes.data % 64 == 0 and array.flags.writeable:
        return array
    result = aligned(array.shape, array.dtype)
    result[...] = array
    return result


def lanes(seed: Root, keys: Sequence[tuple[int, ...]], width: int) -> NDArray[np.uint32]:
    """Return states of shape (4, width): lane k from ``stream(seed, *keys[k])``; nobody reads the spare ones."""
    state = aligned((4, width), np.uint32)
    state[:] = np.arange(1, width + 1, dtype=np.uint32)
    for lane, key in enumerate(keys):
        state[:, lane] = stream(seed, *key).integers(1, 2**32, size=4, dtype=np.uint32)
    return state


def scratch(*shape: int) -> Callable[[Any], NDArray[Any]]:
    """Return a function that takes a type, or an array, and gives a kernel an array of that type on its stack.

    Its entries are undefined at first. It must not leave the kernel. The allocation is inlined into the kernel, since
    the stack of a called function is freed when it returns.
    """
    size = int(np.prod(shape))

    @intrinsic
    def pointer(_typing: Any, like: Any) -> Any:
        def generate(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
            kind = context.get_data_type(like.dtype)
            with builder.goto_entry_block():
                room = builder.alloca(ir.ArrayType(kind, size))
                room.align = 64
            return builder.bitcast(room, kind.as_pointer())

        kind: Any = CPointer
        return kind(like.dtype)(like), generate

    def on_stack(like: Any) -> NDArray[Any]:
        return np.empty(shape, like.dtype if isinstance(like, np.ndarray) else like)

    stack: Any = pointer

    @overload(on_stack, inline="always")
    def _(like: Any) -> Any:
        del like

        def array(like: Any) -> Any:
            return carray(stack(like), shape)

        return array

    return on_stack


@helper
def next_lane(state: Any, lane: Any) -> Any:
    """Return 32 random bits of one lane and advance it."""
    s0, s1, s2, s3 = state[0, lane], state[1, lane], state[2, lane], state[3, lane]
    total = np.uint32(s0 + s3)
    result = np.uint32(np.uint32(np.uint32(total << _ROTATE_7) | np.uint32(total >> _ROTATE_25)) + s0)
    shifted = np.uint32(s1 << _SHIFT_9)
    s2 = np.uint32(s2 ^ s0)
    s3 = np.uint32(s3 ^ s1)
    s1 = np.uint32(s1 ^ s2)
    s0 = np.uint32(s0 ^ s3)
    s2 = np.uint32(s2 ^ shifted)
    s3 = np.uint32(np.uint32(s3 << _ROTATE_11) | np.uint32(s3 >> _ROTATE_21))
    state[0, lane], state[1, lane], state[2, lane], state[3, lane] = s0, s1, s2, s3
    return result


@helper
def uniform_lane(state: Any, lane: Any) -> Any:
    """Return a float32 in (0, 1), an odd multiple of 2**-24: never 0 or 1, so that its logarithms are finite."""
    return np.float32(np.int32(next_lane(state, lane) >> _SHIFT_9)) * _UNIT + _HALF


@intrinsic
def _fused(_typing: Any, a: Any, b: Any, c: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        operands = [
            context.cast(builder, argument, given, a) for argument, given in zip(arguments, signature.args, strict=True)
        ]
        return builder.fma(*operands)

    return a(a, b, c), generate


@intrinsic
def _clamp(_typing: Any, x: Any, low: Any, high: Any) -> Any:
    del low, high

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        value, least, most = arguments
        for sign, limit in (("<", most), (">", least)):  # told that there is no NaN, the compiler uses min and max
            inside = builder.fcmp_ordered(sign, value, limit, flags=["nnan"])
            value = builder.select(inside, value, limit, flags=["nnan"])
        return value

    return x(x, x, x), generate


def _fused_in_python(a: Any, b: Any, c: Any) -> Any:
    """Return a b + c rounded once: the exact value, rounded to odd in float64, then to the type of a."""
    if not np.isfinite([a, b, c]).all():
        return type(a)(a * b + c)
    exact = Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))
    double = float(exact)
    if isinstance(a, np.float32) and Fraction(double) != exact and not int(np.float64(double).view(np.int64)) & 1:
        double = float(np.nextafter(double, np.inf if exact > Fraction(double) else -np.inf))
    return type(a)(double)


def _clamped_in_python(x: Any, low: Any, high: Any) -> Any:
    return min(max(x, low), high)


_fused_multiply_add: Any = _fused_in_python if config.DISABLE_JIT else _fused  # type: ignore[attr-defined]
_clamp_between: Any = _clamped_in_python if config.DISABLE_JIT else _clamp  # type: ignore[attr-defined]


@helper
def fused(a: Any, b: Any, c: Any) -> Any:
    """Return a b + c, rounded once, in the type of a: one instruction, and the same bits on every machine."""
    return _fused_multiply_add(a, b, c)


@helper
def clamped(x: Any, low: Any, high: Any) -> Any:
    """Return the nearest number in [low, high]; all three have one type and none is NaN."""
    return _clamp_between(x, low, high)


@helper
def exponential(x: Any) -> Any:
    """Return exp(x) as float32, with x clipped to [-87, 87]; relative error below 2e-7 + 2e-8 |x|.

    exp(x) = 2^n 2^f with n the nearest integer to x / ln 2; 2^f is a polynomial of degree five, and n is added to
    the exponent bits. Only additions and products, so that it vectorises.
    """
    x = np.float32(clamped(np.float32(x), _LOWEST_EXPONENT, LARGEST_EXPONENT))
    shifted = np.float32(fused(x, _LOG2_E, _TO_INTEGER))
    f = np.float32(fused(x, _LOG2_E, np.float32(_TO_INTEGER - shifted)))
    p = np.float32(fused(_C5, f, _C4))
    p = np.float32(fused(p, f, _C3))
    p = np.float32(fused(p, f, _C2))
    p = np.float32(fused(p, f, _C1))
    p = np.float32(fused(p, f, _C0))
    return np.int32(p.view(np.int32) + np.int32(shifted.view(np.int32) << _MANTISSA)).view(np.float32)
