r"""Trajectories of couplings under doubling of the number of layers in a block, with what each projection loses."""

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from scipy import optimize

from statnn._arguments import Floats, whole
from statnn.montecarlo._blas import one_thread
from statnn.network import Activation
from statnn.network._activation import IDENTITY, LEAKY_RELU, RELU
from statnn.rg._layers.binary import BinaryLayer, whole_field
from statnn.rg._layers.linear import NAMES as LINEAR_NAMES
from statnn.rg._layers.linear import LinearLayer, block, locked
from statnn.rg._layers.noisy import NAMES as NOISY_NAMES
from statnn.rg._layers.noisy import NoisyLayer
from statnn.rg._layers.operator import TransferOperator
from statnn.rg._layers.transfer import TransferMatrix

MOST_DOUBLINGS = 60
LEAST_SIGNAL = 1e-7
"""Of h' given h, in deviations of h': with less a projection fits rounding."""
LARGEST_LOG = 700.0
HIGHEST = 1e5
"""Of the height of a fitted activation, and its inverse: beyond, its tail is fitted, and only a limit is nearest."""
ROUNDING = 1e-13
"""Of means of h' on nodes, in deviations of h'."""
HOMOGENEOUS = (IDENTITY, RELU, LEAKY_RELU)


class FlowEnd(StrEnum):
    """Why a trajectory ends."""

    COMPLETE = "all doublings done"
    OVERFLOW = "couplings leave the range of float64"
    DISORDERED = "the output of a block no longer depends on its input"
    UNLIKE = "no layer of the family is nearest to the block: none is near, or its height would grow without bound"
    UNRESOLVED = "no nodes resolve the projected layer"


@dataclass(frozen=True, eq=False)
class Flow:
    r"""A trajectory of couplings: row k belongs to blocks of 2^k layers.

    Parameters
    ----------
    family : str
        "linear", "binary" or "noisy".
    names : tuple of str
        The n couplings.
    couplings : ndarray, shape (steps + 1, n)
        The first row is the layer itself. Of noisy layers in units in which the activation has height one.
    truncation : ndarray, shape (steps + 1,)
        KL divergence in nats between the exact law and its projection; zero where the family is closed.
    deviation : ndarray, shape (steps + 1,)
        Of binary layers the largest \|ln T - ln T_projected\|; of noisy ones the root mean square distance of the mean
        of h' from its fit, in deviations of the noise.
    project : bool
        Whether each step started from the projection; otherwise all rows are read off the exact law, and errors do not
        add.
    end : FlowEnd
        Why there are not more steps.
    activation : Activation or None
        Of noisy layers.
    """

    family: str
    names: tuple[str, ...]
    couplings: Floats
    truncation: Floats
    deviation: Floats
    project: bool
    end: FlowEnd
    activation: Activation | None = field(default=None)

    def plot(self, ax: Any | None = None) -> Any:
        r"""Draw the trajectory in the flow diagram of its family, with fixed points and separatrices.

        For two couplings: weight and variance of linear layers, K and h of binary ones, weight and noise of noisy ones
        without bias. Flow lines of linear and binary layers are exact.

        Parameters
        ----------
        ax : matplotlib axes or None
            Where to draw; new axes when None.

        Returns
        -------
        matplotlib axes

        Raises
        ------
        ValueError
            If the layer has more couplings than can be drawn.

        Examples
        --------
        >>> from statnn.rg import BinaryLayer, flow
        >>> flow(BinaryLayer([[1.5]], [0.1]), 3).plot().get_xlabel()
        '$\\tanh K$'
        """
        from statnn.rg._layers.portrait import draw_flow

        return draw_flow(self, ax)


def flow(layer: Any, doublings: int = 12, *, project: bool = False) -> Flow:
    r"""Return the trajectory of the couplings of a layer under doubling: layers in a block 1, 2, 4, ..., 2^doublings.

    Parameters
    ----------
    layer : LinearLayer, BinaryLayer, NoisyLayer, or anything with a method ``flow(doublings, project=...)``
        The layer that is repeated.
    doublings : int
        How often the number of layers in a block is doubled, 1 to 60.
    project : bool
        Where the family is not closed: False squares the exact law and reads couplings off it; True goes on from the
        projection, so that couplings flow by themselves and errors add up. Either way every reading states what it
        lost.

    Returns
    -------
    Flow

    Raises
    ------
    TypeError, ValueError
        If the layer cannot be repeated, or `doublings` is no such number.

    Notes
    -----
    *Linear* layers of width one have (w, b, s), wider ones all entries; nothing is rescaled. *Binary* layers of width
    one have (K, h), h the whole field on a spin; wider ones couplings, fields and inputs. *Noisy* layers are projected
    on A σ(w h + b) + ε ξ by the least KL divergence rate over the stationary law, which is a least-squares fit of the
    mean; with h in units of A this is a layer of the family again, w → A w, ε → ε/A. The scale α = 1/A is found, not
    put in: at criticality it tends to √2 for tanh. Positively homogeneous activations keep A = 1 [own].

    Examples
    --------
    >>> from statnn import rg
    >>> rg.flow(rg.LinearLayer(0.9, 0.0, 0.19), doublings=2).couplings.round(4)
    array([[0.9   , 0.    , 0.19  ],
           [0.81  , 0.    , 0.3439],
           [0.6561, 0.    , 0.5695]])
    """
    if isinstance(layer, type):
        raise TypeError(f"layer is the class {layer.__name__}: pass one of its layers, {layer.__name__}(...)")
    if not hasattr(layer, "flow"):
        raise TypeError(f"a {type(layer).__name__} has no flow; pass a LinearLayer, BinaryLayer or NoisyLayer")
    found: Flow = layer.flow(doublings, project=project)
    return found


