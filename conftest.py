"""What tests and the examples of docstrings share."""

from __future__ import annotations

import gc
import sys
from collections.abc import Generator, Iterator

import pytest


@pytest.fixture(autouse=True)
def no_figure_stays_open() -> Iterator[None]:
    """Close what was drawn: matplotlib warns where more than twenty figures are open."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Search for no garbage in modules and tests, which stay: not while they are loaded, and not while tests run.

    Of what tests make, hardly anything is garbage that counts of references leave over; sympy makes much of the rest.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(50_000)
        gc.enable()
