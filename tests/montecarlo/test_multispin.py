"""Multi-spin coding: every bit has the law it should have, and every chain is its own."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from boltzmann import law, number
from scipy import sparse

from statnn._random import root
from statnn.interaction import BinaryNeurons, DynamicNeurons
from statnn.montecarlo import sample
from statnn.montecarlo._multispin import replica_kernels as kernels
from statnn.montecarlo._multispin.method import MultiSpin, _signs
from statnn.montecarlo._multispin.strips import LAZY
from statnn.network import Network
from statnn.testing import assert_counts, assert_mean, rejects

WIDTH, LEVELS = (0,) * 16, (0,) * 3
ALL = 2**64 - 1
CHAINS = 65536


def coupled(size, bonds, temperature=1.0, magnitude=1.0):
    matrix = np.zeros((size, size))
    for i, j, sign in bonds:
        matrix[i, j] = matrix[j, i] = sign * magnitude
    return BinaryNeurons(matrix, temperature=temperature)


def frustrated(temperature=1.1):
    """Six spins, degrees 0 to 4, with frustrated loops and one spin alone."""
    bonds = [(0, 1, 1), (1, 2, -1), (0, 2, 1), (2, 3, 1), (3, 4, 1), (2, 4, -1), (0, 4, 1)]
    return coupled(6, bonds, temperature, 0.7)


def random_signs(rng, size, degree):
    """A random ±J graph with degrees from 0 to about 2 `degree`."""
    matrix = sparse.random_array((size, size), density=degree / size, rng=rng)
    upper = sparse.triu(matrix, 1).tocsr()
    upper.data[:] = rng.choice([-1.0, 1.0], upper.nnz)
    return BinaryNeurons(upper + upper.T, temperature=1.5)


def scratch(rng, width):
    return rng.integers(0, 2**64, size=kernels.ROWS * len(width), dtype=np.uint64)


@pytest.fixture(scope="module")
def ends(root_seed):
    """Final states of many independent chains."""
    return sample(frustrated(), 1, chains=CHAINS, burn_in=60, method="multispin", rng=root_seed, observables="energy")


# -- kernels ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [(0,), WIDTH])
def test_kernels_are_their_twins(rng, width):
    model = random_signs(rng, 24, 4)
    walkers = MultiSpin().walkers(model, root(3), range(64 * len(width)), None)
    graph = (model.couplings.indptr.copy(), model.couplings.indices.copy(), _signs(model))
    results = []
    for twin in (lambda f: f, lambda f: f.py_func):
        spins, work = walkers._spins[0].copy(), walkers._scratch[0].copy()
        flips = twin(kernels.metropolis)(*graph, walkers._table, spins, work, 2, walkers._levels, width)
        energy = twin(kernels.satisfied)(*graph, spins, work, width)
        results.append((flips, energy, twin(kernels.ups)(spins, work, width), spins, work))
    for by_kernel, by_twin in zip(*results, strict=True):
        assert np.array_equal(by_kernel, by_twin)


def test_helpers_are_their_twins(rng, monkeypatch):
    """Kernels whose loops become vector instructions give the integers of numpy, word by word."""
    table = rng.integers(0, 2, size=kernels.DIGITS * 3, dtype=np.uint64) * np.uint64(ALL)
    others = rng.integers(0, 9, size=7)
    signs, spins = rng.integers(-1, 1, size=7).astype(np.int8), rng.integers(0, 2**64, size=(9, 16), dtype=np.uint64)
    compiled = scratch(rng, WIDTH)
    plain = compiled.copy()
    late = kernels.UNDECIDED * len(WIDTH) + 5
    kernels._tally(1, 7, others, signs, spins, spins[0], compiled, WIDTH)
    kernels._compare(table, 3, compiled, LEVELS, WIDTH)
    compiled[late] |= np.uint64(11)  # few words have anything left to compare
    kernels._finish(table, compiled, 5, LEVELS, WIDTH)
    for name in ("step", "hashed"):
        monkeypatch.setattr(kernels, name, getattr(kernels, name).py_func)
    with np.errstate(over="ignore"):
        kernels._tally.py_func(1, 7, others, signs, spins, spins[0], plain, WIDTH)
        kernels._compare.py_func(table, 3, plain, LEVELS, WIDTH)
        plain[late] |= np.uint64(11)
        kernels._finish.py_func(table, plain, 5, LEVELS, WIDTH)
    assert np.array_equal(compiled, plain)


@pytest.mark.parametrize("degree", [0, 1, 3, 4, 5, 11, 15])
def test_bonds_are_counted(rng, degree):
    spins = rng.integers(0, 2**64, size=(20, 16), dtype=np.uint64)
    others, signs = rng.choice(np.arange(1, 20), degree), rng.integers(-1, 1, size=degree).astype(np.int8)
    work = scratch(rng, WIDTH)
    kernels._tally(0, degree, others, signs, spins, spins[0], work, WIDTH)
    bits = np.unpackbits(spins.view(np.uint8), axis=1, bitorder="little").astype(int)
    digits = np.unpackbits(work.reshape(-1, 16)[4:8].view(np.uint8), axis=1, bitorder="little").astype(int)
    wanted = sum(
        ((bits[0] == bits[j]) ^ (sign < 0) for j, sign in zip(others, signs, strict=True)), np.zeros(1024, int)
    )
    assert np.array_equal(np.array([1, 2, 4, 8]) @ digits, wanted)


def words_of(state, count):
    """The first random words of xoshiro256++, in Python's own integers, and what splitmix64 adds to them."""

    def rotated(x, k):
        return (x << k | x >> (64 - k)) & ALL

    a, b, c, d = (int(word) for word in state)
    drawn = []
    for _ in range(kernels.ROUNDS):
        drawn.append((rotated((a + d) & ALL, 23) + a) & ALL)
        shifted = b << 17 & ALL
        c ^= a
        d ^= b
        b ^= c
        a ^= d
        c ^= shifted
        d = rotated(d, 45)
    for k in range(1, count - kernels.ROUNDS + 1):
        z = (a + k * 0x9E3779B97F4A7C15) & ALL
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & ALL
        z = (z ^ z >> 27) * 0x94D049BB133111EB & ALL
        drawn.append(z ^ z >> 31)
    return drawn


