"""Multi-spin coding of one lattice: every site where it belongs, every bit with the law it should have."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from statnn._random import root
from statnn._xoshiro import step
from statnn.interaction import BinaryNeurons, kaufman, square_lattice
from statnn.montecarlo import HeatBath, MultiSpin, sample
from statnn.montecarlo._engine import choose
from statnn.montecarlo._multispin import strip_kernels as kernels
from statnn.montecarlo._multispin.strips import StripWalkers, strips
from statnn.testing import assert_counts, assert_mean, rejects

STRIPS = MultiSpin("strips")
SHAPES = st.tuples(st.sampled_from([16, 32, 48, 64, 128]), st.integers(2, 20).map(lambda n: 2 * n))


def glass(rng, rows, columns, temperature=1.7):
    """A torus with couplings ±0.7."""
    lattice = square_lattice(rows, columns)
    upper = sparse.triu(lattice.couplings, 1).tocsr()
    upper.data[:] = rng.choice([-0.7, 0.7], upper.nnz)
    return BinaryNeurons(upper + upper.T, temperature=temperature)


# -- where sites stand -----------------------------------------------------------------------------------


@given(SHAPES, st.booleans())
def test_every_torus_is_recognised(shape, turned):
    rows, columns = shape[::-1] if turned else shape
    cut = strips(square_lattice(rows, columns))
    assert cut is not None
    assert {cut.rows, cut.columns} == {rows, columns}
    assert cut.height % 2 == 0
    assert cut.period >= 8
    places = cut.places()
    assert np.array_equal(np.sort(places), np.arange(rows * columns))  # a place for each and none twice
    row, column = cut.sites()
    model = square_lattice(rows, columns)
    near = model.couplings[[0, model.size - 1]].toarray() != 0
    for spin, neighbours in zip((0, model.size - 1), near, strict=True):
        apart = np.minimum((row - row[spin]) % cut.rows, (row[spin] - row) % cut.rows)
        apart += np.minimum((column - column[spin]) % cut.columns, (column[spin] - column) % cut.columns)
        assert np.array_equal(neighbours, apart == 1)


def test_other_graphs_are_not():
    lattice = square_lattice(32, 32)
    rewired = lattice.couplings.tolil()
    for i, j in ((5, 6), (500, 501)):
        rewired[i, j] = rewired[j, i] = 0
    for i, j in ((5, 500), (6, 501)):
        rewired[i, j] = rewired[j, i] = 1
    for model in (
        BinaryNeurons(rewired.tocsr()),  # all degrees are four
        square_lattice(24, 24),
        square_lattice(31, 32),
        square_lattice(32, 2),
        BinaryNeurons(np.ones((5, 5)) - np.eye(5)),
    ):
        assert strips(model) is None
        with pytest.raises(ValueError, match=r"cannot be cut into strips|magnitudes from 1 to 2"):
            STRIPS.check(model)
        if np.ptp(model.couplings.data):
            continue
        assert sample(model, 1, chains=1, rng=1, method="multispin").method == MultiSpin("replicas")
    with pytest.raises(ValueError, match="layout = 'rows' is unknown; choose from replicas, strips"):
        MultiSpin("rows")


def test_the_layout_is_chosen_by_the_graph():
    assert sample(square_lattice(32, 32), 1, rng=1).method == MultiSpin("strips")
    assert sample(square_lattice(32, 16), 1, rng=1, method="multispin").method == MultiSpin("replicas")
    in_field = BinaryNeurons(square_lattice(32, 32).couplings, np.full(1024, 0.5))
    assert sample(in_field, 1, rng=1).method.name == "heat bath"


# -- kernels ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(16, 32), (128, 4)])
def test_kernels_are_their_twins(rng, monkeypatch, shape):
    model = glass(rng, *shape)
    walkers = StripWalkers(model, root(3), range(2), None)
    cut = walkers._cut
    lengths = (cut.half, walkers._bottom, cut.period)
    results = []
    for twin in (lambda f: f, lambda f: f.py_func):
        spins, state, flips, energy, up = (
            walkers._spins[0].copy(), walkers._state[0].copy(), *np.zeros((3, 8), dtype=np.int64),
        )  # fmt: skip
        with np.errstate(over="ignore"):
            twin(kernels.metropolis)(spins, walkers._signs, walkers._table, state, *lengths, 3, flips)
            twin(kernels.satisfied)(spins, walkers._signs, *lengths, energy)
            twin(kernels.ups)(spins, cut.half, up)
        results.append((spins, state, flips, energy, up))
        monkeypatch.setattr(kernels, "step", step.py_func)  # for the twin, which comes last
    for by_kernel, by_twin in zip(*results, strict=True):
        assert np.array_equal(by_kernel, by_twin)


def test_the_comparison_goes_on_to_the_last_digit(rng):
    """Bits still undecided are decided by the chance's own digits: one below and one above what was drawn."""
    row = np.zeros((8, kernels.WORDS), dtype=np.uint64)
    row[1:] = 2**64 - 1  # combination 1 is all of them
    pick = np.zeros(kernels.DIGITS, dtype=np.uint64)
    for _ in range(50):
        seed = np.uint64(rng.integers(2**64, dtype=np.uint64))
        drawn, z = [], int(seed)
        for _ in range(kernels.ROUNDS, kernels.DIGITS):
            z = (z + 0x9E3779B97F4A7C15) % 2**64
            bits = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2**64
            bits = (bits ^ bits >> 27) * 0x94D049BB133111EB % 2**64
            drawn.append((bits ^ bits >> 31) & 1)
        number = sum(bit << (len(drawn) - 1 - k) for k, bit in enumerate(drawn))
        for excess in (0, 1):
            digits = [(number + excess) >> (len(drawn) - 1 - k) & 1 for k in range(len(drawn))]
            pick[kernels.ROUNDS :] = np.array(digits) * kernels.WORDS
            accepted = kernels._finish(row.ravel(), pick, 3, seed, np.uint64(0), np.uint64(1))
            assert accepted == excess  # accepted if what was drawn is smaller


