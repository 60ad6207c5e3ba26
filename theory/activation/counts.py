"""Shape of the count law: power law, its range, and its exponential cut-off."""

from __future__ import annotations

import sympy as sp

from statnn.theory.activation.expressions import beta_binomial, negative_binomial
from statnn.theory.activation.gamma_poisson import ratio_lemma
from statnn.theory.activation.symbols import OWN, D, N, O, P, a, b, beta, c, k, q, u, x
from statnn.theory.derivation import Derivation, identity, inequality, limit, series
from statnn.theory.rewriting import by_exponent, by_gamma, by_stirling


def counts() -> Derivation:
    """Derive alpha = 1-b, the cut-off of the gamma-Poisson law, and that of the exact law."""
    alpha, k_c = sp.symbols("alpha k_c")
    law, exact = {P(k): negative_binomial(k, q)}, {P(k): beta_binomial(k, D, b, beta)}
    slope = (b - 1) * sp.log(k) + b * (b - 1) / (2 * k)
    step = (k + b) * (D - k) / ((k + 1) * (D + beta - k - 1))
    return Derivation(
        "counts",
        "Power law of the counts and its cut-off",
        OWN,
        "asymptotic",
        (
            identity(
                "The probabilities of successive counts in the gamma-Poisson law have this ratio.",
                P(k + 1) / P(k),
                q * (k + b) / (k + 1),
                where=law,
                domain={q: (0, 1)},
                by=by_gamma,
            ),
            ratio_lemma()[1],
            series(
                "With the shifts b and 1, the first factor of P(k) is a power of k; the next term shows that this "
                "holds for k ≫ 1.",
                sp.loggamma(k + b) - sp.loggamma(k + 1),
                slope + O(1 / k**2),
                (k, sp.oo),
                by=by_stirling(k),
            ),
            limit(
                "Hence P(k) falls as k⁻ᵅ with α = 1−b, from k ≫ 1 up to a cut-off; 0 < α < 1 means 0 < b < 1, and for "
                "b ≥ 1 there is no decaying power law.",
                sp.Limit(k**alpha * sp.gamma(k + b) / sp.gamma(k + 1), k, sp.oo),
                1,
                where={alpha: 1 - b},
                by=by_exponent(k),
            ),
            identity(
                "The second factor qᵏ cuts off at −1/ln q; with q = x/(1+x),",
                k_c,
                1 / sp.log(1 + 1 / x),
                where={k_c: -1 / sp.log(q), q: x / (1 + x)},
                by=lambda gap: sp.simplify(sp.expand_log(gap.replace(sp.log, lambda at: sp.log(sp.together(at))))),
            ),
            series(
                "which for large x = cD/(bN) is x + 1/2, not 1 + x: these agree only at leading order.",
                k_c,
                x + sp.Rational(1, 2) - 1 / (12 * x) + O(x**-2),
                (x, sp.oo),
                where={k_c: 1 / sp.log(1 + 1 / x)},
                by=sp.expand,
            ),
            inequality(
                "For every x it lies below x + 1/2 (integrate from u = 1/x = 0: ln(1+u) > 2u/(2+u)),",
                sp.diff(sp.log(1 + u), u),
                sp.diff(2 * u / (2 + u), u),
                u**2 / ((1 + u) * (2 + u) ** 2),
            ),
            inequality(
                "and above x (integrate: u > ln(1+u)).",
                sp.S.One,
                sp.diff(sp.log(1 + u), u),
                u / (1 + u),
            ),
            identity(
                "In the exact law, with β = a−b, the ratio has one more factor.",
                P(k + 1) / P(k),
                step,
                where=exact,
                by=by_gamma,
            ),
            identity(
                "In place of q stands a factor that is constant for k ≪ D: an exponential cut-off at "
                "1/ln(1 + (β−1)/D).",
                step,
                (k + b) / (k + 1) / (1 + (beta - 1) / (D - k)),
            ),
            identity(
                "There is such a cut-off only for β > 1; at β = 1, that is b(N−c) = c, the power law runs to k = D, "
                "and for β < 1 the count law rises again towards k = D.",
                P(k + 1) / P(k),
                (k + b) / (k + 1),
                where=exact | {beta: 1},
                by=by_gamma,
            ),
            limit(
                "For a ≫ 1 both cut-offs agree: (β−1)/D tends to a/D = 1/x.",
                sp.Limit((a - b - 1) / (x * a), a, sp.oo),
                1 / x,
            ),
            identity("In the paper's variables, x is this.", x, c * D / (b * N), where={x: D / a, a: b * N / c}),
        ),
        uses=("beta-bernoulli", "gamma-poisson"),
    )
