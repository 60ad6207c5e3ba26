"""Repeated scalar layers evaluated by mpmath to any number of digits: the reference for fast arithmetic.

Arguments are as in `statnn.theory.activation.oracle`: a float stands for its exact value.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import mpmath
import sympy as sp

from statnn.theory.precision import Number, converged, exact
from statnn.theory.rg import functional
from statnn.theory.table import in_order


@cache
def _compiled(expression: sp.Expr, *variables: sp.Symbol) -> Callable[..., mpmath.mpf]:
    return sp.lambdify(variables, expression, modules="mpmath")


fixed_function = in_order("fixed-function.layers", "x m z u")
stationary_variance = in_order("leading-form.stationary-variance", "epsilon z u")
stationary_correction = in_order("leading-form.stationary-correction", "u r")
finite_depth = in_order("fixed-function.finite-depth", "A z u")


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


def iterated(layer: Callable[[mpmath.mpf], mpmath.mpf], x: Number, layers: int, *, digits: int = 50) -> mpmath.mpf:
    """Return a signal after `layers` layers, one after the other."""
    with mpmath.workdps(digits + 20):
        h = exact(x)
        for _ in range(layers):
            h = layer(h)
        return h
