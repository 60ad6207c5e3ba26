"""Spike statistics of recorded activations, of counts in windows, and in any order of samples."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statnn._arguments import array_of, whole
from statnn._labelled import refuse_other_order
from statnn._random import check_rng, root, stream
from statnn.measure.spikes._accumulator import MOST_SAMPLES, Accumulator, is_missing, summary
from statnn.measure.spikes._spike_kernels import moments, wide_moments
from statnn.measure.spikes._statistics import SpikeStatistics

ORDERS = ("given", "shuffled", "blocked")
AT_ONCE = 2**22
"""Activations copied at a time when the order is changed."""


def statistics(
    activations: ArrayLike,
    threshold: ArrayLike = 0.0,
    window: int = 100,
    *,
    order: str = "given",
    labels: ArrayLike | None = None,
    ddof: int = 0,
    intervals: bool = True,
    rng: int | np.random.Generator | None = None,
) -> SpikeStatistics:
    r"""Return rates, Fano factors, intervals and their nulls for recorded activations.

    Parameters
    ----------
    activations : array_like, shape (samples, units)
        Real numbers or booleans, of any network; ``net.trace(x).activations[m]`` for a `statnn.Network`. A memory
        map is read piece by piece. For batches from elsewhere use `Accumulator`.
    threshold : float or array_like, shape (units,)
        A unit spikes when its activation is above it; 0 for ReLU.
    window : int
        T, samples per window.
    order : {"given", "shuffled", "blocked"}
        Order of presentation: as in the array; at random; class by class, as in the array inside each class. The
        last, incomplete window, of each class when blocked, is dropped; ``result.dropped`` says how many samples.
    labels : array_like, shape (samples,)
        Class of every sample; for ``order="blocked"``, and for no other.
    ddof : {0, 1}
        The variance of counts divides by W - ddof: 0 as in elephant, 1 for an estimate without bias of the variance
        of independent windows. The null follows.
    intervals : bool
        Whether to follow intervals between spikes, which takes half of the time.
    rng : int, Generator or None
        For ``order="shuffled"``.

    Returns
    -------
    SpikeStatistics
        Fields of shape (units,), means and variances over units, tests and a picture.

    Raises
    ------
    TypeError, ValueError
        If activations are not a matrix of finite numbers, there are fewer than two complete windows, labels are
        missing, of another length or given without use, or an option is unknown.

    See Also
    --------
    Accumulator : batch by batch.
    from_window_counts : from counts.
    shuffled_fano_factor : the null alone.

    Notes
    -----
    Definitions [paper]; threshold, window, order and ddof are parameters, as the paper's are not known. Rates and
    Fano factors are exact ratios of whole numbers, rounded once. Positive rescaling of a unit and its threshold
    changes nothing.

    References
    ----------
    Lehmler et al. 2023; the nulls are this project's own.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).random((100_000, 3)) - [0.9, 0.5, 2.0]
    >>> summary = statistics(x, window=100)
    >>> summary.rate.round(2), summary.fano_factor.round(1).tolist(), summary.silent_units
    (array([0.1, 0.5, 0. ]), [0.9, 0.5, None], 1)
    """
    if order not in ORDERS:
        raise ValueError(f"order = {order!r}: choose 'given', 'shuffled' or 'blocked'")
    x = array_of(activations, "activations")
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(
            f"activations have shape {x.shape}; (samples, units), neither of them 0, is needed: flatten channels and "
            "pixels with x.reshape(len(x), -1)"
        )
    check_rng(rng)
    refuse_other_order(labels, "labels", activations, "activations")
    refuse_other_order(threshold, "threshold", activations, "activations", (0, 1))
    classes = _labels(labels, order, len(x))
    counts = Accumulator(x.shape[1], threshold=threshold, window=window, intervals=intervals)
    if order == "given":
        for rows in _pieces(len(x), x.shape[1]):
            counts.update(x[rows])
    elif order == "shuffled":
        at = stream(root(rng)).permutation(len(x))
        for rows in _pieces(len(x), x.shape[1]):
            counts.update(x[at[rows]])
    else:
        for label in range(int(classes.max()) + 1):
            at = np.flatnonzero(classes == label)
            for rows in _pieces(at.size, x.shape[1]):
                counts.update(x[at[rows]], label=label)
    return counts.result(ddof=ddof, order=order)


def _labels(labels: ArrayLike | None, order: str, samples: int) -> NDArray[np.int64]:
    """Return the number of the class of every sample; empty unless classes are presented in blocks."""
    if order != "blocked":
        if labels is not None:
            raise ValueError(f"labels are given but order = {order!r} does not use them: pass order='blocked'")
        return np.empty(0, dtype=np.int64)
    if labels is None:
        raise ValueError("order = 'blocked' presents one class after another: pass labels=, one per sample")
    given = array_of(labels, "labels")
    if given.shape != (samples,):
        raise ValueError(f"labels have shape {given.shape}; one per sample, shape ({samples},), is needed")
    missing = np.array([is_missing(label) for label in given]) if given.dtype == object else given != given  # noqa: PLR0124
    if missing.any():
        where = int(np.argmax(missing))
        raise ValueError(f"labels[{where}] is {given[where]}: every sample has a class")
    try:
        return np.asarray(np.unique(given, return_inverse=True)[1], dtype=np.int64)
    except TypeError:
        kinds = sorted({type(label).__name__ for label in given})
        raise TypeError(f"labels are of the types {', '.join(kinds)}, which have no order: use one type") from None


def _pieces(samples: int, units: int) -> Iterator[slice]:
    step = max(1, AT_ONCE // units)
    for begin in range(0, samples, step):
        yield slice(begin, min(begin + step, samples))


def from_window_counts(counts: ArrayLike, window: int, *, ddof: int = 0) -> SpikeStatistics:
    """Return rates, Fano factors and their nulls from numbers of spikes in windows, in one pass.

    Parameters
    ----------
    counts : array_like of int, shape (windows, units)
        n_i of each window, between 0 and ``window``; at least two windows.
    window : int
        T, samples per window.
    ddof : {0, 1}
        As in `statistics`.

    Returns
    -------
    SpikeStatistics
        Without intervals; the null is that of samples in random order.

    Raises
    ------
    TypeError, ValueError
        If counts are not whole numbers in range, or there are fewer than two windows.

    See Also
    --------
    statistics : from activations.

    Examples
    --------
    >>> summary = from_window_counts([[1, 0], [3, 0], [2, 0]], window=10)
    >>> summary.rate, summary.fano_factor.round(4).tolist(), summary.silent_units
    (array([0.2, 0. ]), [0.3333, None], 1)
    """
    T = whole(window, "window", minimum=1, maximum=MOST_SAMPLES)
    missing = whole(ddof, "ddof", minimum=0, maximum=1)
    n = array_of(counts, "counts")
    if n.dtype.kind not in "iu":
        raise TypeError(
            f"counts must hold whole numbers of an integer type, not {n.dtype}: they are numbers of spikes; convert "
            "with .astype(int) once you are sure that nothing is lost"
        )
    if n.ndim != 2 or n.shape[0] < 2 or n.shape[1] < 1:
        raise ValueError(f"counts have shape {n.shape}; (windows, units) with at least two windows is needed")
    windows, units = n.shape
    if windows * T > MOST_SAMPLES:
        raise ValueError(f"{windows} windows of {T} exceed {MOST_SAMPLES} samples: squares would overflow")
    spikes, squares = np.zeros(units, dtype=np.int64), np.zeros(units, dtype=np.int64)
    n = np.ascontiguousarray(n, dtype=n.dtype.newbyteorder("="))
    unsigned = n.view(f"u{n.dtype.itemsize}")  # negative numbers become larger than any of their type
    floats, whole_to = (np.float32, 2**24) if T <= 2**10 else (np.float64, 2**53)
    at_once = whole_to // T**2  # windows whose squares add up to a whole number that is exact in the floats
    short = np.zeros((3, units), dtype=floats)
    most = moments(unsigned, at_once, short, spikes, squares) if at_once else wide_moments(unsigned, spikes, squares)
    if most > min(T, np.iinfo(n.dtype).max):
        bad = n[(n < 0) | (n > T)][0]
        raise ValueError(f"counts = {bad} is outside [0, {T}]: a window of {T} samples holds at most {T} spikes")
    return summary(
        spikes,
        squares,
        np.array([float(windows)]),
        spikes[None, :].astype(float),
        window=T,
        dropped=0,
        order="given",
        ddof=missing,
        intervals=None,
    )
