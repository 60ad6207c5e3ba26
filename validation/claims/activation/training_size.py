"""Networks trained on more and more images: working units, noise-to-signal ratio, missing mass and test loss.

Each training set is a fresh random subset with equally many of every digit, each network a fresh random start. A
unit *works* if at least one image of its own training set activates it. The missing mass is measured directly: the
share of activations on test images that come from units no training image activates.

The exponent of the loss law of arXiv 2412.18073 is not known to us. The candidates, noise-to-signal ratio (exponent b)
and missing mass (exponent b + 1), are measured on the networks themselves, so that no fit of b enters the verdict.
"""

from dataclasses import replace
from functools import partial

import numpy as np

from statnn._axes import logarithmic
from statnn.activation import fit
from statnn.plot import COLOURS
from statnn.testing.statistics import mean, mean_vector, power_law
from validation.claim import Claim, Finding, Outcome, Verdict
from validation.claims._tools import ABSTRACT, lettered
from validation.trained import images as networks

NAMES = {"loss": "loss", "error": "error", "NSR": "ratio"}

RATIO = "drift or bend in ln D, the clearer, of the noise-to-signal ratio over the loss, relative to its mean"
MASS = "share of the loss left from the smallest to the largest D, minus the share left of the missing mass"

CLEAR = 1e-2
"""Level at which a few series of trainings contradict a claim."""

DIGITS = np.array([40, 80, 160, 320, 640, 1240])
MNIST = 30 * 2 ** np.arange(8)
BATCHES = 12


def _run(rng, quick, data=None):
    whole = None if data is None else networks.mnist(data)
    sizes = DIGITS if data is None else MNIST[:: 2 if quick else 1]
    # enough to see bends of a few tenths, which is also the scatter of one series
    trainings = 48 if data else 12 if quick else 24
    series = [_series(child, sizes.tolist(), whole) for child in rng.spawn(trainings)]
    names = ("loss", "error", "ratio", "mass", "b", "epochs", "converged")
    return {"sizes": sizes} | dict(zip(names, np.moveaxis(series, -1, 0), strict=True))


def _series(rng, sizes, whole):
    """Train one network per size; return what was measured, shape (sizes, 7)."""
    every = networks.digits(rng) if whole is None else whole
    rows = []
    for size in sizes:
        images = every.some(size, rng)
        network = networks.train(images, rng)
        counts, shares = network.fires(images.train).sum(axis=0), network.fires(images.test).mean(axis=0)
        silent = counts == 0
        rows.append(
            (
                network.test_loss,
                network.test_error,
                silent.mean(),
                shares[silent].sum() / shares.sum(),
                fit(counts, size).b,
                network.epochs,
                network.converged,
            )
        )
    return rows


def _average(values):
    return values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(len(values))


def _batched(values):
    """Average series into `BATCHES` replicates: small missing masses are too skewed for the tails of many."""
    return values.reshape(BATCHES, -1).mean(axis=1)


def _decay(sizes, values):
    """Fit a power law through the averages over series that are known to 30 %."""
    average, error = _average(values)
    known = error < 0.3 * average
    return power_law(sizes[known], average[known], error[known])


def _trend(sizes, values):
    """Return slope and bend of each series: coefficients of P₁ and P₂ on the range of ln D, shape (series, 2)."""
    x = np.log(sizes / sizes[0]) / np.log(sizes[-1] / sizes[0])
    return np.polynomial.legendre.legfit(2 * x - 1, values.T, 2)[1:].T


