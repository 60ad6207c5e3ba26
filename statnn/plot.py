"""One style for every figure, and one way to store a figure with its caption and its data.

Figures are objects: make one inside `style`, with `figure` or as a `matplotlib.figure.Figure`, draw on its axes, hand
it to `save`. No picture is kept in global state, so figures may be drawn in any process.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from statnn._archive.atomic import path_of, replacing
from statnn._archive.file import digest_of
from statnn._archive.provenance import surroundings
from statnn._arguments import array_of, is_number, positive, whole
from statnn._axes import COLOURS
from statnn._svg_fonts import embedded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

__all__ = ["COLOURS", "figure", "replacing", "save", "style"]


def __dir__() -> list[str]:
    return __all__


_RC: Any = {
    "figure.figsize": (6.0, 4.0),
    "figure.dpi": 100,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "font.size": 10,
    "font.family": ["STIXGeneral", "DejaVu Sans"],  # the second supplies what the first lacks
    "mathtext.fontset": "stix",
    "axes.titlesize": "medium",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "errorbar.capsize": 2.0,
    "legend.frameon": False,
    "savefig.facecolor": "white",
}
_PRINT: Any = {
    "font.size": 8,
    "axes.linewidth": 0.6,
    "grid.linewidth": 0.4,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.0,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.fontsize": 7,
}
WIDTHS = {1: 3.375, 2: 7.0}
"""Widths in inches of one column and of two, 86 and 178 mm, as physics journals have them."""
# A fixed salt, so that equal figures are equal files; text stays text, with its fonts inside.
_FILES: Any = {"svg.hashsalt": "statnn", "svg.fonttype": "none", "pdf.fonttype": 42}
_NO_LAYOUT: Any = {"figure.constrained_layout.use": False, "figure.autolayout": False}
"""Otherwise matplotlib would lay out a figure that has no layout engine when it is drawn."""
_OTHER_NAMES = {"file", "allow_pickle"}
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SUFFIXES = {".svg", ".png", ".npz", ".pdf", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".eps", ".ps"}


@contextmanager
def style(columns: int | None = None) -> Iterator[None]:
    """Draw in the style of the house inside this context; settings are restored when it ends.

    Parameters
    ----------
    columns : {1, 2} or None
        Letters and lines for print at the width of one column or of two; None for a screen.

    See Also
    --------
    figure : a figure for print in this style.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from statnn.plot import COLOURS
    >>> with style():
    ...     figure = Figure()
    ...     line, = figure.add_subplot().plot([1, 10, 100])
    >>> line.get_color() == COLOURS[0]
    True
    """
    import matplotlib as mpl
    from cycler import cycler

    printed = {} if columns is None else {**_PRINT, "figure.figsize": (_width(columns), 0.75 * _width(columns))}
    interactive = mpl.is_interactive()
    try:
        with mpl.rc_context({**_RC, **_FILES, **printed, "axes.prop_cycle": cycler(color=COLOURS)}):
            try:
                yield
            finally:  # notebooks become interactive with their first figure, and show no figure otherwise
                interactive = mpl.is_interactive()
    finally:
        mpl.interactive(interactive)


def _width(columns: int) -> float:
    if array_of(columns, "columns").ndim or not is_number(columns) or columns not in WIDTHS:
        raise ValueError(f"columns = {columns!r} must be 1 or 2: how many columns of a page the figure is wide")
    return WIDTHS[columns]


def figure(columns: int = 1, panels: tuple[int, int] = (1, 1), *, height: float | None = None) -> tuple[Figure, Any]:
    """Return a figure for print and its panels, with letters ``(a)``, ``(b)``, ... where there are several.

    Use it inside ``style(columns)``. A notebook shows the figure when it is the last expression of a cell.

    Parameters
    ----------
    columns : {1, 2}
        Width: 86 mm or 178 mm.
    panels : (int, int)
        Rows and columns of panels.
    height : float, optional
        In inches; by default panels are three quarters as high as wide.

    Returns
    -------
    figure : matplotlib.figure.Figure
    axes : matplotlib axes or ndarray of them
        One axes, a row or a column of them, or an array of shape `panels`.

    Raises
    ------
    TypeError, ValueError
        If the width or height is not allowed, `panels` is not a pair, or there are no panels or more than 26.

    See Also
    --------
    style : the style alone.
    save : writes a figure in all forms.

    Examples
    --------
    >>> from statnn.plot import style
    >>> with style(columns=2):
    ...     page, (left, right) = figure(columns=2, panels=(1, 2))
    >>> page.get_size_inches().tolist(), right.get_title(loc="left")
    ([7.0, 2.625], '(b)')
    """
    from statnn._page import Page

    width = _width(columns)
    if height is not None:
        height = positive(height, "height", why="it is in inches")
    if not isinstance(panels, tuple | list) or len(panels) != 2:
        raise TypeError(f"panels = {panels!r} must be a pair: rows and columns of panels, (1, 2) for two side by side")
    rows, across = whole(panels[0], "rows of panels", minimum=1), whole(panels[1], "columns of panels", minimum=1)
    if rows * across > len(_LETTERS):
        raise ValueError(f"panels = {panels!r} are {rows * across}; there are {len(_LETTERS)} letters for them")
    page = Page(figsize=(width, 0.75 * width / across * rows if height is None else height), layout="constrained")
    grid = page.subplots(rows, across, squeeze=False)
    if grid.size == 1:
        return page, grid[0, 0]
    for letter, ax in zip(_LETTERS, grid.flat, strict=False):
        ax.set_title(f"({letter})", loc="left", fontweight="bold")
    return page, grid[0] if rows == 1 else grid[:, 0] if across == 1 else grid


def save(figure: Figure, path: str | os.PathLike[str], /, *, caption: str | None = None, **data: ArrayLike) -> None:
    """Write ``path.svg``, ``path.pdf``, ``path.png`` and, with the arrays behind the figure, ``path.npz``.

    Each file appears whole or not at all, and equal figures give equal files on one machine with one set of versions.
    The versions, and a digest of the data, are written into the files, where `statnn.io.describe` finds them. Text in
    SVG and PDF stays text, with its fonts inside.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure, with something on it.
    path : str or os.PathLike
        Where to write, without suffix, in a directory that exists.
    caption : str, optional
        What the panels show, with mathematics between dollars: written to ``path.txt``, and as a figure of LaTeX to
        ``path.tex``.
    **data : array_like
        Arrays or scalars by name, whatever is needed to draw the figure again.

    Raises
    ------
    TypeError
        If `figure` is not a figure, or data would need pickles.
    ValueError
        If the figure is empty, the path has a suffix of a figure, data are missing, or the caption lacks a dollar.
    FileNotFoundError
        If the directory does not exist.

    See Also
    --------
    figure : makes one for print.
    replacing : one file of your own, whole or not at all.

    Examples
    --------
    >>> import os
    >>> from tempfile import TemporaryDirectory
    >>> from matplotlib.figure import Figure
    >>> from statnn.plot import style
    >>> with TemporaryDirectory() as directory, style():
    ...     figure = Figure()
    ...     _ = figure.add_subplot().plot([1, 4, 9])
    ...     save(figure, f"{directory}/squares", y=[1, 4, 9])
    ...     sorted(os.listdir(directory))
    ['squares.npz', 'squares.pdf', 'squares.png', 'squares.svg']
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure as AnyFigure

    if not isinstance(figure, AnyFigure):
        raise TypeError(f"figure must be a matplotlib Figure, got {type(figure).__name__}; pass ax.figure for axes")
    if not figure.axes:
        raise ValueError("the figure is empty: draw on figure.add_subplot() before saving")
    target = path_of(path, "path")
    if target.suffix.lower() in _SUFFIXES:
        raise ValueError(f"path must come without suffix, got {str(path)!r}; pass {str(target.with_suffix(''))!r}")
    if not target.name:
        raise ValueError(f"path = {str(path)!r} has no name of a file; give one, for example 'figure'")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"directory {str(target.parent)!r} does not exist; make it first")
    if caption is not None and caption.count("$") % 2:
        raise ValueError(f"caption = {caption!r} has an odd number of dollars; mathematics stands between two of them")
    arrays = _arrays(data)
    origin = json.dumps({"format": "statnn.figure", "digest": digest_of(arrays), **surroundings()})

    def beside(suffix: str) -> Path:
        return target.with_name(target.name + suffix)

    with mpl.rc_context({**_FILES, **_NO_LAYOUT}):
        with replacing(beside(".svg")) as file:
            file.write(in_svg(figure, origin))
        with _laid_out(figure):
            with replacing(beside(".pdf")) as file:
                figure.savefig(file, format="pdf", metadata={"CreationDate": None, "Subject": origin})
            with replacing(beside(".png")) as file:
                figure.savefig(file, format="png", dpi=200, metadata={"Description": origin})
    store: Any = np.savez_compressed  # typed Any: its own keywords, typed bool, would clash with arrays by name
    with replacing(beside(".npz")) as file:
        store(file, **arrays)
        with zipfile.ZipFile(file, "a") as archive:
            archive.comment = origin.encode()
    if caption is not None:
        with replacing(beside(".txt")) as file:
            file.write(f"{caption}\n".encode())
        with replacing(beside(".tex")) as file:
            file.write(_in_latex(target.name, caption).encode())


