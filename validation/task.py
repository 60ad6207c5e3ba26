"""One claim from its random stream to its record: what a worker process does.

A `Task` names a claim; only names and numbers travel between processes. The `Record` that comes back is plain
data: what `verdicts.json` stores and the report shows.
"""

import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from statnn import plot
from validation.claim import Claim, Verdict, frozen
from validation.finding import TWIN_OVER_SEEN


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
        """Return the claim's own random stream."""
        return self.claim().stream(self.seed)


@dataclass(frozen=True)
class Twin:
    """The verdict on data in which one quantity is wrong.

    Parameters
    ----------
    quantity : str
    by : float
        How wrong, in the unit of the finding.
    verdict : Verdict
    rejected : bool
        Whether the judge decides otherwise on the quantity than with the right data, and the verdict is no longer the
        one that is expected of the right theory.
    """

    quantity: str
    by: float
    verdict: Verdict
    rejected: bool


@dataclass(frozen=True)
class Record:
    """What a run of a claim left: its statement, its verdicts, or why there are none.

    Parameters
    ----------
    id, title, statement, source, standing, expected : str
        The claim, in its own words.
    verdict : Verdict, optional
    as_expected : bool
        Whether the verdict is the one stated beforehand: see `Claim.expects`.
    twins : tuple of Twin
        What became of the wrong theory of each judged quantity.
    derivations : tuple of dict
        ``title, source, standing, steps``, each step ``statement, latex``; all checked in this run.
    seconds : float
    error : str
        Traceback of a claim that crashed.
    skipped : str
        Why a claim was not run.
    caption : str
        What the figure shows.
    """

    id: str
    title: str
    statement: str
    source: str
    standing: str
    expected: str
    verdict: Verdict | None = None
    as_expected: bool = False
    twins: tuple[Twin, ...] = ()
    derivations: tuple[dict, ...] = field(default=(), repr=False)
    seconds: float = 0.0
    error: str = ""
    skipped: str = ""
    caption: str = ""

    @classmethod
    def of(cls, claim: Claim, **parts: Any) -> "Record":
        """Start the record of a claim."""
        words = (claim.id, claim.title, claim.statement, claim.source, claim.standing, claim.expectation)
        return cls(*words, **{"caption": claim.caption, **parts})

    @property
    def unseen(self) -> tuple[str, ...]:
        """Quantities that have no wrong twin, or whose twin was not told from the right theory."""
        judged = {finding.quantity for finding in self.verdict.findings} if self.verdict else set()
        rejected = {twin.quantity for twin in self.twins if twin.rejected}
        return tuple(sorted((judged | {twin.quantity for twin in self.twins}) - rejected))

    @property
    def twins_rejected(self) -> bool:
        """Whether each judged quantity has a twin and each twin was rejected because of its quantity."""
        return bool(self.twins) and not self.unseen

    @property
    def passed(self) -> bool:
        """Whether this claim leaves nothing to look into."""
        return bool(self.skipped) or (self.as_expected and self.twins_rejected and not self.error)


def perform(task: Task) -> Record:
    """Run, judge and draw a claim and judge its twins; a crash is part of the record, not an exception."""
    claim = task.claim()
    record = Record.of(claim)
    started = time.perf_counter()
    try:
        record = replace(record, derivations=tuple(map(_derivation, claim.derivations)))
        data = claim.data(task.seed, quick=task.quick, path=task.data)
        verdict = claim.judge(data)
        record = replace(record, verdict=verdict, as_expected=claim.expects(verdict))
        _draw(claim, data, Path(task.out) / claim.id)
        record = replace(record, twins=tuple(_twins(claim, data, verdict)))
    except (Exception, SystemExit):  # noqa: BLE001 - one claim must not end the others
        record = replace(record, error=traceback.format_exc())
    return replace(record, seconds=time.perf_counter() - started)


def _twins(claim: Claim, data: dict[str, np.ndarray], verdict: Verdict) -> Iterator[Twin]:
    """Make each quantity wrong by 1.5 times what its finding says it sees, and judge again."""
    for quantity, wrong in claim.twins.items():
        by = TWIN_OVER_SEEN * verdict[quantity].sees
        judged = claim.judge(frozen(wrong(data, by)))
        turned = (quantity in judged.failing) != (quantity in verdict.failing)
        yield Twin(quantity, by, judged, turned and not claim.expects(judged))


def _draw(claim: Claim, data: dict[str, np.ndarray], path: Path) -> None:
    from matplotlib.figure import Figure

    arrays: dict[str, Any] = dict(data)
    with plot.style():
        figure = Figure()
        claim.draw(data, figure)
        plot.save(figure, path, caption=claim.caption or claim.statement, **arrays)


@cache
def _derivation(name: str) -> dict:
    """Derive, check and print; claims of one worker share the work."""
    from statnn.theory.registry import DERIVATIONS

    derivation = DERIVATIONS[name]()
    derivation.check()
    return {
        "name": name,
        "title": derivation.title,
        "source": derivation.source,
        "standing": derivation.standing,
        "steps": [{"statement": step.statement, "kind": step.kind, "latex": step.latex()} for step in derivation.steps],
    }