def _doublings(value: Any) -> int:
    return whole(value, "doublings", minimum=1, maximum=MOST_DOUBLINGS)


def _made(family: str, names: tuple[str, ...], rows: list[tuple[Any, float, float]], **more: Any) -> Flow:
    couplings, truncation, deviation = zip(*rows, strict=True)
    return Flow(family, names, locked(couplings), locked(truncation), locked(deviation), **more)


# -- linear ----------------------------------------------------------------------------------------------


def flow_of_linear(layer: LinearLayer, doublings: int, *, project: bool) -> Flow:
    """Return the flow of a linear layer."""
    steps = _doublings(doublings)
    wide = layer.shape[0]
    names: tuple[str, ...] = LINEAR_NAMES
    if layer.shape != (1, 1):
        entries = [f"{i}{j}" for i in range(wide) for j in range(wide)]
        names = (*(f"w{ij}" for ij in entries), *(f"b{i}" for i in range(wide)), *(f"s{ij}" for ij in entries))
    rows, end = [], FlowEnd.COMPLETE
    first = layer.power(1)
    for k in range(steps + 1):
        rows.append((np.concatenate([layer.weight.ravel(), layer.bias, layer.noise.ravel()]), 0.0, 0.0))
        if k == steps:
            break
        try:
            layer = block(first, 2 ** (k + 1)) if wide == 1 else layer.compose(layer)
        except ValueError:
            end = FlowEnd.OVERFLOW
            break
    return _made("linear", names, rows, project=project, end=end)


# -- binary ----------------------------------------------------------------------------------------------


def flow_of_binary(layer: BinaryLayer, doublings: int, *, project: bool) -> Flow:
    """Return the flow of a layer of spins."""
    steps = _doublings(doublings)
    layer.power(1)
    rows = [_row(layer)]
    exact: Any = layer
    for _ in range(steps):
        exact = exact.compose(exact)
        shown = exact.project() if isinstance(exact, TransferMatrix) else exact
        rows.append(_row(shown))
        if project:
            exact = shown
    names: tuple[str, ...] = ("K", "h")
    if layer.shape != (1, 1):
        up, down = (range(n) for n in layer.shape)
        names = (*(f"J{i}{j}" for i in up for j in down), *(f"f{i}" for i in up), *(f"g{j}" for j in down))
    return _made("binary", names, rows, project=project, end=FlowEnd.COMPLETE)


def _row(layer: BinaryLayer) -> tuple[Floats, float, float]:
    if layer.shape == (1, 1):
        values = np.concatenate([layer.couplings.ravel(), whole_field(layer)])
    else:
        values = np.concatenate([layer.couplings.ravel(), layer.fields, layer.inputs])
    return values, layer.truncation.divergence, layer.truncation.deviation


# -- noisy -----------------------------------------------------------------------------------------------


def flow_of_noisy(layer: NoisyLayer, doublings: int, *, project: bool) -> Flow:
    """Return the flow of a noisy layer."""
    steps = _doublings(doublings)
    sigma = layer.activation
    rows, end = [(np.array([layer.w, layer.b, layer.noise]), 0.0, 0.0)], FlowEnd.COMPLETE
    with one_thread():  # products of some hundred rows: more threads wait for each other, and burn time in it
        exact, shown = layer.operator(), layer
        for _ in range(steps):
            if project and len(rows) > 1:
                try:
                    exact = shown.operator()
                except ValueError:
                    end = FlowEnd.UNRESOLVED
                    break
            exact = exact.power(2)
            found = projected(sigma, exact, shown)
            if isinstance(found, FlowEnd):
                end = found
                break
            couplings, divergence, deviation = found
            shown = NoisyLayer(sigma, *couplings)
            rows.append((couplings, divergence, deviation))
    return _made("noisy", NOISY_NAMES, rows, project=project, end=end, activation=sigma)


