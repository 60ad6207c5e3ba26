"""Single numbers as arguments: what is no number is refused in words, by everything that asks for one."""

import numpy as np
import pytest

from statnn import rg
from statnn.activation import GammaPoisson, fit
from statnn.measure.spikes import statistics

FIT = fit([0, 0, 1, 0, 2, 0, 0, 14, 3, 0, 40, 0, 1, 0, 0, 0], 100, rng=1)
SPIKES = statistics(np.random.default_rng(1).normal(size=(60, 3)), window=5)
SHARES = {
    "interval": lambda level: FIT.interval("b", level),
    "rejected": lambda level: SPIKES.test("binomial").rejected(level),
    "band": lambda level: GammaPoisson(5, 1.0, 1.0).simulate([1, 3], replicas=3, rng=1).plot(level=level),
}


@pytest.mark.parametrize("name", SHARES)
def test_levels_are_numbers_between_0_and_1(name):
    for level in (0, 1, -0.1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=r"level = .* must lie between 0 and 1"):
            SHARES[name](level)
    for level in ("0.5", None, True, np.array([0.1, 0.2]), 0.5j):
        with pytest.raises(TypeError, match=r"level = .* one number between 0 and 1 is needed"):
            SHARES[name](level)
    SHARES[name](np.float32(0.5))


@pytest.mark.parametrize(
    ("m", "error"), [("3", TypeError), (float("nan"), ValueError), (0.5, ValueError), (0, ValueError)]
)
def test_a_law_of_depth_wants_layers(m, error):
    with pytest.raises(error, match=r"m = .* the law is one for many layers"):
        rg.criticality("tanh").variance(m)


@pytest.mark.parametrize("given", [(k for k in (0, 1, 2)), {5: 0, 6: 3}.values(), map(int, "012"), {0, 1}])
@pytest.mark.parametrize("call", [lambda x: fit(x, 5), statistics, GammaPoisson(9, 1.0, 1.0).working, rg.LinearLayer])
def test_entries_that_come_one_by_one_are_wanted_as_a_list(call, given):
    """To numpy they are one object: a message on its "shape ()" or on ".astype(int)" would say nothing."""
    with pytest.raises(TypeError, match="whose entries numpy does not take one by one: pass a list of them"):
        call(given)
