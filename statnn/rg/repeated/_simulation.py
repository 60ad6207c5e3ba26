"""Many noisy signals through one repeated layer: a kernel for activations known to kernels, numpy for others."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from statnn._arguments import Floats, Ints
from statnn._compile import helper, kernel
from statnn._memory import refuse_beyond_memory
from statnn._random import Root, stream
from statnn.network import Activation
from statnn.network._codes import ERF, GELU, IDENTITY, RELU, SIGMOID, SIGN, TANH
from statnn.network._smooth_kernels import smooth

LAYERS_AT_ONCE = 1 << 14
"""Noise is drawn for this many layers at a time; an interrupt gets through between two draws."""


@helper
def _activated(h: float, code: int, slope: float) -> float:
    result = h if code == IDENTITY or h > 0.0 else (0.0 if code == RELU else slope * h)
    if code == TANH:
        result = math.tanh(h)
    elif code == ERF:
        result = math.erf(h)
    elif code == SIGMOID:
        t = math.exp(-abs(h))
        result = (1.0 if h >= 0.0 else t) / (1.0 + t)
    elif code == SIGN:
        result = 1.0 if h >= 0.0 else -1.0
    elif code >= GELU:
        result = smooth(code, h)[0]
    return result


@kernel
def passed(h: float, xi: Any, w: float, b: float, noise: float, code: int, slope: float) -> float:
    """Return the signal after as many layers as there are numbers xi."""
    for m in range(xi.size):
        h = _activated(w * h + b, code, slope) + noise * xi[m]
    return h


def simulate(
    sigma: Activation, w: float, b: float, noise: float, start: float, depths: Ints, replicas: int, seed: Root
) -> Floats:
    """Return signals, shape (replicas, depths); replica r uses only stream r."""
    refuse_beyond_memory(
        8.0 * replicas * depths.size,
        f"{replicas} replicas at {depths.size} depths",
        "take fewer replicas or depths",
        of=(replicas, "replicas"),
    )
    result = np.empty((replicas, depths.size))
    ends = depths.tolist()
    for r in range(replicas):
        rng, h, m = stream(seed, r), start, 0
        for i, end in enumerate(ends):
            while m < end:
                some = min(end - m, LAYERS_AT_ONCE)
                xi = rng.standard_normal(some)
                h = advanced(h, xi, sigma, w, b, noise)
                m += some
            result[r, i] = h
    if not np.isfinite(result).all():
        raise ValueError(
            f"signals exceed the range of float64 within {ends[-1]} layers: w = {w:g} amplifies them without bound"
        )
    return result


def advanced(h: float, xi: Floats, sigma: Activation, w: float, b: float, noise: float) -> float:
    """Return the signal after as many layers as there are numbers xi."""
    if sigma.built_in:
        return float(passed(h, xi, w, b, noise, *sigma.kernel))
    at = np.full(1, h)
    with np.errstate(over="ignore", invalid="ignore"):
        for kick in xi.tolist():
            at = np.asarray(sigma(w * at + b), dtype=float) + noise * kick
    return float(at[0])
