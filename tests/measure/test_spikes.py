"""Spike statistics: sums to the last digit, laws that must hold, streaming, and what must be refused."""

import itertools
import math
from fractions import Fraction
from types import SimpleNamespace

import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from matplotlib.figure import Figure

from statnn.measure import spikes
from statnn.measure.spikes import _spike_kernels as kernels

fired = hnp.arrays(bool, st.tuples(st.integers(8, 60), st.integers(1, 5)))
few = hypothesis.settings(max_examples=40)  # each compares many numbers


def slow(fires, window):
    """Return rates and Fano factors in fractions, None for silent units."""
    windows = len(fires) // window
    counts = fires[: windows * window].reshape(windows, window, -1).sum(axis=1)
    result = []
    for n in counts.T.tolist():
        mean = Fraction(sum(n), windows)
        result.append((mean / window, None if mean == 0 else Fraction(sum(k * k for k in n), windows) / mean - mean))
    return result


def gaps(fires):
    return [np.diff(np.flatnonzero(unit)) for unit in fires.T]


def same(first, second):
    for name in ("rate", "fano_factor", "null_fano_factor", "spikes", "squares"):
        np.testing.assert_array_equal(np.asarray(getattr(first, name)), np.asarray(getattr(second, name)))
    assert (first.windows, first.dropped) == (second.windows, second.dropped)
    for name in ("number", "mean", "cv", "cells", "total"):
        np.testing.assert_array_equal(
            np.asarray(getattr(first.intervals, name)), np.asarray(getattr(second.intervals, name))
        )


# -- exact sums --------------------------------------------------------------------------------------------


@few
@given(fired, st.integers(1, 4))
def test_agrees_with_fractions(fires, window):
    stats = spikes.statistics(fires, window=window)
    assert (stats.units, stats.windows, stats.dropped) == (
        fires.shape[1],
        len(fires) // window,
        len(fires) % window,
    )
    assert stats.samples == stats.windows * window
    for i, (rate, fano) in enumerate(slow(fires, window)):
        assert stats.rate[i] == float(rate)
        assert stats.silent[i] == (fano is None) == np.ma.getmaskarray(stats.fano_factor)[i]
        if fano is not None:
            assert stats.fano_factor[i] == pytest.approx(float(fano), rel=1e-15, abs=0)
    assert np.isnan(stats.fano_factor.data[stats.silent]).all(), "nothing that looks like a value lies under a mask"
    for i, gap in enumerate(gaps(fires)):
        assert stats.intervals.number[i] == gap.size
        if gap.size:
            assert stats.intervals.mean[i] == pytest.approx(gap.mean(), rel=1e-15)
            assert stats.intervals.cv[i] == pytest.approx(gap.std() / gap.mean(), rel=1e-12, abs=1e-14)
        else:
            assert stats.intervals.mean[i] is stats.intervals.cv[i] is np.ma.masked


@few
@given(fired, st.integers(1, 4))
def test_counts_are_another_way_in(fires, window):
    windows = len(fires) // window
    counts = fires[: windows * window].reshape(windows, window, -1).sum(axis=1)
    stats = spikes.statistics(fires[: windows * window], window=window)
    for dtype in (np.int64, np.uint8):
        again = spikes.from_window_counts(counts.astype(dtype), window)
        for name in ("rate", "fano_factor", "null_fano_factor", "spikes", "squares"):
            np.testing.assert_array_equal(np.asarray(getattr(again, name)), np.asarray(getattr(stats, name)))


def test_long_windows_do_not_overflow():
    counts = np.array([[10**6, 3], [0, 10**6], [999_983, 0]])
    stats = spikes.from_window_counts(counts, 10**6)
    for i, n in enumerate(counts.T.tolist()):
        mean = Fraction(sum(n), 3)
        assert stats.fano_factor[i] == pytest.approx(float(Fraction(sum(k * k for k in n), 3) / mean - mean), rel=1e-15)
    assert spikes.statistics(np.ones((3000, 1)), window=1000).squares.tolist() == [3 * 10**6]


def test_unbiased_variance_and_its_null_on_request():
    counts = np.array([[1, 5], [3, 5], [2, 0]])
    stats, plain = spikes.from_window_counts(counts, 10, ddof=1), spikes.from_window_counts(counts, 10)
    np.testing.assert_allclose(stats.fano_factor, counts.var(axis=0, ddof=1) / counts.mean(axis=0), rtol=1e-15)
    np.testing.assert_allclose(stats.null_fano_factor, 1.5 * plain.null_fano_factor, rtol=1e-15)


