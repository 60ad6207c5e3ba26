"""Monte Carlo renormalisation: operators by enumeration, Swendsen's matrix as a derivative, errors that are errors."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from itertools import product

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from moments import weighted
from scipy import stats

from statnn import Network
from statnn.interaction import BinaryNeurons, kaufman, square_lattice
from statnn.montecarlo import UntrustedEstimate
from statnn.rg import LinearisedFlow, Operator, critical_coupling, linearise, operators, sample_flow
from statnn.rg.lattice import _operator_kernels as kernels
from statnn.rg.lattice._operators import _layout, measure
from statnn.rg.lattice._scheme import scheme
from statnn.rg.lattice._swendsen import flow, joined, leading
from statnn.testing import assert_comparison, assert_uniform, rejects
from statnn.testing.statistics import z_score

swendsen = import_module("statnn.theory.rg.swendsen")
CRITICAL = float(np.log1p(np.sqrt(2)) / 2)
FEW = (Operator("nearest", ((0, 0), (0, 1))), Operator("diagonal", ((0, 0), (1, 1))), Operator("spin", ((0, 0),)))


def signs(rng, *shape):
    return 2 * rng.integers(0, 2, shape, np.int8) - 1


def plain(states, chosen, periodic):
    """Return the sums of products, cluster by cluster."""
    shape = states.shape[1:]
    here = np.moveaxis(np.indices(shape), 0, -1)
    result = np.zeros((len(states), len(chosen)), int)
    for a, operator in enumerate(chosen):
        for cluster in operator.clusters:
            total = np.ones(states.shape, int)
            for site in cluster:
                there = here + site
                total *= np.roll(states, [-x for x in site], axis=range(1, states.ndim))
                total *= ((there >= 0) & (there < shape) | periodic).all(axis=-1)
            result[:, a] += total.reshape(len(states), -1).sum(axis=1)
    return result


def every(shape):
    return np.array(list(product((-1, 1), repeat=int(np.prod(shape)))), dtype=np.int8).reshape(-1, *shape)


# -- operators -------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(st.lists(st.integers(4, 7), min_size=1, max_size=3), st.integers(0, 2**32), st.data())
def test_operators_are_sums_of_products(shape, seed, data):
    periodic = tuple(data.draw(st.booleans()) for _ in shape)
    alike = data.draw(st.booleans())
    chosen = operators(len(shape), alike=alike)
    states = signs(np.random.default_rng(seed), 2, *shape)
    sums = measure(states, chosen, periodic)
    assert np.array_equal(sums, plain(states, chosen, np.array(periodic)))
    even = np.array([operator.even for operator in chosen])
    assert np.array_equal(measure(-states, chosen, periodic), np.where(even, sums, -sums))
    if all(periodic):
        moved = np.ascontiguousarray(np.roll(states, 3, axis=1))
        assert np.array_equal(measure(moved, chosen, periodic), sums)


@pytest.mark.parametrize("shape", [(200,), (4, 64), (3, 65), (2, 66, 130)])
def test_rows_of_many_words(rng, shape):
    far = (
        *operators(len(shape))[:2],
        Operator("far", ((0,) * len(shape), (*(0,) * (len(shape) - 1), 64)), alike=False),
    )
    states = signs(rng, 2, *shape)
    if shape[-1] == 64:
        far = far[:2]
    for periodic in (True, False):
        around = (periodic,) * len(shape)
        assert np.array_equal(measure(states, far, around), plain(states, far, np.array(around)))


def test_kernels_are_their_twins(rng):
    states = signs(rng, 2, 1, 5, 70)
    layout = _layout(operators(2), (5, 70), (True, False))
    results = []
    for twin in (lambda f: f, lambda f: f.py_func):
        shifted, packed = np.zeros(5 * 9 * 2, np.uint64), np.zeros(4, np.uint64)
        out = np.zeros((2, 11), np.int64)
        with np.errstate(over="ignore"):
            twin(kernels.sums)(states.reshape(-1), states.shape, *layout, shifted, packed, out)
        results.append((shifted, packed, out))
    for by_kernel, by_twin in zip(*results, strict=True):
        assert np.array_equal(by_kernel, by_twin)
    row = [np.zeros(4, np.uint64), np.zeros(4, np.uint64)]
    for function, out in zip((kernels._pack_row, kernels._pack_row.py_func), row, strict=True):
        function(states.reshape(-1), 70, 70, 3, out)
    assert np.array_equal(*row)
    pack = [np.zeros(5 * 9 * 2, np.uint64), np.zeros(5 * 9 * 2, np.uint64)]
    for function, out in zip((kernels._pack, kernels._pack.py_func), pack, strict=True):
        function(states.reshape(-1), 1, states.shape, layout.reach, 2, np.zeros(4, np.uint64), out)
    assert np.array_equal(*pack)
    for word in rng.integers(0, 2**64, 50, np.uint64):
        with np.errstate(over="ignore"):
            assert kernels._count(word) == kernels._count.py_func(word) == int(word).bit_count()


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_operators_apart_are_all_of_those_together(dimension):
    """The couplings of a network lie across its layers: without them a flow would miss the only ones."""
    apart, together = operators(dimension, alike=False), operators(dimension)
    assert {each.name.removesuffix(" across") for each in apart} == {each.name for each in together}
    for operator in together:
        parts = [each.clusters for each in apart if each.name.removesuffix(" across") == operator.name]
        assert sorted(cluster for clusters in parts for cluster in clusters) == sorted(operator.clusters)
    if dimension == 2:
        assert [each.clusters for each in apart if each.name == "nearest across"] == [(((0, 0), (1, 0)),)]
    with pytest.raises(TypeError, match="alike = 'no' must be True or False"):
        operators(dimension, alike="no")


def test_images_of_a_cluster():
    counts = {operator.name: len(operator.clusters) for operator in operators(2)}
    assert counts == {
        "nearest": 2, "diagonal": 2, "plaquette": 1, "second": 2, "knight": 4, "diamond": 1, "spin": 1, "corner": 4,
        "line": 2, "vee": 4, "cross": 1,
    }  # fmt: skip
    assert len(Operator("apart", ((0, 0), (0, 1)), alike=False).clusters) == 1
    assert len(Operator("in a sheet", ((0, 0, 0), (0, 0, 1)), alike=False).clusters) == 2
    assert len(Operator("cube", ((0, 0, 0), (1, 2, 3))).clusters) == 24
    moved = Operator("moved", ((5, 1), (5, 2)))
    assert moved.clusters == Operator("nearest", ((0, 0), (0, 1))).clusters
    assert {min(cluster) for operator in operators(2) for cluster in operator.clusters} == {(0, 0)}
    assert [operator.even for operator in operators(1)] == [True] * 4 + [False] * 3
    assert [operator.dimension for d in (1, 2, 3) for operator in operators(d)[:1]] == [1, 2, 3]


def test_means_over_all_states_of_a_torus():
    """Sixteen spins: energy and heat capacity are Kaufman's, pairs are the correlations that enumeration gives."""
    T = 2.2
    values = measure(every((4, 4)), operators(2)).astype(float)
    weight = np.exp(values[:, 0] / T)
    probability = weight / weight.sum()
    mean = probability @ values
    exact = kaufman(4, 4, temperature=T)
    assert np.isclose(mean[0], -exact.energy, rtol=1e-12)
    assert np.isclose((probability @ values[:, 0] ** 2 - mean[0] ** 2) / T**2, exact.heat_capacity, rtol=1e-10)
    pairs = square_lattice(4, 4, temperature=T).exact().correlation.reshape(4, 4, 4, 4)[0, 0]
    assert np.allclose(mean[[1, 3, 4]] / 16, [2 * pairs[1, 1], 2 * pairs[0, 2], 4 * pairs[1, 2]], rtol=1e-10)
    assert np.allclose(mean[6:], 0, atol=1e-11)


