"""Parameters as arrays: finite real numbers in one of two precisions, in memory that nobody can write to."""

from __future__ import annotations

import io
import math
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statnn._arguments import Floats, array_of, as_floats

_AT_ONCE = 2**14
"""Random numbers drawn at a time."""

Reals: TypeAlias = NDArray[Any]
Array = TypeVar("Array", bound=NDArray[Any])


def real(values: ArrayLike, name: str, ndim: int | None) -> Reals:
    """Return an array of finite floats: float32 stays, all other real types become float64."""
    array = array_of(values, name)
    if array.dtype.kind not in "biuf":
        table = array.dtype == object and hasattr(values, "to_numpy")
        gaps = ", as columns of pandas that may have gaps: pass .dropna().to_numpy(dtype=float)"
        fix = gaps if table else as_floats(array, name)
        raise TypeError(f"{name} must hold real numbers, not {array.dtype}{fix}")
    if ndim is not None and array.ndim != ndim:
        raise ValueError(f"{name} has shape {array.shape}; {'a matrix' if ndim == 2 else 'a vector'} is needed")
    if array.size == 0:
        raise ValueError(f"{name} has shape {array.shape} and no entries")
    with np.errstate(over="ignore"):  # long doubles beyond the range of floats become infinite, which is refused
        result = array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)
    finite = np.isfinite(result)
    if not finite.all():
        where = tuple(int(i[0]) for i in np.nonzero(~finite)) if array.ndim else ()
        place = list(where) if where else ""
        raise ValueError(f"{name}{place} = {array[where]} is not finite: every parameter and input must be")
    return result


def drawn(rng: np.random.Generator, shape: tuple[int, ...], scale: float, dtype: np.dtype[Any]) -> Reals:
    """Return normal numbers times `scale` in memory like that of `frozen`, written there piece by piece."""
    file, left = io.BytesIO(), math.prod(shape)
    while left:
        piece = rng.standard_normal(min(left, _AT_ONCE))
        left -= piece.size
        with np.errstate(over="ignore"):  # callers refuse infinite parameters
            piece *= scale
            file.write(piece.astype(dtype).data)
    return np.ndarray(shape, dtype, file.getvalue())


def refuse_malformed(matrix: Any, name: str) -> None:
    """Raise if the arrays of a sparse matrix were changed to point outside it: scipy would write there."""
    if matrix.format not in ("csr", "csc", "bsr", "coo"):
        return
    stored = len(matrix.data)
    if matrix.format == "coo":
        pointed = list(zip(matrix.coords, matrix.shape, strict=True))
    else:
        blocks = zip(matrix.shape, getattr(matrix, "blocksize", (1, 1)), strict=False)
        counts = [length // size for length, size in blocks]
        rows, columns = counts[::-1] if matrix.format == "csc" else (1, *counts)[-2:]
        begins = np.asarray(matrix.indptr, dtype=np.int64)
        if begins.shape != (rows + 1,) or begins[0] != 0 or (np.diff(begins) < 0).any() or begins[-1] > stored:
            raise ValueError(
                f"{name} are a broken sparse matrix: its indptr, {begins.size} numbers from {begins[:1]} to "
                f"{begins[-1:]}, must be {rows + 1}, rising from 0 to at most {stored}"
            )
        stored = int(begins[-1])  # the arrays may be longer than what is used
        pointed = [(matrix.indices[:stored], columns)]
    for places, count in pointed:
        if places.shape != (stored,) or (stored and not 0 <= places.min() <= places.max() < count):
            raise ValueError(
                f"{name} are a broken sparse matrix: its indices must be {stored} whole numbers in [0, {count})"
            )


def read_only(array: Array) -> Array:
    """Make an array read-only, and return it."""
    array.flags.writeable = False
    return array


def locked(values: ArrayLike) -> Floats:
    """Return a read-only copy in float64."""
    return read_only(np.array(values, dtype=np.float64))


def frozen(array: Reals, dtype: np.dtype[Any]) -> Reals:
    """Return the array in memory of a `bytes` object, which nobody can make writeable; copy it unless it is there."""
    owner: Any = array.base
    if isinstance(owner, bytes) and array.dtype == dtype and array.flags.c_contiguous:
        return array
    return np.ndarray(array.shape, dtype, array.astype(dtype, copy=False).tobytes())
