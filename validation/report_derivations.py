"""Derivations in a report: each once, typeset, with its LaTeX to copy."""

from collections import Counter
from html import escape

from validation.report_claim import sentence, table
from validation.task import Record


def chapter(records: list[Record]) -> str:
    """Return the derivations of all claims and the table of the kinds of steps; nothing when no claim has one."""
    derivations = {each["name"]: each for record in records for each in record.derivations}
    if not derivations:
        return ""
    from statnn.theory.kinds import KINDS

    counts = Counter(step["kind"] for each in derivations.values() for step in each["steps"])
    rows = "\n".join(
        f'<tr><th scope="row">{kind}</th><td data-label="Steps">{counts[kind]}</td><td>{escape(meaning)}</td></tr>'
        for kind, meaning in KINDS.items()
    )
    users = {
        name: [record for record in records if any(each["name"] == name for each in record.derivations)]
        for name in derivations
    }
    return "\n".join(
        [
            '<section id="derivations.all"><h2>Derivations</h2>',
            '<p class="lead">Each derivation once; definitions and arguments are never counted as checked.</p>',
            table("Kinds of steps", ("Kind", "Steps", "What is checked"), rows),
            *(_derivation(each, users[name]) for name, each in derivations.items()),
            "</section>",
        ]
    )


def _derivation(derivation: dict, users: list[Record]) -> str:
    from statnn.theory.kinds import tally

    steps = "\n".join(map(_step, derivation["steps"]))
    counted = tally(Counter(step["kind"] for step in derivation["steps"]))
    claims = ", ".join(f'<a href="#{record.id}">{escape(record.title)}</a>' for record in users)
    source = "; ".join(escape(derivation[key]) for key in ("source", "standing"))
    return (
        f'<section id="derivation.{derivation["name"]}">\n<h3>{escape(derivation["title"])}</h3>\n'
        f'<p class="meta">{source}. In this run {counted}. Used by: {claims}.</p>\n'
        f"<details><summary>Steps</summary>\n<ol>\n{steps}\n</ol></details>\n</section>"
    )


def _step(step: dict) -> str:
    from validation.typeset import svg

    return (
        f"<li>{sentence(step['statement'])} <em>({step['kind']})</em>\n"
        f'<div class="formula" tabindex="0">{svg(step["latex"])}</div>\n'
        f'<details class="latex"><summary>LaTeX</summary><pre tabindex="0">{escape(step["latex"])}</pre></details></li>'
    )
