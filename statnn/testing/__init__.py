"""Statistical tests for your own formulas and objects.

``assert_mean``, ``assert_law`` and others compare replicates with theory; ``statistics`` holds the comparisons they
make; ``rejects`` shows that a check can fail, ``power`` how small a mistake it detects; ``budget`` keeps account of
false alarms outside pytest, where a comparison without one raises RuntimeError. Under pytest the plugin
``statnn.testing.plugin`` does; it is loaded automatically once the package is installed. ``strategies`` draws objects
of this package for hypothesis.

``check_activation``, ``check_layer``, ``check_method``, ``check_model`` and ``check_process`` check an object of this
package, or your own, against the laws of its kind; they return a `LawReport`, or raise a `BrokenLawError`.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from statnn.testing import statistics, strategies
    from statnn.testing._activation_laws import check_activation
    from statnn.testing._assertions import (
        assert_comparison,
        assert_counts,
        assert_covariance,
        assert_law,
        assert_mean,
        assert_means,
        assert_proportion,
        assert_pvalue,
        assert_slope,
        assert_uniform,
        rejects,
    )
    from statnn.testing._laws import BrokenLawError, Law, LawReport, Outcome
    from statnn.testing._layer_laws import check_layer
    from statnn.testing._ledger import Ledger, StatisticalFailure, budget
    from statnn.testing._method_laws import check_method
    from statnn.testing._model_laws import check_model
    from statnn.testing._power import Deviation, Power, power
    from statnn.testing._process_laws import check_process
    from statnn.testing.statistics import Comparison, Refusal

__all__ = [
    "BrokenLawError",
    "Comparison",
    "Deviation",
    "Law",
    "LawReport",
    "Ledger",
    "Outcome",
    "Power",
    "Refusal",
    "StatisticalFailure",
    "assert_comparison",
    "assert_counts",
    "assert_covariance",
    "assert_law",
    "assert_mean",
    "assert_means",
    "assert_proportion",
    "assert_pvalue",
    "assert_slope",
    "assert_uniform",
    "budget",
    "check_activation",
    "check_layer",
    "check_method",
    "check_model",
    "check_process",
    "power",
    "rejects",
    "statistics",
    "strategies",
]

_PLACES = {
    **dict.fromkeys(("Comparison", "Refusal"), "statistics"),
    **dict.fromkeys(("Ledger", "StatisticalFailure", "budget"), "_ledger"),
    **dict.fromkeys(("Deviation", "Power", "power"), "_power"),
    **dict.fromkeys(("BrokenLawError", "Law", "LawReport", "Outcome"), "_laws"),
    **{f"check_{kind}": f"_{kind}_laws" for kind in ("activation", "layer", "method", "model", "process")},
}  # all other names are assertions


def __getattr__(name: str) -> Any:
    """Load names on demand: the plugin in this package must not load numpy, and strategies need hypothesis."""
    if name in {"statistics", "strategies"}:
        return importlib.import_module(f"statnn.testing.{name}")
    if name in __all__:
        return getattr(importlib.import_module(f"statnn.testing.{_PLACES.get(name, '_assertions')}"), name)
    raise AttributeError(f"statnn.testing has no {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
