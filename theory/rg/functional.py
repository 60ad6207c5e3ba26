"""Composition and rescaling of one repeated layer: the fixed-point function for every order z, and its spectrum."""

from __future__ import annotations

import sympy as sp

from statnn.theory.derivation import Derivation, definition, identity
from statnn.theory.rewriting import by_antiderivative

x, u, n, b, s, t, m, X, k, j = sp.symbols("x u n b s t m X k j", positive=True)
f, g = (sp.Function(name) for name in "fg")
Z = n + 1
ALPHA = b ** (1 / n)
OURS = "this project; functional renormalisation after Feigenbaum 1978 and Hu & Rudnick 1982"

FLOW = (x**-n + n * u * m) ** (-1 / n)
"""f*_m(x), the map of m layers, from x^(-n) with n = z - 1; for x > 0."""
FUNCTION = FLOW.subs(m, 1)

# in the variable X = n u x^n, in which the whole spectrum is elementary
SLOPE = (1 + X) ** (-Z / n)
EXPONENT = (Z - k) / n
_q = sp.Symbol("q", nonzero=True)


def mean_power(q: sp.Expr, at: sp.Expr = X) -> sp.Expr:
    """Return ((1+X)^q - 1)/(q X)."""
    return ((1 + at) ** q - 1) / (q * at)


def eigenfunction(at: sp.Expr = X) -> sp.Expr:
    """Return g_k in units where n u = 1, as a function of X = x^n."""
    return at ** (k / n) * (1 + at) ** (-Z / n) * mean_power(EXPONENT + 1, at)


def noise_eigenfunction(at: sp.Expr = X) -> sp.Expr:
    """Return D_k in units where n u = 1, as a function of X = x^n."""
    return at ** (k / n) * (1 + at) ** (-2 * Z / n) * mean_power(1 + (2 * Z - k) / n, at)


RESONANT = X ** ((2 * Z - 1) / n) * SLOPE * sp.log(1 + X) / X
"""g_k at k = 2z-1, where the mean power is a logarithm."""

_one, _two = sp.symbols("A B", positive=True)  # 1 + X and 2 + X


def powers(gap: sp.Expr) -> sp.Expr:
    """Multiply out powers of products of positive numbers, and collect equal bases."""
    gap = _multiplied(sp.expand_log(gap, force=True))
    left = _multiplied(sp.together(gap).as_numer_denom()[0])
    return left if left == 0 else sp.simplify(gap)


def _multiplied(gap: sp.Expr) -> sp.Expr:
    return sp.expand(sp.powsimp(sp.expand(sp.expand_power_base(gap, force=True))))


def by_coordinate(gap: sp.Expr) -> sp.Expr:
    """Write a function of x and u in X = n u x^n, its sums in lowest terms as powers of 1 + X and 2 + X."""

    def united(expr: sp.Expr) -> sp.Expr:
        return sp.powdenest(sp.expand_power_base(expr, force=True), force=True)

    def lowest(base: sp.Expr) -> sp.Expr:
        return sp.factor(sp.together(united(base)))

    inside = united(gap.subs(u, X / (n * x**n))).replace(sp.log, lambda at: sp.log(lowest(at)))
    inside = inside.replace(lambda part: part.is_Pow, lambda part: lowest(part.base) ** part.exp)
    return powers(inside.xreplace({1 + X: _one, 2 + X: _two}))


def fixed_function() -> Derivation:
    """Derive T[f*] = f* with α = b^(1/(z-1)), and its semigroup."""
    a, c = sp.Symbol("alpha", positive=True), sp.Function("alpha")
    layer, first, second, both, block = (sp.Function(name)(x) for name in ("f", "f_s", "f_t", "f_{s+t}", "f_b"))
    works = {layer: 1, first: s, second: t, both: s + t, block: b}
    where = {name: FLOW.subs(m, depth) for name, depth in works.items()}
    flow, start = sp.Function("f_m")(x), sp.Function("f_0")(x)
    return Derivation(
        "functional-fixed-point",
        "The fixed-point function of repeated layers",
        OURS,
        "exact",
        (
            definition(
                "Near criticality a layer hardly changes a signal, so that many layers are a flow; write n for z − 1. "
                "The function",
                flow,
                FLOW,
            ),
            identity(
                "is the flow of dx/dm = −u xᶻ,",
                sp.Derivative(flow, m),
                -u * flow**Z,
                where={flow: FLOW},
            ),
            identity("starting from x at depth zero,", start, x, where={start: FLOW, m: 0}),
            identity(
                "and after one unit of depth it reads",
                layer,
                x * (1 + n * u * x**n) ** (-1 / n),
                where=where,
                by=_united,
            ),
            identity(
                "Layers add up: the flow is a semigroup,",
                first.subs(x, second),
                both,
                where=where,
            ),
            identity(
                "and rescaling the signal by α makes b layers one layer again.",
                a * block.subs(x, x / a),
                layer,
                where=where | {a: ALPHA},
                by=_united,
            ),
            identity(
                "For b = 2 this is the functional equation itself,",
                a * layer.subs(x, layer.subs(x, x / a)),
                layer,
                where=where | {a: ALPHA.subs(b, 2)},
                by=_united,
            ),
            identity("with α = √2 for tanh, where n = 2;", a, sp.sqrt(2), where={a: ALPHA.subs(b, 2), n: 2}),
            identity(
                "the factors of successive steps multiply.",
                c(b) * c(s),
                c(b * s),
                where={c(b): ALPHA},
                by=lambda gap: sp.simplify(sp.expand_power_base(gap)),
            ),
        ),
        assumes=("signals are positive, as negative ones are where z is odd but for their sign", "u > 0"),
    )


