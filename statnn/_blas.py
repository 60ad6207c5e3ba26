"""BLAS as repeatable and as fast as it can be: on one thread where digits or speed depend on it, buffers set up.

OpenBLAS cuts products among its threads, and the pieces may be summed by other instructions than the whole: on some
processors two threads give other roundings than one. Work that is repeatable bit for bit holds every BLAS of the
process to one thread; more cores are used by an executor. The limit belongs to the process, so that the first to enter
sets it and the last to leave takes it back.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

_lock = threading.Lock()
_inside = 0
_limits: Any = None
_FILLING = 512


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold BLAS to one thread inside the block, in all threads of the process.

    Examples
    --------
    >>> import numpy as np
    >>> with one_thread():
    ...     float(np.dot([1.0, 2.0], [3.0, 4.0]))
    11.0
    """
    global _inside, _limits  # noqa: PLW0603 - the limit is the process's
    import scipy.linalg.cython_blas  # noqa: F401 - the library that kernels call must be loaded to be limited
    from threadpoolctl import threadpool_limits

    with _lock:
        if _inside == 0:
            _limits = threadpool_limits(1, user_api="blas")
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _limits.restore_original_limits()


@cache
def warm(precision: str) -> None:
    """Multiply two large matrices of a precision, once a process, some milliseconds.

    Until OpenBLAS has had a product that fills its buffers, small products take up to 2.5 times as long on some
    processors.

    Examples
    --------
    >>> warm("float32")
    """
    one = np.ones((_FILLING, _FILLING), precision)
    np.matmul(one, one)
