"""Laws of activation processes: exact laws agree with each other, with the hypothesis, and with simulations."""

from __future__ import annotations

import inspect
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from statnn._arguments import Floats, switch
from statnn.testing._assertions import assert_law, assert_mean
from statnn.testing._laws import (
    Broken,
    LawReport,
    NotAsked,
    ask,
    called,
    copies,
    examine,
    holds,
    numbers_for,
    parted,
    same,
    seed_of,
)

__tracebackhide__ = True  # pytest then shows the line of the caller
DIGITS = 1e-11
"""Relative tolerance: laws are good to 1e-12, and a comparison involves two of them."""
MOST_NEURONS = 2000
"""Largest number of neurons for which counts are drawn."""
REPLICAS = 1000
TWINS = 20
"""Number of replicas compared with each other."""
COMPARISONS = 20


@dataclass(frozen=True)
class _Process:
    process: Any
    seed: int
    simulate: bool

    @property
    def begin(self) -> int:
        start = getattr(self.process, "start", None)
        return 0 if start is None else int(start.samples)

    @property
    def scale(self) -> float:
        """N/c, the number of samples in which a neuron is active once on average."""
        return float(self.process.neurons / self.process.c)

    @property
    def real(self) -> Floats:
        """Numbers of samples over ten decades."""
        return np.asarray(self.begin + self.scale * np.geomspace(1e-4, 1e6, 31))

    def whole(self, *times: float) -> list[int]:
        """Return whole numbers of samples D > begin near the given multiples of N/c that the process accepts."""
        numbers = []
        for each in times:
            near = self.begin + max(1, round(each * self.scale))
            if near > 10**15:
                continue
            for D in range(near, near + 20):
                try:
                    self.process.count(D)
                except ValueError:
                    continue
                numbers.append(D)
                break
        if not numbers:
            raise NotAsked("no whole number of samples has a count law")
        return sorted(set(numbers))

    def ways(self) -> tuple[dict[str, Any], ...]:
        """Return the options of `simulate`, one for each of its methods."""
        ask(self.process, "simulate")
        if not self.simulate:
            raise NotAsked("simulate=False")
        if self.process.neurons > MOST_NEURONS:
            raise NotAsked(f"{self.process.neurons} neurons are more than the {MOST_NEURONS} that are drawn")
        both = "method" in inspect.signature(self.process.simulate).parameters
        return ({"method": "exact"}, {"method": "stepwise"}) if both else ({},)

    def drawable(self) -> list[int]:
        """Return up to three numbers of samples at which many neurons are neither almost surely working nor silent."""
        N = self.process.neurons
        numbers = []
        for D in self.whole(0.02, 0.1, 0.5, 2.0, 10.0):
            S = float(self.process.silent(D))
            if N * S * (1 - S) > 4 and (D - self.begin) * max(N, 10 * self.process.c) <= 2 * 10**5:
                numbers.append(D)
        if not numbers:
            raise NotAsked("all neurons are nearly sure to work or to be silent at any number of samples that is drawn")
        return numbers[:3]

    def plain(self) -> None:
        if self.begin or getattr(self.process, "start", None) is not None:
            raise NotAsked("the process has a start")

    def numbers(self, law: str) -> np.random.Generator:
        return numbers_for(self.seed, law)

    def near(self, index: tuple[int, ...]) -> str:
        return f"at D = {self.real[index[-1]]:.6g}: "


def check_process(process: Any, *, simulate: bool = True, rng: int | np.random.Generator | None = None) -> LawReport:
    """Check an activation process: one of `statnn.activation`, with a start or without, or one of your own.

    Parameters
    ----------
    process : ActivationProcess, or any object with ``neurons``, ``b``, ``c``, ``working``, ``silent`` and ``count``
        As those of `statnn.activation.BetaBernoulli`. Those it has of the following are checked too:
        ``noise_to_signal``, ``working_std``, ``working_law``, ``missing_mass``, ``loss``, ``growth_rate``,
        ``inflection``, ``tail_exponent``, ``limit``, ``limit_error_bound``, ``after`` and ``simulate``.
    simulate : bool
        Whether to compare laws with simulations of up to 2000 neurons, in at most 20 comparisons from the budget of
        false alarms. Must be False inside ``@given``.
    rng : int, numpy.random.Generator or None
        Seed.

    Returns
    -------
    LawReport

    Raises
    ------
    BrokenLawError
        An AssertionError with every broken law, the place and both values.

    See Also
    --------
    check_model, check_layer, check_activation : for other kinds.

    Notes
    -----
    Means are compared to 1e-11, derivatives to 1e-7. A deviation of K(D) by a third of its standard deviation is
    detected in 1000 replicas with near certainty.

    Examples
    --------
    >>> from statnn.activation import BetaBernoulli
    >>> from statnn.testing import check_process
    >>> check_process(BetaBernoulli(100, b=0.3, c=5.0), rng=1).names("broken")
    ()
    """
    missing = [name for name in ("neurons", "b", "c", "working", "silent", "count") if not hasattr(process, name)]
    if missing:
        raise TypeError(f"process is a {type(process).__name__} without {', '.join(missing)}: see the list of methods")
    seed = seed_of(rng)
    spent = COMPARISONS if switch(simulate, "simulate") else 0
    return examine(called(process), _Process(process, seed, simulate), LAWS, seed, comparisons=spent)


