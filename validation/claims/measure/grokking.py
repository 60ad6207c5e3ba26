"""Grokking: samples are learnt by heart first and their classes long after; basins, order, activity on the way.

Expected before the first run: with a large start the outputs on learnt samples are small differences of large numbers,
so basins are small (about 1e-2) when the samples are known by heart, and decay widens them beyond 1e-1 as the test
accuracy rises. They do grow, on digits and on 200 images of MNIST, but by a factor of two to three and from larger
radii: the smallest, 0.07 on digits, belong to the time when samples are still being learnt by heart.
"""

import numpy as np

from statnn._axes import logarithmic
from statnn.measure import basins, order, spikes
from statnn.plot import COLOURS
from validation.claim import Asks, Claim, Finding, Outcome, Verdict
from validation.claims import _trained
from validation.claims._tools import lettered
from validation.claims._trained import CLEAR, above_zero, effect, standard_error
from validation.trained.recipe import Recipe

BOUNDARY = 0.1
"""Radius that basins should pass late in training, in units of the pixels, which lie in [0, 1]."""
BY_HEART = 0.95
"""Accuracy on the training samples, mean over trainings, from which they count as known by heart."""
LATE = "test accuracy gained once samples are known by heart"
SMALL = f"ln of {BOUNDARY} over the basin radius once samples are known by heart"
WIDE = f"ln of the last basin radius over {BOUNDARY}"
WINDOW = 20
MEASURED = 100
"""Samples whose basins are measured in each network."""
SHARED = ("train_accuracy", "test_accuracy", "train_loss", "test_loss")


def _recipe(quick, data):
    """Return the recipe and the number of training samples; full runs on digits decay three times more slowly."""
    if data is None:
        widths, samples, rate, decay, steps = (
            (64, 100, 100, 10),
            100,
            1e-2,
            0.1 if quick else 0.1 / 3,
            1 if quick else 3,
        )
        epochs = np.array([0, 10, 30, 60, 100, 150, 220, 320, 450, 650, 1_000]) * steps
        batch = samples
    elif quick:
        widths, samples, rate, decay, batch = (784, 200, 200, 10), 200, 1e-2, 0.1, 200
        epochs = np.array([0, 10, 30, 60, 100, 150, 220, 320, 450, 650, 1_000])
    else:
        widths, samples, rate, decay, batch = (784, 200, 200, 10), 1_000, 3e-3, 0.1, 200
        epochs = np.array([0, 5, 10, 20, 40, 80, 150, 300, 500, 800])
    return Recipe(
        widths,
        "relu",
        loss="squared",
        learning_rate=rate,
        weight_decay=decay,
        scale=3.0,
        batch=batch,
        snapshots=tuple(epochs.tolist()),
    ), samples


def _run(rng, quick, data=None):
    recipe, samples = _recipe(quick, data)
    images, seeds = _trained.images_for(rng, 8, samples, data)
    trainings = _trained.train_all(recipe, images, seeds)
    kinds = [
        [_measures(net, own, seed) for net in training.networks]
        for training, own, seed in zip(trainings, images, seeds, strict=True)
    ]
    names = tuple(kinds[0][0])
    return (
        {"epochs": recipe.snapshots, "samples": samples, "decay": recipe.weight_decay}
        | {name: [getattr(training, name) for training in trainings] for name in SHARED}
        | {name: [[snapshot[name] for snapshot in replica] for replica in kinds] for name in names}
    )


def _measures(net, images, seed):
    """Return basins of training and test samples, slopes and activity of hidden units on test samples."""
    x, labels = _trained.tested(images)
    hidden = np.hstack(net.trace(x).activations[1:-1])
    active = spikes.statistics(hidden, window=WINDOW, order="shuffled", intervals=False, rng=seed % 2**31)
    samples = {"train_basin": images.train[:MEASURED], "test_basin": x[:MEASURED]}
    radii = {
        name: basins.sample_basin(net, some, draws=16, steps=6, rng=seed % 2**31).median
        for name, some in samples.items()
    }
    slopes = {f"slope_{m + 1}": order.rank_probability(net, x, labels, m).layer_slope for m in range(net.depth - 1)}
    activity = {
        "rate": active.mean_rate,
        "silent": active.silent_units / active.units,
        "fano_factor": active.mean_fano_factor,
        "null_fano_factor": active.mean_null_fano_factor,
    }
    return radii | slopes | activity


def _turn(data):
    """Return the snapshot at which samples are known by heart, and the last."""
    known = np.flatnonzero(data["train_accuracy"].mean(axis=0) >= BY_HEART)
    if not known.size or known[0] == len(data["epochs"]) - 1:
        raise ValueError(f"the samples are not known by heart before the last epoch {data['epochs'][-1]}: train longer")
    return int(known[0]), len(data["epochs"]) - 1


