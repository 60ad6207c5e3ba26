"""Linear layers with Gaussian noise: composition, fixed points, correlation length."""

import sympy as sp

from theory.derivation import Derivation, Step, equation, identity
from theory.interaction.symbols import componentwise, matrix, named, vector

OWN = "this project, for the idea of Lee, Lee & Yi 2024, arXiv 2410.00396"

w, bias = sp.symbols("w a", real=True)
noise = sp.Symbol("s", positive=True)
block, m, n = sp.symbols("b m n", integer=True, positive=True)
Layer = tuple[sp.Expr, sp.Expr, sp.Expr]
WEIGHT, BIAS, NOISE = w**block, bias * (1 - w**block) / (1 - w), noise * (1 - w ** (2 * block)) / (1 - w**2)
"""Weight, bias and variance of a block of b layers of width one, w not ±1."""


def compose(first: tuple[sp.Matrix, ...], second: tuple[sp.Matrix, ...]) -> tuple[sp.Matrix, ...]:
    """Return weight, bias and covariance of two layers, the first acting first."""
    (w1, b1, s1), (w2, b2, s2) = first, second
    return w2 * w1, w2 * b1 + b2, w2 * s1 * w2.T + s2


def _integral() -> tuple[Step, ...]:
    h, x, y = sp.symbols("h x y", real=True)
    w1, w2, b1, b2 = sp.symbols("w_1 w_2 b_1 b_2", real=True)
    s1, s2 = sp.symbols("s_1 s_2", positive=True)
    total = s2 + w2**2 * s1
    middle, spread = w1 * h + b1, s1 * s2 / total
    centre = middle + s1 * w2 / total * (y - w2 * middle - b2)
    return (
        identity(
            "Two Gaussian laws in a row: the exponent is a square in the activity x between the layers and one that is "
            "left when x is integrated over,",
            (y - w2 * x - b2) ** 2 / s2 + (x - middle) ** 2 / s1,
            (x - centre) ** 2 / spread + (y - w2 * middle - b2) ** 2 / total,
            shown=equation(
                (y - w2 * x - b2) ** 2 / s2 + (x - w1 * h - b1) ** 2 / s1,
                (x - named("c")) ** 2 / named("v") + (y - w2 * w1 * h - w2 * b1 - b2) ** 2 / named("S"),
            ),
        ),
        identity(
            "and the widths match: what is left is normalised.",
            s1 * s2,
            spread * total,
            shown=equation(named("v S"), s1 * s2),
        ),
    )


def _matrices() -> tuple[Step, ...]:
    layers = []
    for k in (1, 2, 3):
        root = matrix(f"r{k}", 2, 2)
        layers.append((matrix(f"w{k}", 2, 2), vector(f"b{k}", 2), root * root.T))
    one, two, three = layers
    left, right = compose(compose(one, two), three), compose(one, compose(two, three))
    W1, W2, S1, S2, B1, B2 = (sp.Symbol(x, commutative=False) for x in ("W_1", "W_2", "S_1", "S_2", "b_1", "b_2"))
    noise_in, noise_out = vector("xi", 2), vector("zeta", 2)
    h = vector("h", 2)
    inner = two[0] * (one[0] * h + one[1] + noise_in) + two[1] + noise_out
    whole = compose(one, two)
    return (
        componentwise(
            "In any width the second layer acts on the first; checked for width two.",
            inner,
            whole[0] * h + whole[1] + two[0] * noise_in + noise_out,
            equation(named("W"), W2 * W1),
        ),
        componentwise(
            "So biases and covariances of the noise follow,",
            whole[2],
            two[0] * one[2] * two[0].T + two[2],
            equation(named("S"), W2 * S1 * sp.Symbol("W_2^{T}", commutative=False) + S2),
        ),
        componentwise(
            "and composition is associative: layers form a semigroup; checked for three layers of width two.",
            [entry for part in left for entry in part],
            [entry for part in right for entry in part],
            equation(named("b"), W2 * B1 + B2),
        ),
    )


def _scalar() -> tuple[Step, ...]:
    xi = sp.Function("xi")
    after = {size: [part.subs(block, size) for part in (WEIGHT, BIAS, NOISE)] for size in (m, n, m + n)}
    glued = compose(*(tuple(sp.Matrix([[part]]) for part in after[size]) for size in (m, n)))
    fixed = noise / (1 - w**2)
    return (
        componentwise(
            "Two layers of width one:",
            [part.subs(block, 2) for part in (WEIGHT, BIAS, NOISE)],
            [w**2, (1 + w) * bias, (1 + w**2) * noise],
            equation(named("(w', a', s')"), named(r"(w^{2}, (1 + w) a, (1 + w^{2}) s)")),
            by=sp.cancel,
        ),
        componentwise(
            "A block of b layers: its parameters are a semigroup in b.",
            [part[0, 0] for part in glued],
            after[m + n],
            equation(named("(w_{b}, s_{b})"), named(r"(w^{b}, s (1 - w^{2 b})/(1 - w^{2}))")),
            by=lambda gap: sp.simplify(sp.expand(gap, power_exp=True)),
        ),
        identity(
            "Along the flow the stationary variance stays: flow lines in the plane of weight and noise,",
            NOISE / (1 - WEIGHT**2),
            fixed,
            shown=equation(named("s_{b} / (1 - w_{b}^{2})"), fixed),
        ),
        identity(
            "since it is the variance that one layer leaves as it is.",
            w**2 * fixed + noise,
            fixed,
            shown=equation(w**2 * named("C") + noise, named("C")),
        ),
        identity(
            "Around w = 1 the eigenvalue of the weight is b, so that y = 1;",
            sp.diff(WEIGHT, w).subs(w, 1),
            block,
            shown=equation(sp.Derivative(w**block, w), block),
        ),
        identity(
            "those of bias and noise, in the limit w → 1, are b as well.",
            sp.limit(NOISE.subs(block, 5) / noise, w, 1) - sp.limit(BIAS.subs(block, 5) / bias, w, 1) + 5,
            sp.Integer(5),
            shown=equation(sp.Limit((1 - w**block) / (1 - w), w, 1), block),
        ),
        identity(
            "A signal decays as a power of w: the correlation length of a block is that of a layer over b,",
            -1 / sp.expand_log(sp.log(sp.Symbol("w", positive=True) ** block)),
            -1 / (block * sp.log(sp.Symbol("w", positive=True))),
            shown=equation(xi(w**block), xi(w) / block),
        ),
        identity(
            "and it diverges with exponent one.",
            sp.limit(-(1 - w) / sp.log(w), w, 1),
            sp.Integer(1),
            shown=equation(sp.Limit((1 - w) * xi(w), w, 1), sp.Integer(1)),
        ),
    )


def linear_layers() -> Derivation:
    """Derive composition, semigroup, fixed points and correlation length of linear layers."""
    return Derivation(
        "linear-layers", "Linear layers with noise", OWN, "exact", (*_integral(), *_matrices(), *_scalar())
    )
