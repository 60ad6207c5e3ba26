"""Layers of one spin: decimation with field, spectrum, flow lines, fixed points."""

import sympy as sp

from theory.derivation import Derivation, Step, equation, identity
from theory.interaction.chain import EIGENVALUES
from theory.interaction.symbols import TEXTBOOK, componentwise, named

K, K1, K2, z = sp.symbols("K K_1 K_2 z", positive=True)
h = sp.Symbol("h", real=True)
t, v = sp.symbols("t v", real=True)
FUNCTION = sp.log(1 + 2 * sp.sinh(2 * K1) * sp.sinh(2 * K2) / (sp.cosh(2 * z) + sp.cosh(2 * (K1 - K2)))) / 4
"""F(K_1, K_2; z), for positive arguments."""
MATRIX = sp.Matrix([[sp.exp(K + h), sp.exp(-K)], [sp.exp(-K), sp.exp(K - h)]])
ROOT = sp.sqrt(sp.tanh(h) ** 2 + sp.exp(-4 * K) / sp.cosh(h) ** 2)
"""s: the eigenvalues are e^K cosh h (1 ± s)."""


def exponentials(gap: sp.Expr) -> sp.Expr:
    """Write hyperbolic functions as exponentials of free symbols and reduce to lowest terms."""
    powers = gap.rewrite(sp.exp)
    free = sorted(powers.free_symbols, key=str)
    bases = {x: sp.log(sp.Symbol(f"e_{x}", positive=True)) for x in free}
    return sp.cancel(sp.together(sp.expand(powers.subs(bases), power_exp=True)))


def _three_parameters() -> tuple[Step, ...]:
    def weight(up: int, down: int) -> sp.Expr:
        return 2 * sp.cosh(up * K2 + down * K1 + z)

    ratio = weight(1, 1) * weight(-1, -1) / (weight(1, -1) * weight(-1, 1))
    field = weight(1, 1) * weight(1, -1) / (weight(-1, 1) * weight(-1, -1))

    def grown(x: sp.Expr, y: sp.Expr, third: sp.Expr) -> sp.Expr:
        return 1 + 2 * sp.sinh(2 * x) * sp.sinh(2 * y) / (sp.cosh(2 * third) + sp.cosh(2 * (x - y)))

    four = sp.symbols("A K' a_2 a_1", real=True)
    log = {(a, b): four[0] + a * b * four[1] + a * four[2] + b * four[3] for a in (1, -1) for b in (1, -1)}
    F = sp.Function("F")
    return (
        identity(
            "The spin s between two others is summed over; four constants fit the four states of the others. The "
            "coupling comes from the products of equal over unequal states,",
            log[1, 1] + log[-1, -1] - log[1, -1] - log[-1, 1],
            4 * four[1],
            shown=equation(sp.exp(4 * four[1]), named(r"\frac{T_{++} T_{--}}{T_{+-} T_{-+}}")),
        ),
        identity(
            "which is one function F of the two couplings and the field;",
            ratio,
            grown(K1, K2, z),
            by=exponentials,
            shown=equation(sp.exp(4 * F(K1, K2, z)), grown(K1, K2, z)),
        ),
        identity(
            "the fields handed on come from the same function with its arguments exchanged: the field of the upper "
            "spin,",
            log[1, 1] + log[1, -1] - log[-1, 1] - log[-1, -1],
            4 * four[2],
            shown=equation(four[2], F(K2, z, K1)),
        ),
        identity(
            "as its ratio of weights shows.",
            field,
            grown(K2, z, K1),
            by=exponentials,
            shown=equation(named(r"\frac{T_{++} T_{+-}}{T_{-+} T_{--}}"), grown(K2, z, K1)),
        ),
        identity(
            "Without field the hyperbolic tangents multiply: with K₁ = K₂ = K one has e⁴ᴷ′ = cosh² 2K, that is",
            (sp.cosh(2 * K) - 1) / (sp.cosh(2 * K) + 1),
            sp.tanh(K) ** 2,
            by=exponentials,
            shown=equation(sp.tanh(sp.Symbol("K'")), sp.tanh(K) ** 2),
        ),
        identity(
            "where F gives just that.",
            grown(K, K, 0),
            sp.cosh(2 * K) ** 2,
            by=exponentials,
            shown=equation(sp.exp(4 * F(K, K, 0)), sp.cosh(2 * K) ** 2),
        ),
    )


