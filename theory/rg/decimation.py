"""Layers of one spin: decimation with field, spectrum, flow lines, fixed points."""

from __future__ import annotations

import sympy as sp

from statnn.theory.derivation import Derivation, Step, definition, identity, limit
from statnn.theory.notation import TEXTBOOK, named

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


def _states(*of: tuple[int, int]) -> dict[tuple[int, int], sp.Symbol]:
    """Return symbols for the weights of the states of two spins."""
    return {(a, b): named(f"T_{{{a:+d}{b:+d}}}".replace("1", "")) for a, b in of}


def _three_parameters() -> tuple[Step, ...]:
    A, coupling, upper, lower = sp.symbols("A K' a_2 a_1", real=True)
    T = _states((1, 1), (1, -1), (-1, 1), (-1, -1))
    fitted = {name: sp.exp(A + a * b * coupling + a * upper + b * lower) for (a, b), name in T.items()}
    summed = {name: 2 * sp.cosh(up * K2 + down * K1 + z) for (up, down), name in T.items()}
    joint, field = T[1, 1] * T[-1, -1] / (T[1, -1] * T[-1, 1]), T[1, 1] * T[1, -1] / (T[-1, 1] * T[-1, -1])
    F, new = sp.Function("F"), sp.Symbol("K'", positive=True)
    function = {F(K1, K2, z): FUNCTION}
    return (
        identity(
            "The spin s between two others is summed over; four constants fit the four states of the others. The "
            "coupling follows from the product of the weights of equal states over that of unequal ones,",
            sp.exp(4 * coupling),
            joint,
            where=fitted,
        ),
        identity(
            "which is one function of the two couplings and the field;",
            joint,
            sp.exp(4 * F(K1, K2, z)),
            where=summed | function,
            by=exponentials,
        ),
        definition("the function is", F(K1, K2, z), FUNCTION),
        identity(
            "The field handed on to the upper spin comes from another ratio,",
            sp.exp(4 * upper),
            field,
            where=fitted,
        ),
        identity(
            "the same function with its arguments exchanged.",
            field,
            sp.exp(4 * F(K2, z, K1)),
            where=summed | function,
            by=exponentials,
        ),
        identity(
            "Without field and with K₁ = K₂ = K it is",
            sp.exp(4 * F(K, K, 0)),
            sp.cosh(2 * K) ** 2,
            where=function,
            by=exponentials,
        ),
        identity(
            "so that exp 2K′ = cosh 2K, and hyperbolic tangents multiply.",
            sp.tanh(new),
            sp.tanh(K) ** 2,
            where={new: sp.log(sp.cosh(2 * K)) / 2},
            by=lambda gap: exponentials(_of_logarithm(gap)),
        ),
    )


def _of_logarithm(gap: sp.Expr) -> sp.Expr:
    """Write tanh of half a logarithm as a fraction."""
    return gap.replace(sp.tanh, lambda x: sp.cancel((sp.exp(2 * x) - 1) / (sp.exp(2 * x) + 1)))


def _spectrum() -> tuple[Step, ...]:
    s = named("s")
    up, down = sp.exp(K) * sp.cosh(h) * (1 + s), sp.exp(K) * sp.cosh(h) * (1 - s)
    root, without = {s: ROOT}, {s: ROOT.subs(h, 0)}
    xi, x = sp.Function("xi"), sp.Symbol("x", positive=True)
    length = {xi(x): -1 / sp.log((1 - x) / (1 + x))}
    return (
        identity(
            "The eigenvalues of the transfer matrix are half its trace times 1 ± s, as their sum shows,",
            up + down,
            MATRIX.trace(),
            where=root,
            by=exponentials,
        ),
        identity(
            "and their product, which is the determinant.",
            up * down,
            MATRIX.det(),
            where=root,
            by=exponentials,
        ),
        identity(
            "So the correlation length follows from s; without field s = e⁻²ᴷ, and the ratio of the eigenvalues is",
            (1 - s) / (1 + s),
            sp.tanh(K),
            where=without,
            by=exponentials,
        ),
        limit(
            "whose logarithm is −1/ξ. With x = e⁻²ᴷ, at strong coupling ξ grows as e²ᴷ/2, with exponent one in x.",
            sp.Limit(x * xi(x), x, 0),
            sp.Rational(1, 2),
            where=length,
        ),
    )


def _flow_lines() -> tuple[Step, ...]:
    T = _states((1, 1), (1, -1), (-1, -1))
    A, coupling, field = sp.symbols("A K' h'", real=True)
    fitted = {T[a, b]: sp.exp(A + a * b * coupling + (a + b) * field / 2) for a, b in T}
    double = MATRIX * MATRIX
    doubled = {T[1, 1]: double[0, 0], T[1, -1]: double[0, 1], T[-1, -1]: double[1, 1]}
    direction = (T[1, 1] - T[-1, -1]) / (2 * T[1, -1])
    return (
        identity(
            "Powers of a matrix keep its eigenvectors: their direction, with the coupling and the field of a block,",
            direction,
            sp.exp(2 * coupling) * sp.sinh(field),
            where=fitted,
            by=exponentials,
        ),
        identity(
            "is the same for one layer and for two: this function is constant along the flow.",
            direction,
            sp.exp(2 * K) * sp.sinh(h),
            where=doubled,
            by=exponentials,
        ),
    )


def _fixed_points() -> tuple[Step, ...]:
    x, up, small, at = sp.symbols("x u t h", positive=True)
    double = sp.Matrix([[up, x], [x, 1 / up]]) ** 2
    flip = double[0, 1] / sp.sqrt(double[0, 0] * double[1, 1])
    field = sp.log(double[0, 0] / double[1, 1]) / 2
    block, grown = sp.Symbol("b", positive=True), named(r"\lambda")
    X, H = sp.Function("x'"), sp.Function("h'")
    two = {X(x, at): flip.subs(up, sp.exp(at)), H(x, at): field.subs(up, sp.exp(at))}
    return (
        limit(
            "In x = e⁻²ᴷ and the field h the ordered fixed point is at zero; there one doubling multiplies x by two,",
            sp.Limit(X(small * x, small * at) / small, small, 0),
            2 * x,
            where=two,
        ),
        limit("and the field, too;", sp.Limit(H(small * x, small * at) / small, small, 0), 2 * at, where=two),
        limit(
            "blocks of b layers without field, where tanh K′ is the b-th power of t = tanh K, multiply 1 − t by b:",
            sp.Limit((small**block - 1) / (small - 1), small, 1, "-"),
            block,
        ),
        limit(
            "both exponents are one.",
            sp.Limit(sp.log(grown) / sp.log(block), small, 1, "-"),
            1,
            where={grown: (small**block - 1) / (small - 1)},
            domain={block: (2, 9)},
        ),
        identity(
            "At K = 0, x = 1, the field is not changed: a line of fixed points, on which it is marginal.",
            H(1, at),
            at,
            where=two,
            by=lambda gap: sp.simplify(sp.expand_log(sp.simplify(gap), force=True)),
        ),
    )


def decimation() -> Derivation:
    """Derive the decimation of spins with field, the spectrum, and the fixed points of one spin per layer."""
    return Derivation(
        "decimation",
        "Layers of one spin",
        TEXTBOOK,
        "exact",
        (*_three_parameters(), *_spectrum(), *_flow_lines(), *_fixed_points()),
        uses=("transfer-matrix",),
    )
