"""``python -m validation.sizes [--full]``: the largest documented sizes, their peak of memory, and how cost grows.

Every size runs in a process of its own, whose peak of resident memory is printed. Without --full sizes are a
hundredth, of `network` a tenth. The exponent is that of the processor time from a quarter of the size to the full size;
1 is linear.
"""

import argparse
import multiprocessing
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from math import log

import numpy as np
from scipy import sparse

from statnn import Network
from statnn.activation import BetaBernoulli, checkpoints
from statnn.interaction import BinaryNeurons, square_lattice
from statnn.measure import spikes
from statnn.montecarlo import sample
from validation.runner import settle_worker


def working_path(neurons: int) -> None:
    """Draw the number of working neurons along an exact path."""
    BetaBernoulli(neurons, 0.3, 5.0).simulate(checkpoints(10**6, 20), 1, rng=1)


def random_graph(spins: int) -> None:
    """Make a random graph of three couplings per spin, and walk ten sweeps."""
    rng = np.random.default_rng(1)
    ends = rng.integers(0, spins, (2, 3 * spins // 2), dtype=np.int32)
    ends = ends[:, ends[0] != ends[1]]
    upper = sparse.coo_array((np.ones(ends.shape[1]), tuple(ends)), shape=(spins, spins)).tocsr()
    sample(BinaryNeurons(upper + upper.T), 10, chains=1, burn_in=0, rng=1, observables=["magnetisation"])


def lattice(spins: int) -> None:
    """Make a square lattice, and walk ten sweeps."""
    length = max(32, int(spins**0.5) // 32 * 32)
    sample(square_lattice(length, length, temperature=2.3), 10, chains=1, burn_in=0, rng=1)


def streamed(samples: int, units: int = 10**5) -> None:
    """Stream activations through the accumulator of spike statistics."""
    accumulator, together = spikes.Accumulator(units), 10
    portion = np.random.default_rng(1).random((together, units), dtype=np.float32) - np.float32(0.9)
    for _ in range(samples // together):
        accumulator.update(portion)


def network(width: int) -> None:
    """Draw a network of one square layer, and let it compute."""
    Network.random([width, width], rng=1)(np.ones(width))


SIZES: dict[Callable[[int], None], int] = {
    working_path: 10**9, random_graph: 10**7, lattice: 10**7, streamed: 10**6, network: 10**4,
}  # fmt: skip


def measured(work: Callable[[int], None], size: int) -> tuple[float, float]:
    """Return processor seconds, and the peak of resident memory in bytes."""
    began = time.process_time()
    work(size)
    return time.process_time() - began, 1024.0 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser("python -m validation.sizes", description="The largest sizes that are documented.")
    parser.add_argument("--full", action="store_true", help="the sizes as documented: an hour, and 10 GB")
    parser.add_argument("--only", nargs="+", choices=[work.__name__ for work in SIZES], help="default: all")
    options = parser.parse_args()
    for work, largest in SIZES.items():
        if options.only and work.__name__ not in options.only:
            continue
        share = 1 if options.full else 10 if work is network else 100
        timed = []
        for size in (largest // (4 * share), largest // share):
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), settle_worker) as pool:
                pool.submit(measured, work, max(64, size // 64)).result()  # loads the kernels
                timed.append(pool.submit(measured, work, size).result())
        exponent = log(timed[1][0] / timed[0][0]) / log(4)
        print(
            f"{work.__name__:>12} {largest // share:.0e}: {timed[1][0]:8.2f} s, peak {timed[1][1] / 1e9:6.2f} GB, "
            f"seconds grow as size^{exponent:.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
