"""The statistical checks, on data that deserve to pass and on data that do not."""

import numpy as np
import pytest
from scipy import special, stats

from statnn.testing import (
    Ledger,
    StatisticalFailure,
    _ledger,
    assert_comparison,
    assert_counts,
    assert_covariance,
    assert_law,
    assert_mean,
    assert_means,
    assert_proportion,
    assert_pvalue,
    assert_slope,
    assert_uniform,
    budget,
    rejects,
    statistics,
)
from statnn.testing._ledger import opened
from statnn.testing.statistics import Refusal
from statnn.testing.statistics._mean import _empirical_root

SAMPLES = 400


def poisson_counts(rng, rate, size):
    return np.bincount(rng.poisson(rate, size), minlength=40)


POISSON_PMF = stats.poisson(4.0).pmf(np.arange(40))


def power_law(rng, exponent, relative_error=0.01):
    x = np.geomspace(10, 1e4, 8)
    y = 3 * x**exponent
    return x, y * (1 + relative_error * rng.standard_normal(x.size)), relative_error * y


def test_mean_passes_right_theory_and_rejects_wrong(rng):
    values = rng.exponential(2.0, size=(4000, 3))
    assert_mean(values, 2.0, what="mean of exponentials")
    assert_mean(values + 0.2, 2.0, bias=0.2, what="mean within a known bias")
    with rejects():
        assert_mean(values + 0.6, 2.0, what="shifted mean")
    with rejects():
        assert_mean(values - 0.7, 2.0, bias=0.1, what="shifted beyond the bias")


def test_one_wrong_entry_of_many_is_seen(rng):
    values = rng.standard_normal((1000, 50))
    values[:, 31] += 0.5
    with rejects(match=r"entry \[31\]"):
        assert_mean(values, 0.0, what="entry")


def test_law_passes_right_theory_and_rejects_wrong(rng):
    assert_counts(poisson_counts(rng, 4.0, 20_000), POISSON_PMF, what="Poisson")
    with rejects():
        assert_counts(poisson_counts(rng, 4.3, 20_000), POISSON_PMF, what="wrong rate")
    with rejects():
        assert_counts([0, 9_000, 11_000], [0, 0.5, 0.25], what="mass beyond the last cell is missing")


LAWS = {
    "binomial": (stats.binom(10, 0.3), stats.binom(10, 0.33)),
    "wide binomial": (stats.binom(10**6, 0.3), stats.binom(10**6, 0.3002)),
    "both signs": (stats.skellam(3.0, 2.0), stats.skellam(3.4, 2.0)),
    "shifted": (stats.poisson(4.0, loc=-7), stats.poisson(4.0, loc=-6)),
    "normal": (stats.norm(1.0, 2.0), stats.norm(1.3, 2.0)),
    "exponential": (stats.expon(), stats.gamma(1.2)),
}


@pytest.mark.parametrize("name", LAWS)
def test_values_have_their_law_and_not_another(name, rng):
    right, wrong = LAWS[name]
    values = right.rvs(10_000, random_state=rng)
    assert_law(values, right, what=name)
    assert_mean(values, right, what=f"mean of {name}")
    with rejects():
        assert_law(values, wrong, what=name)
    with rejects():
        assert_mean(values, wrong, what=f"mean of {name}")


@pytest.mark.parametrize(
    ("law", "impossible"),
    [(stats.binom(10, 0.3), 11), (stats.poisson(4.0), -1), (stats.uniform(), 1.001), (stats.nbinom(3, 0.5, loc=2), 1)],
)
def test_one_value_outside_the_support_rejects(law, impossible, rng):
    values = law.rvs(1000, random_state=rng)
    with rejects(match="p < 10⁻³⁰⁰ "):
        assert_law(np.append(values, impossible), law, what="one impossible value")


