r"""Means of correlated draws: standard error, autocorrelation time, effective samples, R-hat.

τ = 1 + 2 Σ_t ρ(t), the integrated autocorrelation time in draws; ESS = draws / τ; error² = variance / ESS.
The sum ends by Geyer's initial monotone sequence (default) or by Sokal's window (second opinion). Every chain
is split in halves and ρ taken about the mean of all halves, so that halves and chains that disagree count as
slow (Vehtari et al. 2021). R-hat is theirs: rank-normalised, of split chains, the larger of bulk and tails.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from statnn._arguments import Floats, array_of, refuse_rounded
from statnn._by_value import ByValue
from statnn._memory import refuse_beyond_memory
from statnn._warn import warn

SOKAL = 5.0
"""Sokal's window: sum up to the first t >= 5 τ(t)."""
ENOUGH = 50
"""Least number of draws of all chains, in units of τ, for which τ itself can be trusted."""
LONGEST = 10
"""Least number of draws of one chain, in units of τ, after which the start counts as forgotten."""
LARGEST_RHAT = 1.05
LEAST_ALIKE, SURELY = 0.2, 6.0
"""Correlation of neighbouring chains, by itself and in standard errors, above which the axes count as swapped."""
FEWEST = 4
"""Least number of draws per chain for an estimate."""


class UntrustedEstimate(UserWarning):
    """The run is too short, its chains disagree or trajectories diverged: the estimate cannot be trusted."""


@dataclass(frozen=True, eq=False, repr=False)
class Estimate(ByValue):
    """A mean and the diagnostics to judge it; floats, or arrays for observables with more than one entry.

    Parameters
    ----------
    mean, error : float or ndarray
        Mean over chains and draws, and its standard error.
    tau, tau_sokal : float or ndarray
        Integrated autocorrelation time in draws, by Geyer's rule and by Sokal's; 1 for independent draws.
    ess : float or ndarray
        Effective samples, draws of all chains / tau.
    rhat : float or ndarray
        R-hat, 1 where chains agree.
    warning : UntrustedEstimate or None
        Why the estimate cannot be trusted; None if it can.

    See Also
    --------
    estimate, Run.estimate : make it.

    References
    ----------
    Geyer 1992, of τ; Vehtari et al. 2021, of R-hat.
    """

    mean: Any
    error: Any
    tau: Any
    tau_sokal: Any
    ess: Any
    rhat: Any
    warning: UntrustedEstimate | None


def estimate(draws: Any, name: str = "the observable") -> Estimate:
    """Return the `Estimate` of draws of shape (chains, draws, ...), and warn where it cannot be trusted.

    Raises
    ------
    TypeError, ValueError, MemoryError
        If draws are not finite real numbers, are fewer than four per chain, or are so many that correlations of one
        observable would not fit into memory.

    Warns
    -----
    UntrustedEstimate
        If the draws are fewer than 50 τ (10 τ per chain), R-hat exceeds 1.05, chains never move, or many short chains
        are correlated with their neighbours as draws are: then the two axes were probably swapped.

    See Also
    --------
    Run.estimate : of a run.

    References
    ----------
    Geyer 1992, of τ; Vehtari et al. 2021, of R-hat.

    Examples
    --------
    >>> import numpy as np
    >>> energy = estimate(np.random.default_rng(1).normal(size=(4, 1000)))
    >>> bool(abs(energy.mean) < 4 * energy.error), bool(abs(energy.tau - 1) < 0.2), energy.warning
    (True, True, None)
    """
    return estimated(draws, name)


