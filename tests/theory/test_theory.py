"""Derivations hold, wrong ones do not, and the laws are those of the processes enumerated exactly."""

from collections import defaultdict
from fractions import Fraction
from itertools import product
from math import comb, nextafter, prod

import mpmath
import pytest
import sympy as sp

from statnn.theory.activation import expressions, oracle, symbols
from statnn.theory.derivation import Derivation, identity, inequality
from statnn.theory.printing import latex

THIRD = Fraction(1, 3)
CASES = [(2, THIRD, Fraction(3, 4)), (3, Fraction(5, 2), Fraction(7, 3)), (3, THIRD, Fraction(1))]


D, N, b, c, k, n, x, y, z = (getattr(symbols, name) for name in "DNbcknxyz")
PRINTED = {
    r"\frac{c D}{c D + b N}": D * c / (D * c + N * b),
    r"1 - x": 1 - x,
    r"1 + x": 1 + x,
    r"k + 1": 1 + k,
    r"D - k + 1": D - k + 1,
    r"\mu(x + 1)": sp.Function("mu")(x + 1),
    r"\ln x - \ln(1 + x)": sp.log(x) - sp.log(1 + x),
    r"\ln\Gamma(z) - \psi'(y + b)": sp.loggamma(z) - sp.polygamma(1, b + y),
    r"\binom{N}{k} \frac{\Gamma(n + b)}{\Gamma(b)}": sp.binomial(N, k) * sp.gamma(n + b) / sp.gamma(b),
    r"\frac{(b)_{k}}{k!}": sp.rf(b, k) / sp.factorial(k),
    r"\frac{b}{2} \left(\frac{1}{y} + \frac{1}{2 y^{2}}\right)": b / 2 * (1 / y + 1 / (2 * y**2)),
    r"- \frac{b + 1}{2 N}": (-b - 1) / (2 * N),
    r"\left(1 + \frac{D}{x}\right)^{- b}": (1 + D / x) ** (-b),
    r"\frac{x}{(1 + x)^{b + 1}}": x * (1 + x) ** (-b - 1),
    r"\frac{d^{2}}{d z^{2}} \frac{1}{z^{2}}": sp.Derivative(z**-2, z, 2),
    r"\lim_{N \to \infty} K(D)": sp.Limit(symbols.K(D), N, sp.oo),
    r"\lim_{x \to 0} \left(- \frac{1}{x}\right)": sp.Limit(-1 / x, x, 0),
    r"\frac{d}{d x} (x K(x))": sp.Derivative(x * symbols.K(x), x),
    r"\frac{d}{d x} \frac{b x}{1 + x}": sp.Derivative(b * x / (1 + x), x),
    r"K(x)^{n}": symbols.K(x) ** n,
    r"\cosh^{2}(x)": sp.cosh(x) ** 2,
    r"\frac{x}{\sqrt{2}}": x / sp.sqrt(2),
    r"\frac{\sqrt{6}}{2 \sqrt{x}}": sp.sqrt(6) / (2 * sp.sqrt(x)),
    r"\sqrt{2 x}": sp.sqrt(2 * x),
    r"1 - b^{n - x}": 1 - b ** (n - x),
    r"\frac{n}{b^{2 n - 1}}": n * b ** (1 - 2 * n),
    r"x - \frac{x^{3}}{3} + \frac{2 x^{5}}{15} + O(x^{7})": x - x**3 / 3 + 2 * x**5 / 15 + symbols.O(x**7),
    r"1 - 2 x + 7 x^{2}": 7 * x**2 - 2 * x + 1,
    r"1 + \sum_{k=1}^{n} b^{k}": 1 + sp.Sum(b**k, (k, 1, n)),
    r"\prod_{i=1}^{N} w_{i}": sp.Product(sp.Function("w")(symbols.i), (symbols.i, 1, N)),
    r"\operatorname{E}[K(n)] = V(n)": sp.Eq(symbols.E(symbols.K(n)), symbols.V(n), evaluate=False),
    r"P(k \mid k \geq 1)": symbols.P(symbols.Given(k, k >= 1)),
    r"- \frac{b}{z} + O(z^{-2})": -b / z + symbols.O(z**-2),
    r"\int_{0}^{1} x^{k} \, dx": sp.Integral(x**k, (x, 0, 1)),
    r"\frac{\partial^{3}}{\partial x \partial x \partial b} f(x, b)": sp.Derivative(sp.Function("f")(x, b), x, x, b),
}


