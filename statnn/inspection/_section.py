"""The answer to a question: facts, a table, figures and the result objects, or the reason why there are none."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    Draw: TypeAlias = Callable[[Figure], None]
else:
    Draw = Callable[[Any], None]


from statnn._by_value import ByValue
from statnn._text import p_alone, printed, with_error


@dataclass(frozen=True, eq=False, repr=False)
class Measured(ByValue):
    """A number with its standard error.

    Parameters
    ----------
    value, error : float
        Estimate and standard error.
    middle : float or None
        Centre of the interval of one standard error to each side; None if it is the value.

    Examples
    --------
    >>> str(Measured(0.123456, 0.0045)), str(Measured(98.6, 0.0))
    ('0.1235 ± 0.0045', '98.6')
    """

    value: float
    error: float
    middle: float | None = field(default=None, repr=False, compare=False)

    def bars(self) -> tuple[float, float]:
        """Return the lengths of the error bar below and above the value; the bar covers the interval and the value.

        Examples
        --------
        >>> Measured(2.0, 0.5).bars(), Measured(1.0, 0.125, middle=0.75).bars()
        ((0.5, 0.5), (0.375, 0.0))
        """
        ahead = 0.0 if self.middle is None else self.middle - self.value
        return max(self.error - ahead, 0.0), max(self.error + ahead, 0.0)

    def __str__(self) -> str:
        if math.isfinite(self.value) and math.isfinite(self.error):
            return with_error(self.value, self.error)
        return f"{shown(self.value)} ± {shown(self.error)}"


class PValue(float):
    """A p-value, which is shown with two digits.

    Examples
    --------
    >>> shown(PValue(4.226e-47))
    '4.2 × 10⁻⁴⁷'
    """


REFUSALS = (ValueError, TypeError, MemoryError, ArithmeticError, np.linalg.LinAlgError)
"""Errors that mean that a question does not apply to a network; a user's own functions may raise them too."""

Cell: TypeAlias = "str | int | float | Measured | None"
"""An entry of a table; None if there is no such number."""


@dataclass(frozen=True, eq=False, repr=False)
class Table(ByValue):
    """Rows of numbers under headings.

    Parameters
    ----------
    columns : sequence of str
        Headings.
    rows : sequence of sequence of (str, int, float, Measured or None)
        One entry per column; None if there is no such number.
    keys : int
        Number of leading columns that identify a row.

    Raises
    ------
    ValueError
        If a heading occurs twice, or a row has another length.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    keys: int = 1

    def __post_init__(self) -> None:
        if len(set(self.columns)) < len(self.columns):
            raise ValueError(f"columns = {list(self.columns)}: a heading stands twice")
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"a row has {len(row)} entries for {len(self.columns)} columns")

    def _rows(self) -> list[dict[str, Cell]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


NARROW = 3.8
"""Width in inches of a figure on a telephone, and least width of a panel beside others."""


def panels(figure: Figure, rows: int, columns: int) -> NDArray[Any]:
    """Return axes by row and column; in a figure that is too narrow they are stacked, column by column."""
    if columns == 1 or figure.get_figwidth() >= 3 * columns:
        return np.asarray(figure.subplots(rows, columns, squeeze=False))
    return np.asarray(figure.subplots(rows * columns, 1)).reshape(columns, rows).T


@dataclass(frozen=True, eq=False, repr=False)
class Picture(ByValue):
    """A figure not drawn yet, and the arrays behind it; `columns` panels are side by side."""

    name: str
    caption: str
    draw: Draw = field(compare=False)
    data: Mapping[str, NDArray[Any]]
    size: tuple[float, float] = (7.0, 4.0)
    columns: int = 1

    def figure(self, *, narrow: bool = False) -> Figure:
        """Draw the figure; if `narrow`, for a telephone, with panels stacked."""
        from matplotlib.figure import Figure

        from statnn.plot import settle, style

        with style():
            width, height = self.size
            figure = Figure(figsize=(NARROW, height * self.columns) if narrow else (width, height))
            self.draw(figure)
            settle(figure)
        return figure


@dataclass(frozen=True, eq=False, repr=False)
class Section(ByValue):
    """The answer to one question.

    Parameters
    ----------
    name, title, about : str
        Key, heading, and the question in one or two sentences.
    facts : mapping
        Numbers and texts by name.
    tables : sequence of Table
        Usually one, with a row per layer.
    pictures : sequence
        Figures; ``pictures[i].figure()`` draws one.
    results : mapping
        Result objects of the packages used, by name, with all that they hold beyond the table.
    remarks : sequence of str
        Notes for reading the numbers, warnings included.
    reason : str
        Why the question does not apply; empty if it does.
    unusual : str
        The finding that differs from what would be expected; empty if there is none.
    seconds : float
        Time it took.
    """

    name: str
    title: str
    about: str
    facts: Mapping[str, Cell] = field(default_factory=dict)
    tables: Sequence[Table] = ()
    pictures: Sequence[Picture] = field(default=(), repr=False)
    results: Mapping[str, Any] = field(default_factory=dict, repr=False)
    remarks: Sequence[str] = ()
    reason: str = ""
    unusual: str = ""
    seconds: float = 0.0

    def __str__(self) -> str:
        lines = [self.title, "-" * len(self.title)]
        if self.reason:
            return "\n".join([*lines, f"not possible here: {self.reason}"])
        lines += [self.unusual] if self.unusual else []
        lines += [f"{name}: {shown(value)}" for name, value in self.facts.items()]
        for table in self.tables:
            cells = [list(table.columns), *([shown(cell) for cell in row] for row in table.rows)]
            widths = [max(len(row[i]) for row in cells) for i in range(len(table.columns))]
            lines += ["  ".join(f"{cell:>{w}}" for cell, w in zip(row, widths, strict=True)) for row in cells]
        return "\n".join([*lines, *(f"note: {remark}" for remark in self.remarks)])

    def plain(self) -> dict[str, Any]:
        """Return the contents for JSON: everything but figures and result objects."""
        return {
            "title": self.title,
            "facts": {name: _plain(value) for name, value in self.facts.items()},
            "tables": [
                [{name: _plain(cell) for name, cell in zip(table.columns, row, strict=True)} for row in table.rows]
                for table in self.tables
            ],
            "unusual": self.unusual or None,
            "remarks": list(self.remarks),
            "reason": self.reason or None,
            "seconds": round(self.seconds, 3),
        }


SHARES = (
    " Standard errors of shares k/n are those of (k+2)/(n+4), which are not zero where all or none were counted "
    "(Agresti & Coull 1998); bars in figures are these intervals, and reach to k/n."
)
"""Note for sections with shares."""


def share(p: float, samples: int) -> Measured:
    """Return a share with the standard error of (k+2)/(n+4), which is not zero where all or none were counted."""
    pulled = (p * samples + 2) / (samples + 4)
    return Measured(p, math.sqrt(pulled * (1 - pulled) / (samples + 4)), pulled)


def shown(value: Cell) -> str:
    """Return a number as text, with four digits if it is not whole."""
    if value is None:
        return "–"
    if isinstance(value, PValue) and not math.isnan(value):
        return p_alone(value)
    if isinstance(value, float):
        return printed(value, 4)
    if isinstance(value, str):
        return value
    return str(value).replace("-", "−", 1) if isinstance(value, int) else str(value)


def _plain(value: Cell) -> Any:
    if isinstance(value, Measured):
        return {"value": _plain(value.value), "error": _plain(value.error)}
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no infinity
    return value
