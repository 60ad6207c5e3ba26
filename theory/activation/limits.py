"""Limits in which the law of activation becomes a well-known one."""

from __future__ import annotations

import sympy as sp

from statnn.theory.activation.expressions import gamma_survival, negative_binomial
from statnn.theory.activation.symbols import OWN, D, Given, K, N, O, P, S, a, b, c, j, k, n, q, theta
from statnn.theory.derivation import Derivation, identity, limit, series
from statnn.theory.rewriting import by_exponent, by_gamma, by_induction, by_stirling


def limits() -> Derivation:
    """Derive over-parameterisation, Fisher's log-series and Ewens' sampling law."""
    paper = N * (1 - (1 + c * D / (b * N)) ** (-b))
    smooth = sp.gamma(k + b) / (sp.gamma(k + 1) * sp.gamma(1 + b)) * (1 - q) ** b * q**k
    counted = negative_binomial(k, q)
    ewens = theta * sp.log(1 + c * D / theta)
    hoppe = theta * (sp.polygamma(0, theta + n) - sp.polygamma(0, theta))
    share = {q: (0, 1)}

    def by_slope(expr: sp.Expr) -> sp.Expr:
        """Take the limit b → 0 of an expression over b, as its slope at 0."""
        return sp.diff(sp.expand(expr * b), b).subs(b, 0)

    return Derivation(
        "limits",
        "More neurons, rarer neurons: three limits",
        OWN,
        "asymptotic",
        (
            series(
                "At fixed D and growing a = bN/c the Γ ratios of S leave one term of order 1/a,",
                sp.log(S(D)),
                -b * D / a + O(a**-2),
                (a, sp.oo),
                where={S(D): gamma_survival(D, a, b)},
                by=by_stirling(a),
            ),
            limit(
                "so each activation finds a new neuron: more neurons never hurt.",
                sp.Limit(K(D), N, sp.oo),
                c * D,
                where={K(D): N * (1 - gamma_survival(D, b * N / c, b))},
                by=lambda body: N * by_exponent(N)(sp.expand(body / N)),
            ),
            limit("The paper's formula has the same limit.", sp.Limit(paper, N, sp.oo), c * D),
            identity(
                "For b → 0 at fixed q, bΓ(b) = Γ(1+b) takes the factor b out of the negative binomial law,",
                P(k),
                b * smooth,
                where={P(k): counted},
                domain=share,
                by=by_gamma,
            ),
            limit(
                "and 1 − P(0) = 1 − (1−q)ᵇ is of order b, too: given k ≥ 1 the counts follow Fisher's log-series, α = "
                "1.",
                sp.Limit(P(Given(k, k >= 1)), b, 0),
                -(q**k) / (k * sp.log(1 - q)),
                where={P(Given(k, k >= 1)): counted / (1 - (1 - q) ** b)},
                domain=share | {k: range(1, 9)},
                by=lambda body: sp.gammasimp(smooth).subs(b, 0) * sp.simplify(body * b / (b * smooth)),
            ),
            limit(
                "With bN = θ fixed, N → ∞, q stays cD/(cD+θ) and the paper's formula becomes Ewens' at leading order.",
                sp.Limit(K(D), N, sp.oo),
                ewens,
                where={K(D): paper, b: theta / N},
            ),
            limit(
                "The urn becomes Hoppe's: N(1−S) = θ(1−S)/b tends to the derivative of −S at b = 0.",
                sp.Limit(K(n), b, 0),
                hoppe,
                where={K(n): N * (1 - gamma_survival(n, theta, b)), N: theta / b},
                by=by_slope,
            ),
            identity(
                "This is the sum of the chances θ/(j+θ) of a new colour at each event, by ψ(z+1) − ψ(z) = 1/z.",
                hoppe,
                sp.Sum(theta / (theta + j), (j, 0, n - 1)),
                domain={n: range(1, 9)},
                by=by_induction(n, 0, lambda step: sp.simplify(sp.expand_func(step))),
            ),
        ),
        uses=("survival", "urn", "gamma-poisson"),
    )
