"""Networks to files that hold data and no program."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from statnn._archive.atomic import path_of
from statnn.io import _safetensors
from statnn.io._document import KEY, pack
from statnn.network import Network
from statnn.plot import replacing


def save_network(net: Network, path: str | os.PathLike[str]) -> None:
    """Write a network into an npz or a safetensors file, whole or not at all.

    Parameters
    ----------
    net : Network
        The network; `load_network` gives one back that is equal to it, in precision, normalisations with their running
        statistics, slopes of leaky ReLUs and arrays shared by several layers. Of an activation of your own only
        the name is stored, and `load_network` needs the function: ``activations={name: Activation(...)}``.
    path : str or os.PathLike
        Where to write: ``.npz`` or ``.safetensors``, in a directory that exists. A file that is there is replaced.

    Raises
    ------
    TypeError
        If `net` is not a `Network`; pass others through `load_network` first.
    ValueError
        If the suffix is another one, or two different activations of your own have one name.
    FileNotFoundError
        If the directory does not exist.

    See Also
    --------
    load_network : reads it again.
    save : writes results.

    Notes
    -----
    Equal networks give equal files on one machine with one set of versions, which stand in the file for `describe`;
    the time does not. An array is stored once, however many layers share it. Files of equal networks differ if one
    shares an array that the other repeats, or holds -0.0 in the place of 0.0. In both formats arrays have
    names (``0.weight``, ``0.bias``, ``0.norm.mean``), and other programs read them; weights are raw, without the
    normalisation.

    Examples
    --------
    >>> import os
    >>> from tempfile import TemporaryDirectory
    >>> from statnn import Network
    >>> with TemporaryDirectory() as directory:
    ...     save_network(Network.random([3, 2], rng=0), f"{directory}/net.safetensors")
    ...     os.listdir(directory)
    ['net.safetensors']
    """
    if not isinstance(net, Network):
        raise TypeError(f"net is a {type(net).__name__}; make it a Network first: load_network(net)")
    target = path_of(path, "path")
    if target.suffix.lower() not in {".npz", ".safetensors"}:
        raise ValueError(f"path = {str(path)!r} has the suffix {target.suffix!r}; write .npz or .safetensors")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"directory {str(target.parent)!r} does not exist; make it first")
    text, arrays = pack(net)
    store: Any = np.savez  # typed Any: its own keywords, typed bool, would clash with arrays by name
    with replacing(target) as file:
        if target.suffix.lower() == ".npz":
            store(file, **{KEY: np.bytes_(text.encode())}, **arrays)
        else:
            _safetensors.write(file, arrays, {KEY: text})
