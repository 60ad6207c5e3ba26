"""The interaction graph: local while neurons are degrees of freedom, all to all once they are integrated out."""

from itertools import pairwise

import numpy as np

from statnn import Network
from statnn.interaction import DynamicNeurons, Prior
from validation.claim import Asks, Claim, Finding, Outcome, Verdict
from validation.claims._chains import HAMILTONIAN
from validation.claims._tools import lettered

WIDTHS = (3, 4, 4, 2)
DEPTH, STEP, STATES = 6, 1e-3, 5
LEAK = "largest second derivative of a pair that the graph does not join, over the largest of all"
WEAKEST = "smallest second derivative of a pair that the graph joins, over the largest of all"
FAR = "smallest second derivative between weights two or more layers apart, neurons integrated out"
FREE = ("neurons", "weights", "biases")


def _hessian(model, state):
    """Return the second derivatives of βH by central differences of the gradient."""
    shifts = 1e-5 * np.eye(model.dimension)
    hessian = (model.gradient(state + shifts) - model.gradient(state - shifts)) / 2e-5
    return (hessian + hessian.T) / 2


def _names(model):
    """Return the node of the graph for every entry of a state of one sample."""
    widths = model.net.widths
    names = [("h", m, i) for m, n in enumerate(widths[1:], 1) for i in range(n)]
    if "weights" in model.free:
        names += [("W", m, *index) for m, w in enumerate(model.net.weights) for index in np.ndindex(w.shape)]
    if "biases" in model.free:
        names += [("b", m, i) for m in range(model.net.depth) for i in range(widths[m + 1])]
    return names


def _pattern(graph, names):
    return np.array([[graph.has_edge(name, neighbour) for neighbour in names] for name in names])


def _log_partition(weights):
    """Return ln Z of a scalar linear chain with these weights, its neurons integrated out."""
    net = Network([[[w]] for w in weights], activation="identity")
    return DynamicNeurons(net, [[1.0]], [[0.5]], beta=2.0, stiffness=3.0).exact().log_partition


def _mixed():
    """Return the second derivatives of -ln Z with respect to the weights of a chain of `DEPTH` layers."""
    weights = np.linspace(0.8, 1.2, DEPTH)
    mixed = np.zeros((DEPTH, DEPTH))
    for m in range(DEPTH):
        for k in range(DEPTH):
            e, f = STEP * np.eye(DEPTH)[m], STEP * np.eye(DEPTH)[k]
            corners = [a * b * _log_partition(weights + a * e + b * f) for a in (1, -1) for b in (1, -1)]
            mixed[m, k] = -sum(corners) / (4 * STEP**2)
    return mixed


def _run(rng, quick):
    del quick
    net = Network.random(WIDTHS, "tanh", sigma_w=1.5, sigma_b=0.3, rng=rng)
    x, y = rng.normal(size=(1, WIDTHS[0])), rng.normal(size=(1, WIDTHS[-1]))
    out = {}
    for kind, free, prior in (("neurons", FREE[:1], None), ("all", FREE, Prior(1e3, 1e3))):
        model = DynamicNeurons(net, x, y, 2.0, 3.0, free, prior)
        names = _names(model)
        # the second derivative of a pair that interacts may happen to be tiny in one state, but not in several
        states = model.deterministic() + 0.3 * rng.normal(size=(STATES, model.dimension))
        out[f"hessian_{kind}"] = np.max([np.abs(_hessian(model, state)) for state in states], axis=0)
        out[f"pattern_{kind}"] = _pattern(model.graph(parameters=kind == "all"), names)
    return out | {
        "integrated": _mixed(),
        "weights": np.concatenate([w.ravel() for w in net.weights]),
        "biases": np.concatenate(net.biases),
        "x": x,
        "y": y,
    }


