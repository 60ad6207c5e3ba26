"""Kill work again and again, and compare its result with that of undisturbed work."""

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.forkserver import ensure_running
from pathlib import Path
from time import monotonic, sleep
from unittest.mock import patch

from faults.works import WORKS


@dataclass(frozen=True)
class Outcome:
    """What became of work: the kills that hit, how far the work had got by then, and whether its result is right."""

    kills: int
    unopened: int  # of them before there was a store
    unwritten: int  # and before the first entry in it
    attempts: int
    failures: int
    equal: bool
    left: tuple[str, ...]

    @property
    def later(self):
        """Kills after the first entry."""
        return self.kills - self.unopened - self.unwritten


def _victim(name, folder, kept, begun):
    os.setsid()
    begun.send(None)  # imports are behind it
    WORKS[name].do(folder, kept=kept)


def _server():
    """Return the context of the server that forks victims, which has their imports loaded."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["faults.works", "faults.claims"])
    places = [*map(str, Path(__file__).parents[1:3]), os.environ.get("PYTHONPATH", "")]
    with patch.dict(os.environ, PYTHONPATH=os.pathsep.join(places).rstrip(os.pathsep)):  # sys.path does not reach it
        ensure_running()
    return context


def _begin(name, folder, *, kept=True):
    """Start work in a process of its own and return it when the work begins."""
    context = _server()
    begun, begins = context.Pipe(duplex=False)
    process = context.Process(target=_victim, args=(name, folder, kept, begins))
    process.start()
    begins.close()
    begun.recv()
    return process


def _undisturbed(name, folder, *, kept=True):
    """Let work end; return how long that took and whether it did."""
    process = _begin(name, folder, kept=kept)
    began = monotonic()
    process.join()
    return monotonic() - began, process.exitcode == 0


def _emptied(folder):
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def _end(sessions):
    """End what is left of sessions whose first process is gone: workers, which may still be at work."""
    while sessions:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(sessions.pop(), signal.SIGKILL)


def kill_until_done(name, folder, rng, *, kills, how=signal.SIGKILL):
    """Start work, kill it at a random moment and start it again, until so many kills have hit; then let it end.

    Every second kill waits for the first entry, so that some come after it however long a start takes. When a caller is
    killed, its workers are left at work until the next caller has ended.
    """
    work, folder = WORKS[name], Path(folder)
    done = unopened = unwritten = failures = attempts = 0
    orphans = []
    longest = [_undisturbed(name, folder, kept=False)[0]] * 2
    expected = work.result(folder)
    _emptied(folder)
    while done < kills and attempts < 5 * kills:
        attempts += 1
        process = _begin(name, folder)
        while done % 2 and process.is_alive() and not work.written(folder):
            sleep(0.001)
        began = monotonic()
        process.join(rng.uniform(0, longest[done % 2]))
        if process.is_alive():
            with suppress(ProcessLookupError, PermissionError):  # it has just ended
                os.kill(process.pid, how)
        else:  # the first run compiled kernels, or another process was at work beside it
            longest[done % 2] = monotonic() - began
        process.join()
        killed = process.exitcode in (-how, 128 + how)  # the second where a signal is caught
        failures += process.exitcode != 0 and not killed
        _end(orphans)
        if killed:
            orphans = [process.pid]
            done += 1
            unopened += not work.begun(folder)
            unwritten += work.begun(folder) and not work.written(folder)
        result = work.result(folder)
        if result is not None:
            if result != expected:
                break
            _end(orphans)
            _emptied(folder)  # it came to an end: begin anew
    _, ended = _undisturbed(name, folder)
    _end(orphans)
    left = tuple(sorted(path.name for path in (folder / "work").glob(".*")))
    return Outcome(done, unopened, unwritten, attempts, failures, ended and work.result(folder) == expected, left)
