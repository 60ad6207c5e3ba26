r"""Gaussian averages of activations in closed form.

With Gaussian fields x, y of variance q and correlation c = 1-e:

.. math:: M = E\,σ(x)^2, \quad M' = dM/dq, \quad M'' = d^2M/dq^2, \quad F = E\,σ(x)^4, \quad D = E\,σ'(x)^2,
          \quad G = \tfrac12 E[σ(x)-σ(y)]^2 = M - E\,σ(x)σ(y), \quad S = E\,σ'(x)σ'(y),

each written so that it keeps its digits as e → 0 and as q → 0: lines (Cho & Saul 2009), erf (Williams 1997), sign
(Price 1958), sine (the characteristic function of x ± y), gelu (Tsuchida et al. 2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from statnn._arguments import Floats


class Moments(NamedTuple):
    """Averages over one field, each of the shape of q: M = E σ², its slope M' in q, and D = E σ'²."""

    square: Floats
    slope: Floats
    square_of_slope: Floats


class ClosedForms(Protocol):
    """What is known of an activation in closed form; q and e are vectors of one length."""

    def moments(self, q: Floats) -> Moments:
        """Return M, M' and D."""

    def bend(self, q: Floats) -> Floats:
        """Return M''."""

    def fourth(self, q: Floats) -> Floats | None:
        """Return F, or None where it has no closed form."""

    def pair_moments(self, e: Floats, q: Floats) -> tuple[Floats, Floats]:
        """Return G and S."""


def _angle(e: Floats) -> Floats:
    """Return acos(1-e), with all digits of e and of 2-e."""
    return 2 * np.arctan2(np.sqrt(e), np.sqrt(2 - e))


@dataclass(frozen=True)
class OfLines:
    """Slopes `below` and `above` zero: σ = (above+below)/2 h + (above-below)/2 times the modulus of h."""

    below: float
    above: float = 1.0

    def moments(self, q: Floats) -> Moments:
        share = np.full_like(q, (self.above**2 + self.below**2) / 2)
        return Moments(share * q, share, share)

    def bend(self, q: Floats) -> Floats:
        return np.zeros_like(q)

    def fourth(self, q: Floats) -> Floats:
        return 1.5 * (np.float64(self.above) ** 4 + np.float64(self.below) ** 4) * q * q

    def pair_moments(self, e: Floats, q: Floats) -> tuple[Floats, Floats]:
        odd, even = ((self.above + self.below) / 2) ** 2, ((self.above - self.below) / 2) ** 2
        angle = _angle(e)
        bent = np.where(
            angle < 0.03,
            angle**3 / 3 - angle**5 / 30 + angle**7 / 840,
            np.sin(angle) - angle * np.cos(angle),
        )
        return q * (odd * e + even * (e - 2 / np.pi * bent)), odd + even * (1 - 2 * angle / np.pi)


@dataclass(frozen=True)
class OfErf:
    """The error function."""

    def moments(self, q: Floats) -> Moments:
        root = np.sqrt(1 + 4 * q)
        slope = 4 / np.pi / root
        return Moments(2 / np.pi * np.arctan2(2 * q, root), slope / (1 + 2 * q), slope)

    def bend(self, q: Floats) -> Floats:
        inner, outer = 1 + 2 * q, 1 + 4 * q
        result: Floats = -8 / np.pi * (inner**-2 * outer**-0.5 + outer**-1.5 / inner)
        return result

    def fourth(self, q: Floats) -> None:
        del q

    def pair_moments(self, e: Floats, q: Floats) -> tuple[Floats, Floats]:
        c = 1 - e
        size = 1 + 2 * q
        # cosines times 1 + 2q; no power of q, so that none overflows
        length, product = np.sqrt(1 + 4 * q), np.sqrt(1 + 2 * q * e) * np.sqrt(1 + 2 * q * (1 + c))
        # the sine of asin s - asin sc; what cancels for c > 0 is divided out
        close = 2 * q * e * (1 + c) / (product + np.abs(c) * length)
        sine = np.where(c > 0, close, 2 * q / size * ((product - c * length) / size))
        gap = 2 / np.pi * np.arctan2(sine, (length / size) * (product / size) + (2 * q / size) ** 2 * c)
        return gap, 4 / np.pi / product


