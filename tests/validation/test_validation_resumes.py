"""Runs of claims that are killed, stopped or short of room go on where they were."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from test_validation import HEADS, RUNS, coin, crash, fair

from validation.records import NAME, Journal
from validation.runner import _key, main
from validation.trained import cache

ROOT = Path(__file__).parents[2]


def waiting(rng, quick):
    Path(os.environ["BEGUN"]).touch()
    time.sleep(60)
    return fair(rng, quick)


CLAIMS = {
    claim.id: claim for claim in (coin("first-coin", cost=9), coin("second-coin", cost=5), coin("third-coin", cost=1))
}
SLOW = {"first-coin": CLAIMS["first-coin"], "waiting-coin": coin("waiting-coin", run=waiting)}


@pytest.fixture
def run(tmp_path, capsys):
    def started(*arguments):
        status = main([*arguments, "--seed", "3", "--jobs", "1", "--out", str(tmp_path)], registry=__name__)
        said = capsys.readouterr()
        path = tmp_path / "verdicts.json"
        return status, said.out + said.err, json.loads(path.read_text())["claims"] if path.exists() else None

    return started


def without_times(claims):
    return {name: {key: value for key, value in claim.items() if key != "seconds"} for name, claim in claims.items()}


def test_a_run_goes_on_after_the_claims_that_are_done(run, tmp_path, monkeypatch):
    _, _, whole = run()
    lines = (tmp_path / NAME).read_bytes().splitlines(keepends=True)
    assert len(lines) == 1 + len(CLAIMS)
    (tmp_path / NAME).write_bytes(b"".join(lines[:2]) + lines[2][:40])  # killed in the middle of a line
    done = []
    monkeypatch.setattr("validation.runner.line", lambda record: done.append(record.id) or record.id)
    status, said, resumed = run("--resume")
    assert (status, without_times(resumed)) == (0, without_times(whole))
    assert "1 of 3 claims are done already: first-coin" in said
    assert sorted(done) == ["second-coin", "third-coin"]
    assert len((tmp_path / NAME).read_bytes().splitlines()) == 1 + len(CLAIMS)
    (tmp_path / "second-coin.svg").unlink()  # a figure that is gone is drawn again
    done.clear()
    run("--resume")
    assert done == ["second-coin"]
    run()
    assert len(done) == 4  # without --resume all are run


def test_a_run_of_other_claims_keeps_those_that_are_done(run):
    run("--only", "first-coin")
    run("--only", "second-coin", "--resume")
    _, said, _ = run("--only", "first-coin", "second-coin", "--resume")
    assert "2 of 2 claims are done already" in said


def test_a_claim_whose_twin_crashed_is_run_again(run, tmp_path, monkeypatch):
    """Its figure is there, and its verdict too."""
    with monkeypatch.context() as broken:
        broken.setitem(CLAIMS, "third-coin", coin("third-coin", twins=dict.fromkeys((HEADS, RUNS), crash)))
        run("--only", "third-coin")
    assert (tmp_path / "third-coin.svg").exists()
    status, said, _ = run("--only", "third-coin", "--resume")
    assert (status, "done already" in said) == (0, False)


def test_files_that_no_run_began_to_write_stay(run, tmp_path):
    ours, theirs = tmp_path / ".index.html.tmp", tmp_path / "notes.tmp"
    ours.touch()
    theirs.touch()
    run("--only", "third-coin")
    assert (ours.exists(), theirs.exists()) == (False, True)


def test_a_run_of_nothing_shows_nothing(run, monkeypatch):
    for name in CLAIMS:
        monkeypatch.setitem(CLAIMS, name, coin(name, needs_data=True))
    status, said, _ = run()
    assert (status, "nothing was run, so nothing was shown" in said) == (1, True)


def undigested(text):
    """Return records whose lines have no digests."""
    return re.sub(', "digest": "[0-9a-f]{64}"', "", text)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda text: undigested(text.replace('"seed": 3', '"seed": 4')),
            "is of another run: seed is 4 there and 3 here",
        ),
        (
            lambda text: undigested(text.replace('"version": 1', '"version": 2', 1)),
            "not a file of records of this version",
        ),
        (lambda text: undigested(text.replace('"outcome"', '"income"', 1)), "is damaged"),
        (lambda text: text.replace('"as_expected": true', '"as_expected": false'), "something else than was written"),
        (lambda _: "[]\n", "is damaged"),
    ],
)
def test_records_of_another_run_and_damaged_ones_are_refused(change, message, run, tmp_path):
    run("--only", "third-coin")
    text = (tmp_path / NAME).read_text()
    (tmp_path / NAME).write_text(change(text) + "{")
    status, said, _ = run("--only", "third-coin", "--resume")
    assert status == 2
    assert message in said
    assert (tmp_path / NAME).read_text() == change(text) + "{"


def test_records_depend_on_the_mode_and_on_what_the_data_hold(tmp_path):
    path, keys = tmp_path / "data.npz", []
    for content, quick in (("one", True), ("other", True), ("one", False), ("one", True)):
        path.write_text(content)
        keys.append(_key(SimpleNamespace(seed=3, quick=quick, data=path)))
    assert keys[0] == keys[3]
    assert all(keys[k] != keys[m] for k, m in ((0, 1), (0, 2), (1, 2)))


def test_a_second_run_in_the_same_folder_is_refused_and_leaves_the_first_alone(tmp_path, capsys):
    process = started(tmp_path, 1)
    out = tmp_path / "out"
    try:
        before = (out / NAME).read_bytes()
        assert main(["--out", str(out)], registry=__name__) == 2
        assert (
            f"--out {out} is in use by another process (process {process.pid}): wait for it" in capsys.readouterr().err
        )
        assert (out / NAME).read_bytes() == before
    finally:
        process.kill()
        process.communicate()
    assert main(["--only", "third-coin", "--out", str(out)], registry=__name__) == 0  # the kill has released the lock


def test_a_full_disk_is_said_and_what_is_there_stays(run, tmp_path, monkeypatch):
    run("--only", "first-coin")
    before = (tmp_path / NAME).read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    monkeypatch.setattr("validation.task._draw", lambda *_: None)
    status, said, _ = run("--only", "first-coin", "third-coin", "--resume")
    assert status == 1
    assert f"{tmp_path / NAME} cannot be written (No space left on device): third-coin is not kept\n" in said
    assert "the report cannot be written (No space left on device): mend that and go on with --resume" in said
    assert "Traceback" not in said
    assert (tmp_path / NAME).read_bytes() == before


def started(tmp_path, jobs):
    """Start a run whose second claim waits, and return it when it does."""
    begun = tmp_path / "begun"
    code = (
        "import sys, test_validation_resumes; from validation.runner import main; "
        f"sys.exit(main(['--jobs', '{jobs}', '--out', {str(tmp_path / 'out')!r}], registry='slow_registry'))"
    )
    (tmp_path / "slow_registry.py").write_text("from test_validation_resumes import SLOW as CLAIMS\n")
    path = os.pathsep.join(map(str, (tmp_path, ROOT, ROOT / "tests/validation", ROOT / "tests/support")))
    environment = {**os.environ, "BEGUN": str(begun), "PYTHONPATH": path}
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    records = tmp_path / "out" / NAME
    while not (begun.exists() and (jobs == 1 or records.exists())) and process.poll() is None:
        time.sleep(0.05)
    return process


def workers(process):
    """Return the processes that a process has started, where the system tells."""
    return [int(child) for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def alive(numbers):
    return [pid for pid in numbers if Path(f"/proc/{pid}").exists() and "Z" not in state_of(pid)]


def state_of(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are counted in /proc")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_their_parent(how, tmp_path):
    process = started(tmp_path, jobs=2)
    numbers = workers(process)
    assert alive(numbers)
    process.send_signal(how)
    _, said = process.communicate()
    while alive(numbers):
        time.sleep(0.05)
    if how == signal.SIGTERM:
        assert process.returncode == 143
        assert "terminated: no report written; go on with --resume" in said
        assert "Traceback" not in said
    lines = (tmp_path / "out" / NAME).read_text().splitlines()
    assert [json.loads(line).get("id") for line in lines] == [None, "first-coin"]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are counted in /proc")
def test_workers_of_a_calibration_end_with_their_parent(tmp_path):
    out = tmp_path / "c.jsonl"
    arguments = ["--only", "normal", "--seeds", "1000000", "--jobs", "1", "--out", str(out)]
    code = f"from validation import calibrate; calibrate.main({arguments}, registry='test_claims_calibrate')"
    path = os.pathsep.join(map(str, (ROOT, ROOT / "tests/validation")))
    process = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path})  # noqa: S603
    while not out.exists() and process.poll() is None:
        time.sleep(0.05)
    numbers = workers(process)
    assert alive(numbers)
    process.kill()
    process.wait()
    while alive(numbers):
        time.sleep(0.05)


def test_after_a_run_a_request_to_end_means_what_it_did(run):
    before = signal.getsignal(signal.SIGTERM)
    run("--only", "third-coin")
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_journal_of_nothing_is_empty(tmp_path):
    journal = Journal(tmp_path / NAME, {})
    assert journal.read() == {}
    (tmp_path / NAME).write_bytes(b'{"form')
    assert journal.read() == {}


def test_a_directory_in_the_place_of_an_entry_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    cache.path_of({"x": 1}).mkdir()
    with pytest.warns(RuntimeWarning, match="is a directory where an entry of the cache belongs"):
        cache.store({"x": 1}, {})
    assert cache.load({"x": 1}) is None


class Cleared:
    """Sends SIGTERM while Python deletes it, where an exception that the handler raises is lost."""

    def __del__(self):
        signal.raise_signal(signal.SIGTERM)


def test_an_end_that_was_asked_for_while_objects_are_cleared_up_comes_after_the_claim(run, tmp_path, monkeypatch):
    monkeypatch.setattr("validation.runner.line", lambda record: Cleared() and record.id)
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
    status, said, _ = run()
    assert status == 143
    assert "terminated: no report written; go on with --resume" in said
    assert len((tmp_path / NAME).read_bytes().splitlines()) == 2  # the description of the run, and the first claim


def test_a_cluster_that_does_not_answer_is_told_in_words(monkeypatch, tmp_path, capsys):
    distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")

    def nobody(address):
        raise OSError(f"timed out at {address}")

    monkeypatch.setattr(distributed, "Client", nobody)
    assert main(["--only", "first-coin", "--executor", "dask://nohost:1", "--out", str(tmp_path / "x")], __name__) == 2
    message = capsys.readouterr().err
    assert "--executor dask://nohost:1: no scheduler of dask answers there (timed out at tcp://nohost:1)" in message
