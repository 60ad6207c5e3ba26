"""Wide random layers of tanh: sums that keep their digits, and the series around criticality."""

import sympy as sp

from statnn.theory.derivation import Derivation, equation, identity
from statnn.theory.notation import componentwise, gaussian_mean, named
from statnn.theory.rg.meanfield import PRODUCT, SIGMA, c, mean, pair_mean, q, u, v, x, y, z

t, m = sp.symbols("t m", positive=True)
LINE = "Poole et al. 2016; Schoenholz et al. 2017; amplitudes of this project"


def _average(function: sp.Expr, order: int) -> sp.Expr:
    """Return the average of a function of x = √q z as a series in q, to this order."""
    polynomial = sp.series(function, x, 0, 2 * order + 2).removeO()
    return sp.expand(gaussian_mean(sp.expand(polynomial.subs(x, sp.sqrt(q) * z)), z))


MEAN = _average(sp.tanh(x) ** 2, 3)
SLOPE = _average((1 - sp.tanh(x) ** 2) ** 2, 2)
FIRST = _average(1 - sp.tanh(x) ** 2, 2)
"""E tanh', whose square is E tanh'(x) tanh'(y) of independent fields."""
START = t / 2 + 5 * t**2 / 24
"""q* for σ_w² = 1 + t, to second order."""


def _to(expression: sp.Expr, variable: sp.Symbol, order: int) -> sp.Expr:
    return sp.series(sp.expand(expression), variable, 0, order + 1).removeO()


def tanh_sums() -> Derivation:
    """Derive what the sums for tanh rest on."""
    k = 2 / (sp.cosh(2 * u) + sp.cosh(2 * v))

    def exponentials(gap: sp.Expr) -> sp.Expr:
        return sp.simplify(sp.expand(gap.rewrite(sp.exp)))

    field, other = u + v, u - v
    variance = sp.expand((x + y) ** 2 / 4).subs({x**2: q, y**2: q, x * y: q * c})
    across = sp.expand((x + y) * (x - y) / 4).subs({x**2: q, y**2: q})
    return Derivation(
        "tanh-sums",
        "Averages of tanh as sums of positive terms",
        "this project",
        "exact",
        (
            componentwise(
                "Half sum u and half difference v of two fields of variance q and correlation c are independent.",
                [variance, across],
                [q * (1 + c) / 2, sp.S.Zero],
                equation(mean("u^{2}"), q * (1 + c) / 2),
            ),
            identity(
                "In them a difference of tanh is a product,",
                sp.tanh(field) - sp.tanh(other),
                sp.sinh(2 * v) * k,
                by=exponentials,
                shown=equation(sp.tanh(field) - sp.tanh(other), 2 * sp.sinh(2 * v) / (sp.cosh(2 * u) + sp.cosh(2 * v))),
            ),
            identity(
                "and so is the product of the slopes: what distances become is a sum of squares.",
                1 / (sp.cosh(field) * sp.cosh(other)) ** 2,
                k**2,
                by=exponentials,
                shown=equation((1 / (sp.cosh(field) * sp.cosh(other))) ** 2, k**2),
            ),
            identity(
                "The sigmoid is a tanh of half its field, shifted.",
                1 / (1 + sp.exp(-x)),
                (1 + sp.tanh(x / 2)) / 2,
                by=exponentials,
                shown=equation(1 / (1 + sp.exp(-x)), (1 + sp.tanh(x / 2)) / 2),
            ),
        ),
    )