def test_the_sum_of_discrete_values_has_its_exact_law(rng):
    coins = rng.binomial(1, 0.001, (50, 4))  # far too skewed and too few for any mean of replicates
    assert_mean(coins, stats.bernoulli(0.001), what="rare events")
    with rejects():
        assert_mean(np.full(50, 1), stats.bernoulli(0.001), what="fifty rare events")
    total = statistics.mean_under(np.repeat([5, 6], [70, 30]), stats.binom(1, 0.45, loc=5))
    assert total.p == pytest.approx(2 * stats.binom.cdf(30, 100, 0.45), rel=1e-9)
    assert (total.law, total.estimate, total.theory) == ("exact", pytest.approx(5.3), pytest.approx(5.45))
    assert statistics.mean_under([3, 0, 1, 2, 1], stats.poisson(1.2)).p == pytest.approx(2 * stats.poisson.sf(6, 6.0))
    assert statistics.mean_under([9, 9, 9], stats.poisson(1.2)).p == pytest.approx(
        2 * stats.poisson.sf(26, 3.6), rel=1e-5, abs=0
    )


def test_one_impossible_observation_rejects():
    with rejects():
        assert_counts([500, 499, 1], [0.5, 0.5, 0.0], what="forbidden value")


def test_slope_passes_right_order_and_rejects_wrong(rng):
    assert_slope(*power_law(rng, -1.0), -1.0, what="order one")
    with rejects():
        assert_slope(*power_law(rng, -1.1), -1.0, what="wrong order")
    x, y, error = power_law(rng, -1.0)
    with rejects():
        assert_slope(x, y * (1 + 30 / x), error, -1.0, what="not a straight line")


def test_covariance_passes_right_theory_and_rejects_wrong(rng):
    theory = np.array([[2.0, 0.6], [0.6, 1.0]])
    samples = rng.multivariate_normal([5, -3], theory, size=20_000)
    assert_covariance(samples, theory, what="normal pair")
    with rejects():
        assert_covariance(samples, np.diag(np.diag(theory)), what="independent pair")


def test_proportion_passes_right_theory_and_rejects_wrong(rng):
    successes = int(rng.binomial(2000, 0.9))
    assert_proportion(successes, 2000, 0.9, what="coverage")
    with rejects():
        assert_proportion(successes, 2000, 0.97, what="claimed coverage")


# A check is calibrated when its p-values over fresh samples are uniform. Discrete statistics are so only
# nearly: their samples are large enough for the steps to be small against 1/sqrt(SAMPLES).
FRESH = {
    "line": lambda rng: statistics.power_law(*power_law(rng, -1.0)),
    "slope": lambda rng: statistics.power_law(*power_law(rng, -1.0)).against(-1.0),
    "law of normal numbers": lambda rng: statistics.law(rng.normal(1.0, 3.0, 50), stats.norm(1.0, 3.0)),
    "law of whole numbers": lambda rng: statistics.law(rng.poisson(40.0, 2000), stats.poisson(40.0)),
    "mean under a law": lambda rng: statistics.mean_under(rng.poisson(40.0, 100), stats.poisson(40.0)),
    "counts": lambda rng: statistics.counts(poisson_counts(rng, 4.0, 5000), POISSON_PMF),
}


@pytest.mark.parametrize("name", FRESH)
def test_p_values_are_uniform(name, rng):
    assert_uniform([FRESH[name](rng).p for _ in range(SAMPLES)], what=f"p-values of {name}")


def test_p_values_of_means_of_few_are_nearly_uniform_from_above(rng):
    """p is the larger of Student's, which is uniform, and that of the empirical likelihood."""
    samples = rng.normal(1.0, 3.0, (SAMPLES, 12))
    p = np.array([statistics.mean(values, 1.0).p for values in samples])
    own = np.array([studentised(values, 1.0) for values in samples])
    assert (p >= own * (1 - 1e-9)).all()
    assert np.median(p - own) < 0.02
    assert_uniform(own, what="p-values of Student")


def correlated(rng, replicas):
    return rng.standard_normal((replicas, 3)) @ np.array([[1.0, 0.8, 0.0], [0.0, 0.5, 0.3], [0.0, 0.0, 2.0]])


