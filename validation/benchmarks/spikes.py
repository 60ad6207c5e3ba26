"""Speed of `statnn.measure.spikes` against numpy's var and mean, and elephant."""

import importlib
from collections.abc import Iterator
from itertools import product

import numpy as np

from statnn.measure import spikes
from validation.benchmarks.measure import Row, alternate

UNITS, WINDOWS, WINDOW, RATE = 1000, 10_000, 100, 0.05


def _numpy(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean = counts.mean(axis=0)
    return mean / WINDOW, counts.var(axis=0) / mean


def _counts(*, quick: bool) -> Iterator[Row]:
    for windows, dtype in product((1000,) if quick else (1000, WINDOWS), (np.int64, np.int32, np.uint8)):
        drawn = np.random.default_rng(1).binomial(WINDOW, RATE, (windows, UNITS))
        counts = drawn.astype(dtype)
        ratio = alternate(
            lambda counts=counts: spikes.from_window_counts(counts, WINDOW),
            lambda counts=counts: _numpy(counts),
            rounds=15,
        )
        read = alternate(
            lambda counts=counts: spikes.from_window_counts(counts, WINDOW),
            lambda counts=counts: counts.max(),
            rounds=15,
        )
        yield Row(
            f"rates and Fano factors, {UNITS} units x {windows} windows, {counts.dtype}",
            f"{ratio.ours * 1e3:.2f} ms",
            f"numpy var, mean: {ratio.peer * 1e3:.1f} ms",
            str(ratio),
            ratio.median,
            10,
            limit=f"{read.median:.2f} of reading once (numpy max)",
        )
    try:
        elephant = importlib.import_module("elephant.statistics")
    except ImportError:
        return
    trains = [np.arange(n, dtype=float) for n in drawn[:, 0]]
    ratio = alternate(
        lambda: spikes.from_window_counts(drawn, WINDOW),
        lambda: elephant.fanofactor(trains, warn_tolerance=None),
        rounds=5,
    )
    yield Row(
        f"Fano factors, {UNITS} units x {windows} windows (elephant: one unit, times {UNITS})",
        f"{ratio.ours * 1e3:.2f} ms",
        f"elephant fanofactor: {ratio.peer * UNITS:.2f} s",
        f"{ratio.median * UNITS:.0f}",
    )


def _stream(*, quick: bool) -> Iterator[Row]:
    """Time activations that come in batches, as in a long recording; numpy keeps the counts of all windows."""
    units, batch, batches = 10_000, 1_000, 2 if quick else 10
    x = np.random.default_rng(2).standard_normal((batch, units), dtype=np.float32) - np.float32(1.0)

    def ours(*, intervals: bool) -> spikes.SpikeStatistics:
        activity = spikes.Accumulator(units, window=WINDOW, intervals=intervals)
        for _ in range(batches):
            activity.update(x)
        return activity.result()

    def numpy_counts() -> np.ndarray:
        counts = np.concatenate([(x > 0).reshape(-1, WINDOW, units).sum(axis=1) for _ in range(batches)])
        return counts.var(axis=0) / counts.mean(axis=0)

    for intervals in (False, True):
        ratio = alternate(lambda intervals=intervals: ours(intervals=intervals), numpy_counts, rounds=3)
        yield Row(
            f"streamed activations, {units} units, {'with' if intervals else 'without'} intervals",
            f"{ratio.ours / (batches * batch * units) * 1e9:.2f} ns per sample",
            f"numpy counts, var, mean: {ratio.peer / (batches * batch * units) * 1e9:.2f} ns",
            str(ratio),
        )


BENCHMARKS = (_counts, _stream)
