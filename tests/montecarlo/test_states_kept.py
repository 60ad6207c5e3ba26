"""States of chains that a user keeps, and draws that are recorded."""

import numpy as np
import pytest

from statnn.interaction import BinaryNeurons
from statnn.montecarlo import HeatBath, sample
from statnn.montecarlo._record import Recorder


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


def test_draws_that_were_recorded_before_stand_in_their_order():
    first, second = np.arange(6.0).reshape(2, 3), np.arange(10.0, 14).reshape(2, 2)
    recorder = Recorder({"energy": None}, 7)
    for part in (first, second):
        recorder.take({"energy": part})
    np.testing.assert_array_equal(recorder.records["energy"], np.concatenate((first, second), axis=1))
    np.testing.assert_array_equal(recorder.since(3)["energy"], second)


@pytest.mark.parametrize(
    ("first", "later", "fits"), [(1, 0.5, False), (1.0, 2, True), (True, 2, False), (1, True, True)]
)
def test_draws_of_another_type_are_refused_unless_nothing_is_lost(first, later, fits):
    recorder = Recorder({"own": None}, 2)
    recorder.take({"own": np.array([[first]])})
    if fits:
        recorder.take({"own": np.array([[later]])})
        assert recorder.records["own"].tolist() == [[first, later]]
    else:
        with pytest.raises(ValueError, match="it must return the same for every draw"):
            recorder.take({"own": np.array([[later]])})