# -- laws compared with each other -------------------------------------------------------------------------------


def _start(s: _Process) -> str:
    """Compare K at the start with the neurons that work there."""
    start = getattr(s.process, "start", None)
    working = 0 if start is None else start.working
    return same(s.process.working(s.begin), working, abs=1e-12 * s.process.neurons)


def _growth(s: _Process) -> str:
    """Compare K of more samples with K of fewer, and with N."""
    K = np.asarray(s.process.working(s.real))
    steps = np.diff(K)
    holds(s.process.neurons >= K, at=s.near, values=K, wanted=f"<= N = {s.process.neurons}")
    return holds(steps >= -DIGITS * K[1:], at=s.near, values=steps, wanted="a step >= 0")


def _silence(s: _Process) -> str:
    """Compare K(D) with N (1 - S(D))."""
    N = s.process.neurons
    return same(s.process.working(s.real), N * (1 - np.asarray(s.process.silent(s.real))), abs=DIGITS * N, at=s.near)


def _noise_to_signal(s: _Process) -> str:
    """Compare the noise-to-signal ratio with S(D)."""
    ask(s.process, "noise_to_signal")
    return same(s.process.noise_to_signal(s.real), s.process.silent(s.real), rel=DIGITS, at=s.near)


def _count_law(s: _Process) -> str:
    """Compare P(D_i = 0) with S, sums of P(D_i = k) with its distribution, and its mean with cD/N."""
    s.plain()
    D = s.whole(0.1, 1.0, 30.0)
    laws = [s.process.count(d) for d in D]
    place = lambda i: f"at D = {D[i[0]]}: "  # noqa: E731 - of whole numbers
    same([law.pmf(0) for law in laws], s.process.silent(np.array(D)), rel=DIGITS, at=place)
    sums = [np.sum(law.pmf(np.arange(41))) for law in laws]
    same(sums, [law.cdf(40) for law in laws], abs=1e-9, at=place)
    return same([law.mean() for law in laws], np.array(D) / s.scale, rel=1e-9, at=place)


def _working_law(s: _Process) -> str:
    """Compare mean and deviation of the law of K with K(D) and its standard deviation."""
    ask(s.process, "working_law", "working_std")
    cheap = 10**8 / (s.process.c * s.process.neurons)
    D = [d for d in s.whole(1e-3, 0.1, 1.0, 5.0) if d - s.begin <= cheap and float(s.process.silent(d)) > 1e-6]
    if not D:
        raise NotAsked("no law of K is wide enough, or costs little enough")
    place = lambda i: f"at D = {D[i[0]]}: "  # noqa: E731 - of whole numbers
    laws = [s.process.working_law(d) for d in D]
    same([law.mean() for law in laws], [s.process.working(d) for d in D], rel=1e-9, at=place)
    scale = max(float(s.process.working_std(d)) for d in D)
    return same(
        [law.std() for law in laws], [s.process.working_std(d) for d in D], rel=1e-7, abs=1e-7 * scale, at=place
    )


def _missing_mass(s: _Process) -> str:
    """Compare the missing mass with S bN/(cD + bN), and with the loss of silence."""
    ask(s.process, "missing_mass")
    p = s.process
    share = p.b * p.neurons / (p.c * s.real + p.b * p.neurons)
    same(p.missing_mass(s.real), np.asarray(p.silent(s.real)) * share, rel=DIGITS, at=s.near)
    if not hasattr(p, "loss"):
        return f"{s.real.size} values, no loss to compare with"
    D = s.whole(0.1, 3.0)
    place = lambda i: f"loss at D = {D[i[0]]}: "  # noqa: E731 - of whole numbers
    return same([p.loss(d, lambda k: k == 0) for d in D], [p.missing_mass(d) for d in D], rel=1e-10, at=place)


