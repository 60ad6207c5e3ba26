"""How many neurons will work after more samples: predictions of fits, and how often they hold."""

import contextlib
import warnings
from dataclasses import replace
from types import SimpleNamespace

import mpmath as mp
import numpy as np
import pytest
from matplotlib.figure import Figure

from statnn import testing
from statnn.activation import BetaBernoulli, GammaPoisson, PolyaUrn, fit
from statnn.activation._inference.goodness import draw

LAWS = (BetaBernoulli, PolyaUrn, GammaPoisson)


@pytest.mark.parametrize("law", LAWS)
def test_predictions_cover_what_comes(rng, law):
    """Those of 95 % cover 93 to 98 %; without the errors of b and c they cover two thirds, and are rejected."""
    paths = law(250, 0.4, 4.0).simulate([50, 20_000], 300, counts=True, rng=rng)
    hits, narrow = 0, 0
    for counts, (_, working) in zip(paths.counts[:, 0], paths.working, strict=True):
        fitted = fit(counts, 50, law=law, replicas=19)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one p-value of a hundred is below 1 %
            mean, low, high = fitted.predict(20_000)
        hits += low <= working <= high
        given = fitted.process.after(50, counts)
        assert mean == given.working(20_000)
        narrow += abs(working - mean) <= 1.96 * given.working_std(20_000)
    for covered, judged in (hits, contextlib.nullcontext()), (narrow, testing.rejects()):
        with judged:
            testing.assert_proportion(covered, 300, float(np.clip(covered / 300, 0.93, 0.98)), what="coverage")


@pytest.mark.parametrize("law", LAWS)
def test_predictions_have_the_shape_of_samples_and_stay_in_range(law):
    counts = law(300, 0.5, 6.0).simulate([100], counts=True, rng=1).counts[0, 0]
    fitted, now = fit(counts, 100, law=law), (counts > 0).sum()
    mean, low, high = fitted.predict([[100, 400], [10**6, 10**12]])
    assert mean.shape == low.shape == high.shape == (2, 2)
    assert mean[0, 0] == low[0, 0] == high[0, 0] == now
    assert (now <= low).all()
    assert (low <= mean).all()
    assert (mean <= high).all()
    assert (high <= 300).all()
    assert (mean[0, 1], low[0, 1], high[0, 1]) == fitted.predict(400)
    half = fitted.predict(400, level=0.5)
    assert low[0, 1] < half[1] < half[0] < half[2] < high[0, 1]
    assert fitted.predict(10**17)[1:] == (299, 300)
    counts = law(300, 9.0, 200.0).simulate([100], counts=True, rng=1).counts[0, 0]
    assert (counts > 0).all()
    assert fit(counts, 100, law=law).predict(1000) == (300, 300, 300)


def test_slopes_of_predictions_are_those_of_the_mean():
    """Of gamma-Poisson, by hand: N - K(D) = M ((b N + c D0)/(b N + c D))^b for M silent neurons."""
    counts = GammaPoisson(300, 0.5, 6.0).simulate([100], counts=True, rng=1).counts[0, 0]
    fitted = fit(counts, 100, law=GammaPoisson)
    b, c, silent = (mp.mpf(float(value)) for value in (fitted.b, fitted.c, (counts == 0).sum()))

    def mean(b, c):
        return 300 - silent * ((b * 300 + c * 100) / (b * 300 + c * 700)) ** b

    slopes = [float(mp.diff(mean, (b, c), orders)) for orders in ((1, 0), (0, 1))]
    assert fitted._slopes(fitted.process.after(100, counts), np.array(700)) == pytest.approx(slopes, rel=1e-7)
    assert fitted.predict(700)[0] == pytest.approx(float(mean(b, c)), rel=1e-12)


@pytest.mark.parametrize(("level", "z"), [(0.95, 1.959964), (0.5, 0.674490)])
def test_predictions_of_many_neurons_are_as_wide_as_normal_ones(level, z):
    """With so many neurons, neither the logit nor rounding to whole numbers changes the width by one in a hundred."""
    counts = BetaBernoulli(100_000, 0.5, 2000.0).simulate([100], counts=True, rng=1).counts[0, 0]
    fitted = fit(counts, 100)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one p-value of a hundred is below 1 %
        _, low, high = fitted.predict(1000, level)
    given = fitted.process.after(100, counts)
    slopes = fitted._slopes(given, np.array(1000))
    sigma = np.sqrt(given.working_std(1000) ** 2 + slopes @ fitted.covariance @ slopes)
    assert (high - low) / 2 == pytest.approx(z * sigma, rel=0.01, abs=1)


def test_predictions_of_a_law_that_counts_refute_are_told(rng):
    counts = draw(BetaBernoulli(400, 3.0, 250.0), 300, rng)
    counts[:80] = 0
    with pytest.warns(
        RuntimeWarning, match=r"BetaBernoulli is refuted by these counts \(p = .*compare\(counts, samples\)"
    ):
        fit(counts, 300).predict(600)
    nearly, hardly = (SimpleNamespace(p_value=p) for p in (0.0099, 0.0101))
    with pytest.warns(RuntimeWarning, match=r"\(p = 0\.0099\)"):
        replace(fit(counts, 300), goodness=nearly).predict(600)
    replace(fit(counts, 300), goodness=hardly).predict(600)  # a warning fails this test
    for samples, level, error, words in (
        (299, 0.95, ValueError, "299 are fewer than the 300 of the fit.*rarefaction"),
        ([400, 10], 0.95, ValueError, "10 are fewer than the 300"),
        (300.5, 0.95, TypeError, "samples"),
        (400, 95, ValueError, "0.95 for 95 %"),
    ):
        with pytest.raises(error, match=words):
            fit(counts, 300).predict(samples, level)


def test_predictions_of_more_events_than_floats_tell_apart():
    """Beyond 2^52 events c = n/D is rounded, so that c D differs from the n that it comes from."""
    counts = [2**56 + 1, 2**55 + 1, 2**54 + 3, 2**40 + 1, 5, 0]
    fitted = fit(counts, 10**17, law=PolyaUrn, replicas=19, rng=0)
    mean, low, high = fitted.predict(2 * 10**17)
    with mp.workdps(60):
        n, b = sum(counts), mp.mpf(fitted.b)
        silent = mp.gammaprod([5 * b + 2 * n, 6 * b + n], [6 * b + 2 * n, 5 * b + n])
    assert mean == pytest.approx(float(6 - silent), rel=1e-12)
    assert (low, high) == (5, 6)
    beside = [*counts[:-1], 64]
    with pytest.raises(ValueError, match=r"counts sum to .*, but samples = 100000000000000000 hold c D = "):
        fitted.process.after(10**17, beside)


def test_neurons_that_are_nearly_always_active_have_predictions():
    """c is nearer to N than the step of the numerical slopes elsewhere."""
    fitted = fit([99_990, 99_997, 99_985, 99_999, 99_992], 100_000, replicas=19, rng=0)
    assert 0 < 5 - fitted.c < 1e-4 * fitted.c
    assert fitted.predict(400_000) == (5.0, 5.0, 5.0)


def test_a_picture_of_a_fit_says_how_many_are_silent_and_how_many_should_be(rng):
    fitted = fit(draw(BetaBernoulli(300, 0.4, 10.0), 70, rng), 70)
    law, counts = (text.get_text() for text in fitted.plot(Figure().add_subplot()).get_legend().get_texts())
    assert counts == f"counts, silent {np.mean(fitted.counts == 0):.3g}"
    assert law == f"BetaBernoulli, b = {fitted.b:.3g},\nsilent {fitted.process.silent(70):.3g}"
