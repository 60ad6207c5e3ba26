"""Results as rows of plain numbers and texts, whatever room they come from."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from enum import Enum
from numbers import Integral, Real
from typing import Any

import numpy as np

from statnn._arguments import nearest
from statnn._sweep import Sweep

Row = dict[str, Any]
_NUMBERS = Real, Decimal, np.bool_


def table(results: Any, *, by: str | None = None) -> list[Row]:
    """Return results as rows: mappings from names of columns to plain numbers, texts and None.

    Parameters
    ----------
    results : object, or iterable or mapping of objects
        Results of this package. For a mapping, the first column, "name", holds the keys; a "name" of the results
        themselves becomes "result.name". A `Sweep` counts as one result per point: ``result.mean`` beside its
        arguments, or ``failure``.
    by : str, optional
        None for one row per result: every number, text and truth value among its fields and properties is a column,
        those of inner objects under a name with dots: ``goodness.p_value``. A result that consists of several things
        has a row for each: a comparison of laws one per law, a run one per observable. A result of nothing but arrays,
        all of one shape, has a row for each of their entries: a rarefaction one per subsample. Otherwise the name of a
        field or property that is an array: a row for each of its entries, with its indices in columns ``index.0``,
        ``index.1``, ..., and the values on its axes where the result has them; columns are all arrays of the same
        shape, and the numbers and texts of the result. A failure is one row. Warnings about a result stand in each of
        its rows, as text. Results in a tuple are a table of their own: ``table(placement.layers)``.

    Returns
    -------
    list of dict
        For ``pandas.DataFrame(rows)``, ``json.dumps(rows)`` or ``csv.DictWriter(file, rows[0]).writerows(rows)``.
        Masked entries are None. Complex numbers are in two columns, ``eigenvalues.real`` and ``eigenvalues.imag``.

    Raises
    ------
    ValueError
        If `by` names no array of a result, or is None for one that has no single numbers; the message lists the
        arrays that there are. If two columns would have one name, as ``{"a.b": 1, "a": {"b": 2}}``.

    See Also
    --------
    save : results with every digit.
    statnn.sweep : results of many points.

    Examples
    --------
    >>> from statnn.activation import PolyaUrn
    >>> paths = PolyaUrn(40, 0.3, 5.0).simulate([1, 10], replicas=1, rng=1)
    >>> table(paths.process)
    [{'neurons': 40, 'b': 0.3, 'c': 5.0, 'start': None}]
    >>> rows = [(row["checkpoints"], row["working"]) for row in table(paths, by="working")]
    >>> rows == [*zip([1, 10], paths.working[0])]
    True
    """
    rows: list[Row] = []
    whole = by is not None
    for head, result in _named(results, whole=whole):
        cells: Row = {}
        for name, value in _cells(result, "", whole=whole):
            column = f"result.{name}" if name in head else name
            if column in cells:
                raise ValueError(f"{column!r} is the name of two columns: what a mapping holds needs another one")
            cells[column] = value
        doubts = {name: str(value) for name, value in cells.items() if isinstance(value, Exception)}
        scalars = {name: _plain(cells[name]) for name in cells if name not in doubts and np.ndim(cells[name]) == 0}
        arrays = {name: value for name, value in cells.items() if np.ndim(value)}
        if isinstance(result, _Point) and not whole:  # its arguments are not results
            own_scalars, own_arrays = ({k: v for k, v in part.items() if _of_result(k)} for part in (scalars, arrays))
            chosen = (
                _chosen(None, own_scalars, own_arrays, type(result["result"]).__name__)
                if any(map(np.size, own_arrays.values()))
                else None
            )
        else:
            chosen = _chosen(by, scalars, arrays, type(result).__name__)
        if chosen is None:
            rows.append(head | scalars | doubts)
            continue
        beside = scalars | doubts
        shape = np.shape(arrays[chosen])
        columns = {name: value for name, value in arrays.items() if np.shape(value) == shape}
        axes = _axes(result, by or chosen, len(shape))
        for index in np.ndindex(*shape):
            place = {f"index.{axis}": k for axis, k in enumerate(index)}
            place |= {name: _plain(arrays[name][index[axis]]) for axis, name in axes.items()}
            rows.append(head | place | {name: _plain(value[index]) for name, value in columns.items()} | beside)
    return rows


class _Point(dict[str, Any]):
    """A point of a sweep: its arguments and "result" or "failure"."""


def _of_result(name: str) -> bool:
    return name.partition(".")[0] == "result"


def _chosen(by: str | None, scalars: Row, arrays: Row, kind: str) -> str | None:
    """Return the array whose entries are rows; None where the result is one row."""
    there = ", ".join(arrays) or "none"
    if by is not None:
        chosen = next((name for name in (by, f"{by}.real") if name in arrays), None)
        if chosen is None and "failure" not in scalars:
            raise ValueError(f"by = {by!r} is not an array of the result; choose from {there}")
        return chosen
    if any(value is not None for value in scalars.values()):
        return None
    if len({np.shape(value) for value in arrays.values()}) == 1:
        return next(iter(arrays))
    if not scalars or arrays:
        advice = f"choose one of its arrays with by=: {there}" if arrays else "pass parts of it, or save it"
        raise ValueError(f"{kind} has no single numbers for a row; {advice}")
    return None


def _axes(result: Any, name: str, dimensions: int) -> dict[int, str]:
    """Return, by axis of an array, the field that holds the values along it, from `_axes` of the object's class."""
    *path, _ = name.split(".")
    for part in path:
        result = (_fields(result) or {}).get(part)
    names = _of_ours(result, "_axes") or ()
    return {k: ".".join([*path, axis]) for k, axis in enumerate(names) if axis and len(names) == dimensions}


