"""More digits than floats have, each question to its own: the precision of mpmath is one for all threads."""

from __future__ import annotations

from typing import Any


def with_digits(digits: int) -> Any:
    """Return functions and numbers as those of the module mpmath, to so many digits, whatever other threads set.

    Examples
    --------
    >>> own = with_digits(30)
    >>> print(own.exp(1))
    2.71828182845904523536028747135
    """
    import mpmath

    own = mpmath.MPContext()
    own.dps = digits
    return own
