"""Checks of arguments at the edge: each returns the value in its working type or raises an error that teaches.

A message names the value, what is allowed and the likely fix. Nothing is cast that changes a value.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

_FOREIGN = ("__dlpack__", "__cuda_array_interface__", "__array_namespace__")
"""Attributes by which arrays of other libraries are recognised."""
LARGEST_COUNT = 9 * 10**18
"""Counts are kept in 64-bit integers."""


def is_number(value: Any, kind: type = numbers.Real) -> bool:
    """Return whether a value is a number of a kind: no boolean, and no duration, which numpy counts as whole."""
    return isinstance(value, kind) and not isinstance(value, bool | np.timedelta64)


def whole(value: Any, name: str, *, minimum: int, maximum: int = LARGEST_COUNT) -> int:
    """Return ``value`` as int, or raise if it is not an integer in ``[minimum, maximum]``.

    Examples
    --------
    >>> whole(1e6, "neurons", minimum=1)
    Traceback (most recent call last):
    TypeError: neurons = 1000000.0 is a float; a whole number of type int is needed: write 10**6, not 1e6
    """
    if not is_number(value, numbers.Integral):
        fix = ": write 10**6, not 1e6" if isinstance(value, float | np.floating) else ""
        several = isinstance(value, list | tuple | range) and len(value) > 1
        if several or (isinstance(value, np.ndarray) and value.size > 1):
            fix = ": call once for each of them"
        raise TypeError(f"{name} = {value!r} is a {type(value).__name__}; a whole number of type int is needed{fix}")
    if not minimum <= int(value) <= maximum:
        most = maximum if maximum < 10**50 else f"{maximum:.3g}"
        raise ValueError(f"{name} = {value} is outside the allowed range [{minimum}, {most}]")
    return int(value)


def array_of(values: Any, name: str) -> NDArray[Any]:
    """Return ``values`` as an array, or raise if rows differ in length, entries are masked or values have a unit.

    numpy passes on the value underneath a masked entry as if it were valid. A masked array in which nothing is masked
    equals a plain one and is accepted. numpy also drops units: meV would be taken for eV.
    Numbers of up to 16 bits of a type of ml_dtypes, such as bfloat16, become float32 or int8, exactly.
    """
    if type(values) is np.ndarray:  # the usual case: no mask, nothing to convert
        return _known_to_numpy(values)
    unit = _unit(values)
    if unit:
        raise TypeError(
            f"{name} has the unit {unit}, and numbers here have none: divide what belongs together by one unit, and "
            "pass plain numbers, as the .magnitude, .value or .m of a quantity without dimension"
        )
    values = _computed(values)
    hidden = _is_masked(values)
    try:
        given = np.asarray([]) if hidden else np.asanyarray(values)  # __array__ may return a masked array
    except ValueError as error:
        fix = f"give rows of one length or, if one row is meant, as of the fields of layers, numpy.concatenate({name})"
        raise ValueError(f"{name} is not an array, its rows differ in length: {fix} ({error})") from None
    except (TypeError, RuntimeError) as error:  # tensors that require gradients, or of a type numpy does not know
        short = f"; pass {name}.float()" if "ScalarType" in str(error) else ""  # torch's bfloat16
        raise TypeError(f"{name} is a {type(values).__name__} that does not become an array: {error}{short}") from None
    if hidden or _is_masked(given):
        raise ValueError(
            f"{name} has masked entries, which would be taken for numbers: drop them, with .compressed() or by rows, "
            "or put values in their place, with .filled(value)"
        )
    if given.dtype == object and hasattr(values, "toarray"):
        raise TypeError(f"{name} is a sparse {type(values).__name__}: pass {name}.toarray()")
    if given.dtype == object and any(hasattr(type(values), mark) for mark in _FOREIGN):
        raise TypeError(
            f"{name} is a {type(values).__name__}, an array that numpy cannot read by itself: pass "
            f"numpy.from_dlpack({name}), or what brings it to this processor's memory, .get() or .numpy()"
        )
    if given.dtype == object and given.ndim == 0 and isinstance(values, Iterable):
        raise TypeError(
            f"{name} is a {type(values).__name__}, whose entries numpy does not take one by one: pass a list of them"
        )
    return _known_to_numpy(np.asarray(given))


def _known_to_numpy(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.isbuiltin != 2 or array.dtype.itemsize > 2:  # 2: a type that another package registered
        return array
    return array.astype(np.int8 if "int" in array.dtype.name else np.float32)


def _computed(values: Any) -> Any:
    """Compute arrays of dask, also in nested lists: numpy does not see the masks in their chunks."""
    if hasattr(type(values), "__dask_graph__"):
        return values.compute()
    return [_computed(entry) for entry in values] if _holds_arrays(values) else values


def _holds_arrays(values: Any) -> bool:
    """Return whether `values` is a list or tuple that holds lists or arrays; each type of entry is checked once."""
    return isinstance(values, list | tuple) and any(
        issubclass(kind, list | tuple | np.ndarray) or hasattr(kind, "__dask_graph__") for kind in {*map(type, values)}
    )


def _is_masked(values: Any) -> bool:
    """Return whether any entry is masked, in an array or in nested lists of arrays."""
    if isinstance(values, list | tuple):
        return _holds_arrays(values) and any(map(_is_masked, values))
    structured = isinstance(values, np.ma.MaskedArray) and values.dtype.names is not None  # not numbers: refused later
    return not structured and bool(np.ma.is_masked(values))


def _unit(values: Any) -> str:
    """Return the unit of a quantity of astropy, brian2, pint, quantities or unyt, or of a list of them, or nothing."""
    first = values
    while isinstance(first, list | tuple) and first:
        first = first[0]
    # looked up on the class, because a table may have a column of that name
    if hasattr(type(first), "is_dimensionless"):  # brian2, whose numbers are in base units
        return "" if first.is_dimensionless else str(first.dimensions)
    unit = next((getattr(first, key) for key in ("unit", "units") if hasattr(type(first), key)), "")
    return str(unit) if unit is not None and "dimensionless" not in str(unit) else ""  # None for columns of tables


def refuse_unordered(values: Any, name: str) -> None:
    """Raise `TypeError` for a set: the order of its members differs between processes."""
    if isinstance(values, set | frozenset):
        raise TypeError(f"{name} = {values!r} is a set, which has no order: pass a list")


def positive(value: Any, name: str, *, why: str) -> float:
    """Return ``value`` as float, or raise if it is not a finite number above zero."""
    if not is_number(value):
        raise TypeError(f"{name} = {value!r} is a {type(value).__name__}; one real number is needed: {why}")
    number = nearest(value)
    if not (math.isfinite(number) and number > 0):
        raise ValueError(f"{name} = {value!r} must be a finite number above 0: {why}")
    return number


def share(value: Any, name: str, *, why: str) -> float:
    """Return ``value`` as float, or raise if it is not a number between 0 and 1."""
    if not is_number(value):
        raise TypeError(f"{name} = {value!r} is a {type(value).__name__}; one number between 0 and 1 is needed: {why}")
    number = nearest(value)
    if not 0 < number < 1:
        raise ValueError(f"{name} = {value!r} must lie between 0 and 1: {why}")
    return number


def nearest(value: Any) -> float:
    """Return the nearest float, which is infinite for integers beyond the range of floats."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def switch(value: Any, name: str) -> bool:
    """Return ``value`` as bool, or raise: nearly any object, such as the text "no", would count as true."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} = {value!r} must be True or False")
    return bool(value)


def _whole_objects(array: NDArray[Any]) -> bool:
    """Return whether an array holds Python's integers, some of them beyond 64 bits."""
    return array.dtype == object and all(type(value) is int for value in array.flat)


