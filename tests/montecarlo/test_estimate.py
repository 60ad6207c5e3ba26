"""Errors of correlated draws: against the exact autoregressive process, and against a second implementation."""

import math
import statistics
import warnings
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from arviz_stats.base import array_stats
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from statnn import testing
from statnn.montecarlo import UntrustedEstimate, _estimate, estimate
from statnn.montecarlo._estimate import _rhat, autocovariance, rhat, split
from statnn.testing import rejects


def autoregressive(rng, rho, chains, length):
    """Stationary x_t = rho x_{t-1} + noise of variance one: τ = (1+rho)/(1-rho), variance 1/(1-rho²)."""
    noise = rng.normal(size=(chains, length))
    noise[:, 0] /= np.sqrt(1 - rho**2)
    return signal.lfilter([1], [1, -rho], noise, axis=1)


def quietly(draws):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UntrustedEstimate)
        return estimate(draws)


@pytest.mark.parametrize("rho", [-0.5, 0.0, 0.5, 0.9])
def test_autocorrelation_time_of_an_autoregressive_process(rng, rho):
    """Over fresh runs the mean of τ is exact up to what truncation costs; a neighbour's τ is not."""
    exact = (1 + rho) / (1 - rho)
    tau = np.array([quietly(autoregressive(rng, rho, 4, 5000)).tau for _ in range(200)])
    tau = np.minimum(tau, 1.2 * exact)  # a single sum that ran on by chance would carry the spread
    testing.assert_mean(tau, exact, bias=0.06 * exact + 0.02, what=f"τ at ρ = {rho}")
    with rejects():
        testing.assert_mean(tau, (1.15 + rho) / (0.85 - rho), bias=0.06 * exact + 0.02, what="τ of another process")


@pytest.mark.parametrize("rho", [0.0, 0.8])
def test_errors_are_calibrated(rng, rho):
    """Deviations of 1000 runs from the exact mean, in units of their own errors by either rule, have variance one."""
    runs = [quietly(autoregressive(rng, rho, 4, 1500)) for _ in range(1000)]
    for rule in ("tau", "tau_sokal"):
        scores = np.array([run.mean / (run.error * np.sqrt(getattr(run, rule) / run.tau)) for run in runs])
        square = np.minimum(scores**2, 10.0)  # so that no single one carries the spread
        testing.assert_mean(square, 1.0, bias=0.1, what=f"variance of z-scores, ρ = {rho}, {rule}")
        testing.assert_mean(scores, 0.0, what=f"mean of z-scores, ρ = {rho}, {rule}")
        with rejects():
            testing.assert_mean(3 * square, 1.0, bias=0.1, what="errors too small by √3")


@given(st.integers(2, 6), st.integers(20, 400), st.floats(-0.8, 0.95), st.integers(0, 2**32))
def test_rhat_is_that_of_the_second_implementation(chains, length, rho, seed):
    draws = autoregressive(np.random.default_rng(seed), rho, chains, length)
    draws = np.round(np.ldexp(draws, 30))  # theirs takes distances from a median that is rounded; here it is exact
    theirs = float(array_stats.rhat(draws, chain_axis=0, draw_axis=1))
    assert rhat(draws) == pytest.approx(theirs, rel=1e-9)


@given(st.integers(1, 4), st.integers(4, 30), st.integers(-3, 9), st.integers(0, 2**32))
def test_rhat_is_that_of_rational_arithmetic(chains, length, decades, seed):
    """Distances from the median of rational numbers have the ties of an even number of draws, at any offset."""
    draws = np.random.default_rng(seed).normal(size=(chains, length)) + 10.0**decades
    halves = split(draws)
    exact = [Fraction(value) for value in halves.ravel()]
    middle = statistics.median(exact)
    distances = [abs(value - middle) for value in exact]
    place = {distance: k for k, distance in enumerate(sorted({*distances}))}
    folded = np.array([place[distance] for distance in distances], dtype=float).reshape(halves.shape)
    assert rhat(draws) == pytest.approx(max(_rhat(halves), _rhat(folded)), rel=1e-12)


