"""Nulls of the Fano factor of a unit: independent, shuffled and class-blocked stimuli."""

from __future__ import annotations

import sympy as sp

from statnn.theory.derivation import Derivation, Step, identity, inequality, instance, limit
from statnn.theory.notation import expected, named, spread
from statnn.theory.rewriting import by_gamma, by_normalisation

T, M, m, W, r = sp.symbols("T M m W r", positive=True)
n, z = sp.symbols("n z")
MEAN, SQUARE, SPREAD = sp.symbols("p_1 p_2 v", positive=True)
"""E[p], E[p²] and Var(p) of the rates of classes."""

INDEPENDENT = 1 - r
SHUFFLED = (1 - m / M) * (M - T) / (M - 1)
BLOCKED = 1 - SQUARE / MEAN + T * (SQUARE - MEAN**2) / MEAN

SOURCE = "this project, for the windows of Lehmler et al. 2023, arXiv 2308.00858"
F = named("F")


def fano(mean: sp.Expr, factorial: sp.Expr) -> sp.Expr:
    """Return Var n/E[n] from E[n] and E[n(n-1)]."""
    return (factorial + mean - mean**2) / mean


_pairs = named(r"\operatorname{E}[n(n-1)]")


def _independent() -> tuple[Step, ...]:
    generating = (1 - r + r * z) ** T
    first, second = (sp.diff(generating, z, k).subs(z, 1) for k in (1, 2))
    return (
        identity(
            "Under independent stimuli a unit spikes in each of T samples with probability r; the generating "
            "function of the count gives, at z = 1, the mean number of ordered pairs of spikes,",
            sp.Derivative(generating, z, 2),
            T * (T - 1) * r**2,
            where={z: 1},
        ),
        identity(
            "so that the Fano factor does not depend on the window,",
            F,
            INDEPENDENT,
            where={F: fano(first, second)},
        ),
        limit("and is 1, that of Poisson counts, only for rare spikes.", sp.Limit(F, r, 0), 1, where={F: INDEPENDENT}),
    )


def _shuffled() -> tuple[Step, ...]:
    chance = sp.binomial(m, n) * sp.binomial(M - m, T - n) / sp.binomial(M, T)
    fewer = sp.binomial(m - 2, n - 2) * sp.binomial(M - m, T - n) / sp.binomial(M - 2, T - 2)
    pairs = T * (T - 1) * m * (m - 1) / (M * (M - 1))
    few = {m: range(6, 9), T: range(6, 9), M: range(20, 25)}
    measured = named(r"\operatorname{E}\left[\frac{1}{W} \sum_{w} n_{w}^{2} - \left(\frac{m}{W}\right)^{2}\right]")
    return (
        identity(
            "A finite set of M samples, m of them with a spike, is dealt out in random order: the count in a window "
            "is hypergeometric, and weighted with n(n−1) its law is hypergeometric again, with two samples and two "
            "spikes fewer,",
            n * (n - 1) * chance,
            _pairs * fewer,
            where={_pairs: pairs},
            domain=few | {n: range(2, 5)},
            by=by_gamma,
        ),
        identity(
            "so that the mean number of ordered pairs is the factor that is left, as any law adds up to one,",
            _pairs,
            pairs,
            where={_pairs: sp.Sum(n * (n - 1) * chance, (n, 0, T))},
            domain=few,
            by=by_normalisation(fewer, (n, 0, T)),
        ),
        identity(
            "and the counts are more even, as a spike in one sample leaves fewer for the others.",
            F,
            SHUFFLED,
            where={F: fano(T * m / M, pairs)},
        ),
        identity(
            "When W windows use all M = WT samples, their mean count is known beforehand, and the variance over the "
            "windows (divided by W) has exactly this expectation.",
            measured,
            (m / W) * SHUFFLED,
            where={measured: pairs + T * m / M - (m / W) ** 2, T: M / W},
        ),
        limit(
            "For infinitely many samples it is that of independent stimuli.",
            sp.Limit(F, M, sp.oo),
            INDEPENDENT,
            where={F: SHUFFLED, m: r * M},
        ),
    )


def _blocked() -> tuple[Step, ...]:
    within, between = T * (MEAN - SQUARE), T**2 * (SQUARE - MEAN**2)
    classes = sp.symbols("p_A p_B p_C", positive=True)
    e1, e2 = (sum(p**k for p in classes) / 3 for k in (1, 2))
    pooled = sum(T * (T - 1) * p**2 for p in classes) / 3
    one_in_ten = {F: BLOCKED, MEAN: sp.Rational(8, 100), SQUARE: sp.Rational(64, 1000), T: 100}
    mean, square, variance = expected("p"), expected("p^{2}"), spread("p")
    longer = sp.Symbol("t", positive=True)
    moments = {mean: MEAN, square: SQUARE, variance: SQUARE - MEAN**2}
    return (
        identity(
            "When every window holds stimuli of one class, which fixes the rate p, the variance is the sum of that "
            "within classes and that between them: with p₁ and p₂ the means of p and p² over the classes,",
            F,
            (within + between) / (T * MEAN),
            where={F: fano(T * MEAN, T * (T - 1) * SQUARE)},
        ),
        instance(
            "here for three classes.",
            F,
            (within + between) / (T * MEAN),
            cases=[{F: fano(T * e1, pooled), MEAN: e1, SQUARE: e2}],
            by=sp.simplify,
        ),
        identity(
            "In terms of the moments of the rates,",
            F,
            1 - square / mean + T * variance / mean,
            where={F: (within + between) / (T * MEAN)} | moments,
        ),
        inequality(
            "which exceeds that of the same unit on shuffled stimuli, the more so the longer the window.",
            F,
            1 - mean,
            (T - 1) * variance / mean,
            where={F: BLOCKED, mean: MEAN, variance: SPREAD, SQUARE: SPREAD + MEAN**2, T: 1 + longer},
        ),
        identity(
            "A unit that fires with probability 0.8 in one of ten classes, in windows of 100 samples, has a Fano "
            "factor of 72.2,",
            F,
            sp.Rational(361, 5),
            where=one_in_ten,
        ),
        identity(
            "but 0.92 when the same stimuli are shuffled.",
            F,
            sp.Rational(23, 25),
            where={F: INDEPENDENT, r: one_in_ten[MEAN]},
        ),
    )


def fano_nulls() -> Derivation:
    """Derive the three nulls of the Fano factor."""
    return Derivation(
        "fano-nulls",
        "The Fano factor by chance: independent, shuffled and class-blocked stimuli",
        SOURCE,
        "exact",
        (*_independent(), *_shuffled(), *_blocked()),
        assumes=("samples are independent, or dealt out in random order",),
    )
