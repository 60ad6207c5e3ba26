"""Linear networks are Gaussian: against dense algebra on the model's own energy and gradient, and quadrature."""

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from statnn.interaction import DynamicNeurons, Prior
from statnn.network import Network
from statnn.testing.strategies import dynamic_neurons, networks

SEEDS = st.integers(0, 2**32 - 1)


def quadratic(model):
    """ln Z, <βH>, mean and covariance by dense algebra from nothing but the model's own energy and gradient."""
    d = model.dimension
    at_zero = model.gradient(np.zeros(d))
    precision = np.array([model.gradient(unit) - at_zero for unit in np.eye(d)])
    mean = -np.linalg.solve(precision, at_zero)
    least = model.energy(mean)
    log_partition = d / 2 * math.log(2 * math.pi) - least - np.linalg.slogdet(precision)[1] / 2
    return log_partition, least + d / 2, mean, np.linalg.inv(precision)


def linear(depth):
    return networks(width=(1, 4), depth=(1, depth), activations=["identity"])


linear_models = dynamic_neurons(linear(1)) | dynamic_neurons(linear(4), free=[("neurons",), ("neurons", "biases")])


@given(linear_models)
@examples(1.0)
def test_linear_networks_are_gaussian(model):
    gaussian = model.exact()
    log_partition, energy, mean, covariance = quadratic(model)
    assert gaussian.log_partition == pytest.approx(log_partition, rel=1e-8, abs=1e-8)
    assert gaussian.energy == pytest.approx(energy, rel=1e-8)
    assert gaussian.heat_capacity == model.dimension / 2
    assert gaussian.entropy == pytest.approx(gaussian.log_partition + gaussian.energy)
    assert gaussian.mean == pytest.approx(mean, rel=1e-7, abs=1e-7)
    assert gaussian.covariance == pytest.approx(covariance, rel=1e-7, abs=1e-7 * np.abs(covariance).max())
    stiff = np.abs(model.gradient(gaussian.mean + np.abs(gaussian.mean) + 1)).max()
    assert np.abs(model.gradient(gaussian.mean)).max() < 1e-11 * stiff
    assert model.energy(gaussian.mean) == pytest.approx(gaussian.energy - model.dimension / 2, rel=1e-10, abs=1e-10)
    short = model.exact(covariance=False)
    assert short.covariance is None
    # many samples are first reduced where no covariance is wanted, which rounds differently
    assert short.log_partition == pytest.approx(gaussian.log_partition, rel=1e-13, abs=1e-13)
    assert short.energy == pytest.approx(gaussian.energy, rel=1e-13)


def test_one_and_two_neurons_by_quadrature():
    """Z and its moments by summing exp(-βH) over a grid: the trapezoidal rule is exact to rounding here."""
    x = np.linspace(-14, 18, 801)
    cell = x[1] - x[0]
    net = Network([[[2.0]], [[0.7]]], [[0.3], [-0.5]], "identity")
    single = DynamicNeurons(Network([[[2.0]]], [[0.3]], "identity"), [[1.0]], [[4.0]], beta=0.4, stiffness=0.6)
    double = DynamicNeurons(net, [[1.0]], [[4.0]], beta=0.4, stiffness=0.6)
    for model, states in ((single, x[:, None]), (double, np.stack(np.meshgrid(x, x), axis=-1).reshape(-1, 2))):
        energy, gaussian = model.energy(states), model.exact()
        p = np.exp(-energy)
        total = p.sum()
        assert gaussian.log_partition == pytest.approx(math.log(total) + model.dimension * math.log(cell), rel=1e-12)
        assert gaussian.energy == pytest.approx(p @ energy / total, rel=1e-12)
        assert gaussian.heat_capacity == pytest.approx(p @ (energy - gaussian.energy) ** 2 / total, rel=1e-12)
        assert gaussian.mean == pytest.approx(p @ states / total, rel=1e-12)
        gap = states - gaussian.mean
        assert gaussian.covariance == pytest.approx(gap.T @ (p[:, None] * gap) / total, rel=1e-11)


