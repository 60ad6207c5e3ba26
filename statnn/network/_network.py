"""A feed-forward network: parameters only, and the map they define."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statnn._edge import at_least, whole
from statnn._random import root, stream
from statnn.network._activation import Activation, activation

Reals: TypeAlias = NDArray[Any]
Activations: TypeAlias = str | Activation | Sequence[str | Activation]


@dataclass(frozen=True)
class Trace:
    """What happened in every layer.

    Parameters
    ----------
    fields : tuple of ndarray
        fields[m] = W^(m) h^(m) + b^(m), shape (samples, n_{m+1}), for m = 0 ... M-1.
    activations : tuple of ndarray
        activations[m] = h^(m), shape (samples, n_m), for m = 0 ... M; the first are the inputs, the last the outputs.
    """

    fields: tuple[Reals, ...]
    activations: tuple[Reals, ...]


class Network:
    r"""A network h^(m+1) = σ_m(W^(m) h^(m) + b^(m)), m = 0 ... M-1, that never changes.

    Parameters
    ----------
    weights : sequence of array_like
        weights[m] of shape (n_{m+1}, n_m), (out, in). All float32 stays float32, anything else is float64.
    biases : sequence of array_like or None
        biases[m] of shape (n_{m+1},); None for no biases.
    activation : str, Activation or sequence of them
        One for all layers, the last included, or one a layer; names are the keys of `ACTIVATIONS`.

    Raises
    ------
    TypeError, ValueError
        If shapes do not chain, entries are not finite real numbers, or an activation is unknown.

    Examples
    --------
    >>> net = Network([[[1.0, -1.0]], [[2.0]]], [[0.0], [0.5]], ["relu", "identity"])
    >>> net([3.0, 1.0]), net.widths
    (array([4.5]), (2, 1, 1))
    """

    __slots__ = ("activations", "biases", "weights")

    weights: tuple[Reals, ...]
    biases: tuple[Reals, ...]
    activations: tuple[Activation, ...]

    def __init__(
        self, weights: Sequence[ArrayLike], biases: Sequence[ArrayLike] | None = None, activation: Activations = "tanh"
    ) -> None:
        if isinstance(weights, np.ndarray) and weights.ndim < 3:
            raise TypeError(f"weights is one array of shape {weights.shape}; pass a list with one matrix a layer")
        arrays = [_real(w, f"weights[{m}]", 2) for m, w in enumerate(weights)]
        if not arrays:
            raise ValueError("weights is empty; a network has at least one layer")
        for m, (below, above) in enumerate(pairwise(arrays)):
            if above.shape[1] != below.shape[0]:
                raise ValueError(
                    f"weights[{m + 1}] has shape {above.shape} but layer {m} below it has {below.shape[0]} outputs; "
                    "weights have shape (out, in): transpose them if yours are (in, out)"
                )
        if biases is None:
            biases = [np.zeros(w.shape[0], dtype=w.dtype) for w in arrays]
        if len(biases) != len(arrays):
            raise ValueError(f"there are {len(biases)} biases for {len(arrays)} layers; pass one a layer, or None")
        vectors = [_real(b, f"biases[{m}]", 1) for m, b in enumerate(biases)]
        for m, (w, b) in enumerate(zip(arrays, vectors, strict=True)):
            if b.shape != (w.shape[0],):
                raise ValueError(f"biases[{m}] has shape {b.shape}; layer {m} with weights {w.shape} needs {w.shape[:1]}")
        single = all(array.dtype == np.float32 for array in arrays + vectors)
        dtype = np.float32 if single else np.float64
        object.__setattr__(self, "weights", tuple(_frozen(w, dtype) for w in arrays))
        object.__setattr__(self, "biases", tuple(_frozen(b, dtype) for b in vectors))
        object.__setattr__(self, "activations", _one_a_layer(activation, len(arrays)))

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
    ) -> "Network":
        """Return a network with W_ij ~ N(0, sigma_w²/n_in) and b_i ~ N(0, sigma_b²).

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

        Examples
        --------
        >>> Network.random([784, 256, 10], sigma_w=1.2, sigma_b=0.1, rng=0)
        Network(784-256-10, tanh)
        """
        sizes = [whole(n, f"widths[{m}]", minimum=1, maximum=10**8) for m, n in enumerate(widths)]
        if len(sizes) < 2:
            raise ValueError(f"widths = {list(widths)} has {len(sizes)} entries; give inputs and at least one layer")
        scale_w = float(at_least(sigma_w, "sigma_w", minimum=0, why="it is a standard deviation"))
        scale_b = float(at_least(sigma_b, "sigma_b", minimum=0, why="it is a standard deviation"))
        if np.dtype(dtype) not in (np.float32, np.float64):
            raise ValueError(f"dtype = {dtype!r} is not supported; use numpy.float32 or numpy.float64")
        seed = root(rng)
        weights, biases = [], []
        for m, (below, above) in enumerate(pairwise(sizes)):
            generator = stream(seed, m)
            weights.append((scale_w / np.sqrt(below) * generator.standard_normal((above, below))).astype(dtype))
            biases.append((scale_b * generator.standard_normal(above)).astype(dtype))
        return cls(weights, biases, activation)

    @classmethod
    def repeated(
        cls, weight: ArrayLike, bias: ArrayLike | None = None, activation: str | Activation = "tanh", *, depth: int
    ) -> "Network":
        """Return the network that applies one layer `depth` times.

        Parameters
        ----------
        weight : array_like, shape (n, n)
        bias : array_like, shape (n,), or None
            None for no bias.
        activation : str or Activation
        depth : int
            Number of layers, at least 1. All layers share one array.

        Examples
        --------
        >>> Network.repeated([[0.5]], activation="identity", depth=3)([8.0])
        array([1.])
        """
        matrix = _real(weight, "weight", 2)
        if matrix.shape[0] != matrix.shape[1]:
            raise ValueError(f"weight has shape {matrix.shape}; a layer can be repeated only if it is square")
        layers = whole(depth, "depth", minimum=1, maximum=10**7)
        vector = np.zeros(len(matrix), matrix.dtype) if bias is None else _real(bias, "bias", 1)
        dtype = np.float32 if matrix.dtype == vector.dtype == np.float32 else np.float64
        return cls([_frozen(matrix, dtype)] * layers, [_frozen(vector, dtype)] * layers, activation)

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
        """Return the outputs, shape (samples, n_M), of inputs of shape (samples, n_0); or (n_M,) of (n_0,)."""
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

        Examples
        --------
        >>> trace = Network.repeated([[2.0]], activation="relu", depth=2).trace([[1.0], [-1.0]])
        >>> trace.fields[1].ravel(), trace.activations[1].ravel()
        (array([4., 0.]), array([2., 0.]))
        """
        h = self.inputs(x)
        fields, activations = [], [h]
        for weight, bias, sigma in zip(self.weights, self.biases, self.activations, strict=True):
            fields.append(h @ weight.T + bias)
            h = np.asarray(sigma(fields[-1]))
            if h.shape != fields[-1].shape:
                raise ValueError(f"activation {sigma.name!r} maps shape {fields[-1].shape} to {h.shape}; keep the shape")
            activations.append(h)
        return Trace(tuple(fields), tuple(activations))

    def inputs(self, x: ArrayLike) -> Reals:
        """Return `x` in the precision of the network, or raise if it does not fit the first layer."""
        array = _real(x, "x", None).astype(self.dtype)
        if array.ndim not in (1, 2) or array.shape[-1] != self.widths[0]:
            raise ValueError(
                f"x has shape {array.shape}; this network takes (samples, {self.widths[0]}) or ({self.widths[0]},): "
                "flatten images with x.reshape(len(x), -1)"
            )
        return array

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a Network never changes: make a new one with another {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a Network never changes: {name} cannot be deleted")

    def __reduce__(self) -> tuple[Any, ...]:
        return Network, (self.weights, self.biases, self.activations)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Network):
            return NotImplemented
        return (
            self.widths == other.widths
            and self.dtype == other.dtype
            and self.activations == other.activations
            and all(map(np.array_equal, self.weights + self.biases, other.weights + other.biases))
        )

    def __hash__(self) -> int:
        return hash((self.widths, self.dtype, *(b.tobytes() for b in self.biases)))

    def __repr__(self) -> str:
        widths = [str(n) for n in self.widths]
        if len(widths) > 8:
            widths = [*widths[:3], "...", *widths[-2:]]
        names = list(dict.fromkeys(sigma.name for sigma in self.activations))
        return f"Network({'-'.join(widths)}, {'/'.join(names)})"


