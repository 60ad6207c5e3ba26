"""The slope of a rank probability distribution: fixed by class share and AUC, Φ for Gaussian classes, 0 at random."""

import numpy as np

from statnn import Network
from statnn.measure.order import pooled_ranks, rank_probability
from statnn.plot import COLOURS
from statnn.testing.statistics import mean, worst
from validation.claim import Claim, Finding, Outcome, Verdict
from validation.claims._tools import lettered, scaled

DISTANCES = (0.0, 0.5, 1.0, 2.0)
SHARE = 0.25
UNITS = 5
IDENTITY = "slope minus 12(1 - π)(AUC - 1/2), AUC by counting pairs, largest over classes and layers"
GAUSSIAN, ERROR = "mean slope of Gaussian classes", "mean squared deviation of the slope over its squared error"
RANDOM = "mean slope of random weights"


def _area(gap_to_others):
    """Return the AUC by counting all pairs, ties half."""
    return np.mean((gap_to_others > 0) + 0.5 * (gap_to_others == 0))


def _identity(rng, networks):
    """Return slopes, by ranks and by pairs, of every class and layer of random ReLU networks, with ties below zero."""
    rows = []
    for _ in range(networks):
        net = Network.random([6, 9, 7, 3], "relu", 1.5, 0.5, rng=rng)
        x, labels = rng.standard_normal((60, 6)).round(1), rng.permutation(np.repeat([0, 1, 2], (10, 20, 30)))
        for layer in range(3):
            ranks = rank_probability(net, x, labels, layer)
            fields = net.trace(x).fields[layer]
            towards = np.eye(fields.shape[1])
            for weight in net.weights[layer + 1 :]:
                towards = weight @ towards
            for k in range(3):
                used = np.flatnonzero(towards[k])
                turned = fields[:, used] * np.sign(towards[k, used])
                gaps = turned[labels == k][:, None] - turned[labels != k][None]
                area = np.mean([_area(gaps[..., i]) for i in range(used.size)])
                rows.append((ranks.slope[k], 12 * (1 - ranks.share[k]) * (area - 0.5)))
    return np.array(rows)


def _run(rng, quick):
    from statnn.theory.measure import basin_oracle

    replicas, nets = (600, 200) if quick else (4_000, 2_000)
    samples = 200
    labels = (np.arange(samples) < SHARE * samples).astype(int)
    slopes, errors = np.empty((2, len(DISTANCES), replicas))
    for i, distance in enumerate(DISTANCES):
        for j in range(replicas):
            common = rng.standard_normal((samples, 1))
            fields = (common + rng.standard_normal((samples, UNITS))) / np.sqrt(2) + distance * labels[:, None]
            ranks = pooled_ranks(fields, np.ones((2, UNITS)), labels)
            slopes[i, j], errors[i, j] = ranks.slope[1], ranks.slope_error[1]
    # a narrow class in the middle of a wide one, seen by random units
    narrow = rng.standard_normal((samples, 10)) * np.where(labels, 0.1, 1.0)[:, None]
    ranks = [
        rank_probability(Network.random([10, 20, 2], "tanh", rng=rng), narrow, labels, bins=20) for _ in range(nets)
    ]
    return {
        "slopes": slopes,
        "errors": errors,
        "theory": [12 * (1 - SHARE) * float(basin_oracle.gaussian_area(d) - 0.5) for d in DISTANCES],
        "fine": (fine := np.linspace(0, 2, 41)),
        "curve": [12 * (1 - SHARE) * float(basin_oracle.gaussian_area(float(d)) - 0.5) for d in fine],
        "spread": 1.0,
        "random": [of_network.slope[1] for of_network in ranks],
        "random_theory": 0.0,
        "edges": ranks[0].edges,
        "law": [of_network.density[1] for of_network in ranks],
        "identity": _identity(rng, 10 if quick else 100),
    }


