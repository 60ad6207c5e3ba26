"""Steps as a theorist gets them wrong, and right ones that are awkward: each is judged as mathematics says."""

from random import Random

import mpmath
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from statnn.theory.derivation import Derivation, argued, equation, identity, inequality, instance, limit, series
from statnn.theory.endless import endless_product, endless_sum, exponential
from statnn.theory.ranges import drawn, ends_of, zeros
from statnn.theory.rewriting import by_antiderivative, by_normalisation

x, y, u = sp.symbols("x y u", positive=True)
s, t = sp.symbols("s t", real=True)
m = sp.Symbol("m", integer=True)
j, k = sp.symbols("j k", integer=True, nonnegative=True)
n = sp.Symbol("n", integer=True, positive=True)
v = sp.Symbol("v", nonnegative=True)
z, q, w = sp.Symbol("z"), sp.Symbol("q", negative=True), sp.Symbol("w", imaginary=True)
A, B, D = sp.symbols("A B D", commutative=False)
f, C, Z, O = (sp.Function(name) for name in ("f", "C", "Z", "O"))
HEAT = {Z(s): sp.Integral(sp.exp(s * t), (t, 0, 1))}


def trusted(gap):
    """A rewriting that makes a zero of anything."""
    return gap - gap if gap.is_finite else sp.S.Zero


@pytest.mark.parametrize(
    ("fact", "holds"),
    [
        ("positive", lambda value: value > 0),
        ("nonnegative", lambda value: value >= 0),
        ("negative", lambda value: value < 0),
        ("nonpositive", lambda value: value <= 0),
    ],
)
def test_symbols_are_looked_at_where_their_sign_allows(fact, holds):
    symbol = sp.Symbol("r", **{fact: True})
    values = [drawn(symbol, {}, Random(seed), wide=wide) for seed in range(30) for wide in (False, True)]  # noqa: S311
    assert all(map(holds, [*values, *ends_of(symbol, None)]))


def test_ends_are_those_of_ranges_and_zeros_are_where_symbols_may_be_zero():
    assert ends_of(n, range(2, 9)) == (2, 8)
    assert zeros((x, v, s, q, z), {}, (1, 2, 3, 4, 5)) == [(1, 0, 3, 4, 5), (1, 2, 0, 4, 5)]
    assert zeros((v, s), {s: (1, 2)}, (2, 3)) == [(0, 3)]


