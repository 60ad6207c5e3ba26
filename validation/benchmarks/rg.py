"""Speed of composing layers: powers of transfer operators, blocks of spins, against the readable ways."""

import time
from collections.abc import Callable, Iterator

import numpy as np

from statnn import rg
from validation.benchmarks.measure import alternate

Row = tuple[str, str, str, str]
POINTS = 512
DOUBLINGS = 20


def _ratio(ours: Callable[[], object], peer: Callable[[], object], rounds: int, scale: float) -> tuple[str, str, str]:
    found = alternate(ours, peer, rounds=rounds, clock=time.perf_counter)
    ratio = f"{found.median:.2f} [{found.lowest:.2f}, {found.highest:.2f}]"
    return f"{found.ours * scale:.3g}", f"{found.peer * scale:.3g}", ratio


def _operators(*, quick: bool) -> Iterator[Row]:
    """Yield the time of 2^20 layers at 512 nodes beside the bare products of matrices, and beside eigenvectors."""
    operator = rg.NoisyLayer("tanh", 1.0, 0.0, 0.01).operator(POINTS)
    P = operator.probabilities

    def bare() -> None:
        square = P
        for _ in range(DOUBLINGS):
            square = square @ square

    def eigenvectors() -> None:
        values, vectors = np.linalg.eig(P)
        ((vectors * values**2**DOUBLINGS) @ np.linalg.inv(vectors)).real.sum()

    rounds = 3 if quick else 7
    for name, peer in (("the bare 20 products", bare), ("eigenvectors of numpy", eigenvectors)):
        ours, theirs, ratio = _ratio(lambda: operator.power(2**DOUBLINGS), peer, rounds, 1.0)
        yield f"2^20 noisy layers, {operator.nodes.size} nodes (< 1 s)", f"{ours} s", f"{name}: {theirs} s", ratio


def _spins(*, quick: bool) -> Iterator[Row]:
    layer = rg.BinaryLayer(np.random.default_rng(1).normal(size=(6, 6)) / 3)
    matrix = np.exp(layer.transfer().log_weights)

    def bare() -> None:
        square = matrix
        for _ in range(DOUBLINGS):
            square = square @ square
            square /= square.max()

    ours, theirs, ratio = _ratio(lambda: layer.power(2**DOUBLINGS), bare, 3 if quick else 7, 1e3)
    yield "2^20 layers of 6 spins, in logarithms", f"{ours} ms", f"the products without logarithms: {theirs} ms", ratio


BENCHMARKS = (_operators, _spins)
