"""Arrays from npz and npy files, read without trust.

numpy's own reader allocates what a header claims; here the claim is first compared with the size of the member, and
the unpacked size of all members with the file and with memory. Headers are matched against one pattern, not evaluated.
"""

from __future__ import annotations

import errno
import math
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from statnn._archive.words import line_of
from statnn._memory import refuse_beyond_memory

MOST_TEXT = 10_000_000
"""Longest text, in bytes, that is written or read: enough for a hundred thousand layers."""
MOST_UNPACKED = 100
"""Largest total size of the members, in sizes of the file: parameters and images shrink far less in a zip."""
ALWAYS_UNPACKED = 64 * 2**20
"""Bytes that may be unpacked from a file however small it is."""
_MOST_HEADER = 10_000
"""Longest header of an array, in bytes, that is read."""
_MAGIC = b"\x93NUMPY"
_ENTRY = re.compile(
    r" ?(?:'descr': ?'(?P<descr>[^']{1,20})'|'fortran_order': ?(?P<fortran>True|False)|"
    r"'shape': ?\((?P<shape>[0-9L, ]*)\)) ?(?:,|$)"
)
_DTYPE = re.compile(r"[<>|=]?(?:f[248]|[iu][1248]|b1|[SU][0-9]{1,9})")


@dataclass(frozen=True)
class Header:
    """What an npy header claims."""

    dtype: np.dtype[Any]
    fortran: bool
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """Bytes of the array."""
        return math.prod(self.shape) * self.dtype.itemsize


class Npz:
    """The arrays of an open npz file, read one by one when they are asked for."""

    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        self._archive = archive
        self._members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        if len(self._members) < len(archive.infolist()):
            raise ValueError("an array is given twice")
        for info in archive.infolist():
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
                raise ValueError(f"member {info.filename!r} is packed in a way that numpy does not use")
        total = sum(info.file_size for info in archive.infolist())
        if total > max(MOST_UNPACKED * size, ALWAYS_UNPACKED):
            raise ValueError(
                f"{size} bytes claim to unpack into {total:.3g}: that is not a file of parameters or data; "
                "if it is one, store it again with numpy.savez"
            )
        refuse_beyond_memory(2.0 * total, "unpacking it", "use a machine with more memory")

    def __contains__(self, name: str) -> bool:
        return name in self._members

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the arrays."""
        return tuple(self._members)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return one array."""
        info = self._members[name]
        with self._archive.open(info) as member:
            return read_npy(member, info.file_size, name)

    def text(self, name: str) -> str:
        """Return one text, stored as bytes."""
        info = self._members[name]
        if info.file_size > _MOST_HEADER + MOST_TEXT:
            raise ValueError(f"{name!r} is {info.file_size} bytes long, at most {MOST_TEXT:.3g} are read")
        array = self[name]
        if array.dtype.kind != "S" or array.ndim:
            raise ValueError(f"{name!r} is an array of {array.dtype} and no text")
        return bytes(array[()]).decode()


