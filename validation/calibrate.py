"""Rerun claims or statistical tests on fresh seeds of the right theory and hold their p-values against the uniform law.

``python -m validation.calibrate [--only ID ...] [--seeds N] [--hours H] [--jobs N] [--out FILE]`` for claims,
``--tests`` for the tests of the suite that compare, or draw from the root seed. Every run is one line of FILE (JSON),
so that an interrupted calibration goes on where it stopped; runs of other code than the present count only if it gave
the same numbers. The table is printed and written beside FILE. Claims that train networks are left out: no
theory says what they find.
"""

import argparse
import ast
import hashlib
import inspect
import json
import multiprocessing
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from statnn.testing import statistics
from validation import uniformity
from validation.arguments import at_least, claims_of, usable_cpus
from validation.claim import Claim
from validation.finding import LEVEL
from validation.runner import settle_worker

REGISTRY = "validation.claims"
DEFAULT_SEEDS = ((0.4, 10_000), (1.5, 2_000), (6.0, 200))
"""Processor seconds of one run, and the number of seeds for claims whose run takes less."""
TEST_SEEDS = 200
FIRST = (1, 2, 3)
"""Seeds of a claim that are always run: their numbers tell whether changed code still computes the same."""
DIGITS = 4
"""Digits in which p-values must agree to count as the same: machines differ in the last ones."""
CHUNK = 10.0
"""Processor seconds of the work that a worker gets at a time, the most an interrupt can lose."""
TESTS = Path(__file__).parents[1] / "tests"
STATISTICS = sorted(Path(statistics.__file__).parent.glob("*.py"))


