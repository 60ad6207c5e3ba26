"""What burn-in learns: scales of coordinates, and the step."""

import numpy as np
import pytest

from statnn.montecarlo._dynamic.adaptation import DualAveraging, Variances


def test_variances_are_drawn_to_the_guess_as_by_five_more_draws(rng):
    positions = rng.normal(3.0, 2.0, (6, 10, 4))  # batches, chains, coordinates
    guess = np.full(4, 0.7)
    learnt = Variances(axis=0)
    for batch in positions:
        learnt.add(batch)
    squares = 60 * positions.reshape(60, 4).var(axis=0)
    np.testing.assert_allclose(learnt.shrunk(guess), (squares + 5 * guess) / 65, rtol=1e-12)


def test_the_step_to_keep_is_an_average_of_those_tried(rng):
    """log ε̄_t = t^-κ log ε_t + (1 - t^-κ) log ε̄_{t-1} (Hoffman & Gelman 2014)."""
    learnt, average = DualAveraging(0.1, 0.8), 0.0
    for t, acceptance in enumerate(rng.uniform(0.5, 1.0, 40), start=1):
        learnt.learn(acceptance)
        average = t**-0.75 * np.log(learnt.step) + (1 - t**-0.75) * average
    assert learnt.final == pytest.approx(np.exp(average), rel=1e-12)
    assert learnt.final != learnt.step
