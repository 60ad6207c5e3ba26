"""Records of the chains of `sample`: observables of the method, and functions of the states."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from statnn._archive.names import is_own
from statnn._arguments import array_of, refuse_rounded
from statnn._arrays import read_only
from statnn._memory import refuse_beyond_memory
from statnn.montecarlo._engine import Block
from statnn.montecarlo._method import Values, Walkers

Observable: TypeAlias = Callable[[Values], Any]
Records: TypeAlias = dict[str, Values]


def record(observables: Mapping[str, Observable | None], draws: Iterator[Walkers], block: Block[Records]) -> Records:
    """Return the observables of all draws of a block, each of shape (chains, draws, ...)."""
    recorder = Recorder(observables, block.schedule.draws)
    for walkers in draws:
        recorder.write(walkers)
    return recorder.records


@dataclass(frozen=True)
class Missing:
    """Stands for a user's own observable, of which a file holds only the name."""

    name: str

    def __call__(self, states: Values) -> Values:
        """Raise: the function is not available."""
        del states
        raise ValueError(
            f"observable {self.name!r} is a function of your own, of which the file holds the name: "
            f"Run.load(path, own={{{self.name!r}: function}})"
        )


class Recorder:
    """Records observables, draw after draw, in arrays allocated for all draws."""

    def __init__(self, observables: Mapping[str, Observable | None], draws: int) -> None:
        self._observables, self._draws = observables, draws
        self._records: Records = {}
        self.count = 0

    @property
    def records(self) -> Records:
        """The records so far, each of shape (chains, draws so far, ...)."""
        return self.since(0)

    def since(self, first: int) -> Records:
        """Return the records from draw `first` on."""
        return {name: values[:, first : self.count] for name, values in self._records.items()}

    def take(self, records: Records) -> None:
        """Append draws recorded before."""
        for name, values in records.items():
            self._room(name, values[:, 0])[:, self.count : self.count + values.shape[1]] = values
        self.count += next(iter(records.values())).shape[1]

    def write(self, walkers: Walkers) -> None:
        """Append a draw."""
        for name, values in _observe(self._observables, walkers):
            self._room(name, values)[:, self.count] = values
        self.count += 1

    def _room(self, name: str, values: Values) -> Values:
        if name not in self._records:
            self._records[name] = np.empty((values.shape[0], self._draws, *values.shape[1:]), values.dtype)
        room = self._records[name]
        if values.shape != room[:, 0].shape or not np.can_cast(values.dtype, room.dtype):  # numpy would stretch or cast
            raise ValueError(
                f"observable {name!r} returned shape {values.shape} and type {values.dtype} after {room[:, 0].shape} "
                f"and {room.dtype}: it must return the same for every draw"
            )
        return room


def refuse_large(
    observables: Mapping[str, Observable | None], chains: int, walkers: Walkers, block: Block[Records]
) -> None:
    """Raise before the burn-in if the records of all chains will not fit into memory, or an observable fails."""
    draws = block.schedule.draws
    # observables of the package's methods are one number per chain; evaluating them now would plan energies before
    # updates, at a higher peak of memory
    ours = is_own(type(block.method))
    asked = {name: function for name, function in observables.items() if function is not None or not ours}
    if any(asked.values()) and (spins := walkers.states()).dtype.kind != "f":
        what = f"the spins of {len(spins)} chains as floats, for your own observables,"
        refuse_beyond_memory(8.0 * spins.size, what, "take fewer chains", of=(len(spins), "chains"))
    known = np.empty(len(block.chains))
    for name, values in (*((name, known) for name in observables if name not in asked), *_observe(asked, walkers)):
        refuse_beyond_memory(
            float(values.nbytes) * draws * chains / len(block.chains),
            f"the records of {name!r} with {draws} draws of {values.nbytes} bytes",
            "take fewer chains, or fewer draws by thin=",
            of=(draws, "draws"),
        )


def _observe(observables: Mapping[str, Observable | None], walkers: Walkers) -> Iterator[tuple[str, Values]]:
    states = None
    for name, function in observables.items():
        if function is None:
            yield name, walkers.observe(name)
            continue
        if states is None:
            states = _as_floats(walkers.states())
        yield name, _observed(name, function, states)


def _as_floats(states: Values) -> Values:
    """Return states for a user's own functions, read-only, spins as floats: products of bytes wrap around."""
    of_spins = states.dtype.kind != "f"
    return read_only(states.astype(np.float64) if of_spins else states.view())  # the walkers' own array stays writable


def side_by_side(records: Sequence[Records]) -> Records:
    """Return the records of all blocks as those of all chains."""
    return {name: np.concatenate([record[name] for record in records]) for name in records[0]}


def _observed(name: str, function: Observable, states: Values) -> Values:
    values = array_of(function(states), f"the result of observable {name!r}")
    if values.ndim == 0 or values.shape[0] != len(states) or values.dtype.kind not in "biuf":
        raise ValueError(
            f"observable {name!r} returned shape {values.shape} and type {values.dtype} for states of shape "
            f"{states.shape}; it must return real numbers, one entry (or row) for each of the {len(states)} chains"
        )
    if values.dtype.kind == "f":
        return values
    floats = values.astype(np.float64)
    refuse_rounded(values, floats, f"the result of observable {name!r}")
    return floats
