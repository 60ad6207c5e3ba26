"""The square lattice: duality, Kaufman's finite torus, Onsager's energy."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import sympy as sp

from theory.derivation import Derivation, Step, equation, identity
from theory.interaction.symbols import K, componentwise, n, named

SIZES = ((2, 2), (2, 3), (3, 2), (3, 3), (3, 4))
CRITICAL = sp.log(1 + sp.sqrt(2)) / 2
_C, _S = sp.cosh(2 * K), sp.sinh(2 * K)
_grow = sp.Symbol("x", positive=True)  # e^K
_integral = sp.Symbol("X", positive=True)  # the elliptic integral, in proofs
_elliptic = named(r"\mathcal{K}(k)")


def unpaired(grow: Any, rows: int, mode: int, sign: int) -> Any:
    """Return (2 sinh 2K)^(M/2) times 2 cosh(Mγ/2) (`sign` 1) or 2 sinh(Mγ/2) (-1) of the modes 0 and n, rational."""
    if mode == 0:
        return (grow**2 - 1) ** rows + sign * (1 + grow**-2) ** rows
    return (grow**2 + 1) ** rows + sign * (1 - grow**-2) ** rows


def cosh_mode(grow: Any, cosine: Any) -> Any:
    """Return cosh γ of a mode."""
    return (grow**2 + grow**-2) ** 2 / (2 * (grow**2 - grow**-2)) - cosine


def kaufman(grow: Any, columns: int, rows: int, cosines: Sequence[Any], chebyshev: Callable[[int, Any], Any]) -> Any:
    """Return Z of the torus as a function of e^K: half the sum of four products over modes.

    `cosines` are cos(πl/n), and `chebyshev` M, cosh γ gives cosh Mγ: exact or numeric, as e^K is.
    """
    total = 0
    for first in (0, 1):
        for sign in (1, -1):
            term = 1
            for mode in range(first, columns + 1, 2):
                if mode in (0, columns):
                    term *= unpaired(grow, rows, mode, sign)
                else:
                    # the modes l and 2n-l together: (2 sinh 2K)^M times the square of 2 cosh(Mγ/2) or 2 sinh(Mγ/2)
                    powers = chebyshev(rows, cosh_mode(grow, cosines[mode]))
                    term *= (grow**2 - grow**-2) ** rows * 2 * (powers + sign)
            total += term
    return total / 2


def _exact(columns: int, rows: int) -> sp.Expr:
    """Return Kaufman's Z as an expression in e^K."""
    cosines = [sp.cos(sp.pi * mode / columns) for mode in range(columns + 1)]
    return kaufman(_grow, columns, rows, cosines, sp.chebyshevt)


def enumerated(columns: int, rows: int) -> sp.Expr:
    """Return Z of the torus in e^K by enumeration; where a side is 2, neighbours are joined by two bonds."""
    counts: Counter[int] = Counter()
    for spins in product((-1, 1), repeat=columns * rows):
        counts[
            sum(
                spins[r * columns + c] * (spins[r * columns + (c + 1) % columns] + spins[(r + 1) % rows * columns + c])
                for r in range(rows)
                for c in range(columns)
            )
        ] += 1
    return sp.Add(*(count * _grow**bonds for bonds, count in counts.items()))


def _duality() -> tuple[Step, ...]:
    tanh = sp.exp(-2 * K)  # tanh of the dual coupling
    dual = sp.Symbol("K^{*}")
    return (
        identity(
            "Low temperatures count domain walls, of weight exp(−2K), as high temperatures count loops, of weight tanh "
            "K: the dual coupling has tanh K* = exp(−2K), so",
            2 * tanh / (1 - tanh**2) * _S,
            sp.S.One,
            by=lambda gap: sp.simplify(gap.rewrite(sp.exp)),
            shown=equation(sp.sinh(2 * K) * sp.sinh(2 * dual), sp.S.One),
        ),
        identity(
            "A single transition can only be where both agree, sinh 2K = 1.",
            (sp.sinh(2 * CRITICAL).rewrite(sp.exp)),
            sp.S.One,
            by=lambda gap: sp.radsimp(sp.simplify(gap)),
            shown=equation(named("K_{c}"), CRITICAL),
        ),
    )


