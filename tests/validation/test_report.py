"""The report is ordered by paper, and its statements are typeset."""

import json
import math
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from scipy import stats

from validation import claims, report
from validation.claim import Finding, Outcome, Verdict
from validation.finding import LEVEL
from validation.report_claim import section
from validation.task import Record, Twin


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


def test_quantities_of_a_claim_share_its_level_and_each_stands_beside_its_own_twin():
    """With known errors a finding sees z of the claim's level, shared by findings and by comparisons, plus 3.09."""
    parts = {"estimate": 1.0, "error": 0.1, "theory": 1.0, "z": 0.0, "p": 1.0, "dof": math.inf, "unit": "%", "sees": 1}
    uncertain = Finding(quantity="one", comparisons=4, **parts)
    sure = Finding(quantity="sure", estimate=2.0, error=0.0, theory=2.0, sees=1.0, unit="%")
    away = Finding(quantity="one", **(parts | {"theory": 9.0, "z": -80.0, "p": 0.0}))
    off = Finding(quantity="sure", estimate=2.0, error=0.0, theory=5.0, sees=1.0, unit="%")
    other = Verdict(Outcome.CONTRADICTED, (away, off), "no")
    twins = tuple(Twin(name, 1.5, other, rejected=True) for name in ("one", "sure"))
    right = Verdict(Outcome.EXACT, (uncertain, sure))
    record = Record.of(claims.CLAIMS["urn-law"], verdict=right, twins=twins, as_expected=True)
    [shown] = re.findall("<table>.*?</table>", section(record).replace("&#8289;", ""), re.DOTALL)
    page = ET.fromstring(shown)  # noqa: S314
    rows = {row.find("th").text: ["".join(cell.itertext()) for cell in row.findall("td")] for row in page.iter("tr")}
    seen = [0.1 * (stats.norm.isf(LEVEL / 2 / n / 2) + stats.norm.isf(1e-3)) for n in (4, 1)]
    assert rows["one"][8] == f"{seen[0]:.3g} (normal), in this one alone"
    assert rows["sure"][3] == "0"
    assert rows["sure"][8] == "0 (the tolerance)"
    assert rows["one"][3] == "none"
    assert "theory9" in rows["one"][9].replace(" ", "")
    assert "theory5" in rows["sure"][9].replace(" ", "")
    run = {"command": "", "mode": "quick", "seed": 1, "seconds": 1.0, "versions": {}}
    unseen = replace(record, id="unseen", twins=twins[:1])
    skipped = replace(record, id="skipped", verdict=None, twins=(), skipped="not run: needs --data")
    stored = json.loads(report.as_json(run, [record, unseen, skipped]))["claims"]
    assert stored["urn-law"]["verdict"]["findings"][0]["reach"]["deviation"] == pytest.approx(seen[0])
    assert [each["passed"] for each in stored.values()] == [True, False, None]
    assert "1 of 2 claims came out as expected" in report.as_html(run, [record, unseen, skipped])
