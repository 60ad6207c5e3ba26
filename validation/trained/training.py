"""Dense networks trained from a known start and recorded on the way.

A `Recipe` says how; `train` returns a `Training`: a `statnn.Network` and the losses and accuracies at every snapshot.
Replicas, each with a seed and images of its own, are trained side by side by `train_all`. Start and order of the
samples are drawn by numpy from the seed; torch does the steps, or scikit-learn where torch is absent and the recipe is
plain. The same recipe, images, seeds and versions give the same weights, anew or from `validation.trained.cache`.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from statnn import Network
from statnn._arguments import whole
from validation.trained import cache, engines
from validation.trained.images import Images
from validation.trained.recipe import GAINS, Recipe

_AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
class Training:
    """What a training left.

    Parameters
    ----------
    recipe : Recipe
    seed : int
    engine : str
        ``"torch"`` or ``"scikit-learn"``.
    networks : tuple of Network
        One a snapshot, in single precision; the last layer has the identity.
    train_loss, train_accuracy, test_loss, test_accuracy : ndarray
        At the snapshots, shape (snapshots,), without the weight penalty; normalised by running statistics.
    cached : bool
        Whether the weights came from the cache.
    """

    recipe: Recipe
    seed: int
    engine: str
    networks: tuple[Network, ...] = field(repr=False)
    train_loss: NDArray[np.float64]
    train_accuracy: NDArray[np.float64]
    test_loss: NDArray[np.float64]
    test_accuracy: NDArray[np.float64]
    cached: bool

    @property
    def epochs(self) -> NDArray[np.int64]:
        """Epochs of the snapshots, shape (snapshots,)."""
        return np.array(self.recipe.snapshots)

    @property
    def network(self) -> Network:
        """The trained network."""
        return self.networks[-1]


def train(recipe: Recipe, images: Images, seed: int, *, engine: str | None = None) -> Training:
    """Train one network, or find it in the cache.

    Parameters
    ----------
    recipe : Recipe
    images : Images
        What to train and to test on.
    seed : int
        Seed of the start and of the order of the samples, in [0, 2^63).
    engine : str, optional
        ``"torch"`` or ``"scikit-learn"``; torch where it is installed by default.

    Returns
    -------
    Training

    Raises
    ------
    ModuleNotFoundError
        If the recipe needs torch and torch is not installed.
    FloatingPointError
        If the training diverges.
    """
    return train_all(recipe, [images], [seed], engine=engine)[0]


def train_all(
    recipe: Recipe, images: Sequence[Images] | Images, seeds: Sequence[int], *, engine: str | None = None
) -> list[Training]:
    """Train one replica per seed, side by side: on small networks a step of five costs that of two.

    Parameters
    ----------
    recipe : Recipe
    images : Images or sequence of Images
        One for all, or one per seed with equally many training images.
    seeds : sequence of int
    engine : str, optional
        As in `train`.

    Returns
    -------
    list of Training
        In the order of the seeds. Replicas influence one another by rounding alone.
    """
    numbers = [whole(seed, f"seeds[{i}]", minimum=0, maximum=2**63 - 1) for i, seed in enumerate(seeds)]
    given = [images] * len(numbers) if isinstance(images, Images) else list(images)
    _check(recipe, given, numbers)
    chosen = engines.choose(engine, plain=recipe.plain)
    description = {
        "recipe": asdict(recipe),
        "seeds": numbers,
        "images": [cache.digest({"x": own.train, "y": own.train_labels}) for own in given],
        "engine": chosen,
        "versions": engines.versions(chosen),
    }
    arrays = cache.load(description)
    cached = arrays is not None
    if arrays is None:
        starts = [_start(recipe, seed) for seed in numbers]
        arrays = engines.ENGINES[chosen](recipe, given, numbers, starts)
        cache.store(description, arrays)
    return [
        _training(recipe, own, seed, chosen, {name: array[r] for name, array in arrays.items()}, cached=cached)
        for r, (own, seed) in enumerate(zip(given, numbers, strict=True))
    ]


def scrambled(images: Images, share: float, rng: np.random.Generator) -> Images:
    """Return images of which a random `share` in [0, 1] has training labels permuted among themselves.

    All labels permuted leave nothing to learn but the samples by heart. A permuted label may be right by chance.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share = {share} of labels must lie in [0, 1]")
    labels = images.train_labels.copy()
    chosen = rng.permutation(len(labels))[: round(share * len(labels))]
    labels[chosen] = labels[rng.permutation(chosen)]
    return Images(images.train, labels, images.test, images.test_labels)


