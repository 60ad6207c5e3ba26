"""Classes and functions by name: the shortest public name is written, and only names of this package are looked up."""

from __future__ import annotations

import sys
from enum import Enum
from importlib import import_module
from types import FunctionType
from typing import Any

import numpy as np
from scipy import special

PACKAGE = "statnn"


def is_own(thing: Any) -> bool:
    """Return whether a class or function is one of this package."""
    return str(getattr(thing, "__module__", "")).partition(".")[0] == PACKAGE


def name_of(thing: Any) -> str:
    """Return ``module:name``, with the highest room that exports the thing, because private files may be renamed.

    Examples
    --------
    >>> from statnn.network import Network
    >>> name_of(Network)
    'statnn:Network'
    """
    parts = thing.__module__.split(".")
    name: str = thing.__qualname__
    for depth in range(1, len(parts) + 1):
        module = ".".join(parts[:depth])
        if getattr(sys.modules.get(module), name, None) is thing:
            return f"{module}:{name}"
    if thing_of(f"{thing.__module__}:{name}") is not thing:
        raise TypeError(f"{thing!r} has no name by which it could be found again")
    return f"{thing.__module__}:{name}"


def thing_of(name: str) -> Any:
    """Return what `name_of` named: a class or function that is defined in this package.

    Examples
    --------
    >>> thing_of("os:system")
    Traceback (most recent call last):
    ValueError: the name 'os:system' is not of this package
    """
    module, _, path = name.partition(":")
    parts = path.split(".")
    if module.partition(".")[0] != PACKAGE or not all(part.isidentifier() for part in [*module.split("."), *parts]):
        raise ValueError(f"the name {name!r} is not of this package")
    try:
        thing: Any = import_module(module)
        for part in parts:
            thing = getattr(thing, part)
    except (ImportError, AttributeError):
        raise ValueError(f"{name!r} is unknown to this version of {PACKAGE}") from None
    if not isinstance(thing, type | FunctionType) or not is_own(thing):
        raise ValueError(f"{name!r} is neither a class nor a function of this package")
    return thing


def class_of(name: str, kind: str) -> Any:
    """Return the class of a name if it is a record ("object"), an "enum" or an "exception"."""
    thing = thing_of(name)
    if isinstance(thing, type):
        fits = {
            "enum": issubclass(thing, Enum),
            "exception": issubclass(thing, Exception),
            "object": hasattr(thing, "__dataclass_fields__") or hasattr(thing, "_fields") or hasattr(thing, "_stored"),
        }
        if fits[kind]:
            return thing
    raise ValueError(f"{name!r} is not an {kind} of this package")


def name_of_ufunc(function: np.ufunc) -> str | None:
    """Return the name of a universal function of numpy or of ``scipy.special``, else None: others may have any name.

    Examples
    --------
    >>> name_of_ufunc(np.tanh), name_of_ufunc(special.erf), name_of_ufunc(np.frompyfunc(abs, 1, 1))
    ('tanh', 'scipy.special:erf', None)
    """
    homes = (("", np), ("scipy.special:", special))
    return next((h + function.__name__ for h, m in homes if getattr(m, function.__name__, None) is function), None)


def ufunc_of(name: str) -> np.ufunc:
    """Return a universal function of numpy or of ``scipy.special``."""
    home, _, plain = name.rpartition(":")
    function = getattr({"": np, "scipy.special": special}.get(home), plain, None)
    if isinstance(function, np.ufunc):
        return function
    raise ValueError(f"numpy and scipy.special have no function {name!r} that acts on every entry")
