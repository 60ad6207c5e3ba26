"""Noisy layers whose signals stay for long at places where the stationary law has hardly any mass."""

import numpy as np
import pytest

from statnn import rg
from statnn.network import Activation

BELL = Activation(
    "bell", lambda h: 10 * np.exp(-((h - 10) ** 2) / 8), lambda h: (25 - 2.5 * h) * np.exp(-((h - 10) ** 2) / 8)
)
SLOW = {
    "ghost of a well": ("tanh", 2.0, -0.55, 0.05, 1.0, 0.908299),
    "ghost in wide steps": ("tanh", 2.0, -0.6, 0.03, 1.0, 0.459222),
    "well far away": (BELL, 1.0, 0.0, 0.2, 10.0, 0.998720),
    "well that kicks empty": (BELL, 1.0, 0.0, 0.5, 10.0, 0.891643),
}


@pytest.mark.parametrize("case", SLOW)
def test_the_rate_at_which_signals_leave_is_the_slowest(case):
    """The reference is the trapezoidal rule over all places that the layer may reach."""
    sigma, w, b, noise, most, known = SLOW[case]
    layer = rg.NoisyLayer(sigma, w, b, noise)
    x = np.arange(-1 - 8 * noise, most + 8 * noise, noise / 3)
    law = np.exp(-(((x[:, None] - layer.mean(x)) / noise) ** 2) / 2) / (3 * np.sqrt(2 * np.pi))
    slowest = np.sort(np.abs(np.linalg.eigvals(law)))[-2]
    assert slowest == pytest.approx(known, abs=1e-6)
    assert layer.correlation_length() == pytest.approx(-1 / np.log(slowest), rel=1e-9)


def test_places_from_which_signals_go_on_for_ever_are_left_out():
    """Above the repelling point at 10 the square grows without end: nodes there would hold signals like a wall."""
    square = rg.NoisyLayer(Activation("square", np.square, lambda h: 2 * h), 10**-0.5, 0.0, 0.1)
    assert square.stationary().nodes[-1] < 5
