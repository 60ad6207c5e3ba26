r"""Networks of finite width, simulated without drawing weights, and their statistics to order 1/n.

Given the activations of a layer for two inputs, the fields of the next layer are independent from unit to unit and
Gaussian with the covariance K' = σ_w² (1/n) Σ_i φ(u_i)φ(u_i)^T + σ_b², because the weights are. So K^(0), K^(1), ... is
a Markov chain that costs 2n normal numbers per layer, with exactly the law of a network of width n [exact].
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from statnn._archive.kept import kept_tasks
from statnn._archive.store import Store
from statnn._arguments import Floats, share
from statnn._axes import COLOURS, axes, band, counting, ink, seen, settled
from statnn._by_value import ByValue, by_value
from statnn._memory import refuse_beyond_memory
from statnn._random import Root, stream
from statnn.rg.wide._averages import Averages
from statnn.rg.wide._maps import Maps

BLOCK = 64
"""Replicas that share a stream of random numbers."""


@dataclass(frozen=True, eq=False, repr=False)
class Signals(ByValue):
    """Variances and covariances of the fields of two inputs, layer by layer, in independent random networks.

    Parameters
    ----------
    layer : RandomLayer
        The simulated layer.
    width : int
        n, units in a layer.
    variance : ndarray, shape (replicas, depth+1, 2)
        Variances of the fields of either input, given the activations below; the start first.
    covariance : ndarray, shape (replicas, depth+1)
        Covariance of the fields of the two inputs.

    See Also
    --------
    RandomLayer.simulate : makes it.

    Examples
    --------
    >>> from statnn.rg import RandomLayer
    >>> ax = RandomLayer("tanh", 1.5, 0.1).simulate(50, 10, replicas=20, rng=1).plot()
    """

    layer: Maps = field(repr=False)
    width: int
    variance: Floats = field(repr=False)
    covariance: Floats = field(repr=False)

    @property
    def correlation(self) -> Floats:
        """Correlation of the fields, shape (replicas, depth+1); raises ValueError where a variance is zero."""
        dead = (self.variance == 0).any(axis=(1, 2))
        if dead.any():
            raise ValueError(
                f"the signal died in {dead.sum()} of {len(dead)} networks, no unit of a layer being active, and has no "
                "correlation there: use covariance, or a larger width"
            )
        first, second = np.moveaxis(np.sqrt(self.variance), 2, 0)  # the product of the variances may overflow
        return np.asarray(np.clip(self.covariance / first / second, -1, 1))

    def plot(self, ax: Any | None = None, *, quantity: str = "correlation", level: float = 0.95, **style: Any) -> Any:
        """Plot the mean over networks, the band that holds a fraction ``level`` of them, and infinite width.

        Parameters
        ----------
        ax : matplotlib axes or None
            Where to draw; None makes a new figure.
        quantity : {"correlation", "variance"}
            Correlation of the two inputs, or variance of the first.
        level : float
            Fraction of the networks in the band, between 0 and 1.
        **style
            Of the mean, as for ``ax.plot``.

        Returns
        -------
        matplotlib axes

        Raises
        ------
        ValueError
            For another quantity, a level outside (0, 1), or correlations of signals that vanished.
        """
        if quantity not in ("correlation", "variance"):
            raise ValueError(f"quantity = {quantity!r}: choose 'correlation' or 'variance'")
        level = share(level, "level", why="the share of networks in the band")
        correlated = quantity == "correlation"
        values = self.correlation if correlated else self.variance[..., 0]
        q, limit = float(self.variance[0, 0, 0]), [float(values[0, 0])]
        layer = np.arange(values.shape[1])
        for _ in layer[1:]:
            after = float(self.layer.variance_map(q))
            limit.append(float(self.layer.correlation_map(limit[-1], q)) if correlated else after)
            q = after
        ax = axes(ax)
        label = f"mean of {len(values)} networks, $n = {self.width}$,\n{100 * level:g} % of them in the band"
        look = {"marker": ".", "ls": "none", "label": label}
        (points,) = ax.plot(layer, values.mean(axis=0), **(look | style))
        low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2], axis=0)
        band(ax, layer, low, high, points)
        seen(*ax.plot(layer, limit, color=ink(), lw=1, label=r"$n \to \infty$"))
        counting(ax)
        ax.set(xlabel="layer $m$", ylabel=f"{quantity} ${'c' if correlated else 'q'}_m$")
        ax.legend(fontsize="small")
        return settled(ax)


@by_value
class FiniteWidth(NamedTuple):
    """Leading order in 1/n of the variance K of fields of one input, in layers 0 ... depth.

    Parameters
    ----------
    variance : ndarray, shape (depth+1,)
        q at infinite width.
    shift, spread : ndarray, shape (depth+1,)
        n (E[K] - q) and n Var K as n → ∞ [asymptotic].

    See Also
    --------
    RandomLayer.finite_width : makes it.

    Examples
    --------
    >>> from statnn.rg import RandomLayer
    >>> ax = RandomLayer("relu", 2.0**0.5).finite_width(1.0, 3).plot()
    """

    variance: Floats
    shift: Floats
    spread: Floats

    def plot(self, ax: Any | None = None) -> Any:
        """Plot shift over q and spread over q² of infinite width: 1/n times these are relative corrections.

        Layers where q² is not a normal float are left out.

        Parameters
        ----------
        ax : matplotlib axes or None
            Where to draw; None makes a new figure.

        Returns
        -------
        matplotlib axes
        """
        ax = axes(ax)
        layer = np.flatnonzero(self.variance**2 >= np.finfo(float).tiny)
        q = self.variance[layer]
        ax.plot(layer, self.spread[layer] / q / q, "o-", ms=3, color=COLOURS[0], label=r"$n\,\mathrm{Var}\,K/q^2$")
        ax.plot(layer, self.shift[layer] / q, "s--", ms=3, color=COLOURS[1], label=r"$n\,(\mathrm{E}\,K - q)/q$")
        counting(ax)
        ax.set(xlabel="layer $m$", ylabel="leading order in $1/n$")
        ax.legend(fontsize="small")
        return settled(ax)


class _Task(NamedTuple):
    layer: Maps
    width: int
    depth: int
    replicas: int
    begin: tuple[float, float]
    seed: Root
    block: int


def simulated(
    layer: Maps, width: int, depth: int, replicas: int, begin: tuple[float, float], seed: Root,
    executor: Executor | None, store: Store | None = None,
) -> Signals:  # fmt: skip
    """Return replicas of the chain of covariances."""
    refuse_beyond_memory(
        24.0 * replicas * (depth + 1) + 48.0 * min(BLOCK, replicas) * width,
        f"{replicas} replicas of {depth} layers of {width} neurons",
        "take fewer replicas, or smaller layers",
    )
    sizes = [min(BLOCK, replicas - first) for first in range(0, replicas, BLOCK)]
    tasks = [_Task(layer, width, depth, size, begin, seed, block) for block, size in enumerate(sizes)]
    covariances = np.empty((replicas, depth + 1, 3))
    for block, values in kept_tasks(store, _chain, tasks, executor):
        covariances[block * BLOCK : block * BLOCK + len(values)] = values
    return Signals(layer, width, covariances[..., :2], covariances[..., 2])


def _chain(task: _Task) -> Floats:
    rng = stream(task.seed, task.block)
    q, c = task.begin
    weight, bias = task.layer.sigma_w**2, task.layer.sigma_b**2
    phi = task.layer.activation
    out = np.empty((task.replicas, task.depth + 1, 3))
    out[:, 0] = q, q, q * c
    for m in range(task.depth):
        first, second, cross = out[:, m].T
        scale = np.sqrt(first)
        share = np.divide(cross, scale, out=np.zeros_like(cross), where=scale > 0)
        rest = np.sqrt(np.maximum(second - share**2, 0.0))
        z = rng.standard_normal((2, task.replicas, task.width))
        with np.errstate(over="ignore"):
            x = phi(scale[:, None] * z[0])
            y = phi(share[:, None] * z[0] + rest[:, None] * z[1])
            out[:, m + 1, 0] = weight * np.square(x).mean(axis=1) + bias
            out[:, m + 1, 1] = weight * np.square(y).mean(axis=1) + bias
            out[:, m + 1, 2] = weight * (x * y).mean(axis=1) + bias
        if not np.isfinite(out[:, m + 1]).all():
            raise ValueError(
                f"fields of layer {m + 1} exceed the range of floats: take fewer layers or a smaller sigma_w"
            )
    return out


def leading_order(of: Averages, weight: float, bias: float, q: float, depth: int) -> FiniteWidth:
    """Return the recursion of mean and variance of K to first order in 1/n; raise beyond the range of float64."""
    rows = [(q, 0.0, 0.0)]
    for q_now, shift, spread in _last(rows, depth):
        at = np.array([q_now])
        with np.errstate(all="ignore"):  # overflow is refused below
            mean, curve, _ = (value[0] for value in of.moments(at))
            bend, varied = (value[0] for value in of.higher_moments(at))
            slope = weight * curve
            row = (
                weight * mean + bias,
                slope * shift + weight * bend * spread / 2,
                slope**2 * spread + np.float64(weight) ** 2 * varied,
            )
        if not np.isfinite(row).all():
            raise ValueError(
                f"after {len(rows)} layers, from q = {q_now:.3g}, variance, shift or spread exceed the range of "
                "float64: take fewer layers, or another q"
            )
        rows.append(row)
    columns = np.array(rows).T.copy()
    return FiniteWidth(columns[0], columns[1], columns[2])


def _last(rows: list[tuple[float, float, float]], times: int) -> Iterator[tuple[float, float, float]]:
    for _ in range(times):
        yield rows[-1]
