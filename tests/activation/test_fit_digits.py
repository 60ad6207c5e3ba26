"""Fits of counts of any size, and the steepest growth of many neurons: terms that nearly cancel keep their digits."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from statnn.activation import BetaBernoulli, GammaPoisson, PolyaUrn, compare, fit
from statnn.activation._inference.estimate import CONVERGED, estimate
from statnn.activation._inference.goodness import chi_square, draw
from statnn.activation._inference.likelihood import Tally, beta_bernoulli, gamma_poisson, polya_urn
from statnn.activation._laws.special import digamma_beyond_scalar, flatness_scalar, trigamma_beyond_scalar
from statnn.activation._laws.weight_kernels import beta_binomial_slopes, negative_binomial_slopes
from statnn.testing.strategies import log_uniform


def rising(b, k):
    """ln (b)_k with its first two derivatives in b."""
    return [mpmath.psi(m, b + k) - mpmath.psi(m, b) if m >= 0 else mpmath.loggamma(b + k) - mpmath.loggamma(b)
            for m in (-1, 0, 1)]  # fmt: skip


def exactly(law, counts, samples, b, w):
    """Log-likelihood and its derivatives in (ln b, logit c/N), or in ln b alone, from digammas of 90 digits."""
    with mpmath.workdps(90):
        N, n, b, w = len(counts), sum(counts), mpmath.mpf(b), mpmath.mpf(w)
        value, on, on_slope = map(sum, zip(*(rising(b, k) for k in counts), strict=True))
        value -= sum(mpmath.loggamma(k + 1) for k in counts)
        if law is BetaBernoulli:
            rest, off, off_slope = map(sum, zip(*(rising(w, samples - k) for k in counts), strict=True))
            norm, slope, bend = (N * term for term in rising(b + w, samples))
            value += rest - norm + N * mpmath.loggamma(samples + 1)
            value -= sum(mpmath.loggamma(samples - k + 1) for k in counts)
            pull = b * (on - slope), w * (off - slope)
            bb, ww, bw = b * b * (on_slope - bend) + pull[0], w * w * (off_slope - bend) + pull[1], -b * w * bend
            return value, [sum(pull), -pull[1]], [bb + ww + 2 * bw, -bw - ww, ww]
        if law is PolyaUrn:
            norm, slope, bend = rising(b * N, n)
            value, first, second = value - norm + mpmath.loggamma(n + 1), on - N * slope, on_slope - N * N * bend
        else:
            mean = mpmath.mpf(n) / N
            value -= N * b * mpmath.log1p(mean / b) + n * mpmath.log1p(b / mean)
            first, second = on - N * mpmath.log1p(mean / b), on_slope + N * mean / (b * (b + mean))
        return value, [b * first], [b * b * second + b * first]


def assert_expansion(law, counts, samples, b, w, within=1e-6):
    expand = {BetaBernoulli: beta_bernoulli, GammaPoisson: gamma_poisson, PolyaUrn: polya_urn}[law]
    theta = np.array([math.log(b), math.log(b / w)][: 2 if law is BetaBernoulli else 1])
    b, w = math.exp(theta[0]), math.exp(theta[0] - (theta[1] if law is BetaBernoulli else 0.0))
    value, gradient, hessian = expand(Tally.of(np.array(counts), samples), theta)
    right, slope, bend = exactly(law, counts, samples, b, w)
    assert value == pytest.approx(float(right), rel=1e-12, abs=1e-9)
    exact = np.array(bend[:1] if len(bend) == 1 else [bend[:2], bend[1:]], dtype=float).reshape(hessian.shape)
    errors = np.maximum(np.sqrt(np.abs(np.diag(exact))), 1e-3)  # inverse standard errors
    assert np.abs((gradient - np.array(slope, dtype=float)) / errors).max() < within
    assert np.abs((hessian - exact) / np.outer(errors, errors)).max() < within


@pytest.mark.parametrize("law", [BetaBernoulli, GammaPoisson, PolyaUrn])
@pytest.mark.parametrize(("mean", "spread"), [(400, 50.0), (10**6, 3e3), (10**12, 3e6), (10**15, 1e8), (10**16, 3e8)])
def test_counts_of_any_size_are_fitted(law, mean, spread, rng):
    """b = mean²/(variance - mean) is so large that the logarithms of all terms cancel to the last digit and beyond."""
    counts = np.rint(mean + spread * rng.standard_normal(60)).astype(np.int64)
    estimated = estimate(Tally.of(counts, 10**18), law)
    b = math.exp(estimated.theta[0])
    w = b * (math.exp(-estimated.theta[1]) if law is BetaBernoulli else 1.0)
    assert estimated.residual < CONVERGED
    assert b == pytest.approx(counts.mean() ** 2 / (counts.var() - counts.mean()), rel=0.5)
    assert_expansion(law, counts.tolist(), 10**18, b, w, within=1e-6 if mean < 2**53 else 1e-5)
    _, gradient, hessian = exactly(law, counts.tolist(), 10**18, b, w)
    assert abs(gradient[0]) < 1e-5 * math.sqrt(-hessian[0])


@pytest.mark.parametrize("samples", [10**6, 10**13, 10**16, 10**18])
def test_few_activations_among_very_many_samples(samples, rng):
    """The likelihood is that of gamma-Poisson, whatever the number of samples."""
    counts = rng.negative_binomial(2, 0.02, size=500)
    fitted, limit = fit(counts, samples), fit(counts, samples, law=GammaPoisson)
    assert fitted.converged
    assert fitted.b == pytest.approx(limit.b, rel=1e-3 if samples < 10**9 else 1e-8)
    assert fitted.b_error == pytest.approx(limit.b_error, rel=1e-2 if samples < 10**9 else 1e-6)


@pytest.mark.parametrize("samples", [10**6, 10**13, 10**15, 10**17])
def test_active_and_silent_samples_are_alike(samples, rng):
    silent = rng.negative_binomial(2, 0.02, size=500)
    few, many = fit(silent, samples), fit(samples - silent, samples)
    assert many.converged
    assert many.b / few.b == pytest.approx(500 / few.c - 1, rel=1e-8)
    assert many.log_likelihood == pytest.approx(few.log_likelihood, rel=1e-12)


@given(
    counts=st.lists(st.integers(0, 1000), min_size=2, max_size=6),
    b=log_uniform(1e-4, 1e12),
    w=log_uniform(1e-4, 1e12),
    more=st.sampled_from([0, 10, 10**9, 10**17]),
    law=st.sampled_from([BetaBernoulli, GammaPoisson, PolyaUrn]),
)
@examples(0.5)
def test_expansions_are_those_of_digammas(counts, b, w, more, law):
    if not sum(counts):
        counts = [1, *counts]
    assert_expansion(law, counts, max(counts) + more, b, w)


@given(x=log_uniform(1e-9, 1e18), s=log_uniform(1e-18, 1e18))
@examples(0.5)
def test_what_is_beyond_logarithms_keeps_its_digits(x, s):
    with mpmath.workdps(120):
        at, step = mpmath.mpf(x), mpmath.mpf(s)
        rate, fall = (mpmath.psi(m, at + step) - mpmath.psi(m, at) for m in (0, 1))
        exact = rate - mpmath.log1p(step / at), -fall - step / (at + step) / at, 1 + at * fall / rate
    computed = digamma_beyond_scalar(x, s), trigamma_beyond_scalar(x, s), flatness_scalar(x, s)
    assert computed[:2] == pytest.approx([float(value) for value in exact[:2]], rel=1e-12, abs=0)
    assert computed[2] == pytest.approx(float(exact[2]), rel=1e-11, abs=1e-14 * min(1.0, (1 + s) / x))


@pytest.mark.parametrize(
    "process",
    [
        BetaBernoulli(10**15, 1e-12, 5.0),
        BetaBernoulli(10**15, 1e-14, 1e-3),
        BetaBernoulli(10**12, 1e-8, 5.0),
        PolyaUrn(10**15, 1e-13),
        BetaBernoulli(1000, 0.3, 5.0),
    ],
    ids=str,
)
def test_growth_of_many_neurons_of_small_b_is_steepest_where_digammas_say(process):
    with mpmath.workdps(100):
        b, x = mpmath.mpf(process.b), mpmath.mpf(process._exact_white.numerator) / process._exact_white.denominator

        def rise(D):
            first, second = (mpmath.psi(m, x + b + D) - mpmath.psi(m, x + D) for m in (0, 1))
            return 1 + D * second / first - D * first

        steepest = mpmath.mpf(process.inflection())
        assert rise(steepest * (1 - mpmath.mpf(10) ** -12)) > 0 > rise(steepest * (1 + mpmath.mpf(10) ** -12))


def test_one_event_beside_very_many_is_seen():
    """As a float the sum of the counts equals the largest of them, though not all events fell on one neuron."""
    counts = [2**60, 1]
    b = math.exp(estimate(Tally.of(np.array(counts), 2**61), PolyaUrn).theta[0])
    _, gradient, hessian = exactly(PolyaUrn, counts, 2**61, b, 1.0)
    assert abs(gradient[0]) < 1e-5 * math.sqrt(-hessian[0])


def test_slopes_are_their_twins(rng):
    counts, times = rng.integers(0, 1000, 50).astype(float), rng.integers(1, 9, 50).astype(float)
    for b, other in np.exp(rng.uniform(-9, 9, (20, 2))):
        for kernel, seen in ((beta_binomial_slopes, (counts, 1000 - counts, times, 1000.0, b, other)),
                             (negative_binomial_slopes, (counts, times, counts.mean(), b)),
                             (digamma_beyond_scalar, (b, other)), (trigamma_beyond_scalar, (b, other)),
                             (flatness_scalar, (b, other))):  # fmt: skip
            assert kernel(*seen) == kernel.py_func(*seen), kernel


@pytest.mark.parametrize("working", [2, 5])
def test_events_on_equal_neurons_have_a_finite_fit(working):
    """Some of 40 neurons have 20 events each; at the maximum the slope in b, by digammas, is zero."""
    counts = np.array([20] * working + [0] * (40 - working))
    b = math.exp(estimate(Tally.of(counts, 20 * working), PolyaUrn).theta[0])
    slope = working * rising(b, 20)[1] - 40 * rising(40 * b, 20 * working)[1]
    assert abs(slope) < 1e-5 * working / b


@pytest.mark.parametrize("neurons", [20, 25, 29, 400])
def test_chi_square_has_six_cells_of_five_neurons_or_is_not_made(neurons, rng):
    process = BetaBernoulli(neurons, 1.0, neurons / 3)
    goodness = chi_square(Tally.of(draw(process, 100, rng), 100), process)
    assert (goodness is None) == (neurons < 6 * 5)
    assert goodness is None or 6 <= goodness.cells <= neurons / 5


def test_intervals_of_hardly_determined_parameters_end_beyond_floats():
    """z error/b is in the thousands, and its exponential overflows."""
    counts = [36, 34, 35, 24, 27, 34, 27, 23, 32, 34]
    with pytest.warns(RuntimeWarning, match="hardly determined"):
        fitted = fit(counts, 100, replicas=19, rng=0)
    assert fitted.b_error > 1000 * fitted.b
    assert fitted.interval("b") == (0.0, np.inf)
    low, high = fitted.interval("b", 1e-5)
    assert 0 < low < fitted.b < high < np.inf


@pytest.mark.filterwarnings("ignore:b is hardly determined")
def test_neurons_that_are_nearly_always_active_are_to_be_fitted_by_their_silence():
    """As a float c/N = 1 - 3e-18 is 1, where the law ends; counts of silent samples keep all digits."""
    silent = np.array([7, 1, 0])
    with pytest.raises(ValueError, match=r"silent in 2.67 of 1e\+18 samples on average.* Fit .*, samples - counts"):
        fit(10**18 - silent, 10**18)
    with pytest.raises(ValueError, match=r"BetaBernoulli: .* silent in 2.67 of .*; PolyaUrn: "):
        compare(10**18 - silent, 10**18)
    assert fit(silent, 10**18, replicas=19, rng=0).c == pytest.approx(8e-18, rel=1e-12, abs=0)
