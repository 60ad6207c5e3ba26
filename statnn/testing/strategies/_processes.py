"""Activation processes, their parameters, and recorded counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import hypothesis.extra.numpy as arrays_of
import numpy as np
from hypothesis import strategies as st

from statnn._arguments import Ints, switch, whole
from statnn.activation import BetaBernoulli, GammaPoisson, PolyaUrn
from statnn.testing.strategies._numbers import Numbers, decades, log_uniform

LEAST_B, MOST_B = 1e-3, 10.0
MOST_NEURONS = 10**12
MOST_SAMPLES = 10**18
KINDS: tuple[type[Any], ...] = (BetaBernoulli, GammaPoisson, PolyaUrn)


@cache
def neurons(most: int = MOST_NEURONS) -> st.SearchStrategy[int]:
    """Numbers of neurons N, from 2 to `most`.

    Parameters
    ----------
    most : int
        The largest, at least 2.
    """
    whole(most, "most", minimum=2, maximum=10**300)
    return decades(2, most) | st.sampled_from([2, min(3, most), most])


@cache
def constants() -> Numbers:
    """Constants b of the stable activation probability hypothesis, from 0.001 to 10."""
    return st.sampled_from([1.0, 0.5, 2.0, LEAST_B, MOST_B]) | log_uniform(LEAST_B, MOST_B)


@cache
def samples() -> Numbers:
    """Real numbers of samples D, 0 or from 1e-250 to 1e18; results for the smallest are still normal floats."""
    corners = [0.0, 1.0, 1e-250, math.nextafter(1.0, 0.0), math.nextafter(1.0, 2.0), 1e18]
    return whole_samples().map(float) | log_uniform(1e-9, 1e18) | st.sampled_from(corners)  # shrinks to the first


@cache
def whole_samples(most: int = MOST_SAMPLES) -> st.SearchStrategy[int]:
    """Whole numbers of samples D, from 0 to `most`.

    Parameters
    ----------
    most : int
        The largest, at least 1.
    """
    whole(most, "most", minimum=1, maximum=10**300)
    return decades(1, min(20, most)) | decades(1, most) | st.sampled_from([0, 1, most])


def activities(N: int) -> Numbers:
    """Values of c in (0, N): tiny, ordinary, and one rounding below N, where digits are lost.

    Parameters
    ----------
    N : int
        Number of neurons.
    """
    corners = [N / 2, N * (1 - 1e-4), 1e-12, N * (1 - 1e-12), math.nextafter(N, 0.0)]  # shrinks to the first
    return st.sampled_from(corners) | log_uniform(1e-12, N / 2) | log_uniform(1e-12, 0.5).map(lambda gap: N * (1 - gap))


@st.composite
def parameters(draw: st.DrawFn, most: int = MOST_NEURONS) -> tuple[int, float, float]:
    """Parameters (N, b, c) with 0 < c < N, which all processes take.

    Parameters
    ----------
    most : int
        The largest N.
    """
    N = draw(neurons(most))
    return N, draw(constants()), draw(activities(N))


@st.composite
def processes(
    draw: st.DrawFn, kinds: Sequence[type[Any]] = KINDS, *, most: int = MOST_NEURONS, whole: bool = False
) -> Any:
    """Activation processes without a start.

    Parameters
    ----------
    kinds : sequence of classes
        Among `BetaBernoulli`, `GammaPoisson` and `PolyaUrn`.
    most : int
        The largest number of neurons.
    whole : bool
        Whether the urn has a whole number c <= 3 of events per sample, so that its laws and simulations take any D. If
        not, its c is drawn like that of the others.
    """
    kind = draw(st.sampled_from(list(kinds)))
    N, b, c = draw(parameters(most))
    if switch(whole, "whole") and issubclass(kind, PolyaUrn):
        c = float(draw(st.integers(1, 3)))
    return draw(st.builds(kind, st.just(N), st.just(b), st.just(c)))


@st.composite
def counts(draw: st.DrawFn, *, neurons: int = 40, samples: int = 10**6) -> tuple[Ints, int]:
    """Pairs (counts, samples) of a recording: D_i of 2 to `neurons` neurons, none above D samples.

    They include neurons that never worked or worked in every sample, and recordings in which no neuron or only one did.

    Parameters
    ----------
    neurons, samples : int
        The largest numbers; at least 2 neurons and at least 1 sample.
    """
    D = draw(decades(1, whole(samples, "samples", minimum=1)))
    size = draw(st.integers(2, whole(neurons, "neurons", minimum=2)))
    count = st.sampled_from([0, 1, D]) | st.integers(0, D)
    kind = draw(st.sampled_from(["any", "none", "one", "all"]))
    if kind == "any":
        return draw(arrays_of.arrays(np.int64, size, elements=count)), D
    values = np.full(size, D if kind == "all" else 0, dtype=np.int64)
    if kind == "one":
        values[draw(st.integers(0, size - 1))] = D
    return values, D