def tanh_criticality() -> Derivation:
    """Derive series of the maps of tanh around q = 0, and the amplitudes they give."""
    at_start = {q: START}
    curve = sp.diff(MEAN, q)
    inverse = _to((1 / (MEAN / q) - 1) / q, q, 1)
    inverse_law = 2 * m - sp.Rational(5, 6) * sp.log(m) + sp.Symbol("k", real=True)
    odd = sp.Add(*(a * x**k for a, k in zip(sp.symbols("a_1 a_3 a_5", real=True), (1, 3, 5), strict=True)))
    erf = _to(sp.pi / 4 * PRODUCT["erf"].subs(c, 1), q, 2)
    return Derivation(
        "tanh-criticality",
        "Wide random layers of tanh at and near criticality",
        LINE,
        "asymptotic",
        (
            identity(
                "Moments of z turn the series of tanh² into one in q",
                MEAN,
                q - 2 * q**2 + sp.Rational(17, 3) * q**3,
                by=sp.expand,
                shown=equation(mean(r"\tanh^{2} x"), q - 2 * q**2 + sp.Rational(17, 3) * q**3 + named("O(q^{4})")),
            ),
            identity(
                "and that of its squared slope into",
                SLOPE,
                1 - 2 * q + 7 * q**2,
                by=sp.expand,
                shown=equation(mean(r"\tanh'^{2} x"), 1 - 2 * q + 7 * q**2 + named("O(q^{3})")),
            ),
            identity(
                "At criticality 1/q grows by nearly two in each layer,",
                inverse,
                2 - 5 * q / 3,
                by=sp.expand,
                shown=equation(named(r"\frac{1}{q'} - \frac{1}{q}"), 2 - 5 * q / 3 + named("O(q^{2})")),
            ),
            identity(
                "so that q falls to zero, and the mean growth of 1/q tends to two. With q = 1/(2m) in the next term "
                "1/q is 2m less a logarithm, for which what is left of the growth is smaller than 1/m,",
                sp.limit(m * (inverse_law.subs(m, m + 1) - inverse_law - 2 + 5 / (3 * inverse_law)), m, sp.oo),
                sp.S.Zero,
                shown=equation(named(r"\frac{1}{q_{m}}"), 2 * m - 5 * sp.log(m) / 6 + named("O(1)")),
            ),
            identity(
                "and variances decay as 1/(2m), with a correction of order ln m/m².",
                sp.limit((1 / inverse_law - 1 / (2 * m)) * m**2 / sp.log(m), m, sp.oo),
                sp.Rational(5, 24),
                shown=equation(named("q_{m}"), 1 / (2 * m) + 5 * sp.log(m) / (24 * m**2) + named("O(m^{-2})")),
            ),
            identity(
                "The same holds for erf, whose variance map at criticality begins alike.",
                erf,
                q - 2 * q**2,
                by=sp.expand,
                shown=equation(sp.pi / 4 * mean(r"\operatorname{erf}^{2} x"), q - 2 * q**2 + named("O(q^{3})")),
            ),
            identity(
                "For a weight variance 1 + t with t > 0 the fixed point solves the map to second order in t:",
                _to((1 + t) * (MEAN / q).subs(at_start), t, 2),
                sp.S.One,
                by=sp.expand,
                shown=equation(named("q^{*}"), START + named("O(t^{3})")),
            ),
            identity(
                "Deviations of the variance shrink by 1 − t, over a length 1/t,",
                _to((1 + t) * curve.subs(at_start), t, 1),
                1 - t,
                by=sp.expand,
                shown=equation(named(r"\frac{d q'}{d q}"), 1 - t + named("O(t^{2})")),
            ),
            identity(
                "but small distances grow more slowly: the first order cancels,",
                _to((1 + t) * SLOPE.subs(at_start), t, 2),
                1 + t**2 / 3,
                by=sp.expand,
                shown=equation(named(r"\chi"), 1 + t**2 / 3 + named("O(t^{3})")),
            ),
            identity(
                "so that near inputs part over a length 3/t².",
                sp.limit(t**2 / sp.log(1 + t**2 / 3), t, 0),
                sp.S(3),
                shown=equation(sp.Limit(t**2 / sp.log(named(r"\chi")), t, 0), sp.S(3)),
            ),
            identity(
                "That is no correlation length: at c = 1 correlations do not stay. tanh is odd, so that independent "
                "fields remain independent, and c* = 0 is where they settle. For odd functions, checked for all "
                "polynomials of fifth order, the map has there the slope",
                sp.diff(pair_mean(odd * odd.subs(x, y)), c).subs(c, 0) / q,
                pair_mean(sp.diff(odd, x)) ** 2,
                by=sp.expand,
                shown=equation(named(r"\frac{d c'}{d c}"), SIGMA * mean(r"\phi'(x)") ** 2),
            ),
            identity(
                "with the average of one slope",
                FIRST,
                1 - q + 2 * q**2,
                by=sp.expand,
                shown=equation(mean(r"\tanh' x"), 1 - q + 2 * q**2 + named("O(q^{3})")),
            ),
            identity(
                "and at the fixed point it is",
                _to((1 + t) * FIRST.subs(at_start) ** 2, t, 2),
                1 - t**2 / 6,
                by=sp.expand,
                shown=equation(named(r"\frac{d c'}{d c}"), 1 - t**2 / 6 + named("O(t^{3})")),
            ),
            identity(
                "so that the correlation length is 6/t².",
                sp.limit(-(t**2) / sp.log(1 - t**2 / 6), t, 0),
                sp.S(6),
                shown=equation(sp.Limit(t**2 * named(r"\xi_{c}"), t, 0), sp.S(6)),
            ),
            identity(
                "Below criticality the variance dies out, and distances shrink by 1 + t, t < 0, exactly.",
                (1 - t) * SLOPE.subs(q, 0),
                1 - t,
                shown=equation(named(r"\chi"), 1 + named("t")),
            ),
        ),
    )


