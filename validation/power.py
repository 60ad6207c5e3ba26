"""Measure the smallest deviation that every finding sees.

``python -m validation.power [--only ID ...] [--seeds N] [--out FILE]``: each claim is run on fresh seeds, and the twin
of each quantity is made wrong by less and less until it is no longer told from the right theory. The deviation that a
finding says it sees must be seen on practically every seed, and should not be much larger than needed. Claims that
train networks take long and are measured only when they are named.
"""

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from statnn import testing
from statnn.testing._power import FEWEST_RUNS, first_seen
from validation.arguments import at_least, claims_of
from validation.calibrate import REGISTRY, trains
from validation.claim import Claim, Data, Finding, Verdict, frozen

STEPS = 2.0 ** np.arange(-3, 1.25, 0.25)
"""Deviations that are tried, as multiples of what a finding says it sees."""
MODEST = 0.5
"""A finding that sees this share of the stated deviation on every seed could state a smaller one."""


@dataclass(frozen=True)
class Power:
    """What a finding says it sees, and the curve of what it saw on each seed."""

    claim: str
    finding: Finding
    curve: testing.Power

    @property
    def largest(self) -> float:
        """The smallest deviation that every seed saw; inf where a seed saw none."""
        return max(self.curve.seen)

    @property
    def nearly_always(self) -> testing.Deviation | None:
        """Deviation that is seen with probability 0.999, by the normal law; None with few seeds or outside `STEPS`."""
        try:
            return self.curve.smallest(0.999)
        except ValueError:  # too few seeds, or some seed saw none or all of the deviations that are tried
            return None

    @property
    def too_much(self) -> bool:
        """Whether some seed, or one in a thousand, does not see what the finding says it sees."""
        return max(self.largest, self.nearly_always.value if self.nearly_always else 0.0) > self.finding.sees

    @property
    def says(self) -> str:
        """Whether the statement is borne out."""
        if self.too_much:
            return "SAYS TOO MUCH"
        return "as stated" if self.largest > MODEST * self.finding.sees else "could say less"


def main(argv: list[str] | None = None, registry: str = REGISTRY) -> int:
    """Run the command line; the status is 1 where a finding sees less than it says."""
    parser = argparse.ArgumentParser("python -m validation.power", description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", metavar="ID", help="claims (default: all that do not train)")
    parser.add_argument("--seeds", type=at_least(1), default=5, metavar="N", help="default: %(default)s")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the table there too")
    options = parser.parse_args(argv)
    claims = claims_of(parser, registry, options.only)
    if lacking := [f"{name} {why}" for name in options.only or () if (why := claims[name].lacks(data=False))]:
        parser.error(f"cannot be measured here: {', '.join(lacking)}")
    lines, weak = [], False
    for line in HEAD:
        print(line)
    for claim in (claims[name] for name in options.only or claims if options.only or not trains(claims[name])):
        for power in measure(claim, range(1, options.seeds + 1)):
            weak = weak or power.too_much
            lines.append(row(power))
            print(lines[-1], flush=True)
    if options.out:
        options.out.write_text("\n".join([*HEAD, *lines]) + "\n", encoding="utf-8")
    return int(weak)


HEAD = ("| claim | quantity | says it sees | median | largest | with 0.999 | seeds | says |", "|---" * 8 + "|")


def row(power: Power) -> str:
    """Return one row of the table, in Markdown."""
    sees = power.finding.seen.replace("|", "\\|")
    quantity = power.finding.quantity.replace("|", "\\|")
    seen = power.curve.seen
    without = "outside" if len(seen) >= FEWEST_RUNS else f"needs {FEWEST_RUNS} seeds"
    most = f"above {power.curve.deviations[-1]:.3g}"
    median, largest = (f"{value:.3g}" if np.isfinite(value) else most for value in (np.median(seen), power.largest))
    numbers = f"{median} | {largest} | {power.nearly_always or without} | {len(seen)}"
    return f"| {power.claim} | {quantity} | {sees} | {numbers} | {power.says} |"


def measure(claim: Claim, seeds: Iterable[int]) -> list[Power]:
    """Return the power of every finding of a claim, measured on the same runs."""
    seen: dict[str, list[float]] = {quantity: [] for quantity in claim.twins}
    findings: dict[str, Finding] = {}
    for seed in seeds:
        data = claim.data(seed)
        verdict = claim.judge(data)
        for quantity in claim.twins:
            findings[quantity] = verdict[quantity]
            seen[quantity].append(smallest(claim, data, verdict, quantity))
    curves = {
        quantity: testing.Power(tuple((STEPS * finding.sees).tolist()), tuple(seen[quantity]), finding.level)
        for quantity, finding in findings.items()
    }
    return [Power(claim.id, finding, curves[quantity]) for quantity, finding in findings.items()]


def smallest(claim: Claim, data: Data, verdict: Verdict, quantity: str) -> float:
    """Return the smallest deviation of `STEPS` from which on the judge decides otherwise on the quantity."""

    def turned(deviation: float) -> bool:
        judged = claim.judge(frozen(claim.twins[quantity](data, deviation)))
        return (quantity in judged.failing) != (quantity in verdict.failing)

    return first_seen(turned, STEPS * verdict[quantity].sees)


if __name__ == "__main__":
    sys.exit(main())
