"""Chains, rings and layers of spins by transfer matrices."""

from itertools import pairwise, product

import sympy as sp

from statnn.theory.derivation import Derivation, Step, definition, equation, identity, instance
from statnn.theory.notation import TEXTBOOK, K, Z, beta, componentwise, h, i, n, named
from statnn.theory.rewriting import by_exponentials

SIGNS = (-1, 1)
TRANSFER = sp.Matrix(2, 2, lambda row, col: sp.exp(K * SIGNS[row] * SIGNS[col] + h * (SIGNS[row] + SIGNS[col]) / 2))
_root = sp.sqrt(sp.exp(2 * K) * sp.sinh(h) ** 2 + sp.exp(-2 * K))
EIGENVALUES = sp.exp(K) * sp.cosh(h) + _root, sp.exp(K) * sp.cosh(h) - _root


def as_polynomial(expr: sp.Expr) -> sp.Expr:
    """Write hyperbolic functions as exponentials and multiply out."""
    return sp.expand(sp.expand(expr.rewrite(sp.exp), power_exp=True, power_base=True)).simplify()


def _chain() -> tuple[Step, ...]:
    s = sp.Symbol("s")
    couplings = sp.symbols("K_1:4", positive=True)
    spins = list(product(SIGNS, repeat=4))
    open_sum = sum(sp.exp(sum(c * a * b for c, (a, b) in zip(couplings, pairwise(one), strict=True))) for one in spins)
    end_sum = sum(one[0] * one[3] * sp.exp(_bonds(couplings, one)) for one in spins)
    ring = sum(
        sp.exp(sum(c * one[k] * one[(k + 1) % 3] for k, c in enumerate(couplings))) for one in product(SIGNS, repeat=3)
    )
    free = n - 1
    log_z = sp.log(2) + free * sp.log(2 * sp.cosh(K))
    coupling = named("K_{i}")
    return (
        componentwise(
            "The last spin of a chain is summed over first: what is left does not depend on its neighbour s = ±1.",
            [sp.exp(K * end) + sp.exp(-K * end) for end in SIGNS],
            [2 * sp.cosh(K)] * 2,
            equation(sp.exp(K * s) + sp.exp(-K * s), 2 * sp.cosh(K)),
            by=as_polynomial,
        ),
        instance(
            "So spin by spin an open chain of n spins gives a product; checked by enumeration of four.",
            equation(named("Z"), 2 * sp.Product(2 * sp.cosh(coupling), (i, 1, n - 1))),
            open_sum,
            2 * sp.prod(2 * sp.cosh(c) for c in couplings),
            by=as_polynomial,
        ),
        instance(
            "Summed with a weight s the last spin hands on a factor tanh K: the correlation of the ends; checked by "
            "enumeration of four,",
            equation(named(r"\operatorname{E}[s_{1} s_{n}]"), sp.Product(sp.tanh(coupling), (i, 1, n - 1))),
            end_sum / (2 * sp.prod(2 * sp.cosh(c) for c in couplings)),
            sp.prod(sp.tanh(c) for c in couplings),
            by=lambda gap: sp.factor(sp.powsimp(sp.expand(gap.rewrite(sp.exp), power_exp=True))).simplify(),
        ),
        instance(
            "which the closing bond of a ring multiplies; checked by enumeration of three.",
            equation(
                named("Z"),
                sp.Product(2 * sp.cosh(coupling), (i, 1, n)) * (1 + sp.Product(sp.tanh(coupling), (i, 1, n))),
            ),
            ring,
            sp.prod(2 * sp.cosh(c) for c in couplings) * (1 + sp.prod(sp.tanh(c) for c in couplings)),
            by=lambda gap: as_polynomial(gap.subs({sp.tanh(c): sp.sinh(c) / sp.cosh(c) for c in couplings}).expand()),
        ),
        identity(
            "Energy in units of J of the uniform open chain, −d ln Z/dK with K = J/T,",
            -named("E"),
            free * sp.tanh(K),
            where={named("E"): -sp.diff(log_z, K)},
        ),
        identity(
            "and its heat capacity.",
            K**2 * sp.Derivative(log_z, K, 2),
            free * K**2 / sp.cosh(K) ** 2,
            by=by_exponentials,
        ),
    )


def _bonds(couplings: tuple[sp.Symbol, ...], spins: tuple[int, ...]) -> sp.Expr:
    return sum(c * a * b for c, (a, b) in zip(couplings, pairwise(spins), strict=True))


