r"""Networks of finite width, simulated without drawing a weight, and the order 1/n of what they do.

Given the activations of a layer for two inputs, the fields of the next are independent from unit to unit and Gaussian
with the covariance K' = σ_w² (1/n) Σ_i φ(u_i)φ(u_i)^T + σ_b², because weights are. So K^(0), K^(1), ... is a Markov
chain that costs 2n normal numbers per layer, with exactly the law of a network of width n [exact].
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from statnn._archive.kept import kept_tasks
from statnn._archive.store import Store
from statnn._arguments import Floats
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
        What was simulated.
    width : int
        n, units in a layer.
    variance : ndarray, shape (replicas, depth+1, 2)
        Of the fields of either input, given the activations below; the start first.
    covariance : ndarray, shape (replicas, depth+1)
        Of the fields of the two inputs.

    See Also
    --------
    RandomLayer.simulate : makes it.
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
        first, second = np.moveaxis(np.sqrt(self.variance), 2, 0)  # their product itself may leave float64
        return np.asarray(np.clip(self.covariance / first / second, -1, 1))


@by_value
class FiniteWidth(NamedTuple):
    """Leading order in 1/n of the variance K of fields of one input, in layers 0 ... depth.

    Parameters
    ----------
    variance : ndarray, shape (depth+1,)
        q of infinite width.
    shift, spread : ndarray, shape (depth+1,)
        n (E[K] - q) and n Var K as n → ∞ [asymptotic].

    See Also
    --------
    RandomLayer.finite_width : makes it.
    """

    variance: Floats
    shift: Floats
    spread: Floats


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
                f"fields of layer {m + 1} leave the range of floats: take fewer layers or a smaller sigma_w"
            )
    return out


def leading_order(of: Averages, weight: float, bias: float, q: float, depth: int) -> FiniteWidth:
    """Return the recursion of mean and variance of K to first order in 1/n, or raise where it leaves float64."""
    rows = [(q, 0.0, 0.0)]
    for q_now, shift, spread in _last(rows, depth):
        at = np.array([q_now])
        with np.errstate(all="ignore"):  # what leaves float64 is refused
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
                f"after {len(rows)} layers, from q = {q_now:.3g}, variance, shift or spread leave the range of "
                "float64: take fewer layers, or another q"
            )
        rows.append(row)
    columns = np.array(rows).T.copy()
    return FiniteWidth(columns[0], columns[1], columns[2])


def _last(rows: list[tuple[float, float, float]], times: int) -> Iterator[tuple[float, float, float]]:
    for _ in range(times):
        yield rows[-1]
