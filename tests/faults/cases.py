"""A model and a short run of every sampling method."""

from functools import cache

import numpy as np

from statnn import Network
from statnn._archive import pace
from statnn.interaction import BinaryNeurons, DynamicNeurons, square_lattice
from statnn.montecarlo import METHODS, sample

SWEEPS, BURN_IN = 60, 40


@cache
def models():
    """Return a model for every sampling method."""
    draw = np.random.default_rng(5)
    couplings = draw.normal(size=(12, 12))
    couplings = np.triu(couplings, 1) + np.triu(couplings, 1).T
    net = Network.random([4, 6, 2], activation="tanh", sigma_b=0.1, rng=0)
    x = draw.normal(size=(6, 4))
    return {
        "ancestral": DynamicNeurons(net, x),
        "blocks": BinaryNeurons([couplings[:6, 6:], couplings[6:, :6]]),
        "hamiltonian": DynamicNeurons(net, x, np.zeros((6, 2)), free=("weights", "neurons")),
        "heat bath": BinaryNeurons(couplings),
        "metropolis": BinaryNeurons(couplings),
        "multispin": square_lattice(8, 8, temperature=3.0),
        "tempering": BinaryNeurons(couplings),
        "wolff": BinaryNeurons(abs(couplings), temperature=9.0),
    }


def spread(states):
    """An observable of a user's own."""
    return states.std(axis=1)


def run(method, **options):
    """Return a short run, with an observable of one's own."""
    names = METHODS[method].observables
    observables = {**dict(zip(names, names, strict=True)), "spread": spread}
    return sample(
        models()[method], SWEEPS, chains=3, burn_in=BURN_IN, rng=1, method=method, observables=observables,
        progress=False, **options,
    )  # fmt: skip


def restless():
    """Have checkpoints follow each other without a pause."""
    pace.EVERY, pace.SHARE = 0.0, np.inf