def _finite() -> tuple[Step, ...]:
    gamma, rows = sp.symbols("gamma M", positive=True)
    theta = sp.pi * sp.Symbol("l") / n
    products = named(r"\prod_{r=0}^{n-1} 2 \cosh\frac{M \gamma_{2 r+1}}{2}")
    products += named(r"\prod_{r=0}^{n-1} 2 \sinh\frac{M \gamma_{2 r+1}}{2}")
    products += named(r"\prod_{r=0}^{n-1} 2 \cosh\frac{M \gamma_{2 r}}{2}")
    products += named(r"\prod_{r=0}^{n-1} 2 \sinh\frac{M \gamma_{2 r}}{2}")
    shown = sp.Mul(named(r"\frac{1}{2} (2 \sinh 2K)^{n M / 2}"), products, evaluate=False)
    return (
        identity(
            "Kaufman's modes of a torus of n columns and M rows, l = 0 to 2n−1. The mode l = 0 is 2(K − K*), with a "
            "sign:",
            sp.cosh(2 * K + sp.log(sp.tanh(K))).rewrite(sp.exp),
            _C**2 / _S - 1,
            by=lambda gap: sp.simplify(gap.rewrite(sp.exp)),
            shown=equation(sp.cosh(named(r"\gamma_{l}")), _C * sp.coth(2 * K) - sp.cos(theta)),
        ),
        componentwise(
            "it is negative above the critical temperature, and its factors are powers of rational functions of e to "
            "the K.",
            [2 * _S * sp.exp(2 * K) * sp.tanh(K), 2 * _S * sp.exp(-2 * K) / sp.tanh(K)],
            [(sp.exp(2 * K) - 1) ** 2, (1 + sp.exp(-2 * K)) ** 2],
            equation(named(r"\gamma_{0}"), 2 * K + sp.log(sp.tanh(K))),
            by=lambda gap: sp.simplify(gap.rewrite(sp.exp)),
        ),
        identity(
            "The modes l and 2n−l are equal: their factors make squares, polynomials in cosh γ.",
            4 * sp.cosh(rows * gamma / 2) ** 2,
            2 * (sp.cosh(rows * gamma) + 1),
            by=lambda gap: sp.simplify(gap.rewrite(sp.exp)),
            shown=equation(4 * sp.cosh(rows * gamma / 2) ** 2, 2 * (1 + sp.cosh(rows * gamma))),
        ),
        componentwise(
            "Kaufman's partition function; its polynomial in e to the K is compared, coefficient by coefficient, with "
            "the enumeration of all states for the sizes 2×2, 2×3, 3×2, 3×3 and 3×4.",
            [_exact(*size) for size in SIZES],
            [enumerated(*size) for size in SIZES],
            equation(named("Z"), shown),
            by=sp.cancel,
        ),
    )


