"""The registry: every claim the runner knows, in the order in which the report shows them.

A module of this package states one claim as ``CLAIM`` or several as ``CLAIMS`` and is listed in `MODULES`.
Importing a module must stay cheap: whatever costs more than numpy and scipy is imported where it is used.
"""

from importlib import import_module
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from validation.claim import Claim

MODULES: tuple[str, ...] = (
    "growth_curve",
    "count_law",
    "urn_law",
    "formula_error",
    "steepest",
    "tail",
    "exponents",
    "size",
    "real_network",
    "training_size",
    "interaction_graph",
    "binary_layers",
    "cold_layers",
    "square_lattice",
    "error_bars",
    "stiffness",
    "linear_posterior",
    "teacher_student",
    "rg_flow",
    "order_in_training",
    "critical_size",
    "grokking",
    "double_descent",
    "functional_fixed_point",
    "data_collapse",
    "noise_cutoff",
    "basin_closed_forms",
    "rank_probability",
    "basins_depth",
    "monte_carlo_renormalisation",
    "phase_diagram",
    "finite_width",
    "trained_on_diagram",
    "deep_propagation",
    "spike_nulls",
    "memorisation",
)


def _stated(module: str) -> "Iterable[Claim]":
    found = import_module(f"{__name__}.{module}")
    return found.CLAIMS if hasattr(found, "CLAIMS") else (found.CLAIM,)


def _registry(claims: "Iterable[Claim]") -> "dict[str, Claim]":
    registry: dict[str, Claim] = {}
    for claim in claims:
        if claim.id in registry:
            raise ValueError(f"two claims have the id {claim.id!r}, under which results are filed; rename one")
        registry[claim.id] = claim
    return registry


CLAIMS: "dict[str, Claim]" = _registry(chain.from_iterable(map(_stated, MODULES)))