# -- Swendsen's matrix -----------------------------------------------------------------------------------


def test_the_transpose_is_not_the_matrix():
    own, cross = swendsen.ring(4)
    swapped = own * swendsen.jacobian().T - cross
    assert swapped[0, 1].subs({swendsen.x: 2, swendsen.y: 3}) != 0


@settings(max_examples=25)
@given(st.floats(0.05, 1.5), st.floats(-0.8, 0.8))
def test_the_matrix_of_a_decimated_ring_is_the_derivative_of_its_couplings(K, h):
    """Exact, as blocks have these two operators alone; theory's Jacobian in 50 digits is the oracle."""
    chosen = (Operator("nearest", ((0,), (1,))), Operator("spin", ((0,),)))
    plan = scheme((8,), 2, None, "decimation", chosen, 1, periodic=True)
    states = every((8,))
    values = plan.observe(states, plan.keys((1, ())), np.arange(256))
    weight = np.exp(values[:, 0] @ [K, h])
    T = flow(weighted(values, weight / weight.sum()), np.array([0, 1]))[0, 0]
    with mpmath.workdps(50):
        oracle = swendsen.jacobian().subs({swendsen.x: sp.exp(sp.Float(K, 50)), swendsen.y: sp.exp(sp.Float(h, 50))})
        assert np.allclose(T, np.array(oracle.evalf(30), dtype=float), rtol=1e-9, atol=1e-11)
    if abs(h) < 1e-9:
        assert np.isclose(leading(T), 1 + np.tanh(2 * K))


