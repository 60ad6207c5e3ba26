"""The limit N -> infinity at fixed cD/(bN), its first correction, and its way back to the urn."""

from __future__ import annotations

import sympy as sp

from statnn.theory.activation.expressions import GP_WORKING, beta_binomial, gamma_survival, negative_binomial
from statnn.theory.activation.symbols import OWN, D, K, N, O, P, S, a, b, c, i, k, n, q, x, z
from statnn.theory.derivation import Derivation, Step, identity, limit, series
from statnn.theory.rewriting import by_exponent, by_stirling, shifted_stirling

_s, _t = sp.symbols("s t", real=True)


def _plain_stirling(expr: sp.Expr) -> sp.Expr:
    """Apply Stirling's series without a shift, and split logarithms of z + s."""

    def series(at: sp.Expr) -> sp.Expr:
        log = sp.log(z) + sp.log(sp.expand(at / z))
        return (at - sp.Rational(1, 2)) * log - at + sp.log(2 * sp.pi) / 2 + 1 / (12 * at)

    return sp.expand(expr.replace(sp.loggamma, series))


def ratio_lemma() -> tuple[Step, ...]:
    """Prove the expansion of a ratio of Γ from Stirling's series with a shift."""
    expansion = (_s - _t) * sp.log(z) + (_s - _t) * (_s + _t - 1) / (2 * z)
    return (
        series(
            "Stirling's series with a shift s, DLMF 5.11.8, is Stirling's series at z+s in powers of 1/z.",
            sp.loggamma(z + _s),
            shifted_stirling(_s, z) + O(z**-2),
            (z, sp.oo),
            by=_plain_stirling,
        ),
        series(
            "The difference of Stirling's series at two shifts expands any ratio.",
            sp.loggamma(z + _s) - sp.loggamma(z + _t),
            expansion + O(z**-2),
            (z, sp.oo),
            by=by_stirling(z),
        ),
    )


def gamma_poisson() -> Derivation:
    """Derive the negative binomial law, the paper's formula and the size of the terms that the limit neglects."""
    constant = sp.loggamma(k + b) - sp.loggamma(k + 1) - sp.loggamma(b)
    in_limit = constant + k * sp.log(x) - (k + b) * sp.log(1 + x)
    law = negative_binomial(k, q)
    correction = -b * (b + 1) / 2 * (1 / a - 1 / (a + D))
    in_paper = -(b + 1) * c / (2 * N) * c * D / (c * D + b * N)
    whole = sp.Function("w")(i)  # the product of the weights of all neurons, whatever they are
    one_total = sp.gamma(n + b * N) / (sp.gamma(n + 1) * sp.gamma(b * N)) * (1 - q) ** (b * N) * q**n
    dirichlet = sp.gamma(n + 1) * sp.gamma(b * N) / sp.gamma(n + b * N)
    generating = ((1 - q) / (1 - q * z)) ** b
    counts = P(sp.Symbol("k_1"), sp.Symbol("..."), sp.Symbol("k_N"))
    weights = sp.Product(whole, (i, 1, N))
    share = {q: (0, 1)}
    return Derivation(
        "gamma-poisson",
        "The gamma-Poisson limit and its first correction",
        OWN,
        "asymptotic",
        (
            *ratio_lemma(),
            limit(
                "With D = xa and a = bN/c, the ratios of Γ near D, D+a and a in the beta-binomial law turn into "
                "powers.",
                sp.Limit(sp.log(P(k, x * a)), a, sp.oo),
                in_limit,
                where={P(k, D): beta_binomial(k, D, b, a - b)},
                by=by_stirling(a),
            ),
            identity(
                "This is the negative binomial law with q = x/(1+x) = cD/(cD+bN), for every k.",
                in_limit,
                sp.log(law),
                where={q: x / (1 + x)},
                by=by_stirling(a),
            ),
            identity(
                "Its value at k = 0 is the silent share of the paper: the paper's formula is exactly the law of this "
                "limit.",
                K(D),
                GP_WORKING,
                where={K(D): N * (1 - P(0)), P(k): law, q: c * D / (c * D + b * N)},
            ),
            series(
                "The next order of the same ratios is the first correction to P(Dᵢ = 0),",
                sp.log(S(D)) + b * sp.log(1 + D / a),
                correction + O(a**-2),
                (a, sp.oo),
                where={S(D): gamma_survival(D, a, b), D: x * a},
                by=by_stirling(a),
            ),
            series(
                "which in the paper's variables is a relative error with a leading term below (b+1)c/(2N).",
                S(D) / (b * N / (c * D + b * N)) ** b,
                1 + in_paper + O((c / N) ** 2),
                (N, sp.oo),
                where={S(D): gamma_survival(D, b * N / c, b), D: x * b * N / c},
                by=by_exponent(N),
            ),
            identity(
                "The total of N such neurons is negative binomial, too: its generating function is that of one neuron "
                "to the power N.",
                generating**N,
                generating.subs(b, b * N),
                domain=share | {z: (0, 1)},
                by=lambda difference: sp.powdenest(difference, force=True),
            ),
            identity(
                "Given their total n, the counts have the law of the urn, whatever q is: only the weights of the urn "
                "remain.",
                counts / P(n),
                dirichlet * weights,
                where={counts: (1 - q) ** (b * N) * q**n * weights, P(n): one_total, whole: i + z},
                domain=share | {N: range(2, 6)},
            ),
        ),
        assumes=("N → ∞ at fixed cD/(bN)",),
        uses=("mean-field", "beta-bernoulli", "urn", "survival"),
    )
