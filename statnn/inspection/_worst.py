"""The samples that a classifier gets most wrong, drawn if they are images."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from statnn._arguments import Floats, Ints
from statnn.inspection._section import Picture, Table
from statnn.inspection._subject import Subject
from statnn.measure._classes import deciding
from statnn.network import Network

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST, _ROW, _NARROW_ROW = 12, 6, 3
WORST = (
    " Below, the samples that are most wrong: the margin is by how much the output of the class given exceeds that of "
    "the right one, before the last activation."
)
"""Note on their table, which pages of several networks do not have."""


def margins(net: Network, fields: NDArray[Any], labels: Ints) -> Floats:
    """Return the excess of the answer over the right class, in fields or, if these do not decide, in outputs."""
    values = np.asarray(deciding(net, fields), dtype=float)
    if values.shape[1] == 1:
        values = np.hstack([np.zeros_like(values), values])
    return np.asarray(values.max(axis=1) - values[np.arange(labels.size), labels])


def worst(subject: Subject, labels: Ints) -> tuple[list[Table], list[Picture]]:
    """Return the misclassified samples of largest margin, with pictures if they are images."""
    beaten, answers = margins(subject.net, subject.trace.fields[-1], labels), subject.classes
    wrong = np.flatnonzero(answers != labels)
    chosen = wrong[np.argsort(-beaten[wrong], kind="stable")][:_MOST]
    if not chosen.size:
        return [], []
    numbers = np.arange(labels.size) if subject.numbers is None else subject.numbers
    rows = [[int(numbers[i]), int(labels[i]), int(answers[i]), float(beaten[i])] for i in chosen]
    tables = [Table(["sample", "class", "taken for", "margin"], rows)]
    images = _images(subject.x[chosen], subject.shape)
    if images is None:
        return tables, []
    titles = [f"{labels[i]}, taken for {answers[i]}" for i in chosen]
    height = 1.35 * -(-len(chosen) // _ROW) + 0.2
    picture = Picture(
        "worst",
        "The samples taken for another class by the largest margin, the worst first, each with its class and the one "
        "that it was given.",
        partial(_draw, images, titles),
        {"samples": numbers[chosen], "images": images},
        (min(len(chosen), _ROW) * 1.3, height),
        2 if len(chosen) > _NARROW_ROW else 1,
    )
    return tables, [picture]


def _images(x: NDArray[Any], shape: tuple[int, ...]) -> Floats | None:
    """Return images between 0 and 1, of shape (n, height, width) or (n, height, width, 3), or None."""
    if len(shape) == 3 and shape[0] in (1, 3) and shape[2] not in (1, 3):
        x, shape = x.reshape(-1, *shape).transpose(0, 2, 3, 1), (*shape[1:], shape[0])
    if len(shape) == 3 and shape[2] == 1:
        shape = shape[:2]
    if min(shape, default=0) < 2 or len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] != 3):
        return None
    images = x.reshape(-1, *shape).astype(float)
    low, high = images.min(), images.max()
    return np.asarray((images - low) / (high - low) if high > low else images * 0)


def _draw(images: Floats, titles: list[str], figure: Figure) -> None:
    columns = min(len(images), _ROW if figure.get_figwidth() > _ROW else _NARROW_ROW)
    grid = figure.subplots(-(-len(images) // columns), columns, squeeze=False).ravel()
    for ax in grid:
        ax.set_axis_off()
    for ax, image, title in zip(grid, images, titles, strict=False):
        ax.imshow(image, cmap="gray_r", vmin=0, vmax=1)
        ax.set_title(title, fontsize=8)
