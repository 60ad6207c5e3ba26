"""Layers of every family of `statnn.rg`."""

from __future__ import annotations

import math
from typing import Any

import hypothesis.extra.numpy as arrays_of
import numpy as np
from hypothesis import strategies as st

from statnn._arguments import whole
from statnn.network import ACTIVATIONS
from statnn.rg import BinaryLayer, LinearLayer, NoisyLayer, RandomLayer, RepeatedLayer
from statnn.testing.strategies._numbers import Numbers, log_uniform, signed
from statnn.testing.strategies._shown import made

NEAR_ONE: Numbers = st.sampled_from([0.0, 1.0, -0.5]) | st.floats(-1.5, 1.5, width=32)
ANY_WIDTH = (LinearLayer, BinaryLayer)
FAMILIES = (*ANY_WIDTH, NoisyLayer, RepeatedLayer, RandomLayer)


def layers(family: type[Any] | None = None, *, width: int | None = None, largest: float = 3.0) -> Any:
    r"""Layers of a family, or of all of them.

    - `LinearLayer`: weights, biases and the root of the noise in [-1.5, 1.5], including zeros and ones
    - `BinaryLayer`: |J| from 0.01 to `largest`, at width 1 also from 1e-6, at others also 0; fields in [-1.5, 1.5]
    - `NoisyLayer`: a bounded activation, w in [-1.5, 1.5], b in [-1, 1], noise from 0.2 to 2
    - `RepeatedLayer`: any activation of the package, w and b in [-1.5, 1.5]
    - `RandomLayer`: a continuous activation with fast or closed-form averages, σ_w from 0.5 to 2, σ_b up to 1

    Parameters
    ----------
    family : class or None
        One of these; None for all.
    width : int or None
        Units of a layer, for linear layers and layers of spins; None for 1 to 3. Others are scalar or infinitely wide.
    largest : float
        The largest coupling of spins.

    Raises
    ------
    ValueError
        If there is no such family, its width cannot be chosen, or `largest` is below 0.01.
    """
    if family is None:
        return st.one_of(
            [layers(each, width=width, largest=largest) for each in FAMILIES if each in ANY_WIDTH or not width]
        )
    if family not in FAMILIES:
        raise ValueError(f"family = {family!r}; choose from {', '.join(each.__name__ for each in FAMILIES)}")
    if width is not None and family not in ANY_WIDTH:
        raise ValueError(f"width = {width}: layers of {family.__name__} have no width to choose")
    wide = st.integers(1, 3) if width is None else st.just(whole(width, "width", minimum=1))
    if not 0.01 <= largest < math.inf:
        raise ValueError(f"largest = {largest}: couplings must be finite and at least 0.01")
    if family is LinearLayer:
        return wide.flatmap(_linear)
    if family is BinaryLayer:
        return wide.flatmap(lambda n: _binary(n, largest))
    bounded = [sigma.name for sigma in ACTIVATIONS.values() if sigma.bounds is not None]
    if family is NoisyLayer:
        unit = st.sampled_from([0.0]) | st.floats(-1, 1, width=32)
        return st.builds(NoisyLayer, st.sampled_from(bounded), NEAR_ONE, unit, log_uniform(0.2, 2.0))
    if family is RepeatedLayer:
        return st.builds(RepeatedLayer, st.sampled_from(list(ACTIVATIONS)), NEAR_ONE, NEAR_ONE)
    quick = [sigma.name for sigma in ACTIVATIONS.values() if not sigma.flat and (sigma.averages or sigma.tanh)]
    return st.builds(
        RandomLayer, st.sampled_from(quick), log_uniform(0.5, 2.0), st.just(0.0) | st.floats(0, 1, width=32)
    )


@st.composite
def _linear(draw: st.DrawFn, wide: int) -> LinearLayer:
    square = arrays_of.arrays(np.float64, (wide, wide), elements=NEAR_ONE)
    weight, bias, root = draw(square), draw(arrays_of.arrays(np.float64, wide, elements=NEAR_ONE)), draw(square)
    return made(LinearLayer, weight, bias, root @ root.T)


@st.composite
def _binary(draw: st.DrawFn, wide: int, largest: float) -> BinaryLayer:
    strengths = signed(1e-2, largest) | (signed(1e-6, largest) if wide == 1 else st.just(0.0))
    couplings = draw(arrays_of.arrays(np.float64, (wide, wide), elements=strengths))
    f, g = (draw(arrays_of.arrays(np.float64, wide, elements=NEAR_ONE)) for _ in range(2))
    return made(BinaryLayer, couplings, f, inputs=g, constant=draw(NEAR_ONE))
