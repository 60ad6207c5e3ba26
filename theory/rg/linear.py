"""Linear layers with Gaussian noise: composition, fixed points, correlation length."""

from __future__ import annotations

import sympy as sp

from statnn.theory.derivation import Derivation, Step, identity, limit
from statnn.theory.notation import named

OWN = "this project, for the idea of Lee, Lee & Yi 2024, arXiv 2410.00396"

w, bias = sp.symbols("w a", real=True)
noise = sp.Symbol("s", positive=True)
block, m, n = sp.symbols("b m n", integer=True, positive=True)
WEIGHT, BIAS, NOISE = w**block, bias * (1 - w**block) / (1 - w), noise * (1 - w ** (2 * block)) / (1 - w**2)
"""Weight, bias and variance of a block of b layers of width one, w not ±1."""


def _integral() -> tuple[Step, ...]:
    h, x, y = sp.symbols("h x y", real=True)
    w1, w2, b1, b2 = sp.symbols("w_1 w_2 b_1 b_2", real=True)
    s1, s2 = sp.symbols("s_1 s_2", positive=True)
    total = s2 + w2**2 * s1
    middle, spread = w1 * h + b1, s1 * s2 / total
    c, v = named("c"), named("v")
    where = {c: middle + s1 * w2 / total * (y - w2 * middle - b2), v: spread}
    return (
        identity(
            "Take two Gaussian laws in a row: the exponent is a square in the activity x between the layers plus one "
            "that is left when x is integrated over,",
            (y - w2 * x - b2) ** 2 / s2 + (x - w1 * h - b1) ** 2 / s1,
            (x - c) ** 2 / v + (y - w2 * w1 * h - w2 * b1 - b2) ** 2 / total,
            where=where,
        ),
        identity(
            "and that integral, √(2πv), turns the two normalisations into that of the square that is left.",
            sp.sqrt(2 * sp.pi * v) / (sp.sqrt(2 * sp.pi * s1) * sp.sqrt(2 * sp.pi * s2)),
            1 / sp.sqrt(2 * sp.pi * total),
            where={v: spread},
        ),
    )


def _matrices() -> tuple[Step, ...]:
    letters = r"h W_1 W_2 W_3 b_1 b_2 b_3 S_1 S_2 S_3 xi_1 xi_2 \xi_1^{T} \xi_2^{T} W_2^{T} W_3^{T}"
    h, W1, W2, W3, B1, B2, B3, S1, S2, S3, x1, x2, t1, t2, T2, T3 = sp.symbols(letters, commutative=False)
    tex = r"\operatorname{E}[\xi_%d \xi_%d^{T}]"
    means = E11, E12, E21, E22 = [sp.Symbol(tex % (i, j), commutative=False) for i in (1, 2) for j in (1, 2)]
    return (
        identity(
            "In any width the second layer acts on the first.",
            W2 * (W1 * h + B1 + x1) + B2 + x2,
            W2 * W1 * h + (W2 * B1 + B2) + (W2 * x1 + x2),
            by=sp.expand,
        ),
        identity(
            "The weights and biases of the two together can be read off. The square of their noise has the terms",
            (W2 * x1 + x2) * (t1 * T2 + t2),
            W2 * (x1 * t1) * T2 + W2 * (x1 * t2) + (x2 * t1) * T2 + x2 * t2,
            by=sp.expand,
        ),
        identity(
            "and its mean is the covariance, in which two of them are left when the ξ are independent, of "
            "covariances S.",
            W2 * E11 * T2 + W2 * E12 + E21 * T2 + E22,
            W2 * S1 * T2 + S2,
            where=dict(zip(means, (S1, 0, 0, S2), strict=True)),
            by=sp.expand,
        ),
        identity(
            "Composition is associative, so layers form a semigroup: for three layers the biases",
            W3 * (W2 * B1 + B2) + B3,
            (W3 * W2) * B1 + (W3 * B2 + B3),
            by=sp.expand,
        ),
        identity(
            "and the covariances agree.",
            W3 * (W2 * S1 * T2 + S2) * T3 + S3,
            (W3 * W2) * S1 * (T2 * T3) + (W3 * S2 * T3 + S3),
            by=sp.expand,
        ),
    )


def _blocks() -> tuple[Step, ...]:
    a, s = sp.Function("a"), sp.Function("s")
    blocks = {a(block): BIAS, s(block): NOISE}
    return (
        identity(
            "A block of b layers of width one has the weight wᵇ. One more layer adds to the bias a(b),",
            a(block + 1) - a(block),
            bias * w**block,
            where=blocks,
        ),
        identity("and to the variance s(b),", s(block + 1) - s(block), noise * w ** (2 * block), where=blocks),
        identity("which start from those of one layer: the bias", a(1), bias, where=blocks),
        identity("and the variance.", s(1), noise, where=blocks),
        identity("Two layers have the bias", a(2), (1 + w) * bias, where=blocks),
        identity("and the variance", s(2), (1 + w**2) * noise, where=blocks),
        identity(
            "Blocks of m and n layers in a row show that biases form a semigroup in b,",
            w**n * a(m) + a(n),
            a(m + n),
            where=blocks,
            by=_by_powers,
        ),
        identity("and so do variances.", w ** (2 * n) * s(m) + s(n), s(m + n), where=blocks, by=_by_powers),
        identity(
            "Along the flow the stationary variance is constant, which gives the flow lines in the plane of weight "
            "and noise,",
            s(block) / (1 - w ** (2 * block)),
            noise / (1 - w**2),
            where=blocks,
        ),
    )


def _by_powers(gap: sp.Expr) -> sp.Expr:
    return sp.simplify(sp.expand(gap, power_exp=True))


def _critical() -> tuple[Step, ...]:
    a, s, xi = (sp.Function(name) for name in ("a", "s", "xi"))
    positive, C = sp.Symbol("w", positive=True), named("C")
    blocks = {a(block): BIAS, s(block): NOISE}
    length = {xi(positive): -1 / sp.log(positive)}
    return (
        identity(
            "since C = s/(1 − w²) is the variance that one layer leaves as it is.",
            w**2 * C + noise,
            C,
            where={C: noise / (1 - w**2)},
        ),
        limit(
            "Blocks multiply a small distance of the weight from one by b, so that y = 1;",
            sp.Limit((w**block - 1) / (w - 1), w, 1),
            block,
        ),
        limit("there the bias, too, is multiplied by b,", sp.Limit(a(block) / bias, w, 1), block, where=blocks),
        limit("and so is the noise.", sp.Limit(s(block) / noise, w, 1), block, where=blocks),
        identity(
            "A signal decays as a power of w, with the correlation length ξ = −1/ln w: that of a block is that of a "
            "layer over b,",
            xi(positive**block),
            xi(positive) / block,
            where=length,
            by=lambda gap: sp.simplify(sp.expand_log(gap)),
        ),
        limit(
            "and it diverges with exponent one.",
            sp.Limit((1 - positive) * xi(positive), positive, 1, "-"),
            1,
            where=length,
        ),
    )


def linear_layers() -> Derivation:
    """Derive composition, semigroup, fixed points and correlation length of linear layers."""
    return Derivation(
        "linear-layers",
        "Linear layers with noise",
        OWN,
        "exact",
        (*_integral(), *_matrices(), *_blocks(), *_critical()),
        assumes=(
            "noise is Gaussian and independent from layer to layer",
            "w is not 1 or −1, where sums of powers are limits",
            "for stationary laws |w| < 1, for the correlation length 0 < w < 1",
        ),
    )
