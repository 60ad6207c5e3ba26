"""The plugin that keeps account of false alarms, in sessions of its own."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import statnn
from statnn.testing import assert_pvalue, strategies
from statnn.testing._ledger import _OPEN

pytest_plugins = ["pytester"]
LOADED = assert_pvalue, strategies  # numpy can be imported once, and what a session in this process imports is dropped
ROOT = Path(statnn.__file__).parents[1]

THREE = """
    import pytest
    from statnn.testing import assert_pvalue, rejects

    @pytest.mark.parametrize("p", [0.5, 0.02])
    def test_two(p):
        assert_pvalue(p, "one")
        with rejects():
            assert_pvalue(1e-12, "twin")

    @pytest.fixture
    def compared():
        assert_pvalue(0.7, "in a fixture")

    def test_fixture(compared):
        pass
"""


@pytest.fixture
def session(pytester, monkeypatch):
    """Run a session in a folder of its own; its plugin is loaded by name, as where the package is not installed."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)

    def run(*options, text=THREE, apart=False, ini="", **files):
        pytester.makepyfile(test_it=text, **files)
        pytester.makeini(f"[pytest]\n{ini}")
        start = pytester.runpytest_subprocess if apart else pytester.runpytest_inprocess
        return start("-p", "statnn.testing.plugin", "-p", "no:cacheprovider", *options)

    return run


def test_the_session_says_what_it_compared(session):
    ended = session("--statnn-comparisons=10", "--statnn-false-alarms=1e-5", "--statnn-seed=7")
    ended.assert_outcomes(passed=3)
    ended.stdout.fnmatch_lines(
        "3 statistical comparisons of 10 planned, each at 1e-06; smallest p = 0.02 in test_it.py::test_two[[]0.02]; "
        "budget of false alarms left: 7e-06 of 1e-05 (seed 7)"
    )


def test_workers_have_one_account(session):
    light = THREE.replace("statnn.testing import assert_pvalue, rejects", "statnn.testing._ledger import current")
    light = re.sub(r" +with rejects.*\n.*", "", light)  # a worker that loads no numpy starts soon
    light = re.sub(r"assert_pvalue\((.*), .*\)", r"current().enter(\1)", light)
    options = "-n2", "--statnn-comparisons=2", "--statnn-record=p.jsonl"
    ended = session(*options, text=light, apart=True)
    ended.assert_outcomes(passed=3)
    ended.stdout.fnmatch_lines("FAILED: 3 comparisons exceed the 2 that share the budget*statnn_comparisons*")
    assert ended.ret == pytest.ExitCode.TESTS_FAILED
    lines = [json.loads(line) for line in Path("p.jsonl").read_text().splitlines()]
    assert {line["what"]: line["p"]["p"] for line in lines} == {
        "test_it.py::test_two[0.5]": [0.5],
        "test_it.py::test_two[0.02]": [0.02],
        "test_it.py::test_fixture": [0.7],
    }


def test_what_draws_is_recorded_whether_it_compares_or_not(session):
    text = "def test_draws(statnn_rng): statnn_rng.random()\ndef test_seed(statnn_seed): pass\ndef test_neither(): pass"
    session("--statnn-record=p.jsonl", text=text).assert_outcomes(passed=3)
    lines = [json.loads(line) for line in Path("p.jsonl").read_text().splitlines()]
    assert lines == [{"what": f"test_it.py::test_{name}", "p": {}} for name in ("draws", "seed")]


def test_the_record_stays_where_it_began(session, tmp_path):
    text = f"import os\ndef test_goes(statnn_rng): os.chdir({str(tmp_path)!r})\ndef test_after(statnn_rng): pass"
    session("--statnn-record=p.jsonl", text=text, apart=True).assert_outcomes(passed=2)
    assert len(Path("p.jsonl").read_text().splitlines()) == 2


@pytest.mark.parametrize(("planned", "status"), [(3, pytest.ExitCode.OK), (2, pytest.ExitCode.TESTS_FAILED)])
def test_the_ini_file_plans_and_more_fails(session, planned, status):
    assert session(ini=f"statnn_comparisons = {planned}").ret == status


def test_a_test_has_the_same_level_alone(session):
    close = "from statnn.testing import assert_pvalue\ndef test_close(): assert_pvalue(4e-4, '')\ndef test_b(): pass"
    plan = "--statnn-comparisons=2", "--statnn-false-alarms=1e-3"
    session(*plan, text=close).assert_outcomes(failed=1, passed=1)
    session(*plan, "-k", "close", text=close).assert_outcomes(failed=1, deselected=1)


RERUN = """
    from _pytest.runner import runtestprotocol

    def pytest_runtest_protocol(item, nextitem):
        for _ in range(2):
            item._initrequest()
            reports = runtestprotocol(item, nextitem=nextitem, log=False)
            if not any(report.failed for report in reports):
                break
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        return True
"""


