"""Calibration and power of claims and tests, on claims whose p-values and power are known."""

import math
import re
from concurrent.futures import Executor, Future
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import special, stats

from statnn import testing
from statnn.testing import assert_pvalue, rejects, statistics
from validation import calibrate, claims, power, uniformity
from validation.claim import Asks, Claim, Finding, Outcome, Verdict
from validation.finding import LEVEL

MEAN, RISE = "mean of normal numbers", "rise"


def run(rng, quick):
    return {"values": rng.standard_normal((3, 12 if quick else 100)), "theory": 0.0}


def judge(data, error=12**-0.5):
    worst = statistics.worst(
        statistics.z_score(values.mean(), error, float(data["theory"])) for values in data["values"]
    )
    rise = statistics.z_score(1.0, 0.01, 0.0)
    findings = [
        Finding.of(MEAN, worst, sees=2.0, unit="in the mean"),
        Finding.of(RISE, rise, sees=1.0, unit="absolute", asks=Asks.ABOVE),
    ]
    return Verdict.judged(findings, Outcome.EXACT, "", otherwise="not normal")


def overconfident(data):
    return judge(data, error=0.5 * 12**-0.5)


def refuse(*_, **__):
    raise statistics.Refusal("too few")


def normal(name, **changes):
    parts = {
        "title": "Normal numbers", "statement": "Their mean is zero.", "source": "here", "standing": "exact",
        "expected": Outcome.EXACT, "run": run, "judge": judge, "draw": None,
        "twins": {MEAN: lambda data, by: {**data, "theory": by}, RISE: lambda data, by: data | {"theory": by}},
    }  # fmt: skip
    return Claim(name, **(parts | changes))


CLAIMS = {
    claim.id: claim
    for claim in (
        normal("normal"),
        normal("overconfident", judge=overconfident),
        normal("refusing", judge=refuse),
        normal("with-data", needs_data=True),
        normal("with-package", needs=("torch",)),
    )
}


# -- p-values against the uniform law ------------------------------------------------------------------------------


def test_uniform_p_values_are_uniform(rng):
    row = uniformity.row("normal", MEAN, rng.random((500, 4)))
    assert_pvalue(row.too_small, "too small")
    assert_pvalue(row.too_large, "too large")
    with rejects():
        assert_pvalue(uniformity.row("normal", MEAN, rng.random((500, 4)) ** 1.5).too_small, "overconfident")


def test_one_comparison_of_many_that_is_too_small_is_seen(rng):
    p = rng.random((500, 4))
    p[:, 2] = 0.03 + 0.6 * p[:, 2]  # its tail is light: the bulk of the law alone gives it away
    assert uniformity.row("normal", MEAN, p).says == "TOO SMALL"


def test_alarms_in_the_tail_alone_are_seen(rng):
    p = rng.random((1000, 4))
    p[:15, 1] = 1e-5
    row = uniformity.row("normal", MEAN, p)
    assert row.says == "TOO SMALL"
    assert row.tails[2] >= 15


def test_p_values_above_uniform_raise_no_alarm(rng):
    with_tolerance = np.where(rng.random((500, 2)) < 0.6, 1.0, rng.random((500, 2)))
    assert uniformity.row("normal", MEAN, with_tolerance).says == "above uniform"
    assert uniformity.row("normal", MEAN, rng.random((20, 2))).says == "too few seeds"


def test_tests_of_one_quantity_share_its_level():
    """By Bonferroni over both comparisons, and over the bulk of the law and three places of its tail."""
    row = uniformity.row("normal", MEAN, np.full((40, 2), 0.45))
    assert row.too_small == pytest.approx(2 * 2 * special.smirnov(40, 0.55), rel=1e-9)
    assert row.too_large == pytest.approx(2 * special.smirnov(40, 0.45), rel=1e-9)
    p = np.full((40, 2), 0.9)
    p[:3, 1], p[3:9, 0] = 4.9e-4, 5.1e-4  # for two comparisons doubled: below and above 0.001
    row = uniformity.row("normal", MEAN, p)
    assert row.tails == (9, 9, 3)
    assert row.too_small == pytest.approx(2 * 3 * stats.binom.sf(8, 40, 0.01), rel=1e-9)


