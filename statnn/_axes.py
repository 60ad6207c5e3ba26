"""Axes in, axes out: the parts of matplotlib that every ``plot`` method needs, loaded when a picture is drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Colours of Okabe and Ito, distinguishable with any colour vision, without their yellow, which is lost on white."""
MARKERS = "os^Dv<>"
LINES = ("-", "--", ":", "-.")
"""Line styles in the same order, for figures without colour."""


def axes(ax: Any | None) -> Any:
    """Return ``ax``, or the axes of a new figure when it is None."""
    if ax is None:
        from matplotlib import pyplot as plt

        return plt.subplots(layout="constrained")[1]
    if not hasattr(ax, "plot"):
        raise TypeError(f"ax = {ax!r} is not a matplotlib axes: pass figure.add_subplot() or None")
    if getattr(ax, "name", "rectilinear") != "rectilinear":
        raise TypeError(f"ax is of the projection {ax.name!r}; pictures here have straight axes: figure.add_subplot()")
    if getattr(ax, "figure", ax) is None:
        raise ValueError("ax was removed from its figure, where nothing is drawn: pass figure.add_subplot() or None")
    return ax


def settled(ax: Any) -> Any:
    """Return the axes, to be drawn smaller where their labels would leave their place in the figure.

    A place in a grid of subplots includes the gaps at the left and below, up to the neighbouring axes; the gaps at the
    right and above belong to the neighbours. Outermost places reach the edge of the figure. A layout engine, if there
    is one, finds the places itself.
    """
    if ax.get_subplotspec() is not None:
        ax.set_axes_locator(_Inside(ax.get_subplotspec))
    return ax


@dataclass(frozen=True)
class _Inside:
    """Locator of axes in a grid: matplotlib calls it at every draw, and its tight layout asks it for the cell."""

    get_subplotspec: Any

    def __call__(self, ax: Any, renderer: Any) -> Any:
        from matplotlib.transforms import Bbox

        figure, spec, home = ax.figure, self.get_subplotspec(), ax.get_position(original=True)
        if figure.get_layout_engine() is not None or not np.allclose(home, spec.get_position(figure)):
            return home
        place, box = _place(spec, figure), home
        for _ in range(2):  # twice, because smaller axes have other ticks
            ax.apply_aspect(box)
            drawn = ax.get_tightbbox(renderer, call_axes_locator=False).transformed(figure.transSubfigure.inverted())
            at = ax.get_position()
            low = np.maximum(home.min, place.min + at.min - drawn.min)
            high = np.minimum(home.max, place.max + at.max - drawn.max)
            if not (low < high).all() or np.array_equal((low, high), box):  # no room at all, or enough
                break
            box = Bbox((low, high))
        return box


def _place(spec: Any, figure: Any) -> Any:
    """Return the box that a cell of a grid may fill, in fractions of the figure."""
    from matplotlib.transforms import Bbox

    whole = spec.get_topmost_subplotspec()
    outer = Bbox.unit() if whole is spec else _place(whole, figure)
    _, tops, _, rights = spec.get_gridspec().get_grid_positions(figure)
    rows, columns = spec.rowspan, spec.colspan
    return Bbox.from_extents(
        rights[columns.start - 1] if columns.start else outer.x0,
        tops[rows.stop] if rows.stop < len(tops) else outer.y0,
        rights[columns.stop - 1] if columns.stop < len(rights) else outer.x1,
        tops[rows.start] if rows.start else outer.y1,
    )


def colour_bar(ax: Any, colours: Any, label: str) -> Any:
    """Return a colour bar, a tenth of an inch wide, at the right of the axes and part of them in any layout."""
    from matplotlib.transforms import ScaledTranslation, blended_transform_factory

    inches = ax.figure.dpi_scale_trans + ScaledTranslation(1, 0, ax.transAxes)
    beside = ax.inset_axes((0.06, 0, 0.1, 1), transform=blended_transform_factory(inches, ax.transAxes))
    return ax.figure.colorbar(colours, cax=beside, label=label)


