"""Several networks on one page: the same samples and questions, with the answers side by side."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from statnn import _axes
from statnn._archive.file import digest_of
from statnn._axes import COLOURS, MARKERS, counting
from statnn._by_value import ByValue
from statnn._text import p_value
from statnn._typeset import Name
from statnn.inspection._files import PAGE, page, put
from statnn.inspection._page import Inspection, facts, fill, named
from statnn.inspection._section import Cell, Measured, Picture, PValue, Section, Table, panels, share, shown
from statnn.inspection._worst import WORST

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PROFILES: Mapping[str, Sequence[str]] = {
    "layers": ("σ_w", "rank of W"),
    "activity": ("c/N", "b"),
    "spikes": ("MFR", "MFF"),
    "classes": ("recognised", "rightly given"),
    "order": ("slope s", "accuracy, linear above"),
    "strength": ("fluctuation Y",),
    "correlation": ("mean |r|", "participation"),
    "phase": ("χ", "correlation"),
}
"""Quantities plotted against the layer, or the class, by section."""

_IN_FIGURES = {"σ_w": r"$\sigma_w$", "c/N": "$c/N$", "b": "$b$", "slope s": "slope $s$", "χ": r"$\chi$"}
_IN_FIGURES |= {"fluctuation Y": "fluctuation $Y$", "rank of W": "rank of $W$", "mean |r|": "mean $|r|$"}
_LEVEL = 0.01
_FEW, _MOST_COLOURS = 3, 6


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(ByValue):
    """Results for several networks on the same samples; made by `inspect` of a mapping of networks.

    Parameters
    ----------
    inspections : mapping of str to Inspection
        Results for each network, by its name.
    sections : tuple of Section
        The same questions with the answers side by side; select one as ``comparison["activity"]``.
    """

    inspections: Mapping[str, Inspection]
    sections: tuple[Section, ...]

    def __getitem__(self, name: str) -> Section:
        """Return the section of that name."""
        return named(self.sections, name)

    def _rows(self) -> list[dict[str, Any]]:
        return [facts(inspection) for inspection in self.inspections.values()]

    def __str__(self) -> str:
        first = next(iter(self.inspections.values()))
        head = [f"{name}: {inspection.net!r}" for name, inspection in self.inspections.items()]
        return "\n\n".join(["\n".join([*head, first.data.source]), *map(str, self.sections)])

    def write(self, directory: str | os.PathLike[str]) -> None:
        """Write a page of comparison, and the page of each network in its own folder; otherwise as `Inspection.write`.

        Parameters
        ----------
        directory : str or os.PathLike
            Folder for ``index.html``, ``numbers.json``, figures, and folders ``1-NAME``, ``2-NAME``, ...

        Raises
        ------
        FileNotFoundError, NotADirectoryError
            If the directory above it does not exist, or it is a file.
        """
        put(directory, self._fill)

    def _fill(self, folder: Path) -> None:
        links = []
        for number, (name, inspection) in enumerate(self.inspections.items(), 1):
            own = folder / f"{number}-{re.sub(r'[^A-Za-z0-9.-]+', '-', name)[:40]}"
            own.mkdir()
            fill(inspection, own)
            links.append(f'<a href="{own.name}/{PAGE}">{escape(name)}</a>: {escape(repr(inspection.net))}')
        first = next(iter(self.inspections.values()))
        head = {
            "networks": {name: repr(inspection.net) for name, inspection in self.inspections.items()},
            "data": first.data.source,
            "digest": digest_of(
                [[inspection.net for inspection in self.inspections.values()], first.data.x, first.data.labels]
            ),
        }
        title = f"{len(self.inspections)} networks side by side"
        page(folder, title, "<br>\n".join(links), first.data.source, first.seed, self.sections, head)


def compared(inspections: Mapping[str, Inspection]) -> Comparison:
    """Return a comparison of networks, all of which were asked the same questions."""
    asked = [section.name for section in next(iter(inspections.values())).sections]
    sections = [_section({name: inspection[key] for name, inspection in inspections.items()}) for key in asked]
    sections = [_classes(part, inspections) if part.name == "classes" else part for part in sections]
    return Comparison(inspections, tuple(sections))


def _section(parts: Mapping[str, Section]) -> Section:
    first = next(iter(parts.values()))
    answered = {name: part for name, part in parts.items() if not part.reason}
    if not answered:
        reasons = dict.fromkeys(part.reason for part in parts.values())
        return Section(first.name, first.title, "", reason="; ".join(reasons))
    remarks = [f"{name}: not possible: {part.reason}" for name, part in parts.items() if part.reason]
    table, alike = _side_by_side(answered)
    if alike:
        remarks.append(f"the same in all: {', '.join(alike)}")
    about = next(iter(answered.values())).about
    if len(answered) == 2:
        about += (
            " Differences are those of the second network from the first; their errors take the two as independent, "
            "which the same samples make rather too large."
        )
    return Section(
        first.name,
        first.title,
        about,
        tables=(table,) if table.rows else (),
        pictures=_pictures(first.name, answered),
        results={name: part.results for name, part in answered.items()},
        remarks=remarks,
        unusual=_unusual(answered),
        seconds=sum(part.seconds for part in parts.values()),
    )


def _unusual(parts: Mapping[str, Section]) -> str:
    """Name the networks with something unusual in a section, and say what if they are few."""
    words = {name: part.unusual for name, part in parts.items() if part.unusual}
    if len(words) > _FEW:
        return f"What is unusual of {', '.join(f'“{name}”' for name in words)} stands on their pages."
    return " ".join(f"“{name}”: {sentence}" for name, sentence in words.items())


def _cells(section: Section) -> Iterator[tuple[tuple[str, ...], Cell]]:
    """Yield the keys of each number, the quantity last, and the number; facts belong to the network as a whole."""
    table = section.tables[0] if section.tables else Table(["layer"], [])
    of_all = ("network", *[""] * (table.keys - 1))
    for quantity, cell in section.facts.items():
        yield (*of_all, quantity), cell
    for row in table.rows:
        for quantity, cell in zip(table.columns[table.keys :], row[table.keys :], strict=True):
            yield (*map(str, row[: table.keys]), quantity), cell


def _side_by_side(parts: Mapping[str, Section]) -> tuple[Table, list[str]]:
    """Return a table with a row for every number and a column for every network, and the quantities equal in all."""
    longest = max(parts.values(), key=lambda part: len(part.tables[0].rows) if part.tables else 0)
    known = {name: dict(_cells(part)) for name, part in parts.items()}
    keys = dict.fromkeys([*(key for key, _ in _cells(longest)), *(key for cells in known.values() for key in cells)])
    rows: dict[tuple[str, ...], list[Cell]] = {key: [known[name].get(key) for name in parts] for key in keys}
    differ = {key[-1] for key, cells in rows.items() if len({shown(cell) for cell in cells}) > 1}
    alike = list(dict.fromkeys(key[-1] for key in keys if key[-1] not in differ))
    heads = list(longest.tables[0].columns[: longest.tables[0].keys]) if longest.tables else ["layer"]
    heads += ["quantity"]
    last = ["difference"] if len(parts) == 2 else []
    names = [Name(f"network {name}" if name in {*heads, *last} else name) for name in parts]
    body = [
        [*key, *cells, *([_difference(*cells)] if last else [])] for key, cells in rows.items() if key[-1] in differ
    ]
    return Table([*heads, *names, *last], body, len(heads)), alike


def _difference(first: Cell, second: Cell) -> Cell:
    """Return the second number minus the first; None for texts, probabilities and missing numbers."""
    if isinstance(first, Measured) and isinstance(second, Measured):
        return Measured(second.value - first.value, math.hypot(first.error, second.error))
    numbers = [cell for cell in (first, second) if isinstance(cell, int | float) and not isinstance(cell, PValue)]
    if len(numbers) < 2 or not all(map(math.isfinite, numbers)):
        return None
    return numbers[1] - numbers[0]


def _classes(section: Section, inspections: Mapping[str, Inspection]) -> Section:
    """Return the section of classes with counts of who alone is right, for each network against the first."""
    if section.reason:
        return section
    answers = {name: results["answers"] for name, results in section.results.items()}
    labels = {name: inspections[name].data.labels for name in answers}
    reference, *others = answers
    base = answers[reference] == labels[reference]
    rows: list[list[Cell]] = [[Name(reference), share(float(base.mean()), base.size), None, None, None, None]]
    words = []
    for name in others:
        right = answers[name] == labels[name]
        gained, lost = int(np.sum(right & ~base)), int(np.sum(base & ~right))
        p = PValue(stats.binomtest(gained, gained + lost).pvalue if gained + lost else 1.0)
        same = share(float(np.mean(answers[name] == answers[reference])), base.size)
        rows.append([Name(name), share(float(right.mean()), right.size), gained, lost, p, same])
        if p * len(others) < _LEVEL:
            words.append(
                f"“{name}” is right on {gained} samples that “{reference}” gets wrong and wrong on {lost} that it gets "
                f"right ({p_value(p)})."
            )
    columns = ["network", "recognised", "right alone", f"right in “{reference}” alone", "p", "same answers"]
    about = (
        f" Then who is right where the other is wrong, each network beside “{reference}”, with the two-sided "
        "probability of that if both were right equally often (the exact test of McNemar)."
    )
    return replace(
        section,
        about=section.about.replace(WORST, "") + about,
        tables=(*section.tables, Table(columns, rows)),
        unusual=" ".join([*words, *([section.unusual] if section.unusual else [])]),
    )


def _pictures(key: str, parts: Mapping[str, Section]) -> tuple[Picture, ...]:
    """Return the figure of a section: numbers against the layer or class, one line for every network."""
    profiles = {
        quantity: {name: points for name, part in parts.items() if (points := _points(part, quantity)).shape[1]}
        for quantity in _PROFILES.get(key, ())
    }
    profiles = {quantity: lines for quantity, lines in profiles.items() if lines}
    if not profiles:
        return ()
    of = "class" if key == "classes" else "layer"
    data = {
        f"{re.sub(r'[^a-zA-Z]+', '_', quantity).strip('_') or 'value'}_{k}_{number}": points
        for k, (quantity, lines) in enumerate(profiles.items())
        for number, points in enumerate(lines.values(), 1)
    }
    return (
        Picture(
            key,
            f"Against the {of}, a line for every network: {'; '.join(profiles)}. Standard errors where there are any.",
            partial(_draw, profiles, list(parts), of),
            data,
            (4.4 * len(profiles), 3.6),
            len(profiles),
        ),
    )


def _points(section: Section, quantity: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return rows of positions, values, bars below and above; layers count from the inputs; the last order counts."""
    if not section.tables or quantity not in (columns := list(section.tables[0].columns)):
        return np.zeros((4, 0))
    points: dict[float, tuple[float, float, float]] = {}
    hidden = 0
    for row in section.tables[0].rows:
        place = _place(row[0], hidden)
        hidden = int(max(hidden, place))
        cell = row[columns.index(quantity)]
        if isinstance(cell, Measured):
            points[place] = cell.value, *cell.bars()
        elif isinstance(cell, int | float) and math.isfinite(cell):
            points[place] = float(cell), 0.0, 0.0
    return np.array([[place, *value] for place, value in sorted(points.items())]).reshape(-1, 4).T


