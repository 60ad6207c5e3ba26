"""Order of the samples through training: slopes of rank probabilities, and how linear the late layers become.

Expected before the first run: slopes rise from the 0 of random weights and fall by a smaller amount later, at least in
some layer; over learning rates a lower first-layer slope goes with a higher accuracy; the last hidden layers can be
replaced by their linear substitution map without loss, the first ones cannot. Trained networks are a domain, not a
proof, so a claim that holds on them "holds within a domain". On digits the second expectation fails: while samples
are still being learnt a higher slope goes with a higher accuracy, and once they are learnt accuracies differ too little
to show the relation. On MNIST eight replicas are too few in full mode, where the best rate is not that of the
lowest slope (p = 0.02).
"""

from functools import partial

import numpy as np

from statnn.measure import order
from statnn.plot import COLOURS
from statnn.testing.statistics import mean
from validation.claim import Asks, Claim, Finding, Outcome, Verdict
from validation.claims import _trained
from validation.claims._tools import lettered
from validation.claims._trained import (
    CLEAR,
    above_zero,
    effect,
    is_clear,
    others,
    standard_error,
    strongest,
    weakest,
)
from validation.trained.recipe import Recipe

SOURCE = "Lin et al. 2025, arXiv 2501.02436, main text"
RATES = (2e-3, 5e-3, 1.3e-2, 3.2e-2)
MARGIN = 0.01
"""Accuracies that differ by less count as equal."""
RISE, FALL = "rise of the slope to its peak, least clear layer", "fall of the slope after its peak, clearest layer"
RELATION = "fall of accuracy with the slope: minus Fisher's z of their correlation over learning rates"
STRAIGHT = 0.9999
"""Correlation above which a relation counts as straight."""
LATE = "accuracy lost by the L-map above the penultimate hidden layer"


def _hidden(data):
    """Width of the hidden layers."""
    return 32 if data is None else 256


def _widths(data, layers):
    return (64 if data is None else 784, *[_hidden(data)] * layers, 10)


def _rate(data):
    return 2e-3 if data is None else 1e-3


def _samples(quick, data):
    return 1_297 if data is None else 1_000 if quick else 5_000


# -- rise and fall -------------------------------------------------------------------------------------------


def _run_rise(rng, quick, data=None):
    images, seeds = _trained.images_for(rng, 16 if data is None else 8, _samples(quick, data), data)
    snapshots = (0, 1, 2, 3, 5, 8, 13, 20, 32, 50, 100)
    if data is not None:
        snapshots = snapshots[:-2]
    elif not quick:
        snapshots = (*snapshots, 200)
    recipe = Recipe(_widths(data, 3), "tanh", learning_rate=_rate(data), batch=128, snapshots=snapshots)
    trainings = _trained.train_all(recipe, images, seeds)
    slopes = [
        [[_slope(net, own, layer) for layer in range(net.depth)] for net in replica.networks]
        for replica, own in zip(trainings, images, strict=True)
    ]
    return {
        "epochs": snapshots,
        "slopes": slopes,
        "train_accuracy": [replica.train_accuracy for replica in trainings],
        "test_accuracy": [replica.test_accuracy for replica in trainings],
    }


def _slope(net, images, layer):
    return order.rank_probability(net, *_trained.tested(images), layer).layer_slope


def _rise_and_fall(slopes):
    """Return by how much each replica rises to the peak of the others and falls after it, shape (2, replicas)."""
    changes = []
    for own, rest in others(slopes):
        peak = int(rest.argmax())
        changes.append((own[peak] - own[0], own[peak] - own[-1]))
    return np.array(changes).T


def _judge_rise(data):
    hidden = data["slopes"].shape[2] - 1
    words, rises, falls, fallen = [], [], [], []
    for layer in range(hidden):
        rise, fall = _rise_and_fall(data["slopes"][:, :, layer])
        rises.append(above_zero(rise))
        falls.append(down := above_zero(fall))
        if is_clear(down, hidden):
            fallen.append(layer + 1)
        peak = data["slopes"][:, :, layer].mean(axis=0).argmax()
        words.append(
            f"layer {layer + 1} rises by {rises[-1].estimate:.2f} ± {rises[-1].error:.2f} until epoch "
            f"{data['epochs'][peak]} and falls by {down.estimate:.3f} ± {down.error:.3f} (d = {effect(fall):.1f})"
        )
    detail = (
        f"rise and fall in hidden layers {fallen} of {hidden}: {'; '.join(words)}; test accuracy "
        f"{data['test_accuracy'][:, -1].mean():.3f}"
    )
    findings = (
        Finding.of(RISE, weakest(rises), asks=Asks.ABOVE, level=CLEAR, sees=1.2, unit="of every rise"),
        Finding.of(FALL, strongest(falls), asks=Asks.ABOVE, level=CLEAR, sees=0.7, unit="of every fall"),
    )
    return Verdict.judged(findings, Outcome.DOMAIN, detail, otherwise="no rise that is followed by a fall")


