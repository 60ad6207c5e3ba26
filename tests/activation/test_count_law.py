"""The count law: a proper law at any size, its power-law tail and its cut-off, and the losses summed over it."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from strategies import examples

from statnn.activation import BetaBernoulli, GammaPoisson, PolyaUrn
from statnn.activation._laws.negative_binomial import negative_binomial
from statnn.activation._laws.sum import smooth_sum
from statnn.testing.strategies import constants, decades, log_uniform, neurons, parameters, whole_samples
from statnn.theory.activation import oracle

PROCESSES = (BetaBernoulli, PolyaUrn, GammaPoisson)
each_process = pytest.mark.parametrize("kind", PROCESSES, ids=lambda kind: kind.__name__)
each_two_colour = pytest.mark.parametrize("kind", PROCESSES[:2], ids=lambda kind: kind.__name__)


def make(kind, N, b, c):
    """Return the process; the urn takes one event a sample."""
    return kind(N, b) if kind is PolyaUrn else kind(N, b, c)


def oracle_pmf(kind, k, D, N, b, c):
    if kind is PolyaUrn:
        return oracle.pmf_urn(k, D, N, b, digits=30)
    law = oracle.pmf_beta_bernoulli if kind is BetaBernoulli else oracle.gamma_poisson_pmf
    return law(k, D, N, b, c, digits=30)


def two_colour(kind, b, white):
    """Return the process whose neuron starts with b black and about `white` white balls."""
    if kind is PolyaUrn:
        return PolyaUrn(2 + round(white / b), b)
    return BetaBernoulli(1000, b, 1000 * b / (white + b))


# -- weights ---------------------------------------------------------------------------------------------


@each_process
@given(parameters=parameters(), D=whole_samples(), small=st.integers(0, 30), large=decades(1, 10**18))
def test_weights_keep_their_digits(kind, parameters, D, small, large):
    """At D = 1e18 as at D = 1, where scipy's own weights are wrong in the third digit at 1e12."""
    N, b, c = parameters
    law = make(kind, N, b, c).count(D)
    assume(max(small, large) <= D)
    for k in {small, large, D - small}:
        exact = oracle_pmf(kind, k, D, N, b, c)
        log_weight = float(mpmath.log(exact))
        assert law.logpmf(k) == pytest.approx(log_weight, rel=1e-12, abs=1e-12)
        if log_weight > -700:
            assert law.pmf(k) == pytest.approx(float(exact), rel=1e-12 * max(1.0, -log_weight), abs=0)


def test_other_weights_would_be_seen():
    """scipy's beta-binomial and its negative binomial in p do not pass the test above."""
    D, N, b, c = 10**12, 1000, 0.3, 5.0
    exact = oracle.pmf_beta_bernoulli(10**6, D, N, b, c)
    assert abs(float(stats.betabinom(D, b, b * N / c - b).pmf(10**6) / exact - 1)) > 1e-6
    N, b, c, D = 10**12, 10.0, 1e-3, 100
    rare = stats.nbinom(b, b * N / (c * D + b * N)).pmf(1)
    assert abs(float(rare / oracle.gamma_poisson_pmf(1, D, N, b, c) - 1)) > 1e-6


SCALES = [(1000, 5.0, 10**4), (10**6, 0.7, 10**18), (1000, 999.0, 10**9), (3, 1.0, 10**18)]


@each_process
@pytest.mark.parametrize("b", [1e4, 1e7, 1e10, 1e15])
@pytest.mark.parametrize(("N", "c", "D"), SCALES)
def test_large_constants_keep_their_digits(kind, b, N, c, D):
    """Each ln Γ is as large as b ln b, and its absolute error as a float exceeds the logarithm of the weight."""
    law = make(kind, N, b, c).count(D)
    for z in (-4, 0, 3):
        k = int(law.mean() + z * law.std())
        if 0 < k < D:
            exact = oracle_pmf(kind, k, D, N, b, c)
            assert law.pmf(k) == pytest.approx(float(exact), rel=1e-12)
            assert law.logpmf(k) == pytest.approx(float(mpmath.log(exact)), rel=1e-13)


