"""Types in the signatures of functions, whose modules name what only type checkers import."""

import builtins
import sys
from typing import get_type_hints


class Names(dict):
    """Names of a module; those that it does not have when it runs are tuples, which take any parameters."""

    def __missing__(self, name):
        return getattr(builtins, name, tuple)


def types_of(function):
    """Return the types of parameters by name."""
    types = get_type_hints(function, localns=Names(vars(sys.modules[function.__module__])))
    types.pop("return", None)
    return types
