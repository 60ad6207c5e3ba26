"""Taylor coefficients of activations, and the depth coordinate of a layer with slope one.

Activations of the package are expanded by mpmath at 50 digits; a user's own function from its values at Chebyshev
nodes, twice, so that every coefficient has an error. The rest is arithmetic of truncated series on plain lists, lowest
power first, for any type of number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from statnn._arguments import Floats
from statnn.network import Activation

TERMS = 28
"""Powers kept: enough for 12 digits of the depth coordinate where |x| <= 0.1."""
DIGITS = 50


def numerical_series(sigma: Activation, field: float, radius: float) -> tuple[Floats, Floats]:
    """Return σ^(k)(h)/k! for k < 10 from values within `radius` of h, and their errors.

    Two interpolants of different degree share their rounding but not their truncation; both enter the error.
    """
    fits = [_interpolated(sigma, field, radius, degree) for degree in (20, 28)]
    errors = np.abs(fits[0][0] - fits[1][0]) + np.maximum(fits[0][1], fits[1][1])
    return fits[1][0], errors


def _interpolated(sigma: Activation, field: float, radius: float, degree: int) -> tuple[Floats, Floats]:
    from numpy.polynomial import chebyshev

    nodes = np.cos(np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1))
    values = np.asarray(sigma(field + radius * nodes), dtype=float)
    if values.shape != nodes.shape or not np.isfinite(values).all():
        raise ValueError(
            f"activation {sigma.name!r} does not return one finite number for each field within {radius:g} of {field:g}"
        )
    series = chebyshev.chebfit(nodes, values, degree)
    rounding = 4 * np.finfo(float).eps * max(1.0, float(np.abs(values).max()), abs(field))
    coefficients, errors = np.zeros(10), np.zeros(10)
    scale = 1.0
    for k in range(10):
        of_order = chebyshev.chebder(series, k) if k else series
        coefficients[k] = float(chebyshev.chebval(0.0, of_order)) / scale
        errors[k] = rounding * degree**k / scale
        scale *= (k + 1) * radius
    return coefficients, errors


# -- truncated series ------------------------------------------------------------------------------------


def product(a: Sequence[Any], b: Sequence[Any]) -> list[Any]:
    """Return the product of two series of equal length, cut to that length."""
    return [sum((a[j] * b[k - j] for j in range(k + 1)), start=0 * a[0]) for k in range(len(a))]


def reciprocal(a: Sequence[Any]) -> list[Any]:
    """Return 1/a for a series with a[0] not 0."""
    result = [1 / a[0]]
    for k in range(1, len(a)):
        result.append(-sum((a[j] * result[k - j] for j in range(1, k + 1)), start=0 * a[0]) / a[0])
    return result


def logarithm(f: Sequence[Any]) -> list[Any]:
    """Return the vector field v whose flow over one layer is f(y) = y + c_z y^z + ..., as a formal series.

    With the operator Δ h = h(f(y)) - h(y), which raises the lowest power, v = Σ_n (-1)^(n+1) Δ^n y / n: the logarithm
    of 1 + Δ, without division by small numbers.
    """
    unit = [1 + 0 * f[0], *[0 * f[0]] * (len(f) - 1)]
    powers = [unit]
    for _ in f[1:]:
        powers.append(product(powers[-1], f))
    term = [0 * f[0], *unit[:-1]]
    v = [0 * f[0] for _ in f]
    for n in range(1, len(f)):
        term = [
            sum((h * power[k] for h, power in zip(term, powers, strict=True)), start=-term[k]) for k in range(len(f))
        ]
        v = [total + change * (-1) ** (n + 1) / n for total, change in zip(v, term, strict=True)]
    return v


def depth_series(f: Sequence[Any], order: int) -> tuple[list[Any], list[Any], Any]:
    """Return v of `logarithm`, and the coefficients in A, A(f(y)) = A(y) + 1, of y^(j-z+1), j >= 0, and of ln|y|.

    A is the integral of 1/v; only the coefficient of the logarithm does not depend on the coordinate y and cannot be
    removed by a change of it.
    """
    v = logarithm(f)
    inverse = reciprocal(v[order:])
    residue = inverse[order - 1] if len(inverse) >= order else 0 * f[0]
    powers = [value / (j - order + 1) if j != order - 1 else 0 * f[0] for j, value in enumerate(inverse)]
    return v, powers, residue
