"""Layers of one spin evaluated by mpmath: blocks of them, and their correlation lengths.

Arguments are as in `statnn.theory.activation.oracle`: a float stands for its exact value.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import mpmath

from statnn.theory.precision import Number, converged

Spin = tuple[Number, Number, Number]
"""Coupling, field of the output, field of the input."""
SIGNS = (1, -1)
COMBINATIONS = ((1, -1, -1, 1), (1, 1, -1, -1), (1, -1, 1, -1), (1, 1, 1, 1))
"""Signs with which ln T(s', s) enters four times the coupling, the fields of output and input, and the constant."""


def _weights(K: mpmath.mpf, fields: mpmath.mpf, inputs: mpmath.mpf) -> Any:
    return mpmath.matrix([[mpmath.exp(K * a * b + fields * a + inputs * b) for b in SIGNS] for a in SIGNS])


def _power(step: Any, m: int) -> Any:
    result, square, left = mpmath.eye(2), step, m
    while left:
        if left & 1:
            result = result * square
        square, left = square * square, left >> 1
    return result


def _read(T: Any, signs: tuple[int, ...]) -> mpmath.mpf:
    return sum(c * mpmath.log(value) for c, value in zip(signs, T, strict=True)) / 4


def binary_block(K: Number, fields: Number, inputs: Number, m: int, *, digits: int = 50) -> tuple[mpmath.mpf, ...]:
    """Return coupling, fields of output and input, and constant of m layers of one spin."""
    return tuple(
        converged(lambda k, f, g, signs=signs: _read(_power(_weights(k, f, g), m), signs), (K, fields, inputs), digits)
        for signs in COMBINATIONS
    )


def binary_pair(first: Spin, second: Spin, *, digits: int = 50) -> tuple[mpmath.mpf, ...]:
    """Return coupling, fields of output and input, and constant of two layers of one spin, the first acting first."""

    def value(signs: tuple[int, ...], *numbers: mpmath.mpf) -> mpmath.mpf:
        return _read(_weights(*numbers[3:]) * _weights(*numbers[:3]), signs)

    return tuple(converged(partial(value, signs), (*first, *second), digits) for signs in COMBINATIONS)


def binary_map(t: Number, v: Number, m: int, *, digits: int = 50) -> tuple[mpmath.mpf, ...]:
    """Return tanh K' and tanh h' of m layers of one spin from tanh K and tanh h, with half of h at either end."""

    def value(index: int, coupling: mpmath.mpf, field: mpmath.mpf) -> mpmath.mpf:
        h = mpmath.atanh(field) / 2
        T = _power(_weights(mpmath.atanh(coupling), h, h), m)
        return mpmath.tanh((1, 2)[index] * _read(T, COMBINATIONS[index]))

    return tuple(converged(partial(value, index), (t, v), digits) for index in (0, 1))


def binary_spectrum(K: Number, fields: Number, inputs: Number, *, digits: int = 30) -> tuple[mpmath.mpf, ...]:
    """Return ln λ_0, λ_1/λ_0 and the correlation length of layers of one spin, K not zero."""

    def value(index: int, k: mpmath.mpf, f: mpmath.mpf, g: mpmath.mpf) -> mpmath.mpf:
        middle = mpmath.exp(k) * mpmath.cosh(f + g)
        root = mpmath.sqrt(mpmath.exp(2 * k) * mpmath.sinh(f + g) ** 2 + mpmath.exp(-2 * k))
        ratio = (middle - root) / (middle + root)
        if index < 2:
            return (mpmath.log(middle + root), ratio)[index]
        return -1 / mpmath.log(abs(ratio)) if abs(ratio) not in (0, 1) else mpmath.inf

    return tuple(converged(partial(value, index), (K, fields, inputs), digits) for index in range(3))
