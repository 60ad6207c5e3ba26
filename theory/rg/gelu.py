"""Wide random layers of gelu, h Φ(h): the arcsine law of erf, by parts."""

from __future__ import annotations

import sympy as sp

from statnn.theory.derivation import Derivation, Step, identity
from statnn.theory.rewriting import by_gaussians
from statnn.theory.rg.meanfield import (
    DENSITIES,
    INSIDE,
    ONE,
    PRODUCT,
    by_squares,
    c,
    halves,
    pair_mean,
    pi,
    q,
    s,
    u,
    x,
    y,
)
from statnn.theory.rg.symbols import mean

SINE = q / (1 + q)
_determinant = (1 + q) ** 2 - q**2 * c**2
_chance = sp.Rational(1, 4) + sp.asin(SINE * c) / (2 * pi)
_dense = 1 / (2 * pi * sp.sqrt(_determinant))

PRODUCT_OF_GELU = q * c * _chance + q**2 * (1 + q + (1 - q) * c**2) / (1 + q) * _dense
"""E φ(x)φ(y) of Gaussian fields of variance q and correlation c."""
SQUARE_OF_GELU = (
    sp.Rational(1, 4) + sp.asin(SINE) / (2 * pi) + SINE / (pi * sp.sqrt(1 + 2 * q)) * (1 + (1 + q) / (2 + 4 * q))
)
"""E φ'(x)²."""


def _averages() -> tuple[Step, ...]:
    of_u, of_v = sp.symbols("s_u s_v", positive=True)
    errors, densities = mean(r"\operatorname{erf}(x/\sqrt{2}) \operatorname{erf}(y/\sqrt{2})"), mean("n(x) n(y)")
    return (
        identity(
            "Φ(h) is (1 + erf(h/√2))/2, and erf averages to zero: by the arcsine law of erf, at half the variance, "
            "the average of Φ(x)Φ(y) is",
            (1 + errors) / 4,
            _chance,
            where={errors: PRODUCT["erf"].subs(q, q / 2)},
        ),
        halves(),
        identity(
            "The derivative of Φ is the normal density n, and with half sum u and half difference v, x² + y² = 2u² + "
            "2v². The average of one factor is",
            sp.Integral(sp.exp(-(u**2)) * ONE(u, s), (u, -sp.oo, sp.oo)),
            1 / sp.sqrt(1 + 2 * s),
            where=DENSITIES,
            by=by_gaussians,
        ),
        identity(
            "and that of both densities, with s for the variances of u and v,",
            densities,
            _dense,
            where={
                densities: 1 / (2 * pi * sp.sqrt(1 + 2 * of_u) * sp.sqrt(1 + 2 * of_v)),
                of_u: q * (1 + c) / 2,
                of_v: q * (1 - c) / 2,
            },
            domain=INSIDE,
            by=by_squares,
        ),
    )


def _parts() -> tuple[Step, ...]:
    f, g = (
        sp.Add(*(a * at**k for k, a in enumerate(sp.symbols(f"{name}_:4", real=True))))
        for name, at in (("a", x), ("b", y))
    )
    names = {
        mean(text): pair_mean(sp.expand(of))
        for text, of in {
            "f g": f * g,
            "x f g": x * f * g,
            "x y f g": x * y * f * g,
            "f' g": sp.diff(f, x) * g,
            "f g'": f * sp.diff(g, y),
            "f' g'": sp.diff(f, x) * sp.diff(g, y),
            "f'' g": sp.diff(f, x, 2) * g,
            "f g''": f * sp.diff(g, y, 2),
        }.items()
    }
    bent = mean("f'' g") + mean("f g''")
    return (
        identity(
            "By integration by parts a factor of the field becomes a derivative: for f of the first field and g of "
            "the second",
            mean("x f g"),
            q * mean("f' g") + q * c * mean("f g'"),
            where=names,
            by=sp.expand,
        ),
        identity(
            "and, used twice, checked like the first for any two polynomials of third order.",
            mean("x y f g"),
            q * c * mean("f g") + q**2 * (1 + c**2) * mean("f' g'") + q**2 * c * bent,
            where=names,
            by=sp.expand,
        ),
    )


