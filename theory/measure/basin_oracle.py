"""Radii of solvable basins and areas of Gaussian classes by mpmath: the yardstick for what is drawn at random."""

import mpmath

from statnn.theory.precision import Number, converged, exact


def _chance(log_sigma: mpmath.mpf, m: mpmath.mpf, at: mpmath.mpf) -> mpmath.mpf:
    sigma = mpmath.exp(log_sigma)
    return mpmath.ncdf((m - at) / sigma) - mpmath.ncdf((-m - at) / sigma)


def band_radius(half_width: Number, at: Number, threshold: Number = 0.5, *, digits: int = 30) -> mpmath.mpf:
    """Return σ at which |at + σz| < half_width has the chance `threshold`; |at| < half_width."""

    def solved(m: mpmath.mpf, a: mpmath.mpf, level: mpmath.mpf) -> mpmath.mpf:
        low, high = mpmath.log((m - abs(a)) / 100), mpmath.log(100 * m / min(level, 1 - level))
        for _ in range(int(3.4 * mpmath.mp.dps) + 10):
            middle = (low + high) / 2
            low, high = (middle, high) if _chance(middle, m, a) > level else (low, middle)
        return mpmath.exp((low + high) / 2)

    return converged(solved, (half_width, at, threshold), digits)


def lead(classes: int, threshold: Number = 0.5, *, digits: int = 15) -> mpmath.mpf:
    """Return t with ∫φ(z)Φ(z+t)^(classes-1)dz = threshold, above 1/classes."""
    with mpmath.workdps(digits + 10):
        level = exact(threshold)

        def missing(t: mpmath.mpf) -> mpmath.mpf:
            span = [-12, -4, 0, 4, 12]
            return mpmath.quad(lambda z: mpmath.npdf(z) * mpmath.ncdf(z + t) ** (classes - 1), span) - level

        return mpmath.findroot(missing, (mpmath.mpf(0.1), mpmath.mpf(2)), solver="anderson")


def gaussian_area(distance: Number, *, digits: int = 30) -> mpmath.mpf:
    """Return the AUC of two Gaussian classes of unit variance."""
    return converged(lambda d: mpmath.ncdf(d / mpmath.sqrt(2)), (distance,), digits)