def main(argv: list[str] | None = None, registry: str = REGISTRY) -> int:
    """Run the command line; the status is 1 where p-values are too small or a run is not as expected."""
    parser = argparse.ArgumentParser("python -m validation.calibrate", description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", metavar="ID", help="claims (default: all that do not train)")
    parser.add_argument("--tests", action="store_true", help="instead of claims, the tests of the suite that draw")
    parser.add_argument("--seeds", type=at_least(1), metavar="N", help="default: depends on the time of one run")
    parser.add_argument("--hours", type=float, default=float("inf"), metavar="H", help="begin no run after H hours")
    parser.add_argument("--jobs", type=at_least(1), default=usable_cpus(), metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--out", type=Path, default=Path("calibration.jsonl"), metavar="FILE", help="default: %(default)s"
    )
    options = parser.parse_args(argv)
    if options.tests and options.only:
        parser.error("--only names claims; --tests takes all statistical tests")
    claims = claims_of(parser, registry, options.only)
    deadline = time.monotonic() + 3600 * options.hours
    if options.tests:
        _rerun_tests(options, deadline)
        counted = [entry for entry in read(options.out) if entry["code"] == "tests"]
    else:
        chosen = [claim for name, claim in claims.items() if not options.only or name in options.only]
        if left_out := [claim.id for claim in chosen if options.only and trains(claim)]:
            parser.error(f"{', '.join(left_out)}: no theory says what trained networks find, so nothing to calibrate")
        codes = {claim.id: code_of(claim) for claim in chosen if not trains(claim)}
        _rerun_claims([claim for claim in chosen if claim.id in codes], options, registry, deadline)
        counted = [entry for entry in read(options.out) if codes.get(entry["what"]) == entry["code"]]
    return _conclude(counted, options.out)


# -- claims ------------------------------------------------------------------------------------------------------


def _source(claim: Claim) -> str:
    return Path(inspect.getfile(claim.judge)).read_text(encoding="utf-8")


def trains(claim: Claim) -> bool:
    """Return whether the claim is on trained networks, whether by torch or by scikit-learn, or on data of the user."""
    source = _source(claim)
    return claim.needs_data or bool(claim.needs) or re.search(r"networks\.train|train_all|_trained", source) is not None


def code_of(claim: Claim) -> str:
    """Return a digest of the code of a claim and of the statistics that judge it, without comments and docstrings."""
    sources = [_source(claim), *(path.read_text(encoding="utf-8") for path in STATISTICS)]
    return _digest("\n".join(map(_statements, sources)))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache  # the statistics are the same for every claim
def _statements(source: str) -> str:
    """Return a source without comments and docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            alone = [isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant) for each in node.body]
            node.body = [each for each, said in zip(node.body, alone, strict=True) if not said] or [ast.Pass()]
    return ast.unparse(tree)


def rerun(registry: str, name: str, seeds: Iterable[int]) -> list[dict]:
    """Run and judge a claim on root seeds; nothing is drawn, no twin is made."""
    claim = import_module(registry).CLAIMS[name]
    code, entries = code_of(claim), []
    for seed in seeds:
        started = time.process_time()
        entry = {"what": name, "code": code, "seed": seed, "p": {}, "expected": False, "error": ""}
        try:
            verdict = claim.judge(claim.data(seed))
        except Exception as problem:  # noqa: BLE001 - a claim that crashes on a seed is a result of the calibration
            entry["error"] = f"{type(problem).__name__}: {problem}"
        else:
            entry["expected"] = claim.expects(verdict)
            entry["p"] = {
                finding.quantity: finding.singles or [finding.p]
                for finding in verdict.findings
                if finding.p is not None and not finding.asks.must_be_shown
            }
        entries.append(entry | {"seconds": time.process_time() - started})
    return entries


def _rerun_claims(claims: list[Claim], options: argparse.Namespace, registry: str, deadline: float) -> None:
    with ProcessPoolExecutor(options.jobs, multiprocessing.get_context("spawn"), settle_worker) as pool:
        calibrated(pool, claims, options, registry, deadline)


def calibrated(
    pool: ProcessPoolExecutor, claims: list[Claim], options: argparse.Namespace, registry: str, deadline: float
) -> None:
    """Rerun claims one after the other, and the missing seeds of each side by side."""
    done: dict[str, dict[str, list[dict]]] = {}
    for entry in read(options.out):
        done.setdefault(entry["what"], {}).setdefault(entry["code"], []).append(entry)
    for claim in claims:
        if _over(deadline):
            return
        first = pool.submit(rerun, registry, claim.id, FIRST).result()
        had = _of_same_numbers(first, done.get(claim.id, {}), options.out)
        seconds = first[-1]["seconds"]  # the first run compiles
        wanted = options.seeds or next((n for most, n in DEFAULT_SEEDS if seconds < most), 0)
        left = [seed for seed in range(1, wanted + 1) if seed not in had]
        print(f"{claim.id}: {seconds:.2f} s per run, {wanted} seeds, {len(left)} to go", flush=True)
        size = max(1, int(CHUNK / max(seconds, 1e-3)))
        chunks = (left[first : first + size] for first in range(0, len(left), size))
        for entries in _in_turn(pool, registry, claim.id, chunks, options.jobs, deadline):
            append(options.out, entries)
    _over(deadline)


def _over(deadline: float) -> bool:
    if time.monotonic() > deadline:
        print("the hours are over; the same command goes on from here")
        return True
    return False


def _of_same_numbers(first: list[dict], by_code: dict[str, list[dict]], out: Path) -> set[int]:
    """Return the seeds that were run; first runs, and runs of other code with the same numbers, go to the file."""
    code = first[0]["code"]
    runs = {entry["seed"]: entry for entry in by_code.get(code, [])}
    numbers = numbers_of(first)
    same = [entries for entries in by_code.values() if numbers and numbers_of(entries) == numbers]
    new = {entry["seed"]: entry | {"code": code} for entries in [*same, first] for entry in entries}
    append(out, (entry for seed, entry in new.items() if seed not in runs))
    return runs.keys() | new.keys()


def numbers_of(entries: Iterable[dict]) -> str:
    """Return a digest of the p-values of the first seeds of a claim, or "" where a seed has none or was not run."""
    p_of = {entry["seed"]: entry["p"] for entry in entries}
    if not all(p_of.get(seed) for seed in FIRST):
        return ""
    numbers = [{what: [f"{p:.{DIGITS}g}" for p in values] for what, values in p_of[seed].items()} for seed in FIRST]
    return _digest(json.dumps(numbers))


def _in_turn(
    pool: ProcessPoolExecutor, registry: str, name: str, chunks: Iterator[list[int]], jobs: int, deadline: float
) -> Iterator[list[dict]]:
    """Yield results of chunks as they end, and hand out no more than there are workers, so that a deadline is kept."""
    running: set[Future[list[dict]]] = set()
    while True:
        while len(running) < jobs and time.monotonic() < deadline and (chunk := next(chunks, None)):
            running.add(pool.submit(rerun, registry, name, chunk))
        if not running:
            return
        done, running = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            yield future.result()


# -- tests -------------------------------------------------------------------------------------------------------


def _rerun_tests(options: argparse.Namespace, deadline: float) -> None:
    """Run the suite once to see which tests compare or draw, then those alone on every further root seed."""
    seen = [entry for entry in read(options.out) if entry["code"] == "tests"]
    done = {entry["seed"] for entry in seen}
    for seed in range(1, (options.seeds or TEST_SEEDS) + 1):
        if seed in done:
            continue
        if _over(deadline):
            return
        started = time.monotonic()
        comparisons = run_tests(seed, sorted({entry["what"] for entry in seen}) or [str(TESTS)], jobs=options.jobs)
        append(options.out, comparisons)
        seen += comparisons
        print(f"root seed {seed}: {len(comparisons)} tests draw, {time.monotonic() - started:.0f} s", flush=True)


def run_tests(seed: int, tests: list[str], jobs: int) -> list[dict]:
    """Return what the tests compared on one root seed."""
    with TemporaryDirectory() as folder:
        recorded = Path(folder) / "p.jsonl"
        command = [
            sys.executable, "-m", "pytest", "-q", "--tb=no", "--no-header", "-rfE", f"--statnn-seed={seed}",
            f"--numprocesses={jobs if jobs > 1 else 0}", f"--statnn-record={recorded}", *tests,
        ]  # fmt: skip
        ended = subprocess.run(command, cwd=TESTS.parent, capture_output=True, text=True, check=False)  # noqa: S603
        compared = {entry["what"]: entry["p"] for entry in read(recorded)}
    if ended.returncode not in {0, 1}:
        raise RuntimeError(f"pytest ended with status {ended.returncode}:\n{ended.stdout[-2000:]}{ended.stderr}")
    ends = re.findall(r"^(?:FAILED|ERROR) (.+)$", ended.stdout, re.MULTILINE)
    failed = {end.partition(" - ")[0] for end in ends}
    same = {"code": "tests", "seed": seed, "error": ""}
    return [
        same | {"what": name, "p": compared.get(name, {}), "expected": name not in failed}
        for name in sorted(compared.keys() | failed)
    ]


# -- lines and table ---------------------------------------------------------------------------------------------


def read(path: Path) -> list[dict]:
    """Return the entries of a file of JSON lines; a last line that was cut off is dropped."""
    if not path.exists():
        return []
    *lines, _ = path.read_text(encoding="utf-8").split("\n")
    entries = []
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            entries.append(
                {"code": "", "seed": -1, "expected": True} | entry | {"what": entry["what"], "p": dict(entry["p"])}
            )
        except (ValueError, KeyError, TypeError):
            raise SystemExit(f"{path}, line {number}, is not a run of a calibration; give another --out") from None
    return entries


def append(path: Path, entries: Iterable[dict]) -> None:
    """Add entries, one line each, in one write."""
    text = "".join(json.dumps(entry) + "\n" for entry in entries)
    whole = path.read_bytes() if path.exists() else b""
    with path.open("ab") as file:
        # what an interrupted write left is cut off, so that it spoils no line that follows
        file.truncate(whole.rfind(b"\n") + 1)
        file.write(text.encode())


def _conclude(entries: list[dict], out: Path) -> int:
    rows, failures = uniformity.rows(entries), _failures(entries)
    bad = [row for row in rows if row.too_small < uniformity.DOUBT]
    summary = (
        f"{len(entries)} runs; p-values of {len(bad)} of {len(rows)} quantities are too small; "
        f"{sum(not entry['expected'] for entry in entries)} runs not as expected, "
        f"{len(entries) * LEVEL:.1e} are by chance"
    )
    text = "\n".join([uniformity.table(rows), "", summary, *failures])
    out.with_suffix(".md").write_text(text + "\n", encoding="utf-8")
    print(text)
    return 1 if bad or failures or not entries else 0


def _failures(entries: list[dict]) -> list[str]:
    """Say what was not as expected, on how many seeds: at levels below 1e-8 a single one is too many."""
    lines = []
    for what in dict.fromkeys(entry["what"] for entry in entries if not entry["expected"]):
        own = [entry for entry in entries if entry["what"] == what]
        false = [entry for entry in own if not entry["expected"]]
        errors = [entry["error"] for entry in false if entry["error"]]
        crashed = f", {len(errors)} of them refused or crashed ({errors[0]})" if errors else ""
        seeds = ", ".join(str(entry["seed"]) for entry in false[:5])
        lines.append(f"{what}: {len(false)} of {len(own)} seeds NOT as expected ({seeds}, ...){crashed}")
    return lines


if __name__ == "__main__":
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))  # for workers
    sys.exit(main())
