"""Single values that are as good as impossible, unseen by cells and distances; and arguments that are no numbers."""

from decimal import Decimal
from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest
from scipy import stats

from statnn.testing import (
    Ledger,
    Refusal,
    assert_counts,
    assert_law,
    assert_mean,
    assert_pvalue,
    budget,
    rejects,
    statistics,
)


def normal_tail(x):
    return float(mp.erfc(x / mp.sqrt(2)) / 2)


def test_one_draw_that_cannot_be_is_seen():
    """One normal number of a hundred at 30 standard deviations, or a Poisson count of 60, hardly moves the distance."""
    normal = stats.norm.ppf((np.arange(99) + 0.5) / 99)
    for far in (30.0, -30.0):
        comparison = statistics.law(np.append(normal, far), stats.norm())
        assert comparison.p == pytest.approx(200 * normal_tail(30), rel=1e-9, abs=0)
        with rejects(match=f"at {far:g}: the law expects"):
            assert_law(np.append(normal, far), stats.norm(), what="normal numbers")
    counts = np.repeat(np.arange(5), [368, 368, 184, 61, 18])
    tail = mp.nsum(lambda k: mp.exp(-1) / mp.factorial(k), [60, mp.inf])
    comparison = statistics.law(np.append(counts, 60), stats.poisson(1.0))
    assert comparison.p == pytest.approx(float(2000 * tail), rel=1e-3, abs=0)


def test_draws_that_can_be_are_judged_as_before():
    """Their p is that of the distance alone: a rare value of many, and draws rounded to the ends of their law."""
    rare = np.append(stats.norm.ppf((np.arange(99) + 0.5) / 99), 6.0)
    assert statistics.law(rare, stats.norm()).p == stats.kstest(rare, "norm").pvalue
    rounded = np.append((np.arange(98) + 0.5) / 98, [0.0, 1.0])
    assert statistics.law(rounded, stats.uniform()).p == stats.kstest(rounded, "uniform").pvalue


class Triangle:
    """A law of one's own on [0, 1] with only the methods that are needed: F(x) = x²."""

    mean, support, ppf = float, staticmethod(lambda: (0.0, 1.0)), staticmethod(np.sqrt)

    def cdf(self, x):
        return np.clip(x, 0, 1) ** 2


def test_a_law_without_upper_tail_forbids_what_is_beyond_its_end():
    draws = np.sqrt((np.arange(99) + 0.5) / 99)
    assert statistics.law(draws, Triangle()).p > 0.99
    for beyond in (1.01, -0.01):
        assert statistics.law(np.append(draws, beyond), Triangle()).p == 0.0


def without_quantiles():
    """Return a law with quantiles of nan, as scipy 1.16 and newer give them; older versions find them."""
    law = stats.poisson(1e12)
    law.ppf = lambda q: np.full(np.shape(q), np.nan)
    return law


@pytest.mark.parametrize("law", [without_quantiles(), stats.yulesimon(1.2)], ids=["nan", "endless"])
def test_laws_whose_quantiles_scipy_does_not_find_are_refused(law):
    with pytest.raises(Refusal, match="quantiles of the law cannot be computed"):
        statistics.law(np.arange(10**12, 10**12 + 100), law)


def test_a_distribution_function_that_leaves_its_range_is_refused(rng):
    """scipy wraps the angles that it draws, but not its distribution function: right draws would have p = 0."""
    law = stats.vonmises(2, loc=3)
    assert law.cdf(-3.0) < 0
    with pytest.raises(Refusal, match=r"the distribution function of the law is -0\.\d+ at -"):
        statistics.law(law.rvs(200, random_state=rng), law)


def test_the_end_of_a_heavy_tail_is_not_sought(rng):
    """scipy sums a tail value by value: 10^15 of them would not fit into memory."""
    draws = np.append(rng.zipf(1.5, 1000), 10**15)
    assert statistics.law(draws, stats.zipf(1.5)).p > 1e-9


def test_one_observation_that_cannot_be_is_seen():
    """Cells that expect too little are pooled with their neighbours, where a single observation would be lost."""
    for share in (1e-300, 1e-24):
        assert statistics.counts([50, 50, 1], [0.5, 0.5, share]).p == pytest.approx(101 * share, abs=0)
    with rejects():
        assert_counts([50, 0, 1, 50], [0.5, 1e-200, 1e-200, 0.5], what="one of two impossible values")
    seen = statistics.counts([5000, 1, 5000], [0.5, 1e-9, 0.5])
    assert seen.p > 0.9  # one in a hundred thousand runs


def test_a_value_between_others_that_the_law_forbids_is_seen():
    comparison = statistics.law(np.append([0, 2] * 20, 1), stats.rv_discrete(values=([0, 2], [0.5, 0.5])))
    assert (comparison.p, comparison.where) == (0.0, "at 1, which the law forbids")


