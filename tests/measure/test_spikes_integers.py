"""Whole numbers of spike statistics, at the ends of their types too, which no test could reach sample by sample."""

import math
from fractions import Fraction

import numpy as np
import pytest

from statnn.measure import spikes


@pytest.mark.parametrize("dtype", ["i1", "<i2", ">i2", "<i4", ">i4", "i8"])
@pytest.mark.parametrize("window", [100, 200, 300, 40_000, 10**6, 10**9])
def test_negative_counts_are_refused_whatever_their_type(dtype, window):
    """-1 is 255 to a byte, and a window may hold as many spikes."""
    counts = np.array([[1, 2], [3, -1], [0, 100]], dtype=dtype)
    with pytest.raises(ValueError, match=rf"counts = -1 is outside \[0, {window}\]"):
        spikes.from_window_counts(counts, window)
    plain = spikes.from_window_counts(np.abs(counts), window)
    assert plain.spikes.tolist() == [4, 103]
    assert plain.squares.tolist() == [10, 10_005]


@pytest.mark.parametrize("windows", [300, 2000])
@pytest.mark.parametrize(("dtype", "window"), [("u1", 255), ("u2", 65_535), ("u4", 65_536), ("i4", 10**6)])
def test_sums_of_the_largest_counts_of_a_type(dtype, window, windows):
    counts = np.full((windows, 3), window, dtype=dtype)
    stats = spikes.from_window_counts(counts, window)
    assert set(stats.spikes.tolist()) == {windows * window}
    assert set(stats.squares.tolist()) == {windows * window**2}
    assert set(stats.fano_factor.tolist()) == {0}


@pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.int64, np.uint64])
def test_two_windows_of_half_of_all_samples(dtype):
    """M = 3e9: M² is just below 2^63. One sample a window more is refused."""
    T = 15 * 10**8
    stats = spikes.from_window_counts(np.array([[T, T, 1], [T, 0, 0]], dtype=dtype), T)
    assert stats.fano_factor.tolist() == [0, T / 2, 0.5]
    assert stats.rate.tolist() == [1, 0.5, 0.5 / T]
    with pytest.raises(ValueError, match="2 windows of 1500000001 exceed 3000000000 samples"):
        spikes.from_window_counts(np.array([[1], [0]], dtype=dtype), T + 1)


def accumulated(samples, window, *, spikes_before, squares, last, cells=()):
    """Return an accumulator of three units as it stands after so many samples, none of which need be gone through."""
    activity = spikes.Accumulator(3, window=window)
    activity._samples, activity._windows, activity._filled = samples, samples // window, samples % window
    counters = activity._counters
    counters.spikes[:], counters.squares[:], counters.last[:] = spikes_before, squares, last
    for cell, number in cells:
        counters.cells[:, cell] = number
    return activity


def test_histograms_of_intervals_pass_two_to_the_31():
    """A unit that always fires has 3e9 - 1 intervals of one sample, all in one cell."""
    M = 3 * 10**9
    before = 2**31 + np.array([-1, 0, 10**8])
    activity = accumulated(M - 4, 10, spikes_before=M - 10, squares=(M - 10) * 10, last=M - 5, cells=[(0, before)])
    activity._counters.intervals[:] = activity._counters.interval_squares[:] = before
    activity._counters.partial[:] = 6
    activity.update(np.ones((4, 3)))
    stats = activity.result()
    assert stats.intervals.number.tolist() == stats.intervals.total.tolist() == (before + 4).tolist()
    assert stats.intervals.cells[:, 0].tolist() == (before + 4).tolist()
    assert stats.intervals.mean.tolist() == [1, 1, 1]
    assert stats.intervals.cv.tolist() == [0, 0, 0]
    assert stats.fano_factor.tolist() == stats.null_fano_factor.tolist() == [0, 0, 0]
    for test in map(stats.test, ("binomial", "poisson")):
        assert np.isfinite(test.p_value.compressed()).all()
    with pytest.raises(ValueError, match="3000000001 samples exceed 3000000000"):
        activity.update(np.ones((1, 3)))
    assert activity.samples == M


def test_sums_of_squares_end_just_below_two_to_the_63():
    """Two windows of 1.5e9 samples, one interval over all of them: the largest squares that there can be."""
    T = 15 * 10**8
    activity = accumulated(2 * T - 1, T, spikes_before=[T, T, 1], squares=[T**2, T**2, 1], last=[0, 2 * T - 2, 0])
    activity._counters.partial[:] = [T - 1, 0, 0]
    activity.update(np.ones((1, 3)))
    stats = activity.result()
    assert stats.windows == 2
    assert stats.squares.tolist() == [2 * T**2, T**2 + 1, 2]
    exact = [0, Fraction(T**2 + 1, T + 1) - Fraction(T + 1, 2), 0]
    assert stats.fano_factor.tolist() == pytest.approx([float(factor) for factor in exact], rel=1e-15)
    assert stats.intervals.total.tolist() == [2 * T - 1, 1, 2 * T - 1]
    assert activity._counters.interval_squares.tolist() == [(2 * T - 1) ** 2, 1, (2 * T - 1) ** 2]
    assert stats.intervals.cv.tolist() == [0, 0, 0]


