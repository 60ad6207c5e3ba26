"""Block Gibbs: kernels, laws of small layered models, and chains that are the same bit for bit however they are run."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
import threadpoolctl
from boltzmann import law, number

from statnn.interaction import BinaryNeurons, DynamicNeurons
from statnn.montecarlo import sample
from statnn.montecarlo._blocks.layered import layered
from statnn.montecarlo._blocks.method import REPLICAS, Blocks
from statnn.montecarlo._blocks.replica_kernels import accept, bond_energies, layer_sums
from statnn.montecarlo._blocks.single_kernels import bond_energy, sweep_rows
from statnn.montecarlo._chunks import TASKS, cut
from statnn.montecarlo._lanes import lanes
from statnn.network import Network
from statnn.testing import assert_counts, assert_mean, rejects

LAYOUTS = ("replicas", "single")
CHAINS = {"replicas": 256, "single": 8}
SEED = (7, ())


def small(temperature=1.2):
    """2-3-2 spins in fields, couplings of both signs."""
    blocks = [[[0.7, -0.4], [0.3, 0.6], [-0.9, 0.2]], [[0.5, -0.8, 0.4], [0.1, 0.7, -0.3]]]
    return BinaryNeurons(blocks, [0.3, -0.2, 0.1, 0.4, -0.5, 0.2, 0.0], temperature)


def random_model(rng, widths, temperature=1.0, scale=1.0, field=0.0):
    blocks = [rng.normal(size=(b, a)) * scale / np.sqrt(a) for a, b in pairwise(widths)]
    return BinaryNeurons(blocks, (field + 0.3 * rng.normal(size=sum(widths))) * scale, temperature)


def arrays_of(walkers):
    return {k: v for k, v in vars(walkers).items() if isinstance(v, np.ndarray)}


# -- kernels ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_accept_is_its_twin(rng, dtype):
    products = rng.normal(size=(5, 16)).astype(dtype) * 2**20
    fields, scale = np.rint(rng.normal(size=5) * 2**20).astype(dtype), np.float32(-2 / 2**20)
    results = []
    for function in (accept, accept.py_func):
        spins, state = np.ones((5, 16), dtype), lanes(SEED, [(lane,) for lane in range(16)], 16)
        changes = np.zeros(16, np.uint32)
        with np.errstate(over="ignore"):
            for _ in range(20):
                function(products, fields, scale, spins, state, changes)
        results.append((spins, state, changes))
    for by_kernel, by_twin in zip(*results, strict=True):
        np.testing.assert_array_equal(by_kernel, by_twin)
    assert 0 < results[0][2].min() < 100


@pytest.mark.parametrize("temperature", [1.0, 1e-4])
def test_rows_are_their_twin(rng, temperature):
    model = random_model(rng, [3, 37, 16, 5], temperature)
    results = []
    for function in (sweep_rows, sweep_rows.py_func):
        walkers = Blocks("single").walkers(model, SEED, [3], None)
        held = walkers.couplings
        room = np.empty(37, np.bool_), np.empty(37, np.int64)
        with np.errstate(over="ignore"):
            changes = function(
                held.plan, held.weights, walkers.fields, held.scale, walkers.spins[:, 0], walkers.lanes, *room, 10
            )
        results.append((walkers.spins, walkers.fields, walkers.lanes, changes))
    for by_kernel, by_twin in zip(*results, strict=True):
        np.testing.assert_array_equal(by_kernel, by_twin)
    assert results[0][1].dtype == (np.float32 if temperature == 1 else np.float64)


def test_sums_are_their_twins(rng):
    products, fields, spins = rng.normal(size=(9, 5)), rng.normal(size=9), rng.choice([-1, 1], (9, 5)).astype("f4")
    block, room = rng.normal(size=(4, 5)), np.empty(5)
    plan = np.array([[0, 2, 0, 0, 0], [2, 7, 0, 0, 0]])
    for kernel in (bond_energies, layer_sums):
        results = []
        for function in (kernel, kernel.py_func):
            sums = np.zeros((2, 5))
            if kernel is bond_energies:
                function(products, fields, spins, sums[0])
            else:
                function(plan, spins, sums)
            results.append(sums)
        np.testing.assert_array_equal(*results)
        assert results[0].any()
    above, below = spins[:4, 0].astype(float), spins[4:, 0].astype(float)
    assert bond_energy(block, above, below, room) == bond_energy.py_func(block, above, below, room)
    assert bond_energy(block, above, below, room) == pytest.approx(-above @ block @ below, rel=1e-13)


# -- fields are exact ------------------------------------------------------------------------------------


def test_products_equal_plain_sums(rng):
    """On the grid of float32 sums are exact, whatever the order in which BLAS adds."""
    held = layered(random_model(rng, [60, 90, 70]))
    spins = rng.choice([-1, 1], (220, 16)).astype(np.float32)
    assert held.weights.dtype == np.float32
    for layer, (_, width, first, count, _) in enumerate(held.plan):
        matrix, around = held.matrix(layer), spins[first : first + count]
        plain = np.zeros((width, 16), np.float32)
        for j in rng.permutation(count):
            plain += matrix[:, j, None] * around[j]
        np.testing.assert_array_equal(matrix @ around, plain)


@pytest.mark.parametrize(("temperature", "dtype"), [(1.0, np.float32), (1e-5, np.float64)])
def test_cached_fields_never_drift(rng, temperature, dtype):
    walkers = Blocks("single").walkers(random_model(rng, [20, 33, 50, 8], temperature), SEED, [0], None)
    for _ in range(3):
        walkers.sweep(3000)
        np.testing.assert_array_equal(walkers.fields, walkers.couplings.local_fields(walkers.spins[:, 0]))
    assert walkers.fields.dtype == dtype
    if dtype is np.float32:
        assert walkers.changed[0] > 10**5


def test_couplings_are_off_by_half_a_spacing_at_most(rng):
    model = random_model(rng, [5, 7, 6, 4])
    held = layered(model)
    dense = np.zeros((22, 22))
    for layer, (start, width, first, count, _) in enumerate(held.plan):
        dense[np.ix_(held.order[start : start + width], held.order[first : first + count])] = held.matrix(layer)
    slope = -np.float64(held.scale) / 2 * model.temperature
    np.testing.assert_allclose(dense * slope, model.couplings.toarray(), rtol=0, atol=slope)
    np.testing.assert_array_equal(dense, dense.T)
    assert layered(model) is held  # blocks of chains share them


def test_threads_of_blas_do_not_matter(rng):
    model = random_model(rng, [200, 150, 170])
    states = []
    for threads in (1, 2):
        with threadpoolctl.threadpool_limits(threads):
            walkers = Blocks("replicas").walkers(model, SEED, range(64), None)
            walkers.sweep(4)
            states.append(walkers.states())
    assert np.array_equal(*states)


# -- laws ------------------------------------------------------------------------------------------------


def counts(model, layout, rng, draws):
    run = sample(
        model, 6 * draws, chains=CHAINS[layout], burn_in=60, thin=6, rng=rng, method=Blocks(layout),
        observables={"number": lambda states: number(states).astype(float)},
    )  # fmt: skip
    return np.bincount(run.draws["number"].ravel().astype(int), minlength=2**model.size)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_states_have_the_law_of_boltzmann(rng, layout):
    """2-3-2 in fields; mixing takes about two sweeps, draws are six apart. A law 8 per cent colder is seen."""
    model = small()
    seen = counts(model, layout, rng, 200 if layout == "replicas" else 6000)
    assert_counts(seen, law(model)[1], what=f"states, {layout}")
    with rejects():
        assert_counts(seen, law(model.at(1.11))[1], what="a colder law")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layer_is_drawn_given_its_neighbours(rng, layout):
    """One sweep from a fixed state: even layers from their joint conditional law; the odd layer follows."""
    model, times = small(), 200 if layout == "replicas" else 2000
    states, probability = law(model)
    first, seed = np.array([1, -1, -1, 1, 1, -1, 1]), (int(rng.integers(2**62)), ())
    even, odd = [0, 1, 5, 6], [2, 3, 4]
    after = np.zeros(16)
    for chain in range(times):
        block = range(chain * 64, chain * 64 + 64) if layout == "replicas" else [chain]
        walkers = Blocks(layout).walkers(model, seed, block, np.tile(first, (len(block), 1)))
        walkers.sweep(1)
        after += np.bincount(number(walkers.states()[:, even]), minlength=16)
    same = (states[:, odd] == first[odd]).all(axis=1)
    given = np.bincount(number(states[same][:, even]), probability[same], minlength=16) / probability[same].sum()
    assert_counts(after, given, what=f"even layers given odd ones, {layout}")
    with rejects():
        assert_counts(after, given[::-1], what="all spins reversed")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("widths", [[1, 1], [1, 4, 1, 2], [5, 2], [1, 9, 1]], ids=str)
def test_magnetisations_agree_with_enumeration(rng, layout, widths):
    model = random_model(rng, widths, temperature=3.0, field=1.5)  # all mix, none is without a magnetisation
    states, probability = law(model)
    chains = 256 if layout == "replicas" else 150
    run = sample(model, 200, chains=chains, burn_in=50, thin=2, rng=rng, method=Blocks(layout))
    exact = probability @ states
    layers = np.array([exact[layer].mean() for layer in model.layers])
    measured = run.draws["layer_magnetisation"].mean(axis=1)
    assert measured.shape == (chains, len(widths))
    worst = int(np.argmax(np.abs(layers)))
    assert_mean(measured[:, worst], layers[worst], what=f"magnetisation of layer {worst}, {widths}, {layout}")
    with rejects():
        assert_mean(measured[:, worst], -layers[worst], what="reversed")
    shares = np.array(widths) / sum(widths)
    np.testing.assert_allclose(run.draws["magnetisation"], run.draws["layer_magnetisation"] @ shares, atol=1e-14)


# -- observables -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("widths", [[1, 1], [3, 1, 7], [40, 100, 30, 70]], ids=str)
@pytest.mark.parametrize("scale", [1.0, 1e-200, 1e200])
def test_observables_are_those_of_the_states(rng, layout, widths, scale):
    model = random_model(rng, widths, temperature=scale, scale=scale)
    run = sample(model, 3, chains=70 if layout == "replicas" else 3, rng=rng, method=Blocks(layout))
    energy = run.draws["energy"][:, -1]
    rounding = 1e-12 * np.abs(energy).max()
    np.testing.assert_allclose(energy, model.energy(run.states), rtol=1e-12, atol=rounding)
    np.testing.assert_allclose(run.draws["magnetisation"][:, -1], run.states.mean(axis=1), atol=1e-14)
    for m, layer in enumerate(model.layers):
        measured = run.draws["layer_magnetisation"][:, -1, m]
        np.testing.assert_allclose(measured, run.states[:, layer].mean(axis=1), atol=1e-14)
    assert run.acceptance.shape == (len(run.chains),)
    assert (run.acceptance >= 0).all()
    assert (run.acceptance <= 1).all()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_acceptance_is_the_share_of_changes(rng, layout):
    walkers = Blocks(layout).walkers(random_model(rng, [8, 30, 20]), SEED, range(1 if layout == "single" else 5), None)
    walkers.burn_in(10)
    together = copy.deepcopy(walkers)
    changed, before = 0, walkers.states()
    for _ in range(20):
        walkers.sweep(1)
        changed, before = changed + (walkers.states() != before).sum(axis=1), walkers.states()
    together.sweep(20)
    for each in (walkers, together):
        np.testing.assert_allclose(each.diagnostics()["acceptance"], changed / (20 * 58))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_cold_spins_lie_in_their_fields(layout):
    """Nothing overflows where the temperature is next to nothing; a spin without field is a fair coin."""
    model = BinaryNeurons([[[1e-3, 2.0]], [[0.0]]], [0.1, 0.2, 0.0, 0.0], temperature=1e-300)
    run = sample(model, 50, chains=CHAINS[layout], burn_in=5, rng=1, method=Blocks(layout))
    fields = run.states @ model.couplings.toarray() + model.fields
    assert (run.states * fields >= 0).all()
    assert set(run.states[:, 3]) == {-1, 1}


# -- the same chains however they are run ----------------------------------------------------------------


def assert_same(first, second, part=slice(None)):
    np.testing.assert_array_equal(first.states[part], second.states)
    for name in first.draws:
        np.testing.assert_array_equal(first.draws[name][part], second.draws[name])
    np.testing.assert_array_equal(first.acceptance[part], second.acceptance)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_chains_depend_on_nothing_but_seed_and_number(rng, layout):
    model = random_model(rng, [20, 31, 17])
    chains = REPLICAS + 30 if layout == "replicas" else 5
    whole = sample(model, 12, chains=chains, burn_in=3, rng=5, method=Blocks(layout))
    last = chains - 1
    assert_same(whole, sample(model, 12, chains=[last, 2], burn_in=3, rng=5, method=whole.method), [last, 2])
    with ThreadPoolExecutor(2) as pool:
        assert_same(whole, sample(model, 12, chains=chains, burn_in=3, rng=5, method=whole.method, executor=pool))
        parts = sample(model, 5, chains=chains, burn_in=3, rng=5, method=whole.method)
        assert_same(whole, parts.extend(7, executor=pool))
    assert not np.array_equal(whole.states[0], whole.states[1])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_pickled_walkers_go_on(rng, layout):
    walkers = Blocks(layout).walkers(random_model(rng, [20, 31, 17]), SEED, [0], None)
    walkers.sweep(5)
    twin = pickle.loads(pickle.dumps(walkers))  # noqa: S301 - our own bytes
    assert all(array.ctypes.data % 64 == 0 for array in (twin.spins, twin.lanes))
    for each in (walkers, twin):
        each.sweep(5)
    np.testing.assert_array_equal(walkers.states(), twin.states())


def test_starts_are_taken():
    model = small()
    start = np.array([1, -1, 1, 1, -1, -1, 1])
    for layout in LAYOUTS:
        walkers = Blocks(layout).walkers(model, SEED, [0], start[None])
        np.testing.assert_array_equal(walkers.states(), start[None])


# -- choice, memory, refusals ----------------------------------------------------------------------------


def test_the_layout_follows_the_number_of_chains():
    assert sample(small(), 2, chains=2, rng=1).method == Blocks("single")
    assert sample(small(), 2, chains=64, rng=1).method == Blocks("replicas")
    assert sample(small(), 2, chains=2, rng=1, method=Blocks("replicas")).method == Blocks("replicas")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("widths", [[100] * 10, [400, 300]], ids=["deep", "shallow"])
def test_memory_is_state_and_couplings(rng, layout, widths):
    """State in float32, couplings once for each of their two ends, and at most a fifth on top."""
    model = random_model(rng, widths)
    chains = CHAINS[layout] if layout == "replicas" else 1
    walkers = Blocks(layout).walkers(model, SEED, range(chains), None)
    walkers.sweep(2)
    held = sum(array.nbytes for array in arrays_of(walkers).values()) + walkers.couplings.nbytes
    needed = 4 * chains * model.size + 2 * 4 * sum(block.size for block in model.blocks)
    assert held <= 1.2 * needed
    assert held <= Blocks(layout).memory(model, chains)


def test_what_cannot_be_sampled_is_refused(rng):
    with pytest.raises(ValueError, match="layout = 'replica' is unknown; choose from replicas, single"):
        Blocks("replica")
    with pytest.raises(ValueError, match="pass a list of blocks"):
        sample(BinaryNeurons([[0, 1], [1, 0]]), 10, method="blocks")
    net = Network.random([2, 2], rng=rng)
    model = DynamicNeurons(net, inputs=[[0.0, 1.0]], stiffness=1.0)
    with pytest.raises(TypeError, match="BinaryNeurons"):
        sample(model, 10, method=Blocks())


@pytest.mark.parametrize("chains", [4, 5, 63, 64, 67])
def test_chains_are_cut_into_blocks_for_every_worker_and_no_more(chains):
    assert TASKS / 2 < -(-chains // cut(chains, 1, 64)) <= TASKS


def test_sums_of_couplings_and_strong_fields_are_exact():
    """In whole numbers none exceeds 2^24, from which on float32 lacks some."""
    for strong in (0.0, 30.0):
        model = small()
        held = layered(BinaryNeurons(model.blocks, model.fields + strong, model.temperature))
        assert held.weights.dtype == np.float32
        for layer, (start, width, *_) in enumerate(held.plan):
            total = np.abs(held.fields[start : start + width]) + np.abs(held.matrix(layer)).sum(axis=1)
            assert total.max() <= 2**24


def test_energies_are_rounded_to_parts_of_the_largest_row_sum():
    """Three times the power of two above 3 + 6; no column adds up to more than 7."""
    assert layered(BinaryNeurons([[[3.0, 6.0], [0.0, 1.0]]])).shifts == (48.0,)


def test_chains_stand_side_by_side_from_sixteen_on():
    assert [Blocks().settled(small(), chains, SEED).layout for chains in (1, 15, 16, 300)] == [
        *["single"] * 2,
        *["replicas"] * 2,
    ]
