"""Statistics whose numbers can be written down, and laws that hold between them."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import optimize, stats

from statnn.testing import Power, assert_comparison, assert_mean, assert_pvalue, assert_slope, rejects, statistics
from statnn.testing.statistics import z_score


@pytest.mark.parametrize("fitted", [0, 1])
def test_parameters_that_were_fitted_are_no_degrees_of_freedom(fitted):
    assert statistics.counts([30, 50, 20], [0.3, 0.5, 0.2], fitted=fitted).theory == 2 - fitted


def test_the_statistic_is_that_of_cressie_and_read_where_it_is_the_smaller():
    """1.8 Σ O ((O/E)^(2/3) - 1); Pearson's sum is 9.8 here, the likelihood ratio 10.8."""
    expected = 1.8 * (3 * (0.3 ** (2 / 3) - 1) + 17 * (1.7 ** (2 / 3) - 1))
    assert statistics.counts([3, 17], [0.5, 0.5]).estimate == pytest.approx(expected, rel=1e-12)


def test_the_farthest_cell_is_named_by_its_values():
    comparison = statistics.counts([50, 20, 20, 10], [0.5, 0.04, 0.03, 0.43])
    assert comparison.where == "above 0 and up to 2: 40 seen, 7 expected"


def test_a_law_that_sums_to_one_but_for_rounding_is_the_same_law():
    """With 1e12 observations an excess of 5e-10 in the sum would add 1000 to a likelihood ratio of 100."""
    seen = [5 * 10**11 + 5 * 10**6, 5 * 10**11 - 5 * 10**6]
    for excess in (0.0, 5e-10):
        comparison = statistics.counts(seen, np.full(2, 0.5 * (1 + excess)))
        assert comparison.estimate == pytest.approx(2 * (5e6) ** 2 / 5e11, rel=1e-3)


def test_a_sum_at_the_end_of_its_law_is_one_of_two_ends():
    assert statistics.total([1] * 10, [0.5, 0.5]).p == pytest.approx(2 / 2**10)


@pytest.mark.parametrize(
    ("values", "pmf", "p"),
    [
        ([1], [1e-32, 1e-60, 1.0], 2e-32),  # twice P(0 or 1)
        ([3], [2.4e-16, 0.0, 1e-20, 1e-33, 1 - 2.4e-16], 2 * (2.4e-16 + 1e-20)),
        ([5, 5, 5], [1e-20, *[1e-100] * 9, 1 - 1e-20], 6e-40),  # twice P(15 or less), which takes two zeros of three
    ],
)
def test_tails_of_sums_whose_laws_have_gaps(values, pmf, p):
    """A law that is tilted to have its mean in a gap has no mass there: a transform would leave rounding alone."""
    assert statistics.total(values, pmf).p == pytest.approx(p, rel=1e-12, abs=0)


def test_a_sum_is_on_the_side_of_its_mean_that_digits_would_show():
    """The mean of the first law is below 1, to which it rounds: a sum of ones is above it. The second is its mirror."""
    with np.errstate(over="raise", invalid="raise"):
        for law in ([1.9e-31, 1.0, 8.4e-50], [8.4e-50, 1.0, 1.9e-31]):
            assert statistics.total([1] * 60, law).p == 1.0


def test_the_farthest_of_many_draws_has_a_chance_in_any_of_them_and_on_either_side():
    draws = np.append(stats.norm.ppf((np.arange(999) + 0.5) / 999), 12.0)
    assert statistics.law(draws, stats.norm()).p == pytest.approx(2 * 1000 * stats.norm.sf(12), rel=1e-9, abs=0)


def test_covariances_are_unbiased(rng):
    x = rng.normal(size=(400, 1))
    comparison, _ = statistics.covariance(x, [[1.0]])
    assert comparison.estimate == pytest.approx(x.var(ddof=1), rel=1e-12)


def test_the_worst_of_several_families_is_that_of_all_their_members():
    members = [z_score(1.0, 0.1, theory) for theory in (1.1, 1.35, 1.2)]
    nested = statistics.worst([statistics.worst(members[:2]), members[2]])
    assert nested.p == pytest.approx(statistics.worst(members).p, rel=1e-12)


