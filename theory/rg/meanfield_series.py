"""Wide random layers of tanh: sums that keep their digits, and the series around criticality."""

from __future__ import annotations

import sympy as sp

from statnn.theory.derivation import Derivation, Step, argued, definition, equation, identity, limit, series
from statnn.theory.evaluation import put_in
from statnn.theory.notation import O, gaussian, gaussian_mean, named
from statnn.theory.rewriting import by_gaussians
from statnn.theory.rg.meanfield import DENSITIES, ONE, PRODUCT, c, halves, pair_mean, q, u, v, x, y, z
from statnn.theory.rg.symbols import mean
from statnn.theory.step import simplified

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


def tanh_sums() -> Derivation:
    """Derive the identities behind the sums for tanh."""
    k, field, other = sp.Symbol("k"), u + v, u - v
    kernel = {k: 2 / (sp.cosh(2 * u) + sp.cosh(2 * v))}
    return Derivation(
        "tanh-sums",
        "Averages of tanh as sums of positive terms",
        "this project",
        "exact",
        (
            halves(),
            identity(
                "In u and v a difference of tanh is a product, with k = 2/(cosh 2u + cosh 2v),",
                sp.tanh(field) - sp.tanh(other),
                k * sp.sinh(2 * v),
                where=kernel,
                by=_exponentials,
            ),
            identity(
                "and the product of the slopes is k²: a distance becomes a sum of squares.",
                1 / (sp.cosh(field) * sp.cosh(other)) ** 2,
                k**2,
                where=kernel,
                by=_exponentials,
            ),
            identity(
                "The sigmoid is a tanh of half its field, shifted.",
                1 / (1 + sp.exp(-x)),
                (1 + sp.tanh(x / 2)) / 2,
                by=_exponentials,
            ),
        ),
        assumes=("weights and biases are Gaussian, and the layer is infinitely wide",),
    )


def _exponentials(gap: sp.Expr) -> sp.Expr:
    return simplified(sp.expand(gap.rewrite(sp.exp)))


# averages as series in q; the remainder is an arbitrary number times the next power
V, S, F = sp.Function("V"), sp.Function("S"), sp.Function("F")
_rest, _other, _next = sp.symbols("c_1 c_2 c_3", real=True)
SERIES = {
    V(q): MEAN + _rest * q**4,
    S(q): SLOPE + _other * q**3,
    F(q): FIRST + _other * q**3,
}
"""E tanh², E tanh'² and E tanh'."""
SOLVED = {q: START + _next * t**3}


def _averaged(statement: str, polynomial: sp.Expr, average: sp.Expr) -> Step:
    """Return the step that gives the average of a polynomial in a Gaussian x."""
    return identity(
        statement,
        sp.Integral(polynomial * ONE(x, q), (x, -sp.oo, sp.oo)),
        average,
        where=DENSITIES,
        by=by_gaussians,
    )


def _averages() -> tuple[Step, ...]:
    square = x**2 - 2 * x**4 / 3 + 17 * x**6 / 45
    slope = 1 - 2 * x**2 + 7 * x**4 / 3
    first = 1 - x**2 + 2 * x**4 / 3
    return (
        series("The square of tanh begins with", sp.tanh(x) ** 2, square + O(x**8), (x, 0)),
        _averaged("which moments of x, of variance q, turn into a series in q,", square, MEAN),
        series("its squared slope with", sp.Derivative(sp.tanh(x), x) ** 2, slope + O(x**6), (x, 0)),
        _averaged("which has the average", slope, SLOPE),
        series("and the slope with", sp.Derivative(sp.tanh(x), x), first + O(x**6), (x, 0)),
        _averaged("of the average", first, FIRST),
        argued(
            "All three functions are bounded, so that what their series leave out is at most a constant times the "
            "next power of x everywhere, and its average at most a constant times that of q: with V for E tanh², the "
            "variance that a layer makes of q,",
            equation(V(q), MEAN + O(q**4)),
        ),
        argued("with S for the squared slope", equation(S(q), SLOPE + O(q**3))),
        argued("and F for the slope", equation(F(q), FIRST + O(q**3))),
    )


