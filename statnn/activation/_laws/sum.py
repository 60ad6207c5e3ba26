"""Sums over up to 1e18 whole numbers of a term that is smooth on a logarithmic scale from both ends, and from a peak.

The integers next to either end, and to the peak, are summed one by one. Every following octave is summed on ``knots``
equidistant integers: the trapezoidal rule with steps s and 2s gives, by the Euler-Maclaurin formula, the
sum with step 1 up to O(knots^-4). ``knots`` is doubled until the sum no longer changes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from statnn._warn import warn

Term = Callable[[NDArray[np.int64]], NDArray[np.float64]]

_RELATIVE_TOLERANCE = 1e-11
_SMALLEST = sys.float_info.min
"""The least float with all its digits: smaller changes mean nothing."""
_FEWEST_KNOTS, _MOST_KNOTS = 2**9, 2**16


def _octave(term: Term, begin: int, step: int, steps: int) -> float:
    """Sum over the integers begin < k <= begin + step * steps, for an even number of steps."""
    values = term(begin + step * np.arange(steps + 1, dtype=np.int64))
    ends = 0.5 * (values[0] + values[-1])
    fine = step * (values.sum() - ends)
    coarse = 2 * step * (values[::2].sum() - ends)
    return float(fine + (fine - coarse) / 3 * (1 - 1 / step**2) + 0.5 * (values[-1] - values[0]))


def _from_zero(term: Term, last: int, knots: int) -> float:
    """Sum over 0 <= k <= last, with a grid that is dense near 0."""
    begin = min(last, 2 * knots)
    total = float(term(np.arange(begin + 1, dtype=np.int64)).sum())
    while last - begin > 1:
        step = max(1, min(begin // knots, (last - begin) // 2))
        steps = min(knots, (last - begin) // step // 2 * 2)
        total += _octave(term, begin, step, steps)
        begin += step * steps
    return total + (float(term(np.array([last]))[0]) if begin < last else 0.0)


def smooth_sum(term: Term, first: int, last: int, *, peak: int | None = None) -> float:
    r"""Return :math:`\sum_{k=first}^{last}` ``term(k)``.

    Parameters
    ----------
    term : callable
        Takes an int64 array of k, returns float64 of the same shape.
    first, last : int
        The range, both ends included; an empty range sums to 0.
    peak : int, optional
        About where the term is largest, to within the width of the peak: a grid that is dense at the ends alone
        would miss a narrow peak.

    Warns
    -----
    RuntimeWarning
        If the term is too rough for the grid: the value is then the best found, and the message says by how
        much it still moves.

    Examples
    --------
    >>> round(smooth_sum(lambda k: 1 / (k + 1.0) ** 2, 0, 10**18), 12)
    1.644934066848
    """
    if last < first:
        return 0.0
    if peak is not None and first < peak < last:
        return smooth_sum(term, first, peak) + smooth_sum(term, peak + 1, last)
    half = (last - first) // 2

    def total(knots: int) -> float:
        lower = _from_zero(lambda j: term(first + j), half, knots)
        if last == first:
            return lower
        return lower + _from_zero(lambda j: term(last - j), last - first - half - 1, knots)

    knots = _FEWEST_KNOTS
    value = total(knots)
    if last - first <= 4 * knots:
        return value
    change = np.inf
    while knots < _MOST_KNOTS:
        knots *= 2
        previous, value = value, total(knots)
        change = abs(value - previous)
        if change <= _RELATIVE_TOLERANCE * abs(value) + _SMALLEST or last - first <= 4 * knots:
            return value
    warn(
        f"the sum over k from {first} to {last} still moves by {change:.1e} at {value:.17g}: the summand is "
        "too rough at large k; pass a smoother one or fewer samples"
    )
    return value
