"""A digest of what a user's own function does, as far as that can be seen: stored results belong to it."""

from __future__ import annotations

import copyreg
import dis
import gc
import hashlib
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property, partial, partialmethod
from importlib import import_module
from importlib.util import find_spec, resolve_name
from inspect import getattr_static
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

import numpy as np
from numpy.random import get_state
from scipy import sparse

from statnn._archive.file import digest_of
from statnn._archive.names import PACKAGE

_BOUND = ("__self__", "args", "keywords", "otypes", "signature", "excluded", "fset", "fdel")
"""Attributes, besides the function inside, of methods, partial and vectorised functions, and properties."""
_HOLDING: Any = str | list | tuple | set | frozenset | Mapping
"""Texts and containers, which are packed by their values, whatever their class."""
_GLOBAL = get_state.__self__  # type: ignore[attr-defined]
"""The global random state of numpy: it is recognised, never drawn from."""


def fingerprint(function: Callable[..., Any]) -> str:
    """Return the name of a function and a digest of what it does, as far as that can be seen.

    The digest covers its code, parameters, defaults, attributes, bound arguments, and the outer variables that it uses:
    numbers and arrays by their values, objects by what they would be pickled as, functions, classes and modules of its
    own package, and of all others that are not installed, in the same way; modules that it imports when it is called
    are imported for that. Functions, classes and modules of libraries count by their names.

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


def digest_of_work(value: Any) -> str:
    """Return the digest of a value that work depends on; a user's own functions in it count by what they do.

    Examples
    --------
    >>> import numpy as np
    >>> from statnn.network import Activation
    >>> digest_of_work(Activation("mine", np.sin)) == digest_of_work(Activation("mine", np.arctan))
    False
    """
    return digest_of(value, fingerprint)


def _as_array(value: Any) -> Any:
    """Return sparse matrices and tensors of torch in a form that is known by its values, and others as they are."""
    if sparse.issparse(value):
        return sparse.csr_array(value)  # type: ignore[call-overload]
    if hasattr(type(value), "detach") and hasattr(type(value), "numpy"):
        with suppress(TypeError, RuntimeError):  # types that numpy lacks
            return value.detach().cpu().numpy()
    return value


def _inside(value: Any) -> Any:
    """Return the function inside a partial, a method, a property, a compiled or a cached function, else None."""
    if isinstance(value, FunctionType | type):
        return None
    if isinstance(value, np.ufunc):  # of numpy.frompyfunc: nothing else refers to the function that it calls
        return next(filter(callable, gc.get_referents(value)), None)
    names: tuple[str, ...] = ("__func__", "fget", "pyfunc", "py_func", "__wrapped__")
    names += ("func",) * isinstance(value, partial | partialmethod | cached_property)  # sympy has another func
    there = (getattr(value, name) for name in names if getattr_static(value, name, None) is not None)
    return next((inner for inner in there if callable(inner)), None)


def _home(value: Any) -> str:
    """Return the package of the innermost function, empty if there is no function."""
    while (inner := _inside(value)) is not None:
        value = inner
    return _package(value.__module__) if isinstance(value, FunctionType) else ""


def _package(module: Any) -> str:
    return str(module).partition(".")[0]


def _is_library(package: str) -> bool:
    """Return whether a package was installed, or came with Python."""
    installed = any(not {"site-packages", "dist-packages"}.isdisjoint(Path(at).parts) for at in _places(package))
    return installed or package == PACKAGE or package in sys.stdlib_module_names - {"__main__"}


def _places(package: str) -> list[str]:
    """Return the file of a package and the folders of its modules, whether it is imported or not yet."""
    module = sys.modules.get(package)
    if module is None:
        with suppress(ImportError, ValueError):
            spec = find_spec(package)
            return [str(spec and spec.origin), *((spec and spec.submodule_search_locations) or ())]
    return [str(getattr(module, "__file__", None)), *(getattr(module, "__path__", None) or ())]


def _imports(code: CodeType) -> Iterator[str]:
    """Yield what code imports when it runs, as ``..module`` where the name is relative."""
    shown = [each for each in dis.get_instructions(code) if each.opname != "EXTENDED_ARG"]
    for level, names, each in zip(shown, shown[1:], shown[2:], strict=False):
        if each.opname == "IMPORT_NAME":
            module = "." * level.argval + each.argval
            yield module
            yield from (f"{module.removesuffix('.')}.{name}" for name in names.argval or ())
    for inner in _inner(code):
        yield from _imports(inner)


class _Looked:
    """Looks at a function and at all that it refers to, at each object once."""

    def __init__(self, home: str, known: Mapping[int, tuple[int, Any]] | None = None) -> None:
        self._home = home
        self._known = dict(known or {})  # values are held, so that no id is given to another

    def at(self, value: Any) -> list[str]:
        """Return words that describe a value: a digest if it is plain."""
        if isinstance(value, WeakKeyDictionary | WeakValueDictionary):
            return [type(value).__qualname__]  # a cache
        with suppress(TypeError, ValueError, RecursionError):
            if not self._holds_more(value):
                return [digest_of_work(_as_array(value))]
        return self.into(value)

    def _is_more(self, value: Any) -> bool:
        """Return whether a container or a text is of a user's own class, or has a default."""
        return isinstance(value, defaultdict) or self._is_own(type(value).__module__)

    def _holds_more(self, value: Any) -> bool:
        """Return whether a value, or one in it, holds more than what makes values equal."""
        if not isinstance(value, _HOLDING):
            return False
        parts = () if isinstance(value, str) else [*value, *(value.values() if isinstance(value, Mapping) else ())]
        kinds = {*map(type, parts)}
        return self._is_more(value) or (
            any(issubclass(k, _HOLDING) for k in kinds) and any(map(self._holds_more, parts))
        )

    def into(self, value: Any) -> list[str]:  # noqa: PLR0911 - a return for each kind
        """Return words that describe a function, or a value that is not plain."""
        if id(value) in self._known:
            return [f"again {self._known[id(value)][0]}"]
        self._known[id(value)] = len(self._known), value
        if isinstance(value, FunctionType | type):
            if not self._is_own(value.__module__):
                return [value.__qualname__]
            return self._function(value) if isinstance(value, FunctionType) else self._class(value)
        if isinstance(value, bytes | bytearray | memoryview):
            return [bytes(value).hex()]
        if isinstance(value, _HOLDING):
            return self._container(value)
        if value is _GLOBAL:
            return ["the random state of numpy"]  # scipy's distributions hold it, and it differs in each process
        inner = _inside(value)
        if inner is None or self._is_own(type(value).__module__):  # the wrapper of the function counts as well
            return self._object(value)
        return self._all([inner, *(getattr(value, name, None) for name in _BOUND)])

    def _container(self, value: Any) -> list[str]:
        if isinstance(value, set | frozenset):  # their order differs in each process
            kind = self.at(type(value)) if self._is_more(value) else ["set"]
            return [*kind, *map(repr, sorted(_Looked(self._home, self._known).at(part) for part in value))]
        if self._is_more(value):
            return self._object(value)
        return (
            self._all(part for item in value.items() for part in item)
            if isinstance(value, Mapping)
            else self._all(value)
        )

    def _all(self, parts: Any) -> list[str]:
        return ["(", *(word for part in parts for word in (*self.at(part), ",")), ")"]

    def _is_own(self, module: Any) -> bool:
        package = _package(module)
        return package == self._home or not _is_library(package)

    def _function(self, function: FunctionType) -> list[str]:
        parts: list[Any] = [function.__defaults__, *self._around(function)]
        parts += [part for part in (function.__kwdefaults__, vars(function)) if part]
        return [*_code(function.__code__), *self._all(parts)]

    def _around(self, function: FunctionType) -> list[Any]:
        """Return the outer variables that its code uses, also those in modules of its own package."""
        around, scopes = [], [function.__globals__]
        waiting = [*map(_content, function.__closure__ or ()), *self._imported(function)]
        for scope in scopes:
            waiting += [scope[name] for name in _names(function.__code__) if scope.get(name) is not None]
            for value in waiting:
                if not isinstance(value, ModuleType):
                    around.append(value)
                elif not self._is_own(value.__name__):
                    around.append(value.__name__)
                elif not any(vars(value) is known for known in scopes):
                    scopes.append(vars(value))
            waiting = []
        return around

    def _imported(self, function: FunctionType) -> list[ModuleType]:
        """Return the modules that a function imports when it is called, except libraries."""
        modules = []
        for name in _imports(function.__code__):
            with suppress(Exception):  # something in a module, or a module that is not there: its call will say so
                whole = resolve_name(name, function.__globals__.get("__package__"))
                if self._is_own(whole):
                    modules.append(import_module(whole))
        return modules

    def _class(self, kind: type) -> list[str]:
        own = [base for base in kind.__mro__ if self._is_own(base.__module__)]
        parts = [
            part
            for base in own
            for name, part in sorted(vars(base).items())
            if isinstance(part, FunctionType) or not name.startswith("__")
        ]
        return [kind.__qualname__, *self._all(parts)]

    def _object(self, value: Any) -> list[str]:
        """Return words that describe the class of an object and what it would be pickled as."""
        kind = type(value)
        try:
            made = copyreg.dispatch_table[kind](value) if kind in copyreg.dispatch_table else value.__reduce_ex__(4)
            made = (made,) if isinstance(made, str) else tuple(made)
        except Exception:  # noqa: BLE001 - files, locks and the like have no value
            made = ()
        how, (state, *items) = made[:2], made[2:] or (None,)
        return [*self.at(kind), *self._all([*how, *_stated(kind, state), *(list(part) for part in items[:2] if part)])]


