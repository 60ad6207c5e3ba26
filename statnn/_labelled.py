"""Names in labelled arrays, as of pandas, polars or xarray: numpy drops them, and takes entries by their places."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any


def labels_of(array: Any) -> list[tuple[Hashable, ...]]:
    """Return the names along each axis of an array of xarray, empty where there are none; no axes of anything else."""
    known = hasattr(type(array), "indexes")  # on the class, because a table, or a row of one, may have an entry "dims"
    return [tuple(array.indexes.get(axis, ())) for axis in array.dims] if known else []


def names_along(values: Any, axis: int) -> tuple[Hashable, ...]:
    """Return the names of the entries along an axis, empty where there are none.

    Examples
    --------
    >>> names_along([[1.0, 2.0]], 1)
    ()
    """
    axes = labels_of(values)
    if not axes and not hasattr(type(values), "__dask_graph__"):  # of dask, names would be computed
        index = getattr(values, "index", len)
        axes = [() if callable(index) else tuple(index)]  # that of a list is a method
        if hasattr(type(values), "columns"):
            # columns of pyarrow are data
            axes.append(tuple(values.column_names if hasattr(type(values), "column_names") else values.columns))
    return axes[axis] if -len(axes) <= axis < len(axes) else ()


def refuse_other_order(values: Any, name: str, other: Any, other_name: str, axes: tuple[int, int] = (0, 0)) -> None:
    """Raise if two labelled arrays have the same names, along an axis of each, in different places."""
    refuse_other_places(names_along(values, axes[0]), name, names_along(other, axes[1]), other_name)


def refuse_other_places(own: tuple[Hashable, ...], name: str, others: tuple[Hashable, ...], other_name: str) -> None:
    """Raise if two rows of names are the same names in different places."""
    if own != others and len(own) == len(others) and {*own} == {*others}:
        at = next(k for k, pair in enumerate(zip(own, others, strict=True)) if pair[0] != pair[1])
        raise ValueError(
            f"{name} and {other_name} have the same names in another order, at {at} {own[at]!r} and {others[at]!r}: "
            f"entries belong together by their places; bring both in one order, or pass {name}.to_numpy() if names "
            "mean nothing"
        )