@contextmanager
def _laid_out(figure: Figure) -> Iterator[None]:
    """Keep panels where they were drawn: with a layout engine, matplotlib would draw each file twice."""
    engine = figure.get_layout_engine()
    figure.set_layout_engine(None)
    try:
        yield
    finally:
        figure.set_layout_engine(engine)


def settle(figure: Figure) -> None:
    """Lay a figure out once, for all files that are drawn from it."""
    import matplotlib as mpl

    figure.draw_without_rendering()
    with mpl.rc_context(_NO_LAYOUT):
        figure.set_layout_engine(None)


def in_svg(figure: Figure, origin: str) -> bytes:
    """Return a figure as SVG with its fonts, the same each time; `origin` says where it comes from."""
    import matplotlib as mpl

    with mpl.rc_context(_FILES):
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Description": origin})
    return embedded(drawn.getvalue()).encode()


_LITERAL = str.maketrans(
    {letter: rf"\{letter}" for letter in "&%#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\^{}"}
    | {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"}
)
"""Characters that LaTeX takes for commands, or prints as others, outside of mathematics."""


def _in_latex(name: str, caption: str) -> str:
    parts = caption.split("$")
    parts[::2] = [part.translate(_LITERAL) for part in parts[::2]]
    lines = (
        r"\begin{figure}",
        r"  \centering",
        rf"  \includegraphics{{{name}.pdf}}",
        rf"  \caption{{{'$'.join(parts)}}}",
        rf"  \label{{fig:{name}}}",
        r"\end{figure}",
    )
    return "\n".join(lines) + "\n"


def _arrays(data: dict[str, ArrayLike]) -> dict[str, np.ndarray[Any, Any]]:
    if not data:
        raise ValueError("a figure is stored with its data: pass the arrays that were drawn by name")
    if clash := _OTHER_NAMES & set(data):
        raise ValueError(f"data cannot be named {', '.join(sorted(clash))}: numpy.savez keeps that name for itself")
    arrays = {name: array_of(value, f"data {name!r}") for name, value in data.items()}
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise TypeError(f"data {name!r} would need pickles; pass numbers, strings or arrays of them")
    return arrays
