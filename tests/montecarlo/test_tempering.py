"""Parallel tempering: the law at every temperature, swaps that keep it, ladders that are climbed."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise, product

import numpy as np
import pytest
from boltzmann import law, number
from scipy import special, stats

from statnn._random import root, stream
from statnn._xoshiro import uniform, words
from statnn.interaction import BinaryNeurons, DynamicNeurons
from statnn.montecarlo import sample
from statnn.montecarlo._tempering import method as _tempering
from statnn.montecarlo._tempering.ladder import hottest, ladder
from statnn.montecarlo._tempering.method import Tempering
from statnn.montecarlo._tempering.swap_kernels import swap
from statnn.network import Network
from statnn.testing import assert_counts, assert_covariance, assert_mean, rejects

CHAINS = 20_000
LADDER = (0.6, 1.0, 2.5)


def glass(temperature=0.6, size=5):
    """Spins in fields, couplings of both signs; the same at every call."""
    generator = np.random.default_rng(8)
    matrix = np.triu(generator.normal(size=(size, size)) * np.sqrt(5 / size), 1)
    return BinaryNeurons(matrix + matrix.T, 0.3 * generator.normal(size=size), temperature)


@pytest.fixture(scope="module")
def ends(root_seed):
    """Independent chains after 30 sweeps, with swaps among three temperatures."""
    return sample(glass(), 1, chains=CHAINS, burn_in=30, method=Tempering(LADDER), rng=root_seed)


# -- swaps -----------------------------------------------------------------------------------------------


def offer(energies, states, betas=(1.0, 0.5, 0.2), first=0, twin=swap):
    """Return all that one round of swaps writes, from a ladder in order."""
    chains, count = energies.shape
    holders = np.tile(np.arange(count), (chains, 1))
    tally = [np.zeros((chains, count - 1), np.int64), np.zeros((chains, count - 1), np.int64)]
    ends, trips = np.zeros((chains, count), np.int64), np.zeros(chains, np.int64)
    scale = np.tile(np.array(betas), chains)
    twin(first, np.array(betas), energies, holders, states, *tally, ends, trips, scale)
    return holders, *tally, ends, trips, scale, states


def test_swap_is_its_twin(rng):
    energies, states = rng.normal(size=(30, 3)) * 3, np.array([words(rng) for _ in range(30)])
    for first in (0, 1):
        compiled = offer(energies, states.copy(), first=first)
        plain = offer(energies, states.copy(), first=first, twin=swap.py_func)
        for by_kernel, by_twin in zip(compiled, plain, strict=True):
            assert np.array_equal(by_kernel, by_twin)


def test_swaps_are_in_detailed_balance(rng):
    """π(x) π'(y) a(x, y) = π(y) π'(x) a(y, x) for all pairs of states, with the kernel's own rule for a."""
    states, cold = law(glass(1.0))
    _, hot = law(glass(2.0))
    energy = glass().energy(states)
    pairs = np.array([(x, y) for x in energy for y in energy])
    random = np.array([words(rng) for _ in pairs])
    drawn = np.array([uniform(state.copy()) for state in random])
    chance = np.minimum(1, np.exp((1 - 0.5) * (pairs[:, 0] - pairs[:, 1])))
    holders, proposed, accepted, *_ = offer(pairs, random, betas=(1.0, 0.5))
    assert (proposed == 1).all()
    assert np.array_equal(accepted[:, 0] == 1, drawn < chance)
    assert np.array_equal(holders[:, 0] == 1, drawn < chance)
    flow = np.outer(cold, hot) * chance.reshape(len(energy), -1)
    back = np.outer(hot, cold) * chance.reshape(len(energy), -1).T
    assert np.allclose(flow, back, rtol=1e-12, atol=0)
    assert not np.allclose(np.outer(cold, hot), np.outer(hot, cold), rtol=0.1)


def test_temperatures_go_with_their_holders(rng):
    energies, states = rng.normal(size=(30, 3)) * 3, np.array([words(rng) for _ in range(30)])
    holders, *_, scale, _ = offer(energies, states, first=1)
    assert np.array_equal(np.take_along_axis(scale.reshape(30, 3), holders, axis=1), np.tile([1.0, 0.5, 0.2], (30, 1)))
    assert (holders[:, 0] == 0).all()  # first=1 offers (1, 2) alone
    assert np.ptp(holders[:, 1]) == 1


