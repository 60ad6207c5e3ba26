"""How large a deviation a check sees: measured, and in closed form."""

import math

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import stats

from statnn.testing import (
    Deviation,
    Ledger,
    Power,
    assert_comparison,
    assert_mean,
    assert_proportion,
    assert_pvalue,
    power,
    rejects,
    statistics,
)
from statnn.testing._ledger import current, opened
from statnn.testing._power import first_seen
from statnn.testing.statistics import sensitivity, z_score

LEVEL = 1e-9
EXACT = stats.norm.isf(LEVEL / 2) + stats.norm.ppf(0.999)  # standard errors


def known_error(deviation, rng):
    return z_score(rng.standard_normal(), 1.0, deviation)


def test_a_normal_check_sees_what_its_law_says(rng):
    curve = power(known_error, np.linspace(0, 14, 281), runs=400, level=LEVEL, rng=rng)
    smallest = curve.smallest(0.999)
    assert smallest.error < 0.15
    assert_comparison(z_score(smallest.value, smallest.error, EXACT), "deviation seen with probability 0.999")
    with rejects():
        assert_comparison(z_score(smallest.value, smallest.error, EXACT - 2), "of another level")
    half = stats.norm.isf(LEVEL / 2)
    assert_proportion(round(400 * float(curve.probability(half + 1))), 400, stats.norm.cdf(1.0), what="curve")
    assert curve.probability([0.0, 14.0]).tolist() == [0.0, 1.0]
    assert curve.plot(Figure().subplots()).get_ylabel() == "probability that it is seen"


def test_assertions_comparisons_and_p_values_say_the_same():
    def asserts(deviation, rng):
        assert_mean(rng.normal(1.0, 0.5, 150), 1.0 + deviation, what="mean")

    def compares(deviation, rng):
        return statistics.mean(rng.normal(1.0, 0.5, 150), 1.0 + deviation)

    before = list(current().p)
    wrong = np.linspace(0, 1, 65)
    measured = power(asserts, wrong, runs=5, rng=3)
    assert measured == power(compares, wrong, runs=5, rng=3)
    assert measured == power(lambda deviation, rng: compares(deviation, rng).p, wrong, runs=5, rng=3)
    assert measured.level == current().level
    assert current().p == before  # none of these comparisons counts
    with opened(Ledger(1e-2, 1)):
        assert max(power(asserts, wrong, runs=5, rng=3).seen) < min(measured.seen)


def test_at_the_level_itself_nothing_is_seen():
    """An assertion fails below it, and so does a p-value."""
    with opened(Ledger(0.25, 1)):
        assert_pvalue(0.25, what="p")
        assert power(lambda deviation, _: 0.25 if deviation < 1 else 0.2, [0.5, 1.0], runs=2, rng=1).seen == (1.0, 1.0)


def test_after_an_inner_ledger_the_outer_one_counts():
    with opened(Ledger(1e-2, 1)) as outer:
        with opened(Ledger(1e-3, 1)):
            pass
        assert current() is outer


def test_what_cannot_be_said_is_refused():
    with pytest.raises(ValueError, match="19 runs are too few"):
        Power((0.1, 0.2), (0.2,) * 19, 1e-9).smallest()
    with pytest.raises(ValueError, match="1 of 20 runs saw none of the deviations"):
        Power((0.1, 0.2), (0.2,) * 19 + (math.inf,), 1e-9).smallest()
    with pytest.raises(ValueError, match="2 of 20 runs saw the smallest deviation"):
        Power((0.1, 0.2), (0.2,) * 18 + (0.1,) * 2, 1e-9).smallest()
    with pytest.raises(ValueError, match="probability = 1"):
        Power((0.1, 0.2), (0.2,) * 20, 1e-9).smallest(1)
    for wrong in ([0.1], [0.2, 0.1], [0.1, 0.1], [0.1, np.nan], [[0.1, 0.2]]):
        with pytest.raises(ValueError, match=r"at least two increasing|wrong is NaN"):
            power(known_error, wrong)
    with pytest.raises(ValueError, match="level = 0"):
        power(known_error, [0.1, 0.2], level=0)
    with pytest.raises(ValueError, match="runs = 0"):
        power(known_error, [0.1, 0.2], runs=0)
    with pytest.raises(TypeError, match="compared nothing"):
        power(lambda *_: None, [0.1, 0.2], rng=1)
    assert str(Deviation(0.123456, 0.0032)) == "0.1235 ± 0.0032"


