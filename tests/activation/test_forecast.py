"""Errors that a fit will have, known before anything is recorded."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats
from strategies import examples

from statnn import testing
from statnn.activation import BetaBernoulli, GammaPoisson, PolyaUrn, fit, fit_errors


def trigamma(x):
    return special.polygamma(1, x)


def of_scores(process, samples, log_pmf, top):
    """Errors from E[score scoreᵀ], summed over all counts, with scores by central differences."""

    def at(b, c):
        return log_pmf(np.arange(top + 1), process.neurons, b, c, samples)

    b, c, h = process.b, process.c, 1e-4
    of_b = (at(b * (1 + h), c) - at(b * (1 - h), c)) / (2 * h * b)
    of_c = (at(b, c * (1 + h)) - at(b, c * (1 - h))) / (2 * h * c)
    scores = np.array([of_b, of_c])
    return np.sqrt(np.diag(np.linalg.inv(process.neurons * (scores * np.exp(at(b, c))) @ scores.T)))


def beta_binomial(k, neurons, b, c, samples):
    return stats.betabinom(samples, b, b * (neurons - c) / c).logpmf(k)


def negative_binomial(k, neurons, b, c, samples):
    return stats.nbinom(b, b * neurons / (b * neurons + c * samples)).logpmf(k)


@pytest.mark.parametrize(
    ("b", "c", "samples"),
    [*product([0.3], [5.0], [2, 30, 20_000]), *product([2.0], [40.0], [2, 30, 20_000]), (5000.0, 25.0, 20_000)],
)
def test_errors_are_those_of_the_information_of_all_counts(b, c, samples):
    process = BetaBernoulli(50, b, c)
    assert fit_errors(process, samples) == pytest.approx(of_scores(process, samples, beta_binomial, samples), rel=1e-6)
    process = GammaPoisson(50, b, c)
    top = int(stats.nbinom(b, b * 50 / (b * 50 + c * samples)).isf(1e-16))
    errors = fit_errors(process, samples)
    assert errors == pytest.approx(of_scores(process, samples, negative_binomial, top), rel=1e-5)


@examples(0.3)
@given(st.floats(0.5, 10), st.floats(0.01, 0.5))
def test_of_endless_samples_the_chances_are_known(b, share):
    """With endless samples each neuron's chance is known: the information is in trigammas, and errors fall to its."""
    c, beta = 200 * share, b * (1 - share) / share
    both = trigamma(b + beta)
    inner = np.linalg.inv(200 * np.array([[trigamma(b) - both, -both], [-both, trigamma(beta) - both]]))
    to_c = 200 / (b + beta) ** 2 * np.array([beta, -b])
    errors = fit_errors(BetaBernoulli(200, b, c), 10**18)
    assert errors == pytest.approx([math.sqrt(inner[0, 0]), math.sqrt(to_c @ inner @ to_c)], rel=1e-4)
    gamma = 1 / math.sqrt(200 * (trigamma(b) - 1 / b))
    assert fit_errors(GammaPoisson(200, b, c), 10**15)[0] == pytest.approx(gamma, rel=1e-4)
    assert (np.diff(fit_errors(BetaBernoulli(200, b, c), [10, 100, 10**4, 10**8])) < 0).all()


@pytest.mark.parametrize(("b", "mean"), [(1e5, 100.0), (1e7, 1e6), (1e7, 1e12)])
def test_of_chances_that_hardly_differ_a_part_of_the_spread_tells(b, mean):
    """The variance mean (1 + mean/b) is known to a relative (2/N)^1/2; b to that over the share of mean²/b in it."""
    b_error, c_error = fit_errors(GammaPoisson(1000, b, 5.0), int(200 * mean))
    assert b_error == pytest.approx(b * math.sqrt(2 / 1000) * (1 + b / mean), rel=1e-5)
    assert c_error == pytest.approx(5 * math.sqrt((1 / mean + 1 / b) / 1000), rel=1e-9)


@pytest.mark.parametrize("samples", [10**13, 10**15])
def test_chances_that_are_nearly_one_are_known_as_those_of_a_normal_law(samples):
    """The variance of a share is p(1-p)(ρ + (1-ρ)/D) with 1/ρ = bN/c + 1; b is known as well as the part ρ of it."""
    b, N = 1e7, 1000
    b_error, c_error = fit_errors(BetaBernoulli(N, b, 5.0), samples)
    p, own = 5 / N, 1 / (b * N / 5 + 1)
    chance = (1 - own) / samples
    assert b_error == pytest.approx(b * math.sqrt(2 / N) * (1 + chance / own), rel=1e-6)
    assert c_error == pytest.approx(math.sqrt(N * p * (1 - p) * (own + chance)), rel=1e-9)


def test_the_urn_knows_b_as_the_gamma_poisson_law_does():
    """Given the total, the counts of gamma-Poisson are those of the urn, whose total is always given."""
    urn, poisson = (fit_errors(law(1000, 0.3, 5.0), [10, 10**9]) for law in (PolyaUrn, GammaPoisson))
    assert urn[0] == pytest.approx(poisson[0], rel=0.02)
    assert urn[1].tolist() == [0, 0]


def test_a_fit_finds_them_on_average(rng):
    process, samples = BetaBernoulli(400, 0.5, 8.0), 500
    paths = process.simulate([samples], replicas=150, rng=rng, counts=True)
    fits = [fit(counts, samples) for counts in paths.counts[:, 0]]
    b_error, c_error = fit_errors(process, samples)
    testing.assert_mean([fitted.b_error for fitted in fits], b_error, bias=0.02 * b_error, what="stated errors of b")
    testing.assert_mean([fitted.c_error for fitted in fits], c_error, bias=0.02 * c_error, what="stated errors of c")
    with testing.rejects():
        testing.assert_mean(
            [fitted.b_error for fitted in fits], 1.4 * b_error, bias=0.02 * b_error, what="half the neurons"
        )


def test_shapes_are_those_of_samples():
    process = BetaBernoulli(100, 0.3, 5.0)
    alone, several = fit_errors(process, 100), fit_errors(process, [[100, 1000]])
    assert np.ndim(alone[0]) == 0
    assert several[0].shape == several[1].shape == (1, 2)
    assert several[0][0, 0] == alone[0]


@pytest.mark.parametrize(
    ("process", "samples", "error", "said"),
    [
        (BetaBernoulli, 10, TypeError, "process is a ABCMeta; pass one with the b and c that you expect"),
        (BetaBernoulli(9, 0.3, 1.0).after(4, [1] * 9), 10, ValueError, "has a start, of which no fit knows"),
        (BetaBernoulli(9, 0.3, 1.0), 1, ValueError, r"samples = 1 is outside the allowed range \[2"),
        (BetaBernoulli(9, 0.3, 1.0), 2.5, TypeError, "samples = 2.5 is a float"),
        (GammaPoisson(10**12, 10.0, 1e-12), 2, ValueError, "say nothing of b within float64: take more samples"),
        (GammaPoisson(2, 1e-3, 1.0), 10**18, ValueError, r"counts reach beyond 9e\+18: take fewer samples"),
    ],
)
def test_what_has_no_errors_says_so(process, samples, error, said):
    with pytest.raises(error, match=said):
        fit_errors(process, samples)
