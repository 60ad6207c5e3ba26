"""More neurons lose no activation, and more of them stay silent."""

import numpy as np

from statnn._axes import logarithmic
from statnn.activation import BetaBernoulli, PolyaUrn
from statnn.plot import COLOURS
from statnn.testing.statistics import power_law, worst, z_score
from validation.claim import Asks, Claim, Finding, Outcome, Verdict
from validation.claims._tools import ABSTRACT, lettered, log_slope, scaled

# -- compressibility ---------------------------------------------------------------------------------------

SIZES = 50 * 2 ** np.arange(6)
B, D_SEEN = 0.5, 40
RISE = "rise of the noise-to-signal ratio with a doubling of N at fixed c, least significant"
SPARSE = "noise-to-signal ratio at fixed c"
DENSE = "noise-to-signal ratio at a fixed share c/N of active neurons"


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
    exact = [BetaBernoulli(n, B, 5.0).noise_to_signal(D_SEEN) for n in SIZES.tolist()]
    own = {"neurons": neurons, "samples": samples, "map": ratio}
    return out | own | {"constant": constant, "exact": exact, "least": 0.0}


def _judge_compressibility(data):
    steps = np.diff(data["sparse"])
    errors = np.hypot(data["sparse_error"][1:], data["sparse_error"][:-1])
    at = int(np.argmin(steps / errors))
    rise = z_score(float(steps[at]), float(errors[at]), float(data["least"]))
    sparse, dense = (
        worst(map(z_score, data[name].tolist(), data[f"{name}_error"].tolist(), theory.tolist()))
        for name, theory in (("sparse", data["exact"]), ("dense", np.full(SIZES.size, data["constant"])))
    )
    whole = float(data["sparse"][-1] - data["sparse"][0])
    return Verdict.judged(
        [
            Finding.of(RISE, rise, sees=0.125, unit="in the rise", asks=Asks.ABOVE),
            Finding.of(SPARSE, sparse, sees=0.006, unit="of the ratio, relative"),
            Finding.of(DENSE, dense, sees=0.02, unit="of the ratio, relative"),
        ],
        Outcome.DOMAIN,
        f"at fixed c the ratio rises by {whole:.3f} from N = {SIZES[0]} to {SIZES[-1]}; theory: at a fixed c/N it "
        "does not depend on N",
        otherwise="the silent share does not grow with N at fixed c, or grows at a fixed share of active neurons too",
    )


TWINS_OF_COMPRESSIBILITY = {
    RISE: lambda data, by: {**data, "least": data["least"] + by},
    SPARSE: scaled("exact"),
    DENSE: scaled("constant"),
}


def _draw_compressibility(data, figure):
    figure.set_size_inches(9, 3.8)
    left, right = lettered(figure, 1, 2)
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
    right.plot(SIZES, data["exact"], color=COLOURS[0], linewidth=1)
    right.plot(SIZES, np.full(SIZES.size, data["constant"]), "--", color=COLOURS[1], linewidth=1)
    for name, label, mark, colour in (
        ("sparse", "$c = 5$", "o", COLOURS[0]), ("dense", "$c = N/10$", "s", COLOURS[1])
    ):  # fmt: skip
        right.errorbar(
            SIZES, data[name], data[f"{name}_error"], fmt=mark, color=colour, fillstyle="none", label=label
        )  # fmt: skip
    logarithmic(right, "x")
    right.set(
        xlabel="neurons $N$", ylabel="NSR", ylim=(0, 1), title=f"$D = {D_SEEN}$; lines: exact, symbols: stepwise"
    )  # fmt: skip
    right.legend()


# -- over-parameterisation ---------------------------------------------------------------------------------

EVENTS = 12
MANY = 100 * 2 ** np.arange(7)
AMPLITUDE_IN_N = (EVENTS - 1) * (1 + 1 / B) / 2
MISSING = "1 - K/cD in simulation"
SLOPE = "slope of ln(1 - K/cD) against ln N in simulation"
ORDER = "slope of ln(1 - K/cD) against ln N between N = 10⁶ and 10⁸, exact"
AMPLITUDE = "N (1 - K/cD) at N = 10⁸, exact, over (1 + 1/b)(cD - 1)/2"