def test_a_bias_moves_the_theory_towards_what_was_found(rng):
    """This holds for skewed numbers too: the theory moves by the bias and no farther."""
    skewed = rng.exponential(size=200)
    for x, off in itertools.product((skewed, -skewed), (0.5, -0.5)):
        nearer = statistics.mean(x, x.mean() + off)
        assert statistics.mean(x, x.mean() + 1.4 * off, bias=0.4 * abs(off)).p == pytest.approx(nearer.p, rel=1e-9)


@pytest.mark.parametrize("size", [1e-200, 0.3, 5.0, 1e200])
def test_a_mean_has_the_standard_error_of_its_replicates_in_any_unit(size, rng):
    x = rng.normal(1.0, size=12)
    comparison = statistics.mean(size * x, size)
    assert comparison.estimate == pytest.approx(size * x.mean(), rel=1e-9, abs=0)
    assert comparison.error == pytest.approx(size * stats.sem(x), rel=1e-9, abs=0)
    assert (comparison.theory, comparison.z) == (size, pytest.approx(stats.ttest_1samp(x, 1.0).statistic))


@pytest.mark.parametrize("n", [12, 20])
def test_the_square_of_a_mean_vector_is_that_of_hotelling(n, rng):
    x = rng.normal(0.5, size=(n, 3)) * [1.0, 7.0, 0.3]
    comparison = statistics.mean_vector(x, np.zeros(3))
    assert comparison.estimate == pytest.approx(n * x.mean(axis=0) @ np.linalg.solve(np.cov(x.T), x.mean(axis=0)))
    assert comparison.theory == pytest.approx(3 * (n - 1) / (n - 5))
    assert comparison.p == pytest.approx(
        stats.f.sf(comparison.estimate * (n - 3) / (3 * (n - 1)), 3, n - 3), rel=1e-9, abs=0
    )
    means, z = x.mean(axis=0), stats.ttest_1samp(x, 0.0).statistic
    far = int(np.argmax(np.abs(z)))
    assert comparison.where == f"in entry [{far}]: {means[far]:.6g} instead of 0, z = {z[far]:+.2f}"


def test_what_runs_see_is_normal_within_steps():
    """Ten runs saw a deviation between 0.1 and 0.2 and ten one between 0.2 and 0.3, anywhere in that step."""
    power = Power((0.1, 0.2, 0.3, 0.4), (0.2,) * 10 + (0.3,) * 10, 1e-9)
    assert power.probability([0.1999, 0.2, 0.3]).tolist() == [0.0, 0.5, 1.0]
    smallest, deviation = power.smallest(stats.norm.cdf(2)), 0.05 * math.sqrt(20 / 19)
    assert smallest.value == pytest.approx(0.2 + 2 * deviation)
    of_quantile, of_step = deviation**2 * (1 / 20 + 2**2 / (2 * 20)), 0.1**2 / 12 / 20
    assert smallest.error == pytest.approx(math.sqrt(of_quantile + of_step))


def test_tails_of_means_know_of_skewness_and_kurtosis():
    """Bartlett's factor of the empirical likelihood is 1 + (κ/2 - γ²/3)/n (DiCiccio, Hall & Romano)."""
    x = np.exp(stats.norm.ppf((np.arange(400) + 0.5) / 400) / 2)
    theory, n = x.mean() + 0.1, x.size
    gaps = x - theory
    multiplier = optimize.brentq(lambda at: np.sum(gaps / (1 + at * gaps)), -0.999 / gaps.max(), 0.0, xtol=1e-14)
    root = math.sqrt(2 * np.log1p(multiplier * gaps).sum()) - stats.skew(x) / (6 * math.sqrt(n))
    factor = 1 + (stats.kurtosis(x, fisher=False) / 2 - stats.skew(x) ** 2 / 3) / n
    comparison = statistics.mean(x, theory)
    assert comparison.law == "empirical likelihood"
    assert comparison.p == pytest.approx(2 * stats.t.sf(root / math.sqrt(factor), n - 1), rel=1e-6)


def test_a_line_is_that_of_weighted_least_squares():
    x, y, error = np.array([1.0, 2.0, 4.0, 7.0]), np.array([3.0, 4.5, 9.0, 14.0]), np.array([0.5, 0.2, 0.4, 1.0])
    line, ((slope, intercept), spread) = statistics.line(x, y, error), np.polyfit(x, y, 1, w=1 / error, cov="unscaled")
    square = np.sum(((y - intercept - slope * x) / error) ** 2)
    assert (line.slope, line.error, line.intercept) == pytest.approx((slope, math.sqrt(spread[0, 0]), intercept))
    assert (line.chi_square, line.dof, line.p) == (pytest.approx(square), 2, pytest.approx(math.exp(-square / 2)))
    assert line.against(2.0, bias=0.1).bias == 0.1
    with pytest.raises(statistics.Refusal, match="2 distinct x are too few for a line"):
        statistics.line([1, 1, 2], [1, 2, 3], [1, 1, 1])


