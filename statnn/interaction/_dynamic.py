"""Neurons as dynamic degrees of freedom: the Hamiltonian of a network whose layers may fluctuate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from statnn._arguments import array_of, positive
from statnn._arrays import read_only
from statnn._by_value import ByValue
from statnn._labelled import refuse_other_order
from statnn.interaction._state import Prior, Reals, State
from statnn.network import Network

if TYPE_CHECKING:
    from statnn.interaction._exact.gaussian import ExactGaussian

FREE = ("neurons", "weights", "biases")


class DynamicNeurons(ByValue):
    r"""Neurons that fluctuate about what their network computes, p ∝ exp(-βH).

    βH = β Σ_μ |y_μ - h_μ^(M)|² + λ Σ_μ Σ_m |h_μ^(m+1) - σ_m(W^(m) h_μ^(m) + b^(m))|²
    + Σ n_in W²/(2σ_w²) + Σ b²/(2σ_b²), the last two only for free weights and biases.

    Sample μ enters by its clamped input h_μ^(0) = x_μ. λ → ∞ gives the network back. H is local in m.
    Source: arXiv 2410.00396 (deltas widened to Gaussians); the parametrisation of the prior is ours.

    Parameters
    ----------
    net : Network
        The network; it sets weights and biases that are not free. Its precision is the precision of states.
    inputs : array_like, shape (samples, n_0) or (n_0,)
        x, clamped.
    targets : array_like, shape (samples, n_M) or (n_M,), or None
        y; None drops the first term.
    beta : float
        β > 0, weight of the targets.
    stiffness : float
        λ > 0: every layer adds Gaussian noise of variance 1/(2λ).
    free : sequence of {"neurons", "weights", "biases"}
        What fluctuates, the neurons in any case: ("neurons", "weights", "biases") for all.
    prior : Prior or None
        Prior of free weights and biases, `Prior()` when None; an error if neither is free.

    Raises
    ------
    TypeError, ValueError
        If shapes do not match, names in `free` are unknown or numbers are not positive.

    See Also
    --------
    BinaryNeurons : neurons that are spins.
    Prior : the prior of free weights and biases.
    translation_symmetry : what repeats in depth.
    statnn.montecarlo.sample : draws states.

    References
    ----------
    Lee, Lee & Yi 2024.

    Examples
    --------
    >>> from statnn import Network
    >>> net = Network.repeated([[1.0]], activation="identity", depth=2)
    >>> model = DynamicNeurons(net, inputs=[[1.0]], targets=[[2.0]], beta=0.5, stiffness=3.0)
    >>> model.energy(model.deterministic()), model.dimension
    (0.5, 2)
    >>> state = model.deterministic()
    >>> model.gradient(state).round(6)
    array([ 0., -1.])
    >>> model.pack(model.unpack(state)) == state
    array([ True,  True])
    >>> model.states([1.0, 2.0]), model.in_doubles() == model
    (array([1., 2.]), True)
    >>> model.check_smooth()  # it would raise
    >>> ax = model.plot()
    """

    net: Network
    inputs: Reals
    targets: Reals | None
    beta: float
    stiffness: float
    free: tuple[str, ...]
    prior: Prior | None

    def __init__(
        self,
        net: Network,
        inputs: ArrayLike,
        targets: ArrayLike | None = None,
        beta: float = 1.0,
        stiffness: float = 1.0,
        free: Sequence[str] = ("neurons",),
        prior: Prior | None = None,
    ) -> None:
        if not isinstance(net, Network):
            raise TypeError(f"net is a {type(net).__name__}; pass a statnn.Network")
        x = np.atleast_2d(net.inputs(inputs))
        if not isinstance(free, Iterable):
            raise TypeError(f"free = {free!r} is a {type(free).__name__}; pass names out of {', '.join(FREE)}")
        names = (free,) if isinstance(free, str) else tuple(free)
        if unknown := [name for name in names if name not in FREE]:
            raise ValueError(f"free = {names} has the unknown name {unknown[0]!r}; allowed are {', '.join(FREE)}")
        if len(set(names)) != len(names):
            raise ValueError(f"free = {names}, but each name stands once")
        if "neurons" not in names:
            raise ValueError(
                f"free = {names}, but the neurons are always free: write free={('neurons', *names)}. Where neurons are "
                "to do what their network computes, take a large stiffness"
            )
        if prior is not None and not isinstance(prior, Prior):
            raise TypeError(f"prior is a {type(prior).__name__}; pass statnn.interaction.Prior(sigma_w, sigma_b)")
        if prior is not None and len(names) == 1:
            raise ValueError("prior is given but neither weights nor biases are free: name them in free=")
        own = self.__dict__
        refuse_other_order(targets, "targets", inputs, "inputs")
        own["net"], own["inputs"] = net, read_only(x.copy())
        own["targets"] = None if targets is None else read_only(_targets(targets, len(x), net).copy())
        own["beta"] = positive(beta, "beta", why="it weighs the distance to the targets; leave targets out to drop it")
        own["stiffness"] = positive(stiffness, "stiffness", why="it binds the neurons to their network")
        own["free"] = tuple(name for name in FREE if name in names)
        own["prior"] = prior if prior is not None or len(names) == 1 else Prior()
        self._refuse_beyond_floats()

    @property
    def samples(self) -> int:
        """Number of samples."""
        return len(self.inputs)

    @cached_property
    def shapes(self) -> dict[str, tuple[tuple[int, ...], ...]]:
        """Shape of every free array by kind, in the order in which a state holds them."""
        widths = self.net.widths
        every = {
            "neurons": tuple((self.samples, n) for n in widths[1:]),
            "weights": tuple(w.shape for w in self.net.weights),
            "biases": tuple(b.shape for b in self.net.biases),
        }
        return {name: every[name] for name in self.free}

    @cached_property
    def dimension(self) -> int:
        """Number of free variables, the length of a state."""
        return sum(int(np.prod(shape)) for shapes in self.shapes.values() for shape in shapes)

    def pack(self, state: State) -> Reals:
        """Return the free arrays of a `State` as one vector, shape (..., dimension).

        Raises
        ------
        TypeError, ValueError
            If arrays are missing, have other shapes, or do not hold real numbers.
        """
        parts = [array_of(a, "an array of the state") for name in self.free for a in getattr(state, name)]
        shapes = [shape for name in self.free for shape in self.shapes[name]]
        if len(parts) != len(shapes):
            raise ValueError(f"the state has {len(parts)} free arrays; this model needs {len(shapes)}: {self.shapes}")
        flat = []
        for part, shape in zip(parts, shapes, strict=True):
            if part.dtype.kind not in "biuf":
                raise TypeError(f"an array of the state must hold real numbers, not {part.dtype}")
            if part.shape[part.ndim - len(shape) :] != shape:
                raise ValueError(f"an array of shape {part.shape} stands where (..., {shape}) is needed")
            flat.append(part.reshape(*part.shape[: part.ndim - len(shape)], -1))
        lead = np.broadcast_shapes(*(part.shape[:-1] for part in flat))
        together = [np.broadcast_to(part, (*lead, part.shape[-1])) for part in flat]
        return np.concatenate(together, axis=-1).astype(self.net.dtype, copy=False)

    def unpack(self, state: ArrayLike) -> State:
        """Return the arrays by name of states of shape (..., dimension); what is not free comes from the network."""
        array = self.states(state)
        arrays: dict[str, tuple[Reals, ...]] = {"weights": self.net.weights, "biases": self.net.biases}
        start = 0
        for name, shapes in self.shapes.items():
            parts = []
            for shape in shapes:
                stop = start + int(np.prod(shape))
                parts.append(array[..., start:stop].reshape(*array.shape[:-1], *shape))
                start = stop
            arrays[name] = tuple(parts)
        return State(**arrays)

    def states(self, state: ArrayLike | State) -> Reals:
        """Return states as an array of shape (..., dimension) in the precision of the network, or raise.

        Raises
        ------
        ValueError
            If the shape is another, or a variable is not finite in the precision of the network.
        """
        array = self.pack(state) if isinstance(state, State) else array_of(state, "state")
        if array.dtype.kind not in "biuf" or array.ndim == 0 or array.shape[-1] != self.dimension:
            raise ValueError(
                f"state has shape {array.shape} and type {array.dtype}; the last axis must hold the "
                f"{self.dimension} free variables: see unpack"
            )
        with np.errstate(over="ignore"):
            result: Reals = array.astype(self.net.dtype, copy=False)
        if not np.isfinite(result).all():
            raise ValueError(
                f"state holds NaN, infinity or what is beyond {self.net.dtype}; every free variable must be finite"
            )
        return result

    def deterministic(self) -> Reals:
        """Return the state in which every neuron is what its network computes, shape (dimension,)."""
        trace = self.net.trace(self.inputs)
        return self.pack(State(trace.activations[1:], self.net.weights, self.net.biases))

    def energy(self, state: ArrayLike | State) -> Any:
        """Return βH of states of shape (..., dimension): float64 of shape (...), a float for one state.

        Raises
        ------
        ValueError
            If βH is beyond float64, or a field beyond the precision of the network.
        """
        array = self.states(state)
        h, weights, biases = self.unpack(array)
        beta_h = np.zeros(array.shape[:-1])
        with np.errstate(over="ignore", invalid="ignore"):  # refused below
            if self.targets is not None:
                beta_h += self.beta * _squares(self.targets - h[-1], 2)
            below: Reals = self.inputs
            for m, sigma in enumerate(self.net.activations):
                computed = sigma(_fields(below, weights[m], biases[m]))
                beta_h += self.stiffness * _squares(h[m] - computed, 2)
                below = h[m]
            for precision, parts in self._priors(weights, biases):
                beta_h += precision / 2 * _squares(parts, parts.ndim - (array.ndim - 1))
        self._refuse_overflow(beta_h, array, "βH")
        return beta_h.item() if beta_h.ndim == 0 else beta_h

    def gradient(self, state: ArrayLike | State) -> Reals:
        """Return the gradient of βH with respect to the state, shape (..., dimension).

        Raises
        ------
        ValueError
            If a layer's activation is sign, whose derivative is zero wherever it exists; if a slope is beyond the
            precision of the network.
        """
        self.check_smooth()
        array = self.states(state)
        with np.errstate(over="ignore", invalid="ignore"):  # refused below
            gradient = self._gradient(array)
        self._refuse_overflow(gradient, array, "the gradient of βH")
        return gradient

    def _gradient(self, array: Reals) -> Reals:
        h, weights, biases = self.unpack(array)
        layers = range(self.net.depth)
        below = (self.inputs, *h[:-1])
        fields = [_fields(below[m], weights[m], biases[m]) for m in layers]
        gaps = [h[m] - self.net.activations[m](fields[m]) for m in layers]
        # the derivative of βH by the fields of layer m
        cost = [-2 * self.stiffness * gaps[m] * self.net.activations[m].derivative(fields[m]) for m in layers]
        slopes: dict[str, list[Reals]] = {"neurons": [2 * self.stiffness * gap for gap in gaps]}
        for m in layers[1:]:
            slopes["neurons"][m - 1] = slopes["neurons"][m - 1] + cost[m] @ weights[m]
        if self.targets is not None:
            slopes["neurons"][-1] = slopes["neurons"][-1] + 2 * self.beta * (h[-1] - self.targets)
        slopes["weights"] = [np.swapaxes(cost[m], -1, -2) @ below[m] for m in layers]
        slopes["biases"] = [cost[m].sum(axis=-2) for m in layers]
        if self.prior is not None:
            for m in layers:
                precision = self.net.widths[m] / self.prior.sigma_w**2
                slopes["weights"][m] = slopes["weights"][m] + precision * weights[m]
                slopes["biases"][m] = slopes["biases"][m] + biases[m] / self.prior.sigma_b**2
        return self.pack(State(**{name: tuple(parts) for name, parts in slopes.items()}))

    def exact(self, *, covariance: bool = True) -> ExactGaussian:
        """Return exact averages of a linear network, whose βH is quadratic.

        All activations must be the identity. At any depth the neurons, or neurons and biases, may be free; weights
        only in a network of one layer.

        Parameters
        ----------
        covariance : bool
            False leaves out the (dimension, dimension) matrix, which is refused above 5000 variables.

        Raises
        ------
        ValueError
            If βH is not quadratic, or the covariance too large: the reason is given.

        Examples
        --------
        >>> from statnn import Network
        >>> net = Network([[[2.0]]], activation="identity")
        >>> gaussian = DynamicNeurons(net, [[1.0]], [[4.0]], beta=0.5, stiffness=0.5).exact()
        >>> gaussian.mean, gaussian.covariance
        (array([3.]), array([[0.5]]))
        """
        from statnn.interaction._exact.gaussian import gaussian

        return gaussian(self, covariance=covariance)

    def graph(self, *, parameters: bool = False, factors: bool = False, layers: bool = False) -> Any:
        """Return the interaction graph of one sample as a `networkx.Graph`, up to 5000 nodes and 500 000 edges.

        Samples interact only through free weights and biases, all in the same way.

        Parameters
        ----------
        parameters : bool
            Whether free weights and biases are nodes; neurons alone, at the weights of the network, when False.
        factors : bool
            False joins any two variables that share a term of βH, which is the pattern of its second derivatives.
            True makes a node of every term, one per unit and one per target, and joins it to the variables in it.
        layers : bool
            True for the graph of the layers instead, of any size: nodes carry ``width``, edges ``coupling``, the root
            mean square of the weights.

        Returns
        -------
        networkx.Graph
            Nodes ``("h", m, i)`` are h_i^(m), inputs for m = 0; ``("y", i)`` targets; ``("W", m, i, j)`` and
            ``("b", m, i)`` free parameters; ``("f", m, i)`` the term of unit i of layer m. They carry ``kind``
            ("neuron", "input", "target", "weight", "bias", "factor"), ``layer``, ``index`` and ``clamped``; two that
            are clamped are not joined. Edges between neurons carry ``coupling``: J of the part −J h h' of βH where σ
            has unit slope, 2λW_ij between layers, -2λ Σ_i W_ij W_ik in a layer, 2β to targets. Edges of a factor carry
            W_ij, or 1 to its own unit.

        Raises
        ------
        ValueError
            If the graph is too large, or parameters are asked for that are not free.

        Examples
        --------
        >>> from statnn import Network
        >>> net = Network([[[1.0], [2.0]], [[3.0, -1.0]]], activation="tanh")
        >>> graph = DynamicNeurons(net, [[0.5]], stiffness=10.0).graph()
        >>> graph.edges[("h", 1, 0), ("h", 1, 1)], graph.nodes["h", 0, 0]["kind"]  # by the unit above
        ({'coupling': 60.0}, 'input')
        """
        from statnn.interaction._views.graph import dynamic_graph

        return dynamic_graph(self, parameters=parameters, factors=factors, layers=layers)

    def plot(self, ax: Any | None = None, *, parameters: bool = False, layers: bool | None = None) -> Any:
        """Draw the interaction graph of one sample, layers as columns and couplings as coloured lines; return the axes.

        Parameters
        ----------
        ax : matplotlib axes or None
            Where to draw; new axes when None.
        parameters : bool
            Whether free weights and biases are drawn, as squares at the terms that hold them.
        layers : bool or None
            True draws one bar per layer, False every neuron; None every neuron up to 400 nodes and 20 000 lines.

        Raises
        ------
        ValueError
            If nodes are to be drawn one by one and there are more, or parameters are asked for that are not free.
        """
        from statnn.interaction._views.picture import draw_dynamic

        return draw_dynamic(self, ax, parameters, layers)

    def check_smooth(self) -> None:
        """Raise if an activation has no useful derivative."""
        for m, sigma in enumerate(self.net.activations):
            if sigma.flat:
                raise ValueError(
                    f"layer {m} has the activation {sigma.name}, whose derivative is zero wherever it exists; use a "
                    "steep tanh, or BinaryNeurons for binary units"
                )

    def in_doubles(self) -> DynamicNeurons:
        """Return the same model in float64."""
        net = self.net
        weights, biases = ([array.astype(np.float64) for array in arrays] for arrays in (net.weights, net.biases))
        double = Network(weights, biases, net.activations)
        return self._of(double, free=self.free, prior=self.prior)

    def _of(self, net: Network, **more: Any) -> DynamicNeurons:
        return DynamicNeurons(net, self.inputs, self.targets, self.beta, self.stiffness, **more)

    def _refuse_beyond_floats(self) -> None:
        """Raise where a coefficient of βH leaves the precision of states."""
        limits = np.finfo(self.net.dtype)
        coefficients = {f"{name} = {getattr(self, name):g}": getattr(self, name) for name in ("beta", "stiffness")}
        for kind, sigma in zip(FREE[1:], (self.prior.sigma_w, self.prior.sigma_b) if self.prior else (), strict=False):
            if kind in self.free:
                coefficients[f"the precision 1/{sigma:g}² of the prior of {kind}"] = sigma**-2
        least, most = float(limits.tiny), float(limits.max) / (4 * max(self.net.widths))
        for name, value in coefficients.items():
            if not least <= value <= most:
                raise ValueError(f"{name} is outside [{least:.3g}, {most:.3g}], what {self.net.dtype} has room for")

    def _refuse_overflow(self, values: Any, states: Reals, what: str) -> None:
        """Raise if values computed from states are not finite."""
        if not np.isfinite(values).all():
            raise ValueError(
                f"{what} exceeds the range of floating point: the state reaches {np.abs(states).max():.3g}, inputs "
                f"{np.abs(self.inputs).max():.3g}, beta = {self.beta:g}, stiffness = {self.stiffness:g}; bring down "
                "what is large"
            )

    def _priors(self, weights: Sequence[Reals], biases: Sequence[Reals]) -> list[tuple[float, Reals]]:
        """Return precision and values of every free parameter array."""
        priors: list[tuple[float, Reals]] = []
        if self.prior is not None and "weights" in self.free:
            priors += [(w.shape[-1] / self.prior.sigma_w**2, w) for w in weights]
        if self.prior is not None and "biases" in self.free:
            priors += [(self.prior.sigma_b**-2, b) for b in biases]
        return priors

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"DynamicNeurons are immutable: make a new model with another {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"DynamicNeurons are immutable: {name} cannot be deleted")

    def _compared(self) -> tuple[Any, ...]:
        return self.net, self.inputs, self.targets, self.beta, self.stiffness, self.free, self.prior

    def __deepcopy__(self, memo: Any) -> DynamicNeurons:
        return self

    def _stored(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        names = ("net", "inputs", "targets", "beta", "stiffness", "free", "prior")
        return {name: getattr(self, name) for name in names}

    def __repr__(self) -> str:
        return (
            f"DynamicNeurons({self.net!r}, samples={self.samples}, targets={self.targets is not None}, "
            f"beta={self.beta:g}, stiffness={self.stiffness:g}, free={self.free})"
        )


def _fields(below: Reals, weight: Reals, bias: Reals) -> Reals:
    return below @ np.swapaxes(weight, -1, -2) + bias[..., None, :]


def _squares(values: Reals, axes: int) -> Any:
    """Return the sum of squares over the last axes, in float64."""
    return np.sum(np.square(values, dtype=np.float64), axis=tuple(range(-axes, 0)))


def _targets(targets: ArrayLike, samples: int, net: Network) -> Reals:
    array = array_of(targets, "targets")
    if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
        raise ValueError(
            f"targets of type {array.dtype} must be finite real numbers: drop samples whose targets are unknown"
        )
    array = np.atleast_2d(array)
    if array.shape != (samples, net.widths[-1]):
        raise ValueError(
            f"targets have shape {np.shape(targets)}; {samples} samples of the {net.widths[-1]} units of the output "
            f"layer need ({samples}, {net.widths[-1]}): encode class labels as vectors, numpy.eye(classes)[labels]"
        )
    with np.errstate(over="ignore"):
        result: Reals = array.astype(net.dtype)
    if not np.isfinite(result).all():
        raise ValueError(f"targets reach {np.abs(array).max():.3g}, beyond the range of {net.dtype}")
    return result
