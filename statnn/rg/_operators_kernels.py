"""Sums of products of spins over a lattice: rows packed into bits, products by XOR, sums by counting bits.

A spin -1 is a bit 1; the product of some spins is -1 where the XOR of their bits is 1. Every row is packed once, with
`reach` sites of its periodic continuation on either side, and cut out again at every shift that operators need.
"""

from typing import Any

import numpy as np

from statnn._numba import helper, kernel

_ZERO, _ONE, _TWO, _FOUR, _SIX, _WORD, _TOP = (np.uint64(k) for k in (0, 1, 2, 4, 6, 64, 56))
_LAST = np.uint64(63)
_PAIRS, _QUARTETS, _BYTES, _SUM = (
    np.uint64(k) for k in (0x5555555555555555, 0x3333333333333333, 0x0F0F0F0F0F0F0F0F, 0x0101010101010101)
)


@kernel
def sums(
    states: Any, shape: Any, sites: Any, starts: Any, low: Any, high: Any, masks: Any, owner: Any, shifted: Any,
    packed: Any, out: Any,
) -> None:  # fmt: skip
    """Fill `out` (replicas, operators) with the sums of all products.

    Parameters
    ----------
    states : flat int8 of `shape` = (replicas, n0, n1, n2)
        Spins ±1; rows run along the last axis.
    sites, starts
        Offsets (sites, 3) of all clusters, one after the other, and where each of them begins, (clusters + 1,).
    low, high : (clusters, 2)
        Range of the first two coordinates of the origin.
    masks : (clusters, words)
        Bits of the third coordinate that are counted.
    owner : (clusters,)
        The operator that a cluster belongs to.
    shifted : (shifts, n0, n1, words), packed : (words + 2,)
        Scratch; shifts run from -reach to reach.
    """
    replicas, n0, n1, n2 = shape
    out[:] = 0
    for r in range(replicas):
        _pack(states, r, n0, n1, n2, packed, shifted)
        for c in range(owner.size):
            odd, total = 0, 0
            for w in range(masks.shape[1]):
                total += _count(masks[c, w])
            for i in range(low[c, 0], high[c, 0]):
                for j in range(low[c, 1], high[c, 1]):
                    for w in range(masks.shape[1]):
                        odd += _count(_product(sites, starts[c], starts[c + 1], i, j, w, shifted) & masks[c, w])
            total *= (high[c, 0] - low[c, 0]) * (high[c, 1] - low[c, 1])
            out[r, owner[c]] += total - 2 * odd


@helper
def _pack(states: Any, r: Any, n0: Any, n1: Any, n2: Any, packed: Any, shifted: Any) -> None:
    """Pack the rows of a replica and cut them out at every shift."""
    reach = (shifted.shape[0] - 1) // 2
    for i in range(n0):
        for j in range(n1):
            row = np.uint64(((r * n0 + i) * n1 + j) * n2)
            packed[:] = _ZERO
            site = -reach % n2
            for k in range(n2 + 2 * reach):
                down = np.uint64(states[row + np.uint64(site)] < 0)
                packed[k >> 6] |= down << (np.uint64(k) & _LAST)
                site += 1
                if site == n2:
                    site = 0
            for shift in range(shifted.shape[0]):
                used = np.uint64(shift) & _LAST
                for w in range(shifted.shape[3]):
                    place = w + (shift >> 6)
                    word = packed[place] >> used
                    if used:
                        word |= packed[place + 1] << (_WORD - used)
                    shifted[shift, i, j, w] = word


@helper
def _product(sites: Any, start: Any, end: Any, i: Any, j: Any, w: Any, shifted: Any) -> Any:
    """Return the XOR of the rows of a cluster whose origin is in row (i, j)."""
    reach = (shifted.shape[0] - 1) // 2
    word = _ZERO
    for s in range(start, end):
        a, b = i + sites[s, 0], j + sites[s, 1]
        a += shifted.shape[1] * (int(a < 0) - int(a >= shifted.shape[1]))
        b += shifted.shape[2] * (int(b < 0) - int(b >= shifted.shape[2]))
        word ^= shifted[sites[s, 2] + reach, a, b, w]
    return word


@helper
def _count(word: Any) -> int:
    """Return how many bits are 1, by sums of neighbours: pairs, quartets, bytes, all."""
    word -= (word >> _ONE) & _PAIRS
    word = (word & _QUARTETS) + ((word >> _TWO) & _QUARTETS)
    word = (word + (word >> _FOUR)) & _BYTES
    return int((word * _SUM) >> _TOP)
