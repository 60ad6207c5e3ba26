"""The square lattice: every sampler must find the exact energies of the finite torus."""

import numpy as np

from statnn.interaction import kaufman, onsager, square_lattice
from statnn.montecarlo import sample
from statnn.plot import COLOURS
from statnn.testing.statistics import mean, worst
from validation.claim import Claim, Finding, Outcome, Verdict
from validation.claims._chains import of_chains
from validation.claims._tools import lettered

CRITICAL = 2 / np.log1p(np.sqrt(2))
TEMPERATURES = np.array([2.0, CRITICAL, 3.0])
METHODS = ("heat bath", "metropolis", "wolff", "multispin")
SEES = {"heat bath": 0.004, "metropolis": 0.004, "wolff": 0.007, "multispin": 0.004}
CHAINS = {"heat bath": 256, "metropolis": 256, "wolff": 200, "multispin": 256}
"""Enough chains to judge the tails of their means: at T = 2 a chain that tunnels is rare and far off."""


def _run(rng, quick):
    size = 16 if quick else 32
    sweeps = 4_000 if quick else 20_000
    chains = np.full((len(METHODS), TEMPERATURES.size, max(CHAINS.values())), np.nan)
    for i, method in enumerate(METHODS):
        for j, temperature in enumerate(TEMPERATURES):
            lattice = square_lattice(size, size, temperature=temperature)
            length = sweeps // 10 if method == "wolff" else sweeps
            run = sample(
                lattice, length, chains=CHAINS[method], rng=rng, method=method, thin=4 if method != "wolff" else 1,
                observables=["energy"], initial=np.ones(size * size), progress=False,
            )  # fmt: skip
            chains[i, j, : CHAINS[method]] = of_chains(run, "energy") / size**2
    fine = np.linspace(1.6, 3.4, 181)
    return {
        "chains": chains,
        "exact": [[kaufman(size, size, temperature=t).energy / size**2 for t in TEMPERATURES]] * len(METHODS),
        "fine": fine,
        "curve": [kaufman(size, size, temperature=t).energy / size**2 for t in fine],
        "infinite": [onsager(temperature=t).energy for t in fine],
        "size": size,
    }


def _judge(data):
    findings = tuple(
        Finding.of(
            f"energy by {method}",
            worst(mean(c[np.isfinite(c)], float(e)) for c, e in zip(chains, exact, strict=True)),
            sees=SEES[method], unit="of the energy at T = 3",
        )
        for method, chains, exact in zip(METHODS, data["chains"], data["exact"], strict=True)
    )  # fmt: skip
    return Verdict.judged(
        findings, Outcome.EXACT, "Kaufman's torus at T = 2, T_c and 3", otherwise="not the energies of the torus"
    )


def _wrong_energy(number):
    """Return the twin in which one method is compared with another energy at the highest temperature."""

    def twin(data, by):
        exact = np.array(data["exact"])
        exact[number, -1] *= 1 + by
        return {**data, "exact": exact}

    return twin


def _draw(data, figure):
    figure.set_size_inches(9, 3.8)
    left, right = lettered(figure, 1, 2)
    size = int(data["size"])
    left.plot(data["fine"], data["curve"], color="black", linewidth=1, label=f"torus ${size}\\times {size}$, exact")
    left.plot(data["fine"], data["infinite"], color="grey", linestyle="--", linewidth=1, label="infinite lattice")
    for i, method in enumerate(METHODS):
        means = np.nanmean(data["chains"][i], axis=1)
        error = np.nanstd(data["chains"][i], axis=1, ddof=1) / np.sqrt(CHAINS[method])
        left.plot(TEMPERATURES, means, "os^D"[i], color=COLOURS[i], fillstyle="none", label=method)
        at = np.arange(3) + 0.12 * (i - 1.5)
        right.errorbar(at, (means - data["exact"][i]) / error, 1, fmt="os^D"[i], color=COLOURS[i], label=method)
    left.set(xlabel="temperature $T$", ylabel="energy per spin $\\langle E\\rangle/N$")
    left.legend()
    right.axhline(0, color="black", linewidth=1)
    reach = max(4.5, *np.abs(right.get_ylim()))
    right.set(
        xticks=range(3),
        xticklabels=["$T = 2$", "$T_c$", "$T = 3$"],
        ylabel="(simulation − exact) / standard error",
        ylim=(-reach, reach),
    )


CLAIM = Claim(
    id="square-lattice",
    title="The square lattice, exactly",
    statement=(
        "Heat bath, Metropolis, Wolff's clusters and multi-spin coding all give the exact energies of the "
        "square-lattice Ising model on a finite torus, below, at and above the critical temperature."
    ),
    source="Kaufman 1949; Onsager 1944",
    standing="exact",
    expected=Outcome.EXACT,
    caption=(
        r"(a) Energy per spin of the square-lattice Ising model on a torus of $16 \times 16$ spins ($32 \times 32$ "
        "in a full run), by four samplers at three temperatures; solid: exact on the torus; dashed: infinite "
        "lattice. (b) Deviations from the exact energy in standard errors over 256 chains (200 for Wolff's "
        "clusters). Error bars: one standard error."
    ),
    run=_run,
    judge=_judge,
    draw=_draw,
    twins={f"energy by {method}": _wrong_energy(i) for i, method in enumerate(METHODS)},
    derivations=("heat-bath", "metropolis", "wolff", "torus"),
    cost=15,
)
