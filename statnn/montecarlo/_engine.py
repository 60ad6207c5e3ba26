"""The engine of every run: blocks of chains that walk, here or on an executor, and what they write down."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from statnn._arguments import array_of
from statnn._memory import refuse_beyond_memory
from statnn._random import Root
from statnn._tasks import run_tasks
from statnn.interaction import DynamicNeurons
from statnn.montecarlo._blas import one_thread
from statnn.montecarlo._method import Method, Model, Values, Walkers
from statnn.montecarlo._progress import Progress

Observable: TypeAlias = Callable[[Values], Any]
Report: TypeAlias = Callable[[int, int], None]

_PIECES = 50
"""Reports of progress a block makes when it runs in this process."""


def repeatable(model: Model) -> AbstractContextManager[None]:
    """Return the context in which neither results nor speed depend on the threads of BLAS.

    Sums of spins are exact on any number of threads, those of real neurons are not. Layers of spins are small products:
    threads that spin while they wait for each other cost more than they bring where cores are busy.
    """
    uses_blas = isinstance(model, DynamicNeurons) or model.blocks is not None
    return one_thread() if uses_blas else nullcontext()


@dataclass(frozen=True)
class Block:
    """A block of chains and what is still to be done with it; walkers are None before the first sweep."""

    model: Model
    method: Method
    seed: Root
    chains: tuple[int, ...]
    initial: Values | None
    walkers: Walkers | None
    burn_in: int
    draws: int
    thin: int
    observables: dict[str, Observable | None]
    report: Callable[[int], None] | None = None


def _walk(block: Block) -> tuple[Walkers, dict[str, Values]]:
    """Move a block of chains and write down its observables, each of shape (chains, draws, ...)."""
    with repeatable(block.model):
        return _walked(block)


def _walked(block: Block) -> tuple[Walkers, dict[str, Values]]:
    walkers = block.walkers
    if walkers is None:
        walkers = block.method.walkers(block.model, block.seed, block.chains, block.initial)
        walkers.burn_in(block.burn_in)
        if block.report:
            block.report(block.burn_in)
    records: dict[str, Values] = {}
    waiting = 0
    for draw in range(block.draws):
        walkers.sweep(block.thin)
        states = None
        for name, function in block.observables.items():
            if function is None:
                values = walkers.observe(name)
            else:
                if states is None:
                    states = walkers.states()
                    states.flags.writeable = False  # functions share them
                values = _observed(name, function, states)
            if name not in records:
                refuse_beyond_memory(
                    float(values.nbytes) * block.draws,
                    f"the records of {name!r} with {block.draws} draws of {values.nbytes} bytes",
                    "take fewer chains, or fewer draws by thin=",
                )
                records[name] = np.empty((values.shape[0], block.draws, *values.shape[1:]), values.dtype)
            records[name][:, draw] = values
        waiting += block.thin
        if block.report and ((draw + 1) % max(1, block.draws // _PIECES) == 0 or draw + 1 == block.draws):
            block.report(waiting)
            waiting = 0
    return walkers, records


def _observed(name: str, function: Observable, states: Values) -> Values:
    values = array_of(function(states), f"the result of observable {name!r}")
    if values.ndim == 0 or values.shape[0] != len(states) or values.dtype.kind not in "biuf":
        raise ValueError(
            f"observable {name!r} returned shape {values.shape} and type {values.dtype} for states of shape "
            f"{states.shape}; it must return real numbers, one entry (or row) for each of the {len(states)} chains"
        )
    return values.astype(np.float64) if values.dtype.kind != "f" else values


def run_blocks(
    blocks: Sequence[Block], executor: Executor | None, progress: Progress
) -> tuple[tuple[Walkers, ...], dict[str, Values]]:
    """Return the walkers of all blocks after their draws, and the records of all chains."""
    with progress:
        done = dict(_results(blocks, executor, progress))
    ordered = [done[index] for index in range(len(blocks))]
    names = ordered[0][1]
    records = {name: np.concatenate([record[name] for _, record in ordered]) for name in names}
    return tuple(walkers for walkers, _ in ordered), records


def _results(
    blocks: Sequence[Block], executor: Executor | None, progress: Progress
) -> Iterator[tuple[int, tuple[Walkers, dict[str, Values]]]]:
    if executor is None:  # in this process progress can be seen inside a block
        for index, block in enumerate(blocks):
            yield index, _walk(replace(block, report=progress.advance))
        return
    for index, result in run_tasks(_walk, blocks, executor):
        progress.advance(blocks[index].burn_in + blocks[index].draws * blocks[index].thin)
        yield index, result


def check_executor(executor: Executor | None) -> None:
    """Raise where there is nothing to submit work to."""
    if executor is not None and not hasattr(executor, "submit"):
        raise TypeError(
            f"executor = {executor!r} is a {type(executor).__name__}; pass an executor of concurrent.futures, for "
            "example ThreadPoolExecutor(2)"
        )
