"""Exact laws of the counts D_i in the two microscopic readings of the hypothesis."""

import sympy as sp

from theory.activation.expressions import beta_binomial
from theory.activation.symbols import OWN, D, E, Given, N, P, U, a, b, beta, c, i, k, m, n
from theory.derivation import Derivation, Step, equation, identity

_p = sp.Symbol("p", positive=True)


def _by_gamma(expr: sp.Expr) -> sp.Expr:
    """Write everything in Γ and cancel."""
    return sp.gammasimp(expr.rewrite(sp.gamma))


def _master_equation(time: sp.Symbol, total: sp.Expr) -> tuple[Step, ...]:
    """Prove that BetaBinomial(time; b, total - b) solves the master equation of one count."""
    law = beta_binomial(k, time, b, total - b)
    later = law.subs(time, time + 1)
    rise = (k + b) / (time + total)
    named = sp.binomial(time, k) * sp.beta(k + b, time - k + total - b) / sp.beta(b, total - b)
    return (
        identity(
            "The candidate is the beta-binomial law.",
            named / law,
            sp.S.One,
            by=_by_gamma,
            shown=equation(P(k, time), named),
        ),
        identity(
            "A count stays or rises by one; over P(k) both sides of this master equation are rational, and equal.",
            sp.gammasimp(later / law),
            1 - rise + sp.gammasimp(law.subs(k, k - 1) / law) * rise.subs(k, k - 1),
            by=sp.cancel,
            shown=equation(P(k, time + 1), P(k, time) * (1 - rise) + P(k - 1, time) * rise.subs(k, k - 1)),
        ),
        identity(
            "At the lower edge nothing comes in from k = −1.",
            sp.gammasimp((later / law).subs(k, 0)),
            1 - rise.subs(k, 0),
            shown=equation(P(0, time + 1) / P(0, time), 1 - rise.subs(k, 0)),
        ),
        identity(
            "At the upper edge only a neuron that fired every time can rise.",
            sp.gammasimp(later.subs(k, time + 1) / law.subs(k, time)),
            rise.subs(k, time),
            shown=equation(P(time + 1, time + 1) / P(time, time), rise.subs(k, time)),
        ),
        identity(
            "The start is a silent neuron,",
            law.subs(k, 0).subs(time, 0),
            sp.S.One,
            shown=equation(P(0, 0), sp.S.One),
        ),
        identity(
            "and the law stays normalised, because what leaves k by rising arrives at k+1.",
            (1 - rise) + rise,
            sp.S.One,
            shown=equation(sp.Sum(P(k, time + 1), (k, 0, time + 1)), sp.Sum(P(k, time), (k, 0, time))),
        ),
    )


def beta_bernoulli() -> Derivation:
    """Derive BetaBinomial(D; b, bN/c - b) from the master equation, and again from a hidden probability."""
    rise = c * (k + b) / (c * D + b * N)
    power = _p ** (k + b - 1) * (1 - _p) ** (D - k + beta - 1)
    mixed = sp.binomial(D, k) * sp.Integral(power, (_p, 0, 1)) / sp.beta(b, beta)
    law = beta_binomial(k, D, b, beta)
    return Derivation(
        "beta-bernoulli",
        "Count law when samples arrive",
        OWN,
        "exact",
        (
            identity(
                "With a = bN/c the hypothesis is a two-colour Polya urn with b black and a−b white balls.",
                rise.subs(N, a * c / b),
                (k + b) / (D + a),
                shown=equation(rise, (k + b) / (D + a)),
            ),
            *_master_equation(D, a),
            identity(
                "De Finetti: a hidden pᵢ from Beta(b, β), β = a−b, with Dᵢ binomial given pᵢ, gives the same law, "
                "because the integral over p is Euler's Beta function.",
                sp.binomial(D, k) * sp.beta(k + b, D - k + beta) / sp.beta(b, beta) / law,
                sp.S.One,
                by=_by_gamma,
                shown=equation(P(k, D), mixed),
            ),
            identity(
                "Seen from p, the hypothesis is the posterior mean of pᵢ after k firings in D samples.",
                _by_gamma(sp.beta(k + b + 1, D - k + beta) / sp.beta(k + b, D - k + beta)),
                (k + b) / (D + b + beta),
                shown=equation(E(Given(_p, k, D)), (k + b) / (D + a)),
            ),
        ),
    )


