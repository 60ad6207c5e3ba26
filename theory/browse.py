"""All derivations of the project, by name: a table of them, and a function to open one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from html import escape

from statnn.theory.closed_form import nearest
from statnn.theory.derivation import Derivation
from statnn.theory.precision import alone
from statnn.theory.prose import with_mathml
from statnn.theory.registry import DERIVATIONS


class Derivations(Mapping[str, Derivation]):
    """Derivations by name, in the order of the packages, each built on demand; prints as a table."""

    def __getitem__(self, name: str) -> Derivation:
        return derivation(name)

    def __iter__(self) -> Iterator[str]:
        return iter(DERIVATIONS)

    def __len__(self) -> int:
        return len(DERIVATIONS)

    def rows(self) -> Iterator[str]:
        """Yield the lines of the table: name, standing and title, and the source whenever it changes."""
        widest, source = max(map(len, self)), ""
        for name, each in self.items():
            if each.source != source:
                source = each.source
                yield f"-- {source}"
            yield f"{name:{widest}}  {each.standing:10}  {each.title}"

    def __str__(self) -> str:
        return "\n".join(self.rows())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{title}</th>" for title in ("name", "title", "standing", "source"))
        rows = (
            f"<tr><td>{name}</td><td>{with_mathml(each.title)}</td><td>{each.standing}</td>"
            f"<td>{escape(each.source)}</td></tr>"
            for name, each in self.items()
        )
        return f"<table><tr>{head}</tr>{''.join(rows)}</table>"

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)


def derivations() -> Derivations:
    """Return all derivations of the project by name; they print as a table with titles, standings and sources.

    Returns
    -------
    Derivations
        A read-only mapping of names to `Derivation`; names can be completed with the Tab key.

    See Also
    --------
    derivation : a single one.

    Examples
    --------
    >>> from statnn import theory
    >>> theory.derivations()["survival"]
    Derivation('survival', exact: 2 definition, 10 identity, 1 inequality)
    """
    return Derivations()


def derivation(name: str) -> Derivation:
    """Return one derivation of the project.

    Parameters
    ----------
    name : str
        As ``"survival"``; `derivations` lists them.

    Raises
    ------
    KeyError
        For an unknown name, with the nearest known ones.

    See Also
    --------
    derivations : their names.
    Derivation : for your own.

    Examples
    --------
    >>> from statnn import theory
    >>> theory.derivation("survival").steps[1].text()
    'S(0) = 1'
    """
    if name not in DERIVATIONS:
        raise KeyError(f"no derivation is called {name!r}{nearest(name, DERIVATIONS)}; derivations() lists them")
    return _built(name)


@cache
@alone()
def _built(name: str) -> Derivation:
    return DERIVATIONS[name]()
