"""Bits of machine words in kernels: random bits from a word, and the number of bits that are 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from statnn._compile import helper

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio, an odd number: its multiples modulo 2^64 all differ, and neighbours are far apart."""
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHIFT_30, _SHIFT_27, _SHIFT_31 = np.uint64(30), np.uint64(27), np.uint64(31)
_BY_1, _BY_2, _BY_4 = np.uint64(1), np.uint64(2), np.uint64(4)
_PAIRS, _QUARTETS, _BYTES = (np.uint64(k) for k in (0x5555555555555555, 0x3333333333333333, 0x0F0F0F0F0F0F0F0F))


@helper
def hashed(word: Any) -> Any:
    """Return 64 random bits, a function of the word: what splitmix64 makes of its state (Steele, Lea & Flood 2014)."""
    word = (word ^ (word >> _SHIFT_30)) * _MIX_1
    word = (word ^ (word >> _SHIFT_27)) * _MIX_2
    return word ^ (word >> _SHIFT_31)


@helper
def ones_by_byte(word: Any) -> Any:
    """Return in every byte the number of its bits that are 1, by adding neighbouring bits, pairs, then quartets."""
    word -= (word >> _BY_1) & _PAIRS  # a pair of bits ab less its upper bit: 2a + b - a
    word = (word & _QUARTETS) + ((word >> _BY_2) & _QUARTETS)
    return (word + (word >> _BY_4)) & _BYTES
