r"""Decimation of one spin between two: the closed recursion of couplings and fields.

.. math:: \sum_s e^{s (K_2 s'' + K_1 s' + h)} = e^{A + K' s'' s' + a_2 s'' + a_1 s'}

for the four states of s' and s''. One function gives all three, K' = F(K_1, K_2; h), a_2 = F(K_2, h; K_1) and
a_1 = F(K_1, h; K_2), odd in its first two arguments,

.. math:: e^{4F(x, y; z)} = 1 + \frac{2 \sinh 2x \sinh 2y}{\cosh 2z + \cosh 2(x - y)}, \qquad x, y > 0 .

The logarithms of cosh by which it is usually written lose all digits of what is small beside what is large; here
relative errors are a few 1e-16 times 1 + |ln F|, for arguments up to 1e307.
"""

import numpy as np

from statnn._edge import Floats

MEAN_OF = [(a, b) for a in (1, -1) for b in (1, -1)]


def mediated(x: Floats, y: Floats, z: Floats) -> Floats:
    """Return F(x, y; z).

    Examples
    --------
    >>> K = np.array(0.7)
    >>> bool(np.isclose(np.tanh(mediated(K, K, np.array(0.0))), np.tanh(K) ** 2, rtol=1e-14))
    True
    """
    a, b = np.maximum(np.abs(x), np.abs(y)), np.minimum(np.abs(x), np.abs(y))
    gap = 2 * (a - b)
    with np.errstate(divide="ignore"):
        # both sides times exp(-gap), so that nothing cancels where a and b are large
        above = 4 * b + np.log(-np.expm1(-4 * a)) + np.log(-np.expm1(-4 * b)) - np.log(2)
        below = np.logaddexp(log_cosh(2 * z) - gap, log_cosh(gap) - gap)
        size = np.logaddexp(0.0, above - below) / 4
    found: Floats = np.where(b == 0, 0.0, np.sign(x) * np.sign(y) * size)
    return found


def constant(one: Floats, other: Floats, field: Floats) -> Floats:
    """Return A, the mean of ln 2cosh(±K_2 ± K_1 + h)."""
    found: Floats = np.log(2) + np.mean([log_cosh(a * other + b * one + field) for a, b in MEAN_OF], axis=0)
    return found


def log_cosh(x: Floats) -> Floats:
    """Return ln cosh x for any x, with relative precision also where it is small."""
    size = np.abs(x)
    small = size < 0.5
    near = np.log1p(2 * np.sinh(np.where(small, size, 0) / 2) ** 2)
    found: Floats = np.where(small, near, size + np.log1p(np.exp(-2 * size)) - np.log(2))
    return found
