"""Parts of Monte Carlo renormalisation by themselves: which draws are counted, and whose coins and errors are used."""

import math
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from itertools import product
from types import SimpleNamespace

import networkx as nx
import numpy as np
import pytest
import sympy as sp
from killed import cut, write_at_once

from statnn._archive.store import StoreError
from statnn.interaction import BinaryNeurons, square_lattice
from statnn.montecarlo import sample
from statnn.rg import Operator, critical_coupling, linearise, operators, sample_flow
from statnn.rg.lattice import _halves, _monte_carlo
from statnn.rg.lattice._blocking import lattice, majority
from statnn.rg.lattice._linearised import LinearisedFlow
from statnn.rg.lattice._matching import CriticalCoupling, _step
from statnn.rg.lattice._monte_carlo import _mixing, _refuse_other_lattice, _z
from statnn.rg.lattice._operators import measure
from statnn.rg.lattice._scheme import scheme
from statnn.rg.lattice._swendsen import Moments, jackknife, leading, moments
from statnn.testing import assert_comparison
from statnn.testing.statistics import z_score

FEW = (Operator("nearest", ((0, 0), (0, 1))), Operator("diagonal", ((0, 0), (1, 1))), Operator("spin", ((0, 0),)))
MODEL = square_lattice(8, 8, temperature=3.0)


def run(sweeps, **more):
    more = {"burn_in": 0, "chains": 8, "rule": "decimation", "operators": FEW, "method": "heat bath", "rng": 5} | more
    return sample_flow(MODEL, (8, 8), sweeps, levels=1, **more)


# -- draws -----------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::statnn.montecarlo.UntrustedEstimate")
def test_every_draw_is_counted_once():
    """More draws than are processed at once; with thin = 2 every second sweep counts, as differences of sums show."""
    linearised = run(300)
    assert linearised.sums.count.tolist() == [300.0] * 8
    assert linearised.samples == 2400

    def between(first, count):  # sums of the draws first + 1, ..., first + count
        return run(count, burn_in=first).sums.first

    even = 2 * between(1, 3) - between(1, 2) - between(2, 2)
    np.testing.assert_array_equal(run(4, thin=2).sums.first, even)


@pytest.mark.filterwarnings("ignore::statnn.montecarlo.UntrustedEstimate")
def test_a_chain_tosses_its_own_coins():
    """With majority blocks a chain gives the same sums beside any number of other chains."""
    few, many = (run(5, rule="majority", chains=chains) for chains in (8, 11))
    for mine, other in zip(few.sums.parts, many.sums.parts, strict=True):
        np.testing.assert_array_equal(mine, other[:8])


@pytest.mark.filterwarnings("ignore::statnn.montecarlo.UntrustedEstimate")
def test_flows_that_are_killed_go_on(monkeypatch, tmp_path):
    """The first cuts fall into the burn-in, later ones between portions of 64 draws of either half."""
    write_at_once(monkeypatch)

    def start(path=None, **more):
        return run(300, rule="majority", burn_in=30, chains=9, store=path, **more)

    whole, reports = start(), []
    assert cut(monkeypatch, tmp_path / "work", 2, partial(start, progress=lambda *at: reports.append(at)), 4) == whole
    assert start(tmp_path / "work", progress=lambda *at: reports.append(at)) == whole
    assert sum(done == total for done, total in reports) == 2  # once in each run, which count what was done before
    names = {path.name for path in (tmp_path / "work").iterdir()}
    assert {"store.json", "lock", "block-0.done.npz"} <= names
    assert not [name for name in names if "state" in name]
    others = tuple(replace(operator, alike=False) for operator in FEW)
    for more, said in (
        ({"rng": 6}, "seed is"),
        ({"rule": "decimation"}, "flow is"),
        ({"operators": others}, "flow is"),
        ({"chains": 10}, "chains is"),
    ):
        with pytest.raises(StoreError, match=said):
            run(300, **({"rule": "majority", "burn_in": 30, "chains": 9, "store": tmp_path / "work"} | more))
    with ThreadPoolExecutor(2) as pool:
        assert start(tmp_path / "other", executor=pool) == whole


# -- blocking --------------------------------------------------------------------------------------------


