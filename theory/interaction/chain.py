"""Chains, rings and layers of spins by transfer matrices."""

from __future__ import annotations

from itertools import pairwise, product

import sympy as sp

from statnn.theory.derivation import Derivation, Step, definition, identity, instance
from statnn.theory.notation import TEXTBOOK, K, Z, beta, h, i, n, named, sigma
from statnn.theory.rewriting import by_exponentials

SIGNS = (-1, 1)
PROBES = dict(zip(SIGNS, sp.symbols("probe:2"), strict=True))
TRANSFER = sp.Matrix(2, 2, lambda row, col: sp.exp(K * SIGNS[row] * SIGNS[col] + h * (SIGNS[row] + SIGNS[col]) / 2))
_root = sp.sqrt(sp.exp(2 * K) * sp.sinh(h) ** 2 + sp.exp(-2 * K))
EIGENVALUES = sp.exp(K) * sp.cosh(h) + _root, sp.exp(K) * sp.cosh(h) - _root


def as_polynomial(expr: sp.Expr) -> sp.Expr:
    """Write hyperbolic functions as exponentials and multiply out."""
    return sp.expand(sp.expand(expr.rewrite(sp.exp), power_exp=True, power_base=True)).simplify()


def _chain() -> tuple[Step, ...]:
    s = sp.Symbol("s", integer=True)
    couplings = sp.symbols("K_1:4", positive=True)
    spins = list(product(SIGNS, repeat=4))
    weights = [sp.exp(_bonds(couplings, each)) for each in spins]
    log_z = sp.log(2) + (n - 1) * sp.log(2 * sp.cosh(K))
    free, coupling, partition, ends = n - 1, sp.IndexedBase("K"), named("Z"), named(r"\operatorname{E}[s_{1} s_{n}]")
    names = {coupling[place]: bond for place, bond in enumerate(couplings, 1)}
    of_ends = sum(each[0] * each[3] * weight for each, weight in zip(spins, weights, strict=True)) / sum(weights)
    ring = sum(sp.exp(_bonds(couplings, (*each, each[0]))) for each in product(SIGNS, repeat=3))
    all_bonds = sp.Product(sp.tanh(coupling[i]), (i, 1, n))
    return (
        identity(
            "The last spin of a chain is summed over first: what is left does not depend on its neighbour s = ±1.",
            sp.exp(K * s) + sp.exp(-K * s),
            2 * sp.cosh(K),
            domain={s: range(-1, 2, 2)},
            by=lambda gap: sp.Add(*(probe * as_polynomial(gap.subs(s, end)) for end, probe in PROBES.items())),
        ),
        instance(
            "So spin by spin an open chain of n spins gives a product; checked by enumeration of four.",
            partition,
            2 * sp.Product(2 * sp.cosh(coupling[i]), (i, 1, n - 1)),
            cases=[names | {n: 4, partition: sum(weights)}],
            by=as_polynomial,
        ),
        instance(
            "Multiplied by its own value s before the sum, the last spin hands on a factor tanh K as well: this "
            "gives the correlation of the ends; checked by enumeration of four,",
            ends,
            sp.Product(sp.tanh(coupling[i]), (i, 1, n - 1)),
            cases=[names | {n: 4, ends: of_ends}],
            by=_by_fractions,
        ),
        instance(
            "and, with the closing bond, the partition function of a ring; checked by enumeration of three.",
            partition,
            sp.Product(2 * sp.cosh(coupling[i]), (i, 1, n)) * (1 + all_bonds),
            cases=[names | {n: 3, partition: ring}],
            by=_by_fractions,
        ),
        identity(
            "The uniform open chain has, in units of J, the energy −d ln Z/dK with K = J/T,",
            -named("E"),
            free * sp.tanh(K),
            where={named("E"): -sp.diff(log_z, K)},
        ),
        identity(
            "and this heat capacity.",
            K**2 * sp.Derivative(log_z, K, 2),
            free * K**2 / sp.cosh(K) ** 2,
            by=by_exponentials,
        ),
    )


def _by_fractions(gap: sp.Expr) -> sp.Expr:
    """Write everything in exponentials, combine it into one fraction and multiply out the numerator."""
    bases = {each: sp.log(sp.Symbol(f"e^{each}", positive=True)) for each in gap.free_symbols}
    return sp.cancel(sp.together(gap.rewrite(sp.exp).subs(bases)))


def _bonds(couplings: tuple[sp.Symbol, ...], spins: tuple[int, ...]) -> sp.Expr:
    return sum(c * a * b for c, (a, b) in zip(couplings, pairwise(spins), strict=True))


