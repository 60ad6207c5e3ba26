"""Laws of sampling methods: they leave the law of a model invariant, reach all of it, and give correct error bars."""

from __future__ import annotations

import itertools
import math
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from statnn._arguments import Floats, whole
from statnn._text import percent
from statnn.interaction import BinaryNeurons, DynamicNeurons, square_lattice
from statnn.montecarlo import HeatBath, Method, UntrustedEstimate, estimate, sample
from statnn.network import Network
from statnn.testing._assertions import assert_counts, assert_covariance, assert_mean
from statnn.testing._laws import Broken, LawReport, NotAsked, called, examine, holds, numbers_for, parted, same, seed_of
from statnn.testing.statistics import Refusal, counts, mean

__tracebackhide__ = True  # pytest then shows the line of the caller
TOGETHER = 4
"""Chains per estimate of an error."""
SWEEPS = (50, 100, 200, 400, 800)
"""Lengths of runs; the first that is at least `LONG` autocorrelation times long is used."""
LONG = 25
COMPARISONS = 40
MANY = 10**6
"""Number of chains so large that their states outweigh all memory that does not grow with it."""
MOST_ENUMERATED = 9
ALIKE = 0.95
"""Share of pairs of equal draws above which chains may agree by chance, and errors rest on few draws."""
FAR = 1e-6
BIASED, UNEVEN = 0.15, 0.2
"""Allowed biases, those of runs of `LONG` autocorrelation times: of estimates in errors, and of squared errors."""
WARMER = "pass a model whose draws differ more, as of a warmer one"


@dataclass(frozen=True)
class _Method:
    method: Any
    model: Any
    seed: int
    chains: int

    @property
    def spins(self) -> bool:
        return hasattr(self.model, "temperature")

    @property
    def enumerable(self) -> bool:
        return not self.spins or self.model.size <= MOST_ENUMERATED

    def numbers(self, law: str) -> np.random.Generator:
        return numbers_for(self.seed, law)

    def run(self, law: str, sweeps: int, **options: Any) -> Any:
        options = {"rng": int(self.numbers(law).integers(2**62)), "method": self.method} | options
        return sample(self.model, sweeps, progress=False, **options)

    def from_start(self, law: str, sweeps: int, start: Any, **options: Any) -> Any:
        """Return a run from these states, or from any if the method does not take initial states."""
        try:
            return self.run(law, sweeps, initial=start, **options)
        except ValueError as reason:
            if "initial" not in str(reason):
                raise
            if sweeps > 10:
                raise NotAsked("draws depend on no start") from None
            return self.run(law, sweeps, **options)

    def drawn(self, law: str) -> Any:
        """Return states from the exact law, shape (chains, dimension)."""
        random = self.numbers(f"start of {law}")
        if self.spins:
            return self.states()[random.choice(2**self.model.size, self.chains, p=self.probabilities())]
        exact = self.model.exact()
        return random.multivariate_normal(exact.mean, exact.covariance, self.chains, method="cholesky")

    def states(self) -> Any:
        return np.array(list(itertools.product([-1, 1], repeat=self.model.size)))

    def probabilities(self) -> Floats:
        energy = self.model.energy(self.states())
        weight = np.exp((energy.min() - energy) / self.model.temperature)
        return np.asarray(weight / weight.sum())

    def counted(self, states: Any) -> Any:
        index = (states > 0) @ (1 << np.arange(self.model.size)[::-1])
        return np.bincount(index, minlength=2**self.model.size)

    def refuse_alike(self, of: str) -> None:
        """Raise where draws of the exact law hardly differ, in their energy or at all."""
        if self.spins and self.enumerable:
            p: Any = self.probabilities()
            if of == "energy":
                p = np.bincount(np.unique(self.model.energy(self.states()), return_inverse=True)[1], p)
            if (alike := float((p**2).sum())) > ALIKE:
                raise NotAsked(f"{percent(alike, 1)} of pairs of draws share the same {of}: {WARMER}")

    def compare(self, states: Any, what: str) -> str:
        """Compare states of independent chains with the exact law."""
        if self.spins:
            assert_counts(self.counted(states), self.probabilities(), what=what)
            return f"{len(states)} chains, {2**self.model.size} states of {self.model!r}"
        exact = self.model.exact()
        assert_mean(states, exact.mean, what=f"mean {what}")
        assert_covariance(states, exact.covariance, what=f"covariance {what}")
        return f"{len(states)} chains, {self.model.dimension} variables of {self.model!r}"


