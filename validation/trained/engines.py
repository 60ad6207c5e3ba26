"""The two programs that train: torch, which can do all of a recipe, and scikit-learn, which can do what is plain.

Both begin with the weights they are given and take the samples in the order that numpy draws from the seed, so that
they differ in rounding and not in kind.
"""

import hashlib
import platform
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata, util
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from validation.trained.images import Images
from validation.trained.recipe import LOGISTIC_NAMES, Recipe

EPSILON = 1e-5
"""What batch normalisation adds to the variance."""
MOMENTUM = 0.1
"""Weight of the newest batch in running statistics."""

PLAIN = "cross entropy, hidden layers, three classes or more, no batch normalisation, no weight decay"

# Read once, on import: a file that is edited while it runs is not the code that trains.
CODE = hashlib.sha256(
    b"".join(Path(__file__).with_name(name).read_bytes() for name in ("engines.py", "recipe.py", "training.py"))
).hexdigest()

_GATHERED = 2**24
"""Pixels that are put in order at a time."""

Arrays = dict[str, NDArray[Any]]
Starts = Sequence[Sequence[NDArray[np.float32]]]


def choose(wanted: str | None, *, plain: bool) -> str:
    """Return the name of the engine for a recipe, or raise if it is not there or cannot do it."""
    if wanted is not None and wanted not in ENGINES:
        raise ValueError(f"engine = {wanted!r} is unknown; choose from {', '.join(ENGINES)}")
    if wanted == "scikit-learn" and not plain:
        raise ValueError(f"scikit-learn trains only plain recipes ({PLAIN}): leave engine= out and install torch")
    if wanted != "scikit-learn" and util.find_spec("torch") is not None:
        return "torch"
    if wanted == "torch" or not plain:
        raise ModuleNotFoundError(
            f"torch is not installed, and scikit-learn trains only plain recipes ({PLAIN}): pip install torch==2.13.0"
        )
    return "scikit-learn"


def versions(engine: str) -> dict[str, str]:
    """Return everything beside recipe, data and seeds that weights may depend on."""
    names = ("numpy", "torch") if engine == "torch" else ("numpy", "scikit-learn")
    return {name: metadata.version(name) for name in names} | {"machine": platform.machine(), "code": CODE}


