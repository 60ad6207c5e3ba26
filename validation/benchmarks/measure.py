"""Fair timing: both sides alternate in one process, and the ratio is taken pair by pair."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ratio:
    """Seconds of ours and of the peer, and the ratio peer/ours over the rounds."""

    ours: float
    peer: float
    median: float
    lowest: float
    highest: float


def alternate(
    ours: Callable[[], object],
    peer: Callable[[], object],
    *,
    rounds: int,
    clock: Callable[[], float] = time.process_time,
) -> Ratio:
    """Time two functions in turn, after one call of each to warm up, and compare them round by round."""

    def seconds(function: Callable[[], object]) -> float:
        begin = clock()
        function()
        return clock() - begin

    ours()
    peer()
    pairs = np.array([(seconds(ours), seconds(peer)) for _ in range(rounds)])
    ratios = pairs[:, 1] / pairs[:, 0]
    mine, theirs = np.median(pairs, axis=0)
    return Ratio(mine, theirs, float(np.median(ratios)), ratios.min(), ratios.max())


@dataclass(frozen=True)
class Work:
    """Something done so many times over, say sweeps: its cost is the slope between two counts, without the set-up."""

    run: Callable[[int], object]
    few: int
    many: int
    updates: int
    """What is counted, in one of those times: updates of spins, or floating-point operations."""


def slopes(
    works: Mapping[str, Work], *, rounds: int, clock: Callable[[], float] = time.process_time
) -> dict[str, np.ndarray]:
    """Measure works in turn, after one run of each to warm up: nanoseconds an update, shape (rounds,) each."""

    def nanoseconds(work: Work) -> float:
        times = []
        for count in (work.few, work.many):
            begin = clock()
            work.run(count)
            times.append(clock() - begin)
        return (times[1] - times[0]) / ((work.many - work.few) * work.updates) * 1e9

    for work in works.values():
        work.run(work.few)
    found = [{name: nanoseconds(work) for name, work in works.items()} for _ in range(rounds)]
    return {name: np.array([one[name] for one in found]) for name in works}