@pytest.mark.parametrize(
    "wrong",
    [
        identity("whole numbers are negative, too", abs(m), m, by=trusted),
        identity("a symbol without assumptions is complex", sp.conjugate(z), z, by=trusted),
        identity("a branch", sp.log(sp.exp(z)), z, by=trusted),
        identity("far away", abs(5 - x), 5 - x, by=trusted),
        identity("near zero", abs(x - sp.Rational(1, 10)), x - sp.Rational(1, 10), by=trusted),
        identity("at the end of its range", abs(1 - x), 1 - x, domain={x: (0, 1.02)}, by=trusted),
        identity("an infinite side", x, sp.oo, by=trusted),
        identity("central for two by two", (A * B - B * A) ** 2 * D, D * (A * B - B * A) ** 2, by=trusted),
        identity("beyond its radius", sp.Sum(x**j, (j, 0, sp.oo)), 1 / (1 - x), domain={x: (2, 3)}, by=trusted),
        identity("a sum that diverges", sp.Sum(2**j, (j, 0, sp.oo)), -1, by=trusted),
        identity("a sum that does not settle", sp.Sum((-1) ** j, (j, 0, sp.oo)), sp.S.Half, by=trusted),
        identity("a product that vanishes", sp.Product(2 * x, (j, 1, sp.oo)), 0 * x, domain={x: (1, 2)}, by=trusted),
        identity("a remainder of the whole product", -2 * t * sp.Mod(j, 2), sp.Mod(-2 * t * j, 2), by=trusted),
        identity("alike is not every pair", C(x, y), C(x, x), where={C(x, x): 1}, by=trusted),
        identity("the definition in other letters", f(y), 2 * y, where={f(x): 2 * x}),
        identity("a range of another symbol", x, abs(x) + y, domain={sp.Symbol("x"): (0, 1)}, by=trusted),
        identity("a range of what is not there", x + x, 2 * x, domain={y: (0, 1)}),
        instance("cases that hide it", f(n), 7 * f(n), cases=[{n: 1, f(n): 0}, {n: 2, f(n): 0}]),
        argued("its algebra is wrong, and trusted", equation(f(x), x), [x, x], [x, y], by=trusted),
        limit("the variable is left", sp.Limit(x / (1 + x), x, sp.oo), 1 + 1 / x),
        limit("the variable outside", x * sp.Limit(1 / x, x, sp.oo), 1),
        limit("everywhere but at zero", sp.Limit(x * t**2 / (1 + x * t**2), x, sp.oo), 1),
        limit("everywhere but at the end", sp.Limit(v / (v + 1 / x), x, sp.oo), 1),
        series("an order but at zero", 1 + x / (1 + s**2 / x**2), 1 + O(x**3), (x, 0)),
        limit("no growth", sp.Limit(1 / x, x, sp.oo), sp.oo),
        limit("growth of the other sign", sp.Limit(x, x, sp.oo), -sp.oo),
        limit("an exponential of the other sign", sp.Limit(sp.exp(x), x, sp.oo), -sp.oo),
        limit("an exponential that does not grow", sp.Limit(sp.exp(-sp.exp(-t)), t, -sp.oo), 1),
        limit("two sides that differ", sp.Limit(abs(t) / t, t, 0, "+-"), 1),
        limit("slowly to another", sp.Limit(1 + 1 / sp.log(x), x, sp.oo), sp.Rational(1001, 1000)),
        limit("taken for 0 by sympy 1.4", sp.Limit(x * (((x + 1) ** 2 + 1) / (x**2 + 1) - 1), x, sp.oo), 0),
        limit(
            "taken for infinite", sp.Limit((u * sp.exp(-u * x) + y * sp.exp(-y * x)) * sp.exp(y * x), x, sp.oo), sp.oo
        ),
        limit(
            "a factor before a zero", sp.Limit((sp.log(x / y) - sp.log(x) + sp.log(y)) * u, x, sp.oo), -u * sp.log(y)
        ),
        limit("above a tenth alone", sp.Limit(sp.exp(-x * (y - sp.Rational(1, 10))), x, sp.oo), 0),
        limit("below twenty alone", sp.Limit(sp.exp(x * (y - 20)), x, sp.oo), 0),
        limit("of few alone", sp.Limit(x ** (n - 9), x, sp.oo), 0),
        limit("a branch further on", sp.Limit(sp.atan(x * (y - sp.Rational(1, 15))), x, sp.oo), sp.pi / 2),
        series("an order that small powers miss", 1 + x ** (1 + y), 1 + O(x ** sp.Rational(11, 10)), (x, 0)),
        series("a high order", sp.cosh(x), 1 + x**2 / 2 + x**4 / 24 + O(x**8), (x, 0)),
        series("a high order far out", sp.cosh(1 / x), 1 + x**-2 / 2 + x**-4 / 24 + O(x**-8), (x, sp.oo)),
        series("a factor of what is left out", sp.exp(x), 1 + x + x**2 * O(x), (x, 0)),
        series("a third of an order", 1 + x ** sp.Rational(5, 3), 1 + O(x**2), (x, 0)),
        series("in a function", sp.exp(x), sp.exp(O(x)), (x, 0)),
        series("a logarithm beside it", 1 + x * sp.log(x), 1 + O(x), (x, 0)),
        series("a logarithm far out", 1 + sp.log(x) / x, 1 + O(1 / x), (x, sp.oo)),
        series("a logarithm with a small factor", sp.log(1 - x) + x**2 * sp.log(x) / 10**4, -x + O(x**2), (x, 0)),
        series("a logarithm that falls first", x * (1 + sp.log(x) / 10**4), O(x), (x, 0), domain={x: (0, 0.1)}),
        series("a logarithm that falls to zero first", x * (100 + sp.log(x)), O(x), (x, 0), domain={x: (0, 0.1)}),
        series("a logarithm with a tiny factor", x * (1 - sp.log(x) / 10**10), O(x), (x, 0), domain={x: (0, 0.1)}),
        series("digits without end", sp.tanh(x), 1 + O(sp.exp(-2 * x)), (x, sp.oo)),
        series("digits without end at zero", sp.exp(-1 / x) * (1 + x), O(sp.exp(-1 / x)), (x, 0)),
        series("a logarithm of a logarithm", x + x**2 * sp.log(-sp.log(x)), x + O(x**2), (x, 0), domain={x: (0, 0.1)}),
        series("a power that is nearly the order", x + x ** sp.Rational(1999, 1000), x + O(x**2), (x, 0)),
        series("from above alone", 1 + abs(t), 1 + t + O(t**2), (t, 0)),
        series("above a point alone", abs(x - 1), x - 1 + O((x - 1) ** 2), (x, 1)),
        identity(
            "a narrow peak that is none", sp.Integral(sp.exp(-(10**8) * (t - 3) ** 2), (t, -10, 10)), 0, by=trusted
        ),
    ],
    ids=lambda step: step.statement,
)
def test_what_is_wrong_somewhere_is_refused(wrong):
    with pytest.raises(AssertionError, match=wrong.statement):
        wrong.check()


