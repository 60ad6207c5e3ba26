"""Chains, rings and layers of spins by transfer matrices."""

from itertools import pairwise, product

import sympy as sp

from theory.derivation import Derivation, Step, equation, identity
from theory.interaction.symbols import TEXTBOOK, K, Z, beta, componentwise, h, i, n, named

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
            "The last spin of a chain is summed over first: what is left does not depend on its neighbour.",
            [sp.exp(K * end) + sp.exp(-K * end) for end in SIGNS],
            [2 * sp.cosh(K)] * 2,
            equation(sp.exp(K * s) + sp.exp(-K * s), 2 * sp.cosh(K)),
            by=as_polynomial,
        ),
        identity(
            "So spin by spin an open chain of n spins gives a product; checked by enumeration of four.",
            open_sum,
            2 * sp.prod(2 * sp.cosh(c) for c in couplings),
            by=as_polynomial,
            shown=equation(named("Z"), 2 * sp.Product(2 * sp.cosh(coupling), (i, 1, n - 1))),
        ),
        identity(
            "Summed with a weight s the last spin hands on a factor tanh K: the correlation of the ends,",
            end_sum / (2 * sp.prod(2 * sp.cosh(c) for c in couplings)),
            sp.prod(sp.tanh(c) for c in couplings),
            by=lambda gap: sp.factor(sp.powsimp(sp.expand(gap.rewrite(sp.exp), power_exp=True))).simplify(),
            shown=equation(named(r"\operatorname{E}[s_{1} s_{n}]"), sp.Product(sp.tanh(coupling), (i, 1, n - 1))),
        ),
        identity(
            "which the closing bond of a ring multiplies; checked by enumeration of three.",
            ring,
            sp.prod(2 * sp.cosh(c) for c in couplings) * (1 + sp.prod(sp.tanh(c) for c in couplings)),
            by=lambda gap: as_polynomial(gap.subs({sp.tanh(c): sp.sinh(c) / sp.cosh(c) for c in couplings}).expand()),
            shown=equation(
                named("Z"),
                sp.Product(2 * sp.cosh(coupling), (i, 1, n)) * (1 + sp.Product(sp.tanh(coupling), (i, 1, n))),
            ),
        ),
        identity(
            "Energy in units of J of the uniform open chain, −d ln Z/dK with K = J/T,",
            -sp.diff(log_z, K),
            -free * sp.tanh(K),
            shown=equation(-named("E"), free * sp.tanh(K)),
        ),
        identity(
            "and its heat capacity.",
            K**2 * sp.diff(log_z, K, 2),
            free * K**2 / sp.cosh(K) ** 2,
            by=lambda gap: sp.simplify(gap.rewrite(sp.exp)),
            shown=equation(named("C"), free * K**2 / sp.cosh(K) ** 2),
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
    # the cube of the trace, so that no root is left
    cubes = sp.expand(up**3 + down**3)
    return (
        componentwise(
            "In a field h the transfer matrix exp(Kss′ + h(s+s′)/2) has the trace and the determinant of these "
            "eigenvalues,",
            [TRANSFER.trace(), TRANSFER.det()],
            [up + down, sp.expand(up * down)],
            equation((named(r"\lambda_{\pm}") - sp.exp(K) * sp.cosh(h)) ** 2, _root**2),
            by=lambda gap: sp.simplify(gap.rewrite(sp.exp)),
        ),
        identity(
            "and the ring is the trace of its power; checked by enumeration of three spins.",
            enumerated,
            cubes,
            by=as_polynomial,
            shown=equation(named("Z"), big**n + small**n),
        ),
        identity(
            "Without field a spin exchanges the two eigenvectors, so correlations at distance r on a ring of n spins "
            "obey the tanh rule, t = tanh K: both ways around.",
            around.subs(small, t * big),
            ruled,
            by=lambda gap: sp.simplify(sp.powsimp(sp.expand_power_base(sp.expand(gap), force=True), force=True)),
            shown=equation(named(r"\operatorname{E}[s_{0} s_{r}]"), ruled),
        ),
        identity(
            "t is the ratio of the eigenvalues; checked by enumeration of opposite spins on a ring of four.",
            _opposite(),
            ruled.subs({size: 4, distance: 2}).subs(t, sp.tanh(K)),
            by=lambda gap: sp.simplify(gap.rewrite(sp.exp)),
            shown=equation(small / big, sp.tanh(K)),
        ),
        identity(
            "To sum over every other spin squares the matrix: the coupling of what is left.",
            ((TRANSFER**2)[0, 0] / (TRANSFER**2)[0, 1]).subs(h, 0) - 1,
            (((1 + sp.tanh(K) ** 2) / (1 - sp.tanh(K) ** 2)) - 1).rewrite(sp.exp),
            by=lambda gap: sp.simplify(gap.rewrite(sp.exp)),
            shown=equation(sp.tanh(other), sp.tanh(K) ** 2),
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
    upper = named("U_{m+1}(s')")
    return (
        identity(
            "Energy and heat capacity are derivatives of ln Z with respect to the inverse temperature: the mean,",
            -sp.diff(log_z, beta),
            mean,
            shown=equation(named(r"\operatorname{E}[E]"), -sp.Derivative(sp.log(Z(beta)), beta)),
        ),
        identity(
            "and the variance; checked for any three levels.",
            sp.diff(log_z, beta, 2),
            variance,
            shown=equation(named(r"C / \beta^{2}"), sp.Derivative(sp.log(Z(beta)), beta, 2)),
        ),
        identity(
            "Layer by layer Z takes in one state s of layer m after another, with the cost e of the step to s′ of "
            "layer m+1; its derivative",
            sp.diff(sp.exp(above), beta),
            sum(sp.diff(term, beta) for term in terms),
            shown=equation(named("Z_{m+1}(s')"), named(r"\sum_{s} Z_{m}(s) e^{- \beta e(s, s')}")),
        ),
        identity(
            "hands the mean energy on, with p the share of s in that sum,",
            -sp.diff(above, beta),
            energy,
            shown=equation(upper, named(r"\sum_{s}") * p * (u + e)),
        ),
        identity(
            "and its second derivative the variance: a sum of positive terms, so nothing cancels in a heat capacity.",
            sp.diff(above, beta, 2),
            spread,
            shown=equation(named("V_{m+1}(s')"), named(r"\sum_{s}") * p * (v + (u + e - upper) ** 2)),
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
