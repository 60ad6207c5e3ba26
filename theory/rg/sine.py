"""Wide random layers of the sine and of the sign: averages from the mean of a cosine, and from Price's theorem."""

from __future__ import annotations

import sympy as sp

from statnn.theory.derivation import Derivation, Step, identity
from statnn.theory.notation import TEXTBOOK
from statnn.theory.rewriting import by_antiderivative, by_gaussians
from statnn.theory.rg.meanfield import BOTH, DENSITIES, INSIDE, ONE, c, halves, q, s, v, x, y
from statnn.theory.rg.symbols import mean

PRODUCTS = {"sin": (sp.exp(-q * (1 - c)) - sp.exp(-q * (1 + c))) / 2, "sign": 2 / sp.pi * sp.asin(c)}
"""E φ(x)φ(y) of Gaussian fields of variance q and correlation c."""
SINE_SQUARE = (1 + sp.exp(-2 * q)) / 2
"""E φ'(x)² of the sine."""


def _sine() -> tuple[Step, ...]:
    cosine, slopes, square = sp.Function("C"), mean(r"\phi'(x) \phi'(y)"), mean(r"\phi'^{2}")
    both = (sp.exp(-q * (1 - c)) + sp.exp(-q * (1 + c))) / 2
    return (
        halves(),
        identity(
            "A product of sines is half the difference of the cosines of x − y, twice v, and of x + y, twice u:",
            sp.sin(x) * sp.sin(y),
            (sp.cos(x - y) - sp.cos(x + y)) / 2,
            by=lambda gap: sp.simplify(sp.expand_trig(gap)),
        ),
        identity(
            "The cosine of a field of variance s has the mean",
            sp.Integral(sp.cos(x) * ONE(x, s), (x, -sp.oo, sp.oo)),
            sp.exp(-s / 2),
            where=DENSITIES,
            by=by_gaussians,
        ),
        identity(
            "and x − y and x + y have the variances 2q(1 − c) and 2q(1 + c): with C for that mean, the product "
            "averages to",
            (cosine(2 * q * (1 - c)) - cosine(2 * q * (1 + c))) / 2,
            PRODUCTS["sin"],
            where={cosine(s): sp.exp(-s / 2)},
        ),
        identity(
            "By Price's theorem the average of the product of slopes is the derivative of this with respect to c, "
            "over q,",
            slopes,
            both,
            where={slopes: sp.diff(PRODUCTS["sin"], c) / q},
            by=sp.expand,
        ),
        identity("and at c = 1 the average of the squared slope.", square, SINE_SQUARE, where={square: both, c: 1}),
    )


def _sign() -> tuple[Step, ...]:
    slope = 2 / (sp.pi * sp.sqrt(1 - c**2))
    product = mean(r"\phi(x) \phi(y)")
    return (
        identity(
            "The derivative of the sign is twice a delta: Price's theorem gives 4q times the density of two fields at "
            "zero,",
            4 * q * BOTH(0, 0, c),
            slope,
            where=DENSITIES,
            domain=INSIDE,
        ),
        identity(
            "and integrating from c = 0, where the fields are independent, gives the arcsine.",
            product,
            PRODUCTS["sign"],
            where={product: sp.Integral(slope.subs(c, v), (v, 0, c))},
            domain=INSIDE,
            by=by_antiderivative(PRODUCTS["sign"].subs(c, v), v),
        ),
    )


def sine_layers() -> Derivation:
    """Derive closed forms for the sine and the sign (Price 1958)."""
    return Derivation(
        "sine-layers",
        "Wide random layers of the sine and of the sign",
        TEXTBOOK,
        "exact",
        (*_sine(), *_sign()),
        assumes=("weights and biases are Gaussian, and the layer is infinitely wide",),
        uses=("gaussian-averages",),
    )
