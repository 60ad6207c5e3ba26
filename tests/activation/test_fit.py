"""Fits of (b, c): derivatives, recovery, coverage, calibrated tests of fit, and data that cannot be fitted."""

import contextlib
import inspect
import math
import warnings
from typing import get_type_hints

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from scipy import special, stats

from statnn import testing
from statnn._random import root
from statnn.activation import BetaBernoulli, GammaPoisson, PolyaUrn, compare, fit, rarefaction
from statnn.activation._inference import goodness, likelihood
from statnn.activation._inference.estimate import NoFiniteFitError, covariance, estimate, process_at
from statnn.activation._inference.goodness import (
    _beta_binomial_table,
    _cells,
    bootstrap,
    chi_square,
    cumulative,
    distance,
    draw,
)
from statnn.activation._inference.likelihood import Tally

LAWS = (BetaBernoulli, PolyaUrn, GammaPoisson)

CASES = [  # counts, samples, b, c/N
    ([0, 0, 1, 3, 7, 10, 10], 10, 0.4, 0.3),
    ([0, 0, 0, 0, 2, 0, 31], 10_000, 0.05, 1e-4),
    ([5_000_000, 20, 999_999_999], 10**9, 2.5, 0.4),
    ([3, 4, 6, 2, 5], 8, 300.0, 0.5),
]


def beta_bernoulli_by_mpmath(counts, samples, log_b, logit):
    b, beta = mpmath.exp(log_b), mpmath.exp(log_b - logit)
    pieces = (
        mpmath.binomial(samples, k) * mpmath.beta(k + b, samples - k + beta) / mpmath.beta(b, beta) for k in counts
    )
    return mpmath.fsum(mpmath.log(piece) for piece in pieces)


def polya_urn_by_mpmath(counts, _samples, log_b):
    b, n = mpmath.exp(log_b), sum(counts)
    weights = mpmath.fsum(mpmath.log(mpmath.rf(b, k) / mpmath.factorial(k)) for k in counts)
    return weights - mpmath.log(mpmath.rf(b * len(counts), n) / mpmath.factorial(n))


def gamma_poisson_by_mpmath(counts, _samples, log_b):
    b, m = mpmath.exp(log_b), mpmath.mpf(sum(counts)) / len(counts)
    stop = b / (b + m)
    return mpmath.fsum(
        mpmath.log(mpmath.rf(b, k) / mpmath.factorial(k)) + b * mpmath.log(stop) + k * mpmath.log(1 - stop)
        for k in counts
    )


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", ["beta_bernoulli", "polya_urn", "gamma_poisson"])
def test_likelihood_and_derivatives_agree_with_mpmath(case, name):
    counts, samples, b, share = case
    theta = [math.log(b), math.log(share / (1 - share))][: 2 if name == "beta_bernoulli" else 1]
    value, gradient, hessian = getattr(likelihood, name)(Tally.of(np.array(counts), samples), np.array(theta))

    def exact(*point):
        return globals()[f"{name}_by_mpmath"](counts, samples, *point)

    with mpmath.workdps(60):
        p = range(len(theta))
        orders = np.eye(len(theta), dtype=int)
        slopes = [float(mpmath.diff(exact, theta, tuple(orders[i].tolist()))) for i in p]
        curves = [[float(mpmath.diff(exact, theta, tuple((orders[i] + orders[j]).tolist()))) for i in p] for j in p]
        expected = float(exact(*theta))
    scale = 1e-11 * sum(counts)  # derivatives are differences of sums as large as the counts
    assert value == pytest.approx(expected, rel=1e-11)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-9, atol=scale)
    np.testing.assert_allclose(hessian, curves, rtol=1e-9, atol=scale)


