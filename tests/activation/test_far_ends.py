"""Digits at the ends of the parameter ranges: tails, cancellation, and terms below the last digit of their sum."""

import warnings
from fractions import Fraction

import mpmath
import numpy as np
import pytest

from statnn.activation import BetaBernoulli, GammaPoisson, PolyaUrn
from statnn.activation._laws.occupancy import _differences, woken_law
from statnn.activation._laws.special import mixed_log_gamma

# -- parameters whose products leave float64 -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("process", "D", "awake"),
    [
        (PolyaUrn(10**6, 2.8e244, 64240.5), 6e74, 10**6),
        (PolyaUrn(10**12, 4.5e175, 2.6e147), 2405.0, 10**12),
        (BetaBernoulli(1000, 2e212, 4.2e-63), 1e100, 1000),
    ],
)
def test_so_many_samples_of_so_even_neurons_leave_none_silent(process, D, awake):
    assert process.working(D) == awake
    assert [getattr(process, name)(D) for name in ("silent", "missing_mass", "working_std", "growth_rate")] == [0.0] * 4


def test_steps_whose_product_is_no_float():
    """L(x; s, t) is s t/x where both steps are small beside x, and s [ψ(x+t) - ψ(x)] where only s is."""
    assert float(mixed_log_gamma(6e125, 3.75e-210, 6e88)) == pytest.approx(3.75e-210 * (6e88 / 6e125), rel=1e-13, abs=0)
    far = 7e-277 * mpmath.digamma(mpmath.mpf(4e96)) - 7e-277 * mpmath.digamma(20)
    assert float(mixed_log_gamma(20.0, 7e-277, 4e96)) == pytest.approx(float(far), rel=1e-13, abs=0)
    assert float(mixed_log_gamma(7e279, 6.2e273, 2.7e274)) == pytest.approx(6.2e273 / 7e279 * 2.7e274, rel=1e-5, abs=0)


def test_steps_whose_many_factors_are_no_float():
    with mpmath.workdps(600):
        x, s, t = (mpmath.mpf(number) for number in (2.0, 1.8e155, 3e121))
        exact = mpmath.loggamma(x) + mpmath.loggamma(x + s + t) - mpmath.loggamma(x + s) - mpmath.loggamma(x + t)
    assert float(mixed_log_gamma(2.0, 1.8e155, 3e121)) == pytest.approx(float(exact), rel=1e-13, abs=0)
    law = BetaBernoulli(10**15, 1e-149, 1e-149).count(9 * 10**18)
    assert np.isfinite(law.logpmf([9 * 10**18 - 1, 9 * 10**18])).all()


@pytest.mark.parametrize(("N", "b"), [(10, 1e-68), (1000, 1e-20), (2, 1e-12), (50, 1e-9)])
@pytest.mark.parametrize("D", [10**3, 10**17, 1e19, 1e27, 1e60])
def test_spread_where_one_neuron_takes_nearly_all_events(N, b, D):
    """The first event wakes a neuron for sure; to order b N, events that wake others are independent and rare."""
    with mpmath.workdps(250):
        total, n = mpmath.mpf(b) * N, mpmath.mpf(D)
        alone, both = (
            mpmath.exp(
                mpmath.loggamma(total - m * b + n)
                - mpmath.loggamma(total - m * b)
                - mpmath.loggamma(total + n)
                + mpmath.loggamma(total)
            )
            if m < N
            else mpmath.mpf(0)
            for m in (1, 2)
        )
        exact = mpmath.sqrt(N * alone * (1 - alone) + N * (N - 1) * (both - alone**2))
    assert PolyaUrn(N, b).working_std(D) == pytest.approx(float(exact), rel=1e-8, abs=0)


