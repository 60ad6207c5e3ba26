"""Independent draws by forward simulation, for models without targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from statnn._random import Root, stream
from statnn.interaction import DynamicNeurons, State
from statnn.montecarlo._dynamic.hamiltonian_kernels import multiply
from statnn.montecarlo._method import Method, Values, Walkers


def simulate(model: DynamicNeurons, streams: Sequence[np.random.Generator]) -> Values:
    """Draw one state per stream from the model without its targets, shape (len(streams), dimension)."""
    net, spread = model.net, (2 * model.stiffness) ** -0.5
    drawn = []
    for generator in streams:
        weights, biases, neurons = list(net.weights), list(net.biases), []
        if model.prior is not None and "weights" in model.free:
            weights = [generator.standard_normal(w.shape) * model.prior.sigma_w / w.shape[1] ** 0.5 for w in weights]
        if model.prior is not None and "biases" in model.free:
            biases = [generator.standard_normal(b.shape) * model.prior.sigma_b for b in biases]
        below = model.inputs
        for m, (weight, bias, sigma) in enumerate(zip(weights, biases, net.activations, strict=True)):
            with np.errstate(over="ignore", invalid="ignore"):  # refused below
                computed = sigma((multiply(below, weight.T) + bias).astype(net.dtype))
            below = computed + spread * generator.standard_normal(computed.shape)
            if not np.isfinite(below.astype(net.dtype)).all():
                raise ValueError(
                    f"a draw of layer {m} exceeds the range of {net.dtype}: bring down inputs, weights or the "
                    "variances of the prior"
                )
            neurons.append(below)
        drawn.append(model.pack(State(tuple(neurons), tuple(weights), tuple(biases))))
    return np.stack(drawn)


@dataclass(frozen=True)
class Ancestral(Method[DynamicNeurons]):
    r"""Exact, independent draws of a model without targets: parameters from the prior, then layer after layer.

    Without targets p(W, b, h) = p(W) p(b) Π_m N(h^(m+1); σ(W^(m) h^(m) + b^(m)), 1/(2λ)), since the normalisation of a
    layer does not depend on what is below it. A sweep is one draw; there is nothing to burn in, and no initial state.

    Source: the Hamiltonian of `DynamicNeurons` read from below [exact].

    See Also
    --------
    Hamiltonian : with targets.

    Examples
    --------
    >>> from statnn import Network
    >>> from statnn.interaction import DynamicNeurons
    >>> from statnn.montecarlo import sample
    >>> model = DynamicNeurons(Network([[[1.0]]], activation="tanh"), inputs=[[0.5]], stiffness=50.0)
    >>> run = sample(model, 1000, method=Ancestral(), burn_in=0, rng=1)
    >>> bool(abs(run.estimate("energy").mean - 0.5) < 0.1)
    True
    """

    name: ClassVar[str] = "ancestral"
    model_type = DynamicNeurons
    observables: ClassVar[tuple[str, ...]] = ("energy",)

    def check(self, model: DynamicNeurons) -> None:
        """Raise unless the model has no targets."""
        if model.targets is not None:
            raise ValueError(
                "the model has targets, which act back on all layers below: take method='hamiltonian', or leave the "
                "targets out of the model"
            )

    def block(self, model: DynamicNeurons, chains: int) -> int:
        """Return 1: chains share nothing."""
        del model, chains
        return 1

    def memory(self, model: DynamicNeurons, chains: int) -> int:
        """Return the bytes of the states, and of one more state while they are drawn."""
        return 24 * (chains + 1) * model.dimension

    def walkers(self, model: DynamicNeurons, seed: Root, chains: Sequence[int], initial: Values | None) -> Walkers:
        """Return the chains."""
        if initial is not None:
            raise ValueError("ancestral draws are independent of any start: leave initial out")
        return _Draws(model, [stream(seed, chain) for chain in chains])


class _Draws(Walkers):
    changing: ClassVar[tuple[str, ...]] = ("_streams", "_states")

    def __init__(self, model: DynamicNeurons, streams: list[np.random.Generator]) -> None:
        self._model, self._streams = model, streams
        self._states = simulate(model, streams)

    def burn_in(self, sweeps: int) -> None:
        del sweeps  # draws are independent from the first on

    def sweep(self, sweeps: int) -> None:
        for _ in range(sweeps):
            self._states = simulate(self._model, self._streams)

    def observe(self, name: str) -> Values:
        del name  # there is only one
        return np.atleast_1d(self._model.energy(self._states))

    def states(self) -> Values:
        return self._states

    def diagnostics(self) -> dict[str, Values]:
        return {"acceptance": np.ones(len(self._streams))}