def refuse_endless(path: Path) -> None:
    """Raise where a path is neither a file nor a folder: a pipe keeps its reader waiting, a device has no end."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise ValueError(f"{path} is not a regular file")


@contextmanager
def npz(path: Path) -> Iterator[Npz]:
    """Open an npz file; whatever is wrong with it is a `ValueError` that names the file."""
    refuse_endless(path)
    with _with_path(path, "npz"), path.open("rb") as file, zipfile.ZipFile(file) as archive:
        _refuse_lost(file, archive)
        yield Npz(archive, path.stat().st_size)


def _refuse_lost(file: IO[bytes], archive: zipfile.ZipFile) -> None:
    """Raise where a damaged length in the directory hides the member after it: zipfile does not count members."""
    file.seek(-22 - len(archive.comment), os.SEEK_END)
    said, listed = int.from_bytes(file.read(12)[10:], "little"), len(archive.infolist())
    if said not in {listed, 0xFFFF}:  # 0xFFFF: the number stands elsewhere, as of very many
        raise ValueError(f"its directory lists {listed} of {said} members: it is damaged")


def npy(path: Path) -> NDArray[Any]:
    """Return the array of an npy file."""
    with _with_path(path, "npy"), path.open("rb") as file:
        size = path.stat().st_size
        refuse_beyond_memory(2.0 * size, "reading it", "use a machine with more memory")
        return read_npy(file, size, path.name)


def read_npy(file: IO[bytes], size: int, name: str) -> NDArray[Any]:
    """Return the array that `size` bytes of a file hold in the format of numpy."""
    start = file.read(8)
    if len(start) < 8 or start[:6] != _MAGIC:
        raise ValueError(f"{name!r} is not a numpy array")
    wide = {1: 2, 2: 4, 3: 4}.get(start[6])
    if wide is None:
        raise ValueError(f"{name!r} has the unknown version {start[6]} of numpy's format")
    long = int.from_bytes(file.read(wide), "little")
    if long > _MOST_HEADER:
        raise ValueError(f"{name!r} has a header of {long} bytes, at most {_MOST_HEADER} are read")
    text = file.read(long)
    if size < 8 + wide + long:
        raise ValueError(f"{name!r} ends inside its header")
    header = _header(text, name)
    if header.nbytes != size - 8 - wide - long:
        raise ValueError(
            f"{name!r} claims shape {header.shape} of {header.dtype}, {header.nbytes} bytes, but "
            f"{size - 8 - wide - long} follow: it is cut off or damaged"
        )
    data = file.read(header.nbytes)
    if len(data) < header.nbytes:
        raise ValueError(f"{name!r} ends after {len(data)} of {header.nbytes} bytes")
    flat = np.frombuffer(data, header.dtype)
    flat = flat.astype(header.dtype.newbyteorder("="), copy=False)  # byte order of other machines
    return flat.reshape(header.shape, order="F" if header.fortran else "C")


def _header(raw: bytes, name: str) -> Header:
    text = " ".join(raw.decode("latin-1").split())
    inside = text[1:-1].strip()
    entries = [(entry.lastgroup or "", entry[entry.lastgroup or 0]) for entry in _ENTRY.finditer(inside)]
    complete = sorted(key for key, _ in entries) == ["descr", "fortran", "shape"] and text[:1] + text[-1:] == "{}"
    if not complete or _ENTRY.sub("", inside).strip():
        columns = ": for columns with names, store numpy.lib.recfunctions.structured_to_unstructured(array)"
        named = "[(" in text and "'descr'" in text
        raise ValueError(f"{name!r} has a header that describes no plain array{columns if named else ''}")
    values = dict(entries)  # the format allows any order
    descr, shape = values["descr"], values["shape"]
    if descr.lstrip("<>|=") == "O":
        raise ValueError(
            f"{name!r} holds Python objects, that is a pickle, and pickles are never opened: they can run any program; "
            "store plain arrays of numbers"
        )
    if not _DTYPE.fullmatch(descr):
        small = descr in {"|V1", "|V2", "<V1", "<V2"}  # numpy writes bfloat16 so, without its name
        wide = ": store array.astype(float)" if small or descr.lstrip("<>=").startswith("f") else ""
        raise ValueError(f"{name!r} has type {descr!r}; real numbers and texts are read{wide}")
    parts = [part.strip().removesuffix("L") for part in shape.split(",") if part.strip()]  # 3L: a long of Python 2
    if not all(part.isdecimal() and len(part) < 19 for part in parts) or len(parts) > 32:
        raise ValueError(f"{name!r} has the impossible shape ({shape.strip()})")
    try:
        dtype = np.dtype(descr)
    except TypeError:
        raise ValueError(f"{name!r} has the unknown type {descr!r}") from None
    return Header(dtype, values["fortran"] == "True", tuple(int(part) for part in parts))


@contextmanager
def _with_path(path: Path, kind: str) -> Iterator[None]:
    damage = (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        RuntimeError,
        OverflowError,
        LookupError,
    )
    try:
        yield
    except MemoryError as error:
        raise MemoryError(f"{path}: {error}") from None
    except damage as error:
        raise ValueError(f"{path} is not an {kind} file, or it is cut off or damaged: {line_of(error)}") from None
    except ValueError as error:
        raise ValueError(f"{path}: {line_of(error)}") from None
    except OSError as error:
        if error.errno != errno.EINVAL:  # raised when the directory of the archive points outside of it
            raise
        raise ValueError(f"{path} is not an {kind} file, or it is cut off or damaged: {line_of(error)}") from None
