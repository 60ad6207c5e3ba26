"""Rerun claims, or the statistical tests of the suite, on fresh seeds of the right theory.

``python -m validation.calibrate [--only ID ...] [--seeds N] [--hours H] [--out FILE]`` reruns the claims that hold
exactly or asymptotically, 10,000 times where a run takes below 0.4 s, 2,000 below 1.5 s and 200 below 6 s, and keeps
the p-values of all single comparisons, before any correction, one run a line of FILE; a run that is there is not made
again. ``--tests`` reruns every test that compares by `tests/checks.py`. Of each run one comparison of a quantity is
taken, in turn, so that those looked at are independent; they must not be smaller than uniform numbers. They may be
larger where a statistic is discrete, or a law allows for skewness.

``--power`` asks instead how wrong a theory must be to be told from the right one, on a few seeds.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

# before numpy: one thread each, as in a run of all claims
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import numpy as np
from scipy import stats

from validation.claim import Claim, Outcome, Verdict, frozen
from validation.claims import CLAIMS

BUDGETS = ((0.4, 10_000), (1.5, 2_000), (6.0, 200))
"""Runs of a claim that takes less than so many seconds."""
FEWEST = 20
LEVELS = (0.01, 1e-4)


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return 1 if p-values are too small somewhere."""
    parser = argparse.ArgumentParser(prog="python -m validation.calibrate", description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="+", choices=sorted(CLAIMS), metavar="ID", help="which claims")
    parser.add_argument("--tests", nargs="*", metavar="PATH", help="rerun tests instead of claims; all when bare")
    parser.add_argument("--seeds", type=int, help="runs of each; by their length when left out, 200 of tests")
    parser.add_argument("--hours", type=float, default=np.inf, help="begin nothing after so many hours")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--out", type=Path, default=Path("calibration.jsonl"), help="where runs are kept, a line each")
    parser.add_argument("--power", action="store_true", help="measure the smallest deviations that are seen instead")
    options = parser.parse_args(argv)
    end = time.monotonic() + 3600 * options.hours
    if options.power:
        return _power(options, end)
    kept = _kept(options.out)
    with options.out.open("a", encoding="utf-8") as file:
        for run in _tests(options, kept, end) if options.tests is not None else _claims(options, kept, end):
            file.write(json.dumps(run) + "\n")
            file.flush()
            kept.append(run)
    return _table(kept)


