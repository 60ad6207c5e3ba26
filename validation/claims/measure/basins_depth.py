"""Attraction basins of trained networks against depth and width.

Expected before the first run, with the paper: the median sample basin grows with depth and the median weight basin,
whose noise enters in every layer, shrinks. On digits both shrink, by an eighth and by a sixth per doubling; the sample
basin hardly depends on width, and the weight basin grows with it. So it is on MNIST, where the sample basin loses a
third from one layer to two and little after that.

Radii are those of held-out images that the network classifies correctly; within a replica all networks see the same
images, and trends are slopes of ln σ* against log₂ of depth or width, one per replica. Trained networks are a domain,
not a proof, so a claim that holds on them "holds within a domain".
"""

import numpy as np

from statnn.measure.basins import sample_basin, weight_basin
from statnn.plot import COLOURS
from statnn.testing.statistics import mean
from validation.claim import Asks, Claim, Finding, Outcome, Verdict
from validation.claims import _trained
from validation.claims._tools import lettered
from validation.claims._trained import CLEAR, effect, standard_error
from validation.trained import training
from validation.trained.recipe import Recipe

DEPTHS = (1, 2, 4, 8, 16)
"""Numbers of layers of weights."""
SPACES = ("samples", "weights")
GROWTH = "change of ln σ* of samples per doubling of depth"
SHRINKAGE = "change of ln σ* of weights per doubling of depth"


def _plan(quick, data):
    """Return inputs, width for all depths, widths and their common depth, training images, epochs, images measured."""
    if data is None:
        return (64, 64, (16, 64, 128), 4, 1_297, *((30, 30) if quick else (80, 200)))
    return (784, 256, (64, 256, 1024), 4, *((2_000, 20, 100) if quick else (4_000, 20, 120)))


def _networks(layers, width, inputs):
    return (inputs, *[width] * (layers - 1), 10)


def _run(rng, quick, data=None):
    inputs, width, widths, layers, samples, epochs, measured = _plan(quick, data)
    images, seeds = _trained.images_for(rng, 5 if quick else 8, samples, data)
    noise = [int(n) for n in rng.integers(2**63, size=len(seeds))]
    out = {"depths": DEPTHS, "widths": widths, "width": width, "layers": layers, "epochs": epochs}
    known = {}
    for axis, shapes in (
        ("depth", [_networks(depth, width, inputs) for depth in DEPTHS]),
        ("width", [_networks(layers, some, inputs) for some in widths]),
    ):
        for shape in shapes:
            if shape not in known:
                known[shape] = _measured(_recipe(shape, epochs, data), images, seeds, noise, measured)
        rows = [known[shape] for shape in shapes]
        for name, values in zip(("radius", "by_class", "endless", "accuracy"), zip(*rows, strict=True), strict=True):
            out[f"{name}_{axis}"] = np.moveaxis(np.array(values), 0, 1)
    return out


def _recipe(shape, epochs, data):
    return Recipe(shape, "tanh", learning_rate=2e-3 if data is None else 1e-3, batch=128, snapshots=(0, epochs))


def _measured(recipe, images, seeds, noise, measured):
    """Return median radii of both basins by replica, those by class, shares of infinite basins, and accuracies."""
    trainings = training.train_all(recipe, images, seeds)
    medians, classes, endless = [], [], []
    for training_run, own, seed in zip(trainings, images, noise, strict=True):
        x, labels = _trained.tested(own)
        right = np.flatnonzero(training_run.network(x).argmax(axis=1) == labels)[:measured]
        basins = [
            basin(training_run.network, x[right], labels[right], rng=seed) for basin in (sample_basin, weight_basin)
        ]
        medians.append([basin.median for basin in basins])
        endless.append([basin.infinite.mean() for basin in basins])
        classes.append([[_median(basin.radius[labels[right] == k]) for k in range(10)] for basin in basins])
    return medians, classes, endless, [training_run.test_accuracy[-1] for training_run in trainings]


def _median(radii):
    return np.median(radii) if radii.size else np.nan


def _slopes(values, at):
    """Return the slope of ln σ* against log₂ of the size, one per replica; `values` has shape (replicas, sizes)."""
    return np.polynomial.polynomial.polyfit(np.log2(at), np.log(values).T, 1)[1]


def _judge(data):
    trends, words = [], []
    for i, space in enumerate(SPACES):
        slopes = _slopes(data["radius_depth"][:, :, i], data["depths"])
        ends = np.exp(np.log(data["radius_depth"][:, :, i]).mean(axis=0))
        trends.append(mean(slopes, 0.0))
        by_width = mean(_slopes(data["radius_width"][:, :, i], data["widths"]), 0.0)
        words.append(
            f"{space}: ln σ* changes by {slopes.mean():+.3f} ± {standard_error(slopes):.3f} per doubling of depth "
            f"(d = {effect(slopes):+.1f}; median {ends[0]:.2f} at 1 layer, {ends[-1]:.2f} at {data['depths'][-1]}), by "
            f"{by_width.estimate:+.3f} ± {by_width.error:.3f} per doubling of width"
        )
    accuracy = data["accuracy_depth"].mean(axis=0)
    widest = _widest(data["by_class_depth"][:, :, 0])
    detail = (
        f"{'; '.join(words)}; test accuracy {accuracy[0]:.3f} at 1 layer, {accuracy.max():.3f} at best "
        f"({data['depths'][accuracy.argmax()]} layers), {accuracy[-1]:.3f} at {data['depths'][-1]}; {widest}"
    )
    findings = [
        Finding.of(name, trend, asks=asks, level=CLEAR, sees=0.45, unit="in ln σ* per doubling")
        for name, trend, asks in zip((GROWTH, SHRINKAGE), trends, (Asks.ABOVE, Asks.BELOW), strict=True)
    ]
    return Verdict.judged(findings, Outcome.DOMAIN, detail, otherwise="not as the paper says")


