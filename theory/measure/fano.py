"""The Fano factor of a unit when nothing happens: independent, shuffled and class-blocked stimuli."""

import sympy as sp

from theory.derivation import Derivation, Step, equation, identity, inequality
from theory.interaction.symbols import named

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


def _independent() -> tuple[Step, ...]:
    generating = (1 - r + r * z) ** T
    first, second = (sp.diff(generating, z, k).subs(z, 1) for k in (1, 2))
    return (
        identity(
            "Independent stimuli make a unit of rate r spike in each of T samples by chance; the generating function "
            "of the count gives the mean number of ordered pairs of spikes,",
            sp.simplify(second),
            T * (T - 1) * r**2,
            shown=equation(named(r"\operatorname{E}[n(n-1)]"), T * (T - 1) * r**2),
        ),
        identity(
            "so that the Fano factor does not depend on the window,",
            fano(sp.simplify(first), sp.simplify(second)),
            INDEPENDENT,
            shown=equation(F, INDEPENDENT),
        ),
        identity(
            "and is 1, that of Poisson counts, only for rare spikes.",
            sp.limit(INDEPENDENT, r, 0),
            sp.S.One,
            shown=equation(sp.Limit(F, r, 0, "+"), sp.S.One),
        ),
    )


def _shuffled() -> tuple[Step, ...]:
    chance = sp.binomial(m, n) * sp.binomial(M - m, T - n) / sp.binomial(M, T)
    fewer = sp.binomial(m - 2, n - 2) * sp.binomial(M - m, T - n) / sp.binomial(M - 2, T - 2)
    pairs = T * (T - 1) * m * (m - 1) / (M * (M - 1))
    measured = (W * (pairs + T * m / M) / W - (m / W) ** 2) / (m / W)
    return (
        identity(
            "A finite set of M samples, m of them with a spike, is dealt out in random order: the count in a window is "
            "hypergeometric, and weighted with n(n−1) its law is again one, of two samples and two spikes fewer,",
            sp.combsimp(n * (n - 1) * chance / fewer / pairs),
            sp.S.One,
            shown=equation(named(r"\operatorname{E}[n(n-1)]"), pairs),
        ),
        identity(
            "so that spikes that others have used up make the counts more even.",
            fano(T * m / M, pairs),
            SHUFFLED,
            shown=equation(F, SHUFFLED),
        ),
        identity(
            "When W windows use all M = WT samples their mean is known beforehand, and the variance over the windows "
            "(divided by W) has this very expectation.",
            measured.subs(T, M / W),
            SHUFFLED.subs(T, M / W),
            shown=equation(
                named(r"\operatorname{E}\left[\frac{1}{W} \sum_{w} n_{w}^{2} - \left(\frac{m}{W}\right)^{2}\right]"),
                (m / W) * SHUFFLED,
            ),
        ),
        identity(
            "Without end of samples it is that of independent stimuli.",
            sp.limit(SHUFFLED.subs(m, r * M), M, sp.oo),
            INDEPENDENT,
            shown=equation(sp.Limit(F, M, sp.oo), INDEPENDENT),
        ),
    )


def _blocked() -> tuple[Step, ...]:
    within, between = T * (MEAN - SQUARE), T**2 * (SQUARE - MEAN**2)
    classes = sp.symbols("p_A p_B p_C", positive=True)
    e1, e2 = (sum(p**k for p in classes) / 3 for k in (1, 2))
    pooled = sum(T * (T - 1) * p**2 for p in classes) / 3
    one_in_ten = {MEAN: sp.Rational(8, 100), SQUARE: sp.Rational(64, 1000), T: 100}
    excess = (T - 1) * SPREAD / MEAN
    return (
        identity(
            "When every window holds stimuli of one class, which fixes the rate p, the variance is that inside classes "
            "and that between them; checked for any three classes.",
            fano(T * e1, pooled),
            BLOCKED.subs({MEAN: e1, SQUARE: e2}),
            shown=equation(F, (within + between) / (T * MEAN)),
        ),
        identity(
            "In the moments of the rates,",
            (within + between) / (T * MEAN),
            BLOCKED,
            shown=equation(
                F,
                1
                - named(r"\operatorname{E}[p^{2}]") / named(r"\operatorname{E}[p]")
                + T * named(r"\operatorname{Var}[p]") / named(r"\operatorname{E}[p]"),
            ),
        ),
        inequality(
            "which exceeds that of the same unit on shuffled stimuli, the more so the longer the window.",
            BLOCKED.subs(SQUARE, SPREAD + MEAN**2).subs(T, T + 1),
            INDEPENDENT.subs(r, MEAN),
            excess.subs(T, T + 1),
            shown=equation(
                F - (1 - named(r"\operatorname{E}[p]")),
                (T - 1) * named(r"\operatorname{Var}[p]") / named(r"\operatorname{E}[p]"),
            ),
        ),
        identity(
            "A unit that fires with probability 0.8 in one of ten classes, in windows of 100 samples, has 72.2,",
            BLOCKED.subs(one_in_ten),
            sp.Rational(361, 5),
            shown=equation(F, sp.Rational(361, 5)),
        ),
        identity(
            "but 0.92 when the same stimuli are shuffled.",
            INDEPENDENT.subs(r, one_in_ten[MEAN]),
            sp.Rational(23, 25),
            shown=equation(F, sp.Rational(23, 25)),
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
    )
