"""Derivations of interacting neurons hold; their oracle meets enumeration, and statnn meets the oracle."""

from importlib import import_module
from itertools import pairwise, product
from math import prod

import mpmath
import numpy as np
import pytest
import sympy as sp

from statnn import Network
from statnn.interaction import BinaryNeurons, DynamicNeurons, Prior, kaufman, onsager
from statnn.theory import activation, interaction, measure, registry, rg
from statnn.theory.derivation import instance
from statnn.theory.interaction import oracle
from statnn.theory.interaction.balance import absolute, accept
from statnn.theory.notation import gaussian, gaussian_mean, sigma, z
from validation.task import _derivation

# -- derivations -----------------------------------------------------------------------------------------


def test_the_registry_holds_every_room_once():
    rooms = (activation.DERIVATIONS, interaction.DERIVATIONS, rg.DERIVATIONS, measure.DERIVATIONS)
    assert len(registry.DERIVATIONS) == sum(map(len, rooms))
    assert all(registry.DERIVATIONS[name] is build for room in rooms for name, build in room.items())


def test_claims_find_them():
    assert _derivation("wolff")["steps"]


def test_an_instance_sees_differences_that_cancel():
    """Entries that are wrong by opposite amounts leave a residual."""
    a, b = sp.symbols("a b")
    i, left, right = sp.Symbol("i", integer=True), sp.IndexedBase("l"), sp.IndexedBase("r")
    entries = {left[1]: a + 1, left[2]: b - 1, right[1]: a, right[2]: b}
    step = instance("wrong twice", left[i], right[i], cases=[entries | {i: place} for place in (1, 2)])
    assert step.residual.has(*sp.symbols("probe:2"))
    with pytest.raises(AssertionError, match="wrong twice"):
        step.check()


def test_an_unknown_function_has_its_derivatives():
    x, w = sp.symbols("x w")
    assert sigma(w * x).diff(x, 2) == w**2 * sigma(w * x, 2)
    assert sigma(x).diff(x) != sigma(x)


def test_moments_of_a_gaussian():
    polynomial = 3 + z + 2 * z**2 - z**3 + z**4 + z**6
    assert gaussian_mean(polynomial, z) == sp.integrate(polynomial * gaussian(z, 1), (z, -sp.oo, sp.oo)) == 23


def test_a_wrong_gradient_leaves_a_residual():
    """λ in the place of 2λ in the pull of a neuron to its layer below."""
    h, f, lam = sp.symbols("h f lambda", real=True)
    H = sp.Function("H")
    energy = lam * (h - sigma(f)) ** 2
    for factor in (1, 2):
        pull = factor * lam * (h - sigma(f))
        step = instance("pull", sp.Derivative(H(h), h), pull, cases=[{H(h): energy}])
        assert (step.residual == 0) == (factor == 2)
    step.check()


def test_the_enumeration_sees_a_wrong_kaufman():
    """Cosines of modes at twice their angle give another partition function."""
    lattice = import_module("statnn.theory.interaction.torus")
    x = sp.Symbol("x", positive=True)
    for scale in (1, 2):
        cosines = [sp.cos(scale * sp.pi * mode / 3) for mode in range(4)]
        gap = sp.cancel(lattice.kaufman(x, 3, 2, cosines, sp.chebyshevt) - lattice.enumerated(3, 2))
        assert (gap == 0) is (scale == 1)


def test_acceptances_are_told_apart():
    """r min(1, r) is not balanced, and another spread of energies of the same mean gives another acceptance."""
    r = sp.Symbol("r", positive=True)
    assert sp.simplify((accept(r) - r * accept(1 / r)).replace(sp.Abs, absolute)) == 0
    assert sp.simplify((accept(r) - r * accept(r)).replace(sp.Abs, absolute)) != 0
    assert abs(oracle.swap_acceptance(-2.25, 4.5) - oracle.swap_acceptance(-2.25, 4.25)) > 1e-3


# -- the oracle against enumeration ----------------------------------------------------------------------


