"""Results in a store, many per entry: those that are there are read, the others are computed and added.

Entries ``KIND-K`` of a store, K = 0, 1, ..., hold ``{LABEL: [...], "results": [...]}``: labels, which say what
the results are of, and the results. A later entry takes precedence over an earlier one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any, TypeVar

from statnn._archive.file import TooLongError
from statnn._archive.pace import Pace
from statnn._archive.store import Store, StoreError
from statnn._tasks import run_tasks

Spec = TypeVar("Spec")
Result = TypeVar("Result")


def stored(store: Store, kind: str, label: str) -> Iterator[tuple[Any, Any]]:
    """Yield labels and results of the store in the order in which they were written."""
    for number in _numbers(store, kind):
        part = store.get(f"{kind}-{number}")
        yield from zip(part[label], part["results"], strict=True)


@contextmanager
def storing(store: Store, kind: str, label: str, pace: Pace) -> Iterator[Callable[[Any, Any], None]]:
    """Yield a function that takes a label and a result; it writes them at the given pace, and when the context ends.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from statnn._archive.store import opened
    >>> with TemporaryDirectory() as directory, opened(f"{directory}/work", {"of": "example"}) as store:
    ...     with storing(store, "squares", "of", Pace()) as keep:
    ...         for k in (2, 3):
    ...             keep(k, k**2)
    ...     print(store.names(), *stored(store, "squares", "of"))
    ('squares-0',) (2, 4) (3, 9)
    """
    number = max(_numbers(store, kind), default=-1) + 1
    labels: list[Any] = []
    results: list[Any] = []

    def write() -> None:
        nonlocal labels, results
        part, labels, results = (labels, results), [], []
        with pace.writing():
            put(*part)

    def put(some: list[Any], of_them: list[Any]) -> None:
        nonlocal number
        try:
            store.put(f"{kind}-{number}", {label: some, "results": of_them})
        except TooLongError:
            half = len(some) // 2
            if not half:
                raise
            put(some[:half], of_them[:half])
            put(some[half:], of_them[half:])
        else:
            number += 1

    def keep(what: Any, result: Any) -> None:
        labels.append(what)
        results.append(result)
        if pace.due:
            write()

    try:
        yield keep
    finally:
        if labels:
            write()


def kept_tasks(
    store: Store | None,
    task: Callable[[Spec], Result],
    specs: Sequence[Spec],
    executor: Executor | None,
    shared: Sequence[Any] = (),
) -> Iterator[tuple[int, Result]]:
    """Yield what `run_tasks` does; entries ``tasks-K`` of the store hold ``{"indices", "results"}`` of some tasks each.

    Results depend on their specifications alone, so the order in which they were stored does not matter.

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
    for index, result in stored(store, "tasks", "indices"):
        if not 0 <= index < len(specs):
            raise StoreError(f"the store {str(store.path)!r} holds task {index} of {len(specs)}: it is damaged")
        if index not in there:
            there.add(index)
            yield index, result
    missing = [index for index in range(len(specs)) if index not in there]
    with storing(store, "tasks", "indices", Pace()) as keep:
        for k, result in run_tasks(task, [specs[index] for index in missing], executor, shared):
            keep(missing[k], result)
            yield missing[k], result


def _numbers(store: Store, kind: str) -> list[int]:
    entries = (re.fullmatch(rf"{kind}-(0|[1-9]\d{{0,17}})", name) for name in store.names())
    return sorted(int(entry[1]) for entry in entries if entry)
