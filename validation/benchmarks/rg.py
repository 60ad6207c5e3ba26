"""Speed of composing layers: powers of transfer operators, blocks of spins, against the readable ways."""

import time
from collections.abc import Iterator

import numpy as np

from statnn import rg
from validation.benchmarks.measure import Row, alternate

POINTS = 512
DOUBLINGS = 20


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
        ratio = alternate(lambda: operator.power(2**DOUBLINGS), peer, rounds=rounds, clock=time.perf_counter)
        yield Row(
            f"2^20 noisy layers, {operator.nodes.size} nodes (s)",
            f"{ratio.ours:.3g} s",
            f"{name}: {ratio.peer:.3g} s",
            str(ratio),
            ratio.ours,
            1,
            most=True,
            limit=f"{ratio.median:.2f} of dgemm" if peer is bare else "",
        )


def _spins(*, quick: bool) -> Iterator[Row]:
    layer = rg.BinaryLayer(np.random.default_rng(1).normal(size=(6, 6)) / 3)
    matrix = np.exp(layer.transfer().log_weights)

    def bare() -> None:
        square = matrix
        for _ in range(DOUBLINGS):
            square = square @ square
            square /= square.max()

    ratio = alternate(
        lambda: layer.power(2**DOUBLINGS), bare, rounds=3 if quick else 7, clock=time.perf_counter
    )  # fmt: skip
    yield Row(
        "2^20 layers of 6 spins, in logarithms",
        f"{ratio.ours * 1e3:.3g} ms",
        f"the products without logarithms: {ratio.peer * 1e3:.3g} ms",
        str(ratio),
    )


BENCHMARKS = (_operators, _spins)
