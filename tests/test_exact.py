"""Exact averages: every way of finding them against another, against laws that hold for all of them, and 50 digits."""

import itertools
import math

import mpmath
import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from strategies import examples, log_uniform

from statnn.interaction import BinaryNeurons, DynamicNeurons, Exact, Prior, onsager, square_lattice, torus
from statnn.network import Network

NUMBERS = ("log_partition", "energy", "heat_capacity", "entropy")
CRITICAL = 2 / math.log(1 + math.sqrt(2))
TEMPERATURES = st.sampled_from([1e-4, 1e-2, 1e4]) | log_uniform(0.1, 30.0)
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


def assert_same(one, other, tolerance=2e-13):
    """Agree to rounding of the exponents E/T."""
    allowed = tolerance * max(1.0, abs(other.energy) / other.temperature)
    for name in NUMBERS:
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=allowed, abs=allowed), name
    assert one.energy == pytest.approx(other.energy, rel=tolerance, abs=allowed * other.temperature)
    np.testing.assert_allclose(one.magnetisation, other.magnetisation, rtol=0, atol=allowed)
    if one.correlation is not None and other.correlation is not None:
        np.testing.assert_allclose(one.correlation, other.correlation, rtol=0, atol=allowed)


def symmetric(rng, size, share=1.0):
    J = np.triu(rng.normal(size=(size, size)) * (rng.random((size, size)) < share), 1)
    return J + J.T


@st.composite
def layered(draw):
    widths = draw(st.lists(st.integers(1, 4), min_size=2, max_size=5).filter(lambda w: sum(w) <= 12))
    rng = np.random.default_rng(draw(SEEDS))
    blocks = [rng.normal(size=(above, below)) for below, above in itertools.pairwise(widths)]
    return BinaryNeurons(blocks, rng.normal(size=sum(widths)), draw(TEMPERATURES))


@st.composite
def graphs(draw):
    """Random graphs in pieces, trees, rings and lattices, with fields or without."""
    rng, size = np.random.default_rng(draw(SEEDS)), draw(st.integers(1, 11))
    kind = draw(st.sampled_from(["sparse", "dense", "pieces", "tree", "ring", "torus"]))
    if kind == "torus":
        lattice = square_lattice(draw(st.integers(2, 3)), draw(st.integers(2, 4)))
        graph = lattice.couplings.toarray()
    elif kind == "ring":
        graph = nx.to_numpy_array(nx.cycle_graph(max(size, 3)))
    elif kind == "tree":
        graph = nx.to_numpy_array(nx.random_labeled_tree(size, seed=int(rng.integers(2**31))))
    else:
        graph = np.ones((size, size)) * (symmetric(rng, size, {"sparse": 0.4, "dense": 1.0, "pieces": 0.12}[kind]) != 0)
    J = np.sign(graph) * symmetric(rng, len(graph))
    fields = rng.normal(size=len(graph)) if draw(st.booleans()) else None
    return BinaryNeurons(J, fields, draw(TEMPERATURES))


# -- few spins -------------------------------------------------------------------------------------------


@given(graphs())
@examples(0.3)
def test_enumeration_is_the_naive_sum(model):
    assert_same(model.exact("enumeration"), naive(model))


@given(layered())
@examples(0.5)
def test_transfer_matrices_of_layers_are_the_sum_over_states(model):
    assert_same(model.exact("transfer"), model.exact("enumeration"))