def test_likelihood_agrees_with_scipy(rng):
    counts = rng.binomial(50, rng.beta(0.5, 3.0, 200))
    fitted = fit(counts, 50)
    beta = fitted.b * (200 - fitted.c) / fitted.c
    assert fitted.log_likelihood == pytest.approx(stats.betabinom.logpmf(counts, 50, fitted.b, beta).sum(), rel=1e-12)
    fitted = fit(counts, 50, law=GammaPoisson)
    law = stats.nbinom(fitted.b, fitted.b / (fitted.b + counts.mean()))
    assert fitted.log_likelihood == pytest.approx(law.logpmf(counts).sum(), rel=1e-12)
    assert fitted.c == pytest.approx(counts.sum() / 50, rel=1e-15)
    fitted = fit(counts, 50, law=PolyaUrn)
    law = stats.dirichlet_multinomial(np.full(200, fitted.b), counts.sum())
    assert fitted.log_likelihood == pytest.approx(law.logpmf(counts), rel=1e-11)


@pytest.mark.parametrize("law", LAWS)
def test_ends_at_the_maximum_and_says_so(rng, law):
    counts = draw(law(300, 0.4, 12.0), 100, rng)
    fitted = fit(counts, 100, law=law)
    assert fitted.converged
    assert fitted.residual < 1e-6
    assert fitted.message.startswith("converged in")
    assert isinstance(fitted.process, law)
    for factor in (0.98, 1.02):
        theta = [math.log(fitted.b * factor)]
        if law is BetaBernoulli:
            theta.append(math.log(fitted.c / (300 - fitted.c)))
        name = {BetaBernoulli: "beta_bernoulli", PolyaUrn: "polya_urn", GammaPoisson: "gamma_poisson"}[law]
        nearby = getattr(likelihood, name)(Tally.of(counts, 100), np.array(theta))[0]
        assert nearby < fitted.log_likelihood


@pytest.mark.parametrize("law", LAWS)
def test_errors_shrink_as_the_root_of_the_number_of_neurons(rng, law):
    few, many = (
        np.mean([fit(draw(law(n, 0.5, 0.05 * n), 100, rng), 100, law=law).b_error for _ in range(6)])
        for n in (1000, 16_000)
    )
    assert few / many == pytest.approx(4, rel=0.25)


def curvature(log_likelihood, at):
    """Minus the inverse Hessian, by central differences with steps of an eighth of a percent in each coordinate."""
    step = np.diag(np.array(at) / 800)
    hessian = np.array(
        [
            [sum(s * t * log_likelihood(at + s * u + t * v) for s in (1, -1) for t in (1, -1)) for v in step]
            for u in step
        ]
    )
    return -np.linalg.inv(hessian / (4 * np.outer(np.diag(step), np.diag(step))))


def test_errors_are_those_of_scipys_likelihood_in_b_and_c(rng):
    """Beta-Bernoulli at shares near 1, where c is not known like the rate of a rare event; and the two other laws."""
    N, D = 60, 40
    counts = draw(BetaBernoulli(N, 1.5, 48.0), D, rng)
    fitted = fit(counts, D)

    def beta_binomial(at):
        b, c = at
        return stats.betabinom(D, b, b * (N / c - 1)).logpmf(counts).sum()

    exact = curvature(beta_binomial, [fitted.b, fitted.c])
    np.testing.assert_allclose(fitted.covariance, exact, rtol=1e-3, atol=1e-5)
    assert fitted.c_error == pytest.approx(np.sqrt(exact[1, 1]), rel=1e-3)
    assert 1 - fitted.c / N < 0.3

    spikes = draw(GammaPoisson(N, 1.5, 48.0), D, rng)
    other = fit(spikes, D, law=GammaPoisson, rng=1)
    m = other.c * D / N
    exact = curvature(
        lambda at: stats.nbinom(at[0], at[0] / (at[0] + at[1] * D / N)).logpmf(spikes).sum(), [other.b, other.c]
    )
    size = np.sqrt(np.outer(np.diag(exact), np.diag(exact)))
    np.testing.assert_allclose(other.covariance / size, exact / size, atol=2e-3)
    assert other.c_error**2 == pytest.approx(N / D**2 * (m + m**2 / other.b), rel=1e-12)

    events = draw(PolyaUrn(N, 1.5), 2000, rng)

    def dirichlet(at):
        return (
            (special.gammaln(events + at[0]) - special.gammaln(at[0])).sum()
            + special.gammaln(N * at[0])
            - special.gammaln(events.sum() + N * at[0])
        )

    urn = fit(events, 2000, law=PolyaUrn, rng=1)
    np.testing.assert_allclose(urn.covariance[0, 0], curvature(dirichlet, [urn.b])[0, 0], rtol=1e-3)


