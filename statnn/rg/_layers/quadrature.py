r"""Where the activity of a noisy scalar layer lives: an interval found from its own law, and nodes on it.

The interval grows from the attractors of the map without noise until the stationary law loses less than `LEAK` over its
ends in a layer, and holds what else keeps signals for some layers, however rarely they are there: wells, points that
repel, ghosts of both; `lingering` says where else, once it is known how fast laws relax. A margin of `MARGIN`
deviations of the noise is then added, so that laws given a start inside are right. Nodes are those of Gauss and
Legendre on panels, which break where the activation does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import special

from statnn._arguments import Floats
from statnn._text import line
from statnn.network import Activation

LEAK = 1e-14
MARGIN = 8.0
PANEL = 32
COARSE = 1.3
"""Distance of nodes in deviations of the noise, for the search."""
MOST_POINTS = 3000
ATTEMPTS = 200
RESOLVED = 1e-10
"""Share of the largest value that coefficients of high order may be where the activation is resolved."""
HALVINGS = 24
"""Of panels as wide as a deviation of the noise, to resolve what is steeper; of margins."""
DEGREE = 5
"""Of polynomials that stand for laws on a panel."""
FARTHEST = 4.0
"""Distance of nodes in deviations of the noise, from which on some see nothing of a law."""
WIDE = 5
"""Nodes that a law is wide at least, which some resolve."""
LAYERS = 3000
SLOW = 100
"""Layers after which signals that still move are taken ahead."""
AHEAD, LOOKS = 0.99, 65
"""Part of the way to where they would end, and points on it that are looked at."""
STILL = 0.1
FAR = 1e6
CELLS = 10_000
"""On either side, of the width of a deviation of the noise, that are searched for other places where a signal stays."""
REACH = 4.0
"""Kicks, in deviations, by which it may do so: what needs larger ones is lost by exp(-REACH²/2) a layer."""


def interval(sigma: Activation, w: float, b: float, noise: float) -> tuple[float, float]:
    """Return the ends of an interval that holds the stationary law, margins included; raise if there is none."""
    low, high = _lasting(sigma, w, b, noise, *_attractors(sigma, w, b, noise))
    low, high = low - 3 * noise, high + 3 * noise
    for _ in range(ATTEMPTS):
        if (high - low) / (COARSE * noise) > MOST_POINTS:
            break
        at = panels(sigma, w, b, noise, low, high)
        nodes, weights, _ = rule(low, high, at, math.ceil((high - low) / (COARSE * noise)))
        centres = sigma(w * nodes + b)
        P = masses(nodes, weights, centres, noise)
        law = np.linalg.solve(np.eye(nodes.size) - P + 1 / nodes.size, np.full(nodes.size, 1 / nodes.size))
        below = float(law @ special.ndtr((low - centres) / noise))
        above = float(law @ special.ndtr((centres - high) / noise))
        if max(below, above) < LEAK:
            ends = [_margin(sigma, w, b, noise, float(end), side) for end, side in ((low, -1.0), (high, 1.0))]
            return ends[0], ends[1]
        if (above >= LEAK and _never_returns(sigma, w, b, high, high - low)) or (
            below >= LEAK and _never_returns(sigma, w, b, low, low - high)
        ):
            raise _supercritical(sigma, w, b)
        grow = 0.1 * (high - low) + 0.5 * noise
        low, high = low - grow * (below >= LEAK), high + grow * (above >= LEAK)
    raise ValueError(
        f"no interval of {MOST_POINTS} nodes holds the law of h' = {sigma.name}({line(w, b)}) + {noise:g} ξ: it is "
        "too wide for nodes that must be as close as the noise; take a layer that contracts more, or more noise"
    )


def _reached(sigma: Activation, w: float, b: float, h: Any, side: float) -> Any:
    """Return the farthest that one layer or two lead to from h, on a side."""
    once = _image(sigma, w, b, h)
    return np.maximum(side * once, side * _image(sigma, w, b, once))


def _image(sigma: Activation, w: float, b: float, h: Any) -> Floats:
    """Return where a layer leads without noise; far out that may be no number."""
    with np.errstate(over="ignore", invalid="ignore"):
        image: Floats = np.asarray(sigma(w * h + b), dtype=np.float64)
    return image


def _never_returns(sigma: Activation, w: float, b: float, end: float, outward: float) -> bool:
    """Whether from an end of an interval on, and however far beyond, a layer or two lead no nearer."""
    side, far = math.copysign(1.0, outward), end + outward * (2.0 ** np.arange(30) - 1)
    return bool((_reached(sigma, w, b, far, side) >= side * far).all())


def _margin(sigma: Activation, w: float, b: float, noise: float, end: float, side: float) -> float:
    """Return the end of the margin beyond an end: not where signals go on for ever, nor where they linger before.

    A wall there would keep them, and be felt as a well.
    """
    inside, away = end, end + side * MARGIN * noise
    if not _never_returns(sigma, w, b, away, side * noise):
        return away
    for _ in range(HALVINGS):
        middle = (inside + away) / 2
        returns = _reached(sigma, w, b, middle, side) < side * middle - REACH * noise
        inside, away = (middle, away) if returns else (inside, middle)
    return inside


def _supercritical(sigma: Activation, w: float, b: float) -> ValueError:
    return ValueError(
        f"h' = {sigma.name}({line(w, b)}) is critical or supercritical: it grows without bound, and there is no "
        "stationary law; a contracting or a bounded layer is needed"
    )


def _attractors(sigma: Activation, w: float, b: float, noise: float) -> tuple[float, float]:
    """Return the hull of where the map without noise goes, from starts all over a bounded image or around the noise."""
    with np.errstate(all="ignore"):
        ends = np.asarray(sigma(np.array([-FAR, FAR])) if sigma.bounds is None else sigma.bounds, dtype=np.float64)
    if np.isfinite(ends).all() and (np.abs(ends) < FAR / 100).all():
        h, bounded = np.linspace(min(ends) - noise, max(ends) + noise, 65), True
    else:
        h, bounded = np.concatenate([[0.0], noise * np.array([-10.0, -1.0, 1.0, 10.0])]), False
    start = float(np.abs(h).max())
    for layer in range(1, LAYERS + 1):
        before, h = h, _image(sigma, w, b, h)
        if not np.isfinite(h).all() or np.abs(h).max() > FAR * (1 + start + abs(b)):
            raise _supercritical(sigma, w, b)
        if bounded and np.abs(h - before).max() < STILL * noise:
            break  # what moves on is slower than the noise, which finds it
        if layer % SLOW == 0:
            before, h = h, _ahead(sigma, w, b, h)
            start = max(start, float(np.abs(h[h != before]).max(initial=0.0)))
    return float(h.min()), float(h.max())


def _ahead(sigma: Activation, w: float, b: float, h: Floats) -> Floats:
    """Return signals near where Aitken sees those end that every other layer moves less, and no point between holds."""

    def moved(at: Floats) -> Floats:
        return _image(sigma, w, b, _image(sigma, w, b, at)) - at

    with np.errstate(all="ignore"):
        first = moved(h)
        second = moved(h + first)
        onwards = np.linspace(0, AHEAD, LOOKS)[:, None] * (first**2 / (first - second))
        same = np.sign(moved(h + onwards)) == np.sign(first)
    nearer = (np.abs(second) < np.abs(first)) & np.isfinite(onwards[-1]) & same.all(axis=0)
    return np.where(nearer, h + onwards[-1], h)


def _lasting(sigma: Activation, w: float, b: float, noise: float, low: float, high: float) -> tuple[float, float]:
    """Return the hull of an interval and of the other places where signals stay for some layers before they come to it.

    They decide how fast laws relax, although the stationary one may hardly be there. Those from which a signal goes on
    for ever are no part of a law.
    """
    edges = (low + high) / 2 + noise * np.arange(-CELLS, CELLS + 1.0)
    reach = (REACH + 1) * noise
    for _ in range(SLOW):  # what is not in the image, and in the image of that, does not last
        size = edges.size
        images = np.nan_to_num(_image(sigma, w, b, edges), nan=np.inf)
        images = np.clip(images, edges[0] - 2 * reach, edges[-1] + 2 * reach)
        inside = (edges > images.min() - reach) & (edges < images.max() + reach)
        edges, images = edges[inside], images[inside]
        if edges.size == size:
            break
        if edges.size < 2:
            return low, high
    apart, drift = (edges[1:] < low) | (edges[:-1] > high), np.sign(images - edges)
    group, lasting = _recurrent(edges, images, noise, REACH)
    others = lasting & ~np.isin(group, group[lasting & ~apart])  # its own place grows with the law
    inner = others & _recurrent(edges, images, noise, 1.0)[1]
    places = inner | (others & ~np.isin(group, group[inner])) | (apart & (drift[1:] * drift[:-1] <= 0))
    if not places.any():
        return low, high
    below, above, margin = float(edges[:-1][places].min()), float(edges[1:][places].max()), MARGIN * noise
    if below < low and not _never_returns(sigma, w, b, below - margin, -noise):
        low = below
    if above > high and not _never_returns(sigma, w, b, above + margin, noise):
        high = above
    return low, high


def lingering(
    sigma: Activation, w: float, b: float, noise: float, low: float, high: float, reach: float
) -> tuple[float, float]:
    """Return the hull of an interval and of where a layer moves signals by less than so many deviations of the noise.

    Against a drift of δ deviations signals stay with exp(-δ²/2) a layer at most, whatever the place: what drifts by
    more than (-2 ln λ)^(1/2) relaxes faster than λ. Of two layers half of what they move counts. Where signals go on
    for ever there is no part of the law.
    """
    ends = []
    for end, side in ((low, -1.0), (high, 1.0)):
        h = end + side * noise * np.arange(1.0, CELLS + 1)
        once = _image(sigma, w, b, h)
        twice = _image(sigma, w, b, once)
        slow = np.fmin(np.abs(once - h), np.abs(twice - h) / 2) < reach * noise
        far = float(h[slow][-1] + side * MARGIN * noise) if slow.any() else end
        ends.append(end if _never_returns(sigma, w, b, far, side * noise) else far)
    return ends[0], ends[1]


def _recurrent(edges: Floats, images: Floats, noise: float, reach: float) -> tuple[Any, Any]:
    """Return the group of each cell, within which all are reached from all, and whether it is more than a pair."""
    from scipy import sparse

    cell = np.arange(edges.size - 1)
    first = (np.minimum(images[1:], images[:-1]) - edges[0]) / noise - reach
    last = (np.maximum(images[1:], images[:-1]) - edges[0]) / noise + reach
    begin, end = (np.clip(np.floor(to), -1, cell.size).astype(np.int64) for to in (first, last))
    begin, end = np.maximum(begin, 0), np.minimum(end, cell.size - 1)
    number = np.maximum(end - begin + 1, 0)
    to = np.arange(number.sum()) + np.repeat(begin - np.cumsum(number) + number, number)
    ways = sparse.csr_array((np.ones(to.size), (np.repeat(cell, number), to)), shape=(cell.size, cell.size))
    group = sparse.csgraph.connected_components(ways, connection="strong")[1]
    return group, np.bincount(group)[group] > 2  # cells on both sides of where a layer alternates come in pairs


def breaks(sigma: Activation, w: float, b: float) -> tuple[float, ...]:
    """Return where the activation is not smooth, in h."""
    return tuple(sorted((field - b) / w for field in sigma.breaks)) if w != 0 else ()


def panels(sigma: Activation, w: float, b: float, noise: float, low: float, high: float) -> tuple[float, ...]:
    """Return where panels end, in h: where the activation is not smooth, and around where it is steep for the noise.

    Panels as wide as the noise are halved until the activation is resolved, as nodes that are as close as the noise do
    not see one that turns within less.
    """
    ends = np.array([x for x in breaks(sigma, w, b) if low < x < high])
    edges = np.unique(np.concatenate([np.linspace(low, high, math.ceil((high - low) / noise) + 1), ends]))
    left, right, cuts, most = edges[:-1], edges[1:], [ends], 0.0
    points, coefficients = _chebyshev(PANEL)
    for _ in range(HALVINGS):
        half = (right - left) / 2
        values = sigma(w * (left + half + half * points[:, None]) + b)
        most = max(most, float(np.abs(values).max(initial=0.0)))
        rough = np.abs(coefficients[-3:] @ values).max(axis=0) > RESOLVED * most
        if not rough.any():
            break
        left, right = left[rough], right[rough]
        middle = left + half[rough]
        cuts += [left, middle, right]
        left, right = np.concatenate([left, middle]), np.concatenate([middle, right])
        if PANEL * sum(part.size for part in cuts) > 3 * MOST_POINTS:
            return tuple(ends.tolist())  # it is nowhere smooth on the scale of the noise
    return tuple(np.unique(np.concatenate(cuts)).tolist())


def rule(low: float, high: float, at: tuple[float, ...], points: int) -> tuple[Floats, Floats, Floats]:
    """Return nodes and weights of Gauss and Legendre, about `points`, on panels between the breaks, and their ends.

    Narrow panels have more than their share, and more of them too where more points are asked for: two rules that agree
    where one panel alone is finer would say nothing of the others.
    """
    least = min(PANEL, math.ceil(8 * math.sqrt(max(1.0, points / PANEL))))
    edges = np.array([low, *(x for x in at if low < x < high), high])
    nodes, weights, ends = [], [], [edges[:1]]
    for left, right in pairwise(edges):
        share = points * (right - left) / (high - low)
        panels = max(1, math.ceil(share / PANEL - 1e-9))
        x, w = _legendre(max(least, math.ceil(share / panels)))
        half = (right - left) / (2 * panels)
        middle = left + half * (2 * np.arange(panels) + 1)
        nodes.append((middle[:, None] + half * x).ravel())
        weights.append(np.tile(half * w, panels))
        ends.append(np.append(middle[1:] - half, right))
    return np.concatenate(nodes), np.concatenate(weights), np.concatenate(ends)


@cache
def _chebyshev(count: int) -> tuple[Any, Any]:
    """Return points, and what makes coefficients of a polynomial of values there."""
    points = np.polynomial.chebyshev.chebpts2(count)  # with the ends, at which a turn may begin
    return points, np.linalg.inv(np.polynomial.chebyshev.chebvander(points, count - 1))


@cache
def _legendre(count: int) -> tuple[Any, Any]:
    return np.polynomial.legendre.leggauss(count)


def masses(nodes: Floats, weights: Floats, centres: Floats, noise: float) -> Floats:
    """Return P_ij = w_i p(x_i|x_j) of Gaussian noise around the centres, columns normalised, shape (n, n).

    What leads beyond the nodes comes to their ends: see `lost`.
    """
    distance = (nodes[:, None] - np.clip(centres, nodes[0], nodes[-1])) / noise
    P = weights[:, None] * np.exp(-(distance**2) / 2)
    shares: Floats = P / P.sum(axis=0)
    return shares


def lost(nodes: Floats, weights: Floats, centres: Floats, noise: float) -> Floats:
    """Return how wrong moments of Gaussian noise around each centre are, by what nodes miss beyond or between them."""
    density = np.exp(-(((nodes[:, None] - centres) / noise) ** 2) / 2) / (math.sqrt(2 * math.pi) * noise)
    beyond = special.ndtr((nodes[0] - centres) / noise) + special.ndtr((centres - nodes[-1]) / noise)
    far = np.maximum(1.0, special.ndtri(np.clip(beyond, 1e-300, 0.5)) ** 2)  # the square of its distance, in deviations
    missing: Floats = np.abs(1 - beyond - weights @ density) + far * beyond
    return missing


def missed(sigma: Activation, w: float, b: float, noise: float, on: tuple[Floats, Floats, Floats]) -> Floats:
    """Return how wrong moments are after each node, `on` nodes, weights and panels chosen for another layer."""
    nodes, weights, ends = on
    if (apart := float(np.diff(nodes).max())) > FARTHEST * noise:
        raise ValueError(
            f"nodes up to {apart:.3g} apart do not resolve a noise of {noise:g}: take more, or compose the layers"
        )

    def mean(h: Floats) -> Any:
        return sigma(w * h + b)

    error = lost(nodes, weights, mean(nodes), noise)
    if not ends.size:
        return error
    return error + _rough(mean, on, panels(sigma, w, b, noise, float(ends[0]), float(ends[-1])), noise)


def _rough(
    mean: Callable[[Floats], Any], on: tuple[Floats, Floats, Floats], at: tuple[float, ...], noise: float
) -> Floats:
    """Return how wrong a mean is, in deviations of the noise, on nodes of panels that do not end where σ bends, `at`.

    Sums of σ times polynomials, which stand for laws, are compared with those on panels that do.
    """
    nodes, weights, ends = on
    fine, measure, _ = rule(float(ends[0]), float(ends[-1]), tuple(sorted({*ends[1:-1].tolist(), *at})), nodes.size)

    def sums(x: Floats, terms: Floats) -> Floats:
        panel = np.searchsorted(ends[1:-1], x)
        place = 2 * (x - ends[panel]) / (ends[panel + 1] - ends[panel]) - 1
        powers = np.polynomial.legendre.legvander(place, DEGREE) * terms[:, None]
        return np.stack([np.bincount(panel, term, ends.size - 1) for term in powers.T])

    panel = np.searchsorted(ends[1:-1], nodes)
    gap = np.abs(sums(nodes, weights * mean(nodes)) - sums(fine, measure * mean(fine))).max(axis=0) / np.diff(ends)
    gap *= np.bincount(panel, minlength=ends.size - 1) / WIDE  # by which laws are narrower than the panel
    return np.asarray(gap[panel] / noise)
