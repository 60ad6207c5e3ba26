r"""Exact averages of small or solvable models, with one way for each reason why a model is solvable.

Few spins are enumerated; narrow layers have transfer matrices; linear networks are Gaussian. Everything else is for
Monte Carlo, and these answers are what it has to meet.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from statnn._arguments import Floats, switch
from statnn._arrays import read_only
from statnn._by_value import ByValue
from statnn.interaction._exact.averages import Reduced
from statnn.interaction._exact.enumeration import MOST_SPINS, enumerate_states
from statnn.interaction._exact.transfer import MOST_PAIR, MOST_WIDE, transfer
from statnn.interaction._protocols import Spins

METHODS = ("enumeration", "transfer")
MOST_STRENGTH = 1e13
"""Largest (Σ_j |J_ij| + |h_i|)/T of a spin: beyond it, the rounding of energies is felt in every weight."""

HOT = 1 / 4
"""The same, up to which transfer matrices find ⟨E⟩ from its derivative by the inverse temperature, which is -Var E."""
NODES, NODES_HOT = 8, 4
"""Nodes of Gauss's rule, whose error is of the order of HOT^16; half as many do at four times the temperature."""

HOTTEST = 1e-17
"""The same below which ⟨E⟩ = -(Σ J² + Σ h²)/T to rounding: by T it may be below all floats."""


@dataclass(frozen=True, eq=False, repr=False)
class Exact(ByValue):
    r"""Exact averages of binary neurons, Boltzmann's constant 1; standing [exact].

    Parameters
    ----------
    method : str
        How the averages were found.
    temperature : float
        T.
    log_partition : float
        ln Z, Z = Σ exp(-E/T).
    energy : float
        ⟨E⟩.
    heat_capacity : float
        (⟨E²⟩ - ⟨E⟩²)/T².
    entropy : float
        -Σ p ln p = ln Z + ⟨E⟩/T, found without this cancellation except on the torus.
    magnetisation : ndarray, shape (N,)
        ⟨s_i⟩, read-only.
    correlation : ndarray, shape (N, N), or None
        Connected, ⟨s_i s_j⟩ - ⟨s_i⟩⟨s_j⟩, read-only; 1 - ⟨s_i⟩² on the diagonal. None if it was not asked for.

    See Also
    --------
    BinaryNeurons.exact, kaufman : make it.
    ExactGaussian : exact averages of `DynamicNeurons`.

    Notes
    -----
    Numbers are correct to rounding: relative errors are a few 1e-16 times the larger of 1 and |E|/T, which is what
    exp(-E/T) loses in float64. Entries of `magnetisation` and `correlation`, and the root of the heat capacity, have
    this as an absolute error: a heat capacity far below one, of nearly degenerate levels, has few digits.
    """

    method: str
    temperature: float
    log_partition: float
    energy: float
    heat_capacity: float
    entropy: float
    magnetisation: Floats
    correlation: Floats | None = None

    def __post_init__(self) -> None:
        for array in (self.magnetisation, self.correlation):
            if array is not None:
                read_only(array)

    @property
    def free_energy(self) -> float:
        """F = -T ln Z."""
        return -self.temperature * self.log_partition


def exact(model: Spins, method: str | None = None, *, correlations: bool = True) -> Exact:
    """Return the exact averages of binary neurons: see `BinaryNeurons.exact`."""
    if method is not None and method not in METHODS:
        raise ValueError(
            f"method = {method!r} is unknown; allowed are {', '.join(METHODS)}, or None for the fitting one"
        )
    if method == "enumeration" and model.size > MOST_SPINS:
        raise ValueError(
            f"{model.size} spins have 2^{model.size} states; at most {MOST_SPINS} spins are enumerated; "
            f"'transfer' solves any number in layers of up to {MOST_WIDE} spins, {MOST_PAIR} in two neighbouring layers"
        )
    with np.errstate(over="ignore"):
        couplings: Any = model.couplings.copy()
        couplings.data = couplings.data / model.temperature  # scipy multiplies by 1/T, which may overflow
        fields = model.fields / model.temperature
        strength = float((abs(couplings) @ np.ones(model.size) + np.abs(fields)).max())
    if not strength <= MOST_STRENGTH:
        raise ValueError(
            f"local fields reach {strength:.3g} T: the rounding of energies E is felt in exp(-E/T) beyond "
            f"{MOST_STRENGTH:g}; raise the temperature of {model.temperature:g}, this is the ground state already"
        )
    method = method or ("enumeration" if model.size <= MOST_SPINS else "transfer")
    layer_of = np.empty(model.size, dtype=np.int64)
    for l, layer in enumerate(model.layers if method == "transfer" else ()):
        layer_of[layer] = l

    def solved(share: float, *, correlations: bool) -> Reduced:
        """Solve at the temperature T / share."""
        J, h = couplings * share, fields * share
        if method == "enumeration":
            return enumerate_states(J.toarray(), h, correlations=correlations)
        return transfer(J, h, layer_of, correlations=correlations)

    averages = solved(1.0, correlations=switch(correlations, "correlations"))
    if method == "transfer" and strength <= HOT:
        # energies nearly cancel in their mean; -∫ Var dβ is a sum of one sign
        points, weights = np.polynomial.legendre.leggauss(NODES_HOT if strength <= HOT / 4 else NODES)
        shares = ((points + 1) / 2).tolist()
        parts = (
            part / 2 * solved(share, correlations=False).variance / share**2
            for share, part in zip(shares, weights.tolist(), strict=True)
        )
        averages = averages._replace(energy=0.0 - math.fsum(parts))
    energy = model.temperature * averages.energy
    if strength <= HOTTEST:
        energy = 0.0 - float(model.couplings.data @ couplings.data / 2 + model.fields @ fields)
    return Exact(
        method=method,
        temperature=model.temperature,
        log_partition=averages.log_partition,
        energy=energy,
        heat_capacity=averages.variance,
        entropy=averages.entropy,
        magnetisation=averages.magnetisation,
        correlation=averages.correlation,
    )
