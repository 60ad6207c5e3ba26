"""Shape of the count law: power law, its range, and its exponential cut-off."""

import sympy as sp

from theory.activation.expressions import beta_binomial, negative_binomial
from theory.activation.gamma_poisson import log_ratio, ratio_lemma
from theory.activation.symbols import OWN, D, N, O, P, a, b, beta, c, k, q, u, x, z
from theory.derivation import Derivation, equation, identity, inequality


def counts() -> Derivation:
    """Derive alpha = 1-b, the cut-off of the gamma-Poisson law, and that of the exact law."""
    alpha, k_c = sp.symbols("alpha k_c")
    law, exact = negative_binomial(k, q), beta_binomial(k, D, b, beta)
    slope = (b - 1) * sp.log(z) + b * (b - 1) / (2 * z)
    series = x + sp.Rational(1, 2) - 1 / (12 * x)
    step = (k + b) * (D - k) / ((k + 1) * (D + beta - k - 1))
    return Derivation(
        "counts",
        "Power law of the counts and its cut-off",
        OWN,
        "asymptotic",
        (
            identity(
                "Successive counts of the gamma-Poisson law.",
                sp.gammasimp(law.subs(k, k + 1) / law),
                q * (k + b) / (k + 1),
                shown=equation(P(k + 1) / P(k), q * (k + b) / (k + 1)),
            ),
            ratio_lemma()[1],
            identity(
                "With shifts b and 1 the first factor of P(k) is a power of k, and its next term says where: k ≫ 1.",
                log_ratio(b, 1, z),
                slope,
                by=sp.expand,
                shown=equation(sp.loggamma(k + b) - sp.loggamma(k + 1), slope.subs(z, k) + O(1 / k**2)),
            ),
            identity(
                "Hence P(k) falls as k⁻ᵅ with α = 1−b, from k ≫ 1 up to a cut-off; 0 < α < 1 is 0 < b < 1, and for b "
                "≥ 1 there is no decaying power law.",
                -sp.diff(sp.log(z) * (b - 1), z) * z,
                1 - b,
                shown=equation(alpha, 1 - b),
            ),
            identity(
                "The second factor qᵏ cuts off at −1/ln q; with q = x/(1+x),",
                sp.expand_log(sp.log(x / (1 + x))) + sp.expand_log(sp.log((1 + x) / x)),
                sp.S.Zero,
                by=sp.expand,
                shown=equation(k_c, 1 / sp.log(1 + 1 / x)),
            ),
            identity(
                "which for large x = cD/(bN) is x + 1/2, not 1 + x: these agree only at leading order.",
                sp.series(1 / sp.log(1 + u), u, 0, 2).removeO(),
                series.subs(x, 1 / u),
                shown=equation(k_c, series + O(x**-2)),
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
                "The exact law, with β = a−b, has one more factor.",
                sp.gammasimp(exact.subs(k, k + 1) / exact),
                step,
                shown=equation(P(k + 1) / P(k), step),
            ),
            identity(
                "In the place of q stands a factor that at k ≪ D is constant: an exponential cut-off at 1/ln(1 + "
                "(β−1)/D).",
                step,
                (k + b) / (k + 1) / (1 + (beta - 1) / (D - k)),
            ),
            identity(
                "There is such a cut-off only for β > 1; at β = 1, that is b(N−c) = c, the power law runs to k = D, "
                "and below it the count law rises again towards k = D.",
                step.subs(beta, 1),
                (k + b) / (k + 1),
                shown=equation(P(k + 1) / P(k), (k + b) / (k + 1)),
            ),
            identity(
                "For a ≫ 1 both cut-offs agree: (β−1)/D tends to a/D = 1/x.",
                sp.limit((a - b - 1) / (x * a), a, sp.oo),
                1 / x,
                shown=equation(sp.Limit((a - b - 1) / (x * a), a, sp.oo), 1 / x),
            ),
            identity(
                "In the paper's variables.",
                1 / (a / D).subs(a, b * N / c),
                c * D / (b * N),
                shown=equation(x, c * D / (b * N)),
            ),
        ),
    )
