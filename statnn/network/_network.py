"""A feed-forward network: parameters only, and the map they define.

Parameters are stored in memory that Python itself cannot write to, so that a network can be shared, hashed and used
as a constant. An array that stands for several layers is stored once, also in pickles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from statnn._arguments import array_of, deviation_of, refuse_unordered, whole
from statnn._arrays import Reals, drawn, frozen, real
from statnn._by_value import ByValue
from statnn._labelled import refuse_other_order
from statnn._memory import refuse_beyond_memory
from statnn._random import root, stream
from statnn.network._activation import Activation, activation
from statnn.network._normalisation import BatchNorm

Activations: TypeAlias = str | Activation | Sequence[str | Activation]


@dataclass(frozen=True, eq=False, repr=False)
class Trace(ByValue):
    """Fields and activations of every layer.

    Parameters
    ----------
    fields : tuple of ndarray
        fields[m] = W^(m) h^(m) + b^(m), shape (samples, n_{m+1}), for m = 0 ... M-1; (n_{m+1},) of a single input.
        Where fields are normalised, these are the normalised ones.
    activations : tuple of ndarray
        activations[m] = h^(m), shape (samples, n_m), for m = 0 ... M; the first are the inputs, the last the outputs.

    See Also
    --------
    statnn.Network.trace : makes it.
    """

    fields: tuple[Reals, ...]
    activations: tuple[Reals, ...]


class Network:
    r"""A network h^(m+1) = σ_m(W^(m) h^(m) + b^(m)), m = 0 ... M-1, that never changes.

    Parameters
    ----------
    weights : sequence of array_like
        weights[m] of shape (n_{m+1}, n_m), (out, in). All float32 stays float32, anything else is float64. Copied,
        and an array that is given for several layers is kept as one.
    biases : sequence of array_like or None
        biases[m] of shape (n_{m+1},); None for no biases.
    activation : str, Activation or sequence of them
        One for all layers, the last included, or one per layer; names are the keys of `ACTIVATIONS`.
    normalisations : sequence of BatchNorm or None, or None
        One per layer, None for a layer without; each acts on the fields before the activation.

    Attributes
    ----------
    weights, biases : tuple of ndarray
        Effective parameters, with normalisation inside: diag(s) W and s (b - μ) + β with s = γ/√(v+ε), computed in
        double precision. Everything that reads a network reads these.
    raw_weights, raw_biases : tuple of ndarray
        Parameters as they were given; the same arrays in layers without normalisation.
    normalisations : tuple of BatchNorm or None
        As given, in the precision of the network.
    activations : tuple of Activation
        One per layer.

    Raises
    ------
    TypeError, ValueError
        If shapes do not chain, entries are not finite real numbers, or an activation is unknown.

    See Also
    --------
    statnn.io.load_network : from files and other libraries.
    statnn.interaction.BinaryNeurons : the network as spins; `DynamicNeurons` as a Hamiltonian.
    statnn.rg.place : where its layers lie between order and chaos.

    Examples
    --------
    >>> from statnn.network import BatchNorm
    >>> net = Network([[[1.0, -1.0]], [[2.0]]], [[0.0], [0.5]], ["relu", "identity"])
    >>> net([3.0, 1.0]), net.widths
    (array([4.5]), (2, 1, 1))
    >>> Network([[[2.0]]], normalisations=[BatchNorm([1.0], [4.0], epsilon=0.0)]).weights[0]
    array([[1.]])
    """

    __slots__ = ("activations", "biases", "normalisations", "raw_biases", "raw_weights", "weights")

    weights: tuple[Reals, ...]
    biases: tuple[Reals, ...]
    activations: tuple[Activation, ...]
    raw_weights: tuple[Reals, ...]
    raw_biases: tuple[Reals, ...]
    normalisations: tuple[BatchNorm | None, ...]

    def __init__(
        self,
        weights: Sequence[ArrayLike],
        biases: Sequence[ArrayLike] | None = None,
        activation: Activations = "tanh",
        *,
        normalisations: Sequence[BatchNorm | None] | None = None,
    ) -> None:
        given = _layers_of(weights, "weights", "matrix")
        arrays = _each(given, lambda w, m: real(w, f"weights[{m}]", 2))
        for m, (below, above) in enumerate(pairwise(arrays)):
            refuse_other_order(given[m + 1], f"weights[{m + 1}]", given[m], f"weights[{m}]", (1, 0))
            if above.shape[1] != below.shape[0]:
                raise ValueError(
                    f"weights[{m + 1}] has shape {above.shape} but layer {m} below it has {below.shape[0]} outputs; "
                    "weights have shape (out, in): transpose them if yours are (in, out)"
                )
        if biases is None:
            zeros = {n: np.zeros(n, arrays[0].dtype) for n in {len(w) for w in arrays}}
            offsets: list[Any] = [zeros[len(w)] for w in arrays]
        else:
            offsets = _layers_of(biases, "biases", "vector")
        if len(offsets) != len(arrays):
            raise ValueError(f"there are {len(offsets)} biases for {len(arrays)} layers; pass one per layer, or None")
        vectors = _each(offsets, lambda b, m: real(b, f"biases[{m}]", 1))
        for m, (w, b) in enumerate(zip(arrays, vectors, strict=True)):
            refuse_other_order(offsets[m], f"biases[{m}]", given[m], f"weights[{m}]")
            if b.shape != (w.shape[0],):
                raise ValueError(
                    f"biases[{m}] has shape {b.shape}; layer {m} with weights {w.shape} needs {w.shape[:1]}"
                )
        norms = _norms_of(normalisations, arrays)
        kinds = [array.dtype for array in arrays + vectors] + [norm.dtype for norm in norms if norm]
        dtype = np.dtype(np.float32 if all(kind == np.float32 for kind in kinds) else np.float64)
        raw_weights = tuple(_each(arrays, lambda w, _: frozen(w, dtype)))
        raw_biases = tuple(_each(vectors, lambda b, _: frozen(b, dtype)))
        norms = _each(norms, lambda norm, _: norm and norm.astype(dtype))
        parts = {
            "weights": _normalised(raw_weights, norms, _weight),
            "biases": _normalised(raw_biases, norms, _bias),
            "activations": _one_a_layer(activation, len(arrays)),
            "raw_weights": raw_weights,
            "raw_biases": raw_biases,
            "normalisations": tuple(norms),
        }
        for name, value in parts.items():
            object.__setattr__(self, name, value)

    @classmethod
    def random(
        cls,
        widths: Sequence[int],
        activation: Activations = "tanh",
        sigma_w: float = 1.0,
        sigma_b: float = 0.0,
        *,
        rng: int | np.random.Generator | None = None,
        dtype: Any = np.float64,
    ) -> Network:
        """Return a network with W_ij ~ N(0, σ_w²/n_in) and b_i ~ N(0, σ_b²).

        Parameters
        ----------
        widths : sequence of int
            n_0 ... n_M, inputs first.
        activation : str, Activation or sequence of them
            As in `Network`.
        sigma_w, sigma_b : float
            Standard deviations >= 0, of the weights times the root of the fan-in and of the biases.
        rng : int, numpy.random.Generator or None
            Seed; None for fresh entropy.
        dtype : numpy.float64 or numpy.float32
            Precision; both draw the same numbers.

        Raises
        ------
        TypeError, ValueError, MemoryError
            If arguments do not fit, or the network would not fit into memory.

        Examples
        --------
        >>> Network.random([784, 256, 10], sigma_w=1.2, sigma_b=0.1, rng=0)
        Network(784-256-10, tanh)
        """
        if isinstance(widths, str | bytes) or not isinstance(widths, Iterable):
            raise TypeError(
                f"widths = {widths!r} is a {type(widths).__name__}; give a list, inputs first: [784, 256, 10]"
            )
        refuse_unordered(widths, "widths")
        sizes = [whole(n, f"widths[{m}]", minimum=1, maximum=10**8) for m, n in enumerate(widths)]
        if len(sizes) < 2:
            raise ValueError(f"widths = {sizes} has {len(sizes)} entries; give inputs and at least one layer")
        fix = "for another scale per layer build Network(weights, biases)"
        scale_w, scale_b = deviation_of(sigma_w, "sigma_w", fix=fix), deviation_of(sigma_b, "sigma_b", fix=fix)
        if np.dtype(dtype) not in (np.float32, np.float64):
            raise ValueError(f"dtype = {dtype!r} is not supported; use numpy.float32 or numpy.float64")
        needed = np.dtype(dtype).itemsize * sum((below + 1) * above for below, above in pairwise(sizes))
        refuse_beyond_memory(needed, f"a network of widths {sizes}", "take smaller layers, or dtype=numpy.float32")
        seed = root(rng)
        weights, biases = [], []
        for m, (below, above) in enumerate(pairwise(sizes)):
            generator = stream(seed, m)
            weights.append(drawn(generator, (above, below), scale_w / np.sqrt(below), np.dtype(dtype)))
            biases.append(drawn(generator, (above,), scale_b, np.dtype(dtype)))
        return cls(weights, biases, activation)

    @classmethod
    def repeated(
        cls, weight: ArrayLike, bias: ArrayLike | None = None, activation: str | Activation = "tanh", *, depth: int
    ) -> Network:
        """Return the network that applies one layer `depth` times.

        Parameters
        ----------
        weight : array_like, shape (n, n)
            W, the same in every layer.
        bias : array_like, shape (n,), or None
            b; None for no bias.
        activation : str or Activation
            σ.
        depth : int
            Number of layers, at least 1. All layers share one array.

        Raises
        ------
        TypeError, ValueError
            If the weight is not square, or other arguments do not fit.

        Examples
        --------
        >>> Network.repeated([[0.5]], activation="identity", depth=3)([8.0])
        array([1.])
        """
        matrix = real(weight, "weight", 2)
        if matrix.shape[0] != matrix.shape[1]:
            raise ValueError(f"weight has shape {matrix.shape}; a layer can be repeated only if it is square")
        layers = whole(depth, "depth", minimum=1, maximum=10**7)
        vector = None if bias is None else real(bias, "bias", 1)
        return cls([matrix] * layers, None if vector is None else [vector] * layers, activation)

    @property
    def widths(self) -> tuple[int, ...]:
        """Numbers of units n_0 ... n_M, inputs first."""
        return (self.weights[0].shape[1], *(w.shape[0] for w in self.weights))

    @property
    def depth(self) -> int:
        """Number of layers M of weights."""
        return len(self.weights)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Precision of parameters and results, float32 or float64."""
        return self.weights[0].dtype

    def __call__(self, x: ArrayLike) -> Reals:
        """Return the outputs, shape (samples, n_M), of inputs of shape (samples, n_0); or (n_M,) of (n_0,).

        Raises as `trace` does.
        """
        return self.trace(x).activations[-1]

    def trace(self, x: ArrayLike) -> Trace:
        """Return fields and activations of every layer.

        Parameters
        ----------
        x : array_like, shape (samples, n_0) or (n_0,)
            Inputs, converted to the precision of the network.

        Returns
        -------
        Trace

        Raises
        ------
        TypeError, ValueError
            If inputs do not fit, an activation of your own changes the shape or returns values that are not finite and
            real, or fields exceed the range of the precision.

        Examples
        --------
        >>> trace = Network.repeated([[2.0]], activation="relu", depth=2).trace([[1.0], [-1.0]])
        >>> trace.fields[1].ravel(), trace.activations[1].ravel()
        (array([4., 0.]), array([2., 0.]))
        """
        h = self.inputs(x)
        fields, activations = [], [h]
        for m, (weight, bias, sigma) in enumerate(zip(self.weights, self.biases, self.activations, strict=True)):
            with np.errstate(over="ignore", invalid="ignore"):
                fields.append(h @ weight.T + bias)
            if not np.isfinite(fields[-1]).all():
                raise ValueError(f"fields of layer {m} exceed the range of {self.dtype}: scale inputs or weights down")
            h = self._activated(m, sigma, fields[-1])
            activations.append(h)
        return Trace(tuple(fields), tuple(activations))

    def _activated(self, m: int, sigma: Activation, fields: Reals) -> Reals:
        h = array_of(sigma(fields), f"the result of activation {sigma.name!r}")
        if not sigma.built_in:
            if h.shape != fields.shape:
                raise ValueError(f"activation {sigma.name!r} maps shape {fields.shape} to {h.shape}; keep the shape")
            if h.dtype.kind not in "biuf":
                raise TypeError(f"activation {sigma.name!r} returns {h.dtype}; real numbers are needed")
            h = h.astype(self.dtype, copy=False)
            if not np.isfinite(h).all():
                at = fields[~np.isfinite(h)].flat[0]
                raise ValueError(f"activation {sigma.name!r} of layer {m} is not finite at the field {at}")
        return h

    def inputs(self, x: ArrayLike) -> Reals:
        """Return a copy of inputs in the precision of the network.

        Parameters
        ----------
        x : array_like, shape (samples, n_0) or (n_0,)
            Inputs.

        Raises
        ------
        TypeError, ValueError
            If they are not finite real numbers in that precision, or do not fit the first layer.

        Examples
        --------
        >>> Network([[[1.0, -1.0]]]).inputs([3, 1])
        array([3., 1.])
        """
        given = real(x, "x", None)
        with np.errstate(over="ignore"):
            array = given.astype(self.dtype)
        if not np.isfinite(array).all():
            raise ValueError(f"x reaches {np.abs(given).max():.3g}, beyond the range of {self.dtype}")
        if array.ndim not in (1, 2) or array.shape[-1] != self.widths[0]:
            raise ValueError(
                f"x has shape {array.shape}; this network takes (samples, {self.widths[0]}) or ({self.widths[0]},): "
                "flatten images with x.reshape(len(x), -1)"
            )
        return array

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a Network is immutable: make a new one with another {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a Network is immutable: {name} cannot be deleted")

    def __copy__(self) -> Network:
        return self

    def __deepcopy__(self, memo: Any) -> Network:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self.raw_weights, self.raw_biases, self.activations, self.normalisations)

    def _stored(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {
            "weights": self.raw_weights,
            "biases": self.raw_biases,
            "activation": self.activations,
            "normalisations": self.normalisations,
        }

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Network):
            return NotImplemented
        return (
            self.widths == other.widths
            and self.dtype == other.dtype
            and self.activations == other.activations
            and self.normalisations == other.normalisations
            and all(
                mine is theirs or np.array_equal(mine, theirs)
                for mine, theirs in zip(
                    self.raw_weights + self.raw_biases, other.raw_weights + other.raw_biases, strict=True
                )
            )
        )

    def __hash__(self) -> int:
        ends = (self.raw_weights[0], self.raw_biases[-1])  # enough to tell networks apart; + 0 gives zeros one sign
        norms = (self.normalisations[0], self.normalisations[-1])
        return hash((self.widths, self.dtype, norms, *((array + 0).tobytes() for array in ends)))

    def __repr__(self) -> str:
        widths = [str(n) for n in self.widths]
        if len(widths) > 8:
            widths = [*widths[:3], "...", *widths[-2:]]
        names = list(dict.fromkeys(sigma.name for sigma in self.activations))
        normalised = sum(norm is not None for norm in self.normalisations)
        where = f", batch norm in {normalised} of {self.depth} layers" if normalised else ""
        return f"Network({'-'.join(widths)}, {'/'.join(names)}{where})"


