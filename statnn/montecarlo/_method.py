"""The interface of a sampling method: options that, given a model, make chains that walk."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from statnn._archive.names import is_own
from statnn._random import Root
from statnn.interaction import BinaryNeurons, DynamicNeurons
from statnn.montecarlo._lanes import realigned

Model: TypeAlias = BinaryNeurons | DynamicNeurons
Values: TypeAlias = NDArray[Any]
M = TypeVar("M", bound=Model)


class Walkers(ABC):
    """A block of chains at work; all arrays have the chains on their first axis.

    It can be pickled between any two sweeps, and goes on from there as if it had never stopped: its attributes hold the
    generators and everything else that a chain needs. A store holds the result of `kept`, which `restore` puts back.

    Attributes
    ----------
    changing : tuple of str or None
        Names of the attributes that change while chains walk; all others follow from model and method. None: every
        attribute but models and methods.

    See Also
    --------
    Method : makes walkers for `sample`; you need them only for a method of your own.
    """

    changing: ClassVar[tuple[str, ...] | None] = None

    @abstractmethod
    def burn_in(self, sweeps: int) -> None:
        """Move by `sweeps` discarded sweeps, and tune whatever can be tuned; called once, first."""

    def burn_in_part(self, begin: int, end: int, sweeps: int) -> None:
        """Move from sweep `begin` to sweep `end` of a burn-in of `sweeps`; by default the last part does it all.

        The result does not depend on how the burn-in is cut into parts. A burn-in that can be cut is not lost when a
        run with a store is killed.
        """
        del begin
        if end == sweeps:
            self.burn_in(sweeps)

    @abstractmethod
    def sweep(self, sweeps: int) -> None:
        """Move by `sweeps` sweeps without tuning; two moves in a row equal one move by their sum."""

    def kept(self) -> dict[str, Any]:
        """Return the state that new chains of the same model, method, seed and numbers lack.

        It consists of arrays, numbers, texts, numpy generators, and tuples, lists and mappings of these; by default it
        is the attributes named in `changing`.
        """
        if self.changing is not None:
            return {name: getattr(self, name) for name in self.changing}
        given = (BinaryNeurons, DynamicNeurons, Method)
        return {name: value for name, value in vars(self).items() if not isinstance(value, given)}

    def restore(self, kept: dict[str, Any]) -> None:
        """Put back the result of `kept`; called on walkers that the method has just made.

        Raises
        ------
        ValueError
            If an entry has an unknown name or, in walkers of this package, a type or shape other than at the start:
            their kernels do not check array bounds.
        """
        if self.changing is not None and set(kept) != set(self.changing):
            raise ValueError(f"walkers keep {', '.join(self.changing)}, not {', '.join(kept)}")
        for name, value in kept.items():
            if is_own(type(self)):
                _refuse_unlike(value, getattr(self, name, None), name)
            setattr(self, name, realigned(value) if isinstance(value, np.ndarray) else value)

    @abstractmethod
    def observe(self, name: str) -> Values:
        """Return one of the `Method.observables`, shape (chains, ...)."""

    @abstractmethod
    def states(self) -> Values:
        """Return the states, shape (chains, dimension), as `energy` takes them; later sweeps leave the array alone."""

    @abstractmethod
    def diagnostics(self) -> dict[str, Values]:
        """Return the diagnostics by name, each of shape (chains, ...): at least "acceptance"."""


def _refuse_unlike(value: Any, fresh: Any, name: str) -> None:
    """Raise if a kept value differs in type or shape from that of fresh walkers."""
    if isinstance(fresh, np.ndarray):
        if not isinstance(value, np.ndarray) or (value.dtype, value.shape) != (fresh.dtype, fresh.shape):
            there = f"{value.dtype} of shape {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
            raise ValueError(f"{name} of these walkers is {fresh.dtype} of shape {fresh.shape}, not {there}")
    elif fresh is not None and value is not None and type(value) is not type(fresh):
        raise ValueError(f"{name} of these walkers is a {type(fresh).__name__}, not a {type(value).__name__}")
    elif isinstance(fresh, list | tuple) and len(value) == len(fresh):
        for k, (item, fresh_item) in enumerate(zip(value, fresh, strict=True)):
            _refuse_unlike(item, fresh_item, f"{name}[{k}]")


class Untuned(Walkers):
    """Walkers without tuning: a burn-in moves, and then resets its counters."""

    def burn_in(self, sweeps: int) -> None:
        """Move."""
        self.burn_in_part(0, sweeps, sweeps)

    def burn_in_part(self, begin: int, end: int, sweeps: int) -> None:
        """Move by a part of the burn-in."""
        self.sweep(end - begin)
        if end == sweeps:
            self.forget()

    @abstractmethod
    def forget(self) -> None:
        """Reset the counters."""


class Method(ABC, Generic[M]):
    """Options of a sampling method for models M; concrete methods, yours too, are frozen dataclasses.

    For a method of your own, subclass this class with three attributes and two methods, and write `Walkers` that do the
    work; pass an instance to `sample`. Chain k takes its random numbers from ``stream(seed, k)``, or ``stream(seed, k,
    i)`` where it needs several generators: then no two chains share numbers, and results depend neither on blocks nor
    on workers.

    Attributes
    ----------
    name : str
        Name by which `sample` knows it.
    model_type : type
        M, `BinaryNeurons` or `DynamicNeurons`; models of another class are refused.
    observables : tuple of str
        Names that `Walkers.observe` accepts.
    pooled : bool, optional
        Whether chains of a block share random numbers or tuning, so that a chain run alone gives another result; False
        if it gives the same.

    See Also
    --------
    METHODS : methods by name.
    Walkers : the chains that a method makes.
    statnn.testing.check_method : checks one of your own.

    Notes
    -----
    `sample` calls in this order, once each: `check`, `settled`, and on the settled method `block`, `memory`, and
    `walkers` for every block. Only `memory` and `walkers` have no default.

    Examples
    --------
    Spins that are independent of each other are drawn at once:

    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> from statnn.interaction import BinaryNeurons
    >>> from statnn.montecarlo import Method, Walkers, sample, stream
    >>> class Coins(Walkers):
    ...     def __init__(self, model, streams):
    ...         self.model, self.streams = model, streams
    ...         self.sweep(1)
    ...     def sweep(self, sweeps):
    ...         up = 1 / (1 + np.exp(-2 * self.model.fields / self.model.temperature))
    ...         for _ in range(sweeps):
    ...             drawn = np.array([stream.random(up.size) for stream in self.streams])
    ...             self.spins = np.where(drawn < up, 1, -1)
    ...     burn_in = sweep
    ...     def observe(self, name):
    ...         return self.model.energy(self.spins)
    ...     def states(self):
    ...         return self.spins
    ...     def diagnostics(self):
    ...         return {"acceptance": np.ones(len(self.spins))}
    >>> @dataclass(frozen=True)
    ... class Independent(Method[BinaryNeurons]):
    ...     name, model_type, observables = "independent", BinaryNeurons, ("energy",)
    ...     def check(self, model):
    ...         if model.couplings.nnz:
    ...             raise ValueError("coupled spins are not independent")
    ...     def memory(self, model, chains):
    ...         return 8 * model.size * chains
    ...     def walkers(self, model, seed, chains, initial):
    ...         return Coins(model, [stream(seed, chain) for chain in chains])
    >>> model = BinaryNeurons(np.zeros((2, 2)), fields=[0.5, 1.0], temperature=1.0)
    >>> energy = sample(model, 1000, method=Independent(), rng=1).estimate("energy")
    >>> bool(abs(energy.mean - model.exact().energy) < 4 * energy.error)
    True
    """

    name: ClassVar[str]
    model_type: ClassVar[type[Any]]
    observables: ClassVar[tuple[str, ...]]
    pooled: ClassVar[bool] = False

    def check(self, model: M) -> None:
        """Raise ValueError, with the reason, if the method cannot sample the model."""
        del model

    def settled(self, model: M, chains: int, seed: Root) -> Method[M]:
        """Return the method with all options chosen that depend on the model, the number of chains or a pilot run.

        The choice is the same for all chains of a seed: a pilot run uses streams that belong to no chain.
        """
        del model, chains, seed
        return self

    def block(self, model: M, chains: int) -> int:
        """Return the number of chains of a block, given the number of all chains.

        The methods of the package make about four blocks, whatever the number of workers, but no block smaller than the
        number of chains that their kernels move in the time of one: half-full vector registers take as long as full
        ones.
        """
        del model, chains
        return 1

    @abstractmethod
    def memory(self, model: M, chains: int) -> int:
        """Return the bytes that one block of `chains` chains needs besides the model."""

    @abstractmethod
    def walkers(self, model: M, seed: Root, chains: Sequence[int], initial: Values | None) -> Walkers:
        """Return the chains with these numbers, each on its own streams ``stream(seed, chain, ...)``.

        `initial` has shape (len(chains), dimension); None for a random start.
        """

    def restored(self, model: M, seed: Root, chains: Sequence[int], kept: dict[str, Any]) -> Walkers:
        """Return the chains with these numbers in the state that `Walkers.kept` returned."""
        walkers = self.walkers(model, seed, chains, None)
        walkers.restore(kept)
        return walkers

    def doubts(self, diagnostics: Mapping[str, Values], sweeps: int) -> list[str]:
        """Return what the diagnostics say against the draws, with remedies; `Run.estimate` warns of it.

        `sweeps` is the number of sweeps after the burn-in, of all chains together.
        """
        del diagnostics, sweeps
        return []
