"""How far the paper's formula can be from the exact law: a bound with proof, tight at leading order.

The exact exponent L = -ln S is compared with the paper's L_0 = b ln(1+D/a) through their derivatives, the
hazards h = psi(y+b) - psi(y) and h_0 = b/(y+b) at y = D+a-b. The hazard is bounded between rational functions by
telescoping: its distance from each is a sum of positive terms.
"""

from __future__ import annotations

import sympy as sp

from statnn.theory.activation.expressions import EXPONENT_BOUND, gamma_survival
from statnn.theory.activation.symbols import D0, OWN, D, E, K, N, O, S, a, b, beta, j, u, x, y, z
from statnn.theory.derivation import Derivation, Step, argued, definition, identity, inequality, limit, series
from statnn.theory.rewriting import by_telescoping
from statnn.theory.step import simplified

K_0, S_0 = sp.Function("K_0"), sp.Function("S_0")


def rational_above(at: sp.Expr) -> sp.Expr:
    """Return a function f with f(z) - f(z+1) slightly larger than 1/z^2."""
    return 1 / at + 1 / (2 * at**2) + 1 / (6 * at**3)


def _by_recursion(gap: sp.Expr) -> sp.Expr:
    """Use psi(z+1) = psi(z) + 1/z."""
    return sp.simplify(sp.expand_func(gap))


def _hazards() -> tuple[Step, ...]:
    f, h = sp.Function("f"), sp.Function("h")
    hazard = {h(y): sp.polygamma(0, y + b) - sp.polygamma(0, y)}
    above = b * (f(y) + f(y + b)) / 2
    from_below = b * (b + 1) / ((y + j) * (y + b + j) * (y + b + j + 1))
    chord = b**3 / (2 * (y + j) ** 2 * (y + b + j) ** 2)
    cubes = 1 / ((y + j) ** 3 * (y + j + 1) ** 3) + 1 / ((y + b + j) ** 3 * (y + b + j + 1) ** 3)
    proof = by_telescoping(y, _by_recursion)
    return (
        identity(
            "By ψ(z+1) − ψ(z) = 1/z, used twice, the hazard h = ψ(y+b) − ψ(y) of a silent neuron falls from y to y+1 "
            "by this,",
            h(y) - h(y + 1),
            b / (y * (y + b)),
            where=hazard,
            by=_by_recursion,
        ),
        limit(
            "and it vanishes at infinity: h(y) is the sum of all its falls from y on.",
            sp.Limit(h(y), y, sp.oo),
            0,
            where=hazard,
        ),
        inequality(
            "The same holds for h₀ = b/(y+b), which is smaller term by term: the exact hazard is larger, S is smaller, "
            "and the paper's formula never overestimates K.",
            h(y),
            b / (y + b),
            sp.Sum(from_below, (j, 0, sp.oo)),
            written=">",
            where=hazard,
            by=proof,
        ),
        inequality(
            "For a bound from above, f(z) = 1/z + 1/(2z²) + 1/(6z³) falls from z to z+1 by more than 1/z²,",
            f(z) - f(z + 1),
            1 / z**2,
            1 / (6 * z**3 * (z + 1) ** 3),
            where={f(z): rational_above(z)},
        ),
        inequality(
            "and the mean of 1/y² and 1/(y+b)² exceeds their geometric mean, so that, term by term again, the hazard "
            "is smaller than the mean of f at both ends.",
            above,
            h(y),
            sp.Sum(chord + b / 12 * cubes, (j, 0, sp.oo)),
            written="<",
            where={f(z): rational_above(z)} | hazard,
            by=proof,
        ),
    )


def _split_logs(expr: sp.Expr) -> sp.Expr:
    """Write every logarithm of a ratio as a difference."""
    return expr.replace(sp.log, lambda ratio: sp.expand_log(sp.log(sp.together(ratio))))


