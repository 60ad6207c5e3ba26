"""One bibliography: works are cited by names and year, "Kaufman 1949", or by number, "arXiv 2412.18073".

Wherever a page cites a work of ``docs/references.bib`` in this way, in a docstring, a derivation, a verdict or a
sentence, it links to the entry of the work, and the entry says who cites it.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[1] / "references.bib"
PAGE = "generated/bibliography"
_ENTRY = re.compile(r"^@(\w+)\{(\w+),\n(.*?)^\}$", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^  (\w+) = \{(.*)\},$", re.MULTILINE)


@dataclass(frozen=True)
class Work:
    """A work, by the fields of its entry."""

    key: str
    fields: dict[str, str]

    @property
    def authors(self) -> list[str]:
        """Names of authors, "Kaufman, B."."""
        return self.fields["author"].split(" and ")

    @property
    def families(self) -> list[str]:
        """Family names of authors."""
        return [name.split(",")[0] for name in self.authors]

    @property
    def names(self) -> list[str]:
        """Names of authors in spoken order, "B. Kaufman"."""
        return [" ".join(reversed(name.split(", "))) for name in self.authors]

    @property
    def label(self) -> str:
        """Names and year, as they are cited."""
        names = f"{self.families[0]} et al." if len(self.families) > 3 else _listed(self.families)
        return f"{names} {self.fields['year']}"

    def pattern(self) -> str:
        """Return the regular expression of all ways to cite the work."""
        first, *others = self.families
        ways = [rf"{first} et al\."] if len(others) > 1 else []
        last = rf",? (?:&|and) {others[-1]}" if others else ""
        ways.append("".join([first, *(f", {name}" for name in others[:-1]), last]))
        number = self.fields.get("eprint")
        arxiv = rf"arXiv {re.escape(number)}\b" if number else ""
        names = rf"(?:{'|'.join(ways)}),? \(?{self.fields['year']}\b"
        return (f"(?:{names}(?:, {arxiv})?|{arxiv})" if arxiv else names).replace(" ", r"\s+")


@cache
def works() -> dict[str, Work]:
    """Return all works by their key."""
    text = FILE.read_text(encoding="utf-8")
    return {key: Work(key, {"kind": kind, **dict(_FIELD.findall(body))}) for kind, key, body in _ENTRY.findall(text)}


@cache
def _citation() -> re.Pattern[str]:
    ways = "|".join(f"(?P<{key}>{work.pattern()})" for key, work in works().items())
    return re.compile(rf"\b(?=[A-Z]|arXiv)(?:{ways})")  # the lookahead rules most places out at once


def citations(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield where a text cites a work, and the key of the work."""
    for cited in _citation().finditer(text):
        yield cited.start(), cited.end(), str(cited.lastgroup)


def cited_by(sources: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return who cites each work, by its key, from pairs of a name and a text."""
    users: dict[str, list[str]] = defaultdict(list)
    for who, text in sources:
        for key in dict.fromkeys(key for _, _, key in citations(text)):
            users[key].append(who)
    return users


def _listed(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} & {last}" if others else last


def entry(work: Work, citing: list[str]) -> str:
    """Return the entry of a work in Markdown, with those who cite it."""
    fields = work.fields
    text = f"(work-{work.key})=\n\n**{work.label}**. {_listed(work.names)}, *{fields['title']}*"
    text += f", {fields['journal']}" if "journal" in fields else ""
    text += f" ({fields['year']})." if "(" not in fields.get("journal", "") else "."
    doi, number = fields.get("doi"), fields.get("eprint")
    text += f" [doi {doi}](<https://doi.org/{doi}>)." if doi else ""
    text += f" [arXiv {number}](https://arxiv.org/abs/{number})." if number else ""
    return f"{text}\\\nCited by {', '.join(citing)}.\n"


def page(sources: Iterable[tuple[str, str]], code: Iterable[tuple[str, str]]) -> str:
    """Return the page of all works, by group, in the order of the file; code counts where nothing else cites a work."""
    citing = cited_by(code) | cited_by(sources)
    groups: dict[str, list[Work]] = defaultdict(list)
    for work in works().values():
        groups[work.fields["group"]].append(work)
    parts = [
        (
            "# Bibliography\n\nEvery work that a page, a docstring, a derivation, a claim or the code cites, and who "
            "does. The same {download}`as BibTeX <../references.bib>`. What is marked in the package as its own "
            "construction is in none of them.\n"
        )
    ]
    for title, members in groups.items():
        parts += [f"## {title}\n", *(entry(work, citing[work.key]) for work in members)]
    return "\n".join(parts)


def _setup_links(app: Any) -> None:
    """Add the transform that makes links of citations; docutils is imported only where pages are built."""
    from docutils import nodes
    from sphinx import addnodes
    from sphinx.transforms import SphinxTransform

    unlinked = nodes.literal, nodes.literal_block, nodes.reference, nodes.title, nodes.math, nodes.raw, nodes.comment
    unlinked += addnodes.pending_xref, addnodes.desc_signature, nodes.term, nodes.FixedTextElement

    def parents(node: Any) -> Iterator[Any]:
        while node.parent is not None:
            node = node.parent
            yield node

    class Citations(SphinxTransform):
        default_priority = 600

        def apply(self, **_: Any) -> None:
            if self.env.docname == PAGE:
                return
            for text in list(self.document.findall(nodes.Text)):
                places = list(citations(text))
                if not places or any(isinstance(node, unlinked) for node in parents(text)):
                    continue
                parts, end = [], 0
                for start, stop, key in places:
                    link = addnodes.pending_xref(
                        "", nodes.inline("", text[start:stop]), refdomain="std", reftype="ref",
                        reftarget=f"work-{key}", refexplicit=True, refwarn=True, refdoc=self.env.docname,
                    )  # fmt: skip
                    parts += [nodes.Text(text[end:start]), link]
                    end = stop
                text.parent.replace(text, [*parts, nodes.Text(text[end:])])

    app.add_transform(Citations)


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx."""
    _setup_links(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
