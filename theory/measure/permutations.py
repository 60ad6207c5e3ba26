"""What correlations and participation ratios are when every unit has an order of samples of its own."""

from itertools import permutations

import sympy as sp

from statnn.theory.derivation import Derivation, argued, equation, identity, instance, limit
from statnn.theory.notation import expected, named

D, N, A, B, V, Q, f = sp.symbols("D N A B V Q n", positive=True)
"""Samples, units, sums of squared deviations of two units, sum of variances, sum of their squares, D - 1."""

SQUARED = 1 / (D - 1)
PARTICIPATION = V**2 / (Q + (V**2 - Q) / (D - 1))
ABSOLUTE = sp.gamma((D - 1) / 2) / (sp.sqrt(sp.pi) * sp.gamma(D / 2))

SOURCE = "this project, for the neuronal correlation of Jin, Yi & Huang 2022, arXiv 2201.09069"


def permutation_null() -> Derivation:
    """Derive the nulls of r² and of the participation ratio under permutation, and the corrections for few samples."""
    a1, a2, b1, b2 = sp.symbols("a_1 a_2 b_1 b_2", real=True)
    one, two = (a1, a2, -a1 - a2), (b1, b2, -b1 - b2)
    enumerated = sum(
        sum(a * two[i] for a, i in zip(one, order, strict=True)) ** 2 for order in permutations(range(3))
    ) / sp.Integer(6)
    squares = sum(a**2 for a in one), sum(b**2 for b in two)
    pure, total = sp.symbols("p t", positive=True)
    covariance = expected(r"(\sum_{\mu} a_{\mu} b_{\mu})^{2}")
    participation, ratio = named(r"\operatorname{PR}"), named(r"\frac{N}{D - 1}")
    whole, trace = named(r"\operatorname{tr} \Sigma^{2}"), named(r"(\operatorname{tr} \Sigma)^{2}")
    unbiased = expected(r"\operatorname{tr} C^{2} - (\operatorname{tr} C)^{2} / n")
    traced = {trace: total, whole: pure, expected(r"(\operatorname{tr} C)^{2}"): total + 2 * pure / f}
    traced[unbiased] = (1 + 1 / f) * pure + total / f - (total + 2 * pure / f) / f
    equal = {participation: PARTICIPATION, V: N, Q: N}
    # the mean of a square, and of a product of two different deviations, which all add up to minus the squares
    own, other = (lambda squares: squares / D), (lambda squares: -squares / (D * (D - 1)))
    return Derivation(
        "permutation-null",
        "Correlations and participation of independent units",
        SOURCE,
        "exact",
        (
            identity(
                "Deviations from the mean add up to zero, so that the products of different ones add up to minus the "
                "sum of squares; averaged over all orders of the samples of one unit the squared covariance sum is",
                covariance,
                A * B / (D - 1),
                where={covariance: D * own(A) * own(B) + D * (D - 1) * other(A) * other(B)},
            ),
            instance(
                "by enumeration of three samples the same,",
                equation(named(r"\frac{1}{3!} \sum_{\pi} (\sum_{\mu} a_{\mu} b_{\pi(\mu)})^{2}"), A * B / 2),
                enumerated,
                squares[0] * squares[1] / 2,
            ),
            argued("so that r² has this mean for any two laws.", equation(expected("r^{2}"), SQUARED)),
            identity(
                "With V the sum of the variances and Q that of their squares the mean of tr C², the trace fixed, gives "
                "the null of the participation ratio; N units of equal variance:",
                participation,
                N / (1 + (N - 1) / (D - 1)),
                where=equal,
            ),
            limit(
                "which for many units and samples is the second moment of the law of Marchenko and Pastur.",
                sp.Limit(N / participation, N, sp.oo),
                1 + ratio,
                where=equal | {D: 1 + N / f, ratio: f},
            ),
            identity(
                "For Gaussian units r² has a Beta law, and the mean of the modulus is a ratio of two Beta functions.",
                sp.beta(1, (D - 2) / 2) / sp.beta(sp.Rational(1, 2), (D - 2) / 2),
                ABSOLUTE,
                domain={D: (4, 9)},
                by=lambda gap: sp.simplify(sp.gammasimp(gap.rewrite(sp.gamma))),
            ),
            identity(
                "A Gaussian sample covariance of n degrees of freedom has known means of tr C² and (tr C)², from which "
                "tr Σ² follows without bias,",
                whole,
                f**2 / ((f - 1) * (f + 2)) * unbiased,
                where=traced,
                domain={f: (2, 9)},
            ),
            identity(
                "and then the square of tr Σ.",
                trace,
                expected(r"(\operatorname{tr} C)^{2}") - 2 / f * whole,
                where=traced,
            ),
        ),
    )
