"""Directions of noise in the space of samples and in that of weights.

A layer is linear, so W(x + σξ) = Wx + σWξ and (W + σξ)h = Wh + σξh: the first layer of every direction is done once
for all amplitudes. Directions come in pairs ±ξ. Their streams differ from those that `Network.random` takes from the
same seed: otherwise directions would be the weights themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statnn._arguments import Floats, Ints
from statnn._random import Root, stream
from statnn.measure._classes import classes_of
from statnn.measure._deviations import standard_deviation
from statnn.measure.basins._search import Mask
from statnn.network import Network


def _above(net: Network, fields: NDArray[Any]) -> Ints:
    """Return the classes that follow from fields of the first layer, shape (rows, n_1)."""
    for sigma, weight, bias in zip(net.activations[:-1], net.weights[1:], net.biases[1:], strict=True):
        fields = np.asarray(sigma(fields)).astype(net.dtype, copy=False) @ weight.T
        fields += bias
    return _decided(net, fields)


def _decided(net: Network, fields: NDArray[Any]) -> Ints:
    if not np.isfinite(fields).all():
        raise ValueError(
            f"noise drives the outputs beyond the range of {net.dtype}: lower the upper end of span, or scale the "
            "network down"
        )
    return classes_of(net, fields)


class SampleRays:
    """x + σξ, with directions of its own for every sample: sample j has the stream (j, 0) of the seed."""

    def __init__(self, net: Network, x: NDArray[Any], start: int, draws: int, seed: Root) -> None:
        self._net = net
        self.samples, self.draws = len(x), draws
        noise = np.empty((len(x), draws // 2, x.shape[1]), net.dtype)
        for j in range(len(x)):
            stream(seed, start + j, 0).standard_normal(dtype=net.dtype.type, out=noise[j])
        weight = net.weights[0].T
        self._base = x @ weight + net.biases[0]
        self._noise = (noise.reshape(-1, x.shape[1]) @ weight).reshape(len(x), draws // 2, -1)
        self.classes = _above(net, self._base)

    def unchanged_at(self, sigma: float) -> Mask:
        """Return whether each ray keeps the class at one amplitude, shape (samples, draws)."""
        step = self._noise * self._net.dtype.type(sigma)
        fields = np.stack((step, -step), axis=2)
        fields += self._base[:, None, None, :]
        classes = _above(self._net, fields.reshape(self.samples * self.draws, -1))
        return np.asarray(classes.reshape(self.samples, self.draws) == self.classes[:, None])

    def unchanged(self, sample: Ints, draw: Ints, sigma: Floats) -> Mask:
        """Return the same for some rays, each at an amplitude of its own, shape (rays,)."""
        fields = self._noise[sample, draw // 2]
        fields *= np.where(draw % 2, -sigma, sigma).astype(self._net.dtype)[:, None]
        fields += self._base[sample]
        return np.asarray(_above(self._net, fields) == self.classes[sample])


@dataclass(frozen=True)
class _Directions:
    """Noise of all layers but the first, scaled, and what noise of the first adds to its fields; None for no noise."""

    layers: tuple[NDArray[Any] | None, ...]
    first: NDArray[Any] | None


class WeightRays:
    """W + σ std(W) ξ in the chosen layers, the same directions for all samples: pair p has stream (p, 1)."""

    def __init__(self, net: Network, x: NDArray[Any], layers: tuple[int, ...], draws: int, seed: Root) -> None:
        self._net = net
        self.samples, self.draws = len(x), draws
        self._x = x
        self._base = x @ net.weights[0].T
        self._pairs = [self._directions(layers, stream(seed, pair, 1)) for pair in range(draws // 2)]
        self.classes = self._forward(np.arange(self.samples), _Directions((None,) * net.depth, None), np.zeros(len(x)))

    def _directions(self, layers: tuple[int, ...], rng: np.random.Generator) -> _Directions:
        directions: list[NDArray[Any] | None] = []
        for m, weight in enumerate(self._net.weights):
            noise = None
            if m in layers:
                noise = rng.standard_normal(weight.shape, dtype=weight.dtype.type)
                noise *= weight.dtype.type(standard_deviation(weight))
            directions.append(noise)
        first = None if directions[0] is None else self._x @ directions[0].T
        return _Directions((None, *directions[1:]), first)

    def _forward(self, sample: Ints, noise: _Directions, sigma: Floats) -> Ints:
        """Return classes of some samples, each with noise of its own amplitude; one amplitude for all is faster."""
        net = self._net
        amount = sigma.astype(net.dtype)[:, None]
        common = amount[0, 0] if amount.size and (amount == amount[0]).all() else None
        fields = self._base[sample]
        if noise.first is not None:
            fields += amount * noise.first[sample]
        fields += net.biases[0]
        for m in range(1, net.depth):
            h = np.asarray(net.activations[m - 1](fields)).astype(net.dtype, copy=False)
            extra = noise.layers[m]
            if extra is not None and common is not None:
                fields = h @ (net.weights[m] + common * extra).T
            else:
                fields = h @ net.weights[m].T
                if extra is not None:
                    fields += amount * (h @ extra.T)
            fields += net.biases[m]
        return _decided(net, fields)

    def unchanged_at(self, sigma: float) -> Mask:
        """Return whether each ray keeps the class at one amplitude, shape (samples, draws)."""
        everyone = np.arange(self.samples)
        columns = [
            self._forward(everyone, noise, np.full(self.samples, sign * sigma)) == self.classes
            for noise in self._pairs
            for sign in (1, -1)
        ]
        return np.stack(columns, axis=1)

    def unchanged(self, sample: Ints, draw: Ints, sigma: Floats) -> Mask:
        """Return the same for some rays, each at an amplitude of its own, shape (rays,)."""
        result = np.empty(sample.size, np.bool_)
        order = np.argsort(draw, kind="stable")
        for rays in np.split(order, np.flatnonzero(np.diff(draw[order])) + 1):
            sign = -1.0 if draw[rays[0]] % 2 else 1.0
            classes = self._forward(sample[rays], self._pairs[draw[rays[0]] // 2], sign * sigma[rays])
            result[rays] = classes == self.classes[sample[rays]]
        return result
