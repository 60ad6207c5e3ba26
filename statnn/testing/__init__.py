"""Tests that anyone can use, for formulas and objects of one's own.

``statnn.testing.strategies`` draws objects of this package for hypothesis.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from statnn.testing import strategies

__all__ = ["strategies"]


def __getattr__(name: str) -> Any:
    """Load the strategies when they are asked for: they need hypothesis."""
    if name == "strategies":
        return importlib.import_module("statnn.testing.strategies")
    raise AttributeError(f"statnn.testing has no {name!r}; it has {', '.join(__all__)}")
