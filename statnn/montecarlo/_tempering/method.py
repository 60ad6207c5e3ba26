r"""Parallel tempering: replicas swap their temperatures, so that none stays trapped in a valley for ever.

Replicas at β_i and β_j swap temperatures with probability min(1, exp((β_i - β_j)(E_i - E_j))) (Geyer 1991; Hukushima &
Nemoto 1996), which leaves the product of their Boltzmann distributions invariant. A replica that travels to the hot end
and back returns with a fresh state: this is one round trip.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from statnn._arguments import Floats, at_least, positive
from statnn._random import Root, stream
from statnn._xoshiro import words
from statnn.interaction import BinaryNeurons
from statnn.montecarlo._chunks import cut
from statnn.montecarlo._couplings import graph, once
from statnn.montecarlo._grid import nearest, on_grid, refuse_lost
from statnn.montecarlo._lanes import aligned, realigned
from statnn.montecarlo._method import Method, Untuned, Values, Walkers
from statnn.montecarlo._single_spin import replica_kernels as replicas
from statnn.montecarlo._single_spin.replicas import in_groups
from statnn.montecarlo._tempering.ladder import pilot
from statnn.montecarlo._tempering.swap_kernels import swap

LANES = replicas.LANES
ACCEPTANCE = 0.3
_PILOT = 2**31
_PILOT_SWEEPS = 100
_PILOT_CHAINS = 2


@dataclass(frozen=True)
class Tempering(Method[BinaryNeurons]):
    r"""Heat bath at several temperatures, with swaps between neighbours after every sweep.

    A chain is a system of its own, with one replica at every temperature. A sweep updates every spin of every replica
    once and then proposes a swap to every second pair of neighbours, even and odd pairs in turn. Observables and states
    are those at the temperature of the model.

    [exact] The product of the Boltzmann distributions is stationary; [asymptotic] swaps are accepted at the requested
    rate where energies are nearly Gaussian, in models of many spins.

    Observables are "energy", "magnetisation" (mean spin) and "energies" (chains, K), those at all
    temperatures; diagnostics "acceptance" (share of spins that changed, over all temperatures), "swap_rate" (chains,
    K - 1) of neighbours, 0 where no swap was proposed yet, "round_trips" (chains,) of all replicas of a chain, and
    "temperatures" (chains, K).

    Parameters
    ----------
    temperatures : sequence of float, optional
        K >= 2 increasing temperatures, among them that of the model. When None, the model's is the lowest; at the
        highest max_i Σ_j tanh(|J_ij|/T) <= 1/2, but it is at least twice the lowest; those between are chosen by the
        overlap of energies in a short run that depends only on model and seed. `Run.method` shows them.
    acceptance : float, optional
        Share of swaps to be accepted, between 0 and 1, where temperatures are chosen; 0.3 when None.

    Raises
    ------
    TypeError, ValueError
        If there are fewer than two temperatures, or they are not increasing or not above zero; if acceptance is not
        between 0 and 1, or is given together with temperatures.

    See Also
    --------
    HeatBath : at one temperature.
    Wolff : ferromagnets without fields.

    References
    ----------
    Geyer 1991; Hukushima & Nemoto 1996; Kofke 2004, of the rate of swaps.

    Examples
    --------
    >>> from statnn.interaction import BinaryNeurons
    >>> from statnn.montecarlo import sample
    >>> pair = BinaryNeurons([[0, 1], [1, 0]], temperature=0.5)
    >>> run = sample(pair, 2000, method=Tempering((0.5, 1.0, 2.0)), rng=1)
    >>> energy = run.estimate("energy")
    >>> bool(abs(energy.mean - pair.exact().energy) < 5 * energy.error), run.diagnostics["swap_rate"].shape
    (True, (4, 2))
    """

    temperatures: tuple[float, ...] | None = None
    acceptance: float | None = None

    name: ClassVar[str] = "tempering"
    model_type = BinaryNeurons
    observables: ClassVar[tuple[str, ...]] = ("energy", "magnetisation", "energies")

    def __post_init__(self) -> None:
        if self.temperatures is not None:
            object.__setattr__(self, "temperatures", _temperatures(self.temperatures))
        if self.acceptance is None:
            return
        if self.temperatures is not None:
            raise ValueError("acceptance chooses the temperatures, which are given: leave one of them out")
        share = positive(self.acceptance, "acceptance", why="it is the share of swaps that are accepted")
        if share >= 1:
            raise ValueError(f"acceptance = {share:g} must be below 1: replicas at equal temperatures gain nothing")
        object.__setattr__(self, "acceptance", share)

    def check(self, model: BinaryNeurons) -> None:
        """Raise unless the temperature of the model is one of those given."""
        if self.temperatures is not None and model.temperature not in self.temperatures:
            raise ValueError(
                f"temperatures = {self.temperatures} do not contain that of the model, {model.temperature}: add it, as "
                "it is the one whose observables are recorded"
            )
        refuse_lost(model, min(self.temperatures or (model.temperature,)))

    def settled(self, model: BinaryNeurons, chains: int, seed: Root) -> Tempering:
        """Return the method with its temperatures chosen by a short run, if none were given."""
        del chains
        if self.temperatures is not None:
            return self
        entropy, key = seed
        below: Root = (entropy, (*key, 0, _PILOT))

        def energies(temperatures: tuple[float, ...]) -> Floats:
            walkers = Tempering(temperatures).walkers(model, below, range(_PILOT_CHAINS), None)
            walkers.burn_in(_PILOT_SWEEPS)
            draws = []
            for _ in range(_PILOT_SWEEPS):
                walkers.sweep(1)
                draws.append(walkers.observe("energies"))
            return np.concatenate(draws)

        share = ACCEPTANCE if self.acceptance is None else self.acceptance
        return replace(self, temperatures=pilot(model, energies, share), acceptance=None)

    def block(self, model: BinaryNeurons, chains: int) -> int:
        """Return a quarter of the chains, but enough to fill the lanes of the kernel once, and at most twice."""
        del model
        return cut(chains, max(1, LANES // self._count), max(1, 2 * LANES // self._count))

    def memory(self, model: BinaryNeurons, chains: int) -> int:
        """Return the bytes of spins at all temperatures, and of couplings as the kernel takes them."""
        groups = -(-chains * self._count // LANES)
        return int(LANES * groups * model.size + 8 * model.couplings.nnz)

    def walkers(self, model: BinaryNeurons, seed: Root, chains: Sequence[int], initial: Values | None) -> Walkers:
        """Return the walkers, with all replicas of their chains."""
        assert self.temperatures is not None  # noqa: S101 - of a settled method
        return _Ladders(model, self.temperatures, seed, chains, initial)

    @property
    def _count(self) -> int:
        return 1 if self.temperatures is None else len(self.temperatures)


@once
def _rounded(model: BinaryNeurons, lowest: float) -> tuple[Values, Values]:
    """Return couplings, shape (nnz,), and fields, shape (N,), on the grid that the lowest temperature needs."""
    couplings = model.couplings
    bound = float((abs(couplings).sum(axis=1) + np.abs(model.fields)).max())
    dtype, spacing = on_grid(bound, int(np.diff(couplings.indptr).max()) + 1, lowest)
    return nearest(couplings.data, spacing).astype(dtype), nearest(model.fields, spacing).astype(dtype)


class _Ladders(Untuned):
    """Lane c K + k is replica k of chain c; temperatures change hands, states stay where they are."""

    changing: ClassVar[tuple[str, ...]] = (
        "_spins", "_random", "_scale", "_holders", "_swaps", "_changed", "_energy", "_first", "_proposed", "_accepted",
        "_ends", "_trips", "_sweeps",
    )  # fmt: skip

    def __init__(
        self,
        model: BinaryNeurons,
        temperatures: tuple[float, ...],
        seed: Root,
        chains: Sequence[int],
        initial: Values | None,
    ) -> None:
        count, used = len(temperatures), len(temperatures) * len(chains)
        groups = -(-used // LANES)
        self._model = model
        self._temperatures = np.array(temperatures)
        self._betas = 1 / self._temperatures
        self._own = temperatures.index(model.temperature)
        self._spins = aligned((groups, model.size, LANES), np.int8)
        self._spins[:] = 1
        self._random = aligned((groups, 4, LANES), np.uint32)
        self._random[:] = np.arange(1, LANES + 1, dtype=np.uint32)  # for spare lanes
        for c, chain in enumerate(chains):
            for k in range(count):
                group, lane = divmod(c * count + k, LANES)
                generator = stream(seed, chain, k)
                self._random[group, :, lane] = generator.integers(1, 2**32, size=4, dtype=np.uint32)
                start = 2 * generator.integers(0, 2, model.size, np.int8) - 1 if initial is None else initial[c]
                self._spins[group, :, lane] = start
        self._scale = aligned((groups, LANES), _rounded(model, temperatures[0])[0].dtype)
        self._scale[:] = self._betas[-1]
        self._scale.reshape(-1)[:used] = np.tile(self._betas, len(chains))
        self._holders = np.tile(np.arange(count), (len(chains), 1))
        self._swaps = np.array([words(stream(seed, chain)) for chain in chains])
        self._changed = np.zeros((groups, LANES), dtype=np.int64)
        self._energy = np.zeros((groups, LANES))
        self._first = 0
        self.forget()
        self._measure()

    def sweep(self, sweeps: int) -> None:
        """Update all replicas and swap, `sweeps` times."""
        indptr, indices, _ = graph(self._model)
        couplings, fields = _rounded(self._model, float(self._temperatures[0]))
        for _ in range(sweeps):
            replicas.heat_bath(
                indptr, indices, couplings, fields, self._spins, self._scale, self._random, 1, self._changed
            )
            self._measure()
            swap(
                self._first,
                self._betas,
                self._energies(),
                self._holders,
                self._swaps,
                self._proposed,
                self._accepted,
                self._ends,
                self._trips,
                self._scale.reshape(-1),
            )
            self._first = 1 - self._first
        self._sweeps += sweeps

    def observe(self, name: str) -> Values:
        """Return "energy" or "magnetisation" at the model's temperature, or "energies" at all temperatures."""
        if name == "magnetisation":
            mean: Values = self.states().mean(axis=1)
            return mean
        energies = np.take_along_axis(self._energies(), self._holders, axis=1)
        return energies if name == "energies" else energies[:, self._own]

    def states(self) -> Values:
        """Return spins at the model's temperature, int8 of shape (chains, N)."""
        chains, count = self._holders.shape
        group, lane = np.divmod(np.arange(chains) * count + self._holders[:, self._own], LANES)
        return self._spins[group, :, lane]

    def diagnostics(self) -> dict[str, Values]:
        """Return acceptance, swap rates, round trips and temperatures."""
        chains, count = self._holders.shape
        changed = self._changed.reshape(-1)[: chains * count].reshape(chains, count).sum(axis=1)
        return {
            "acceptance": changed / max(1, self._sweeps * self._model.size * count),
            "swap_rate": self._accepted / np.maximum(1, self._proposed),
            "round_trips": self._trips.copy(),
            "temperatures": np.tile(self._temperatures, (chains, 1)),
        }

    def forget(self) -> None:
        """Reset the counters."""
        chains, count = self._holders.shape
        self._changed[:] = 0
        self._proposed = np.zeros((chains, count - 1), dtype=np.int64)
        self._accepted = np.zeros((chains, count - 1), dtype=np.int64)
        self._ends = np.zeros((chains, count), dtype=np.int64)
        self._ends[np.arange(chains), self._holders[:, 0]] = 1
        self._trips = np.zeros(chains, dtype=np.int64)
        self._sweeps = 0

    def restore(self, kept: dict[str, Any]) -> None:
        """Put back the result of `kept`, of this version or an earlier one."""
        super().restore(in_groups(kept, vars(self)))

    def _measure(self) -> None:
        replicas.energies(*graph(self._model), self._model.fields, self._spins, self._energy)

    def _energies(self) -> Floats:
        """Return the energy of every replica, shape (chains, K)."""
        chains, count = self._holders.shape
        return self._energy.reshape(-1)[: chains * count].reshape(chains, count)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for name in ("_spins", "_random", "_scale"):
            setattr(self, name, realigned(state[name]))


def _temperatures(values: Any) -> tuple[float, ...]:
    array = at_least(values, "temperatures", minimum=0, why="they divide the energy")
    if array.ndim != 1 or array.size < 2:
        raise ValueError(f"temperatures has shape {array.shape}; a row of at least two is needed to swap")
    temperatures = tuple(array.tolist())
    if temperatures[0] == 0:
        raise ValueError("temperatures[0] = 0 must be above 0: it divides the energy")
    for low, high in pairwise(temperatures):
        if low >= high:
            raise ValueError(
                f"temperatures must increase strictly, but {high:g} follows {low:g}: pass sorted(set(...))"
            )
    return temperatures