def _check(recipe: Recipe, images: list[Images], seeds: list[int]) -> None:
    if not seeds or len(images) != len(seeds):
        raise ValueError(f"{len(images)} sets of images for {len(seeds)} seeds: give one per seed, or one for all")
    if len({len(own.train) for own in images}) > 1:
        raise ValueError("replicas that are trained side by side need equally many training images: train them apart")
    for own in images:
        if own.train.shape[1] != recipe.widths[0]:
            raise ValueError(f"images have {own.train.shape[1]} pixels, but widths[0] = {recipe.widths[0]}")
        if not len(own.train) or not len(own.test):
            raise ValueError("there are no images to train on, or none to test on")
        highest = max(own.train_labels.max(), own.test_labels.max())
        if highest >= recipe.widths[-1] or min(own.train_labels.min(), own.test_labels.min()) < 0:
            raise ValueError(f"labels reach {highest}; {recipe.widths[-1]} classes are numbered from 0")


def _start(recipe: Recipe, seed: int) -> list[NDArray[np.float32]]:
    """Return the initial weights, shape (out, in) each."""
    rng = np.random.default_rng([seed, 0])
    last = len(recipe.widths) - 2
    weights = []
    for m, (below, above) in enumerate(pairwise(recipe.widths)):
        gain = recipe.scale * (1.0 if m == last else GAINS[recipe.activation]) / math.sqrt(below)
        weights.append((gain * rng.standard_normal((above, below))).astype(np.float32))
    return weights


def _training(
    recipe: Recipe, images: Images, seed: int, engine: str, arrays: dict[str, NDArray[Any]], *, cached: bool
) -> Training:
    networks = tuple(_network(recipe, arrays, s) for s in range(len(recipe.snapshots)))
    train_found = np.array([_measure(net, images.train, images.train_labels, recipe.loss) for net in networks])
    test_found = np.array([_measure(net, images.test, images.test_labels, recipe.loss) for net in networks])
    (train_loss, train_accuracy), (test_loss, test_accuracy) = train_found.T, test_found.T
    return Training(recipe, seed, engine, networks, train_loss, train_accuracy, test_loss, test_accuracy, cached=cached)


def _network(recipe: Recipe, arrays: dict[str, NDArray[Any]], snapshot: int) -> Network:
    layers = range(len(recipe.widths) - 1)
    weights, biases = ([arrays[f"{kind}_{m}"][snapshot] for m in layers] for kind in ("weight", "bias"))
    activations = [*[recipe.activation] * (len(layers) - 1), "identity"]
    if not recipe.normalised:
        return Network(weights, biases, activations)
    from statnn.network import BatchNorm

    parts = ("mean", "variance", "gamma", "beta")
    parts_of = [{part: arrays[f"{part}_{m}"][snapshot] for part in parts} for m in layers[:-1]]
    norms = [BatchNorm(**of, epsilon=engines.EPSILON) for of in parts_of]
    return Network(weights, biases, activations, normalisations=[*norms, None])


def _measure(net: Network, x: NDArray[Any], labels: NDArray[np.int64], loss: str) -> tuple[float, float]:
    """Return loss and accuracy, in pieces that fit in memory whatever the width."""
    total = right = 0.0
    for first in range(0, len(x), _AT_ONCE):
        out = net(x[first : first + _AT_ONCE]).astype(float)
        own = labels[first : first + _AT_ONCE]
        if loss == "squared":
            total += float(np.square(out - np.eye(out.shape[1])[own]).mean(axis=1).sum())
        else:
            total -= float(special.log_softmax(out, axis=1)[np.arange(len(own)), own].sum())
        right += int((out.argmax(axis=1) == own).sum())
    return total / len(x), right / len(x)
