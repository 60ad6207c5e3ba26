"""Wide random layers: Gaussian averages of erf, ReLU and tanh, and the maps of variance and correlation."""

import sympy as sp

from statnn.theory.derivation import Derivation, equation, identity
from statnn.theory.notation import TEXTBOOK, componentwise, gaussian_mean, named

q, s, v = sp.symbols("q s v", positive=True)
c, x, y, z, u, a = sp.symbols("c x y z u a", real=True)
e = sp.Symbol("e", positive=True)
pi = sp.pi

PRODUCT = {
    "erf": 2 / pi * sp.asin(2 * q * c / (1 + 2 * q)),
    "relu": q * (sp.sqrt(1 - c**2) + c * (pi - sp.acos(c))) / (2 * pi),
}
"""E φ(x)φ(y) of Gaussian fields of variance q and correlation c."""
SQUARE = {
    "erf": 4 / pi / sp.sqrt(1 + 4 * q),
    "relu": sp.Rational(1, 2),
}
"""E φ'(x)²."""

_both = sp.Matrix([[q, q * c], [q * c, q]])
_density = sp.exp(-(x**2 - 2 * c * x * y + y**2) / (2 * q * (1 - c**2))) / (2 * pi * q * sp.sqrt(1 - c**2))
_single = sp.exp(-(x**2) / (2 * q)) / sp.sqrt(2 * pi * q)
SIGMA = named(r"\sigma_{w}^{2}")


def mean(text: str) -> sp.Symbol:
    """Return an average for display."""
    return named(rf"\operatorname{{E}}[{text}]")


def pair_mean(polynomial: sp.Expr) -> sp.Expr:
    """Return the average of a polynomial in the two fields x and y."""
    w = sp.Symbol("w", real=True)
    second = sp.sqrt(q) * (c * z + sp.sqrt(1 - c**2) * w)
    inside = gaussian_mean(sp.expand(polynomial.subs({x: sp.sqrt(q) * z, y: second}, simultaneous=True)), w)
    return sp.expand(gaussian_mean(sp.expand(inside), z))


def gaussian_averages() -> Derivation:
    """Derive Gaussian averages with respect to correlation and variance."""
    one, other, law = sp.Function("phi")(x), sp.Function("psi")(y), sp.Function("N")(x, y)
    hermite = (z**4 - 6 * z**2 + 3) / (4 * q**2)
    moments = [
        (j, k, gaussian_mean(_in_second(j, k), z)) for j in range(4) for k in range(4)
    ]  # of Hermite polynomials He_j(z) and, given z, He_k(cz + ...)
    return Derivation(
        "gaussian-averages",
        "Averages over Gaussian fields",
        TEXTBOOK,
        "exact",
        (
            identity(
                "The density of two fields of variance q and correlation c changes with c as by a mixed second "
                "derivative (Price 1958),",
                sp.diff(_density, c),
                q * sp.diff(_density, x, y),
                by=lambda gap: sp.simplify(gap / _density),
                shown=equation(
                    sp.Derivative(sp.Function("N")(x, y), c), q * sp.Derivative(sp.Function("N")(x, y), x, y)
                ),
            ),
            identity(
                "so that for any two functions the change of their product differs from the product of their slopes by "
                "a divergence,",
                one * other * sp.diff(_density, c) - q * sp.diff(one, x) * sp.diff(other, y) * _density,
                q * (sp.diff(one * other * sp.diff(_density, y), x) - sp.diff(sp.diff(one, x) * other * _density, y)),
                by=lambda gap: sp.simplify(sp.expand(gap / _density)),
                shown=equation(
                    one * other * sp.Derivative(law, c) - q * sp.Derivative(one, x) * sp.Derivative(other, y) * law,
                    q
                    * (
                        sp.Derivative(one * other * sp.Derivative(law, y), x)
                        - sp.Derivative(sp.Derivative(one, x) * other * law, y)
                    ),
                ),
            ),
            componentwise(
                "whose integral vanishes: the derivative of an average of a product is that of the product of slopes, "
                "checked against moments for all powers to the fourth. At c = 1 and q = q′ the slope of the "
                "correlation map is the factor of squared small distances.",
                [sp.diff(pair_mean(x**j * y**k), c) for j in range(5) for k in range(5)],
                [q * pair_mean(sp.diff(x**j, x) * sp.diff(y**k, y)) for j in range(5) for k in range(5)],
                equation(named(r"\frac{d}{d c}") * mean(r"\phi(x) \psi(y)"), q * mean(r"\phi'(x) \psi'(y)")),
            ),
            identity(
                "The density of one field obeys the heat equation in its variance,",
                sp.diff(_single, q),
                sp.diff(_single, x, 2) / 2,
                by=lambda gap: sp.simplify(gap / _single),
                shown=equation(sp.Derivative(sp.Function("N")(x), q), sp.Derivative(sp.Function("N")(x), x, 2) / 2),
            ),
            identity(
                "so that derivatives of averages are averages with Hermite polynomials of x²/q = z²: the first",
                sp.diff(_single, q) / _single,
                (x**2 / q - 1) / (2 * q),
                shown=equation(named(r"\frac{d}{d q}") * mean(r"\phi^{2}"), mean(r"\phi^{2} (z^{2} - 1)") / (2 * q)),
            ),
            identity(
                "and the second.",
                sp.diff(_single, q, 2) / _single,
                hermite.subs(z, x / sp.sqrt(q)),
                shown=equation(
                    named(r"\frac{d^{2}}{d q^{2}}") * mean(r"\phi^{2}"),
                    mean(r"\phi^{2} (z^{4} - 6 z^{2} + 3)") / (4 * q**2),
                ),
            ),
            componentwise(
                "Hermite polynomials of the two fields are orthogonal; checked to third order. So the average of a "
                "product is a power series in c with coefficients that are squares: convex for c > 0, and a slope at "
                "c = 1 of at most one leaves no other fixed point there.",
                [value for _, _, value in moments],
                [sp.factorial(k) * c**k if j == k else sp.S.Zero for j, k, _ in moments],
                equation(mean(r"H_{j}(x) H_{k}(y)"), named(r"\delta_{jk}") * named("k!") * c ** named("k")),
            ),
        ),
    )


