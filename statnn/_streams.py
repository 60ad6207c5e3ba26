"""Standard streams of commands, wherever these are started."""

from __future__ import annotations

import os
import signal
import sys


def settle_streams() -> None:
    """Let a command write to any terminal, what its encoding lacks by its code, and to none, as where it is closed."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name) or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - till the end
        if hasattr(stream, "reconfigure"):  # notebooks have streams of their own
            stream.reconfigure(errors="backslashreplace")
        setattr(sys, name, stream)


def end_with_readers() -> None:
    """Let a command end where a pipe is broken, as by ``| head``: by the signal, as others do, and without a message.

    Not one with workers or a cluster: those that die break pipes and sockets, too, and that is to be told.
    """
    if hasattr(signal, "SIGPIPE"):  # not on Windows
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
