"""The runner on small claims of its own, its refusal of bad requests, its report, and the real registry."""

import contextlib
import io
import json
import multiprocessing
import os
import subprocess
import sys
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from statnn.testing import statistics
from validation import claims, report
from validation.claim import Claim, Finding, Outcome, Verdict, frozen
from validation.finding import CLAIMS_AT_MOST
from validation.runner import main
from validation.task import Record, Task, Twin

HEADS = "share of heads"
RUNS = "share of tosses equal to the one before"


def fair(rng, quick):
    return {"tosses": rng.integers(0, 2, 1000 if quick else 4000), "theory": 0.5}


def fair_from_data(rng, quick, data):
    with np.load(data) as file:
        return fair(rng, quick) | {"labels": file["y_train"]}


def judge(data):
    tosses = data["tosses"]
    heads = statistics.mean(tosses, float(data["theory"]))
    runs = statistics.mean(tosses[1::2] == tosses[:-1:2], float(data.get("runs", 0.5)))
    return Verdict.judged(
        [
            Finding.of(HEADS, heads, sees=0.3, unit="in the share"),
            Finding.of(RUNS, runs, sees=0.3, unit="in the share"),
        ],
        Outcome.EXACT,
        "as of a fair coin",
        otherwise="the coin is not fair",
    )


def draw(data, figure):
    axes = figure.add_subplot()
    axes.plot(np.cumsum(data["tosses"]))
    axes.set(xlabel="toss", ylabel="heads")


def loaded(data, by):
    return {**data, "theory": 0.5 + by}


def sticky(data, by):
    return {**data, "runs": 0.5 + by}


def unchanged(data, by):  # noqa: ARG001 - a twin that is told how wrong to be, and is not
    return data


def crash(*_, **__):
    raise RuntimeError("no coin at hand")


def die(*_, **__):
    if multiprocessing.parent_process() is None:
        raise RuntimeError("only a worker may die")
    os._exit(1)


def leave(*_, **__):
    raise SystemExit(0)


def unpicklable(rng, quick):
    return fair(rng, quick) | {"coin": object()}


def coin(name, **changes):
    parts = {
        "title": "A fair coin <&>",
        "statement": "Half of all tosses of a fair coin are heads.",
        "source": "Bernoulli 1713, Ars conjectandi",
        "standing": "exact",
        "expected": Outcome.EXACT,
        "run": fair,
        "judge": judge,
        "draw": draw,
        "twins": {HEADS: loaded, RUNS: sticky},
    }
    return Claim(name, **(parts | changes))


CLAIMS = {
    claim.id: claim
    for claim in (
        coin("fair-coin", cost=1),
        coin("other-fair-coin", cost=5),
        coin("surprising-coin", expected=Outcome.CONTRADICTED, twins={HEADS: unchanged, RUNS: unchanged}),
        coin("credulous-coin", twins={HEADS: loaded, RUNS: unchanged}),
        coin("misled-coin", twins={HEADS: loaded, RUNS: loaded}),
        coin("silent-coin", twins={HEADS: loaded}),
        coin("other-coin", twins={HEADS: loaded, "share of tails": loaded}),
        coin("crashing-run", run=crash),
        coin("crashing-judge", judge=crash),
        coin("crashing-draw", draw=crash),
        coin("crashing-twin", twins={HEADS: crash, RUNS: sticky}),
        coin("leaving-run", run=leave),
        coin("dying-run", run=die, cost=9),
        coin("unpicklable-data", run=unpicklable),
        coin("unknown-derivation", derivations=("no-such-derivation",)),
        coin("labelled-coin", run=fair_from_data, needs_data=True),
        coin("other-labelled-coin", run=fair_from_data, needs_data=True),
    )
}
GOOD = ["fair-coin", "other-fair-coin"]


@pytest.fixture
def run(tmp_path):
    def run(*arguments, out="report"):
        status = main([*arguments, "--out", str(tmp_path / out)], registry=__name__)
        return status, json.loads((tmp_path / out / "verdicts.json").read_text(encoding="utf-8"))

    return run


@pytest.fixture
def mnist():
    return {
        "x_train": np.zeros((6, 4, 4), np.uint8),
        "y_train": np.zeros(6, np.uint8),
        "x_test": np.zeros((2, 4, 4), np.uint8),
        "y_test": np.zeros(2, np.uint8),
    }


