"""Results in notebooks: small tables, readable without network, in the colours of the notebook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from html import escape
from typing import Any, NamedTuple

import numpy as np

from statnn._text import printed, with_error

FEW, LONG = 6, 100
"""Entries that are shown one by one; characters shown of a text."""


class Rows(NamedTuple):
    """Contents of a table: names of its columns, none if each row is a name and a value, and its rows."""

    head: tuple[str, ...]
    rows: Sequence[Sequence[Any]]


class Shown:
    """Base of results that a notebook shows as a table; `_table` returns its contents, by default all parts.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Pair(Shown):
    ...     mean: float
    ...     error: float
    >>> "<td>2.00 ± 0.31</td>" in Pair(2.0, 0.31)._repr_html_()
    True
    """

    def _table(self) -> Rows:
        return parts(self)

    def _repr_html_(self) -> str | None:
        this: Any = self
        if not is_dataclass(this):
            return None
        return html(type(self).__name__, self._table())


def parts(result: Any) -> Rows:
    """Return the parts of a dataclass or a named tuple, a number with its standard error in one row."""
    names = getattr(result, "_fields", None) or [field.name for field in fields(result)]
    values = {name: getattr(result, name) for name in names if not name.startswith("_")}
    errors = {name: "error" if name in {"mean", "estimate"} else f"{name}_error" for name in values}
    errors = {name: error for name, error in errors.items() if all(map(_is_finite, (values[name], values.get(error))))}
    rows = [
        (name.replace("_", " "), with_error(value, values[errors[name]]) if name in errors else value)
        for name, value in values.items()
        if name not in errors.values()
    ]
    return Rows((), rows)


def _is_finite(value: Any) -> bool:
    return isinstance(value, float | np.floating) and bool(np.isfinite(value))


def html(title: str, table: Rows) -> str:
    """Return a table with a caption."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.head)
    body = "".join(f"<tr>{_row(row)}</tr>" for row in table.rows)
    return f"<table><caption>{escape(title)}</caption>{f'<tr>{head}</tr>' if head else ''}{body}</table>"


def _row(values: Iterable[Any]) -> str:
    first, *rest = values
    return f'<th scope="row">{escape(cell(first))}</th>' + "".join(f"<td>{escape(cell(value))}</td>" for value in rest)


def cell(value: Any) -> str:
    """Return a value as short text: long arrays as shape and range, long sequences as their length.

    Examples
    --------
    >>> cell(2e-53), cell(np.arange(3)), cell(np.zeros((9, 9))), cell(None)
    ('2 × 10⁻⁵³', '0, 1, 2', '9 × 9 numbers, 0 to 0', '–')
    """
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Mapping):
        return _several([f"{key}: {cell(entry)}" for key, entry in value.items()])
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return _several([cell(entry) for entry in value[: FEW + 1]], len(value))
    text = _single(value)
    return text if len(text) <= LONG else f"{text[:LONG]} …"


def _single(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        return printed(float(value))
    return value if isinstance(value, str) else repr(value)


def _array(value: Any) -> str:
    if value.size <= FEW:
        return ", ".join(cell(entry) for entry in value.ravel().tolist()) or "none"
    shape = " × ".join(map(str, value.shape))
    if value.dtype.kind == "b":
        return f"{shape} truth values, {np.count_nonzero(value)} of them true"
    if value.dtype.kind not in "iuf":
        return f"{shape} entries"
    known = np.ma.compressed(value)
    known = known[~np.isnan(known)] if value.dtype.kind == "f" else known
    ends = f", {printed(float(known.min()))} to {printed(float(known.max()))}" if known.size else ""
    return f"{shape} numbers{ends}"


def _several(texts: list[str], count: int | None = None) -> str:
    number = len(texts) if count is None else count
    text = ", ".join(texts)
    return f"{number} entries" if number > FEW or len(text) > 2 * LONG else text or "none"
