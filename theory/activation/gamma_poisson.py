"""The limit N -> infinity at fixed cD/(bN), its first correction, and its way back to the urn."""

import sympy as sp

from theory.activation.expressions import GP_WORKING, negative_binomial
from theory.activation.symbols import OWN, D, K, N, O, P, S, a, b, c, i, k, n, q, u, x, z
from theory.derivation import Derivation, Step, equation, identity

_s, _t = sp.symbols("s t", real=True)


def shifted_stirling(shift: sp.Expr, large: sp.Expr) -> sp.Expr:
    """Return ln Γ(large + shift) without its terms of order large^-2 and smaller."""
    second = sp.expand(sp.bernoulli(2, shift))
    return (large + shift - sp.Rational(1, 2)) * sp.log(large) - large + sp.log(2 * sp.pi) / 2 + second / (2 * large)


def log_ratio(upper: sp.Expr, lower: sp.Expr, large: sp.Expr) -> sp.Expr:
    """Return ln Γ(large + upper) - ln Γ(large + lower) to the same order."""
    return sp.expand(sp.expand_log(shifted_stirling(upper, large) - shifted_stirling(lower, large)))


def ratio_lemma() -> tuple[Step, ...]:
    """Prove the expansion of a ratio of Γ from Stirling's series with a shift."""
    recursion = log_ratio(_s + 1, _s, z) - sp.log(z)
    expansion = (_s - _t) * sp.log(z) + (_s - _t) * (_s + _t - 1) / (2 * z)
    return (
        identity(
            "Stirling's series with a shift s, DLMF 5.11.8; to the order kept it obeys Γ(z+s+1) = (z+s) Γ(z+s).",
            recursion.subs(z, 1 / u),
            sp.series(sp.log(1 + _s * u), u, 0, 2).removeO(),
            shown=equation(sp.loggamma(z + _s), shifted_stirling(_s, z) + O(z**-2)),
        ),
        identity(
            "The difference of Stirling's series at two shifts expands any ratio.",
            log_ratio(_s, _t, z),
            expansion,
            by=sp.expand,
            shown=equation(sp.loggamma(z + _s) - sp.loggamma(z + _t), expansion + O(z**-2)),
        ),
    )


def gamma_poisson() -> Derivation:
    """Derive the negative binomial law, the paper's formula and the size of what the limit leaves out."""
    samples, total = x * a, (1 + x) * a  # D and D + a at fixed x = cD/(bN)
    constant = sp.loggamma(k + b) - sp.loggamma(k + 1) - sp.loggamma(b)
    finite = constant + log_ratio(1, 1 - k, samples) + log_ratio(-b - k, 0, total) + log_ratio(0, -b, a)
    limit = constant + k * sp.log(x) - (k + b) * sp.log(1 + x)
    law = negative_binomial(k, q)
    in_x = sp.expand_log(sp.log(law.subs(q, x / (1 + x))), force=True).subs(
        {sp.log(sp.gamma(g)): sp.loggamma(g) for g in (k + b, k + 1, b)}
    )
    correction = -b * (b + 1) / 2 * (1 / a - 1 / (a + D))
    in_paper = -(b + 1) * c / (2 * N) * c * D / (c * D + b * N)
    paper = GP_WORKING
    w = sp.Symbol("w", positive=True)  # product of the weights of all neurons
    one_total = sp.gamma(n + b * N) / (sp.gamma(n + 1) * sp.gamma(b * N)) * (1 - q) ** (b * N) * q**n
    dirichlet = sp.gamma(n + 1) * sp.gamma(b * N) / sp.gamma(n + b * N)
    generating = ((1 - q) / (1 - q * z)) ** b
    return Derivation(
        "gamma-poisson",
        "The gamma-Poisson limit and its first correction",
        OWN,
        "asymptotic",
        (
            *ratio_lemma(),
            identity(
                "With D = xa and a = bN/c, the ratios of Γ near D, D+a and a in the beta-binomial law turn into "
                "powers.",
                sp.limit(sp.expand(finite - limit), a, sp.oo),
                sp.S.Zero,
                shown=equation(sp.Limit(sp.log(P(k, x * a)), a, sp.oo), limit),
            ),
            identity(
                "This is the negative binomial law with q = x/(1+x) = cD/(cD+bN), for every k.",
                sp.expand(in_x),
                sp.expand(limit),
                shown=equation(sp.Limit(P(k, x * a), a, sp.oo), law),
            ),
            identity(
                "Its k = 0 is the silent share of the paper: the paper's formula is exactly the law of this limit.",
                N * (1 - law.subs(k, 0).subs(q, c * D / (c * D + b * N))),
                paper,
                shown=equation(K(D), paper),
            ),
            identity(
                "The next order of the same ratios is the first correction to P(Dᵢ = 0),",
                log_ratio(-b, 0, total) + log_ratio(0, -b, a) + b * sp.log(1 + x),
                correction.subs(D, samples),
                shown=equation(sp.log(S(D)) + b * sp.log(1 + D / a), correction + O(a**-2)),
            ),
            identity(
                "which in the paper's variables is a relative error with a leading term below (b+1)c/(2N).",
                correction.subs(a, b * N / c),
                in_paper,
                shown=equation(S(D) / (b * N / (c * D + b * N)) ** b, 1 + in_paper + O((c / N) ** 2)),
            ),
            identity(
                "N such neurons together have a negative binomial total: the generating function to the power N.",
                generating**N,
                generating.subs(b, b * N),
                by=lambda difference: sp.powdenest(difference, force=True),
            ),
            identity(
                "Given that total n their counts are those of the urn, whatever q: only the weights of the urn remain.",
                sp.powsimp(w * (1 - q) ** (b * N) * q**n / one_total),
                dirichlet * w,
                shown=equation(
                    P(sp.Symbol("k_1"), sp.Symbol("..."), sp.Symbol("k_N")),
                    dirichlet * sp.Product(sp.Function("w")(i), (i, 1, N)),
                ),
            ),
        ),
    )
