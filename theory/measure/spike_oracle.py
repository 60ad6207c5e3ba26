"""Spike statistics by summation over laws, to any number of digits: the reference for the closed forms.

Nothing here uses a formula for a variance: means are sums over the weights of counts or intervals. Arguments are as in
`statnn.theory.activation.oracle`: a float stands for its exact value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from itertools import product
from math import comb

import mpmath

from statnn.theory.precision import Number, converged, exact

Law = Iterable[tuple[int, mpmath.mpf]]


def _fano(law: Law) -> mpmath.mpf:
    weights = list(law)
    mean = mpmath.fsum(n * weight for n, weight in weights)
    return mpmath.fsum((n - mean) ** 2 * weight for n, weight in weights) / mean


def _binomial(T: int, rate: mpmath.mpf) -> list[tuple[int, mpmath.mpf]]:
    return [(n, mpmath.binomial(T, n) * rate**n * (1 - rate) ** (T - n)) for n in range(T + 1)]


def independent(rate: Number, window: int, *, digits: int = 50) -> mpmath.mpf:
    """Return the Fano factor of binomial counts."""
    return converged(lambda r: _fano(_binomial(window, r)), (rate,), digits)


def shuffled(spikes: int, window: int, samples: int, *, digits: int = 50) -> mpmath.mpf:
    """Return the Fano factor of hypergeometric counts, from whole numbers."""
    ways = [
        (n, comb(spikes, n) * comb(samples - spikes, window - n))
        for n in range(max(0, window - samples + spikes), min(window, spikes) + 1)
    ]
    total = comb(samples, window)
    mean = Fraction(sum(n * way for n, way in ways), total)
    fano = Fraction(sum(n * n * way for n, way in ways), total) / mean - mean
    with mpmath.workdps(digits):
        return exact(fano)


def blocked(rates: Sequence[Number], window: int, *, digits: int = 50) -> mpmath.mpf:
    """Return the Fano factor of a mixture of binomial counts with equal weights."""

    def mixture(*ps: mpmath.mpf) -> mpmath.mpf:
        return _fano((n, weight / len(ps)) for p in ps for n, weight in _binomial(window, p))

    return converged(mixture, tuple(rates), digits)


def interval_cv(rate: Number, *, digits: int = 30) -> mpmath.mpf:
    """Return the coefficient of variation of geometric intervals, by summing until the tail is gone."""

    def relative(r: mpmath.mpf) -> mpmath.mpf:
        last = int(mpmath.ceil((mpmath.mp.dps + 10) * mpmath.log(10) / -mpmath.log1p(-r))) + 10
        law = [(k, r * (1 - r) ** (k - 1)) for k in range(1, last)]
        mean = mpmath.fsum(k * weight for k, weight in law)
        return mpmath.sqrt(mpmath.fsum((k - mean) ** 2 * weight for k, weight in law)) / mean

    return converged(relative, (rate,), digits)


def dispersion_moments(spikes: int, windows: int, window: int) -> tuple[Fraction, Fraction, Fraction]:
    """Return mean, variance and third central moment of Σ n(n-1), by enumeration of all counts."""
    laws = []
    for counts in product(range(window + 1), repeat=windows):
        if sum(counts) == spikes:
            ways = 1
            for n in counts:
                ways *= comb(window, n)
            laws.append((sum(n * (n - 1) for n in counts), ways))
    total = sum(ways for _, ways in laws)

    def mean(function: Callable[[Fraction], Fraction]) -> Fraction:
        return sum((function(Fraction(s)) * ways for s, ways in laws), Fraction(0)) / total

    first = mean(lambda s: s)
    return first, mean(lambda s: (s - first) ** 2), mean(lambda s: (s - first) ** 3)