def test_intervals_are_those_of_unbounded_scales(rng):
    """Intervals are z standard errors of ln b, of logit c/N, and of ln c."""
    N, z = 60, stats.norm.isf(0.05)
    fitted, other = (fit(draw(law(N, 1.5, 48.0), 40, rng), 40, law=law, rng=1) for law in (BetaBernoulli, GammaPoisson))
    share = fitted.c / N
    low, high = fitted.interval("c", 0.9)
    spread = z * fitted.c_error / N / (share * (1 - share))
    assert [low, high] == pytest.approx(
        N * special.expit(special.logit(share) + np.array([-spread, spread])), rel=1e-12
    )
    for outcome, name in ((fitted, "b"), (other, "b"), (other, "c")):
        value, error = getattr(outcome, name), getattr(outcome, f"{name}_error")
        assert outcome.interval(name, 0.9) == pytest.approx(
            (value * np.exp(-z * error / value), value * np.exp(z * error / value)), rel=1e-12
        )


@pytest.mark.parametrize(("law", "parameters"), [(BetaBernoulli, 2), (GammaPoisson, 2), (PolyaUrn, 1)])
def test_akaike_counts_what_is_free(rng, law, parameters):
    fitted = fit(draw(BetaBernoulli(60, 0.7, 12.0), 40, rng), 40, law=law, rng=1)
    assert fitted.aic == pytest.approx(2 * parameters - 2 * fitted.log_likelihood, rel=1e-14)


def test_comparison_divides_by_the_law_of_the_total(rng):
    """P(n) of beta-Bernoulli, the law of a sum of N independent counts, by N-fold convolution."""
    N, D = 200, 15
    counts = draw(BetaBernoulli(N, 1.2, 90.0), D, rng)
    compared = compare(counts, D)
    fitted, aic = next(pair for pair in zip(compared.fits, compared.aic, strict=True) if pair[0].aic != pair[1])
    assert isinstance(fitted.process, BetaBernoulli)
    weights = stats.betabinom(D, fitted.b, fitted.b * (N / fitted.c - 1)).pmf(np.arange(D + 1))
    total = np.array([1.0])
    for _ in range(N):
        total = np.convolve(total, weights)
    assert aic == pytest.approx(4 - 2 * (fitted.log_likelihood - np.log(total[counts.sum()])), abs=2 / N)
    for candidate, value in zip(compared.fits, compared.aic, strict=True):
        if isinstance(candidate.process, PolyaUrn):
            assert value == pytest.approx(4 - 2 * candidate.log_likelihood, rel=1e-14)
        if isinstance(candidate.process, GammaPoisson):
            law = stats.nbinom(N * candidate.b, N * candidate.b / (N * candidate.b + candidate.c * D))
            assert value == pytest.approx(4 - 2 * (candidate.log_likelihood - law.logpmf(counts.sum())), rel=1e-10)