@pytest.mark.parametrize("K", [0.1, 0.7, 1.3])
def test_the_matrix_of_majority_blocks_with_coins_is_the_derivative(K):
    """A ring of six in blocks of two: three blocks have a single even operator, so that no other is missing."""
    states = every((6,))
    energy = measure(states, operators(1)[:1])[:, 0]
    total = states.reshape(-1, 3, 2).sum(axis=2)
    blocks = every((3,))
    chance = np.where(total[:, None] == 0, 0.5, np.sign(total)[:, None] == blocks).prod(axis=2)  # P(s'|s)
    own = measure(blocks, operators(1)[:1])[:, 0]
    weight = np.exp(K * energy)[:, None] * chance
    values = np.zeros((64 * 8, 2, 1))
    values[:, 0, 0], values[:, 1, 0] = np.repeat(energy, 8), np.tile(own, 64)
    T = flow(weighted(values, weight.ravel() / weight.sum()), np.array([0]))[0, 0, 0, 0]
    by_blocks = (weight * energy[:, None]).sum(axis=0) / weight.sum(axis=0)  # d ln P(s')/dK, up to a constant
    aligned, other = by_blocks[own == 3].mean(), by_blocks[own == -1].mean()
    assert np.isclose(T, (aligned - other) / 4, rtol=1e-12)


@pytest.mark.parametrize(("K", "length", "b", "levels"), [(0.6, 9, 3, 1), (0.6, 12, 2, 2), (-0.6, 6, 2, 1)])
def test_exact_rings_have_the_exponents_and_means_of_decimation(K, length, b, levels):
    """tanh K' = tanh^b K: the last ring has three blocks, whose only even operator is the sum of bonds.

    λ is negative where antiferromagnetic couplings become ferromagnetic ones.
    """
    chosen = (Operator("nearest", ((0,), (1,))),)
    plan = scheme((length,), b, None, "decimation", chosen, levels, periodic=True)
    states = every((length,))
    values = plan.observe(states, plan.keys((1, ())), np.arange(len(states)))
    weight = np.exp(K * values[:, 0, 0])
    linearised = LinearisedFlow(float(len(states)), 2, plan, weighted(values, weight / weight.sum()))
    t = float(np.tanh(K))
    for level in range(levels + 1):
        u, sites = t ** (b**level), length // b**level
        bond = (u + u ** (sites - 1)) / (1 + u**sites)
        assert linearised.mean(level)[0] == pytest.approx([bond], rel=1e-12)
        assert linearised.mean(level)[1] == pytest.approx([0], abs=1e-12)
    last = t ** (b ** (levels - 1))
    slope = b * last ** (b - 1) * (1 - last**2) / (1 - last ** (2 * b))
    assert linearised.thermal[-1, 0] == pytest.approx(slope, rel=1e-9)
    assert linearised.y_t[-1, 0] == pytest.approx(np.log(abs(slope)) / np.log(b), rel=1e-9)


