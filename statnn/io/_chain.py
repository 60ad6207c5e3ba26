"""A chain of steps from another library, made into the layers of a `Network`.

A layer here is dense map, normalisation, activation. Scalings and normalisations that stand elsewhere are affine, and
are folded into a neighbour; the network computes the same, up to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from scipy import special

from statnn._arrays import Reals
from statnn._memory import refuse_beyond_memory
from statnn.network import ACTIVATIONS, Activation, BatchNorm, Network

SOFTPLUS_LINE = 2.1e-9
"""ln(1 + e^h) - h at h = 20, above which torch takes its softplus to be h."""


@dataclass(frozen=True, eq=False)
class Dense:
    """x -> W x + b."""

    weight: Reals
    bias: Reals | None
    where: str


@dataclass(frozen=True, eq=False)
class Affine:
    """x -> scale x + shift, unit by unit."""

    scale: Reals
    shift: Reals
    where: str

    def after(self, first: Affine | None) -> Affine:
        """Return this map applied to the result of another."""
        if first is None:
            return self
        if len({first.scale.size, self.scale.size} - {1}) > 1:
            raise ValueError(f"{self.where}: has {self.scale.size} entries for {first.scale.size} units")
        return Affine(self.scale * first.scale, self.scale * first.shift + self.shift, self.where)


@dataclass(frozen=True, eq=False)
class Norm:
    """Batch normalisation."""

    norm: BatchNorm
    where: str

    def affine(self) -> Affine:
        """Return the map without its statistics."""
        return Affine(self.norm.scale, self.norm.shift, self.where)


@dataclass(frozen=True, eq=False)
class Act:
    """An activation function; values that the source computes are off by `slack` at most."""

    activation: Activation
    where: str
    slack: float = 0.0


@dataclass(frozen=True, eq=False)
class Probabilities:
    """A last softmax over classes, or its logarithm, which a network leaves out."""

    kind: Literal["softmax", "log-softmax"]
    where: str

    def of(self, outputs: Reals) -> Reals:
        """Apply it to the outputs of the network."""
        result: Reals = (special.softmax if self.kind == "softmax" else special.log_softmax)(outputs, axis=1)
        return result


_LOST = 1e-4
"""Largest loss of x - mean by folding, in standard deviations: x - mean is exact near the mean, W x - W mean is not."""
Step: TypeAlias = Dense | Affine | Norm | Act | Probabilities
LESS = "use a machine with more memory"


class _Layer:
    """A layer that is not finished: steps before its activation can still be folded into it."""

    def __init__(self, weight: Reals, bias: Reals) -> None:
        self.weight, self.bias = weight, bias
        self.norm: BatchNorm | None = None
        self.activation: Activation | None = None

    def fold(self, step: Affine) -> None:
        """Fold an affine map of the fields in."""
        scale, shift = _spread(step, len(self.weight))
        if self.norm is None:
            dtype = self.weight.dtype
            self.weight = _rounded(scale[:, None] * self.weight, dtype, step.where)
            self.bias = _rounded(scale * self.bias + shift, dtype, step.where)
        else:
            old = self.norm
            gamma = _rounded(scale * old.gamma, old.dtype, step.where)
            beta = _rounded(scale * old.beta + shift, old.dtype, step.where)
            self.norm = BatchNorm(old.mean, old.variance, gamma, beta, old.epsilon)


def assemble(steps: Sequence[Step], notes: list[str]) -> Network:
    """Return the network of a chain of steps; what is changed is noted in `notes`."""
    if any(isinstance(step, Act) and step.slack for step in steps):
        notes.append(
            f"torch takes softplus to be h above h = 20; read as ln(1 + e^h), by {SOFTPLUS_LINE:g} larger there"
        )
    refuse_vast(_parts(steps))
    builder = _Builder(notes)
    early = next((step for step in steps[:-1] if isinstance(step, Probabilities)), None)
    if early is not None:
        raise ValueError(f"{early.where}: {early.kind} is supported as the last step only")
    with np.errstate(over="ignore", invalid="ignore"):  # overflow is refused where numbers are rounded
        for step in steps:
            builder.add(step)
        return builder.finished()


class _Builder:
    """Layers so far, and an affine map that waits for the next dense layer to be folded into."""

    def __init__(self, notes: list[str]) -> None:
        self.notes = notes
        self.layers: list[_Layer] = []
        self.waiting: Affine | None = None
        self.once = _Once()

    def add(self, step: Step) -> None:
        """Add the next step."""
        if isinstance(step, Probabilities):
            before = f"outputs are those before the {step.kind}"
            self.notes.append(f"{before}: classes are in the same order, probabilities are not computed")
            return
        last = self.layers[-1] if self.layers else None
        opened = last if last is not None and last.activation is None and self.waiting is None else None
        if isinstance(step, Dense):
            self.layers.append(_begin(step, self.layers, self.waiting, self.once, self.notes))
            self.waiting = None
        elif opened is None:
            self._wait(step)
        elif isinstance(step, Act):
            opened.activation = step.activation
        elif isinstance(step, Affine):
            opened.fold(step)
        elif opened.norm is None:
            _same_units(len(opened.weight), step.affine())
            opened.norm = step.norm
        else:
            opened.fold(step.affine())
            self.notes.append(f"{step.where}: folded into the normalisation before it")

    def _wait(self, step: Affine | Norm | Act) -> None:
        if isinstance(step, Act):
            before = "another activation" if self.layers else "the input"
            before = before if self.waiting is None else f"{self.waiting.where}, which does not follow a dense layer"
            fix = (
                "build statnn.Network(weights, biases, activations) with one Activation of your own that does both"
                if self.layers
                else "apply it to the inputs themselves, and leave it out here"
            )
            raise ValueError(  # noqa: TRY004 - the chain is wrong, not a type
                f"{step.where}: an activation must follow a dense layer; this one follows {before}: {fix}"
            )
        if isinstance(step, Norm):
            self.notes.append(
                f"{step.where}: not before an activation, so folded into the next layer, without its statistics"
            )
            step = step.affine()
        self.waiting = step.after(self.waiting)

    def finished(self) -> Network:
        """Return the network."""
        if not self.layers:
            raise ValueError("there is no dense layer: a network has at least one")
        if self.waiting is not None:
            last, waiting = self.layers[-1], self.waiting
            units = len(last.weight)
            refuse_beyond_memory(40.0 * units**2, f"{waiting.where}: a further layer of {units} units", LESS)
            scale, shift = _spread(waiting, units)
            diagonal, bias = (_rounded(part, last.weight.dtype, waiting.where) for part in (np.diag(scale), shift))
            self.layers.append(_Layer(diagonal, bias))
            self.notes.append(f"{waiting.where}: stands last, so it is a further layer with diagonal weights")
        return Network(
            [layer.weight for layer in self.layers],
            [layer.bias for layer in self.layers],
            [layer.activation or ACTIVATIONS["identity"] for layer in self.layers],
            normalisations=[layer.norm for layer in self.layers],
        )


def _parts(steps: Sequence[Step]) -> Iterator[tuple[Reals, Reals | None, Hashable]]:
    for m, step in enumerate(steps):
        if isinstance(step, Dense):
            beside = any(isinstance(other, Affine | Norm) for other in steps[max(m - 1, 0) : m + 2])
            yield step.weight, step.bias, m if beside else None


def refuse_vast(layers: Iterable[tuple[Reals, Reals | None, Hashable]]) -> None:
    """Raise `MemoryError` before layers are made that would not fit into memory together.

    Parameters
    ----------
    layers : iterable of (weight, bias, hashable)
        Arrays of every layer, and a key of what is folded into them or normalises them, None if nothing does: a matrix
        shared by layers is one array in the network, too, but one for each key.
    """
    sizes: dict[Hashable, int] = {}
    for weight, bias, change in layers:
        sizes[id(weight), change] = weight.nbytes
        if bias is not None:
            sizes[id(bias), change] = bias.nbytes
    refuse_beyond_memory(3.0 * sum(sizes.values()), "the network", LESS)


class _Once:
    """Arrays that stand for several layers, made once: what is shared stays shared."""

    def __init__(self) -> None:
        self._known: dict[Any, tuple[Any, Reals]] = {}

    def __call__(self, key: Any, owner: Any, make: Callable[[], Reals]) -> Reals:
        if key not in self._known:
            self._known[key] = (owner, make())  # the owner is kept, so that its id is not given to another
        return self._known[key][1]


def _begin(step: Dense, layers: list[_Layer], waiting: Affine | None, once: _Once, notes: list[str]) -> _Layer:
    weight = step.weight
    if weight.ndim != 2 or weight.size == 0:
        raise ValueError(f"{step.where}: weights of a dense layer are a matrix, not of shape {weight.shape}")
    if layers and weight.shape[1] != len(layers[-1].weight):
        raise ValueError(
            f"{step.where}: takes {weight.shape[1]} inputs, but the layer before has {len(layers[-1].weight)} outputs"
        )
    if step.bias is None:
        units = len(weight)
        bias = once((units, weight.dtype), None, lambda: np.zeros(units, weight.dtype))
    else:
        bias = step.bias
    if bias.shape != (len(weight),):
        raise ValueError(f"{step.where}: biases have shape {bias.shape}, {weight.shape[:1]} are needed")
    if waiting is None:
        return _Layer(weight, bias)
    scale, shift = _spread(waiting, weight.shape[1])
    dtype = np.result_type(weight, bias)
    if dtype == np.float32 and np.finfo(dtype).eps * np.abs(shift).max() > _LOST:
        dtype = np.dtype(np.float64)
        notes.append(f"{waiting.where}: beside so large a mean float32 has no digits; folded in float64")
    return _Layer(_rounded(weight * scale, dtype, waiting.where), _rounded(bias + weight @ shift, dtype, waiting.where))


def _same_units(units: int, step: Affine) -> None:
    for part in (step.scale, step.shift):
        if part.shape not in {(), (1,), (units,)}:
            raise ValueError(f"{step.where}: has {part.size} entries for {units} units")


def _spread(step: Affine, units: int) -> tuple[Reals, Reals]:
    """Return scale and shift with one entry per unit."""
    _same_units(units, step)
    return np.broadcast_to(step.scale, units), np.broadcast_to(step.shift, units)


def _rounded(array: Reals, dtype: Any, where: str) -> Reals:
    result: Reals = array.astype(dtype)
    if not np.isfinite(result).all():
        raise ValueError(f"{where}: folded into its neighbour it exceeds the range of {dtype}")
    return result