def _judge(data):
    before, after = _turn(data)
    radii = np.log(data["train_basin"])
    growth = radii[:, after] - radii[:, before]
    below, above = (above_zero(sign * (radii[:, s] - np.log(BOUNDARY))) for sign, s in ((-1, before), (1, after)))
    learnt = above_zero(data["test_accuracy"][:, after] - data["test_accuracy"][:, before])
    test = np.exp(np.log(data["test_basin"]).mean(axis=0))
    row = {name: data[name].mean(axis=0) for name in ("test_accuracy", "slope_1", "slope_2", "rate", "silent")}
    detail = (
        f"epoch {data['epochs'][before]} (known by heart) → {data['epochs'][after]}: median radius of training samples "
        f"{np.exp(radii[:, before].mean()):.3f} → {np.exp(radii[:, after].mean()):.3f}, a factor "
        f"{np.exp(growth.mean()):.1f} (× or ÷ {np.exp(standard_error(growth)):.2f}; d = {effect(growth):.1f}), of test "
        f"samples {test[before]:.3f} → {test[after]:.3f}; "
        + ", ".join(f"{name.replace('_', ' ')} {v[before]:.2f} → {v[after]:.2f}" for name, v in row.items())
    )
    shown = {"asks": Asks.ABOVE, "level": CLEAR}
    findings = [
        Finding.of(LATE, learnt, sees=0.3, unit="of accuracy", **shown),
        Finding.of(SMALL, below, sees=1.0, unit="in ln of the radius", **shown),
        Finding.of(WIDE, above, sees=1.2, unit="in ln of the radius", **shown),
    ]
    return Verdict.judged(findings, Outcome.DOMAIN, detail, otherwise="not as the paper says")


def _twin_accuracy(data, by):
    """Let networks learn less late in training."""
    accuracy, (_, after) = np.array(data["test_accuracy"]), _turn(data)
    accuracy[:, after] -= by
    return {**data, "test_accuracy": accuracy}


def _twin_radius(last):
    def twin(data, by):
        """Let basins be smaller at the end, or, as the paper says, when samples are known by heart."""
        radii = np.array(data["train_basin"])
        radii[:, _turn(data)[last]] *= np.exp(-by)
        return {**data, "train_basin": radii}

    return twin


def _draw(data, figure):
    figure.set_size_inches(9, 6.4)
    (accuracy, basin), (slope, activity) = lettered(figure, 2, 2, sharex=True)
    at = np.maximum(data["epochs"], data["epochs"][1] / 2)
    before, _ = _turn(data)

    def curve(axes, name, mark, colour, label):
        values = data[name]
        axes.errorbar(at, values.mean(axis=0), standard_error(values), fmt=mark, color=colour, label=label)

    curve(accuracy, "train_accuracy", "s-", COLOURS[1], "training samples")
    curve(accuracy, "test_accuracy", "o-", "black", "test samples")
    accuracy.set(
        ylabel="accuracy", ylim=(0, 1.03), title=f"{data['samples']} samples, weight decay {data['decay']:.3g}"
    )
    for name, mark, colour in (("train_basin", "s-", COLOURS[1]), ("test_basin", "o-", "black")):
        logs = np.log(np.where(np.isinf(data[name]), np.nan, data[name]))  # basins of a random start may be infinite
        middle, error = logs.mean(axis=0), standard_error(logs)
        ends = np.exp(middle) - np.exp(middle - error), np.exp(middle + error) - np.exp(middle)
        label = f"{name.split('_')[0].replace('train', 'training')} samples"
        basin.errorbar(at, np.exp(middle), ends, fmt=mark, color=colour, label=label)
    basin.axhline(BOUNDARY, color="grey", linestyle=":", linewidth=1)
    logarithmic(basin, "y")
    basin.set(ylabel="median basin radius $\\sigma^*$")
    for m, mark in ((1, "o-"), (2, "^--")):
        curve(slope, f"slope_{m}", mark, COLOURS[m - 1], f"hidden layer {m}")
    slope.axhline(0, color="grey", linestyle=":", linewidth=1)
    slope.set(ylabel="slope $s$ of rank probability")
    for name, mark, label in (
        ("fano_factor", "o-", "mean Fano factor"),
        ("null_fano_factor", "s:", "its null, samples in random order"),
        ("rate", "^--", "mean rate"),
        ("silent", "v-.", "silent units"),
    ):
        curve(activity, name, mark, COLOURS["osv^".index(mark[0])], label)
    activity.set(ylabel="activity of hidden units", ylim=(-0.03, 1.4), yticks=np.linspace(0, 1, 6))
    for axes in (accuracy, basin, slope, activity):
        axes.axvline(at[before], color="grey", linewidth=1)
        axes.set(xscale="log")
        axes.legend(fontsize="small", loc="lower right" if axes is accuracy else "upper left")
    for axes in (slope, activity):
        axes.set(xlabel="epoch (the start is drawn at the left end)")


def _claim(name, title, *, needs_data, cost):
    return Claim(
        id=f"grokking-{name}",
        title=f"Basins in grokking: {title}",
        statement=(
            "A shallow ReLU network with a large initial norm and small weight decay learns its samples by heart first "
            "and generalises late; its sample basins grow from about 0.01 to above 0.1."
        ),
        source="Lin et al. 2025, arXiv 2501.02436, main text",
        standing="paper",
        expected=Outcome.CONTRADICTED,
        caption=(
            "A ReLU network that learns its samples by heart and generalises later. (a) Accuracy on "
            r"training and test samples. (b) Median radius $\sigma^*$ of attraction basins; dotted: 0.1. "
            "(c) Slope $s$ of the rank probability distribution in both hidden layers. (d) "
            "Activity of hidden units. Vertical line: the first of these epochs at which the training samples are "
            "known by heart, to 95 %. Error bars: standard error over 8 trainings; for radii, of the mean "
            "logarithm."
        ),
        run=_run,
        judge=_judge,
        draw=_draw,
        twins={LATE: _twin_accuracy, SMALL: _twin_radius(0), WIDE: _twin_radius(1)},
        contradicted=(SMALL,),
        needs_data=needs_data,
        needs=("torch",),
        cost=cost,
    )


CLAIMS = (
    _claim("digits", "digits", needs_data=False, cost=10),
    _claim("mnist", "MNIST", needs_data=True, cost=300),
)
