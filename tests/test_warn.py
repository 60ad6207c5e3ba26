"""Warnings name the line that asked, however deep in the package they are given."""

import warnings

import numpy as np
import pytest

from statnn import rg, sweep
from statnn.activation import BetaBernoulli, fit
from statnn.interaction import BinaryNeurons
from statnn.montecarlo import UntrustedEstimate, estimate, sample

RUN = sample(BinaryNeurons([[0, 1], [1, 0]], temperature=0.01), 40, rng=1)


def collapsed():
    depth, t = np.repeat([10.0, 20.0, 40.0], 9), np.tile(np.linspace(-1, 1, 9), 3)
    return rg.collapse([t], depth, depth * np.exp(t * depth / 20) * (1 + (t > 0)), 1e-3 * depth, bootstrap=20, rng=1)


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        (lambda: BetaBernoulli(1000, 0.3, 5.0).loss(10**7, lambda k: k % 7 == 0), RuntimeWarning),
        (lambda: fit([5, 5, 8, 2, 6, 4, 8, 3], 10, rng=0), RuntimeWarning),
        (collapsed, RuntimeWarning),
        (lambda: estimate(RUN.draws["energy"]), UntrustedEstimate),
        (lambda: RUN.estimate("energy"), UntrustedEstimate),
        (lambda: sweep(lambda name: RUN.estimate(name.lower()), {"name": ["ENERGY"]}), UntrustedEstimate),
    ],
)  # fmt: skip
def test_the_line_is_that_of_the_caller(asked, kind):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        asked()
    assert {(warning.filename, warning.category) for warning in caught} == {(__file__, kind)}
