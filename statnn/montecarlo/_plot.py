"""Pictures of runs: traces and autocorrelations."""

from __future__ import annotations

from typing import Any

import numpy as np

from statnn._axes import axes, label, seen, settled
from statnn.montecarlo._estimate import FEWEST, autocovariance, estimate, of_order_one
from statnn.montecarlo._method import Values

MOST_CHAINS = 8
MOST_POINTS = 2000


def draw(name: str, draws: Values, ax: Any | None) -> Any:
    """Plot draws of shape (chains, draws) on one axes (trace) or two (trace, autocorrelation)."""
    if draws.ndim != 2:
        raise ValueError(f"{name!r} has entries of shape {draws.shape[2:]}; only one number per draw has a trace")
    if ax is None:
        from matplotlib import pyplot as plt

        ax = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")[1]
    pair = np.ravel(np.asarray(ax, dtype=object))
    if pair.size > 2:
        raise ValueError(f"ax holds {pair.size} axes; pass one for the trace, or two with the autocorrelation")
    _trace(axes(pair[0]), name, draws)
    if pair.size == 2:
        _correlation(axes(pair[1]), name, draws)
    for each in pair:
        settled(each)
    return ax


def _trace(ax: Any, name: str, draws: Values) -> None:
    step = max(1, draws.shape[1] // MOST_POINTS)
    at = np.arange(0, draws.shape[1], step)
    for chain in draws[:MOST_CHAINS]:
        seen(*ax.plot(at, chain[at], linewidth=0.7, alpha=0.8))
    ax.set_xlabel("draw")
    ax.set_ylabel(label(name))


def _correlation(ax: Any, name: str, draws: Values) -> None:
    import warnings

    ax.set_xlabel("lag $t$ (draws)")
    ax.set_ylabel(rf"$\rho(t)$ of {label(name)}")
    never = bool((draws == draws[:, :1]).all())
    if draws.shape[1] < FEWEST or never:
        why = "never changes" if never else f"fewer than {FEWEST} draws"
        ax.text(0.5, 0.5, f"{why}:\nno autocorrelation", ha="center", va="center", transform=ax.transAxes)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the picture shows what the warning says
        estimated = estimate(draws, name)
    covariance = autocovariance(of_order_one(np.asarray(draws, dtype=np.float64))[0]).mean(axis=0)
    last = min(draws.shape[1], max(20, int(8 * estimated.tau)))
    ax.plot(np.arange(last), covariance[:last] / covariance[0], marker=".")
    ax.axhline(0, color="0.6", linewidth=0.8)
    ax.axvline(estimated.tau, linestyle="--", color="0.4", linewidth=1)
    ax.annotate(rf"$\tau = {estimated.tau:.3g}$", (estimated.tau, 0.9), xytext=(4, 0), textcoords="offset points")
