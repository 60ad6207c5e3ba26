"""Networks trained on more and more images: working units, noise-to-signal ratio, missing mass and test loss.

Each training set is a fresh random subset with equally many of every digit, each network a fresh random start. A
unit *works* if at least one image of its own training set activates it. The missing mass is measured as what it is:
the share of activations on test images that come from units no training image activates.

The exponent of the loss law of arXiv 2412.18073 is not known to us; the candidates are the noise-to-signal ratio
(exponent b) and the missing mass (exponent b + 1), both measured on the networks themselves, so that no fit of b enters.
"""

from functools import partial

import numpy as np

from statnn.activation import fit
from statnn.plot import COLOURS
from validation import networks
from validation.claim import Claim, Outcome, Verdict
from validation.claims._tools import ABSTRACT, log_slope
from validation.statistics import Refusal, mean, power_law, worst

CLEAR = 1e-3
"""Level at which a few series of trainings contradict."""

MEASURED = ("loss", "error", "ratio", "mass", "b", "activity")
SIZES = np.array([40, 80, 160, 320, 640, 1240])
LARGE_SIZES = np.array([125, 250, 500, 1000, 2000, 4000])


def _run(rng, quick, data=None):
    series = 5 if quick or data else 15
    sizes = SIZES if data is None else LARGE_SIZES[: 4 if quick else None]
    out = {name: np.empty((series, sizes.size)) for name in (*MEASURED, "epochs", "converged")}
    for i, child in enumerate(rng.spawn(series)):
        every = networks.digits(child) if data is None else networks.mnist(data)
        for j, size in enumerate(sizes.tolist()):
            images = every.some(size, child)
            network = networks.train(images, child)
            counts, shares = network.counts(images.train), network.fires(images.test).mean(axis=0)
            silent = counts == 0
            values = (
                network.test_loss,
                network.test_error,
                silent.mean(),
                shares[silent].sum() / shares.sum(),
                fit(counts, size).b,
                counts.mean() / size,
            )
            for name, value in zip(MEASURED, values, strict=True):
                out[name][i, j] = value
            out["epochs"][i, j], out["converged"][i, j] = network.epochs, network.converged
    return out | {"sizes": sizes}


def _average(values):
    return values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(len(values))


def _exponent(sizes, values):
    """Decay exponent between the ends of the range for each series, shape (series,)."""
    return np.array([-log_slope(sizes, row) for row in values])
