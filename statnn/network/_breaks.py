"""Where a user's own function jumps, bends, or varies on a narrow scale: panels of integrals end there.

The function is interpolated by polynomials on some 300 panels. Panels whose Chebyshev coefficients do not fall are
halved, wherever in a panel the jump is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from statnn._arguments import Floats
from statnn.network._differences import Values, evaluate, precision

_DEGREE = 20
_TAIL = 4
"""Last Chebyshev coefficients of a panel, by which its smoothness is judged."""
_SMALL = 1e-9
"""Size of these coefficients, relative to values, up to which a panel is smooth."""
_NODES = np.cos(np.pi * np.arange(_DEGREE) / (_DEGREE - 1))
"""They include the ends of a panel, so that a jump beside one is not missed by both panels."""
_LAST = np.linalg.inv(np.polynomial.chebyshev.chebvander(_NODES, _DEGREE - 1))[-_TAIL:].T
_HALVINGS = 40
"""Halvings after which a panel that is not smooth holds a jump or a kink."""
MOST = 128
"""Places that are kept of each kind, the nearest to zero."""
_EVERYWHERE = 0.8
"""If more than this share of the inner panels is halved, the function is rough everywhere, and nothing is kept."""


def _panels() -> Floats:
    """Return edges of the first panels, none of them a round number, where jumps tend to be."""
    outer = 8.0137 * 1.2237 ** np.arange(1, 24)
    return np.concatenate([-0.97 * outer[::-1], np.linspace(-7.7713, 8.0137, 257), outer])


PANELS = _panels()


def panel_ends(
    function: Callable[[Values], Values],
    derivative: Callable[[Values], Values] | None,
    stated: Sequence[float],
    what: str,
) -> tuple[float, ...]:
    """Return where panels must end, in increasing order: stated places, jumps of either, edges of narrow features.

    Features narrower than 0.006 or a hundredth of the field, beyond -650 or 830, or beyond many others, may be missed.
    """
    places = np.array(stated, dtype=float)
    for part in (function, derivative):
        if part is not None:
            for more in _breaks(part, what):
                new = more[~(np.abs(more[:, None] - places) <= 1e-6 * np.maximum(1.0, np.abs(places))).any(axis=1)]
                places = np.concatenate([places, new])
    return tuple(float(place) for place in np.unique(places))


def jumps(function: Callable[[Values], Values], places: Sequence[float], what: str) -> tuple[tuple[float, float], ...]:
    """Return places at which the function jumps, of those given, each with its value above minus that below."""
    fields = np.array(places, dtype=float)
    steps = np.array([1e-3, 1e-9, 4e-12])[:, None] * np.maximum(1.0, np.abs(fields))
    values = evaluate(function, np.stack([fields + steps, fields - steps]), what).astype(float)
    with np.errstate(invalid="ignore"):
        _, wide, narrow = values[0] - values[1]
        least = np.maximum(0.5 * np.abs(wide), 1e-6 * np.abs(values).max(axis=(0, 1), initial=0.0))
        kept = np.isfinite(narrow) & (np.abs(narrow) > least)
    return tuple((float(field), float(by)) for field, by in zip(fields[kept], narrow[kept], strict=True))


def _breaks(function: Callable[[Values], Values], what: str) -> tuple[Floats, Floats]:
    """Return jumps of one function, and the ends of panels in which it varies on a narrow scale without a jump."""
    low, high = PANELS[:-1], PANELS[1:]
    owner, first, unit = np.arange(low.size), np.empty(0, dtype=np.int64), 0.0
    halved, level, seen, most = [np.empty((3, 0))], np.empty(0), np.empty(0), np.zeros(low.size)
    for halvings in range(_HALVINGS):
        fields = (low + high)[:, None] / 2 + (high - low)[:, None] / 2 * _NODES
        fields[:, 0], fields[:, -1] = high, low
        values = evaluate(function, fields, what)
        eps, numbers = precision(values), values.astype(float)
        numbers[~(np.abs(numbers) < 1e100).all(axis=1)] = 0.0
        size = np.abs(numbers).max(axis=1)
        if not halvings:
            level = np.median(numbers, axis=1)
            seen = np.sort(np.abs(numbers - level[:, None]), axis=1)[:, -3]
            unit = max(float(np.median(size[np.abs(low) < 8])), float(np.finfo(float).tiny))  # subnormals are steps
        np.maximum.at(most, owner, np.abs(numbers - level[owner, None]).max(axis=1))
        tail = np.abs(numbers @ _LAST).max(axis=1)
        rough = tail > max(_SMALL, 64 * eps) * np.maximum(size, unit)
        if not halvings:
            first = owner[rough]
            if np.mean(rough[np.abs(low) < 8]) > _EVERYWHERE:
                return np.empty(0), np.empty(0)
        rough[np.flatnonzero(rough)[np.argsort(np.abs(low[rough]))[2 * MOST :]]] = False
        low, high, owner = low[rough], high[rough], owner[rough]
        if not owner.size:
            break
        middle = (low + high) / 2
        halved.append(np.stack([owner, middle, tail[rough]]))
        low, high, owner = np.append(low, middle), np.append(middle, high), np.append(owner, owner)
    narrow = np.setdiff1d(first, owner)
    hidden = np.setdiff1d(np.flatnonzero(most > 2 * seen), owner)  # features that few of the first nodes see
    inside, middles, tails = np.concatenate(halved, axis=1)
    kept = np.isin(inside, hidden) & (tails > _SMALL * most[inside.astype(np.int64)])
    ends = np.unique(np.concatenate([PANELS[narrow], PANELS[narrow + 1], middles[kept]]))
    places = np.unique(np.round(low, 12)) + 0.0
    apart = places[np.append(True, np.diff(places) > 1e-6)[: places.size]]
    return _nearest(apart), _nearest(ends)


def _nearest(places: Floats) -> Floats:
    """Return the `MOST` places nearest to zero."""
    return places[np.argsort(np.abs(places))[:MOST]]
