"""The one decorator of all kernels: compiled on first use, cached on disk, free of the interpreter lock.

A read-only installation without a writable home has nowhere to keep the cache; numba raises there at
import time, and the kernel is then compiled afresh in every process instead. A damaged cache is replaced.
With NUMBA_DISABLE_JIT=1 kernels are plain functions, for debuggers and coverage.
"""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from hashlib import sha256
from typing import Any, Literal, TypeVar, cast

import numba
import numpy as np
from numba.core.serialize import dumps

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile a private function of arrays, numbers and a generator; ``.py_func`` is its readable twin."""
    return _cached(function, "python")


def vector_kernel(function: Function) -> Function:
    """Compile a kernel whose divisions are not tested for zero, so that they use vector registers."""
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
    if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
        return _plain(function)
    try:
        compiled = numba.njit(cache=True, nogil=True, error_model=error_model)(function)
    except RuntimeError:
        compiled = numba.njit(nogil=True, error_model=error_model)(function)
    else:
        _mend(compiled)
    return cast("Function", compiled)


def _plain(function: Function) -> Function:
    """Return the function itself, as silent as a kernel when numbers leave their range."""

    @wraps(function)
    def silent(*args: Any, **kwargs: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)

    interpreted: Any = silent
    interpreted.py_func = silent
    return cast("Function", interpreted)


def _mend(compiled: Any) -> None:
    """Let a kernel work without its cache if the cache cannot be read or written, and log it."""
    cache = compiled._cache  # noqa: SLF001 - numba has no other way
    load, save, log = cache.load_overload, cache.save_overload, logging.getLogger("statnn")
    _seal(cache._impl)  # noqa: SLF001

    def load_or_compile(signature: Any, context: Any) -> Any:
        try:
            return load(signature, context)
        except Exception as error:  # noqa: BLE001 - a damaged pickle raises anything
            log.warning("the cache of kernel %s in %s is damaged and made anew: %r", compiled, cache.cache_path, error)
            with suppress(OSError):
                cache.flush()
            return None

    def save_or_not(signature: Any, data: Any) -> None:
        try:
            save(signature, data)
        except OSError as error:
            log.warning("kernel %s cannot be kept in %s: %s", compiled, cache.cache_path, error)

    cache.load_overload, cache.save_overload = load_or_compile, save_or_not


def _seal(kept: Any) -> None:
    """Keep a digest with machine code, which nothing else checks before it is run."""
    reduce, rebuild = kept.reduce, kept.rebuild

    def digest(code: bytes) -> bytes:
        return sha256(kept.filename_base.encode() + code).digest()

    def sealed(compiled: Any) -> tuple[bytes, bytes]:
        code = dumps(reduce(compiled))  # type: ignore[no-untyped-call]
        return digest(code), code

    def unsealed(context: Any, data: tuple[Any, ...]) -> Any:
        if len(data) != 2:  # cached before digests were stored
            return None
        expected, code = data
        if expected != digest(code):
            raise ValueError("its digest is another")
        return rebuild(context, pickle.loads(code))  # noqa: S301 - written by this package

    kept.reduce, kept.rebuild = sealed, unsealed
