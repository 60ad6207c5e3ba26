"""Intervals between spikes: geometric, of a shuffled finite set, exponential in the limit."""

import sympy as sp

from statnn.theory.derivation import Derivation, Step, definition, identity, limit
from statnn.theory.measure.fano import SOURCE, M, m, r
from statnn.theory.notation import named
from statnn.theory.rewriting import by_gamma

k = sp.Symbol("k", integer=True, positive=True)
x, z = sp.symbols("x z", positive=True)

GEOMETRIC = r * (1 - r) ** (k - 1)
FINITE = sp.binomial(M - k, m - 1) / sp.binomial(M, m)
TAIL = sp.binomial(M - k, m) / sp.binomial(M, m)

_P, _Q = sp.Function("P"), sp.Function("Q")


def _geometric_sum(gap: sp.Expr) -> sp.Expr:
    """Sum a geometric series from k = 1, whose ratio does not depend on k."""

    def total(sums: sp.Sum) -> sp.Expr:
        ratio = sp.simplify(sums.function.subs(k, k + 1) / sums.function)
        return sums if ratio.has(k) else sums.function.subs(k, 1) / (1 - ratio)

    return sp.simplify(gap.replace(lambda part: isinstance(part, sp.Sum), total))


def _geometric() -> tuple[Step, ...]:
    generating = r * z / (1 - (1 - r) * z)
    first, second = (sp.diff(generating, z, j).subs(z, 1) for j in (1, 2))
    law, less = {_P(k): GEOMETRIC}, {r: (0.3, 1), z: (0, 1)}
    mean, relative = named(r"\operatorname{E}[I]"), named(r"\operatorname{Var}[I] / \operatorname{E}[I]^{2}")
    return (
        definition("Under independent stimuli an interval of k samples is k−1 blanks and a spike:", _P(k), GEOMETRIC),
        identity(
            "the weights sum to one,",
            sp.Sum(_P(k), (k, 1, sp.oo)),
            1,
            where=law,
            domain=less,
            by=_geometric_sum,
        ),
        identity(
            "the generating function has the geometric ratio,",
            sp.Sum(z**k * _P(k), (k, 1, sp.oo)),
            generating,
            where=law,
            domain=less,
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
        definition(
            "Of m spikes in M shuffled samples the m+1 gaps, with those at the ends, are alike; one of them fixed, the "
            "others share M−k samples, and the interval is longer than k with probability Q(k).",
            _Q(k),
            TAIL,
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
            "Without end of samples its ratio of neighbours is geometric,",
            sp.Limit(_P(k + 1) / _P(k), M, sp.oo),
            1 - r,
            where=many,
            domain={r: (0, 1)},
            by=lambda body: sp.gammasimp(body.rewrite(sp.gamma)),
        ),
        limit(
            "and so is its beginning.",
            sp.Limit(_P(1), M, sp.oo),
            r,
            where=many,
            domain={r: (0, 1)},
            by=lambda body: sp.gammasimp(body.rewrite(sp.gamma)),
        ),
    )


def spike_intervals() -> Derivation:
    """Derive the laws of intervals between spikes."""
    longer = named("P(r I > x)")
    return Derivation(
        "spike-intervals",
        "Intervals between spikes",
        SOURCE,
        "exact",
        (
            *_geometric(),
            *_finite(),
            limit(
                "In units of its mean, the interval of rare spikes is exponential: a Poisson process.",
                sp.Limit(longer, r, 0),
                sp.exp(-x),
                where={longer: (1 - r) ** (x / r)},
            ),
        ),
        assumes=("samples are independent, or dealt out in random order",),
    )
