"""Activation functions: a name, the function and its derivative.

Those of `ACTIVATIONS` are known to the kernels by their `code`; a function of a user's own is called as it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

Values: TypeAlias = NDArray[Any]

OWN = -1
"""Code of functions that the kernels do not know."""


@dataclass(frozen=True)
class Activation:
    """An activation function σ with its derivative σ', both elementwise on arrays of any shape.

    Parameters
    ----------
    name : str
        What messages and labels say.
    function, derivative : callable
        Array in, array of the same shape and dtype out.
    code : int
        Number by which kernels know the function; leave it out for a function of your own.
    slope : float
        Slope below zero, of the leaky ReLU alone.

    Examples
    --------
    >>> square = Activation("square", np.square, lambda h: 2 * h)
    >>> square(np.array([1.0, -3.0]))
    array([1., 9.])
    """

    name: str
    function: Callable[[Values], Values]
    derivative: Callable[[Values], Values]
    code: int = OWN
    slope: float = 0.0

    def __post_init__(self) -> None:
        for name in ("function", "derivative"):
            if not callable(getattr(self, name)):
                raise TypeError(f"{name} of activation {self.name!r} is not callable: pass a function of arrays")

    def __call__(self, fields: Values) -> Values:
        return self.function(fields)

    def __repr__(self) -> str:
        return f"Activation({self.name!r})"


def _identity(h: Values) -> Values:
    return np.positive(h)


def _one(h: Values) -> Values:
    return np.ones_like(h)


def _tanh_slope(h: Values) -> Values:
    return 1 - np.tanh(h) ** 2


def _erf(h: Values) -> Values:
    result: Values = special.erf(h)
    return result


def _erf_slope(h: Values) -> Values:
    return h.dtype.type(2 / np.sqrt(np.pi)) * np.exp(-(h**2))


def _relu(h: Values) -> Values:
    return np.maximum(h, 0)


def _step(h: Values) -> Values:
    return (h > 0).astype(h.dtype)


def _sigmoid(h: Values) -> Values:
    result: Values = special.expit(h)
    return result


def _sigmoid_slope(h: Values) -> Values:
    return special.expit(h) * special.expit(-h)


def _sign(h: Values) -> Values:
    return np.where(h >= 0, 1, -1).astype(h.dtype)


@dataclass(frozen=True)
class _Leaky:
    """The two functions of the leaky ReLU, with their slope; an object, so that networks can be pickled."""

    slope: float
    derivative: bool

    def __call__(self, h: Values) -> Values:
        slope = h.dtype.type(self.slope)
        return np.where(h > 0, h.dtype.type(1), slope) if self.derivative else np.where(h > 0, h, slope * h)


IDENTITY, TANH, ERF, RELU, LEAKY_RELU, SIGMOID, SIGN = range(7)


def leaky_relu(slope: float = 0.01) -> Activation:
    """Return σ(h) = h above zero and `slope` · h below.

    Examples
    --------
    >>> leaky_relu(0.1)(np.array([2.0, -2.0]))
    array([ 2. , -0.2])
    """
    if not np.isfinite(slope):
        raise ValueError(f"slope = {slope} of the leaky ReLU must be finite, for example 0.01")
    return Activation("leaky relu", _Leaky(slope, False), _Leaky(slope, True), LEAKY_RELU, float(slope))


ACTIVATIONS: dict[str, Activation] = {
    "identity": Activation("identity", _identity, _one, IDENTITY),
    "tanh": Activation("tanh", np.tanh, _tanh_slope, TANH),
    "erf": Activation("erf", _erf, _erf_slope, ERF),
    "relu": Activation("relu", _relu, _step, RELU),
    "leaky relu": leaky_relu(),
    "sigmoid": Activation("sigmoid", _sigmoid, _sigmoid_slope, SIGMOID),
    "sign": Activation("sign", _sign, np.zeros_like, SIGN),
}
"""By name: identity, tanh, erf, relu, leaky relu, sigmoid, and sign (its derivative is zero wherever it exists)."""


def activation(value: str | Activation) -> Activation:
    """Return the activation of that name, or the activation itself."""
    if isinstance(value, Activation):
        return value
    if isinstance(value, str):
        if value in ACTIVATIONS:
            return ACTIVATIONS[value]
        raise ValueError(f"activation = {value!r} is unknown; there are {', '.join(ACTIVATIONS)}")
    raise TypeError(
        f"activation = {value!r} is a {type(value).__name__}; pass a name ({', '.join(ACTIVATIONS)}) or "
        "statnn.network.Activation(name, function, derivative)"
    )
