"""Noisy layers with a kink, or steeper than their noise, against sums over panels that end or narrow there."""

import numpy as np
import pytest
from scipy import optimize, stats

from statnn import rg
from statnn.network import Activation, leaky_relu


def nearest_of_two_layers(slope, w, b, noise, start):
    """Return weight and bias of the layer nearest to two, where both conditions for a least mean square hold.

    The mean of two layers is known in closed form, and panels of sums end at every kink.
    """
    sigma = lambda h: np.where(h > 0, h, slope * h)  # noqa: E731
    x, weights = np.polynomial.legendre.leggauss(24)

    def panels(*kinks):
        edges = np.unique(np.append(np.linspace(-9 * noise - 1, 12 * noise + 2.5, 41), kinks))
        half = np.diff(edges)[:, None] / 2
        return (edges[:-1, None] + half * (1 + x)).ravel(), (half * weights).ravel()

    nodes, measure = panels(-b / w)
    kernel = lambda to: stats.norm.pdf(to[:, None], sigma(w * nodes + b), noise) * measure  # noqa: E731
    law = np.ones(nodes.size)
    layer = kernel(nodes)
    for _ in range(400):
        law = layer @ law
        law /= measure @ law

    def conditions(fitted):
        at, mass = panels(-b / w, -fitted[1] / fitted[0])
        field, mean, spread = fitted[0] * at + fitted[1], w * sigma(w * at + b) + b, w * noise
        above = mean * stats.norm.cdf(mean / spread) + spread * stats.norm.pdf(mean / spread)
        gap = above + slope * (mean - above) - sigma(field)
        pull = gap * np.where(field > 0, 1, slope) * (kernel(at) @ law) * mass
        return pull @ at, pull.sum()

    return optimize.fsolve(conditions, start, xtol=1e-13)


@pytest.mark.parametrize(
    ("slope", "w", "b", "noise"), [(0.0, 0.7, 0.0, 0.3), (0.01, 0.9, -0.1, 0.2), (0.3, 0.5, 0.1, 1)]
)
def test_the_nearest_layer_with_a_kink_is_that_of_the_integrals(slope, w, b, noise):
    """A sum over fixed nodes has a minimum for the kink between any two of them, which the integral has not."""
    known = leaky_relu(slope)
    couplings = rg.NoisyLayer(known, w, b, noise).flow(1).couplings[1]
    assert couplings[:2] == pytest.approx(nearest_of_two_layers(slope, w, b, noise, couplings[:2] + 0.01), rel=2e-6)
    own = Activation("own", known.function, kinks=[0.0])
    assert rg.NoisyLayer(own, w, b, noise).flow(1).couplings[1] == pytest.approx(couplings, rel=1e-6)


@pytest.mark.parametrize(
    ("sigma", "slope"),
    [
        (lambda h: h / (1 + np.abs(h)), lambda h: 1 / (1 + np.abs(h)) ** 2),
        (
            lambda h: np.where(h > 0, h, np.expm1(np.minimum(h, 0))),
            lambda h: np.where(h > 0, 1, np.exp(np.minimum(h, 0))),
        ),
    ],
    ids=["softsign", "elu"],
)
@pytest.mark.parametrize("kinks", [(), (0.0,)])
def test_the_nearest_layer_whose_slope_has_a_kink_is_that_of_the_integrals(sigma, slope, kinks):
    """Height, weight and bias of a layer nearest to two: three conditions, on panels that end at the kinks."""
    w, b, noise = 0.9, -0.3, 0.3
    x, weights = np.polynomial.legendre.leggauss(16)

    def panels(*ends):
        edges = np.unique(np.append(np.linspace(-4, 4, 41), ends))
        half = np.diff(edges)[:, None] / 2
        return (edges[:-1, None] + half * (1 + x)).ravel(), (half * weights).ravel()

    nodes, measure = panels(-b / w)
    layer = lambda start, to: stats.norm.pdf(to[:, None], sigma(w * start + b), noise)  # noqa: E731
    law, once = np.ones(nodes.size), layer(nodes, nodes) * measure
    for _ in range(200):
        law = once @ law
        law /= measure @ law

    def conditions(fitted):
        at, mass = panels(-b / w, -fitted[2] / fitted[1])
        field = fitted[1] * at + fitted[2]
        gap = (sigma(w * nodes + b) * measure) @ layer(at, nodes) - fitted[0] * sigma(field)
        pull = gap * (layer(nodes, at) * measure @ law) * mass
        return pull @ sigma(field), pull @ (slope(field) * at), pull @ slope(field)

    couplings = rg.NoisyLayer(Activation("own", sigma, slope, kinks=kinks), w, b, noise).flow(1).couplings[1]
    height = noise / couplings[2]
    A, v, a = optimize.fsolve(conditions, [height, couplings[0] / height, couplings[1]], xtol=1e-13)
    assert couplings[:2] == pytest.approx((A * v, a), rel=2e-5)


@pytest.mark.parametrize(
    ("name", "w", "b", "noise", "mean", "second"),
    [  # by sums over panels that are graded towards the field zero
        ("tanh", 1e5, 3.0, 0.4, 2.11708212590e-4, 0.98758066909550),
        ("tanh", 1e4, 0.0, 0.3, 0.0, 0.99914187926725),
        ("tanh", 100.0, 0.3, 0.3, 0.036331221204, 0.99914068921761),
        ("sigmoid", 1e4, 0.0, 0.3, 0.99914357092842, 0.49936830748015),
    ],
)
def test_steep_layers_have_the_digits_that_they_state(name, w, b, noise, mean, second):
    """Nodes spaced by the noise alone would not resolve such steep slopes."""
    layer = rg.NoisyLayer(name, w, b, noise)
    assert layer.stationary().mean == pytest.approx(mean, abs=1e-11)
    assert layer.spectrum(2).ratios[1].real == pytest.approx(second, abs=1e-11)
    assert layer.operator().error < 1e-11
    function, scale = layer.activation.function, 50.0 if name == "tanh" else 1.0
    own = rg.NoisyLayer(Activation("own", lambda h: function(scale * h)), w / scale, b / scale, noise)
    assert own.stationary().mean == pytest.approx(mean, abs=1e-9)
