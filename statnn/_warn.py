"""Warnings that name a line of the caller."""

from __future__ import annotations

import sys
import warnings

_INSIDE = frozenset({"statnn", "numpy", "scipy"})
"""Packages whose lines are not the caller's."""


def warn(message: str | Warning, category: type[Warning] = RuntimeWarning) -> None:
    """Warn at the nearest line outside of the package, however deep inside the problem is found."""
    level, frame = 1, sys._getframe()  # noqa: SLF001 - skip_file_prefixes came with Python 3.12
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _INSIDE:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