def test_the_table_shows_what_is_expected_beside_what_is_seen():
    p = (np.arange(200)[:, None] + 0.5) / 200
    [row] = uniformity.rows({"what": "a|b", "seed": i, "p": {MEAN: list(p_values)}} for i, p_values in enumerate(p))
    assert (row.seeds, row.comparisons, row.tails) == (200, 1, (20, 2, 0))
    assert uniformity.table([row]).splitlines()[-1] == (
        f"| a\\|b | {MEAN} | 200 | 1 | p = 1 | 20 (20) | 2 (2) | 0 (0.2) | uniform |"
    )


def test_the_smallest_of_several_is_below_a_level_as_often_as_one_alone():
    """It is multiplied by their number; where data decide how many there are, the number is that of every seed."""
    p = np.array([0.04, 0.06] * 15)  # for two comparisons doubled: below and above a tenth
    entries = [{"what": "w", "seed": i, "p": {MEAN: [0.9, p_value, 1e-9][: 2 + i % 2]}} for i, p_value in enumerate(p)]
    [row] = uniformity.rows(entries)
    assert (row.seeds, row.comparisons, row.tails) == (30, 2, (15, 0, 0))
    assert row.says != "too few seeds"
    assert "| 15 (3) | 0 (0.3) | 0 (0.03) |" in uniformity.table([row])
    assert uniformity.rows(entries[:-1])[0].says == "too few seeds"
    assert uniformity.rows([*entries, {"what": "w", "seed": 30, "p": {MEAN: []}}]) == []


# -- claims on fresh seeds -----------------------------------------------------------------------------------------


def test_single_comparisons_of_what_is_not_to_be_shown_are_collected():
    first, second = calibrate.rerun(__name__, "normal", [1, 2])
    assert first["p"].keys() == {MEAN}
    assert len(first["p"][MEAN]) == 3
    assert first["p"] != second["p"]
    assert first["expected"]
    assert calibrate.rerun(__name__, "normal", [1])[0]["p"] == first["p"]
    [refused] = calibrate.rerun(__name__, "refusing", [1])
    assert (refused["expected"], refused["p"], refused["error"]) == (False, {}, "Refusal: too few")


def test_right_errors_are_calibrated_and_small_ones_are_not(tmp_path, capsys):
    entries = {name: calibrate.rerun(__name__, name, range(1, 201)) for name in ("normal", "overconfident", "refusing")}
    assert calibrate._conclude(entries["normal"], tmp_path / "normal.jsonl") == 0
    assert "200 runs; p-values of 0 of 1 quantities are too small; 0 runs not as expected" in capsys.readouterr().out
    assert calibrate._conclude(entries["overconfident"], tmp_path / "small.jsonl") == 1
    assert "TOO SMALL" in (tmp_path / "small.md").read_text(encoding="utf-8")
    alone = [entry | {"expected": True} for entry in entries["overconfident"]]
    assert calibrate._conclude(alone, tmp_path / "alone.jsonl") == 1
    assert calibrate._conclude(entries["refusing"], tmp_path / "refused.jsonl") == 1
    assert (
        "refusing: 200 of 200 seeds NOT as expected (1, 2, 3, 4, 5, ...), 200 of them refused or crashed"
        in capsys.readouterr().out
    )
    [line] = calibrate._failures([*entries["refusing"][:3], *entries["normal"]])
    assert line.startswith("refusing: 3 of 3 seeds")
    assert calibrate._conclude([], tmp_path / "none.jsonl") == 1


class Here(Executor):
    """Runs a task when it is submitted."""

    def submit(self, function, *arguments):
        future = Future()
        future.set_result(function(*arguments))
        return future


def calibrated(out, seeds, deadline=math.inf):
    options = SimpleNamespace(out=out, seeds=seeds, jobs=1)
    calibrate.calibrated(Here(), [CLAIMS["normal"]], options, __name__, deadline)


def test_calibration_goes_on_where_it_stopped(tmp_path, capsys):
    out = tmp_path / "c.jsonl"
    calibrated(out, 3)
    whole = out.read_text(encoding="utf-8")
    out.write_text(whole + '{"what": "norm', encoding="utf-8")
    calibrated(out, 5)
    entries = calibrate.read(out)
    assert [entry["seed"] for entry in entries] == [1, 2, 3, 4, 5]
    assert out.read_text(encoding="utf-8").startswith(whole)
    assert "5 seeds, 2 to go" in capsys.readouterr().out
    assert [e["p"][MEAN] for e in entries] == [
        list(e["p"][MEAN]) for e in calibrate.rerun(__name__, "normal", range(1, 6))
    ]


