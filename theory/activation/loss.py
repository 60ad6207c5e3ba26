"""Two losses that the activation law suggests: the missing mass, and any per-neuron loss l(k)."""

from __future__ import annotations

from typing import Any

import mpmath
import sympy as sp

from statnn.theory.activation.expressions import beta_binomial, gamma_survival
from statnn.theory.activation.symbols import OWN, D, E, Given, M, N, P, S, a, b, beta, c, i, k
from statnn.theory.derivation import Derivation, identity, limit
from statnn.theory.rewriting import by_gamma


class Loss(sp.Function):
    """The loss of a neuron seen k times, `Loss(k)`: an arbitrary function."""

    nargs = 1

    @staticmethod
    def _imp_(count: Any) -> Any:
        """Return values of an example that is not monotone: sin k + exp(-k/2)."""
        return mpmath.sin(count) + mpmath.exp(-count / 2)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        tex = f"l({printer._print(self.args[0])})"  # noqa: SLF001 - sympy's hook
        return tex if exp is None else f"{tex}^{{{exp}}}"


def loss() -> Derivation:
    """Derive the missing mass, the size-biased law of the counts, and the local exponents b and b+1."""
    per_sample = c * D + b * N
    to_paper = {beta: a - b, N: a * c / b}
    mass = N * b / per_sample
    ratio = N / c * sp.beta(b + 1, beta + D) / sp.beta(b, beta)
    power = {M(D): S(D) * mass, S(D): (b * N / per_sample) ** b}
    biased = {P(Given(k, D, b + 1)): beta_binomial(k, D, b + 1, beta)}
    p_i, d_i, p, alpha = sp.symbols("p_i D_i p alpha")
    posterior = {E(Given(p, k)): (k + b) / (D + a), P(k): beta_binomial(k, D, b, beta)}
    loss_of_neuron = {E(p_i * Loss(d_i)): sp.Sum(P(k) * E(Given(p, k)) * Loss(k), (k, 0, D))}
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
                M(D),
                S(D) * mass,
                where={M(D): N * S(D) * b / (D + a) / c, S(D): gamma_survival(D, a, b), a: b * N / c},
            ),
            identity(
                "With the hidden pᵢ it is (N/c) E[p(1−p)ᴰ], a ratio of Beta functions.",
                M(D),
                ratio,
                where={M(D): S(D) * mass, S(D): gamma_survival(D, b + beta, b)} | to_paper,
                by=by_gamma,
            ),
            identity(
                "For gamma-Poisson it is one more power of the same ratio.",
                M(D),
                (b * N / per_sample) ** (b + 1),
                where=power,
                by=lambda difference: sp.powsimp(sp.expand_power_base(difference)),
            ),
            identity(
                "Weight the loss l(k) of a neuron seen k times by how often it will fire: given Dᵢ = k, pᵢ has the "
                "mean (k+b)/(D+a), and N/c times this mean turns the law of the counts into the size-biased one, in "
                "which b+1 replaces b;",
                N / c * E(Given(p, k)) * P(k),
                P(Given(k, D, b + 1)),
                where=biased | posterior | to_paper,
                by=by_gamma,
            ),
            identity(
                "summed over the neurons, the weighted loss is the mean of l(k) over that law.",
                sp.Sum(E(p_i * Loss(d_i)), (i, 1, N)) / c,
                sp.Sum(Loss(k) * P(Given(k, D, b + 1)), (k, 0, D)),
                where=loss_of_neuron | biased | posterior | {beta: a - b, c: b * N / a},
                domain={D: range(2, 5), N: range(2, 5), b: (1, 2), a: (3, 6)},
                by=_term_by_term,
            ),
            identity(
                "The size-biased law is normalised like any beta-binomial; at k = 0 it is the missing mass.",
                P(Given(0, D, b + 1)),
                M(D),
                where=biased | {M(D): ratio} | to_paper,
                by=by_gamma,
            ),
            identity(
                "In gamma-Poisson the exponent of the silent share climbs from 0 to b around cD = bN,",
                -D * sp.Derivative(sp.log(S(D)), D),
                b * knee,
                where=power,
            ),
            identity(
                "and that of the missing mass from 0 to b+1.",
                -D * sp.Derivative(sp.log(M(D)), D),
                (b + 1) * knee,
                where=power,
            ),
            limit("The ends of the climb:", sp.Limit(knee, D, sp.oo), 1),
            limit("fully developed at late times, absent at the start.", sp.Limit(knee, D, 0), 0),
            identity("In terms of α the two exponents are 1 − α and 2 − α.", b + 1, 2 - alpha, where={alpha: 1 - b}),
        ),
        assumes=("the loss of a neuron depends on how often it has fired, and is weighted by how often it will fire",),
        uses=("beta-bernoulli", "survival", "gamma-poisson"),
    )


def _term_by_term(gap: sp.Expr) -> sp.Expr:
    """Compare sums over k term by term, with a factor for every sum over equal neurons."""

    def term(total: sp.Sum) -> sp.Expr:
        others = [last - first + 1 for index, first, last in total.limits if not total.function.has(index)]
        return total.function * sp.prod(others)

    return by_gamma(gap.replace(lambda part: isinstance(part, sp.Sum), term))
