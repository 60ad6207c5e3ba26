"""Signatures as `help()` shows them: types by their names, which can be looked up."""

import importlib
import inspect

import pytest
from signatures import types_of
from test_house import PUBLIC

SCREEN = 8 * 80
"""Characters of a third of a screen."""


def callables(room):
    """Yield what is public in a room, and the methods of its classes, by name."""
    module = importlib.import_module(room)
    for name in PUBLIC[room]:
        thing = getattr(module, name)
        if inspect.isfunction(thing):
            yield name, thing
        if inspect.isclass(thing):
            yield from (
                (f"{name}.{key}", member)
                for key, member in inspect.getmembers(thing)
                if (inspect.isfunction(member) or inspect.ismethod(member)) and member.__module__.startswith("statnn")
                if not key.startswith("_") or key == "__init__"
            )


@pytest.mark.parametrize("room", PUBLIC)
def test_signatures_can_be_read(room):
    for name, function in callables(room):
        signature = inspect.signature(function)
        assert "numpy._typing" not in str(signature), f"{name}{signature}"
        assert len(str(signature)) < SCREEN, f"{name}{signature}"
        assert types_of(function).keys() <= signature.parameters.keys()