@given(graphs())
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
    """As many as are enumerated; a complete graph is also two layers, one spin and all others."""
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
    found = BinaryNeurons(symmetric(rng, 4)).exact()
    with pytest.raises(ValueError, match="read-only"):
        found.magnetisation[0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        found.correlation[0, 0] = 1.0
    with pytest.raises(AttributeError):
        found.energy = 0.0


# -- laws ------------------------------------------------------------------------------------------------


@given(layered() | graphs(), st.sampled_from(["enumeration", "transfer"]))
@examples(0.5)
def test_thermodynamics(model, method):
    found = model.exact(method)
    scale = max(1.0, abs(found.log_partition))
    assert found.free_energy == -model.temperature * found.log_partition
    assert found.entropy == pytest.approx(found.log_partition + found.energy / model.temperature, abs=1e-12 * scale)
    assert -1e-12 <= found.entropy <= model.size * math.log(2) * (1 + 1e-12)
    assert found.heat_capacity >= 0
    assert np.diag(found.correlation) == pytest.approx(1 - found.magnetisation**2, abs=1e-12 * scale)
    assert (found.correlation == found.correlation.T).all()
    assert np.linalg.eigvalsh(found.correlation).min() > -1e-11 * scale


@pytest.mark.parametrize("method", ["enumeration", "transfer"])
def test_derivatives_of_the_partition_function(rng, method):
    """<E> = -d ln Z/dβ, Var E = d² ln Z/dβ², <s> = T d ln Z/dh, correlations d<s_i>/d(h_j/T); order 6 in the step."""
    model = BinaryNeurons(symmetric(rng, 9, 0.4), rng.normal(size=9), 1.3)
    found, step = model.exact(method), 1e-2
    weights = {1: 3 / 4, 2: -3 / 20, 3: 1 / 60}

    def slope(function):
        return sum(w / step * (function(k * step) - function(-k * step)) for k, w in weights.items())

    def at(change):
        return model.at(1 / (1 / 1.3 + change)).exact(method)

    def pushed(spin, change):
        fields = model.fields + 1.3 * change * np.eye(9)[spin]
        return BinaryNeurons(model.couplings, fields, 1.3).exact(method)

    assert -slope(lambda b: at(b).log_partition) == pytest.approx(found.energy, rel=1e-9)
    assert -slope(lambda b: at(b).energy) / 1.3**2 == pytest.approx(found.heat_capacity, rel=1e-8)
    for spin in range(9):
        push = lambda h, spin=spin: pushed(spin, h)  # noqa: E731
        assert slope(lambda h, push=push: push(h).log_partition) == pytest.approx(found.magnetisation[spin], abs=1e-9)
        column = slope(lambda h, push=push: push(h).magnetisation)
        assert column == pytest.approx(found.correlation[spin], abs=1e-9)


@given(layered() | graphs(), SEEDS)
@examples(0.3)
def test_gauge_transformation(model, seed):
    """Turning spins and what they feel turns <s> alone; turning all spins needs only h → -h."""
    turn = np.random.default_rng(seed).choice([-1.0, 1.0], model.size)
    found = model.exact("transfer")
    for signs in (turn, -np.ones(model.size)):
        J = model.couplings.toarray() * np.outer(signs, signs)
        other = BinaryNeurons(J, model.fields * signs, model.temperature).exact("transfer")
        back = Exact(**{
            **{name: getattr(other, name) for name in ("method", "temperature", *NUMBERS)},
            "magnetisation": signs * other.magnetisation,
            "correlation": np.outer(signs, signs) * other.correlation,
        })  # fmt: skip
        assert_same(back, found)


@given(layered() | graphs(), SEEDS)
@examples(0.3)
def test_numbering_does_not_matter(model, seed):
    order = np.random.default_rng(seed).permutation(model.size)
    J = model.couplings.toarray()[np.ix_(order, order)]
    found, other = model.exact("transfer"), BinaryNeurons(J, model.fields[order], model.temperature).exact("transfer")
    assert other.log_partition == pytest.approx(found.log_partition, rel=1e-12)
    scale = max(1.0, abs(found.log_partition))
    assert other.correlation == pytest.approx(found.correlation[np.ix_(order, order)], abs=1e-13 * scale)


def test_high_temperatures(rng):
    """Ln Z = N ln 2 + Σ J²/2T² + Σ h²/2T² + O(T⁻³), <s_i> = h_i/T, correlation J_ij/T."""
    T = 1e5
    model = BinaryNeurons([rng.normal(size=(12, 10)), rng.normal(size=(9, 12))], rng.normal(size=31), T)
    found, J, h = model.exact(), model.couplings.toarray(), model.fields
    square = (J**2).sum() / 4 + (h**2).sum() / 2
    assert found.heat_capacity == pytest.approx(2 * square / T**2, rel=1e-3)
    assert found.energy == pytest.approx(-2 * square / T, rel=1e-3)
    assert found.entropy == pytest.approx(31 * math.log(2) - square / T**2, rel=1e-13)
    assert found.magnetisation == pytest.approx(h / T, abs=40 / T**2)
    assert found.correlation - np.eye(31) == pytest.approx(J / T, abs=40 / T**2)


# -- depth and temperature -------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [1e-3, 0.7, 50.0])
def test_ring_to_fifty_digits(temperature):
    """Z = λ₊^L + λ₋^L with fields, <E> and heat capacity by its derivatives."""
    L, J, h = 300, 0.8, 0.3
    ring = nx.cycle_graph(L)
    nx.set_edge_attributes(ring, J, "weight")
    found = BinaryNeurons(ring, h, temperature).exact()
    with mpmath.workdps(50):

        def log_partition(beta):
            middle, root = mpmath.exp(beta * J) * mpmath.cosh(beta * h), mpmath.exp(beta * J) * mpmath.sinh(beta * h)
            root = mpmath.sqrt(root**2 + mpmath.exp(-2 * beta * J))
            return L * mpmath.log(middle + root) + mpmath.log1p(((middle - root) / (middle + root)) ** L)

        beta = 1 / mpmath.mpf(temperature)
        wanted = log_partition(beta)
        slope, bend = (mpmath.diff(log_partition, beta, n, h=mpmath.mpf(10) ** -12 * beta) for n in (1, 2))
        assert found.log_partition == pytest.approx(float(wanted), rel=1e-14)
        assert found.energy == pytest.approx(-float(slope), rel=1e-14)
        assert found.heat_capacity == pytest.approx(float(bend * beta**2), rel=1e-11, abs=1e-300)
        root = mpmath.sqrt(mpmath.sinh(beta * h) ** 2 + mpmath.exp(-4 * beta * J))
        assert found.magnetisation == pytest.approx(np.full(L, float(mpmath.sinh(beta * h) / root)), rel=1e-12)


def test_open_chain_of_any_depth(rng):
    """Independent bonds: ln Z = N ln 2 + Σ ln cosh K, <s_i s_j> a product of tanh K; 20,000 layers."""
    J = rng.normal(size=19_999)
    for T in (1e-4, 0.5, 100.0):
        chain = BinaryNeurons(sparse.diags_array([J, J], offsets=[-1, 1]), temperature=T)
        found, K = chain.exact(correlations=False), np.abs(J) / T
        bonds = K + np.log1p(np.exp(-2 * K))
        assert found.log_partition == pytest.approx(math.fsum([*bonds, math.log(2)]), rel=1e-14)
        assert found.energy == pytest.approx(-T * math.fsum(K * np.tanh(K)), rel=1e-13)
        sech = 2 * np.exp(-K) / (1 + np.exp(-2 * K))
        assert found.heat_capacity == pytest.approx(math.fsum((K * sech) ** 2), rel=1e-11)
        assert not np.abs(found.magnetisation).max() > 1e-10
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

    one, other = symmetric(rng, 8), symmetric(rng, 9)
    parts = [BinaryNeurons(one, h[:8]).exact(), BinaryNeurons(other, h[8:17]).exact()]
    lonely = BinaryNeurons(np.zeros((13, 13)), h[17:]).exact()
    J = sparse.block_diag([one, other, np.zeros((13, 13))])
    order = rng.permutation(30)
    both = BinaryNeurons(sparse.csr_array(J)[order][:, order], h[order]).exact()
    for name in NUMBERS:
        wanted = sum(getattr(part, name) for part in [*parts, lonely])
        assert getattr(both, name) == pytest.approx(wanted, rel=1e-13), name
    wanted = sparse.block_diag([parts[0].correlation, parts[1].correlation, lonely.correlation]).toarray()
    assert both.correlation == pytest.approx(wanted[np.ix_(order, order)], abs=1e-13)


def test_cold_layers_reach_the_ground_state(rng):
    """At E/T ~ 1e5, with couplings that are ±1 so that weights of states differ by e^(10,000) or not at all."""
    blocks = [rng.choice([-1.0, 1.0], (5, 5)) for _ in range(40)]
    model = BinaryNeurons(blocks, temperature=1e-3)
    cold, colder = model.exact(), model.at(1e-4).exact()
    assert cold.energy == colder.energy == round(cold.energy)
    assert math.exp(cold.entropy) == pytest.approx(round(math.exp(cold.entropy)), rel=1e-9)
    assert cold.entropy == pytest.approx(colder.entropy, abs=1e-12)
    assert cold.log_partition == pytest.approx(-cold.energy / 1e-3 + cold.entropy, rel=1e-14)
    assert cold.magnetisation == pytest.approx(0, abs=1e-12)  # by symmetry: two at least


# -- the square lattice ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(4, 4), (3, 4), (4, 3), (2, 2), (2, 5), (3, 3), (5, 4)])
@pytest.mark.parametrize("temperature", [0.5, CRITICAL, 2.3, 10.0])
def test_torus_is_the_sum_over_states(shape, temperature):
    one, other = torus(*shape, temperature=temperature), square_lattice(*shape, temperature=temperature).exact()
    for name in NUMBERS:
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-12, abs=1e-12), name


