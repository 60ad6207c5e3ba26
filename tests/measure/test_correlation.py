"""Correlations and participation ratios: exact nulls by enumeration and simulation, and what must not matter."""

import itertools
import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from strategies import examples

from statnn import testing
from statnn.measure._deviations import deviations, standard_deviation
from statnn.measure.correlation import Correlation, neuronal_correlation, participation_ratio


def test_null_of_r_squared_is_that_of_all_permutations():
    a, b = np.array([0.0, 1.0, 5.0, 7.0, 7.0]), np.array([3.0, -1.0, 0.0, 0.0, 10.0])
    correlations = [neuronal_correlation(np.stack((a, b[list(p)]), axis=1)) for p in itertools.permutations(range(5))]
    assert math.isclose(np.mean([f.mean_square for f in correlations]), correlations[0].null_mean_square, rel_tol=1e-12)
    assert abs(np.mean([f.mean for f in correlations])) < 1e-15


def test_null_of_the_participation_ratio_is_that_of_all_permutations():
    columns = np.array([[0.0, 1.0, 5.0, 7.0], [3.0, -1.0, 0.0, 8.0], [1.0, 1.0, 2.0, 0.0]])
    inverse = []
    for first, second in itertools.product(itertools.permutations(range(4)), repeat=2):
        shuffled = np.stack((columns[0], columns[1][list(first)], columns[2][list(second)]), axis=1)
        inverse.append(1 / participation_ratio(shuffled).ratio)
    assert math.isclose(1 / np.mean(inverse), participation_ratio(columns.T).null, rel_tol=1e-12)


def test_independent_gaussian_units_show_the_nulls(rng):
    units, samples = 40, 30
    measures = [(neuronal_correlation(a), participation_ratio(a)) for a in rng.standard_normal((350, samples, units))]
    absolute, inverse, corrected = np.array([(c.mean_absolute, 1 / p.ratio, 1 / p.corrected) for c, p in measures]).T
    testing.assert_mean(absolute, measures[0][0].null_mean_absolute, what="mean |r|")
    with testing.rejects():
        testing.assert_mean(absolute, math.sqrt(2 / (math.pi * samples)), what="its limit of many samples")
    marchenko_pastur = 1 / units + (1 - 1 / units) / (samples - 1)
    testing.assert_mean(inverse, marchenko_pastur, bias=2 / (units * samples), what="1/PR")
    with testing.rejects():
        testing.assert_mean(inverse, 1 / units, bias=2 / (units * samples), what="1/PR of infinitely many samples")
    testing.assert_mean(corrected, 1 / units, bias=4 / (units * samples), what="corrected 1/PR")


def test_correction_finds_a_spectrum(rng):
    scale = np.array([3.0, 2.0, 1.0, 1.0, 0.5])
    mixing = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    truth = (scale**2).sum() ** 2 / (scale**4).sum()
    a = rng.standard_normal((20_000, 5)) * scale @ mixing
    assert math.isclose(participation_ratio(a).corrected, truth, rel_tol=0.05)
    assert math.isclose(participation_ratio(a).ratio, truth, rel_tol=0.05)
    few = [participation_ratio(a[i : i + 10]) for i in range(0, 20_000, 10)]
    bias = [abs(np.mean([1 / getattr(p, name) for p in few]) * truth - 1) for name in ("corrected", "ratio")]
    assert bias[0] < 0.5 * bias[1]


recordings = st.integers(0, 2**32).map(lambda seed: np.random.default_rng(seed).gamma(0.3, size=(12, 5)))


@examples(0.3)
@given(recordings, st.randoms(use_true_random=False), st.integers(-8, 8))
def test_orders_scales_and_shifts_do_not_matter(a, random, power):
    samples, units = (np.array(random.sample(range(n), n)) for n in a.shape)
    plain, moved = neuronal_correlation(a), neuronal_correlation(4.0**power * a[samples][:, units] - 3 * 4.0**power)
    np.testing.assert_allclose(moved.matrix, plain.matrix[np.ix_(units, units)], rtol=0, atol=1e-10)
    np.testing.assert_allclose(moved.mean_square, plain.mean_square, rtol=1e-9, atol=1e-12)
    ratio = participation_ratio(2.0**power * a[samples][:, units])
    np.testing.assert_allclose(ratio.ratio, participation_ratio(a).ratio, rtol=1e-12)
    np.testing.assert_allclose(plain.matrix, np.corrcoef(a.T), rtol=0, atol=1e-12)


@examples(0.3)
@given(recordings)
def test_ratio_is_that_of_the_eigenvalues_and_keeps_its_bounds(a):
    values = np.linalg.eigvalsh(np.cov(a.T))
    participation = participation_ratio(a)
    np.testing.assert_allclose(participation.ratio, values.sum() ** 2 / (values**2).sum(), rtol=1e-12)
    assert 1 - 1e-12 <= participation.ratio <= 5 + 1e-12
    wide = participation_ratio(a.T)
    values = np.linalg.eigvalsh(np.cov(a))
    np.testing.assert_allclose(wide.ratio, values.sum() ** 2 / (values**2).sum(), rtol=1e-12)
    assert wide.ratio <= 4 + 1e-12, "five samples span four directions"


