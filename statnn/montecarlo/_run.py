"""A run: what chains recorded, what follows from it, and how to go on."""

import copy
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from statnn._random import Root
from statnn.interaction import DynamicNeurons
from statnn.montecarlo._blas import one_thread
from statnn.montecarlo._estimate import Estimate, estimate
from statnn.montecarlo._method import Method, Model, Values, Walkers

Observable: TypeAlias = Callable[[Values], Any]


def repeatable(model: Model) -> AbstractContextManager[None]:
    """Return the context in which neither results nor speed depend on the threads of BLAS.

    Sums of spins are exact on any number of threads, those of real neurons are not. Layers of spins are small products:
    threads that spin while they wait for each other cost more than they bring where cores are busy.
    """
    uses_blas = isinstance(model, DynamicNeurons) or model.blocks is not None
    return one_thread() if uses_blas else nullcontext()


@dataclass(frozen=True, eq=False)
class Run:
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
    method: Method
    seed: Root
    chains: tuple[int, ...]
    burn_in: int
    thin: int
    watched: dict[str, Observable | None] = field(repr=False)
    draws: dict[str, Values] = field(repr=False)
    _walkers: tuple[Walkers, ...] = field(repr=False)

    def __post_init__(self) -> None:
        for values in self.draws.values():
            values.flags.writeable = False

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
        progress: Callable[[int, int], None] | bool | None = None,
    ) -> "Run":
        """Return the run that goes on for `sweeps` more, equal to one that was asked for them all at once.

        Parameters
        ----------
        sweeps : int
            A multiple of `thin`.
        executor, progress
            As in `sample`.
        """
        from statnn.montecarlo._sample import extend

        return extend(self, sweeps, executor=executor, progress=progress)

    def walkers(self) -> tuple[Walkers, ...]:
        """Return copies of the working states, one for each block of chains."""
        return copy.deepcopy(self._walkers)

    def plot(self, name: str | None = None, ax: Any | None = None) -> Any:
        """Draw the trace of an observable in every chain, and its autocorrelation where there are two axes.

        Parameters
        ----------
        name : str, optional
            A recorded observable with one entry; the first when None.
        ax : matplotlib axes, or a pair of them, optional
            Where the trace goes, and the autocorrelation; a new figure with both when None.

        Returns
        -------
        The axes.
        """
        from statnn.montecarlo._plot import draw

        chosen = next(iter(self.draws)) if name is None else name
        return draw(chosen, self._recorded(chosen), ax)

    def _recorded(self, name: str) -> Values:
        if name not in self.draws:
            known = ", ".join(self.draws)
            raise ValueError(f"{name!r} was not recorded; there are {known}: see observables= of sample")
        return self.draws[name]
