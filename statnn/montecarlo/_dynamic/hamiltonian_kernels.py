r"""Gradient of βH and leapfrog trajectories, for columns of neurons on BLAS.

A *group* is a matrix of columns that share their weights: all chains of some samples where the weights are fixed, all
samples of one chain where they are free. Its position is one row: neurons, each layer (n_{m+1}, columns), then free
weights, then free biases. Two coordinates of the neurons, s = 1/√(2λ):

- *neurons*, h itself: ∂βH/∂h^(m) = 2λ g_m - 2λ W^(m)ᵀ(σ' g_{m+1}), g_{m+1} = h^(m+1) - σ(W^(m) h^(m) + b^(m));
- *noise*, ξ^(m+1) = g_{m+1}/s: βH = |ξ|²/2 + β|y - h^(M)(ξ)|² + priors, by backpropagation through
  h^(m+1) = σ(W^(m) h^(m) + b^(m)) + s ξ^(m+1). The Jacobian of h(ξ) is triangular with constant diagonal.

Trajectories split βH = Σ κ q²/2 + rest. A step is a kick by the rest, a turn that solves the Gaussian part exactly, and
a kick. κ is 1 for noise and the precision of the prior for parameters; 0, for neurons, makes the turn a drift as in
leapfrog.

Sums over more than `LONGEST_SUM` terms are cut into pieces, so that kernels and numpy, whose BLAS differ, add in the
same order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from statnn._compile import vector_helper, vector_kernel
from statnn.montecarlo._dynamic.elementwise_kernels import activate

Array = NDArray[Any]

LONGEST_SUM = 240
"""Largest number of terms that one call of BLAS adds up."""


class GradientPlan(NamedTuple):
    """Data of the model for its gradient, in the precision of the network."""

    units: NDArray[np.int64]
    """(M+1,) cumulative units of layers 1 ... m."""
    inner: NDArray[np.int64]
    """(M,) fan-in of every layer."""
    codes: NDArray[np.int64]
    slopes: Array
    inputs: Array
    """(groups, n_0, columns)."""
    first: Array
    """(groups, n_1, columns) W^(0) x where the weights are fixed."""
    targets: Array
    """(groups, n_M, columns)."""
    weights: Array
    """Flat weights of the network; free weights are read from the position instead."""
    biases: Array
    precisions: Array
    """(2, M) precisions of the priors of weights and biases, 0 where they are fixed."""
    free_weights: bool
    free_biases: bool
    noise: bool
    """Whether the coordinates are the noise."""
    beta: Any
    """Inverse temperature of the loss, 0 without targets."""
    stiffness: Any


class Turn(NamedTuple):
    """One step of the Gaussian part, for every variable of a group: arrays of shape (groups or 1, variables)."""

    scale: Array
    """Units in which a coordinate q moves with velocity u: dq/dt = scale u, du/dt = -scale ∂βH/∂q."""
    precision: Array
    """κ."""
    cosine: Array
    forward: Array
    """q' = cosine q + forward u."""
    backward: Array
    """u' = cosine u - backward q."""


class Room(NamedTuple):
    """Scratch of a gradient; afterwards the first array holds h (noise) or σ (neurons) at the last position."""

    values: Array
    slopes: Array
    back: Array


def turn_of(scale: Array, precision: Array, step: float) -> Turn:
    """Return the turn of one step, for scales and precisions of shape (groups or 1, variables)."""
    root, single = np.sqrt(precision.astype(np.float64)), scale.astype(np.float64)
    angle = step * root * single
    forward = step * single * np.sinc(angle / np.pi)
    arrays = (scale, precision, np.cos(angle), forward, root * np.sin(angle))
    return Turn(*(np.ascontiguousarray(array, dtype=scale.dtype) for array in arrays))


