"""A function at every point of a grid, on any executor, with results that outlive failures and interruptions."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import nullcontext, suppress
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from math import prod
from numbers import Number
from operator import attrgetter
from types import FunctionType
from typing import Any, Literal

import numpy as np

from statnn._archive.file import digest_of, refuse_unfit
from statnn._archive.fingerprint import digest_of_work, fingerprint
from statnn._archive.kept import stored, storing
from statnn._archive.pace import Pace
from statnn._archive.store import Store, opened
from statnn._arguments import refuse_unordered, switch
from statnn._by_value import ByValue, same
from statnn._memory import refuse_beyond_memory
from statnn._random import Root, root, seed_of, stream
from statnn._tasks import callback_of, check_executor, run_tasks
from statnn._warn import warn

Point = dict[str, Any]
_LOST = "lost"
_INTERRUPTED = "KeyboardInterrupt: not begun, or not ended, when the sweep was interrupted"
_EVERY = 1.0
"""Seconds between two writes to a store, at least: few finished points may be lost, because points are costly."""


@dataclass(frozen=True, eq=False, repr=False)
class Sweep(ByValue):
    """Results of a function at every point of a grid, as `sweep` returns them.

    Parameters
    ----------
    points : tuple of dict
        Arguments by name, one mapping per point.
    results : tuple
        What the function returned, None where it failed.
    failures : dict
        The error of every point that failed, as text, by the number of the point.
    seed : tuple
        Entropy and spawn key: the generator of a point follows from it and from the point.
    """

    points: tuple[Point, ...]
    results: tuple[Any, ...] = field(repr=False)
    failures: dict[int, str]
    seed: Root

    def result(self, **point: Any) -> Any:
        """Return the result of one point, or raise ValueError if it is not in the grid or failed.

        If no point has the same types, too, numbers and texts of numpy match those of Python, and 1 matches 1.0.
        """
        for alike in (same, _alike):
            equal = [number for number, own in enumerate(self.points) if alike(own, point)]
            if equal:
                number = min(equal, key=lambda k: _unlike(self.points[k], point))
                if number in self.failures:
                    raise ValueError(
                        f"the point {point} failed: {self.failures[number]}; sweep(..., retry=True) computes it again"
                    )
                return self.results[number]
        raise ValueError(f"{point} is not a point of the grid; its first is {self.points[0]}")

    def rows(self) -> list[Point]:
        """Return one mapping per point: its arguments, and "result" or "failure"; pandas.DataFrame accepts them."""
        for taken in {"result", "failure"} & set().union(*self.points):
            raise ValueError(f"an argument is called {taken!r}, as a column of rows is: take .points and .results")
        return [
            {**point, **({"failure": self.failures[k]} if k in self.failures else {"result": value})}
            for k, (point, value) in enumerate(zip(self.points, self.results, strict=True))
        ]


def sweep(
    function: Callable[..., Any],
    grid: Mapping[str, Iterable[Any]] | Sequence[Mapping[str, Any]],
    *,
    executor: Executor | None = None,
    store: str | os.PathLike[str] | None = None,
    rng: int | np.random.Generator | None = None,
    retry: bool = False,
    progress: Callable[[int, int], None] | Literal[False] | None = None,
) -> Sweep:
    """Call a function at every point of a grid.

    Parameters
    ----------
    function : callable
        Called with the arguments of a point by name; they are copies. If it has a parameter ``rng`` that no
        `functools.partial` has bound, it receives a generator that depends on the seed and on the point alone, neither
        on the executor nor on the other points. Your own functions in a point count by their names.
    grid : mapping of sequences, or sequence of mappings
        ``{"temperature": [2.0, 2.3], "size": [16, 32]}`` is all four combinations, the last name fastest.
    executor : concurrent.futures.Executor, optional
        Where points are computed, one task each. Processes need a module-level function.
    store : str or os.PathLike, optional
        A folder that keeps the results. A later call with it does not compute finished points again; the grid may have
        grown. The store belongs to the seed and to the function: a function of a module is known by its name, and may
        be mended before a retry; any other, such as a lambda or a method, by what it does as far as that can be seen.
        Results are written as they come, but once a second at most and in at most 2 % of the time: if the process is
        killed, results since the last write are computed again.
    rng : int, numpy.random.Generator or None
        Seed; None for fresh entropy, or for the seed of the store.
    retry : bool
        Whether points that failed before, by the store, are tried again.
    progress : callable or False, optional
        Called with (points done, points).

    Returns
    -------
    Sweep
        A point is among the failures if it raised an error, if the store cannot hold its result, or if its worker died;
        the others go on. Ctrl-C returns the results so far, with the missing points among the failures. A store keeps
        failures of the first two kinds alone: the other points are computed in the next call. If all points failed,
        there is a warning.

    Raises
    ------
    TypeError, ValueError, MemoryError
        If the grid is empty, names no arguments or would not fit into memory, or the store is of another function or
        seed.
    Exception
        The error of the executor, if no point at all comes back from it.

    See Also
    --------
    statnn.montecarlo.sample : one point of a grid, with a store of its own.
    statnn.io.table : results as rows.

    Examples
    --------
    >>> swept = sweep(lambda a, b: a / b, {"a": [1, 2], "b": [4, 0]})
    >>> swept.results
    (0.25, None, 0.5, None)
    >>> swept.failures
    {1: 'ZeroDivisionError: division by zero', 3: 'ZeroDivisionError: division by zero'}
    >>> swept.result(a=2, b=4)
    0.5
    """
    if not callable(function):
        raise TypeError(f"function = {function!r} cannot be called: pass a function of the names of the grid")
    check_executor(executor)
    switch(retry, "retry")
    report = callback_of(progress)
    points, seed = _points(grid), root(rng)
    key = {"verb": "sweep", "function": _known_as(function), "seed": seed}
    context = nullcontext() if store is None else opened(store, key, adopt=("seed",) if rng is None else ())
    with context as kept:
        if kept is not None:
            seed = seed_of(kept.key["seed"])
        done = _computed(function, points, seed, executor, kept, report, retry=retry)
    results = tuple(done[k].get("result") for k in range(len(points)))
    failures = {k: done[k]["failure"] for k in range(len(points)) if "failure" in done[k]}
    if len(failures) == len(points):
        warn(f"all {len(points)} points failed, the first of them: {failures[0]}")
    return Sweep(points, results, failures, seed)


def _known_as(function: Callable[..., Any]) -> str:
    """Return the name of a function in a store if it leads to it, else a digest: of lambdas, methods, wrappers."""
    if isinstance(function, FunctionType):
        with suppress(AttributeError, KeyError):
            if attrgetter(function.__qualname__)(sys.modules[function.__module__]) is function:
                return f"{function.__module__}:{function.__qualname__}"
    return fingerprint(function)


def _takes_rng(function: Any) -> bool:
    """Return whether a function has a parameter ``rng`` that nobody has bound; compiled functions may not tell."""
    bound = isinstance(function, partial) and "rng" in function.keywords
    with suppress(ValueError):
        return not bound and "rng" in inspect.signature(function).parameters
    return False


def _plain(point: Point) -> Point:
    """Return a point with Python's numbers and texts in the place of numpy's: it is the same point."""
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in point.items()}


def _alike(own: Point, point: Point) -> bool:
    """Return whether two points hold the same numbers and texts, of whatever types."""
    return own.keys() == point.keys() and all(
        same(value, point[name])
        or (isinstance(value, kind) and isinstance(point[name], kind) and bool(value == point[name]))
        for name, value in own.items()
        for kind in (str if isinstance(value, str) else (Number, np.bool_),)
    )


def _unlike(own: Point, point: Point) -> bool:
    """Return whether equal points look different, as 0.0 and -0.0 do."""
    own = _plain(own)
    return any(repr(own[name]) != repr(value) for name, value in _plain(point).items())


def _computed(
    function: Callable[..., Any], points: tuple[Point, ...], seed: Root, executor: Executor | None,
    store: Store | None, progress: Callable[[int, int], None] | None, *, retry: bool,
) -> dict[int, dict[str, Any]]:  # fmt: skip
    """Return ``{"result": ...}`` or ``{"failure": ...}`` of every point, and store what is new."""
    plain = [_plain(point) for point in points]
    names = [f"point-{digest_of_work(point)[:32]}" for point in plain]
    known = {} if store is None else _known(store, set(names))
    done = {
        k: known[name] for k, name in enumerate(names) if name in known and not (retry and "failure" in known[name])
    }
    waiting = [k for k in range(len(points)) if k not in done]
    drawn = _takes_rng(function)
    tasks = [(function, points[k], (seed, digest_of(plain[k])[:32]) if drawn else None) for k in waiting]
    errors: list[Exception] = []
    context = nullcontext() if store is None else storing(store, "points", "names", Pace(_EVERY))
    with context as keep, suppress(KeyboardInterrupt):
        for index, given in run_tasks(_at, tasks, executor, lost=_lost):
            entry = given if keep is None else _kept(given)
            done[waiting[index]] = entry
            error = entry.pop(_LOST, None)
            if error is not None:
                errors.append(error)
            elif keep is not None:
                keep(names[waiting[index]], entry)
            if progress is not None:
                progress(len(done), len(points))
    if waiting and len(errors) == len(waiting):
        raise errors[0]
    if not done:
        raise KeyboardInterrupt
    return {k: {"failure": _INTERRUPTED} for k in waiting} | done


def _known(store: Store, names: set[str]) -> dict[str, dict[str, Any]]:
    """Return the entries of these points in a store; an old store has one entry per point, under its name."""
    entries = {name: store.get(name) for name in names & set(store.names())}
    return entries | {name: entry for name, entry in stored(store, "points", "names") if name in names}


def _lost(error: Exception) -> dict[str, Any]:
    """Return the entry of a point whose worker was lost: the point is not at fault, and no store keeps the entry."""
    return {"failure": f"{type(error).__name__}: {error}", _LOST: error}


def _kept(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the entry of a point, or a failure if no store can hold its result: results beside it must not be lost."""
    try:
        if _LOST not in entry:
            refuse_unfit(entry)
    except (TypeError, ValueError, RecursionError) as error:
        return {"failure": f"the result cannot be kept in a store: {error}"}
    return entry


