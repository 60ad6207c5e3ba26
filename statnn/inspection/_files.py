"""Pages on the disk: everything is first written next to its destination, and then moved there."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from statnn._archive.atomic import kind_of, path_of
from statnn._archive.provenance import provenance, version
from statnn._random import Root
from statnn.inspection._html import document, figure_of, section_of
from statnn.inspection._section import REFUSALS, Section
from statnn.plot import in_svg, save

PAGE = "index.html"
_ASIDE = ".page."
"""Prefix of the names of temporary folders, which become the destination or whose files move there."""


def put(directory: str | os.PathLike[str], fill: Callable[[Path], None]) -> None:
    """Let `fill` write into a temporary folder that becomes `directory`, or whose files move into it, the page last."""
    target = path_of(directory, "directory")
    if os.path.lexists(target) and not target.is_dir():
        raise NotADirectoryError(f"{str(target)!r} is {kind_of(target)}; give a directory")
    if not target.absolute().parent.is_dir():
        raise FileNotFoundError(f"directory {str(target.absolute().parent)!r} does not exist; make it first")
    place = target if target.exists() else target.absolute().parent  # an existing target may be a file system's root
    try:
        aside = place / f"{_ASIDE}{secrets.token_hex(8)}"
        aside.mkdir()
        try:
            fill(aside)
            _move(aside, target)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:  # it names the temporary folder, or none
        if error.errno is None or not (error.filename is None or _ASIDE in str(error.filename)):
            raise
        raise OSError(error.errno, error.strerror, error.filename2 or str(target)) from None


def _move(aside: Path, target: Path) -> None:
    if not target.exists():
        aside.replace(target)
        return
    files = [file for file in aside.rglob("*") if file.is_file()]
    for file in sorted(files, key=lambda file: file == aside / PAGE):
        there = target / file.relative_to(aside)
        there.parent.mkdir(exist_ok=True)
        file.replace(there)


def page(
    folder: Path, title: str, lead: str, source: str, seed: Root, sections: Sequence[Section], head: Mapping[str, Any]
) -> None:
    """Write ``index.html``, ``numbers.json`` (which begins with `head`) and all figures into a folder.

    `lead` is HTML. If a figure cannot be drawn, the page has a remark instead, and still all numbers.
    """
    drawn = [_drawn(section, folder) for section in sections]
    (folder / "numbers.json").write_text(as_json(head, seed, [section for section, _ in drawn]), encoding="utf-8")
    parts = [section_of(*figure_and_remarks) for figure_and_remarks in drawn]
    html = document(title, lead, source, seed, [section for section, _ in drawn], parts)
    (folder / PAGE).write_text(html, encoding="utf-8")


def _drawn(section: Section, folder: Path) -> tuple[Section, list[str]]:
    figures: list[str] = []
    remarks = list(section.remarks)
    for picture in section.pictures:
        try:
            figure = picture.figure()
            narrow = in_svg(picture.figure(narrow=True), "") if picture.columns > 1 else None
        except REFUSALS as refusal:
            remarks.append(f"figure {picture.name!r} cannot be drawn: {refusal}")
            continue
        arrays: dict[str, Any] = dict(picture.data)
        save(figure, folder / picture.name, caption=picture.caption, **arrays)
        figures.append(figure_of(picture, (folder / f"{picture.name}.svg").read_bytes(), narrow))
    return replace(section, remarks=remarks), figures


def as_json(head: Mapping[str, Any], seed: Root, sections: Sequence[Section]) -> str:
    """Return the provenance and all numbers of a page."""
    content = {
        **{name: value for name, value in head.items() if name != "digest"},
        "statnn": version(),
        "seed": [str(seed[0]), list(seed[1])],
        "provenance": {**provenance(), "digest": head["digest"]},
        "sections": {section.name: section.plain() for section in sections},
    }
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
