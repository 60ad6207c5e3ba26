"""Swendsen's matrix: the linearised flow of couplings from correlations, exact for the decimated ring."""

from __future__ import annotations

from itertools import product

import sympy as sp

from statnn.theory.derivation import Derivation, Step, definition, identity, inequality
from statnn.theory.notation import K, h, named
from statnn.theory.rg.symbols import Renormalised
from statnn.theory.step import simplified

SOURCE = "Swendsen 1979; proved here for the decimated ring"
SIGNS = (-1, 1)
x, y = sp.symbols("x y", positive=True)
"""exp(K) and exp(h): Boltzmann weights are rational in them."""

UP, DOWN, MIXED = (x**2 * y + 1 / (x**2 * y), x**2 / y + y / x**2, y + 1 / y)
"""Sums over a spin between two neighbours that are both up, both down, or opposite: 2 cosh(2K + h), ..."""


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

    S are the sum over bonds and the sum of spins, S′ the same for the remaining spins. Both are polynomials in x, y and
    their inverses.
    """
    states = list(product(SIGNS, repeat=size))
    before = [_operators(state) for state in states]
    after = [_operators(state[::2]) for state in states]
    ones = [(1, 1)] * len(states)

    def total(first: list[tuple[int, int]], g: int, second: list[tuple[int, int]], a: int) -> sp.Expr:
        terms = zip(first, second, before, strict=True)
        return sp.Add(*(p[g] * q[a] * x**bonds * y**field for p, q, (bonds, field) in terms))

    def covariance(other: list[tuple[int, int]]) -> sp.Matrix:
        return sp.Matrix(
            2,
            2,
            lambda g, a: sp.expand(
                total(ones, 0, ones, 0) * total(after, g, other, a)
                - total(after, g, ones, 0) * total(ones, 0, other, a)
            ),
        )

    return covariance(after), covariance(before)


def _operators(spins: tuple[int, ...]) -> tuple[int, int]:
    """Return the sum over the bonds of a ring, and the sum of its spins."""
    return sum(spin * neighbour for spin, neighbour in zip(spins, (*spins[1:], spins[0]), strict=True)), sum(spins)


def _general() -> tuple[Step, ...]:
    """Show the chain rule, for any three states and any law of their blocks."""
    weights = sp.symbols("S_1:4", real=True)
    levels, chances = sp.symbols("F_1:3", real=True), sp.symbols("p_1:4", real=True)
    values = [p * levels[0] + (1 - p) * levels[1] for p in chances]
    M, law, blocked = sp.Function("M"), sp.Function("M'"), Renormalised(K, 0)
    coupling = sp.Symbol("kappa", real=True)
    cross, own = named(r"\operatorname{Cov}(S', S)"), named(r"\operatorname{Cov}(S', S')")
    after = {law(coupling): _mean_and_covariance(values, list(weights), coupling)[0]}
    mean, covariance = _mean_and_covariance(values, list(weights), K)
    return (
        identity(
            "A coupling K multiplies S in the logarithm of the weight. Whatever depends on the state, or is drawn from "
            "a law that depends on the state alone, as blocks with fair ties are, has a mean M whose derivative is a "
            "covariance; checked for any three states and two blocks.",
            sp.Derivative(M(K), K),
            cross,
            where={M(K): mean, cross: covariance},
        ),
        identity(
            "The law of the blocks has couplings K′ of its own, and their mean M′ depends on K through them: the chain "
            "rule. Checked for any three blocks and one coupling; with several, one term for each.",
            sp.Derivative(law(blocked), K),
            own * sp.Derivative(blocked, K),
            where=after | {own: _mean_and_covariance(values, list(weights), blocked)[1]},
        ),
    )


def _mean_and_covariance(of: list[sp.Expr], weights: list[sp.Expr], coupling: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """Return the mean of a quantity over states, and its covariance with the operator that a coupling multiplies."""
    factors = [sp.exp(coupling * weight) for weight in weights]

    def mean(values: list[sp.Expr]) -> sp.Expr:
        return sp.Add(*(value * factor for value, factor in zip(values, factors, strict=True))) / sp.Add(*factors)

    together = [value * weight for value, weight in zip(of, weights, strict=True)]
    return mean(of), mean(together) - mean(of) * mean(weights)


def _in_exponentials(gap: sp.Expr) -> sp.Expr:
    """Write a function of K and h in exp(K) and exp(h) and reduce to lowest terms."""
    free = gap.subs({K: sp.log(x), h: sp.log(y)}).rewrite(sp.exp)
    return simplified(sp.powsimp(sp.expand_power_base(free, force=True)))


def _decimated() -> tuple[Step, ...]:
    """Show it on the ring, where decimation is closed."""
    s, other = sp.symbols("s s'", integer=True)
    constant, coupling, field = named("A"), sp.Function("K'")(K, h), sp.Function("h'")(K, h)
    up, down, mixed = (part.subs({x: sp.exp(K), y: sp.exp(h)}) for part in (UP, DOWN, MIXED))
    flow = {coupling: sp.log(up * down / mixed**2) / 4, field: h + sp.log(up / down) / 2}
    spins = range(-1, 2, 2)

    def by_states(gap: sp.Expr) -> sp.Expr:
        states = list(product(SIGNS, repeat=2))
        gaps = (_in_exponentials(gap.subs({s: a, other: b}, simultaneous=True)) for a, b in states)
        return sp.Add(*(probe * difference for probe, difference in zip(sp.symbols("probe:4"), gaps, strict=True)))

    even = flow | {h: 0}
    of, new = sp.Symbol("K", positive=True), sp.Function("K'")(K, 0)
    return (
        identity(
            "On a ring every other spin is summed over. What each leaves between its two neighbours s and s′ is a "
            "constant, a coupling and a field, in all four states.",
            sp.exp(K * (s + other) + h) + sp.exp(-K * (s + other) - h),
            sp.exp(constant + coupling * s * other + (field - h) * (s + other) / 2),
            where=flow | {constant: sp.log(up * down * mixed**2) / 4},
            domain={s: spins, other: spins},
            by=by_states,
        ),
        definition("The coupling is", sp.exp(4 * coupling), up * down / mixed**2),
        identity("Without field", sp.tanh(new), sp.tanh(of) ** 2, where=flow, by=_by_tanh),
        identity(
            "and the linearised flow is diagonal, as even and odd couplings do not mix: the new coupling changes "
            "with the coupling,",
            sp.Derivative(coupling, K),
            sp.tanh(2 * K),
            where=even,
            by=_in_exponentials,
        ),
        identity("not with the field,", sp.Derivative(coupling, h), 0, where=even, by=_in_exponentials),
        identity(
            "and the new field not with the coupling,", sp.Derivative(field, K), 0, where=even, by=_in_exponentials
        ),
        identity("but with the field.", sp.Derivative(field, h), 1 + sp.tanh(2 * K), where=even, by=_in_exponentials),
    )


def _enumerated() -> tuple[Step, ...]:
    """Compare the matrix with covariances of a ring, which are multiplied by the square of its partition function."""
    names = [
        sp.Matrix(2, 2, lambda row, column, name=name: named(f"{name}_{{{row + 1}{column + 1}}}"))
        for name in (r"\operatorname{Cov}(S', S')", r"\operatorname{Cov}(S', S)", "T")
    ]
    values = (*ring(6), jacobian())
    where = {
        entry: value
        for name, matrix in zip(names, values, strict=True)
        for entry, value in zip(name, matrix, strict=True)
    }
    own, cross, flow = names
    sentences = {
        (
            0,
            0,
        ): "Covariances of the ring of six, times the square of its partition function, and of the three spins left, "
        "enumerated at any coupling and field, give the same matrix T: bonds and bonds,",
        (0, 1): "bonds and spins,",
        (1, 0): "spins and bonds,",
        (1, 1): "spins and spins. Two operators are all that the blocks need.",
    }
    return tuple(
        identity(sentence, (own * flow)[place], cross[place], where=where, by=sp.factor)
        for place, sentence in sentences.items()
    )


def _by_tanh(gap: sp.Expr) -> sp.Expr:
    """Write tanh of half a logarithm as a fraction, and the rest in exponentials."""
    return _in_exponentials(gap.replace(sp.tanh, lambda at: (sp.exp(2 * at) - 1) / (sp.exp(2 * at) + 1)))


def _matched() -> tuple[Step, ...]:
    """Show the relation of the means on two lattices."""
    t, v = sp.symbols("t v", positive=True)

    def bond(of: sp.Expr, size: int, distance: int) -> sp.Expr:
        return (of**distance + of ** (size - distance)) / (1 + of**size)

    D, large, small = named("D"), named("C_{6}"), named("C_{3}")
    gap = t * (1 - t) * (1 - t**3) / ((1 - t + t**2) * (1 - t**2 + t**4))
    return (
        identity(
            "One step on the ring of six gives the ring of three at the new coupling, t = tanh K: correlations of "
            "spins two apart before, and of neighbours after. Lattices matched in size differ by one step.",
            large,
            small,
            where={large: bond(t, 6, 2), small: bond(t**2, 3, 1)},
            by=sp.factor,
        ),
        identity(
            "So the difference D of the two at the same coupling vanishes at the fixed points t = 0 and t = 1,",
            D,
            -gap,
            where={D: bond(t, 6, 2) - bond(t, 3, 1)},
            by=sp.factor,
        ),
        inequality(
            "and there alone: at t = 1/(1 + v) it is negative for every v > 0.",
            0,
            D,
            v**2 * (1 + v) * (v**2 + 3 * v + 3) / ((v**2 + v + 1) * (v**4 + 4 * v**3 + 5 * v**2 + 2 * v + 1)),
            written="<",
            where={D: (bond(t, 6, 2) - bond(t, 3, 1)).subs(t, 1 / (1 + v))},
            by=sp.factor,
        ),
    )


def swendsen() -> Derivation:
    """Derive T = Cov(S′, S′)⁻¹ Cov(S′, S), and check it where it is exact."""
    return Derivation(
        "swendsen",
        "The linearised flow from correlations",
        SOURCE,
        "exact",
        (*_general(), *_decimated(), *_enumerated(), *_matched()),
        assumes=("blocks depend on the spins alone, not on the couplings",),
    )
