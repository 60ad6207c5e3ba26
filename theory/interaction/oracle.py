"""Solvable interacting models evaluated by mpmath to any number of digits: the reference for fast arithmetic.

Couplings K = J/T and fields h/T are in units of the temperature; energies of lattices are in units of J. Arguments
are as in `statnn.theory.activation.oracle`: a float stands for its exact value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import mpmath
import sympy as sp

from statnn.theory import notation as symbols
from statnn.theory.interaction.autocorrelation import covariance_bias, k, n, rho
from statnn.theory.interaction.tempering import ACCEPTANCE, SYMBOLS
from statnn.theory.interaction.weights import NOISE
from statnn.theory.precision import Number, converged, exact
from statnn.theory.table import in_order

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


field_ring_log_partition = in_order("ring.log-partition", "K h n")
ring_correlation = in_order("ring.correlation", "K n r")

# -- the square lattice ----------------------------------------------------------------------------------

torus_log_partition = in_order("kaufman.log-partition", "K R C")
torus_energy = in_order("kaufman.energy", "K R C")
torus_heat_capacity = in_order("kaufman.heat-capacity", "K R C")
onsager_log_partition = in_order("onsager.log-partition", "K")
onsager_energy = in_order("onsager.energy", "K")
onsager_heat_capacity = in_order("onsager.heat-capacity", "K")

# -- Monte Carlo -----------------------------------------------------------------------------------------


def swap_acceptance(mean: Number, variance: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return E min(1, e^X) for a Gaussian X."""
    acceptance = _compiled(ACCEPTANCE, SYMBOLS["mean"], SYMBOLS["variance"])
    return converged(acceptance, (mean, variance), digits)


gaussian_swap = in_order("tempering.acceptance", "Delta s")
autoregressive_tau = in_order("autoregression.tau", "rho")
autoregressive_variance = in_order("autoregression.variance", "rho n")


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
    """Return the law of the weights (and bias, last) of one linear unit, with its neurons integrated out.

    `log_partition` and `least` leave out terms of the neurons, which do not depend on the weights.
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
