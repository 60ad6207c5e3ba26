r"""The square-lattice Ising model, solved: on a finite torus (Kaufman 1949) and on the infinite lattice (Onsager 1944).

With K = J/T the partition function of the torus with N = rows · columns spins is a sum of four free-fermion products,

.. math:: Z = \tfrac12 (2 \cosh 2K)^N (Q_{½½} + Q_{½0} + Q_{0½} - Q_{00}), \qquad
          Q_{ab} = \prod_{p,q} [1 - κ (\cos θ_p + \cos φ_q)]^{1/2},

κ = sinh 2K / cosh² 2K, θ_p = 2π(p+a)/rows, φ_q = 2π(q+b)/columns. The mode θ = φ = 0 of Q_00 is a perfect square,
1 - 2κ = g², and enters with the sign of g = (1 - sinh 2K)/cosh 2K, which changes at the critical point. Each product
is kept as its logarithm and first two derivatives, relative to those of the first product, so that nothing overflows
and the large parts cancel before they are squared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from statnn._arguments import positive, whole
from statnn.interaction._binary import LARGEST_SUM
from statnn.interaction._exact.solve import Exact
from statnn.interaction._lattice import finite_coupling

MOST_MODES = 10**8
_LARGEST = 1e290
_SMALL = 1e-9
"""2K up to which the energy is -2K |J|: the next term is (2K)²/2.4 of it."""


def kaufman(rows: int, columns: int, coupling: float = 1.0, temperature: float = 1.0) -> Exact:
    """Return the exact averages of the Ising model on a rows × columns torus, in total, not per spin.

    [exact], Kaufman 1949. The model is `square_lattice`, with its 2 · rows · columns bonds.
    Without field every ⟨s_i⟩ is 0; correlations are not given.

    Parameters
    ----------
    rows, columns : int
        Lengths >= 2, rows · columns <= 10^8: the cost is one logarithm per spin.
    coupling : float
        J; where it is negative both lengths must be even.
    temperature : float
        T > 0.

    Raises
    ------
    TypeError, ValueError
        If a parameter is outside its range; if J < 0 and a length is odd: such a circle is frustrated and the four
        products cancel.

    See Also
    --------
    onsager : the infinite lattice.
    square_lattice : the model, to be sampled.

    Notes
    -----
    ln Z, energy and heat capacity have errors of a few 1e-16 N times their largest value over all temperatures:
    absolute, so that an exponentially small heat capacity at T < 0.3 J has lost its relative digits.

    References
    ----------
    Kaufman 1949.

    Examples
    --------
    >>> lattice = kaufman(64, 64, temperature=2.0)
    >>> round(lattice.energy / 64**2, 4), round(lattice.heat_capacity / 64**2, 4)
    (-1.7456, 0.7249)
    """
    heights, lengths = whole(rows, "rows", minimum=2), whole(columns, "columns", minimum=2)
    size = heights * lengths
    if size > MOST_MODES:
        raise ValueError(f"rows · columns = {size} modes are too many; at most {MOST_MODES} are summed")
    J, T = finite_coupling(coupling), positive(temperature, "temperature", why="it divides the energy")
    if J < 0 and (heights % 2 or lengths % 2):
        raise ValueError(
            f"coupling = {J:g} < 0 on a {heights} × {lengths} torus is frustrated around a circle of odd length: "
            "take even lengths, or square_lattice(...).exact() if it is small"
        )
    x = _strength(J, T, size)
    sech, tanh = _sech_tanh(x)
    products = [
        _product(heights, lengths, a, b, sech, tanh) for a, b in ((0.5, 0.5), (0.5, 0.0), (0.0, 0.5), (0.0, 0.0))
    ]
    base = products[0]
    # value, first and second derivative by x = 2K of Q_ab / Q_½½, those of Q_½½ held fixed
    terms = []
    for log, first, second in products:
        scale, slope = math.exp(log - base[0]), first - base[1]
        terms.append(scale * np.array([1.0, slope, second - base[2] + slope**2]))
    g, g1, g2 = sech - tanh, -sech * (tanh + sech), sech * (tanh**2 - sech**2) + 2 * sech**2 * tanh
    rest, rest1, rest2 = terms.pop()
    terms.append(-np.array([g * rest, g1 * rest + g * rest1, g2 * rest + 2 * g1 * rest1 + g * rest2]))
    value, slope, bend = (math.fsum(column) for column in zip(*terms, strict=True))
    log_cosh = x + math.log1p(math.exp(-2 * x))  # of 2 cosh x
    log_partition = size * log_cosh + base[0] + math.log(value / 2)
    first = size * tanh + base[1] + slope / value
    second = size * sech**2 + base[2] + bend / value - (slope / value) ** 2
    energy = -2 * abs(J) * first
    return Exact(
        method="torus",
        temperature=T,
        log_partition=log_partition,
        energy=energy,
        heat_capacity=x * (x * second),
        entropy=log_partition - x * first,
        magnetisation=np.zeros(size),
    )


def _product(rows: int, columns: int, a: float, b: float, sech: float, tanh: float) -> tuple[float, float, float]:
    """Return ln Q_ab and its first two derivatives by 2K; without the mode θ = φ = 0."""
    kappa = sech * tanh
    kappa1, kappa2 = sech * (1 - 2 * tanh**2), -sech * tanh * (5 - 6 * tanh**2)
    short, long, a, b = (rows, columns, a, b) if rows < columns else (columns, rows, b, a)
    theta, phi = np.pi * (np.arange(short) + a) / short, np.pi * (np.arange(long) + b) / long
    across = 2 * np.sin(phi) ** 2
    sums = []
    for along in 2 * np.sin(theta) ** 2:
        distance = along + across  # 2 - cos θ - cos φ
        if along == 0 and across[0] == 0:
            distance = distance[1:]
        mode = (sech - tanh) ** 2 + kappa * distance
        slope = (distance - 2) / mode
        sums.append((np.log(mode).sum(), kappa1 * slope.sum(), kappa2 * slope.sum() - kappa1**2 * (slope @ slope)))
    log, first, second = (math.fsum(column) / 2 for column in zip(*sums, strict=True))
    return log, first, second


@dataclass(frozen=True)
class SquareLattice:
    """Exact averages per spin of the infinite square-lattice Ising model; standing [exact].

    Parameters
    ----------
    log_partition : float
        lim ln Z / N.
    energy : float
        ⟨E⟩/N.
    heat_capacity : float
        Per spin; infinite at the critical point.
    magnetisation : float
        Spontaneous |⟨s⟩|; of one sublattice where J < 0.

    See Also
    --------
    onsager : makes it.
    kaufman : averages of a finite torus.
    """

    log_partition: float
    energy: float
    heat_capacity: float
    magnetisation: float


def onsager(coupling: float = 1.0, temperature: float = 1.0) -> SquareLattice:
    r"""Return the averages per spin of the infinite square lattice; standing [exact].

    With K = |J|/T, k' = 2 tanh² 2K - 1, k² = 1 - k'² and the complete elliptic integrals K₁(k), E₁(k),

    E/N = -|J| coth 2K [1 + (2/π) k' K₁],
    C/N = (4/π) (K coth 2K)² [K₁ - E₁ - (1 - tanh² 2K) (π/2 + k' K₁)],

    m = (1 - sinh⁻⁴ 2K)^{1/8} below T_c = 2|J| / ln(1 + √2).

    Errors are 1e-14 of the energy, of ln Z, and above T_c of the heat capacity. Below it, heat capacities as small as
    exp(-8K) have an absolute error of 4e-15 K² exp(-4K). Next to T_c, where the heat capacity is logarithmic in the
    distance to it, this distance has the rounding of 2K.

    Parameters
    ----------
    coupling : float
        J; its sign does not matter without field.
    temperature : float
        T > 0.

    Raises
    ------
    TypeError, ValueError
        If the coupling is not a finite number, or the temperature not a number above 0.

    See Also
    --------
    kaufman : a finite torus.
    square_lattice : the model, to be sampled.

    References
    ----------
    Onsager 1944; Yang 1952, on the magnetisation.

    Examples
    --------
    >>> round(onsager(temperature=2.0).energy, 12)
    -1.745564575313
    """
    J, T = finite_coupling(coupling), positive(temperature, "temperature", why="it divides the energy")
    x = _strength(J, T, 1)
    if x == 0:
        return SquareLattice(math.log(2), 0.0, 0.0, 0.0)
    sech, tanh = _sech_tanh(x)
    k_prime = (tanh - sech) * (tanh + sech)
    gap = float(special.elliprd(0, k_prime**2, 1)) / 3  # (K₁ - E₁)/k² without a difference
    share = _share(k_prime, 2 * tanh**2)
    from scipy import integrate

    modulus = (2 * sech * tanh) ** 2
    bends = [abs(k_prime) * 10.0**decade for decade in range(-1, 20 if k_prime else -1)]
    integral, _ = integrate.quad(
        lambda phi: math.log1p(math.sqrt(k_prime**2 + modulus * math.sin(phi) ** 2)),
        0,
        math.pi / 2,
        epsabs=1e-14,
        epsrel=1e-13,
        limit=200,
        points=[phi for phi in bends if phi < 1] or None,
    )
    return SquareLattice(
        log_partition=x + math.log1p(math.exp(-2 * x)) - math.log(2) / 2 + integral / math.pi,
        energy=-abs(J) * (share / tanh if x > _SMALL else x),
        heat_capacity=(x * sech / tanh) ** 2 / math.pi * (4 * tanh**2 * gap - math.pi / 2 * share),
        magnetisation=(1 - (sech / tanh) ** 4) ** 0.125 if tanh > sech else 0.0,
    )


def _share(k_prime: float, distance: float) -> float:
    """Return 1 + (2/π) k' K₁, given also `distance` = 1 + k'."""
    if k_prime == 0:
        return 1.0
    if k_prime > -0.5:
        return 1 + 2 / math.pi * k_prime * float(special.ellipkm1(k_prime**2))
    # Gauss: 2 K₁/π = 1 / AGM(1, |k'|); by distances from 1, which are small at high temperature
    arithmetic, geometric = 0.0, distance
    while True:
        root = math.sqrt((1 - arithmetic) * (1 - geometric))
        mean, geometric = (arithmetic + geometric) / 2, (arithmetic + geometric - arithmetic * geometric) / (1 + root)
        if mean == arithmetic or abs(mean - geometric) <= 1e-16 * mean:
            return (distance - mean) / (1 - mean)
        arithmetic = mean


def _strength(J: float, T: float, size: int) -> float:
    """Return 2K; raise if energies or free energies of `size` spins would exceed the range of float64."""
    x = 2 * (abs(J) / T)
    if x > _LARGEST:
        raise ValueError(
            f"coupling / temperature = {J:g} / {T:g} exceeds the range of float64; this is the ground state"
        )
    if size * (2 * abs(J) + T) > LARGEST_SUM:
        raise ValueError(
            f"{size} spins with coupling = {J:g} at temperature = {T:g}: energies exceed the range of float64; divide "
            "both by one number, which changes no probability"
        )
    return x


def _sech_tanh(x: float) -> tuple[float, float]:
    small = math.exp(-x)
    return 2 * small / (1 + small**2), -math.expm1(-2 * x) / (1 + small**2)
