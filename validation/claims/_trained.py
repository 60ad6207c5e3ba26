"""What claims on networks that are trained step by step share: replicas with data of their own, and their statistics.

A replica has its own images (split or subset), start and order of samples, so that errors over replicas hold for
another training on other images of the same kind. Comparisons within a replica are paired.
"""

from dataclasses import replace

import numpy as np

from statnn.testing.statistics import Comparison, Refusal, mean
from validation.trained import images as networks
from validation.trained import training

CLEAR = 1e-3
"""Level at which a few trainings show a difference; those found lie far beyond it, or are said to be doubtful."""

MOST_TESTED = 2_000
"""Test images on which the measures of a network are taken."""


def images_for(rng, replicas, samples, data):
    """Return one set of images per replica, all with equally many to train on, and a seed for each."""
    mnist = None if data is None else networks.mnist(data)
    sets = []
    for child in rng.spawn(replicas):
        whole = networks.digits(child) if mnist is None else mnist
        sets.append(whole.some(min(samples, len(whole.train)), child))
    return sets, [int(seed) for seed in rng.integers(2**63, size=replicas)]


def tested(images):
    """Return the images and labels on which measures are taken: held out, at most `MOST_TESTED`."""
    return images.test[:MOST_TESTED], images.test_labels[:MOST_TESTED]


def train_all(recipe, images, seeds):
    """Train the replicas by torch."""
    return training.train_all(recipe, images, seeds, engine="torch")


def above_zero(values):
    """Compare the mean over replicas with 0; where all replicas agree to the last digit, p is 1 at 0, else 0."""
    try:
        return mean(values, 0.0)
    except Refusal:
        values = np.asarray(values, dtype=float)
        if not (np.isfinite(values).all() and np.ptp(values) <= 1e-12 * np.abs(values).max()):
            raise
        return Comparison(float(values[0]), 0.0, 0.0, float(values[0] == 0))


def clearness(comparison):
    """Return how far a mean lies above 0 in standard errors, infinite where replicas agree."""
    mean, error = comparison.estimate, comparison.error
    return mean / error if error > 0 else np.copysign(np.inf, mean or -1.0)


def weakest(comparisons):
    """Return the mean least clearly above 0, for claims on all of them, its p-value corrected for their number."""
    return _one_of(comparisons, min)


def strongest(comparisons):
    """Return the mean most clearly above 0, for claims on any of them, its p-value corrected for their number."""
    return _one_of(comparisons, max)


def _one_of(comparisons, chosen):
    made = list(comparisons)
    comparison = chosen(made, key=clearness)
    singles = tuple(single.p for single in made)
    number = len(made) * comparison.comparisons
    return replace(comparison, p=min(1.0, len(made) * comparison.p), comparisons=number, singles=singles)


def is_clear(comparison, share=1):
    """Return whether a mean is above 0 beyond doubt, as one of `share` comparisons."""
    return comparison.estimate > 0 and comparison.p < CLEAR / share


def standard_error(values, axis=0):
    """Return the standard error of the mean over replicas."""
    values = np.asarray(values)
    return values.std(axis=axis, ddof=1) / np.sqrt(values.shape[axis])


def effect(values):
    """Return the mean difference over the standard deviation of differences: Cohen's d of pairs."""
    values = np.asarray(values)
    spread = values.std(ddof=1)
    return float(values.mean() / spread) if spread > 0 else 0.0


def others(values):
    """Yield for each replica its own values and the mean of all others: a choice made on these is fair to it."""
    values = np.asarray(values)
    total = values.sum(axis=0)
    for own in values:
        yield own, (total - own) / (len(values) - 1)