def multiply(a: Array, b: Array) -> Array:
    """Return a·b as numpy does, shapes (..., rows, n) and (..., n, columns), summed in the order of the kernels.

    A single row or column is doubled, since BLAS sums products with vectors in another order.
    """
    if a.shape[-2] == 1:
        return multiply(np.repeat(a, 2, axis=-2), b)[..., :1, :]
    if b.shape[-1] == 1:
        return multiply(a, np.repeat(b, 2, axis=-1))[..., :1]
    total: Array = a[..., :LONGEST_SUM] @ b[..., :LONGEST_SUM, :]
    for start in range(LONGEST_SUM, a.shape[-1], LONGEST_SUM):
        total = total + a[..., start : start + LONGEST_SUM] @ b[..., start : start + LONGEST_SUM, :]
    return total


def room_for(plan: GradientPlan) -> Room:
    """Return room for the gradient of one group."""
    size = int(plan.units[-1]) * plan.inputs.shape[2]
    widest = int(max(np.diff(plan.units).max(), plan.inner.max())) * plan.inputs.shape[2]
    return Room(*(np.zeros(n, dtype=plan.inputs.dtype) for n in (size, size, widest)))


@vector_helper
def product(a: Any, b: Any, out: Any) -> None:
    """Write a·b into out."""
    rows, total = a.shape
    columns = b.shape[1]
    if total <= LONGEST_SUM:
        np.dot(a, b, out)
        return
    # pieces are copied: BLAS wants contiguous rows, and numba would copy a slice at every call anyway
    part = np.empty((rows, columns), out.dtype)
    for start in range(0, total, LONGEST_SUM):
        size = min(LONGEST_SUM, total - start)
        left, right = np.empty((rows, size), out.dtype), np.empty((size, columns), out.dtype)
        for i in range(rows):
            for k in range(size):
                left[i, k] = a[i, start + k]
        for k in range(size):
            for j in range(columns):
                right[k, j] = b[start + k, j]
        np.dot(left, right, part)
        for i in range(rows):
            for j in range(columns):
                out[i, j] = part[i, j] + (out[i, j] if start > 0 else part.dtype.type(0))


@vector_helper
def _forward(plan: Any, group: Any, q: Any, g: Any, room: Any, weights: Any, biases: Any) -> None:
    """Fill the room with values and slopes of every layer; in coordinates "neurons" also begin the gradient."""
    columns = plan.inputs.shape[2]
    two = plan.slopes.dtype.type(2)
    stiff, spread = two * plan.stiffness, plan.slopes.dtype.type(1) / np.sqrt(two * plan.stiffness)
    below = plan.inputs[group]
    start = 0
    for m in range(plan.codes.size):
        low, high, n_in = plan.units[m], plan.units[m + 1], plan.inner[m]
        n_out = high - low
        z = room.values[low * columns : high * columns].reshape(n_out, columns)
        slope = room.slopes[low * columns : high * columns].reshape(n_out, columns)
        if m == 0 and not plan.free_weights:
            for i in range(n_out):
                for j in range(columns):
                    z[i, j] = plan.first[group, i, j]
        else:
            product(weights[start : start + n_out * n_in].reshape(n_out, n_in), below, z)
        activate(plan.codes[m], plan.slopes[m], z, biases[low:high], slope)
        here = q[low * columns : high * columns].reshape(n_out, columns)
        if plan.noise:
            for i in range(n_out):
                for j in range(columns):
                    z[i, j] += spread * here[i, j]
            below = z
        else:
            cost = g[low * columns : high * columns].reshape(n_out, columns)
            for i in range(n_out):
                for j in range(columns):
                    gap = stiff * (here[i, j] - z[i, j])
                    cost[i, j] = gap
                    slope[i, j] *= -gap  # goes back to the layer below; σ' itself is not needed again
            below = here
        start += n_out * n_in