def test_expected_verdicts_end_well(run, tmp_path, capsys):
    status, verdicts = run("--only", *GOOD, "--jobs", "1")
    assert status == 0
    assert list(verdicts["claims"]) == GOOD
    for name, record in verdicts["claims"].items():
        assert record["passed"]
        assert record["as_expected"]
        assert record["twins_rejected"]
        assert record["verdict"]["outcome"] == "holds exactly"
        assert [finding["quantity"] for finding in record["verdict"]["findings"]] == [HEADS, RUNS]
        assert [(twin["quantity"], twin["by"]) for twin in record["twins"]] == [(HEADS, 1.5 * 0.3), (RUNS, 1.5 * 0.3)]
        for twin in record["twins"]:
            assert twin["verdict"]["outcome"] == "contradicted"
            assert [f["quantity"] for f in twin["verdict"]["findings"] if not f["holds"]] == [twin["quantity"]]
        assert {path.name for path in (tmp_path / "report").glob(f"{name}.*")} == {
            f"{name}.{suffix}" for suffix in ("svg", "pdf", "png", "npz", "txt", "tex")
        }
        with np.load(tmp_path / "report" / f"{name}.npz") as data:
            assert judge(data)[HEADS].estimate == record["verdict"]["findings"][0]["estimate"]
    assert verdicts["run"]["mode"] == "quick"
    assert verdicts["run"]["versions"]["numpy"] == np.__version__
    assert not list((tmp_path / "report").glob(".*"))
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        "quick run: 2 claims, 1 at a time, seed 20241218, about 6 s",
        "running other-fair-coin (about 5 s)",
    ]
    assert lines[2].startswith("[1/2] other-fair-coin | "), "the costliest claim starts first"
    assert "holds exactly, expected | 2 twins rejected" in lines[4]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("surprising-coin", "NOT expected (contradicted)"),
        ("credulous-coin", f"twin NOT rejected: {RUNS} (said to be seen: "),
        ("misled-coin", f"twin NOT rejected: {RUNS}"),
        ("silent-coin", f"twin NOT rejected: {RUNS}"),
        ("other-coin", "'share of tails' is not among the quantities that are judged"),
        ("crashing-run", "crashed: RuntimeError: no coin at hand"),
        ("crashing-judge", "crashed: RuntimeError: no coin at hand"),
        ("crashing-draw", "crashed: RuntimeError: no coin at hand"),
        ("crashing-twin", "crashed: RuntimeError: no coin at hand"),
        ("leaving-run", "crashed: SystemExit: 0"),
        ("unpicklable-data", "'coin' cannot be stored without pickles"),
        ("unknown-derivation", "crashed: KeyError: 'no-such-derivation'"),
    ],
)
def test_one_bad_claim_fails_the_run_and_leaves_the_others(name, words, run, capsys):
    status, verdicts = run("--only", name, "fair-coin", "--jobs", "1")
    assert status == 1
    assert not verdicts["claims"][name]["passed"]
    assert verdicts["claims"]["fair-coin"]["passed"]
    said = capsys.readouterr().out
    assert words in said
    assert f"not as expected: {name}" in said


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """Return the folder, the status, the records and the lines of one run of good and bad claims on two workers."""
    folder, said = tmp_path_factory.mktemp("together"), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said):
        patch.setattr("validation.runner.SILENCE", 0.01)
        names = ("--only", *GOOD, "crashing-run", "leaving-run")
        status = main([*names, "--jobs", "2", "--out", str(folder)], registry=__name__)
    return folder, status, json.loads((folder / "verdicts.json").read_text()), said.getvalue().splitlines()


def test_results_depend_neither_on_jobs_nor_on_the_choice(run, tmp_path, together):
    folder, _, beside, _ = together
    _, alone = run("--only", "fair-coin", "--jobs", "1", out="alone")
    _, other = run("--only", "fair-coin", "--jobs", "1", "--seed", "7", out="other")
    verdicts = [records["claims"]["fair-coin"]["verdict"] for records in (alone, beside, other)]
    assert verdicts[0] == verdicts[1] != verdicts[2]
    assert beside["claims"]["other-fair-coin"]["verdict"] != verdicts[0], "claims share no stream"
    for suffix in ("svg", "pdf", "png", "npz"):
        files = [(path / f"fair-coin.{suffix}").read_bytes() for path in (tmp_path / "alone", folder)]
        assert files[0] == files[1]