# -- in closed form ------------------------------------------------------------------------------------------

RUNS = 2000


def seen_by_mean(rng, shift):
    values = rng.standard_normal((RUNS, 8)) + shift
    return int((stats.ttest_1samp(values, 0.0, axis=1).pvalue < 1e-3).sum())


def test_students_mean_sees_what_the_noncentral_law_says(rng):
    """For a known spread σ = 1: the noncentrality is the shift times √8."""
    reach = sensitivity(z_score(0.1, 1 / math.sqrt(8), 0.0, dof=7), 1e-3, 0.9)
    assert (reach.law, reach.exact, reach.quantity) == ("noncentral t", True, "estimate")
    assert_proportion(seen_by_mean(rng, reach.deviation), RUNS, 0.9, what="shifts seen")
    with rejects():
        assert_proportion(seen_by_mean(rng, 0.8 * reach.deviation), RUNS, 0.9, what="smaller shifts")


def test_families_tolerances_and_known_errors_in_closed_form():
    reach = sensitivity(z_score(1.0, 0.5, 0.9, bias=0.2), LEVEL)
    assert reach.deviation == pytest.approx(0.2 + 0.5 * EXACT, rel=1e-12)
    family = statistics.worst([z_score(1.0, 0.5, 0.9), z_score(1.0, 0.5, 1.0)])
    assert sensitivity(family, LEVEL).deviation == pytest.approx(
        0.5 * (stats.norm.isf(LEVEL / 4) + stats.norm.ppf(0.999)), rel=1e-12
    )
    assert str(reach) == "4.8 (normal)"
    many = sensitivity(z_score(0.0, 1.0, 0.0, dof=10**7), LEVEL).deviation
    assert many == pytest.approx(EXACT, rel=1e-5)


@pytest.mark.parametrize("level", [1e-6, 1e-12])
def test_a_mean_of_two_sees_what_the_law_of_cauchy_says(level):
    """With one degree of freedom, far out, t is d/|y| for normal y: below its quantile z with the chance 2 Φ(-d/z)."""
    reach = sensitivity(z_score(0.0, 1.0, 0.0, dof=1), level, 0.9).deviation
    limit = 2 / (math.pi * level)  # of the law of Cauchy
    assert reach == pytest.approx(limit * float(stats.norm.isf(0.05)), rel=1e-5)


def test_counts_see_a_noncentrality(rng):
    reach = sensitivity(statistics.counts([250] * 4, [0.25] * 4), 1e-3, 0.9)
    assert str(reach).endswith("in the noncentrality (chi-square)")

    def seen(noncentrality):
        wrong = 0.25 + np.array([1, -1, 1, -1]) * math.sqrt(noncentrality / 10**6) / 4
        drawn = rng.multinomial(10**6, wrong, RUNS)
        square = ((drawn - 250_000) ** 2 / 250_000).sum(axis=1)
        return int((stats.chi2.sf(square, 3) < 1e-3).sum())

    assert_proportion(seen(reach.deviation), RUNS, 0.9, what="probabilities that are off")
    with rejects():
        assert_proportion(seen(0.7 * reach.deviation), RUNS, 0.9, what="less")


