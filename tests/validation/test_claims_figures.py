"""Figures of claims are stored whole, with their data, or refused; each has a caption that can be printed."""

import inspect
import re
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from statnn import plot
from validation import claims, report, report_claim
from validation.claim import Finding, Outcome, Verdict
from validation.claims import _tools
from validation.task import Record


def figure_with_axes():
    figure = Figure()
    figure.add_subplot().plot([1, 2])
    return figure


@pytest.mark.parametrize(
    ("figure", "name", "data", "words"),
    [
        (None, "a", {"x": 1}, "must be a matplotlib Figure, got NoneType"),
        (Figure(), "a", {"x": 1}, "figure is empty"),
        (figure_with_axes(), "a.svg", {"x": 1}, "must come without suffix"),
        (figure_with_axes(), "a.JPG", {"x": 1}, "must come without suffix"),
        (figure_with_axes(), "a", {"x": [1, [2]]}, "data 'x' is not an array"),
        (figure_with_axes(), "nowhere/a", {"x": 1}, "does not exist"),
        (figure_with_axes(), "a", {}, "stored with its data"),
        (figure_with_axes(), "a", {"file": 1}, "cannot be named file"),
        (figure_with_axes(), "a", {"x": object()}, "would need pickles"),
    ],
)
def test_figure_that_cannot_be_stored_is_refused(figure, name, data, words, tmp_path):
    with pytest.raises((TypeError, ValueError, FileNotFoundError), match=words):
        plot.save(figure, tmp_path / name, **data)
    assert not list(tmp_path.iterdir())


def fail_half_way(path):
    with plot.replacing(path) as file:
        file.write(b"ne")
        raise RuntimeError("no coin at hand")


def test_file_that_fails_half_way_leaves_the_old_one(tmp_path):
    path = tmp_path / "note"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="no coin"):
        fail_half_way(path)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("note", "old")]


def _panels(claim):
    """Return how many panels with letters a claim draws, as its source says."""
    source = inspect.getsource(getattr(claim.draw, "func", claim.draw))
    grids = re.findall(r"lettered\(figure, (\d), (\d)", source) + re.findall(r"()with_residuals\(figure, (\d)", source)
    return sum(int(rows or 1) * int(columns) for rows, columns in grids)


@pytest.mark.parametrize("name", claims.CLAIMS)
def test_every_claim_has_a_caption_that_can_be_printed(name):
    claim = claims.CLAIMS[name]
    text, formulas = claim.caption.split("$")[::2], claim.caption.split("$")[1::2]
    assert len(text) == len(formulas) + 1, "dollars come in pairs"
    assert all(formula.strip() for formula in formulas)
    assert claim.caption == " ".join(claim.caption.split())
    assert claim.caption.endswith(".")
    assert not set("\\^_{}") & set("".join(text)), "mathematics stands between dollars"
    assert "error" in claim.caption, "say what error bars are, or that there are none"
    letters = {*re.findall(r"[a-f]", "".join(re.findall(r"\([a-f](?:, [a-f])*\)", claim.caption)))}
    assert sorted(letters) == list("abcdef"[: _panels(claim)]), "all panels are named, by their letters"
    assert not re.search(r"\b(Left|Right|Middle|Upper|Lower)\b|\((left|right|middle)\)", claim.caption)
    assert not set("$\\") & set(report_claim.in_words(claim.caption))


def test_panels_have_letters_but_for_their_residuals():
    figure, other = Figure(), Figure()
    above = _tools.lettered(figure, 2, 2).flat
    with_below, below = _tools.with_residuals(other, 3)
    for axes, letters in ((above, "abcd"), (with_below, "abc"), (below, "")):
        assert [text.get_text() for ax in axes for text in ax.texts] == [f"({letter})" for letter in letters]
    (alone,), _ = _tools.with_residuals(Figure())
    assert not alone.texts


def test_residuals_are_what_was_found_less_theory_in_standard_errors():
    ax = Figure().add_subplot()
    _tools.draw_residuals(
        ax, np.arange(3), np.array([1.0, 3.0, 3.5]), np.array([1.0, 2.0, 4.0]), np.array([0, 0.5, 0.25])
    )
    assert np.array_equal(ax.lines[0].get_xydata(), [[1, 2], [2, -2]])


def test_caption_is_the_figure_in_words(tmp_path):
    claim = replace(claims.CLAIMS["urn-law"], caption=r"Share of <heads> against $\sigma^*$.")
    finding = Finding(quantity="share of heads", estimate=0.5, error=0.0, theory=0.5, sees=0.3, unit="in the share")
    record = Record.of(claim, verdict=Verdict(Outcome.EXACT, (finding,)))
    report.write(tmp_path, {"command": "", "mode": "quick", "seed": 1, "seconds": 1.0, "versions": {}}, [record])
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert 'alt="Share of &lt;heads&gt; against σ*."' in page
    assert "<figcaption>Share of &lt;heads&gt; against <math" in page
    assert f"<mo>*</mo></msup></mrow></math>. Decided by {record.verdict}. " in page