def _no_rise(data, by):
    """Let slopes begin higher, by a share of their rise."""
    slopes = np.array(data["slopes"])
    slopes[:, 0] += by * (slopes.mean(axis=0).max(axis=0) - slopes[:, 0].mean(axis=0))
    return {**data, "slopes": slopes}


def _no_fall(data, by):
    """Let slopes fall less after their peak, by a share of their fall."""
    slopes = np.array(data["slopes"])
    middle = slopes.mean(axis=0)
    for layer, peak in enumerate(middle.argmax(axis=0)):
        slopes[:, peak + 1 :, layer] += by * (middle[peak, layer] - middle[peak + 1 :, layer])
    return {**data, "slopes": slopes}


def _draw_rise(data, figure):
    figure.set_size_inches(12, 3.8)
    left, middle, right = lettered(figure, 1, 3)
    layers = data["slopes"].shape[2]
    at = np.maximum(data["epochs"], 0.5)
    tops = []
    for layer in range(layers):
        values = data["slopes"][:, :, layer]
        label = f"hidden layer {layer + 1}" if layer < layers - 1 else "outputs"
        left.errorbar(
            at,
            values.mean(axis=0),
            standard_error(values),
            fmt="o^sD"[layer % 4] + "-",
            color=COLOURS[layer],
            label=label,
        )
        ahead = values - values[:, -1:]  # paired, and so with small errors
        middle.errorbar(
            at, ahead.mean(axis=0), standard_error(ahead), fmt="o^sD"[layer % 4] + "-", color=COLOURS[layer]
        )  # fmt: skip
        tops.append(ahead.mean(axis=0).max())
    middle.axhline(0, color="grey", linestyle=":", linewidth=1)
    scale = max(*tops, 0.1)
    middle.set(ylabel="slope $s$ minus its last value, paired", ylim=(-2 * scale, 1.5 * scale))
    left.axhline(0, color="grey", linestyle=":", linewidth=1)
    left.set(ylabel="slope $s$ of rank probability, mean over classes")
    left.legend(loc="center right", bbox_to_anchor=(1, 0.68))
    for name, colour, mark in (("train", COLOURS[1], "s"), ("test", "black", "o")):
        values = data[f"{name}_accuracy"]
        right.errorbar(at, values.mean(axis=0), standard_error(values), fmt=f"{mark}-", color=colour, label=name)
    right.set(ylabel="accuracy", ylim=(0, 1.02))
    right.legend(loc="lower right")
    _epochs(data["epochs"], left, middle, right)


def _epochs(epochs, *several):
    """Set logarithmic axes of epochs, with the start drawn at 1/2."""
    ticks = [0, *(e for e in epochs if e in (1, 3, 10, 13, 32, 50, 100, 200))]
    for axes in several:
        axes.set(xscale="log", xlabel="epoch")
        axes.set_xticks([max(e, 0.5) for e in ticks], [str(e) for e in ticks])
        axes.minorticks_off()


# -- slope against accuracy ----------------------------------------------------------------------------------


