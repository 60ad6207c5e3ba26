"""Activation functions: a name, the function, its derivative, and where it has none.

Those of `ACTIVATIONS` are known to the kernels by their `code`; a function of a user's own is called as it is,
once it has been checked.
All are elementwise, keep float32 and float64, and are exact to a few units in the last place of their precision;
the derivatives too, also where they are tiny: tanh' is computed as 4t/(1+t)² with t = exp(-2|h|), since 1 - tanh² has
no digits left in the tails. Only erf', a Gaussian, loses digits as h² grows.
"""

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from statnn._arguments import array_of
from statnn.network._checked import check
from statnn.network._differences import Numerical

Values: TypeAlias = NDArray[Any]

OWN = -1
"""Code of functions that the kernels do not know."""


@dataclass(frozen=True, init=False, repr=False)
class Activation:
    """An activation function σ with its derivative σ', both elementwise on arrays of any shape.

    Both are tried when the activation is made, at some 330 fields from -1000 to 1000 where σ is finite. A stated
    derivative is compared with central differences of σ, away from kinks: it may be off by 10⁻⁶ of the larger of
    |σ'(h)| and the largest slope for |h| <= 1.

    Parameters
    ----------
    name : str
        What messages and labels say.
    function : callable
        Array in, array of the same shape out. To be sent to another process it must be a function that can be
        imported: defined at the top of a module, not a lambda. The same holds for the derivative.
    derivative : callable or None
        None to find it from values of σ, to 10⁻¹⁰ of the larger of |σ| and the largest |σ'| nearby, where σ is
        smooth; that costs 25 to 121 values of σ for one of σ', and σ must return float64.
    kinks : sequence of float
        Fields where σ has a kink or a jump. Differences do not reach across them, and at one the numerical derivative
        is that from the left. Beside a stated derivative they may be left out.

    Attributes
    ----------
    code : int
        Number by which kernels know the function; -1 for a function of your own.
    slope : float
        Slope below zero, of the leaky ReLU alone.

    Raises
    ------
    TypeError, ValueError
        If a function is not elementwise, changes its argument, does not return real numbers of the same shape, or is
        finite nowhere; if the derivative is wrong, with the place and the two values; if it is to be found numerically
        and there is a kink that is not stated, or values have too few digits.

    Examples
    --------
    >>> square = Activation("square", np.square, lambda h: 2 * h)
    >>> square(np.array([1.0, -3.0]))
    array([1., 9.])
    >>> hard = Activation("hard tanh", lambda h: np.clip(h, -1, 1), kinks=[-1, 1])
    >>> hard, hard.derivative(np.array([0.5, 2.0]))
    (Activation('hard tanh', numerical derivative to 1e-10), array([1., 0.]))
    """

    name: str
    function: Callable[[Values], Values]
    derivative: Callable[[Values], Values]
    kinks: tuple[float, ...] = ()
    code: int = field(default=OWN)
    slope: float = field(default=0.0)

    def __init__(
        self,
        name: str,
        function: Callable[[Values], Values],
        derivative: Callable[[Values], Values] | None = None,
        *,
        kinks: ArrayLike = (),
    ) -> None:
        if not isinstance(name, str):
            raise TypeError(f"name = {name!r} of an activation is a {type(name).__name__}; pass a str")
        if not callable(function):
            raise TypeError(f"function of activation {name!r} is not callable: pass a function of arrays")
        if derivative is not None and not callable(derivative):
            raise TypeError(
                f"derivative of activation {name!r} is not callable: pass a function of arrays, or None to have it "
                "found numerically"
            )
        places = _kinks(kinks, name)
        slope = Numerical(name, function, places) if derivative is None else derivative
        check(name, function, slope, places)
        _set(self, name, function, slope, places)

    def __call__(self, fields: Values) -> Values:
        return self.function(fields)

    def __repr__(self) -> str:
        numerical = ", numerical derivative to 1e-10" if isinstance(self.derivative, Numerical) else ""
        return f"Activation({self.name!r}{numerical})"

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
        return _made, (self.name, self.function, self.derivative, self.code, self.slope, self.kinks)


def _made(
    name: str,
    function: Callable[[Values], Values],
    derivative: Callable[[Values], Values],
    code: int,
    slope: float = 0.0,
    kinks: tuple[float, ...] = (),
) -> Activation:
    """Return an activation that needs no check: one of the package, or one that was checked before it was sent."""
    result = object.__new__(Activation)
    _set(result, name, function, derivative, kinks, code, slope)
    return result


def _set(
    result: Activation,
    name: str,
    function: Callable[[Values], Values],
    derivative: Callable[[Values], Values],
    kinks: tuple[float, ...],
    code: int = OWN,
    slope: float = 0.0,
) -> None:
    found = {"name": name, "function": function, "derivative": derivative, "kinks": kinks, "code": code, "slope": slope}
    for key, value in found.items():
        object.__setattr__(result, key, value)


def _kinks(values: ArrayLike, name: str) -> tuple[float, ...]:
    """Return the places in increasing order."""
    array = np.atleast_1d(array_of(values, "kinks"))
    if array.size == 0:
        return ()
    if array.ndim != 1 or array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        raise ValueError(
            f"kinks = {values!r} of activation {name!r} must be finite numbers, the fields where it has no derivative"
        )
    return tuple(float(k) for k in np.unique(array))


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
_ZERO = (0.0,)


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
    pair = (_Leaky(number, derivative=False), _Leaky(number, derivative=True))
    return _made("leaky relu", *pair, LEAKY_RELU, number, _ZERO)


ACTIVATIONS: dict[str, Activation] = {
    "identity": _made("identity", _identity, _one, IDENTITY),
    "tanh": _made("tanh", np.tanh, _tanh_slope, TANH),
    "erf": _made("erf", _erf, _erf_slope, ERF),
    "relu": _made("relu", _relu, _step, RELU, kinks=_ZERO),
    "leaky relu": leaky_relu(),
    "sigmoid": _made("sigmoid", _sigmoid, _sigmoid_slope, SIGMOID),
    "sign": _made("sign", _sign, _zero, SIGN, kinks=_ZERO),
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