def test_bootstrap_says_how_far_its_p_value_moves(rng):
    """Between streams p varies by its standard error; a seed repeats it; chi-square draws nothing."""
    counts = [0, 0, 1, 0, 2, 0, 0, 14, 3, 0, 40, 0, 1]
    tally = Tally.of(np.array(counts), 100)
    process = process_at(tally, BetaBernoulli, estimate(tally, BetaBernoulli).theta)
    outcomes = [bootstrap(tally, process, 99, root(rng)) for _ in range(40)]
    p, error = np.array([(outcome.p_value, outcome.p_error) for outcome in outcomes]).T
    larger = 100 * p - 1
    np.testing.assert_allclose(error, stats.beta(1 + larger, 100 - larger).std(), rtol=1e-12)
    dispersion = ((p - p.mean()) ** 2).sum() / np.mean(error**2)  # of binomial numbers: chi-square
    testing.assert_pvalue(2 * min(stats.chi2(39).cdf(dispersion), stats.chi2(39).sf(dispersion)), what="spread of p")
    with testing.rejects():
        testing.assert_pvalue(stats.chi2(39).sf(16 * dispersion), what="a quarter of the error")
    first, second = (fit(counts, 100, rng=3) for _ in range(2))
    assert (first.p_value, first.p_error) == (second.p_value, second.p_error)
    assert f"p = {first.p_value:.3g} ± {first.p_error:.2g}" in str(first)
    plenty = fit(draw(BetaBernoulli(400, 0.7, 40.0), 60, rng), 60)
    assert plenty.p_error == 0
    assert "±" not in str(plenty.goodness)


@pytest.mark.parametrize("at", [(250, 0.6, 30.0, 200), (10, 0.2, 5.0, 3), (1000, 3.0, 900.0, 10**6)])
def test_cells_have_the_probabilities_of_the_law_itself(at):
    *parameters, samples = at
    law, k = GammaPoisson(*parameters), np.unique(np.round(np.geomspace(1, 1e7, 300))) - 2
    np.testing.assert_array_equal(cumulative(law, samples, 10**7)(k), law.count(samples).cdf(k))


@pytest.mark.parametrize("law", LAWS)
def test_intervals_cover_and_tests_of_fit_are_calibrated(rng, law):
    # 500 data sets: a coverage of 0.7 instead of 0.95 would lie twelve standard errors away
    truth, samples = law(250, 0.6, 30.0), 200
    hits, p_values = np.zeros(2, dtype=int), []
    for _ in range(500):
        tally = Tally.of(draw(truth, samples, rng), samples)
        estimated = estimate(tally, law)
        process = process_at(tally, law, estimated.theta)
        error = np.sqrt(np.diag(covariance(tally, process, estimated.information)))
        hits += np.abs(np.log([process.b / truth.b, process.c / truth.c])) < 1.96 * error / [process.b, process.c]
        p_values.append(chi_square(tally, process).p_value)
    testing.assert_proportion(hits[0], 500, 0.95, what="coverage of b")
    testing.assert_uniform(p_values, what="chi-square p-values")
    if law is not PolyaUrn:
        testing.assert_proportion(hits[1], 500, 0.95, what="coverage of c")
    with testing.rejects():
        testing.assert_proportion(hits[0], 500, 0.70, what="coverage of b against 0.7")
    with testing.rejects():
        testing.assert_uniform(np.power(p_values, 3), what="cubed chi-square p-values")


def test_bootstrap_is_calibrated(rng):
    truth, p_values = BetaBernoulli(40, 0.7, 10.0), []
    for _ in range(200):
        tally = Tally.of(draw(truth, 60, rng), 60)
        process = process_at(tally, BetaBernoulli, estimate(tally, BetaBernoulli).theta)
        p_values.append(bootstrap(tally, process, 19, root(rng)).p_value - rng.random() / 20)
    testing.assert_uniform(p_values, what="bootstrap p-values")
    with testing.rejects():
        testing.assert_uniform(np.power(p_values, 5), what="fifth powers of p-values")


@pytest.mark.parametrize("goodness", ["chi-square", "bootstrap"])
def test_wrong_laws_are_seen(rng, goodness):
    # a fifth of the neurons is dead, and the law of the others leaves hardly any silent
    counts = draw(BetaBernoulli(400, 3.0, 250.0), 300, rng)
    counts[:80] = 0
    fitted = fit(counts, 300, goodness=goodness, rng=rng)
    assert fitted.p_value <= 0.005
    assert fitted.goodness.method == goodness
    assert fitted.statistic == fitted.goodness.statistic


