"""Every derivation of the project, by name: what ``python -m theory`` prints and claims refer to."""

from collections.abc import Callable

from theory import activation, interaction, measure, rg
from theory.derivation import Derivation

DERIVATIONS: dict[str, Callable[[], Derivation]] = {
    **activation.DERIVATIONS,
    **interaction.DERIVATIONS,
    **rg.DERIVATIONS,
    **measure.DERIVATIONS,
}
