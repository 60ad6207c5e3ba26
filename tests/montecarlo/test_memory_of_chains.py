"""Chains take the room of their state and their couplings, and little more: peaks are counted, not resident pages."""

import gc
import tracemalloc

import numpy as np
import pytest
from scipy import sparse

from statnn.interaction import BinaryNeurons, square_lattice
from statnn.montecarlo import Blocks, HeatBath, MultiSpin, sample

SPARE = 1.2
MB = 10**6


def lattice(large):
    return square_lattice(*(2 * [512 if large else 32]), temperature=2.3)


def graph(large):
    size = 200_000 if large else 1000
    pairs = np.random.default_rng(1).integers(size, size=(3 * size, 2))
    pairs = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0)
    values = np.random.default_rng(2).normal(size=len(pairs))
    upper = sparse.coo_array((values, tuple(pairs.T)), shape=(size, size)).tocsr()
    return BinaryNeurons(upper + upper.T)


def layers(large):
    width = 1000 if large else 20
    rng = np.random.default_rng(3)
    return BinaryNeurons([rng.normal(scale=width**-0.5, size=(width, width)) for _ in range(4)])


def couplings(model):
    """Return the bytes of couplings, those of layers in both directions as every method needs them."""
    if model.blocks is not None:
        return 2 * sum(block.nbytes for block in model.blocks)
    return 16 * model.couplings.nnz + 8 * model.size  # a number and the place of a spin each, and where rows begin


def measured(make, method, chains):
    """Return peak and rest of a run beside its model, in units of its state and couplings."""
    sample(make(large=False), 2, chains=chains, burn_in=0, rng=1, method=method, observables=["energy"])  # compiles
    model = make(large=True)
    model.colours, model.layers  # noqa: B018 - the model's own
    needed = couplings(model) + model.size * chains
    assert needed > 10 * MB
    gc.collect()
    tracemalloc.start()
    try:
        run = sample(model, 2, chains=chains, burn_in=0, rng=1, method=method, observables=["energy"])
        rest, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert run.method == method
    return peak / needed, rest / needed


@pytest.mark.parametrize(
    ("make", "method", "chains"),
    [
        (lattice, MultiSpin("strips"), 1),
        (lattice, MultiSpin("strips"), 64),
        (lattice, HeatBath("colours"), 1),
        (lattice, HeatBath("replicas"), 64),
        (graph, HeatBath("replicas"), 64),
        (layers, Blocks("single"), 1),
        (layers, Blocks("replicas"), 256),
    ],
    ids=lambda value: getattr(value, "layout", getattr(value, "__name__", value)),
)
def test_chains_need_their_state_and_couplings(make, method, chains):
    assert measured(make, method, chains)[0] < SPARE


def test_a_chain_on_a_random_graph_keeps_its_couplings_in_the_order_of_visits():
    """Two plans, for updates and energies, are all it holds; making the second takes a third more for a moment."""
    peak, rest = measured(graph, HeatBath("colours"), 1)
    assert rest < SPARE
    assert peak < 1.6