def test_nothing_is_begun_after_the_hours(tmp_path, capsys):
    calibrated(tmp_path / "c.jsonl", 5, deadline=0.0)
    assert not (tmp_path / "c.jsonl").exists()
    assert "goes on from here" in capsys.readouterr().out


def test_no_more_is_handed_out_than_there_are_workers(monkeypatch):
    """What waits in a queue would be run after the deadline."""
    sizes = []

    def first_ends(running, **_):
        sizes.append(len(running))
        ended = {next(iter(running))}
        return ended, running - ended

    monkeypatch.setattr(calibrate, "wait", first_ends)
    chunks = iter([[1], [2], [3], [4]])
    assert len(list(calibrate._in_turn(Here(), __name__, "normal", chunks, 2, math.inf))) == 4
    assert max(sizes) == 2


def test_hours_are_those_of_the_clock(tmp_path, monkeypatch):
    ends = []
    monkeypatch.setattr(calibrate, "_rerun_claims", lambda *given: ends.append(given[-1]))
    monkeypatch.setattr(calibrate.time, "monotonic", lambda: 5.0)
    calibrate.main(["--only", "normal", "--hours", "0.5", "--out", str(tmp_path / "c.jsonl")], registry=__name__)
    assert ends == [1805.0]


def test_runs_of_other_code_count_if_they_give_the_same_numbers(tmp_path, capsys):
    out, entries = tmp_path / "c.jsonl", calibrate.rerun(__name__, "normal", range(1, 41))
    calibrate.append(out, [entry | {"code": "same"} for entry in entries])
    another = [entry | {"code": "another", "p": {MEAN: [0.9 * p for p in entry["p"][MEAN]]}} for entry in entries]
    calibrate.append(out, [*another, *({**entry, "code": "fewer", "seed": entry["seed"] + 40} for entry in entries)])
    calibrated(out, 41)
    assert "41 seeds, 1 to go" in capsys.readouterr().out
    present = [entry for entry in calibrate.read(out) if entry["code"] == calibrate.code_of(CLAIMS["normal"])]
    assert [entry["seed"] for entry in present] == list(range(1, 42))
    assert [entry["p"][MEAN] for entry in present[:40]] == [list(entry["p"][MEAN]) for entry in entries]
    calibrate.main(["--only", "normal", "--jobs", "1", "--seeds", "2", "--out", str(out)], registry=__name__)
    assert "| 41 | 3 |" in out.with_suffix(".md").read_text(encoding="utf-8")


def test_numbers_are_the_same_to_four_digits():
    """The fifth digit may be that of a machine."""
    numbers = [calibrate.numbers_of([{"seed": seed, "p": {MEAN: [p]}} for seed in calibrate.FIRST])
               for p in (0.12312, 0.12313, 0.12322)]  # fmt: skip
    assert numbers[0] == numbers[1] != numbers[2]


def test_runs_without_numbers_tell_nothing_of_other_code(tmp_path):
    refused = calibrate.rerun(__name__, "refusing", calibrate.FIRST)
    other = [entry | {"code": "other"} for entry in [*refused, refused[0] | {"seed": 9}]]
    assert calibrate.numbers_of(other) == ""
    assert calibrate._of_same_numbers(refused, {"other": other}, tmp_path / "c") == {1, 2, 3}


