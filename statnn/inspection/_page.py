"""The page of an inspection: one HTML file that needs no network and no script, numbers and figures beside it."""

import base64
import json
import os
import shutil
import tempfile
from dataclasses import dataclass, replace
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import Any

from statnn._archive.file import digest_of
from statnn._archive.provenance import provenance
from statnn._by_value import ByValue
from statnn._random import Root
from statnn._typeset import typeset
from statnn.inspection._data import Data
from statnn.inspection._section import REFUSALS, Picture, Section, Table, shown
from statnn.inspection._style import STYLE
from statnn.network import Network
from statnn.plot import save

_PIXELS = 100  # an inch, so that letters of figures are as large as those beside them


@dataclass(frozen=True, eq=False, repr=False)
class Inspection(ByValue):
    """What was found about one network; made by `inspect`.

    Parameters
    ----------
    net : Network
        The network.
    name : str
        What the network is called on the page.
    data : Data
        Samples and labels that were used.
    sections : tuple of Section
        Answers in the order of the page; ``found["spikes"]`` is one of them.
    seed : tuple
        Entropy and spawn key; the same seed gives the same numbers.
    """

    net: Network
    name: str
    data: Data
    sections: tuple[Section, ...]
    seed: Root

    def __getitem__(self, name: str) -> Section:
        """Return the section of that name."""
        for section in self.sections:
            if section.name == name:
                return section
        raise KeyError(f"there is no section {name!r}; there are {', '.join(s.name for s in self.sections)}")

    def __str__(self) -> str:
        head = f"{self.name}: {self.net!r}\n{self.data.source}"
        return "\n\n".join([head, *map(str, self.sections)])

    def write(self, directory: str | os.PathLike[str]) -> None:
        """Write the page ``index.html``, ``numbers.json``, and each figure as SVG and PNG with its arrays.

        Parameters
        ----------
        directory : str or os.PathLike
            Where to write. It is made if it does not exist, and then appears with everything in it or not at all; in
            one that exists each file is replaced, and the page last. Where a figure cannot be drawn the page says why.

        Raises
        ------
        FileNotFoundError, NotADirectoryError
            If the directory above it does not exist, or it is a file.
        """
        _write(self, directory)


def _write(found: Inspection, directory: str | os.PathLike[str]) -> None:
    """Write everything beside the target first, then put it in its place."""
    target = Path(directory)
    if target.exists() and not target.is_dir():
        raise NotADirectoryError(f"{str(target)!r} is a file; give a directory")
    if not target.absolute().parent.is_dir():
        raise FileNotFoundError(f"directory {str(target.absolute().parent)!r} does not exist; make it first")
    place = target if target.exists() else target.absolute().parent  # a target that exists may be a file system's root
    aside = Path(tempfile.mkdtemp(dir=place, prefix=f".{target.absolute().name}."))
    try:
        _fill(found, aside)
        aside.chmod(0o755)  # mkdtemp keeps its directories private
        if target.exists():
            for file in sorted(aside.iterdir(), key=lambda file: file.name == "index.html"):
                file.replace(target / file.name)
        else:
            aside.replace(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _fill(found: Inspection, aside: Path) -> None:
    drawn = [_drawn(section, aside) for section in found.sections]
    found = replace(found, sections=tuple(section for section, _ in drawn))
    (aside / "numbers.json").write_text(as_json(found), encoding="utf-8")
    (aside / "index.html").write_text(_html(found, [_section(*one) for one in drawn]), encoding="utf-8")


def _drawn(section: Section, aside: Path) -> tuple[Section, list[str]]:
    """Draw the figures of a section; one that cannot be drawn leaves a remark, and the page its numbers."""
    figures: list[str] = []
    remarks = list(section.remarks)
    for picture in section.pictures:
        try:
            figure = picture.figure()
        except REFUSALS as refusal:
            remarks.append(f"figure {picture.name!r} cannot be drawn: {refusal}")
            continue
        arrays: dict[str, Any] = dict(picture.data)
        save(figure, aside / picture.name, caption=picture.caption, **arrays)
        figures.append(_figure((aside / f"{picture.name}.svg").read_bytes(), picture))
    return replace(section, remarks=remarks), figures


def as_json(found: Inspection) -> str:
    """Return the provenance and all numbers of the page."""
    content: dict[str, Any] = {
        "network": found.name,
        "described": repr(found.net),
        "data": found.data.source,
        "statnn": version("statnn"),
        "seed": [str(found.seed[0]), list(found.seed[1])],
        "provenance": {**provenance(), "digest": digest_of([found.net, found.data.x, found.data.labels])},
        "sections": {section.name: section.plain() for section in found.sections},
    }
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _html(found: Inspection, sections: list[str]) -> str:
    links = "\n".join(map(_link, found.sections))
    seconds = sum(section.seconds for section in found.sections)
    body = "\n".join(sections)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="provenance" content="{escape(json.dumps({"format": "statnn.inspection", **provenance()}))}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(found.name)} under the microscope</title>
<style>
{STYLE}</style>
</head>
<body>
<header>
<h1>{escape(found.name)} under the microscope</h1>
<p class="lead">{escape(repr(found.net))}</p>
<p class="meta">{escape(found.data.source)}<br>
statnn {escape(version("statnn"))}, seed {escape(str(found.seed[0]))}, {seconds:.1f} s;
<a href="numbers.json">all numbers</a></p>
<nav><ol>
{links}
</ol></nav>
</header>
<main>
{body}
</main>
</body>
</html>
"""


def _link(section: Section) -> str:
    gone = ", not possible here" if section.reason else ""
    return f'<li><a href="#{section.name}">{escape(section.title)}</a>{gone}</li>'


def _section(section: Section, figures: list[str]) -> str:
    parts = [f'<section id="{section.name}">', f"<h2>{escape(section.title)}</h2>"]
    if section.about:
        parts.append(f"<p>{typeset(section.about)}</p>")
    if section.reason:
        parts.append(f'<p class="reason">Not possible here: {escape(section.reason)}</p>')
    if section.facts:
        entries = "\n".join(f"<dt>{typeset(k)}</dt><dd>{escape(shown(v))}</dd>" for k, v in section.facts.items())
        parts.append(f"<dl>\n{entries}\n</dl>")
    parts += [_table(table) for table in section.tables]
    parts += figures
    if section.remarks:
        entries = "\n".join(f"<li>{escape(remark)}</li>" for remark in section.remarks)
        parts.append(f'<ul class="meta">\n{entries}\n</ul>')
    return "\n".join([*parts, "</section>"])


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{typeset(column)}</th>' for column in table.columns)
    rows = "\n".join(
        "<tr>" + "".join(f"<td>{escape(shown(cell))}</td>" for cell in row) + "</tr>" for row in table.rows
    )
    return f'<div class="scroll"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table></div>'


def _figure(svg: bytes, picture: Picture) -> str:
    name, caption, width = picture.name, picture.caption, round(_PIXELS * picture.size[0])
    source = base64.b64encode(svg).decode()
    return (
        f'<figure><img src="data:image/svg+xml;base64,{source}" width="{width}" alt="{escape(caption)}">\n'
        f'<figcaption>{typeset(caption)} <a href="{name}.npz">Data</a>, <a href="{name}.png">PNG</a>, '
        f'<a href="{name}.svg">SVG</a>.</figcaption></figure>'
    )