def test_the_comparison_is_exact_in_every_digit(rng):
    """A replica is accepted if and only if its number of 64 digits is below the probability of its level."""
    for trial in range(20):
        work = scratch(rng, WIDTH)
        rows = work.reshape(-1, 16)
        rows[6:8] = [[ALL] * 16, [0] * 16]  # counts from 4 to 7
        counts = np.unpackbits(rows[4:8].view(np.uint8), axis=1, bitorder="little").astype(int)
        level = (np.array([1, 2, 4, 8]) @ counts - 3).reshape(16, 64)
        level[level > 2] = 0
        drawn = []
        for w in (0, 7):
            bits = words_of(rows[:4, w], 64)
            drawn.append([sum((word >> r & 1) << (63 - k) for k, word in enumerate(bits)) for r in range(64)])
        critical = int(np.argmax(level[0] == 1))
        chances = [int(rng.integers(2**63)), drawn[0][critical] + trial % 2, drawn[1][0] >> 3]
        table = np.array([ALL * (p >> (63 - k) & 1) for k in range(64) for p in chances], dtype=np.uint64)
        kernels._compare(table, 3, work, LEVELS, WIDTH)
        for w in range(16):
            kernels._finish(table, work, w, LEVELS, WIDTH)
        for w, values in zip((0, 7), drawn, strict=True):
            accepted = [int(rows[kernels.ACCEPTED, w]) >> r & 1 for r in range(64)]
            assert accepted == [value < chances[k] for value, k in zip(values, level[w], strict=True)]
        assert int(rows[kernels.ACCEPTED, 0]) >> critical & 1 == trial % 2  # it took all 64 digits


