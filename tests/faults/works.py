"""Every kind of long work that can be resumed: how it is started, and where its result lies."""

import json
import multiprocessing
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

from faults.cases import restless, run, spread

from statnn import sweep
from statnn._archive.store import HEAD
from statnn.activation import BetaBernoulli, PolyaUrn
from statnn.interaction import square_lattice
from statnn.io import load, save
from statnn.montecarlo import METHODS
from statnn.rg import RandomLayer, sample_flow
from validation import records
from validation.runner import LOCK, main


@dataclass(frozen=True)
class Work:
    """Work that is done in a folder, and what can be seen of it there.

    Parameters
    ----------
    do : callable
        Does the work in a folder and leaves its result: ``kept=True`` from where it was left, else without a store.
    result : callable
        What lies in the folder when the work is done, or None; equal for work that was never killed.
    begun, written : callable
        Whether the folder holds anything from which the work would resume, and whether any part of it is done.
    """

    do: Callable[..., None]
    result: Callable[[Path], Any]
    begun: Callable[[Path], bool]
    written: Callable[[Path], bool]


# -- work with a store ---------------------------------------------------------------------------------------


def _into(work, folder, *, kept):
    """Work with a store that is written to all the time, and store the result."""
    restless()
    with patch("os.fsync"):  # it guards against failing power; a kill loses nothing that was written
        save(work(store=folder / "work" if kept else None), folder / "result.npz")


def _result(folder):
    path = folder / "result.npz"
    return load(path, own={"spread": spread}) if path.exists() else None


def _begun(folder):
    return (folder / "work" / HEAD).exists()


def _written(folder):
    return any((folder / "work").glob("[A-Za-z0-9]*.npz"))


def kept(work):
    """Return the work of a function that takes ``store=``."""
    return Work(partial(_into, work), _result, _begun, _written)


def on(pool, work, store):
    """Work on two workers."""
    with pool(2) as executor:
        return work(store=store, executor=executor)


def forked(workers):
    """Return a pool as it is by default where processes are forked: workers inherit all that is open."""
    return ProcessPoolExecutor(workers, multiprocessing.get_context("fork"))


def extended(method, store):
    """Go on with a run."""
    return run(method).extend(40, store=store)


def flow(store):
    """Sample a flow of blocks."""
    return sample_flow(
        square_lattice(8, 8, temperature=2.3), (8, 8), 60, chains=8, rng=5, burn_in=20, progress=False, store=store
    )


def signals(store):
    """Simulate wide layers."""
    return RandomLayer("tanh", 1.5, 0.1).simulate(40, 30, replicas=1500, rng=3, store=store)


def paths(store):
    """Draw numbers of working neurons."""
    return PolyaUrn(300, 0.3, 5.0).simulate([10, 100, 1000], 40, rng=3, method="stepwise", store=store)


def counted(store, executor=None):
    """Draw counts of all neurons, in blocks."""
    return BetaBernoulli(9000, 0.3, 5.0).simulate([10, 100], 12, rng=3, counts=True, store=store, executor=executor)


def point(scale, size, rng):
    """Return the value at a point of a grid; one point fails."""
    if scale == size == 3:
        raise ZeroDivisionError("no such point")
    return (scale * rng.standard_normal((20 * size, 20))).cumsum(axis=1)


def swept(store, executor=None):
    """Visit the points of a grid."""
    return sweep(point, {"scale": range(9), "size": range(1, 9)}, rng=4, store=store, executor=executor)


# -- claims --------------------------------------------------------------------------------------------------


def _validated(jobs, folder, *, kept):
    """Run claims, or what is left of them."""
    out = folder / "work"
    arguments = ["--jobs", str(jobs), "--seed", "3", "--out", str(out), *(["--resume"] if kept else [])]
    with redirect_stdout(StringIO()):
        status = main(arguments, registry="faults.claims")
    if status:
        sys.exit(status)
    (folder / "result.npz").touch()


def _verdicts(folder):
    if not (folder / "result.npz").exists():
        return None
    claims = json.loads((folder / "work/verdicts.json").read_text())["claims"]
    for record in claims.values():
        record.pop("seconds")
    names = sorted(path.name for path in (folder / "work").iterdir())
    figures = {name: sha256((folder / "work" / name).read_bytes()).hexdigest() for name in names if "coin" in name}
    return claims, names, figures


def _entered(folder):
    return _recorded(folder) or (folder / "work" / LOCK).exists()  # a runner that is asked to end removes its lock


def _recorded(folder):
    return (folder / "work" / records.NAME).exists()


def validated(jobs):
    """Return the work of running claims."""
    return Work(partial(_validated, jobs), _verdicts, _entered, _recorded)


# -- all -----------------------------------------------------------------------------------------------------

WORKS = {
    **{f"sample, {method}": kept(partial(run, method)) for method in METHODS},
    **{f"extend, {method}": kept(partial(extended, method)) for method in ("hamiltonian", "tempering", "wolff")},
    "sample on threads": kept(partial(on, ThreadPoolExecutor, partial(run, "heat bath"))),
    "sample on processes": kept(partial(on, forked, partial(run, "metropolis"))),
    "sample_flow": kept(flow),
    "simulate paths": kept(paths),
    "simulate counts": kept(counted),
    "simulate on processes": kept(partial(on, forked, counted)),
    "simulate signals": kept(signals),
    "sweep": kept(swept),
    "sweep on processes": kept(partial(on, forked, swept)),
    "validation": validated(1),
    "validation, two jobs": validated(2),
}
