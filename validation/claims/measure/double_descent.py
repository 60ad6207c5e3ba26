"""Test error against width when some labels are wrong, beside the activity of the hidden units.

Expected before the first run: with noisy labels and long training the squared test error has a peak at the width that
just fits the training samples and falls again beyond it; where units are many, each is active on fewer samples and
more of them are silent. The peak is found; the share of wrong answers has none, and activity goes the other way: with
width the mean rate rises and fewer units are silent, without a trace of the peak. On MNIST the rise is 0.02 in full
mode: eight trainings leave it open for one seed of two (p = 0.0015), so that twenty are taken.
"""

import numpy as np

from statnn.measure import spikes
from statnn.plot import COLOURS
from validation.claim import Asks, Claim, Finding, Outcome, Verdict
from validation.claims import _trained
from validation.claims._tools import lettered
from validation.claims._trained import CLEAR, above_zero, effect, is_clear, others
from validation.trained.recipe import Recipe
from validation.trained.training import scrambled

SHARE = 0.3
"""Share of the training labels that are permuted among themselves."""
WINDOW = 20
RISE, FALL = "rise of the squared test error to its peak", "fall of the squared test error beyond its peak"
FITTED = "accuracy on the training samples at the peak"
FITS = 0.8
"""Accuracy on the training samples from which a network begins to fit them, wrong labels and all."""
KINDS = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
ACTIVITY = ("rate", "silent", "fano_factor", "null_fano_factor")


def _settings(quick, data):
    """Return widths, training samples, epochs, learning rate and batch."""
    if data is None and quick:
        return (6, 12, 24, 44, 90, 200), 100, 600, 4e-3, 100
    if data is None:
        return (3, 6, 12, 24, 34, 44, 90, 200, 400), 100, 1_000, 4e-3, 100
    if quick:
        return (6, 12, 32, 90, 200), 100, 800, 4e-3, 100
    return (4, 8, 16, 32, 48, 64, 128, 512), 500, 300, 2e-3, 100


def _replicas(quick, data):
    return 16 if data is None else 32 if quick else 20


def _run(rng, quick, data=None):
    widths, samples, epochs, rate, batch = _settings(quick, data)
    images, seeds = _trained.images_for(rng, _replicas(quick, data), samples, data)
    images = [scrambled(own, SHARE, child) for own, child in zip(images, rng.spawn(len(images)), strict=True)]
    curves = {name: [] for name in (*KINDS, *ACTIVITY)}
    for width in widths:
        shape = (images[0].train.shape[1], width, 10)
        recipe = Recipe(shape, "relu", loss="squared", learning_rate=rate, batch=batch, snapshots=(epochs,))
        replicas = _trained.train_all(recipe, images, seeds)
        for name in KINDS:
            curves[name].append([getattr(training, name)[-1] for training in replicas])
        rows = [_activity(training.network, own, training.seed) for training, own in zip(replicas, images, strict=True)]
        for name, values in zip(ACTIVITY, np.transpose(rows), strict=True):
            curves[name].append(values)
    return {"widths": widths, "samples": samples} | {name: np.transpose(values) for name, values in curves.items()}


def _activity(net, images, seed):
    hidden = net.trace(_trained.tested(images)[0]).activations[1]
    active = spikes.statistics(hidden, window=WINDOW, order="shuffled", intervals=False, rng=seed % 2**31)
    works = not active.silent.all()  # where all units are dead there is no Fano factor to average
    return (
        active.mean_rate,
        active.silent_units / active.units,
        active.mean_fano_factor if works else np.nan,
        active.mean_null_fano_factor if works else np.nan,
    )


def _peak(curve):
    """Return the place of the highest peak over lower points on both sides, and these; an inner point if none."""
    heights = [min(curve[j] - curve[:j].min(), curve[j] - curve[j + 1 :].min()) for j in range(1, len(curve) - 1)]
    peak = int(np.argmax(heights)) + 1
    return peak, int(curve[:peak].argmin()), peak + 1 + int(curve[peak + 1 :].argmin())


def _rise_and_fall(values):
    """Return by how much each replica rises to the peak of the others and falls beyond it, shape (2, replicas)."""
    changes = []
    for own, rest in others(values):
        peak, left, right = _peak(rest)
        changes.append((own[peak] - own[left], own[peak] - own[right]))
    return np.array(changes).T