def test_probabilities_are_those_of_the_rule():
    model = frustrated(0.9)
    table = MultiSpin().walkers(model, root(0), range(64), None)._table.reshape(-1, 64, 3)
    chances = (table > 0).transpose(0, 2, 1) @ 2.0 ** -np.arange(1, 65)
    for degree, row in enumerate(chances):
        assert np.allclose(row[0], 1 - LAZY, rtol=1e-15)
        for k in range(degree // 2 + 1, degree + 1):
            rule = (1 - LAZY) * np.exp(-2 * 0.7 * (2 * k - degree) / 0.9)
            assert np.isclose(row[k - degree // 2], rule, rtol=1e-14)


# -- laws ------------------------------------------------------------------------------------------------


def test_every_state_has_its_probability(ends):
    seen = np.bincount(number(ends.states), minlength=64)
    assert_counts(seen, law(frustrated())[1], what="states of six frustrated spins")
    with rejects():
        assert_counts(seen, law(frustrated(1.3))[1], what="warmer")


def test_high_degrees_have_their_law(root_seed):
    """A star of nine, and a clique: degrees 1, 5 and 8."""
    star = [(0, k, (-1) ** k) for k in range(1, 9)]
    clique = [(i, j, 1 if (i + j) % 3 else -1) for i in range(9, 14) for j in range(9, i)]
    model = coupled(14, [*star, *clique, (0, 9, 1)], 2.5)
    run = sample(model, 1, chains=CHAINS, burn_in=60, method="multispin", rng=root_seed, observables="energy")
    states, probability = law(model)
    energies, which = np.unique(np.round(model.energy(states), 9), return_inverse=True)
    seen = np.bincount(np.searchsorted(energies, np.round(run.draws["energy"][:, 0], 9)), minlength=energies.size)
    assert_counts(seen, np.bincount(which, probability), what="energy of a star and a clique")
    with rejects():
        assert_counts(seen, np.bincount(which, law(model.at(2.6))[1]), what="energy, warmer")


def test_a_triangle_is_ergodic(rng):
    """With certain flips at no cost its states fall into two sets that never meet."""
    run = sample(
        coupled(3, [(0, 1, 1), (1, 2, 1), (0, 2, -1)]), 1, chains=64 * 256, burn_in=100, method="multispin",
        rng=rng, initial=[1, 1, 1], observables="energy",
    )  # fmt: skip
    seen = np.bincount(number(run.states), minlength=8)
    assert_counts(seen, law(run.model)[1], what="states of a triangle, from one state")
    with rejects():
        assert_counts(seen, law(run.model.at(1.5))[1], what="states of a triangle, warmer")


def test_replicas_of_one_word_are_uncorrelated(ends):
    states, probability = law(frustrated())
    energy = frustrated().energy(states)
    mean = probability @ energy
    variance = probability @ (energy - mean) ** 2
    deviations = (ends.draws["energy"][:, 0] - mean).reshape(-1, 64)
    assert_mean(deviations.sum(axis=1) ** 2, 64 * variance, what="square of the sum over a word")
    deviations = np.repeat(deviations[:, ::4], 4, axis=1)
    with rejects():
        assert_mean(deviations.sum(axis=1) ** 2, 64 * variance, what="some replicas are copies")


# -- bookkeeping -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("chains", [64, 200, 1100])
def test_observables_are_those_of_the_states(rng, chains):
    model = random_signs(rng, 150, 4)
    run = sample(model, 1, chains=chains, burn_in=3, method="multispin", rng=rng)
    before = sample(model, 3, chains=chains, burn_in=0, method="multispin", rng=1)
    after = before.extend(1)
    assert run.states.dtype == np.int8
    assert np.array_equal(np.abs(run.states), np.ones((chains, 150)))
    assert np.allclose(run.draws["energy"][:, 0], model.energy(run.states), rtol=1e-14)
    assert np.allclose(run.draws["magnetisation"][:, 0], run.states.mean(axis=1), atol=1e-15)
    flips = (before.states != after.states).sum(axis=1)  # every spin is visited once
    assert np.array_equal(np.rint(after.acceptance * 4 * 150 - before.acceptance * 3 * 150), flips)


def test_starts_are_kept(rng):
    model = random_signs(rng, 30, 3)
    initial = rng.choice([-1, 1], (100, 30)).astype(np.int8)
    chains = range(30, 130)
    assert np.array_equal(MultiSpin().walkers(model, root(1), chains, initial).states(), initial)


def test_a_chain_does_not_depend_on_the_others(rng):
    model = random_signs(rng, 50, 4)
    initial = rng.choice([-1, 1], (400, 50)).astype(np.int8)

    def run(chains, start, **options):
        return sample(model, 12, chains=chains, burn_in=3, method="multispin", rng=5, initial=start, **options)

    whole = run(400, initial)
    for chains in ([70], range(64, 128), range(60, 399), [399, 3, 200]):
        part = run(chains, initial[list(chains)])
        for name, draws in part.draws.items():
            assert np.array_equal(draws, whole.draws[name][list(chains)])
        assert np.array_equal(part.states, whole.states[list(chains)])
        assert np.array_equal(part.acceptance, whole.acceptance[list(chains)])
    assert np.array_equal(run(range(64, 70), None).states, run(400, None).states[64:70])
    scattered = run(range(0, 64 * 20, 64), None)
    assert np.array_equal(scattered.states[17], run([17 * 64], None).states[0])


def test_a_run_can_be_cut_anywhere(rng):
    model = random_signs(rng, 50, 4)
    options = {"chains": 2100, "burn_in": 2, "method": "multispin", "rng": 5}
    whole = sample(model, 8, **options)
    first = sample(model, 3, **options)
    with ThreadPoolExecutor(2) as pool:
        cut = pickle.loads(pickle.dumps(first)).extend(5, executor=pool)  # noqa: S301 - our own
    for name in whole.draws:
        assert np.array_equal(whole.draws[name], cut.draws[name])
    assert np.array_equal(whole.states, cut.states)
    assert np.array_equal(whole.acceptance, cut.acceptance)


def test_nothing_is_coupled(rng):
    run = sample(BinaryNeurons(np.zeros((4, 4))), 20, chains=64, method="multispin", rng=rng)
    assert (run.draws["energy"] == 0).all()
    assert np.abs(run.draws["magnetisation"]).max() <= 1


# -- what is refused -------------------------------------------------------------------------------------


def test_models_out_of_reach_are_refused():
    matrix = np.ones((4, 4)) - np.eye(4)
    uneven = matrix.copy()
    uneven[0, 1] = uneven[1, 0] = 2.0
    for model, message in (
        (BinaryNeurons(matrix, [0, 0.5, 0, 0]), r"fields\[1\] = 0.5: .* use method='heat bath'"),
        (BinaryNeurons(uneven), "magnitudes from 1 to 2"),
        (BinaryNeurons(np.ones((17, 17)) - np.eye(17)), "spin 0 has 16 couplings, multispin takes up to 15"),
    ):
        with pytest.raises(ValueError, match=message):
            sample(model, 10, chains=64, method="multispin", rng=1)
    net = Network([[[1.0]]])
    continuous = DynamicNeurons(net, inputs=[[1.0]], targets=[[1.0]], beta=1.0, stiffness=1.0)
    with pytest.raises(TypeError, match="BinaryNeurons, not DynamicNeurons"):
        sample(continuous, 10, method=MultiSpin())


def test_blocks_have_64_chains_up_to_256_and_fill_vectors_beyond():
    ring = coupled(8, [(i, (i + 1) % 8, 1) for i in range(8)])
    assert [MultiSpin("replicas").block(ring, chains) for chains in (1, 256, 257)] == [64, 64, 1024]
