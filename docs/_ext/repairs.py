"""Repairs to what Sphinx and its extensions make: texts of pictures, lines, errors, links from source code."""

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.ext.napoleon import docstring
from sphinx.util import logging

_LOGGER = logging.getLogger(__name__)

_BACK = re.compile(r'(<a class="viewcode-back" href="[^"#]*?)([\w.]+)\.html#([\w.]+)"')


def describe_pictures(app: Any, doctree: Any) -> None:
    """Describe pictures of the gallery by the caption of their script, or by its first paragraph if it has none."""
    if "/plot_" not in app.env.docname:
        return
    said = [each for each in doctree.findall(nodes.paragraph) if "Go to the end" not in each.astext()]
    said = next((each for each in said if "caption" in each["classes"]), said[0]).astext()
    for picture in doctree.findall(lambda node: isinstance(node, nodes.Element) and "alt" in node):
        picture["alt"] = said


def drop_tag_lists(_app: Any, doctree: Any) -> None:
    """Drop the lists of tags, which are empty: a gallery in parts repeats them under one anchor."""
    for raw in [each for each in doctree.findall(nodes.raw) if "sg-tag-list" in each.astext()]:
        raw.parent.remove(raw)


def miss_pictures(app: Any, doctree: Any) -> None:
    """Warn of cells that have an alternative text but show no picture."""
    if app.config.nb_execution_mode == "off":
        return
    for cell in doctree.findall(nodes.container):
        if "image" in cell.get("cell_metadata", {}).get("mystnb", {}) and not list(cell.findall(nodes.image)):
            _LOGGER.warning("this cell shows no picture: draw on axes of pyplot or of plot.figure", location=cell)


_MARKS = re.compile("(?:\x00 )?([,.;:!?)\\]]+)")  # after an escaped blank, which docutils keeps as a null


_OPENED = re.compile(r"([(\[])(?:\x00 )?$")


def keep_punctuation(_app: Any, doctree: Any) -> None:
    """Keep a formula, the bracket before it and the punctuation after it on one line, which browsers would break."""
    for formula in list(doctree.findall(nodes.math)):
        parent, place = formula.parent, formula.parent.index(formula)
        around = [parent[at] if 0 <= at < len(parent) else None for at in (place - 1, place + 1)]
        before, after = (each if isinstance(each, nodes.Text) else nodes.Text("") for each in around)
        opened, marks = _OPENED.search(before), _MARKS.match(after)
        if not opened and not marks:
            continue
        start, end = (opened.start() if opened else len(before)), (marks.end() if marks else 0)
        held = [nodes.Text(opened[1] if opened else ""), formula.deepcopy(), nodes.Text(marks[1] if marks else "")]
        kept = nodes.inline("", "", *(each for each in held if each.astext()), classes=["kept"])
        rest = nodes.Text(before[:start]), kept, nodes.Text(after[end:])
        first, last = place - (before != ""), place + 1 + (after != "")  # an empty Text is true as well
        parent[first:last] = [each for each in rest if each.astext()]


def keep_percents(_app: Any, doctree: Any) -> None:
    """Keep a number and its percent sign on one line."""
    for text in list(doctree.findall(nodes.Text)):
        if " %" in text and not isinstance(text.parent, nodes.FixedTextElement | nodes.literal | nodes.math):
            text.parent.replace(text, nodes.Text(re.sub(r"(?<=\d) %", "\N{NO-BREAK SPACE}%", text)))


def lead_back(_app: Any, page: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    """Let links from source code lead to the anchor that an object has on its page.

    Sphinx takes all objects of a file to be in the room of the first.
    """

    def name(match: re.Match[str]) -> str:
        start, full, place = match.groups()
        short = full.rpartition(".")[2]
        rest = re.search(rf"\.{short}(\.\w+)*$", place)
        return f'{start}{full}.html#{full}{rest[1] or "" if rest else ""}"'

    if page.startswith("_modules/") and "body" in context:
        context["body"] = _BACK.sub(name, context["body"])


def fold_navigation(_app: Any, _page: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    """Unfold the tree of pages at the side only where the reader is.

    Furo asks for all of it, some 400 links on every page, which is three quarters of the time of a build and half of
    its size.
    """
    if "toctree" in context:
        whole = context["toctree"]
        context["toctree"] = lambda **how: whole(**{**how, "collapse": True})


_SEE = re.compile(r"([\w.]+(?:, [\w.]+)*) : (.*)")


def mend_docstrings() -> None:
    """Parse properties like methods, typeset attributes like parameters, and keep the descriptions in See Also.

    Napoleon takes "Spins of every layer: ..." for a type, makes links of the words of types, and loses a description
    that several names share.
    """
    read = docstring.GoogleDocstring._parse  # noqa: SLF001 - napoleon has no other way in

    def parse(self: Any) -> None:
        self._what = "method" if self._what in {"attribute", "data", "property"} else self._what
        read(self)

    def attributes(self: Any, _section: str) -> list[str]:
        return self._format_fields("Attributes", self._consume_fields())

    def see_also(self: Any, _section: str) -> list[str]:
        lines = []
        for line in self._dedent(self._consume_to_next_section()):
            names, said = item.groups() if (item := _SEE.match(line)) else ("", line)
            links = ", ".join(self._app.statnn_names.reference(name, self._name) for name in names.split(", ") if name)
            lines += [f"- {links}: {said}" if links else f"  {line}"]
        return self._format_admonition("seealso", lines)

    docstring.GoogleDocstring._parse = parse  # noqa: SLF001
    docstring.GoogleDocstring._parse_attributes_section = attributes  # noqa: SLF001
    docstring.NumpyDocstring._parse_see_also_section = see_also  # noqa: SLF001


def brief_errors(app: Any) -> None:
    """Let kernels print only the message of an error on a page, not its traceback through files of this machine."""
    profile = Path(app.srcdir, "generated", "ipython", "profile_default")
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "ipython_kernel_config.py").write_text('get_config().InteractiveShell.xmode = "Minimal"\n')


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx."""
    mend_docstrings()
    app.connect("builder-inited", brief_errors)
    app.connect("doctree-read", describe_pictures)
    app.connect("doctree-read", drop_tag_lists)
    app.connect("doctree-read", miss_pictures)
    app.connect("doctree-read", keep_punctuation)
    app.connect("doctree-read", keep_percents)
    app.connect("html-page-context", lead_back)
    app.connect("html-page-context", fold_navigation, priority=400)  # before the theme, whose priority is 500
    return {"parallel_read_safe": True, "parallel_write_safe": True}
