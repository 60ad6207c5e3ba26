"""The HTML of a page: one file that needs no network and no script, readable on paper and on a telephone."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from html import escape

from statnn._archive.provenance import provenance, version
from statnn._random import Root
from statnn._typeset import typeset
from statnn.inspection._section import Picture, Section, Table, shown
from statnn.inspection._style import STYLE

_PIXELS = 100  # per inch, so that text in figures is as large as the text around them


def document(title: str, lead: str, source: str, seed: Root, sections: Sequence[Section], parts: Iterable[str]) -> str:
    """Return a page: head, contents, unusual findings, and the sections, already in HTML."""
    links = "\n".join(map(_link, sections))
    seconds = sum(section.seconds for section in sections)
    body = "\n".join(parts)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="provenance" content="{escape(json.dumps({"format": "statnn.inspection", **provenance()}))}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>
{STYLE}</style>
</head>
<body>
<header>
<h1>{escape(title)}</h1>
<p class="lead">{lead}</p>
<p class="meta">{escape(source)}<br>
statnn {escape(version())}, seed {escape(str(seed[0]))}, {seconds:.1f} s of computing, files and figures not counted;
<a href="numbers.json">all numbers</a></p>
{_unusual(sections)}
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


def _unusual(sections: Sequence[Section]) -> str:
    """Return the unusual findings, each sentence with a link to the section that has its numbers."""
    sentences = [
        f'<li>{typeset(section.unusual)} <a href="#{section.name}">{escape(section.title)}</a></li>'
        for section in sections
        if section.unusual
    ]
    if not sentences:
        return "<p>Nothing stands out beside what would be expected.</p>"
    return "\n".join(["<p>What is unusual here:</p>", '<ul class="unusual">', *sentences, "</ul>"])


def _link(section: Section) -> str:
    gone = ", not possible here" if section.reason else ""
    return f'<li><a href="#{section.name}">{escape(section.title)}</a>{gone}</li>'


def section_of(section: Section, figures: Iterable[str]) -> str:
    """Return a section with its figures, already in HTML."""
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
        "<tr>"
        + "".join(f"<td>{typeset(shown(cell))}</td>" for cell in row[: table.keys])
        + "".join(f"<td>{escape(shown(cell))}</td>" for cell in row[table.keys :])
        + "</tr>"
        for row in table.rows
    )
    return f'<div class="scroll"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table></div>'


def figure_of(picture: Picture, wide: bytes, narrow: bytes | None) -> str:
    """Return a figure with links to its files; a telephone shows the narrow drawing, if there is one."""
    name, caption, width = picture.name, picture.caption, round(_PIXELS * picture.size[0])
    source = "" if narrow is None else f'<source media="(max-width: 40rem)" srcset="{_embedded(narrow)}">'
    image = f'<img src="{_embedded(wide)}" width="{width}" alt="{escape(caption)}">'
    return (
        f"<figure><picture>{source}{image}</picture>\n"
        f'<figcaption>{typeset(caption)} <a href="{name}.npz">Data</a>, <a href="{name}.png">PNG</a>, '
        f'<a href="{name}.svg">SVG</a>.</figcaption></figure>'
    )


def _embedded(svg: bytes) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
