"""Experiment 5: accuracy, rank probabilities and signals in depth up to 100 layers, with and without normalisation.

tanh networks start in the ordered phase (σ_w = 0.7), at criticality (1) and in chaos (1.6), and at criticality with
batch normalisation. Expected before the first run: at initialisation pairs of images forget their correlation over the
mean-field length; a network in the ordered phase is not trained once it is many times deeper than that length, while
one at criticality still learns at 100 layers, if worse than a shallow one; with batch normalisation depth still costs
accuracy.
"""

from functools import partial

import numpy as np

from statnn import rg
from statnn.measure import order
from statnn.plot import COLOURS
from validation.claim import Claim, Outcome, Verdict
from validation.claims import _trained
from validation.claims._trained import CLEAR, effect, standard_error
from validation.statistics import mean
from validation.training import Recipe

KINDS = ("ordered", "critical", "chaotic", "critical, normalised")
SCALES = (0.7, 1.0, 1.6, 1.0)
DEPTHS = (3, 10, 30, 100)
REPLICAS = 5
CHANCE = 0.1


def _recipe(kind, depth, data, quick):
    width = 32 if data is None else 64
    epochs = (8 if quick else 20) if data is None else (3 if quick else 10)
    return Recipe(
        (64 if data is None else 784, *[width] * depth, 10), "tanh", normalised=kind == 3, learning_rate=1e-3,
        scale=SCALES[kind], batch=128, snapshots=(0, epochs),
    )  # fmt: skip


def _run(rng, quick, data=None):
    samples = 1_297 if data is None else 2_000 if quick else 10_000
    images, seeds = _trained.images_for(rng, REPLICAS, samples, data)
    shape = len(KINDS), len(DEPTHS), REPLICAS
    accuracy, slope = np.zeros(shape), np.zeros(shape)
    through = np.full((len(KINDS), 2, REPLICAS, DEPTHS[-1]), np.nan)
    predicted = np.full((len(KINDS), DEPTHS[-1]), np.nan)
    for kind in range(len(KINDS)):
        for d, depth in enumerate(DEPTHS):
            found = _trained.train_all(_recipe(kind, depth, data, quick), images, seeds)
            accuracy[kind, d] = [one.test_accuracy[-1] for one in found]
            slope[kind, d] = [_slope(one.network, own) for one, own in zip(found, images, strict=True)]
            if depth == DEPTHS[-1]:
                for r, (one, own) in enumerate(zip(found, images, strict=True)):
                    for when, net in enumerate(one.networks):
                        through[kind, when, r] = _correlation(net, own)[:depth]
                predicted[kind] = _predicted(SCALES[kind], through[kind, 0, :, 0].mean(), found, images)
    points = [rg.RandomLayer("tanh", scale).fixed_point() for scale in SCALES[:3]]
    return {
        "accuracy": accuracy,
        "slope": slope,
        "through": through,
        "predicted": predicted,
        "xi": [point.xi_correlation for point in points],
        "xi_variance": [point.xi_variance for point in points],
    }


def _slope(net, images):
    return order.rank_probability(net, *_trained.tested(images), 0).layer_slope


def _correlation(net, images):
    """Return the mean cosine of the fields of pairs of test images in every layer."""
    return rg.place(net, images.test, pairs=250, rng=0).correlation


def _predicted(scale, start, found, images):
    """Return mean-field correlations from those of the first layer at initialisation."""
    variance = np.mean(
        [rg.place(one.networks[0], own.test, rng=0).variance[0] for one, own in zip(found, images, strict=True)]
    )
    return rg.RandomLayer("tanh", scale).propagate(float(variance), float(start), DEPTHS[-1] - 1)[1]