@each_process
def test_large_constants_keep_their_digits_after_a_start(kind):
    """A history of 2^60 draws adds 1e18 balls to the urn, and none of them is lost to rounding."""
    N, b, k = 2, 3e9, 1000
    seen = np.array([2**59 + 12345, 2**59 - 12345])
    process = make(kind, N, b, 1.0).after(2**60, seen)
    law = process.count(2**60 + 2 * k, initial=int(seen[0]))
    black, white, m = (mpmath.mpf(v) for v in (int(b) + int(seen[0]), int(b) + int(seen[1]), 2 * k))
    with mpmath.workdps(60):
        G = mpmath.loggamma
        if kind is GammaPoisson:
            q = m / (black + white + m)
            exact = G(black + k) - G(black) - G(k + 1) + k * mpmath.log(q) + black * mpmath.log1p(-q)
        else:
            balls = black + white
            exact = G(black + k) - G(black) + G(white + m - k) - G(white) - G(balls + m) + G(balls)
            exact += G(m + 1) - G(k + 1) - G(m - k + 1)
        assert law.pmf(int(seen[0]) + k) == pytest.approx(float(mpmath.exp(exact)), rel=1e-12)


@pytest.mark.parametrize("b", [1e10, 1e83])
@pytest.mark.parametrize("k", [33333333333333335, 33333333400000001])
def test_counts_beyond_floats_have_weights_of_their_own(b, k):
    """Floats merge neighbouring counts beyond 2^53; a narrow law gives each count its own weight."""
    law = GammaPoisson(3, b, 1.0).count(10**17)
    assert law.pmf(k) == pytest.approx(
        float(oracle.gamma_poisson_pmf(k, 10**17, 3, b, 1.0, digits=120)), rel=1e-12, abs=0
    )
    assert law.cdf(k) + law.sf(k) == pytest.approx(1, rel=1e-12)
    assert law.pmf(k) / law.pmf(k - 1) == pytest.approx(1, rel=1e-6)
    assert law.cdf(k) - law.cdf(k - 10**6) == pytest.approx(law.pmf(k - 5 * 10**5) * 10**6, rel=1e-4)
    middle = int(law.ppf(0.5))
    assert middle == pytest.approx(10**17 / 3, abs=law.std() / 1000)
    assert law.ppf(1e-12) < middle < law.isf(1e-12)
    assert law.pmf(2**63 - 1) == 0 == law.pmf(2**70)


def test_neighbours_beyond_the_integers_of_float64_are_apart():
    """Of all but a Poisson law of mean 1e16: distribution functions of integers differ by their probability."""
    law, k = GammaPoisson(10, 1e20, 1.0).count(10**17), 10**16 + np.arange(4)
    assert law.cdf(k) - law.cdf(k - 1) == pytest.approx(law.pmf(k), abs=1e-14)
    assert law.sf(k - 1) - law.sf(k) == pytest.approx(law.pmf(k), abs=1e-14)
    assert law.pmf(k) == pytest.approx((2 * np.pi * 1e16) ** -0.5, rel=1e-3)


def test_quantiles_below_which_probabilities_have_no_digits():
    """Sums near 1e-311 are subnormal and cannot converge to eleven digits; a narrow peak has such sums in its tails."""
    law = PolyaUrn(2, 1.4676285407601704e57).count(10**17)
    assert law.ppf(1e-12) == pytest.approx(law.mean() - 7.0345 * law.std(), abs=0.001 * law.std())


@pytest.mark.parametrize("b", [1e15, 1e200, 1e280])
def test_the_largest_constants_give_binomial_and_poisson_counts(b):
    """At b = ∞ all neurons share one firing probability, and scipy knows both laws; the gap is of the order of D²/b."""
    D, k = 400, np.arange(401)
    law, other = BetaBernoulli(10, b, 3.0).count(D), stats.binom(D, 0.3)
    assert law.pmf(k) == pytest.approx(other.pmf(k), rel=1e-9, abs=0)
    assert law.cdf(k) == pytest.approx(other.cdf(k), rel=1e-9, abs=0)
    assert law.sf(k) == pytest.approx(other.sf(k), rel=1e-9, abs=0)
    assert law.stats("mvsk") == pytest.approx(other.stats("mvsk"), rel=1e-9)
    law, other = GammaPoisson(10, b, 3.0).count(D), stats.poisson(120)
    assert law.pmf(k) == pytest.approx(other.pmf(k), rel=1e-9, abs=0)
    assert law.cdf(k) == pytest.approx(other.cdf(k), rel=1e-9, abs=0)
    assert law.sf(k) == pytest.approx(other.sf(k), rel=1e-9, abs=0)


