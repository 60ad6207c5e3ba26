"""The calibration finds statistics that raise too many alarms, and its power the smallest deviation that is seen."""

import json

import numpy as np
import pytest
from scipy import stats

from validation import calibrate
from validation.claim import Claim, Finding, Outcome, Verdict
from validation.statistics import mean, worst, z_score
from validation.task import TWIN_OVER_SEEN

COLUMNS = 3


def claim_of(identity, law):
    """Return a claim on the mean of normal numbers, judged by a law of the test."""

    def judge(data):
        found = worst(law(data["x"][:, k], float(data["theory"])) for k in range(COLUMNS))
        finding = Finding.of("mean", found, sees=0.5, unit="of the spread")
        return Verdict.judged((finding,), Outcome.EXACT, "", otherwise="another mean")

    return Claim(
        id=identity, title="Mean", statement="It is 0.", source="this test", standing="exact", expected=Outcome.EXACT,
        run=lambda rng, _quick: {"x": rng.standard_normal((400, COLUMNS)), "theory": 0.0}, judge=judge,
        draw=lambda _data, _figure: None, twins={"mean": lambda data, by: {**data, "theory": by}},
    )  # fmt: skip


CLAIMS = {
    "right": claim_of("right", mean),
    "bold": claim_of("bold", lambda x, theory: z_score(x.mean(), 0.7 * stats.sem(x), theory)),
}


@pytest.fixture
def _claims(monkeypatch):
    monkeypatch.setattr(calibrate, "CLAIMS", CLAIMS)


@pytest.mark.usefixtures("_claims")
def test_too_many_alarms_are_found(tmp_path, capsys):
    out = tmp_path / "runs.jsonl"
    assert calibrate.main(["--only", "right", "--seeds", "150", "--out", str(out)]) == 0
    assert "TOO SMALL" not in capsys.readouterr().out
    assert calibrate.main(["--only", "bold", "--seeds", "150", "--out", str(out)]) == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if "TOO SMALL" in line]
    assert [line.split(" | ")[:3] for line in lines] == [["bold", "mean", "150"]]


@pytest.mark.usefixtures("_claims")
def test_runs_that_are_there_are_not_made_again(tmp_path, capsys):
    out, whole = tmp_path / "runs.jsonl", tmp_path / "whole.jsonl"
    calibrate.main(["--only", "right", "--seeds", "4", "--out", str(out)])
    before = out.read_text()
    calibrate.main(["--only", "right", "--seeds", "6", "--out", str(out)])
    calibrate.main(["--only", "right", "--seeds", "6", "--out", str(whole)])
    assert out.read_text().startswith(before)
    resumed, fresh = ([json.loads(line) for line in path.read_text().splitlines()] for path in (out, whole))
    assert [(run["seed"], run["p"]) for run in resumed] == [(run["seed"], run["p"]) for run in fresh]
    assert all(len(run["p"]["mean"]) == COLUMNS for run in resumed)
    assert "right: 6 runs" in capsys.readouterr().out


def test_of_every_run_one_comparison_counts():
    runs = [{"seed": seed, "p": {"mean": [seed + k / 10 for k in range(3)]}} for seed in range(6)]
    assert calibrate.independent(runs, "mean").tolist() == [0.0, 1.1, 2.2, 3.0, 4.1, 5.2]


@pytest.mark.usefixtures("_claims")
def test_power_is_the_deviation_at_which_the_judge_turns(capsys):
    claim = CLAIMS["right"]
    data = calibrate._run(claim, 1)
    verdict = claim.judge(data)
    least = calibrate.least_seen(claim, data, verdict, "mean", claim.twins["mean"])
    for by, seen in ((0.98 * least, False), (1.02 * least, True)):
        found = claim.judge({**data, "theory": np.float64(by)})
        assert bool(found.failing) is seen
    assert least < TWIN_OVER_SEEN * verdict["mean"].sees
    assert calibrate.main(["--power", "--only", "right", "--seeds", "2"]) == 0
    assert "right | mean |" in capsys.readouterr().out


def test_tests_are_rerun_on_other_seeds(tmp_path, capsys):
    out = tmp_path / "runs.jsonl"
    where = "tests/test_checks.py::test_proportion_passes_right_theory_and_rejects_wrong"
    calibrate.main(["--tests", where, "--seeds", "2", "--out", str(out)])
    runs = [json.loads(line) for line in out.read_text().splitlines()]
    assert [run["outcome"] for run in runs] == ["passed", "passed"]
    assert [[len(p) for p in run["p"].values()] for run in runs] == [[1], [1]], "the twin is not kept"
    assert runs[0]["p"] != runs[1]["p"]
    assert list(runs[0]["p"]) == [f"{where} | coverage"]
    capsys.readouterr()
