"""Spike statistics against derivations, sums over laws, simulation with its twins, and elephant."""

from fractions import Fraction
from itertools import combinations, pairwise
from math import comb, factorial

import mpmath
import numpy as np
import pytest
import sympy as sp
from scipy import special, stats

from statnn import testing
from statnn.measure import spikes
from statnn.measure.spikes._few_spikes import BANDS, some_spikes
from statnn.measure.spikes._nulls import null_of_windows
from statnn.measure.spikes._tests import dispersion_moments, dispersion_test, holm
from statnn.theory.measure import fano, intervals, spike_oracle
from statnn.theory.measure.dispersion import MEAN, THIRD, VARIANCE

# -- derivations -------------------------------------------------------------------------------------------


def rational(fraction):
    return sp.Rational(fraction.numerator, fraction.denominator)


def assert_digits(value, closed):
    with mpmath.workdps(60):
        exact = mpmath.mpf(int(closed.p)) / int(closed.q)
        assert abs(value - exact) <= abs(exact) * mpmath.mpf(10) ** -48


def test_closed_forms_are_sums_over_laws():
    for rate in (Fraction(1, 7), Fraction(9, 10)):
        assert_digits(spike_oracle.independent(rate, 12), fano.INDEPENDENT.subs(fano.r, rational(rate)))
    for m, T, M in ((3, 4, 12), (10, 5, 12), (1, 2, 3), (40, 60, 100)):
        assert_digits(spike_oracle.shuffled(m, T, M), fano.SHUFFLED.subs({fano.m: m, fano.T: T, fano.M: M}))
    rates = Fraction(1, 8), Fraction(1, 2), Fraction(7, 9)
    e1, e2 = (rational(sum((p**k for p in rates), Fraction(0)) / 3) for k in (1, 2))
    closed = fano.BLOCKED.subs({fano.MEAN: e1, fano.SQUARE: e2, fano.T: 7})
    assert_digits(spike_oracle.blocked(rates, 7), closed)
    for m, W, T in ((3, 2, 4), (4, 3, 3), (7, 4, 3), (2, 3, 2)):
        moments = spike_oracle.dispersion_moments(m, W, T)
        at = {fano.m: m, fano.W: W, fano.T: T, fano.M: W * T}
        for exact, closed in zip(moments, (MEAN, VARIANCE, THIRD), strict=True):
            assert closed.subs(at) == rational(exact)


def test_intervals_of_a_shuffled_set_are_enumerated():
    M, m = 9, 3
    gaps = [b - a for at in combinations(range(M), m) for a, b in pairwise(at)]
    for k in range(1, M - m + 2):
        share = sp.Rational(gaps.count(k), len(gaps))
        assert intervals.FINITE.subs({intervals.M: M, intervals.m: m, intervals.k: k}) == share


# -- numbers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rare", [[3, 5, 10**9 // 3], [10**9 - 3, 10**9 - 5, 10**9 - 4], [7, 7, 7]])
@pytest.mark.parametrize("ddof", [0, 1])
def test_nulls_keep_their_digits_where_spikes_or_silences_are_rare(rare, ddof):
    """Variances are those of silences as well as of spikes: one of both is rare, and its rate has all digits."""
    T, W = 10**6, 1000
    total, M = 3 * W, T * W
    within = sum(Fraction(m * (M - m), M * M) for m in rare) / 3 * Fraction(M - T, M - 1)
    mean = Fraction(sum(rare), 3 * M)
    apart = sum((Fraction(m, M) - mean) ** 2 for m in rare) / 3
    exact = (within + T * apart) / mean * Fraction(total, total - ddof)
    null = null_of_windows(np.array(rare, dtype=float)[:, None], np.full(3, float(W)), T, ddof)
    assert null[0] == pytest.approx(float(exact), rel=1e-14, abs=0)
    counts = np.full((W, 1), T)
    counts[0] -= 3
    measured = spikes.from_window_counts(counts, T, ddof=ddof)
    assert measured.independent_fano_factor[0] == 3 / M
    chance = Fraction(3, M) * Fraction(M - T, M - 1) * Fraction(W, W - ddof)
    assert measured.null_fano_factor[0] == pytest.approx(float(chance), rel=1e-14, abs=0)


