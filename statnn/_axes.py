"""Axes in, axes out: what every ``plot`` method needs of matplotlib, loaded when a picture is asked for."""

from typing import Any

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Cycle of Okabe and Ito, told apart with any colour vision, without their yellow, which is lost on white."""


def axes(ax: Any | None) -> Any:
    """Return ``ax``, or the axes of a new figure when it is None."""
    if ax is None:
        from matplotlib import pyplot as plt

        return plt.subplots(layout="constrained")[1]
    if not hasattr(ax, "plot"):
        raise TypeError(f"ax = {ax!r} is not a matplotlib axes: pass figure.add_subplot() or None")
    return ax