def as_floats(array: NDArray[Any], name: str) -> str:
    """Return advice how to make floats of booleans, or of objects that are real numbers, as fractions; else nothing."""
    real = numbers.Real, Decimal
    objects = array.dtype == object and all(isinstance(value, real) for value in array.flat)
    return f" (pass numpy.asarray({name}, dtype=float))" if objects or (array.dtype == bool and array.ndim) else ""


def at_least(values: ArrayLike, name: str, *, minimum: float, why: str) -> NDArray[np.float64]:
    """Return ``values`` as float64 array, or raise if any entry is not finite or below ``minimum``."""
    array = array_of(values, name)
    if _whole_objects(array):
        array = np.reshape([nearest(value) for value in array.flat], array.shape)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must hold real numbers, not {array.dtype}{as_floats(array, name)}: {why}")
    with np.errstate(over="ignore"):  # long doubles beyond the range of floats become infinite, which is refused
        result = array.astype(float)
    bad = ~(np.isfinite(result) & (result >= minimum))
    if bad.any():
        bound = f" >= {minimum:g}" if math.isfinite(minimum) else ""
        raise ValueError(f"{name} = {array[bad].flat[0]} is not a finite number{bound}: {why}")
    return result


def refuse_several(value: Any, name: str, *, fix: str) -> None:
    """Raise `TypeError` for an array where one number is needed; ``fix`` says how to use several."""
    if array_of(value, name).ndim:
        raise TypeError(f"{name} = {value!r} is not one number: {fix}")


