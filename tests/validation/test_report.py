"""The report is ordered by paper, and its statements are typeset."""

import re
from dataclasses import replace

import pytest

from statnn._typeset import typeset
from validation import claims, report
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


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("x^(-1/(z-1)) a < b", "<var>x</var><sup>−1/(<var>z</var>−1)</sup> a &lt; <var>b</var>"),
        ("K of cD, L-map, Wolff's y", "<var>K</var> of <var>cD</var>, L-map, Wolff's <var>y</var>"),
        ("y_t", "<var>y</var><sub><var>t</var></sub>"),
    ],
)  # fmt: skip
def test_statements_are_typeset(text, marked):
    assert typeset(text) == marked