def test_constant_units_are_counted_and_left_out():
    a = np.random.default_rng(0).standard_normal((9, 4))
    a[:, 2] = 0.1
    correlation = neuronal_correlation(a)
    assert correlation.constant == 1
    np.testing.assert_array_equal(correlation.varying, [0, 1, 3])
    assert correlation.matrix.shape == (3, 3)
    assert participation_ratio(a) == participation_ratio(a[:, [0, 1, 3]])
    small = 2.0**-900 * a
    small[:, 2] = 0.1
    assert participation_ratio(small) == participation_ratio(a), "a unit that rests sets no scale"


def test_one_unit_that_varies_has_a_direction_and_no_correlation():
    a = [[1.0, 0.0], [1.0, 1.0], [1.0, 3.0]]
    assert participation_ratio(a).ratio == participation_ratio(a).null == 1
    with pytest.raises(ValueError, match="1 of 2 units vary"):
        neuronal_correlation(a)


def test_many_units_of_few_samples_take_the_memory_of_the_samples(monkeypatch):
    monkeypatch.setattr("statnn._memory.available", lambda: 1e6)
    a = np.tile(np.eye(3), 200)
    assert participation_ratio(a).ratio == pytest.approx(2, rel=1e-12)


def test_no_correlation_is_beyond_one():
    """Rounding would take products of proportional columns beyond one."""
    correlation = neuronal_correlation(np.outer(np.sqrt(np.arange(50)), np.sqrt(np.arange(1, 200))))
    assert np.abs(correlation.matrix).max() == 1.0
    np.testing.assert_allclose(correlation.matrix, 1.0, rtol=1e-14)


def test_correlations_are_drawn_beside_the_law_of_independent_units():
    """In seven samples the law is (1 - r²)^(3/2)/B(1/2, 5/2); bars reach to ±1, where units that go together lie."""
    a = np.random.default_rng(0).standard_normal((7, 5))
    a[:, 1], a[:, 2] = 2 * a[:, 0], -a[:, 0]
    ax = neuronal_correlation(a).plot(Figure().add_subplot(), bins=9)
    r, density = ax.lines[0].get_data()
    np.testing.assert_allclose(density, (1 - r**2) ** 1.5 / (3 * math.pi / 8), rtol=1e-9)
    values, edges, _ = ax.patches[0].get_data()
    assert (edges[0], edges[-1]) == pytest.approx((-1, 1))
    assert np.sum(values * np.diff(edges)) == pytest.approx(1)


def test_large_and_small_numbers_stay_in_range():
    a = np.random.default_rng(0).standard_normal((9, 3))
    for scale in (1e-160, 1e160):
        np.testing.assert_allclose(participation_ratio(scale * a).ratio, participation_ratio(a).ratio, rtol=1e-12)
        np.testing.assert_allclose(neuronal_correlation(scale * a).matrix, neuronal_correlation(a).matrix, atol=1e-12)


def exact_correlations(a):
    """Pearson's r of the floats as they are stored, in fractions and one root."""
    columns = [[Fraction(value) for value in column] for column in np.transpose(a).tolist()]
    columns = [[value - sum(column) / len(column) for value in column] for column in columns]
    with mpmath.workdps(40):
        roots = [mpmath.sqrt(mpmath.mpf(s.numerator) / s.denominator) for s in (sum(v * v for v in c) for c in columns)]
        products = [[sum(x * y for x, y in zip(left, right, strict=True)) for right in columns] for left in columns]
        return np.array(
            [
                [float(mpmath.mpf(p.numerator) / p.denominator / roots[i] / roots[j]) for j, p in enumerate(row)]
                for i, row in enumerate(products)
            ]
        )


SCALES = [1.0, 1e-200, 1e200, 1e308, 3e-320, 7.0]
OFFSETS = [1e8, 0.0, -3e215, 0.0, 1e-319, 1e15]


def test_units_of_all_scales_and_offsets_beside_each_other(rng):
    """1e-200 beside 1e200, subnormal numbers, noise on 1e8: correlations are those of the floats as they are stored."""
    common = rng.uniform(-1, 1, (12, 1))
    a = (rng.uniform(-0.5, 0.5, (12, 6)) + 0.5 * common) * SCALES + OFFSETS
    exact = exact_correlations(a)
    np.testing.assert_allclose(neuronal_correlation(a).matrix, exact, rtol=0, atol=1e-14)
    assert np.abs(np.triu(exact, 1)).max() > 0.1
    with np.errstate(all="ignore"):
        naive = np.corrcoef(a.T)
        assert not np.allclose(naive, exact, rtol=0, atol=1e-3)
    for units in ([3], [0, 1, 3, 4]):  # the largest is all there is
        assert participation_ratio(a[:, units]).ratio == pytest.approx(1, rel=1e-14)


