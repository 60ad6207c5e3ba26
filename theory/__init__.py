"""Symbolic derivations of every formula of the project, and their evaluation to any number of digits.

Nothing here is fast, and nothing here imports the fast package: every formula exists once as mathematics, in this tree,
and once as stable arithmetic, in `statnn`; tests compare the two. ``python -m statnn.theory`` checks every derivation
and prints it.
"""

try:
    import sympy as _  # noqa: F401 - asked for by name before anything else needs it
except ModuleNotFoundError:
    raise ModuleNotFoundError("derivations need sympy: pip install 'statnn[theory]'", name="sympy") from None

from statnn.theory.browse import derivation, derivations
from statnn.theory.closed_form import Formula
from statnn.theory.comparison import Comparison, compare
from statnn.theory.derivation import (
    Derivation,
    Step,
    argued,
    definition,
    equation,
    identity,
    inequality,
    instance,
    limit,
    series,
)
from statnn.theory.kinds import KINDS
from statnn.theory.table import formula, formulas

__all__ = [
    "KINDS", "Comparison", "Derivation", "Formula", "Step", "argued", "compare", "definition", "derivation",
    "derivations", "equation", "formula", "formulas", "identity", "inequality", "instance", "limit", "series",
]  # fmt: skip
