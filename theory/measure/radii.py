"""Radii of attraction basins that can be solved: linear units, bands, several classes, noise on weights."""

import sympy as sp

from statnn.theory.derivation import (
    Derivation,
    Rewrite,
    Step,
    argued,
    definition,
    equation,
    identity,
    inequality,
    instance,
    limit,
)
from statnn.theory.interaction.tempering import phi
from statnn.theory.notation import gaussian, named

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
            "Noise of both signs never changes the class in both directions, since the two fields add up to 2a: with "
            "pairs of opposite directions no draw falls below 1/2 either.",
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
            "A band of half-width m around the field 0: with the distances u and v to its two edges the chance to stay "
            "inside falls at every amplitude.",
            -sp.Derivative(_P, sigma),
            0,
            (u * _density(u / sigma) + v * _density(v / sigma)) / sigma**2,
            where={_density(z): gaussian(z, 1), _P: BAND} | edges,
        ),
        definition("At the amplitude m divided by the third quartile of the Gaussian", radius, m / named_quartile),
        identity("it is 1/2 from the centre.", _P, _half, where={_P: BAND, x: 0, sigma: m / quartile}),
    )


def _by_chance(power: sp.Symbol) -> Rewrite:
    """Return the rewriting of the integral of the derivative of Φ^K/K by the ends of Φ, 0 and 1."""

    def ends(integral: sp.Integral) -> sp.Expr:
        if sp.simplify(sp.diff(phi(z) ** power / power, z) - integral.function) != 0:
            return integral
        low, high = (sp.limit(phi(z), z, end) for end in (-sp.oo, sp.oo))
        return (high**power - low**power) / power

    return lambda gap: gap.replace(lambda part: isinstance(part, sp.Integral), ends)


def _classes() -> tuple[Step, ...]:
    power = sp.Symbol("K", positive=True)
    components = sp.symbols("x_1:4", real=True)
    normal = {_density(z): gaussian(z, 1), _Phi(z): phi(z)}
    line = (z, -sp.oo, sp.oo)
    return (
        argued(
            "K linear classes with independent noise of amplitude σ, the first ahead by Δ = σt: it stays the largest "
            "with the chance of this integral,",
            equation(_P, named(r"\int \varphi(z)\, \Phi(z + t)^{K-1} dz")),
        ),
        identity(
            "which for two classes has the derivative of Φ(t/√2),",
            sp.Integral(_density(z) * _density(z + t), line),
            sp.Derivative(_Phi(t / sp.sqrt(2)), t),
            where=normal,
            by=lambda gap: sp.simplify(gap.doit()),
        ),
        identity(
            "and for large noise, t → 0, becomes 1/K, since the integrand is a derivative.",
            sp.Integral(_density(z) * _Phi(z) ** (power - 1), line),
            1 / power,
            where=normal,
            by=_by_chance(power),
        ),
        inequality(
            "Three classes or more, K = k + 2, therefore always have a finite radius at the threshold 1/2: σ* = Δ/t.",
            _half,
            1 / K,
            (K - 2) / (2 * K),
            where={K: k + 2},
        ),
        instance(
            "Noise σs on the weights of one layer, independent in every entry, adds to each output a Gaussian of this "
            "variance: in the space of weights σ* = Δ/(s|x|t). Here three inputs.",
            equation(named(r"\operatorname{Var}[y_{k}]"), sigma**2 * scale**2 * named("|x|") ** 2),
            sum((sigma * scale * c) ** 2 for c in components),
            (sigma * scale) ** 2 * sum(c**2 for c in components),
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
    )