def _judge(data):
    slope, area = data["identity"].T
    cases = list(zip(data["slopes"], data["errors"], data["theory"], strict=True))
    squares = np.concatenate([(row - theory) ** 2 / np.mean(error**2) for row, error, theory in cases])
    findings = (
        Finding(
            quantity=IDENTITY, estimate=float(np.abs(slope - area).max()), error=0.0, theory=0.0, tolerance=1e-12,
            sees=1e-11, unit="of the slope",
        ),
        Finding.of(GAUSSIAN, worst(mean(row, float(theory)) for row, _, theory in cases), sees=0.02, unit="of s"),
        Finding.of(ERROR, mean(squares, float(data["spread"]), bias=0.05), sees=0.45, unit="of the squared error"),
        Finding.of(RANDOM, mean(data["random"], float(data["random_theory"])), sees=0.06, unit="in s"),
    )  # fmt: skip
    return Verdict.judged(findings, Outcome.EXACT, "slopes against class share and AUC", otherwise="slopes differ")


def _miscounted(data, by):
    """Let every slope differ from the count of pairs."""
    return {**data, "identity": data["identity"] + [by, 0.0]}


TWINS = {
    IDENTITY: _miscounted,
    GAUSSIAN: scaled("theory"),
    ERROR: scaled("spread"),
    RANDOM: lambda data, by: {**data, "random_theory": data["random_theory"] + by},
}


def _draw(data, figure):
    figure.set_size_inches(9, 3.8)
    left, right = lettered(figure, 1, 2)
    slopes = data["slopes"]
    left.plot(data["fine"], data["curve"], color="black", linewidth=1, label=r"$12(1-\pi)[\Phi(d/\sqrt{2})-1/2]$")
    left.errorbar(
        DISTANCES,
        slopes.mean(axis=1),
        slopes.std(axis=1, ddof=1),
        fmt="o",
        color=COLOURS[0],
        fillstyle="none",
        label="one data set: mean ± s.d.",
    )
    left.errorbar(
        np.array(DISTANCES) + 0.06,
        slopes.mean(axis=1),
        data["errors"].mean(axis=1),
        fmt="none",
        ecolor=COLOURS[1],
        label="standard error as estimated",
    )
    left.set(xlabel="distance $d$ of Gaussian classes", ylabel="slope $s$")
    left.legend()
    law = data["law"]
    right.stairs(law.mean(axis=0), data["edges"], color=COLOURS[0], baseline=None, label="narrow class")
    middle = (data["edges"][1:] + data["edges"][:-1]) / 2
    error = law.std(axis=0, ddof=1) / np.sqrt(len(law))
    right.errorbar(middle, law.mean(axis=0), error, fmt="none", ecolor=COLOURS[0])
    right.axhline(1, color="grey", linestyle=":", linewidth=1, label="uniform")
    random = data["random"]
    slope = f"$s = {random.mean():.3f} \\pm {random.std(ddof=1) / np.sqrt(random.size):.3f}$"
    right.set(xlabel="rank $r$", ylabel="density", xlim=(0, 1), ylim=(0, None), title=f"random networks, {slope}")
    right.legend()


CLAIM = Claim(
    id="rank-probability",
    title="Slope of the rank probability distribution",
    statement=(
        "The slope is s = 12(1−π)(AUC−1/2), exactly, at any number of samples; its stated error is that over "
        "repeated samples, however units are correlated; its mean is 0 for random weights, whose ranks need not be "
        "uniform."
    ),
    source="this project, for the rank probability distribution of Lin et al. 2025, arXiv 2501.02436",
    standing="own",
    expected=Outcome.EXACT,
    caption=(
        "(a) Slope $s$ of the rank probability distribution for Gaussian classes at a distance $d$, class share "
        r"$\pi = 1/4$, 200 samples; line: theory. Circles: mean over 600 data sets (4,000 in a full run), with bars "
        "of one standard deviation of a data set; orange bars, moved aside: the standard error as estimated from "
        "one data set, averaged. (b) Density of ranks of a narrow class in 200 random networks (2,000 in a full "
        "run). Error bars: standard error over networks."
    ),
    run=_run,
    judge=_judge,
    draw=_draw,
    twins=TWINS,
    derivations=("rank-probability",),
    cost=6,
)
