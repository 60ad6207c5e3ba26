"""One claim from its random stream to its record: what a worker process does.

A `Task` names a claim; only names and numbers travel between processes. The `Record` that comes back is plain
data: what `verdicts.json` stores and the report shows.
"""

import hashlib
import time
import traceback
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from pathlib import Path

import numpy as np

from statnn import plot
from validation.claim import Claim, Verdict, frozen


@dataclass(frozen=True)
class Task:
    """A claim to run: the module whose ``CLAIMS`` holds it, its id, and how."""

    registry: str
    id: str
    seed: int
    quick: bool
    out: str
    data: str | None = None

    def claim(self) -> Claim:
        """Look the claim up."""
        return import_module(self.registry).CLAIMS[self.id]

    def stream(self) -> np.random.Generator:
        """Return the claim's own random stream: it depends on the root seed and the id, on nothing else."""
        digest = hashlib.sha256(self.id.encode()).digest()
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(int.from_bytes(digest[:16]),)))


@dataclass(frozen=True)
class Record:
    """What a run of a claim left: its statement, its verdicts, or why there are none.

    Parameters
    ----------
    id, title, statement, source, standing, expected : str
        The claim, in its own words.
    verdict, twin : Verdict, optional
        The verdict, and that on the wrong theory put in its place.
    derivations : tuple of dict
        ``title, source, standing, steps``, each step ``statement, latex``; all checked in this run.
    seconds : float
    error : str
        Traceback of a claim that crashed.
    skipped : str
        Why a claim was not run.
    """

    id: str
    title: str
    statement: str
    source: str
    standing: str
    expected: str
    verdict: Verdict | None = None
    twin: Verdict | None = None
    derivations: tuple[dict, ...] = field(default=(), repr=False)
    seconds: float = 0.0
    error: str = ""
    skipped: str = ""

    @classmethod
    def of(cls, claim: Claim, **found: object) -> "Record":
        """Start the record of a claim."""
        words = (claim.id, claim.title, claim.statement, claim.source, claim.standing, str(claim.expected))
        return cls(*words, **found)

    @property
    def as_expected(self) -> bool:
        """Whether the verdict is the one stated beforehand."""
        return self.verdict is not None and self.verdict.outcome == self.expected

    @property
    def twin_rejected(self) -> bool:
        """Whether the wrong theory got another verdict than the one expected of the right one."""
        return self.twin is not None and self.twin.outcome != self.expected

    @property
    def passed(self) -> bool:
        """Whether this claim leaves nothing to look into."""
        return bool(self.skipped) or (self.as_expected and self.twin_rejected and not self.error)


def perform(task: Task) -> Record:
    """Run, judge and draw a claim and judge its twin; a crash is part of the record, not an exception."""
    claim = task.claim()
    record = Record.of(claim)
    started = time.perf_counter()
    try:
        record = replace(record, derivations=tuple(map(_derivation, claim.derivations)))
        options = {"data": task.data} if claim.needs_data else {}
        data = frozen(claim.run(task.stream(), task.quick, **options))
        record = replace(record, verdict=claim.judge(data))
        _draw(claim, data, Path(task.out) / claim.id)
        record = replace(record, twin=claim.judge(frozen(claim.twin(data))))
    except (Exception, SystemExit):  # noqa: BLE001 - one claim must not end the others
        record = replace(record, error=traceback.format_exc())
    return replace(record, seconds=time.perf_counter() - started)


def _draw(claim: Claim, data: dict[str, np.ndarray], path: Path) -> None:
    from matplotlib.figure import Figure

    with plot.style():
        figure = Figure()
        claim.draw(data, figure)
        plot.save(figure, path, **data)


@cache
def _derivation(name: str) -> dict:
    """Derive, check and print; claims of one worker share the work."""
    from theory.registry import DERIVATIONS

    derivation = DERIVATIONS[name]()
    derivation.check()
    return {
        "name": name,
        "title": derivation.title,
        "source": derivation.source,
        "standing": derivation.standing,
        "steps": [{"statement": step.statement, "latex": step.latex()} for step in derivation.steps],
    }