def test_matching_rings_is_a_step_of_newton():
    """Exact moments of rings of sixteen and of eight; the step of Newton by mpmath from the correlations of rings."""
    chosen, K = (Operator("nearest", ((0,), (1,))), Operator("second", ((0,), (2,)))), 0.6
    flows = []
    for length, levels in ((16, 2), (8, 1)):
        plan = scheme((length,), 2, None, "decimation", chosen, levels, periodic=True)
        states = every((length,))
        values = plan.observe(states, plan.keys((1, ())), np.arange(len(states)))
        weight = np.exp(K * values[:, 0, 0])
        flows.append(LinearisedFlow(float(len(states)), 2, plan, weighted(values, weight / weight.sum())))
    critical = critical_coupling(*flows, K)
    assert critical.shapes == ((8,), (4,))
    assert (critical.errors < 1e-9).all(), "the law has no error"

    def gap(k, depth):
        t, small = mpmath.tanh(k), 8 // 2**depth

        def bond(u):
            return small * (u + u ** (small - 1)) / (1 + u**small)

        return bond(t**2 ** (depth + 1)) - bond(t**2**depth)

    for depth in (0, 1):
        newton = K - gap(K, depth) / mpmath.diff(lambda k, depth=depth: gap(k, depth), K)
        assert np.isclose(critical.values[depth, 0], float(newton), rtol=1e-9)


# -- errors ----------------------------------------------------------------------------------------------


def test_jackknife_errors_are_calibrated(rng):
    """Independent draws of a ring of eight: deviations from tanh 2K in units of the quoted error have Student's law."""
    K, experiments, groups = 0.5, 200, 32
    states = every((8,))
    chosen = (Operator("nearest", ((0,), (1,))),)
    weight = np.exp(K * measure(states, chosen)[:, 0])
    estimates = np.empty((experiments, 2))
    for k in range(experiments):
        drawn = states[rng.choice(256, 1600, p=weight / weight.sum())]
        linearised = linearise(drawn, rule="decimation", operators=chosen, groups=groups, levels=1, rng=1)
        estimates[k] = linearised.thermal[0, 0], linearised.thermal_error[0, 0]
    z = (estimates[:, 0] - np.tanh(2 * K)) / estimates[:, 1]
    assert_uniform(2 * stats.t.sf(np.abs(z), groups - 1), what="p-values of λ of the ring")
    with rejects():
        assert_uniform(2 * stats.t.sf(np.abs(z) / 3, groups - 1), what="errors three times as large")


def exact_torus(K):
    """Return leading eigenvalues of the 4 × 4 torus in blocks of four spins, all states and all coins enumerated."""
    states, blocks = every((4, 4)), every((2, 2))
    before, after = measure(states, FEW), measure(blocks, FEW)
    total = states.reshape(-1, 2, 2, 2, 2).sum(axis=(2, 4)).reshape(-1, 1, 4)
    chance = np.where(total == 0, 0.5, np.sign(total) == blocks.reshape(1, 16, 4)).prod(axis=2)
    weight = np.exp(K * (before[:, 0] - before[:, 0].max()))
    p = chance * (weight / weight.sum())[:, None]
    mean, own = before.T @ p.sum(axis=1), after.T @ p.sum(axis=0)
    cross = after.T @ p.T @ before - np.outer(own, mean)
    within = (after.T * p.sum(axis=0)) @ after - np.outer(own, own)
    even, odd = np.ix_([0, 1], [0, 1]), np.ix_([2], [2])
    return tuple(float(leading(np.linalg.solve(within[part], cross[part]))) for part in (even, odd))


@pytest.fixture(scope="module")
def small(root_seed):
    return sample_flow(
        square_lattice(4, 4, temperature=1 / CRITICAL), (4, 4), 3000, levels=1, operators=FEW, rng=root_seed
    )  # fmt: skip


def test_eigenvalues_of_a_small_torus_are_found(small):
    exact, colder = exact_torus(CRITICAL), exact_torus(1.03 * CRITICAL)
    eigenvalues = [(small.thermal[0, 1], small.thermal_error[0, 1]), (small.magnetic[0, 0], small.magnetic_error[0, 0])]
    for (value, error), theory, other in zip(eigenvalues, exact, colder, strict=True):
        assert error < 0.02 * theory
        assert_comparison(z_score(value, error, theory, dof=63), "eigenvalue of the 4 × 4 torus")
        with rejects():
            assert_comparison(z_score(value, error, 1.2 * theory, dof=63), "20 % more")
        assert abs(other / theory - 1) > 0.001
    mean, error = small.mean(0)
    theory = -kaufman(4, 4, temperature=1 / CRITICAL).energy / 16
    assert_comparison(z_score(mean[0], error[0], theory, dof=63), "energy of the torus")


