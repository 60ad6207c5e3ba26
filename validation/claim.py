"""What a claim is and what a verdict on it says.

A `Claim` is one sentence of a paper or of our own, with its source, that can be run, judged and drawn:

- ``run(rng, quick)`` computes everything, simulation and theory alike, and returns named arrays;
- ``judge(data)`` turns these arrays into a `Verdict` and never looks at pictures;
- ``draw(data, figure)`` draws them and never computes;
- ``twins[quantity](data, by)`` makes the theory (or the data) of one quantity wrong by a stated deviation. The
  judge must decide otherwise on that quantity than with the right data: a check that cannot fail is no check.

The expected outcome is stated beforehand. A paper's claim that is contradicted is a finding, not a
failure.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.util import find_spec
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from statnn._arrays import read_only
from statnn._notebook import Rows, Shown
from statnn._text import measured, printed, with_error
from validation.finding import Asks, Finding, farthest

if TYPE_CHECKING:
    from matplotlib.figure import Figure


__all__ = ["ROOT_SEED", "Asks", "Claim", "Data", "Finding", "Outcome", "Verdict", "frozen", "measured"]

Data = Mapping[str, Any]

ROOT_SEED = 20241218
"""Seed of a run that names none; chosen before any run, for reproduction and not for its results."""

STANDINGS = {
    "paper": "stated by the paper",
    "exact": "follows from the model without approximation",
    "asymptotic": "leading order, with the size of what is left out",
    "own": "our construction; the paper names only the idea",
}


class Outcome(StrEnum):
    """The four things that can be said of a claim."""

    EXACT = "holds exactly"
    ASYMPTOTIC = "holds asymptotically"
    DOMAIN = "holds within a domain"
    CONTRADICTED = "contradicted"


@dataclass(frozen=True)
class Verdict(Shown):
    """What follows from the findings: one outcome, and its details in words.

    An outcome cannot contradict its findings: a claim that holds exactly or asymptotically holds in all of them, one
    that holds within a domain in at least one, and one that is contradicted fails in at least one. Findings share a
    level: each is judged at its level divided by their number.

    Parameters
    ----------
    outcome : Outcome
    findings : tuple of Finding
        Every quantity that is judged, by distinct names.
    detail : str
        The measured order, the domain or what contradicts; may be empty only where the claim holds exactly.
    """

    outcome: Outcome
    findings: tuple[Finding, ...]
    detail: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "outcome", Outcome(self.outcome))
        object.__setattr__(self, "findings", tuple(self.findings))
        names = [finding.quantity for finding in self.findings]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"a verdict needs findings of distinct quantities, got {names}")
        if self.outcome is not Outcome.EXACT and not self.detail.strip():
            raise ValueError(f"a verdict '{self.outcome}' needs a detail=: the order, the domain, what contradicts")
        failing = self.failing
        if self.outcome in {Outcome.EXACT, Outcome.ASYMPTOTIC} and failing:
            raise ValueError(f"a verdict '{self.outcome}' whose findings fail: {', '.join(failing)}")
        if self.outcome is Outcome.DOMAIN and len(failing) == len(names):
            raise ValueError(f"a verdict '{self.outcome}' of which no finding holds: {', '.join(failing)}")
        if self.outcome is Outcome.CONTRADICTED and not failing:
            raise ValueError(f"a verdict '{self.outcome}' although all findings hold: {', '.join(names)}")

    @classmethod
    def judged(cls, findings: Iterable[Finding], outcome: Outcome, detail: str, *, otherwise: str) -> "Verdict":
        """Return `outcome` if all findings hold; else contradicted, in the words `otherwise` and the failing names."""
        made = tuple(findings)
        failing = [finding.quantity for finding in made if not finding.holds(len(made))]
        if failing:
            return cls(Outcome.CONTRADICTED, made, f"{otherwise} ({'; '.join(failing)}): {detail}")
        return cls(outcome, made, detail)

    def _table(self) -> Rows:
        rows = [
            (
                finding.quantity,
                with_error(finding.estimate, finding.error),
                finding.theory,
                finding.z,
                None if finding.p is None else printed(finding.p, 2),
                finding.holds(len(self.findings)),
            )
            for finding in self.findings
        ]
        return Rows(("quantity", "estimate", "theory", "z", "p", "holds"), rows)

    @property
    def failing(self) -> tuple[str, ...]:
        """Names of the quantities that are not as claimed."""
        return tuple(finding.quantity for finding in self.findings if not finding.holds(len(self.findings)))

    @property
    def decisive(self) -> Finding:
        """The finding that decides."""
        return farthest(self.findings)

    def __getitem__(self, quantity: str) -> Finding:
        by_quantity = {finding.quantity: finding for finding in self.findings}
        if quantity not in by_quantity:
            raise KeyError(f"{quantity!r} is not among the quantities that are judged: {', '.join(by_quantity)}")
        return by_quantity[quantity]

    def __str__(self) -> str:
        others = len(self.findings) - 1
        return f"{self.decisive}" + (f" (decides among {others + 1} quantities)" if others else "")


@dataclass(frozen=True)
class Claim:
    """One sentence that can be run, judged and drawn.

    The callables are functions of a module, so that a worker process finds them again by the claim's id.
    After `run`, every value is a read-only numpy array (a scalar has shape ``()``), as in the npz beside the
    figure.

    Parameters
    ----------
    id : str
        Kebab-case; names the files of the report and the claim's random stream.
    title, statement, source : str
        A heading, one sentence, and where it is stated.
    standing : str
        A key of `STANDINGS`.
    expected : Outcome
        The outcome stated beforehand.
    run : callable
        ``run(rng, quick)``, or ``run(rng, quick, data=path)`` if `needs_data`; returns all that `judge` and
        `draw` need.
    judge, draw : callable
        ``judge(data) -> Verdict``, ``draw(data, figure) -> None``.
    twins : dict
        For each judged quantity ``twin(data, by) -> data``, in which that quantity is wrong by `by`, in the
        unit that its finding states. The runner asks for 1.5 times what the finding says it sees.
    derivations : tuple of str
        Names in ``statnn.theory.registry.DERIVATIONS``.
    contradicted : tuple of str
        Where a contradiction is expected: the quantities that should fail; all others should hold. Empty where it is
        not known beforehand which will fail.
    needs_data : bool
        Whether the claim runs only with ``--data``.
    needs : tuple of str
        Importable packages beyond the ``validation`` extra; each is an extra of its own name.
    cost : float
        Rough seconds of a quick run; the longest start first.
    caption : str
        What the figure shows: panels, symbols, what error bars are, parameters; mathematics between dollars.
    """

    id: str
    title: str
    statement: str
    source: str
    standing: str
    expected: Outcome
    run: Callable[..., Data]
    judge: Callable[[Data], Verdict]
    draw: "Callable[[Data, Figure], None]"
    twins: Mapping[str, Callable[[Data, float], Data]] = field(default_factory=dict)
    derivations: tuple[str, ...] = ()
    contradicted: tuple[str, ...] = ()
    needs_data: bool = False
    needs: tuple[str, ...] = ()
    cost: float = 1.0
    caption: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", self.id):
            raise ValueError(f"a claim's id is kebab-case, as in 'growth-law'; got {self.id!r}")
        for name in ("title", "statement", "source"):
            if not getattr(self, name).strip():
                raise ValueError(f"claim {self.id!r} has an empty {name}")
        if self.standing not in STANDINGS:
            raise ValueError(f"claim {self.id!r} has standing {self.standing!r}; allowed: {', '.join(STANDINGS)}")
        names: Any = self.needs  # callers may pass a text in spite of the type
        if isinstance(names, str) or not all(name.isidentifier() for name in names):
            raise ValueError(f"claim {self.id!r} has needs={self.needs!r}; give importable names, as in ('torch',)")
        if not self.twins:
            raise ValueError(f"claim {self.id!r} needs twins=: for each judged quantity a function (data, by) -> data")
        object.__setattr__(self, "expected", Outcome(self.expected))
        if set(self.contradicted) - set(self.twins if self.expected is Outcome.CONTRADICTED else ()):
            raise ValueError(
                f"claim {self.id!r} names contradicted={self.contradicted}; only a claim that is expected to be "
                "contradicted names some, and they have twins"
            )
        object.__setattr__(self, "twins", MappingProxyType(dict(self.twins)))

    def stream(self, seed: int = ROOT_SEED) -> np.random.Generator:
        """Return the claim's own random stream: it depends on the root seed and the id, on nothing else."""
        digest = hashlib.sha256(self.id.encode()).digest()
        return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(int.from_bytes(digest[:16]),)))

    def data(self, seed: int = ROOT_SEED, *, quick: bool = True, path: str | None = None) -> dict[str, np.ndarray]:
        """Run the claim on its own stream and return all that is judged and drawn, as read-only arrays.

        Parameters
        ----------
        seed : int
            Root seed of the run; by default that of ``python -m validation``.
        quick : bool
            Whether to run faster, with less power.
        path : str or None
            The data file, for a claim with `needs_data`.
        """
        options = {"data": path} if self.needs_data else {}
        return frozen(self.run(self.stream(seed), quick, **options))

    @property
    def expectation(self) -> str:
        """The verdict that was stated beforehand, in words."""
        return f"{self.expected}: {'; '.join(self.contradicted)}" if self.contradicted else str(self.expected)

    def expects(self, verdict: Verdict) -> bool:
        """Return whether a verdict is the one stated beforehand, also in which quantities are contradicted."""
        as_stated = not self.contradicted or set(verdict.failing) == set(self.contradicted)
        return verdict.outcome == self.expected and as_stated

    def lacks(self, *, data: bool) -> str:
        """Return in words what is missing to run, the empty string where nothing is."""
        if self.needs_data and not data:
            return "needs --data"
        missing = [name for name in self.needs if find_spec(name) is None]
        extras = ",".join(missing)
        return f'needs {" and ".join(missing)}: pip install -e ".[{extras}]"' if missing else ""


def frozen(data: Data) -> dict[str, np.ndarray]:
    """Return the data of a run as read-only arrays; refuse what an npz cannot hold without pickles."""
    arrays = {}
    for name, value in data.items():
        array = np.array(value)
        if array.dtype.hasobject:
            raise TypeError(f"{name!r} cannot be stored without pickles; give numbers, strings or arrays of them")
        arrays[name] = read_only(array)
    return arrays
