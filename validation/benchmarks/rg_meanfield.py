"""Speed of the phase diagram of wide random layers."""

import time
from collections.abc import Iterator

import numpy as np

from statnn import rg
from validation.benchmarks.measure import Row


def _diagram(*, quick: bool) -> Iterator[Row]:
    size = 63 if quick else 200
    sigma_w, sigma_b = np.linspace(0.5, 4, size), np.linspace(0, 2, size)
    rg.phase_diagram("tanh", sigma_w[:2], sigma_b[:2])
    begin = time.process_time()
    diagram = rg.phase_diagram("tanh", sigma_w, sigma_b)
    seconds = time.process_time() - begin
    rng, worst = np.random.default_rng(0), 0.0
    begin = time.process_time()
    for i, j in rng.integers(size, size=(50, 2)):
        exact = rg.RandomLayer("tanh", sigma_w[i], sigma_b[j]).fixed_point()
        pairs = ((exact.variance, diagram.variance), (exact.chi, diagram.chi), (exact.correlation, diagram.correlation))
        worst = max(worst, *(abs(value - grid[i, j]) for value, grid in pairs))
    each = (time.process_time() - begin) / 50
    yield Row(
        f"phase diagram {size} x {size}, tanh, to 1e-6 (s)",
        f"{seconds:.2f} s, error {worst:.1g}",
        f"RandomLayer.fixed_point one by one: {each * size**2:.1f} s",
        f"{each * size**2 / seconds:.1f}",
        seconds,
        10 * size**2 / 200**2,
        most=True,
    )


BENCHMARKS = (_diagram,)
