"""Swendsen's matrix: the linearised flow of couplings from correlations, exact for the decimated ring."""

from itertools import product

import sympy as sp

from statnn.theory.derivation import Derivation, Step, equation, identity
from statnn.theory.notation import K, componentwise, expected, h, named

SOURCE = "Swendsen, Phys. Rev. Lett. 42, 859 (1979); proved here for the decimated ring"
SIGNS = (-1, 1)
x, y = sp.symbols("x y", positive=True)
"""exp(K) and exp(h): Boltzmann weights are rational in them."""

UP, DOWN, MIXED = (x**2 * y + 1 / (x**2 * y), x**2 / y + y / x**2, y + 1 / y)
"""Sums over a spin between two neighbours that are both up, both down, or opposed: 2 cosh(2K + h), ..."""


def by_K(expr: sp.Expr) -> sp.Expr:
    """Return the derivative by K of a function of exp(K)."""
    return x * sp.diff(expr, x)


def by_h(expr: sp.Expr) -> sp.Expr:
    """Return the derivative by h of a function of exp(h)."""
    return y * sp.diff(expr, y)


def jacobian() -> sp.Matrix:
    """Return T = ∂(K′, h′)/∂(K, h) of decimation with b = 2, rational in x and y."""
    bond, field = UP * DOWN / MIXED**2, UP / DOWN  # exp(4K′), exp(2(h′ - h))
    rows = [
        [by_K(bond) / bond / 4, by_h(bond) / bond / 4],
        [by_K(field) / field / 2, 1 + by_h(field) / field / 2],
    ]
    return sp.Matrix(rows)


def ring(size: int) -> tuple[sp.Matrix, sp.Matrix]:
    """Return Z² Cov(S′, S′) and Z² Cov(S′, S) of a ring and of every other spin of it, by enumeration.

    S are the sum over bonds and the sum of spins, S′ the same of what is left. Both are polynomials in x, y and their
    inverses.
    """
    states = list(product(SIGNS, repeat=size))
    before = [_operators(one) for one in states]
    after = [_operators(one[::2]) for one in states]
    one = [(1, 1)] * len(states)

    def total(first: list[tuple[int, int]], g: int, second: list[tuple[int, int]], a: int) -> sp.Expr:
        terms = zip(first, second, before, strict=True)
        return sp.Add(*(p[g] * q[a] * x**bonds * y**field for p, q, (bonds, field) in terms))

    def covariance(other: list[tuple[int, int]]) -> sp.Matrix:
        return sp.Matrix(
            2,
            2,
            lambda g, a: sp.expand(
                total(one, 0, one, 0) * total(after, g, other, a) - total(after, g, one, 0) * total(one, 0, other, a)
            ),
        )

    return covariance(after), covariance(before)


def _operators(spins: tuple[int, ...]) -> tuple[int, int]:
    """Return the sum over the bonds of a ring, and the sum of its spins."""
    return sum(one * other for one, other in zip(spins, (*spins[1:], spins[0]), strict=True)), sum(spins)


def _general() -> tuple[Step, ...]:
    """Show the chain rule, for any three states and any law of their blocks."""
    weights = sp.symbols("S_1:4", real=True)
    first, second = sp.symbols("F_1 F_2", real=True)
    chances = sp.symbols("p_1:4", real=True)
    values = [p * first + (1 - p) * second for p in chances]
    factors = [sp.exp(K * one) for one in weights]
    z = sp.Add(*factors)

    def mean(of: list[sp.Expr]) -> sp.Expr:
        return sp.Add(*(value * factor for value, factor in zip(of, factors, strict=True))) / z

    together = [value * one for value, one in zip(values, weights, strict=True)]
    blocked = sp.Function("K'")(K)
    beyond = sp.Symbol("kappa")
    heavy = [sp.exp(beyond * one) for one in weights]
    levels = sp.symbols("f_1:4", real=True)
    mean_after = sp.Add(*(f * one for f, one in zip(levels, heavy, strict=True))) / sp.Add(*heavy)
    product_after = sp.Add(*(f * s * one for f, s, one in zip(levels, weights, heavy, strict=True))) / sp.Add(*heavy)
    own_after = sp.Add(*(s * one for s, one in zip(weights, heavy, strict=True))) / sp.Add(*heavy)
    covariance = product_after - mean_after * own_after
    slope = named(r"\frac{\partial \operatorname{E}[S'_{\gamma}]}{\partial K_{\beta}}")
    change = named(r"\frac{\partial K'_{\alpha}}{\partial K_{\beta}}")
    cross, own = (
        named(r"\operatorname{Cov}(S'_{\gamma}, S_{\beta})"),
        named(r"\operatorname{Cov}(S'_{\gamma}, S'_{\alpha})"),
    )
    return (
        identity(
            "A coupling K multiplies S in the logarithm of the weight. Whatever depends on the state, or is drawn from "
            "a law that depends on the state alone, as blocks with fair ties are, has a mean whose derivative is a "
            "covariance; checked for any three states and two blocks.",
            sp.diff(mean(values), K),
            mean(together) - mean(values) * mean(list(weights)),
            shown=equation(slope, cross),
        ),
        identity(
            "The law of the blocks has couplings K′ of its own, and depends on K through them: the chain rule. "
            "Checked for any three blocks and one coupling; with several, one term for each.",
            sp.diff(mean_after.subs(beyond, blocked), K),
            covariance.subs(beyond, blocked) * sp.diff(blocked, K),
            shown=equation(slope, sp.Sum(own * change, (named(r"\alpha"), 1, named("n")))),
        ),
    )


