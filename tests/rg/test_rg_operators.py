"""Operators of noisy layers: laws of products of matrices that do not ask which nodes they live on."""

import mpmath
import numpy as np
import pytest

from statnn import rg
from statnn.network import ACTIVATIONS
from statnn.rg._layers import noisy, quadrature
from statnn.rg._layers.spectrum import Spectrum, memory, remembered, resolved


@pytest.mark.parametrize("name", ["sign", "relu"])
def test_two_layers_forget_as_fast_in_either_order(name):
    """AB and BA have the same eigenvalues, though the jump or the kink is in the lower layer in one of them."""
    first, second = rg.NoisyLayer(name, 0.9, 0.1, 0.4), rg.NoisyLayer("tanh", 1.2, -0.3, 0.3)
    assert first.compose(second).correlation_length() == pytest.approx(
        second.compose(first).correlation_length(), rel=1e-9
    )


def test_layers_that_share_no_nodes_are_refused(monkeypatch):
    """Nodes as fine as the weaker noise needs, as far as the stronger one leads, are too many."""
    first, second = rg.NoisyLayer("tanh", 0.5, 0.0, 0.3), rg.NoisyLayer("tanh", 0.5, 0.0, 0.1)
    size = first.compose(second).nodes.size
    monkeypatch.setattr(quadrature, "MOST_POINTS", size // 2 - 1)
    with pytest.raises(ValueError, match=r"\d+ nodes would be needed to hold both with their noise"):
        first.compose(second)


def test_a_layer_and_an_operator_err_as_the_operator_does_at_least():
    layer = rg.NoisyLayer("tanh", 0.9, 0.1, 0.3)
    known = layer.operator()
    worse = rg.TransferOperator(known.nodes, known.weights, known.probabilities, 1e-4)
    assert worse.compose(layer).error == layer.compose(worse).error == 1e-4


@pytest.mark.parametrize("layer", [rg.NoisyLayer("relu", 0.8, 0.2, 0.3), rg.NoisyLayer("tanh", 0.9, 0.1, 0.3)])
def test_a_projected_flow_goes_on_from_its_layers_as_from_any(layer):
    steps = layer.flow(3, project=True)
    for n in (1, 2):
        again = rg.NoisyLayer(layer.activation, *steps.couplings[n]).flow(1, project=True)
        assert again.couplings[1] == pytest.approx(steps.couplings[n + 1], rel=1e-12)


def test_moments_are_refused_where_any_layer_loses_too_much_of_their_law():
    whole = rg.NoisyLayer("tanh", 0.9, 0.1, 0.3).operator()
    parts = whole.nodes, whole.weights, whole.probabilities
    lossy = rg.TransferOperator(*parts, lost=np.full(whole.nodes.size, 0.01))
    closed = rg.TransferOperator(*parts)
    for operator in (lossy, lossy.compose(closed), closed.compose(lossy), whole.compose(lossy), lossy.power(3)):
        with pytest.raises(ValueError, match=r"moments err by 0\.01"):
            operator.moments(0.123)
    wanted = whole.moments(0.123)
    assert closed.moments(0.123) == pytest.approx(wanted, rel=1e-3)


@pytest.mark.parametrize("b", [1e6, -1e6])
def test_nodes_far_on_either_side_of_zero_are_as_many_as_at_zero(b):
    sizes = [rg.NoisyLayer("identity", 0.5, shift, 0.1).operator().nodes.size for shift in (0.0, b)]
    assert sizes[0] == sizes[1]


def test_no_arrow_is_drawn_from_wells_that_noise_does_not_join(monkeypatch):
    """Rounding alone would say how much of the law is in either well, and give the image a bias."""
    monkeypatch.setattr(noisy, "NOISY_WEIGHTS", np.array([0.5, 2.5]))
    monkeypatch.setattr(noisy, "NOISY_NOISES", np.array([0.075, 0.5]))
    _, images = noisy.noisy_arrows(ACTIVATIONS["tanh"])
    assert np.isnan(images[1]).all()
    assert (images[[0, 2, 3], 1] == 0).all()


@pytest.mark.parametrize("layer", [rg.NoisyLayer("relu", 0.8, 0.2, 0.3), rg.NoisyLayer("tanh", 0.9, 0.1, 0.3)])
def test_a_flow_of_blocks_is_that_of_their_projections(layer):
    """Blocks of 2, 4 and 8 layers, each projected for itself."""
    start = np.array([layer.w, layer.b, layer.noise_std])
    alone = [noisy.renormalised(layer.activation, start, block) for block in (2, 4, 8)]
    np.testing.assert_allclose(layer.flow(3).couplings[1:], alone, rtol=1e-8)


@pytest.mark.parametrize("size", [1.0, 1e-6, 1e-9])
def test_a_zero_that_rounding_made_a_number_is_told_at_any_size(size):
    """Both eigenvalues of a defective matrix are zero, and found to be a root of rounding; a diagonal tells its own."""
    spectrum = Spectrum(0.0, np.array([1.0, 1e-9 * size]))
    errors = np.full((2, 2), np.finfo(float).eps * size)
    with pytest.raises(ArithmeticError, match="eigenvectors are nearly alike"):
        resolved(spectrum, size * np.array([[1.0, -1.0], [1.0, -1.0]]), errors)
    assert resolved(spectrum, size * np.diag([1.0, 1e-9]), size * np.diag([1e-16, 1e-25])) is spectrum


@pytest.mark.parametrize("fields", [[3.5, 4.75], [4.75, 3.5], [30.0, -20.0]])
def test_what_is_remembered_keeps_its_digits_where_interactions_outweigh_fields(fields):
    """The state of the largest field is then hardly ever taken. Of two states trace and determinant tell all."""
    interaction = np.array([[25.0, -11.0], [-11.0, -22.0]])
    leading, others, _ = memory(interaction, np.array(fields))
    with mpmath.workdps(60):
        f, g = map(mpmath.mpf, fields)
        half = (mpmath.exp(25 + f) + mpmath.exp(-22 + g)) / 2
        product = mpmath.exp(f + g) * (mpmath.exp(3) - mpmath.exp(-22))
        first = half + mpmath.sqrt(half**2 - product)
        ratio = float(product / first**2)
    assert leading == pytest.approx(float(mpmath.log(first)), rel=1e-14)
    assert remembered(leading, others).ratios[1] == pytest.approx(ratio, rel=1e-12, abs=0)


@pytest.mark.parametrize(("name", "w", "b", "noise"), [
    ("gelu", -2.42, -1.43, 0.3), ("gelu", -1.986, -0.87, 0.674), ("silu", -2.172, 0.158, 0.583),
    ("sin", 2.602, 0.165, 0.856), ("sin", -1.84, -1.77, 0.604), ("tanh", -1.4, 0.8, 0.3),
])  # fmt: skip
def test_a_projection_is_as_near_as_any_layer(name, w, b, noise):
    """Against all layers of a grid: two layers have more noise than one."""
    layer = rg.NoisyLayer(name, w, b, noise)
    two, law = layer.power(2), layer.stationary()
    p, g = law.weights * law.density, two.nodes @ two.probabilities
    own, middle = np.meshgrid(np.linspace(-4, 4, 40), np.linspace(-4, 4, 41))
    field = own[..., None] / np.sqrt(law.variance) * (two.nodes - law.mean) + middle[..., None]
    s = layer.activation(field)
    gain = np.maximum(0, s @ (p * g)) ** 2 / (s**2 @ p)
    flow = layer.flow(1)
    assert flow.end is rg.FlowEnd.COMPLETE
    assert flow.deviation[1] <= np.sqrt(p @ g**2 - gain.max()) / layer.noise_std


def test_signals_linger_where_two_layers_move_them_by_less_than_twice_the_reach():
    """h -> -0.9 h comes back as 0.81 h: 0.095 h a layer are less than 2 up to h = 21, and a margin of 8 follows."""
    ends = quadrature.lingering(ACTIVATIONS["identity"], -0.9, 0.0, 1.0, -1.0, 1.0, 2.0)
    assert ends == (-29.0, 29.0)


@pytest.mark.parametrize(("error", "known"), [(9e-8, True), (2e-7, False)])
def test_a_second_eigenvalue_is_known_to_a_hundredth_or_refused(error, known):
    spectrum, matrix = Spectrum(0.0, np.array([1.0, 1e-5])), np.diag([1e-5, 1e-7])
    if known:
        assert resolved(spectrum, matrix, np.diag([error, 0.0])) is spectrum
    else:
        with pytest.raises(ArithmeticError, match="cannot be told from 0"):
            resolved(spectrum, matrix, np.diag([error, 0.0]))


@pytest.mark.parametrize("layer", [rg.NoisyLayer("tanh", 0.5, 0.3, 0.2), rg.LinearLayer(0.5, 0.3, 0.04)])
def test_flows_with_a_bias_have_no_diagram(layer):
    with pytest.raises(ValueError, match="have a bias, a third coupling"):
        layer.flow(3).plot()
