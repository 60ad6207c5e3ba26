"""Pages that are written from the package itself: every public object, every derivation, every verdict.

They land in ``docs/generated/``, which is not kept: nothing that the package says of itself stands twice.
"""

import importlib
import inspect
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from html import escape
from pathlib import Path
from typing import Any

import bibliography
import calibration
import claim_scripts
from links import Names, derived_in, shown_in

import statnn
from statnn import theory
from statnn.theory.document import document
from statnn.theory.prose import pieces
from statnn.theory.registry import DERIVATIONS
from validation.claims import CLAIMS

HERE = Path(__file__).parents[1]
GENERATED = HERE / "generated"
ROOMS = {
    "statnn": "The package",
    "statnn.activation": "Which neurons have ever worked",
    "statnn.network": "Networks",
    "statnn.interaction": "Networks as Hamiltonians on graphs",
    "statnn.montecarlo": "Sampling",
    "statnn.rg": "Renormalisation over repeated layers",
    "statnn.rg.wide": "Wide random layers",
    "statnn.rg.repeated": "Deterministic repeated layers",
    "statnn.rg.lattice": "Layers that are lattices",
    "statnn.measure.spikes": "Spike statistics",
    "statnn.measure.growth": "Growth curves of real units",
    "statnn.measure.graph": "Node strength",
    "statnn.measure.order": "Order-preserving units",
    "statnn.measure.basins": "Attraction basins",
    "statnn.measure.correlation": "Correlation between neurons",
    "statnn.measure.tangent": "Tangent kernels",
    "statnn.io": "Networks and results in files",
    "statnn.inspection": "One page on one network",
    "statnn.testing": "Tests of formulas, and of objects of one's own",
    "statnn.testing.statistics": "Comparisons of data with theory",
    "statnn.testing.strategies": "Objects for hypothesis",
    "statnn.theory": "Derivations",
    "statnn.plot": "Figures",
}
_LITERAL = re.compile(r"(``.*?``|`[^`]*`|\*\*\w[^*]*\*\*|(?<![\w*])\*\w[^*]*\*(?!\w))")
PAPERS = {
    "2412.18073": "Zhang & Sui",
    "2410.00396": "Lee, Lee & Yi",
    "2308.00858": "Lehmler et al.",
    "2501.02436": "Lin et al.",
}
_FIELD = re.compile(r"\s*[\w., *]+ : ")  # name and type, which are set in italics; names in See Also
_LETTER = re.compile(r"^(\s*)(?=([A-Za-z])[.)](?:\s|$))\2")  # "D." alone is no list
_MARKDOWN = re.compile(r"([\\*_$`|<\[\]])")
_DESCRIBED = {"Parameters", "Other Parameters", "Attributes", "Returns", "Yields", "Raises", "Warns"}
_RULER = re.compile(r"\s*=+( +=+)+\s*$")  # the ruler of a table, whose columns must keep their places
OUTCOMES = {"holds exactly": "=", "holds asymptotically": "≃", "holds within a domain": "◐", "contradicted": "✕"}


def _write(path: Path, text: str) -> None:
    """Write a page; an unchanged one is left alone, so that it is not built again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def _first_line(thing: Any) -> str:
    text = inspect.getdoc(thing) or ""
    return _typeset(text.split("\n\n", 1)[0].replace("\n", " "))


def _summary(thing: Any) -> str:
    """Return the first line of an object's docstring; of data, their type and length."""
    if isinstance(thing, Mapping | list | tuple):
        return f"{'mapping' if isinstance(thing, Mapping) else type(thing).__name__} of {len(thing)}"
    return _first_line(thing)


def _sentence(text: str) -> str:
    """Return a sentence as Markdown, its mathematics set."""
    return "".join(f"{{math}}`{tex}`" if tex else _MARKDOWN.sub(r"\\\1", words) for words, tex in pieces(text))


def _heading(text: str) -> str:
    return f"{text}\n{'=' * len(text)}\n"


# -- API -----------------------------------------------------------------------------------------------------


def _directive(name: str, thing: Any, around: str) -> str:
    module, _, short = name.rpartition(".")
    if isinstance(thing, Mapping | list | tuple):
        listed = "\n".join(f"- ``{each}``" for each in thing)
        return f"{_heading(name)}\n.. py:data:: {name}\n\n   {_summary(thing)}.\n\n{listed}\n"
    if inspect.isclass(thing) and issubclass(thing, Enum):
        listed = "\n".join(f"- ``{member.name}``: {member.value}" for member in thing)
        return f"{_heading(name)}\n.. currentmodule:: {module}\n\n.. autoclass:: {short}\n\n{listed}\n\n{around}"
    kind = "autoclass" if inspect.isclass(thing) else "autofunction" if callable(thing) else "autodata"
    members = (
        "   :members:\n   :inherited-members: object, Exception, str, dict, tuple\n" if kind == "autoclass" else ""
    )
    return f"{_heading(name)}\n.. currentmodule:: {module}\n\n.. {kind}:: {short}\n{members}\n{around}"


