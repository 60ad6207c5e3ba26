"""What chains of `sample` write down: observables of the method, and functions of the states."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from statnn._arguments import array_of
from statnn._arrays import read_only
from statnn._memory import refuse_beyond_memory
from statnn.montecarlo._engine import Block
from statnn.montecarlo._method import Values, Walkers

Observable: TypeAlias = Callable[[Values], Any]
Records: TypeAlias = dict[str, Values]


def record(observables: Mapping[str, Observable | None], draws: Iterator[Walkers], block: Block[Records]) -> Records:
    """Return the observables of all draws of a block, each of shape (chains, draws, ...)."""
    count = block.schedule.draws
    records: Records = {}
    for draw, walkers in enumerate(draws):
        states = None
        for name, function in observables.items():
            if function is None:
                values = walkers.observe(name)
            else:
                if states is None:
                    states = read_only(walkers.states())  # functions share them
                values = _observed(name, function, states)
            if name not in records:
                refuse_beyond_memory(
                    float(values.nbytes) * count,
                    f"the records of {name!r} with {count} draws of {values.nbytes} bytes",
                    "take fewer chains, or fewer draws by thin=",
                )
                records[name] = np.empty((values.shape[0], count, *values.shape[1:]), values.dtype)
            records[name][:, draw] = values
    return records


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
    return values.astype(np.float64) if values.dtype.kind != "f" else values
