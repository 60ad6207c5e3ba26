"""Speed of `statnn.montecarlo` on binary neurons: nanoseconds per update of a spin, in each replica, on one core.

All programs for the same work take turns in one process. A ratio is taken to the fastest peer, round by round, and its
median is given; peers take up to a second to set up, so that a slope needs hundreds of their sweeps. Vectors have the
width that numba chooses; for 512 bits where it chooses 256, set ``NUMBA_CPU_NAME`` to the processor's name and
``NUMBA_CPU_FEATURES`` to its features with ``-prefer-256-bit`` before Python starts.
"""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse

from statnn.interaction import BinaryNeurons, square_lattice
from statnn.montecarlo import Method, sample
from statnn.montecarlo._blocks.method import Blocks
from statnn.montecarlo._multispin.method import MultiSpin
from statnn.montecarlo._single_spin.method import HeatBath, Metropolis
from validation.benchmarks import peers
from validation.benchmarks.measure import Row, Work, alternate, draws, products, slopes

CRITICAL = 2 / np.log1p(np.sqrt(2))
DRAWS = "random numbers alone, one per update"


def _ours(model: BinaryNeurons, method: Method[Any], chains: int, few: int, many: int) -> Work:
    """Return sweeps of chains that go on from call to call, after a burn-in."""
    seed = (1, ())
    walkers = method.settled(model, chains, seed).walkers(model, seed, range(chains), None)
    walkers.burn_in(few)
    return Work(walkers.sweep, few, many, model.size * chains)


def _peers(sweeps: Mapping[str, peers.Sweeps | None], size: int, few: int, many: int) -> dict[str, Work]:
    return {name: Work(run, few, many, size) for name, run in sweeps.items() if run is not None}


def _table(
    ours: Mapping[str, tuple[Work, float | None]],
    theirs: Mapping[str, peers.Sweeps | None],
    counts: tuple[int, int],
    size: int,
    rounds: int,
    limit: Work,
    what: str,
) -> Iterator[Row]:
    """Yield a row for each of ours, with its target, against the fastest of theirs and what the processor can do."""
    there = _peers(theirs, size, *counts)
    missing = [name for name in theirs if name not in there]
    if missing:
        yield Row(f"not installed: {', '.join(missing)}", peer="pip install statnn[peers]")
    times = slopes({**{name: work for name, (work, _) in ours.items()}, **there, "limit": limit}, rounds=rounds)
    steady = {name: float(np.median(times[name])) for name in there if (times[name] > 0).all()}
    for name in there.keys() - steady.keys():
        yield Row(f"left out: {name}, whose set-up varies by more than its sweeps take")
    order = sorted(steady, key=lambda name: steady[name])
    peer = ", ".join(f"{name} {steady[name]:.1f} ns" for name in order)
    for name, (_, target) in ours.items():
        ratio = times[order[0]] / times[name] if order else None
        yield Row(
            name,
            f"{np.median(times[name]):.2f} ns",
            peer,
            "" if ratio is None else f"{np.median(ratio):.1f} [{ratio.min():.1f}, {ratio.max():.1f}]",
            None if ratio is None else float(np.median(ratio)),
            target,
            limit=f"{np.median(times['limit'] / times[name]):.2f} of {what}",
        )


def _lattice(*, quick: bool) -> Iterator[Row]:
    size, rounds = 256, 3 if quick else 9
    model = square_lattice(size, size, temperature=CRITICAL)
    ours = {
        "lattice 256², 64 replicas, heat bath": (_ours(model, HeatBath("replicas"), 64, 5, 25), 5.0),
        "lattice 256², 64 replicas, Metropolis": (_ours(model, Metropolis("replicas"), 64, 5, 25), 5.0),
        "lattice 256², one replica, heat bath": (_ours(model, HeatBath("colours"), 1, 400, 2400), None),
        "lattice 256², one replica, Metropolis": (_ours(model, Metropolis("colours"), 1, 400, 2400), None),
        "lattice 256², one replica, multi-spin coding": (_ours(model, MultiSpin(), 1, 4000, 24000), 12.0),
        "lattice 256², 1024 replicas, multi-spin coding": (_ours(model, MultiSpin(), 1024, 4, 16), 30.0),
    }
    theirs = {
        "mcising": peers.mcising(size, CRITICAL),
        "openjij": peers.openjij(model),
        "dwave": peers.dwave(model, "Metropolis"),
    }
    yield from _table(ours, theirs, (20, 520), model.size, rounds, draws(), DRAWS)


