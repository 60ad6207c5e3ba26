"""Where a file of this package comes from."""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from html import unescape
from pathlib import Path
from typing import Any

from statnn._archive.atomic import path_of
from statnn._archive.file import KEY, document_of
from statnn._archive.npz import MOST_TEXT, npz, refuse_endless
from statnn._archive.store import HEAD
from statnn._archive.words import line_of
from statnn.io import _safetensors

_HEADS = (HEAD, "numbers.json", "verdicts.json")
"""Files of a folder that say what it is."""
_SVG = re.compile(rb"<dc:description>(.*?)</dc:description>", re.DOTALL)
_SUBJECT = re.compile(rb"/Subject \(((?:[^\\()]|\\.)*)\)", re.DOTALL)
_BLOCK = re.compile(r"(block-\d+)\.(?:(done)|state|draws-\d+-(\d+))\.npz")
"""Entries of a run in its store, by block of chains."""
_PAGE = re.compile(rb'<meta name="provenance" content="(.*?)">', re.DOTALL)


def describe(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what a file or folder of this package is, and where it comes from.

    Parameters
    ----------
    path : str or os.PathLike
        A result (``.npz`` of `save`), a network (``.npz`` or ``.safetensors`` of `save_network`), a store of a run, a
        figure (``.svg``, ``.pdf``, ``.png`` or ``.npz`` of `statnn.plot.save`), the page or the numbers of an
        inspection, verdicts or records of ``python -m validation``, or the folder that holds them.

    Returns
    -------
    dict
        "format" and, as far as they are known, "command", "time", "versions", "commit", "system", "processor", "blas",
        "digest" (SHA-256 of the data); for a store the parameters of the run, "key", its "entries", and as
        "progress" the draws of every block of chains that was begun; for a result or a network its "arrays". Figures
        and networks hold neither command nor time: equal ones are equal files.

    Raises
    ------
    ValueError
        If it is not a file of this package, or is too old to hold its provenance.
    OSError
        If it cannot be read.

    See Also
    --------
    load : the result itself.
    load_network : a network.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from statnn.io import save
    >>> with TemporaryDirectory() as directory:
    ...     save({"rates": [0.5, 0.25]}, f"{directory}/notes.npz")
    ...     description = describe(f"{directory}/notes.npz")
    >>> description["format"], "numpy" in description["versions"]
    ('statnn.value', True)
    """
    target = path_of(path, "path")
    if target.is_dir():
        return _folder(target)
    readers: dict[str, Callable[[Path], dict[str, Any]]] = {
        ".npz": _npz, ".safetensors": _tensors,
        ".json": _json, ".jsonl": _lines, ".svg": _svg, ".png": _png, ".pdf": _pdf, ".html": _page,
    }  # fmt: skip
    reader = readers.get(target.suffix.lower())
    if reader is None:
        if not target.exists():
            raise FileNotFoundError(f"there is no {str(path)!r}")
        raise ValueError(
            f"{str(path)!r} has the suffix {target.suffix!r}; choose from {', '.join(readers)}, and folders"
        )
    refuse_endless(target)
    try:
        return reader(target)
    except (ValueError, TypeError, KeyError, RecursionError, zipfile.BadZipFile) as error:
        why = line_of(error).removeprefix(f"{path}: ")
        raise ValueError(f"{path} says nothing of where it comes from: {why}") from None


def _folder(folder: Path) -> dict[str, Any]:
    for name in _HEADS:
        if (folder / name).exists():
            description = describe(folder / name)
            if name == HEAD:
                description["entries"] = sorted(entry.name for entry in folder.glob("[A-Za-z0-9]*.npz"))
                if progress := _progress(description):
                    description["progress"] = progress
            return description
    raise ValueError(f"folder {str(folder)!r} holds none of {', '.join(_HEADS)}: it is not of this package")


def _progress(description: Mapping[str, Any]) -> dict[str, str]:
    """Return the number of draws of every block of chains that was begun, for the store of a run."""
    key = description.get("key")
    planned = key.get("draws") if isinstance(key, dict) else None
    drawn: dict[str, Any] = {}
    for match in filter(None, map(_BLOCK.fullmatch, description["entries"])):
        block, done, draws = match.groups()
        drawn[block] = planned if done else max(drawn.get(block, 0), int(draws or 0))
    return {block: f"{draws} of {planned} draws" for block, draws in drawn.items()} if isinstance(planned, int) else {}


def _npz(path: Path) -> dict[str, Any]:
    with npz(path) as archive:
        if KEY not in archive:
            with zipfile.ZipFile(path) as raw:
                return _loaded(raw.comment)
        document = document_of(archive)
        arrays = {name: archive[name] for name in archive.names if name != KEY}
    return _of_arrays(document, arrays)


def _tensors(path: Path) -> dict[str, Any]:
    arrays, texts = _safetensors.read(path)
    return _of_arrays(_loaded(texts.get(KEY, "").encode()), arrays)


def _of_arrays(document: dict[str, Any], arrays: Mapping[str, Any]) -> dict[str, Any]:
    shapes = {name: f"{array.dtype} {array.shape}" for name, array in arrays.items()}
    plain: dict[str, Any] = {name: document[name] for name in ("format", "version", "digest") if name in document}
    return {**plain, **_table(document.get("provenance", {})), "arrays": shapes}


def _json(path: Path) -> dict[str, Any]:
    document = _loaded(path.read_bytes())
    if "run" in document and "claims" in document:
        return {"format": "statnn.validation", **_table(document["run"]), "claims": len(document["claims"])}
    rest = {name: value for name, value in document.items() if name not in ("provenance", "sections")}
    return {**rest, **_table(document.get("provenance"))}


def _lines(path: Path) -> dict[str, Any]:
    first, *rest = path.read_bytes().splitlines() or [b""]
    return {**_loaded(first), "records": len(rest)}


def _svg(path: Path) -> dict[str, Any]:
    return _found(_SVG, path)


def _page(path: Path) -> dict[str, Any]:
    return _found(_PAGE, path)


def _found(pattern: re.Pattern[bytes], path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        match = pattern.search(file.read(MOST_TEXT))
    if match is None:
        raise ValueError("it holds no description")
    return _loaded(unescape(match[1].decode()).encode())


def _png(path: Path) -> dict[str, Any]:
    for kind, data in _chunks(path.read_bytes()):
        name, _, text = data.partition(b"\0")
        if kind == b"tEXt" and name == b"Description":
            return _loaded(text)
    raise ValueError("it holds no description")


def _pdf(path: Path) -> dict[str, Any]:
    match = _SUBJECT.search(path.read_bytes())
    if match is None:
        raise ValueError("it holds no subject")
    return _loaded(re.sub(rb"\\(.)", rb"\1", match[1]))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and contents of the chunks of a PNG file."""
    place = 8
    while place + 8 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        yield data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        place += 12 + length


def _loaded(text: bytes) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    return _table(document)


def _table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("it holds no description")  # noqa: TRY004 - content of a file
    return value
