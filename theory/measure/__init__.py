"""Derivations behind what is measured of trained networks, by name."""

from collections.abc import Callable

from theory.derivation import Derivation

DERIVATIONS: dict[str, Callable[[], Derivation]] = {}

__all__ = ["DERIVATIONS"]