def test_few_neurons_are_judged_by_bootstrap():
    fitted = fit([0, 0, 1, 0, 2, 0, 0, 14, 3, 0, 40, 0, 1], 100, rng=3)
    assert fitted.goodness.method == "bootstrap"
    assert "199 replicas" in str(fitted.goodness)
    assert fitted.goodness == fit([0, 0, 1, 0, 2, 0, 0, 14, 3, 0, 40, 0, 1], 100, rng=3).goodness


def test_cells_have_the_probabilities_of_the_law():
    for process, samples in (
        (BetaBernoulli(50, 0.3, 5.0), 400),
        (PolyaUrn(50, 0.3), 400),
        (GammaPoisson(50, 2.0, 5.0), 400),
    ):
        k = np.array([-1, 0, 1, 7, 60, 300])
        exact = process.count(samples).cdf(k)
        np.testing.assert_allclose(cumulative(process, samples, 300)(k), exact, rtol=1e-11)


@pytest.mark.parametrize("neurons", [30, 60, 300])
def test_every_cell_expects_five_neurons(neurons):
    cdf = cumulative(GammaPoisson(neurons, 0.8, 0.2 * neurons), 40, 400)
    ends = _cells(cdf, neurons, 400)
    assert ends.size > 2
    assert neurons * np.diff(cdf(ends), prepend=0.0, append=1.0).min() >= 5


def test_cells_of_long_ranges_join_smoothly():
    process, samples = BetaBernoulli(50, 0.6, 30.0), 10**8
    k = np.array([10.0, 10**6, 10**7, 5 * 10**7, samples - 2 * 10**6, samples - 10**5, samples - 1, samples])
    np.testing.assert_allclose(cumulative(process, samples, samples)(k), process.count(samples).cdf(k), rtol=1e-6)


@pytest.mark.parametrize(("b", "beta"), [(2000.0, 3.0), (0.2, 0.1), (5.0, 8000.0)])
def test_tables_do_not_underflow(b, beta):
    table = _beta_binomial_table(10_000, b, beta, 10_000)
    assert table[-1] == pytest.approx(1, rel=1e-9)


@settings(max_examples=40)
@given(st.lists(st.integers(0, 30), min_size=8, max_size=30), st.sampled_from(LAWS), st.randoms(use_true_random=False))
def test_neurons_have_no_order_and_estimates_no_nan(counts, law, random):
    tally = Tally.of(np.array(counts), 30)
    with contextlib.suppress(NoFiniteFitError):
        estimated = estimate(tally, law)
        again = estimate(Tally.of(np.array(random.sample(counts, len(counts))), 30), law)
        np.testing.assert_array_equal(estimated.theta, again.theta)
        assert np.isfinite([*estimated.theta, estimated.log_likelihood]).all()
        assert estimated.residual < 1e-6


def test_silent_neurons_belong_to_the_data(rng):
    counts = draw(BetaBernoulli(400, 0.4, 10.0), 100, rng)
    assert fit(counts, 100).b < 0.8 * fit(counts[counts > 0], 100).b


def test_intervals_stay_in_range():
    fitted = fit([10, 10, 10, 9, 10, 2, 10, 10, 10, 10], 10, rng=0)
    for level in (0.5, 0.95, 0.999):
        low, high = fitted.interval("b", level)
        assert 0 < low < fitted.b < high
        low, high = fitted.interval("c", level)
        assert 0 < low < fitted.c < high < 10
    urn = fit([10, 10, 10, 9, 10, 2, 10, 10, 10, 10] + [0] * 30, 10, law=PolyaUrn, rng=0)
    assert urn.interval("c") == (urn.c, urn.c)
    assert urn.c_error == 0


