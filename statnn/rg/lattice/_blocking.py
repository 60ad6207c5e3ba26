r"""Coarse-graining of recorded activity: fewer layers, and fewer sites in them.

Arrays have shape (replicas, layers), (replicas, layers, width) or (replicas, layers, width, width), for any kind of
record: spins of a Monte Carlo run, or the activations of a network with layers of equal width. Layers are axis 1. Axes
inside a layer are axes of a lattice; if units of a layer have no order, coarse-grain across layers only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statnn._arguments import Floats, array_of, as_floats, whole
from statnn._random import Root, root, stream
from statnn._xoshiro import words
from statnn.rg.lattice import _blocking_kernels as kernels

LARGEST_BLOCK = 2**31 - 1
"""Most sites of a block: their sum is kept in 32 bits."""
BAND = 4096
"""Sites of a band of rows; a band is at least one row of blocks."""
_SHAPES = "(replicas, layers), (replicas, layers, width) or (replicas, layers, width, width)"


class Blocks(NamedTuple):
    """A lattice of blocks with three axes, the missing ones in front."""

    shape: tuple[int, int, int, int]
    """(replicas, blocks along each axis)."""
    factors: tuple[int, int, int]
    """Sites along each axis of a block."""
    result: tuple[int, ...]
    """The shape of the result, as the user sees it."""


def decimate(states: ArrayLike, b: int, *, axes: Sequence[int] | int = 1) -> NDArray[Any]:
    r"""Return every b-th layer, s'_m = s_{bm}: the others are summed over.

    Parameters
    ----------
    states : array_like, shape (replicas, layers), (replicas, layers, width) or (replicas, layers, width, width)
        Recorded activity: real numbers of any type, or booleans.
    b : int
        Scale factor >= 2 that divides the length of every axis in `axes`.
    axes : int or sequence of int
        Axes that are thinned out; by default 1, the layers.

    Returns
    -------
    ndarray
        A copy with 1/b of the entries along each of the axes.

    Raises
    ------
    TypeError, ValueError
        If `b` is not a whole number >= 2 or does not divide an axis, the array has no axis of layers or entries that
        are not real numbers, or the entries kept hold ``NaN`` or infinity.

    See Also
    --------
    block_spins, block_means : keep more of a block.

    Notes
    -----
    [exact] For spins in a chain, K' with tanh K' = tanh^b K is the coupling of the remaining spins.

    Examples
    --------
    >>> decimate([[0, 1, 2, 3]], 2)
    array([[0, 2]])
    """
    array = recorded(states)
    blocks = lattice(array.shape, b, axes)
    kept: NDArray[Any] = array[(slice(None), *(slice(None, None, f) for f in blocks.factors[4 - array.ndim :]))]
    if kept.dtype.kind == "f" and not np.isfinite(kept).all():
        raise ValueError(f"states hold {kept[~np.isfinite(kept)][0]}; what is kept must be finite numbers")
    return kept.copy()


def block_spins(
    states: ArrayLike,
    b: int,
    *,
    axes: Sequence[int] | int | None = None,
    rng: int | np.random.Generator | None = None,
    first: int = 0,
) -> NDArray[np.int8]:
    r"""Return the majority of every block of spins: s' = sign Σ s, a fair coin where the sum is 0.

    Parameters
    ----------
    states : array_like, shape (replicas, layers), (replicas, layers, width) or (replicas, layers, width, width)
        Spins ±1; an int8 array is read in place.
    b : int
        Scale factor >= 2 that divides the length of every axis in `axes`.
    axes : int or sequence of int, optional
        Axes that are blocked; all but the replicas when None. ``axes=1`` takes the majority across layers,
        ``axes=2`` inside every layer.
    rng : int, numpy.random.Generator or None
        Seed of the coins; fresh entropy when None. An int gives the same coins in every call, and so, inside an
        observable of a run, in every draw: there, pass a Generator made outside of the observable.
    first : int
        Number of the first replica: the coins of replica k depend only on `rng` and k, so that chunks of replicas, each
        with the same int as `rng`, give the same rows as all replicas together.

    Returns
    -------
    ndarray of int8
        Spins with 1/b of the entries along each of the axes.

    Raises
    ------
    TypeError, ValueError
        If an entry is not ±1, `b` is not a whole number >= 2 or does not divide an axis, or there is no axis of layers.

    See Also
    --------
    block_means : for real numbers.
    decimate : every b-th layer.
    sample_flow : all levels at once.

    Notes
    -----
    [exact] The sum over s at given s' of p(s) P(s'|s) is the law of s': it is normalised, whatever the tie rule, and
    fair coins keep the symmetry under s → -s.

    Examples
    --------
    >>> block_spins([[1, 1, 1, -1, -1, -1]], 3)
    array([[ 1, -1]], dtype=int8)
    """
    array = recorded(states)
    number = whole(first, "first", minimum=0)
    blocks = lattice(array.shape, b, axes)
    key = coin_key(root(rng))
    return majority(spins_of(array), blocks, key, np.arange(number, number + array.shape[0]))


def block_means(activity: ArrayLike, b: int, *, axes: Sequence[int] | int | None = None) -> Floats:
    r"""Return the mean of every block, h' = b^-d Σ h, for activations that are real numbers.

    Parameters
    ----------
    activity : array_like, shape (replicas, layers), (replicas, layers, width) or (replicas, layers, width, width)
        Finite real numbers.
    b : int
        Scale factor >= 2 that divides the length of every axis in `axes`.
    axes : int or sequence of int, optional
        Axes that are blocked; all but the replicas when None.

    Returns
    -------
    ndarray of float64
        Means; ``np.where(h > 0, 1, -1)`` makes them spins.

    Raises
    ------
    TypeError, ValueError
        If an entry is not finite, `b` is not a whole number >= 2 or does not divide an axis, or there is no axis of
        layers.

    See Also
    --------
    block_spins : for spins, by majority.
    decimate : every b-th layer.

    Examples
    --------
    >>> block_means([[0.0, 1.0, 2.0, 4.0]], 2)
    array([[0.5, 3. ]])
    """
    array = recorded(activity, "activity")
    blocks = lattice(array.shape, b, axes)
    values = np.ascontiguousarray(array, dtype=np.float64)
    out = np.empty(blocks.result)
    with np.errstate(over="ignore", invalid="ignore"):  # overflow is found below
        kernels.means(values.reshape(-1), blocks.shape, blocks.factors, *_scratch(blocks, np.float64), out.reshape(-1))
    if not np.isfinite(out).all():
        bad = values[~np.isfinite(values)]
        what = f"holds {bad[0]}" if bad.size else "holds numbers whose sum exceeds the range of float64"
        raise ValueError(f"activity {what}; means need finite numbers")
    return out


def lattice(shape: tuple[int, ...], b: int, axes: Sequence[int] | int | None) -> Blocks:
    """Return the lattice of blocks of an array of this shape, or raise."""
    scale = whole(b, "b", minimum=2, maximum=LARGEST_BLOCK)
    every = tuple(range(1, len(shape)))
    chosen = chosen_axes(axes, every)
    for axis in chosen:
        if whole(axis, "an axis", minimum=0) not in every:
            raise ValueError(
                f"axis {axis} cannot be blocked: axis 0 holds replicas, layers are axis 1, and the array has "
                f"{len(shape)} axes"
            )
        if shape[axis] % scale:
            raise ValueError(
                f"axis {axis} has length {shape[axis]}, which b = {scale} does not divide: leave out the last "
                f"{shape[axis] % scale} or take another b"
            )
    if not chosen or len(set(chosen)) != len(chosen):
        raise ValueError(f"axes = {axes!r} must name at least one axis and each only once")
    factors = [scale if axis in chosen else 1 for axis in every]
    if math.prod(factors) > LARGEST_BLOCK:
        raise ValueError(f"b = {scale} makes blocks of more than {LARGEST_BLOCK} sites")
    smaller = [length // f for length, f in zip(shape[1:], factors, strict=True)]
    lead = (1,) * (3 - len(every))
    return Blocks((shape[0], *lead, *smaller), (*lead, *factors), (shape[0], *smaller))  # type: ignore[arg-type]


def chosen_axes(axes: Sequence[int] | int | None, every: tuple[int, ...]) -> tuple[Any, ...]:
    """Return the named axes, one or several, or all."""
    return every if axes is None else tuple(np.ravel(axes).tolist()) if array_of(axes, "axes").ndim else (axes,)


def coin_key(seed: Root, *chain: int) -> np.uint64:
    """Return the key of the coins of a seed, or of one of its chains."""
    key: np.uint64 = words(stream(seed, *chain))[0]
    return key


def majority(
    spins: NDArray[np.int8], blocks: Blocks, key: np.uint64 | NDArray[np.uint64], numbers: NDArray[np.int64]
) -> NDArray[np.int8]:
    """Return the majority of blocks of a contiguous array, or raise.

    Replicas have a key each or share one; coins begin after those of the `numbers` (replicas,) lattices before.
    """
    most = math.prod(blocks.factors) + 1  # a sum plus its coin
    _, total = _scratch(blocks, next(kind for kind in (np.int8, np.int16, np.int32) if most <= np.iinfo(kind).max))
    across = np.empty(total.size * blocks.factors[2], dtype=np.int8)
    coins = np.empty(9 * (total.size // 64 + 2), dtype=np.uint64)
    out = np.empty(blocks.result, dtype=np.int8)
    first = numbers.astype(np.uint64) * np.uint64(math.prod(blocks.result[1:]))
    keys = np.full(len(spins), key, dtype=np.uint64)
    foreign = kernels.majority(
        spins.reshape(-1), blocks.shape, blocks.factors, keys, first, across, total, coins, out.reshape(-1)
    )
    if foreign:
        _refuse(spins, np.abs(spins) != 1)
    return out


def _scratch(blocks: Blocks, dtype: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return room for a band of rows and for the sums of its blocks."""
    _, _, rows, length = blocks.shape
    _, f1, f2 = blocks.factors
    band = min(rows, max(1, BAND // (f1 * length * f2)))
    return np.empty(band * f1 * length, dtype=dtype), np.empty(band * length, dtype=dtype)


def spins_of(array: NDArray[Any]) -> NDArray[np.int8]:
    """Return a contiguous int8 array; entries of an int8 array are checked later, by `majority`."""
    if array.dtype != np.int8:
        refuse_foreign(array)
    return np.ascontiguousarray(array, dtype=np.int8)


def refuse_foreign(array: NDArray[Any]) -> None:
    """Raise if an entry is not ±1."""
    bad = (array != 1) & (array != -1)
    if bad.any():
        _refuse(array, bad)


def _refuse(array: NDArray[Any], bad: NDArray[np.bool_]) -> None:
    where = np.unravel_index(int(np.argmax(bad)), bad.shape)
    raise ValueError(
        f"states[{', '.join(map(str, where))}] = {array[where]} is not a spin: a majority needs -1 and +1; write 2 * s "
        "- 1 for neurons that are 0 or 1, np.where(h > 0, 1, -1) for the signs of activations, or take block_means"
    )


def recorded(states: ArrayLike, name: str = "states") -> NDArray[Any]:
    """Return recorded activity as an array with replicas and layers, or raise."""
    if not hasattr(states, "__array__") and (hasattr(states, "adj") or hasattr(states, "energy")):  # a graph, a model
        raise TypeError(
            f"{name} is a {type(states).__name__}; recorded activity, on a lattice, is needed. Blocks of a "
            "graph are groups of its nodes that you choose: np.sign(spins[:, nodes].sum(axis=1)) for each, of odd size"
        )
    array = array_of(states, name)
    if array.ndim not in (2, 3, 4):
        raise ValueError(
            f"{name} has shape {array.shape}; {_SHAPES} is needed: add the axis of replicas with {name}[None], and "
            "one of layers where a single layer was recorded"
        )
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold real numbers, not {array.dtype}{as_floats(array, name)}")
    if not array.size:
        raise ValueError(f"{name} has shape {array.shape}: there is nothing to coarse-grain")
    return array