def _again(
    weights: tuple[Reals, ...],
    biases: tuple[Reals, ...],
    activations: tuple[Activation, ...],
    normalisations: tuple[BatchNorm | None, ...],
) -> Network:
    """Rebuild a network that was sent to another process."""
    return Network(weights, biases, activations, normalisations=normalisations)


def _layers_of(values: Any, name: str, entry: str) -> list[Any]:
    """Return a list with one entry per layer."""
    shape = getattr(values, "shape", None)
    if not isinstance(values, Iterable) or (shape is not None and len(shape) != (3 if entry == "matrix" else 2)):
        what = f"a {type(values).__name__}" if shape is None else f"an array of shape {shape}"
        raise TypeError(f"{name} is {what}; pass a list with one {entry} per layer, also where there is one layer only")
    entries = list(values)
    if not entries:
        raise ValueError(f"{name} is empty; a network has at least one layer, with one {entry} each")
    return entries


def _each(values: list[Any], function: Callable[[Any, int], Any]) -> list[Any]:
    """Apply a function of value and position once to every object: what is shared stays shared."""
    known: dict[int, Any] = {}
    for m, value in enumerate(values):
        if id(value) not in known:
            known[id(value)] = function(value, m)
    return [known[id(value)] for value in values]


def _norms_of(values: Any, weights: list[Reals]) -> list[BatchNorm | None]:
    """Return one normalisation or None per layer."""
    if values is None:
        return [None] * len(weights)
    if isinstance(values, BatchNorm) or not isinstance(values, Iterable):
        raise TypeError(
            f"normalisations = {values!r} is a {type(values).__name__}; pass a list with a BatchNorm or None per layer"
        )
    refuse_unordered(values, "normalisations")
    norms = list(values)
    if len(norms) != len(weights):
        raise ValueError(
            f"there are {len(norms)} normalisations for {len(weights)} layers; pass one per layer, or None"
        )
    for m, (norm, weight) in enumerate(zip(norms, weights, strict=True)):
        if norm is not None and not isinstance(norm, BatchNorm):
            raise TypeError(f"normalisations[{m}] is a {type(norm).__name__}; pass a BatchNorm or None")
        if norm is not None and norm.units != len(weight):
            raise ValueError(f"normalisations[{m}] has {norm.units} units; layer {m} has {len(weight)} outputs")
    return norms


