"""Kernels that read every activation once: spikes, windows and intervals of all units, in whole numbers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from statnn._compile import helper, kernel, vector_kernel

SINGLE = 4
"""Intervals below this have a cell each; from here on every octave has this many cells."""

OCTAVES = 20

CELLS = SINGLE - 1 + SINGLE * OCTAVES
"""Cells of the histogram of intervals; the last is open above."""

SMALLEST = np.concatenate(
    [np.arange(1, SINGLE), *(np.arange(SINGLE, 2 * SINGLE) << octave for octave in range(OCTAVES))]
)
"""The smallest interval of each cell, shape (CELLS,)."""

FEWEST = 5.0
"""Least expected intervals in a cell of the test."""

STEPS = 50
"""Most steps of scoring; a handful is needed."""

SHORT = 252
"""Samples whose spikes a byte can count."""

ABREAST = 16
"""Windows that `moments` reads at a time."""

TOGETHER = 64
"""Units whose histograms stay in the first cache."""


class Counters(NamedTuple):
    """Sums kept for every unit, all whole numbers: O(units) memory, whatever the number of samples."""

    spikes: NDArray[np.int64]
    """(units,) spikes in complete windows."""
    squares: NDArray[np.int64]
    """(units,) sum of squares of the counts of complete windows."""
    partial: NDArray[np.int64]
    """(units,) spikes in the window that is being filled."""
    last: NDArray[np.int64]
    """(units,) the last sample with a spike, -1 before the first."""
    intervals: NDArray[np.int64]
    """(units,) sum of all intervals between successive spikes."""
    interval_squares: NDArray[np.int64]
    """(units,) sum of their squares."""
    cells: NDArray[np.uint32]
    """(units, CELLS) histogram of intervals, of which there are fewer than 2^32; (0, CELLS) if none are followed."""


@helper
def cell_of(interval: Any) -> Any:
    """Return the cell of an interval."""
    if interval < 4:
        return interval - 1
    octave = 0
    while interval >= 8:
        interval >>= 1
        octave += 1
    return 82 if octave > 19 else 3 + 4 * octave + interval - 4


@vector_kernel
def present(fires: Any, filled: int, window: int, counters: Any) -> int:
    """Count the spikes of a batch, bytes 0 or 1 of shape (samples, units), window by window.

    The unfinished window holds ``filled`` samples; the number that it holds afterwards is returned.
    """
    samples, units = fires.shape
    spikes, squares, partial = counters.spikes, counters.squares, counters.partial
    short = np.zeros(units, np.uint8)
    begin = 0
    while begin < samples:
        end = min(samples, begin + window - filled, begin + SHORT)
        fours = begin + (end - begin) // 4 * 4
        for s in range(begin, fours, 4):
            for i in range(units):
                short[i] += fires[s, i] + fires[s + 1, i] + fires[s + 2, i] + fires[s + 3, i]
        for s in range(fours, end):
            for i in range(units):
                short[i] += fires[s, i]
        for i in range(units):
            partial[i] += np.int64(short[i])
            short[i] = 0
        filled += end - begin
        begin = end
        if filled == window:
            for i in range(units):
                spikes[i] += partial[i]
                squares[i] += partial[i] * partial[i]
                partial[i] = 0
            filled = 0
    return filled


@kernel
def follow(fires: Any, begin: int, counters: Any) -> None:
    """Follow the intervals of a batch, the first of whose samples is number ``begin``; few units at a time."""
    samples, units = fires.shape
    last, total, square, cells = counters.last, counters.intervals, counters.interval_squares, counters.cells
    # units go in groups whose histograms fit the first cache: a spike may hit any of the cells of its unit
    for left in range(0, units, TOGETHER):
        right = min(units, left + TOGETHER)
        for s in range(samples):
            now = begin + s
            for i in range(left, right):
                if fires[s, i]:
                    before = last[i]
                    last[i] = now
                    if before >= 0:  # the time up to the first spike is part of an interval of unknown length
                        interval = now - before
                        total[i] += interval
                        square[i] += interval * interval
                        cells[i, cell_of(interval)] += 1


@vector_kernel
def moments(counts: Any, at_once: int, short: Any, spikes: Any, squares: Any) -> Any:
    """Add counts, unsigned of shape (windows, units), and their squares; return the largest, rounded to ``short``.

    Sums over ``at_once`` windows are exact in the floats of ``short``, zeros of shape (3, units). `ABREAST` windows are
    read side by side: memory then delivers more at a time, and sums are loaded and stored once for all of them.
    """
    windows, units = counts.shape
    number = short.dtype.type
    short_sum, short_square, most = short[0], short[1], short[2]
    for begin in range(0, windows, at_once):
        end = min(windows, begin + at_once)
        abreast = begin + (end - begin) // ABREAST * ABREAST
        for w in range(begin, abreast, ABREAST):
            for i in range(units):
                largest, total, square = most[i], number(0), number(0)
                for row in range(ABREAST):
                    n = number(counts[w + row, i])
                    largest = max(largest, n)
                    total += n
                    square += n * n
                most[i] = largest
                short_sum[i] += total
                short_square[i] += square
        for w in range(abreast, end):
            for i in range(units):
                n = number(counts[w, i])
                most[i] = max(most[i], n)
                short_sum[i] += n
                short_square[i] += n * n
        for i in range(units):
            spikes[i] += np.int64(short_sum[i])
            squares[i] += np.int64(short_square[i])
            short_sum[i] = short_square[i] = number(0)
    return most.max()


@vector_kernel
def wide_moments(counts: Any, spikes: Any, squares: Any) -> Any:
    """Do the same for counts whose squares need 64 bits, and return the largest count."""
    windows, units = counts.shape
    most = np.uint64(0)
    for w in range(windows):
        for i in range(units):
            n = np.uint64(counts[w, i])
            most = max(most, n)
            spikes[i] += np.int64(n)
            squares[i] += np.int64(n) * np.int64(n)
    return most


@vector_kernel
def geometric_fit(cells: Any, first: Any, chance: Any, statistic: Any, freedom: Any) -> None:
    """Pearson's statistic of a geometric law fitted to grouped intervals, a unit at a time.

    Neighbouring cells are pooled until each expects `FEWEST` intervals at ``chance``, the rate from the mean
    interval; there the rate is estimated once more from the pooled cells, by scoring, so that the statistic has
    the law of chi-square with two degrees of freedom fewer than cells. ``freedom`` is 0 where there are too few.
    """
    units, groups = cells.shape
    start, seen = np.empty(groups, np.int64), np.empty(groups)
    for unit in range(units):
        total = 0
        for j in range(groups):
            total += cells[unit, j]
        rate, pooled, mass, held = chance[unit], 0, 0.0, 0.0
        freedom[unit], statistic[unit] = 0, 0.0
        if total < 3 * FEWEST or not 0.0 < rate < 1.0:
            continue
        opened, above = 1, 1.0  # the smallest interval of the unfinished cell, P(I >= it)
        for j in range(groups):
            held += cells[unit, j]
            after = (1.0 - rate) ** (first[j + 1] - 1) if j + 1 < groups else 0.0
            mass = above - after
            # closed only if what is left expects enough as well: the last cell has no neighbour to be pooled with
            if total * mass >= FEWEST and total * after >= FEWEST:
                start[pooled], seen[pooled] = opened, held
                pooled += 1
                opened, above, held = first[j + 1], after, 0.0
        start[pooled], seen[pooled] = opened, held
        pooled += 1
        if pooled < 3:
            continue
        for _ in range(STEPS):
            score, information = 0.0, 0.0
            above, slope = 1.0, 0.0
            for j in range(pooled):
                after, falls = 0.0, 0.0
                if j + 1 < pooled:
                    after = (1.0 - rate) ** (start[j + 1] - 1)
                    falls = -(start[j + 1] - 1) * after / (1.0 - rate)
                p, dp = above - after, slope - falls
                score += seen[j] * dp / p
                information += dp * dp / p
                above, slope = after, falls
            step = score / (total * information)
            # scoring may overshoot: half way to either end keeps the rate in (0, 1), where no cell is impossible
            step = min(max(step, -0.5 * rate), 0.5 * (1.0 - rate))
            rate += step
            if abs(step) < 1e-12 * rate:
                break
        above = 1.0
        for j in range(pooled):
            after = (1.0 - rate) ** (start[j + 1] - 1) if j + 1 < pooled else 0.0
            expected = total * (above - after)
            statistic[unit] += (seen[j] - expected) ** 2 / expected
            above = after
        freedom[unit] = pooled - 2
