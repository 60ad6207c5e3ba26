"""Directions in the space of layers about a fixed-point function, and how they grow."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from statnn._arguments import positive
from statnn._notebook import Shown


class ScalingFieldKind(StrEnum):
    """Whether a perturbation of a layer decides about its fixed point."""

    RELEVANT = "relevant"
    REDUNDANT = "redundant"
    IRRELEVANT = "irrelevant"


@dataclass(frozen=True)
class ScalingField(Shown):
    """One direction in the space of layers about the fixed point: the perturbation that begins as x^k.

    Parameters
    ----------
    power : int
        k.
    exponent : float
        y, eigenvalue b^y.
    kind : ScalingFieldKind
        Redundant directions are changes of the coordinate x: they grow or shrink, but a choice of the coordinate
        removes them.
    meaning : str
        Its meaning in words.

    See Also
    --------
    FixedFunction.scaling_fields : makes it.

    Examples
    --------
    >>> from statnn.rg import FixedFunction
    >>> field = FixedFunction(3, 1 / 3).scaling_fields()[0]
    >>> field.meaning, round(field.eigenvalue(b=2.0), 6)
    ('bias', 2.828427)
    """

    power: int
    exponent: float
    kind: ScalingFieldKind
    meaning: str

    def eigenvalue(self, b: float = 2.0) -> float:
        """Return b^y.

        Parameters
        ----------
        b : float
            Number of layers that become one, above 1.
        """
        return raised(b, self.exponent)


def raised(b: float, exponent: float) -> float:
    """Return b^exponent, or raise."""
    try:
        return float(block(b) ** exponent)
    except OverflowError:
        raise ValueError(f"b = {b:g}: b^{exponent:g} exceeds the range of float64; take a smaller b") from None


def block(b: float) -> float:
    """Return the number of layers that become one, or raise if it is not above 1."""
    number = positive(b, "b", why="so many layers become one")
    if number <= 1.0:
        raise ValueError(f"b = {b!r} must be above 1: so many layers become one; 2 is the usual choice")
    return number
