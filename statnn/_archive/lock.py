"""One process at a time in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_held: set[int] = set()


def _left_to_the_parent() -> None:
    """Close inherited locks in a forked process: a worker would hold them when their owner is gone."""
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_left_to_the_parent)


@contextmanager
def locked(path: Path, name: str, error: type[ValueError] = ValueError, *, leave: bool = True) -> Iterator[None]:
    """Hold a file as a lock, which the system releases however the process ends; hold nothing if it has no locks.

    Parameters
    ----------
    path : Path
        The file. It is created, and names the process at work.
    name : str
        What is locked, in messages.
    error : type
        The error to raise if another process holds it.
    leave : bool
        Whether the file stays when the context ends.
    """
    try:
        import fcntl
    except ImportError:  # not on Windows
        yield
        return
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 100, 0).decode(errors="replace")
            os.close(descriptor)
            raise error(
                f"{name} is in use by another process ({holder or 'unknown'}): wait for it, or name another folder"
            ) from None
        except OSError:  # file systems without locks
            pass
        if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
            break
        os.close(descriptor)  # its last holder has removed it in the meantime
    _held.add(descriptor)
    try:
        with suppress(OSError):  # a full disk: the text is for messages alone
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"process {os.getpid()}".encode(), 0)
        yield
    finally:
        if descriptor in _held:  # unless this is a fork, which has closed it
            if not leave:
                path.unlink(missing_ok=True)
            _held.remove(descriptor)
            os.close(descriptor)