def _ring() -> tuple[Step, ...]:
    up, down = EIGENVALUES
    t, big, small = sp.symbols("t lambda_+ lambda_-", positive=True)
    size, distance = sp.symbols("n r", positive=True)
    enumerated = sum(
        sp.exp(K * sum(spins[k] * spins[(k + 1) % 3] for k in range(3)) + h * sum(spins))
        for spins in product(SIGNS, repeat=3)
    )
    around = (big ** (size - distance) * small**distance + small ** (size - distance) * big**distance) / (
        big**size + small**size
    )
    ruled = (t**distance + t ** (size - distance)) / (1 + t**size)
    other = sp.Symbol("K'", positive=True)
    square = (TRANSFER**2).subs(h, 0)
    opposite, either = named(r"\operatorname{E}[s_{0} s_{r}]"), named(r"\lambda_{\pm}")
    roots = {big: up, small: down}
    return (
        identity(
            "In a field h the transfer matrix exp(Kss′ + h(s+s′)/2) has the trace",
            big + small,
            TRANSFER.trace(),
            where=roots,
            by=by_exponentials,
        ),
        identity("and the determinant", big * small, TRANSFER.det(), where=roots, by=by_exponentials),
        instance(
            "of these eigenvalues, one for each sign,",
            (either - sp.exp(K) * sp.cosh(h)) ** 2,
            _root**2,
            cases=[{either: up}, {either: down}],
        ),
        instance(
            "and the partition function of a ring of n spins is the trace of its n-th power; checked by enumeration "
            "of three spins.",
            named("Z"),
            big**n + small**n,
            cases=[{n: 3, named("Z"): enumerated} | roots],
            by=lambda gap: as_polynomial(sp.expand(gap)),  # so that no root is left
        ),
        identity(
            "Without field a spin exchanges the two eigenvectors, so a correlation at distance r on a ring of n "
            "spins has one term for each of the two ways around; with t for the ratio of the eigenvalues it is",
            around,
            ruled,
            where={small: t * big},
            by=lambda gap: sp.simplify(sp.powsimp(sp.expand_power_base(sp.expand(gap), force=True), force=True)),
        ),
        identity(
            "and t is the tanh of the coupling;", small / big, sp.tanh(K), where=roots | {h: 0}, by=by_exponentials
        ),
        instance(
            "opposite spins on a ring of four, enumerated, agree.",
            opposite,
            ruled,
            cases=[{size: 4, distance: 2, opposite: _opposite(), t: sp.tanh(K)}],
            by=by_exponentials,
        ),
        identity(
            "Summing over every other spin squares the matrix, which gives the coupling of the spins that are left.",
            sp.tanh(other),
            sp.tanh(K) ** 2,
            where={other: sp.log(square[0, 0] / square[0, 1]) / 2},
            by=by_exponentials,
        ),
    )


def _opposite() -> sp.Expr:
    """Return the correlation of opposite spins on a ring of four, by enumeration."""
    states = list(product(SIGNS, repeat=4))
    weights = [sp.exp(K * sum(state[k] * state[(k + 1) % 4] for k in range(4))) for state in states]
    return sum(state[0] * state[2] * weight for state, weight in zip(states, weights, strict=True)) / sum(weights)


def _moments() -> tuple[Step, ...]:
    """Show E and C for three levels, and their recursion over layers for two states with arbitrary ln Z."""
    levels = sp.symbols("E_1:4", real=True)
    log_z = sp.log(sum(sp.exp(-beta * level) for level in levels))
    chances = [sp.exp(-beta * level) / sum(sp.exp(-beta * other) for other in levels) for level in levels]
    mean = sum(p * level for p, level in zip(chances, levels, strict=True))
    variance = sum(p * (level - mean) ** 2 for p, level in zip(chances, levels, strict=True))
    below = [sigma(beta), sigma(3 * beta / 2)]  # arbitrary functions
    costs = sp.symbols("e_1 e_2", real=True)
    terms = [sp.exp(energy - beta * cost) for energy, cost in zip(below, costs, strict=True)]
    above = sp.log(sum(terms))
    p, e, u, v = (sp.IndexedBase(name) for name in "peUV")
    s, S = sp.Symbol("s", integer=True), sp.Symbol("S", integer=True)
    states: dict[sp.Basic, sp.Expr] = {S: sp.S(2)}
    for place, (energy, cost, term) in enumerate(zip(below, costs, terms, strict=True), 1):
        states |= {
            p[place]: term / sum(terms),
            e[place]: cost,
            u[place]: -energy.diff(beta),
            v[place]: energy.diff(beta, 2),
        }
    upper, average, ratio = named("U_{m+1}(s')"), named(r"\operatorname{E}[E]"), named(r"C / \beta^{2}")
    whole = {Z(beta): sp.exp(log_z)}
    return (
        identity(
            "Energy and heat capacity are derivatives of ln Z with respect to the inverse temperature: the mean,",
            average,
            -sp.Derivative(sp.log(Z(beta)), beta),
            where={average: mean} | whole,
        ),
        identity(
            "and the variance; checked for any three levels.",
            ratio,
            sp.Derivative(sp.log(Z(beta)), beta, 2),
            where={ratio: variance} | whole,
        ),
        definition(
            "Layer by layer Z sums over the S states s of layer m, with the cost e of the step to a state s′ of "
            "layer m+1; its derivative",
            named("Z_{m+1}(s')"),
            sp.Sum(Z(s) * sp.exp(-beta * e[s]), (s, 1, S)),
        ),
        instance(
            "hands the mean energy on, with p the share of s in that sum; checked for any two states,",
            upper,
            sp.Sum(p[s] * (u[s] + e[s]), (s, 1, S)),
            cases=[states | {upper: -sp.diff(above, beta)}],
            by=sp.factor,
        ),
        instance(
            "and its second derivative the variance: a sum of positive terms, so nothing cancels in a heat capacity.",
            named("V_{m+1}(s')"),
            sp.Sum(p[s] * (v[s] + (u[s] + e[s] - upper) ** 2), (s, 1, S)),
            cases=[states | {upper: -sp.diff(above, beta), named("V_{m+1}(s')"): sp.diff(above, beta, 2)}],
            by=sp.factor,
        ),
    )


def transfer_matrix() -> Derivation:
    """Derive ln Z, energy and heat capacity of chains and rings, and the recursion over layers."""
    return Derivation(
        "transfer-matrix",
        "Chains, rings and layers by transfer matrices",
        TEXTBOOK,
        "exact",
        (*_chain(), *_ring(), *_moments()),
        assumes=("two spins of a bond have the weight exp(Kss′), s and s′ ±1, K the coupling over the temperature",),
    )
