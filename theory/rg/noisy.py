"""Two noisy layers as one, projected onto the family and rescaled, to the order that matters at criticality."""

from __future__ import annotations

import sympy as sp

from statnn.theory.derivation import Derivation, identity, limit, series
from statnn.theory.notation import O, named
from statnn.theory.rg.linear import OWN

w, x, noise = sp.symbols("w x epsilon", positive=True)


def noisy_doubling() -> Derivation:
    """Derive the flow of weight and noise of tanh layers for small activity."""
    A, v = named("A"), named("v")
    fit = {A: w / sp.sqrt(1 + w**2), v: w * sp.sqrt(1 + w**2)}
    return Derivation(
        "noisy-doubling",
        "Two noisy layers as one",
        OWN,
        "own",
        (
            series(
                "Two layers tanh(wx) are fitted by A tanh(vx): slope and cubic term determine both,",
                sp.tanh(w * sp.tanh(w * x)),
                A * sp.tanh(v * x) + O(x**5),
                (x, 0),
                where=fit,
            ),
            identity(
                "and in units of A the layer is one of the family again: the weight, A times v, is squared,",
                A * v,
                w**2,
                where=fit,
            ),
            identity(
                "the standard deviation of the noise of both layers, the first handed on by the second, is divided "
                "by A;",
                noise * sp.sqrt(1 + w**2) / A,
                noise * (1 + w**2) / w,
                where=fit,
            ),
            limit("the unit 1/A at w = 1 is the root of two,", sp.Limit(1 / A, w, 1), sp.sqrt(2), where=fit),
            limit(
                "where the distance from criticality doubles,",
                sp.Limit((A * v - 1) / (w - 1), w, 1),
                2,
                where=fit,
            ),
            limit(
                "and so does the standard deviation of the noise; its variance has the eigenvalue four.",
                sp.Limit(noise * sp.sqrt(1 + w**2) / A, w, 1),
                2 * noise,
                where=fit,
            ),
        ),
        assumes=(
            "two layers are projected on the family by their slope and their cubic term, and the noise by its variance",
        ),
    )