def _named(results: Any, *, whole: bool) -> Iterator[tuple[Row, Any]]:
    """Yield the first cells of a row and a result: each point of a sweep, each row of others unless `whole`."""
    if isinstance(results, Mapping):
        named: Iterable[tuple[Row, Any]] = (({"name": str(name)}, result) for name, result in results.items())
    elif _fields(results) is None and isinstance(results, Iterable) and not isinstance(results, str | np.ndarray):
        named = (({}, result) for result in results)
    else:
        named = [({}, results)]
    for head, result in named:
        several = map(_Point, result.rows()) if isinstance(result, Sweep) else None if whole else _several(result)
        yield from ((head, each) for each in ([result] if several is None else several))


def _of_ours(value: Any, name: str) -> Any:
    """Return an attribute that a class of this package has for tables; None of others, where it may mean anything."""
    return getattr(value, name, None) if str(type(value).__module__).startswith("statnn.") else None


def _several(result: Any) -> list[Any] | None:
    """Return the rows of what consists of several things, as its class says in `_rows`."""
    rows = _of_ours(result, "_rows")
    return None if rows is None else list(rows())


def _fields(value: Any) -> Mapping[str, Any] | None:
    """Return the fields and properties of an object by name, None if it has no parts."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        shown = [field.name for field in dataclasses.fields(value)] + _properties(type(value))
        return {name: _said(value, name) for name in shown if not name.startswith("_")}
    if hasattr(value, "_asdict"):
        return dict(value._asdict())
    return value if isinstance(value, Mapping) else None


def _inside(value: Any, *, whole: bool) -> Mapping[str, Any] | None:
    """Return the entries of an object inside another: those of `_within`, its rows by their number, or all its fields.

    If `whole`, its fields are added to the others.
    """
    within, several = _of_ours(value, "_within"), _several(value)
    if within is None and several is None:
        return _fields(value)
    rows = dict(within()) if within is not None else {str(k): row for k, row in enumerate(several or ())}
    return {**(_fields(value) or {}), **rows} if whole else rows


def _said(value: Any, name: str) -> Any:
    """Return a field or property; None if it raises, since the object may be anyone's."""
    try:
        return getattr(value, name)
    except Exception:  # noqa: BLE001 - whatever a property raises
        return None


def _properties(kind: type) -> list[str]:
    """Return the names of properties, those of bases first."""
    return [name for base in kind.__mro__[::-1] for name, what in vars(base).items() if isinstance(what, property)]


def _cells(value: Any, name: str, *, whole: bool) -> Iterator[tuple[str, Any]]:
    """Yield numbers, texts, warnings and arrays by name; functions, models and lists of others have no cell."""
    if isinstance(value, tuple | list) and value and all(isinstance(entry, _NUMBERS) for entry in value):
        value = np.asarray([_number(entry) for entry in value])
    parts = _inside(value, whole=whole) if name else _fields(value)
    if parts is not None:
        for part, inner in parts.items():
            yield from _cells(inner, f"{name}.{part}" if name else str(part), whole=whole)
    elif isinstance(value, complex | np.ndarray | np.generic) and np.iscomplexobj(value):
        yield from ((f"{name or 'value'}.{part}", getattr(value, part)) for part in ("real", "imag"))
    elif isinstance(value, Enum):
        yield name or "value", value.value
    elif isinstance(value, np.ndarray | np.generic):
        if value.dtype.kind in "biufUS":
            yield name or "value", value[()] if isinstance(value, np.ndarray) and not value.ndim else value
    elif isinstance(value, _NUMBERS):
        yield name or "value", _number(value)
    elif value is None or isinstance(value, str | Exception):
        yield name or "value", value


def _number(value: Any) -> Any:
    """Return numbers of other kinds, as fractions or those of mpmath and sympy, as Python's."""
    if isinstance(value, int | float | np.generic):
        return value
    return int(value) if isinstance(value, Integral) else nearest(value)


def _plain(value: Any) -> Any:
    """Return Python's own number or text."""
    if value is np.ma.masked:
        return None
    if isinstance(value, np.longdouble):  # item() does not make a number of Python of it
        return float(value)
    plain = value.item() if isinstance(value, np.generic | np.ndarray) else value
    return plain.decode(errors="replace") if isinstance(plain, bytes) else plain
