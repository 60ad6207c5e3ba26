"""Activations and their derivatives inside kernels: their digits, also in the tails, and their readable twins."""

import mpmath
import numpy as np
import pytest
from scipy import special

from statnn.montecarlo._dynamic.elementwise_kernels import activate
from statnn.network import ACTIVATIONS

SMOOTH = [name for name in ACTIVATIONS if name != "sign"]
PRECISIONS = [np.float32, np.float64]


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("name", SMOOTH)
def test_activations_are_as_accurate_as_they_say(name, dtype):
    h = np.concatenate([np.linspace(-30, 30, 40_001), np.geomspace(1e-30, 1, 999)]).astype(dtype).reshape(8, -1)
    sigma, bias = ACTIVATIONS[name], np.linspace(-1, 1, 8).astype(dtype)
    values, slopes = h.copy(), np.empty_like(h)
    activate(sigma.kernel[0], dtype(sigma.slope), values, bias, slopes)
    exact = (h + bias[:, None]).astype(float)
    function = {"tanh": np.tanh, "erf": special.erf, "sigmoid": special.expit}.get(name, sigma)
    relative = np.abs(values - function(exact)) / np.maximum(np.abs(function(exact)), 1e-30)
    tolerance = {np.float32: 4e-7, np.float64: 2e-15}[dtype]
    assert relative.max() < tolerance
    assert np.abs(slopes - sigma.derivative(exact)).max() < tolerance


LATER = ["gelu", "gelu tanh", "silu", "softplus", "sin"]
TAILS = np.concatenate(
    [np.linspace(-36, 36, 41), np.geomspace(-700, -1, 23), np.geomspace(-1, -1e-300, 19), [0.0, 1e5]]
)


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("name", LATER)
def test_activations_keep_their_digits_in_the_tails(name, dtype):
    """To a few units in the last place, down to 1e-285, below which exponentials are cut."""
    sigma, h = ACTIVATIONS[name], TAILS.astype(dtype)[None]
    values, slopes = h.copy(), np.empty_like(h)
    activate(*sigma.kernel, values, np.zeros(1, dtype), slopes)
    with mpmath.workdps(650):
        points = [mpmath.mpf(float(x)) for x in h[0]]
        truth = [sigma.exactly(x) for x in points], [mpmath.diff(sigma.exactly, x) for x in points]
        beside_zeros = (h[0] > -2) & (h[0] < -0.5)  # of the slope
        for computed, exact in zip((values[0], slopes[0]), truth, strict=True):
            error = np.array([float(abs(mpmath.mpf(float(a)) - b)) for a, b in zip(computed, exact, strict=True)])
            size = np.array([float(abs(b)) for b in exact])
            allowed = 12 * np.spacing(size.astype(dtype)).astype(float) + 1e-285
            assert (error <= allowed + np.finfo(dtype).eps / 4 * beside_zeros).all()


def test_fields_of_later_activations_that_leave_the_exponential():
    for name in LATER[:-1]:
        h = np.array([[-1e300, -1e4, -745.0, 745.0, 1e4, 1e300]])
        values, slopes = h.copy(), np.empty_like(h)
        activate(*ACTIVATIONS[name].kernel, values, np.zeros(1), slopes)
        assert np.abs(values[0, 1:3]).max() < 1e-290
        assert np.abs(slopes[0, :3]).max() < 1e-290
        assert np.array_equal(values[0, 3:], h[0, 3:])
        assert np.array_equal(slopes[0, 3:], np.ones(3))


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("name", SMOOTH)
def test_activations_are_their_twins_bit_for_bit(name, dtype, rng):
    h = (3 * rng.normal(size=(4, 150))).astype(dtype)
    bias, slope = rng.normal(size=4).astype(dtype), dtype(ACTIVATIONS[name].slope)
    results = []
    for version in (activate, activate.py_func):
        values, slopes = h.copy(), np.empty_like(h)
        version(ACTIVATIONS[name].kernel[0], slope, values, bias, slopes)
        results.append((values, slopes))
    assert np.array_equal(results[0], results[1])
