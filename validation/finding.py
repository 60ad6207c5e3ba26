"""What a verdict says of one quantity: what was measured, what theory gives, and whether the two agree.

A `Finding` cannot contradict itself: z is the distance of the estimate from theory beyond the stated tolerance in
standard errors, p follows from z by the stated law and is corrected for the stated number of comparisons. All of it
is checked when the finding is made, and all of it is printed.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from scipy import stats

from statnn._notebook import Shown
from statnn._text import measured, p_value
from statnn.testing.statistics import Comparison, Sensitivity, bonferroni, sensitivity

RUN_LEVEL = 1e-6
"""Probability that a whole run raises a false alarm, where every theory is right."""
CLAIMS_AT_MOST = 100
LEVEL = RUN_LEVEL / CLAIMS_AT_MOST
"""Share of `RUN_LEVEL` that each claim gets."""
ROUND_OFF = 1e-9
"""Relative difference that two ways of computing the same z or p may have."""

TWIN_OVER_SEEN = 1.5
"""Deviation of a twin over the smallest deviation that the finding says it sees."""


class Asks(StrEnum):
    """What a finding asks of its quantity; the first three hold unless the data speak against them."""

    EQUAL = "equal to"
    AT_MOST = "at most"
    AT_LEAST = "at least"
    ABOVE = "clearly above"
    BELOW = "clearly below"

    @property
    def must_be_shown(self) -> bool:
        """Whether the data must show it: a small p speaks for it and a large one leaves it open."""
        return self in {Asks.ABOVE, Asks.BELOW}


@dataclass(frozen=True, kw_only=True)
class Finding(Shown):
    """One judged quantity.

    Parameters
    ----------
    quantity : str
        What was measured, as in "slope of ln(1 - K/cD) against ln N"; the key of its twin.
    estimate, error : float
        The measured number and its standard error, 0 where the computation is exact.
    theory : float
        What theory gives at these sizes.
    limit : float, optional
        What theory gives in the limit, where it is another number.
    tolerance : float
        Allowed difference beyond chance: round-off, or the bound on what theory leaves out.
    z : float, optional
        Distance beyond the tolerance in standard errors; None where the statistic is no mean.
    p : float, optional
        Two-sided p-value, corrected for the number of comparisons; None where nothing is random.
    comparisons : int
        Number of comparisons of which this one is the worst and for which p is corrected.
    dof : float, optional
        Degrees of freedom of Student's law by which p follows from z; None where p has a law of its own.
    sees, unit : float, str
        Smallest deviation that is seen on practically every seed, and its unit, as in ``0.03, "of b"``. The twin makes
        such deviations, in each of the comparisons of which the worst is kept unless the unit says otherwise.
    asks : Asks
        The relation of estimate to theory that the claim states.
    level : float
        p below which chance is excluded; findings of one verdict share it.
    singles : tuple of float
        p-values of the single comparisons, before any correction; `validation.calibrate` compares them with the
        uniform law.
    law : str
        Name of the law from which p comes, as in `Comparison`; empty for Student's where `dof` is given.
    """

    quantity: str
    estimate: float
    error: float
    theory: float
    limit: float | None = None
    tolerance: float = 0.0
    z: float | None = None
    p: float | None = None
    comparisons: int = 1
    dof: float | None = None
    sees: float
    unit: str
    asks: Asks = Asks.EQUAL
    level: float = LEVEL
    singles: tuple[float, ...] = ()
    law: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "asks", Asks(self.asks))
        for name in ("estimate", "error", "theory", "limit", "tolerance", "z", "p", "sees", "level"):
            value = getattr(self, name)
            if value is None and name in {"limit", "z", "p"}:
                continue
            number = float(value)
            if not math.isfinite(number):
                raise ValueError(f"{name} of {self.quantity!r} must be finite, got {number}: nothing was measured")
            object.__setattr__(self, name, number)
        for name in ("quantity", "unit"):
            if not getattr(self, name).strip():
                raise ValueError(f"a finding needs its {name} in words")
        for name in ("error", "tolerance"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} of {self.quantity!r} must be >= 0, got {getattr(self, name)}")
        counted = self.comparisons >= 1 and float(self.comparisons).is_integer()
        if self.sees <= 0 or not 0 < self.level < 1 or not counted:
            raise ValueError(
                f"{self.quantity!r} needs sees > 0, 0 < level < 1 and comparisons >= 1, a whole number; "
                f"got {self.sees}, {self.level} and {self.comparisons}"
            )
        self._check_p()
        self._check_singles()

    def _check_p(self) -> None:
        if self.p is None:
            if self.z is not None:
                raise ValueError(f"{self.quantity!r} has z without p: no level to judge it by")
            return
        if not 0 <= self.p <= 1:
            raise ValueError(f"p of {self.quantity!r} must lie in [0, 1], got {self.p}")
        if self.z is None:
            return
        if not math.isclose(self.z, self._distance(), rel_tol=ROUND_OFF, abs_tol=ROUND_OFF):
            raise ValueError(
                f"z = {self.z} of {self.quantity!r} is not that of {self.estimate} ± {self.error} against "
                f"{self.theory} with tolerance {self.tolerance}, {self._distance()}; state the tolerance and the "
                "theory at these sizes"
            )
        if self.z == 0 and self.p < 1:
            raise ValueError(f"{self.quantity!r} has z = 0 but p = {self.p}")
        if self.dof is not None:
            p = min(1.0, self.comparisons * 2 * float(stats.t.sf(abs(self.z), self.dof)))
            if not math.isclose(self.p, p, rel_tol=1e-6, abs_tol=1e-300):
                raise ValueError(
                    f"p = {self.p} of {self.quantity!r} does not belong to z = {self.z}, {self.dof} degrees of freedom "
                    f"and {self.comparisons} comparisons; it should be {p}"
                )

    def _check_singles(self) -> None:
        if not all(0 <= single <= 1 for single in self.singles):
            raise ValueError(f"p of single comparisons of {self.quantity!r} must lie in [0, 1], got {self.singles}")
        if self.p is None or self.z == 0 or self.asks.must_be_shown:
            return
        if len(self.singles) == self.comparisons:
            worst = bonferroni(self.singles)
            if not math.isclose(self.p, worst, rel_tol=1e-6, abs_tol=1e-300):
                raise ValueError(
                    f"p = {self.p} of {self.quantity!r} is not that of the worst of its {self.comparisons} single "
                    f"comparisons; it should be {worst}"
                )

    def _distance(self) -> float:
        """Return the distance beyond the tolerance, in standard errors, on the sides that count."""
        if self.error == 0:
            raise ValueError(f"{self.quantity!r} has z but no standard error")
        deviation = self.estimate - self.theory
        if (self.asks is Asks.AT_MOST and deviation < 0) or (self.asks is Asks.AT_LEAST and deviation > 0):
            return 0.0
        return math.copysign(max(abs(deviation) - self.tolerance, 0.0), deviation) / self.error

    @classmethod
    def of(
        cls, quantity: str, comparison: Comparison, *, sees: float, unit: str, asks: Asks = Asks.EQUAL, **more: Any
    ) -> "Finding":
        """Make the finding that a `Comparison` of `statnn.testing.statistics` supports, its bias as the tolerance."""
        singles = comparison.singles or (comparison.p,)
        z, p = comparison.z, comparison.p
        dof = comparison.dof if z is not None and comparison.law == "Student" else None
        if z is not None and ((asks is Asks.AT_MOST and z < 0) or (asks is Asks.AT_LEAST and z > 0)):
            z, p = 0.0, 1.0
        parts: dict[str, Any] = {"tolerance": comparison.bias, "comparisons": comparison.comparisons, "dof": dof}
        parts |= {"singles": singles, "law": comparison.law} | more
        return cls(
            quantity=quantity, estimate=comparison.estimate, error=comparison.error, theory=comparison.theory, z=z, p=p,
            sees=sees, unit=unit, asks=asks, **parts,
        )  # fmt: skip

    def holds(self, sharing: int = 1) -> bool:
        """Return whether the data bear out what is asked, at the level divided by `sharing` findings."""
        deviation = self.estimate - self.theory
        right_side = {Asks.EQUAL: True, Asks.AT_MOST: deviation <= 0, Asks.AT_LEAST: deviation >= 0}.get(
            self.asks, deviation > 0 if self.asks is Asks.ABOVE else deviation < 0
        )
        if self.asks.must_be_shown:
            shown = abs(deviation) > self.tolerance if self.p is None else self.p < self.level / sharing
            return right_side and shown
        if self.p is not None:
            return self.p >= self.level / sharing
        return abs(deviation) <= self.tolerance or (right_side and self.asks is not Asks.EQUAL)

    def reach(self, sharing: int = 1, probability: float = 0.999) -> Sensitivity | None:
        """Return the deviation that a run like this one sees with `probability`, at the level divided by `sharing`.

        None where the law of the statistic is not known. Where p is None, everything beyond the tolerance is seen.
        """
        if self.p is None:
            return Sensitivity(self.tolerance, 1.0, "estimate", "the tolerance", exact=True)
        law = self.law or ("" if self.dof is None else "Student")
        dof = math.inf if self.dof is None else self.dof
        comparison = Comparison(
            self.estimate, self.error, self.theory, self.p, self.z, dof, self.tolerance, self.comparisons, law
        )
        return sensitivity(comparison, self.level / sharing, probability)

    def __str__(self) -> str:
        # it is the theory that says "clearly above", whether the data bear it out or not
        theory = f"theory {'' if self.asks is Asks.EQUAL else f'{self.asks} '}{self.theory:.6g}"
        if self.limit is not None:
            theory += f" at these sizes, {self.limit:.6g} in the limit"
        parts = [f"{self.quantity}: {measured(self.estimate, self.error)}", theory]
        if self.tolerance or self.p is None:
            parts.append(f"tolerance {self.tolerance:.3g}")
        if self.z is not None:
            parts.append(f"z = {self.z + 0.0:+.2f}")  # no minus before zero
        if self.p is not None:
            parts.append(p_value(self.p))
        if self.comparisons > 1:
            parts.append(f"worst of {self.comparisons}")
        return ", ".join(parts)

    @property
    def seen(self) -> str:
        """The smallest deviation that is seen, in words."""
        return f"{self.sees:.3g} {self.unit}"


def farthest(findings: tuple[Finding, ...]) -> Finding:
    """Return the finding that decides: the first that does not hold, else the random one with the smallest p."""
    failing = [finding for finding in findings if not finding.holds(len(findings))]
    if failing:
        return failing[0]
    return min(findings, key=lambda f: 2.0 if f.p is None else 1.0 if f.asks.must_be_shown else f.p)
