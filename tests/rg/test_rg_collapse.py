"""Data collapse: what exponents do not depend on; and scaling functions far from criticality."""

import numpy as np
import pytest

from statnn.rg import FixedFunction, collapse
from statnn.rg._collapse import _Problem

M = np.repeat([64.0, 256.0, 1024.0], 9)
T = np.tile(np.linspace(-2, 3, 9), 3)
VALUES = FixedFunction(3, 1 / 3).finite_depth(T) / M


def test_exponents_do_not_depend_on_the_unit_of_depths():
    """Nor does it matter that the scaled controls of the guess leave float64 in it."""
    plain, large = (collapse(T / M, unit * M, VALUES, 1e-3 * VALUES, bootstrap=20, rng=1) for unit in (1.0, 2.0**700))
    assert large.value_exponent == pytest.approx(plain.value_exponent, abs=1e-9)
    assert large.control_exponents == pytest.approx(plain.control_exponents, abs=1e-9)
    assert large.control_errors == pytest.approx(plain.control_errors, rel=1e-6)


def test_errors_are_those_of_points_around_the_fitted_curve():
    """How far measurements happen to lie from the curve adds nothing: it moves no exponent, and is noise itself."""
    values = np.exp(T - T**2 / 4) / M  # ln F is a polynomial of degree two
    tangents = np.column_stack((np.ones_like(T), T, T**2, np.log(M), (T - T**2 / 2) * np.log(M)))
    away = np.random.default_rng(0).standard_normal(T.size)
    away -= tangents @ np.linalg.lstsq(tangents, away, rcond=None)[0]
    options = {"degree": 2, "bootstrap": 20, "rng": 1}
    on = collapse(T / M, M, values, 2e-5 * values, **options)
    around = values * np.exp(1e-4 * away)
    with pytest.warns(RuntimeWarning, match="do not fall on one curve"):
        off = collapse(T / M, M, around, 2e-5 * around, **options)
    assert off.control_exponents == pytest.approx(on.control_exponents, abs=1e-6)
    assert off.chi_square == pytest.approx(25 * away @ away, rel=1e-3)
    np.testing.assert_allclose(off.covariance, on.covariance, rtol=1e-5)


@pytest.mark.parametrize("shares", [False, True])
def test_errors_cover_what_is_unknown_of_the_errors_of_points(shares):
    """Points lie so that least squares of values end at the truth, if errors are of the given kind."""
    relative = np.geomspace(0.004, 0.02, T.size)
    values = np.exp(T - T**2 / 4) / M
    tangents = np.column_stack((np.ones_like(T), T, T**2, -np.log(M), (T - T**2 / 2) * np.log(M))) / relative[:, None]
    away = np.random.default_rng(0).standard_normal(T.size)
    away -= tangents @ np.linalg.lstsq(tangents, away, rcond=None)[0]
    points = values * (1 + 8 * relative * away)
    errors = relative * (points if shares else values)
    with pytest.warns(RuntimeWarning, match="do not fall on one curve"):
        collapsed = collapse(T / M, M, points, errors, degree=2, bootstrap=400, rng=1)
    off = np.append(collapsed.value_exponent, collapsed.control_exponents) - 1
    normal = np.linalg.inv(tangents.T @ tangents)[3:, 3:]
    share = np.linalg.eigvals(np.linalg.solve(normal, collapsed.covariance - np.outer(off, off)))
    assert share == pytest.approx(1.0, abs=0.3)


def test_a_search_that_ends_beyond_a_hundred_found_no_exponent():
    m = np.repeat([1.0, 1.01, 1.02], 9)
    for exponent in (99.0, 101.0):
        values = np.exp(T - T**2 / 4) * m**-exponent
        options = {"guess": [exponent, 1.0], "degree": 2, "bootstrap": 20, "rng": 1}
        if exponent < 100:
            collapsed = collapse(T / m, m, values, 1e-6 * values, **options)
            assert collapsed.value_exponent == pytest.approx(exponent, rel=1e-9)
        else:
            with pytest.raises(ValueError, match="no collapse was found from the guess"):
                collapse(T / m, m, values, 1e-6 * values, **options)


def test_a_column_that_stands_twice_fits_nothing_more():
    problem = _Problem(np.zeros((1, 3)), np.zeros(3), np.zeros(3), np.ones(3), ((0,), (1,)))
    np.testing.assert_allclose(problem.rest(np.ones((3, 2)), np.array([1.0, 2.0, 3.0])), [-1, 0, 1], atol=1e-14)


@pytest.mark.parametrize("coefficient", [1 / 3, 2.0])
def test_far_below_criticality_noise_has_the_variance_of_a_line(coefficient):
    """Of dx = -|A| x dt + e dW it is e²/2|A|, whatever bends the function."""
    function = FixedFunction(3, coefficient)
    for distance in (-1e5, -1e10, -1e12):
        assert function.finite_depth(distance, 0.5) == pytest.approx(0.125 / -distance, rel=1e-9)
