"""One style for every figure, and one way to store a figure with its data.

Figures are objects: make a `matplotlib.figure.Figure` inside `style`, draw on its axes, hand it to `save`. No
picture is kept in global state, so figures may be drawn in any process.
"""

from __future__ import annotations

import os  # noqa: TC003 - the example of save needs it
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from statnn._archive.atomic import replacing
from statnn._arguments import array_of
from statnn._axes import COLOURS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

__all__ = ["COLOURS", "replacing", "save", "style"]

_RC: Any = {
    "figure.figsize": (6.0, 4.0),
    "figure.dpi": 100,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "font.size": 10,
    "mathtext.fontset": "cm",
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
# Fixed salt and outlines for letters: equal figures are equal files and look the same on every machine.
_SVG: Any = {"svg.hashsalt": "statnn", "svg.fonttype": "path"}
_OTHER_NAMES = {"file", "allow_pickle"}
_SUFFIXES = {".svg", ".png", ".npz", ".pdf", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".eps", ".ps"}


@contextmanager
def style() -> Iterator[None]:
    """Draw in the style of the house inside this context.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> with style():
    ...     figure = Figure()
    ...     line, = figure.add_subplot().plot([1, 10, 100])
    >>> line.get_color() == COLOURS[0]
    True
    """
    import matplotlib as mpl
    from cycler import cycler

    with mpl.rc_context({**_RC, **_SVG, "axes.prop_cycle": cycler(color=COLOURS)}):
        yield


def save(figure: Figure, path: str | os.PathLike[str], /, **data: ArrayLike) -> None:
    """Write ``path.svg``, ``path.png`` and, with the arrays behind the figure, ``path.npz``.

    Each file appears whole or not at all, and equal figures give equal files.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure, with something on it.
    path : str or os.PathLike
        Where to write, without suffix, in a directory that exists.
    **data : array_like
        Arrays or scalars by name, whatever is needed to draw the figure again.

    Raises
    ------
    TypeError
        If `figure` is no figure, or data would need pickles.
    ValueError
        If the figure is empty, the path has a suffix of a figure, or data are missing.
    FileNotFoundError
        If the directory does not exist.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from matplotlib.figure import Figure
    >>> with TemporaryDirectory() as directory, style():
    ...     figure = Figure()
    ...     _ = figure.add_subplot().plot([1, 4, 9])
    ...     save(figure, f"{directory}/squares", y=[1, 4, 9])
    ...     sorted(os.listdir(directory))
    ['squares.npz', 'squares.png', 'squares.svg']
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure as AnyFigure

    if not isinstance(figure, AnyFigure):
        raise TypeError(f"figure must be a matplotlib Figure, got {type(figure).__name__}; pass ax.figure for axes")
    if not figure.axes:
        raise ValueError("the figure is empty: draw on figure.add_subplot() before saving")
    target = Path(path)
    if target.suffix.lower() in _SUFFIXES:
        raise ValueError(f"path must come without suffix, got {str(path)!r}; pass {str(target.with_suffix(''))!r}")
    if not target.name:
        raise ValueError(f"path = {str(path)!r} has no name of a file; give one, for example 'figure'")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"directory {str(target.parent)!r} does not exist; make it first")
    arrays = _arrays(data)

    def beside(suffix: str) -> Path:
        return target.with_name(target.name + suffix)

    with mpl.rc_context(_SVG):
        with replacing(beside(".svg")) as file:
            figure.savefig(file, format="svg", metadata={"Date": None})
        with replacing(beside(".png")) as file:
            figure.savefig(file, format="png", dpi=200)
    store: Any = np.savez_compressed  # its own keywords, typed bool, stand in the way of arrays by name
    with replacing(beside(".npz")) as file:
        store(file, **arrays)


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
