"""Tasks that travel to another process and back: large objects travel once, and by name afterwards.

A task is pickled without the objects that all tasks share. Each of these lies in a file, known by the digest of its
content, which workers on the same machine map into memory: one copy serves all of them. A worker keeps the last few
objects that it opened, with any plans made for them, so that the next task, or the next call, finds them ready. A
worker on another machine, which cannot see the file, says so; the task is sent again with the content.
"""

from __future__ import annotations

import atexit
import hashlib
import importlib
import io
import mmap
import os
import pickle
import shutil
import tempfile
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np

SMALL = 2**16
"""Objects of at most this many bytes travel with every task."""
KEPT = 4
"""Shared objects that a worker keeps."""
_IMPORTABLE = (
    "what goes to another process must be known there by its name: write functions and classes in a module, not as a "
    "lambda, inside a function or in a notebook; ThreadPoolExecutor takes them all"
)
_ALIGNED = 64
"""Arrays in a file begin at multiples of this many bytes."""


class Reference(NamedTuple):
    """The digest of an object's content, and the file where it lies."""

    digest: str
    path: str


class Parcel(NamedTuple):
    """A task on its way to a worker.

    `body` is the pickled function with its specification; `contents` holds, by digest, what the worker could not open;
    `by_value` says that functions of a script travel as code, because workers do not have the script.
    """

    body: bytes
    references: tuple[Reference, ...]
    contents: Mapping[str, bytes]
    by_value: bool


class Missing(NamedTuple):
    """Digests of the objects that a worker could not open."""

    digests: tuple[str, ...]


class Shared:
    """The objects that all tasks of a call share, on the side of the caller.

    Files of models, which never change, stay as long as the models live, so that the next call need not write them;
    files of arrays are removed after the call.
    """

    def __init__(self, objects: Sequence[Any], *, by_value: bool) -> None:
        self._by_value = by_value
        self._objects: dict[str, Any] = {}
        self._references: list[Reference] = []
        self._passing: list[Path] = []
        for shared in objects:
            reference = _published(shared, by_value)
            if reference is None:
                continue
            self._objects[reference.digest] = shared
            self._references.append(reference)
            if id(shared) not in _files:
                self._passing.append(Path(reference.path))

    def pack(self, task: Callable[[Any], Any], spec: Any, missing: Sequence[str] = ()) -> Parcel:
        """Return a task to send, with the contents that a worker missed."""
        names = {id(shared): digest for digest, shared in self._objects.items()}
        contents = {
            reference.digest: Path(reference.path).read_bytes()
            for reference in self._references
            if reference.digest in missing
        }
        return Parcel(_dumps((task, spec), names, self._by_value), tuple(self._references), contents, self._by_value)

    def unpack(self, body: bytes) -> Any:
        """Return a result; the shared objects in it are those of the caller."""
        return _Unpacker(body, self._objects).load()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for path in self._passing:
            path.unlink(missing_ok=True)


def carry_out(parcel: Parcel) -> bytes | Missing:
    """Do a task in a worker and return its pickled result, or say which shared objects cannot be opened here."""
    objects, missing = {}, []
    for reference in parcel.references:
        try:
            objects[reference.digest] = _opened(reference, parcel.contents)
        except OSError:
            missing.append(reference.digest)
    if missing:
        return Missing(tuple(missing))
    with _explained():
        task, spec = _Unpacker(parcel.body, objects).load()
    return _dumps(task(spec), {id(shared): digest for digest, shared in objects.items()}, parcel.by_value)


# -- files of the caller -------------------------------------------------------------------------------

_files: dict[int, Reference] = {}


@cache
def _folder(process: int) -> Path:
    """Return the folder of this process, which is removed when the process ends."""
    path = Path(tempfile.mkdtemp(prefix="statnn-"))
    atexit.register(_removed, path, process)
    return path