# -- the bound of the paper's formula ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("process", "D"),
    [
        (BetaBernoulli(10, 0.0195, 4.1e-24), 1e5),
        (BetaBernoulli(1000, 6.6e140, 2.5e-146), 3.0),
        (BetaBernoulli(10, 1e30, 2.0), 20.0),
        (PolyaUrn(10**14, 0.1), 1e-300),
        (PolyaUrn(3, 1e-140), 1e-30),
    ],
)
def test_the_bound_is_one_where_hardly_anything_has_happened(process, D):
    with mpmath.workdps(700):
        b, pace = mpmath.mpf(process.b), 1 if isinstance(process, BetaBernoulli) else mpmath.mpf(process.c)
        part = process.neurons / mpmath.mpf(process.c if isinstance(process, BetaBernoulli) else 1)
        white, draws = b * (part - 1), pace * mpmath.mpf(D)
        hazard = mpmath.loggamma(white) - mpmath.loggamma(white + b)
        hazard += mpmath.loggamma(white + b + draws) - mpmath.loggamma(white + draws)
        plain = b * mpmath.log1p(draws / (white + b))
        error = float(1 - mpmath.expm1(-plain) / mpmath.expm1(-hazard))
    bound = process.limit_error_bound(D)
    assert 0 < error <= bound * (1 + 1e-12)
    assert bound < 2 * error


# -- cut-off beside a white ball -----------------------------------------------------------------------------


def test_cutoff_where_little_more_than_one_white_ball_is_left():
    """Only the white weight in excess of one ball cuts the power law off."""
    begun = BetaBernoulli(10, 1e-20, 5.0).after(1, [0] * 5 + [1] * 5)
    assert begun.cutoff(101) == pytest.approx(100 / 1e-20, rel=1e-12, abs=0)
    process = BetaBernoulli(1000, 0.01, 9.900990099009)
    excess = Fraction(0.01) * (1000 / Fraction(9.900990099009) - 1) - 1
    assert 0 < excess < 1e-11
    assert process.cutoff(1000) == pytest.approx(float(1000 / excess), rel=1e-10, abs=0)