def check_method(
    method: Any, model: Any = None, *, chains: int = 4000, rng: int | np.random.Generator | None = None
) -> LawReport:
    """Check a sampling method: one of `statnn.montecarlo.METHODS`, or one of your own.

    Parameters
    ----------
    method : Method
        An object of the class, with its options.
    model : BinaryNeurons, DynamicNeurons or None
        The model to sample: at most 9 spins, which are enumerated, and not so cold that draws hardly differ or the heat
        bath needs more than 100 sweeps; or dynamic neurons with `exact` averages. When None, small models that the
        method accepts: an odd loop with a tail, fields and a free spin; layers; a lattice of 3 × 3; a linear network
        with or without targets.
    chains : int
        Number of independent chains that start from the exact law, at least 1000; with fewer the check is weaker.
    rng : int, numpy.random.Generator or None
        Seed.

    Returns
    -------
    LawReport

    Raises
    ------
    BrokenLawError
        An AssertionError with every broken law, the place and both values.
    ValueError
        If the method refuses all small models: pass a model that it samples.

    Notes
    -----
    At most 40 comparisons count against the budget of false alarms. If a method leaves the law of the model invariant,
    chains that start from it stay there, with no burn-in to hide behind. A wrong probability p of a state is detected
    nine times in ten from a relative error of 15/√(chains p) on for 64 states, and of 21/√(chains p) for 512: with 4000
    chains and 64 states 50 % at p = 0.2, 110 % at 0.05, 240 % at 0.01. Errors common to many states, as from a wrong
    temperature, are detected earlier.

    Error bars that are too small or too large by a factor of 1.5 are detected, as when chains depend on each other;
    they are checked if a run of at most 800 sweeps is long compared to its autocorrelation time, and
    called wrong only if those of the heat bath are right for the same spins.

    See Also
    --------
    statnn.montecarlo.Method : base class for a method of your own.

    Examples
    --------
    >>> from statnn.montecarlo import HeatBath
    >>> from statnn.testing import check_method
    >>> print(", ".join(check_method(HeatBath(), rng=1).names("held")))
    stationarity, reach, observables, diagnostics, memory, seeds, chunks, error bars
    """
    if not isinstance(method, Method):
        raise TypeError(f"method is a {type(method).__name__}; pass an object of a statnn.montecarlo.Method")
    whole(chains, "chains", minimum=1000)
    seed = seed_of(rng)
    chosen = _accepted(method) if model is None else model
    return examine(called(method), _Method(method, chosen, seed, chains), LAWS, seed, comparisons=COMPARISONS)


def _accepted(method: Any) -> Any:
    """Return the first small model that the method samples, or raise."""
    reasons = []
    for model in _small():
        if not isinstance(model, method.model_type):
            continue
        try:
            method.check(model)
        except ValueError as reason:
            reasons.append(str(reason))
        else:
            return model
    raise ValueError(
        f"{method!r} refuses all small models ({'; '.join(reasons) or 'they are of other classes'}): pass model=, one "
        "that it samples and that has exact averages"
    )


def _small() -> list[Any]:
    couplings = np.zeros((6, 6))
    for i, j, value in ((0, 1, 0.9), (1, 2, -0.7), (0, 2, 0.55), (2, 3, 1.1)):
        couplings[i, j] = couplings[j, i] = value
    blocks = [np.array([[0.8, -0.5], [0.3, 0.9], [-0.6, 0.2]]), np.array([[0.7, 0.1, -0.9]])]
    net = Network([[[0.8, -0.4], [0.3, 0.9]], [[1.0, -0.5]]], [[0.1, -0.2], [0.3]], "identity")
    inputs = [[0.5, -1.0]]
    return [
        BinaryNeurons(couplings, [0.3, 0.0, -0.2, 0.0, 0.4, 0.0], temperature=1.7),
        BinaryNeurons(blocks, [0.2, -0.1, 0.0, 0.3, 0.0, -0.4], temperature=1.3),
        square_lattice(3, 3, temperature=2.5),
        DynamicNeurons(net, inputs, [[1.0]], beta=0.7, stiffness=1.5),
        DynamicNeurons(net, inputs, stiffness=1.5),
    ]


