"""Repeated scalar layers evaluated by mpmath to as many digits as asked: the yardstick for fast arithmetic.

Arguments are as in `statnn.theory.activation.oracle`: a float stands for exactly the number it is.
"""

from collections.abc import Callable
from functools import cache

import mpmath
import sympy as sp

from statnn.theory.precision import Number, converged, exact
from statnn.theory.rg import functional, noise_cutoff, repeated

VARIABLES = functional.x, functional.n, functional.u, functional.m


@cache
def _compiled(expression: sp.Expr, *variables: sp.Symbol) -> Callable[..., mpmath.mpf]:
    return sp.lambdify(variables, expression, modules="mpmath")


def fixed_function(x: Number, layers: Number, z: int, u: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return f*_m(x) for x > 0."""
    flow = _compiled(functional.FLOW, *VARIABLES)
    return converged(lambda at, c, m: flow(at, mpmath.mpf(z - 1), c, m), (x, u, layers), digits)


def eigenfunction(k: int, x: Number, z: int, u: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return g_k(x), which begins as x^k, for x > 0."""
    expression = functional.RESONANT if k == 2 * z - 1 else functional.eigenfunction()
    return _spectral(expression, k, x, z, u, digits)


def noise_eigenfunction(k: int, x: Number, z: int, u: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return D_k(x), which begins as x^k, for x > 0."""
    return _spectral(functional.noise_eigenfunction(), k, x, z, u, digits)


def _spectral(expression: sp.Expr, k: int, x: Number, z: int, u: Number, digits: int) -> mpmath.mpf:
    """Evaluate where n u = 1 and divide by the unit of x, so that the function begins as x^k."""
    function = _compiled(expression, functional.X, functional.n, functional.k)

    def value(at: mpmath.mpf, c: mpmath.mpf) -> mpmath.mpf:
        n = mpmath.mpf(z - 1)
        unit = n * c
        return function(unit * at**n, n, mpmath.mpf(k)) / unit ** (mpmath.mpf(k) / n)

    return converged(value, (x, u), digits)


def stationary_variance(noise: Number, z: int, u: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return the stationary <x²> as ε → 0, z odd."""
    variance = _compiled(noise_cutoff.VARIANCE, noise_cutoff.epsilon, functional.n, functional.u)
    return converged(lambda e, c: variance(e, mpmath.mpf(z - 1), c), (noise, u), digits)


def stationary_correction(u: Number, residue: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return c of <x²> = leading · (1 + c ε), z = 3."""
    second = _compiled(noise_cutoff.SECOND, functional.n, functional.u, noise_cutoff.r)
    leading = _compiled(noise_cutoff.VARIANCE, noise_cutoff.epsilon, functional.n, functional.u)
    two = mpmath.mpf(2)
    return converged(lambda c, r: second(two, c, r) / leading(mpmath.mpf(1), two, c), (u, residue), digits)


def finite_depth(distance: Number, z: int, u: Number, *, digits: int = 50) -> mpmath.mpf:
    """Return F(A, 0), A not 0."""
    law = _compiled(repeated.FINITE_DEPTH, repeated.DISTANCE, repeated.n, repeated.u)
    return converged(lambda a, c: law(a, mpmath.mpf(z - 1), c), (distance, u), digits)


def iterated(layer: Callable[[mpmath.mpf], mpmath.mpf], x: Number, layers: int, *, digits: int = 50) -> mpmath.mpf:
    """Return a signal after so many layers, one after the other."""
    with mpmath.workdps(digits + 20):
        h = exact(x)
        for _ in range(layers):
            h = layer(h)
        return h