def _judge(data):
    rise, fall = _rise_and_fall(data["test_loss"])
    up, down = above_zero(rise), above_zero(fall)
    peak, left, right = _peak(data["test_loss"].mean(axis=0))
    wrong = 1 - data["test_accuracy"]
    wrong_up, wrong_down = (above_zero(change) for change in _rise_and_fall(wrong))
    widths, fitted = data["widths"], data["train_accuracy"].mean(axis=0)
    shares = ", ".join(f"{share:.2f}" for share in wrong.mean(axis=0))
    detail = (
        f"{SHARE:.0%} of the labels permuted: squared test error {data['test_loss'][:, left].mean():.3f} at width "
        f"{widths[left]}, {data['test_loss'][:, peak].mean():.3f} at {widths[peak]}, "
        f"{data['test_loss'][:, right].mean():.3f} at {widths[right]}; effect size of the rise {effect(rise):.1f}, of "
        f"the fall {effect(fall):.1f}; share of wrong answers {shares}, "
        + ("with a peak too" if is_clear(wrong_up, 4) and is_clear(wrong_down, 4) else "without a clear peak")
    )
    findings = (
        Finding.of(RISE, up, asks=Asks.ABOVE, level=CLEAR, sees=0.8, unit="of the rise"),
        Finding.of(FALL, down, asks=Asks.ABOVE, level=CLEAR, sees=0.8, unit="of the fall"),
        Finding(
            quantity=FITTED, estimate=fitted[peak], error=0.0, theory=FITS, asks=Asks.AT_LEAST, sees=0.3,
            unit="in the accuracy",
        ),
    )  # fmt: skip
    return Verdict.judged(findings, Outcome.DOMAIN, detail, otherwise="no peak where samples are just fitted")


def _flat(side):
    """Return the twin in which a share of the dip on one side of the peak is filled up."""

    def twin(data, by):
        loss = np.array(data["test_loss"])
        curve = loss.mean(axis=0)
        peak = _peak(curve)[0]
        beside = slice(0, peak) if side == 0 else slice(peak + 1, None)
        loss[:, beside] += by * (curve[peak] - curve[beside])
        return {**data, "test_loss": loss}

    return twin


TWINS = {
    RISE: _flat(0),
    FALL: _flat(1),
    FITTED: lambda data, by: {**data, "train_accuracy": data["train_accuracy"] - by},
}


def _draw(data, figure):
    figure.set_size_inches(11, 3.8)
    loss, wrong, activity = lettered(figure, 1, 3)
    widths = data["widths"]

    def curve(axes, values, mark, colour, label):
        error = np.nanstd(values, axis=0, ddof=1) / np.sqrt(np.isfinite(values).sum(axis=0))
        axes.errorbar(widths, np.nanmean(values, axis=0), error, fmt=mark, color=colour, label=label)

    for name, mark, colour in (("train", "s--", COLOURS[1]), ("test", "o-", "black")):
        curve(loss, data[f"{name}_loss"], mark, colour, name)
        curve(wrong, 1 - data[f"{name}_accuracy"], mark, colour, name)
    wrong.axhline(SHARE, color="grey", linestyle=":", linewidth=1, label="labels permuted")
    for i, (name, mark, label) in enumerate(
        (
            ("fano_factor", "o-", "mean Fano factor"),
            ("null_fano_factor", "s:", "its null"),
            ("rate", "^--", "mean rate"),
            ("silent", "v-.", "silent units"),
        )
    ):
        curve(activity, data[name], mark, COLOURS[i], label)
    loss.set(ylabel="squared error", title=f"{data['samples']} samples, {SHARE:.0%} of labels permuted")
    wrong.set(ylabel="share of wrong answers", ylim=(-0.02, 1.0))
    activity.set(ylabel="activity of hidden units", ylim=(-0.02, 1.0))
    for axes in (loss, wrong, activity):
        axes.axvline(widths[_peak(data["test_loss"].mean(axis=0))[0]], color="grey", linewidth=1)
        axes.set(xscale="log", xlabel="hidden units")
        axes.legend(fontsize="small")


def _claim(name, title, *, needs_data, cost):
    return Claim(
        id=f"double-descent-{name}",
        title=f"Double descent with width: {title}",
        statement=(
            "The test error of networks that are trained to the end has a peak at the width that just fits the "
            "training samples and falls again beyond it."
        ),
        source="Lin et al. 2025, arXiv 2501.02436, abstract of the first version names double descent",
        standing="paper",
        expected=Outcome.DOMAIN,
        caption=(
            "ReLU networks of one hidden layer, trained on few samples of which 30 % have permuted labels, against "
            "width. (a) Squared error on training and test samples. (b) Share of wrong answers; dotted: the "
            "share of permuted labels. (c) Activity of hidden units. Vertical line: peak of the test error. Error "
            "bars: standard error over 16 trainings on digits; on MNIST 32 (20 in a full run)."
        ),
        run=_run,
        judge=_judge,
        draw=_draw,
        twins=TWINS,
        needs_data=needs_data,
        needs=("torch",),
        cost=cost,
    )


CLAIMS = (
    _claim("digits", "digits", needs_data=False, cost=12),
    _claim("mnist", "MNIST", needs_data=True, cost=200),
)
