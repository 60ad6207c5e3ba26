"""Hypothesis strategies for the objects of this package: ordinary values, extreme ones, and ones that once broke code.

All take keyword arguments for sizes and shrink to readable examples: a failing example is printed as the call that
makes it, ``BinaryNeurons(array([[0., 1.], [1., 0.]]), ...)``; if its repr is a summary, the call is in a note below.
Ranges are given in each docstring.

The first call of a compiled function takes longer than the 200 ms that hypothesis allows an example: put
``@settings(deadline=None)`` on such tests, or load a profile without a deadline in ``conftest.py``::

    hypothesis.settings.register_profile("statnn", deadline=None)
    hypothesis.settings.load_profile("statnn")

Needs hypothesis: ``pip install "statnn[testing]"``.

Examples
--------
>>> from hypothesis import given
>>> from statnn.testing import strategies
>>> @given(strategies.binary_neurons(most=4))
... def test_energies_do_not_depend_on_the_temperature(model):
...     assert model.at(2.5).energy([1] * model.size) == model.energy([1] * model.size)
>>> test_energies_do_not_depend_on_the_temperature()
"""

try:
    import hypothesis  # noqa: F401 - what follows is made of it
except ImportError as error:
    raise ImportError('statnn.testing.strategies needs hypothesis: pip install "statnn[testing]"') from error

from statnn.testing.strategies._activations import activations, smooth_activations
from statnn.testing.strategies._activity import activity
from statnn.testing.strategies._couplings import couplings, graphs
from statnn.testing.strategies._layers import layers
from statnn.testing.strategies._models import binary_neurons, dynamic_neurons
from statnn.testing.strategies._networks import batch_norms, networks
from statnn.testing.strategies._numbers import decades, log_uniform, signed
from statnn.testing.strategies._processes import (
    activities,
    constants,
    counts,
    neurons,
    parameters,
    processes,
    samples,
    whole_samples,
)

__all__ = [
    "activations",
    "activities",
    "activity",
    "batch_norms",
    "binary_neurons",
    "constants",
    "counts",
    "couplings",
    "decades",
    "dynamic_neurons",
    "graphs",
    "layers",
    "log_uniform",
    "networks",
    "neurons",
    "parameters",
    "processes",
    "samples",
    "signed",
    "smooth_activations",
    "whole_samples",
]


def __dir__() -> list[str]:
    return __all__
