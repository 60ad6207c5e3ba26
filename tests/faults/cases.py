"""Work that is killed again and again, and what it must come to."""

import os
import signal
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from multiprocessing.forkserver import ensure_running
from pathlib import Path
from time import monotonic, sleep
from unittest.mock import patch

import numpy as np

from statnn import Network
from statnn._archive import pace
from statnn._archive.store import HEAD
from statnn.interaction import BinaryNeurons, DynamicNeurons, square_lattice
from statnn.montecarlo import METHODS, Run, sample

SWEEPS, BURN_IN = 60, 40


@cache
def models():
    """Return a model for every sampling method."""
    draw = np.random.default_rng(5)
    couplings = draw.normal(size=(12, 12))
    couplings = np.triu(couplings, 1) + np.triu(couplings, 1).T
    net = Network.random([4, 6, 2], activation="tanh", sigma_b=0.1, rng=0)
    x = draw.normal(size=(6, 4))
    return {
        "ancestral": DynamicNeurons(net, x),
        "blocks": BinaryNeurons([couplings[:6, 6:], couplings[6:, :6]]),
        "hamiltonian": DynamicNeurons(net, x, np.zeros((6, 2)), free=("weights", "neurons")),
        "heat bath": BinaryNeurons(couplings),
        "metropolis": BinaryNeurons(couplings),
        "multispin": square_lattice(8, 8, temperature=3.0),
        "tempering": BinaryNeurons(couplings),
        "wolff": BinaryNeurons(abs(couplings), temperature=9.0),
    }


def spread(states):
    """An observable of a user's own."""
    return states.std(axis=1)


def run(method, **options):
    """Return a short run, with an observable of one's own."""
    names = METHODS[method].observables
    observables = {**dict(zip(names, names, strict=True)), "spread": spread}
    return sample(
        models()[method], SWEEPS, chains=3, burn_in=BURN_IN, rng=1, method=method, observables=observables,
        progress=False, **options,
    )  # fmt: skip


def restless():
    """Have checkpoints follow each other without a pause."""
    pace.EVERY, pace.SHARE = 0.0, np.inf


def into(method, folder):
    """Run with a store that is written to all the time, and store the result."""
    restless()
    with patch("os.fsync"):  # for power that fails; a kill loses nothing that the system was given
        run(method, store=f"{folder}/work").save(f"{folder}/result.npz")


@dataclass(frozen=True)
class Outcome:
    """What became of a case: kills that hit, in what state of the work, and what it came to."""

    kills: int
    unopened: int  # of them before there was a store
    unwritten: int  # and before the first checkpoint in it
    attempts: int
    failures: int
    equal: bool
    left: tuple[str, ...]

    @property
    def later(self):
        """Kills after the first checkpoint."""
        return self.kills - self.unopened - self.unwritten


def _victim(target, folder, begun):
    begun.send(None)  # imports are behind it
    target(folder)


def _server():
    """Return where victims are forked from, with all that they import."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["faults.cases"])
    places = [*map(str, Path(__file__).parents[1:3]), os.environ.get("PYTHONPATH", "")]
    with patch.dict(os.environ, PYTHONPATH=os.pathsep.join(places).rstrip(os.pathsep)):  # it does not get sys.path
        ensure_running()
    return context


def _begin(target, folder):
    """Start work in a process of its own and return it when the work begins."""
    context = _server()
    begun, begins = context.Pipe(duplex=False)
    process = context.Process(target=_victim, args=(target, folder, begins))
    process.start()
    begins.close()
    begun.recv()
    return process


def _undisturbed(target, folder):
    """Let work end; return how long that took and whether it did."""
    process = _begin(target, folder)
    began = monotonic()
    process.join()
    return monotonic() - began, process.exitcode == 0


def _emptied(folder):
    for path in sorted(Path(folder).rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def _opened(folder):
    return Path(folder, "work", HEAD).exists()


def _written(folder):
    return any(Path(folder, "work").glob("block-*.npz"))


def kill_until_done(target, folder, load, expected, rng, *, kills, how=signal.SIGKILL):
    """Start work, kill it at a random moment, and start it again until it was killed so often; then let it end.

    Every second kill waits for the first checkpoint, so that however long a start takes some fall behind it.
    """
    done = unopened = unwritten = failures = attempts = 0
    longest = [_undisturbed(target, folder)[0]] * 2
    _emptied(folder)
    while done < kills and attempts < 5 * kills:
        attempts += 1
        process = _begin(target, folder)
        while done % 2 and process.is_alive() and not _written(folder):
            sleep(0.001)
        began = monotonic()
        process.join(rng.uniform(0, longest[done % 2]))
        if process.is_alive():
            os.kill(process.pid, how)
        else:  # the first run compiled kernels, or another process was at work beside it
            longest[done % 2] = monotonic() - began
        process.join()
        failures += process.exitcode not in (0, -how)
        if process.exitcode == -how:
            done += 1
            unopened += not _opened(folder)
            unwritten += _opened(folder) and not _written(folder)
        if (Path(folder) / "result.npz").exists():
            if load(folder) != expected:
                break
            _emptied(folder)  # it came to an end: begin anew
    _, ended = _undisturbed(target, folder)
    left = tuple(sorted(path.name for path in Path(folder, "work").glob(".*")))
    return Outcome(done, unopened, unwritten, attempts, failures, ended and load(folder) == expected, left)


def run_of(folder):
    """Return the run that a victim stored."""
    return Run.load(f"{folder}/result.npz", own={"spread": spread})
