"""Confusion between the classes of a network."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from statnn._arguments import Ints
from statnn._text import p_value
from statnn.inspection._section import SHARES, Cell, Measured, Picture, Section, Table, share, shown
from statnn.inspection._subject import Report, Subject
from statnn.inspection._worst import WORST, worst

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_CLASSES, _MOST_NUMBERS = 50, 12
"""Most rows of the table, those recognised least; most classes for which the figure shows numbers."""
_LEVEL, _WORSE = 0.01, 0.05
"""A class is unusual if its low recognition has less than this probability by chance, and is this much below all."""


def confusion(subject: Subject, report: Report) -> Section:
    """Which class is taken for which."""
    del report  # it takes no time
    labels, answers = subject.known_labels(), subject.classes
    seen = np.union1d(labels, answers)
    counts = np.zeros((seen.size, seen.size), np.int64)
    np.add.at(counts, (np.searchsorted(seen, labels), np.searchsorted(seen, answers)), 1)
    total, given, right = counts.sum(axis=1), counts.sum(axis=0), np.diag(counts)
    frequent = int(total.argmax())
    rows: list[list[Cell]] = []
    for k in np.argsort(np.divide(right, total, out=np.ones(seen.size), where=total > 0), kind="stable"):
        others = np.where(np.arange(seen.size) == k, -1, counts[k])
        most = int(others.argmax())
        rows.append(
            [
                int(seen[k]),
                int(total[k]),
                share(float(right[k] / total[k]), int(total[k])) if total[k] else None,
                share(float(right[k] / given[k]), int(given[k])) if given[k] else None,
                f"{seen[most]} ({others[most]} time{'s' if others[most] > 1 else ''})" if others[most] > 0 else None,
            ]
        )
    remarks = []
    if len(rows) > _MOST_CLASSES:
        remarks.append(f"of {len(rows)} classes the {_MOST_CLASSES} that are recognised least are listed")
    recognised = share(float(right.sum() / labels.size), labels.size)
    tables, pictures = worst(subject, labels)
    return Section(
        "classes",
        "Which class is taken for which",
        "Of the samples of a class, how many are recognised; of those that were given the class, how many belong to "
        "it; and the class that they are taken for most often. The class recognised least comes first."
        + SHARES
        + WORST,
        facts={
            "recognised": recognised,
            f"by always saying {seen[frequent]}, the most frequent class": float(total[frequent] / labels.size),
        },
        tables=(Table(["class", "samples", "recognised", "rightly given", "taken for"], rows[:_MOST_CLASSES]), *tables),
        pictures=(
            Picture(
                "classes",
                "Share of the samples of each class (row) that was given each class (column), white for none and dark "
                "for all; the diagonal is right. Numbers, where they fit, count samples.",
                partial(_draw, counts, seen),
                {"counts": counts, "classes": seen},
                (4.6, 4.6),
            ),
            *pictures,
        ),
        results={"counts": counts, "classes": seen, "answers": answers},
        remarks=remarks,
        unusual=_unusual(counts, seen, recognised),
    )


def _unusual(counts: Ints, seen: Ints, recognised: Measured) -> str:
    """Say that a constant answer would do as well, or name the class recognised less than all, beyond chance."""
    total, right = counts.sum(axis=1), np.diag(counts)
    frequent = float(total.max() / total.sum())
    if seen.size > 1 and recognised.value < frequent + 2 * recognised.error:
        return (
            f"It recognises {shown(recognised)} of the samples, no more than one that always says "
            f"{seen[total.argmax()]} ({shown(frequent)})."
        )
    p = stats.binom.cdf(right, total, recognised.value) * seen.size
    shares = np.divide(right, total, out=np.ones(seen.size), where=total > 0)
    k = int(np.where(p < _LEVEL, shares, 2.0).argmin())
    if p[k] >= _LEVEL or shares[k] > recognised.value - _WORSE:
        return ""
    return (
        f"Class {seen[k]} is recognised in {shown(share(float(shares[k]), int(total[k])))} of its samples, all "
        f"together in {shown(recognised)} ({p_value(p[k])})."
    )


def _draw(counts: Ints, seen: Ints, figure: Figure) -> None:
    ax = figure.subplots()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax.imshow(shares, vmin=0, vmax=1, cmap="Blues")
    ax.grid(visible=False)
    places = np.arange(seen.size)[:: -(-seen.size // 20)]
    ax.set_xticks(places, labels=[str(k) for k in seen[places]])
    ax.set_yticks(places, labels=[str(k) for k in seen[places]])
    ax.set(xlabel="class given", ylabel="class")
    if seen.size <= _MOST_NUMBERS:
        for (i, j), count in np.ndenumerate(counts):
            if count:
                ax.text(j, i, str(count), ha="center", va="center", color="white" if shares[i, j] > 0.5 else "black")