def test_every_step_has_its_own_coins(rng):
    plan = scheme((8, 8), 2, None, "majority", FEW, 2, periodic=True)
    keys, numbers = plan.keys((3, ())), np.arange(50)
    states = 2 * rng.integers(0, 2, (50, 8, 8), np.int8) - 1
    sums = plan.observe(states, keys, numbers)
    for level in range(3):
        np.testing.assert_array_equal(sums[:, level], measure(states, FEW, (True, True)))
        if level < 2:
            states = majority(states, lattice(states.shape, 2, None), keys[level], numbers)
    assert keys[0] != keys[1]


def test_axes_that_are_not_blocked_keep_their_length():
    assert scheme((8, 6), 2, 1, "majority", FEW, 2, periodic=True).shapes == ((8, 6), (4, 6), (2, 6))
    assert scheme((8, 8), 2, None, "majority", FEW, None, periodic=True).shapes == ((8, 8), (4, 4))


# -- errors ----------------------------------------------------------------------------------------------


def test_jackknife_errors_of_a_mean_are_its_standard_error(rng):
    values = rng.normal(size=7)
    others = (values.sum() - values) / 6
    assert jackknife(others) == pytest.approx(values.std(ddof=1) / math.sqrt(7), rel=1e-12)
    assert _z(np.array([[1.0, 2.0], [3.0, 2.0]])).tolist() == [pytest.approx(2.0), math.inf]
    assert _z(np.zeros((3, 1))).tolist() == [0.0]


def test_an_eigenvalue_of_zero_has_an_exponent_without_finite_error():
    """Over all states of free spins no kept pair knows of those removed: λ_t is 0. A kept spin is itself: λ_h is 1."""
    states = np.array(list(product((1, -1), repeat=8)), np.int8)
    pair = (Operator("nearest", ((0,), (1,))), Operator("spin", ((0,),)))
    free = linearise(np.tile(states, (8, 1)), operators=pair, levels=1, groups=8, rule="decimation")
    assert (free.thermal.item(), free.thermal_error.item()) == (0.0, 0.0)
    assert (free.y_t.item(), free.y_t_error.item()) == (-math.inf, math.inf)
    assert (free.y_h.item(), free.y_h_error.item()) == (0.0, 0.0)
    assert "-inf ± inf" in str(free)
    assert jackknife(np.array([1.0, -math.inf, 2.0])) == math.inf
    (line,) = (bars.lines[0] for bars in free.plot().containers if bars.get_label().startswith("$y_h$"))
    assert line.get_ydata().tolist() == [0.0]


def test_a_kind_without_operators_has_no_rows():
    states = np.array(list(product((1, -1), repeat=8)), np.int8)
    odd = linearise(states, operators=Operator("spin", ((0,),)), levels=1, groups=8, rule="decimation")
    assert [row.split()[0] for row in str(odd).splitlines()[1:]] == ["y_h", "8"]


def test_variances_of_ordered_spins_are_not_lost_beside_their_means(monkeypatch, rng):
    """Few of 3^12 spins point down: means are 5e5 beside spreads of ten, and sums of whole numbers keep all digits."""
    draws, groups, b = 24, 8, 3
    pair = (Operator("nearest", ((0,), (1,))), Operator("next", ((0,), (2,))))
    states = np.ones((draws, 3**12), np.int8)
    for state in states:
        for start in rng.choice(3**9, 5, replace=False) * 27:
            state[start : start + 27] = rng.choice([-1, 1], 27)
    monkeypatch.setattr(_monte_carlo, "PORTION", 2 * 3**12)
    T, error = linearise(states, b=b, operators=pair, levels=1, groups=groups, periodic=True).matrix(0)

    def measured(spins):
        return np.stack([(spins * np.roll(spins, -far, 1)).sum(axis=1, dtype=int) for far in (1, 2)])

    S, after = measured(states), measured(np.sign(states.reshape(draws, -1, b).sum(axis=2)))

    def exact(kept):
        def cov(left, right):
            return [[int(len(kept) * (x @ y) - x.sum() * y.sum()) for y in right[:, kept]] for x in left[:, kept]]

        return np.array((sp.Matrix(cov(after, after)).inv() * sp.Matrix(cov(after, S))).tolist(), float)

    np.testing.assert_allclose(T, exact(np.arange(draws)), rtol=0, atol=1e-14)
    each = np.split(np.arange(draws), groups)
    others = [exact(np.setdiff1d(np.arange(draws), group)) for group in each]
    np.testing.assert_allclose(error, jackknife(np.array(others)), rtol=1e-9)


