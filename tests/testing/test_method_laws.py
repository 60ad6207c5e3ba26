"""Laws of sampling methods hold for all of ours; each law refuses what breaks it."""

import copy
from dataclasses import dataclass

import numpy as np
import pytest

from statnn.interaction import BinaryNeurons, square_lattice
from statnn.montecarlo import METHODS, HeatBath, Method, Walkers, stream
from statnn.testing import _method_laws, check_method, rejects
from statnn.testing._method_laws import LAWS

LAW_OF = {law.__name__.strip("_").replace("_", " "): law for law in LAWS}


@pytest.mark.parametrize("name", METHODS)
def test_laws_of_our_methods(name, rng):
    report = check_method(METHODS[name](), chains=1000 if name == "ancestral" else 4000, rng=rng)
    assert set(report.names("not asked")) <= ({"reach"} if name == "ancestral" else set())


class Visits(Walkers):
    """The heat bath at sites in order, and the name of the law that it breaks."""

    def __init__(self, model, breaks, streams, spins):
        self.model, self.breaks, self.streams = model, breaks, streams
        self.spins = spins.astype(float)  # as floats, states that are no copy are seen by observables
        self.sweeps = 0

    def sweep(self, sweeps):
        size, slope = self.model.size, 1.5 if self.breaks == "stationarity" else 1.0
        coupling = self.model.couplings.toarray()
        for _ in range(sweeps):
            random = np.array([generator.random(size) for generator in self.streams])
            for i in range(size - (self.breaks == "reach")):
                field = self.model.fields[i] + self.spins @ coupling[i]
                up = random[:, i] < 1 / (1 + np.exp(-2 * slope * field / self.model.temperature))
                self.spins[:, i] = np.where(up, 1, -1)
        if self.breaks == "moves":  # two moves in a row differ from one move of as many sweeps
            np.array([generator.random() for generator in self.streams])
        self.sweeps += sweeps

    burn_in = sweep

    def __deepcopy__(self, memo):
        streams = copy.deepcopy(self.streams)
        if self.breaks == "chunks":
            streams[0].random()
        return Visits(self.model, self.breaks, streams, self.spins.copy())

    def __setstate__(self, state):
        self.__dict__.update(state)
        if self.breaks == "pickles":
            self.streams[0].random()

    def observe(self, name):
        if name == "energy":
            energy = self.model.energy(self.spins)
            return energy + {"observables": 0.01, "mean energy": 0.2}.get(self.breaks, 0.0)
        return self.spins.mean(axis=1)

    def states(self):
        return self.spins if self.breaks == "states" else self.spins.copy()

    def diagnostics(self):
        return {"acceptance": np.full(len(self.spins), 1.5 if self.breaks == "diagnostics" else 0.5)}