@pytest.mark.parametrize(("shape", "coupling"), [((4, 8), 1.3), ((4, 6), -0.8), ((3, 9), 0.5)])
def test_torus_by_transfer_matrices(shape, coupling):
    for T in (0.9, 2.5):
        one, other = torus(*shape, coupling, T), square_lattice(*shape, coupling, T).exact()
        assert other.method == "transfer"
        for name in NUMBERS:
            assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-12, abs=1e-12), name


def test_torus_at_the_ends_of_temperature():
    cold, hot = torus(50, 60, temperature=1e-3), torus(50, 60, temperature=1e6)
    assert (cold.energy, cold.heat_capacity) == (-6000.0, pytest.approx(0, abs=1e-12))
    assert cold.log_partition == pytest.approx(6000 / 1e-3 + math.log(2), rel=1e-15)
    assert hot.log_partition == pytest.approx(3000 * math.log(2), rel=1e-9)
    assert hot.heat_capacity == pytest.approx(6000 / 1e12, rel=1e-3)
    still = torus(7, 5, coupling=0.0)
    assert (still.energy, still.heat_capacity, still.entropy) == (0, 0, pytest.approx(35 * math.log(2)))


@given(st.integers(2, 30), st.integers(2, 30), log_uniform(0.3, 20.0))
@examples(0.5)
def test_torus_derivatives(rows, columns, temperature):
    step, found = 1e-3, torus(rows, columns, temperature=temperature)
    near = {k: torus(rows, columns, temperature=1 / ((1 + k * step) / temperature)) for k in (-2, -1, 1, 2)}

    def slope(name):
        value = {k: getattr(point, name) for k, point in near.items()}
        return (8 * (value[1] - value[-1]) - (value[2] - value[-2])) / (12 * step / temperature)

    size = rows * columns
    assert slope("log_partition") == pytest.approx(-found.energy, abs=1e-7 * size)
    assert slope("energy") == pytest.approx(-found.heat_capacity * temperature**2, abs=1e-6 * size**1.5 * temperature)
    assert torus(columns, rows, temperature=temperature).energy == pytest.approx(found.energy, rel=1e-11)


