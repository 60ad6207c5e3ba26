"""The rate equation of the working neurons and its solution: the formula of the paper."""

from __future__ import annotations

import sympy as sp

from statnn.theory.activation.expressions import GP_WORKING
from statnn.theory.activation.symbols import D0, K0, TEXT, D, K, N, b, c
from statnn.theory.derivation import Derivation, definition, identity


def mean_field() -> Derivation:
    """Derive K(D) from the stable activation probability hypothesis."""
    rate = (N - K(D)) * b * c / (c * D + b * N)
    general = N - (N - K0) * ((c * D0 + b * N) / (c * D + b * N)) ** b
    total = sp.Symbol("T")
    solved = {K(D): general}
    return Derivation(
        "mean-field",
        "Rate equation of the working neurons",
        TEXT,
        "paper",
        (
            identity(
                "The hypothesis pᵢ = c(Dᵢ+b)/(cD+bN) is consistent: with T = sum of Dᵢ = cD activations so far, the "
                "next sample activates c neurons on average.",
                c * (total + b * N) / (c * D + b * N),
                c,
                where={total: c * D},
            ),
            identity(
                "Each of the N−K silent neurons has Dᵢ = 0, and the next sample wakes it with probability pᵢ. This "
                "rate equation is linear in N−K,",
                sp.Derivative(K(D), D),
                rate,
                where=solved,
            ),
            definition("and solved, from any start (D₀, K₀), by this power.", K(D), general),
            identity("At D = D₀ the solution is the start.", K(D0), K0, where=solved),
            identity(
                "From nothing, D₀ = K₀ = 0, it is the formula of the paper.",
                K(D),
                GP_WORKING,
                where=solved | {D0: 0, K0: 0},
            ),
            identity(
                "The noise-to-signal ratio (N−K)/N is the silent share.",
                (N - K(D)) / N,
                (b * N / (c * D + b * N)) ** b,
                where={K(D): GP_WORKING},
            ),
        ),
        assumes=(
            "the hypothesis pᵢ = c(Dᵢ+b)/(cD+bN) for the next sample",
            "K stands for its mean, and D is continuous",
        ),
    )
