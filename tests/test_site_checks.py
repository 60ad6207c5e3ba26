"""The check of a built site finds each fault that is planted, and none in a page without."""

import importlib
import importlib.util
from pathlib import Path

import pytest

FILE = Path(__file__).parents[1] / "docs" / "check_links.py"
PAGE = (
    '<html lang="en"><head><title>T</title></head><body><h1 id="top">T</h1><h2>A</h2><a href="#top">up</a>'
    '<a href="other.html#there">on</a><img src="x.svg" alt="a line that rises">'
    '<a href="https://arxiv.org">a</a></body></html>'
)
PLANTED = {
    "no such place": ("#there", "#nowhere"),
    "no such file": ("other.html#there", "lost.html"),
    "no alternative text": (' alt="a line that rises"', ""),
    "no alternative text: x.svg": ("a line that rises", "x.svg"),
    "no language": (' lang="en"', ""),
    "no title": ("<title>T</title>", ""),
    "2 first headings": ("<h2>A</h2>", "<h1>A</h1>"),
    "a heading h3 below h1": ("<h2>A</h2>", "<h3>A</h3>"),
    "a place twice: #top": ("<h2>", '<h2 id="top">'),
    "markup is shown: ln \\|K\\| of": ("<h2>", "<p>ln \\|K\\| of</p><pre>$ ls</pre><p class='math'><p>\\|</p></p><h2>"),
    "from elsewhere: https://cdn.example/x.js": ("</head>", '<script src="https://cdn.example/x.js"></script></head>'),
}


@pytest.fixture
def faults(tmp_path):
    """Return what is found on a page beside another one."""
    spec = importlib.util.spec_from_file_location("check_links", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def of(page):
        (tmp_path / "index.html").write_text(page)
        (tmp_path / "other.html").write_text(PAGE.replace('id="top"', 'id="there"').replace("#top", "#there"))
        (tmp_path / "x.svg").write_text("<svg/>")
        return module.check(tmp_path.resolve())[0].get("index.html", [])

    return of


def test_a_page_without_faults_has_none(faults):
    assert faults(PAGE) == []


@pytest.mark.parametrize("said", PLANTED)
def test_each_fault_is_found(said, faults):
    [found] = faults(PAGE.replace(*PLANTED[said]))
    assert said in found


def test_what_ends_a_sentence_stays_on_the_line_of_its_formula(monkeypatch):
    pytest.importorskip("sphinx")
    from docutils import nodes
    from docutils.core import publish_doctree

    monkeypatch.syspath_prepend(FILE.parent / "_ext")
    repairs = importlib.import_module("repairs")
    doctree = publish_doctree(r"Numbers \ :math:`x`\ , \ :math:`y`\ )., and :math:`z` there.")
    repairs.keep_punctuation(None, doctree)
    assert doctree.astext() == "Numbers x, y)., and z there."
    assert [kept.astext() for kept in doctree.findall(nodes.inline)] == ["x,", "y).,"]