def test_stiffness_gives_the_network_back(rng):
    """Without targets the mean is the network's own trace at any stiffness; with them the gap falls as 1/stiffness."""
    net = Network.random([5, 6, 4, 3], "identity", rng=rng)
    x, y = rng.normal(size=(7, 5)), rng.normal(size=(7, 3))
    own = DynamicNeurons(net, x, stiffness=1e-3)
    assert own.exact().mean == pytest.approx(own.deterministic(), rel=1e-9, abs=1e-12)
    gaps = [np.abs(DynamicNeurons(net, x, y, stiffness=s).exact().mean - own.deterministic()).max() for s in (1e4, 1e6)]
    assert gaps[0] / gaps[1] == pytest.approx(100, rel=1e-2)


def test_free_parameters_without_targets_keep_their_prior(rng):
    net = Network.random([3, 4], "identity", rng=rng)
    model = DynamicNeurons(net, rng.normal(size=(9, 3)), free=("neurons", "weights", "biases"), prior=Prior(0.6, 2.0))
    gaussian = model.exact()
    variance = model.unpack(np.diag(gaussian.covariance))
    assert variance.weights[0] == pytest.approx(np.full((4, 3), 0.36 / 3), rel=1e-13)
    assert variance.biases[0] == pytest.approx(np.full(4, 4.0), rel=1e-13)
    assert np.abs(gaussian.mean).max() == 0


def test_many_samples_pin_a_bias():
    """Posterior variance 1 / (1/σ² + n / (1/2β + 1/2λ)) keeps its digits eight decades below the prior."""
    net = Network([[[1.5]]], activation="identity")
    for n in (1, 400):
        x = np.linspace(0, 1, n)[:, None]
        model = DynamicNeurons(net, x, 1.5 * x + 3, 1e5, 1e5, free=("neurons", "biases"), prior=Prior(1.0, 10.0))
        gaussian = model.exact()
        variance = 1 / (0.01 + n / (0.5e-5 + 0.5e-5))
        assert gaussian.covariance[-1, -1] == pytest.approx(variance, rel=1e-13)
        assert gaussian.mean[-1] == pytest.approx(3 * (1 - 0.01 * variance), rel=1e-13)


def test_depth_and_samples_cost_no_memory(rng):
    """200 samples in 60 layers of 20: 240,000 variables; each sample has its own mean and adds to ln Z."""
    net = Network.repeated(rng.normal(size=(20, 20)) / 5, activation="identity", depth=60)
    x, y = rng.normal(size=(200, 20)), rng.normal(size=(200, 20))
    gaussian = DynamicNeurons(net, x, y, 2.0, 3.0).exact(covariance=False)
    alone = [DynamicNeurons(net, x[i], y[i : i + 1], 2.0, 3.0).exact(covariance=False) for i in (0, 199)]
    model = DynamicNeurons(net, x, y, 2.0, 3.0)
    assert np.abs(model.gradient(gaussian.mean)).max() < 1e-10
    for part, i in zip(alone, (0, 199), strict=True):
        mine = np.concatenate([layer[i] for layer in model.unpack(gaussian.mean).neurons])
        assert part.mean == pytest.approx(mine, rel=1e-9, abs=1e-12)


def test_single_precision_networks_are_solved_in_double(rng):
    net = Network.random([3, 4, 2], "identity", rng=rng, dtype=np.float32)
    twin = Network([w.astype(float) for w in net.weights], [b.astype(float) for b in net.biases], "identity")
    x = rng.normal(size=(2, 3)).astype(np.float32)
    single, double = DynamicNeurons(net, x).exact(), DynamicNeurons(twin, x).exact()
    assert single.mean.dtype == np.float64
    assert (single.mean == double.mean).all()
    assert single.log_partition == double.log_partition


# -- any size of weights, β and λ -------------------------------------------------------------------------


exact = np.vectorize(lambda number: mpmath.mpf(float(number)), otypes=[object])


def places(model):
    """Return the index of every variable in the state."""
    index = model.unpack(np.arange(model.dimension))
    return type(index)(*(tuple(part.astype(int) for part in parts) for parts in index))