def test_a_cluster_changes_nothing(run):
    distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")
    local = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**local) as cluster:
        address = cluster.scheduler_address.replace("tcp://", "dask://")
        _, there = run("--only", *GOOD, "--executor", address, out="there")
    _, here = run("--only", *GOOD, "--jobs", "1", out="here")
    assert [there["claims"][name]["verdict"] for name in GOOD] == [here["claims"][name]["verdict"] for name in GOOD]


def test_full_takes_more(run, tmp_path):
    run("--only", "fair-coin", "--full", "--jobs", "1")
    with np.load(tmp_path / "report" / "fair-coin.npz") as data:
        assert data["tosses"].size == 4000


def test_claims_that_need_data_wait_for_it(run, mnist, tmp_path, capsys):
    np.savez(tmp_path / "mnist.npz", **mnist)
    status, verdicts = run("--only", "labelled-coin", "--data", str(tmp_path / "mnist.npz"), "--jobs", "1")
    assert (status, verdicts["claims"]["labelled-coin"]["passed"]) == (0, True)
    _, verdicts = run("--jobs", "1")
    assert verdicts["claims"]["labelled-coin"]["skipped"] == "not run: needs --data"
    assert verdicts["claims"]["labelled-coin"]["passed"] is None
    lines = capsys.readouterr().out.splitlines()
    assert "2 not run: needs --data (labelled-coin, other-labelled-coin)" in lines


def test_list_shows_and_writes_nothing(tmp_path, capsys):
    assert main(["--list", "--out", str(tmp_path / "report")], registry=__name__) == 0
    said = capsys.readouterr().out
    assert all(f"{name}: " in said for name in CLAIMS)
    assert "labelled-coin: A fair coin <&>; expected: holds exactly (needs --data)" in said
    assert not list(tmp_path.iterdir())


def test_interrupt_ends_cleanly(monkeypatch, tmp_path, capsys):
    def interrupted(_):
        (tmp_path / ".fair-coin.svg.x.tmp").touch()
        raise KeyboardInterrupt

    monkeypatch.setattr("validation.runner.perform", interrupted)
    assert main(["--only", "fair-coin", "--jobs", "1", "--out", str(tmp_path)], registry=__name__) == 130
    assert not list(tmp_path.iterdir())
    assert capsys.readouterr().err == "interrupted: no report written\n"


BAD_REQUESTS = {
    "executor": (["--executor", "cluster"], "must be processes, dask://HOST:PORT or mpi"),
    "unknown id": (["--only", "fair-coins"], "did you mean fair-coin"),
    "far id": (["--only", "xyzzy"], "--list shows all"),
    "needs data": (["--only", "labelled-coin"], "needs --data"),
    "no jobs": (["--jobs", "0"], "must be a whole number >= 1"),
    "no number": (["--jobs", "many"], "must be a whole number >= 1"),
    "negative seed": (["--seed", "-1"], "must be a whole number >= 0"),
    "both modes": (["--quick", "--full"], "not allowed with"),
    "unknown option": (["--fast"], "unrecognized"),
    "abbreviated option": (["--qui"], "unrecognized"),
    "no data": (["--data", "{tmp}/none.npz"], "not a readable npz"),
    "no npz": (["--data", "{tmp}/text.npz"], "not a readable npz"),
    "directory as data": (["--data", "{tmp}"], "not a readable npz"),
    "one array": (["--data", "{tmp}/array.npy"], "not a readable npz"),
    "truncated data": (["--data", "{tmp}/truncated.npz"], "not a readable npz"),
    "pickled data": (["--data", "{tmp}/pickled.npz"], "not a readable npz"),
    "missing array": (["--data", "{tmp}/missing.npz"], "needed: x_train, y_train, x_test, y_test"),
    "wrong shape": (["--data", "{tmp}/shape.npz"], "x_test and y_test have shapes (2, 16) and (2,)"),
    "labels of other length": (["--data", "{tmp}/length.npz"], "x_train and y_train have shapes"),
    "labels no integers": (["--data", "{tmp}/labels.npz"], "not numbers and whole numbers"),
    "file as directory": (["--out", "{tmp}/text.npz"], "is not a directory"),
    "directory below a file": (["--out", "{tmp}/text.npz/report"], "is not a directory"),
    "unwritable directory": (["--out", "/proc/statnn-report"], "cannot be written"),
}


