"""Fair timing: both sides alternate in one process, and the ratio is taken pair by pair.

A ratio to a peer shifts with the processor. Beside it stands the share of a limit that is measured on this processor in
the same run: the flops of a product of matrices, the bytes of a copy, the random numbers alone.
"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from statnn._archive.provenance import surroundings, versions
from statnn._compile import kernel
from statnn._random import root
from statnn.montecarlo._lanes import lanes, scratch, uniform_lane

SQUARE = 1024
"""Matrices of this size measure the peak of sgemm."""
LANES = 64
_lane_state, _lane_sum = scratch(4, LANES), scratch(LANES)


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Parameters
    ----------
    work, ours, peer, ratio : str
        What is done, what it takes here and in the peer, and how many times longer the peer takes.
    reached, target : float, optional
        The number that has a target, and the target: at least, or at most where `most`.
    most : bool
        Whether less is better.
    limit : str
        The share of what this processor can do.
    """

    work: str
    ours: str = ""
    peer: str = ""
    ratio: str = ""
    reached: float | None = None
    target: float | None = None
    most: bool = False
    limit: str = ""

    @property
    def missed(self) -> bool:
        """Whether there is a target, and it is missed."""
        if self.reached is None or self.target is None:
            return False
        return bool(self.reached > self.target if self.most else self.reached < self.target)

    def __str__(self) -> str:
        sign = "<=" if self.most else ">="
        target = "" if self.target is None else f"{sign} {self.target:g}{' MISSED' * self.missed}"
        return f"{self.work:72} {self.ours:>20}  {self.peer:48} {self.ratio:20} {target:16} {self.limit}".rstrip()


HEADING = f"{'work':72} {'statnn':>20}  {'peer':48} {'peer/statnn':20} {'target':16} share of a limit"


@dataclass(frozen=True)
class Ratio:
    """Seconds of ours and of the peer, and the ratio peer/ours over the rounds."""

    ours: float
    peer: float
    median: float
    lowest: float
    highest: float

    def __str__(self) -> str:
        return f"{self.median:.2f} [{self.lowest:.2f}, {self.highest:.2f}]"


PACKAGES = (
    "statnn",
    "elephant",
    "numpy",
    "scipy",
    "numba",
    "dwave-samplers",
    "openjij",
    "mcising",
    "blackjax",
    "numpyro",
)


def conditions() -> dict[str, Any]:
    """Return the processor, the number of its cores, and the versions of all that is compared."""
    here = surroundings()
    python = {"python": here["versions"]["python"]}
    return {"processor": here["processor"], "cores": os.cpu_count(), "versions": python | versions(PACKAGES)}


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
    """Work that is repeated, say sweeps: its cost is the slope between two numbers of times, without the set-up."""

    run: Callable[[int], object]
    few: int
    many: int
    updates: float
    """Number of updates of spins, or of floating-point operations, in one repetition."""


def slopes(
    works: Mapping[str, Work], *, rounds: int, clock: Callable[[], float] = time.process_time
) -> dict[str, np.ndarray]:
    """Measure works in turn, after one run of each to warm up: nanoseconds per update, shape (rounds,) each."""

    def nanoseconds(work: Work) -> float:
        times = []
        for count in (work.few, work.many):
            begin = clock()
            work.run(count)
            times.append(clock() - begin)
        return (times[1] - times[0]) / ((work.many - work.few) * work.updates) * 1e9

    for work in works.values():
        work.run(work.few)
    measured = [{name: nanoseconds(work) for name, work in works.items()} for _ in range(rounds)]
    return {name: np.array([of_round[name] for of_round in measured]) for name in works}


def products() -> Work:
    """Return products of matrices in float32, counted in flops: the limit of methods that multiply."""
    square, result = np.ones((SQUARE, SQUARE), np.float32), np.empty((SQUARE, SQUARE), np.float32)

    def run(times: int) -> None:
        for _ in range(times):
            np.matmul(square, square, out=result)

    return Work(run, 2, 8, 2 * SQUARE**3)


@kernel
def _draw(state: np.ndarray, times: int, out: np.ndarray) -> None:
    here, total = _lane_state(np.uint32), _lane_sum(np.float32)
    for r in range(LANES):
        total[r] = 0
        for word in range(4):
            here[word, r] = state[word, r]
    for _ in range(times):
        for r in range(LANES):
            total[r] += uniform_lane(here, r)
    for r in range(LANES):
        out[r] = total[r]


def draws(out: np.ndarray | None = None) -> Work:
    """Return uniform numbers side by side, one per update: the limit of methods that draw one for each.

    Their sums go into `out`, float32 of shape (LANES,).
    """
    state = lanes(root(1), [(lane,) for lane in range(LANES)], LANES)
    out = np.empty(LANES, np.float32) if out is None else out
    return Work(lambda times: _draw(state, times, out), 10**5, 10**6, LANES)