def estimated(draws: Any, name: str, *doubts: str) -> Estimate:
    """Return the result of `estimate`; further doubts about the draws are added to its warning."""
    if isinstance(draws, Mapping):
        raise TypeError(
            f"draws of {name} are a {type(draws).__name__} of several: pass one of them, draws['energy'], of an "
            "InferenceData draws.posterior['energy']"
        )
    axes = getattr(draws, "dims", ())  # of xarray, as arviz names them
    if {"chain", "draw"} <= {*axes} and tuple(axes[:2]) != ("chain", "draw"):
        raise ValueError(f"draws have axes {axes}; an estimate needs them as .transpose('chain', 'draw', ...)")
    values = array_of(draws, f"draws of {name}")
    if values.dtype.kind not in "biuf":
        raise TypeError(f"draws of {name} must hold real numbers, not {values.dtype}")
    with np.errstate(over="ignore"):  # of types wider than float64
        floats = values.astype(np.float64, copy=False)
    refuse_rounded(values, floats, f"draws of {name}")
    values = floats
    if values.ndim < 2 or values.shape[1] < FEWEST or not values.size:
        raise ValueError(f"draws have shape {values.shape}; an estimate needs (chains, at least {FEWEST} draws, ...)")
    if not np.isfinite(values).all():
        raise ValueError(
            f"draws of {name} hold NaN, infinity, or what is beyond float64; give an observable that is finite in "
            "every state"
        )
    chains, length, *shape = values.shape
    refuse_beyond_memory(
        96.0 * chains * length, f"the estimate of {chains} x {length} draws of {name}", "take every k-th draw, by thin="
    )
    columns = values.reshape(chains, length, -1)
    turned = any(_transposed(columns[:, :, k]) for k in range(columns.shape[2]))
    each = [_column(columns[:, :, k]) for k in range(columns.shape[2])]
    result = [np.array([summary[k] for summary in each]).reshape(shape) for k in range(6)]
    mean, error, tau, sokal, ess, agreement = (r.item() if r.ndim == 0 else r for r in result)
    reasons = [
        *_reasons(chains, length, np.asarray(tau), np.asarray(agreement), np.asarray(error), turned=turned),
        *doubts,
    ]
    warning = UntrustedEstimate(f"{name}: {'; '.join(reasons)}") if reasons else None
    if warning is not None:
        warn(warning)
    return Estimate(mean, error, tau, sokal, ess, agreement, warning)


def _column(draws: Floats) -> tuple[float, float, float, float, float, float]:
    """Return mean, error, tau, tau by Sokal's rule, ess and R-hat of draws of shape (chains, draws)."""
    scaled, power = of_order_one(draws)
    mean, error, tau, sokal, ess, agreement = _scaled_column(scaled)
    least = math.ulp(0.0) if error else 0.0  # an error too small for float64 must not become 0, which marks a constant
    try:
        return math.ldexp(mean, power), max(math.ldexp(error, power), least), tau, sokal, ess, agreement
    except OverflowError:
        raise ValueError(
            f"draws reach {np.abs(draws).max():.3g} and their error is beyond float64: record them in another unit"
        ) from None


def _transposed(draws: Floats) -> bool:
    """Whether many short chains are correlated with their neighbours, a sign that the axes are swapped."""
    chains, length = draws.shape
    if chains <= length:
        return False
    scaled, _ = of_order_one(draws)
    centred = scaled - scaled.mean(axis=0)  # a trend common to all chains comes from a start not yet forgotten
    square = (centred**2).mean()
    alike = (centred[1:] * centred[:-1]).mean() / square if square else 0.0
    return bool(alike > LEAST_ALIKE and alike * math.sqrt(chains - 1) > SURELY)


def of_order_one(draws: Floats) -> tuple[Floats, int]:
    """Return draws / 2^k, with the largest about one, and k: sums and squares then neither overflow nor underflow."""
    power = int(np.frexp(np.abs(draws).max())[1])
    return np.ldexp(draws, -power, order="C"), power  # sums do not depend on the layout


def _scaled_column(draws: Floats) -> tuple[float, float, float, float, float, float]:
    """Return the result of `_column` for draws of order one."""
    chains, length = draws.shape
    total = draws.size
    mean = float(draws.mean())
    if not np.ptp(draws, axis=1).any():  # frozen chains: each is one sample, or the observable is a constant
        if np.ptp(draws) == 0:
            return float(draws[0, 0]), 0.0, 1.0, 1.0, float(total), 1.0
        error = float(draws[:, 0].std(ddof=1) / np.sqrt(chains))
        return mean, error, float(length), float(length), float(chains), np.inf
    unit = float(np.abs(draws - mean).max())
    halves = split((draws - mean) / unit)
    if not np.ptp(halves):  # only draws in the middle changed, which are in neither half
        return mean, float(draws.std() / np.sqrt(total)), 1.0, 1.0, float(total), rhat(draws)
    length = halves.shape[1]
    covariance = autocovariance(halves).mean(axis=0)
    within = covariance[0] * length / (length - 1)
    between = float(halves.mean(axis=1).var(ddof=1))
    variance = covariance[0] + between
    # about its own mean a short half is correlated by -1/length at every lag, which would make errors too small
    about_all = covariance + between * (1 - np.arange(length) / length)
    rho = np.maximum(variance - within + covariance, about_all) / variance
    least = 1 / np.log10(max(total, 11))  # alternating draws beat independent ones, but only so much
    tau, sokal = max(_geyer(rho), least), max(_sokal(rho), least)
    return mean, unit * float(np.sqrt(variance * tau / total)), tau, sokal, total / tau, rhat(draws)