@pytest.mark.parametrize("case", BAD_REQUESTS)
def test_bad_request_ends_in_one_line_before_any_work(case, mnist, tmp_path, capsys, monkeypatch):
    (tmp_path / "text.npz").write_text("no zip")
    np.save(tmp_path / "array.npy", np.zeros(3))
    np.savez(tmp_path / "whole.npz", **mnist)
    (tmp_path / "truncated.npz").write_bytes((tmp_path / "whole.npz").read_bytes()[:-200])
    np.savez(tmp_path / "missing.npz", x_train=mnist["x_train"])
    np.savez(tmp_path / "pickled.npz", **(mnist | {"y_test": np.array([object(), None])}))
    np.savez(tmp_path / "shape.npz", **(mnist | {"x_test": mnist["x_test"].reshape(2, 16)}))
    np.savez(tmp_path / "length.npz", **(mnist | {"y_train": mnist["y_train"][1:]}))
    np.savez(tmp_path / "labels.npz", **(mnist | {"y_train": np.zeros(6)}))
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    request, words = BAD_REQUESTS[case]
    with pytest.raises(SystemExit) as end:
        main([part.replace("{tmp}", str(tmp_path)) for part in request], registry=__name__)
    said = capsys.readouterr()
    assert end.value.code == 2
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith("python -m validation: error: ")
    assert words in said.err
    assert "allow_pickle" not in said.err
    assert sorted(tmp_path.rglob("*")) == before


class Page(HTMLParser):
    """Reads a page, sees that every element is closed in order, keeps text and links."""

    VOID = frozenset({"meta", "img", "br", "link"})

    def __init__(self, text):
        super().__init__()
        self.open, self.text, self.links, self.ids, self.tags, self.labels = [], "", [], [], [], []
        self.cells = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        attributes = dict(attrs)
        self.links += [attributes[key] for key in ("href", "src") if key in attributes]
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.labels += [attributes["aria-label"]] if tag == "svg" else []
        assert tag != "img" or attributes["alt"].strip()
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        self.cells += [data] if self.open and self.open[-1] == "td" else []

    def check(self):
        """Headings go down by one, ids are unique, links within the page resolve."""
        levels = [0, *(int(tag[1]) for tag in self.tags if tag[0] == "h" and tag[1:].isdigit())]
        assert levels.count(1) == 1
        assert all(lower - upper <= 1 for upper, lower in pairwise(levels))
        assert len(set(self.ids)) == len(self.ids)
        assert {link[1:] for link in self.links if link.startswith("#")} <= set(self.ids)


def test_report_is_a_whole_page_without_network(run, tmp_path):
    run("--jobs", "1")
    out = tmp_path / "report"
    page = Page((out / "index.html").read_text(encoding="utf-8"))
    page.check()
    assert [name for name in page.ids if "." not in name] == list(CLAIMS)
    assert "script" not in page.tags
    for link in page.links:
        assert (link[1:] in page.ids) if link.startswith("#") else (out / link).is_file()
    for words in ("A fair coin <&>", "Bernoulli 1713", "as expected", "NOT as expected", "twin not rejected"):
        assert words in page.text
    for words in ("– not run needs --data", "no coin at hand", "holds exactly", "follows from the model", "Traceback"):
        assert words in page.text