@pytest.mark.parametrize("interval", [1000, 10**6, 10**9])
def test_intervals_that_hardly_vary_keep_their_spread(interval):
    """ΣI²/n - (ΣI/n)² would leave nothing of one sample in 1e9."""
    activity = spikes.Accumulator(3, window=10)
    activity._windows = 2
    for i, gaps_of_unit in enumerate(([interval, interval + 1], [interval] * 3, [interval, interval, interval + 2])):
        activity._counters.cells[i, 0] = len(gaps_of_unit)
        activity._counters.intervals[i] = sum(gaps_of_unit)
        activity._counters.interval_squares[i] = sum(gap**2 for gap in gaps_of_unit)
    stats = activity.result().intervals
    mean = [interval + 0.5, interval, interval + 2 / 3]
    assert stats.mean.tolist() == pytest.approx(mean, rel=1e-15)
    assert (stats.cv * stats.mean).tolist() == pytest.approx([0.5, 0, np.std([0, 0, 2])], rel=1e-9)


@pytest.mark.parametrize("usual", [1, 2, 50])
def test_one_interval_among_many_keeps_its_digits(usual):
    """With one other interval among a million, the variance and 1 - r are small differences that keep all digits."""
    number, other = 10**6, usual + 1 if usual == 1 else usual - 1
    activity = spikes.Accumulator(1, window=10)
    activity._windows = 2
    activity._counters.cells[0, 0] = number + 1
    activity._counters.intervals[0] = total = number * usual + other
    activity._counters.interval_squares[0] = squares = number * usual**2 + other**2
    stats = activity.result().intervals
    exact = Fraction(squares * (number + 1), total**2) - 1
    assert stats.cv[0] ** 2 == pytest.approx(float(exact), rel=1e-14, abs=0)
    assert stats.null_cv[0] ** 2 == pytest.approx(float(1 - Fraction(number + 1, total)), rel=1e-14, abs=0)


def test_thresholds_are_whole_numbers_too():
    """As a float 2^53 + 1 is 2^53, so that 2^53 + 1 would be above itself: such thresholds are refused."""
    x = np.array([[2**53 + 1, 2**53 + 3]] * 4)
    for threshold in (2**53 + 1, np.array([2**53 + 1, 2**53])):
        with pytest.raises(ValueError, match=r"threshold = 9007199254740993 is a whole number beyond 2\^53"):
            spikes.statistics(x, threshold, window=2)
    assert spikes.statistics(x, 2**53 + 2, window=2).rate.tolist() == [0, 1]
    assert spikes.statistics(x, 2**53, window=2).rate.tolist() == [1, 1]


def test_thresholds_are_compared_in_double_precision():
    """The float32 of 0.1 is above it, that of 0.7 below."""
    x = np.full((4, 2), [0.1, 0.7], dtype=np.float32)
    assert spikes.statistics(x, [0.1, 0.7], window=2).rate.tolist() == [1, 0]


def test_what_is_not_finite_is_named_by_its_row_in_the_batch():
    """Batches of many units are processed two rows at a time."""
    x = np.zeros((4, 2**15))
    x[3, 5] = np.inf
    with pytest.raises(ValueError, match=r"activations\[3, 5\] = inf is not finite"):
        spikes.Accumulator(2**15, window=2).update(x)


@pytest.mark.parametrize("label", [[0], np.array([0, 1]), {"class": 0}], ids=["list", "array", "dict"])
def test_labels_of_samples_are_no_label_of_a_batch(label):
    with pytest.raises(TypeError, match="not one class that all samples of the batch have"):
        spikes.Accumulator(1, window=5).update([[0], [1]], label=label)


def test_batches_of_one_class_are_as_they_were_given():
    activity = spikes.Accumulator(units=1, window=2)
    for _ in range(2):
        activity.update([[1.0], [0.0]], label="one")
    assert activity.result().order == "given"
    activity.update([[1.0], [0.0]], label="another")
    assert activity.result().order == "blocked"


def test_what_is_done_to_a_result_is_not_done_to_the_next():
    activity = spikes.Accumulator(units=1, window=2)
    activity.update([[1.0], [0.0], [1.0], [0.0]])
    first, kept = activity.result(), activity.result()
    for array in (first.spikes, first.squares, first.intervals.total, first.intervals.cells, first.intervals.smallest):
        array[...] = 7
    assert activity.result() == kept
    assert kept.intervals.smallest[0] == 1


def test_intervals_of_which_one_is_shorter_keep_the_digits_of_their_spread():
    intervals = np.full(10**5, 3)
    intervals[-1] = 2
    fires = np.zeros((1 + intervals.sum(), 1), dtype=bool)
    fires[np.concatenate(([0], intervals.cumsum()))] = True
    chance = Fraction(1, intervals.size)  # the variance is that of a coin, and the mean is below three by its chance
    cv = math.sqrt(chance * (1 - chance) / (3 - chance) ** 2)
    assert spikes.statistics(fires).intervals.cv[0] == pytest.approx(cv, rel=1e-14, abs=0)


def test_a_class_without_a_whole_window_counts_as_dropped():
    activity = spikes.Accumulator(1, window=2)
    activity.update([[1]], label="a")
    activity.update([[0], [1], [0], [0]], label="b")
    stats = activity.result()
    assert (stats.windows, stats.dropped, stats.order) == (2, 1, "blocked")
    assert stats.spikes[0] == 1


def test_a_unit_that_always_spikes_has_a_null_of_zero():
    for classes in range(2, 30):  # shares of windows whose floats do not all add up to one
        labels = np.repeat(np.arange(classes), 14)
        stats = spikes.statistics(np.ones((labels.size, 1)), window=7, order="blocked", labels=labels)
        assert stats.fano_factor[0] == stats.null_fano_factor[0] == 0
