"""Solvable interacting models evaluated by mpmath to as many digits as asked: the yardstick for fast arithmetic.

Couplings K = J/T and fields h/T are in units of the temperature; energies of lattices are in units of J. Arguments
are as in `statnn.theory.activation.oracle`: a float stands for exactly the number it is.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import mpmath
import sympy as sp

from statnn.theory import notation as symbols
from statnn.theory.interaction.autocorrelation import MEAN_VARIANCE, TAU, covariance_bias, k, n, rho
from statnn.theory.interaction.chain import EIGENVALUES
from statnn.theory.interaction.tempering import ACCEPTANCE, SWAP, SYMBOLS
from statnn.theory.interaction.torus import cosh_mode, kaufman
from statnn.theory.interaction.weights import NOISE
from statnn.theory.precision import Number, converged, exact

Row = Sequence[Number]


@cache
def _compiled(expression: sp.Expr, *variables: sp.Symbol) -> Callable[..., mpmath.mpf]:
    return sp.lambdify(variables, expression, modules="mpmath", cse=True)


# -- chains and rings ------------------------------------------------------------------------------------


def chain_log_partition(couplings: Row, *, digits: int = 50) -> mpmath.mpf:
    """Return ln Z of an open chain without field."""
    return converged(
        lambda *K: mpmath.log(2) + sum(mpmath.log(2 * mpmath.cosh(k)) for k in K), tuple(couplings), digits
    )


def chain_energy(couplings: Row, *, digits: int = 50) -> mpmath.mpf:
    """Return <E>/T of an open chain without field."""
    return converged(lambda *K: -sum(k * mpmath.tanh(k) for k in K), tuple(couplings), digits)


def chain_heat_capacity(couplings: Row, *, digits: int = 50) -> mpmath.mpf:
    """Return the heat capacity of an open chain without field."""
    return converged(lambda *K: sum((k / mpmath.cosh(k)) ** 2 for k in K), tuple(couplings), digits)


def ring_log_partition(couplings: Row, *, digits: int = 50) -> mpmath.mpf:
    """Return ln Z of a ring without field."""

    def log_z(*K: mpmath.mpf) -> mpmath.mpf:
        around = mpmath.fprod(mpmath.tanh(k) for k in K)
        return sum(mpmath.log(2 * mpmath.cosh(k)) for k in K) + mpmath.log1p(around)

    return converged(log_z, tuple(couplings), digits)


def field_ring_log_partition(K: Number, h: Number, size: int, *, digits: int = 50) -> mpmath.mpf:
    """Return ln Z of a ring of `size` spins with coupling K and field h."""
    values = [_compiled(value, symbols.K, symbols.h) for value in EIGENVALUES]
    return converged(lambda k, f: mpmath.log(sum(value(k, f) ** size for value in values)), (K, h), digits)


def ring_correlation(K: Number, size: int, distance: int, *, digits: int = 50) -> mpmath.mpf:
    """Return <s_0 s_r> on a ring of `size` spins."""

    def ruled(k: mpmath.mpf) -> mpmath.mpf:
        t = mpmath.tanh(k)
        return (t**distance + t ** (size - distance)) / (1 + t**size)

    return converged(ruled, (K,), digits)


# -- the square lattice ----------------------------------------------------------------------------------


def _kaufman(K: mpmath.mpf, columns: int, rows: int) -> mpmath.mpf:
    cosines = [mpmath.cos(mpmath.pi * mode / columns) for mode in range(columns + 1)]
    return mpmath.log(kaufman(mpmath.exp(K), columns, rows, cosines, lambda M, c: mpmath.cosh(M * mpmath.acosh(c))))


def torus_log_partition(K: Number, rows: int, columns: int, *, digits: int = 50) -> mpmath.mpf:
    """Return ln Z of the rows × columns torus for K > 0; a side of length 2 has two bonds between neighbours."""
    return converged(lambda k: _kaufman(k, columns, rows), (K,), digits)


def torus_energy(K: Number, rows: int, columns: int, *, digits: int = 50) -> mpmath.mpf:
    """Return <E>/J of the torus."""
    return converged(lambda k: -mpmath.diff(lambda at: _kaufman(at, columns, rows), k), (K,), digits)


def torus_heat_capacity(K: Number, rows: int, columns: int, *, digits: int = 50) -> mpmath.mpf:
    """Return the heat capacity of the torus."""
    return converged(lambda k: k**2 * mpmath.diff(lambda at: _kaufman(at, columns, rows), k, 2), (K,), digits)


def onsager_log_partition(K: Number, *, digits: int = 30) -> mpmath.mpf:
    """Return ln Z per spin of the infinite lattice: half the mean of the modes γ(θ)."""

    def log_z(k: mpmath.mpf) -> mpmath.mpf:
        grow = mpmath.exp(k)
        modes = mpmath.quad(
            lambda angle: mpmath.acosh(cosh_mode(grow, mpmath.cos(angle))),
            mpmath.linspace(0, mpmath.pi, 5),
        )
        return mpmath.log(2 * mpmath.sinh(2 * k)) / 2 + modes / (2 * mpmath.pi)

    return converged(log_z, (K,), digits)


def _onsager(K: mpmath.mpf) -> mpmath.mpf:
    modulus = 2 * mpmath.sinh(2 * K) / mpmath.cosh(2 * K) ** 2
    return -mpmath.coth(2 * K) * (1 + 2 / mpmath.pi * (2 * mpmath.tanh(2 * K) ** 2 - 1) * mpmath.ellipk(modulus**2))


def onsager_energy(K: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return <E>/J per spin of the infinite square lattice, K not critical."""
    return converged(_onsager, (K,), digits)