def test_report_typesets_derivations(tmp_path):
    step = {"statement": "Both & <sides> agree.", "kind": "identity", "latex": r"x < \frac{y}{2}"}
    steps = [step, step | {"kind": "argued"}]
    derivation = {"name": "d", "title": "D & E", "source": "here", "standing": "exact", "steps": steps}
    finding = Finding(
        quantity=HEADS, estimate=1.0, error=0.1, theory=1.2, limit=1.5, z=-2.0, p=0.54, comparisons=48, sees=0.3,
        unit="in the share", law="exact",
    )  # fmt: skip
    verdict = Verdict(Outcome.DOMAIN, (finding,), detail="for b < 1")
    record = Record.of(
        CLAIMS["fair-coin"],
        verdict=verdict,
        twins=(Twin(HEADS, 0.45, verdict, rejected=False),),
        derivations=(derivation,),
    )
    run = {"command": "", "mode": "quick", "seed": 1, "seconds": 1.0, "versions": {"python": "3"}}
    report.write(tmp_path, run, [record])
    page = Page((tmp_path / "index.html").read_text(encoding="utf-8"))
    assert {"svg", "details", "dl", "table", "figure"} <= set(page.tags)
    assert page.labels == [step["latex"]] * 2
    page.check()
    assert page.text.count("D & E") == 2, "the derivation once, and a link to it"
    assert {"1.2", "1.5", "worst of 48", "0.54"} <= set(page.cells)
    for words in (
        "Both & <sides> agree.",
        "D & E",
        "In this run 1 step checked: 1 identity; not checked: 1 argued.",
        "definitions and arguments are never counted as checked",
        "for b<1",  # as it is typeset
        "1.00 ± 0.10",
        "0.3 in the share",
        "Seen with 0.999",
        "≈0.945 (normal)",
        "wrong by 0.45 in the share: NOT rejected",
    ):
        assert words in page.text
    stored = json.loads((tmp_path / "verdicts.json").read_text(encoding="utf-8"))
    assert stored["claims"]["fair-coin"]["derivations"] == ["d"]
    [plain] = stored["claims"]["fair-coin"]["verdict"]["findings"]
    assert (plain["reach"]["law"], plain["reach"]["probability"]) == ("normal", 0.999)


@pytest.mark.parametrize("changes", [{"title": " "}, {"statement": ""}, {"source": ""}, {"standing": "rumour"}])
def test_claim_without_words_is_refused(changes):
    with pytest.raises(ValueError, match="claim 'c'"):
        coin("c", **changes)


def test_claim_without_twins_is_refused():
    with pytest.raises(ValueError, match="needs twins="):
        coin("c", twins={})


def test_claim_id_is_kebab_case():
    for name in ("Coin", "fair_coin", "-coin", "../coin", ""):
        with pytest.raises(ValueError, match="kebab-case"):
            coin(name)


def test_data_of_a_claim_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        frozen({"x": [1.0]})["x"][0] = 2


def test_streams_are_fixed_by_seed_and_id():
    def first(name, seed):
        return Task(__name__, name, seed, quick=True, out="").stream().integers(2**63)

    assert first("fair-coin", 1) == first("fair-coin", 1)
    assert len({first("fair-coin", 1), first("fair-coin", 2), first("other-fair-coin", 1)}) == 3


def test_registry_is_sound():
    from statnn.theory.registry import DERIVATIONS  # here, or each worker that imports this file loads sympy

    assert len(claims.CLAIMS) <= CLAIMS_AT_MOST  # they share the level
    for name, claim in claims.CLAIMS.items():
        assert claim.id == name
        assert set(claim.derivations) <= set(DERIVATIONS)


def test_registry_lists_every_module_of_claims():
    names = {f"{path.parent.name}.{path.stem}" for path in Path(claims.__file__).parent.glob("*/[a-z]*.py")}
    assert set(claims.MODULES) == names


def test_registry_refuses_two_claims_of_one_id():
    with pytest.raises(ValueError, match="two claims have the id"):
        claims._registry([CLAIMS["fair-coin"], coin("fair-coin")])


def test_workers_are_alone(together):
    _, status, verdicts, _ = together
    assert status == 1
    assert [record["passed"] for record in verdicts["claims"].values()] == [True, True, False, False]


def test_what_is_running_is_said_with_its_time(together):
    *_, lines = together
    assert lines[0] == "quick run: 4 claims, 2 at a time, seed 20241218, about 4 s"
    assert lines[1:3] == ["running other-fair-coin (about 5 s)", "running fair-coin (about 1 s)"]
    assert "still running: other-fair-coin (0 s), fair-coin (0 s)" in lines


def test_a_worker_that_dies_leaves_a_record_for_every_claim(run):
    status, verdicts = run("--only", "dying-run", *GOOD, "--jobs", "2")
    assert status == 1
    assert list(verdicts["claims"]) == [*GOOD, "dying-run"]
    assert "BrokenProcessPool" in verdicts["claims"]["dying-run"]["error"]


def test_the_registry_is_read_before_the_first_line_and_is_quick_to_read():
    """Whatever costs more than numpy and scipy is imported where it is used."""
    line = "import sys, validation.runner, validation.claims; print(*sys.modules)"
    read = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True)  # noqa: S603
    assert "scipy" in read.stdout.split()
    assert not {"sympy", "matplotlib.font_manager", "sklearn", "torch", "pandas"} & set(read.stdout.split())