def test_p_values_of_mean_vectors_are_uniform_for_few_replicates(rng):
    p = [statistics.mean_vector(correlated(rng, 8) + np.arange(3.0), np.arange(3.0)).p for _ in range(SAMPLES)]
    assert_uniform(p, what="p-values of mean vectors")


def test_a_shifted_vector_of_means_is_seen(rng):
    samples = correlated(rng, 400)
    assert_means(samples, np.zeros(3), what="mean vector")
    with rejects(match=r"T² = .* expected, farthest in entry \[1\]: .* instead of 0\.5, z = -"):
        assert_means(samples, [0.0, 0.5, 0.0], what="shifted mean vector")


def test_means_that_go_together_are_told_apart_where_none_is_by_itself(rng):
    samples = rng.exponential(size=(400, 1)) + 0.01 * rng.normal(size=(400, 3))
    assert_means(samples, [1.0, 1.0, 1.0], what="three readings of one number")
    assert_mean(samples, [1.0, 1.01, 1.0], what="none of them is seen to be off by a fifth of its error")
    with rejects():
        assert_means(samples, [1.0, 1.01, 1.0], what="but from the others it is, by twenty")


def test_skewed_vectors_of_means_raise_no_more_alarms_than_they_should(rng):
    """Hotelling's law alone raises a third too many at 1e-3 for 400 vectors of three exponential numbers."""
    vectors = rng.exponential(size=(4 * SAMPLES, 250, 4))
    p = np.array([p_unless_refused(each, np.ones(4), statistics.mean_vector) for each in vectors])
    for level in (0.1, 0.01):
        tail = stats.binomtest(int((p < level).sum()), p.size, level, alternative="greater")
        assert_pvalue(tail.pvalue, f"alarms at {level}")
    assert (p < 0.1).any(), "and it can raise one"


def test_a_message_says_where_data_and_theory_are_farthest_apart(rng):
    coins = rng.binomial(10, 0.5, 2000)
    for match, values, law in (
        (
            r"chi-square \S+, of 8 degrees of freedom, farthest (at|up to) \d+: \d+ seen, \S+ expected, p = ",
            coins,
            stats.binom(10, 0.6),
        ),
        ("farthest at 11, which the law forbids, p < 10⁻³⁰⁰ ", np.append(coins, 11), stats.binom(10, 0.5)),
        (r"distribution functions 0\.\d+ apart, farthest at \d", coins + 0.01 * rng.random(2000), stats.norm(6, 1.6)),
        ("farthest at -3, which the law forbids, p < 10⁻³⁰⁰ ", np.append(rng.exponential(size=99), -3), stats.expon()),
    ):
        with rejects(match=match):
            assert_law(values, law, what="law")
    wide = rng.binomial(10**6, 0.5, 5000)
    with rejects(match=r"farthest (above \d+|up to \d+|above \d+ and up to \d+): \d+ seen"):
        assert_law(wide, stats.binom(10**6, 0.502), what="cells of many values")
    with rejects(match="farthest above 1: 0 seen, 4000 expected"):
        assert_counts([9000, 11000], [0.4, 0.4], what="larger values are missing")
    with rejects(match=r"farthest in entry \[0, 1\], p = "):
        assert_covariance(rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 2000), np.eye(2), what="pair")


def test_too_small_errors_are_not_uniform(rng):
    x, y, error = np.moveaxis(np.array([power_law(rng, -1.0) for _ in range(SAMPLES)]), 1, 0)
    overconfident = [statistics.power_law(*case).p for case in zip(x, y, error / 1.5, strict=True)]
    with rejects():
        assert_uniform(overconfident, what="p-values with errors that are too small")


def test_bonferroni_keeps_its_level(rng):
    theory = np.eye(3)
    p = np.array([statistics.covariance(rng.standard_normal((1500, 3)), theory)[0].p for _ in range(SAMPLES)])
    alarms = int((p < 0.1).sum())
    assert_pvalue(stats.binomtest(alarms, SAMPLES, 0.1, alternative="greater").pvalue, "alarms at level 0.1")