def test_nulls_keep_their_digits():
    for rate in (1e-9, 0.08, 0.3, 1 - 2**-30):
        exact = spike_oracle.independent(rate, 9)
        assert abs(spikes.independent_fano_factor(rate) / exact - 1) < 1e-15
    for m, T, M in ((3, 7, 100), (999, 100, 1000), (50, 999, 1000), (4, 10, 10)):
        exact = spike_oracle.shuffled(m, T, M)
        assert abs(spikes.shuffled_fano_factor(m / M, T, M) - exact) < 1e-15 * max(exact, m / M)
    for rates in ([0.8] + [0.0] * 9, [0.1, 0.2, 0.7], [1.0, 0.5]):
        assert abs(spikes.blocked_fano_factor(rates, 30) / spike_oracle.blocked(rates, 30) - 1) < 1e-14
    assert spikes.blocked_fano_factor([0.8] + 9 * [0.0], 100) == pytest.approx(72.2, rel=1e-15)
    for huge in (1e308, 5e-324):
        assert spikes.blocked_fano_factor([0.2, 0.6], 7, weights=[huge, huge]) == pytest.approx(
            spikes.blocked_fano_factor([0.2, 0.6], 7), rel=1e-15
        )
    assert spikes.blocked_fano_factor([0.2, 0.6], 7, weights=[3, 1]) == pytest.approx(
        spikes.blocked_fano_factor([0.2, 0.2, 0.2, 0.6], 7), rel=1e-15
    )


def test_null_of_intervals_keeps_its_digits():
    # intervals 2, 1, 3: r = 1/2, and (1 - r)^(1/2) is the coefficient of variation of the geometric law
    fires = np.array([1, 0, 1, 1, 0, 0, 1, 0], dtype=bool)[:, None]
    null = spikes.statistics(fires, window=2).intervals.null_cv[0]
    assert abs(null / spike_oracle.interval_cv(Fraction(1, 2)) - 1) < 1e-15


def test_moments_of_dispersion_are_enumerated():
    for m, W, T in ((3, 2, 4), (4, 3, 3), (7, 4, 3), (2, 3, 2), (8, 3, 3)):
        moments = dispersion_moments(np.array([float(m)]), W, T)
        for value, exact in zip(moments, spike_oracle.dispersion_moments(m, W, T), strict=True):
            assert value[0] == pytest.approx(float(exact), rel=1e-13, abs=1e-13)
    # a window without end: samples so fine that no two spikes share one
    rough = dispersion_moments(np.array([20.0]), 6, 10**7)
    for value, limit in zip(rough, dispersion_moments(np.array([20.0]), 6, None), strict=True):
        assert value[0] == pytest.approx(limit[0], rel=1e-5)


def dispersions(m, W, T):
    """All values of Σ n(n-1) over W windows with m spikes in all, and their probabilities; T = None is Poisson."""
    ways = {(0, 0): Fraction(1)}
    for _ in range(W):
        longer = {}
        for (spent, total), way in ways.items():
            for n in range(min(m - spent, T or m) + 1):
                key = spent + n, total + n * (n - 1)
                weight = comb(T, n) if T else Fraction(1, factorial(n))
                longer[key] = longer.get(key, 0) + way * weight
        ways = longer
    values = sorted(total for spent, total in ways if spent == m)
    weights = np.array([float(ways[m, total]) for total in values])
    return np.array(values), weights / weights.sum()