def test_rates_and_trips_are_those_of_a_direct_count():
    chains, count = 3, 4
    walkers = Tempering((0.6, 0.9, 1.5, 3.0)).walkers(glass(), root(2), range(chains), None)
    walkers.burn_in(20)
    before = walkers._holders.copy()
    swaps, offers = np.zeros((chains, count - 1)), np.zeros(count - 1)
    where = np.zeros((400, chains, count), int)  # temperature of every replica after every sweep
    for sweep in range(400):
        first = walkers._first
        walkers.sweep(1)
        offers[first::2] += 1
        swaps += (before[:, :-1] == walkers._holders[:, 1:]) & (before[:, 1:] == walkers._holders[:, :-1])
        before = walkers._holders.copy()
        where[sweep] = np.argsort(before, axis=1)
    trips = np.zeros(chains, int)
    for c, replica in product(range(chains), range(count)):
        ends = where[:, c, replica]
        ends = ends[(ends == 0) | (ends == count - 1)]
        changes = ends[np.insert(np.diff(ends) != 0, 0, True)]
        trips[c] += max(0, (changes[np.argmax(changes == 0) :].size - 1) // 2) if (changes == 0).any() else 0
    diagnostics = walkers.diagnostics()
    assert np.allclose(diagnostics["swap_rate"], swaps / offers)
    assert (swaps > 0).all()
    assert (np.abs(diagnostics["round_trips"] - trips) <= 1).all()  # the count begins before the first of these sweeps
    assert (trips > 10).all()


# -- laws ------------------------------------------------------------------------------------------------


def test_every_state_has_its_probability(ends):
    seen = np.bincount(number(ends.states), minlength=32)
    assert_counts(seen, law(glass())[1], what="states of a glass in fields")
    with rejects():
        assert_counts(seen, law(glass(0.8))[1], what="warmer")


def test_energies_are_right_at_all_temperatures(ends):
    energy = glass().energy(law(glass())[0])
    order = np.argsort(energy)
    for place, temperature in enumerate(LADDER):
        drawn = ends.draws["energies"][:, 0, place]
        seen = np.bincount(np.searchsorted(energy[order] + 1e-9, drawn), minlength=energy.size)
        assert_counts(seen, law(glass(temperature))[1][order], what=f"energies at temperature {temperature}")
        with rejects():
            assert_counts(seen, law(glass(LADDER[place - 1]))[1][order], what="temperatures changed about")


def ten(root_seed):
    """Energies of a glass of ten spins at eight temperatures, shape (chains, draws, 8), and their exact laws."""
    temperatures = (1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2.0, 2.2)
    model = glass(1.2, 10)
    run = sample(model, 720, chains=160, burn_in=50, method=Tempering(temperatures), rng=root_seed)
    return run.draws["energies"], [(model.energy(law(model)[0]), law(model.at(t))[1]) for t in temperatures]


def test_temperatures_have_random_numbers_of_their_own(root_seed, monkeypatch):
    """Swaps keep the product of the laws, if replicas are independent otherwise: means of chains are exact.

    The twin has one stream for all temperatures of a ladder: each replica alone would be right, but swaps compare
    energies that were drawn with the same random numbers.
    """
    energies, laws = ten(root_seed)
    exact = [weight @ energy for energy, weight in laws]
    assert_mean(energies.mean(axis=1), exact, what="energies of ten spins")
    monkeypatch.setattr(_tempering, "stream", lambda seed, chain, *_: stream(seed, chain))
    shared, _ = ten(root_seed)
    with rejects("energies of ten spins"):
        assert_mean(shared.mean(axis=1), exact, what="energies of ten spins")


def test_replicas_of_a_chain_are_independent(root_seed):
    """The stationary law is the product of the laws: exact variances, and nothing off the diagonal.

    Warm enough that variances are not carried by a handful of chains.
    """
    ladder = (1.5, 2.0, 3.0)
    run = sample(glass(1.5), 1, chains=CHAINS, burn_in=30, method=Tempering(ladder), rng=root_seed)
    energies = run.draws["energies"][:, 0]
    laws = [(glass().energy(states), weight) for states, weight in (law(glass(t)) for t in ladder)]
    exact = np.diag([weight @ (energy - weight @ energy) ** 2 for energy, weight in laws])
    assert_covariance(energies, exact, what="energies of a chain")
    with rejects("energies of a chain"):  # correlated by 0.1
        assert_covariance(
            energies,
            exact + 0.1 * np.sqrt(np.outer(*2 * [exact.diagonal()])) * (1 - np.eye(3)),
            what="energies of a chain",
        )


def test_the_model_may_stand_anywhere_on_the_ladder(root_seed):
    run = sample(glass(1.0), 1, chains=CHAINS, burn_in=30, method=Tempering(LADDER), rng=root_seed)
    assert np.array_equal(run.draws["energy"], run.draws["energies"][:, :, 1])
    seen = np.bincount(number(run.states), minlength=32)
    assert_counts(seen, law(glass(1.0))[1], what="states in the middle of the ladder")
    with rejects():
        assert_counts(seen, law(glass(1.15))[1], what="warmer")


# -- ladders ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("acceptance", [0.15, 0.3, 0.6])
def test_steps_have_the_acceptance_that_was_asked_for(acceptance):
    """Free spins in a field: the laws of the energy are binomial, and the acceptance is a double sum."""
    size = 900
    betas = np.linspace(1.0, 0.2, 200)
    temperatures = ladder(tuple(1 / betas), np.sqrt(size) / np.cosh(betas), acceptance)
    energy = size - 2.0 * np.arange(size + 1)
    for low, high in pairwise(temperatures):
        cold, hot = (stats.binom(size, 1 / (1 + np.exp(-2 / t))).pmf(np.arange(size + 1)) for t in (low, high))
        chance = np.minimum(1, np.exp(np.minimum(0, (1 / low - 1 / high) * (energy[:, None] - energy))))
        assert acceptance * 0.97 < cold @ chance @ hot < acceptance + 0.08


def test_ladders_of_more_than_ten_thousand_temperatures_are_refused():
    """From β = 1 to 1/2 the length λ is half the deviation, and a step 2 erfc⁻¹(acceptance)."""
    step = 2 * special.erfcinv(0.3)
    assert len(ladder((1.0, 2.0), np.full(2, 2 * 9999.5 * step), 0.3)) == 10_001
    with pytest.raises(ValueError, match=r"from 1 to 2 2e\+04 temperatures are needed, more than 10000"):
        ladder((1.0, 2.0), np.full(2, 2 * 20_000 * step), 0.3)


@pytest.mark.parametrize("deviations", [(2.0, 4.0), (4.0, 2.0)])
def test_deviations_that_are_linear_in_beta_have_their_mean_as_integral(deviations):
    """λ = ∫ σ dβ = 3/2 from β = 1 to 1/2: of steps of 0.52 three are needed, with either end alone two or four."""
    assert len(ladder((1.0, 2.0), np.array(deviations), special.erfc(0.26))) == 4


def test_the_hot_end_is_free():
    model = glass(0.1, size=40)
    high = hottest(model)
    influence = np.tanh(abs(model.couplings.toarray()) / high).sum(axis=1).max()
    assert 0.495 < influence <= 0.5
    assert hottest(model.at(high)) == 2 * high


def test_a_ladder_is_found_and_climbed():
    run = sample(glass(0.4, size=64), 4000, chains=2, method="tempering", rng=4)
    temperatures = run.method.temperatures
    assert temperatures[0] == 0.4
    assert (np.diff(temperatures) > 0).all()
    assert np.array_equal(run.diagnostics["temperatures"], np.tile(temperatures, (2, 1)))
    rates = run.diagnostics["swap_rate"]
    assert rates.shape == (2, len(temperatures) - 1)
    assert 0.2 < rates.min() <= rates.max() < 0.6
    assert (run.diagnostics["round_trips"] > 5).all()
    assert ((run.acceptance > 0) & (run.acceptance < 1)).all()


def test_the_ladder_belongs_to_model_and_seed():
    runs = [sample(glass(), 5, chains=chains, method="tempering", rng=3) for chains in (30, [7], [25, 3])]
    assert runs[0].method == runs[1].method == runs[2].method
    for run in runs[1:]:
        for name, draws in run.draws.items():
            assert np.array_equal(draws, runs[0].draws[name][list(run.chains)])
        for name, values in run.diagnostics.items():
            assert np.array_equal(values, runs[0].diagnostics[name][list(run.chains)])
    again = sample(glass(), 5, chains=30, method=runs[0].method, rng=3)
    assert np.array_equal(again.draws["energy"], runs[0].draws["energy"])
    assert sample(glass(), 5, chains=2, method=Tempering(acceptance=0.7), rng=3).method != runs[0].method


# -- bookkeeping -----------------------------------------------------------------------------------------


def test_observables_are_those_of_the_states(rng):
    run = sample(glass(), 6, chains=40, thin=3, method=Tempering(LADDER), rng=rng)
    assert np.allclose(run.draws["energy"][:, -1], run.model.energy(run.states), rtol=1e-14)
    assert np.allclose(run.draws["magnetisation"][:, -1], run.states.mean(axis=1))
    start = rng.choice([-1, 1], (40, 5)).astype(np.int8)
    assert np.array_equal(Tempering(LADDER).walkers(run.model, root(1), range(40), start).states(), start)


def test_more_temperatures_than_lanes(rng):
    run = sample(glass(), 10, chains=2, method=Tempering(np.geomspace(0.6, 3, 70)), rng=rng)
    assert np.allclose(run.draws["energy"][:, -1], run.model.energy(run.states), rtol=1e-14)
    assert run.draws["energies"].shape == (2, 10, 70)


def test_a_run_can_be_cut_anywhere():
    options = {"chains": 50, "burn_in": 6, "method": "tempering", "rng": 5}
    whole = sample(glass(), 12, **options)
    first = sample(glass(), 5, **options)
    with ThreadPoolExecutor(2) as pool:
        cut = pickle.loads(pickle.dumps(first)).extend(7, executor=pool)  # noqa: S301 - our own
    for name in whole.draws:
        assert np.array_equal(whole.draws[name], cut.draws[name])
    for name, values in whole.diagnostics.items():
        assert np.array_equal(values, cut.diagnostics[name])
    assert np.array_equal(whole.states, cut.states)


# -- what is refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0],), "a row of at least two"),
        (([2.0, 1.0],), "must increase strictly, but 1 follows 2"),
        (([0.0, 1.0],), r"temperatures\[0\] = 0 must be above 0"),
        (([np.nan, 1.0],), "temperatures = nan"),
        ((None, 1.0), "acceptance = 1 must be below 1"),
        ((None, 0.0), "acceptance = 0.0 must be a finite number above 0"),
        (([1.0, 2.0], 0.3), "leave one of them out"),
    ],
)
def test_bad_options_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Tempering(*arguments)


