"""Wide random layers evaluated by mpmath from their definitions: averages are integrated, without closed forms.

Arguments are as in `statnn.theory.activation.oracle`: a float stands for its exact value.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import mpmath

from statnn.theory.precision import Number, exact

Function = Callable[[mpmath.mpf], mpmath.mpf]

ACTIVATIONS: dict[str, tuple[Function, Function]] = {
    "tanh": (mpmath.tanh, lambda h: mpmath.sech(h) ** 2),
    "erf": (mpmath.erf, lambda h: 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-h * h)),
    "relu": (lambda h: max(h, mpmath.mpf(0)), lambda h: mpmath.mpf(h > 0)),
    "sigmoid": (lambda h: 1 / (1 + mpmath.exp(-h)), lambda h: 1 / (4 * mpmath.cosh(h / 2) ** 2)),
}
DIGITS = 25


def average(function: Function, q: mpmath.mpf) -> mpmath.mpf:
    """Return the average of a function of a Gaussian field of variance q, at the working precision."""
    deviation = mpmath.sqrt(q)
    end = mpmath.sqrt(2 * mpmath.log(10) * (mpmath.mp.dps + 5))
    ends = [k * end / 4 for k in range(-4, 5)]
    return mpmath.quad(lambda z: function(deviation * z) * mpmath.exp(-z * z / 2) / mpmath.sqrt(2 * mpmath.pi), ends)


def square(name: str, q: Number, *, digits: int = DIGITS) -> mpmath.mpf:
    """Return E φ²."""
    with mpmath.workdps(digits + 5):
        return average(lambda h: ACTIVATIONS[name][0](h) ** 2, exact(q))


def square_slope(name: str, q: Number, *, digits: int = DIGITS) -> mpmath.mpf:
    """Return E φ'²."""
    with mpmath.workdps(digits + 5):
        return average(lambda h: ACTIVATIONS[name][1](h) ** 2, exact(q))


def product(name: str, c: Number, q: Number, *, slopes: bool = False, digits: int = 15) -> mpmath.mpf:
    """Return E φ(x)φ(y), or E φ'(x)φ'(y), by the trapezoidal rule in both fields; for smooth activations."""
    with mpmath.workdps(digits + 10):
        function = ACTIVATIONS[name][slopes]
        deviation, correlation = mpmath.sqrt(exact(q)), exact(c)
        rest = mpmath.sqrt(1 - correlation**2)
        decimals = mpmath.log(10) * (digits + 3)
        step = min(mpmath.pi * mpmath.sqrt(2 / decimals), mpmath.pi**2 / deviation / (decimals + 4))
        most = int(mpmath.sqrt(2 * decimals) / step) + 1
        nodes = [k * step for k in range(-most, most + 1)]
        weights = [step * mpmath.exp(-z * z / 2) / mpmath.sqrt(2 * mpmath.pi) for z in nodes]
        total = mpmath.mpf(0)
        for weight, z in zip(weights, nodes, strict=True):
            inner = sum(
                other * function(deviation * (correlation * z + rest * w))
                for other, w in zip(weights, nodes, strict=True)
            )
            total += weight * function(deviation * z) * inner
        return total


def fixed_variance(name: str, weight: Number, bias: Number, near: Number, *, digits: int = DIGITS) -> mpmath.mpf:
    """Return q* = σ_w² E φ² + σ_b², given σ_w², σ_b² and a number near it."""
    with mpmath.workdps(digits + 10):
        function = ACTIVATIONS[name][0]

        def gap(q: mpmath.mpf) -> mpmath.mpf:
            return exact(weight) * average(lambda h: function(h) ** 2, q) + exact(bias) - q

        return mpmath.findroot(gap, (exact(near), exact(near) * mpmath.mpf("1.001")), tol=mpmath.mpf(10) ** (-digits))


@cache
def edge(name: str, q: Number, *, digits: int = DIGITS) -> tuple[mpmath.mpf, mpmath.mpf]:
    """Return (σ_w, σ_b) on the critical line for fields of variance q: σ_w² = 1/E φ'², σ_b² = q - E φ²/E φ'²."""
    with mpmath.workdps(digits + 5):
        slope = square_slope(name, q, digits=digits)
        return 1 / mpmath.sqrt(slope), mpmath.sqrt(exact(q) - square(name, q, digits=digits) / slope)
