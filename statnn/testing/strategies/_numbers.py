"""Numbers over many decades, and numbers that are easy to read."""

from __future__ import annotations

import math
import sys
from typing import Any

from hypothesis import strategies as st

from statnn._arguments import whole

Numbers = st.SearchStrategy[float]
_LARGEST = int(sys.float_info.max)

REALS: Numbers = st.sampled_from([0.0, 1.0, -1.0, 0.5]) | st.floats(-2, 2, width=32)
"""Parameters of order one; they are float32 numbers, so that both precisions hold them."""


def log_uniform(low: float, high: float) -> Numbers:
    """Reals spread evenly over decades, both ends included.

    Parameters
    ----------
    low, high : float
        Above zero, and finite.

    Raises
    ------
    ValueError
        Unless 0 < low <= high < ∞.
    """
    if not 0 < low <= high <= sys.float_info.max:
        raise ValueError(f"low = {low}, high = {high}: 0 < low <= high < ∞ is needed, as decades have no zero")
    spread = st.floats(math.log(low), math.log(high)).map(math.exp).map(lambda x: min(max(x, low), high))
    return spread | st.sampled_from([low, high])


def decades(low: int, high: int) -> st.SearchStrategy[int]:
    """Whole numbers spread evenly over decades, both ends included.

    Parameters
    ----------
    low, high : int
        At least 1.

    Raises
    ------
    TypeError, ValueError
        If they are not whole numbers, or low is below 1 or above high.
    """
    low = whole(low, "low", minimum=1, maximum=_LARGEST)
    high = whole(high, "high", minimum=low, maximum=_LARGEST)
    return log_uniform(low, high).map(lambda x: min(max(round(x), low), high))


def signed(low: float = 1e-3, high: float = 5.0) -> Numbers:
    """Reals of both signs, with moduli spread evenly over decades.

    Parameters
    ----------
    low, high : float
        Ends of the range of moduli, above zero.
    """
    return st.builds(math.copysign, log_uniform(low, high), st.sampled_from([1.0, -1.0]))


def chosen(value: Any, name: str, default: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return the strategy given by the caller, or the default for None; raises for a bare value."""
    if value is not None and not isinstance(value, st.SearchStrategy):
        raise TypeError(
            f"{name} = {value!r} is not a strategy; for this value alone give hypothesis.strategies.just(it)"
        )
    return default if value is None else value


def sizes(name: str, value: tuple[int, int], least: int = 1) -> st.SearchStrategy[int]:
    """Whole numbers in a range given by the caller; raises if the range is invalid."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise TypeError(f"{name} = {value!r}: give a pair, the smallest and the largest number, as (1, 4)")
    low, high = (whole(end, name, minimum=-_LARGEST) for end in value)
    if not least <= low <= high:
        raise ValueError(f"{name} = {value}: the smallest and the largest number are needed, from {least} up")
    return st.integers(low, high)
