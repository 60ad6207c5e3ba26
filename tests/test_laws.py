"""Exact laws: all digits in all corners, the identities of the theory, and every path of tiny processes."""

import math
from fractions import Fraction

import enumerated
import mpmath
import numpy as np
import pytest
from hypothesis import assume, example, given, target
from hypothesis import strategies as st
from scipy import stats
from strategies import constants, decades, examples, log_uniform, neurons, parameters, samples, whole_samples

from statnn.activation import BetaBernoulli, GammaPoisson, PolyaUrn
from theory.activation import oracle

DIGITS = 30
CONTRACT = 1e-12
ROUNDING = 1e-13
PROCESSES = (BetaBernoulli, PolyaUrn, GammaPoisson)
each_process = pytest.mark.parametrize("kind", PROCESSES, ids=lambda kind: kind.__name__)
each_two_colour = pytest.mark.parametrize("kind", PROCESSES[:2], ids=lambda kind: kind.__name__)


def events(D, c):
    return Fraction(c) * Fraction(D)


def urn_missing_mass(D, N, b, c, *, digits):
    n = events(D, c)
    return oracle.silent_urn(n, N, b, digits=digits) * mpmath.mpf(N * b) / (mpmath.mpf(n) + N * b)


def urn_growth_rate(D, N, b, c, *, digits):
    n = events(D, c)
    silent = oracle.silent_urn(n, N, b, digits=digits)
    with mpmath.workdps(digits + 60):
        n, b = mpmath.mpf(n.numerator) / n.denominator, mpmath.mpf(b)
        return N * silent * n * (mpmath.psi(0, n + b * N) - mpmath.psi(0, n + b * N - b))


def gamma_variance(D, N, b, c, *, digits):
    silent = oracle.gamma_poisson_silent(D, N, b, c, digits=digits)
    return silent * oracle.gamma_poisson_working(D, N, b, c, digits=digits)


ORACLE = {
    (BetaBernoulli, "silent"): oracle.silent,
    (BetaBernoulli, "working"): oracle.working,
    (BetaBernoulli, "missing_mass"): oracle.missing_mass,
    (BetaBernoulli, "growth_rate"): oracle.growth_rate,
    (BetaBernoulli, "variance"): oracle.working_variance,
    (PolyaUrn, "silent"): lambda D, N, b, c, digits: oracle.silent_urn(events(D, c), N, b, digits=digits),
    (PolyaUrn, "working"): lambda D, N, b, c, digits: oracle.working_urn(events(D, c), N, b, digits=digits),
    (PolyaUrn, "missing_mass"): urn_missing_mass,
    (PolyaUrn, "growth_rate"): urn_growth_rate,
    (GammaPoisson, "silent"): oracle.gamma_poisson_silent,
    (GammaPoisson, "working"): oracle.gamma_poisson_working,
    (GammaPoisson, "missing_mass"): oracle.gamma_poisson_missing_mass,
    (GammaPoisson, "growth_rate"): oracle.gamma_poisson_growth_rate,
    (GammaPoisson, "variance"): gamma_variance,
}


def relative_error(value, exact):
    if exact == 0:
        assert value == 0
        return 0.0
    return float(abs(mpmath.mpf(value) / exact - 1))


def assert_digits(value, exact, limit):
    """Tell the search how near to the limit it has come."""
    error = relative_error(value, exact)
    target(math.log10(max(error / limit, 1e-9)))
    assert error <= limit, (value, mpmath.nstr(exact, 20), error)


# -- the precision contract ------------------------------------------------------------------------------


@each_process
@pytest.mark.parametrize("law", ["silent", "working", "missing_mass"])
@given(D=samples(), parameters=parameters())
@example(D=1e18, parameters=(2, 1e-3, math.nextafter(2.0, 0.0)))
@example(D=1.0, parameters=(10**12, 10.0, math.nextafter(1e12, 0.0)))
@example(D=1e18, parameters=(10**12, 10.0, 1e-12))
@examples(2)
def test_twelve_digits(kind, law, D, parameters):
    """`working` vouches for 1 - silent: the share of working neurons keeps its digits where silent is near 1."""
    N, b, c = parameters
    exact = ORACLE[kind, law](D, N, b, c, digits=DIGITS)
    assert_digits(getattr(kind(N, b, c), law)(D), exact, CONTRACT)


@each_process
@given(D=samples(), parameters=parameters())
@examples(2)
def test_growth_rate_keeps_eleven_digits(kind, D, parameters):
    N, b, c = parameters
    exact = ORACLE[kind, "growth_rate"](D, N, b, c, digits=DIGITS)
    assert_digits(kind(N, b, c).growth_rate(D), exact, 1e-11)


@pytest.mark.parametrize("kind", [BetaBernoulli, GammaPoisson], ids=lambda kind: kind.__name__)
@given(D=samples(), parameters=parameters())
def test_spread_of_independent_neurons(kind, D, parameters):
    N, b, c = parameters
    exact = mpmath.sqrt(ORACLE[kind, "variance"](D, N, b, c, digits=DIGITS))
    assert_digits(kind(N, b, c).working_std(D), exact, CONTRACT)


@given(n=whole_samples(), N=neurons(), b=constants())
@example(n=10**18, N=2, b=10.0)
@example(n=10**9, N=10**12, b=10.0)
@example(n=2, N=10**12, b=1e-3)
def test_spread_of_competing_neurons(n, N, b):
    """Two given silent neurons repel each other: a difference of nearly equal numbers for few events."""
    exact = mpmath.sqrt(oracle.working_variance_urn(n, N, b, digits=DIGITS))
    assert_digits(PolyaUrn(N, b).working_std(n), exact, 1e-8)