def test_means_leave_silent_units_out_and_count_them():
    stats = spikes.from_window_counts([[1, 0, 4], [3, 0, 4]], 4)
    assert stats.silent_units == 1
    assert stats.mean_rate == pytest.approx((0.5 + 0 + 1) / 3)
    assert stats.mean_working_rate == pytest.approx(0.75)
    assert stats.rate_variance == pytest.approx(np.var([0.5, 0, 1]))
    assert stats.mean_fano_factor == pytest.approx((0.5 + 0) / 2)
    assert stats.fano_variance == pytest.approx(np.var([0.5, 0]))
    assert stats.mean_null_fano_factor == pytest.approx((0.5 * 4 / 7 + 0) / 2)
    np.testing.assert_array_equal(stats.independent_fano_factor.compressed(), [0.5, 0])
    silent = spikes.from_window_counts(np.zeros((2, 3), dtype=int), 5)
    for name in ("mean_fano_factor", "mean_null_fano_factor", "fano_variance", "mean_working_rate"):
        with pytest.raises(ValueError, match="all 3 units are silent"):
            getattr(silent, name)
    assert "3 silent" in str(silent)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int64, np.int8, bool])
def test_every_type_of_activation(dtype):
    x = np.array([[0, 1], [1, 1], [0, 0], [1, 0], [1, 1], [0, 1]], dtype=dtype)
    same(spikes.statistics(x, window=2), spikes.statistics(x > 0, window=2))


def test_kernels_are_their_readable_twins(rng):
    x = (rng.random((53, 7)) < 0.4).astype(np.uint8)

    def counted(present, follow):
        counters = kernels.Counters(
            *np.zeros((3, 7), dtype=np.int64), np.full(7, -1), *np.zeros((2, 7), dtype=np.int64),
            np.zeros((7, kernels.CELLS), dtype=np.uint32),
        )  # fmt: skip
        filled = present(x, 3, 10, counters)
        follow(x, 100, counters)
        return (filled, *counters)

    fast = counted(kernels.present, kernels.follow)
    slow_twin = counted(kernels.present.py_func, kernels.follow.py_func)
    for by_kernel, by_twin in zip(fast, slow_twin, strict=True):
        np.testing.assert_array_equal(by_kernel, by_twin)
    arguments = fast[-1], kernels.SMALLEST, np.full(7, 0.41)
    tests = []
    for function in (kernels.geometric_fit, kernels.geometric_fit.py_func):
        out = np.empty(7), np.empty(7, dtype=np.int64)
        function(*arguments, *out)
        tests.append(out)
    np.testing.assert_array_equal(tests[0][1], tests[1][1])
    np.testing.assert_allclose(tests[0][0], tests[1][0], rtol=1e-12)  # powers of libm and of the compiler


@pytest.mark.parametrize("dtype", [np.uint8, np.uint32, np.uint64])
def test_moments_are_their_readable_twins(rng, dtype):
    counts = rng.integers(0, 9, (23, 7)).astype(dtype)
    plain = counts.astype(np.int64)
    for function in (kernels.moments, kernels.moments.py_func, kernels.wide_moments, kernels.wide_moments.py_func):
        for floats in (np.float32, np.float64):
            out = np.zeros((2, 7), dtype=np.int64)
            more = [9, np.zeros((3, 7), dtype=floats)] if function.__name__ == "moments" else []
            assert function(counts, *more, *out) == counts.max()
            np.testing.assert_array_equal(out, [plain.sum(axis=0), (plain**2).sum(axis=0)])
    if dtype is np.uint64:  # a count beyond 32 bits is not taken for its lower bits
        counts[3, 2] = 2**32 + 1
        assert kernels.moments(counts, 9, np.zeros((3, 7), np.float32), *np.zeros((2, 7), dtype=np.int64)) >= 2**32


