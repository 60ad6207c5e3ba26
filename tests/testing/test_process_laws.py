"""Laws of activation processes hold for ours, with a start or without; each law refuses what breaks it."""

import dataclasses

import numpy as np
import pytest
from altered import Altered
from hypothesis import given
from scipy import stats
from strategies import examples

from statnn.activation import BetaBernoulli, GammaPoisson, PolyaUrn
from statnn.testing import check_process, rejects, strategies
from statnn.testing._laws import Broken, alike, copies, parted
from statnn.testing._process_laws import LAWS, _Process

COUNTS = np.repeat([7, 3, 0], [5, 15, 80])
OURS = {
    "BetaBernoulli": BetaBernoulli(100, 0.3, 5.0),
    "GammaPoisson": GammaPoisson(100, 0.3, 5.0),
    "PolyaUrn": PolyaUrn(100, 0.3),
    "many events": PolyaUrn(40, 2.0, 3.0),
    "thirds of events": PolyaUrn(60, 0.5, 1 / 3),
    "BetaBernoulli, started": BetaBernoulli(100, 0.3, 5.0).after(16, COUNTS),
    "GammaPoisson, started": GammaPoisson(100, 0.3, 5.0).after(16, COUNTS),
    "PolyaUrn, started": PolyaUrn(100, 0.3).after(80, COUNTS),
}


@pytest.mark.parametrize("process", OURS.values(), ids=OURS)
def test_laws_of_our_processes(process, rng):
    report = check_process(process, rng=rng)
    alone = {
        "count law",
        "tail exponent",
        "hypothesis",
        "simulated counts",
        "going on",
    }  # asked of processes without a start
    assert set(report.names("not asked")) == (alone if process.start else set())


@given(strategies.processes())
@examples(0.15)
def test_exact_laws_of_any_process(process):
    assert len(check_process(process, simulate=False, rng=1).names("held")) >= 8


def test_steep_and_busy_processes_are_not_called_broken():
    """S falls as exp(-cD/N), weights leave floats, or a million events a sample are too many to draw."""
    assert check_process(PolyaUrn(100, 1e6, 3.0), simulate=False, rng=1).names("not asked")[0] == "tail exponent"
    report = check_process(GammaPoisson(100, 1e3, 3.0), simulate=False, rng=1)
    assert "tail exponent" in report.names("not asked")
    assert "growth rate" in report.names("held")
    assert "simulated growth" in check_process(GammaPoisson(100, 0.3, 1e6), rng=1).names("not asked")


HONEST = OURS["BetaBernoulli"]


def drawn(change):
    """Return simulations that are changed."""

    def simulate(D, replicas=1, *, rng=None, counts=False):
        return change(HONEST.simulate(D, replicas, rng=rng, counts=True), counts)

    return Altered(HONEST, simulate=simulate)


def falling(path, _):
    return dataclasses.replace(path, counts=path.counts[:, ::-1].copy(), working=path.working[:, ::-1].copy())


def shared(D, replicas=1, *, rng=None, counts=False):
    """All replicas on one stream: a replica that is drawn alone differs from the same one among others."""
    number = replicas if isinstance(replicas, int) else len(replicas)
    return HONEST.simulate(D, number, rng=rng, counts=counts)


def heavier(D, replicas=1, *, rng=None, counts=False):
    return BetaBernoulli(100, 0.4, 5.0).simulate(D, replicas, rng=rng, counts=counts)


def first_neuron(path, _):
    counts = path.counts.copy()
    counts[..., 0] += counts[..., 0] > 0
    return dataclasses.replace(path, counts=counts)


class Forgotten(BetaBernoulli):
    def __reduce__(self):
        return Forgotten, (self.neurons, self.b, 1.0)


def stairs(D):
    K = np.asarray(HONEST.working(D))
    return np.where((K > 50) & (K < 70), 69.9 - 1e-3 * K, K)


BROKEN = {
    "start": Altered(HONEST, working=lambda D: HONEST.working(np.asarray(D) + 1e-3)),
    "growth": Altered(HONEST, working=stairs),
    "silence": Altered(HONEST, silent=lambda D: np.asarray(HONEST.silent(D)) * (1 - 1e-9)),
    "noise to signal": Altered(HONEST, noise_to_signal=lambda D: 1 - np.asarray(HONEST.silent(D))),
    "count law": Altered(HONEST, count=lambda D, **more: HONEST.count(D + 1, **more)),
    "working law": Altered(HONEST, working_law=lambda D: stats.binom(99, HONEST.working(D) / 99)),
    "missing mass": Altered(HONEST, missing_mass=lambda D: np.asarray(HONEST.silent(D)) / (1 + np.asarray(D) / 6.01)),
    "growth rate": Altered(HONEST, growth_rate=lambda D: 1.00001 * np.asarray(HONEST.growth_rate(D))),
    "inflection": Altered(HONEST, inflection=lambda: 1.1 * HONEST.inflection()),
    "tail exponent": Altered(HONEST, tail_exponent=lambda: 1 + HONEST.b),
    "limit": Altered(HONEST, limit_error_bound=lambda D: 0.9 * np.asarray(HONEST.limit_error_bound(D))),
    "hypothesis": Altered(HONEST, after=lambda D, counts: BetaBernoulli(100, 0.3001, 5.0).after(D, counts)),
    "paths": drawn(falling),
    "seeds": Altered(HONEST, simulate=shared),
    "simulated growth": Altered(HONEST, simulate=heavier),
    "simulated counts": drawn(first_neuron),
    "going on": Altered(HONEST, after=lambda D, counts: HONEST.after(D, counts * (np.arange(100) > 19))),
    "copies": Forgotten(100, 0.3, 5.0),
}  # fmt: skip


