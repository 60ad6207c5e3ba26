"""Two losses that the activation law suggests: the missing mass, and any per-neuron loss l(k)."""

import sympy as sp

from theory.activation.expressions import beta_binomial, gamma_survival
from theory.activation.symbols import OWN, D, E, Given, M, N, P, S, a, b, beta, c, k
from theory.derivation import Derivation, equation, identity


def loss() -> Derivation:
    """Derive the missing mass, the size-biased law of the counts, and the local exponents b and b+1."""
    silent = gamma_survival(D, b + beta, b)
    per_sample = c * D + b * N
    to_paper = {beta: a - b, N: a * c / b}
    mass = N * b / per_sample
    ratio = N / c * sp.beta(b + 1, beta + D) / sp.beta(b, beta)
    power = (b * N / per_sample) ** b
    law = beta_binomial(k, D, b, beta)
    biased = beta_binomial(k, D, b + 1, beta)
    loss_of, p_i, d_i = sp.Function("l"), sp.Symbol("p_i"), sp.Symbol("D_i")

    def exponent(expr: sp.Expr) -> sp.Expr:
        """Return -d ln(expr) / d ln D."""
        return -D * sp.diff(sp.log(expr), D)

    knee = c * D / per_sample
    return Derivation(
        "loss",
        "Missing mass, size-biased counts, and the exponents b and b+1",
        OWN,
        "exact",
        (
            identity(
                "A silent neuron still fires with probability b/(D+a) in the next sample; the share of the next "
                "sample's activations that falls on silent neurons is the missing mass, in all three laws.",
                (N * b / (D + a) / c).subs(a, b * N / c),
                mass,
                shown=equation(M(D), S(D) * mass),
            ),
            identity(
                "With the hidden pᵢ it is (N/c) E[p(1−p)ᴰ], a ratio of Beta functions.",
                sp.gammasimp((ratio / silent).rewrite(sp.gamma)).subs(to_paper),
                mass.subs(to_paper),
                shown=equation(M(D), ratio),
            ),
            identity(
                "For gamma-Poisson it is one more power of the same ratio.",
                mass * power,
                (b * N / per_sample) ** (b + 1),
                by=lambda difference: sp.powsimp(sp.expand_power_base(difference)),
                shown=equation(M(D), (b * N / per_sample) ** (b + 1)),
            ),
            identity(
                "For a loss l(k) of a neuron seen k times, weighted by how often it will fire: given Dᵢ = k, pᵢ has "
                "the mean (k+b)/(D+a), and N/c times it turns the law of the counts into the size-biased one, in "
                "which b+1 replaces b.",
                sp.gammasimp(biased / law).subs(to_paper),
                (N / c * (k + b) / (D + b + beta)).subs(to_paper),
                shown=equation(
                    sp.Sum(E(p_i * loss_of(d_i)), (sp.Symbol("i"), 1, N)) / c,
                    sp.Sum(loss_of(k) * P(Given(k, D, b + 1)), (k, 0, D)),
                ),
            ),
            identity(
                "The size-biased law is normalised as any beta-binomial; at k = 0 it is the missing mass.",
                sp.gammasimp((biased.subs(k, 0) / ratio).rewrite(sp.gamma)).subs(to_paper),
                sp.S.One,
                shown=equation(P(Given(0, D, b + 1)), M(D)),
            ),
            identity(
                "In gamma-Poisson the exponent of the silent share climbs from 0 to b around cD = bN,",
                exponent(power),
                b * knee,
                shown=equation(-D * sp.Derivative(sp.log(S(D)), D), b * knee),
            ),
            identity(
                "and that of the missing mass from 0 to b+1.",
                exponent(mass * power),
                (b + 1) * knee,
                shown=equation(-D * sp.Derivative(sp.log(M(D)), D), (b + 1) * knee),
            ),
            identity(
                "The ends of the climb:",
                sp.limit(knee, D, sp.oo),
                1,
                shown=equation(sp.Limit(knee, D, sp.oo), 1),
            ),
            identity(
                "fully developed at late times, absent at the start.",
                knee.subs(D, 0),
                sp.S.Zero,
                shown=equation(sp.Limit(knee, D, 0), 0),
            ),
            identity(
                "In terms of α the two exponents are 1 − α and 2 − α.",
                (b + 1).subs(b, 1 - sp.Symbol("alpha")),
                2 - sp.Symbol("alpha"),
                shown=equation(b + 1, 2 - sp.Symbol("alpha")),
            ),
        ),
    )
