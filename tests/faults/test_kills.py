"""Ten kills at random moments; ``python tests/faults/inject.py`` has two hundred, and more that can go wrong."""

from functools import partial

import pytest
from faults.cases import into, kill_until_done, run, run_of

KILLS = {"hamiltonian": 4, "tempering": 3, "wolff": 3}


@pytest.mark.parametrize("method", KILLS)
def test_a_run_that_is_killed_and_started_again_is_the_one_that_never_was(method, rng, tmp_path):
    outcome = kill_until_done(partial(into, method), tmp_path, run_of, run(method), rng, kills=KILLS[method])
    assert outcome.kills == KILLS[method]
    assert outcome.later >= 1
    assert (outcome.failures, outcome.equal, outcome.left) == (0, True, ())