LAW_OF = {law.__name__.strip("_").replace("_", " "): law for law in LAWS}


def test_a_broken_object_stands_for_every_law():
    assert set(BROKEN) == set(LAW_OF)
    check_process(Altered(HONEST), simulate=False)


@pytest.mark.parametrize("law", BROKEN)
def test_every_law_refuses_what_breaks_it(law, rng):
    both = "instead of|which is not|forbids|theory|not equal|expected"
    with rejects(rf"\n  {law}: .*({both})"):
        check_process(BROKEN[law], rng=rng)


def off(make, name, by):
    """Return a function that makes laws with one method changed."""

    def made(D, **more):
        law = make(D, **more)
        return Altered(law, **{name: lambda *at: by(getattr(law, name)(*at), *at)})

    return made


def threaded(D, replicas=1, *, rng=None, counts=False, executor=None):
    return HONEST.simulate(D, replicas, rng=rng + (executor is not None), counts=counts)


PARTS = {
    "more than all neurons": ("growth", Altered(HONEST, working=lambda D: 2 * HONEST.working(D)), "not <= N = 100"),
    "sum of chances": (
        "count law",
        Altered(HONEST, count=off(HONEST.count, "pmf", lambda p, k: p * (1 + 1e-6 * (k == 3)))),
        "instead of",
    ),
    "mean of counts": (
        "count law",
        Altered(HONEST, count=off(HONEST.count, "mean", lambda mean: mean * (1 + 1e-6))),
        "instead of",
    ),
    "mean of K": (
        "working law",
        Altered(HONEST, working_law=off(HONEST.working_law, "mean", lambda mean: mean + 1e-3)),
        "instead of",
    ),
    "deviation of K": (
        "working law",
        Altered(HONEST, working_law=off(HONEST.working_law, "std", lambda std: 1.001 * std)),
        "instead of",
    ),
    "loss": ("missing mass", Altered(HONEST, loss=lambda D, f: HONEST.loss(D, f) * (1 + 1e-6)), "loss at D = "),
    "K of paths": (
        "paths",
        drawn(lambda path, _: dataclasses.replace(path, working=path.working + 1)),
        "replica 0, checkpoint 0: 1 instead of 0",
    ),
    "threads": ("seeds", Altered(HONEST, simulate=threaded), "in two threads, replica "),
}


@pytest.mark.parametrize("part", PARTS)
def test_every_comparison_of_a_law_refuses_what_breaks_it_alone(part):
    name, process, words = PARTS[part]
    with pytest.raises(Broken, match=words):
        LAW_OF[name](_Process(process, 1, simulate=True))


def one_path(D, replicas=1, *, rng=None, counts=False):  # noqa: ARG001 - as the method
    """All replicas the same, drawn alone too."""
    path = HONEST.simulate(D, 1, rng=rng, counts=True)
    number = replicas if isinstance(replicas, int) else len(replicas)
    return dataclasses.replace(
        path, counts=np.repeat(path.counts, number, axis=0), working=np.repeat(path.working, number, axis=0)
    )


def pairs(D, replicas=1, *, rng=None, counts=False):  # noqa: ARG001 - as the method
    """Replicas 2k and 2k + 1 on one stream, drawn alone too."""
    path = HONEST.simulate(D, range(1000), rng=rng, counts=True)
    number = np.array(range(replicas) if isinstance(replicas, int) else replicas) // 2
    return dataclasses.replace(path, counts=path.counts[number], working=path.working[number])


def test_replicas_that_share_a_stream_are_told(rng):
    with rejects(r"\n  seeds: .*: replicas 0 and 1 are the same: each needs a stream of its own"):
        check_process(Altered(HONEST, simulate=pairs), rng=rng)


def test_what_coincides_by_chance_is_apart():
    parted(lambda seed: np.random.default_rng(seed).integers(0, 4, (20, 2)), 1, "pair")


class Forgetful:
    """An object whose hash differs from that of its equals, or whose copy is not equal to it."""

    def __init__(self, number, kept=True):
        self.number, self.kept = number, kept

    def __eq__(self, other):
        return self.number == other.number

    def __hash__(self):
        return hash(self.number) if self.kept else id(self)

    def __deepcopy__(self, memo):
        return self if self.number else Forgetful(1)


def test_copies_are_equal_by_hash_and_by_either_way():
    assert copies(Forgetful(2)) == "pickled and copied"
    with pytest.raises(Broken, match="pickled: hash"):
        copies(Forgetful(2, kept=False))
    with pytest.raises(Broken, match=r"copied: .* is not equal"):
        copies(Forgetful(0))


def test_whole_numbers_are_alike_when_they_are_equal():
    """Tolerances are for computed numbers; counts and labels must be equal."""
    assert alike(np.array([1e6]), np.array([1e6 + 1]), rel=1e-3, abs=0.0).startswith("1 parts")
    with pytest.raises(Broken, match=r"1000000 instead of 1000001, 0 apart"):
        alike(np.array([10**6]), np.array([10**6 + 1]), rel=1e-3, abs=0.0)


def test_replicas_that_are_one_are_told_and_places_are_in_words(rng):
    with rejects(r"\n  seeds: .*all replicas are the same: each needs a stream of its own"):
        check_process(Altered(HONEST, simulate=one_path), rng=rng)
    with rejects(r": K at D = \d+: estimate"):
        check_process(Altered(HONEST, simulate=heavier), rng=rng)


def test_what_is_no_process_says_what_is_missing():
    with pytest.raises(TypeError, match="process is a int without neurons, b, c, working"):
        check_process(3)


def test_inside_given_simulations_are_refused():
    @given(strategies.processes(most=50))
    @examples(0.01)
    def test(process):
        check_process(process)

    with pytest.raises(RuntimeError, match=r"inside @given"):
        test()