def close(value, target, digits=45):
    with mpmath.workdps(60):
        assert abs(value - target) <= mpmath.mpf(10) ** -digits * max(1, abs(target)), (value, target)


def enumerated(bonds, size, h=0):
    """Return ln Z, <E>/T, heat capacity and <s_0 s_r> of spins with bonds {(i, j): K}, to 60 digits."""
    with mpmath.workdps(60):
        states = list(product((-1, 1), repeat=size))
        energies = [
            -sum(mpmath.mpf(k) * s[i] * s[j] for (i, j), k in bonds.items()) - mpmath.mpf(h) * sum(s) for s in states
        ]
        weights = [mpmath.exp(-energy) for energy in energies]
        total = mpmath.fsum(weights)

        def mean(values):
            return mpmath.fsum(v * w for v, w in zip(values, weights, strict=True)) / total

        energy = mean(energies)
        return (
            mpmath.log(total),
            energy,
            mean([(e - energy) ** 2 for e in energies]),
            [mean([s[0] * s[r] for s in states]) for r in range(size)],
        )


COUPLINGS = [0.7, -0.3, 1.9, 0.25, -1.1]


def test_chains_and_rings_are_enumerated():
    open_bonds = dict(zip(pairwise(range(6)), COUPLINGS, strict=True))
    log_z, energy, capacity, pairs = enumerated(open_bonds, 6)
    close(oracle.chain_log_partition(COUPLINGS), log_z)
    close(oracle.chain_energy(COUPLINGS), energy)
    close(oracle.chain_heat_capacity(COUPLINGS), capacity)
    with mpmath.workdps(60):
        close(prod((mpmath.tanh(k) for k in COUPLINGS), start=mpmath.mpf(1)), pairs[-1])
    ring = {(i, (i + 1) % 5): k for i, k in enumerate(COUPLINGS)}
    close(oracle.ring_log_partition(COUPLINGS), enumerated(ring, 5)[0])
    uniform = {(i, (i + 1) % 7): 0.6 for i in range(7)}
    close(oracle.field_ring_log_partition(0.6, 0.35, 7), enumerated(uniform, 7, 0.35)[0])
    for distance, pair in enumerate(enumerated(uniform, 7)[3]):
        close(oracle.ring_correlation(0.6, 7, distance), pair)


def lattice(rows, columns, K):
    """Bonds of the torus; where a side is 2 they are doubled."""
    bonds = {}
    for r, c in product(range(rows), range(columns)):
        for other in ((r, (c + 1) % columns), ((r + 1) % rows, c)):
            pair = tuple(sorted((r * columns + c, other[0] * columns + other[1])))
            bonds[pair] = bonds.get(pair, 0) + K
    return bonds


@pytest.mark.parametrize(("rows", "columns"), [(2, 2), (2, 4), (3, 3), (2, 5)])
@pytest.mark.parametrize("K", [0.125, 0.4375, 1.5])
def test_the_torus_is_enumerated(rows, columns, K):
    log_z, energy, capacity, _ = enumerated(lattice(rows, columns, K), rows * columns)
    close(oracle.torus_log_partition(K, rows, columns), log_z)
    close(oracle.torus_log_partition(K, columns, rows), log_z)
    with mpmath.workdps(60):
        close(oracle.torus_energy(K, rows, columns) * K, energy)
    close(oracle.torus_heat_capacity(K, rows, columns), capacity)


@pytest.mark.parametrize("K", [0.3, 0.6])
def test_the_infinite_lattice_is_the_limit_of_the_torus(K):
    size, phases = 96, 1 if K < 0.44 else 2  # corrections fall off exponentially
    log_z = (oracle.torus_log_partition(K, size, size) - mpmath.log(phases)) / size**2
    close(oracle.onsager_log_partition(K), log_z, 12)
    close(oracle.onsager_energy(K), oracle.torus_energy(K, size, size) / size**2, 10)
    close(oracle.onsager_heat_capacity(K), oracle.torus_heat_capacity(K, size, size) / size**2, 8)
    with mpmath.workdps(40):
        slope = (oracle.onsager_log_partition(K + 2**-20) - oracle.onsager_log_partition(K - 2**-20)) * 2**19
    close(oracle.onsager_energy(K), -slope, 9)