def test_models_out_of_reach_are_refused():
    with pytest.raises(ValueError, match=r"do not contain that of the model, 0\.6"):
        sample(glass(), 10, method=Tempering((0.5, 1.0)), rng=1)
    continuous = DynamicNeurons(Network([[[1.0]]]), inputs=[[1.0]], targets=[[1.0]], beta=1.0, stiffness=1.0)
    with pytest.raises(TypeError, match="BinaryNeurons, not DynamicNeurons"):
        sample(continuous, 10, method=Tempering())


def test_acceptance_counts_the_updates_of_all_temperatures():
    """Hot spins turn half of the time, at every rung of the ladder."""
    run = sample(glass().at(1e9), 400, chains=4, burn_in=0, rng=1, method=Tempering((1e9, 2e9, 3e9)))
    np.testing.assert_allclose(run.acceptance, 0.5, atol=0.05)


def test_round_trips_begin_where_replicas_are():
    """So hot that every offer is taken: of two temperatures every second sweep; one replica starts at the lower one."""
    pair = BinaryNeurons([[0, 1], [1, 0]], temperature=1e12)
    run = sample(pair, 8, chains=3, burn_in=0, method=Tempering((1e12, 2e12)), rng=1)
    assert run.diagnostics["swap_rate"].tolist() == [[1.0]] * 3
    assert run.diagnostics["round_trips"].tolist() == [3] * 3  # two, and one that begins two sweeps later


