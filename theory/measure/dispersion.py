"""Moments of the spread of counts over windows, given the number of spikes: the test behind a Fano factor."""

from __future__ import annotations

from itertools import combinations, product
from math import comb

import sympy as sp

from statnn.theory.derivation import Derivation, Step, identity, instance, limit
from statnn.theory.measure.fano import M, T, W, m, n
from statnn.theory.notation import expected, named, spread

MEAN = m * (m - 1) * (T - 1) / (M - 1)
_BLANKS = (M - m) * (M - m - 1)
VARIANCE = 2 * T * (T - 1) * (W - 1) * m * (m - 1) * _BLANKS / ((M - 1) ** 2 * (M - 2) * (M - 3))
_SHAPE = M**3 - 6 * T * M**2 + 8 * M**2 + 6 * T * M - 13 * M + 4 + m * (M - m) * (2 * T * M - 8 * M + 10 * T - 4)
THIRD = VARIANCE * 2 * _SHAPE / ((M - 1) * (M - 4) * (M - 5))

POISSON_MEAN = m * (m - 1) / W
POISSON_VARIANCE = 2 * m * (m - 1) * (W - 1) / W**2
POISSON_THIRD = POISSON_VARIANCE * 2 * (1 - 2 / W + 2 * (m - 2) / W)


_THIRD = named(r"\operatorname{E}[(S - \operatorname{E}[S])^{3}]")


def falling(base: sp.Expr, order: int) -> sp.Expr:
    """Return the falling power base (base-1) ... with `order` factors."""
    return sp.prod(base - j for j in range(order))


def joint(*orders: int) -> sp.Expr:
    """Return the mean of falling powers of the counts of different windows: the picked slots must all hold spikes."""
    total = sum(orders)
    return falling(m, total) * sp.prod(falling(T, k) for k in orders) / falling(W * T, total)


def in_falling_powers(polynomial: sp.Expr) -> dict[int, sp.Expr]:
    """Return the coefficients of a polynomial in n over falling powers."""
    rest, coefficients = sp.Poly(polynomial, n), {}
    for order in range(rest.degree(), -1, -1):
        factor = rest.coeff_monomial(n**order)
        if factor != 0:
            coefficients[order] = factor
            rest = sp.Poly(rest.as_expr() - factor * falling(n, order), n)
    return coefficients


def _raw_moments() -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    """Return the first three moments of Σ n(n-1) over windows."""
    pairs = n * (n - 1)
    square, cube = in_falling_powers(pairs**2), in_falling_powers(pairs**3)
    first = W * joint(2)
    second = W * sum(c * joint(k) for k, c in square.items()) + W * (W - 1) * joint(2, 2)
    third = (
        W * sum(c * joint(k) for k, c in cube.items())
        + 3 * W * (W - 1) * sum(c * joint(k, 2) for k, c in square.items())
        + W * (W - 1) * (W - 2) * joint(2, 2, 2)
    )
    return first, second, third


def _zero(gap: sp.Expr) -> sp.Expr:
    """Return the numerator, multiplied out, which is zero if the rational function is."""
    return sp.expand(sp.fraction(sp.together(gap))[0])


def _without_end(finite: sp.Expr) -> sp.Expr:
    """Return the limit T → ∞ of a rational function of T."""
    fine = sp.Symbol("epsilon", positive=True)
    return sp.cancel(sp.together(finite.subs(T, 1 / fine))).subs(fine, 0)


def _counted(spikes: int, first: int, second: int) -> sp.Rational:
    """Return the mean number of ways to pick spikes from each of two windows of three samples."""
    arrangements = list(combinations(range(6), spikes))
    counts = [(sum(place < 3 for place in spiking), sum(place >= 3 for place in spiking)) for spiking in arrangements]
    return sp.Rational(sum(comb(window, first) * comb(rest, second) for window, rest in counts), len(counts))


def _steps() -> tuple[Step, ...]:
    first, second, third = _raw_moments()
    pair, two = expected("n(n-1)"), expected("n n'")
    cubed = third - 3 * first * second + 2 * first**3
    slots, wide = {M: W * T}, {W: (3, 5), T: (6, 9)}  # away from the poles of the moments
    a, b = sp.symbols("a b", integer=True, nonnegative=True)
    ways = expected(r"\binom{n}{a} \binom{n'}{b}")
    return (
        instance(
            "Given m spikes in the M = WT samples of W windows, every arrangement is equally likely. The mean number "
            "of ways to pick a samples of one window and b of another, all with spikes, is the mean product of "
            "falling powers of their counts n and n′, over factorials. Every arrangement in two windows of three "
            "samples is counted.",
            ways,
            sp.binomial(T, a) * sp.binomial(T, b) * sp.binomial(m, a + b) / sp.binomial(W * T, a + b),
            cases=[
                {W: 2, T: 3, m: spikes, a: first, b: second, ways: _counted(spikes, first, second)}
                for spikes, first, second in product(range(1, 6), range(4), range(3))
            ],
        ),
        identity(
            "All ordered pairs of spikes lie within one window or across two,",
            W * pair + W * (W - 1) * two,
            m * (m - 1),
            where={pair: joint(2), two: joint(1, 1)},
            domain=wide,
            by=_zero,
        ),
        identity(
            "and the number S within one, the sum of n(n−1) over the windows, has this mean.",
            expected("S"),
            MEAN,
            where={expected("S"): first} | slots,
            domain=wide,
            by=_zero,
        ),
        identity(
            "Falling powers of the counts of one window or two give its variance",
            spread("S"),
            VARIANCE,
            where={spread("S"): second - first**2} | slots,
            domain=wide,
            by=_zero,
        ),
        identity(
            "and, with a third window, its third moment about the mean.",
            _THIRD,
            2 * spread("S") * _SHAPE / ((M - 1) * (M - 4) * (M - 5)),
            where={_THIRD: cubed, spread("S"): VARIANCE} | slots,
            domain=wide,
            by=_zero,
        ),
        identity(
            "The samples without a spike have the same variance.",
            spread("S'"),
            spread("S"),
            where={spread("S'"): VARIANCE.subs(m, M - m), spread("S"): VARIANCE},
            domain=wide | {M: (20, 30)},
            by=_zero,
        ),
    )


def _limits() -> tuple[Step, ...]:
    return tuple(
        limit(
            statement,
            sp.Limit(symbol, T, sp.oo),
            poisson,
            where={symbol: finite, M: W * T},
            by=_without_end,
        )
        for statement, finite, poisson, symbol in (
            ("Fine samples make a Poisson process, whose windows catch spikes independently: the mean,", MEAN,
             POISSON_MEAN, expected("S")),
            ("the variance", VARIANCE, POISSON_VARIANCE, spread("S")),
            ("and the third moment.", THIRD, POISSON_THIRD, _THIRD),
        )
    )  # fmt: skip


def dispersion() -> Derivation:
    """Derive three moments of the dispersion under shuffling and for a Poisson process."""
    return Derivation(
        "dispersion",
        "Dispersion of counts, given the number of spikes",
        "this project; the Poisson case is classical (Haldane 1937)",
        "exact",
        (*_steps(), *_limits()),
        assumes=(
            "all arrangements of the spikes are equally likely",
            "M > 3, and M > 5 for the third moment, whose fractions are 0/0 at fewer",
        ),
    )