@given(st.integers(1, 6), st.floats(-0.2, 0.9), st.integers(0, 2**32))
def test_effective_samples_are_those_of_the_second_implementation(chains, rho, seed):
    """Both cut Geyer's sequence; they treat the last pair differently, a matter of a few per cent."""
    draws = autoregressive(np.random.default_rng(seed), rho, chains, 2000)
    theirs = float(array_stats.ess(draws, method="mean", chain_axis=0, draw_axis=1))
    assert quietly(draws).ess == pytest.approx(theirs, rel=0.1)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e3), st.integers(0, 2**32))
def test_shift_and_scale(shift, scale, seed):
    draws = autoregressive(np.random.default_rng(seed), 0.5, 2, 200)
    first, second = quietly(draws), quietly(shift + scale * draws)
    roundoff = 1e-9 * (1 + abs(shift) / scale)
    assert second.tau == pytest.approx(first.tau, rel=roundoff)
    assert second.error == pytest.approx(scale * first.error, rel=roundoff)
    assert second.mean == pytest.approx(shift + scale * first.mean, rel=1e-9, abs=1e-9 * (scale + abs(shift)))


@given(st.integers(1, 3), st.integers(8, 60), st.integers(0, 2**32))
def test_autocovariance_is_the_sum_it_stands_for(chains, length, seed):
    draws = np.random.default_rng(seed).normal(size=(chains, length))
    centred = draws - draws.mean(axis=1, keepdims=True)
    naive = [(centred[:, t:] * centred[:, : length - t]).sum(axis=1) / length for t in range(length)]
    np.testing.assert_allclose(autocovariance(draws), np.transpose(naive), atol=1e-12)
    assert split(draws).shape == (2 * chains, length // 2)


def test_vectors_are_estimated_entry_by_entry(rng):
    draws = rng.normal(size=(3, 400, 2, 2))
    estimated = estimate(draws)
    assert estimated.mean.shape == estimated.error.shape == estimated.rhat.shape == (2, 2)
    alone = estimate(draws[:, :, 1, 0])
    assert estimated.tau[1, 0] == alone.tau
    assert estimated.ess[1, 0] == alone.ess
    assert isinstance(alone.mean, float)


# -- what is not to be trusted ---------------------------------------------------------------------------


def test_digits_do_not_depend_on_the_layout_of_draws(rng):
    draws = rng.normal(size=(4, 500, 20))
    together = estimate(draws)
    for k in range(20):
        alone = estimate(draws[:, :, k].copy())
        assert alone == estimate(np.asfortranarray(draws[:, :, k]))
        assert (alone.mean, alone.error, alone.rhat) == (together.mean[k], together.error[k], together.rhat[k])


def test_short_runs_warn_and_still_answer(rng):
    draws = autoregressive(rng, 0.99, 2, 500)
    with pytest.warns(UntrustedEstimate, match="too short for an autocorrelation time"):
        estimated = estimate(draws, "energy")
    assert estimated.mean == draws.mean()
    assert "energy" in str(estimated.warning)


@pytest.mark.parametrize(("chains", "length", "least"), [(1, 40, 50), (20, 9, 10), (1, 50, None), (5, 10, None)])
def test_a_run_is_long_enough_as_a_whole_and_in_every_chain(monkeypatch, rng, chains, length, least):
    """At τ = 1 there are 50 draws in all and 10 of a chain; either alone is not enough."""
    monkeypatch.setattr(_estimate, "_geyer", lambda rho: 1.0 + 0 * rho.size)
    monkeypatch.setattr(_estimate, "rhat", lambda draws: 1.0 + 0 * draws.size)
    estimated = quietly(rng.normal(size=(chains, length)))
    if least is None:
        assert estimated.warning is None
    else:
        assert f"{chains} chains of {length} draws are too short" in str(estimated.warning)
        assert f"take at least {least} draws per chain" in str(estimated.warning)


def test_chains_that_disagree_warn(rng):
    with pytest.warns(UntrustedEstimate, match="R-hat"):
        estimated = estimate(rng.normal(size=(4, 2000)) + np.arange(4)[:, None])
    assert estimated.rhat > 1.5
    assert estimated.ess < 20


def test_warnings_name_the_entry_of_an_array(rng):
    draws = rng.normal(size=(4, 400, 2, 3))
    draws[:, :, 1, 0] = draws[:, :, 1, 2] = 3.0
    draws[:, :, 0, 1] += np.arange(4)[:, None]
    draws[:, :, 0, 2] = autoregressive(rng, 0.99999, 4, 400)
    with pytest.warns(UntrustedEstimate) as said:
        estimate(draws, "c")
    words = str(said[0].message)
    assert words.startswith("c: 2 of 6 entries never changed, entry [1, 0] first: they are ")
    slow, apart = quietly(draws).tau, quietly(draws).rhat
    assert (
        f"time of {slow.max():.3g} draws of entry {[*map(int, np.unravel_index(slow.argmax(), (2, 3)))]}: take" in words
    )
    assert (
        f"R-hat = {apart.max():.3g} of entry {[*map(int, np.unravel_index(apart.argmax(), (2, 3)))]}: extend" in words
    )
    with pytest.warns(UntrustedEstimate, match=r"^c: 1 of 2 entries never changed, entry \[1\] first: they are"):
        estimate(np.stack([draws[:, :, 0, 0], draws[:, :, 1, 0]], axis=-1), "c")


def test_the_page_and_the_warning_have_one_threshold():
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "read-r-hat.md").read_text()
    assert f"above {_estimate.LARGEST_RHAT}, with a warning" in page
    assert f"R-hat exceeds {_estimate.LARGEST_RHAT}" in " ".join(estimate.__doc__.split())