def _around(name: str, derived: dict[str, list[str]], shown: dict[str, list[tuple[str, str]]]) -> str:
    """Return links to derivations of what an object computes, and to pages whose code uses it."""
    lines = []
    if name in derived:
        lines.append("Derivations: " + ", ".join(f":ref:`derivation-{each}`" for each in derived[name]) + ".")
    if name in shown:
        lines.append("In use: " + ", ".join(f":doc:`{title} <{page}>`" for title, page in shown[name]) + ".")
    title = ".. admonition:: On other pages\n   :class: seealso\n\n"  # "See also" is the heading of docstrings
    return title + "".join(f"   {line}\n\n" for line in lines) if lines else ""


def _things(module: Any) -> dict[str, Any]:
    things = {name: getattr(module, name) for name in module.__all__}
    return {name: thing for name, thing in things.items() if not inspect.ismodule(thing)}


def _room_page(room: str, title: str, homes: dict[int, str], around: Callable[[str], str]) -> None:
    """Write the page of a room, and pages of its objects that are not yet in `homes`."""
    module = importlib.import_module(room)
    things = _things(module)
    written = []
    for name, thing in things.items():
        full = homes.setdefault(id(thing), f"{room}.{name}")
        if full == f"{room}.{name}":
            written.append(full)
            _write(GENERATED / "api" / f"{full}.rst", _directive(full, thing, around(full)))
    rows = "".join(
        f"   * - :doc:`{name} <{homes[id(thing)]}>`\n     - {_summary(thing)}\n" for name, thing in things.items()
    )
    table = f".. list-table::\n   :class: room\n   :widths: 30 70\n\n{rows}\n" if rows else ""
    toctree = ".. toctree::\n   :hidden:\n\n" + "".join(f"   {full.rpartition('.')[2]} <{full}>\n" for full in written)
    _write(
        GENERATED / "api" / f"{room}.rst",
        f"{_heading(f'{title}: {room}')}\n.. py:module:: {room}\n\n{_first_line(module)}\n\n{table}\n{toctree}\n",
    )


def _api() -> Names:
    homes: dict[int, str] = {}
    derived, shown = derived_in(), shown_in()
    for room, title in ROOMS.items():
        _room_page(room, title, homes, lambda name: _around(name, derived, shown))
    listed = "".join(f"   {room}\n" for room in ROOMS)
    _write(
        GENERATED / "api" / "index.rst",
        f"{_heading('API')}\nOne page per object, by room. Symbols of the formulas: :doc:`/symbols`.\n\n"
        f".. toctree::\n   :maxdepth: 1\n\n{listed}",
    )
    modules = map(importlib.import_module, ROOMS)
    return Names(homes, {id(thing): thing for module in modules for thing in _things(module).values()})


# -- derivations -----------------------------------------------------------------------------------------------


def _derivation(name: str) -> str:
    derivation = theory.derivation(name)
    lines = [f"(derivation-{name})=", f"## {derivation.title}", ""]
    origin = derivation.source[:1].upper() + derivation.source[1:]
    lines += [f"`{name}`, {derivation.standing}. {origin}.", ""]
    for number, (step, names) in enumerate(derivation.with_names(), 1):
        tex, mark = step.latex(), f"{number}. "
        shown = (tex, *(rf"\text{{where }} {name.latex()}" for name in names))
        below = [line for each in shown for line in ("", "```{math}", each, "```")]
        below += ["", f"<details><summary>LaTeX</summary><pre>{escape(tex)}</pre></details>"]
        lines += [f"{mark}{_sentence(step.statement)} *({step.kind})*"]
        lines += [*(f"{'':{len(mark)}}{line}".rstrip() for line in below), ""]  # markdown wants the width of the mark
    return "\n".join(lines)


