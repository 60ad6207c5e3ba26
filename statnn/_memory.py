"""Refuse what cannot fit into memory before work starts."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")
_UNLIMITED = 2.0**60
"""A control group's limit of this many bytes or more is no limit."""
_ALWAYS_THERE = 2.0**14
"""So few bytes are not worth asking the system about, which takes 0.1 ms."""


def available() -> float:
    """Return the bytes available: the least of what the machine, control groups and the limits of this process leave.

    Free memory alone would be too little: the system gives its file cache back when memory is needed.
    """
    groups = control_groups(_read(Path("/proc/self/cgroup")), _GROUPS)
    return max(0.0, min(_of_machine(), *groups, *_of_process(), float("inf")))


def refuse_beyond_memory(needed: float, what: str, fix: str, *, of: tuple[int, str] | None = None) -> None:
    """Raise `MemoryError` if more bytes are needed than are available.

    `of` is a number that the bytes are proportional to, and its unit: the message says how many would fit.
    """
    if needed > _ALWAYS_THERE and needed > (there := available()):
        fits = "" if of is None else f" ({int(of[0] * there / needed)} of {of[0]} {of[1]} would fit)"
        raise MemoryError(f"{what} would need {needed / 1e9:.3g} GB, {there / 1e9:.3g} GB are available{fits}: {fix}")


def _of_machine() -> float:
    with suppress(AttributeError, ValueError, OSError):
        match = re.search(r"MemAvailable:\s+(\d+) kB", _read(Path("/proc/meminfo")))
        if match:
            return 1024.0 * int(match[1])
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return float("inf")


def _of_process() -> Iterator[float]:
    """Yield what RLIMIT_AS and RLIMIT_DATA leave."""
    with suppress(ImportError, OSError, ValueError, IndexError):
        import resource  # not on Windows

        pages = [int(number) for number in _read(Path("/proc/self/statm")).split()]
        for limit, used in ((resource.RLIMIT_AS, pages[0]), (resource.RLIMIT_DATA, pages[5])):
            most = resource.getrlimit(limit)[0]
            if most != resource.RLIM_INFINITY:
                yield float(most - used * resource.getpagesize())


def control_groups(table: str, root: Path) -> Iterator[float]:
    """Yield the bytes that the control groups of a process leave, groups above its own included.

    Parameters
    ----------
    table : str
        What ``/proc/self/cgroup`` says: ``0::/path`` for version 2, ``4:memory:/path`` for version 1.
    root : Path
        Where control groups are mounted. Inside a container the path may not be there: its own group is the root.
    """
    for limit, usage, stat, cached in _files(table, root):
        with suppress(ValueError):
            most = float(_read(limit))  # "max" is not a number: no limit
            if most < _UNLIMITED:
                match = re.search(rf"^{cached} (\d+)$", _read(stat), re.MULTILINE)
                # cached files are given back when memory is needed
                yield most - float(_read(usage)) + (float(match[1]) if match else 0.0)


@lru_cache(maxsize=8)  # a run asks before every block, and building the paths takes longer than reading the files
def _files(table: str, root: Path) -> tuple[tuple[Path, Path, Path, str], ...]:
    """Return for each control group the files of limit, usage and statistics, and what the last calls cached files."""
    files = []
    for line in table.splitlines():
        number, controllers, path = [*line.split(":", 2), "", ""][:3]
        if number == "0" and not controllers:
            names, mounts = ("memory.max", "memory.current", "inactive_file"), [root, root / "unified"]
        elif "memory" in controllers.split(","):
            names = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
            mounts = [root / "memory"]
        else:
            continue
        for mount in mounts:
            below = mount / path.lstrip("/")
            files += [
                (group / names[0], group / names[1], group / "memory.stat", names[2])
                for group in (below, *below.parents)
                if group.is_relative_to(mount)
            ]
    return tuple(files)


def _read(path: Path) -> str:
    """Return the text of a file, empty if it cannot be read."""
    try:
        return path.read_bytes().decode("ascii")
    except (OSError, UnicodeDecodeError):
        return ""
