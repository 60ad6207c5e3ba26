"""What Sphinx and its extensions leave amiss on finished pages: texts of pictures, and ways back from source code."""

import re
from typing import Any

from docutils import nodes

_BACK = re.compile(r'(<a class="viewcode-back" href="[^"#]*?)([\w.]+)\.html#([\w.]+)"')


def describe_pictures(app: Any, doctree: Any) -> None:
    """Let pictures of the gallery be described by the first paragraph of their script, not by the name of its file."""
    if not app.env.docname.startswith("gallery-pages/plot_"):
        return
    said = next(
        (each.astext() for each in doctree.findall(nodes.paragraph) if "Go to the end" not in each.astext()), ""
    )
    for picture in doctree.findall(lambda node: isinstance(node, nodes.Element) and "alt" in node):
        picture["alt"] = said


def lead_back(_app: Any, page: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    """Let links from source code lead to the name that an object has on its page.

    Sphinx gives all objects of a file the room of the first.
    """

    def name(found: re.Match[str]) -> str:
        start, full, place = found.groups()
        short = full.rpartition(".")[2]
        rest = re.search(rf"\.{short}(\.\w+)*$", place)
        return f'{start}{full}.html#{full}{rest[1] or "" if rest else ""}"'

    if page.startswith("_modules/") and "body" in context:
        context["body"] = _BACK.sub(name, context["body"])


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("doctree-read", describe_pictures)
    app.connect("html-page-context", lead_back)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
