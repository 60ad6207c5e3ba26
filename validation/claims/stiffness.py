"""The deterministic limit: as layers stiffen, neurons go to what their network computes, with order 1/λ."""

import numpy as np

from statnn import Network
from statnn.interaction import DynamicNeurons
from statnn.montecarlo import sample
from statnn.plot import COLOURS
from validation.claim import Claim, Outcome, Verdict
from validation.claims._chains import of_chains
from validation.statistics import LEVEL, power_law, worst

STIFFNESS = np.array([100.0, 200.0, 400.0, 800.0, 1600.0, 3200.0, 6400.0])
FITTED = slice(3, None)
WIDTHS, SAMPLES, BETA = (6, 8, 8, 8, 3), 5, 2.0


def linearised(net, x, stiffness):
    """Return the summed variance of all neurons at leading order: S' = D W S Wᵀ D + 1/(2λ) from layer to layer."""
    trace = net.trace(x)
    total = np.zeros(np.shape(stiffness))
    for sample_ in range(len(x)):
        spread = np.zeros((net.widths[0], net.widths[0]))
        for weight, sigma, fields in zip(net.weights, net.activations, trace.fields, strict=True):
            slope = sigma.derivative(fields[sample_])[:, None] * weight
            spread = slope @ spread @ slope.T + np.eye(len(weight))
            total = total + np.trace(spread) / (2 * stiffness)
    return total


def _run(rng, quick):
    net = Network.random(WIDTHS, "tanh", sigma_w=1.4, sigma_b=0.2, rng=rng)
    x, y = rng.normal(size=(SAMPLES, WIDTHS[0])), rng.normal(size=(SAMPLES, WIDTHS[-1]))
    sweeps = 300 if quick else 3_000
    chains = []
    for stiffness in STIFFNESS:
        model = DynamicNeurons(net, x, y, BETA, stiffness)
        home = model.deterministic()
        run = sample(
            model, sweeps, chains=64, rng=rng, progress=False,
            observables={"distance": lambda h, home=home: ((h - home) ** 2).sum(axis=1)},
        )  # fmt: skip
        chains.append(of_chains(run, "distance"))
    return {
        "stiffness": STIFFNESS,
        "chains": chains,
        "leading": linearised(net, x, STIFFNESS),
        "order": -1.0,
    }


def _judge(data):
    x, chains = data["stiffness"], data["chains"]
    means, error = chains.mean(axis=1), chains.std(axis=1, ddof=1) / np.sqrt(chains.shape[1])
    # what is left out is of relative order 1/λ: the largest deviation seen bounds the bias of the slope
    left_out = abs(means[FITTED.start] / data["leading"][FITTED.start] - 1)
    bias = 2 * left_out / np.log(x[-1] / x[FITTED.start])
    slope = power_law(x[FITTED], means[FITTED], error[FITTED]).against(float(data["order"]), bias=bias)
    ratio, ratio_error = means / data["leading"], error / data["leading"]
    correction = power_law(x[:4], np.abs(ratio[:4] - 1), ratio_error[:4])
    found = worst([slope])
    detail = (
        f"mean squared distance to the trace falls as λ^({slope.estimate:.4f} ± {slope.error:.4f}), with "
        f"{ratio[-1]:.4f} ± {ratio_error[-1]:.4f} of the linearised amplitude at λ = {x[-1]:g}; what the leading order "
        f"leaves out falls as λ^({correction.slope:.2f} ± {correction.error:.2f})"
    )
    wrong = found.p < LEVEL or abs(ratio[-1] - 1) > 0.02 + 6 * ratio_error[-1]
    return Verdict.of(Outcome.CONTRADICTED if wrong else Outcome.ASYMPTOTIC, found, detail)


def _twin(data):
    return {**data, "order": -1.1}


def _draw(data, figure):
    figure.set_size_inches(9, 3.6)
    left, right = figure.subplots(1, 2)
    x, means = data["stiffness"], data["chains"].mean(axis=1)
    error = data["chains"].std(axis=1, ddof=1) / np.sqrt(data["chains"].shape[1])
    left.errorbar(x, means, error, fmt="o", color=COLOURS[0], label="sampled")
    left.plot(x, data["leading"], color="black", linewidth=1, label=r"linearised layers, $\propto 1/\lambda$")
    left.set(
        xscale="log",
        yscale="log",
        xlabel=r"stiffness $\lambda$",
        ylabel=r"$\langle |h - h_{\mathrm{network}}|^2\rangle$",
    )
    left.legend()
    right.axhline(1, color="black", linewidth=1)
    right.errorbar(x, means / data["leading"], error / data["leading"], fmt="o", color=COLOURS[0])
    right.set(xscale="log", xlabel=r"stiffness $\lambda$", ylabel="sampled / linearised")


CLAIM = Claim(
    id="stiffness",
    title="Stiff layers give the network back",
    statement=(
        "As λ → ∞ the dynamic neurons approach what their network computes: the mean squared distance falls as 1/λ, "
        "with the amplitude of the linearised layers."
    ),
    source="the limit: Lee, Lee & Yi 2024, arXiv 2410.00396; its order and amplitude: ours",
    standing="asymptotic",
    expected=Outcome.ASYMPTOTIC,
    run=_run,
    judge=_judge,
    draw=_draw,
    twin=_twin,
    derivations=("hamiltonian", "noise-coordinates", "stiffness"),
    cost=10,
)
