"""Derivations behind order, basins, correlation and tangent kernels; their oracle against scipy and enumeration."""

from fractions import Fraction
from itertools import combinations

import mpmath
import numpy as np
import pytest
import sympy as sp
from scipy import integrate, optimize, stats

from statnn.measure.correlation import neuronal_correlation, participation_ratio
from statnn.measure.order import pooled_ranks
from statnn.theory.measure import basin_oracle, permutations, radii, ranks


def test_the_slope_in_exact_fractions():
    """For every way to deal 3 of 7 ranks to a class, the slope from ranks is that from pairs."""
    for members in combinations(range(7), 3):
        labels = np.isin(np.arange(7), members).astype(int)
        wins = sum(m > o for m in members for o in range(7) if o not in members)
        exact = ranks.SLOPE.subs({ranks.share: sp.Rational(3, 7), ranks.area: sp.Rational(wins, 12)})
        mean = Fraction(sum(2 * m + 1 for m in members), 2 * 7 * 3)
        assert exact == 12 * (sp.Rational(mean.numerator, mean.denominator) - sp.Rational(1, 2))
        assert pooled_ranks(np.arange(7.0)[:, None], [[1.0], [1.0]], labels).slope[1] == pytest.approx(float(exact))


def test_nulls_are_those_of_the_package():
    a = np.random.default_rng(0).gamma(0.5, size=(11, 4))
    at = {permutations.D: 11}
    correlation = neuronal_correlation(a)
    assert correlation.null_mean_square == pytest.approx(float(permutations.SQUARED.subs(at)), rel=1e-14)
    assert correlation.null_mean_absolute == pytest.approx(float(permutations.ABSOLUTE.subs(at).evalf()), rel=1e-12)
    variances = a.var(axis=0, ddof=1)
    at |= {permutations.V: variances.sum(), permutations.Q: (variances**2).sum()}
    assert participation_ratio(a).null == pytest.approx(float(permutations.PARTICIPATION.subs(at)), rel=1e-12)


@pytest.mark.parametrize(("at", "threshold"), [(0, 0.5), (0.3, 0.5), (-0.99, 0.99), (0.5, 0.9), (0, 1e-4)])
def test_band_radii_solve_their_equation(at, threshold):
    radius = float(basin_oracle.band_radius(1, at, threshold))
    chance = stats.norm.cdf((1 - at) / radius) - stats.norm.cdf((-1 - at) / radius)
    assert chance == pytest.approx(threshold, rel=1e-12)
    symbolic = radii.BAND.subs({radii.m: 1, radii.x: sp.Float(at, 30), radii.sigma: sp.Float(radius, 30)})
    assert float(symbolic.evalf(20)) == pytest.approx(threshold, rel=1e-12)
    if at == 0:
        assert radius == pytest.approx(1 / stats.norm.ppf((1 + threshold) / 2), rel=1e-12)


@pytest.mark.parametrize(("classes", "threshold"), [(3, 0.5), (2, 0.7)])
def test_leads_solve_their_equation(classes, threshold):
    def missing(t):
        return (
            integrate.quad(lambda z: stats.norm.pdf(z) * stats.norm.cdf(z + t) ** (classes - 1), -12, 12)[0] - threshold
        )

    expected = optimize.brentq(missing, 0, 20, xtol=1e-13)
    assert float(basin_oracle.lead(classes, threshold, digits=8)) == pytest.approx(expected, rel=1e-7)
    if classes == 2:
        assert expected == pytest.approx(np.sqrt(2) * stats.norm.ppf(threshold), rel=1e-9)


def test_the_mean_radius_of_few_draws():
    """From the centre of a band the rays of a pair leave together: the k-th largest |z| has quantiles of a beta law."""
    for pairs, threshold, leaving in (
        (15, 0.5, {8: 1.0}), (501, 0.5, {251: 1.0}), (16, 0.5, {8: 0.5, 9: 0.5}), (15, 0.6, {6: 0.5, 7: 0.5}),
        (16, 0.8, {3: 0.1, 4: 0.9}), (20, 0.995, {1: 1.0}),
    ):  # fmt: skip
        expected = sum(
            part * stats.beta(pairs + 1 - k, k).expect(lambda u: -np.log(stats.norm.ppf((1 + u) / 2)), epsabs=1e-12)
            for k, part in leaving.items()
        )
        radius = float(basin_oracle.band_radius(1, 0, threshold))
        mean = basin_oracle.mean_log_radius(*basin_oracle.band_kept(1.0, 0.0), radius, 2 * pairs, threshold)
        assert mean == pytest.approx(expected, abs=1e-9)
    with pytest.raises(ValueError, match=r"40 draws are too few .* with the chance 0\.0003 it has no end"):
        basin_oracle.mean_log_radius(*basin_oracle.classes_kept(3, 0.7), 0.7 / float(basin_oracle.lead(3)), 40)
    with pytest.raises(ValueError, match=r"with the chance 0\.35 it has no end or is 0"):  # two rays of pairs, or fewer
        basin_oracle.mean_log_radius(lambda s: 0.6 * np.exp(-s), lambda s: 0.36 * np.exp(-s), 0.2, 4)


def test_the_threshold_of_draws_is_a_whole_number_where_it_is_meant_to_be():
    """Of 100 rays 55 are never left with the chance 3e-9, and 56 with 9e-10; in floats 0.55 · 100 is above 55."""

    def kept(s):
        return 0.27 + 0.73 * np.exp(-s)

    assert stats.binom.sf([54, 55], 100, 0.27) == pytest.approx([3.26e-9, 9.54e-10], rel=1e-3)
    with pytest.raises(ValueError, match=r"with the chance 3\.3e-09 it has no end"):
        basin_oracle.mean_log_radius(kept, lambda s: kept(s) ** 2, np.log(0.73 / 0.28), 100, 0.55)


def test_rays_of_a_pair_are_kept_together():
    sigma = np.geomspace(0.01, 100, 30)
    alone, both = (chance(sigma) for chance in basin_oracle.classes_kept(2, 0.7))
    assert alone == pytest.approx(stats.norm.cdf(0.7 / sigma / np.sqrt(2)), rel=1e-12)
    assert both == pytest.approx(2 * alone - 1, rel=1e-12)
    alone, both = (chance(sigma) for chance in basin_oracle.band_kept(1.0, 0.5))
    assert alone == pytest.approx(stats.norm.cdf(0.5 / sigma) - stats.norm.cdf(-1.5 / sigma), rel=1e-12)
    assert both == pytest.approx(2 * stats.norm.cdf(0.5 / sigma) - 1, rel=1e-12)
    for chances, radius in (
        (basin_oracle.band_kept(1.0, -0.9), basin_oracle.band_radius(1, -0.9)),
        (basin_oracle.classes_kept(10, 0.7), 0.7 / basin_oracle.lead(10)),
    ):
        assert chances[0](np.array([float(radius)])) == pytest.approx(0.5, rel=1e-12)


def test_areas_of_gaussian_classes():
    for distance in (0, 0.5, 3):
        area = basin_oracle.gaussian_area(distance)
        symbolic = ranks.GAUSSIAN_AREA.subs(ranks.d, sp.Rational(distance)).evalf(40) if distance else sp.Rational(1, 2)
        with mpmath.workdps(30):
            assert abs(area - mpmath.mpf(str(symbolic.evalf(35)))) < mpmath.mpf(10) ** -28