def _bulk() -> tuple[Step, ...]:
    gamma, c = sp.Symbol("gamma", positive=True), sp.Symbol("c", real=True)
    theta, omega = sp.symbols("theta omega", real=True)
    inner = 2 * sp.cosh(gamma) - 2 * sp.cos(omega)
    angle = 2 * sp.atan(sp.tan(omega / 2) / sp.tanh(gamma / 2))
    both = sp.cos(theta) + sp.cos(omega)
    weight = _C**2 - _S * c
    cosh_gamma = _C**2 / _S - sp.cos(theta)
    log_z = sp.log(2) + sp.Integral(sp.log(_C**2 - _S * both), (theta, 0, 2 * sp.pi), (omega, 0, 2 * sp.pi)) / (
        8 * sp.pi**2
    )
    return (
        identity(
            "For a large torus each mode counts with γ/2 a row. To write γ as a mean over angles, note that the "
            "antiderivative of",
            _in_tangent(sp.diff(angle, omega) - sp.sinh(gamma) / (sp.cosh(gamma) - sp.cos(omega)), omega, gamma),
            sp.S.Zero,
            shown=equation(sp.Derivative(sp.log(inner), gamma), sp.sinh(gamma) / (sp.cosh(gamma) - sp.cos(omega))),
        ),
        identity(
            "in ω is twice an arctangent: over a full turn the mean is 1, the derivative of γ,",
            2 * (sp.limit(sp.atan(c), c, sp.oo) - sp.limit(sp.atan(c), c, -sp.oo)),
            2 * sp.pi,
            shown=equation(
                sp.Integral(sp.sinh(gamma) / (sp.cosh(gamma) - sp.cos(omega)), (omega, 0, 2 * sp.pi)), 2 * sp.pi
            ),
        ),
        identity(
            "and for large γ the mean of the logarithm is γ itself: they agree for all γ > 0.",
            sp.limit((1 + sp.exp(-2 * gamma) - 2 * c * sp.exp(-gamma)), gamma, sp.oo),
            sp.S.One,
            shown=equation(2 * sp.pi * gamma, sp.Integral(sp.log(inner), (omega, 0, 2 * sp.pi))),
        ),
        identity(
            "With cosh γ in terms of θ = πl/n the logarithm splits: ln Z per spin of the infinite lattice.",
            (2 * cosh_gamma - 2 * sp.cos(omega)) * 2 * _S,
            4 * (_C**2 - _S * both),
            by=sp.expand,
            shown=equation(named(r"\frac{1}{N} \ln Z"), log_z),
        ),
        identity(
            "Its derivative with respect to K, c the sum of the cosines and D = cosh² 2K − c sinh 2K.",
            sp.diff(sp.log(weight), K) / 2,
            _C / _S * (1 + (_S**2 - 1) / weight),
            by=lambda gap: sp.simplify(gap.rewrite(sp.exp)),
            shown=equation(
                sp.Derivative(sp.log(named("D")), K) / 2,
                sp.coth(2 * K) * (1 + (_S**2 - 1) / named("D")),
            ),
        ),
    )


def _in_tangent(expr: sp.Expr, angle: sp.Symbol, rate: sp.Symbol) -> sp.Expr:
    """Return a function of cos and tan of half angles, circular and hyperbolic, as a rational one, simplified."""
    t, h = sp.symbols("t h", positive=True)
    rational = expr.subs({sp.tan(angle / 2): t, sp.tanh(rate / 2): h})
    rational = rational.subs({sp.cos(angle): (1 - t**2) / (1 + t**2)})
    rational = rational.subs({sp.cosh(rate): (1 + h**2) / (1 - h**2), sp.sinh(rate): 2 * h / (1 - h**2)})
    return sp.simplify(rational)


