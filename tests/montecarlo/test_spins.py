"""Heat bath and Metropolis: their kernels, their layouts, and the law they must leave as it is."""

import copy
import itertools
import pickle
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from boltzmann import all_states, law, number
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from statnn import Network
from statnn._random import stream
from statnn.interaction import BinaryNeurons, DynamicNeurons
from statnn.montecarlo import Tempering, sample
from statnn.montecarlo._grid import LARGEST_ERROR, on_grid, rounded
from statnn.montecarlo._lanes import LARGEST_EXPONENT, aligned, exponential, lanes, next_lane, scratch, uniform_lane
from statnn.montecarlo._single_spin import colour_kernels as _colour_kernels
from statnn.montecarlo._single_spin import colour_plan as _spin_plan
from statnn.montecarlo._single_spin import replica_kernels as _replica_kernels
from statnn.montecarlo._single_spin.colours import energy_plan, positions, update_plan
from statnn.montecarlo._single_spin.method import HeatBath, Metropolis
from statnn.montecarlo._single_spin.rules import drawn, flips
from statnn.testing import assert_counts, assert_mean, rejects

LANES = 64
RULES = [HeatBath, Metropolis]
LAYOUTS = ["replicas", "colours"]


def random_graph(rng, size, bonds, scale=1.0):
    pairs = np.array(list(itertools.combinations(range(size), 2)), dtype=int).reshape(-1, 2)
    i, j = pairs[rng.permutation(len(pairs))[:bonds]].T
    half = sparse.coo_array((scale * rng.normal(size=i.size), (i, j)), shape=(size, size))
    return sparse.csr_array(half + half.T)


def torus(length):
    site = np.arange(length**2).reshape(length, length)
    i = np.concatenate([site.ravel()] * 2)
    j = np.concatenate([np.roll(site, 1, axis).ravel() for axis in (0, 1)])
    half = sparse.coo_array((np.ones(i.size), (i, j)), shape=(length**2,) * 2)
    return sparse.csr_array(half + half.T)


def small(strong=0.0):
    """Return an odd loop with a tail, fields, and two spins without couplings; a strong field needs float64."""
    couplings = np.zeros((6, 6))
    for i, j, value in ((0, 1, 0.9), (1, 2, -0.7), (0, 2, 0.55), (2, 3, 1.1)):
        couplings[i, j] = couplings[j, i] = value
    return BinaryNeurons(couplings, [0.3, 0.0, -0.2, 0.0, strong, 0.0], temperature=1.7)


# -- numbers in lanes ------------------------------------------------------------------------------------


def reference(state):
    """Blackman and Vigna's xoshiro128++, in whole numbers."""
    mask = 2**32 - 1

    def rotate(x, k):
        return ((x << k) | (x >> (32 - k))) & mask

    s = [int(word) for word in state]
    while True:
        yield (rotate((s[0] + s[3]) & mask, 7) + s[0]) & mask
        t = (s[1] << 9) & mask
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotate(s[3], 11)


def test_generator_gives_the_published_numbers():
    published = [641, 1573767, 3222811527, 3517856514, 836907274, 4247214768]
    state = np.array([[1], [2], [3], [4]], dtype=np.uint32)
    assert [next_lane(state, 0) for _ in published] == list(itertools.islice(reference([1, 2, 3, 4]), 6)) == published


def test_every_lane_is_the_reference():
    state = lanes((5, ()), [(0,), (1, 2), (2,)], 4)
    expected = [reference(state[:, lane].copy()) for lane in range(4)]
    plain = state.copy()
    for _ in range(50):
        for lane in range(4):
            with np.errstate(over="ignore"):
                word = next_lane.py_func(plain, lane)
            assert next_lane(state, lane) == word == next(expected[lane])
    assert np.array_equal(plain, state)


def test_lanes_belong_to_their_chains():
    state = lanes((5, ()), [(7,), (7, 1)], 64)
    assert np.array_equal(state[:, 0], lanes((5, ()), [(chain,) for chain in range(9)], 9)[:, 7])
    assert np.array_equal(state[:, 1], stream((5, ()), 7, 1).integers(1, 2**32, size=4, dtype=np.uint32))
    assert np.unique(state, axis=1).shape == (4, 64)