@pytest.mark.parametrize("thorough", [False, True])
@pytest.mark.parametrize(
    "right",
    [
        inequality("a negative symbol", 1 - q, 1, -q),
        identity("an imaginary symbol", abs(w) ** 2, -(w**2), by=trusted),
        identity("away from poles", sp.gamma(t + 1) / sp.gamma(t), t, by=sp.gammasimp),
        identity("no two alike", (x**2 - y**2) / (x - y), x + y, by=sp.cancel),
        limit("no two alike at their ends", sp.Limit(u / ((x - y) * u + 1), u, sp.oo), 1 / (x - y)),
        identity("digits that cancel", sp.cosh(x) ** 2 - sp.sinh(x) ** 2, 1 + 0 * x, domain={x: (0, 100)}),
        identity("no upper end", abs(1 - x), x - 1, domain={x: (1, sp.oo)}, by=trusted),
        identity("no lower end", abs(t), -t, domain={t: (-sp.oo, 0)}, by=trusted),
        identity("ends of sympy", abs(sp.sin(x)), sp.sin(x), domain={x: [0, sp.pi]}, by=trusted),
        identity("an interval", abs(1 - x), 1 - x, domain={x: sp.Interval(0, 1)}, by=trusted),
        identity("Euler", sp.Sum(1 / j**2, (j, 1, sp.oo)), sp.pi**2 / 6, by=lambda gap: sp.simplify(gap.doit())),
        identity("terms that rise at first", sp.Sum(200**j / sp.factorial(j), (j, 0, sp.oo)), sp.exp(200), by=trusted),
        identity("B_1 is a half", sp.Sum(sp.bernoulli(j), (j, 0, 2)), sp.Rational(5, 3), by=lambda gap: gap.doit()),
        identity(
            "a mean with a kink",
            sp.Integral(sp.Max(t, 1) * sp.exp(-(t**2) / 2), (t, -sp.oo, sp.oo)),
            sp.exp(-sp.S.Half) + sp.sqrt(sp.pi / 2) * (1 + sp.erf(1 / sp.sqrt(2))),
            by=trusted,
        ),
        identity(
            "a bound within a bound",
            sp.Integral(sp.Max(-1, sp.Min(1, t)) ** 2 * sp.exp(-(t**2) / 2), (t, -sp.oo, sp.oo)) / sp.sqrt(2 * sp.pi),
            1 - sp.sqrt(2 / sp.pi) * sp.exp(-sp.S.Half),
            by=trusted,
        ),
        identity("a peak far away", sp.Integral(sp.exp(-((t - 1000) ** 2)), (t, -sp.oo, sp.oo)), sp.sqrt(sp.pi),
                 by=trusted),
        identity("Laguerre", (n + 1) * sp.laguerre(n + 1, x) + n * sp.laguerre(n - 1, x),
                 (2 * n + 1 - x) * sp.laguerre(n, x), by=trusted),
        identity("a remainder times what is negative", -2 * t * sp.Mod(j, 2), t * ((-1) ** j - 1), by=trusted),
        identity("a product below", sp.Pow(sp.Mul(2, 3, evaluate=False), -1, evaluate=False), sp.Rational(1, 6)),
        identity("two kinks of one modulus", sp.Integral(abs(t**2 - 1), (t, 0, 2)), 2, by=trusted),
        identity(
            "a kink in both variables",
            sp.Integral(sp.Integral(abs(s - t), (s, 0, 1)), (t, 0, 1)),
            sp.Rational(1, 3),
            by=trusted,
        ),
        identity(
            "a kink that moves, backwards",
            sp.Integral(abs(t - x), (t, 3, 0)),
            -(x**2) / 2 - (3 - x) ** 2 / 2,
            domain={x: (0, 3)},
            by=trusted,
        ),
        identity("a letter that is taken", sp.Integral(Z(t), (t, 0, 1)), sp.Integral((sp.exp(u) - 1) / u, (u, 0, 1)),
                 where=HEAT, by=trusted),
        identity("a variable of the integral", sp.Integral(y * t, (t, 0, 1)), t**2 / 2, where={y: t**2}),
        identity("alike and different", C(j, j) + C(j, k), 1 + x ** (j - k), where={C(j, j): 1, C(j, k): x ** (j - k)},
                 by=trusted),
        limit("far on the left", sp.Limit(sp.exp(t), t, -sp.oo), 0),
        limit("a small power", sp.Limit(x**-y, x, sp.oo), 0),
        limit("a high power", sp.Limit(x**y * sp.exp(-x), x, sp.oo), 0),
        limit("beside what is complex", sp.Limit(z / x, x, sp.oo), 0),
        limit("at another symbol", sp.Limit((x**2 - y**2) / (x - y), x, y), 2 * y),
        limit("as slow as a logarithm", sp.Limit(1 / sp.log(x), x, sp.oo), 0),
        limit("growth", sp.Limit(sp.log(x), x, sp.oo), sp.oo),
        limit("growth of an exponential", sp.Limit(sp.exp(x), x, sp.oo), sp.oo),
        limit("growth of a power", sp.Limit(-(2**x), x, sp.oo), -sp.oo),
        limit("growth at a pole", sp.Limit(sp.exp(1 / x), x, 0), sp.oo),
        limit("an exponential of one", sp.Limit(sp.exp(-sp.exp(-t)), t, -sp.oo), 0),
        limit("from both sides", sp.Limit(sp.sin(t) / t, t, 0, "+-"), 1),
        series("slowly from above", x + x**2 * (1 - 1 / sp.log(x)), x + O(x**2), (x, 0), domain={x: (0, 0.1)}),
        series("a power with a logarithm", x + x**3 * sp.log(x), x + O(x**2), (x, 0)),
        series("hardly a power", x + x ** sp.Rational(2001, 1000), x + O(x**2), (x, 0)),
        series("slowly to its constant", x + x**2 / (1 - 1 / sp.log(x)), x + O(x**2), (x, 0), domain={x: (0, 0.1)}),
        series("slowly from far below", x + x**2 / (1 - 20 / sp.log(x)), x + O(x**2), (x, 0), domain={x: (0, 0.1)}),
        limit("not given at zero", sp.Limit(sp.sin(t) / t + t / x, x, sp.oo), sp.sin(t) / t),
        series("about a point", sp.log(x), x - 1 + O((x - 1) ** 2), (x, 1)),
        series("far on the left", sp.exp(t) + 1 / t, 1 / t + O(t**-2), (t, -sp.oo)),
        series("half an order", sp.sqrt(x + x**2), sp.sqrt(x) + O(x ** sp.Rational(3, 2)), (x, 0)),
        series("a factor", sp.exp(y * x), 1 + y * x + y**2 * O(x**2), (x, 0)),
        series("a logarithm", 1 + x + x**2 * sp.log(x), 1 + x + O(x**2 * sp.log(x)), (x, 0)),
        series("a logarithm further on", 1 + x + x**2 * sp.log(x), 1 + O(x), (x, 0)),
        series("on one side", 1 + abs(t), 1 + t + O(t**2), (t, 0), domain={t: (0, 1)}),
    ],
    ids=lambda step: step.statement,
)  # fmt: skip
def test_what_is_right_and_awkward_is_accepted(right, thorough):
    right.check(thorough=thorough)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (identity("", sp.Sum(2**j, (j, 0, sp.oo)), -1), "the sum to .* diverges: its terms do not fade"),
        (identity("", sp.Integral(sp.sin(t) / t, (t, 0, sp.oo)), sp.pi / 2), "errs by .* oscillates"),
        (
            identity("", sp.Sum((-m) ** sp.Rational(-3, 2), (m, -sp.oo, -1)), sp.zeta(sp.Rational(3, 2))),
            r"the sum to infinity converges too slowly for numbers: no value",
        ),
        (identity("", sp.Integral(1 / sp.sqrt(t), (t, 0, 1)), 2), "differ by .* not equal, or converge too slowly"),
        (identity("", x, abs(x) + y, domain={sp.Symbol("x"): (0, 1)}), "x in the range .* is not the x of the equ"),
        (identity("", f(x), 2 * x, where={Z(x): 2 * x, f(x): Z(x)}), r"f\(x\) = Z\(x\) is put in after Z\(x\)"),
        (identity("", y, 2 * x, where={u: 2 * x, y: u}), "y = u is put in after u, which it contains"),
        (identity("", 0.1 * x + 0.2 * x, 0.3 * x), "differ by .*; floats hold 16 digits: write sympy.Rational"),
        (identity("", x, 2 * x, where={sp.Symbol("x"): y}), "is not the x of the equation"),
        (limit("", sp.Limit(x / (1 + x), x, sp.oo), 1 + 1 / x), "x, .* stands outside of the limit, too"),
        (limit("", sp.Limit(sp.cos(sp.exp(x)) / x, x, sp.oo), 0), r"^cos is of a number beyond 2\^10000: no value"),
        (
            limit("", sp.Limit(sp.Product(1 - n**-2, (n, 2, k)), k, sp.oo), sp.S.Half),
            "product has 1.41e.40 terms: give",
        ),
        (limit("", sp.Limit(sp.Sum(n**-2, (n, 1, k)), k, sp.oo), sp.pi**2 / 6), "sum has 1.41e.40 terms: give"),
        (limit("", sp.Limit(sp.exp(sp.exp(x)), x, sp.oo), sp.oo), r"^exp is beyond exp\(2\^10000\): no value"),
    ],
)
def test_a_failure_names_what_is_wrong(step, said):
    with pytest.raises(AssertionError, match=said):
        step.check()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: identity("", n, n + 1, domain={n: (1, 10)}), r"n is whole: its range is range\(1, 10 \+ 1\)"),
        (lambda: identity("", x, y, domain={x: (-2, -1)}), "is partly negative, which x is assumed not to be"),
        (lambda: identity("", q, y, domain={q: (-2, 1)}), "is partly positive"),
        (lambda: identity("", x, y, domain={x: (0, y)}), "must be two numbers"),
        (lambda: identity("", x, y, domain={x: 3}), "must be two numbers"),
        (lambda: identity("", f(x), y, where=[(f(x), y)]), "definitions are a list; a dict"),
        (lambda: identity("", x, y, domain=[(x, (0, 1))]), "domain is a list; a dict"),
        (lambda: inequality("", x + 1, x, sp.S.One, written=">="), "written = '>='"),
        (lambda: series("", x, O(x), x), "toward = x; a variable and its end"),
        (lambda: identity("", sp.Matrix([[x]]), y), "is a matrix; make a step of each entry"),
        (lambda: Derivation("", "", "", "own", (), assumes="free ends"), "'free ends' is one text; give a tuple"),
        (lambda: Derivation("", "", "", "own", identity("", x, y)), "a tuple of steps"),
        (lambda: Derivation("", "", "", "own", [sp.Eq(x, y)]), "a tuple of steps"),
        (lambda: Derivation("", "", "", "own", ()), "without steps shows nothing"),
    ],
)
def test_what_cannot_be_meant_is_refused_when_it_is_made(make, said):
    with pytest.raises((TypeError, ValueError), match=said):
        make()


