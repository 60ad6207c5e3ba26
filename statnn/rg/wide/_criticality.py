r"""The class of an activation at criticality, where signals decay by powers of depth.

Without bias and with φ(0) = 0 the variance map is V(q) = σ_w² a (q + A q^{1+p} + ...) with a = lim M/q. At σ_w² = 1/a
variances decay by powers of depth, with an exponent 1/p and an amplitude given by the first coefficient alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from statnn._arguments import Floats, positive
from statnn._notebook import Shown
from statnn.network._activation import Activation
from statnn.network._activation import activation as known
from statnn.rg.wide._averages import Averages, averages

GRID = np.geomspace(1e-24, 1e12, 36 * 8 + 1)
"""Variances among which its scale is sought, where M/q has changed by CHANGED, or by half of its largest change."""
CHANGED, NONE = 0.004, 1e-9
TINY, SHARES = 1e-10, 10.0 ** (np.arange(-8, 0) / 2)
"""Fractions of this scale at which the leading term, and the power of the next where it is first seen, are read off."""
PARTS = 1.0, 0.5, 0.25
"""Parts of the scale, of which the one with the best fit counts: a series may diverge where its terms cancel."""
UNFIT = 3e-11
"""Error of the fit, relative to the change of M/q, above which there is no such series."""
NODES, DEGREE = 24, 9
"""Nodes and degree of the fit of a series: variances up to the scale at Chebyshev's nodes."""


class CriticalityKind(StrEnum):
    """Behaviour of small variances at σ_w² E φ'² = 1 without bias."""

    HALF_STABLE = "half-stable: they decay by a power of depth, larger ones flow in"
    SCALE_INVARIANT = "scale invariant: every variance is kept"
    REPELLING = "repelling: they grow by a power of depth and leave"
    NONE = "no criticality at q = 0: activation(0) or its slope there is not what it needs"


@dataclass(frozen=True)
class Criticality(Shown):
    r"""Behaviour of signals at and near σ_w² = (1+t)/a without bias [asymptotic].

    Parameters
    ----------
    kind : CriticalityKind
        Behaviour of small variances there.
    sigma_w : float
        Critical σ_w, a^{-1/2}; inf if there is none.
    power : float
        p in V = q + A q^{1+p}: 1 for smooth functions, 1/2 with a kink at zero; 0 if there is no such term.
    coefficient : float
        A. In the half-stable case :math:`q_m → (p |A| m)^{-1/p}`.
    amplitude : float
        (p|A|)^{-1/p}, so that q_m → amplitude · m^{-1/p}; 1/2 for tanh and erf. Zero if there is no decay.
    chi_series : tuple of float
        x_1, x_2 in χ = 1 + x_1 t + x_2 t² + ... at the fixed point q* = (t/|A|)^{1/p} for t > 0; (0, 1/3) for tanh.
        Zero unless p = 1 and half-stable.

    See Also
    --------
    criticality : makes it.
    transition : the end of order, with biases.

    Examples
    --------
    >>> from statnn.rg import criticality
    >>> round(criticality("tanh").variance(100), 9)
    0.005
    """

    kind: CriticalityKind
    sigma_w: float
    power: float
    coefficient: float
    amplitude: float
    chi_series: tuple[float, float]

    def variance(self, m: int) -> float:
        """Return the leading term amplitude · m^{-1/p} of the variance after m layers at criticality.

        Parameters
        ----------
        m : int
            Layers, at least 1.

        Raises
        ------
        ValueError
            If variances do not decay by a power of depth, or m is below 1.
        """
        if self.kind is not CriticalityKind.HALF_STABLE:
            raise ValueError(f"variances do not decay by a power of depth here: {self.kind}")
        depth = positive(m, "m", why="the law is one for many layers")
        if depth < 1:
            raise ValueError(f"m = {m} must be at least 1: the law is one for many layers")
        return float(self.amplitude * depth ** (-1 / self.power))


