"""Operators of noisy layers: laws of products of matrices that do not ask which nodes they live on."""

import pytest

from statnn import rg
from statnn.rg._layers import quadrature


@pytest.mark.parametrize("name", ["sign", "relu"])
def test_two_layers_forget_as_fast_in_either_order(name):
    """AB and BA have the same eigenvalues, though the jump or the kink is in the lower layer in one of them."""
    one, two = rg.NoisyLayer(name, 0.9, 0.1, 0.4), rg.NoisyLayer("tanh", 1.2, -0.3, 0.3)
    assert one.compose(two).correlation_length() == pytest.approx(two.compose(one).correlation_length(), rel=1e-9)


def test_layers_that_share_no_nodes_are_refused(monkeypatch):
    """Nodes as fine as the weaker noise needs, as far as the stronger one leads, are too many."""
    one, two = rg.NoisyLayer("tanh", 0.5, 0.0, 0.3), rg.NoisyLayer("tanh", 0.5, 0.0, 0.1)
    size = one.compose(two).nodes.size
    monkeypatch.setattr(quadrature, "MOST_POINTS", size // 2 - 1)
    with pytest.raises(ValueError, match=r"\d+ nodes would be needed to hold both with their noise"):
        one.compose(two)


def test_a_layer_and_an_operator_err_as_the_operator_does_at_least():
    layer = rg.NoisyLayer("tanh", 0.9, 0.1, 0.3)
    known = layer.operator()
    worse = rg.TransferOperator(known.nodes, known.weights, known.probabilities, 1e-4)
    assert worse.compose(layer).error == layer.compose(worse).error == 1e-4
