"""The check of a built site finds each fault that is planted, and none in a page without."""

import ast
import doctest
import importlib
import importlib.util
import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from validation import calibrate

DOCS = Path(__file__).parents[1] / "docs"
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


def script(name):
    """Return a script of the site as a module."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def faults(tmp_path):
    """Return a function that finds the faults of a page beside another one."""
    module = script("check_links")

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
    [fault] = faults(PAGE.replace(*PLANTED[said]))
    assert said in fault


def test_what_ends_a_sentence_stays_on_the_line_of_its_formula(monkeypatch):
    pytest.importorskip("sphinx")
    from docutils import nodes
    from docutils.core import publish_doctree

    monkeypatch.syspath_prepend(DOCS / "_ext")
    repairs = importlib.import_module("repairs")
    doctree = publish_doctree(r"Numbers \ :math:`x`\ , \ :math:`y`\ )., and :math:`z` there.")
    repairs.keep_punctuation(None, doctree)
    assert doctree.astext() == "Numbers x, y)., and z there."
    assert [kept.astext() for kept in doctree.findall(nodes.inline)] == ["x,", "y).,"]
    doctree = publish_doctree(r"Trajectory of ( :math:`w`\ , :math:`b`\ ), (\ :math:`s` or not) of [\ :math:`0`\ ].")
    repairs.keep_punctuation(None, doctree)
    assert [kept.astext() for kept in doctree.findall(nodes.inline)] == ["w,", "b),", "(s", "[0]."]
    doctree = publish_doctree(r":math:`x`, of *all*\ :math:`y`, is (\ :math:`z`\ *each*")
    repairs.keep_punctuation(None, doctree)
    assert doctree.astext() == "x, of ally, is (zeach"  # nothing twice, nothing lost
    assert [kept.astext() for kept in doctree.findall(nodes.inline)] == ["x,", "y,", "(z"]


def test_a_percent_sign_stays_with_its_number(monkeypatch):
    pytest.importorskip("sphinx")
    from docutils.core import publish_doctree

    monkeypatch.syspath_prepend(DOCS / "_ext")
    doctree = publish_doctree("Some 5 % of all, as %, ``2 %`` and *7 %*.")
    importlib.import_module("repairs").keep_percents(None, doctree)
    assert doctree.astext() == "Some 5\xa0% of all, as %, 2 % and 7\xa0%."


def test_what_an_example_prints_stays_as_it_is(monkeypatch):
    pytest.importorskip("sphinx")
    monkeypatch.syspath_prepend(DOCS / "_ext")
    pages = importlib.import_module("generated_pages")
    app = SimpleNamespace(statnn_names=SimpleNamespace(link=lambda line, *_: line))
    lines = ["The modulus |J| of 2**b.", "", ">>> x**b, '|J|'", "(x**b, '|J|')", "", "After |J|."]
    pages.mend_lines(app, "function", "name", None, None, lines)
    assert lines[2:4] == [">>> x**b, '|J|'", "(x**b, '|J|')"]
    assert "|J|" not in lines[0].replace(r":math:`|J|`", "")
    assert ":math:" in lines[0]
    assert ":math:" in lines[5]


def test_formulas_of_a_derivation_stand_in_its_list_from_the_tenth_step_too(monkeypatch):
    markdown_it = pytest.importorskip("markdown_it")
    pytest.importorskip("sphinx")
    monkeypatch.syspath_prepend(DOCS / "_ext")
    pages = importlib.import_module("generated_pages")
    text = pages._derivation("survival")
    tokens = markdown_it.MarkdownIt().parse(text)
    assert len([token for token in tokens if token.type == "list_item_open"]) >= 10
    assert {token.level for token in tokens if token.type == "fence"} == {2}
    assert [token.level for token in tokens if token.type == "ordered_list_open"] == [0]
    assert "exact. This project" in text


def test_a_verdict_is_of_the_newest_run_that_judged_it_and_says_which(tmp_path):
    names = ["growth-curve", "rg-noisy-flow", "real-mnist-counts", "data-collapse"]

    def record(command, commit, judged):
        run = {"command": f"python -m validation --out /home/me/{command}", "commit": commit}
        claims = {name: {"id": name, "verdict": {"of": commit} if name in judged else None} for name in names}
        file = tmp_path / f"{commit}.json"
        file.write_text(json.dumps({"run": run, "claims": claims | {"gone": {"id": "gone", "verdict": None}}}))
        return file

    keep = script("keep_verdicts")
    files = [record("a", "new", names[1:2]), record("b", "whole", [*names[:2], names[3]]), record("c", "old", names)]
    kept = keep.merged([*map(keep.read, files)])
    assert [kept["claims"][name]["verdict"]["of"] for name in names] == ["whole", "new", "old", "whole"]
    assert "gone" not in kept["claims"]
    assert kept["run"] == {"command": "python -m validation --out b", "commit": "whole"}
    assert {name: claim["run"]["commit"] for name, claim in kept["claims"].items() if "run" in claim} == {
        "rg-noisy-flow": "new",
        "real-mnist-counts": "old",
    }
    # merging the result again changes nothing
    (tmp_path / "kept.json").write_text(json.dumps(kept))
    assert keep.merged([keep.read(files[0]), keep.read(tmp_path / "kept.json")]) == kept


def test_a_calibration_is_renewed_by_more_seeds_and_dropped_with_its_text(tmp_path, monkeypatch):
    keep, page = script("keep_calibration"), script("_ext/calibration").page
    old, present = "a" * 16, "b" * 16
    monkeypatch.setattr(keep, "CLAIMS", {"one": "one", "two": "two", "three": "three"})
    monkeypatch.setattr(keep.calibrate, "code_of", lambda name: old if name == "two" else present)

    def entries(what, code, seeds):
        p = [[0.004], *([(seed + 0.5) / seeds] for seed in range(1, seeds))]
        same = {"what": what, "code": code}
        return [same | {"seed": n, "p": {"q": p[n]}, "expected": n != 3} for n in range(seeds)]

    first = keep.kept({}, [*entries("one", present, 40), *entries("two", old, 40), *entries("three", present, 5)])
    assert first.keys() == {"one", "two"}, "five seeds say nothing"
    assert (first["one"]["seeds"], first["one"]["unexpected"]) == (40, 1)
    [row] = first["one"]["rows"]
    assert (row["quantity"], row["comparisons"], row["tails"], row["says"]) == ("q", 1, (4, 1, 0), "uniform")
    monkeypatch.setattr(keep.calibrate, "code_of", lambda _: present)
    again = keep.kept(first, [*entries("one", present, 30), *entries("three", present, 50)])
    assert again.keys() == {"one", "three"}, "the text of two has changed"
    assert again["one"] == first["one"], "fewer seeds renew nothing"
    assert keep.kept(again, entries("one", present, 60))["one"]["seeds"] == 60
    numbers = {name: claim["numbers"] for name, claim in again.items()}
    monkeypatch.setattr(keep.calibrate, "code_of", lambda _: "later")
    first_seeds = [entry for entry in entries("one", "later", 40) if entry["seed"] in calibrate.FIRST]
    assert keep.kept(again, first_seeds) == {"one": again["one"] | {"code": "later"}}, "the numbers are the same"
    others = [entry | {"p": {"q": [0.7]}} for entry in first_seeds]
    assert numbers["one"] != calibrate.numbers_of(others)
    assert keep.kept(again, others) == {}
    ran = [
        {"what": w, "code": "tests", "seed": n, "p": {"p": [(n + 0.5) / 40]}, "expected": n > 1}
        for w in "ab"
        for n in range(40)
    ]
    files = [tmp_path / "first.jsonl", tmp_path / "second.jsonl"]
    for file, runs in zip(files, (ran[:50], ran[40:]), strict=True):
        calibrate.append(file, runs)
    assert [run["seed"] for run in keep.runs_of(files)] == [run["seed"] for run in ran], "ten seeds stand in both"
    tests = keep.summary_of_tests([*ran, {"what": "c", "code": "tests", "seed": 1, "p": {}, "expected": True}])
    assert not keep.summary_of_tests(others)
    (tmp_path / "kept.json").write_text(json.dumps(again | {"tests": tests}))
    shown = page({"one": "The first", "three": "The third"}, str.title, tmp_path / "kept.json")
    assert "90 runs of 2 claims with 2 quantities: p-values of 0 are too small, 2 runs were not as expected" in shown
    assert "81 runs of 3 tests that draw, each on 1 to 40 root seeds: p-values of 0 of 2 that compare on 30" in shown
    assert "too small, 4 runs failed." in shown
    assert "* - [The first](#claim-one)\n  - Q\n  - 40\n  - 1\n  - 4 (4)\n  - 1 (0.4)\n  - 0 (0.04)\n" in shown


COLUMN, INDENT = 109, 13  # characters of code on a wide screen, and the indent of a method's text
FENCED = re.compile(r"^```\{?(?:code-cell|python|pycon).*?\n(.*?)^```", re.MULTILINE | re.DOTALL)


def printed(file):
    """Yield the lines of code that a page or a module shows on the site, with the length that they may have."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".md":
        yield from ((line, COLUMN) for block in FENCED.findall(text) for line in block.splitlines())
        return
    for thing in ast.walk(ast.parse(text)):
        if not isinstance(thing, ast.ClassDef | ast.FunctionDef):
            continue
        room = COLUMN - (INDENT if thing.col_offset else 0)
        for example in doctest.DocTestParser().get_examples(ast.get_docstring(thing) or ""):
            lines = [*(f">>> {line}" for line in example.source.splitlines()), *example.want.splitlines()]
            yield from ((line, room) for line in lines)


def test_code_is_read_without_scrolling_on_a_wide_screen():
    root = DOCS.parent
    pages = [*DOCS.glob("*.md"), *DOCS.glob("[pth]*/*.md"), *root.glob("statnn/**/*.py"), *root.glob("theory/**/*.py")]
    wide = [
        f"{file.relative_to(root)}: {line}"
        for file in pages
        for line, room in printed(file)
        if len(line) > room and not line.startswith(":mystnb:")
    ]
    assert not wide, "\n".join(wide)


EXTRAS = re.compile(r"(?:from|import) (?:sklearn|torch|onnx|sympy|hypothesis|pytest)|from statnn import .*theory")


def test_pages_say_how_to_install_what_the_package_alone_does_not_bring():
    def silent(file):
        text = file.read_text(encoding="utf-8")
        return EXTRAS.search("".join(FENCED.findall(text))) and "pip install" not in text

    assert not [str(file.relative_to(DOCS)) for file in [*DOCS.glob("*.md"), *DOCS.glob("[pth]*/*.md")] if silent(file)]
