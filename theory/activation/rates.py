"""The rate equation of the working neurons and its solution: the formula of the paper."""

import sympy as sp

from theory.activation.expressions import GP_WORKING
from theory.activation.symbols import D0, K0, TEXT, D, K, N, b, c, k
from theory.derivation import Derivation, equation, identity


def mean_field() -> Derivation:
    """Derive K(D) from the stable activation probability hypothesis."""
    probability = c * (k + b) / (c * D + b * N)
    rate = (N - K(D)) * b * c / (c * D + b * N)
    general = N - (N - K0) * ((c * D0 + b * N) / (c * D + b * N)) ** b
    paper = GP_WORKING
    total = sp.Symbol("T", positive=True)
    over_neurons = c * (total + b * N) / (c * D + b * N)
    return Derivation(
        "mean-field",
        "Rate equation of the working neurons",
        TEXT,
        "paper",
        (
            identity(
                "The hypothesis pᵢ = c(Dᵢ+b)/(cD+bN) is consistent: with T = sum of Dᵢ = cD activations so far, the "
                "next sample activates c neurons on average.",
                over_neurons.subs(total, c * D),
                c,
                shown=equation(over_neurons.subs(total, sp.Symbol("T")), c),
            ),
            identity(
                "Each of the N−K silent neurons has Dᵢ = 0, and the next sample wakes it with pᵢ.",
                (N - K(D)) * probability.subs(k, 0),
                rate,
                shown=equation(sp.Derivative(K(D), D), rate),
            ),
            identity(
                "The rate equation is linear in N−K and is solved, from any start (D₀, K₀), by this power.",
                sp.diff(general, D),
                rate.subs(K(D), general),
                shown=equation(K(D), general),
            ),
            identity("At D = D₀ the solution is the start.", general.subs(D, D0), K0, shown=equation(K(D0), K0)),
            identity(
                "From nothing, D₀ = K₀ = 0, it is the formula of the paper.",
                general.subs({D0: 0, K0: 0}),
                paper,
                shown=equation(K(D), paper),
            ),
            identity(
                "The noise-to-signal ratio (N−K)/N is the silent share.",
                (N - paper) / N,
                (b * N / (c * D + b * N)) ** b,
                shown=equation((N - K(D)) / N, (b * N / (c * D + b * N)) ** b),
            ),
        ),
    )