def _document(folder: Path) -> bool:
    """Write all derivations as one PDF, where pdflatex is at hand; return whether it is there."""
    names = [
        name for room in claim_scripts.ROOMS for name in importlib.import_module(f"statnn.theory.{room}").DERIVATIONS
    ]
    program, target = shutil.which("pdflatex"), folder / "derivations.pdf"
    if program is None:
        target.unlink(missing_ok=True)
        return False
    source = folder / "derivations.tex"
    before = source.read_text(encoding="utf-8") if source.exists() else ""
    _write(source, document(theory.derivation(name) for name in names))
    if target.exists() and source.read_text(encoding="utf-8") == before:
        return True
    command = [program, "-interaction=nonstopmode", "-halt-on-error", source.name]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
    if made.returncode:
        target.unlink(missing_ok=True)
        raise RuntimeError(f"pdflatex cannot set {source}:\n{made.stdout[-2000:]}")
    return True


def _derivations() -> None:
    for room, title in claim_scripts.ROOMS.items():
        names = importlib.import_module(f"statnn.theory.{room}").DERIVATIONS
        _write(
            GENERATED / "derivations" / f"{room}.md",
            f"# {title}\n\n" + "\n".join(_derivation(name) for name in names),
        )
    listed = "\n".join(claim_scripts.ROOMS)
    in_print = "All of them {download}`in one PDF <derivations.pdf>`. " if _document(GENERATED / "derivations") else ""
    _write(
        GENERATED / "derivations" / "index.md",
        "# Derivations\n\nEach once, step by step, with what was checked of every step. "
        + in_print
        + "`python -m statnn.theory` "
        "checks them all on your machine.\n\n```{toctree}\n:maxdepth: 2\n\n" + listed + "\n```\n",
    )


# -- verdicts --------------------------------------------------------------------------------------------------


