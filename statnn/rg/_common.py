"""What all layers share: parameters as arrays, and many layers as one."""

from typing import Any, TypeVar

import numpy as np

from statnn._arguments import Floats, whole
from statnn._arrays import real as finite_reals

Layer = TypeVar("Layer")

MOST_LAYERS = 10**18
DEEPEST = 10**6
"""Layers that are simulated one by one."""


def depth(m: Any) -> int:
    """Return the number of layers m as int, or raise."""
    try:
        return whole(m, "m", minimum=1, maximum=MOST_LAYERS)
    except ValueError:
        raise ValueError(
            f"m = {m} layers cannot be composed: m is a whole number from 1 to {MOST_LAYERS:.0e}; no layer at all is "
            "the "
            "identity, which has neither noise nor finite couplings"
        ) from None


def power(layer: Layer, m: Any) -> Layer:
    """Return m equal layers as one in at most 2 log2(m) compositions: binary digits of m, from the lowest.

    Examples
    --------
    >>> from statnn.rg import LinearLayer
    >>> power(LinearLayer(0.5, 0.0, 0.75), 10).noise  # 1 - 4^-10, as the stationary variance is 1
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


def real(values: Any, name: str) -> Floats:
    """Return values as float64 array of finite real numbers, or raise."""
    return finite_reals(values, name, None).astype(np.float64)
