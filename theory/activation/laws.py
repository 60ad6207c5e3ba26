"""Exact laws of the counts D_i in the two microscopic readings of the hypothesis."""

from __future__ import annotations

from itertools import product

import sympy as sp

from statnn.theory.activation.expressions import beta_binomial
from statnn.theory.activation.symbols import OWN, D, E, Given, N, P, a, b, beta, c, i, k, m, n
from statnn.theory.derivation import Derivation, Rewrite, Step, definition, identity, instance
from statnn.theory.rewriting import by_gamma

_p = sp.Symbol("p", positive=True)


def _master_equation(time: sp.Symbol, total: sp.Expr) -> tuple[Step, ...]:
    """Prove that BetaBinomial(time; b, total - b) solves the master equation of one count."""
    law = beta_binomial(k, time, b, total - b)
    rise = (k + b) / (time + total)
    named = sp.binomial(time, k) * sp.beta(k + b, time - k + total - b) / sp.beta(b, total - b)
    solved = {P(k, time): law}
    return (
        identity("The candidate is the beta-binomial law.", P(k, time), named, where=solved, by=by_gamma),
        identity(
            "A count stays or rises by one; divided by P(k), both sides of this master equation are rational, and "
            "equal.",
            P(k, time + 1),
            P(k, time) * (1 - rise) + P(k - 1, time) * rise.subs(k, k - 1),
            where=solved,
            domain={k: range(1, 9)},
            by=by_gamma,
        ),
        identity(
            "At the lower edge nothing comes in from k = −1.",
            P(0, time + 1) / P(0, time),
            1 - rise.subs(k, 0),
            where=solved,
            by=by_gamma,
        ),
        identity(
            "At the upper edge only a neuron that fired every time can rise.",
            P(time + 1, time + 1) / P(time, time),
            rise.subs(k, time),
            where=solved,
            by=by_gamma,
        ),
        identity("The start is a silent neuron,", P(0, 0), sp.S.One, where=solved),
        identity(
            "and the law stays normalised, because what leaves k by rising arrives at k+1.",
            sp.Sum(P(k, time + 1), (k, 0, time + 1)),
            sp.Sum(P(k, time), (k, 0, time)),
            where=solved,
            domain={time: range(1, 6)},
            by=_by_flow(law * rise),
        ),
    )


def _by_flow(flow: sp.Expr) -> Rewrite:
    """Return a rewriting of a difference of two sums over k by a flow from k to k+1, which leaves end terms."""

    def rewrite(gap: sp.Expr) -> sp.Expr:
        sums = gap.atoms(sp.Sum)
        if not sums <= {term.as_coeff_Mul()[1] for term in sp.Add.make_args(gap)}:
            return gap
        ends = {total: total.limits[0][2] for total in sums}
        last = max(ends.values(), key=lambda end: sp.expand(end).as_coeff_Add()[0])
        # beyond its last count a law is zero
        beyond = sp.Add(*(total.function.subs(k, last) for total in sums if ends[total] != last))
        terms = gap.xreplace({total: total.function for total in sums})
        change = by_gamma(sp.expand(terms) - flow.subs(k, k - 1) + flow)
        return change + beyond + flow.subs(k, -1) - flow.subs(k, last)

    return rewrite


def beta_bernoulli() -> Derivation:
    """Derive BetaBinomial(D; b, bN/c - b) from the master equation, and again from a hidden probability."""
    rise = c * (k + b) / (c * D + b * N)
    power = _p ** (k + b - 1) * (1 - _p) ** (D - k + beta - 1)
    hidden, euler = sp.Integral(power, (_p, 0, 1)), sp.beta(k + b, D - k + beta)

    def by_euler(gap: sp.Expr) -> sp.Expr:
        """Replace this integral by Euler's Beta function; other integrals are left alone."""
        left = gap.xreplace({hidden: euler})
        return left if left.has(sp.Integral) else by_gamma(left)

    return Derivation(
        "beta-bernoulli",
        "Count law when samples arrive",
        OWN,
        "exact",
        (
            identity(
                "With a = bN/c the hypothesis is a two-colour Polya urn with b black and a−b white balls.",
                rise,
                (k + b) / (D + a),
                where={a: b * N / c},
            ),
            *_master_equation(D, a),
            identity(
                "De Finetti: a hidden pᵢ from Beta(b, β), β = a−b, with Dᵢ binomial given pᵢ, gives the same law, "
                "because the integral over p is Euler's Beta function.",
                P(k, D),
                sp.binomial(D, k) * hidden / sp.beta(b, beta),
                where={P(k, D): beta_binomial(k, D, b, beta)},
                domain={D: range(8, 11), b: (1, 2), beta: (1, 2)},
                by=by_euler,
            ),
            identity(
                "In terms of p, the hypothesis is the posterior mean of pᵢ after k firings in D samples.",
                E(Given(_p, k, D)),
                (k + b) / (D + a),
                where={E(Given(_p, k, D)): euler.subs(k, k + 1).subs(D, D + 1) / euler, a: b + beta},
                by=by_gamma,
            ),
        ),
        assumes=(
            "in every sample each neuron fires by itself, at most once, with the probability of the hypothesis",
            "N > c",
        ),
    )