def units(model):
    """Yield, for every unit of every sample, the variables in its term with their coefficients, and the fixed part."""
    net, index, x = model.net, places(model), exact(model.inputs)
    for sample, m in np.ndindex(model.samples, net.depth):
        for i, own in enumerate(index.neurons[m][sample]):
            held, rest = {own: mpmath.mpf(1)}, mpmath.mpf(0)
            weights = exact(net.weights[m][i])
            if m:
                held |= dict(zip(index.neurons[m - 1][sample], -weights, strict=True))
            elif "weights" in model.free:
                held |= dict(zip(index.weights[0][i], -x[sample], strict=True))
            else:
                rest += weights @ x[sample]
            if "biases" in model.free:
                held[index.biases[m][i]] = mpmath.mpf(-1)
            else:
                rest += exact(net.biases[m][i])
            yield held, rest


def terms(model):
    """Yield every term c |a·z - t|² of βH of a linear network as c, {variable: a}, t, all exact numbers."""
    index = places(model)
    yield from ((exact(model.stiffness), *unit) for unit in units(model))
    if model.targets is not None:
        for place, target in np.ndenumerate(exact(model.targets)):
            yield exact(model.beta), {index.neurons[-1][place]: mpmath.mpf(1)}, target
    for kind, width, sigma in (("weights", model.net.widths[0], "sigma_w"), ("biases", 1, "sigma_b")):
        for variable in np.concatenate([part.ravel() for part in getattr(index, kind)]) if kind in model.free else ():
            yield width / exact(getattr(model.prior, sigma)) ** 2 / 2, {variable: mpmath.mpf(1)}, mpmath.mpf(0)


def in_many_digits(model):
    """ln Z, the least βH, mean and covariance from the terms of βH, by algebra with 150 digits."""
    d = model.dimension
    precision, pull, offset = mpmath.matrix(d, d), mpmath.matrix(d, 1), mpmath.mpf(0)
    for c, held, t in terms(model):
        offset += c * t**2
        parts = [(int(variable), a) for variable, a in held.items()]
        for j, a in parts:
            pull[j] += 2 * c * t * a
            for k, b in parts:
                precision[j, k] += 2 * c * a * b
    covariance = precision**-1
    mean = covariance * pull
    least = offset - (pull.T * mean)[0] / 2
    log_partition = d / mpmath.mpf(2) * mpmath.log(2 * mpmath.pi) - least - mpmath.log(mpmath.det(precision)) / 2
    return log_partition, least, mean, covariance


def off(model):
    """Return the errors of ln Z, of the least βH, of mean and covariance, the last two in standard deviations."""
    with mpmath.workdps(150):
        log_partition, least, mean, covariance = in_many_digits(model)
        full, alone = model.exact(), model.exact(covariance=False)
        deviations = [mpmath.sqrt(covariance[i, i]) for i in range(model.dimension)]
        places = range(model.dimension)
        assert (np.diag(full.covariance) > 0).all()
        own = [
            (
                abs(each.log_partition - log_partition) / (1 + abs(log_partition)),
                abs(each.energy - model.dimension / 2 - least) / (model.dimension + abs(least)),
                max(abs(each.mean[i] - mean[i]) / (deviations[i] + abs(mean[i])) for i in places),
            )
            for each in (full, alone)
        ]
        spread = max(
            abs(full.covariance[i, j] - covariance[i, j]) / deviations[i] / deviations[j]
            for i in places
            for j in places
        )
        return *(float(max(pair)) for pair in zip(*own, strict=True)), float(spread)


@pytest.mark.parametrize("both", [1e8, 1e16, 1e30])
def test_the_stiffer_and_the_better_known_the_outputs(both, rng):
    """β and λ are large where neurons should do what the network computes; no digits may cancel then."""
    shapes = (2, 1), (2, 2), (1, 2), (2, 1), (2, 1)
    *weights, x, y = (rng.uniform(0.5, 1.5, size=shape) for shape in shapes)  # none near zero, where all is worse known
    for free in (("neurons",), ("neurons", "biases")):
        assert max(off(DynamicNeurons(Network(weights, activation="identity"), x, -y, both, both, free))) < 1e-11


