"""What solvers and views need of models: they know these protocols, and the models know them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Protocol, Self

from numpy.typing import ArrayLike

from statnn._arguments import Floats, Ints
from statnn.interaction._state import Prior, Reals, State
from statnn.network import Network


class Spins(Protocol):
    """Binary neurons: `statnn.interaction.BinaryNeurons`."""

    temperature: float
    fields: Floats
    nodes: Sequence[Hashable]
    blocks: tuple[Floats, ...] | None

    @property
    def size(self) -> int:
        """Number of spins."""

    @property
    def couplings(self) -> Any:
        """J, sparse and symmetric."""

    @property
    def layers(self) -> tuple[Ints, ...]:
        """Spins by layer."""


class Neurons(Protocol):
    """Neurons that are real numbers: `statnn.interaction.DynamicNeurons`."""

    net: Network
    inputs: Reals
    targets: Reals | None
    beta: float
    stiffness: float
    free: tuple[str, ...]
    prior: Prior | None

    @property
    def samples(self) -> int:
        """Number of samples."""

    @property
    def dimension(self) -> int:
        """Number of free variables."""

    def pack(self, state: State) -> Reals:
        """Return the free arrays as one vector."""

    def unpack(self, state: ArrayLike) -> State:
        """Return the arrays by name."""

    def in_doubles(self) -> Self:
        """Return the same model in float64."""