def test_a_sweep_at_no_temperature_follows_the_rule(rng):
    """Flips that cost energy never happen here: no colour gains energy, and 15/16 of the free spins flip."""
    model = glass(rng, 32, 64, temperature=0.01)
    walkers = StripWalkers(model, root(int(rng.integers(2**60))), range(150), None)
    row, column = walkers._cut.sites()
    before = walkers.states().astype(float)
    walkers.sweep(1)
    after = walkers.states().astype(float)
    even, odd = (row + column) % 2 == 0, (row + column) % 2 == 1
    middle = np.where(even, after, before)
    share = np.zeros(len(before))
    for earlier, later, visited in ((before, middle, even), (middle, after, odd)):
        along = (earlier * (earlier @ model.couplings))[:, visited]  # the local field along the spin
        changes, free = (earlier != later)[:, visited], along < 0.5
        assert not changes[~free].any()
        share = (changes & free).sum(axis=1) / free.sum(axis=1)
        assert_mean(share, 15 / 16, what="free flips")
    with rejects():
        assert_mean(share, 1.0, what="certain flips")


# -- laws ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(16, 4), (4, 64), (128, 4)])
def test_energies_of_small_tori(rng, shape):
    """Against Kaufman's torus, in strips of all periods and both ways around."""
    model = square_lattice(*shape, temperature=2.4)
    run = sample(
        model, 400, chains=512, burn_in=200, thin=10, rng=rng, method=STRIPS, observables="energy",
        initial=[1] * model.size,
    )  # fmt: skip
    energy = run.draws["energy"].mean(axis=1)
    assert_mean(energy, kaufman(*shape, temperature=2.4).energy, what=f"energy of {shape}")
    with rejects():
        assert_mean(energy, kaufman(*shape, temperature=2.46).energy, what="warmer")


def test_a_glass_in_strips_has_the_energies_of_the_heat_bath(rng):
    """A frustrated torus of 16 x 4, whose energies would differ if a sign were not where it belongs."""
    model = glass(rng, 16, 4, temperature=1.5)
    run = sample(model, 300, chains=1024, burn_in=300, thin=5, rng=rng, method=STRIPS)
    walk = sample(model, 300, chains=1024, burn_in=300, thin=5, rng=rng, method="heat bath")
    differences = run.draws["energy"].mean(axis=1) - walk.draws["energy"].mean(axis=1)
    assert_mean(differences, 0.0, what="energy of a glass, strips against heat bath")
    unlike = BinaryNeurons(abs(model.couplings), temperature=1.5)
    unlike = sample(unlike, 300, chains=1024, burn_in=300, thin=5, rng=rng, method=STRIPS)
    with rejects():
        assert_mean(unlike.draws["energy"].mean(axis=1) - walk.draws["energy"].mean(axis=1), 0.0, what="other signs")


