"""Exact averages: each method against another, against laws that hold for all, and against 50 digits."""

import itertools
import math

import mpmath
import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import linalg, sparse
from strategies import examples

from statnn.interaction import BinaryNeurons, Exact
from statnn.testing.strategies import binary_neurons

NUMBERS = ("log_partition", "energy", "heat_capacity", "entropy")
MATRICES = ("graph", "dense", "tree", "ring", "lattice")
SEEDS = st.integers(0, 2**32 - 1)


def naive(model):
    """Exact averages by one loop over all states, E from the model, in longer floats."""
    states = np.array(list(itertools.product([-1, 1], repeat=model.size)))
    energy = np.array([model.energy(state) for state in states], dtype=np.longdouble)
    weight = np.exp(-(energy - energy.min()) / model.temperature)
    p = weight / weight.sum()
    mean, m = p @ energy, p @ states
    seen = p[p > 0]
    return Exact(
        method="naive",
        temperature=model.temperature,
        log_partition=float(np.log(weight.sum()) - energy.min() / model.temperature),
        energy=float(mean),
        heat_capacity=float(p @ (energy - mean) ** 2 / model.temperature**2),
        entropy=float(-(seen * np.log(seen)).sum()),
        magnetisation=m.astype(float),
        correlation=((states - m).T @ (p[:, None] * (states - m))).astype(float),
    )


def assert_same(ours, theirs, tolerance=2e-13):
    """Hold both to the rounding of the exponents E/T."""
    allowed = tolerance * max(1.0, abs(theirs.energy) / theirs.temperature)
    for name in NUMBERS:
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name), rel=allowed, abs=allowed), name
    assert ours.energy == pytest.approx(theirs.energy, rel=tolerance, abs=allowed * theirs.temperature)
    np.testing.assert_allclose(ours.magnetisation, theirs.magnetisation, rtol=0, atol=allowed)
    if ours.correlation is not None and theirs.correlation is not None:
        np.testing.assert_allclose(ours.correlation, theirs.correlation, rtol=0, atol=allowed)


def symmetric(rng, size, share=1.0):
    J = np.triu(rng.normal(size=(size, size)) * (rng.random((size, size)) < share), 1)
    return J + J.T


# -- few spins -------------------------------------------------------------------------------------------


@given(binary_neurons(MATRICES))
@examples(0.3)
def test_enumeration_is_the_naive_sum(model):
    assert_same(model.exact("enumeration"), naive(model))


@given(binary_neurons(["layers"]))
@examples(0.5)
def test_transfer_matrices_of_layers_are_the_sum_over_states(model):
    assert_same(model.exact("transfer"), model.exact("enumeration"))


@given(binary_neurons(MATRICES))
@examples(1.0)
def test_transfer_matrices_of_any_graph_are_the_sum_over_states(model):
    assert_same(model.exact("transfer"), model.exact("enumeration"))


def test_a_wrong_coupling_would_be_seen(rng):
    J = symmetric(rng, 8)
    model = BinaryNeurons(J, 0.1)
    J[2, 5] = J[5, 2] = J[2, 5] + 1e-9
    with pytest.raises(AssertionError):
        assert_same(BinaryNeurons(J, 0.1).exact("transfer"), model.exact())


def test_ways_are_chosen_by_size(rng):
    J = symmetric(rng, 21, 0.08)
    assert BinaryNeurons(J[:20, :20]).exact().method == "enumeration"
    assert BinaryNeurons(J).exact().method == "transfer"


def test_twenty_spins(rng):
    """The most that are enumerated, on a ring; a complete graph is also two layers, one spin and all others."""
    model = BinaryNeurons(symmetric(rng, 17), rng.normal(size=17), 1.5)
    assert model.exact("transfer").magnetisation == pytest.approx(model.exact().magnetisation, abs=1e-13)
    ring = BinaryNeurons(nx.cycle_graph(20), temperature=1.3)
    assert_same(ring.exact("enumeration"), ring.exact("transfer"))


def test_wide_and_narrow_layers_alternate(rng):
    model = BinaryNeurons([rng.normal(size=(9, 1)), rng.normal(size=(1, 9)), rng.normal(size=(8, 1))], 0.2, 0.8)
    assert_same(model.exact("transfer"), model.exact("enumeration"))


def test_blocks_of_a_wide_pair_are_put_together(rng):
    """Two layers of ten need several blocks of rows; the same spins can be enumerated."""
    model = BinaryNeurons([rng.normal(size=(10, 10))], rng.normal(size=20), 3.0)
    assert_same(model.exact("transfer"), model.exact("enumeration"))