def without(linearised: LinearisedFlow, group):
    return replace(linearised, sums=Moments(*(np.delete(part, group, axis=0) for part in linearised.sums.parts)))


def left_out_by_hand(values):
    return (len(values) - 1) / len(values) * ((values - values.mean(axis=0)) ** 2).sum(axis=0)


QUESTIONS = {
    "mean": lambda flow: flow.mean(1),
    "matrix": lambda flow: flow.matrix(1),
    "mixed matrix": lambda flow: flow.matrix(1, ("spin", "nearest")),
    "thermal": lambda flow: (flow.thermal, flow.thermal_error),
    "magnetic": lambda flow: (flow.magnetic, flow.magnetic_error),
    "y_t": lambda flow: (flow.y_t, flow.y_t_error),
    "y_h": lambda flow: (flow.y_h, flow.y_h_error),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_errors_are_those_of_groups_left_out_by_hand(question, rng):
    coins = 2 * rng.integers(0, 2, (200, 16, 16), np.int8) - 1
    linearised = linearise(coins, operators=FEW, groups=8, levels=2, rng=1)
    ask = QUESTIONS[question]
    values = np.array([ask(without(linearised, k))[0] for k in range(8)])
    np.testing.assert_allclose(ask(linearised)[1], np.sqrt(left_out_by_hand(values)), rtol=1e-8)


def test_the_matrix_of_a_step_is_that_of_its_levels(rng):
    coins = 2 * rng.integers(0, 2, (200, 16, 16), np.int8) - 1
    linearised = linearise(coins, operators=FEW, groups=8, levels=2, rule="decimation")
    after, before = (measure(coins[:, ::b, ::b], FEW, (True, True)) for b in (4, 2))
    together = np.cov(after.T, before.T)
    names = tuple(operator.name for operator in FEW)
    np.testing.assert_allclose(
        linearised.matrix(1, names)[0], np.linalg.solve(together[:3, :3], together[:3, 3:]), rtol=1e-9
    )


def test_the_critical_coupling_has_the_error_of_both_samples(rng):
    """Every group is left out by hand, of the large lattice and of the small one."""
    warm = square_lattice(16, 16, temperature=2.8)  # of coins, slopes are the same by chance
    drawn = sample(warm, 1, chains=400, burn_in=50, method="heat bath", rng=rng).states.reshape(-1, 16, 16)
    large = linearise(drawn, operators=FEW, groups=8, levels=2, rng=1)
    small = linearise(drawn[:, :8, 8:], operators=FEW, groups=8, levels=1, rng=1)
    critical = critical_coupling(large, small, 0.1)

    variance = 0
    for index in (0, 1):
        pairs = ([without(large, k), small] if index == 0 else [large, without(small, k)] for k in range(8))
        values = np.array([critical_coupling(*pair, 0.1).values for pair in pairs])
        variance = variance + left_out_by_hand(values)
    np.testing.assert_allclose(critical.errors, np.sqrt(variance), rtol=1e-8)


def test_samples_that_tell_no_critical_coupling_are_refused():
    """Frozen spins respond to K alike on both lattices, which leaves the coupling undetermined."""
    frozen = np.ones((400, 16, 16), np.int8)
    frozen[::2] = -1
    large = linearise(frozen, operators=FEW, groups=8, levels=2, rng=1)
    small = linearise(frozen[:, :8, 8:], operators=FEW, groups=8, levels=1, rng=1)
    with pytest.raises(ValueError, match=r"operator 'nearest' responds to K alike on both lattices.*Take more draws"):
        critical_coupling(large, small, 0.1)


def test_operators_of_all_levels_respond_to_the_first_one_before_any_step(rng):
    """K multiplies that one: the derivative of ⟨S⟩ is the covariance with it."""
    values = rng.normal(size=(2, 9, 3, 2))
    for group, start in zip(values, moments(values).start, strict=True):
        np.testing.assert_allclose(start.ravel(), 8 * np.cov(group.reshape(9, 6).T)[0], rtol=1e-12)


def test_an_operator_that_tells_no_critical_coupling_is_named():
    with pytest.raises(ValueError, match="operator 'diagonal' responds to K alike"):
        _step(np.ones((1, 1, 2)), np.array([[[1.0, 0.0]]]), ("nearest", "diagonal"))


def test_the_critical_coupling_is_read_at_the_greatest_depth():
    values, errors = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.1, 0.2], [0.4, 0.3]])
    critical = CriticalCoupling(0.4, ("nearest", "diagonal"), ((8, 8), (4, 4)), values, errors)
    assert (critical.coupling, critical.error) == (4.0, 0.3)


