"""Clusters of aligned spins that flip together."""

from __future__ import annotations

from itertools import combinations, product

import sympy as sp

from statnn.theory.derivation import Derivation, definition, identity, instance
from statnn.theory.notation import TEXTBOOK, K, named

BONDS = {(0, 1): sp.Symbol("K_1", positive=True), (1, 2): sp.Symbol("K_2", positive=True)}
BONDS[0, 2] = sp.Symbol("K_3", positive=True)


def cluster_of(seed: int, bonds: tuple[tuple[int, int], ...]) -> frozenset[int]:
    """Return the spins that bonds join to `seed`, itself included."""
    cluster = {seed}
    for _ in bonds:
        cluster |= {spin for bond in bonds if cluster & set(bond) for spin in bond}
    return frozenset(cluster)


def flips(start: tuple[int, ...]) -> dict[tuple[int, ...], sp.Expr]:
    """Return the law of the state after one cluster of a triangle, by enumerating the sets of active bonds."""
    aligned = [bond for bond in BONDS if start[bond[0]] == start[bond[1]]]
    law: dict[tuple[int, ...], sp.Expr] = {}
    for count in range(len(aligned) + 1):
        for taken in combinations(aligned, count):
            left = [bond for bond in aligned if bond not in taken]
            chance = sp.prod(1 - sp.exp(-2 * BONDS[bond]) for bond in taken)
            chance *= sp.prod(sp.exp(-2 * BONDS[bond]) for bond in left)
            for seed in range(3):
                cluster = cluster_of(seed, taken)
                end = tuple(-spin if k in cluster else spin for k, spin in enumerate(start))
                law[end] = law.get(end, sp.S.Zero) + chance / 3
    return law


def wolff() -> Derivation:
    """Derive detailed balance of cluster flips from the bonds on the boundary, and by enumeration."""
    inside, outside = sp.symbols("m n", integer=True, nonnegative=True)
    first, second, other = sp.symbols("K_1 K_2 K_3", positive=True)
    states = list(product((-1, 1), repeat=3))
    weights = {s: sp.exp(sum(c * s[a] * s[b] for (a, b), c in BONDS.items())) for s in states}
    laws = {state: flips(state) for state in states}
    pi, go = sp.Function(r"\pi"), sp.Function("P")
    start, end, size = sp.symbols("s s' n", integer=True)
    chain = {pi(number): weights[state] for number, state in enumerate(states, 1)}
    for (row, before), (column, after) in product(enumerate(states, 1), repeat=2):
        chain[go(row, column)] = laws[before].get(after, sp.S.Zero)
    taken = 1 - sp.exp(-2 * K)
    there, back, p = named(r"P(s \to s')"), named(r"P(s' \to s)"), named("p")
    here, other_end = named(r"\pi(s)"), named(r"\pi(s')")
    aside = sp.Symbol("X", positive=True)  # the factor of everything inside the cluster
    grown = {there: aside * (1 - p) ** inside, back: aside * (1 - p) ** outside}
    boundary = {here: sp.exp((inside - outside) * K), other_end: sp.exp((outside - inside) * K)}
    return Derivation(
        "wolff",
        "Cluster flips of ferromagnetic spins",
        TEXTBOOK,
        "exact",
        (
            definition(
                "A cluster grows from a random spin over bonds between aligned spins, each taken with probability p, "
                "K the coupling over the temperature:",
                p,
                taken,
            ),
            identity(
                "Flip a cluster that m aligned and n opposed bonds join to the rest: the m are broken, the n are "
                "mended, and the weight changes by",
                other_end / here,
                sp.exp(-2 * (inside - outside) * K),
                where=boundary,
            ),
            identity(
                "The way there had to leave out the m aligned bonds, the way back the n others; all that happens "
                "inside the cluster is the same for both.",
                there / back,
                (1 - p) ** (inside - outside),
                where=grown,
                domain={p: (0, 1)},
            ),
            identity(
                "The two ratios cancel: every cluster is flipped, no energy is computed.",
                here * there,
                other_end * back,
                where=boundary | grown | {p: taken},
            ),
            identity(
                "Couplings may differ from bond to bond as long as none is negative: two broken bonds and one mended.",
                sp.exp(first + second - other) * sp.exp(-2 * (first + second)),
                sp.exp(-first - second + other) * sp.exp(-2 * other),
            ),
            instance(
                "The whole transition matrix of a triangle with three couplings, enumerated over seeds and bonds: its "
                "rows are probabilities,",
                sp.Sum(go(start, end), (end, 1, 2**size)),
                sp.S.One,
                cases=[chain | {size: 3, start: number} for number in range(1, 9)],
            ),
            instance(
                "and every flow from a state s to a state s′ has its return.",
                pi(start) * go(start, end),
                pi(end) * go(end, start),
                cases=[chain | {start: origin, end: target} for origin, target in product(range(1, 9), repeat=2)],
            ),
        ),
        assumes=("couplings are not negative, and there is no field",),
    )
