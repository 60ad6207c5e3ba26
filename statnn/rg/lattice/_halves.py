"""Records of a sampled flow for a block of chains: sums over the first half of its draws, and over the second.

Entries of block k in a store: ``block-k.state``, ``{"sweeps", "portions", "sums", "walkers"}``, holds the number of
sweeps done, the number of portions of draws added up, and their sums; ``block-k.done``, ``{"walkers", "sums"}``,
replaces it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from statnn._archive.pace import Pace
from statnn._archive.store import Store
from statnn._random import Root
from statnn.montecarlo import Walkers
from statnn.montecarlo._checkpoint import restored
from statnn.montecarlo._engine import Block, begun, moves
from statnn.rg.lattice._scheme import Scheme
from statnn.rg.lattice._swendsen import Moments, moments

PORTION = 2**22
"""Spins processed together."""
TOGETHER = 64
"""Most draws of a chain processed together."""


@dataclass(frozen=True)
class Halves:
    """Moves a block of chains and adds up its draws, in a store if there is one.

    Parameters
    ----------
    plan : Scheme
    coins : tuple
        Seed of the coins that decide ties.
    name : str
        Name of the block.
    store : Store or None
    """

    plan: Scheme
    coins: Root
    name: str
    store: Store | None

    def walk(self, block: Block[Any]) -> tuple[Walkers, tuple[Moments, Moments]]:
        """Move the chains on from where they stopped; return them and the sums over both halves."""
        done = self.store and self.store.get(f"{self.name}.done")
        if done:
            if block.report:
                block.report(block.schedule.sweeps)
            walkers, sums = restored(block, done["walkers"]), [Moments(*parts) for parts in done["sums"]]
        else:
            walkers, sums = self._moved(block)
            if self.store:
                self.store.put(f"{self.name}.done", {"walkers": walkers.kept(), "sums": [half.parts for half in sums]})
                self.store.discard(f"{self.name}.state")
        first, second = sums
        return walkers, (first, second)

    def _moved(self, block: Block[Any]) -> tuple[Walkers, list[Moments]]:
        chains = len(block.chains)
        keys = np.stack([self.plan.keys(self.coins, chain) for chain in block.chains], axis=1)
        state = self.store and self.store.get(f"{self.name}.state")
        walkers = restored(block, state["walkers"]) if state else begun(block)
        number, position = (state["portions"], state["sweeps"]) if state else (0, 0)
        sums = [Moments(*parts) for parts in state["sums"]] if state else []
        if block.report and position:
            block.report(position)
        states = []
        pace = Pace()
        for now, drawn in moves(walkers, block, position):
            if drawn:
                half, first, last = self._portion(block, number)
                states.append(walkers.states())
                if len(states) == last - first:
                    spins = np.stack(states, axis=1).reshape(-1, *self.plan.shapes[0])
                    draws = np.tile(np.arange(first, last), chains)
                    values = self.plan.observe(spins, np.repeat(keys, last - first, axis=1), draws)
                    more = moments(values.reshape(chains, last - first, *values.shape[1:]))
                    sums = [*sums[:half], sums[half] + more if len(sums) > half else more]
                    number, states = number + 1, []
            if self.store and pace.due and not states and now < block.schedule.sweeps:
                kept = {"sweeps": now, "portions": number, "sums": [half.parts for half in sums]}
                with pace.writing():
                    self.store.put(f"{self.name}.state", {**kept, "walkers": walkers.kept()})
        return walkers, sums

    def _portion(self, block: Block[Any], number: int) -> tuple[int, int, int]:
        """Return the half, the first draw and the end of a portion of draws."""
        together = max(1, min(TOGETHER, PORTION // (len(block.chains) * int(np.prod(self.plan.shapes[0])))))
        middle, end = block.schedule.draws // 2, block.schedule.draws
        before = -(-middle // together)
        if number < before:
            return 0, number * together, min((number + 1) * together, middle)
        first = middle + (number - before) * together
        return 1, first, min(first + together, end)
