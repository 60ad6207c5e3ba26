"""Simulation of each kind of layer, and its comparison with theory."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from statnn._arguments import Floats
from statnn.testing._assertions import assert_covariance, assert_mean
from statnn.testing._laws import NotAsked, ask, same

REPLICAS = 20_000
DEPTH = 3
WIDTH, NETWORKS = 100, 2000


def drawing(layer: Any) -> Callable[[int, int], Floats]:
    """Return a function of the number of replicas and a seed that returns signals, replicas first."""
    ask(layer, "simulate")
    names = inspect.signature(layer.simulate).parameters
    if "width" in names:
        return lambda replicas, seed: np.asarray(layer.simulate(20, DEPTH, replicas=replicas, rng=seed).variance)
    if "depths" in names:
        noise = {"noise_std": 0.3} if "noise_std" in names else {}
        return lambda replicas, seed: np.asarray(layer.simulate([1, DEPTH], replicas=replicas, rng=seed, **noise))
    if not {"start", "depth"} <= set(names):
        raise NotAsked(f"simulate({', '.join(names)}) has no known signature: (start, depth), (depths), (width, depth)")
    start = _start(layer)
    return lambda replicas, seed: np.asarray(layer.simulate(np.array([start] * replicas), DEPTH, rng=seed))


def block(layer: Any) -> int:
    """Return the number of replicas that share random numbers: 64 for wide networks, else at most 3."""
    return 64 if "width" in inspect.signature(layer.simulate).parameters else 3


def compared(layer: Any, random: np.random.Generator) -> str:
    """Compare simulated signals with theory, or raise."""
    draw, seed = drawing(layer), int(random.integers(2**62))
    names = inspect.signature(layer.simulate).parameters
    if "width" in names:
        return _wide(layer, seed)
    if "depths" in names:
        return _repeated(layer, draw, seed)
    block, start = layer.power(DEPTH), _start(layer)
    paths = draw(REPLICAS, seed)
    if paths.shape[:2] != (REPLICAS, DEPTH + 1):
        raise AssertionError(f"signals have shape {paths.shape} instead of ({REPLICAS}, {DEPTH + 1}, ...)")
    end = paths[:, -1]
    if hasattr(block, "moments"):
        mean, variance = block.moments(start)
        assert_mean(end, mean, bias=1e-6, what=f"mean after {DEPTH} layers")
        assert_mean((end - mean) ** 2, variance, bias=1e-6, what=f"variance after {DEPTH} layers")
    else:
        ask(block, "propagate")
        law = block.propagate(start)
        if not np.diag(law.covariance).min() > 0:
            raise NotAsked("a unit has no noise")
        assert_mean(end, law.mean, what=f"mean after {DEPTH} layers")
        assert_covariance(end, law.covariance, what=f"covariance after {DEPTH} layers")
    return f"{REPLICAS} replicas after {DEPTH} layers"


def noisy(paths: Floats) -> bool:
    """Return whether replicas differ."""
    return bool(np.ptp(paths, axis=0).any())


def _start(layer: Any) -> Any:
    """Return the start of signals: a node, for layers defined on nodes, so that nothing is interpolated."""
    if hasattr(layer, "operator"):
        nodes = layer.operator().nodes
        return float(nodes[nodes.size // 3])
    return 0.5 * np.arange(1, layer.shape[1] + 1)


def _repeated(layer: Any, draw: Callable[[int, int], Floats], seed: int) -> str:
    """Check that the output of one layer has the law N(f(1), 0.3²)."""
    signals = draw(REPLICAS, seed)[:, 0]
    mean = float(layer.iterate(1.0, 1))
    assert_mean(signals, mean, what="mean after a layer")
    assert_mean((signals - mean) ** 2, 0.09, what="variance after a layer")
    return f"{REPLICAS} replicas after a layer"


def _wide(layer: Any, seed: int) -> str:
    """Check the mean variance of networks against infinite width with its correction of order 1/n."""
    variance = layer.simulate(WIDTH, DEPTH, replicas=NETWORKS, rng=seed, q=0.7).variance[:, 1:, 0]
    theory = layer.finite_width(0.7, DEPTH)
    mean = theory.variance[1:] + theory.shift[1:] / WIDTH
    if not theory.spread.any():  # of the sign, or without weights
        return same(variance, mean, rel=1e-11)
    size = theory.variance[1:] + (np.abs(theory.shift[1:]) + theory.spread[1:]) / WIDTH
    assert_mean(variance, mean, bias=30 * size / WIDTH**2, what="variance of fields")
    return f"{NETWORKS} networks of width {WIDTH}"