def test_a_slope_may_be_off_by_its_bias():
    x = np.array([10.0, 20.0, 40.0, 80.0])
    assert_slope(x, x**-1.1, 1e-3 * x**-1.1, -1.0, bias=0.1, what="slope")
    with rejects():
        assert_slope(x, x**-1.1, 1e-3 * x**-1.1, -1.0, bias=0.05, what="slope")


def test_what_is_left_over_joins_the_last_cell():
    """A last cell that expects 3 of 100, less than five, joins the one before; an all but impossible value is named."""
    assert statistics.counts([30, 67, 3], [0.3, 0.67, 0.03]).theory == 1
    assert statistics.counts([50, 50, 1], [0.5, 0.5, 1e-24]).where == "at 2: 1 seen, 1.01e-22 expected"
    assert statistics.counts([90, 5, 5], [0.3, 0.35, 0.35]).where == "up to 0: 90 seen, 30 expected"
    with pytest.raises(statistics.Refusal, match=r"pmf must be >= 0 and sum to at most 1, got 1\.0"):
        statistics.counts([50, 50, 3], [0.5, 0.75, -0.25])


def test_one_trial_is_no_proportion():
    with pytest.raises(statistics.Refusal, match="cannot compare 1 successes in 1 trials"):
        statistics.proportion(1, 1, 0.5)


def test_a_line_through_points_far_from_zero_of_very_different_weights():
    """One point has nearly all the weight: the mean of x differs from it by less than its last digit."""
    x, y, error = [1e12 + k / 3 for k in range(4)], [1.0, 3.1, 4.0, 8.0], [1.0, 1e-6, 2.0, 0.5]
    weight = [1 / Fraction(number) ** 2 for number in error]
    centre, height = (sum(w * Fraction(v) for w, v in zip(weight, of, strict=True)) / sum(weight) for of in (x, y))
    gaps = [Fraction(number) - centre for number in x]
    leverage = sum(w * gap**2 for w, gap in zip(weight, gaps, strict=True))
    slope = sum(w * gap * (Fraction(v) - height) for w, gap, v in zip(weight, gaps, y, strict=True)) / leverage
    line = statistics.line(x, y, error)
    assert line.error == pytest.approx(float(leverage) ** -0.5, rel=1e-14)
    assert line.slope == pytest.approx(float(slope), rel=1e-14)
    assert line.intercept == pytest.approx(float(height - slope * centre), rel=1e-14)


def test_means_keep_their_digits_beside_an_offset(rng):
    """Sums of 10^5 numbers of 10^12 are rounded to hundreds, their means by more than a standard error."""
    near = rng.normal(size=(10**5, 2))
    far = 1e12 + near
    near = far - 1e12  # exactly
    mean = sum(map(Fraction, near[:, 0].tolist())) / len(near)
    z = float(mean) / (near[:, 0].std(ddof=1) / math.sqrt(len(near)))
    assert statistics.mean(far[:, 0], 1e12).z == pytest.approx(z, rel=1e-9)
    there, here = statistics.mean_vector(far, [1e12, 1e12]), statistics.mean_vector(near, [0.0, 0.0])
    assert there.estimate == pytest.approx(here.estimate, rel=1e-9)
    assert there.where.split("z =")[1] == here.where.split("z =")[1]
    wrong = statistics.mean_vector(far, [1e12, 1e12 + 1]).where
    assert wrong.startswith("in entry [1]: 1e+12 instead of 1e+12, z = -3")
    beyond = statistics.mean_vector(np.linspace(2.0, 4.0, 9)[:, None], [1e20]).where
    assert beyond.startswith("in entry [0]: 3 instead of 1e+20, z = -")
    for shifted, of in zip(statistics.covariance(far, np.eye(2)), statistics.covariance(near, np.eye(2)), strict=True):
        assert getattr(shifted, "z", shifted) == pytest.approx(getattr(of, "z", of), rel=1e-6)


