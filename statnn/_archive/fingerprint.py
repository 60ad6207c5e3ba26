"""What a function of a user's own does, as far as it can be seen: results that are kept belong to it."""

import hashlib
from collections.abc import Callable, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any

from statnn._archive.file import digest_of


def fingerprint(function: Callable[..., Any]) -> str:
    """Return the name of a function and a digest of what it does, as far as that can be seen.

    Seen are its code, defaults, arguments that are bound to it, and what it takes from around it: numbers, arrays and
    objects of this package by their values, functions and objects of its own package by what is seen of them.

    Examples
    --------
    >>> from functools import partial
    >>> def scaled(state, *, factor=1.0):
    ...     return factor * state.sum()
    >>> fingerprint(partial(scaled, factor=2.0)) == fingerprint(partial(scaled, factor=2.0))
    True
    >>> fingerprint(partial(scaled, factor=2.0)) == fingerprint(partial(scaled, factor=3.0))
    False
    """
    name = getattr(function, "__qualname__", type(function).__qualname__)
    seen = hashlib.sha256()
    for part in _Looked(_home(function)).into(function):
        seen.update(part.encode())
    return f"{getattr(function, '__module__', '')}:{name} {seen.hexdigest()[:16]}"


def _inside(value: Any) -> Any:
    """Return the function in a partial one, a method, one that is compiled or one behind a cache, else None."""
    if isinstance(value, FunctionType | type):
        return None
    names = ("__func__", "func", "py_func", "__wrapped__")
    return next((inner for name in names if callable(inner := getattr(value, name, None))), None)


def _home(value: Any) -> str:
    """Return the package that a function, or the class of an object, is of."""
    while (inner := _inside(value)) is not None:
        value = inner
    place = value if isinstance(value, FunctionType) else type(value)
    return str(place.__module__).partition(".")[0]


class _Looked:
    """Looks at a function and at what it refers to in its own package, at each thing once."""

    def __init__(self, home: str) -> None:
        self._home = home
        self._known: dict[int, Any] = {}  # held, so that no number is given to another

    def at(self, value: Any) -> list[str]:
        """Return what is seen of a value in words: a digest of a plain one."""
        try:
            return [digest_of(value)]
        except (TypeError, ValueError, RecursionError):
            return self.into(value)

    def into(self, value: Any) -> list[str]:
        """Return what is seen of a value that is not plain, or of a function of this package."""
        if id(value) in self._known:
            return ["again"]
        self._known[id(value)] = value
        inner = _inside(value)
        if isinstance(value, Mapping | list | tuple):
            parts = [part for item in value.items() for part in item] if isinstance(value, Mapping) else list(value)
        elif inner is not None:
            parts = [inner, *(getattr(value, name, None) for name in ("__self__", "args", "keywords"))]
        elif isinstance(value, type) or _home(value) != self._home:
            return [getattr(value, "__qualname__", type(value).__qualname__)]
        else:
            return self._function(value) if isinstance(value, FunctionType) else self._object(value)
        return [word for part in parts for word in self.at(part)]

    def _function(self, function: FunctionType) -> list[str]:
        cells = [cell.cell_contents for cell in function.__closure__ or ()]
        parts: list[Any] = [function.__defaults__, *cells]
        if function.__kwdefaults__:
            parts.append(function.__kwdefaults__)
        around = [function.__globals__.get(name) for name in _names(function.__code__)]
        parts += [value for value in around if value is not None and not isinstance(value, ModuleType)]
        return [*_code(function.__code__), *(word for part in parts for word in self.at(part))]

    def _object(self, value: Any) -> list[str]:
        called, state = vars(type(value)).get("__call__"), sorted(getattr(value, "__dict__", {}).items())
        return [type(value).__qualname__, *(word for part in (called, *state) for word in self.at(part))]


def _inner(code: CodeType) -> list[CodeType]:
    return [constant for constant in code.co_consts if isinstance(constant, CodeType)]


def _names(code: CodeType) -> list[str]:
    """Return the names that code takes from around it, those of functions inside among them."""
    return sorted({*code.co_names, *(name for inner in _inner(code) for name in _names(inner))})


def _code(code: CodeType) -> list[str]:
    inner = [part for constant in _inner(code) for part in _code(constant)]
    constants = [
        digest_of(constant) if isinstance(constant, frozenset) else repr(constant)  # sets have another order each time
        for constant in code.co_consts
        if not isinstance(constant, CodeType)
    ]
    return [code.co_code.hex(), repr(code.co_names), *constants, *inner]
