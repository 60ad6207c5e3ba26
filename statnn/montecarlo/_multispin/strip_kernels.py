"""Multi-spin coding of one lattice: bit k of a word is a site of strip k, so that even few chains fill machine words.

A torus of rows × columns is cut along its rows into P strips of H rows. Word (colour, r, j) of a chain holds the sites
in row r of every strip and in column 2j + (r + colour) mod 2; sites of one colour of the checkerboard do not act on
each other. All four neighbours of a word are words of the other colour at the same bits. Only beyond the first and last
row of a strip lies the next strip, one bit further, and rotating the bits closes the torus. A word has room for 64 / P
chains, each P bits.

Random numbers are compared as in `replica_kernels`: digit after digit, until probability and random word differ. A
digit of the probability is one of eight combinations of the three levels, made once for every word.

Spins have shape (2, H, stride), the words of a row at `FIRST` ... `FIRST` + half - 1, preceded by a copy of the last
and followed by a copy of the first; `signs` (4, 2, H, stride) has ones where J < 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from statnn._bits import GOLDEN, hashed, ones_by_byte
from statnn._compile import helper, inlined, kernel
from statnn._xoshiro import step
from statnn.montecarlo._lanes import scratch

FIRST = 8
"""Position at which the words of a row begin, a multiple of 64 bytes."""
WORDS = 16
"""Words updated together."""
ROUNDS = 10
"""Digits compared in all words at once."""
DIGITS = 64
"""Digits of a probability."""
LEVELS = 3
"""Levels of a spin: at most two satisfied bonds, three, four."""
_COMBINATIONS = 2**LEVELS
_FLUSH = 31
"""Number of counts of up to 8 whose sum fits into a byte."""

_row, _four_rows, _combinations = scratch(WORDS), scratch(4, WORDS), scratch(_COMBINATIONS * WORDS)
_NONE, _ONE, _ONES = np.uint64(0), np.uint64(1), np.uint64(2**64 - 1)
_BY_8, _BYTE = np.uint64(8), np.uint64(255)


@kernel
def metropolis(
    spins: Any, signs: Any, table: Any, state: Any, half: Any, bottom: Any, period: Any, sweeps: Any, flips: Any
) -> None:
    """Propose a sign change to every spin, one colour after the other, `sweeps` times.

    `table` (LEVELS, DIGITS) holds the digits of the probabilities, all ones or all zeros; `state` (4, WORDS) is the
    state of xoshiro256++ (Blackman & Vigna 2021); `bottom` has the lowest of every `period` bits set; the flips in
    every byte are added to `flips` (8,).
    """
    draw, bonds, combination = _four_rows(np.uint64), _four_rows(np.uint64), _combinations(np.uint64)
    accepted, undecided, counted = _row(np.uint64), _row(np.uint64), _row(np.uint64)
    # a spin is in one of three levels, and a digit of its probability is 1 if its level has this digit: the levels that
    # have it form one of eight subsets, kept as an offset into the flat array of combinations
    pick = np.empty(DIGITS, dtype=np.uint64)
    for digit in range(DIGITS):
        which = (table[0, digit] & np.uint64(1)) | (table[1, digit] & np.uint64(2)) | (table[2, digit] & np.uint64(4))
        pick[digit] = which * np.uint64(WORDS)
    for word in range(4):
        for w in range(WORDS):
            draw[word, w] = state[word, w]
    for w in range(WORDS):
        counted[w] = _NONE
    waiting = 0
    for _ in range(sweeps):
        for colour in range(2):
            for r in range(spins.shape[1]):
                own = spins[colour, r]
                for base in range(FIRST, FIRST + half, WORDS):
                    _bonds(spins, signs, colour, r, base, bottom, period, bonds)
                    for w in range(WORDS):
                        a, b, c, d = bonds[0, w], bonds[1, w], bonds[2, w], bonds[3, w]
                        four, three = a & b & c & d, (a & b & (c ^ d)) | ((a ^ b) & c & d)
                        # subset 7 - k is the complement of subset k
                        combination[w], combination[7 * WORDS + w] = _NONE, _ONES
                        combination[WORDS + w], combination[6 * WORDS + w] = ~(three | four), three | four
                        combination[2 * WORDS + w], combination[5 * WORDS + w] = three, ~three
                        combination[4 * WORDS + w], combination[3 * WORDS + w] = four, ~four
                    for w in range(WORDS):
                        s0, s1, s2, s3 = draw[0, w], draw[1, w], draw[2, w], draw[3, w]
                        yes, open_bits = _NONE, _ONES
                        for digit in range(ROUNDS):
                            bits, s0, s1, s2, s3 = step(s0, s1, s2, s3)
                            chance = combination[pick[digit] + np.uint64(w)]
                            yes |= open_bits & chance & ~bits
                            open_bits &= ~(chance ^ bits)
                        draw[0, w], draw[1, w], draw[2, w], draw[3, w] = s0, s1, s2, s3
                        accepted[w], undecided[w] = yes, open_bits
                    for w in range(WORDS):
                        # lanes beyond the row are drawn too, so that loops keep their full width
                        if base + w >= FIRST + half:
                            accepted[w] = _NONE
                        elif undecided[w] != 0:
                            accepted[w] = _finish(combination, pick, w, draw[0, w], accepted[w], undecided[w])
                    for w in range(WORDS):
                        own[np.uint64(base + w)] ^= accepted[w]
                        counted[w] += ones_by_byte(accepted[w])
                    waiting += 1
                    if waiting == _FLUSH:
                        _flush(counted, flips)
                        waiting = 0
                # copies of both ends close the ring: the words of the other colour read j ± 1 without a test
                own[FIRST - 1], own[FIRST + half] = own[FIRST + half - 1], own[FIRST]
    _flush(counted, flips)
    for word in range(4):
        for w in range(WORDS):
            state[word, w] = draw[word, w]


@kernel
def satisfied(spins: Any, signs: Any, half: Any, bottom: Any, period: Any, totals: Any) -> None:
    """Add the satisfied bonds in every byte to `totals` (8,); one colour suffices, since bonds join the two colours."""
    bonds, counted = _four_rows(np.uint64), _row(np.uint64)
    for w in range(WORDS):
        counted[w] = _NONE
    for r in range(spins.shape[1]):
        for base in range(FIRST, FIRST + half, WORDS):
            _bonds(spins, signs, 0, r, base, bottom, period, bonds)
            for w in range(min(WORDS, FIRST + half - base)):
                for bond in range(4):  # each pass adds at most 32, so a byte cannot overflow
                    counted[w] += ones_by_byte(bonds[bond, w])
            _flush(counted, totals)


@kernel
def ups(spins: Any, half: Any, totals: Any) -> None:
    """Add the number of up spins in every byte to `totals` (8,)."""
    counted = _row(np.uint64)
    for w in range(WORDS):
        counted[w] = _NONE
    for colour in range(2):
        for r in range(spins.shape[1]):
            for base in range(FIRST, FIRST + half, WORDS):
                for w in range(min(WORDS, FIRST + half - base)):
                    counted[w] += ones_by_byte(spins[colour, r, base + w])
                _flush(counted, totals)


@inlined
def _bonds(spins: Any, signs: Any, colour: Any, r: Any, base: Any, bottom: Any, period: Any, bonds: Any) -> None:
    """Write which of the four bonds of `WORDS` words are satisfied: two in the row, one to the row above, one below."""
    rows = spins.shape[1]
    own, beside = spins[colour, r], spins[1 - colour, r]
    above, below = spins[1 - colour, (r + 1) % rows], spins[1 - colour, (r - 1) % rows]
    along, across = signs[0, colour, r], signs[1, colour, r]
    upward, downward = signs[2, colour, r], signs[3, colour, r]
    # of the two neighbours in the row one is word j of the other colour, the other word j + 1 or, modulo 2^64, j - 1
    step = np.uint64(2 * ((r + colour) % 2)) - _ONE
    # beyond the edge of a strip lies the next strip, one bit further; after the last bit of a period comes the first
    keep_up, keep_down, up, down = _ONES, _ONES, _NONE, _NONE
    if r == rows - 1:
        keep_up, up = ~(bottom << np.uint64(period - 1)), _ONE
    if r == 0:
        keep_down, down = ~bottom, _ONE
    back_up, back_down = up * np.uint64(period - 1), down * np.uint64(period - 1)
    for w in range(WORDS):
        j = np.uint64(base + w)
        spin, higher, lower = own[j], above[j], below[j]
        higher = ((higher >> up) & keep_up) | ((higher << back_up) & ~keep_up)
        lower = ((lower << down) & keep_down) | ((lower >> back_down) & ~keep_down)
        bonds[0, w] = ~(spin ^ beside[j] ^ along[j])
        bonds[1, w] = ~(spin ^ beside[j + step] ^ across[j])
        bonds[2, w] = ~(spin ^ higher ^ upward[j])
        bonds[3, w] = ~(spin ^ lower ^ downward[j])


@helper
def _finish(combination: Any, pick: Any, w: Any, seed: Any, accepted: Any, undecided: Any) -> Any:
    """Compare the remaining digits of one word, with numbers hashed from its random state."""
    digit = ROUNDS
    while undecided != 0 and digit < DIGITS:
        seed += GOLDEN
        bits = hashed(seed)
        chance = combination[pick[digit] + np.uint64(w)]
        accepted |= undecided & chance & ~bits
        undecided &= ~(chance ^ bits)
        digit += 1
    return accepted


@helper
def _flush(counted: Any, totals: Any) -> None:
    """Move the counts of the bytes to `totals` (8,)."""
    for w in range(WORDS):
        for byte in range(8):
            totals[byte] += np.int64((counted[w] >> (np.uint64(byte) * _BY_8)) & _BYTE)
        counted[w] = _NONE
