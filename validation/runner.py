"""Run claims side by side, say what came out, and store it.

Each claim draws from a stream of its own, so its results depend neither on the number of workers nor on the
claims that run beside it. Exit status: 0 if every verdict is the expected one and every twin is rejected, 1
if not, 2 for bad arguments, 130 for an interrupted run.
"""

import gc
import hashlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import connection
from pathlib import Path
from typing import NoReturn

from statnn._archive.lock import locked
from statnn._archive.provenance import provenance, surroundings, versions
from validation import records as kept
from validation import report
from validation.arguments import Options, parse
from validation.claim import Claim
from validation.task import Record, Task, perform
from validation.trained import cache

SILENCE = 15.0
"""Seconds without a result after which the claims that are still running are printed."""

LOCK = ".lock"
"""File in the folder of the report, locked by the run that writes there."""

PACKAGES = ("statnn", "numpy", "scipy", "numba", "sympy", "scikit-learn", "matplotlib", "torch")


def main(argv: list[str] | None = None, registry: str = "validation.claims") -> int:
    """Run the command line and return the exit status.

    Parameters
    ----------
    argv : list of str, optional
        Arguments; those of the process by default.
    registry : str
        Module whose ``CLAIMS`` maps ids to claims; workers import it too.
    """
    claims: Mapping[str, Claim] = import_module(registry).CLAIMS
    options = parse(argv, claims)
    if options.listing:
        for name in options.ids:
            needs = "".join(f" (needs {what})" for what in _needs(claims[name]))
            print(f"{name}: {claims[name].title}; expected: {claims[name].expectation}{needs}")
        return 0
    try:
        with locked(options.out / LOCK, f"--out {options.out}", kept.RefusedError, leave=False):
            return _run_and_report(claims, options, sys.argv[1:] if argv is None else argv, registry)
    except kept.RefusedError as problem:
        print(f"python -m validation: error: {problem}", file=sys.stderr)
        return 2


def _run_and_report(claims: Mapping[str, Claim], options: Options, argv: list[str], registry: str) -> int:
    started = time.perf_counter()
    journal = kept.Journal(options.out / kept.NAME, _key(options))
    done = journal.read() if options.resume else {}
    _tidy(options.out)
    try:
        with cache.kept_in(options.cache), _ended_by_signals() as end_if_asked:
            records = _run(claims, options, registry, journal, done, end_if_asked)
    except KeyboardInterrupt as ending:
        _tidy(options.out)
        resume = f"; go on with --resume, {journal.path} holds what is done" if journal.path.exists() else ""
        print(f"{str(ending) or 'interrupted'}: no report written{resume}", file=sys.stderr)
        return 143 if isinstance(ending, _TerminatedError) else 130
    run = _provenance(argv, options, time.perf_counter() - started)
    try:
        report.write(options.out, run, records)
    except OSError as problem:
        print(f"the report cannot be written ({problem.strerror}): mend that and go on with --resume", file=sys.stderr)
        return 1
    return _conclude(records, options.out)


def _tidy(out: Path) -> None:
    """Remove files that a killed run had begun to write."""
    for leftover in out.glob(".*.tmp"):
        leftover.unlink(missing_ok=True)


class _TerminatedError(KeyboardInterrupt):
    """A batch system asks the process to end."""


@contextmanager
def _ended_by_signals() -> Iterator[Callable[[], None]]:
    """End like an interrupt, workers too, when the process is asked to terminate (SIGTERM).

    Yields a function that ends the run if that was asked earlier: an exception is lost if the signal raises it while
    Python finalises an object.
    """
    asked = threading.Event()

    def end(*_: object) -> NoReturn:
        asked.set()
        raise _TerminatedError("terminated")

    def end_if_asked() -> None:
        if asked.is_set():
            end()

    if threading.current_thread() is not threading.main_thread():
        yield end_if_asked
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield end_if_asked
    finally:
        signal.signal(signal.SIGTERM, before)


def _key(options: Options) -> dict[str, object]:
    """Return what records depend on besides their claim."""
    return {
        "seed": options.seed,
        "mode": "quick" if options.quick else "full",
        "data": options.data and _digest(options.data),
        "commit": surroundings()["commit"],
        "versions": versions(PACKAGES),
    }


