"""Links from names in docstrings, and from objects to derivations and to pages that show them."""

import ast
import inspect
import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from types import FunctionType
from typing import Any

from statnn.theory import formula, formulas

HERE = Path(__file__).parents[1]
PAGES = ("gallery/plot_*.py", "tutorials/*.md", "how-to/*.md", "papers/*.md", "own-derivation.md", "start.md")
_NAME = re.compile(r"(?<![`:\w])`([A-Za-z_][\w.]*)`(?![`_\w])")
_CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(?::[^\n]*\n)*(.*?)^```", re.MULTILINE | re.DOTALL)


def _members(thing: Any) -> list[str]:
    """Return the members of a class that have an anchor on its page: fields have none."""
    kinds = FunctionType | classmethod | staticmethod | property | cached_property
    names = [name for name in dir(thing) if not name.startswith("_")] if inspect.isclass(thing) else []
    return [name for name in names if isinstance(inspect.getattr_static(thing, name), kinds)]


class Names:
    """Public names, and members of classes, by all that sentences call them: in full or without their room."""

    def __init__(self, homes: dict[int, str], things: dict[int, Any]):
        self.homes = set(homes.values())
        self.full: dict[str, set[str]] = defaultdict(set)
        for identity, home in homes.items():
            for place in [home, *(f"{home}.{name}" for name in _members(things[identity]))]:
                parts = place.split(".")
                for start in range(len(parts)):
                    self.full[".".join(parts[start:])].add(place)

    def place(self, name: str, around: str, parameters: Iterable[str] = ()) -> str | None:
        """Return the full name that a name means in the docstring of the object `around`; None if ambiguous."""
        if name in parameters:
            return None
        candidates = self.full.get(name, set())
        for owner in (around, around.rpartition(".")[0]):
            if f"{owner}.{name}" in candidates:
                return f"{owner}.{name}"
        # a single word does not mean a member of another class
        likely = {each for each in candidates if "." in name or each in self.homes}
        return likely.pop() if len(likely) == 1 and likely != {around} else None

    def reference(self, name: str, around: str) -> str:
        """Return a link to what a name means in the docstring of the object `around`; fields of objects have none."""
        place = self.place(name, around) or (name if name.startswith("statnn.") else None)
        return f":py:obj:`{name} <{place}>`" if place else f"``{name}``"

    def link(self, line: str, around: str, parameters: Iterable[str] = ()) -> str:
        """Return a line of a docstring in which names are links."""

        def named(match: re.Match[str]) -> str:
            place = self.place(match[1], around, parameters)
            return f":py:obj:`{match[1]} <{place}>`" if place else match[0]

        return _NAME.sub(named, line)


def _used(tree: ast.AST) -> set[str]:
    """Return full names of what a script imports, and of what it takes from imported rooms."""
    rooms, used = {}, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "statnn":
            for name in node.names:
                used.add(f"{node.module}.{name.name}")
                rooms[name.asname or name.name] = f"{node.module}.{name.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in rooms:
            used.add(f"{rooms[node.value.id]}.{node.attr}")
    return used


def _title(file: Path, text: str) -> str:
    if file.suffix == ".py":
        return ast.get_docstring(ast.parse(text)).split("\n", 1)[0]
    return re.search(r"^# (.*)$", text, re.MULTILINE)[1]


def shown_in() -> dict[str, list[tuple[str, str]]]:
    """Return, by the full name of an object, the title and document of pages whose code uses it."""
    pages = defaultdict(list)
    for pattern in PAGES:
        for file in sorted(HERE.glob(pattern)):
            text = file.read_text(encoding="utf-8")
            cells = [text] if file.suffix == ".py" else _CELL.findall(text)
            document = file.relative_to(HERE).with_suffix("").as_posix().replace("gallery/", "gallery-pages/")
            for name in sorted(_used(ast.parse("\n".join(cells)))):
                pages[name].append((_title(file, text), f"/{document}"))
    return pages


def derived_in() -> dict[str, list[str]]:
    """Return, by the full name of an object, the derivations of what it computes."""
    derivations = defaultdict(list)
    for form in map(formula, formulas()):
        for name in (form.implementation, form.implementation.rpartition(".")[0]):
            if name and form.derivation not in derivations[name]:
                derivations[name].append(form.derivation)
    return derivations
