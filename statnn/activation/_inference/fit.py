"""From counts to (b, c): the fit of one law, with errors, a test of fit and a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from statnn._arguments import array_of, shaped, share, whole, whole_array
from statnn._axes import COLOURS, axes, ink, logarithmic, settled
from statnn._by_value import ByValue
from statnn._notebook import Rows
from statnn._random import check_rng, root
from statnn._tasks import check_executor
from statnn._text import p_alone, p_value, with_error
from statnn._warn import warn
from statnn.activation._beta_bernoulli import BetaBernoulli
from statnn.activation._inference.estimate import (
    CONVERGED,
    LIKELIHOODS,
    Maximum,
    Process,
    covariance,
    estimate,
    process_at,
)
from statnn.activation._inference.goodness import Goodness, bootstrap, chi_square
from statnn.activation._inference.likelihood import Tally
from statnn.activation._inference.rarefaction import ACTIVITY
from statnn.activation._polya_urn import PolyaUrn

LAWS = tuple(LIKELIHOODS)
REFUTED = 0.01
"""P-value of a fit below which its law is not to be trusted beyond the data."""
_STEP = 1e-4
"""Step of numerical derivatives by b and c, relative to b and to c (or to N - c, if that is smaller)."""
_MOST, _LEAST = 600.0, 1e-300
"""Largest exponent and smallest denominator that float64 can take."""


@dataclass(frozen=True, eq=False, repr=False)
class Fit(ByValue):
    """A law fitted to counts by maximum likelihood; made by :func:`fit`.

    Parameters
    ----------
    process : BetaBernoulli, PolyaUrn or GammaPoisson
        The fitted law; ``process.working(D)`` is its growth curve, ``process.tail_exponent()`` its power law.
    covariance : ndarray
        Covariance of (b, c) from the observed information, shape (2, 2). The urn takes the total as given:
        its c has no error.
    log_likelihood : float
        ln P(counts) at the maximum; for the urn ln P(counts | total).
    goodness : Goodness
        The test of fit: method, statistic, p-value, and its cells or replicas.
    residual : float
        Distance of the solution from the maximum in standard errors, from the gradient.
    steps : int
        Newton steps taken.
    counts : ndarray
        The data D_i, shape (neurons,).
    samples : int
        The number D of samples.

    See Also
    --------
    fit : makes it.
    Comparison : fits of all three laws.

    Examples
    --------
    >>> from statnn.activation import GammaPoisson, fit
    >>> counts = GammaPoisson(400, b=0.5, c=40.0).simulate([200], counts=True, rng=1).counts[0, 0]
    >>> fitted = fit(counts, samples=200, law=GammaPoisson)
    >>> low, high = fitted.interval("b", level=0.99)
    >>> low < 0.5 < high
    True
    >>> ax = fitted.plot()
    """

    process: Process
    covariance: NDArray[np.float64] = field(repr=False, compare=False)
    log_likelihood: float
    goodness: Goodness
    residual: float = field(repr=False)
    steps: int = field(repr=False)
    counts: NDArray[np.int64] = field(repr=False, compare=False)
    samples: int = field(repr=False)

    def _table(self) -> Rows:
        rows = [
            ("law", type(self.process).__name__),
            ("b", with_error(self.b, self.b_error)),
            ("c", with_error(self.c, self.c_error)),
            ("p of fit", p_alone(self.p_value)),
            ("neurons", self.counts.size),
            ("samples", self.samples),
        ]
        return Rows((), rows)

    @property
    def b(self) -> float:
        """Estimate of the constant b."""
        return self.process.b

    @property
    def c(self) -> float:
        """Estimate of the mean number of active neurons per sample."""
        return self.process.c

    @property
    def b_error(self) -> float:
        """Standard error of b."""
        return math.sqrt(self.covariance[0, 0])

    @property
    def c_error(self) -> float:
        """Standard error of c; 0 for the urn, whose n = cD is given."""
        return math.sqrt(self.covariance[1, 1])

    @property
    def aic(self) -> float:
        """Akaike's 2p - 2 ln P with p = 2; p = 1 for the urn, given its total.

        To compare laws take `Comparison.aic` instead, which is given the total for all of them, with p = 2 for all.
        """
        return 2.0 * (1 if isinstance(self.process, PolyaUrn) else 2) - 2.0 * self.log_likelihood

    @property
    def p_value(self) -> float:
        """Probability of counts that agree worse with the law, if the law is true."""
        return self.goodness.p_value

    @property
    def p_error(self) -> float:
        """Standard error of :attr:`p_value` from the replicas of the bootstrap; 0 for chi-square."""
        return self.goodness.p_error

    @property
    def statistic(self) -> float:
        """Statistic behind :attr:`p_value`."""
        return self.goodness.statistic

    @property
    def converged(self) -> bool:
        """Whether Newton's method ended at the maximum."""
        return self.residual < CONVERGED

    @property
    def message(self) -> str:
        """How Newton's method ended, in words."""
        how = "converged" if self.converged else "did not converge"
        return f"{how} in {self.steps} Newton steps, {self.residual:.1e} standard errors from the maximum"

    def interval(self, name: str, level: float = 0.95) -> tuple[float, float]:
        """Confidence interval of ``"b"`` or ``"c"``: estimate ± z errors on an unbounded scale (Wald).

        The scale is ln b, and logit c/N for :class:`BetaBernoulli` or ln c for :class:`GammaPoisson`, so
        that no interval leaves the allowed range. The urn's c is a point. If b is hardly determined, the ends
        are outside the range of floats: 0 and inf.

        Parameters
        ----------
        name : {"b", "c"}
            The parameter.
        level : float
            Coverage, between 0 and 1.

        Returns
        -------
        (low, high) : tuple of float

        Raises
        ------
        ValueError
            If `name` is another, or `level` is not between 0 and 1.
        """
        if name not in ("b", "c"):
            raise ValueError(f"name = {name!r}: intervals exist for 'b' and 'c'")
        z = float(stats.norm.isf((1 - share(level, "level", why="0.95 for 95 %")) / 2))
        if name == "b":
            with np.errstate(over="ignore"):  # counts may say little more than that b is large
                factor = float(np.exp(z * self.b_error / self.b))
            return self.b / factor, self.b * factor
        spread = z * self.c_error / self.c
        if isinstance(self.process, BetaBernoulli):
            odds, neurons = self.c / (self.process.neurons - self.c), self.process.neurons
            spread *= neurons / (neurons - self.c)
            return neurons / (1 + math.exp(spread) / odds), neurons / (1 + math.exp(-spread) / odds)
        return self.c * math.exp(-spread), self.c * math.exp(spread)

    def predict(self, samples: int | Sequence[int], level: float = 0.95) -> tuple[Any, Any, Any]:
        r"""Predict how many neurons will have worked after `samples` samples in all, given those that have by now.

        The mean is that of ``process.after(samples, counts)``, exact for the b and c of the fit. To the exact
        variance of the same law, the uncertainty of b and c is added:

        .. math:: σ² = \mathrm{Var}[K \mid b, c] + ∇E[K]^T\, \mathrm{Cov}(b, c)\, ∇E[K]

        [asymptotic: by the delta method, to relative order :math:`1/\sqrt N`]. The interval is ± z σ in the logit of
        the share of silent neurons that will work, rounded outward to whole numbers: intervals of nominal 95 % covered
        93 to 98 % in 250 fits each of 100 and 250 neurons, with counts from the law itself.

        Parameters
        ----------
        samples : int or sequence of int
            D, at least that of the fit: the samples seen are included.
        level : float
            Coverage, between 0 and 1.

        Returns
        -------
        mean, low, high : float or ndarray
            Of the shape of `samples`; between the number of neurons that work already and N.

        Raises
        ------
        TypeError, ValueError
            If samples are fewer than those of the fit, or `level` is not between 0 and 1.

        Warns
        -----
        RuntimeWarning
            If the p-value of the fit is below 1 %: intervals of a law that counts refute miss nearly always.

        See Also
        --------
        statnn.activation.rarefaction : fewer samples, without a law.

        Examples
        --------
        >>> from statnn.activation import BetaBernoulli, fit
        >>> path = BetaBernoulli(1000, b=0.4, c=5.0).simulate([200, 2000], counts=True, rng=1)
        >>> mean, low, high = fit(path.counts[0, 0], samples=200).predict(2000)
        >>> bool(low < path.working[0, 1] < high), bool(high - low < 150)
        (True, True)
        """
        D = array_of(samples, "samples")
        for each in np.ravel(D).tolist():
            if whole(each, "samples", minimum=1) < self.samples:
                raise ValueError(
                    f"samples = {each} are fewer than the {self.samples} of the fit, and count these too: pass how many"
                    " there will be in all, or see rarefaction for fewer"
                )
        z = float(stats.norm.isf((1 - share(level, "level", why="0.95 for 95 %")) / 2))
        if self.p_value < REFUTED:
            warn(
                f"{type(self.process).__name__} is refuted by these counts ({p_value(self.p_value)}), and its "
                "intervals are far too narrow then: compare(counts, samples) tries the other laws; where all are "
                "refuted, see how far off a fit of the first half of your samples is at the end of all"
            )
        given = self.process.after(self.samples, self.counts)
        working, neurons = np.sum(self.counts > 0), self.counts.size
        mean, slopes = np.asarray(given.working(D)), self._slopes(given, D)
        of_parameters = np.einsum("i...,ij,j...->...", slopes, self.covariance, slopes)
        spread = z * np.sqrt(np.asarray(given.working_std(D)) ** 2 + of_parameters)
        new, rest, silent = mean - working, neurons - mean, neurons - working
        # a half each keeps intervals finite where next to none, or nearly all, are expected to wake
        factor = np.exp(np.minimum(spread * silent / ((new + 0.5) * (rest + 0.5)), _MOST))
        low = working + np.floor(silent * new / np.maximum(new + rest * factor, _LEAST))
        high = working + np.ceil(silent * new / np.maximum(new + rest / factor, _LEAST))
        return shaped(mean, samples), shaped(low, samples), shaped(high, samples)

    def _slopes(self, given: Process, D: NDArray[Any]) -> NDArray[np.float64]:
        """Return the derivatives of E[K] by b and c, shape (2, ...); the urn's c is given."""
        room = {"b": self.b, "c": self.c}
        if isinstance(given, BetaBernoulli):
            room["c"] = min(self.c, given.neurons - self.c)
        slopes = np.zeros((2, *D.shape))
        for k, (name, most) in enumerate(room.items()):
            if name == "b" or not isinstance(given, PolyaUrn):
                sides = [replace(given, **{name: getattr(given, name) + sign * _STEP * most}) for sign in (1, -1)]
                slopes[k] = (sides[0].working(D) - sides[1].working(D)) / (2 * _STEP * most)
        return slopes

    def __str__(self) -> str:
        law = type(self.process).__name__
        c_error = f" ± {self.c_error:.2g}" if self.c_error else ""  # the urn's c is given
        return (
            f"{law}: b = {self.b:.4g} ± {self.b_error:.2g}, c = {self.c:.5g}{c_error}, {self.goodness}; {self.message}"
        )

    def plot(self, ax: Any | None = None, *, bins: int = 24) -> Any:
        """Draw the empirical law of the counts in logarithmic bins, and the fitted weights, on log-log axes.

        A bin shows its mean probability per integer with the binomial standard error. Silent neurons have
        no place on a logarithmic axis; the legend gives their share, observed and fitted.

        Parameters
        ----------
        ax : matplotlib axes, optional
            New ones if None.
        bins : int
            Number of bins from k = 1 to the largest count.

        Returns
        -------
        matplotlib axes

        Raises
        ------
        TypeError, ValueError
            If `bins` is not a whole number >= 1.
        """
        ax = axes(ax)
        neurons, most = self.counts.size, int(self.counts.max())
        edges = np.unique(np.round(np.geomspace(1, most + 1, whole(bins, "bins", minimum=1) + 1)))
        seen = np.histogram(self.counts, edges)[0]
        width, kept = np.diff(edges), seen > 0
        share = seen / neurons
        middle = np.sqrt(edges[:-1] * (edges[1:] - 1))
        ax.errorbar(
            middle[kept],
            (share / width)[kept],
            (np.sqrt(share * (1 - share) / neurons) / width)[kept],
            fmt="o",
            ms=4,
            color=ink(),
            label=f"counts, silent {np.mean(self.counts == 0):.3g}",
        )
        law = self.process.count(self.samples)
        k = np.unique(np.round(np.geomspace(1, most, 400)))
        ax.plot(
            k,
            law.pmf(k),
            color=COLOURS[0],
            label=f"{type(self.process).__name__}, b = {self.b:.3g},\nsilent {float(law.pmf(0)):.3g}",
        )
        logarithmic(ax, "x", "y")
        ax.set(xlabel="activations $k$", ylabel="$P(D_i = k)$")
        ax.set_ylim(bottom=(share / width)[kept].min() / 4)  # bars of single counts reach down to 0
        ax.legend(fontsize="small")
        return settled(ax)


