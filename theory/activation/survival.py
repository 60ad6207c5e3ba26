"""How long a neuron stays silent, exactly, and how much the number of working neurons fluctuates."""

from __future__ import annotations

import sympy as sp

from statnn.theory.activation.expressions import beta_binomial, gamma_survival
from statnn.theory.activation.symbols import D0, OWN, D, E, Given, K, M, N, P, S, V, a, b, k, m, n
from statnn.theory.derivation import Derivation, definition, identity, inequality
from statnn.theory.rewriting import by_gamma


def survival() -> Derivation:
    """Derive S(D) by induction, the joint silence S_m of urn neurons, and both variances of K."""
    silent = gamma_survival(D, a, b)
    several = gamma_survival(n, b * N, m * b)
    h = b / (n + b * N)
    s, s1, s2, share = sp.symbols("S S_1 S_2 h", positive=True)

    def variance(first: sp.Expr, second: sp.Expr) -> sp.Expr:
        """Return Var U from the factorial moments N S_1 and N (N-1) S_2 of U = N - K."""
        return N * (N - 1) * second + N * first - (N * first) ** 2

    S_ = sp.Function("S_m")
    of_urn = N * s1 * (1 - s1) + N * (N - 1) * (s2 - s1**2)
    alone, together = {S(D): silent}, {S_(n): several}
    return Derivation(
        "survival",
        "Silent neurons: survival and fluctuations",
        OWN,
        "exact",
        (
            definition("The share of neurons silent after D samples; between whole D this defines S.", S(D), silent),
            identity("By induction: it starts at S(0) = 1.", S(0), sp.S.One, where=alone),
            identity(
                "One more sample leaves a silent neuron silent with probability 1 − b/(D+a).",
                S(D + 1),
                S(D) * (1 - b / (D + a)),
                where=alone,
                by=by_gamma,
            ),
            identity(
                "The law of the counts agrees at k = 0.",
                P(0, D),
                S(D),
                where={P(k, D): beta_binomial(k, D, b, a - b)} | alone,
                by=by_gamma,
            ),
            identity(
                "A neuron still silent at D₀ goes on as a fresh one with a + D₀ in the place of a.",
                S(Given(D, D0)),
                S(D) / S(D0),
                where={S(Given(D, D0)): gamma_survival(D - D0, a + D0, b)} | alone,
                by=by_gamma,
            ),
            definition("In the urn, the probability that m given neurons, m < N, are all silent", S_(n), several),
            identity(
                "falls with every event, as together they carry the weight mb as long as they are silent,",
                S_(n + 1),
                S_(n) * (1 - m * b / (n + b * N)),
                where=together,
                by=by_gamma,
            ),
            identity(
                "and starts at one, so that the factorial moments of N−K are N!/(N−m)! Sₘ.",
                S_(0),
                sp.S.One,
                where=together,
            ),
            identity(
                "By the law of its counts a neuron of the urn is silent as in beta-Bernoulli with c = 1.",
                E(K(n)),
                N * (1 - S(n)),
                where={E(K(n)): N * (1 - beta_binomial(0, n, b, b * N - b)), S(D): silent.subs(a, b * N)},
            ),
            identity(
                "In beta-Bernoulli the neurons are independent: S₂ = S², and K is binomial.",
                V(K(D)),
                N * S(D) * (1 - S(D)),
                where={V(K(D)): variance(s, s**2), S(D): s},
            ),
            identity("In the urn they are not independent.", V(K(n)), of_urn, where={V(K(n)): variance(s1, s2)}),
            inequality(
                "They compete: every event lowers S₂ more than S₁², so the urn fluctuates less.",
                (1 - h) ** 2,
                1 - 2 * h,
                h**2,
            ),
            identity(
                "The same variance grows by a recursion without cancellation: with h = b/(n+bN) and M = h E[N−K] the "
                "probability that the next event wakes a neuron, no term is negative, as N ≥ 2.",
                V(n + 1),
                V(n) * (1 - 2 * share) + M(n) * (1 - M(n)),
                where={
                    V(n + 1): variance(s1 * (1 - h), s2 * (1 - 2 * h)),
                    V(n): variance(s1, s2),
                    M(n): h * N * s1,
                    share: h,
                },
            ),
        ),
        uses=("beta-bernoulli", "urn"),
    )
