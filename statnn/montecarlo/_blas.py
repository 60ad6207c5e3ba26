"""BLAS as repeatable and as fast as it can be: on one thread where digits or speed depend on it, buffers set up.

OpenBLAS cuts products among its threads, and the pieces may be summed by other instructions than the whole: on some
processors two threads give other roundings than one. Work that is repeatable bit for bit holds every BLAS of the
process to one thread; more cores are used by an executor. Some libraries keep one limit for the process (OpenBLAS with
threads of its own), others one for every thread (MKL, OpenBLAS on OpenMP). So every thread that enters sets the limit;
its own is taken back when it leaves, that of the process when the last one does.
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
"""Threads of every library before the first thread entered."""
_FILLING = 512


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold BLAS to one thread inside the block, whichever thread enters it and whichever others are inside.

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
    """Return what counts and sets the threads of every BLAS in the process; a library may be among them twice."""
    return _loaded(len(sys.modules))


@lru_cache(maxsize=1)
def _loaded(modules: int) -> list[Any]:
    """Search the process, which takes milliseconds: only after an import, as that is how a BLAS is loaded."""
    del modules
    from threadpoolctl import ThreadpoolController

    return [*_linked(), *ThreadpoolController().select(user_api="blas").lib_controllers]


class _Wheel:
    """OpenBLAS as wheels carry it, under names that threadpoolctl knows from 3.5 on only."""

    internal_api = "openblas"

    def __init__(self, filepath: str, get: Any, put: Any) -> None:
        self.filepath, self._get, self.set_num_threads = filepath, get, put

    @property
    def num_threads(self) -> int:
        return int(self._get())


@cache
def _linked() -> tuple[_Wheel, ...]:
    """Return the wheels' OpenBLAS that numpy calls and the one that scipy, and kernels with it, do."""
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
    """Whether a limit holds for the whole process; MKL and OpenMP keep one for every thread."""
    return library.internal_api != "mkl" and getattr(library, "threading_layer", None) != "openmp"


def _limit(library: Any, threads: int) -> None:
    """Set the threads of a library; threadpoolctl 3.8 lets one thread alone do so until it is told otherwise."""
    release = getattr(library, "clear_controlling_thread", None)
    if release:
        release(force=True)
    library.set_num_threads(threads)
    if release:
        release(force=True)


@cache
def warm(precision: str) -> None:
    """Multiply two large matrices of a precision, once a process, some milliseconds.

    Until OpenBLAS has had a product that fills its buffers, small products take up to 2.5 times as long on some
    processors.

    Examples
    --------
    >>> warm("float32")
    """
    filled = np.ones((_FILLING, _FILLING), precision)
    np.matmul(filled, filled)
