"""The engine of every run: choose and settle a method, and run blocks of chains, here or on an executor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from statnn._archive.store import StoreError
from statnn._arguments import whole
from statnn._memory import refuse_beyond_memory
from statnn._random import Root
from statnn._tasks import in_process, run_tasks
from statnn.interaction import DynamicNeurons
from statnn.montecarlo._blas import one_thread
from statnn.montecarlo._method import Method, Model, Values, Walkers
from statnn.montecarlo._outcome import Failure, Interrupt, failure
from statnn.montecarlo._progress import Progress, reporter
from statnn.montecarlo._registry import METHODS, names, suited

T = TypeVar("T")
R = TypeVar("R")
Report: TypeAlias = Callable[[int, int], None]

_PIECES = 50
"""Reports of progress a block makes when it runs in this process."""
_SECONDS = 1.0
"""Time that a piece of sweeps should take; between pieces a run can be stored, and interrupted."""


def repeatable(model: Model) -> AbstractContextManager[None]:
    """Return the context in which neither results nor speed depend on the threads of BLAS.

    Sums of spins are exact on any number of threads, those of real neurons are not. Products of layers of spins are
    small: on busy cores threads that busy-wait for each other cost more than they gain.
    """
    uses_blas = isinstance(model, DynamicNeurons) or model.blocks is not None
    return one_thread() if uses_blas else nullcontext()


@dataclass(frozen=True)
class Schedule:
    """Numbers of discarded sweeps, of draws, and of sweeps from one draw to the next."""

    burn_in: int
    draws: int
    thin: int

    @property
    def sweeps(self) -> int:
        """Sweeps in all."""
        return self.burn_in + self.draws * self.thin


def schedule(sweeps: int, burn_in: int | None, thin: int) -> Schedule:
    """Return the schedule of `sweeps` sweeps after a burn-in, which is half as long when None."""
    length = whole(sweeps, "sweeps", minimum=1)
    every = whole(thin, "thin", minimum=1)
    before = length // 2 if burn_in is None else whole(burn_in, "burn_in", minimum=0)
    return Schedule(before, draws_of(length, every), every)


def draws_of(sweeps: int, thin: int) -> int:
    """Return how many draws the sweeps give, or raise if they end between two draws."""
    if sweeps % thin:
        raise ValueError(f"sweeps = {sweeps} is not a multiple of thin = {thin}: take {sweeps - sweeps % thin + thin}")
    return sweeps // thin


class Keeper(Protocol[T]):
    """Moves a block of chains and remembers where it stopped."""

    def walk(self, block: Block[T]) -> tuple[Walkers, T]:
        """Go on from where the block stopped; return the walkers after their draws, and the records."""


@dataclass(frozen=True)
class Block(Generic[T]):
    """A block of chains and the work left to do; walkers are None before the first sweep.

    `record` takes an iterator that moves the walkers from draw to draw, and the block; it consumes all draws. A keeper
    replaces it.
    """

    model: Model
    method: Method[Any]
    seed: Root
    chains: tuple[int, ...]
    initial: Values | None
    walkers: Walkers | None
    schedule: Schedule
    record: Callable[[Iterator[Walkers], Block[T]], T] | None
    report: Callable[[int], None] | None = None
    keeper: Keeper[T] | None = None
    check: Callable[[Walkers, Block[T]], None] | None = None
    """Called before the burn-in; raises if something is wrong."""
    stopped: Callable[[], bool] | None = None


def choose(model: Model, method: str | Method[Any] | None) -> Method[Any]:
    """Return the method asked for, or the default for the model; raise if it cannot sample the model."""
    if method is None:
        chosen = suited(model)
    elif isinstance(method, Method):
        chosen = method
    elif isinstance(method, str) and method in METHODS:
        chosen = METHODS[method]()
    else:
        suiting = ", ".join(names(type(model)))
        raise ValueError(
            f"method = {method!r} is unknown; for {type(model).__name__} choose from {suiting}, or a Method()"
        )
    if not isinstance(model, chosen.model_type):
        raise TypeError(
            f"{chosen.name} samples {chosen.model_type.__name__}, not {type(model).__name__}: leave method out, or take"
            f" one of {', '.join(names(type(model)))}"
        )
    chosen.check(model)
    return chosen


def cut(
    model: Model,
    method: Method[Any],
    seed: Root,
    chains: tuple[int, ...],
    schedule: Schedule,
    record: Callable[[Iterator[Walkers], Block[T]], T] | None = None,
    *,
    initial: Values | None = None,
    kept: int = 0,
    keeper: Callable[[int], Keeper[T]] | None = None,
    check: Callable[[Walkers, Block[T]], None] | None = None,
) -> tuple[Method[Any], list[Block[T]]]:
    """Return the settled method, and the blocks that the chains are cut into.

    `kept` is the number of bytes of the records.
    """
    settled = method.settled(model, len(chains), seed)
    size = min(settled.block(model, len(chains)), len(chains))
    firsts = range(0, len(chains), size)
    refuse_beyond_memory(
        settled.memory(model, size) * len(firsts) + kept,
        f"{len(chains)} chains of {settled.name} with {schedule.draws} draws",
        "take fewer chains, or fewer draws by thin=",
        of=(len(chains), "chains"),
    )
    blocks = []
    for number, first in enumerate(firsts):
        part = slice(first, first + size)
        begin = None if initial is None else initial[part]
        keep = None if keeper is None else keeper(number)
        blocks.append(
            Block(model, settled, seed, chains[part], begin, None, schedule, record, keeper=keep, check=check)
        )
    return settled, blocks


def run_blocks(
    blocks: Sequence[Block[T]], executor: Executor | None, progress: Report | bool | None
) -> tuple[tuple[Walkers, ...], list[T]]:
    """Return the walkers of all blocks after their draws, and what each block recorded."""
    with reporter(progress, sum(block.schedule.sweeps for block in blocks)) as count:
        done = dict(_results(_walk, blocks, executor, count))
    ordered = [done[index] for index in range(len(blocks))]
    return tuple(walkers for walkers, _ in ordered), [record for _, record in ordered]


def try_blocks(
    blocks: Sequence[Block[T]], executor: Executor | None, progress: Report | bool | None
) -> tuple[dict[int, tuple[Walkers, T]], list[Failure]]:
    """Return the results of the blocks by number, and the failures of those that raised or were interrupted.

    Raises
    ------
    StoreError
        If the store of a block is damaged or belongs to other work: calling again would not help.
    Exception
        The exception of the first block, if no block has a result.
    """
    done: dict[int, tuple[Walkers, T]] = {}
    failed: dict[int, BaseException] = {}
    interrupt = Interrupt()
    with reporter(progress, sum(block.schedule.sweeps for block in blocks)) as count, interrupt.listening():
        try:
            here = [replace(block, stopped=interrupt) for block in blocks] if in_process(executor) else blocks
            for index, result in _results(_try, here, executor, count, lost=lambda error: error):
                if isinstance(result, StoreError):
                    raise result
                if isinstance(result, BaseException):
                    failed[index] = result
                else:
                    done[index] = result
                if interrupt():
                    break
        except KeyboardInterrupt:
            if not done:
                raise
    if not done:
        raise failed[min(failed)]
    absent = [index for index in range(len(blocks)) if index not in done]
    errors = [failed.get(index, KeyboardInterrupt("interrupted")) for index in absent]
    lacking = zip(absent, errors, strict=True)
    return done, [failure(error, k, blocks[k].chains, blocks[k].initial) for k, error in lacking]


def _results(
    walk: Callable[[Block[T]], R],
    blocks: Sequence[Block[T]],
    executor: Executor | None,
    progress: Progress,
    lost: Callable[[Exception], R] | None = None,
) -> Iterator[tuple[int, R]]:
    if executor is None:  # in this process progress can be seen inside a block
        for index, block in enumerate(blocks):
            yield index, walk(replace(block, report=progress.advance))
        return
    for index, result in run_tasks(walk, blocks, executor, shared=[blocks[0].model], lost=lost):
        progress.advance(blocks[index].schedule.sweeps)
        yield index, result


def _try(block: Block[T]) -> tuple[Walkers, T] | BaseException:
    """Return the result of `_walk`, or the exception that it raised."""
    try:
        return _walk(block)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other blocks go on
        return error


def _walk(block: Block[T]) -> tuple[Walkers, T]:
    """Move a block of chains through its schedule and return what was recorded."""
    with repeatable(block.model):
        if block.keeper is not None:
            return block.keeper.walk(block)
        if block.record is None:
            raise TypeError("a block needs a record or a keeper")
        walkers = begun(block)
        return walkers, block.record(_draws(walkers, block), block)


def begun(block: Block[T]) -> Walkers:
    """Return the walkers of a block, made and checked if there are none yet."""
    walkers = block.walkers
    if walkers is None:
        walkers = block.method.walkers(block.model, block.seed, block.chains, block.initial)
        if block.check:
            block.check(walkers, block)
    return walkers


def _draws(walkers: Walkers, block: Block[T]) -> Iterator[Walkers]:
    """Yield the walkers at every draw."""
    for _, drawn in moves(walkers, block, 0):
        if drawn:
            yield walkers


def moves(walkers: Walkers, block: Block[T], position: int) -> Iterator[tuple[int, bool]]:
    """Move on from a position in the sweeps of a schedule; yield each position reached, and whether it is a draw.

    Pieces take about a second where they can be cut; the states of the chains do not depend on them.
    """
    plan = block.schedule
    reports = plan.thin * max(1, plan.draws // _PIECES)
    if position == 0 and plan.burn_in == 0 and block.walkers is None:
        walkers.burn_in(0)
    piece = max(1, plan.burn_in // _PIECES) if position < plan.burn_in else plan.thin
    reported = position
    while position < plan.sweeps:
        after = position - plan.burn_in
        began = monotonic()
        if after < 0:
            end = min(position + piece, plan.burn_in)
            walkers.burn_in_part(position, end, plan.burn_in)
        else:
            end = min(position + piece, position + plan.thin - after % plan.thin)
            walkers.sweep(end - position)
        piece = _next_piece(piece, monotonic() - began, plan.burn_in if after < 0 else plan.thin)
        position, after = end, end - plan.burn_in
        if after == 0:
            piece = plan.thin
        if block.report and (after <= 0 or after % reports == 0 or position == plan.sweeps):
            block.report(position - reported)
            reported = position
        drawn = after > 0 and after % plan.thin == 0
        yield position, drawn
        if (drawn or after <= 0) and block.stopped and block.stopped():  # a run goes on only from a draw or a burn-in
            return


def _next_piece(piece: int, seconds: float, most: int) -> int:
    if seconds > 2 * _SECONDS:
        return max(1, piece // 2)
    return min(2 * piece, most) if seconds < _SECONDS / 2 else piece
