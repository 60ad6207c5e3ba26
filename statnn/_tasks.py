"""Many independent tasks on any executor of the :mod:`concurrent.futures` family."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from typing import Any, TypeVar

from statnn._parcels import Missing, Shared, carry_out

Spec = TypeVar("Spec")
Result = TypeVar("Result")

_SPAWN = 'ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))'
_DIED = (
    "a worker died or could not start: it may have been killed for want of memory, processes or threads may be limited "
    '(ulimit -u, pids.max), or a script may make its pool outside of if __name__ == "__main__", or have no file'
)


def check_executor(executor: Any) -> None:
    """Raise if work cannot be submitted to `executor`, and say how to make one.

    Examples
    --------
    >>> check_executor(2)
    Traceback (most recent call last):
    TypeError: executor = 2 is an int; pass an executor of concurrent.futures, for example ThreadPoolExecutor(2)
    """
    if executor is None or isinstance(executor, Executor):
        return
    kind = type(executor)
    room, name = kind.__module__.split(".")[0], kind.__name__
    if isinstance(executor, type) and issubclass(executor, Executor):
        fix = f"it is the class; make one, {executor.__name__}(2)"
    elif hasattr(executor, "get_executor"):  # dask
        fix = "pass client.get_executor() instead of the client"
    elif room == "multiprocessing":
        fix = f"pass concurrent.futures.{_SPAWN}"
    elif isinstance(executor, int) and not isinstance(executor, bool):
        raise TypeError(
            f"executor = {executor!r} is an int; pass an executor of concurrent.futures, for example "
            f"ThreadPoolExecutor({max(2, executor)})"
        )
    else:
        fix = "pass an executor of concurrent.futures, for example ThreadPoolExecutor(2)"
    raise TypeError(f"executor is of {kind.__module__}.{name}: {fix}")


def callback_of(progress: Any) -> Any:
    """Return a callback of progress, or None where there is none; raise for what cannot be called."""
    if progress is None or progress is False:
        return None
    if not callable(progress):
        raise TypeError(f"progress = {progress!r}; pass a function, which is called with what is done, or None")
    return progress


def in_process(executor: Executor | None) -> bool:
    """Return whether tasks see the memory of the caller."""
    return executor is None or isinstance(executor, ThreadPoolExecutor)


def run_tasks(
    task: Callable[[Spec], Result],
    specs: Sequence[Spec],
    executor: Executor | None,
    shared: Sequence[Any] = (),
    *,
    lost: Callable[[Exception], Result] | None = None,
) -> Iterator[tuple[int, Result]]:
    """Yield ``(index, task(specs[index]))`` as tasks finish; in order and in this process without an executor.

    Parameters
    ----------
    task : callable
        A module-level function of one small picklable specification that carries its own seed.
    specs : sequence
        One specification per task.
    executor : Executor or None
        A thread pool (kernels release the interpreter lock), a process pool started with "spawn",
        ``dask.distributed.Client.get_executor()``, ``mpi4py.futures.MPIPoolExecutor``, ...
    shared : sequence
        Large objects that many specifications hold, models or arrays: they are sent to other processes once.
    lost : callable, optional
        Returns the substitute for a result that does not come back: called with the error of the task, or of a worker
        that died. By default the error is raised, and results of other tasks are lost.

    Examples
    --------
    >>> list(run_tasks(abs, [-1, -2], None))
    [(0, 1), (1, 2)]
    """
    check_executor(executor)
    if executor is None:
        for index, spec in enumerate(specs):
            yield index, task(spec)
    elif in_process(executor):
        yield from _finished({executor.submit(task, spec): index for index, spec in enumerate(specs)}, lost)
    else:
        with Shared(shared, by_value=not isinstance(executor, ProcessPoolExecutor)) as parcels:
            yield from _sent(task, specs, executor, parcels, lost)


def in_order(finished: Iterator[tuple[int, Result]]) -> Iterator[Result]:
    """Yield what `run_tasks` does, but in the order of the tasks, so that sums do not depend on which ended first.

    Examples
    --------
    >>> list(in_order(iter([(1, "b"), (0, "a"), (2, "c")])))
    ['a', 'b', 'c']
    """
    early: dict[int, Result] = {}
    awaited = 0
    for index, result in finished:
        early[index] = result
        while awaited in early:
            yield early.pop(awaited)
            awaited += 1


def _sent(
    task: Callable[[Spec], Result],
    specs: Sequence[Spec],
    executor: Executor,
    parcels: Shared,
    lost: Callable[[Exception], Result] | None,
) -> Iterator[tuple[int, Result]]:
    """Yield results from processes; the shared objects are sent to those that miss them."""
    waiting: dict[int, tuple[str, ...]] = dict.fromkeys(range(len(specs)), ())
    while waiting:
        futures: dict[Future[Any], int] = {
            executor.submit(carry_out, parcels.pack(task, specs[index], missing)): index
            for index, missing in waiting.items()
        }
        waiting = {}
        for index, result in _finished(futures, lost and _itself):
            if lost is not None and isinstance(result, Exception):
                yield index, lost(result)
            elif isinstance(result, Missing):
                waiting[index] = result.digests
            else:
                yield index, parcels.unpack(result)


def _finished(
    futures: dict[Future[Result], int], lost: Callable[[Exception], Result] | None
) -> Iterator[tuple[int, Result]]:
    """Yield results with their numbers as they come; when one fails, tasks that have not begun are cancelled."""
    try:
        for future in as_completed(futures):
            yield futures.pop(future), _result(future, lost)  # forgotten at once: results may be large
    finally:
        for future in futures:
            future.cancel()


def _result(future: Future[Result], lost: Callable[[Exception], Result] | None) -> Result:
    try:
        return future.result()
    except Exception as error:
        # all tasks of a pool share one error
        if isinstance(error, BrokenExecutor) and _DIED not in getattr(error, "__notes__", ()):
            error.add_note(_DIED)
        if lost is None:
            raise
        return lost(error)


def _itself(error: Exception) -> Any:
    return error