def _at_criticality() -> tuple[Step, ...]:
    inverse, start = sp.Function("r"), sp.Symbol("C", real=True)
    law = {inverse(m): 2 * m - 5 * sp.log(m) / 6 + start}
    erf = sp.Function("V_e")
    return (
        series(
            "At criticality 1/q grows by nearly two in each layer,",
            1 / V(q) - 1 / q,
            2 - 5 * q / 3 + O(q**2),
            (q, 0),
            where=SERIES,
        ),
        argued(
            "so that q falls to zero, and the mean growth of 1/q tends to two. With q = 1/(2m) in the next term 1/q "
            "is 2m less a logarithm: its growth is known up to a term like ln m/m², whose sum converges,",
            equation(1 / named("q_{m}"), 2 * m - 5 * sp.log(m) / 6 + O(1)),
        ),
        limit(
            "for what is left of the growth of r = 2m − (5/6) ln m + C is smaller than 1/m.",
            sp.Limit(m * (inverse(m + 1) - inverse(m) - 2 + 5 / (3 * inverse(m))), m, sp.oo),
            0,
            where=law,
            by=lambda body: body,
        ),
        limit(
            "So variances decay as 1/(2m), with a correction of order ln m/m²; the constant C depends on the start.",
            sp.Limit(m**2 * (1 / inverse(m) - 1 / (2 * m)) - 5 * sp.log(m) / 24, m, sp.oo),
            -start / 4,
            where=law,
        ),
        series(
            "Variances of erf, whose map at criticality begins alike, decay as 1/(2m), too; the logarithm has another "
            "factor.",
            erf(q),
            q - 2 * q**2 + O(q**3),
            (q, 0),
            where={erf(q): sp.pi / 4 * PRODUCT["erf"].subs(c, 1)},
        ),
    )


def _near_criticality() -> tuple[Step, ...]:
    where, chi = SERIES | SOLVED, named(r"\chi")
    return (
        definition("For a weight variance 1 + t with t > 0 the fixed point", q, START + O(t**3)),
        series(
            "solves the map to second order in t, whatever its next order:",
            (1 + t) * V(q) / q,
            1 + O(t**3),
            (t, 0),
            where=where,
        ),
        series(
            "Deviations of the variance shrink there by the factor 1 − t, over a length 1/t,",
            (1 + t) * sp.Derivative(V(q), q),
            1 - t + O(t**2),
            (t, 0),
            where=where,
        ),
        series(
            "but small distances grow more slowly: the first order cancels in the factor χ,",
            (1 + t) * S(q),
            1 + t**2 / 3 + O(t**3),
            (t, 0),
            where=where,
        ),
        limit(
            "so that nearby inputs separate over a length 3/t².",
            sp.Limit(t**2 / sp.log(chi), t, 0),
            3,
            where={chi: 1 + t**2 / 3 + _next * t**3},
        ),
    )


def _correlation() -> tuple[Step, ...]:
    odd = sp.Add(*(a * x**k for a, k in zip(sp.symbols("a_1 a_3 a_5", real=True), (1, 3, 5), strict=True)))
    curve, product, slope = named(r"\lambda"), sp.Function("M"), mean(r"\phi'(x)")
    return (
        identity(
            "That is no correlation length: correlations do not stay at c = 1. As tanh is odd, independent fields "
            "remain independent, and correlations settle at c* = 0. For odd functions, checked for all polynomials "
            "of fifth order, the average M of a product has there, by Price's theorem, the slope",
            sp.Derivative(product(c), c),
            q * slope**2,
            where={product(c): pair_mean(odd * odd.subs(x, y)), slope: pair_mean(sp.diff(odd, x)), c: 0},
            by=sp.expand,
        ),
        series(
            "so the slope of the map is the weight variance times F², which at the fixed point is",
            (1 + t) * F(q) ** 2,
            1 - t**2 / 6 + O(t**3),
            (t, 0),
            where=SERIES | SOLVED,
        ),
        limit(
            "so that the correlation length, −1 over the logarithm of that slope λ, is 6/t².",
            sp.Limit(-(t**2) / sp.log(curve), t, 0),
            6,
            where={curve: 1 - t**2 / 6 + _next * t**3},
        ),
        identity(
            "Below criticality, at a weight variance 1 − t, the variance dies out, and distances shrink by 1 − t "
            "exactly.",
            (1 - t) * S(0),
            1 - t,
            where={S(q): sp.Integral((1 - sp.tanh(sp.sqrt(q) * z) ** 2) ** 2 * gaussian(z, 1), (z, -sp.oo, sp.oo))},
            by=lambda gap: sp.simplify(gap.doit()),
        ),
    )