def _at(task: tuple[Callable[..., Any], Point, tuple[Root, str] | None]) -> dict[str, Any]:
    function, point, drawn = task
    arguments = deepcopy(point)  # the function may change them, and other points hold the same objects
    if drawn is not None:
        seed, digits = drawn
        arguments["rng"] = stream(seed, *(int(digits[k : k + 8], 16) for k in range(0, len(digits), 8)))
    try:
        return {"result": function(**arguments)}
    except Exception as error:  # noqa: BLE001 - one point that fails must not end the others
        return {"failure": f"{type(error).__name__}: {error}"}


def _refuse_no_values(values: Any, name: str) -> None:
    """Raise unless `values` is an ordered collection of values."""
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable) or getattr(values, "ndim", 1) == 0:
        raise TypeError(f"{name} = {values!r} is one value; pass a list of them, [{values!r}]")
    refuse_unordered(values, name)


def _points(grid: Any) -> tuple[Point, ...]:
    if isinstance(grid, Mapping):
        for name, values in grid.items():
            _refuse_no_values(values, f"grid[{name!r}]")
        axes = {name: list(values) for name, values in grid.items()}
        number = prod(map(len, axes.values()))
        refuse_beyond_memory(1000.0 * number, f"a grid of {number} points", "sweep over a part of it at a time")
        points = tuple(dict(zip(axes, values, strict=True)) for values in product(*axes.values()))
    elif isinstance(grid, Sequence) and all(isinstance(point, Mapping) for point in grid):
        points = tuple(map(dict, grid))
    else:
        raise TypeError(f"grid is a {type(grid).__name__}; pass {{name: values}}, or a list of mappings, one per point")
    if not points or not all(points):
        raise ValueError("grid has no points: every name needs at least one value, every point at least one name")
    for point in points:
        if not all(isinstance(name, str) for name in point) or "rng" in point:
            raise ValueError(f"the point {point} must name arguments of the function; rng is supplied by the sweep")
        if any(value is np.ma.masked for value in point.values()):
            raise ValueError(f"the point {point} has a masked entry, which is not a value: drop it")
    seen = set()
    for point in points:
        digest = _digest(_plain(point))
        if digest in seen:
            raise ValueError(f"grid names the point {point} twice: leave one of them out")
        seen.add(digest)
    return points


def _digest(point: Point) -> str:
    """Return the digest that identifies a point, or raise if one of its values has none."""
    try:
        return digest_of_work(point)
    except TypeError:
        name, value = next(item for item in point.items() if not _is_known(item[1]))
        raise TypeError(
            f"grid has {name} = {value!r:.60}, a {type(value).__name__}: points are known by numbers, texts, "
            f"arrays and objects of this package. Give one of these, as float({name}) or a name, from which the "
            "function makes the rest"
        ) from None


def _is_known(value: Any) -> bool:
    try:
        digest_of_work(value)
    except TypeError:
        return False
    return True
