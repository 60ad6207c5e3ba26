r"""Growth of working units and laws of activation counts, layer by layer (arXiv 2412.18073).

A unit *works* once it has been active in one of D samples; D_i is the number of samples that activated it. Side by
side: the growth K(d) inside the data set with no model at all (`statnn.activation.rarefaction`), and the laws of
`statnn.activation` fitted to the counts, with the p-value of their fit. On real layers the share c/N of units active in
a sample is of order one, far from the gamma-Poisson limit, which the paper's formula is: fits are reported as they are.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statnn._arguments import Floats, Ints, array_of, whole, whole_array
from statnn._axes import COLOURS, LINES, axes, drawable, ink, logarithmic, seen, settled
from statnn._by_value import ByValue
from statnn._labelled import refuse_other_order
from statnn._text import p_value
from statnn.activation import Comparison, Rarefaction, compare, rarefaction
from statnn.activation._inference.estimate import NoFiniteFitError
from statnn.activation._inference.rarefaction import ACTIVITY
from statnn.measure.spikes._accumulator import spiking, thresholds
from statnn.network import Network

__all__ = ["Growth", "from_active_samples", "layer", "layers"]


def __dir__() -> list[str]:
    return __all__


POINTS = 40
AT_ONCE = 2**22
"""Activations processed at a time."""


@dataclass(frozen=True, eq=False, repr=False)
class Growth(ByValue):
    """Activity of the units of one layer over D samples; made by `layer`, `layers` or `from_active_samples`.

    Parameters
    ----------
    counts : ndarray of int, shape (units,)
        D_i, the number of samples that activated unit i.
    samples : int
        D, the number of samples.
    rarefaction : Rarefaction
        K(d) over subsamples, with no model.
    comparison : Comparison or None
        The fitted laws, best first; None if no law has a finite fit.
    reason : str
        Why there is no comparison; empty otherwise.
    remarks : tuple of str
        Warnings of the fits.

    See Also
    --------
    layer, layers, from_active_samples : make it.

    Examples
    --------
    >>> import numpy as np
    >>> from statnn.measure.growth import layer
    >>> rng = np.random.default_rng(1)
    >>> ax = layer(rng.random((500, 300)) < rng.beta(2, 3, 300)).plot()
    """

    counts: Ints = field(repr=False)
    samples: int
    rarefaction: Rarefaction = field(repr=False)
    comparison: Comparison | None = field(repr=False)
    reason: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def units(self) -> int:
        """Number N of units."""
        return self.counts.size

    @property
    def working(self) -> int:
        """Number K(D) of units that were active at least once."""
        return int(np.count_nonzero(self.counts))

    @property
    def silent(self) -> int:
        """Number of units that were never active."""
        return self.units - self.working

    @property
    def active_share(self) -> float:
        """c/N, the mean share of the units that are active in a sample."""
        return float(self.counts.mean() / self.samples)

    @property
    def p_values(self) -> dict[str, float]:
        """P-value of the fit of every law that could be fitted, by its name."""
        if self.comparison is None:
            return {}
        return {type(fit.process).__name__: fit.p_value for fit in self.comparison.fits}

    def __str__(self) -> str:
        head = f"{self.units} units, {self.silent} silent in {self.samples} samples; c/N = {self.active_share:.4g}"
        return f"{head}\n{self.comparison if self.comparison is not None else self.reason}"

    def plot(self, ax: Any | None = None) -> Any:
        """Draw the share K(d)/N by rarefaction, and the growth of every fitted law.

        Parameters
        ----------
        ax : matplotlib axes, optional
            New ones if None.

        Returns
        -------
        matplotlib axes
        """
        shown = drawable(self.rarefaction.at, "at")
        ax = axes(ax)
        d, working, std = self.rarefaction.at[shown], self.rarefaction.working[shown], self.rarefaction.std[shown]
        ax.errorbar(d, working / self.units, std / self.units, fmt="o", ms=3, color=ink(), label="rarefaction")
        fits = self.comparison.fits if self.comparison is not None else ()
        for fit, colour, line in zip(fits, COLOURS, LINES, strict=False):
            label = f"{type(fit.process).__name__}, {p_value(fit.p_value)}"
            seen(*ax.plot(d, self._grown(fit.process, d) / self.units, line, color=colour, label=label))
        logarithmic(ax, "x")
        ax.set(xlabel="samples $d$", ylabel="working units $K(d)/N$", ylim=(0, 1.05))
        ax.legend()
        return settled(ax)

    @staticmethod
    def _grown(process: Any, d: Ints) -> Floats:
        return np.asarray(process.working(d.astype(float)), dtype=float)


def _counts(x: NDArray[Any], threshold: ArrayLike) -> Ints:
    """Return how many samples activate each unit, shape (units,)."""
    level = thresholds(threshold, x.shape[1])
    step = max(1, AT_ONCE // x.shape[1])
    total = np.zeros(x.shape[1], dtype=np.int64)
    for begin in range(0, len(x), step):
        total += spiking(x[begin : begin + step], level).sum(axis=0, dtype=np.int64)
    return total


def from_active_samples(
    counts: ArrayLike,
    samples: int,
    *,
    at: ArrayLike | None = None,
    goodness: str = "chi-square",
    rng: int | np.random.Generator | None = None,
) -> Growth:
    """Return growth and fits from the number of samples that activated each unit.

    Parameters
    ----------
    counts : array_like of int, shape (units,)
        D_i, each between 0 and ``samples``; silent units included. At least two units.
    samples : int
        D, at least 1.
    at : array_like of int, optional
        Sizes d of subsamples, between 0 and D; 40 of them from 1 to D on a logarithmic scale by default.
    goodness : {"chi-square", "bootstrap"}
        The test of fit, as in `statnn.activation.fit`.
    rng : int, Generator or None
        For the bootstrap, which small layers need.

    Returns
    -------
    Growth

    Raises
    ------
    TypeError, ValueError
        If counts are not whole numbers in range, or there is one unit only.

    See Also
    --------
    layer : from activations.
    statnn.activation.fit : one law alone.

    Notes
    -----
    Standing and validity as in `statnn.activation.rarefaction` and `compare`. Warnings of fits are kept in
    ``remarks``. Errors of b and c assume units that are independent of each other, which those of a network are not.

    Examples
    --------
    >>> growth = from_active_samples(20 * [0, 3, 10, 7, 0, 1, 5, 2, 9, 4], samples=10)
    >>> growth.working, growth.silent, round(growth.active_share, 2), growth.comparison.best.b > 0
    (160, 40, 0.41, True)
    """
    size = whole(samples, "samples", minimum=1)
    values = whole_array(counts, "counts", maximum=size, matrix=ACTIVITY)
    if values.size < 2:
        raise ValueError("counts has one entry; a law of counts needs at least two units")
    sizes = np.unique(np.round(np.geomspace(1, size, POINTS)).astype(np.int64)) if at is None else at
    grown = rarefaction(values, size, sizes)
    comparison, why = None, ""
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always", RuntimeWarning)
        try:
            comparison = compare(values, size, goodness=goodness, rng=rng)
        except NoFiniteFitError as error:
            why = str(error)
    return Growth(values, size, grown, comparison, why, tuple(str(warning.message) for warning in raised))


def layer(
    activations: ArrayLike,
    threshold: ArrayLike = 0.0,
    *,
    at: ArrayLike | None = None,
    goodness: str = "chi-square",
    rng: int | np.random.Generator | None = None,
) -> Growth:
    """Return growth and fits for recorded activations of one layer, of any network.

    Parameters
    ----------
    activations : array_like, shape (samples, units)
        Real numbers or booleans. A memory map is read piece by piece.
    threshold : float or array_like, shape (units,)
        A unit is active when its activation is above it; 0 for ReLU.
    at, goodness, rng
        As in `from_active_samples`.

    Returns
    -------
    Growth

    Raises
    ------
    TypeError, ValueError
        If activations are not a matrix of finite numbers, or as in `from_active_samples`.

    See Also
    --------
    layers : of all hidden layers of a network.
    from_active_samples : from counts.

    References
    ----------
    Zhang & Sui 2024: the hypothesis that is fitted.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> growth = layer(rng.random((500, 300)) < rng.beta(2, 3, 300))
    >>> growth.comparison.best.p_value > 0.01
    True
    """
    x = array_of(activations, "activations")
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(
            f"activations have shape {x.shape}; (samples, units), neither of them 0, is needed: flatten channels and "
            "pixels with x.reshape(len(x), -1)"
        )
    refuse_other_order(threshold, "threshold", activations, "activations", (0, 1))
    return from_active_samples(_counts(x, threshold), len(x), at=at, goodness=goodness, rng=rng)


def layers(
    net: Network,
    x: ArrayLike,
    threshold: float = 0.0,
    *,
    at: ArrayLike | None = None,
    goodness: str = "chi-square",
    rng: int | np.random.Generator | None = None,
) -> tuple[Growth, ...]:
    """Return growth and fits for every hidden layer of a network on data.

    Parameters
    ----------
    net : Network
        With at least one hidden layer.
    x : array_like, shape (samples, n_0)
        Inputs.
    threshold : float
        A unit is active when its activation is above it; 0 for ReLU.
    at, goodness, rng
        As in `from_active_samples`.

    Returns
    -------
    tuple of Growth
        One per hidden layer, first layer first.

    Raises
    ------
    TypeError, ValueError
        If inputs do not fit the network, it has no hidden layer, or as in `from_active_samples`.

    See Also
    --------
    layer : of recorded activations, of any network.

    Examples
    --------
    >>> import numpy as np
    >>> from statnn import Network
    >>> net = Network.random([20, 50, 60, 3], "relu", sigma_w=1.4, sigma_b=0.5, rng=0)
    >>> grown = layers(net, np.random.default_rng(0).normal(size=(400, 20)), rng=0)
    >>> [growth.units for growth in grown]
    [50, 60]
    """
    if not isinstance(net, Network):
        raise TypeError(f"net is a {type(net).__name__}; pass a statnn.Network, or recorded activations to layer()")
    if net.depth < 2:
        raise ValueError(f"{net} has no hidden layer: record activations yourself and pass them to layer()")
    inputs = net.inputs(x)
    if inputs.ndim != 2:
        raise ValueError(f"x has shape {inputs.shape}; (samples, {net.widths[0]}) is needed")
    counts = [np.zeros(n, dtype=np.int64) for n in net.widths[1:-1]]
    step = max(1, AT_ONCE // max(net.widths))
    for begin in range(0, len(inputs), step):
        trace = net.trace(inputs[begin : begin + step])
        counts = [own + _counts(h, threshold) for own, h in zip(counts, trace.activations[1:-1], strict=True)]
    return tuple(from_active_samples(own, len(inputs), at=at, goodness=goodness, rng=rng) for own in counts)