def _stated(kind: type, state: Any) -> list[Any]:
    """Return the state of an object, sorted by name, without properties cached from the rest."""
    parts = []
    for part in state if isinstance(state, tuple) else (state,):
        named = isinstance(part, dict) and all(isinstance(name, str) for name in part)
        parts.append(
            {
                name: part[name]
                for name in sorted(part)
                if not isinstance(getattr_static(kind, name, None), cached_property)
            }
            if named
            else part
        )
    return [part for part in parts if not (part is None or (isinstance(part, dict) and not part))]


def _content(cell: Any) -> Any:
    """Return the value of a variable around a function, None before it has one."""
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _inner(code: CodeType) -> list[CodeType]:
    return [constant for constant in code.co_consts if isinstance(constant, CodeType)]


def _names(code: CodeType) -> list[str]:
    """Return the outer names that code uses, with those used by functions inside it."""
    return sorted({*code.co_names, *(name for inner in _inner(code) for name in _names(inner))})


def _code(code: CodeType) -> list[str]:
    inner = [part for constant in _inner(code) for part in _code(constant)]
    constants = [
        digest_of(constant) if isinstance(constant, frozenset) else repr(constant)  # the order of sets varies
        for constant in code.co_consts
        if not isinstance(constant, CodeType)
    ]
    kinds = code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags
    named = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]  # sweeps pass arguments by these names
    tried = [code.co_exceptiontable.hex()] if code.co_exceptiontable else []  # which of the code stands under try
    return [code.co_code.hex(), repr((kinds, named, code.co_names)), *tried, *constants, *inner]