def onsager_heat_capacity(K: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return the heat capacity per spin of the infinite square lattice, K not critical."""
    return converged(lambda k: -(k**2) * mpmath.diff(_onsager, k), (K,), digits)


# -- Monte Carlo -----------------------------------------------------------------------------------------


def swap_acceptance(mean: Number, variance: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return E min(1, e^X) for a Gaussian X."""
    acceptance = _compiled(ACCEPTANCE, SYMBOLS["mean"], SYMBOLS["variance"])
    return converged(acceptance, (mean, variance), digits)


def gaussian_swap(gap: Number, spread: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return the acceptance of an exchange across a `gap` in 1/T of Gaussian energies of deviation `spread`."""
    return converged(_compiled(SWAP, SYMBOLS["gap"], SYMBOLS["spread"]), (gap, spread), digits)


def autoregressive_tau(decay: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return the integrated autocorrelation time of an autoregression whose correlations decay as decay^t."""
    return converged(_compiled(TAU, rho), (decay,), digits)


def autoregressive_variance(decay: Number, draws: int, *, digits: int = 50) -> mpmath.mpf:
    """Return the variance of the mean of `draws` draws of variance one."""
    variance = _compiled(MEAN_VARIANCE, rho, n)
    return converged(variance, (decay, draws), digits)


def autoregressive_covariance(decay: Number, draws: int, lag: int, *, digits: int = 50) -> mpmath.mpf:
    """Return the expectation of the autocovariance about the mean of the run, divided by `draws`."""
    covariance = _compiled(covariance_bias(k), rho, n, k)
    return converged(covariance, (decay, draws, lag), digits)


# -- Gaussian networks -----------------------------------------------------------------------------------


class Gaussian(NamedTuple):
    """A Gaussian law p ∝ exp(-βH): ln Z, mean, covariance and the least βH."""

    log_partition: mpmath.mpf
    mean: Any
    covariance: Any
    least: mpmath.mpf


def linear_neurons(
    weights: Sequence[Sequence[Row]],
    biases: Sequence[Row],
    inputs: Row,
    targets: Row | None,
    beta: Number,
    stiffness: Number,
    *,
    digits: int = 50,
) -> Gaussian:
    """Return the law of the neurons of a linear network over one sample, layer by layer in one vector."""
    with mpmath.workdps(2 * digits + 20):
        widths = [len(bias) for bias in biases]
        starts = [sum(widths[:m]) for m in range(len(widths))]
        wanted = [] if targets is None else [exact(y) for y in targets]
        size, ends = sum(widths), len(wanted)
        # βH = |B h - c|² with one row for every gap
        B, c = mpmath.matrix(size + ends, size), mpmath.matrix(size + ends, 1)
        stiff, pull = mpmath.sqrt(exact(stiffness)), mpmath.sqrt(exact(beta))
        for m, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            for i, row in enumerate(weight):
                at = starts[m] + i
                B[at, at], c[at] = stiff, stiff * exact(bias[i])
                for j, entry in enumerate(row):
                    if m:
                        B[at, starts[m - 1] + j] = -stiff * exact(entry)
                    else:
                        c[at] += stiff * exact(entry) * exact(inputs[j])
        for i, y in enumerate(wanted):
            B[size + i, starts[-1] + i], c[size + i] = pull, pull * y
        return _gaussian(B, c)


def linear_weights(
    inputs: Sequence[Row],
    targets: Row,
    beta: Number,
    stiffness: Number,
    sigma_w: Number,
    sigma_b: Number | None = None,
    *,
    digits: int = 50,
) -> Gaussian:
    """Return the law of the weights (and bias, last) of one linear unit, its neurons integrated out.

    `log_partition` and `least` leave out what does not depend on the weights: those of the neurons.
    """
    with mpmath.workdps(2 * digits + 20):
        variance = _compiled(NOISE, symbols.beta, symbols.lam)(exact(beta), exact(stiffness))
        rows = [[*map(exact, row), mpmath.mpf(1)][: len(row) + (sigma_b is not None)] for row in inputs]
        count, free = len(inputs[0]), len(rows[0])
        B, c = mpmath.matrix(len(rows) + free, free), mpmath.matrix(len(rows) + free, 1)
        for mu, row in enumerate(rows):
            c[mu] = exact(targets[mu]) / mpmath.sqrt(2 * variance)
            for j, entry in enumerate(row):
                B[mu, j] = entry / mpmath.sqrt(2 * variance)
        for j in range(free):
            scale = exact(sigma_w) / mpmath.sqrt(count) if j < count else exact(sigma_b)
            B[len(rows) + j, j] = 1 / (mpmath.sqrt(2) * scale)
        return _gaussian(B, c)


def _gaussian(B: Any, c: Any) -> Gaussian:
    """Return the law p ∝ exp(-|B h - c|²)."""
    covariance = (2 * B.T * B) ** -1
    mean = covariance * (2 * B.T * c)
    least = mpmath.norm(B * mean - c, 2) ** 2
    log_z = mpmath.log(2 * mpmath.pi) * B.cols / 2 + mpmath.log(mpmath.det(covariance)) / 2 - least
    return Gaussian(log_z, mean, covariance, least)