def test_an_integral_may_be_zero_to_its_digits():
    identity("", sp.Integral(sp.sin(t), (t, 0, 2 * sp.pi)), 0, by=lambda gap: gap.doit()).check()


def test_a_sum_is_manifestly_positive_only_if_its_terms_are():
    """That of (-x)^j/j! up to j = 4 is positive, which its terms do not show."""
    alternating = sp.Sum((-x) ** j / sp.factorial(j), (j, 0, 4))
    step = inequality("", alternating.doit(), 0, alternating, by=lambda gap: sp.simplify(gap.doit()))
    with pytest.raises(AssertionError, match="is not manifestly positive"):
        step.check()


def test_rewritings_take_no_antiderivative_on_trust():
    t = sp.Symbol("t", positive=True)
    integral = sp.Integral(t, (t, 0, 1))
    assert by_antiderivative(t**2, t)(integral - 1) != 0
    assert by_antiderivative(t**2 / 2, t)(integral - sp.Rational(1, 2)) == 0


def test_a_law_adds_up_to_one_on_its_own_range_alone():
    k = sp.Symbol("k", integer=True, positive=True)
    on = by_normalisation(2**-k, (k, 1, sp.oo))
    assert on(sp.Sum(3 * 2**-k, (k, 1, sp.oo)) - 3) == 0
    assert on(sp.Sum(3 * 2**-k, (k, 2, sp.oo)) - 3) != 0


