"""Growth of the working neurons inside one data set, with no model of how counts arise.

Of D recorded samples a random d are kept, without replacement. A neuron with D_i activations stays silent
with

    q_i = C(D - D_i, d) / C(D, d) = exp(-L(D - D_i - d + 1; D_i, d)),

with the mixed log-gamma L of :mod:`statnn.activation._laws.special`, so that the curve keeps its digits up to D = 1e18.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statnn._arguments import array_of, switch, whole, whole_array
from statnn._axes import axes, band, drawable, logarithmic, settled
from statnn._by_value import ByValue
from statnn.activation._laws.special import mixed_log_gamma

Vector = NDArray[np.float64]

_TOGETHER = 2**18
"""Pairs of a subsample size and a count that are processed together."""

ACTIVITY = (
    "of recorded activity, (samples, neurons), pass (activity > 0).sum(axis=0) with samples=len(activity), or call "
    "statnn.measure.growth.layer(activity)"
)
"""Advice where counts are a matrix."""


@dataclass(frozen=True, eq=False, repr=False)
class Rarefaction(ByValue):
    """Growth of working neurons by subsampling; made by :func:`rarefaction`.

    Parameters
    ----------
    at : ndarray of int
        Subsample sizes d, shape (points,).
    working : ndarray
        E[K(d)] given the counts, shape (points,).
    variance : ndarray
        Variance of K(d) over subsamples given the counts, shape (points,).

    See Also
    --------
    rarefaction : makes it.

    Examples
    --------
    >>> from statnn.activation import rarefaction
    >>> curve = rarefaction([0, 1, 2, 10], samples=10, at=range(11))
    >>> ax = curve.plot()
    """

    at: NDArray[np.int64]
    working: Vector
    variance: Vector

    @property
    def std(self) -> Vector:
        """Standard deviation of K(d), shape (points,)."""
        return np.asarray(np.sqrt(self.variance))

    def plot(self, ax: Any | None = None, **style: Any) -> Any:
        """Draw E[K(d)] with a band of two standard deviations on a logarithmic d axis.

        Parameters
        ----------
        ax : matplotlib axes, optional
            New ones if None.
        **style
            Passed on to ``ax.plot``.

        Returns
        -------
        matplotlib axes

        Raises
        ------
        ValueError
            If no d is above 0, as a logarithmic axis needs.
        """
        shown = drawable(self.at, "at")
        ax = axes(ax)
        d, working, std = self.at[shown], self.working[shown], self.std[shown]
        (line,) = ax.plot(d, working, **({"label": "rarefaction, ± 2 deviations"} | style))
        band(ax, d, np.maximum(working - 2 * std, 0), working + 2 * std, line)
        logarithmic(ax, "x")
        ax.set(xlabel="samples $d$", ylabel="working neurons $K(d)$")
        return settled(ax)


def rarefaction(counts: ArrayLike, samples: int, at: ArrayLike, *, events: bool = False) -> Rarefaction:
    r"""Return the mean growth of working neurons over random subsamples of the recorded samples.

    .. math:: E[K(d)] = \sum_i \Bigl[1 - \binom{D-D_i}{d}\Big/\binom{D}{d}\Bigr]

    Parameters
    ----------
    counts : array_like of int
        D_i, shape (neurons,), each between 0 and ``samples``.
    samples : int
        D >= 1; the number n of events if ``events``.
    at : int or array_like of int
        Subsample sizes d, shape (points,), each between 0 and ``samples``.
    events : bool
        Read the record as n activation events with one neuron each (the urn), which needs ΣD_i = n. Neurons
        then compete for the events kept.

    Returns
    -------
    Rarefaction
        With fields ``at``, ``working``, ``variance`` of shape (points,) (points = 1 for a single d).

    Raises
    ------
    ValueError, TypeError
        For counts or sizes out of range or not whole; for ``events`` if the counts do not sum to ``samples``.

    See Also
    --------
    fit : a law for the same counts.
    statnn.measure.growth.layer : from recorded activations.

    Notes
    -----
    The mean is exact for every record, however neurons are correlated: it is linear in the neurons [exact].
    The variance is over subsamples, given the counts. Without ``events`` it is :math:`\sum_i q_i(1-q_i)`,
    exact if which samples activate one neuron is independent of which activate another; neurons that fire
    together make the true one larger. With ``events`` it is the multivariate hypergeometric variance,
    :math:`\sum_i q_i(1-q_i) + \sum_{i\ne j}(q_{ij}-q_iq_j)`, :math:`q_{ij} =
    \binom{n-D_i-D_j}{d}/\binom{n}{d}` [exact]. Neither is the error of the curve as an estimate for *new*
    samples or another network. Cost: the number of distinct counts times points, squared in the first
    factor with ``events``.

    Examples
    --------
    >>> rarefaction([0, 1, 2, 10], samples=10, at=[0, 1, 10]).working
    array([0. , 1.3, 3. ])
    """
    size = whole(samples, "samples", minimum=1)
    values = whole_array(counts, "counts", maximum=size, matrix=ACTIVITY)
    d = whole_array(np.atleast_1d(array_of(at, "at")), "at", maximum=size)
    if switch(events, "events") and sum(values.tolist()) != size:
        raise ValueError(
            f"events=True reads samples = {size} as the number of events, but the counts sum to "
            f"{sum(values.tolist())}: pass samples=sum(counts)"
        )
    value, tally = np.unique(values, return_counts=True)
    times = np.asarray(tally, dtype=float)
    working, variance = np.empty(d.size), np.empty(d.size)
    rows = max(1, _TOGETHER // value.size)
    for part in (slice(first, first + rows) for first in range(0, d.size, rows)):
        log_silent = _log_silent(value[None, :], d[part, None], size)
        working[part] = -np.expm1(log_silent) @ times
        variance[part] = (np.exp(log_silent) * -np.expm1(log_silent)) @ times
        if events:
            variance[part] += [
                _competition(value, times, x, size, row) for x, row in zip(d[part].tolist(), log_silent, strict=True)
            ]
    return Rarefaction(d, working, np.maximum(variance, 0.0))  # a zero may come out as -1e-16


def _log_silent(k: NDArray[np.int64], d: NDArray[np.int64], size: int) -> Vector:
    """Return ln C(size-k, d)/C(size, d), -inf where d samples cannot avoid k of them."""
    free = size - k - d + 1
    possible = free > 0
    return np.where(possible, -mixed_log_gamma(np.where(possible, free, 1), *np.broadcast_arrays(k, d)), -np.inf)


def _competition(value: NDArray[np.int64], times: Vector, d: int, size: int, log_silent: Vector) -> float:
    """Sum of covariances over ordered pairs of different neurons; none of them is positive."""
    total, rows = 0.0, max(1, _TOGETHER // value.size)
    for first in range(0, value.size, rows):
        part = slice(first, first + rows)
        pairs = times[part, None] * (times - np.eye(len(times[part]), times.size, first))
        both = np.minimum(value[part, None], size - value) + value  # capped at all events; sums stay below 2^63
        alone = log_silent[part, None] + log_silent
        joint = np.where(both <= size - d, _log_silent(np.minimum(both, size - d), np.array(d), size), -np.inf)
        silent = np.isfinite(alone)
        with np.errstate(invalid="ignore"):
            excess = np.where(silent, np.exp(alone) * np.expm1(np.where(silent, joint - alone, 0.0)), 0.0)
        total += float(np.sum(pairs * excess))
    return total
