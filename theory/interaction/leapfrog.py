"""The leapfrog of Hamiltonian Monte Carlo: reversible, volume preserving, and nearly conservative."""

from typing import Any

import sympy as sp

from theory.derivation import Derivation, Step, equation, identity, inequality
from theory.interaction.symbols import TEXTBOOK, O, componentwise, named

q, p = sp.symbols("q p", real=True)
eps = sp.Symbol("epsilon", positive=True)


class Potential(sp.Function):
    """The k-th derivative of a smooth potential energy, `Potential(q, k)`."""

    nargs = 2

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """Return the next derivative."""
        if argindex != 1:
            raise ValueError("the order of a derivative is no variable")
        return Potential(self.args[0], self.args[1] + 1)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        tex = rf"U{chr(39) * int(self.args[1])}({printer._print(self.args[0])})"  # noqa: SLF001 - sympy's hook
        return tex if exp is None else f"{tex}^{{{exp}}}"


def step(place: sp.Expr, momentum: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """Return half a kick, a drift and half a kick."""
    half = momentum - eps / 2 * Potential(place, 1)
    moved = sp.expand(place + eps * half)
    return moved, sp.expand(half - eps / 2 * Potential(moved, 1))


def _expanded(order: int) -> tuple[sp.Expr, sp.Expr, sp.Expr, sp.Expr]:
    """Return U, U', U'' at the end of a step and its momentum, as series in the step size about q."""
    move = eps * p - eps**2 / 2 * Potential(q, 1)

    def cut(expr: sp.Expr) -> sp.Expr:
        expr = sp.expand(expr)
        return sum(expr.coeff(eps, k) * eps**k for k in range(order + 1))

    powers = [sp.S.One]
    for _ in range(order):
        powers.append(cut(powers[-1] * move))

    def taylor(derivative: int) -> sp.Expr:
        return cut(sum(Potential(q, derivative + k) * powers[k] / sp.factorial(k) for k in range(order + 1)))

    slope = taylor(1)
    return taylor(0), slope, taylor(2), cut(p - eps / 2 * (Potential(q, 1) + slope))


def _geometry() -> tuple[Step, ...]:
    there = step(q, p)
    back = step(there[0], -there[1])
    end = sp.Matrix(there)
    curve = sp.Matrix(2, 2, sp.symbols("U_11 U_12 U_12 U_22", real=True))
    eye, zero = sp.eye(2), sp.zeros(2)
    kick = sp.Matrix(sp.BlockMatrix([[eye, zero], [-eps / 2 * curve, eye]]))
    drift = sp.Matrix(sp.BlockMatrix([[eye, eps * eye], [zero, eye]]))
    return (
        identity(
            "Half a kick by the force, a drift, half a kick:",
            there[1],
            p - eps / 2 * (Potential(q, 1) + Potential(there[0], 1)),
            by=sp.expand,
            shown=equation(named("p'"), p - eps / 2 * (Potential(q, 1) + Potential(q + eps * named("p_{1/2}"), 1))),
        ),
        componentwise(
            "Turn the momentum and take the same step: it leads back, whatever the potential.",
            back,
            (q, -p),
            equation(named(r"\Psi(q', -p')"), named("(q, -p)")),
        ),
        identity(
            "The Jacobian of a step is one,",
            end.jacobian([q, p]).det(),
            sp.S.One,
            shown=equation(named(r"\det \frac{\partial (q', p')}{\partial (q, p)}"), sp.S.One),
        ),
        identity(
            "as a kick A and a drift B are shears in any number of dimensions; here two, with any matrix of second "
            "derivatives.",
            (kick * drift * kick).det(),
            sp.S.One,
            by=sp.expand,
            shown=equation(named(r"\det(A B A)"), sp.S.One),
        ),
        identity(
            "Both together make the acceptance min(1, exp(−ΔH)) balanced, and fix a mean over stationary starts at "
            "every step size: substitute the end for the start in the integral of exp(−H), here for quadratic H.",
            (_matrix().T * _matrix()).det(),
            sp.S.One,
            shown=equation(named(r"\operatorname{E}[e^{-\Delta H}]"), sp.S.One),
        ),
    )


def _matrix() -> sp.Matrix:
    """Return the linear map of one step in the potential q²/2."""
    half = sp.Matrix([[1, 0], [-eps / 2, 1]])
    return half * sp.Matrix([[1, eps], [0, 1]]) * half


def _energy() -> tuple[Step, ...]:
    value, slope, bend, momentum = _expanded(4)
    error = sp.expand(value + momentum**2 / 2 - Potential(q, 0) - p**2 / 2)
    leading = p * Potential(q, 1) * Potential(q, 2) / 4 - p**3 * Potential(q, 3) / 12
    change = momentum**2 * bend / 12 - slope**2 / 24 - p**2 * Potential(q, 2) / 12 + Potential(q, 1) ** 2 / 24
    shadow = sp.expand(error + eps**2 * change)
    return (
        identity(
            "The energy error of one step is of third order in its size: two orders cancel,",
            sum(error.coeff(eps, k) for k in range(3)),
            sp.S.Zero,
            shown=equation(named(r"\Delta H"), O(eps**3)),
        ),
        identity(
            "and the third does not.",
            error.coeff(eps, 3),
            leading,
            by=sp.expand,
            shown=equation(named(r"\Delta H"), eps**3 * leading + O(eps**4)),
        ),
        componentwise(
            "A step nearly follows a modified energy exactly: with this term of order ε² the error of one step starts "
            "at the fifth order, so the error of H over a trajectory of fixed length is of order ε².",
            [shadow.coeff(eps, k) for k in range(5)],
            [sp.S.Zero] * 5,
            equation(
                named(r"\tilde{H}"),
                named("H") + eps**2 * (p**2 * Potential(q, 2) / 12 - Potential(q, 1) ** 2 / 24) + O(eps**4),
            ),
        ),
    )


def _oscillator() -> tuple[Step, ...]:
    move = _matrix()
    end = move * sp.Matrix([q, p])
    u = sp.Symbol("u", positive=True)
    inside = {eps: 2 * u / (1 + u)}  # every step size between 0 and 2
    shadow = p**2 + (1 - eps**2 / 4) * q**2
    discriminant = 4 - move.trace() ** 2
    omega = sp.Symbol("omega", positive=True)
    return (
        identity(
            "For U = q²/2 a step is linear, and an ellipse is conserved exactly:",
            end[1] ** 2 + (1 - eps**2 / 4) * end[0] ** 2,
            shadow,
            shown=equation(named("p'^{2}") + (1 - eps**2 / 4) * named("q'^{2}"), shadow),
        ),
        identity(
            "Its eigenvalues have product one and sum",
            move.trace(),
            2 - eps**2,
            shown=equation(2 * sp.cos(named(r"\theta")), 2 - eps**2),
        ),
        inequality(
            "so they lie on the unit circle, a rotation by θ, as long as ε < 2, that is ε = 2u/(1+u) with u > 0:",
            sp.Integer(4),
            (move.trace() ** 2).subs(inside),
            16 * u**2 * (1 + 2 * u) / (1 + u) ** 4,
            shown=sp.Gt(discriminant.factor(), 0, evaluate=False),
        ),
        inequality(
            "for ε > 2, that is ε = 2+u, one of them leaves the circle and trajectories explode.",
            (move.trace() ** 2).subs(eps, 2 + u),
            sp.Integer(4),
            u * (u + 2) ** 2 * (u + 4),
            shown=sp.Gt((2 - eps**2) ** 2, 4, evaluate=False),
        ),
        identity(
            "A frequency ω only rescales time: the stiffest direction limits the step to 2/ω.",
            _kicked(omega).trace(),
            (2 - eps**2).subs(eps, eps * omega),
            shown=sp.Lt(eps, 2 / omega, evaluate=False),
        ),
    )


def _kicked(omega: sp.Symbol) -> sp.Matrix:
    half = sp.Matrix([[1, 0], [-eps * omega**2 / 2, 1]])
    return half * sp.Matrix([[1, eps], [0, 1]]) * half


def leapfrog() -> Derivation:
    """Derive reversibility, volume, energy error, the conserved shadow and the stability limit."""
    return Derivation(
        "leapfrog",
        "The leapfrog: reversible, volume preserving, nearly conservative",
        TEXTBOOK,
        "exact",
        (*_geometry(), *_energy(), *_oscillator()),
    )
