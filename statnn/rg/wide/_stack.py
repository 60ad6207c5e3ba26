"""Wide random layers one after another: their maps composed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from statnn._arguments import Floats, at_least, positive, refuse_several, shaped, whole
from statnn._labelled import refuse_other_order
from statnn.rg.wide._maps import Maps

MOST_GROUPS = 100_000


@dataclass(frozen=True)
class RandomStack:
    """Wide random layers composed: runs of equal layers, the first acts first.

    Composition concatenates, so that it is associative and ``power`` a semigroup exactly [exact].

    Parameters
    ----------
    layers : tuple of RandomLayer
        Different neighbours.
    counts : tuple of int
        How often each acts in a row.

    See Also
    --------
    RandomLayer.compose, RandomLayer.power : make it.

    Examples
    --------
    >>> from statnn.rg import RandomLayer
    >>> wide = RandomLayer("relu", 2.0**0.5)
    >>> stack = wide.power(3).compose(RandomLayer("tanh", 1.0))
    >>> stack.depth, round(stack.variance_map(1.0), 6)
    (4, 0.394294)
    >>> round(stack.correlation_map(0.5, 1.0), 6)
    0.711815
    >>> variance, correlation = stack.trajectory(1.0, 0.5, times=2)
    >>> variance.round(6)
    array([1.      , 0.394294, 0.23645 ])
    """

    layers: tuple[Maps, ...]
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        given: Any = self.counts
        if isinstance(given, str | bytes) or not isinstance(given, Iterable):
            raise TypeError(f"counts = {given!r}; pass a list, how often each layer is repeated")
        if len(self.layers) != len(self.counts) or not self.layers:
            raise ValueError(f"there are {len(self.counts)} counts for {len(self.layers)} layers; give one of each")
        object.__setattr__(self, "counts", tuple(whole(count, "counts", minimum=1) for count in self.counts))

    @property
    def depth(self) -> int:
        """Number of layers."""
        return sum(self.counts)

    def compose(self, second: Maps | RandomStack) -> RandomStack:
        """Return these layers and then `second` as one.

        Parameters
        ----------
        second : RandomLayer or RandomStack
            The layers that act on the outputs of the last one.

        Raises
        ------
        TypeError
            If it is not a random layer or stack.
        """
        other = second if isinstance(second, RandomStack) else getattr(second, "power", lambda _: None)(1)
        if not isinstance(other, RandomStack):
            raise TypeError(
                f"second is a {type(second).__name__}; random layers compose with RandomLayer and RandomStack only"
            )
        runs = [*zip(self.layers, self.counts, strict=True), *zip(other.layers, other.counts, strict=True)]
        merged = [(layer, sum(n for _, n in run)) for layer, run in groupby(runs, key=lambda pair: pair[0])]
        return RandomStack(tuple(layer for layer, _ in merged), tuple(count for _, count in merged))

    def power(self, m: int) -> RandomStack:
        """Return these layers m times.

        Parameters
        ----------
        m : int
            At least 1.

        Raises
        ------
        ValueError
            If m is below 1, or repeats are too many to list.
        """
        times = whole(m, "m", minimum=1)
        if len(self.layers) == 1:
            return RandomStack(self.layers, (self.counts[0] * times,))
        if times * len(self.layers) > MOST_GROUPS:
            raise ValueError(
                f"m = {m} repeats of {len(self.layers)} runs are more than {MOST_GROUPS}; iterate the maps"
            )
        result = self
        for bit in bin(times)[3:]:
            result = result.compose(result)
            if bit == "1":
                result = result.compose(self)
        return result

    def variance_map(self, q: ArrayLike) -> Any:
        """Return the variance of fields after all layers.

        Parameters
        ----------
        q : array_like
            Variance of the fields before, >= 0, any shape.

        Raises
        ------
        TypeError, ValueError
            If a variance is negative, or exceeds the range of float64.
        """
        now = at_least(q, "q", minimum=0, why="it is a variance of fields")
        for layer, count in zip(self.layers, self.counts, strict=True):
            for _ in range(count):
                before, now = now, np.asarray(layer.variance_map(now))
                if np.array_equal(before, now):
                    break
                _refuse_overflow(now)
        return shaped(now, q)

    def correlation_map(self, c: ArrayLike, q: ArrayLike) -> Any:
        """Return the correlation after all layers of fields that begin with variance q and correlation c.

        Parameters
        ----------
        c : array_like
            Correlation, in [-1, 1].
        q : array_like
            Variance, above 0; broadcast against c.

        Raises
        ------
        TypeError, ValueError
            If numbers are outside their ranges, or a variance leaves that of float64.
        """
        correlation, variance = np.broadcast_arrays(
            correlations(c, q), at_least(q, "q", minimum=0, why="it is a variance")
        )
        for layer, count in zip(self.layers, self.counts, strict=True):
            for _ in range(count):
                step = (
                    np.asarray(layer.correlation_map(correlation, variance)),
                    np.asarray(layer.variance_map(variance)),
                )
                still = np.array_equal(step[0], correlation) and np.array_equal(step[1], variance)
                correlation, variance = step
                if still:
                    break
                _refuse_overflow(variance)
        return shaped(np.asarray(correlation), np.zeros(np.broadcast_shapes(np.shape(c), np.shape(q))))

    def trajectory(self, q: float, c: float, times: int) -> tuple[Floats, Floats]:
        """Return variance and correlation after 0, 1, ..., `times` passes through all layers, each (times+1,).

        Parameters
        ----------
        q : float
            Variance of the fields before, above 0.
        c : float
            Their correlation, in [-1, 1].
        times : int
            Passes.

        Raises
        ------
        TypeError, ValueError
            If arguments do not fit, or a variance of 0 leaves no correlation.
        """
        variance, correlation = positive(q, "q", why="it is a variance of fields"), one_correlation(c)
        rows = [(variance, correlation)]
        depth = whole(times, "times", minimum=0, maximum=10**7)
        while len(rows) <= depth:
            following = self.variance_map(variance)
            if following == 0:
                raise ValueError(
                    f"after {len(rows)} layers the variance is 0 and the correlation is undefined: ask for fewer"
                )
            correlation, variance = self.correlation_map(correlation, variance), following
            rows.append((variance, correlation))
            if rows[-1] == rows[-2]:
                rows += rows[-1:] * (depth + 1 - len(rows))
        path = np.array(rows)
        return path[:, 0].copy(), path[:, 1].copy()


def _refuse_overflow(q: Floats) -> None:
    if not np.isfinite(q).all():
        raise ValueError("the variance exceeds the range of floats: it grows without bound; take fewer layers")


def correlations(c: ArrayLike, q: ArrayLike = 1.0) -> Floats:
    """Return correlations as floats, in the order of variances q, or raise."""
    refuse_other_order(c, "c", q, "q")
    given = at_least(c, "c", minimum=-1, why="it is a correlation")
    if (given > 1).any():
        raise ValueError(f"c = {float(given.max())} is above 1: it is a correlation, in [-1, 1]")
    return given


def one_correlation(c: float) -> float:
    """Return one correlation, or raise."""
    refuse_several(c, "c", fix="call again for other correlations")
    return float(correlations(c))
