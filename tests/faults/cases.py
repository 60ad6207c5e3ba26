"""Work that is killed again and again, and what it must come to."""

import os
import signal
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from time import monotonic, sleep

import numpy as np

from statnn import Network, io
from statnn._archive import pace
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
    run(method, store=f"{folder}/work").save(f"{folder}/result.npz")


@dataclass(frozen=True)
class Outcome:
    """What became of a case: kills that hit, how many of them work that had stored something, and what it came to."""

    kills: int
    inside: int
    attempts: int
    failures: int
    equal: bool
    left: tuple[str, ...]


def kill_until_done(target, folder, load, expected, rng, *, kills, how=signal.SIGKILL, longest=0.6):
    """Start work, kill it after a random time, and start it again until it was killed so often; then let it end."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["faults.cases"])
    done = inside = failures = attempts = 0
    while done < kills and attempts < 3 * kills:
        attempts += 1
        process = context.Process(target=target, args=(folder,))
        process.start()
        pause = monotonic() + rng.uniform(0, longest)
        while process.is_alive() and monotonic() < pause:
            sleep(0.001)
        if process.is_alive():
            os.kill(process.pid, how)
        process.join()
        done += process.exitcode == -how
        inside += process.exitcode == -how and any(Path(folder).glob("work/block-*"))
        failures += process.exitcode not in (0, -how)
        if (Path(folder) / "result.npz").exists():
            if load(folder) != expected:
                break
            for path in sorted(Path(folder).rglob("*"), reverse=True):  # it came to an end: begin anew
                path.rmdir() if path.is_dir() else path.unlink()
    process = context.Process(target=target, args=(folder,))
    process.start()
    process.join()
    left = tuple(sorted(path.name for path in Path(folder, "work").glob(".*")))
    return Outcome(done, inside, attempts, failures, process.exitcode == 0 and load(folder) == expected, left)


def run_of(folder):
    """Return the run that a victim stored."""
    return Run.load(f"{folder}/result.npz", own={"spread": spread})


def result_of(folder):
    """Return the result that a victim stored."""
    return io.load(f"{folder}/result.npz")
