"""The rank probability distribution of a class: its slope, its area under the curve, and random weights."""

from __future__ import annotations

import sympy as sp

from statnn.theory.derivation import Derivation, Step, identity, inequality, instance
from statnn.theory.interaction.tempering import phi
from statnn.theory.measure.radii import by_distance
from statnn.theory.notation import gaussian, named

M, n, wins, B, d, u = sp.symbols("M n U B d u", positive=True)
r, s, z = sp.symbols("r s z", real=True)
share, area = sp.symbols("pi a", positive=True)

MEAN_RANK = (1 - share) * area + share / 2
SLOPE = 12 * (1 - share) * (area - sp.Rational(1, 2))
GAUSSIAN_AREA = phi(d / sp.sqrt(2))
"""AUC of two Gaussian classes of unit variance a distance d apart."""

SOURCE = "this project, for the rank probability distribution of Lin et al. 2025, arXiv 2501.02436"
_E, _AUC = named(r"\operatorname{E}[r]"), named(r"\operatorname{AUC}")
_half, _Phi, _density = sp.Rational(1, 2), sp.Function("Phi"), sp.Function("varphi")


def _ranks() -> tuple[Step, ...]:
    j = sp.Symbol("j", integer=True)
    size = sp.Symbol("n", integer=True, positive=True)
    total = wins + n * (n + 1) / 2
    return (
        identity(
            "The rank of a member of a class among M samples is its rank among the n members plus the number of "
            "others below it; the latter add up to the number U of pairs that the class wins, ties counted half, the "
            "former to",
            sp.Sum(j, (j, 1, size)),
            size * (size + 1) / 2,
            by=lambda gap: sp.simplify(gap.doit()),
        ),
        identity(
            "With r = (rank − 1/2)/M, the class share π = n/M and AUC = U/(n(M−n)) the mean rank is this, at any "
            "number of samples.",
            _E,
            (1 - share) * _AUC + share / 2,
            where={_E: (total - n / 2) / (n * M), _AUC: wins / (n * (M - n)), share: n / M},
        ),
    )


def _line() -> tuple[Step, ...]:
    coefficients = sp.symbols("a_1:4", real=True)
    density = 1 + sum(a * (r**k - sp.Rational(1, k + 1)) for k, a in enumerate(coefficients, 1))
    gap = sp.integrate((density - 1 - s * (r - _half)) ** 2, (r, 0, 1))
    whole = sp.Symbol("B", integer=True, positive=True)
    j = sp.Symbol("j", integer=True)
    return (
        instance(
            "The line 1 + s(r − 1/2) that fits a density best has a slope s given by the mean rank; checked for any "
            "cubic.",
            s,
            12 * (_E - _half),
            cases=[{s: sp.solve(sp.diff(gap, s), s)[0], _E: sp.integrate(r * density, (r, 0, 1))}],
        ),
        identity(
            "So the slope is fixed by the share of the class and its AUC,",
            s,
            12 * (1 - share) * (_AUC - _half),
            where={s: 12 * (_E - _half), _E: MEAN_RANK, _AUC: area},
        ),
        identity(
            "and a line through B bins instead differs by a factor that this sum gives: it is 1 up to a term of "
            "order 1/B².",
            sp.Sum(((j - _half) / whole - _half) ** 2, (j, 1, whole)) / whole,
            (1 - whole**-2) / 12,
            by=lambda gap: sp.simplify(gap.doit()),
        ),
        identity(
            "A unit that ranks one class above all others has the largest slope there is.",
            s,
            6 * (1 - share),
            where={s: SLOPE, area: 1},
        ),
        identity(
            "Two Gaussian classes of unit variance, d apart, have this AUC, the chance that a sample of the one ranks "
            "above one of the other: the difference of the two has the variance 2.",
            sp.Integral(_density(z) * _Phi(z + d), (z, -sp.oo, sp.oo)),
            _Phi(d / sp.sqrt(2)),
            where={_density(z): gaussian(z, 1), _Phi(z): phi(z)},
            by=by_distance(d),
        ),
    )


def _random() -> tuple[Step, ...]:
    slope, spread = sp.Function("s"), named(r"\operatorname{Var}[r]")
    middle = sp.Integral((r - _half) ** 2 / share, (r, (1 - share) / 2, (1 + share) / 2))
    return (
        identity(
            "A unit with a weight of the other sign ranks in reverse, r → 1 − r. Signs that are symmetric and "
            "independent of the fields, as those of random weights, make the mean law symmetric and its slope vanish.",
            slope(r) + slope(1 - r),
            0,
            where={slope(r): 12 * (r - _half)},
            by=sp.expand,
        ),
        identity(
            "The law need not be uniform: a class much narrower than the others sits in the middle of every order, "
            "on a share π of the ranks, with the variance",
            spread,
            share**2 / 12,
            where={spread: middle},
            by=lambda gap: sp.simplify(gap.doit()),
        ),
        inequality(
            "which is less than that of the uniform law; here π = 1/(1+u).",
            sp.Rational(1, 12),
            share**2 / 12,
            u * (u + 2) / (12 * (1 + u) ** 2),
            where={share: 1 / (1 + u)},
        ),
    )


def rank_probability() -> Derivation:
    """Derive the slope of a rank probability distribution, and what random weights do."""
    return Derivation(
        "rank-probability",
        "Slope of the rank probability distribution",
        SOURCE,
        "own",
        (*_ranks(), *_line(), *_random()),
        assumes=("ties count half",),
    )
