"""Attraction basins whose radius is known: bands, linear classes, and the linear unit that has no end."""

import numpy as np

from statnn import Network
from statnn.measure.basins import sample_basin, weight_basin
from statnn.plot import COLOURS
from validation.claim import Claim, Outcome, Verdict
from validation.claims._tools import exactly
from validation.statistics import LEVEL, mean

DISTANCES = (0.0, 0.5, 0.9)
"""Of the sample from the middle of a band of half-width 1."""
CLASSES = (3, 5, 10)
DIRECTION = np.array([0.6, 0.8])
AHEAD = 0.7


def _band():
    """Class 0 where |w.x| < 1."""
    first = np.stack((DIRECTION, -DIRECTION))
    return Network([first, [[0.0, 0.0], [1.0, 1.0]]], [[0.0, 0.0], [1.0, 0.0]], ["relu", "identity"])


def _classes(number):
    """Orthonormal linear classes, the first ahead of all others at the origin."""
    return Network([np.eye(number)], [[AHEAD, *[0.0] * (number - 1)]], "identity")


def _run(rng, quick):
    from theory.measure import basin_oracle

    samples, draws = (100, 1_000) if quick else (2_000, 4_000)
    logs, theory = [], []
    for distance in DISTANCES:
        found = sample_basin(_band(), np.tile(distance * DIRECTION, (samples, 1)), draws=draws, rng=rng)
        logs.append(np.log(found.radius))
        theory.append(basin_oracle.band_radius(1, distance, digits=12))
    for number in CLASSES:
        found = sample_basin(_classes(number), np.zeros((samples, number)), draws=draws, rng=rng)
        logs.append(np.log(found.radius))
        theory.append(AHEAD / basin_oracle.lead(number, digits=6))
    # all samples of one basin in weight space see the same noise, so replicas need seeds of their own
    few, replicas = 100, 30
    net, x = _classes(CLASSES[0]), np.full((1, CLASSES[0]), 0.5)
    radii = [weight_basin(net, x, draws=few, rng=rng).radius[0] for _ in range(replicas)]
    size = np.eye(CLASSES[0]).std() * np.sqrt(CLASSES[0]) / 2
    linear = Network.random([8, 2], "identity", 1.0, 0.3, rng=rng)
    x = rng.standard_normal((samples, 8))
    linear_found = [basin(linear, x, rng=rng) for basin in (sample_basin, weight_basin)]
    fine = np.geomspace(1e-3, 1e3, 300)
    band = sample_basin(_band(), np.tile(0.5 * DIRECTION, (samples, 1)), draws=draws, rng=rng)
    return {
        "log_radius": logs,
        "theory": np.array(theory, dtype=float),
        "log_radius_weights": np.log(radii),
        "theory_weights": float(AHEAD / basin_oracle.lead(CLASSES[0], digits=6)) / size,
        "draws": draws,
        "draws_weights": few,
        "fine": fine,
        "curve": _chance(fine),
        "endless": [np.mean(one.infinite) for one in linear_found],
        "sigma": band.sigma[:-1],
        "kept": band.kept[:, :-1],
        "kept_linear": linear_found[0].kept[:, :-1],
    }


def _judge(data):
    """Compare the mean ln σ*; that of the draws at hand has a bias below two over their number."""
    found = exactly(
        (
            *(
                mean(logs, float(np.log(theory)), bias=2 / float(data["draws"]))
                for logs, theory in zip(data["log_radius"], data["theory"], strict=True)
            ),
            mean(
                data["log_radius_weights"],
                float(np.log(data["theory_weights"])),
                bias=2 / float(data["draws_weights"]),
            ),
        ),
        "the solved radii, ln σ* (worst of seven)",
    )
    if (data["endless"] < 1).any():
        return Verdict.unnamed(
            Outcome.CONTRADICTED, float(data["endless"].min()), 0.0, 1.0, p=LEVEL / 2, detail="linear units with an end"
        )
    return found


def _twin(data):
    """Put one-sided boundaries in the place of bands and classes: a radius |margin| / Φ⁻¹(3/4)."""
    quartile = 0.6744897501960817
    wrong = [*((1 - np.array(DISTANCES)) / quartile), *([AHEAD / np.sqrt(2) / quartile] * len(CLASSES))]
    return {**data, "theory": np.array(wrong)}


def _draw(data, figure):
    figure.set_size_inches(9, 3.8)
    left, right = figure.subplots(1, 2)
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
    left.axvline(data["theory"][1], color="grey", linestyle="--", linewidth=1, label=r"$\sigma^*$ of the band")
    left.set(xscale="log", xlabel=r"noise amplitude $\sigma$", ylabel="P[class unchanged]", ylim=(0, 1.02))
    left.legend(loc="upper right", bbox_to_anchor=(1.02, 1.0))
    names = [f"band, $a = {d:g}$" for d in DISTANCES] + [f"{k} classes" for k in CLASSES] + ["3 classes,\nweights"]
    logs = [*data["log_radius"], data["log_radius_weights"]]
    theory = np.log([*data["theory"], data["theory_weights"]])
    for i, (values, exact) in enumerate(zip(logs, theory, strict=True)):
        gap = values - exact
        right.errorbar(i, gap.mean(), gap.std(ddof=1) / np.sqrt(len(gap)), fmt="o", color=COLOURS[i // 3])
    right.axhline(0, color="black", linewidth=1)
    right.set_xticks(range(len(names)), names, rotation=40, ha="right")
    right.set(ylabel=r"$\langle\ln\sigma^*\rangle - \ln\sigma^*_{\mathrm{exact}}$")


def _chance(sigma):
    """P[|1/2 + σz| < 1]."""
    from scipy import stats

    return stats.norm.cdf(0.5 / sigma) - stats.norm.cdf(-1.5 / sigma)


CLAIM = Claim(
    id="basin-closed-forms",
    title="Attraction basins that can be solved",
    statement=(
        "The radius found by bisection with common random numbers is that of the closed forms: bands from anywhere "
        "inside, three to ten linear classes, noise on weights; a linear unit that tells two classes apart has no end."
    ),
    source="this project, for the attraction basins of Lin et al. 2025, arXiv 2501.02436",
    standing="exact",
    expected=Outcome.EXACT,
    run=_run,
    judge=_judge,
    draw=_draw,
    twin=_twin,
    derivations=("attraction-basins",),
    cost=8,
)
