"""States of chains that a user keeps."""

import numpy as np
import pytest

from statnn.interaction import BinaryNeurons
from statnn.montecarlo import HeatBath, sample


@pytest.mark.parametrize("size", [1, 2, 9])
@pytest.mark.parametrize("layout", ["replicas", "colours"])
def test_states_that_were_taken_stay_as_they_were(layout, size):
    """An observable may keep the states it is given; a view of them would follow the chain."""
    model = BinaryNeurons(np.zeros((size, size)))
    seen = []

    def states(spins):
        seen.append((spins, spins.copy()))
        return spins.mean(axis=1)

    sample(model, 20, chains=3, burn_in=0, rng=1, method=HeatBath(layout), observables={"mean": states})
    for kept, copied in seen:
        np.testing.assert_array_equal(kept, copied)
    assert len({copied.tobytes() for _, copied in seen}) > 1