def test_constants():
    with pytest.warns(UntrustedEstimate, match="never changed"):
        estimated = estimate(np.full((2, 100), 3.0))
    assert (estimated.mean, estimated.error, estimated.tau, estimated.ess, estimated.rhat) == (
        3.0,
        0.0,
        1.0,
        200.0,
        1.0,
    )


def test_frozen_chains_count_as_one_sample_each():
    with pytest.warns(UntrustedEstimate, match="R-hat"):
        estimated = estimate(np.repeat([[1.0], [-1.0], [1.0], [1.0]], 100, axis=1))
    assert estimated.mean == 0.5
    assert estimated.error == pytest.approx(0.5)
    assert (estimated.ess, estimated.tau, estimated.rhat) == (4.0, 100.0, np.inf)


@pytest.mark.parametrize("length", [4, 7, 1000])
def test_halves_that_are_frozen_apart_disagree_without_bound(length):
    """All chains jump once, at half time: nothing varies within a half, whatever its length rounds to."""
    with pytest.warns(UntrustedEstimate, match="R-hat = inf"):
        assert estimate(np.repeat([[0.0, 1.0]], length, axis=1).repeat(4, axis=0)).rhat == np.inf


@pytest.mark.parametrize(
    ("draws", "message"),
    [(np.zeros((3, 3)), "at least 4 draws"), (np.zeros(10), "at least 4 draws"), (np.full((2, 9), np.nan), "NaN")],
)
def test_bad_draws(draws, message):
    with pytest.raises(ValueError, match=message):
        estimate(draws)