@pytest.mark.parametrize("tex", PRINTED)
def test_formulas_are_printed_as_they_are_written(tex):
    assert latex(PRINTED[tex]) == tex


WRONG = {
    "equality": identity("wrong by a factor", sp.gamma(x + 1), 2 * x * sp.gamma(x), by=sp.gammasimp),
    "float zero": identity("a float decides nothing", x + x, 2 * x, by=lambda _: sp.Float(0)),
    "small": identity("wrong by little", x + sp.Rational(1, 10**60), x),
    "inequality": inequality("the identity holds, the sign is unknown", x, sp.S.One, x - 1),
    "form": inequality("positive, but not the difference", x + 1, x, sp.Integer(2)),
    "undecided": identity("an equation that holds only at x = 1", x, 1),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_step_fails(name):
    step = WRONG[name]
    good = identity("right", sp.gamma(x + 1), x * sp.gamma(x), by=sp.gammasimp)
    with pytest.raises(AssertionError, match="twin, step 2"):
        Derivation("twin", "A wrong derivation", "nowhere", "own", (good, step)).check()


def test_a_wrong_law_leaves_a_residual():
    """The master equation of the plain law, with b, refuses the size-biased law, with b + 1."""
    D, k, a, b = symbols.D, symbols.k, symbols.a, symbols.b
    law = expressions.beta_binomial(k, D, b + 1, a - b)
    rise = (k + b) / (D + a)
    step = identity(
        "size-biased law in the master equation of the plain one",
        sp.gammasimp(law.subs(D, D + 1) / law),
        1 - rise + sp.gammasimp(law.subs(k, k - 1) / law) * rise.subs(k, k - 1),
    )
    with pytest.raises(AssertionError, match="is not"):
        step.check()


def evolve(law, transitions):
    """One step of a Markov chain, in exact fractions: `transitions(state)` yields (state, probability)."""
    after = defaultdict(Fraction)
    for state, weight in law.items():
        for new, chance in transitions(state):
            after[new] += weight * chance
    return after


def laws_of(N, transitions, steps):
    """Law of the counts (D_1, ..., D_N) after 0, 1, ..., steps steps."""
    law = {(0,) * N: Fraction(1)}
    yield law
    for time in range(steps):
        law = evolve(law, lambda state, time=time: transitions(state, time))
        yield law


def samples(N, b, c):
    """Transitions of beta-Bernoulli: every subset of the neurons may fire."""

    def transitions(state, D):
        chance = [c * (count + b) / (c * D + b * N) for count in state]
        for fires in product((0, 1), repeat=N):
            new = tuple(count + fire for count, fire in zip(state, fires, strict=True))
            yield new, prod(p if fire else 1 - p for p, fire in zip(chance, fires, strict=True))

    return transitions


def events(N, b):
    """Transitions of the urn: exactly one neuron fires."""

    def transitions(state, n):
        for fires, count in enumerate(state):
            new = tuple(other + (index == fires) for index, other in enumerate(state))
            yield new, (count + b) / (n + b * N)

    return transitions


def mean(law, function):
    return sum(weight * function(state) for state, weight in law.items())


def working(state):
    return sum(count > 0 for count in state)


def variance(law):
    return mean(law, lambda state: working(state) ** 2) - mean(law, working) ** 2


def assert_equal(value, exact):
    with mpmath.workdps(60):
        target = mpmath.mpf(exact.numerator) / exact.denominator
        assert abs(value - target) <= mpmath.mpf(10) ** -48 * abs(target), (value, exact)


def rational(expression, **values):
    """Return the exact value of an expression at rational numbers, where all Γ cancel."""
    exact = {getattr(symbols, name): sp.Rational(value.numerator, value.denominator) for name, value in values.items()}
    return sp.expand_func(expression.subs(exact))


@pytest.mark.parametrize(("N", "b", "c"), CASES)
def test_beta_bernoulli_is_enumerated(N, b, c):
    for D, law in enumerate(laws_of(N, samples(N, b, c), 4)):
        assert sum(law.values()) == 1
        for k in range(D + 1):
            share = mean(law, lambda state, k=k: state[0] == k)
            assert_equal(oracle.pmf_beta_bernoulli(k, D, N, b, c), share)
            assert rational(expressions.COUNT.subs(symbols.k, k), D=Fraction(D), N=Fraction(N), b=b, c=c) == share
        assert_equal(oracle.silent(D, N, b, c), mean(law, lambda state: state[0] == 0))
        assert_equal(oracle.active(D, N, b, c), mean(law, lambda state: state[0] > 0))
        assert_equal(oracle.working(D, N, b, c), mean(law, working))
        assert_equal(oracle.working_variance(D, N, b, c), variance(law))
        fires = c * b / (c * D + b * N)
        assert_equal(oracle.missing_mass(D, N, b, c), mean(law, lambda state: state.count(0)) * fires / c)
        # size-biased law: sum over neurons of p_i l(D_i), with l an indicator of k
        for k in range(D + 1):
            weighted = mean(law, lambda state, k=k: state.count(k)) * (k + b) / (c * D + b * N)
            biased = expressions.beta_binomial(k, sp.Integer(D), symbols.b + 1, expressions.A - symbols.b)
            assert rational(biased, N=Fraction(N), b=b, c=c) == weighted


@pytest.mark.parametrize(("N", "b"), [(2, THIRD), (3, Fraction(5, 2)), (3, Fraction(1, 7))])
def test_urn_is_enumerated(N, b):
    for n, law in enumerate(laws_of(N, events(N, b), 4)):
        assert sum(law.values()) == 1
        for k in range(n + 1):
            assert_equal(oracle.pmf_urn(k, n, N, b), mean(law, lambda state, k=k: state[0] == k))
        for m in range(N + 1):
            silent = mean(law, lambda state, m=m: not any(state[:m]))
            assert_equal(oracle.silent_urn(n, N, b, m), Fraction(silent))
        assert_equal(oracle.working_urn(n, N, b), mean(law, working))
        assert_equal(oracle.working_variance_urn(n, N, b), variance(law))
        for k in range(N + 1):
            assert_equal(oracle.pmf_working_urn(k, n, N, b), mean(law, lambda state, k=k: working(state) == k))
        for state, weight in law.items():
            rising = prod(
                (prod((b + j for j in range(count)), start=Fraction(1)) for count in state), start=Fraction(1)
            )
            orders = prod(comb(sum(state[: i + 1]), count) for i, count in enumerate(state))
            assert weight == orders * rising / prod((b * N + j for j in range(n)), start=Fraction(1))


def test_rarefaction_is_enumerated():
    """The mean of the rarefaction curve over all outcomes of D samples is the growth curve."""
    N, b, c = CASES[0]
    *_, law = laws_of(N, samples(N, b, c), 4)
    for d in range(5):
        curve = mean(law, lambda state, d=d: sum(1 - Fraction(comb(4 - count, d), comb(4, d)) for count in state))
        assert_equal(oracle.working(d, N, b, c), curve)


@pytest.mark.parametrize("D", [0.5, 1e3, 1e9, 1e18])
@pytest.mark.parametrize(("N", "b"), [(2, 1e-3), (2, 10.0), (1000, 0.3), (10**12, 1e-3), (10**12, 10.0)])
@pytest.mark.parametrize("share", ["tiny", "half", "edge"])
def test_oracle_survives_the_corners(D, N, b, share):
    c = {"tiny": 1e-6, "half": N / 2, "edge": nextafter(N, 0)}[share]
    silent, active = oracle.silent(D, N, b, c), oracle.active(D, N, b, c)
    with mpmath.workdps(1000):  # the definition with a thousand digits, by another road
        a, exact_b = mpmath.mpf(b) * N / mpmath.mpf(c), mpmath.mpf(b)
        log_s = mpmath.loggamma(D + a - exact_b) + mpmath.loggamma(a)
        log_s -= mpmath.loggamma(D + a) + mpmath.loggamma(a - exact_b)
        assert abs(silent / mpmath.exp(log_s) - 1) < mpmath.mpf(10) ** -49
        assert abs(active / -mpmath.expm1(log_s) - 1) < mpmath.mpf(10) ** -49
        assert abs(-log_s / oracle.mixed_log_gamma(Fraction(b) * N / Fraction(c) - Fraction(b), b, D) - 1) < 1e-49
    assert 0 < oracle.limit_error(D, N, b, c) <= oracle.limit_error_bound(D, N, b, c) < 1


@pytest.mark.parametrize("D", [3, 1000, 10**6])
def test_gamma_poisson_and_growth_by_another_road(D):
    """Sum the count law, differentiate K numerically, and approach the limit at the rate 1/N."""
    N, b, c = 1000, Fraction(3, 10), 5
    with mpmath.workdps(60):
        x = mpmath.mpf(c * D) / (N * b.numerator) * b.denominator
        silent = (1 + x) ** (-mpmath.mpf(3) / 10)
        assert mpmath.almosteq(oracle.gamma_poisson_silent(D, N, b, c), silent, 1e-48)
        assert mpmath.almosteq(oracle.gamma_poisson_active(D, N, b, c), 1 - silent, 1e-48)
        assert mpmath.almosteq(oracle.gamma_poisson_working(D, N, b, c), N * (1 - silent), 1e-48)
        assert mpmath.almosteq(oracle.gamma_poisson_missing_mass(D, N, b, c), silent / (1 + x), 1e-48)
    for rate, law in (
        (oracle.growth_rate, oracle.working),
        (oracle.gamma_poisson_growth_rate, oracle.gamma_poisson_working),
    ):
        h = Fraction(D, 10**12)
        with mpmath.workdps(80):
            slope = (law(D + h, N, b, c, digits=80) - law(D - h, N, b, c, digits=80)) / 2 * 10**12
            assert mpmath.almosteq(rate(D, N, b, c), slope, 1e-20)
    if D == 3:
        total = mpmath.fsum(oracle.gamma_poisson_pmf(k, D, N, b, c) for k in range(40))
        assert mpmath.almosteq(total, 1, 1e-12)
    errors = [oracle.limit_error(D * scale, N * scale, b, c) for scale in (100, 1000)]
    assert mpmath.almosteq(errors[0] / errors[1], 10, 1e-2)


def test_the_bound_is_tight_for_many_neurons():
    error, bound = (f(1e4, 10**6, 0.3, 5.0) for f in (oracle.limit_error, oracle.limit_error_bound))
    assert 0 < bound / error - 1 < 1e-4


def test_oracle_keeps_the_digits_asked_for():
    short, long = oracle.active(10, 1000, 0.3, 5.0, digits=20), oracle.active(10, 1000, 0.3, 5.0, digits=120)
    with mpmath.workdps(130):
        assert abs(short / long - 1) < mpmath.mpf(10) ** -19
        assert abs(short / long - 1) > mpmath.mpf(10) ** -22  # it is not secretly longer
