"""The posterior over weights on real digits, sampled and exact for one linear layer; a tanh network for comparison."""

import numpy as np

from statnn import Network
from statnn.interaction import DynamicNeurons, Prior
from statnn.montecarlo import sample
from statnn.plot import COLOURS
from statnn.testing.statistics import mean, worst
from validation.claim import Claim, Finding, Outcome, Verdict
from validation.claims._chains import OURS, of_chains
from validation.claims._tools import lettered, scaled
from validation.trained.images import digits

FEATURES, HIDDEN, SAMPLES = 12, 10, 100
BETA, STIFFNESS = 5.0, 20.0
DIRECTIONS = 12


def _features(rng):
    """Return principal components of variance one and labels as vectors, of training and test images."""
    images = digits(rng)
    some = images.some(SAMPLES, rng)
    centre = images.train.mean(axis=0)
    _, scale, axes = np.linalg.svd(images.train - centre, full_matrices=False)
    project = axes[:FEATURES].T / scale[:FEATURES] * np.sqrt(len(images.train))
    train, test = (some.train - centre) @ project, (images.test - centre) @ project
    return train, np.eye(10)[some.train_labels], test, images.test_labels


def _model(widths, activation, x, y):
    net = Network.random(widths, activation, rng=0)
    return DynamicNeurons(net, x, y, BETA, STIFFNESS, ("neurons", "weights", "biases"), Prior(1.0, 0.5))


def _answers(model, x):
    """Return a function of states: the class that each network assigns to each of x, shape (states, samples)."""

    def classes(states):
        parts = model.unpack(states)
        h = np.broadcast_to(x, (len(states), *x.shape))
        for weight, bias, sigma in zip(parts.weights, parts.biases, model.net.activations, strict=True):
            h = sigma(h @ np.swapaxes(weight, -1, -2) + bias[:, None, :])
        return h.argmax(axis=2)

    return classes


def _run(rng, quick):
    x, y, x_test, labels = _features(rng)
    sweeps = 400 if quick else 5_000
    linear = _model([FEATURES, 10], "identity", x, y)
    exact = linear.exact()
    directions = rng.normal(size=(DIRECTIONS, linear.dimension)) / np.sqrt(linear.dimension)
    precision = np.linalg.inv(exact.covariance)
    answers = _answers(linear, x_test)
    run = sample(
        linear, sweeps, chains=32, rng=rng, progress=False,
        observables={
            "projection": lambda s: (s - exact.mean) @ directions.T,
            "distance": lambda s: (((s - exact.mean) @ precision) * (s - exact.mean)).sum(axis=1),
            "energy": linear.energy,
            "accuracy": lambda s: (answers(s) == labels).mean(axis=1),
            "weight": lambda s: s[:, SAMPLES * 10 : SAMPLES * 10 + 10 * FEATURES],
        },
    )  # fmt: skip
    deep = _model([FEATURES, HIDDEN, 10], ["tanh", "identity"], x, y)
    see = _answers(deep, x_test)
    deeper = sample(
        deep, sweeps // 2, chains=32, rng=rng, progress=False,
        observables={"accuracy": lambda s: (see(s) == labels).mean(axis=1)},
    )  # fmt: skip
    first = slice(SAMPLES * 10, SAMPLES * 10 + 10 * FEATURES)
    return {
        "projection": of_chains(run, "projection"),
        "square": of_chains(run, "projection", power=2),
        "mean": np.zeros(DIRECTIONS),
        "variance": np.einsum("di,ij,dj->d", directions, exact.covariance, directions),
        "distance": of_chains(run, "distance") / linear.dimension,
        "distance_exact": 1.0,
        "energy": of_chains(run, "energy"),
        "energy_exact": exact.energy,
        "accuracy": run.draws["accuracy"].mean(axis=1),
        "deep_accuracy": deeper.draws["accuracy"].mean(axis=1),
        "weight_mean": run.draws["weight"].mean(axis=(0, 1)),
        "weight_spread": run.draws["weight"].std(axis=(0, 1)),
        "weight_mean_exact": exact.mean[first],
        "weight_spread_exact": np.sqrt(np.diag(exact.covariance)[first]),
    }