@pytest.mark.parametrize(("m", "W", "T"), [(60, 10, 14), (52, 5, None), (81, 4, 60), (56, 9, None)])
def test_dispersion_has_the_p_value_of_all_arrangements(m, W, T):
    """To 1e-12, also in tails, but no p-value is smaller."""
    values, weights = dispersions(m, W, T)
    exact = np.minimum(1, 2 * np.minimum(weights.cumsum(), weights[::-1].cumsum()[::-1]))
    spikes_of_units = np.full(values.size, m)
    tested = dispersion_test("law", spikes_of_units, values + m, W, T)
    np.testing.assert_allclose(tested.p_value, np.maximum(exact, 2e-12), rtol=0, atol=1e-12)
    assert tested.p_value.min() >= 1e-12
    mean, deviation = values @ weights, np.sqrt(values**2 @ weights - (values @ weights) ** 2)
    np.testing.assert_allclose(tested.statistic, (values - mean) / deviation, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("m", "W", "T"), [(30, 10, 8), (40, 12, 10), (20, 12, None), (5, 2, 4), (50, 6, 9)])
def test_dispersion_of_few_spikes_is_exact_far_into_its_tails(m, W, T):
    """Pearson's type III raises 40 times too many alarms at 1e-5 for ten spikes in ten windows."""
    values, weights = dispersions(m, W, T)
    exact = np.minimum(1, 2 * np.minimum(weights.cumsum(), weights[::-1].cumsum()[::-1]))
    tested = dispersion_test("law", np.full(values.size, m), values + m, W, T)
    np.testing.assert_allclose(tested.p_value, exact, rtol=1e-9)


@pytest.mark.parametrize(("m", "W", "T"), [(70, 10, 8), (49, 6, 9), (66, 4, 30)])
def test_samples_without_spikes_are_dispersed_as_those_with(m, W, T):
    """Where they are few the law is the exact one of as few spikes, which the smooth one misses far into its tails."""
    values, weights = dispersions(m, W, T)
    exact = np.minimum(1, 2 * np.minimum(weights.cumsum(), weights[::-1].cumsum()[::-1]))
    tested = dispersion_test("law", np.full(values.size, m), values + m, W, T)
    np.testing.assert_allclose(tested.p_value, exact, rtol=1e-9, atol=2.1e-12)


@pytest.mark.parametrize(("spikes", "windows"), [(81, 2), (200, 2), (116, 40), (300, 1000), (400, 10**6)])
def test_laws_of_many_spikes_have_the_moments_of_closed_forms(spikes, windows):
    most = next(most for most in BANDS if spikes <= most)
    for window in (None, 2 * spikes):
        law = some_spikes(windows, window, most)[spikes]
        exact = np.array([x[0] for x in dispersion_moments(np.array([float(spikes)]), windows, window)])
        powers = (2 * np.arange(law.size) - exact[0]) ** np.arange(1, 4)[:, None]
        rounding = 1e-13 * np.abs(powers).max(axis=1)
        assert (np.abs(powers @ law - [0, *exact[1:]]) <= rounding).all()


