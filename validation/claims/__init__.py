"""The registry: every claim the runner knows, in the order in which the report shows them.

A module of a room states one claim as ``CLAIM`` or several as ``CLAIMS`` and is listed in `MODULES`.
Importing a module must stay cheap: whatever costs more than numpy and scipy is imported where it is used.
"""

from importlib import import_module
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from validation.claim import Claim

MODULES: tuple[str, ...] = (
    "activation.growth_curve",
    "activation.count_law",
    "activation.urn_law",
    "activation.formula_error",
    "activation.steepest",
    "activation.tail",
    "activation.exponents",
    "activation.size",
    "activation.real_network",
    "activation.training_size",
    "interaction.interaction_graph",
    "interaction.binary_layers",
    "interaction.cold_layers",
    "interaction.square_lattice",
    "interaction.error_bars",
    "interaction.stiffness",
    "interaction.linear_posterior",
    "interaction.teacher_student",
    "rg.rg_flow",
    "measure.order_in_training",
    "measure.critical_size",
    "measure.grokking",
    "measure.double_descent",
    "rg.functional_fixed_point",
    "rg.data_collapse",
    "rg.noise_cutoff",
    "measure.basin_closed_forms",
    "measure.rank_probability",
    "measure.basins_depth",
    "rg.monte_carlo_renormalisation",
    "rg.phase_diagram",
    "rg.finite_width",
    "rg.trained_on_diagram",
    "rg.deep_propagation",
    "measure.spike_nulls",
    "measure.memorisation",
)


def _stated(module: str) -> "Iterable[Claim]":
    file = import_module(f"{__name__}.{module}")
    return file.CLAIMS if hasattr(file, "CLAIMS") else (file.CLAIM,)


def _registry(claims: "Iterable[Claim]") -> "dict[str, Claim]":
    registry: dict[str, Claim] = {}
    for claim in claims:
        if claim.id in registry:
            raise ValueError(f"two claims have the id {claim.id!r}, under which results are filed; rename one")
        registry[claim.id] = claim
    return registry


CLAIMS: "dict[str, Claim]" = _registry(chain.from_iterable(map(_stated, MODULES)))
