"""Repeatable, fast BLAS: one thread where digits or speed depend on the number of threads, and buffers filled early.

OpenBLAS splits a product among its threads, and may sum the pieces with other instructions than the whole: on some
processors two threads round differently from one. Work that must be repeatable bit for bit holds every BLAS of the
process to one thread; an executor uses further cores. Some libraries keep one limit for the whole process (OpenBLAS
with threads of its own), others one per thread (MKL, OpenBLAS on OpenMP). So every thread that enters sets the limit; a
per-thread limit is restored when that thread leaves, the limit of the process when the last thread does.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from itertools import product
from typing import Any

import numpy as np

_lock = threading.Lock()
_inside = 0
_of_process: dict[str, int] = {}
"""Thread limit of each library before the first thread entered `one_thread`."""
_FILLING = 512


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold BLAS to one thread inside the block, whichever thread enters it and however many others are inside.

    Examples
    --------
    >>> import numpy as np
    >>> with one_thread():
    ...     float(np.dot([1.0, 2.0], [3.0, 4.0]))
    11.0
    """
    global _inside  # noqa: PLW0603 - the limit is the process's
    with _lock:
        libraries = _libraries()
        before = [library.num_threads for library in libraries]
        if _inside == 0:
            _of_process.clear()
        for library, threads in zip(libraries, before, strict=True):
            _of_process.setdefault(library.filepath, threads)
            _limit(library, 1)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            for library, threads in zip(libraries, before, strict=True):
                if not _is_shared(library):
                    _limit(library, threads)
                elif _inside == 0:
                    _limit(library, _of_process[library.filepath])


def _libraries() -> list[Any]:
    """Return handles that read and set the thread limit of every BLAS in the process; a library may appear twice."""
    return _loaded(len(sys.modules))


@lru_cache(maxsize=1)
def _loaded(modules: int) -> list[Any]:
    """Search the process, which takes milliseconds; repeated only after an import, since only imports load a BLAS."""
    del modules
    from threadpoolctl import ThreadpoolController

    return [*_linked(), *ThreadpoolController().select(user_api="blas").lib_controllers]


class _Wheel:
    """OpenBLAS as bundled in wheels, whose function names threadpoolctl knows only from version 3.5 on."""

    internal_api = "openblas"

    def __init__(self, filepath: str, get: Any, put: Any) -> None:
        self.filepath, self._get, self.set_num_threads = filepath, get, put

    @property
    def num_threads(self) -> int:
        return int(self._get())


@cache
def _linked() -> tuple[_Wheel, ...]:
    """Return the OpenBLAS of the numpy wheel and that of the scipy wheel, which the kernels call too."""
    from numpy.linalg import _umath_linalg
    from scipy.linalg import cython_blas

    wheels = []
    for module, suffix in product((_umath_linalg, cython_blas), ("", "64_")):
        library = ctypes.CDLL(module.__file__)
        functions = [getattr(library, f"scipy_openblas_{verb}_num_threads{suffix}", None) for verb in ("get", "set")]
        if None not in functions:
            wheels.append(_Wheel(f"{module.__file__}{suffix}", *functions))
    return tuple(wheels)


def _is_shared(library: Any) -> bool:
    """Whether a limit holds for the whole process; MKL and OpenMP keep one per thread."""
    return library.internal_api != "mkl" and getattr(library, "threading_layer", None) != "openmp"


def _limit(library: Any, threads: int) -> None:
    """Set the thread limit; threadpoolctl 3.8 lets only one thread do so until that thread is released."""
    release = getattr(library, "clear_controlling_thread", None)
    if release:
        release(force=True)
    library.set_num_threads(threads)
    if release:
        release(force=True)


@cache
def warm(precision: str) -> None:
    """Multiply two large matrices of a precision once per process, which takes some milliseconds.

    Until OpenBLAS has had a product that fills its buffers, small products take up to 2.5 times as long on some
    processors.

    Examples
    --------
    >>> warm("float32")
    """
    filled = np.ones((_FILLING, _FILLING), precision)
    np.matmul(filled, filled)
