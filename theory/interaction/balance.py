"""Single spins and whole layers: why heat bath and Metropolis sample the Boltzmann law."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import sympy as sp

from statnn.theory.derivation import Derivation, Step, definition, identity, inequality, instance
from statnn.theory.notation import TEXTBOOK, T, i, j, matrix, n, named, vector
from statnn.theory.rewriting import by_exponentials

F, r, s = sp.Symbol("F", real=True), sp.Symbol("r", positive=True), sp.Symbol("s", real=True)
SIGNS = (-1, 1)


def weight(pairs: dict[tuple[int, int], sp.Symbol], fields: list[sp.Symbol], spins: tuple[int, ...]) -> sp.Expr:
    """Return exp(-E) of spins with couplings and fields in units of the temperature."""
    bonds = sum(coupling * spins[a] * spins[b] for (a, b), coupling in pairs.items())
    return sp.exp(bonds + sum(field * spin for field, spin in zip(fields, spins, strict=True)))


def _field() -> Step:
    J, s, fields, E = sp.IndexedBase("J"), sp.IndexedBase("s"), sp.IndexedBase("h"), sp.Function("E")
    spins, local = vector("s", 3), vector("h", 3)
    pairs = dict(zip([(0, 1), (1, 2), (0, 2)], sp.symbols("J_:3", real=True), strict=True))
    energy = -sp.log(weight(pairs, list(local), tuple(spins)))
    names = {n: sp.Integer(3)} | {J[site, site]: sp.S.Zero for site in (1, 2, 3)}
    for place, (spin, field) in enumerate(zip(spins, local, strict=True), 1):
        names |= {s[place]: spin, fields[place]: field}
    for (first, second), coupling in pairs.items():
        names |= {J[first + 1, second + 1]: coupling, J[second + 1, first + 1]: coupling}
    return instance(
        "A spin feels the others through one number, its local field F, the bracket: to flip it costs 2sF; checked "
        "for each of three coupled spins in fields.",
        E(-s[i]) - E(s[i]),
        2 * s[i] * (sp.Sum(J[i, j] * s[j], (j, 1, n)) + fields[i]),
        cases=[names | {i: place, E(spin): energy} for place, spin in enumerate(spins, 1)],
    )


def heat_bath() -> Derivation:
    """Derive detailed balance of the heat bath, of blocks and of whole sweeps."""
    up = 1 / (1 + sp.exp(-2 * F / T))
    pairs = dict(zip([(0, 1), (1, 2), (0, 2)], sp.symbols("J_:3", real=True), strict=True))
    fields = list(sp.symbols("h_:3", real=True))
    states = list(product(SIGNS, repeat=3))

    def moves(spin: int, before: tuple[int, ...], after: tuple[int, ...]) -> sp.Expr:
        """Return the transition probability between two states by an update of one spin."""
        if any(before[k] != after[k] for k in range(3) if k != spin):
            return sp.S.Zero
        other = tuple(-value if k == spin else value for k, value in enumerate(after))
        return weight(pairs, fields, after) / (weight(pairs, fields, after) + weight(pairs, fields, other))

    law = {_pi(sp.Integer(number)): weight(pairs, fields, state) for number, state in enumerate(states, 1)}

    def chain(spin: int) -> dict[sp.Basic, sp.Expr]:
        """Return the law and the transition probabilities, by the numbers of the states."""
        both = product(enumerate(states, 1), repeat=2)
        return law | {_go(first, second): moves(spin, before, after) for (first, before), (second, after) in both}

    start, end = sp.symbols("s s'", integer=True)
    plus, minus, mean = named("P(+)"), named("P(-)"), named(r"\operatorname{E}[s \mid F]")
    return Derivation(
        "heat-bath",
        "Heat bath: one spin, one layer, one sweep",
        TEXTBOOK,
        "exact",
        (
            _field(),
            identity(
                "The heat bath draws the spin from its law given the others,",
                plus,
                up,
                where={plus: sp.exp(F / T) / (sp.exp(F / T) + sp.exp(-F / T))},
            ),
            identity(
                "whose mean is the tanh of F/T: a stochastic neuron that fires with a sigmoid of its field as "
                "probability.",
                mean,
                sp.tanh(F / T),
                where={mean: up - (1 - up)},
                by=by_exponentials,
            ),
            identity(
                "Detailed balance: as many flips up as down.",
                sp.exp(-F / T) * plus,
                sp.exp(F / T) * minus,
                where={plus: up, minus: 1 - up},
            ),
            instance(
                "The same for the whole transition matrix of an update of the first of three coupled spins in "
                "fields, every pair of states s and s′ enumerated: every flow has its return.",
                _pi(start) * _go(start, end),
                _pi(end) * _go(end, start),
                cases=[chain(0) | {start: before, end: after} for before, after in product(range(1, 9), repeat=2)],
                by=sp.simplify,
            ),
            instance(
                "Updates that keep the law may follow one another: a sweep in any order keeps it, whether or not the "
                "sweep itself has detailed balance. Here for three spins, and an update of the second.",
                sp.Sum(_pi(start) * _go(start, end), (start, 1, 2**n)),
                _pi(end),
                cases=[chain(1) | {n: 3, end: number} for number in range(1, 9)],
                by=_by_products,
            ),
            *_one_layer(),
        ),
        assumes=("couplings are symmetric, and no spin is coupled to itself",),
    )


def _pi(state: sp.Expr) -> sp.Expr:
    return sp.Function(r"\pi")(state)


def _go(before: Any, after: Any) -> sp.Expr:
    return sp.Function("P")(before, after)


def _one_layer() -> tuple[Step, ...]:
    block, outer = _layer()
    spins = list(product(SIGNS, repeat=2))
    E, state, own, field = sp.Function("E"), sp.Symbol("s", integer=True), sp.IndexedBase("s"), sp.IndexedBase("F")
    energies = {E(number): -T * sp.log(block(each)) for number, each in enumerate(spins, 1)}
    layer: dict[sp.Basic, Any] = (
        {n: 2} | energies | {field[place]: T * outer_field for place, outer_field in enumerate(outer, 1)}
    )
    chance, whole = named(r"P(s^{(m)} \mid s^{(m-1)}, s^{(m+1)})"), sum(map(block, spins))
    return (
        instance(
            "Spins of one layer do not interact: given the layers below and above, their weight is a product, and so "
            "is its sum over the layer; here for 2-2-2 spins,",
            sp.Sum(sp.exp(-E(state) / T), (state, 1, 2**n)),
            sp.Product(2 * sp.cosh(field[i] / T), (i, 1, n)),
            cases=[layer],
            by=_by_products,
        ),
        instance(
            "so a layer is updated at once, every spin by its own draw.",
            chance,
            sp.Product(1 / (1 + sp.exp(-2 * own[i] * field[i] / T)), (i, 1, n)),
            cases=[
                layer | {chance: block(each) / whole} | {own[place]: spin for place, spin in enumerate(each, 1)}
                for each in spins
            ],
            by=_by_products,
        ),
    )


def _by_products(gap: sp.Expr) -> sp.Expr:
    """Compare sums of exponentials over a common denominator, with exponents multiplied out."""
    top, _ = sp.fraction(sp.together(gap.rewrite(sp.exp)))
    return sp.expand(sp.expand(sp.expand(top), power_exp=True)).replace(sp.exp, lambda at: sp.exp(sp.expand(at)))


def _layer() -> tuple[Callable[[tuple[int, ...]], sp.Expr], list[sp.Expr]]:
    """Return the weight of the middle layer of 2-2-2 spins, and its local fields, for any spins around it."""
    below, above, lower, upper, fields = (
        vector("u", 2),
        vector("v", 2),
        matrix("J", 2, 2),
        matrix("L", 2, 2),
        vector("h", 2),
    )

    def block(spins: tuple[int, ...]) -> sp.Expr:
        middle = sp.Matrix(spins)
        return sp.exp(sp.expand((middle.T * lower * below + above.T * upper * middle + middle.T * fields)[0]))

    return block, [sp.expand(field) for field in lower * below + upper.T * above + fields]


def accept(ratio: sp.Expr) -> sp.Expr:
    """Return min(1, ratio), written with the absolute value."""
    return (1 + ratio - sp.Abs(1 - ratio)) / 2


def metropolis() -> Derivation:
    """Derive detailed balance of Metropolis, and compare its flips with those of the heat bath."""
    cost, share, accepted = named(r"\Delta E"), sp.Rational(15, 16), sp.Function("A")
    smaller = sp.Min(1, r, evaluate=False)
    before, after, total = named("E(s)"), named("E(s')"), sp.Symbol("Z", positive=True)
    return Derivation(
        "metropolis",
        "Metropolis: flip what costs nothing, pay for the rest",
        TEXTBOOK,
        "exact",
        (
            _field(),
            definition(
                "With r = π(s′)/π(s) the ratio of the weights, a proposal is accepted with the smaller of 1 and r.",
                accepted(r),
                smaller,
            ),
            identity(
                "Detailed balance for any r, written min(1, r) = (1 + r − |1 − r|)/2: the return has the ratio 1/r.",
                accepted(r),
                r * accepted(1 / r),
                where={accepted(r): smaller},
                by=by_modulus,
            ),
            identity(
                "The partition function drops out of the ratio: only the cost of the proposal is computed.",
                r,
                sp.exp(-cost / T),
                where={r: (sp.exp(-after / T) / total) / (sp.exp(-before / T) / total), cost: after - before},
            ),
            inequality(
                "Metropolis flips more often than the heat bath, whose probability is r/(1+r): downhill, where "
                "Metropolis accepts with probability 1,",
                sp.S.One,
                r / (1 + r),
                1 / (1 + r),
            ),
            inequality("and uphill, where it accepts with probability r.", r, r / (1 + r), r**2 / (1 + r)),
            identity(
                "A fixed share of this probability, here 15/16, is balanced as well; it is taken because spins are "
                "visited in order, and flips that are certain would keep a ferromagnetic triangle out of some of its "
                "states for ever.",
                share * accepted(r),
                r * share * accepted(1 / r),
                where={accepted(r): smaller},
                by=by_modulus,
            ),
        ),
        assumes=("couplings are symmetric, and no spin is coupled to itself", "a proposal is as likely as its return"),
        uses=("heat-bath",),
    )


def absolute(argument: sp.Expr) -> sp.Expr:
    """Return |argument| with its positive denominator taken out, and a single form for |a - b| = |b - a|."""
    top, bottom = sp.fraction(sp.together(argument))
    return sp.Abs(top) / bottom


def by_modulus(gap: sp.Expr) -> sp.Expr:
    """Write every min(1, ratio) with the absolute value and simplify."""
    written = gap.replace(sp.Min, lambda *args: accept(next(arg for arg in args if arg != 1)))
    return sp.simplify(written.replace(sp.Abs, absolute))
