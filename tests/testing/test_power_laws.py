"""Power laws through points whose errors are shares of their values, or known apart from them."""

import numpy as np
import pytest
from scipy import optimize, stats

from statnn.testing import statistics

X = np.geomspace(1.0, 100.0, 12)
SHARE = np.geomspace(0.01, 0.1, 12)
LOGS = np.array([np.ones_like(X), np.log(X)])


def in_values(y, error, power):
    """Return slope, its error and chi-square where errors are error · (fitted value)^power: a root of their sums."""

    def fitted(line):
        return np.exp(line @ LOGS)

    def sums(line):
        m = fitted(line)
        return LOGS @ ((y - m) * m ** (1 - 2 * power) / error**2)

    solution = optimize.root(sums, np.polyfit(LOGS[1], np.log(y), 1)[::-1], tol=1e-12)
    assert solution.success
    m = fitted(solution.x)
    weight = m ** (2 - 2 * power) / error**2
    return solution.x[1], np.sqrt(np.linalg.inv((LOGS * weight) @ LOGS.T)[1, 1]), weight @ (y / m - 1) ** 2


def points(rng, power):
    """Return values of 1/x and their errors, shares of the value to a power and of the mean to the rest."""
    y = (1 + SHARE * rng.standard_normal(X.size)) / X
    return y, SHARE * y**power * X ** (power - 1)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_the_slope_is_between_those_of_both_kinds_of_errors(power, rng):
    y, error = points(rng, power)
    fit = statistics.power_law(X, y, error)
    (shares, *_), (apart, *_) = in_values(y, error / y, 1.0), in_values(y, error, 0.0)
    assert fit.slope == pytest.approx((shares + apart) / 2, abs=0.02 * fit.error)
    assert fit.bias == pytest.approx(abs(shares - apart) / 2, abs=0.02 * fit.error)


def test_no_right_theory_is_farther_off_than_the_fit_for_its_errors_says(rng):
    """Logarithms weighed by measured values are off by half an error here, and by more with more points."""
    off = []
    for power in (0.0, 1.0):
        for _ in range(200):
            y, error = points(rng, power)
            slope, slope_error, _ = in_values(y, error / y**power, power)
            seen = statistics.power_law(X, y, error).against(-1.0)
            assert abs(seen.z) <= 1.05 * abs(slope + 1) / slope_error + 0.02
            off.append(seen.p < 0.1)
    assert stats.binomtest(sum(off), len(off), 0.1, alternative="greater").pvalue > 1e-9


def test_errors_that_are_one_share_of_all_values_shift_no_slope():
    shifted = statistics.power_law(X, 1.2 / X, 0.1 / X)
    assert shifted.slope == pytest.approx(-1.0, abs=1e-14)
    assert shifted.bias < 1e-14
    assert shifted.error == pytest.approx(0.1 / 1.2 / np.sqrt(((LOGS[1] - LOGS[1].mean()) ** 2).sum()), rel=1e-12)


def test_points_a_factor_off_have_the_line_of_their_logarithms():
    y = np.where(np.arange(X.size) == 7, 30.0, 1.0) / X
    fit, logs = statistics.power_law(X, y, 0.1 * y), statistics.line(LOGS[1], np.log(y), np.full(X.size, 0.1))
    assert (fit.slope, fit.error, fit.bias) == pytest.approx((logs.slope, logs.error, 0.0), rel=1e-12, abs=0)


def test_points_lie_on_a_line_if_they_do_for_one_kind_of_errors():
    """Of points half as high as a line a share is half of an error that is known apart from them."""
    y = np.where(np.arange(X.size) % 4 == 1, 0.5, 1.0) / X
    fit = statistics.power_law(X, y, 0.25 * y)
    smaller, larger = sorted(in_values(y, 0.25 * y ** (1 - power), power)[2] for power in (0.0, 1.0))
    assert larger > 1.5 * smaller
    assert fit.chi_square == pytest.approx(smaller, rel=0.01)
    assert fit.p == pytest.approx(stats.chi2.sf(fit.chi_square, X.size - 2), rel=1e-12)


def test_biases_add_up():
    y = np.where(np.arange(X.size) > 9, 1.2, 1.0) / X
    fit = statistics.power_law(X, y, SHARE * y)
    assert fit.bias > 5e-4
    assert fit.against(-1.0, bias=0.002).bias == pytest.approx(fit.bias + 0.002, rel=1e-12)
    with pytest.raises(statistics.Refusal, match=r"bias = -0\.0001 must be >= 0"):
        fit.against(-1.0, bias=-1e-4)