def _run_against(rng, quick, data=None):
    replicas = 12 if data is None else 8 if quick else 48
    images, seeds = _trained.images_for(rng, replicas, _samples(quick, data) // 2, data)
    epochs = (10, 70 if quick else 200) if data is None else (3, 20)
    slopes, tested, fitted = [], [], []
    rates = np.array(RATES) * (1 if data is None else 0.5)
    for rate in rates:
        recipe = Recipe(_widths(data, 2), "tanh", learning_rate=rate, batch=128, snapshots=epochs)
        trainings = _trained.train_all(recipe, images, seeds)
        slopes.append(
            [
                [_slope(net, own, 0) for net in training.networks]
                for training, own in zip(trainings, images, strict=True)
            ]
        )
        tested.append([training.test_accuracy for training in trainings])
        fitted.append([training.train_accuracy for training in trainings])
    kinds = {"slopes": slopes, "test_accuracy": tested, "train_accuracy": fitted}
    return {"rates": rates, "epochs": epochs} | {name: np.transpose(kind, (2, 1, 0)) for name, kind in kinds.items()}


def _relations(data, when):
    """Return Fisher's z of the correlation of slope and accuracy in each replica; 0 where either is constant.

    Correlations crowd below 1, and so their mean has a skewed law; z = artanh r does not end.
    """
    x, y = (data[name][when] - data[name][when].mean(axis=1, keepdims=True) for name in ("slopes", "test_accuracy"))
    spread = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    correlations = np.divide((x * y).sum(axis=1), spread, out=np.zeros(len(x)), where=spread > 1e-12)
    return np.arctanh(np.clip(correlations, -STRAIGHT, STRAIGHT))


def _judge_against(data):
    at_end, early = (above_zero(-_relations(data, when)) for when in (-1, 0))
    late = {name: data[name][-1].mean(axis=0) for name in ("slopes", "train_accuracy", "test_accuracy")}
    rows = ", ".join(
        f"η = {rate:g}: s = {slope:.2f}, accuracy {accuracy:.3f}"
        for rate, slope, accuracy in zip(data["rates"], late["slopes"], late["test_accuracy"], strict=True)
    )
    detail = (
        f"at epoch {data['epochs'][-1]}, {late['train_accuracy'].min():.1%} or more of the training images are learnt; "
        f"Fisher's z is {-early.estimate:.2f} ± {early.error:.2f} at epoch {data['epochs'][0]}; {rows}"
    )
    finding = Finding.of(
        RELATION, at_end, asks=Asks.ABOVE, level=CLEAR, sees=0.5, unit="of the way to a straight relation"
    )
    return Verdict.judged(
        (finding,), Outcome.DOMAIN, detail, otherwise="a lower slope does not go with a higher accuracy"
    )


def _opposite(data, by):
    """Move final accuracies towards a straight relation with slopes, rising or falling against the verdict."""
    slopes, accuracy = data["slopes"][-1], np.array(data["test_accuracy"])
    sign = 1 if _judge_against(data).outcome is Outcome.DOMAIN else -1
    away = (slopes - slopes.mean(axis=1, keepdims=True)) / slopes.std(axis=1, keepdims=True)
    accuracy[-1] += by * (accuracy[-1].mean(axis=1, keepdims=True) + sign * MARGIN * away - accuracy[-1])
    return {**data, "test_accuracy": accuracy}


def _draw_against(data, figure):
    figure.set_size_inches(9, 3.8)
    for axes, when in zip(lettered(figure, 1, 2), (0, -1), strict=True):
        slopes, accuracies = data["slopes"][when], data["test_accuracy"][when]
        for i, rate in enumerate(data["rates"]):
            axes.plot(slopes[:, i], accuracies[:, i], ".", color=COLOURS[i], alpha=0.5)
            at = slopes[:, i].mean(), accuracies[:, i].mean()
            errors = standard_error(accuracies[:, i]), standard_error(slopes[:, i])
            axes.errorbar(*at, *errors, fmt="o^sDv"[i], color=COLOURS[i], markersize=6, label=f"$\\eta = {rate:g}$")
        relation = _relations(data, when)
        fitted = data["train_accuracy"][when].mean(axis=0).min()
        axes.set(
            xlabel="slope $s$ of the first layer",
            ylabel="test accuracy",
            title=f"epoch {data['epochs'][when]}: $z = {relation.mean():.2f} \\pm {standard_error(relation):.2f}$, "
            f"training accuracy $\\geq {fitted:.3f}$",
        )
        axes.title.set_fontsize("small")
    figure.axes[0].legend(fontsize="small")


# -- late layers ---------------------------------------------------------------------------------------------

HIDDEN = 7


def _run_late(rng, quick, data=None):
    images, seeds = _trained.images_for(rng, 8, _samples(quick, data), data)
    epochs = (40 if quick else 100) if data is None else 20
    recipe = Recipe(_widths(data, HIDDEN), "tanh", learning_rate=_rate(data), batch=128, snapshots=(0, epochs))
    trainings = _trained.train_all(recipe, images, seeds)
    curves = [
        [order.l_map_accuracy(net, *_trained.tested(own)) for net in training.networks]
        for training, own in zip(trainings, images, strict=True)
    ]
    return {
        "accuracy": curves,
        "epochs": epochs,
        "train_accuracy": [training.train_accuracy[-1] for training in trainings],
    }


def _judge_late(data):
    """Judge the entries before the last two, which are the network itself, as its last layer is linear."""
    curves = data["accuracy"][:, -1]
    lost = curves[:, -1:] - curves
    top = lost.shape[1] - 3
    comparisons = [_within(lost[:, m]) for m in range(top + 1)]
    first = top + 1
    while first and comparisons[first - 1].estimate < MARGIN and comparisons[first - 1].p < CLEAR:
        first -= 1
    detail = (
        f"accuracy of the network {curves[:, -1].mean():.3f}; through the L-map from the inputs "
        f"{curves[:, 0].mean():.3f}, after {top} of {top + 1} hidden layers {curves[:, top].mean():.3f}; equal within "
        f"{MARGIN:.0%} from {first} hidden layers on"
    )
    said = f"the last {top + 1 - first} hidden layers are linear: {detail}"
    finding = Finding.of(LATE, comparisons[top], asks=Asks.BELOW, level=CLEAR, sees=0.01, unit="in the accuracy")
    return Verdict.judged((finding,), Outcome.DOMAIN, said, otherwise="no hidden layer is functionally linear")


def _within(lost):
    """Compare what is lost with the margin."""
    return above_zero(lost - MARGIN) if np.ptp(lost) == 0 else mean(lost, MARGIN)


def _loses(data, by):
    """Let the L-map above the penultimate hidden layer lose accuracy."""
    curves = np.array(data["accuracy"])
    curves[:, -1, curves.shape[2] - 3] -= by
    return {**data, "accuracy": curves}


def _draw_late(data, figure):
    axes = figure.add_subplot()
    curves = data["accuracy"]
    kept = np.arange(curves.shape[2] - 1)
    for s, (label, mark, colour) in enumerate((("random start", "s", COLOURS[1]), ("trained", "o", COLOURS[0]))):
        values = curves[:, s, :-1]
        axes.errorbar(kept, values.mean(axis=0), standard_error(values), fmt=f"{mark}-", color=colour, label=label)
    full = curves[:, -1, -1].mean()
    axes.axhspan(full - MARGIN, full + MARGIN, color="grey", alpha=0.25, linewidth=0, label=f"network ± {MARGIN:.0%}")
    axes.set(
        xlabel="hidden layers kept below the L-map",
        ylabel="accuracy through the L-map",
        ylim=(0, 1.02),
        title=f"{kept[-1]} hidden layers, tanh; {len(curves)} trainings",
    )
    axes.legend(loc="center right")


# -- the claims, on both data sets ---------------------------------------------------------------------------


def _claims(name, title, against, *, needs_data, costs):
    make = partial(Claim, source=SOURCE, standing="paper", needs_data=needs_data, needs=("torch",))
    return (
        make(
            id=f"order-in-training-{name}",
            title=f"Rise and fall of order in training: {title}",
            statement="The slope of the rank probability distribution of a layer rises and then falls in training.",
            expected=Outcome.DOMAIN,
            caption=(
                "(a) Slope $s$ of the rank probability distribution of every layer during training, mean over "
                "classes. (b) The same minus its last value, paired by training, at a scale where the fall after "
                "the peak is seen; curves leave the panel below. (c) Accuracy. The start is drawn at the left "
                "end. Three hidden layers of tanh units. Error bars: standard error over 16 trainings (8 on MNIST)."
            ),
            run=_run_rise,
            judge=_judge_rise,
            draw=_draw_rise,
            twins={RISE: _no_rise, FALL: _no_fall},
            cost=costs[0],
        ),
        make(
            id=f"order-against-accuracy-{name}",
            title=f"Order of the first layer against accuracy: {title}",
            statement="Over learning rates, a lower slope of the first layer goes with a higher final accuracy.",
            expected=against,
            caption=(
                "Test accuracy against the slope $s$ of the first layer, for four learning rates, early (a) and "
                "late in training (b). Dots: single trainings; large symbols: their means. Error bars: standard "
                "error over 12 trainings of each rate (on MNIST 8, and 48 in a full run). The $z$ in the title is "
                "Fisher's, artanh of the correlation over rates, mean over trainings with its standard error."
            ),
            run=_run_against,
            judge=_judge_against,
            draw=_draw_against,
            twins={RELATION: _opposite},
            cost=costs[1],
        ),
        make(
            id=f"late-layers-linear-{name}",
            title=f"Late layers are linear: {title}",
            statement="Late layers are functionally linear: above some layer the L-map is as accurate as the network.",
            expected=Outcome.DOMAIN,
            caption=(
                "Accuracy when signals go on from some hidden layer to the outputs through the L-map, the linear "
                "substitution map, against the number of hidden layers kept below it; at a random start (squares) "
                "and trained (circles), seven hidden layers of tanh units. Grey: accuracy of the trained network "
                "within 1 %. Error bars: standard error over 8 trainings."
            ),
            run=_run_late,
            judge=_judge_late,
            draw=_draw_late,
            twins={LATE: _loses},
            cost=costs[2],
        ),
    )


CLAIMS = (
    *_claims("digits", "digits", Outcome.CONTRADICTED, needs_data=False, costs=(6, 8, 6)),
    *_claims("mnist", "MNIST", Outcome.DOMAIN, needs_data=True, costs=(100, 200, 100)),
)
