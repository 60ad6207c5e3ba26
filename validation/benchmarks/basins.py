"""Speed of `statnn.measure.basins` on work of the size of MNIST, beside plain forward passes."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np

from statnn import Network
from statnn.measure.basins import Basin, sample_basin, weight_basin
from validation.benchmarks.measure import Row, alternate

WIDTHS = (784, 512, 512, 10)
DRAWS, STEPS = 32, 12


def _network() -> Network:
    return Network.random(WIDTHS, ["relu", "relu", "identity"], 1.4, rng=0, dtype=np.float32)


def _images(samples: int) -> np.ndarray:
    return np.random.default_rng(0).random((samples, WIDTHS[0]), dtype=np.float32)


def _plain(net: Network, x: np.ndarray) -> np.ndarray:
    """Bisect every sample by whole forward passes, 32 draws and 12 steps: no first layer kept, no scan, no error."""
    rng = np.random.default_rng(1)
    classes = net(x).argmax(axis=1)
    radius = np.empty(len(x))
    for begin in range(0, len(x), 64):
        some = x[begin : begin + 64]
        noise = rng.standard_normal((len(some), DRAWS, x.shape[1]), dtype=np.float32)
        low, high = np.full(len(some), np.log(1e-3)), np.full(len(some), np.log(1e3))
        for _ in range(STEPS):
            middle = (low + high) / 2
            moved = some[:, None, :] + np.exp(middle).astype(np.float32)[:, None, None] * noise
            moved_classes = net(moved.reshape(-1, x.shape[1])).argmax(axis=1).reshape(len(some), DRAWS)
            inside = (moved_classes == classes[begin : begin + 64, None]).mean(axis=1) >= 0.5
            low, high = np.where(inside, middle, low), np.where(inside, high, middle)
        radius[begin : begin + 64] = np.exp((low + high) / 2)
    return radius


def _samples(*, quick: bool) -> Iterator[Row]:
    net, x = _network(), _images(128 if quick else 640)
    ratio = alternate(lambda: sample_basin(net, x, rng=1), lambda: _plain(net, x), rounds=2)
    yield Row(
        f"sample basins, {len(x)} images, 784-512-512-10, 32 draws, one core",
        f"{ratio.ours:.2f} s",
        f"12 steps of plain forward passes: {ratio.peer:.2f} s",
        str(ratio),
        ratio.median,
        1,
    )


def _all_of_mnist(*, quick: bool) -> Iterator[Row]:
    net = _network()
    for images, (name, basin) in product(
        (1_000,) if quick else (1_000, 10_000), (("sample", sample_basin), ("weight", weight_basin))
    ):
        x, limit = _images(images), 180 * images / 10_000
        with ThreadPoolExecutor(2) as two:

            def run(basin: Callable[..., Basin] = basin, x: np.ndarray = x, pool: ThreadPoolExecutor = two) -> Basin:
                return basin(net, x, rng=1, executor=pool)

            wall, cpu = time.perf_counter(), time.process_time()
            run()
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        yield Row(
            f"{name} basins, {images} images, 784-512-512-10, 32 draws, two threads (s)",
            f"{wall:.1f} s",
            reached=wall,
            target=limit,
            most=True,
        )
        yield Row(
            "  cores kept busy",
            f"{cpu / wall:.2f}",
            reached=cpu / wall,
            target=1.9,
            limit=f"{cpu / wall / 2:.2f} of two cores",
        )


BENCHMARKS = (_samples, _all_of_mnist)