def _integrated() -> tuple[Step, ...]:
    excess = b / 2 * (rational_above(D + beta) + rational_above(D + a)) - b / (D + a)
    shown = EXPONENT_BOUND.subs({D: D - D0, beta: beta + D0, a: a + D0}, simultaneous=True)
    leading = b * (b + 1) / 2 * (1 / a - 1 / (a + D))
    bound = {E(D): EXPONENT_BOUND}
    silent = gamma_survival(D, a, a - beta).replace(sp.gamma, lambda at: sp.exp(sp.loggamma(at)))
    logarithm = -b * sp.log(1 + D / a) - sp.expand_log(sp.log(silent), force=True)  # of S₀/S
    hazard = sp.polygamma(0, D + beta + b) - sp.polygamma(0, D + beta)
    return (
        definition("The function", E(D), EXPONENT_BOUND),
        identity(
            "has as its derivative the difference between that mean and h₀, at y = D + β and y + b = D + a, so that "
            "ln(S₀/S) grows more slowly;",
            sp.Derivative(E(D), D),
            excess,
            where=bound | {a: beta + b},
        ),
        identity("integrated from D = 0, where S = S₀ = 1,", E(0), sp.S.Zero, where=bound),
        argued(
            "E bounds this logarithm, which is not negative: both are 0 at D = 0, and the slope of E is larger by the "
            "mean of f minus the hazard.",
            sp.Le(sp.log(S_0(D) / S(D)), E(D), evaluate=False),
            [EXPONENT_BOUND.subs(D, 0), sp.diff(EXPONENT_BOUND - logarithm, D).subs(a, beta + b)],
            [logarithm.subs(D, 0), b / 2 * (rational_above(D + beta) + rational_above(D + beta + b)) - hazard],
        ),
        identity(
            "From a start at D₀ the integral runs from D₀: β, a and D become β+D₀, a+D₀ and D−D₀.",
            E(D) - E(D0),
            shown,
            where=bound,
            by=lambda difference: simplified(_split_logs(difference)),
        ),
        series(
            "For N → ∞ at fixed x = D/a the bound is, at leading order, the first correction of the limit itself: it "
            "is tight.",
            E(D),
            leading + O(a**-2),
            (a, sp.oo),
            where=bound | {D: x * a, beta: a - b},
            by=_split_logs,
        ),
    )


def _relative() -> tuple[Step, ...]:
    s, s0 = sp.symbols("S S_0", positive=True)
    v, w = sp.symbols("v w", positive=True)
    error = v / (w + v + w * v)
    return (
        identity(
            "The relative error of the paper's formula, with v = S₀/S − 1 > 0 and w = 1/S₀ − 1 > 0,",
            (s0 - s) / (1 - s),
            error,
            where={v: s0 / s - 1, w: 1 / s0 - 1},
        ),
        inequality("rises with v, which is exp(ln(S₀/S)) − 1,", sp.Derivative(error, v), 0, w / (w + v + w * v) ** 2),
        inequality(
            "so E(D) in the place of ln(S₀/S), which is smaller, bounds it; with S₀/S = 1 + v and exp E(D) = 1 + v + u "
            "the difference is, for every u > 0,",
            s0 * (1 - sp.exp(-E(D))) / (1 - s0 * sp.exp(-E(D))),
            (K(D) - K_0(D)) / K(D),
            u * w / ((w + v + w * v) * (w + v + u + w * (v + u))),
            where={
                K(D): N * (1 - s),
                K_0(D): N * (1 - s0),
                E(D): sp.log(1 + v + u),
                s: s0 / (1 + v),
                s0: 1 / (1 + w),
            },
        ),
        limit(
            "As β → 0 (c → N) E diverges, and what is left of the bound is S₀ < 1.",
            sp.Limit(s0 * (1 - sp.exp(-u)) / (1 - s0 * sp.exp(-u)), u, sp.oo),
            s0,
            domain={s0: (0, 1)},
        ),
    )


def bound() -> Derivation:
    """Bound the relative error of the paper's formula against beta-Bernoulli; the urn is c = 1, D = n."""
    return Derivation(
        "bound",
        "Error bound of the paper's formula",
        OWN,
        "own",
        (*_hazards(), *_integrated(), *_relative()),
        uses=("survival", "gamma-poisson"),
    )
