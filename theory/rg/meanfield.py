"""Wide random layers: Gaussian averages of erf, ReLU and tanh, and the maps of variance and correlation."""

from __future__ import annotations

from typing import Any

import sympy as sp

from statnn.theory.derivation import Derivation, Step, definition, identity, inequality, series
from statnn.theory.notation import TEXTBOOK, O
from statnn.theory.rewriting import by_antiderivative, by_gaussians
from statnn.theory.rg.symbols import Phi, Psi, mean

q, s, v = sp.symbols("q s v", positive=True)
c, x, y, z, u, a = sp.symbols("c x y z u a", real=True)
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

_density = sp.exp(-(x**2 - 2 * c * x * y + y**2) / (2 * q * (1 - c**2))) / (2 * pi * q * sp.sqrt(1 - c**2))
_single = sp.exp(-(x**2) / (2 * q)) / sp.sqrt(2 * pi * q)
BOTH, ONE = sp.Function("N"), sp.Function("N_1")
DENSITIES = {BOTH(x, y, c): _density, ONE(x, q): _single}
"""Densities of two fields, and of one, of given variance."""
INSIDE = {c: (-1, 1)}


def pair_mean(polynomial: sp.Expr) -> sp.Expr:
    """Return the average of a polynomial in the two fields x and y."""
    terms = sp.Poly(polynomial, x, y).terms()
    return sp.expand(sp.Add(*(factor * _moment(i, j) for (i, j), factor in terms if (i + j) % 2 == 0)))


