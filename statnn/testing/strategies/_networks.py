"""Small networks, with or without batch normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import hypothesis.extra.numpy as arrays_of
import numpy as np
from hypothesis import strategies as st

from statnn._arguments import switch
from statnn.network import ACTIVATIONS, Activation, BatchNorm, Network
from statnn.testing.strategies._numbers import REALS, sizes
from statnn.testing.strategies._shown import made


@st.composite
def networks(
    draw: st.DrawFn,
    *,
    width: tuple[int, int] = (1, 5),
    depth: tuple[int, int] = (1, 4),
    dtype: Any = np.float64,
    activations: Sequence[str | Activation] | st.SearchStrategy[Any] | None = None,
    normalised: bool = False,
) -> Network:
    """Networks with weights and biases in [-2, 2], including zeros.

    Parameters
    ----------
    width, depth : (int, int)
        Smallest and largest number of units in a layer, and of layers.
    dtype : type
        float64 or float32.
    activations : sequence, strategy or None
        Activations from which each layer draws its own; None for all of the package.
    normalised : bool
        Whether some layers have a batch normalisation.
    """
    if np.dtype(dtype) not in (np.float64, np.float32):
        raise ValueError(f"dtype = {np.dtype(dtype)}: networks are of float64 or float32")
    if isinstance(activations, str):
        raise TypeError(f"activations = {activations!r} is one name; give a list of them, [{activations!r}]")
    layers = draw(sizes("depth", depth))
    widths = [draw(sizes("width", width)) for _ in range(layers + 1)]
    weights = [draw(arrays_of.arrays(dtype, (n, m), elements=REALS)) for m, n in pairwise(widths)]
    biases = [draw(arrays_of.arrays(dtype, n, elements=REALS)) for n in widths[1:]]
    chosen = ACTIVATIONS if activations is None else activations
    each = chosen if isinstance(chosen, st.SearchStrategy) else st.sampled_from(list(chosen))
    parts = [weights, biases, [draw(each) for _ in weights]]
    if not switch(normalised, "normalised"):
        return made(Network, *parts)
    return made(Network, *parts, normalisations=[draw(st.none() | batch_norms(n, dtype=dtype)) for n in widths[1:]])


@st.composite
def batch_norms(draw: st.DrawFn, units: int, *, dtype: Any = np.float64) -> BatchNorm:
    """Batch normalisations of `units` units: means, γ and β in [-2, 2], variances in [0, 4], ε of 1e-5, 1e-3 or 1.

    Parameters
    ----------
    units : int
        Number of units.
    dtype : type
        float64 or float32.
    """
    mean, gamma, beta = (draw(arrays_of.arrays(dtype, units, elements=REALS)) for _ in range(3))
    variance = draw(arrays_of.arrays(dtype, units, elements=st.floats(0, 4, width=32)))
    return BatchNorm(mean, variance, gamma, beta, draw(st.sampled_from([1e-5, 1e-3, 1.0])))
