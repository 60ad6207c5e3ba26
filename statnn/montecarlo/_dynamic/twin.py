"""A readable numpy twin of the Hamiltonian kernels, also used for a user's own activation functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from statnn.montecarlo._dynamic.hamiltonian_kernels import Array, GradientPlan, Room, Turn, measure
from statnn.network import Activation


def gradient(plan: GradientPlan, activations: Sequence[Activation], group: int, q: Array, g: Array, room: Room) -> None:
    """Write the gradient of βH at position q, one row, into g, as the kernel of this name does."""
    columns = plan.inputs.shape[2]
    outer = np.diff(plan.units)
    neurons = int(plan.units[-1]) * columns
    counts = plan.inner * outer
    weights, rest = (q[neurons:][: counts.sum()], q[neurons:][counts.sum() :])
    if not plan.free_weights:
        weights, rest = plan.weights, q[neurons:]
    w = [part.reshape(-1, n) for part, n in zip(np.split(weights, np.cumsum(counts)[:-1]), plan.inner, strict=True)]
    b = np.split(rest if plan.free_biases else plan.biases, plan.units[1:-1])
    here = [part.reshape(-1, columns) for part in np.split(q[:neurons], plan.units[1:-1] * columns)]
    two, spread = plan.stiffness.dtype.type(2), 1 / np.sqrt(2 * plan.stiffness)
    below, values, slopes, fields_from = plan.inputs[group], [], [], []
    for m, sigma in enumerate(activations):
        fields = w[m] @ below + b[m][:, None]
        fields_from.append(below)
        values.append(sigma(fields) + spread * here[m] if plan.noise else sigma(fields))
        slopes.append(sigma.derivative(fields))
        below = values[m] if plan.noise else here[m]
    room.values[:] = np.concatenate([v.ravel() for v in values])
    back = two * plan.beta * (below - plan.targets[group])
    change: dict[str, list[Array]] = {"neurons": [], "weights": [], "biases": []}
    for m in reversed(range(len(w))):
        if plan.noise:
            change["neurons"].append(here[m] + spread * back)
            cost = slopes[m] * back
        else:
            gap = two * plan.stiffness * (here[m] - values[m])
            change["neurons"].append(gap + back)
            cost = -gap * slopes[m]
        change["weights"].append(cost @ fields_from[m].T + plan.precisions[0, m] * w[m])
        change["biases"].append(cost.sum(axis=1) + plan.precisions[1, m] * b[m])
        back = w[m].T @ cost
    names = ["neurons"] + ["weights"] * plan.free_weights + ["biases"] * plan.free_biases
    g[:] = np.concatenate([part.ravel() for name in names for part in reversed(change[name])])


def trajectories(
    plan: GradientPlan, q: Array, u: Array, g: Array, turn: Turn, step: Any, steps: int, room: Room, kinetic: Array,
    terms: Array, activations: Sequence[Activation],
) -> None:  # fmt: skip
    """Move by `steps` steps, as the kernel of this name does."""
    columns = plan.inputs.shape[2]
    neurons = int(plan.units[-1]) * columns
    for group in range(len(q)):
        rotation = Turn(*(array[group % len(array)][:, None] for array in turn))
        x, v, slope = (array[group].reshape(len(rotation.scale), -1) for array in (q, u, g))
        kinetic[group, 0] = _kinetic(u[group], neurons, columns)
        for k in range(steps):
            v -= (step if k else step / 2) * rotation.scale * (slope - rotation.precision * x)
            x[:], v[:] = rotation.cosine * x + rotation.forward * v, rotation.cosine * v - rotation.backward * x
            gradient(plan, activations, group, q[group], g[group], room)
        v -= step / 2 * rotation.scale * (slope - rotation.precision * x)
        measure(plan, group, q[group], room, terms[group])
        kinetic[group, 1] = _kinetic(u[group], neurons, columns)


def _kinetic(u: Array, neurons: int, columns: int) -> Array:
    squares = np.square(u, dtype=np.float64) / 2
    kinetic: Array = squares[:neurons].reshape(-1, columns).sum(axis=0)
    kinetic[0] += squares[neurons:].sum()
    return kinetic