@pytest.mark.parametrize("both", [1.0, 1e8, 1e16, 1e20])
def test_fewer_samples_than_inputs(both, rng):
    """Directions that no sample constrains keep their prior beside others that are known ever better."""
    net = Network.random([3, 2], "identity", rng=rng)
    for free in (("neurons", "weights"), ("neurons", "weights", "biases")):
        model = DynamicNeurons(net, rng.normal(size=(2, 3)), rng.normal(size=(2, 2)), both, both, free)
        assert max(off(model)) < 1e-12 * max(1, math.sqrt(both) / 1e7)


@pytest.mark.parametrize("size", [1e2, 1e4, 1e6])
def test_large_weights(size, rng):
    """Without targets ln Z knows nothing of the weights; the precision squares them."""
    net = Network.random([1, 2, 2, 1], "identity", rng=rng)
    net = Network([size * weight for weight in net.weights], net.biases, "identity")
    x, y = rng.normal(size=(2, 1)), rng.normal(size=(2, 1))
    for free in (("neurons",), ("neurons", "biases")):
        assert max(off(DynamicNeurons(net, x, free=free))) < 1e-13
        for beta in (1.0, 1e8):
            assert max(off(DynamicNeurons(net, x, y, beta, 1.0, free))) < 1e-16 * size**2 + 1e-13
    alone = DynamicNeurons(net, x, stiffness=2.0).exact()
    assert alone.log_partition == pytest.approx(alone.mean.size / 2 * math.log(math.pi / 2), rel=1e-14)


@pytest.mark.parametrize("model", [
    # a bias of order one beside one of 1e12, which one target pins
    DynamicNeurons(Network([[[1.15e5]], [[7.5e-6], [-1.51e5]]], None, "identity"), [[3.24e7]], [[6.3e-5, -8.1e-6]],
                   0.041, 7e7, ("neurons", "biases"), Prior(1.0, 21.0)),
    # a neuron of 39 beside one of 1e8, which weights of 1e7 lift out of its shadow
    DynamicNeurons(Network([[[-11.3], [-3.9e7]], [[-5.2e-6, 7.3e6]]], None, "identity"), [[1.6e7]], [[-1.7e-5]],
                   3.3, 7.5),
    # neurons along a direction that hardly anything holds, beside one that the output pins
    DynamicNeurons(Network([[[0.14, -3.9e5], [-6.0, -1.6e5], [0.0, 0.096]],
                            [[0.0, -9.0e6, 2.7e-7], [0.0, -2.5e-3, 2.55]], [[-6.3e-8, -1.0e7]]], None, "identity"),
                   [[3.8e-9, -1.0e3]], [[1.2e-7]], 2.8e5, 2.1e-5, ("neurons", "biases"), Prior(1.0, 1.4e5)),
], ids=["bias", "mean", "covariance"])  # fmt: skip
def test_rows_and_columns_of_any_scale(model):
    assert max(off(model)) < 1e-6


def test_columns_of_any_scale(rng):
    x = rng.normal(size=(5, 3)) * [1e-8, 1.0, 1e8]
    net = Network.random([3, 2], "identity", rng=rng)
    for both in (1.0, 1e8):
        model = DynamicNeurons(net, x, rng.normal(size=(5, 2)), both, both, ("neurons", "weights"), Prior(1e4))
        assert max(off(model)) < 1e-11


@pytest.mark.parametrize("samples", [2, 3, 5])
def test_large_columns_after_small_ones(samples, rng):
    """The least βH is of order one where samples are no more than inputs, and all see the large column."""
    x = rng.normal(size=(samples, 3)) * [1.0, 1e3, 1e7]
    net = Network.random([3, 2], "identity", rng=rng)
    model = DynamicNeurons(net, x, rng.normal(size=(samples, 2)), 1e6, 1e6, ("neurons", "weights"))
    assert max(off(model)) < 1e-12