def _widest(radii):
    """Say which classes have the widest and the narrowest sample basins, averaged in ln over replicas and depths."""
    logs = np.nanmean(np.log(radii), axis=(0, 1))
    return (
        f"sample basins of digit {logs.argmax()} are widest ({np.exp(logs.max()):.2f}), those of {logs.argmin()} "
        f"narrowest ({np.exp(logs.min()):.2f})"
    )


def _with_depth(space):
    def twin(data, by):
        """Let basins in one space widen by that much more in ln σ* per doubling of depth."""
        radii = np.array(data["radius_depth"])
        radii[:, :, space] *= np.exp(by * np.log2(data["depths"]))
        return {**data, "radius_depth": radii}

    return twin


def _draw(data, figure):
    figure.set_size_inches(11, 3.8)
    panels = lettered(figure, 1, 3)
    for axis, axes, at in (("depth", panels[0], data["depths"]), ("width", panels[1], data["widths"])):
        for i, space in enumerate(SPACES):
            logs = np.log(data[f"radius_{axis}"][:, :, i])
            middle, error = np.exp(logs.mean(axis=0)), standard_error(logs)
            axes.errorbar(
                at, middle, middle * error, fmt="os"[i] + "-", color=COLOURS[i], label=f"noise on {space}, $\\sigma^*$"
            )
        accuracy = data[f"accuracy_{axis}"]
        other = axes.twinx()
        other.errorbar(
            at, accuracy.mean(axis=0), standard_error(accuracy), fmt="^:", color="grey", label="test accuracy (right)"
        )
        other.set(ylim=(0, 1.02), ylabel="test accuracy")
        other.grid(visible=False)
        other.spines["right"].set_visible(True)
        axes.set(xscale="log", yscale="log", ylabel=r"median radius $\sigma^*$")
        axes.set_xticks(at, [str(n) for n in at], minor=False)
        axes.minorticks_off()
        ticks = [
            t for t in (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0) if np.prod(np.subtract(axes.get_ylim(), t)) < 0
        ]
        axes.set_yticks(ticks, [f"{t:g}" for t in ticks])
    handles = [*axes.get_legend_handles_labels()[0], *other.get_legend_handles_labels()[0]]
    names = [*axes.get_legend_handles_labels()[1], *other.get_legend_handles_labels()[1]]
    figure.legend(handles, names, loc="outside upper center", ncols=3)
    panels[0].set(xlabel=f"layers, width {data['width']}")
    panels[1].set(xlabel=f"width, {data['layers']} layers")
    for j, depth in enumerate(data["depths"]):
        logs = np.log(data["by_class_depth"][:, j, 0])
        seen = np.isfinite(logs).sum(axis=0)
        middle, error = np.exp(np.nanmean(logs, axis=0)), np.nanstd(logs, axis=0, ddof=1) / np.sqrt(seen)
        panels[2].errorbar(
            np.arange(10) + 0.13 * (j - 2), middle, middle * error, fmt="o^sDv"[j], color=COLOURS[j], label=f"{depth}",
            markersize=3.5, linewidth=0.8, capsize=0,
        )  # fmt: skip
    panels[2].set(xlabel="digit", ylabel=r"median radius $\sigma^*$, samples", xticks=range(10))
    panels[2].legend(title="layers", ncols=5, columnspacing=0.6, handletextpad=0.1, loc="lower center")
    low, high = panels[2].get_ylim()
    panels[2].set_ylim(low - 0.25 * (high - low), high)


def _claim(name, title, **options):
    return Claim(
        id=f"{name}-basins-depth",
        title=f"Basins against depth and width: {title}",
        statement="With depth the attraction basins in sample space grow and those in weight space shrink.",
        source="Lin et al. 2025, arXiv 2501.02436, main text",
        standing="paper",
        expected=Outcome.CONTRADICTED,
        caption=(
            r"Median radius $\sigma^*$ of attraction basins of trained tanh networks, of noise on samples (circles) "
            "and on weights (squares), against depth (a) and width (b); triangles, right axis: test "
            "accuracy. (c) Radii in sample space by digit, for five depths. Error bars: standard error over 5 "
            "trainings (8 in a full run), for radii that of the mean logarithm."
        ),
        run=_run,
        judge=_judge,
        draw=_draw,
        twins={GROWTH: _with_depth(0), SHRINKAGE: _with_depth(1)},
        contradicted=(GROWTH,),
        derivations=("attraction-basins",),
        needs=("torch",),
        **options,
    )


CLAIMS = (
    _claim("digits", "digits", cost=30),
    _claim("mnist", "MNIST", needs_data=True, cost=300),
)
