"""Interacting models: spins on any graph, and networks whose neurons fluctuate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import hypothesis.extra.numpy as arrays_of
import numpy as np
from hypothesis import strategies as st

from statnn._arguments import switch, whole
from statnn.interaction import BinaryNeurons, DynamicNeurons, Prior
from statnn.network import Network
from statnn.testing.strategies._couplings import KINDS, couplings
from statnn.testing.strategies._networks import networks
from statnn.testing.strategies._numbers import REALS, chosen, log_uniform
from statnn.testing.strategies._shown import made

TEMPERATURES = st.sampled_from([1.0, 1e-4, 1e-2, 1e4]) | log_uniform(0.1, 30.0)
FREE = (("neurons",), ("neurons", "biases"), ("neurons", "weights"), ("neurons", "weights", "biases"))


@st.composite
def binary_neurons(
    draw: st.DrawFn,
    kinds: Sequence[str] = KINDS,
    *,
    most: int = 12,
    signs: bool | None = None,
    fields: bool | None = None,
    temperatures: st.SearchStrategy[float] | None = None,
) -> BinaryNeurons:
    """Spins with `couplings`, and fields in [-3, 3].

    Parameters
    ----------
    kinds, most, signs
        As in `couplings`.
    fields : bool or None
        Whether there are fields; None for either.
    temperatures : strategy or None
        None for 0.0001, 0.01, 10 000, and from 0.1 to 30.
    """
    J = draw(couplings(kinds, most=most, signs=signs))
    size = J[0].shape[1] + sum(len(block) for block in J) if isinstance(J, list) else len(J)
    given = draw(st.booleans()) if fields is None else switch(fields, "fields")
    elements = st.sampled_from([0.0, 1.0, -0.5]) | st.floats(-3, 3, width=32)
    h = draw(arrays_of.arrays(np.float64, size, elements=elements)) if given else None
    return made(BinaryNeurons, J, h, draw(chosen(temperatures, "temperatures", TEMPERATURES)))


@st.composite
def dynamic_neurons(
    draw: st.DrawFn,
    net: st.SearchStrategy[Network] | None = None,
    *,
    samples: int = 3,
    free: Sequence[Sequence[str]] = FREE,
    targets: bool | None = None,
) -> DynamicNeurons:
    """Networks with neurons that fluctuate: β and λ from 0.01 to 100, deviations of priors from 0.1 to 10.

    Parameters
    ----------
    net : strategy or None
        Strategy for the network; None for `networks` of at most 3 layers of at most 4 units.
    samples : int
        The largest number of samples.
    free : sequence of sequences of str
        Possible choices of the fluctuating variables; one is drawn.
    targets : bool or None
        Whether there are targets; None for either.
    """
    if any(isinstance(names, str) for names in free):
        raise TypeError(f"free = {free!r} is one choice; give a list of choices, [{free!r}]")
    drawn: Any = draw(chosen(net, "net", networks(width=(1, 4), depth=(1, 3))))
    number = draw(st.integers(1, whole(samples, "samples", minimum=1)))
    moving = draw(st.sampled_from([tuple(names) for names in free]))
    given = draw(st.booleans()) if targets is None else switch(targets, "targets")
    inputs = draw(arrays_of.arrays(drawn.dtype, (number, drawn.widths[0]), elements=REALS))
    wanted = draw(arrays_of.arrays(drawn.dtype, (number, drawn.widths[-1]), elements=REALS)) if given else None
    prior = draw(st.builds(Prior, log_uniform(0.1, 10.0), log_uniform(0.1, 10.0))) if len(moving) > 1 else None
    strengths = st.sampled_from([1.0]) | log_uniform(1e-2, 1e2)
    beta, stiffness = draw(strengths), draw(strengths)
    return made(DynamicNeurons, drawn, inputs, wanted, beta, stiffness, free=moving, prior=prior)