def criticality(activation: str | Activation) -> Criticality:
    r"""Return the class of an activation at criticality, with amplitudes from the series of its variance map.

    .. math:: V(q) = σ_w^2 a\,(q + A q^{1+p} + A_2 q^{1+2p} + \dots), \qquad
              E φ'^2 = a\,(1 + B q + B_2 q^2 + \dots)

    tanh and erf: p = 1, A = -2, hence q_m → 1/(2m) and, for σ_w² = (1+t)/a with t → 0+, q* = t/2, dq'/dq = 1 - t,
    χ = 1 + t²/3. Nearby inputs separate over 1/ln χ = 3/t² layers; correlations tend to c* = 0, where
    dc'/dc = 1 - t²/6: ξ_q = 1/t and ξ_c = 6/t². relu, leaky relu and identity are homogeneous: they keep all scales.

    Parameters
    ----------
    activation : str or Activation
        φ.

    Returns
    -------
    Criticality

    Raises
    ------
    ValueError
        If M/q is not a series in powers of q or √q, as for the hard tanh, where it differs from 1 by exp(-1/2q).

    See Also
    --------
    critical_line : with biases.
    RepeatedLayer.leading_form : for single units.

    Notes
    -----
    Coefficients come from a polynomial fitted to exact averages while V/q has changed by a few per mille at most; they
    are good to about 1e-8 (A) and 1e-6 (A_2, B_2). An activation has to bend at fields between 1e-5 and 1e5: one that
    bends only beyond is taken for a line, one that bends before for a jump. Standing: [asymptotic].

    Examples
    --------
    >>> critical = criticality("tanh")
    >>> critical.kind.name, round(critical.coefficient, 5), round(critical.amplitude, 5)
    ('HALF_STABLE', -2.0, 0.5)
    """
    of = averages(known(activation))
    if of.homogeneous:
        share = float(of.moments(np.ones(1)).slope[0])
        kind = CriticalityKind.SCALE_INVARIANT if share > 0 else CriticalityKind.NONE
        return Criticality(kind, share**-0.5 if share > 0 else np.inf, 0.0, 0.0, 0.0, (0.0, 0.0))
    scale, changed = _scale(of)
    if not scale:  # M/q goes as 1/q for φ(0) ≠ 0, as q for a vanishing slope
        return Criticality(CriticalityKind.NONE, np.inf, 0.0, 0.0, 0.0, (0.0, 0.0))
    at = scale * np.append(TINY, SHARES)
    ratio = of.moments(at).square / at
    if changed < NONE:
        return Criticality(CriticalityKind.SCALE_INVARIANT, float(ratio[0] ** -0.5), 0.0, 0.0, 0.0, (0.0, 0.0))
    off = ratio[1:] / ratio[0] - 1
    k = min(int(np.searchsorted(np.abs(off), NONE)), off.size - 2)
    first, last = off[k : k + 2]
    half_powers = np.log(last / first) / np.log(SHARES[1] / SHARES[0]) * 2 if first * last > 0 else 2.0
    power = max(1, round(float(half_powers))) / 2
    missed, scale, series, slopes = min(_series(of, power, scale * part) for part in PARTS)
    if missed > UNFIT:
        raise ValueError(
            f"the variance map of activation {known(activation).name!r} is not a series of powers of q near q = 0, the "
            f"best misses {missed:.1g} of its change: kinks and jumps away from zero leave terms smaller "
            "than all powers, poles a series that diverges. At its critical "
            f"sigma_w = {ratio[0] ** -0.5:.6g} there is no amplitude and no exponent"
        )
    leading = float(series[round(power / _step(power))])  # in units of the scale
    A = leading * scale**-power
    kind = CriticalityKind.HALF_STABLE if A < 0 else CriticalityKind.REPELLING
    amplitude = float((power * abs(A)) ** (-1 / power)) if kind is CriticalityKind.HALF_STABLE else 0.0
    expansion = _chi(series, slopes) if kind is CriticalityKind.HALF_STABLE and power == 1 else (0.0, 0.0)
    return Criticality(kind, float(series[0] ** -0.5), power, A, amplitude, expansion)


def _scale(of: Averages) -> tuple[float, float]:
    """Return the scale, a variance, and the change of M/q at it; 0 if M is not as q at 0."""
    grid = GRID[of.reach >= GRID]
    mean, slope, _ = of.moments(grid)
    if not (mean[0] > 0 and abs(grid[0] * slope[0] / mean[0] - 1) < 0.01):
        return 0.0, 0.0
    changed = np.maximum.accumulate(np.abs(mean / grid / (mean[0] / grid[0]) - 1))
    last = int(np.searchsorted(changed, min(CHANGED, changed[-1] / 2)))
    return float(grid[last]), float(changed[last])


def _step(power: float) -> float:
    """Return the power of q in which M/q is a series: half powers come from kinks."""
    return 0.5 if power % 1 else 1.0


def _series(of: Averages, power: float, scale: float) -> tuple[float, float, Floats, Floats]:
    """Return a, A, A_2, ... of M/q and 1, B, B_2, ... of D/a, in steps of the power of q over its scale.

    Before them stand the error of the first series, relative to the change of M/q, and the scale.
    """
    nodes = (1 - np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES)) / 2
    q = scale * nodes ** (1 / _step(power))
    mean, _, square = of.moments(q)
    square = np.where(np.isfinite(square), square, 0.0)  # infinite if φ jumps, where there is no series
    polynomial = np.polynomial.Polynomial
    series, slopes = (
        polynomial.fit(nodes, values, DEGREE, domain=[0, 1]).convert().coef for values in (mean / q, square)
    )
    off, change = float(np.abs(polynomial(series)(nodes) - mean / q).max()), abs(float(series[1:].sum()))
    missed = off / change if change else np.inf
    return missed, scale, np.append(series[0], series[1:] / series[0]), slopes / series[0]


def _chi(series: Floats, slopes: Floats) -> tuple[float, float]:
    """Return x_1, x_2 of χ(t), by solving 1 = (1+t)(1 + A q + A_2 q²) for q(t) first."""
    A, A2, B, B2 = (float(value) for value in (series[1], series[2], slopes[1], slopes[2]))
    q1 = -1 / A
    q2 = -(A2 * q1**2 + A * q1) / A
    return 1 + B * q1, B * q2 + B2 * q1**2 + B * q1
