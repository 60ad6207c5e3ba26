"""Radii of attraction basins that can be solved: linear units, bands, several classes, noise on weights."""

import sympy as sp

from theory.derivation import Derivation, Step, equation, identity, inequality
from theory.interaction.symbols import gaussian, named
from theory.interaction.tempering import phi

m, sigma, a, t, u, v, k, scale = sp.symbols("m sigma a t u v k s", positive=True)
x, z = sp.symbols("x z", real=True)
K = sp.Symbol("K", integer=True, positive=True)

BAND = phi((m - x) / sigma) - phi((-m - x) / sigma)
"""P[|x + σz| < m]."""
_P, _Phi, _half = named("P"), sp.Function("Phi"), sp.Rational(1, 2)
SOURCE = "this project, for the attraction basins of Lin et al. 2025, arXiv 2501.02436"


def _linear() -> tuple[Step, ...]:
    unchanged = phi(a / sigma)
    return (
        inequality(
            "A linear unit that tells two classes apart has the field a plus Gaussian noise; the chance that its sign "
            "is unchanged exceeds 1/2 at every amplitude,",
            unchanged,
            _half,
            sp.erf(a / (sp.sqrt(2) * sigma)) / 2,
            shown=equation(_P - _half, _Phi(a / sigma) - _half),
        ),
        identity(
            "which it approaches: the basin is infinite.",
            sp.limit(unchanged.rewrite(sp.erf), sigma, sp.oo),
            _half,
            shown=equation(sp.Limit(_P, sigma, sp.oo), _half),
        ),
        inequality(
            "Noise of both signs never changes the class in both directions, since the two fields add up to 2a: with "
            "pairs of opposite directions no draw falls below 1/2 either.",
            (a + sigma * z) + (a - sigma * z),
            sp.S.Zero,
            2 * a,
            by=sp.expand,
            shown=equation((a + sigma * z) + sp.UnevaluatedExpr(a - sigma * z), 2 * a),
        ),
    )


def _band() -> tuple[Step, ...]:
    quartile = sp.sqrt(2) * sp.erfinv(_half)
    falls = -sp.diff(BAND, sigma).subs({m: (u + v) / 2, x: (v - u) / 2})
    form = (u * gaussian(u / sigma, 1) + v * gaussian(v / sigma, 1)) / sigma**2
    return (
        inequality(
            "A band of half-width m around the field 0: with the distances u and v to its two edges the chance to stay "
            "inside falls at every amplitude.",
            falls,
            sp.S.Zero,
            form,
            shown=equation(
                -sp.Derivative(_P, sigma),
                named(r"\frac{1}{\sigma^{2}} \left[ u\, \varphi(u / \sigma) + v\, \varphi(v / \sigma) \right]"),
            ),
        ),
        identity(
            "From the centre it is 1/2 at the amplitude m divided by the third quartile of the Gaussian.",
            sp.simplify(BAND.subs({x: 0, sigma: m / quartile})),
            _half,
            shown=equation(named(r"\sigma^{*}"), m / named(r"\Phi^{-1}(3/4)")),
        ),
    )


def _classes() -> tuple[Step, ...]:
    power = sp.Symbol("K", positive=True)
    both = sp.integrate(sp.exp(-(z**2) / 2 - (z + t) ** 2 / 2) / (2 * sp.pi), (z, -sp.oo, sp.oo))
    chance = named(r"\int \varphi(z)\, \Phi(z + t)^{K-1} dz")
    components = sp.symbols("x_1:4", real=True)
    return (
        identity(
            "K linear classes with independent noise of amplitude σ, the first ahead by Δ = σt: it stays the largest "
            "with the chance of this integral, which for two classes has the derivative of Φ(t/√2),",
            both,
            sp.diff(phi(t / sp.sqrt(2)), t),
            shown=equation(_P, chance),
        ),
        identity(
            "and for large noise, t → 0, becomes 1/K, since the integrand is a derivative.",
            sp.diff(phi(z) ** power / power, z),
            gaussian(z, 1) * phi(z) ** (power - 1),
            shown=equation(sp.Limit(_P, t, 0, "+"), 1 / K),
        ),
        inequality(
            "Three classes or more, K = k + 2, therefore always have a finite radius at the threshold 1/2: σ* = Δ/t.",
            _half,
            1 / (k + 2),
            k / (2 * (k + 2)),
            shown=equation(_half - 1 / K, (K - 2) / (2 * K)),
        ),
        identity(
            "Noise σs on the weights of one layer, independent in every entry, adds to each output a Gaussian of this "
            "variance: in the space of weights σ* = Δ/(s|x|t).",
            sum((sigma * scale * c) ** 2 for c in components),
            (sigma * scale) ** 2 * sum(c**2 for c in components),
            by=sp.expand,
            shown=equation(named(r"\operatorname{Var}[y_{k}]"), sigma**2 * scale**2 * named("|x|") ** 2),
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