# -- the square lattice ----------------------------------------------------------------------------------


def sampled(L, levels, K, seed):
    lattice = square_lattice(L, L, temperature=1 / K)
    return sample_flow(lattice, (L, L), 500, burn_in=100, levels=levels, rng=seed)


def test_the_square_lattice_has_its_exponents_and_its_critical_coupling(root_seed):
    """Lattices of 16 × 16 and 8 × 8, whose size may cost five percent of y_t; the twin is seven percent warmer."""
    large, small = sampled(16, 2, CRITICAL, root_seed), sampled(8, 1, CRITICAL, root_seed)
    warm = sampled(16, 2, CRITICAL / 1.07, root_seed)

    def check(linearised):
        y, error = linearised.y_h[-1, -1], linearised.y_h_error[-1, -1]
        assert_comparison(z_score(y, error, 15 / 8, bias=0.005 * 15 / 8, dof=63), "y_h")

    check(large)
    assert_comparison(z_score(large.y_t[-1, -1], large.y_t_error[-1, -1], 1.0, bias=0.05, dof=63), "y_t")
    with rejects("y_h"):
        check(warm)
    critical = critical_coupling(large, small, CRITICAL)
    assert critical.error < 0.002
    assert_comparison(z_score(critical.coupling, critical.error, CRITICAL, bias=0.001, dof=63), "K_c")
    with rejects():
        assert_comparison(z_score(critical.coupling, critical.error, 0.46, bias=0.001, dof=63), "K_c")
    assert "on 4x4" in str(critical)


def test_results_depend_on_the_seed_alone():
    model = square_lattice(8, 8, temperature=2.3)
    first = sample_flow(model, (8, 8), 12, chains=70, rng=5, burn_in=2)
    with ThreadPoolExecutor(2) as pool:
        reports = []
        second = sample_flow(
            model, (8, 8), 12, chains=70, rng=5, burn_in=2, executor=pool, progress=lambda *at: reports.append(at)
        )
    for mine, other in zip(first.sums.parts, second.sums.parts, strict=True):
        assert np.array_equal(mine, other)
    assert reports[-1][0] == reports[-1][1]
    other = sample_flow(model, (8, 8), 12, chains=70, rng=6, burn_in=2)
    assert not np.array_equal(first.sums.first, other.sums.first)


def test_recorded_and_sampled_configurations_agree(rng):
    """The same sums, whether they come in groups or at once; decimation needs no coins."""
    states = signs(rng, 40, 8, 8)
    linearised = linearise(states, rule="decimation", groups=8)
    plan = linearised.scheme
    values = plan.observe(states, plan.keys((1, ())), np.arange(40)).astype(float)
    assert np.array_equal(joined(linearised.sums).first[0], values.sum(axis=0))
    assert linearised.sums.count.tolist() == [5.0] * 8
    covariance = np.cov(np.concatenate([values[:, 1], values[:, 0]], axis=1).T, bias=True)
    T = np.linalg.solve(covariance[:2, :2], covariance[:2, 11:13])
    assert np.allclose(linearised.matrix(0, ("nearest", "diagonal"))[0], T, rtol=1e-9)
    assert linearised.matrix(0)[0].shape == (6, 6)


# -- what is said and refused ----------------------------------------------------------------------------


def test_a_start_that_is_not_forgotten_is_said():
    model = square_lattice(32, 32, temperature=1 / CRITICAL)
    with pytest.warns(UntrustedEstimate, match="the start is not forgotten, take a longer burn_in"):
        sample_flow(model, (32, 32), 4, burn_in=0, rng=1)


def test_magnetised_spins_are_said(rng):
    states = np.where(rng.random((64, 8, 8)) < 0.7, 1, -1)
    with pytest.warns(UntrustedEstimate, match="up and down are not alike, even and odd operators mix"):
        linearised = linearise(states, groups=16, rng=1)
    T, error = linearised.matrix(0, ("nearest", "spin"))
    assert T.shape == error.shape == (2, 2)
    assert (error > 0).all()


