"""Tests that anyone can use, for formulas and objects of one's own.

``assert_mean``, ``assert_law`` and their like compare replicates with theory; ``statistics`` holds the comparisons they
make; ``rejects`` shows that a check can fail, ``power`` how small a mistake it sees; ``budget`` keeps account outside
pytest. Under pytest the plugin ``statnn.testing.plugin`` keeps it, and is loaded by itself where the package is
installed. ``strategies`` draws objects of this package for hypothesis.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from statnn.testing import statistics, strategies
    from statnn.testing._assertions import (
        assert_comparison,
        assert_counts,
        assert_covariance,
        assert_law,
        assert_mean,
        assert_proportion,
        assert_pvalue,
        assert_slope,
        assert_uniform,
        rejects,
    )
    from statnn.testing._ledger import Ledger, StatisticalFailure, budget
    from statnn.testing._power import Deviation, Power, power
    from statnn.testing.statistics import Comparison, Refusal

__all__ = [
    "Comparison",
    "Deviation",
    "Ledger",
    "Power",
    "Refusal",
    "StatisticalFailure",
    "assert_comparison",
    "assert_counts",
    "assert_covariance",
    "assert_law",
    "assert_mean",
    "assert_proportion",
    "assert_pvalue",
    "assert_slope",
    "assert_uniform",
    "budget",
    "power",
    "rejects",
    "statistics",
    "strategies",
]

_PLACES = {
    **dict.fromkeys(("Comparison", "Refusal"), "statistics"),
    **dict.fromkeys(("Ledger", "StatisticalFailure", "budget"), "_ledger"),
    **dict.fromkeys(("Deviation", "Power", "power"), "_power"),
}  # the others are assertions


def __getattr__(name: str) -> Any:
    """Load what is asked for: the plugin stands beside and must not load numpy, strategies need hypothesis."""
    if name in {"statistics", "strategies"}:
        return importlib.import_module(f"statnn.testing.{name}")
    if name in __all__:
        return getattr(importlib.import_module(f"statnn.testing.{_PLACES.get(name, '_assertions')}"), name)
    raise AttributeError(f"statnn.testing has no {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
