"""Attraction basins whose radius is known: bands, linear classes, and linear units, whose basins are infinite."""

import numpy as np

from statnn import Network
from statnn.measure.basins import sample_basin, weight_basin
from statnn.plot import COLOURS
from statnn.testing.statistics import mean, worst
from validation.claim import Claim, Finding, Outcome, Verdict
from validation.claims._tools import lettered, scaled

DISTANCES = (0.0, 0.5, 0.9)
"""Distances of the sample from the middle of a band of half-width 1."""
CLASSES = (3, 5, 10)
DIRECTION = np.array([0.6, 0.8])
AHEAD = 0.7
BAND, LINEAR = "mean ln σ* of bands", "mean ln σ* of linear classes"
WEIGHTS, ENDLESS = "mean ln σ* of linear classes, noise on weights", "least share of infinite basins of linear units"


def _band():
    """Class 0 where |w.x| < 1."""
    first = np.stack((DIRECTION, -DIRECTION))
    return Network([first, [[0.0, 0.0], [1.0, 1.0]]], [[0.0, 0.0], [1.0, 0.0]], ["relu", "identity"])


def _classes(number):
    """Orthonormal linear classes, the first ahead of all others at the origin."""
    return Network([np.eye(number)], [[AHEAD, *[0.0] * (number - 1)]], "identity")


def _blocks(number, samples):
    """Return linear classes side by side and one sample in each, for which the bias alone puts a class ahead.

    All samples of a call see the same noise on weights, but samples that share no input see independent columns of it.
    """
    weights = np.tile(np.eye(number), samples)
    net = Network([weights], [[AHEAD, *[0.0] * (number - 1)]], "identity")
    return net, 0.5 * np.repeat(np.eye(samples), number, axis=1)


def _run(rng, quick):
    from statnn.theory.measure import basin_oracle

    samples, in_classes, draws = (150, 600, 1_000) if quick else (2_000, 2_000, 4_000)
    bands = [
        sample_basin(_band(), np.tile(distance * DIRECTION, (samples, 1)), draws=draws, rng=rng)
        for distance in DISTANCES
    ]
    classes = [
        sample_basin(_classes(number), np.zeros((in_classes, number)), draws=draws, rng=rng) for number in CLASSES
    ]
    theory_bands = [float(basin_oracle.band_radius(1, distance, digits=12)) for distance in DISTANCES]
    theory_linear = [AHEAD / float(basin_oracle.lead(number, digits=6)) for number in CLASSES]
    few, blocks = 1_000, 400
    radii = np.concatenate(
        [weight_basin(*_blocks(CLASSES[0], blocks), draws=few, rng=rng).radius for _ in range(1 if quick else 8)]
    )
    size = np.eye(CLASSES[0]).std() * np.sqrt(CLASSES[0]) / 2
    linear = Network.random([8, 2], "identity", 1.0, 0.3, rng=rng)
    x = rng.standard_normal((samples, 8))
    linear_basins = [basin(linear, x, rng=rng) for basin in (sample_basin, weight_basin)]
    fine = np.geomspace(1e-3, 1e3, 300)
    band = sample_basin(_band(), np.tile(0.5 * DIRECTION, (samples, 1)), draws=draws, rng=rng)
    return {
        "bands": np.log([basins.radius for basins in bands]),
        "theory_bands": np.array(theory_bands),
        "shift_bands": [
            _shift(basin_oracle.band_kept(1.0, distance), radius, draws)
            for distance, radius in zip(DISTANCES, theory_bands, strict=True)
        ],
        "linear": np.log([basins.radius for basins in classes]),
        "theory_linear": np.array(theory_linear),
        "shift_linear": [
            _shift(basin_oracle.classes_kept(number, AHEAD), radius, draws)
            for number, radius in zip(CLASSES, theory_linear, strict=True)
        ],
        "weights": np.log(radii),
        "theory_weights": theory_linear[0] / size,
        "shift_weights": _shift(basin_oracle.classes_kept(CLASSES[0], AHEAD), theory_linear[0], few),
        "fine": fine,
        "curve": _chance(fine),
        "endless": [np.mean(endless.infinite) for endless in linear_basins],
        "sigma": band.sigma[:-1],
        "kept": band.kept[:, :-1],
        "kept_linear": linear_basins[0].kept[:, :-1],
    }


def _shift(chances, radius, draws):
    """Return the bias of the mean ln σ* that a finite number of draws causes, of order 1/draws."""
    from statnn.theory.measure.basin_oracle import mean_log_radius

    return mean_log_radius(*chances, radius, draws) - np.log(radius)


def _theory(data):
    """Return the mean ln σ* that theory gives at the number of draws taken."""
    return {name: np.log(data[f"theory_{name}"]) + data[f"shift_{name}"] for name in ("bands", "linear", "weights")}