def _provenance(run: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
    commit = f"commit {run['commit'][:7]}, " if run.get("commit") else ""
    return f"`{run['command']}` ({commit}{run['mode']} run, seed {run['seed']}, {run['seconds']:.0f} s; {versions})"


def _verdict(claim: dict[str, Any]) -> str:
    name = claim["id"]
    links = ", ".join(f"[{each}](#derivation-{each})" for each in claim["derivations"])
    lines = [f"(claim-{name})=", f"## {claim['title']}", "", _sentence(claim["statement"]), ""]
    lines += [f"*{claim['source']}*. Standing: {claim['standing']}." + (f" Derivations: {links}." if links else ""), ""]
    if claim["verdict"] is None:
        return "\n".join([*lines, f"Not run: {claim['skipped'] or claim['error']}.", ""])
    verdict = claim["verdict"]
    lines += [f"**{OUTCOMES[verdict['outcome']]} {verdict['outcome']}**. {_sentence(verdict['detail'])}", ""]
    lines += [f"- {_sentence(finding['text'])}" for finding in verdict.get("findings", ())]
    lines += [f"\nOf {_provenance(claim['run'])}."] if "run" in claim else []
    lines += [f"\n{{doc}}`Figure and script <{claim_scripts.page(CLAIMS[name])}>`"] if name in CLAIMS else []
    lines += [f"\n`python -m validation --only {name}`", ""]
    return "\n".join(lines)


def _choice(name: str, choices: Iterable[str]) -> str:
    options = "".join(f"<option>{escape(choice)}</option>" for choice in choices)
    return f'<select name="{name}" aria-label="{name}"><option value="">any {name}</option>{options}</select>'


def _paper(claim: dict[str, Any]) -> str:
    return next((paper for number, paper in PAPERS.items() if number in claim["source"]), "other")


def _row(claim: dict[str, Any]) -> str:
    verdict = claim["verdict"]
    outcome = f"{OUTCOMES[verdict['outcome']]} {verdict['outcome']}" if verdict else "not run"
    return (
        f"* - [{claim['title']}](#claim-{claim['id']})\n  - {outcome}\n  - {claim['standing']}\n  - {_paper(claim)}\n"
    )


def _verdicts() -> None:
    record = json.loads((HERE / "verdicts.json").read_text(encoding="utf-8"))
    claims = list(record["claims"].values())
    run, held = record["run"], [claim["passed"] for claim in claims if claim["verdict"]]
    standings = dict.fromkeys(claim["standing"] for claim in claims)
    page = f"""# Verdicts

Every claim that the package makes, or that a source paper makes, against simulation and real networks.
{sum(held)} of the {len(held)} that were run came out as stated beforehand, and the wrong twin of every quantity that
they judge was rejected.

These are the verdicts of {_provenance(run)}, unless a verdict says that it is of another run.

<form class="verdicts">
<input name="text" type="search" aria-label="words" placeholder="words of title or verdict">
{_choice("outcome", [*OUTCOMES, "not run"])}
{_choice("standing", standings)}
{_choice("source", [*PAPERS.values(), "other"])}
<button type="reset">all</button> <output></output>
</form>

```{{list-table}}
:class: verdicts
:header-rows: 1

* - Claim
  - Verdict
  - Standing
  - Source
{"".join(map(_row, claims))}
```

"""
    _write(GENERATED / "verdicts.md", page + "\n".join(map(_verdict, claims)))
    _write(GENERATED / "calibration.md", calibration.page({claim["id"]: claim["title"] for claim in claims}, _sentence))


# -- benchmarks ------------------------------------------------------------------------------------------------


def _measured(row: dict[str, Any]) -> str:
    target = "" if row["target"] is None else f"{'≤' if row['most'] else '≥'} {row['target']:g}"
    cells = [row["work"], row["ours"], row["peer"], row["ratio"], target, row["limit"]]
    cells = [_MARKDOWN.sub(r"\\\1", cell) for cell in cells]
    cells[4] += " **missed**" * row["missed"]
    return "* - " + "\n  - ".join(cells) + "\n"


def _bound(row: dict[str, str]) -> str:
    return "* - " + "\n  - ".join(row[key] for key in ("work", "limit", "share", "count", "reason")) + "\n"


def _benchmarks() -> None:
    record = json.loads((HERE / "benchmarks.json").read_text(encoding="utf-8"))
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    missed = sum(row["missed"] for row in record["rows"])
    command = f"python -m validation.benchmarks{' --quick' * record['quick']} --json docs/benchmarks.json"
    page = f"""# Benchmarks

How long work takes here, beside the fastest public program for the same work that we know, measured alternately in
one process on one core unless a row says otherwise. A ratio above one says how many times longer the peer takes;
brackets hold its smallest and largest of the repetitions. A share of a limit is of what this processor was seen to do
in the same run.

Measured by `{command}` on {record["processor"]}, {record["cores"]} cores, with {versions}. {record["remark"]}

{len(record["rows"])} rows, {missed} targets missed. When targets were met or changed is in the history of
`docs/benchmarks.json`.

```{{list-table}}
:header-rows: 1

* - Work
  - statnn
  - Peer
  - Peer / statnn
  - Target
  - Share of a limit
{"".join(map(_measured, record["rows"]))}```

## Why not faster

What bounds work that misses its target, or is far from a limit. {record["why_on"]}

```{{list-table}}
:header-rows: 1

* - Work
  - Limit
  - Share of it
  - Counted
  - Why not more
{"".join(map(_bound, record["why"]))}```
"""
    _write(GENERATED / "benchmarks.md", page)


# -- bibliography ----------------------------------------------------------------------------------------------


def _said(thing: Any) -> str:
    """Return the docstrings of an object and its public members."""
    members = [name for name in vars(thing) if not name.startswith("_")] if inspect.isclass(thing) else []
    return "\n".join(filter(None, map(inspect.getdoc, [thing, *(getattr(thing, name) for name in members)])))


def _citing(homes: Iterable[str]) -> Iterable[tuple[str, str]]:
    """Yield links to places that may cite a work, each with its text."""
    for room in ROOMS:
        yield f"{{doc}}`{room} <api/{room}>`", inspect.getdoc(importlib.import_module(room)) or ""
    for home in sorted(homes):
        room, _, name = home.rpartition(".")
        yield f"{{doc}}`{name} <api/{home}>`", _said(getattr(importlib.import_module(room), name))
    for name in DERIVATIONS:
        derivation = theory.derivation(name)
        yield f"derivation [{name}](#derivation-{name})", f"{derivation.source} {derivation.title}"
    for name, claim in json.loads((HERE / "verdicts.json").read_text(encoding="utf-8"))["claims"].items():
        yield f"claim [{name}](#claim-{name})", f"{claim['source']} {claim['statement']}"
    for file in sorted([*HERE.glob("*.md"), *HERE.glob("[pth]*/*.md")]):
        document = file.relative_to(HERE).with_suffix("").as_posix()
        yield f"{{doc}}`/{document}`", file.read_text(encoding="utf-8")


def _code() -> Iterable[tuple[str, str]]:
    root = Path(statnn.__file__).parent
    for file in sorted(root.rglob("*.py")):
        yield f"the code, `{file.relative_to(root.parent)}`", file.read_text(encoding="utf-8")


def _bibliography(homes: Iterable[str]) -> None:
    _write(GENERATED / "bibliography.md", bibliography.page(_citing(homes), _code()))


def write_pages(app: Any) -> None:
    """Write all pages."""
    app.statnn_names = _api()
    _bibliography(app.statnn_names.homes)
    _derivations()
    _verdicts()
    _benchmarks()


def _formulas(words: str) -> str:
    """Return words of a docstring with their mathematics set."""
    parts = list(pieces(words.replace("<=", "≤").replace(">=", "≥")))
    if parts and parts[-1][0] in {"a", "A"}:
        parts[-1] = (parts[-1][0], "")  # at the end of a line "a" is the article
    return "".join(rf"\ :math:`{tex}`\ " if tex else _plain(text) for text, tex in parts)


def _plain(text: str) -> str:
    return text.replace("|", r"\|").replace("**", r"\*\*")


def _typeset(line: str, *, prose: bool = True) -> str:
    """Return a line of a docstring with its mathematics set if it is prose; literals stay as they are."""
    parts = _LITERAL.split(line)
    parts[::2] = [_formulas(part) if prose else _plain(part) for part in parts[::2]]
    return re.sub(r"\\ $", "", "".join(parts))  # the escaped blank would join the last word to the next line


def _join_marked(lines: list[str]) -> None:
    """Join lines where a literal, or a formula that ends in an operator, goes on in the next line."""
    i = 0
    while i < len(lines) - 1:
        cut = lines[i].count("`") % 2 or re.search(r"\w.*[=<>≤≥≈∝+·]$", lines[i])
        if cut and lines[i + 1].strip() and not lines[i].lstrip().startswith((">>>", "...")):
            lines[i : i + 2] = [f"{lines[i]} {lines[i + 1].lstrip()}"]
        else:
            i += 1


def _is_prose(section: str, line: str) -> bool:
    """Whether a line is a sentence, not the name and type of something, nor code."""
    return section in {"", "Notes"} or (section in _DESCRIBED and line.startswith("    "))


def mend_lines(app: Any, _what: str, name: str, thing: Any, _options: Any, lines: list[str]) -> None:
    """Keep |x| a modulus, not a substitution of reStructuredText, and make names of objects links."""
    inside_math, example, rulers, section = False, False, 0, ""
    parameters = inspect.signature(thing).parameters if inspect.isfunction(thing) else ()
    _join_marked(lines)
    for i, line in enumerate(lines):
        if line.strip() and re.fullmatch("-{3,}", "".join(lines[i + 1 : i + 2])):
            section = line.strip()
        if line.strip():
            indented = line.startswith("   ")
            inside_math = line.strip().startswith(".. math::") or (inside_math and indented)
        rulers += bool(_RULER.match(line))  # three per table; links would shift its columns
        example = bool(line.strip()) and (example or line.lstrip().startswith(">>>"))  # an example includes its output
        if not inside_math and not example:
            prose = _is_prose(section, line) and not rulers % 3 and not _FIELD.match(line)
            whole = _LETTER.sub(r"\1\\\2", _typeset(line, prose=prose))
            lines[i] = whole if rulers % 3 or _FIELD.match(line) else app.statnn_names.link(whole, name, parameters)


def name_defaults(_app: Any, _what: str, _name: str, _thing: Any, _options: Any, signature: str, result: str) -> Any:
    """Show classes and functions in signatures by their names: float64, not <class 'numpy.float64'>."""
    return re.sub(r"<(?:class|function) '?(?:\w+\.)*(\w+)'?>", r"\1", signature or "") or None, result


def skip_members(_app: Any, _what: str, name: str, thing: Any, _skip: bool, _options: Any) -> bool | None:
    """Leave out members of every exception, fields of named tuples without a docstring, and functions in fields."""
    numbered = (inspect.getdoc(thing) or "").startswith("Alias for field number")
    kept = inspect.isfunction(thing) and thing.__name__ != name  # the value of a field
    return True if numbered or kept or getattr(thing, "__objclass__", None) is BaseException else None


def copy_mathjax(app: Any, failure: Exception | None) -> None:
    """Copy the one script that sets mathematics, with its fonts inside: the site asks nobody else for anything."""
    if failure or app.builder.format != "html":
        return
    package = importlib.import_module("sphinx-mathjax-offline")  # a name with hyphens cannot be imported by a statement
    target = Path(app.outdir, "_static", "mathjax")
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(package.__file__).parent / "static" / "mathjax" / "tex-svg.js", target)


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("builder-inited", write_pages)
    app.connect("autodoc-process-docstring", mend_lines, priority=400)  # before napoleon
    app.connect("autodoc-process-signature", name_defaults)
    app.connect("autodoc-skip-member", skip_members)
    app.connect("build-finished", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
