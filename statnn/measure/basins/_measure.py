"""Radii of attraction basins, in the space of samples and in that of weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statnn._arguments import Floats, Ints, positive, switch, whole
from statnn._axes import axes, logarithmic, settled, stroke
from statnn._by_value import ByValue
from statnn._memory import refuse_beyond_memory
from statnn._random import Root, root
from statnn._tasks import callback_of, check_executor, run_tasks
from statnn._text import percent
from statnn.measure._classes import checked_labels, inputs_of, number_of_classes
from statnn.measure._deviations import standard_deviation
from statnn.measure.basins._rays import SampleRays, WeightRays
from statnn.measure.basins._search import Edges, grid, search
from statnn.montecarlo._blas import one_thread
from statnn.network import Network

Space = Literal["samples", "weights"]

_BLOCK_BYTES = 2**23
"""Bytes of the fields of one layer for the rays of a block, so that the caches of a core hold them."""
_MOST_BLOCK = 512
"""Most samples of a block: directions of weights are drawn anew for each block, a tenth of its work at this size."""


@dataclass(frozen=True, eq=False, repr=False)
class Basin(ByValue):
    """Radii of attraction basins, one per sample.

    Parameters
    ----------
    radius : ndarray, shape (samples,)
        σ*; inf where the chance never falls below the threshold, 0 for a sample on a boundary.
    low, high : ndarray, shape (samples,)
        Where the chance falls below the threshold plus and minus its standard error: about 68 % of such intervals
        hold the σ* of infinitely many draws. `high` is inf where the chance stays above.
    crossings : ndarray of int, shape (samples,)
        How often the chance falls below the threshold along `sigma`: 0 for an infinite basin, 1 for a plain one. Where
        it is more, the chance rises again and the radius is that of the first fall.
    classes : ndarray of int, shape (samples,)
        Classes that the network gives without noise.
    labels : ndarray of int, shape (samples,), or None
        Labels as they were given.
    sigma : ndarray, shape (points,)
        Amplitudes of the scan; the last, far beyond the span, stands for infinity.
    kept : ndarray, shape (samples, points)
        Share of draws with the class unchanged at these amplitudes.
    threshold : float
        Chance that defines the radius.
    draws : int
        Directions of noise per sample.
    space : str
        "samples" or "weights".
    seed : tuple
        Entropy and spawn key of the directions.

    See Also
    --------
    sample_basin, weight_basin : make it.

    Examples
    --------
    >>> from statnn import Network
    >>> from statnn.measure.basins import sample_basin
    >>> net = Network([[[1.0], [-1.0]]], activation="identity")
    >>> basin = sample_basin(net, [[1.0], [2.0], [-1.0]], [0, 0, 1], rng=0, threshold=0.9, draws=10_000)
    >>> {label: radii.round(1).tolist() for label, radii in basin.by_class().items()}
    {0: [0.8, 1.6], 1: [0.8]}
    >>> ax = basin.plot()
    """

    _axes: ClassVar = ("", "sigma")
    radius: Floats
    low: Floats = field(repr=False)
    high: Floats = field(repr=False)
    crossings: Ints = field(repr=False)
    classes: Ints = field(repr=False)
    labels: Ints | None = field(repr=False)
    sigma: Floats = field(repr=False)
    kept: Floats = field(repr=False)
    threshold: float
    draws: int
    space: Space
    seed: Root

    @property
    def infinite(self) -> NDArray[np.bool_]:
        """Whether a basin has no end, shape (samples,)."""
        return np.isinf(self.radius)

    @property
    def median(self) -> float:
        """Median radius; inf when more than half of the basins are infinite."""
        return float(np.median(self.radius))

    def by_class(self) -> dict[int, Floats]:
        """Return the radii of every class: of the labels, or of the network's classes where no labels were given."""
        group = self.classes if self.labels is None else self.labels
        return {int(k): self.radius[group == k] for k in np.unique(group)}

    def plot(self, ax: Any | None = None, *, by_class: bool = False, **style: Any) -> Any:
        """Draw the distribution of the radii: the share of basins up to σ, below 1 at the end if some are infinite.

        Parameters
        ----------
        ax : matplotlib axes or None
            Where to draw; None makes a new figure.
        by_class : bool
            One curve per class.
        **style
            Style of the curves, as for ``ax.step``.

        Returns
        -------
        matplotlib axes
        """
        switch(by_class, "by_class")
        ax = axes(ax)
        groups = {f"class {k}": radii for k, radii in self.by_class().items()} if by_class else {"": self.radius}
        ends = [r for r in self.radius if 0 < r < np.inf] or [float(self.sigma[0]), float(self.sigma[-2])]
        low, high = min(ends) / 2, max(ends) * 2
        for k, (name, radii) in enumerate(groups.items()):
            inside = np.sort(radii[np.isfinite(radii)])
            beyond = radii.size - inside.size
            endless = f"{percent(beyond / radii.size)} infinite" if beyond else ""
            label = ", ".join(part for part in (name, endless) if part)
            x = np.concatenate(([low], np.maximum(inside, low), [high]))
            y = np.concatenate(([0], np.arange(1, inside.size + 1), [inside.size])) / radii.size
            ax.step(x, y, where="post", **({"label": label or None, "linestyle": stroke(k)} | style))
        noise = (
            r"noise on samples, $x + \sigma\xi$" if self.space == "samples" else r"$W + \sigma\,\mathrm{std}(W)\,\xi$"
        )
        logarithmic(ax, "x")
        ax.set(xlabel=rf"radius $\sigma^*$ ({noise})", ylabel=r"share of basins up to $\sigma^*$")
        ax.set(xlim=(low, high), ylim=(0, 1.02))
        if by_class:
            ax.legend(fontsize="small", ncols=1 + len(groups) // 8)
        return settled(ax)


class _Task(NamedTuple):
    """A block of samples; the directions follow from the seed and the number of the sample or of the draw."""

    space: Space
    net: Network
    x: NDArray[Any]
    start: int
    layers: tuple[int, ...]
    draws: int
    seed: Root
    span: tuple[float, float]
    threshold: float
    steps: int


def _block(task: _Task) -> tuple[Edges, Ints]:
    rays: SampleRays | WeightRays
    # the number of threads changes last digits, which decide classes on the border; overflow is refused later
    with one_thread(), np.errstate(over="ignore", invalid="ignore"):
        if task.space == "samples":
            rays = SampleRays(task.net, task.x, task.start, task.draws, task.seed)
        else:
            rays = WeightRays(task.net, task.x, task.layers, task.draws, task.seed)
        return search(rays, grid(task.span), task.threshold, task.steps), rays.classes


def sample_basin(
    net: Network,
    x: ArrayLike,
    labels: ArrayLike | None = None,
    *,
    threshold: float = 0.5,
    draws: int = 32,
    rng: int | np.random.Generator | None = None,
    steps: int = 12,
    span: tuple[float, float] = (1e-3, 1e3),
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | Literal[False] | None = None,
) -> Basin:
    r"""Return the radii of attraction basins in the space of samples.

    .. math:: σ^* = \inf\{σ : P[\mathrm{class}(x + σξ) = \mathrm{class}(x)] < θ\}, \qquad ξ \sim N(0, 1)^{n_0}.

    Parameters
    ----------
    net : Network
        A classifier: the class is the largest output, for a single output its sign, or, if it is never on both sides
        of zero, whether it is above its value at a field of zero, 1/2 for a sigmoid. The work is done in the precision
        of the network: float32 is twice as fast.
    x : array_like, shape (samples, n_0)
        Inputs. σ is in their units.
    labels : array_like of int, shape (samples,), optional
        For `Basin.by_class`; the basin is that of the network's own class, right or wrong.
    threshold : float
        θ, between 0 and 1.
    draws : int
        Directions ξ per sample, an even number from 4 on: pairs ±ξ, the same for all σ.
    rng : int, numpy.random.Generator or None
        Seed; None for fresh entropy. The directions of sample number j depend on the seed and on j alone.
    steps : int
        Bisections of ln σ inside an interval of half a decade (six decades at the ends), at least 1.
    span : (float, float)
        Amplitudes of the scan, two per decade; radii down to 10^(6/2^steps) millionths of the first and up to a million
        times the last are found; smaller ones count as 0, and a class that is unchanged beyond as an infinite one.
    executor : concurrent.futures.Executor, optional
        Where blocks of samples are worked on, each on one thread of BLAS; threads suffice. Results do not depend on it.
    progress : callable or False, optional
        Called with (samples done, samples).

    Returns
    -------
    Basin

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, or noise drives the network out of the range of its precision.

    See Also
    --------
    weight_basin : noise on weights.

    Notes
    -----
    Closed forms [exact]: a band |w·x| < m with a unit vector w, from its centre: σ* = m/Φ⁻¹(3/4). A linear unit that
    tells two classes apart never falls below 1/2: σ* = inf, and pairs of opposite directions find just that. K linear
    classes with orthonormal weights, the first ahead by Δ: σ* = Δ/t with ∫φ(z)Φ(z+t)^(K-1)dz = θ.

    σ* is where the share of unchanged draws, interpolated through the middle of its steps, first falls through θ,
    within its first and last step: it is that of the draws at hand. The bias of ln σ* is of the order of 1/draws, 0.03
    for 32 draws from the centre of a band; that of the median over samples is below 1 % there. Falls that last
    less than half a decade may be overlooked.

    References
    ----------
    Lin et al. 2025, on the notion; how radii are measured, and their errors, are this project's own.

    Examples
    --------
    >>> import numpy as np
    >>> from statnn import Network
    >>> band = Network([[[1.0, 0.0], [-1.0, 0.0]], [[0.0, 0.0], [1.0, 1.0]]], [[0.0, 0.0], [1.0, 0.0]],
    ...                ["relu", "identity"])  # class 0 is |x_0| < 1
    >>> basin = sample_basin(band, [[0.0, 5.0]], draws=10_000, rng=0)
    >>> float(np.round(basin.radius[0], 1))  # 1.48 for infinitely many draws
    1.4
    """
    return _basin("samples", net, x, labels, threshold, draws, rng, steps, span, (), executor, progress)


def weight_basin(
    net: Network,
    x: ArrayLike,
    labels: ArrayLike | None = None,
    *,
    threshold: float = 0.5,
    draws: int = 32,
    rng: int | np.random.Generator | None = None,
    layers: Sequence[int] | None = None,
    steps: int = 12,
    span: tuple[float, float] = (1e-3, 1e3),
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | Literal[False] | None = None,
) -> Basin:
    r"""Return the radii of attraction basins in the space of weights.

    As `sample_basin`, with noise on the weights: :math:`W_l + σ\,\mathrm{std}(W_l)\,ξ` in all chosen layers at once,
    std over the entries of the matrix, biases kept.

    Parameters
    ----------
    net : Network
        A classifier; with batch normalisation its effective weights are meant.
    x : array_like, shape (samples, n_0)
        Inputs.
    labels : array_like of int, shape (samples,), optional
        For `Basin.by_class`.
    threshold : float
        θ, between 0 and 1.
    draws : int
        Directions ξ, an even number from 4 on: pairs ±ξ, the same for all σ and for all samples.
    rng : int, numpy.random.Generator or None
        Seed; None for fresh entropy.
    layers : sequence of int, optional
        Layers to perturb; all when left out.
    steps, span, executor, progress
        As for `sample_basin`; σ is relative to the spread of the weights.

    Returns
    -------
    Basin
        Errors are those of each radius; between samples they are correlated, since all see the same networks.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, all weights of a chosen layer are equal (their std is 0 and noise relative to it
        is none), or noise drives the network out of the range of its precision.

    See Also
    --------
    sample_basin : noise on samples.

    Notes
    -----
    Basin [paper], its normalisation [own]. Rescaling a layer of ReLU units and undoing it in the next changes no
    radius if there are no biases in between. Closed form [exact]: one linear layer, K classes, the first ahead by Δ:
    σ* = Δ/(std(W) |x| t) with ∫φ(z)Φ(z+t)^(K-1)dz = θ.

    References
    ----------
    Lin et al. 2025, on the notion; how radii are measured, and their errors, are this project's own.

    Examples
    --------
    >>> from statnn import Network
    >>> net = Network([[[2.0, 0.0], [0.0, 1.0]]], activation="identity")
    >>> weight_basin(net, [[1.0, 0.0]], rng=0).radius  # two linear classes: never below 1/2
    array([inf])
    """
    chosen = tuple(range(net.depth)) if layers is None and isinstance(net, Network) else layers
    return _basin("weights", net, x, labels, threshold, draws, rng, steps, span, chosen, executor, progress)


def _basin(
    space: Space,
    net: Network,
    x: ArrayLike,
    labels: ArrayLike | None,
    threshold: float,
    draws: int,
    rng: int | np.random.Generator | None,
    steps: int,
    span: tuple[float, float],
    layers: Any,
    executor: Executor | None,
    progress: Callable[[int, int], None] | Literal[False] | None,
) -> Basin:
    inputs = inputs_of(net, x)
    check_executor(executor)
    report = callback_of(progress)
    known = None if labels is None else checked_labels(labels, x, len(inputs), number_of_classes(net))
    level = positive(threshold, "threshold", why="it is the chance of an unchanged class that ends a basin")
    if level >= 1:
        raise ValueError(f"threshold = {threshold} must lie between 0 and 1, for example 0.5")
    number = whole(draws, "draws", minimum=4, maximum=10**7)
    if number % 2:
        raise ValueError(f"draws = {draws} is odd; directions come in pairs ±ξ: pass {number + 1}")
    bisections = whole(steps, "steps", minimum=1, maximum=60)
    ends = _span(span)
    chosen = _layers(net, layers) if space == "weights" else ()
    seed = root(rng)
    size = _block_size(net, space, number, len(inputs))
    tasks = [
        _Task(space, net, inputs[i : i + size], i, chosen, number, seed, ends, level, bisections)
        for i in range(0, len(inputs), size)
    ]
    parts: list[Any] = [None] * len(tasks)
    done = 0
    for index, part in run_tasks(_block, tasks, executor, shared=[net]):
        parts[index] = part
        done += len(tasks[index].x)
        if report is not None:
            report(done, len(inputs))
    edges = Edges(*(np.concatenate(column) for column in zip(*(part for part, _ in parts), strict=True)))
    classes = np.concatenate([classes_of_part for _, classes_of_part in parts])
    return Basin(*edges[:4], classes, known, grid(ends), edges.kept, level, number, space, seed)


def _span(span: Any) -> tuple[float, float]:
    if not isinstance(span, Sequence) or len(span) != 2:
        raise TypeError(f"span = {span!r}; pass two amplitudes of noise, for example (1e-3, 1e3)")
    low, high = (positive(end, "span", why="it is an amplitude of noise") for end in span)
    if not (1e-30 <= low < high <= 1e30):
        raise ValueError(f"span = {span!r} must rise, between 1e-30 and 1e30")
    return low, high


def _layers(net: Network, layers: Any) -> tuple[int, ...]:
    if not isinstance(layers, Sequence) or isinstance(layers, str | bytes) or not len(layers):
        raise TypeError(f"layers = {layers!r}; pass a list of layers to perturb, for example [0, 1], or None for all")
    chosen = tuple(whole(m, "layers", minimum=0, maximum=net.depth - 1) for m in layers)
    for m in chosen:
        if standard_deviation(net.weights[m]) == 0:
            raise ValueError(
                f"all weights of layer {m} are equal, so noise relative to their standard deviation is none: "
                "leave it out of layers"
            )
    return chosen


def _block_size(net: Network, space: Space, draws: int, samples: int) -> int:
    """Return the number of samples of a block, about the same in each of an even number of blocks.

    Raise if one sample alone would not fit into memory.
    """
    item = net.dtype.itemsize
    most = max(net.widths[1:])
    row = draws * most * item
    if space == "samples":
        refuse_beyond_memory(4.0 * row + draws * net.widths[0] * item, f"draws = {draws}", "take fewer draws")
        return _shared_evenly(samples, _BLOCK_BYTES // row)
    held = draws // 2 * item * sum(w.size for w in net.weights[1:])
    size = _shared_evenly(samples, 8 * _BLOCK_BYTES // (draws * net.widths[1] * item))
    refuse_beyond_memory(
        held + size * (row / 2 + 4.0 * most * item), f"draws = {draws} of the weights", "take fewer draws"
    )
    return size


def _shared_evenly(samples: int, room: int) -> int:
    """Return the size of blocks of at most `room` samples that leave no worker of two idle at the end."""
    blocks = -(-samples // max(1, min(_MOST_BLOCK, room)))
    return -(-samples // (blocks + (blocks > 1 and blocks % 2)))
