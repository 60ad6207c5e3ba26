"""Hidden units of trained ReLU classifiers against the hypothesis, its count law and its growth.

Activations are recorded on images that were not trained on, which are exchangeable samples for the trained network.
Error bars are over independent trainings; within one network units are correlated, and its own standard errors
would be too small.
"""

from functools import partial

import numpy as np
from scipy import stats

from statnn.activation import GammaPoisson, fit, rarefaction
from statnn.plot import COLOURS
from statnn.testing.statistics import bonferroni, mean
from validation.claim import Asks, Claim, Finding, Outcome, Verdict
from validation.claims._tools import ABSTRACT, MAIN_TEXT, lettered
from validation.trained import images as networks

CLEAR = 1e-3
"""Level at which a few trainings contradict a claim; the contradictions lie far beyond it."""

SEEN = 10
LOW = "share of working units that are active in less than half of the samples"
FIT = "p-value of the beta-binomial law fitted to all units, corrected for the number of trainings"
BEND = f"P(active | silent in {SEEN}) minus the straight line through k >= {SEEN // 2}"
FIRST = "K(1)/N minus the largest value of the formula for any b"
OBEY = "of the units, replaced by units that obey the hypothesis"
TWIN = (0.5, 1.2)
"""Beta shapes (b, β) of the twin, which obeys the hypothesis with b = 1/2 and c/N = 0.29."""


def _record(rng, quick, data=None):
    """Train networks and count, on held-out images, how many activate each hidden unit."""
    trainings = 5 if quick or data else 12
    mnist = None if data is None else networks.mnist(data)
    counts, ends = [], []
    for child in rng.spawn(trainings):
        images = networks.digits(child) if mnist is None else mnist.some(2_000 if quick else 4_000, child)
        network = networks.train(images, child)
        counts.append(network.fires(images.test).sum(axis=0))
        ends.append([network.test_error, network.epochs, network.converged])
    return np.array(counts), len(images.test), np.array(ends).T


def _obeying(data, share):
    """Return counts in which a share of the units is replaced by units that do obey the hypothesis."""
    rng = np.random.default_rng(0)
    counts = rng.binomial(data["samples"], rng.beta(*TWIN, data["counts"].shape))
    return np.where(rng.random(counts.shape) < share, counts, data["counts"])


def _ends(test_error, epochs, converged):
    return {"test_error": test_error, "epochs": epochs, "converged": converged}


# -- the count law -----------------------------------------------------------------------------------------


def _run_counts(rng, quick, data=None):
    counts, samples, ends = _record(rng, quick, data)
    return _measure_counts(counts, samples) | _ends(*ends)


def _measure_counts(counts, samples):
    names = ("p_beta", "p_gamma", "p_working", "b", "b_working", "activity", "silent", "low")
    out = {name: [] for name in names} | {"counts": counts, "samples": samples}
    edges = np.linspace(0, 1, 26)
    curves = {"fitted": [], "fitted_working": []}
    for row in counts:
        beta = fit(row, samples)
        working = fit(row[row > 0], samples)
        values = (
            beta.p_value,
            fit(row, samples, law=GammaPoisson).p_value,
            working.p_value,
            beta.b,
            working.b,
            row.mean() / samples,
            np.mean(row == 0),
            np.mean(row[row > 0] < samples / 2),
        )
        for name, value in zip(names, values, strict=True):
            out[name].append(value)
        for name, fitted, share in (("fitted", beta, 1.0), ("fitted_working", working, np.mean(row > 0))):
            shapes = fitted.b, fitted.b * (fitted.process.neurons / fitted.c - 1)
            curves[name].append(share * stats.beta(*shapes).pdf((edges[1:] + edges[:-1]) / 2))
    seen = np.array([np.histogram(row[row > 0] / samples, edges)[0] / row.size for row in counts]) / np.diff(edges)
    return out | {"edges": edges, "density": seen} | {name: np.mean(c, axis=0) for name, c in curves.items()}