@pytest.mark.parametrize("name", ["theory", "bias"])
def test_numbers_for_other_entries_are_refused_in_words(name, rng):
    wrong = {"theory": 0.0} | {name: np.zeros(3)}
    with pytest.raises(ValueError, match=rf"^{name} has shape \(3,\), the values of a replicate \(2,\)"):
        assert_mean(rng.standard_normal((100, 2)), **wrong, what="pair")


def test_message_tells_the_numbers():
    comparison = statistics.z_score(2.5, 0.1, 1.0)
    with rejects(match=r"energy: estimate 2\.5 ± 0\.1, theory 1, z = \+15\.00, p = .* \(limit"):
        assert_comparison(comparison, "energy")
    with pytest.raises(AssertionError, match="not in the message"), rejects(match="entropy"):
        assert_comparison(comparison, "energy")
    for wrong in (10**400, [1.0], None):
        with pytest.raises(statistics.Refusal, match=r"error = .* must be one real number within float64"):
            statistics.z_score(1.0, wrong, 1.0)


REFUSED = {
    "few replicates": lambda: assert_mean(np.arange(19.0), 9.0, what=""),
    "few for a level of 1e-9": lambda: assert_mean(np.arange(59.0), 29.0, what=""),
    "few vectors for a level of 1e-9": lambda: assert_means(np.eye(59)[:, :2], np.zeros(2), what=""),
    "no spread": lambda: assert_mean(np.full(90, 0.1), 0.1, what=""),
    "spread of round-off": lambda: assert_mean(0.1 + 5e-18 * np.arange(90), 0.1, what=""),
    "not a number": lambda: assert_mean([np.nan, *range(90)], 1.0, what=""),
    "infinite theory": lambda: assert_mean(np.arange(90.0), np.inf, what=""),
    "no values": lambda: assert_mean(np.empty((90, 0)), 1.0, what=""),
    "negative bias": lambda: assert_mean(np.arange(90.0), 1.0, bias=-1, what=""),
    "p not a number": lambda: assert_pvalue(np.nan, ""),
    "p above one": lambda: assert_pvalue(1.1, ""),
    "two points": lambda: assert_slope([1, 2], [1, 2], [0.1, 0.1], 1, what=""),
    "no error": lambda: assert_slope([1, 2, 3], [1, 2, 3], [0, 0.1, 0.1], 1, what=""),
    "error too large": lambda: assert_slope([1, 2, 3], [1, 2, 3], [0.5, 0.1, 0.1], 1, what=""),
    "negative y": lambda: assert_slope([1, 2, 3], [-1, 2, 3], [0.1, 0.1, 0.1], 1, what=""),
    "few counts": lambda: assert_counts([3, 4], [0.5, 0.5], what=""),
    "broken counts": lambda: assert_counts([30.5, 40], [0.5, 0.5], what=""),
    "pmf above one": lambda: assert_counts([30, 40], [0.7, 0.7], what=""),
    "few samples": lambda: assert_covariance(np.eye(3), np.eye(3), what=""),
    "no covariance": lambda: assert_covariance(np.eye(200)[:, :2], -np.eye(2), what=""),
    "few vectors": lambda: assert_means(np.eye(4), np.zeros(4), what=""),
    "vectors of many numbers": lambda: assert_means(np.eye(40), np.zeros(40), what=""),
    "flat vectors": lambda: assert_means(np.ones((90, 2)), np.ones(2), what=""),
    "another number of means": lambda: assert_means(np.eye(200)[:, :2], np.zeros(3), what=""),
    "skewed vectors": lambda: assert_means(np.eye(100)[:, :2] + 1e-3 * np.eye(100)[::-1, :2], [0.01, 0.5], what=""),
    "few draws": lambda: assert_law(np.arange(29.0) / 29, stats.uniform(), what=""),
    "few whole draws": lambda: assert_law([0, 1], stats.binom(1, 0.5), what=""),
    "fractions": lambda: assert_law(np.arange(99) / 2, stats.binom(99, 0.5), what=""),
    "a law without mean": lambda: assert_mean(np.arange(90.0), stats.cauchy(), what=""),
    "few p-values": lambda: assert_uniform([0.5] * 10, what=""),
    "more successes than trials": lambda: assert_proportion(11, 10, 0.5, what=""),
    "parts of a success": lambda: assert_proportion(52.7, 100, 0.5, what=""),
    "parts of a trial": lambda: assert_proportion(50, 100.5, 0.5, what=""),
    "degrees of freedom that are no number": lambda: statistics.z_score(10.0, 0.1, 0.0, dof=np.nan),
    "a name for degrees of freedom": lambda: statistics.z_score(10.0, 0.1, 0.0, dof="many"),
    "no degrees of freedom": lambda: statistics.z_score(10.0, 0.1, 0.0, dof=0.0),
    "cells that expect nothing": lambda: statistics.counts([30, 50, 20], [0.2, 0.6, 0.2], least=0.0),
    "fewer parameters than none": lambda: statistics.counts([30, 50, 20], [0.2, 0.6, 0.2], fitted=-1),
}