def test_lanes_are_uniform_and_know_nothing_of_each_other(rng):
    state = lanes((int(rng.integers(2**31)), ()), [(lane,) for lane in range(LANES)], LANES)
    u = np.array([[uniform_lane(state, lane) for lane in range(LANES)] for _ in range(4000)])
    assert ((u * 2**24) % 2 == 1).all()
    place = (u * 32).astype(int)
    assert_counts(np.bincount(place.ravel(), minlength=32), np.full(32, 1 / 32), what="uniform numbers")
    pairs = 32 * place[:, ::2] + place[:, 1::2]
    assert_counts(np.bincount(pairs.ravel(), minlength=1024), np.full(1024, 1 / 1024), what="neighbouring lanes")
    with rejects():
        pairs = 32 * place[:, ::2] + (place[:, ::2] + place[:, 1::2] // 2) % 32
        assert_counts(np.bincount(pairs.ravel(), minlength=1024), np.full(1024, 1 / 1024), what="lanes that depend")


def test_exponential():
    x = np.unique(np.concatenate([np.linspace(-87, 87, 40001), np.geomspace(1e-8, 1, 2001)]).astype(np.float32))
    computed = np.array([exponential(point) for point in x])
    exact = np.exp(x.astype(float))
    error = np.abs(computed / exact - 1)
    assert (error < 2e-7 + 2e-8 * np.abs(x)).all()
    assert error.max() > 1e-6  # the bound has to grow with x
    assert exponential(np.float32(0)) == 1
    for point in x[::400]:
        assert exponential.py_func(point) == exponential(point)
    assert exponential(np.float32(1e30)) == exponential(LARGEST_EXPONENT)
    assert exponential(-1e30) == exponential(-87.0) > 0


def test_scratch_is_an_array_of_the_right_type():
    assert scratch(2, 3)(np.uint32).shape == (2, 3)
    assert scratch(4)(np.zeros(1)).dtype == np.float64


# -- the grid --------------------------------------------------------------------------------------------


@given(st.floats(1e-30, 1e30), st.integers(1, 10**6), st.floats(1e-6, 1e6))
def test_sums_on_the_grid_are_exact(bound, count, temperature):
    dtype, spacing = on_grid(bound, count, temperature * bound)
    digits = np.finfo(dtype).nmant + 1
    assert np.frexp(spacing)[0] == 0.5
    assert bound / spacing + count / 2 < 2**digits
    wanted = np.sqrt(count) * on_grid(bound, count, 1e6 * bound)[1] / 2 <= LARGEST_ERROR * temperature * bound
    assert (dtype == np.float32) == wanted


def test_models_without_couplings_have_a_grid():
    assert on_grid(0.0, 1, 1e-3)[0] == np.float32


@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-3, 1.0, 1e4]))
def test_local_fields_do_not_depend_on_order(seed, scale):
    rng = np.random.default_rng(seed)
    model = BinaryNeurons(random_graph(rng, 30, 300, scale), scale * rng.normal(size=30), scale)
    matrix = model.couplings
    values, own = rounded(model)
    assert values.dtype == own.dtype == np.float32
    assert np.abs(values - matrix.data).max() < 1e-5 * scale
    terms = values[matrix.indptr[3] : matrix.indptr[4]] * rng.choice([-1, 1], matrix.indptr[4] - matrix.indptr[3])
    exact = np.sum(terms.astype(float))
    for _ in range(5):
        assert np.cumsum(rng.permutation(terms), dtype=np.float32)[-1] == exact


# -- kernels are their twins -----------------------------------------------------------------------------


def twins(kernel, *arguments):
    plain = copy.deepcopy(arguments)
    assert kernel(*arguments) == kernel.py_func(*plain)
    for ours, theirs in zip(arguments, plain, strict=True):
        if isinstance(ours, np.ndarray):
            assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("strong", [0.0, 3e4])