def _judge_counts(data):
    low = mean(data["low"], 0.5)
    beta, working = (bonferroni(data[name]) for name in ("p_beta", "p_working"))
    detail = (
        f"{low.estimate:.1%} of the working units are active in less than half of the samples (at least 50 % for "
        f"a law that falls with k); c/N = {np.mean(data['activity']):.2f}, silent {np.mean(data['silent']):.1%}; "
        f"beta-binomial b = {np.mean(data['b']):.2f} with p = {beta:.1g}, working units alone "
        f"b = {np.mean(data['b_working']):.1f} with p = {working:.1g}"
    )
    fitted = Finding(
        quantity=FIT, estimate=beta, error=0.0, theory=CLEAR, asks=Asks.AT_LEAST, sees=0.66, unit=OBEY, z=None, p=None
    )
    return Verdict.judged(
        [Finding.of(LOW, low, asks=Asks.AT_LEAST, level=CLEAR, sees=0.66, unit=OBEY), fitted],
        Outcome.DOMAIN,
        detail,
        otherwise="counts do not fall as a power law, or not by the law of the hypothesis",
    )


def _twin_counts(data, by):
    return data | _measure_counts(_obeying(data, by), int(data["samples"]))


def _draw_counts(data, figure):
    figure.set_size_inches(9, 3.8)
    left, right = lettered(figure, 1, 2)
    middle = (data["edges"][1:] + data["edges"][:-1]) / 2
    error = data["density"].std(axis=0, ddof=1) / np.sqrt(len(data["density"]))
    left.errorbar(middle, data["density"].mean(axis=0), error, fmt="o", color="black", label="working units")
    left.plot(middle, data["fitted"], color=COLOURS[0], label=f"fit to all, $b = {np.mean(data['b']):.2f}$")
    label = f"fit to working units, $b = {np.mean(data['b_working']):.1f}$"
    left.plot(middle, data["fitted_working"], "--", color=COLOURS[1], label=label)
    left.set(
        xlabel="share of samples $D_i/D$",
        ylabel="density",
        yscale="log",
        title=f"silent units: {np.mean(data['silent']):.1%}",
    )
    left.legend()
    samples = int(data["samples"])
    edges = np.unique(np.round(np.geomspace(1, samples + 1, 16)))
    seen = np.array([np.histogram(row, edges)[0] for row in data["counts"]]) / data["counts"].shape[1]
    width, k = np.diff(edges), np.sqrt(edges[:-1] * (edges[1:] - 1))
    shown = seen.sum(axis=0) > 0
    error = seen.std(axis=0, ddof=1) / np.sqrt(len(seen))
    right.errorbar(k[shown], (seen.mean(axis=0) / width)[shown], (error / width)[shown], fmt="o", color="black")
    first = (seen.mean(axis=0) / width)[shown][0]
    for label, power, line in (("$k^0$", 0.0, ":"), ("$k^{-1/2}$", 0.5, "-."), ("$k^{-1}$", 1.0, "--")):
        right.plot(k, first * (k / k[shown][0]) ** -power, line, color="grey", label=label)
    lowest = (seen.mean(axis=0) / width)[shown].min() / 4  # bars of single counts reach down to 0
    right.set(
        ylim=(lowest, 4 * first),
        xscale="log",
        yscale="log",
        xlabel=f"activations $k$ of $D = {samples}$",
        ylabel="$P(D_i = k)$",
    )
    right.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)


# -- the hypothesis itself ---------------------------------------------------------------------------------


def _next_activation(counts, samples, seen):
    """Return P(active in one more sample | active in k of ``seen``) for k = 0..seen, over all sub-samples at once.

    The number of activations in a random sub-sample is hypergeometric, so no sub-sample need be drawn.
    """
    k = np.arange(seen + 1)[:, None]
    weight = stats.hypergeom.pmf(k, samples, counts, seen)
    return (weight * (counts - k)).sum(axis=1) / weight.sum(axis=1) / (samples - seen)


