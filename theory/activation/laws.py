"""Exact laws of the counts D_i in the two microscopic readings of the hypothesis."""

import sympy as sp

from statnn.theory.activation.expressions import beta_binomial
from statnn.theory.activation.symbols import OWN, D, E, Given, N, P, a, b, beta, c, i, k, m, n
from statnn.theory.derivation import Derivation, Step, argued, definition, equation, identity, instance
from statnn.theory.rewriting import by_gamma

_p = sp.Symbol("p", positive=True)


def _master_equation(time: sp.Symbol, total: sp.Expr) -> tuple[Step, ...]:
    """Prove that BetaBinomial(time; b, total - b) solves the master equation of one count."""
    law = beta_binomial(k, time, b, total - b)
    rise = (k + b) / (time + total)
    named = sp.binomial(time, k) * sp.beta(k + b, time - k + total - b) / sp.beta(b, total - b)
    solved = {P(k, time): law}
    few = range(4)
    return (
        identity("The candidate is the beta-binomial law.", P(k, time), named, where=solved, by=by_gamma),
        identity(
            "A count stays or rises by one; over P(k) both sides of this master equation are rational, and equal.",
            P(k, time + 1),
            P(k, time) * (1 - rise) + P(k - 1, time) * rise.subs(k, k - 1),
            where=solved,
            domain={k: range(1, 9)},
            by=by_gamma,
        ),
        identity(
            "At the lower edge nothing comes in from k = −1.",
            P(0, time + 1) / P(0, time),
            1 - rise.subs(k, 0),
            where=solved,
            by=by_gamma,
        ),
        identity(
            "At the upper edge only a neuron that fired every time can rise.",
            P(time + 1, time + 1) / P(time, time),
            rise.subs(k, time),
            where=solved,
            by=by_gamma,
        ),
        identity("The start is a silent neuron,", P(0, 0), sp.S.One, where=solved),
        instance(
            "and the law stays normalised, because what leaves k by rising arrives at k+1; checked up to three.",
            equation(sp.Sum(P(k, time + 1), (k, 0, time + 1)), sp.Sum(P(k, time), (k, 0, time))),
            [sp.Add(*(law.subs({time: size, k: count}) for count in range(size + 1))) for size in few],
            [sp.S.One for _ in few],
            by=lambda gap: sp.simplify(sp.gammasimp(gap)),
        ),
    )


def beta_bernoulli() -> Derivation:
    """Derive BetaBinomial(D; b, bN/c - b) from the master equation, and again from a hidden probability."""
    rise = c * (k + b) / (c * D + b * N)
    power = _p ** (k + b - 1) * (1 - _p) ** (D - k + beta - 1)
    euler = sp.beta(k + b, D - k + beta)
    return Derivation(
        "beta-bernoulli",
        "Count law when samples arrive",
        OWN,
        "exact",
        (
            identity(
                "With a = bN/c the hypothesis is a two-colour Polya urn with b black and a−b white balls.",
                rise,
                (k + b) / (D + a),
                where={a: b * N / c},
            ),
            *_master_equation(D, a),
            identity(
                "De Finetti: a hidden pᵢ from Beta(b, β), β = a−b, with Dᵢ binomial given pᵢ, gives the same law, "
                "because the integral over p is Euler's Beta function.",
                P(k, D),
                sp.binomial(D, k) * sp.Integral(power, (_p, 0, 1)) / sp.beta(b, beta),
                where={P(k, D): beta_binomial(k, D, b, beta)},
                domain={D: range(8, 11), b: (1, 2), beta: (1, 2)},
                by=lambda gap: by_gamma(gap.replace(sp.Integral, lambda *_: euler)),
            ),
            identity(
                "Seen from p, the hypothesis is the posterior mean of pᵢ after k firings in D samples.",
                E(Given(_p, k, D)),
                (k + b) / (D + a),
                where={E(Given(_p, k, D)): euler.subs(k, k + 1).subs(D, D + 1) / euler, a: b + beta},
                by=by_gamma,
            ),
        ),
    )


def urn() -> Derivation:
    """Derive the marginal and joint laws of the urn, and its chain of working neurons."""
    total = n + b * N
    k_i = sp.Symbol("k_i", integer=True, positive=True)
    rest = sp.Symbol("R", positive=True)  # factors of the other neurons, untouched by one event
    # the probability of one given order of events, and of the counts in any order, as far as they depend on one count
    sequence = sp.gamma(b * N) / sp.gamma(n + b * N) * sp.gamma(k_i + b) / sp.gamma(b) * rest
    joint = sequence * sp.gamma(n + 1) / sp.gamma(k_i + 1)
    weight = sp.Function("w")(i)
    law = sp.gamma(n + 1) * sp.gamma(b * N) / sp.gamma(n + b * N) * sp.Product(weight, (i, 1, N))
    h, silent, working = sp.Symbol("h", positive=True), sp.Symbol("U", positive=True), sp.Symbol("K")
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
                P(k_i + 1, n + 1) / P(k_i, n),
                (k_i + b) / total,
                where={P(k_i, n): sequence},
                by=by_gamma,
            ),
            argued(
                "Counting the orders gives the Dirichlet-multinomial law,",
                equation(P(sp.Symbol("k_1"), sp.Symbol("..."), sp.Symbol("k_N")), law),
            ),
            definition("a product of these weights,", weight, sp.gamma(k_i + b) / (sp.gamma(k_i + 1) * sp.gamma(b))),
            identity(
                "which solves the joint master equation: the last event went to neuron i with probability kᵢ/(n+1), "
                "and these shares of the n+1 events add up to one.",
                P(k_i - 1, n) / P(k_i, n + 1) * (k_i - 1 + b) / total,
                k_i / (n + 1),
                where={P(k_i, n): joint},
                by=by_gamma,
            ),
            argued(
                "K alone is a pure birth chain: N−K silent neurons of weight b each.",
                equation(P(Given(working + 1, working, n)), b * (N - working) / total),
            ),
            identity(
                "With h = b/(n+bN), an event takes U = N−K to U−1 with probability hU, so the mean obeys a closed "
                "recursion,",
                (1 - h * silent) * silent + h * silent * (silent - 1),
                (1 - h) * silent,
            ),
            identity(
                "and so does every factorial moment: it shrinks by 1 − mh.",
                (1 - h * silent) * sp.binomial(silent, m) + h * silent * sp.binomial(silent - 1, m),
                (1 - m * h) * sp.binomial(silent, m),
                by=by_gamma,
            ),
        ),
    )