@pytest.mark.parametrize("name", ["heat_bath", "metropolis"])
def test_replica_kernels_are_their_twins(rng, name, strong):
    model = small(strong)
    values, own = rounded(model)
    assert values.dtype == (np.float64 if strong else np.float32)
    width = _replica_kernels.LANES
    spins = rng.choice(np.array([-1, 1], np.int8), (2, 6, width))
    beta = np.linspace(0.1, 2, 2 * width).astype(values.dtype).reshape(2, width)
    state = np.array([lanes((1, ()), [(begin + lane,) for lane in range(width)], width) for begin in (0, width)])
    changed = np.zeros((2, width), np.int64)
    structure = model.couplings.indptr, model.couplings.indices
    twins(getattr(_replica_kernels, name), *structure, values, own, spins, beta, state, 6, changed)
    assert ((changed > 0) & (changed < 6 * 6)).all()
    twins(_replica_kernels.energies, *structure, model.couplings.data, model.fields, spins, np.zeros((2, width)))
    twins(_replica_kernels.magnetisations, spins, np.zeros((2, width), np.int64))


@pytest.mark.parametrize("scale", [1.0, 3e4])
@pytest.mark.parametrize("name", ["heat_bath", "metropolis"])
def test_colour_kernels_are_their_twins(rng, name, scale):
    matrix = sparse.block_diag([torus(16), random_graph(rng, 150, 400, scale), np.zeros((2, 2))], format="csr")
    model = BinaryNeurons(matrix)
    plan = update_plan(model)
    assert min(plan.near_row.size, plan.far_row.size, plan.odd_lane.size) > 0
    assert plan.couplings.dtype == (np.float32 if scale == 1 else np.float64)
    spins = aligned(((plan.field.size + 2) * LANES,), np.int8)
    spins[LANES:-LANES] = 1
    spins[positions(model)] = rng.choice([-1, 1], 408)
    state = lanes((1, ()), [(lane,) for lane in range(LANES)], LANES)
    twins(getattr(_colour_kernels, name), plan, spins, plan.couplings.dtype.type(0.4), state, 2)
    twins(_colour_kernels.energy, energy_plan(model), spins)
    twins(_colour_kernels.total, spins)
    assert (spins[LANES:-LANES] == 1).sum() < spins.size - 3 * LANES


@given(st.integers(0, 2**32 - 1), st.integers(1, 200), st.booleans())
def test_a_plan_holds_every_coupling_once(seed, size, by_degree):
    rng = np.random.default_rng(seed)
    matrix = random_graph(rng, size, int(rng.integers(0, 4 * size)))
    if rng.random() < 0.3:
        matrix = torus(int(np.sqrt(size)) + 3)
    model = BinaryNeurons(matrix, rng.normal(size=matrix.shape[0]))
    position = _spin_plan.order(model.couplings, model.colours, by_degree)
    plan = _spin_plan.plan(model.couplings, model.fields, position, np.float64, 7.0)
    room = (plan.field.size + 2) * LANES
    held = np.zeros((room, room))
    for c in range(plan.field.size):
        here = (c + 1) * LANES + np.arange(LANES)
        assert np.unique(model.colours[np.isin(position, here)]).size == 1
        for slot in range(plan.near[c], plan.near[c + 1]):
            held[here, plan.near_start[slot] + np.arange(LANES)] += plan.couplings[plan.near_row[slot]]
        for slot in range(plan.far[c], plan.far[c + 1]):
            np.add.at(held, (here, plan.far_position[slot]), plan.couplings[plan.far_row[slot]])
        for k in range(plan.odd[c], plan.odd[c + 1]):
            held[here[plan.odd_lane[k]], plan.odd_position[k]] += plan.odd_coupling[k]
    assert np.array_equal(held[np.ix_(position, position)], model.couplings.toarray())
    assert np.count_nonzero(held) == model.couplings.nnz
    fields = np.concatenate([np.zeros(LANES), plan.fields[plan.field].ravel()])
    assert np.array_equal(fields[position], model.fields)
    assert (np.delete(fields, np.concatenate([position, np.arange(LANES)])) == 7).all()


