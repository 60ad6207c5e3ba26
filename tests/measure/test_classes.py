"""The class that a network gives."""

import numpy as np
from scipy import special

from statnn.measure._classes import classes_of
from statnn.measure.basins import sample_basin
from statnn.network import Activation, Network


def test_a_single_output_on_one_side_of_zero_tells_by_what_it_is_at_a_field_of_zero():
    own = Activation("own sigmoid", special.expit, lambda h: special.expit(h) * special.expit(-h))
    basin = sample_basin(Network([[[1.0]]], activation=own), [[-0.5], [0.5]], draws=4, rng=0)
    assert basin.classes.tolist() == [0, 1]
    step = Activation("step", lambda h: np.heaviside(h, 0.0), np.zeros_like)
    basin = sample_basin(Network([[[1.0]]], activation=step), [[-0.5], [0.5]], draws=4, rng=0)
    assert basin.classes.tolist() == [0, 1]
    assert classes_of(Network([[[1.0]]], activation="tanh"), np.array([[0.0], [1e-300]])).tolist() == [0, 1]


def test_the_largest_of_several_outputs_is_told_however_small():
    bump = Activation("bump", lambda h: np.exp(-(h**2)), lambda h: -2 * h * np.exp(-(h**2)))
    assert classes_of(Network([np.eye(2)], activation=bump), np.array([[10.0, 9.0], [-9.0, 9.5]])).tolist() == [1, 0]
