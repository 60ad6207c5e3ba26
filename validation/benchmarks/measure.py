"""Fair timing: both sides alternate in one process, and the ratio is taken pair by pair."""

import time
from collections.abc import Callable
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