def urn() -> Derivation:
    """Derive the marginal and joint laws of the urn, and its chain of working neurons."""
    total = n + b * N
    k_i = sp.Symbol("k_i", integer=True, positive=True)
    rest = sp.Symbol("R", positive=True)  # factors of the other neurons, untouched by one event
    # the probability of one given order of events, and of the counts in any order, up to factors without this count
    sequence = sp.gamma(b * N) / sp.gamma(n + b * N) * sp.gamma(k_i + b) / sp.gamma(b) * rest
    joint = sequence * sp.gamma(n + 1) / sp.gamma(k_i + 1)
    weight, counts = sp.Function("w")(i), (sp.Symbol("k_1"), sp.Symbol("..."), sp.Symbol("k_N"))
    law = sp.gamma(n + 1) * sp.gamma(b * N) / sp.gamma(n + b * N) * sp.Product(weight, (i, 1, N))
    h, silent, working = sp.Symbol("h", positive=True), sp.Symbol("U", positive=True), sp.Symbol("K")
    return Derivation(
        "urn",
        "Laws of the Polya urn of activation events",
        OWN,
        "exact",
        (
            *_master_equation(n, b * N),
            identity(
                "For the joint law: in a given order of events, each rise of Dᵢ by one contributes the factor pᵢ, "
                "whatever came before; so all orders of the same counts are equally likely.",
                P(k_i + 1, n + 1) / P(k_i, n),
                (k_i + b) / total,
                where={P(k_i, n): sequence},
                by=by_gamma,
            ),
            instance(
                "Counting the orders gives the Dirichlet-multinomial law; checked for three neurons, by walking "
                "through all orders of up to three events,",
                P(*counts),
                law,
                cases=_orders(counts, weight),
                by=lambda gap: sp.cancel(sp.expand_func(gap)),
            ),
            definition("a product of these weights,", weight, _weight(k_i)),
            identity(
                "which solves the joint master equation: the last event went to neuron i with probability kᵢ/(n+1), "
                "and these shares of the n+1 events add up to one.",
                P(k_i - 1, n) / P(k_i, n + 1) * (k_i - 1 + b) / total,
                k_i / (n + 1),
                where={P(k_i, n): joint},
                by=by_gamma,
            ),
            identity(
                "K alone is a pure birth chain: each of the N−K silent neurons takes the next event with probability "
                "b/(n+bN).",
                P(Given(working + 1, working, n)),
                b * (N - working) / total,
                where={P(Given(working + 1, working, n)): sp.Sum(b / total, (i, working + 1, N))},
                domain={N: range(6, 9), working: range(1, 6)},
                by=lambda gap: sp.simplify(gap.doit()),
            ),
            identity(
                "With h = b/(n+bN), an event takes U = N−K to U−1 with probability hU, so the mean obeys a closed "
                "recursion,",
                (1 - h * silent) * silent + h * silent * (silent - 1),
                (1 - h) * silent,
            ),
            identity(
                "and so does every factorial moment: the m-th shrinks by the factor 1 − mh.",
                (1 - h * silent) * sp.binomial(silent, m) + h * silent * sp.binomial(silent - 1, m),
                (1 - m * h) * sp.binomial(silent, m),
                by=by_gamma,
            ),
        ),
        assumes=("every event activates exactly one neuron, drawn by the hypothesis", "N ≥ 2"),
    )


def _weight(fired: sp.Expr) -> sp.Expr:
    return sp.gamma(fired + b) / (sp.gamma(fired + 1) * sp.gamma(b))


def _orders(counts: tuple[sp.Symbol, ...], weight: sp.Expr) -> list[dict[sp.Basic, sp.Expr]]:
    """Return the instances of the joint law of three neurons, summed over all orders of up to three events."""
    neurons = len(counts)
    laws: dict[tuple[int, ...], sp.Expr] = {}
    for events in range(1, 4):
        for order in product(range(neurons), repeat=events):
            chance, fired = sp.S.One, [0] * neurons
            for time, neuron in enumerate(order):
                chance *= (fired[neuron] + b) / (time + b * neurons)
                fired[neuron] += 1
            laws[tuple(fired)] = laws.get(tuple(fired), sp.S.Zero) + chance
    return [
        {N: neurons, n: sum(fired), P(*counts): law}
        | {weight.func(place): _weight(sp.Integer(times)) for place, times in enumerate(fired, 1)}
        for fired, law in laws.items()
    ]
