"""Experiment 5: accuracy, rank probabilities and signals in depth up to 100 layers, with and without normalisation.

tanh networks start in the ordered phase (σ_w = 0.7), at criticality (1) and in chaos (1.6), and at criticality with
batch normalisation. Expected before the first run: at initialisation pairs of images forget their correlation over the
mean-field length; a network in the ordered phase is not trained once it is many times deeper than that length, while
one at criticality still learns, if worse than a shallow one; with batch normalisation depth still costs
accuracy. The claim is judged at 30 layers, some twenty of these lengths. At 100 layers, in full mode, with one learning
rate and few epochs, only the normalised network learns, and not well. Five trainings are too few on MNIST, where some
of the ordered networks begin to learn (25 ± 9 % at 30 layers, p = 0.0015).
"""

from functools import partial

import numpy as np

from statnn import Network, rg
from statnn.measure import order
from statnn.plot import COLOURS
from validation.claim import Asks, Claim, Finding, Outcome, Verdict
from validation.claims import _trained
from validation.claims._tools import lettered
from validation.claims._trained import CLEAR, above_zero, effect, standard_error
from validation.trained.recipe import Recipe

KINDS = ("ordered", "critical", "chaotic", "critical, normalised")
SCALES = (0.7, 1.0, 1.6, 1.0)
REPLICAS = 8
CHANCE = 0.1
JUDGED = 30
GAIN = f"accuracy at criticality minus accuracy in the ordered phase, {JUDGED} layers"
LOST = f"accuracy above chance in the ordered phase, {JUDGED} layers over 3 layers"
DEEP = 100
"""Depth to which signals are followed at initialisation."""


def _depths(quick):
    return (3, 10, 30) if quick else (3, 10, 30, 100)


def _recipe(kind, depth, data, quick):
    width = 32 if quick else 64
    epochs = (10 if quick else 40) if data is None else (3 if quick else 10)
    return Recipe(
        (64 if data is None else 784, *[width] * depth, 10), "tanh", normalised=kind == 3, learning_rate=1e-3,
        scale=SCALES[kind], batch=128, snapshots=(0, epochs),
    )  # fmt: skip


def _run(rng, quick, data=None):
    samples = 1_297 if data is None else 2_000 if quick else 10_000
    images, seeds = _trained.images_for(rng, REPLICAS, samples, data)
    depths = _depths(quick)
    accuracy, slope = np.zeros((2, len(KINDS), len(depths), REPLICAS))
    for kind in range(len(KINDS)):
        for d, depth in enumerate(depths):
            trainings = _trained.train_all(_recipe(kind, depth, data, quick), images, seeds)
            accuracy[kind, d] = [training.test_accuracy[-1] for training in trainings]
            slope[kind, d] = [_slope(training.network, own) for training, own in zip(trainings, images, strict=True)]
    normalised = [
        _placed(training.network, own).correlation[:-1] for training, own in zip(trainings, images, strict=True)
    ]
    through, predicted = [], []
    for scale in SCALES[:3]:
        starts = [
            _placed(Network.random([own.test.shape[1], *[100] * DEEP], "tanh", scale, rng=rng), own) for own in images
        ]
        q, c = (np.mean([getattr(start, name)[0] for start in starts]) for name in ("variance", "correlation"))
        through.append([start.correlation for start in starts])
        predicted.append(rg.RandomLayer("tanh", scale).propagate(float(q), float(c), DEEP - 1)[1])
    points = [rg.RandomLayer("tanh", scale).fixed_point() for scale in SCALES[:3]]
    return {
        "depths": depths,
        "accuracy": accuracy,
        "slope": slope,
        "normalised": normalised,
        "through": through,
        "predicted": predicted,
        "xi": [point.xi_correlation for point in points],
    }


def _slope(net, images):
    return order.rank_probability(net, *_trained.tested(images), 0).layer_slope


def _placed(net, images):
    """Follow pairs of test images through a network."""
    return rg.place(net, images.test, pairs=250, rng=0)


def _judge(data):
    depths, accuracy = list(data["depths"]), data["accuracy"]
    deep = accuracy[:, depths.index(JUDGED)]
    gain = above_zero(deep[1] - deep[0])
    left = deep[0].mean() - CHANCE
    shallow = accuracy[:, 0].mean(axis=1)
    said = "; at ".join(
        f"{depth} layers: "
        + ", ".join(
            f"{kind} {100 * a.mean():.0f} ± {100 * standard_error(a):.0f} %"
            for kind, a in zip(KINDS, accuracy[:, d], strict=True)
        )
        for d, depth in enumerate(depths)
        if depth >= JUDGED
    )
    gap = np.abs(data["through"].mean(axis=1) - data["predicted"]).max(axis=1)
    detail = (
        f"accuracy at {said}; at {depths[0]} layers "
        f"{', '.join(f'{100 * kept:.0f}' for kept in shallow)} %; squared distances shrink over "
        f"{float(data['xi'][0]):.1f} layers in the ordered phase, "
        f"correlations over {float(data['xi'][2]):.1f} in chaos; "
        "correlations of images within "
        f"{', '.join(f'{off:.2f}' for off in gap)} of mean field through {DEEP} layers of width 100; effect size "
        f"{effect(deep[1] - deep[0]):.1f}"
    )
    findings = (
        Finding.of(GAIN, gain, asks=Asks.ABOVE, level=CLEAR, sees=1.0, unit="of the gain"),
        Finding(
            quantity=LOST, estimate=left / (shallow[0] - CHANCE), error=0, theory=0.25, asks=Asks.AT_MOST, sees=0.25,
            unit="of what is learnt in 3 layers",
        ),
    )  # fmt: skip
    return Verdict.judged(findings, Outcome.DOMAIN, f"few epochs: {detail}", otherwise="depth does not part the phases")


