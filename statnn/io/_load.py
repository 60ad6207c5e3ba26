"""One door for networks from files and from other libraries."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from numpy.typing import NDArray

from statnn.io import _named, _npz, _onnx, _safetensors, _sklearn, _torch
from statnn.io._chain import Step, assemble
from statnn.io._document import KEY, unpack
from statnn.network import Activation, Network
from statnn.network._array import Reals

Activations: TypeAlias = str | Activation | Sequence[str | Activation]
_PICKLES = {".pt", ".pth", ".pkl", ".pickle", ".joblib", ".ckpt", ".bin"}
_FILES = ".npz, .safetensors and .onnx"


@dataclass(frozen=True, eq=False)
class Loaded:
    """A network and what should be known of how it was read.

    Parameters
    ----------
    net : Network
        The network.
    notes : tuple of str
        What is not kept as it was, sentence by sentence; empty where nothing is.
    classes : ndarray, shape (classes,), or None
        What label every class stands for, increasing; None where it is not said, and labels are numbers of outputs.
    """

    net: Network
    notes: tuple[str, ...]
    classes: NDArray[Any] | None = None


def load_network(source: Any, *, activation: Activations | None = None) -> Network:
    """Return the network of a file or of an object of another library.

    Parameters
    ----------
    source : str, os.PathLike or object
        A file ``.npz`` or ``.safetensors`` (written by `save_network`, or bare arrays named as in a state dict of
        torch; layers whose names differ in numbers alone are taken in the order of these numbers), or ``.onnx`` (needs
        the package onnx): a chain of Gemm, MatMul, Add, Sub, Mul, Div, BatchNormalization, Tanh, Relu, LeakyRelu,
        Sigmoid, Erf, Identity, Dropout, with Flatten or Reshape of the inputs.
        Or an object: a torch ``Sequential`` (nested; Linear, BatchNorm1d, Tanh, ReLU, LeakyReLU, Sigmoid, Identity,
        Dropout, Flatten), a fitted MLPClassifier or MLPRegressor of scikit-learn (also in a pipeline behind
        StandardScaler or MinMaxScaler), an onnx model, arrays by name, or a `Network`.
    activation : str, Activation or sequence of them, optional
        For bare arrays only, which do not say it: one for all layers, or one a layer.

    Returns
    -------
    Network
        In the precision of the source; 16-bit numbers become float32, exactly. Networks of `save_network` come back
        equal.

    Raises
    ------
    ValueError
        If the file is damaged or malicious, has an operator that is not listed, or shapes do not fit.
    TypeError
        If the object is of none of these kinds, or `activation` is given for a source that says it itself.
    ImportError
        If an ONNX file is given and onnx is not installed.
    OSError
        If the file cannot be read.
    MemoryError
        If it would not fit into memory.

    Notes
    -----
    Nothing is executed and no pickle is opened. Batch normalisation of fields is kept with its running statistics;
    after an activation, or on the inputs, it is folded into the next dense layer, exactly up to rounding, and its
    statistics are not kept. So are scalings. A last softmax is left out: the order of the classes stays, outputs are
    the logits. A last sigmoid (the logistic output of a binary classifier) is kept. Dropout and batch normalisation
    are read as in use, not as in training.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from statnn.io import save_network
    >>> net = Network.random([3, 4, 2], rng=0)
    >>> with TemporaryDirectory() as directory:
    ...     save_network(net, f"{directory}/net.npz")
    ...     load_network(f"{directory}/net.npz") == net
    True
    >>> load_network({"0.weight": [[1.0, 2.0]], "0.bias": [0.5]}, activation="tanh")
    Network(2-1, tanh)
    """
    return load(source, activation=activation).net


def load(source: Any, *, activation: Activations | None = None) -> Loaded:
    """Return the network of a source with the notes of how it was read."""
    if isinstance(source, str | os.PathLike):
        return _of_file(Path(source), activation)
    if isinstance(source, Mapping):
        arrays = {str(name): _named.plain(values, str(name)) for name, values in source.items()}
        return _of_arrays(arrays, activation, "these arrays")
    if activation is not None:
        raise TypeError("activation is for bare arrays, which do not say it; this source says it itself: leave it out")
    if isinstance(source, Network):
        return Loaded(source, ())
    notes: list[str] = []
    if _onnx.is_model(source):
        return _of_steps(_onnx.steps(source, notes), notes)
    if _torch.is_module(source):
        return _of_steps(_torch.steps(source, notes), notes)
    if _sklearn.is_estimator(source):
        return replace(_of_steps(_sklearn.steps(source, notes), notes), classes=_sklearn.classes(source))
    raise TypeError(
        f"source is a {type(source).__name__}; pass the path of a file ({_FILES}), a torch Sequential, an MLP of "
        "scikit-learn, an onnx model, arrays by name, or a Network"
    )


def _of_steps(steps: list[Step], notes: list[str]) -> Loaded:
    net = assemble(steps, notes)
    return Loaded(net, tuple(dict.fromkeys(notes)))


def _of_arrays(arrays: Mapping[str, Reals], activation: Activations | None, what: str) -> Loaded:
    notes: list[str] = []
    try:
        return _of_steps(_named.steps(arrays, activation, notes), notes)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None


def _of_file(path: Path, activation: Activations | None) -> Loaded:
    kind = path.suffix.lower()
    if kind in _PICKLES:
        raise ValueError(
            f"{path} is a pickle, which can run any program, and is not opened; read it with the library that wrote it "
            "(torch.load(path, weights_only=True)) and pass the object"
        )
    if kind not in {".npz", ".safetensors", ".onnx"}:
        raise ValueError(f"{path} has the suffix {path.suffix!r}; networks are read from {_FILES}")
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is not a regular file")
    if kind == ".onnx":
        return _of_onnx(path, activation)
    if kind == ".npz":
        with _npz.npz(path) as archive:
            text = archive.text(KEY) if KEY in archive else ""
            arrays = {name: archive[name] for name in archive.names if name != KEY}
    else:
        arrays, metadata = _safetensors.read(path)
        arrays = dict(sorted(arrays.items(), key=lambda item: _named.natural(item[0])))
        text = metadata.get(KEY, "")
    if not text:
        arrays = {name: _named.plain(values, name) for name, values in arrays.items()}
        return _of_arrays(arrays, activation, str(path))
    if activation is not None:
        raise TypeError(f"activation is for bare arrays; {path} says its activations itself: leave it out")
    try:
        return Loaded(unpack(text, arrays), ())
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from None


def _of_onnx(path: Path, activation: Activations | None) -> Loaded:
    if activation is not None:
        raise TypeError(f"activation is for bare arrays; {path} says its activations itself: leave it out")
    notes: list[str] = []
    model = _onnx.read(path)
    try:
        return _of_steps(_onnx.steps(model, notes), notes)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from None