def _in_second(j: int, k: int) -> sp.Expr:
    """Return He_j(z) times the mean of He_k over a second field of correlation c, given the first is z."""
    w = sp.Symbol("w", real=True)
    hermite = [sp.S.One, z, z**2 - 1, z**3 - 3 * z]
    second = sp.expand(hermite[k].subs(z, c * z + sp.Symbol("r") * w)) if k else sp.S.One
    averaged = sp.S.Zero
    for (power,), factor in sp.Poly(second, w).terms():
        if power % 2 == 0:
            averaged += factor * sp.factorial2(power - 1)
    return sp.expand(sp.expand(hermite[j] * averaged).subs(sp.Symbol("r") ** 2, 1 - c**2))


def erf_layers() -> Derivation:
    """Derive closed forms for erf (Williams 1997)."""
    determinant = (sp.eye(2) + 2 * _both).det()
    product, own = PRODUCT["erf"], PRODUCT["erf"].subs(c, 1)
    sine = 2 * q / (1 + 2 * q)
    one, other = sp.sqrt(1 + 4 * q), sp.sqrt((1 + 2 * q) ** 2 - 4 * q**2 * c**2)
    return Derivation(
        "erf-layers",
        "Wide random layers of erf",
        "Williams 1997; Poole et al. 2016; proved here",
        "exact",
        (
            identity(
                "The derivative of erf is a Gaussian, and the average of two of them a determinant: with K the "
                "covariance of the fields the exponents add to one of matrix 1/K + 2, so that",
                _both.det() * (_both.inv() + 2 * sp.eye(2)).det(),
                determinant,
                shown=equation(mean(r"e^{- x^{2} - y^{2}}"), named(r"\det(1 + 2 K)^{- 1 / 2}")),
            ),
            identity(
                "where the determinant is",
                determinant,
                (1 + 2 * q) ** 2 - 4 * q**2 * c**2,
                by=sp.expand,
                shown=equation(named(r"\det(1 + 2 K)"), (1 + 2 * q) ** 2 - 4 * q**2 * c**2),
            ),
            identity(
                "By Price's theorem the product of two erf has the derivative 4q/π times that; the product vanishes at "
                "c = 0, where the fields are independent and erf is odd: the arcsine law.",
                sp.diff(product, c),
                4 * q / pi / other,
                by=lambda gap: sp.simplify(sp.powdenest(sp.simplify(gap), force=True)),
                shown=equation(mean(r"\phi(x) \phi(y)"), product),
            ),
            identity("It does vanish there.", product.subs(c, 0), sp.S.Zero, shown=equation(mean(r"\phi") ** 2, 0)),
            identity(
                "At c = 1 it is the average of the square, with the slope",
                sp.diff(own, q),
                4 / pi / ((1 + 2 * q) * sp.sqrt(1 + 4 * q)),
                by=lambda gap: sp.simplify(sp.powdenest(sp.simplify(gap), force=True)),
                shown=equation(
                    named(r"\frac{d}{d q}") * mean(r"\phi^{2}"), 4 / (pi * (1 + 2 * q) * sp.sqrt(1 + 4 * q))
                ),
            ),
            identity(
                "and the factor of squared small distances is the slope in c there.",
                (4 / pi / other).subs(c, 1),
                SQUARE["erf"],
                by=lambda gap: sp.simplify(
                    gap.replace(lambda part: part.is_Pow, lambda part: sp.expand(part.base) ** part.exp)
                ),
                shown=equation(mean(r"\phi'^{2}"), SQUARE["erf"]),
            ),
            identity(
                "The difference of the two arcsines is an angle whose sine keeps its digits as c → 1.",
                (2 * q * (other - c * one)) * (other + c * one),
                2 * q * (1 + 2 * q) ** 2 * (1 - c) * (1 + c),
                by=sp.expand,
                shown=equation(
                    named(r"\sqrt{1 - s^{2} c^{2}} - c \sqrt{1 - s^{2}}"),
                    named(r"\frac{1 - c^{2}}{\sqrt{1 - s^{2} c^{2}} + c \sqrt{1 - s^{2}}}"),
                ),
            ),
            identity(
                "Here s is the sine at c = 1.",
                1 - sine**2,
                (1 + 4 * q) / (1 + 2 * q) ** 2,
                shown=equation(named("s"), sine),
            ),
        ),
    )


