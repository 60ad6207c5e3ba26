"""64 replicas in every machine word: bitwise adders instead of sums, one comparison for all probabilities.

Bit r of word w of a spin is the spin in replica (w, r), 1 for up. The satisfied bonds of a spin are counted by full
adders, 64 replicas at a time. Then U < p must be decided, with a probability p that depends on the replica only through
this count. Written in binary, U and p are compared from the first digit down: a digit of U is a random word, the digit
of p is 1 in the replicas whose level has this digit, and a replica is decided at the first digit that differs. After
`ROUNDS` digits one replica in 2^ROUNDS is still undecided; those few words go on alone, with numbers hashed from their
random state, which use up nothing of their stream. So all 64 digits count, and no replica depends on another.

Scratch rows lie in one flat array at offsets known to the compiler: `width` is a tuple whose length, a part of its
type, is the number of words, and `levels` another whose length is the number of probabilities.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from statnn._bits import GOLDEN, hashed
from statnn._compile import helper, kernel
from statnn._xoshiro import step

ROUNDS = 11
"""Digits compared in all replicas at once."""
DIGITS = 64
"""Digits of a probability."""
RANDOM, COUNT, BONDS, CARRY, ACCEPTED, UNDECIDED, LEVELS, ROWS = 0, 4, 8, 12, 13, 14, 15, 24
"""Rows of the scratch array: the random state, digits of the number of satisfied bonds, four bonds, ..., 9 levels."""

_ONE, _TWO, _ONES = np.uint64(1), np.uint64(2), np.uint64(2**64 - 1)


@kernel
def metropolis(
    indptr: Any, indices: Any, signs: Any, table: Any, spins: Any, scratch: Any, sweeps: Any, levels: Any,
    width: Any,
) -> Any:  # fmt: skip
    """Visit all spins (N, words) in their order, `sweeps` times; return the flips of every replica, (64 words,).

    `signs` are -1 where J < 0, else 0; row d of `table` holds the digits of the probabilities of a spin with d bonds,
    all ones or none, (DIGITS, levels) flat; `scratch` (ROWS, words) flat holds the random states.
    """
    words = len(width)
    counter = _counters(sweeps * (indptr.size - 1), width)
    visits = 0
    for _ in range(sweeps):
        for i in range(indptr.size - 1):
            spin = spins[i]
            degree = indptr[i + 1] - indptr[i]
            _tally(indptr[i], indptr[i + 1], indices, signs, spins, spin, scratch, width)
            _compare(table[degree], degree // 2, scratch, levels, width)
            # few words need `_finish`: search for them one by one only if there are any
            left = np.uint64(0)
            for w in range(words):
                left |= scratch[UNDECIDED * words + w]
            if left != 0:
                for w in range(words):
                    if scratch[UNDECIDED * words + w] != 0:
                        _finish(table[degree], scratch, w, levels, width)
            for w in range(words):
                spin[w] ^= scratch[ACCEPTED * words + w]
                scratch[CARRY * words + w] = scratch[ACCEPTED * words + w]
            _count(counter, visits, scratch, width)
            visits += 1
    return _totals(counter, visits, width)


@kernel
def satisfied(indptr: Any, indices: Any, signs: Any, spins: Any, scratch: Any, width: Any) -> Any:
    """Return the number of satisfied bonds, J_ij s_i s_j > 0, in every replica, shape (64 words,)."""
    words = len(width)
    counter = _counters(indices.size, width)
    bonds = 0
    for i in range(indptr.size - 1):
        spin = spins[i]
        for k in range(np.uint64(indptr[i]), np.uint64(indptr[i + 1])):
            if indices[k] < i:  # every bond once
                other, sign = spins[np.uint64(indices[k])], _mask(signs[k])
                for w in range(words):
                    scratch[CARRY * words + w] = ~(spin[w] ^ other[w] ^ sign)
                _count(counter, bonds, scratch, width)
                bonds += 1
    return _totals(counter, bonds, width)


@kernel
def ups(spins: Any, scratch: Any, width: Any) -> Any:
    """Return the number of up spins in every replica, shape (64 words,)."""
    words = len(width)
    counter = _counters(spins.shape[0], width)
    for i in range(spins.shape[0]):
        spin = spins[i]
        for w in range(words):
            scratch[CARRY * words + w] = spin[w]
        _count(counter, i, scratch, width)
    return _totals(counter, spins.shape[0], width)


@helper
def _mask(sign: Any) -> Any:
    """Return 64 ones for -1, none for 0."""
    return np.uint64(np.int64(sign))


@helper
def _tally(start: Any, end: Any, indices: Any, signs: Any, spins: Any, spin: Any, scratch: Any, width: Any) -> None:
    """Count the satisfied bonds of one spin, entries `start` to `end` of the list, four at a time.

    Subscripts are unsigned, so that numba need not test for negative ones.
    """
    words = len(width)
    for w in range(4 * words):
        scratch[COUNT * words + w] = np.uint64(0)
    bond, last = np.uint64(start), np.uint64(end)
    while bond < last:
        for k in range(np.uint64(4)):
            row = (np.uint64(BONDS) + k) * np.uint64(words)
            if bond < last:
                other, sign = spins[np.uint64(indices[bond])], _mask(signs[bond])
                for w in range(np.uint64(words)):
                    scratch[row + w] = ~(spin[w] ^ other[w] ^ sign)
            else:  # a missing bond counts as unsatisfied, so the last four need no special case
                for w in range(np.uint64(words)):
                    scratch[row + w] = np.uint64(0)
            bond += _ONE
        _add_four(scratch, width)


@helper
def _add_four(scratch: Any, width: Any) -> None:
    """Add four bits to the count: first their own sum, then the sum of the two numbers."""
    words = len(width)
    for w in range(words):
        a, b = scratch[BONDS * words + w], scratch[(BONDS + 1) * words + w]
        c, d = scratch[(BONDS + 2) * words + w], scratch[(BONDS + 3) * words + w]
        three, double = a ^ b ^ c, (a & b) | (c & (a ^ b))
        x0, carry = three ^ d, three & d
        x1, x2 = double ^ carry, double & carry
        y0, y1 = scratch[COUNT * words + w], scratch[(COUNT + 1) * words + w]
        y2, y3 = scratch[(COUNT + 2) * words + w], scratch[(COUNT + 3) * words + w]
        scratch[COUNT * words + w], carry = x0 ^ y0, x0 & y0
        scratch[(COUNT + 1) * words + w], carry = x1 ^ y1 ^ carry, (x1 & y1) | (carry & (x1 ^ y1))
        scratch[(COUNT + 2) * words + w], carry = x2 ^ y2 ^ carry, (x2 & y2) | (carry & (x2 ^ y2))
        scratch[(COUNT + 3) * words + w] = y3 ^ carry  # at most 15 bonds: no carry beyond four digits


@helper
def _compare(table: Any, half: Any, scratch: Any, levels: Any, width: Any) -> None:
    """Compare the first digits of U and p in all replicas; random words by xoshiro256++ (Blackman & Vigna 2021).

    Level l > 0 has half + l bonds satisfied, level 0 no more than half of them.
    """
    words, most = len(width), len(levels)
    for w in range(words):
        s0, s1 = scratch[RANDOM * words + w], scratch[(RANDOM + 1) * words + w]
        s2, s3 = scratch[(RANDOM + 2) * words + w], scratch[(RANDOM + 3) * words + w]
        free = _ONES
        for level in range(1, most):
            wanted = half + level
            exact = _ONES
            for digit in range(4):  # the mask is 0 where the digit must be 1, all ones where it must be 0
                exact &= scratch[(COUNT + digit) * words + w] ^ (np.uint64((wanted >> digit) & 1) - _ONE)
            scratch[(LEVELS + level) * words + w] = exact
            free &= ~exact
        scratch[LEVELS * words + w] = free
        accepted, undecided = np.uint64(0), _ONES
        for digit in range(ROUNDS):
            # always the same number of draws, so that the stream of a word does not depend on its spins
            bits, s0, s1, s2, s3 = step(s0, s1, s2, s3)
            chance = np.uint64(0)
            for level in range(most):
                chance |= scratch[(LEVELS + level) * words + w] & table[digit * most + level]
            accepted |= undecided & chance & ~bits
            undecided &= ~(chance ^ bits)
        scratch[RANDOM * words + w], scratch[(RANDOM + 1) * words + w] = s0, s1
        scratch[(RANDOM + 2) * words + w], scratch[(RANDOM + 3) * words + w] = s2, s3
        scratch[ACCEPTED * words + w], scratch[UNDECIDED * words + w] = accepted, undecided


@helper
def _finish(table: Any, scratch: Any, w: Any, levels: Any, width: Any) -> None:
    """Compare the remaining digits in one word, with numbers hashed from its random state."""
    words, most = len(width), len(levels)
    accepted, undecided = scratch[ACCEPTED * words + w], scratch[UNDECIDED * words + w]
    seed = scratch[RANDOM * words + w]
    digit = ROUNDS
    while undecided != 0 and digit < DIGITS:
        seed += GOLDEN
        bits = hashed(seed)
        chance = np.uint64(0)
        for level in range(most):
            chance |= scratch[(LEVELS + level) * words + w] & table[digit * most + level]
        accepted |= undecided & chance & ~bits
        undecided &= ~(chance ^ bits)
        digit += 1
    scratch[ACCEPTED * words + w] = accepted


@helper
def _counters(rows: Any, width: Any) -> Any:
    """Return counters that can hold `rows` rows."""
    digits = 2
    while rows >> digits:
        digits += 1
    return np.zeros((2 * digits, len(width)), dtype=np.uint64)


@helper
def _count(counter: Any, step: Any, scratch: Any, width: Any) -> None:
    """Add the bits of row CARRY, the row number `step`, to the counters (2 digits, words).

    Every digit has two rows, one settled and one that waits for a second row of its weight; a full adder then turns the
    three into one settled row and one of twice the weight. That takes two adders per row on average, however many
    digits.
    """
    words = len(width)
    digit, left = np.uint64(0), np.uint64(step)
    while left & _ONE:
        settled, waiting = counter[digit], counter[digit + _ONE]
        for w in range(words):
            a, b, c = settled[w], waiting[w], scratch[CARRY * words + w]
            settled[w] = a ^ b ^ c
            scratch[CARRY * words + w] = (a & b) | (c & (a ^ b))
        digit += _TWO
        left >>= _ONE
    waiting = counter[digit + _ONE]
    for w in range(words):
        waiting[w] = scratch[CARRY * words + w]


@helper
def _totals(counter: Any, steps: Any, width: Any) -> Any:
    """Return the counts (64 words,) after `steps` rows; rows that still wait are settled first."""
    words, digits = len(width), counter.shape[0] // 2
    for first in range(digits):
        if (steps >> first) & 1:  # a row of this weight still waits for a second one
            for w in range(words):
                carry = counter[2 * first + 1, w]
                for digit in range(first, digits):
                    old = counter[2 * digit, w]
                    counter[2 * digit, w] = old ^ carry
                    carry &= old
    result = np.zeros(64 * words, dtype=np.int64)
    for digit in range(digits):
        if (steps >> digit) > 0:
            for w in range(words):
                row = counter[2 * digit, w]
                for lane in range(64):
                    result[64 * w + lane] += np.int64((row >> np.uint64(lane)) & _ONE) << digit
    return result