def _no_gain(data, by):
    """Let networks at criticality learn less, by a share of their lead."""
    accuracy, at = np.array(data["accuracy"]), list(data["depths"]).index(JUDGED)
    accuracy[1, at] -= by * (accuracy[1, at] - accuracy[0, at]).mean()
    return {**data, "accuracy": accuracy}


def _ordered_learns(data, by):
    """Let ordered networks learn more, by a share of what shallow ones learn."""
    accuracy, at = np.array(data["accuracy"]), list(data["depths"]).index(JUDGED)
    accuracy[0, at] += by * (accuracy[0, 0].mean() - CHANCE)
    return {**data, "accuracy": accuracy}


def _draw(data, figure):
    figure.set_size_inches(12, 3.8)
    left, middle, right = lettered(figure, 1, 3)
    m = np.arange(1, DEEP + 1)
    for kind, name in enumerate(KINDS):
        style = {"color": COLOURS[kind], "marker": "os^D"[kind], "markersize": 4, "fillstyle": "none", "label": name}
        for axes, values in ((left, data["accuracy"][kind]), (right, data["slope"][kind])):
            axes.errorbar(data["depths"], values.mean(axis=1), standard_error(values, axis=1), **style)
        curve = data["through"][kind] if kind < 3 else data["normalised"]
        mean_curve, error, layers = curve.mean(axis=0), standard_error(curve), m[: curve.shape[1]]
        middle.plot(layers, mean_curve, color=COLOURS[kind], linewidth=1.5, marker="os^D"[kind], markevery=0.1)
        middle.fill_between(
            layers, mean_curve - error, mean_curve + error, color=COLOURS[kind], alpha=0.25, linewidth=0
        )
        if kind < 3:
            middle.plot(
                m, data["predicted"][kind], color="black", linestyle="--", linewidth=1,
                label="mean field" if kind == 0 else None,
            )  # fmt: skip
    left.axhline(CHANCE, color="grey", linestyle=":", linewidth=1)
    left.set(xscale="log", xlabel="hidden layers", ylabel="test accuracy", ylim=(0, 1.02))
    middle.set(
        xlabel="layer $m$", ylabel="correlation $c_m$ of pairs of images", ylim=(None, 1.05), xscale="log",
        title="at the start; normalised: trained",
    )  # fmt: skip
    right.set(xscale="log", xlabel="hidden layers", ylabel="slope of rank probability, layer 0")
    for axes in (left, right):
        axes.set_xticks(data["depths"], [str(depth) for depth in data["depths"]])
        axes.minorticks_off()
    entries = zip(left.get_legend_handles_labels(), middle.get_legend_handles_labels(), strict=True)
    figure.legend(*(entry + other for entry, other in entries), loc="outside upper center", ncols=5)


_claim = partial(
    Claim,
    statement=(
        "A tanh network that starts in the ordered phase does not train when it is many correlation lengths deep, "
        "while one of the same depth at criticality does."
    ),
    source="experiment on Lin et al. 2025, arXiv 2501.02436 (first version: depths to 100); Schoenholz et al. 2017",
    standing="own",
    expected=Outcome.DOMAIN,
    caption=(
        "tanh networks that start in three phases, and one with batch normalisation. (a) Test accuracy after "
        "training against depth; dotted: chance. (b) Correlation of pairs of test images through 100 random "
        "layers of width 100, and through trained layers where normalised; bands: standard error over 8 networks; "
        "dashed: mean-field theory. (c) Slope of the rank probability distribution of the first layer after "
        "training. Error bars: standard error over 8 trainings."
    ),
    run=_run,
    judge=_judge,
    draw=_draw,
    twins={GAIN: _no_gain, LOST: _ordered_learns},
    derivations=("tanh-criticality",),
    needs=("torch",),
)

CLAIMS = (
    _claim(id="deep-propagation-digits", title="Signals and training in depth: digits", cost=25),
    _claim(id="deep-propagation-mnist", title="Signals and training in depth: MNIST", needs_data=True, cost=60),
)
