"""Wolff clusters: their law, their size, and what they are good for."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from boltzmann import law, number
from scipy import sparse

from statnn._random import root
from statnn._xoshiro import words
from statnn.interaction import BinaryNeurons, DynamicNeurons
from statnn.montecarlo import sample
from statnn.montecarlo._wolff import cluster_kernels as kernels
from statnn.montecarlo._wolff.method import Wolff
from statnn.network import Network
from statnn.testing import assert_counts, assert_mean, rejects

CHAINS = 20_000
CRITICAL = 2 / np.log(1 + np.sqrt(2))


def ferromagnet(temperature=1.0):
    """Six spins with unequal couplings, one of them alone."""
    matrix = np.zeros((6, 6))
    for i, j, value in [(0, 1, 0.9), (1, 2, 0.3), (0, 2, 0.5), (2, 3, 1.2), (3, 4, 0.2), (0, 4, 0.7)]:
        matrix[i, j] = matrix[j, i] = value
    return BinaryNeurons(matrix, temperature=temperature)


def lattice(length, temperature):
    ring = sparse.csr_array(np.roll(np.eye(length), 1, axis=0) + np.roll(np.eye(length), -1, axis=0))
    eye = sparse.eye_array(length)
    return BinaryNeurons(sparse.kron(ring, eye) + sparse.kron(eye, ring), temperature=temperature)


@pytest.fixture(scope="module")
def ends(root_seed):
    """The last draw of many independent chains."""
    return sample(ferromagnet(), 1, chains=CHAINS, burn_in=20, method="wolff", rng=root_seed)


# -- kernels ---------------------------------------------------------------------------------------------


def test_kernels_are_their_twins(rng):
    model = lattice(6, 2.5)
    graph = (model.couplings.indptr.copy(), model.couplings.indices.copy())
    chances = np.full(model.couplings.nnz, 0.55)
    spins, state = rng.choice([-1, 1], (2, 36)).astype(np.int8), np.array([words(rng), words(rng)])
    results = []
    for twin in (lambda f: f, lambda f: f.py_func):
        walk = *graph, chances, spins.copy(), state.copy(), np.zeros(36, np.int32)
        sizes, tally, energies = np.zeros(2, int), np.zeros((2, 2), int), np.zeros(2)
        twin(kernels.clusters)(*walk, np.array([30, 50]), sizes)
        twin(kernels.sweeps)(*walk, tally)
        twin(kernels.energies)(*graph, model.couplings.data.copy(), walk[3], energies)
        results.append((*walk, sizes, tally, energies))
    for by_kernel, by_twin in zip(*results, strict=True):
        assert np.array_equal(by_kernel, by_twin)


def test_a_cluster_is_connected_and_flips_as_a_whole():
    model = lattice(8, 2.5)
    walkers = Wolff(clusters=1).walkers(model, root(4), [0], None)
    for _ in range(50):
        before = walkers.states()[0]
        walkers.sweep(1)
        flipped = np.flatnonzero(before != walkers.states()[0])
        if not flipped.size:
            continue
        assert np.ptp(before[flipped]) == 0
        assert flipped.size == walkers.observe("cluster_size")[0]
        inside = model.couplings[flipped][:, flipped]
        assert sparse.csgraph.connected_components(inside)[0] == 1


# -- laws ------------------------------------------------------------------------------------------------


def test_every_state_has_its_probability(ends):
    seen = np.bincount(number(ends.states), minlength=64)
    assert_counts(seen, law(ferromagnet())[1], what="states of six spins")
    with rejects():
        assert_counts(seen, law(ferromagnet(1.15))[1], what="warmer")


def test_cluster_size_is_the_susceptibility(ends):
    states, probability = law(ferromagnet())
    square = probability @ states.sum(axis=1) ** 2 / 6
    assert_mean(ends.draws["cluster_size"][:, 0], square, what="mean cluster size, <M²>/N")
    with rejects():
        assert_mean(ends.draws["cluster_size"][:, 0], square * 1.05, what="5 % more")


def test_clusters_forget_faster_than_single_spins(root_seed):
    """At the critical temperature of 16 x 16 spins; the slow observable is the square of the magnetisation."""
    watched = {"square": lambda states: states.mean(axis=1) ** 2}
    model = lattice(16, CRITICAL)
    fast = sample(model, 2000, chains=16, method="wolff", rng=root_seed, observables=watched).estimate("square")
    slow = sample(model, 8000, chains=64, method="heat bath", rng=root_seed, observables=watched).estimate("square")
    assert fast.warning is None
    assert slow.warning is None
    assert fast.tau * 10 < slow.tau
    assert abs(fast.mean - slow.mean) < 6 * np.hypot(fast.error, slow.error)


@pytest.mark.parametrize("clusters", [1, 2])
def test_spins_that_join_nobody_do_not_flip_in_step(clusters):
    """Without couplings, and where they are too strong to be broken, all clusters have one size."""
    for couplings in (np.zeros((2, 2)), np.kron(np.eye(2), [[0.0, 100.0], [100.0, 0.0]])):
        model = BinaryNeurons(couplings)
        run = sample(
            model, 400, chains=1, burn_in=0, thin=2, method=Wolff(clusters), rng=1, initial=np.ones(model.size),
            observables={"states": lambda states: states},
        )  # fmt: skip
        assert len(np.unique(run.draws["states"][0], axis=0)) == 4


# -- sweeps ----------------------------------------------------------------------------------------------


def test_a_sweep_flips_about_all_spins(rng):
    for temperature in (1.5, 2.3, 10.0):
        run = sample(lattice(16, temperature), 100, chains=32, burn_in=200, method="wolff", rng=rng)
        touched = run.diagnostics["clusters"] * run.draws["cluster_size"].mean(axis=1)
        assert abs(touched.mean() / 256 - 1) < 0.25
        assert (run.acceptance == 15 / 16).all()


def test_clusters_can_be_fixed():
    model = lattice(8, 2.5)
    for burn_in in (0, 5):
        fixed = sample(model, 5, chains=3, burn_in=burn_in, method=Wolff(clusters=7), rng=1)
        assert (fixed.diagnostics["clusters"] == 7).all()
    assert (sample(model, 5, burn_in=0, method="wolff", rng=1).diagnostics["clusters"] == 1).all()
    single = sample(model, 14, chains=3, burn_in=0, method=Wolff(clusters=1), rng=1)
    double = sample(model, 7, chains=3, burn_in=0, method=Wolff(clusters=2), rng=1)
    assert np.array_equal(single.states, double.states)
    pairs = single.draws["cluster_size"].reshape(3, 7, 2).mean(axis=2)
    assert np.array_equal(double.draws["cluster_size"], pairs)


def test_observables_are_those_of_the_states(rng):
    run = sample(ferromagnet(), 6, chains=9, thin=3, method="wolff", rng=rng)
    assert np.allclose(run.draws["energy"][:, -1], run.model.energy(run.states), rtol=1e-14)
    assert np.allclose(run.draws["magnetisation"][:, -1], run.states.mean(axis=1))
    start = rng.choice([-1, 1], (9, 6)).astype(np.int8)
    assert np.array_equal(Wolff().walkers(run.model, root(1), range(9), start).states(), start)


def test_a_chain_does_not_depend_on_the_others():
    model = lattice(8, 2.3)
    whole = sample(model, 12, chains=100, method="wolff", rng=5)
    for chains in ([70], [99, 3, 20]):
        part = sample(model, 12, chains=chains, method="wolff", rng=5)
        for name, draws in part.draws.items():
            assert np.array_equal(draws, whole.draws[name][chains])
        assert np.array_equal(part.diagnostics["clusters"], whole.diagnostics["clusters"][chains])


def test_a_run_can_be_cut_anywhere():
    model = lattice(8, 2.3)
    whole = sample(model, 12, chains=100, burn_in=6, method="wolff", rng=5)
    first = sample(model, 5, chains=100, burn_in=6, method="wolff", rng=5)
    with ThreadPoolExecutor(2) as pool:
        cut = pickle.loads(pickle.dumps(first)).extend(7, executor=pool)  # noqa: S301 - our own
    for name in whole.draws:
        assert np.array_equal(whole.draws[name], cut.draws[name])
    assert np.array_equal(whole.states, cut.states)


# -- what is refused -------------------------------------------------------------------------------------


def test_models_out_of_reach_are_refused():
    matrix = np.ones((4, 4)) - np.eye(4)
    for field in (0.5, -0.5):
        with pytest.raises(ValueError, match=rf"fields\[1\] = {field}: a cluster flips as a whole"):
            sample(BinaryNeurons(matrix, [0, field, 0, 0]), 10, method="wolff", rng=1)
    with pytest.raises(ValueError, match="the smallest coupling is -1: clusters need J >= 0"):
        sample(BinaryNeurons(-matrix), 10, method="wolff", rng=1)
    continuous = DynamicNeurons(Network([[[1.0]]]), inputs=[[1.0]], targets=[[1.0]], beta=1.0, stiffness=1.0)
    with pytest.raises(TypeError, match="BinaryNeurons, not DynamicNeurons"):
        sample(continuous, 10, method=Wolff())
    with pytest.raises(ValueError, match=r"clusters = 0 is outside the allowed range"):
        Wolff(clusters=0)
    with pytest.raises(TypeError, match=r"clusters = 2.5 is a float"):
        Wolff(clusters=2.5)


def test_a_cluster_in_sixteen_is_left_as_it_is(rng):
    """If every cluster flipped, spins that join no others would change sign in step."""
    walkers = Wolff(clusters=1).walkers(lattice(6, 50.0), root(rng), range(200), None)
    still = np.zeros(200)
    for _ in range(100):
        before = walkers.states().copy()
        walkers.sweep(1)
        still += (walkers.states() == before).all(axis=1)
    assert_mean(still, 100 * (1 - kernels.FLIPPED), what="clusters that stay")
    with rejects():
        assert_mean(still, 0.0, what="clusters that stay")


def test_chains_of_many_clusters_walk_alone_so_that_an_interrupt_gets_through(monkeypatch):
    """As each of the clusters may hold all spins, a call for several chains could take minutes."""
    together, grown = [], kernels.clusters

    def clusters(indptr, indices, chances, spins, *rest):
        together.append(len(spins))
        grown(indptr, indices, chances, spins, *rest)

    monkeypatch.setattr(kernels, "clusters", clusters)
    model = lattice(16, 1e3)
    for many, most in ((1, 2), (40_000, 1)):
        together.clear()
        sample(model, 1, chains=2, burn_in=0, method=Wolff(clusters=many), rng=1)
        assert max(together) == most


def test_clusters_of_the_first_quarter_of_a_burn_in_are_not_counted(monkeypatch):
    """The clusters a sweep are set after half the burn-in, from its second quarter: as many as hold all spins once."""
    swept = []

    def sweeps(*arguments):
        swept.append(None)
        arguments[-1][:] = (100, 6) if len(swept) <= 10 else (3, 6)  # clusters, spins

    monkeypatch.setattr(kernels, "sweeps", sweeps)
    run = sample(ferromagnet(), 1, chains=1, burn_in=40, method="wolff", rng=1)
    assert len(swept) == 20
    assert run.diagnostics["clusters"].tolist() == [3]


def test_states_given_and_taken_stay_as_they_are():
    given = np.ones((3, 6), np.int8)
    walkers = Wolff(3).walkers(ferromagnet(), root(1), range(3), given)
    walkers.sweep(5)
    taken, size = walkers.states(), walkers.observe("cluster_size")
    before = taken.copy(), size.copy()
    walkers.sweep(5)
    assert (given == 1).all()
    np.testing.assert_array_equal(taken, before[0])
    np.testing.assert_array_equal(size, before[1])


def test_chains_that_walk_one_by_one_walk_as_all_do_together():
    together, one_by_one = (Wolff(3).walkers(ferromagnet(), root(1), range(5), None) for _ in range(2))
    one_by_one._work = 2**60
    for walkers in (together, one_by_one):
        walkers.sweep(2)
    np.testing.assert_array_equal(one_by_one.states(), together.states())
    np.testing.assert_array_equal(one_by_one.observe("cluster_size"), together.observe("cluster_size"))


@pytest.mark.parametrize("clusters", [None, 2])
@pytest.mark.parametrize("sweeps", [8, 9])
def test_a_burn_in_may_be_cut_anywhere(clusters, sweeps):
    """Between its halves and inside either; with a given number of clusters it is so many sweeps."""
    whole, parts, plain = (Wolff(clusters).walkers(ferromagnet(), root(1), range(5), None) for _ in range(3))
    whole.burn_in(sweeps)
    for begin, end in pairwise((0, 2, 3, 5, 7, sweeps)):
        parts.burn_in_part(begin, end, sweeps)
    np.testing.assert_array_equal(whole.states(), parts.states())
    np.testing.assert_array_equal(whole.diagnostics()["acceptance"], parts.diagnostics()["acceptance"])
    whole.sweep(1)
    parts.sweep(1)
    np.testing.assert_array_equal(whole.states(), parts.states())
    if clusters:
        plain.sweep(sweeps + 1)
        np.testing.assert_array_equal(whole.states(), plain.states())
