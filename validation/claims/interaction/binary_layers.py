"""Binary layers: energy and heat capacity by block updates against exact transfer matrices."""

import numpy as np

from statnn.interaction import BinaryNeurons
from statnn.montecarlo import sample
from statnn.plot import COLOURS
from statnn.testing.statistics import mean, worst
from validation.claim import Claim, Finding, Outcome, Verdict
from validation.claims._chains import OURS, of_chains
from validation.claims._tools import BELOW, draw_residuals, scaled, with_residuals

LAYERS, WIDTH = 12, 8
TEMPERATURES = np.geomspace(1.2, 4.0, 8)
"""Colder layers need tempering: for some couplings chains stay where they began."""


def random_layers(rng):
    """Return layers with Gaussian couplings of variance one over the fan-in and Gaussian fields of deviation 0.1."""
    blocks = [rng.normal(size=(WIDTH, WIDTH)) / np.sqrt(WIDTH) for _ in range(LAYERS - 1)]
    return BinaryNeurons(blocks, 0.1 * rng.normal(size=LAYERS * WIDTH))


def _run(rng, quick):
    model = random_layers(rng)
    sweeps = 4_000 if quick else 20_000
    out = {name: [] for name in ("energy", "square", "energy_exact", "capacity_exact")}
    for temperature in TEMPERATURES:
        here = model.at(temperature)
        exact = here.exact(correlations=False)
        run = sample(here, sweeps, chains=64, burn_in=sweeps // 2, rng=rng, observables=["energy"], progress=False)
        out["energy"].append(of_chains(run, "energy"))
        out["square"].append(of_chains(run, "energy", exact.energy, 2) / temperature**2)
        out["energy_exact"].append(exact.energy)
        out["capacity_exact"].append(exact.heat_capacity)
    fine = np.geomspace(0.6, 5, 60)
    curves = [model.at(t).exact(correlations=False) for t in fine]
    return out | {
        "fine": fine,
        "energy_curve": [e.energy for e in curves],
        "capacity_curve": [e.heat_capacity for e in curves],
        "temperatures": TEMPERATURES,
    }


def _judge(data):
    findings = tuple(
        Finding.of(
            quantity,
            worst(mean(chains, float(exact)) for chains, exact in zip(data[name], data[law], strict=True)),
            sees=sees, unit=f"of the {quantity}",
        )
        for quantity, name, law, sees in (
            ("energy", "energy", "energy_exact", 0.005), ("heat capacity", "square", "capacity_exact", 0.03)
        )
    )  # fmt: skip
    return Verdict.judged(
        findings, Outcome.EXACT, f"transfer matrices at {len(TEMPERATURES)} temperatures",
        otherwise="sampling and transfer matrices differ",
    )  # fmt: skip


def _draw(data, figure):
    figure.set_size_inches(9, 4.6)
    upper, lower = with_residuals(figure, 2)
    spins = LAYERS * WIDTH
    for axes, below, (curve, name, law, label) in zip(
        upper,
        lower,
        (
            ("energy_curve", "energy", "energy_exact", "energy per neuron $\\langle E\\rangle/N$"),
            ("capacity_curve", "square", "capacity_exact", "heat capacity per neuron $C/N$"),
        ),
        strict=True,
    ):
        axes.plot(data["fine"], data[curve] / spins, color="black", linewidth=1, label="transfer matrices")
        chains = data[name] / spins
        error = chains.std(axis=1, ddof=1) / np.sqrt(chains.shape[1])
        axes.errorbar(
            data["temperatures"], chains.mean(axis=1), error, fmt="o", color=COLOURS[1], label="block updates"
        )
        exact = np.array(data[law]) / spins
        draw_residuals(below, data["temperatures"], chains.mean(axis=1), exact, error, color=COLOURS[1])
        axes.set(xscale="log", ylabel=label, xticks=[1, 2, 4])
        below.set_xlabel("temperature $T$")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.minorticks_off()
    upper[0].legend()


CLAIM = Claim(
    id="binary-layers",
    title="Binary layers against transfer matrices",
    statement=(
        f"{LAYERS} layers of {WIDTH} binary neurons with random couplings between neighbours: sampled energies and "
        "heat capacities are those of the exact transfer matrices."
    ),
    source=OURS,
    standing="exact",
    expected=Outcome.EXACT,
    caption=(
        "Energy (a) and heat capacity (b) per neuron of 12 layers of 8 binary neurons against temperature. "
        "Lines: transfer matrices, exact. Circles: block updates, 64 chains of 4,000 sweeps (20,000 in a full run). "
        "Error bars: standard error over chains, mostly below the size of symbols." + BELOW
    ),
    run=_run,
    judge=_judge,
    draw=_draw,
    twins={"energy": scaled("energy_exact"), "heat capacity": scaled("capacity_exact")},
    derivations=("heat-bath", "transfer-matrix"),
    cost=8,
)