def test_without_correlations_nothing_else_changes(rng):
    for method in ("enumeration", "transfer"):
        model = BinaryNeurons(symmetric(rng, 9, 0.4), rng.normal(size=9))
        short, full = model.exact(method, correlations=False), model.exact(method)
        assert short.correlation is None
        assert_same(short, full, 1e-15)


def test_results_do_not_change(rng):
    averages = BinaryNeurons(symmetric(rng, 4)).exact()
    with pytest.raises(ValueError, match="read-only"):
        averages.magnetisation[0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        averages.correlation[0, 0] = 1.0
    with pytest.raises(AttributeError):
        averages.energy = 0.0


# -- laws ------------------------------------------------------------------------------------------------


@given(binary_neurons(), st.sampled_from(["enumeration", "transfer"]))
@examples(0.5)
def test_thermodynamics(model, method):
    averages = model.exact(method)
    scale = max(1.0, abs(averages.log_partition))
    assert averages.free_energy == -model.temperature * averages.log_partition
    assert averages.entropy == pytest.approx(
        averages.log_partition + averages.energy / model.temperature, abs=1e-12 * scale
    )
    assert -1e-12 <= averages.entropy <= model.size * math.log(2) * (1 + 1e-12)
    assert averages.heat_capacity >= 0
    assert np.diag(averages.correlation) == pytest.approx(1 - averages.magnetisation**2, abs=1e-12 * scale)
    assert (averages.correlation == averages.correlation.T).all()
    assert np.linalg.eigvalsh(averages.correlation).min() > -1e-11 * scale


@pytest.mark.parametrize("method", ["enumeration", "transfer"])
def test_derivatives_of_the_partition_function(rng, method):
    """<E> = -d ln Z/dβ, Var E = d² ln Z/dβ², <s> = T d ln Z/dh, correlations d<s_i>/d(h_j/T); order 6 in the step."""
    model = BinaryNeurons(symmetric(rng, 9, 0.4), rng.normal(size=9), 1.3)
    averages, step = model.exact(method), 1e-2
    weights = {1: 3 / 4, 2: -3 / 20, 3: 1 / 60}

    def slope(function):
        return sum(w / step * (function(k * step) - function(-k * step)) for k, w in weights.items())

    def at(change):
        return model.at(1 / (1 / 1.3 + change)).exact(method)

    def pushed(spin, change):
        fields = model.fields + 1.3 * change * np.eye(9)[spin]
        return BinaryNeurons(model.couplings, fields, 1.3).exact(method)

    assert -slope(lambda b: at(b).log_partition) == pytest.approx(averages.energy, rel=1e-9)
    assert -slope(lambda b: at(b).energy) / 1.3**2 == pytest.approx(averages.heat_capacity, rel=1e-8)
    for spin in range(9):
        push = lambda h, spin=spin: pushed(spin, h)  # noqa: E731
        assert slope(lambda h, push=push: push(h).log_partition) == pytest.approx(
            averages.magnetisation[spin], abs=1e-9
        )
        column = slope(lambda h, push=push: push(h).magnetisation)
        assert column == pytest.approx(averages.correlation[spin], abs=1e-9)


@given(binary_neurons(), SEEDS)
@examples(0.3)
def test_gauge_transformation(model, seed):
    """Turning spins with their couplings and fields turns <s> and correlations alone; turning all needs only h → -h."""
    turn = np.random.default_rng(seed).choice([-1.0, 1.0], model.size)
    averages = model.exact("transfer")
    for signs in (turn, -np.ones(model.size)):
        J = model.couplings.toarray() * np.outer(signs, signs)
        other = BinaryNeurons(J, model.fields * signs, model.temperature).exact("transfer")
        back = Exact(**{
            **{name: getattr(other, name) for name in ("method", "temperature", *NUMBERS)},
            "magnetisation": signs * other.magnetisation,
            "correlation": np.outer(signs, signs) * other.correlation,
        })  # fmt: skip
        assert_same(back, averages)


@given(binary_neurons(), SEEDS)
@examples(0.3)
def test_numbering_does_not_matter(model, seed):
    order = np.random.default_rng(seed).permutation(model.size)
    J = model.couplings.toarray()[np.ix_(order, order)]
    averages, other = (
        model.exact("transfer"),
        BinaryNeurons(J, model.fields[order], model.temperature).exact("transfer"),
    )
    assert other.log_partition == pytest.approx(averages.log_partition, rel=1e-12)
    scale = max(1.0, abs(averages.log_partition))
    assert other.correlation == pytest.approx(averages.correlation[np.ix_(order, order)], abs=1e-13 * scale)


def test_high_temperatures(rng):
    """Ln Z = N ln 2 + Σ J²/2T² + Σ h²/2T² + O(T⁻³), <s_i> = h_i/T, correlation J_ij/T."""
    T = 1e5
    model = BinaryNeurons([rng.normal(size=(12, 10)), rng.normal(size=(9, 12))], rng.normal(size=31), T)
    averages, J, h = model.exact(), model.couplings.toarray(), model.fields
    square = (J**2).sum() / 4 + (h**2).sum() / 2
    assert averages.heat_capacity == pytest.approx(2 * square / T**2, rel=1e-3)
    assert averages.energy == pytest.approx(-2 * square / T, rel=1e-3)
    assert averages.entropy == pytest.approx(31 * math.log(2) - square / T**2, rel=1e-13)
    assert averages.magnetisation == pytest.approx(h / T, abs=40 / T**2)
    assert averages.correlation - np.eye(31) == pytest.approx(J / T, abs=40 / T**2)


# -- depth and temperature -------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [1e-3, 0.7, 50.0])
def test_ring_to_fifty_digits(temperature):
    """Z = λ₊^L + λ₋^L with fields, <E> and heat capacity by its derivatives."""
    L, J, h = 300, 0.8, 0.3
    ring = nx.cycle_graph(L)
    nx.set_edge_attributes(ring, J, "weight")
    averages = BinaryNeurons(ring, h, temperature).exact()
    with mpmath.workdps(50):

        def log_partition(beta):
            middle, root = mpmath.exp(beta * J) * mpmath.cosh(beta * h), mpmath.exp(beta * J) * mpmath.sinh(beta * h)
            root = mpmath.sqrt(root**2 + mpmath.exp(-2 * beta * J))
            return L * mpmath.log(middle + root) + mpmath.log1p(((middle - root) / (middle + root)) ** L)

        beta = 1 / mpmath.mpf(temperature)
        wanted = log_partition(beta)
        slope, bend = (mpmath.diff(log_partition, beta, n, h=mpmath.mpf(10) ** -12 * beta) for n in (1, 2))
        assert averages.log_partition == pytest.approx(float(wanted), rel=1e-14)
        assert averages.energy == pytest.approx(-float(slope), rel=1e-14)
        assert averages.heat_capacity == pytest.approx(float(bend * beta**2), rel=1e-11, abs=1e-300)
        root = mpmath.sqrt(mpmath.sinh(beta * h) ** 2 + mpmath.exp(-4 * beta * J))
        assert averages.magnetisation == pytest.approx(np.full(L, float(mpmath.sinh(beta * h) / root)), rel=1e-12)


@pytest.mark.parametrize("temperature", [0.05, 1.0])
def test_layers_to_fifty_digits(rng, temperature):
    """Products of 4 × 4 transfer matrices, spins inserted as diagonal matrices; 40 layers of two spins with fields."""
    depth = 40
    blocks, h = rng.normal(size=(depth - 1, 2, 2)), rng.normal(size=(depth, 2))
    averages = BinaryNeurons(list(blocks), h.ravel(), temperature).exact()
    states = [(a, b) for a in (-1, 1) for b in (-1, 1)]
    with mpmath.workdps(50):

        def log_partition(beta, insert=()):
            row = mpmath.matrix([[1] * 4])
            for l in range(depth):
                own = [mpmath.exp(beta * mpmath.fdot(h[l], s)) for s in states]
                for layer, unit in insert:
                    if layer == l:
                        own = [x * s[unit] for x, s in zip(own, states, strict=True)]
                row = row * mpmath.diag(own)
                if l < depth - 1:
                    row = row * mpmath.matrix([
                        [mpmath.exp(beta * sum(t[i] * blocks[l][i][j] * s[j] for i in (0, 1) for j in (0, 1)))
                         for t in states]
                        for s in states
                    ])  # fmt: skip
            total = mpmath.fsum(row)
            return total if insert else mpmath.log(total)

        beta = 1 / mpmath.mpf(temperature)
        step = mpmath.mpf(10) ** -12
        here, up, down = (log_partition(beta * (1 + k * step)) for k in (0, 1, -1))
        assert averages.log_partition == pytest.approx(float(here), rel=1e-14)
        assert averages.energy == pytest.approx(-float((up - down) / (2 * step * beta)), rel=1e-13)
        assert averages.heat_capacity == pytest.approx(float((up - 2 * here + down) / step**2), rel=1e-11)
        first, second = (0, 1), (6, 0)
        m = [log_partition(beta, [spin]) / mpmath.exp(here) for spin in (first, second)]
        connected = log_partition(beta, [first, second]) / mpmath.exp(here) - m[0] * m[1]
        assert averages.magnetisation[[1, 12]] == pytest.approx([float(x) for x in m], rel=1e-11)
        assert averages.correlation[1, 12] == pytest.approx(float(connected), rel=1e-9, abs=1e-15)


def test_open_chain_of_any_depth(rng):
    """Independent bonds: ln Z = N ln 2 + Σ ln cosh K, <s_i s_j> a product of tanh K; 20,000 layers."""
    J = rng.normal(size=19_999)
    for T in (1e-4, 0.5, 100.0):
        chain = BinaryNeurons(sparse.diags_array([J, J], offsets=[-1, 1]), temperature=T)
        averages, K = chain.exact(correlations=False), np.abs(J) / T
        bonds = K + np.log1p(np.exp(-2 * K))
        assert averages.log_partition == pytest.approx(math.fsum([*bonds, math.log(2)]), rel=1e-14)
        assert averages.energy == pytest.approx(-T * math.fsum(K * np.tanh(K)), rel=1e-13)
        sech = 2 * np.exp(-K) / (1 + np.exp(-2 * K))
        assert averages.heat_capacity == pytest.approx(math.fsum((K * sech) ** 2), rel=1e-11)
        assert not np.abs(averages.magnetisation).max() > 1e-10
    short = BinaryNeurons(sparse.diags_array([J[:60], J[:60]], offsets=[-1, 1]), temperature=0.3).exact()
    product = np.concatenate([[1.0], np.cumprod(np.tanh(J[:60] / 0.3))])
    assert short.correlation[0] == pytest.approx(product, abs=1e-13)
    assert short.correlation[0, -1] == pytest.approx(product[-1], rel=1e-10)  # small ones keep their digits


def test_spins_alone_and_pieces_are_independent(rng):
    h = rng.normal(size=30) * 3
    alone = BinaryNeurons(np.zeros((30, 30)), h, 0.7).exact()
    assert alone.method == "transfer"
    assert alone.log_partition == pytest.approx(np.log(2 * np.cosh(h / 0.7)).sum(), rel=1e-14)
    assert alone.energy == pytest.approx(-(h * np.tanh(h / 0.7)).sum(), rel=1e-14)
    assert alone.heat_capacity == pytest.approx(((h / 0.7) ** 2 / np.cosh(h / 0.7) ** 2).sum(), rel=1e-13)
    assert alone.entropy == pytest.approx(alone.log_partition + alone.energy / 0.7, rel=1e-12)
    assert alone.correlation == pytest.approx(np.diag(np.cosh(h / 0.7) ** -2), rel=1e-12)

    first, second = symmetric(rng, 8), symmetric(rng, 9)
    parts = [BinaryNeurons(first, h[:8]).exact(), BinaryNeurons(second, h[8:17]).exact()]
    lonely = BinaryNeurons(np.zeros((13, 13)), h[17:]).exact()
    J = linalg.block_diag(first, second, np.zeros((13, 13)))
    order = rng.permutation(30)
    both = BinaryNeurons(J[np.ix_(order, order)], h[order]).exact()
    for name in NUMBERS:
        wanted = sum(getattr(part, name) for part in [*parts, lonely])
        assert getattr(both, name) == pytest.approx(wanted, rel=1e-13), name
    wanted = linalg.block_diag(*(part.correlation for part in [*parts, lonely]))
    assert both.correlation == pytest.approx(wanted[np.ix_(order, order)], abs=1e-13)


def test_cold_layers_reach_the_ground_state(rng):
    """At E/T beyond 1e5, with couplings ±1: weights of states differ by e^(2000) and more, or not at all."""
    blocks = [rng.choice([-1.0, 1.0], (5, 5)) for _ in range(40)]
    model = BinaryNeurons(blocks, temperature=1e-3)
    cold, colder = model.exact(), model.at(1e-4).exact()
    assert cold.energy == colder.energy == round(cold.energy)
    assert math.exp(cold.entropy) == pytest.approx(round(math.exp(cold.entropy)), rel=1e-9)
    assert cold.entropy == pytest.approx(colder.entropy, abs=1e-12)
    assert cold.log_partition == pytest.approx(-cold.energy / 1e-3 + cold.entropy, rel=1e-14)
    assert cold.magnetisation == pytest.approx(0, abs=1e-12)  # by symmetry: two at least


# -- bad input -------------------------------------------------------------------------------------------


def test_unknown_ways_and_too_many_spins(rng):
    with pytest.raises(ValueError, match="'transfers' is unknown; allowed are enumeration, transfer"):
        BinaryNeurons(symmetric(rng, 3)).exact("transfers")
    with pytest.raises(ValueError, match=r"21 spins have 2\^21 states; at most 20"):
        BinaryNeurons(nx.path_graph(21)).exact("enumeration")
    with pytest.raises(ValueError, match=r"neighbouring layers have 40 \(at most 24\).*sample the model"):
        BinaryNeurons(symmetric(rng, 40)).exact()
    with pytest.raises(ValueError, match=r"have 25 \(at most 24\)"):
        BinaryNeurons([rng.normal(size=(13, 13))]).exact()
    with pytest.raises(ValueError, match=r"the widest layer has 20 spins \(at most 18\)"):
        BinaryNeurons([rng.normal(size=(21, 2))]).exact(correlations=False)
    with pytest.raises(ValueError, match=r"correlations of 30000 spins fill 7.2 GB.*correlations=False"):
        BinaryNeurons(nx.path_graph(30_000)).exact()
    with pytest.raises(ValueError, match=r"rounding of energies .* this is the ground state"):
        BinaryNeurons(symmetric(rng, 4), temperature=1e-15).exact()
    with pytest.raises(ValueError, match="rounding of energies"):
        BinaryNeurons(symmetric(rng, 4), temperature=1e-310).exact()


# -- digits at the ends of temperature -------------------------------------------------------------------


@pytest.mark.parametrize("method", ["enumeration", "transfer"])
@pytest.mark.parametrize("K", [0.06, 1e-3, 1e-9, 1e-17, 1e-100])
def test_energies_of_hot_spins_keep_their_digits(method, K):
    tanh = float(mpmath.tanh(K))
    J = K * nx.to_numpy_array(nx.path_graph(12))
    assert BinaryNeurons(J).exact(method).energy == pytest.approx(-11 * K * tanh, rel=1e-14, abs=0)
    fields = np.tile([K, -2 * K], 6)
    alone = -6 * K * (tanh + 2 * float(mpmath.tanh(2 * K)))
    assert BinaryNeurons(0 * J, fields).exact(method).energy == pytest.approx(alone, rel=1e-14, abs=0)


@pytest.mark.parametrize("method", ["enumeration", "transfer"])
@pytest.mark.parametrize("strength", [0.0625, 0.07, 0.1, 0.25, 0.26, 0.5, 1.0])
def test_energies_of_spins_that_all_meet_keep_their_digits(method, strength):
    size = 16
    K = strength / (size - 1)
    with mpmath.workdps(30):
        numbers = [math.comb(size, up) for up in range(size + 1)]
        pairs = [((2 * up - size) ** 2 - size) // 2 for up in range(size + 1)]
        weights = [number * mpmath.exp(mpmath.mpf(K) * pair) for number, pair in zip(numbers, pairs, strict=True)]
        energy = -K * mpmath.fdot(weights, pairs) / mpmath.fsum(weights)
    computed = BinaryNeurons(K * (1 - np.eye(size))).exact(method, correlations=False).energy
    assert computed == pytest.approx(float(energy), rel=8e-15, abs=0)


def test_entropies_of_cold_spins_keep_their_digits():
    J, h = 20.0 * nx.to_numpy_array(nx.path_graph(6)), [1, 2, 0, 3, 0, 14]
    with mpmath.workdps(50):
        states = np.array(list(itertools.product([-1, 1], repeat=6)))
        weights = [mpmath.exp(20 * int(s[1:] @ s[:-1]) + int(s @ h)) for s in states]
        total = mpmath.fsum(weights)
        entropy = -mpmath.fsum(w / total * mpmath.log(w / total) for w in weights)
    assert 1e-16 < entropy < 1e-14
    for method in ("enumeration", "transfer"):
        assert BinaryNeurons(J, h).exact(method).entropy == pytest.approx(float(entropy), rel=1e-12, abs=0), method
