"""Arrange chains and samples as columns of matrix products.

With fixed weights every sample of every chain is a column that goes through the same weights. A group holds all chains
of some samples, about `WIDE` columns: wide enough for matrix products, small enough to stay in cache for a whole
trajectory. With free weights or biases each chain has weights of its own; a group is one chain with all its samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from statnn.interaction import DynamicNeurons
from statnn.montecarlo._dynamic.hamiltonian_kernels import Array, GradientPlan, multiply

WIDE = 96


@dataclass(frozen=True)
class Columns:
    """The place of every variable of a block of chains.

    Parameters
    ----------
    model : DynamicNeurons
    chains : int
    together : int
        Samples of one group.
    """

    model: DynamicNeurons
    chains: int
    together: int

    @classmethod
    def of(cls, model: DynamicNeurons, chains: int) -> Columns:
        """Return the columns for this number of chains."""
        if model.free != ("neurons",):
            return cls(model, chains, model.samples)
        divisors = [k for k in range(1, model.samples + 1) if model.samples % k == 0]
        return cls(model, chains, min(divisors, key=lambda k: abs(np.log(k * chains / WIDE))))

    @property
    def shared(self) -> bool:
        """Whether chains share the groups, as they do where weights and biases are fixed."""
        return self.model.free == ("neurons",)

    @property
    def groups(self) -> int:
        """Number of groups, all of the same shape."""
        return self.model.samples // self.together if self.shared else self.chains

    @property
    def width(self) -> int:
        """Columns of a group."""
        return self.together * (self.chains if self.shared else 1)

    def rows(self, states: Array) -> Array:
        """Return states of shape (chains, dimension) as positions of shape (groups, size)."""
        units = sum(self.model.net.widths[1:])
        cut = units * self.model.samples
        parts, start = [], 0
        for n in self.model.net.widths[1:]:
            layer = states[:, start : start + self.model.samples * n]
            start += self.model.samples * n
            layer = layer.reshape(self.chains, -1, self.together, n)
            moved = layer.transpose((1, 3, 2, 0) if self.shared else (0, 3, 2, 1))
            parts.append(moved.reshape(self.groups, -1))
        return np.ascontiguousarray(np.concatenate([*parts, states[:, cut:].reshape(self.groups, -1)], axis=1))

    def states(self, rows: Array) -> Array:
        """Return positions of shape (groups, size) as states of shape (chains, dimension)."""
        parts, start = [], 0
        for n in self.model.net.widths[1:]:
            layer = rows[:, start : start + n * self.width].reshape(self.groups, n, self.together, -1)
            start += n * self.width
            moved = layer.transpose((3, 0, 2, 1) if self.shared else (0, 3, 2, 1))
            parts.append(moved.reshape(self.chains, -1))
        return np.concatenate([*parts, rows[:, start:].reshape(self.chains, -1)], axis=1)

    def each(self, rows: Array) -> Array:
        """Return a view of positions of shape (variables, chains) or (chains, variables): see `axis`."""
        return rows.reshape(-1, self.chains) if self.shared else rows

    @property
    def axis(self) -> int:
        """Axis of the chains in `each`."""
        return 1 if self.shared else 0

    def along(self, values: Array) -> Array:
        """Return one value per chain, shape (chains,), reshaped so that it broadcasts against `each`."""
        return values if self.shared else values[:, None]

    def total(self, columns: Array) -> Array:
        """Return sums over samples, shape (..., chains), of an array of shape (groups, ..., columns)."""
        parts = columns.reshape(*columns.shape[:-1], self.together, -1)
        if self.shared:
            shared: Array = parts.sum(axis=(0, -2))
            return shared
        return np.moveaxis(parts.sum(axis=(-2, -1)), 0, -1)

    def plan(self, noise: bool) -> GradientPlan:
        """Return the plan for the kernels; a model without targets gets the network's own outputs as targets."""
        model, net = self.model, self.model.net
        dtype = net.dtype.type
        widths = np.array(net.widths, dtype=np.int64)
        free_weights, free_biases = "weights" in model.free, "biases" in model.free
        precisions = np.zeros((2, net.depth), dtype=dtype)
        if model.prior is not None:
            precisions[0] = free_weights * widths[:-1] / model.prior.sigma_w**2
            precisions[1] = free_biases / model.prior.sigma_b**2
        targets = net(model.inputs) if model.targets is None else model.targets
        with np.errstate(over="ignore", invalid="ignore"):  # refused below
            first = multiply(model.inputs, net.weights[0].T)
        if not np.isfinite(first).all():
            raise ValueError(f"fields of layer 0 exceed the range of {net.dtype}: bring down inputs or weights")
        return GradientPlan(
            units=np.concatenate([[0], np.cumsum(widths[1:])]).astype(np.int64),
            inner=widths[:-1].copy(),
            codes=np.array([sigma.kernel[0] for sigma in net.activations], dtype=np.int64),
            slopes=np.array([sigma.kernel[1] for sigma in net.activations], dtype=dtype),
            inputs=self._samples(model.inputs),
            first=self._samples(first),
            targets=self._samples(targets),
            weights=np.concatenate([w.ravel() for w in net.weights]),
            biases=np.concatenate([b.ravel() for b in net.biases]),
            precisions=precisions,
            free_weights=free_weights,
            free_biases=free_biases,
            noise=noise,
            beta=dtype(0 if model.targets is None else model.beta),
            stiffness=dtype(model.stiffness),
        )

    def _samples(self, values: Array) -> Array:
        """Return clamped values of shape (samples, n) as (groups, n, columns)."""
        if not self.shared:
            # always a copy: the arrays of the model are read-only, and kernels would be compiled once more for them
            return np.array(np.broadcast_to(values.T, (self.chains, *values.T.shape)), order="C")
        parts = values.reshape(self.groups, self.together, -1).transpose(0, 2, 1)
        return np.repeat(parts, self.chains, axis=2)