# -- the law ---------------------------------------------------------------------------------------------


def share(accepts):
    """Return the share of the 2^23 uniform numbers that a rule accepts, all below a threshold."""
    low, high = 0, 2**23
    while low < high:
        middle = (low + high) // 2
        if accepts(np.float32((2 * middle + 1) * 2.0**-24)) > 0:
            low = middle + 1
        else:
            high = middle
    return low / 2**23


def single_update(model, rule, i):
    """Return the transition matrix of an update of spin i, from the rule the kernels call."""
    states = all_states(model.size)
    matrix = np.zeros((len(states), len(states)))
    for k, state in enumerate(states):
        local = model.fields[i] + (model.couplings @ state)[i]
        exponent = np.float32(-2 * local / model.temperature)
        other = state.copy()
        other[i] = -state[i]
        if rule is Metropolis:
            own = exponent * np.float32(state[i])
            chance = share(partial(flips, exponent=own))
        else:
            up = share(partial(drawn, exponent=exponent))
            chance = 1 - up if state[i] > 0 else up
        matrix[k, number(other)] = chance
        matrix[k, k] = 1 - chance
    return matrix


def sweep_matrix(model, rule, layout):
    spins = range(model.size)
    if layout == "colours":
        spins = np.argsort(positions(model))
    return np.linalg.multi_dot([single_update(model, rule, i) for i in spins])


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("couplings", [np.zeros((3, 3)), np.ones((3, 3)) - np.eye(3)], ids=["free", "triangle"])
def test_every_state_is_reached_from_every_state(rule, couplings):
    """The spins are visited in order: with changes that are sure the chain would stay in part of the states."""
    model = BinaryNeurons(couplings, temperature=2.0)
    assert (np.linalg.matrix_power(sweep_matrix(model, rule, "replicas"), 6) > 0).all()
    lazy = [single_update(model, Metropolis, i) for i in range(3)]
    sure = np.linalg.multi_dot([np.eye(8) + (matrix - np.eye(8)) * 16 / 15 for matrix in lazy])
    assert not (np.linalg.matrix_power(sure, 50) > 1e-6).all()