@vector_kernel
def gradient(plan: Any, group: Any, q: Any, g: Any, room: Any) -> None:
    """Write the gradient of βH at position q, one row, into g."""
    columns, depth = plan.inputs.shape[2], plan.codes.size
    neurons = plan.units[depth] * columns
    n_weights = plan.weights.size
    weights = q[neurons : neurons + n_weights] if plan.free_weights else plan.weights
    after = neurons + n_weights if plan.free_weights else neurons
    biases = q[after : after + plan.units[depth]] if plan.free_biases else plan.biases
    _forward(plan, group, q, g, room, weights, biases)
    values = room.values if plan.noise else q
    two = plan.slopes.dtype.type(2)
    spread = plan.slopes.dtype.type(1) / np.sqrt(two * plan.stiffness)
    pull = two * plan.beta
    size = plan.targets.shape[1]
    low = plan.units[depth - 1]
    top = values[low * columns : neurons].reshape(size, columns)
    back = room.back[: size * columns].reshape(size, columns)
    target = plan.targets[group]
    for i in range(size):
        for j in range(columns):
            back[i, j] = pull * (top[i, j] - target[i, j])
    start = n_weights
    for m in range(depth - 1, -1, -1):
        low, high, n_in = plan.units[m], plan.units[m + 1], plan.inner[m]
        n_out = high - low
        start -= n_out * n_in
        slope = room.slopes[low * columns : high * columns].reshape(n_out, columns)
        here = q[low * columns : high * columns].reshape(n_out, columns)
        result = g[low * columns : high * columns].reshape(n_out, columns)
        back = room.back[: n_out * columns].reshape(n_out, columns)
        if plan.noise:
            for i in range(n_out):
                for j in range(columns):
                    result[i, j] = here[i, j] + spread * back[i, j]
                    slope[i, j] *= back[i, j]
        else:
            for i in range(n_out):
                for j in range(columns):
                    result[i, j] += back[i, j]
        # from here on `slope` holds ∂βH/∂(field of layer m), which gives the gradients of parameters and the layer
        # below
        weight = weights[start : start + n_out * n_in].reshape(n_out, n_in)
        below = plan.inputs[group]
        if m > 0:
            below = values[plan.units[m - 1] * columns : low * columns].reshape(n_in, columns)
        if plan.free_weights:
            change = g[neurons + start : neurons + start + n_out * n_in].reshape(n_out, n_in)
            product(slope, below.T, change)
            for i in range(n_out):
                for j in range(n_in):
                    change[i, j] += plan.precisions[0, m] * weight[i, j]
        if plan.free_biases:
            for i in range(n_out):
                total = plan.precisions[1, m] * biases[low + i]
                for j in range(columns):
                    total += slope[i, j]
                g[after + low + i] = total
        if m > 0:
            product(weight.T, slope, room.back[: n_in * columns].reshape(n_in, columns))


@vector_kernel
def measure(plan: Any, group: Any, q: Any, room: Any, terms: Any) -> None:
    """Write λ|h-σ|², |y-h|² and the priors into terms, shape (3, columns), given the room of the gradient at q."""
    columns, depth = plan.inputs.shape[2], plan.codes.size
    units = plan.units[depth]
    neurons = units * columns
    for k in range(3):
        for j in range(columns):
            terms[k, j] = 0.0
    # squares of float32 are summed in float64 too: acceptance needs differences of large sums
    weight = np.float64(0.5) if plan.noise else np.float64(plan.stiffness)
    for i in range(units):
        for j in range(columns):
            gap = q[i * columns + j]
            if not plan.noise:
                gap = gap - room.values[i * columns + j]
            terms[0, j] += weight * np.float64(gap) * np.float64(gap)
    values = room.values if plan.noise else q
    low = plan.units[depth - 1]
    for i in range(low, units):
        for j in range(columns):
            gap = values[i * columns + j] - plan.targets[group, i - low, j]
            terms[1, j] += np.float64(gap) * np.float64(gap)
    at = neurons
    for kind in range(2):
        if plan.free_weights if kind == 0 else plan.free_biases:
            for m in range(depth):
                size = (plan.units[m + 1] - plan.units[m]) * (plan.inner[m] if kind == 0 else 1)
                total = 0.0
                for i in range(at, at + size):
                    total += np.float64(q[i]) * np.float64(q[i])
                terms[2, 0] += np.float64(plan.precisions[kind, m]) / 2 * total
                at += size