def _removed(path: Path, process: int) -> None:
    """Remove a file or folder that this process made; leave those of the process that it was forked from."""
    if os.getpid() == process:
        with suppress(OSError):  # workers may still hold it
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _published(shared: Any, by_value: bool) -> Reference | None:
    """Return where an object lies, and write it there unless it was written before; None if it is small."""
    if id(shared) in _files:
        return _files[id(shared)]
    pieces = _content(shared, by_value)
    if sum(piece.nbytes for piece in pieces) <= SMALL:
        return None
    digest = hashlib.blake2b(digest_size=16)
    for piece in pieces:
        digest.update(piece)
    handle, name = tempfile.mkstemp(dir=_folder(os.getpid()))
    os.close(handle)
    with Path(name).open("wb") as file:
        file.writelines(pieces)
    reference = Reference(digest.hexdigest(), name)
    if not isinstance(shared, np.ndarray):
        with suppress(TypeError):  # objects that take no weak references
            weakref.finalize(shared, _forgotten, id(shared), Path(name), os.getpid())
            _files[id(shared)] = reference
    return reference


def _forgotten(number: int, path: Path, process: int) -> None:
    _files.pop(number, None)
    _removed(path, process)


def _content(shared: Any, by_value: bool) -> list[memoryview]:
    """Return an object as bytes: the number and sizes of its pieces, the pickle, then its arrays, all aligned."""
    buffers: list[pickle.PickleBuffer] = []
    pieces = [memoryview(_dumps(shared, {}, by_value, buffers.append)), *(buffer.raw() for buffer in buffers)]
    sizes = memoryview(np.array([len(pieces), *(piece.nbytes for piece in pieces)], np.int64).tobytes())
    return [part for piece in (sizes, *pieces) for part in (piece, memoryview(bytes(-piece.nbytes % _ALIGNED)))]


# -- objects of a worker -------------------------------------------------------------------------------

_known: OrderedDict[str, Any] = OrderedDict()
_lock = Lock()


def _opened(reference: Reference, contents: Mapping[str, bytes]) -> Any:
    """Return a shared object, opening it unless it is open already."""
    with _lock:
        if reference.digest not in _known:
            _known[reference.digest] = _read(_raw(reference, contents))
            while len(_known) > KEPT:
                _known.popitem(last=False)
        _known.move_to_end(reference.digest)
        return _known[reference.digest]


def _raw(reference: Reference, contents: Mapping[str, bytes]) -> memoryview:
    if reference.digest in contents:
        return memoryview(contents[reference.digest])
    with Path(reference.path).open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _read(raw: memoryview) -> Any:
    """Return the object that `_content` wrote; its arrays are the memory of `raw`, read-only."""
    count = int.from_bytes(raw[:8], "little")
    begin, pieces = 0, []
    for size in (8 * (count + 1), *raw[8 : 8 * (count + 1)].cast("q")):
        pieces.append(raw[begin : begin + size])
        begin += size + -size % _ALIGNED
    return pickle.loads(pieces[1], buffers=pieces[2:])  # noqa: S301 - written by the caller


# -- pickles -------------------------------------------------------------------------------------------


class _Unpacker(pickle.Unpickler):
    def __init__(self, body: bytes, objects: Mapping[str, Any]) -> None:
        super().__init__(io.BytesIO(body))
        self._objects = objects

    def persistent_load(self, digest: str) -> Any:
        return self._objects[digest]


@cache
def _packer(by_value: bool) -> Any:
    """Return a class of picklers that write shared objects as their digests."""
    base: Any = pickle.Pickler
    if by_value:
        with suppress(ImportError):  # it comes with dask
            base = importlib.import_module("cloudpickle").Pickler

    class Packer(base):  # type: ignore[misc]
        names: Mapping[int, str]

        def persistent_id(self, shared: Any) -> str | None:
            return self.names.get(id(shared))

    return Packer


def _dumps(value: Any, names: Mapping[int, str], by_value: bool, buffers: Callable[[Any], Any] | None = None) -> bytes:
    file = io.BytesIO()
    packer = _packer(by_value)(file, protocol=5, buffer_callback=buffers)
    packer.names = names
    with _explained():
        packer.dump(value)
    return file.getvalue()


@contextmanager
def _explained() -> Iterator[None]:
    """Add to the errors of pickles what can be done."""
    try:
        yield
    except (pickle.PickleError, AttributeError, TypeError) as error:
        error.add_note(_IMPORTABLE)
        raise
