"""Standard streams of commands, wherever these are started."""

from __future__ import annotations

import os
import signal
import sys


def settle_streams() -> None:
    """Let a command write to any terminal, escaping what its encoding lacks, and run with closed streams."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name) or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - open to the end
        if hasattr(stream, "reconfigure"):  # notebooks have streams of their own
            stream.reconfigure(errors="backslashreplace")
        setattr(sys, name, stream)


def end_with_readers() -> None:
    """End a command by the signal of a broken pipe, as behind ``| head``, like other commands and without a message.

    Not for commands with workers or a cluster: workers that die break pipes and sockets, too, which must be reported.
    """
    if hasattr(signal, "SIGPIPE"):  # not on Windows
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
