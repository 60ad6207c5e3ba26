"""Recorded activity, as the measures take it."""

from __future__ import annotations

from typing import Any

import hypothesis.extra.numpy as arrays_of
import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from statnn.testing.strategies._numbers import REALS, sizes


@st.composite
def activity(
    draw: st.DrawFn, *, samples: tuple[int, int] = (8, 60), neurons: tuple[int, int] = (1, 5), dtype: Any = np.float64
) -> NDArray[Any]:
    """Activity of shape (samples, neurons) in [-2, 2], with ties, and often a silent unit or one that never changes.

    Parameters
    ----------
    samples, neurons : (int, int)
        Smallest and largest number of each.
    dtype : type
        float64, float32, or bool for units that either fire or do not.
    """
    shape = draw(sizes("samples", samples)), draw(sizes("neurons", neurons))
    kind = np.dtype(dtype)
    if kind not in (np.float64, np.float32, np.bool_):
        raise ValueError(f"dtype = {kind}: activity is float64, float32 or bool")
    least = [-0.0, 5e-324] if kind == np.float64 else [-0.0]
    elements: st.SearchStrategy[Any] = st.booleans() if kind.kind == "b" else REALS | st.sampled_from(least)
    values = draw(arrays_of.arrays(kind, shape, elements=elements))
    constant = draw(st.none() | st.sampled_from([0, 1, -1]))
    if constant is not None:
        values[:, draw(st.integers(0, shape[1] - 1))] = constant
    return values
