"""Spike statistics of activity that does not fit into memory: batches in, O(units) numbers kept."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statnn._arguments import Floats, Ints, array_of, as_floats, refuse_rounded, switch, whole
from statnn._labelled import names_along, refuse_other_places
from statnn._memory import refuse_beyond_memory
from statnn.measure.spikes._nulls import null_of_windows
from statnn.measure.spikes._spike_kernels import CELLS, SMALLEST, Counters, follow, present
from statnn.measure.spikes._statistics import Intervals, SpikeStatistics
from statnn.measure.spikes._tests import masked

MOST_SAMPLES = 3 * 10**9
"""Most samples: squares of counts and of intervals are summed in 64-bit integers."""

IN_CACHE = 2**16
"""Activations that are checked and compared while they are in the cache."""


class Accumulator:
    """Spike statistics of samples that come batch by batch, in the order in which they come.

    Rates, Fano factors and intervals of all units are followed in whole numbers, so that the result does not depend
    on how the samples are cut into batches. Memory is about 0.4 kB per unit whatever the number of samples, most of it
    for intervals: 1e5 units take 40 MB.

    Parameters
    ----------
    units : int
        Number of units, at least 1.
    threshold : float or array_like, shape (units,)
        A unit spikes when its activation is above it (compared in double precision); 0 for ReLU.
    window : int
        T, samples per window.
    intervals : bool
        Whether to follow intervals between spikes.

    Raises
    ------
    TypeError, ValueError, MemoryError
        If an argument is out of range, or counts of this many units would not fit into memory.

    See Also
    --------
    statistics : of an array at once.

    Examples
    --------
    >>> activity = Accumulator(units=2, window=2)
    >>> for batch in ([[0.3, 0.0]], [[0.0, 0.0], [1.2, 0.0]], [[0.1, 0.0]]):
    ...     activity.update(batch)
    >>> summary = activity.result()
    >>> summary.rate, summary.silent, summary.fano_factor.round(4).tolist()
    (array([0.75, 0.  ]), array([False,  True]), [0.1667, None])
    """

    def __init__(self, units: int, *, threshold: ArrayLike = 0.0, window: int = 100, intervals: bool = True) -> None:
        self.units = whole(units, "units", minimum=1, maximum=10**9)
        self.window = whole(window, "window", minimum=1, maximum=MOST_SAMPLES)
        n = self.units
        kept = n if switch(intervals, "intervals") else 0
        refuse_beyond_memory(
            40.0 * n + (24.0 + 4 * CELLS) * kept,
            f"the statistics of {n} units",
            "follow fewer units, or leave intervals out by intervals=False" if kept else "follow fewer units",
            of=(n, "units"),
        )
        self._threshold = thresholds(threshold, n)
        self._names = names_along(threshold, 0)
        self._counters = Counters(
            spikes=np.zeros(n, dtype=np.int64),
            squares=np.zeros(n, dtype=np.int64),
            partial=np.zeros(n, dtype=np.int64),
            last=np.full(kept, -1, dtype=np.int64),
            intervals=np.zeros(kept, dtype=np.int64),
            interval_squares=np.zeros(kept, dtype=np.int64),
            cells=np.zeros((kept, CELLS), dtype=np.uint32),
        )
        self._samples = 0
        self._filled = 0
        self._dropped = 0
        self._label: Any = None
        self._closed: dict[Any, tuple[int, Ints]] = {}  # classes presented earlier: windows, spikes
        self._before = (0, np.zeros(n, dtype=np.int64))  # windows and spikes before the present class
        self._windows = 0

    @property
    def samples(self) -> int:
        """Number of samples taken in so far."""
        return self._samples

    def update(self, batch: ArrayLike, *, label: Any = None) -> None:
        """Take in a batch of activations.

        Parameters
        ----------
        batch : array_like, shape (samples, units)
            Real numbers or booleans; copied if not contiguous. Nothing is taken in if anything is wrong with it.
        label : hashable
            The class of all samples in this batch, for stimuli that are presented in blocks of one class. When it
            changes, the unfinished window is dropped, so that every window holds one class, and the null is that
            of classes with rates of their own.

        Raises
        ------
        TypeError, ValueError
            If the batch is not of shape (samples, units), holds numbers that are not finite, or there are more than
            3e9 samples.
        """
        names = names_along(batch, 1)
        refuse_other_places(names, "batch", self._names, "the units so far")
        fires = spiking(batch, self._threshold)
        label = _class_of(label)
        samples = len(fires)
        if self._samples + samples > MOST_SAMPLES:
            raise ValueError(f"{self._samples + samples} samples exceed {MOST_SAMPLES}: squares would overflow")
        if label != self._label and self._samples:
            self._close()
        self._label, self._names = label, self._names or names
        self._windows += (self._filled + samples) // self.window
        self._filled = present(fires, self._filled, self.window, self._counters)
        if self._counters.cells.size:
            follow(fires, self._samples, self._counters)
        self._samples += samples

    def _close(self) -> None:
        """End the block of the present class."""
        self._closed = self._classes()
        self._before = self._windows, self._counters.spikes.copy()
        self._dropped += self._filled
        self._filled = 0
        self._counters.partial[:] = 0

    def _classes(self) -> dict[Any, tuple[int, Ints]]:
        windows, spikes = self._closed.get(self._label, (0, np.zeros(self.units, dtype=np.int64)))
        now = windows + self._windows - self._before[0], spikes + self._counters.spikes - self._before[1]
        return self._closed | {self._label: now}

    def result(self, *, ddof: int = 0, order: str | None = None) -> SpikeStatistics:
        """Return the statistics of the samples so far; more may follow.

        Parameters
        ----------
        ddof : {0, 1}
            The variance of counts divides by W - ddof: 0 as in elephant, 1 for an estimate without bias of the
            variance of independent windows.
        order : str or None
            The word for the order of presentation in the result; None for "blocked" if batches came with more than
            one label and "given" otherwise.

        Returns
        -------
        SpikeStatistics

        Raises
        ------
        ValueError
            If there are fewer than two complete windows.
        """
        missing = whole(ddof, "ddof", minimum=0, maximum=1)
        if self._windows < 2:
            raise ValueError(
                f"n = {self._samples} samples hold {self._windows} of the two complete windows of {self.window}"
                f"{' of one class each' if self._closed else ''} that a variance over windows needs: take "
                "a smaller window"
            )
        classes = [group for group in self._classes().values() if group[0]]
        name = order or ("blocked" if len(self._classes()) > 1 else "given")
        counters = self._counters
        return summary(
            counters.spikes.copy(),
            counters.squares.copy(),
            np.array([group[0] for group in classes], dtype=float),
            np.array([group[1] for group in classes], dtype=float),
            window=self.window,
            dropped=self._dropped + self._filled,
            order=name,
            ddof=missing,
            intervals=_intervals(counters) if counters.cells.size else None,
        )


def _class_of(label: Any) -> Any:
    """Return the class of a batch as a value that can be compared with others, or raise."""
    try:
        value = label.item() if hasattr(label, "item") else label  # tensors are equal to themselves alone
        hash(value)
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(
            f"label = {label!r} is a {type(label).__name__}, not one class that all samples of the batch have: call "
            "update for each class, or pass labels= to statistics"
        ) from None
    if label is not None and is_missing(label):  # tested on the label: the item of NaT is None
        raise ValueError(f"label = {label!r} is not equal to itself, so that no two batches are of one class")
    return value


def is_missing(label: Any) -> bool:
    """Return whether an object stands for no label: None, nan, NaT, masked, or pandas.NA."""
    try:
        return label is None or np.ma.is_masked(label) or bool(label != label)  # noqa: PLR0124
    except TypeError:  # pandas.NA, whose comparisons are neither true nor false
        return True


def summary(
    spikes: Ints,
    squares: Ints,
    windows: Floats,
    spikes_of_class: Floats,
    *,
    window: int,
    dropped: int,
    order: str,
    ddof: int,
    intervals: Intervals | None,
) -> SpikeStatistics:
    """Return the statistics from sums over windows; classes have shape (classes,) and (classes, units)."""
    total = int(windows.sum())
    silent = spikes == 0
    exact = total * squares - spikes * spikes  # whole numbers: nothing cancels
    fano = exact / (np.where(silent, 1, spikes) * float(total - ddof))
    null = null_of_windows(spikes_of_class, windows, window, ddof)
    return SpikeStatistics(
        rate=spikes / (total * window),
        fano_factor=masked(fano, silent),
        null_fano_factor=masked(null, silent),
        window=window,
        windows=total,
        dropped=dropped,
        order=order,
        ddof=ddof,
        intervals=intervals,
        spikes=spikes,
        squares=squares,
    )


def _intervals(counters: Counters) -> Intervals:
    number = counters.cells.sum(axis=1, dtype=np.int64)
    none = number == 0
    n = np.where(none, 1, number)
    total, near = counters.intervals, (2 * counters.intervals + n) // (2 * n)
    # Σ(I-near)² is below 2^63, so that its terms may wrap around; the mean is off `near` by at most 1/2
    squares = counters.interval_squares - 2 * near * total + n * near * near
    beyond = (total - n * near) / n
    mean = total / n
    spread = np.sqrt(np.maximum(squares / n - beyond**2, 0.0))
    return Intervals(
        number=number,
        mean=masked(mean, none),
        cv=masked(spread / np.where(none, 1.0, mean), none),
        cells=counters.cells.astype(np.int64),
        smallest=SMALLEST.copy(),
        total=counters.intervals.copy(),
    )


def thresholds(value: ArrayLike, units: int) -> Floats:
    """Return one threshold per unit, shape (units,), from one for all or one each; or raise."""
    array = array_of(value, "threshold")
    if array.dtype.kind not in "iuf":
        raise TypeError(f"threshold must be a real number, or one per unit, not {array.dtype}")
    if array.shape not in ((), (units,)):
        raise ValueError(f"threshold has shape {array.shape}; one number, or shape ({units},), is needed")
    if not np.isfinite(array).all():
        raise ValueError(f"threshold = {array[~np.isfinite(array)].flat[0]} is not finite")
    floats = array.astype(np.float64)
    refuse_rounded(array, floats, "threshold")
    return np.array(np.broadcast_to(floats, (units,)))


def spiking(batch: ArrayLike, threshold: Floats) -> NDArray[np.uint8]:
    """Return which activations of a batch are above the thresholds, as bytes of shape (samples, units); or raise."""
    x = array_of(batch, "activations")
    if x.dtype.kind not in "biuf":
        raise TypeError(f"activations must hold real numbers or booleans, not {x.dtype}{as_floats(x, 'activations')}")
    if x.ndim != 2 or x.shape[1] != threshold.size:
        raise ValueError(
            f"activations have shape {x.shape}; (samples, {threshold.size}) is needed: flatten channels and pixels "
            "with x.reshape(len(x), -1)"
        )
    level: NDArray[Any] = threshold
    if x.dtype == np.float32:
        with np.errstate(over="ignore"):
            short = threshold.astype(np.float32)
        level = short if np.array_equal(short, threshold) else threshold  # nothing lost, nothing to convert
    fires = np.empty(x.shape, dtype=np.bool_)
    rows = max(1, IN_CACHE // threshold.size)
    for begin in range(0, len(x), rows):
        piece = x[begin : begin + rows]
        if x.dtype.kind == "f" and not np.isfinite(piece).all():
            row, unit = (int(i[0]) for i in np.nonzero(~np.isfinite(piece)))
            value = piece[row, unit]
            raise ValueError(f"activations[{begin + row}, {unit}] = {value} is not finite: every one must be")
        np.greater(piece, level, out=fires[begin : begin + rows])
    if x.dtype.kind in "iu":
        for far in np.flatnonzero(np.abs(threshold) >= 2.0**53):  # floats would round the activations
            fires[:, far] = x[:, far] > int(threshold[far])
    return fires.view(np.uint8)
