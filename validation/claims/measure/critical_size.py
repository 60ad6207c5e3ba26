"""Training-set sizes from which a tanh network is better than a linear network and than its own linear part.

Expected before the first run: a tanh network, a linear network of the same shape that is trained in the same way and
the L-map of the tanh network agree on small training sets; beyond, they part gradually and at two different sizes, so
that one common critical size is contradicted. On odd and even digits they do part gradually, but within the errors at
one size. (As ten classes, digits are too easy: at 1,280 images the three differ by less than 1 %.)
"""

from dataclasses import replace
from functools import partial

import numpy as np
from scipy import stats

from statnn.measure import order
from statnn.plot import COLOURS
from statnn.testing.statistics import z_score
from validation.claim import Asks, Claim, Finding, Outcome, Verdict
from validation.claims import _trained
from validation.claims._tools import lettered
from validation.claims._trained import CLEAR, standard_error
from validation.trained.recipe import Recipe

APART = 0.02
"""Difference in accuracy from which two curves count as parted."""
SMALL, PARTED = (
    "largest difference from the tanh network on the smallest training sets",
    "least lead of the tanh network on the largest training sets, any one training left out",
)
RATIO = "ln of the size at which the L-map falls behind over that at which the linear network does"
CURVES = ("tanh network", "linear network", "L-map of the tanh network")


def _run(rng, quick, data=None):
    replicas = 12 if data is None else 5
    if data is None:
        sizes = (10, 40, 160, 640, 1_280) if quick else (10, 20, 40, 80, 160, 320, 640, 1_280)
        width, steps, rate = (64, 200, 1e-2) if quick else (128, 400, 1e-2)
    else:
        sizes = tuple(20 * 4**i for i in range(5 if quick else 6))
        width, steps, rate = (128, 400, 3e-3) if quick else (512, 1_000, 1e-3)
    whole, seeds = _trained.images_for(rng, replicas, 10**9, data)
    accuracy = np.empty((replicas, len(sizes), len(CURVES)))
    fitted = np.empty((replicas, len(sizes), 2))
    for j, size in enumerate(sizes):
        images = [
            all_of_replica.some(size, child) for all_of_replica, child in zip(whole, rng.spawn(replicas), strict=True)
        ]
        if data is None:
            images = [_odd_or_even(own) for own in images]
        for kind, activation in enumerate(("tanh", "identity")):
            shape = (whole[0].train.shape[1], width, 2 if data is None else 10)
            batch = min(64, size)
            epochs = max(round(steps / np.ceil(size / batch)), 1)
            recipe = Recipe(shape, activation, learning_rate=rate, batch=batch, snapshots=(epochs,))
            trainings = _trained.train_all(recipe, images, seeds)
            fitted[:, j, kind] = [training.train_accuracy[-1] for training in trainings]
            for i, (training, own) in enumerate(zip(trainings, images, strict=True)):
                through = order.l_map_accuracy(training.network, *_trained.tested(own))
                accuracy[i, j, kind] = through[-1]
                if kind == 0:
                    accuracy[i, j, 2] = through[0]
    return {"sizes": sizes, "accuracy": accuracy, "train_accuracy": fitted, "width": width, "steps": steps}


def _odd_or_even(images):
    """Return images with two classes: planes separate ten classes of small digits too well to tell the maps apart."""
    return replace(images, train_labels=images.train_labels % 2, test_labels=images.test_labels % 2)


def _gaps(accuracy):
    """Return by how much the tanh network is better than each of the two linear maps, shape (..., sizes, 2)."""
    return accuracy[..., :1] - accuracy[..., 1:]


def _parting(sizes, gap):
    """Return the logarithm of the size beyond which the gap stays above `APART`, interpolated, or inf."""
    below = np.flatnonzero(gap < APART)
    if not below.size:
        return float(np.log(sizes[0]))
    last = below[-1]
    if last == len(gap) - 1:
        return np.inf
    share = (APART - gap[last]) / (gap[last + 1] - gap[last])
    return float(np.log(sizes[last]) + share * np.log(sizes[last + 1] / sizes[last]))


def _partings(data):
    """Return the two logarithmic sizes of the mean curves, the errors of both and of their difference, or None."""
    gaps, sizes = _gaps(data["accuracy"]), data["sizes"]
    logarithms = np.array([_parting(sizes, gap) for gap in gaps.mean(axis=0).T])
    replicas = len(gaps)
    left_out = np.array([[_parting(sizes, g) for g in np.delete(gaps, i, 0).mean(axis=0).T] for i in range(replicas)])
    both = np.column_stack((left_out, left_out[:, 1] - left_out[:, 0])) if np.isfinite(left_out).all() else left_out
    return logarithms, np.sqrt((replicas - 1) * both.var(axis=0)) if np.isfinite(left_out).all() else None


