"""Where the number of working neurons grows fastest on a logarithmic axis of samples."""

import sympy as sp

from theory.activation.expressions import GP_WORKING, gamma_survival
from theory.activation.symbols import OWN, D, K, N, a, b, c, x
from theory.derivation import Derivation, Step, equation, identity


def _log_slope(expr: sp.Expr, variable: sp.Symbol) -> sp.Expr:
    """Return d ln(expr) / d ln(variable)."""
    return variable * sp.diff(sp.log(expr), variable)


def growth() -> Derivation:
    """Derive the transition at cD = N, and the stationarity condition of the exact law."""
    rate = N * b * x / (1 + x) ** (b + 1)
    slope = (1 - b * x) / (1 + x)
    curvature = (b + 1) * x / (1 + x) ** 2
    height = N * (b / (b + 1)) ** (b + 1)
    silent = gamma_survival(D, a, b)
    h = sp.polygamma(0, D + a) - sp.polygamma(0, D + a - b)
    stationary = 1 + D * sp.diff(h, D) / h - D * h
    g, named = sp.Function("g"), sp.Function("h")(D)
    return Derivation(
        "growth",
        "The transition on a logarithmic axis",
        OWN,
        "exact",
        (
            identity(
                "New neurons per unit of ln D in the gamma-Poisson law, with x = cD/(bN): call it g.",
                (D * sp.diff(GP_WORKING, D)).subs(D, b * N * x / c),
                rate,
                shown=equation(D * sp.Derivative(K(D), D), rate),
            ),
            identity(
                "Its logarithmic slope changes sign once, at x = 1/b.",
                _log_slope(rate, x),
                slope,
                shown=equation(x * sp.Derivative(sp.log(g(x)), x), slope),
            ),
            identity(
                "So the growth is steepest at cD = N, for every b,",
                slope.subs(x, c * D / (b * N)).subs(D, N / c),
                sp.S.Zero,
                shown=equation(c * D, N),
            ),
            identity("where it is", rate.subs(x, 1 / b), height, shown=equation(g(1 / b), height)),
            Step(
                "and the second logarithmic derivative is negative everywhere: a maximum.",
                equation(x * sp.Derivative(slope, x, evaluate=False), -curvature),
                sp.simplify(x * sp.diff(slope, x) + curvature),
                curvature,
            ),
            identity(
                "For beta-Bernoulli the growth is N D S h, with the hazard h = −d ln S/dD,",
                sp.expand_log(-sp.diff(sp.log(silent), D)),
                h,
                shown=equation(named, h),
            ),
            identity(
                "and it is stationary where this vanishes; a numerical root, near cD = N.",
                _log_slope(D * silent * h, D),
                stationary,
                shown=equation(1 + D * sp.Derivative(named, D) / named - D * named, sp.S.Zero),
            ),
        ),
    )