@pytest.mark.parametrize(("first", "outcome"), [("assert_pvalue(1e-12, 'x')", "failed"), ("assert False", "passed")])
def test_what_was_rejected_is_not_tried_until_it_passes(session, first, outcome):
    text = (
        "from statnn.testing import assert_pvalue\ntries = []\ndef test_lucky():\n    tries.append(1)\n"
        f"    if len(tries) == 1: {first}\n"
    )
    ended = session(text=text, conftest=RERUN)
    ended.assert_outcomes(**{outcome: 1})
    if outcome == "failed":
        ended.stdout.fnmatch_lines("*rejected before in this session*until it passes: x: p = 1 × 10⁻¹² is below*")


def test_a_failure_shows_the_line_that_compared(session):
    text = """
        from statnn.testing import assert_mean, check_layer

        def test_mean(statnn_rng):
            assert_mean(statnn_rng.standard_normal(500), 3.0, what="mean")

        class Layer:
            def compose(self, other):
                return 1 / 0

        def test_layer():
            check_layer(Layer(), rng=1)
    """
    shown = session("--tb=short", text=text).stdout.str()
    assert "assert_mean(statnn_rng" in shown
    assert "return 1 / 0" in shown
    assert not re.search(r"^\S*statnn.testing\S*:\d+: in", shown, re.MULTILINE)


def test_without_the_plugin_a_test_says_what_to_do(session, monkeypatch):
    monkeypatch.setattr("statnn.testing._ledger._OPEN", [])
    ended = session("-p", "no:statnn.testing.plugin")
    ended.assert_outcomes(failed=2, errors=1)
    ended.stdout.fnmatch_lines("*RuntimeError: nobody keeps account*pytest -p statnn.testing.plugin*budget(*")
    ended.stdout.no_fnmatch_line("*statistical comparisons of*")


def test_comparisons_where_hypothesis_retries_are_refused(session):
    text = """
        from hypothesis import given, strategies as st
        from statnn.testing import assert_pvalue, rejects

        @given(st.floats(0, 1))
        def test_any(p):
            assert_pvalue(p, "any")

        @given(st.floats(0, 1))
        def test_twin(p):
            with rejects():
                assert_pvalue(0.0, "twin")
    """
    ended = session(text=text)
    ended.assert_outcomes(failed=2)
    ended.stdout.fnmatch_lines("*RuntimeError: a statistical comparison inside @given has no level*")


def test_streams_depend_on_name_parameters_and_seed_alone(session):
    text = """
        import pytest

        @pytest.mark.parametrize("k", [1, 2])
        def test_drawn(k, statnn_rng, statnn_seed):
            print("drawn", k, statnn_seed, statnn_rng.integers(2**62))
    """

    def drawn(*options):
        return re.findall(r"drawn (\d) (\d) (\d+)", session("-s", *options, text=text).stdout.str())

    first, second = drawn("--statnn-seed=5")
    assert first[:2] == ("1", "5")
    assert first[2] != second[2]
    assert drawn("--statnn-seed=5", "-k", "2") == [second]
    assert not {values[2] for values in drawn("--statnn-seed=6")} & {first[2], second[2]}


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--statnn-comparisons=many", "statnn_comparisons = 'many' is not a number; write one as 1000"),
        ("--statnn-comparisons=0", "comparisons = 0 must be a whole number >= 1"),
        ("--statnn-false-alarms=2", "false_alarms = 2.0 must be a probability"),
        ("--statnn-seed=-1", "seed = -1 must be a whole number >= 0"),
        ("--statnn-record=nowhere/p.jsonl", "nowhere/p.jsonl cannot be written to: No such file or directory"),
        ("--statnn-record=.", "cannot be written to: Is a directory"),
    ],
)
def test_settings_that_are_none_are_refused(session, option, message):
    ended = session(option)
    assert ended.ret == pytest.ExitCode.USAGE_ERROR
    assert message in ended.stderr.str()


def test_a_session_that_compares_nothing_hears_nothing(session):
    ended = session(text="def test_plain(): pass")
    ended.assert_outcomes(passed=1)
    ended.stdout.no_fnmatch_line("*comparisons*")


def test_the_plugin_loads_the_standard_library_and_pytest_only():
    code = (
        "import sys, pytest; had = {*sys.modules}; import statnn.testing.plugin; print(*sorted({*sys.modules} - had))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)  # noqa: S603
    loaded = {name for name in ran.stdout.split() if name.split(".")[0] not in sys.stdlib_module_names}
    assert loaded == {"statnn", "statnn.testing", "statnn.testing._ledger", "statnn.testing.plugin"}


def test_the_account_of_a_test_is_open_while_it_runs():
    assert len(_OPEN) == 1
