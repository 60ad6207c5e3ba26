"""The deterministic limit: the mean squared distance of neurons from what their network computes falls as 1/λ."""

import numpy as np

from statnn import Network
from statnn.interaction import DynamicNeurons
from statnn.montecarlo import sample
from statnn.plot import COLOURS
from statnn.testing.statistics import z_score
from validation.claim import Claim, Finding, Outcome, Verdict
from validation.claims._chains import of_chains
from validation.claims._tools import lettered, scaled

ORDER, AMPLITUDE = "order of the distance in λ", "ln of sampled over linearised amplitude"
STIFFNESS = 400.0 * 2.0 ** np.arange(9)
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
            model, sweeps, chains=96, rng=rng, progress=False,
            observables={"distance": lambda h, home=home: ((h - home) ** 2).sum(axis=1)},
        )  # fmt: skip
        chains.append(of_chains(run, "distance"))
    return {
        "stiffness": STIFFNESS,
        "chains": chains,
        "leading": linearised(net, x, STIFFNESS),
        "order": -1.0,
    }


def _expansion(stiffness, ratio, *, order):
    """Fit ln(sampled / linearised) = a - s ln λ + c/λ + d/λ², with s only if `order`; return the fit and its errors.

    Chains are independent: fits to one chain at each stiffness, with ln r linear about the mean of r, are replicates.
    """
    powers = [np.ones_like(stiffness), 1 / stiffness, stiffness**-2.0]
    design = np.transpose([*powers, -np.log(stiffness)] if order else powers)
    mean = ratio.mean(axis=1, keepdims=True)
    fits = np.linalg.pinv(design) @ (np.log(mean) + ratio / mean - 1)
    return fits.mean(axis=1), fits.std(axis=1, ddof=1) / np.sqrt(ratio.shape[1])


def _judge(data):
    x, ratio = data["stiffness"], data["chains"] / data["leading"][:, None]
    free, free_error = _expansion(x, ratio, order=True)
    held, held_error = _expansion(x, ratio, order=False)
    order = z_score(-1 - free[3], free_error[3], float(data["order"]), dof=ratio.shape[1] - 1)
    amplitude = z_score(held[0], held_error[0], 0.0, dof=ratio.shape[1] - 1)
    findings = (
        Finding.of(ORDER, order, sees=0.0075, unit="of the order"),
        Finding.of(AMPLITUDE, amplitude, sees=0.006, unit="of the amplitude"),
    )
    detail = f"{len(x)} stiffnesses from λ = {x[0]:g} up; the fit has corrections to the leading order up to 1/λ²"
    return Verdict.judged(findings, Outcome.ASYMPTOTIC, detail, otherwise="not order 1/λ with this amplitude")


def _draw(data, figure):
    figure.set_size_inches(9, 3.6)
    left, right = lettered(figure, 1, 2)
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
    title="Stiff layers recover the network",
    statement=(
        "As λ → ∞ the dynamic neurons approach what their network computes: the mean squared distance falls as 1/λ, "
        "with the amplitude of the linearised layers."
    ),
    source="the limit: Lee, Lee & Yi 2024, arXiv 2410.00396; its order and amplitude: ours",
    standing="asymptotic",
    expected=Outcome.ASYMPTOTIC,
    caption=(
        r"Mean squared distance of dynamic neurons from what their network computes, against stiffness $\lambda$ "
        "(a), and over the linearised theory (b). Circles: 96 chains of 300 sweeps (3,000 in a full run); "
        "line: linearised layers, of slope $-1$. Error bars: standard error over chains, mostly below the size of "
        "symbols in (a)."
    ),
    run=_run,
    judge=_judge,
    draw=_draw,
    twins={ORDER: scaled("order"), AMPLITUDE: scaled("leading")},
    derivations=("hamiltonian", "noise-coordinates", "stiffness"),
    cost=10,
)
