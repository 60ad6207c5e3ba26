"""The gallery shows every public plot, and the script of a claim's figure runs as it is printed."""

import importlib
import runpy
from pathlib import Path

import pytest
from matplotlib import pyplot as plt
from test_values import frozen_classes

from validation.claims import CLAIMS
from validation.claims.activation import steepest

DOCS = Path(__file__).parents[1] / "docs"
PLOTS = {
    f"{name}.{verb}": kind
    for name, kind in frozen_classes().items()
    for verb in dir(kind)
    if verb == "plot" or verb.startswith("plot_")
}


@pytest.fixture(autouse=True)
def no_figure_is_left():
    yield
    plt.close("all")


@pytest.fixture
def claim_scripts(monkeypatch):
    monkeypatch.syspath_prepend(DOCS / "_ext")
    return importlib.import_module("claim_scripts")


def test_the_gallery_shows_every_public_plot(monkeypatch):
    drawn = set()

    def noting(of, verb):
        own = getattr(of, verb)

        def draw(self, *args, **kwargs):
            drawn.add(f"{type(self).__name__}.{verb}")
            return own(self, *args, **kwargs)

        return draw

    for name, kind in PLOTS.items():
        verb = name.partition(".")[2]
        monkeypatch.setattr(kind, verb, noting(kind, verb))
    for file in sorted((DOCS / "gallery").glob("plot_*.py")):
        runpy.run_path(str(file))
        assert plt.get_fignums(), file.name
        plt.close("all")
    assert sorted({*PLOTS} - drawn) == []


@pytest.mark.parametrize("name", ["steepest-growth", "spike-nulls", "interaction-graph"])
def test_the_script_of_a_claim_runs_as_printed(name, claim_scripts, tmp_path, monkeypatch, capsys):
    file = tmp_path / "figure.py"
    file.write_text(claim_scripts.script(CLAIMS[name]), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names = runpy.run_path(str(file))
    assert names["claim"] is CLAIMS[name]
    assert any(ax.has_data() for ax in plt.gcf().axes)
    assert str(names["claim"].judge(names["data"])) in capsys.readouterr().out


def test_every_claim_has_a_page_in_its_room(claim_scripts):
    pages = [claim_scripts.page(claim) for claim in CLAIMS.values()]
    assert len({*pages}) == len(pages)
    assert {page.split("/")[2] for page in pages} == {*claim_scripts.ROOMS}
    assert claim_scripts.page(steepest.CLAIM) == "/claim-pages/activation/plot_steepest_growth"


def test_captions_are_paragraphs(claim_scripts):
    """One that begins with its first panel, (a), is no list."""
    nodes, core = pytest.importorskip("docutils.nodes"), importlib.import_module("docutils.core")
    assert any(claim.caption.startswith("(a) ") for claim in CLAIMS.values())
    for claim in CLAIMS.values():
        said = core.publish_doctree(claim_scripts._caption(claim.caption))
        assert [type(part) for part in said.children] == [nodes.paragraph], claim.id
        assert said.astext().startswith(claim.caption[:4].partition("$")[0])


def test_what_needs_data_is_shown_and_not_run(claim_scripts):
    claim = CLAIMS["real-mnist-counts"]
    assert claim_scripts.file(claim).name == "real_mnist_counts.py"
    assert 'claim.data(path="mnist.npz")' in claim_scripts.script(claim)