def _place(name: Cell, hidden: int) -> float:
    if isinstance(name, int):
        return float(name)
    words = str(name).split()
    return 0.0 if words[0] == "inputs" else float(words[1]) if words[0] == "hidden" else hidden + 1.0


def _draw(profiles: Mapping[str, Mapping[str, Any]], names: Sequence[str], of: str, figure: Figure) -> None:
    from matplotlib import colormaps

    many = len(names) > _MOST_COLOURS
    ramp = colormaps["viridis"](np.linspace(0, 0.9, len(names)))
    for ax, (quantity, lines) in zip(panels(figure, 1, len(profiles))[0], profiles.items(), strict=True):
        for k, name in enumerate(names):
            if name not in lines:
                continue
            place, value, *bars = lines[name]
            style = {"color": ramp[k]} if many else {"color": COLOURS[k], "ls": ("-", "--", "-.", ":", "-", "--")[k]}
            label = _axes.label(name) if not many or k in {0, len(names) - 1} else None
            ax.errorbar(place, value, bars, marker=MARKERS[k % len(MARKERS)], ms=4, label=label, **style)
        counting(ax)
        ax.set(xlabel=of, ylabel=_IN_FIGURES.get(quantity, quantity))
    figure.axes[0].legend(fontsize=8, loc="best")
