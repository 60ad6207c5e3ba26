"""Activation functions: a name, the function and its derivative.

Those of `ACTIVATIONS` are known to the kernels by their `code`; a function of a user's own is called as it is.
All are elementwise, keep float32 and float64, and are exact to a few units in the last place of their precision;
the derivatives too, also where they are tiny: tanh' is computed as 4t/(1+t)² with t = exp(-2|h|), since 1 - tanh² has
no digits left in the tails. Only erf', a Gaussian, loses digits as h² grows.
"""

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
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
        Array in, array of the same shape out. To be sent to another process they must be functions that can be
        imported: defined at the top of a module, not a lambda.

    Attributes
    ----------
    code : int
        Number by which kernels know the function; -1 for a function of your own.
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
    code: int = field(default=OWN, init=False)
    slope: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise TypeError(f"name = {self.name!r} of an activation is a {type(self.name).__name__}; pass a str")
        for name in ("function", "derivative"):
            if not callable(getattr(self, name)):
                raise TypeError(f"{name} of activation {self.name!r} is not callable: pass a function of arrays")

    def __call__(self, fields: Values) -> Values:
        return self.function(fields)

    def __repr__(self) -> str:
        return f"Activation({self.name!r})"

    def __copy__(self) -> "Activation":
        return self

    def __deepcopy__(self, memo: Any) -> "Activation":
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        for name in ("function", "derivative"):
            try:
                pickle.dumps(getattr(self, name))
            except (pickle.PicklingError, AttributeError, TypeError) as error:
                raise pickle.PicklingError(
                    f"{name} of activation {self.name!r} cannot be sent to another process or stored ({error}): "
                    "define it at the top of a module, not as a lambda or inside a function"
                ) from None
        return _made, (self.name, self.function, self.derivative, self.code, self.slope)


def _made(
    name: str,
    function: Callable[[Values], Values],
    derivative: Callable[[Values], Values],
    code: int,
    slope: float = 0.0,
) -> Activation:
    result = Activation(name, function, derivative)
    object.__setattr__(result, "code", code)
    object.__setattr__(result, "slope", slope)
    return result


def _precision(h: Values) -> Any:
    """Return the dtype of a result: whole numbers become float64."""
    return h.dtype if h.dtype.kind == "f" else np.dtype(np.float64)


def _identity(h: Values) -> Values:
    return h.astype(_precision(h))


def _one(h: Values) -> Values:
    return np.ones(h.shape, _precision(h))


def _zero(h: Values) -> Values:
    return np.zeros(h.shape, _precision(h))


def _tanh_slope(h: Values) -> Values:
    t = np.exp(-2 * np.abs(h))
    result: Values = 4 * t / (1 + t) ** 2
    return result


def _erf(h: Values) -> Values:
    result: Values = special.erf(h)
    return result


def _erf_slope(h: Values) -> Values:
    result: Values = _precision(h).type(2 / np.sqrt(np.pi)) * np.exp(-np.square(h))
    return result


def _relu(h: Values) -> Values:
    return np.maximum(h, 0).astype(_precision(h), copy=False)


def _step(h: Values) -> Values:
    return (h > 0).astype(_precision(h))


def _sigmoid(h: Values) -> Values:
    result: Values = special.expit(h)
    return result


def _sigmoid_slope(h: Values) -> Values:
    result: Values = special.expit(h) * special.expit(-h)
    return result


def _sign(h: Values) -> Values:
    return np.where(h >= 0, 1, -1).astype(_precision(h))


@dataclass(frozen=True)
class _Leaky:
    """The two functions of the leaky ReLU, with their slope; an object, so that networks can be pickled."""

    slope: float
    derivative: bool

    def __call__(self, h: Values) -> Values:
        one, slope = _precision(h).type(1), _precision(h).type(self.slope)
        return np.where(h > 0, one, slope) if self.derivative else np.where(h > 0, h, slope * h)


IDENTITY, TANH, ERF, RELU, LEAKY_RELU, SIGMOID, SIGN = range(7)


def leaky_relu(slope: float = 0.01) -> Activation:
    """Return σ(h) = h above zero and `slope` · h below.

    Parameters
    ----------
    slope : float
        Any finite number; 0 makes the ReLU, 1 the identity.

    Examples
    --------
    >>> leaky_relu(0.1)(np.array([2.0, -2.0]))
    array([ 2. , -0.2])
    """
    if np.ndim(slope) or np.asarray(slope).dtype.kind not in "iuf" or not np.isfinite(slope):
        raise ValueError(f"slope = {slope!r} of the leaky ReLU must be one finite number, for example 0.01")
    number = float(slope)
    return _made("leaky relu", _Leaky(number, derivative=False), _Leaky(number, derivative=True), LEAKY_RELU, number)


ACTIVATIONS: dict[str, Activation] = {
    "identity": _made("identity", _identity, _one, IDENTITY),
    "tanh": _made("tanh", np.tanh, _tanh_slope, TANH),
    "erf": _made("erf", _erf, _erf_slope, ERF),
    "relu": _made("relu", _relu, _step, RELU),
    "leaky relu": leaky_relu(),
    "sigmoid": _made("sigmoid", _sigmoid, _sigmoid_slope, SIGMOID),
    "sign": _made("sign", _sign, _zero, SIGN),
}
"""By name: identity, tanh, erf, relu, leaky relu, sigmoid, and sign (+1 at zero; its derivative is zero wherever it
exists). The derivative of relu and leaky relu at zero is that from the left."""


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