def test_a_slope_without_an_error_within_floats_is_refused():
    with pytest.raises(statistics.Refusal, match=r"slope 0 ± 0, .* not all within float64"):
        statistics.line([0.0, 1e300, 2e300], [0.0, 1e-300, 3e-300], [1e-300] * 3)


def test_a_line_through_points_far_smaller_than_their_errors_has_the_error_of_its_weights():
    line = statistics.line([0.0, 1.0, 2.0], [1e-100, 2e-100, 4e-100], [1e250] * 3)
    assert (line.error, line.p) == (pytest.approx(1e250 / math.sqrt(2), rel=1e-14), 1.0)


@pytest.mark.parametrize(("law", "end"), [(stats.beta(0.01, 0.01), 1.0), (stats.gamma(1e-3), 0.0)])
def test_draws_that_round_to_one_number_are_no_draws_of_it(law, end, rng):
    """A third of a beta law of shape 0.01 is within 1e-16 of 1; half of a gamma law of shape 0.001 is below all floats.

    Rounded draws have the p-value of the law without rounding, or a larger one.
    """
    draws = law.rvs(size=(300, 60), random_state=rng)
    assert ((draws == end).sum(axis=1) > 5).all()
    small = sum(statistics.law(each, law).p < 0.1 for each in draws)
    assert_pvalue(stats.binom(300, 0.1).sf(small - 1), "how often p is below 0.1")
    assert statistics.law(np.full(60, end), law).p < 1e-9


def test_the_square_of_a_vector_of_means_is_said_beside_what_is_expected_of_it():
    """For six normal replicates of two numbers T² is 2⋅5/4 times a variable of the law F(2, 4), whose mean is 2."""
    samples = np.array([[0.0, 1.0], [1.0, 3.0], [2.0, 2.0], [3.0, 5.0], [4.0, 3.0], [5.0, 4.0]])
    off = samples.mean(axis=0) - 1
    square = 6 * off @ np.linalg.solve(np.cov(samples.T), off)
    comparison = statistics.mean_vector(samples, [1.0, 1.0])
    assert comparison.estimate == pytest.approx(square)
    assert comparison.finding.startswith(f"T² = {square:.9g}, 5 expected, farthest in entry [1]: 3 instead of 1")


def test_the_worst_of_families_is_the_one_with_the_worst_member():
    """A deviation of 2.8 errors among ten is farther off than one of 2.3, though its corrected p is larger."""
    family = statistics.worst([z_score(0.0, 1.0, theory) for theory in (2.8, *[0.1] * 9)])
    worst = statistics.worst([family, z_score(0.0, 1.0, 2.3)])
    assert (worst.theory, worst.comparisons) == (2.8, 11)
    assert worst.p == pytest.approx(11 * 2 * stats.norm.sf(2.8))


def test_normal_draws_beside_an_offset_that_rounds_them_all():
    assert statistics.law(np.full(60, 1e17), stats.norm(1e17, 0.5)).p == 1.0
    assert statistics.law(np.full(60, 1e17), stats.norm(1e17, 500)).p < 1e-9
    largest = np.finfo(float).max  # next to which is infinity
    assert statistics.law(np.repeat([-largest, largest], 30), stats.cauchy(0, 1.7e308)).p < 1e-3


def test_the_distance_of_draws_from_a_law_is_that_of_kolmogorov(rng):
    draws = rng.normal(size=50)
    comparison, known = statistics.law(draws, stats.norm(0.2)), stats.kstest(draws, stats.norm(0.2).cdf)
    assert (comparison.estimate, comparison.p) == pytest.approx((known.statistic, known.pvalue), rel=1e-12)
    assert comparison.where == f"at {known.statistic_location:.6g}"


def test_the_error_of_a_power_knows_how_far_apart_deviations_were():
    """Half of 30 runs begin to see between 0.1 and 0.2, half up to 0.4: the place in a step adds its square over 12."""
    smallest = Power((0.1, 0.2, 0.4), (0.2, 0.4) * 15, level=1e-9).smallest(0.9)
    spread, quantile = np.std([0.15, 0.3] * 15, ddof=1), stats.norm.ppf(0.9)
    square = spread**2 * (1 + quantile**2 / 2) + (0.1**2 + 0.2**2) / 2 / 12
    assert smallest.error == pytest.approx(math.sqrt(square / 30), rel=1e-12)