def fit(
    counts: ArrayLike,
    samples: int,
    *,
    law: type[Process] = BetaBernoulli,
    goodness: str = "chi-square",
    replicas: int = 199,
    rng: int | np.random.Generator | None = None,
    executor: Executor | None = None,
) -> Fit:
    r"""Fit b and c of an activation process to the number of activations of each neuron.

    By maximum likelihood, with standard errors and a test of fit.

    Parameters
    ----------
    counts : array_like of int
        D_i of at least two neurons, shape (neurons,), silent ones too; up to ``samples`` (other laws: any).
    samples : int
        D, at least 1.
    law : type
        :class:`BetaBernoulli`, :class:`PolyaUrn` or :class:`GammaPoisson`.
    goodness : {"chi-square", "bootstrap"}
        The test of fit. Where fewer than six cells expect five neurons (about 30 neurons, or few distinct counts)
        the bootstrap takes the place of chi-square, and ``Fit.goodness`` says so.
    replicas : int
        Replicas of the bootstrap, each refitted.
    rng : int, Generator or None
        Seed of the bootstrap alone; with None every call draws afresh, and its p-value varies by ``Fit.p_error``.
    executor : concurrent.futures.Executor, optional
        Where replicas of the bootstrap are fitted. The p-value does not depend on it.

    Returns
    -------
    Fit

    Raises
    ------
    ValueError, TypeError
        For counts that are not whole numbers in range; and where the likelihood has no maximum at a finite
        b: all counts 0, all D, all either 0 or D, all events of an urn on one neuron, or counts that vary no more
        between neurons than a binomial law allows; or where floats cannot tell its maximum from c = N.

    Warns
    -----
    RuntimeWarning
        If the error of b exceeds b, or the solver did not converge. The value is returned all the same.

    See Also
    --------
    compare : all three laws at once.
    rarefaction : growth without a law.
    statnn.measure.growth.layer : the same from recorded activations.

    Notes
    -----
    The likelihood is :math:`\prod_i \mathrm{BetaBinomial}(D_i; D, b, \beta)` with :math:`c = Nb/(b+\beta)` for
    :class:`BetaBernoulli`; the negative binomial product, where c = n/D exactly, for :class:`GammaPoisson`; the
    Dirichlet-multinomial weight given the total n = ΣD_i for :class:`PolyaUrn`.

    Chi-square has quantile cells in which (b, c) are estimated once more: its p-value is uniform under the law [where
    cells expect as few as five neurons, p below 1e-9 comes about ten times too often, below 1e-6 up to four times].
    Errors come from the observed information and assume what the law assumes: neurons that fire
    independently of each other. Neurons of a network do not, and their number is small; take errors from
    repeated trainings there. [exact likelihood; errors asymptotic in the number of neurons that are neither always
    silent nor always active: with N = 80, b = 0.5 and c = 78, intervals of 95 % cover 89 %]

    References
    ----------
    Chernoff & Lehmann 1954 and Mann & Wald 1942, on the test of goodness of fit.

    Examples
    --------
    >>> fitted = fit([0, 0, 1, 0, 2, 0, 0, 14, 3, 0, 40, 0, 1, 0, 0, 0], samples=100, rng=1)
    >>> round(fitted.b, 3), round(fitted.c, 3)
    (0.124, 0.609)
    """
    check_executor(executor)
    check_rng(rng)
    values, size, law = _checked(counts, samples, law)
    if goodness not in ("chi-square", "bootstrap"):
        raise ValueError(f"goodness = {goodness!r}: choose 'chi-square' or 'bootstrap'")
    replicas = whole(replicas, "replicas", minimum=19)
    tally = Tally.of(values, size)
    maximum = estimate(tally, law)
    process = process_at(tally, law, maximum.theta)
    test = chi_square(tally, process) if goodness == "chi-square" else None
    if test is None:
        test = bootstrap(tally, process, replicas, root(rng), executor)
    result = _result(maximum, process, test, values, tally)
    if not result.converged:
        warn(f"{result}")
    elif result.b_error > result.b:
        warn(f"b is hardly determined by these counts, which only bound its order of magnitude from below: {result}")
    return result


def _result(maximum: Maximum, process: Process, test: Goodness, counts: NDArray[np.int64], tally: Tally) -> Fit:
    return Fit(
        process=process,
        covariance=covariance(tally, process, maximum.information),
        log_likelihood=maximum.log_likelihood,
        goodness=test,
        residual=maximum.residual,
        steps=maximum.steps,
        counts=counts,
        samples=tally.samples,
    )


def _checked(counts: ArrayLike, samples: int, law: type[Process]) -> tuple[NDArray[np.int64], int, type[Process]]:
    if law not in LAWS:
        raise TypeError(f"law = {law!r}: pass one of the classes BetaBernoulli, PolyaUrn, GammaPoisson")
    size = whole(samples, "samples", minimum=1)
    values = whole_array(counts, "counts", matrix=ACTIVITY)
    if values.size < 2:
        raise ValueError("counts has one entry; a law of counts needs at least two neurons")
    if law is BetaBernoulli and values.max() > size:
        where = int(values.argmax())
        raise ValueError(
            f"counts[{where}] = {values[where]} exceeds samples = {size}: a neuron fires at most once per "
            "sample; activation events may repeat a neuron: fit(counts, samples, law=PolyaUrn)"
        )
    return values, size, law
