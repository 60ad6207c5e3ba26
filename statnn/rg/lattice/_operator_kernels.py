"""Sums of products of spins over a lattice: rows packed into bits, products by XOR, sums by counting bits.

A spin -1 is a bit 1; the product of some spins is -1 where the XOR of their bits is 1. Every row is packed once, with
`reach` sites of its periodic continuation on either side, and copied at every shift that operators need. The rows
themselves are continued periodically too, so that a site of a cluster is an offset in one flat array.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from statnn._bits import ones_by_byte
from statnn._compile import helper, kernel

_ZERO, _ONE, _WORD, _TOP = (np.uint64(k) for k in (0, 1, 64, 56))
_LAST = np.uint64(63)
_SUM = np.uint64(0x0101010101010101)
"""A word times this has the sum of its bytes in the topmost byte."""


@kernel
def sums(
    states: Any, shape: Any, reach: Any, offsets: Any, starts: Any, low: Any, high: Any, masks: Any, owner: Any,
    shifted: Any, packed: Any, out: Any,
) -> None:  # fmt: skip
    """Fill `out` (replicas, operators) with the sums of all products.

    Parameters
    ----------
    states : flat int8 of `shape` = (replicas, n0, n1, n2)
        Spins ±1; rows run along the last axis.
    reach : (r0, r1, r2)
        Sites of the continuation along each axis.
    offsets, starts
        Offsets in `shifted` of the sites of all clusters from their origin, one cluster after the other; and the index
        at which each cluster begins, (clusters + 1,).
    low, high : (clusters, 2)
        Range of the first two coordinates of the origin.
    masks : (clusters, words)
        Bits of the third coordinate that are counted.
    owner : (clusters,)
        The operator that a cluster belongs to.
    shifted : flat, (2 r2 + 1 shifts, n0 + 2 r0, n1 + 2 r1, words)
        Scratch.
    packed : (words + 2,) or more
        Scratch.
    """
    across = shape[2] + 2 * reach[1]
    words = masks.shape[1]
    out[:] = 0
    for r in range(shape[0]):
        _pack(states, r, shape, reach, words, packed, shifted)
        for c in range(owner.size):
            odd, places = 0, 0
            for w in range(words):
                mask = masks[c, w]
                places += _count(mask)
                for i in range(low[c, 0], high[c, 0]):
                    first = ((i + reach[0]) * across + reach[1]) * words + w
                    for j in range(low[c, 1], high[c, 1]):
                        word = _ZERO
                        for s in range(starts[c], starts[c + 1]):
                            word ^= shifted[np.uint64(first + j * words + offsets[s])]
                        odd += _count(word & mask)
            # the sum of ±1 over all places is their number minus twice the number of products -1
            places *= (high[c, 0] - low[c, 0]) * (high[c, 1] - low[c, 1])
            out[r, owner[c]] += places - 2 * odd


@helper
def _pack(states: Any, r: Any, shape: Any, reach: Any, words: Any, packed: Any, shifted: Any) -> None:
    """Pack the rows of a replica and copy them at every shift."""
    _, n0, n1, n2 = shape
    r0, r1, r2 = reach
    place = np.uint64(0)
    plane = np.uint64((n0 + 2 * r0) * (n1 + 2 * r1) * words)
    for i in range(-r0, n0 + r0):
        for j in range(-r1, n1 + r1):
            _pack_row(states, ((r * n0 + i % n0) * n1 + j % n1) * n2, n2, r2, packed)
            for shift in range(2 * r2 + 1):
                used = np.uint64(shift) & _LAST
                for w in range(words):
                    word = packed[w + (shift >> 6)] >> used
                    if used:  # a shift by all 64 bits is undefined
                        word |= packed[w + (shift >> 6) + 1] << (_WORD - used)
                    shifted[np.uint64(shift) * plane + place + np.uint64(w)] = word
            place += np.uint64(words)


@helper
def _pack_row(states: Any, row: Any, length: Any, reach: Any, packed: Any) -> None:
    """Pack one row and its continuation, from `reach` sites before its first one on."""
    site, bit, slot, word = -reach % length, np.uint64(0), 0, _ZERO
    for _ in range(length + 2 * reach):
        word |= np.uint64(states[np.uint64(row + site)] < 0) << bit
        bit += _ONE
        site += 1
        if site == length:
            site = 0
        if bit == _WORD:
            packed[slot] = word
            bit, slot, word = np.uint64(0), slot + 1, _ZERO
    packed[slot] = word
    packed[slot + 1 :] = _ZERO


@helper
def _count(word: Any) -> int:
    """Return how many bits are 1."""
    return int((ones_by_byte(word) * _SUM) >> _TOP)
