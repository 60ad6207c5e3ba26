"""Coarse-graining of configurations: blocks agree with numpy, ties are fair coins fixed by the seed."""

from concurrent.futures import ThreadPoolExecutor

import hypothesis.extra.numpy as arrays_of
import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statnn import Network
from statnn.interaction import BinaryNeurons
from statnn.rg import block_means, block_spins, decimate
from statnn.rg.lattice import _blocking_kernels as kernels
from statnn.rg.lattice._blocking import lattice
from statnn.testing import assert_counts, assert_proportion, rejects


@st.composite
def blocked(draw):
    """A scale factor, some axes, and a shape that it divides along them."""
    b = draw(st.integers(2, 4))
    dimension = draw(st.integers(1, 3))
    axes = draw(st.sets(st.integers(1, dimension), min_size=1))
    shape = [draw(st.integers(1, 3))]
    shape += [draw(st.integers(1, 3)) * (b if axis in axes else 1) for axis in range(1, dimension + 1)]
    return b, tuple(sorted(axes)), tuple(shape)


def cut(array, b, axes):
    """Return the sites of every block on the last axis."""
    split, inner = [array.shape[0]], []
    for axis, length in enumerate(array.shape[1:], 1):
        factor = b if axis in axes else 1
        inner.append(len(split) + 1)
        split += [length // factor, factor]
    moved = np.moveaxis(array.reshape(split), inner, range(-len(inner), 0))
    return moved.reshape(*moved.shape[: array.ndim], -1)


def signs(rng, *shape):
    return 2 * rng.integers(0, 2, shape, np.int8) - 1


# -- kernels ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bands", [1, 2, 9])
@pytest.mark.parametrize(
    ("b", "axes", "shape"),
    [(2, None, (2, 6, 6)), (3, 2, (2, 2, 9)), (2, None, (1, 2, 4, 160)), (150, None, (1, 300, 150)), (2, 1, (2, 4, 5))],
)
def test_kernels_are_their_twins(rng, b, axes, shape, bands):
    states = signs(rng, *shape)
    blocks = lattice(shape, b, axes)
    keys, first = rng.integers(0, 2**64, shape[0], np.uint64), rng.integers(0, 999, shape[0]).astype(np.uint64)
    room, length = int(np.prod(blocks.result)), blocks.shape[3]
    results = []
    for twin in (lambda f: f, lambda f: f.py_func):
        spins, means = np.zeros(room, np.int8), np.zeros(room)
        total = np.zeros(min(bands * length, room), np.int16)
        across = np.zeros(total.size * blocks.factors[2], np.int8)
        coins = np.zeros(9 * (total.size // 64 + 2), np.uint64)
        foreign = twin(kernels.majority)(
            states.reshape(-1), blocks.shape, blocks.factors, keys, first, across, total, coins, spins
        )
        scratch = np.zeros(states.size), np.zeros(total.size)
        twin(kernels.means)(states.reshape(-1) / 8, blocks.shape, blocks.factors, *scratch, means)
        results.append((foreign, spins, means))
    for by_kernel, by_twin in zip(*results, strict=True):
        assert np.array_equal(by_kernel, by_twin)


def test_helpers_are_their_twins(rng):
    """Kernels whose loops become vector instructions give the integers of numpy, entry by entry."""
    states = signs(rng, 400)
    for f1, f2 in ((1, 1), (2, 2), (2, 3)):
        results = []
        for function in (kernels._add, kernels._add.py_func):
            half, total = np.zeros(40, np.int16), np.arange(20, dtype=np.int16)
            function(states, np.uint64(7), 3, f1, f2, 5, half, total, anew=False)
            results.append(np.concatenate([half, total]))
        assert np.array_equal(*results)
    for f1, f2 in ((1, 1), (2, 2), (3, 4)):
        for entry in (1, -1, 0, 2, -2, 3, 127, -128):
            states[50] = entry
            results = []
            for twin in (lambda f: f, lambda f: f.py_func):
                across, total = np.zeros(15 * f2, np.int8), np.arange(15, dtype=np.int16)
                with np.errstate(over="ignore"):
                    foreign = twin(kernels._across)(states, np.uint64(40), 3, f1, 0, f1, np.uint64(5 * f2), across)
                    twin(kernels._along)(across, f2, np.uint64(15), total)
                results.append([foreign, *across, *total])
            assert np.array_equal(*results)
            assert (results[0][0] == 0) == (abs(entry) == 1)
        states[50] = 1
    key = np.uint64(0x0123456789ABCDEF)
    with np.errstate(over="ignore"):
        assert kernels._word(key, np.uint64(5)) == kernels._word.py_func(key, np.uint64(5))
    for coin in (0, 3, 61, 130):
        results = np.zeros(90, np.int8), np.zeros(90, np.int8)
        for function, out in zip((kernels._signs, kernels._signs.py_func), results, strict=True):
            function(
                np.zeros(99, np.int16), np.uint64(80), key, np.uint64(coin), np.zeros(36, np.uint64), out, np.uint64(4)
            )
        assert np.array_equal(*results)
        word = int(kernels._word(key, np.uint64((coin + 9) // 64)))
        assert results[0][4 + 9] == 2 * (word >> (coin + 9) % 64 & 1) - 1, "coin n is bit n % 64 of word n // 64"


# -- laws ------------------------------------------------------------------------------------------------


@given(blocked(), st.integers(0, 2**32))
def test_a_block_is_its_majority(plan, seed):
    b, axes, shape = plan
    states = signs(np.random.default_rng(seed), *shape)
    total = cut(states, b, axes).sum(axis=-1, dtype=int)
    spins = block_spins(states, b, axes=axes, rng=seed)
    assert spins.dtype == np.int8
    assert np.array_equal(spins[total != 0], np.sign(total[total != 0]))
    assert (np.abs(spins) == 1).all()
    turned = block_spins(-states, b, axes=axes, rng=seed)
    assert np.array_equal(turned[total != 0], -spins[total != 0])
    assert np.array_equal(turned[total == 0], spins[total == 0]), "the same coins"


@pytest.mark.parametrize(("b", "shape"), [(127, (64, 127)), (32, (1, 32, 32, 32)), (256, (1, 256, 256))])
def test_sums_of_large_blocks_fit(b, shape):
    """2^7 - 1, 2^15 and 2^16 spins up: what 8 signed bits hold, one more than 16 hold, and twice as many."""
    assert (block_spins(np.ones(shape, np.int8), b) == 1).all()  # whatever the coins
    assert (block_spins(-np.ones(shape, np.int8), b) == -1).all()


def test_what_decimation_leaves_out_may_be_anything():
    states = np.array([[0.0, np.nan, 1.0, np.inf]])
    kept = decimate(states, 2)
    assert kept.tolist() == [[0.0, 1.0]]
    assert not np.shares_memory(kept, states)


@given(blocked(), st.integers(0, 2**32))
def test_a_mean_is_a_mean(plan, seed):
    b, axes, shape = plan
    activity = np.random.default_rng(seed).normal(size=shape)
    means = block_means(activity, b, axes=axes)
    assert np.allclose(means, cut(activity, b, axes).mean(axis=-1), rtol=1e-12, atol=1e-14)
    assert np.isclose(means.mean(), activity.mean(), rtol=1e-9, atol=1e-12)


@given(arrays_of.arrays(np.float64, (2, 12, 6), elements=st.floats(-1e3, 1e3)))
def test_scales_form_a_semigroup(activity):
    assert np.array_equal(decimate(decimate(activity, 2), 3), decimate(activity, 6))
    assert np.array_equal(decimate(activity, 3, axes=(1, 2)), decimate(decimate(activity, 3, axes=2), 3))
    twice = block_means(block_means(activity, 2), 3)
    assert np.allclose(twice, block_means(activity, 6), rtol=1e-12, atol=1e-9)
    across = block_means(block_means(activity, 2, axes=1), 2, axes=2)
    assert np.allclose(across, block_means(activity, 2), rtol=1e-12, atol=1e-9)


def test_a_decimated_array_is_a_copy():
    states = np.arange(12).reshape(1, 4, 3)
    kept = decimate(states, 2)
    assert np.array_equal(kept, states[:, [0, 2]])
    kept[:] = 0
    assert states[0, 0, 1] == 1


# -- ties ------------------------------------------------------------------------------------------------


def test_ties_are_fair_and_independent(rng, root_seed):
    """Blocks of two opposed spins; sixteen patterns of four neighbours, across words and rows."""
    opposed = np.tile(np.array([1, -1], np.int8), (200, 6, 100))
    coins = (block_spins(opposed, 2, axes=2, rng=root_seed) + 1) // 2
    assert_proportion(int(coins.sum()), coins.size, 0.5, what="share of ties that end up")
    patterns = np.bincount((coins.reshape(-1, 4) @ [1, 2, 4, 8]), minlength=16)
    assert_counts(patterns, np.full(16, 1 / 16), what="four coins in a row")
    together = np.bincount(2 * coins[:-1].ravel() + coins[1:].ravel(), minlength=4)
    assert_counts(together, np.full(4, 1 / 4), what="coins of neighbouring replicas")
    with rejects():
        assert_counts(
            np.bincount(coins.reshape(-1, 4) @ [1, 2, 4, 0], minlength=16), np.full(16, 1 / 16), what="no coin"
        )
    assert not np.array_equal(block_spins(opposed, 2, rng=rng), block_spins(opposed, 2, rng=rng)), "fresh entropy"


def test_ties_depend_on_seed_and_replica_alone(rng):
    states = signs(rng, 40, 6, 10)
    whole = block_spins(states, 2, rng=3)
    assert np.array_equal(whole, block_spins(states, 2, rng=3))
    assert not np.array_equal(whole, block_spins(states, 2, rng=4))
    pieces = [(0, 1), (1, 17), (17, 40)]
    with ThreadPoolExecutor(2) as pool:
        parts = pool.map(lambda piece: block_spins(states[slice(*piece)], 2, rng=3, first=piece[0]), pieces)
        assert np.array_equal(np.concatenate(list(parts)), whole)
    turned = np.asfortranarray(states)
    assert np.array_equal(block_spins(turned, 2, rng=3), whole)
    assert np.array_equal(block_spins(states.astype(float), 2, rng=3), whole)


# -- networks --------------------------------------------------------------------------------------------


def test_layers_of_a_network_are_coarse_grained(rng):
    """Recorded layers can be decimated along depth, averaged over several layers, and blocked by majority."""
    weight = rng.normal(size=(6, 6)) / 3
    net = Network.repeated(weight, activation="tanh", depth=8)
    x = rng.normal(size=(5, 6))
    layers = np.stack(net.trace(x).activations[1:], axis=1)
    assert layers.shape == (5, 8, 6)
    assert np.array_equal(decimate(layers, 2)[:, 1], layers[:, 2])
    assert block_means(layers, 4, axes=1).shape == (5, 2, 6)
    spins = np.where(layers > 0, 1, -1)
    across = block_spins(spins, 2, axes=1, rng=1)
    alike = spins[:, ::2] == spins[:, 1::2]
    assert np.array_equal(across[alike], spins[:, ::2][alike])


# -- what is refused -------------------------------------------------------------------------------------

GOOD = np.ones((2, 4, 6), np.int8)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: block_spins(GOOD, 1), ValueError, r"b = 1 is outside the allowed range \[2"),
        (lambda: block_spins(GOOD, 2.0), TypeError, r"b = 2.0 is a float"),
        (lambda: block_spins(GOOD, 4), ValueError, r"axis 2 has length 6, which b = 4 does not divide: leave out"),
        (lambda: decimate(GOOD, 3), ValueError, r"axis 1 has length 4, which b = 3 does not divide"),
        (lambda: block_means(GOOD, 4), ValueError, r"axis 2 has length 6"),
        (lambda: decimate(GOOD, 2, axes=0), ValueError, r"axis 0 cannot be blocked: axis 0 holds replicas"),
        (lambda: decimate(GOOD, 2, axes=3), ValueError, r"axis 3 cannot be blocked"),
        (lambda: decimate(GOOD, 2, axes=()), ValueError, r"axes = \(\) must name at least one axis"),
        (lambda: decimate(GOOD, 2, axes=(1, 1)), ValueError, r"each only once"),
        (lambda: block_spins(np.ones(8), 2), ValueError, r"states has shape \(8,\); \(replicas, layers\),"),
        (lambda: block_spins(nx.cycle_graph(12), 3), TypeError, r"states is a Graph; recorded .* groups of its"),
        (lambda: decimate(BinaryNeurons(nx.cycle_graph(4)), 2), TypeError, r"states is a BinaryNeurons; recorded"),
        (lambda: block_means(np.ones((1,) * 5), 2), ValueError, r"activity has shape .* with activity\[None\]"),
        (lambda: block_means([[1j, 1j]], 2), TypeError, r"activity must hold real numbers, not complex128"),
        (lambda: block_spins(np.ones((0, 4)), 2), ValueError, r"there is nothing to coarse-grain"),
        (lambda: block_spins([[1, 0, 1, 1]], 2), ValueError, r"states\[0, 1\] = 0 is not a spin: .* 2 \* s - 1"),
        (lambda: block_spins([[1, 0.5]], 2), ValueError, r"states\[0, 1\] = 0.5 is not a spin"),
        (lambda: block_spins([[1.0, np.nan]], 2), ValueError, r"states\[0, 1\] = nan is not a spin"),
        (lambda: block_spins([[257, 1]], 2), ValueError, r"states\[0, 0\] = 257 is not a spin"),
        (lambda: block_spins([["a", "b"]], 2), TypeError, r"states must hold real numbers, not"),
        (lambda: block_spins([[1, 1], [1]], 2), ValueError, r"rows differ in length"),
        (lambda: block_spins(GOOD, 2, first=-1), ValueError, r"first = -1 is outside"),
        (lambda: decimate([[np.inf, 0.0]], 2), ValueError, r"states hold inf; what is kept must be finite"),
        (lambda: block_means([[1.0, np.nan]], 2), ValueError, r"activity holds nan; means need finite numbers"),
        (lambda: block_means([[1e308, 1e308]], 2), ValueError, r"numbers whose sum exceeds the range of float64"),
        (lambda: lattice((1, 2**11, 2**11, 2**11), 2**11, None), ValueError, r"blocks of more than 2147483647 sites"),
    ],
)  # fmt: skip
def test_bad_input_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_generator_gives_each_draw_coins_of_its_own():
    """Observables of a run need new coins at each draw; an int gives every call the same coins."""
    undecided, coins = np.tile(np.array([1, -1], np.int8), (1, 64)), np.random.default_rng(1)
    first, other = (block_spins(undecided, 2, rng=coins) for _ in range(2))
    assert (first != other).any()
    assert np.array_equal(block_spins(undecided, 2, rng=1), block_spins(undecided, 2, rng=1))


@pytest.mark.parametrize("entry", [0, 2, -2, 127, -128])
def test_an_int8_array_is_looked_at_on_the_way(entry):
    states = np.ones((3, 4, 70), np.int8)
    states[2, 3, 69] = entry
    with pytest.raises(ValueError, match=rf"states\[2, 3, 69\] = {entry} is not a spin"):
        block_spins(states, 2)
    assert states[2, 3, 69] == entry


def test_a_site_has_one_coin_however_the_lattice_is_cut():
    """Coins are numbered by sites: rows of a long lattice, of many short ones and of planes toss the same."""
    opposed = np.tile(np.array([1, -1], np.int8), 9000)
    long, planes, cubes = (
        block_spins(opposed.reshape(1, *shape), 2, axes=len(shape), rng=3)
        for shape in ((9000, 2), (90, 200), (30, 30, 20))
    )
    assert np.array_equal(long.ravel(), planes.ravel())
    assert np.array_equal(long.ravel(), cubes.ravel())
