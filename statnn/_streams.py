"""Standard streams of commands, wherever these are started."""

import os
import signal
import sys


def settle_streams() -> None:
    """Let a command write to any terminal, to none, and to readers that leave early.

    What the encoding lacks is written by its code, to a stream that was closed nothing, and where a pipe is broken, as
    by ``| head``, the command ends as others do: by the signal, with no message and not as if something were wrong.
    """
    if hasattr(signal, "SIGPIPE"):  # not on Windows
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name) or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - till the end
        stream.reconfigure(errors="backslashreplace")
        setattr(sys, name, stream)
