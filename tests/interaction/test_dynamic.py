"""The Hamiltonian of dynamic neurons: its energy term by term, its gradient, and its symmetries."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statnn.interaction import DynamicNeurons, Prior, State
from statnn.network import ACTIVATIONS, Activation, Network
from statnn.testing import check_model

SMOOTH = [name for name in ACTIVATIONS if name != "sign"]
FREE = [("neurons",), ("neurons", "weights"), ("neurons", "biases"), ("neurons", "weights", "biases")]
WIDTHS = (3, 4, 2, 3)


def model_of(free=FREE[-1], activation="tanh", targets=True, dtype=np.float64, seed=0, samples=5):
    rng = np.random.default_rng(seed)
    net = Network.random(WIDTHS, activation, 1.3, 0.4, rng=seed, dtype=dtype)
    y = rng.normal(size=(samples, WIDTHS[-1])) if targets else None
    prior = Prior(1.5, 0.7) if len(free) > 1 else None
    return DynamicNeurons(
        net, rng.normal(size=(samples, WIDTHS[0])), y, beta=2.5, stiffness=7.0, free=free, prior=prior
    )


def by_hand(model, state):
    """Return βH number by number."""
    parts = model.unpack(state)
    total = 0.0
    for mu in range(model.samples):
        below = model.inputs[mu]
        for m, sigma in enumerate(model.net.activations):
            above = parts.neurons[m][mu]
            for i, h in enumerate(above):
                field = sum(parts.weights[m][i, j] * below[j] for j in range(len(below))) + parts.biases[m][i]
                total += model.stiffness * (h - sigma(np.array(field)).item()) ** 2
            below = above
        if model.targets is not None:
            total += model.beta * sum((y - h) ** 2 for y, h in zip(model.targets[mu], below, strict=True))
    for m in range(model.net.depth):
        if "weights" in model.free:
            total += model.net.widths[m] * float((parts.weights[m] ** 2).sum()) / (2 * model.prior.sigma_w**2)
        if "biases" in model.free:
            total += float((parts.biases[m] ** 2).sum()) / (2 * model.prior.sigma_b**2)
    return total


@pytest.mark.parametrize("free", FREE, ids="-".join)
@pytest.mark.parametrize("targets", [True, False])
def test_energy_is_the_sum_of_its_terms(free, targets, rng):
    model = model_of(free, targets=targets)
    states = rng.normal(size=(2, model.dimension))
    assert model.energy(states) == pytest.approx([by_hand(model, state) for state in states], rel=1e-12)


@pytest.mark.parametrize(("activation", "dtype"), [*((name, np.float64) for name in SMOOTH), ("tanh", np.float32)])
@pytest.mark.parametrize("free", FREE, ids="-".join)
def test_laws(activation, dtype, free, rng):
    held = check_model(model_of(free, activation, dtype=dtype), rng=rng).names("held")
    assert set(held) >= {"one by one", "gradient", "graph", "variables", "copies"}


def test_gradient_of_many_states_is_the_gradient_of_each(rng):
    model = model_of()
    states = rng.normal(size=(2, 3, model.dimension))
    gradients = model.gradient(states)
    assert gradients.shape == states.shape
    assert np.allclose(gradients[1, 2], model.gradient(states[1, 2]), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("free", FREE, ids="-".join)
def test_what_the_network_computes_costs_only_the_targets(free):
    model = model_of(free)
    state = model.deterministic()
    error = ((model.net(model.inputs) - model.targets) ** 2).sum()
    priors = 0.0
    for m, (w, b) in enumerate(zip(model.net.weights, model.net.biases, strict=True)):
        priors += ("weights" in free) * WIDTHS[m] * (w**2).sum() / (2 * 1.5**2)
        priors += ("biases" in free) * (b**2).sum() / (2 * 0.7**2)
    assert model.energy(state) == pytest.approx(model.beta * error + priors, rel=1e-12)


@given(st.permutations(range(5)), st.permutations(range(4)), st.integers(0, 100))
def test_names_of_samples_and_of_hidden_units_do_not_matter(samples, units, seed):
    model = model_of(seed=seed)
    state = model.unpack(np.random.default_rng(seed).normal(size=model.dimension))
    energy = model.energy(state)
    moved = DynamicNeurons(
        model.net, model.inputs[samples], model.targets[samples], model.beta, model.stiffness, model.free, model.prior
    )
    assert moved.energy(state._replace(neurons=tuple(h[samples] for h in state.neurons))) == pytest.approx(energy)
    first, second, *others = state.weights
    renamed = State(
        (state.neurons[0][:, units], *state.neurons[1:]),
        (first[units], second[:, units], *others),
        (state.biases[0][units], *state.biases[1:]),
    )
    assert model.energy(renamed) == pytest.approx(energy)


@pytest.mark.parametrize("free", FREE, ids="-".join)
def test_single_precision_stays_and_is_as_good_as_it_can_be(free, rng):
    single = model_of(free, dtype=np.float32)
    state = rng.normal(size=single.dimension).astype(np.float32)
    double = DynamicNeurons(
        Network(
            [w.astype(float) for w in single.net.weights], [b.astype(float) for b in single.net.biases], "tanh"
        ),
        single.inputs, single.targets, 2.5, 7.0, free, single.prior,
    )  # fmt: skip
    assert single.gradient(state).dtype == np.float32
    assert double.gradient(state).dtype == np.float64
    exact = double.gradient(state)
    assert np.abs(single.gradient(state) - exact).max() < 2e-6 * np.abs(exact).max()
    assert single.energy(state) == pytest.approx(double.energy(state), rel=2e-6)


def test_models_never_change():
    model = model_of()
    with pytest.raises(AttributeError, match="make a new model with another beta"):
        model.beta = 3.0


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"targets": np.zeros((4, 3))}, ValueError, "5 samples of the 3 units"),
        ({"targets": np.full((5, 3), np.nan)}, ValueError, "finite"),
        ({"beta": 0.0}, ValueError, "beta = 0.0 must be"),
        ({"stiffness": -1.0}, ValueError, "stiffness = -1.0 must be"),
        ({"free": ("neurons", "wheels")}, ValueError, "unknown name 'wheels'"),
        ({"free": ("weights",)}, ValueError, "the neurons are always free"),
        ({"prior": Prior()}, ValueError, "neither weights nor biases are free"),
        ({"net": "tanh"}, TypeError, "pass a statnn.Network"),
    ],
)
def test_bad_models_are_refused(change, error, message):
    good = {
        "net": model_of().net, "inputs": np.zeros((5, 3)), "targets": np.zeros((5, 3)), "beta": 1.0, "stiffness": 1.0
    }  # fmt: skip
    with pytest.raises(error, match=message):
        DynamicNeurons(**{**good, **change})


def test_states_and_activations_that_make_no_sense_are_refused():
    model = model_of()
    with pytest.raises(ValueError, match="free variables"):
        model.energy(np.zeros(model.dimension + 1))
    with pytest.raises(ValueError, match="NaN"):
        model.energy(np.full(model.dimension, np.nan))
    with pytest.raises(ValueError, match="sign, whose derivative is zero"):
        model_of(activation="sign").gradient(np.zeros(model.dimension))


def test_functions_of_a_users_own_are_differentiated_as_they_say(rng):
    wave = Activation("sine", np.sin, np.cos)
    model = model_of(activation=wave)
    state, h = rng.normal(size=model.dimension), 1e-5
    direction = rng.normal(size=model.dimension)
    slope = (model.energy(state + h * direction) - model.energy(state - h * direction)) / (2 * h)
    assert model.gradient(state) @ direction == pytest.approx(slope, rel=1e-6)


def test_energies_of_single_precision_are_summed_in_double():
    """The square of 10^25 is beyond float32."""
    model = DynamicNeurons(Network([np.zeros((2, 1), np.float32)], activation="identity"), [[0.0]], stiffness=2.0)
    assert model.states(np.full(2, 1e25)).dtype == np.float32
    assert model.energy(np.full(2, 1e25)) == pytest.approx(4e50, rel=1e-6)
