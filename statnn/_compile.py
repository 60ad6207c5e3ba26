"""The one decorator of all kernels: compiled on first use, cached on disk, free of the interpreter lock.

A read-only installation without a writable home has nowhere to keep the cache; numba raises there at
import time, and the kernel is then compiled afresh in every process instead.
"""

from collections.abc import Callable
from typing import Any, Literal, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile a private function of arrays, numbers and a generator; ``.py_func`` is its readable twin."""
    return _cached(function, "python")


def vector_kernel(function: Function) -> Function:
    """Compile a kernel whose divisions go into vector registers: they are not tested for zero."""
    return _cached(function, "numpy")


def helper(function: Function) -> Function:
    """Compile a helper of kernels in the same file, so that no stale copy of it is cached elsewhere."""
    return cast("Function", numba.njit(nogil=True)(function))


def inlined(function: Function) -> Function:
    """Compile a helper as part of its kernel: arrays on the stack of the kernel stay in registers."""
    return cast("Function", numba.njit(nogil=True, inline="always")(function))


def vector_helper(function: Function) -> Function:
    """Compile a helper of a `vector_kernel`."""
    return cast("Function", numba.njit(nogil=True, error_model="numpy")(function))


def _cached(function: Function, error_model: Literal["python", "numpy"]) -> Function:
    try:
        compiled = numba.njit(cache=True, nogil=True, error_model=error_model)(function)
    except RuntimeError:
        compiled = numba.njit(nogil=True, error_model=error_model)(function)
    return cast("Function", compiled)
