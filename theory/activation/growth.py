"""The point where the number of working neurons grows fastest on a logarithmic axis of samples."""

from __future__ import annotations

import sympy as sp

from statnn.theory.activation.expressions import GP_WORKING, gamma_survival
from statnn.theory.activation.symbols import OWN, D, K, N, S, a, b, c, x
from statnn.theory.derivation import Derivation, identity, inequality


def growth() -> Derivation:
    """Derive the transition at cD = N, and the stationarity condition of the exact law."""
    rate = N * b * x / (1 + x) ** (b + 1)
    slope = (1 - b * x) / (1 + x)
    silent = gamma_survival(D, a, b)
    hazard = sp.polygamma(0, D + a) - sp.polygamma(0, D + a - b)
    g, h = sp.Function("g"), sp.Function("h")
    return Derivation(
        "growth",
        "The transition on a logarithmic axis",
        OWN,
        "exact",
        (
            identity(
                "New neurons per unit of ln D in the gamma-Poisson law, with x = cD/(bN): call it g.",
                D * sp.Derivative(K(D), D),
                rate,
                where={K(D): GP_WORKING, D: b * N * x / c},
            ),
            identity(
                "Its logarithmic slope changes sign once, at x = 1/b.",
                x * sp.Derivative(sp.log(g(x)), x),
                slope,
                where={g(x): rate},
            ),
            identity(
                "So the growth is steepest at cD = N, for every b: there the slope vanishes,",
                slope.subs(x, c * D / (b * N)),
                0,
                where={D: N / c},
            ),
            identity("where the growth is", g(1 / b), N * (b / (b + 1)) ** (b + 1), where={g(x): rate}),
            inequality(
                "and the second logarithmic derivative is negative everywhere: this is a maximum.",
                -x * sp.Derivative(slope, x, evaluate=False),
                0,
                (b + 1) * x / (1 + x) ** 2,
            ),
            identity(
                "For beta-Bernoulli the growth is N D S h, with the hazard h = −d ln S/dD,",
                -sp.Derivative(sp.log(S(D)), D),
                hazard,
                where={S(D): silent},
            ),
            identity(
                "and it is stationary where this vanishes: a numerical root, near cD = N where c ≪ N.",
                D * sp.Derivative(sp.log(D * S(D) * h(D)), D),
                1 + D * sp.Derivative(h(D), D) / h(D) - D * h(D),
                where={S(D): silent, h(D): hazard},
            ),
        ),
        assumes=("D is continuous",),
        uses=("survival", "gamma-poisson"),
    )
