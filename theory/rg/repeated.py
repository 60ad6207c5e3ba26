"""How signals sink in depth: the leading nonlinearity of a layer, and the coordinate in which a layer adds one."""

from typing import NamedTuple

import sympy as sp

from theory.derivation import Derivation, equation, identity
from theory.rg.functional import OURS

x, u, n, m = sp.symbols("x u n m", positive=True)
d, w, r = sp.symbols("d w r", real=True)
X = sp.Symbol("X", positive=True)
Z = n + 1
O = sp.Function("O")


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


def _germ(k: int) -> sp.Expr:
    """Return (f/x)^n in X = x^n up to X^k for f = x - u x^z + d x^(2z-1)."""
    return sp.series((1 - u * X + d * X**2) ** n, X, 0, k + 1).removeO()


def depth_scaling() -> Derivation:
    """h_m and its logarithm, for every order; tanh, erf and sigmoid."""
    A, h = sp.Function("A"), sp.Symbol("h_m")
    layers = {
        "tanh": leading(sp.tanh(x), x, most=3),
        "erf": leading(sp.erf(sp.sqrt(sp.pi) / 2 * x), x, most=3),
        "sigmoid": leading(1 / (1 + sp.exp(2 - 4 * x)), x, sp.Rational(1, 2), most=3),
    }
    residue = Z / 2 - d / u**2
    grown = 1 / (n * u * X) * (1 / _germ(2) - 1) + residue / n * sp.log(_germ(1))
    rise = sp.series(grown, X, 0, 2).removeO()
    depth = sp.Symbol("M", positive=True)
    ratio = sp.series((1 + r / n * X) ** (-1 / n), X, 0, 2).removeO()
    return Derivation(
        "depth-scaling",
        "How signals sink in a critical network",
        OURS,
        "asymptotic",
        (
            identity(
                "Write f = x − u x to the power z + d x to the power 2z − 1, with n = z − 1 and X = x to the power n. "
                "The coordinate A = 1/(nuX) + (r/n) ln X grows by one from layer to layer, up to order X²,",
                sp.expand(rise),
                sp.S.One,
                shown=equation(A(sp.Function("f")(x)) - A(x), 1 + O(X**2)),
            ),
            identity(
                "if the residue is this. A change of coordinate does not alter it.",
                sp.solve(
                    sp.series(1 / (n * u * X) * (1 / _germ(2) - 1) + r / n * sp.log(_germ(1)), X, 0, 2)
                    .removeO()
                    .coeff(X, 1),
                    r,
                )[0],
                residue,
                shown=equation(r, residue),
            ),
            identity(
                "So 1/(nuX) = m + (r/n) ln m + O(1), and signals of any start sink as",
                sp.limit((depth + r / n * sp.log(depth)) / depth, depth, sp.oo),
                sp.S.One,
                shown=equation(h, (n * u * m) ** (-1 / n)),
            ),
            identity(
                "with the relative correction",
                ratio,
                1 - r * X / n**2,
                shown=equation(h * (n * u * m) ** (1 / n), 1 - r / n**2 * sp.log(m) / m + O(1 / m)),
            ),
            identity(
                "For tanh z = 3, u = 1/3,",
                layers["tanh"].coefficient,
                sp.Rational(1, 3),
                shown=equation(u, sp.Rational(1, 3)),
            ),
            identity(
                "so that h falls as",
                (2 * layers["tanh"].coefficient * m) ** sp.Rational(-1, 2),
                sp.sqrt(3 / (2 * m)),
                shown=equation(h, sp.sqrt(3 / (2 * m))),
            ),
            identity(
                "and its residue is 3/10.",
                layers["tanh"].residue,
                sp.Rational(3, 10),
                shown=equation(r, sp.Rational(3, 10)),
            ),
            identity(
                "For erf the critical weight is √π/2, and",
                layers["erf"].coefficient,
                sp.pi / 12,
                shown=equation(u, sp.pi / 12),
            ),
            identity(
                "with the residue 3/5.", layers["erf"].residue, sp.Rational(3, 5), shown=equation(r, sp.Rational(3, 5))
            ),
            identity(
                "For the sigmoid w = 4 and b = −2 make x = 1/2 critical, and",
                layers["sigmoid"].coefficient,
                sp.Rational(4, 3),
                shown=equation(u, sp.Rational(4, 3)),
            ),
            identity(
                "with the residue of tanh, which it is in another coordinate.",
                layers["sigmoid"].residue,
                layers["tanh"].residue,
                shown=equation(r, sp.Rational(3, 10)),
            ),
        ),
    )


DISTANCE = sp.Symbol("A", real=True, nonzero=True)
FINITE_DEPTH = (u * (1 - sp.exp(-n * DISTANCE)) / DISTANCE) ** (-2 / n)
"""F(A, 0): m^(2/n) h_m² near criticality, A = (w/w_c - 1) m."""


def finite_depth() -> Derivation:
    """Scaling function without noise, from the flow out of infinity."""
    t = sp.Symbol("t", real=True, nonzero=True)
    v, G, Q = sp.Function("v"), sp.Function("F"), sp.Symbol("A", positive=True)
    inverse = u * (1 - sp.exp(-n * t * m)) / t
    return Derivation(
        "finite-depth",
        "Finite-depth scaling near criticality",
        OURS,
        "exact",
        (
            identity(
                "At the distance t = w/w′ − 1 from the critical weight w′ the flow is dh/dm = th − uh to the power z; "
                "with v the power −n of h it is linear,",
                sp.diff(inverse, m),
                -n * t * inverse + n * u,
                shown=equation(sp.Derivative(v(m), m), -n * t * v(m) + n * u),
            ),
            identity(
                "and v = 0 at m = 0 is a start at infinity, which is forgotten like any other.",
                inverse.subs(m, 0),
                sp.S.Zero,
                shown=equation(v(m), u * (1 - sp.exp(-n * t * m)) / t),
            ),
            identity(
                "So depth and distance meet in A = tm alone,",
                (inverse / m).subs(t, DISTANCE / m),
                u * (1 - sp.exp(-n * DISTANCE)) / DISTANCE,
                shown=equation(G(DISTANCE), FINITE_DEPTH),
            ),
            identity(
                "at criticality with the amplitude of before,",
                sp.limit(u * (1 - sp.exp(-n * Q)) / Q, Q, 0),
                n * u,
                shown=equation(G(sp.S.Zero), (n * u) ** (-2 / n)),
            ),
            identity(
                "and far above with the fixed point that opens there.",
                sp.limit(u * (1 - sp.exp(-n * Q)), Q, sp.oo),
                u,
                shown=equation(sp.Limit(G(Q) * Q ** (-2 / n), Q, sp.oo), u ** (-2 / n)),
            ),
        ),
    )