def urn() -> Derivation:
    """Derive the marginal and joint laws of the urn, and its chain of working neurons."""
    total = n + b * N
    k_i = sp.Symbol("k_i", integer=True, positive=True)
    rest = sp.Symbol("R", positive=True)  # factors of the other neurons, untouched by one event

    def sequence(count: sp.Expr, events: sp.Expr) -> sp.Expr:
        """Return the probability of one given order of events, as far as it depends on one count."""
        return sp.gamma(b * N) / sp.gamma(events + b * N) * sp.gamma(count + b) / sp.gamma(b) * rest

    def joint(count: sp.Expr, events: sp.Expr) -> sp.Expr:
        """Return the probability of the counts in any order."""
        return sequence(count, events) * sp.gamma(events + 1) / sp.gamma(count + 1)

    product = sp.Function("w")(i)
    law = sp.gamma(n + 1) * sp.gamma(b * N) / sp.gamma(n + b * N) * sp.Product(product, (i, 1, N))
    weight = equation(product, sp.gamma(k_i + b) / (sp.gamma(k_i + 1) * sp.gamma(b)))
    h = b / total
    falling = sp.Symbol("F", positive=True)  # U (U-1) ... (U-m+2), the factors that both moments share
    silent = sp.Symbol("U", positive=True)
    after = (1 - h * silent) * falling * (silent - m + 1) + h * silent * falling / silent * (silent - m + 1) * (
        silent - m
    )
    return Derivation(
        "urn",
        "Laws of the Polya urn of activation events",
        OWN,
        "exact",
        (
            *_master_equation(n, b * N),
            identity(
                "Jointly: in a given order of events, raising Dᵢ by one costs the factor pᵢ, whatever came before; so "
                "all orders of the same counts are equally likely.",
                sp.gammasimp(sequence(k_i + 1, n + 1) / sequence(k_i, n)),
                (k_i + b) / total,
                shown=equation(P(k_i + 1, n + 1) / P(k_i, n), (k_i + b) / total),
            ),
            identity(
                "Counting the orders gives the Dirichlet-multinomial law, a product of these weights,",
                sp.gammasimp(joint(k_i, n) / sequence(k_i, n) / (sp.gamma(n + 1) / sp.gamma(k_i + 1))),
                sp.S.One,
                shown=weight,
            ),
            identity(
                "which solves the joint master equation: the last event went to neuron i with probability kᵢ/(n+1), "
                "and these shares of the n+1 events add up to one.",
                sp.gammasimp(joint(k_i - 1, n) / joint(k_i, n + 1)) * (k_i - 1 + b) / total,
                k_i / (n + 1),
                shown=equation(P(sp.Symbol("k_1"), sp.Symbol("..."), sp.Symbol("k_N")), law),
            ),
            identity(
                "K alone is a pure birth chain: N−K silent neurons of weight b each.",
                (N - sp.Symbol("K")) * (0 + b) / total,
                b * (N - sp.Symbol("K")) / total,
                shown=equation(P(Given(sp.Symbol("K") + 1, sp.Symbol("K"), n)), b * (N - sp.Symbol("K")) / total),
            ),
            identity(
                "With h = b/(n+bN), an event takes U = N−K to U−1 with probability hU, so the mean obeys a closed "
                "recursion,",
                (1 - h * silent) * silent + h * silent * (silent - 1),
                (1 - h) * silent,
                shown=equation(E(U(n + 1)), (1 - h) * E(U(n))),
            ),
            identity(
                "and so does every factorial moment: it shrinks by 1 − mh.",
                after,
                (1 - m * h) * falling * (silent - m + 1),
                shown=equation(E(sp.binomial(U(n + 1), m)), (1 - m * h) * E(sp.binomial(U(n), m))),
            ),
        ),
    )
