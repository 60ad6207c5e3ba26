r"""The support of the activity of a noisy scalar layer: an interval found from its own law, and nodes on it.

The interval grows from the attractors of the map without noise until the stationary law loses less than `LEAK` over its
ends per layer. It includes other places that hold signals for some layers, however rare: wells, repelling points,
ghosts of both; `lingering` finds more, once the relaxation rate of laws is known. A margin of `MARGIN` deviations of
the noise is then added, so that laws given a start inside are right. Nodes are Gauss-Legendre nodes on panels that end
where the activation is not smooth.
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
"""Distance of nodes during the search, in deviations of the noise."""
MOST_POINTS = 3000
ATTEMPTS = 200
RESOLVED = 1e-10
"""Largest high-order coefficient, relative to the largest value, at which the activation counts as resolved."""
HALVINGS = 24
"""Most halvings: of panels as wide as a deviation of the noise, to resolve a steeper activation; and of margins."""
DEGREE = 5
"""Degree of the polynomials that stand for laws on a panel."""
FARTHEST = 4.0
"""Distance of nodes, in deviations of the noise, beyond which a law may fall between them."""
WIDE = 5
"""Least width of a resolved law, in nodes."""
LAYERS = 3000
SLOW = 100
"""Layers after which signals that still move are extrapolated."""
AHEAD, LOOKS = 0.99, 65
"""Fraction of the way to their extrapolated end, and number of points checked on it."""
STILL = 0.1
FAR = 1e6
CELLS = 10_000
"""Cells on either side, as wide as a deviation of the noise, searched for other places where a signal stays."""
REACH = 4.0
"""Largest kick, in deviations, that may hold it there: where it takes more, at most exp(-REACH²/2) stays per layer."""


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
    """Return the farthest image of h, on a side, under one or two layers."""
    once = _image(sigma, w, b, h)
    return np.maximum(side * once, side * _image(sigma, w, b, once))


def _image(sigma: Activation, w: float, b: float, h: Any) -> Floats:
    """Return the image under a layer without noise; far out it may not be finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        image: Floats = np.asarray(sigma(w * h + b), dtype=np.float64)
    return image


def _never_returns(sigma: Activation, w: float, b: float, end: float, outward: float) -> bool:
    """Whether signals at an end of an interval, and however far beyond, get no nearer within one or two layers."""
    side, far = math.copysign(1.0, outward), end + outward * (2.0 ** np.arange(30) - 1)
    return bool((_reached(sigma, w, b, far, side) >= side * far).all())


def _margin(sigma: Activation, w: float, b: float, noise: float, end: float, side: float) -> float:
    """Return the end of the margin beyond an end, short of places where signals escape or linger before they do.

    The end of the nodes there would hold them, like a well.
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
    """Return the hull of the limits of the map without noise, for starts all over a bounded image or around zero."""
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
            break  # slower motion than this is within reach of the noise
        if layer % SLOW == 0:
            before, h = h, _ahead(sigma, w, b, h)
            start = max(start, float(np.abs(h[h != before]).max(initial=0.0)))
    return float(h.min()), float(h.max())


def _ahead(sigma: Activation, w: float, b: float, h: Floats) -> Floats:
    """Return signals moved near their limits by Aitken's method, if two layers move them less and less."""

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
    """Return the hull of an interval and of other places where signals stay for some layers before they come to it.

    These decide how fast laws relax, although the stationary law may be tiny there. Places from which signals escape
    for ever do not belong to any law.
    """
    edges = (low + high) / 2 + noise * np.arange(-CELLS, CELLS + 1.0)
    reach = (REACH + 1) * noise
    for _ in range(SLOW):  # cells outside the image, and outside its images in turn, do not last
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
    others = lasting & ~np.isin(group, group[lasting & ~apart])  # the place of the law itself is included as it grows
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
    """Return the hull of an interval and of places where a layer moves signals by less than `reach` noise deviations.

    Against a drift of δ deviations at most exp(-δ²/2) of the signals stay per layer, whatever the place: where the
    drift exceeds (-2 ln λ)^(1/2), laws relax faster than λ. For two layers half their shift counts. Places from which
    signals escape for ever do not belong to the law.
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
    """Return the strongly connected group of each cell, and whether it has more than two cells."""
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
    return group, np.bincount(group)[group] > 2  # cells on both sides of an alternating orbit come in pairs


def breaks(sigma: Activation, w: float, b: float) -> tuple[float, ...]:
    """Return the signals h at which the activation is not smooth."""
    return tuple(sorted((field - b) / w for field in sigma.breaks)) if w != 0 else ()


def panels(sigma: Activation, w: float, b: float, noise: float, low: float, high: float) -> tuple[float, ...]:
    """Return the ends of panels in h: where the activation is not smooth, and where it is steep for the noise.

    Panels as wide as the noise are halved until the activation is resolved, since nodes as close as the noise miss an
    activation that varies on a shorter scale.
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
    """Return about `points` Gauss-Legendre nodes on panels between the breaks, their weights, and the ends of panels.

    Narrow panels get more nodes than their share, and their number grows with `points` too: if only some panels became
    finer, the agreement of two rules would say nothing about the others.
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
    """Return points, and the matrix from values there to Chebyshev coefficients."""
    points = np.polynomial.chebyshev.chebpts2(count)  # includes the ends, where a bend may begin
    return points, np.linalg.inv(np.polynomial.chebyshev.chebvander(points, count - 1))


@cache
def _legendre(count: int) -> tuple[Any, Any]:
    return np.polynomial.legendre.leggauss(count)


def masses(nodes: Floats, weights: Floats, centres: Floats, noise: float) -> Floats:
    """Return P_ij = w_i p(x_i|x_j) of Gaussian noise around the centres, columns normalised, shape (n, n).

    Centres beyond the nodes are moved to their ends: see `lost`.
    """
    distance = (nodes[:, None] - np.clip(centres, nodes[0], nodes[-1])) / noise
    P = weights[:, None] * np.exp(-(distance**2) / 2)
    shares: Floats = P / P.sum(axis=0)
    return shares


def lost(nodes: Floats, weights: Floats, centres: Floats, noise: float) -> Floats:
    """Return the error of moments of Gaussian noise around each centre, from the parts beyond or between the nodes."""
    density = np.exp(-(((nodes[:, None] - centres) / noise) ** 2) / 2) / (math.sqrt(2 * math.pi) * noise)
    beyond = special.ndtr((nodes[0] - centres) / noise) + special.ndtr((centres - nodes[-1]) / noise)
    far = np.maximum(1.0, special.ndtri(np.clip(beyond, 1e-300, 0.5)) ** 2)  # squared distance, in deviations
    missing: Floats = np.abs(1 - beyond - weights @ density) + far * beyond
    return missing


def missed(sigma: Activation, w: float, b: float, noise: float, on: tuple[Floats, Floats, Floats]) -> Floats:
    """Return the error of moments after each node, with nodes, weights and panels `on` chosen for another layer."""
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
    """Return the error of a mean, in deviations of the noise, on panels that do not end at the bends `at` of σ.

    Sums of σ times polynomials, which stand for laws, are compared with sums on panels that do end there.
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
    gap *= np.bincount(panel, minlength=ends.size - 1) / WIDE  # laws are narrower than the panel by this factor
    return np.asarray(gap[panel] / noise)
