"""The kinds of steps, what is checked of each, and how steps are counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["identity", "inequality", "limit", "series", "instance", "definition", "argued"]
KINDS: dict[Kind, str] = {
    "identity": "the difference of its two sides, with the definitions put in, is zero",
    "inequality": "its larger side minus its smaller is a form, as an identity, and the form is manifestly positive",
    "limit": "its value is approached, at a distance of 10^-80; when thorough, the limit is taken exactly",
    "series": "what is left out falls as stated; when thorough, the expansion is taken exactly and has no other term",
    "instance": "a general equation, checked in stated cases: small sizes, and what the names mean there",
    "definition": "nothing: it says what a name means",
    "argued": "its sentence is the argument; the algebra it uses is checked, but the step is not counted",
}
CHECKED: tuple[Kind, ...] = ("identity", "inequality", "limit", "series", "instance")
IN_NUMBERS: tuple[Kind, ...] = ("limit", "series")
"""Kinds checked only in numbers unless thorough: limits of sympy take half as long as everything else."""


def tally(kinds: Mapping[Kind, int]) -> str:
    """Return how many steps are checked, by kind, and separately how many are not: definitions and arguments."""

    def listed(chosen: list[Kind]) -> str:
        return ", ".join(f"{kinds[kind]} {kind}" for kind in chosen)

    present = [kind for kind in KINDS if kinds.get(kind, 0)]
    checked, others = [[kind for kind in present if (kind in CHECKED) == wanted] for wanted in (True, False)]
    steps = sum(kinds[kind] for kind in checked)
    count = f"{steps} step{'s' * (steps != 1)} checked" + (f": {listed(checked)}" if checked else "")
    return count + (f"; not checked: {listed(others)}" if others else "")