def _digest(path: str) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _needs(claim: Claim) -> tuple[str, ...]:
    return (*(["--data"] if claim.needs_data else []), *claim.needs)


def _run(
    claims: Mapping[str, Claim], options: Options, registry: str, journal: kept.Journal, done: Mapping[str, Record],
    end_if_asked: Callable[[], None],
) -> list[Record]:  # fmt: skip
    """Return the records in the order of the registry; print and keep each when it is there."""
    chosen = [claims[name] for name in options.ids]
    lacking = {claim.id: claim.lacks(data=options.data is not None) for claim in chosen}
    ready = sorted((claim for claim in chosen if not lacking[claim.id]), key=lambda claim: -claim.cost)
    records = {c.id: Record.of(c, skipped=f"not run: {lacking[c.id]}") for c in chosen if lacking[c.id]}
    print(_opening(ready, options), flush=True)
    if records:
        print(_not_run(lacking), flush=True)
    known = {c.id: done[c.id] for c in ready if _is_whole(done.get(c.id), options.out)}
    if known:
        print(f"{len(known)} of {len(ready)} claims are done already: {', '.join(known)}", flush=True)
        ready = [claim for claim in ready if claim.id not in known]
    elif not done:
        journal.begin()
    records |= known
    tasks = [Task(registry, claim.id, options.seed, options.quick, str(options.out), options.data) for claim in ready]
    costs = {claim.id: claim.cost for claim in ready}
    for number, record in enumerate(_finished(tasks, options, costs), 1):
        records[record.id] = record
        try:
            journal.append(record)
        except OSError as problem:
            print(f"{journal.path} cannot be written ({problem.strerror}): {record.id} is not kept", file=sys.stderr)
        print(f"[{number}/{len(tasks)}] {line(record)}", flush=True)
        end_if_asked()
    return [records[claim.id] for claim in chosen]


def _is_whole(record: Record | None, out: Path) -> bool:
    """Return whether a claim need not be run again: it came to an end, and its figure is there."""
    return record is not None and not record.error and (out / f"{record.id}.svg").exists()


def _opening(ready: list[Claim], options: Options) -> str:
    side_by_side = max(1, min(options.jobs, len(ready)))
    mode, length = "full run, many times longer", ""
    if options.quick:
        mode, length = "quick run", f", about {sum(claim.cost for claim in ready) / side_by_side:.0f} s"
    return f"{mode}: {len(ready)} claims, {side_by_side} at a time, seed {options.seed}{length}"


def _not_run(lacking: Mapping[str, str]) -> str:
    """Return one line on all claims that are not run, grouped by reason."""
    reasons: dict[str, list[str]] = {}
    for name, reason in lacking.items():
        if reason:
            reasons.setdefault(reason, []).append(name)
    groups = "; ".join(f"{reason} ({', '.join(names)})" for reason, names in reasons.items())
    return f"{sum(map(len, reasons.values()))} not run: {groups}"


def _finished(tasks: list[Task], options: Options, costs: Mapping[str, float]) -> Iterator[Record]:
    """Yield records as claims end; in this process for one job, in spawned ones for more, or on a cluster."""
    jobs = options.jobs
    if options.executor != "processes":
        with _cluster(options.executor) as (executor, workers):
            yield from _side_by_side(executor, tasks, workers, costs)
        return
    if min(jobs, len(tasks)) <= 1:
        for task in tasks:
            print(f"running {task.id} (about {costs[task.id]:.0f} s)", flush=True)
            yield perform(task)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(tasks)), context, initializer=settle_worker) as pool:
        try:
            yield from _side_by_side(pool, tasks, min(jobs, len(tasks)), costs)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in multiprocessing.active_children():
                worker.terminate()
            raise


@contextmanager
def _cluster(where: str) -> Iterator[tuple[Executor, int]]:
    """Yield an executor and its number of workers, which run in this folder and see its files."""
    if where == "mpi":
        futures = import_module("mpi4py.futures")
        with futures.MPIPoolExecutor() as pool:
            yield pool, max(1, pool.num_workers)
        return
    distributed = import_module("distributed")
    try:
        client = distributed.Client(where.replace("dask://", "tcp://"))
    except (OSError, ValueError) as problem:
        raise kept.RefusedError(
            f"--executor {where}: no scheduler of dask answers there ({problem}); start one by `dask scheduler`, which "
            "says its address"
        ) from problem
    with client:
        yield client.get_executor(pure=False), max(1, sum(client.nthreads().values()))


