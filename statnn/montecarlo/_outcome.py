"""Outcomes of blocks of chains: done, failed, or interrupted; a failed block does not stop the others."""

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
    """A run was interrupted, or some of its chains failed; it holds the rest."""


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
        The error in one line.
    traceback : str
        Its traceback; empty for an interrupt.
    initial : ndarray or None
        Their initial states, if given.

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
    """Return an exception as a failure of a block."""
    if isinstance(error, KeyboardInterrupt):
        return Failure(block, chains, "interrupted", "", initial)
    text = "".join(traceback.format_exception(error))
    return Failure(block, chains, f"{type(error).__name__}: {error}", text, initial)


class Interrupt:
    """Tells whether the user has asked to stop; a second interrupt ends at once."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self) -> bool:
        """Return whether to stop."""
        return self.asked

    @contextmanager
    def listening(self) -> Iterator[Interrupt]:
        """Treat the first interrupt as a request to stop, in the main thread only."""
        usual = threading.current_thread() is threading.main_thread() and (
            signal.getsignal(signal.SIGINT) is signal.default_int_handler
        )
        if not usual:  # other code has its own handler of interrupts
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
    """Warn of missing chains and draws, and say how to get them: with a store, by calling again."""
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
    """Return the numbers of chains in words, as "3 to 7" where they are consecutive."""
    if len(chains) > 2 and [*chains] == [*range(chains[0], chains[0] + len(chains))]:
        return f"{chains[0]} to {chains[-1]}"
    shown = [*map(str, chains[:6]), *(["others"] if len(chains) > 6 else [])]
    return " and ".join(part for part in (", ".join(shown[:-1]), shown[-1]) if part)
