"""A sampler of a user's own: one class of options and one that walks, with nothing but what is public."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from statnn import rg
from statnn.interaction import BinaryNeurons, square_lattice
from statnn.montecarlo import HeatBath, Method, Walkers, sample, stream
from statnn.montecarlo import _engine as engine
from statnn.testing import assert_comparison, rejects
from statnn.testing.statistics import z_score


class Visits(Walkers):
    def __init__(self, model, rule, streams, spins):
        self.model, self.rule, self.streams, self.spins = model, rule, streams, spins
        self.changed, self.sweeps = np.zeros(len(streams)), 0

    def sweep(self, sweeps):
        for _ in range(sweeps * self.model.size):
            for spins, rng, k in zip(self.spins, self.streams, range(len(self.spins)), strict=True):
                i = rng.integers(self.model.size)
                field = self.model.fields[i] + self.model.couplings[[i]] @ spins
                up = rng.random() < 1 / (1 + np.exp(-2 * self.rule.slope * field[0] / self.model.temperature))
                self.changed[k] += spins[i] != 2 * up - 1
                spins[i] = 2 * up - 1
        self.sweeps += sweeps

    burn_in = sweep

    def observe(self, name):
        return self.model.energy(self.spins) if name == "energy" else self.spins.mean(axis=1)

    def states(self):
        return self.spins.copy()

    def diagnostics(self):
        return {"acceptance": self.changed / (self.sweeps * self.model.size)}


@dataclass(frozen=True)
class RandomSites(Method[BinaryNeurons]):
    """The heat bath at sites in random order."""

    slope: float = 1.0

    name, model_type, observables = "random sites", BinaryNeurons, ("energy", "magnetisation")

    def memory(self, model, chains):
        return 8 * model.size * chains

    def walkers(self, model, seed, chains, initial):
        streams = [stream(seed, chain) for chain in chains]
        if initial is None:
            initial = np.array([2 * rng.integers(0, 2, model.size) - 1 for rng in streams])
        return Visits(model, self, streams, initial.astype(np.int8))


TRIANGLE = BinaryNeurons([[0, 1, -0.5], [1, 0, 0.25], [-0.5, 0.25, 0]], fields=[0.3, 0.0, -0.2], temperature=1.5)


def z_of(run, name, exact):
    estimated = run.estimate(name)
    return z_score(estimated.mean, estimated.error, exact)


def test_a_sampler_of_ones_own_has_the_exact_averages(rng):
    run = sample(TRIANGLE, 600, chains=8, rng=rng, method=RandomSites())
    exact = TRIANGLE.exact()
    for name, value in (("energy", exact.energy), ("magnetisation", exact.magnetisation.mean())):
        assert_comparison(z_of(run, name, value), name)
    assert ((run.acceptance > 0) & (run.acceptance < 1)).all()
    wrong = sample(TRIANGLE, 600, chains=8, rng=rng, method=RandomSites(slope=2.0))
    with rejects():
        assert_comparison(z_of(wrong, "energy", exact.energy), "energy")


def test_a_method_is_settled_once_before_its_chains_start(monkeypatch):
    calls = []
    settled = HeatBath.settled
    monkeypatch.setattr(HeatBath, "settled", lambda self, *rest: calls.append(rest[1]) or settled(self, *rest))
    run = sample(TRIANGLE, 4, chains=200, rng=1, method=HeatBath()).extend(4)
    assert calls == [200]
    assert run.method.layout is not None


def test_it_does_all_that_ours_do():
    whole = sample(TRIANGLE, 12, rng=1, method=RandomSites(), burn_in=2)
    with ThreadPoolExecutor(2) as pool:
        part = sample(TRIANGLE, 4, rng=1, method=RandomSites(), burn_in=2, executor=pool).extend(8, executor=pool)
    assert np.array_equal(part.draws["energy"], whole.draws["energy"])
    alone = sample(TRIANGLE, 12, chains=[2], rng=1, method=RandomSites(), burn_in=2)
    assert np.array_equal(alone.draws["energy"], whole.draws["energy"][2:3])
    flow = rg.sample_flow(square_lattice(8, 8, temperature=10.0), (8, 8), 4, chains=8, rng=1, method=RandomSites())
    assert flow.samples == 32
    with pytest.raises(ValueError, match="'heat' is unknown to random sites, which knows energy, magnetisation"):
        sample(TRIANGLE, 4, method=RandomSites(), observables=["heat"])


def test_rows_of_a_method_of_ones_own_are_counted_before_the_burn_in():
    class Wide(Visits):
        def observe(self, name):
            return np.zeros((len(self.spins), 10**5)) if name == "energy" else super().observe(name)

        def burn_in(self, _sweeps):
            raise AssertionError("the burn-in began")

    @dataclass(frozen=True)
    class Rows(RandomSites):
        name = "rows"

        def walkers(self, model, seed, chains, initial):
            made = super().walkers(model, seed, chains, initial)
            return Wide(made.model, made.rule, made.streams, made.spins)

    pair = BinaryNeurons([[0.0, 1.0], [1.0, 0.0]])
    with pytest.raises(MemoryError, match=r"records of 'energy' with 1000000 draws of \d+ bytes"):
        sample(pair, 10**6, chains=4, method=Rows(), rng=1)


class Told(Visits):
    """Writes down what it is told to do."""

    calls: ClassVar[list[tuple[str, int]]] = []

    def sweep(self, sweeps):
        self.calls.append(("sweep", sweeps))
        super().sweep(sweeps)

    def burn_in(self, sweeps):
        self.calls.append(("burn in", sweeps))
        super().sweep(sweeps)


class TellingSites(RandomSites):
    def walkers(self, model, seed, chains, initial):
        Told.calls.clear()
        made = super().walkers(model, seed, chains, initial)
        return Told(model, self, made.streams, made.spins)


@pytest.mark.parametrize(("burn_in", "length"), [(0, 0), (3, 3), (None, 5)])
def test_a_burn_in_is_called_once_and_first_even_of_no_sweeps(burn_in, length):
    sample(TRIANGLE, 10, burn_in=burn_in, rng=1, method=TellingSites())
    assert Told.calls[0] == ("burn in", length)
    assert {name for name, _ in Told.calls[1:]} == {"sweep"}
    assert sum(sweeps for _, sweeps in Told.calls[1:]) == 10


def test_draws_stand_where_they_do_however_time_cuts_the_way_to_them(monkeypatch):
    whole = sample(TRIANGLE, 24, thin=4, burn_in=5, rng=1, method=TellingSites())
    monkeypatch.setattr(engine, "_next_piece", lambda piece, _, most: piece % most + 1)
    parts = sample(TRIANGLE, 24, thin=4, burn_in=5, rng=1, method=TellingSites())
    assert len(Told.calls) > 8
    assert np.array_equal(whole.draws["energy"], parts.draws["energy"])


def test_pieces_take_about_a_second():
    """Half of one that took more than two, twice one that took less than half, up to all there is."""
    ways = [(4, 3.0), (1, 3.0), (4, 1.0), (4, 0.1), (8, 0.1)]
    assert [engine._next_piece(piece, seconds, 10) for piece, seconds in ways] == [2, 1, 4, 8, 10]
