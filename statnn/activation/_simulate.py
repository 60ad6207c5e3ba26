"""Simulation: a process, checkpoints and a seed become independent tasks, and the tasks a path."""

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from statnn._edge import Ints, increasing, whole
from statnn._random import Root, root, stream
from statnn._work import run_tasks
from statnn.activation._path import Path

if TYPE_CHECKING:
    from statnn.activation._process import ActivationProcess

_BLOCK = 2**14
"""Neurons of one block of an exact path with counts; the stream of a block belongs to its number."""

_TASKS = 64
"""Replicas of paths without counts are dealt out over so many tasks."""


@dataclass(frozen=True)
class _Task:
    """Some replicas, of all neurons or, for one replica with counts, of one block of neurons."""

    process: "ActivationProcess"
    checkpoints: Ints
    seed: Root
    replicas: tuple[int, ...]
    block: int | None

    @property
    def neurons(self) -> slice:
        first = 0 if self.block is None else self.block * _BLOCK
        last = self.process.neurons if self.block is None else first + _BLOCK
        return slice(first, min(last, self.process.neurons))


def _working(task: _Task) -> tuple[Ints, None]:
    process, D = task.process, task.checkpoints
    return np.stack([process._draw_working(D, stream(task.seed, r)) for r in task.replicas]), None


def _counts(task: _Task) -> tuple[Ints, Ints]:
    (replica,) = task.replicas
    initial = task.process._initial_counts(task.neurons)
    counts = np.empty((task.checkpoints.size, initial.size), dtype=np.int64)
    key = (replica,) if task.block is None else (replica, task.block)
    task.process._draw_counts(initial, task.checkpoints, stream(task.seed, *key), counts)
    return np.count_nonzero(counts, axis=1)[None], counts


def _stepwise_working(task: _Task) -> tuple[Ints, None]:
    initial = task.process._initial_counts(task.neurons)
    working = [
        [np.count_nonzero(n) for n in task.process._steps(initial, task.checkpoints, stream(task.seed, r))]
        for r in task.replicas
    ]
    return np.array(working, dtype=np.int64), None


def _stepwise_counts(task: _Task) -> tuple[Ints, Ints]:
    (replica,) = task.replicas
    initial = task.process._initial_counts(task.neurons)
    steps = task.process._steps(initial, task.checkpoints, stream(task.seed, replica))
    counts = np.stack([n.copy() for n in steps])
    return np.count_nonzero(counts, axis=1)[None], counts


_METHODS = {
    ("exact", False): _working,
    ("exact", True): _counts,
    ("stepwise", False): _stepwise_working,
    ("stepwise", True): _stepwise_counts,
}


def simulate(
    process: "ActivationProcess",
    checkpoints: ArrayLike,
    replicas: int | range,
    *,
    rng: int | np.random.Generator | None,
    method: str,
    counts: bool,
    executor: Executor | None,
) -> Path:
    """Carry out :meth:`ActivationProcess.simulate`."""
    D = increasing(checkpoints, "checkpoints", minimum=process._begin)
    if (method, counts) not in _METHODS:
        raise ValueError(f'method = {method!r} is unknown; choose "exact" or "stepwise"')
    chosen = replicas if isinstance(replicas, range) else range(whole(replicas, "replicas", minimum=1))
    if len(chosen) == 0 or min(chosen) < 0:
        raise ValueError(f"replicas = {chosen} must name at least one replica, numbered from 0")
    seed = root(rng)
    groups = np.array_split(chosen, len(chosen) if counts else min(len(chosen), _TASKS))
    in_blocks = counts and method == "exact" and process._independent
    blocks = range(-(-process.neurons // _BLOCK)) if in_blocks else (None,)
    tasks = [_Task(process, D, seed, tuple(group.tolist()), block) for group in groups for block in blocks]
    row = {replica: place for place, replica in enumerate(chosen)}
    working = np.zeros((len(chosen), D.size), dtype=np.int64)
    all_counts = np.empty((len(chosen), D.size, process.neurons), dtype=np.int64) if counts else None
    for index, (part, part_counts) in run_tasks(_METHODS[method, counts], tasks, executor):
        task = tasks[index]
        working[[row[r] for r in task.replicas]] += part
        if all_counts is not None and part_counts is not None:
            all_counts[row[task.replicas[0]], :, task.neurons] = part_counts
    return Path(process, D, working, all_counts, chosen, seed, method)