def _gap(curves):
    """Return by how much P(next | k = 0) exceeds the least-squares line through the upper half, shape (trainings,)."""
    upper = np.arange(SEEN // 2, SEEN + 1)
    line = np.polynomial.polynomial.polyfit(upper, curves[:, upper].T, 1)
    return curves[:, 0] - line[0]


def _run_response(rng, quick, data=None):
    counts, samples, ends = _record(rng, quick, data)
    return _measure_response(counts, samples) | _ends(*ends)


def _measure_response(counts, samples):
    curves = np.array([_next_activation(row, samples, SEEN) for row in counts])
    working = np.array([_next_activation(row[row > 0], samples, SEEN) for row in counts])
    k, lines = np.arange(SEEN + 1), []
    for row in counts:
        fitted = fit(row, samples)
        lines.append(fitted.c * (k + fitted.b) / (fitted.c * SEEN + fitted.b * row.size))
    return {
        "counts": counts,
        "samples": samples,
        "curves": curves,
        "lines": lines,
        "gap": _gap(curves),
        "gap_working": _gap(working),
    }


def _judge_response(data):
    gap, working = mean(data["gap"], 0.0), mean(data["gap_working"], 0.0)
    level = data["curves"][:, 0].mean()
    detail = (
        f"P(next | silent in {SEEN}) = {level:.3f}, below the straight line through k >= {SEEN // 2} by "
        f"{-gap.estimate:.3f} ± {gap.error:.3f}; without units that are silent throughout by {-working.estimate:.3f} ± "
        f"{working.error:.3f}"
    )
    bend = Finding.of(BEND, gap, level=CLEAR, sees=0.66, unit=OBEY)
    return Verdict.judged([bend], Outcome.DOMAIN, detail, otherwise="the probability is not linear in D_i")


def _twin_response(data, by):
    return data | _measure_response(_obeying(data, by), int(data["samples"]))


def _draw_response(data, figure):
    axes = figure.add_subplot()
    k = np.arange(SEEN + 1)
    error = data["curves"].std(axis=0, ddof=1) / np.sqrt(len(data["curves"]))
    axes.errorbar(k, data["curves"].mean(axis=0), error, fmt="o", color="black", label="trained networks")
    axes.plot(k, data["lines"].mean(axis=0), color=COLOURS[0], label="hypothesis, fitted $b$ and $c$")
    axes.set(
        xlabel=f"activations $k$ in $D = {SEEN}$ samples",
        ylabel="P(active in the next sample)",
        ylim=(0, 1),
        title=r"hypothesis: $p_i = c\,(D_i+b)/(cD+bN)$",
    )
    axes.legend()


# -- growth ------------------------------------------------------------------------------------------------


def _run_growth(rng, quick, data=None):
    counts, samples, ends = _record(rng, quick, data)
    return _measure_growth(counts, samples) | _ends(*ends)


def _measure_growth(counts, samples):
    at = np.unique(np.round(np.geomspace(1, samples, 40)).astype(int))
    rows, neurons = [], counts.shape[1]
    for row in counts:
        beta, gamma = fit(row, samples), fit(row, samples, law=GammaPoisson)
        curves = rarefaction(row, samples, at).working, beta.process.working(at), gamma.process.working(at)
        rows.append([*(curve / neurons for curve in curves), -np.expm1(-gamma.c * at / neurons)])
    names = ("working", "beta", "paper", "paper_most")
    return {"at": at, "counts": counts, "samples": samples} | dict(zip(names, np.swapaxes(rows, 0, 1), strict=True))


def _judge_growth(data):
    over = mean(data["working"][:, 0] - data["paper_most"][:, 0], 0.0)
    final = data["working"][:, -1].mean()
    gap = {name: np.abs(data[name] / data["working"] - 1).mean(axis=0) for name in ("beta", "paper")}
    detail = (
        f"K(1)/N = {data['working'][:, 0].mean():.2f}, but the formula gives at most 1 − exp(−c/N) = "
        f"{data['paper_most'][:, 0].mean():.2f} for any b; largest relative error {gap['paper'].max():.0%} for "
        f"the fitted formula, {gap['beta'].max():.0%} for the fitted beta-Bernoulli law; K = {final:.2f} N at "
        f"D = {data['samples']}"
    )
    first = Finding.of(
        FIRST, over, asks=Asks.AT_MOST, level=CLEAR, sees=0.66, unit="of the way from the data to the fitted formula"
    )
    return Verdict.judged([first], Outcome.DOMAIN, detail, otherwise="the formula fails outside c ≪ N")


def _twin_growth(data, by):
    return {**data, "working": data["working"] + min(by, 1.0) * (data["paper"] - data["working"])}


def _draw_growth(data, figure):
    figure.set_size_inches(9, 3.8)
    left, right = lettered(figure, 1, 2)
    curves = (
        ("working", "o", "black", "rarefaction"),
        ("beta", "-", COLOURS[0], "beta-Bernoulli, fitted"),
        ("paper", "--", COLOURS[1], r"$N[1-(bN/(cD+bN))^b]$, fitted"),
    )
    for axes, transform in ((left, lambda x: x), (right, lambda x: 1 - x)):
        for name, style, colour, label in curves:
            values = transform(data[name])
            error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
            average = values.mean(axis=0)
            if name == "working":
                axes.errorbar(data["at"], average, error, fmt=style, ms=3, color=colour, label=label)
            else:
                axes.plot(data["at"], average, style, color=colour, label=label)
    left.plot(data["at"], data["paper_most"].mean(axis=0), ":", color="grey", label=r"its bound $b\to\infty$")
    left.set(xscale="log", xlabel="samples $D$", ylabel="working units $K/N$", ylim=(0, 1.02))
    right.set(xscale="log", yscale="log", xlabel="samples $D$", ylabel="NSR $= (N-K)/N$")
    left.legend()


# -- the claims, on both data sets -------------------------------------------------------------------------


def _claims(name, title, *, needs_data, cost):
    """State the claims on one data set."""
    make = partial(Claim, expected=Outcome.CONTRADICTED, needs_data=needs_data, cost=cost)
    return (
        make(
            id=f"{name}-counts",
            title=f"Count law of real units: {title}",
            statement=(
                "The number of samples that activate a hidden unit follows the count law of the hypothesis, and that "
                "of working units falls as a power law k^−α with 0 < α < 1."
            ),
            source=MAIN_TEXT,
            standing="paper",
            caption=(
                "Activations of hidden units of trained classifiers on held-out images. (a) Density of the share "
                "of samples that activate a working unit (symbols), with beta-binomial laws fitted to all units "
                "(solid) and to working ones (dashed). (b) Distribution of the number $k$ of activations in "
                "logarithmic bins, with slopes for comparison from the first bin. Error bars: standard error over 5 "
                "independent trainings (12 in a full run on digits)."
            ),
            run=_run_counts,
            judge=_judge_counts,
            draw=_draw_counts,
            twins={LOW: _twin_counts, FIT: _twin_counts},
            contradicted=(LOW, FIT),
        ),
        make(
            id=f"{name}-hypothesis",
            title=f"Stable activation probability of real units: {title}",
            statement="The probability that a unit is active in the next sample is linear in its past activations D_i.",
            source=ABSTRACT,
            standing="paper",
            caption=(
                "Probability that a hidden unit of a trained classifier is active in the next sample, given that it "
                "was active in $k$ of 10 samples (symbols), and the straight line that the hypothesis gives with "
                "fitted $b$ and $c$. Error bars: standard error over 5 independent trainings (12 in a full run on "
                "digits)."
            ),
            run=_run_response,
            judge=_judge_response,
            draw=_draw_response,
            twins={BEND: _twin_response},
            contradicted=(BEND,),
        ),
        make(
            id=f"{name}-growth",
            title=f"Growth of working units: {title}",
            statement="The number of working units grows as K(D) = N[1 − (bN/(cD+bN))^b] with one b.",
            source=MAIN_TEXT,
            standing="paper",
            caption=(
                "(a) Share of hidden units that at least one of $D$ held-out images activates: rarefaction of "
                "trained classifiers (symbols), fitted beta-Bernoulli law (solid), fitted formula (dashed) and the "
                "most it gives for any $b$ (dotted). (b) The same as noise-to-signal ratio (NSR), the share of "
                "silent units. Error bars: standard error over 5 independent trainings (12 in a full run on digits)."
            ),
            run=_run_growth,
            judge=_judge_growth,
            draw=_draw_growth,
            twins={FIRST: _twin_growth},
            contradicted=(FIRST,),
        ),
    )


CLAIMS = (
    *_claims("real-digits", "digits", needs_data=False, cost=8),
    *_claims("real-mnist", "MNIST", needs_data=True, cost=25),
)