@pytest.mark.parametrize("far", [350, 650])
def test_one_draw_far_out_has_the_chance_of_any_that_is_as_far_on_either_side(far):
    """The tail of whole numbers is bounded by a geometric series, which is a few percent above it here."""
    law = stats.binom(1000, 0.5)
    draws = np.append(law.ppf((np.arange(100) + 0.5) / 100), far)
    assert statistics.law(draws, law).p == pytest.approx(2 * 101 * law.cdf(350), rel=0.05, abs=0)
    normal = stats.norm(-2.0, 3.0)
    draws = np.append(normal.ppf((np.arange(100) + 0.5) / 100), -2.0 + 36 * np.sign(far - 500))
    assert statistics.law(draws, normal).p == pytest.approx(2 * 101 * stats.norm.sf(12.0), rel=1e-9, abs=0)


def test_a_law_of_ones_own_is_asked_inside_its_support_alone(rng):
    class Root:
        mean, support, ppf = float, staticmethod(lambda: (0.0, 1.0)), staticmethod(np.square)
        cdf = staticmethod(np.sqrt)

    draws = rng.random(200) ** 2
    comparison = statistics.law(np.append(draws, [0.0, 1.0]), Root())
    assert comparison.p == pytest.approx(stats.kstest(np.append(np.sqrt(draws), [0.0, 1.0]), "uniform").pvalue)


def test_thirty_numbers_show_whether_they_are_uniform():
    assert statistics.uniform((np.arange(30) + 0.5) / 30).p > 0.99
    with pytest.raises(Refusal, match="at least 30 numbers"):
        statistics.uniform((np.arange(29) + 0.5) / 29)


def test_a_total_sees_forbidden_values_between_others():
    """Coins that show 0 or 10 never show 3; by rounding alone, the tail of the sum would be 1e-10."""
    pmf = [0.5, *[0.0] * 9, 0.5]
    assert statistics.total([0, 10] * 20, pmf).p == 1.0
    assert statistics.total([0, 10] * 20 + [3], pmf).p == 0.0


@pytest.mark.parametrize("half", [Fraction(1, 2), Decimal("0.5"), np.array(0.5), np.float32(0.5)], ids=repr)
def test_every_kind_of_number_is_a_theory(half):
    values = np.arange(40) % 2
    comparison = statistics.mean(values, half, bias=half - half)
    assert (type(comparison.theory), comparison.theory, comparison.bias) == (float, 0.5, 0.0)
    assert "theory 0.5" in comparison.finding
    assert statistics.proportion(np.int8(52), Fraction(100), half).p == statistics.proportion(52, 100, 0.5).p


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"estimate": np.nan}, "must be finite and the bias >= 0"),
        ({"theory": np.inf}, "must be finite and the bias >= 0"),
        ({"bias": np.nan}, "must be finite and the bias >= 0"),
        ({"bias": -0.1}, "must be finite and the bias >= 0"),
        ({"error": 0.0}, "standard error is 0.0; a comparison needs one that is finite and positive"),
        ({"error": -1.0}, "standard error is -1.0"),
        ({"error": np.inf}, "standard error is inf"),
    ],
)
def test_numbers_that_cannot_be_compared_are_refused(wrong, said):
    with pytest.raises(Refusal, match=said):
        statistics.z_score(**({"estimate": 1.0, "error": 0.1, "theory": 1.2} | wrong))


@pytest.mark.parametrize("none", ["half", [0.5, 0.5], 0.5j, 10**400, None], ids=repr)
def test_what_is_no_number_is_no_theory(none):
    with pytest.raises(Refusal, match=r"theory = .* must be one real number within float64"):
        statistics.mean(np.arange(40) % 2, none)
    with pytest.raises(Refusal, match=r"probability = .* must be one real number"):
        statistics.proportion(52, 100, none)
    for wrong in ({"theory": np.nan}, {"theory": 0.0, "bias": -1.0}, {"theory": 0.0, "bias": np.inf}):
        with pytest.raises(Refusal, match="must be finite and the bias >= 0"):
            statistics.mean([1.0, 2.0, 3.0, 4.0, 6.0], **wrong)
    with pytest.raises(Refusal, match="0 replicates are too few for a standard error; take at least 2"):
        statistics.mean([], 0.5, fewest=0)


@pytest.mark.parametrize(
    "none",
    [
        np.ones(99) * 1j,
        np.ones(99).astype(str),
        np.ones(99).astype("M8[s]"),
        [stats.norm()] * 99,
        np.array([1.0, "1"] + 97 * [1.0], dtype=object),
        np.array([1.0, np.timedelta64(1, "s")] + 97 * [1.0], dtype=object),
    ],
)
def test_what_holds_no_real_numbers_has_no_mean(none):
    """Numpy drops imaginary parts, with a warning, and reads texts: the mean of x + iy would pass as that of x."""
    values = np.random.default_rng(1).normal(size=(60, 99))
    with pytest.raises(Refusal, match="values must hold real numbers"):
        assert_mean(none, 0.0, what="numbers")
    with pytest.raises(Refusal, match="theory must hold real numbers"):
        assert_mean(values, none, what="numbers")