def _ring() -> tuple[Step, ...]:
    up, down = EIGENVALUES
    t, big, small = sp.symbols("t lambda_+ lambda_-", positive=True)
    size, distance = sp.symbols("n r", positive=True)
    enumerated = sum(
        sp.exp(K * sum(one[k] * one[(k + 1) % 3] for k in range(3)) + h * sum(one)) for one in product(SIGNS, repeat=3)
    )
    around = (big ** (size - distance) * small**distance + small ** (size - distance) * big**distance) / (
        big**size + small**size
    )
    ruled = (t**distance + t ** (size - distance)) / (1 + t**size)
    other = sp.Symbol("K'", positive=True)
    square = (TRANSFER**2).subs(h, 0)
    opposite = named(r"\operatorname{E}[s_{0} s_{2}]")
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
        definition("of these eigenvalues,", (named(r"\lambda_{\pm}") - sp.exp(K) * sp.cosh(h)) ** 2, _root**2),
        instance(
            "and the ring is the trace of its power; checked by enumeration of three spins.",
            equation(named("Z"), big**n + small**n),
            enumerated,
            sp.expand(up**3 + down**3),  # so that no root is left
            by=as_polynomial,
        ),
        identity(
            "Without field a spin exchanges the two eigenvectors, so correlations at distance r on a ring of n spins "
            "obey the tanh rule, t = tanh K: both ways around.",
            named(r"\operatorname{E}[s_{0} s_{r}]"),
            ruled,
            where={named(r"\operatorname{E}[s_{0} s_{r}]"): around, small: t * big},
            by=lambda gap: sp.simplify(sp.powsimp(sp.expand_power_base(sp.expand(gap), force=True), force=True)),
        ),
        identity(
            "t is the ratio of the eigenvalues;", small / big, sp.tanh(K), where=roots | {h: 0}, by=by_exponentials
        ),
        identity(
            "opposite spins on a ring of four, enumerated.",
            opposite,
            ruled.subs({size: 4, distance: 2}),
            where={opposite: _opposite(), t: sp.tanh(K)},
            by=by_exponentials,
        ),
        identity(
            "To sum over every other spin squares the matrix: the coupling of what is left.",
            sp.tanh(other),
            sp.tanh(K) ** 2,
            where={other: sp.log(square[0, 0] / square[0, 1]) / 2},
            by=by_exponentials,
        ),
    )


def _opposite() -> sp.Expr:
    """Return the correlation of opposite spins on a ring of four, by enumeration."""
    states = list(product(SIGNS, repeat=4))
    weights = [sp.exp(K * sum(one[k] * one[(k + 1) % 4] for k in range(4))) for one in states]
    return sum(one[0] * one[2] * weight for one, weight in zip(states, weights, strict=True)) / sum(weights)


def _moments() -> tuple[Step, ...]:
    """Two states below, any logarithm of their partition functions; the third level of a system for E and C."""
    levels = sp.symbols("E_1:4", real=True)
    log_z = sp.log(sum(sp.exp(-beta * level) for level in levels))
    chances = [sp.exp(-beta * level) / sum(sp.exp(-beta * other) for other in levels) for level in levels]
    mean = sum(p * level for p, level in zip(chances, levels, strict=True))
    variance = sum(p * (level - mean) ** 2 for p, level in zip(chances, levels, strict=True))
    below = [sp.Function(f"L_{k}")(beta) for k in (1, 2)]
    costs = sp.symbols("e_1 e_2", real=True)
    terms = [sp.exp(one - beta * cost) for one, cost in zip(below, costs, strict=True)]
    above = sp.log(sum(terms))
    shares = [term / sum(terms) for term in terms]
    energies = [-one.diff(beta) + cost for one, cost in zip(below, costs, strict=True)]
    energy = sum(p * one for p, one in zip(shares, energies, strict=True))
    spread = sum(
        p * (one.diff(beta, 2) + (own - energy) ** 2) for p, one, own in zip(shares, below, energies, strict=True)
    )
    p, e, u, v = (named(tex) for tex in ("p(s \\mid s')", "e(s, s')", "U_{m}(s)", "V_{m}(s)"))
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
            "Layer by layer Z takes in one state s of layer m after another, with the cost e of the step to s′ of "
            "layer m+1; its derivative",
            named("Z_{m+1}(s')"),
            named(r"\sum_{s} Z_{m}(s) e^{- \beta e(s, s')}"),
        ),
        instance(
            "hands the mean energy on, with p the share of s in that sum; checked for any two states,",
            equation(upper, named(r"\sum_{s}") * p * (u + e)),
            -sp.diff(above, beta),
            energy,
            by=sp.simplify,
        ),
        instance(
            "and its second derivative the variance: a sum of positive terms, so nothing cancels in a heat capacity.",
            equation(named("V_{m+1}(s')"), named(r"\sum_{s}") * p * (v + (u + e - upper) ** 2)),
            sp.diff(above, beta, 2),
            spread,
            by=sp.simplify,
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
    )
