r"""Temperatures of parallel tempering, chosen so that neighbours swap equally often.

Energies at β and β' that are close are nearly Gaussian with variance σ² and means σ²(β' - β) apart; then swaps are
accepted with probability erfc(|β' - β| σ/2) (Kofke 2004). [asymptotic] So equal acceptance means equal steps of the
length λ = ∫ σ(β) dβ, and σ is measured in a short run on a coarse grid of temperatures.

The hottest temperature is one at which Dobrushin's condition holds with room to spare: max_i Σ_j tanh(|J_ij|/T) <= 1/2.
The influence of any start then shrinks by half in every sweep, so that replicas that come back from there are
independent of their past. Fields do not change this.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special

from statnn._arguments import Floats
from statnn.interaction import BinaryNeurons
from statnn.montecarlo._estimate import of_order_one

LARGEST_INFLUENCE = 0.5
GRID = 32
"""Temperatures of the pilot run."""
MOST = 10_000
"""Temperatures of a ladder."""


def hottest(model: BinaryNeurons) -> float:
    """Return the temperature at which spins are nearly free, at least twice that of the model.

    Examples
    --------
    >>> round(hottest(BinaryNeurons([[0, 1], [1, 0]])), 3)
    2.0
    >>> round(hottest(BinaryNeurons([[0, 1], [1, 0]], temperature=0.1)), 2)
    1.82
    """
    sizes = abs(model.couplings)
    low = high = 2 * model.temperature

    def influence(temperature: float) -> float:
        bound = sizes.copy()
        bound.data = np.tanh(sizes.data / temperature)
        return float(bound.sum(axis=1).max())

    while influence(high) > LARGEST_INFLUENCE:
        low, high = high, 2 * high
    while high > low * (1 + 1e-3) and influence(low) > LARGEST_INFLUENCE:
        middle = np.sqrt(low) * np.sqrt(high)  # the product may overflow
        low, high = (middle, high) if influence(middle) > LARGEST_INFLUENCE else (low, middle)
    return float(high)


def grid(model: BinaryNeurons) -> tuple[float, ...]:
    """Return the temperatures of the pilot run, from that of the model to the hottest, by equal factors."""
    return tuple(np.geomspace(model.temperature, hottest(model), GRID).tolist())


def ladder(temperatures: tuple[float, ...], deviations: Floats, acceptance: float) -> tuple[float, ...]:
    """Return temperatures between the first and the last that swap with at least this acceptance.

    Parameters
    ----------
    temperatures : tuple of float
        Increasing.
    deviations : ndarray
        Standard deviation of the energy at each of them.
    acceptance : float
        Between 0 and 1.

    Examples
    --------
    >>> ladder((1.0, 2.0), np.array([4.0, 4.0]), acceptance=0.3)
    (1.0, 1.3333333333333333, 2.0)
    """
    betas = 1 / np.array(temperatures)
    with np.errstate(over="ignore"):  # refused below
        pieces = -np.diff(betas) * (deviations[1:] / 2 + deviations[:-1] / 2)
    length = np.concatenate([[0.0], np.cumsum(pieces)])
    needed = length[-1] / (2 * special.erfcinv(acceptance))
    if not needed <= MOST:
        raise ValueError(
            f"from {temperatures[0]:g} to {temperatures[-1]:g} {needed:.3g} temperatures are needed, more than {MOST}: "
            "raise the temperature of the model, ask for a smaller acceptance, or pass temperatures="
        )
    steps = max(1, int(np.ceil(needed)))
    inner = np.interp(length[-1] * np.arange(1, steps) / steps, length, betas)
    return (temperatures[0], *(1 / inner).tolist(), temperatures[-1])


def pilot(
    model: BinaryNeurons, energies: Callable[[tuple[float, ...]], Floats], acceptance: float
) -> tuple[float, ...]:
    """Return the ladder of a model; `energies` runs a grid of temperatures, shape (draws, temperatures)."""
    temperatures = grid(model)
    scaled, power = of_order_one(energies(temperatures))
    return ladder(temperatures, np.ldexp(scaled.std(axis=0), power), acceptance)