def _judge(data):
    theory = _theory(data)
    band, linear = (
        worst(mean(logs, float(expected)) for logs, expected in zip(data[name], theory[name], strict=True))
        for name in ("bands", "linear")
    )
    weights = mean(data["weights"], float(theory["weights"]))
    findings = (
        Finding.of(BAND, band, sees=0.04, unit="of σ*"),
        Finding.of(LINEAR, linear, sees=0.01, unit="of σ*"),
        Finding.of(WEIGHTS, weights, sees=0.04, unit="of σ*"),
        Finding(
            quantity=ENDLESS, estimate=float(data["endless"].min()), error=0.0, theory=1.0, tolerance=1e-12,
            sees=1 / len(data["kept_linear"]), unit="of the samples",
        ),
    )  # fmt: skip
    return Verdict.judged(findings, Outcome.EXACT, "radii by bisection against exact ones", otherwise="radii differ")


TWINS = {
    BAND: scaled("theory_bands"),
    LINEAR: scaled("theory_linear"),
    WEIGHTS: scaled("theory_weights"),
    ENDLESS: lambda data, by: {**data, "endless": data["endless"] - by},
}


def _draw(data, figure):
    figure.set_size_inches(9, 3.8)
    left, right = lettered(figure, 1, 2)
    left.plot(data["fine"], data["curve"], color="black", linewidth=1, label="band, exact")
    for name, colour, mark, label in (
        ("kept", COLOURS[0], "o", "band, $a = 0.5$"),
        ("kept_linear", COLOURS[1], "s", "two linear classes"),
    ):
        shares = data[name]
        left.errorbar(
            data["sigma"],
            shares.mean(axis=0),
            shares.std(axis=0, ddof=1) / np.sqrt(len(shares)),
            fmt=mark,
            color=colour,
            fillstyle="none",
            label=label,
        )
    left.axhline(0.5, color="grey", linestyle=":", linewidth=1)
    left.axvline(data["theory_bands"][1], color="grey", linestyle="--", linewidth=1, label=r"$\sigma^*$ of the band")
    left.set(xscale="log", xlabel=r"noise amplitude $\sigma$", ylabel="P[class unchanged]", ylim=(0, 1.02))
    left.legend(loc="upper right", bbox_to_anchor=(1.02, 1.0))
    names = [f"band, $a = {d:g}$" for d in DISTANCES] + [f"{k} classes" for k in CLASSES] + ["3 classes,\nweights"]
    logs = [*data["bands"], *data["linear"], data["weights"]]
    theory = _theory(data)
    expected = [*theory["bands"], *theory["linear"], theory["weights"]]
    for i, (values, exact) in enumerate(zip(logs, expected, strict=True)):
        gap = values - exact
        error = gap.std(ddof=1) / np.sqrt(len(gap))
        right.errorbar(i, gap.mean() / error, 1, fmt="os^"[i // 3], color=COLOURS[i // 3])
    right.axhline(0, color="black", linewidth=1)
    right.set_xticks(range(len(names)), names, rotation=40, ha="right")
    reach = max(4.5, *np.abs(right.get_ylim()))
    right.set(
        ylabel=r"$(\langle\ln\sigma^*\rangle - \ln\sigma^*_{\mathrm{exact}})$ / standard error", ylim=(-reach, reach)
    )  # fmt: skip


def _chance(sigma):
    """P[|1/2 + σz| < 1]."""
    from scipy import stats

    return stats.norm.cdf(0.5 / sigma) - stats.norm.cdf(-1.5 / sigma)


CLAIM = Claim(
    id="basin-closed-forms",
    title="Attraction basins with exact radii",
    statement=(
        "The radius found by bisection with common random numbers is that of the closed forms: bands from anywhere "
        "inside, three to ten linear classes, noise on weights; basins of a linear unit with two classes are infinite."
    ),
    source="this project, for the attraction basins of Lin et al. 2025, arXiv 2501.02436",
    standing="exact",
    expected=Outcome.EXACT,
    caption=(
        r"(a) Probability that noise of amplitude $\sigma$ leaves the class unchanged, for a sample at $a = 0.5$ "
        "in a band of half-width 1 (circles; line: exact) and for two classes of a linear unit, which never fall "
        "below one half (squares). Error bars: standard error over 150 samples (2,000 in a full run), 1,000 draws "
        r"each (4,000). (b) Deviation of the mean $\ln\sigma^*$ from its theory at this number of draws, in standard "
        "errors: bands, linear classes (600 samples; 2,000), and noise on weights. Error bars: one standard error."
    ),
    run=_run,
    judge=_judge,
    draw=_draw,
    twins=TWINS,
    derivations=("attraction-basins",),
    cost=8,
)
