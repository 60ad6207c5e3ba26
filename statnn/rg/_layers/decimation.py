r"""Decimation of one spin between two: the closed recursion of couplings and fields.

.. math:: \sum_s e^{s (K_2 s'' + K_1 s' + h)} = e^{A + K' s'' s' + a_2 s'' + a_1 s'}

for the four states of s' and s''. A single function F gives all three, K' = F(K_1, K_2; h), a_2 = F(K_2, h; K_1) and
a_1 = F(K_1, h; K_2), odd in its first two arguments and even in the third,

.. math:: e^{4F(x, y; z)} = 1 + \frac{2 \sinh 2x \sinh 2y}{\cosh 2z + \cosh 2(x - y)}
          = 1 + e^{2m}\, \frac{(1 - e^{-4x})(1 - e^{-4y})}{(1 + e^{-2|z + x - y|})(1 + e^{-2|z - x + y|})}

for x, y, z > 0, with m = min(2x, 2y, x + y - z): no exponential overflows, and the only subtractions are of the
arguments themselves, without rounding. Relative errors of F are a few 1e-16 times max(1, -m), at most times 1 + |ln F|,
for arguments of any size.
"""

from __future__ import annotations

from itertools import product
from typing import TypeAlias

import numpy as np

from statnn._arguments import Floats

Sum: TypeAlias = tuple[Floats, ...]
"""A number as an unevaluated sum: a field is the output field of the layer below plus the input field of that above."""


def mediated(x: Sum, y: Sum, z: Sum) -> Floats:
    """Return F(x, y; z).

    Examples
    --------
    >>> K, none = (np.array(0.7),), (np.array(0.0),)
    >>> bool(np.isclose(np.tanh(mediated(K, K, none)), np.tanh(0.7) ** 2, rtol=1e-15))
    True
    """
    (up, a), (down, b), (_, c) = (_sign_and_quarters(terms) for terms in (x, y, z))  # no sum of quarters overflows
    size = [total(*terms) for terms in (a, b)]
    gaps = total(*c, *a, *_negative(b)), total(*c, *_negative(a), *b)
    m = np.minimum(2 * np.minimum(*size), total(*a, *b, *_negative(c)))
    with np.errstate(over="ignore", under="ignore"):
        weight = np.expm1(-16 * size[0]) * np.expm1(-16 * size[1])
        for gap in gaps:
            weight = weight / (1 + np.exp(-8 * np.abs(gap)))
        small = np.log1p(np.exp(8 * np.minimum(m, 1.0)) * weight) / 4
        large = 2 * m + np.log(weight + np.exp(-8 * np.maximum(m, 0.125))) / 4
    coupling: Floats = up * down * np.where(m < 0.125, small, large)
    return coupling


def constant(x: Sum, y: Sum, field: Sum) -> Floats:
    """Return A, the mean of ln 2cosh(±K_2 ± K_1 + h); infinite if it overflows."""
    parts = [_quarters(part) for part in (x, y, field)]
    mean: Floats = np.zeros(np.shape(x[0]))
    with np.errstate(over="ignore", under="ignore"):
        for a, b in product((1, -1), repeat=2):
            size = np.abs(total(*(a * t for t in parts[0]), *(b * t for t in parts[1]), *parts[2]))
            mean = mean + size + np.log1p(np.exp(-8 * size)) / 4
    return mean


def total(*terms: Floats) -> Floats:
    """Return the sum, rounded about once: the rounding of each addition is added at the end (Neumaier, Kahan).

    Examples
    --------
    >>> float(total(np.array(1e16), np.array(0.35), np.array(-1e16)))
    0.35
    """
    result: Floats = terms[0]
    rest: Floats = np.zeros_like(result)
    for term in terms[1:]:
        rounded = result + term
        own = rounded - result
        rest = rest + ((result - (rounded - own)) + (term - own))
        result = rounded
    return result + rest


def _quarters(terms: Sum) -> Sum:
    return tuple(term / 4 for term in terms)


def _negative(terms: Sum) -> Sum:
    return tuple(-term for term in terms)


def _sign_and_quarters(terms: Sum) -> tuple[Floats, Sum]:
    quarters = _quarters(terms)
    sign = np.sign(total(*quarters))
    return sign, tuple(sign * term for term in quarters)


def closed(lower: Floats, upper: Floats) -> bool:
    """Whether every spin between the layers is coupled to at most one below and at most one above."""
    return bool(((lower != 0).sum(axis=1) <= 1).all() and ((upper != 0).sum(axis=0) <= 1).all())


def decimated(
    lower: Floats, upper: Floats, middle: Sum, fields: Floats, inputs: Floats
) -> tuple[Floats, Floats, Floats, float]:
    """Sum over the spins between two layers: each leaves a coupling and two fields for the spins that it joins.

    `lower` and `upper` are the couplings of the two layers, `middle` the fields of the spins between, `fields` those of
    the spins above and `inputs` those of the spins below.
    """
    between = np.arange(lower.shape[0])
    down, up = (np.argmax(J != 0, axis=axis) for J, axis in ((lower, 1), (upper, 0)))
    K1, K2 = (lower[between, down],), (upper[up, between],)
    couplings, fields, inputs = np.zeros((upper.shape[0], lower.shape[1])), fields.copy(), inputs.copy()
    with np.errstate(over="ignore"):
        np.add.at(couplings, (up, down), mediated(K1, K2, middle))
        np.add.at(fields, up, mediated(K2, middle, K1))
        np.add.at(inputs, down, mediated(K1, middle, K2))
        aside = float(constant(K1, K2, middle).sum())
    return couplings, fields, inputs, aside
