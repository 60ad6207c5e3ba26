"""Single spins and whole layers: why heat bath and Metropolis sample the Boltzmann law."""

from collections.abc import Callable
from itertools import product

import sympy as sp

from statnn.theory.derivation import Derivation, Step, definition, equation, identity, inequality, instance
from statnn.theory.notation import TEXTBOOK, T, i, j, matrix, n, named, vector
from statnn.theory.rewriting import by_exponentials

F, r, s = sp.Symbol("F", real=True), sp.Symbol("r", positive=True), sp.Symbol("s", real=True)
SIGNS = (-1, 1)


def weight(pairs: dict[tuple[int, int], sp.Symbol], fields: list[sp.Symbol], spins: tuple[int, ...]) -> sp.Expr:
    """Return exp(-E) of spins with couplings and fields in units of the temperature."""
    bonds = sum(coupling * spins[one] * spins[other] for (one, other), coupling in pairs.items())
    return sp.exp(bonds + sum(field * spin for field, spin in zip(fields, spins, strict=True)))


def _field() -> Step:
    coupling, fields, others = vector("J", 2), vector("h", 1), vector("s", 2)
    energy = -s * (coupling.dot(others) + fields[0])
    force = coupling.dot(others) + fields[0]
    return instance(
        "A spin s feels the others through one number, its local field F: to flip it costs 2sF; here two others.",
        equation(named(r"\Delta E"), 2 * s * (sp.Sum(named("J_{ij} s_{j}"), (j, 1, n)) + named("h_{i}"))),
        energy.subs(s, -s) - energy,
        2 * s * force,
    )


def heat_bath() -> Derivation:
    """Derive detailed balance of the heat bath, of blocks and of whole sweeps."""
    up = 1 / (1 + sp.exp(-2 * F / T))
    pairs = dict(zip([(0, 1), (1, 2), (0, 2)], sp.symbols("J_:3", real=True), strict=True))
    fields = list(sp.symbols("h_:3", real=True))
    states = list(product(SIGNS, repeat=3))

    def moves(spin: int, before: tuple[int, ...], after: tuple[int, ...]) -> sp.Expr:
        """Return the probability with which an update of one spin leads from state to state."""
        if any(before[k] != after[k] for k in range(3) if k != spin):
            return sp.S.Zero
        other = tuple(-value if k == spin else value for k, value in enumerate(after))
        return weight(pairs, fields, after) / (weight(pairs, fields, after) + weight(pairs, fields, other))

    flows = [
        weight(pairs, fields, one) * moves(0, one, other) - weight(pairs, fields, other) * moves(0, other, one)
        for one in states
        for other in states
    ]
    arrives = [
        sum(weight(pairs, fields, one) * moves(1, one, other) for one in states) - weight(pairs, fields, other)
        for other in states
    ]
    block, outer = _layer()
    pairs_of_spins = list(product(SIGNS, repeat=2))
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
                "whose mean is the field through a tanh: a stochastic neuron with a sigmoid for its probability.",
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
                "The same for the whole transition matrix of three coupled spins in fields, enumerated: every flow has "
                "its return.",
                equation(_flow("s", "s'"), _flow("s'", "s")),
                flows,
                [sp.S.Zero] * len(flows),
                by=sp.simplify,
            ),
            instance(
                "An update that keeps the law may follow another: a sweep in any order keeps it, with or without "
                "detailed balance of its own.",
                equation(named(r"\sum_{s} \pi(s) P(s \to s')"), _pi("s'")),
                arrives,
                [sp.S.Zero] * len(arrives),
                by=sp.simplify,
            ),
            instance(
                "Spins of one layer do not interact: given the layers below and above, their weight is a product, and "
                "so is its sum over the layer; here 2-2-2 spins,",
                equation(named(r"\sum_{s} e^{-E/T}"), sp.Product(2 * sp.cosh(named("F_{i}") / T), (i, 1, n))),
                sum(block(spins) for spins in pairs_of_spins),
                sp.prod(2 * sp.cosh(field) for field in outer),
                by=lambda gap: sp.expand(sp.expand(gap.rewrite(sp.exp)).powsimp()),
            ),
            instance(
                "so a layer is updated at once, every spin by its own draw.",
                equation(
                    named(r"P(s^{(m)} \mid s^{(m-1)}, s^{(m+1)})"),
                    sp.Product(1 / (1 + sp.exp(-2 * named("s_{i} F_{i}") / T)), (i, 1, n)),
                ),
                [block(spins) for spins in pairs_of_spins],
                [
                    sp.prod(sp.exp(spin * field) for spin, field in zip(spins, outer, strict=True))
                    for spins in pairs_of_spins
                ],
                by=lambda gap: sp.expand(gap, power_exp=True, mul=True).powsimp(deep=True),
            ),
        ),
    )


def _pi(state: str) -> sp.Symbol:
    return named(rf"\pi({state})")


def _flow(start: str, end: str) -> sp.Symbol:
    return named(rf"\pi({start}) P({start} \to {end})")


def _layer() -> tuple[Callable[[tuple[int, ...]], sp.Expr], list[sp.Expr]]:
    """Return the weight of the middle layer of 2-2-2 spins, and its local fields, any spins around it."""
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
    cost, share = named(r"\Delta E"), sp.Rational(15, 16)
    return Derivation(
        "metropolis",
        "Metropolis: flip what costs nothing, pay for the rest",
        TEXTBOOK,
        "exact",
        (
            _field(),
            definition(
                "With r = π(s′)/π(s) the ratio of the weights, a proposal is accepted with the smaller of 1 and r.",
                sp.Function("A")(r),
                sp.Min(1, sp.exp(-cost / T)),
            ),
            identity(
                "Detailed balance for any r, written min(1, r) = (1 + r − |1 − r|)/2: the return has the ratio 1/r.",
                sp.Min(1, r, evaluate=False),
                r * sp.Min(1, 1 / r, evaluate=False),
                by=by_modulus,
            ),
            inequality(
                "It flips more often than the heat bath, with r/(1+r): downhill, where it accepts with 1,",
                sp.S.One,
                r / (1 + r),
                1 / (1 + r),
            ),
            inequality("and uphill, where it accepts with r.", r, r / (1 + r), r**2 / (1 + r)),
            identity(
                "A share of it, here 15/16, is as balanced; it is taken because spins are visited in order, and flips "
                "that are sure would keep a ferromagnetic triangle out of some of its states for ever.",
                share * sp.Min(1, r, evaluate=False),
                r * share * sp.Min(1, 1 / r, evaluate=False),
                by=by_modulus,
            ),
        ),
    )


def absolute(argument: sp.Expr) -> sp.Expr:
    """Return |argument| with its denominator, here positive, taken out, and one sign for |a - b| = |b - a|."""
    top, bottom = sp.fraction(sp.together(argument))
    return sp.Abs(top) / bottom


def by_modulus(gap: sp.Expr) -> sp.Expr:
    """Write every min(1, ratio) with the absolute value and simplify."""
    written = gap.replace(sp.Min, lambda *args: accept(next(arg for arg in args if arg != 1)))
    return sp.simplify(written.replace(sp.Abs, absolute))
