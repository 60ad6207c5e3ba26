"""Many independent tasks on any executor of the :mod:`concurrent.futures` family."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, as_completed
from typing import TypeVar

Spec = TypeVar("Spec")
Result = TypeVar("Result")


def run_tasks(
    task: Callable[[Spec], Result], specs: Sequence[Spec], executor: Executor | None
) -> Iterator[tuple[int, Result]]:
    """Yield ``(index, task(specs[index]))`` as tasks finish; in order and in this process without an executor.

    Parameters
    ----------
    task : callable
        A module-level function of one small picklable specification that carries its own seed.
    specs : sequence
        One specification a task.
    executor : Executor or None
        A thread pool (kernels release the interpreter lock), a process pool started with "spawn",
        ``dask.distributed.Client.get_executor(pure=False)``, ``mpi4py.futures.MPIPoolExecutor``, ...

    Examples
    --------
    >>> list(run_tasks(abs, [-1, -2], None))
    [(0, 1), (1, 2)]
    """
    if executor is None:
        for index, spec in enumerate(specs):
            yield index, task(spec)
        return
    futures = {executor.submit(task, spec): index for index, spec in enumerate(specs)}
    try:
        for future in as_completed(futures):
            yield futures.pop(future), future.result()  # forgotten at once: results may be large
    finally:
        for future in futures:
            future.cancel()