def test_swap_acceptance_by_quadrature():
    for mean, variance in ((-0.5, 1.0), (0.25, 3.0), (-4.0, 0.5)):
        with mpmath.workdps(30):
            deviation = mpmath.sqrt(variance)
            integral = mpmath.quad(
                lambda x, m=mean, d=deviation: mpmath.npdf(x, m, d) * min(1, mpmath.exp(x)),
                [mean - 40 * deviation, min(mean, 0), max(mean, 0), mean + 40 * deviation],
            )
        close(oracle.swap_acceptance(mean, variance), integral, 20)
    close(oracle.gaussian_swap(0.5, 3.0), oracle.swap_acceptance(-2.25, 4.5))


@pytest.mark.parametrize("rho", [0.5, 0.96875, -0.75])
def test_the_autoregression_is_summed(rho):
    for draws in (1, 2, 7, 40):
        with mpmath.workdps(60):
            time = range(draws)
            with_mean = [mpmath.fsum(mpmath.mpf(rho) ** abs(s - t) for s in time) / draws for t in time]
            variance = mpmath.fsum(with_mean) / draws
            close(oracle.autoregressive_variance(rho, draws), variance)
            for lag in range(0, draws, 3):
                terms = [
                    mpmath.mpf(rho) ** lag - with_mean[t] - with_mean[t + lag] + variance for t in range(draws - lag)
                ]
                close(oracle.autoregressive_covariance(rho, draws, lag), mpmath.fsum(terms) / draws)
    with mpmath.workdps(60):
        close(oracle.autoregressive_tau(rho), (1 + mpmath.mpf(rho)) / (1 - mpmath.mpf(rho)))
    assert abs(oracle.autoregressive_variance(rho, 10**9) * 10**9 / oracle.autoregressive_tau(rho) - 1) < 1e-6


def test_gaussian_laws_by_quadrature():
    """One neuron and one weight, integrated numerically from the Hamiltonian itself."""
    x, y, beta, stiffness, sigma_w, w = 0.75, -0.5, 1.5, 2.0, 0.875, 1.25
    law = oracle.linear_neurons([[[w]]], [[0.25]], [x], [y], beta, stiffness)
    with mpmath.workdps(30):
        ends = [-12, 0, 12]

        def weight(h):
            return mpmath.exp(-beta * (y - h) ** 2 - stiffness * (h - w * x - 0.25) ** 2)

        total = mpmath.quad(weight, ends)
        close(law.log_partition, mpmath.log(total), 20)
        close(law.mean[0], mpmath.quad(lambda h: h * weight(h), ends) / total, 20)
        square = mpmath.quad(lambda h: (h - law.mean[0]) ** 2 * weight(h), ends) / total
        close(law.covariance[0, 0], square, 20)

    h, v = np.linspace(-8, 8, 801), np.linspace(-8, 8, 801)[:, np.newaxis]  # the trapezoid is exact to rounding
    both = np.exp(-beta * (y - h) ** 2 - stiffness * (h - v * x) ** 2 - v**2 / (2 * sigma_w**2))
    of_weight = oracle.linear_weights([[x]], [y], beta, stiffness, sigma_w)
    assert (v * both).sum() / both.sum() == pytest.approx(float(of_weight.mean[0]), rel=1e-12)
    assert (v**2 * both).sum() / both.sum() == pytest.approx(
        float(of_weight.covariance[0, 0] + of_weight.mean[0] ** 2), rel=1e-12
    )


# -- statnn against the oracle ---------------------------------------------------------------------------


