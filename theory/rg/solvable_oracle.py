"""Solvable repeated layers evaluated by mpmath: blocks of linear layers, of spins, their correlation lengths.

Arguments are as in `theory.activation.oracle`: a float stands for exactly the number it is.
"""

from typing import Any

import mpmath

from theory.precision import Number, converged, exact


def linear_block(w: Number, bias: Number, noise: Number, m: int, *, digits: int = 50) -> tuple[mpmath.mpf, ...]:
    """Return weight, bias and variance of m linear layers, w not ±1."""

    def part(index: int) -> mpmath.mpf:
        def value(v: mpmath.mpf, a: mpmath.mpf, s: mpmath.mpf) -> mpmath.mpf:
            return (v**m, a * (1 - v**m) / (1 - v), s * (1 - v ** (2 * m)) / (1 - v**2))[index]

        return converged(value, (w, bias, noise), digits)

    return part(0), part(1), part(2)


def _power(K: mpmath.mpf, fields: mpmath.mpf, inputs: mpmath.mpf, m: int) -> Any:
    signs = (1, -1)
    step = mpmath.matrix([[mpmath.exp(K * a * b + fields * a + inputs * b) for b in signs] for a in signs])
    result, square, left = mpmath.eye(2), step, m
    while left:
        if left & 1:
            result = result * square
        square, left = square * square, left >> 1
    return result


def binary_block(K: Number, fields: Number, inputs: Number, m: int, *, digits: int = 50) -> tuple[mpmath.mpf, ...]:
    """Return coupling, fields of output and input, and constant of m layers of one spin."""
    combinations = ((1, -1, -1, 1), (1, 1, -1, -1), (1, -1, 1, -1), (1, 1, 1, 1))

    def part(weights: tuple[int, ...]) -> mpmath.mpf:
        def value(k: mpmath.mpf, f: mpmath.mpf, g: mpmath.mpf) -> mpmath.mpf:
            T = _power(k, f, g, m)
            return sum(c * mpmath.log(T[i, j]) for c, (i, j) in zip(weights, ORDER, strict=True)) / 4

        return converged(value, (K, fields, inputs), digits)

    coupling, output, given, constant = map(part, combinations)
    return coupling, output, given, constant


ORDER = ((0, 0), (0, 1), (1, 0), (1, 1))
"""States (s', s) in the order of the combinations."""


def binary_correlation_length(K: Number, field: Number, *, digits: int = 30) -> mpmath.mpf:
    """Return the correlation length of layers of one spin in a field, K not zero."""

    def length(k: mpmath.mpf, h: mpmath.mpf) -> mpmath.mpf:
        middle = mpmath.exp(k) * mpmath.cosh(h)
        root = mpmath.sqrt(mpmath.exp(2 * k) * mpmath.sinh(h) ** 2 + mpmath.exp(-2 * k))
        return -1 / mpmath.log(abs((middle - root) / (middle + root)))

    return converged(length, (K, field), digits)


def weak_noise_amplitude(*, digits: int = 50) -> mpmath.mpf:
    """Return √6 Γ(3/4)/Γ(1/4): the stationary <h²>/ε of tanh layers at w = 1 as ε tends to zero."""
    with mpmath.workdps(digits + 10):
        return mpmath.sqrt(6) * mpmath.gamma(exact(3) / 4) / mpmath.gamma(exact(1) / 4)
