"""What a sampling method is: parameters that, given a model, make chains that walk.

A *method* is a frozen dataclass of options. `Method.walkers` turns it into the working state of a block of chains,
which can be pickled at any sweep and goes on from there exactly as if it had never stopped.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, TypeAlias

from numpy.typing import NDArray

from statnn._random import Root
from statnn.interaction import BinaryNeurons, DynamicNeurons

Model: TypeAlias = BinaryNeurons | DynamicNeurons
Values: TypeAlias = NDArray[Any]


class Walkers(ABC):
    """A block of chains at work; all arrays have the chains on their first axis."""

    @abstractmethod
    def burn_in(self, sweeps: int) -> None:
        """Move by so many sweeps that are thrown away, and tune what can be tuned; called once, first."""

    @abstractmethod
    def sweep(self, sweeps: int) -> None:
        """Move by so many sweeps; nothing is tuned any more."""

    @abstractmethod
    def observe(self, name: str) -> Values:
        """Return an observable of the method's `Method.observables`, shape (chains, ...)."""

    @abstractmethod
    def states(self) -> Values:
        """Return the states, shape (chains, dimension), as the model's `energy` takes them."""

    @abstractmethod
    def diagnostics(self) -> dict[str, Values]:
        """Return what an observer needs besides, each of shape (chains, ...): at least "acceptance"."""


class Method(ABC):
    """Options of a sampling method; concrete methods are frozen dataclasses."""

    name: ClassVar[str]
    observables: ClassVar[tuple[str, ...]]
    """Observables that `Walkers.observe` knows."""

    def resolved(self, model: Model, chains: int) -> "Method":
        """Return the method with every option that depends on model and number of chains settled."""
        del model, chains
        return self

    def tuned(self, model: Model, seed: Root) -> "Method":
        """Return the method with what only a short run of its own can settle; the same for all chains of a seed."""
        del model, seed
        return self

    @abstractmethod
    def check(self, model: Model) -> None:
        """Raise TypeError or ValueError, with the reason, if the method cannot sample the model."""

    @abstractmethod
    def block(self, model: Model, chains: int) -> int:
        """Return how many chains walk together, whatever the number of workers, if there are so many in all."""

    @abstractmethod
    def memory(self, model: Model, chains: int) -> int:
        """Return the bytes that one block of so many chains needs besides the model."""

    @abstractmethod
    def walkers(self, model: Model, seed: Root, chains: Sequence[int], initial: Values | None) -> Walkers:
        """Return the chains of these numbers, each on its own streams ``stream(seed, chain, ...)``.

        `initial` has shape (len(chains), dimension); None for a random start.
        """