@pytest.mark.parametrize("K", [0.05, 0.3, 0.4406868, 0.8])
@pytest.mark.parametrize(("rows", "columns"), [(2, 3), (5, 4), (32, 17)])
def test_the_torus_of_statnn(rows, columns, K):
    torus, size = kaufman(rows, columns, temperature=1 / K), rows * columns
    K = 1 / (1 / K)  # what float64 makes of it
    assert torus.log_partition == pytest.approx(float(oracle.torus_log_partition(K, rows, columns)), rel=1e-13)
    assert torus.energy == pytest.approx(float(oracle.torus_energy(K, rows, columns)), rel=1e-12)
    exact = float(oracle.torus_heat_capacity(K, rows, columns))
    assert torus.heat_capacity == pytest.approx(exact, rel=1e-11, abs=1e-13 * size)


@pytest.mark.parametrize("K", [0.01, 0.3, 0.44, 0.4406868, 0.44068735, 0.4413, 0.6, 2.0])
def test_the_infinite_lattice_of_statnn(K):
    infinite = onsager(temperature=1 / K)
    K = 1 / (1 / K)
    assert infinite.log_partition == pytest.approx(float(oracle.onsager_log_partition(K, digits=20)), abs=1e-13)
    assert infinite.energy == pytest.approx(float(oracle.onsager_energy(K)), abs=1e-13)
    distance = abs(K - np.log1p(np.sqrt(2)) / 2)  # from K_c, where it diverges like a logarithm
    assert infinite.heat_capacity == pytest.approx(float(oracle.onsager_heat_capacity(K)), abs=1e-13 + 1e-16 / distance)


def test_chains_of_statnn():
    """Thirty layers of one spin: beyond enumeration."""
    couplings = [0.3 * (-1) ** k + 0.05 * k for k in range(29)]
    chain = BinaryNeurons([[[k]] for k in couplings]).exact()
    assert chain.log_partition == pytest.approx(float(oracle.chain_log_partition(couplings)), rel=1e-14)
    assert chain.energy == pytest.approx(float(oracle.chain_energy(couplings)), rel=1e-13)
    assert chain.heat_capacity == pytest.approx(float(oracle.chain_heat_capacity(couplings)), rel=1e-13)
    assert chain.correlation[0, -1] == pytest.approx(prod(np.tanh(couplings)), rel=1e-10)


def test_gaussian_neurons_of_statnn(rng):
    net = Network.random([2, 3, 2, 2], activation="identity", sigma_w=1.2, sigma_b=0.3, rng=rng)
    x, y = rng.normal(size=2), rng.normal(size=2)
    for targets in (y, None):
        law = DynamicNeurons(net, inputs=x, targets=targets, beta=0.7, stiffness=5.0).exact()
        weights, biases = ([array.tolist() for array in arrays] for arrays in (net.weights, net.biases))
        exact = oracle.linear_neurons(weights, biases, list(x), None if targets is None else list(y), 0.7, 5.0)
        assert law.log_partition == pytest.approx(float(exact.log_partition), rel=1e-12)
        assert law.energy == pytest.approx(float(exact.least) + 3.5, rel=1e-12)
        np.testing.assert_allclose(law.mean, [float(entry) for entry in exact.mean], rtol=1e-11)
        covariance = [[float(exact.covariance[i, j]) for j in range(7)] for i in range(7)]
        np.testing.assert_allclose(law.covariance, covariance, rtol=1e-10, atol=1e-14)


def test_gaussian_weights_of_statnn(rng):
    x, y = rng.normal(size=(5, 3)), rng.normal(size=(5, 1))
    net = Network([np.zeros((1, 3))], [np.zeros(1)], "identity")
    model = DynamicNeurons(net, x, y, 2.0, 3.0, free=("neurons", "weights", "biases"), prior=Prior(0.8, 0.5))
    law, index = model.exact(), model.unpack(np.arange(model.dimension))
    place = np.concatenate([index.weights[0].ravel(), index.biases[0]]).astype(int)
    exact = oracle.linear_weights(x.tolist(), y[:, 0].tolist(), 2.0, 3.0, 0.8, 0.5)
    np.testing.assert_allclose(law.mean[place], [float(entry) for entry in exact.mean], rtol=1e-11)
    covariance = [[float(exact.covariance[i, j]) for j in range(4)] for i in range(4)]
    np.testing.assert_allclose(law.covariance[np.ix_(place, place)], covariance, rtol=1e-10)