@pytest.mark.filterwarnings("ignore::statnn.montecarlo.UntrustedEstimate")
def test_coins_do_not_depend_on_how_many_draws_are_looked_at_together(monkeypatch, rng):
    coins = 2 * rng.integers(0, 2, (40, 8, 8), np.int8) - 1
    runs = [(run(20, rule="majority"), linearise(coins, operators=FEW, groups=8, levels=1, rng=1))]
    monkeypatch.setattr(_halves, "TOGETHER", 3)
    monkeypatch.setattr(_monte_carlo, "PORTION", 2 * 64)
    runs.append((run(20, rule="majority"), linearise(coins, operators=FEW, groups=8, levels=1, rng=1)))
    for before, after in zip(*runs, strict=True):
        np.testing.assert_array_equal(before.sums.first, after.sums.first)
        for mine, theirs in zip(before.sums.parts, after.sums.parts, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-12)  # portions are added up in another order


def test_coins_are_not_the_numbers_of_the_walk(monkeypatch):
    def caught(_model, _method, walks, *_, keeper):
        assert keeper(0).coins != walks
        raise InterruptedError

    monkeypatch.setattr(_monte_carlo, "cut", caught)
    with pytest.raises(InterruptedError):
        run(4)


@pytest.mark.parametrize("periodic", [np.True_, [np.True_, True], np.array([True, True])], ids=repr)
@pytest.mark.parametrize("axes", [[1, 2], np.array([1, 2])], ids=repr)
def test_switches_and_axes_of_numpy_are_those_of_python(periodic, axes):
    states = np.random.default_rng(1).choice([-1, 1], (16, 8, 8))
    linearised = linearise(states, operators=FEW[0], groups=8, levels=1, rng=1, periodic=periodic, axes=axes)
    assert linearised == linearise(states, operators=FEW[:1], groups=8, levels=1, rng=1)
    assert linearised.matrix(0, "nearest")[0].tolist() == linearised.matrix(0)[0].tolist()


@pytest.mark.parametrize(("periodic", "bonds"), [(True, 128), (False, 112), ([False, True], 120)])
def test_open_ends_have_no_bonds(periodic, bonds):
    """Of 8 by 8 spins, 64 bonds along each axis that closes on itself and 56 along each that does not."""
    plan = scheme((8, 8), 2, None, "decimation", FEW, 1, periodic=periodic)
    sums = plan.observe(np.ones((1, 8, 8), np.int8), plan.keys((3, ())), np.arange(1))
    assert sums[0, 0, 0] == bonds


def test_one_number_is_no_shape_of_a_lattice():
    with pytest.raises(ValueError, match=r"shape = 8: give \(layers,\), \(layers, width\)"):
        sample_flow(MODEL, 8, 2, chains=8)
    with pytest.raises(ValueError, match="periodic = 1: give True, False or one of them for each axis"):
        sample_flow(MODEL, (8, 8), 2, chains=8, levels=1, operators=FEW, periodic=1)


def test_a_matrix_of_no_operators_says_so():
    linearised = linearise(
        np.random.default_rng(1).choice([-1, 1], (16, 8, 8)), operators=FEW[2], groups=8, levels=1, rng=1
    )
    with pytest.raises(ValueError, match="none of the operators is even: pass names of some; choose from spin"):
        linearised.matrix(0)
    with pytest.raises(ValueError, match="no operator is named: pass names of some; choose from spin"):
        linearised.matrix(0, ())
    assert linearised.matrix(0, ("spin",))[0].shape == (1, 1)


def test_an_operator_reaches_less_far_than_the_lattice():
    spins = np.ones((1, 4), np.int8)
    assert measure(spins, (Operator("three", ((0,), (3,))),)).tolist() == [[4]]
    with pytest.raises(ValueError, match=r"operator 'four' does not fit on \(4,\)"):
        measure(spins, (Operator("four", ((0,), (4,))),))


