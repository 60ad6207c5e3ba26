"""Activations of one's own that return other numbers than float64."""

import numpy as np
import pytest

from statnn import rg
from statnn.network import Activation


@pytest.mark.parametrize("kind", ["int8", "float16", ">f8", "longdouble", "list"])
def test_values_of_other_types_are_computed_with_as_floats(kind):
    def hundred(h):
        values = np.where(h > 0, 100, -100)
        return values.tolist() if kind == "list" else values.astype(kind)

    sigma = Activation("hundred", hundred, np.zeros_like, kinks=[0.0])
    assert sigma([-2.0, 3.0]).dtype == np.float64
    assert sigma(np.float32([-2.0])).dtype == np.float32
    run = rg.RandomLayer(sigma, 1.2, 0.2).simulate(width=8, depth=2, replicas=3, rng=1)
    assert run.variance[:, 1:] == pytest.approx(1.44 * 100**2 + 0.04, rel=1e-14)  # 100² is 16 in int8
    smooth = Activation("tanh", lambda h: np.tanh(h.astype(np.longdouble)))
    law = rg.NoisyLayer(smooth, 0.5, 0.1, 0.4).stationary()
    assert law.variance == pytest.approx(rg.NoisyLayer("tanh", 0.5, 0.1, 0.4).stationary().variance, rel=1e-12)
