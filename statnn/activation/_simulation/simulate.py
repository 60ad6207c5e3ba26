"""Simulation: a process, checkpoints and a seed become independent tasks, and the tasks a path."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import ArrayLike

from statnn._archive.file import digest_of
from statnn._archive.kept import kept_tasks
from statnn._archive.store import Store, opened_or_none
from statnn._arguments import Ints, increasing, switch, whole
from statnn._memory import refuse_beyond_memory
from statnn._random import Root, root, seed_of, stream
from statnn._tasks import check_executor, in_process
from statnn.activation._simulation import path
from statnn.activation._simulation.path import Paths

_BLOCK = 2**13
"""Neurons of one block of an exact path with counts; the stream of a block belongs to its number."""

_TASKS = 64
"""Replicas of paths without counts are distributed over at most this many tasks."""


class Process(path.Process, Protocol):
    """What a simulation needs of a process: its exact laws between checkpoints, and its rule step by step."""

    _independent: ClassVar[bool]

    @property
    def _begin(self) -> int: ...
    def _initial_counts(self, neurons: slice) -> Ints: ...
    def _draw_working(self, D: Ints, rng: np.random.Generator) -> Ints: ...
    def _draw_counts(self, initial: Ints, D: Ints, rng: np.random.Generator, out: Ints) -> None: ...
    def _steps(self, initial: Ints, D: Ints, rng: np.random.Generator) -> Iterator[Ints]: ...


@dataclass(frozen=True)
class _Task:
    """Some replicas, of all neurons or, for one replica with counts, of one block of neurons."""

    process: Process
    checkpoints: Ints
    seed: Root
    replicas: tuple[int, ...]
    block: int | None
    out: Ints | None = None
    """Where the counts go, shape (T, n), when the task runs in this process."""

    @property
    def neurons(self) -> slice:
        first = 0 if self.block is None else self.block * _BLOCK
        last = self.process.neurons if self.block is None else first + _BLOCK
        return slice(first, min(last, self.process.neurons))

    def room(self) -> Ints:
        """Return a contiguous array for the counts: the result itself if it is contiguous."""
        if self.out is not None and self.out.flags.c_contiguous:
            return self.out
        return np.empty((self.checkpoints.size, self.neurons.stop - self.neurons.start), dtype=np.int64)

    def done(self, counts: Ints) -> tuple[Ints, Ints | None]:
        """Return working neurons, and the counts unless they were written to `out`."""
        working = np.count_nonzero(counts, axis=1)[None]
        if self.out is None:
            return working, counts
        if self.out is not counts:
            self.out[...] = counts
        return working, None


def _working(task: _Task) -> tuple[Ints, None]:
    process, D = task.process, task.checkpoints
    return np.stack([process._draw_working(D, stream(task.seed, r)) for r in task.replicas]), None


def _counts(task: _Task) -> tuple[Ints, Ints | None]:
    (replica,) = task.replicas
    initial, counts = task.process._initial_counts(task.neurons), task.room()
    key = (replica,) if task.block is None else (replica, task.block)
    task.process._draw_counts(initial, task.checkpoints, stream(task.seed, *key), counts)
    return task.done(counts)


def _stepwise_working(task: _Task) -> tuple[Ints, None]:
    initial = task.process._initial_counts(task.neurons)
    working = [
        [np.count_nonzero(n) for n in task.process._steps(initial, task.checkpoints, stream(task.seed, r))]
        for r in task.replicas
    ]
    return np.array(working, dtype=np.int64), None


def _stepwise_counts(task: _Task) -> tuple[Ints, Ints | None]:
    (replica,) = task.replicas
    initial, counts = task.process._initial_counts(task.neurons), task.room()
    for t, state in enumerate(task.process._steps(initial, task.checkpoints, stream(task.seed, replica))):
        counts[t] = state
    return task.done(counts)


_METHODS = {
    ("exact", False): _working,
    ("exact", True): _counts,
    ("stepwise", False): _stepwise_working,
    ("stepwise", True): _stepwise_counts,
}


def simulate(
    process: Process,
    checkpoints: ArrayLike,
    replicas: int | range,
    *,
    rng: int | np.random.Generator | None,
    method: str,
    counts: bool,
    executor: Executor | None,
    store: str | os.PathLike[str] | None = None,
) -> Paths:
    """Carry out :meth:`ActivationProcess.simulate`."""
    D = increasing(checkpoints, "checkpoints", minimum=process._begin)
    counts = switch(counts, "counts")
    if (method, counts) not in _METHODS:
        raise ValueError(f'method = {method!r} is unknown; choose "exact" or "stepwise"')
    chosen = replicas if isinstance(replicas, range) else range(whole(replicas, "replicas", minimum=1))
    if len(chosen) == 0 or min(chosen) < 0:
        raise ValueError(f"replicas = {chosen} must name at least one replica, numbered from 0")
    check_executor(executor)
    key = {
        "verb": "simulate",
        "process": digest_of(process),
        "checkpoints": digest_of(D),
        "replicas": repr(chosen),
        "method": method,
        "counts": counts,
    }
    seed = root(rng)
    with opened_or_none(store, {**key, "seed": seed}, adopt=("seed",) if rng is None else ()) as kept:
        of_store = seed if kept is None else seed_of(kept.key["seed"])
        return _simulated(process, D, chosen, of_store, method, counts, executor, kept)


def _simulated(
    process: Process,
    D: Ints,
    chosen: range,
    seed: Root,
    method: str,
    counts: bool,
    executor: Executor | None,
    store: Store | None,
) -> Paths:
    groups = np.array_split(chosen, len(chosen) if counts else min(len(chosen), _TASKS))
    in_blocks = counts and method == "exact" and process._independent
    blocks = range(-(-process.neurons // _BLOCK)) if in_blocks else (None,)
    tasks = [_Task(process, D, seed, tuple(group.tolist()), block) for group in groups for block in blocks]
    row = {replica: place for place, replica in enumerate(chosen)}
    with_counts = f", with counts of {process.neurons} neurons" if counts else ""
    refuse_beyond_memory(
        8.0 * len(chosen) * D.size * (1 + (process.neurons if counts else 0)),
        f"{len(chosen)} paths at {D.size} checkpoints{with_counts}",
        "take fewer replicas or checkpoints" + (", or counts=False" if counts else ""),
        of=(len(chosen), "replicas"),
    )
    working = np.zeros((len(chosen), D.size), dtype=np.int64)
    all_counts = np.empty((len(chosen), D.size, process.neurons), dtype=np.int64) if counts else None
    places = [] if all_counts is None else [all_counts[row[t.replicas[0]], :, t.neurons] for t in tasks]
    if in_process(executor) and store is None:
        tasks = [replace(task, out=place) for task, place in zip(tasks, places, strict=True)] if counts else tasks
    for index, (part, part_counts) in kept_tasks(store, _METHODS[method, counts], tasks, executor):
        working[[row[r] for r in tasks[index].replicas]] += part
        if part_counts is not None:
            places[index][...] = part_counts
    return Paths(process, D, working, all_counts, chosen, seed, method)
