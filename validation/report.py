"""The report of a run: ``verdicts.json`` for programs and ``index.html`` for people.

The page needs no network and no script: style and formulas (SVG) are inside it, figures in files beside it.
"""

import json
import math
import re
from collections.abc import Iterable
from dataclasses import asdict
from html import escape
from pathlib import Path

from statnn.plot import replacing
from validation.claim import Outcome, Verdict
from validation.report_claim import badge, expectation, look, outcome, section, sentence, table
from validation.report_derivations import chapter
from validation.task import Record

_STYLE = Path(__file__).with_name("report.css")
_PAPER = re.compile(r"([A-Z]\w+(?:(?:, [A-Z]\w+)* & [A-Z]\w+| et al\.)? \d{4}), arXiv (\d{4}\.\d{4,5})")
_OTHER = ("other", "Other sources and this project")


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
    papers = by_paper(records)
    chapters = "\n".join(_chapter(*paper, of_paper) for paper, of_paper in papers.items())
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
<a class="skip" href="#main.content">To the claims</a>
<header>
<h1>Theory against simulation and real networks</h1>
<p class="lead">{_summary(records)}</p>
<p class="meta"><code>{escape(run["command"])}</code><br>
{escape(run["mode"])} run, seed {run["seed"]}, {run["seconds"]:.0f} s; {escape(versions)}{escape(place)}</p>
</header>
{_contents(papers, records)}
<main id="main.content">
{_not_run(records)}
{chapters}
{chapter(records)}
</main>
</body>
</html>
"""


def _summary(records: list[Record]) -> str:
    run = [record for record in records if not record.skipped]
    good = sum(record.passed for record in run)
    skipped = f"; {len(records) - len(run)} not run" if len(run) < len(records) else ""
    return f"{good} of {len(run)} claims came out as expected and their wrong twins were rejected{skipped}."


def by_paper(records: Iterable[Record]) -> dict[tuple[str, str], list[Record]]:
    """Return records by the paper they cite, its arXiv number and its authors; records that cite none come last."""
    papers: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        cited = _PAPER.search(record.source)
        papers.setdefault((cited[2], f"{cited[1]}, arXiv {cited[2]}") if cited else _OTHER, []).append(record)
    rest = papers.pop(_OTHER, None)
    return papers | ({_OTHER: rest} if rest else {})


def _counts(records: list[Record]) -> str:
    """Return how many claims there are, and badges with the number of each outcome."""
    run = [record for record in records if record.verdict]
    badges = [
        badge(look(kind)[0], f"{look(kind)[1]} {count} {kind}")
        for kind in Outcome
        if (count := sum(record.verdict is not None and record.verdict.outcome is kind for record in run))
    ]
    skipped = sum(bool(record.skipped) for record in records)
    crashed = sum(bool(record.error) for record in records)
    badges += [badge("bad", f"! {crashed} crashed")] if crashed else []
    badges += [badge("none", f"– {skipped} not run")] if skipped else []
    number = "1 claim" if len(records) == 1 else f"{len(records)} claims"
    return f"{number} {' '.join(badges)}"


def _contents(papers: dict[tuple[str, str], list[Record]], records: list[Record]) -> str:
    items = [f'<a href="#paper.{key}">{escape(title)}</a>: {_counts(own)}' for (key, title), own in papers.items()]
    if any(record.skipped for record in records):
        items.insert(0, '<a href="#not.run">What was not run</a>')
    if number := len({each["name"] for record in records for each in record.derivations}):
        items.append(f'<a href="#derivations.all">Derivations</a>: {number}')
    entries = "\n".join(f"<li>{item}</li>" for item in items)
    return f'<nav aria-label="Contents"><ul>\n{entries}\n</ul></nav>'


def _not_run(records: list[Record]) -> str:
    reasons: dict[str, list[Record]] = {}
    for record in records:
        if record.skipped:
            reasons.setdefault(record.skipped, []).append(record)
    if not reasons:
        return ""
    items = "\n".join(
        f"<li>{escape(reason.removeprefix('not run: '))}: "
        + ", ".join(f'<a href="#{r.id}">{escape(r.title)}</a>' for r in own)
        + "</li>"
        for reason, own in reasons.items()
    )
    return f'<section id="not.run"><h2>What was not run</h2>\n<ul>\n{items}\n</ul></section>'


def _chapter(key: str, title: str, records: list[Record]) -> str:
    overview = table(title, ("Claim", "Verdict", "Decided by", "Expected?"), "\n".join(map(_row, records)))
    sections = "\n".join(map(section, records))
    return (
        f'<section id="paper.{key}" class="paper">\n<h2>{escape(title)}</h2>\n<p class="meta">{_counts(records)}</p>\n'
        f"{overview}\n{sections}\n</section>"
    )


def _row(record: Record) -> str:
    decided = sentence(str(record.verdict)) if record.verdict else "–"
    return (
        f'<tr><th scope="row"><a href="#{record.id}">{escape(record.title)}</a></th>'
        f"<td>{outcome(record.verdict, record)}</td>"
        f'<td data-label="Decided by">{decided}</td>'
        f"<td>{expectation(record)}</td></tr>"
    )