def label(name: str) -> str:
    """Return a user's name for something as the text of a label; dollars that enclose no valid mathematics are escaped.

    Legends leave out labels that begin with an underscore, so such a name is put in quotes.
    """
    from matplotlib.mathtext import MathTextParser

    if name.startswith("_"):
        name = f"“{name}”"
    try:
        MathTextParser("path").parse(name.replace("\n", " "))  # it warns of the ends of lines
    except ValueError:
        return name.replace("$", r"\$")
    return name


def ink() -> str:
    """Return the colour of text and of marks drawn like text: black in a light style, light in a dark one."""
    import matplotlib as mpl

    return str(mpl.rcParams["text.color"])


def stroke(number: int) -> str:
    """Return the line style of curve `number`: it changes each time the colours of the style start over."""
    import matplotlib as mpl

    return ("-", "--", "-.", ":")[number // len(mpl.rcParams["axes.prop_cycle"]) % 4]


def drawable(at: Any, name: str) -> Any:
    """Return the indices of positions above 0, which a logarithmic axis can show, in increasing order; or raise."""
    order = at.argsort(kind="stable")
    shown = order[at[order] > 0]
    if not shown.size:
        raise ValueError(f"{name} = {at.tolist()}: none is above 0, and so on a logarithmic axis; take some that are")
    return shown


def band(ax: Any, at: Any, low: Any, high: Any, curve: Any) -> None:
    """Draw a band about a curve; of a single point, where neither has a length, a bar and the point."""
    if len(at) > 1:
        ax.fill_between(at, low, high, color=curve.get_color(), alpha=0.2, linewidth=0)
        return
    ax.vlines(at, low, high, color=curve.get_color(), alpha=0.4)
    seen(curve, ".")


def seen(curve: Any, marker: str = "_") -> None:
    """Give a curve of a single point, which has no length, a marker unless it has one."""
    if len(curve.get_xdata()) == 1 and curve.get_marker() == "None":
        curve.set_marker(marker)


def logarithmic(ax: Any, *names: str) -> None:
    """Make axes, "x" or "y", logarithmic, with ticks that are read at a glance: 0.5, 1, 2, 5, ... or powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator

    from statnn._ticks import Between

    for name in names:
        getattr(ax, f"set_{name}scale")("log")
        axis = getattr(ax, f"{name}axis")
        axis.set_major_locator(LogLocator(numticks=7))
        axis.set_minor_locator(Between())
        axis.set_major_formatter(FuncFormatter(partial(_power_of_ten, axis=axis)))
        axis.set_minor_formatter(FuncFormatter(partial(_within_a_decade, axis=axis)))


def counting(ax: Any) -> None:
    """Put ticks along x at whole numbers, of layers or places; an axis that is logarithmic already stays so."""
    from matplotlib.ticker import MaxNLocator

    if ax.get_xscale() == "linear":
        ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=(1, 2, 5, 10)))


_SHORT = 1.3
"""Decades up to which an axis has labels between the powers of ten; also longer ones with fewer than two powers."""


def _decades(axis: Any) -> float:
    low, high = sorted(axis.get_view_interval())
    return math.log10(high / low) if low > 0 else math.inf


def _powers(axis: Any) -> tuple[int, int]:
    """Return the exponents of the first and the last power of ten on an axis."""
    low, high = sorted(axis.get_view_interval())
    return math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)


def _plain(axis: Any) -> bool:
    """Return whether all ticks of an axis are plain numbers: it spans few decades, and the numbers are short."""
    if min(axis.get_view_interval()) <= 0:
        return False
    (first, last), more = _powers(axis), _decades(axis) <= _SHORT
    return _decades(axis) < 4 and first >= -2 - more and last <= 3 + more


def _power_of_ten(value: float, position: int | None, axis: Any) -> str:
    """Return a decade as a plain number or as a power of ten; what is under the mouse, without a position, as it is."""
    return f"{value:g}" if position is None or _plain(axis) else f"$10^{{{round(math.log10(value))}}}$"


def _within_a_decade(value: float, _position: int, axis: Any) -> str:
    """Return a number between powers of ten, where an axis is too short to be read by them alone."""
    mantissa, exponent = f"{value:.11e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".")
    first, last = _powers(axis)
    if mantissa == "1" or (_decades(axis) > _SHORT and first < last):
        return ""
    return f"{value:.12g}" if _plain(axis) else rf"${mantissa}\times10^{{{int(exponent)}}}$"
