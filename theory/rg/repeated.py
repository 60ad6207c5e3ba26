"""How signals sink in depth: the leading nonlinearity of a layer, and the coordinate in which a layer adds one."""

from typing import NamedTuple

import sympy as sp

from statnn.theory.derivation import Derivation, equation
from statnn.theory.rg.checked import checked
from statnn.theory.rg.functional import OURS

x, u, n, m = sp.symbols("x u n m", positive=True)
d, w, r = sp.symbols("d w r", real=True)
X = sp.Symbol("X", positive=True)
Z = n + 1


class Leading(NamedTuple):
    """f(x* + x) = x* + x - u x^z + ..., and the residue r of the depth coordinate 1/(n u x^n) + ... + r ln x."""

    order: int
    coefficient: sp.Expr
    residue: sp.Expr


def leading(layer: sp.Expr, variable: sp.Symbol, at: sp.Expr = sp.S.Zero, *, most: int = 8) -> Leading:
    """Return order, coefficient and residue of a layer at a fixed point of slope one, by its Taylor series.

    Parameters
    ----------
    layer : sympy.Expr
        f, an expression in `variable`.
    variable : sympy.Symbol
        x.
    at : sympy.Expr
        The fixed point x*.
    most : int
        Highest order z that is looked for.

    Raises
    ------
    ValueError
        If `at` is no fixed point, the slope there is not one, or no nonlinearity is found.

    Examples
    --------
    >>> leading(sp.tanh(x), x)
    Leading(order=3, coefficient=1/3, residue=3/10)
    """
    shifted = layer.subs(variable, at + variable) - at
    terms = [sp.simplify(sp.diff(shifted, variable, k).subs(variable, 0) / sp.factorial(k)) for k in range(most + 1)]
    if terms[0] != 0:
        raise ValueError(f"{at} is no fixed point of {layer}: it is mapped to {terms[0] + at}")
    if terms[1] != 1:
        raise ValueError(f"the slope of {layer} at {at} is {terms[1]}, not one: choose the critical weight")
    order = next((k for k in range(2, most + 1) if terms[k] != 0), None)
    if order is None:
        raise ValueError(f"{layer} has no nonlinearity up to x^{most}")
    terms += [
        sp.simplify(sp.diff(shifted, variable, k).subs(variable, 0) / sp.factorial(k))
        for k in range(most + 1, 2 * order)
    ]
    # the residue of 1/(x - f) does not depend on the coordinate; that of the flow is z/2 less
    gap = sum(terms[k] * variable ** (k - order) for k in range(order, 2 * order))
    index = sp.series(1 / gap, variable, 0, order).removeO().coeff(variable, order - 1)
    return Leading(order, sp.simplify(-terms[order]), sp.simplify(sp.Rational(order, 2) + index))


def _coordinate(at: sp.Expr) -> sp.Expr:
    """Return A, with the logarithm of a product of positive numbers as a sum."""
    return 1 / (n * u * at) + sp.expand(r / n * sp.expand_log(sp.log(at), force=True))


