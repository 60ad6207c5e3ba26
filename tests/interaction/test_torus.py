"""The square lattice, solved: the torus against sums over states, the lattice without end against its integral."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from statnn.interaction import kaufman, onsager, square_lattice
from statnn.testing.strategies import log_uniform

NUMBERS = ("log_partition", "energy", "heat_capacity", "entropy")
CRITICAL = 2 / math.log(1 + math.sqrt(2))


@pytest.mark.parametrize("shape", [(4, 4), (3, 4), (4, 3), (2, 2), (2, 5), (3, 3), (5, 4)])
@pytest.mark.parametrize("temperature", [0.5, CRITICAL, 2.3, 10.0])
def test_torus_is_the_sum_over_states(shape, temperature):
    solved, summed = kaufman(*shape, temperature=temperature), square_lattice(*shape, temperature=temperature).exact()
    for name in NUMBERS:
        assert getattr(solved, name) == pytest.approx(getattr(summed, name), rel=1e-12, abs=1e-12), name


@pytest.mark.parametrize(("shape", "coupling"), [((4, 8), 1.3), ((4, 6), -0.8), ((3, 9), 0.5)])
def test_torus_by_transfer_matrices(shape, coupling):
    for T in (0.9, 2.5):
        solved, summed = kaufman(*shape, coupling, T), square_lattice(*shape, coupling, T).exact()
        assert summed.method == "transfer"
        for name in NUMBERS:
            assert getattr(solved, name) == pytest.approx(getattr(summed, name), rel=1e-12, abs=1e-12), name


def test_torus_at_the_ends_of_temperature():
    cold, hot = kaufman(50, 60, temperature=1e-3), kaufman(50, 60, temperature=1e6)
    assert (cold.energy, cold.heat_capacity) == (-6000.0, pytest.approx(0, abs=1e-12))
    assert cold.log_partition == pytest.approx(6000 / 1e-3 + math.log(2), rel=1e-15)
    assert hot.log_partition == pytest.approx(3000 * math.log(2), rel=1e-9)
    assert hot.heat_capacity == pytest.approx(6000 / 1e12, rel=1e-3)
    still = kaufman(7, 5, coupling=0.0)
    assert (still.energy, still.heat_capacity, still.entropy) == (0, 0, pytest.approx(35 * math.log(2)))


@given(st.integers(2, 30), st.integers(2, 30), log_uniform(0.3, 20.0))
@examples(0.5)
def test_torus_derivatives(rows, columns, temperature):
    step, torus = 1e-3, kaufman(rows, columns, temperature=temperature)
    near = {k: kaufman(rows, columns, temperature=1 / ((1 + k * step) / temperature)) for k in (-2, -1, 1, 2)}

    def slope(name):
        value = {k: getattr(point, name) for k, point in near.items()}
        return (8 * (value[1] - value[-1]) - (value[2] - value[-2])) / (12 * step / temperature)

    size = rows * columns
    assert slope("log_partition") == pytest.approx(-torus.energy, abs=1e-7 * size)
    assert slope("energy") == pytest.approx(-torus.heat_capacity * temperature**2, abs=1e-6 * size**1.5 * temperature)
    assert kaufman(columns, rows, temperature=temperature).energy == pytest.approx(torus.energy, rel=1e-11)


@pytest.mark.parametrize("temperature", [1.0, 2.0, 2.6, 5.0])
def test_large_torus_is_onsagers_lattice(temperature):
    """Off the critical point finite size is exponentially small; ln Z below it counts two phases."""
    size, wanted = 160**2, onsager(temperature=temperature)
    torus = kaufman(160, 160, temperature=temperature)
    phases = math.log(2) if temperature < CRITICAL else 0.0
    assert (torus.log_partition - phases) / size == pytest.approx(wanted.log_partition, rel=1e-12)
    assert torus.energy / size == pytest.approx(wanted.energy, rel=1e-11)
    assert torus.heat_capacity / size == pytest.approx(wanted.heat_capacity, rel=1e-9)


def test_critical_lattice():
    """E/N = -√2 J, ln Z/N = ln 2/2 + 2G/π; on the torus C/N = (2/π) ln²(1+√2) ln L + 0.138149 + O(1/L).

    The constant is that of A. E. Ferdinand and M. E. Fisher, Phys. Rev. 185, 832 (1969).
    """
    point = onsager(temperature=CRITICAL)
    assert point.energy == pytest.approx(-math.sqrt(2), rel=1e-14)
    assert point.log_partition == pytest.approx(math.log(2) / 2 + 2 * float(mpmath.catalan) / math.pi, rel=1e-13)
    assert point.heat_capacity > 14  # the logarithm of the distance to the critical point, or infinity
    assert point.magnetisation < 0.02
    small, large = (kaufman(L, L, temperature=CRITICAL) for L in (64, 128))
    amplitude = 2 / math.pi * math.log(1 + math.sqrt(2)) ** 2
    rest = [torus.heat_capacity / L**2 - amplitude * math.log(L) for L, torus in ((64, small), (128, large))]
    assert 2 * rest[1] - rest[0] == pytest.approx(0.138149, abs=5e-6)
    assert (small.energy / 64**2 + math.sqrt(2)) / (large.energy / 128**2 + math.sqrt(2)) == pytest.approx(2, rel=1e-3)


@pytest.mark.parametrize("temperature", [0.7, 2.2, CRITICAL * (1 + 1e-9), 2.5, 300.0])
def test_onsager_is_the_integral(temperature):
    """The elliptic integrals come from the double integral, whose K-derivatives are the energy and heat capacity."""
    lattice = onsager(-1.0, temperature)
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
        assert lattice.log_partition == pytest.approx(float(log_partition(K)), rel=1e-13)
        assert lattice.energy == pytest.approx(-float(first), rel=1e-13)
        assert lattice.heat_capacity == pytest.approx(float(K**2 * second), rel=1e-7)


def test_cold_lattice():
    """Ln Z/N = 2K + e^(-8K) + 2 e^(-12K) + O(e^(-16K)): single spins turned, then pairs."""
    for K in (2.5, 3.5, 4.5):
        wanted = K**2 * (64 * math.exp(-8 * K) + 288 * math.exp(-12 * K))
        assert onsager(temperature=1 / K).heat_capacity == pytest.approx(wanted, rel=40 * math.exp(-8 * K) + 1e-7)
    for temperature in (0.02, 1e-3, 1e-280):
        assert onsager(temperature=temperature).energy == -2.0
        assert onsager(temperature=temperature).heat_capacity == pytest.approx(0, abs=1e-15)
        assert kaufman(3, 4, temperature=temperature).energy == -24.0
        assert kaufman(3, 4, temperature=temperature).heat_capacity == pytest.approx(0, abs=1e-15)


def test_hot_lattice_and_magnetisation():
    assert onsager(temperature=2.0).magnetisation == pytest.approx((1 - math.sinh(1.0) ** -4) ** 0.125, rel=1e-14)
    assert onsager(temperature=2.3).magnetisation == 0.0
    assert onsager(temperature=0.01).magnetisation == 1.0
    for K in (1e-3, 1e-8, 1e-150):
        hot = onsager(temperature=1 / K)
        v = math.tanh(K)
        assert hot.energy == pytest.approx(-2 * v - (1 - v**2) * (4 * v**3 + 12 * v**5), rel=1e-14, abs=0)
        assert hot.heat_capacity == pytest.approx(2 * K**2, rel=1e-14 + 10 * K**2, abs=0)
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


# -- bad input -------------------------------------------------------------------------------------------


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
    for function in (kaufman, square_lattice):
        with pytest.raises(error, match=message):
            function(*arguments)


def test_bad_tori():
    with pytest.raises(ValueError, match="coupling = -1 < 0 on a 4 × 5 torus is frustrated"):
        kaufman(4, 5, -1.0)
    with pytest.raises(ValueError, match="modes are too many"):
        kaufman(10**5, 10**5)
    for function in (lambda *a: kaufman(2, 2, *a), onsager):
        with pytest.raises(ValueError, match="exceeds the range of float64; this is the ground state"):
            function(1e300, 1e-300)
    with pytest.raises(ValueError, match="temperature = -1 must be"):
        onsager(1.0, -1)
    with pytest.raises(TypeError, match="coupling = '1' is a str"):
        onsager("1")
