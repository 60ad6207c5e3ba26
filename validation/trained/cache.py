"""Trained weights kept by content, so that a figure can be drawn again without training again.

An entry is one npz file, named by the hash of everything its arrays depend on: the recipe, the bytes of the data, the
seeds, the versions of the libraries and the text of the code that trains. The full description and a digest of the
arrays stand in the file too. An entry that does not match, is damaged or would need pickles counts as absent: the
caller computes it anew and it is replaced. Files are written whole or not at all.

The folder is ``$STATNN_CACHE``, or else the cache folder of the platform; it is outside the tree and may be emptied at
any time.
"""

import hashlib
import json
import os
import sys
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statnn.plot import replacing

VARIABLE = "STATNN_CACHE"
"""Environment variable that names the folder; worker processes inherit it."""

Arrays = Mapping[str, NDArray[Any]]
_UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    TypeError,
    AttributeError,
    SyntaxError,  # a header that is no literal
    tokenize.TokenError,
    NotImplementedError,  # a compression that zipfile does not know
    RuntimeError,  # an encrypted archive
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
)


def folder() -> Path:
    """Return the folder of the cache; it need not exist yet."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named).expanduser()
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "statnn" / "Cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "statnn"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "statnn"


@contextmanager
def kept_in(where: Path | None) -> Iterator[None]:
    """Use this folder inside the context, also in processes started there; None changes nothing."""
    before = os.environ.get(VARIABLE)
    if where is not None:
        os.environ[VARIABLE] = str(where.absolute())
    try:
        yield
    finally:
        if before is not None:
            os.environ[VARIABLE] = before
        elif where is not None:
            del os.environ[VARIABLE]


def digest(arrays: Arrays) -> str:
    """Return the SHA-256 of named arrays: names, types, shapes and bytes, in the order of the names.

    >>> first = digest({"x": np.zeros(2)})
    >>> first == digest({"x": np.zeros(2)}), first == digest({"x": np.zeros((2, 1))})
    (True, False)
    """
    sha256 = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        sha256.update(json.dumps([name, array.dtype.str, np.shape(arrays[name])]).encode())
        sha256.update(array.data if array.size else b"")
    return sha256.hexdigest()


def path_of(description: Mapping[str, Any]) -> Path:
    """Return where the entry of this description is kept."""
    return folder() / f"{hashlib.sha256(_words(description)).hexdigest()}.npz"


def load(description: Mapping[str, Any]) -> dict[str, NDArray[Any]] | None:
    """Return the arrays stored under this description, or None if there are none that can be trusted."""
    path = path_of(description)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            if archive["description"].tobytes() != _words(description):
                return None
            arrays = {name: archive[name] for name in archive.files if name not in ("description", "digest")}
            return arrays if archive["digest"].tobytes() == digest(arrays).encode() else None
    except _UNREADABLE:
        return None


def store(description: Mapping[str, Any], arrays: Arrays) -> None:
    """Keep arrays under this description; a folder that cannot be written costs a warning, not the result."""
    path = path_of(description)
    words = {"description": _words(description), "digest": digest(arrays).encode()}
    entry: Any = {name: np.frombuffer(text, np.uint8) for name, text in words.items()} | dict(arrays)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            np.savez(file, **entry)
    except OSError as problem:
        if path.is_dir():
            warnings.warn(
                f"{path} is a directory where an entry of the cache belongs, so this will be trained again: remove it",
                RuntimeWarning,
                stacklevel=2,
            )
            return
        warnings.warn(
            f"the cache {path.parent} cannot be written ({problem.strerror}), so this will be trained again: "
            f"set {VARIABLE} or --cache to a folder that can",
            RuntimeWarning,
            stacklevel=2,
        )


def _words(description: Mapping[str, Any]) -> bytes:
    return json.dumps(description, sort_keys=True, allow_nan=False).encode()