@pytest.mark.parametrize(("level", "reasons"), [(0, 1), (1, 0)])
def test_up_and_down_are_compared_among_the_spins_themselves(level, reasons, rng):
    """Blocks of any spins may be magnetised: their own means are no reason to doubt the eigenvalues."""
    mean = rng.normal(size=(64, 2, 3))
    mean[:, level, 2] += 5
    chosen = tuple(Operator(name, sites) for name, sites in (("a", ((0,), (1,))), ("b", ((0,), (2,))), ("c", ((0,),))))
    flow = SimpleNamespace(operators=chosen, odd=("c",), sums=SimpleNamespace(mean=mean))
    assert len(_mixing(flow)) == reasons


@pytest.mark.parametrize("periodic", [False, (True, False)])
def test_a_torus_has_no_ends(periodic):
    """Without its bonds across the ends the second step of a critical lattice of 16 x 16 has y_t = 1.5."""
    with pytest.raises(ValueError, match=r"joins other ends of .*: pass periodic=\(True, True\)"):
        run(4, periodic=periodic)


def test_the_layers_of_a_network_do_not_close_to_a_ring(rng):
    """A bond from the last layer to the first, which no coupling holds, would change dK'/dK = 2t/(1 + t²)."""
    K = 0.8
    chain, nearest = BinaryNeurons([np.array([[K]])] * 15), operators(1)[:1]
    for K_5 in (K, 0.0):
        bonds = [np.array([[K_5 if layer == 5 else K]]) for layer in range(15)]
        with pytest.raises(ValueError, match=r"periodic = \(True,\) joins other ends .*: pass periodic=\(False,\)"):
            sample_flow(BinaryNeurons(bonds), (16,), 40, operators=nearest, levels=1, rule="decimation", rng=1)
    flow = sample_flow(
        chain, (16,), 4000, operators=nearest, levels=1, rule="decimation", rng=rng, chains=32, periodic=False
    )
    (slope,), (error,) = (np.ravel(part) for part in flow.matrix(0))
    theory = 2 * np.tanh(K) / (1 + np.tanh(K) ** 2)
    assert_comparison(z_score(float(slope), float(error), theory, dof=31), "dK'/dK of a chain with two ends")


@pytest.mark.parametrize("around", [(False, False), (False, True), (True, False), (True, True)])
@pytest.mark.parametrize("lost", [0, 1])
@pytest.mark.parametrize("length", [3, 6])
def test_ends_are_neighbours_where_couplings_join_them(length, around, lost):
    """As all nearest neighbours along an axis are coupled, its two ends are or not; diluted lattices may be either."""
    graph = nx.grid_2d_graph(6, length, periodic=around)
    graph.remove_edges_from([((1, k), (1, k + 1)) for k in range(lost)] + [((k, 1), (k + 1, 1)) for k in range(lost)])
    model = BinaryNeurons(graph, temperature=2.5)
    for periodic in product([False, True], repeat=2):
        wrong = periodic != around and not lost
        with pytest.raises(ValueError, match=re.escape(f"pass periodic={around}")) if wrong else nullcontext():
            _refuse_other_lattice(model, SimpleNamespace(shapes=[(6, length)], periodic=periodic))


def test_couplings_of_long_range_say_nothing_of_ends():
    """Those of an open chain join its ends, too."""
    far = np.abs(np.subtract.outer(range(32), range(32)))
    model = BinaryNeurons(np.where(far, 1 / np.maximum(far, 1.0) ** 2, 0.0), temperature=5.0)
    for periodic in (False, True):
        _refuse_other_lattice(model, SimpleNamespace(shapes=[(32,)], periodic=(periodic,)))


def test_leading_eigenvalues_keep_their_sign_and_are_moduli_where_they_are_complex():
    turned, flipped, ordinary = [[0.6, -0.8], [0.8, 0.6]], [[-3.0, 1.0], [0.0, 2.0]], [[1.0, 5.0], [0.0, 2.0]]
    assert leading(np.array([turned, flipped, ordinary])) == pytest.approx([1.0, -3.0, 2.0], rel=1e-14)
