"""Radii of attraction basins that can be solved: linear units, bands, several classes, noise on weights."""

from __future__ import annotations

import sympy as sp

from statnn.theory.derivation import (
    Derivation,
    Rewrite,
    Step,
    definition,
    identity,
    inequality,
    instance,
    limit,
)
from statnn.theory.interaction.tempering import phi
from statnn.theory.notation import Entry, gaussian, named
from statnn.theory.rewriting import by_gaussians

m, sigma, a, t, u, v, k, scale = sp.symbols("m sigma a t u v k s", positive=True)
x, z = sp.symbols("x z", real=True)
K = sp.Symbol("K", integer=True, positive=True)

BAND = phi((m - x) / sigma) - phi((-m - x) / sigma)
"""P[|x + σz| < m]."""
_P, _Phi, _density, _half = named("P"), sp.Function("Phi"), sp.Function("varphi"), sp.Rational(1, 2)
SOURCE = "this project, for the attraction basins of Lin et al. 2025, arXiv 2501.02436"


def _linear() -> tuple[Step, ...]:
    unchanged = {_P: phi(a / sigma)}
    return (
        inequality(
            "A linear unit that tells two classes apart has the field a plus Gaussian noise; the chance that its sign "
            "is unchanged exceeds 1/2 at every amplitude,",
            _P,
            _half,
            sp.erf(a / (sp.sqrt(2) * sigma)) / 2,
            written=">",
            where=unchanged,
        ),
        limit("which it approaches: the basin is infinite.", sp.Limit(_P, sigma, sp.oo), _half, where=unchanged),
        inequality(
            "Noise and its opposite never both change the class, since the two fields add up to 2a: with pairs of "
            "opposite directions no draw falls below 1/2 either.",
            (a + sigma * z) + sp.UnevaluatedExpr(a - sigma * z),
            sp.S.Zero,
            2 * a,
            by=sp.expand,
        ),
    )


def _band() -> tuple[Step, ...]:
    quartile = sp.sqrt(2) * sp.erfinv(_half)
    edges = {m: (u + v) / 2, x: (v - u) / 2}
    radius, named_quartile = named(r"\sigma^{*}"), named(r"\Phi^{-1}(3/4)")
    return (
        inequality(
            "Let a class be a band of half-width m around the field 0: with u and v the distances to its two edges, "
            "the chance to stay inside falls with growing noise at every amplitude.",
            -sp.Derivative(_P, sigma),
            0,
            (u * _density(u / sigma) + v * _density(v / sigma)) / sigma**2,
            where={_density(z): gaussian(z, 1), _P: BAND} | edges,
        ),
        definition("At the amplitude m divided by the third quartile of the Gaussian", radius, m / named_quartile),
        identity(
            "the chance is 1/2 from the centre.",
            _P,
            _half,
            where={_P: BAND, x: 0, sigma: radius, radius: m / named_quartile, named_quartile: quartile},
        ),
    )


def _by_chance(power: sp.Symbol) -> Rewrite:
    """Return the rewriting of the integral of the derivative of Φ^K/K by the limits 0 and 1 of Φ."""

    def ends(integral: sp.Integral) -> sp.Expr:
        if sp.simplify(sp.diff(phi(z) ** power / power, z) - integral.function) != 0:
            return integral
        low, high = (sp.limit(phi(z), z, end) for end in (-sp.oo, sp.oo))
        return (high**power - low**power) / power

    return lambda gap: gap.replace(lambda part: isinstance(part, sp.Integral), ends)


def by_distance(distance: sp.Symbol) -> Rewrite:
    """Return the rewriting of a gap for two or three classes, of zero slope in the distance, by its value at 0."""

    def at_none(gap: sp.Expr) -> sp.Expr:
        (integral,) = gap.atoms(sp.Integral)
        slopes = gap.xreplace({integral: sp.Dummy()}).diff(distance), integral.function.diff(distance)
        slope = by_gaussians(slopes[0] + gap.coeff(integral) * sp.Integral(slopes[1], *integral.limits))
        if slope.doit() != 0:
            return gap
        return sp.simplify(_by_chance(sp.S(3))(_by_chance(sp.S(2))(gap.subs(distance, 0))))

    return at_none


def _classes() -> tuple[Step, ...]:
    power = sp.Symbol("K", positive=True)
    j, inputs = sp.Symbol("j", integer=True), sp.Symbol("n", integer=True, positive=True)
    normal = {_density(z): gaussian(z, 1), _Phi(z): phi(z)}
    line = (z, -sp.oo, sp.oo)
    return (
        instance(
            "Take K linear classes with independent noise of amplitude σ, the first ahead by Δ = σt: it stays the "
            "largest when all others stay below it, with a chance given by this integral, which is known otherwise "
            "for two classes, whose difference has the variance 2, and for three that are level,",
            _P,
            sp.Integral(_density(z) * _Phi(z + t) ** (K - 1), line),
            cases=[
                {K: 2, _P: phi(t / sp.sqrt(2))} | normal,
                {K: 3, t: 0, _P: sp.Rational(1, 3)} | normal,
            ],
            by=by_distance(t),
        ),
        identity(
            "and which for two classes has the derivative of Φ(t/√2),",
            sp.Integral(_density(z) * _density(z + t), line),
            sp.Derivative(_Phi(t / sp.sqrt(2)), t),
            where=normal,
            by=by_gaussians,
        ),
        identity(
            "and for large noise, t → 0, becomes 1/K, since the integrand is a derivative.",
            sp.Integral(_density(z) * _Phi(z) ** (power - 1), line),
            1 / power,
            where=normal,
            domain={power: (1, 12)},
            by=_by_chance(power),
        ),
        inequality(
            "Three classes or more, K = k + 2, therefore always have a finite radius at the threshold 1/2: σ* = Δ/t.",
            _half,
            1 / K,
            (K - 2) / (2 * K),
            where={K: k + 2},
        ),
        identity(
            "Noise σs on the weights of one layer, independent in every entry, adds to each output the variances of "
            "its terms, one for each of n inputs: in the space of weights σ* = Δ/(s|x|t).",
            named(r"\operatorname{Var}[y_{k}]"),
            sigma**2 * scale**2 * sp.Sum(Entry(x, j) ** 2, (j, 1, inputs)),
            where={named(r"\operatorname{Var}[y_{k}]"): sp.Sum((sigma * scale * Entry(x, j)) ** 2, (j, 1, inputs))},
            by=lambda gap: sp.expand(gap.replace(lambda part: isinstance(part, sp.Sum), sp.factor_terms)),
        ),
    )


def attraction_basins() -> Derivation:
    """Derive the radii of basins that have a closed form."""
    return Derivation(
        "attraction-basins",
        "Attraction basins in closed form",
        SOURCE,
        "exact",
        (*_linear(), *_band(), *_classes()),
        assumes=("noise is Gaussian and independent in every direction",),
    )
