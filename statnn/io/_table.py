"""Results as rows of plain numbers and texts, whatever room they come from."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any

import numpy as np

from statnn._sweep import Sweep

Row = dict[str, Any]


def table(results: Any, *, by: str | None = None) -> list[Row]:
    """Return results as rows: mappings from names of columns to plain numbers, texts and None.

    Parameters
    ----------
    results : object, or iterable or mapping of objects
        Results of this package. Of a mapping, the first column, "name", holds the keys; what results call "name"
        themselves is "result.name" then. A `Sweep` is a result for each of its points: ``result.mean`` beside its
        arguments, or ``failure``.
    by : str, optional
        None for one row per result, in which every number, text and truth value is a column, those of inner objects
        under a name with dots: ``goodness.p_value``. Else the name of such a field that is an array: a row for each of
        its entries, with its indices in columns ``index.0``, ``index.1``, ...; columns are all arrays of the same
        shape, and the numbers and texts of the result. A failure is one row.

    Returns
    -------
    list of dict
        For ``pandas.DataFrame(rows)``, ``json.dumps(rows)`` or ``csv.DictWriter(file, rows[0]).writerows(rows)``.
        Masked entries are None. Complex numbers are in two columns, ``eigenvalues.real`` and ``eigenvalues.imag``.

    Raises
    ------
    ValueError
        If `by` names no array of a result; the arrays that there are are listed.

    See Also
    --------
    save : with every digit.
    statnn.sweep : results of many points.

    Examples
    --------
    >>> from statnn.activation import PolyaUrn
    >>> paths = PolyaUrn(40, 0.3, 5.0).simulate([1, 10], replicas=1, rng=1)
    >>> table(paths.process)
    [{'neurons': 40, 'b': 0.3, 'c': 5.0, 'start': None}]
    >>> rows = [(row["index.1"], row["working"]) for row in table(paths, by="working")]
    >>> rows == [*enumerate(paths.working[0])]
    True
    """
    rows: list[Row] = []
    for head, result in _named(results):
        cells = {f"result.{name}" if name in head else name: value for name, value in _cells(result, "")}
        scalars = {name: _plain(value) for name, value in cells.items() if np.ndim(value) == 0}
        arrays = {name: value for name, value in cells.items() if np.ndim(value)}
        chosen = next((arrays[name] for name in (by, f"{by}.real") if name in arrays), None)
        if by is None or (chosen is None and "failure" in scalars):
            rows.append(head | scalars)
            continue
        if chosen is None:
            raise ValueError(f"by = {by!r} is not an array of the result; there are {', '.join(arrays) or 'none'}")
        shape = np.shape(chosen)
        columns = {name: value for name, value in arrays.items() if np.shape(value) == shape}
        for index in np.ndindex(*shape):
            place = {f"index.{axis}": k for axis, k in enumerate(index)}
            rows.append(head | place | {name: _plain(value[index]) for name, value in columns.items()} | scalars)
    return rows


def _named(results: Any) -> Iterator[tuple[Row, Any]]:
    """Yield the first cells of a row, and the result, of a sweep that of each point."""
    if isinstance(results, Mapping):
        named: Iterable[tuple[Row, Any]] = (({"name": str(name)}, result) for name, result in results.items())
    elif _fields(results) is None and isinstance(results, Iterable) and not isinstance(results, str | np.ndarray):
        named = (({}, result) for result in results)
    else:
        named = [({}, results)]
    for head, result in named:
        yield from ((head, each) for each in (result.rows() if isinstance(result, Sweep) else [result]))


def _fields(value: Any) -> Mapping[str, Any] | None:
    """Return what an object consists of by name, None where it is no object of parts."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        shown = [field.name for field in dataclasses.fields(value) if not field.name.startswith("_")]
        return {name: getattr(value, name) for name in shown}
    if hasattr(value, "_asdict"):
        return dict(value._asdict())
    return value if isinstance(value, Mapping) else None


def _cells(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield numbers, texts and arrays of numbers or texts by name; functions, models and lists have no cell."""
    parts = _fields(value)
    if parts is not None:
        for part, inner in parts.items():
            yield from _cells(inner, f"{name}.{part}" if name else str(part))
    elif isinstance(value, complex | np.ndarray | np.generic) and np.iscomplexobj(value):
        yield from ((f"{name or 'value'}.{part}", getattr(value, part)) for part in ("real", "imag"))
    elif isinstance(value, Enum):
        yield name or "value", value.value
    elif isinstance(value, np.ndarray | np.generic):
        if value.dtype.kind in "biufUS":
            yield name or "value", value[()] if isinstance(value, np.ndarray) and not value.ndim else value
    elif value is None or isinstance(value, bool | int | float | str):
        yield name or "value", value


def _plain(value: Any) -> Any:
    """Return Python's own number or text."""
    if value is np.ma.masked:
        return None
    if isinstance(value, np.longdouble):  # which numpy has no number of Python for
        return float(value)
    plain = value.item() if isinstance(value, np.generic | np.ndarray) else value
    return plain.decode(errors="replace") if isinstance(plain, bytes) else plain
