r"""Networks as weighted graphs (La Malfa et al., arXiv 2110.02628): node strengths, beside those of random weights.

The strength s_k of a unit is the sum of all its weights, in and out, and its bias; the fluctuation Y of a layer is the
spread of strengths in it [paper]. For independent weights of variance σ_w²/n_in and biases of variance σ_b²,

.. math:: \mathrm{E}[Y^2] = \frac{n-1}{n}\,\mathrm{Var}\,s_k, \qquad
          \mathrm{Var}\,s_k = \sigma_w^2\Bigl(1 + \frac{n_+}{n}\Bigr) + \sigma_b^2,

2σ_w² + σ_b² between layers of one width n = n_+ [exact], see ``theory`` ("node-strength"). A larger Y says that the
weights of one unit agree with each other more than their size alone explains.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import stats

from statnn._arguments import Floats, deviation_of
from statnn._axes import COLOURS, axes, counting, settled
from statnn._by_value import ByValue
from statnn._text import p_alone
from statnn.measure._deviations import standard_deviation
from statnn.measure._strength import layer_fluctuation, node_strength
from statnn.network import Network

__all__ = ["Strength", "layer_fluctuation", "node_strength", "strength"]


def __dir__() -> list[str]:
    return __all__


@dataclass(frozen=True, eq=False, repr=False)
class Strength(ByValue):
    """Node strengths of a network and their fluctuation, layer by layer; made by `strength`.

    Parameters
    ----------
    node_strength : tuple of ndarray
        s_k, entry m of shape (n_m,), m = 0 ... M, inputs first.
    fluctuation : ndarray, shape (M+1,)
        Y_m, the standard deviation (ddof = 0) of the strengths of a layer.
    null_fluctuation : ndarray, shape (M+1,)
        E[Y²]^(1/2) of the null.
    p_value : ndarray, shape (M+1,)
        Two-sided probability of a fluctuation farther from the null, by the law of chi-square with n_m - 1 degrees of
        freedom (*Notes* of `strength`); 1 where a layer has one unit or cannot fluctuate.
    null : str
        ``"shuffled"``: the same weights in other places; ``"initial"``: weights drawn with the σ that were given.

    See Also
    --------
    strength : makes it.

    Examples
    --------
    >>> from statnn import Network
    >>> from statnn.measure.graph import strength
    >>> ax = strength(Network.random([20, 20, 20, 5], rng=1)).plot()
    """

    node_strength: tuple[Floats, ...] = field(repr=False)
    fluctuation: Floats
    null_fluctuation: Floats
    p_value: Floats
    null: str

    def __str__(self) -> str:
        lines = [f"{'layer':>6}{'units':>8}{'Y':>12}{'by chance':>12}{'p':>14}   null: {self.null} weights"]
        for m, units in enumerate(self.node_strength):
            lines.append(
                f"{m:>6}{units.size:>8}{self.fluctuation[m]:>12.4g}{self.null_fluctuation[m]:>12.4g}"
                f"{p_alone(self.p_value[m]):>14}"
            )
        return "\n".join(lines)

    def plot(self, ax: Any | None = None) -> Any:
        """Draw the fluctuation of every layer, and the 95 % range of that of random weights.

        Parameters
        ----------
        ax : matplotlib axes, optional
            New ones if None.

        Returns
        -------
        matplotlib axes
        """
        ax = axes(ax)
        layer = np.arange(self.fluctuation.size)
        units = np.array([layer_strength.size for layer_strength in self.node_strength])
        freedom = np.maximum(units - 1, 1)
        low, high = (self.null_fluctuation * np.sqrt(stats.chi2.ppf(q, freedom) / freedom) for q in (0.025, 0.975))
        ax.errorbar(
            layer,
            self.null_fluctuation,
            (self.null_fluctuation - low, high - self.null_fluctuation),
            fmt="s",
            color=COLOURS[1],
            label=f"{self.null} weights, 95 %",
        )
        ax.plot(layer, self.fluctuation, "o-", color=COLOURS[0], label="network")
        ax.set(xlabel="layer $m$", ylabel="fluctuation $Y_m$ of strength")
        counting(ax)  # labels of all layers would overlap
        ax.set_ylim(bottom=0)
        ax.legend(fontsize="small")
        return settled(ax)


def strength(net: Network, *, sigma_w: float | None = None, sigma_b: float | None = None) -> Strength:
    r"""Return node strengths and layer fluctuations with those that random weights of the same size would have.

    Parameters
    ----------
    net : Network
        Its effective weights and biases; inputs have no weights in and no bias, outputs no weights out.
    sigma_w, sigma_b : float, optional
        Standard deviations of the weights, times the root of the fan-in, and of the biases: the null of weights as
        they were drawn, by `Network.random` or another start of this kind. If both are left out, the null is that of
        the network's own weights and biases, shuffled in every layer.

    Returns
    -------
    Strength

    Raises
    ------
    TypeError, ValueError
        If ``net`` is not a network, only one of the σ is given, or one is negative.

    See Also
    --------
    node_strength, layer_fluctuation : the numbers alone.

    Notes
    -----
    Strength and fluctuation [paper]; nulls [own]. E[Y²] is exact for both nulls, whatever the law of the weights: for
    shuffled weights it is (n_m-1)/n_m [n_(m-1) var W^(m-1) + n_(m+1) var W^(m) + var b], each var (ddof = 1) over the
    entries of one matrix. The p-value is exact for Gaussian weights given σ_w and σ_b. For shuffled weights it is
    asymptotic in the fan-in; if they take few values (±1, 0), so do strengths, whatever the biases of a small layer,
    and √n Y is counted as nearer to its null by half the step √2 a that it takes when two weights change places, a the
    least difference of weights: for two units this is the p-value by counting, for several units it is larger. A few
    weights beyond all others (as of a Cauchy law) make small p-values by chance.

    References
    ----------
    La Malfa et al. 2021; the nulls are this project's own.

    Examples
    --------
    >>> from statnn import Network
    >>> net = Network.random([200, 100, 100, 10], sigma_w=1.0, sigma_b=0.5, rng=1)
    >>> nodes = strength(net, sigma_w=1, sigma_b=0.5)
    >>> nodes.null_fluctuation[2].round(4), bool((nodes.p_value > 0.001).all())
    (np.float64(1.1561), True)
    """
    if not isinstance(net, Network):
        raise TypeError(f"net is a {type(net).__name__}; pass a statnn.Network")
    if (sigma_w is None) != (sigma_b is None):
        missing = "sigma_b" if sigma_b is None else "sigma_w"
        raise ValueError(f"{missing} is missing: give both sigma_w and sigma_b, or neither for shuffled weights")
    same = "all layers have the same"
    with np.errstate(over="ignore"):
        deviation = (
            _shuffled(net)
            if sigma_w is None
            else _initial(net, deviation_of(sigma_w, "sigma_w", fix=same), deviation_of(sigma_b, "sigma_b", fix=same))
        )
    if not np.isfinite(deviation).all():
        what = "the network down" if sigma_w is None else "sigma_w, sigma_b and the network down"
        raise ValueError(f"strengths of random weights exceed the range of float64: scale {what}")
    grain = _grain(net) if sigma_w is None else np.zeros(net.depth + 1)
    units = np.array(net.widths, dtype=float)
    with np.errstate(over="ignore"):
        strengths = node_strength(net)
    if not all(np.isfinite(layer_strength).all() for layer_strength in strengths):
        raise ValueError("sums of the weights of a unit exceed the range of float64: scale the network down")
    fluctuation = np.array([standard_deviation(layer_strength) for layer_strength in strengths])
    possible = (units > 1) & (deviation > 0)
    with np.errstate(over="ignore"):  # an infinite statistic has p = 0
        of_null = np.where(possible, deviation, 1.0)
        radius, half = (np.where(possible, length / of_null, 0.0) for length in (np.sqrt(units) * fluctuation, grain))
        below, above = (radius + half) ** 2, np.maximum(radius - half, 0.0) ** 2
    freedom = np.maximum(units - 1, 1)
    tails = np.minimum(stats.chi2.cdf(below, freedom), stats.chi2.sf(above, freedom))
    return Strength(
        node_strength=strengths,
        fluctuation=fluctuation,
        null_fluctuation=deviation * np.sqrt((units - 1) / units),
        p_value=np.where(possible, np.minimum(2 * tails, 1.0), (fluctuation == 0).astype(float)),
        null="shuffled" if sigma_w is None else "initial",
    )


def _initial(net: Network, sigma_w: float, sigma_b: float) -> Floats:
    """Return the standard deviation of s_k for weights as drawn, shape (M+1,)."""
    deviation = np.zeros(net.depth + 1)
    for m in range(net.depth):
        above = sigma_w * math.sqrt(net.widths[m + 1] / net.widths[m])
        deviation[m] = math.hypot(deviation[m], above)
        deviation[m + 1] = math.hypot(sigma_w, sigma_b)
    return deviation


def _grain(net: Network) -> Floats:
    """Return half the least distance of two lists of strengths, one unit a step up and another down, shape (M+1,)."""
    grain = np.full(net.depth + 1, np.inf)
    for m, weight in enumerate(net.weights):
        step = _least_difference(weight)
        grain[m] = min(grain[m], step)
        grain[m + 1] = step
    return np.where(np.isfinite(grain), grain / math.sqrt(2), 0.0)


def _least_difference(values: Floats) -> float:
    """Return the least difference of two different values: infinite if all are equal, 0 if all differ (a continuum)."""
    distinct = np.unique(values)
    if distinct.size == values.size > 1:
        return 0.0
    with np.errstate(over="ignore"):
        return float(np.diff(distinct).min(initial=np.inf))


def _shuffled(net: Network) -> Floats:
    """Return the root of the expected variance (ddof = 1) of strengths when entries change places, shape (M+1,)."""
    deviation = np.zeros(net.depth + 1)
    for m, (weight, bias) in enumerate(zip(net.weights, net.biases, strict=True)):
        rows, columns = weight.shape
        entries = standard_deviation(weight, ddof=1) if weight.size > 1 else 0.0
        biases = standard_deviation(bias, ddof=1) if bias.size > 1 else 0.0
        deviation[m] = math.hypot(deviation[m], math.sqrt(rows) * entries)
        deviation[m + 1] = math.hypot(math.sqrt(columns) * entries, biases)
    return deviation
