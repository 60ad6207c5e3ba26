"""Notes, for objects whose repr is a summary, of the call that makes them, to the last digit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from hypothesis import note

from statnn.network import Activation, Network

Made = TypeVar("Made")


def made(make: Callable[..., Made], *args: Any, **kwargs: Any) -> Made:
    """Return the result of a call, and let hypothesis print the call if the example fails."""
    note(_Call(getattr(make, "__name__", str(make)), args, kwargs))
    return make(*args, **kwargs)


class _Call:
    """The text of a call, made only when it is printed."""

    def __init__(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.name, self.args, self.kwargs = name, args, kwargs

    def __repr__(self) -> str:
        with np.printoptions(floatmode="unique", threshold=10**6, linewidth=110):
            words = [_typed(value) for value in self.args]
            words += [f"{name}={_typed(value)}" for name, value in self.kwargs.items()]
        return f"{self.name}({', '.join(words)})"


def _typed(value: Any) -> str:
    """Return source code that gives the value again."""
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        inner = ", ".join(map(_typed, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' if len(value) == 1 else ''})"
    if isinstance(value, Activation) and value.built_in and not value.parameters:
        return repr(value.name)
    if isinstance(value, Network):
        parts = [list(value.raw_weights), list(value.raw_biases), list(value.activations)]
        norms = {"normalisations": list(value.normalisations)} if any(value.normalisations) else {}
        return repr(_Call("Network", tuple(parts), norms))
    return repr(value)