@pytest.mark.parametrize("temperature", [1.0, 2.0, 2.6, 5.0])
def test_large_torus_is_onsagers_lattice(temperature):
    """Off the critical point finite size is exponentially small; ln Z below it counts two phases."""
    size, wanted = 160**2, onsager(temperature=temperature)
    found = torus(160, 160, temperature=temperature)
    phases = math.log(2) if temperature < CRITICAL else 0.0
    assert (found.log_partition - phases) / size == pytest.approx(wanted.log_partition, rel=1e-12)
    assert found.energy / size == pytest.approx(wanted.energy, rel=1e-11)
    assert found.heat_capacity / size == pytest.approx(wanted.heat_capacity, rel=1e-9)


def test_critical_lattice():
    """E/N = -√2 J; the heat capacity of the torus grows as (2/π) ln²(1+√2) ln L; ln Z = ln 2/2 + 2G/π."""
    point = onsager(temperature=CRITICAL)
    assert point.energy == pytest.approx(-math.sqrt(2), rel=1e-14)
    assert point.log_partition == pytest.approx(math.log(2) / 2 + 2 * float(mpmath.catalan) / math.pi, rel=1e-13)
    assert point.heat_capacity > 14  # the logarithm of the distance to the critical point, or infinity
    assert point.magnetisation < 0.02
    one, other = (torus(L, L, temperature=CRITICAL) for L in (64, 128))
    growth = other.heat_capacity / 128**2 - one.heat_capacity / 64**2
    assert growth / math.log(2) == pytest.approx(2 / math.pi * math.log(1 + math.sqrt(2)) ** 2, rel=1e-3)
    assert (one.energy / 64**2 + math.sqrt(2)) / (other.energy / 128**2 + math.sqrt(2)) == pytest.approx(2, rel=1e-3)


