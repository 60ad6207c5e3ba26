"""Speed of coarse-graining and of Monte Carlo renormalisation in `statnn.rg`."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from statnn.interaction import square_lattice
from statnn.montecarlo import MultiSpin
from statnn.rg import LinearisedFlow, block_means, block_spins, critical_coupling, decimate, operators, sample_flow
from statnn.rg.lattice._operators import measure
from validation.benchmarks.measure import Row, alternate

COUPLING = float(np.log1p(np.sqrt(2)) / 2)


def _blocks(*, quick: bool) -> Iterator[Row]:
    """Yield nanoseconds per site of the input, and the share of the bandwidth of numpy's copy in the same rounds."""
    shapes = {
        "64 replicas of 1024²": (64, 1024, 1024),
        "16384 replicas of 64²": (2**14, 64, 64),
        "64 replicas of 96³": (64, 96, 96, 96),
    }
    for name, shape in shapes.items():
        small = (max(1, shape[0] // 16), *shape[1:]) if quick else shape
        states = 2 * np.random.default_rng(1).integers(0, 2, small, np.int8) - 1
        there = np.empty_like(states)
        ways = {
            "majority": lambda states=states: block_spins(states, 2, rng=1),
            "every second layer": lambda states=states: decimate(states, 2),
        }
        for way, call in ways.items():
            ratio = alternate(
                call, lambda states=states, there=there: np.copyto(there, states), rounds=5 if quick else 15
            )
            moved = 1 + call().size / states.size  # bytes read and written, by site
            share = moved * ratio.median / 2
            yield Row(
                f"blocks of two, {name}: {way} (ns)",
                f"{1e9 * ratio.ours / states.size:.3f} ns/site",
                f"copy {1e9 * ratio.peer / states.size:.3f} ns/site, {2 * states.size / ratio.peer / 1e9:.1f} GB/s",
                reached=1e9 * ratio.ours / states.size,
                target=1,
                most=True,
                limit=f"{share:.2f} of the bandwidth of a copy",
            )
        if len(shape) == 3:
            activity = states[: max(1, len(states) // 16)].astype(float)
            split = (len(activity), small[1] // 2, 2, small[2] // 2, 2)
            ratio = alternate(
                lambda activity=activity: block_means(activity, 2),
                lambda activity=activity, split=split: activity.reshape(split).mean(axis=(2, 4)),
                rounds=3 if quick else 7,
            )
            yield Row(
                f"blocks of two, {name}: mean of float64",
                f"{1e9 * ratio.ours / activity.size:.3f} ns/site",
                f"numpy {1e9 * ratio.peer / activity.size:.3f} ns/site",
                str(ratio),
            )


def _operators(*, quick: bool) -> Iterator[Row]:
    states = 2 * np.random.default_rng(1).integers(0, 2, (64, 64, 64), np.int8) - 1
    chosen = operators(2)

    def plain() -> None:
        for operator in chosen:
            for cluster in operator.clusters:
                product = states
                for row, column in cluster[1:]:
                    product = product * np.roll(states, (-row, -column), axis=(1, 2))
                product.reshape(64, -1).sum(axis=1)

    ratio = alternate(lambda: measure(states, chosen), plain, rounds=3 if quick else 9)
    yield Row(
        "11 operators, 24 clusters, on 64 replicas of 64²",
        f"{1e6 * ratio.ours / 64:.1f} µs/replica",
        f"numpy {1e6 * ratio.peer / 64:.1f} µs/replica",
        str(ratio),
    )


def _renormalisation(*, quick: bool) -> Iterator[Row]:
    """Time 64 replicas of 64² with 1e5 sweeps, multi-spin coding, every level and operator every 50 sweeps."""
    sweeps = 10_000 if quick else 100_000

    def run(length: int, levels: int, count: int) -> LinearisedFlow:
        lattice = square_lattice(length, length, temperature=1 / COUPLING)
        with ThreadPoolExecutor(2) as pool:
            return sample_flow(
                lattice, (length, length), count, chains=64, burn_in=count // 5, thin=50, levels=levels,
                method=MultiSpin(), rng=1, executor=pool, progress=False,
            )  # fmt: skip

    run(64, 4, 100)  # compiled
    begin, used = time.perf_counter(), time.process_time()
    large = run(64, 4, sweeps)
    taken, used = time.perf_counter() - begin, time.process_time() - used
    yield Row(
        f"renormalisation, 64 replicas of 64², {sweeps:.0e} sweeps and a fifth before (s)",
        f"{taken:.1f} s",
        f"{used:.1f} s of processor time",
        reached=taken,
        target=120,
        most=True,
    )
    yield Row(
        "  16² -> 8², all operators: y_t, y_h (1 and 1.875 within 1 %)",
        peer=f"{large.y_t[2, -1]:.4f} ± {large.y_t_error[2, -1]:.4f}, "
        f"{large.y_h[2, -1]:.4f} ± {large.y_h_error[2, -1]:.4f}",
        reached=max(abs(large.y_t[2, -1] - 1), abs(large.y_h[2, -1] / 1.875 - 1)),
        target=0.01,
        most=True,
    )
    match = critical_coupling(large, run(32, 3, sweeps), COUPLING)
    yield Row(
        "  64² and 32² matched: K_c (0.440687 within 0.1 %)",
        peer=f"{match.coupling:.6f} ± {match.error:.6f}",
        reached=abs(match.coupling / COUPLING - 1),
        target=0.001,
        most=True,
    )


BENCHMARKS = (_blocks, _operators, _renormalisation)
