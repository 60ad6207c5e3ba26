"""Linear layers with Gaussian noise: composition, fixed points, correlation length."""

import sympy as sp

from statnn.theory.derivation import Derivation, Step, equation
from statnn.theory.notation import expected, gaussian_mean, matrix, named, vector
from statnn.theory.rg.checked import checked, matrices

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
        checked(
            "Two Gaussian laws in a row: the exponent is a square in the activity x between the layers and one that is "
            "left when x is integrated over,",
            equation(
                (y - w2 * x - b2) ** 2 / s2 + (x - w1 * h - b1) ** 2 / s1,
                (x - c) ** 2 / v + (y - w2 * w1 * h - w2 * b1 - b2) ** 2 / total,
            ),
            where,
        ),
        checked("and the widths match: what is left is normalised.", equation(v * total, s1 * s2), where),
    )


def _matrices() -> tuple[Step, ...]:
    letters = "h W_1 W_2 W_3 b_1 b_2 b_3 S_1 S_2 S_3 xi_1 xi_2 W_2^{T} W_3^{T}"
    h, W1, W2, W3, B1, B2, B3, S1, S2, S3, x1, x2, T2, T3 = symbols = sp.symbols(letters, commutative=False)
    weights, roots = ([matrix(f"{letter}{k}", 2, 2) for k in (1, 2, 3)] for letter in "wr")
    biases = [vector(f"b{k}", 2) for k in (1, 2, 3)]
    covariances = [root * root.T for root in roots]
    kicks = [root * vector(f"eta{k}", 2) for k, root in enumerate(roots[:2])]
    turned = [weight.T for weight in weights[1:]]
    meanings = (vector("h", 2), *weights, *biases, *covariances, *kicks, *turned)
    values = dict(zip(symbols, meanings, strict=True))
    together = kicks[1] + weights[1] * kicks[0]
    spread = expected(r"(W_2 \xi_1 + \xi_2)(W_2 \xi_1 + \xi_2)^{T}")
    values[spread] = (together * together.T).applyfunc(_mean)
    return (
        matrices(
            "In any width the second layer acts on the first; checked for width two.",
            equation(W2 * (W1 * h + B1 + x1) + B2 + x2, W2 * W1 * h + (W2 * B1 + B2) + (W2 * x1 + x2)),
            values,
        ),
        matrices(
            "Weights and biases of the two can be read off. The covariance of their noise is a mean over independent "
            "Gaussian ξ of covariances S,",
            equation(spread, W2 * S1 * T2 + S2),
            values,
        ),
        matrices(
            "and composition is associative, layers form a semigroup: of three layers the biases,",
            equation(W3 * (W2 * B1 + B2) + B3, (W3 * W2) * B1 + (W3 * B2 + B3)),
            values,
        ),
        matrices(
            "and the covariances; checked for width two.",
            equation(W3 * (W2 * S1 * T2 + S2) * T3 + S3, (W3 * W2) * S1 * (T2 * T3) + (W3 * S2 * T3 + S3)),
            values,
        ),
    )


def _mean(entry: sp.Expr) -> sp.Expr:
    """Return the mean over standard Gaussian numbers eta."""
    for eta in sorted((x for x in entry.free_symbols if str(x).startswith("eta")), key=str):
        entry = gaussian_mean(sp.expand(entry), eta)
    return entry


def _scalar() -> tuple[Step, ...]:
    a, s, xi = (sp.Function(name) for name in ("a", "s", "xi"))
    positive, C = sp.Symbol("w", positive=True), named("C")
    blocks = {a: lambda size: BIAS.subs(block, size), s: lambda size: NOISE.subs(block, size)}
    length = {xi: lambda of: -1 / sp.log(of)}
    units = ((BIAS, bias), (NOISE, noise))
    return (
        checked(
            "A block of b layers of width one has the weight w to the power b. One layer more adds to the bias and to "
            "the variance in turn",
            equation(
                sp.Tuple(*(part.subs(block, block + 1) / unit - part / unit for part, unit in units)),
                sp.Tuple(w**block, w ** (2 * block)),
            ),
        ),
        checked(
            "in units of one layer's. Write a(b), s(b) for these sums; one layer and two have",
            equation(sp.Tuple(a(1), s(1), a(2), s(2)), sp.Tuple(bias, noise, (1 + w) * bias, (1 + w**2) * noise)),
            blocks,
        ),
        checked(
            "and blocks of m and n layers in a row show that parameters are a semigroup in b.",
            equation(sp.Tuple(w**n * a(m) + a(n), w ** (2 * n) * s(m) + s(n)), sp.Tuple(a(m + n), s(m + n))),
            blocks,
            by=lambda gap: sp.simplify(sp.expand(gap, power_exp=True)),
        ),
        checked(
            "Along the flow the stationary variance stays: flow lines in the plane of weight and noise,",
            equation(s(block) / (1 - w ** (2 * block)), noise / (1 - w**2)),
            blocks,
        ),
        checked(
            "since C = s/(1 − w²) is the variance that one layer leaves as it is.",
            equation(w**2 * C + noise, C),
            {C: noise / (1 - w**2)},
        ),
        checked(
            "Blocks multiply a small distance of the weight from one by b, so that y = 1;",
            equation(sp.Limit((w**block - 1) / (w - 1), w, 1), block),
        ),
        checked(
            "and there bias and noise, too, are multiplied by b.",
            equation(
                sp.Tuple(sp.Limit(a(block) / bias, w, 1), sp.Limit(s(block) / noise, w, 1)), sp.Tuple(block, block)
            ),
            blocks,
        ),
        checked(
            "A signal decays as a power of w, the correlation length is ξ = −1/ln w: that of a block is that of a "
            "layer over b,",
            equation(xi(positive**block), xi(positive) / block),
            length,
            by=lambda gap: sp.simplify(sp.expand_log(gap)),
        ),
        checked(
            "and it diverges with exponent one.",
            equation(sp.Limit((1 - positive) * xi(positive), positive, 1), sp.Integer(1)),
            length,
        ),
    )


def linear_layers() -> Derivation:
    """Derive composition, semigroup, fixed points and correlation length of linear layers."""
    return Derivation(
        "linear-layers", "Linear layers with noise", OWN, "exact", (*_integral(), *_matrices(), *_scalar())
    )