def orders(recipe: Recipe, samples: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the order of the samples in one epoch (1, 2, ...); all of them in one batch need none."""
    if recipe.batch >= samples:
        return np.arange(samples)
    return np.random.default_rng([seed, epoch]).permutation(samples)


# -- torch -------------------------------------------------------------------------------------------------


@contextmanager
def _one_thread(torch: Any) -> Iterator[None]:
    """Use one thread inside this context: sums then have one order, and equal trainings equal weights."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class _Stack:
    """Parameters of all replicas, the first axis, and their forward pass in training."""

    def __init__(self, torch: Any, recipe: Recipe, starts: Starts) -> None:
        self.torch, self.recipe = torch, recipe
        self.function = {
            "identity": lambda h: h,
            "tanh": torch.tanh,
            "erf": torch.erf,
            "sigmoid": torch.sigmoid,
            "relu": torch.relu,
            "leaky relu": torch.nn.functional.leaky_relu,
        }[recipe.activation]
        layers = range(len(recipe.widths) - 1)
        # (in, out), so that rows of samples are multiplied from the left
        self.weights = [torch.tensor(np.stack([s[m].T for s in starts])) for m in layers]
        self.biases = [torch.zeros(len(starts), 1, n) for n in recipe.widths[1:]]
        hidden = recipe.widths[1:-1] if recipe.normalised else ()
        self.gammas = [torch.ones(len(starts), 1, n) for n in hidden]
        self.betas = [torch.zeros(len(starts), 1, n) for n in hidden]
        self.means = [torch.zeros(len(starts), 1, n) for n in hidden]
        self.variances = [torch.ones(len(starts), 1, n) for n in hidden]
        for parameter in [*self.weights, *self.others]:
            parameter.requires_grad_()

    @property
    def others(self) -> list[Any]:
        return [*self.biases, *self.gammas, *self.betas]

    def __call__(self, h: Any) -> Any:
        for m, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            h = self.torch.baddbmm(bias, h, weight)
            if m < len(self.weights) - 1:
                h = self.function(self._normalised(m, h) if self.recipe.normalised else h)
        return h

    def _normalised(self, m: int, h: Any) -> Any:
        mean, variance = h.mean(1, keepdim=True), h.var(1, keepdim=True, correction=0)
        with self.torch.no_grad():
            self.means[m].lerp_(mean, MOMENTUM)
            self.variances[m].lerp_(variance * (h.shape[1] / max(h.shape[1] - 1, 1)), MOMENTUM)
        return (h - mean) * self.torch.rsqrt(variance + EPSILON) * self.gammas[m] + self.betas[m]

    def snapshot(self) -> Arrays:
        """Return copies of everything, shape (replicas, out, in) and (replicas, out)."""
        arrays = {f"weight_{m}": w.detach().numpy().transpose(0, 2, 1).copy() for m, w in enumerate(self.weights)}
        kinds = {"bias": self.biases, "gamma": self.gammas, "beta": self.betas}
        for kind, tensors in (kinds | {"mean": self.means, "variance": self.variances}).items():
            arrays |= {f"{kind}_{m}": t.detach().numpy()[:, 0].copy() for m, t in enumerate(tensors)}
        return arrays


class _Samples:
    """Training images and one-hot labels of all replicas, handed out batch by batch."""

    def __init__(self, torch: Any, recipe: Recipe, images: Sequence[Images], seeds: Sequence[int]) -> None:
        self.torch, self.recipe, self.seeds = torch, recipe, seeds
        self.number = len(images[0].train)
        known = {id(own.train): torch.tensor(np.asarray(own.train, np.float32)) for own in images}
        self.pixels = [known[id(own.train)] for own in images]  # images that are shared are kept once
        eye = torch.eye(recipe.widths[-1])
        self.labels = [eye[torch.tensor(own.train_labels)] for own in images]
        every = np.stack([np.arange(self.number)] * len(images))
        self.whole = self._gathered(every) if recipe.batch >= self.number else None

    def _gathered(self, rows: NDArray[np.int64]) -> tuple[Any, Any]:
        chosen = self.torch.from_numpy(rows)
        x, y = (
            self.torch.stack([own[row] for own, row in zip(each, chosen, strict=True)])
            for each in (self.pixels, self.labels)
        )
        return x, y

    def batches(self, epoch: int) -> Iterator[tuple[Any, Any]]:
        """Yield images, shape (replicas, batch, pixels), and labels, shape (replicas, batch, classes)."""
        if self.whole is not None:
            yield self.whole
            return
        batch = self.recipe.batch
        rows = np.stack([orders(self.recipe, self.number, seed, epoch) for seed in self.seeds])
        at_once = max(_GATHERED // (len(self.seeds) * batch * self.recipe.widths[0]), 1) * batch
        for first in range(0, self.number, at_once):
            x, y = self._gathered(rows[:, first : first + at_once])
            yield from zip(x.split(batch, dim=1), y.split(batch, dim=1), strict=True)


def _optimiser(torch: Any, recipe: Recipe, stack: _Stack) -> Any:
    groups = [
        {"params": stack.weights, "weight_decay": recipe.weight_decay},
        {"params": stack.others, "weight_decay": 0.0},
    ]
    if recipe.optimiser == "adam":
        return torch.optim.AdamW(groups, lr=recipe.learning_rate, weight_decay=0.0, fused=True)
    return torch.optim.SGD(groups, lr=recipe.learning_rate, momentum=recipe.momentum, fused=True)


def _by_torch(recipe: Recipe, images: Sequence[Images], seeds: Sequence[int], starts: Starts) -> Arrays:
    """Return snapshots of all replicas, shape (replicas, snapshots, ...)."""
    import torch

    def loss(out: Any, y: Any) -> Any:
        if recipe.loss == "squared":
            return (out - y).square().mean(dim=(1, 2)).sum()
        return -torch.log_softmax(out, dim=2).mul(y).sum(dim=2).mean(dim=1).sum()

    with _one_thread(torch):
        stack = _Stack(torch, recipe, starts)
        optimiser = _optimiser(torch, recipe, stack)
        samples = _Samples(torch, recipe, images, seeds)
        snapshots = [stack.snapshot()] if recipe.snapshots[0] == 0 else []
        for epoch in range(1, recipe.snapshots[-1] + 1):
            for x, y in samples.batches(epoch):
                optimiser.zero_grad()
                total = loss(stack(x), y)
                total.backward()
                optimiser.step()
            if epoch in recipe.snapshots:
                snapshots.append(stack.snapshot())
                _finite(snapshots[-1], recipe, epoch)
    return {name: np.stack([p[name] for p in snapshots], axis=1) for name in snapshots[0]}


def _finite(arrays: Arrays, recipe: Recipe, epoch: int) -> None:
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise FloatingPointError(
            f"the training diverged before epoch {epoch} with learning_rate = {recipe.learning_rate}: take a lower one"
        )


# -- scikit-learn ------------------------------------------------------------------------------------------


def _classifier(recipe: Recipe, samples: int, start: Sequence[NDArray[np.float32]]) -> Any:
    from sklearn.neural_network import MLPClassifier

    class Started(MLPClassifier):
        """A classifier that begins with given weights."""

        used = 0

        def _init_coef(self, fan_in: int, fan_out: int, dtype: Any) -> tuple[Any, Any]:
            weight = start[self.used].T.astype(dtype)
            assert weight.shape == (fan_in, fan_out)  # noqa: S101
            self.used += 1
            return weight, np.zeros(fan_out, dtype)

    return Started(
        recipe.widths[1:-1],
        activation=LOGISTIC_NAMES[recipe.activation],
        solver=recipe.optimiser,
        alpha=0.0,
        batch_size=min(recipe.batch, samples),
        learning_rate_init=recipe.learning_rate,
        momentum=recipe.momentum,
        nesterovs_momentum=False,
        shuffle=False,
    )


def _by_scikit_learn(recipe: Recipe, images: Sequence[Images], seeds: Sequence[int], starts: Starts) -> Arrays:
    """Return snapshots of all replicas, shape (replicas, snapshots, ...), trained one after the other."""
    replicas = [_one_by_scikit_learn(recipe, *of_replica) for of_replica in zip(images, seeds, starts, strict=True)]
    return {name: np.stack([replica[name] for replica in replicas]) for name in replicas[0]}


def _one_by_scikit_learn(recipe: Recipe, images: Images, seed: int, start: Sequence[NDArray[np.float32]]) -> Arrays:
    samples, classes = len(images.train), np.arange(recipe.widths[-1])
    network = _classifier(recipe, samples, start)
    x = np.asarray(images.train, np.float32)
    snapshots = []
    if recipe.snapshots[0] == 0:
        zeros = {f"bias_{m}": np.zeros(len(w), np.float32) for m, w in enumerate(start)}
        snapshots.append({f"weight_{m}": w for m, w in enumerate(start)} | zeros)
    for epoch in range(1, recipe.snapshots[-1] + 1):
        row = orders(recipe, samples, seed, epoch)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*overflow|.*invalid value", category=RuntimeWarning)
            network.partial_fit(x[row], images.train_labels[row], classes=classes)
        if network.used != len(start):
            raise RuntimeError("this version of scikit-learn does not begin with the weights it is given: use torch")
        if epoch in recipe.snapshots:
            weights = {f"weight_{m}": np.array(w.T, np.float32) for m, w in enumerate(network.coefs_)}
            snapshots.append(
                weights | {f"bias_{m}": np.array(b, np.float32) for m, b in enumerate(network.intercepts_)}
            )
            _finite(snapshots[-1], recipe, epoch)
    return {name: np.stack([p[name] for p in snapshots]) for name in snapshots[0]}


ENGINES: dict[str, Callable[[Recipe, Sequence[Images], Sequence[int], Starts], Arrays]] = {
    "torch": _by_torch,
    "scikit-learn": _by_scikit_learn,
}