def _spectrum() -> tuple[Step, ...]:
    xi = sp.Function("xi")
    double = MATRIX * MATRIX
    s = sp.Symbol("s")
    leading = sp.exp(K) * sp.cosh(h)
    size = sp.Symbol("x", positive=True)
    return (
        identity(
            "The eigenvalues of the transfer matrix with field are half its trace, plus and minus a root:",
            EIGENVALUES[0] + EIGENVALUES[1],
            MATRIX.trace(),
            by=exponentials,
            shown=equation(named(r"\lambda_{\pm}"), leading * (1 + named(r"\pm s"))),
        ),
        identity(
            "the root in units of half the trace.",
            (EIGENVALUES[0] - EIGENVALUES[1]) ** 2,
            4 * leading**2 * ROOT**2,
            by=exponentials,
            shown=equation(s**2, sp.tanh(h) ** 2 + sp.exp(-4 * K) / sp.cosh(h) ** 2),
        ),
        identity(
            "So the correlation length follows from s; without field s = e⁻²ᴷ, and the ratio of the eigenvalues is "
            "tanh K.",
            (1 - sp.exp(-2 * K)) / (1 + sp.exp(-2 * K)),
            sp.tanh(K),
            by=exponentials,
            shown=equation(1 / xi(K), -sp.log(sp.tanh(K))),
        ),
        identity(
            "At strong coupling it grows as e²ᴷ/2, with exponent one in the temperature-like variable e⁻²ᴷ.",
            sp.limit(-size / sp.log((1 - size) / (1 + size)), size, 0),
            sp.Rational(1, 2),
            shown=equation(sp.Limit(sp.exp(-2 * K) * xi(K), K, sp.oo), sp.Rational(1, 2)),
        ),
        identity(
            "Powers of a matrix keep its eigenvectors: along the flow their direction, a function of e²ᴷ sinh h, "
            "stays.",
            (double[0, 0] - double[1, 1]) / (2 * double[0, 1]),
            sp.exp(2 * K) * sp.sinh(h),
            by=exponentials,
            shown=equation(named(r"e^{2 K'} \sinh h'"), sp.exp(2 * K) * sp.sinh(h)),
        ),
    )


def _fixed_points() -> tuple[Step, ...]:
    x = sp.Symbol("x", positive=True)
    up = sp.Symbol("u", positive=True)
    matrix = sp.Matrix([[up, x], [x, 1 / up]])
    double = matrix * matrix
    flip = double[0, 1] / sp.sqrt(double[0, 0] * double[1, 1])
    field = sp.log(double[0, 0] / double[1, 1]) / 2
    at = {x: 0, up: 1}
    linear = [sp.diff(f, by).subs(at) for f in (flip, field) for by in (x, up)]
    block = sp.Symbol("b", positive=True)
    return (
        componentwise(
            "In x = e⁻²ᴷ and u = eʰ the ordered fixed point is x = 0, u = 1; there one doubling multiplies either by "
            "two,",
            linear,
            [2, 0, 0, 2],
            equation(named(r"\partial(x', h') / \partial(x, h)"), 2 * named("1")),
            by=sp.simplify,
        ),
        identity(
            "for blocks of b layers without field, tanh K′ being the b-th power of tanh K, by b:",
            sp.diff(t**block, t).subs(t, 1),
            block,
            shown=equation(sp.Derivative(t**block, t), block),
        ),
        identity(
            "both exponents are one.",
            sp.log(block) / sp.log(block),
            sp.Integer(1),
            shown=equation(named("y"), sp.log(block) / sp.log(block)),
        ),
        identity(
            "At K = 0 the field is not changed: a line of fixed points, on which it is marginal.",
            sp.exp(2 * field.subs(x, 1)),
            up**2,
            shown=equation(named("h'"), named("h")),
        ),
    )


def decimation() -> Derivation:
    """Derive the decimation of spins with field, the spectrum, and the fixed points of one spin a layer."""
    return Derivation(
        "decimation",
        "Layers of one spin",
        TEXTBOOK,
        "exact",
        (*_three_parameters(), *_spectrum(), *_fixed_points()),
    )