def projected(sigma: Activation, exact: TransferOperator, before: NoisyLayer) -> tuple[Floats, float, float] | FlowEnd:
    """Return (w, b, ε) in units of A, KL divergence rate and deviation; or why there are none."""
    law = exact.stationary()
    p = law.weights * law.density
    x, P = exact.nodes, exact.probabilities
    g = x @ P
    within = (x - law.mean) ** 2 @ P - (g - law.mean) ** 2
    spread, signal = math.sqrt(law.variance), math.sqrt(float(p @ (g - p @ g) ** 2))
    if signal < LEAST_SIGNAL * spread:
        return FlowEnd.DISORDERED
    fitted = _fit(sigma, p, x, g, before, spread)
    if fitted is None:
        return FlowEnd.UNLIKE
    A, w, b = fitted
    off = float(p @ (g - A * sigma(w * x + b)) ** 2)
    noise = math.sqrt(float(p @ within) + off)
    logs = np.log(np.where(P > 0, P, 1) / exact.weights[:, None])
    entropy = -float((P * logs).sum(axis=0) @ p)
    divergence = max(0.0, math.log(2 * math.pi * math.e * noise**2) / 2 - entropy)  # below zero by rounding alone
    return np.array([A * w, b, noise / A]), divergence, math.sqrt(off) / noise


def _fit(
    sigma: Activation, p: Floats, x: Floats, g: Floats, before: NoisyLayer, spread: float
) -> tuple[float, float, float] | None:
    """Return (A, w, b) of the least mean square of g - A σ(w x + b) over the law p, or None.

    None where it is hardly nearer than a constant, or the way to it leads to activations without bound.
    """
    root, size = np.sqrt(p), math.sqrt(float(p @ g**2))
    odd = before.b == 0 and bool(np.abs(g + g[::-1]).max() <= 1e-9 * np.abs(g).max() + ROUNDING * spread)
    scaled = sigma.code not in HOMOGENEOUS
    slope = float((p * x) @ g / (p @ x**2))
    w = before.w * math.hypot(1, before.w) if scaled and before.w > 0 else max(abs(slope), 1e-12)
    free = np.array([scaled, True, not odd])

    def parts(theta: Floats) -> tuple[float, float, Floats]:
        full = np.array([0.0, 0.0, before.b])
        full[free] = theta
        return math.exp(min(full[0], LARGEST_LOG)), full[1], full[1] * x / spread + full[2]

    def gaps(theta: Floats) -> Floats:
        A, _, field = parts(theta)
        found: Floats = root * (g - A * sigma(field)) / size
        return found

    def slopes(theta: Floats) -> Floats:
        A, _, field = parts(theta)
        bent = A * sigma.derivative(field)
        found: Floats = (-root / size * np.array([A * sigma(field), bent * x / spread, bent]))[free].T
        return found

    tried = []
    for b in [before.b] if odd else [before.b, 2 * before.b, 0.0]:
        output = sigma(w * x + b)
        height = float((p * g) @ output / (p @ output**2)) if scaled and (p @ output**2) > 0 else 1.0
        start = np.array([math.log(height) if height > 0 else 0.0, w * spread, b])[free]
        tried.append(optimize.least_squares(gaps, start, slopes, method="lm", xtol=1e-15, ftol=1e-15, gtol=1e-15))
    best = min(tried, key=lambda one: one.cost)
    A, v, _ = parts(best.x)
    if 2 * best.cost * size**2 > 0.99 * float(p @ (g - p @ g) ** 2) or not 1 / HIGHEST < A < HIGHEST:
        return None
    return A, v / spread, float(best.x[-1]) if not odd else before.b


def renormalised_noisy(sigma: Activation, couplings: Floats, b: int) -> Floats:
    """Return (w, b, ε) of b layers, projected and rescaled; without noise and bias the limit of small noise.

    Raises
    ------
    ValueError
        If there is a bias but no noise, or nothing is left of the signal.
    """
    w, bias, noise = (float(x) for x in couplings)
    if noise == 0:
        if bias:
            raise ValueError(f"a bias of {bias:g} without noise has no projection: take some noise")
        slope = float(sigma.derivative(np.zeros(1))[0])
        return np.array([(w * slope) ** b / slope, 0.0, 0.0])
    layer = NoisyLayer(sigma, w, bias, noise)
    found = projected(sigma, layer.operator().power(b), layer)
    if isinstance(found, FlowEnd):
        raise ValueError(f"{b} layers of {layer} have no projection: {found}")  # noqa: TRY004 - no wrong type
    return found[0]
