"""Power laws through points whose errors are shares of their values, or known apart from them."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import optimize, stats

from statnn.testing import assert_pvalue, statistics

X = np.geomspace(1.0, 100.0, 12)
SHARE = np.geomspace(0.01, 0.1, 12)
LOGS = np.array([np.ones_like(X), np.log(X)])


def in_values(y, error, power):
    """Return slope, its error and chi-square where errors are error · (fitted value)^power: a root of their sums."""

    def fitted(line):
        return np.exp(line @ LOGS)

    def terms(line):
        m = fitted(line)
        return LOGS * ((y - m) * m ** (1 - 2 * power) / error**2)

    solution = optimize.root(lambda line: terms(line).sum(axis=1), np.polyfit(LOGS[1], np.log(y), 1)[::-1], tol=1e-12)
    assert (np.abs(solution.fun) < 1e-10 * np.abs(terms(solution.x)).sum(axis=1)).all()
    m = fitted(solution.x)
    weight = m ** (2 - 2 * power) / error**2
    return solution.x[1], np.sqrt(np.linalg.inv((LOGS * weight) @ LOGS.T)[1, 1]), weight @ (y / m - 1) ** 2


def widened(y, error):
    """The line that divides the values is uncertain itself, in the second order."""
    return error * (1 + 10 * (error / y) ** 2)


def points(rng, power):
    """Return values of 1/x and their errors, shares of the value to a power and of the mean to the rest."""
    y = (1 + SHARE * rng.standard_normal(X.size)) / X
    return y, SHARE * y**power * X ** (power - 1)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_the_slope_is_between_those_of_both_kinds_of_errors(power, rng):
    y, error = points(rng, power)
    fit = statistics.power_law(X, y, error)
    error = widened(y, error)
    (shares, *errors), (apart, *others) = in_values(y, error / y, 1.0), in_values(y, error, 0.0)
    assert fit.slope == pytest.approx((shares + apart) / 2, abs=1e-8)
    assert fit.bias == pytest.approx(abs(shares - apart) / 2, abs=1e-8)
    assert (fit.error, fit.chi_square) == pytest.approx(
        (max(errors[0], others[0]), min(errors[1], others[1])), rel=1e-6
    )


def log_likelihoods(y, error, order):
    """Return ln of the likelihood with the likeliest amplitude, for errors that are shares of the line, and apart."""
    best = []
    for kind in (1.0, 0.0):

        def minus(log_a, kind=kind):
            fit = np.exp(log_a) * X**order
            return -stats.norm.logpdf(y, fit, error * (fit / y) ** kind).sum()

        best.append(-optimize.minimize_scalar(minus, bracket=(-0.1, 0.1), options={"xtol": 1e-12}).fun)
    return np.array(best)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("order", [-1.02, -0.97, -0.9])
def test_slopes_are_compared_by_their_likelihoods(power, order, rng):
    y, error = points(rng, power)
    seen = statistics.power_law(X, y, error).against(order)
    wide = widened(y, error)
    slopes = [in_values(y, wide / y**kind, kind)[0] for kind in (1.0, 0.0)]
    fitted = [log_likelihoods(y, error, slope)[k] for k, slope in enumerate(slopes)]
    assert seen.z**2 == pytest.approx(2 * (fitted - log_likelihoods(y, error, order)).min(), rel=1e-7)
    assert seen.estimate - order - np.sign(seen.z) * seen.bias == pytest.approx(seen.z * seen.error, rel=1e-9)
    assert seen.p == pytest.approx(2 * stats.norm.sf(abs(seen.z)), rel=1e-9)
    away = order + np.copysign(0.01, order - seen.estimate)
    assert statistics.power_law(X, y, error).against(away, bias=0.01).z == pytest.approx(seen.z, rel=1e-9)


def test_likelihoods_do_not_differ_by_rounding():
    y = np.where(np.arange(X.size) == 3, 1.0, 1.1) / X
    known = np.where(np.arange(X.size) == 3, 1e-8, 0.05) * y
    fit = statistics.power_law(X, y, known)
    assert abs(fit.against(fit.slope + fit.bias + 1e-9 * fit.error).z) < 1e-8
    pinned = statistics.power_law(X, y, np.where(known < 1e-6 * y, 1e-100, known))
    for order in (-1.1, -0.95):
        assert pinned.against(order).z == pytest.approx(fit.against(order).z, rel=1e-5)
    for order in (-1e308, 1e308):
        assert fit.against(order).p == 0


@given(st.lists(st.floats(0.02, 3), min_size=3, max_size=8), st.floats(0.05, 0.29), st.sampled_from([-1.0, 0.7, 3.0]))
@example([1.43, 1.11, 0.037], 0.15, -1.0)
@example([0.002, 1.32, 0.89], 0.2, -1.0)
@example([1.92, 1.24, 0.001], 0.25, -1.0)
@example([0.038, 0.23, 1.29, 1.15], 0.15, -1.0)
def test_no_right_theory_is_farther_off_than_its_points_are(t, share, order):
    """The logarithm of a value that is nearly zero, six errors off, is twenty errors off."""
    t = np.array(t)
    x, z = np.geomspace(1, 1000, t.size), (t - 1) / share
    y = t * x**order
    least = (1 + np.sqrt(1 + 4 * share**2)) / 2  # the likeliest value, where the error is the wider the larger the line
    shares = z**2 - 2 * np.log(t / least) - ((least - 1) / share) ** 2
    assert statistics.power_law(x, y, share * y).against(order).z ** 2 <= shares.sum() * (1 + 1e-9) + 1e-6
    if (t > share / 0.3 + 1e-9).all():
        apart = statistics.power_law(x, y, share * x**order).against(order)
        assert apart.z**2 <= (z @ z) * (1 + 1e-9) + 1e-6


def test_errors_that_are_one_share_of_all_values_shift_no_slope():
    shifted = statistics.power_law(X, 1.2 / X, 0.1 / X)
    assert shifted.slope == pytest.approx(-1.0, abs=1e-14)
    assert shifted.bias < 1e-14
    wide = widened(1.2, 0.1) / 1.2
    assert shifted.error == pytest.approx(wide / np.sqrt(((LOGS[1] - LOGS[1].mean()) ** 2).sum()), rel=1e-12)


@pytest.mark.parametrize(("share", "z", "right"), [(0.25, -3.7, 0.09), (0.2, -4.6, 0.0068), (0.25, -3.85, 0.063)])
def test_one_low_point_is_no_farther_off_than_it_is(share, z, right):
    """Its logarithm is ln(1 + r z) off: thirteen errors for z = -3.85 and r = 0.25."""
    x = np.geomspace(1, 1000, 10)
    y = x**-1.5 * (1 + share * np.where(np.arange(10) == 4, z, 0.0))
    assert statistics.power_law(x, y, share * y).p >= right


@pytest.mark.parametrize("share", [0.1, 0.2, 0.29])
def test_small_p_values_of_right_theories_are_as_rare_as_they_say(share, rng):
    x = np.geomspace(1, 1000, 10)
    p = []
    for z in rng.standard_normal((1000, 10)):
        y = np.maximum(1 + share * z, 1e-6) / x
        fit = statistics.power_law(x, y, share * y)
        p += [(fit.p, fit.against(-1.0).p)]
    for singles in np.transpose(p):
        alarms = int((singles < 0.01).sum())
        assert_pvalue(stats.binomtest(alarms, 1000, 0.01, alternative="greater").pvalue, "p below 0.01")


def test_a_point_far_above_a_line_is_seen():
    y = np.where(np.arange(X.size) == 7, 30.0, 1.0) / X
    assert statistics.power_law(X, y, 0.1 * y).p < 1e-9


def test_points_lie_on_a_line_if_they_do_for_one_kind_of_errors():
    """Of points half as high as a line a share is half of an error that is known apart from them."""
    y = np.where(np.arange(X.size) % 4 == 1, 0.5, 1.0) / X
    fit = statistics.power_law(X, y, 0.25 * y)
    wide = widened(y, 0.25 * y)
    smaller, larger = sorted(in_values(y, wide / y**power, power)[2] for power in (0.0, 1.0))
    assert larger > 1.5 * smaller
    assert fit.chi_square == pytest.approx(smaller, rel=1e-6)
    assert fit.p == pytest.approx(stats.chi2.sf(fit.chi_square, X.size - 2), rel=1e-12)


def test_biases_add_up():
    y = np.where(np.arange(X.size) > 9, 1.2, 1.0) / X
    fit = statistics.power_law(X, y, SHARE * y)
    assert fit.bias > 3e-4
    assert fit.against(-1.0, bias=0.002).bias == pytest.approx(fit.bias + 0.002, rel=1e-12)
    with pytest.raises(statistics.Refusal, match=r"bias = -0\.0001 must be >= 0"):
        fit.against(-1.0, bias=-1e-4)