def test_few_replicates_are_judged_at_levels_that_they_can_carry():
    with opened(Ledger(false_alarms=1e-3, comparisons=1)):
        assert_mean(np.arange(50.0), 24.5, what="fifty at 1e-3")
        with (
            pytest.raises(Refusal, match="50 replicates are too few"),
            opened(Ledger(false_alarms=9e-4, comparisons=1)),
        ):
            assert_mean(np.arange(50.0), 24.5, what="fifty below it")


@pytest.mark.parametrize("case", REFUSED)
def test_poor_data_are_refused_and_never_pass_as_rejected(case):
    with pytest.raises(Refusal), rejects():
        REFUSED[case]()


def test_twin_that_passes_fails():
    with pytest.raises(AssertionError, match="not rejected") as caught, rejects():
        assert_pvalue(0.3, "twin")
    assert not isinstance(caught.value, StatisticalFailure)


def test_other_errors_pass_through_a_twin():
    with pytest.raises(ZeroDivisionError), rejects():
        _ = 1 / 0


def test_comparisons_are_entered_and_twins_are_not():
    with opened(Ledger(comparisons=4)) as ledger:
        assert_pvalue(0.5, "one")
        assert ledger.p == [0.5]
        with rejects():
            assert_pvalue(ledger.level / 2, "twin")
        assert ledger.p == [0.5]


def test_a_budget_outside_pytest(monkeypatch):
    monkeypatch.setattr(_ledger, "_OPEN", [])
    with pytest.raises(RuntimeError, match=r"with statnn\.testing\.budget\(comparisons=10\)"):
        assert_pvalue(0.5, "alone")
    with budget(false_alarms=1e-3, comparisons=2) as ledger:
        assert_pvalue(6e-4, "above the level")
        with rejects():
            assert_pvalue(4e-4, "below it")
        with budget(false_alarms=0.5, comparisons=1) as inner:  # the budget of the block around it
            assert inner is ledger
    with pytest.raises(StatisticalFailure, match=r"3 comparisons were made.*=2 planned"), budget(comparisons=2):
        assert_mean(np.arange(315.0).reshape(105, 3), [156.0, 157.0, 158.0], what="three")
    with pytest.raises(ZeroDivisionError), budget(comparisons=1):
        _ = 1 / 0
    assert not _ledger._OPEN


@pytest.mark.parametrize(
    "wrong", [{"comparisons": 0}, {"comparisons": 1.5}, {"false_alarms": 0.0}, {"false_alarms": np.nan}]
)
def test_budgets_that_are_none_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))), budget(**wrong):
        pass


def test_what_is_no_law_is_told_from_counts():
    with pytest.raises(TypeError, match=r"ndarray; a frozen law is needed.*counts\(observed, pmf\)"):
        assert_law([50, 50], np.array([0.5, 0.5]), what="coin")
    with pytest.raises(ValueError, match=r"give theory=law\.mean\(\)"):
        assert_mean(np.arange(50), stats.poisson(25), bias=0.1, what="law and bias")


