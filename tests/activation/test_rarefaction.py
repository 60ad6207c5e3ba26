"""Rarefaction against enumeration of every subsample, exact fractions and simulation."""

import itertools
from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from statnn import testing
from statnn.activation import rarefaction
from statnn.activation._inference import rarefaction as _rarefaction

records = st.integers(1, 40).flatmap(
    lambda samples: st.tuples(st.lists(st.integers(0, samples), min_size=1, max_size=20), st.just(samples))
)


def growth_of_all_subsamples(fired, d):
    """Return K of every subsample of d rows, shape (subsamples,)."""
    return np.array([fired[list(rows)].any(axis=0).sum() for rows in itertools.combinations(range(len(fired)), d)])


@pytest.mark.parametrize("d", range(8))
def test_mean_is_that_of_all_subsamples_however_neurons_are_correlated(rng, d):
    fired = rng.random((7, 5)) < np.array([0.05, 0.2, 0.5, 0.9, 0.9])
    fired[:, 4] = fired[:, 3]
    rarefied = rarefaction(fired.sum(axis=0), 7, d)
    np.testing.assert_allclose(rarefied.working, growth_of_all_subsamples(fired, d).mean(), rtol=1e-14)


@pytest.mark.parametrize("together", [2**18, 8, 1])
@pytest.mark.parametrize("d", range(8))
def test_event_variance_is_that_of_all_subsamples(monkeypatch, d, together):
    monkeypatch.setattr(_rarefaction, "_TOGETHER", together)
    counts = np.array([0, 1, 1, 2, 3])
    fired = np.repeat(np.eye(5, dtype=bool), counts, axis=0)
    rarefied = rarefaction(counts, 7, d, events=True)
    growth = growth_of_all_subsamples(fired, d)
    np.testing.assert_allclose(rarefied.working, growth.mean(), rtol=1e-14)
    np.testing.assert_allclose(rarefied.variance, growth.var(), rtol=1e-12, atol=1e-14)


def test_sample_variance_is_that_of_independent_neurons(rng):
    counts, samples, d = np.array([0, 1, 2, 2, 5, 9, 12]), 12, 5
    rows = np.argsort(rng.random((20_000, counts.size, samples)), axis=-1)
    growth = ((rows[..., :d] < counts[:, None]).any(axis=-1)).sum(axis=-1)
    rarefied = rarefaction(counts, samples, d)
    testing.assert_mean(growth, rarefied.working[0], what="rarefied growth")
    testing.assert_mean((growth - rarefied.working[0]) ** 2, rarefied.variance[0], what="variance over subsamples")
    with testing.rejects():
        testing.assert_mean((growth - rarefied.working[0]) ** 2, 1.2 * rarefied.variance[0], what="variance + 20 %")


@given(records)
def test_agrees_with_exact_fractions(record):
    counts, samples = record
    at = np.arange(samples + 1)
    silent = [[Fraction(comb(samples - k, d), comb(samples, d)) for k in counts] for d in at.tolist()]
    rarefied = rarefaction(counts, samples, at)
    np.testing.assert_allclose(rarefied.working, [float(sum(1 - q for q in row)) for row in silent], rtol=1e-12)
    expected = [float(sum(q * (1 - q) for q in row)) for row in silent]
    np.testing.assert_allclose(rarefied.variance, expected, rtol=1e-11)


@given(records, st.randoms(use_true_random=False))
def test_grows_from_nothing_to_all_working_neurons(record, random):
    counts, samples = record
    rarefied = rarefaction(counts, samples, np.arange(samples + 1))
    assert rarefied.working[0] == rarefied.variance[0] == rarefied.variance[-1] == 0
    assert rarefied.working[-1] == np.count_nonzero(counts)
    steps = np.diff(rarefied.working)
    assert (steps >= -1e-12).all(), "growth"
    assert (np.diff(steps) <= 1e-12).all(), "each sample finds fewer new neurons than the one before"
    shuffled = random.sample(counts, len(counts))
    again = rarefaction(shuffled, samples, rarefied.at)
    np.testing.assert_array_equal(again.working, rarefied.working)


@given(st.lists(st.integers(0, 6), min_size=2, max_size=12).filter(any))
def test_competing_neurons_fluctuate_less(counts):
    at = np.arange(sum(counts) + 1)
    alone, together = (rarefaction(counts, sum(counts), at, events=e) for e in (False, True))
    np.testing.assert_array_equal(alone.working, together.working)
    assert (together.variance <= alone.variance + 1e-12).all()
    np.testing.assert_allclose(together.std**2, together.variance, rtol=1e-14)


def test_keeps_its_digits_at_1e18_samples():
    # one activation among D: silent with probability 1 - d/D exactly; two: (1 - d/D)(1 - d/(D-1))
    samples, d = 10**18, 3 * 10**5
    rarefied = rarefaction([1, 2], samples, d)
    p, q = Fraction(d, samples), Fraction(d, samples - 1)
    np.testing.assert_allclose(rarefied.working, float(p + p + q - p * q), rtol=1e-13)


def test_draws_itself():
    axes = Figure().add_subplot()
    assert rarefaction([0, 1, 5, 5], 10, np.arange(11)).plot(axes) is axes
    assert axes.get_xscale() == "log"
    assert "$K(d)$" in axes.get_ylabel()


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        (([1, 2], 10, 11), ValueError, r"at\[0\] = 11 .* \[0, 10\]"),
        (([1, 2], 10, [-1]), ValueError, r"at\[0\] = -1"),
        (([1, 2], 10, 2.5), TypeError, "whole numbers"),
        (([1, 12], 10, 3), ValueError, r"counts\[1\] = 12"),
        (([1.0, 2.0], 10, 3), TypeError, "astype"),
        (([[1, 2]], 10, 3), ValueError, "shape"),
        (([], 10, 3), (TypeError, ValueError), "counts"),
        (([1, 2], 0, 0), ValueError, "samples = 0"),
    ],
)
def test_bad_input_is_refused(arguments, error, match):
    with pytest.raises(error, match=match):
        rarefaction(*arguments)


def test_events_must_add_up():
    with pytest.raises(ValueError, match=r"sum to 3: pass samples=sum\(counts\)"):
        rarefaction([1, 2], 10, 3, events=True)
