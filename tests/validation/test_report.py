"""The report is ordered by paper, and its statements are typeset."""

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from validation import claims, report
from validation.report_claim import section
from validation.task import Record


def test_report_is_ordered_by_paper():
    derivation = {"name": "d", "title": "D", "source": "here", "standing": "exact",
                  "steps": [{"statement": "s", "kind": "identity", "latex": "x"}]}  # fmt: skip
    sources = ["Onsager 1944", "from Lee, Lee & Yi 2024, arXiv 2410.00396", "Lin et al. 2025, arXiv 2501.02436, main"]
    records = [
        Record.of(
            replace(claims.CLAIMS["urn-law"], id=f"c{k}", source=source),
            skipped="needs <it>",
            derivations=(derivation,),
        )
        for k, source in enumerate([*sources, sources[1]])
    ]
    papers = report.by_paper(records)
    assert {title: [record.id for record in own] for (_, title), own in papers.items()} == {
        "Lee, Lee & Yi 2024, arXiv 2410.00396": ["c1", "c3"],
        "Lin et al. 2025, arXiv 2501.02436": ["c2"],
        "Other sources and this project": ["c0"],
    }
    run = {"command": "", "mode": "quick", "seed": 1, "seconds": 1.0, "versions": {}}
    page = report.as_html(run, records)
    assert page.count('id="derivation.d"') == 1
    assert "2 claims" in page
    links = re.findall('href="(#[^"]*)"', page)
    ids = re.findall(' id="([^"]*)"', page)
    assert links[:3] == ["#main.content", "#not.run", "#paper.2410.00396"]
    assert {link[1:] for link in links} <= set(ids)
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", claims.CLAIMS)
def test_statements_are_typeset(name):
    """Nothing is left as it is typed: scripts, signs and brackets stand in formulas alone, which are MathML."""
    page = ET.fromstring(section(Record.of(claims.CLAIMS[name], skipped="")).replace("&#8289;", ""))  # noqa: S314
    statement = page.find("./p[@class='lead']")
    words = "".join([statement.text or "", *(part.tail or "" for part in statement)])
    assert not re.search(r"\w_\w|[\^=<>⟨²]|\w\(|(?<![\w'])[B-HJ-Zb-z](?![\w-])", words)
    assert "^" not in "".join(statement.itertext())