@pytest.mark.parametrize(("trials", "rare"), [(100, 0.05), (1000, 0.005), (50, 0.1), (20, 0.5), (200, 0.03)])
def test_alarms_of_two_cells_are_no_more_than_the_binomial_law_allows(trials, rare):
    """Alarms are summed over all outcomes; those of Cressie and Read alone are 105 times too many at 1e-9."""
    seen = np.arange(trials + 1)
    p = np.array([statistics.counts([trials - k, k], [1 - rare, rare]).p for k in seen])
    chance = stats.binom(trials, rare).pmf(seen)
    for level in (1e-2, 1e-3, 1e-4, 1e-6, 1e-9):
        assert chance[p < level].sum() < 1.2 * level
    assert p.min() < 1e-9 or trials == 20


def test_a_law_with_a_heavy_tail_is_judged_without_looking_for_its_end(rng):
    draws = rng.zipf(1.5, 2000)
    assert_law(draws, stats.zipf(1.5), what="no mean, and a value in a billion beyond 1e17")
    with rejects():
        assert_law(draws, stats.zipf(2.0), what="another exponent")
    assert_mean(rng.zipf(3.5, 200) < 2, 1 / special.zeta(3.5), what="share of ones")


# -- tails of means ------------------------------------------------------------------------------------------


def studentised(values, theory):
    with np.errstate(divide="ignore"):  # a sample without an event
        return 2 * stats.t.sf(abs(values.mean() - theory) / stats.sem(values), values.size - 1)


def p_unless_refused(values, theory, compare=statistics.mean):
    """A refused sample raises no alarm: seven rare events of a thousand are too few to be judged."""
    try:
        return compare(values, theory).p
    except Refusal:
        return 1.0


SKEWED = {
    "exponential": (lambda rng: rng.exponential(size=400), 1.0),
    "squares of normal numbers": (lambda rng: rng.chisquare(1, 1000), 1.0),
    "twenty rare events": (lambda rng: rng.binomial(1, 0.02, 1000).astype(float), 0.02),
}


@pytest.mark.parametrize("name", SKEWED)
def test_means_of_skewed_replicates_raise_no_more_alarms_than_they_should(name, rng):
    draw, theory = SKEWED[name]
    p = np.array([p_unless_refused(draw(rng), theory) for _ in range(SAMPLES)])
    for level in (0.1, 0.01):
        tail = stats.binomtest(int((p < level).sum()), SAMPLES, level, alternative="greater")
        assert_pvalue(tail.pvalue, f"alarms of {name} at {level}")
    assert (p < 0.1).any(), "and it can raise one"


def test_rare_events_are_no_matter_for_student(rng):
    """For ten events Student's law raises a hundred times too many alarms at 1e-4; some samples are refused instead."""
    events = [rng.binomial(1, 0.01, 1000).astype(float) for _ in range(3000)]
    with rejects():
        alarms = sum(studentised(values, 0.01) < 1e-4 for values in events)
        assert_pvalue(stats.binomtest(alarms, 3000, 1e-4, alternative="greater").pvalue, "Student")
    p = np.array([p_unless_refused(values, 0.01) for values in events])
    alarms = int((p < 1e-4).sum())
    assert_pvalue(stats.binomtest(alarms, 3000, 1e-4, alternative="greater").pvalue, "empirical likelihood")
    assert (p < 1).sum() > 1500


def test_samples_that_cannot_show_their_tail_are_refused(rng):
    with pytest.raises(Refusal, match="carry their spread"):
        statistics.mean(rng.lognormal(sigma=12.0, size=10_000), np.exp(72.0))
    with pytest.raises(Refusal, match="too few for the tails"):
        statistics.mean(np.append(np.zeros(99), 1.0) + 1e-3 * rng.random(100), 0.01)


