"""How far the paper's formula can be from the exact law: a bound with proof, tight at leading order.

The exact exponent L = -ln S is compared with the paper's L_0 = b ln(1+D/a) through their derivatives, the
hazards h = psi(y+b) - psi(y) and h_0 = b/(y+b) at y = D+a-b. Two facts on psi' do all the work: it decreases
and is convex, and telescoping sums hold it between rational functions.
"""

import sympy as sp

from theory.activation.expressions import EXPONENT_BOUND
from theory.activation.symbols import D0, OWN, D, E, K, O, a, b, beta, u, x, y, z
from theory.derivation import Derivation, Step, equation, identity, inequality

K_0 = sp.Function("K_0")


def trigamma_above(at: sp.Expr) -> sp.Expr:
    """Return the rational function that lies above psi'."""
    return 1 / at + 1 / (2 * at**2) + 1 / (6 * at**3)


def _hazards() -> tuple[Step, ...]:
    psi1 = sp.polygamma(1, z)
    h, h0 = sp.polygamma(0, y + b) - sp.polygamma(0, y), b / (y + b)
    above = b / 2 * (trigamma_above(y) + trigamma_above(y + b))
    third = 6 / z**4
    return (
        identity(
            "ψ′ is the sum of 1/(z+j)², for it falls by 1/z² from z to z+1 and vanishes at infinity;",
            sp.expand_func(sp.polygamma(1, z + 1)) - psi1,
            -1 / z**2,
            shown=equation(psi1 - sp.polygamma(1, z + 1), 1 / z**2),
        ),
        Step(
            "so it decreases and, term by term, is convex: the second derivative of every 1/z² is positive.",
            equation(sp.Derivative(1 / z**2, z, 2), third),
            sp.diff(1 / z**2, z, 2) - third,
            third,
        ),
        inequality(
            "Telescoping from below: each term exceeds the fall of 1/z, hence ψ′(z) > 1/z.",
            1 / z**2,
            1 / z - 1 / (z + 1),
            1 / (z**2 * (z + 1)),
        ),
        inequality(
            "Telescoping from above: each term is less than the fall of f(z) = 1/z + 1/(2z²) + 1/(6z³), hence ψ′(z) < "
            "f(z).",
            trigamma_above(z) - trigamma_above(z + 1),
            1 / z**2,
            1 / (6 * z**3 * (z + 1) ** 3),
        ),
        identity(
            "ψ′ decreases, so h is at least b ψ′(y+b) > b/(y+b) = h₀: the exact hazard is larger, S is smaller, and "
            "the paper's formula never overestimates K.",
            b * (1 / z).subs(z, y + b),
            h0,
            shown=sp.Gt(h, h0, evaluate=False),
        ),
        identity(
            "ψ′ is convex, so its mean over (y, y+b) is at most the mean of its end values (Hermite-Hadamard), each "
            "below f.",
            b * (trigamma_above(y) + trigamma_above(y + b)) / 2,
            above,
            shown=sp.Lt(h, above, evaluate=False),
        ),
    )


def _split_logs(expr: sp.Expr) -> sp.Expr:
    """Write every logarithm of a ratio as a difference."""
    return expr.replace(sp.log, lambda ratio: sp.expand_log(sp.log(sp.together(ratio))))


def _integrated() -> tuple[Step, ...]:
    excess = b / 2 * (trigamma_above(y) + trigamma_above(y + b)) - b / (y + b)
    bound = EXPONENT_BOUND.subs(a, beta + b)
    restart = bound.subs({D: z, beta: beta + D0}, simultaneous=True)
    shown = EXPONENT_BOUND.subs({D: D - D0, beta: beta + D0, a: a + D0}, simultaneous=True)
    in_limit = EXPONENT_BOUND.subs({D: x * a, beta: a - b}, simultaneous=True).subs(a, 1 / u)
    leading = b * (b + 1) / 2 * (1 / a - 1 / (a + D))
    return (
        identity(
            "Hence ln(S₀/S) grows more slowly than the function E(D) with this derivative, at y = D + β, y + b = D + "
            "a;",
            sp.diff(bound, D),
            excess.subs(y, D + beta),
            shown=equation(sp.Derivative(E(D), D), excess.subs(y, D + beta).subs(D + beta + b, D + a)),
        ),
        identity(
            "integrated from no samples, where S = S₀ = 1,",
            bound.subs(D, 0),
            sp.S.Zero,
            shown=equation(E(0), 0),
        ),
        Step(
            "it bounds the logarithm: 0 ≤ ln(S₀/S) ≤ E(D).",
            equation(E(D), EXPONENT_BOUND),
            bound.subs(D, 0),
        ),
        identity(
            "From a start at D₀ the integral runs from D₀: β, a and D become β+D₀, a+D₀ and D−D₀.",
            (bound - bound.subs(D, D0)).subs(D, D0 + z),
            restart,
            by=lambda difference: sp.simplify(_split_logs(difference)),
            shown=equation(E(D) - E(D0), shown),
        ),
        identity(
            "For N → ∞ at fixed x = D/a the bound is, at leading order, the first correction of the limit itself: it "
            "is tight.",
            sp.series(_split_logs(in_limit), u, 0, 2).removeO(),
            leading.subs(D, x * a).subs(a, 1 / u),
            shown=equation(E(D), leading + O(a**-2)),
        ),
    )


def _relative() -> tuple[Step, ...]:
    s, s0 = sp.symbols("S S_0", positive=True)
    w, v = sp.symbols("w v", positive=True)
    error = v / (w + v + w * v)
    rising = w / (w + v + w * v) ** 2
    in_bound = s0 * (1 - sp.exp(-E(D))) / (1 - s0 * sp.exp(-E(D)))
    return (
        identity(
            "The relative error of the paper's formula, with v = S₀/S − 1 > 0 and w = 1/S₀ − 1 > 0,",
            ((1 - s) - (1 - s0)) / (1 - s),
            error.subs({v: s0 / s - 1, w: 1 / s0 - 1}),
            shown=equation((s0 - s) / (1 - s), error),
        ),
        Step(
            "rises with v, which is exp(ln(S₀/S)) − 1,",
            equation(sp.Derivative(error, v), rising),
            sp.simplify(sp.diff(error, v) - rising),
            rising,
        ),
        identity(
            "so E(D) in the place of ln(S₀/S) bounds it; as β → 0 (c → N) E diverges and the bound is S₀ < 1.",
            error.subs({v: sp.exp(E(D)) - 1, w: 1 / s0 - 1}),
            in_bound,
            shown=sp.Le((K(D) - K_0(D)) / K(D), in_bound, evaluate=False),
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
    )
