"""The variables of dynamic neurons by name, and the prior of those that are parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from numpy.typing import NDArray

from statnn._arguments import positive
from statnn._by_value import by_value

Reals = NDArray[Any]


@by_value
class State(NamedTuple):
    """The variables of `DynamicNeurons` by name; leading axes (chains, draws) may stand before the shapes given.

    Parameters
    ----------
    neurons : tuple of ndarray
        neurons[m-1] = h^(m), shape (samples, n_m), m = 1 ... M.
    weights : tuple of ndarray
        weights[m] = W^(m), shape (n_{m+1}, n_m); those of the network where they are not free.
    biases : tuple of ndarray
        biases[m] = b^(m), shape (n_{m+1},); those of the network where they are not free.

    See Also
    --------
    DynamicNeurons.unpack : makes it.
    DynamicNeurons.pack : takes it back.
    """

    neurons: tuple[Reals, ...]
    weights: tuple[Reals, ...]
    biases: tuple[Reals, ...]


@dataclass(frozen=True)
class Prior:
    """Gaussian prior W_ij ~ N(0, σ_w²/n_in), b_i ~ N(0, σ_b²): the law of `Network.random`.

    Parameters
    ----------
    sigma_w, sigma_b : float
        Standard deviations > 0.

    See Also
    --------
    DynamicNeurons : takes it.
    statnn.Network.random : draws from the same law.

    Examples
    --------
    >>> from statnn import Network
    >>> from statnn.interaction import DynamicNeurons
    >>> net = Network.random([3, 4, 1], "tanh", rng=0)
    >>> DynamicNeurons(net, [[1.0, 0.0, 0.0]], free=("neurons", "weights"), prior=Prior(2.0)).dimension
    21
    """

    sigma_w: float = 1.0
    sigma_b: float = 1.0

    def __post_init__(self) -> None:
        for name in ("sigma_w", "sigma_b"):
            value = positive(getattr(self, name), name, why="it is a standard deviation; hold what is known fixed")
            if not 1e-150 <= value <= 1e150:
                raise ValueError(
                    f"{name} = {value:g} is outside [1e-150, 1e150]: its square is outside the range of float64"
                )
            object.__setattr__(self, name, value)