def _judge(data):
    leaks, weakest = [], []
    for kind in ("neurons", "all"):
        hessian, pattern = np.abs(data[f"hessian_{kind}"]), data[f"pattern_{kind}"]
        off = ~np.eye(len(hessian), dtype=bool)
        leaks.append(hessian[off & ~pattern].max() / hessian.max())
        weakest.append(hessian[off & pattern].min() / hessian.max())
    far = np.abs(data["integrated"][np.triu_indices(DEPTH, 2)]).min()
    edges = [int(data[f"pattern_{kind}"].sum() // 2) for kind in ("neurons", "all")]
    of_largest = "of the largest second derivative"
    findings = (
        Finding(quantity=LEAK, estimate=max(leaks), error=0, theory=0, tolerance=1e-8, sees=2e-8, unit=of_largest),
        Finding(
            quantity=WEAKEST, estimate=min(weakest), error=0, theory=1e-8, asks=Asks.ABOVE, sees=1, unit="of its size"
        ),
        Finding(quantity=FAR, estimate=far, error=0, theory=1e-4, asks=Asks.ABOVE, sees=1, unit="of its size"),
    )
    detail = (
        f"the graph joins {edges[0]} pairs of neurons, and {edges[1]} pairs once parameters are free; with the neurons "
        f"integrated out, {DEPTH} layers of one neuron each"
    )
    return Verdict.judged(findings, Outcome.EXACT, detail, otherwise="the graph is not that of the energy")


def _leaking(data, by):
    """Let neurons of the first layer feel those of the last."""
    hessian = np.array(data["hessian_neurons"])
    hessian[0, -1] = hessian[-1, 0] = by * hessian.max()
    return {**data, "hessian_neurons": hessian}


def _missing(data, by):
    """Weaken the weakest pair that the graph joins."""
    hessian = np.array(data["hessian_all"])
    joined = np.where(data["pattern_all"], np.abs(hessian), np.inf)
    hessian[np.unravel_index(joined.argmin(), joined.shape)] *= max(0.0, 1 - by)
    return {**data, "hessian_all": hessian}


def _draw(data, figure):
    figure.set_size_inches(9.5, 8)
    panels = lettered(figure, 2, 2)
    weights, biases, start, at = [], [], 0, 0
    for below, above in pairwise(WIDTHS):
        weights.append(data["weights"][start : start + above * below].reshape(above, below))
        biases.append(data["biases"][at : at + above])
        start, at = start + above * below, at + above
    net = Network(weights, biases, "tanh")
    free = DynamicNeurons(net, data["x"], data["y"], 2.0, 3.0, FREE)
    free.plot(panels[0, 0], parameters=True)
    panels[0, 0].set_title("neurons, weights and biases", pad=34)
    DynamicNeurons(net, data["x"], data["y"], 2.0, 3.0).plot(panels[0, 1])
    panels[0, 1].set_title("neurons only", pad=34)
    for axes, matrix, title in (
        (panels[1, 0], np.abs(data["hessian_neurons"]), "neurons as variables"),
        (panels[1, 1], np.abs(data["integrated"]), f"neurons integrated out ({DEPTH} scalar layers)"),
    ):
        shown = np.ma.masked_less(matrix / matrix.max(), 1e-8)
        picture = axes.imshow(shown, cmap="cividis", norm="log", vmin=1e-4, vmax=1)
        axes.grid(visible=False)
        axes.set_title(title)
        figure.colorbar(picture, ax=axes, label="|second derivative| / largest", shrink=0.8)
    panels[1, 0].set(xlabel="neuron $h_i^{(m)}$", ylabel="neuron $h_j^{(k)}$")
    panels[1, 1].set(xlabel="layer of weight $w^{(m)}$", ylabel="layer of weight $w^{(k)}$")


CLAIM = Claim(
    id="interaction-graph",
    title="Locality of the interaction graph",
    statement=(
        "With neurons as degrees of freedom beside weights and biases the Hamiltonian is local in the layer index; "
        "integrating the neurons out makes the weights of all layers interact."
    ),
    source=HAMILTONIAN + ", abstract: interactions become simple; the graph is ours",
    standing="paper",
    expected=Outcome.EXACT,
    caption=(
        "The interaction graph of a network of widths 3, 4, 4, 2 with neurons, weights and biases as "
        "variables (a) and with neurons alone (b); line widths and colours: weights, and couplings at unit "
        "slope. (c) Second derivatives of the energy with respect to neurons, over the largest; white: "
        r"below $10^{-8}$, no edge. (d) Those of $-\ln Z$ with respect to the weights of six scalar layers, "
        "neurons integrated out, where all pairs interact. Nothing is sampled; there are no error bars."
    ),
    run=_run,
    judge=_judge,
    draw=_draw,
    twins={
        LEAK: _leaking,
        WEAKEST: _missing,
        FAR: lambda data, by: {**data, "integrated": data["integrated"] * max(0.0, 1 - by)},
    },
    derivations=("hamiltonian",),
    cost=2,
)
