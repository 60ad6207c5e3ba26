"""Teacher and student: chains forget their start, and the teacher ranks in the posterior like one of its samples."""

import numpy as np
from scipy import stats

from statnn import Network
from statnn.interaction import DynamicNeurons, Prior, State
from statnn.montecarlo import sample
from statnn.plot import COLOURS
from statnn.testing.statistics import mean, uniform, worst
from validation.claim import Claim, Finding, Outcome, Verdict
from validation.claims._chains import OURS
from validation.claims._tools import lettered

WIDTHS, SAMPLES = (3, 4, 1), 12
BETA, STIFFNESS = 10.0, 10.0
PRIOR = Prior(1.5, 0.5)
CHAINS, DRAWS, THIN, BURN_IN = 16, 24, 3, 150


def _teacher(rng):
    """Draw a teacher from the prior, and data from the teacher with the noise of the model."""
    net = Network.random(WIDTHS, "tanh", PRIOR.sigma_w, PRIOR.sigma_b, rng=rng)
    x = rng.normal(size=(SAMPLES, WIDTHS[0]))
    h, neurons = x, []
    for weight, bias in zip(net.weights, net.biases, strict=True):
        h = np.tanh(h @ weight.T + bias) + rng.normal(size=(SAMPLES, len(weight))) / np.sqrt(2 * STIFFNESS)
        neurons.append(h)
    y = h + rng.normal(size=h.shape) / np.sqrt(2 * BETA)
    model = DynamicNeurons(net, x, y, BETA, STIFFNESS, ("neurons", "weights", "biases"), PRIOR)
    return model, model.pack(State(tuple(neurons), net.weights, net.biases))


def _observables(model, probe):
    """Return functions of states that do not depend on the numbering of hidden units."""

    def output(states):
        parts = model.unpack(states)
        h = np.broadcast_to(probe, (len(states), *probe.shape))
        for weight, bias in zip(parts.weights, parts.biases, strict=True):
            h = np.tanh(h @ np.swapaxes(weight, -1, -2) + bias[:, None, :])
        return h.reshape(len(states))

    def norm(states):
        return sum((w**2).sum(axis=(-1, -2)) for w in model.unpack(states).weights)

    return {"output": output, "norm": norm, "energy": model.energy}


NAMES = ("output", "norm", "energy")
STARTS, RANKS = "difference between the two starts", "distance of the teacher's ranks from uniform"


def _run(rng, quick):
    teachers = 60 if quick else 600
    ranks, difference = np.empty((teachers, len(NAMES))), np.empty((teachers, len(NAMES)))
    example = None
    for k in range(teachers):
        model, truth = _teacher(rng)
        watched = _observables(model, rng.normal(size=(1, WIDTHS[0])))
        both = [
            sample(
                model, DRAWS * THIN, chains=CHAINS, burn_in=BURN_IN, thin=THIN, rng=rng, observables=watched,
                initial=start, progress=False,
            )
            for start in (truth, None)
        ]  # fmt: skip
        for i, name in enumerate(NAMES):
            drawn = both[1].draws[name]
            ranks[k, i] = (drawn < watched[name](truth[None])[0]).mean()
            difference[k, i] = (both[0].draws[name].mean() - drawn.mean()) / drawn.std()
        if example is None:
            example = {
                f"example_{start}_{name}": run.draws[name]
                for start, run in zip(("teacher", "random"), both, strict=True)
                for name in NAMES
            } | {f"example_truth_{name}": watched[name](truth[None])[0] for name in NAMES}
    return {"ranks": ranks, "difference": difference, **example}


def _judge(data):
    each = range(len(NAMES))
    few = len(data["ranks"]) < 200
    findings = (
        Finding.of(
            STARTS, worst(mean(data["difference"][:, i], 0.0) for i in each),
            sees=0.1 if few else 0.035, unit="of the posterior's spread",
        ),
        Finding.of(
            RANKS, worst(uniform(data["ranks"][:, i]) for i in each),
            sees=5.0 if few else 0.5, unit="of the posterior's width, by which it is too narrow",
        ),
    )  # fmt: skip
    detail = f"{len(data['ranks'])} teachers; {', '.join(NAMES)}"
    return Verdict.judged(findings, Outcome.EXACT, detail, otherwise="not the posterior")


def _narrow(data, by):
    """Place the teacher in a posterior that is too narrow: its ranks crowd at the ends."""
    normal = stats.norm.ppf(np.clip(data["ranks"], 1e-3, 1 - 1e-3))
    return {**data, "ranks": stats.norm.cdf((1 + by) * normal)}


BELOW = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.2)}


def _draw(data, figure):
    figure.set_size_inches(10.5, 4)
    left, middle, right = lettered(figure, 1, 3)
    for start, colour, line in (("teacher", COLOURS[1], "-"), ("random", COLOURS[0], "--")):
        left.hist(
            data[f"example_{start}_output"].ravel(), 30, density=True, histtype="step", color=colour, linestyle=line,
            label=f"from the {start}" if start == "teacher" else "from a random start",
        )  # fmt: skip
    left.axvline(data["example_truth_output"], color="black", linewidth=1, linestyle=":", label="teacher's output")
    left.set(xlabel="output at a new input", ylabel="posterior density", title="one teacher")
    left.legend(**BELOW)
    for i, name in enumerate(NAMES):
        middle.plot(data["difference"][:, i], np.full(len(data["difference"]), i), "|", color=COLOURS[i])
        ordered = np.sort(data["ranks"][:, i])
        right.step(ordered, (np.arange(ordered.size) + 1) / ordered.size, ("-", "--", "-.")[i], color=COLOURS[i],
                   label=name)  # fmt: skip
    middle.set(
        yticks=range(len(NAMES)), yticklabels=NAMES, xlabel="difference of the two starts / spread", ylim=(-0.6, 2.6),
        title="all teachers",
    )  # fmt: skip
    right.plot([0, 1], [0, 1], color="black", linewidth=1)
    right.set(xlabel="rank of the teacher in the posterior", ylabel="share of teachers", title="all teachers")
    right.legend(**BELOW)


CLAIM = Claim(
    id="teacher-student",
    title="Teacher and student",
    statement=(
        "With data made by a teacher from the prior, chains from the teacher and from a random start find the same "
        "posterior, and the teacher's rank in it is uniform."
    ),
    source=OURS,
    standing="exact",
    expected=Outcome.EXACT,
    caption=(
        "Chains from the teacher and from a random start, 60 teachers (600 in a full run). (a) Posterior of the "
        "output at a new input for one teacher, from both starts, and the output of the teacher. (b) Difference "
        "between the means of the two starts in units of the posterior's spread, a mark per teacher, for the output, "
        "the squared norm of the weights and the energy. (c) Cumulative distribution of the rank of the teacher "
        "in the posterior; line: uniform. There are no error bars: all teachers are shown."
    ),
    run=_run,
    judge=_judge,
    draw=_draw,
    twins={STARTS: lambda data, by: {**data, "difference": data["difference"] + by}, RANKS: _narrow},
    derivations=("hamiltonian",),
    cost=30,
)
