"""Speed of `statnn.activation` against numpy's plain way to the same numbers."""

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy import special

from statnn.activation import BetaBernoulli, PolyaUrn, checkpoints
from validation.benchmarks.measure import Row, alternate


def _numpy_counts(process: BetaBernoulli, D: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw ``beta`` once and ``binomial`` per checkpoint: counts of shape (T, N)."""
    white = process.b * (process.neurons - process.c) / process.c
    p = rng.beta(process.b, white, process.neurons)
    counts = np.zeros((D.size + 1, process.neurons), dtype=np.int64)
    before = 0
    for t, samples in enumerate(D.tolist()):
        counts[t + 1] = counts[t] + rng.binomial(samples - before, p)
        before = samples
    return counts[1:]


def _paths(*, quick: bool) -> Iterator[Row]:
    neurons = 10**5 if quick else 10**6
    process, D = BetaBernoulli(neurons, b=0.3, c=0.005 * neurons), checkpoints(10**12, 60)
    rng = np.random.default_rng(1)
    rounds = 3
    ratio = alternate(
        lambda: process.simulate(D, 20, rng=rng).working,
        lambda: np.count_nonzero(_numpy_counts(process, D, rng), axis=1),
        rounds=rounds,
    )
    yield Row(
        f"exact K-path, N = {neurons:.0e}, 60 checkpoints to D = 1e12",
        f"{ratio.ours / 20 * 1e3:.2f} ms",
        f"numpy beta, binomial: {ratio.peer:.2f} s",
        f"{ratio.median * 20:.0f}",
        ratio.median * 20,
        20,
    )
    ratio = alternate(
        lambda: process.simulate(D, 1, rng=rng, counts=True),
        lambda: _numpy_counts(process, D, rng),
        rounds=rounds,
    )
    yield Row(
        f"counts at all checkpoints, N = {neurons:.0e}, one core",
        f"{ratio.ours:.2f} s",
        f"numpy beta, binomial: {ratio.peer:.2f} s",
        str(ratio),
        ratio.median,
        1,
    )
    with ThreadPoolExecutor(1) as single, ThreadPoolExecutor(2) as double:
        ratio = alternate(
            lambda: process.simulate(D, 1, rng=rng, counts=True, executor=double),
            lambda: process.simulate(D, 1, rng=rng, counts=True, executor=single),
            rounds=rounds,
            clock=time.perf_counter,
        )
    yield Row(
        f"counts at all checkpoints, N = {neurons:.0e}, two threads",
        f"{ratio.ours:.2f} s",
        f"one thread: {ratio.peer:.2f} s",
        str(ratio),
        ratio.median,
        1.7,
        limit=f"{ratio.median / 2:.2f} of two cores",
    )


def _urn(*, quick: bool) -> Iterator[Row]:
    neurons, events, few = 10**4, 10**7 if quick else 10**8, 2000
    urn = PolyaUrn(neurons, b=1.0)
    rng = np.random.default_rng(2)

    def numpy_steps() -> None:
        weights = np.ones(neurons)
        for _ in range(few):
            total = weights.cumsum()
            weights[np.searchsorted(total, rng.random() * total[-1], side="right")] += 1

    ratio = alternate(
        lambda: urn.simulate([events], 1, rng=rng, method="stepwise"), numpy_steps, rounds=3 if quick else 2
    )
    yield Row(
        f"stepwise urn, N = {neurons:.0e}, {events:.0e} events, one core (ns)",
        f"{ratio.ours / events * 1e9:.1f} ns per event",
        f"numpy cumsum, searchsorted: {ratio.peer / few * 1e6:.1f} us",
        f"{ratio.median * events / few:.0f}",
        ratio.ours / events * 1e9,
        20,
        most=True,
    )


def _laws(*, quick: bool) -> Iterator[Row]:
    del quick  # a tenth of a second either way
    process, D = BetaBernoulli(1000, b=0.3, c=5.0), np.geomspace(1, 1e18, 10**6)
    a = process.b * process.neurons / process.c

    def four_gammas() -> np.ndarray:
        rest = special.gammaln(a) - special.gammaln(a - process.b)
        return -process.neurons * np.expm1(special.gammaln(D + a - process.b) - special.gammaln(D + a) + rest)

    ratio = alternate(lambda: process.working(D), four_gammas, rounds=7)
    yield Row(
        "working(D), 1e6 values up to D = 1e18 (ns)",
        f"{ratio.ours / D.size * 1e9:.0f} ns per value",
        f"four gammaln of scipy, without digits: {ratio.peer / D.size * 1e9:.0f} ns",
        f"{ratio.median:.2f}",
        ratio.ours / D.size * 1e9,
        200,
        most=True,
    )


def _imports(*, quick: bool) -> Iterator[Row]:
    def start(code: str) -> None:
        subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 - our own interpreter and code

    ratio = alternate(
        lambda: start("import statnn"),
        lambda: start("import scipy.stats"),
        rounds=3 if quick else 9,
        clock=time.perf_counter,
    )
    yield Row(
        "import statnn, whole process (s)",
        f"{ratio.ours:.3f} s",
        f"import scipy.stats: {ratio.peer:.3f} s",
        f"{ratio.median:.1f}",
        ratio.ours,
        0.5,
        most=True,
    )


BENCHMARKS = (_paths, _urn, _laws, _imports)
