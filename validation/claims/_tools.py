"""What several claims share: sources, panels with letters and residuals, twins, jackknife slopes."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from validation.claim import Data

Floats = NDArray[np.float64]

ABSTRACT = "Zhang & Sui 2024, arXiv 2412.18073, abstract"
MAIN_TEXT = "Zhang & Sui 2024, arXiv 2412.18073, main text"
HYPOTHESIS = "follows from the hypothesis of Zhang & Sui 2024, arXiv 2412.18073"


BELOW = " Below: deviations from theory in standard errors; grey: within two."
"""Sentence of captions on panels of residuals."""


def lettered(figure: Any, rows: int, columns: int, **layout: Any) -> Any:
    """Return the axes of a figure, with the letters (a), (b), ... by which its caption names them."""
    axes = figure.subplots(rows, columns, **layout)
    _letter(axes.flat)
    return axes


def with_residuals(figure: Any, columns: int = 1) -> Any:
    """Return two rows of axes: the panels of a figure, and below each a low one for its residuals with the same x."""
    axes = figure.subplots(2, columns, sharex="col", height_ratios=(3, 1), squeeze=False)
    if columns > 1:
        _letter(axes[0])
    return axes


def _letter(axes: Any) -> None:
    """Write letters at the upper left corners, beside titles above the axes and above the last tick label."""
    for letter, ax in zip("abcdef", axes, strict=False):
        ax.annotate(
            f"({letter})", (0, 1), (-4, 8), xycoords="axes fraction", textcoords="offset points", ha="right",
            va="bottom", fontweight="bold", annotation_clip=False,
        )  # fmt: skip


def draw_residuals(axes: Any, x: Floats, values: Floats, theory: Floats, error: Floats, **style: Any) -> None:
    """Draw deviations from theory in standard errors, where these are not zero."""
    known = np.asarray(error) > 0
    z = (np.asarray(values) - theory)[known] / np.asarray(error)[known]
    if not axes.patches:
        axes.axhspan(-2, 2, color="grey", alpha=0.2, linewidth=0)
    axes.plot(np.asarray(x)[known], z, **{"ls": "none", "marker": "o", "ms": 3} | style)
    axes.set(ylabel="$z$", ylim=(-5, 5), yticks=(-3, 0, 3))


def scaled(*names: str) -> Callable[[Data, float], Data]:
    """Return the twin in which the theory under these names is too large by a share."""
    return lambda data, by: {**data, **{name: data[name] * (1 + by) for name in names}}


def of_batches(values: Floats, batches: int, function: Callable[[Floats], Floats]) -> Floats:
    """Return the jackknife's pseudo-values of ``function`` of the mean of replicas, shape ``(batches, ...)``.

    A slope or a vertex is not linear in the data. The mean of pseudo-values has a bias of order one over the square of
    the number of replicas, whereas the mean over batches has the bias of a single batch. The spread of pseudo-values
    gives the error, whatever the correlation within a path.
    """
    means = np.stack([batch.mean(axis=0) for batch in np.array_split(values, batches)])
    left = [function((means.sum(axis=0) - batch) / (batches - 1)) for batch in means]
    return batches * function(means.mean(axis=0)) - (batches - 1) * np.array(left)


def log_slope(x: Floats, y: Floats) -> Floats:
    """Return the least-squares slope of ln y against ln x."""
    return np.asarray(np.polynomial.polynomial.polyfit(np.log(x), np.log(y), 1)[1])
