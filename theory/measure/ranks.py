"""The rank probability distribution of a class: its slope, its area under the curve, and random weights."""

import sympy as sp

from theory.derivation import Derivation, Step, equation, identity, inequality
from theory.interaction.symbols import named
from theory.interaction.tempering import phi

M, n, wins, B, d, u = sp.symbols("M n U B d u", positive=True)
r, s, rank = sp.symbols("r s r_1", real=True)
share, area = sp.symbols("pi a", positive=True)

MEAN_RANK = (1 - share) * area + share / 2
SLOPE = 12 * (1 - share) * (area - sp.Rational(1, 2))
GAUSSIAN_AREA = phi(d / sp.sqrt(2))
"""AUC of two Gaussian classes of unit variance a distance d apart."""

SOURCE = "this project, for the rank probability distribution of Lin et al. 2025, arXiv 2501.02436"
_E, _AUC = named(r"\operatorname{E}[r]"), named(r"\operatorname{AUC}")
_half = sp.Rational(1, 2)


def _ranks() -> tuple[Step, ...]:
    j = sp.Symbol("j", integer=True)
    size = sp.Symbol("n", integer=True, positive=True)
    total = wins + n * (n + 1) / 2
    counted = {share: n / M, area: wins / (n * (M - n))}
    return (
        identity(
            "The rank of a member of a class among M samples is its rank among the n members and the number of others "
            "below it; the latter add up to the U pairs that the class wins, ties half, the former to",
            sp.summation(j, (j, 1, size)),
            size * (size + 1) / 2,
            shown=equation(named(r"\sum_{j=1}^{n} j"), n * (n + 1) / 2),
        ),
        identity(
            "With r = (rank − 1/2)/M, the class share π = n/M and AUC = U/(n(M−n)) the mean rank is this, at any "
            "number of samples.",
            (total - n / 2) / (n * M),
            MEAN_RANK.subs(counted),
            shown=equation(_E, named(r"(1 - \pi) \operatorname{AUC} + \frac{\pi}{2}")),
        ),
    )


def _line() -> tuple[Step, ...]:
    coefficients = sp.symbols("a_1:4", real=True)
    density = 1 + sum(a * (r**k - sp.Rational(1, k + 1)) for k, a in enumerate(coefficients, 1))
    gap = sp.integrate((density - 1 - s * (r - _half)) ** 2, (r, 0, 1))
    fitted = sp.solve(sp.diff(gap, s), s)[0]
    mean = sp.integrate(r * density, (r, 0, 1))
    whole = sp.Symbol("B", integer=True, positive=True)
    j = sp.Symbol("j", integer=True)
    bins = sp.summation(((j - _half) / whole - _half) ** 2 / whole, (j, 1, whole))
    return (
        identity(
            "The line 1 + s(r − 1/2) that fits a density best has the slope of the mean rank; checked for any cubic.",
            fitted,
            12 * (mean - _half),
            shown=equation(s, named(r"12 \left(\operatorname{E}[r] - \frac{1}{2}\right)")),
        ),
        identity(
            "So the slope is fixed by the share of the class and its AUC,",
            12 * (MEAN_RANK - _half),
            SLOPE,
            shown=equation(s, named(r"12\, (1 - \pi) \left(\operatorname{AUC} - \frac{1}{2}\right)")),
        ),
        identity(
            "and a line through B bins instead differs by a factor that this sum gives, 1 up to 1/B².",
            bins,
            (1 - whole**-2) / 12,
            shown=equation(named(r"\frac{1}{B} \sum_{j} \left(r_{j} - \frac{1}{2}\right)^{2}"), (1 - B**-2) / 12),
        ),
        identity(
            "A unit that ranks one class above all others has the largest slope there is.",
            SLOPE.subs(area, 1),
            6 * (1 - share),
            shown=equation(s, named(r"6\, (1 - \pi)")),
        ),
        identity(
            "Two Gaussian classes of unit variance, d apart: the difference of two samples has the variance 2, so that "
            "AUC has this derivative,",
            sp.diff(GAUSSIAN_AREA, d),
            sp.exp(-(d**2) / 4) / sp.sqrt(4 * sp.pi),
            shown=equation(
                named(r"\frac{\partial}{\partial d} \operatorname{AUC}"), sp.exp(-(d**2) / 4) / sp.sqrt(4 * sp.pi)
            ),
        ),
        identity(
            "and it starts from 1/2.",
            GAUSSIAN_AREA.subs(d, 0),
            _half,
            shown=equation(_AUC, named(r"\Phi(d / \sqrt{2})")),
        ),
    )


def _random() -> tuple[Step, ...]:
    middle = 1 / (1 + u)
    spread = sp.integrate((r - _half) ** 2 / share, (r, (1 - share) / 2, (1 + share) / 2))
    return (
        identity(
            "A unit with a weight of the other sign ranks in reverse, r → 1 − r. Signs that are symmetric and "
            "independent of the fields, as those of random weights, make the mean law symmetric and its slope vanish.",
            (12 * (rank - _half) + 12 * (1 - rank - _half)) / 2,
            sp.S.Zero,
            by=sp.expand,
            shown=equation(named(r"\operatorname{E}[s]"), sp.S.Zero),
        ),
        identity(
            "It need not be uniform: a class much narrower than the others sits in the middle of every order, on a "
            "share π of the ranks, with the variance",
            spread,
            share**2 / 12,
            shown=equation(named(r"\operatorname{Var}[r]"), share**2 / 12),
        ),
        inequality(
            "which is less than that of the uniform law; here π = 1/(1+u).",
            sp.Rational(1, 12),
            (spread.subs(share, middle)),
            u * (u + 2) / (12 * (1 + u) ** 2),
            shown=equation(sp.Rational(1, 12) - share**2 / 12, u * (u + 2) / (12 * (1 + u) ** 2)),
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
    )