@dataclass(frozen=True)
class Ordered(Method[BinaryNeurons]):
    breaks: str = ""

    name, model_type, observables = "in order", BinaryNeurons, ("energy", "magnetisation")

    def block(self, model, chains):  # noqa: ARG002 - as the protocol has it
        return chains

    def memory(self, model, chains):
        return 16 * model.size * (model.size if self.breaks == "memory" else chains)

    def origin(self, chain, chains):
        match self.breaks:
            case "seeds":
                return 0, chains
            case "pairs":
                return (chain // 2,)
            case "error bars":  # four chains are one: the error of their mean is half of what it should be
                return (chain // 4,)
        return (chain,)

    def walkers(self, model, seed, chains, initial):
        streams = [stream(seed, *self.origin(chain, len(chains))) for chain in chains]
        if initial is None:
            initial = np.array([2 * generator.integers(0, 2, model.size) - 1 for generator in streams])
        return Visits(model, self.breaks, streams, np.array(initial))


def test_a_method_of_ones_own_is_asked_everything(rng):
    assert len(check_method(Ordered(), rng=rng).names("held")) == len(LAWS)


BROKEN = {
    **dict.fromkeys(LAW_OF, ".*(instead of|theory|not in|bytes of 1000000|p [=<] )"),
    "pairs": "chains 0 and 1 are the same: each needs a stream of its own",
    "moves": r"3 sweeps at a time, chain \d, draw \d: \S+ instead of",
    "states": ".*states that were taken are changed by a later sweep",
    "pickles": r"chain 0, draw \d+: \S+ instead of",
    "mean energy": r"\(mean - exact\)/error: ",
}
SEEN_BY = {
    "pairs": "seeds",
    "moves": "chunks",
    "states": "observables",
    "pickles": "chunks",
    "mean energy": "error bars",
}


@pytest.mark.parametrize("breaks", BROKEN)
def test_every_law_refuses_what_breaks_it(breaks, rng, monkeypatch):
    law = SEEN_BY.get(breaks, breaks)
    monkeypatch.setattr(_method_laws, "LAWS", [LAW_OF[law]])  # a law draws the same numbers alone
    with rejects(rf"\n  {law}: .*{BROKEN[breaks]}"):
        check_method(Ordered(breaks), chains=1000 if law == "error bars" else 4000, rng=rng)


@pytest.mark.parametrize("method", [HeatBath(), Ordered()])
def test_a_cold_model_is_no_fault_of_the_method(method, rng):
    """Nine spins at T = 1.5 do not turn over in 100 sweeps; at T = 0.3 a pair hardly ever leaves its ground states."""
    lattice = check_method(method, square_lattice(3, 3, temperature=1.5), rng=rng)
    assert lattice.names("not asked") == ("reach",)
    pair = check_method(method, BinaryNeurons([[0, 1], [1, 0]], temperature=0.3), rng=rng)
    assert pair.names("not asked") == ("reach", "seeds", "error bars")
    assert "of pairs of draws share the same energy: pass a model whose draws differ more" in str(pair)
    free = check_method(method, BinaryNeurons(np.zeros((3, 3))), rng=rng)
    assert free.names("not asked") == ("seeds", "error bars")
    assert "stationarity" not in check_method(method, BinaryNeurons(np.zeros((3, 3)), 9.0), rng=rng).names("held")


@pytest.mark.parametrize("temperature", [0.6, 0.9])
def test_error_bars_of_rare_energies_are_no_fault_of_the_method(temperature, rng):
    """Of twelve cold spins most runs never leave the ground states: nobody knows an error from these."""
    report = check_method(HeatBath(), square_lattice(3, 4, temperature=temperature), chains=1000, rng=rng)
    assert set(report.names("not asked")) <= {"stationarity", "reach", "error bars"}


def test_an_energy_that_is_off_is_seen_where_the_heat_bath_is_right(rng):
    with rejects(r"error bars: .*\(mean - exact\)/error: "):
        check_method(Ordered("mean energy"), square_lattice(3, 4, temperature=2.0), rng=rng)


def test_what_cannot_be_checked_says_why():
    with pytest.raises(TypeError, match="method is a str; pass an object"):
        check_method("wolff")

    class Picky(Ordered):
        def check(self, model):
            raise ValueError(f"{model.size} spins are too few")

    with pytest.raises(ValueError, match=r"refuses all small models \(6 spins are too few; .*pass model="):
        check_method(Picky())


def test_a_model_may_be_given(rng):
    report = check_method(HeatBath(), square_lattice(4, 6, temperature=3.0), rng=rng)
    assert report.names("not asked") == ("stationarity", "reach")


@pytest.mark.parametrize(("scale", "shift", "what"), [(1.0, 0.3, "mean"), (1.1, 0.0, "covariance")])
def test_means_and_covariances_of_reals_are_compared(scale, shift, what, rng):
    law = _method_laws._Method(None, _method_laws._small()[3], int(rng.integers(2**62)), 4000)
    states, mean = law.drawn("states"), law.model.exact().mean
    law.compare(states, "of what is drawn from the law")
    with rejects(rf"^{what} of what is off"):
        law.compare(mean + scale * (states - mean) + shift, "of what is off")


@pytest.mark.parametrize("chains", [4000, 64_000])
@pytest.mark.parametrize("rank", [0, 10, 40])
def test_a_wrong_chance_is_seen_from_the_size_on_that_the_page_says(rank, chains, rng):
    """An error of 1.5 times the size that is seen nine times in ten is seen, one of a fifth of it is not."""
    assert "15/√(chains p)" in check_method.__doc__
    law = _method_laws._Method(None, _method_laws._small()[0], 1, chains)
    chances = law.probabilities()
    at = np.argsort(chances)[::-1][rank]

    def states(error):
        wrong = chances.copy()
        wrong[at] *= 1 + error
        return law.states()[rng.choice(64, chains, p=wrong / wrong.sum())]

    size = 15 / np.sqrt(chains * chances[at])
    law.compare(states(size / 5), "of a chance that is hardly wrong")
    with rejects():
        law.compare(states(1.5 * size), "of a wrong chance")
