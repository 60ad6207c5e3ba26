"""xoshiro256++ (Blackman & Vigna 2021) for the innermost loops: a uniform number in a nanosecond or two.

The state is four uint64 words in an array, filled from the :class:`numpy.random.Generator` of the stream, so
that hot loops and numpy's own variates draw on one seed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from statnn._compile import helper, inlined

_ROTATE_23, _ROTATE_41 = np.uint64(23), np.uint64(41)
_ROTATE_45, _ROTATE_19 = np.uint64(45), np.uint64(19)
_SHIFT_17, _SHIFT_11 = np.uint64(17), np.uint64(11)


def words(rng: np.random.Generator) -> NDArray[np.uint64]:
    """Return a fresh state of four words from a generator."""
    return rng.integers(0, 2**64, size=4, dtype=np.uint64)


@inlined
def step(s0: Any, s1: Any, s2: Any, s3: Any) -> Any:
    """Return 64 random bits and the four words of the next state, which kernels that draw often keep in registers."""
    total = s0 + s3
    result = ((total << _ROTATE_23) | (total >> _ROTATE_41)) + s0
    shifted = s1 << _SHIFT_17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= shifted
    s3 = (s3 << _ROTATE_45) | (s3 >> _ROTATE_19)
    return result, s0, s1, s2, s3


@helper
def next_word(state: Any) -> Any:
    """Return 64 random bits and advance the state."""
    result, state[0], state[1], state[2], state[3] = step(state[0], state[1], state[2], state[3])
    return result


@helper
def uniform(state: Any) -> float:
    """Return a uniform number in [0, 1), a multiple of 2**-53."""
    return float(next_word(state) >> _SHIFT_11) * (1.0 / 9007199254740992.0)