def test_uniform_numbers_are_seen_at_the_bound_wherever_they_deviate(rng):
    n = 200
    reach = sensitivity(statistics.uniform((np.arange(n) + 0.5) / n), 1e-3, 0.9)
    assert (reach.law, reach.exact) == ("bound", False)

    def seen(gap):  # mass moved from above one half to just below it: the distribution function is off there
        drawn = rng.random((400, n))
        moved = (drawn > 0.5) & (rng.random((400, n)) < 2 * gap)
        p = [statistics.uniform(row).p for row in np.where(moved, 0.4999, drawn)]
        return int((np.array(p) < 1e-3).sum())

    assert_pvalue(stats.binomtest(seen(reach.deviation), 400, 0.9, alternative="less").pvalue, "seen at the bound")
    with rejects():
        assert_pvalue(stats.binomtest(seen(0.7 * reach.deviation), 400, 0.9, alternative="less").pvalue, "less")


def test_shares_and_sums_are_seen_as_normal_ones():
    share = statistics.proportion(300, 1000, 0.3)
    spread = math.sqrt(0.3 * 0.7 / 1000)
    assert sensitivity(share, LEVEL).deviation == pytest.approx(spread * EXACT)
    skewed = statistics.mean(-np.log((np.arange(500) + 0.5) / 500), 1.5, bias=0.2)  # of an exponential law
    assert skewed.law == "empirical likelihood"
    assert sensitivity(skewed, LEVEL).deviation == pytest.approx(0.2 + skewed.error * EXACT)
    assert str(sensitivity(statistics.total([0, 1, 1], [0.5, 0.5]), LEVEL)).startswith("≈ ")
    assert sensitivity(statistics.Comparison(1.0, 0.1, 1.0, 0.5, law="of nobody"), LEVEL) is None
    for certain in (0, 1):
        assert sensitivity(statistics.proportion(0, 10, certain), LEVEL) is None
    with pytest.raises(ValueError, match="level = 1"):
        sensitivity(share, 1)
    with pytest.raises(ValueError, match="probability ="):
        sensitivity(share, LEVEL, 0.2)


@pytest.mark.parametrize("number", [1, 2, 3, 8])
def test_bisection_finds_the_first_that_is_seen_wherever_it_is(number):
    for first in range(number + 1):
        smallest = first_seen(lambda deviation, first=first: deviation >= first, list(range(number)))
        assert smallest == (first if first < number else math.inf)


@pytest.mark.parametrize("none", [0.1 + 1j, "0.1", np.nan], ids=repr)
def test_deviations_that_are_no_numbers_are_refused(none):
    """Numpy would drop the imaginary part of a complex one; nan, which is sorted last, would be seen with certainty."""
    curve = Power((0.1, 0.2), (0.0, 1.0), 0.01)
    with pytest.raises((TypeError, ValueError), match=r"deviation (must be|is NaN)"):
        curve.probability(none)
    with pytest.raises((TypeError, ValueError), match=r"wrong (must be|is NaN)"):
        power(lambda *_: None, [none, none])


def test_the_curve_goes_through_the_shares_and_says_what_smallest_says():
    """A quarter of the runs sees 0.2 and three quarters 0.3, so a half 0.25."""
    measured = Power((0.1, 0.2, 0.3, 0.4), (0.2,) * 5 + (0.3,) * 10 + (0.4,) * 5, 1e-9)
    curve = next(line for line in measured.plot(Figure().subplots()).lines if line.get_label() == "normal")
    for share in (0.25, 0.5, 0.75):
        assert np.interp(share, curve.get_ydata(), curve.get_xdata()) == pytest.approx(
            measured.smallest(share).value, abs=1e-4
        )
    assert measured.smallest(0.5).value == pytest.approx(0.25)
    keen = Power((0.1, 0.2, 0.3), (0.1,) * 10 + (0.2,) * 10, 1e-9).plot(Figure().subplots())
    assert "normal" not in {line.get_label() for line in keen.lines}  # `smallest` is refused there, too


@pytest.mark.parametrize("outcome", [True, False, math.nan, 2.0, -0.1, "0.5", np.array([True])[0], (0.5,)], ids=repr)
def test_what_is_no_p_value_is_seen_neither_always_nor_never(outcome):
    """True, from a check that says whether it failed, would be p = 1, above every level."""
    with pytest.raises(TypeError, match="the check returned"):
        power(lambda *_: outcome, [0.1, 0.2], runs=1)
