"""A classifier of Gaussian clouds, for the tests of its inspection."""

import numpy as np

from statnn.io import save_network
from statnn.network import BatchNorm, Network

UNITS = 60  # enough for a test of fit without a bootstrap


def subject(samples=240):
    """A classifier of three Gaussian clouds, and samples of them; one label in ten is wrong."""
    rng = np.random.default_rng(4)
    labels = rng.integers(0, 3, samples)
    x = rng.normal(size=(samples, 6)) + 3.0 * np.eye(3, 6)[labels]
    reach = 0.5 * rng.normal(size=(UNITS, 6))
    out = reach[:, :3].T
    norm = BatchNorm(rng.normal(size=UNITS), rng.random(UNITS) + 0.5, epsilon=1e-3)
    net = Network([reach, np.eye(UNITS), out], None, ["relu", "relu", "identity"], normalisations=[norm, None, None])
    return net, x, np.where(rng.random(samples) < 0.1, rng.integers(0, 3, samples), labels)


def written(folder):
    """Write the classifier and its samples, and return the folder."""
    net, x, labels = subject()
    save_network(net, folder / "net.safetensors")
    np.savez(folder / "data.npz", x=x, y=labels)
    return folder


def column(section, name, table=0):
    shown = section.tables[table]
    return [row[list(shown.columns).index(name)] for row in shown.rows]
