"""Blocks of chains that resume where they stopped: the entries of the store of a run.

Entries of block k: ``block-k.state``, ``{"sweeps", "parts", "walkers"}``, says how many sweeps are done, which entries
hold the draws so far, and what `Walkers.kept` returned; ``block-k.draws-A-B`` holds draws A to B of all observables;
``block-k.done``, ``{"walkers", "records"}``, replaces them at the end. The state is written after the draws that it
names, and both depend on the run alone: whenever a process is killed, the chains go on from the last state written as
if nothing had happened.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from statnn._archive.fingerprint import digest_of_work, fingerprint
from statnn._archive.names import is_own
from statnn._archive.pace import Pace
from statnn._archive.provenance import version
from statnn._archive.store import Store, StoreError
from statnn._archive.values import Packer
from statnn.montecarlo._engine import Block, Schedule, begun, moves
from statnn.montecarlo._method import Method, Model, Walkers
from statnn.montecarlo._record import Observable, Recorder, Records

logger = logging.getLogger("statnn")

_FEW = 4
"""A tuple of at most this many texts in a model is listed in full."""


@dataclass(frozen=True)
class Checkpoints:
    """Keep one block of chains in a store, whichever process moves it.

    Parameters
    ----------
    store : Store
    name : str
        Name of the block.
    observables : Mapping
    """

    store: Store
    name: str
    observables: Mapping[str, Observable | None]

    def walk(self, block: Block[Records]) -> tuple[Walkers, Records]:
        """Move the chains on from where they stopped, and return them with all records."""
        done = self.store.get(f"{self.name}.done")
        if done is not None:
            walkers = self._restored(block, done["walkers"], done["records"])
            if block.report:
                block.report(block.schedule.sweeps)
            return walkers, done["records"]
        state = self.store.get(f"{self.name}.state")
        recorder, parts = Recorder(self.observables, block.schedule.draws), []
        if state is None:
            position, walkers = 0, begun(block)
        else:
            position, parts = state["sweeps"], list(state["parts"])
            drawn = [self._draws(part) for part in parts]
            walkers = self._restored(block, state["walkers"], *drawn)
            logger.info("%s goes on after %d of %d sweeps", self.name, position, block.schedule.sweeps)
            for records in drawn:
                recorder.take(records)
            if block.report:
                block.report(position)
        self._move(block, walkers, recorder, position, parts)
        if recorder.count < block.schedule.draws:  # interrupted: the state has been written
            return walkers, recorder.records
        self.store.put(f"{self.name}.done", {"walkers": walkers.kept(), "records": recorder.records})
        for name in self.store.names():
            if name.startswith((f"{self.name}.state", f"{self.name}.draws-")):
                self.store.discard(name)
        return walkers, recorder.records

    def _move(
        self, block: Block[Records], walkers: Walkers, recorder: Recorder, position: int, parts: list[str]
    ) -> None:
        """Move to the end of the schedule, and store the state of the chains now and then."""
        written, pace = recorder.count, Pace()
        for now, drawn in moves(walkers, block, position):
            if drawn:
                recorder.write(walkers)
            stopped = block.stopped is not None and block.stopped()
            if now == block.schedule.sweeps or not (pace.due or stopped):
                continue
            with pace.writing():
                if recorder.count > written:
                    parts.append(f"{self.name}.draws-{written}-{recorder.count}")
                    self.store.put(parts[-1], recorder.since(written))
                    written = recorder.count
                self.store.put(f"{self.name}.state", {"sweeps": now, "parts": parts, "walkers": walkers.kept()})

    def _restored(self, block: Block[Any], kept: dict[str, Any], *drawn: Records) -> Walkers:
        """Return the walkers of a block from the store, or raise if they or their records are not of its chains."""
        chains = len(block.chains)
        others = {len(values) for records in drawn for values in records.values()} - {chains}
        try:
            if others:
                raise ValueError(f"it holds {min(others)} chains")  # noqa: TRY301 - told as the rest
            return restored(block, kept)
        except ValueError as error:
            raise StoreError(
                f"{self.store.path / self.name} is not what statnn {version()} keeps of {chains} chains ({error}): "
                "it is damaged, or from a system with other blocks of chains; end the run there, or name another folder"
            ) from error

    def _draws(self, part: str) -> Records:
        """Return the draws of an entry that the state names."""
        advice = f"delete {self.name}.state.npz beside it to have the whole block computed anew"
        try:
            records: Records | None = self.store.get(part)
        except StoreError as error:
            raise StoreError(f"{str(error).rpartition('; ')[0]}; {advice}") from None
        if records is None:
            raise StoreError(f"{self.store.path / part}.npz is missing: the store is damaged; {advice}")
        return records


def restored(block: Block[Any], kept: dict[str, Any]) -> Walkers:
    """Return the walkers of a block in the state that was kept."""
    if block.walkers is None:
        return block.method.restored(block.model, block.seed, block.chains, kept)
    block.walkers.restore(kept)
    return block.walkers


def key_of(
    verb: str, model: Any, method: Method[Any] | None, schedule: Schedule, observables: Mapping[str, Observable | None]
) -> dict[str, Any]:
    """Return everything but seed and chains that the result of a run depends on, as JSON."""
    return {
        "verb": verb,
        "model": digest_of_work(model),
        "method": described(method),
        "burn_in": schedule.burn_in,
        "thin": schedule.thin,
        "draws": schedule.draws,
        "observables": {name: function and fingerprint(function) for name, function in observables.items()},
    }


def parts_of(model: Model) -> dict[str, dict[str, Any]]:
    """Return the parts of a model: numbers as they are, of everything else the type, shape and start of a digest."""
    return {"model": {name: _in_short(part) for name, part in model._stored().items()}}  # noqa: SLF001 - as files do


def _in_short(part: Any) -> Any:
    if part is None or isinstance(part, bool | int | float | str):
        return part
    if isinstance(part, tuple) and len(part) <= _FEW and all(isinstance(entry, str) for entry in part):
        return list(part)
    shape = getattr(part, "shape", None)
    return f"{type(part).__name__}{'' if shape is None else f' of shape {shape}'} ({digest_of_work(part)[:8]})"


def longer(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """Return advice on extending the run in a store, if the two runs differ only in that more draws are asked for."""
    different = {name for name in {**there, **here} if there.get(name) != here.get(name)}
    draws = there.get("draws")
    if not different <= {"draws", "burn_in"} or not isinstance(draws, int) or draws >= here["draws"]:
        return ""
    sweeps = (here["draws"] - draws) * here["thin"]
    same = f" with burn_in={there.get('burn_in')}" if "burn_in" in different else ""
    return f", or ask for {draws * here['thin']} sweeps{same} as before and go on by run.extend({sweeps})"


def in_words(chains: tuple[int, ...]) -> Any:
    """Return the numbers of chains as JSON: only first and last where they are consecutive."""
    whole = chains == tuple(range(chains[0], chains[0] + len(chains)))
    return f"{chains[0]} to {chains[-1]}" if whole else list(chains)


def described(method: Method[Any] | None) -> Any:
    """Return a method as JSON; a user's own is identified by a fingerprint of its code."""
    known: Any = fingerprint
    return Packer().tree(method) if method is None or is_own(type(method)) else known(method)