def _kept(path: Path) -> list[dict]:
    """Return the runs that are there; a last line that a kill cut short is left out."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def right(claims: dict[str, Claim]) -> list[Claim]:
    """Return the claims whose theory is right, so that p-values say whether the statistics are."""
    return [
        claim for claim in claims.values()
        if claim.expected in {Outcome.EXACT, Outcome.ASYMPTOTIC} and not claim.needs_data and not claim.needs
    ]  # fmt: skip


def singles(verdict: Verdict) -> dict[str, list[float]]:
    """Return the p-values of the single comparisons of every judged quantity that is random."""
    return {finding.quantity: list(finding.singles) for finding in verdict.findings if finding.singles}


def _chosen(options: argparse.Namespace) -> list[Claim]:
    return [CLAIMS[name] for name in options.only] if options.only else right(dict(CLAIMS))


def _run(claim: Claim, seed: int) -> dict[str, np.ndarray]:
    return frozen(claim.run(np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1,))), True))  # noqa: FBT003


def _claims(options: argparse.Namespace, kept: list[dict], end: float) -> Iterator[dict]:
    """Yield runs of claims, those that are done soonest first."""
    done = defaultdict(set)
    for run in kept:
        done[run["of"]].add(run["seed"])
    for claim in sorted(_chosen(options), key=lambda claim: claim.cost):
        wanted = options.seeds
        for seed in range(options.first, options.first + 10**6):
            if time.monotonic() > end or (wanted is not None and seed >= options.first + wanted):
                break
            if seed in done[claim.id]:
                continue
            begin = time.process_time()
            try:
                verdict = claim.judge(_run(claim, seed))
                found = {"p": singles(verdict), "outcome": str(verdict.outcome)}
            except ValueError as refusal:
                found = {"p": {}, "outcome": f"refused: {refusal}"}
            seconds = time.process_time() - begin
            yield {"of": claim.id, "seed": seed, "seconds": round(seconds, 3), "expected": str(claim.expected), **found}
            if wanted is None and seed > options.first:  # the first compiles
                wanted = next((runs for limit, runs in BUDGETS if seconds < limit), 2)


def _tests(options: argparse.Namespace, kept: list[dict], end: float) -> Iterator[dict]:
    """Yield runs of the suite; after the first only the tests that compare."""
    where = options.tests or ["tests"]
    compare: list[str] = sorted({name.partition(" | ")[0] for run in kept if run["of"] == "tests" for name in run["p"]})
    done = {run["seed"] for run in kept if run["of"] == "tests"}
    for seed in range(options.first, options.first + (options.seeds or 200)):
        if time.monotonic() > end:
            return
        if seed in done:
            continue
        with tempfile.TemporaryDirectory() as folder:
            record = Path(folder) / "p"
            begin = time.monotonic()
            ended = subprocess.run(  # noqa: S603 - our own interpreter and tests
                [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--root-seed", str(seed),
                 "--record", str(record), *(compare or where)],
                check=False, capture_output=True, text=True, env={**os.environ, "PYTHONHASHSEED": "0"},
            )  # fmt: skip
            found = defaultdict(list)
            for line in record.read_text(encoding="utf-8").splitlines() if record.exists() else ():
                name, p = json.loads(line)
                found[name].append(p)
        compare = compare or sorted({name.partition(" | ")[0] for name in found})
        failed = [line for line in ended.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
        outcome = "; ".join(failed) or ("passed" if ended.returncode == 0 else f"exit status {ended.returncode}")
        yield {"of": "tests", "seed": seed, "seconds": round(time.monotonic() - begin, 1), "expected": "passed",
               "p": found, "outcome": outcome}  # fmt: skip


def independent(runs: list[dict], quantity: str) -> np.ndarray:
    """Return one p-value a run, the comparisons of a quantity in turn."""
    values = [(run["seed"], run["p"][quantity]) for run in runs if run["p"].get(quantity)]
    return np.array([p[seed % len(p)] for seed, p in values])


def _table(kept: list[dict]) -> int:
    """Print how p-values lie, and what was not as expected; return 1 if they are too small."""
    print("claim | quantity | runs | p-values | share below 0.01, 1e-4 (all) | too small? | too large?")
    groups: dict[str, list[dict]] = defaultdict(list)
    for run in kept:
        groups[run["of"]].append(run)
    families = sum(len({name for run in runs for name in run["p"]}) for runs in groups.values())
    bad = 0
    for name, runs in groups.items():
        for quantity in sorted({quantity for run in runs for quantity in run["p"]}):
            p = independent(runs, quantity)
            if p.size < FEWEST:
                continue
            every = np.concatenate([run["p"].get(quantity, []) for run in runs])
            small, large = (stats.kstest(p, "uniform", alternative=way).pvalue for way in ("greater", "less"))
            wrong = bool(small < 0.001 / families)
            bad += wrong
            shares = ", ".join(f"{(every < level).mean():.2g}" for level in LEVELS)
            tails = f"{small:.2g}{' TOO SMALL' * wrong} | {large:.2g}"
            print(f"{name} | {quantity} | {p.size} | {every.size} | {shares} | {tails}")
        others = [run for run in runs if run["outcome"] != run["expected"]]
        seconds = np.median([run["seconds"] for run in runs])
        print(f"{name}: {len(runs)} runs of {seconds:.2g} s, {len(others)} not as expected")
        for run in others[:5]:
            print(f"  seed {run['seed']}: {run['outcome'][:200]}")
    return int(bool(bad))


# -- power ---------------------------------------------------------------------------------------------------


def _power(options: argparse.Namespace, end: float) -> int:
    """Print for every judged quantity the smallest deviation that half of the seeds see, and what it says it sees."""
    print("claim | quantity | least deviation seen, on each seed | says that it sees")
    unseen = 0
    for claim in sorted(_chosen(options), key=lambda claim: claim.cost):
        found: dict[str, list[float]] = defaultdict(list)
        for seed in range(options.first, options.first + (options.seeds or 3)):
            if time.monotonic() > end:
                break
            data = _run(claim, seed)
            verdict = claim.judge(data)
            for quantity, twin in claim.twins.items():
                found[quantity].append(least_seen(claim, data, verdict, quantity, twin))
        for quantity, values in found.items():
            says = verdict[quantity]
            unseen += not np.mean(np.array(values) <= says.sees) > 0.5
            print(f"{claim.id} | {quantity} | {', '.join(f'{value:.3g}' for value in values)} | {says.seen}")
    return int(bool(unseen))


def least_seen(
    claim: Claim, data: dict, verdict: Verdict, quantity: str, twin: Callable[[dict, float], dict]
) -> float:  # fmt: skip
    """Return the smallest deviation whose twin is rejected, to two digits by bisection; inf if twice `sees` is not."""

    def seen(by: float) -> bool:
        found = claim.judge(frozen(twin(data, by)))
        return (quantity in found.failing) != (quantity in verdict.failing)

    low, high = 0.0, 2 * verdict[quantity].sees
    if not seen(high):
        return np.inf
    while high - low > 0.01 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if seen(middle) else (middle, high)
    return high


if __name__ == "__main__":
    sys.exit(main())
