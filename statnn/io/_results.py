"""Results of every room to files and back: one function each way."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from statnn._archive import file
from statnn._archive.atomic import path_of
from statnn._archive.npz import npz
from statnn.io._document import FORMAT as NETWORK
from statnn.io._load import load_network


def save(result: Any, path: str | os.PathLike[str]) -> None:
    """Write a result into an npz file, whole or not at all.

    Parameters
    ----------
    result : object
        Anything that this package returns: a `Run`, a fit, a flow, a model, a network, and lists, tuples or mappings
        of them with numbers, texts and arrays. Functions and objects of your own are stored by name.
    path : str or os.PathLike
        Where to write: ``.npz``, in a directory that exists. A file that is there is replaced.

    Raises
    ------
    TypeError
        If something in it is neither a plain value nor a result of this package (derivations cannot be stored: make
        them anew).
    ValueError
        If the suffix is another one.
    FileNotFoundError
        If the directory does not exist.

    Notes
    -----
    ``numpy.load(path)`` shows the arrays by the names of the fields that hold them, and under ``statnn`` a JSON text
    that describes them: ``json.loads(numpy.load(path)["statnn"].item())``. No pickle is written. The file also says
    where it comes from: see `describe`.

    See Also
    --------
    load : reads it again.
    table : results as rows.
    describe : what a file is.
    save_network : writes networks to files that other programs read as well.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from statnn.activation import PolyaUrn
    >>> from statnn.io import load
    >>> paths = PolyaUrn(40, 0.3, 5.0).simulate([1, 10, 100], replicas=2, rng=1)
    >>> with TemporaryDirectory() as directory:
    ...     save(paths, f"{directory}/paths.npz")
    ...     load(f"{directory}/paths.npz") == paths
    True
    """
    target = path_of(path, "path")
    if target.suffix.lower() != ".npz":
        raise ValueError(f"path = {str(path)!r} has the suffix {target.suffix!r}; write .npz")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"directory {str(target.parent)!r} does not exist; make it first")
    file.write(target, result)


def load(path: str | os.PathLike[str], *, own: Mapping[str, Any] | None = None) -> Any:
    """Return the result of a file that `save` has written; it is equal to the one that was stored.

    Parameters
    ----------
    path : str or os.PathLike
        The file.
    own : mapping of str, optional
        Functions and objects of your own by the names that they had: activations, observables, sampling methods.

    Returns
    -------
    object
        As it was given to `save`. Objects are made by their constructors, which check their arguments.

    Raises
    ------
    ValueError
        If the file is damaged, was changed, is of a later version or not of `save`, or needs what is not in `own`.
    OSError
        If it cannot be read.
    MemoryError
        If it would not fit into memory.

    See Also
    --------
    save : writes it.
    describe : what a file is.
    load_network : reads networks.

    Notes
    -----
    Nothing in the file is executed and no pickle is opened; it can name functions of this package only.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from statnn.io import save
    >>> with TemporaryDirectory() as directory:
    ...     save({"depth": 3, "rates": (0.5, 0.25)}, f"{directory}/notes.npz")
    ...     load(f"{directory}/notes.npz")
    {'depth': 3, 'rates': (0.5, 0.25)}
    """
    with npz(path_of(path, "path")) as archive:
        kind = file.document_of(archive).get("format")
    if kind == NETWORK:
        return load_network(path, activations=own)
    return file.read(path, own)
