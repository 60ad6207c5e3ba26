"""Types in the signatures of functions, some of which only type checkers import."""

import builtins
import sys
from typing import get_type_hints


class Names(dict):
    """Names of a module; those missing at run time become `tuple`, which takes any type parameters."""

    def __missing__(self, name):
        return getattr(builtins, name, tuple)


def types_of(function):
    """Return the types of parameters by name."""
    types = get_type_hints(function, localns=Names(vars(sys.modules[function.__module__])))
    types.pop("return", None)
    return types
