"""Blocks of sites become one site: the majority of spins, or the mean of activity, in one pass over memory.

A band of rows, contiguous and small enough for the nearest cache, is read once in the order of memory, which suits the
hardware's prefetch. Spins are added across rows as bytes, 64 to a vector, and only their sums along rows need more
bits: for the usual block of two, both bytes are split off one 16-bit word.

Ties of the majority are decided by fair coins that depend only on the key of a replica and the number of the block in
it: coin n is bit n % 64 of the word hash(key + (n // 64) γ), an output of splitmix64 (Steele, Lea & Flood 2014). So
neither the number of threads nor the chunks of replicas change them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from statnn._bits import GOLDEN, hashed
from statnn._compile import helper, kernel

_SHIFT_6 = np.uint64(6)
_ONE, _TWO, _SEVEN, _EIGHT, _LAST = (np.uint64(k) for k in (1, 2, 7, 8, 63))
_UP, _DOWN, _NOT_TWO = np.int8(1), np.int8(-1), np.uint8(253)
_ONES, _DIAGONAL, _SEVENS = (np.uint64(k) for k in (0x0101010101010101, 0x8040201008040201, 0x7F7F7F7F7F7F7F7F))
_MOST_ROWS = 127
"""Most spins whose sum fits into a signed byte."""


@kernel
def majority(
    states: Any, shape: Any, factors: Any, keys: Any, first: Any, across: Any, total: Any, coins: Any, out: Any
) -> int:  # fmt: skip
    """Fill `out` with the sign of the sum of every block, ties by coin; return 0 if all entries were ±1.

    `states` and `out` are flat int8, `shape` is that of `out`, (replicas, n0, n1, n2), and `factors` the block.
    `keys` (replicas,) uint64; `first` (replicas,) uint64 is the number of the first coin of each replica. The scratch
    arrays are `total`, of a signed type that holds the sum of a block, with room for a band of rows of n2 blocks;
    `across`, int8, with room for n2 f2 sums across them; `coins`, uint64, with room for a bit and a byte for every
    block, and for 128 more.
    """
    replicas, n0, n1, n2 = shape
    f0, f1, f2 = factors
    foreign = 0  # no branch per spin: an entry other than ±1 sets a bit here, and is refused at the end
    here, there = np.uint64(0), np.uint64(0)
    width = np.uint64(n2 * f2)
    band = total.size // n2
    for r in range(replicas):
        coin = first[r]
        for _ in range(n0):
            for j in range(0, n1, band):
                rows = min(band, n1 - j)
                count = np.uint64(rows * n2)
                for k in range(count):
                    total[k] = 0
                for p in range(f0):
                    start = here + np.uint64((p * n1 + j) * f1) * width
                    for q in range(0, f1, _MOST_ROWS):
                        foreign |= _across(states, start, rows, f1, q, min(f1, q + _MOST_ROWS), width, across)
                        _along(across, f2, count, total)
                _signs(total, count, keys[r], coin, coins, out, there)
                coin += count
                there += count
            here += np.uint64(f0 * n1 * f1) * width
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
def _across(
    states: Any, start: Any, rows: Any, f1: Any, low: Any, high: Any, width: Any, across: Any
) -> int:  # fmt: skip
    """Sum the rows `low` to `high` of every block of a band; return 0 if all entries are ±1: s + 1 is then 0 or 2.

    Subscripts are unsigned, here and below, so that numba need not test for negative ones.
    """
    bits = np.uint8(0)
    for j in range(rows):
        there = np.uint64(j) * width
        for q in range(low, high):
            here = start + np.uint64(j * f1 + q) * width
            if q == low:
                for k in range(width):
                    spin = states[here + k]
                    bits = np.uint8(bits | np.uint8(np.uint8(spin + 1) & _NOT_TWO))
                    across[there + k] = spin
            else:
                for k in range(width):
                    spin = states[here + k]
                    bits = np.uint8(bits | np.uint8(np.uint8(spin + 1) & _NOT_TWO))
                    across[there + k] = np.int8(across[there + k] + spin)
    return int(bits)


@helper
def _along(across: Any, f2: Any, count: Any, total: Any) -> None:
    """Add groups of f2 neighbouring sums across rows to the totals of `count` blocks."""
    step = np.uint64(f2)
    if f2 == 2:
        pairs = across.view(np.int16)
        for k in range(count):  # shifts of whole words are faster than shuffles of bytes
            total[k] += np.int16(np.int16(np.int16(pairs[k] << 8) >> 8) + np.int16(pairs[k] >> 8))
    else:
        for k in range(count):
            piece = total[k]
            for m in range(step):
                piece += across[step * k + m]
            total[k] = piece


@helper
def _add(
    states: Any, start: Any, rows: Any, f1: Any, f2: Any, n2: Any, half: Any, total: Any, anew: Any
) -> None:  # fmt: skip
    """Add the contribution of a contiguous band of states to the total of every block, which begins at 0 if `anew`.

    First f2 neighbours in a row are added, in one long loop over the band, then f1 rows.
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
    """Write the signs of `count` sums; coins from number `coin` on decide where a sum is 0.

    Every sum gets its coin, 0 or 1, and the test is > 0, without a branch: the coin decides a tie, and leaves the sign
    of every other sum, as -1 + 1 is not above 0 either.
    """
    word = coin >> _SHIFT_6
    words = ((coin + count - _ONE) >> _SHIFT_6) - word + _ONE
    tossed = coins[np.int64(words) :]
    for k in range(words):
        coins[k] = _word(key, word + k)
    bits = coins.view(np.uint8)
    for k in range(words * _EIGHT):  # eight bits become eight bytes: copied, picked, carried to the top, moved down
        tossed[k] = ((((np.uint64(bits[k]) * _ONES) & _DIAGONAL) + _SEVENS) >> _SEVEN) & _ONES
    coin_bytes, skipped = tossed.view(np.int8), coin & _LAST
    for k in range(count):
        total[k] += coin_bytes[skipped + k]  # in the type of the sums, so that vectors are full
    for k in range(count):
        out[there + k] = _UP if total[k] > 0 else _DOWN


@helper
def _word(key: Any, number: Any) -> Any:
    """Return a word of 64 coins."""
    return hashed(key + (number + _ONE) * GOLDEN)
