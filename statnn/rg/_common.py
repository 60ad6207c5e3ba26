"""Shared by all layers: parameters as arrays, and many layers composed into one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from statnn._arguments import Floats, refuse_several, whole
from statnn._arrays import real as finite_reals
from statnn._labelled import refuse_other_order
from statnn._memory import refuse_beyond_memory
from statnn._random import root, stream

Layer = TypeVar("Layer")

LARGEST = 1e150
"""Scale of weights, biases and noise beyond which squares overflow."""
MOST_LAYERS = 10**18
DEEPEST = 10**6
"""Largest number of layers simulated one by one."""


def depth(m: Any) -> int:
    """Return the number of layers m as int, or raise."""
    try:
        return whole(m, "m", minimum=1, maximum=MOST_LAYERS)
    except ValueError:
        raise ValueError(
            f"m = {m} layers cannot be composed: m is a whole number from 1 to {MOST_LAYERS:.0e}; no layer at all is "
            "the identity, which has neither noise nor finite couplings"
        ) from None


def entries(letter: str, width: int) -> tuple[str, ...]:
    """Return the names of the entries of a square matrix, row by row, with a comma if indices have two digits."""
    comma = "," if width > 10 else ""
    return tuple(f"{letter}{i}{comma}{j}" for i in range(width) for j in range(width))


def refuse_unless_square(layer: Any, what: str) -> None:
    """Raise if a layer is not square and so cannot be repeated."""
    outputs, inputs = layer.shape
    if outputs != inputs:
        raise ValueError(f"a layer of {inputs} inputs and {outputs} outputs cannot be {what}; equal widths are needed")


def refuse_misfit(below: Any, above: Any) -> None:
    """Raise if a layer does not take as many inputs as the one below has outputs."""
    if above.shape[1] != below.shape[0]:
        raise ValueError(
            f"the layer above takes {above.shape[1]} inputs but this one has {below.shape[0]} outputs; in "
            "first.compose(second) the left one acts first"
        )


def power(layer: Layer, m: Any) -> Layer:
    """Return m equal layers as one in at most 2 log2(m) compositions: binary digits of m, from the lowest.

    Examples
    --------
    >>> from statnn.rg import LinearLayer
    >>> power(LinearLayer(0.5, 0.0, 0.75), 10).noise_covariance  # 1 - 4^-10, as the stationary variance is 1
    array([[0.99999905]])
    """
    left = depth(m)
    square: Any = layer
    result: Any = None
    while True:
        if left & 1:
            result = square if result is None else result.compose(square)
        left >>= 1
        if not left:
            return result  # type: ignore[no-any-return]
        square = square.compose(square)


def simulated(
    start: Floats,
    layers: Any,
    rng: int | np.random.Generator | None,
    layer: Callable[[Floats, Floats], Floats],
    regime: str,
    *,
    units: int,
) -> Floats:
    """Return the path of h' = layer(h, ξ), ξ standard Gaussian in the shape of h: (replicas, layers + 1, units).

    The last `units` axes of `start` are those of one layer; the axes before them are replicas.
    """
    deep = whole(layers, "depth", minimum=1, maximum=DEEPEST)
    seed = root(rng)
    refuse_beyond_memory(
        8.0 * (deep + 1) * start.size, f"{deep} layers of {start.size} signals", "take fewer layers or replicas"
    )
    path = np.empty((deep + 1, *start.shape))  # written layer by layer, contiguously; axes move at the end
    path[0] = start
    with np.errstate(over="ignore", invalid="ignore"):
        for m in range(deep):
            path[m + 1] = layer(path[m], stream(seed, m).standard_normal(start.shape))
    if not np.isfinite(path[-1]).all():
        raise ValueError(
            f"signals exceed the range of float64 within {deep} layers, as the layer is {regime}: ask for fewer layers"
        )
    return np.moveaxis(path, 0, start.ndim - units)


def real(values: Any, name: str) -> Floats:
    """Return values as float64 array of finite real numbers, or raise."""
    refuse_other_order(values, name, values, "its own columns", (0, 1))
    return finite_reals(values, name, None).astype(np.float64)


def number(value: Any, name: str, *, fix: str = "give one") -> float:
    """Return one finite real number as float, or raise."""
    refuse_several(value, name, fix=fix)
    return float(real(value, name))


def eigenvalue_errors(first: Any, overlap: Any, norm: float, wrong: float, size: int) -> Any:
    """Return errors of eigenvalues to first order in the errors of a matrix, weighted by the eigenvectors.

    These are `first` over the overlap of left and right eigenvector, which is small where eigenvectors are nearly
    parallel; at most Elsner's bound (1985), a root of high order of the error `wrong`, which holds even for a defective
    matrix.
    """
    most = (2 * norm + wrong) ** (1 - 1 / size) * wrong ** (1 / size)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.fmin(np.asarray(first) / overlap, most)
