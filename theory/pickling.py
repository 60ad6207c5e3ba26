"""Pickles that keep expressions as written: by sympy's own, 1 - r/(1+r) = 1/(1+r) comes back as True."""

from __future__ import annotations

import io
import pickle
from dataclasses import fields
from typing import Any

import sympy as sp
from sympy.core.relational import Relational


def pickled(value: Any) -> bytes:
    """Return a pickle of a value that keeps its expressions as they are, evaluated or not."""
    stored = io.BytesIO()
    _Pickler(stored).dump(value)
    return stored.getvalue()


def by_fields(value: Any) -> tuple[Any, ...]:
    """Reduce a dataclass of expressions to its fields, for its ``__reduce__``: compiled functions are dropped."""
    return _rebuilt, (type(value), pickled(tuple(getattr(value, field.name) for field in fields(value))))


def _rebuilt(kind: type[Any], stored: bytes) -> Any:
    return kind(*pickle.loads(stored))  # noqa: S301 - inside a pickle that is being read already


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, (sp.Add, sp.Mul)):
            return type(value)._from_args, (value.args,)  # noqa: SLF001 - sympy's way to put no order into arguments
        if isinstance(value, (sp.Pow, Relational, sp.Function)):
            return _as_written, (value.func, value.args)
        return NotImplemented


def _as_written(function: Any, arguments: tuple[Any, ...]) -> Any:
    return function(*arguments, evaluate=False)