@dataclass(frozen=True)
class OfSign:
    """The sign, whose derivative is a δ function: D is infinite."""

    def moments(self, q: Floats) -> Moments:
        return Moments(np.ones_like(q), np.zeros_like(q), np.full_like(q, np.inf))

    def bend(self, q: Floats) -> Floats:
        return np.zeros_like(q)

    def fourth(self, q: Floats) -> Floats:
        return np.ones_like(q)

    def pair_moments(self, e: Floats, q: Floats) -> tuple[Floats, Floats]:
        with np.errstate(divide="ignore"):
            return 2 / np.pi * _angle(e), 2 / np.pi / (q * np.sqrt(e * (2 - e)))


@dataclass(frozen=True)
class OfSine:
    """The sine."""

    def moments(self, q: Floats) -> Moments:
        wave = np.exp(-2 * q)
        return Moments(-np.expm1(-2 * q) / 2, wave, (1 + wave) / 2)

    def bend(self, q: Floats) -> Floats:
        return np.asarray(-2 * np.exp(-2 * q))

    def fourth(self, q: Floats) -> Floats:
        wave = np.exp(-2 * q)
        return np.asarray(np.expm1(-2 * q) ** 2 * (wave**2 + 2 * wave + 3) / 8)

    def pair_moments(self, e: Floats, q: Floats) -> tuple[Floats, Floats]:
        sum_, difference = np.exp(-q * (2 - e)), np.exp(-q * e)  # of x + y and x - y
        return -np.expm1(-q * e) * (1 + sum_) / 2, (difference + sum_) / 2


@dataclass(frozen=True)
class OfGelu:
    """h Φ(h) with the Gaussian distribution function Φ; `theory.rg.gelu` has the symbols."""

    def moments(self, q: Floats) -> Moments:
        share, by_parts, bent = self._terms(q)
        return Moments(q * share, share + by_parts * bent, share + by_parts * (1 + q) / (2 + 4 * q))

    def _terms(self, q: Floats) -> tuple[Floats, Floats, Floats]:
        """Return M/q, what integration by parts adds to E Φ² in it, and (M' - M/q) over this term."""
        r = np.sqrt(1 + 2 * q)
        by_parts = q / (1 + q) / (np.pi * r)
        share = 0.25 + np.arctan2(q, r) / (2 * np.pi) + by_parts
        return share, by_parts, 1 / (1 + q) + 1 / (2 + 4 * q)

    def bend(self, q: Floats) -> Floats:
        bent, square = self._terms(q)[2], 1 + 2 * q
        falling = q / (1 + q) / (1 + q) + q / square / square
        slope = bent * (1 + 1 / (1 + q) - q / square) - falling
        return np.asarray(slope / (1 + q) / (np.pi * np.sqrt(square)))

    def fourth(self, q: Floats) -> None:
        del q

    def pair_moments(self, e: Floats, q: Floats) -> tuple[Floats, Floats]:
        c, r, R = 1 - e, np.sqrt(1 + 2 * q), np.sqrt(1 + q * e) * np.sqrt(1 + q * (2 - e))
        angle = np.arctan2(R, -q * c)  # acos(-sc) with s = q/(1 + q)
        # asin s - asin sc; what cancels for c > 0 is divided out
        sine = np.where(c > 0, q * e * (1 + c) / (R + np.abs(c) * r), q / (1 + q) * ((R - c * r) / (1 + q)))
        turn = np.arctan2(sine, r / (1 + q) * (R / (1 + q)) + (q / (1 + q)) ** 2 * c)
        bow = np.where(turn < 0.1, _bow(turn), turn - sine)
        across = q / (1 + q) * (e * (2 - e) / R) * (2 - (1 + 3 * q) / r / (R + r))
        gap = q / (2 * np.pi) * (e * angle + bow + across + e * r / (R + r) * sine)
        return gap, (angle + q * c / R * (2 / (1 + q) + 1 / R / R)) / (2 * np.pi)


def _bow(angle: Floats) -> Floats:
    """Return angle - sin(angle) of a small angle."""
    square = angle * angle
    return angle * square / 6 * (1 - square / 20 * (1 - square / 42 * (1 - square / 72)))
