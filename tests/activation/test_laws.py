"""Exact laws: all digits in all corners, the identities of the theory, and every path of tiny processes."""

import math
from fractions import Fraction

import enumerated
import mpmath
import numpy as np
import pytest
from hypothesis import assume, example, given, target
from hypothesis import strategies as st
from strategies import examples

from statnn.activation import BetaBernoulli, GammaPoisson, PolyaUrn
from statnn.testing.strategies import constants, decades, log_uniform, neurons, parameters, samples, whole_samples
from statnn.theory.activation import oracle

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
    silent = oracle.silent_urn(n, N, b, digits=digits)
    with mpmath.workdps(digits):
        return silent / (1 + mpmath.mpf(n.numerator) / n.denominator / N / mpmath.mpf(b))


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
    """Hold the error below the limit, and tell the search how near to it this one has come."""
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
def test_twelve_digits(kind, law, D, parameters):
    """`working` checks 1 - silent too: the share of working neurons keeps its digits where silent is near 1."""
    N, b, c = parameters
    exact = ORACLE[kind, law](D, N, b, c, digits=DIGITS)
    assert_digits(getattr(kind(N, b, c), law)(D), exact, CONTRACT)


@each_process
@given(D=samples(), parameters=parameters())
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
@example(n=600_000, N=2, b=1e-17)
@example(n=10**18, N=10**12, b=7e-12)
@example(n=500, N=10**15, b=1.8e-10)
def test_spread_of_competing_neurons(n, N, b):
    """The silences of two neurons repel each other: at few events and small b nearly equal numbers are subtracted."""
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
    for law in ("silent", "working", "missing_mass", "growth_rate", "limit_error_bound"):
        assert getattr(urn, law)(D) == getattr(alone, law)(D)
    n = math.ceil(D)
    assert urn.working_std(n) <= alone.working_std(n) * (1 + 1e-8)


@given(D=samples(), N=neurons(), b=constants(), c=log_uniform(1e-3, 1e6))
def test_only_the_number_of_events_matters_to_the_urn(D, N, b, c):
    assert PolyaUrn(N, b, c).working(D) == PolyaUrn(N, b).working(c * D)


@given(st.lists(st.integers(0, 6), min_size=2, max_size=12), st.integers(6, 20), st.integers(0, 200))
def test_losses_after_a_start_count_on_what_has_been_seen(counts, first, more):
    """Counts need not add up to c D_0: then all rates together are (Σk + bN)/(c D_0 + bN) instead of 1."""
    for kind in (BetaBernoulli, GammaPoisson):
        process = kind(len(counts), 0.4, 1.5).after(first, counts)
        D = first + more
        assert process.loss(D, lambda k: k == 0) == pytest.approx(process.missing_mass(D), rel=1e-11, abs=1e-300)
        share = (sum(counts) + 0.4 * len(counts)) / (1.5 * first + 0.4 * len(counts))
        assert process.loss(D, np.ones_like) == pytest.approx(share, rel=1e-11)
        assert process.loss(np.array(D), np.ones_like) == process.loss([[D]], np.ones_like)[0, 0]


@each_process
@given(D=log_uniform(1e-2, 1e9), N=neurons(10**6), b=constants(), share=log_uniform(1e-6, 0.5))
@examples(0.5)
def test_growth_rate_is_the_derivative_of_the_oracle(kind, D, N, b, share):
    c, step = share * N, Fraction(D) / 10**15
    before, after = (ORACLE[kind, "silent"](Fraction(D) + side, N, b, c, digits=60) for side in (-step, step))
    with mpmath.workdps(60):
        slope = N * (before - after) / (2 * mpmath.mpf(10) ** -15)
    assert_digits(kind(N, b, c).growth_rate(D), slope, 1e-11)


# -- steepest growth -------------------------------------------------------------------------------------