@pytest.mark.parametrize("temperature", [0.7, 2.2, CRITICAL * (1 + 1e-9), 2.5, 300.0])
def test_onsager_is_the_integral(temperature):
    """The elliptic integrals come of the double integral, whose K-derivatives are the energy and heat capacity."""
    found = onsager(-1.0, temperature)
    with mpmath.workdps(34):

        def log_partition(K):
            k = 2 * mpmath.sinh(2 * K) / mpmath.cosh(2 * K) ** 2
            integral = mpmath.quad(
                lambda phi: mpmath.log((1 + mpmath.sqrt(1 - (k * mpmath.sin(phi)) ** 2)) / 2),
                [0, mpmath.pi / 4, *(mpmath.pi / 2 - mpmath.mpf(10) ** -n for n in range(1, 12)), mpmath.pi / 2],
            )
            return mpmath.log(2 * mpmath.cosh(2 * K)) + integral / mpmath.pi

        K = 1 / mpmath.mpf(temperature)
        first, second = mpmath.diff(log_partition, K, 1, h=1e-14), mpmath.diff(log_partition, K, 2, h=1e-14)
        assert found.log_partition == pytest.approx(float(log_partition(K)), rel=1e-13)
        assert found.energy == pytest.approx(-float(first), rel=1e-11)
        assert found.heat_capacity == pytest.approx(float(K**2 * second), rel=1e-7)


def test_yang_magnetisation():
    assert onsager(temperature=2.0).magnetisation == pytest.approx((1 - math.sinh(1.0) ** -4) ** 0.125, rel=1e-14)
    assert onsager(temperature=2.3).magnetisation == 0.0
    assert onsager(temperature=0.01).magnetisation == 1.0
    assert onsager(0.0).log_partition == math.log(2)


def test_square_lattice_has_four_neighbours():
    lattice = square_lattice(3, 5, coupling=0.5, temperature=2.0)
    assert (np.diff(lattice.couplings.indptr) == 4).all()
    assert lattice.couplings.sum() == pytest.approx(4 * 15 * 0.5)
    assert (
        lattice.couplings[0, 1] == lattice.couplings[0, 4] == lattice.couplings[0, 5] == lattice.couplings[0, 10] == 0.5
    )
    assert square_lattice(2, 3).couplings[0, 3] == 2.0  # two bonds around a circle of two
    assert lattice.temperature == 2.0


# -- linear networks -------------------------------------------------------------------------------------


def quadratic(model):
    """ln Z, <βH>, mean and covariance by dense algebra from nothing but the model's own energy and gradient."""
    d = model.dimension
    at_zero = model.gradient(np.zeros(d))
    precision = np.array([model.gradient(unit) - at_zero for unit in np.eye(d)])
    mean = -np.linalg.solve(precision, at_zero)
    least = model.energy(mean)
    log_partition = d / 2 * math.log(2 * math.pi) - least - np.linalg.slogdet(precision)[1] / 2
    return log_partition, least + d / 2, mean, np.linalg.inv(precision)


@st.composite
def linear_models(draw):
    free = draw(st.sampled_from([(), ("biases",), ("weights",), ("weights", "biases")]))
    depth = 1 if "weights" in free else draw(st.integers(1, 4))
    widths = draw(st.lists(st.integers(1, 4), min_size=depth + 1, max_size=depth + 1))
    samples, rng = draw(st.integers(1, 4)), np.random.default_rng(draw(SEEDS))
    net = Network.random(widths, "identity", 1.2, 0.5, rng=rng)
    targets = rng.normal(size=(samples, widths[-1])) if draw(st.booleans()) else None
    prior = Prior(draw(log_uniform(0.1, 10.0)), draw(log_uniform(0.1, 10.0))) if free else None
    beta, stiffness = draw(log_uniform(1e-2, 1e2)), draw(log_uniform(1e-2, 1e2))
    inputs = rng.normal(size=(samples, widths[0]))
    return DynamicNeurons(net, inputs, targets, beta, stiffness, free=("neurons", *free), prior=prior)


