"""Layers of trained networks on the phase diagram, and whether two numbers per layer predict signals.

Expected before the first run: at initialisation the place of the layers predicts the correlation of real images through
depth within the fluctuations of a finite width; after training it does not, because weights are no longer independent.
"""

from functools import partial

import numpy as np

from statnn import rg
from statnn.plot import COLOURS
from statnn.testing.statistics import mean
from validation.claim import Claim, Finding, Outcome, Verdict
from validation.claims import _trained
from validation.claims._tools import lettered
from validation.claims._trained import CLEAR, effect, standard_error
from validation.trained.recipe import Recipe
from validation.trained.training import train_all

LAYERS = 6
REPLICAS = 8
AFTER = "measured minus predicted correlation in the last hidden layer, after training"
SCALE = 1.2


def _run(rng, quick, data=None):
    images, seeds = _trained.images_for(rng, REPLICAS, 1_297 if data is None else 2_000 if quick else 10_000, data)
    width, epochs = (64, 30) if data is None else (256, 5 if quick else 20)
    recipe = Recipe(
        (64 if data is None else 784, *[width] * LAYERS, 10), "tanh", learning_rate=1e-3, scale=SCALE, batch=128,
        snapshots=(0, epochs // 5, epochs),
    )  # fmt: skip
    trainings = train_all(recipe, images, seeds, engine="scikit-learn")
    places = [
        [rg.place(net, own.test, pairs=250, rng=0) for net in training.networks]
        for training, own in zip(trainings, images, strict=True)
    ]

    def stacked(function):
        return np.array([[function(place) for place in row] for row in places])

    top = 0.15 + float(stacked(lambda p: max(layer.sigma_b for layer in p.layers)).max())
    sigma_b = np.linspace(0, top, 101)
    return {
        "sigma_w": stacked(lambda p: [layer.sigma_w for layer in p.layers[: LAYERS - 1]]),
        "sigma_b": stacked(lambda p: [layer.sigma_b for layer in p.layers[: LAYERS - 1]]),
        "chi": stacked(lambda p: [layer.point.chi for layer in p.layers[: LAYERS - 1]]),
        "xi": stacked(lambda p: p.xi_predicted[: LAYERS - 1]),
        "correlation": stacked(lambda p: p.correlation[:LAYERS]),
        "predicted": stacked(lambda p: p.predicted_correlation[:LAYERS]),
        "accuracy": [training.test_accuracy for training in trainings],
        "epochs": recipe.snapshots,
        "line_b": sigma_b,
        "line_w": rg.critical_line("tanh", sigma_b),
    }


def _judge(data):
    gap = data["correlation"][..., -1] - data["predicted"][..., -1]
    before, after = gap[:, 0], mean(gap[:, -1], 0.0)
    chi = data["chi"].mean(axis=2)
    detail = (
        f"at the start {before.mean():+.3f} ± {standard_error(before):.3f}; effect size {effect(gap[:, -1]):.1f}; mean "
        f"χ {chi[:, 0].mean():.2f} → {chi[:, -1].mean():.2f} ± {standard_error(chi[:, -1]):.2f}; test accuracy "
        f"{100 * data['accuracy'][:, -1].mean():.1f} %"
    )
    finding = Finding.of(AFTER, after, sees=0.15, unit="in the correlation", level=CLEAR)
    return Verdict.judged((finding,), Outcome.DOMAIN, detail, otherwise="after training they do not predict it")


def _as_predicted(data, _by):
    """Shift the correlations of trained networks onto the predicted mean and keep their spread between trainings."""
    correlation = np.array(data["correlation"])
    correlation[:, -1, -1] -= (correlation - data["predicted"])[:, -1, -1].mean()
    return {**data, "correlation": correlation}


def _draw(data, figure):
    figure.set_size_inches(9.5, 3.9)
    left, right = lettered(figure, 1, 2)
    left.plot(data["line_w"], data["line_b"], color="black", linestyle="--", linewidth=1, label=r"$\chi = 1$")
    layer = np.arange(LAYERS)
    for s, epoch in enumerate(data["epochs"]):
        style = {"color": COLOURS[s], "marker": "os^"[s], "markersize": 4, "fillstyle": "none"}
        x, y = data["sigma_w"][:, s], data["sigma_b"][:, s]
        left.errorbar(
            x.mean(axis=0), y.mean(axis=0), standard_error(y), standard_error(x), label=f"epoch {epoch}", linewidth=1,
            **style,
        )  # fmt: skip
        if s == len(data["epochs"]) - 1:
            for at, offset in ((0, (-2, -14)), (-1, (2, 8))):
                left.annotate(
                    str(range(1, LAYERS)[at]), (x.mean(axis=0)[at], y.mean(axis=0)[at]), xytext=offset,
                    textcoords="offset points", ha="center", color=COLOURS[s],
                )  # fmt: skip
        c = data["correlation"][:, s]
        right.errorbar(layer, c.mean(axis=0), standard_error(c), linestyle="none", label=f"epoch {epoch}", **style)
        right.plot(layer, data["predicted"][:, s].mean(axis=0), ("-", "--", "-.")[s], color=COLOURS[s], linewidth=1)
    top = float(data["sigma_b"].mean(axis=0).max())
    left.text(0.04, 0.9, "ordered", transform=left.transAxes)
    left.text(0.96, 0.9, "chaotic", transform=left.transAxes, ha="right")
    left.set(
        xlabel=r"$\sigma_w$", ylabel=r"$\sigma_b$", title="layers 1 to 5", ylim=(-0.35 * top, 2.2 * top),
        xlim=(None, float(data["sigma_w"].mean(axis=0).max()) + 0.04),
    )  # fmt: skip
    left.legend(loc="upper center")
    right.set(
        xlabel="layer $m$", ylabel="correlation $c_m$ of pairs of images",
        title="points: measured; lines: predicted from places",
    )  # fmt: skip
    right.set_ylim(0, None)
    right.legend()


_claim = partial(
    Claim,
    statement=(
        "The places of its layers on the phase diagram, two numbers per layer, predict how the correlation of real "
        "images changes through the depth of a trained network."
    ),
    source="this project, for networks as in Lin et al. 2025, arXiv 2501.02436",
    standing="own",
    expected=Outcome.CONTRADICTED,
    caption=(
        "(a) Layers 1 to 5 of trained tanh networks on the plane of the standard deviations of weights, "
        r"$\sigma_w$, and biases, $\sigma_b$, at three times in training; numbers: the first and the last layer at the "
        r"end; dashed: the critical line $\chi = 1$. (b) Correlation of pairs of test images in each layer (symbols), "
        "and as predicted from these places (lines). Error bars: standard error over 8 trainings."
    ),
    run=_run,
    judge=_judge,
    draw=_draw,
    twins={AFTER: _as_predicted},
    derivations=("gaussian-averages", "tanh-sums"),
)

CLAIMS = (
    _claim(id="trained-on-diagram-digits", title="Trained layers on the phase diagram: digits", cost=15),
    _claim(id="trained-on-diagram-mnist", title="Trained layers on the phase diagram: MNIST", needs_data=True, cost=60),
)
