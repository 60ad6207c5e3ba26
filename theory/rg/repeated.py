"""Decay of signals in depth: the leading nonlinearity of a layer, and the coordinate to which a layer adds one."""

from __future__ import annotations

from typing import NamedTuple

import sympy as sp

from statnn.theory.derivation import Derivation, Step, argued, equation, identity, limit, series
from statnn.theory.notation import O
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
        Highest order z to search for.

    Raises
    ------
    ValueError
        If `at` is not a fixed point, the slope there is not one, or no nonlinearity is found.

    Examples
    --------
    >>> leading(sp.tanh(x), x)
    Leading(order=3, coefficient=1/3, residue=3/10)
    """
    shifted = layer.subs(variable, at + variable) - at
    terms = [sp.simplify(sp.diff(shifted, variable, k).subs(variable, 0) / sp.factorial(k)) for k in range(most + 1)]
    if terms[0] != 0:
        raise ValueError(f"{at} is not a fixed point of {layer}: it is mapped to {terms[0] + at}")
    if terms[1] != 1:
        raise ValueError(f"the slope of {layer} at {at} is {terms[1]}, not one: choose the critical weight")
    order = next((k for k in range(2, most + 1) if terms[k] != 0), None)
    if order is None:
        raise ValueError(f"{layer} has no nonlinearity up to x^{most}")
    terms += [
        sp.simplify(sp.diff(shifted, variable, k).subs(variable, 0) / sp.factorial(k))
        for k in range(most + 1, 2 * order)
    ]
    # the residue of 1/(x - f) does not depend on the coordinate; that of the flow is smaller by z/2
    gap = sum(terms[k] * variable ** (k - order) for k in range(order, 2 * order))
    index = sp.series(1 / gap, variable, 0, order).removeO().coeff(variable, order - 1)
    return Leading(order, sp.simplify(-terms[order]), sp.simplify(sp.Rational(order, 2) + index))


def _coordinates() -> tuple[Step, ...]:
    A, h, f = sp.Function("A"), sp.Function("h"), sp.Function("f")
    where = {f(X): X * (1 - u * X + d * X**2) ** n, A(X): 1 / (n * u * X) + r / n * sp.log(X)}
    constant = sp.Symbol("C", real=True)
    deep = {h(m): (n * u * (m + r / n * sp.log(m) + constant)) ** (-1 / n)}
    residue = Z / 2 - d / u**2
    return (
        limit(
            "Write x − u xᶻ + d x²ᶻ⁻¹ for a layer, n = z − 1 and X = xⁿ, which the layer takes to f(X). The "
            "coordinate A(X) = 1/(nuX) + (r/n) ln X grows by one per layer, up to a term of order X,",
            sp.Limit(A(f(X)) - A(X), X, 0),
            1,
            where=where,
            by=_logarithms,
        ),
        limit(
            "and of order X² if r is the residue z/2 − d/u², which a change of coordinate does not alter.",
            sp.Limit((A(f(X)) - A(X) - 1) / X, X, 0),
            u * (residue - r),
            where=where,
            by=_logarithms,
        ),
        argued(
            "So 1/(nuX) = m + (r/n) ln m + C after m layers, with a constant C that depends on the start, if r is "
            "that residue: what is left of the growth falls as 1/m², apart from logarithms, and its sum converges.",
            equation(1 / (n * u * h(m) ** n), m + r / n * sp.log(m) + constant),
        ),
        limit(
            "From any start signals sink as",
            sp.Limit(h(m) * (n * u * m) ** (1 / n), m, sp.oo),
            1,
            where=deep,
        ),
        limit(
            "with the relative correction −(r/n²) ln m/m, and beside it a term of order 1/m:",
            sp.Limit((h(m) * (n * u * m) ** (1 / n) - 1) * m + r / n**2 * sp.log(m), m, sp.oo),
            -constant / n,
            where=deep,
        ),
    )


def _logarithms(body: sp.Expr) -> sp.Expr:
    """Write the logarithm of a product of positive numbers as a sum."""
    return sp.expand(sp.expand_log(body, force=True))


def _activations() -> tuple[Step, ...]:
    residue = Z / 2 - d / u**2
    half = sp.Rational(1, 2)
    layers = {
        "tanh": (sp.tanh(x), sp.Rational(1, 3), sp.Rational(2, 15)),
        "erf": (sp.erf(sp.sqrt(sp.pi) / 2 * x), sp.pi / 12, sp.pi**2 / 160),
        "sigmoid": (1 / (1 + sp.exp(-4 * x)) - half, sp.Rational(4, 3), sp.Rational(32, 15)),
    }

    def begins(statement: str, name: str) -> Step:
        layer, cubic, fifth = layers[name]
        return series(statement, layer, x - cubic * x**3 + fifth * x**5 + O(x**7), (x, 0))

    def left(statement: str, name: str, value: sp.Expr) -> Step:
        _, cubic, fifth = layers[name]
        return identity(statement, residue, value, where={n: 2, u: cubic, d: fifth})

    return (
        begins("For tanh, z = 3 and u = 1/3,", "tanh"),
        identity(
            "so that h falls as",
            (n * u * m) ** (-1 / n),
            sp.sqrt(3 / (2 * m)),
            where={u: layers["tanh"][1], n: 2},
        ),
        left("and its residue is 3/10.", "tanh", sp.Rational(3, 10)),
        begins("For erf the critical weight is √π/2, and u = π/12,", "erf"),
        left("with the residue 3/5.", "erf", sp.Rational(3, 5)),
        begins("For the sigmoid, w = 4 and b = −2 make the fixed point 1/2 critical, and about it u = 4/3,", "sigmoid"),
        left("with the residue of tanh, as it is a tanh in another coordinate.", "sigmoid", sp.Rational(3, 10)),
    )


def depth_scaling() -> Derivation:
    """Derive h_m and its logarithm, for every order; tanh, erf and sigmoid."""
    return Derivation(
        "depth-scaling",
        "How signals sink in a critical network",
        OURS,
        "asymptotic",
        (*_coordinates(), *_activations()),
        assumes=("the layer has a series about its fixed point, up to the power 2z − 1",),
    )


DISTANCE = sp.Symbol("A", real=True, nonzero=True)
FINITE_DEPTH = (u * (1 - sp.exp(-n * DISTANCE)) / DISTANCE) ** (-2 / n)
"""F(A, 0): m^(2/n) h_m² near criticality, A = (w/w_c - 1) m."""


def finite_depth() -> Derivation:
    """Derive the scaling function without noise, from the flow that starts at infinity."""
    t, h = sp.Symbol("t", real=True, nonzero=True), sp.Symbol("h", positive=True)
    v, F, far = sp.Function("v"), sp.Function("F"), sp.Symbol("A", positive=True)
    inverse = {v(m): u * (1 - sp.exp(-n * t * m)) / t}
    scaling = {F(DISTANCE): FINITE_DEPTH}
    return Derivation(
        "finite-depth",
        "Finite-depth scaling near criticality",
        OURS,
        "exact",
        (
            identity(
                "At the distance t = w/w′ − 1 from the critical weight w′ the flow is dh/dm = th − uhᶻ; with v = h⁻ⁿ "
                "it is linear,",
                sp.Derivative(h ** (-n), h) * (t * h - u * h**Z),
                -n * t * h ** (-n) + n * u,
            ),
            identity(
                "which is solved by this function v of depth,",
                sp.Derivative(v(m), m),
                -n * t * v(m) + n * u,
                where=inverse,
            ),
            identity(
                "and v = 0 at m = 0 is a start at infinity, which is forgotten like any other.",
                v(0),
                0,
                where=inverse,
            ),
            identity(
                "So depth and distance enter through A = tm alone, in h² times the n-th root of m²,",
                (v(m) / m) ** (-2 / n),
                F(t * m),
                where=inverse | scaling,
            ),
            limit(
                "at criticality with the same amplitude as before,",
                sp.Limit(F(far), far, 0),
                (n * u) ** (-2 / n),
                where=scaling,
                by=lambda body: body,  # sympy takes the simplified form for infinite
            ),
            limit(
                "and far above with the fixed point that opens there.",
                sp.Limit(F(far) * far ** (-2 / n), far, sp.oo),
                u ** (-2 / n),
                where=scaling,
            ),
        ),
        assumes=("close to criticality, so that the flow is that of its leading terms",),
        uses=("depth-scaling",),
    )