def test_tails_of_the_smooth_law_begin_half_a_step_before_their_first_value():
    """Of 450 spikes in 40,000 windows a windows hold two, b hold three, and no more if there are up to five pairs."""
    m, W = 450, 40_000

    def chance(a, b):
        ways = special.gammaln([W + 1, m + 1]).sum()
        ways -= special.gammaln([a + 1, b + 1, m - 2 * a - 3 * b + 1, W - m + a + 2 * b + 1]).sum()
        return np.exp(ways - a * np.log(2) - b * np.log(6) - m * np.log(W))

    law = np.array([sum(chance(pairs - 3 * b, b) for b in range(pairs // 3 + 1)) for pairs in range(6)])
    lower = law.cumsum()
    exact = np.minimum(1, 2 * np.minimum(lower, 1 - lower + law))
    tested = dispersion_test("law", np.full(6, m), m + 2 * np.arange(6), W, None)
    np.testing.assert_allclose(tested.p_value, exact, atol=0.01)


def test_few_spikes_in_windows_of_any_size_keep_their_digits():
    """Two spikes share one of W windows of T samples with (T-1)/(WT-1), of three, at large T, with 1-(1-1/W)(1-2/W)."""
    for windows, size in ((3, 10**15), (2**20 - 1, 10**12), (2**20 - 1, 10**15), (10, 2), (5, 1000)):
        tested = dispersion_test("law", np.array([2]), np.array([4]), windows, size)
        assert tested.p_value[0] == pytest.approx(min(1, 2 * (size - 1) / (windows * size - 1)), rel=1e-12)
    tested = dispersion_test("law", np.array([3]), np.array([5]), 1000, 10**15)
    assert tested.p_value[0] == pytest.approx(2 * (1 - 0.999 * 0.998), rel=1e-12)


def test_units_of_few_and_of_many_spikes_are_tested_beside_each_other():
    numbers, squares = np.array([20, 200, 7]), np.array([60, 4100, 13])
    together = dispersion_test("law", numbers, squares, 10, 50).p_value
    alone = [dispersion_test("law", numbers[[i]], squares[[i]], 10, 50).p_value[0] for i in range(3)]
    assert together.tolist() == alone


@pytest.mark.parametrize("gaps", [{1: 22, 2: 6, 3: 12}, {1: 40, 2: 25, 3: 22, 4: 4, 5: 9}, {1: 12, 2: 2, 4: 6}])
def test_intervals_have_the_p_value_of_grouped_geometric_ones(gaps):
    """Cells {1}, ..., {k-1}, {k and more}: the likelihood of the rate is closed, and costs a degree of freedom."""
    intervals = np.repeat(list(gaps), list(gaps.values()))
    fires = np.zeros(1 + intervals.sum(), dtype=bool)
    fires[np.concatenate(([0], intervals.cumsum()))] = True
    tested = spikes.statistics(fires[:, None], window=7).test("geometric")
    rate = len(intervals) / intervals.sum()
    k = 1  # a cell is closed while it and what lies above expect five
    while len(intervals) * min(rate * (1 - rate) ** (k - 1), (1 - rate) ** k) >= 5:
        k += 1
    below = intervals[intervals < k]
    rate = below.size / (below.sum() + (k - 1) * (len(intervals) - below.size))
    chance = np.array([rate * (1 - rate) ** (j - 1) for j in range(1, k)] + [(1 - rate) ** (k - 1)])
    seen = np.bincount(np.minimum(intervals, k), minlength=k + 1)[1:]
    test = stats.chisquare(seen, len(intervals) * chance, ddof=1)
    assert tested.statistic[0] == pytest.approx(test.statistic, rel=1e-9)
    assert tested.p_value[0] == pytest.approx(test.pvalue, rel=1e-9)
    assert len(seen) > 2
    assert 1e-3 < test.pvalue < 0.5


def test_too_few_arrangements_are_not_tested():
    measured = spikes.from_window_counts([[1, 2, 0, 0], [1, 2, 1, 0]], 2)
    for law in ("binomial", "poisson"):
        assert not measured.test(law).tested[3]
    assert not measured.test("binomial").tested.any()
    assert measured.test("poisson").tested.tolist() == [True, True, False, False]
    assert not spikes.from_window_counts([[1], [1], [0], [0], [1]], 1).test("binomial").tested.any(), "one sample each"


# -- simulation --------------------------------------------------------------------------------------------

RATES = np.array([0.02, 0.3, 0.9])


def fanos(rng, replicas, order, rates=RATES, **options):
    """Fano factors of many independent units of equal rates, shape (replicas, rates)."""
    each = np.repeat(rates, replicas)
    x = rng.random((1000, each.size)) < each
    measured = spikes.statistics(x, window=50, order=order, intervals=False, rng=rng, **options)
    return np.asarray(measured.fano_factor).reshape(len(rates), replicas).T


def test_independent_stimuli_have_one_minus_r_and_not_one(rng):
    factors = fanos(rng, 2000, "given", ddof=1)
    # given the spikes it is (1 - m/M) M/(M-1), whose mean over m is exact
    testing.assert_mean(factors, (1 - RATES) * 1000 / 999, what="F of independent stimuli")
    with testing.rejects():
        testing.assert_mean(factors[:, 1], 1.0, what="F of a Poisson process")


def test_a_finite_set_has_the_hypergeometric_factor(rng):
    fires = np.repeat(np.arange(40)[:, None] < np.array([2, 12, 36]), 3000, axis=1)
    shuffled = rng.permuted(fires, axis=0)
    measured = spikes.statistics(shuffled, window=10, intervals=False)
    factor = np.asarray(measured.fano_factor).reshape(3, 3000).T
    theory = spikes.shuffled_fano_factor(np.array([2, 12, 36]) / 40, 10, 40)
    testing.assert_mean(factor, theory, what="F of a shuffled set")
    with testing.rejects():
        testing.assert_mean(factor, 1 - np.array([2, 12, 36]) / 40, what="1 - r without end of samples")


def test_class_blocks_have_the_spread_between_classes(rng):
    p, units = np.array([0.05, 0.6]), 1000
    windows = rng.integers(0, 2, (400, units))  # F is a ratio of means over 400 windows: biased by a few of 1/400
    counts = rng.binomial(20, p[windows])
    measured = spikes.from_window_counts(counts, 20)
    theory = spikes.blocked_fano_factor(p, 20)
    testing.assert_mean(np.asarray(measured.fano_factor), theory, bias=0.01 * theory, what="F of class blocks")
    with testing.rejects():
        testing.assert_mean(np.asarray(measured.fano_factor), 1 - p.mean(), bias=0.01 * theory, what="shuffled")


def p_values(test):
    return test.p_value.compressed()


def test_tests_are_calibrated_and_reject_what_is_wrong(rng):
    rates = rng.uniform(0.02, 0.95, 400)
    x = rng.random((6000, 400)) < rates
    measured = spikes.statistics(x, window=60)
    for law in ("binomial", "geometric"):
        p = p_values(measured.test(law))
        assert p.size == 400
        testing.assert_uniform(p, what=f"p of the {law} test")
        assert not measured.test(law).rejected(1e-6).any()
    with testing.rejects():
        testing.assert_uniform(p_values(measured.test("poisson")), what="Poisson counts of a unit with a rate")
    assert measured.test("poisson").rejected()[rates > 0.8].all()
    rare = spikes.statistics(rng.random((30_000, 100)) < 0.01, window=600)
    assert not rare.test("poisson").rejected(1e-6).any(), "rare spikes cannot be told from a Poisson process"
    bursts = np.repeat(rng.random((12_000, 20)) < 0.3, 2, axis=0)
    pairs = spikes.statistics(bursts, window=60)
    for law in ("binomial", "geometric"):
        assert pairs.test(law).rejected().all(), law


def test_rare_dispersion_is_not_taken_for_a_surprise(rng):
    """Two spikes in one of many windows: as probable as a coincidence, which a normal law would call impossible."""
    counts = np.zeros((500, 2000), dtype=np.int64)
    at = rng.integers(0, 500, (5, 2000))
    np.add.at(counts, (at.ravel(), np.tile(np.arange(2000), 5)), 1)
    test = spikes.from_window_counts(counts, 10**5).test("poisson")
    seen = (counts.max(axis=0) > 1).sum()
    testing.assert_proportion(int(seen), 2000, 1 - np.prod(1 - np.arange(5) / 500), what="coincidences")
    assert p_values(test).min() > 1e-5


def test_holm_and_benjamini_hochberg(rng):
    p = np.array([0.01, 0.04, 0.03, 0.005])
    np.testing.assert_allclose(holm(p), [0.03, 0.06, 0.06, 0.02])
    test = spikes.FitTest("binomial", np.ma.array(p), np.ma.array(p, mask=[0, 0, 0, 0]))
    np.testing.assert_allclose(test.adjusted("benjamini-hochberg"), stats.false_discovery_control(p))
    fresh = rng.random(40) ** 2
    assert (holm(fresh) >= fresh).all()
    assert (holm(fresh) <= np.minimum(1, 40 * fresh)).all()
    hidden = spikes.FitTest("binomial", np.ma.array([0.0, 1.0], mask=[1, 0]), np.ma.array([np.nan, 0.04], mask=[1, 0]))
    assert hidden.rejected().tolist() == [False, True]
    assert hidden.rejected(0.04).tolist() == [False, True], "a p-value at the level is as rare as the level allows"
    assert "1 of 1" in str(hidden)
    nothing = spikes.FitTest("binomial", np.ma.masked_all(2), np.ma.masked_all(2))
    assert not nothing.rejected().any()


# -- a second implementation -------------------------------------------------------------------------------


def test_agrees_with_elephant(rng):
    statistics = pytest.importorskip("elephant.statistics")
    counts = rng.binomial(20, [0.1, 0.5, 0.9, 0.0], (30, 4))
    measured = spikes.from_window_counts(counts, 20)
    for i, n in enumerate(counts.T):
        trains = [np.arange(k, dtype=float) for k in n]
        theirs = statistics.fanofactor(trains, warn_tolerance=None) if n.any() else None
        if theirs is None:
            assert measured.silent[i]
        else:
            assert measured.fano_factor[i] == pytest.approx(theirs, rel=1e-13)
    x = rng.random((500, 3)) < [0.1, 0.4, 0.8]
    gaps = spikes.statistics(x, window=50).intervals
    for i, unit in enumerate(x.T):
        theirs = statistics.isi(np.flatnonzero(unit).astype(float))
        assert gaps.mean[i] == pytest.approx(theirs.mean(), rel=1e-14)
        assert gaps.cv[i] == pytest.approx(statistics.cv(theirs), rel=1e-12)


def test_classes_that_are_never_shown_leave_no_digits_behind():
    """A unit that fires at everything that is shown has no spread, whatever it would do at what is not."""
    assert spikes.blocked_fano_factor([0.1, *[1.0] * 5], 10**18, weights=[0, 1, 1, 1, 1, 1]) == 0


def dispersions_of_sixty(window, windows=30, spikes=60):
    """Return all Σn² of sixty spikes spread over thirty windows at random, and their chances, window by window."""
    most, end = 15, 1000
    chances = [comb(window, n) / 9.0**n if window else 2.0**n / factorial(n) for n in range(most + 1)]
    law = np.zeros((spikes + 1, end))
    law[0, 0] = 1.0
    for _ in range(windows):
        longer = np.zeros_like(law)
        for n, chance in enumerate(np.divide(chances, sum(chances))):
            longer[n:, n * n :] += chance * law[: spikes + 1 - n, : end - n * n]
        law = longer
    squares = np.flatnonzero(law[spikes])
    return squares, law[spikes, squares] / law[spikes].sum()


@pytest.mark.parametrize(("law", "window"), [("binomial", 20), ("poisson", None)])
def test_small_p_values_beyond_few_spikes_come_no_more_often_than_they_say(law, window):
    squares, chance = dispersions_of_sixty(window)
    p = dispersion_test(law, np.full(squares.size, 60), squares, 30, window).p_value
    for level in (0.05, 1e-3, 1e-4, 1e-6, 1e-9):
        assert chance[p <= level].sum() <= level


@pytest.mark.parametrize(("windows", "window", "most"), [(30, None, 80), (14, 58, 400)])
def test_laws_of_some_spikes_are_those_of_one_band(windows, window, most):
    """No window holds more spikes than samples: 400 spikes in windows of 58 make at most 400 · 57/2 pairs."""
    least = BANDS[BANDS.index(most) - 1] + 1
    laws = some_spikes(windows, window, most)
    assert list(laws) == list(range(least, most + 1))
    assert all(law.size <= 2**14 for law in laws.values())


@pytest.mark.parametrize("squares", [60, 60**2])
def test_no_p_value_of_some_spikes_is_below_their_rounding(squares):
    """60 spikes in 60 windows, one in each or all in one: chances of 60!/60^60 = 2e-25 and 60^-59."""
    tested = dispersion_test("law", np.array([60]), np.array([squares]), 60, None)
    assert tested.p_value[0] == pytest.approx(2e-12, rel=1e-9, abs=0)
