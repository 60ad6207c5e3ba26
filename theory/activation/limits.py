"""Limits in which the law of activation is an old acquaintance."""

import sympy as sp

from theory.activation.expressions import gamma_survival, negative_binomial
from theory.activation.gamma_poisson import log_ratio
from theory.activation.symbols import OWN, D, Given, K, N, O, P, S, a, b, c, j, k, n, q, theta, u
from theory.derivation import Derivation, equation, identity


def limits() -> Derivation:
    """Derive over-parameterisation, Fisher's log-series and Ewens' sampling law."""
    exact = log_ratio(D - b, D, a) + log_ratio(0, -b, a)
    paper = N * (1 - (1 + c * D / (b * N)) ** (-b))
    smooth = sp.gamma(k + b) / (sp.gamma(k + 1) * sp.gamma(1 + b)) * (1 - q) ** b * q**k
    series = -(q**k) / (k * sp.log(1 - q))
    ewens = theta * sp.log(1 + c * D / theta)
    silent = gamma_survival(n, theta, b)
    hoppe = theta * (sp.polygamma(0, theta + n) - sp.polygamma(0, theta))
    seen = sp.symbols("k", integer=True, positive=True)
    return Derivation(
        "limits",
        "More neurons, rarer neurons: three limits",
        OWN,
        "asymptotic",
        (
            identity(
                "At fixed D and growing a = bN/c the Γ ratios of S leave one term of order 1/a,",
                exact,
                -b * D / a,
                shown=equation(sp.log(S(D)), -b * D / a + O(a**-2)),
            ),
            identity(
                "so each activation finds a new neuron: more neurons never hurt.",
                sp.limit(N * (b * D / a).subs(a, b * N / c), N, sp.oo),
                c * D,
                shown=equation(sp.Limit(K(D), N, sp.oo), c * D),
            ),
            identity(
                "The paper's formula has the same limit.",
                sp.series(paper.subs(N, 1 / u), u, 0, 1).removeO(),
                c * D,
                shown=equation(sp.Limit(paper, N, sp.oo), c * D),
            ),
            identity(
                "For b → 0 at fixed q, bΓ(b) = Γ(1+b) takes the factor b out of the negative binomial law,",
                sp.gammasimp(negative_binomial(k, q) / smooth),
                b,
                shown=equation(P(k), b * smooth),
            ),
            identity(
                "and b also leaves 1 − P(0) = 1 − (1−q)ᵇ: given k ≥ 1 the counts follow Fisher's log-series, α = 1.",
                (smooth.subs(b, 0) * sp.limit(b / (1 - (1 - q) ** b), b, 0)).subs(k, seen),
                series.subs(k, seen),
                by=lambda difference: sp.simplify(sp.gammasimp(difference)),
                shown=equation(sp.Limit(P(Given(k, k >= 1)), b, 0), series),
            ),
            identity(
                "With bN = θ fixed, N → ∞, q stays cD/(cD+θ) and the paper's formula becomes Ewens' at leading order.",
                sp.limit((1 - (1 + c * D / theta) ** (-b)) * theta / b, b, 0),
                ewens,
                shown=equation(sp.Limit(K(D), N, sp.oo), ewens),
            ),
            identity(
                "The urn becomes Hoppe's: N(1−S) = θ(1−S)/b tends to the derivative of −S at b = 0.",
                -theta * sp.diff(silent, b).subs(b, 0),
                hoppe,
                shown=equation(sp.Limit(K(n), b, 0), hoppe),
            ),
            identity(
                "This is the sum of the chances θ/(j+θ) of a new colour at each event, by ψ(z+1) − ψ(z) = 1/z.",
                sp.expand_func(hoppe.subs(n, n + 1) - hoppe),
                theta / (theta + n),
                shown=equation(hoppe, sp.Sum(theta / (theta + j), (j, 0, n - 1))),
            ),
        ),
    )