def _united(gap: sp.Expr) -> sp.Expr:
    """Return zero if the n-th powers of two positive numbers are equal."""
    first, second = gap.as_two_terms() if gap.is_Add else (gap, sp.S.Zero)
    ratio = sp.powdenest(sp.simplify((first / -second) ** n), force=True)
    return sp.S.Zero if sp.simplify(sp.powsimp(sp.expand_power_base(ratio - 1, force=True))) == 0 else gap


def spectrum() -> Derivation:
    """Derive every eigenvalue and eigenfunction of the linearised T at f*."""
    a, lam = sp.symbols("alpha lambda", positive=True)
    slope, lens = sp.Function("F"), {a: ALPHA.subs(b, 2)}
    at = {X: n * u * x**n}
    layer = {f(x): x * (1 + n * u * x**n) ** (-1 / n), slope(x): SLOPE.subs(at)}
    linear = a * (slope(f(x / a)) * g(x / a) + g(f(x / a)))
    way = (1 + s * X) ** (_q - 1)
    return Derivation(
        "functional-spectrum",
        "The spectrum of composition and rescaling",
        OURS,
        "exact",
        (
            identity(
                "A perturbation of the flow by xᵏ is only rescaled: two layers and the rescaling by α turn it into",
                2 * a * (x / a) ** k,
                2**EXPONENT * x**k,
                where=lens,
                by=lambda gap: sp.simplify(sp.expand(sp.expand_power_exp(sp.expand_power_base(gap)))),
            ),
            identity(
                "Its effect on one layer is a mean over the depth s within the layer, from where the slope of the "
                "flow carries it on; with X = n u xⁿ the mean is elementary,",
                sp.Integral(way, (s, 0, 1)),
                mean_power(_q),
                by=by_antiderivative((1 + s * X) ** _q / (_q * X), s),
            ),
            identity(
                "and a logarithm where q = 0.",
                sp.Integral(1 / (1 + s * X), (s, 0, 1)),
                sp.log(1 + X) / X,
                by=by_antiderivative(sp.log(1 + s * X) / X, s),
            ),
            definition("The resulting functions, for every z and every k except 2z − 1,", g(x), eigenfunction()),
            identity(
                "are eigenfunctions of the linearised transformation, F being the slope of f,",
                linear,
                2**EXPONENT * g(x),
                where=layer | {g(x): eigenfunction().subs(at)} | lens,
                by=by_coordinate,
            ),
            identity(
                "and so is the one with the logarithm, k = 2z − 1, with the eigenvalue 1/2.",
                linear,
                g(x) / 2,
                where=layer | {g(x): RESONANT.subs(at)} | lens,
                by=by_coordinate,
            ),
            identity("Here F is", sp.Derivative(f(x), x), slope(x), where=layer),
            identity(
                "The distance from criticality, k = 1, has the eigenvalue 2 whatever the order,",
                lam,
                2,
                where={lam: 2**EXPONENT, k: 1},
            ),
            identity(
                "and a bias, k = 0, the eigenvalue 2α.",
                2**EXPONENT,
                2 * a,
                where=lens | {k: 0},
                by=lambda gap: sp.simplify(sp.expand_power_exp(sp.expand(gap))),
            ),
            identity(
                "A change of the coordinate by xʲ changes the flow by their bracket, so that every power n + j "
                "except one, j = z, can be removed: of all irrelevant directions only k = 2z − 1 is left.",
                x**j * sp.Derivative(u * x**Z, x) - u * x**Z * sp.Derivative(x**j, x),
                (n + 1 - j) * u * x ** (n + j),
            ),
        ),
        uses=("functional-fixed-point",),
    )
