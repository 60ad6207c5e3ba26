"""Progress of long runs: a callback, a bar in a terminal, or nothing."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from math import inf
from threading import Lock
from time import monotonic
from types import TracebackType
from typing import Any, Self

logger = logging.getLogger("statnn")
_MINUTE = 60.0


class Progress:
    """Counts finished sweeps and reports them to a callback, from any thread."""

    def __init__(self, report: Callable[[int, int], None] | None, total: int, bar: Any = None) -> None:
        self._report, self._total, self._bar = report, total, bar
        self._done = 0
        self._lock = Lock()

    def advance(self, amount: int) -> None:
        """Count `amount` more sweeps as done."""
        with self._lock:
            self._done += amount
            if self._bar is not None:
                self._bar.update(amount)
            if self._report is not None:
                self._report(self._done, self._total)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()


class Lines:
    """Writes a line per minute into the log: sweeps done, their rate, and the time left."""

    def __init__(self, total: int, clock: Callable[[], float] = monotonic) -> None:
        self._total, self._clock, self._done = total, clock, 0
        self._began = self._written = clock()

    def update(self, amount: int) -> None:
        """Count, and write if a minute has gone by."""
        self._done += amount
        now = self._clock()
        if now - self._written < _MINUTE:
            return
        self._written = now
        rate = self._done / (now - self._began)
        left = (self._total - self._done) / rate if rate else inf
        logger.info(
            "%d of %d sweeps (%.0f %%), %.3g a second, %.3g minutes left",
            self._done, self._total, 100 * self._done / self._total, rate, left / _MINUTE,
        )  # fmt: skip

    def close(self) -> None:
        """Do nothing: no resource is held."""


def reporter(progress: Callable[[int, int], None] | bool | None, total: int) -> Progress:
    """Return the progress of `total` sweeps that the user asked for."""
    if callable(progress):
        return Progress(progress, total)
    watched = sys.stderr.isatty()
    if progress is False or (progress is None and not watched):
        return Progress(None, total)
    if progress is not None and progress is not True:
        raise TypeError(f"progress = {progress!r}; pass a function of (done, total), True, False or None")
    if not watched:
        return Progress(None, total, Lines(total))
    try:
        from tqdm import tqdm
    except ImportError:
        if progress:
            raise ValueError("progress=True needs tqdm: pip install tqdm, or pass a function") from None
        return Progress(None, total)
    return Progress(None, total, tqdm(total=total, unit="sweep", leave=False))
