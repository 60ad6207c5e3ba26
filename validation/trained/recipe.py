"""How a network is trained: one frozen object, which the cache knows it by."""

import math
from dataclasses import dataclass

import numpy as np

from statnn._arguments import increasing, positive, whole

LOGISTIC_NAMES = {"identity": "identity", "tanh": "tanh", "relu": "relu", "sigmoid": "logistic"}
"""Activations that scikit-learn has, and its names for them."""
LOSSES = ("cross entropy", "squared")
OPTIMISERS = ("adam", "sgd")
GAINS = {"identity": 1.0, "tanh": 1.0, "erf": 1.0, "sigmoid": 1.0, "relu": math.sqrt(2), "leaky relu": math.sqrt(2)}
"""Activations that can be trained, with the root of the variance of weights times fan-in at ``scale = 1``."""


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Parameters
    ----------
    widths : tuple of int
        Inputs first, classes last; the outputs are logits.
    activation : str
        A key of `GAINS`, for every layer but the last.
    normalised : bool
        Whether the fields of hidden layers pass a batch normalisation before the activation; snapshots carry its
        running statistics (momentum 0.1, unbiased variance, as torch keeps them).
    loss : str
        ``"cross entropy"`` in nats, or ``"squared"``: the mean over samples and outputs of (output − one-hot)².
    optimiser : str
        ``"adam"`` (with decoupled decay) or ``"sgd"``.
    learning_rate, momentum, weight_decay : float
        Momentum is that of ``"sgd"``. The decay acts on weights alone and takes learning_rate · weight_decay · w
        from w per step.
    scale : float
        Factor of the initial weights, W_ij ~ N(0, scale² GAINS[activation]²/n_in) below the last layer and
        N(0, scale²/n_in) in it; biases start at zero.
    batch : int
        Samples per step, drawn without replacement in every epoch; at most the number of training images counts.
    snapshots : tuple of int
        Epochs, increasing; 0 is the start, the last one the end of the training.
    """

    widths: tuple[int, ...]
    activation: str = "relu"
    normalised: bool = False
    loss: str = "cross entropy"
    optimiser: str = "adam"
    learning_rate: float = 1e-3
    momentum: float = 0.0
    weight_decay: float = 0.0
    scale: float = 1.0
    batch: int = 64
    snapshots: tuple[int, ...] = (0, 20)

    def __post_init__(self) -> None:
        widths = tuple(whole(n, f"widths[{m}]", minimum=1) for m, n in enumerate(self.widths))
        if len(widths) < 2 or widths[-1] < 2:
            raise ValueError(f"widths = {widths} need inputs and at least two classes, for example (64, 32, 10)")
        object.__setattr__(self, "widths", widths)
        for name, allowed in (("activation", tuple(GAINS)), ("loss", LOSSES), ("optimiser", OPTIMISERS)):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} = {getattr(self, name)!r} is unknown; choose from {', '.join(allowed)}")
        for name in ("learning_rate", "scale"):
            object.__setattr__(self, name, positive(getattr(self, name), name, why="it multiplies what is trained"))
        for name in ("momentum", "weight_decay"):
            value = float(getattr(self, name))
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} = {value} must be a finite number >= 0")
            object.__setattr__(self, name, value)
        if self.momentum >= 1 or (self.momentum and self.optimiser != "sgd"):
            raise ValueError(f"momentum = {self.momentum} must be below 1 and belongs to optimiser='sgd'")
        object.__setattr__(self, "batch", whole(self.batch, "batch", minimum=1))
        times = increasing(np.asarray(self.snapshots), "snapshots").tolist()
        object.__setattr__(self, "snapshots", tuple(times))

    @property
    def plain(self) -> bool:
        """Whether scikit-learn can train it too."""
        return (
            not self.normalised
            and self.loss == "cross entropy"
            and not self.weight_decay
            and self.activation in LOGISTIC_NAMES
            and len(self.widths) > 2
            and self.widths[-1] > 2
        )
