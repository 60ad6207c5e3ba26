r"""Critical coupling by matching two lattices: at a fixed point one more step of blocking changes nothing.

A lattice of L sites per side after m + 1 steps, and one of L/b after m steps, have the same size and differ only by one
step. At the critical coupling their operators have the same means, up to the remaining distance from the fixed point
after m steps. Away from it the means differ by

.. math:: D_α(K) = ⟨S_α^{(m+1)}⟩_L - ⟨S_α^{(m)}⟩_{L/b} ≈ (K - K_c) D'_α, \qquad
          D'_α = \mathrm{Cov}(S_α^{(m+1)}, S_0)_L - \mathrm{Cov}(S_α^{(m)}, S_0)_{L/b},

with S_0 the operator that K multiplies. So K_c = K - D/D', one step of Newton (Pawley et al. 1984).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from statnn._arguments import Floats, Ints
from statnn._by_value import ByValue
from statnn.interaction._lattice import finite_coupling
from statnn.rg.lattice._linearised import LinearisedFlow
from statnn.rg.lattice._swendsen import Moments, covariances, jackknife, joined, left_out


@dataclass(frozen=True, eq=False, repr=False)
class CriticalCoupling(ByValue):
    """Estimates of K_c from every depth of matching and every even operator.

    Parameters
    ----------
    sampled : float
        The coupling K of both samples.
    names : tuple of str
        Even operators.
    shapes : tuple of tuple of int
        Shape of the compared lattices at every depth.
    values, errors : ndarray, shape (depths, even operators)
        K_c = K - D/D' and its standard error; row m compares m steps on the small lattice with m + 1 on the large one.

    See Also
    --------
    critical_coupling : makes it.
    """

    sampled: float
    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    values: Floats
    errors: Floats

    @property
    def coupling(self) -> float:
        """K_c at the greatest depth, from the operator with the smallest error there."""
        return float(self.values[-1, self._best])

    @property
    def error(self) -> float:
        """Standard error of `coupling`; it leaves out the remaining distance from the fixed point."""
        return float(self.errors[-1, self._best])

    def __str__(self) -> str:
        lines = [f"{'K_c':<18}" + "".join(f"{name:>21}" for name in self.names)]
        for shape, row, bars in zip(self.shapes, self.values, self.errors, strict=True):
            cells = (f"{value:.6f} ± {bar:.6f}" for value, bar in zip(row, bars, strict=True))
            lines.append(f"{'on ' + 'x'.join(map(str, shape)):<18}" + "".join(f"{cell:>21}" for cell in cells))
        return "\n".join(lines)

    @property
    def _best(self) -> int:
        return int(np.argmin(self.errors[-1]))


def critical_coupling(large: LinearisedFlow, small: LinearisedFlow, coupling: Any) -> CriticalCoupling:
    r"""Return K_c from two samples at one coupling, of lattices of L and of L/b sites per side.

    Parameters
    ----------
    large, small : LinearisedFlow
        From `sample_flow` or `linearise`, with the same operators and rule; the small lattice has the shape of the
        large one after one step, and one level less.
    coupling : float
        K = J/T of both samples, which multiplies the first operator.

    Returns
    -------
    CriticalCoupling
        With `coupling`, `error`, and the table of all depths and operators.

    Raises
    ------
    TypeError, ValueError
        If the two do not fit together, the first operator is odd, or an operator responds to K equally on both
        lattices.

    See Also
    --------
    sample_flow : makes the flows to compare.

    Notes
    -----
    [asymptotic] The error of one step of Newton is of order (K - K_c)²: if the estimate is far from K, sample again
    there. Corrections to scaling fall by b^y_irrelevant with every depth. Away from any critical point the two samples
    differ as well, and an estimate far from K means nothing.

    References
    ----------
    Pawley et al. 1984.

    Examples
    --------
    >>> import numpy as np
    >>> from statnn.interaction import square_lattice
    >>> from statnn.rg import sample_flow
    >>> large, small = (
    ...     sample_flow(square_lattice(L, L, temperature=1 / 0.44), (L, L), 400, chains=16, rng=1, levels=levels)
    ...     for L, levels in ((16, 2), (8, 1))
    ... )
    >>> bool(abs(critical_coupling(large, small, 0.44).coupling - np.log1p(np.sqrt(2)) / 2) < 0.02)
    True
    """
    for flow, name in ((large, "large"), (small, "small")):
        if not isinstance(flow, LinearisedFlow):
            raise TypeError(f"{name} is a {type(flow).__name__}; pass what sample_flow or linearise return")
    K = finite_coupling(coupling)
    if large.shapes[1:] != small.shapes:
        raise ValueError(
            f"after its first step the large lattice has the shapes {large.shapes[1:]}, the small one {small.shapes}: "
            f"they must agree; take a small lattice of {large.shapes[1]}, and levels= one less"
        )
    rules = [(flow.b, flow.scheme.rule, flow.operators, flow.scheme.periodic) for flow in (large, small)]
    if rules[0] != rules[1]:
        raise ValueError(
            f"the large lattice is blocked by {large.scheme.rule!r} with b = {large.b}, the small one by "
            f"{small.scheme.rule!r} with b = {small.b}: both need one rule, one b, periodic axes alike and the same "
            "operators in one order"
        )
    if not large.operators[0].even:
        raise ValueError(
            f"the first operator, {large.operators[0].name!r}, is odd; K multiplies an even one: list it first"
        )
    kept = np.array([k for k, operator in enumerate(large.operators) if operator.even], dtype=np.int64)
    (mean_l, slope_l), (mean_s, slope_s) = _response(joined(large.sums), kept), _response(joined(small.sums), kept)
    values = K - _step(mean_l[:, 1:] - mean_s, slope_l[:, 1:] - slope_s, large.even)
    variance = np.zeros(values.shape[1:])
    other, bent = _response(left_out(large.sums), kept)
    variance += jackknife(_step(other[:, 1:] - mean_s, bent[:, 1:] - slope_s, large.even)) ** 2
    other, bent = _response(left_out(small.sums), kept)
    variance += jackknife(_step(mean_l[:, 1:] - other, slope_l[:, 1:] - bent, large.even)) ** 2
    return CriticalCoupling(K, large.even, small.shapes, values[0], np.sqrt(variance))


def _step(gaps: Floats, slopes: Floats, names: tuple[str, ...]) -> Floats:
    """Return the step of Newton, or raise if there is none."""
    if not slopes.all():
        raise ValueError(
            f"operator {names[np.argwhere(slopes == 0)[0][-1]]!r} responds to K alike on both lattices, in all draws "
            "or in all but one group: that tells no K_c. Take more draws, or a coupling nearer to it, or leave it out"
        )
    return gaps / slopes


def _response(sums: Moments, kept: Ints) -> tuple[Floats, Floats]:
    """Return means of operators at every level and their derivatives in K, each (groups, levels, operators)."""
    return sums.mean[..., kept], covariances(sums)[2][..., kept]
