"""Iterated tanh approaches the exact fixed-point function under composition and rescaling, at the rate 1/2."""

import numpy as np

from statnn.plot import COLOURS
from validation.claim import Claim, Finding, Outcome, Verdict
from validation.claims._tools import lettered

TIMES = 20
FUNCTION = "distance of 4096 layers of tanh, rescaled by α = √2, from f*"
LENS = "largest factor by which this distance falls from 2^n to 2^(n+1) layers, n >= 8"
SHOWN = (0, 1, 2, 4)
NAMES = ("tanh", "erf", "sigmoid", "fold")
EXTENT = {"tanh": 3.0, "erf": 3.0, "sigmoid": 0.45, "fold": 0.5}


def _layers():
    from statnn.rg import RepeatedLayer

    return {
        "tanh": RepeatedLayer("tanh"),
        "erf": RepeatedLayer.critical("erf"),
        "sigmoid": RepeatedLayer.critical("sigmoid"),
        "fold": RepeatedLayer.critical("tanh", 0.5),
    }


def _run(rng, quick):  # noqa: ARG001 - nothing here is random
    from statnn.rg import renormalise

    x = np.linspace(0.0, EXTENT["tanh"], 121)
    distance = []
    for name, layer in _layers().items():
        steps = renormalise(layer, TIMES, extent=EXTENT[name], nodes=48 if quick else 96)
        distance.append([step.distance() for step in steps])
        if name == "tanh":
            curves = [steps[n](x) for n in SHOWN]
            fixed = steps[0].fixed(x)
    layer = _layers()["tanh"]
    lenses = np.array([2 ** (1 / 2), 2 ** (1 / 3)])  # the factor of z = 3, and that of z = 4, wrong for tanh
    times = np.arange(13)
    direct = [
        [np.abs(alpha**n * layer.iterate(x / alpha**n, 2 ** int(n)) - fixed).max() for n in times] for alpha in lenses
    ]
    return {
        "x": x, "curves": curves, "fixed": fixed, "distance": distance, "times": times, "direct": direct,
        "alpha": lenses, "rate": [0.5] * len(NAMES), "lens": 0.5,
    }  # fmt: skip


def _judge(data):
    rates = (data["distance"][:, 20] / data["distance"][:, 12]) ** (1 / 8)
    lens = data["direct"][0, 9:] / data["direct"][0, 8:-1]
    findings = [
        Finding(
            quantity=_rate(name), estimate=rate, error=0, theory=theory, tolerance=1e-3, sees=0.003, unit="of it"
        )
        for name, rate, theory in zip(NAMES, rates, data["rate"], strict=True)
    ] + [
        Finding(
            quantity=FUNCTION, estimate=data["direct"][0, -1], error=0, theory=0, tolerance=1e-3, sees=2e-3,
            unit="of the range of f*",
        ),
        Finding(
            quantity=LENS, estimate=lens.max(), error=0, theory=data["lens"], tolerance=0.02, sees=0.05, unit="of it"
        ),
    ]  # fmt: skip
    detail = "rates from eight steps before rounding errors show; 4096 layers of tanh composed one by one"
    return Verdict.judged(findings, Outcome.ASYMPTOTIC, detail, otherwise="another function or another rate")


def _rate(name):
    return f"rate per step at which {name} approaches its fixed function"


def _other_rate(i):
    """Return the twin in which the rate of one layer is too large by a share."""
    return lambda data, by: {**data, "rate": data["rate"] * (1 + by * (np.arange(len(NAMES)) == i))}


TWINS = {_rate(name): _other_rate(i) for i, name in enumerate(NAMES)} | {
    FUNCTION: lambda data, by: {**data, "direct": data["direct"] + by * np.eye(1, data["direct"].shape[1], -1 % 13)},
    LENS: lambda data, by: {**data, "lens": data["lens"] * (1 + by)},
}


def _draw(data, figure):
    figure.set_size_inches(9, 3.8)
    left, right = lettered(figure, 1, 2)
    for n, curve, colour, line in zip(SHOWN, data["curves"], COLOURS, ("-", "-.", ":", (0, (5, 1))), strict=False):
        name = r"$\tanh x$" if n == 0 else f"$T^{{{n}}}[\\tanh]$, $m = {2**n}$"
        left.plot(data["x"], curve, color=colour, linestyle=line, label=name)
    left.plot(data["x"], data["fixed"], "k--", linewidth=1.2, label=r"$f^*(x) = x\,(1 + \frac{2}{3} x^2)^{-1/2}$")
    left.set(xlabel="$x$", ylabel=r"$\alpha^n f^{2^n}(x/\alpha^n)$", ylim=(0, 1.22))
    left.legend(loc="lower right")
    steps = np.arange(data["distance"].shape[1])
    for i, (name, row) in enumerate(zip(NAMES, data["distance"], strict=True)):
        label = "tanh fold, $z = 2$" if name == "fold" else f"{name}, $z = 3$"
        right.plot(steps, row, "os^D"[i], color=COLOURS[i], fillstyle="none", label=label)
    right.plot(steps, data["distance"][0, 12] * 2.0 ** (12 - steps), "k-", linewidth=1, label="$2^{-n}$")
    right.plot(data["times"], data["direct"][1], "x:", color="grey", label=r"tanh, wrong $\alpha = 2^{1/3}$")
    right.set(yscale="log", xlabel="step $n$, of $2^n$ layers", ylabel=r"$\max_x\,|T^n[f] - f^*|$")
    right.legend(fontsize="small", loc="lower left")
    right.set_xticks(range(0, 21, 4))


CLAIM = Claim(
    id="functional-fixed-point",
    title="Repeated layers approach one function",
    statement=(
        "Composed with itself and rescaled by α = 2^(1/(z-1)), a critical layer x - u x^z + … approaches "
        "x (1 + (z-1) u x^(z-1))^(-1/(z-1)), for every activation at the rate 1/2 per step: x^(2z-1), the one "
        "irrelevant direction that is no change of coordinate, has the eigenvalue 1/2."
    ),
    source="our construction; the idea of renormalising over layers: Lee, Lee & Yi 2024, arXiv 2410.00396",
    standing="own",
    expected=Outcome.ASYMPTOTIC,
    caption=(
        "(a) $2^n$ critical tanh layers, rescaled, for $n = 0, 1, 2, 4$; dashed: the fixed function $f^*$. (b) "
        "Largest distance from it against the step $n$, for four activations (open symbols), with the theoretical "
        "rate $2^{-n}$ (line), and for tanh rescaled by a wrong factor (crosses). Nothing is random; there are no "
        "error bars."
    ),
    run=_run,
    judge=_judge,
    draw=_draw,
    twins=TWINS,
    derivations=("functional-fixed-point", "functional-spectrum"),
    cost=3,
)