def tanh_criticality() -> Derivation:
    """Derive series of the maps of tanh around q = 0, and the amplitudes they give."""
    return Derivation(
        "tanh-criticality",
        "Wide random layers of tanh at and near criticality",
        LINE,
        "asymptotic",
        (*_averages(), *_at_criticality(), *_near_criticality(), *_correlation()),
        assumes=("weights are Gaussian, there are no biases, and the layer is infinitely wide",),
        uses=("gaussian-averages", "erf-layers"),
    )


def _fluctuations() -> tuple[Step, ...]:
    n, fourth, square = sp.symbols("n F M", positive=True)
    weight, spread, shift = sp.Symbol("sigma_w", positive=True), sp.Symbol("v", positive=True), named("s")
    curve, bend, step = named("V'"), named("V''"), sp.Symbol("d", real=True)
    mean_after, spread_after = mean("K'"), named(r"\operatorname{Var}[K']")
    base, third, *moments = sp.symbols("V_0 V_3 m_3 m_4 m_5 m_6", real=True)
    slopes = sp.symbols("F_1 F_2 F_3", real=True)
    sizes = [sp.S.One, shift / n, spread / n + shift**2 / n**2, *(moment / n**2 for moment in moments)]  # E d^k

    def averaged(expr: sp.Expr) -> sp.Expr:
        terms = sp.Poly(sp.expand(expr), step).terms()
        return sp.Add(*(factor * sizes[power] for (power,), factor in terms))

    V = weight**2 * square + curve * step + bend * step**2 / 2 + third * step**3 / 6
    F = fourth + sum(slope * step**power for power, slope in enumerate(slopes, 1))
    second = averaged((weight**4 * F + (n - 1) * V**2) / n)
    return (
        limit(
            "Given the layer below, fields are independent: K′ is a mean of n terms, exact on average. Let K be off "
            "by s/n on average, and its variance be v/n; higher moments are smaller. The mean then follows the slope "
            "of the map V, plus half its curvature times v,",
            sp.Limit(n * (mean_after - base), n, sp.oo),
            curve * shift + bend * spread / 2,
            where={mean_after: averaged(V), base: weight**2 * square},
        ),
        limit(
            "and the variance is the inherited one plus that of a mean of n squares, of second moment F and mean M; "
            "without bias.",
            sp.Limit(n * spread_after, n, sp.oo),
            curve**2 * spread + weight**4 * (fourth - square**2),
            where={spread_after: second - averaged(V) ** 2},
        ),
    )


def finite_width() -> Derivation:
    """Derive the leading order in 1/n of mean and variance of the field variance K."""
    n, fourth, square, r = sp.symbols("n F M r", positive=True)
    ratio = named("r'")
    half = {power: sp.Integral(x**power * ONE(x, q), (x, 0, sp.oo)) for power in (2, 4)}
    relu = {name: put_in(half[power], tuple(DENSITIES.items())) for name, power in ((fourth, 4), (square, 2))}
    return Derivation(
        "finite-width",
        "Random layers of width n",
        "this project; compare Hanin 2018 and Roberts, Yaida & Hanin 2022",
        "asymptotic",
        (
            *_fluctuations(),
            identity(
                "For ReLU the map is linear, with",
                fourth / square**2,
                6,
                where=relu,
                by=lambda gap: sp.simplify(gap.doit()),
            ),
            identity(
                "so that without bias the second moment of K relative to its square, r, grows by a factor in each "
                "layer, exactly, whatever the width:",
                ratio,
                (1 + 5 / n) * r,
                where={ratio: r * (fourth + (n - 1) * square**2) / (n * square**2), fourth: 6 * square**2},
            ),
            limit(
                "After tn layers fluctuations depend on t alone, depth over width.",
                sp.Limit((1 + 5 / n) ** (t * n), n, sp.oo),
                sp.exp(5 * t),
            ),
        ),
        assumes=("weights are Gaussian; cumulants of the variance beyond the second are of higher order in 1/n",),
    )
