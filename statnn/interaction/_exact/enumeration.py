r"""Exact averages of few spins: all 2^N states with their weights.

With ε = (E - min E)/T the weights exp(-ε) neither overflow nor vanish together; averages and the variance are taken
of ε, so that they keep their digits at any temperature. The energies of all states add up to zero, and so ⟨E⟩ Z is the
sum of E [exp(-E/T) - 1], whose terms have one sign, however nearly energies cancel at high temperature. One- and
two-spin averages split the spins into a lower and an upper half: with the states as a matrix p of shape (2^{N-n}, 2^n),
⟨s_i s_j⟩ across the halves is S^T p S.
"""

from __future__ import annotations

import math

import numpy as np

from statnn._arguments import Floats
from statnn.interaction._exact.averages import Reduced
from statnn.interaction._exact.states import energies, second_moments, spins

MOST_SPINS = 20


def enumerate_states(couplings: Floats, fields: Floats, *, correlations: bool) -> Reduced:
    """Solve spins with dense couplings J/T and fields h/T by their 2^N states."""
    energy = energies(couplings, fields)
    lowest = float(energy.min())
    excess = energy - lowest
    weight = np.exp(-excess)
    ground = int(np.argmax(weight))
    log_total = math.log1p(float(weight[:ground].sum() + weight[ground + 1 :].sum()))  # all but the largest, which is 1
    rest = weight - math.exp(lowest) if lowest < -1 else math.exp(lowest) * np.expm1(-energy)
    total = float(weight.sum())
    average = float((energy * rest).sum()) / total
    weight /= total
    mean = float((weight * excess).sum())  # pairwise sums: a dot product of 2^20 terms would lose three digits
    magnetisation, correlation = _moments(weight, fields.size, correlations=correlations)
    return Reduced(
        log_partition=log_total - lowest,
        energy=average + 0.0,
        variance=float((weight * (excess - mean) ** 2).sum()),
        entropy=log_total + mean,
        magnetisation=magnetisation,
        correlation=correlation,
    )


def _moments(weight: Floats, size: int, *, correlations: bool) -> tuple[Floats, Floats | None]:
    """Return ⟨s_i⟩ and, if wanted, ⟨s_i s_j⟩ - ⟨s_i⟩⟨s_j⟩ of a law on all states."""
    half = size // 2
    low, high = spins(half), spins(size - half)
    joint = weight.reshape(len(high), len(low))
    of_low, of_high = joint.sum(axis=0), joint.sum(axis=1)
    mean_low, mean_high = of_low @ low, of_high @ high
    magnetisation = np.concatenate([mean_low, mean_high])
    if not correlations:
        return magnetisation, None
    low, high = low - mean_low, high - mean_high
    across = high.T @ (joint @ low)
    within_low, within_high = second_moments(of_low, low), second_moments(of_high, high)
    return magnetisation, np.block([[within_low, across.T], [across, within_high]])