@given(linear_models())
@examples(1.0)
def test_linear_networks_are_gaussian(model):
    found = model.exact()
    log_partition, energy, mean, covariance = quadratic(model)
    assert found.log_partition == pytest.approx(log_partition, rel=1e-8, abs=1e-8)
    assert found.energy == pytest.approx(energy, rel=1e-8)
    assert found.heat_capacity == model.dimension / 2
    assert found.entropy == pytest.approx(found.log_partition + found.energy)
    assert found.mean == pytest.approx(mean, rel=1e-7, abs=1e-7)
    assert found.covariance == pytest.approx(covariance, rel=1e-7, abs=1e-7 * np.abs(covariance).max())
    stiff = np.abs(model.gradient(found.mean + np.abs(found.mean) + 1)).max()
    assert np.abs(model.gradient(found.mean)).max() < 1e-11 * stiff
    assert model.energy(found.mean) == pytest.approx(found.energy - model.dimension / 2, rel=1e-10, abs=1e-10)
    short = model.exact(covariance=False)
    assert short.covariance is None
    assert (short.log_partition, short.energy) == (found.log_partition, found.energy)


def test_one_and_two_neurons_by_quadrature():
    """Z and its moments by summing exp(-βH) over a grid: the trapezoidal rule is exact to rounding here."""
    x = np.linspace(-14, 18, 801)
    cell = x[1] - x[0]
    net = Network([[[2.0]], [[0.7]]], [[0.3], [-0.5]], "identity")
    one = DynamicNeurons(Network([[[2.0]]], [[0.3]], "identity"), [[1.0]], [[4.0]], beta=0.4, stiffness=0.6)
    two = DynamicNeurons(net, [[1.0]], [[4.0]], beta=0.4, stiffness=0.6)
    for model, states in ((one, x[:, None]), (two, np.stack(np.meshgrid(x, x), axis=-1).reshape(-1, 2))):
        energy, found = model.energy(states), model.exact()
        p = np.exp(-energy)
        total = p.sum()
        assert found.log_partition == pytest.approx(math.log(total) + model.dimension * math.log(cell), rel=1e-12)
        assert found.energy == pytest.approx(p @ energy / total, rel=1e-12)
        assert found.heat_capacity == pytest.approx(p @ (energy - found.energy) ** 2 / total, rel=1e-12)
        assert found.mean == pytest.approx(p @ states / total, rel=1e-12)
        gap = states - found.mean
        assert found.covariance == pytest.approx(gap.T @ (p[:, None] * gap) / total, rel=1e-11)


def test_stiffness_gives_the_network_back(rng):
    """Without targets the mean is the network's own trace at any stiffness; with them the gap falls as 1/stiffness."""
    net = Network.random([5, 6, 4, 3], "identity", rng=rng)
    x, y = rng.normal(size=(7, 5)), rng.normal(size=(7, 3))
    own = DynamicNeurons(net, x, stiffness=1e-3)
    assert own.exact().mean == pytest.approx(own.deterministic(), rel=1e-9, abs=1e-12)
    gaps = [np.abs(DynamicNeurons(net, x, y, stiffness=s).exact().mean - own.deterministic()).max() for s in (1e4, 1e6)]
    assert gaps[0] / gaps[1] == pytest.approx(100, rel=1e-2)


def test_free_parameters_without_targets_keep_their_prior(rng):
    net = Network.random([3, 4], "identity", rng=rng)
    model = DynamicNeurons(net, rng.normal(size=(9, 3)), free=("neurons", "weights", "biases"), prior=Prior(0.6, 2.0))
    found = model.exact()
    variance = model.unpack(np.diag(found.covariance))
    assert variance.weights[0] == pytest.approx(np.full((4, 3), 0.36 / 3), rel=1e-13)
    assert variance.biases[0] == pytest.approx(np.full(4, 4.0), rel=1e-13)
    assert np.abs(found.mean).max() == 0