BAD = {
    "unknown claim": (["--only", "normals"], "no claims normals"),
    "claims and tests": (["--only", "normal", "--tests"], "--only names claims"),
    "no seeds": (["--seeds", "0"], "must be a whole number >= 1"),
    "of data": (["--only", "with-data"], "no theory says"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_request_is_refused(case, capsys):
    request, words = BAD[case]
    with pytest.raises(SystemExit) as end:
        calibrate.main(request, registry=__name__)
    assert end.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("line", ["no json", "[1]", "{}", '{"what": "normal", "p": 3}'])
def test_a_file_of_something_else_is_left_alone(line, tmp_path):
    out = tmp_path / "other.jsonl"
    out.write_text(line + "\n")
    with pytest.raises(SystemExit, match="line 1, is not a run of a calibration"):
        calibrate.main(["--only", "normal", "--out", str(out)], registry=__name__)
    assert out.read_text() == line + "\n"


def test_claims_that_train_are_left_out():
    left = {name for name, claim in claims.CLAIMS.items() if calibrate.trains(claim)}
    assert {"real-digits-counts", "grokking-digits", "real-digits-training-size", "late-layers-linear-digits"} <= left
    assert calibrate.trains(CLAIMS["with-package"])
    assert not calibrate.trains(CLAIMS["normal"])
    assert not {"growth-curve", "finite-width", "teacher-student", "linear-posterior", "basin-closed-forms"} & left


@pytest.mark.parametrize(("seconds", "seeds"), [(0.1, 10_000), (0.4, 2_000), (1.6, 200), (6.0, 0)])
def test_seeds_follow_the_time_of_a_run(seconds, seeds, tmp_path, monkeypatch, capsys):
    """The first one compiles."""
    same = {"what": "normal", "code": calibrate.code_of(CLAIMS["normal"]), "p": {}}
    first = [same | {"seed": seed, "seconds": seconds if seed > 1 else 60.0} for seed in calibrate.FIRST]
    pool = SimpleNamespace(submit=lambda *_: SimpleNamespace(result=lambda: first))
    options = SimpleNamespace(out=tmp_path / "c", seeds=None, jobs=1)
    monkeypatch.setattr(calibrate, "_in_turn", lambda *_: iter(()))
    calibrate.calibrated(pool, [CLAIMS["normal"]], options, __name__, math.inf)
    assert f"{seeds} seeds" in capsys.readouterr().out


# -- tests on fresh root seeds ---------------------------------------------------------------------------------------


def test_tests_that_compare_are_recorded_and_twins_are_not():
    names = "test_proportion_passes_right_theory_and_rejects_wrong", "test_twin_that_passes_fails"
    tests = [f"tests/testing/test_assertions.py::{name}" for name in names]
    [entry] = calibrate.run_tests(1, tests, jobs=1)
    assert (entry["what"], entry["seed"], entry["code"]) == (tests[0], 1, "tests")
    assert len(entry["p"]["p"]) == 1
    assert 0 <= entry["p"]["p"][0] <= 1


def test_tests_that_fail_are_named_and_a_suite_that_breaks_off_is_refused(monkeypatch):
    ended = SimpleNamespace(
        returncode=1, stdout="FAILED tests/a.py::b - assert 1 == 2\nERROR tests/c.py::d\n1 failed\n", stderr=""
    )
    monkeypatch.setattr(calibrate.subprocess, "run", lambda *_, **__: ended)
    entries = calibrate.run_tests(7, ["tests"], jobs=1)
    assert [(entry["what"], entry["seed"], entry["p"], entry["expected"]) for entry in entries] == [
        ("tests/a.py::b", 7, {}, False), ("tests/c.py::d", 7, {}, False),
    ]  # fmt: skip
    ended.returncode = 2
    with pytest.raises(RuntimeError, match="pytest ended with status 2"):
        calibrate.run_tests(7, ["tests"], jobs=1)


def test_after_the_first_root_seed_only_tests_that_draw_are_run(tmp_path, monkeypatch, capsys):
    asked = []

    def run_tests(seed, tests, **_):
        asked.append(tests)
        return [{"what": "t", "code": "tests", "seed": seed, "p": {"p": [0.5]}, "expected": seed != 3, "error": ""}]

    monkeypatch.setattr(calibrate, "run_tests", run_tests)
    out = ["--out", str(tmp_path / "t.jsonl")]
    assert calibrate.main(["--tests", "--seeds", "2", *out], registry=__name__) == 0
    assert calibrate.main(["--tests", "--seeds", "3", *out], registry=__name__) == 1
    assert asked == [[str(calibrate.TESTS)], ["t"], ["t"]]
    assert "t: 1 of 3 seeds NOT as expected (3, ...)" in capsys.readouterr().out


# -- power -----------------------------------------------------------------------------------------------------------


def test_smallest_deviation_is_where_the_level_is_passed():
    data = {"values": np.zeros((3, 12)), "theory": 0.0}
    claim = CLAIMS["normal"]
    seen = power.smallest(claim, data, claim.judge(data), MEAN)
    limit = -stats.norm.ppf(LEVEL / 2 / 2 / 3) * 12**-0.5
    assert limit <= seen < 2**0.25 * limit
    assert power.smallest(claim, data, claim.judge(data), RISE) == np.inf


def test_deviations_are_seen_where_a_quantity_that_fails_holds():
    """The mean of zeros is not 5; twins have theories from 1/4 on, and from 2 on they fail as well."""
    data = {"values": np.zeros((3, 12)), "theory": 5.0}
    claim = CLAIMS["normal"]
    assert power.smallest(claim, data, claim.judge(data), MEAN) == 0.25


def test_one_finding_that_says_too_much_is_enough(monkeypatch, capsys):
    """Claims that train are measured only when they are named."""
    finding = CLAIMS["normal"].judge({"values": np.zeros((3, 12)), "theory": 0.0})[MEAN]
    curves = [testing.Power((1.0, 2.0, 4.0), (seen, seen), LEVEL) for seen in (4.0, 2.0)]
    asked = []

    def measure(claim, _):
        asked.append(claim.id)
        return [power.Power("normal", finding, curve) for curve in curves]

    monkeypatch.setattr(power, "measure", measure)
    assert power.main([], registry=__name__) == 1
    assert asked == ["normal", "overconfident", "refusing"]
    assert "| SAYS TOO MUCH |" in capsys.readouterr().out.splitlines()[2]


def test_what_one_seed_in_a_thousand_misses_is_said_too_much():
    finding = CLAIMS["normal"].judge({"values": np.zeros((3, 12)), "theory": 0.0})[MEAN]
    tried = tuple(np.linspace(1.0, 2.0, 101))
    for seen, says in (
        (tried[50:90:2], "SAYS TOO MUCH"), (tried[50:70], "as stated"), ((1.0, 1.01), "as stated"),
        ((1.0, 1.0), "could say less"),
    ):  # fmt: skip
        sensitivity = power.Power("normal", finding, testing.Power(tried, seen, LEVEL))
        assert sensitivity.largest < finding.sees == 2.0
        assert sensitivity.says == says


def test_the_row_of_a_finding_has_the_median_of_its_seeds():
    finding = CLAIMS["normal"].judge({"values": np.zeros((3, 12)), "theory": 0.0})[MEAN]
    sensitivity = power.Power("normal", finding, testing.Power((0.5, 1.0, 2.0), (0.5, 1.0, 2.0), LEVEL))
    assert power.row(sensitivity) == f"| normal | {MEAN} | 2 in the mean | 1 | 2 | needs 20 seeds | 3 | as stated |"
    barred = power.Power("normal", replace(finding, quantity="|mean|"), sensitivity.curve)
    assert power.row(barred).startswith(r"| normal | \|mean\| | 2 in the mean |")


def test_power_says_what_is_seen(tmp_path, capsys):
    assert power.main(["--only", "normal", "--seeds", "3", "--out", str(tmp_path / "power.md")], registry=__name__) == 1
    said = capsys.readouterr().out
    assert said == (tmp_path / "power.md").read_text(encoding="utf-8")
    mean, rise = said.splitlines()[2:]
    assert mean.startswith(f"| normal | {MEAN} | 2 in the mean | ")
    assert mean.endswith("| 3 | as stated |")
    assert rise.endswith("| above 2 | above 2 | needs 20 seeds | 3 | SAYS TOO MUCH |")
    power.main(["--only", "normal", "--seeds", "20"], registry=__name__)
    mean, rise = capsys.readouterr().out.splitlines()[2:]
    assert re.search(r"\| \d\.\d+ ± 0\.\d+ \| 20 \|", mean)
    assert "| outside | 20 |" in rise
    with pytest.raises(SystemExit):
        power.main(["--only", "with-data"], registry=__name__)
    assert "with-data needs --data" in capsys.readouterr().err


def test_a_collapse_along_a_valley_is_found():
    """On this seed a resampled surface takes 370 steps along a line of exponents, and all of them are allowed."""
    claim = claims.CLAIMS["data-collapse"]
    assert claim.expects(claim.judge(claim.data(11)))


def test_runs_of_other_code_are_other_runs_and_other_words_are_not():
    source = 'def f(x):\n    """Say."""\n    return x + 1  # why\n'
    same = calibrate._statements(source)
    assert calibrate._statements(source.replace("Say.", "Say more.").replace("why", "because")) == same
    assert calibrate._statements(source.replace("+ 1", "+ 2")) != same
    assert calibrate._statements('class A:\n    """Nothing else."""\n') == "class A:\n    pass"
