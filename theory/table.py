"""All formulas of the project, by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from html import escape

import sympy as sp

from statnn.theory.closed_form import Formula, Value, nearest
from statnn.theory.precision import alone


class Formulas(Mapping[str, Formula]):
    """Formulas by name, in the order of the packages; prints as a table."""

    def __init__(self, formulas: tuple[Formula, ...]) -> None:
        twice = [name for name, count in Counter(entry.name for entry in formulas).items() if count > 1]
        if twice:
            raise ValueError(f"two formulas are called {', '.join(twice)}")
        self._formulas = {entry.name: entry for entry in formulas}

    def __getitem__(self, name: str) -> Formula:
        if name not in self._formulas:
            raise KeyError(f"no formula is called {name!r}{nearest(name, self)}; formulas() lists them")
        return self._formulas[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._formulas)

    def __len__(self) -> int:
        return len(self._formulas)

    def __str__(self) -> str:
        name, standing = (max(map(len, column)) for column in (self, (entry.standing for entry in self.values())))
        return "\n".join(
            f"{entry.name:{name}}  {entry.standing:{standing}}  {entry.definition}" for entry in self.values()
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        columns = ("name", "standing", "definition", "implementation")
        head = "".join(f"<th>{column}</th>" for column in columns)
        cells = ("".join(f"<td>{escape(getattr(entry, column))}</td>" for column in columns) for entry in self.values())
        return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)


@cache
@alone()
def formulas() -> Formulas:
    """Return all formulas of the project by name; they print as a table with their definitions.

    Returns
    -------
    Formulas
        A read-only mapping of names to `Formula`.

    See Also
    --------
    formula : a single one.

    Examples
    --------
    >>> from statnn import theory
    >>> theory.formulas()["gamma-poisson.tail-exponent"].implementation
    'statnn.activation.GammaPoisson.tail_exponent'
    """
    from statnn.theory.activation.formulas import ACTIVATION  # building expressions takes a moment
    from statnn.theory.interaction.formulas import INTERACTION
    from statnn.theory.measure.formulas import MEASURE
    from statnn.theory.rg.formulas import REPEATED
    from statnn.theory.rg.wide_formulas import WIDE

    return Formulas((*ACTIVATION, *INTERACTION, *MEASURE, *REPEATED, *WIDE))


def formula(name: str) -> Formula:
    """Return one formula of the project.

    Parameters
    ----------
    name : str
        As ``"gamma-poisson.working"``; `formulas` lists them.

    Raises
    ------
    KeyError
        For an unknown name, with the nearest known one.

    See Also
    --------
    formulas : their names.
    compare : with an expression of your own.

    Examples
    --------
    >>> from statnn import theory
    >>> theory.formula("gamma-poisson.working").expression
    N*(1 - (N*b/(D*c + N*b))**b)
    """
    return formulas()[name]


def in_order(name: str, symbols: str) -> Callable[..., sp.Float]:
    """Return a formula as a function of its symbols, in this order, and of ``digits``: a reference for arithmetic.

    Examples
    --------
    >>> in_order("gamma-poisson.inflection", "N c")(1000, 5)
    200.00000000000000000000000000000000000000000000000
    """
    names = symbols.split()

    def evaluate(*values: Value, digits: int = 50) -> sp.Float:
        return formula(name).evaluate(digits=digits, **dict(zip(names, values, strict=True)))

    return evaluate


def main_result(name: str) -> Formula:
    """Return the formula of this name, or the main result of the derivation of this name."""
    from statnn.theory.registry import DERIVATIONS  # slow to build, too

    table = formulas()
    derived = [entry for entry in table.values() if entry.derivation == name]
    chosen = derived if len(derived) == 1 else [entry for entry in derived if entry.main]
    if name in DERIVATIONS and not derived and name not in table:
        raise KeyError(f"no formula is the result of the derivation {name!r}; formulas() lists those there are")
    if name in table:
        return table[name]
    if not derived:
        near = nearest(name, [*table, *DERIVATIONS])
        raise KeyError(f"no formula and no derivation is called {name!r}{near}; formulas() and derivations() list them")
    if len(chosen) != 1:
        raise KeyError(f"the derivation {name!r} has several results: {', '.join(entry.name for entry in derived)}")
    return chosen[0]