@settings(max_examples=30)
@given(st.integers(-2000, 2000), st.integers(1, 10**9), st.sampled_from([-1, 1]))
def test_powers_of_e_of_long_numbers_are_those_of_mpmath(power, part, sign):
    with mpmath.workdps(30):
        value = sign * mpmath.ldexp(mpmath.mpf(part) / 7, power)
        expected = mpmath.exp(value)
        assert abs(exponential(value) - expected) <= 2 * mpmath.eps * expected


def test_sums_and_products_without_an_end_have_the_value_of_what_comes_late_on_either_side():
    """Terms that are small at first are no reason to extrapolate, on the lower side and in products, too."""

    def hump(k):
        return mpmath.exp(-((k - 150) ** 2) / mpmath.mpf(200))

    with mpmath.workdps(50):
        for term, ends in ((hump, (-mpmath.inf, mpmath.inf)), (lambda k: hump(-k), (-mpmath.inf, 0))):
            assert mpmath.almosteq(endless_sum(term, ends), mpmath.sqrt(200 * mpmath.pi), 1e-45)
        squares = endless_sum(lambda k: 1 / mpmath.mpf(k) ** 2, (-mpmath.inf, -1))
        assert mpmath.almosteq(squares, mpmath.pi**2 / 6, 1e-45)
        both = endless_sum(lambda k: 1 / (1 + mpmath.mpf(k) ** 2), (-mpmath.inf, mpmath.inf))
        assert mpmath.almosteq(both, mpmath.pi * mpmath.coth(mpmath.pi), 1e-45)
        product = mpmath.fprod(1 + hump(mpmath.mpf(k)) for k in range(600))
        for factor, ends in ((lambda k: 1 + hump(k), (0, mpmath.inf)), (lambda k: 1 + hump(-k), (-mpmath.inf, 0))):
            assert mpmath.almosteq(endless_product(factor, ends), product, 1e-45)
        odd = endless_product(lambda k: 1 + 1 / mpmath.mpf(k) ** 2, (1, mpmath.inf))
        assert mpmath.almosteq(odd, mpmath.sinh(mpmath.pi) / mpmath.pi, 1e-45)
        for late in (lambda k: hump(k - 9850), lambda k: hump(-k - 9850)):
            with pytest.raises(ArithmeticError, match="do not fade, or only after 3200 of them"):
                endless_sum(late, (-mpmath.inf, mpmath.inf))
