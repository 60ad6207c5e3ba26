"""How long a neuron stays silent, exactly, and how much the number of working neurons fluctuates."""

import sympy as sp

from theory.activation.expressions import beta_binomial, gamma_survival
from theory.activation.symbols import D0, OWN, D, E, Given, K, M, N, S, V, a, b, m, n
from theory.derivation import Derivation, equation, identity, inequality


def survival() -> Derivation:
    """Derive S(D) by induction, the joint silence S_m of urn neurons, and both variances of K."""
    silent = gamma_survival(D, a, b)
    several = gamma_survival(n, b * N, m * b)
    h = b / (n + b * N)
    s, s1, s2 = sp.symbols("S S_1 S_2", positive=True)

    def variance(first: sp.Expr, second: sp.Expr) -> sp.Expr:
        """Return Var U from the factorial moments N S_1 and N (N-1) S_2 of U = N - K."""
        return N * (N - 1) * second + N * first - (N * first) ** 2

    S_ = sp.Function("S_m")
    return Derivation(
        "survival",
        "Silent neurons: survival and fluctuations",
        OWN,
        "exact",
        (
            identity("Induction starts at S(0) = 1.", silent.subs(D, 0), sp.S.One, shown=equation(S(0), sp.S.One)),
            identity(
                "One more sample leaves a silent neuron silent with probability 1 − b/(D+a).",
                sp.gammasimp(silent.subs(D, D + 1) / silent),
                1 - b / (D + a),
                shown=equation(S(D + 1), S(D) * (1 - b / (D + a))),
            ),
            identity(
                "The law of the counts agrees at k = 0; between whole D this defines S.",
                sp.gammasimp(beta_binomial(0, D, b, a - b) / silent),
                sp.S.One,
                shown=equation(S(D), silent),
            ),
            identity(
                "A neuron still silent at D₀ goes on as a fresh one with a + D₀ in the place of a.",
                sp.gammasimp(silent / silent.subs(D, D0)),
                sp.gammasimp(gamma_survival(D - D0, a + D0, b)),
                shown=equation(S(Given(D, D0)), S(D) / S(D0)),
            ),
            identity(
                "In the urn, m given neurons carry the weight mb as long as they are silent,",
                sp.gammasimp(several.subs(n, n + 1) / several),
                1 - m * h,
                shown=equation(S_(n + 1), S_(n) * (1 - m * b / (n + b * N))),
            ),
            identity(
                "so that the factorial moments of N−K are N!/(N−m)! Sₘ.",
                several.subs(n, 0),
                sp.S.One,
                shown=equation(S_(n), several),
            ),
            identity(
                "One neuron of the urn is silent as in beta-Bernoulli with c = 1.",
                several.subs(m, 1),
                silent.subs({a: b * N, D: n}),
                shown=equation(E(K(n)), N * (1 - S(n))),
            ),
            identity(
                "In beta-Bernoulli the neurons are independent: S₂ = S², and K is binomial.",
                variance(s, s**2),
                N * s * (1 - s),
                shown=equation(V(K(D)), N * S(D) * (1 - S(D))),
            ),
            identity(
                "In the urn they are not.",
                variance(s1, s2),
                N * s1 * (1 - s1) + N * (N - 1) * (s2 - s1**2),
                shown=equation(V(K(n)), N * s1 * (1 - s1) + N * (N - 1) * (s2 - s1**2)),
            ),
            inequality(
                "They compete: every event lowers S₂ more than S₁², so the urn fluctuates less.",
                (1 - h) ** 2,
                1 - 2 * h,
                h**2,
            ),
            identity(
                "The same variance grows by a recursion without cancellation: with h = b/(n+bN) and M = h E[N−K] the "
                "probability that the next event wakes a neuron, every term is positive for N ≥ 2.",
                variance(s1 * (1 - h), s2 * (1 - 2 * h)),
                variance(s1, s2) * (1 - 2 * h) + h * N * s1 * (1 - h * N * s1),
                shown=equation(V(n + 1), V(n) * (1 - 2 * sp.Symbol("h")) + M(n) * (1 - M(n))),
            ),
        ),
    )
