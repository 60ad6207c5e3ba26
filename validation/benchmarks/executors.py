"""Speed of two workers on one task over that of two independent copies, one thread each: 1 is all two cores can do.

By the clock, copies and workers take turns, and the shortest time of either counts. By processor time, the time of a
copy is divided by twice that of the busiest worker and of what is done outside of workers: what an idle machine would
show, were it not for memory and caches that cores share. Chains that form a single task (`Method.block`) reach a half.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import get_ident
from typing import Any

import numpy as np
from scipy import sparse

from statnn import Network
from statnn.interaction import BinaryNeurons, DynamicNeurons, square_lattice
from statnn.montecarlo import Method, Tempering, sample
from validation.benchmarks.measure import Row


class Clocked(ThreadPoolExecutor):
    """Threads that add up the processor time of each."""

    def __init__(self, workers: int) -> None:
        super().__init__(workers)
        self.seconds: defaultdict[int, float] = defaultdict(float)

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call the function in a thread, and add the processor time that it takes there."""

        def clocked() -> Any:
            begin = time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                self.seconds[get_ident()] += time.thread_time() - begin

        return super().submit(clocked)


def _graph(spins: int, degree: int) -> BinaryNeurons:
    pairs = np.random.default_rng(3).integers(0, spins, (spins * degree // 2, 2))
    pairs = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0)
    upper = sparse.coo_array((np.full(len(pairs), degree**-0.5), tuple(pairs.T)), shape=(spins, spins)).tocsr()
    return BinaryNeurons(upper + upper.T)


def _layers() -> BinaryNeurons:
    rng = np.random.default_rng(4)
    return BinaryNeurons([rng.normal(scale=400**-0.5, size=(400, 400)) for _ in range(3)])


def _neurons(*, targets: bool = True) -> DynamicNeurons:
    rng = np.random.default_rng(2)
    net = Network.random([100] * 6, "tanh", 1.0, 0.1, rng=1)
    inputs, outputs = rng.normal(size=(2, 20, 100))
    return DynamicNeurons(net, inputs, outputs if targets else None, beta=10.0, stiffness=50.0)


def _share(run: Callable[..., object], rounds: int) -> tuple[float, float, float, float]:
    """Return seconds of two copies and of two workers, and the share by the clock and by processor time."""

    def together() -> None:
        with ThreadPoolExecutor(2) as threads:
            done = [threads.submit(run) for _ in range(2)]
            wait(done)
            for future in done:
                future.result()

    copies, workers, processor = [], [], []
    run()
    for _ in range(rounds):
        begin = time.perf_counter()
        together()
        copies.append(time.perf_counter() - begin)
        with Clocked(2) as pool:
            begin, outside = time.perf_counter(), time.thread_time()
            run(executor=pool)
            workers.append(time.perf_counter() - begin)
            longest = time.thread_time() - outside + max(pool.seconds.values())
        alone = time.thread_time()
        run()
        processor.append((time.thread_time() - alone, longest))
    serial, longest = np.min(processor, axis=0)
    return min(copies), min(workers), min(copies) / (2 * min(workers)), float(serial / (2 * longest))


def _two_workers(*, quick: bool) -> Iterator[Row]:
    lattice, graph = square_lattice(256, 256, temperature=2.3), _graph(10_000, 6)
    ladder = Tempering(tuple(np.linspace(1.0, 2.0, 12)))
    works: dict[str, tuple[Any, str | Method[Any], int, int]] = {
        "lattice 256², heat bath": (lattice, "heat bath", 4, 600),
        "sparse random graph, heat bath": (graph, "heat bath", 4, 1000),
        "sparse random graph, heat bath, many": (graph, "heat bath", 64, 500),
        "sparse random graph, Metropolis, many": (graph, "metropolis", 64, 500),
        "lattice 256², multi-spin coding": (lattice, "multispin", 4, 10_000),
        "lattice 256², multi-spin coding, many": (lattice, "multispin", 64, 600),
        "sparse random graph, multi-spin coding, many": (_graph(10_000, 3), "multispin", 256, 500),
        "layers 4 x 400": (_layers(), "blocks", 4, 600),
        "layers 4 x 400, many": (_layers(), "blocks", 256, 60),
        "lattice 256², clusters": (lattice, "wolff", 4, 4000),
        "sparse random graph, 12 temperatures": (graph, ladder, 4, 400),
        "layers 6 x 100, 20 samples, Hamiltonian": (_neurons(), "hamiltonian", 4, 400),
        "layers 6 x 100, 20 samples, Hamiltonian, many": (_neurons(), "hamiltonian", 64, 12),
        "layers 6 x 100, 20 samples, ancestral": (_neurons(targets=False), "ancestral", 4, 600),
    }
    for name, (model, method, chains, sweeps) in works.items():
        length = max(1, sweeps // 10) if quick else sweeps

        def run(
            executor: Clocked | None = None,
            model: Any = model,
            method: str | Method[Any] = method,
            chains: int = chains,
            length: int = length,
        ) -> None:
            sample(
                model, length, chains=chains, burn_in=0, thin=length, rng=1, method=method, executor=executor,
                observables=["energy"], progress=False,
            )  # fmt: skip

        copies, workers, clock, processor = _share(run, 2 if quick else 5)
        yield Row(
            f"{name}: {chains} chains, two threads",
            f"{workers:.2f} s",
            f"two copies, one thread each: {copies:.2f} s",
            f"{2 * clock:.2f}",
            clock,
            0.9,
            limit=f"{clock:.2f} of two copies; {processor:.2f} by processor time",
        )


BENCHMARKS = (_two_workers,)
