"""Hamiltonian Monte Carlo of dynamic neurons, in coordinates in which stiff layers do not slow it down."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, ClassVar

import numpy as np

from statnn._arguments import positive, whole
from statnn._random import Root, stream
from statnn.interaction import DynamicNeurons
from statnn.montecarlo._chunks import TASKS
from statnn.montecarlo._couplings import once
from statnn.montecarlo._dynamic import hamiltonian_kernels as _hamiltonian_kernels
from statnn.montecarlo._dynamic import twin as _hamiltonian_twin
from statnn.montecarlo._dynamic.adaptation import DualAveraging, Variances, windows
from statnn.montecarlo._dynamic.ancestral import simulate
from statnn.montecarlo._dynamic.columns import Columns
from statnn.montecarlo._dynamic.gibbs import linear_layers, redraw
from statnn.montecarlo._dynamic.hamiltonian_kernels import Array, GradientPlan, room_for, turn_of
from statnn.montecarlo._dynamic.noise import from_noise, to_noise
from statnn.montecarlo._method import Method, Values, Walkers

BLOCK = 64
"""Largest number of chains that share matrix products and the tuning of the burn-in."""
_LEAST_WORK = 1e5
"""Weights times columns of a block, from which on a gradient outweighs its overhead."""
_FEWEST_COLUMNS = 32
"""Columns of a block, from which on a product costs little more per column than a wide one."""
STIFF_TARGETS = 10.0
"""Ratio β/λ above which the neurons themselves are the better coordinates."""
TARGET = 0.8
TIME = np.pi / 2
"""Duration of a trajectory in units of the scales: a quarter of the period 2π of a Gaussian with these scales."""
MOST_STEPS = 1000
DIVERGENT = 1000.0
"""Energy error above which a trajectory counts as divergent: its step is too long for the region it reached."""


@dataclass(frozen=True)
class Hamiltonian(Method[DynamicNeurons]):
    r"""Hamiltonian Monte Carlo (HMC) of `DynamicNeurons`: leapfrog trajectories, tuned in the burn-in.

    A sweep is one trajectory of every chain, preceded, with ``parameters="gibbs"``, by one Gibbs update of the linear
    layers. The chains of a block are columns of the same matrix products; each has its own stream of momenta. Chains
    are cut into four blocks, or into fewer if blocks would have less than 32 columns (chains times samples; where
    weights are fixed) or less than 10^5 products of a weight with a column; a block has at most 64 chains. The chains
    of a block share the random lengths of trajectories, and are tuned together in the burn-in: a step size by dual
    averaging, and the scale of every coordinate by its variance over chains and sweeps, in three windows. A chain run
    alone therefore gives another result. Results depend neither on workers, nor on chunks, nor on threads of BLAS,
    which is held to one; an executor uses further cores.

    Coordinates of the neurons, with ξ^(m+1) = √(2λ) (h^(m+1) - σ(W^(m) h^(m) + b^(m))):

    - "noise", ξ: βH = |ξ|²/2 + β|y - h^(M)(ξ)|² + priors. The Hessian is 1 + O(β/λ), however large λ is.
    - "neurons", h: every layer only feels its neighbours. Better where β ≫ λ, since the last layer is then pinned to
      its targets and its noise is a steep function of all noise before.

    Free weights and biases join the trajectory ("joint"), or are drawn from their Gaussian conditional given all
    neurons ("gibbs"). That conditional exists only where σ is the identity: the noise enters after σ, so
    |h^(m+1) - σ(W h^(m) + b)|² is not a quadratic function of W. With "gibbs" nonlinear layers stay joint.
    Even for linear layers "joint" mixes better once λ is large: given h, W can only move within the noise of the layer,
    whereas at given noise a trajectory changes h along with W.

    Parameters
    ----------
    coordinates : {"noise", "neurons"}, optional
        None takes "neurons" where the model has targets and β > 10 λ, and "noise" otherwise; with tanh and 30 units per
        layer their effective samples per second are equal somewhere between β = 5 λ and 20 λ.
    parameters : {"joint", "gibbs"}, optional
        "joint" when None. Only for models with free weights or biases.
    step : float, optional
        Step of the leapfrog in units of the scales; tuned in the burn-in when None.
    steps : int, optional
        Mean number of leapfrog steps of a trajectory; the number is drawn between 0.5 and 1.5 times the mean. When
        None, π/2 over the step: a quarter of a period in units of the scales.
    acceptance : float, optional
        Acceptance that the step is tuned to, in (0, 1); 0.8 when None. Only where `step` is None. Higher is safer and
        slower: see Notes.

    See Also
    --------
    Ancestral : without targets, exactly.
    statnn.interaction.DynamicNeurons : the model.

    Notes
    -----
    Observables: "energy" is βH, "gap" its term λ Σ |h - σ|², "loss" the mean over samples of |y - h^(M)|², where y
    is what the network itself computes if the model has no targets. Diagnostics: acceptance, divergences
    (trajectories whose energy error exceeded 1000), step, steps (leapfrog steps on average).

    A trajectory diverges where the distribution is narrower than its step: chains hardly ever enter such a region, or
    get stuck there, and R-hat does not show it. `Run.estimate` warns if any trajectory diverged; a higher `acceptance`,
    such as 0.99, gives a shorter step, at several times the work.

    The noise coordinates are original to this package. The Gaussian conditionals of Piccioli, Troiani & Zdeborová 2023
    belong to a model with noise before σ, unlike this one.

    References
    ----------
    Duane et al. 1987; Hoffman & Gelman 2014, of dual averaging.

    Examples
    --------
    >>> from statnn import Network
    >>> from statnn.interaction import DynamicNeurons
    >>> from statnn.montecarlo import sample
    >>> net = Network.random([3, 8, 1], activation="tanh", rng=0)
    >>> model = DynamicNeurons(net, inputs=[[1.0, 0.0, -1.0]], targets=[[0.5]], beta=10.0, stiffness=50.0)
    >>> run = sample(model, 400, chains=8, rng=1, method=Hamiltonian())
    >>> run.estimate("loss").warning is None, int(run.diagnostics["divergences"].sum())
    (True, 0)
    """

    name: ClassVar[str] = "hamiltonian"
    model_type = DynamicNeurons
    observables: ClassVar[tuple[str, ...]] = ("energy", "gap", "loss")
    pooled = True

    coordinates: str | None = None
    parameters: str | None = None
    step: float | None = None
    steps: int | None = None
    acceptance: float | None = None

    def __post_init__(self) -> None:
        for name, allowed in (("coordinates", ("noise", "neurons")), ("parameters", ("joint", "gibbs"))):
            if getattr(self, name) not in (None, *allowed):
                raise ValueError(
                    f"{name} = {getattr(self, name)!r} is unknown; choose from {', '.join(allowed)}, or None"
                )
        if self.step is not None:
            positive(self.step, "step", why="it is the step of the leapfrog; leave it out to have it tuned")
            if self.acceptance is not None:
                raise ValueError("acceptance is what a step is tuned to, but step is given: leave one of them out")
        if self.steps is not None:
            whole(self.steps, "steps", minimum=1, maximum=MOST_STEPS)
        if self.acceptance is not None:
            positive(self.acceptance, "acceptance", why="it is a share of trajectories, for example 0.8")
            if self.acceptance >= 1:
                raise ValueError(f"acceptance = {self.acceptance} must be below 1: only a step of 0 accepts everything")

    def check(self, model: DynamicNeurons) -> None:
        """Raise unless the neurons vary smoothly and every option applies to the model."""
        model.check_smooth()
        if self.parameters is not None and len(model.free) == 1:
            raise ValueError(f"parameters = {self.parameters!r}, but neither weights nor biases are free in this model")
        if self.parameters == "gibbs" and not linear_layers(model):
            raise ValueError(
                "parameters = 'gibbs' needs a layer whose activation is the identity: in the others the noise comes "
                "after a nonlinear function, and weights have no Gaussian conditional; use 'joint'"
            )

    def block(self, model: DynamicNeurons, chains: int) -> int:
        """Return an equal share of the chains in four tasks, or in fewer so that small blocks do not waste time.

        Two blocks cost at most a fifth more than one block of all their chains where each has 10^5 products of a
        weight with a column, and, where weights are fixed and chains share them, 32 columns, samples times chains.
        """
        fewest = _LEAST_WORK / sum(weight.size for weight in model.net.weights)
        if model.free == ("neurons",):
            fewest = max(fewest, _FEWEST_COLUMNS)
        tasks = min(max(1, int(chains * model.samples / fewest)), TASKS)
        return min(-(-chains // tasks), BLOCK)

    def memory(self, model: DynamicNeurons, chains: int) -> int:
        """Return the bytes of positions, velocities, gradients, scales and their copies, and of the clamped inputs."""
        size = model.net.dtype.itemsize
        clamped = model.samples * (model.net.widths[0] + model.net.widths[1] + model.net.widths[-1])
        parameters = sum(w.size + b.size for w, b in zip(model.net.weights, model.net.biases, strict=True))
        return chains * (8 * size + 24) * model.dimension + size * (chains * clamped + parameters)

    def walkers(self, model: DynamicNeurons, seed: Root, chains: Sequence[int], initial: Values | None) -> Walkers:
        """Return the chains; a random start is a draw from the model without its targets."""
        return _Trajectories(model, self, seed, chains, initial)

    def restored(self, model: DynamicNeurons, seed: Root, chains: Sequence[int], kept: dict[str, Any]) -> Walkers:
        """Return the restored chains, built from their kept states: a random start might not have a finite energy."""
        walkers = self.walkers(model, seed, chains, kept["states"])
        walkers.restore(kept)
        return walkers

    def doubts(self, diagnostics: Mapping[str, Values], sweeps: int) -> list[str]:
        """Return a warning if trajectories diverged, with a remedy.

        Even one matters: with free weights, means of runs in which 1 to 20 of 48 000 had diverged were off by 0.8
        standard errors on average, and by more the longer the run.
        """
        diverged = int(np.sum(diagnostics["divergences"]))
        if not diverged:
            return []
        acceptance = self.acceptance or TARGET
        shorter = f"acceptance={0.99 if acceptance < 0.99 else (1 + acceptance) / 2:.6g}"
        if self.step:
            shorter = f"step={self.step / 4:.3g}"
        why = "their step is too long for narrow places, which chains may leave out without any other sign"
        return [
            f"{diverged} of {sweeps} trajectories diverged: {why}; take method=Hamiltonian({shorter}), a shorter one"
        ]


@once
def _plan(model: DynamicNeurons, chains: int, noise: bool) -> GradientPlan:
    """Return the plan for the kernels; blocks of equally many chains share it, and it is not pickled with them."""
    return Columns.of(model, chains).plan(noise)


class _Trajectories(Walkers):
    changing: ClassVar[tuple[str, ...]] = (
        "_streams", "_lengths", "_q", "_g", "_energy", "_parts", "_scale", "_step", "_moves", "_leaps", "_accepted",
        "_divergences",
    )  # fmt: skip

    def __init__(
        self, model: DynamicNeurons, method: Hamiltonian, seed: Root, chains: Sequence[int], initial: Values | None
    ) -> None:
        self._model, self._method = model, method
        self._streams = [stream(seed, chain) for chain in chains]
        self._lengths = stream(seed, chains[0], 1)
        self._columns = Columns.of(model, len(chains))
        stiff_targets = model.targets is not None and model.beta > STIFF_TARGETS * model.stiffness
        self._noise = (method.coordinates or ("neurons" if stiff_targets else "noise")) == "noise"
        self._room = room_for(self._plan)
        self._redrawn = linear_layers(model) if method.parameters == "gibbs" else ()
        self._kinetic = np.empty((self._columns.groups, 2, self._columns.width))
        self._terms = np.empty((self._columns.groups, 3, self._columns.width))
        self._moves = self._leaps = 0
        self._accepted = np.zeros(len(chains), dtype=np.int64)
        self._divergences = np.zeros(len(chains), dtype=np.int64)
        self._tuner, self._variances = DualAveraging(1.0, TARGET), Variances(self._columns.axis)
        self._guess, self._precision = self._natural()
        self._scale = self._guess
        self._set(0.0)
        self._energy: Array
        self._parts: Array
        self._start_from(simulate(model, self._streams) if initial is None else initial)
        self._set(float(method.step or TIME))
        if method.step is None:
            self._halve_to_reason()

    @property
    def _plan(self) -> GradientPlan:
        return _plan(self._model, len(self._streams), self._noise)

    def burn_in(self, sweeps: int) -> None:
        """Learn step and scales."""
        self.burn_in_part(0, sweeps, sweeps)

    def burn_in_part(self, begin: int, end: int, sweeps: int) -> None:
        """Move and learn in a part of the burn-in."""
        if begin == 0:
            target = TARGET if self._method.acceptance is None else self._method.acceptance
            self._tuner, self._variances = DualAveraging(self._step, target), Variances(self._columns.axis)
        for learns, sets in islice(windows(sweeps), begin, end):
            acceptance = self._sweep()
            if self._method.step is None:
                self._tuner.learn(float(acceptance.mean()))
                self._set(min(self._tuner.step, TIME))
            if learns:
                self._variances.add(self._columns.each(self._q))
            if sets:
                self._scale = self._scales_of(self._variances)
                self._set(self._step)
                self._variances = Variances(self._columns.axis)
                self._tuner.restart(self._step)
        if end == sweeps:
            if self._method.step is None:
                self._set(min(self._tuner.final, TIME))
            self._moves = self._leaps = 0
            self._accepted[:] = 0
            self._divergences[:] = 0

    def kept(self) -> dict[str, Any]:
        learning = {"tuner": dict(vars(self._tuner)), "variances": dict(vars(self._variances))}
        return {**super().kept(), **learning, "states": self.states()}

    def restore(self, kept: dict[str, Any]) -> None:
        super().restore({name: kept[name] for name in self.changing})
        vars(self._tuner).update(kept["tuner"])
        vars(self._variances).update(kept["variances"])
        self._set(self._step)

    def sweep(self, sweeps: int) -> None:
        for _ in range(sweeps):
            self._sweep()

    def observe(self, name: str) -> Values:
        if name == "energy":
            return self._energy.copy()
        return np.array(self._parts[0] if name == "gap" else self._parts[1] / self._model.samples)

    def states(self) -> Values:
        states = self._columns.states(self._q)
        return from_noise(self._model, states) if self._noise else states

    def diagnostics(self) -> dict[str, Values]:
        chains, moves = len(self._streams), max(self._moves, 1)
        return {
            "acceptance": self._accepted / moves,
            "divergences": self._divergences.copy(),
            "step": np.full(chains, self._step),
            "steps": np.full(chains, self._leaps / moves),
        }

    def _sweep(self) -> Array:
        """Move every chain and return the probabilities with which the moves were accepted."""
        if self._redrawn:
            self._start_from(redraw(self._model, self._redrawn, self.states(), self._streams))
        mean = self._method.steps or TIME / self._step
        steps = min(max(1, round(mean * self._lengths.uniform(0.5, 1.5))), MOST_STEPS)
        return self._move(steps)

    def _move(self, steps: int) -> Array:
        """Move by one trajectory and accept or reject it."""
        before = self._q.copy(), self._g.copy()
        velocity = self._velocities()
        self._run(velocity, steps)
        with np.errstate(over="ignore", invalid="ignore"):  # in trajectories that diverge, and are rejected
            parts, kinetic = self._columns.total(self._terms), self._columns.total(self._kinetic)
            energy = self._total(parts)
            error = energy - self._energy + kinetic[1] - kinetic[0]
            error[np.isnan(error)] = np.inf
            probability: Array = np.exp(-np.maximum(error, 0))
        accepted = np.array([rng.random() for rng in self._streams]) < probability
        stay = self._columns.along(~accepted)
        for array, old in zip((self._q, self._g), before, strict=True):
            np.copyto(self._columns.each(array), self._columns.each(old), where=stay)
        self._energy = np.where(accepted, energy, self._energy)
        self._parts = np.where(accepted, parts, self._parts)
        self._moves += 1
        self._leaps += steps
        self._accepted += accepted
        self._divergences += error > DIVERGENT
        return probability

    def _velocities(self) -> Array:
        """Return standard normal velocities, for every chain from its own stream."""
        columns, dtype = self._columns, self._q.dtype
        drawn = np.empty((len(self._streams), self._q.size // len(self._streams)), dtype=dtype)
        for rng, row in zip(self._streams, drawn, strict=True):
            rng.standard_normal(dtype=dtype, out=row)
        return np.ascontiguousarray(drawn.T).reshape(self._q.shape) if columns.shared else drawn

    def _run(self, velocity: Array, steps: int) -> None:
        """Move along a trajectory and record the energy terms and the kinetic energy."""
        step = self._q.dtype.type(self._step)
        arguments = self._q, velocity, self._g, self._turn, step, steps, self._room, self._kinetic, self._terms
        run: Any = _hamiltonian_kernels.trajectories
        if not all(sigma.built_in for sigma in self._model.net.activations):
            run = partial(_hamiltonian_twin.trajectories, activations=self._model.net.activations)
        run(self._plan, *arguments)

    def _total(self, parts: Array) -> Array:
        total: Array = parts[0] + float(self._plan.beta) * parts[1] + parts[2]
        return total

    def _start_from(self, states: Values) -> None:
        """Put the chains into states of shape (chains, dimension)."""
        with np.errstate(over="ignore", invalid="ignore"):
            self._q = self._columns.rows(to_noise(self._model, states) if self._noise else states)
            self._g = np.zeros_like(self._q)
            step = self._step
            self._set(0.0)  # a step of length zero only computes gradient and terms
            self._run(np.zeros_like(self._q), 1)
            self._set(step)
            self._parts = self._columns.total(self._terms)
            self._energy = self._total(self._parts)
        if not np.isfinite(self._energy).all():
            raise ValueError("the energy of the initial state overflows; begin with smaller numbers, or use float64")

    def _natural(self) -> tuple[Array, Array]:
        """Return the scale and precision of every variable by its layer or prior alone."""
        model, columns = self._model, self._columns
        shape = columns.groups if columns.shared else 1, model.dimension // (columns.groups if columns.shared else 1)
        scale = np.full(shape, 1 if self._noise else (2 * model.stiffness) ** -0.5, dtype=model.net.dtype)
        precision = np.full(shape, float(self._noise), dtype=model.net.dtype)
        start = sum(math.prod(each) for each in model.shapes["neurons"])
        for kind, name in enumerate(("weights", "biases")):
            for m, dimensions in enumerate(model.shapes.get(name, ())):
                stop = start + int(np.prod(dimensions))
                precision[:, start:stop] = self._plan.precisions[kind, m]
                scale[:, start:stop] = 0 if m in self._redrawn else self._plan.precisions[kind, m] ** -0.5
                start = stop
        return scale, precision

    def _scales_of(self, variances: Variances) -> Array:
        """Return standard deviations as scales; variables that do not move along trajectories keep 0."""
        guess = self._guess.astype(np.float64)
        scales: Array = np.sqrt(variances.shrunk(guess**2)) * (guess > 0)
        return scales.astype(self._guess.dtype)

    def _set(self, step: float) -> None:
        self._step = step
        self._turn = turn_of(self._scale, self._precision, step)

    def _halve_to_reason(self) -> None:
        """Halve the step until a trajectory of one step is accepted more often than not."""
        for _ in range(50):
            kept = self._q.copy(), self._g.copy(), self._energy, self._parts
            enough = self._move(1).mean() > 0.5
            self._q, self._g, self._energy, self._parts = kept
            if enough:
                break
            self._set(self._step / 2)