@given(parameters=parameters())
def test_the_formula_of_the_paper_is_steepest_at_one_activation_a_neuron(parameters):
    N, b, c = parameters
    process = GammaPoisson(*parameters)
    assert process.inflection() == N / c
    height = N * (b / (b + 1)) ** (b + 1)
    assert process.growth_rate(N / c) == pytest.approx(height, rel=1e-11)


@each_two_colour
@given(N=neurons(), b=constants(), share=log_uniform(1e-9, 0.5) | log_uniform(1e-12, 0.5).map(lambda gap: 1 - gap))
def test_growth_is_stationary_and_largest_at_the_inflection(kind, N, b, share):
    """The slope of the derivative of the exact curve changes sign within 1e-7 of the point given."""
    process = kind(N, b, share * N)
    D = process.inflection()
    rate = ORACLE[kind, "growth_rate"]
    before, after = (
        rate(Fraction(D) * (1 + side + Fraction(1, 10**20)), N, b, share * N, digits=50)
        - rate(Fraction(D) * (1 + side), N, b, share * N, digits=50)
        for side in (-Fraction(1, 10**7), Fraction(1, 10**7))
    )
    assert before > 0 > after
    there = process.growth_rate(D * np.geomspace(1e-12, 1e12, 241))
    assert (there <= process.growth_rate(D) * (1 + 1e-11)).all()