def test_the_yardstick_sees_a_lost_digit():
    """The textbook form of S, four logarithms of Gamma, misses the contract by far."""
    D, N, b, c = 1e9, 1000, 0.3, 5.0
    a = b * N / c
    naive = math.exp(math.lgamma(D + a - b) + math.lgamma(a) - math.lgamma(D + a) - math.lgamma(a - b))
    assert relative_error(naive, oracle.silent(D, N, b, c)) > 1e3 * CONTRACT


# -- identities ------------------------------------------------------------------------------------------


@each_process
@given(D=samples(), parameters=parameters())
def test_a_neuron_is_silent_or_works(kind, D, parameters):
    process = kind(*parameters)
    assert process.silent(D) + process.working(D) / process.neurons == pytest.approx(1, rel=ROUNDING)
    assert process.noise_to_signal(D) == process.silent(D)


@each_process
@given(parameters=parameters(), D=st.lists(samples(), min_size=3, max_size=3, unique=True))
def test_growth_is_rising_and_concave(kind, parameters, D):
    D = np.sort(D)
    K = kind(*parameters).working(D)
    assert (np.diff(K) >= -ROUNDING * K[1:]).all()
    first, second = np.diff(D / D[2])
    assert (K[1] - K[0]) * second >= (K[2] - K[1]) * first - ROUNDING * K[2]


@given(parameters=parameters(), D=whole_samples())
def test_no_more_neurons_work_than_were_activated(parameters, D):
    N, b, c = parameters
    for process in (BetaBernoulli(N, b, c), PolyaUrn(N, b)):
        most = min(N, process.c * D)
        assert process.working(D) <= most * (1 + ROUNDING)
    assert BetaBernoulli(N, b, c).working(1) == pytest.approx(c, rel=CONTRACT)
    assert PolyaUrn(N, b).working(1) == pytest.approx(1, rel=CONTRACT)


@given(D=samples(), N=neurons(), b=constants())
def test_one_neuron_cannot_tell_urn_from_single_activations(D, N, b):
    """One event a sample: the urn and beta-Bernoulli with c = 1 share S, but not the spread of K."""
    urn, alone = PolyaUrn(N, b), BetaBernoulli(N, b, 1.0)
    for law in ("silent", "working", "missing_mass", "growth_rate", "limit_error"):
        assert getattr(urn, law)(D) == getattr(alone, law)(D)
    n = math.ceil(D)
    assert urn.working_std(n) <= alone.working_std(n) * (1 + 1e-8)


@given(D=samples(), N=neurons(), b=constants(), c=log_uniform(1e-3, 1e6))
def test_only_the_number_of_events_matters_to_the_urn(D, N, b, c):
    assert PolyaUrn(N, b, c).working(D) == PolyaUrn(N, b).working(c * D)


@each_process
@given(D=whole_samples(10**6), parameters=parameters())
@examples(0.5)
def test_missing_mass_is_the_loss_of_silence(kind, D, parameters):
    N, b, c = parameters
    process = PolyaUrn(N, b) if kind is PolyaUrn else kind(N, b, c)
    missing = process.missing_mass(D)
    assert process.loss(D, lambda k: k == 0) == pytest.approx(missing, rel=1e-11, abs=0)


@each_process
@given(D=log_uniform(1e-2, 1e9), N=neurons(10**6), b=constants(), share=log_uniform(1e-6, 0.5))
@examples(0.5)
def test_growth_rate_is_the_derivative_of_the_oracle(kind, D, N, b, share):
    c = share * N
    with mpmath.workdps(60):
        slope = mpmath.diff(
            lambda x: ORACLE[kind, "working"](x, N, b, c, digits=60) if kind is not PolyaUrn
            else oracle.working_urn(x * mpmath.mpf(c), N, b, digits=60),
            mpmath.mpf(D), h=mpmath.mpf(10) ** -20,
        )  # fmt: skip
        assert relative_error(kind(N, b, c).growth_rate(D), D * slope) <= 1e-11


# -- steepest growth -------------------------------------------------------------------------------------


@given(parameters=parameters())
def test_the_formula_of_the_paper_is_steepest_at_one_activation_a_neuron(parameters):
    N, _, c = parameters
    process = GammaPoisson(*parameters)
    assert process.inflection() == N / c
    height = process.b / (process.b + 1)
    assert process.growth_rate(N / c) == pytest.approx(N * height * (1 - height) ** process.b * 0 + N * height ** (process.b + 1) * 1, rel=1e-11)


@each_two_colour
@given(N=neurons(), b=constants(), share=log_uniform(1e-9, 0.5) | log_uniform(1e-12, 0.5).map(lambda gap: 1 - gap))
def test_growth_is_stationary_and_largest_at_the_inflection(kind, N, b, share):
    """The slope of the derivative of the exact curve changes sign within 1e-7 of the point given."""
    process = kind(N, b, share * N)
    D = process.inflection()
    rate = ORACLE[kind, "growth_rate"]
    with mpmath.workdps(60):
        tiny = mpmath.mpf(10) ** -20
        before, after = (
            rate(Fraction(D) * (1 + side + Fraction(1, 10**20)), N, b, share * N, digits=50)
            - rate(Fraction(D) * (1 + side), N, b, share * N, digits=50)
            for side in (-Fraction(1, 10**7), Fraction(1, 10**7))
        )
        assert before > 0 > after, (tiny, before, after)
    there = process.growth_rate(D * np.geomspace(1e-12, 1e12, 241))
    assert (there <= process.growth_rate(D) * (1 + 1e-11)).all()