@pytest.mark.parametrize("power", [-1022, -1000, -530, 665, 1000, 1021])
def test_units_do_not_matter(rng, power):
    """Powers of two change no digit, up to where the draws themselves end."""
    draws = rng.uniform(-4, 4, size=(4, 101))
    plain, scaled = quietly(draws), quietly(np.ldexp(draws, power))
    assert (scaled.mean, scaled.error) == (math.ldexp(plain.mean, power), math.ldexp(plain.error, power))
    np.testing.assert_allclose([scaled.tau, scaled.ess, scaled.rhat], [plain.tau, plain.ess, plain.rhat], rtol=1e-9)


LARGEST, SMALLEST = np.finfo(float).max, math.ulp(0.0)


def test_the_ends_of_float64():
    """Means and errors follow by hand for independent halves at plus and minus the largest number."""
    estimated = quietly(np.repeat([[LARGEST], [-LARGEST]], 8, axis=1))
    assert (estimated.mean, estimated.error, estimated.ess) == (0.0, LARGEST, 2.0)
    with pytest.warns(UntrustedEstimate, match="never changed"):
        estimated = estimate(np.full((2, 100), LARGEST))
    assert (estimated.mean, estimated.error) == (LARGEST, 0.0)
    estimated = quietly(np.tile([LARGEST, LARGEST / 2], (2, 50)))
    assert estimated.mean == pytest.approx(0.75 * LARGEST, rel=1e-15)
    assert 0 < estimated.error < 0.02 * LARGEST
    estimated = quietly(np.tile([SMALLEST, 0.0], (2, 50)))
    assert estimated.error == SMALLEST  # it does change
    assert "never changed" not in str(estimated.warning)
    with pytest.raises(ValueError, match=r"draws reach 1.8e\+308 and their error is beyond float64"):
        estimate(np.repeat([[LARGEST, -LARGEST]], 50, axis=1).reshape(1, -1))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, np.longdouble("1e400")])
def test_one_draw_that_is_no_number_is_refused(rng, bad):
    draws = rng.normal(size=(2, 50)).astype(np.longdouble)
    draws[1, 7] = bad
    with pytest.raises(ValueError, match="NaN, infinity, or what is beyond float64"):
        estimate(draws)


