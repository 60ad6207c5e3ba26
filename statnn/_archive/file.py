"""One value in one npz file: arrays by name, and a JSON text under the name ``statnn`` that describes them.

The text is ``{"format": "statnn.value", "version": 1, "value": ..., "digest": ..., "provenance": ...}``; the digest is
the SHA-256 of the value and of all arrays. Entries of a store also say what they are ``"of"``; it is in the digest.
``numpy.load`` reads the arrays, ``json.loads`` the text; nothing else is needed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from statnn._archive.atomic import replacing
from statnn._archive.npz import MOST_TEXT, npz
from statnn._archive.provenance import provenance, surroundings
from statnn._archive.values import Packer, Unpacker
from statnn._archive.words import line_of

KEY = "statnn"
FORMAT, VERSION = "statnn.value", 1


class TooLongError(ValueError):
    """The text of a file would be longer than reading allows."""


def digest_of(value: Any, known_by: Callable[[Any], str] | None = None) -> str:
    """Return the SHA-256 of a value: equal for equal values, in every process and on every machine.

    A user's own functions in it count by their names, or by what `known_by` returns for them.

    Examples
    --------
    >>> digest_of({"x": np.zeros(2)}) == digest_of({"x": np.zeros(2)}) != digest_of({"x": np.zeros(3)})
    True
    """
    packer = Packer(values_alone=True, known_by=known_by)
    return _digest(packer.tree(value), packer.arrays)


def write(path: str | os.PathLike[str], value: Any, of: Mapping[str, str] | None = None) -> None:
    """Write a value, whole or not at all; `of` says what it belongs to."""
    packer = Packer()
    tree = packer.tree(value)
    document = {
        "format": FORMAT,
        "version": VERSION,
        "value": tree,
        **({} if of is None else {"of": dict(of)}),
        "digest": _digest(tree, packer.arrays, of),
        "provenance": provenance(),
    }
    text = json.dumps(document, allow_nan=False)
    if len(text) > MOST_TEXT:
        raise TooLongError(
            f"the description is {len(text):.3g} bytes long, at most {MOST_TEXT:.3g} are read again: make arrays of "
            "long lists of numbers"
        )
    store: Any = np.savez  # typed Any: its own keywords, typed bool, would clash with arrays by name
    with replacing(path) as file:
        store(file, **{KEY: np.bytes_(text.encode())}, **packer.arrays)


def refuse_unfit(value: Any) -> None:
    """Raise `TypeError` or `ValueError` if a value does not fit into a file with others, see `kept`."""
    text = json.dumps(Packer(inside=2).tree(value, "it"))
    if len(text) > 0.9 * MOST_TEXT:  # labels need room, too
        raise TooLongError(f"its description is {len(text):.3g} bytes long: make arrays of long lists of numbers")


def read(
    path: str | os.PathLike[str], own: Mapping[str, Any] | None = None, of: Mapping[str, str] | None = None
) -> Any:
    """Return the value of a file, checked against its digest and, where both say it, against what it belongs to."""
    with npz(Path(path)) as archive:
        document = document_of(archive)
        if document.get("format") != FORMAT:
            raise ValueError(f"it holds {document.get('format')!r}, not {FORMAT!r}")
        if document.get("version") != VERSION:
            raise ValueError(f"it has version {document.get('version')!r} of the format, this package reads {VERSION}")
        arrays = {name: archive[name] for name in archive.names if name != KEY}
        there = document.get("of")
        try:
            whole = _digest(document.get("value"), arrays, there) == document.get("digest")
        except RecursionError:
            raise ValueError("its description is nested too deeply") from None
        if not whole:
            raise ValueError("its digest is not that of its contents: it is damaged or was changed")
        if of is not None and there is not None and there != of:
            raise ValueError(f"it is {there}, where {dict(of)} belongs: it was put here from elsewhere")
        try:
            return Unpacker(arrays, own or {}).value(document["value"])
        except (TypeError, RecursionError) as error:
            raise ValueError(f"it describes what cannot be made: {error}{_elsewhere(document)}") from None


def _elsewhere(document: Mapping[str, Any]) -> str:
    """Return what to do where a file was written by another version or commit of this package."""
    origin, here = document.get("provenance"), surroundings()
    versions = origin.get("versions") if isinstance(origin, dict) else None
    if not isinstance(origin, dict) or not isinstance(versions, dict):
        return ""
    named = [versions.get("statnn"), origin.get("commit")]
    if named == [here["versions"]["statnn"], here["commit"]]:
        return ""
    words = f"statnn {named[0]}" + (f" of commit {named[1]}" if named[1] else "")
    return f"; it was written by {line_of(words)[:80]}, whose results have other parts: read it there, or make it anew"


def document_of(archive: Any) -> dict[str, Any]:
    """Return the text of an open file as JSON."""
    if KEY not in archive:
        raise ValueError(f"it has no array {KEY!r}, so it is not a file of statnn.io.save")
    try:
        document = json.loads(archive.text(KEY))
        return dict(document)
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"its text {KEY!r} is not a JSON object: {error}") from None


def _digest(tree: Any, arrays: Mapping[str, np.ndarray[Any, Any]], of: Any = None) -> str:
    digest = hashlib.sha256(json.dumps(tree if of is None else [tree, of], sort_keys=True).encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(json.dumps([name, array.dtype.newbyteorder("<").str, array.shape]).encode())
        plain = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False))
        digest.update(plain.reshape(-1).view(np.uint8).data if plain.dtype.kind in "biuf" else plain.tobytes())
    return digest.hexdigest()
