r"""Translation symmetry in depth: which layers repeat, with which unit cell.

Step m of a model leads from layer m to layer m+1. It is given by

* W^(m), b^(m), σ_m of a network; what is free in `DynamicNeurons` is a variable, not a parameter, and is not compared;
* of binary neurons, by the block J^(m) between layers m and m+1 and by couplings and fields inside layer m+1.

Steps m and k are at the distance d(m, k), the largest absolute difference of their numbers; infinite where shapes or
activations differ. A run of steps repeats with period p if d(m, m+p) is within the tolerance all along and the run
holds at least two whole unit cells. Ends may thus differ from the bulk (a wide input layer, the fields of the first
layer, which no step leads to): the run is what is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from scipy import sparse

from statnn._arguments import single
from statnn._notebook import Shown
from statnn.interaction._binary import BinaryNeurons
from statnn.interaction._dynamic import DynamicNeurons
from statnn.network import Network

Step: TypeAlias = tuple[tuple[Any, ...], tuple[Any, ...]]
"""What must be equal (shapes, activation), and the arrays whose numbers are compared."""


@dataclass(frozen=True)
class TranslationSymmetry(Shown):
    """What repeats in depth; see `translation_symmetry`.

    Parameters
    ----------
    period : int or None
        Steps in the unit cell; None if nothing repeats.
    first, stop : int
        Steps `first` ... `stop` - 1 repeat: the longest such run; of equally long ones that of the shortest period,
        then the lowest in the network. Both 0 if nothing repeats.
    deviation : float
        Largest difference between numbers one period apart in the run. If nothing repeats, the smallest tolerance at
        which something would: infinity where no two steps are alike in shape and activation.
    depth : int
        Number of steps M of the model.
    clamped : tuple of str
        Ends that break the symmetry in any case: "inputs" and "targets" of `DynamicNeurons`.

    See Also
    --------
    translation_symmetry : makes it.
    """

    period: int | None
    first: int
    stop: int
    deviation: float
    depth: int
    clamped: tuple[str, ...] = ()

    @property
    def layers(self) -> range:
        """Steps that repeat."""
        return range(self.first, self.stop)

    @property
    def cell(self) -> range:
        """Steps of the first unit cell, empty if nothing repeats."""
        return range(self.first, self.first + (self.period or 0))

    @property
    def repeats(self) -> float:
        """Number of unit cells in the run; the last may be cut. 0 if nothing repeats."""
        return len(self.layers) / self.period if self.period else 0.0


def translation_symmetry(
    model: Network | BinaryNeurons | DynamicNeurons, *, tolerance: float = 0.0
) -> TranslationSymmetry:
    """Find the layers that repeat, their unit cell and the largest deviation from exact repetition.

    Parameters
    ----------
    model : Network, BinaryNeurons or DynamicNeurons
        Layers of binary neurons are `BinaryNeurons.layers`, spins in them in the order of their numbers.
    tolerance : float
        Largest absolute difference that still counts as equal.

    Returns
    -------
    TranslationSymmetry

    Raises
    ------
    TypeError, ValueError
        If the tolerance is not one number >= 0, or the model is none of these.

    See Also
    --------
    statnn.Network.repeated : a network that repeats one layer.
    statnn.rg.flow : renormalisation over layers that repeat.

    Notes
    -----
    [own]; H is the same in every layer of equal width (arXiv 2410.00396) where weights are free or repeat.
    For a network without any repetition, all pairs of its M layers are compared.

    References
    ----------
    Lee, Lee & Yi 2024.

    Examples
    --------
    >>> from statnn import Network
    >>> a, b = [[0.5]], [[2.0]]
    >>> symmetry = translation_symmetry(Network([[[1.0, 1.0]], a, b, a, b, a], activation="relu"))
    >>> symmetry.period, symmetry.layers, symmetry.repeats, symmetry.deviation
    (2, range(1, 6), 2.5, 0.0)
    """
    why = "it is the largest difference that counts as equal"
    allowed = single(tolerance, "tolerance", minimum=0, why=why, fix="it holds for all layers")
    steps, clamped = _steps(model)
    depth = len(steps)
    longest, best = 0, TranslationSymmetry(None, 0, 0, np.inf, depth, clamped)
    for period in range(1, depth // 2 + 1):
        if longest == depth:
            break
        apart = np.array(
            [_distance(steps[m], steps[m + period], float(allowed)) for m in range(depth - period)], dtype=float
        )
        for first, stop in _runs(apart <= float(allowed)):
            if stop - first >= period and stop - first + period > longest:
                longest = stop - first + period
                deviation = float(apart[first:stop].max())
                best = TranslationSymmetry(period, first, stop + period, deviation, depth, clamped)
    if longest:
        return best
    return TranslationSymmetry(None, 0, 0, _least_tolerance(steps), depth, clamped)


def _steps(model: Any) -> tuple[list[Step], tuple[str, ...]]:
    if isinstance(model, Network):
        return _network_steps(model, ("weights", "biases")), ()
    if isinstance(model, DynamicNeurons):
        compared = tuple(name for name in ("weights", "biases") if name not in model.free)
        return _network_steps(model.net, compared), ("inputs",) if model.targets is None else ("inputs", "targets")
    if isinstance(model, BinaryNeurons):
        return _binary_steps(model), ()
    raise TypeError(f"model is a {type(model).__name__}; pass a Network, BinaryNeurons or DynamicNeurons")


def _network_steps(net: Network, compared: tuple[str, ...]) -> list[Step]:
    numbers = list(zip(*(getattr(net, name) for name in compared), strict=True)) if compared else [()] * net.depth
    return [
        ((*weight.shape, sigma), arrays)
        for weight, sigma, arrays in zip(net.weights, net.activations, numbers, strict=True)
    ]


def _binary_steps(model: BinaryNeurons) -> list[Step]:
    steps: list[Step] = []
    for m, (below, above) in enumerate(pairwise(model.layers)):
        if model.blocks is not None:
            arrays: tuple[Any, ...] = (model.blocks[m], model.fields[above])
        else:
            rows = model.couplings[above]
            arrays = (rows[:, below], rows[:, above], model.fields[above])
        steps.append(((above.size, below.size), arrays))
    return steps


def _distance(step: Step, other: Step, enough: float) -> float:
    """Return the largest difference, exact up to `enough`; the first difference beyond that ends the search."""
    if step[0] != other[0]:
        return np.inf
    largest = 0.0
    for a, b in zip(reversed(step[1]), reversed(other[1]), strict=True):  # biases first: they are few
        if a is b:
            continue
        if sparse.issparse(a):
            largest = max(largest, float(abs(a - b).max()))
        else:
            with np.errstate(over="ignore"):  # infinite where it exceeds the range of float64
                difference: Any = np.abs(np.subtract(a, b, dtype=np.float64))
            largest = max(largest, float(difference[:1].max()))
            if largest <= enough:
                largest = max(largest, float(difference.max()))
        if largest > enough:
            break
    return largest


def _runs(close: Any) -> list[tuple[int, int]]:
    """Return first and stop of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], close, [False]]).astype(np.int8)))
    return [(int(first), int(stop)) for first, stop in edges.reshape(-1, 2)]


def _least_tolerance(steps: list[Step]) -> float:
    """Return the smallest tolerance at which two unit cells in a row are alike, for any period."""
    least = np.inf
    for period in range(1, len(steps) // 2 + 1):
        apart = np.array([_distance(steps[m], steps[m + period], least) for m in range(len(steps) - period)])
        least = min(least, float(np.lib.stride_tricks.sliding_window_view(apart, period).max(axis=1).min()))
    return least