def test_one_flip_at_a_time_has_the_law_of_the_rule(rng):
    """The satisfied bonds of a spin decide: flips of sites with three and with four of them, which cost energy."""
    model = square_lattice(64, 32, temperature=3.0)
    walkers = StripWalkers(model, root(int(rng.integers(2**60))), range(2048), None)
    walkers.sweep(20)
    row, column = walkers._cut.sites()
    before = walkers.states().astype(float)
    walkers.sweep(1)
    first = (row + column) % 2 == 0  # they saw the others as they were before
    along = (before * (before @ model.couplings))[:, first]
    changed = (before != walkers.states())[:, first]
    for excess in (2, 4):
        rule = 15 / 16 * np.exp(-2 * excess / 3.0)
        flipped = changed[along == excess]
        assert_counts(
            np.bincount(flipped, minlength=2), np.array([1 - rule, rule]), what=f"flips at a cost of {2 * excess}"
        )
        with rejects():
            wrong = 16 / 15 * rule
            assert_counts(np.bincount(flipped, minlength=2), np.array([1 - wrong, wrong]), what="not lazy")


# -- bookkeeping -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(64, 36), (18, 64), (128, 6)])
def test_observables_are_those_of_the_states(rng, shape):
    model = glass(rng, *shape)
    run = sample(model, 1, chains=11, burn_in=3, method=STRIPS, rng=rng)
    before = sample(model, 40, chains=11, burn_in=0, method=STRIPS, rng=1)
    after = before.extend(1)
    assert np.array_equal(np.abs(run.states), np.ones((11, model.size)))
    assert np.allclose(run.draws["energy"][:, 0], model.energy(run.states), rtol=1e-13)
    assert np.allclose(run.draws["magnetisation"][:, 0], run.states.mean(axis=1), atol=1e-15)
    flips = (before.states != after.states).sum(axis=1)  # every spin is visited once
    assert np.array_equal(np.rint(after.acceptance * 41 * model.size - before.acceptance * 40 * model.size), flips)


def test_starts_are_kept(rng):
    model = glass(rng, 16, 40)
    initial = rng.choice([-1, 1], (9, model.size)).astype(np.int8)
    assert np.array_equal(STRIPS.walkers(model, root(1), range(5, 14), initial).states(), initial)


def test_a_chain_depends_neither_on_the_others_nor_on_where_a_run_is_cut(rng):
    model = glass(rng, 32, 34)
    options = {"burn_in": 2, "method": STRIPS, "rng": 5}
    whole = sample(model, 8, chains=23, **options)
    for chains in ([7], range(3, 20), [22, 1]):
        part = sample(model, 8, chains=chains, **options)
        for name, draws in part.draws.items():
            assert np.array_equal(draws, whole.draws[name][list(chains)])
        assert np.array_equal(part.states, whole.states[list(chains)])
    with ThreadPoolExecutor(2) as pool:
        cut = pickle.loads(pickle.dumps(sample(model, 3, chains=23, **options))).extend(5, executor=pool)  # noqa: S301
    for name in whole.draws:
        assert np.array_equal(whole.draws[name], cut.draws[name])
    assert np.array_equal(whole.states, cut.states)
    assert np.array_equal(whole.acceptance, cut.acceptance)


def test_a_wide_torus_is_sampled_in_strips_unless_its_couplings_differ(rng):
    alike = glass(rng, 64, 64)
    assert isinstance(choose(alike, None), MultiSpin)
    upper = sparse.triu(alike.couplings, 1).tocsr()
    upper.data[0] *= 2
    assert isinstance(choose(BinaryNeurons(upper + upper.T), None), HeatBath)
    assert isinstance(choose(BinaryNeurons(0 * alike.couplings), None), HeatBath)
