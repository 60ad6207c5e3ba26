"""Public programs that update spins, each as a function of the number of sweeps; those that are not installed are None.

``pip install statnn[peers]``. All of them start from a random state at every call, so that slopes give their costs.
"""

import importlib
from collections.abc import Callable
from typing import Any

from scipy import sparse

from statnn.interaction import BinaryNeurons

Sweeps = Callable[[int], object]


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _bonds(model: BinaryNeurons) -> dict[tuple[int, int], float]:
    """Return -J_ij of every bond: peers add J_ij s_i s_j to the energy, `BinaryNeurons` subtracts it."""
    upper = sparse.triu(model.couplings).tocoo()
    return {(int(i), int(j)): -float(J) for i, j, J in zip(*upper.coords, upper.data, strict=True)}


def dwave(model: BinaryNeurons, rule: str) -> Sweeps | None:
    """Return dwave-samplers by "Gibbs" or "Metropolis" (C++, one chain, cached energies)."""
    dimod, samplers = _module("dimod"), _module("dwave.samplers")
    if dimod is None or samplers is None:
        return None
    bqm = dimod.BinaryQuadraticModel.from_ising(dict(enumerate((-model.fields).tolist())), _bonds(model))
    sampler = samplers.SimulatedAnnealingSampler()
    schedule = {"beta_schedule_type": "custom", "beta_schedule": [1 / model.temperature]}
    return lambda sweeps: sampler.sample(
        bqm, num_sweeps_per_beta=sweeps, num_reads=1, proposal_acceptance_criteria=rule, seed=1, **schedule
    )


def openjij(model: BinaryNeurons) -> Sweeps | None:
    """Return openjij's Metropolis (C++, one chain, sparse matrix)."""
    program = _module("openjij")
    if program is None:
        return None
    bqm = program.BinaryQuadraticModel(
        dict(enumerate((-model.fields).tolist())), _bonds(model), 0.0, "SPIN", sparse=True
    )
    sampler = program.SASampler()
    return lambda sweeps: sampler.sample(
        bqm, schedule=[(1 / model.temperature, sweeps)], num_reads=1, sparse=True, seed=1
    )


def mcising(size: int, temperature: float) -> Sweeps | None:
    """Return mcising's Metropolis (Rust, only the square lattice with J = 1)."""
    program = _module("mcising")
    if program is None:
        return None
    lattice = program._core.IsingSimulation(size, 1.0, 0.0, 0.0, 0.0, 7)  # noqa: SLF001 - its wrapper measures as well
    return lambda sweeps: lattice.sweep(sweeps, temperature=temperature)