def test_tables_and_pictures(small):
    text = str(small)
    assert text.startswith("b = 2, majority, 192000 configurations, 64 groups")
    assert "4x4 -> 2x2" in text
    assert "+ diagonal" in text
    assert small.even == ("nearest", "diagonal")
    assert small.odd == ("spin",)
    assert np.allclose(2**small.y_t, small.thermal)
    axes = small.plot(Figure().add_subplot())
    assert len(axes.containers) == 2
    assert axes.get_legend() is not None
    two = linearise(signs(np.random.default_rng(1), 40, 16, 16), operators=FEW[:2], groups=8, levels=2, rng=1)
    places = [bars.lines[0].get_xdata() for bars in two.plot(Figure().add_subplot()).containers]
    assert np.allclose(np.mean(places, axis=0), [1, 2])  # steps stand side by side about the number of operators
    only = linearise(signs(np.random.default_rng(1), 40, 8, 8), operators=FEW[:2], groups=8, rng=1)
    assert only.y_h.shape == only.y_h_error.shape == (1, 0)
    assert len(only.plot(Figure().add_subplot()).containers) == 1


LATTICE = square_lattice(8, 8)
NARROW = partial(sample_flow, operators=operators(2)[:1])
CHAIN = BinaryNeurons.from_network(Network.repeated(np.ones((8, 8)), activation="tanh", depth=15))
COINS = np.where(np.arange(40 * 64).reshape(40, 8, 8) % 3, 1, -1)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: sample_flow(COINS, (8, 8), 10), TypeError, "model is a ndarray; pass BinaryNeurons"),
        (lambda: sample_flow(LATTICE, (8, 4), 10), ValueError, r"shape = \(8, 4\) leaves fewer than 4 sites"),
        (lambda: sample_flow(LATTICE, (4, 4), 10, levels=1, operators=FEW), ValueError, "16 sites, but the model 64"),
        (lambda: sample_flow(square_lattice(8, 16), (16, 8), 9), ValueError, "8 rows or layers of 16 spins: they must"),
        (lambda: sample_flow(square_lattice(8, 8), (64,), 10), ValueError, "8 rows or layers of 8 spins"),
        (lambda: NARROW(square_lattice(2, 8), (8, 2), 10, axes=1), ValueError, "2 rows or layers of 8 spins"),
        (lambda: NARROW(square_lattice(8, 2), (2, 8), 10, axes=2), ValueError, "8 rows or layers of 2 spins"),
        (lambda: sample_flow(CHAIN, (8, 16), 10), ValueError, r"shape = \(8, 16\) .* 16 rows or layers of 8 spins"),
        (lambda: sample_flow(LATTICE, (8, 8), 10, thin=3), ValueError, "sweeps = 10 is not a multiple of thin = 3"),
        (lambda: sample_flow(LATTICE, (8, 8), 1), ValueError, "at least twice that"),
        (lambda: sample_flow(LATTICE, (8, 8), 10, chains=7), ValueError, r"chains = 7 is outside .* \[8,"),
        (lambda: sample_flow(LATTICE, (8, 8), 10, b=1), ValueError, "b = 1 is outside"),
        (lambda: sample_flow(LATTICE, (8, 8), 10, b=3), ValueError, "axis 1 has length 8, which b = 3 does not divide"),
        (lambda: sample_flow(LATTICE, (8, 8), 10, levels=4), ValueError, "axis 1 has length 1|does not fit"),
        (lambda: sample_flow(LATTICE, (8, 8), 10, levels=2), ValueError, r"'second' does not fit on \(2, 2\)"),
        (lambda: sample_flow(LATTICE, (2, 2, 2, 8), 10), ValueError, r"give \(layers,\), \(layers, width\)"),
        (lambda: sample_flow(LATTICE, (8, 8), 10, rule="mean"), ValueError, "rule = 'mean' is unknown; choose from"),
        (lambda: sample_flow(LATTICE, (8, 8), 10, periodic=(True,)), ValueError, r"periodic = \(True,\): give True"),
        (lambda: sample_flow(LATTICE, (8, 8), 10, method="wolf"), ValueError, "method = 'wolf' is unknown"),
        (lambda: sample_flow(BinaryNeurons(-LATTICE.couplings), (8, 8), 10), ValueError, "clusters need J >= 0"),
        (lambda: linearise(COINS), ValueError, "40 replicas in 64 groups are too few"),
        (lambda: linearise(COINS, groups=7), ValueError, r"groups = 7 is outside"),
        (lambda: linearise(COINS[0, 0]), ValueError, "states has shape"),
        (lambda: linearise(COINS * 2, groups=8), ValueError, r"states\[0, 0, 0\] = -2 is not a spin"),
        (lambda: linearise(COINS, groups=8, operators=["nearest"]), TypeError, "operators hold a str; make each"),
        (lambda: linearise(COINS, groups=8, operators=()), ValueError, "need at least one"),
        (lambda: linearise(COINS, groups=8, operators=operators(1)), ValueError, "'nearest' has sites with 1 offsets"),
        (lambda: linearise(COINS, groups=8, operators=(FEW[0], FEW[0])), ValueError, "names that differ"),
        (
            lambda: linearise(COINS, groups=8, operators=(FEW[0], Operator("same", ((1, 0), (2, 0))))),
            ValueError, "two of the operators nearest, same are the same sum",
        ),
        (lambda: Operator("none", ()), ValueError, "each site needs one, two or three offsets"),
        (lambda: Operator("mixed", ((0,), (0, 1))), ValueError, "all the same number"),
        (lambda: Operator("twice", ((0,), (0,))), ValueError, "names a site twice"),
        (lambda: Operator("half", ((0.5,),)), TypeError, "an offset = 0.5 is a float"),
        (lambda: operators(4), ValueError, "dimension = 4 is outside"),
    ],
)  # fmt: skip
def test_bad_input_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