def _product() -> tuple[Step, ...]:
    both, densities, cross = mean(r"\Phi(x) \Phi(y)"), mean("n(x) n(y)"), mean(r"x n(x) \Phi(y)")
    slopes, square, squares = (mean(text) for text in (r"\phi'(x) \phi'(y)", r"\phi^{2}", r"\phi'^{2}"))
    known = {both: _chance, densities: _dense, cross: SINE * c * _dense}
    return (
        identity(
            "As n′ = −x n, the first with f = n and g = Φ fixes the average on its left:",
            cross,
            -q * cross + q * c * densities,
            where=known,
        ),
        identity(
            "With f = g = Φ, whose second derivatives are −x n, the second gives the average of the product of gelu,",
            q * c * both + q**2 * (1 + c**2) * densities - 2 * q**2 * c * cross,
            PRODUCT_OF_GELU,
            where=known,
            domain=INSIDE,
        ),
        identity(
            "and at c = 1 that of its square.",
            square,
            q * (sp.Rational(1, 4) + sp.asin(SINE) / (2 * pi) + SINE / (pi * sp.sqrt(1 + 2 * q))),
            where={square: PRODUCT_OF_GELU.subs(c, 1)},
        ),
        identity(
            "By Price's theorem the average of the product of slopes is the derivative of this with respect to c, "
            "over q,",
            slopes,
            _chance + q * c * (2 / (1 + q) + 1 / _determinant) * _dense,
            where={slopes: sp.diff(PRODUCT_OF_GELU, c) / q},
            domain=INSIDE,
        ),
        identity(
            "and at c = 1 the average of the squared slope.",
            squares,
            SQUARE_OF_GELU,
            where={squares: sp.diff(PRODUCT_OF_GELU, c).subs(c, 1) / q},
        ),
    )


def _distance() -> Step:
    r, R, delta = sp.symbols("r R delta", positive=True)
    product, square, sine = mean(r"\phi(x) \phi(y)"), mean(r"\phi^{2}"), sp.sin(delta)
    across = q * (1 - c**2) / ((1 + q) * R) * (2 - (1 + 3 * q) / (r * (r + R)))
    roots = {
        1 + 2 * q: r,
        (1 + q) ** 2 - q**2: r,
        _determinant: R,
        1 - SINE**2: r / (1 + q),
        1 - (SINE * c) ** 2: R / (1 + q),
    }

    def by_roots(gap: sp.Expr) -> sp.Expr:
        rooted = sp.expand_trig(gap.rewrite(sp.asin)).replace(
            lambda at: at.is_Pow and at.base in roots and at.exp.q == 2, lambda at: roots[at.base] ** (2 * at.exp)
        )
        numerator = sp.expand(sp.numer(sp.together(rooted)))
        return sp.simplify(sp.reduced(numerator, [r**2 - 1 - 2 * q, R**2 - _determinant], r, R)[1])

    return identity(
        "Half the average squared difference is a sum in which no term is negative, so that no digit is lost as c → 1. "
        "Here r² is 1 + 2q, R² is (1 + q)² − q²c², and δ the difference of the two arcsines.",
        square - product,
        q / (2 * pi) * ((1 - c) * sp.acos(-SINE * c) + delta - sine + across + (1 - c) * r * sine / (r + R)),
        where={
            square: PRODUCT_OF_GELU.subs(c, 1),
            product: PRODUCT_OF_GELU,
            r: sp.sqrt(1 + 2 * q),
            R: sp.sqrt(_determinant),
            delta: sp.asin(SINE) - sp.asin(SINE * c),
        },
        domain=INSIDE,
        by=by_roots,
    )


def gelu_layers() -> Derivation:
    """Derive closed forms for gelu."""
    return Derivation(
        "gelu-layers",
        "Wide random layers of gelu",
        "Tsuchida et al. 2021; proved here",
        "exact",
        (*_averages(), *_parts(), *_product(), _distance()),
        assumes=("weights and biases are Gaussian, and the layer is infinitely wide",),
        uses=("gaussian-averages", "erf-layers"),
    )
