"""The page on formulas of one's own: its files run, and find the mistake that stands in one of them."""

import re
import runpy
from pathlib import Path

import pytest

import statnn
from statnn.testing import assert_comparison, power, rejects, strategies
from statnn.testing.statistics import z_score

pytest_plugins = ["pytester"]
LOADED = power, strategies  # numpy can be imported once, and what a session in this process imports is dropped
PAGE = (Path(statnn.__file__).parents[1] / "docs" / "testing-your-formula.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(pytester):
    for text in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        Path(re.match(r"# (\w+\.py)", text)[1]).write_text(text, encoding="utf-8")
    Path("pytest.ini").write_text(re.search(r"```ini\n(.*?)```", PAGE, re.DOTALL)[1], encoding="utf-8")
    pytester.syspathinsert()
    return pytester


def test_the_session_finds_the_mistake(folder):
    ended = folder.runpytest_inprocess("-p", "statnn.testing.plugin", "-p", "no:cacheprovider")
    ended.assert_outcomes(passed=4, failed=1)
    for line in re.search(r"```text\n(.*?)```", PAGE, re.DOTALL)[1].splitlines():
        assert line in ended.stdout.str()


def test_the_script_measures_what_a_normal_law_says(folder):
    """K is binomial: the relative error of its mean over 400 replicates is known."""
    smallest = runpy.run_path(str(folder.path / "smallest.py"))["smallest"]
    active = 1 - 0.9**5
    exact = (6.109 + 3.090) * ((1 - active) / (50 * active * 400)) ** 0.5  # normal quantiles at 10⁻⁹/2 and 0.999
    assert exact == pytest.approx(0.078, abs=5e-4)
    # the spread is estimated in each run, which widens Student's limits and the law of what is seen by some 3 %
    assert_comparison(z_score(smallest.value, smallest.error, exact, bias=0.05 * exact), "deviation seen")
    with rejects():
        assert_comparison(z_score(smallest.value / 2, smallest.error, exact, bias=0.05 * exact), "half")


def test_the_notebook_runs(folder, monkeypatch):
    monkeypatch.setattr("statnn.testing._ledger._OPEN", [])
    assert runpy.run_path(str(folder.path / "notebook.py"))["level"] == 1e-7
