"""More digits than floats have, in contexts of their own: all threads share the precision of the module mpmath."""

from __future__ import annotations

from threading import local
from typing import Any

_MOST = 16
"""Contexts that a thread keeps: making one takes as long as thousands of operations in it."""
_known = local()


def with_digits(digits: int) -> Any:
    """Return the functions and numbers of mpmath to this many digits, whatever other threads set.

    Examples
    --------
    >>> own = with_digits(30)
    >>> print(own.exp(1))
    2.71828182845904523536028747135
    """
    import mpmath

    contexts: Any = vars(_known)  # of this thread
    if digits not in contexts:
        if len(contexts) >= _MOST:
            contexts.clear()
        own = contexts[digits] = mpmath.MPContext()
        own.dps = digits
    return contexts[digits]
