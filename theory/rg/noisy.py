"""Two noisy layers as one, projected on the family and rescaled, to the order that decides at criticality."""

import sympy as sp

from theory.derivation import Derivation, equation, identity
from theory.interaction.symbols import named
from theory.rg.linear import OWN

w, x, noise = sp.symbols("w x epsilon", positive=True)


def noisy_doubling() -> Derivation:
    """Derive the flow of weight and noise of tanh layers for small activity."""
    twice = sp.series(sp.tanh(w * sp.tanh(w * x)), x, 0, 5).removeO()
    height, inner = w / sp.sqrt(1 + w**2), w * sp.sqrt(1 + w**2)
    fit = sp.series(height * sp.tanh(inner * x), x, 0, 5).removeO()
    noise_out = noise * sp.sqrt(1 + w**2)
    scaled = noise_out / height
    A, v = named("A"), named("v")
    return Derivation(
        "noisy-doubling",
        "Two noisy layers as one",
        OWN,
        "own",
        (
            identity(
                "Two layers tanh(wx) are fitted by A tanh(vx): slope and cubic term determine both,",
                twice,
                fit,
                by=lambda gap: sp.simplify(sp.expand(gap)),
                shown=equation(A * sp.tanh(v * x), w / sp.sqrt(1 + w**2) * sp.tanh(w * sp.sqrt(1 + w**2) * x)),
            ),
            identity(
                "and in units of A the layer is one of the family again: the weight is squared,",
                height * inner,
                w**2,
                shown=equation(named("w'"), w**2),
            ),
            identity(
                "the deviation of the noise, which the second layer hands on, is divided by A;",
                scaled,
                noise * (1 + w**2) / w,
                shown=equation(named(r"\epsilon'"), noise * (1 + w**2) / w),
            ),
            identity(
                "the unit at w = 1 is the root of two,",
                1 / height.subs(w, 1),
                sp.sqrt(2),
                shown=equation(1 / A, sp.sqrt(2)),
            ),
            identity(
                "where the distance from criticality doubles,",
                sp.diff(height * inner, w).subs(w, 1),
                sp.Integer(2),
                by=sp.simplify,
                shown=equation(named(r"\partial w' / \partial w"), sp.Integer(2)),
            ),
            identity(
                "and so does the deviation of the noise; its variance has the eigenvalue four.",
                sp.diff(scaled, noise).subs(w, 1),
                sp.Integer(2),
                shown=equation(named(r"\partial \epsilon' / \partial \epsilon"), sp.Integer(2)),
            ),
        ),
    )