@pytest.mark.parametrize("window", [100, 2**10, 2**10 + 1, 2**20, 10**8])
def test_sums_of_full_windows_are_whole_numbers(window):
    windows = min(1001, 3 * 10**9 // window)
    counts = np.full((windows, 3), window) - [0, 1, window]
    stats = spikes.from_window_counts(counts, window)
    assert stats.squares.tolist() == [int(n) ** 2 * windows for n in counts[0]]
    with pytest.raises(ValueError, match=rf"counts = {window + 1} is outside \[0, {window}\]"):
        spikes.from_window_counts(counts + 1, window)


def test_thresholds_beyond_single_precision_and_labels_that_equal_nothing():
    assert spikes.statistics(np.ones((4, 1), np.float32), threshold=1e300, window=2).silent_units == 1
    assert spikes.statistics(np.ones((4, 1), np.float32), threshold=-1e300, window=2).rate == 1
    with pytest.raises(ValueError, match="label = nan is not equal to itself"):
        spikes.Accumulator(1).update([[1.0]], label=float("nan"))


def test_counts_of_other_machines_and_labels_of_other_types():
    counts = np.random.default_rng(0).integers(0, 10, (50, 3))
    wanted = spikes.from_window_counts(counts, 10).fano_factor
    for dtype in (">i4", ">u2", "<i8"):
        assert np.array_equal(spikes.from_window_counts(counts.astype(dtype), 10).fano_factor, wanted)
    with pytest.raises(TypeError, match="labels are of the types int, str, which have no order"):
        spikes.statistics(np.zeros((40, 1)), window=5, order="blocked", labels=np.array([1, "a"] * 20, object))


def test_cells_of_intervals_cover_every_interval_once():
    interval = np.concatenate([np.arange(1, 5000), [7 << 19, (8 << 19) - 1, 8 << 19, 10**9]])
    cells = np.array([kernels.cell_of(int(k)) for k in interval])
    expected = np.searchsorted(kernels.SMALLEST, interval, side="right") - 1
    np.testing.assert_array_equal(cells, expected)
    assert kernels.SMALLEST.size == kernels.CELLS == cells.max() + 1


# -- laws --------------------------------------------------------------------------------------------------


@few
@given(fired, st.integers(1, 4), st.randoms(use_true_random=False))
def test_permuting_units_permutes_the_result(fires, window, random):
    order = random.sample(range(fires.shape[1]), fires.shape[1])
    first, second = spikes.statistics(fires, window=window), spikes.statistics(fires[:, order], window=window)
    np.testing.assert_array_equal(first.rate[order], second.rate)
    np.testing.assert_array_equal(np.asarray(first.fano_factor)[order], np.asarray(second.fano_factor))
    np.testing.assert_array_equal(first.intervals.cells[order], second.intervals.cells)


@few
@given(fired, st.integers(2, 4), st.randoms(use_true_random=False))
def test_order_inside_windows_and_of_windows_matters_to_intervals_alone(fires, window, random):
    windows = len(fires) // window
    rows = np.arange(windows * window).reshape(windows, window).tolist()
    shuffled = [random.sample(row, window) for row in random.sample(rows, windows)]
    first = spikes.statistics(fires[: windows * window], window=window)
    second = spikes.statistics(fires[np.ravel(shuffled)], window=window)
    for name in ("rate", "fano_factor", "null_fano_factor"):
        np.testing.assert_array_equal(np.asarray(getattr(first, name)), np.asarray(getattr(second, name)))


@few
@given(fired, st.integers(1, 4), st.lists(st.integers(0, 60), max_size=6))
def test_the_way_samples_are_cut_into_batches_does_not_matter(fires, window, cuts):
    activity = spikes.Accumulator(fires.shape[1], window=window)
    for batch in np.split(fires, sorted(min(cut, len(fires)) for cut in cuts)):
        activity.update(batch)
    assert activity.samples == len(fires)
    same(activity.result(), spikes.statistics(fires, window=window))


@few
@given(
    hnp.arrays(np.float64, (24, 3), elements=st.floats(-1e3, 1e3, width=32)),
    st.floats(-9, 9).filter(lambda x: x == 0 or abs(x) > 1e-300),  # rescaled it must not underflow
    st.integers(-20, 20),
)
def test_positive_rescaling_with_the_threshold_changes_nothing(x, threshold, power):
    scale = 2.0**power
    same(spikes.statistics(x, window=4), spikes.statistics(scale * x, window=4))
    same(spikes.statistics(x, threshold, 4), spikes.statistics(scale * x, scale * threshold, 4))
    each = np.full(3, threshold)
    same(spikes.statistics(x, threshold, 4), spikes.statistics(x, each, 4))


@few
@given(fired)
def test_higher_thresholds_give_lower_rates(fires):
    x = fires * np.linspace(1, 2, fires.shape[1])
    low, high = spikes.statistics(x, 0.5, 2), spikes.statistics(x, 1.5, 2)
    assert (high.rate <= low.rate).all()


@few
@given(fired, st.integers(1, 3))
def test_complementary_units_have_equal_variance(fires, window):
    on, off = spikes.statistics(fires, window=window), spikes.statistics(~fires, window=window)
    np.testing.assert_allclose(on.rate + off.rate, 1, rtol=1e-15)
    both = ~on.silent & ~off.silent
    np.testing.assert_allclose(
        (np.asarray(on.fano_factor) * on.rate)[both], (np.asarray(off.fano_factor) * off.rate)[both], atol=1e-13
    )


# -- orders ------------------------------------------------------------------------------------------------


def test_shuffled_keeps_rates_and_is_reproducible(rng):
    x = np.sort(rng.random((200, 3)), axis=0) - 0.5
    given_order = spikes.statistics(x, window=10)
    first, again, second = (spikes.statistics(x, window=10, order="shuffled", rng=seed) for seed in (1, 1, 2))
    same(first, again)
    np.testing.assert_array_equal(first.rate, given_order.rate)
    assert (given_order.fano_factor > first.fano_factor + 1).all()
    assert (first.squares != second.squares).any()


def test_blocks_hold_one_class_each_and_drop_what_is_left():
    labels = np.array(["b", "a", "b", "a", "a", "b", "b", "a", "a", "b", "b", "b"])
    fires = np.column_stack([labels == "a", labels == "b", np.zeros(12, bool)])
    stats = spikes.statistics(fires, window=2, order="blocked", labels=labels)
    assert (stats.windows, stats.dropped, stats.order) == (2 + 3, 1 + 1, "blocked")
    np.testing.assert_array_equal(stats.rate, [2 / 5, 3 / 5, 0])
    expected = [spikes.blocked_fano_factor(p, 2, weights=[2, 3]) for p in ([1, 0], [0, 1])]
    np.testing.assert_allclose(stats.fano_factor.compressed(), expected, rtol=1e-14)
    np.testing.assert_allclose(stats.null_fano_factor.compressed(), expected, rtol=1e-14)


def test_a_class_may_come_back():
    x = np.array([[1], [0], [1], [1], [0], [0], [1], [0]])
    activity = spikes.Accumulator(1, window=2)
    for label, batch in (("a", x[:3]), ("b", x[3:5]), ("a", x[5:])):
        activity.update(batch, label=label)
    stats = activity.result()
    assert (stats.windows, stats.dropped, stats.order) == (3, 1 + 1, "blocked")
    np.testing.assert_array_equal(stats.rate, [3 / 6])
    again = spikes.statistics(x[[0, 1, 5, 6, 3, 4]], window=2, order="blocked", labels=[0] * 4 + [1] * 2)
    assert stats.null_fano_factor[0] == again.null_fano_factor[0]


def test_null_is_the_mean_over_all_orders():
    fires = np.array([1, 1, 0, 1, 0, 0, 0, 0], dtype=bool)
    subsets = [
        spikes.statistics(np.isin(np.arange(8), chosen)[:, None], window=2)
        for chosen in itertools.combinations(range(8), 3)
    ]
    assert len({stats.null_fano_factor[0] for stats in subsets}) == 1
    mean = np.mean([stats.fano_factor[0] for stats in subsets])
    stats = spikes.statistics(fires[:, None], window=2)
    assert stats.null_fano_factor[0] == pytest.approx(mean, rel=1e-14)
    assert stats.null_fano_factor[0] == pytest.approx(spikes.shuffled_fano_factor(3 / 8, 2, 8), rel=1e-14)


def test_null_of_blocks_is_the_mean_over_all_orders_inside_classes():
    values = []
    for chosen, other in itertools.product(itertools.combinations(range(6), 2), itertools.combinations(range(4), 3)):
        fires = np.concatenate([np.isin(np.arange(6), chosen), np.isin(np.arange(4), other)])[:, None]
        stats = spikes.statistics(fires, window=2, order="blocked", labels=[0] * 6 + [1] * 4)
        values.append((stats.fano_factor[0], stats.null_fano_factor[0]))
    measured, null = np.transpose(values)
    assert np.ptp(null) == 0
    assert null[0] == pytest.approx(measured.mean(), rel=1e-14)


# -- pictures and refusals ---------------------------------------------------------------------------------


def test_draws_itself(rng):
    for silent, scale in ((0, "linear"), (10, "symlog")):  # of 20 windows
        counts = rng.binomial(100, 0.3, (20, 4)) * [1, 0, 1, 1]
        counts[:silent] = 0
        axes, stats = Figure().add_subplot(), spikes.from_window_counts(counts, 100)
        assert stats.plot(axes) is axes
        assert (axes.get_xlabel(), axes.get_yscale()) == ("firing rate $r$", scale)
        independent, null, units = (line.get_xydata().T for line in axes.lines)
        np.testing.assert_allclose(independent.sum(axis=0), 1)
        for (x, y), expected in ((null, stats.null_fano_factor), (units, stats.fano_factor)):
            np.testing.assert_array_equal([x, y], [stats.rate[[0, 2, 3]], expected.compressed()])
        assert "1 silent" in axes.get_legend().get_texts()[-1].get_text()


X = np.ones((10, 2))


@pytest.mark.parametrize(
    ("arguments", "options", "error", "match"),
    [
        ((np.ones(10),), {}, ValueError, r"shape \(10,\).*reshape"),
        ((np.ones((0, 2)),), {}, ValueError, "neither of them 0"),
        ((X, 0, 6), {}, ValueError, "n = 10 samples hold 1 of the two complete windows of 6"),
        ((X, 0, 0), {}, ValueError, "window = 0"),
        ((X, 0, 2.0), {}, TypeError, "window = 2.0"),
        ((X, np.nan, 2), {}, ValueError, "threshold = nan"),
        ((X, [0, 0, 0], 2), {}, ValueError, r"threshold has shape \(3,\)"),
        ((X, "high", 2), {}, TypeError, "threshold must be a real number"),
        ((X * [1, np.nan], 0, 2), {}, ValueError, r"activations\[0, 1\] = nan is not finite"),
        ((X * np.inf, 0, 2), {}, ValueError, "inf is not finite"),
        ((X * 1j, 0, 2), {}, TypeError, "complex"),
        ((X, 0, 2), {"order": "random"}, ValueError, "choose 'given', 'shuffled' or 'blocked'"),
        ((X, 0, 2), {"order": "blocked"}, ValueError, "pass labels="),
        ((X, 0, 2), {"labels": np.ones(10)}, ValueError, "does not use them"),
        ((X, 0, 2), {"order": "blocked", "labels": np.ones(9)}, ValueError, r"labels have shape \(9,\)"),
        ((X, 0, 2), {"order": "blocked", "labels": np.full(10, np.nan)}, ValueError, r"labels\[0\] is nan"),
        ((X, 0, 4), {"order": "blocked", "labels": np.arange(10) // 5 % 3}, None, ""),
        ((X, 0, 5), {"order": "blocked", "labels": np.arange(10) // 2}, ValueError, "of one class each"),
        ((X, 0, 2), {"ddof": 2}, ValueError, "ddof = 2"),
        ((X, 0, 2), {"intervals": 1}, TypeError, "intervals = 1 must be True or False"),
    ],
)
def test_bad_activations_are_refused(arguments, options, error, match):
    if error is None:
        assert spikes.statistics(*arguments, **options).windows == 2
        return
    with pytest.raises(error, match=match):
        spikes.statistics(*arguments, **options)


@pytest.mark.parametrize(
    ("counts", "window", "error", "match"),
    [
        ([[1.0], [2.0]], 5, TypeError, "float64"),
        ([[1], [6]], 5, ValueError, "counts = 6 is outside"),
        ([[1], [-1]], 5, ValueError, "counts = -1 is outside"),
        (np.array([[1], [2**63]], dtype=np.uint64), 5, ValueError, "outside"),
        ([[1]], 5, ValueError, "at least two windows"),
        ([1, 2], 5, ValueError, r"shape \(2,\)"),
        ([[1], [2]], 2 * 10**9, ValueError, "overflow"),
    ],
)
def test_bad_counts_are_refused(counts, window, error, match):
    with pytest.raises(error, match=match):
        spikes.from_window_counts(counts, window)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: spikes.independent_fano_factor(1.5), ValueError, "above 1: a rate is a share"),
        (lambda: spikes.independent_fano_factor([]), ValueError, "empty"),
        (lambda: spikes.shuffled_fano_factor(0.5, 11, 10), ValueError, "window = 11"),
        (lambda: spikes.blocked_fano_factor([0, 0], 5), ValueError, "silent unit"),
        (lambda: spikes.blocked_fano_factor([[0.5]], 5), ValueError, "one rate per class"),
        (lambda: spikes.blocked_fano_factor([0.5, 0], 5, weights=[0, 0]), ValueError, "not all 0"),
        (lambda: spikes.blocked_fano_factor([0.5, 0], 5, weights=[1]), ValueError, r"shape \(1,\)"),
        (lambda: spikes.from_window_counts([[1], [2]], 5).test("normal"), ValueError, "choose 'binomial'"),
        (lambda: spikes.from_window_counts([[1], [2]], 5).test("geometric"), ValueError, "no intervals"),
        (lambda: spikes.from_window_counts([[1], [2]], 5).test("poisson").adjusted("none"), ValueError, "'holm'"),
        (lambda: spikes.from_window_counts([[1], [2]], 5).test("poisson").rejected(5), ValueError, "level = 5"),
        (lambda: spikes.Accumulator(0), ValueError, "units = 0"),
        (lambda: spikes.Accumulator(2).result(), ValueError, "n = 0 samples hold 0"),
        (lambda: spikes.Accumulator(2).update(np.ones((3, 1))), ValueError, r"\(samples, 2\) is needed"),
        (lambda: spikes.Accumulator(2).update(X, label=[]), TypeError, "not one class that all samples"),
    ],
)
def test_other_bad_input_is_refused(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_a_bad_batch_leaves_nothing_behind():
    activity = spikes.Accumulator(2, window=2)
    activity.update(X[:3])
    with pytest.raises(ValueError, match="not finite"):
        activity.update(np.array([[1, 1], [np.nan, 1]]))
    activity.update(X[3:])
    stats = activity.result()
    activity.update(X)  # of which the result before knows nothing
    same(stats, spikes.statistics(X, window=2))


def test_fano_factors_of_nearly_equal_rates_keep_their_digits():
    p, q, window = 1 - 2.0**-40, 1.0, 10**15
    exact = (p * 2.0**-40 / 2 + window * 2.0**-82) / ((p + q) / 2)
    assert spikes.blocked_fano_factor([p, q], window) == pytest.approx(exact, rel=1e-14, abs=0)


class NotAvailable:
    """Stands for NA of pandas: whether it differs from another value is not available either."""

    def __ne__(self, other):
        return self

    def __bool__(self):
        raise TypeError("boolean value of NA is ambiguous")

    def __repr__(self):
        return "<NA>"


@pytest.mark.parametrize(
    "missing",
    [math.nan, complex(math.nan, 0), np.datetime64("NaT", "s"), np.float32("nan"), None, NotAvailable()],
    ids=repr,
)
def test_samples_of_no_class_are_refused(missing):
    """Objects have no order beside nan, and windows cut by such labels would mix classes."""
    known = np.arange(400) % 4
    kind = object if isinstance(missing, float) else np.asarray(missing).dtype  # that of None and NA is object, too
    labels = known.astype("M8[D]" if np.dtype(kind).kind == "M" else kind)
    labels[known == 3] = missing
    x = np.random.default_rng(1).normal(size=(400, 2))
    with pytest.raises(ValueError, match=r"labels\[3\] is (nan|\(nan|NaT|None|<NA>).*: every sample has a class"):
        spikes.statistics(x, window=10, order="blocked", labels=labels)


def test_labels_of_batches_are_values():
    """Tensors of one number are equal but hash differently, and must not make every batch a class of its own."""

    class Tensor(SimpleNamespace):
        __hash__ = object.__hash__

        def item(self):
            return self.value

    x = np.random.default_rng(1).normal(size=(80, 2)) + np.repeat([0, 1, 0, 1], 20)[:, None]
    results = []
    for label in (int, lambda k: Tensor(value=k)):
        activity = spikes.Accumulator(2, window=5)
        for k in range(4):
            activity.update(x[20 * k : 20 * k + 20], label=label(k % 2))
        results.append(activity.result())
    assert results[0] == results[1]


@pytest.mark.parametrize(
    "label", [np.datetime64("NaT", "s"), np.timedelta64("NaT", "s"), np.float32("nan"), np.ma.masked]
)
def test_labels_of_batches_that_are_missing_are_refused(label):
    with pytest.raises(ValueError, match="is not equal to itself"):
        spikes.Accumulator(2, window=5).update([[0.0, 1.0]], label=label)