def _decimated() -> tuple[Step, ...]:
    """Show it on the ring, where decimation is closed."""
    pairs = list(product(SIGNS, repeat=2))
    traced = {(1, 1): UP, (-1, -1): DOWN, (1, -1): MIXED, (-1, 1): MIXED}
    closed = [
        # fourth powers: exp(4A) = UP DOWN MIXED², exp(4K′) = UP DOWN / MIXED², exp(2(h′ - h)) = UP / DOWN
        UP * DOWN * MIXED**2 * (UP * DOWN / MIXED**2) ** (s * t) * (UP / DOWN) ** (s + t)
        for s, t in pairs
    ]
    t_matrix = jacobian()
    own, cross = ring(6)
    common = UP * DOWN * MIXED
    zero = t_matrix.subs(y, 1)
    symbols = {name: named(name) for name in ("K'", "h'", "A")}
    return (
        componentwise(
            "On a ring every other spin is summed over. What it leaves between its two neighbours is a constant, a "
            "coupling and a field; fourth powers are compared, so that no root is left.",
            [traced[pair] ** 4 for pair in pairs],
            closed,
            equation(
                sp.exp(named("K (s + s') + h")) + sp.exp(-named("(K (s + s') + h)")),
                sp.exp(symbols["A"] + symbols["K'"] * named("s s'") + (symbols["h'"] - h) * named("(s + s')") / 2),
            ),
            by=sp.cancel,
        ),
        identity(
            "Without field tanh K′ is the square of tanh K,",
            sp.cancel(((UP / MIXED - 1) / (UP / MIXED + 1)).subs(y, 1)),
            ((x - 1 / x) / (x + 1 / x)) ** 2,
            by=sp.cancel,
            shown=equation(sp.tanh(symbols["K'"]), sp.tanh(K) ** 2),
        ),
        componentwise(
            "and the linearised flow is diagonal, even and odd couplings do not mix: for the coupling,",
            [zero[0, 0], zero[0, 1], zero[1, 0]],
            [(x**4 - 1) / (x**4 + 1), 0, 0],
            equation(named(r"\frac{\partial K'}{\partial K}"), sp.tanh(2 * K)),
            by=sp.cancel,
        ),
        identity(
            "and for the field.",
            zero[1, 1],
            1 + (x**4 - 1) / (x**4 + 1),
            by=sp.cancel,
            shown=equation(named(r"\frac{\partial h'}{\partial h}"), 1 + sp.tanh(2 * K)),
        ),
        componentwise(
            "Covariances of the ring of six and of the three spins left, enumerated at any coupling and field, give "
            "the same matrix: two operators are all that the blocks need.",
            list(own * (t_matrix * common).applyfunc(sp.cancel)),
            list(cross * common),
            equation(
                sp.Symbol(r"\operatorname{Cov}(S', S')", commutative=False)
                * sp.Symbol(r"\frac{\partial K'}{\partial K}", commutative=False),
                sp.Symbol(r"\operatorname{Cov}(S', S)", commutative=False),
            ),
        ),
    )


def _matched() -> tuple[Step, ...]:
    """Show what two lattices have in common."""
    t = sp.Symbol("t", positive=True)

    def bond(of: sp.Expr, size: int, distance: int) -> sp.Expr:
        return (of**distance + of ** (size - distance)) / (1 + of**size)

    gap = bond(t, 6, 2) - bond(t, 3, 1)
    return (
        identity(
            "One step on the ring of six gives the ring of three at the new coupling, t = tanh K: lattices matched in "
            "size differ by one step.",
            bond(t, 6, 2),
            bond(t**2, 3, 1),
            by=sp.cancel,
            shown=equation(
                expected("s_{0} s_{2}") * named(r"|_{6,\, K}"), expected("s_{0} s_{1}") * named(r"|_{3,\, K'}")
            ),
        ),
        identity(
            "So their difference vanishes at the fixed points, and there alone.",
            gap,
            -t * (1 - t) * (1 - t**3) / ((1 - t + t**2) * (1 - t**2 + t**4)),
            by=sp.cancel,
            shown=equation(named("D"), -t * (1 - t) * (1 - t**3) / ((1 - t + t**2) * (1 - t**2 + t**4))),
        ),
    )


def swendsen() -> Derivation:
    """Derive T = Cov(S′, S′)⁻¹ Cov(S′, S), and check it where it is exact."""
    return Derivation(
        "swendsen",
        "The linearised flow from correlations",
        SOURCE,
        "exact",
        (*_general(), *_decimated(), *_matched()),
    )
