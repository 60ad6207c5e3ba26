"""Length of an exponential approach through depth, with its error."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from statnn._arguments import Floats
from statnn._notebook import Shown

GROUPS = 10
"""Groups of pairs that are left out in turn."""
FEWEST_LAYERS = 5
LENGTHS = np.geomspace(0.15, 1e4, 400)


class DecayEnd(StrEnum):
    """How a fit of a decay ended."""

    FITTED = "fitted"
    SHALLOW = "fewer than five layers, or than twenty pairs: too few for a limit, an amplitude and a length"
    FLAT = "no decay beyond the errors"
    FAST = "over within a layer: too fast for a length"
    SLOW = "decays more slowly than the depth can tell"

    @classmethod
    def _missing_(cls, value: object) -> DecayEnd | None:
        """Return the member that files of earlier versions call by another name."""
        earlier = "fewer than five layers: too few for a limit, an amplitude and a length"
        return cls.SHALLOW if value == earlier else None


@dataclass(frozen=True)
class Decay(Shown):
    """Mean correlation through depth, c_m = limit + amplitude · exp(-m/length), fitted by least squares.

    Parameters
    ----------
    length, error : float
        ξ in layers and its standard error, by leaving out groups of pairs: an error within this network. Networks of
        width n differ among themselves by more, of order n^(-1/2). Zero and inf with outcomes other than FITTED.
    limit, amplitude : float
        The other parameters; the last correlation and zero if nothing was fitted.
    outcome : DecayEnd
        How the fit ended.

    See Also
    --------
    place : makes it, for a network with inputs.
    RandomLayer.correlation_length : at infinite width.
    """

    length: float
    error: float
    limit: float
    amplitude: float
    outcome: DecayEnd


def decay(correlation: Floats) -> Decay:
    """Fit the decay of correlations of shape (pairs, layers)."""
    pairs, layers = correlation.shape
    mean = correlation.mean(axis=0)
    if layers < FEWEST_LAYERS or pairs < 2 * GROUPS:
        return Decay(0.0, np.inf, float(mean[-1]), 0.0, DecayEnd.SHALLOW)
    error = np.maximum(correlation.std(axis=0, ddof=1) / np.sqrt(pairs), 1e-12)
    length, limit, amplitude, significance = _fit(mean, error)
    if significance < 5:
        return Decay(0.0, np.inf, float(mean[-1]), 0.0, DecayEnd.FLAT)
    if length <= LENGTHS[0]:
        return Decay(0.0, np.inf, float(mean[-1]), 0.0, DecayEnd.FAST)
    if length > 3 * layers:
        return Decay(0.0, np.inf, float(mean[-1]), 0.0, DecayEnd.SLOW)
    group = np.arange(pairs) % GROUPS
    left = np.array([_fit(correlation[group != g].mean(axis=0), error)[0] for g in range(GROUPS)])
    spread = float(np.sqrt((GROUPS - 1) / GROUPS * np.sum((left - left.mean()) ** 2)))
    return Decay(length, spread, limit, amplitude, DecayEnd.FITTED)


def _fit(mean: Floats, error: Floats) -> tuple[float, float, float, float]:
    """Return length, limit, amplitude, and the significance of the decay in standard errors."""
    m, weight = np.arange(mean.size), 1 / error**2

    def best(lengths: Floats) -> tuple[Floats, Floats, Floats]:
        shape = np.exp(-m / lengths[:, None])
        total = weight.sum()
        centre = shape @ weight / total
        spread = ((shape - centre[:, None]) ** 2) @ weight
        level = weight @ mean / total
        amplitude = ((shape - centre[:, None]) * (mean - level)) @ weight / spread
        left = ((mean - level - amplitude[:, None] * (shape - centre[:, None])) ** 2) @ weight
        return left, amplitude, level - amplitude * centre

    at = int(np.argmin(best(LENGTHS)[0]))
    low, high = LENGTHS[max(at - 1, 0)], LENGTHS[min(at + 1, LENGTHS.size - 1)]
    while high - low > 1e-13 * high:
        grid = np.linspace(low, high, 21)
        at = int(np.argmin(best(grid)[0]))
        low, high = grid[max(at - 1, 0)], grid[min(at + 1, 20)]
    length = float(grid[at])
    left, amplitude, limit = (float(value[0]) for value in best(np.array([length])))
    none = float(weight @ (mean - weight @ mean / weight.sum()) ** 2)
    return length, limit, amplitude, float(np.sqrt(max(none - left, 0.0)))