def _moment(i: int, j: int) -> sp.Expr:
    """Return the average of x^i y^j: y is c x plus an independent part of variance q(1 - c²)."""
    return q ** ((i + j) // 2) * sum(
        sp.binomial(j, k) * c**k * (1 - c**2) ** ((j - k) // 2) * sp.factorial2(i + k - 1) * sp.factorial2(j - k - 1)
        for k in range(j % 2, j + 1, 2)
    )


def halves() -> Step:
    """Return the step that half sum u and half difference v of two fields are independent."""
    return identity(
        "Half sum u and half difference v of two fields are independent, of variance q(1 ± c)/2: the density of both "
        "fields, times 2 for the change of variables, is a product.",
        2 * BOTH(u + v, u - v, c),
        ONE(u, q * (1 + c) / 2) * ONE(v, q * (1 - c) / 2),
        where=DENSITIES,
        domain=INSIDE,
        by=by_squares,
    )


def by_squares(gap: sp.Expr) -> sp.Expr:
    """Return zero if the squares of two positive functions are equal."""
    if not gap.is_Add:
        return gap
    first, second = gap.as_two_terms()
    return sp.S.Zero if sp.simplify(sp.powsimp((first / second) ** 2, force=True)) == 1 else gap


def _price() -> tuple[Step, ...]:
    f, g, law = Phi(x, 0), Psi(y, 0), BOTH(x, y, c)
    phi, psi = (
        sp.Add(*(a * at**k for k, a in enumerate(sp.symbols(f"{name}_:5")))) for name, at in (("a", x), ("b", y))
    )
    product, slopes = sp.Function("M"), mean(r"\phi'(x) \psi'(y)")
    return (
        identity(
            "The density of two fields of variance q and correlation c changes with c by a mixed second derivative "
            "times q (Price 1958),",
            sp.Derivative(law, c),
            q * sp.Derivative(law, x, y),
            where=DENSITIES,
            domain=INSIDE,
            by=lambda gap: sp.simplify(gap / _density),
        ),
        identity(
            "so that for any two functions the change of their product differs from the product of their slopes by a "
            "divergence,",
            f * g * sp.Derivative(law, c) - q * sp.Derivative(f, x) * sp.Derivative(g, y) * law,
            q * sp.Derivative(f * g * sp.Derivative(law, y), x) - q * sp.Derivative(sp.Derivative(f, x) * g * law, y),
            where=DENSITIES,
            domain=INSIDE,
            by=lambda gap: sp.factor(sp.expand(gap / _density)),
        ),
        identity(
            "whose integral vanishes: the derivative of the average M of a product is q times that of the product of "
            "slopes, checked against moments for any two polynomials of fourth order. At c = 1 and q = q′ the slope "
            "of the correlation map is the factor by which squared small distances grow.",
            sp.Derivative(product(c), c),
            q * slopes,
            where={product(c): pair_mean(phi * psi), slopes: pair_mean(sp.diff(phi, x) * sp.diff(psi, y))},
            by=sp.expand,
        ),
    )


def _heat() -> tuple[Step, ...]:
    law = ONE(x, q)
    coefficients = [sp.symbols(f"{name}_:4", real=True) for name in "ab"]
    phi, psi = (
        sp.Add(*(a * hermite for a, hermite in zip(of, (1, at, at**2 - 1, at**3 - 3 * at), strict=True)))
        for of, at in zip(coefficients, (x, y), strict=True)
    )
    product, above = mean(r"\phi(x) \psi(y)"), sp.Symbol("c", positive=True)
    squares = sp.symbols("w_:4", positive=True)
    return (
        identity(
            "The density of one field obeys the heat equation in its variance,",
            sp.Derivative(law, q),
            sp.Derivative(law, x, 2) / 2,
            where=DENSITIES,
            by=lambda gap: sp.simplify(gap / _single),
        ),
        identity(
            "so that derivatives of averages are averages with Hermite polynomials of z, where z² = x²/q: the first",
            sp.Derivative(law, q),
            (z**2 - 1) / (2 * q) * law,
            where=DENSITIES | {z: x / sp.sqrt(q)},
        ),
        identity(
            "and the second.",
            sp.Derivative(law, q, 2),
            (z**4 - 6 * z**2 + 3) / (4 * q**2) * law,
            where=DENSITIES | {z: x / sp.sqrt(q)},
        ),
        identity(
            "Hermite polynomials of two fields of variance one are orthogonal: sums of them, with coefficients a and "
            "b, here of third order, have the covariance",
            product - coefficients[0][0] * coefficients[1][0],
            sp.Add(*(a * b * sp.factorial(k) * c**k for k, (a, b) in enumerate(zip(*coefficients, strict=True)) if k)),
            where={product: pair_mean(phi * psi).subs(q, 1)},
            by=sp.expand,
        ),
        inequality(
            "So the average M of φ(x)φ(y) is a power series in c with coefficients that are squares, here w to third "
            "order: convex for c > 0, unless φ is linear, and a slope at c = 1 of at most one leaves no other fixed "
            "point there.",
            sp.Derivative(sp.Function("M")(above), above, 2),
            0,
            4 * squares[2] + 36 * squares[3] * above,
            written=">",
            where={sp.Function("M")(above): sp.Add(*(w * sp.factorial(k) * above**k for k, w in enumerate(squares)))},
        ),
    )


def gaussian_averages() -> Derivation:
    """Derive Gaussian averages with respect to correlation and variance."""
    return Derivation(
        "gaussian-averages",
        "Averages over Gaussian fields",
        TEXTBOOK,
        "exact",
        (*_price(), *_heat()),
        assumes=("the functions grow more slowly than a Gaussian falls",),
    )


def erf_layers() -> Derivation:
    """Derive closed forms for erf (Williams 1997)."""
    return Derivation(
        "erf-layers",
        "Wide random layers of erf",
        "Williams 1997; Poole et al. 2016; proved here",
        "exact",
        (*_arcsine(), *_erf_slopes()),
        assumes=("weights and biases are Gaussian, and the layer is infinitely wide",),
        uses=("gaussian-averages",),
    )


def _arcsine() -> tuple[Step, ...]:
    of_u, of_v = sp.symbols("s_u s_v", positive=True)
    square = sp.Function("E_2")
    determinant = (1 + 2 * q) ** 2 - 4 * q**2 * c**2
    slope = 4 * q / (pi * sp.sqrt(determinant))
    return (
        halves(),
        identity(
            "The derivative of erf is a Gaussian, and with half sum u and half difference v, x² + y² = 2u² + 2v². "
            "The average of one such Gaussian is",
            sp.Integral(sp.exp(-2 * u**2) * ONE(u, s), (u, -sp.oo, sp.oo)),
            1 / sp.sqrt(1 + 4 * s),
            where=DENSITIES,
            by=by_gaussians,
        ),
        identity(
            "and that of the product of both, with s for the variances of u and v, is one over the root of "
            "det(1 + 2K), K the covariance.",
            1 / (sp.sqrt(1 + 4 * of_u) * sp.sqrt(1 + 4 * of_v)),
            1 / sp.sqrt(determinant),
            where={of_u: q * (1 + c) / 2, of_v: q * (1 - c) / 2},
            domain=INSIDE,
            by=by_squares,
        ),
        identity(
            "erf is odd: at c = 0, where the fields are independent, the average of the product vanishes.",
            sp.Integral(sp.erf(x) * ONE(x, q), (x, -sp.oo, sp.oo)),
            0,
            where=DENSITIES,
            by=by_oddness,
        ),
        identity(
            "By Price's theorem its derivative with respect to c is 4q/π times that average of Gaussians: the "
            "arcsine law.",
            sp.Integral(slope.subs(c, v), (v, 0, c)),
            PRODUCT["erf"],
            domain=INSIDE,
            by=by_antiderivative(PRODUCT["erf"].subs(c, v), v, _by_roots),
        ),
        identity(
            "At c = 1 it is the average E₂ of the square, with the slope",
            sp.Derivative(square(q), q),
            4 / (pi * (1 + 2 * q) * sp.sqrt(1 + 4 * q)),
            where={square(q): PRODUCT["erf"].subs(c, 1)},
            by=_by_roots,
        ),
    )


def _by_roots(gap: sp.Expr) -> sp.Expr:
    return sp.simplify(sp.powdenest(sp.simplify(gap)))


def by_oddness(gap: sp.Expr) -> sp.Expr:
    """Return zero for the integral of an odd function over all numbers."""
    if not isinstance(gap, sp.Integral):
        return gap
    ((variable, low, high),) = gap.limits
    mirrored = gap.function.subs(variable, -variable)
    return sp.S.Zero if low == -high and sp.simplify(gap.function + mirrored) == 0 else gap


def _erf_slopes() -> tuple[Step, ...]:
    slope, sine = mean(r"\phi'^{2}"), sp.Symbol("s", positive=True)
    at_one, at_c = sp.sqrt(1 - sine**2), sp.sqrt(1 - sine**2 * c**2)
    squared = sp.Integral((2 * sp.exp(-(x**2)) / sp.sqrt(pi)) ** 2 * _single, (x, -sp.oo, sp.oo))
    return (
        identity(
            "The factor of squared small distances is the average of the squared slope.",
            slope,
            SQUARE["erf"],
            where={slope: squared},
            by=by_gaussians,
        ),
        identity(
            "It is the slope in c at c = 1, over q;",
            SQUARE["erf"],
            sp.Derivative(PRODUCT["erf"], c) / q,
            where={c: 1},
            by=_by_roots,
        ),
        identity(
            "the difference of the two arcsines is an angle whose sine keeps its digits as c → 1.",
            sp.sin(sp.asin(sine) - sp.asin(sine * c)),
            sine * (1 - c**2) / (at_c + c * at_one),
            domain={sine: (0, 1), c: (0, 1)},
            by=lambda gap: sp.simplify(sp.expand(sp.expand_trig(gap) * (at_c + c * at_one))),
        ),
        identity(
            "Here s is the sine at c = 1.",
            1 - sine**2,
            (1 + 4 * q) / (1 + 2 * q) ** 2,
            where={sine: 2 * q / (1 + 2 * q)},
        ),
    )


def relu_layers() -> Derivation:
    """Derive closed forms for ReLU and its leaky kin (Cho & Saul 2009); the case σ_w² = 2."""
    return Derivation(
        "relu-layers",
        "Wide random layers of ReLU",
        "Cho & Saul 2009; proved here",
        "exact",
        (*_arccosine(), *_kin(), *_critical()),
        assumes=("weights and biases are Gaussian, and the layer is infinitely wide",),
        uses=("gaussian-averages",),
    )


def _arccosine() -> tuple[Step, ...]:
    both, product = sp.Function("p"), sp.Function("M")
    known = DENSITIES | {both(c): (pi - sp.acos(c)) / (2 * pi), product(c): PRODUCT["relu"]}
    return (
        identity(
            "The second derivative of the ReLU is a delta, so that Price's theorem, used twice, leads to the density "
            "of two fields at zero,",
            BOTH(0, 0, c),
            1 / (2 * pi * q * sp.sqrt(1 - c**2)),
            where=DENSITIES,
            domain=INSIDE,
        ),
        definition("The function", both(c), known[both(c)]),
        identity(
            "has q times that density as its derivative: it is the chance that both fields are positive,",
            sp.Derivative(both(c), c),
            q * BOTH(0, 0, c),
            where=known,
            domain=INSIDE,
        ),
        identity("for at c = −1 one field is the opposite of the other.", both(-1), 0, where=known),
        definition("The average of the product, the arc-cosine law", product(c), known[product(c)]),
        identity(
            "has q times that chance as its derivative",
            sp.Derivative(product(c), c),
            q * both(c),
            where=known,
            domain=INSIDE,
        ),
        identity("and vanishes at c = −1, too.", product(-1), 0, where=known),
    )


def _half(power: int, low: Any, high: Any) -> sp.Integral:
    return sp.Integral(x**power * _single, (x, low, high))


def _kin() -> tuple[Step, ...]:
    modulus, square, cross, V = mean("|x| |y|"), mean(r"\phi^{2}"), mean(r"\phi(x) y"), sp.Function("V")
    return (
        identity(
            "At c = 1 the average of the square is linear: at a weight variance of two and without bias every variance "
            "is kept, and the layer has no scale.",
            V(q),
            q,
            where={V(q): 2 * _half(2, 0, sp.oo)},
            by=_done,
        ),
        identity(
            "The other field is c times the first plus something independent, so that",
            cross,
            q * c / 2,
            where={cross: c * _half(2, 0, sp.oo)},
            by=_done,
        ),
        identity(
            "and the modulus, twice the ReLU less the field, gives",
            modulus,
            q * 2 / pi * (sp.sqrt(1 - c**2) + c * sp.asin(c)),
            where={modulus: 4 * PRODUCT["relu"] - 4 * (q * c / 2) + q * c},
            domain=INSIDE,
            by=lambda gap: sp.simplify(gap.rewrite(sp.asin)),
        ),
        identity(
            "The average square of a leaky ReLU of slope a below zero is",
            square,
            (1 + a**2) * q / 2,
            where={square: _half(2, 0, sp.oo) + a**2 * _half(2, -sp.oo, 0)},
            by=_done,
        ),
    )


def _done(gap: sp.Expr) -> sp.Expr:
    return sp.simplify(gap.doit())


def _critical() -> tuple[Step, ...]:
    theta, k, m, e, after = (sp.Symbol(name, positive=True) for name in ("theta", "k", "m", "e", "e'"))
    distance, shift = sp.Function("e")(m), theta**3 / (3 * pi)
    angle = (sp.sin(theta) + (pi - theta) * sp.cos(theta)) / pi
    factor, decay = {k: 2 * sp.sqrt(2) / (3 * pi)}, {distance: 4 / (k * m) ** 2}
    return (
        series(
            "At criticality distances e = 1 − c shrink with a power 3/2 beyond the linear term; with c the cosine of "
            "an angle θ, the change c′ − c of the map has no term of second order,",
            angle - sp.cos(theta),
            shift + O(theta**5),
            (theta, 0),
        ),
        series(
            "so that with k = 2√2/(3π), where e is of order θ²,",
            after,
            e - k * e ** sp.Rational(3, 2) + O(theta**5),
            (theta, 0),
            where=factor | {e: 2 * sp.sin(theta / 2) ** 2, after: 1 - angle},
            by=lambda gap: gap.replace(sp.Abs, lambda at: at),
        ),
        identity(
            "and the distance decays as the square of 1/m, which solves the map at leading order:",
            sp.Derivative(distance, m),
            -k * distance ** sp.Rational(3, 2),
            where=decay,
            by=lambda gap: sp.simplify(sp.powdenest(gap, force=True)),
        ),
        identity("that is", distance, 9 * pi**2 / (2 * m**2), where=decay | factor),
    )
