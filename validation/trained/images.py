"""Real networks for the claims: ReLU classifiers of scikit-learn, trained on handwritten digits or on MNIST.

A training ends when the training loss has improved by less than ``TOLERANCE`` in each of ten epochs, or at
``MOST_EPOCHS``; how it ended is part of the result.
"""

import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import special

from statnn import Network

TOLERANCE = 1e-4
MOST_EPOCHS = 600


@dataclass(frozen=True)
class Images:
    """Labelled images to train on and others to test on.

    Parameters
    ----------
    train, test : ndarray
        Pixels in [0, 1], shape (samples, pixels).
    train_labels, test_labels : ndarray
        Digits 0 to 9, shape (samples,).
    """

    train: NDArray[np.floating]
    train_labels: NDArray[np.int64]
    test: NDArray[np.floating]
    test_labels: NDArray[np.int64]

    def some(self, samples: int, rng: np.random.Generator) -> "Images":
        """Keep a random subset of the training images, with as many of every digit (to one)."""
        kept = _balanced(self.train_labels, samples, rng)
        return Images(self.train[kept], self.train_labels[kept], self.test, self.test_labels)


def _balanced(labels: NDArray[np.int64], samples: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return indices of a random subset with equal numbers of every digit (to one), in random order."""
    order = rng.permutation(len(labels))
    rank = np.empty(len(labels), dtype=np.int64)
    for digit in range(10):
        mine = order[labels[order] == digit]
        rank[mine] = np.arange(len(mine)) * 10 + digit
    kept = order[np.argsort(rank[order])[:samples]]
    return rng.permutation(kept)


def digits(rng: np.random.Generator) -> Images:
    """Scikit-learn's 1,797 digits of 8 x 8, split at random into 1,297 and 500 (50 of each), in single precision."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    test = _balanced(labels, 500, rng)
    train = np.setdiff1d(np.arange(len(labels)), test)
    pixels = (pixels / 16).astype(np.float32)  # exact, and a network trains in two thirds of the time
    return Images(pixels[train], labels[train], pixels[test], labels[test])


def mnist(path: str | Path) -> Images:
    """MNIST from an npz file with x_train, y_train, x_test, y_test (28 x 28 bytes per image), in single precision."""
    wanted = ("x_train", "y_train", "x_test", "y_test")
    if Path(path).is_file() and not zipfile.is_zipfile(path):  # numpy would advise to load it as a pickle
        raise ValueError(f"{path} is not an npz file: an mnist.npz holds {', '.join(wanted)}")
    with np.load(path, allow_pickle=False) as file:
        missing = [name for name in wanted if name not in file]
        if missing:
            raise ValueError(f"{path} lacks {', '.join(missing)}: an mnist.npz holds {', '.join(wanted)}")
        x_train, y_train, x_test, y_test = (file[name] for name in wanted)
    for name, x, y in (("train", x_train, y_train), ("test", x_test, y_test)):
        if x.ndim != 3 or x.dtype != np.uint8 or y.shape != x.shape[:1]:
            raise ValueError(
                f"{path}: x_{name} has shape {x.shape} and type {x.dtype}, y_{name} shape {y.shape}; "
                "bytes of shape (samples, rows, columns) and one label each are needed"
            )
    train, test = (x.reshape(len(x), -1) / np.float32(255) for x in (x_train, x_test))
    return Images(train, y_train.astype(np.int64), test, y_test.astype(np.int64))


@dataclass(frozen=True)
class Trained:
    """A trained classifier with ReLU units.

    Parameters
    ----------
    net : Network
    test_loss, test_error : float
        Cross entropy in nats and share of wrong answers on the test images.
    train_loss : float
        Cross entropy on the training images, with the weight penalty, at the last epoch.
    epochs : int
        Epochs trained.
    converged : bool
        Whether the stated criterion was met.
    """

    net: Network
    test_loss: float
    test_error: float
    train_loss: float
    epochs: int
    converged: bool

    def fires(self, images: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Return which units of the first hidden layer are above zero, shape (samples, units)."""
        return self.net.trace(images).activations[1] > 0


def train(
    images: Images, rng: np.random.Generator, *, hidden: tuple[int, ...] = (256,), epochs: int = MOST_EPOCHS
) -> Trained:
    """Train one network by Adam from a random start."""
    if np.unique(images.train_labels).size != 10:
        raise ValueError("the training images lack some digit, so its test loss is infinite: train on some(10) or more")
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    network = MLPClassifier(
        hidden,
        max_iter=epochs,
        tol=TOLERANCE,
        batch_size=min(200, len(images.train)),
        random_state=int(rng.integers(2**31)),
    )
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", ConvergenceWarning)
        network.fit(images.train, images.train_labels)
    activations = ["relu"] * len(hidden) + ["identity"]
    net = Network([weight.T for weight in network.coefs_], network.intercepts_, activations)
    log_odds = special.log_softmax(net(images.test).astype(float), axis=1)
    return Trained(
        net=net,
        test_loss=-float(log_odds[np.arange(len(log_odds)), images.test_labels].mean()),
        test_error=float(np.mean(log_odds.argmax(axis=1) != images.test_labels)),
        train_loss=float(network.loss_),
        epochs=int(network.n_iter_),
        converged=not raised,
    )