def _sparse(*, quick: bool) -> Iterator[Row]:
    spins, degree, rounds = 10_000, 6, 3 if quick else 9
    rng = np.random.default_rng(3)
    pairs = rng.integers(spins, size=(spins * degree // 2, 2))
    pairs = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0)
    values = rng.normal(scale=degree**-0.5, size=len(pairs))
    upper = sparse.coo_array((values, tuple(pairs.T)), shape=(spins, spins)).tocsr()
    model = BinaryNeurons(upper + upper.T)
    ours = {
        "sparse random graph, 64 replicas": (_ours(model, HeatBath("replicas"), 64, 20, 120), 8.0),
        "sparse random graph, one replica": (_ours(model, HeatBath("colours"), 1, 500, 3500), 3.0),
    }
    theirs = {"openjij": peers.openjij(model), "dwave": peers.dwave(model, "Gibbs")}
    yield from _table(ours, theirs, (100, 2600), spins, rounds, draws(), DRAWS)


def _dense_model() -> BinaryNeurons:
    rng = np.random.default_rng(4)
    return BinaryNeurons([rng.normal(scale=200**-0.5, size=(100, 100)) for _ in range(9)])


def _dense(*, quick: bool) -> Iterator[Row]:
    model, rounds = _dense_model(), 3 if quick else 9
    replicas = _ours(model, Blocks("replicas"), 256, 20, 120)
    ours = {
        "layers 10 x 100, 256 replicas": (replicas, 13.0),
        "layers 10 x 100, one replica": (_ours(model, Blocks("single"), 1, 2000, 22000), 2.5),
    }
    theirs = {"dwave heat bath": peers.dwave(model, "Gibbs"), "openjij": peers.openjij(model)}
    flops = 4 * sum(block.size for block in model.blocks or ()) / model.size
    peak = products()
    an_update = replace(peak, updates=peak.updates / flops)
    yield from _table(ours, theirs, (500, 8500), model.size, rounds, an_update, "sgemm")
    times = slopes({"ours": replicas, "peak": an_update}, rounds=rounds)
    share = times["peak"] / times["ours"]
    yield Row(
        "layers 10 x 100, 256 replicas, share of sgemm",
        f"{flops / np.median(times['ours']):.1f} GFLOP/s",
        f"sgemm: {flops / np.median(times['peak']):.1f} GFLOP/s",
        reached=float(np.median(share)),
        target=0.55,
        limit=f"{np.median(share):.2f} [{share.min():.2f}, {share.max():.2f}] of sgemm",
    )


def _two_cores(*, quick: bool) -> Iterator[Row]:
    lattice = square_lattice(256, 256, temperature=CRITICAL)
    works = {
        "layers 10 x 100, 512 replicas": (_dense_model(), Blocks("replicas"), 512, 200 if quick else 1000),
        "lattice 256², 128 replicas": (lattice, HeatBath("replicas"), 128, 50 if quick else 500),
    }
    with ThreadPoolExecutor(1) as single, ThreadPoolExecutor(2) as double:
        for name, (model, method, chains, sweeps) in works.items():

            def run(
                pool: ThreadPoolExecutor,
                model: BinaryNeurons = model,
                method: Method[Any] = method,
                chains: int = chains,
                sweeps: int = sweeps,
            ) -> None:
                sample(
                    model, sweeps, chains=chains, burn_in=0, thin=sweeps, rng=1, method=method, executor=pool,
                    observables=["magnetisation"],
                )  # fmt: skip

            ratio = alternate(
                lambda: run(double), lambda: run(single), rounds=3 if quick else 7, clock=time.perf_counter
            )
            yield Row(
                f"{name}, two threads",
                f"{ratio.ours:.2f} s",
                f"one thread: {ratio.peer:.2f} s",
                str(ratio),
                ratio.median,
                1.8,
                limit=f"{ratio.median / 2:.2f} of two cores",
            )


BENCHMARKS = (_lattice, _sparse, _dense, _two_cores)
