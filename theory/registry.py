"""Every derivation of the project, by name: what ``python -m statnn.theory`` prints and claims refer to."""

from __future__ import annotations

from collections.abc import Callable

from statnn.theory import activation, interaction, measure, rg
from statnn.theory.derivation import Derivation

DERIVATIONS: dict[str, Callable[[], Derivation]] = {
    **activation.DERIVATIONS,
    **interaction.DERIVATIONS,
    **rg.DERIVATIONS,
    **measure.DERIVATIONS,
}
