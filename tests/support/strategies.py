"""Number of examples that hypothesis draws."""

from hypothesis import settings


def examples(share):
    """Return settings that draw a multiple of the examples that the profile asks for."""
    return settings(max_examples=int(share * settings().max_examples))