@vector_helper
def _kinetic(u: Any, neurons: Any, energy: Any) -> None:
    """Write |u|²/2 of every column into energy; weights and biases count in column 0."""
    columns = energy.size
    for j in range(columns):
        energy[j] = 0.0
    for i in range(neurons // columns):
        for j in range(columns):
            energy[j] += 0.5 * np.float64(u[i * columns + j]) * np.float64(u[i * columns + j])
    for i in range(neurons, u.size):
        energy[0] += 0.5 * np.float64(u[i]) * np.float64(u[i])


@vector_helper
def _kick(q: Any, u: Any, g: Any, scale: Any, precision: Any, step: Any) -> None:
    """Change velocities by the forces outside of the Gaussian part; q, u, g have shape (variables, chains or 1)."""
    variables, chains = q.shape
    if chains == 1:  # the compiler wants its long loop innermost
        for i in range(variables):
            u[i, 0] -= step * scale[i] * (g[i, 0] - precision[i] * q[i, 0])
    else:
        for i in range(variables):
            pace, kappa = step * scale[i], precision[i]
            for j in range(chains):
                u[i, j] -= pace * (g[i, j] - kappa * q[i, j])


@vector_helper
def _advance(q: Any, u: Any, g: Any, turn: Any, here: Any, step: Any) -> None:
    """Kick, and turn by one step of the Gaussian part, in one pass through memory."""
    variables, chains = q.shape
    scale, precision, cosine = turn.scale[here], turn.precision[here], turn.cosine[here]
    forward, backward = turn.forward[here], turn.backward[here]
    if chains == 1:
        for i in range(variables):
            x = q[i, 0]
            v = u[i, 0] - step * scale[i] * (g[i, 0] - precision[i] * x)
            q[i, 0] = cosine[i] * x + forward[i] * v
            u[i, 0] = cosine[i] * v - backward[i] * x
    else:
        for i in range(variables):
            pace, kappa, c, f, b = step * scale[i], precision[i], cosine[i], forward[i], backward[i]
            for j in range(chains):
                x = q[i, j]
                v = u[i, j] - pace * (g[i, j] - kappa * x)
                q[i, j] = c * x + f * v
                u[i, j] = c * v - b * x


@vector_kernel
def trajectories(
    plan: Any, q: Any, u: Any, g: Any, turn: Any, step: Any, steps: Any, room: Any, kinetic: Any, terms: Any
) -> None:
    """Move positions q and velocities u, shape (groups, size), by `steps` steps with the given `turn`.

    The gradient g at q goes in and the one at the end comes out; kinetic, shape (groups, 2, columns), is |u|²/2 before
    and after, terms, shape (groups, 3, columns), those of `measure` at the end.
    """
    half = step / plan.slopes.dtype.type(2)
    neurons = plan.units[-1] * plan.inputs.shape[2]
    variables = turn.scale.shape[1]
    for group in range(q.shape[0]):
        here = group % turn.scale.shape[0]
        shape = variables, q.shape[1] // variables
        x, v, slope = q[group].reshape(shape), u[group].reshape(shape), g[group].reshape(shape)
        _kinetic(u[group], neurons, kinetic[group, 0])
        kick = half
        for _ in range(steps):
            _advance(x, v, slope, turn, here, kick)
            gradient(plan, group, q[group], g[group], room)
            kick = step
        _kick(x, v, slope, turn.scale[here], turn.precision[here], half)
        measure(plan, group, q[group], room, terms[group])
        _kinetic(u[group], neurons, kinetic[group, 1])
