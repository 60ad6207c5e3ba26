"""What a report says of one claim: statement, verdict, each judged quantity, figure."""

from collections.abc import Iterable
from html import escape

from statnn._text import p_alone, printed, with_error
from validation.claim import STANDINGS, Outcome, Verdict
from validation.finding import Asks, Finding
from validation.task import Record, Twin

_LOOKS = {
    Outcome.EXACT: ("exact", "="),
    Outcome.ASYMPTOTIC: ("asymptotic", "≃"),
    Outcome.DOMAIN: ("domain", "◐"),
    Outcome.CONTRADICTED: ("contradicted", "✕"),
}


def sentence(text: str) -> str:
    """Return a sentence with its mathematics as MathML, which browsers draw by themselves."""
    from statnn.theory.prose import with_mathml

    return with_mathml(text)


def badge(kind: str, words: str) -> str:
    """Return words in a frame."""
    return f'<span class="badge {kind}">{escape(words)}</span>'


def look(kind: Outcome) -> tuple[str, str]:
    """Return the name of an outcome's colour and its sign."""
    return _LOOKS[kind]


def outcome(verdict: Verdict | None, record: Record) -> str:
    """Return what became of a claim, as a badge."""
    if record.skipped:
        return badge("none", "– not run")
    if verdict is None:
        return badge("bad", "! crashed")
    kind, sign = _LOOKS[verdict.outcome]
    return badge(kind, f"{sign} {verdict.outcome}")


def expectation(record: Record) -> str:
    """Return whether a claim came out as expected, or why it was not run."""
    if record.skipped:
        return escape(record.skipped.removeprefix("not run: "))  # the badge beside it says so
    if record.passed:
        return "as expected"
    if record.error:
        return badge("bad", "! crashed")
    return badge("bad", "! twin not rejected" if record.as_expected else "! NOT as expected")


def section(record: Record) -> str:
    """Return all that is known of a claim."""
    standing = escape(f"{record.standing}, {STANDINGS[record.standing]}")
    parts = [
        f'<section id="{record.id}">',
        f"<h3>{escape(record.title)}</h3>",
        f'<p class="lead">{sentence(record.statement)}</p>',
        f'<p class="meta">{escape(record.source)}. Standing: {standing}.</p>',
        _findings(record),
        _derived(record),
    ]
    if record.error:
        trace = f'<pre tabindex="0">{escape(record.error)}</pre>'
        parts.append(f"<details open><summary>Crashed</summary>{trace}</details>")
    elif record.verdict:
        parts.append(_figure(record))
    return "\n".join([*parts, "</section>"])


def _findings(record: Record) -> str:
    entries = [("Verdict", f"{outcome(record.verdict, record)} {expectation(record)}")]
    if record.verdict and record.verdict.detail:
        entries.append(("In detail", sentence(record.verdict.detail)))
    entries.append(("Expected", escape(record.expected)))
    if not record.skipped:
        entries.append(("Time", f"{record.seconds:.1f} s"))
    words = "<dl>\n" + "\n".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in entries) + "\n</dl>"
    return f"{words}\n{_quantities(record.verdict, record.twins)}" if record.verdict else words


QUANTITIES = (
    "Quantity", "Estimate", "Theory at these sizes", "In the limit", "Tolerance", "z", "p", "Comparisons", "Sees",
    "Seen with 0.999", "Wrong twin",
)  # fmt: skip


def _quantities(verdict: Verdict, twins_of: Iterable[Twin]) -> str:
    twins = {twin.quantity: twin for twin in twins_of}
    rows = "\n".join(_quantity(finding, verdict, twins.get(finding.quantity)) for finding in verdict.findings)
    return table("Judged quantities", QUANTITIES, rows)


def table(name: str, heads: Iterable[str], rows: str) -> str:
    """Return a table in a frame of its own, which scrolls by keys as well."""
    cells = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(name)}"><table>\n'
        f"<thead><tr>{cells}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table></div>"
    )


def _quantity(finding: Finding, verdict: Verdict, twin: Twin | None) -> str:
    relation = "" if finding.asks is Asks.EQUAL else f"{finding.asks} "
    fate = "–"
    if twin:
        size = f" by {twin.by:.3g} {finding.unit}" if twin.by else ""
        fate = f"wrong{size}: {'rejected' if twin.rejected else 'NOT rejected'}; {twin.verdict[finding.quantity]}"
    reach = finding.reach(len(verdict.findings))
    name = finding.quantity + ("" if finding.quantity not in verdict.failing else " (not as claimed)")
    cells = (
        with_error(finding.estimate, finding.error),
        f"{relation}{printed(finding.theory)}",
        "–" if finding.limit is None else printed(finding.limit),
        printed(finding.tolerance, 3) if finding.tolerance or finding.p is None else "none",
        "–" if finding.z is None else f"{finding.z + 0.0:+.2f}".replace("-", "−"),
        "–" if finding.p is None else p_alone(finding.p),
        "1" if finding.comparisons == 1 else f"worst of {finding.comparisons}",
        finding.seen,
        "–" if reach is None else f"{reach}{'' if finding.comparisons == 1 else ', in this one alone'}",
        fate,
    )
    numbers, words = map(escape, cells[:7]), map(sentence, cells[7:])
    labelled = zip(QUANTITIES[1:], (*numbers, *words), strict=True)
    marked = "".join(f'<td data-label="{head}">{cell}</td>' for head, cell in labelled)
    return f'<tr><th scope="row">{sentence(name)}</th>{marked}</tr>'


def _derived(record: Record) -> str:
    links = ", ".join(
        f'<a href="#derivation.{derivation["name"]}">{escape(derivation["title"])}</a>'
        for derivation in record.derivations
    )
    return f'<p class="meta">Derived: {links}.</p>' if links else ""


def in_words(caption: str) -> str:
    """Return a caption with its mathematics as text, for screen readers and where no picture is shown."""
    from statnn.theory.plain import plain

    parts = caption.split("$")
    parts[1::2] = map(plain, parts[1::2])
    return "".join(parts).replace("^*", "*")


def _caption(caption: str) -> str:
    """Return a caption with its mathematics set."""
    from statnn.theory.mathml import mathml

    parts = caption.split("$")
    parts[::2] = map(escape, parts[::2])
    parts[1::2] = map(mathml, parts[1::2])
    return "".join(parts)


def _figure(record: Record) -> str:
    name = record.id
    picture = f'<img src="{name}.svg" alt="{escape(in_words(record.caption or record.title))}" loading="lazy">'
    return (
        f'<figure><div class="picture"><a href="{name}.svg">{picture}</a></div>\n'
        f"<figcaption>{_caption(record.caption)} Decided by {sentence(str(record.verdict))}. "
        f'<a href="{name}.npz">Data</a>, <a href="{name}.png">PNG</a>.</figcaption></figure>'
    )