def _judge(data):
    sizes, loss = data["sizes"], data["loss"]
    # paired by series: a candidate that is the loss law stays proportional to the loss, without drift or bend
    quotient = data["ratio"] / loss
    trend = _trend(sizes, quotient / quotient.mean())
    drift, bend = mean(trend[:, 0], 0.0), mean(trend[:, 1], 0.0)
    constant = mean_vector(trend, np.zeros(2)).p
    mass = mean(_batched(loss[:, -1] / loss[:, 0].mean() - data["mass"][:, -1] / data["mass"][:, 0].mean()), 0.0)
    slopes = {name: _decay(sizes, data[name]) for name in ("loss", "error", "ratio")}
    seen = ", ".join(f"{name} {-slopes[key].slope:.2f} ± {slopes[key].error:.2f}" for name, key in NAMES.items())
    left = data["mass"][:, -1].mean() / data["mass"][:, 0].mean()
    detail = (
        f"exponents {seen}; the count law fitted at D = {sizes[-1]} would have b = {data['b'][:, -1].mean():.2f}; "
        f"NSR / loss relative to its mean drifts by {drift.estimate:.2f} ± {drift.error:.2f} and bends by "
        f"{bend.estimate:.2f} ± {bend.error:.2f} (both 0: p = {constant:.1g}); from "
        f"D = {sizes[0]} to {sizes[-1]} the loss falls to {loss[:, -1].mean() / loss[:, 0].mean():.0%}, the missing "
        f"mass from {data['mass'][:, 0].mean():.1e} to {left:.1%} of that (p = {mass.p:.1g})"
    )
    # p tests both together, by Hotelling's law
    clearer = replace(max(drift, bend, key=lambda trend_part: abs(trend_part.z)), p=constant, law="Hotelling")
    way = {"level": CLEAR, "sees": 0.66, "unit": "of the way to a candidate proportional to the loss"}
    findings = Finding.of(RATIO, clearer, **way), Finding.of(MASS, mass, **way)
    holding = [finding.quantity for finding in findings if finding.holds(len(findings))]
    if not holding:
        return Verdict(Outcome.CONTRADICTED, findings, f"the loss falls, but as neither candidate: {detail}")
    candidates = {RATIO: "noise-to-signal ratio", MASS: "missing mass"}
    names = " and the ".join(candidates[name] for name in holding)
    return Verdict(Outcome.DOMAIN, findings, f"the loss falls as the {names} on this range of D: {detail}")


def _as_the_loss(name):
    def twin(data, by):
        """Move the mean of a candidate towards the loss law and keep its scatter."""
        mean_of, share = data[name].mean(axis=0), min(by, 1.0)
        wanted = data["loss"].mean(axis=0) * (mean_of[0] / data["loss"].mean(axis=0)[0])
        moved = mean_of ** (1 - share) * wanted**share
        return {**data, name: data[name] / mean_of * moved}

    return twin


TWINS = {RATIO: _as_the_loss("ratio"), MASS: _as_the_loss("mass")}


def _draw(data, figure):
    figure.set_size_inches(10, 4.6)
    left, right = lettered(figure, 1, 2)
    sizes = data["sizes"]
    between = np.sqrt(sizes[1:] * sizes[:-1])
    step = np.diff(np.log(sizes))
    curves = (
        ("loss", "o-", COLOURS[0], "test loss (nats)"),
        ("error", "s-", COLOURS[2], "test error"),
        ("ratio", "^--", COLOURS[1], "NSR, silent on training set"),
        ("mass", "v:", COLOURS[3], "missing mass"),
    )
    for name, style, colour, label in curves:
        average, error = _average(data[name])
        known = error < 0.5 * average
        left.errorbar(sizes[known], average[known], error[known], fmt=style, color=colour, label=label)
        if name != "mass":
            relative = error / average
            exponent = -np.diff(np.log(average)) / step
            right.errorbar(between, exponent, np.hypot(relative[1:], relative[:-1]) / step, fmt=style, color=colour)
    b = data["b"].mean()
    for value, label, line in ((b, "$b$", "--"), (b + 1, "$b+1$", ":")):
        right.axhline(value, color="grey", linestyle=line, linewidth=1, label=f"{label} of the count law")
    logarithmic(left, "x", "y")
    logarithmic(right, "x")
    left.set(xlabel="training images $D$", ylabel="loss, error, NSR, missing mass")
    right.set(xlabel="training images $D$", ylabel=r"local exponent $-d\ln/d\ln D$")
    entries = zip(left.get_legend_handles_labels(), right.get_legend_handles_labels(), strict=True)
    figure.legend(*(entry + other for entry, other in entries), loc="outside lower center", ncols=3)


_make = partial(
    Claim,
    statement=(
        "The test loss of trained networks decays with the number D of training samples as the noise-to-signal ratio "
        "(exponent b) or as the missing mass (exponent b + 1)."
    ),
    source=ABSTRACT + " (power-law decay of the loss); the two candidates are ours",
    standing="own",
    expected=Outcome.CONTRADICTED,
    caption=(
        "Networks trained on $D$ images. (a) Test loss, test error, share of units that are silent on the training "
        "set (NSR), and share of activations on test images from such units (missing mass). (b) Local exponents "
        "of the first three between neighbouring $D$; grey: the two exponents of the count law, $b$ fitted to the "
        "activations. Error bars: standard error over series of trainings on fresh subsets; 12 for a quick and 24 "
        "for a full run on digits, 48 on MNIST."
    ),
    run=_run,
    judge=_judge,
    draw=_draw,
    twins=TWINS,
    contradicted=(RATIO, MASS),
)

CLAIMS = (
    _make(id="real-digits-training-size", title="Loss against the number of training images: digits", cost=45),
    _make(id="real-mnist-training-size", title="Loss against training images: MNIST", needs_data=True, cost=60),
)
