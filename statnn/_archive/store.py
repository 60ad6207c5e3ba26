"""A folder that remembers what long work has done, so that it can be killed at any moment and go on.

``store.json`` says what the work is: ``{"format": "statnn.store", "version": 1, "key": {...}, "digest": "...",
"provenance": {...}}``, with the SHA-256 of the key; ``NAME.npz`` are its entries, each written whole or not at all (see
`statnn._archive.file`), and each holds its name and that digest; ``lock`` is held by the process at work. A store of
other work, of another version, or one that is damaged is refused and left as it is, and so is an entry of another name
or store. Older stores, without a digest of the key, are read. ``parts``, if it is there, holds what digests in the
key are made of, so that a refusal can say what differs.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from statnn._archive import file
from statnn._archive.atomic import kind_of, path_of, replacing
from statnn._archive.lock import locked
from statnn._archive.provenance import provenance, surroundings, versions
from statnn._archive.words import line_of

logger = logging.getLogger("statnn")

FORMAT, VERSION = "statnn.store", 1
HEAD, LOCK = "store.json", "lock"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SHOWN = 80
"""Characters of a value that messages show."""
_ABSENT = "not given"
_ANOTHER = "name another folder, or delete this one"


class StoreError(ValueError):
    """The store is damaged, foreign, in use, or one of other work."""


@dataclass(frozen=True)
class Store:
    """Entries by name in a folder that was opened by `opened`; it can be sent to workers that see the same folder.

    Parameters
    ----------
    path : Path
        The folder.
    key : dict
        What the work is, as it stands in the folder.
    own : Mapping
        A user's own functions and objects, by their names in entries.
    """

    path: Path
    key: dict[str, Any]
    own: Mapping[str, Any] = field(default_factory=dict)

    def get(self, name: str, default: Any = None) -> Any:
        """Return an entry, or the default where there is none.

        Raises
        ------
        StoreError
            If the entry is damaged.
        """
        path = self._path(name)
        if not path.exists():
            return default
        try:
            return file.read(path, self.own, self._of(name))
        except ValueError as error:
            raise StoreError(f"{error}; delete this file to have it computed anew") from None

    def put(self, name: str, value: Any) -> None:
        """Write an entry, whole or not at all."""
        path = self._path(name)
        if not path.parent.is_dir():
            raise StoreError(
                f"the folder {str(self.path)!r} of the store is not there: workers must see the same files"
            )
        try:
            file.write(path, value, self._of(name))
        except OSError as error:
            raise OSError(
                error.errno,
                f"store {str(self.path)!r} cannot be written to ({error.strerror}): mend that and call again with the "
                "same arguments, which goes on from what is there",
            ) from None

    def names(self) -> tuple[str, ...]:
        """Return the names of all entries, sorted."""
        return tuple(sorted(path.stem for path in self.path.glob("[A-Za-z0-9]*.npz")))

    def discard(self, name: str) -> None:
        """Remove an entry, if it is there."""
        self._path(name).unlink(missing_ok=True)

    def _of(self, name: str) -> dict[str, str]:
        return {"entry": name, "store": _digest(self.key)}

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError(f"entry {name!r}: names consist of letters, digits, '.', '_' and '-'")
        return self.path / f"{name}.npz"


@contextmanager
def opened(
    path: str | os.PathLike[str],
    key: Mapping[str, Any],
    *,
    own: Mapping[str, Any] | None = None,
    adopt: tuple[str, ...] = (),
    parts: Mapping[str, Mapping[str, Any]] | None = None,
    instead: Callable[[Mapping[str, Any], Mapping[str, Any]], str] | None = None,
) -> Iterator[Store]:
    """Open a store, or make one, and keep other processes out until the context ends.

    Parameters
    ----------
    path : str or os.PathLike
        A folder; made if its parent is there.
    key : Mapping
        What the work is: all that its result depends on, as JSON. The version of the package is added.
    own : Mapping, optional
        A user's own functions by name.
    adopt : tuple of str
        Parts of the key that are taken from an existing store, such as a seed that nobody chose.
    parts : Mapping, optional
        What a digest in the key is made of, by its name there; the error spells it out where it differs.
    instead : callable, optional
        Called with the stored key and the new one if they differ; the text it returns is added to the advice.

    Raises
    ------
    StoreError
        If the folder holds something else, the work of a store differs, it is damaged, or another process has it.
    FileNotFoundError, PermissionError, OSError
        If the folder cannot be made or written to.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as directory:
    ...     with opened(f"{directory}/work", {"sweeps": 10}) as store:
    ...         store.put("half", 0.5)
    ...     with opened(f"{directory}/work", {"sweeps": 10}) as store:
    ...         print(store.get("half"), store.get("more"), store.names())
    ...     try:
    ...         opened(f"{directory}/work", {"sweeps": 20}).__enter__()
    ...     except StoreError as error:
    ...         print(str(error).partition("holds ")[2])
    0.5 None ('half',)
    other work: sweeps is 10 there and 20 here; ask for the same, or name another folder
    """
    folder = path_of(path, "store")
    if os.path.lexists(folder) and not folder.is_dir():
        kind = kind_of(folder)
        raise StoreError(f"store = {str(folder)!r} is {kind}; a store is a folder: name one that is not there yet")
    if not folder.exists():
        if not folder.absolute().parent.is_dir():
            raise FileNotFoundError(f"directory {str(folder.absolute().parent)!r} does not exist; make it first")
        folder.mkdir(exist_ok=True)
    _refuse_foreign(folder)
    with locked(folder / LOCK, f"store = {str(folder)!r}", StoreError):
        for leftover in folder.glob(".*.tmp"):  # of a write that was killed
            leftover.unlink(missing_ok=True)
        wanted = json.loads(json.dumps({**key, "statnn": versions(["statnn"])["statnn"]}))
        known = json.loads(json.dumps(parts or {}))
        head = folder / HEAD
        if head.exists():
            there = _key_of(head)
            wanted |= {name: there[name] for name in adopt if name in there}
            _refuse_other(folder, there, wanted, known, instead)
            _warn_of_other_code(folder)
        else:
            text = {"format": FORMAT, "version": VERSION, "key": wanted, "digest": _digest(wanted), "parts": known}
            with replacing(head) as out:
                out.write(json.dumps({**text, "provenance": provenance()}, indent=1).encode())
        yield Store(folder.absolute(), wanted, own or {})  # absolute: the work may change the current folder


def opened_or_none(
    path: str | os.PathLike[str] | None, key: Mapping[str, Any], *, adopt: tuple[str, ...] = ()
) -> AbstractContextManager[Store | None]:
    """Return the context of `opened`, or one that yields None if no path is given."""
    return nullcontext() if path is None else opened(path, key, adopt=adopt)


def _refuse_foreign(folder: Path) -> None:
    """Raise where there are files that no store has, or entries without a head."""
    names = {path.name for path in folder.iterdir()}
    if HEAD in names:
        return
    strange = sorted(name for name in names if name != LOCK and not (name.startswith(".") and name.endswith(".tmp")))
    if strange:
        raise StoreError(
            f"store = {str(folder)!r} holds {strange[0]!r} and no {HEAD}: it is not a store; name a folder that is new "
            "or empty"
        )


def _key_of(head: Path) -> dict[str, Any]:
    try:
        content = json.loads(head.read_bytes())
        kind, version, key = content["format"], content["version"], content["key"]
        whole = content.get("digest", _digest(key)) == _digest(key)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise StoreError(f"{head} is damaged ({line_of(error)}); {_ANOTHER}") from None
    if kind != FORMAT or not isinstance(key, dict):
        raise StoreError(f"{head} describes {line_of(repr(kind))}, not {FORMAT!r}: it is not a store")
    if version != VERSION:
        raise StoreError(f"{head} has version {line_of(repr(version))} of the format, this package reads {VERSION}")
    if not whole:
        raise StoreError(f"{head} is damaged (its digest is not that of its key); {_ANOTHER}")
    return key


def _digest(key: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()


def _refuse_other(
    folder: Path,
    there: Mapping[str, Any],
    here: Mapping[str, Any],
    parts: Mapping[str, Mapping[str, Any]],
    instead: Callable[[Mapping[str, Any], Mapping[str, Any]], str] | None,
) -> None:
    if there == here:
        return
    advice = instead(there, here) if instead else ""
    said = json.loads((folder / HEAD).read_bytes()).get("parts")
    for name, ours in parts.items():
        theirs = said.get(name) if isinstance(said, dict) else None
        if there.get(name) != here.get(name) and isinstance(theirs, dict) and theirs != ours:
            there, here = _spelled(there, name, theirs), _spelled(here, name, ours)
    missing = object()
    different = [name for name in {**here, **there} if there.get(name, missing) != here.get(name, missing)]
    words = "; ".join(
        f"{_shown(name)} is {_shown(there.get(name, _ABSENT))} there and {_shown(here.get(name, _ABSENT))} here"
        for name in different
    )
    raise StoreError(
        f"store = {str(folder)!r} holds other work: {words}; ask for the same, or name another folder{advice}"
    )


def _spelled(key: Mapping[str, Any], name: str, parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return a key in which the parts of a digest take its place."""
    rest = {other: value for other, value in key.items() if other != name}
    return rest | {f"{name}.{part}": value for part, value in parts.items()}


def _warn_of_other_code(folder: Path) -> None:
    """Warn if the checkout has changed since the store was made: its version is the same, its draws may not be."""
    origin = json.loads((folder / HEAD).read_bytes()).get("provenance")
    there, here = origin.get("commit") if isinstance(origin, dict) else None, surroundings()["commit"]
    if there and here and there != here:
        logger.warning(
            "store %r was made at commit %.12s and goes on at %.12s: if code that draws was changed between them, what "
            "comes of it is a run of neither; name another folder then",
            str(folder), there, here,
        )  # fmt: skip


def _shown(value: Any) -> str:
    text = line_of(value if isinstance(value, str) else json.dumps(value))
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 4]} ..."
