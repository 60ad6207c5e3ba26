"""Refuse what cannot fit into memory before work starts."""

import os
import re
from pathlib import Path


def available() -> float:
    """Return the bytes that can be had without swapping, all of the machine's where the system does not tell more.

    Free memory alone would be too little: what the system holds to cache files is given back when it is needed.
    """
    try:
        found = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(encoding="ascii"))
        if found:
            return 1024.0 * int(found[1])
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return float("inf")


def refuse_beyond_memory(needed: float, what: str, fix: str) -> None:
    """Raise `MemoryError` if more bytes are needed than are available."""
    there = available()
    if needed > there:
        raise MemoryError(f"{what} would need {needed / 1e9:.3g} GB, {there / 1e9:.3g} GB are available: {fix}")
