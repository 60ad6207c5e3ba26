r"""Adaptive Gauss-Kronrod quadrature of many integrals at once, for activations that are known only as functions.

Panels of all integrals form one list; in each round every panel is evaluated at 21 nodes, and those that have not
converged are halved. Halving closes in on a kink or a jump; since the activation varies on the scale one and the fields
on the scale √q, panels start at both scales.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from statnn._arguments import Floats, Ints

_HALF_NODES = (
    0.995657163025808080735527280689003, 0.973906528517171720077964012084452, 0.930157491355708226001207180059508,
    0.865063366688984510732096688423493, 0.780817726586416897063717578345042, 0.679409568299024406234327365114874,
    0.562757134668604683339000099272694, 0.433395394129247190799265943165784, 0.294392862701460198131126603103866,
    0.14887433898163121088482600112972,
)  # fmt: skip
_HALF_WEIGHTS = (
    0.011694638867371874278064396062192, 0.03255816230796472747881897245939, 0.05475589657435199603138130024458,
    0.07503967481091995276704314091619, 0.093125454583697605535065465083366, 0.109387158802297641899210590325805,
    0.123491976262065851077958109585166, 0.134709217311473325928054001771707, 0.142775938577060080797094273138717,
    0.147739104901338491374841515972068,
)  # fmt: skip
_HALF_GAUSS = (
    0.066671344308688137593568809893332, 0.149451349150580593145863397657697, 0.219086362515982043995534934228163,
    0.269266719309996355091226921569469, 0.295524224714752870173815619188769,
)  # fmt: skip
_NODES = np.array([*(-x for x in _HALF_NODES), 0.0, *reversed(_HALF_NODES)])
_KRONROD = np.array([*_HALF_WEIGHTS, 0.149445554002916905664936468389821, *reversed(_HALF_WEIGHTS)])
_GAUSS = np.zeros(21)
_GAUSS[1:21:2] = [*_HALF_GAUSS, *reversed(_HALF_GAUSS)]

END = 38.0
"""Standard deviations beyond which a Gaussian density is zero in double precision."""
ROUNDS = 48
TOLERANCE = 1e-13
TRUSTED = 1e-8
"""Relative error above which an integral is refused."""
NOISE = 1e-15
"""Rounding error of numbers of order one."""

MOST_PANELS = 200_000

Integrand = Callable[[Floats, Ints], Floats]


def integrals(
    integrand: Integrand,
    edges: Floats,
    *,
    what: str,
    tolerance: float = TOLERANCE,
    together: bool = False,
    least: Floats | None = None,
    most: int = MOST_PANELS,
    roots: tuple[int, ...] | None = None,
) -> Floats:
    """Return the integrals, shape (k, n), of `integrand` over the n intervals covered by rows of `edges`.

    Parameters
    ----------
    integrand : callable
        ``integrand(x, owner)`` with x of shape (panels, 21) and the integral each panel belongs to, shape (panels,);
        returns shape (k, panels, 21).
    edges : ndarray, shape (n, edges)
        Ends of the first panels, in order.
    what : str
        Name of the integral, for messages.
    tolerance : float
        Allowed error of a panel, relative to the integral of the modulus.
    together : bool
        Whether errors are relative to the largest of the integrals, as for parts of a single one.
    least : ndarray, shape (k,), or None
        Least size to which errors are relative, for integrals that may vanish.
    most : int
        Most panels in one round.
    roots : tuple of int, length k, or None
        For each integral, the index of the one whose root multiplies its rounding error: if φ is a difference of
        numbers of order one, φ² has the rounding error of these times φ.

    Raises
    ------
    ValueError
        If an integrand is not finite, panels become too many, or errors stay large.
    """
    low, high = edges[:, :-1].ravel(), edges[:, 1:].ravel()
    owner = np.repeat(np.arange(len(edges)), edges.shape[1] - 1)
    total: Any = None
    for _ in range(ROUNDS):
        half = (high - low) / 2
        values = integrand((low + high)[:, None] / 2 + half[:, None] * _NODES, owner)
        if not np.isfinite(values).all():
            raise ValueError(f"{what} exceeds the range of floats: take fields of smaller variance")
        fine, error = half * (values @ _KRONROD), np.abs(half * (values @ (_KRONROD - _GAUSS)))
        size = half * (np.abs(values) @ _KRONROD)
        if total is None:
            total = np.zeros((len(fine), len(edges)))
            scale, lost = total.copy(), total.copy()
        allowed = scale + _sums(size, owner, len(edges))
        if least is not None:
            allowed = np.maximum(allowed, least[:, None])
        if together:
            allowed[:] = allowed.max(axis=1, keepdims=True)
        noise = 0.0 if roots is None else NOISE * np.sqrt(allowed[list(roots)])
        done = (error <= (tolerance * allowed + noise)[:, owner]).all(axis=0)
        total += _sums(fine[:, done], owner[done], len(edges))
        scale += _sums(size[:, done], owner[done], len(edges))
        lost += _sums(error[:, done], owner[done], len(edges))
        if done.all():
            break
        low, high, owner = low[~done], high[~done], owner[~done]
        if low.size > most:
            raise ValueError(
                f"{what} does not converge with {most} panels: is the activation smooth in pieces, computed in double "
                "precision, and does it vary on no scale far below that of the fields?"
            )
        middle = (low + high) / 2
        low, high, owner = np.append(low, middle), np.append(middle, high), np.append(owner, owner)
    else:  # the remaining error is a jump in a panel of no width
        count = len(owner) // 2
        total += _sums(fine[:, ~done], owner[:count], len(edges))
        lost += _sums(error[:, ~done], owner[:count], len(edges))
    relative = lost / np.maximum(allowed + 10 * noise / TRUSTED, np.finfo(float).tiny)  # noise of some ten panels
    if (relative > TRUSTED).any():
        raise ValueError(
            f"{what} does not converge (relative error {relative.max():.1g}): is the activation continuous, and does "
            "it keep its digits at small fields, as np.expm1 does? A derivative= has more than a numerical one"
        )
    return np.asarray(total)


def _sums(values: Floats, owner: Ints, count: int) -> Floats:
    return np.stack([np.bincount(owner, row, count) for row in values])


def gaussian_edges(deviation: Floats, middle: Floats | float = 0.0) -> Floats:
    """Return edges of the first panels in standard deviations, shape (n, edges), for fields of given deviations.

    They include the scale of the activation, fields of order one; `middle` is where the field is zero.
    """
    fixed = np.array([0.5, 1.0, 2.0, 4.0, 7.0, 12.0, END])
    own = np.array([0.25, 1.0, 4.0, 16.0]) / np.maximum(deviation, 1e-12)[:, None]
    centre = np.broadcast_to(np.reshape(middle, (-1, 1)), (len(deviation), 1))
    around = np.concatenate([centre - own, centre, centre + own], axis=1)
    return with_edges(np.broadcast_to(np.append(-fixed, fixed), (len(deviation), 2 * fixed.size)), around)


def with_edges(edges: Floats, more: Floats) -> Floats:
    """Return rows of edges with `more`, shape (n, more), merged in order."""
    return np.sort(np.concatenate([edges, np.clip(more, -END, END)], axis=1), axis=1)
