"""The report of a run: ``verdicts.json`` for programs and ``index.html`` for people.

The page needs no network and no script: style and formulas (SVG) stand in it, figures lie beside it.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from html import escape
from pathlib import Path

from statnn._text import p_value
from statnn.plot import replacing
from validation.claim import STANDINGS, Outcome, Verdict, measured
from validation.finding import Asks, Finding
from validation.task import Record, Twin

_LOOKS = {
    Outcome.EXACT: ("exact", "="),
    Outcome.ASYMPTOTIC: ("asymptotic", "≃"),
    Outcome.DOMAIN: ("domain", "◐"),
    Outcome.CONTRADICTED: ("contradicted", "✕"),
}
_STYLE = Path(__file__).with_name("report.css")


def write(out: Path, run: dict, records: list[Record]) -> None:
    """Write both files; `run` says how the records came about."""
    with replacing(out / "verdicts.json") as file:
        file.write(as_json(run, records).encode())
    with replacing(out / "index.html") as file:
        file.write(as_html(run, records).encode())


def as_json(run: dict, records: Iterable[Record]) -> str:
    """Return the provenance of the run and everything known of each claim."""
    claims = {record.id: _plain(record) for record in records}
    return json.dumps({"run": run, "claims": claims}, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(record: Record) -> dict:
    plain = asdict(record)
    plain["derivations"] = [derivation["name"] for derivation in record.derivations]
    if record.verdict:
        plain["verdict"] = _plain_verdict(record.verdict)
    plain["twins"] = [
        {"quantity": twin.quantity, "by": twin.by, "rejected": twin.rejected, "verdict": _plain_verdict(twin.verdict)}
        for twin in record.twins
    ]
    flags = ("as_expected", "twins_rejected", "passed")
    return plain | {flag: None if record.skipped else getattr(record, flag) for flag in flags}


def _plain_verdict(verdict: Verdict) -> dict:
    reaches = [finding.reach(len(verdict.findings)) for finding in verdict.findings]
    findings = [
        asdict(finding) | {"dof": finding.dof if finding.dof != math.inf else None}
        | {"holds": finding.quantity not in verdict.failing, "text": str(finding)}
        | {"reach": reach and asdict(reach)}
        for finding, reach in zip(verdict.findings, reaches, strict=True)
    ]  # fmt: skip
    return {"outcome": verdict.outcome, "detail": verdict.detail, "findings": findings}


def as_html(run: dict, records: list[Record]) -> str:
    """Return the page."""
    rows = "\n".join(map(_row, records))
    sections = "\n".join(map(_section, records))
    versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
    place = "".join(
        f"; {name} {run[name]}" for name in ("commit", "processor", "blas", "data", "time") if run.get(name)
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="provenance" content="{escape(json.dumps({"format": "statnn.validation", **run}))}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Theory against simulation and real networks</title>
<style>
{_STYLE.read_text(encoding="utf-8")}</style>
</head>
<body>
<header>
<h1>Theory against simulation and real networks</h1>
<p class="lead">{_summary(records)}</p>
<p class="meta"><code>{escape(run["command"])}</code><br>
{escape(run["mode"])} run, seed {run["seed"]}, {run["seconds"]:.0f} s; {escape(versions)}{escape(place)}</p>
</header>
<main>
<div class="scroll"><table>
<thead><tr><th>Claim</th><th>Verdict</th><th>Decided by</th><th>Expected?</th></tr></thead>
<tbody>
{rows}
</tbody>
</table></div>
{sections}
{_kinds(records)}
</main>
</body>
</html>
"""


def _summary(records: list[Record]) -> str:
    run = [record for record in records if not record.skipped]
    good = sum(record.passed for record in run)
    skipped = f"; {len(records) - len(run)} not run" if len(run) < len(records) else ""
    return f"{good} of {len(run)} claims came out as expected and their wrong twins were rejected{skipped}."


def _badge(kind: str, words: str) -> str:
    return f'<span class="badge {kind}">{escape(words)}</span>'


def _outcome(verdict: Verdict | None, record: Record) -> str:
    if record.skipped:
        return _badge("none", "– not run")
    if verdict is None:
        return _badge("bad", "! crashed")
    kind, sign = _LOOKS[verdict.outcome]
    return _badge(kind, f"{sign} {verdict.outcome}")


def _expectation(record: Record) -> str:
    if record.skipped:
        return escape(record.skipped)
    if record.passed:
        return "as expected"
    if record.error:
        return _badge("bad", "! crashed")
    return _badge("bad", "! twin not rejected" if record.as_expected else "! NOT as expected")


def _row(record: Record) -> str:
    decided = escape(str(record.verdict)) if record.verdict else "–"
    return (
        f'<tr><td><a href="#{record.id}">{escape(record.title)}</a></td>'
        f"<td>{_outcome(record.verdict, record)}</td>"
        f'<td data-label="decided by">{decided}</td>'
        f"<td>{_expectation(record)}</td></tr>"
    )


def _section(record: Record) -> str:
    standing = escape(f"{record.standing}, {STANDINGS[record.standing]}")
    parts = [
        f'<section id="{record.id}">',
        f"<h2>{escape(record.title)}</h2>",
        f'<p class="lead">{escape(record.statement)}</p>',
        f'<p class="meta">{escape(record.source)}. Standing: {standing}.</p>',
        _findings(record),
        *map(_derivation, record.derivations),
    ]
    if record.error:
        parts.append(f"<details open><summary>Crashed</summary><pre>{escape(record.error)}</pre></details>")
    elif record.verdict:
        parts.append(_figure(record))
    return "\n".join([*parts, "</section>"])