def test_chi_square_names_the_cell_that_adds_most_and_has_the_spread_of_its_degrees_of_freedom():
    """Of 100²/5000, 130²/4980 and 30²/20 the last is the largest; chi-square of k degrees has the variance 2k."""
    comparison = statistics.counts([5100, 4850, 50], [0.5, 0.498, 0.002])
    assert comparison.where == "above 1: 50 seen, 20 expected"
    assert (comparison.theory, comparison.error) == (2, 2)


def test_a_value_that_hardly_ever_comes_makes_nothing_likelier():
    """1000 heads of a fair coin have chance 2^-999, and one value of 1e-19 expected beside them no more."""
    assert statistics.counts([1000, 0, 1], [0.5, 0.5, 1e-22]).p < 1e-100
    assert statistics.counts([500, 500, 1], [0.5, 0.5, 1e-22]).p == pytest.approx(1001e-22, rel=1e-9, abs=0)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_distance_of_kolmogorov_is_that_of_scipy_on_either_side(power):
    """From thirty draws on; their rounding is far below what is compared."""
    draws = ((np.arange(30) + 0.5) / 30) ** power
    ours, theirs = statistics.law(draws, stats.uniform()), stats.kstest(draws, "uniform")
    assert (ours.estimate, ours.p) == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-9)
    with pytest.raises(statistics.Refusal, match="29 draws are too few"):
        statistics.law(draws[1:], stats.uniform())


def test_p_values_of_zero_and_one_are_numbers_between_them():
    assert statistics.uniform(np.arange(30) / 29).p > 0.5


def test_skewness_beyond_six_standard_errors_is_refused_of_fewer_than_two_hundred():
    """Quantiles of an exponential law are 7.2 of (6/n)^(1/2) skew at n = 100, those of a Gumbel law 4.1."""
    places = (np.arange(100) + 0.5) / 100
    skewed, less = stats.expon.ppf(places), stats.gumbel_r.ppf(places)
    assert statistics.mean(less, less.mean()).p == 1
    with pytest.raises(statistics.Refusal, match=r"100 replicates of skewness 1\.8 are too few"):
        statistics.mean(skewed, skewed.mean())
    # up to twenty the tails of Student's law are wide enough, and from two hundred on the law of the mean is near
    for replicates in (np.exp(np.arange(20.0)), stats.expon.ppf((np.arange(200) + 0.5) / 200)):
        assert statistics.mean(replicates, replicates.mean()).p == 1


def test_vectors_of_few_clearly_skewed_replicates_are_refused():
    """Cubes of an exponential law at its own quantiles: no tail of their mean is known from fifty of them."""
    share = (np.arange(50) + 0.5) / 50
    samples = np.column_stack([-(np.log(share) ** 3), np.roll(share, 17)])
    with pytest.raises(statistics.Refusal, match=r"50 replicates of skewness .* too few for the tails"):
        statistics.mean_vector(samples, np.array([0.0, share.mean()]))


def test_scores_of_a_covariance_are_symmetric():
    samples = np.sin(np.outer(np.arange(1, 401), [1.0, 2.5, 4.1]))
    z = statistics.covariance(samples, np.eye(3) / 2)[1]
    np.testing.assert_array_equal(z, z.T)


def test_points_of_a_power_law_are_known_to_a_third_of_their_value():
    with pytest.raises(statistics.Refusal, match=r"a relative error of 0\.5 is too large"):
        statistics.power_law([1.0, 2.0, 4.0], [0.1, 0.2, 0.4], [0.05, 0.01, 0.01])


def test_a_deviation_within_the_bias_is_none():
    for estimate in (0.9, 1.0, 1.1):
        comparison = z_score(estimate, 0.001, 1.0, bias=0.2)
        assert (comparison.z, comparison.p) == (0.0, 1.0)


def test_tiny_numbers_are_far_from_large_ones():
    """1e-300 beside 1e10, whose ratio float64 does not hold."""
    comparison = statistics.mean(1e-300 * np.arange(1.0, 9.0), 1e10)
    assert (comparison.estimate, comparison.p < 1e-100) == (pytest.approx(4.5e-300, rel=1e-12), True)
    for far in (1e10, 1.0):
        with pytest.raises(statistics.Refusal, match="overflows float64"):
            statistics.mean_vector([[1e-300, 0], [2e-300, 0], [4e-300, 1], [3e-300, 0], [5e-300, 1]], [far, 0.5])


