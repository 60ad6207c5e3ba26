"""Ten kills at random moments; ``python tests/faults/inject.py`` has two hundred, and more that can go wrong."""

import pytest
from faults.kills import kill_until_done

KILLS = {"sample, hamiltonian": 3, "sample, tempering": 2, "sample on processes": 3, "sweep": 2}


@pytest.mark.parametrize("name", KILLS)
def test_work_that_is_killed_and_started_again_is_what_it_had_been(name, rng, tmp_path):
    outcome = kill_until_done(name, tmp_path, rng, kills=KILLS[name])
    assert outcome.kills == KILLS[name]
    assert outcome.later >= 1
    assert (outcome.failures, outcome.equal, outcome.left) == (0, True, ())