def _energy() -> tuple[Step, ...]:
    one, two, delta = sp.symbols("alpha delta phi", real=True)
    u, t, stretch = sp.symbols("u t r", positive=True)
    k, rest = sp.symbols("k k'", positive=True)
    # r is the root of (1+u)/(1-u), so that no root is left
    half = (stretch**2 + 1) / stretch * sp.atan(stretch * sp.tan(delta / 2))
    flat = sp.diff(half, delta) - 1 / (1 - (stretch**2 - 1) / (stretch**2 + 1) * sp.cos(delta))
    flat = flat.subs(sp.tan(delta / 2), t).subs(sp.cos(delta), (1 - t**2) / (1 + t**2))
    above = sp.pi / (2 * k) * sp.asinh(2 * k * delta / (sp.pi * rest))
    jordan = sp.sqrt(rest**2 + (2 * k * delta / sp.pi) ** 2)
    modulus = 2 * _S / _C**2
    energy = -_C / _S * (1 + (_S**2 - 1) / _C**2 * 2 / sp.pi * _integral)
    onsager = -_C / _S * (1 + 2 / sp.pi * (2 * sp.tanh(2 * K) ** 2 - 1) * _integral)
    root = sp.sqrt(1 - k**2 * sp.sin(delta) ** 2)
    quarter = (delta, 0, sp.pi / 2)
    return (
        identity(
            "To average 1/D, turn the two angles by 45 degrees: D = cosh² 2K (1 − k cos α cos φ), with",
            sp.cos(one + two) + sp.cos(one - two),
            2 * sp.cos(one) * sp.cos(two),
            by=lambda gap: sp.expand(sp.expand_trig(gap)),
            shown=equation(k, modulus),
        ),
        identity(
            "Over φ this is again an arctangent, with u = k cos α,",
            flat,
            sp.S.Zero,
            shown=equation(
                sp.Integral(1 / (1 - u * sp.cos(delta)), (delta, 0, 2 * sp.pi)), 2 * sp.pi / sp.sqrt(1 - u**2)
            ),
        ),
        identity(
            "and over α the complete elliptic integral.",
            (sp.cos(sp.pi / 2 - delta)) ** 2,
            sp.sin(delta) ** 2,
            shown=equation(_elliptic, sp.Integral(1 / root, quarter)),
        ),
        identity(
            "Together they are Onsager's energy per spin, in units of the coupling.",
            energy,
            onsager,
            by=lambda gap: sp.simplify(gap.rewrite(sp.exp)),
            shown=equation(
                named("E / N"),
                -sp.coth(2 * K) * (1 + 2 / sp.pi * (2 * sp.tanh(2 * K) ** 2 - 1) * _elliptic),
            ),
        ),
        identity(
            "The complementary modulus vanishes where sinh 2K = 1: there the integral diverges, and nowhere else.",
            1 - modulus**2,
            ((_S**2 - 1) / _C**2) ** 2,
            by=lambda gap: sp.simplify(gap.rewrite(sp.exp)),
            shown=equation(rest**2, (2 * sp.tanh(2 * K) ** 2 - 1) ** 2),
        ),
        identity(
            "How slowly: count φ from the other end, and the square under the root is",
            (1 - k**2 * sp.sin(sp.pi / 2 - delta) ** 2).subs(k**2, 1 - rest**2),
            (rest**2 + k**2 * sp.sin(delta) ** 2).subs(k**2, 1 - rest**2),
            shown=equation(1 - k**2 * sp.cos(delta) ** 2, rest**2 + k**2 * sp.sin(delta) ** 2),
        ),
        identity(
            "The sine is concave, so it lies above its chord, 2φ/π: the integrand is at most",
            sp.diff(above, delta),
            1 / jordan,
            shown=equation(1 / jordan, sp.Derivative(above, delta)),
        ),
        identity(
            "and the integral at most its integral, which grows like a logarithm: the term with k′ before it vanishes.",
            sp.limit(rest * sp.log(k / rest + sp.sqrt(1 + k**2 / rest**2)), rest, 0),
            sp.S.Zero,
            shown=equation(sp.Limit(rest * sp.pi / (2 * k) * sp.asinh(k / rest), rest, 0), sp.S.Zero),
        ),
        identity(
            "What is left at the critical point is exact.",
            (-sp.cosh(2 * CRITICAL) / sp.sinh(2 * CRITICAL)).rewrite(sp.exp),
            -sp.sqrt(2),
            by=lambda gap: sp.radsimp(sp.simplify(gap)),
            shown=equation(named("E(K_{c}) / N"), -sp.sqrt(2)),
        ),
    )


def torus() -> Derivation:
    """Derive the critical coupling, check Kaufman's torus by enumeration, derive Onsager's energy from it."""
    return Derivation(
        "torus",
        "The square lattice: Kaufman's torus and Onsager's energy",
        "textbook result (Onsager, Kaufman): the modes are checked by enumeration, what follows from them is proved",
        "exact",
        (*_duality(), *_finite(), *_bulk(), *_energy()),
    )