def _stationarity(s: _Method) -> str:
    """Compare the law of chains after one and three sweeps from the exact law with that law."""
    if not s.enumerable:
        raise NotAsked(f"{s.model.size} spins are more than the {MOST_ENUMERATED} that are enumerated")
    s.refuse_alike("state")
    result = ""
    for sweeps in (1, 3):
        start = s.drawn(f"stationarity {sweeps}")
        run = s.from_start(f"stationarity {sweeps}", sweeps, start, chains=s.chains, burn_in=0, thin=sweeps)
        result = s.compare(run.states, f"after {sweeps} sweeps from the exact law")
    return result


def _reach(s: _Method) -> str:
    """Compare the law of chains after 100 sweeps from one state with the exact law."""
    if not s.enumerable:
        raise NotAsked(f"{s.model.size} spins are more than the {MOST_ENUMERATED} that are enumerated")
    s.refuse_alike("state")
    start = np.ones(s.model.size, int) if s.spins else s.model.exact().mean
    options = {"chains": s.chains, "burn_in": 50, "thin": 50}
    run = s.from_start("reach", 50, start, **options)

    def far(states: Any) -> bool:
        return s.spins and counts(s.counted(states), s.probabilities()).p < FAR

    # Slow is not wrong: in a cold model single spins do not come far, and that is no fault of the method.
    if far(run.states) and far(s.from_start("reach", 50, start, method=HeatBath(), **options).states):
        raise NotAsked(f"nor does the heat bath forget its start in 100 sweeps: {WARMER}")
    return s.compare(run.states, "after 100 sweeps from one state")


def _observables(s: _Method) -> str:
    """Compare what is recorded with functions of the states, and states that were taken with themselves later."""
    kept = []

    def keep(states: Any) -> Any:
        kept.append((states, states.copy()))
        return states.mean(axis=1)

    watched = {name: name for name in s.method.observables} | {"states that were taken": keep}
    run = s.run("observables", 6, chains=5, burn_in=2, thin=3, observables=watched)
    if missing := [name for name in s.method.observables if name not in run.draws]:
        raise Broken(f"{missing[0]} was not recorded")
    if not all(np.array_equal(taken, then) for taken, then in kept):
        raise Broken("states that were taken are changed by a later sweep, instead of a copy")
    known = {"energy": s.model.energy, "magnetisation": lambda states: states.mean(axis=1)}
    asked = [name for name in known if name in run.draws and (name == "energy" or s.spins)]
    for name in asked:
        recorded, expected = run.draws[name][:, -1], known[name](run.states)
        same(recorded, expected, rel=1e-9, abs=1e-9, at=lambda i, name=name: f"{name} of chain {i[0]}: ")  # type: ignore[misc]
    return f"{', '.join(asked)} of 5 chains" if asked else "no observable is known"


def _diagnostics(s: _Method) -> str:
    """Compare the acceptance of every chain with a share."""
    run = s.run("diagnostics", 6, chains=5, burn_in=2)
    acceptance = np.asarray(run.acceptance, dtype=float)
    if acceptance.shape != (5,):
        raise Broken(f"acceptance has shape {acceptance.shape} instead of (5,)")
    return holds(
        (acceptance >= 0) & (acceptance <= 1), at=lambda i: f"chain {i[0]}: ", values=acceptance, wanted="in [0, 1]"
    )


def _memory(s: _Method) -> str:
    """Compare the memory of chains with that of their states."""
    settled = s.method.settled(s.model, 64, (s.seed, ()))
    few, many = (settled.memory(s.model, chains) for chains in (1, MANY))
    states = MANY * (s.model.size if s.spins else 32 * s.model.dimension) / 8  # eight spins may share a byte
    if not many >= max(few, states):
        raise Broken(f"{many} bytes of {MANY} chains, where one needs {few} and their states at least {states:g}")
    return f"{few} bytes of a chain, {many} of {MANY}"


def _seeds(s: _Method) -> str:
    """Compare chains of a seed with the same again, with one alone, and with another seed."""
    s.refuse_alike("energy")
    seed = int(s.numbers("seeds").integers(2**62))
    name = s.method.observables[0]
    run = s.run("", 20, chains=8, rng=seed, burn_in=0)
    first = run.draws[name]
    place = lambda i: f"chain {i[0]}, draw {i[1]}: "  # noqa: E731 - of this run
    same(s.run("", 20, chains=8, rng=seed, burn_in=0).draws[name], first, at=place)
    pooled = s.method.pooled
    if not pooled:
        # the settled method: default options may depend on the number of chains
        alone = s.run("", 20, chains=[2], rng=seed, burn_in=0, method=run.method).draws[name]
        # up to rounding: a matrix product of one chain may add in another order than that of eight
        same(alone, first[2:3], rel=1e-9, abs=1e-9, at=lambda i: f"chain 2 alone, draw {i[1]}: ")
    if np.array_equal(s.run("", 20, chains=8, rng=seed + 1, burn_in=0).draws[name], first):
        raise Broken("another seed gives the same chains")
    parted(lambda rng: s.run("", 20, chains=8, rng=rng, burn_in=0).draws[name], seed, "chain")
    return f"{name} of 8 chains" + ("; one alone is another run, as chains learn from each other" if pooled else "")


