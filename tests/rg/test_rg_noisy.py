"""Noisy layers: operators against closed forms and simulation, composition, flows that tend to the exact exponents."""

import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, special
from strategies import examples
from threadpoolctl import threadpool_limits

from statnn import rg
from statnn.montecarlo._blas import _libraries
from statnn.network import Activation
from statnn.rg._layers import quadrature as _nodes
from statnn.rg._layers.noisy import renormalised
from statnn.rg._layers.projection import _fit, _Means, projected
from statnn.rg._layers.refinement import change
from statnn.testing import assert_mean, rejects
from statnn.theory import formula

TANH = rg.NoisyLayer("tanh").activation
NOISES = np.array([0.04, 0.02, 0.01])
WEIGHTS = st.sampled_from([-0.9, -0.5, 0.3, 0.7, 0.95])


@pytest.fixture(scope="module")
def critical():
    return [rg.NoisyLayer("tanh", 1.0, 0.0, noise) for noise in NOISES]


# -- operators -------------------------------------------------------------------------------------------


@given(WEIGHTS, st.floats(-1, 1), st.floats(0.1, 2.0), st.integers(1, 30))
@examples(0.1)
def test_identity_layers_are_linear_layers(w, b, noise, m):
    """The one activation that is solved: eigenvalues are powers of w, moments those of the Gaussian."""
    layer, exact = rg.NoisyLayer("identity", w, b, noise), rg.LinearLayer(w, b, noise**2)
    law, wanted = layer.stationary(), exact.stationary()
    spread = math.sqrt(wanted.covariance[0, 0])
    assert law.mean == pytest.approx(wanted.mean[0], abs=1e-9 * spread)
    assert law.variance == pytest.approx(wanted.covariance[0, 0], rel=1e-9)
    np.testing.assert_allclose(layer.spectrum(4).ratios.real, w ** np.arange(4), atol=1e-8)
    assert layer.correlation_length() == pytest.approx(exact.correlation_length(), rel=1e-8)
    block, start = layer.power(m), float(layer.operator().nodes[layer.operator().nodes.size // 2])
    assert block.moments(start)[0] == pytest.approx(exact.power(m).propagate(start).mean[0], abs=1e-8 * spread)
    assert block.moments(start)[1] == pytest.approx(exact.power(m).noise_covariance[0, 0], rel=1e-7)


@pytest.mark.parametrize("name", ["relu", "sign", "leaky relu"])
def test_kinks_and_jumps_do_not_spoil_quadrature(name):
    layer = rg.NoisyLayer(name, 0.8, 0.1, 0.3)
    fine = layer.operator(3 * layer.operator().nodes.size).stationary()
    assert layer.operator().error < 1e-9
    assert layer.stationary().variance == pytest.approx(fine.variance, rel=1e-10)


def test_layers_of_different_noise_compose_on_the_finer_nodes():
    """A Gaussian through a ReLU in closed form; nodes for the wider noise alone would miss the second layer."""
    first, second = rg.NoisyLayer("tanh", 1.2, 0.3, 0.3), rg.NoisyLayer("relu", 0.5, 0.0, 0.02)
    pair = first.compose(second)
    start = pair.nodes[pair.nodes.size // 2]
    middle = math.tanh(1.2 * start + 0.3)
    above = special.ndtr(middle / 0.3)
    density = math.exp(-((middle / 0.3) ** 2) / 2) / math.sqrt(2 * math.pi)
    mean = 0.5 * (middle * above + 0.3 * density)
    square = 0.25 * ((middle**2 + 0.09) * above + middle * 0.3 * density)
    assert pair.moments(start) == pytest.approx((mean, square - mean**2 + 0.02**2), rel=1e-8)
    same = rg.NoisyLayer("tanh", 1.2, 0.3, 0.3)
    assert first.compose(same).correlation_length() == first.correlation_length() / 2, "equal layers are a power"
    np.testing.assert_allclose(
        first.compose(same).probabilities, first.operator().compose(first.operator()).probabilities, atol=1e-15
    )


def test_two_layers_err_as_the_worse_of_them():
    first, second = rg.NoisyLayer("tanh", 0.5, 0.0, 0.3), rg.NoisyLayer("tanh", 0.9, 0.1, 0.4)
    errors = first.operator().error, second.operator().error
    assert first.compose(second).error == second.compose(first).error == max(errors) > min(errors)


def test_densities_are_propagated_as_gaussians():
    layer = rg.NoisyLayer("identity", 0.6, 0.4, 0.5)
    operator = layer.operator()
    worse = rg.TransferOperator(operator.nodes, operator.weights, operator.probabilities, 1e-3)
    assert worse.compose(operator).error == operator.compose(worse).error == 1e-3

    def gaussian(mean, variance):
        return np.exp(-((operator.nodes - mean) ** 2) / (2 * variance)) / math.sqrt(2 * math.pi * variance)

    density = operator.propagate(gaussian(0.7, 0.3))
    np.testing.assert_allclose(density, gaussian(0.6 * 0.7 + 0.4, 0.36 * 0.3 + 0.25), atol=1e-9)


def test_refinement_looks_at_the_gap_the_mean_and_the_variance():
    before = (0.5, 1.0, 4.0)
    for now, expected in (((0.75, 1.0, 4.0), 0.25), ((0.5, 1.5, 4.0), 0.25), ((0.5, 1.0, 5.0), 0.2)):
        assert change(now, before) == pytest.approx(expected)


def test_simulation_meets_the_stationary_law(rng):
    layer = rg.NoisyLayer("tanh", 1.1, 0.05, 0.4)
    path = layer.simulate(np.zeros(20_000), 120, rng=rng)
    law = layer.stationary()
    assert_mean(path[:, -1], law.mean, bias=1e-3, what="mean of the stationary law")
    assert_mean(path[:, -1] ** 4, law.moment(4), bias=1e-3, what="fourth moment")
    with rejects():
        assert_mean(path[:, -1] ** 2, law.moment(2) * 1.15, what="a variance 15 per cent too large")
    np.testing.assert_array_equal(layer.simulate(np.zeros(9), 3, rng=7)[:4], layer.simulate(np.zeros(4), 3, rng=7))


def test_weak_noise_tends_to_its_exact_amplitude(critical):
    """<h²>/ε = 0.82790 + O(ε): the error halves with ε, and so does that of ξ ε."""
    form = formula("leading-form.stationary-variance")
    amplitude = float(form.evaluate(z=3, u="1/3", epsilon=1))
    amplitudes = np.array([layer.stationary().moment(2) / layer.noise_std for layer in critical])
    gaps = amplitudes - amplitude
    orders = np.log2(gaps[:-1] / gaps[1:])
    np.testing.assert_allclose(orders, 1, atol=0.02)
    once = 2 * amplitudes[1:] - amplitudes[:-1]
    limit = (4 * once[1] - once[0]) / 3
    assert limit == pytest.approx(amplitude, rel=5e-6)
    assert limit != pytest.approx(amplitude * math.sqrt(7 / 6), rel=5e-6), "the twin: √7 for √6"
    lengths = np.array([layer.correlation_length() * layer.noise_std for layer in critical])
    steps = np.diff(lengths)
    assert np.log2(steps[0] / steps[1]) == pytest.approx(1, abs=0.05), "ξ ~ 1/ε"


def test_parity_is_kept():
    law = rg.NoisyLayer("tanh", 1.4, 0.0, 0.4).stationary()
    np.testing.assert_allclose(law.density, law.density[::-1], rtol=1e-6, atol=1e-14)
    assert (law.density > 0).all()
    assert law.moment(0) == pytest.approx(1, rel=1e-14)
    mirrored = rg.NoisyLayer("tanh", 1.4, -0.1, 0.4).stationary()
    assert rg.NoisyLayer("tanh", 1.4, 0.1, 0.4).stationary().mean == pytest.approx(-mirrored.mean, rel=1e-9)


# -- flows and exponents ---------------------------------------------------------------------------------


def test_the_projected_doubling_has_the_exact_eigenvalues():
    """Weight 2, noise 2 and bias 2√2 as ε tends to zero, each with an error of first order in ε."""
    (point,) = rg.fixed_points(rg.NoisyLayer)
    wanted = np.diag(point.linear(2))
    gaps = []
    for noise in NOISES:
        step = 1e-2 * noise
        both = [renormalised(TANH, np.array([1 + sign * step, 0.0, noise]), 2)[0] for sign in (1, -1)]
        plain = renormalised(TANH, np.array([1.0, 0.0, noise]), 2)
        tilted = renormalised(TANH, np.array([1.0, 1e-2 * noise**1.5, noise]), 2)
        gaps.append([(both[0] - both[1]) / (2 * step), tilted[1] / (1e-2 * noise**1.5), plain[2] / noise])
    gaps = np.abs(np.array(gaps) - wanted)
    assert (gaps[-1] < 0.02).all()
    orders = np.abs(np.log2(gaps[:-1] / gaps[1:]) - 1)
    assert (orders[1] < 0.2).all()
    assert (orders[1] < orders[0]).all()
    exponents = rg.exponents(point, 3)
    assert exponents.y.tolist() == pytest.approx([1.5, 1, 1])
    assert exponents.nu == pytest.approx(1)
    assert point.map(point.couplings, 2).tolist() == [1, 0, 0]
    (steeper,) = rg.fixed_points(rg.NoisyLayer, activation="erf")  # of slope 2/√π
    assert steeper.map(steeper.couplings, 3) == pytest.approx(steeper.couplings, rel=1e-15)
    assert pickle.loads(pickle.dumps(point)).map(point.couplings, 4).tolist() == [1, 0, 0]  # noqa: S301 - our own


@pytest.mark.parametrize("project", [False, True])
def test_flows_state_what_they_lose(project):
    layer = rg.NoisyLayer("tanh", 1.0, 0.0, 0.03)
    flow = rg.flow(layer, 4, project=project)
    assert flow.couplings.shape == (5, 3)
    assert flow.couplings[0].tolist() == [1, 0, 0.03]
    assert flow.truncation[0] == 0
    assert (np.diff(flow.truncation[:4]) > 0).all()
    assert (flow.truncation >= flow.deviation**2 / 2 - 1e-9).all(), "the mean is part of what the divergence sees"
    np.testing.assert_allclose(flow.couplings[1, 2] / 0.03, 2, rtol=0.05)


def test_the_projection_has_the_least_divergence():
    layer = rg.NoisyLayer("tanh", 1.2, 0.1, 0.3)
    two = layer.power(2)
    (w, b, noise), divergence, _ = projected(TANH, two, two.stationary(), (layer.w, layer.b))
    law = two.stationary()
    masses, joint = law.weights * law.density, two.probabilities
    x = two.nodes

    def lost(A, v, a, spread):
        centre = A * np.tanh(v * x + a)
        logs = -((x[:, None] - centre) ** 2) / (2 * spread**2) - math.log(spread * math.sqrt(2 * math.pi))
        exact = np.log(np.where(joint > 0, joint, 1) / two.weights[:, None])
        return float((joint * (exact - logs)).sum(axis=0) @ masses)

    best = min(np.linspace(0.2, 2, 1001), key=lambda A: lost(A, w / A, b, noise * A))
    least = lost(best, w / best, b, noise * best)
    assert least == pytest.approx(divergence, abs=1e-5)
    for A, v, shift, wider in ((1.01, 1, 0, 1), (1, 1.01, 0, 1), (1, 1, 0.01, 1), (1, 1, 0, 1.01)):
        assert lost(best * A, w / best * v, b + shift, noise * best * wider) > divergence


def test_flows_of_linear_and_noisy_identity_layers_agree():
    """Positively homogeneous activations keep their height: the family is closed, and nothing is lost."""
    exact = rg.flow(rg.LinearLayer(0.9, 0.0, 0.04), 4)
    flow = rg.flow(rg.NoisyLayer("identity", 0.9, 0.0, 0.2), 4)
    np.testing.assert_allclose(flow.couplings[:, 0], exact.couplings[:, 0], rtol=1e-7)
    np.testing.assert_allclose(flow.couplings[:, 2] ** 2, exact.couplings[:, 2], rtol=1e-7)
    assert (flow.truncation < 1e-9).all()


def test_a_flow_ends_where_nothing_is_left():
    flow = rg.flow(rg.NoisyLayer("tanh", 0.5, 0.0, 0.3), 12)
    assert flow.end is rg.FlowEnd.DISORDERED
    assert 3 <= len(flow.couplings) <= 7
    assert np.isfinite(flow.couplings).all()


def test_offsets_keep_their_digits():
    """A bias of 1e6 beside a noise of 0.1: moments are taken about the mean, the family is closed."""
    layer, exact = rg.NoisyLayer("identity", 0.5, 1e6, 0.1), rg.LinearLayer(0.5, 1e6, 0.01)
    for start in (2e6, 2e6 + 0.3):
        assert layer.operator().moments(start)[1] == pytest.approx(0.01, rel=1e-8)
    assert layer.operator().nodes.size == rg.NoisyLayer("identity", 0.5, 0.0, 0.1).operator().nodes.size
    flow = rg.flow(layer, 3)
    np.testing.assert_allclose(flow.couplings[:, 2] ** 2, rg.flow(exact, 3).couplings[:, 2], rtol=1e-6)
    np.testing.assert_allclose(flow.couplings[:, 0], rg.flow(exact, 3).couplings[:, 0], rtol=1e-5)


@pytest.mark.parametrize(
    ("parts", "project"),
    [(("tanh", 1.2, 0.1, 0.3), True), (("sigmoid", 3.0, -1.0, 0.1), True), (("sigmoid", 3.0, -1.0, 0.1), False)],
)
def test_deep_in_the_disordered_phase_fits_do_not_get_lost(parts, project):
    """The bias about doubles, and the mean is fitted better than by a constant, which misses its whole spread."""
    layer = rg.NoisyLayer(*parts)
    flow = rg.flow(layer, 12, project=project)
    assert flow.end is rg.FlowEnd.DISORDERED
    bias = flow.couplings[2:, 1]
    assert (bias[1:] / bias[:-1] > 1.5).all()
    assert (bias[1:] / bias[:-1] < 4).all()
    assert (flow.couplings[:, 0] > 0).all()
    for k in range(1, len(flow.couplings)):
        block = layer.power(2**k)
        law = block.stationary()
        means = block.nodes @ block.probabilities
        spread = math.sqrt(float((means - law.mean) ** 2 @ (law.weights * law.density)) / law.variance)
        assert flow.deviation[k] < 0.6 * spread or project


@pytest.mark.parametrize(
    "parts",
    [("sigmoid", 1.00505, 2.48438, 0.120343), ("tanh", 0.170703, 0.259859, 0.0587364), ("erf", 0.03, 0.92, 0.85)],
)
def test_no_layer_on_a_grid_is_nearer_than_the_projection(parts):
    layer = rg.NoisyLayer(*parts)
    two = layer.power(2)
    law = two.stationary()
    p, g = law.weights * law.density, two.nodes @ two.probabilities
    scale = 1 / math.sqrt(law.variance)
    (_, _, noise), _, deviation = projected(layer.activation, two, two.stationary(), (layer.w, layer.b))
    height = math.sqrt(float(p @ ((two.nodes[:, None] - g) ** 2 * two.probabilities).sum(axis=0))) / noise
    nearest = min(
        float(p @ (g - (p * g) @ s / (p @ s**2) * s) ** 2)
        for v in np.geomspace(1e-3, 1, 40)
        for a in np.linspace(-8, 8, 81)
        for s in [layer.activation(v * scale * two.nodes + a)]
    )
    spread = float(p @ (g - p @ g) ** 2)
    assert (deviation * noise * height) ** 2 <= nearest + 1e-12 * spread
    assert nearest < 0.01 * spread, "the grid is fine enough to tell"


@pytest.mark.parametrize("name", ["tanh", "erf"])
def test_an_odd_projection_is_the_minimum_to_its_last_row(name):
    layer = rg.NoisyLayer(name, 0.6, 0.0, 0.2)
    flow = rg.flow(layer, 8)
    assert flow.end is rg.FlowEnd.DISORDERED
    for k in range(1, len(flow.couplings)):
        block = layer.power(2**k)
        law = block.stationary()
        p, g = law.weights * law.density, block.nodes @ block.probabilities

        def height(w, x=block.nodes, p=p, g=g):
            output = layer.activation(w * x)
            return (p * g) @ output / (p @ output**2)

        def off(log_w, x=block.nodes, p=p, g=g, height=height):
            w = math.exp(log_w)
            return math.sqrt(p @ (g - height(w) * layer.activation(w * x)) ** 2 / (p @ g**2))

        w = math.exp(optimize.minimize_scalar(off, bounds=(-2.0, 1.0), method="bounded", options={"xatol": 1e-9}).x)
        assert flow.couplings[k, 0] == pytest.approx(height(w) * w, rel=1e-5)


@pytest.mark.parametrize("parts", [("tanh", -0.5, 0.3, 0.1), ("gelu", 0.9, 0.0, 1.0)])
def test_where_only_a_limit_is_nearest_the_flow_says_so(parts):
    """A mean that bends the other way is nearest to straight lines, one with a kink to infinitely steep fields."""
    assert rg.flow(rg.NoisyLayer(*parts), 8).end is rg.FlowEnd.UNLIKE
    layer = rg.NoisyLayer(*parts)
    two = layer.power(2)
    law = two.stationary()
    p, x, g = law.weights * law.density, two.nodes, two.nodes @ two.probabilities

    def least(v):
        tried = []
        for a in np.concatenate([np.geomspace(1e-6, 1e3, 400), -np.geomspace(1e-6, 60.0, 400)]):
            s = layer.activation(v * x / math.sqrt(law.variance) + a)
            if (norm := p @ s**2) > 0:
                tried.append(p @ (g - max(0.0, (p * g) @ s / norm) * s) ** 2)
        return min(tried)

    steps = [10.0, 20.0, 40.0] if parts[0] == "gelu" else [0.4, 0.2, 0.1]
    losses = [least(v) for v in steps]
    assert losses[0] > losses[1] > losses[2]
    assert losses[2] < 0.1 * p @ (g - p @ g) ** 2


def test_a_mean_that_is_none_of_the_family_has_no_fit():
    x = np.linspace(-1, 1, 401)
    ones, before = np.ones(401), (1.5, 0.1)
    means = lambda g: _Means(x, ones, ones / 401, g, [], ())  # noqa: E731
    fitted = _fit(TANH, means(0.7 * np.tanh(2 * x + 0.3)), before, 0.5)
    assert fitted == pytest.approx((0.7, 2.0, 0.3), rel=1e-8)
    assert _fit(TANH, means(1 + np.cos(20 * x)), before, 0.5) is None


def test_a_projected_layer_that_no_nodes_resolve_ends_the_flow(monkeypatch):
    monkeypatch.setattr(_nodes, "MOST_POINTS", 150)
    flow = rg.flow(rg.NoisyLayer("erf", -1.73, -0.074, 0.244), 8, project=True)
    assert flow.end is rg.FlowEnd.UNRESOLVED
    with pytest.raises(ValueError, match=r"nodes"):
        rg.NoisyLayer("erf", *flow.couplings[-1]).operator()


def test_alternating_layers_have_a_spectrum():
    """λ_1 is near -1, and whichever the solver names first, the positive one leads."""
    for noise in (0.4, 0.25, 0.2):
        layer = rg.NoisyLayer("erf", -1.5, -0.1, noise)
        ratios = layer.spectrum(3).ratios
        assert ratios[0] == 1
        assert -1 < ratios[1] < -0.5
    with pytest.raises(ValueError, match=r"or states between which it alternates"):
        rg.NoisyLayer("erf", -1.8723558569891552, -0.40714858548665217, 0.053160219714152475).stationary()


def test_a_family_without_a_like_says_so():
    """Eight layers of exp(-9 h²) with noise: their mean turns where that of one layer does not."""
    peak = Activation("peak", lambda h: np.exp(-h * h), lambda h: -2 * h * np.exp(-h * h))
    flow = rg.flow(rg.NoisyLayer(peak, 3.0, 0.0, 0.3), 6)
    assert flow.end is rg.FlowEnd.UNLIKE
    assert len(flow.couplings) == 3
    with pytest.raises(ValueError, match=r"64 layers of .* have no projection: the output of a block no longer"):
        renormalised(TANH, np.array([0.1, 0.0, 0.3]), 64)


def test_flows_refine_until_nodes_resolve_the_activation():
    """Wide noise beside a steep activation: nodes spaced by the noise do not resolve it, though two steps agree."""
    flow = rg.flow(rg.NoisyLayer("tanh", 1.3, 0.0, 0.5), 12, project=True)
    assert flow.end is rg.FlowEnd.DISORDERED
    layer = rg.NoisyLayer("tanh", 0.912395, 0.0, 1.54455)
    assert layer.operator().error < 1e-9
    fine = layer.operator(4 * layer.operator().nodes.size)
    assert layer.correlation_length() == pytest.approx(fine.correlation_length(), rel=1e-8)


@pytest.mark.parametrize(("name", "w", "b"), [("relu", 1.0, -0.1), ("relu", -1.0, 0.1), ("identity", -0.99, 0.0)])
def test_layers_that_return_from_far_have_a_law(name, w, b):
    """At slope one a constant step back is enough for a law, which is close to that of a slope just below one."""
    law, beside = (rg.NoisyLayer(name, slope, b, 0.1).stationary() for slope in (w, w * (1 - 1e-9)))
    np.testing.assert_allclose([law.mean, law.variance], [beside.mean, beside.variance], rtol=1e-6, atol=1e-12)
    if name == "identity":
        assert law.variance == pytest.approx(0.01 / (1 - w * w), rel=1e-10)


def test_flows_hold_algebra_to_one_thread(monkeypatch):
    from statnn.rg._layers import noisy as _noisy
    from statnn.rg._layers import refinement

    seen = []

    def watched(function):
        def wrapper(*arguments):
            seen.append(max(library.num_threads for library in _libraries()))
            return function(*arguments)

        return wrapper

    monkeypatch.setattr(_noisy, "projected", watched(_noisy.projected))
    monkeypatch.setattr(refinement, "signature", watched(refinement.signature))
    with threadpool_limits(2, user_api="blas"):
        rg.flow(rg.NoisyLayer("tanh", 1.0, 0.0, 0.2), 2, project=True)
        assert len(seen) >= 6
        assert set(seen) == {1}


def test_a_second_eigenvalue_that_is_rounding_is_said():
    assert rg.NoisyLayer("tanh", 0.0, 0.3, 0.2).correlation_length() == 0
    with pytest.raises(ArithmeticError, match="cannot be told from 0"):
        rg.NoisyLayer("tanh", 1e-17, 0.3, 0.2).correlation_length()
    assert rg.NoisyLayer("identity", 1e-6, 0.3, 0.2).correlation_length() == pytest.approx(1 / math.log(1e6), rel=1e-9)
    with pytest.raises(ValueError, match="supercritical"):
        rg.NoisyLayer("identity", -2.0, 0.3, 0.2).correlation_length()


def test_no_arrow_is_drawn_where_nothing_is_left_of_the_signal(monkeypatch):
    from statnn.rg._layers import noisy as _noisy

    monkeypatch.setattr(_noisy, "NOISY_WEIGHTS", np.array([1e-9, 0.5]))
    monkeypatch.setattr(_noisy, "NOISY_NOISES", np.array([0.5]))
    _, images = _noisy.noisy_arrows(TANH)
    assert np.isnan(images[0]).all()
    assert np.isfinite(images[1]).all()


def test_flow_diagrams_are_drawn(monkeypatch):
    from matplotlib.figure import Figure

    from statnn.rg._layers import noisy as _noisy

    monkeypatch.setattr(_noisy, "NOISY_WEIGHTS", np.array([0.5, 1.0]))
    monkeypatch.setattr(_noisy, "NOISY_NOISES", np.array([0.2, 0.5]))
    axes = Figure().subplots(1, 3)
    layers = (rg.LinearLayer(0.9, 0, 0.1), rg.BinaryLayer([[1.0]], [0.1]), rg.NoisyLayer("tanh", 1.0, 0.0, 0.2))
    for ax, layer in zip(axes, layers, strict=True):
        flow = rg.flow(layer, 2)
        assert flow.plot(ax) is ax
        assert len(ax.lines[-1].get_xdata()) == 3 or layer is not layers[0]
        assert any(line.get_label() == "this layer, doubled" and len(line.get_xdata()) == 3 for line in ax.lines)
        assert ax.get_xlabel()
        assert ax.get_ylabel()
    for layer, words in (
        (rg.LinearLayer(0.5, 1.0), "third coupling"),
        (rg.BinaryLayer(np.eye(2)), "no diagram in two"),
    ):
        with pytest.raises(ValueError, match=words):
            rg.flow(layer, 1).plot(axes[0])


# -- what is refused -------------------------------------------------------------------------------------

good = rg.NoisyLayer("tanh", 1.0, 0.0, 0.3)
square = Activation("square", np.square, lambda h: 2 * h)
BAD = [
    (lambda: rg.NoisyLayer("tanhh"), ValueError, "tanhh"),
    (lambda: rg.NoisyLayer("tanh", 1.0, 0.0, 0.0), ValueError, "layer without noise has no density"),
    (lambda: rg.NoisyLayer("tanh", 1.0, 0.0, -0.1), ValueError, "noise_std = -0.1"),
    (lambda: rg.NoisyLayer("tanh", [1.0, 2.0]), TypeError, "the layer is scalar"),
    (lambda: rg.NoisyLayer("tanh", math.inf), ValueError, "inf is not finite"),
    (lambda: rg.NoisyLayer("tanh", 1e308), ValueError, "squares overflow"),
    (lambda: rg.NoisyLayer("tanh", 0.5, 0.0, 1e308), ValueError, "squares overflow"),
    (rg.NoisyLayer("identity", 1.1).stationary, ValueError, "supercritical"),
    (rg.NoisyLayer("gelu", 1.0, 0.1).stationary, ValueError, "supercritical"),
    (rg.NoisyLayer("gelu", 1.2, -0.1).stationary, ValueError, "supercritical"),
    (rg.NoisyLayer("relu", 1.0).stationary, ValueError, "supercritical"),
    (rg.NoisyLayer("identity", -1.0).stationary, ValueError, "supercritical"),
    (rg.NoisyLayer("relu", 1.5).correlation_length, ValueError, "no stationary law"),
    (rg.NoisyLayer(square, 1.0, 2.0).stationary, ValueError, "supercritical"),
    (rg.NoisyLayer("tanh", 2.0, 0.1, 0.05).stationary, ValueError, "has no single stationary law"),
    (lambda: good.operator(16), ValueError, "farther apart than twice the noise"),
    (lambda: good.operator(100, like=good.operator()), TypeError, "pass one of them"),
    (lambda: good.power(0), ValueError, "no layer at all"),
    (lambda: good.compose(rg.LinearLayer(1.0)), TypeError, "not with a LinearLayer"),
    (lambda: good.operator().compose(3), TypeError, "not with a int"),
    (lambda: good.operator(64).compose(good.operator(96)), ValueError, "different nodes"),
    (lambda: good.operator().moments(100.0), ValueError, "outside the nodes"),
    (lambda: good.operator().propagate([1.0]), ValueError, "density has shape"),
    (lambda: good.simulate(np.zeros((2, 2)), 3), ValueError, "one number per replica"),
    (lambda: rg.fixed_points(rg.NoisyLayer, activation="relu"), ValueError, "known for tanh, erf and sin"),
    (lambda: renormalised(TANH, np.array([1.0, 0.1, 0.0]), 2), ValueError, "bias of 0.1 without noise"),
    (lambda: rg.TransferOperator([0.0, 1.0], [1.0, 1.0], np.ones((2, 2))), ValueError, "sum to one"),
    (lambda: rg.TransferOperator([1.0, 0.0], [1.0, 1.0], np.ones((2, 2)) / 2), ValueError, "nodes must increase"),
    (lambda: rg.TransferOperator([0.0, 1.0], [1.0], np.ones((2, 2)) / 2), ValueError, "have shapes"),
]


@pytest.mark.parametrize("case", range(len(BAD)))
def test_bad_input_is_refused_with_a_reason(case):
    act, error, words = BAD[case]
    with pytest.raises(error, match=words):
        act()


def test_a_linear_layer_flows_in_closed_form_however_near_it_is_to_criticality():
    """No nodes are needed: w, b and s are those of the linear layer."""
    flow = rg.NoisyLayer("identity", 0.9999, 0.2, 0.3).flow()
    linear = rg.LinearLayer(0.9999, 0.2, 0.09).flow().couplings
    assert flow.couplings == pytest.approx(np.column_stack([linear[:, :2], np.sqrt(linear[:, 2])]), rel=1e-12)
    assert not flow.truncation.any()
    assert rg.NoisyLayer("identity", -0.99).flow().couplings[1] == pytest.approx(
        [0.99**2, 0, 0.1 * np.sqrt(1 + 0.99**2)]
    )
    assert rg.NoisyLayer("identity", 0.9999).correlation_length() == pytest.approx(-1 / np.log(0.9999), rel=1e-12)
