"""What a sampling method is: parameters that, given a model, make chains that walk."""

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

    It can be pickled between any two sweeps, and goes on from there as if it had never stopped: generators and all
    else that a chain needs are its attributes. A store holds what `kept` returns, and `restore` takes it up again.

    Attributes
    ----------
    changing : tuple of str or None
        Names of the attributes that change while chains walk, others follow from model and method; None for all but
        models and methods.

    See Also
    --------
    Method : makes them, for `sample`; only a method of your own needs to.
    """

    changing: ClassVar[tuple[str, ...] | None] = None

    @abstractmethod
    def burn_in(self, sweeps: int) -> None:
        """Move by so many sweeps that are thrown away, and tune what can be tuned; called once, first."""

    def burn_in_part(self, begin: int, end: int, sweeps: int) -> None:
        """Move from sweep `begin` to sweep `end` of a burn-in of `sweeps`; by default the last part does it all.

        What parts leave behind does not depend on how they are cut. A burn-in that can be cut is not lost when a run
        with a store is killed.
        """
        del begin
        if end == sweeps:
            self.burn_in(sweeps)

    @abstractmethod
    def sweep(self, sweeps: int) -> None:
        """Move by so many sweeps; nothing is tuned any more. Two moves in a row are one of their sum."""

    def kept(self) -> dict[str, Any]:
        """Return what tells these chains from new ones of the same model, method, seed and numbers.

        Arrays, numbers, texts, generators of numpy, and tuples, lists and mappings of them; by default the attributes
        that are named in `changing`.
        """
        if self.changing is not None:
            return {name: getattr(self, name) for name in self.changing}
        given = (BinaryNeurons, DynamicNeurons, Method)
        return {name: value for name, value in vars(self).items() if not isinstance(value, given)}

    def restore(self, kept: dict[str, Any]) -> None:
        """Take up what `kept` returned; called of walkers that the method has just made.

        Raises
        ------
        ValueError
            If something has another name, or in walkers of this package another type or shape than it begins with:
            their kernels do not look where they write.
        """
        if self.changing is not None and set(kept) != set(self.changing):
            raise ValueError(f"walkers keep {', '.join(self.changing)}, not {', '.join(kept)}")
        for name, value in kept.items():
            if is_own(type(self)):
                _refuse_unlike(value, getattr(self, name, None), name)
            setattr(self, name, realigned(value) if isinstance(value, np.ndarray) else value)

    @abstractmethod
    def observe(self, name: str) -> Values:
        """Return an observable of the method's `Method.observables`, shape (chains, ...)."""

    @abstractmethod
    def states(self) -> Values:
        """Return the states, shape (chains, dimension), as `energy` takes them; no later sweep changes any."""

    @abstractmethod
    def diagnostics(self) -> dict[str, Values]:
        """Return what an observer needs besides, each of shape (chains, ...): at least "acceptance"."""


def _refuse_unlike(value: Any, fresh: Any, name: str) -> None:
    """Raise where a value that was kept is no other value of what walkers have just begun with."""
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
    """Walkers that have nothing to tune: a burn-in moves, and forgets what it counted."""

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
        """Begin to count anew."""


class Method(ABC, Generic[M]):
    """Options of a sampling method of models M; concrete methods are frozen dataclasses, also those of your own.

    A method of your own is this class with three attributes and two functions, and `Walkers` that do the work; pass an
    object of it to `sample`. Chain k takes its random numbers from ``stream(seed, k)``, or ``stream(seed, k, i)`` where
    it needs several generators: then no two chains share numbers, and results depend neither on blocks nor on workers.

    Attributes
    ----------
    name : str
        What `sample` calls it by.
    model_type : type
        `BinaryNeurons` or `DynamicNeurons`, what M is; models of another class are refused.
    observables : tuple of str
        What `Walkers.observe` knows.
    pooled : bool, optional
        Whether chains of a block share numbers, or what they learn in the burn-in, so that a chain run alone is another
        run; False where it is the same run.

    See Also
    --------
    METHODS : methods by name.
    Walkers : what a method makes.
    statnn.testing.check_method : checks one of your own.

    Notes
    -----
    `sample` asks in this order, once each: `check`, `settled`, and of the settled method `block`, `memory`, and
    `walkers` for every block. Of these only `memory` and `walkers` have no default.

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
        """Return the method with every option settled that depends on the model, the number of chains or a short run.

        The same for all chains of a seed: a short run takes streams that belong to no chain.
        """
        del model, chains, seed
        return self

    def block(self, model: M, chains: int) -> int:
        """Return how many chains walk together, if there are so many in all.

        The methods of the package make about four blocks, whatever the number of workers, but none smaller than what
        their kernels move at the price of one chain: registers that are half full take as long as full ones.
        """
        del model, chains
        return 1

    @abstractmethod
    def memory(self, model: M, chains: int) -> int:
        """Return the bytes that one block of so many chains needs besides the model."""

    @abstractmethod
    def walkers(self, model: M, seed: Root, chains: Sequence[int], initial: Values | None) -> Walkers:
        """Return the chains of these numbers, each on its own streams ``stream(seed, chain, ...)``.

        `initial` has shape (len(chains), dimension); None for a random start.
        """

    def restored(self, model: M, seed: Root, chains: Sequence[int], kept: dict[str, Any]) -> Walkers:
        """Return the chains of these numbers as they were when `Walkers.kept` was asked."""
        walkers = self.walkers(model, seed, chains, None)
        walkers.restore(kept)
        return walkers

    def doubts(self, diagnostics: Mapping[str, Values], sweeps: int) -> list[str]:
        """Return what diagnostics of a run say against its draws, and what helps: `Run.estimate` warns of it.

        `sweeps` is how many there were after the burn-in, those of all chains together.
        """
        del diagnostics, sweeps
        return []
