"""What a source computes, compared with the steps that were read from it.

Parameters do not say everything: a hook, a parametrisation or a forward of its own may change what an object computes.
So it is run on a few rows of inputs, from zero to ten thousand, and its outputs must be those of the steps, up to
rounding. The size of rounding is followed through the steps [running error analysis;
Higham 2002, section 3.3].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from statnn._arrays import Reals
from statnn._random import root, stream
from statnn.io._chain import Act, Affine, Dense, Norm, Step
from statnn.network import Activation

_SCALES = (0.0, 0.01, 1.0, 100.0, 10_000.0)
_EACH = 4
_ERRORS = 4.0
"""Allowed deviation, in multiples of the rounding error that is followed."""


def rows(units: int) -> Reals:
    """Return rows of inputs, shape (20, units)."""
    normal = stream(root(0)).standard_normal((_EACH, units))
    return np.concatenate([scale * normal for scale in _SCALES]).astype(np.float32)


def refuse_other(steps: Sequence[Step], before: Reals, after: Any, limits: Any, what: str) -> None:
    """Raise `ValueError` where `after` is not what the steps make of `before`.

    Parameters
    ----------
    steps : sequence of Step
        What was read.
    before, after : ndarray, shape (rows, units)
        What went in and what came out.
    limits : finfo
        Precision of the source, of numpy or torch.
    what : str
        Message that says what was run, and what may change what it computes, with a place for the numbers.
    """
    with np.errstate(all="ignore"):  # numbers out of range are not compared
        ours, error = before, limits.eps * np.abs(before)
        for step in steps:
            ours, error = _next(step, ours, error, limits.eps)
        shape = np.shape(after)
        if shape != ours.shape:
            raise ValueError(what.format(f"an output of shape {shape} instead of {ours.shape}"))
        beyond = ~np.isfinite(ours + error) | (np.abs(ours) > 0.9 * limits.max)
        off = ~(np.abs(after - ours) <= _ERRORS * error + limits.tiny) & ~beyond
    if off.any():
        at = tuple(np.argwhere(off)[0])
        raise ValueError(what.format(f"{after[at]:.6g} instead of {ours[at]:.6g} for output {at[1]} of row {at[0]}"))


def _moved(sigma: Activation, x: Reals, error: Reals, y: Reals, eps: float) -> Reals:
    """Return how far errors of the fields move an activation; a user's own may also round terms of order one."""
    if np.isfinite(sigma.steepest):
        return sigma.steepest * error
    steepest = np.abs(sigma.derivative(x)).max(axis=1, keepdims=True)  # rows are of one scale each
    ends = [np.abs(sigma(x + off) - y) for off in (error, -error)]
    moved: Reals = np.maximum(steepest * error, np.maximum(*ends)) + eps
    return moved


def _next(step: Step, x: Reals, error: Reals, eps: float) -> tuple[Reals, Reals]:
    """Return the values after a step, and how far rounding may move them."""
    if isinstance(step, Dense):
        bias = np.zeros(1, x.dtype) if step.bias is None else step.bias
        size = np.abs(step.weight).T
        sums = eps * (1 + np.sqrt(len(size)) / 8)  # for this many terms, each rounded at random
        return x @ step.weight.T + bias, error @ size + sums * (np.abs(x) @ size + np.abs(bias))
    if isinstance(step, Affine):
        moved = np.abs(step.scale) * (error + eps * np.abs(x))
        return step.scale * x + step.shift, moved + eps * np.abs(step.shift)
    if isinstance(step, Norm):
        scale, mean = np.abs(step.norm.scale), np.abs(step.norm.mean)
        return step.norm(x), scale * (error + eps * (np.abs(x) + mean)) + eps * np.abs(step.norm.beta)
    if isinstance(step, Act):
        y = step.activation(x)
        moved = np.maximum(error, _moved(step.activation, x, error, y, eps))
        return y, moved + eps * np.abs(y) + step.slack
    y = step.of(x)
    shared = (2 * error + eps * np.abs(x)).max(axis=1, keepdims=True)  # of the sum that divides all exponentials
    return y, (y if step.kind == "softmax" else 1.0) * shared + eps * np.abs(y)