# -- whole numbers that floats merge -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [BetaBernoulli, GammaPoisson, PolyaUrn], ids=lambda kind: kind.__name__)
def test_few_samples_after_very_many(kind):
    """Floats near 1e17 are multiples of 16, yet single samples after the start count."""
    begin, N = 10**17, 10
    counts = np.array([begin - 8, *[1] * 8, 0]) if kind is PolyaUrn else np.array([begin // 2, *[1] * 8, 0])
    process = kind(N, 3.0, 1.0).after(begin, counts)
    chance = 3.0 / (begin + 30)  # that the silent neuron fires in one sample; it hardly changes
    for passed in (1, 5, 9):
        D = begin + passed
        for new in (
            process.working_std(D) ** 2,
            process.working_law(D).pmf(10),
            process.limit().working_law(D).pmf(10),
            process.count(D).pmf(1),
        ):
            assert new == pytest.approx(passed * chance, rel=1e-8, abs=0)


# -- the law of K of the urn ---------------------------------------------------------------------------------


def birth_chain(N, b, events):
    """Return the law of K in fractions."""
    law = [Fraction(1)]
    for t in range(events):
        wakes = [Fraction(b) * (N - j) / (t + Fraction(b) * N) for j in range(len(law))]
        stay = [p * (1 - wake) for p, wake in zip(law, wakes, strict=True)]
        law = [a + c for a, c in zip([*stay, 0], [0, *(p * w for p, w in zip(law, wakes, strict=True))], strict=True)]
    return law


@pytest.mark.parametrize(("N", "b", "events"), [(120, 1.0, 100), (100, 1e-3, 60), (60, 1e4, 70)])
def test_both_tails_of_the_law_of_the_urn(N, b, events):
    exact = birth_chain(N, b, events)[: N + 1]
    law = PolyaUrn(N, b).working_law(events)
    for k in range(1, min(N, events)):
        below, above = float(sum(exact[: k + 1])), float(sum(exact[k + 1 :]))
        assert law.cdf(k) == pytest.approx(below, rel=1e-12, abs=1e-280)
        assert law.sf(k) == pytest.approx(above, rel=1e-12, abs=1e-280)
        if above > 1e-280:
            assert law.logcdf(k) == pytest.approx(np.log1p(-above) if above < 0.5 else np.log(below), rel=1e-12, abs=0)
            assert law.logsf(k) == pytest.approx(np.log1p(-below) if below < 0.5 else np.log(above), rel=1e-12, abs=0)
        if 1e-280 < above < 0.5:
            assert law.isf(above * (1 + 1e-9)) == k
        if 1e-280 < below < 0.5:
            assert law.ppf(below * (1 - 1e-9)) == k


def test_moments_of_the_law_of_the_urn_are_no_differences_of_powers():
    """The fourth cumulant of K of 20,000 neurons is some 1e-14 of the fourth power of its mean, 15,000."""
    law = PolyaUrn(20_000, 1.0).working_law(60_000)
    x, p = law.dist.xk.tolist(), [Fraction(float(weight)) for weight in law.dist.pk]
    total = sum(p)
    mean = sum(a * b for a, b in zip(x, p, strict=True)) / total
    second, third, fourth = (sum((a - mean) ** n * b for a, b in zip(x, p, strict=True)) / total for n in (2, 3, 4))
    right = float(mean), float(second), float(third) / float(second) ** 1.5, float(fourth / second**2 - 3)
    assert law.stats("mvsk") == pytest.approx(right, rel=1e-9, abs=0)


@pytest.mark.parametrize(("N", "b", "events"), [(30, 1e-9, 20), (10, 1e3, 200), (6, 1e-3, 0)])
def test_entropy_and_logarithms_of_a_law_of_nearly_one_value(N, b, events):
    exact = [p for p in birth_chain(N, b, events) if p]
    law = PolyaUrn(N, b).working_law(events)
    with mpmath.workdps(50):
        logs = [mpmath.log(mpmath.mpf(p.numerator) / p.denominator) for p in exact]
        entropy = -sum(log * mpmath.exp(log) for log in logs)
    assert law.entropy() == pytest.approx(float(entropy), rel=1e-10, abs=0)
    assert max(law.logpmf(range(N + 1))) == pytest.approx(float(max(logs)), rel=1e-10, abs=0)


def test_the_law_of_the_urn_after_very_many_events():
    """Every step of the birth chain rounds: after 1.6e8 steps its weights are off by 2e-9."""
    b, n = 2.0983242390961827, 159_814_820
    weight = PolyaUrn(10, b).working_law(n).pmf(2)
    with mpmath.workdps(200):

        def only(j):
            mass, whole = mpmath.mpf(b) * j, mpmath.mpf(b) * 10
            return mpmath.exp(
                sum(mpmath.loggamma(x) for x in (mass + n, whole)) - mpmath.loggamma(mass) - mpmath.loggamma(whole + n)
            )

        exact = mpmath.binomial(10, 2) * (only(2) - 2 * only(1))
    assert weight == pytest.approx(float(exact), rel=1e-9, abs=0)


def test_weights_of_the_urn_down_to_the_least():
    """The chain drops weights far below 1e-290; the flow through them hardly changes the weights that are returned."""
    b, asleep, events = 1e-11, 60, 700
    law = woken_law(asleep, b, 5.0, events)
    leap = _differences(asleep, b, 5.0, events)
    kept = leap >= 1e-290
    assert law[kept] == pytest.approx(leap[kept], rel=1e-9, abs=0)
    assert not law[~kept[: law.size]].any()


def test_one_leap_has_the_digits_of_so_large_weights():
    """ln Γ(1e295) has 298 digits before its point; here events wake new neurons independently and rarely."""
    events, asleep = 1_500_000, 12
    law = _differences(asleep, 1e280, 1e295, events)
    with mpmath.workdps(60):
        woken = -mpmath.expm1(events * mpmath.log1p(-mpmath.mpf(1e280) / (mpmath.mpf(1e295) + 12 * mpmath.mpf(1e280))))
        exact = [float(mpmath.binomial(asleep, j) * woken**j * (1 - woken) ** (asleep - j)) for j in range(asleep + 1)]
    assert law == pytest.approx(exact, rel=1e-4, abs=0)


# -- moments and entropies of all laws -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", [BetaBernoulli, GammaPoisson], ids=lambda kind: kind.__name__)
def test_powers_of_many_neurons_that_work_already(kind):
    """The fourth power of 1e5, the number of neurons, exceeds 64 bits."""
    law = kind(10**5, 1.0, 1.0).after(10**4, np.arange(10**5) % 2).working_law(10**4 + 100)
    k = np.arange(50_000, 50_400)
    assert law.moment(4) == pytest.approx(k.astype(float) ** 4 @ law.pmf(k), rel=1e-10, abs=0)
    begun = kind(2, 1.0, 1.0).after(5 * 10**9, [4 * 10**9, 0])
    assert begun.count(5 * 10**9 + 1, initial=4 * 10**9).moment(2) == pytest.approx(1.6e19, rel=1e-8, abs=0)


@pytest.mark.parametrize(
    "law",
    [
        BetaBernoulli(10, 1.0, 1.0).count(0),
        GammaPoisson(10, 1.0, 1.0).count(0),
        PolyaUrn(10, 1.0).count(0),
        BetaBernoulli(10, 1.0, 1.0).working_law(0),
        PolyaUrn(10, 1.0).working_law(0),
    ],
)
def test_moments_of_a_law_without_spread(law):
    assert [law.moment(n) for n in (1, 2, 3, 4, 5)] == [0.0] * 5


def test_moments_of_neurons_that_all_work():
    law = BetaBernoulli(3, 1.0, 1.0).after(5, [1, 2, 1]).working_law(9)
    assert [law.moment(n) for n in (1, 2, 3, 4, 5)] == [3.0, 9.0, 27.0, 81.0, 243.0]


@pytest.mark.parametrize(
    "law",
    [
        GammaPoisson(10**15, 16.0, 0.02).count(2),
        BetaBernoulli(10, 1.16, 1e-20).count(64),
        BetaBernoulli(10, 1.16, 1e-20).working_law(64),
    ],
)
def test_entropy_of_what_hardly_ever_happens(law):
    """A probability of 1 - 1e-16 has a known logarithm, but is 1 as a float."""
    seldom = float(law.sf(0))
    later = law.pmf(np.arange(1, 65))
    assert law.entropy() == pytest.approx(seldom - later[later > 0] @ np.log(later[later > 0]), rel=1e-6, abs=0)


def test_logarithms_of_probabilities_at_the_smallest_floats():
    law = BetaBernoulli(23, 0.07226163364189181, 22.999999999999996).working_law(30)
    k = np.arange(24)
    logs = law.logpmf(k)
    for last in (2, 3, 4, 5):
        assert law.logcdf(last) == pytest.approx(np.logaddexp.reduce(logs[: last + 1]), rel=1e-12, abs=0)


def test_moments_of_hardly_any_spread_are_asked_for_without_a_warning():
    """Their kurtosis exceeds the largest float."""
    law = GammaPoisson(2, 31.0, 1.0).working_law(62 * 10**10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert law.mean() == 2
        assert 0 < law.var() < 1e-308
        assert np.isinf(law.stats("k"))


@pytest.mark.parametrize("kind", [BetaBernoulli, GammaPoisson, PolyaUrn], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("name", ["pmf", "logpmf", "cdf", "sf", "logcdf", "logsf"])
def test_counts_of_every_type_of_numbers(kind, name):
    for law in (kind(100, 0.3, 1.0).count(300), kind(100, 0.3, 1.0).working_law(300)):
        right = [getattr(law, name)(k) for k in (0, 1, 100)]
        for dtype in (np.int8, np.uint8, np.uint64, np.float16, np.float32, np.longdouble):
            assert getattr(law, name)(np.array([0, 1, 100], dtype)).tolist() == right


# -- the steepest point ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "process",
    [
        BetaBernoulli(109264486, 5.5e-102, 3.2e-85),
        BetaBernoulli(19566926, 9.9e-85, 3.6e-83),
        BetaBernoulli(3, 1.2e-149, 3 * (1 - 2.0**-53)),
        BetaBernoulli(3, 1e150, 1e-40),
        PolyaUrn(27469, 4.1e-7, 2.1e142),
    ],
)
def test_growth_is_steepest_where_its_slope_changes_sign(process):
    """Second differences of ψ underflow where white balls are very many, or very few."""
    steepest = process.inflection()
    with mpmath.workdps(1000):
        b, pace = mpmath.mpf(process.b), mpmath.mpf(process.c) if isinstance(process, PolyaUrn) else 1
        begin = b * (process.neurons / mpmath.mpf(process.c if pace == 1 else 1) - 1)

        def rise(D):
            white = begin + pace * D
            rate = pace * (mpmath.psi(0, white + b) - mpmath.psi(0, white))
            return 1 + D * pace**2 * (mpmath.psi(1, white + b) - mpmath.psi(1, white)) / rate - D * rate

        assert rise(steepest * (1 - mpmath.mpf("1e-10"))) > 0 > rise(steepest * (1 + mpmath.mpf("1e-10")))
