"""Kernels that count pairs and pool ranks; ties share the ranks they occupy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from statnn._compile import kernel

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@kernel
def count_pairs(start: Ints, rank: Ints, tree: Ints) -> tuple[int, int, int]:
    """Count pairs of samples, sorted by a reference, that a second quantity keeps in order, ties and inverts.

    Parameters
    ----------
    start : ndarray of int, shape (groups + 1,)
        Where groups of equal reference begin, and the number of samples; pairs inside a group do not count.
    rank : ndarray of int, shape (samples,)
        Dense rank of the second quantity, from 0.
    tree : ndarray of int, shape (ranks + 1,)
        Zeros; a Fenwick tree of how many samples of lower reference have each rank.
    """
    kept = tied = inverted = 0
    for group in range(start.size - 1):
        # all of a group look up before any of it is entered: pairs inside a group do not count
        for t in range(start[group], start[group + 1]):
            up_to = 0
            i = rank[t] + 1
            while i > 0:  # node i holds the sum of the last (i & -i) ranks up to i
                up_to += tree[i]
                i -= i & -i
            below = 0
            i = rank[t]
            while i > 0:
                below += tree[i]
                i -= i & -i
            kept += below
            tied += up_to - below
            inverted += start[group] - up_to
        for t in range(start[group], start[group + 1]):
            i = rank[t] + 1
            while i < tree.size:
                tree[i] += 1
                i += i & -i
    return kept, tied, inverted


@kernel
def add_up(values: Floats, weights: Floats, sums: Floats) -> None:
    """Add weighted units up, one after another for every sample, so that equal samples have equal sums.

    BLAS may round equal rows of a product differently, by where they stand.

    Parameters
    ----------
    values : ndarray, shape (samples, units)
    weights : ndarray, shape (units, groups)
    sums : ndarray, shape (samples, groups)
        Zeros; the sums are added to them.
    """
    for sample in range(len(values)):
        for unit in range(len(weights)):
            for group in range(weights.shape[1]):
                sums[sample, group] += values[sample, unit] * weights[unit, group]


@kernel
def pool_ranks(
    values: Floats, order: Ints, labels: Ints, signs: Ints, tally: Ints, mass: Floats, placement: Floats, ranks: Floats
) -> None:
    """Add one unit to the pool.

    Parameters
    ----------
    values : ndarray, shape (samples,)
        Fields of the unit.
    order : ndarray of int, shape (samples,)
        Indices that sort them.
    labels : ndarray of int, shape (samples,)
        Class of each sample, from 0.
    signs, tally : ndarray of int, shape (classes,)
        Sign of the unit for each class, 0 to leave it out, and how many samples a class has.
    mass : ndarray, shape (classes, bins)
        Receives the ranks of the members of each class, each spread over the ranks of its ties.
    placement : ndarray, shape (classes, samples)
        Receives sign · (share below - 1/2) of each sample: among all others for members of the class, among the
        members for all others.
    ranks : ndarray, shape (classes,)
        Receives the sum of (rank - 1/2) / samples - 1/2 over the members, without sign.
    """
    samples, classes, bins = order.size, tally.size, mass.shape[1]
    below = np.zeros(classes, np.int64)
    group = np.zeros(classes, np.int64)
    first = 0
    while first < samples:
        last = first + 1
        while last < samples and values[order[last]] == values[order[first]]:
            last += 1
        group[:] = 0
        for t in range(first, last):
            group[labels[order[t]]] += 1
        for k in range(classes):
            ranks[k] += group[k] * ((first + last) / (2 * samples) - 0.5)
            if signs[k] == 0 or group[k] == 0:
                continue
            low, high = (first, last) if signs[k] > 0 else (samples - last, samples - first)
            # bins and ranks are whole numbers of 1 / (samples bins): edges that coincide do so exactly
            cell = low * bins // samples
            while cell < bins and cell * samples < high * bins:
                inside = min(high * bins, (cell + 1) * samples) - max(low * bins, cell * samples)
                mass[k, cell] += group[k] * inside / ((high - low) * bins)
                cell += 1
        for t in range(first, last):
            sample = order[t]
            for k in range(classes):
                if labels[sample] == k:
                    others = first - below[k] + 0.5 * (last - first - group[k])
                    placement[k, sample] += signs[k] * (others / (samples - tally[k]) - 0.5)
                else:
                    members = below[k] + 0.5 * group[k]
                    placement[k, sample] += signs[k] * (members / tally[k] - 0.5)
        below += group
        first = last
