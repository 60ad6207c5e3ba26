"""Derivations of the renormalisation over repeated layers, by name."""

from collections.abc import Callable

from theory.derivation import Derivation

DERIVATIONS: dict[str, Callable[[], Derivation]] = {}

__all__ = ["DERIVATIONS"]