def _findings(record: Record) -> str:
    entries = [("Verdict", f"{_outcome(record.verdict, record)} {_expectation(record)}")]
    if record.verdict and record.verdict.detail:
        entries.append(("In detail", escape(record.verdict.detail)))
    entries.append(("Expected", escape(record.expected)))
    if not record.skipped:
        entries.append(("Time", f"{record.seconds:.1f} s"))
    words = "<dl>\n" + "\n".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in entries) + "\n</dl>"
    return f"{words}\n{_quantities(record.verdict, record.twins)}" if record.verdict else words


QUANTITIES = ("Quantity", "Estimate", "Theory", "Tolerance", "z", "p", "Sees", "Seen with 0.999", "Wrong twin")


def _quantities(verdict: Verdict, twins_of: Iterable[Twin]) -> str:
    twins = {twin.quantity: twin for twin in twins_of}
    rows = "\n".join(_quantity(finding, verdict, twins.get(finding.quantity)) for finding in verdict.findings)
    heads = "".join(f"<th>{name}</th>" for name in QUANTITIES)
    return f'<div class="scroll"><table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table></div>'


def _quantity(finding: Finding, verdict: Verdict, twin: Twin | None) -> str:
    relation = "" if finding.asks is Asks.EQUAL else f"{finding.asks} "
    limit = "" if finding.limit is None else f" at these sizes, {finding.limit:.6g} in the limit"
    chance = "–" if finding.p is None else p_value(finding.p).removeprefix("p = ")
    fate = "–"
    if twin:
        size = f" by {twin.by:.3g} {finding.unit}" if twin.by else ""
        fate = f"wrong{size}: {'rejected' if twin.rejected else 'NOT rejected'}; {twin.verdict[finding.quantity]}"
    reach = finding.reach(len(verdict.findings))
    cells = (
        finding.quantity + ("" if finding.quantity not in verdict.failing else " (not as claimed)"),
        measured(finding.estimate, finding.error),
        f"{relation}{finding.theory:.6g}{limit}",
        f"{finding.tolerance:.3g}" if finding.tolerance or finding.p is None else "none",
        "–" if finding.z is None else f"{finding.z + 0.0:+.2f}",
        chance + (f", worst of {finding.comparisons}" if finding.comparisons > 1 else ""),
        finding.seen,
        "–" if reach is None else str(reach),
        fate,
    )
    labelled = zip(QUANTITIES, cells, strict=True)
    return "<tr>" + "".join(f'<td data-label="{name.lower()}">{escape(cell)}</td>' for name, cell in labelled) + "</tr>"


def _derivation(derivation: dict) -> str:
    from statnn.theory.kinds import tally
    from validation.typeset import svg

    steps = "\n".join(
        f"<li>{escape(step['statement'])} <em>({step['kind']})</em>\n"
        f'<div class="formula">{svg(step["latex"])}</div></li>'
        for step in derivation["steps"]
    )
    counted = tally(Counter(step["kind"] for step in derivation["steps"]))
    return (
        f"<details><summary>Derivation: {escape(derivation['title'])}</summary>\n"
        f'<p class="meta">{escape(derivation["source"])}; {escape(derivation["standing"])}. '
        f"In this run {counted}.</p>\n<ol>\n{steps}\n</ol></details>"
    )


def _kinds(records: list[Record]) -> str:
    """Return the table of the kinds of steps, each derivation counted once; nothing when no claim has one."""
    derivations = {each["name"]: each for record in records for each in record.derivations}
    if not derivations:
        return ""
    from statnn.theory.kinds import KINDS

    counts = Counter(step["kind"] for each in derivations.values() for step in each["steps"])
    rows = "".join(
        f"<tr><td>{kind}</td><td>{counts[kind]}</td><td>{escape(meaning)}</td></tr>\n"
        for kind, meaning in KINDS.items()
    )
    return (
        "<section><h2>Steps of derivations</h2>\n"
        '<p class="lead">Each derivation once; definitions and arguments are never counted as checked.</p>\n'
        f'<div class="scroll"><table><thead><tr><th>Kind</th><th>Steps</th><th>What is checked</th></tr></thead>\n'
        f"<tbody>\n{rows}</tbody></table></div></section>"
    )


def _in_words(caption: str) -> str:
    """Return a caption with its mathematics as text, for pages, readers aloud and where no picture is shown."""
    from statnn.theory.plain import plain

    parts = caption.split("$")
    parts[1::2] = map(plain, parts[1::2])
    return "".join(parts).replace("^*", "*")


def _figure(record: Record) -> str:
    name = record.id
    picture = f'<img src="{name}.svg" alt="{escape(_in_words(record.caption or record.title))}" loading="lazy">'
    return (
        f'<figure><a href="{name}.svg">{picture}</a>\n'
        f"<figcaption>{escape(_in_words(record.caption))} {escape(str(record.verdict))}. "
        f'<a href="{name}.npz">Data</a>, <a href="{name}.png">PNG</a>.</figcaption></figure>'
    )
