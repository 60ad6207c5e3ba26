"""Speed of Hamiltonian Monte Carlo of dynamic neurons against blackjax and numpyro.

The model is a chain of ten layers of 100 tanh units with targets, λ = 50, β = 10, in single precision. Peers have the
same energy, written in jax both ways: in the neurons themselves, as it stands in the papers, and in the noise of the
layers, the coordinates that `Hamiltonian` chooses. All effective samples are counted by `statnn.montecarlo.estimate`,
for every neuron, and the smallest is taken; the burn-in is not timed, the transformation back to neurons is.
"""

import importlib.util
import os
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from statnn import Network
from statnn.interaction import DynamicNeurons
from statnn.montecarlo import estimate, sample
from statnn.montecarlo._dynamic.hamiltonian import Hamiltonian
from validation.benchmarks.measure import Row, alternate

LAYERS, WIDTH, CHAINS = 10, 100, 64
LEAPS = 32


def _model() -> DynamicNeurons:
    net = Network.random([WIDTH] * (LAYERS + 1), "tanh", 1.0, 0.1, rng=1, dtype=np.float32)
    rng = np.random.default_rng(2)
    return DynamicNeurons(
        net, rng.normal(size=WIDTH), np.tanh(rng.normal(size=WIDTH)), beta=10.0, stiffness=50.0
    )  # fmt: skip


def _potentials(model: DynamicNeurons) -> dict[str, Callable[[Any], Any]]:
    """Return βH in jax, of neurons or noise of shape (layers, units)."""
    import jax.numpy as jnp

    weights, biases = (jnp.stack([jnp.asarray(a) for a in arrays]) for arrays in (model.net.weights, model.net.biases))
    targets = np.asarray(model.targets)
    y, stiffness, beta = jnp.asarray(targets[0]), model.stiffness, model.beta
    first = jnp.tanh(weights[0] @ jnp.asarray(model.inputs[0]) + biases[0])

    def neurons(h: Any) -> Any:
        computed = jnp.tanh(jnp.einsum("mij,mj->mi", weights[1:], h[:-1]) + biases[1:])
        gaps = jnp.sum((h[1:] - computed) ** 2) + jnp.sum((h[0] - first) ** 2)
        return stiffness * gaps + beta * jnp.sum((y - h[-1]) ** 2)

    def outputs(xi: Any) -> Any:
        spread = (2 * stiffness) ** -0.5
        h = [first + spread * xi[0]]
        for m in range(1, LAYERS):
            h.append(jnp.tanh(weights[m] @ h[-1] + biases[m]) + spread * xi[m])
        return jnp.stack(h)

    def noise(xi: Any) -> Any:
        return jnp.sum(xi**2) / 2 + beta * jnp.sum((y - outputs(xi)[-1]) ** 2)

    return {"neurons": neurons, "noise": noise, "outputs": outputs}


def _sgemm(gradients: int) -> Callable[[], None]:
    """Return the multiplications of that many gradients of 64 chains, as products of matrices 1000 x 1000."""
    a = np.random.default_rng(0).normal(size=(1000, 1000)).astype(np.float32)
    rows = gradients * CHAINS * 2 * WIDTH**2 * (LAYERS - 1) // 1000**2

    def multiply() -> None:
        for done in range(0, rows, 1000):
            a[: rows - done] @ a

    return multiply


def _leaps(model: DynamicNeurons, coordinates: str, repeats: int) -> Callable[[], None]:
    walkers: Any = Hamiltonian(coordinates=coordinates, step=0.02, steps=LEAPS).walkers(
        model, (1, ()), range(CHAINS), None
    )

    def run() -> None:
        for _ in range(repeats):
            walkers._run(walkers._velocities(), LEAPS)  # noqa: SLF001 - a trajectory of known length

    return run


def _blackjax_leaps(potential: Callable[[Any], Any], repeats: int) -> Callable[[], None]:
    import blackjax
    import jax

    kernel = blackjax.hmc(lambda q: -potential(q), 0.002, np.ones(LAYERS * WIDTH, np.float32), LEAPS)
    states = jax.vmap(kernel.init)(jax.numpy.zeros((CHAINS, LAYERS, WIDTH)))

    @jax.jit
    def many(key: Any, states: Any) -> Any:
        def leap(states: Any, key: Any) -> Any:
            return jax.vmap(kernel.step)(jax.random.split(key, CHAINS), states)[0], None

        return jax.lax.scan(leap, states, jax.random.split(key, repeats))[0]

    return lambda: jax.block_until_ready(many(jax.random.key(0), states))