def _real(values: ArrayLike, name: str, ndim: int | None) -> Reals:
    """Return an array of finite floats: float32 stays, all other real types become float64."""
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold real numbers, not {array.dtype}")
    if ndim is not None and array.ndim != ndim:
        raise ValueError(f"{name} has shape {array.shape}; {ndim} dimension(s) are needed")
    if array.size == 0:
        raise ValueError(f"{name} has shape {array.shape} and no entries")
    result = array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)
    bad = ~np.isfinite(result)
    if bad.any():
        where = tuple(int(i[0]) for i in np.nonzero(bad))
        raise ValueError(f"{name}{list(where)} = {array[where]} is not finite: every parameter and input must be")
    return result


def _frozen(array: Reals, dtype: Any) -> Reals:
    if array.dtype == dtype and not array.flags.writeable and array.flags.c_contiguous and array.base is None:
        return array
    result = np.array(array, dtype=dtype, order="C")
    result.flags.writeable = False
    return result


def _one_a_layer(value: Activations, depth: int) -> tuple[Activation, ...]:
    if isinstance(value, str | Activation):
        return (activation(value),) * depth
    found = tuple(activation(one) for one in value)
    if len(found) != depth:
        raise ValueError(f"there are {len(found)} activations for {depth} layers; pass one for all, or one a layer")
    return found