def _normalised(
    arrays: tuple[Reals, ...], norms: list[BatchNorm | None], inside: Callable[[Reals, BatchNorm], Reals]
) -> tuple[Reals, ...]:
    """Return effective parameters in the precision of the raw ones; what is shared stays shared."""
    known: dict[tuple[int, int], Reals] = {}
    for m, (array, norm) in enumerate(zip(arrays, norms, strict=True)):
        key = (id(array), id(norm))
        if key in known:
            continue
        if norm is None:
            known[key] = array
            continue
        with np.errstate(over="ignore", invalid="ignore"):
            effective = inside(array, norm).astype(array.dtype)
        if not np.isfinite(effective).all():
            raise ValueError(
                f"layer {m} with its normalisation exceeds the range of {array.dtype}: the variance of some unit is "
                "too small for its scale gamma"
            )
        known[key] = frozen(effective, array.dtype)
    return tuple(known[id(array), id(norm)] for array, norm in zip(arrays, norms, strict=True))


def _weight(weight: Reals, norm: BatchNorm) -> Reals:
    return norm.scale[:, None] * weight


def _bias(bias: Reals, norm: BatchNorm) -> Reals:
    return norm(bias)


def _one_a_layer(value: Activations, depth: int) -> tuple[Activation, ...]:
    if isinstance(value, str | Activation) or not isinstance(value, Iterable):
        return (activation(value),) * depth
    refuse_unordered(value, "activation")
    sigmas = tuple(activation(sigma) for sigma in value)
    if len(sigmas) != depth:
        raise ValueError(f"there are {len(sigmas)} activations for {depth} layers; pass one for all, or one per layer")
    return sigmas
