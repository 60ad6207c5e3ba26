"""Blocks of sites become one site: the majority of spins, or the mean of activity, in one pass over memory.

A band of rows, contiguous and small enough for the nearest cache, is added up along its rows in one loop and then
across them: short rows, too, go in vectors. Pairs of neighbours in a row, the usual block, have a loop of their own.

Ties of the majority are fair coins that depend on nothing but the key of a replica and the number of the block in it:
coin n is bit n % 64 of the word hash(key + (n // 64) γ), an output of splitmix64 (Steele, Lea & Flood 2014). Neither
the number of threads nor the way replicas are cut into chunks can change them.
"""

from typing import Any

import numpy as np

from statnn._numba import helper, kernel

_GOLDEN, _MIX_1, _MIX_2 = (np.uint64(k) for k in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_SHIFT_30, _SHIFT_27, _SHIFT_31, _SHIFT_6 = (np.uint64(k) for k in (30, 27, 31, 6))
_ONE, _TWO, _EIGHT, _LAST, _BYTE = (np.uint64(k) for k in (1, 2, 8, 63, 255))
_UP, _DOWN, _NOT_TWO = np.int8(1), np.int8(-1), np.uint8(253)
_SPREAD = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little").view(np.uint64)[:, 0].copy()
"""The eight bits of a byte as eight bytes in one word."""


@kernel
def majority(
    states: Any, shape: Any, factors: Any, keys: Any, first: Any, half: Any, total: Any, coins: Any, out: Any
) -> int:  # fmt: skip
    """Fill `out` with the sign of the sum of every block, ties by coin; return 0 if all entries were ±1.

    `states` and `out` are flat int8, `shape` is that of `out`, (replicas, n0, n1, n2), and `factors` the block.
    `keys` (replicas,) uint64; `first` (replicas,) uint64 is the number of the first coin of each replica. Scratch are
    `total`, of a signed type that holds the sum of a block, with room for a band of rows of n2 blocks; `half`, of the
    same type, with room for its rows of n2 pieces of blocks; `coins`, uint64, for a byte a block and 128 more.
    """
    replicas, n0, n1, n2 = shape
    f0, f1, f2 = factors
    foreign = 0
    here, there = np.uint64(0), np.uint64(0)
    width = np.uint64(f1 * n2 * f2)
    band = total.size // n2
    for r in range(replicas):
        coin = first[r]
        for _ in range(n0):
            for j in range(0, n1, band):
                rows = min(band, n1 - j)
                for p in range(f0):
                    start = here + np.uint64(p * n1 + j) * width
                    foreign |= _foreign(states, start, np.uint64(rows) * width)
                    _add(states, start, rows, f1, f2, n2, half, total, p == 0)
                count = np.uint64(rows * n2)
                _signs(total, count, keys[r], coin, coins, out, there)
                coin += count
                there += count
            here += np.uint64(f0 * n1) * width
    return foreign


@kernel
def means(states: Any, shape: Any, factors: Any, half: Any, total: Any, out: Any) -> None:
    """Fill `out` with the mean of every block; arrays as in `majority`, scratch of the type of `out`."""
    replicas, n0, n1, n2 = shape
    f0, f1, f2 = factors
    here, there = np.uint64(0), np.uint64(0)
    width = np.uint64(f1 * n2 * f2)
    band = total.size // n2
    for _ in range(replicas * n0):
        for j in range(0, n1, band):
            rows = min(band, n1 - j)
            for p in range(f0):
                _add(states, here + np.uint64(p * n1 + j) * width, rows, f1, f2, n2, half, total, p == 0)
            count = np.uint64(rows * n2)
            for k in range(count):
                out[there + k] = total[k] / (f0 * f1 * f2)
            there += count
        here += np.uint64(f0 * n1) * width


@helper
def _foreign(states: Any, start: Any, size: Any) -> int:
    """Return 0 if all entries of a piece are ±1: s + 1 is then 0 or 2.

    Subscripts are unsigned, here and below, which spares numba a test for negative ones.
    """
    bits = np.uint8(0)
    for k in range(size):
        bits = np.uint8(bits | np.uint8(np.uint8(states[start + k] + 1) & _NOT_TWO))
    return int(bits)


@helper
def _add(
    states: Any, start: Any, rows: Any, f1: Any, f2: Any, n2: Any, half: Any, total: Any, anew: Any
) -> None:  # fmt: skip
    """Add what a contiguous band of states holds of every block to its total, which begins at 0 where it is `anew`.

    First every f2 neighbours in a row, in one long loop over the band, then every f1 rows.
    """
    count, step = np.uint64(rows * f1 * n2), np.uint64(f2)
    if f2 == 1:
        for k in range(count):
            half[k] = states[start + k]
    elif f2 == 2:
        for k in range(count):
            half[k] = states[start + _TWO * k] + states[start + _TWO * k + _ONE]
    else:
        for k in range(count):
            piece = states[start + step * k]
            for m in range(_ONE, step):
                piece += states[start + step * k + m]
            half[k] = piece
    length = np.uint64(n2)
    if anew:
        for k in range(np.uint64(rows) * length):
            total[k] = 0
    for j in range(rows):
        there = np.uint64(j) * length
        for q in range(f1):
            here = np.uint64(j * f1 + q) * length
            for k in range(length):
                total[there + k] += half[here + k]


@helper
def _signs(total: Any, count: Any, key: Any, coin: Any, coins: Any, out: Any, there: Any) -> None:
    """Write the signs of `count` sums; where a sum is 0 a coin decides, number `coin` and those that follow."""
    word, last, slot = coin >> _SHIFT_6, (coin + count - _ONE) >> _SHIFT_6, np.uint64(0)
    while word <= last:
        bits = _word(key, word)
        for byte in range(_EIGHT):
            coins[slot + byte] = _SPREAD[(bits >> (_EIGHT * byte)) & _BYTE]
        slot += _EIGHT
        word += _ONE
    tossed, skipped = coins.view(np.int8), coin & _LAST
    for k in range(count):
        total[k] += tossed[skipped + k]  # in the type of the sums: as many of them as fit go into one vector
    for k in range(count):
        out[there + k] = _UP if total[k] > 0 else _DOWN


@helper
def _word(key: Any, number: Any) -> Any:
    """Return a word of 64 coins."""
    z = key + (number + _ONE) * _GOLDEN
    z = (z ^ (z >> _SHIFT_30)) * _MIX_1
    z = (z ^ (z >> _SHIFT_27)) * _MIX_2
    return z ^ (z >> _SHIFT_31)
