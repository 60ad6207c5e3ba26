"""Noisy layers at the ends of their nodes and between them: laws that other quadrature has on another interval."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from statnn import rg
from statnn.network import Activation

exponential = Activation("exp", np.exp, np.exp)
STEPS = 12
"""A deviation of the noise."""
squared = Activation("squared relu", lambda h: np.maximum(h, 0) ** 2, lambda h: 2 * np.maximum(h, 0))


def by_trapezoids(layer, low, high):
    """Return mean, variance and the second eigenvalue by equal steps, what leads out of the interval being lost."""
    x = np.arange(low, high, layer.noise_std / STEPS)
    P = np.exp(-(((x[:, None] - layer.mean(x)) / layer.noise_std) ** 2) / 2) / (STEPS * math.sqrt(2 * math.pi))
    law = np.full(x.size, 1 / x.size)
    for _ in range(200):
        law = P @ law
        law /= law.sum()
    values = np.sort(np.abs(np.linalg.eigvals(P)))
    return law @ x, law @ (x - law @ x) ** 2, values[-2]


@pytest.mark.parametrize(
    ("layer", "low", "high"),
    [
        (rg.NoisyLayer("gelu", -10.0, 0.0, 0.3), -2.0, 21.0),
        (rg.NoisyLayer("softplus", -3.0, 0.0, 0.3), -2.5, 10.0),
        (rg.NoisyLayer(exponential, -1.0, 0.0, 0.3), -2.4, 11.5),
        (rg.NoisyLayer(squared, -1.0, 0.5, 0.3), -2.5, 11.5),
    ],
    ids=["gelu", "softplus", "exp", "squared relu"],
)
def test_layers_that_lead_far_from_their_margins_have_laws(layer, low, high):
    """From eight deviations of the noise below the law, where no signal is, they lead beyond all nodes."""
    law = layer.stationary()
    mean, variance, second = by_trapezoids(layer, low, high)
    assert (law.mean, law.variance) == pytest.approx((mean, variance), rel=1e-6)
    assert layer.correlation_length() == pytest.approx(-1 / math.log(second), rel=1e-6)


@pytest.mark.parametrize("noise", [0.6, 0.7, 0.8, 1.0])
def test_where_signals_go_on_for_ever_is_no_well(noise):
    """Beyond h = 11.46 exp(0.3 h - 1) grows without bound; nodes there kept signals: 13.67 layers at a noise of 0.7."""
    layer = rg.NoisyLayer(exponential, 0.3, -1.0, noise)
    second = by_trapezoids(layer, -7 * noise, 0.5 + 7 * noise)[2]
    assert layer.correlation_length() == pytest.approx(-1 / math.log(second), rel=1e-4)


@given(
    st.sampled_from(["tanh", "relu", "gelu", "leaky relu", "sin"]),
    st.floats(0.2, 0.9),
    st.floats(-2, 2),
    st.floats(-1, 1),
)
@examples(0.3)
def test_moments_between_nodes_are_those_of_the_layer(name, w, b, place):
    layer = rg.NoisyLayer(name, w, b, 0.2)
    law = layer.stationary()
    start = law.mean + place * 5 * math.sqrt(law.variance)
    assert layer.operator().moments(start) == pytest.approx((float(layer.mean(start)), 0.04), abs=2e-6)


def test_moments_of_two_layers_between_nodes():
    """The identity above a ReLU: mean and variance follow from those of one layer, on both sides of the kink."""
    below, above = rg.NoisyLayer("relu", 0.5, 0.1, 0.2), rg.NoisyLayer("identity", 0.5, 0.3, 0.1)
    both = below.compose(above)
    for start in np.linspace(-1.0, 1.0, 41):
        mean = 0.5 * float(below.mean(start)) + 0.3
        assert both.moments(start) == pytest.approx((mean, 0.25 * 0.04 + 0.01), abs=1e-9)
        assert both.power(2).moments(start) == pytest.approx(both.compose(both).moments(start), abs=1e-13)


def test_starts_whose_law_is_cut_are_refused():
    layer = rg.NoisyLayer("softplus", -3.0, 0.0, 0.3)
    with pytest.raises(ValueError, match="comes to an end of the nodes"):
        layer.operator().moments(-3.2)
    assert layer.operator().moments(-2.3) == pytest.approx((float(layer.mean(-2.3)), 0.09), rel=1e-6)


def test_nodes_that_lose_a_law_are_refused_and_errors_say_what_is_lost():
    narrow = rg.NoisyLayer("tanh", 1.0, 0.0, 0.1)
    operator, beyond, beside = (
        narrow.operator(),
        rg.NoisyLayer("identity", 0.5, 1.0, 0.3),
        rg.NoisyLayer("tanh", 1.0, 0.0, 0.3),
    )
    for act in (
        lambda: beyond.operator(like=operator),
        lambda: operator.compose(beyond),
        lambda: beyond.compose(operator),
    ):
        with pytest.raises(ValueError, match="of the law of NoisyLayer\\('identity'"):
            act()
    found, wanted = beside.operator(like=operator), beside.stationary().variance
    lost = abs(found.stationary().variance / wanted - 1)
    assert lost > 1e-7
    assert found.error == pytest.approx(lost, rel=0.2)
    assert operator.compose(beside).error > operator.error
    with pytest.raises(ValueError, match=r"lose 0\.72 of"):  # of noise that hardly reaches from node to node
        rg.NoisyLayer("tanh", 0.9, 0.0, 0.012).operator(like=operator)
    assert narrow.operator(64).error > narrow.operator().error