def finite_width() -> Derivation:
    """Derive the leading order in 1/n of mean and variance of the field variance K."""
    n, shift, spread, fourth, square = sp.symbols("n s v F M", positive=True)
    weight = sp.Symbol("W", positive=True)
    step = sp.Symbol("d", real=True)
    curve, bend = sp.symbols("V_1 V_2", real=True)
    taylor = sp.Symbol("V_0") + curve * step + bend * step**2 / 2
    averaged = sp.expand(taylor).subs({step**2: spread / n, step: shift / n})
    inside = weight**2 * (fourth - square**2) / n
    relu = (sp.Rational(3, 2) * q**2) / (q / 2) ** 2
    ratio = sp.Symbol("r", positive=True)
    return Derivation(
        "finite-width",
        "Random layers of width n",
        "this project; compare Hanin 2018 and Roberts, Yaida & Hanin 2022",
        "asymptotic",
        (
            identity(
                "Given the layer below, fields are independent: K is a mean of n terms, exact on average, so that its "
                "mean follows the map with the curvature V″ times the variance of K, v/n,",
                n * (averaged - sp.Symbol("V_0")),
                curve * shift + bend * spread / 2,
                by=sp.expand,
                shown=equation(named("s'"), named("V' s") + named("V'' v") / 2),
            ),
            identity(
                "and its variance is what it inherits and the variance of a mean of n squares.",
                n * (curve**2 * spread / n + inside),
                curve**2 * spread + weight**2 * (fourth - square**2),
                by=sp.expand,
                shown=equation(
                    named("v'"),
                    named("V'^{2} v") + named(r"\sigma_{w}^{4}") * (mean(r"\phi^{4}") - mean(r"\phi^{2}") ** 2),
                ),
            ),
            identity(
                "For ReLU the map is linear, and without bias the second moment of K relative to its square grows by a "
                "factor in each layer, exactly, whatever the width:",
                ratio * ((relu - 1) / n + 1),
                ratio * (1 + 5 / n),
                shown=equation(
                    named(r"\frac{E[K'^{2}]}{E[K']^{2}}"), (1 + 5 / n) * named(r"\frac{E[K^{2}]}{E[K]^{2}}")
                ),
            ),
            identity(
                "After m layers fluctuations are those of depth over width.",
                sp.limit((1 + 5 * q / (n)) ** n, n, sp.oo),
                sp.exp(5 * q),
                shown=equation(sp.Limit((1 + 5 / n) ** (q * n), n, sp.oo), sp.exp(5 * q)),
            ),
        ),
    )
