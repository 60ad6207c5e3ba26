"""Results of the solvers of binary neurons, in units of the temperature."""

from __future__ import annotations

from typing import NamedTuple

from statnn._arguments import Floats


class Reduced(NamedTuple):
    """Exact averages of spins with weights exp(-ε), where ε = E/T."""

    log_partition: float
    energy: float
    """⟨ε⟩."""
    variance: float
    """⟨ε²⟩ - ⟨ε⟩²."""
    entropy: float
    magnetisation: Floats
    correlation: Floats | None
