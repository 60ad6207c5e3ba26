"""Progress of long runs: a callback, a bar where somebody is watching, or nothing."""

import sys
from collections.abc import Callable
from threading import Lock
from types import TracebackType
from typing import Any, Self


class Progress:
    """Counts what is done and tells it to a callback, from any thread."""

    def __init__(self, tell: Callable[[int, int], None] | None, total: int, bar: Any = None) -> None:
        self._tell, self._total, self._bar = tell, total, bar
        self._done = 0
        self._lock = Lock()

    def advance(self, amount: int) -> None:
        """Count some more sweeps as done."""
        with self._lock:
            self._done += amount
            if self._bar is not None:
                self._bar.update(amount)
            if self._tell is not None:
                self._tell(self._done, self._total)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()


def reporter(progress: Callable[[int, int], None] | bool | None, total: int) -> Progress:
    """Return the progress of `total` sweeps that the user asked for."""
    if callable(progress):
        return Progress(progress, total)
    if progress is False or (progress is None and not sys.stderr.isatty()):
        return Progress(None, total)
    if progress is not None and progress is not True:
        raise TypeError(f"progress = {progress!r}; pass a function of (done, total), True, False or None")
    try:
        from tqdm import tqdm
    except ImportError:
        if progress:
            raise ValueError("progress=True needs tqdm: pip install tqdm, or pass a function") from None
        return Progress(None, total)
    return Progress(None, total, tqdm(total=total, unit="sweep", leave=False))
