"""All states of a few spins, and their probabilities by Boltzmann's law."""

from itertools import product

import numpy as np


def all_states(size):
    """Return all states, shape (2^N, N); state k has its bits as spins."""
    return np.array(list(product((-1, 1), repeat=size)))


def number(spins):
    """Return the number of a state in `all_states`."""
    return (np.asarray(spins) > 0) @ (1 << np.arange(np.shape(spins)[-1])[::-1])


def law(model):
    """Return all states of a model and their probabilities."""
    states = all_states(model.size)
    energy = model.energy(states)
    weight = np.exp((energy.min() - energy) / model.temperature)
    return states, weight / weight.sum()