@pytest.mark.parametrize("length", [5, 501])
def test_a_draw_in_neither_half_is_counted(length):
    """One of n draws differs: the variance is (n - 1)/n², the error, as of independent draws, its root over √n."""
    draws = np.full((1, length), 0.1)
    draws[0, length // 2] = 1.1
    estimated = quietly(draws)
    assert estimated.mean == pytest.approx(0.1 + 1 / length)
    assert estimated.error == pytest.approx(np.sqrt(length - 1) / length / np.sqrt(length))
    assert (estimated.tau, estimated.ess, estimated.rhat) == (1.0, length, 1.0)


@pytest.mark.parametrize("draws", [np.ones((2, 8)) * 1j, np.array([["a"] * 8])])
def test_what_is_not_real_is_refused(draws):
    with pytest.raises(TypeError, match="must hold real numbers"):
        estimate(draws)


@pytest.mark.parametrize("shape", [(0, 10), (2, 10, 0), (10,), (2, 3)])
def test_what_has_no_draws_is_refused(shape):
    with pytest.raises(ValueError, match="at least 4 draws"):
        estimate(np.ones(shape))


def test_sokals_window_that_never_ends_takes_all_there_is():
    """For ρ = 1 everywhere the time up to t is 2t - 1, and no t is five times that; for ρ = 0 it is 1."""
    assert _estimate._sokal(np.ones(10)) == 19
    assert _estimate._sokal(np.eye(1, 10)[0]) == 1


def test_effective_samples_of_draws_that_alternate_are_cut_by_the_number_of_all():
    """Their correlations add up to about zero; the rule of Stan allows N log10 N effective samples for N draws."""
    assert quietly(np.tile([1.0, -1.0], (2, 250))).ess == pytest.approx(1000 * 3)


@pytest.mark.parametrize("length", [20, 50])
def test_many_short_chains_are_no_better_than_independent(rng, length):
    """About its own mean a half of length n is correlated by -1/n: errors would be a tenth too small at 20 draws."""
    estimated = estimate(rng.normal(size=(20_000 // length, length)))
    assert abs(estimated.tau - 1) < 0.1
    assert abs(estimated.error * np.sqrt(20_000) - 1) < 0.05


def test_axes_that_were_swapped_are_found(rng):
    """Draws by chains, as of emcee: each draw looks like a chain, and the error is √τ = 3 times too small."""
    draws = autoregressive(rng, 0.8, 32, 3000)
    estimated = estimate(draws)
    assert estimated.warning is None
    assert estimated.tau == pytest.approx(9, rel=0.3)
    with pytest.warns(UntrustedEstimate, match=r"each of 3000 chains follows .* these are \(draws, chains\)"):
        swapped = estimate(draws.T)
    assert swapped.error < estimated.error / 2
    assert estimate(rng.normal(size=(3000, 32))).warning is None
    relaxing = quietly(rng.normal(size=(3000, 32)) + np.exp(-np.arange(32) / 4) * 5)
    assert "follows" not in str(relaxing.warning)


def test_axes_with_names_are_read_by_name():
    xarray = pytest.importorskip("xarray")
    draws = xarray.DataArray(np.ones((4, 8)), dims=("draw", "chain"))
    with pytest.raises(ValueError, match=r"as .transpose\('chain', 'draw', ...\)"):
        estimate(draws)
    assert quietly(draws.transpose("chain", "draw")).mean == 1.0


def test_draws_of_several_observables_are_refused_in_words():
    """Records of arviz, xarray or a dict hold several observables, whose names must not be taken for draws."""
    xarray = pytest.importorskip("xarray")
    energy = xarray.DataArray(np.random.default_rng(1).normal(size=(2, 40)), dims=("chain", "draw"))
    posterior = xarray.Dataset({"energy": energy})
    trees = [xarray.DataTree.from_dict({"/posterior": posterior})] if hasattr(xarray, "DataTree") else []
    for several in ({"energy": energy}, posterior, *trees):
        with pytest.raises(TypeError, match=r"are a \w+ of several: pass one of them, draws\['energy'\]"):
            estimate(several)
    assert estimate(posterior["energy"]).mean == estimate(energy.to_numpy()).mean


@pytest.mark.parametrize(("chains", "draws", "swapped"), [(50, 40, False), (400, 4, True), (400, 400, False)])
def test_neighbours_must_be_alike_beyond_chance_to_be_draws(chains, draws, swapped):
    """Each chain of a wave correlates by 0.4 with the next: 2.8 standard errors for fifty chains, 8 for four hundred.

    Axes with as many draws as chains, or more, are as they should be.
    """
    wave = np.cos(np.arccos(0.4) * np.arange(chains)[:, None] + np.arange(draws))
    assert ("swap the two axes" in str(quietly(wave).warning)) == swapped


def test_sokal_ends_at_the_first_window_of_five_times():
    """For ρ_t = 2^-t the time up to M is 3 - 2^(1-M), five times which is below M from 15 on."""
    assert _estimate._sokal(0.5 ** np.arange(100)) == 3 - 2.0**-14


def test_geyers_sequence_that_stays_positive_takes_all_pairs():
    """Of ρ_t = 2^-t up to t = 9: the time is 2 (2 - 2^-9) - 1, and a draw without a partner is left out."""
    rho = 2.0 ** -np.arange(10)
    assert _estimate._geyer(rho) == _estimate._geyer(np.append(rho, 2.0**-10)) == 3 - 2**-8


def test_an_offset_that_floats_hold_costs_no_digits(rng):
    draws = np.round(10 * autoregressive(rng, 0.5, 2, 200))
    plain, far = quietly(draws), quietly(draws + 2.0**45)
    assert (far.tau, far.error, far.ess) == pytest.approx((plain.tau, plain.error, plain.ess), rel=1e-9)
