r"""A given network on the phase diagram of wide random layers: the places of its layers and the range of signals.

Fields of layer m+1 come from those of layer m by φ_m, W^(m+1) and b^(m+1). Treated as a random layer it has
σ_w² = n_m · mean of W², σ_b² = mean of b². A network at initialisation is such a layer; for a trained one this is a
coarse description by two numbers [own], and the gap between predicted and measured signals tells how coarse.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from statnn._arguments import Floats, switch, whole
from statnn._axes import COLOURS, counting, settled
from statnn._axes import axes as new_axes
from statnn._by_value import ByValue
from statnn._notebook import Rows, Shown
from statnn._random import root, stream
from statnn._text import with_error
from statnn.network._network import Network
from statnn.rg.wide._averages import averages
from statnn.rg.wide._decay import Decay, decay
from statnn.rg.wide._layer import RandomLayer
from statnn.rg.wide._maps import Maps
from statnn.rg.wide._mean_field import MeanField, points
from statnn.rg.wide._phase_diagram import draw_transitions
from statnn.rg.wide._phase_transition import transition
from statnn.rg.wide._solve import solve

LEAST = 1e-290
"""Least sum of squares that has all its digits."""


@dataclass(frozen=True)
class LayerPlace(Shown):
    """One layer of a network as a wide random layer.

    Parameters
    ----------
    index : int
        m: the layer of ``net.weights[m]``, with the activation of the layer below.
    sigma_w, sigma_w_error, sigma_b, sigma_b_error : float
        Root mean squares (of weights, times the root of the fan-in), and their standard errors from the spread of the
        squares, as if entries were independent; a single entry has no spread, and gets the error of a normal one, σ/√2.
    point : MeanField
        The limit of signals if this layer were repeated: q*, χ, c*, ξ_q, ξ_c, phase.

    See Also
    --------
    place : makes it, one per layer.
    """

    index: int
    sigma_w: float
    sigma_w_error: float
    sigma_b: float
    sigma_b_error: float
    point: MeanField = field(repr=False)

    @property
    def layer(self) -> Maps:
        """The `RandomLayer` with these scales."""
        return self.point.layer


@dataclass(frozen=True, eq=False, repr=False)
class Placement(ByValue):
    """Layers of a network on the phase diagram, with measured and predicted signals.

    Parameters
    ----------
    layers : tuple of LayerPlace
        Layers 1 ... M-1; layer 0 acts on the inputs themselves and has no activation below it.
    variance : ndarray, shape (M,)
        Mean square of the fields of each layer, over units and the inputs of the pairs. Empty without inputs, as are
        all arrays below.
    correlation, correlation_error : ndarray, shape (M,)
        Mean over pairs of inputs of the correlation of their fields (cosine, as in mean-field theory), and its error
        over pairs in this one network.
    predicted_variance, predicted_correlation : ndarray, shape (M,)
        Mean-field maps of `layers` one after another, from the measured variance and correlation of layer 0.
    decay : Decay or None
        Measured correlation length through depth; None without inputs.

    See Also
    --------
    place : makes it.

    Examples
    --------
    >>> from statnn import Network
    >>> from statnn.rg import place
    >>> import numpy as np
    >>> net = Network.random([50] * 5, "tanh", 1.5, 0.1, rng=0)
    >>> placement = place(net, np.random.default_rng(0).normal(size=(20, 50)))
    >>> ax, signals = placement.plot(critical=False), placement.plot_signals()
    """

    layers: tuple[LayerPlace, ...]
    variance: Floats = field(repr=False)
    correlation: Floats = field(repr=False)
    correlation_error: Floats = field(repr=False)
    predicted_variance: Floats = field(repr=False)
    predicted_correlation: Floats = field(repr=False)
    decay: Decay | None

    def _table(self) -> Rows:
        rows = [
            (
                place.index,
                with_error(place.sigma_w, place.sigma_w_error),
                with_error(place.sigma_b, place.sigma_b_error),
                place.point.chi,
                place.point.xi_correlation,
                place.point.phase,
            )
            for place in self.layers
        ]
        return Rows(("layer", "σ_w", "σ_b", "χ", "ξ_c", "phase"), rows)

    @property
    def xi_predicted(self) -> Floats:
        """ξ_c of each layer in `layers`, shape (M-1,)."""
        return np.array([place.point.xi_correlation for place in self.layers])

    def plot(
        self,
        ax: Any = None,
        *,
        critical: bool = True,
        colour: str = COLOURS[0],
        label: str | None = None,
        first: int = 0,
    ) -> Any:
        """Plot the path through depth in the plane of σ_w and σ_b, with layers numbered, and return the axes.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None
            Where to draw; None for a new figure.
        critical : bool
            Whether to draw the end of order for the activation of the first layer, from `transition`, up to the
            largest :math:`σ_b` whose averages can be computed.
        colour : str
            Colour of the layers.
        label : str or None
            Label in a legend.
        first : int
            Number of the first layer of weights: 0 as in `LayerPlace`, or 1 where inputs are layer 0.
        """
        first, critical = whole(first, "first", minimum=0), switch(critical, "critical")
        axes = new_axes(ax)
        x, y = (np.array([getattr(place, name) for place in self.layers]) for name in ("sigma_w", "sigma_b"))
        x_error, y_error = (
            np.array([getattr(place, f"{name}_error") for place in self.layers]) for name in ("sigma_w", "sigma_b")
        )
        axes.errorbar(x, y, y_error, x_error, fmt="o-", color=colour, linewidth=1, markersize=4, label=label)
        last = len(x) - 1
        for end, beside in {0: min(1, last), last: max(0, last - 1)}.items():  # off the line and its error bars
            away = [8 if u[end] >= u[beside] else -8 for u in (x, y)]
            axes.annotate(
                str(self.layers[end].index + first), (x[end], y[end]), xytext=away, textcoords="offset points",
                color=colour, ha="center", va="center",
            )  # fmt: skip
        if critical:
            sigma = self.layers[0].layer.activation
            top = min(1.25 * float((y + y_error).max()) or 1.0, math.sqrt(averages(sigma).reach / 2))
            draw_transitions(axes, transition(sigma, np.linspace(0, top, 101)))
            if axes.get_legend_handles_labels()[0]:
                axes.legend()
        axes.set(xlabel=r"$\sigma_w$", ylabel=r"$\sigma_b$")
        return settled(axes)

    def plot_signals(self, ax: Any = None, *, colour: str = COLOURS[0], label: str = "measured", first: int = 0) -> Any:
        """Plot the correlation of pairs through depth, measured and predicted, and return the axes.

        Bars are errors over pairs of inputs in this one network. Networks of the same scales, and so their distances
        from mean-field theory, scatter by more, with a variance of order depth/width (`RandomLayer.finite_width`).

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None
            Where to draw; None for a new figure, with a legend.
        colour, label : str
            Of the measured correlations.
        first : int
            Number of the first layer of weights, as in `plot`.

        Raises
        ------
        ValueError
            If no signals were measured.
        """
        if not self.correlation.size:
            raise ValueError("no signals were measured: pass inputs to rg.place")
        m = np.arange(self.correlation.size) + whole(first, "first", minimum=0)
        axes = new_axes(ax)
        axes.errorbar(m, self.correlation, self.correlation_error, fmt="o", markersize=3, color=colour, label=label)
        axes.plot(m, self.predicted_correlation, color=colour, linewidth=1, label="mean-field theory")
        counting(axes)
        axes.set(xlabel="layer $m$", ylabel="correlation $c_m$")
        if ax is None:  # more may be drawn on given axes
            axes.legend()
        return settled(axes)


def place(
    net: Network, inputs: ArrayLike | None = None, *, pairs: int = 200, rng: int | np.random.Generator | None = 0
) -> Placement:
    """Place the layers of a network on the phase diagram of wide random layers, and follow signals through it.

    Parameters
    ----------
    net : Network
        At least two layers. With batch normalisation, its effective weights and biases count.
    inputs : array_like, shape (samples, n_0), or None
        Inputs to follow; None for the places only.
    pairs : int
        Disjoint pairs of inputs, drawn at random, at least two and at most half the samples.
    rng : int, numpy.random.Generator or None
        Seed of the choice of pairs.

    Returns
    -------
    Placement
        `Placement.plot` draws the path of the layers through the plane, `Placement.plot_signals` correlations through
        depth.

    Raises
    ------
    TypeError, ValueError
        If `net` is not a Network of at least two layers, inputs do not fit, or the fields of an input are all zero.

    See Also
    --------
    phase_diagram : the diagram itself.
    RandomLayer : the model of each layer.

    Notes
    -----
    Predictions hold for random weights as widths go to infinity [asymptotic]; for trained weights they are a
    description [own] that leaves out correlations between weights, and their means.

    Examples
    --------
    >>> from statnn import Network
    >>> net = Network.random([100] * 5, "tanh", 1.5, 0.1, rng=0)
    >>> placement = place(net)
    >>> [layer.point.phase.value for layer in placement.layers]
    ['chaotic', 'chaotic', 'chaotic']
    """
    if not isinstance(net, Network):
        raise TypeError(f"net is a {type(net).__name__}; pass a statnn.Network, see statnn.io.load_network")
    if net.depth < 2:
        raise ValueError("net has one layer; a place on the diagram needs an activation between two layers of weights")
    layers = _placed(net)
    if inputs is None:
        nothing = np.empty(0)
        return Placement(layers, nothing, nothing, nothing, nothing, nothing, None)
    variance, correlation = _with_error(net, inputs, whole(pairs, "pairs", minimum=2), rng)
    mean = correlation.mean(axis=0)
    error = correlation.std(axis=0, ddof=1) / np.sqrt(len(correlation))
    predicted = [(float(variance[0]), float(mean[0]))]
    for entry in layers:
        q, c = predicted[-1]
        if q == 0 or entry.sigma_w == entry.sigma_b == 0:
            raise ValueError(f"layer {entry.index} or the one below has no weights and biases: there is no signal")
        predicted.append((entry.layer.variance_map(q), entry.layer.correlation_map(c, q)))
    q_predicted, c_predicted = np.array(predicted).T.copy()
    return Placement(layers, variance, mean, error, q_predicted, c_predicted, decay(correlation))


def _placed(net: Network) -> tuple[LayerPlace, ...]:
    """Return the places of all layers but the first; layers of one activation are solved together."""
    weights, biases = [], []
    for weight, bias in zip(net.weights[1:], net.biases[1:], strict=True):
        weights.append(root_mean_square(weight.astype(np.float64).ravel() * np.sqrt(weight.shape[1])))
        biases.append(root_mean_square(bias.astype(np.float64)))
    layers = [
        RandomLayer(sigma, w, b) for sigma, (w, _), (b, _) in zip(net.activations[:-1], weights, biases, strict=True)
    ]
    mean_fields: dict[int, MeanField] = {}
    for sigma in dict.fromkeys(net.activations[:-1]):
        own = [i for i, layer in enumerate(layers) if layer.activation == sigma]
        w_squares, b_squares = (
            np.array([getattr(layers[i], name) ** 2 for i in own]) for name in ("sigma_w", "sigma_b")
        )
        solved = points([layers[i] for i in own], solve(averages(sigma), w_squares, b_squares, 1.0))
        mean_fields.update(zip(own, solved, strict=True))
    return tuple(LayerPlace(i + 1, *weights[i], *biases[i], mean_fields[i]) for i in range(len(layers)))


def root_mean_square(values: Floats) -> tuple[float, float]:
    """Return the root mean square and its standard error."""
    # scaled, because squares of very small or large numbers are outside the range of float64
    power = int(np.frexp(np.abs(values).max())[1])
    squares = np.ldexp(values, -power) ** 2
    root = float(np.sqrt(squares.mean()))
    if root == 0:
        return 0.0, 0.0
    error = float(np.std(squares, ddof=1)) / np.sqrt(values.size) if values.size > 1 else math.sqrt(2) * root**2
    return math.ldexp(root, power), math.ldexp(error / (2 * root), power)


def _with_error(
    net: Network, inputs: ArrayLike, pairs: int, rng: int | np.random.Generator | None
) -> tuple[Floats, Floats]:
    x = net.inputs(inputs)
    if x.ndim != 2 or len(x) < 4:
        raise ValueError(f"inputs have shape {x.shape}; at least four, as (samples, n_0), are needed for pairs")
    number = min(pairs, len(x) // 2)
    chosen = stream(root(rng)).permutation(len(x))[: 2 * number]
    variance, correlation = [], []
    for m, fields in enumerate(net.trace(x[chosen]).fields):
        first, second = (half.astype(np.float64) for half in (fields[:number], fields[number:]))
        with np.errstate(over="ignore"):
            squares = np.square(first).sum(axis=1), np.square(second).sum(axis=1)
            mean = float(np.concatenate(squares).mean())
        sizes = np.abs(fields).max(axis=1)
        if not sizes.all():
            raise ValueError(f"fields of layer {m} are all zero for some input: there is no signal to correlate")
        if not (min(part.min() for part in squares) >= LEAST and math.isfinite(mean)):
            raise ValueError(
                f"fields of layer {m} reach from {sizes.min():.3g} to {sizes.max():.3g} over the inputs, and their "
                "squares are outside the range of float64: follow signals through fewer layers, or scale the network"
            )
        variance.append(mean / first.shape[1])
        cosine = (first * second).sum(axis=1) / (np.sqrt(squares[0]) * np.sqrt(squares[1]))
        correlation.append(np.clip(cosine, -1.0, 1.0))  # only rounding goes beyond
    return np.array(variance), np.stack(correlation, axis=1)