def test_fractions_are_means():
    values = np.random.default_rng(1).normal(size=(150, 2))
    assert_mean(values, [Fraction(0)] * 2, what="fractions")


@pytest.mark.parametrize("p", ["0.5", np.array([0.5, 0.6]), None, 0.5j, 1.5, 10**400, np.nan, True, np.True_], ids=str)
def test_what_is_no_probability_is_refused(p):
    with pytest.raises(Refusal, match="is not a probability"):
        assert_pvalue(p, "p")
    with pytest.raises(ValueError, match="is not a probability"):
        Ledger().enter(p)


def test_samples_of_nothing_are_refused():
    with pytest.raises(Refusal, match="one number for each column"):
        statistics.mean_vector(np.empty((50, 0)), [])
    with pytest.raises(Refusal, match="symmetric matrix"):
        statistics.covariance(np.empty((500, 0)), np.empty((0, 0)))


def test_a_matrix_with_a_negative_eigenvalue_is_no_covariance(rng):
    with pytest.raises(Refusal, match="negative eigenvalue"):
        statistics.covariance(rng.normal(size=(500, 2)), [[1.0, 2.0], [2.0, 1.0]])


def test_a_mean_vector_needs_two_replicates_more_than_it_has_numbers(rng):
    with pytest.raises(Refusal, match="5 replicates are too few for the mean of 4 numbers; take 6"):
        statistics.mean_vector(rng.normal(size=(5, 4)), np.zeros(4))
    assert 0 < statistics.mean_vector(rng.normal(size=(6, 4)), np.zeros(4)).p <= 1


def test_the_mean_of_a_law_without_quantiles_is_compared(rng):
    draws = np.rint(rng.normal(1e12, 1e6, 200))
    assert statistics.mean_under(draws, stats.poisson(1e12)) == statistics.mean(draws, 1e12)


@pytest.mark.parametrize(
    "theory", [stats.norm([0.0, 1.0]), stats.norm([0.0]), stats.poisson([1.0, 2.0]), stats.beta(2, [3.0])]
)
@pytest.mark.parametrize("compare", [statistics.law, statistics.mean_under])
def test_laws_of_several_numbers_at_once_are_refused(theory, compare):
    """Numpy would compare each draw with its own law, or fail with a message of its own."""
    with pytest.raises(TypeError, match="one law for each entry: freeze one with numbers as its parameters"):
        compare(np.ones(100), theory)


def _even(law, count=200):
    """Return draws at evenly spaced quantiles of a law, none of them in its tails."""
    return law.ppf((np.arange(count) + 0.5) / count)


@pytest.mark.parametrize("law", [stats.norm(), stats.uniform(), stats.logistic()])
def test_few_draws_carry_the_mean_of_a_law_without_rare_values(law):
    assert statistics.mean_under(_even(law, 5), law).p == pytest.approx(1)


def test_sixty_draws_that_are_skewed_as_the_exponential_carry_the_mean_of_their_law():
    assert statistics.mean_under(_even(stats.expon(), 60), stats.expon(), fewest=60).p > 0.5


def test_draws_too_few_for_the_skewness_of_their_law_are_refused():
    """Where all of them lie low they look less skewed than their law: its skewness tells how many are needed."""
    law = stats.gamma(0.5)
    assert statistics.mean_under(_even(law, 450), law, fewest=150).p > 0.5
    with pytest.raises(Refusal, match=r"449 draws of this law, of skewness 2\.8, are too few .* take 450"):
        statistics.mean_under(_even(law, 449), law, fewest=150)


@pytest.mark.parametrize("replicas", [21, 60, 150, 400])
def test_a_vector_of_one_mean_is_compared_as_the_mean(replicas):
    """The skewness of replicates counts in both: by Student's tail alone p would be fifty times too small at 1e-9."""
    values = _even(stats.gamma(4.0), replicas)
    for theory in (3.2, 4.9):
        alone = statistics.mean(values, theory, fewest=20)
        assert statistics.mean_vector(values[:, None], [theory], fewest=20).p == pytest.approx(alone.p, rel=1e-9)


