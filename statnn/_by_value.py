"""Frozen objects that hold arrays: equal if their parts are, printed in a few lines, and read-only in copies, too.

The equality of dataclasses asks arrays for one truth value and takes NaN to differ from itself; their text lists every
entry. A plain copy or pickle of a read-only array can be written to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import partial
from typing import Any, TypeVar

import numpy as np

from statnn._arrays import read_only
from statnn._notebook import Shown, html, parts

T = TypeVar("T")

_FEW = 6
"""Arrays and sequences show at most this many entries one by one."""
_LINE = 120
_SCREEN = 4 * _LINE
"""Characters of an object; if it would take more, each of its parts is cut to a line."""


class ByValue(Shown):
    """Base of frozen dataclasses, ``@dataclass(frozen=True, eq=False, repr=False)``: equality, hash and text by value.

    Arrays are equal if shape, type and entries are, NaN equal to NaN. A hash looks at no entry of an array: it costs
    nothing, and equal objects have equal hashes.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True, eq=False, repr=False)
    ... class Pair(ByValue):
    ...     name: str
    ...     values: np.ndarray
    >>> first, other = Pair("a", np.array([1.0, np.nan])), Pair("a", np.array([1.0, np.nan]))
    >>> first == other, hash(first) == hash(other), first == Pair("b", first.values)
    (True, True, False)
    >>> Pair("a", np.zeros((9, 9)))
    Pair(name='a', values=<float64 of shape (9, 9)>)
    """

    def _compared(self) -> tuple[Any, ...]:
        """Return the parts that equality compares."""
        own: Any = self
        return tuple(getattr(self, field.name) for field in fields(own) if field.compare)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ByValue) or type(other) is not type(self):
            return NotImplemented
        return self is other or same(self._compared(), other._compared())

    def __hash__(self) -> int:
        return hash((type(self), _key(self._compared())))

    def __repr__(self) -> str:
        own: Any = self
        return _text(
            type(self).__name__, {field.name: getattr(self, field.name) for field in fields(own) if field.repr}
        )

    def __getstate__(self) -> Any:
        return vars(self), _locks(vars(self))

    def __setstate__(self, state: Any) -> None:
        values, locks = state
        vars(self).update(values)
        _lock(values, locks)


def by_value(kind: type[T]) -> type[T]:
    """Give a named tuple of arrays what `ByValue` gives to a dataclass: equality, hash, text and copies by value."""

    def equal(self: Any, other: object) -> bool:
        return type(other) is kind and same(tuple(self), tuple(other))  # type: ignore[arg-type]

    methods = {
        "__eq__": equal,
        "__ne__": lambda self, other: not equal(self, other),
        "__hash__": lambda self: hash((kind, _key(tuple(self)))),
        "__repr__": lambda self: _text(kind.__name__, self._asdict()),
        "_repr_html_": lambda self: html(kind.__name__, parts(self)),
        "__reduce__": lambda self: (_restored, (kind, tuple(self), _locks(tuple(self)))),
    }
    for name, method in methods.items():
        setattr(kind, name, method)
    return kind


def same(a: Any, b: Any) -> bool:
    """Return whether two values are equal in type and in all they hold."""
    if a is b or type(a) is not type(b):
        return a is b
    if isinstance(a, np.ma.MaskedArray):
        return same(np.ma.getmaskarray(a), np.ma.getmaskarray(b)) and same(a.data, b.data)
    if isinstance(a, np.ndarray):
        alike = a.shape == b.shape and a.dtype == b.dtype
        return alike and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")
    if isinstance(a, Mapping):
        return a.keys() == b.keys() and all(same(value, b[key]) for key, value in a.items())
    if isinstance(a, Exception):
        a, b = a.args, b.args
    if isinstance(a, partial):
        a, b = ((it.func, it.args, it.keywords) for it in (a, b))
    if isinstance(a, np.random.Generator):
        a, b = ((type(it.bit_generator), it.bit_generator.state) for it in (a, b))
    generated = getattr(type(a), "__dataclass_params__", None)  # its equality asks arrays for a truth value
    if generated and generated.eq:
        a, b = (tuple(getattr(it, field.name) for field in fields(it) if field.compare) for it in (a, b))
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b or (a != a and b != b))  # noqa: PLR0124 - only NaN differs from itself


def _locks(value: Any) -> Any:
    """Return which arrays in a value are read-only, in a tree of the same shape."""
    if isinstance(value, np.ndarray):
        return not value.flags.writeable
    if isinstance(value, Mapping):
        return {key: _locks(part) for key, part in value.items()}
    return tuple(map(_locks, value)) if isinstance(value, list | tuple) else None


def _lock(value: Any, locks: Any) -> None:
    """Make read-only the arrays of a value that `_locks` found to be so in one of the same shape."""
    if isinstance(locks, dict):
        for key, part in locks.items():
            _lock(value[key], part)
    elif isinstance(locks, tuple):
        for item, part in zip(value, locks, strict=True):
            _lock(item, part)
    elif locks:
        read_only(value)


def _restored(kind: type[Any], values: tuple[Any, ...], locks: Any) -> Any:
    _lock(values, locks)
    return kind(*values)


def _key(value: Any) -> Any:
    """Return something that can be hashed and is equal for equal values."""
    if isinstance(value, np.ndarray):
        return value.shape
    if isinstance(value, Mapping):
        return frozenset(value)
    if isinstance(value, list | tuple):
        return tuple(map(_key, value))
    if isinstance(value, Exception):
        return _key(value.args)
    if isinstance(value, partial):
        return _key((value.func, value.args, value.keywords))
    return None if value != value else value  # noqa: PLR0124 - only NaN differs from itself


def _text(name: str, parts: Mapping[str, Any]) -> str:
    text = ""
    for most in (_SCREEN, _LINE):
        text = f"{name}({', '.join(f'{key}={_brief(value, most)}' for key, value in parts.items())})"
        if len(text) <= _SCREEN:
            break
    return text


def _brief(value: Any, most: int) -> str:
    """Return the text of a value: a long array as its shape, a long sequence as its first entries."""
    if isinstance(value, np.ndarray):
        whole = f"masked({value})" if isinstance(value, np.ma.MaskedArray) else repr(value)
        return " ".join(whole.split()) if value.size <= _FEW else f"<{value.dtype} of shape {value.shape}>"
    if type(value) in (list, tuple) and value:
        shown = [_brief(entry, most) for entry in value[:_FEW]]
        rest = [f"... {len(value)} in all"] if len(value) > _FEW else [""] * (len(value) == 1)
        text = ", ".join([*shown, *rest]).rstrip(" ")
        return f"[{text}]" if isinstance(value, list) else f"({text})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_brief(entry, most)}" for key, entry in value.items()) + "}"
    text = repr(value)
    if len(text) <= most:
        return text
    return f"{text[: most - 4]}...'" if isinstance(value, str) else f"{type(value).__name__}(...)"