def single(value: Any, name: str, *, minimum: float, why: str, fix: str) -> float:
    """Return ``value`` as float, or raise if it is an array, not finite or below ``minimum``."""
    refuse_several(value, name, fix=fix)
    return float(at_least(value, name, minimum=minimum, why=why))


def deviation_of(value: Any, name: str, *, fix: str) -> float:
    """Return a standard deviation as float, or raise as `single` does."""
    return single(value, name, minimum=0, why="it is a standard deviation", fix=fix)


def exact(values: ArrayLike, name: str, *, why: str) -> NDArray[np.float64]:
    """Return ``values`` as float64 array as `at_least` does, or raise if whole numbers were rounded on the way."""
    given = array_of(values, name)
    result = at_least(given, name, minimum=-math.inf, why=why)
    refuse_rounded(given, result, name)
    return result


def refuse_rounded(given: NDArray[Any], floats: NDArray[Any], name: str) -> None:
    """Raise if ``floats`` are not exactly the whole numbers given: rounding changes their differences, which matter."""
    if given.dtype.kind not in "iuO" or given.size == 0 or np.abs(floats).max() < 2.0**53:  # 2^53 + 1 rounds to 2^53
        return
    rounded = np.array([int(a) != int(b) for a, b in zip(given.flat, floats.flat, strict=True)])
    if rounded.any():
        raise ValueError(
            f"{name} = {given.flat[int(np.argmax(rounded))]} is a whole number beyond 2^53, which floats round to a "
            "neighbour: subtract an offset first, such as the smallest of them"
        )


def real_numbers(values: ArrayLike, name: str) -> NDArray[Any]:
    """Return ``values`` as array of their own type, or raise if any of them is masked, not a real number, or NaN."""
    array = array_of(values, name)
    if _whole_objects(array):
        array = np.reshape([nearest(value) for value in array.flat], array.shape)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be a real number or an array of them, not {array.dtype}")
    if np.isnan(array).any():
        raise ValueError(f"{name} is NaN: pass numbers only, as values[~numpy.isnan(values)]")
    return array


def whole_array(
    values: ArrayLike,
    name: str,
    *,
    shape: tuple[int, ...] | None = None,
    maximum: int = LARGEST_COUNT,
    matrix: str = "",
) -> NDArray[np.int64]:
    """Return ``values`` as int64 vector of whole numbers in ``[0, maximum]``, or raise; ``matrix``: advice on a matrix.

    Raises
    ------
    TypeError
        If the entries are not of an integer type.
    ValueError
        If the array is not one-dimensional, is empty, has another shape than ``shape``, or has an entry
        outside the range.
    """
    array = array_of(values, name)
    if array.size == 0:
        raise ValueError(f"{name} is empty: give at least one number")
    if array.ndim == 2 and matrix:
        raise ValueError(f"{name} has shape {array.shape}, and one dimension is needed: {matrix}")
    if array.dtype.kind not in "iu" and not _whole_objects(array):
        raise TypeError(
            f"{name} must hold whole numbers of an integer type, not {array.dtype}: "
            "convert with .astype(int) once you are sure that nothing is lost"
        )
    if array.ndim != 1 or array.size == 0 or (shape is not None and array.shape != shape):
        wanted = "one non-empty row of numbers" if shape is None else f"shape {shape}"
        raise ValueError(f"{name} has shape {array.shape}; {wanted} is needed")
    bad = (array < 0) | (array > maximum)
    if bad.any():
        where = int(np.argmax(bad))
        raise ValueError(f"{name}[{where}] = {array[where]} is outside the allowed range [0, {maximum}]")
    return array.astype(np.int64)


def increasing(values: ArrayLike, name: str, *, minimum: int = 0) -> NDArray[np.int64]:
    """Return ``values`` as strictly increasing int64 vector that starts at ``minimum`` or later, or raise."""
    array = whole_array(values, name)
    if array[0] < minimum:
        raise ValueError(f"{name}[0] = {array[0]} lies before the start at {minimum}; begin there or later")
    steps = np.diff(array)
    if (steps <= 0).any():
        where = int(np.argmax(steps <= 0))
        raise ValueError(
            f"{name} must increase strictly, but {array[where + 1]} follows {array[where]}: pass numpy.unique({name})"
        )
    return array


def shaped(result: NDArray[Any], like: ArrayLike) -> Any:
    """Return a Python scalar if ``like`` was a scalar, the array otherwise."""
    return result.item() if np.ndim(like) == 0 else result
