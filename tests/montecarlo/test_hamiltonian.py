"""Hamiltonian Monte Carlo of dynamic neurons: kernels, trajectories, laws, and what results may depend on."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import threadpoolctl
from compiled import kernels_of
from scipy import stats

from statnn.interaction import DynamicNeurons, Prior
from statnn.montecarlo import sample
from statnn.montecarlo._dynamic import elementwise_kernels as _elementwise_kernels
from statnn.montecarlo._dynamic import hamiltonian_kernels as _hamiltonian_kernels
from statnn.montecarlo._dynamic import twin as _hamiltonian_twin
from statnn.montecarlo._dynamic.ancestral import Ancestral
from statnn.montecarlo._dynamic.columns import Columns
from statnn.montecarlo._dynamic.hamiltonian import Hamiltonian
from statnn.montecarlo._dynamic.hamiltonian_kernels import (
    LONGEST_SUM,
    gradient,
    measure,
    product,
    room_for,
    trajectories,
)
from statnn.montecarlo._dynamic.noise import from_noise, to_noise
from statnn.network import ACTIVATIONS, Activation, Network
from statnn.testing import assert_covariance, assert_law, assert_mean, assert_slope, rejects

SMOOTH = [name for name in ACTIVATIONS if name != "sign"]
THREES = [SMOOTH[:3], SMOOTH[3:6], SMOOTH[6:9], SMOOTH[-3:]]
FREE = [("neurons",), ("neurons", "weights"), ("neurons", "biases"), ("neurons", "weights", "biases")]
ALL = FREE[-1]
PRECISIONS = [np.float32, np.float64]
SEED = (5, ())


def model_of(free=("neurons",), activations=("tanh", "identity", "relu"), dtype=np.float64, samples=3, **options):
    rng = np.random.default_rng(3)
    net = Network.random((3, 4, 5, 2), activations, 1.1, 0.3, rng=2, dtype=dtype)
    prior = Prior(1.2, 0.6) if len(free) > 1 else None
    x, y = rng.normal(size=(samples, 3)), rng.normal(size=(samples, 2))
    return DynamicNeurons(net, x, **{"targets": y, "beta": 2.0, "stiffness": 5.0, **options}, free=free, prior=prior)


def walkers_of(model, chains=6, initial=None, **options):
    return Hamiltonian(**options).walkers(model, SEED, range(chains), initial)


def last_states(model, chains, method, rng, burn_in=60):
    """Return one state a chain, independent of one another, shape (chains, dimension)."""
    run = sample(model, 1, chains=chains, burn_in=burn_in, method=method, observables=["energy"], rng=rng)
    return run.states.astype(float)


# -- kernels ---------------------------------------------------------------------------------------------


def test_no_kernel_is_forgotten():
    for module, names in (
        (_elementwise_kernels, {"activate"}),
        (_hamiltonian_kernels, {"gradient", "measure", "trajectories"}),
    ):
        assert kernels_of(module) == names


def test_long_sums_are_cut_and_right(rng):
    a, b = rng.normal(size=(3, 2 * LONGEST_SUM + 7)), rng.normal(size=(2 * LONGEST_SUM + 7, 5))
    for left, right in ((a, b), (np.asfortranarray(a), b), (a, np.asfortranarray(b))):
        out = np.empty((3, 5))
        product(left, right, out)
        assert np.allclose(out, a @ b, rtol=1e-13, atol=1e-12)


def gradient_of(model, states, noise, version=gradient):
    """Return gradients and terms, as states of shape (chains, dimension) and (3, chains), from a kernel."""
    columns = Columns.of(model, len(states))
    plan, rows = columns.plan(noise), columns.rows(states)
    room, gradients, terms = room_for(plan), np.empty_like(rows), np.empty((columns.groups, 3, columns.width))
    for group in range(columns.groups):
        version(plan, group, rows[group], gradients[group], room)
        measure(plan, group, rows[group], room, terms[group])
    return columns.states(gradients), columns.total(terms)


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("free", FREE, ids="-".join)
@pytest.mark.parametrize("samples", [1, 7, 30])
def test_kernel_in_neurons_is_the_gradient_of_the_model(free, dtype, samples, rng):
    for activations in THREES:
        model = model_of(free, activations, dtype, samples)
        states = rng.normal(size=(6, model.dimension)).astype(dtype)
        gradients, terms = gradient_of(model, states, noise=False)
        exact = model.gradient(states)
        tolerance = {np.float32: 3e-6, np.float64: 1e-14}[dtype]
        assert np.abs(gradients - exact).max() < tolerance * np.abs(exact).max()
        energy = terms[0] + 2.0 * terms[1] + terms[2]
        assert np.allclose(energy, model.energy(states), rtol=tolerance)


@pytest.mark.parametrize("free", FREE, ids="-".join)
@pytest.mark.parametrize("activations", THREES, ids=["first", "second", "third", "fourth"])
def test_kernel_in_noise_is_the_slope_of_the_energy(free, activations, rng):
    model, h = model_of(free, activations), 1e-6
    noise, direction = rng.normal(size=(2, 6, model.dimension))
    gradients, terms = gradient_of(model, noise, noise=True)
    up, down = (model.energy(from_noise(model, noise + sign * h * direction)) for sign in (1, -1))
    assert (gradients * direction).sum(axis=1) == pytest.approx((up - down) / (2 * h), rel=1e-6, abs=1e-5)
    assert terms[0] + 2.0 * terms[1] + terms[2] == pytest.approx(model.energy(from_noise(model, noise)), rel=1e-12)
    assert np.allclose(to_noise(model, from_noise(model, noise)), noise, atol=1e-12)


def test_without_targets_only_noise_and_priors_pull(rng):
    model = model_of(ALL, targets=None)
    noise = rng.normal(size=(4, model.dimension))
    gradients = gradient_of(model, noise, noise=True)[0]
    cut = sum(np.prod(shape) for shape in model.shapes["neurons"])
    assert np.array_equal(gradients[:, :cut], noise[:, :cut])


@pytest.mark.parametrize("noise", [True, False])
@pytest.mark.parametrize("free", [("neurons",), ALL], ids="-".join)
@pytest.mark.parametrize("version", ["py_func", "numpy"])
def test_trajectories_agree_with_their_twins(noise, free, version):
    """To rounding: numpy and numba multiply matrices by different copies of BLAS."""
    model = model_of(free)
    twin = trajectories.py_func
    if version == "numpy":
        own = [Activation(s.name, s.function, s.derivative) for s in model.net.activations]

        def twin(*arguments):
            _hamiltonian_twin.trajectories(*arguments, activations=own)

    walkers = walkers_of(model, coordinates="noise" if noise else "neurons")
    velocity = walkers._velocities()
    results = []
    for run in (trajectories, twin):
        walked, u = copy.deepcopy(walkers), velocity.copy()
        run(walked._plan, walked._q, u, walked._g, walked._turn, 0.1, 3, walked._room, walked._kinetic, walked._terms)
        results.append((walked._q, u, walked._g, walked._kinetic, walked._terms))
    for ours, theirs in zip(*results, strict=True):
        assert np.allclose(ours, theirs, rtol=1e-11, atol=1e-11)


# -- trajectories ----------------------------------------------------------------------------------------


def flow(walkers, q, u, steps):
    """Return where a trajectory from position q with velocity u ends."""
    walked = copy.deepcopy(walkers)
    walked._start_from(walked._model.states(from_noise(walked._model, q) if walked._noise else q))
    u = walked._columns.rows(u)
    walked._run(u, steps)
    return walked._columns.states(walked._q), walked._columns.states(u)


@pytest.mark.parametrize("coordinates", ["noise", "neurons"])
@pytest.mark.parametrize("free", [("neurons",), ALL], ids="-".join)
def test_trajectories_can_be_walked_back(coordinates, free, rng):
    model = model_of(free, ["tanh", "sigmoid", "erf"])
    walkers = walkers_of(model, coordinates=coordinates, step=0.1)
    q, u = rng.normal(size=(2, 6, model.dimension))
    there, velocity = flow(walkers, q, u, 7)
    back, opposite = flow(walkers, there, -velocity, 7)
    assert np.abs(there - q).max() > 0.1
    assert np.allclose(back, q, atol=1e-10)
    assert np.allclose(opposite, -u, atol=1e-10)


@pytest.mark.parametrize("coordinates", ["noise", "neurons"])
def test_trajectories_keep_volume(coordinates, rng):
    net = Network([[[0.8]], [[-1.3]]], [[0.2], [0.1]], "tanh")
    model = DynamicNeurons(net, [[0.7]], [[0.4]], beta=3.0, stiffness=2.0, free=ALL)
    walkers = walkers_of(model, 1, coordinates=coordinates, step=0.3)
    start, h, size = rng.normal(size=2 * model.dimension), 1e-4, model.dimension

    def end(z):
        return np.concatenate(flow(walkers, z[None, :size], z[None, size:], 4), axis=1)[0]

    def slope(e):  # to fourth order in h: second order is too coarse where trajectories part fast
        once, twice = (end(start + k * h * e) - end(start - k * h * e) for k in (1, 2))
        return (8 * once - twice) / (12 * h)

    jacobian = np.array([slope(e) for e in np.eye(2 * size)])
    assert np.linalg.det(jacobian) == pytest.approx(1, abs=1e-7)
    assert abs(np.linalg.det(jacobian[:size, :size]) - 1) > 1e-2  # positions alone do not


@pytest.mark.parametrize("coordinates", ["noise", "neurons"])
@pytest.mark.parametrize("free", [("neurons",), ALL], ids="-".join)
def test_energy_error_is_of_second_order_in_the_step(coordinates, free):
    model = model_of(free, ["tanh", "erf", "identity"])
    walkers = walkers_of(model, 32, coordinates=coordinates)
    velocity = walkers._velocities()
    errors = []
    for steps in (16, 32, 64):
        walked, u = copy.deepcopy(walkers), velocity.copy()
        walked._set(0.8 / steps)
        walked._run(u, steps)
        kinetic = walked._columns.total(walked._kinetic)
        errors.append(walked._total(walked._columns.total(walked._terms)) - walked._energy + kinetic[1] - kinetic[0])
    orders = np.log2(np.std(errors[:-1], axis=1) / np.std(errors[1:], axis=1))
    assert orders == pytest.approx(2, abs=0.05)


def test_the_gaussian_part_is_no_approximation():
    """Without targets the noise is all there is, and a quarter of a turn gives an independent draw."""
    run = sample(model_of(targets=None), 50, chains=4, burn_in=20, rng=1, method=Hamiltonian())
    assert run.acceptance == pytest.approx(1)
    assert run.diagnostics["step"] == pytest.approx(np.pi / 2)


def test_steps_too_long_are_counted_as_divergent():
    run = sample(model_of(), 20, burn_in=0, rng=1, method=Hamiltonian(coordinates="neurons", step=50.0, steps=20))
    assert (run.diagnostics["divergences"] >= 15).all()
    assert np.isfinite(run.draws["energy"]).all()


# -- laws ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("coordinates", ["noise", "neurons"])
def test_linear_networks_are_gaussian(coordinates, rng):
    """Precision from the gradient at the unit vectors; the twin has another stiffness."""
    model = model_of(activations=["identity"] * 3, samples=1)
    states = last_states(model, 3000, Hamiltonian(coordinates=coordinates), rng)

    def law(model):
        at_zero = model.gradient(np.zeros(model.dimension))
        precision = model.gradient(np.eye(model.dimension)) - at_zero
        return -np.linalg.solve(precision, at_zero), np.linalg.inv(precision)

    mean, covariance = law(model)
    direction = np.linalg.eigh(covariance)[1][:, [0, -1]]
    assert_mean(states @ direction, mean @ direction, what="mean along the softest and the stiffest direction")
    assert_covariance(states, covariance, what="covariance")
    with rejects("covariance"):
        assert_covariance(
            states, law(model_of(activations=["identity"] * 3, samples=1, stiffness=8.0))[1], what="covariance"
        )


@pytest.mark.parametrize("activation", ["relu", "leaky relu", "erf"])
@pytest.mark.parametrize("coordinates", ["noise", "neurons"])
def test_two_neurons_follow_their_law(activation, coordinates, rng):
    """Against quadrature on a grid."""
    net = Network([[[1.0]], [[1.5]]], [[-0.1], [0.2]], activation)
    model = DynamicNeurons(net, [[0.3]], [[0.8]], beta=2.0, stiffness=3.0)
    states = last_states(model, 4000, Hamiltonian(coordinates=coordinates), rng)
    grid = np.stack(np.meshgrid(np.linspace(-3, 4, 701), np.linspace(-3, 5, 801), indexing="ij"), axis=-1)

    def moments(target):
        other = DynamicNeurons(net, [[0.3]], [[target]], beta=2.0, stiffness=3.0)
        weight = np.exp(-other.energy(grid))
        weight /= weight.sum()
        return [(weight * f).sum() for f in (grid[..., 0], grid[..., 0] * grid[..., 1])]

    values = np.stack([states[:, 0], states[:, 0] * states[:, 1]], axis=1)
    assert_mean(values, moments(0.8), what="moments")
    with rejects("moments"):
        assert_mean(values, moments(1.3), what="moments")


@pytest.mark.parametrize(
    "options",
    [
        {"coordinates": "noise", "parameters": "joint"},
        {"coordinates": "neurons", "parameters": "joint"},
        {"coordinates": "noise", "parameters": "gibbs"},
    ],
    ids=["noise", "neurons", "gibbs"],
)
def test_data_and_state_have_the_joint_law_that_they_were_drawn_from(options, rng):
    """Geweke 2004: parameters and state from the prior, then in turn data given them, and them given data by HMC.

    All keep their law: 2λ|gap|² is χ² with a degree per neuron, twice the prior energy with one per parameter.
    """
    net = Network.random([2, 3, 1], ["tanh", "identity"], rng=4)
    x = np.array([[0.5, -1.0], [1.5, 0.3]])
    free = {"stiffness": 3.0, "free": ALL, "prior": Prior(1.3, 0.8)}
    prior = DynamicNeurons(net, x, **free)
    start = last_states(prior, 200, Ancestral(), rng, burn_in=0)

    def terms(wrong):
        energies = []
        for state in start:
            now = state
            for _ in range(3):
                y = prior.unpack(now).neurons[-1] + rng.normal(size=(2, 1)) / np.sqrt(2 * 5.0)
                model = DynamicNeurons(net, x, y, beta=5.0, **{**free, "stiffness": 3.0 * wrong})
                method = Hamiltonian(step=0.25, steps=4, **options)
                walkers = method.walkers(model, (int(rng.integers(2**60)), ()), [0], now[None])
                walkers.sweep(2)
                now = walkers.states()[0]
            priors = sum(
                n * (w**2).sum() / (2 * 1.3**2) + (b**2).sum() / (2 * 0.8**2)
                for n, w, b in zip(net.widths, *prior.unpack(now)[1:], strict=False)
            )
            energies.append((prior.energy(now) - priors, priors))
        return np.array(energies)

    degrees = {"gaps": 8, "prior": prior.dimension - 8}
    for (name, n), values in zip(degrees.items(), terms(1.0).T, strict=True):
        assert_law(2 * values, stats.chi2(n), what=f"energy of the {name}")
    with rejects("gaps"):
        assert_law(2 * terms(3.0)[:, 0], stats.chi2(8), what="energy of the gaps")


@pytest.mark.parametrize(
    "options", [{"parameters": "joint"}, {"parameters": "gibbs"}, {"coordinates": "neurons"}], ids=str
)
def test_one_linear_layer_is_bayesian_regression(options, rng):
    """With the neurons integrated out, y = W x + b + noise of variance 1/(2λ) + 1/(2β)."""
    x = rng.normal(size=(8, 2))
    y = x @ [[1.0], [-0.5]] + 0.3
    model = DynamicNeurons(
        Network([[[0.0, 0.0]]], activation="identity"), x, y, beta=3.0, stiffness=2.0, free=ALL, prior=Prior(1.5, 0.7)
    )
    states = last_states(model, 1500, Hamiltonian(**options), rng, burn_in=60)[:, 8:]
    design = np.hstack([x, np.ones((8, 1))])

    def law(stiffness):
        noise = 1 / (2 * stiffness) + 1 / (2 * 3.0)
        covariance = np.linalg.inv(design.T @ design / noise + np.diag([2 / 1.5**2, 2 / 1.5**2, 1 / 0.7**2]))
        return (covariance @ design.T @ y)[:, 0] / noise, covariance

    mean, covariance = law(2.0)
    assert_mean(states, mean, what="mean of W and b")
    assert_covariance(states, covariance, what="covariance of W and b")
    with rejects("covariance"):
        assert_covariance(states, law(20.0)[1], what="covariance of W and b")


@pytest.mark.parametrize("method", [Ancestral(), Hamiltonian()], ids=["ancestral", "hamiltonian"])
def test_forward_simulation_has_the_moments_of_its_layers(method, rng):
    net = Network([[[1.2]], [[1.5]]], [[0.1], [0.0]], "tanh")
    model = DynamicNeurons(net, [[0.5]], stiffness=2.5)
    states = last_states(model, 4000, method, rng)
    z, w = np.polynomial.hermite_e.hermegauss(60)
    w /= w.sum()
    h = np.tanh(0.7) + z / np.sqrt(5)
    values = np.stack([states[:, 0], (states[:, 0] - np.tanh(0.7)) ** 2, states[:, 1], states[:, 1] ** 2], axis=1)
    after = w @ np.tanh(1.5 * h), w @ np.tanh(1.5 * h) ** 2
    assert_mean(values, [np.tanh(0.7), 1 / 5, after[0], after[1] + 1 / 5], what="moments")
    with rejects("moments"):  # a network without noise in its first layer
        assert_mean(values[:, 2], np.tanh(1.5 * np.tanh(0.7)), what="moments")


def test_stiff_neurons_do_what_their_network_computes(rng):
    """Mean squared distance to the trace falls as 1/λ."""
    stiffness = np.geomspace(1e2, 1e6, 5)
    mean, error = [], []
    for value in stiffness:
        model = model_of(stiffness=value, activations=["tanh", "erf", "leaky relu"])
        states = last_states(model, 1000, Hamiltonian(coordinates="noise"), rng, burn_in=30)
        distance = ((states - model.deterministic()) ** 2).sum(axis=1)
        mean.append(distance.mean())
        error.append(distance.std() / np.sqrt(len(distance)))
    use = slice(2, None)  # the next order, β/λ, is below the errors
    assert_slope(stiffness[use], mean[use], error[use], -1.0, what="distance to the trace")
    with rejects("slope"):
        assert_slope(stiffness[use], mean[use], error[use], -0.5, what="distance to the trace")


# -- what results may depend on ----------------------------------------------------------------------------


@pytest.mark.parametrize("free", [("neurons",), ALL], ids="-".join)
def test_results_do_not_depend_on_pieces_or_workers(free):
    model = model_of(free)
    ask = {"chains": 70, "burn_in": 25, "rng": 7, "method": Hamiltonian()}
    whole = sample(model, 8, **ask)
    pieces = sample(model, 3, **ask)
    pieces = pickle.loads(pickle.dumps(pieces)).extend(5)  # noqa: S301 - our own bytes
    with ThreadPoolExecutor(2) as pool:
        shared = sample(model, 8, executor=pool, **ask)
    for other in (pieces, shared):
        assert np.array_equal(whole.states, other.states)
    assert np.array_equal(whole.draws["energy"], shared.draws["energy"])
    assert not np.array_equal(whole.states, sample(model, 8, **{**ask, "rng": 8}).states)


@pytest.mark.parametrize(("samples", "free"), [(2, ("neurons",)), (1, ("neurons",)), (3, ALL)])
def test_results_do_not_depend_on_the_threads_of_blas(samples, free):
    """Layers so wide that OpenBLAS would cut their sums in another way on two threads."""
    wide = Network.random([700, 600, 300, 1], "tanh", rng=1, dtype=np.float32)
    model = DynamicNeurons(wide, np.ones((samples, 700)), np.zeros((samples, 1)), beta=2.0, stiffness=5.0, free=free)
    states = []
    for threads in (1, 2):
        with threadpoolctl.threadpool_limits(threads):
            states.append(sample(model, 2, chains=8, burn_in=2, rng=1, method=Hamiltonian()).states)
    assert np.array_equal(*states)


def test_a_users_function_gives_what_the_kernels_give():
    own = Activation("my tanh", np.tanh, ACTIVATIONS["tanh"].derivative)
    runs = [
        sample(model_of(ALL, [sigma] * 3), 5, chains=3, burn_in=5, rng=3, method=Hamiltonian(step=0.1))
        for sigma in ("tanh", own)
    ]
    assert np.allclose(runs[0].states, runs[1].states, rtol=1e-9, atol=1e-9)


def test_observables_are_what_they_say():
    model = model_of(ALL)
    run = sample(model, 4, chains=5, burn_in=20, rng=1, method=Hamiltonian())
    h = model.unpack(run.states).neurons
    assert run.draws["energy"][:, -1] == pytest.approx(model.energy(run.states), rel=1e-12)
    assert run.draws["loss"][:, -1] == pytest.approx(((h[-1] - model.targets) ** 2).sum(axis=(1, 2)) / 3, rel=1e-12)
    blind = DynamicNeurons(model.net, model.inputs, stiffness=5.0)
    run = sample(blind, 4, chains=5, burn_in=20, rng=1, method=Hamiltonian())
    top = blind.unpack(run.states).neurons[-1]
    assert run.draws["gap"][:, -1] == pytest.approx(blind.energy(run.states), rel=1e-12)
    assert run.draws["loss"][:, -1] == pytest.approx(((top - blind.net(blind.inputs)) ** 2).sum(axis=(1, 2)) / 3)


def test_chains_begin_where_they_are_told():
    model = model_of()
    walkers = walkers_of(model, initial=np.tile(model.deterministic(), (6, 1)))
    assert np.allclose(walkers.states(), model.deterministic(), atol=1e-14)
    assert walkers.observe("gap") == pytest.approx(0, abs=1e-20)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"coordinates": "polar"}, ValueError, "coordinates = 'polar' is unknown; choose from noise, neurons"),
        ({"parameters": "none"}, ValueError, "parameters = 'none' is unknown"),
        ({"step": -1.0}, ValueError, "step = -1.0 must be"),
        ({"step": 0.1, "acceptance": 0.8}, ValueError, "leave one of them out"),
        ({"steps": 0}, ValueError, "steps = 0 is outside"),
        ({"acceptance": 1.0}, ValueError, "only a step of 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        Hamiltonian(**options)


def test_models_that_cannot_be_sampled_are_refused():
    with pytest.raises(ValueError, match="neither weights nor biases are free"):
        Hamiltonian(parameters="joint").check(model_of())
    with pytest.raises(ValueError, match="needs a layer whose activation is the identity"):
        Hamiltonian(parameters="gibbs").check(model_of(ALL, "tanh"))
    with pytest.raises(ValueError, match="sign"):
        Hamiltonian().check(model_of(activations="sign"))
    with pytest.raises(ValueError, match="targets, which act back"):
        Ancestral().check(model_of())
    with pytest.raises(ValueError, match="independent of any start"):
        sample(model_of(targets=None), 2, method=Ancestral(), initial=np.zeros(model_of().dimension))
    with pytest.raises(ValueError, match="overflows"):
        walkers_of(model_of(dtype=np.float32), initial=np.full((6, model_of().dimension), 3e38, dtype=np.float32))


def test_forward_simulation_draws_free_weights_by_their_fan_in(rng):
    net = Network([np.zeros((2, 8))], activation="identity")
    model = DynamicNeurons(net, np.ones(8), stiffness=1e6, free=("neurons", "weights"), prior=Prior(sigma_w=1.5))
    weights = model.unpack(last_states(model, 400, Ancestral(), rng)).weights[0].reshape(400, -1)
    assert_mean((weights**2).mean(axis=1), 1.5**2 / 8, what="variance of a weight")
    with rejects():
        assert_mean((weights**2).mean(axis=1), 1.5**2 / 2, what="variance of a weight")
