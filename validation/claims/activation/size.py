"""What more neurons do: nothing is lost, and more of them stay silent."""

import numpy as np

from statnn.activation import BetaBernoulli, PolyaUrn
from statnn.plot import COLOURS
from validation.claim import Claim, Outcome, Verdict
from validation.claims._tools import ABSTRACT, log_slope
from validation.statistics import LEVEL, bonferroni, power_law, z_score

# -- compressibility ---------------------------------------------------------------------------------------

SIZES = 50 * 2 ** np.arange(6)
B, D_SEEN = 0.5, 40


def _run_compressibility(rng, quick):
    replicas = 400 if quick else 6_000
    out = {"sparse": [], "sparse_error": [], "dense": [], "dense_error": []}
    for name, activity in (("sparse", lambda _: 5.0), ("dense", lambda n: n / 10)):
        for neurons in SIZES.tolist():
            process = BetaBernoulli(neurons, B, activity(neurons))
            path = process.simulate([D_SEEN], replicas, rng=rng, method="stepwise")
            ratio = 1 - path.working[:, 0] / neurons
            out[name].append(ratio.mean())
            out[f"{name}_error"].append(ratio.std(ddof=1) / np.sqrt(replicas))
    neurons, samples = np.geomspace(10, 1e5, 60).astype(int), np.geomspace(1, 1e5, 61)
    ratio = [BetaBernoulli(n, B, 5.0).noise_to_signal(samples) for n in neurons.tolist()]
    constant = BetaBernoulli(int(SIZES[0]), B, SIZES[0] / 10).noise_to_signal(D_SEEN)
    return out | {"neurons": neurons, "samples": samples, "map": ratio, "constant": constant}


def _judge_compressibility(data):
    step = np.diff(data["sparse"]) / np.hypot(data["sparse_error"][1:], data["sparse_error"][:-1])
    rises = z_score(float(step.min()), 1.0, 0.0)
    level = [
        z_score(float(ratio), float(error), float(data["constant"])).p
        for ratio, error in zip(data["dense"], data["dense_error"], strict=True)
    ]
    flat = bonferroni(level)
    rise = float(data["sparse"][-1] - data["sparse"][0])
    error = float(np.hypot(data["sparse_error"][-1], data["sparse_error"][0]))
    found = z_score(rise, error, 0.0)
    if rises.p > LEVEL or rises.estimate < 0:
        return Verdict.of(Outcome.CONTRADICTED, found, "the silent share does not grow with N even at fixed c")
    if flat < LEVEL:
        return Verdict.of(Outcome.ASYMPTOTIC, found, "it grows with N at a fixed share of active neurons too")
    detail = (
        f"at fixed c: NSR rises by {rise:.3f} from N = {SIZES[0]} to {SIZES[-1]}; at a fixed "
        f"share c/N it does not depend on N (p = {flat:.2g})"
    )
    return Verdict.of(Outcome.DOMAIN, found, detail)


def _twin_compressibility(data):
    swapped = {
        "sparse": "dense",
        "dense": "sparse",
        "sparse_error": "dense_error",
        "dense_error": "sparse_error",
    }
    return {**data, **{new: data[old] for new, old in swapped.items()}}


def _draw_compressibility(data, figure):
    figure.set_size_inches(9, 3.8)
    left, right = figure.subplots(1, 2)
    mesh = left.contourf(data["samples"], data["neurons"], data["map"], levels=np.linspace(0, 1, 11), cmap="cividis")
    left.plot(data["samples"], 5.0 * data["samples"], color="white", linestyle="--")
    left.annotate("$cD = N$", (3e2, 5e3), color="white", rotation=38)
    left.set(
        xscale="log",
        yscale="log",
        xlabel="samples $D$",
        ylabel="neurons $N$",
        ylim=(10, 1e5),
        title="NSR $= (N-K)/N$, $c = 5$",
    )
    left.grid(visible=False)
    figure.colorbar(mesh, ax=left)
    for name, label, colour in (("sparse", "$c = 5$", COLOURS[0]), ("dense", "$c = N/10$", COLOURS[1])):
        right.errorbar(SIZES, data[name], data[f"{name}_error"], fmt="o-", color=colour, label=label)
    right.set(
        xscale="log",
        xlabel="neurons $N$",
        ylabel="NSR",
        ylim=(0, 1),
        title=f"stepwise simulation, $D = {D_SEEN}$",
    )
    right.legend()