def test_what_rounding_decides_is_refused(rng):
    """Equal inputs with different targets: rounding of their difference would move weights that nothing else holds."""
    net, x = Network.random([2, 1], "identity", rng=rng), np.repeat(rng.normal(size=(1, 2)), 3, axis=0)
    y = np.array([[0.0], [1.0], [2.0]])
    assert max(off(DynamicNeurons(net, x, y, 1e6, 1e6, ("neurons", "weights")))) < 1e-8
    with pytest.raises(ValueError, match=r"cannot be inverted in float64: beta = 1e\+18"):
        DynamicNeurons(net, x, y, 1e18, 1e18, ("neurons", "weights")).exact()


@pytest.mark.parametrize("beta", [1e-4, 1.0, 1e8])
def test_fields_that_cancel_are_right_or_refused(beta, rng):
    """A neuron of field f and target y has the mean (βy + λf)/(β + λ), with βH = βλ/(β + λ) (f - y)², by fractions."""
    answers = set()
    for large in np.repeat([1e2, 1e10, 1e17, 1e20], 10):
        weight, x, y = large * rng.normal(size=(1, 3)), rng.normal(size=3), rng.normal()
        bias = -(weight @ x)
        terms = [Fraction(w) * Fraction(value) for w, value in zip(weight[0].tolist(), x.tolist(), strict=True)]
        field = sum(terms, Fraction(bias.item()))
        model = DynamicNeurons(Network([weight], [bias], "identity"), x, [y], beta=beta, stiffness=5.0)
        try:
            gaussian = model.exact()
        except ValueError:
            answers.add("refused")
            continue
        answers.add("right")
        mean = (Fraction(beta) * Fraction(y) + 5 * field) / (Fraction(beta) + 5)
        least = Fraction(beta) * 5 / (Fraction(beta) + 5) * (field - Fraction(y)) ** 2
        visible = max(1 / math.sqrt(2 * (beta + 5)), abs(mean))
        assert abs(gaussian.mean[0] - float(mean)) < 5e-3 * visible
        assert gaussian.energy == pytest.approx(float(least) + 0.5, rel=2e-2)
    assert answers == {"right", "refused"}


@pytest.mark.parametrize("bias", [1e3, 1e12, 1e15, 1e17])
def test_weights_that_cancel_a_fixed_bias_are_right_or_refused(bias):
    """Where hardly anything holds the weight, the neuron stands at its target, whatever the bias."""
    net = Network([[[1.0]]], [[bias]], "identity")
    model = DynamicNeurons(net, [0.7], [1.3], free=("neurons", "weights"), prior=Prior(1e20))
    if bias < 1e13:
        assert model.exact().mean[0] == pytest.approx(1.3, abs=2e-4)
    else:
        with pytest.raises(ValueError, match="cannot be inverted in float64"):
            model.exact()


@pytest.mark.parametrize(("large", "stiffness"), [(1e12, 1e-3), (1e20, 1.0)])
def test_second_singular_values_made_by_rounding_are_refused(large, stiffness, rng):
    """Outputs along one direction, with weights so large that their rounding in other directions exceeds all noise."""
    inner = [1e6 * rng.normal(size=shape) for shape in ((3, 1), (3, 3))]
    net = Network([*inner, large * np.outer(rng.normal(size=3), rng.normal(size=3))], None, "identity")
    model = DynamicNeurons(net, rng.normal(size=(1, 1)), rng.normal(size=(1, 3)), stiffness=stiffness)
    for covariance in (True, False):
        with pytest.raises(ValueError, match="cannot be inverted in float64"):
            model.exact(covariance=covariance)


# -- bad input -------------------------------------------------------------------------------------------


def test_what_is_not_gaussian_is_refused():
    x = [[1.0, 2.0]]
    with pytest.raises(ValueError, match="layer 1 has the activation tanh: only networks of identities"):
        DynamicNeurons(Network.random([2, 2, 1], ["identity", "tanh"], rng=0), x).exact()
    with pytest.raises(ValueError, match=r"weights are free in 2 layers: .* hold the weights fixed"):
        DynamicNeurons(Network.random([2, 2, 1], "identity", rng=0), x, free=("neurons", "weights")).exact()
    with pytest.raises(ValueError, match=r"covariance of 6000 variables fills 0.288 GB.*covariance=False"):
        DynamicNeurons(Network.random([2, 6000], "identity", rng=0), x).exact()
