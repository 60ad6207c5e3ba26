r"""Where the share of unchanged rays first falls below a threshold.

A ray is one direction of noise; at amplitude σ it leaves the class of its sample unchanged or not, and because the
direction stays the same (common random numbers) that is a function of σ alone. A scan over a grid of σ finds, for
each sample, the first interval at whose end the share of unchanged rays is below the threshold; inside it every ray
that changes between the ends is bisected, which leaves the share as a function of σ exactly, up to rays that change
twice within the interval. No share is assumed to fall steadily. The radius is where the share, interpolated through
the middle of its steps, first falls through the threshold.

Rays come in pairs of opposite direction, so that a boundary which is a plane never takes more than half of them. The
error of a share is that over pairs.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from statnn._arguments import Floats, Ints

Mask = NDArray[np.bool_]

POINTS_A_DECADE = 2
BEYOND = 1e6
"""The scan ends this factor above its span, where only directions count, and looks this factor below it."""


class Rays(Protocol):
    """Directions of noise around a block of samples."""

    samples: int
    draws: int

    def unchanged_at(self, sigma: float) -> Mask:
        """Return whether each ray keeps the class at one amplitude, shape (samples, draws)."""
        ...

    def unchanged(self, sample: Ints, draw: Ints, sigma: Floats) -> Mask:
        """Return the same for some rays, each at an amplitude of its own, shape (rays,)."""
        ...


class Edges(NamedTuple):
    """Radius with its interval of one standard error, crossings, and shares of unchanged rays on the grid."""

    radius: Floats
    low: Floats
    high: Floats
    crossings: Ints
    kept: Floats


def grid(span: tuple[float, float]) -> Floats:
    """Return the amplitudes of the scan: evenly spread over decades, and one far beyond them."""
    decades = np.log10(span[1]) - np.log10(span[0])
    points = np.geomspace(*span, max(2, int(np.ceil(POINTS_A_DECADE * decades)) + 1))
    return np.append(points, span[1] * BEYOND)


def search(rays: Rays, sigma: Floats, threshold: float, steps: int) -> Edges:
    """Return radius, interval, crossings and shares for every sample of a block.

    Parameters
    ----------
    rays : Rays
        With an even number of draws, ray 2p+1 opposite to ray 2p.
    sigma : ndarray, shape (points,)
        The grid.
    threshold : float
        Share of unchanged rays, between 0 and 1.
    steps : int
        Bisections of each ray.
    """
    state = np.stack([rays.unchanged_at(float(s)) for s in sigma], axis=-1)
    counts = state.sum(axis=1)
    floor = np.log(sigma[0] / BEYOND)
    points = np.concatenate(([floor], np.log(sigma)))
    before = np.concatenate((np.full((rays.samples, 1), rays.draws), counts), axis=1)
    first, ends = _first_below(before, threshold)
    start = state[np.arange(rays.samples), :, np.maximum(first - 2, 0)] | (first == 1)[:, None]
    end = state[np.arange(rays.samples), :, first - 1]
    at, change = _changes(rays, points, first, start, np.where(ends[:, None], end, start), steps)
    curve = _Curve(points, before, first, ends, at, change)
    fall = curve.falls_below(threshold)
    moved = np.where(ends[:, None], start ^ ((change != 0) & (at <= fall[:, None])), state[:, :, -1])
    error = _share_error(moved)
    middle = np.full(rays.samples, np.clip(threshold, 0.5 / rays.draws, 1 - 0.5 / rays.draws))  # within the steps
    low, log_radius, high = map(curve.passes, (threshold + error, middle, threshold - error))
    smallest = floor + (points[1] - floor) / 2**steps
    radius, low, high = (np.where(v <= smallest, 0.0, np.exp(v)) for v in (log_radius, low, high))
    return Edges(
        radius,
        np.minimum(low, radius),
        np.maximum(high, radius),
        (np.diff((before / rays.draws < threshold).astype(np.int8), axis=1) > 0).sum(axis=1),
        counts / rays.draws,
    )


def _first_below(before: Ints, level: float | Floats) -> tuple[Ints, Mask]:
    """Return the first point of the grid where the share is below the level, and whether there is one."""
    below = before / before[:, :1] < np.reshape(level, (-1, 1))  # a quotient: 100 * 0.55 is rounded above 55
    return np.maximum(below.argmax(axis=1), 1), np.asarray(below.any(axis=1))


def _changes(rays: Rays, points: Floats, first: Ints, start: Mask, end: Mask, steps: int) -> tuple[Floats, Ints]:
    """Return where, as ln σ, each ray changes inside the interval of its sample, and by how much the count does.

    Both of shape (samples, draws), sorted along the second axis; inf and 0 for rays that do not change.
    """
    sample, draw = np.nonzero(start != end)
    low, high = points[first - 1][sample], points[first][sample]
    before = start[sample, draw]
    for _ in range(steps):
        if not sample.size:
            break
        middle = (low + high) / 2
        same = rays.unchanged(sample, draw, np.exp(middle)) == before
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    at = np.full(start.shape, np.inf)
    at[sample, draw] = (low + high) / 2
    return at, end.astype(np.int64) - start


class _Curve(NamedTuple):
    """The share of unchanged rays as a function of ln σ: exact in one interval, straight between points elsewhere."""

    points: Floats
    before: Ints
    first: Ints
    ends: Mask
    at: Floats
    change: Ints

    def _events(self) -> tuple[Floats, Floats]:
        """Return the changes inside the exact interval in order, and how many rays are unchanged after each."""
        order = np.argsort(self.at, axis=1)
        start = self.before[np.arange(self.first.size), self.first - 1]
        after = start[:, None] + np.take_along_axis(self.change, order, axis=1).cumsum(axis=1)
        return np.take_along_axis(self.at, order, axis=1), after.astype(float)

    def falls_below(self, level: float) -> Floats:
        """Return ln σ where the share first falls below the threshold, shape (samples,); inf where it never does."""
        at, after = self._events()
        event = at[np.arange(len(at)), (after / self.before[:, :1] < level).argmax(axis=1)]
        return np.where(self.ends, event, np.inf)

    def passes(self, level: Floats) -> Floats:
        """Return ln σ where the share, interpolated through the middle of its steps, first passes a level.

        When the share is first below the level it has overshot by half a step, on average, which would make radii of
        few draws too large and the interval of an error too wide. The last step before an exact interval stands at its
        beginning.
        """
        rows = np.arange(level.size)
        where, there = _first_below(self.before, level)
        right = self.points[where]
        x = np.stack((self.points[where - 1], right), axis=1)
        y = np.stack((self.before[rows, where - 1], self.before[rows, where]), axis=1).astype(float)
        at, after = self._events()
        steps = np.concatenate((self.before[rows, self.first - 1][:, None], after), axis=1)
        exact = there & self.ends & (where == self.first)
        inner = np.where(exact[:, None], (steps[:, :-1] + steps[:, 1:]) / 2, y[:, 1:])
        y[:, 0] += 0.5 * exact
        at = np.where(exact[:, None], np.minimum(at, right[:, None]), right[:, None])
        x, y = (np.concatenate((v[:, :1], i, v[:, 1:]), axis=1) for v, i in ((x, at), (y, inner)))
        aim = level * self.before[:, 0]
        past = np.maximum((y < aim[:, None]).argmax(axis=1), 1)
        above, below = y[rows, past - 1], y[rows, past]
        part = (above - aim) / np.where(above > below, above - below, 1.0)
        crossing = x[rows, past - 1] + np.clip(part, 0, 1) * (x[rows, past] - x[rows, past - 1])
        return np.where(there, crossing, np.inf)


def _share_error(unchanged: Mask) -> Floats:
    """Return the standard error of the share of unchanged rays over pairs, at least one ray, shape (samples,)."""
    samples, draws = unchanged.shape
    pairs = unchanged.reshape(samples, draws // 2, 2).mean(axis=2)
    error = pairs.std(axis=1, ddof=1) / np.sqrt(draws // 2)
    return np.asarray(np.maximum(error, 1 / draws))