def relu_layers() -> Derivation:
    """Derive closed forms for ReLU and its leaky kin (Cho & Saul 2009); what happens at σ_w² = 2."""
    product = PRODUCT["relu"]
    theta = sp.Symbol("theta", positive=True)
    angle = (sp.sin(theta) + (pi - theta) * sp.cos(theta)) / pi
    k, m = sp.symbols("k m", positive=True)
    decay = 4 / (k * m) ** 2
    leaky = (1 + a) / 2, (1 - a) / 2
    modulus = 4 * product - 4 * (q * c / 2) + q * c  # E relu(x) y = qc/2
    return Derivation(
        "relu-layers",
        "Wide random layers of ReLU",
        "Cho & Saul 2009; proved here",
        "exact",
        (
            identity(
                "The second derivative of the ReLU is a delta, so that Price's theorem, used twice, gives the density "
                "of two fields at zero,",
                sp.diff(product, c, 2),
                q**2 * _density.subs({x: 0, y: 0}),
                shown=equation(named(r"\frac{d^{2}}{d c^{2}}") * mean(r"\phi(x) \phi(y)"), q**2 * named("N(0, 0)")),
            ),
            identity(
                "once integrated the chance that both fields are positive,",
                sp.diff(product, c),
                q * (pi - sp.acos(c)) / (2 * pi),
                shown=equation(mean(r"\phi'(x) \phi'(y)"), (pi - sp.acos(c)) / (2 * pi)),
            ),
            componentwise(
                "which is zero at c = −1, as is the product itself: the arc-cosine law.",
                [sp.diff(product, c).subs(c, -1), product.subs(c, -1)],
                [sp.S.Zero, sp.S.Zero],
                equation(mean(r"\phi(x) \phi(y)"), product),
                by=sp.simplify,
            ),
            identity(
                "At c = 1 the average of the square is linear: at a weight variance of two and without bias every "
                "variance is kept, and the layer has no scale.",
                2 * product.subs(c, 1),
                q,
                shown=equation(named("V(q)"), q),
            ),
            identity(
                "The modulus is twice the ReLU less the field,",
                modulus,
                q * 2 / pi * (sp.sqrt(1 - c**2) + c * sp.asin(c)),
                by=lambda gap: sp.simplify(gap.rewrite(sp.asin)),
                shown=equation(mean("|x| |y|"), 2 * q / pi * (sp.sqrt(1 - c**2) + c * sp.asin(c))),
            ),
            identity(
                "and a leaky ReLU of slope a below zero is even and odd part; its average square is",
                leaky[0] ** 2 * q + leaky[1] ** 2 * q,
                (1 + a**2) * q / 2,
                by=sp.expand,
                shown=equation(mean(r"\phi^{2}"), (1 + a**2) * q / 2),
            ),
            identity(
                "At criticality distances e = 1 − c shrink with a power 3/2 beyond the linear term; with c the cosine "
                "of an angle θ, the series of the map has no term of second order,",
                sp.series(angle - sp.cos(theta), theta, 0, 4).removeO(),
                theta**3 / (3 * pi),
                shown=equation(named("c' - c"), theta**3 / (3 * pi) + named(r"O(\theta^{5})")),
            ),
            identity(
                "so that with k = 2√2/(3π)",
                (theta**3 / (3 * pi)).subs(theta, sp.sqrt(2 * e)),
                2 * sp.sqrt(2) / (3 * pi) * e ** sp.Rational(3, 2),
                shown=equation(named("e'"), e - k * e ** sp.Rational(3, 2)),
            ),
            identity(
                "and the distance decays as the square of 1/m, which solves the map at leading order:",
                sp.diff(decay, m),
                -k * decay ** sp.Rational(3, 2),
                by=lambda gap: sp.simplify(sp.powdenest(gap, force=True)),
                shown=equation(named("e_{m}"), 4 / (k * m) ** 2),
            ),
            identity(
                "that is",
                decay.subs(k, 2 * sp.sqrt(2) / (3 * pi)),
                9 * pi**2 / (2 * m**2),
                shown=equation(named("e_{m}"), 9 * pi**2 / (2 * m**2)),
            ),
        ),
    )