def test_depth_and_samples_cost_no_memory(rng):
    """200 samples in 60 layers of 20: 240,000 variables; each sample has its own mean and adds to ln Z."""
    net = Network.repeated(rng.normal(size=(20, 20)) / 5, activation="identity", depth=60)
    x, y = rng.normal(size=(200, 20)), rng.normal(size=(200, 20))
    found = DynamicNeurons(net, x, y, 2.0, 3.0).exact(covariance=False)
    alone = [DynamicNeurons(net, x[i], y[i : i + 1], 2.0, 3.0).exact(covariance=False) for i in (0, 199)]
    model = DynamicNeurons(net, x, y, 2.0, 3.0)
    assert np.abs(model.gradient(found.mean)).max() < 1e-10
    for part, i in zip(alone, (0, 199), strict=True):
        mine = np.concatenate([layer[i] for layer in model.unpack(found.mean).neurons])
        assert part.mean == pytest.approx(mine, rel=1e-9, abs=1e-12)


def test_single_precision_networks_are_solved_in_double(rng):
    net = Network.random([3, 4, 2], "identity", rng=rng, dtype=np.float32)
    twin = Network([w.astype(float) for w in net.weights], [b.astype(float) for b in net.biases], "identity")
    x = rng.normal(size=(2, 3)).astype(np.float32)
    one, other = DynamicNeurons(net, x).exact(), DynamicNeurons(twin, x).exact()
    assert one.mean.dtype == np.float64
    assert (one.mean == other.mean).all()
    assert one.log_partition == other.log_partition


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
    with pytest.raises(ValueError, match=r"the widest layer has 19 spins \(at most 18\)"):
        BinaryNeurons([rng.normal(size=(19, 2))]).exact(correlations=False)
    with pytest.raises(ValueError, match=r"correlations of 30000 spins fill 7.2 GB.*correlations=False"):
        BinaryNeurons(nx.path_graph(30_000)).exact()
    with pytest.raises(ValueError, match=r"rounding of energies .* this is the ground state"):
        BinaryNeurons(symmetric(rng, 4), temperature=1e-15).exact()
    with pytest.raises(ValueError, match="rounding of energies"):
        BinaryNeurons(symmetric(rng, 4), temperature=1e-310).exact()


def test_what_is_not_gaussian_is_refused():
    x = [[1.0, 2.0]]
    with pytest.raises(ValueError, match="layer 1 has the activation tanh: only networks of identities"):
        DynamicNeurons(Network.random([2, 2, 1], ["identity", "tanh"], rng=0), x).exact()
    with pytest.raises(ValueError, match=r"weights are free in 2 layers: .* hold the weights fixed"):
        DynamicNeurons(Network.random([2, 2, 1], "identity", rng=0), x, free=("neurons", "weights")).exact()
    with pytest.raises(ValueError, match=r"covariance of 6000 variables fills 0.288 GB.*covariance=False"):
        DynamicNeurons(Network.random([2, 6000], "identity", rng=0), x).exact()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((1, 4), ValueError, "rows = 1 is outside the allowed range"),
        ((4, 2.0), TypeError, "columns = 2.0 is a float"),
        ((4, 4, math.nan), ValueError, "coupling = nan must be finite"),
        ((4, 4, 1.0, 0.0), ValueError, "temperature = 0.0 must be a finite number above 0"),
    ],
)
def test_bad_lattices(arguments, error, message):
    for function in (torus, square_lattice):
        with pytest.raises(error, match=message):
            function(*arguments)


def test_bad_tori():
    with pytest.raises(ValueError, match="coupling = -1 < 0 on a 4 × 5 torus is frustrated"):
        torus(4, 5, -1.0)
    with pytest.raises(ValueError, match="modes are too many"):
        torus(10**5, 10**5)
    for function in (lambda *a: torus(2, 2, *a), onsager):
        with pytest.raises(ValueError, match="leaves float64; this is the ground state"):
            function(1e300, 1e-300)
    with pytest.raises(ValueError, match="temperature = -1 must be"):
        onsager(1.0, -1)
    with pytest.raises(TypeError, match="coupling = '1' is a str"):
        onsager("1")