@pytest.mark.parametrize(
    ("counts", "samples", "law", "match"),
    [
        ([0, 0, 0], 10, BetaBernoulli, "all 3 counts are 0"),
        ([0, 0, 0], 10, GammaPoisson, "all 3 counts are 0"),
        ([10, 10, 10], 10, BetaBernoulli, "c = N"),
        ([0, 10, 10], 10, BetaBernoulli, "either never or in all 10"),
        ([0, 1, 1], 1, BetaBernoulli, "one sample gives c = 2"),
        ([5, 5, 5, 4, 6], 10, BetaBernoulli, "up to b = inf; c = 2.5"),
        ([5, 5, 5, 4, 6], 10, GammaPoisson, "up to b = inf; c = 2.5"),
        ([5, 5, 5, 4, 6], 10, PolyaUrn, "up to b = inf; c = 2.5"),
    ],
)
def test_counts_without_a_finite_fit_are_refused_and_say_c(counts, samples, law, match):
    with pytest.raises(ValueError, match=match):
        fit(counts, samples, law=law)


def test_a_poor_estimate_warns_and_is_shown():
    with pytest.warns(RuntimeWarning, match=r"hardly determined.*BetaBernoulli: b = "):
        fitted = fit([5, 5, 8, 2, 6, 4, 8, 3], 10, rng=0)
    assert fitted.b_error > fitted.b


@pytest.mark.parametrize(
    ("arguments", "options", "error", "match"),
    [
        (([1, 11], 10), {}, ValueError, r"= 11 exceeds samples = 10.* fit\(counts, samples, law=PolyaUrn\)"),
        (([1, -1], 10), {}, ValueError, r"counts\[1\] = -1"),
        (([1.0, 2.0], 10), {}, TypeError, "astype"),
        (([1, np.nan], 10), {}, TypeError, "whole numbers"),
        (([[1, 2]], 10), {}, ValueError, "shape"),
        (([1], 10), {}, ValueError, "two neurons"),
        (([1, 2], 10.0), {}, TypeError, "samples = 10.0"),
        (([1, 2], 0), {}, ValueError, "samples = 0"),
        (([1, 2], 10), {"law": "urn"}, TypeError, "law = 'urn'"),
        (([1, 2], 10), {"goodness": "ks"}, ValueError, "goodness = 'ks'"),
        (([1, 2], 10), {"replicas": 3}, ValueError, "replicas = 3"),
    ],
)
def test_bad_input_is_refused(arguments, options, error, match):
    with pytest.raises(error, match=match):
        fit(*arguments, **options)


@pytest.mark.parametrize(("name", "level", "match"), [("a", 0.95, "'b' and 'c'"), ("b", 95, "level = 95")])
def test_bad_intervals_are_refused(name, level, match):
    with pytest.raises(ValueError, match=match):
        fit([0, 1, 5, 9, 3, 0, 0], 10, rng=0).interval(name, level)


def test_large_counts_keep_their_digits(rng):
    # thinning a beta-Bernoulli record keeps its law: the fit at 1e12 samples agrees with the one at 1e4 thinned from it
    share = rng.beta(0.5, 20.0, 2000)
    large = fit(rng.binomial(10**12, share), 10**12)
    small = fit(rng.binomial(10**4, share), 10**4)
    assert large.converged
    assert large.b == pytest.approx(small.b, rel=0.1)
    assert large.c == pytest.approx(small.c, rel=0.01)


def test_comparison_finds_the_law_and_treats_urn_and_limit_alike(rng):
    compared = compare(draw(BetaBernoulli(3000, 2.0, 1800.0), 100, rng), 100)
    assert isinstance(compared.best.process, BetaBernoulli)
    assert compared.weights[0] > 0.999
    assert sum(compared.weights) == pytest.approx(1)
    assert np.log(compared.weights) == pytest.approx(
        math.log(compared.weights[0]) - np.subtract(compared.aic, compared.aic[0]) / 2
    )
    assert min(compared.p_values[1:]) < 1e-6 < compared.p_values[0]
    aic = {type(f.process): a for f, a in zip(compared.fits, compared.aic, strict=True)}
    assert aic[PolyaUrn] == pytest.approx(aic[GammaPoisson], abs=0.05)
    assert "ΔAIC" in str(compared)


