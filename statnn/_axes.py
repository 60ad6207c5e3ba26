"""Axes in, axes out: what every ``plot`` method needs of matplotlib, loaded when a picture is asked for."""

import math
from functools import partial
from typing import Any

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Cycle of Okabe and Ito, told apart with any colour vision, without their yellow, which is lost on white."""
MARKERS = "os^Dv<>"
LINES = ("-", "--", ":", "-.")
"""Of the same series, for where there is no colour."""


def axes(ax: Any | None) -> Any:
    """Return ``ax``, or the axes of a new figure when it is None."""
    if ax is None:
        from matplotlib import pyplot as plt

        return plt.subplots(layout="constrained")[1]
    if not hasattr(ax, "plot"):
        raise TypeError(f"ax = {ax!r} is not a matplotlib axes: pass figure.add_subplot() or None")
    return ax


def ink() -> str:
    """Return the colour of text and of what is drawn like text: black in a light style, light in a dark one."""
    import matplotlib as mpl

    return str(mpl.rcParams["text.color"])


def stroke(number: int) -> str:
    """Return the stroke of the curve of a number: another one each time that the colours of the style begin again."""
    import matplotlib as mpl

    return ("-", "--", "-.", ":")[number // len(mpl.rcParams["axes.prop_cycle"]) % 4]


def logarithmic(ax: Any, *names: str) -> None:
    """Make axes, "x" or "y", logarithmic, with ticks that are read at a glance: 0.5, 1, 2, 5, ... or powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator

    for name in names:
        getattr(ax, f"set_{name}scale")("log")
        axis = getattr(ax, f"{name}axis")
        axis.set_major_locator(LogLocator(numticks=7))
        axis.set_minor_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=12))
        axis.set_major_formatter(FuncFormatter(partial(_power_of_ten, axis=axis)))
        axis.set_minor_formatter(FuncFormatter(partial(_within_a_decade, axis=axis)))


def _decades(axis: Any) -> float:
    low, high = sorted(axis.get_view_interval())
    return math.log10(high / low) if low > 0 else math.inf


def _power_of_ten(value: float, _position: int, axis: Any) -> str:
    """Return a decade as a plain number where the axis has few and they are short."""
    if 0.01 <= value <= 1000 and _decades(axis) < 4:
        return f"{value:g}"
    return f"$10^{{{round(math.log10(value))}}}$"


def _within_a_decade(value: float, _position: int, axis: Any) -> str:
    """Return 2 and 5 times a power of ten, where an axis is too short to be read by its decades alone."""
    decade = 10.0 ** math.floor(math.log10(value) + 1e-9)
    is_decade = abs(value / decade - 1) < 1e-6
    return "" if is_decade or _decades(axis) > 1.3 or not 0.001 <= value < 10_000 else f"{value:g}"
