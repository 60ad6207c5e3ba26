"""Correlations and participation ratios when the samples of every unit are permuted independently."""

from __future__ import annotations

from itertools import permutations

import sympy as sp

from statnn.theory.derivation import Derivation, Step, identity, instance, limit
from statnn.theory.notation import expected, gaussian_mean, named

D, N, A, B, V, Q, f = sp.symbols("D N A B V Q n", positive=True)
"""Samples, units, sums of squared deviations of two units, sum of variances, sum of their squares, D - 1."""

SQUARED = 1 / (D - 1)
PARTICIPATION = V**2 / (Q + (V**2 - Q) / (D - 1))
ABSOLUTE = sp.gamma((D - 1) / 2) / (sp.sqrt(sp.pi) * sp.gamma(D / 2))

SOURCE = "this project, for the neuronal correlation of Jin, Yi & Huang 2022, arXiv 2201.09069"


def permutation_null() -> Derivation:
    """Derive the nulls of r² and of the participation ratio under permutation, and the corrections for few samples."""
    squares = named(r"\overline{a^{2}}"), named(r"\overline{b^{2}}")
    products = named(r"\overline{a a'}"), named(r"\overline{b b'}")
    samples, order = sp.Symbol("D", integer=True, positive=True), sp.Symbol("pi", integer=True)
    aligned, variance = sp.IndexedBase("c"), sp.IndexedBase("v")
    units = sp.Symbol("N", integer=True, positive=True)
    of_pairs = dict(zip(squares, (A / D, B / D), strict=True))
    of_pairs |= dict(zip(products, (-A / (D * (D - 1)), -B / (D * (D - 1))), strict=True))
    participation, ratio = named(r"\operatorname{PR}"), named(r"\frac{N}{D - 1}")
    equal = {participation: PARTICIPATION, V: N, Q: N}
    return Derivation(
        "permutation-null",
        "Correlations and participation of independent units",
        SOURCE,
        "exact",
        (
            identity(
                "Deviations a from the mean add up to zero, so that the products aa′ of different ones add up to "
                "minus the sum A of their squares, and likewise b and B for a second unit; averaged over all orders "
                "of the samples of one unit, the square of the sum of products ab is",
                D * squares[0] * squares[1] + D * (D - 1) * products[0] * products[1],
                A * B / (D - 1),
                where=of_pairs,
            ),
            instance(
                "and the same by enumeration of all orders of three samples and of four,",
                sp.Sum(aligned[order] ** 2, (order, 1, sp.factorial(samples))) / sp.factorial(samples),
                A * B / (samples - 1),
                cases=[_enumerated(size, samples, aligned) for size in (3, 4)],
            ),
            identity(
                "so that r², which is this square over AB, has this mean for any two laws, as no order changes AB.",
                (D * squares[0] * squares[1] + D * (D - 1) * products[0] * products[1]) / (A * B),
                SQUARED,
                where=of_pairs,
            ),
            instance(
                "With V the sum of the variances v, which no order changes, and Q that of their squares, the mean of "
                "tr C² counts every variance squared, and the product of every two with the mean of r²; checked for "
                "up to four units,",
                sp.Sum(variance[order] ** 2, (order, 1, units))
                + sp.Sum(variance[order] * (V - variance[order]), (order, 1, units)) * SQUARED,
                V**2 / PARTICIPATION,
                cases=[_variances(count, units, variance) for count in range(1, 5)],
                by=sp.cancel,
            ),
            identity(
                "which gives the null of the participation ratio; for N units of equal variance it is",
                PARTICIPATION,
                N / (1 + (N - 1) / (D - 1)),
                where={V: N, Q: N},
            ),
            limit(
                "whose inverse, times N, is for many units and samples the second moment of the law of Marchenko and "
                "Pastur.",
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
            *_few_samples(),
        ),
        assumes=("units are independent of each other", "all orders of the samples of a unit are equally likely"),
    )


def _enumerated(size: int, samples: sp.Symbol, aligned: sp.IndexedBase) -> dict[sp.Basic, sp.Expr]:
    """Return the covariance sums of two units in every order of the samples of the second, and their own squares."""
    free = [sp.symbols(f"{name}_1:{size}", real=True) for name in "ab"]
    x, y = ((*deviations, -sum(deviations)) for deviations in free)
    orders = permutations(range(size))
    sums = [sum(a * y[place] for a, place in zip(x, each, strict=True)) for each in orders]
    squares = {A: sum(a**2 for a in x), B: sum(b**2 for b in y), samples: sp.Integer(size)}
    return squares | {aligned[place]: value for place, value in enumerate(sums, 1)}


def _variances(count: int, units: sp.Symbol, variance: sp.IndexedBase) -> dict[sp.Basic, sp.Expr]:
    """Return the variances of units, their sum and that of their squares."""
    of_units = sp.symbols(f"v_1:{count + 1}", positive=True)
    sums = {V: sum(of_units), Q: sum(v**2 for v in of_units), units: sp.Integer(count)}
    return sums | {variance[place]: v for place, v in enumerate(of_units, 1)}


def _few_samples() -> tuple[Step, ...]:
    """Derive estimates of tr Σ² and (tr Σ)² from the sample covariance C of Gaussian units."""
    pure, whole = named(r"\operatorname{tr} \Sigma^{2}"), named(r"(\operatorname{tr} \Sigma)^{2}")
    squared, of_trace = expected(r"\operatorname{tr} C^{2}"), expected(r"(\operatorname{tr} C)^{2}")
    means = {squared: (1 + 1 / f) * pure + whole / f, of_trace: whole + 2 / f * pure}
    cases = []
    for freedom in (1, 2, 3):
        v, traces = _wishart(freedom)
        cases.append(
            {f: sp.Integer(freedom), pure: v[0] ** 2 + v[1] ** 2, whole: (v[0] + v[1]) ** 2}
            | dict(zip((squared, of_trace), traces, strict=True))
        )
    return (
        instance(
            "For Gaussian units the sample covariance C, of n degrees of freedom, gives tr C² this mean",
            squared,
            means[squared],
            cases=cases,
        ),
        instance(
            "and (tr C)² this one, by moments of Gaussians; checked for two units and n up to three,",
            of_trace,
            means[of_trace],
            cases=cases,
        ),
        identity(
            "from which tr Σ² follows without bias,",
            pure,
            f**2 / ((f - 1) * (f + 2)) * (squared - of_trace / f),
            where=means,
            domain={f: (2, 9)},
        ),
        identity(
            "and the square of tr Σ.",
            whole,
            f / ((f - 1) * (f + 2)) * ((f + 1) * of_trace - 2 * squared),
            where=means,
            domain={f: (2, 9)},
        ),
    )


def _wishart(freedom: int) -> tuple[tuple[sp.Symbol, sp.Symbol], tuple[sp.Expr, sp.Expr]]:
    """Return the variances of two independent units, and the means of tr C² and (tr C)² for few degrees of freedom."""
    draws = [sp.symbols(f"{name}_1:{freedom + 1}", real=True) for name in "xy"]
    v = sp.symbols("v_1 v_2", positive=True)
    rows = [[sp.sqrt(variance) * draw for draw in row] for variance, row in zip(v, draws, strict=True)]
    C = sp.Matrix(2, 2, lambda i, j: sum(a * b for a, b in zip(rows[i], rows[j], strict=True)) / sp.Integer(freedom))

    return v, tuple(gaussian_mean(square, *draws[0], *draws[1]) for square in ((C * C).trace(), C.trace() ** 2))
