"""Tuning of Hamiltonian Monte Carlo in its burn-in: a step size, and the scale of every coordinate."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from statnn.montecarlo._dynamic.hamiltonian_kernels import Array

WINDOWS = (0.15, 0.25, 0.5, 0.9)
"""Fractions of the burn-in: the scales are learnt from the first on, and set at each of the others."""
FEWEST = 20
"""Sweeps of a burn-in below which only the step size is learnt."""


class DualAveraging:
    """Step size whose acceptance averages to a target: dual averaging, Hoffman & Gelman 2014, equation 6."""

    SHRINKAGE, DELAY, FORGETTING = 0.05, 10.0, 0.75

    def __init__(self, step: float, target: float) -> None:
        self.target = target
        self.restart(step)

    def restart(self, step: float) -> None:
        """Start again from the given step and forget everything else."""
        self.centre = np.log(10 * step)
        self.count, self.excess, self.average = 0, 0.0, 0.0
        self.step = step

    def learn(self, acceptance: float) -> None:
        """Record the acceptance of the present step and adapt the step."""
        self.count += 1
        weight = 1 / (self.count + self.DELAY)
        self.excess += weight * (self.target - acceptance - self.excess)
        present = self.centre - np.sqrt(self.count) / self.SHRINKAGE * self.excess
        keep = self.count**-self.FORGETTING
        self.average += keep * (present - self.average)
        self.step = float(np.exp(present))

    @property
    def final(self) -> float:
        """The averaged step, to be kept after the burn-in."""
        return float(np.exp(self.average)) if self.count else self.step


class Variances:
    """Variances of coordinates over sweeps and over the axis of chains, by sums about a first guess of the mean."""

    def __init__(self, axis: int) -> None:
        self.axis, self.count = axis, 0

    def add(self, positions: Array) -> None:
        """Add the positions of all chains."""
        values = positions.astype(np.float64)
        if self.count == 0:
            self.centre = values.mean(axis=self.axis, keepdims=True)
            self.sums, self.squares = np.zeros((2, *self.centre.shape))
        values -= self.centre
        self.sums += values.sum(axis=self.axis, keepdims=True)
        self.squares += np.square(values).sum(axis=self.axis, keepdims=True)
        self.count += positions.shape[self.axis]

    def shrunk(self, guess: Array) -> Array:
        """Return the variances in the shape of a guess, shrunk towards it as if it had the weight of five draws."""
        squares: Array = (self.squares - self.sums**2 / self.count).reshape(guess.shape)
        shrunk: Array = (squares + 5 * guess) / (self.count + 5)
        return shrunk


def windows(sweeps: int) -> Iterator[tuple[bool, bool]]:
    """Yield for every sweep of a burn-in whether its draw counts for the scales, and whether they are set after it."""
    begin, *ends = (int(share * sweeps) for share in WINDOWS)
    for sweep in range(sweeps):
        learns = sweeps >= FEWEST and begin <= sweep < ends[-1]
        yield learns, learns and sweep + 1 in ends