@pytest.mark.filterwarnings("ignore::statnn.montecarlo.UntrustedEstimate")
def test_operators_that_carry_nothing_are_named():
    frozen = np.ones((32, 8, 8))
    with pytest.raises(ValueError, match="operator 'nearest' is the same in all configurations of level 1, 4x4"):
        linearise(frozen, groups=8).y_t  # noqa: B018
    halves = np.repeat([1.0, -1.0], 32).reshape(8, 8)
    with pytest.raises(ValueError, match="operator 'spin' is the same in all configurations of level 1, 4x4"):
        linearise(np.stack([halves, halves.T] * 16), groups=8).y_h  # noqa: B018
    flipped = frozen * np.where(np.arange(32) % 2, 1, -1)[:, None, None]
    linearised = linearise(flipped, groups=8, rng=1)
    with pytest.raises(ValueError, match=r"the operators spin, corner are linearly dependent .* of level 1"):
        linearised.matrix(0, ("spin", "corner"))
    with pytest.raises(ValueError, match=r"unknown operators \['spine'\]; choose from nearest"):
        linearised.matrix(0, ("spine",))


def test_lattices_that_do_not_match_are_refused(small):
    with pytest.raises(ValueError, match=r"they must agree; take a small lattice of \(2, 2\)"):
        critical_coupling(small, small, CRITICAL)
    with pytest.raises(TypeError, match="large is a float; pass what sample_flow"):
        critical_coupling(1.0, small, CRITICAL)
    coins = signs(np.random.default_rng(1), 32, 16, 16)
    odd, other = (
        [
            linearise(coins[:, :L, :L], operators=chosen, groups=8, levels=levels, rng=1)
            for L, levels in ((16, 2), (8, 1))
        ]
        for chosen in (FEW[::-1], FEW)
    )
    with pytest.raises(ValueError, match="the first operator, 'spin', is odd"):
        critical_coupling(*odd, 0.1)
    with pytest.raises(ValueError, match="one b, periodic axes alike and the same operators in one order"):
        critical_coupling(odd[0], other[1], 0.1)
    thinned = linearise(coins[:, :8, :8], operators=FEW, groups=8, levels=1, rule="decimation")
    with pytest.raises(ValueError, match="by 'majority' with b = 2, the small one by 'decimation' with b = 2"):
        critical_coupling(other[0], thinned, 0.1)
    open_ends = linearise(coins[:, :8, :8], operators=FEW, groups=8, levels=1, periodic=False, rng=1)
    with pytest.raises(ValueError, match="one b, periodic axes alike and"):
        critical_coupling(other[0], open_ends, 0.1)
    with pytest.raises(ValueError, match="coupling = nan must be finite"):
        critical_coupling(*other, float("nan"))
