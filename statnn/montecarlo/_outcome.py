"""What becomes of blocks of chains: done, failed, or interrupted; one does not take the others with it."""

from __future__ import annotations

import signal
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from statnn._by_value import ByValue
from statnn._warn import warn
from statnn.montecarlo._method import Values


class IncompleteRun(UserWarning):
    """A run was interrupted, or some of its chains failed; it holds what is there."""


@dataclass(frozen=True, eq=False, repr=False)
class Failure(ByValue):
    """Chains that a run lacks.

    Parameters
    ----------
    block : int
        Number of the block of chains.
    chains : tuple of int
        Their numbers.
    error : str
        What happened, in a line.
    traceback : str
        Where; empty for an interrupt.
    initial : ndarray or None
        Where they were to start.

    See Also
    --------
    Run : holds them, as ``failures``.
    Run.retry : runs these chains again.
    """

    block: int
    chains: tuple[int, ...]
    error: str
    traceback: str = field(default="", repr=False)
    initial: Values | None = field(default=None, repr=False)


def failure(error: BaseException, block: int, chains: tuple[int, ...], initial: Values | None) -> Failure:
    """Return the failure that an exception is."""
    if isinstance(error, KeyboardInterrupt):
        return Failure(block, chains, "interrupted", "", initial)
    text = "".join(traceback.format_exception(error))
    return Failure(block, chains, f"{type(error).__name__}: {error}", text, initial)


class Interrupt:
    """Whether the user has asked to stop; a second interrupt ends at once."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self) -> bool:
        """Return whether to stop."""
        return self.asked

    @contextmanager
    def listening(self) -> Iterator[Interrupt]:
        """Take the first interrupt as a wish to stop, in the main thread alone."""
        usual = threading.current_thread() is threading.main_thread() and (
            signal.getsignal(signal.SIGINT) is signal.default_int_handler
        )
        if not usual:  # somebody else decides what an interrupt is
            yield self
            return

        def stop(number: int, frame: FrameType | None) -> None:
            if self.asked:
                signal.default_int_handler(number, frame)
            self.asked = True

        signal.signal(signal.SIGINT, stop)
        try:
            yield self
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def warn_of_missing(
    failures: Sequence[Failure], chains: Sequence[int], draws: int, planned: int, *, stored: bool = False
) -> None:
    """Warn of what a run lacks, and say how to have it: of one with a store, to call again."""
    lacking: dict[str, list[int]] = {}
    for each in failures:
        lacking.setdefault(each.error, []).extend(each.chains)
    words = [f"chains {_numbers(numbers)} are missing ({error})" for error, numbers in lacking.items()]
    advice = ["run.retry() runs the chains that are missing"] if words else []
    if draws < planned:
        words.append(f"there are {draws} of {planned} draws of chains {_numbers(chains)}")
        advice.append("run.extend() goes on")
    if stored:
        advice = ["call again with the same arguments and store, which goes on from there"]
    if words:
        warn(f"{'; '.join(words)}: {', '.join(advice)}", IncompleteRun)


def _numbers(chains: Sequence[int]) -> str:
    """Return the numbers of chains in words, as "3 to 7" where they follow each other."""
    if len(chains) > 2 and [*chains] == [*range(chains[0], chains[0] + len(chains))]:
        return f"{chains[0]} to {chains[-1]}"
    shown = [*map(str, chains[:6]), *(["others"] if len(chains) > 6 else [])]
    return " and ".join(part for part in (", ".join(shown[:-1]), shown[-1]) if part)