@pytest.mark.parametrize(
    ("compare", "said"),
    [
        (lambda: statistics.mean(np.ones((2, 30)), 1.0), r"values must have 1 dimension\(s\), got shape \(2, 30\)"),
        (lambda: statistics.bonferroni([]), "at least one p-value is needed"),
        (lambda: statistics.bonferroni([0.5, 1.5]), "at least one p-value is needed"),
        (lambda: statistics.bonferroni([0.5, -0.5]), "at least one p-value is needed"),
        (lambda: statistics.total([0.5, 1.0], [0.5, 0.5]), "needs whole numbers"),
        (lambda: statistics.total([0, 1], [0.5, 0.4]), "sum to 1, got 0.9"),
        (lambda: statistics.total([0, 1], [1.5, -0.5]), "sum to 1, got 1.0"),
        (lambda: statistics.counts([30, 30], [0.5, 0.3, 0.2]), r"differ in shape: \(2,\) and \(3,\)"),
        (lambda: statistics.counts([30.5, 29.5], [0.5, 0.5]), "whole numbers >= 0"),
        (lambda: statistics.counts([61, -1], [0.5, 0.5]), "whole numbers >= 0"),
        (lambda: statistics.mean_under(np.ones(40), stats.cauchy()), "the law has no finite mean"),
        (lambda: statistics.mean_under([], stats.norm()), "no values to compare"),
        (lambda: statistics.mean_under(_even(stats.pareto(1.1)), stats.pareto(1.1)), "the law has no finite variance"),
        (lambda: statistics.mean_under(_even(stats.lognorm(2)), stats.lognorm(2)), "2.2e-05 of 200 draws of this law"),
        (lambda: assert_mean(_even(stats.norm(), 149), stats.norm(), what=""), "149 replicates are too few"),
        (lambda: statistics.line([1, 2, 3], [1, 2], [1, 1, 1]), r"differ in shape: \(3,\), \(2,\), \(3,\)"),
        (lambda: statistics.line([1, 2, 3], [1, 2, 3], [1, 1, 0]), "error"),
        (lambda: statistics.mean_vector(1e-300 * np.eye(40, 2), [1e300, 0.0]), "overflows float64"),
        (lambda: statistics.mean(1e-300 * np.arange(40.0), 1e300), "overflows float64"),
        (lambda: statistics.covariance(1e-160 * np.eye(200, 2), 1e300 * np.eye(2)), "overflows float64"),
        (lambda: statistics.mean_vector(np.repeat(np.arange(40.0), 2).reshape(40, 2), [1, 1]), "in every direction"),
        (lambda: statistics.mean_vector(np.ones((40, 2)), [1.0, 1.0]), "in every direction"),
    ],
)
def test_what_no_statistic_can_compare_is_refused(compare, said):
    with pytest.raises(Refusal, match=said):
        compare()


COMPARISONS = {
    "least": lambda wrong: statistics.counts([52, 48], [0.5, 0.5], least=wrong),
    "fitted": lambda wrong: statistics.counts([52, 48], [0.5, 0.5], fitted=wrong),
    "fewest": lambda wrong: statistics.mean(np.arange(40) % 2, 0.5, fewest=wrong),
    "fewest of a vector": lambda wrong: statistics.mean_vector(np.eye(9)[:, :2], [0.1, 0.1], fewest=wrong),
    "fewest of a matrix": lambda wrong: statistics.covariance(np.eye(9)[:, :2], np.eye(2), fewest=wrong),
    "fewest under a law": lambda wrong: statistics.mean_under([3, 2, 4], stats.binom(10, 0.3), fewest=wrong),
    "successes": lambda wrong: statistics.proportion(wrong, 100, 0.5),
    "trials": lambda wrong: statistics.proportion(52, wrong, 0.5),
    "estimate": lambda wrong: statistics.z_score(wrong, 0.1, 1.0),
    "level": lambda wrong: statistics.sensitivity(statistics.z_score(1.0, 0.1, 1.0), wrong),
    "probability": lambda wrong: statistics.sensitivity(statistics.z_score(1.0, 0.1, 1.0), 1e-6, wrong),
    "false_alarms": lambda wrong: budget(false_alarms=wrong).__enter__(),
    "comparisons": lambda wrong: budget(comparisons=wrong).__enter__(),
}


@pytest.mark.parametrize(
    "wrong",
    [None, "5", b"5", 2 + 0j, np.array(2 + 0j), [2.0], np.timedelta64(3, "s"), np.datetime64("2020-01-01")],
    ids=repr,
)
@pytest.mark.parametrize("name", COMPARISONS)
def test_what_is_no_number_is_refused_by_its_name(name, wrong):
    """Python reads texts as numbers, and numpy durations."""
    with pytest.raises(ValueError, match=rf"^{name.split()[0]} = .* must be"):
        COMPARISONS[name](wrong)


def test_what_is_no_law_and_no_comparison_is_named():
    with pytest.raises(TypeError, match="theory is a NoneType; a frozen law is needed"):
        statistics.mean_under([1.0, 2.0, 3.0, 4.0, 5.0], None)
    with pytest.raises(TypeError, match="comparison is a NoneType; pass what z_score"):
        statistics.sensitivity(None, 1e-6)