# -- over-parameterisation ---------------------------------------------------------------------------------

EVENTS = 12
MANY = 100 * 2 ** np.arange(7)


def _run_over(rng, quick):
    replicas = 20_000 if quick else 400_000
    repeats, error = [], []
    for neurons in MANY.tolist():
        working = PolyaUrn(neurons, B).simulate([EVENTS], replicas, rng=rng, method="stepwise").working[:, 0]
        repeats.append(1 - working.mean() / EVENTS)
        error.append(working.std(ddof=1) / EVENTS / np.sqrt(replicas))
    exact = [1 - PolyaUrn(n, B).working(EVENTS) / EVENTS for n in MANY.tolist()]
    large = [1 - PolyaUrn(n, B).working(EVENTS) / EVENTS for n in (10**6, 10**8)]
    return {"repeats": repeats, "error": error, "exact": exact, "large": large, "order": -1.0}


def _judge_over(data):
    fit = power_law(MANY, data["repeats"], data["error"])
    # the same fit on the exact curve tells how far the slope at these sizes is from the order
    slope = power_law(MANY, data["exact"], data["error"]).slope
    final = float(log_slope(np.array([1e6, 1e8]), data["large"]))
    found = fit.against(float(data["order"]), bias=abs(slope + 1))
    if found.p < LEVEL or abs(final - float(data["order"])) > 1e-3:
        return Verdict.of(Outcome.CONTRADICTED, found, "the missing share does not vanish as 1/N")
    detail = (
        f"1 − K/(cD) falls as N^({final:.4f}) for large N (as N^({slope:.3f}) at the simulated sizes, by the exact "
        "law): almost every activation wakes a new neuron; more never hurt"
    )
    return Verdict.of(Outcome.ASYMPTOTIC, found, detail)


def _twin_over(data):
    return {**data, "order": -2.0}


def _draw_over(data, figure):
    axes = figure.add_subplot()
    axes.errorbar(MANY, data["repeats"], data["error"], fmt="o", color=COLOURS[1], label="stepwise simulation")
    axes.plot(MANY, data["exact"], color=COLOURS[0], label="exact")
    axes.plot(MANY, (EVENTS - 1) * (1 + 1 / B) / 2 / MANY, "--", color="grey", label=r"$(1 + 1/b)(cD - 1)/(2N)$")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="neurons $N$",
        ylabel="$1 - K/(cD)$",
        title=f"$cD = {EVENTS}$, $b = {B}$",
    )
    axes.legend()


CLAIMS = (
    Claim(
        id="compressibility",
        title="Larger models are more compressible",
        statement="The noise-to-signal ratio (N−K)/N, the share of neurons one can drop, grows with the size N.",
        source=ABSTRACT,
        standing="paper",
        expected=Outcome.DOMAIN,
        run=_run_compressibility,
        judge=_judge_compressibility,
        draw=_draw_compressibility,
        twin=_twin_compressibility,
        derivations=("mean-field", "loss"),
        cost=4,
    ),
    Claim(
        id="over-parameterised",
        title="The over-parameterised limit",
        statement="K → cD as N → ∞ at fixed D: every activation wakes a new neuron, so more neurons never hurt.",
        source=ABSTRACT + " (over-parameterised networks keep generalising)",
        standing="asymptotic",
        expected=Outcome.ASYMPTOTIC,
        run=_run_over,
        judge=_judge_over,
        draw=_draw_over,
        twin=_twin_over,
        derivations=("limits",),
        cost=4,
    ),
)
