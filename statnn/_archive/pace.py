"""How often the results of long work are written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from time import monotonic

EVERY = 5.0
"""Seconds between two writes, at least."""
SHARE = 0.02
"""Largest share of the time spent on writing: slow writes are made less often."""


class Pace:
    """Says when it is time to write.

    Parameters
    ----------
    every : float
        Seconds between two writes, at least; `EVERY` if that is less.

    Examples
    --------
    >>> pace = Pace()
    >>> pace.due
    False
    """

    def __init__(self, every: float = inf) -> None:
        self._every = min(every, EVERY)
        self._next = monotonic() + self._every

    @property
    def due(self) -> bool:
        """Whether it is time to write."""
        return monotonic() >= self._next

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Measure the duration of a write, from which follows when the next is due."""
        began = monotonic()
        yield
        ended = monotonic()
        self._next = ended + max(self._every, (ended - began) / SHARE)
