"""Files that appear whole or not at all, whatever ends the process or the machine."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_SHOWN = 40
"""Letters of a name kept in the name of its temporary file, which must not be longer than the system allows."""


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a binary file that takes the place of `path` when the context ends well, and vanishes otherwise.

    The contents are on the disk before the name is: after a loss of power the name stands for the old file or for the
    whole new one. A link stays, and the file it leads to is replaced. Permissions follow from the umask, or stay those
    of the old file.

    See Also
    --------
    save : writes figures this way.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as directory:
    ...     with replacing(f"{directory}/note.txt") as file:
    ...         _ = file.write(b"whole")
    ...     Path(directory, "note.txt").read_text()
    'whole'
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name[:_SHOWN]}.{secrets.token_hex(8)}.tmp")
    try:
        file = temporary.open("x+b")
    except OSError as error:  # it names the temporary file, which nobody asked for
        error.filename = os.fspath(path)
        raise
    try:
        with file:
            with suppress(FileNotFoundError):
                temporary.chmod(stat.S_IMODE(target.stat().st_mode))  # before there is anything to read
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
        _sync(target.parent)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        # the error of a full disk names no file
        if isinstance(error, OSError) and error.errno and error.filename in (None, str(temporary)):
            raise OSError(error.errno, error.strerror, os.fspath(path)) from None
        raise


def path_of(path: str | os.PathLike[str], name: str) -> Path:
    """Return a path, or raise for what is none, and for an empty name, as of an unset shell variable."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"{name} is a {type(path).__name__}; give the name of a file or folder, a text or a Path")
    if not os.fspath(path):
        raise ValueError(f"{name} = '' is an empty name and would mean the current folder; give a name, or '.' for it")
    if "\0" in str(path):
        raise ValueError(f"{name} = {str(path)!r} has a zero byte, which no name of a file has; leave it out")
    return Path(path)


def kind_of(path: Path) -> str:
    """Return what is there instead of a folder."""
    return "a file" if path.exists() else "a link to nothing"


def _sync(folder: Path) -> None:
    """Write the names in a folder to the disk, where the system has a call for it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # folders cannot be opened on Windows
        return
    try:
        os.fsync(descriptor)
    except OSError:  # nor synchronised on some network file systems
        pass
    finally:
        os.close(descriptor)
