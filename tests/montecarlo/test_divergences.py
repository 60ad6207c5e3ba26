"""Trajectories that diverged: what an estimate says about them."""

import warnings

import numpy as np
import pytest
from test_hamiltonian import model_of

from statnn.montecarlo import Ancestral, Hamiltonian, Run, UntrustedEstimate, sample


@pytest.mark.parametrize(
    ("method", "diverged", "shorter"),
    [(Hamiltonian(), 2, "acceptance=0.99"), (Hamiltonian(), 0, None),
     (Hamiltonian(acceptance=0.9), 3, "acceptance=0.99"),
     (Hamiltonian(acceptance=0.99), 2, "acceptance=0.995"), (Hamiltonian(step=0.2), 2, "step=0.05"),
     (Ancestral(), 9999, None)],
)  # fmt: skip
def test_divergences_are_told_with_what_helps(method, diverged, shorter):
    said = method.doubts({"divergences": np.array([diverged - 1, 1]) * (diverged > 0)}, 10_000)
    assert len(said) == (shorter is not None)
    for words in said:
        assert words.startswith(f"{diverged} of 10000 trajectories diverged: ")
        assert words.endswith(f"take method=Hamiltonian({shorter}), a shorter one")


def test_runs_whose_trajectories_diverged_are_not_trusted(tmp_path):
    """One warning holds divergences and all other doubts, also of a run of blocks, loaded from a file or extended."""
    steps = {"coordinates": "neurons", "steps": 20}
    ask = {"chains": 70, "burn_in": 0, "thin": 2, "rng": 1, "observables": ["energy"]}
    run = sample(model_of(), 20, **ask, method=Hamiltonian(step=50.0, **steps))
    run.save(tmp_path / "run.npz")
    assert len(run.walkers()) > 1
    for walked, moves in ((run, 1400), (Run.load(tmp_path / "run.npz"), 1400), (run.extend(20), 2800)):
        with pytest.warns(
            UntrustedEstimate, match=rf" of {moves} trajectories diverged.*Hamiltonian\(step=12.5\)"
        ) as said:
            estimated = walked.estimate("energy")
        assert len(said) == 1
        assert str(estimated.warning) == str(said[0].message)
        assert "chains disagree" in str(estimated.warning)
        assert "diverged" in walked._table().rows[0][-1]
    assert "diverged" not in str(estimate_of(sample(model_of(), 20, **ask, method=Hamiltonian(step=0.05, **steps))))


def estimate_of(run):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UntrustedEstimate)
        return run.estimate("energy").warning
