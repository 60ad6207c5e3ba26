"""xoshiro128++ (Blackman & Vigna 2021) in lanes: one stream for every replica, side by side in a vector register.

The state has shape (4, lanes), so that the innermost loop of a kernel, over replicas, draws 8 or 16 numbers at
once. Every intermediate is cast to uint32: numba would widen it to 64 bits, which halves the speed and is wrong.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statnn._numba import helper
from statnn._random import Root, stream

_ROTATE_7, _ROTATE_25, _ROTATE_11, _ROTATE_21 = (np.uint32(k) for k in (7, 25, 11, 21))
_SHIFT_9 = np.uint32(9)
_UNIT = np.float32(2.0**-23)
_HALF = np.float32(2.0**-24)


def aligned(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Return zeros whose memory begins at a multiple of 64 bytes, the width of the largest vectors."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    room = np.zeros(size + 64, dtype=np.uint8)
    start = -room.ctypes.data % 64
    return room[start : start + size].view(dtype).reshape(shape)


def lanes(seed: Root, chains: Sequence[int], width: int, *key: int) -> NDArray[np.uint32]:
    """Return states of shape (4, width): lane k from ``stream(seed, chains[k], *key)``, the rest of the last chain."""
    state = aligned((4, width), np.uint32)
    for lane in range(width):
        chain = chains[lane] if lane < len(chains) else chains[-1]
        spare = () if lane < len(chains) else (lane,)
        state[:, lane] = stream(seed, chain, *key, *spare).integers(1, 2**32, size=4, dtype=np.uint32)
    return state


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