def _gradients(*, quick: bool) -> Iterator[Row]:
    model, repeats, rounds = _model(), 4 if quick else 20, 5 if quick else 11
    each = 1e6 / (repeats * LEAPS * CHAINS)
    for coordinates in ("noise", "neurons"):
        ours = _leaps(model, coordinates, repeats)
        peak = alternate(ours, _sgemm(repeats * LEAPS), rounds=rounds)
        work = f"gradient, 10 x 100 tanh, {CHAINS} chains, float32, {coordinates}"
        yield Row(
            f"{work}, share of sgemm",
            f"{peak.ours * each:.2f} us",
            f"sgemm 1000 x 1000, its flops: {peak.peer * each:.2f} us",
            reached=peak.median,
            target=0.75,
            limit=f"{peak.median:.2f} of sgemm",
        )
        if not _installed("blackjax"):
            yield Row(work, f"{peak.ours * each:.2f} us", "blackjax is not installed")
            continue
        ratio = alternate(ours, _blackjax_leaps(_potentials(model)[coordinates], repeats), rounds=rounds)
        allowed = 0.75 / peak.median * ratio.median  # the ratio that three quarters of sgemm allow on this processor
        yield Row(
            work,
            f"{ratio.ours * each:.2f} us",
            f"blackjax HMC, {CHAINS} chains: {ratio.peer * each:.2f} us",
            str(ratio),
            ratio.median,
            min(2.5, allowed) if coordinates == "neurons" else None,
            limit=f"{peak.median:.2f} of sgemm",
        )


def _smallest(draws: np.ndarray) -> float:
    """Return the fewest effective samples of any coordinate of draws of shape (chains, draws, ...)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(np.min(estimate(draws).ess))


def _ours(model: DynamicNeurons, sweeps: int) -> float:
    """Return effective samples per second."""
    start = sample(model, 1, chains=CHAINS, burn_in=300, rng=1, observables={"neurons": lambda states: states})
    begin = time.process_time()
    run = start.extend(sweeps)
    seconds = time.process_time() - begin
    return _smallest(run.draws["neurons"][:, 1:]) / seconds


def _blackjax(model: DynamicNeurons, coordinates: str, draws: int, chains: int) -> float:
    import blackjax
    import jax

    potentials = _potentials(model)

    def log_density(q: Any) -> Any:
        return -potentials[coordinates](q)

    start = jax.numpy.zeros((LAYERS, WIDTH))
    warmup = blackjax.window_adaptation(blackjax.nuts, log_density)
    (state, parameters), _ = warmup.run(jax.random.key(0), start, 500)
    kernel = blackjax.nuts(log_density, **parameters)

    @jax.jit
    def many(key: Any, states: Any) -> Any:
        def draw(states: Any, key: Any) -> Any:
            states = jax.vmap(kernel.step)(jax.random.split(key, chains), states)[0]
            return states, states.position

        positions = jax.lax.scan(draw, states, jax.random.split(key, draws))[1]
        return jax.vmap(jax.vmap(potentials["outputs"]))(positions) if coordinates == "noise" else positions

    states = jax.tree.map(lambda a: jax.numpy.broadcast_to(a, (chains, *a.shape)), state)
    jax.block_until_ready(many(jax.random.key(1), states))
    begin = time.process_time()
    positions = jax.block_until_ready(many(jax.random.key(2), states))
    seconds = time.process_time() - begin
    return _smallest(np.asarray(positions).swapaxes(0, 1)) / seconds


def _numpyro(model: DynamicNeurons, coordinates: str, draws: int) -> float:
    import jax
    from numpyro.infer import MCMC, NUTS

    potentials = _potentials(model)
    mcmc = MCMC(
        NUTS(potential_fn=potentials[coordinates]), num_warmup=500, num_samples=draws, progress_bar=False
    )  # fmt: skip
    mcmc.run(jax.random.key(0), init_params=jax.numpy.zeros((LAYERS, WIDTH)))
    mcmc.post_warmup_state = mcmc.last_state
    mcmc.run(jax.random.key(1))
    mcmc.post_warmup_state = mcmc.last_state
    begin = time.process_time()
    mcmc.run(jax.random.key(2))
    positions = mcmc.get_samples()
    if coordinates == "noise":
        positions = jax.jit(jax.vmap(potentials["outputs"]))(positions)
    jax.block_until_ready(positions)
    seconds = time.process_time() - begin
    return _smallest(np.asarray(positions)[None]) / seconds


def _sampling(*, quick: bool) -> Iterator[Row]:
    model, draws = _model(), 300 if quick else 1000
    peers: list[tuple[str, str, Callable[[str], float]]] = [
        ("blackjax", "blackjax NUTS", lambda coordinates: _blackjax(model, coordinates, draws, 1)),
        ("blackjax", "blackjax NUTS, 16 chains", lambda coordinates: _blackjax(model, coordinates, draws // 4, 16)),
        ("numpyro", "numpyro NUTS", lambda coordinates: _numpyro(model, coordinates, draws)),
    ]
    for package, name, peer in peers:
        for coordinates in ("neurons", "noise"):
            work = "sampling, same model, smallest ESS a second"
            ours = _ours(model, 200)
            if not _installed(package):
                yield Row(work, f"{ours:.0f} /s", f"{package} is not installed")
                continue
            theirs = peer(coordinates)
            ours = (ours + _ours(model, 200)) / 2
            yield Row(
                work,
                f"{ours:.0f} /s",
                f"{name}, {coordinates}: {theirs:.0f} /s",
                f"{ours / theirs:.1f}",
                ours / theirs,
                5 if coordinates == "neurons" else None,
            )


def _installed(package: str) -> bool:
    """Return whether a peer is there; jax gets one thread, like every program here."""
    if "XLA_FLAGS" not in os.environ:
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    return importlib.util.find_spec(package) is not None


BENCHMARKS = (_gradients, _sampling)
