"""The three laws side by side: which describes the counts best, and does any describe them well."""

from __future__ import annotations

import math
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from statnn._axes import COLOURS, LINES, axes, settled
from statnn._by_value import ByValue
from statnn._notebook import Rows
from statnn._tasks import check_executor
from statnn._text import p_alone, p_value, printed, with_error
from statnn.activation._gamma_poisson import GammaPoisson
from statnn.activation._inference.estimate import NoFiniteFitError
from statnn.activation._inference.fit import LAWS, Fit, fit
from statnn.activation._inference.likelihood import Tally, polya_urn
from statnn.activation._polya_urn import PolyaUrn

_REJECTED = 0.01
"""A p-value of fit below which a law does not describe the counts."""


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(ByValue):
    """Fits of several laws to one set of counts; made by :func:`compare`.

    Parameters
    ----------
    fits : tuple of Fit
        Laws that could be fitted, best first.
    aic : tuple of float
        Akaike's criterion given the total, in the order of ``fits``, with p = 2 for all laws; `Fit.aic` of the
        urn, for one law alone, counts its b only.
    left_out : mapping of str to str
        Laws without a finite fit, and why.

    See Also
    --------
    compare : makes it.
    Fit : the fit of one law.

    Examples
    --------
    >>> import numpy as np
    >>> from statnn.activation import compare
    >>> rng = np.random.default_rng(1)
    >>> comparison = compare(rng.binomial(50, rng.beta(2.0, 3.0, size=400)), samples=50)
    >>> ax = comparison.plot()
    """

    fits: tuple[Fit, ...]
    aic: tuple[float, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def best(self) -> Fit:
        """The fit of least AIC; look at its p-value, too: the best of three may be bad."""
        return self.fits[0]

    @property
    def weights(self) -> tuple[float, ...]:
        """Akaike's weights, which sum to one, in the order of ``fits``."""
        relative = [math.exp((self.aic[0] - value) / 2) for value in self.aic]
        return tuple(value / sum(relative) for value in relative)

    @property
    def p_values(self) -> tuple[float, ...]:
        """P-values of the tests of fit, in the order of ``fits``."""
        return tuple(fitted.p_value for fitted in self.fits)

    def _table(self) -> Rows:
        rows: list[tuple[Any, ...]] = [
            (
                type(fitted.process).__name__,
                with_error(fitted.b, fitted.b_error),
                with_error(fitted.c, fitted.c_error),
                printed(value - self.aic[0], 3),
                printed(weight, 3),
                p_alone(fitted.p_value),
            )
            for fitted, value, weight in zip(self.fits, self.aic, self.weights, strict=True)
        ]
        rows += [(law, why, None, None, None, None) for law, why in self.left_out.items()]
        rows += [(verdict, None, None, None, None, None) for verdict in self._verdict()]
        return Rows(("law", "b", "c", "ΔAIC", "weight", "p of fit"), rows)

    def _rows(self) -> list[dict[str, Any]]:
        """Return the entries of a table for each law."""
        fitted = [
            {
                "law": type(candidate.process).__name__,
                "b": candidate.b,
                "b_error": candidate.b_error,
                "c": candidate.c,
                "c_error": candidate.c_error,
                "aic": aic,
                "weight": weight,
                "p_value": candidate.p_value,
                "reason": None,
            }
            for candidate, aic, weight in zip(self.fits, self.aic, self.weights, strict=True)
        ]
        return fitted + [dict.fromkeys(fitted[0]) | {"law": law, "reason": why} for law, why in self.left_out.items()]

    def __str__(self) -> str:
        lines = [f"{'law':<14}{'b':>10}{'±':>9}{'c':>10}{'±':>9}{'ΔAIC':>10}{'weight':>8}{'p of fit':>14}"]
        for fitted, value, weight in zip(self.fits, self.aic, self.weights, strict=True):
            c_error = f"{fitted.c_error:.2g}" if fitted.c_error else "given"
            lines.append(
                f"{type(fitted.process).__name__:<14}{fitted.b:>10.4g}{fitted.b_error:>9.2g}{fitted.c:>10.4g}"
                f"{c_error:>9}{value - self.aic[0]:>10.2f}{weight:>8.3f}{p_alone(fitted.p_value):>14}"
            )
        lines += [f"{law}: no fit, {why}" for law, why in self.left_out.items()]
        return "\n".join([*lines, *self._verdict()])

    def _verdict(self) -> list[str]:
        """Return a sentence that says so if no law describes the counts."""
        best = max(self.p_values)
        if best >= _REJECTED:
            return []
        return [f"no law describes these counts ({p_value(best)} at best); weights only rank the laws"]

    def plot(self, ax: Any | None = None) -> Any:
        """Draw the counts and all fitted laws on log-log axes.

        Parameters
        ----------
        ax : matplotlib axes, optional
            New ones if None.

        Returns
        -------
        matplotlib axes
        """
        ax = self.best.plot(axes(ax))
        k = np.unique(np.round(np.geomspace(1, self.best.counts.max(), 400)))
        for fitted, colour, line in zip(self.fits[1:], COLOURS[1:], LINES[1:], strict=False):
            law = type(fitted.process).__name__
            weight = fitted.process.count(fitted.samples).pmf(k)
            ax.plot(k, weight, color=colour, ls=line, label=f"{law}, b = {fitted.b:.3g}")
        ax.legend(fontsize="small")
        return settled(ax)


def compare(
    counts: ArrayLike,
    samples: int,
    *,
    goodness: str = "chi-square",
    replicas: int = 199,
    rng: int | np.random.Generator | None = None,
    executor: Executor | None = None,
) -> Comparison:
    r"""Fit all three laws and rank them by the likelihood of the counts *given their total*.

    The urn fixes the total n = ΣD_i = cD, the two other laws do not, so only P(counts | n) is common ground:

    .. math:: \mathrm{AIC} = 2p - 2\,[\ln P(D_1,\dots,D_N) - \ln P(n)], \qquad p = 2.

    Given its total, the gamma-Poisson law *is* the urn (a negative binomial product given its sum is
    Dirichlet-multinomial): the two differ only in the law of the total, of which one data set holds one
    number. They come out equal here, up to a difference of order 1/N from how b is estimated; no weight can
    tell them apart, and which of the two stands first means nothing.

    Parameters
    ----------
    counts, samples, goodness, replicas, rng, executor
        As in :func:`fit`; counts up to ``samples``.

    Returns
    -------
    Comparison
        Its ``str`` is a table, with a last line if no law has a p-value of fit of at least 1 %.

    Raises
    ------
    ValueError, TypeError
        As :func:`fit`, if no law has a finite fit; otherwise laws without one are left out, and named.

    Warns
    -----
    RuntimeWarning
        As :func:`fit`, of each law.

    See Also
    --------
    fit : one law alone.
    statnn.measure.growth.layer : the same from recorded activations.

    Notes
    -----
    P(n) is exact for the gamma-Poisson law; for beta-Bernoulli, whose total is a sum of N independent
    counts, it is the normal density, in error by O(1/N), or O(1/bN) for small b: AIC is off by some 0.03 at bN = 10,
    0.2 at bN = 2.5. [own]

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> compared = compare(rng.binomial(50, rng.beta(2.0, 3.0, size=400)), samples=50)
    >>> type(compared.best.process).__name__, round(compared.best.b, 1)
    ('BetaBernoulli', 2.2)
    """
    check_executor(executor)
    ranked, left_out = [], {}
    for law in LAWS:
        try:
            fitted = fit(counts, samples, law=law, goodness=goodness, replicas=replicas, rng=rng, executor=executor)
        except NoFiniteFitError as error:
            left_out[law.__name__] = str(error)
        else:
            ranked.append((4.0 - 2.0 * _given_total(fitted), fitted))
    if not ranked:
        raise NoFiniteFitError("; ".join(f"{law}: {why}" for law, why in left_out.items()))
    ranked.sort(key=lambda pair: pair[0])
    aic, fits = zip(*ranked, strict=True)
    return Comparison(fits, aic, left_out)


def _given_total(fitted: Fit) -> float:
    """Return ln P(counts | n)."""
    process, tally = fitted.process, Tally.of(fitted.counts, fitted.samples)
    if isinstance(process, PolyaUrn):
        return fitted.log_likelihood
    if isinstance(process, GammaPoisson):
        return polya_urn(tally, np.array([math.log(process.b)]))[0]
    neurons, samples = process.neurons, fitted.samples
    share, both = process.c / neurons, process.b * neurons / process.c
    variance = neurons * samples * share * (1 - share) * (samples + both) / (1 + both)
    law_of_total = stats.norm(samples * process.c, math.sqrt(variance))
    return fitted.log_likelihood - float(law_of_total.logpdf(tally.total))
