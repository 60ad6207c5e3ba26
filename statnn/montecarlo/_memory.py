"""Refuse what cannot fit into memory before work starts."""

import os


def available() -> float:
    """Return the bytes of memory that are free, or infinity where the system does not tell."""
    try:
        return float(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return float("inf")


def refuse_beyond_memory(needed: float, what: str, fix: str) -> None:
    """Raise `MemoryError` if more bytes are needed than are free."""
    free = available()
    if needed > free:
        raise MemoryError(f"{what} would need {needed / 1e9:.3g} GB, {free / 1e9:.3g} GB are free: {fix}")
