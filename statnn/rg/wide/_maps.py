"""The interface of a wide random layer for stacks, fixed points and simulations."""

from __future__ import annotations

from typing import Any, Protocol

from numpy.typing import ArrayLike

from statnn.network import Activation


class Maps(Protocol):
    """Parameters of a wide random layer and its maps of variance and correlation: `statnn.rg.RandomLayer`."""

    @property
    def activation(self) -> Activation:
        """φ."""

    @property
    def sigma_w(self) -> float:
        """Standard deviation of weights, times the root of the fan-in."""

    @property
    def sigma_b(self) -> float:
        """Standard deviation of biases."""

    def variance_map(self, q: ArrayLike) -> Any:
        """Return the variance of fields after the layer."""

    def correlation_map(self, c: ArrayLike, q: ArrayLike) -> Any:
        """Return the correlation of fields after the layer."""
