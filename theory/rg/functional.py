"""Composition and rescaling of one repeated layer: the fixed-point function for every order z, and its spectrum."""

import sympy as sp

from statnn.theory.derivation import Derivation, equation, identity
from statnn.theory.rg.checked import checked

x, u, n, b, s, t, m, X, k, j = sp.symbols("x u n b s t m X k j", positive=True)
f, g = (sp.Function(name) for name in "fg")
Z = n + 1
ALPHA = b ** (1 / n)
OURS = "this project; functional renormalisation after Feigenbaum 1978 and Hu & Rudnick 1982"

FLOW = (x**-n + n * u * m) ** (-1 / n)
"""f*_m(x), the work of m layers, from x^(-n) and n = z - 1; for x > 0."""
FUNCTION = FLOW.subs(m, 1)

# in the variable X = n u x^n, where all of the spectrum is elementary
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

# X/2 after shrinking x by α, 1 + X/2, and 1 + X; then X = half/one after the first layer, and 1 + X = two/one
half, one, two = sp.symbols("H A B", positive=True)


def two_layers(function: sp.Expr, slope: sp.Expr) -> sp.Expr:
    """Return slope(f(x/α)) function(x/α) + function(f(x/α)): the perturbation by the first and by the second layer."""
    first = function.subs(1 + X, one).subs(X, half)
    second = function.subs(1 + X, two / one).subs(X, half / one)
    return slope.subs(1 + X, two / one) * first + second


def powers(gap: sp.Expr) -> sp.Expr:
    """Multiply out powers of products of positive numbers, and collect equal bases."""
    gap = sp.expand(sp.expand_log(sp.expand_power_base(gap, force=True), force=True))
    return sp.simplify(sp.expand(sp.powsimp(sp.expand(sp.expand_power_base(gap, force=True)))))


def fixed_function() -> Derivation:
    """T[f*] = f* with α = b^(1/(z-1)), and its semigroup."""
    a, c = sp.Symbol("alpha", positive=True), sp.Function("alpha")
    one, first, second, both, block = (sp.Function(name) for name in ("f", "f_s", "f_t", "f_{s+t}", "f_b"))
    works = {one: 1, first: s, second: t, both: s + t, block: b}
    where = {
        name: (lambda at, depth=depth: FLOW.subs({x: at, m: depth}, simultaneous=True)) for name, depth in works.items()
    }
    return Derivation(
        "functional-fixed-point",
        "The fixed-point function of repeated layers",
        OURS,
        "exact",
        (
            checked(
                "Near criticality a layer hardly changes a signal, so that many layers are a flow; write n for z − 1. "
                "The flow of dx/dm = −u x to the power z is known in closed form,",
                equation(sp.Derivative(FLOW, m), -u * FLOW**Z),
            ),
            checked(
                "and after one unit of depth it reads",
                equation(f(x), x * (1 + n * u * x**n) ** (-1 / n)),
                where,
                by=_united,
            ),
            checked("Layers add up: the flow is a semigroup,", equation(first(second(x)), both(x)), where),
            checked(
                "and shrinking the signal by α makes b layers one layer again.",
                equation(a * block(x / a), f(x)),
                {**where, a: ALPHA},
                by=_united,
            ),
            checked(
                "For b = 2 this is the functional equation itself,",
                equation(a * f(f(x / a)), f(x)),
                {**where, a: ALPHA.subs(b, 2)},
                by=_united,
            ),
            checked(
                "with α = √2 for tanh, where n = 2; the factors of successive steps multiply.",
                equation(c(b) * c(s), c(b * s)),
                {c: lambda size: ALPHA.subs(b, size)},
                by=lambda gap: sp.simplify(sp.expand_power_base(gap)),
            ),
        ),
    )


def _united(gap: sp.Expr) -> sp.Expr:
    """Two positive numbers are equal if their n-th powers are: then return zero."""
    first, second = gap.as_two_terms() if gap.is_Add else (gap, sp.S.Zero)
    ratio = sp.powdenest(sp.simplify((first / -second) ** n), force=True)
    return sp.S.Zero if sp.simplify(sp.powsimp(sp.expand_power_base(ratio - 1, force=True))) == 0 else gap


def spectrum() -> Derivation:
    """Every eigenvalue and eigenfunction of the linearised T at f*."""
    a, lam = sp.symbols("alpha lambda", positive=True)
    slope = sp.Function("F")
    at_two = {b: 2}
    left = ALPHA.subs(at_two) * two_layers(eigenfunction(), SLOPE)
    right = 2**EXPONENT * eigenfunction().subs(1 + X, two).subs(X, 2 * half)
    resonant = ALPHA.subs(at_two) * two_layers(RESONANT, SLOPE)
    linear = equation(a * (slope(f(x / a)) * g(x / a) + g(f(x / a))), lam * g(x))
    return Derivation(
        "functional-spectrum",
        "The spectrum of composition and rescaling",
        OURS,
        "exact",
        (
            checked(
                "A perturbation of the flow by x to the power k is scaled alone: two layers and the lens make it",
                equation(2 * a * (x / a) ** k, 2**EXPONENT * x**k),
                {a: ALPHA.subs(at_two)},
                by=lambda gap: sp.simplify(sp.expand(sp.expand_power_exp(sp.expand_power_base(gap)))),
            ),
            identity(
                "What it does to one layer is the mean along the way, over which the slope of the flow carries it; "
                "with X = n u x to the power n the mean is elementary,",
                sp.integrate((1 + s * X) ** (_q - 1), (s, 0, 1), conds="none"),
                mean_power(_q),
                by=lambda gap: sp.simplify(gap.rewrite(sp.Piecewise) if gap.has(sp.Piecewise) else gap),
                shown=equation(sp.Integral((1 + s * X) ** (_q - 1), (s, 0, 1)), mean_power(_q)),
            ),
            identity(
                "and a logarithm where q = 0.",
                sp.integrate(1 / (1 + s * X), (s, 0, 1)),
                sp.log(1 + X) / X,
                shown=equation(sp.Integral(1 / (1 + s * X), (s, 0, 1)), sp.log(1 + X) / X),
            ),
            identity(
                "The functions that come of it are eigenfunctions of the linearised transformation for every k and z, "
                "F being the slope of f,",
                left,
                right,
                by=powers,
                shown=linear,
            ),
            identity(
                "the one with the logarithm, k = 2z − 1, too, with the eigenvalue 1/2.",
                resonant,
                RESONANT.subs(1 + X, two).subs(X, 2 * half) / 2,
                by=powers,
                shown=equation(a * (slope(f(x / a)) * g(x / a) + g(f(x / a))), g(x) / 2),
            ),
            checked(
                "The distance from criticality, k = 1, has the eigenvalue 2 whatever the order,",
                equation(2 ** ((Z - k) / n), 2),
                {k: sp.S.One},
            ),
            checked(
                "and a bias, k = 0, that of 2α.",
                equation(2 ** (Z / n), 2 * a),
                {a: ALPHA.subs(at_two)},
                by=lambda gap: sp.simplify(sp.expand_power_exp(sp.expand(gap))),
            ),
            checked(
                "A change of the coordinate by x to the power j changes the flow by their bracket, so that every power "
                "n + j but one, j = z, can be removed: of all irrelevant directions only k = 2z − 1 is met.",
                equation(
                    x**j * sp.Derivative(u * x**Z, x) - u * x**Z * sp.Derivative(x**j, x),
                    (n + 1 - j) * u * x ** (n + j),
                ),
            ),
        ),
    )
