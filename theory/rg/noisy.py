"""Two noisy layers as one, projected on the family and rescaled, to the order that decides at criticality."""

import sympy as sp

from statnn.theory.derivation import Derivation, equation
from statnn.theory.notation import named
from statnn.theory.rg.checked import checked
from statnn.theory.rg.linear import OWN

w, x, noise = sp.symbols("w x epsilon", positive=True)


def noisy_doubling() -> Derivation:
    """Derive the flow of weight and noise of tanh layers for small activity."""
    height, inner = w / sp.sqrt(1 + w**2), w * sp.sqrt(1 + w**2)
    O, A = sp.Function("O"), named("A")
    scaled = noise * sp.sqrt(1 + w**2) / height
    return Derivation(
        "noisy-doubling",
        "Two noisy layers as one",
        OWN,
        "own",
        (
            checked(
                "Two layers tanh(wx) are fitted by A tanh(vx): slope and cubic term determine both,",
                equation(sp.tanh(w * sp.tanh(w * x)), height * sp.tanh(inner * x) + O(x**5)),
                {O: lambda _: sp.S.Zero},
                by=lambda gap: sp.simplify(sp.series(gap, x, 0, 5).removeO()),
            ),
            checked(
                "and in units of A the layer is one of the family again: the weight, A times v, is squared,",
                equation(A * inner, w**2),
                {A: height},
            ),
            checked(
                "the deviation of the noise, which the second layer hands on, is divided by A;",
                equation(noise * sp.sqrt(1 + w**2) / A, noise * (1 + w**2) / w),
                {A: height},
            ),
            checked("the unit at w = 1 is the root of two,", equation(sp.Limit(1 / height, w, 1), sp.sqrt(2))),
            checked(
                "where the distance from criticality doubles,",
                equation(sp.Limit((height * inner - 1) / (w - 1), w, 1), sp.Integer(2)),
            ),
            checked(
                "and so does the deviation of the noise; its variance has the eigenvalue four.",
                equation(sp.Limit(scaled, w, 1), 2 * noise),
            ),
        ),
    )