def _judge(data):
    deepest = data["accuracy"][:, -1]
    gain = mean(deepest[1] - deepest[0], 0.0)
    ordered = mean(deepest[0] - CHANCE, 0.0) if np.ptp(deepest[0]) > 0 else None
    shallow = data["accuracy"][:, 0].mean(axis=1)
    said = ", ".join(
        f"{kind} {100 * a.mean():.0f} ± {100 * standard_error(a):.0f} %" for kind, a in zip(KINDS, deepest, strict=True)
    )
    detail = (
        f"accuracy at {DEPTHS[-1]} layers: {said}; at {DEPTHS[0]} layers "
        f"{', '.join(f'{100 * one:.0f}' for one in shallow)} %; ξ of the signal in the ordered phase "
        f"{float(data['xi'][0]):.1f} layers; effect size of the difference {effect(deepest[1] - deepest[0]):.1f}"
    )
    learnt = gain.estimate > 0 and gain.p < CLEAR
    lost = ordered is None or ordered.estimate < 0.1
    if learnt and lost:
        return Verdict.of(Outcome.DOMAIN, gain, f"few epochs: {detail}")
    return Verdict.of(Outcome.CONTRADICTED, gain, detail)


def _twin(data):
    """Let the ordered networks learn as those at criticality do."""
    accuracy = data["accuracy"].copy()
    accuracy[0] = accuracy[1, :, ::-1]
    return {**data, "accuracy": accuracy}


def _draw(data, figure):
    figure.set_size_inches(12, 3.8)
    left, middle, right = figure.subplots(1, 3)
    for kind, name in enumerate(KINDS):
        style = {"color": COLOURS[kind], "marker": "os^D"[kind], "markersize": 4, "fillstyle": "none", "label": name}
        for axes, values in ((left, data["accuracy"][kind]), (right, data["slope"][kind])):
            axes.errorbar(DEPTHS, values.mean(axis=1), standard_error(values, axis=1), **style)
        m = np.arange(1, DEPTHS[-1] + 1)
        after = 1 if kind == 3 else 0  # running statistics are none before training
        curve = data["through"][kind, after]
        middle.plot(m, curve.mean(axis=0), color=COLOURS[kind], linewidth=1.5)
        error = standard_error(curve)
        middle.fill_between(m, curve.mean(axis=0) - error, curve.mean(axis=0) + error, color=COLOURS[kind], alpha=0.25)
        if kind < 3:
            middle.plot(m, data["predicted"][kind], color="black", linestyle="--", linewidth=1)
    left.axhline(CHANCE, color="grey", linestyle=":", linewidth=1)
    left.set(xscale="log", xlabel="hidden layers", ylabel="test accuracy", ylim=(0, 1))
    left.legend(loc="lower left", fontsize=8)
    middle.set(
        xlabel="layer $m$", ylabel="correlation $c_m$ of pairs", ylim=(-0.1, 1.05),
        title="at the start; dashed: mean field", xscale="log",
    )  # fmt: skip
    middle.text(0.03, 0.05, "normalised: after training", transform=middle.transAxes, fontsize=8, color=COLOURS[3])
    right.set(xscale="log", xlabel="hidden layers", ylabel="slope of rank probability, layer 0")
    for axes in (left, right):
        axes.set_xticks(DEPTHS, [str(depth) for depth in DEPTHS])
        axes.minorticks_off()


_claim = partial(
    Claim,
    statement=(
        "A tanh network that starts in the ordered phase is not trained when it is many correlation lengths deep, while "
        "one at criticality learns at 100 layers."
    ),
    source="experiment on Lin et al. 2025, arXiv 2501.02436 (first version: depths to 100); Schoenholz et al. 2017",
    standing="own",
    expected=Outcome.DOMAIN,
    run=_run,
    judge=_judge,
    draw=_draw,
    twin=_twin,
    derivations=("tanh-criticality",),
    needs=("torch",),
)

CLAIMS = (
    _claim(id="deep-propagation-digits", title="Signals and training in depth: digits", cost=25),
    _claim(id="deep-propagation-mnist", title="Signals and training in depth: MNIST", needs_data=True, cost=60),
)
