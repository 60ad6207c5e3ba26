"""What hypothesis draws: parameters over all their decades, with the corners where digits are lost."""

import math

from hypothesis import settings
from hypothesis import strategies as st

LEAST_B, MOST_B = 1e-3, 10.0
MOST_NEURONS = 10**12
MOST_SAMPLES = 10**18


def examples(share):
    """Draw a multiple of the examples that the profile asks for."""
    return settings(max_examples=int(share * settings().max_examples))


def log_uniform(low, high):
    """Reals spread evenly over decades, both ends included."""
    spread = st.floats(math.log(low), math.log(high)).map(math.exp).map(lambda x: min(max(x, low), high))
    return spread | st.sampled_from([low, high])


def decades(low, high):
    """Whole numbers spread evenly over decades, both ends included."""
    return log_uniform(low, high).map(lambda x: min(max(round(x), low), high))


def neurons(most=MOST_NEURONS):
    return st.sampled_from([2, 3, most]) | decades(2, most)


def constants():
    """The b of the hypothesis."""
    return st.sampled_from([LEAST_B, 0.5, 1.0, 2.0, MOST_B]) | log_uniform(LEAST_B, MOST_B)


def samples():
    """Real numbers of samples; results for the smallest are still normal floats."""
    corners = [0.0, 1e-250, math.nextafter(1.0, 0.0), 1.0, math.nextafter(1.0, 2.0), 1e18]
    return st.sampled_from(corners) | log_uniform(1e-9, 1e18) | whole_samples().map(float)


def whole_samples(most=MOST_SAMPLES):
    return st.integers(0, 20) | st.sampled_from([0, 1, most]) | decades(1, most)


def activities(N):
    """Values of c in (0, N), tiny, ordinary and one rounding below N."""
    corners = [math.nextafter(N, 0.0), N * (1 - 1e-12), N * (1 - 1e-4), N / 2, 1e-12]
    return st.sampled_from(corners) | log_uniform(1e-12, N / 2) | log_uniform(1e-12, 0.5).map(lambda gap: N * (1 - gap))


@st.composite
def parameters(draw, most=MOST_NEURONS):
    """(N, b, c) with 0 < c < N."""
    N = draw(neurons(most))
    return N, draw(constants()), draw(activities(N))