def _growth_rate(s: _Process) -> str:
    """Compare dK/d ln D with differences of K, or of ln S where S is smaller."""
    ask(s.process, "growth_rate")
    p, step = s.process, 1e-3
    D = s.real[1:] if s.begin else s.real
    weights = np.array([1, -8, 8, -1]) / (12 * step)
    grid = D * np.exp(np.array([[-2], [-1], [1], [2]]) * step)
    inside = (grid >= s.begin).all(axis=0)
    seen = (np.asarray(p.silent(grid[:, inside])) > 1e-290).all(axis=0)
    D, grid = D[inside][seen], grid[:, inside][:, seen]
    by_growth = weights @ np.asarray(p.working(grid))
    # S may fall as exp(-cD/N), which no polynomial follows where cD is hundreds of times N; ln S is smooth there.
    by_silence = -p.neurons * np.asarray(p.silent(D)) * (weights @ np.log(p.silent(grid)))
    small = np.asarray(p.working(D)) < p.neurons / 2
    place = lambda i: f"at D = {D[i[0]]:.6g}: "  # noqa: E731 - without those beside the start
    rounding = 1e-8 * np.minimum(np.asarray(p.working(D)), p.neurons * np.asarray(p.silent(D)))
    return same(p.growth_rate(D), np.where(small, by_growth, by_silence), rel=1e-7, abs=rounding, at=place)


def _inflection(s: _Process) -> str:
    """Compare the rate of growth at the inflection with the rates elsewhere."""
    ask(s.process, "growth_rate", "inflection")
    D = s.process.inflection()
    if not np.isfinite(D):
        raise Broken(f"the inflection is at D = {D}")
    around = np.maximum(s.begin, np.append(D * np.geomspace(0.5, 2.0, 101), s.real))
    rates, most = np.asarray(s.process.growth_rate(around)), s.process.growth_rate(D)
    place = lambda i: f"at D = {around[i]:.6g}: a rate of "  # noqa: E731 - of other numbers
    return holds(rates <= most * (1 + 1e-9), at=place, values=rates, wanted=f"<= {most:.10g}, that at D = {D:.6g}")


def _tail_exponent(s: _Process) -> str:
    """Compare the fall of P(D_i = k) from k = 10 000 to 20 000, deep inside the cut-off, with the exponent."""
    ask(s.process, "tail_exponent")
    s.plain()
    law = s.process.count(s.whole(1e10 * (1 + s.process.b))[0])
    near, far = law.pmf(10_000), law.pmf(20_000)
    if min(near, far) < 1e-290:
        raise NotAsked(f"the weights are {near:.3g} and {far:.3g}, beyond floats")
    exponent = -np.log(far / near) / np.log(2)
    return same(exponent, s.process.tail_exponent(), abs=1e-3 * (1 + s.process.b) ** 2)


def _limit(s: _Process) -> str:
    """Compare the distance of K from that of the limit with its bound, a share of K."""
    ask(s.process, "limit", "limit_error_bound")
    K, far = np.asarray(s.process.working(s.real)), np.asarray(s.process.limit().working(s.real))
    bound, error = np.asarray(s.process.limit_error_bound(s.real)), np.abs(K - far) / K
    rounding = 1e-11 * (1 if K[0] else 0)
    return holds(error <= bound + rounding, at=s.near, values=error, wanted="within the bound")


def _hypothesis(s: _Process) -> str:
    """Compare the mean number of activations of a neuron in the next sample with c (D_i + b)/(cD + bN)."""
    ask(s.process, "after")
    s.plain()
    s.ways()
    p, D = s.process, s.whole(1.0)[0]
    if D * p.neurons > 10**7:
        raise NotAsked("a start would take too many events")
    counts = p.simulate([D], rng=s.numbers("hypothesis"), counts=True).counts[0, -1]
    known = p.after(D, counts)
    seen = np.unique(counts)[:20]
    following = s.whole((D + 1) / s.scale)[0]
    increments = [known.count(following, initial=int(k)).mean() - k for k in seen]
    expected = (following - D) * p.c * (seen + p.b) / (p.c * D + p.b * p.neurons)
    place = lambda i: f"of D_i = {seen[i[0]]} at D = {D}: "  # noqa: E731 - of counts
    return same(increments, expected, rel=1e-9, abs=1e-9, at=place)