def test_fields_have_the_digits_that_the_lowest_temperature_needs():
    """A coupling takes all of the field of the second spin but a tenmillionth, ten times the lowest temperature."""
    model = BinaryNeurons([[0.0, -1.0], [-1.0, 0.0]], [100.0, 1 + 1e-7], 1e-8)
    run = sample(model, 50, chains=4, burn_in=50, method=Tempering((1e-8, 1.0)), rng=1)
    assert (run.states == 1).all()
    assert (run.draws["magnetisation"] == 1).all()


def test_what_is_lost_at_the_lowest_temperature_is_refused():
    """A field of 1e12 beside one of 0.3, which 53 bits hold to 5e-5."""
    model = BinaryNeurons(np.zeros((2, 2)), [1e12, 0.3], 1.0)
    assert sample(model, 4, method=Tempering((1.0, 2.0)), rng=1).complete
    with pytest.raises(ValueError, match="spin 1 would be off by"):
        sample(model, 4, method=Tempering((0.01, 1.0)), rng=1)


def test_the_pilot_has_random_numbers_of_its_own(monkeypatch):
    taken, made = [], _tempering.stream
    monkeypatch.setattr(_tempering, "stream", lambda seed, *key: taken.append((*seed[1], *key)) or made(seed, *key))
    seed = root(1)
    method = Tempering().settled(glass(), 4, seed)
    pilot = {*taken}
    taken.clear()
    method.walkers(glass(), seed, range(100), None)
    assert pilot
    assert pilot.isdisjoint(taken)
