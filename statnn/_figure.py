"""Axes in, axes out: what every ``plot`` method needs of matplotlib, loaded when a picture is asked for."""

from typing import Any


def axes(ax: Any | None) -> Any:
    """Return ``ax``, or the axes of a new figure when it is None."""
    if ax is None:
        from matplotlib import pyplot as plt

        return plt.subplots(layout="constrained")[1]
    if not hasattr(ax, "plot"):
        raise TypeError(f"ax = {ax!r} is not a matplotlib axes: pass figure.add_subplot() or None")
    return ax