def _chunks(s: _Method) -> str:
    """Compare 12 sweeps with 4 and 8 more, in threads after the run was pickled, too, and with moves of 3 at a time."""
    seed, name = int(s.numbers("chunks").integers(2**62)), s.method.observables[0]
    at_once = s.run("", 12, chains=5, rng=seed, burn_in=3).draws[name]
    place = lambda i: f"chain {i[0]}, draw {i[1]}: "  # noqa: E731 - of this run
    by_three = s.run("", 12, chains=5, rng=seed, burn_in=3, thin=3).draws[name]
    same(by_three, at_once[:, 2::3], at=lambda i: f"3 sweeps at a time, chain {i[0]}, draw {i[1]}: ")
    part = s.run("", 4, chains=5, rng=seed, burn_in=3)
    same(part.extend(8, progress=False).draws[name], at_once, at=place)
    try:
        again = pickle.loads(pickle.dumps(part))  # noqa: S301 - our own bytes
    except (pickle.PicklingError, AttributeError, TypeError):
        return "5 chains; the run cannot be pickled, as the class is not at the top of a module"
    with ThreadPoolExecutor(2) as pool:
        same(again.extend(8, executor=pool, progress=False).draws[name], at_once, at=place)
    return "5 chains"


def _error_bars(s: _Method) -> str:
    """Compare the squared distance of estimates from the exact mean energy with their squared standard errors."""
    if "energy" not in s.method.observables:
        raise NotAsked("energy is not an observable")
    s.refuse_alike("energy")
    far, excess = _errors(s)

    # As of `reach`: runs that never leave a cold state know neither their mean nor its error, whatever the method.
    if s.spins and _doubtful(far, excess) and _doubtful(*_errors(s, method=HeatBath())):
        raise NotAsked(f"those of the heat bath are not right either: {WARMER}")
    assert_mean(far, 0.0, bias=BIASED, what="(mean - exact)/error")
    assert_mean(excess, 0.0, bias=UNEVEN, what="(mean - exact)²/error² - 1")
    return f"{len(far)} estimates, {np.sqrt(np.mean(far**2)):.2f} errors off (root mean square)"


def _errors(s: _Method, **options: Any) -> tuple[Floats, Floats]:
    """Return distances of estimates from the exact mean energy in errors, and by how much their squares differ."""
    groups = s.chains // TOGETHER
    for sweeps in SWEEPS:
        run = s.run("error bars", sweeps, chains=groups * TOGETHER, burn_in=sweeps // 2, **options)
        draws = run.draws["energy"].reshape(groups, TOGETHER, sweeps)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UntrustedEstimate)
            estimates = estimate(np.moveaxis(draws, 0, -1), "energy")
        if (tau := float(np.median(estimates.tau))) * LONG <= sweeps:
            break
    else:
        raise NotAsked(f"an autocorrelation time of {tau:.3g} draws is too long for runs of {sweeps} sweeps")
    # No ratio of the two is formed: if large energies are rare, a run without them has a low mean and a small error.
    size = math.sqrt(np.mean(estimates.error**2))
    far = (estimates.mean - s.model.exact().energy) / size
    # A single estimate far off by chance would dominate the spread of few: squares, of mean 1, are capped at 8.
    return far, np.minimum(far**2, 8.0) - (estimates.error / size) ** 2


def _doubtful(far: Floats, excess: Floats) -> bool:
    """Whether these errors are wrong, or too few of them differ to be judged."""
    try:
        return min(mean(far, 0.0, bias=BIASED).p, mean(excess, 0.0, bias=UNEVEN).p) < FAR
    except Refusal:
        return True


LAWS = (_stationarity, _reach, _observables, _diagnostics, _memory, _seeds, _chunks, _error_bars)
