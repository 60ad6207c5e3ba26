"""Laws of interacting models: energy, gradient, graph and exact averages belong to the same model."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from statnn._arguments import Floats
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
    reals,
    same,
    seed_of,
)

__tracebackhide__ = True  # pytest then shows the line of the caller
MOST_ENUMERATED = 12
MOST_VARIABLES = 300


@dataclass(frozen=True)
class _Model:
    model: Any
    seed: int

    @property
    def spins(self) -> bool:
        return hasattr(self.model, "size")

    def states(self, law: str, *shape: int) -> Any:
        """Return random states; real ones are multiples of 1/64, which are exact in float32 too."""
        random = numbers_for(self.seed, law)
        if self.spins:
            return 2 * random.integers(0, 2, (*shape, self.model.size)) - 1
        return np.round(64 * random.normal(size=(*shape, self.model.dimension))) / 64

    def few(self) -> None:
        if not self.spins and self.model.dimension > MOST_VARIABLES:
            raise NotAsked(f"{self.model.dimension} variables are more than {MOST_VARIABLES}")

    @property
    def eps(self) -> float:
        """Return the machine epsilon of states."""
        return float(np.finfo(getattr(getattr(self.model, "net", None), "dtype", np.float64)).eps)


def check_model(model: Any, *, rng: int | np.random.Generator | None = None) -> LawReport:
    """Check an interacting model: `BinaryNeurons`, `DynamicNeurons`, or one of your own.

    Parameters
    ----------
    model : any object with ``energy(states)``, and ``size`` if its variables are ±1, ``dimension`` if they are reals
        States have shape (..., size) or (..., dimension). Those it has of the following are checked: ``couplings`` and
        ``fields``, ``gradient``, ``exact()``, ``at(temperature)``, ``pack`` and ``unpack``, and ``graph()``. For spins
        the class must take the graph and give the same model; for reals any two variables with a mixed second
        derivative must be joined, with nodes named as those of `DynamicNeurons`.
    rng : int, numpy.random.Generator or None
        Seed of the states.

    Returns
    -------
    LawReport

    Raises
    ------
    BrokenLawError
        An AssertionError with every broken law, the place and both values.

    See Also
    --------
    check_method : for samplers.
    check_layer, check_activation, check_process : for other kinds.

    Notes
    -----
    Exact averages are compared for up to 12 spins, and for reals, if `exact` does not raise ValueError.

    Examples
    --------
    >>> from statnn.interaction import BinaryNeurons
    >>> from statnn.testing import check_model
    >>> check_model(BinaryNeurons([[0, 1], [1, 0]], 0.5), rng=1).names("held")
    ('one by one', 'energy', 'graph', 'exact averages', 'temperature', 'copies')
    """
    if not hasattr(model, "energy") or not (hasattr(model, "size") or hasattr(model, "dimension")):
        raise TypeError(f"model is a {type(model).__name__}; it needs energy(states), and size or dimension")
    seed = seed_of(rng)
    return examine(called(model), _Model(model, seed), LAWS, seed)


def _one_by_one(s: _Model) -> str:
    """Compare energies of many states at once with those of each alone."""
    states = s.states("one by one", 2, 3)
    together = reals(s.model.energy(states))
    if together.shape != (2, 3):
        raise Broken(f"energies of states of shape {states.shape} have shape {together.shape} instead of (2, 3)")
    alone = [[s.model.energy(state) for state in row] for row in states]
    return same(together, alone, rel=64 * s.eps, abs=_rounding(s, states))


def _rounding(s: _Model, states: Any) -> float:
    """Return the rounding error of energies in which terms cancel."""
    if s.spins and hasattr(s.model, "couplings"):
        total = float(np.abs(_dense(s.model.couplings)).sum() + np.abs(s.model.fields).sum())
    else:
        total = float(np.max(np.abs(reals(s.model.energy(states)))))
    return 16 * s.eps * total


def _dense(couplings: Any) -> Floats:
    return reals(couplings.toarray() if hasattr(couplings, "toarray") else couplings)


def _energy(s: _Model) -> str:
    """Compare energies with sums over all pairs, -Σ J_ij s_i s_j - Σ h_i s_i."""
    ask(s.model, "size", "couplings", "fields")
    if s.model.size > 2000:
        raise NotAsked(f"{s.model.size} spins have too many pairs")
    states, J = s.states("energy", 6), _dense(s.model.couplings)
    same(J, J.T, at=lambda i: f"J{list(i)} is not J{list(i[::-1])}: ")
    upper = np.triu(J, 1)
    expected = [-sum(float(row @ state) * s_i for row, s_i in zip(upper, state, strict=True)) for state in states]
    expected = [pairs - float(s.model.fields @ state) for pairs, state in zip(expected, states, strict=True)]
    place = lambda i: f"state {states[i[0]]}: ".replace("\n", "") if s.model.size <= 40 else f"state {i[0]}: "  # noqa: E731
    return same(s.model.energy(states), expected, abs=_rounding(s, states), at=place)


def _gradient(s: _Model) -> str:
    """Compare the gradient with differences of energy."""
    ask(s.model, "gradient")
    s.few()
    model = s.model.in_doubles() if s.eps > 1e-10 and hasattr(s.model, "in_doubles") else s.model
    state = s.states("gradient", 1)[0]
    try:
        gradient = reals(model.gradient(state))
    except ValueError as reason:
        raise NotAsked(f"there is none: {reason}") from None
    if gradient.shape != state.shape:
        raise Broken(f"the gradient has shape {gradient.shape} instead of {state.shape}")
    slopes, doubts, kinks = [], [], []
    for unit in np.eye(state.size):
        rows = [_difference(model, state, unit, step) for step in (4e-3, 2e-3, 1e-3)]
        finer = [(4 * rows[1] - rows[0]) / 3, (4 * rows[2] - rows[1]) / 3]
        slopes.append(finer[1])
        doubts.append(abs(finer[1] - finer[0]))
        wide, narrow = (_bend(model, state, unit, step) for step in (4e-3, 1e-3))
        kinks.append(abs(4 * narrow - wide) / 3)
    scale = max(1.0, float(np.max(np.abs(gradient))), abs(float(model.energy(state))))
    known = np.array(doubts) < 1e-5 * scale  # elsewhere a kink may lie within the steps
    if not known.any():
        raise NotAsked("differences do not settle")
    place = lambda i: f"variable {int(np.flatnonzero(known)[i[0]])}: "  # noqa: E731 - of those that are known
    allowed = 10 * np.array(doubts) + np.array(kinks) + 1e-8 * scale
    return same(gradient[known], np.array(slopes)[known], abs=allowed[known], at=place)


def _difference(model: Any, state: Floats, unit: Floats, step: float) -> float:
    return float(model.energy(state + step * unit) - model.energy(state - step * unit)) / (2 * step)


def _bend(model: Any, state: Floats, unit: Floats, step: float) -> float:
    """Return the difference of one-sided slopes: independent of the step at a kink, proportional to it elsewhere."""
    both = model.energy(state + step * unit) + model.energy(state - step * unit)
    return float(both - 2 * model.energy(state)) / step


def _graph(s: _Model) -> str:
    """Compare the model with the one that its graph makes, or the graph with second derivatives."""
    ask(s.model, "graph")
    if s.spins:
        again = type(s.model)(s.model.graph(), temperature=s.model.temperature)
        states = s.states("graph", 20)
        same(again.energy(states), s.model.energy(states), abs=_rounding(s, states))
        if hasattr(s.model, "couplings"):
            alike(_dense(again.couplings), _dense(s.model.couplings), rel=0.0, abs=0.0)
        return f"{s.model.size} spins there and back"
    ask(s.model, "gradient", "unpack", "samples", "free")
    s.few()
    return _second_derivatives(s)


def _second_derivatives(s: _Model) -> str:
    model = s.model.in_doubles() if hasattr(s.model, "in_doubles") else s.model
    state, step = s.states("second derivatives", 1)[0], 1e-4
    try:
        rows = [
            model.gradient(state + step * unit) - model.gradient(state - step * unit) for unit in np.eye(state.size)
        ]
    except ValueError as reason:
        raise NotAsked(f"there is no gradient: {reason}") from None
    hessian = np.array(rows) / (2 * step)
    number = model.unpack(np.arange(state.size, dtype=float))
    names: dict[int, tuple[Any, ...]] = {}
    for m, layer in enumerate(number.neurons, 1):
        names.update({int(k): ("h", m, i) for i, k in enumerate(layer[0])})
    if "weights" in model.free:
        for m, matrix in enumerate(number.weights):
            names.update({int(k): ("W", m, *map(int, i)) for i, k in np.ndenumerate(matrix)})
    if "biases" in model.free:
        for m, vector in enumerate(number.biases):
            names.update({int(k): ("b", m, i) for i, k in enumerate(vector)})
    graph = s.model.graph(parameters=len(model.free) > 1)
    coupled = np.argwhere(np.triu(np.abs(hessian) > 1e-5 * max(1.0, float(np.abs(hessian).max())), 1))
    pairs = [(names[a], names[b]) for a, b in coupled.tolist() if a in names and b in names]
    for a, b in pairs:
        if not graph.has_edge(a, b):
            raise Broken(f"{a} and {b} have a second derivative and no edge")
    return f"{len(pairs)} pairs with a second derivative"


def _exact_averages(s: _Model) -> str:
    """Compare exact averages with sums over all states, or with the Gaussian of the gradient."""
    ask(s.model, "exact")
    if s.spins:
        if s.model.size > MOST_ENUMERATED:
            raise NotAsked(f"{s.model.size} spins are more than the {MOST_ENUMERATED} that are enumerated")
    else:
        ask(s.model, "gradient")
        s.few()
    try:
        averages = s.model.exact()
    except ValueError as reason:
        raise NotAsked(f"there are none: {reason}") from None
    if s.spins:
        return _enumerated(s.model, averages)
    if s.eps > 1e-10:
        raise NotAsked("the gradient has float32 only")
    return _gaussian(s.model, averages)


def _enumerated(model: Any, averages: Any) -> str:
    states = np.array(list(itertools.product([-1, 1], repeat=model.size)))
    energy = np.array([model.energy(state) for state in states], dtype=np.longdouble)
    weight = np.exp(-(energy - energy.min()) / model.temperature)
    p = weight / weight.sum()
    mean, m = p @ energy, p @ states
    allowed = 1e-12 * max(1.0, float(np.abs(energy).max()) / model.temperature)
    seen = p[p > 0]
    expected = {
        "log_partition": float(np.log(weight.sum()) - energy.min() / model.temperature),
        "energy": float(mean),
        "heat_capacity": float(p @ (energy - mean) ** 2 / model.temperature**2),
        "entropy": float(-(seen * np.log(seen)).sum()),
        "magnetisation": m.astype(float),
        "correlation": ((states - m).T @ (p[:, None] * (states - m))).astype(float),
    }
    for name, value in expected.items():
        unit = model.temperature if name == "energy" else 1.0
        place = lambda i, name=name: f"{name}{list(i) if i else ''}: "  # noqa: E731 - of this
        if getattr(averages, name, None) is not None:
            same(getattr(averages, name), value, rel=allowed, abs=allowed * unit, at=place)
    return f"{len(states)} states"


def _gaussian(model: Any, averages: Any) -> str:
    d = model.dimension
    at_zero = model.gradient(np.zeros(d))
    precision = np.array([model.gradient(unit) - at_zero for unit in np.eye(d)])
    mean = -np.linalg.solve(precision, at_zero)
    least = model.energy(mean)
    size = max(1.0, float(np.abs(mean).max()))
    condition = 1e-13 * float(np.linalg.cond(precision))
    expected = d / 2 * math.log(2 * math.pi) - least - np.linalg.slogdet(precision)[1] / 2
    same(averages.log_partition, expected, rel=1e-8, abs=1e-8, at=lambda _: "log_partition: ")
    same(averages.energy, least + d / 2, rel=1e-8, at=lambda _: "energy: ")
    same(averages.mean, mean, abs=(1e-9 + condition) * size, at=lambda i: f"mean of variable {i[0]}: ")
    if averages.covariance is None:
        return f"{d} variables, no covariance"
    covariance = np.linalg.inv(precision)
    allowed = (1e-9 + condition) * float(np.abs(covariance).max())
    return same(averages.covariance, covariance, abs=allowed, at=lambda i: f"covariance {list(i)}: ")


def _temperature(s: _Model) -> str:
    """Compare energies at another temperature with those at this."""
    ask(s.model, "at", "temperature")
    warm, states = s.model.at(2 * s.model.temperature), s.states("temperature", 5)
    same(warm.temperature, 2 * s.model.temperature, at=lambda _: "temperature: ")
    return same(warm.energy(states), s.model.energy(states))


def _variables(s: _Model) -> str:
    """Compare states that are unpacked and packed with the first."""
    ask(s.model, "pack", "unpack")
    states = s.states("variables", 2, 3)
    same(s.model.pack(s.model.unpack(states)), states)
    return same(s.model.energy(s.model.unpack(states)), s.model.energy(states))


def _copies(s: _Model) -> str:
    """Compare pickled and copied models with the first."""
    return copies(s.model)


LAWS = (
    _one_by_one, _energy, _gradient, _graph, _exact_averages, _temperature, _variables, _copies,
)  # fmt: skip