# -- laws of simulations -------------------------------------------------------------------------------


def _paths(s: _Process) -> str:
    """Compare counts along paths with each other, and K with the number that is not zero."""
    D = [s.begin, *s.drawable()]
    for way in s.ways():
        path = s.process.simulate(D, 5, rng=s.numbers("paths"), counts=True, **way)
        if path.counts.shape != (5, len(D), s.process.neurons):
            raise Broken(f"counts have shape {path.counts.shape} instead of {(5, len(D), s.process.neurons)}")
        place = lambda i: f"replica {i[0]}, checkpoint {i[1]}: "  # noqa: E731 - of paths
        same(path.working, (path.counts > 0).sum(axis=2), at=place)
        steps = np.diff(path.counts, axis=1)
        holds(steps >= 0, at=lambda i: f"replica {i[0]}, neuron {i[2]}: a step of ", values=steps, wanted=">= 0")
    return f"5 paths of {s.process.neurons} neurons"


def _seeds(s: _Process) -> str:
    """Compare paths of a seed with the same again, with a replica drawn alone, and with those of other workers."""
    D = s.drawable()
    seed = int(s.numbers("seeds").integers(2**62))
    for way in s.ways():

        def draw(replicas: Any = 3, rng: int = seed, way: dict[str, Any] = way, **more: Any) -> Any:
            return s.process.simulate(D, replicas, rng=rng, counts=True, **way, **more).counts

        first = draw()
        same(draw(), first, at=lambda i: f"the same seed again, replica {i[0]}: ")
        same(draw(range(2, 3)), first[2:], at=lambda _: "replica 2 alone: ")
        if "executor" in inspect.signature(s.process.simulate).parameters:
            with ThreadPoolExecutor(2) as pool:
                same(draw(executor=pool), first, at=lambda i: f"in two threads, replica {i[0]}: ")
        if np.array_equal(draw(rng=seed + 1), first):
            raise Broken("another seed gives the same paths")
        parted(lambda rng, draw=draw: draw(TWINS, rng), seed, "replica")  # type: ignore[misc]
    return f"3 replicas of {s.process.neurons} neurons"


def _by(way: dict[str, Any]) -> str:
    """Return the name of a method of simulation, in words."""
    return f", method {way['method']!r}" if way else ""


def _simulated_growth(s: _Process) -> str:
    """Compare K of replicas with its mean and its whole law."""
    D = s.drawable()
    for way in s.ways():
        working = s.process.simulate(D, REPLICAS, rng=s.numbers(f"growth {way}"), **way).working
        for d, column in zip(D, working.T, strict=True):
            assert_mean(column, s.process.working(d), what=f"K at D = {d}{_by(way)}")
        if hasattr(s.process, "working_law"):
            assert_law(working[:, -1], s.process.working_law(D[-1]), what=f"law of K at D = {D[-1]}{_by(way)}")
    return f"{REPLICAS} replicas at D = {', '.join(map(str, D))}"


def _simulated_counts(s: _Process) -> str:
    """Compare D_i of replicas with the count law."""
    s.plain()
    D = s.drawable()[-1]
    for way in s.ways():
        counts = s.process.simulate([D], REPLICAS, rng=s.numbers(f"counts {way}"), counts=True, **way).counts
        assert_law(counts[:, 0, 0], s.process.count(D), what=f"D_0 at D = {D}{_by(way)}")
    return f"{REPLICAS} replicas at D = {D}"


def _going_on(s: _Process) -> str:
    """Compare K(D) with its mean over processes that go on from what was drawn before."""
    ask(s.process, "after")
    s.plain()
    first, way = s.drawable()[-1], s.ways()[0]
    last = s.whole(2.0 + 4 * first / s.scale)[-1]
    starts = s.process.simulate([first], REPLICAS, rng=s.numbers("going on"), counts=True, **way).counts[:, 0]
    later = [float(s.process.after(first, counts).working(last)) for counts in starts]
    assert_mean(later, float(s.process.working(last)), what=f"K at D = {last} after D = {first}")
    return f"{REPLICAS} starts at D = {first}, looked at after D = {last}"


def _copies(s: _Process) -> str:
    """Compare pickled and copied processes with the first."""
    return copies(s.process)


LAWS = (
    _start, _growth, _silence, _noise_to_signal, _count_law, _working_law, _missing_mass, _growth_rate, _inflection,
    _tail_exponent, _limit, _hypothesis, _paths, _seeds, _simulated_growth, _simulated_counts, _going_on, _copies,
)  # fmt: skip