def _judge(data):
    each = range(DIRECTIONS)
    findings = (
        Finding.of(
            "mean of the posterior in random directions",
            worst(mean(data["projection"][:, k], float(data["mean"][k])) for k in each),
            sees=0.11, unit="of a standard deviation",
        ),
        Finding.of(
            "variance of the posterior in random directions",
            worst(mean(data["square"][:, k], float(data["variance"][k])) for k in each),
            sees=0.25, unit="of the variance in one direction",
        ),
        Finding.of(
            "squared distance from the mean in the metric of the exact covariance, per dimension",
            mean(data["distance"], float(data["distance_exact"])), sees=0.009, unit="of all variances",
        ),
        Finding.of("energy", mean(data["energy"], float(data["energy_exact"])), sees=0.007, unit="of the energy"),
    )  # fmt: skip
    return Verdict.judged(
        findings, Outcome.EXACT, f"{DIRECTIONS} random directions", otherwise="not the Gaussian posterior"
    )


TWINS = {
    "mean of the posterior in random directions": lambda data, by: {**data, "mean": by * np.sqrt(data["variance"])},
    "variance of the posterior in random directions": lambda data, by: {
        **data, "variance": data["variance"] * (1 + by * (np.arange(DIRECTIONS) == 0)),
    },
    "squared distance from the mean in the metric of the exact covariance, per dimension": scaled("distance_exact"),
    "energy": scaled("energy_exact"),
}  # fmt: skip


def _draw(data, figure):
    figure.set_size_inches(9, 3.6)
    left, middle, right = lettered(figure, 1, 3)
    for axes, name, colour, label in (
        (left, "weight_mean", COLOURS[0], "posterior mean of a weight"),
        (middle, "weight_spread", COLOURS[1], "its standard deviation"),
    ):
        exact = data[name + "_exact"]
        ends = [exact.min(), exact.max()]
        axes.plot(ends, ends, color="black", linewidth=1)
        axes.plot(exact, data[name], ".", color=colour)
        axes.set(xlabel="exact", ylabel="sampled", title=label)
        axes.locator_params(axis="x", nbins=4)
    edges = np.linspace(
        min(data["accuracy"].min(), data["deep_accuracy"].min()) - 0.01,
        max(data["accuracy"].max(), data["deep_accuracy"].max()) + 0.01,
        30,
    )
    right.hist(data["accuracy"], edges, color=COLOURS[0], alpha=0.7, label="linear")
    right.hist(data["deep_accuracy"], edges, color=COLOURS[2], alpha=0.7, label="one tanh layer")
    right.set(xlabel="test accuracy, mean of a chain", ylabel="chains", title="networks of the posterior")
    right.margins(y=0.35)  # room for the legend
    right.legend(loc="upper center")


CLAIM = Claim(
    id="linear-posterior",
    title="Posterior over weights on digits",
    statement=(
        f"With free weights and biases the sampled posterior of one linear layer, trained on {SAMPLES} handwritten "
        "digits, is the exact Gaussian one."
    ),
    source=OURS,
    standing="exact",
    expected=Outcome.EXACT,
    caption=(
        "Posterior of one linear layer on 100 digits of 12 features. (a, b) Mean and standard deviation of "
        "every weight, sampled in 32 chains of 400 sweeps (5,000 in a full run), against the exact ones; line: "
        "equality. (c) Distribution over chains of the mean test accuracy, for the linear layer and for a network "
        "with a hidden layer of 10 tanh units. Points have no error bars; their scatter about the line is that of "
        "sampling."
    ),
    run=_run,
    judge=_judge,
    draw=_draw,
    twins=TWINS,
    derivations=("gaussian-weights",),
    cost=12,
)