def test_the_worst_of_families_knows_the_p_values_of_all():
    family = statistics.worst([z_score(0.0, 1.0, 1.0), z_score(0.0, 1.0, 2.0)])
    singles = statistics.worst([family, z_score(0.0, 1.0, 3.0)]).singles
    assert singles == pytest.approx(2 * stats.norm.sf([1.0, 2.0, 3.0]), rel=1e-12)


def test_laws_add_up_to_one():
    with pytest.raises(statistics.Refusal, match=r"sum to 1, got 1\.001"):
        statistics.total([0, 1, 1], [0.5, 0.501])


def test_one_forbidden_value_among_rare_ones_is_enough():
    assert statistics.counts([500, 500, 1, 1], [0.5, 0.5, 1e-22, 0.0]).p == 0.0


def test_values_of_a_tail_have_cells_of_their_own():
    """All draws above 46 of a million at 49: as many as the law expects there, though not of that value."""
    theory, values = stats.binom(100, 0.3), np.arange(101)
    seen = np.rint(1e6 * theory.pmf(values)).astype(int)
    assert statistics.law(np.repeat(values, seen), theory).p > 0.99
    seen[49], seen[47:49], seen[50:] = seen[47:].sum(), 0, 0
    assert statistics.law(np.repeat(values, seen), theory).p < 1e-50


@pytest.mark.parametrize("theory", [1.0, 5.0])
def test_no_weights_give_replicates_the_mean_of_the_outermost(theory):
    replicates = np.array([1.0, 2.0, 3.5, 4.0, 5.0])
    comparison = statistics.mean(replicates, theory)
    assert comparison.law == "Student"
    assert comparison.p == pytest.approx(stats.ttest_1samp(replicates, theory).pvalue, rel=1e-12)


def test_means_nearer_than_skewness_shifts_them_are_no_deviation(rng):
    """By up to γ/(6√n), a 42nd of an error here."""
    places = stats.expon.ppf((np.arange(200) + 0.5) / 200)
    samples = np.stack([places, rng.permutation(places)], axis=1)
    assert statistics.mean_vector(samples, places.mean() + np.array([1e-4, 0.0])).p == 1


def test_halves_of_spins_need_half_as_many_replicates(rng):
    """Their squares do not vary: differences between the two halves of 120 replicates tell the errors."""
    spins = rng.choice([-1.0, 1.0], size=(120, 2))
    comparison, _ = statistics.covariance(spins, np.eye(2))
    assert comparison.comparisons == 3
    with pytest.raises(statistics.Refusal, match="99 replicates are too few"):
        statistics.covariance(spins[:99], np.eye(2))


def test_each_of_a_family_is_judged_at_its_share_of_the_level():
    alone = z_score(1.0, 0.1, 1.0, dof=9)
    family = statistics.worst([alone] * 50)
    assert statistics.sensitivity(family, 1e-4).deviation == statistics.sensitivity(alone, 2e-6).deviation


def test_a_shift_of_a_distribution_function_is_seen_beyond_its_limit_and_the_spread_of_one_share():
    """A share of n draws has a spread of at most 1/(2√n)."""
    comparison = statistics.uniform((np.arange(400) + 0.5) / 400)
    reach = stats.kstwo.isf(1e-6, 400) + stats.norm.ppf(0.999) / (2 * 20)
    assert statistics.sensitivity(comparison, 1e-6).deviation == pytest.approx(reach, rel=1e-12)


def test_message_tells_what_z_and_p_are_corrected_for(rng):
    """Without the tolerance, z would contradict the numbers beside it: (1 - 0)/0.03 is not 22."""
    with rejects(match=r"theory 0, z = \+2\d\.\d\d, tolerance 0\.3, p = .* × 10⁻\S+ \(limit"):
        assert_mean(1 + rng.standard_normal(1000), 0.0, bias=0.3, what="mean")
    together = statistics.worst([statistics.z_score(5.0, 0.01, 1.0), statistics.z_score(1.0, 0.01, 1.0)])
    with rejects(match=r"z = \+400\.00, p < 10⁻³⁰⁰, worst of 2 \(limit"):
        assert_comparison(together, "two")
    with rejects(match=r"two: p < 10⁻³⁰⁰ is below"):
        assert_pvalue(0.0, "two")
