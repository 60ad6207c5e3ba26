"""Intervals between spikes: geometric, of a shuffled finite set, exponential in the limit."""

import sympy as sp

from theory.derivation import Derivation, Step, equation, identity
from theory.interaction.symbols import named
from theory.measure.fano import SOURCE, M, m, r

k = sp.Symbol("k", integer=True, positive=True)
x, z = sp.symbols("x z", positive=True)

GEOMETRIC = r * (1 - r) ** (k - 1)
FINITE = sp.binomial(M - k, m - 1) / sp.binomial(M, m)
TAIL = sp.binomial(M - k, m) / sp.binomial(M, m)

_P = named("P(I = k)")


def _geometric() -> tuple[Step, ...]:
    generating = r * z / (1 - (1 - r) * z)
    first, second = (sp.diff(generating, z, j).subs(z, 1) for j in (1, 2))
    return (
        identity(
            "Under independent stimuli an interval of k samples is k−1 blanks and a spike: the weights sum to one,",
            generating.subs(z, 1),
            sp.S.One,
            shown=equation(_P, GEOMETRIC),
        ),
        identity(
            "the generating function has the geometric ratio,",
            sp.series(generating, z, 0, 5).removeO(),
            sum(GEOMETRIC.subs(k, j) * z**j for j in range(1, 5)),
            by=sp.expand,
            shown=equation(sp.Sum(z**k * _P, (k, 1, sp.oo)), generating),
        ),
        identity(
            "and gives the mean interval",
            first,
            1 / r,
            shown=equation(named(r"\operatorname{E}[I]"), 1 / r),
        ),
        identity(
            "and its relative variance: a coefficient of variation below the 1 of a Poisson process.",
            (second + first - first**2) / first**2,
            1 - r,
            shown=equation(named(r"\operatorname{Var}[I] / \operatorname{E}[I]^{2}"), 1 - r),
        ),
    )


def _finite() -> tuple[Step, ...]:
    ratio = sp.gammasimp((FINITE.subs(k, k + 1) / FINITE).rewrite(sp.gamma))
    step = sp.gammasimp(((TAIL.subs(k, k - 1) - TAIL) / FINITE).rewrite(sp.gamma))
    return (
        identity(
            "Of m spikes in M shuffled samples the m+1 gaps, with those at the ends, are alike; one of them fixed, the "
            "others share M−k samples. The tail loses a term at a time (Pascal),",
            step,
            sp.S.One,
            by=lambda gap: sp.simplify(sp.gammasimp(gap)),
            shown=equation(named("P(I > k)"), TAIL),
        ),
        identity(
            "and starts at one, so this is a law.",
            sp.gammasimp(TAIL.subs(k, 0).rewrite(sp.gamma)),
            sp.S.One,
            shown=equation(_P, FINITE),
        ),
        identity(
            "Without end of samples its ratio of neighbours is geometric,",
            sp.limit(ratio.subs(m, r * M), M, sp.oo),
            1 - r,
            shown=equation(sp.Limit(named("P(I = k + 1) / P(I = k)"), M, sp.oo), 1 - r),
        ),
        identity(
            "and so is its beginning.",
            sp.limit(sp.gammasimp(FINITE.subs(k, 1).rewrite(sp.gamma)).subs(m, r * M), M, sp.oo),
            r,
            shown=equation(sp.Limit(named("P(I = 1)"), M, sp.oo), r),
        ),
    )


def spike_intervals() -> Derivation:
    """Derive the laws of intervals between spikes."""
    return Derivation(
        "spike-intervals",
        "Intervals between spikes",
        SOURCE,
        "exact",
        (
            *_geometric(),
            *_finite(),
            identity(
                "In units of its mean, the interval of rare spikes is exponential: a Poisson process.",
                sp.limit((1 - r) ** (x / r), r, 0, "+"),
                sp.exp(-x),
                shown=equation(sp.Limit(named("P(r I > x)"), r, 0, "+"), sp.exp(-x)),
            ),
        ),
    )