def test_the_empirical_likelihood_of_coins_is_the_binomial_one():
    coins = np.repeat([0.0, 1.0], [70, 30])
    ratio = 2 * (30 * np.log(0.3 / 0.45) + 70 * np.log(0.7 / 0.55))
    assert _empirical_root(coins - 0.45) == pytest.approx(np.sqrt(ratio), rel=1e-12)
    assert _empirical_root(coins + 0.1) == np.inf
    assert _empirical_root(coins - 0.3) == pytest.approx(0.0, abs=1e-7)


@pytest.mark.parametrize("theory", [0.28, 0.3, 0.33, 0.5])
def test_the_total_of_coins_is_binomial(theory):
    coins = np.repeat([0, 1], [700, 300])
    total = statistics.total(coins, [1 - theory, theory])
    exact = 2 * min(stats.binom.cdf(300, 1000, theory), stats.binom.sf(299, 1000, theory))
    assert (total.p, total.error**2) == pytest.approx((min(1.0, exact), theory * (1 - theory) / 1000), rel=1e-9, abs=0)
    assert (total.estimate, total.theory) == (0.3, pytest.approx(theory))


def test_the_law_of_a_total_sees_what_it_forbids():
    assert statistics.total([0, 1, 3], [0.5, 0.5]).p == 0.0
    assert statistics.total(np.zeros(500), [0.5, 0.5]).p == pytest.approx(2 * 0.5**500, rel=1e-6, abs=0)
    with pytest.raises(Refusal, match="no spread"):
        statistics.total([0, 0], [1.0])
    with pytest.raises(Refusal, match="whole"):
        statistics.total([0.5], [0.5, 0.5])


def test_totals_are_calibrated(rng):
    law = stats.nbinom(0.3, 0.1)
    pmf = np.append(law.pmf(np.arange(400)), law.sf(399))
    p = [statistics.total(law.rvs(50, random_state=rng), pmf).p for _ in range(SAMPLES)]
    assert_uniform(p, what="p-values of totals")


@pytest.mark.parametrize("size", [1e300, 1e154, 1e-160, 1e-300])
def test_comparisons_do_not_depend_on_units(size):
    """Squares of such numbers leave float64, but means, covariances and lines are compared as in other units."""
    rng = np.random.default_rng(1)
    samples = rng.normal(3.0, 1.0, (60, 2))
    points, error = np.arange(1.0, 9.0), np.full(8, 0.1)
    here, there = statistics.mean(samples[:, 0], 2.5), statistics.mean(samples[:, 0] * size, 2.5 * size)
    assert (there.p, there.z, there.estimate) == pytest.approx((here.p, here.z, here.estimate * size), rel=1e-9, abs=0)
    theory = np.array([2.9, 3.1])
    mixed = np.array([1.0, size])  # columns of very different scale
    vector = statistics.mean_vector(samples, theory)
    assert statistics.mean_vector(samples * mixed, theory * mixed).p == pytest.approx(vector.p, rel=1e-9)
    many = rng.normal(size=(400, 2))
    corrected = statistics.covariance(many * np.sqrt(size), 1.1 * size * np.eye(2))[1]
    assert corrected == pytest.approx(statistics.covariance(many, 1.1 * np.eye(2))[1], rel=1e-9)
    bent = 2 * points + 0.1 * np.sin(points)
    line, stretched = statistics.line(points, bent, error), statistics.line(points * size, bent, error)
    assert (stretched.slope * size, stretched.p) == pytest.approx((line.slope, line.p), rel=1e-9)
    raised = statistics.line(points, bent * size, error * size)
    assert (raised.slope / size, raised.p) == pytest.approx((line.slope, line.p), rel=1e-9)


@pytest.mark.parametrize("values", [np.arange(9.0) + 1j, np.arange(9).astype(str), np.arange(9).astype("M8[s]")])
def test_what_holds_no_real_numbers_is_not_compared(values):
    with pytest.raises(statistics.Refusal, match="values must hold real numbers, not"):
        statistics.mean(values, 0.0)