def test_participation_beside_a_large_offset(rng):
    a = rng.integers(-50, 50, (9, 4)) / 8
    assert participation_ratio(a + 2.0**40) == participation_ratio(a)
    assert participation_ratio(a * 2.0**-1060) == participation_ratio(a)
    assert participation_ratio(a * 2.0**1010) == participation_ratio(a)


def test_deviations_are_exact_powers_apart():
    centred, exponent = deviations(np.array([[1e300, 5e-324, 3.0], [-1e300, 1e-323, 3.0]]))
    np.testing.assert_array_equal(np.abs(centred), [[1, 0.5, 0], [1, 0.5, 0]] * np.array([centred[0, 0], 1, 1]))
    np.testing.assert_array_equal(np.ldexp(centred, exponent)[0], [1e300, -5e-324 / 2, 0])
    assert standard_deviation(np.array([1e8 + 1, 1e8 - 1])) == 1
    assert standard_deviation(np.array([1e-320, -1e-320]), ddof=1) == pytest.approx(
        np.sqrt(2) * 1e-320, rel=1e-3, abs=0
    )


@pytest.mark.parametrize("samples", [3, 10, 1000, 10**7, 10**15])
def test_null_of_the_absolute_value_keeps_its_digits(samples):
    computed = Correlation(np.eye(2), np.arange(2), 0, samples).null_mean_absolute
    with mpmath.workdps(50):
        exact = mpmath.exp(mpmath.loggamma(mpmath.mpf(samples - 1) / 2) - mpmath.loggamma(mpmath.mpf(samples) / 2))
        assert computed == pytest.approx(float(exact / mpmath.sqrt(mpmath.pi)), rel=1e-13)


def test_too_few_samples_leave_the_correction_open():
    square = np.array([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    assert math.isinf(participation_ratio(square).corrected)


@pytest.mark.parametrize("samples", [3, 5, 6, 20, 33, 50])
@pytest.mark.parametrize("scale", [0.1, 1.0, 3.7])
def test_samples_that_are_all_unlike_tell_no_ratio(samples, scale):
    """One unit for each sample: (tr C)²/tr C² is samples - 1, as for noise in any number of units: no ratio is told."""
    participation = participation_ratio(scale * np.eye(samples))
    assert math.isclose(participation.ratio, samples - 1, rel_tol=1e-12)
    assert math.isinf(participation.corrected)


@pytest.mark.parametrize(
    ("a", "error", "match"),
    [
        ([[1.0, 2.0]], ValueError, "at least 3 samples"),
        ([[1.0, 2.0], [3.0, 0.0]], ValueError, "at least 3 samples"),
        ([1.0, 2.0, 3.0], ValueError, "shape"),
        ([[1.0, np.nan]] * 4, ValueError, "nan"),
        ([["a", "b"]] * 4, TypeError, "real numbers"),
        ([[1.0, 2.0]] * 4, ValueError, "vary|varies"),
    ],
)
@pytest.mark.parametrize("function", [neuronal_correlation, participation_ratio])
def test_bad_input_is_refused(function, a, error, match):
    with pytest.raises(error, match=match):
        function(a)


def test_correction_rests_on_an_unbiased_square_of_the_covariance(rng):
    """f² (tr C² - (tr C)²/f)/((f - 1)(f + 2)), f = n - 1, has the mean tr Σ² for Gaussian units."""
    samples, variances = 6, np.array([4.0, 1.0, 0.25])
    a = rng.standard_normal((4_000, samples, 3)) * np.sqrt(variances)
    centred, f = a - a.mean(axis=1, keepdims=True), samples - 1
    covariance = np.einsum("rsi,rsj->rij", centred, centred) / f
    total, square = np.trace(covariance, axis1=1, axis2=2), (covariance**2).sum(axis=(1, 2))
    pure = f**2 * (square - total**2 / f) / ((f - 1) * (f + 2))
    testing.assert_mean(pure, (variances**2).sum(), what="tr Σ²")
    good = pure > 0
    corrected = np.array([participation_ratio(recording).corrected for recording in a[good]])
    np.testing.assert_allclose(corrected, (total**2 - 2 * pure / f)[good] / pure[good], rtol=1e-9)


def test_correlations_of_four_samples_are_drawn_beside_their_flat_law(rng):
    """p(r) = (1-r²)^((D-4)/2)/B(1/2, D/2-1) is a half at D = 4."""
    ax = neuronal_correlation(rng.normal(size=(4, 12))).plot(Figure().add_subplot())
    np.testing.assert_allclose(ax.lines[0].get_ydata(), 0.5, rtol=1e-12)
