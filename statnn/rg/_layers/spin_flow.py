"""The flow of layers of spins under doubling, and its fixed points for width one.

Layers come as arguments: this file uses their attributes and does not import their classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from statnn._arguments import Floats
from statnn.rg._common import entries
from statnn.rg._fixed_points import FixedPoint
from statnn.rg._flow import Flow, FlowEnd, trajectory
from statnn.rg._layers.portrait import spin_portrait
from statnn.rg._layers.single import renormalised

COMPACT = ("tanh K", "tanh h")


def whole_field(layer: Any) -> Floats:
    """Return f + g, the total field on a spin between two such layers, shape (n,)."""
    with np.errstate(over="ignore"):
        total: Floats = layer.fields + layer.inputs
    if not np.isfinite(total).all():
        raise ValueError(
            "the fields f + g of a spin between two such layers exceed the range of float64: scale them down"
        )
    return total


def doubled(layer: Any, steps: int, *, project: bool) -> Flow:
    """Return the trajectory of a square layer; transfer matrices are shown, or replaced, by their projections."""
    exact, rows = layer, [_row(layer)]
    for _ in range(steps):
        exact = exact.compose(exact)
        shown = exact if isinstance(exact, type(layer)) else exact.project()
        rows.append(_row(shown))
        if project:
            exact = shown
    names: tuple[str, ...] = ("K", "h")
    if layer.shape != (1, 1):
        wide = layer.shape[0]
        names = (*entries("J", wide), *(f"{letter}{i}" for letter in "fg" for i in range(wide)))
    return trajectory("binary", names, rows, project=project, end=FlowEnd.COMPLETE, portrait=spin_portrait)


def resting(uncoupled: Any) -> tuple[FixedPoint, ...]:
    """Return the fixed points of width one; the layer of the disordered one is given."""
    return (
        FixedPoint("disordered", COMPACT, np.zeros(2), renormalised, _around_disorder, uncoupled),
        FixedPoint("ordered", COMPACT, np.array([1.0, 0.0]), renormalised, _around_order, None, COMPACT[0]),
    )


def _around_disorder(b: int) -> Floats:
    del b
    return np.diag([0.0, 1.0])


def _around_order(b: int) -> Floats:
    return np.diag([float(b), float(b)])


def _row(layer: Any) -> tuple[Floats, float, float]:
    if layer.shape == (1, 1):
        values = np.concatenate([layer.couplings.ravel(), whole_field(layer)])
    else:
        values = np.concatenate([layer.couplings.ravel(), layer.fields, layer.inputs])
    return values, layer.truncation.divergence, layer.truncation.deviation