def _judge(data):
    logarithms, errors = _partings(data)
    gaps = _gaps(data["accuracy"])
    end = data["sizes"][-1]
    ends = " and ".join(
        f"{name} by {gap.mean():.3f} ± {standard_error(gap):.3f}"
        for name, gap in zip(CURVES[1:], gaps[:, -1].T, strict=True)
    )
    detail = f"at {end} images the tanh network ({data['accuracy'][:, -1, 0].mean():.3f}) leads {ends}"
    left_out = np.array([np.delete(gaps[:, -1], i, axis=0).mean(axis=0) for i in range(len(gaps))])
    findings = [
        Finding(
            quantity=SMALL, estimate=np.abs(gaps[:, 0].mean(axis=0)).max(), error=0.0, theory=APART,
            asks=Asks.AT_MOST, sees=0.03, unit="in the accuracy",
        ),
        Finding(
            quantity=PARTED, estimate=left_out.min(), error=0.0, theory=APART, asks=Asks.AT_LEAST, sees=0.055,
            unit="in the accuracy",
        ),
    ]  # fmt: skip
    if errors is None:
        # a curve that does not part within the sizes leaves no two sizes to compare
        never = f"one of them never falls behind by {APART:.0%} at up to {end} images"
        return Verdict.judged(findings, Outcome.DOMAIN, detail, otherwise=never)
    ratio = z_score(logarithms[1] - logarithms[0], errors[2], 0.0, dof=len(gaps) - 1)
    findings.append(Finding.of(RATIO, ratio, level=CLEAR, sees=1.7, unit="in ln of the size"))
    sizes = " and ".join(
        f"{np.exp(size):.0f} (× or ÷ {np.exp(error):.2f})" for size, error in zip(logarithms, errors[:2], strict=True)
    )
    limit = stats.t.isf(CLEAR / (2 * len(findings)), len(gaps) - 1)
    detail = (
        f"linear network and L-map part from the tanh network by {APART:.0%} at {sizes} images, with a ratio known "
        f"up to a factor {np.exp(limit * errors[2]):.2f} either way; {detail}"
    )
    return Verdict.judged(findings, Outcome.DOMAIN, detail, otherwise="they do not part at one common size")


def _moved(at, by):
    """Return the twin in which the L-map is better by `by` at one of the sizes."""

    def twin(data):
        accuracy = np.array(data["accuracy"])
        accuracy[:, at, 2] += by
        return {**data, "accuracy": accuracy}

    return twin


def _apart_at_first(data, by):
    """Let the L-map be worse on the smallest training sets."""
    return _moved(0, -by)(data)


def _together_at_last(data, by):
    """Let the L-map be better on the largest training sets."""
    return _moved(-1, by)(data)


def _sooner(data, by):
    """Let the L-map be left behind at smaller sizes than it is."""
    accuracy, at = np.array(data["accuracy"]), np.log(data["sizes"])
    for own in accuracy:
        own[:, 2] = own[:, 0] - np.interp(at + by, at, own[:, 0] - own[:, 2])
    return {**data, "accuracy": accuracy}


def _draw(data, figure):
    figure.set_size_inches(9, 3.8)
    left, right = lettered(figure, 1, 2)
    sizes, accuracy = data["sizes"], data["accuracy"]
    for i, (name, mark) in enumerate(zip(CURVES, ("o-", "s--", "^-."), strict=True)):
        values = accuracy[:, :, i]
        left.errorbar(sizes, values.mean(axis=0), standard_error(values), fmt=mark, color=COLOURS[i], label=name)
    left.set(xscale="log", xlabel="training images", ylabel="test accuracy", title=f"{data['width']} hidden units")
    left.legend(loc="lower right")
    logarithms, errors = _partings(data)
    gaps = _gaps(accuracy)
    for i, mark in enumerate(("s--", "^-.")):
        values = gaps[:, :, i]
        label = CURVES[i + 1].split(" of ")[0]
        right.errorbar(sizes, values.mean(axis=0), standard_error(values), fmt=mark, color=COLOURS[i + 1], label=label)
        if np.isfinite(logarithms[i]):
            right.axvline(np.exp(logarithms[i]), color=COLOURS[i + 1], linewidth=1)
            if errors is not None:
                ends = np.exp(logarithms[i] + errors[i] * np.array([-1, 1]))
                right.axvspan(*ends, color=COLOURS[i + 1], alpha=0.2, linewidth=0)
    right.axhline(APART, color="grey", linestyle=":", linewidth=1)
    right.set(xscale="log", xlabel="training images", ylabel="tanh network ahead by")
    right.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)


def _claim(name, title, *, needs_data, cost):
    return partial(
        Claim,
        source="Lin et al. 2025, arXiv 2501.02436, main text",
        standing="paper",
        caption=(
            "(a) Test accuracy against the number of training images, of a tanh network of one hidden layer, of a "
            "linear network of the same shape, and of the tanh network through its L-map. (b) By how much the "
            "tanh network is ahead of the other two; dotted: a lead of 0.02; vertical lines: sizes at which the mean "
            "lead reaches it, with a band of one jackknife error. Error bars: standard error over 12 replicas (5 on "
            "MNIST)."
        ),
        run=_run,
        judge=_judge,
        draw=_draw,
        twins={SMALL: _apart_at_first, PARTED: _together_at_last, RATIO: _sooner},
        needs=("torch",),
    )(
        id=f"critical-size-{name}",
        title=f"One critical training-set size: {title}",
        statement=(
            "A tanh network, a separately trained linear network and the L-map of the tanh network agree in accuracy "
            "for small training sets and part at one common critical size."
        ),
        expected=Outcome.DOMAIN,
        needs_data=needs_data,
        cost=cost,
    )


CLAIMS = (
    _claim("digits", "odd and even digits", needs_data=False, cost=12),
    _claim("mnist", "MNIST", needs_data=True, cost=300),
)
