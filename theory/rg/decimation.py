"""Layers of one spin: decimation with field, spectrum, flow lines, fixed points."""

import sympy as sp

from statnn.theory.derivation import Derivation, Step, equation
from statnn.theory.notation import TEXTBOOK, named
from statnn.theory.rg.checked import checked

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

    def grown(x: sp.Expr, y: sp.Expr, third: sp.Expr) -> sp.Expr:
        return 1 + 2 * sp.sinh(2 * x) * sp.sinh(2 * y) / (sp.cosh(2 * third) + sp.cosh(2 * (x - y)))

    A, coupling, upper, lower = sp.symbols("A K' a_2 a_1", real=True)
    T = {(a, b): named(f"T_{{{a:+d}{b:+d}}}".replace("1", "")) for a in (1, -1) for b in (1, -1)}
    fitted = {name: sp.exp(A + a * b * coupling + a * upper + b * lower) for (a, b), name in T.items()}
    summed = {name: weight(*states) for states, name in T.items()}
    joint, field = T[1, 1] * T[-1, -1] / (T[1, -1] * T[-1, 1]), T[1, 1] * T[1, -1] / (T[-1, 1] * T[-1, -1])
    F, new = sp.Function("F"), sp.Symbol("K'", positive=True)
    function = {F: lambda x, y, third: sp.log(grown(x, y, third)) / 4}
    return (
        checked(
            "The spin s between two others is summed over; four constants fit the four states of the others. The "
            "coupling comes from the products of equal over unequal states,",
            equation(sp.exp(4 * coupling), joint),
            fitted,
        ),
        checked(
            "which is one function of the two couplings and the field, exp 4F(K₁, K₂; z);",
            equation(joint, grown(K1, K2, z)),
            summed,
            by=exponentials,
        ),
        checked(
            "The field handed on to the upper spin comes from another ratio,",
            equation(sp.exp(4 * upper), field),
            fitted,
        ),
        checked(
            "the same function with its arguments exchanged.",
            equation(field, grown(K2, z, K1)),
            summed,
            by=exponentials,
        ),
        checked(
            "Without field and with K₁ = K₂ = K it is",
            equation(sp.exp(4 * F(K, K, 0)), sp.cosh(2 * K) ** 2),
            function,
            by=exponentials,
        ),
        checked(
            "so that exp 2K′ = cosh 2K, and hyperbolic tangents multiply.",
            equation(sp.tanh(new), sp.tanh(K) ** 2),
            {new: sp.log(sp.cosh(2 * K)) / 2},
            by=lambda gap: exponentials(_of_logarithm(gap)),
        ),
    )


def _of_logarithm(gap: sp.Expr) -> sp.Expr:
    """Write tanh of half a logarithm as a fraction."""
    return gap.replace(sp.tanh, lambda x: sp.cancel((sp.exp(2 * x) - 1) / (sp.exp(2 * x) + 1)))


def _spectrum() -> tuple[Step, ...]:
    xi, s = sp.Function("xi"), named("s")
    leading = sp.exp(K) * sp.cosh(h)
    size = sp.Symbol("x", positive=True)
    T = {(a, b): named(f"T_{{{a:+d}{b:+d}}}".replace("1", "")) for a, b in ((1, 1), (1, -1), (-1, -1))}
    powers = sp.symbols("A K' h'", real=True)
    fitted = {T[a, b]: sp.exp(powers[0] + a * b * powers[1] + (a + b) * powers[2] / 2) for a, b in T}
    double = MATRIX * MATRIX
    doubled = {T[1, 1]: double[0, 0], T[1, -1]: double[0, 1], T[-1, -1]: double[1, 1]}
    direction = (T[1, 1] - T[-1, -1]) / (2 * T[1, -1])
    return (
        checked(
            "The eigenvalues of the transfer matrix are half its trace times 1 ± s, as their sum and product show,",
            equation(
                sp.Tuple(leading * (1 + s) + leading * (1 - s), leading * (1 + s) * (leading * (1 - s))),
                sp.Tuple(sp.exp(K + h) + sp.exp(K - h), sp.exp(2 * K) - sp.exp(-2 * K)),
            ),
            {s: ROOT},
            by=exponentials,
        ),
        checked(
            "with a square of s that the determinant gives.",
            equation(leading**2 * (1 - (sp.tanh(h) ** 2 + sp.exp(-4 * K) / sp.cosh(h) ** 2)), 2 * sp.sinh(2 * K)),
            by=exponentials,
        ),
        checked(
            "So the correlation length follows from s; without field s = e⁻²ᴷ, and the ratio of the eigenvalues is",
            equation((1 - sp.exp(-2 * K)) / (1 + sp.exp(-2 * K)), sp.tanh(K)),
            by=exponentials,
        ),
        checked(
            "whose logarithm is −1/ξ. With x = e⁻²ᴷ, at strong coupling ξ grows as e²ᴷ/2, with exponent one in x.",
            equation(sp.Limit(size * xi(size), size, 0), sp.Rational(1, 2)),
            {xi: lambda x: -1 / sp.log((1 - x) / (1 + x))},
        ),
        checked(
            "Powers of a matrix keep its eigenvectors: with coupling and field of a block",
            equation(direction, sp.exp(2 * powers[1]) * sp.sinh(powers[2])),
            fitted,
            by=exponentials,
        ),
        checked(
            "is the same for one layer and for two, and along the flow the function stays.",
            equation(direction, sp.exp(2 * K) * sp.sinh(h)),
            doubled,
            by=exponentials,
        ),
    )


def _fixed_points() -> tuple[Step, ...]:
    x, up, small = sp.symbols("x u t", positive=True)
    matrix = sp.Matrix([[up, x], [x, 1 / up]])
    double = matrix * matrix
    flip = double[0, 1] / sp.sqrt(double[0, 0] * double[1, 1])
    field = sp.log(double[0, 0] / double[1, 1]) / 2
    block = sp.Symbol("b", positive=True)
    X, H, y = sp.Function("x'"), sp.Function("h'"), named("y")
    two = {
        X: lambda at, by: flip.subs({x: at, up: sp.exp(by)}, simultaneous=True),
        H: lambda at, by: field.subs({x: at, up: sp.exp(by)}, simultaneous=True),
    }
    return (
        checked(
            "In x = e⁻²ᴷ and the field h the ordered fixed point is at zero; there one doubling multiplies either by "
            "two,",
            equation(
                sp.Tuple(
                    sp.Limit(X(small * x, small * h) / small, small, 0),
                    sp.Limit(H(small * x, small * h) / small, small, 0),
                ),
                sp.Tuple(2 * x, 2 * h),
            ),
            two,
        ),
        checked(
            "for blocks of b layers without field, tanh K′ being the b-th power of t = tanh K, by b:",
            equation(sp.Limit((t**block - 1) / (t - 1), t, 1), block),
        ),
        checked("both exponents are one.", equation(block**y, block), {y: sp.Integer(1)}),
        checked(
            "At K = 0, x = 1, the field is not changed: a line of fixed points, on which it is marginal.",
            equation(H(sp.S.One, h), h),
            two,
            by=lambda gap: sp.simplify(sp.expand_log(sp.simplify(gap), force=True)),
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
