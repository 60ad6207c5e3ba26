"""Works are cited in one form, each has its entry in the bibliography, and no entry is idle."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

import statnn

ROOT = Path(statnn.__file__).parents[1]
DOCS = ROOT / "docs"
CITED = re.compile(r"\b[A-Z][\w'-]+(?: et al\.)?,?\s+[\[(]?(?:1[89]|20)\d\d\b|arXiv[: ]\s*\d{4}\.\d{4,5}")


@pytest.fixture(scope="module")
def bibliography():
    spec = importlib.util.spec_from_file_location("bibliography", DOCS / "_ext" / "bibliography.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look for it there
    spec.loader.exec_module(module)
    return module


def texts():
    files = [file for room in ("statnn", "theory", "validation") for file in (ROOT / room).rglob("*.py")]
    files += [ROOT / "README.md", *DOCS.glob("*.md"), *DOCS.glob("[pth]*/*.md"), *DOCS.glob("gallery/*.py")]
    return {file: file.read_text(encoding="utf-8") for file in files if not file.is_symlink()}


def unknown(bibliography, text):
    known = [(start, end) for start, end, _ in bibliography.citations(text)]
    return [said[0] for said in CITED.finditer(text) if not any(a < said.end() <= b for a, b in known)]


def test_everything_cited_has_an_entry_and_every_entry_is_cited(bibliography):
    said = texts()
    assert {file.name: lost for file, text in said.items() if (lost := unknown(bibliography, text))} == {}
    cited = bibliography.cited_by((str(file), text) for file, text in said.items())
    assert set(bibliography.works()) == set(cited)


def test_what_has_no_entry_is_seen(bibliography):
    assert unknown(bibliography, "as in Nobody 1999, after (Kaufman\n1949) and arXiv 0001.0001") == [
        "Nobody 1999", "arXiv 0001.0001",
    ]  # fmt: skip


def test_a_work_is_cited_by_names_by_number_or_both(bibliography):
    text = "Lee, Lee & Yi 2024, arXiv 2410.00396; Mann and Wald (1942); Zhang & Sui 2024; arXiv 2412.18073"
    cited = [(text[a:b], key) for a, b, key in bibliography.citations(text)]
    assert cited == [
        ("Lee, Lee & Yi 2024, arXiv 2410.00396", "lee2024"),
        ("Mann and Wald (1942", "mann1942"),
        ("Zhang & Sui 2024", "zhang2024"),
        ("arXiv 2412.18073", "zhang2024"),
    ]


def test_entries_are_whole(bibliography):
    text = bibliography.FILE.read_text(encoding="utf-8")
    works = bibliography.works()
    assert len(works) == text.count("\n@")  # the reader of this form misses none
    assert len({work.label for work in works.values()}) == len(works)
    for work in works.values():
        assert {"author", "title", "year", "group"} <= set(work.fields), work.key
        assert {"journal", "eprint"} & set(work.fields), work.key
