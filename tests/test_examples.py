"""Whoever opens the page of a public name finds an example that runs, and where to go from there."""

import ast
import builtins
import doctest
import enum
import importlib
import inspect
import re
from itertools import pairwise

import pytest
from test_house import PUBLIC

from statnn.montecarlo import Method, Walkers

# strategies are drawn inside tests, as the example of their room shows; inspection is one verb, shown there
ROOMS = [room for room in PUBLIC if room not in {"statnn.testing.strategies", "statnn.inspection"}]
PLUMBING = {
    *(name for kind in (Method, Walkers) for name in dir(kind)),  # samplers are called by `sample`
    "of",  # of a `Run`, by `sample`
    "to_arviz",  # needs a package that nothing else needs
    "by",  # of a `Step`: what its maker was given
}


def public():
    """Yield name and object of every public function and class that users meet, once."""
    seen = set()
    for room in ROOMS:
        for name in PUBLIC[room]:
            thing = getattr(importlib.import_module(room), name)
            if inspect.ismodule(thing) or not callable(thing) or id(thing) in seen:
                continue
            if inspect.isclass(thing) and issubclass(thing, enum.Enum | BaseException):
                continue
            seen.add(id(thing))
            yield pytest.param(thing, id=f"{room}.{name}")


def methods(thing):
    """Return the public methods and properties of a class."""
    names = [name for name in dir(thing) if not name.startswith("_")] if inspect.isclass(thing) else []
    members = {name: inspect.getattr_static(thing, name) for name in names}
    return {name: getattr(value, "__func__", value) for name, value in members.items() if value.__doc__}


def prompts(text):
    return "".join(example.source for example in doctest.DocTestParser().get_examples(text or ""))


def lacking(thing):
    """Return what the page of an object lacks: "See Also", an example, or verbs that no example calls."""
    text, own = inspect.getdoc(thing) or "", methods(thing)
    after = text.partition("See Also\n--------\n")[2].partition("\n\n")[0]
    made = any(f": {verb}" in after for verb in ("makes it", "make it", "holds it", "holds them"))
    code = "".join(map(prompts, [text, *(value.__doc__ for value in own.values())]))
    verbs = {name for name, value in own.items() if inspect.isfunction(value)} - PLUMBING
    result = inspect.isclass(thing) and made and not verbs
    return [
        *([] if after else ["See Also"]),
        *([] if code or result or thing is Walkers else ["Examples"]),
        *sorted(name for name in verbs if f".{name}(" not in code),
    ]


@pytest.mark.parametrize("thing", list(public()))
def test_the_page_of_a_public_name_has_examples_and_ways_on(thing):
    assert lacking(thing) == []


def test_what_lacks_is_seen():
    class Bare:
        """Do nothing.

        Examples
        --------
        >>> Bare().shown()
        """

        def shown(self):
            """Return."""

        def hidden(self):
            """Return."""

    class Result:
        """A number.

        See Also
        --------
        bare : makes it.
        """

    assert lacking(Bare) == ["See Also", "hidden"]
    assert lacking(Result) == []
    assert lacking(lambda: None) == ["See Also", "Examples"]


def unknown(text, name):
    """Return the names that an example uses without making or importing them before, but for the name that it shows."""
    known, missed = {name, *dir(builtins)}, set()
    for statement in ast.parse(prompts(text)).body:
        nodes = [*ast.walk(statement)]
        names = [node for node in nodes if isinstance(node, ast.Name)]
        known |= {node.id for node in names if not isinstance(node.ctx, ast.Load)}
        known |= {getattr(node, "asname", None) or getattr(node, "name", None) for node in nodes}
        known |= {node.arg for node in nodes if isinstance(node, ast.arg)}
        missed |= {node.id for node in names} - known
    return missed


@pytest.mark.parametrize("thing", list(public()))
def test_examples_import_what_they_use(thing):
    for each in [thing, *filter(inspect.isfunction, methods(thing).values())]:
        assert unknown(inspect.getdoc(each), thing.__name__) == set(), each


def test_a_name_from_nowhere_is_seen():
    text = ">>> import numpy as np\n>>> f = lambda x: np.exp(x)\n>>> [shown(f(k)) for k in range(y)]\n>>> y = 1\n"
    assert unknown(text, "shown") == {"y"}
    assert unknown(text, "f") == {"shown", "y"}


def described(doc, section):
    """Return the names that a section of a docstring describes, and the lines of names without a description."""
    names, silent = [], []
    lines = doc.partition(f"{section}\n{'-' * len(section)}\n")[2].splitlines()
    for line, after in pairwise([*lines, ""]):
        if re.fullmatch("-{3,}", after):
            break
        if line and not line.startswith(" "):
            names += [name.strip("* ") for name in line.partition(" : ")[0].split(",")]
            silent += [] if after.startswith("    ") else [line]
    return {*names}, silent


@pytest.mark.parametrize("thing", list(public()))
def test_what_is_described_is_what_is_taken(thing):
    """A class may describe its parameters as attributes."""
    for each in [thing, *filter(inspect.isfunction, methods(thing).values())]:
        doc = inspect.getdoc(each) or ""
        (parameters, silent), (attributes, silent_too) = described(doc, "Parameters"), described(doc, "Attributes")
        assert silent + silent_too == []
        taken = {name for name in inspect.signature(each).parameters if not name.startswith("_")} - {"self", "cls"}
        assert parameters <= taken, each
        assert not parameters or taken <= parameters | attributes, each


def test_a_parameter_without_words_is_seen():
    doc = "Do.\n\nParameters\n----------\nx, y : int\n**more\n    Words.\n\nReturns\n-------\nint\n"
    assert described(doc, "Parameters") == ({"x", "y", "more"}, ["x, y : int"])
