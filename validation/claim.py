"""What a claim is and what a verdict on it says.

A `Claim` is one sentence of a paper or of our own, with its source, that can be run, judged and drawn:

- ``run(rng, quick)`` computes everything, simulation and theory alike, and returns named arrays;
- ``judge(data)`` turns these arrays into a `Verdict` and never looks at pictures;
- ``draw(data, figure)`` draws them and never computes;
- ``twin(data)`` puts a wrong theory in the same data. The judge must not confirm it: a check that cannot
  fail is no check.

The outcome that is expected is stated beforehand. A paper's claim that is contradicted is a finding, not a
failure.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from validation.statistics import Comparison

Data = Mapping[str, Any]

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
class Verdict:
    """What was measured, what was predicted, and what follows.

    Parameters
    ----------
    outcome : Outcome
    estimate, error, theory : float
        The measured number, its standard error and the prediction; all finite, ``error >= 0``.
    z, p : float, optional
        Distance in standard errors and two-sided p-value, where the statistic has them.
    detail : str
        The measured order, the domain or what contradicts; may be empty only where the claim holds exactly.
    """

    outcome: Outcome
    estimate: float
    error: float
    theory: float
    z: float | None = None
    p: float | None = None
    detail: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "outcome", Outcome(self.outcome))
        for name in ("estimate", "error", "theory", "z", "p"):
            value = getattr(self, name)
            if value is None and name in ("z", "p"):
                continue
            number = float(value)
            if not math.isfinite(number):
                raise ValueError(f"{name} of a verdict must be finite, got {number}: nothing was measured")
            object.__setattr__(self, name, number)
        if self.error < 0:
            raise ValueError(f"the standard error of a verdict must be >= 0, got {self.error}")
        if self.p is not None and not 0 <= self.p <= 1:
            raise ValueError(f"p of a verdict must lie in [0, 1], got {self.p}")
        if self.outcome is not Outcome.EXACT and not self.detail.strip():
            raise ValueError(f"a verdict '{self.outcome}' needs a detail=: the order, the domain, what contradicts")

    @classmethod
    def of(cls, outcome: Outcome, comparison: "Comparison", detail: str = "") -> "Verdict":
        """Make the verdict that a `Comparison` of `validation.statistics` supports."""
        return cls(
            outcome,
            comparison.estimate,
            comparison.error,
            comparison.theory,
            z=comparison.z,
            p=comparison.p,
            detail=detail,
        )

    def __str__(self) -> str:
        statistic = "" if self.p is None else f", p = {self.p:.2g}"
        if self.z is not None:
            statistic = f", z = {self.z:+.2f}{statistic}"
        return f"{measured(self.estimate, self.error)}, theory {self.theory:.6g}{statistic}"


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
        A heading, one sentence, and where it stands.
    standing : str
        A key of `STANDINGS`.
    expected : Outcome
        The outcome stated beforehand.
    run : callable
        ``run(rng, quick)``, or ``run(rng, quick, data=path)`` if `needs_data`; returns all that `judge` and
        `draw` need.
    judge, draw, twin : callable
        ``judge(data) -> Verdict``, ``draw(data, figure) -> None``, ``twin(data) -> data``.
    derivations : tuple of str
        Names in ``theory.registry.DERIVATIONS``.
    needs_data : bool
        Whether the claim runs only with ``--data``.
    needs : tuple of str
        Importable packages beyond the ``validation`` extra; each is an extra of its own name.
    cost : float
        Rough seconds of a quick run; the longest start first.
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
    twin: Callable[[Data], Data]
    derivations: tuple[str, ...] = ()
    needs_data: bool = False
    needs: tuple[str, ...] = ()
    cost: float = 1.0

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", self.id):
            raise ValueError(f"a claim's id is kebab-case, as in 'growth-law'; got {self.id!r}")
        for name in ("title", "statement", "source"):
            if not getattr(self, name).strip():
                raise ValueError(f"claim {self.id!r} has an empty {name}")
        if self.standing not in STANDINGS:
            raise ValueError(f"claim {self.id!r} has standing {self.standing!r}; allowed: {', '.join(STANDINGS)}")
        if isinstance(self.needs, str) or not all(name.isidentifier() for name in self.needs):
            raise ValueError(f"claim {self.id!r} has needs={self.needs!r}; give importable names, as in ('torch',)")
        object.__setattr__(self, "expected", Outcome(self.expected))

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
        array.flags.writeable = False
        arrays[name] = array
    return arrays


def measured(estimate: float, error: float) -> str:
    """Write an estimate to the two leading digits of its standard error.

    >>> measured(0.123456, 0.00321)
    '0.1235 ± 0.0032'
    >>> measured(123456.0, 0.0)
    '123456 ± 0'
    >>> measured(3.2e-17, 4.1e-18)
    '(3.20 ± 0.41)e-17'
    """
    if error == 0:
        return f"{estimate:.6g} ± 0"
    exponent = math.floor(math.log10(max(abs(estimate), error)))
    if -4 <= exponent < 6:
        places = max(0, 1 - math.floor(math.log10(error)))
        if places <= 8:
            return f"{estimate:.{places}f} ± {error:.{places}f}"
    scale = 10.0**exponent
    places = min(12, max(0, 1 - math.floor(math.log10(error / scale))))
    return f"({estimate / scale:.{places}f} ± {error / scale:.{places}f})e{exponent:+03d}"