def autocovariance(draws: Floats) -> Floats:
    """Return the autocovariance of every chain about its mean, shape (chains, draws), divided by draws."""
    from scipy import fft

    length = draws.shape[1]
    size = fft.next_fast_len(2 * length, real=True)
    spectrum = fft.rfft(draws - draws.mean(axis=1, keepdims=True), size, axis=1)
    result: Floats = fft.irfft(np.abs(spectrum) ** 2, size, axis=1)[:, :length] / length
    return result


def _geyer(rho: Floats) -> float:
    """Sum ρ over Geyer's initial monotone sequence: pairs ρ(2t)+ρ(2t+1), while positive, never increasing."""
    pairs = rho[: rho.size // 2 * 2].reshape(-1, 2).sum(axis=1)
    end = int(np.argmax(pairs <= 0)) if (pairs <= 0).any() else pairs.size
    return float(2 * np.minimum.accumulate(pairs[:end]).sum() - 1)


def _sokal(rho: Floats) -> float:
    sums = 2 * np.cumsum(rho) - 1
    reached = np.arange(rho.size) >= SOKAL * sums
    return float(sums[int(np.argmax(reached)) if reached.any() else -1])


def rhat(draws: Floats) -> float:
    """Return the rank-normalised split R-hat of draws of shape (chains, draws)."""
    halves = split(draws)
    low, high = (np.quantile(halves, 0.5, method=side) for side in ("lower", "higher"))
    # twice the distances from the median, which is rounded itself: as far from it, low and high must stay tied
    return max(_rhat(halves), _rhat(np.abs((halves - low) + (halves - high))))


def split(draws: Floats) -> Floats:
    """Return the halves of every chain as chains of their own; the middle draw of an odd number is left out."""
    half = draws.shape[1] // 2
    return np.concatenate([draws[:, :half], draws[:, -half:]])


def _rhat(draws: Floats) -> float:
    from scipy import special, stats

    ranks = stats.rankdata(draws, axis=None).reshape(draws.shape)
    scores = special.ndtri((ranks - 0.375) / (draws.size + 0.25))
    length = draws.shape[1]
    within = scores.var(axis=1, ddof=1).mean()
    between = scores.mean(axis=1).var(ddof=1)
    if not np.ptp(ranks, axis=1).any():  # frozen chains, whose variance may be rounded above zero
        return np.inf if np.ptp(ranks) else 1.0
    return float(np.sqrt((length - 1) / length + between / within))


def _reasons(chains: int, length: int, tau: Floats, rhats: Floats, error: Floats, *, turned: bool) -> list[str]:
    reasons = []
    if turned:
        reasons.append(
            f"each of {chains} chains follows the one before as draws do, so these are (draws, chains), as of emcee: "
            "swap the two axes, and the error will be larger"
        )
    slow, worst = float(tau.max()), float(rhats.max())
    if not error.all():
        which = "it never changed: it is"
        if error.ndim:
            first = _of(error == 0).removeprefix(" of ")
            which = f"{np.sum(error == 0)} of {error.size} entries never changed, {first} first: they are"
        reasons.append(f"{which} conserved, or the chains are stuck")
    if not (chains * length >= ENOUGH * slow and length >= LONGEST * slow):
        reasons.append(
            f"{chains} chains of {length} draws are too short for an autocorrelation time of {slow:.3g} draws"
            f"{_of(tau)}: take at least {int(np.ceil(max(ENOUGH * slow / chains, LONGEST * slow)))} draws per chain"
        )
    if worst > LARGEST_RHAT:
        reasons.append(f"chains disagree, R-hat = {worst:.3g}{_of(rhats)}: extend the burn-in, or use another method")
    return reasons


def _of(values: Any) -> str:
    """Return in words which entry of an observable has the largest value, the first if several do."""
    where = [int(k) for k in np.unravel_index(np.argmax(values), values.shape)]
    return f" of entry {where}" if where else ""