def _run_over(rng, quick):
    replicas = 20_000 if quick else 400_000
    repeats, error = [], []
    for neurons in MANY.tolist():
        working = PolyaUrn(neurons, B).simulate([EVENTS], replicas, rng=rng, method="stepwise").working[:, 0]
        repeats.append(1 - working.mean() / EVENTS)
        error.append(working.std(ddof=1) / EVENTS / np.sqrt(replicas))
    exact = [1 - PolyaUrn(n, B).working(EVENTS) / EVENTS for n in MANY.tolist()]
    large = [1 - PolyaUrn(n, B).working(EVENTS) / EVENTS for n in (10**6, 10**8)]
    return {
        "repeats": repeats,
        "error": error,
        "exact": exact,
        "large": large,
        "order": -1.0,
        "amplitude": AMPLITUDE_IN_N,
    }


def _judge_over(data):
    missing = worst(map(z_score, data["repeats"].tolist(), data["error"].tolist(), data["exact"].tolist()))
    order = float(data["order"])
    # the same fit to the exact curve gives the slope at these sizes
    fit, exact = (power_law(MANY, data[name], data["error"]) for name in ("repeats", "exact"))
    slope = fit.against(exact.slope + order + 1)
    final = float(log_slope(np.array([1e6, 1e8]), data["large"]))
    never = {"error": 0.0, "z": None, "p": None}
    return Verdict.judged(
        [
            Finding.of(MISSING, missing, sees=0.045, unit="of 1 - K/cD, relative"),
            Finding.of(SLOPE, slope, limit=order, sees=0.04, unit="of the slope"),
            Finding(
                quantity=ORDER, estimate=final, theory=order, tolerance=1e-4, sees=1.5e-4, unit="of the slope", **never
            ),
            Finding(
                quantity=AMPLITUDE, estimate=1e8 * data["large"][1] / data["amplitude"], theory=1.0, tolerance=1e-5,
                sees=1.5e-5, unit="of the amplitude, relative", **never,
            ),
        ],
        Outcome.ASYMPTOTIC,
        f"1 − K/(cD) falls as N^({final:.4f}) for large N; theory: as 1/N",
        otherwise="1 − K/(cD) does not vanish as 1/N with the stated amplitude",
    )  # fmt: skip


def _twin_order(data, by):
    return {**data, "order": data["order"] + by}


TWINS_OF_MORE = {MISSING: scaled("exact"), SLOPE: _twin_order, ORDER: _twin_order, AMPLITUDE: scaled("amplitude")}


def _draw_over(data, figure):
    axes = figure.add_subplot()
    axes.errorbar(MANY, data["repeats"], data["error"], fmt="o", color=COLOURS[1], label="stepwise simulation")
    axes.plot(MANY, data["exact"], color=COLOURS[0], label="exact")
    axes.plot(MANY, AMPLITUDE_IN_N / MANY, "--", color="grey", label=r"$(1 + 1/b)(cD - 1)/(2N)$")
    logarithmic(axes, "x", "y")
    axes.set(xlabel="neurons $N$", ylabel="$1 - K/(cD)$", title=f"$cD = {EVENTS}$, $b = {B}$")
    axes.legend()


CLAIMS = (
    Claim(
        id="compressibility",
        title="Larger models are more compressible",
        statement="The noise-to-signal ratio (N−K)/N, the share of neurons one can drop, grows with the size N.",
        source=ABSTRACT,
        standing="paper",
        expected=Outcome.DOMAIN,
        caption=(
            "(a) Exact share of silent neurons, the noise-to-signal ratio (NSR), against samples and size at $b = "
            "0.5$, $c = 5$; dashed: $cD = N$. (b) NSR at $D = 40$ for a fixed number $c = 5$ of active neurons "
            "(circles, solid) and a fixed share $c = N/10$ (squares, dashed). Lines: exact; symbols: 400 stepwise "
            "replicas (6,000 in a full run). Error bars: standard error over replicas, mostly below the size of "
            "symbols."
        ),
        run=_run_compressibility,
        judge=_judge_compressibility,
        draw=_draw_compressibility,
        twins=TWINS_OF_COMPRESSIBILITY,
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
        caption=(
            "Share of activations that wake no new neuron, $1 - K/(cD)$, against the number $N$ of neurons at $cD = "
            "12$, $b = 0.5$. Circles: stepwise simulation, 20,000 replicas (400,000 in a full run); error bars: "
            "standard error over replicas. Solid: exact; dashed: leading order, of slope $-1$."
        ),
        run=_run_over,
        judge=_judge_over,
        draw=_draw_over,
        twins=TWINS_OF_MORE,
        derivations=("limits",),
        cost=4,
    ),
)
