"""The leapfrog of Hamiltonian Monte Carlo: reversible, volume preserving, and nearly conservative."""

from __future__ import annotations

import sympy as sp

from statnn.theory.derivation import Derivation, Step, definition, identity, inequality, instance, series
from statnn.theory.notation import TEXTBOOK, O, Sigma, expected, named
from statnn.theory.step import taylor

q, p = sp.symbols("q p", real=True)
eps = sp.Symbol("epsilon", positive=True)


class Potential(Sigma):
    """The k-th derivative of a smooth potential energy, `Potential(q, k)`."""

    tex = "U"


def step(place: sp.Expr, momentum: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """Return half a kick, a drift and half a kick."""
    half = momentum - eps / 2 * Potential(place, 1)
    moved = sp.expand(place + eps * half)
    return moved, sp.expand(half - eps / 2 * Potential(moved, 1))


def _energy_of(place: sp.Expr, momentum: sp.Expr) -> sp.Expr:
    return Potential(place, 0) + momentum**2 / 2


def _shadow(place: sp.Expr, momentum: sp.Expr, energy: sp.Expr) -> sp.Expr:
    """Return the modified energy, which a step conserves to the fourth order, from the energy."""
    return energy + eps**2 * (momentum**2 * Potential(place, 2) / 12 - Potential(place, 1) ** 2 / 24)


def _taylor(expr: sp.Expr) -> sp.Expr:
    """Return the first terms of a series in the step size."""
    return taylor(expr, eps, 5)


def _geometry() -> tuple[Step, ...]:
    there = step(q, p)
    place, momentum, shears = named("q'"), named("p'"), named(r"\det(A B A)")
    half, jacobian = named("p_{1/2}"), named(r"\det \frac{\partial (q', p')}{\partial (q, p)}")
    slopes = [entry.diff(by) for entry in there for by in (q, p)]
    curve = sp.Matrix(2, 2, sp.symbols("U_11 U_12 U_12 U_22", real=True))
    eye, zero = sp.eye(2), sp.zeros(2)
    kick = sp.Matrix(sp.BlockMatrix([[eye, zero], [-eps / 2 * curve, eye]]))
    drift = sp.Matrix(sp.BlockMatrix([[eye, eps * eye], [zero, eye]]))
    return (
        identity(
            "Half a kick by the force, a drift, half a kick:",
            momentum,
            p - eps / 2 * (Potential(q, 1) + Potential(q + eps * half, 1)),
            where={momentum: there[1], half: p - eps / 2 * Potential(q, 1)},
            by=sp.expand,
        ),
        identity(
            "Reverse the momentum and take the same step: whatever the potential, it leads back to the starting place,",
            place + eps * (-momentum - eps / 2 * Potential(place, 1)),
            q,
            where={place: there[0], momentum: there[1]},
            by=sp.expand,
        ),
        identity(
            "and to the starting momentum, reversed.",
            -momentum - eps / 2 * (Potential(place, 1) + Potential(q, 1)),
            -p,
            where={place: there[0], momentum: there[1]},
            by=sp.expand,
        ),
        identity(
            "The Jacobian of a step is one,",
            jacobian,
            sp.S.One,
            where={jacobian: slopes[0] * slopes[3] - slopes[1] * slopes[2]},
        ),
        instance(
            "as a kick A and a drift B are shears in any number of dimensions; here in two, with any matrix of "
            "second derivatives.",
            shears,
            sp.S.One,
            cases=[{shears: (kick * drift * kick).det()}],
        ),
        instance(
            "Both properties together make the acceptance min(1, exp(−ΔH)) balanced, and fix the mean of exp(−ΔH) "
            "over stationary starts at every step size: substitute the end for the start in the integral of exp(−H), "
            "here for quadratic H.",
            expected(r"e^{-\Delta H}"),
            sp.S.One,
            cases=[{expected(r"e^{-\Delta H}"): _weight_of_ends()}],
            domain={eps: (0, 2)},
            by=sp.simplify,
        ),
    )


def _matrix() -> sp.Matrix:
    """Return the linear map of one step in the potential q²/2."""
    half = sp.Matrix([[1, 0], [-eps / 2, 1]])
    return half * sp.Matrix([[1, eps], [0, 1]]) * half


def _weight_of_ends() -> sp.Expr:
    """Return the integral of exp(-H(end))/(2π) over all starts, first over the momentum, by completing squares."""
    place, momentum = _matrix() * sp.Matrix([q, p])
    energy = sp.Poly(sp.expand(place**2 + momentum**2) / 2, p)
    second, first, rest = energy.all_coeffs()
    left = sp.cancel(sp.expand(rest - first**2 / (4 * second)) / q**2)
    return sp.sqrt(sp.pi / second) * sp.sqrt(sp.pi / left) / (2 * sp.pi)


def _energy() -> tuple[Step, ...]:
    there, gain, modified = step(q, p), named(r"\Delta H"), named(r"\tilde{H}")
    leading = p * Potential(q, 1) * Potential(q, 2) / 4 - p**3 * Potential(q, 3) / 12
    error = {gain: _energy_of(*there) - _energy_of(q, p)}
    after, energy = named(r"\tilde{H}'"), named("H")
    shadow = _shadow(q, p, energy)
    return (
        series(
            "The energy error of one step is of third order in its size: two orders cancel,",
            gain,
            O(eps**3),
            (eps, 0),
            where=error,
            by=_taylor,
        ),
        series("and the third does not.", gain, eps**3 * leading + O(eps**4), (eps, 0), where=error, by=_taylor),
        definition(
            "A step conserves a modified energy much better, one with an additional term of order ε²:",
            modified,
            shadow,
        ),
        series(
            "its error in one step starts at the fifth order, so the error of H over a trajectory of fixed length is "
            "of order ε².",
            after - modified,
            O(eps**5),
            (eps, 0),
            where={after: _shadow(*there, _energy_of(*there)), modified: shadow, energy: _energy_of(q, p)},
            by=_taylor,
        ),
    )


def _oscillator() -> tuple[Step, ...]:
    end = _matrix() * sp.Matrix([q, p])
    u, omega = sp.symbols("u omega", positive=True)
    place, momentum, theta = named("q'^{2}"), named("p'^{2}"), named(r"\theta")
    moved, kicked = sp.Function("q'"), sp.Function("p'")

    def turned(statement: str, step: sp.Matrix, frequency: sp.Expr) -> Step:
        """Return the derivation step that the trace of a linear leapfrog step is twice a cosine."""
        ends = step * sp.Matrix([q, p])
        return identity(
            statement,
            sp.Derivative(moved(q), q) + sp.Derivative(kicked(p), p),
            2 * sp.cos(theta),
            where={moved(q): ends[0], kicked(p): ends[1], theta: sp.acos(1 - (eps * frequency) ** 2 / 2)},
        )

    return (
        identity(
            "For U = q²/2 a step is linear, and an ellipse is conserved exactly:",
            momentum + (1 - eps**2 / 4) * place,
            p**2 + (1 - eps**2 / 4) * q**2,
            where={place: end[0] ** 2, momentum: end[1] ** 2},
        ),
        turned("The eigenvalues of a step have product one and add up to its trace, 2 − ε²,", _matrix(), sp.S.One),
        inequality(
            "so they lie on the unit circle, a rotation by θ, as long as ε < 2, that is ε = 2u/(1+u) with u > 0:",
            sp.Integer(4),
            (2 - eps**2) ** 2,
            16 * u**2 * (1 + 2 * u) / (1 + u) ** 4,
            written=">",
            where={eps: 2 * u / (1 + u)},
        ),
        inequality(
            "for ε > 2, that is ε = 2+u, one of them leaves the circle and trajectories explode.",
            (2 - eps**2) ** 2,
            sp.Integer(4),
            u * (u + 2) ** 2 * (u + 4),
            written=">",
            where={eps: 2 + u},
        ),
        turned(
            "A frequency ω only rescales time: the stiffest direction limits the step to 2/ω.", _kicked(omega), omega
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
        assumes=("the potential is smooth",),
        uses=("metropolis",),
    )
