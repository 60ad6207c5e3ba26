"""Laws of layers: composition is associative and ordered, powers form a semigroup, exponents do not depend on b."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from statnn._arguments import Floats, single, switch
from statnn.rg import FixedPoint, exponents
from statnn.rg._derivative import derivative
from statnn.testing import _layer_simulation as simulation
from statnn.testing._laws import (
    Broken,
    LawReport,
    NotAsked,
    alike,
    ask,
    called,
    copies,
    examine,
    numbers_for,
    parted,
    same,
    seed_of,
)

__tracebackhide__ = True  # pytest then shows the line of the caller
TOLERANCE = 1e-11
COMPARISONS = 20


@dataclass(frozen=True)
class _Layer:
    layer: Any
    others: tuple[Any, Any]
    seed: int
    simulate: bool

    def three(self) -> list[Any]:
        """Return the layer and two others; on common nodes if layers are defined on nodes."""
        ask(self.layer, "compose")
        layers = [self.layer, *self.others]
        if hasattr(self.layer, "operator"):
            pair = self.layer.compose(self.others[0])
            return [layer.operator(like=pair) for layer in layers]
        return layers

    def power(self, m: int) -> Any:
        ask(self.layer, "power")
        return self.layer.power(m)

    def points(self) -> tuple[FixedPoint, ...]:
        ask(self.layer, "fixed_points")
        try:
            points = tuple(self.layer.fixed_points())
        except ValueError as reason:
            raise NotAsked(f"no fixed points: {reason}".split(":")[0]) from None
        if not points:
            raise NotAsked("there is no fixed point")
        return points


def check_layer(
    layer: Any,
    *others: Any,
    simulate: bool = True,
    tolerance: float = TOLERANCE,
    rng: int | np.random.Generator | None = None,
) -> LawReport:
    """Check a layer of a renormalisation: one of `statnn.rg`, or one of your own.

    Parameters
    ----------
    layer : LinearLayer, BinaryLayer, NoisyLayer, RepeatedLayer, RandomLayer, or any object with such methods
        Those it has of the following are checked: ``compose(other)`` (this one acts first), ``power(m)``,
        ``iterate(x, m)``, ``variance_map(q)`` and ``correlation_map(c, q)``, ``correlation_length()``,
        ``stationary()``, ``fixed_points()`` (a tuple of `statnn.rg.FixedPoint`), ``flow(doublings)``, ``neurons(m)``
        and ``simulate``.
        Layers are compared by their parts: the fields of a dataclass, the attributes of other objects. The action of a
        layer on a law is ``propagate``, of mean and covariance or of a density on ``nodes``, or ``log_weights`` of its
        ``transfer()``.
    *others : layers
        Up to two more layers to compose with; the same layer if none. Equal layers do not reveal a wrong order.
    simulate : bool
        Whether to compare simulations with theory, in at most 20 comparisons from the budget of false alarms. Must be
        False inside ``@given``.
    tolerance : float
        Allowed difference of numbers, relative to the largest of an array.
    rng : int, numpy.random.Generator or None
        Seed.

    Returns
    -------
    LawReport

    Raises
    ------
    BrokenLawError
        An AssertionError with every broken law, the place and both values.

    See Also
    --------
    statnn.testing.strategies.layers : draws layers.

    Examples
    --------
    >>> from statnn import rg
    >>> from statnn.testing import check_layer
    >>> check_layer(rg.LinearLayer(0.5, 1.0, 0.3), rg.LinearLayer(2.0), rng=1).names("held")[:3]
    ('associativity', 'order', 'repetition')
    """
    if isinstance(layer, type) or not any(hasattr(layer, name) for name in ("compose", "power", "iterate")):
        raise TypeError(f"layer = {layer!r} has neither compose nor power nor iterate; pass a layer, not its class")
    if len(others) > 2:
        raise TypeError(f"{len(others)} other layers are given; three layers are composed, so at most two more")
    seed = seed_of(rng)
    why = "it bounds the relative difference of two ways to one result"
    tolerance = single(tolerance, "tolerance", minimum=0, why=why, fix="one bound holds for all laws")
    beside = (*others, layer, layer)[:2]
    laws = [_within(law, tolerance) for law in (_associativity, _order, _repetition, _semigroup)]
    spent = COMPARISONS if switch(simulate, "simulate") else 0
    return examine(called(layer), _Layer(layer, beside, seed, simulate), [*laws, *LAWS], seed, comparisons=spent)


def _within(law: Callable[[_Layer, float], str], tolerance: float) -> Callable[[_Layer], str]:
    """Return a law with its tolerance."""

    def asked(s: _Layer) -> str:
        return law(s, tolerance)

    asked.__name__, asked.__doc__ = law.__name__, law.__doc__
    return asked


# -- composition -----------------------------------------------------------------------------------------


def _alike(actual: Any, expected: Any, tolerance: float) -> str:
    """Compare layers, as transfer matrices where only one of them is closed."""
    if type(actual) is not type(expected):
        actual, expected = (layer.transfer() if hasattr(layer, "transfer") else layer for layer in (actual, expected))
    return alike(actual, expected, rel=tolerance, abs=tolerance)


def _associativity(s: _Layer, tolerance: float) -> str:
    """Compare (1 2) 3 with 1 (2 3)."""
    first, second, third = s.three()
    return _alike(first.compose(second).compose(third), first.compose(second.compose(third)), tolerance)


def _order(s: _Layer, tolerance: float) -> str:
    """Compare two composed layers with the first and then the second."""
    first, second, _ = s.three()
    both = first.compose(second)
    if hasattr(first, "transfer"):
        every = (first, second, both)
        first, second, both = (layer.transfer() if hasattr(layer, "transfer") else layer for layer in every)
    if hasattr(first, "log_weights"):
        lower, upper, whole = (np.exp(layer.log_weights + layer.log_scale) for layer in (first, second, both))
        return same(whole / whole.max(), upper @ lower / whole.max(), rel=1e-9, abs=tolerance)
    if hasattr(first, "variance_map"):
        q, c = np.array([0.1, 0.7, 3.0]), np.array([-0.5, 0.3, 0.9])
        between = first.variance_map(q)
        same(both.correlation_map(c, q), second.correlation_map(first.correlation_map(c, q), between), abs=1e-9)
        return same(both.variance_map(q), second.variance_map(between), rel=1e-9)
    if hasattr(first, "iterate") and hasattr(both, "iterate"):
        x = np.array([-1.3, -0.2, 0.4, 2.0])
        place = lambda i: f"x = {x[i]:g}: "  # noqa: E731 - of signals
        through = same(both.iterate(x, 1), second.iterate(first.iterate(x, 1), 1), rel=1e-9, abs=tolerance, at=place)
        if not hasattr(first, "propagate"):
            return through
    ask(first, "propagate")
    if hasattr(first, "nodes"):
        density = np.full(first.nodes.size, 1 / np.sum(first.weights))
        expected = second.propagate(first.propagate(density))
        return same(both.propagate(density), expected, abs=tolerance * float(np.max(expected)))
    start = 0.3 * np.arange(1, first.shape[1] + 1), np.diag(np.arange(1.0, first.shape[1] + 1))
    between = first.propagate(*start)
    after = second.propagate(between.mean, between.covariance)
    return alike(both.propagate(*start), after, rel=tolerance, abs=tolerance)


def _repetition(s: _Layer, tolerance: float) -> str:
    """Compare powers of 1, 2, 3 and 6 with layers one after another."""
    ask(s.layer, "compose")
    s.power(1)
    result = ""
    for m in (2, 3, 6):
        result = _alike(s.power(m), reduce(lambda all_, layer: all_.compose(layer), [s.layer] * m), tolerance)
    return result


def _semigroup(s: _Layer, tolerance: float) -> str:
    """Compare powers m and n, composed, with power m + n."""
    ask(s.layer, "compose")
    result = ""
    for m, n in ((1, 1), (2, 3), (7, 9), (1, 40)):
        try:
            result = _alike(s.power(m).compose(s.power(n)), s.power(m + n), tolerance)
        except AssertionError as error:
            raise Broken(f"m = {m}, n = {n}: {error}") from None
    return result


def _iteration(s: _Layer) -> str:
    """Compare signals after 2 and then 3 layers with those after 5, and one layer with a call."""
    ask(s.layer, "iterate")
    x = np.array([-1.3, -0.2, 0.0, 0.4, 2.0])
    place = lambda i: f"x = {x[i]:g}: "  # noqa: E731 - of signals
    if callable(s.layer):
        same(s.layer(x), s.layer.iterate(x, 1), at=place)
    return same(s.layer.iterate(s.layer.iterate(x, 2), 3), s.layer.iterate(x, 5), rel=1e-14, at=place)


def _signal(s: _Layer) -> str:
    """Compare signals by the depth coordinate with those that are iterated."""
    ask(s.layer, "iterate", "signal")
    starts = np.array([-0.7, 0.2, 1.5])
    signals = [[s.layer.signal(float(x), m) for x in starts] for m in (1, 7, 60)]
    expected = [s.layer.iterate(starts, m) for m in (1, 7, 60)]
    return same(signals, expected, rel=1e-8, abs=1e-9, at=lambda i: f"m = {(1, 7, 60)[i[0]]}, start {starts[i[1]]:g}: ")


def _maps(s: _Layer) -> str:
    """Compare maps of three layers as one with the maps of a layer three times."""
    ask(s.layer, "variance_map", "correlation_map", "power")
    q, c = np.array([0.1, 0.7, 3.0]), np.array([-0.5, 0.3, 0.9])
    block, now, near = s.power(3), q, c
    for _ in range(3):
        now, near = s.layer.variance_map(now), s.layer.correlation_map(near, now)
    same(block.correlation_map(c, q), near, abs=1e-9, at=lambda i: f"q = {q[i]:g}, c = {c[i]:g}: ")
    return same(block.variance_map(q), now, rel=1e-12, at=lambda i: f"q = {q[i]:g}: ")


# -- invariants of the block size --------------------------------------------------------------


def _correlation_length(s: _Layer) -> str:
    """Compare the correlation length of three layers as one with a third of that of one."""
    ask(s.layer, "correlation_length")
    three = s.power(3)
    ask(three, "correlation_length")
    try:
        length, of_three = s.layer.correlation_length(), three.correlation_length()
    except (ValueError, ArithmeticError) as reason:
        raise NotAsked(f"there is none: {reason}") from None
    if not (math.isfinite(length) and 0.05 < length < 1e6):  # outside, ratios keep too few digits
        raise NotAsked(f"{length:.3g} layers are too few or too many to compare")
    return same(of_three, length / 3, rel=1e-6)


def _stationary(s: _Layer) -> str:
    """Compare the stationary law with itself one layer on."""
    ask(s.layer, "stationary")
    try:
        law = s.layer.stationary()
    except ValueError as reason:
        raise NotAsked(f"there is none: {reason}") from None
    if hasattr(law, "density"):
        operator = s.layer.operator() if hasattr(s.layer, "operator") else s.layer
        return same(operator.propagate(law.density), law.density, abs=1e-9 * float(np.max(law.density)))
    return alike(s.layer.propagate(law.mean, law.covariance), law, rel=1e-10, abs=1e-12)


def _fixed_points(s: _Layer) -> str:
    """Compare fixed points with their images in blocks of 2 and 3 layers."""
    points = s.points()
    for point in points:
        for b in (2, 3):
            place = lambda i, point=point, b=b: f"{point.name!r}, b = {b}, {point.names[i[0]]}: "  # noqa: E731 - of this
            same(point.map(point.couplings, b), point.couplings, rel=1e-8, abs=1e-9, at=place)
    return f"{len(points)} points"


def _exponents(s: _Layer) -> str:
    """Compare exponents at blocks of 3 and 5 layers with those at blocks of 2.

    If maps act on signals, as in wide random layers, numbers of layers add instead of multiplying: ln|λ|/b is compared.
    """
    points = s.points()
    for point in points:
        first = exponents(point, 2)
        for b in (3, 5):
            other = exponents(point, b)
            place = lambda i, name=point.name, b=b: f"{name!r}, b = {b}, y_{i[0]}: "  # noqa: E731 - of this
            if hasattr(s.layer, "variance_map"):
                with np.errstate(divide="ignore"):
                    rates = [np.log(np.abs(each.eigenvalues)) / each.b for each in (other, first)]
                same(*rates, abs=1e-7, at=place)
                continue
            same(other.y, first.y, abs=1e-8 + 4 * (first.error + other.error), at=place)
            if other.kinds != first.kinds:
                raise Broken(f"{point.name!r}, b = {b}: {other.kinds} instead of {first.kinds}")
    return f"{len(points)} points"


def _linearisation(s: _Layer) -> str:
    """Compare derivatives in closed form with differences of the map."""
    closed = [point for point in s.points() if point.linear is not None]
    asked = 0
    for point in closed:

        def of_two(couplings: Floats, point: FixedPoint = point) -> Floats:
            return np.asarray(point.map(couplings, 2))

        try:
            matrix, error = derivative(of_two, point.couplings)
        except ValueError:
            continue  # the map is not defined beside it, as for negative noise
        place = lambda i, name=point.name: f"{name!r}, entry {list(i)}: "  # noqa: E731 - of this
        same(point.linear(2), matrix, abs=np.maximum(1e-6, 8 * error), at=place)  # type: ignore[misc]
        asked += 1
    if not asked:
        raise NotAsked("no derivative is stated where the map is known on both sides")
    return f"{asked} points"


def _flow(s: _Layer) -> str:
    """Compare the flow of two layers as one with that of the layer from its second row on."""
    ask(s.layer, "flow")
    double = s.power(2)
    ask(double, "flow")
    single, double_flow = s.layer.flow(4), double.flow(3)
    size = min(len(single.couplings) - 1, len(double_flow.couplings))
    return same(double_flow.couplings[:size], single.couplings[1 : size + 1], rel=1e-9, abs=1e-11)


def _partition_function(s: _Layer) -> str:
    """Compare the sum of all weights of m layers with Z of their spins, enumerated."""
    ask(s.layer, "neurons", "transfer")
    if s.layer.shape[0] > 4:
        raise NotAsked("the layer is too wide to enumerate")
    sums, expected = [], []
    for m in (1, 2, 4):
        block = s.layer.transfer().power(m)
        sums.append(np.logaddexp.reduce(block.log_weights, axis=None) + block.log_scale)
        expected.append(s.layer.neurons(m).exact(correlations=False).log_partition + m * s.layer.constant)
    return same(sums, expected, rel=1e-10, abs=1e-10, at=lambda i: f"ln Z of {(1, 2, 4)[i[0]]} layers: ")


# -- simulation ------------------------------------------------------------------------------------------


def _seeds(s: _Layer) -> str:
    """Compare simulations of a seed with the same again, and the first replicas with those among more."""
    draw = simulation.drawing(s.layer)
    seed = int(numbers_for(s.seed, "seeds").integers(2**62))
    block = simulation.block(s.layer)
    few = draw(block, seed)
    same(draw(block, seed), few, at=lambda i: f"the same seed again, replica {i[0]}: ")
    same(draw(3 * block, seed)[:block], few, at=lambda i: f"among {3 * block}, replica {i[0]}: ")
    if np.array_equal(draw(block, seed + 1), few) and simulation.noisy(few):
        raise Broken("another seed gives the same signals")
    if simulation.noisy(few):
        parted(lambda seed: draw(3 * block, seed), seed, "replica")
    return f"{block} replicas"


def _simulation(s: _Layer) -> str:
    """Compare mean and spread of simulated signals with those of the composed layer."""
    if not s.simulate:
        raise NotAsked("simulate=False")
    ask(s.layer, "simulate")
    return simulation.compared(s.layer, numbers_for(s.seed, "simulation"))


def _copies(s: _Layer) -> str:
    """Compare pickled and copied layers with the first."""
    return copies(s.layer)


LAWS = (
    _iteration, _signal, _maps, _correlation_length, _stationary, _fixed_points, _exponents, _linearisation, _flow,
    _partition_function, _seeds, _simulation, _copies,
)  # fmt: skip