@pytest.mark.parametrize("rule", RULES)
def test_detailed_balance(rule):
    """Every update is in detailed balance to the precision of its chance, so that a sweep leaves the law as it is."""
    model = BinaryNeurons([[0, 0.8, -0.5, 0], [0.8, 0, 0.6, 0], [-0.5, 0.6, 0, 0], [0, 0, 0, 0]], [0, 0.4, 0, 0], 0.9)
    p, other = law(model)[1], law(model.at(0.93))[1]
    for i in range(model.size):
        flow = p[:, None] * single_update(model, rule, i)
        assert np.abs(flow - flow.T).max() < 3e-7
    for layout in LAYOUTS:
        sweep = sweep_matrix(model, rule, layout)
        assert np.abs(p @ sweep - p).max() < 1e-6
        assert np.abs(other @ sweep - other).max() > 1e-4
        assert np.sort(np.abs(np.linalg.eigvals(sweep)))[-2] < 0.9  # every state is reached


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("rule", RULES)
def test_one_sweep_from_one_state(rng, rule, layout):
    """Where kernels go in one sweep is a row of the product of single updates; sees a temperature off by a tenth."""
    model = BinaryNeurons([[0, 0.8, -0.5, 0], [0.8, 0, 0.6, 0], [-0.5, 0.6, 0, 0], [0, 0, 0, 0]], [0, 0.4, 0, 0], 0.9)
    first = np.array([1, -1, -1, 1], dtype=np.int8)
    rest = 40_000 // LANES if layout == "replicas" else 40_000
    chains = rule(layout).walkers(model, (int(rng.integers(2**31)), ()), range(LANES), np.tile(first, (LANES, 1)))
    begin = chains.spins.copy()
    seen = np.zeros(16, dtype=int)
    for _ in range(max(1, rest // LANES) if layout == "colours" else rest):
        chains.spins[...] = begin
        chains.sweep(1)
        seen += np.bincount(number(chains.states()), minlength=16)
    row = sweep_matrix(model, rule, layout)[number(first)]
    assert seen[row == 0].sum() == 0
    assert_counts(seen[row > 0], row[row > 0], what=f"{rule.name} in {layout}")
    wrong = sweep_matrix(model.at(1.0), rule, layout)[number(first)]
    with rejects():
        assert_counts(seen[row > 0], wrong[row > 0], what="another temperature")


@pytest.mark.parametrize("strong", [0.0, 3e4])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("rule", RULES)
def test_every_state_has_its_share(rng, rule, layout, strong):
    """All start in one state: free spins must lose it as well. Sees a temperature off by ten percent."""
    model = small(strong)
    run = sample(
        model, 20_000, chains=LANES, burn_in=50, thin=10, rng=rng, method=rule(layout),
        observables={"state": number}, initial=np.ones(6), progress=False,
    )  # fmt: skip
    seen = np.bincount(run.draws["state"].astype(int).ravel(), minlength=64)
    possible = law(model)[1] > 0
    assert seen[~possible].sum() == 0
    assert_counts(seen[possible], law(model)[1][possible], what=f"{rule.name} in {layout}")
    with rejects():
        assert_counts(seen[possible], law(model.at(1.1 * 1.7))[1][possible], what="another temperature")


@pytest.mark.parametrize(("rule", "layout"), [(HeatBath, "replicas"), (Metropolis, "colours")])
def test_lattice_energy(rng, rule, layout):
    """4 x 4 spins with periodic boundaries against all 65536 states; sees a temperature off by four percent."""
    model = BinaryNeurons(torus(4), temperature=2.5)
    run = sample(
        model, 700, chains=3 * LANES, burn_in=200, rng=rng, method=rule(layout), observables=["energy"], progress=False
    )
    means = run.draws["energy"].mean(axis=1)
    energy = model.energy(all_states(16))
    assert_mean(means, energy @ law(model)[1], what=f"energy, {rule.name} in {layout}")
    with rejects():
        assert_mean(means, energy @ law(model.at(2.6))[1], what="another temperature")


# -- the contract of methods -----------------------------------------------------------------------------


def same(first, second):
    assert first.draws.keys() == second.draws.keys()
    for name, draws in first.draws.items():
        assert np.array_equal(draws, second.draws[name])
    assert np.array_equal(first.states, second.states)
    assert np.array_equal(first.acceptance, second.acceptance)


@pytest.fixture
def graph(rng):
    return BinaryNeurons(random_graph(rng, 100, 250), rng.normal(size=100), temperature=1.3)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("rule", RULES)
def test_results_do_not_depend_on_how_work_is_cut(graph, rule, layout):
    settings = {"burn_in": 10, "rng": 7, "method": rule(layout), "progress": False}
    whole = sample(graph, 30, chains=70, **settings)
    same(sample(graph, 10, chains=70, **settings).extend(20), whole)
    with ThreadPoolExecutor(2) as pool:
        same(sample(graph, 30, chains=70, executor=pool, **settings), whole)
    for chain in (7, 69):
        alone = sample(graph, 30, chains=range(chain, chain + 1), **settings)
        assert np.array_equal(alone.draws["energy"][0], whole.draws["energy"][chain])
        assert np.array_equal(alone.states[0], whole.states[chain])
        assert alone.acceptance[0] == whole.acceptance[chain]
    assert np.unique(whole.states, axis=0).shape[0] == 70


@pytest.mark.parametrize("layout", LAYOUTS)
def test_chains_go_on_from_a_pickle(graph, layout):
    walkers = HeatBath(layout).walkers(graph, (3, ()), range(5), None)
    walkers.burn_in(3)
    later = pickle.loads(pickle.dumps(walkers))  # noqa: S301
    for each in (walkers, later):
        each.sweep(20)
    assert np.array_equal(walkers.states(), later.states())
    assert np.array_equal(walkers.observe("energy"), later.observe("energy"))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("rule", RULES)
def test_observables_are_those_of_the_states(graph, rule, layout):
    run = sample(graph, 10_000, chains=5, burn_in=0, thin=10_000, rng=1, method=rule(layout), progress=False)
    assert run.draws["energy"][:, -1] == pytest.approx(graph.energy(run.states), rel=1e-12)
    assert run.draws["magnetisation"][:, -1] == pytest.approx(run.states.mean(axis=1), rel=1e-15)
    assert run.states.shape == (5, 100)
    assert run.states.dtype == np.int8


def test_acceptance_is_the_share_of_changes(graph):
    for method in (rule(layout) for rule in RULES for layout in LAYOUTS):
        before = sample(graph, 1, chains=3, burn_in=0, rng=4, method=method, progress=False)
        begin = method.walkers(graph, (4, ()), range(3), None).states()
        assert before.acceptance == pytest.approx((before.states != begin).mean(axis=1))


def of_an_earlier_version(kept):
    """Return groups of 32 lanes as one of 64, without and with an axis of groups."""
    grouped = {name: value for name, value in kept.items() if np.shape(value)[-1:] == (32,)}
    for axis in (False, True):
        pairs = {name: np.concatenate([value, value[-1:]])[:2] for name, value in grouped.items()}
        wide = {name: np.concatenate(list(pair), axis=-1) for name, pair in pairs.items()}
        yield kept | {name: value[None] if axis else value for name, value in wide.items()}


@pytest.mark.parametrize("chains", [3, 40])
@pytest.mark.parametrize("method", [HeatBath("replicas"), Tempering((1.7, 2.0))], ids=["heat bath", "tempering"])
def test_what_was_kept_in_groups_of_64_lanes_goes_on(method, chains):
    seed, model = (1, ()), small()
    chains = range(chains if method.name == "heat bath" else chains // 2)
    walkers = method.walkers(model, seed, chains, None)
    walkers.burn_in(3)
    for kept in of_an_earlier_version(walkers.kept()):
        again = method.restored(model, seed, chains, kept)
        fresh = method.restored(model, seed, chains, copy.deepcopy(walkers.kept()))
        again.sweep(2)
        fresh.sweep(2)
        assert np.array_equal(again.states(), fresh.states())
        assert np.array_equal(again.observe("energy"), fresh.observe("energy"))
    with pytest.raises(ValueError, match="of these walkers is"):
        method.restored(model, seed, chains, kept | {next(iter(kept)): np.zeros((5, 6, 64), np.int8)})


def test_layered_models_are_sampled(rng):
    model = BinaryNeurons.from_network(Network.random([5, 7, 6], rng=rng))
    run = sample(model, 4, chains=3, rng=1, method="heat bath", progress=False)
    assert run.draws["energy"][:, -1] == pytest.approx(model.energy(run.states), rel=1e-12)


def test_the_layout_is_chosen_and_shown(graph):
    grid = BinaryNeurons(torus(32), temperature=2.0)
    dense = BinaryNeurons(np.ones((40, 40)) - np.eye(40), temperature=40.0)
    for model, chains, layout in (
        (grid, 1, "colours"), (grid, 640, "replicas"), (graph, 1, "colours"), (graph, 256, "replicas"),
        (dense, 64, "replicas"),
    ):  # fmt: skip
        assert HeatBath().settled(model, chains, (1, ())) == HeatBath(layout)
    run = sample(graph, 2, chains=1, rng=1, method="metropolis", progress=False)
    assert run.method == Metropolis("colours")
    same(run, sample(graph, 2, chains=1, rng=1, method=Metropolis("colours"), progress=False))


def test_bad_input(rng):
    with pytest.raises(ValueError, match="layout = 'rows' is unknown; choose from replicas, colours"):
        HeatBath("rows")
    net = Network.random([2, 2], rng=rng)
    model = DynamicNeurons(net, inputs=np.ones((1, 2)), beta=1.0, stiffness=1.0)
    with pytest.raises(
        TypeError,
        match="metropolis samples BinaryNeurons, not DynamicNeurons: leave method out, or",
    ):
        sample(model, 10, method="metropolis")
