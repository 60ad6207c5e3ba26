"""One door for networks from files and from other libraries."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from numpy.typing import NDArray

from statnn._archive import file
from statnn._archive import npz as _npz
from statnn._archive.atomic import path_of
from statnn._archive.words import line_of
from statnn.io import _named, _onnx, _safetensors, _sklearn, _torch
from statnn.io._chain import Step, assemble
from statnn.io._document import KEY, parsed, unpack
from statnn.network import Activation, Network

Activations: TypeAlias = str | Activation | Sequence[str | Activation]
_FILES = ".npz, .safetensors and .onnx"
_PICKLE = "is a pickle, which can run any program, and is not opened; "
_TORCH = _PICKLE + (
    "pass the state dict that torch.load(path, weights_only=True) gives, or store it as .safetensors in the program "
    "that made it and trusts it"
)
_ESTIMATOR = _PICKLE + (
    "in the program that made it and trusts it, store the network as data: save_network(load_network(model), 'net.npz')"
)
_KERAS = (
    "is a file of HDF5 or Keras, which is not supported; in the program that made it, store arrays '0.weight' of shape "
    "(out, in), that is kernels transposed, '0.bias', '1.weight', ... with numpy.savez"
)
_ADVICE = (
    dict.fromkeys((".pt", ".pth", ".ckpt", ".bin"), _TORCH)
    | dict.fromkeys((".pkl", ".pickle", ".joblib", ".sav"), _ESTIMATOR)
    | dict.fromkeys((".h5", ".hdf5", ".keras"), _KERAS)
    | {".npy": "holds one array, and a network has several: store them by name with numpy.savez"}
)
_SHARD = re.compile(r"-[0-9]+-of-(?!0*1$)[0-9]+$")


@dataclass(frozen=True, eq=False)
class Loaded:
    """A network, with notes on how it was read.

    Parameters
    ----------
    net : Network
        The network.
    notes : tuple of str
        What was changed, one sentence each; empty if nothing was.
    classes : ndarray, shape (classes,), or None
        Label of every class, increasing; None if the source does not say, and labels number the outputs.
    """

    net: Network
    notes: tuple[str, ...]
    classes: NDArray[Any] | None = None


def load_network(
    source: Any,
    *,
    activation: Activations | None = None,
    layers: Sequence[str] | None = None,
    activations: Mapping[str, Activation] | None = None,
) -> Network:
    """Return the network of a file or of an object of another library.

    Parameters
    ----------
    source : str, os.PathLike or object
        A file ``.npz`` or ``.safetensors`` (written by `save_network`, or bare arrays named as in a state dict of
        torch), or ``.onnx`` (needs the package onnx): a chain of Gemm, MatMul, Add, Sub, Mul, Div, BatchNormalization,
        Tanh, Relu, LeakyRelu, Sigmoid, Erf, Gelu, Swish, Softplus, Sin, Identity, Dropout, with Flatten, Reshape or
        Cast of the inputs; SiLU and GELU also as exporters write them with Sigmoid, Erf or Tanh. Inputs are rows, or,
        as in files made from .nnet files, one sample x of shape (n,), of which layers compute W x.
        Or an object: a torch ``Sequential`` (nested; Linear, BatchNorm1d, Tanh, ReLU, LeakyReLU, Sigmoid, GELU, SiLU,
        Softplus, Identity, Dropout, Flatten), a fitted MLPClassifier or MLPRegressor of scikit-learn (also in a
        pipeline behind StandardScaler or MinMaxScaler), an onnx model, arrays by name, or a `Network`.
    activation : str, Activation or sequence of them, optional
        For bare arrays only, which do not name it: one for all layers, the outputs too, or one per layer.
    layers : sequence of str, optional
        For bare arrays only: names of the dense layers in the order in which they act, ``["encoder", "decoder"]`` for
        ``encoder.weight`` and ``decoder.weight``. Needed if neither numbers in the names (Notes) nor the
        order of the arrays tell the order.
    activations : mapping of str to Activation, optional
        Functions of your own. For files of `save_network`, by the names that they had when they were stored, since a
        file holds the names alone; more of them may be given. For a torch module, by the class of the parts that
        compute them, or by the path of one, ``"body.1"``; what a part computes is compared with the function given.

    Returns
    -------
    Network
        In the precision of the source; 16-bit numbers become float32, exactly, and float64 is taken where a folded
        mean is so large that float32 would lose 10⁻⁴ of a standard deviation. Networks of `save_network` come back
        equal.

    Raises
    ------
    ValueError
        If the file is damaged or malicious, has an operator that is not listed or an activation of your own that is
        not among `activations`, shapes do not fit, the order of layers is not known, or an object computes something
        else than its parameters say.
    TypeError
        If the object is of none of these kinds, or `activation`, `layers` or `activations` is given for a source that
        says it itself.
    ImportError
        If an ONNX file is given and onnx is not installed.
    OSError
        If the file cannot be read.
    MemoryError
        If it would not fit into memory.

    See Also
    --------
    save_network : writes one.
    statnn.Network : from arrays.

    Notes
    -----
    Nothing in a file is executed and no pickle is opened. An object of torch or scikit-learn is run once, as in use,
    on a few rows of inputs, and refused where its outputs are not those of the network that was read: because of a
    hook, a parametrisation or a forward of its own. Hooks that record are allowed, and record these rows too.

    Names order layers where they differ in numbers alone, part by part between their dots: ``fc1, fc2, fc10``,
    ``layers.0, layers.2`` or ``block1.fc, block2.fc``, but not ``fc1, fc2, out`` or ``net.0, head.0``. Otherwise layers
    are taken in the order in which a mapping or npz file has them, if its names are not sorted alphabetically or shapes
    allow no other; a safetensors file keeps no order, and a state dict of torch that in which layers were made,
    which is taken if shapes allow no other. Anything else is refused unless `layers` is given.

    Batch normalisation of fields is kept with its running statistics; after an activation, or on the inputs, it is
    folded into the next dense layer, exactly up to rounding, and its statistics are not kept. So are scalings. A last
    softmax is left out: the order of the classes stays, outputs are the logits. A last sigmoid (the logistic output of
    a binary classifier) is kept. Dropout and batch normalisation are read as in use, not as in training. Bare arrays do
    not hold the ε of a normalisation: 1e-5 is taken, as torch does (Keras takes 1e-3). For another ε give arrays whose
    running variance v is v + ε - 1e-5, or the torch module itself.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from statnn import Network
    >>> from statnn.io import save_network
    >>> net = Network.random([3, 4, 2], rng=0)
    >>> with TemporaryDirectory() as directory:
    ...     save_network(net, f"{directory}/net.npz")
    ...     load_network(f"{directory}/net.npz") == net
    True
    >>> arrays = {"decoder.weight": [[1.0], [2.0]], "encoder.weight": [[0.5, 1.0]]}
    >>> load_network(arrays, activation="tanh", layers=["encoder", "decoder"])
    Network(2-1-2, tanh)
    """
    return load(source, activation=activation, layers=layers, activations=activations).net


def load(
    source: Any,
    *,
    activation: Activations | None = None,
    layers: Sequence[str] | None = None,
    activations: Mapping[str, Activation] | None = None,
) -> Loaded:
    """Return the network of a source with the notes of how it was read."""
    hints = _Hints(activation, layers, _own(activations))
    if isinstance(source, str | os.PathLike):
        return _of_file(path_of(source, "source"), hints)
    if isinstance(source, Mapping):
        _refuse_nested(source)
        made = any(hasattr(values, "detach") for values in source.values())
        return _of_arrays(source, hints, "these arrays", made=made)
    if isinstance(source, Network):
        hints.refuse("a Network")
        return Loaded(source, ())
    notes: list[str] = []
    if any(is_kind(source) for is_kind in (_onnx.is_model, _torch.is_module, _sklearn.is_estimator)):
        hints.refuse("this source", own=_torch.is_module(source))
    if _onnx.is_model(source):
        return _of_steps(_onnx.steps(source, notes), notes)
    if _torch.is_module(source):
        own = hints.own or {}
        loaded = _of_steps(_torch.steps(source, notes, own), notes)
        _torch.refuse_other(source, loaded.net.widths[0], own)
        return loaded
    if _sklearn.is_estimator(source):
        loaded = _of_steps(_sklearn.steps(source, notes), notes)
        _sklearn.refuse_other(source, loaded.net.widths[0])
        return replace(loaded, classes=_sklearn.classes(source))
    raise TypeError(
        f"source is a {type(source).__name__}; pass the path of a file ({_FILES}), a torch Sequential, an MLP of "
        "scikit-learn, an onnx model, arrays by name, or a Network"
    )


def _refuse_nested(source: Mapping[Any, Any]) -> None:
    """Raise if names of arrays are not texts, or a mapping holds other mappings, as a checkpoint does."""
    wrong = [name for name in source if not isinstance(name, str)]
    if wrong:
        raise TypeError(f"these arrays are named {wrong[0]!r}, a {type(wrong[0]).__name__}; names are texts")
    for name, values in source.items():
        several = isinstance(values, list | tuple) and len(values) > 0 and isinstance(values[0], Mapping)
        if several or isinstance(values, Mapping):
            raise ValueError(
                f"{name!r} is {'a list of mappings' if several else 'a mapping of its own'}, as in a checkpoint: pass "
                f"the one that holds the network's arrays, source[{name!r}]{'[0]' * several} if that is it"
            )


def is_source(value: Any) -> bool:
    """Return whether a value by itself is a network of some kind, and not an array of one."""
    kinds = (_onnx.is_model, _torch.is_module, _sklearn.is_estimator)
    return isinstance(value, str | os.PathLike | Network) or any(is_kind(value) for is_kind in kinds)


@dataclass(frozen=True)
class _Hints:
    """What the caller says about bare arrays."""

    activation: Activations | None
    layers: Sequence[str] | None
    own: Mapping[str, Activation] | None

    def refuse(self, what: str, *, own: bool = False) -> None:
        """Refuse hints for a source that needs none; a user's own functions are allowed if `own`."""
        if not own:
            self.refuse_own()
        for name, meaning in (("activation", "its activations"), ("layers", "the order of its layers")):
            if getattr(self, name) is not None:
                raise TypeError(f"{name} is for bare arrays; {what} says {meaning} itself: leave it out")

    def refuse_own(self) -> None:
        """Refuse a user's own functions for a source that does not name them."""
        if self.own is not None:
            raise TypeError(
                "activations is for files of save_network and for modules of torch, which name functions of your own; "
                "leave it out"
            )