def settle_worker() -> None:
    """Leave interrupts to the parent, end when it is gone, and search sympy's many objects for garbage less often."""
    gc.set_threshold(50_000)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            connection.wait([parent.sentinel])
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _side_by_side(pool: Executor, tasks: list[Task], jobs: int, costs: Mapping[str, float]) -> Iterator[Record]:
    """Hand out no more tasks than there are workers, so that what is handed out is what is running."""
    waiting = list(reversed(tasks))
    running: dict[Future[Record], tuple[Task, float]] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            task = waiting.pop()
            print(f"running {task.id} (about {costs[task.id]:.0f} s)", flush=True)
            running[_submit(pool, task)] = task, time.perf_counter()
        done, _ = wait(running, timeout=SILENCE, return_when=FIRST_COMPLETED)
        if not done:
            now = time.perf_counter()
            spent = ", ".join(f"{task.id} ({now - since:.0f} s)" for task, since in running.values())
            print(f"still running: {spent}", flush=True)
        for future in done:
            task, _ = running.pop(future)
            problem = future.exception()
            # perform catches what a claim raises, so a problem here means that a worker died
            error = f"{type(problem).__name__}: {problem}"
            yield Record.of(task.claim(), error=error) if problem else future.result()


def _submit(pool: Executor, task: Task) -> "Future[Record]":
    """Hand a task out; if the pool is broken because a worker died, that error becomes the task's result."""
    try:
        return pool.submit(perform, task)
    except BrokenExecutor as problem:
        failed: Future[Record] = Future()
        failed.set_exception(problem)
        return failed


def line(record: Record) -> str:
    """Return the one line that says what came out of a claim."""
    if record.verdict is None:
        outcome = f"crashed: {record.error.strip().splitlines()[-1]}"
    else:
        outcome = f"{record.verdict} | {record.verdict.outcome}"
        outcome += ", expected" if record.as_expected else f", NOT expected ({record.expected})"
        outcome += f" | {_twins(record)}"
    return f"{record.id} | {outcome} | {record.seconds:.1f} s"


def _twins(record: Record) -> str:
    if record.error:
        return f"crashed: {record.error.strip().splitlines()[-1]}"
    if record.twins_rejected:
        return "twin rejected" if len(record.twins) == 1 else f"{len(record.twins)} twins rejected"
    return f"twin NOT rejected: {'; '.join(_unseen(record, quantity) for quantity in record.unseen)}"


def _unseen(record: Record, quantity: str) -> str:
    """Return what the claim says it sees of a quantity, and what this run does see."""
    findings = record.verdict.findings if record.verdict else ()
    finding = next((candidate for candidate in findings if candidate.quantity == quantity), None)
    if finding is None:
        return f"{quantity} (not judged)"
    reach = finding.reach(len(findings))
    seen = "" if reach is None else f", this run {reach.deviation:.2g} in the {reach.quantity}: more samples see more"
    return f"{quantity} (said to be seen: {finding.seen}{seen})"


def _provenance(argv: list[str], options: Options, seconds: float) -> dict:
    origin = provenance(["python", "-m", "validation", *argv])
    return {
        **origin,
        "mode": "quick" if options.quick else "full",
        "seed": options.seed,
        "jobs": options.jobs,
        "seconds": round(seconds, 2),
        "data": options.data and _digest(options.data),
        "versions": {"python": origin["versions"]["python"], **versions(PACKAGES)},
    }


def _conclude(records: list[Record], out: Path) -> int:
    run = [record for record in records if not record.skipped]
    failed = [record.id for record in run if not record.passed]
    print(f"{len(run) - len(failed)} of {len(run)} claims as expected; report in {out / 'index.html'}")
    if failed:
        print(f"not as expected: {', '.join(failed)}")
    if not run:
        print("nothing was run, so nothing was shown")
    return 1 if failed or not run else 0
