"""Blocks of sites become one site: the majority of spins, or the mean of activity, in one pass over memory.

Rows of a block are added up row by row, contiguous and hence in vectors; pairs of neighbours in a row, the usual
block, have a loop of their own.

Ties of the majority are fair coins that depend on nothing but the key of a replica and the number of the block in it:
coin n is bit n % 64 of the word hash(key + (n // 64) γ), an output of splitmix64 (Steele, Lea & Flood 2014). Neither
the number of threads nor the way replicas are cut into chunks can change them.
"""

from typing import Any

import numpy as np

from statnn._numba import helper, kernel

_GOLDEN, _MIX_1, _MIX_2 = (np.uint64(k) for k in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_SHIFT_30, _SHIFT_27, _SHIFT_31, _SHIFT_3 = (np.uint64(k) for k in (30, 27, 31, 3))
_ONE, _TWO, _SEVEN, _BYTE = (np.uint64(k) for k in (1, 2, 7, 255))
_UP, _DOWN, _NOT_TWO = np.int8(1), np.int8(-1), np.uint8(253)
_SPREAD = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little").view(np.uint64)[:, 0].copy()
"""The eight bits of a byte as eight bytes in one word."""


@kernel
def majority(
    states: Any, shape: Any, factors: Any, keys: Any, first: Any, total: Any, coins: Any, out: Any
) -> int:  # fmt: skip
    """Fill `out` with the sign of the sum of every block, ties by coin; return 0 if all entries were ±1.

    `states` and `out` are flat int8, `shape` is that of `out`, (replicas, n0, n1, n2), and `factors` the block.
    `keys` (replicas,) uint64; `first` (replicas,) uint64 is the number of the first coin of each replica. Scratch are
    `total` (n2,) of a signed type that holds the sum of a block, and `coins`, uint64, with room for a byte a block and
    16 more.
    """
    replicas, n0, n1, n2 = shape
    f0, f1, f2 = factors
    foreign = 0
    here, there = np.uint64(0), np.uint64(0)
    width = np.uint64(n2 * f2)
    for r in range(replicas):
        coin = first[r]
        for _ in range(n0):
            for j in range(n1):
                for p in range(f0):
                    for q in range(f1):
                        row = here + np.uint64((p * n1 + j) * f1 + q) * width
                        foreign |= _foreign(states, row, width)
                        _add(states, row, f2, total, p + q == 0)
                _signs(total, keys[r], coin, coins, out, there)
                coin += np.uint64(n2)
                there += np.uint64(n2)
            here += np.uint64(f0 * n1 * f1) * width
    return foreign


@kernel
def means(states: Any, shape: Any, factors: Any, total: Any, out: Any) -> None:
    """Fill `out` with the mean of every block, arrays as in `majority`; `total` (n2,) is scratch of its type."""
    replicas, n0, n1, n2 = shape
    f0, f1, f2 = factors
    here, there = np.uint64(0), np.uint64(0)
    width = np.uint64(n2 * f2)
    for _ in range(replicas * n0):
        for j in range(n1):
            for p in range(f0):
                for q in range(f1):
                    _add(states, here + np.uint64((p * n1 + j) * f1 + q) * width, f2, total, p + q == 0)
            for k in range(np.uint64(n2)):
                out[there + k] = total[k] / (f0 * f1 * f2)
            there += np.uint64(n2)
        here += np.uint64(f0 * n1 * f1) * width


@helper
def _foreign(states: Any, row: Any, width: Any) -> int:
    """Return 0 if all entries of a row are ±1: s + 1 is then 0 or 2.

    Subscripts are unsigned, here and below, which spares numba a test for negative ones.
    """
    bits = np.uint8(0)
    for k in range(width):
        bits = np.uint8(bits | np.uint8(np.uint8(states[row + k] + 1) & _NOT_TWO))
    return int(bits)


@helper
def _add(states: Any, row: Any, factor: Any, total: Any, anew: Any) -> None:
    """Add every `factor` neighbours of a row to their total, which begins at 0 where it is `anew`."""
    count = np.uint64(total.size)
    if anew:
        for k in range(count):
            total[k] = 0
    if factor == 1:
        for k in range(count):
            total[k] += states[row + k]
    elif factor == 2:
        for k in range(count):
            total[k] += states[row + _TWO * k] + states[row + _TWO * k + _ONE]
    else:
        wide = np.uint64(factor)
        for k in range(count):
            for m in range(wide):
                total[k] += states[row + wide * k + m]


@helper
def _signs(total: Any, key: Any, coin: Any, coins: Any, out: Any, there: Any) -> None:
    """Write the signs of a row of sums; where a sum is 0 a coin decides, number `coin` and those that follow."""
    count = np.uint64(total.size)
    byte, last = coin >> _SHIFT_3, (coin + count - _ONE) >> _SHIFT_3
    word, slot = np.uint64(0), np.uint64(0)
    while byte <= last:
        if slot == 0 or byte & _SEVEN == 0:
            word = _word(key, byte >> _SHIFT_3)
        coins[slot] = _SPREAD[(word >> ((byte & _SEVEN) << _SHIFT_3)) & _BYTE]
        slot += _ONE
        byte += _ONE
    tossed, skipped = coins.view(np.int8), coin & _SEVEN
    for k in range(count):
        out[there + k] = _UP if total[k] + tossed[skipped + k] > 0 else _DOWN


@helper
def _word(key: Any, number: Any) -> Any:
    """Return a word of 64 coins."""
    z = key + (number + _ONE) * _GOLDEN
    z = (z ^ (z >> _SHIFT_30)) * _MIX_1
    z = (z ^ (z >> _SHIFT_27)) * _MIX_2
    return z ^ (z >> _SHIFT_31)