def test_comparison_cannot_tell_what_counts_do_not_hold(rng):
    compared = compare(draw(GammaPoisson(2000, 0.5, 1.0), 500, rng), 500)
    assert max(compared.aic) - min(compared.aic) < 2


def test_comparison_names_laws_without_a_fit(rng):
    counts = draw(BetaBernoulli(400, 30.0, 280.0), 20, rng)  # spread between binomial and Poisson
    compared = compare(counts, 20)
    assert [type(fitted.process) for fitted in compared.fits] == [BetaBernoulli]
    assert set(compared.left_out) == {"PolyaUrn", "GammaPoisson"}
    with pytest.raises(ValueError, match="all 3 counts are 0"):
        compare([0, 0, 0], 10)


@pytest.mark.parametrize("law", LAWS)
def test_draws_itself(rng, law):
    axes = Figure().add_subplot()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fit(draw(law(300, 0.4, 10.0), 70, rng), 70, law=law).plot(axes) is axes
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert axes.get_ylabel() == "$P(D_i = k)$"


def test_comparison_draws_itself(rng):
    axes = Figure().add_subplot()
    assert compare(draw(BetaBernoulli(300, 0.4, 10.0), 70, rng), 70).plot(axes) is axes


def test_an_urn_with_all_events_on_one_neuron_has_no_fit():
    with pytest.raises(ValueError, match="all 500 events fell on one neuron"):
        fit([0] * 99 + [500], 500, law=PolyaUrn)
    assert fit([0] * 80 + [1] * 10 + [49] * 10, 500, law=PolyaUrn).b > 0


def test_help_fits_a_screen():
    """A screen of 32 lines holds the signature and what is passed; its types can be looked up."""
    for verb in (fit, compare, rarefaction):
        assert len(str(inspect.signature(verb))) < 300
        assert "counts" in get_type_hints(verb)
    summary = fit.__doc__.partition("Returns")[0]
    assert sum(1 + len(line) // 80 for line in (str(inspect.signature(fit)) + summary).splitlines()) <= 32


def test_a_comparison_is_of_fits_as_each_is_alone():
    counts = np.repeat([0, 1, 2, 3, 5, 8, 13, 21], [60, 40, 30, 20, 20, 10, 10, 10])  # enough for chi-square
    options = {"goodness": "bootstrap", "replicas": 19, "rng": 1}
    for fitted in compare(counts, 40, **options).fits:
        assert fitted == fit(counts, 40, law=type(fitted.process), **options)
        assert (fitted.goodness.method, fitted.goodness.replicas) == ("bootstrap", 19)


def test_the_distance_of_counts_from_a_law_is_that_of_cramer_and_von_mises():
    counts, law = np.arange(64) ** 2 // 60, stats.nbinom(0.7, 0.7 / 20.7)  # of mean 20
    gap = np.searchsorted(counts, counts, side="right") / 64 - law.cdf(counts)
    assert distance(Tally.of(counts, 100), GammaPoisson(64, 0.7, 12.8)) == pytest.approx(gap @ gap, rel=1e-12)


def test_replicas_that_fit_no_better_are_no_evidence(monkeypatch):
    """If every replica lies as far from its fit as the counts from theirs, p is 1."""
    tally = Tally.of(np.array([0, 0, 1, 3, 7, 10, 10]), 10)
    process = process_at(tally, BetaBernoulli, estimate(tally, BetaBernoulli).theta)
    alike = distance(tally, process)
    monkeypatch.setattr(goodness, "_distances", lambda task: [alike] * len(task[3]))
    assert bootstrap(tally, process, 99, root(1)).p_value == 1.0
