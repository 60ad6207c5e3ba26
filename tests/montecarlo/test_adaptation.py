"""What burn-in learns: scales of coordinates."""

import numpy as np

from statnn.montecarlo._dynamic.adaptation import Variances


def test_variances_are_drawn_to_the_guess_as_by_five_more_draws(rng):
    positions = rng.normal(3.0, 2.0, (6, 10, 4))  # batches, chains, coordinates
    guess = np.full(4, 0.7)
    learnt = Variances(axis=0)
    for batch in positions:
        learnt.add(batch)
    squares = 60 * positions.reshape(60, 4).var(axis=0)
    np.testing.assert_allclose(learnt.shrunk(guess), (squares + 5 * guess) / 65, rtol=1e-12)