@each_process
@given(D=st.integers(0, 2000), parameters=parameters(10**4))
@examples(0.5)
def test_a_proper_law_with_the_right_mean(kind, D, parameters):
    N, b, c = parameters
    process = make(kind, N, b, c)
    law, mean = process.count(D), process.c * D / N
    assert law.mean() == pytest.approx(mean, rel=1e-11)
    assert law.pmf(0) == pytest.approx(process.silent(D), rel=1e-12)
    assert law.pmf(math.inf) == 0
    if kind is not GammaPoisson:
        k = np.arange(D + 1)
        weights = law.pmf(k)
        assert weights.sum() == pytest.approx(1, rel=1e-12)
        assert weights @ k == pytest.approx(mean, rel=1e-11)
        assert law.pmf([-1, D + 1]).tolist() == [0, 0]


@each_two_colour
@given(D=st.integers(0, 2000), b=log_uniform(0.1, 10), white=log_uniform(0.1, 100))
@examples(0.5)
def test_equals_scipy_where_scipy_is_right(kind, D, b, white):
    process = two_colour(kind, b, white)
    law, other, k = process.count(D), stats.betabinom(D, b, process._white), np.arange(D + 1)
    if D:
        assert law.stats("mvsk") == pytest.approx(other.stats("mvsk"), rel=1e-9, abs=1e-9)
    assert law.pmf(k) == pytest.approx(other.pmf(k), rel=1e-9, abs=1e-300)
    assert law.cdf(k[:: max(1, D // 20)]) == pytest.approx(np.cumsum(other.pmf(k))[:: max(1, D // 20)], rel=1e-9)


# -- distribution function -------------------------------------------------------------------------------


@each_process
@given(parameters=parameters(), D=whole_samples(), k=decades(1, 10**18))
@examples(0.3)
def test_both_tails_make_one(kind, parameters, D, k):
    law = make(kind, *parameters).count(D)
    k = min(k, max(D - 1, 0))
    assert law.cdf(k) + law.sf(k) == pytest.approx(1, abs=1e-9)
    assert 0 <= law.cdf(k) <= 1


@pytest.mark.parametrize(("n", "m", "share"), [(5, 1.69e8, 1.04), (3, 3.84e8, 1.38), (2, 7.88e8, 1.36), (8, 3e7, 0.8)])
def test_distribution_functions_of_large_means(n, m, share):
    """For a whole shape n the tail is a finite sum: P(count > k) = q^(k+1) Σ_{j<n} (k+1)_j/j! (1-q)^j."""
    k = math.floor(share * n * m)
    with mpmath.workdps(60):
        fail = 1 / (1 + mpmath.mpf(m))
        above = (1 - fail) ** (k + 1) * sum(mpmath.rf(k + 1, j) / mpmath.factorial(j) * fail**j for j in range(n))
        assert float(negative_binomial(n, m, 0, 0).sf(k) / above - 1) == pytest.approx(0, abs=2e-10)
        assert float(negative_binomial(n, m, 0, 0).cdf(k) / (1 - above) - 1) == pytest.approx(0, abs=2e-10)


@each_process
@pytest.mark.parametrize("b", [1e4, 1e7, 1e10])
@pytest.mark.parametrize(("N", "c", "D"), SCALES)
def test_narrow_peaks_are_not_stepped_over(kind, b, N, c, D):
    """The peak has a relative width b^(-1/2) and lies far from both ends: sums over octaves from the ends miss it."""
    law = make(kind, N, b, c).count(D)
    mean, std = law.mean(), law.std()
    at = [int(mean + z * std) for z in (-5, 0, 2)]
    below, above = law.cdf(at), law.sf(at)
    assert below + above == pytest.approx([1, 1, 1], abs=1e-12)
    if mean > 100 and D - mean > 100:
        off = 0.1 * abs(float(law.stats("s"))) + 1 / std**2
        assert below == pytest.approx(stats.norm.cdf((np.array(at) + 0.5 - mean) / std), abs=off)
    k = at[2]
    if kind is PolyaUrn and D < 10**6:
        assert law.ppf(law.cdf(k)) == law.isf(law.sf(k)) == k
        assert law.cdf(k) - law.cdf(k - 1) == pytest.approx(law.pmf(k), rel=1e-9)


@pytest.mark.parametrize("kind", [BetaBernoulli, GammaPoisson])
def test_quantiles_of_astronomic_counts(kind):
    """Counts beyond 2^53, and quantiles so far into the upper tail that 1 - q rounds to 1."""
    law = kind(5, 1e5, 2.5).count(10**18)
    assert law.sf(int(law.isf(0.3))) == pytest.approx(0.3, rel=1e-9)
    few = kind(10**12, 0.3, 0.01).count(100)
    k = few.isf(1e-40)
    assert k > 1
    assert few.sf(k) <= 1e-40 < few.sf(k - 1)


@each_two_colour
@pytest.mark.parametrize("D", [10, 10**4, 10**9, 10**15, 10**18])
def test_tail_in_closed_form_for_one_black_ball(kind, D):
    """b = 1: P(D_i >= k) = n! Γ(n-k+x+1) / [(n-k)! Γ(n+x+1)] (a sum over the hockey stick)."""
    process = two_colour(kind, 1.0, 124.0)
    law = process.count(D)
    for k in sorted({1, 7, D // 10**6, D // 100, D // 3, D - 1} - {0}):
        with mpmath.workdps(60):
            G, x = mpmath.loggamma, mpmath.mpf(process._white)
            exact = mpmath.exp(G(D + 1) + G(D - k + x + 1) - G(D - k + 1) - G(D + x + 1))
        assert law.sf(k - 1) == pytest.approx(float(exact), rel=1e-9, abs=1e-250)
        assert law.cdf(k - 1) == pytest.approx(float(1 - exact), rel=1e-9)


@pytest.mark.parametrize("D", [10, 10**4, 10**9, 10**15, 10**18])
def test_tail_in_closed_form_for_one_white_ball(D):
    """x = 1: P(D_i <= k) = n! Γ(k+b+1) / [k! Γ(n+b+1)], a pure power law up to k = n."""
    process = BetaBernoulli(10, 0.25, 2.0)
    assert process._white == 1
    for k in sorted({0, 7, D // 10**6, D // 100, D // 3, D - 1}):
        with mpmath.workdps(60):
            G, b = mpmath.loggamma, mpmath.mpf(1) / 4
            exact = mpmath.exp(G(D + 1) + G(k + b + 1) - G(k + 1) - G(D + b + 1))
        assert process.count(D).cdf(k) == pytest.approx(float(exact), rel=1e-9)


@each_process
@given(D=decades(1, 10**6), N=neurons(10**5), b=constants(), share=log_uniform(1e-3, 0.9), q=st.floats(1e-6, 0.999))
@examples(0.15)
def test_quantiles_invert_the_distribution_function(kind, D, N, b, share, q):
    law = make(kind, N, b, share * N).count(D)
    k = law.ppf(q)
    assert k == int(k)
    assert law.cdf(k) >= q * (1 - 1e-9)
    assert law.cdf(k - 1) <= q * (1 + 1e-9)


@pytest.mark.parametrize(("m", "n"), [(1e-14, 10.0), (0.3, 1e-3), (1.0, 2.0), (5.0, 0.3), (1e15, 0.3)])
def test_gamma_poisson_law_is_a_scipy_law_in_full(m, n):
    """Every method of the frozen law, against scipy's own in p wherever p holds the parameter."""
    process = GammaPoisson(1000, n, m * n * 1000)
    law, other, k = process.count(1), stats.nbinom(n, 1 / (1 + m)), np.array([0, 1, 5, 1000])
    assert law.mean() == pytest.approx(n * m, rel=1e-13, abs=0)
    assert law.var() == pytest.approx(n * m * (1 + m), rel=1e-13, abs=0)
    assert law.cdf(k) == pytest.approx(other.cdf(k), rel=1e-11)
    assert law.sf(0) == pytest.approx(-math.expm1(-n * math.log1p(m)), rel=1e-12, abs=0)
    if m > 1e-3:
        assert law.sf(k) == pytest.approx(other.sf(k), rel=1e-11)
        assert law.stats("sk") == pytest.approx(other.stats("sk"), rel=1e-10)
        assert law.ppf([0.1, 0.9]) == pytest.approx(other.ppf([0.1, 0.9]), rel=1e-12)
        assert law.isf([0.1, 1e-9]) == pytest.approx(other.isf([0.1, 1e-9]), rel=1e-12)
    else:
        assert law.sf(0) == pytest.approx(-np.expm1(-n * np.log1p(m)), rel=1e-12)


@pytest.mark.parametrize("D", [10**4, 10**15])
def test_means_and_entropy_of_geometric_and_of_even_counts(D):
    """Closed forms, at spreads far wider than the thousand terms around the median that scipy sums."""
    m = D / 2
    geometric, even = GammaPoisson(2, 1.0, 1.0).count(D), BetaBernoulli(2, 1.0, 1.0).count(D)
    assert geometric.expect() == pytest.approx(m, rel=1e-11)
    fifth = m + 30 * m**2 + 150 * m**3 + 240 * m**4 + 120 * m**5
    assert geometric.moment(5) == pytest.approx(fifth, rel=1e-11)
    assert geometric.entropy() == pytest.approx(np.log1p(m) + m * np.log1p(1 / m), rel=1e-11)
    assert geometric.expect(lb=10, conditional=True) == pytest.approx(10 + m, rel=1e-11)
    assert even.entropy() == pytest.approx(np.log1p(D), rel=1e-11)
    assert even.expect(lambda k: k * 1.0 * (D - k)) == pytest.approx(D * (D - 1) / 6, rel=1e-11)
    assert even.expect(lb=3, ub=7.5, conditional=True) == pytest.approx(5.0, rel=1e-11)


def test_means_of_counts_after_a_start():
    law = GammaPoisson(2, 1.0, 1.0).after(2, [3, 1]).count(10**6, initial=3)
    assert law.expect() == pytest.approx(law.mean(), rel=1e-11)
    assert law.expect(lambda k: (k - law.mean()) ** 2) == pytest.approx(law.var(), rel=1e-10)
    assert law.expect(lb=3) == pytest.approx(law.mean(), rel=1e-11)
    law, some = GammaPoisson(2, 1.0, 1.0).after(2, [3, 1]).count(20, initial=3), np.arange(5, 9)
    assert law.expect(lb=5, ub=8) == pytest.approx(some @ law.pmf(some), rel=1e-11)


@pytest.mark.parametrize("bounds", [(7, 3), (-9, -2), (np.inf, None), (None, -np.inf)])
def test_means_over_no_counts_are_refused(bounds):
    law = BetaBernoulli(2, 1.0, 1.0).count(100)
    assert law.expect(lb=bounds[0], ub=bounds[1]) == 0
    with pytest.raises(ValueError, match=r"no count between .* wider bounds"):
        law.expect(lb=bounds[0], ub=bounds[1], conditional=True)


# -- power law and cut-off -------------------------------------------------------------------------------


@each_process
@pytest.mark.parametrize("b", [0.05, 0.3, 0.8])
@pytest.mark.parametrize("D", [10**14, 10**18])
def test_tail_exponent(kind, b, D):
    """The slope of ln P against ln k is -(1-b), up to b(1-b)/(2k) on the small side and k/k_c on the large."""
    process = make(kind, 1000, b, 5.0)
    k = np.array([100, 1000, 10_000])
    assert process.cutoff(D) > 1e10
    law = process.count(D)
    slope = (law.logpmf(2 * k) - law.logpmf(k)) / np.log(2)
    off = slope + process.tail_exponent()
    assert abs(off) == pytest.approx(b * (1 - b) / (4 * np.log(2) * k), rel=0.02)
    assert np.diff(np.log(abs(off))) / np.diff(np.log(k)) == pytest.approx(-1, abs=0.01)


@each_process
@given(b=constants(), N=neurons(10**6), D=decades(10**3, 10**18), k=st.integers(1, 100))
def test_cutoff_is_the_fall_of_successive_weights(kind, b, N, D, k):
    """P(k+1)/P(k) = (k+b)/(k+1) exp(-1/k_c); for the urns the exponent holds to a relative k/D."""
    process = make(kind, N, b, N / 3)
    law, cutoff = process.count(D), process.cutoff(D)
    fall = law.logpmf(k + 1) - law.logpmf(k) - np.log((k + b) / (k + 1))
    expected = 0.0 if np.isinf(cutoff) else -1 / cutoff
    noise = 1e-12 * (1 + abs(law.logpmf(k)))
    if kind is not GammaPoisson and np.isinf(cutoff):
        expected, noise = -np.log1p((process._white - 1) / (D - k)), noise + 1e-12
    assert fall == pytest.approx(expected, rel=2 * (k + 1) / D, abs=noise)


def test_cutoff_grows_like_the_number_of_activations():
    process = GammaPoisson(1000, 0.3, 5.0)
    D = np.array([1e8, 1e12])
    assert process.cutoff(D) - 5.0 * D / 300 == pytest.approx(0.5, abs=1e-3)
    assert process.cutoff(0) == 0
    assert BetaBernoulli(10, 0.25, 2.0).cutoff([0, 7]).tolist() == [0, np.inf]


# -- after a start ---------------------------------------------------------------------------------------


@each_process
def test_cutoff_after_a_start_is_the_fall_of_the_weights_since(kind):
    """The silence of the first 200 samples counts too, so the weights fall off sooner than without a start."""
    process = make(kind, 30, 0.4, 10.0).after(200, [0] * 10 + [10] * 20)
    law = process.count(20_000, initial=0)
    fall = law.logpmf(4) - law.logpmf(3) - np.log(3.4 / 4)
    assert fall == pytest.approx(-1 / process.cutoff(20_000), rel=1e-3)
    assert process.cutoff(20_000) < make(kind, 30, 0.4, 10.0).cutoff(20_000)


@each_process
@pytest.mark.parametrize("D", [12, 40, 10**6])
def test_counts_after_a_start(kind, D):
    """A neuron with k_0 activations goes on like one with b + k_0: its mean grows by its share of the rate."""
    seen = np.array([12, 3, 0, 0, 9])
    process = kind(5, 0.7, 2.0).after(12, seen)
    for k0 in (0, 3, 12):
        law = process.count(D, initial=k0)
        share = (k0 + 0.7) / (2.0 * 12 + 0.7 * 5)
        assert law.mean() == pytest.approx(k0 + share * 2.0 * (D - 12), rel=1e-12)
        assert law.support()[0] == k0
        assert law.pmf(k0 - 1) == 0
        if D == 40 and kind is not GammaPoisson:
            assert law.pmf(np.arange(100)).sum() == pytest.approx(1, rel=1e-12)


# -- losses ----------------------------------------------------------------------------------------------

LOSSES = {
    "inverse": lambda k: 1 / (k + 1.0),
    "exponential": lambda k: np.exp(-k / 10),
    "silence": lambda k: k == 0,
    "threshold": lambda k: k < 3,
    "slow": lambda k: (k + 2.0) ** -0.1,
}


@each_two_colour
@pytest.mark.parametrize("loss", LOSSES)
@given(D=st.integers(0, 5000), N=neurons(10**4), b=constants(), share=log_uniform(1e-3, 0.99))
@examples(0.2)
def test_loss_is_the_sum_over_neurons(kind, loss, D, N, b, share):
    process = make(kind, N, b, share * N)
    k = np.arange(D + 1)
    rate = process.c * (k + b) / (process.c * D + b * N)
    direct = N / process.c * (process.count(D).pmf(k) * rate) @ LOSSES[loss](k)
    assert process.loss(D, LOSSES[loss]) == pytest.approx(direct, rel=1e-10, abs=0)


@each_process
@given(D=decades(1, 10**14), N=neurons(10**6), b=constants(), share=log_uniform(1e-6, 0.9))
@examples(0.3)
def test_losses_in_closed_form(kind, D, N, b, share):
    """l = 1 sums all rates to 1; l = 1/(k+b) cancels the rate and gives N/(cD+bN)."""
    process = make(kind, N, b, share * N)
    assert process.loss(D, np.ones_like) == pytest.approx(1, rel=1e-9)
    exact = N / (process.c * D + b * N)
    assert process.loss(D, lambda k: 1 / (k + b)) == pytest.approx(exact, rel=1e-9)


@each_process
def test_loss_after_a_start_and_at_several_times(kind):
    seen = np.array([12, 3, 0, 0, 9])
    process = kind(5, 0.7, 2.0).after(12, seen)
    assert process.loss(12, lambda k: k == 0) == pytest.approx(process.missing_mass(12), rel=1e-12)
    assert process.loss(12, lambda k: k == 9) == pytest.approx(9.7 / 27.5, rel=1e-12)
    several = process.loss([12, 100, 1000], lambda k: k == 0)
    assert several == pytest.approx(process.missing_mass([12, 100, 1000]), rel=1e-11)
    assert np.ndim(process.loss(100, lambda k: k == 0)) == 0


def test_a_rough_loss_warns_and_still_answers():
    process = BetaBernoulli(1000, 0.3, 5.0)
    with pytest.warns(RuntimeWarning, match="too rough at large k; pass a smoother one"):
        value = process.loss(10**7, lambda k: k % 7 == 0)
    assert value == pytest.approx(1 / 7, abs=0.1)


# -- sums ------------------------------------------------------------------------------------------------


@given(first=st.integers(0, 50), span=st.integers(-3, 30_000), power=st.floats(0.1, 3))
def test_sums_are_sums(first, span, power):
    def term(k):
        return (k + 1.0) ** -power

    direct = term(np.arange(first, first + span + 1)).sum()
    assert smooth_sum(term, first, first + span) == pytest.approx(direct, rel=1e-11)


@given(last=decades(10, 10**18), power=st.sampled_from([0.3, 1.0, 1.7]))
def test_long_sums_are_differences_of_zeta_functions(last, power):
    with mpmath.workdps(40):
        if power == 1.0:
            exact = mpmath.psi(0, last + 2) - mpmath.psi(0, 1)
        else:
            exact = mpmath.zeta(power, 1) - mpmath.zeta(power, last + 2)
    assert smooth_sum(lambda k: (k + 1.0) ** -power, 0, last) == pytest.approx(float(exact), rel=1e-10)


@pytest.mark.parametrize(
    ("process", "D", "k"),
    [
        (GammaPoisson(10, 0.5, 2.0), 5, 100),
        (GammaPoisson(10**9, 0.3, 1e-6), 10**12, 5),
        (BetaBernoulli(100, 0.5, 1e-15), 10**15, 20),
        (BetaBernoulli(3, 1e4, 1.0), 1000, 500),
    ],
    ids=str,
)
def test_logarithms_of_shares_near_one_keep_their_digits(process, D, k):
    """ln P(count <= k) = -P(count > k) to leading order, which log(1 - ...) rounds to 0 below 1e-16."""
    law = process.count(D)
    with mpmath.workdps(60):
        above = mpmath.mpf(float(law.sf(k)))  # tests above compare sf with mpmath
        expected = float(mpmath.log(1 - above))
    assert -1e-8 < expected < 0
    assert law.logcdf(k) == pytest.approx(expected, rel=1e-13, abs=0)
    assert law.logcdf([0, k, 0]).tolist() == [law.logcdf(0), law.logcdf(k), law.logcdf(0)]


def test_so_do_those_of_the_upper_tail():
    law = BetaBernoulli(1000, 10.0, 999.0).count(50)
    with mpmath.workdps(60):
        white = 10 * mpmath.mpf(1000) / 999 - 10
        below = sum(mpmath.binomial(50, k) * mpmath.beta(k + 10, 50 - k + white) for k in range(3))
        expected = float(mpmath.log(1 - below / mpmath.beta(10, white)))
    assert law.logsf(2) == pytest.approx(expected, rel=1e-13, abs=0)
    rare = BetaBernoulli(1000, 0.5, 5.0).working_law(100)
    assert rare.logsf(0) == pytest.approx(-rare.cdf(0), rel=1e-13, abs=0)