@each_process
@pytest.mark.parametrize("beyond", [0.3, 0.9, 1.1, 10.0])
def test_a_started_process_is_steepest_where_it_was_or_where_it_starts(kind, beyond):
    """Growth from a start is the old curve of fewer silent neurons: on a fine grid no other place is steeper."""
    N, b = 50, 0.7
    process = kind(N, b) if kind is PolyaUrn else kind(N, b, 2.0)
    first = round(beyond * N / process.c)
    events = round(process.c * first)
    seen = np.zeros(N, dtype=int)
    seen[: N // 2] = np.bincount(np.arange(events) % (N // 2), minlength=N // 2)
    started = process.after(first, seen)
    inflection = started.inflection()
    grid = np.geomspace(first, 1e3 * first, 200_001)
    steepest = grid[np.argmax(started.growth_rate(grid))]
    assert inflection == pytest.approx(steepest, rel=1e-4)
    assert (inflection > first) == (beyond < 1)
    if kind is GammaPoisson:
        assert inflection == max(N / 2.0, first)


# -- the bound on the error of the paper's formula -------------------------------------------------------


def error_of_the_formula(D, N, b, c):
    """(K - K_paper)/K from the silent shares, which hold the digits that differences of K lose."""
    digits = 150
    silent, paper, active = (
        law(D, N, b, c, digits=digits) for law in (oracle.silent, oracle.gamma_poisson_silent, oracle.active)
    )
    with mpmath.workdps(digits):
        return (paper - silent) / active


@given(D=samples(), parameters=parameters())
@example(D=1e18, parameters=(2, 10.0, math.nextafter(2.0, 0.0)))
def test_the_bound_holds(D, parameters):
    N, b, c = parameters
    assume(D >= 1e-9)
    error = error_of_the_formula(D, N, b, c)
    bound = BetaBernoulli(N, b, c).limit_error_bound(D)
    assert 0 < error <= bound * (1 + ROUNDING)
    assert_digits(bound, oracle.limit_error_bound(D, N, b, c, digits=DIGITS), CONTRACT)


@pytest.mark.parametrize(
    ("N", "b", "c"), [(10, 6e8, 2.6e-140), (10**6, 1e-140, 1.0), (2, 4e-4, 8e-141), (10**15, 5e37, 5e-123)]
)
def test_nothing_leaves_the_range_of_floats(N, b, c):
    """With far more white balls than black ones, or far fewer, only squares and cubes of them leave float64."""
    process = BetaBernoulli(N, b, c)
    D = min(N / c, 1e99)
    first = process.limit_error_bound(1e-9 * min(1.0, process._white))
    assert process.limit_error_bound(0) == pytest.approx(first, rel=1e-6)
    exact = oracle.limit_error_bound(D, N, b, c, digits=700)
    assert relative_error(process.limit_error_bound(D), exact) <= CONTRACT
    if c < 1:  # so many samples that no two of a neuron's draws see each other
        assert process.inflection() == pytest.approx(N / c, rel=1e-9)


@pytest.mark.parametrize("kind", [BetaBernoulli, GammaPoisson], ids=lambda kind: kind.__name__)
def test_the_least_spread(kind):
    """Where hardly any neuron works the spread is √K; the variance 1e-320 is subnormal and has no digits."""
    N, b, c, D = 1000, 1e-3, 1e-145, 1e-175
    assert kind(N, b, c).working_std(D) == pytest.approx(1e-160, rel=1e-12)


@given(D=samples(), N=neurons(), b=constants(), c=log_uniform(1e-3, 1e6))
def test_the_bound_holds_for_the_urn(D, N, b, c):
    """The urn is beta-Bernoulli with one activation a sample, looked at after n = cD samples."""
    assume(D >= 1e-9)
    error = error_of_the_formula(events(D, c), N, b, 1)
    assert 0 < error <= PolyaUrn(N, b, c).limit_error_bound(D) * (1 + ROUNDING)


@given(parameters=parameters())
def test_the_bound_is_continuous_at_the_start(parameters):
    process = BetaBernoulli(*parameters)
    first = process.limit_error_bound(1e-9 * min(1.0, process._white))
    assert process.limit_error_bound(0) == pytest.approx(first, rel=1e-6)
    assert process.limit().limit_error_bound(0) == 0


@pytest.mark.parametrize(("b", "c", "time"), [(0.3, 5.0, 1.0), (2.5, 0.7, 0.01), (0.02, 1.0, 100.0)])
def test_the_bound_is_tight_to_leading_order(b, c, time):
    """At fixed cD/N the bound exceeds the error by a share that falls like 1/N."""
    N = [10**4, 10**5, 10**6]
    slack = []
    for n in N:
        D = time * n / c
        error = oracle.limit_error(D, n, b, c, digits=DIGITS)
        slack.append(float(BetaBernoulli(n, b, c).limit_error_bound(D) / error - 1))
    assert min(slack) > 0
    assert np.diff(np.log(slack)) / np.diff(np.log(N)) == pytest.approx(-1, abs=0.05)


@each_two_colour
@pytest.mark.parametrize("awake", [0, 1, 60])
def test_the_bound_holds_after_a_start(kind, awake):
    counts = np.zeros(100, dtype=int)
    counts[:awake] = 4
    process = kind(100, 0.4, 8.0 if kind is BetaBernoulli else 1.0).after(4 * awake, counts)
    D = 4 * awake + np.geomspace(1, 1e6, 50)
    error = (process.working(D) - process.limit().working(D)) / process.working(D)
    assert (error > 0).all()
    assert (error <= process.limit_error_bound(D) * (1 + 1e-9)).all()
    assert (process.limit_error_bound(D) < 1.2 * error + 1e-12).all()


# -- limits ----------------------------------------------------------------------------------------------


def order(x, y):
    return np.diff(np.log(np.abs(y))) / np.diff(np.log(x))


@each_process
@pytest.mark.parametrize("b", [0.05, 1.0, 7.0])
def test_many_neurons_never_hurt(kind, b):
    """At fixed D every activation finds a new neuron, K → cD, up to a share of order 1/N."""
    N = np.array([10**6, 10**7, 10**8])
    c, D = (1.0, 200) if kind is PolyaUrn else (4.0, 50)
    lost = np.array([c * D - kind(int(n), b, c).working(D) for n in N])
    assert order(N, lost) == pytest.approx(-1, abs=1e-2)
    # a repetition: pairs of events of one neuron, c^2 (b+1)/(bN) each; a sample activates no neuron twice
    pairs = {BetaBernoulli: D * (D - 1) / 2 * c**2, PolyaUrn: D * (D - 1) / 2, GammaPoisson: (c * D) ** 2 / 2}
    assert lost * N == pytest.approx(pairs[kind] * (b + 1) / b, rel=2e-2 if b > 0.1 else 0.05)


@pytest.mark.parametrize("theta", [0.2, 3.0, 50.0])
def test_small_constant_gives_ewens_sampling(theta):
    """bN = θ fixed, N → ∞: the Hoppe urn, E[K] = θ(ψ(θ+n) - ψ(θ)), Var K = that + θ²(ψ'(θ+n) - ψ'(θ))."""
    N, n = np.array([10**3, 10**4, 10**5]), 2000
    mean = theta * (mpmath.psi(0, theta + n) - mpmath.psi(0, theta))
    variance = mean + theta**2 * (mpmath.psi(1, theta + n) - mpmath.psi(1, theta))
    urns = [PolyaUrn(int(neurons), theta / neurons) for neurons in N]
    assert order(N, np.array([float(mean - urn.working(n)) for urn in urns])) == pytest.approx(-1, abs=0.05)
    spread = [float(variance - urn.working_std(n) ** 2) for urn in urns]
    assert order(N, np.array(spread)) == pytest.approx(-1, abs=0.05)


@each_process
@given(N=neurons(10**6), b=constants())
@examples(0.3)
def test_exponents_of_the_two_losses(kind, N, b):
    """-d ln S/d ln D tends to b and that of the missing mass to b + 1, both with corrections of order bN/(cD)."""
    process = kind(N, b, 1.0)
    D = 1e4 * N * max(b, 1.0) * np.array([1.0, 10.0, 100.0])
    step = 1e-3
    for law, limit in ((process.silent, b), (process.missing_mass, b + 1)):
        local = -np.log(law(D * (1 + step)) / law(D / (1 + step))) / (2 * math.log1p(step))
        assert local == pytest.approx(limit, rel=2e-4 * (1 + b))
    wrong = -np.log(process.missing_mass(10 * D[2]) / process.missing_mass(D[2])) / math.log(10)
    assert abs(wrong - b) > 0.9


@given(b=constants(), N=neurons(10**6))
def test_tail_exponent(b, N):
    assert GammaPoisson(N, b, 1.0).tail_exponent() == PolyaUrn(N, b).tail_exponent() == 1 - b


# -- every path of tiny processes ------------------------------------------------------------------------

TINY = {
    "two": (2, enumerated.THIRD, Fraction(3, 4)),
    "three": (3, Fraction(5, 2), Fraction(7, 3)),
    "tight": (3, enumerated.THIRD, Fraction(299, 100)),
    "urn of two": (2, Fraction(5, 4), None),
    "urn of three": (3, enumerated.THIRD, None),
}


def tiny(name):
    """Return the process and its rule in exact fractions."""
    N, b, c = TINY[name]
    if c is None:
        return PolyaUrn(N, float(b)), enumerated.urn(N, b)
    return BetaBernoulli(N, float(b), float(c)), enumerated.beta_bernoulli(N, b, c)


def assert_law_of_working(law, exact):
    weights = [float(enumerated.mean(exact, lambda s, k=k: enumerated.working(s) == k)) for k in range(4)]
    assert law.pmf(range(4)) == pytest.approx(weights, rel=1e-10, abs=1e-15)


@pytest.mark.parametrize("name", TINY)
@pytest.mark.parametrize("D", range(5))
def test_every_path_is_counted(name, D):
    process, rule = tiny(name)
    exact = enumerated.states(process.neurons, rule, D)
    assert process.working(D) == pytest.approx(float(enumerated.mean(exact, enumerated.working)), rel=1e-13)
    assert process.working_std(D) ** 2 == pytest.approx(float(enumerated.variance(exact)), rel=1e-8, abs=1e-14)
    silent = float(enumerated.mean(exact, lambda state: state[0] == 0))
    assert process.silent(D) == pytest.approx(silent, rel=1e-13)
    for k in range(D + 1):
        share = float(enumerated.mean(exact, lambda state, k=k: state[0] == k))
        assert process.count(D).pmf(k) == pytest.approx(share, rel=1e-12)
    assert_law_of_working(process.working_law(D), exact)


@pytest.mark.parametrize("name", TINY)
@pytest.mark.parametrize("D0", [0, 1, 3])
def test_going_on_from_what_was_seen_averages_to_the_whole(name, D0):
    """The tower property: laws after a start, averaged over all starts, are the laws from the beginning."""
    process, rule = tiny(name)
    starts = enumerated.states(process.neurons, rule, D0)
    later = [(float(weight), process.after(D0, state)) for state, weight in starts.items()]
    D = np.array([D0, D0 + 1, D0 + 2.5, 40, 1e9])
    for law in ("working", "silent", "missing_mass", "growth_rate"):
        average = sum(weight * getattr(known, law)(D) for weight, known in later)
        assert average == pytest.approx(getattr(process, law)(D), rel=1e-11), law
    last = D0 + 5
    second_moment = sum(w * (p.working(last) ** 2 + p.working_std(last) ** 2) for w, p in later)
    whole = process.working(last) ** 2 + process.working_std(last) ** 2
    assert second_moment == pytest.approx(whole, rel=1e-10)
    weights = sum(weight * known.working_law(last).pmf(range(4)) for weight, known in later)
    assert weights == pytest.approx(process.working_law(last).pmf(range(4)), rel=1e-9, abs=1e-15)
    k = np.arange(last + 1)
    counts = sum(w * p.count(last, initial=int(p.start.counts[0])).pmf(k) for w, p in later)
    assert counts == pytest.approx(process.count(last).pmf(k), rel=1e-11)


@given(b=constants(), c=log_uniform(1e-2, 1e2), D=st.tuples(decades(1, 10**6), decades(1, 10**6)))
@examples(0.3)
def test_poisson_starts_average_to_the_whole(b, c, D):
    """Gamma-Poisson of two neurons after D_0: what a start contributes depends on its silent neurons alone."""
    process = GammaPoisson(2, b, c)
    D0, D1 = D[0], D[0] + D[1]
    silent = process.silent(D0)
    average = 0.0
    for awake in range(3):
        weight = math.comb(2, awake) * (1 - silent) ** awake * silent ** (2 - awake)
        known = process.after(D0, [7] * awake + [0] * (2 - awake))
        average += weight * known.working(D1)
    assert average == pytest.approx(process.working(D1), rel=1e-11)


@pytest.mark.parametrize("D0", [3, 40])
def test_poisson_counts_go_on_from_a_start(D0):
    process = GammaPoisson(2, 0.7, 1.5)
    first, k = process.count(D0), np.arange(30)
    average = np.zeros(k.size)
    for k0 in range(30):
        average += first.pmf(k0) * process.after(D0, [k0, 0]).count(60, initial=k0).pmf(k)
    assert average == pytest.approx(process.count(60).pmf(k), rel=1e-12)


def test_the_paper_starts_anywhere():
    """K = N - (N - K_0) [(cD_0 + bN)/(cD + bN)]^b."""
    N, b, c, D0 = 50, 0.6, 3.0, 12
    counts = np.r_[np.full(9, 4), np.zeros(41, dtype=int)]
    D = np.array([12.0, 13.0, 400.0, 1e7])
    formula = N - (N - 9) * ((c * D0 + b * N) / (c * D + b * N)) ** b
    assert GammaPoisson(N, b, c).after(D0, counts).working(D) == pytest.approx(formula, rel=1e-13)


@given(D=whole_samples(), parameters=parameters(10**9))
def test_independent_neurons_have_a_binomial_number_at_work(D, parameters):
    for kind in (BetaBernoulli, GammaPoisson):
        process = kind(*parameters)
        law = process.working_law(D)
        assert law.mean() == pytest.approx(process.working(D), rel=1e-12)
        assert law.std() == pytest.approx(process.working_std(D), rel=1e-12)