def depth_scaling() -> Derivation:
    """h_m and its logarithm, for every order; tanh, erf and sigmoid."""
    A, h, f = sp.Function("A"), sp.Function("h"), sp.Function("f")
    layers = {
        "tanh": leading(sp.tanh(x), x, most=3),
        "erf": leading(sp.erf(sp.sqrt(sp.pi) / 2 * x), x, most=3),
        "sigmoid": leading(1 / (1 + sp.exp(2 - 4 * x)), x, sp.Rational(1, 2), most=3),
    }
    residue = Z / 2 - d / u**2
    where = {f: lambda at: at * (1 - u * at + d * at**2) ** n, A: _coordinate}
    constant = sp.Symbol("C", real=True)
    deep = {h: lambda depth: (n * u * (depth + r / n * sp.log(depth) + constant)) ** (-1 / n)}
    return Derivation(
        "depth-scaling",
        "How signals sink in a critical network",
        OURS,
        "asymptotic",
        (
            checked(
                "Write x − u x to the power z + d x to the power 2z − 1 for a layer, n = z − 1 and X = x to the power "
                "n, which the layer takes to f(X). The coordinate A(X) = 1/(nuX) + (r/n) ln X grows by one a layer, "
                "up to a term that vanishes as X,",
                equation(sp.Limit(A(f(X)) - A(X), X, 0), sp.S.One),
                where,
            ),
            checked(
                "and up to X² if r is the residue z/2 − d/u². A change of coordinate does not alter it.",
                equation(sp.Limit((A(f(X)) - A(X) - 1) / X, X, 0), u * (residue - r)),
                where,
            ),
            checked(
                "So 1/(nuX) = m + (r/n) ln m + C after m layers, with a constant C of the start, and signals of any "
                "start sink as",
                equation(sp.Limit(h(m) * (n * u * m) ** (1 / n), m, sp.oo), sp.S.One),
                deep,
            ),
            checked(
                "with the relative correction −(r/n²) ln m/m:",
                equation(sp.Limit((h(m) * (n * u * m) ** (1 / n) - 1) * m / sp.log(m), m, sp.oo), -r / n**2),
                deep,
            ),
            checked("For tanh z = 3, u = 1/3,", equation(u, sp.Rational(1, 3)), {u: layers["tanh"].coefficient}),
            checked(
                "so that h falls as",
                equation((n * u * m) ** (-1 / n), sp.sqrt(3 / (2 * m))),
                {u: layers["tanh"].coefficient, n: sp.Integer(2)},
            ),
            checked("and its residue is 3/10.", equation(r, sp.Rational(3, 10)), {r: layers["tanh"].residue}),
            checked(
                "For erf the critical weight is √π/2, and", equation(u, sp.pi / 12), {u: layers["erf"].coefficient}
            ),
            checked("with the residue 3/5.", equation(r, sp.Rational(3, 5)), {r: layers["erf"].residue}),
            checked(
                "For the sigmoid w = 4 and b = −2 make x = 1/2 critical, and",
                equation(u, sp.Rational(4, 3)),
                {u: layers["sigmoid"].coefficient},
            ),
            checked(
                "with the residue of tanh, which it is in another coordinate.",
                equation(r, sp.Rational(3, 10)),
                {r: layers["sigmoid"].residue},
            ),
        ),
    )


DISTANCE = sp.Symbol("A", real=True, nonzero=True)
FINITE_DEPTH = (u * (1 - sp.exp(-n * DISTANCE)) / DISTANCE) ** (-2 / n)
"""F(A, 0): m^(2/n) h_m² near criticality, A = (w/w_c - 1) m."""


def finite_depth() -> Derivation:
    """Scaling function without noise, from the flow out of infinity."""
    t, h = sp.Symbol("t", real=True, nonzero=True), sp.Symbol("h", positive=True)
    v, F, Q = sp.Function("v"), sp.Function("F"), sp.Symbol("A", positive=True)
    inverse = {v: lambda depth: u * (1 - sp.exp(-n * t * depth)) / t}
    scaling = {F: lambda at: FINITE_DEPTH.subs(DISTANCE, at)}
    return Derivation(
        "finite-depth",
        "Finite-depth scaling near criticality",
        OURS,
        "exact",
        (
            checked(
                "At the distance t = w/w′ − 1 from the critical weight w′ the flow is dh/dm = th − uh to the power z; "
                "with v the power −n of h it is linear,",
                equation(sp.Derivative(h ** (-n), h) * (t * h - u * h**Z), -n * t * h ** (-n) + n * u),
            ),
            checked(
                "which is solved by",
                equation(
                    sp.Derivative(u * (1 - sp.exp(-n * t * m)) / t, m),
                    -n * t * (u * (1 - sp.exp(-n * t * m)) / t) + n * u,
                ),
            ),
            checked(
                "and v = 0 at m = 0 is a start at infinity, which is forgotten like any other.",
                equation(v(sp.S.Zero), sp.S.Zero),
                inverse,
            ),
            checked(
                "So depth and distance meet in A = tm alone, in m to the power 2/n times h²,",
                equation((v(m) / m) ** (-2 / n), FINITE_DEPTH),
                {**inverse, DISTANCE: t * m},
            ),
            checked(
                "at criticality with the amplitude of before,",
                equation(sp.Limit(F(Q), Q, 0), (n * u) ** (-2 / n)),
                scaling,
            ),
            checked(
                "and far above with the fixed point that opens there.",
                equation(sp.Limit(F(Q) * Q ** (-2 / n), Q, sp.oo), u ** (-2 / n)),
                scaling,
            ),
        ),
    )
