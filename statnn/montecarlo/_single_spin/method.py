"""Single-spin updates of binary neurons on any graph: heat bath and Metropolis.

The same rules come in two layouts, which differ in what shares a vector register. *Replicas*: the same spin of 32
chains; each coupling is read once for all of them. *Colours*: spins of one chain that are not coupled to each other.
Few chains are faster in colours, many as replicas; the crossover depends on the graph.

A sweep proposes a new value to every spin once, in fixed order: by number as replicas, colour by colour in colours.
Both leave p ∝ exp(-E/T) invariant, but their chains differ. Probabilities have a relative error of 1e-6 and an absolute
error of 6e-8 (float32 exponentials, 24-bit uniforms); couplings and fields are rounded to the grid of `_grid`, so that
local fields are exact sums and results do not depend on the width of vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from statnn._random import Root
from statnn.interaction import BinaryNeurons
from statnn.montecarlo._chunks import check_layout, cut
from statnn.montecarlo._grid import refuse_lost
from statnn.montecarlo._method import Method, Values, Walkers
from statnn.montecarlo._single_spin import colours as _spin_colours
from statnn.montecarlo._single_spin import replicas as _spin_replicas
from statnn.montecarlo._single_spin.colours import ColourWalkers
from statnn.montecarlo._single_spin.replicas import ReplicaWalkers

LAYOUTS = ("replicas", "colours")


@dataclass(frozen=True)
class SingleSpin(Method[BinaryNeurons]):
    """Common part of heat bath and Metropolis."""

    layout: str | None = None

    model_type = BinaryNeurons
    observables: ClassVar[tuple[str, ...]] = ("energy", "magnetisation")
    metropolis: ClassVar[bool]

    def __post_init__(self) -> None:
        check_layout(self.layout, LAYOUTS)

    def check(self, model: BinaryNeurons) -> None:
        """Raise if the model's couplings and fields span too many orders of magnitude."""
        refuse_lost(model, model.temperature)

    def settled(self, model: BinaryNeurons, chains: int, seed: Root) -> SingleSpin:
        """Return the method with the layout that is faster for this number of chains, if none was named."""
        del seed
        if self.layout is not None:
            return self
        many = _spin_replicas.cost(model, chains)
        return replace(self, layout="colours" if _spin_colours.cheaper(model, chains, many) else "replicas")

    def block(self, model: BinaryNeurons, chains: int) -> int:
        """Return 32 replicas, which cost as much as one, or 64 of more than 128; in colours a quarter of the chains."""
        del model
        return _spin_replicas.block(chains) if self.layout == "replicas" else cut(chains, 1, chains)

    def memory(self, model: BinaryNeurons, chains: int) -> int:
        """Return the bytes of spins and of couplings in kernel order."""
        if self.layout == "replicas":
            return _spin_replicas.memory(model, chains)
        return _spin_colours.memory(model, chains)

    def walkers(self, model: BinaryNeurons, seed: Root, chains: Sequence[int], initial: Values | None) -> Walkers:
        """Return the chains, each on its own streams: ``stream(seed, chain)`` and ``stream(seed, chain, 1)``."""
        kind = ReplicaWalkers if self.layout == "replicas" else ColourWalkers
        return kind(model, self.metropolis, seed, chains, initial)


@dataclass(frozen=True)
class HeatBath(SingleSpin):
    r"""Heat bath (Gibbs sampling): a spin is drawn from its law given all others, P(s_i = 1) = 1 / (1 + exp(-2 h_i/T)).

    h_i is the local field of the spin, its own field plus Σ_j J_ij s_j. Any graph, any couplings [exact].

    Parameters
    ----------
    layout : {"replicas", "colours"} or None
        Contents of a vector register: one spin of 32 chains, or spins of one chain. When None, it is chosen by the
        graph and the number of chains, and `Run.method` tells it. A chain rerun alone needs the layout it had.

    Raises
    ------
    ValueError
        If the layout is unknown.

    See Also
    --------
    Blocks : layers at once.
    Metropolis : the other rule.
    Tempering : where chains get stuck.

    Examples
    --------
    >>> import numpy as np
    >>> from statnn.interaction import BinaryNeurons
    >>> from statnn.montecarlo import sample
    >>> ring = BinaryNeurons([[0, 1, 1], [1, 0, 1], [1, 1, 0]], temperature=4.0)
    >>> run = sample(ring, 2000, chains=64, rng=1, method=HeatBath("replicas"))
    >>> energy = run.estimate("energy")
    >>> exact = -3 * (np.exp(0.75) - np.exp(-0.25)) / (np.exp(0.75) + 3 * np.exp(-0.25))
    >>> bool(abs(energy.mean - exact) < 5 * energy.error)
    True
    """

    name: ClassVar[str] = "heat bath"
    metropolis: ClassVar[bool] = False


@dataclass(frozen=True)
class Metropolis(SingleSpin):
    r"""Metropolis: a spin changes sign with probability 15/16 min(1, exp(-2 s_i h_i/T)).

    Spins mostly change more often than by the heat bath, but at high temperature nearly all spins change sign in step
    and the chain forgets slowly: prefer the heat bath there. The 1/16 of rejected changes makes the chain ergodic:
    spins are visited in order, and a ferromagnetic triangle would never leave some of its states if changes at no cost
    were certain.

    Parameters
    ----------
    layout : {"replicas", "colours"} or None
        As for `HeatBath`.

    Raises
    ------
    ValueError
        If the layout is unknown.

    See Also
    --------
    HeatBath : the other rule.
    MultiSpin : couplings ±J, 64 spins at once.

    Examples
    --------
    >>> Metropolis("colours").name
    'metropolis'
    """

    name: ClassVar[str] = "metropolis"
    metropolis: ClassVar[bool] = True
