"""A run: what chains recorded, what follows from it, and how to go on."""

import copy
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from statnn._arguments import whole
from statnn._arrays import read_only
from statnn._by_value import ByValue
from statnn._memory import refuse_beyond_memory
from statnn._random import Root
from statnn._tasks import check_executor
from statnn.montecarlo._engine import Block, Report, Schedule, repeatable, run_blocks
from statnn.montecarlo._estimate import Estimate, estimate
from statnn.montecarlo._method import Method, Model, Values, Walkers
from statnn.montecarlo._record import Observable, record, side_by_side


@dataclass(frozen=True, eq=False, repr=False)
class Run(ByValue):
    """Chains of one model, as `sample` returns them.

    Parameters
    ----------
    model : BinaryNeurons or DynamicNeurons
    method : Method
        The method that was used, options and all; pass it to `sample` to get the same chains again.
    seed : tuple
        Entropy and spawn key; chain k walks on streams below ``(*spawn_key, k)``.
    chains : tuple of int
        Numbers of the chains, in the order of all arrays.
    burn_in, thin : int
        Sweeps thrown away, and from one draw to the next.
    watched : dict
        Observables by name; None marks those that the method computes itself.
    draws : dict of ndarray
        What was recorded, shape (chains, draws, ...) each, read-only.
    """

    model: Model
    method: Method[Any]
    seed: Root
    chains: tuple[int, ...]
    burn_in: int
    thin: int
    watched: dict[str, Observable | None] = field(repr=False)
    draws: dict[str, Values] = field(repr=False)
    _walkers: tuple[Walkers, ...] = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        for values in self.draws.values():
            read_only(values)

    @property
    def states(self) -> Values:
        """Final states, shape (chains, dimension)."""
        with repeatable(self.model):
            return np.concatenate([walkers.states() for walkers in self._walkers])

    @property
    def diagnostics(self) -> dict[str, Values]:
        """What the method says of its own work, shape (chains, ...) each: "acceptance" and more."""
        found = [walkers.diagnostics() for walkers in self._walkers]
        return {name: np.concatenate([one[name] for one in found]) for name in found[0]}

    @property
    def acceptance(self) -> Values:
        """Accepted (Metropolis, HMC) or changed (heat bath) share of the updates after the burn-in, shape (chains,)."""
        return self.diagnostics["acceptance"]

    def estimate(self, name: str) -> Estimate:
        """Return mean, standard error, autocorrelation time, effective samples and R-hat of an observable.

        Warns
        -----
        UntrustedEstimate
            If the run is too short to trust; the estimate carries the same warning.

        Examples
        --------
        >>> from statnn.interaction import BinaryNeurons
        >>> from statnn.montecarlo import sample
        >>> run = sample(BinaryNeurons([[0, 1], [1, 0]]), 1000, rng=1)
        >>> run.estimate("energy").warning is None
        True
        """
        return estimate(self._recorded(name), name)

    def extend(
        self,
        sweeps: int,
        *,
        executor: Executor | None = None,
        progress: Report | bool | None = None,
    ) -> "Run":
        """Return the run that goes on for `sweeps` more, equal to one that was asked for them all at once.

        Parameters
        ----------
        sweeps : int
            A multiple of `thin`.
        executor, progress
            As in `sample`.
        """
        length = whole(sweeps, "sweeps", minimum=1)
        if length % self.thin:
            raise ValueError(f"sweeps = {length} is no multiple of the run's thin = {self.thin}")
        check_executor(executor)
        blocks, first, draws = [], 0, length // self.thin
        for walkers in self.walkers():
            numbers = self.chains[first : first + len(walkers.states())]
            first += len(numbers)
            plan = Schedule(0, draws, self.thin)
            blocks.append(
                Block(self.model, self.method, self.seed, numbers, None, walkers, plan, partial(record, self.watched))
            )
        refuse_beyond_memory(
            2 * sum(d.nbytes + d.nbytes // d.shape[1] * draws for d in self.draws.values()),
            "the records of the longer run",
            "record less, or thin more",
        )
        walkers_after, records = run_blocks(blocks, executor, progress)
        after = side_by_side(records)
        joined = {name: np.concatenate([self.draws[name], after[name]], axis=1) for name in after}
        return replace(self, draws=joined, _walkers=walkers_after)

    def walkers(self) -> tuple[Walkers, ...]:
        """Return copies of the working states, one for each block of chains."""
        return copy.deepcopy(self._walkers)

    def plot(self, ax: Any | None = None, *, name: str | None = None) -> Any:
        """Draw the trace of an observable in every chain, and its autocorrelation where there are two axes.

        Parameters
        ----------
        ax : matplotlib axes, or a pair of them, optional
            Where the trace goes, and the autocorrelation; a new figure with both when None.
        name : str, optional
            A recorded observable with one entry; the first when None.

        Returns
        -------
        The axes.
        """
        from statnn.montecarlo._plot import draw

        if isinstance(ax, str):
            raise TypeError(f"ax = {ax!r} is a name, not axes: write plot(name={ax!r})")
        chosen = next(iter(self.draws)) if name is None else name
        return draw(chosen, self._recorded(chosen), ax)

    def _recorded(self, name: str) -> Values:
        if name not in self.draws:
            known = ", ".join(self.draws)
            raise ValueError(f"{name!r} was not recorded; there are {known}: see observables= of sample")
        return self.draws[name]
