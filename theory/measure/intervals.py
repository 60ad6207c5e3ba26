"""Intervals between spikes: geometric, of a shuffled finite set, exponential in the limit."""

from __future__ import annotations

from itertools import combinations

import sympy as sp

from statnn.theory.derivation import Derivation, Step, definition, identity, instance, limit
from statnn.theory.measure.fano import SOURCE, M, m, r
from statnn.theory.notation import named
from statnn.theory.rewriting import by_gamma

k, j = sp.symbols("k j", integer=True, positive=True)
x, z = sp.symbols("x z", positive=True)

GEOMETRIC = r * (1 - r) ** (k - 1)
FINITE = sp.binomial(M - k, m - 1) / sp.binomial(M, m)
TAIL = sp.binomial(M - k, m) / sp.binomial(M, m)

_P, _Q = sp.Function("P"), sp.Function("Q")


def _geometric_sum(gap: sp.Expr) -> sp.Expr:
    """Sum an infinite geometric series, whose ratio must not depend on the index."""

    def total(sums: sp.Sum) -> sp.Expr:
        ((index, first, _),) = sums.limits
        ratio = sp.simplify(sums.function.subs(index, index + 1) / sums.function)
        return sums if ratio.has(index) else sums.function.subs(index, first) / (1 - ratio)

    return sp.simplify(gap.replace(lambda part: isinstance(part, sp.Sum), total))


def _geometric() -> tuple[Step, ...]:
    generating = r * z / (1 - (1 - r) * z)
    first, second = (sp.diff(generating, z, order).subs(z, 1) for order in (1, 2))
    law, often = {_P(k): GEOMETRIC}, {r: (0.3, 1)}
    mean, relative = named(r"\operatorname{E}[I]"), named(r"\operatorname{Var}[I] / \operatorname{E}[I]^{2}")
    return (
        definition("Under independent stimuli an interval of k samples is k−1 blanks and a spike:", _P(k), GEOMETRIC),
        identity(
            "the weights sum to one,",
            sp.Sum(_P(k), (k, 1, sp.oo)),
            1,
            where=law,
            domain=often,
            by=_geometric_sum,
        ),
        identity(
            "the generating function is a geometric series,",
            sp.Sum(z**k * _P(k), (k, 1, sp.oo)),
            generating,
            where=law,
            domain=often | {z: (0, 1)},
            by=_geometric_sum,
        ),
        identity("and gives the mean interval", mean, 1 / r, where={mean: first}),
        identity(
            "and its relative variance: a coefficient of variation below the 1 of a Poisson process.",
            relative,
            1 - r,
            where={relative: (second + first - first**2) / first**2},
        ),
    )


def _finite() -> tuple[Step, ...]:
    law = {_P(k): FINITE, _Q(k): TAIL}
    many = law | {m: r * M}
    return (
        instance(
            "The m spikes in M shuffled samples leave m+1 gaps, those at the ends included, which all have the same "
            "law: an interval is longer than k when the m spikes share the other M−k samples; every gap of every "
            "arrangement is counted for up to five samples.",
            _Q(k),
            TAIL,
            cases=[
                {M: size, m: spikes, k: length, _Q(length): _longer(size, spikes, gap, length)}
                for size in range(2, 6)
                for spikes in range(1, size)
                for gap in range(spikes + 1)
                for length in range(1, size)
            ],
        ),
        identity(
            "The tail loses a term at a time (Pascal),",
            _Q(k - 1) - _Q(k),
            FINITE,
            where=law,
            domain={M: range(20, 30)},
            by=by_gamma,
        ),
        identity("and starts at one, so this is a law.", _Q(0), 1, where=law),
        limit(
            "For infinitely many samples the ratio of neighbouring probabilities is that of the geometric law,",
            sp.Limit(_P(k + 1) / _P(k), M, sp.oo),
            1 - r,
            where=many,
            domain={r: (0, 1)},
            by=lambda body: sp.gammasimp(body.rewrite(sp.gamma)),
        ),
        limit(
            "and so is the first probability.",
            sp.Limit(_P(1), M, sp.oo),
            r,
            where=many,
            domain={r: (0, 1)},
            by=lambda body: sp.gammasimp(body.rewrite(sp.gamma)),
        ),
    )


def _longer(samples: int, spikes: int, gap: int, length: int) -> sp.Rational:
    """Return the share of arrangements in which gap number `gap`, from 0 and ended by a spike, exceeds `length`."""
    arrangements = list(combinations(range(samples), spikes))
    ends = [(-1, *places, samples) for places in arrangements]
    return sp.Rational(sum(borders[gap + 1] - borders[gap] > length for borders in ends), len(ends))


def spike_intervals() -> Derivation:
    """Derive the laws of intervals between spikes."""
    longer, silent = named("P(r I > x)"), (1 - r) ** k
    return Derivation(
        "spike-intervals",
        "Intervals between spikes",
        SOURCE,
        "exact",
        (
            *_geometric(),
            *_finite(),
            identity(
                "Under independent stimuli an interval is longer than k with probability",
                sp.Sum(_P(j), (j, k + 1, sp.oo)),
                silent,
                where={_P(k): GEOMETRIC},
                domain={r: (0.3, 1)},
                by=_geometric_sum,
            ),
            limit(
                "so that in units of its mean, x = kr, the interval of rare spikes is exponential: a Poisson process.",
                sp.Limit(longer, r, 0),
                sp.exp(-x),
                where={longer: silent.subs(k, x / r)},
            ),
        ),
        assumes=("samples are independent, or dealt out in random order",),
    )