def _own(activations: Any) -> Mapping[str, Activation] | None:
    """Return a user's own functions by name, checked."""
    if activations is None:
        return None
    if not isinstance(activations, Mapping):
        raise TypeError(
            f"activations is a {type(activations).__name__}; pass a dict of Activation by name (and activation= for "
            "bare arrays, which is another thing)"
        )
    for name, sigma in activations.items():
        if not isinstance(name, str) or not isinstance(sigma, Activation):
            raise TypeError(f"activations[{name!r}] is a {type(sigma).__name__}; pass an Activation under its name")
    return activations


def _of_steps(steps: list[Step], notes: list[str]) -> Loaded:
    net = assemble(steps, notes)
    return Loaded(net, tuple(dict.fromkeys(notes)))


def _of_arrays(source: Mapping[str, Any], hints: _Hints, what: str, *, kept: bool = True, made: bool = False) -> Loaded:
    hints.refuse_own()
    notes: list[str] = []
    try:
        arrays = {name: _named.plain(values, name) for name, values in source.items()}
        return _of_steps(_named.steps(arrays, hints.activation, hints.layers, notes, kept=kept, made=made), notes)
    except ValueError as error:
        raise ValueError(f"{what}: {line_of(error)}") from None


def _of_file(path: Path, hints: _Hints) -> Loaded:
    kind = path.suffix.lower()
    if kind not in {".npz", ".safetensors", ".onnx"}:
        advice = [_ADVICE[part] for part in map(str.lower, path.suffixes) if part in _ADVICE]  # also of model.joblib.gz
        if advice:
            raise ValueError(f"{path} {advice[-1]}")
        if path.is_dir():
            raise ValueError(f"'{path}' is a folder; networks are read from files: {_FILES}")
        raise ValueError(
            f"{path} has the suffix {path.suffix!r}; networks are read from {_FILES}. What another program reads can "
            "be passed as arrays by name: '0.weight' of shape (out, in), '0.bias', '1.weight', ..."
        )
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is not a regular file")
    if kind == ".onnx":
        return _of_onnx(path, hints)
    if _SHARD.search(path.stem):
        raise ValueError(f"{path} is one of several files of a network; join their arrays and pass them by name")
    if kind == ".npz":
        with _npz.npz(path) as archive:
            text = archive.text(KEY) if KEY in archive else ""
            arrays = {name: archive[name] for name in archive.names if name != KEY}
    else:
        arrays, metadata = _safetensors.read(path)
        text = metadata.get(KEY, "")
    if not text:
        return _of_arrays(arrays, hints, str(path), kept=kind == ".npz")
    hints.refuse(str(path), own=True)
    try:
        return Loaded(_described(text, arrays, path, hints), ())
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {line_of(error)}") from None


def _described(text: str, arrays: Mapping[str, Any], path: Path, hints: _Hints) -> Network:
    """Return the network of a file of `save_network`, or of `save`, which writes it as one result among others."""
    document = parsed(text, "its description")
    if not isinstance(document, dict) or document.get("format") != file.FORMAT:
        return unpack(text, arrays, hints.own or {})
    value = file.read(path, hints.own)
    if not isinstance(value, Network):
        raise ValueError(f"it holds a {type(value).__name__}, no network: statnn.io.load reads it")  # noqa: TRY004
    return value


def _of_onnx(path: Path, hints: _Hints) -> Loaded:
    hints.refuse(str(path))
    notes: list[str] = []
    model = _onnx.read(path)
    try:
        return _of_steps(_onnx.steps(model, notes), notes)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {line_of(error)}") from None
