"""Tasks whose results stand in a store: what is there is taken from it, the rest is done and put into it."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from typing import Any, TypeVar

from statnn._archive.pace import Pace
from statnn._archive.store import Store, StoreError
from statnn._tasks import run_tasks

Spec = TypeVar("Spec")
Result = TypeVar("Result")


def kept_tasks(
    store: Store | None,
    task: Callable[[Spec], Result],
    specs: Sequence[Spec],
    executor: Executor | None,
    shared: Sequence[Any] = (),
) -> Iterator[tuple[int, Result]]:
    """Yield what `run_tasks` does; entries ``tasks-K`` of the store hold ``{"indices", "results"}`` of some tasks each.

    Results are functions of their specifications, so that it does not matter in which order they came before.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from statnn._archive.store import opened
    >>> with TemporaryDirectory() as directory:
    ...     for _ in range(2):
    ...         with opened(f"{directory}/work", {"of": "example"}) as store:
    ...             print(dict(kept_tasks(store, abs, [-1, -2], None)), store.names())
    {0: 1, 1: 2} ('tasks-0',)
    {0: 1, 1: 2} ('tasks-0',)
    """
    if store is None:
        yield from run_tasks(task, specs, executor, shared)
        return
    there: set[int] = set()
    names = sorted(store.names(), key=lambda name: int(name.partition("-")[2]))
    number = len(names)
    for name in names:
        part = store.get(name)
        for index, result in zip(part["indices"], part["results"], strict=True):
            if not 0 <= index < len(specs):
                raise StoreError(f"{name} of the store holds task {index} of {len(specs)}: it is damaged")
            if index not in there:
                there.add(index)
                yield index, result
    missing = [index for index in range(len(specs)) if index not in there]
    indices: list[int] = []
    results: list[Result] = []
    pace = Pace()
    for k, result in run_tasks(task, [specs[index] for index in missing], executor, shared):
        indices.append(missing[k])
        results.append(result)
        last = len(there) + 1 == len(specs)
        there.add(missing[k])
        if pace.due or last:
            with pace.writing():
                store.put(f"tasks-{number}", {"indices": indices, "results": results})
            number, indices, results = number + 1, [], []
        yield missing[k], result
